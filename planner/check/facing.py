"""Which length of a boundary runs along another: all pairs of parcels at once, straight piece beside straight piece."""

from __future__ import annotations

from dataclasses import dataclass
from math import cos, radians
from typing import Any, Final, Self

import numpy as np
import shapely
from numpy.typing import NDArray

Geometries = NDArray[Any]
Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

PARALLEL_COS: Final = cos(radians(45.0))
"""Edges count as facing only within 45° of parallel: edges that merely meet at a corner share nothing."""
_AT_ONCE: Final = 400_000
"""Pairs of straight pieces laid beside each other at a time: bounds the memory, not the result."""


@dataclass(frozen=True)
class Segments:
    """All straight pieces of many lines or rings; those of no length are left out.

    Attributes
    ----------
    rows : float64[s, 4]
        ``[x0, y0, x1, y1]``, line by line.
    first : int64[n + 1]
        Pieces of line k are ``rows[first[k]:first[k + 1]]``.
    """

    rows: Floats
    first: Ints

    @classmethod
    def of(cls, lines: Geometries) -> Self:
        """From an array of n lines, rings or collections of them."""
        parts, line = shapely.get_parts(lines, return_index=True)
        points, part = shapely.get_coordinates(parts, return_index=True)
        rows = np.hstack([points[:-1], points[1:]])
        kept = (part[:-1] == part[1:]) & np.any(rows[:, :2] != rows[:, 2:], axis=1)
        owner = line[part[:-1][kept]]
        return cls(rows[kept], np.searchsorted(owner, np.arange(len(lines) + 1)).astype(np.int64))

    @property
    def length_m(self) -> Floats:
        """Length of each piece, m."""
        return np.hypot(self.rows[:, 2] - self.rows[:, 0], self.rows[:, 3] - self.rows[:, 1])

    def near(self, lines: Ints, bounds: Floats, margin_m: float) -> tuple[Ints, Ints]:
        """For each of m lines its pieces whose bounding box comes within `margin_m` of ``bounds[m, 4]``.

        Returns
        -------
        at, piece : int64[k]
            Position in `lines` (rising) and in `rows`.
        """
        at, place = _spread(self.first[lines + 1] - self.first[lines])
        piece = self.first[lines][at] + place
        low, high = _corners(self.rows[piece])
        box = bounds[at]
        close = np.all((low <= box[:, 2:] + margin_m) & (high >= box[:, :2] - margin_m), axis=1)
        return at[close], piece[close]


def facing_lengths(
    lines: Segments, first: Ints, against: Segments, second: Ints, bounds: Floats, tolerance_m: float
) -> Floats:
    """Length of line ``first[k]`` that runs along ``second[k]``, at most `tolerance_m` apart, m, for all k.

    A point counts when its foot on a nearly parallel edge of the other lies on that edge and is near enough. So two
    edges that share a stretch count exactly that stretch, and nothing is added where they part.

    Parameters
    ----------
    lines, against : Segments
        Straight pieces by line; the same n lines, of which `lines` may lack some stretches.
    first, second : int64[m]
        Lines to be held against each other.
    bounds : float64[n, 4]
        Bounding boxes of the lines.
    tolerance_m : float
        Greatest distance, m.

    Returns
    -------
    float64[m]
    """
    at, piece = lines.near(first, bounds[second], tolerance_m)
    other_at, other = against.near(second, bounds[first], tolerance_m)
    start = np.searchsorted(other_at, np.arange(len(first) + 1))
    beside = np.diff(start)[at]  # how many pieces each piece is held against
    length = np.zeros(len(at))
    done = np.cumsum(beside)
    cuts = np.searchsorted(done, np.arange(_AT_ONCE, done[-1] if len(done) else 0, _AT_ONCE))
    for low, high in zip([0, *cuts], [*cuts, len(at)], strict=True):
        row, place = _spread(beside[low:high])
        held = other[start[at[low:high]][row] + place]
        length[low:high] = _covered(lines.rows[piece[low:high]], row, against.rows[held], tolerance_m)
    return np.bincount(at, weights=length, minlength=len(first)).astype(np.float64)


@dataclass(frozen=True)
class Facing:
    """Parts of straight pieces that face a straight piece of another outline.

    Attributes
    ----------
    at : int64[k]
        Position in the lists of lines held against each other.
    piece, other : int64[k]
        Rows of the two sets of straight pieces.
    enter, leave : float64[k]
        From where to where on the piece, 0 to 1.
    """

    at: Ints
    piece: Ints
    other: Ints
    enter: Floats
    leave: Floats


def facing_parts(
    lines: Segments, first: Ints, second: Ints, bounds: Floats, reach_m: float, overlap_m: float
) -> Facing:
    """Parts of outline ``first[k]`` that face outline ``second[k]`` across open land, for all k.

    A point faces an edge that runs the other way within 45°, when its foot lies on that edge and the edge is at most
    `reach_m` ahead, or `overlap_m` behind. Outlines have their parcel on the left, so that ahead is outside.
    """
    at, piece = lines.near(first, bounds[second], reach_m)
    other_at, other = lines.near(second, bounds[first], reach_m)
    start = np.searchsorted(other_at, np.arange(len(first) + 1))
    beside = np.diff(start)[at]
    done = np.cumsum(beside)
    cuts = np.searchsorted(done, np.arange(_AT_ONCE, done[-1] if len(done) else 0, _AT_ONCE))
    none = np.zeros(0, dtype=np.int64)
    parts = [(none, none, none, np.zeros(0), np.zeros(0))]
    for low, high in zip([0, *cuts], [*cuts, len(at)], strict=True):
        row, place = _spread(beside[low:high])
        held = other[start[at[low:high]][row] + place]
        mine = piece[low:high][row]
        a, b = lines.rows[mine], lines.rows[held]
        enter, leave, hit = _overlaps(a, b, -reach_m, overlap_m)
        v, w = a[:, 2:] - a[:, :2], b[:, 2:] - b[:, :2]
        hit &= (v * w).sum(axis=1) < 0
        parts.append((at[low:high][row[hit]], mine[hit], held[hit], enter[hit], leave[hit]))
    return Facing(*(np.concatenate(column) for column in zip(*parts, strict=True)))


def covered_lengths(lines: Segments, parts: Facing, n: int) -> Floats:
    """Length of outline that the parts cover in each of n lists, each point once, m."""
    key, row = np.unique(parts.at * len(lines.rows) + parts.piece, return_inverse=True)
    order = np.argsort(row, kind="stable")
    share = _union(row[order], parts.enter[order], parts.leave[order], len(key))
    length = share * lines.length_m[key % len(lines.rows)]
    return np.bincount(key // len(lines.rows), weights=length, minlength=n).astype(np.float64)


def _spread(counts: Ints) -> tuple[Ints, Ints]:
    """Position k repeated ``counts[k]`` times, and 0, 1, … within each."""
    at = np.repeat(np.arange(len(counts)), counts)
    return at, np.arange(len(at)) - np.repeat(np.cumsum(counts) - counts, counts)


def _corners(rows: Floats) -> tuple[Floats, Floats]:
    return np.minimum(rows[:, :2], rows[:, 2:]), np.maximum(rows[:, :2], rows[:, 2:])


def _covered(pieces: Floats, row: Ints, others: Floats, tolerance_m: float) -> Floats:
    """Length of each of the `pieces` that runs along any of the `others` it is held against, m.

    `row` (rising) says which piece each of the `others` is held against.
    """
    low, high = _corners(pieces)
    other_low, other_high = _corners(others)
    close = np.all((low[row] <= other_high + tolerance_m) & (high[row] >= other_low - tolerance_m), axis=1)
    row, others = row[close], others[close]
    enter, leave, hit = _overlaps(pieces[row], others, -tolerance_m, tolerance_m)
    length = np.hypot(pieces[:, 2] - pieces[:, 0], pieces[:, 3] - pieces[:, 1])
    return length * _union(row[hit], enter[hit], leave[hit], len(pieces))


def _overlaps(a: Floats, b: Floats, low_m: float, high_m: float) -> tuple[Floats, Floats, NDArray[np.bool_]]:
    """Part of each piece `a`, from 0 to 1, whose foot lies on `b`, and that is so far to the left of `b`; if any."""
    v, w = a[:, 2:] - a[:, :2], b[:, 2:] - b[:, :2]
    length, other = np.hypot(v[:, 0], v[:, 1]), np.hypot(w[:, 0], w[:, 1])
    w = w / other[:, None]
    start = a[:, :2] - b[:, :2]  # both are near: exact, even where eastings carry a zone prefix of 38 500 000
    end = start + v

    def along(x: Floats) -> Floats:
        return np.asarray(x[:, 0] * w[:, 0] + x[:, 1] * w[:, 1])

    def beside(x: Floats) -> Floats:
        return np.asarray(x[:, 1] * w[:, 0] - x[:, 0] * w[:, 1])

    near_in, near_out = _where_between(beside(start), beside(end), low_m, high_m)
    foot_in, foot_out = _where_between(along(start), along(end), 0.0, other)
    enter, leave = np.maximum(near_in, foot_in), np.minimum(near_out, foot_out)
    return enter, leave, (leave > enter) & (np.abs(along(v)) >= PARALLEL_COS * length)


def _where_between(start: Floats, end: Floats, low: Any, high: Any) -> tuple[Floats, Floats]:
    """Part of [0, 1] where the linear function from `start` to `end` lies between `low` and `high`."""
    slope = end - start
    flat = slope == 0
    with np.errstate(divide="ignore", invalid="ignore"):
        first, second = (low - start) / slope, (high - start) / slope
    inside = (start >= low) & (start <= high)
    enter = np.where(flat, np.where(inside, 0.0, 1.0), np.minimum(first, second))
    leave = np.where(flat, np.where(inside, 1.0, 0.0), np.maximum(first, second))
    return np.clip(enter, 0.0, 1.0), np.clip(leave, 0.0, 1.0)


def _union(row: Ints, enter: Floats, leave: Floats, n: int) -> Floats:
    """Length of the union of the intervals of each row, ``float64[n]``; they lie in [0, 1]."""
    order = np.lexsort((enter, row))
    row, enter, leave = row[order], enter[order], leave[order]
    apart = 2.0 * np.arange(n)[row]  # rows laid out beside each other, so that one running maximum serves all
    reach = np.maximum.accumulate(leave + apart)
    before = np.concatenate([[-np.inf], reach[:-1]]) - apart
    gained = np.maximum(0.0, leave - np.maximum(enter, before))
    return np.bincount(row, weights=gained, minlength=n).astype(np.float64)
