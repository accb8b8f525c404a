"""Read one layer of a PostGIS database: read-only, with a time limit, and without ever showing the password.

`geopandas.read_postgis` is not used: it takes the CRS of the first geometry for all of them, and turns whole numbers
with a gap into floats, which lose the last digits of long codes. The rows come through SQLAlchemy, the geometry through
shapely.
"""

from __future__ import annotations

import decimal
import importlib
import os
import re
from types import ModuleType
from typing import TYPE_CHECKING, Any, Final

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import pyproj
import shapely

from geodata.crs import crs_name, parse_crs
from geodata.errors import CrsError, DataError, Issue, list_ids
from geodata.spec_source import DatabaseSpec

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine

_CONNECT_S: Final = 10
_STATEMENT_S: Final = 600.0
_NAME: Final = re.compile(r'(?:"((?:[^"]|"")+)"|([^".]+))(?:\.(?:"((?:[^"]|"")+)"|([^".]+)))?')
_LEADING_COMMENT: Final = re.compile(r"(?:\s|--[^\n]*(?:\n|$)|/\*.*?\*/|\()*", re.DOTALL)
_INT64: Final = 2**63

_DTYPES: Final[dict[type, Any]] = {
    bool: pd.BooleanDtype(),
    int: pd.Int64Dtype(),
    float: pd.Float64Dtype(),
    str: pd.StringDtype(),
}
"""Type of the driver → pandas, all with a place for gaps."""

_GEOMETRY_COLUMNS: Final = """
SELECT a.attname AS name FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid
WHERE a.attrelid = to_regclass(%(table)s) AND a.attnum > 0 AND NOT a.attisdropped
AND t.typname IN ('geometry', 'geography') ORDER BY a.attnum
"""
_GEOMETRY_TABLES: Final = """
SELECT DISTINCT n.nspname || '.' || c.relname AS name FROM pg_attribute a
JOIN pg_type t ON t.oid = a.atttypid JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE t.typname IN ('geometry', 'geography') AND c.relkind IN ('r', 'v', 'm', 'f', 'p') AND NOT a.attisdropped
ORDER BY 1
"""

_SAYINGS: Final = {
    "28": ("the server refuses this user or password", "a user that may log in"),
    "3D000": ("no such database", "an existing database"),
    "42P01": ("a table that does not exist", "existing tables"),
    "42501": ("no permission to read it", "a user that may read it"),
    "57014": (f"no answer within {_STATEMENT_S:g} s", "an answer in time"),
    "25006": ("a statement that changes the database", "one that only reads"),
    "42": ("a query that the server does not understand", "a SELECT"),
    "0A": ("a query that does more than read", "a SELECT"),
}
"""Codes of PostgreSQL (or their first two characters) → what was found, what was expected."""


def read_postgis(db: DatabaseSpec, name: str, *, needs_crs: bool = True) -> gpd.GeoDataFrame:
    """Read a table, a view or a SELECT.

    Parameters
    ----------
    db : DatabaseSpec
        The password is taken from the environment variable that it names.
    name : str
        What to call the layer in messages.
    needs_crs : bool
        False where the CRS is declared elsewhere: a layer with SRID 0 then comes without one.

    Returns
    -------
    geopandas.GeoDataFrame
        Attributes as stored (whole numbers and truth values in nullable dtypes; ``numeric`` without decimals as whole
        numbers, or as text where it is longer than 64 bits), column ``geometry`` last, plane geometry; default index.

    Raises
    ------
    DataError
        If the extra packages are missing, the server cannot be reached or refuses, there is no such table or geometry
        column, the query is not one SELECT, or there are no rows.
    CrsError
        If there is no SRID, an unknown one, or several.
    """
    sqlalchemy = _extra("sqlalchemy")
    _extra("psycopg")
    statement, table = _statement(db, name)
    engine = _engine(sqlalchemy, db)
    failure: tuple[str | None, str]
    try:
        with engine.connect() as connection:
            if table is not None:
                _check_table(connection, table, db, name)
            frame = _rows(connection, statement)
            return _layer(frame, db, name, connection, needs_crs=needs_crs)
    except sqlalchemy.exc.SQLAlchemyError as error:
        failure = _failure(error, db)
    finally:
        engine.dispose()
    # Raised out here, so that the driver's error, which knows the connection, does not hang on to ours.
    raise DataError(_server_issue(*failure, db, name))


def _extra(package: str) -> ModuleType:
    try:
        return importlib.import_module(package)
    except ImportError:
        missing = Issue(
            where="database",
            found=f"the Python package {package} is not installed",
            expected="the packages that read PostGIS",
            fix='Install them: pip install "land-consolidation-planner[postgis]".',
        )
    raise DataError(missing)


def _engine(sqlalchemy: ModuleType, db: DatabaseSpec) -> Engine:
    url = sqlalchemy.URL.create(
        "postgresql+psycopg",
        username=db.user,
        password=os.environ.get(db.password_env) or None,
        host=db.host,
        port=db.port,
        database=db.database,
    )
    engine: Engine = sqlalchemy.create_engine(
        url,
        poolclass=sqlalchemy.pool.NullPool,
        hide_parameters=True,
        connect_args={
            "connect_timeout": _CONNECT_S,
            "client_encoding": "utf8",
            "passfile": os.devnull,
            "application_name": "planner",
            "options": f"-c default_transaction_read_only=on -c statement_timeout={round(_STATEMENT_S * 1000)}",
        },
    )
    return engine


def _statement(db: DatabaseSpec, name: str) -> tuple[str, str | None]:
    """The one SELECT to send, and the quoted name of the table where there is one.

    A query is put in brackets, so that the server itself takes nothing but a SELECT; the parameter makes the driver use
    the protocol that takes no second statement.
    """
    if db.table is not None:
        table = _quoted(db.table, name)
        source = table
    else:
        query = str(db.query).strip().removesuffix(";")
        start = _LEADING_COMMENT.match(query)
        word = query[start.end() if start else 0 :][:6].upper()
        if not re.match(r"SELECT\b|WITH\b", word):
            raise DataError(
                Issue(f"{name}, query", f"a statement that begins with {word!r}", "a SELECT", "Nothing else is sent.")
            )
        table, source = None, f"(\n{query}\n)"
    return f"SELECT q.* FROM {source.replace('%', '%%')} AS q WHERE %(always)s", table


def _quoted(table: str, name: str) -> str:
    """Name of a table in the quotes of SQL, part by part: ``public.地块`` → ``"public"."地块"``."""
    match = _NAME.fullmatch(table.strip())
    if match is None or "\0" in table:
        raise DataError(
            Issue(
                where=f"{name}, table",
                found=repr(table),
                expected="a table, or schema.table",
                fix='Put a part that holds a dot or a quote in double quotes: public."a.b".',
            )
        )
    parts = [part for part in match.groups() if part]
    plain = [part.replace('""', '"') for part in parts]
    return ".".join('"' + part.replace('"', '""') + '"' for part in plain)


def _names(connection: Connection, query: str, **parameters: str) -> list[str]:
    rows = connection.exec_driver_sql(query, parameters or None)
    return [str(row[0]) for row in rows]


def _check_table(connection: Connection, table: str, db: DatabaseSpec, name: str) -> None:
    known = connection.exec_driver_sql("SELECT to_regclass(%(table)s) IS NOT NULL", {"table": table}).scalar()
    if not known:
        tables = _names(connection, _GEOMETRY_TABLES)
        alike = [t for t in tables if t.lower().endswith(str(db.table).strip('"').lower())]
        raise DataError(
            Issue(
                where=f"{name}, table",
                found=f"no table {db.table} in the database {db.database}",
                expected=f"one with geometry: {list_ids(alike or tables) or 'there is none'}",
                fix="Correct the name (capitals count), with its schema where it is not on the search path.",
            )
        )
    columns = _names(connection, _GEOMETRY_COLUMNS, table=table)
    if db.geometry not in columns:
        raise DataError(_no_geometry(db, name, columns))


def _no_geometry(db: DatabaseSpec, name: str, columns: list[str]) -> Issue:
    return Issue(
        where=f"{name}, geometry",
        found=f"no geometry column {db.geometry}",
        expected=f"one of: {', '.join(columns)}" if columns else "a table with a geometry column",
        fix="Say `geometry: <name of the column>`.",
    )


def _layer(
    frame: pd.DataFrame, db: DatabaseSpec, name: str, connection: Connection, *, needs_crs: bool
) -> gpd.GeoDataFrame:
    found = int((frame.columns == db.geometry).sum())
    if found != 1:
        raise DataError(_no_geometry(db, name, []) if not found else _twice(db.geometry, name))
    if "geometry" in frame.columns and db.geometry != "geometry":
        raise DataError(_twice("geometry", name))
    if frame.empty:
        raise DataError(Issue(name, "no rows", "at least one feature", "Check the table or the query."))
    geometry = _geometry(frame[db.geometry], name)
    if all(shape is None or shape.is_empty for shape in geometry):
        raise DataError(Issue(name, "no geometry in any row", "geometry", "Name another column or table."))
    crs = _crs(geometry, connection, name, needs_crs=needs_crs)
    attributes = frame.drop(columns=db.geometry)
    shapes = shapely.set_srid(shapely.force_2d(geometry), 0)
    return gpd.GeoDataFrame(attributes, geometry=gpd.GeoSeries(shapes, index=frame.index, name="geometry"), crs=crs)


def _twice(column: str, name: str) -> Issue:
    return Issue(name, f"several columns called {column}", "one", "Name the columns in a `query` of your own.")


def _geometry(column: pd.Series, name: str) -> npt.NDArray[np.object_]:
    stored = column.astype(object).where(column.notna(), None).to_numpy()
    try:
        shapes: npt.NDArray[np.object_] = shapely.from_wkb(stored)
    except (shapely.errors.ShapelyError, NotImplementedError, TypeError, ValueError) as error:
        raise DataError(
            Issue(
                where=f"{name}, column {column.name}",
                found=f"values that are not plain geometry ({error})",
                expected="points, lines and polygons",
                fix="Name a geometry column; turn curves into lines in a `query`: ST_CurveToLine.",
            )
        ) from error
    return shapes


def _crs(geometry: npt.NDArray[np.object_], connection: Connection, name: str, *, needs_crs: bool) -> pyproj.CRS | None:
    srids = sorted({int(srid) for srid in shapely.get_srid(geometry[geometry != np.array(None)])})
    if len(srids) > 1:
        raise CrsError(
            Issue(name, f"several SRIDs: {list_ids(srids)}", "one", "Bring them to one in a `query`: ST_Transform.")
        )
    if srids == [0]:
        if not needs_crs:
            return None
        raise CrsError(
            Issue(
                where=name,
                found="geometry without a coordinate reference system (SRID 0)",
                expected="one",
                fix="Find out which it is and declare it beside `database`: `crs: EPSG:4490`, say.",
            )
        )
    return _crs_of(srids[0], connection, name)


def _crs_of(srid: int, connection: Connection, name: str) -> pyproj.CRS:
    """What the database says about an SRID: its code in an authority, else its definition."""
    row = connection.exec_driver_sql(
        "SELECT auth_name, auth_srid, srtext FROM spatial_ref_sys WHERE srid = %(srid)s", {"srid": srid}
    ).first()
    authority, code, text = row if row is not None else ("EPSG", srid, None)
    try:
        return pyproj.CRS.from_authority(authority, code)
    except (pyproj.exceptions.CRSError, TypeError):
        if text:
            return parse_crs(text, f"{name}, SRID {srid}")
    raise CrsError(
        Issue(
            where=name,
            found=f"SRID {srid}, which is no known coordinate reference system",
            expected="one that is known",
            fix=f"Give it its SRID in the database (ST_SetSRID), such as {crs_name(pyproj.CRS.from_epsg(4490))}.",
        )
    )


def _rows(connection: Connection, statement: str) -> pd.DataFrame:
    """Rows of a statement, every column in a dtype that holds its values exactly and knows gaps."""
    result = connection.exec_driver_sql(statement, {"always": True})
    names = list(result.keys())
    rows = result.fetchall()
    columns = [_column(list(values)) for values in zip(*rows, strict=True)] or [pd.Series(dtype=object)] * len(names)
    return pd.DataFrame(dict(enumerate(columns))).set_axis(names, axis="columns")


def _column(values: list[Any]) -> pd.Series:
    """One column by the Python type of its values; `numeric` as whole numbers where it is whole, else as floats."""
    kinds = {type(value) for value in values if value is not None}
    if kinds == {decimal.Decimal}:
        values = [value if value is None or value.is_finite() else None for value in values]
        whole = all(value is None or value == value.to_integral_value() for value in values)
        values = [None if value is None else int(value) if whole else float(value) for value in values]
        kinds = {int if whole else float}
    if kinds == {int} and not all(value is None or -_INT64 <= value < _INT64 for value in values):
        values = [None if value is None else str(value) for value in values]
        kinds = {str}
    return pd.Series(values, dtype=_DTYPES.get(next(iter(kinds)), object) if len(kinds) == 1 else object)


def _failure(error: BaseException, db: DatabaseSpec) -> tuple[str | None, str]:
    """Code and first line of an error of the server, without the password."""
    cause: Any = getattr(error, "orig", None) or error
    lines = str(cause).strip().splitlines()
    text = next((line for line in lines if "FATAL" in line), lines[0] if lines else type(cause).__name__)
    password = os.environ.get(db.password_env)
    return getattr(cause, "sqlstate", None), text.replace(password, "***") if password else text


def _server_issue(code: str | None, text: str, db: DatabaseSpec, name: str) -> Issue:
    found, expected = "", "an answer of the server"
    if code is not None:
        found, expected = _SAYINGS.get(code) or _SAYINGS.get(code[:2]) or ("an error of the server", expected)
        text = f"{found}: {text}"
    given = "is set" if os.environ.get(db.password_env) else "is not set"
    login = code is None or code.startswith("28")
    return Issue(
        where=f"{name}, database {db.database} at {db.host}:{db.port}",
        found=text,
        expected="a server that can be reached and lets this user in" if login else expected,
        fix=f"Check host, port, database and user; the password stands in the environment variable {db.password_env}, "
        f"which {given}."
        if login
        else "Correct the table or the query, or ask who runs the database.",
    )
