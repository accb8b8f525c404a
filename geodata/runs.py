"""Which boundary segments of two parcels come near each other: found by boxes of short runs of segments.

A run is at most `RUN` consecutive segments of one parcel. A tree over the boxes of runs is a small part of one over
single segments, and what it finds is sifted in numpy: the segments of a run against the box of the other run, and then
segment against segment.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Self

import numpy as np
import shapely

from geodata.contract import BoolArray, FloatArray, IntArray
from geodata.segments import Segments, ranges

RUN: Final = 8
"""Segments of a run."""
_PORTION: Final = 200_000
"""Pairs of runs at a time: bounds the memory, not the result."""


@dataclass(frozen=True)
class Boxes:
    """Lower and upper corners of n boxes, ``float64[n]`` each."""

    x0: FloatArray
    y0: FloatArray
    x1: FloatArray
    y1: FloatArray

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
        low = (np.minimum.reduceat(side, start) for side in (each.x0, each.y0))
        high = (np.maximum.reduceat(side, start) for side in (each.x1, each.y1))
        return cls(segments, parcel, start, stop, Boxes(*low, *high), each)

    def near(self, reach_m: float) -> NearRuns:
        """Pairs of runs of different parcels whose boxes come within the reach."""
        box = self.box
        tree = shapely.STRtree(shapely.box(box.x0, box.y0, box.x1, box.y1))
        wide = shapely.box(box.x0 - reach_m, box.y0 - reach_m, box.x1 + reach_m, box.y1 + reach_m)
        i, j = tree.query(wide)
        keep = self.parcel[i] < self.parcel[j]
        return NearRuns(self, i[keep].astype(np.int64), j[keep].astype(np.int64))


@dataclass(frozen=True)
class NearRuns:
    """Pairs of runs of different parcels that come near each other.

    Attributes
    ----------
    runs : Runs
    first, second : int64[n]
        Runs, that of the lesser parcel first.
    """

    runs: Runs
    first: IntArray
    second: IntArray

    @property
    def key(self) -> IntArray:
        """One number for the pair of parcels of each pair of runs, ``int64[n]``: first · number of parcels + second."""
        parcels = len(self.runs.segments.offsets) - 1
        return np.asarray(self.runs.parcel[self.first] * parcels + self.runs.parcel[self.second])

    def take(self, keep: BoolArray) -> NearRuns:
        """Only those of the mask."""
        return NearRuns(self.runs, self.first[keep], self.second[keep])

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
