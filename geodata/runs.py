"""Which boundary segments of two parcels come near each other: found by boxes of short runs of segments.

A run is at most `RUN` consecutive segments of one parcel. A tree over the boxes of runs is a small part of one over
single segments, and what it finds is sifted in numpy: the segments of a run against the box of the other run, and then
segment against segment.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Final, Self

import numpy as np
import shapely

from geodata.contract import BoolArray, FloatArray, GeometryArray, IntArray
from geodata.parallel import in_portions, query_tree
from geodata.segments import Segments, ranges

RUN: Final = 8
"""Segments of a run."""
_PORTION: Final = 8_000
"""Pairs of runs at a time: bounds the memory, and what is worked on stays in the cache; the result is the same."""


@dataclass(frozen=True)
class Boxes:
    """Lower and upper corners of n boxes, ``float64[n]`` each."""

    x0: FloatArray
    y0: FloatArray
    x1: FloatArray
    y1: FloatArray

    def take(self, at: IntArray) -> Boxes:
        """Those at some positions."""
        return Boxes(self.x0[at], self.y0[at], self.x1[at], self.y1[at])

    def around(self, start: IntArray) -> Boxes:
        """Boxes around consecutive boxes, ``start[k]`` up to the next start."""
        if not len(start):
            return self.take(start)
        low = (np.minimum.reduceat(side, start) for side in (self.x0, self.y0))
        high = (np.maximum.reduceat(side, start) for side in (self.x1, self.y1))
        return Boxes(*low, *high)

    def wider(self, by_m: float) -> Boxes:
        """The boxes and all within this distance along either axis."""
        return Boxes(self.x0 - by_m, self.y0 - by_m, self.x1 + by_m, self.y1 + by_m)

    @property
    def diagonals(self) -> GeometryArray:
        """Lines from the lower to the upper corners: they have these boxes and are made faster than polygons."""
        ends = np.stack([np.stack([self.x0, self.y0], axis=1), np.stack([self.x1, self.y1], axis=1)], axis=1)
        return np.asarray(in_portions(shapely.linestrings, ends), dtype=object).reshape(len(ends))

    def holds(self, a: IntArray, b: IntArray, others: Boxes | None = None) -> BoolArray:
        """Which boxes `a` hold the boxes `b` of the others, or of the same."""
        others = self if others is None else others
        return np.asarray(
            (self.x0[a] <= others.x0[b])
            & (self.y0[a] <= others.y0[b])
            & (self.x1[a] >= others.x1[b])
            & (self.y1[a] >= others.y1[b])
        )

    def apart_m(self, a: IntArray, b: IntArray) -> tuple[FloatArray, FloatArray]:
        """Least and greatest distance that points of boxes `a` and of boxes `b` of the same may have."""
        wide = self.x1[a] - self.x0[b], self.x1[b] - self.x0[a]
        high = self.y1[a] - self.y0[b], self.y1[b] - self.y0[a]
        least = np.hypot(*(np.maximum(-np.minimum(*across), 0.0) for across in (wide, high)))
        return np.asarray(least), np.asarray(np.hypot(np.maximum(*wide), np.maximum(*high)))

    def meet(self, a: IntArray, others: Boxes, b: IntArray, reach_m: float) -> BoolArray:
        """Which boxes `a` come within the reach of the boxes `b` of the others, along either axis."""
        return np.asarray(
            (self.x0[a] <= others.x1[b] + reach_m)
            & (self.x1[a] >= others.x0[b] - reach_m)
            & (self.y0[a] <= others.y1[b] + reach_m)
            & (self.y1[a] >= others.y0[b] - reach_m)
        )


@dataclass(frozen=True)
class Runs:
    """Runs of consecutive segments, sorted by parcel.

    Attributes
    ----------
    segments : Segments
    parcel : int64[n]
        Position of the parcel.
    start, stop : int64[n]
        Segments ``start`` up to, not including, ``stop``.
    box : Boxes
        Of each run.
    segment_box : Boxes
        Of each segment.
    """

    segments: Segments
    parcel: IntArray
    start: IntArray
    stop: IntArray
    box: Boxes
    segment_box: Boxes

    @classmethod
    def of(cls, segments: Segments) -> Self:
        """Runs of all segments."""
        offsets = segments.offsets
        parcel, k = ranges(np.zeros(len(offsets) - 1, dtype=np.int64), -(-np.diff(offsets) // RUN))
        start = offsets[parcel] + k * RUN
        stop = np.minimum(start + RUN, offsets[parcel + 1])
        (ax, ay), (bx, by) = segments.start.T, segments.end.T
        each = Boxes(np.minimum(ax, bx), np.minimum(ay, by), np.maximum(ax, bx), np.maximum(ay, by))
        return cls(segments, parcel, start, stop, each.around(start), each)

    @cached_property
    def tree(self) -> shapely.STRtree:
        """Of the boxes."""
        return shapely.STRtree(self.box.diagonals)

    def near(self, reach_m: float) -> NearRuns:
        """Pairs of runs of different parcels whose boxes come within the reach."""
        i, j = query_tree(self.tree, self.box.wider(reach_m).diagonals)
        keep = self.parcel[i] < self.parcel[j]
        return NearRuns(self, i[keep].astype(np.int64), j[keep].astype(np.int64))


@dataclass(frozen=True)
class NearRuns:
    """Pairs of runs of different parcels that come near each other.

    Attributes
    ----------
    runs : Runs
    first, second : int64[n]
        Runs, that of the lesser parcel first; sorted by it.
    """

    runs: Runs
    first: IntArray
    second: IntArray

    @property
    def key(self) -> IntArray:
        """One number for the pair of parcels of each pair of runs, ``int64[n]``: first · number of parcels + second."""
        parcels = len(self.runs.segments.offsets) - 1
        return np.asarray(self.runs.parcel[self.first] * parcels + self.runs.parcel[self.second])

    def take(self, keep: BoolArray | slice) -> NearRuns:
        """Only those of the mask or in a row."""
        return NearRuns(self.runs, self.first[keep], self.second[keep])

    def of_firsts(self, low: int, high: int) -> NearRuns:
        """Only those whose first run is one of the parcels `low` up to, not including, `high`."""
        runs = np.searchsorted(self.runs.parcel, [low, high])
        return self.take(slice(*np.searchsorted(self.first, runs).tolist()))

    def of_pairs(self, key: IntArray) -> tuple[NearRuns, IntArray]:
        """Only those of the given pairs of parcels (keys, sorted), and the position of the pair of each."""
        own = self.key
        at = np.searchsorted(key, own)
        keep = np.append(key, -1)[at] == own
        return self.take(keep), at[keep].astype(np.int64)

    def within(self, reach_m: float) -> NearRuns:
        """Only those whose boxes come within a reach."""
        return self.take(self.runs.box.meet(self.first, self.runs.box, self.second, reach_m))

    def segment_pairs(self, reach_m: float) -> Iterator[tuple[IntArray, IntArray, IntArray]]:
        """Segments of the runs whose boxes come within the reach of each other, along either axis.

        Yields
        ------
        pair, a, b : int64[k]
            Position in these pairs, segment of the first and of the second run; in portions.
        """
        runs, each = self.runs, self.runs.segment_box
        for begin in range(0, len(self.first), _PORTION):
            one, two = self.first[begin : begin + _PORTION], self.second[begin : begin + _PORTION]
            pair_a, a = ranges(runs.start[one], runs.stop[one])
            keep = each.meet(a, runs.box, two[pair_a], reach_m)
            pair_a, a = pair_a[keep], a[keep]
            pair_b, b = ranges(runs.start[two], runs.stop[two])
            keep = each.meet(b, runs.box, one[pair_b], reach_m)
            pair_b, b = pair_b[keep], b[keep]
            # Each segment left of the one run against all those left of the other.
            bounds = np.searchsorted(pair_b, np.arange(len(one) + 1))
            row, k = ranges(bounds[pair_a], bounds[pair_a + 1])
            a, b, pair = a[row], b[k], pair_a[row]
            keep = each.meet(a, each, b, reach_m)
            yield pair[keep] + begin, a[keep], b[keep]
