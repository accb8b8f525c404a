"""What obstacles take from the land between two parcels, reckoned in the coordinates of each facing piece.

The perpendiculars of a piece all have one direction. Taken as the second axis, with the first along the own segment,
the land they sweep (the strip) is bounded by two of them and by two straight lines, and the edges of an obstacle are
cut off at its four sides at once for all pieces. Between the cut edges a perpendicular lies wholly inside the obstacle
or wholly outside: one point tells.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from threading import Lock
from typing import Final, Self

import numpy as np
import shapely

from geodata.contract import BoolArray, FloatArray, GeometryArray, IntArray
from geodata.facing import PAD_M, Blocked, Facing
from geodata.runs import Boxes, Runs
from geodata.segments import Segments, cross, dot, ranges, united

TOUCH_M: Final = 1e-8
"""What comes so near a strip touches it: a vertex just at a perpendicular is met, however coordinates are rounded."""
BUNDLE: Final = 8
"""Pieces of a bundle."""
_PORTION: Final = 20_000
"""Pairs of a piece and a run of edges at a time: bounds the memory, not the result."""


@dataclass(frozen=True)
class Obstacles:
    """Polygons that may lie between parcels.

    Attributes
    ----------
    geometry : geometry[n]
        Valid polygons, best prepared.
    runs : Runs
        Of their edges.
    """

    geometry: GeometryArray
    runs: Runs
    _one_at_a_time: Lock = field(default_factory=Lock)

    def hold(self, obstacle: IntArray, xy: FloatArray) -> BoolArray:
        """Which points lie in an obstacle. Prepared polygons are asked by one thread at a time."""
        with self._one_at_a_time:
            return np.asarray(shapely.intersects_xy(self.geometry[obstacle], xy[:, 0], xy[:, 1]), dtype=bool)


@dataclass(frozen=True)
class Strips:
    """Land swept by the perpendiculars of facing pieces.

    Attributes
    ----------
    facing : Facing
    box : Boxes
        Of each strip.
    low_m, high_m : float64[n, 2]
        Heights over the line of the other segment, left positive, between which the strip lies at the start and at the
        end of the piece.
    """

    facing: Facing
    box: Boxes
    low_m: FloatArray
    high_m: FloatArray

    @classmethod
    def of(cls, segments: Segments, facing: Facing, trim_m: float) -> Self:
        """Strips of the pieces, so much left out at both ends of the perpendiculars."""
        corner = facing.corners(segments, trim_m)
        x, y = corner[:, :, 0], corner[:, :, 1]
        box = Boxes(x.min(axis=1), y.min(axis=1), x.max(axis=1), y.max(axis=1))
        base, axis = segments.start[facing.other], segments.direction[facing.other]
        height = np.stack([cross(axis, corner[:, k] - base) for k in range(4)])
        first, last = height[:2], height[3:1:-1]
        low = np.stack([first.min(axis=0), last.min(axis=0)], axis=1)
        return cls(facing, box, low, np.stack([first.max(axis=0), last.max(axis=0)], axis=1))


@dataclass(frozen=True)
class Bundles:
    """Strips side by side of one pair of parcels, a few at a time, and one box around all of them.

    Attributes
    ----------
    piece : int64[n]
        Positions of the pieces, those of a bundle together.
    start : int64[k + 1]
        Bundle ``i`` is ``piece[start[i]:start[i + 1]]``.
    pair : int64[k]
        Pair of parcels of each bundle.
    box : Boxes
        Around the strips of each.
    """

    piece: IntArray
    start: IntArray
    pair: IntArray
    box: Boxes

    @classmethod
    def of(cls, strips: Strips) -> Self:
        """Bundles of all strips."""
        facing = strips.facing
        piece = np.lexsort((facing.own, facing.pair)).astype(np.int64)
        pair, first = np.unique(facing.pair[piece], return_index=True)
        stop = np.append(first[1:], len(piece)).astype(np.int64)
        which, k = ranges(np.zeros(len(pair), dtype=np.int64), -(-(stop - first) // BUNDLE))
        start = first[which] + k * BUNDLE
        return cls(piece, np.append(start, len(piece)), pair[which], strips.box.take(piece).around(start))

    def meet(self, runs: Runs) -> tuple[IntArray, IntArray]:
        """Bundles and runs of edges whose boxes meet."""
        bundle, run = runs.tree.query(self.box.wider(TOUCH_M).diagonals)
        return bundle.astype(np.int64), run.astype(np.int64)

    def pieces(self, bundle: IntArray) -> tuple[IntArray, IntArray]:
        """All pieces of bundles, each with the position of its bundle in the argument."""
        row, at = ranges(self.start[bundle], self.start[bundle + 1])
        return row, self.piece[at]


def blocked(
    segments: Segments,
    strips: Strips,
    near: tuple[IntArray, IntArray],
    held: tuple[IntArray, IntArray],
    obstacles: Obstacles,
) -> Blocked:
    """What obstacles take from pieces: all perpendiculars that meet them.

    Parameters
    ----------
    segments : Segments
        Of the pieces.
    strips : Strips
    near : tuple of int64[k]
        Which piece is to be held against which run of the obstacles' edges: all whose boxes meet.
    held : tuple of int64[m]
        Pieces, and obstacles that may hold their strips without any edge in them.
    obstacles : Obstacles

    Returns
    -------
    Blocked
        Pieces without anything taken are not in it.
    """
    facing, count = strips.facing, max(1, len(obstacles.geometry))
    piece, obstacle, start, end = _cut_edges(segments, strips, *near, obstacles.runs)
    key, row = np.unique(
        np.concatenate([piece, held[0]]) * count + np.concatenate([obstacle, held[1]]), return_inverse=True
    )
    piece, obstacle, row = key // count, key % count, row[: len(start)]
    every = np.arange(len(piece), dtype=np.int64)
    # Stretches of the pieces that no edge lies in: all of them inside the obstacle or outside.
    low = np.concatenate([np.full(len(piece), -np.inf), facing.end_m[piece], start])
    high = np.concatenate([facing.start_m[piece], np.full(len(piece), np.inf), end])
    rows = np.concatenate([every, every, row])
    taken = united(rows, np.zeros(len(rows), dtype=np.int64), low, high)
    between = np.flatnonzero(taken.segment[1:] == taken.segment[:-1])
    gap, low, high = taken.segment[between], taken.end_m[between], taken.start_m[between + 1]
    xy = _middle(segments, strips, piece[gap], (low + high) / 2)
    inside = obstacles.hold(obstacle[gap], xy)
    row = np.concatenate([row, gap[inside]])
    start, end = np.concatenate([start, low[inside]]), np.concatenate([end, high[inside]])
    joined = united(row, np.zeros(len(row), dtype=np.int64), start - PAD_M, end + PAD_M)
    return Blocked(piece[joined.segment], obstacle[joined.segment], joined.start_m, joined.end_m)


def _cut_edges(
    segments: Segments, strips: Strips, piece: IntArray, run: IntArray, runs: Runs
) -> tuple[IntArray, IntArray, FloatArray, FloatArray]:
    """Parts of the obstacles' edges within the strips: piece, obstacle, from and to along the own segment."""
    none = np.zeros(0, dtype=np.int64)
    parts = [(none, none, np.zeros(0), np.zeros(0))]
    for begin in range(0, len(piece), _PORTION):
        one, two = piece[begin : begin + _PORTION], run[begin : begin + _PORTION]
        which, edge = ranges(runs.start[two], runs.stop[two])
        which = one[which]
        keep = runs.segment_box.meet(edge, strips.box, which, TOUCH_M)
        which, edge = which[keep], edge[keep]
        start, end = _within(segments, strips, which, runs.segments, edge)
        keep = end >= start
        parts.append((which[keep], runs.segments.parcel[edge[keep]], start[keep], end[keep]))
    piece, obstacle, start, end = (np.concatenate(column) for column in zip(*parts, strict=True))
    return piece, obstacle, start, end


def _within(
    segments: Segments, strips: Strips, piece: IntArray, edges: Segments, edge: IntArray
) -> tuple[FloatArray, FloatArray]:
    """Part of each edge within the strip of a piece, along the own segment; ``end < start`` where there is none."""
    facing = strips.facing
    own, other = facing.own[piece], facing.other[piece]
    u, v = segments.direction[own], segments.direction[other]
    cos = dot(u, v)
    begin, length = facing.start_m[piece], facing.end_m[piece] - facing.start_m[piece]
    low, high = strips.low_m[piece], strips.high_m[piece]
    inside = []
    along = []
    for xy in (edges.start[edge], edges.end[edge]):
        t = dot(xy - segments.start[own], v) / cos
        height = cross(v, xy - segments.start[other])
        share = (t - begin) / length
        over_low = height - low[:, 0] - (low[:, 1] - low[:, 0]) * share
        under_high = high[:, 0] + (high[:, 1] - high[:, 0]) * share - height
        inside.append([side + TOUCH_M for side in (t - begin, begin + length - t, over_low, under_high)])
        along.append(t)
    enter, leave = np.zeros(len(edge)), np.ones(len(edge))
    for here, there in zip(*inside, strict=True):
        with np.errstate(divide="ignore", invalid="ignore"):
            crossing = here / (here - there)
        enter = np.where(here < 0, np.maximum(enter, np.where(there < 0, 2.0, crossing)), enter)
        leave = np.where((there < 0) & (here >= 0), np.minimum(leave, crossing), leave)
    there = along[0] + (along[1] - along[0]) * enter
    here = along[0] + (along[1] - along[0]) * leave
    nowhere = leave < enter
    return np.where(nowhere, 1.0, np.minimum(here, there)), np.where(nowhere, 0.0, np.maximum(here, there))


def _middle(segments: Segments, strips: Strips, piece: IntArray, along_m: FloatArray) -> FloatArray:
    """Middle of the perpendicular of each piece at a distance along its own segment, ``float64[n, 2]``."""
    facing = strips.facing
    own, other = facing.own[piece], facing.other[piece]
    v = segments.direction[other]
    share = ((along_m - facing.start_m[piece]) / (facing.end_m[piece] - facing.start_m[piece]))[:, None]
    ends = strips.low_m[piece] + strips.high_m[piece]
    height = (ends[:, :1] + (ends[:, 1:] - ends[:, :1]) * share) / 2
    foot = dot(segments.at(own, along_m) - segments.start[other], v)
    return segments.at(other, foot) + np.column_stack([-v[:, 1], v[:, 0]]) * height
