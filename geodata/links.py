"""Bridged links: parcels that do not share boundary but face each other across a narrow lane.

Two parcels are bridged where they face each other (see `geodata.facing`) within ``bridge_max_m``, over at least
``bridge_min_facing_m`` that is clear of barriers and of other parcels. The gap is the least width there, and the line
drawn stands at that width within the touch tolerance; it keeps the barrier tolerance from every barrier and has at most
the touch tolerance of its length inside third parcels. Boundary that two parcels share is faced at a width of 0: so
parcels that share less than ``min_shared_m`` are bridged by the same rule, and parcels that meet in a point only where
they face each other beside it.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Final

import numpy as np
import shapely

from geodata.barrier_index import BarrierIndex
from geodata.blocking import TOUCH_M, Bundles, Obstacles, Strips, blocked
from geodata.contract import BoolArray, FloatArray, GeometryArray, IntArray
from geodata.facing import Blocked, Facing, clear, narrowest
from geodata.parallel import mapped, portions
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
    touching: IntArray,
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
    touching : int64[k]
        Keys (see `geodata.runs.NearRuns`) of all pairs within the touch tolerance, sorted.
    barriers : BarrierIndex
        With the tolerance that a line must keep.
    spec : AdjacencySpec
        Lengths and tolerances.
    """
    box = Boxes(*shapely.bounds(geometry).T)
    parcels = _Parcels(Obstacles(geometry, near.runs), box, touching, barriers, spec)
    if not len(first):
        return parcels.bridge(near, first, second)

    def found(rows: slice) -> Candidates:
        one, two = first[rows], second[rows]
        return parcels.bridge(near.of_firsts(one[0], one[-1] + 1), one, two)

    rows = portions(len(first), together=first)
    each = mapped(found, rows)
    for part, at in zip(each, rows, strict=True):
        part.stopped[:, 0] += at.start
    return Candidates(*(np.concatenate([getattr(part, f.name) for part in each]) for f in fields(Candidates)))


@dataclass(frozen=True)
class _Parcels:
    """What all pairs have in common; see `bridge`."""

    obstacles: Obstacles
    box: Boxes
    touching: IntArray
    barriers: BarrierIndex
    spec: AdjacencySpec

    def bridge(self, near: NearRuns, first: IntArray, second: IntArray) -> Candidates:
        """Pairs of some first parcels, and all runs of these."""
        geometry, spec, barriers = self.obstacles.geometry, self.spec, self.barriers
        n, segments = len(first), near.runs.segments
        near, pair = near.of_pairs(first * len(geometry) + second)
        every = Facing.of(near, pair, spec.bridge_max_m, spec.touch_tolerance_m)
        open_m = every.length_m(segments, first)
        enough = (open_m >= spec.bridge_min_facing_m - _SLACK_M) & (open_m > 0)
        looked_at = every.take(enough[every.pair])
        looked_at = looked_at.take(np.argsort(looked_at.pair, kind="stable"))
        trim_m = spec.touch_tolerance_m / 2
        cut = _cut_by_barriers(segments, looked_at, barriers)
        built = _built_over(self, looked_at, first, second, trim_m)
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
        return Blocked.nothing()
    strips = Strips.of(segments, facing, 0.0)
    bundles = Bundles.of(strips)
    zones, owner = barriers.zones_near(bundles.box)
    shapely.prepare(zones)
    runs = Runs.of(Segments.of(zones))
    bundle, run = bundles.meet(runs)
    zone_box = Boxes(*shapely.bounds(zones).T)
    bundle_in, zone = shapely.STRtree(zones).query(bundles.box.diagonals)
    row, piece = bundles.pieces(bundle_in)
    held = _held(strips.box, piece, zone_box, zone[row])
    taken = blocked(segments, strips, _near(strips, bundles, bundle, runs, run), held, Obstacles(zones, runs))
    return Blocked(taken.piece, owner[taken.obstacle], taken.start_m, taken.end_m)


def _built_over(parcels: _Parcels, facing: Facing, first: IntArray, second: IntArray, trim_m: float) -> Blocked:
    """What third parcels take from the pieces.

    A strip without any edge of a third parcel that still lies in one starts and ends within half the touch tolerance
    of its boundary, or in it: that parcel touches both.
    """
    if not len(facing.pair):
        return Blocked.nothing()
    runs = parcels.obstacles.runs
    strips = Strips.of(runs.segments, facing, trim_m)
    bundles = Bundles.of(strips)
    bundle, run = bundles.meet(runs)
    pair, owner = bundles.pair[bundle], runs.parcel[run]
    third = (owner != first[pair]) & (owner != second[pair])
    near = _near(strips, bundles, bundle[third], runs, run[third])
    pair, parcel = _both_touch(first, second, parcels.touching, len(parcels.obstacles.geometry))
    lead = np.searchsorted(facing.pair, np.arange(len(first) + 1))
    row, piece = ranges(lead[pair], lead[pair + 1])
    held = _held(strips.box, piece, parcels.box, parcel[row])
    return blocked(runs.segments, strips, near, held, parcels.obstacles)


def _near(strips: Strips, bundles: Bundles, bundle: IntArray, runs: Runs, run: IntArray) -> tuple[IntArray, IntArray]:
    """Pieces of the bundles and runs whose boxes meet."""
    row, piece = bundles.pieces(bundle)
    run = run[row]
    keep = strips.box.meet(piece, runs.box, run, TOUCH_M)
    return piece[keep], run[keep]


def _held(strips: Boxes, piece: IntArray, box: Boxes, obstacle: IntArray) -> tuple[IntArray, IntArray]:
    """Those pieces whose strip's box lies in the box of the obstacle."""
    keep = box.wider(TOUCH_M).holds(obstacle, piece, strips)
    return piece[keep], obstacle[keep]


def _both_touch(first: IntArray, second: IntArray, touching: IntArray, parcels: int) -> tuple[IntArray, IntArray]:
    """Pairs, and the parcels that touch both of them; ``touching`` are sorted keys of pairs of parcels."""
    if not len(touching):
        return touching, touching
    one, two = touching // parcels, touching % parcels
    own, other = np.concatenate([one, two]), np.concatenate([two, one])
    order = np.argsort(own, kind="stable")
    lead = np.searchsorted(own[order], np.arange(parcels + 1))
    pair, at = ranges(lead[first], lead[first + 1])
    third = other[order][at]
    key = np.minimum(third, second[pair]) * parcels + np.maximum(third, second[pair])
    keep = touching[np.minimum(np.searchsorted(touching, key), len(touching) - 1)] == key
    return pair[keep], third[keep]


def _lines(geometry: GeometryArray, first: IntArray, here: FloatArray, there: FloatArray) -> GeometryArray:
    """Lines from the first parcel of each pair to the second; of no length where the ends agree to the micrometre."""
    apart = np.hypot(*(there - here).T)
    there = np.where(apart[:, None] <= _SLACK_M, here, there)
    to_here = shapely.distance(geometry[first], shapely.points(here))
    to_there = shapely.distance(geometry[first], shapely.points(there))
    turn = np.asarray(to_there < to_here, dtype=bool)[:, None]
    ends = np.stack([np.where(turn, there, here), np.where(turn, here, there)], axis=1)
    return np.asarray(shapely.linestrings(ends), dtype=object).reshape(len(ends))
