"""What obstacles take from the land between two parcels, reckoned in the coordinates of each facing piece.

The perpendiculars of a piece all have one direction. Taken as the second axis, with the first along the own segment,
the land they sweep (the strip) is bounded by two of them and by two straight lines, and the edges of an obstacle are
cut off at its four sides at once for all pieces. Between the cut edges a perpendicular lies wholly inside the obstacle
or wholly outside: one point tells.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Self

import numpy as np
import shapely

from geodata.contract import FloatArray, GeometryArray, IntArray
from geodata.facing import PAD_M, Blocked, Facing
from geodata.runs import Boxes, Runs
from geodata.segments import Segments, cross, dot, ranges, united

TOUCH_M: Final = 1e-8
"""What comes so near a strip touches it: a vertex just at a perpendicular is met, however coordinates are rounded."""
_PORTION: Final = 1_000_000
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


def blocked(segments: Segments, strips: Strips, piece: IntArray, obstacle: IntArray, obstacles: Obstacles) -> Blocked:
    """What obstacles take from pieces: all perpendiculars that meet them.

    Parameters
    ----------
    segments : Segments
        Of the pieces.
    strips : Strips
    piece, obstacle : int64[k]
        Which piece is to be held against which obstacle.
    obstacles : Obstacles

    Returns
    -------
    Blocked
        Pieces without anything taken are not in it.
    """
    facing = strips.facing
    row, start, end = _cut_edges(segments, strips, piece, obstacle, obstacles.runs)
    every = np.arange(len(piece), dtype=np.int64)
    # Stretches of the pieces that no edge lies in: all of them inside the obstacle or outside.
    low = np.concatenate([np.full(len(piece), -np.inf), facing.end_m[piece], start])
    high = np.concatenate([facing.start_m[piece], np.full(len(piece), np.inf), end])
    rows = np.concatenate([every, every, row])
    taken = united(rows, np.zeros(len(rows), dtype=np.int64), low, high)
    between = np.flatnonzero(taken.segment[1:] == taken.segment[:-1])
    gap, low, high = taken.segment[between], taken.end_m[between], taken.start_m[between + 1]
    xy = _middle(segments, strips, piece[gap], (low + high) / 2)
    inside = np.asarray(shapely.intersects_xy(obstacles.geometry[obstacle[gap]], xy[:, 0], xy[:, 1]), dtype=bool)
    row = np.concatenate([row, gap[inside]])
    start, end = np.concatenate([start, low[inside]]), np.concatenate([end, high[inside]])
    joined = united(row, np.zeros(len(row), dtype=np.int64), start - PAD_M, end + PAD_M)
    return Blocked(piece[joined.segment], obstacle[joined.segment], joined.start_m, joined.end_m)


def _cut_edges(
    segments: Segments, strips: Strips, piece: IntArray, obstacle: IntArray, runs: Runs
) -> tuple[IntArray, FloatArray, FloatArray]:
    """Parts of the obstacles' edges within the strips: row of `piece`, from and to along the own segment."""
    first = np.searchsorted(runs.parcel, np.arange(len(runs.segments.offsets)))
    parts = [(np.zeros(0, dtype=np.int64), np.zeros(0), np.zeros(0))]
    count = first[obstacle + 1] - first[obstacle]
    portion = np.cumsum(count) // _PORTION
    for rows in np.split(np.arange(len(piece)), np.flatnonzero(np.diff(portion)) + 1):
        at, run = ranges(first[obstacle[rows]], first[obstacle[rows] + 1])
        keep = runs.box.meet(run, strips.box, piece[rows[at]], TOUCH_M)
        at, run = at[keep], run[keep]
        which, edge = ranges(runs.start[run], runs.stop[run])
        row = rows[at[which]]
        keep = runs.segment_box.meet(edge, strips.box, piece[row], TOUCH_M)
        row, edge = row[keep], edge[keep]
        start, end = _within(segments, strips, piece[row], runs.segments, edge)
        keep = end >= start
        parts.append((row[keep], start[keep], end[keep]))
    row, start, end = (np.concatenate(column) for column in zip(*parts, strict=True))
    return row, start, end


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
