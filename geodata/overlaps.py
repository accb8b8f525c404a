"""Overlaps between polygons: finding them, and cutting one polygon by others."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
import shapely
from shapely.geometry.base import BaseGeometry

from geodata.contract import BoolArray, FloatArray, GeometryArray, IntArray
from geodata.parallel import in_portions

OVERLAP_FLOOR_M2: Final = 1e-4
"""Overlaps up to 1 cm2 are rounding of coordinates, not land."""

THREAD_WIDTH_M: Final = 0.05
"""What a cut leaves that is thinner than this is digitising noise: it would tie distant parts into one parcel."""

_POLYGON: Final = 3


@dataclass(frozen=True)
class Overlaps:
    """Pairs of polygons that share ground.

    Attributes
    ----------
    first, second : int64[n]
        Positions, ``first < second``, sorted.
    area_m2 : float64[n]
        Area of the overlap, above `OVERLAP_FLOOR_M2`.
    grazing : int64[k, 2]
        Pairs whose interiors meet, but in no more than that.
    """

    first: IntArray
    second: IntArray
    area_m2: FloatArray
    grazing: IntArray

    @property
    def pairs(self) -> IntArray:
        """First and second, as rows."""
        return np.stack([self.first, self.second], axis=1)

    def where(self, alive: BoolArray) -> Overlaps:
        """Pairs of which both polygons are still there."""
        keep = alive[self.first] & alive[self.second]
        return Overlaps(self.first[keep], self.second[keep], self.area_m2[keep], self.grazing)


def find_overlaps(geometry: GeometryArray, alive: BoolArray, touched: BoolArray | None = None) -> Overlaps:
    """All pairs of living polygons whose interiors share more than `OVERLAP_FLOOR_M2`.

    Parameters
    ----------
    geometry : geometry[n]
        Valid polygons where `alive`.
    alive : bool[n]
        Which take part.
    touched : bool[n], optional
        Only pairs with at least one of these.

    Returns
    -------
    Overlaps
        Found by prepared relate on neighbours' boxes: the full overlay is only made where interiors do meet.
    """
    live = np.flatnonzero(alive)
    polygons = geometry[live]
    asked = np.arange(len(live)) if touched is None else np.flatnonzero(touched[live])
    near, other = shapely.STRtree(polygons).query(polygons[asked])
    near = asked[near]
    low, high = np.minimum(near, other), np.maximum(near, other)
    # Each pair once: of two that were asked, the one asked as the lower.
    once = (low != high) & ((near == low) | ~np.isin(low, asked))
    first, second = low[once], high[once]
    order = np.lexsort((second, first))
    first, second = first[order], second[order]
    meet = _interiors_meet(polygons, first, second)
    first, second = first[meet], second[meet]
    area = shapely.area(in_portions(shapely.intersection, polygons[first], polygons[second]))
    real = area > OVERLAP_FLOOR_M2
    grazing = np.stack([live[first[~real]], live[second[~real]]], axis=1)
    return Overlaps(live[first[real]], live[second[real]], area[real], grazing)


def _interiors_meet(polygons: GeometryArray, first: IntArray, second: IntArray) -> BoolArray:
    """Which pairs share ground; the larger outline of each is the prepared one, and those are asked in a row."""
    corners = shapely.get_num_coordinates(polygons)
    swap = corners[first] < corners[second]
    large, small = np.where(swap, second, first), np.where(swap, first, second)
    order = np.lexsort((small, large))
    shapely.prepare(polygons)
    meet = np.empty(len(first), dtype=bool)
    large, small = large[order], small[order]
    meet[order] = in_portions(_share_ground, polygons[large], polygons[small], together=large)
    shapely.destroy_prepared(polygons)
    return meet


def _share_ground(one: GeometryArray, other: GeometryArray) -> BoolArray:
    return np.asarray(shapely.relate_pattern(one, other, "T********"), dtype=bool)


@dataclass(frozen=True)
class Cut:
    """One step of cutting: who keeps the ground, what went, what is left (None: nothing)."""

    keeper: int
    removed: BaseGeometry
    left: BaseGeometry | None


def cut_away(geometry: BaseGeometry, keepers: list[int], others: GeometryArray) -> Iterator[Cut]:
    """Cut a polygon by others, one after the other.

    Parameters
    ----------
    geometry : polygon
        What is cut.
    keepers : list of int
        Positions in `others`, in the order of cutting; those that take nothing more give no step.
    others : geometry[n]
        Polygons.

    Yields
    ------
    Cut
        Each step; the last one has nothing left where the polygon is covered.
    """
    left = geometry
    for keeper in keepers:
        removed = shapely.intersection(left, others[keeper])
        if shapely.area(removed) <= OVERLAP_FLOOR_M2:
            continue
        left = polygonal(shapely.difference(left, others[keeper]), OVERLAP_FLOOR_M2)
        yield Cut(keeper, polygonal(removed), None if shapely.is_empty(left) else left)
        if shapely.is_empty(left):
            return


def without_threads(geometry: BaseGeometry) -> BaseGeometry:
    """Polygon without what is thinner than `THREAD_WIDTH_M`; all other vertices stay where they are.

    Parameters
    ----------
    geometry : polygon
        Valid.

    Returns
    -------
    polygon
        Opened (shrunk, then grown beyond its old size) and cut out of the original; may be empty.
    """
    half = THREAD_WIDTH_M / 2
    core = shapely.buffer(geometry, -half, join_style="mitre")
    body = shapely.buffer(core, 2 * half, join_style="mitre")
    return polygonal(shapely.intersection(geometry, body), OVERLAP_FLOOR_M2)


def polygonal(geometry: BaseGeometry, floor_m2: float = 0.0) -> BaseGeometry:
    """Polygons of a geometry, without those up to a least area; one polygon, or a multipolygon of several or none."""
    parts = shapely.get_parts(geometry)
    polygons = parts[(shapely.get_type_id(parts) == _POLYGON) & (shapely.area(parts) > floor_m2)]
    out: BaseGeometry = polygons[0] if len(polygons) == 1 else shapely.MultiPolygon(list(polygons))
    return out


def polygonal_each(geometries: GeometryArray, floor_m2: float = 0.0) -> GeometryArray:
    """`polygonal` of each geometry."""
    parts, owner = shapely.get_parts(geometries, return_index=True)
    keep = (shapely.get_type_id(parts) == _POLYGON) & (shapely.area(parts) > floor_m2)
    return gathered(parts[keep], owner[keep], len(geometries))


def gathered(polygons: GeometryArray, owner: IntArray, n: int) -> GeometryArray:
    """What each of `n` owners has: one polygon, or a multipolygon of several or none.

    Parameters
    ----------
    polygons : geometry[k]
        Single polygons.
    owner : int64[k]
        Whose each is, sorted.
    n : int
        How many owners there are.

    Returns
    -------
    geometry[n]
    """
    out = np.full(n, shapely.MultiPolygon(), dtype=object)
    several = np.bincount(owner, minlength=n)[owner] > 1
    out[owner[~several]] = polygons[~several]
    if several.any():
        names, place = np.unique(owner[several], return_inverse=True)
        out[names] = shapely.multipolygons(polygons[several], indices=place)
    return out
