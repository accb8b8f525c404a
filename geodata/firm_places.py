"""Which parcels the firms stand on: by their points, or by the parcel ids of a table."""

from __future__ import annotations

from typing import Final, TypeAlias

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from geodata.attributes import get_column, refuse_lost_digits
from geodata.columns import read_codes
from geodata.contract import FloatArray, GeometryArray, IntArray, geometry_array
from geodata.errors import DataError, Issue, list_ids
from geodata.layer_shapes import row_names
from geodata.notes import SourceNote

_POINTS: Final = (0, 4)
_SEVERAL: Final = r"[;；、]"

Places: TypeAlias = pd.DataFrame
"""Columns ``row`` and ``parcel`` (positions) and ``how`` (inside, boundary, nearest, table)."""


def places_of_points(
    parcels: gpd.GeoDataFrame, firms: gpd.GeoDataFrame, nearest_m: float, source: str
) -> tuple[Places, list[SourceNote]]:
    """Parcels that points lie in.

    A point on the boundary of several parcels goes to the one whose id is first in the order of text. A point in none
    goes to the nearest within `nearest_m`, of several equally near to the first by id. A multipoint stands on the
    parcels of all its points.

    Parameters
    ----------
    parcels : geopandas.GeoDataFrame
        Valid polygons in a metric CRS, index ``parcel_id``.
    firms : geopandas.GeoDataFrame
        Points in the same CRS.
    nearest_m : float
        Reach of the search, m; 0 = none.
    source : str
        For messages.

    Returns
    -------
    (pandas.DataFrame, list of SourceNote)
        Columns as in `Places`; points on boundaries, moved to a parcel nearby and in none are noted.

    Raises
    ------
    DataError
        Geometry that is no point.
    """
    shapes = shapely.force_2d(geometry_array(firms))
    names = np.array(row_names(firms.index), dtype=object)
    odd = ~(shapely.is_missing(shapes) | np.isin(shapely.get_type_id(shapes), _POINTS))
    if odd.any():
        found = f"{shapes[odd][0].geom_type} in {list_ids(list(names[odd]))}"
        raise DataError(Issue(source, found, "points", "Name the layer of the firms' points."))
    points, row = shapely.get_parts(shapes, return_index=True)
    polygons = geometry_array(parcels)
    rank = np.argsort(np.argsort(parcels.index.to_numpy().astype(str), kind="stable"), kind="stable")

    tree = shapely.STRtree(polygons)
    point, parcel = tree.query(points, predicate="intersects")
    at, chosen, count = _first_by_rank(point, parcel, rank)
    how = np.where(count > 1, "boundary", "inside").astype(object)
    loose = np.setdiff1d(np.arange(len(points)), at)
    near_at, near = _nearest(tree, points, loose, nearest_m, rank)
    places = pd.DataFrame(
        {
            "row": row[np.concatenate([at, near_at])],
            "parcel": np.concatenate([chosen, near]),
            "how": np.concatenate([how, np.full(len(near), "nearest", dtype=object)]),
        }
    )
    notes = _point_notes(places, names, np.setdiff1d(loose, near_at), row, shapes, nearest_m, source)
    return places.drop_duplicates(["row", "parcel"]), notes


def _first_by_rank(point: IntArray, parcel: IntArray, rank: IntArray) -> tuple[IntArray, IntArray, IntArray]:
    """Of the parcels of each point the first by rank: points, their parcel, number of parcels."""
    order = np.lexsort((rank[parcel], point))
    at, first, count = np.unique(point[order], return_index=True, return_counts=True)
    return at, parcel[order][first], count


def _nearest(
    tree: shapely.STRtree, points: GeometryArray, loose: IntArray, nearest_m: float, rank: IntArray
) -> tuple[IntArray, IntArray]:
    if nearest_m <= 0 or not len(loose):
        return np.empty(0, np.int64), np.empty(0, np.int64)
    point, parcel = tree.query_nearest(points[loose], max_distance=nearest_m, all_matches=True)
    at, chosen, _ = _first_by_rank(point, parcel, rank)
    return loose[at], chosen


def _point_notes(
    places: Places,
    names: GeometryArray,
    lost: IntArray,
    row: IntArray,
    shapes: GeometryArray,
    nearest_m: float,
    source: str,
) -> list[SourceNote]:
    on_boundary = names[np.unique(places["row"][places["how"] == "boundary"])]
    moved = names[np.unique(places["row"][places["how"] == "nearest"])]
    without = names[shapely.is_missing(shapes) | shapely.is_empty(shapes)]
    nowhere = names[np.unique(row[lost])]
    found = (
        (on_boundary, "points on the boundary of several parcels: the first by id was taken", False),
        (moved, f"points in no parcel: the nearest within {nearest_m:g} m was taken", True),
        (nowhere, "points in no parcel" + (f" nor within {nearest_m:g} m of one" if nearest_m else ""), True),
        (without, "firms without a point", True),
    )
    return [SourceNote.of(source, what, list(rows), warning=warn) for rows, what, warn in found if len(rows)]


def places_of_table(
    parcel_ids: pd.Index, table: pd.DataFrame, column: str, source: str
) -> tuple[Places, list[SourceNote]]:
    """Parcels that the rows of a table name, several separated by ``;``, ``；`` or ``、``.

    Parameters
    ----------
    parcel_ids : pandas.Index
        Unique ids.
    table : pandas.DataFrame
        As `geodata.tables.read_table` gives it.
    column : str
        Column of the ids, compared as text; whole numbers without ``.0``.
    source : str
        For messages.

    Returns
    -------
    (pandas.DataFrame, list of SourceNote)
        Columns as in `Places`; rows without a parcel and ids that no parcel has are noted.

    Raises
    ------
    DataError
        No such column; ids that lost digits; none of them that of a parcel.
    """
    stored = get_column(table, column, source)
    codes = read_codes(stored)
    refuse_lost_digits(codes, stored, source)
    lists = codes.values.reset_index(drop=True).astype(object)
    each = lists.dropna().str.split(_SEVERAL, regex=True).explode()
    each = read_codes(each.astype("string")).values.dropna()
    at = parcel_ids.get_indexer(pd.Index(each.astype(object), dtype=object))
    names = np.array(row_names(table.index), dtype=object)
    notes = []
    blank = np.setdiff1d(np.arange(len(table)), each.index.to_numpy())
    if len(blank):
        notes.append(SourceNote.of(source, f"rows without a parcel id in {column}", list(names[blank])))
    unknown = sorted(set(each[at < 0]))
    if len(each) and (at < 0).all():
        found = f"no id that a parcel has: {list_ids(unknown)}; the parcels are {list_ids(list(parcel_ids))}"
        raise DataError(Issue(f"{source}, column {column}", found, "ids in common", "Check `parcel`: ids are text."))
    if unknown:
        notes.append(SourceNote.of(source, f"ids in {column} that no parcel has", unknown))
    places = pd.DataFrame({"row": each.index.to_numpy()[at >= 0], "parcel": at[at >= 0], "how": "table"})
    return places.drop_duplicates(["row", "parcel"]), notes


def shares_by_area(firm: IntArray, parcel: IntArray, area_m2: FloatArray) -> FloatArray:
    """Share of a firm on each of its parcels, by their areas; the shares of a firm add up to 1."""
    area = area_m2[parcel]
    return np.asarray(area / np.bincount(firm, weights=area)[firm]) if len(firm) else np.empty(0)
