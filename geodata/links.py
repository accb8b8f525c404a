"""Bridged links: parcels that do not share boundary but face each other across a narrow lane.

Two parcels are bridged where they face each other (see `geodata.facing`) within ``bridge_max_m``, over at least
``bridge_min_facing_m`` that is clear of barriers and of other parcels. The gap is the least width there, and the line
drawn stands at that width within the touch tolerance; it keeps the barrier tolerance from every barrier and has at most
the touch tolerance of its length inside third parcels. Boundary that two parcels share is faced at a width of 0: so
parcels that share less than ``min_shared_m`` are bridged by the same rule, and parcels that meet in a point only where
they face each other beside it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import shapely

from geodata.barrier_index import BarrierIndex
from geodata.blocking import TOUCH_M, Obstacles, Strips, blocked
from geodata.contract import BoolArray, FloatArray, GeometryArray, IntArray
from geodata.facing import Blocked, Facing, clear, narrowest
from geodata.runs import Boxes, NearRuns, Runs
from geodata.segments import Segments, ranges
from geodata.spec import AdjacencySpec

BARRIER: Final = "barrier"
PARCEL: Final = "another parcel between"
TOO_LITTLE: Final = "faces too little"
_SLACK_M: Final = 1e-6
"""Lengths are compared to the micrometre."""


@dataclass(frozen=True)
class Candidates:
    """Pairs of parcels that might be bridged, and what was found of each.

    Attributes
    ----------
    first, second : int64[n]
        Positions, ``first < second``, sorted.
    facing_m : float64[n]
        Length over which they face each other, clear of obstacles.
    gap_m : float64[n]
        Least width there; NaN where they face each other nowhere.
    line : geometry[n]
        Across the lane, from the first to the second; None where there is no link.
    reason : object[n]
        None for a link; else `BARRIER`, `PARCEL` or `TOO_LITTLE`.
    stopped : int64[k, 2]
        Position of a pair refused for an obstacle, and that obstacle: barrier or parcel by its reason; sorted.
    """

    first: IntArray
    second: IntArray
    facing_m: FloatArray
    gap_m: FloatArray
    line: GeometryArray
    reason: GeometryArray
    stopped: IntArray

    @property
    def linked(self) -> BoolArray:
        """Which pairs are links."""
        return np.array([r is None for r in self.reason], dtype=bool)


def bridge(
    geometry: GeometryArray,
    near: NearRuns,
    first: IntArray,
    second: IntArray,
    barriers: BarrierIndex,
    spec: AdjacencySpec,
) -> Candidates:
    """Find which of the given pairs a link bridges, and why not the others.

    Parameters
    ----------
    geometry : geometry[p]
        Prepared polygons, rings with the inside on their left, in the order of their ids.
    near : NearRuns
        All runs of the boundaries of these polygons that come within ``bridge_max_m``.
    first, second : int64[n]
        Pairs that are neither adjacent nor cut by a barrier, ``first < second``, sorted.
    barriers : BarrierIndex
        With the tolerance that a line must keep.
    spec : AdjacencySpec
        Lengths and tolerances.
    """
    n, segments = len(first), near.runs.segments
    near, pair = near.of_pairs(first * len(geometry) + second)
    every = Facing.of(near, pair, spec.bridge_max_m, spec.touch_tolerance_m)
    open_m = every.length_m(segments, first)
    enough = (open_m >= spec.bridge_min_facing_m - _SLACK_M) & (open_m > 0)
    looked_at = every.take(enough[every.pair])
    looked_at = looked_at.take(np.argsort(looked_at.pair, kind="stable"))
    trim_m = spec.touch_tolerance_m / 2
    between = _Between.of(segments, looked_at, trim_m)
    cut = _cut_by_barriers(segments, looked_at, between, barriers, trim_m)
    built = _built_over(geometry, near.runs, looked_at, between, first, second, trim_m)
    left = clear(looked_at, cut, built)
    past_barriers = _shortened(segments, first, open_m, looked_at, cut)
    facing_m = _shortened(segments, first, open_m, looked_at, cut, built)
    linked = enough & (facing_m >= spec.bridge_min_facing_m - _SLACK_M) & (facing_m > 0)
    at_barrier = enough & ~linked & ((past_barriers < spec.bridge_min_facing_m - _SLACK_M) | (past_barriers == 0))
    reason = np.select([linked, at_barrier, enough], [0, 1, 2], 3)
    gap_m, here, there = narrowest(segments, left, n, spec.touch_tolerance_m)
    line = np.full(n, None, dtype=object)
    line[linked] = _lines(geometry, first[linked], here[linked], there[linked])
    stopped = [
        np.stack([looked_at.pair[b.piece], b.obstacle], axis=1)[reason[looked_at.pair[b.piece]] == k]
        for k, b in ((1, cut), (2, built))
    ]
    return Candidates(
        first,
        second,
        facing_m,
        gap_m,
        line,
        np.array([None, BARRIER, PARCEL, TOO_LITTLE], dtype=object)[reason],
        np.unique(np.concatenate(stopped), axis=0),
    )


def _shortened(segments: Segments, first: IntArray, open_m: FloatArray, facing: Facing, *taken: Blocked) -> FloatArray:
    """Facing length of each pair after what is taken; only pairs that lose any are measured again."""
    out = open_m.copy()
    losing = np.zeros(len(open_m), dtype=bool)
    losing[np.concatenate([facing.pair[t.piece] for t in taken])] = True
    left = clear(facing, *taken)
    out[losing] = left.take(losing[left.pair]).length_m(segments, first)[losing]
    return out


@dataclass(frozen=True)
class _Between:
    """The land between the two parcels of pairs that face each other.

    Attributes
    ----------
    pair : int64[k]
        Position of the pair, rising.
    start : int64[k + 1]
        Its facing pieces are ``start[i]:start[i + 1]``.
    hull : geometry[k]
        Around all their strips: along most lanes nothing comes into it, and that settles it at once.
    """

    pair: IntArray
    start: IntArray
    hull: GeometryArray

    @classmethod
    def of(cls, segments: Segments, facing: Facing, trim_m: float) -> _Between:
        """Of pieces sorted by pair, so much left out at both ends of the perpendiculars."""
        pair, start = np.unique(facing.pair, return_index=True)
        if not len(pair):
            return cls(pair, np.zeros(1, dtype=np.int64), np.zeros(0, dtype=object))
        owner = np.repeat(np.searchsorted(pair, facing.pair), 4)
        path = shapely.linestrings(facing.corners(segments, trim_m).reshape(-1, 2), indices=owner)
        hull = np.asarray(shapely.convex_hull(path), dtype=object)
        return cls(pair, np.append(start, len(facing.pair)).astype(np.int64), hull)


def _cut_by_barriers(
    segments: Segments, facing: Facing, between: _Between, barriers: BarrierIndex, trim_m: float
) -> Blocked:
    """What barriers take from the pieces."""
    at, zone, zones, owner = barriers.zones_near(between.hull, trim_m)
    runs = Runs.of(Segments.of(zones))
    shapely.prepare(zones)
    taken = _taken(segments, facing, 0.0, between, at, zone, Obstacles(zones, runs))
    return Blocked(taken.piece, owner[taken.obstacle], taken.start_m, taken.end_m)


def _built_over(
    geometry: GeometryArray,
    runs: Runs,
    facing: Facing,
    between: _Between,
    first: IntArray,
    second: IntArray,
    trim_m: float,
) -> Blocked:
    """What third parcels take from the pieces."""
    at, parcel = shapely.STRtree(geometry).query(between.hull)
    pair = between.pair[at]
    third = np.flatnonzero((parcel != first[pair]) & (parcel != second[pair]))
    at, parcel = at[third], parcel[third].astype(np.int64)
    met = np.asarray(shapely.intersects(geometry[parcel], between.hull[at]), dtype=bool)
    return _taken(runs.segments, facing, trim_m, between, at[met], parcel[met], Obstacles(geometry, runs))


def _taken(
    segments: Segments,
    facing: Facing,
    trim_m: float,
    between: _Between,
    at: IntArray,
    obstacle: IntArray,
    obstacles: Obstacles,
) -> Blocked:
    """What obstacles take from all pieces of the pairs at these positions, of which they come into the hull."""
    row, piece = ranges(between.start[at], between.start[at + 1])
    used, piece = np.unique(piece, return_inverse=True)
    strips = Strips.of(segments, facing.take(used), trim_m)
    box = Boxes(*shapely.bounds(obstacles.geometry).T)
    keep = strips.box.meet(piece, box, obstacle[row], TOUCH_M)
    found = blocked(segments, strips, piece[keep], obstacle[row[keep]], obstacles)
    return Blocked(used[found.piece], found.obstacle, found.start_m, found.end_m)


def _lines(geometry: GeometryArray, first: IntArray, here: FloatArray, there: FloatArray) -> GeometryArray:
    """Lines from the first parcel of each pair to the second; of no length where the ends agree to the micrometre."""
    apart = np.hypot(*(there - here).T)
    there = np.where(apart[:, None] <= _SLACK_M, here, there)
    to_here = shapely.distance(geometry[first], shapely.points(here))
    to_there = shapely.distance(geometry[first], shapely.points(there))
    turn = np.asarray(to_there < to_here, dtype=bool)[:, None]
    ends = np.stack([np.where(turn, there, here), np.where(turn, here, there)], axis=1)
    return np.asarray(shapely.linestrings(ends), dtype=object).reshape(len(ends))
