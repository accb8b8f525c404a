"""A plan as the compact data that the map's page holds: columns, and outlines in millionths of a degree.

At 6 decimals (0.11 m) and with differences instead of coordinates it is a fraction of the same layers' GeoJSON; each
parcel's outline stands there once, whatever layers and colourings it appears in.
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

from geodata.crs import WGS84, crs_name, transform
from planner.report import palette
from planner.report.bodies import block_hatches, block_outlines
from planner.report.context import MapContext, PhaseFigures
from planner.tables import BLOCK_COLUMNS, LINK_COLUMNS, PARCEL_COLUMNS, PlanTables

MICRODEGREES = 1_000_000
"""Steps per degree in the encoded outlines."""

_DECIMALS = {"area_mu": 4, "score": 4, "score_mean": 4, "perimeter_m": 1, "compactness": 4, "gap_m": 2, "cost": 2}

_AREAL = (shapely.GeometryType.POLYGON, shapely.GeometryType.MULTIPOLYGON)
_LINEAR = (shapely.GeometryType.LINESTRING, shapely.GeometryType.LINEARRING, shapely.GeometryType.MULTILINESTRING)


def page_data(tables: PlanTables, context: MapContext) -> dict[str, Any]:
    """Everything the page shows, ready for `to_inline_json`.

    Parameters
    ----------
    tables : PlanTables
        The plan, in a metric CRS.
    context : MapContext
        Title, figures and provenance.

    Returns
    -------
    dict
        ``meta``, ``phases``, ``zone_figures``, ``palette``, ``fields``, ``bounds`` ([[south, west], [north, east]],
        degrees) and one table (``columns``, ``shapes``) per layer; blocks have ``outlines`` across lanes besides.
    """
    parcels, blocks, zones, links, barriers = (
        _degrees(frame) for frame in (tables.parcels, tables.blocks, tables.zones, tables.links, tables.barriers)
    )
    outlines = block_outlines(tables)
    fields = [name for name in context.fields if name in parcels.columns]
    optional = [name for name in ("cost", "earliest_phase", *fields) if name in parcels.columns]
    kinds = shapely.get_type_id(barriers.geometry.values)
    block_table = _table(blocks, BLOCK_COLUMNS, encode_polygons(blocks.geometry.values))
    block_table["columns"]["hatch"] = block_hatches(tables.blocks, outlines).tolist() if len(outlines) else []
    block_table["outlines"] = _outlines(tables.blocks, outlines)
    block_table["columns"]["label_at"] = _lat_lng(shapely.point_on_surface(blocks.geometry.values))
    zone_table = _table(zones, ["zone"], encode_polygons(zones.geometry.values))
    zone_table["columns"]["label_at"] = _tops(zones.geometry.values)
    return {
        "language": "en",
        "meta": _meta(tables, context),
        "phases": _phases(context.phases),
        "zone_figures": [{"name": name, "phases": _phases(phases)} for name, phases in context.zones.items()],
        "palette": _palette(),
        "fields": fields,
        "bounds": _bounds(parcels, blocks, zones),
        "parcels": _table(
            parcels, list(dict.fromkeys([*PARCEL_COLUMNS, *optional])), encode_polygons(parcels.geometry.values)
        ),
        "blocks": block_table,
        "zones": zone_table,
        "links": _table(links, [*LINK_COLUMNS, "used"], encode_lines(links.geometry.values)),
        "barrier_areas": _barriers(barriers[np.isin(kinds, _AREAL)], encode_polygons),
        "barrier_lines": _barriers(barriers[np.isin(kinds, _LINEAR)], encode_lines),
    }


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


def _degrees(frame: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """The layer in longitude and latitude (WGS 84); an empty layer may lack a CRS."""
    return frame if len(frame) == 0 else transform(frame, WGS84)


def _table(frame: gpd.GeoDataFrame, names: Sequence[str], shapes: list[Any]) -> dict[str, Any]:
    return {"columns": {name: _column(frame[name]) for name in names}, "shapes": shapes}


def _outlines(blocks: gpd.GeoDataFrame, outlines: npt.NDArray[np.object_]) -> list[Any]:
    """Outlines across lanes; empty for blocks whose outline is their own."""
    own = np.array(blocks.geometry.to_numpy(), dtype=object)
    drawn = np.array([None if a is b else b for a, b in zip(own, outlines, strict=True)], dtype=object)
    if not len(drawn):
        return []
    frame = gpd.GeoDataFrame(geometry=gpd.GeoSeries(drawn, crs=blocks.crs))
    return encode_polygons(_degrees(frame).geometry.values)


def _barriers(frame: gpd.GeoDataFrame, encode: Any) -> dict[str, Any]:
    return _table(frame, ["name"], encode(frame.geometry.values))


def _column(values: pd.Series[Any]) -> Any:
    """A list with None for missing; texts that repeat are stored once, with a code per row (-1 = missing)."""
    known = values.notna()
    if pd.api.types.is_bool_dtype(values) and known.all():
        return values.astype(bool).tolist()
    if pd.api.types.is_numeric_dtype(values):
        numbers = values.astype("float64").replace([np.inf, -np.inf], np.nan)
        decimals = _DECIMALS.get(str(values.name), 0 if pd.api.types.is_integer_dtype(values) else 4)
        rounded = numbers.round(decimals)
        return [None if np.isnan(v) else int(v) if v.is_integer() else v for v in rounded.tolist()]
    texts = values.astype(object).where(known).map(str, na_action="ignore")
    codes, distinct = pd.factorize(texts)
    if 2 * len(distinct) > len(texts):
        return [None if pd.isna(text) else text for text in texts]
    return {"values": [str(v) for v in distinct], "codes": codes.tolist()}


def _lat_lng(points: npt.NDArray[np.object_]) -> list[list[float]]:
    return [[round(p.y, 6), round(p.x, 6)] for p in points]


def _tops(shapes: npt.ArrayLike) -> list[list[float]]:
    """Northernmost vertex of each shape: where a zone's name covers least of what lies inside."""
    tops = []
    for shape in np.asarray(shapes, dtype=object):
        coordinates = shapely.get_coordinates(shape)
        x, y = coordinates[np.argmax(coordinates[:, 1])]
        tops.append([round(float(y), 6), round(float(x), 6)])
    return tops


def _bounds(parcels: gpd.GeoDataFrame, blocks: gpd.GeoDataFrame, zones: gpd.GeoDataFrame) -> list[list[float]]:
    """What the map shows first: the blocks with the zones they lie in, or everything where there is no block."""
    shown = [parcels] if len(blocks) == 0 else [blocks, zones[zones["zone"].isin(blocks["zone"].dropna())]]
    boxes = np.array([frame.total_bounds for frame in shown if len(frame)])
    west, south = boxes[:, :2].min(axis=0).tolist()
    east, north = boxes[:, 2:].max(axis=0).tolist()
    return [[south, west], [north, east]]


def _meta(tables: PlanTables, context: MapContext) -> dict[str, Any]:
    return {
        "title": context.title,
        "project": context.project,
        "synthetic": context.synthetic,
        "note": context.note,
        "currency": context.currency,
        "status": context.status,
        "objective": context.objective,
        "bound": context.bound,
        "gap": context.gap,
        "version": context.version,
        "config_hash": context.config_hash,
        "input_hash": context.input_hash,
        "has_cost": "cost" in tables.parcels.columns,
        "crs": crs_name(tables.parcels.crs),
    }


def _phases(phases: Sequence[PhaseFigures]) -> list[dict[str, Any]]:
    colours = palette.phase_colours(len(phases))
    return [
        {
            "id": phase.id,
            "year": phase.year,
            "target_mu": phase.target_mu,
            "stretch_mu": phase.stretch_mu,
            "area_mu": phase.area_mu,
            "cumulative_mu": phase.cumulative_mu,
            "cost": phase.cost,
            "colour": colour,
        }
        for phase, colour in zip(phases, colours, strict=True)
    ]


def _palette() -> dict[str, Any]:
    return {
        "status": palette.STATUS,
        "muted": palette.MUTED,
        "score": palette.SCORE,
        "score_unknown": palette.SCORE_UNKNOWN,
        "parcel_outline": palette.PARCEL_OUTLINE,
        "filler_outline": palette.FILLER_OUTLINE,
        "block_outline": palette.BLOCK_OUTLINE,
        "locked_in": palette.LOCKED_IN,
        "locked_out": palette.LOCKED_OUT,
        "link_used": palette.LINK_USED,
        "link_unused": palette.LINK_UNUSED,
        "barrier": palette.BARRIER,
        "zone": palette.ZONE,
        "highlight": palette.HIGHLIGHT,
    }
