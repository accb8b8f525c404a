"""Building footprints and floor area of the parcels, each building shared out by where it stands."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from geodata.attributes import as_float64, get_column
from geodata.columns import name_rows, read_numbers
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
from geodata.layer_shapes import fit_shapes, pieces, refuse_other_than_polygons, row_names, source_of, united
from geodata.notes import SourceNote
from geodata.overlaps import OVERLAP_FLOOR_M2
from geodata.spec_land import BuildingsSpec

HIGH_STOREY_M: Final = 8.0
"""A storey above this height counts twice towards the floor area ratio (计容建筑面积), where the height is known."""
_BALANCE: Final = 1e-6
"""The parts of all footprints must add up to the footprints within this share of them."""
_ROUNDING: Final = 1e-12
"""Areas that differ by less than this share are the same."""


@dataclass(frozen=True)
class BuildingResult:
    """What stands on the parcels.

    Attributes
    ----------
    fields : pandas.DataFrame
        Index and order of the parcels; all ``Float64``. ``footprint_m2``: ground under buildings, where several overlap
        counted once; ``n_buildings``: buildings that stand on the parcel with more than noise (one on two parcels
        counts for both); ``building_density`` = footprint_m2 / measured area; with `floors` or `floor_area` also
        ``building_floor_m2`` and ``far_measured`` = building_floor_m2 / measured area. A parcel without a building has
        0 of all of them; floor area is unknown where that of one of its buildings is.
    buildings : pandas.DataFrame
        One row per building in the order of the layer: ``building`` (row in the source), ``footprint_m2``,
        ``inside_m2`` (on parcels), ``noise_m2`` (parts below `min_share`), ``outside_m2``, ``n_parcels``, ``floor_m2``
        (NaN where unknown).
    notes : list of SourceNote
        What was repaired, what adds up to what, and whatever is unknown or doubtful.
    """

    fields: pd.DataFrame
    buildings: pd.DataFrame
    notes: list[SourceNote]


@dataclass(frozen=True)
class _Parts:
    """Parts of footprints on parcels, sorted by parcel, then building; noise is apart."""

    parcel: IntArray
    building: IntArray
    shape: GeometryArray
    area_m2: FloatArray

    def where(self, mask: BoolArray) -> _Parts:
        return _Parts(self.parcel[mask], self.building[mask], self.shape[mask], self.area_m2[mask])


def building_fields(parcels: gpd.GeoDataFrame, buildings: gpd.GeoDataFrame, spec: BuildingsSpec) -> BuildingResult:
    """Footprint, density, floor area and floor area ratio of the parcels.

    A building on several parcels is shared out by the part of its footprint on each; parts below `min_share` of it are
    digitising noise and left out (counted in the notes). Floor area = footprint · storeys, a storey above 8 m counting
    twice where `height` says so (height / storeys > 8), or the stated floor area as it is. Unknown storeys, heights
    (where `height` is given) or floor areas make the floor area of the parcel unknown: unknown is not zero.

    Parameters
    ----------
    parcels : geopandas.GeoDataFrame
        Valid polygons in a metric CRS that do not overlap, index ``parcel_id``.
    buildings : geopandas.GeoDataFrame
        Polygons in the same CRS.
    spec : BuildingsSpec
        Columns.

    Returns
    -------
    BuildingResult

    Raises
    ------
    DataError, CrsError
        Buildings that are no polygons; another CRS; a column that is missing, or holds text or numbers below zero.
    """
    require_parcels(parcels)
    require_polygons(parcels)
    source = source_of(spec.path, spec.layer, "buildings")
    require_same_crs(buildings, parcels, source)
    shapes, notes = fit_shapes(buildings, source)
    refuse_other_than_polygons(shapes, buildings, source, "Name a layer of outlines.")
    polygons = geometry_array(parcels)
    footprint = shapely.area(shapes)
    floor, more = _floor_areas(buildings, footprint, spec, source)
    notes += more

    parts = _parts(polygons, shapes)
    solid = parts.area_m2 >= spec.min_share * footprint[parts.building]
    kept, noise = parts.where(solid), parts.where(~solid)
    columns, doubled = _ground(kept, shapely.area(polygons))
    if floor is not None:
        columns["building_floor_m2"], more = _floors(kept, floor / _or_nan(footprint), parcels.index, source)
        columns["far_measured"] = columns["building_floor_m2"] / shapely.area(polygons)
        notes += more
    table = _table(buildings, shapes, parts, solid, floor)
    notes += [*_balance(table, source), *_remarks(kept, noise, doubled, table, parcels.index, source)]
    fields = pd.DataFrame({name: as_float64(v, parcels.index) for name, v in columns.items()}, index=parcels.index)
    return BuildingResult(fields, table, notes)


def _or_nan(footprint_m2: FloatArray) -> FloatArray:
    """Footprints, NaN where there is none: a building without ground gives no ratio."""
    return np.where(footprint_m2 > 0, footprint_m2, np.nan)


def _parts(polygons: GeometryArray, shapes: GeometryArray) -> _Parts:
    building, parcel, common = pieces(shapes, polygons)
    area = shapely.area(common)
    real = area > OVERLAP_FLOOR_M2
    order = np.lexsort((building[real], parcel[real]))
    return _Parts(parcel[real][order], building[real][order], common[real][order], area[real][order])


def _ground(kept: _Parts, area_m2: FloatArray) -> tuple[dict[str, FloatArray], FloatArray]:
    """Fields of the ground, and by how much the footprints on each parcel overlap each other, m²."""
    n = len(area_m2)
    at, ground = united(kept.parcel, kept.shape)
    footprint = np.zeros(n)
    footprint[at] = np.minimum(shapely.area(ground), area_m2[at])
    drawn = np.bincount(kept.parcel, weights=kept.area_m2, minlength=n)
    count = np.bincount(kept.parcel, minlength=n).astype(np.float64)
    fields = {"footprint_m2": footprint, "n_buildings": count, "building_density": footprint / area_m2}
    return fields, np.maximum(drawn - footprint, 0.0)


def _floor_areas(
    buildings: gpd.GeoDataFrame, footprint_m2: FloatArray, spec: BuildingsSpec, source: str
) -> tuple[FloatArray | None, list[SourceNote]]:
    """Floor area of each building, m², NaN where unknown; None where the buildings do not say it."""
    issues: list[Issue] = []

    def column(name: str | None) -> FloatArray | None:
        if name is None:
            return None
        try:
            return _amounts(buildings, name, spec, source)
        except DataError as error:
            issues.extend(error.issues)
            return None

    floors, floor_area, height = column(spec.floors), column(spec.floor_area), column(spec.height)
    if issues:
        raise DataError(issues)
    if floor_area is not None:
        return floor_area, []
    if floors is None:
        return None, []
    notes = []
    names = np.array(row_names(buildings.index), dtype=object)
    if (floors == 0).any():
        what = "buildings of 0 storeys: they have no floor area. If 0 means 'unknown', say `missing: [0]`"
        notes.append(SourceNote.of(source, what, list(names[floors == 0])))
    factor = np.ones(len(floors))
    if height is not None:
        with np.errstate(divide="ignore", invalid="ignore"):
            factor = np.where(np.isnan(height), np.nan, np.where(height / floors > HIGH_STOREY_M, 2.0, 1.0))
        factor[floors == 0] = 1.0
        notes += _height_notes(names, floors, height, factor, source)
    return footprint_m2 * floors * factor, notes


def _height_notes(
    names: GeometryArray, floors: FloatArray, height: FloatArray, factor: FloatArray, source: str
) -> Iterator[SourceNote]:
    if (factor == 2).any():
        what = f"buildings whose storeys are above {HIGH_STOREY_M:g} m: their floor area counts twice"
        yield SourceNote.of(source, what, list(names[factor == 2]), warning=False)
    silent = np.isnan(height) & ~np.isnan(floors)
    if silent.any():
        what = "storeys known, but not the height: the floor area is unknown (leave `height` out to count each once)"
        yield SourceNote.of(source, what, list(names[silent]))


def _amounts(buildings: gpd.GeoDataFrame, name: str, spec: BuildingsSpec, source: str) -> FloatArray:
    """Numbers of a column, NaN where unknown, none below zero."""
    column = get_column(buildings, name, source)
    numbers = read_numbers(column, spec.missing)
    where = f"{source}, column {name}"
    if numbers.bad.any():
        rows = name_rows(column.index, numbers.bad, column)
        fix = "Correct these cells, or declare what means 'unknown': `missing: [...]`."
        raise DataError(Issue(where, f"text where numbers stand: {rows}", "plain numbers", fix))
    negative = numbers.values < 0
    if negative.any():
        rows = name_rows(column.index, negative, column)
        fix = "Correct them; marks such as -1 for 'unknown' go into `missing: [-1]`."
        raise DataError(Issue(where, f"numbers below zero: {rows}", "numbers from 0", fix))
    return numbers.values


def _floors(kept: _Parts, per_m2: FloatArray, index: pd.Index, source: str) -> tuple[FloatArray, list[SourceNote]]:
    """Floor area of the parcels, m², unknown where that of one of their buildings is."""
    floor = kept.area_m2 * per_m2[kept.building]
    unknown = np.isnan(floor)
    total = np.bincount(kept.parcel, weights=np.where(unknown, 0.0, floor), minlength=len(index)).astype(np.float64)
    missing_m2 = np.bincount(kept.parcel, weights=np.where(unknown, kept.area_m2, 0.0), minlength=len(index))
    total[missing_m2 > 0] = np.nan
    if not unknown.any():
        return total, []
    what = (
        f"parcels with buildings of unknown floor area ({missing_m2.sum():.0f} m² of footprint): "
        "building_floor_m2 and far_measured unknown"
    )
    return total, [SourceNote.of(source, what, list(index[missing_m2 > 0]), are_parcels=True)]


def _table(
    buildings: gpd.GeoDataFrame, shapes: GeometryArray, parts: _Parts, solid: BoolArray, floor: FloatArray | None
) -> pd.DataFrame:
    n = len(shapes)
    kept = parts.where(solid)
    inside, tiny = (np.bincount(p.building, weights=p.area_m2, minlength=n) for p in (kept, parts.where(~solid)))
    return pd.DataFrame(
        {
            "building": pd.Series(row_names(buildings.index), dtype="str"),
            "footprint_m2": shapely.area(shapes),
            "inside_m2": inside,
            "noise_m2": tiny,
            "outside_m2": _outside(shapes, parts),
            "n_parcels": np.bincount(kept.building, minlength=n),
            "floor_m2": np.full(n, np.nan) if floor is None else floor,
        }
    )


def _outside(shapes: GeometryArray, parts: _Parts) -> FloatArray:
    """Ground of each footprint on no parcel, m²; measured by cutting its parts out, not as what is left over."""
    left = shapes.copy()
    order = np.argsort(parts.building, kind="stable")
    at, inside = united(parts.building[order], parts.shape[order])
    whole = shapely.area(inside) >= shapely.area(left[at]) * (1 - _ROUNDING)
    left[at[whole]] = shapely.Polygon()
    left[at[~whole]] = shapely.difference(left[at[~whole]], inside[~whole])
    return np.asarray(shapely.area(left))


def _balance(table: pd.DataFrame, source: str) -> Iterator[SourceNote]:
    drawn, inside, noise, outside = (
        float(table[c].sum()) for c in ("footprint_m2", "inside_m2", "noise_m2", "outside_m2")
    )
    rest = drawn - inside - noise - outside
    sound = abs(rest) <= _BALANCE * drawn + OVERLAP_FLOOR_M2 * len(table)
    what = (
        f"footprints of {drawn:.1f} m²: {inside:.1f} m² on parcels, {outside:.1f} m² on none, {noise:.1f} m² in parts "
        "too small to count"
    )
    if not sound:
        what += f"; these do not add up, {rest:.1f} m² are left: parcels overlap each other"
    yield SourceNote(source, what, count=len(table), warning=not sound)


def _remarks(
    kept: _Parts, noise: _Parts, doubled: FloatArray, table: pd.DataFrame, index: pd.Index, source: str
) -> Iterator[SourceNote]:
    names = table["building"].to_numpy()
    if not table["footprint_m2"].any():
        yield SourceNote(source, "holds no building: every parcel counts as empty of buildings")
    alone = (table["n_parcels"] == 0).to_numpy() & (table["footprint_m2"] > 0).to_numpy()
    if alone.any():
        what = "buildings on no parcel"
        yield SourceNote.of(source, what, list(names[alone]), warning=bool(alone.all()))
    shared = (table["n_parcels"] > 1).to_numpy()
    if shared.any():
        what = "buildings on several parcels: shared out by footprint"
        yield SourceNote.of(source, what, list(names[shared]), warning=False)
    tiny = np.unique(noise.building)
    if len(tiny):
        what = f"buildings with parts too small to count ({noise.area_m2.sum():.1f} m² in all)"
        yield SourceNote.of(source, what, list(names[tiny]), warning=False)
    over = doubled > OVERLAP_FLOOR_M2 * np.maximum(np.bincount(kept.parcel, minlength=len(doubled)), 1)
    if over.any():
        what = (
            f"buildings overlap each other by {doubled[over].sum():.1f} m²: counted once as footprint, but their "
            "floor areas are added"
        )
        yield SourceNote.of(source, what, list(index[over]), are_parcels=True)
