"""Which zone a parcel belongs to: by polygons, or by a field of its own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from geodata.contract import (
    FloatArray,
    GeometryArray,
    IntArray,
    geometry_array,
    require_metric,
    require_parcels,
    require_polygons,
    require_same_crs,
)
from geodata.errors import DataError, Issue, list_ids
from geodata.parallel import in_portions

SHARE_COLUMNS: Final = ("parcel_id", "zone", "share")
"""Columns of `ZoneAssignment.ties` and `ZoneAssignment.straddling`."""

_EQUAL_SHARE: Final = 1e-6
"""Shares of a parcel closer than this are equal: coordinates are not better known."""

_NOTEWORTHY_SHARE: Final = 1e-3
_POLYGONS: Final = (3, 6)


@dataclass(frozen=True, eq=False)
class ZoneAssignment:
    """The zone of every parcel, and every parcel for which that was not plain.

    Attributes
    ----------
    zone : pandas.Series
        Name of the zone (text) or None, on the index of the parcels; dtype object, name ``zone``.
    ties : pandas.DataFrame
        `SHARE_COLUMNS`: the equal largest shares of parcels with more than one; the first name in text order won.
    none : list of str
        Parcels in no zone, sorted.
    straddling : pandas.DataFrame
        `SHARE_COLUMNS`: every share of the parcels that have more than a thousandth of their area in each of several
        zones, or outside all zones (a row whose ``zone`` is None).
    polygons : geopandas.GeoDataFrame
        ``zone`` and geometry, sorted by name: the polygons given (made valid), or the union of the parcels.
    """

    zone: pd.Series[str]
    ties: pd.DataFrame
    none: list[str]
    straddling: pd.DataFrame
    polygons: gpd.GeoDataFrame


def assign_zones(parcels: gpd.GeoDataFrame, zones: gpd.GeoDataFrame, name_column: str) -> ZoneAssignment:
    """Give each parcel the zone that holds most of its area.

    The largest share counts even where more of the parcel lies outside all zones; such parcels are listed as
    straddling. Of equal shares (to a millionth of the parcel) the first name in text order counts. Zones may overlap.

    Parameters
    ----------
    parcels : geopandas.GeoDataFrame
        Repaired parcels, indexed by unique text ``parcel_id``, in a projected CRS in metres.
    zones : geopandas.GeoDataFrame
        Polygons in the same CRS, one row per zone.
    name_column : str
        Column with the names of the zones.

    Returns
    -------
    ZoneAssignment
        On the index of the parcels.

    Raises
    ------
    DataError
        No zones, names that are missing or not unique, zones that are not polygons, parcels that are not repaired.
    CrsError
        No metric CRS, or two of them.
    """
    require_parcels(parcels)
    require_polygons(parcels)
    names, polygons = _checked(zones, name_column)
    require_metric(zones, "zones")
    require_same_crs(zones, parcels, "zones")
    geometry = geometry_array(parcels)
    shares = _shares(geometry, polygons)
    parcel, zone, share = shares.parcel, shares.zone, shares.share
    ids = np.asarray(parcels.index, dtype=object)
    chosen = np.full(len(ids), None, dtype=object)
    # Sorted by parcel, then largest share, then name: the first of each parcel wins, unless a later one is equal.
    best = np.zeros(len(ids))
    np.maximum.at(best, parcel, share)
    leading = share >= best[parcel] - _EQUAL_SHARE
    winner, where = np.unique(parcel[leading], return_index=True)
    chosen[winner] = names[zone[leading][where]]
    tied = leading & (np.bincount(parcel[leading], minlength=len(ids))[parcel] > 1)
    frame = gpd.GeoDataFrame({"zone": names}, geometry=polygons, crs=parcels.crs)
    return ZoneAssignment(
        pd.Series(chosen, index=parcels.index, name="zone", dtype=object),
        _share_table(ids[parcel[tied]], names[zone[tied]], share[tied]),
        sorted(ids[pd.isna(chosen)].tolist()),
        _straddling(ids, shares, names, _outside(geometry, shares, polygons)),
        frame,
    )


def zones_from_field(parcels: gpd.GeoDataFrame, field: str) -> ZoneAssignment:
    """Take the zone of each parcel from a field; an empty cell is no zone.

    Parameters
    ----------
    parcels : geopandas.GeoDataFrame
        Repaired parcels, indexed by unique text ``parcel_id``, in a projected CRS in metres.
    field : str
        Column with the names; whole numbers become their digits.

    Returns
    -------
    ZoneAssignment
        Without ties or straddling parcels; ``polygons`` are the unions of the parcels.

    Raises
    ------
    DataError
        No such field, or no name in it at all.
    """
    require_parcels(parcels)
    require_polygons(parcels)
    if field not in parcels.columns:
        have = ", ".join(str(c) for c in parcels.columns if c != parcels.geometry.name)
        raise DataError(Issue(f"parcels, field {field}", "no such field", f"one of {have}", "Correct the name."))
    named = np.array([_as_name(value) for value in parcels[field]], dtype=object)
    known = ~pd.isna(named)
    if not known.any() and len(parcels):
        raise DataError(
            Issue(f"parcels, field {field}", "no value", "names of zones", "Fill the field, or name another.")
        )
    geometry = geometry_array(parcels)
    names = np.array(sorted(set(named[known])), dtype=object)
    order = np.argsort(np.asarray(parcels.index, dtype=object), kind="stable")
    unions = np.empty(len(names), dtype=object)
    for k, name in enumerate(names):
        unions[k] = shapely.union_all(geometry[order[named[order] == name]])
    return ZoneAssignment(
        pd.Series(named, index=parcels.index, name="zone", dtype=object),
        _share_table(named[:0], named[:0], np.zeros(0)),
        sorted(np.asarray(parcels.index, dtype=object)[~known].tolist()),
        _share_table(named[:0], named[:0], np.zeros(0)),
        gpd.GeoDataFrame({"zone": names}, geometry=unions, crs=parcels.crs),
    )


def _as_name(value: object) -> str | None:
    """Text of a cell, or None where it is empty."""
    if value is None or bool(pd.isna(value)):  # type: ignore[call-overload]
        return None
    if isinstance(value, float | np.floating) and float(value).is_integer():
        value = int(value)
    return str(value).strip() or None


def _checked(zones: gpd.GeoDataFrame, name_column: str) -> tuple[GeometryArray, GeometryArray]:
    """Names in text order with their polygons, or all that is wrong with them."""
    if name_column not in zones.columns:
        have = ", ".join(str(c) for c in zones.columns if c != zones.geometry.name)
        raise DataError(Issue(f"zones, column {name_column}", "no such column", f"one of {have}", "Correct the name."))
    names = np.array([_as_name(value) for value in zones[name_column]], dtype=object)
    geometry = geometry_array(zones)
    issues = []
    if not len(names):
        issues.append(Issue("zones", "no rows", "at least one zone", "Check the file and its layer."))
    unnamed = pd.isna(names)
    if unnamed.any():
        rows = list_ids(list(zones.index[unnamed]))
        issues.append(Issue(f"zones, rows {rows}, column {name_column}", "no name", "a name", "Name the zones."))
    given = names[~unnamed].tolist()
    twice = sorted({name for name in given if given.count(name) > 1})
    if twice:
        issues.append(
            Issue(
                f"zones, column {name_column}",
                f"{list_ids(twice)} more than once",
                "one row per zone",
                "Join the parts of a zone into one multipolygon, or name them apart.",
            )
        )
    shapeless = ~np.isin(shapely.get_type_id(geometry), _POLYGONS) | shapely.is_empty(geometry)
    if shapeless.any():
        rows = list_ids(list(zones.index[shapeless]))
        issues.append(Issue(f"zones, rows {rows}", "no polygon", "polygons", "Remove or draw them."))
    if issues:
        raise DataError(issues)
    invalid = ~shapely.is_valid(geometry)
    geometry[invalid] = shapely.make_valid(geometry[invalid], method="structure", keep_collapsed=False)
    order = np.argsort(names, kind="stable")
    return names[order], shapely.force_2d(geometry[order])


@dataclass(frozen=True)
class _Shares:
    """Part of each parcel's area in each zone, in (0, 1]; sorted by parcel and zone."""

    parcel: IntArray
    zone: IntArray
    share: FloatArray


def _shares(geometry: GeometryArray, polygons: GeometryArray) -> _Shares:
    tree = shapely.STRtree(geometry)
    zone, parcel = tree.query(polygons, predicate="intersects")
    order = np.lexsort((zone, parcel))
    zone, parcel = zone[order].astype(np.int64), parcel[order].astype(np.int64)
    shapely.prepare(polygons)
    share = np.ones(len(parcel))
    # Most parcels lie inside a zone: only the others are worth an overlay.
    part = ~shapely.covers(polygons[zone], geometry[parcel])
    inside = shapely.area(in_portions(shapely.intersection, geometry[parcel[part]], polygons[zone[part]]))
    share[part] = np.minimum(inside / shapely.area(geometry[parcel[part]]), 1.0)
    real = share > _EQUAL_SHARE
    return _Shares(parcel[real], zone[real], share[real])


def _outside(geometry: GeometryArray, shares: _Shares, polygons: GeometryArray) -> FloatArray:
    """Part of each parcel outside all zones; 0 for a parcel in none, which is listed elsewhere."""
    n = len(geometry)
    count = np.bincount(shares.parcel, minlength=n)
    outside = np.where(count > 0, 1.0 - np.bincount(shares.parcel, weights=shares.share, minlength=n), 0.0)
    largest = np.zeros(n)
    np.maximum.at(largest, shares.parcel, shares.share)
    outside[largest == 1.0] = 0.0
    # Zones may overlap, so the shares of a parcel in several do not add up.
    for k in np.flatnonzero((count > 1) & (largest < 1.0)).tolist():
        rows = slice(*np.searchsorted(shares.parcel, [k, k + 1]))
        covered = shapely.union_all(shapely.intersection(geometry[k], polygons[shares.zone[rows]]))
        outside[k] = 1.0 - shapely.area(covered) / shapely.area(geometry[k])
    return outside


def _straddling(ids: GeometryArray, shares: _Shares, names: GeometryArray, outside: FloatArray) -> pd.DataFrame:
    """Shares of the parcels that lie in several zones or partly outside, the outside as a row of its own."""
    beyond = np.flatnonzero(outside > _NOTEWORTHY_SHARE)
    inside = shares.share > _NOTEWORTHY_SHARE
    several = np.bincount(shares.parcel[inside], minlength=len(ids)) > 1
    listed = several[shares.parcel] | np.isin(shares.parcel, beyond)
    return _share_table(
        np.concatenate([ids[shares.parcel[listed]], ids[beyond]]),
        np.concatenate([names[shares.zone[listed]], np.full(len(beyond), None, dtype=object)]),
        np.concatenate([shares.share[listed], outside[beyond]]),
    )


def _share_table(ids: GeometryArray, names: GeometryArray, share: FloatArray) -> pd.DataFrame:
    order = sorted(range(len(ids)), key=lambda k: (ids[k], -share[k], names[k] is None, names[k] or ""))
    # As object: an inferred text column would turn None into NaN.
    return pd.DataFrame(
        {
            "parcel_id": pd.Series(ids[order], dtype=object),
            "zone": pd.Series(names[order], dtype=object),
            "share": share[order],
        },
        columns=list(SHARE_COLUMNS),
    )
