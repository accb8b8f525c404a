"""Layers as compact data for a page: columns, and outlines in millionths of a degree.

At 6 decimals (0.11 m) and with differences instead of coordinates it is a fraction of the same layers' GeoJSON.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely

from geodata.crs import WGS84, transform
from geodata.web_maps import shift

MICRODEGREES = 1_000_000
"""Steps per degree in the encoded outlines."""

AREAL = (shapely.GeometryType.POLYGON, shapely.GeometryType.MULTIPOLYGON)
LINEAR = (shapely.GeometryType.LINESTRING, shapely.GeometryType.LINEARRING, shapely.GeometryType.MULTILINESTRING)

_DECIMALS = {
    "area_mu": 4,
    "lost_mu": 4,
    "overlap_m2": 1,
    "score": 4,
    "score_mean": 4,
    "perimeter_m": 1,
    "compactness": 4,
    "gap_m": 2,
    "cost": 2,
    "forced_loss": 0,
    "worth_lost": 0,
}
"""Decimals of numbers in the page by column; 4 where nothing is said, 0 of whole numbers."""


def to_inline_json(data: Any) -> str:
    """JSON that cannot end or disturb the script element it stands in.

    ``<``, ``>``, ``&`` and the line separators U+2028 and U+2029 are written as escapes, so that no attribute value can
    close the element, open a comment or start an entity.

    Raises
    ------
    ValueError
        If `data` holds a NaN or an infinite number.
    """
    text = json.dumps(data, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return text.translate({ord(c): f"\\u{ord(c):04x}" for c in "<>&\u2028\u2029"})


def encode_polygons(geometry: npt.ArrayLike) -> list[list[list[list[int]]]]:
    """Polygons and multipolygons as lists of polygons of rings.

    Parameters
    ----------
    geometry : array-like of shapely geometry
        Longitude and latitude in degrees; missing and empty ones become an empty list.

    Returns
    -------
    list
        Per geometry its polygons, per polygon its rings (the shell first), per ring the flat list
        ``[lng, lat, Δlng, Δlat, …]`` in millionths of a degree, without the closing point.
    """
    shapes = np.asarray(geometry, dtype=object)
    polygons, owner = _parts(shapes)
    rings, ring_owner = shapely.get_rings(polygons, return_index=True)
    result: list[list[list[list[int]]]] = [[] for _ in range(len(shapes))]
    by_polygon: list[list[list[int]]] = [[] for _ in range(len(polygons))]
    for polygon, path in zip(ring_owner.tolist(), _paths(rings, drop_last=True), strict=True):
        by_polygon[polygon].append(path)
    for shape, paths in zip(owner.tolist(), by_polygon, strict=True):
        result[shape].append(paths)
    return result


def encode_lines(geometry: npt.ArrayLike) -> list[list[list[int]]]:
    """Lines and multilines as lists of paths; see `encode_polygons`."""
    shapes = np.asarray(geometry, dtype=object)
    lines, owner = _parts(shapes)
    result: list[list[list[int]]] = [[] for _ in range(len(shapes))]
    for shape, path in zip(owner.tolist(), _paths(lines, drop_last=False), strict=True):
        result[shape].append(path)
    return result


def _parts(shapes: npt.NDArray[np.object_]) -> tuple[npt.NDArray[np.object_], npt.NDArray[np.intp]]:
    """Single parts with points in them, and the position of the shape each belongs to."""
    parts, owner = shapely.get_parts(shapes, return_index=True)
    filled = ~shapely.is_empty(parts)
    return parts[filled], owner[filled]


def _paths(lines: npt.NDArray[np.object_], drop_last: bool) -> list[list[int]]:
    """Each line as its first point and the steps from point to point, flat."""
    coordinates, owner = shapely.get_coordinates(lines, return_index=True)
    steps = np.rint(coordinates * MICRODEGREES).astype(np.int64)
    first = np.ones(len(owner), dtype=bool)
    first[1:] = owner[1:] != owner[:-1]
    absolute = steps.copy()
    steps[1:] -= absolute[:-1]
    steps[first] = absolute[first]
    if drop_last:
        keep = np.append(~first[1:], False) if len(first) else first
        steps, owner = steps[keep], owner[keep]
    ends = 2 * np.searchsorted(owner, np.arange(len(lines) + 1))
    flat = steps.ravel().tolist()
    return [flat[start:end] for start, end in zip(ends[:-1].tolist(), ends[1:].tolist(), strict=True)]


def degrees(frame: gpd.GeoDataFrame, shifted: bool = False) -> gpd.GeoDataFrame:
    """A layer in the degrees that the map is drawn in.

    Parameters
    ----------
    frame : geopandas.GeoDataFrame
        In any CRS; an empty layer may lack one, and stays as it is.
    shifted : bool
        Longitude and latitude of GCJ-02 instead of WGS 84: over tiles that are shifted, and for nothing else.
    """
    if len(frame) == 0:
        return frame
    placed = transform(frame, WGS84)
    if not shifted:
        return placed
    moved = shapely.transform(np.array(placed.geometry.to_numpy(), dtype=object), _gcj02)
    return placed.set_geometry(gpd.GeoSeries(moved, index=placed.index, crs=placed.crs))


def _gcj02(coordinates: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    return np.column_stack(shift(coordinates[:, 0], coordinates[:, 1], "GCJ-02"))


def table(frame: gpd.GeoDataFrame, names: Sequence[str], shapes: list[Any]) -> dict[str, Any]:
    """A layer: its columns by name, and its shapes; without rows also where a column is absent."""
    return {"columns": {name: column(frame[name]) if len(frame) else [] for name in names}, "shapes": shapes}


def column(values: pd.Series[Any], decimals: int | None = None) -> Any:
    """A list with None for missing; texts that repeat are stored once, with a code per row (-1 = missing)."""
    known = values.notna()
    if pd.api.types.is_bool_dtype(values) and known.all():
        return values.astype(bool).tolist()
    if pd.api.types.is_numeric_dtype(values):
        numbers = values.astype("float64").replace([np.inf, -np.inf], np.nan)
        if decimals is None:
            decimals = _DECIMALS.get(str(values.name), 0 if pd.api.types.is_integer_dtype(values) else 4)
        rounded = numbers.round(decimals)
        return [None if np.isnan(v) else int(v) if v.is_integer() else v for v in rounded.tolist()]
    texts = values.astype(object).where(known).map(str, na_action="ignore")
    codes, distinct = pd.factorize(texts)
    if 2 * len(distinct) > len(texts):
        return [None if pd.isna(text) else text for text in texts]
    return {"values": [str(v) for v in distinct], "codes": codes.tolist()}
