"""Red lines and other layers laid over the parcels: overlap in m² and as a share, and who is kept out."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from geodata.attributes import as_float64, get_column
from geodata.columns import read_texts
from geodata.contract import (
    BoolArray,
    FloatArray,
    GeometryArray,
    IntArray,
    geometry_array,
    require_parcels,
    require_polygons,
    require_same_crs,
)
from geodata.errors import DataError, Issue
from geodata.layer_shapes import dissolved, fit_shapes, pieces, refuse_other_than_polygons, source_of, united
from geodata.notes import SourceNote
from geodata.overlaps import OVERLAP_FLOOR_M2, polygonal
from geodata.spec_land import OverlaySpec

_NEAR_M: Final = 100.0
"""Features are kept for the map and the check up to this far around the land."""
_ARC_SEGMENTS: Final = 16
"""Segments in a quarter of a buffer's round corner: it lies within 0.12 % of the width of the true arc, inside it."""


@dataclass(frozen=True)
class OverlayResult:
    """A layer laid over the parcels.

    Attributes
    ----------
    fields : pandas.DataFrame
        Index and order of the parcels. ``<name>_m2``: ground of the parcel that the layer covers, m²;
        ``<name>_share``: as a share of the parcel, 0 to 1 (both ``Float64``, never unknown); with `attribute` also
        ``<name>`` (text): the value that covers most of the parcel, unknown where nothing does.
    overlap : geopandas.GeoDataFrame
        Columns ``parcel_id``, ``overlay``, ``overlap_m2``, ``share``, ``attribute`` (text, empty without one) and the
        geometry of the overlap; one row per parcel touched, or per parcel and value with `attribute`.
    features : geopandas.GeoDataFrame
        Columns ``overlay``, ``effect``, ``tolerance_m2``, ``tolerance_share`` and polygons: the features as measured
        (valid, buffered), cut to the neighbourhood of the land.
    notes : list of SourceNote
        What was repaired; who is kept out; who stays within the tolerance; a layer that touches nothing.
    verdict : pandas.Series of bool, or None
        True = kept out of every plan; None for a tag.
    """

    fields: pd.DataFrame
    overlap: gpd.GeoDataFrame
    features: gpd.GeoDataFrame
    notes: list[SourceNote]
    verdict: pd.Series | None


def overlay_fields(parcels: gpd.GeoDataFrame, layer: gpd.GeoDataFrame, spec: OverlaySpec) -> OverlayResult:
    """Lay a layer over the parcels.

    Ground under several features counts once. Overlaps up to `OVERLAP_FLOOR_M2` (1 cm²) are rounding of coordinates
    and count as none. With the tolerance max(`tolerance_m2`, `tolerance_share` · parcel area), `exclude` keeps out a
    parcel whose overlap is larger, `require` one of which more than it lies outside. A strip of `buffer_m` around the
    features counts as them; its round corners are drawn with 16 segments to the quarter.

    Parameters
    ----------
    parcels : geopandas.GeoDataFrame
        Valid polygons in a metric CRS, index ``parcel_id``.
    layer : geopandas.GeoDataFrame
        Features in the same CRS: polygons, with `buffer_m` also lines and points.
    spec : OverlaySpec
        Name, effect, tolerances.

    Returns
    -------
    OverlayResult

    Raises
    ------
    DataError, CrsError
        Lines or points without a buffer; another CRS; `attribute` not in the layer; an overlay with `require` that
        covers nothing at all.
    """
    require_parcels(parcels)
    require_polygons(parcels)
    source = source_of(spec.path, spec.layer, spec.name)
    require_same_crs(layer, parcels, source)
    shapes, notes = _polygons(layer, spec, source)
    polygons = geometry_array(parcels)
    near = _near(shapes, polygons)

    at, common = _covered(polygons, shapes[near])
    area = shapely.area(polygons)
    overlap_m2 = np.zeros(len(polygons))
    overlap_m2[at] = np.minimum(shapely.area(common), area[at])
    fields = pd.DataFrame(
        {
            f"{spec.name}_m2": as_float64(overlap_m2, parcels.index),
            f"{spec.name}_share": as_float64(overlap_m2 / area, parcels.index),
        },
        index=parcels.index,
    )
    value = np.full(len(at), None, dtype=object)
    if spec.attribute is not None:
        texts = read_texts(get_column(layer, spec.attribute, source)).values
        at, common, value = _by_value(polygons, shapes[near], texts[near])
        fields[spec.name], more = _winners(at, shapely.area(common), value, parcels.index, source)
        notes += more
    verdict, more = _judge(overlap_m2, area, spec, parcels.index, source)
    notes += [*_touches(overlap_m2, polygons, shapes, spec, source), *more]
    return OverlayResult(
        fields,
        _table(parcels, spec, at, common, value),
        _features(shapes[near], polygons, parcels, spec),
        notes,
        verdict,
    )


def _polygons(layer: gpd.GeoDataFrame, spec: OverlaySpec, source: str) -> tuple[GeometryArray, list[SourceNote]]:
    """Features as polygons, with their strip."""
    shapes, notes = fit_shapes(layer, source)
    if spec.buffer_m == 0:
        fix = "Give the width that counts, `buffer_m`, or name a layer of polygons."
        refuse_other_than_polygons(shapes, layer, source, fix)
    else:
        shapes = shapely.buffer(shapes, spec.buffer_m, quad_segs=_ARC_SEGMENTS)
    collections = shapely.get_type_id(shapes) == 7
    shapes[collections] = [polygonal(shape) for shape in shapes[collections]]
    if spec.effect == "require" and not shapely.area(shapes).any():
        found = "nothing that covers any ground"
        raise DataError(
            Issue(source, found, "the ground that parcels must lie in", "Check the file: every parcel would be out.")
        )
    return shapes, notes


def _near(shapes: GeometryArray, polygons: GeometryArray) -> BoolArray:
    """Features whose box comes near the land."""
    west, south, east, north = shapely.total_bounds(polygons)
    boxes = shapely.bounds(shapes)
    return np.asarray(
        (boxes[:, 0] <= east + _NEAR_M)
        & (boxes[:, 2] >= west - _NEAR_M)
        & (boxes[:, 1] <= north + _NEAR_M)
        & (boxes[:, 3] >= south - _NEAR_M)
    )


def _covered(polygons: GeometryArray, shapes: GeometryArray) -> tuple[IntArray, GeometryArray]:
    """Positions of the polygons that the shapes cover somewhere, sorted, and the ground covered."""
    mine, _, common = pieces(polygons, dissolved(shapes))
    ground = shapely.area(common) > 0
    at, common = united(mine[ground], common[ground])
    real = shapely.area(common) > OVERLAP_FLOOR_M2
    at, common = at[real], common[real]
    collections = shapely.get_type_id(common) == 7
    common[collections] = [polygonal(shape) for shape in common[collections]]
    return at, common


def _by_value(
    polygons: GeometryArray, shapes: GeometryArray, texts: pd.Series
) -> tuple[IntArray, GeometryArray, GeometryArray]:
    """Ground that each value covers: position, ground, value (None = unknown), by position, then value."""
    code, values = pd.factorize(texts.astype(object), sort=True, use_na_sentinel=True)
    names: list[str | None] = [*(str(value) for value in values), None]
    found = [_covered(polygons, shapes[code == k]) for k in (*range(len(values)), -1)]
    at = np.concatenate([at for at, _ in found])
    number = np.repeat(np.arange(len(names)), [len(at) for at, _ in found])
    order = np.lexsort((number, at))
    common = np.concatenate([common for _, common in found])
    return at[order], common[order], np.array(names, dtype=object)[number[order]]


def _winners(
    at: IntArray, area_m2: FloatArray, value: GeometryArray, index: pd.Index, source: str
) -> tuple[pd.Series, list[SourceNote]]:
    """Value that covers most of each parcel; of equals the first by name. Unknown where an unknown one covers most."""
    order = np.lexsort((np.arange(len(at)), -area_m2, at))
    parcel, first, count = np.unique(at[order], return_index=True, return_counts=True)
    winner = order[first]
    text = np.full(len(index), None, dtype=object)
    text[parcel] = value[winner]
    notes = []
    several = parcel[count > 1]
    if len(several):
        what = "several values of the attribute: that of the largest overlap was taken"
        notes.append(SourceNote.of(source, what, list(index[several]), are_parcels=True, warning=False))
    unknown = parcel[[v is None for v in value[winner]]]
    if len(unknown):
        what = "the largest overlap is with features whose attribute is empty: value unknown"
        notes.append(SourceNote.of(source, what, list(index[unknown]), are_parcels=True))
    return pd.Series(text, index=index, dtype="string"), notes


def _judge(
    overlap_m2: FloatArray, area_m2: FloatArray, spec: OverlaySpec, index: pd.Index, source: str
) -> tuple[pd.Series | None, list[SourceNote]]:
    if spec.effect == "tag":
        return None, []
    wrong = overlap_m2 if spec.effect == "exclude" else area_m2 - overlap_m2
    tolerance = np.maximum(spec.tolerance_m2, spec.tolerance_share * area_m2)
    out = wrong > tolerance + OVERLAP_FLOOR_M2
    some = ~out & (wrong > OVERLAP_FLOOR_M2)
    label = spec.label or spec.name
    where = f"overlaps {label}" if spec.effect == "exclude" else f"lies outside {label}"
    notes = []
    for mask, what in ((out, f"{where} beyond the tolerance: kept out"), (some, f"{where} within the tolerance")):
        if mask.any():
            measured = f"{what} ({wrong[mask].sum():.1f} m² in all)"
            notes.append(SourceNote.of(source, measured, list(index[mask]), are_parcels=True, warning=False))
    return pd.Series(out, index=index, dtype=bool, name=spec.name), notes


def _touches(
    overlap_m2: FloatArray, polygons: GeometryArray, shapes: GeometryArray, spec: OverlaySpec, source: str
) -> Iterator[SourceNote]:
    """A layer that touches no parcel, with how far off it lies: it may be the wrong file or the wrong CRS."""
    if overlap_m2.any():
        return
    if not shapely.area(shapes).any():
        yield SourceNote(source, "holds no feature that covers any ground")
        return
    ours, theirs = shapely.total_bounds(polygons), shapely.total_bounds(shapes)
    away = float(shapely.distance(shapely.box(*ours), shapely.box(*theirs)))
    beside = f"; it lies {away / 1000:.1f} km away: check its CRS" if away > 0 else ""
    yield SourceNote(source, f"touches no parcel{beside}", warning=away > 0 or spec.effect == "require")


def _table(
    parcels: gpd.GeoDataFrame, spec: OverlaySpec, at: IntArray, common: GeometryArray, value: GeometryArray
) -> gpd.GeoDataFrame:
    area_m2 = shapely.area(common)
    columns = {
        "parcel_id": parcels.index[at].astype("str"),
        "overlay": pd.Series(spec.name, index=range(len(at)), dtype="str"),
        "overlap_m2": area_m2,
        "share": np.minimum(area_m2 / shapely.area(geometry_array(parcels)[at]), 1.0),
        "attribute": pd.Series(value, dtype="string"),
    }
    return gpd.GeoDataFrame(columns, geometry=gpd.array.from_shapely(common, crs=parcels.crs))


def _features(
    shapes: GeometryArray, polygons: GeometryArray, parcels: gpd.GeoDataFrame, spec: OverlaySpec
) -> gpd.GeoDataFrame:
    west, south, east, north = shapely.total_bounds(polygons)
    around = shapely.box(west - _NEAR_M, south - _NEAR_M, east + _NEAR_M, north + _NEAR_M)
    inside = shapely.covers(around, shapes)
    kept = shapes.copy()
    kept[~inside] = [polygonal(shape) for shape in shapely.intersection(kept[~inside], around)]
    kept = kept[shapely.area(kept) > 0]
    columns = {
        "overlay": pd.Series(spec.name, index=range(len(kept)), dtype="str"),
        "effect": pd.Series(spec.effect, index=range(len(kept)), dtype="str"),
        "tolerance_m2": np.full(len(kept), spec.tolerance_m2),
        "tolerance_share": np.full(len(kept), spec.tolerance_share),
    }
    return gpd.GeoDataFrame(columns, geometry=gpd.array.from_shapely(kept, crs=parcels.crs))
