"""Straight segments of boundaries as arrays, and unions of intervals along them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import shapely

from geodata.contract import FloatArray, GeometryArray, IntArray

COS_45: Final = float(np.sqrt(0.5))
"""Segments run side by side within 45 degrees of parallel."""
NOTHING_M: Final = 1e-9
"""Shorter pieces are rounding."""


@dataclass(frozen=True)
class Segments:
    """All boundary segments of all parcels, sorted by parcel.

    Attributes
    ----------
    start, end : float64[n, 2]
        Its two points, m.
    direction : float64[n, 2]
        Unit vector.
    length_m : float64[n]
        Above zero.
    parcel : int64[n]
        Position of the parcel.
    offsets : int64[p + 1]
        Segments of parcel ``k`` are ``offsets[k]:offsets[k + 1]``.
    """

    start: FloatArray
    end: FloatArray
    direction: FloatArray
    length_m: FloatArray
    parcel: IntArray
    offsets: IntArray

    @classmethod
    def of(cls, geometry: GeometryArray) -> Segments:
        """Segments of polygons and multipolygons, holes included."""
        parts, owner = shapely.get_parts(geometry, return_index=True)
        rings, part = shapely.get_rings(parts, return_index=True)
        coords, ring = shapely.get_coordinates(rings, return_index=True)
        vector = coords[1:] - coords[:-1]
        length = np.hypot(vector[:, 0], vector[:, 1])
        keep = (ring[1:] == ring[:-1]) & (length > 0)
        parcel = owner[part[ring[:-1][keep]]].astype(np.int64)
        offsets = np.searchsorted(parcel, np.arange(len(geometry) + 1)).astype(np.int64)
        return cls(
            coords[:-1][keep], coords[1:][keep], vector[keep] / length[keep, None], length[keep], parcel, offsets
        )

    def at(self, segment: IntArray, along_m: FloatArray) -> FloatArray:
        """Points at a distance along the given segments, ``float64[n, 2]``."""
        return self.start[segment] + self.direction[segment] * along_m[:, None]

    def lines(self, segment: IntArray, start_m: FloatArray, end_m: FloatArray) -> GeometryArray:
        """Pieces of the given segments as LineStrings."""
        ends = np.stack([self.at(segment, start_m), self.at(segment, end_m)], axis=1)
        return np.asarray(shapely.linestrings(ends), dtype=object).reshape(len(segment))


@dataclass(frozen=True)
class Stretches:
    """Pieces of boundary alongside another parcel.

    Attributes
    ----------
    segment : int64[n]
        The segment that the piece belongs to.
    other : int64[n]
        The other parcel.
    start_m, end_m : float64[n]
        Along the segment; the pieces of one segment beside one parcel do not overlap.
    """

    segment: IntArray
    other: IntArray
    start_m: FloatArray
    end_m: FloatArray

    @property
    def length_m(self) -> FloatArray:
        """Length of each piece."""
        return self.end_m - self.start_m


def dot(a: FloatArray, b: FloatArray) -> FloatArray:
    """Scalar products of rows, ``float64[n]``."""
    return np.asarray(a[:, 0] * b[:, 0] + a[:, 1] * b[:, 1])


def cross(a: FloatArray, b: FloatArray) -> FloatArray:
    """How far row ``b`` is to the left of row ``a``, times the length of ``a``, ``float64[n]``."""
    return np.asarray(a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0])


def ranges(start: IntArray, stop: IntArray) -> tuple[IntArray, IntArray]:
    """All integers of many half-open ranges, each with the position of its range."""
    count = stop - start
    owner = np.repeat(np.arange(len(start), dtype=np.int64), count)
    before = np.cumsum(count) - count
    return owner, (np.arange(count.sum(), dtype=np.int64) - before[owner] + start[owner]).astype(np.int64)


def united(segment: IntArray, other: IntArray, start: FloatArray, end: FloatArray) -> Stretches:
    """Union of the intervals of each segment beside each parcel (or of each pair of any two numbers), sorted."""
    if not len(segment):
        return Stretches(segment, other, start, end)
    # One number sorts many times faster than two.
    group = segment * (int(other.max()) + 1) + other
    order = _sorted(group, start)
    segment, other, start, end, group = segment[order], other[order], start[order], end[order], group[order]
    reached = end.copy()
    same = group[1:] == group[:-1]
    # Few segments have more than some pieces beside one parcel: as many sweeps as the most that one has.
    later = np.flatnonzero(same) + 1
    while len(later):
        later = later[reached[later - 1] > reached[later]]
        reached[later] = reached[later - 1]
        later = later + 1
        later = later[later < len(order)]
        later = later[same[later - 1]]
    new = np.ones(len(order), dtype=bool)
    new[1:] = ~same | (start[1:] > reached[:-1] + NOTHING_M)
    first = np.flatnonzero(new)
    last = np.append(first[1:], len(order)) - 1
    return Stretches(segment[first], other[first], start[first], reached[last])


def _sorted(group: IntArray, start: FloatArray) -> IntArray:
    """Order by group, then by start: nearly in order they mostly come, and that is much faster to put in order."""
    order = np.argsort(group, kind="stable")
    group, start = group[order], start[order]
    same = group[1:] == group[:-1]
    late = np.flatnonzero(same & (start[1:] < start[:-1]))
    if len(late):
        number = np.cumsum(np.append(True, ~same))
        mixed = np.zeros(number[-1] + 1, dtype=bool)
        mixed[number[late]] = True
        rows = np.flatnonzero(mixed[number])
        order[rows] = order[rows][np.lexsort((start[rows], number[rows]))]
    return order
