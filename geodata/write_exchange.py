"""Layers in the formats that other offices ask for: file geodatabase, shapefile, GeoParquet.

What such a format cannot hold is changed here, knowingly, and told: names are shortened, texts cut, layers of several
kinds of geometry split. After writing, every layer is read back and compared with what was meant, so that nothing is
lost in silence.
"""

from __future__ import annotations

import re
import shutil
import warnings
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import geopandas as gpd
import numpy as np
import pandas as pd
import pyogrio

from geodata.notes import SourceNote
from geodata.write import geometry_type, refuse_infinite, replacing

SHAPEFILE_DATE: Final = "2000-01-01"
"""Day of change in every DBF header: a constant, so that the same layers give the same bytes."""
SHAPEFILE_ENCODING: Final = "GB18030"
SHAPEFILE_TEXT_BYTES: Final = 254
SHAPEFILE_NAME: Final = 10
GDB_NAME: Final = 64

_GDB_RESERVED: Final = re.compile(
    "add|alter|and|as|asc|between|by|column|create|date|delete|desc|drop|exists|for|from|group|in|insert|into|is|like|"
    "not|null|objectid|or|order|select|set|shape|shape_area|shape_length|table|update|values|where",
    re.IGNORECASE,
)
_KINDS: Final = (("Polygon", "areas"), ("LineString", "lines"), ("Point", "points"))
_TOO_LARGE: Final = ".*not successfully written"
_RELATIVE: Final = 1e-12
_ABSOLUTE: Final = 1e-14  # a DBF keeps fifteen decimals


@dataclass(frozen=True)
class Written:
    """What became of layers in a format.

    Attributes
    ----------
    names : mapping of str to mapping
        Layer as written → column → its name there.
    notes : tuple of SourceNote
        What the format could not hold; items are the ids of rows (their first column).
    """

    names: Mapping[str, Mapping[str, str]]
    notes: tuple[SourceNote, ...]


def write_geoparquet(gdf: gpd.GeoDataFrame, path: str | Path) -> None:
    """Write a layer as GeoParquet, without an index; the same layer gives the same bytes.

    Raises
    ------
    ValueError
        If a number is infinite.
    """
    refuse_infinite(gdf)
    with replacing(Path(path)) as temporary:
        _plain_types(gdf).to_parquet(temporary, index=False)


def write_shapefiles(layers: Mapping[str, gpd.GeoDataFrame], folder: str | Path) -> Written:
    """Write layers as shapefiles with ASCII names of at most ten letters, text in GB18030, and ``.cpg``.

    Parameters
    ----------
    layers : mapping of str to geopandas.GeoDataFrame
        Name, ASCII → features. A layer without features is left out; one of several kinds of geometry is split into
        ``<name>_areas``, ``<name>_lines``, ``<name>_points``.
    folder : str or pathlib.Path
        An existing folder.

    Returns
    -------
    Written
        Texts longer than 254 bytes are cut between two characters; yes/no become 1/0.

    Raises
    ------
    ValueError
        If a number is infinite.
    """
    notes: list[SourceNote] = []
    names: dict[str, dict[str, str]] = {}
    for name, layer in _one_kind_each(layers, notes):
        short = short_names(layer.columns.drop(layer.geometry.name))
        source = f"{name}.shp"
        meant = _cut_texts(layer.rename(columns=short), source, notes)
        path = Path(folder) / source
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", _TOO_LARGE)  # told below, with its row
            pyogrio.write_dataframe(
                meant,
                path,
                driver="ESRI Shapefile",
                encoding=SHAPEFILE_ENCODING,
                geometry_type=geometry_type(layer),
                promote_to_multi=True,
                layer_options={"DBF_DATE_LAST_UPDATE": SHAPEFILE_DATE},
            )
        notes.extend(_differences(meant, pyogrio.read_dataframe(path), source))
        names[name] = short
    return Written(names, tuple(notes))


def write_filegdb(
    layers: Mapping[str, gpd.GeoDataFrame], path: str | Path, aliases: Mapping[str, str] | None = None
) -> Written:
    """Write layers as a file geodatabase, which every ArcGIS since 10 reads.

    Parameters
    ----------
    layers : mapping of str to geopandas.GeoDataFrame
        As for `write_shapefiles`.
    path : str or pathlib.Path
        Folder ``*.gdb``; replaced if it exists.
    aliases : mapping of str to str, optional
        Layer → name that ArcGIS shows.

    Notes
    -----
    Its bytes differ from one writing to the next: the format holds random identifiers. Coordinates are kept to 0.1 mm.

    Raises
    ------
    ValueError
        If a number is infinite.
    """
    path = Path(path)
    if path.exists():
        shutil.rmtree(path)
    notes: list[SourceNote] = []
    names: dict[str, dict[str, str]] = {}
    for number, (name, layer) in enumerate(_one_kind_each(layers, notes)):
        table = f"{name}_" if _GDB_RESERVED.fullmatch(name) else name
        column_names = _gdb_names(layer.columns.drop(layer.geometry.name))
        meant = layer.rename(columns=column_names)
        kind = geometry_type(layer)
        pyogrio.write_dataframe(
            meant,
            path,
            layer=table,
            driver="OpenFileGDB",
            append=number > 0,
            geometry_type=kind,
            promote_to_multi=kind.startswith("Multi"),
            layer_options={"LAYER_ALIAS": (aliases or {}).get(name, name)},
        )
        notes.extend(_differences(meant, pyogrio.read_dataframe(path, layer=table), f"{path.name}, {table}"))
        names[table] = column_names
    return Written(names, tuple(notes))


def short_names(columns: Iterable[str], length: int = SHAPEFILE_NAME) -> dict[str, str]:
    """Names of ASCII letters, digits and ``_``, at most `length` long, each its own whatever the case.

    Words are shortened from their ends, the longest first, so that units at the end stay: ``certificate_area_mu`` →
    ``cer_are_mu``. Names without any such letter become ``F1``, ``F2`` … by their place.
    """
    taken: set[str] = set()
    found: dict[str, str] = {}
    for place, column in enumerate(columns, start=1):
        words = [word for word in re.split(r"[^A-Za-z0-9]+", str(column)) if word]
        short = _shortened(words, length) or f"F{place}"
        short = short if short[0].isalpha() else f"F{short}"[:length]
        found[column] = _distinct(short, taken, length)
    return found


def _shortened(words: list[str], length: int) -> str:
    joint = "_" if 2 * len(words) - 1 <= length and len(words) <= 3 else ""
    words = words[:length]
    while len(joint.join(words)) > length:
        longest = max(range(len(words)), key=lambda i: (len(words[i]), -i))
        words[longest] = words[longest][:-1]
    return joint.join(words)


def _gdb_names(columns: Iterable[str]) -> dict[str, str]:
    """Names by the rules of file geodatabases: letters of any script, digits and ``_``, no word of SQL."""
    taken: set[str] = set()
    found: dict[str, str] = {}
    for place, column in enumerate(columns, start=1):
        plain = re.sub(r"\W", "_", str(column)).strip("_")[:GDB_NAME] or f"F{place}"
        plain = plain if plain[0].isalpha() else f"F{plain}"[:GDB_NAME]
        plain = f"{plain[: GDB_NAME - 1]}_" if _GDB_RESERVED.fullmatch(plain) else plain
        found[column] = _distinct(plain, taken, GDB_NAME)
    return found


def _distinct(name: str, taken: set[str], length: int) -> str:
    chosen, number = name, 1
    while chosen.lower() in taken:
        number += 1
        chosen = f"{name[: length - len(str(number)) - 1]}_{number}"
    taken.add(chosen.lower())
    return chosen


def _one_kind_each(
    layers: Mapping[str, gpd.GeoDataFrame], notes: list[SourceNote]
) -> Iterator[tuple[str, gpd.GeoDataFrame]]:
    """Layers of one kind of geometry each, with types that both formats have; features without geometry go first."""
    for name, layer in layers.items():
        refuse_infinite(layer)
        kinds = layer.geom_type.str.removeprefix("Multi")
        present = [(kind, word) for kind, word in _KINDS if (kinds == kind).any()]
        other = kinds.notna() & ~kinds.isin([kind for kind, _ in _KINDS])
        homeless = other if present else kinds.isna() | other
        if len(layer) == 0 or homeless.any():
            what = "no features: not written" if len(layer) == 0 else "features without a place: not written"
            notes.append(SourceNote.of(name, what, _row_ids(layer[homeless]) if len(layer) else [name], warning=False))
        plain = _plain_types(layer)
        for i, (kind, word) in enumerate(present):
            chosen = (kinds == kind) | (kinds.isna() if i == 0 else False)
            yield (f"{name}_{word}" if len(present) > 1 else name), plain[chosen.to_numpy()].reset_index(drop=True)


def _plain_types(gdf: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Yes/no as 1/0, whole numbers in 32 bits where they fit, everything else that is no number as text."""
    found = gdf.reset_index(drop=gdf.index.name is None or gdf.index.name in gdf.columns)
    for column in found.columns.drop(found.geometry.name):
        found[column] = _plain_column(found[column])
    return found


def _plain_column(values: pd.Series) -> pd.Series:
    kind = values.dtype
    if pd.api.types.is_bool_dtype(kind):
        return values.astype("Int16")
    if pd.api.types.is_integer_dtype(kind):
        known = values.dropna()
        small = not len(known) or (known.min() > -(2**31) and known.max() < 2**31)
        return values.astype("Int32" if small else "Int64")
    if pd.api.types.is_float_dtype(kind):
        return values.astype("float64") if isinstance(kind, np.dtype) else values.astype("Float64")
    return pd.Series([None if pd.isna(v) else str(v) for v in values], values.index, dtype=object).astype("str")


def _cut_texts(layer: gpd.GeoDataFrame, source: str, notes: list[SourceNote]) -> gpd.GeoDataFrame:
    """Texts short enough for a DBF; what was cut is told by column."""
    found = layer.copy()
    for column in found.columns.drop(found.geometry.name):
        if pd.api.types.is_string_dtype(found[column].dtype):
            cut = [None if pd.isna(v) else _cut(v) for v in found[column]]
            changed = [v is not None and v != w for v, w in zip(cut, found[column], strict=True)]
            if any(changed):
                what = f"text of {column} cut to {SHAPEFILE_TEXT_BYTES} bytes"
                notes.append(SourceNote.of(source, what, _row_ids(found[changed])))
                found[column] = pd.Series(cut, found.index, dtype="str")
    return found


def _cut(text: str) -> str:
    if len(text.encode(SHAPEFILE_ENCODING, "replace")) <= SHAPEFILE_TEXT_BYTES:
        return text
    ends = np.cumsum([len(letter.encode(SHAPEFILE_ENCODING, "replace")) for letter in text])
    return text[: int(np.searchsorted(ends, SHAPEFILE_TEXT_BYTES, side="right"))]


def _differences(meant: gpd.GeoDataFrame, found: gpd.GeoDataFrame, source: str) -> Iterator[SourceNote]:
    """Columns whose values came back as others; an empty text and none are one, numbers agree to twelve digits."""
    if len(meant) != len(found):
        yield SourceNote.of(source, f"{len(found)} features of {len(meant)} came back", [source])
        return
    for column in meant.columns.drop(meant.geometry.name):
        if column not in found:
            yield SourceNote.of(source, "column lost", [column])
            continue
        changed = _changed(meant[column], found[column])
        if changed.any():
            yield SourceNote.of(source, f"{column} came back as another value", _row_ids(meant[changed]))


def _changed(meant: pd.Series, found: pd.Series) -> np.ndarray[Any, np.dtype[np.bool_]]:
    if pd.api.types.is_string_dtype(meant.dtype):
        return np.asarray(meant.fillna("") != found.astype("str").fillna(""), dtype=bool)
    a = meant.to_numpy(dtype=np.float64, na_value=np.nan)
    b = pd.to_numeric(found, errors="coerce").to_numpy(dtype=np.float64, na_value=np.nan)
    changed: np.ndarray[Any, np.dtype[np.bool_]] = ~np.isclose(a, b, rtol=_RELATIVE, atol=_ABSOLUTE, equal_nan=True)
    return changed


def _row_ids(rows: pd.DataFrame) -> list[str]:
    column: Any = rows.columns[0]
    return [str(i + 1) if column == "geometry" else str(v) for i, v in zip(rows.index, rows[column], strict=True)]
