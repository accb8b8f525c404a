"""Where two parcels face each other across a lane, and how much of that is free of barriers and other parcels.

Definition
----------
A point of the boundary of one parcel *faces* another parcel where the perpendicular of one of the other's edges leads
out of the first parcel, straight to that edge and into the other: the edges differ by at most 45 degrees from running
opposite ways (parcel on the left of both), the foot lies on the edge, and the width is at most the reach. Two parcels
that meet diagonally across a crossroads do not face each other, however near their corners are. A shared boundary is
faced at a width of 0.

A perpendicular is *clear* where it keeps the barrier tolerance from every barrier and, half the touch tolerance left
out at either end, meets no third parcel. The facing length of a pair is the lesser of what either parcel has.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Self

import numpy as np

from geodata.contract import FloatArray, IntArray
from geodata.runs import NearRuns
from geodata.segments import COS_45, NOTHING_M, Segments, cross, dot, united

PAD_M: Final = 0.01
"""What is clear ends this far beside a barrier's reach or a third parcel, so that rounding never brings it back in."""


@dataclass(frozen=True)
class Facing:
    """Straight pieces of boundary that face a straight edge of the other parcel of a pair.

    Attributes
    ----------
    pair : int64[n]
        Position of the pair.
    own, other : int64[n]
        Segment that the piece belongs to, and the one that it faces.
    start_m, end_m : float64[n]
        Along the own segment.
    """

    pair: IntArray
    own: IntArray
    other: IntArray
    start_m: FloatArray
    end_m: FloatArray

    @classmethod
    def of(cls, near: NearRuns, pair: IntArray, reach_m: float, touch_tolerance_m: float) -> Self:
        """All of the given pairs of parcels, obstacles left aside.

        Parameters
        ----------
        near : NearRuns
            All runs of these pairs within the reach, of polygons whose rings have the inside on their left.
        pair : int64[len(near)]
            Position of the pair of parcels of each pair of runs.
        reach_m, touch_tolerance_m : float
            Greatest width, and how far boundaries may overlap.
        """
        segments = near.runs.segments
        none = np.zeros(0, dtype=np.int64)
        parts = [(none, none, none, np.zeros(0), np.zeros(0))]
        for at, one, two in near.segment_pairs(reach_m):
            opposite = dot(segments.direction[one], segments.direction[two]) <= -COS_45
            which, a, b = pair[at[opposite]], one[opposite], two[opposite]
            for own, other in ((a, b), (b, a)):
                start, end = _facing_part(segments, own, other, reach_m, touch_tolerance_m)
                keep = end - start > NOTHING_M
                parts.append((which[keep], own[keep], other[keep], start[keep], end[keep]))
        return cls(*(np.concatenate(column) for column in zip(*parts, strict=True)))

    def take(self, keep: IntArray | np.ndarray[tuple[int], np.dtype[np.bool_]]) -> Facing:
        """Only those of the mask or the positions."""
        return Facing(self.pair[keep], self.own[keep], self.other[keep], self.start_m[keep], self.end_m[keep])

    def width_m(self, segments: Segments, along_m: FloatArray) -> FloatArray:
        """Perpendicular width at a distance along each own segment; overlaps are negative."""
        height, _, sin = _beside(segments, self.own, self.other)
        return np.asarray(-(height + sin * along_m))

    def ends(self, segments: Segments, along_m: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Points at a distance along each own segment, and their feet on the other, ``float64[n, 2]`` each."""
        here = segments.at(self.own, along_m)
        foot = dot(here - segments.start[self.other], segments.direction[self.other])
        return here, segments.at(self.other, np.clip(foot, 0.0, segments.length_m[self.other]))

    def length_m(self, segments: Segments, first: IntArray) -> FloatArray:
        """Facing length of each pair; `first` is the first parcel of each, ``float64[pairs]``."""
        joined = united(self.own, self.pair, self.start_m, self.end_m)
        on_first = segments.parcel[joined.segment] == first[joined.other]
        sides = np.bincount(2 * joined.other + on_first, weights=joined.length_m, minlength=2 * len(first))
        return np.minimum(sides[0::2], sides[1::2])

    def corners(self, segments: Segments, trim_m: float) -> FloatArray:
        """Corners of the land swept by the perpendiculars of each piece, so much left out at both their ends.

        ``float64[n, 4, 2]``: own and other end of the first perpendicular, other and own end of the last.
        """
        out = np.empty((len(self.pair), 4, 2))
        for along, one, two in ((self.start_m, 0, 1), (self.end_m, 3, 2)):
            here, foot = self.ends(segments, along)
            across = foot - here
            width = np.hypot(*across.T)
            step = across * (np.minimum(trim_m, width / 2) / np.maximum(width, NOTHING_M))[:, None]
            out[:, one], out[:, two] = here + step, foot - step
        return out


def _beside(segments: Segments, own: IntArray, other: IntArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Height of the start of `own` over the line of `other` (left positive), and cosine and sine of the turn."""
    u, v = segments.direction[own], segments.direction[other]
    offset = segments.start[own] - segments.start[other]
    return cross(v, offset), dot(u, v), cross(v, u)


def _facing_part(
    segments: Segments, own: IntArray, other: IntArray, reach_m: float, touch_tolerance_m: float
) -> tuple[FloatArray, FloatArray]:
    """Part of `own` whose feet lie on `other`, on its outer side, within the reach; ``end <= start`` where none."""
    height, cos, sin = _beside(segments, own, other)
    foot = dot(segments.start[own] - segments.start[other], segments.direction[other])
    enter, leave = -foot / cos, (segments.length_m[other] - foot) / cos
    with np.errstate(divide="ignore", invalid="ignore"):
        near, far = (touch_tolerance_m - height) / sin, (-reach_m - height) / sin
    flat = np.abs(sin) < 1e-12
    beyond = flat & ((height > touch_tolerance_m) | (height < -reach_m))
    low = np.where(flat, -np.inf, np.minimum(near, far))
    high = np.where(flat, np.inf, np.maximum(near, far))
    start = np.maximum(np.maximum(np.minimum(enter, leave), low), 0.0)
    end = np.minimum(np.minimum(np.maximum(enter, leave), high), segments.length_m[own])
    end[beyond] = start[beyond]
    return np.asarray(start), np.asarray(end)


@dataclass(frozen=True)
class Blocked:
    """What obstacles take from facing pieces (see `geodata.blocking`).

    Attributes
    ----------
    piece : int64[k]
        Position of the piece.
    obstacle : int64[k]
        Which obstacle.
    start_m, end_m : float64[k]
        Along the own segment of the piece.
    """

    piece: IntArray
    obstacle: IntArray
    start_m: FloatArray
    end_m: FloatArray

    @classmethod
    def nothing(cls) -> Self:
        """No piece loses anything."""
        none = np.zeros(0, dtype=np.int64)
        return cls(none, none, np.zeros(0), np.zeros(0))


def clear(facing: Facing, *taken: Blocked) -> Facing:
    """The pieces less what is taken from them; those that nothing is taken from come first."""
    n = len(facing.pair)
    touched = np.zeros(n, dtype=bool)
    for t in taken:
        touched[t.piece] = True
    met, whole = np.flatnonzero(touched), np.flatnonzero(~touched)
    piece = np.concatenate([met, met, *(t.piece for t in taken)])
    low = np.concatenate([np.full(len(met), -np.inf), facing.end_m[met], *(t.start_m for t in taken)])
    high = np.concatenate([facing.start_m[met], np.full(len(met), np.inf), *(t.end_m for t in taken)])
    gone = united(piece, np.zeros(len(piece), dtype=np.int64), low, high)
    between = np.flatnonzero(gone.segment[1:] == gone.segment[:-1])
    start, end = gone.end_m[between], gone.start_m[between + 1]
    keep = end - start > NOTHING_M
    left = facing.take(np.concatenate([whole, gone.segment[between[keep]]]))
    start = np.concatenate([facing.start_m[whole], start[keep]])
    end = np.concatenate([facing.end_m[whole], end[keep]])
    return Facing(left.pair, left.own, left.other, start, end)


Narrowest = tuple[FloatArray, FloatArray, FloatArray]


def narrowest(segments: Segments, facing: Facing, pairs: int, tolerance_m: float) -> Narrowest:
    """Least width of each pair over its facing pieces, and a perpendicular at that place.

    The perpendicular stands in the middle of the longest piece whose width is within the tolerance of the least: of
    pieces equally long to the millimetre, that with the lesser coordinates.

    Returns
    -------
    gap_m : float64[pairs]
        0 where they touch or overlap within the tolerance; NaN where the pair has no piece.
    here, there : float64[pairs, 2]
        Its ends on the own and the other parcel of the piece; NaN likewise.
    """
    width = np.stack([facing.width_m(segments, facing.start_m), facing.width_m(segments, facing.end_m)])
    least = np.full(pairs, np.inf)
    np.minimum.at(least, facing.pair, width.min(axis=0))
    limit = least[facing.pair] + tolerance_m
    rise = width[1] - width[0]
    with np.errstate(divide="ignore", invalid="ignore"):
        share = np.where(rise == 0, 1.0, (limit - width[0]) / rise)
    enter = np.where((rise < 0) & (width[0] > limit), share, 0.0)
    leave = np.where((rise > 0) & (width[1] > limit), share, 1.0)
    length = facing.end_m - facing.start_m
    narrow = np.where(width.min(axis=0) <= limit, np.round((leave - enter) * length, 3), -1.0)
    longest = np.full(pairs, -1.0)
    np.maximum.at(longest, facing.pair, narrow)
    rows = np.flatnonzero(narrow == longest[facing.pair])
    among = facing.take(rows)
    here, there = among.ends(segments, (facing.start_m + length * (enter + leave) / 2)[rows])
    order = np.lexsort((*np.round(there.T, 3), *np.round(here.T, 3), among.pair))
    pair, at = np.unique(among.pair[order], return_index=True)
    best = order[at]
    out_here, out_there = np.full((pairs, 2), np.nan), np.full((pairs, 2), np.nan)
    out_here[pair], out_there[pair] = here[best], there[best]
    gap = np.where(np.isfinite(least), np.maximum(least, 0.0), np.nan)
    return gap, out_here, out_there
