"""Bridged links: parcels that do not share boundary but could be joined across a narrow gap.

The line of a link is the evidence that the gap is free: it runs from one parcel to the other, is no longer than
their distance plus the touch tolerance, has at most the touch tolerance of its length inside all third parcels
together, and keeps the barrier tolerance from every barrier. Whoever doubts a link only has to check its line.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import shapely

from geodata.barrier_index import BarrierIndex
from geodata.contact import Segments, alongside, segment_pairs
from geodata.contract import BoolArray, FloatArray, GeometryArray, IntArray

_FRACTIONS: Final = (0.5, 0.25, 0.75)
"""Where along a facing stretch a line is tried, in this order."""


@dataclass(frozen=True)
class NearPairs:
    """Pairs of parcels within some distance.

    Attributes
    ----------
    first, second : int64[n]
        Positions, ``first < second``, sorted.
    gap_m : float64[n]
        Distance.
    line : geometry[n]
        A shortest line, from the first to the second; of no length where they touch.
    """

    first: IntArray
    second: IntArray
    gap_m: FloatArray
    line: GeometryArray

    def take(self, keep: BoolArray) -> NearPairs:
        """Only those of the mask."""
        return NearPairs(self.first[keep], self.second[keep], self.gap_m[keep], self.line[keep])


def box_pairs(geometry: GeometryArray, reach_m: float) -> tuple[IntArray, IntArray]:
    """Pairs of geometries whose boxes come within the reach of each other, ``first < second``, sorted."""
    bounds = shapely.bounds(geometry)
    wide = shapely.box(bounds[:, 0] - reach_m, bounds[:, 1] - reach_m, bounds[:, 2] + reach_m, bounds[:, 3] + reach_m)
    first, second = shapely.STRtree(geometry).query(wide)
    keep = first < second
    first, second = first[keep].astype(np.int64), second[keep].astype(np.int64)
    order = np.lexsort((second, first))
    return first[order], second[order]


def near_pairs(geometry: GeometryArray, first: IntArray, second: IntArray, reach_m: float) -> NearPairs:
    """Those of the given pairs that lie within the reach, with their shortest lines.

    Parameters
    ----------
    geometry : geometry[p]
        Prepared polygons in the order of their ids, so that the line does not depend on the order of rows.
    first, second : int64[n]
        Candidates.
    reach_m : float
        Greatest distance.
    """
    close = shapely.dwithin(geometry[first], geometry[second], reach_m)
    first, second = first[close], second[close]
    line = np.asarray(shapely.shortest_line(geometry[first], geometry[second]), dtype=object).reshape(len(first))
    return NearPairs(first, second, np.asarray(shapely.length(line), dtype=float), line)


def free_links(
    geometry: GeometryArray, segments: Segments, pairs: NearPairs, barriers: BarrierIndex, touch_tolerance_m: float
) -> NearPairs:
    """Those pairs that a free line joins, with that line.

    The shortest line is tried first. Across a lane with parallel sides there are many equally short ones, and the one
    found may graze a third parcel at a corner; so where it is not free, lines square to the segments that face each
    other are tried. A *facing stretch* is a piece of a segment of the first parcel that runs alongside a segment of
    the second (see `geodata.contact`) within their distance plus the touch tolerance, longer than that tolerance.
    Lines stand at 1/2, 1/4 and 3/4 of each stretch; the first free one counts, fractions in this order, and for each
    the longest stretch first, equal ones by the coordinates of their middle.

    Parameters
    ----------
    geometry : geometry[p]
        Prepared polygons.
    segments : Segments
        Of the same polygons.
    pairs : NearPairs
        Candidates.
    barriers : BarrierIndex
        With the tolerance that a line must keep.
    touch_tolerance_m : float
        Length of a line that may lie inside third parcels.

    Returns
    -------
    NearPairs
        ``gap_m`` stays the distance of the parcels.
    """
    ground = _Ground(geometry, shapely.STRtree(geometry), barriers, touch_tolerance_m)
    free = ground.free(pairs.first, pairs.second, pairs.line)
    line = pairs.line.copy()
    stretches = _facing(segments, pairs, np.flatnonzero(~free), touch_tolerance_m)
    for fraction in _FRACTIONS:
        tried = stretches.lines(segments, fraction)
        good = ground.free(pairs.first[stretches.pair], pairs.second[stretches.pair], tried)
        # Stretches come best first: of several free lines the first stands.
        winners, where = np.unique(stretches.pair[good], return_index=True)
        line[winners] = tried[good][where]
        free[winners] = True
        stretches = stretches.take(~free[stretches.pair])
    return NearPairs(pairs.first, pairs.second, pairs.gap_m, line).take(free)


@dataclass(frozen=True)
class _Ground:
    """What a link must keep clear of."""

    geometry: GeometryArray
    tree: shapely.STRtree
    barriers: BarrierIndex
    touch_tolerance_m: float

    def free(self, first: IntArray, second: IntArray, line: GeometryArray) -> BoolArray:
        """Which lines keep clear of third parcels and of barriers."""
        length = shapely.length(line)
        free = np.ones(len(line), dtype=bool)
        # Half the tolerance off either end: a line whose rest meets no third parcel is not further inside than that.
        rest = np.flatnonzero(length > self.touch_tolerance_m)
        met, _ = self._third(first[rest], second[rest], _without_ends(line[rest], self.touch_tolerance_m / 2))
        doubtful = rest[np.unique(met)]
        n, parcel = self._third(first[doubtful], second[doubtful], line[doubtful])
        inside = shapely.length(shapely.intersection(line[doubtful[n]], self.geometry[parcel]))
        total = np.bincount(n, weights=inside, minlength=len(doubtful))
        free[doubtful[total > self.touch_tolerance_m]] = False
        # Of a line without length, the point: predicates on lines do not handle it.
        probe = np.where(length == 0, shapely.get_point(line, 0), line)
        free[free] = ~self.barriers.near(probe[free])
        return free

    def _third(self, first: IntArray, second: IntArray, line: GeometryArray) -> tuple[IntArray, IntArray]:
        """Which lines meet which parcels other than their own two, sorted."""
        n, parcel = self.tree.query(line)
        third = (parcel != first[n]) & (parcel != second[n])
        n, parcel = n[third], parcel[third]
        met = shapely.intersects(self.geometry[parcel], line[n])
        order = np.lexsort((parcel[met], n[met]))
        return n[met][order], parcel[met][order]


def _without_ends(line: GeometryArray, off_m: float) -> GeometryArray:
    """Straight lines shortened at both ends."""
    start = shapely.get_coordinates(shapely.get_point(line, 0))
    end = shapely.get_coordinates(shapely.get_point(line, -1))
    step = (end - start) * (off_m / np.maximum(shapely.length(line), off_m))[:, None]
    return np.asarray(shapely.linestrings(np.stack([start + step, end - step], axis=1)), dtype=object).reshape(-1)


@dataclass(frozen=True)
class _Facing:
    """Facing stretches, best first within each pair."""

    pair: IntArray
    a: IntArray
    b: IntArray
    start_m: FloatArray
    end_m: FloatArray

    def take(self, keep: BoolArray) -> _Facing:
        return _Facing(self.pair[keep], self.a[keep], self.b[keep], self.start_m[keep], self.end_m[keep])

    def lines(self, segments: Segments, fraction: float) -> GeometryArray:
        """Lines from a point of each stretch to its foot on the other parcel."""
        here = segments.at(self.a, self.start_m + fraction * (self.end_m - self.start_m))
        along = ((here - segments.start[self.b]) * segments.direction[self.b]).sum(axis=1)
        there = segments.at(self.b, np.clip(along, 0.0, segments.length_m[self.b]))
        ends = np.stack([here, there], axis=1)
        return np.asarray(shapely.linestrings(ends), dtype=object).reshape(len(ends))


def _facing(segments: Segments, pairs: NearPairs, blocked: IntArray, touch_tolerance_m: float) -> _Facing:
    """Facing stretches of the blocked pairs, longer than the touch tolerance."""
    empty = np.zeros(0, dtype=np.int64)
    parts = [_Facing(empty, empty, empty, np.zeros(0), np.zeros(0))]
    limit = pairs.gap_m[blocked] + touch_tolerance_m
    reach = float(limit.max(initial=0.0))
    for pair, a, b in segment_pairs(segments, pairs.first[blocked], pairs.second[blocked], reach):
        start, end = alongside(segments, a, b, limit[pair])
        keep = end - start > touch_tolerance_m
        parts.append(_Facing(blocked[pair[keep]], a[keep], b[keep], start[keep], end[keep]))
    found = _Facing(
        *(np.concatenate([getattr(p, name) for p in parts]) for name in ("pair", "a", "b", "start_m", "end_m"))
    )
    middle = segments.at(found.a, (found.start_m + found.end_m) / 2)
    # Equal lengths differ in the last digits: to the millimetre they are equal, and the place decides.
    length = np.round(found.end_m - found.start_m, 3)
    order = np.lexsort((middle[:, 1], middle[:, 0], -length, found.pair))
    return _Facing(found.pair[order], found.a[order], found.b[order], found.start_m[order], found.end_m[order])
