"""Write files: GIS layers, JSON, text; each under a temporary name first, so that no half file is ever seen."""

from __future__ import annotations

import json
import logging
import math
import os
import sqlite3
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, Final

import geopandas as gpd
import numpy as np
import pandas as pd
import pyogrio

from geodata.crs import WGS84, transform

logger = logging.getLogger(__name__)

GPKG_TIME: Final = "2000-01-01T00:00:00.000Z"
"""Time of change written into every GeoPackage: a constant, so that the same plan gives the same bytes."""

_STYLES_TABLE: Final = """
CREATE TABLE layer_styles (
    id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
    f_table_catalog TEXT(256), f_table_schema TEXT(256), f_table_name TEXT(256), f_geometry_column TEXT(256),
    styleName TEXT(30), styleQML TEXT, styleSLD TEXT, useAsDefault BOOLEAN, description TEXT, owner TEXT(30),
    ui TEXT(30), update_time DATETIME
)
"""


def write_text(text: str, path: str | Path) -> None:
    """Write UTF-8 text with Unix line ends."""
    with replacing(Path(path)) as temporary:
        temporary.write_text(text, encoding="utf-8", newline="\n")


def write_json(obj: Any, path: str | Path) -> None:
    """Write JSON: UTF-8, indented, keys in the order given.

    Raises
    ------
    ValueError
        If a number is NaN or infinite: JSON has neither, use None.
    """
    text = json.dumps(obj, ensure_ascii=False, indent=2, allow_nan=False, default=_json_value)
    write_text(text + "\n", path)


def write_geojson_rfc7946(gdf: gpd.GeoDataFrame, path: str | Path) -> None:
    """Write GeoJSON by RFC 7946: WGS 84, counter-clockwise outer rings, 7 decimals, no ``crs`` member.

    Parameters
    ----------
    gdf : geopandas.GeoDataFrame
        In any CRS with a known way to WGS 84. Nullable integers become integers or null, unknown numbers and text
        null. Text that looks like JSON stays text.
    path : str or pathlib.Path
        Replaced if it exists.

    Raises
    ------
    geodata.errors.CrsError
        If there is no transformation to WGS 84.
    ValueError
        If a number is infinite.
    """
    path = Path(path)
    refuse_infinite(gdf)
    with replacing(path) as temporary:
        pyogrio.write_dataframe(
            _plain(transform(gdf, WGS84)),
            temporary,
            layer=path.stem,
            driver="GeoJSON",
            layer_options={"RFC7946": "YES", "AUTODETECT_JSON_STRINGS": "NO", "WRITE_NAME": "NO"},
        )


def write_gpkg(
    layers: Mapping[str, gpd.GeoDataFrame],
    path: str | Path,
    styles: Mapping[str, str] | None = None,
    description: str = "",
) -> None:
    """Write a GeoPackage (version 1.2, which older programs read too).

    Parameters
    ----------
    layers : mapping of str to geopandas.GeoDataFrame
        Layer → features; a layer without features is written with its columns.
    path : str or pathlib.Path
        Replaced if it exists.
    styles : mapping of str to str, optional
        Layer → QML, kept in the table ``layer_styles``: QGIS then opens the layer in this style.
    description : str
        What the file says of every layer, such as that the land is generated.

    Raises
    ------
    ValueError
        If there is no layer, a style is for none of them, or a number is infinite.

    Notes
    -----
    The same layers give the same bytes: the times of change are `GPKG_TIME`.
    """
    if not layers:
        raise ValueError("a GeoPackage needs at least one layer")
    unknown = sorted(set(styles or {}) - set(layers))
    if unknown:
        raise ValueError(f"styles for layers that are not written: {', '.join(unknown)}")
    with replacing(Path(path)) as temporary:
        for number, (name, gdf) in enumerate(layers.items()):
            refuse_infinite(gdf)
            new_file = {"dataset_options": {"VERSION": "1.2"}} if number == 0 else {}
            pyogrio.write_dataframe(
                _plain(gdf),
                temporary,
                layer=name,
                driver="GPKG",
                append=number > 0,
                geometry_type=geometry_type(gdf),
                promote_to_multi=geometry_type(gdf).startswith("Multi"),
                **new_file,
            )
        _finish_gpkg(temporary, styles or {}, description)


def _json_value(value: object) -> Any:
    """Plain value of a numpy scalar; anything else has no place in JSON."""
    if isinstance(value, np.generic):
        return value.item()
    raise TypeError(f"{type(value).__name__} cannot be written as JSON")


def _finish_gpkg(path: Path, styles: Mapping[str, str], description: str) -> None:
    """Add the styles and set the times, in plain SQL: a GeoPackage is an SQLite file."""
    with closing(sqlite3.connect(path)) as connection, connection:
        if styles:
            columns = dict(connection.execute("SELECT table_name, column_name FROM gpkg_geometry_columns"))
            connection.execute(_STYLES_TABLE)
            connection.execute(
                "INSERT INTO gpkg_contents (table_name, data_type, identifier, description) "
                "VALUES ('layer_styles', 'attributes', 'layer_styles', '')"
            )
            connection.executemany(
                "INSERT INTO layer_styles (f_table_catalog, f_table_schema, f_table_name, f_geometry_column, "
                "styleName, styleQML, styleSLD, useAsDefault, description, owner, ui, update_time) "
                "VALUES ('', '', ?, ?, ?, ?, '', 1, '', '', NULL, ?)",
                [(name, columns[name], name, qml, GPKG_TIME) for name, qml in styles.items()],
            )
        connection.execute("UPDATE gpkg_contents SET last_change = ?, description = ?", (GPKG_TIME, description))


def _plain(gdf: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Default index: pyogrio writes no index, and none shall be lost in silence."""
    return gdf.reset_index(drop=gdf.index.name is None or gdf.index.name in gdf.columns)


def geometry_type(gdf: gpd.GeoDataFrame) -> str:
    """One type for the layer: parts and whole of a kind go together as Multi, a mixture is Unknown."""
    kinds = set(gdf.geom_type.dropna())
    for kind in ("Polygon", "LineString", "Point"):
        if kinds and kinds <= {kind, f"Multi{kind}"}:
            return f"Multi{kind}"
    return "Unknown"


def refuse_infinite(gdf: gpd.GeoDataFrame) -> None:
    """Raise `ValueError` where a number is infinite: unknown is NaN, and no format of ours knows infinity."""
    for column in gdf.columns:
        if pd.api.types.is_float_dtype(gdf[column].dtype):
            numbers = gdf[column].to_numpy(dtype=np.float64, na_value=np.nan)
            if np.isinf(numbers).any():
                raise ValueError(f"column {column!r} holds an infinite number ({math.inf}); unknown is NaN")


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Name of a file to write in a new folder beside `path`; it takes the place of `path` if nothing fails."""
    with tempfile.TemporaryDirectory(prefix=f".{path.name}.", dir=path.parent) as folder:
        temporary = Path(folder) / path.name
        yield temporary
        os.replace(temporary, path)  # noqa: PTH105  (atomic also over an existing file on Windows)
