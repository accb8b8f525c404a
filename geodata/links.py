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
from geodata.contract import BoolArray, FloatArray, GeometryArray, IntArray
from geodata.facing import Blocked, Facing, blocked, clear, narrowest
from geodata.runs import NearRuns
from geodata.segments import Segments, ranges
from geodata.spec import AdjacencySpec

BARRIER: Final = "barrier"
PARCEL: Final = "another parcel between"
TOO_LITTLE: Final = "faces too little"
_SLACK_M: Final = 1e-6
"""Lengths are compared to the micrometre."""
_AROUND_M: Final = 1.0
"""Third parcels are cut off this far around the land between the two, where nothing of it depends on the cut."""


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
    cut = _cut_by_barriers(segments, looked_at, barriers)
    built = _built_over(geometry, segments, looked_at, first, second, spec.touch_tolerance_m)
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


def _cut_by_barriers(segments: Segments, facing: Facing, barriers: BarrierIndex) -> Blocked:
    """What barriers take from the pieces."""
    if not barriers.names or not len(facing.pair):
        none = np.zeros(0, dtype=np.int64)
        return Blocked(none, none, np.zeros(0), np.zeros(0))
    piece, barrier, land = barriers.reach_in(facing.strips(segments, 0.0))
    return blocked(segments, facing, piece.astype(np.int64), barrier, land)


def _built_over(
    geometry: GeometryArray,
    segments: Segments,
    facing: Facing,
    first: IntArray,
    second: IntArray,
    touch_tolerance_m: float,
) -> Blocked:
    """What third parcels take from the pieces, which are sorted by pair."""
    pair, start = np.unique(facing.pair, return_index=True)
    if not len(pair):
        none = np.zeros(0, dtype=np.int64)
        return Blocked(none, none, np.zeros(0), np.zeros(0))
    trim_m = touch_tolerance_m / 2
    corner = facing.corners(segments, trim_m)
    # Along most lanes no third parcel comes into the hull of all that lies between the two: that is settled at once.
    owner = np.repeat(np.searchsorted(pair, facing.pair), 4)
    path = np.asarray(shapely.linestrings(corner.reshape(-1, 2), indices=owner), dtype=object)
    hull = np.asarray(shapely.convex_hull(path), dtype=object)
    at, parcel = shapely.STRtree(geometry).query(hull)
    third = (parcel != first[pair[at]]) & (parcel != second[pair[at]])
    at, parcel = at[third], parcel[third].astype(np.int64)
    within = np.asarray(shapely.intersects(geometry[parcel], hull[at]), dtype=bool)
    at, parcel = at[within], parcel[within]
    around = shapely.bounds(hull[at]) + np.array([-_AROUND_M, -_AROUND_M, _AROUND_M, _AROUND_M])
    land = np.asarray(shapely.intersection(geometry[parcel], shapely.box(*around.T)), dtype=object)
    # Each such parcel beside every piece of its pair.
    row, piece = ranges(start[at], np.append(start[1:], len(facing.pair))[at])
    box, parcel, land = shapely.bounds(land)[row], parcel[row], land[row]
    used = np.flatnonzero(np.bincount(piece, minlength=len(corner)))
    strips = np.empty(len(corner), dtype=object)
    strips[used] = facing.take(used).strips(segments, trim_m)
    bounds = np.concatenate([corner.min(axis=1), corner.max(axis=1)], axis=1)
    boxes_meet = np.asarray((bounds[piece, :2] <= box[:, 2:]) & (bounds[piece, 2:] >= box[:, :2])).all(axis=1)
    beside = np.flatnonzero(boxes_meet)
    piece, parcel, land = piece[beside], parcel[beside], land[beside]
    meets = np.asarray(shapely.intersects(geometry[parcel], strips[piece]), dtype=bool)
    piece, parcel, land = piece[meets], parcel[meets], land[meets]
    land = np.asarray(shapely.intersection(strips[piece], land), dtype=object).reshape(len(piece))
    return blocked(segments, facing, piece, parcel, land)


def _lines(geometry: GeometryArray, first: IntArray, here: FloatArray, there: FloatArray) -> GeometryArray:
    """Lines from the first parcel of each pair to the second; of no length where the ends agree to the micrometre."""
    apart = np.hypot(*(there - here).T)
    there = np.where(apart[:, None] <= _SLACK_M, here, there)
    to_here = shapely.distance(geometry[first], shapely.points(here))
    to_there = shapely.distance(geometry[first], shapely.points(there))
    turn = np.asarray(to_there < to_here, dtype=bool)[:, None]
    ends = np.stack([np.where(turn, there, here), np.where(turn, here, there)], axis=1)
    return np.asarray(shapely.linestrings(ends), dtype=object).reshape(len(ends))
