"""The judge's own measure of a bridged lane: over what length two parcels face each other, and how wide the lane is.

Where nothing else comes near the land between the two, both follow from their edges. Else perpendiculars are drawn at
every `STEP_M` along the facing boundary, and those count that meet no third parcel and no barrier.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import shapely
from numpy.typing import NDArray

from geodata.spec import AdjacencySpec
from planner.check import shapes
from planner.check.facing import Facing, Floats, Geometries, Ints, Segments, covered_lengths, facing_parts
from planner.check.tolerances import GAP_M

STEP_M: Final = 0.1
"""Greatest distance of two perpendiculars, m."""
SLACK_M: Final = 4 * STEP_M
"""A facing length found that way may be short by this, m: a step at either end, on either side of an obstacle."""
Flags = NDArray[np.bool_]


@dataclass(frozen=True)
class Lanes:
    """What lies between the parcels of m pairs.

    Attributes
    ----------
    facing_m : float64[m]
        Length over which they face each other clear of barriers and other parcels: the lesser of both sides.
    least_m, most_m : float64[m]
        Between these lies the least width there; infinite where they do not face each other.
    sampled : bool[m]
        Whether something else comes near, so that the length is uncertain by `SLACK_M`.
    """

    facing_m: Floats
    least_m: Floats
    most_m: Floats
    sampled: Flags


def measure_lanes(
    polygons: Geometries, pairs: Ints, barriers: Geometries, spec: AdjacencySpec, barrier_tolerance_m: float
) -> Lanes:
    """Measure the lanes between pairs of parcels.

    Parameters
    ----------
    polygons : array of shapely geometries
        All parcels.
    pairs : int64[m, 2]
        Positions in `polygons`.
    barriers : array of shapely geometries
        Lines or polygons.
    spec : AdjacencySpec
        Greatest width and touch tolerance.
    barrier_tolerance_m : float
        Reach of a barrier, m.
    """
    m = len(pairs)
    used, place = np.unique(pairs, return_inverse=True)
    ends = place.reshape(-1, 2)
    lines = Segments.of(shapely.boundary(shapely.orient_polygons(polygons[used])))
    bounds = shapely.bounds(polygons[used])
    sides = [
        facing_parts(lines, ends[:, k], ends[:, 1 - k], bounds, spec.bridge_max_m + GAP_M, spec.touch_tolerance_m)
        for k in (0, 1)
    ]
    least = np.full(m, np.inf)
    for side in sides:
        for share in (side.enter, side.leave):
            here, there = _perpendiculars(lines, side.piece, side.other, share)
            np.minimum.at(least, side.at, np.hypot(*(there - here).T))
    facing_m = np.minimum(*(covered_lengths(lines, side, m) for side in sides))
    sampled = _obstructed(lines, sides, polygons, pairs, barriers, spec.touch_tolerance_m, barrier_tolerance_m)
    most = least.copy()
    most[sampled] = np.inf
    clear = np.zeros((2, m))
    for k, side in enumerate(sides):
        clear[k], width = _sampled(lines, side, sampled, polygons, pairs, barriers, spec, barrier_tolerance_m)
        most = np.minimum(most, width)
    facing_m = np.where(sampled, np.minimum(facing_m, clear.min(axis=0)), facing_m)
    return Lanes(facing_m, least, most, sampled)


def _perpendiculars(lines: Segments, piece: Ints, other: Ints, share: Floats) -> tuple[Floats, Floats]:
    """Points at a share of each piece, and their feet on the line of the other, ``float64[k, 2]`` each."""
    a, b = lines.rows[piece], lines.rows[other]
    here = a[:, :2] + (a[:, 2:] - a[:, :2]) * share[:, None]
    w = (b[:, 2:] - b[:, :2]) / lines.length_m[other][:, None]
    return here, b[:, :2] + w * ((here - b[:, :2]) * w).sum(axis=1)[:, None]


def _obstructed(
    lines: Segments,
    sides: list[Facing],
    polygons: Geometries,
    pairs: Ints,
    barriers: Geometries,
    touch_tolerance_m: float,
    barrier_tolerance_m: float,
) -> Flags:
    """Between which pairs a third parcel (by more than the tolerance) or a barrier reaches in."""
    out = np.zeros(len(pairs), dtype=bool)
    ends = [
        (side.at, xy)
        for side in sides
        for share in (side.enter, side.leave)
        for xy in _perpendiculars(lines, side.piece, side.other, share)
    ]
    at = np.concatenate([a for a, _ in ends])
    xy = np.concatenate([p for _, p in ends])
    if not len(at):
        return out
    order = np.argsort(at, kind="stable")
    pair, row = np.unique(at[order], return_inverse=True)
    land = shapely.convex_hull(np.asarray(shapely.linestrings(xy[order], indices=row)))
    inner = shapely.buffer(land, -touch_tolerance_m, join_style="mitre")
    near, parcel = shapely.STRtree(polygons).query(inner, predicate="intersects")
    third = (parcel != pairs[pair[near], 0]) & (parcel != pairs[pair[near], 1])
    out[pair[near[third]]] = True
    out[pair[shapes.near_barrier(np.asarray(land), barriers, barrier_tolerance_m)]] = True
    return out


def _sampled(
    lines: Segments,
    side: Facing,
    wanted: Flags,
    polygons: Geometries,
    pairs: Ints,
    barriers: Geometries,
    spec: AdjacencySpec,
    barrier_tolerance_m: float,
) -> tuple[Floats, Floats]:
    """Clear facing length of one side of the wanted pairs, and the least width among its clear perpendiculars."""
    length, width = np.zeros(len(pairs)), np.full(len(pairs), np.inf)
    rows = np.flatnonzero(wanted[side.at])
    if not len(rows):
        return length, width
    at, piece, other = side.at[rows], side.piece[rows], side.other[rows]
    steps = np.ceil(lines.length_m[piece] / STEP_M).astype(np.int64)
    first = np.ceil(side.enter[rows] * steps - 0.5).astype(np.int64)
    count = np.maximum(np.floor(side.leave[rows] * steps - 0.5).astype(np.int64) - first + 1, 0)
    k = np.repeat(np.arange(len(rows)), count)
    step = np.arange(len(k)) - np.repeat(np.cumsum(count) - count, count) + first[k]
    here, there = _perpendiculars(lines, piece[k], other[k], (step + 0.5) / steps[k])
    drawn = np.asarray(shapely.linestrings(np.stack([here, there], axis=1)), dtype=object).reshape(-1)
    inside, _ = shapes.length_in_others(drawn, pairs[at[k]], polygons)
    clear = (inside <= spec.touch_tolerance_m) & ~shapes.near_barrier(drawn, barriers, barrier_tolerance_m)
    k, step = k[clear], step[clear]
    np.minimum.at(width, at[k], np.hypot(*(there - here).T)[clear])
    # A step faced by several edges of the other parcel counts once.
    keys = np.unique(np.column_stack([at[k], piece[k], step]), axis=0)
    each = lines.length_m[keys[:, 1]] / np.ceil(lines.length_m[keys[:, 1]] / STEP_M)
    np.add.at(length, keys[:, 0], each)
    return length, width
