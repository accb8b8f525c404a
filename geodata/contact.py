"""Where the boundaries of two parcels run side by side.

A *stretch* is a piece of one boundary segment that runs alongside the boundary of another parcel: every point of it has
its perpendicular foot on a segment of the other parcel that differs by at most 45 degrees in direction, at a distance
of at most the reach. Measured that way, vertices need not match: a long edge beside several short ones, a gap or an
overlap up to the reach, and a slight difference in direction all come out right, and corners add nothing.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from geodata.contract import FloatArray, IntArray
from geodata.parallel import mapped, portions
from geodata.row_keys import distinct
from geodata.runs import NearRuns
from geodata.segments import COS_45, NOTHING_M, Segments, Stretches, cross, dot, united


@dataclass(frozen=True)
class Contact:
    """What comes within the tolerance of another parcel.

    Attributes
    ----------
    stretches : Stretches
        Of all parcels, in both directions; sorted by segment and other parcel.
    maybe : int64[k]
        Keys (see `geodata.runs.NearRuns`) of the pairs of parcels of which two segments' boxes come within the
        tolerance, sorted: boundaries of all others are further apart.
    """

    stretches: Stretches
    maybe: IntArray


def find_contact(near: NearRuns, tolerance_m: float) -> Contact:
    """All stretches of parcels whose boundaries coincide within the tolerance.

    Parameters
    ----------
    near : NearRuns
        Runs of segments that come within the tolerance, or further.
    tolerance_m : float
        Greatest distance, m.
    """
    close = near.within(tolerance_m)
    found = mapped(lambda rows: _pieces(close.take(rows), tolerance_m), portions(len(close.first)))
    if not found:
        found = [_pieces(close, tolerance_m)]
    pieces, maybe = zip(*found, strict=True)
    stretches = united(*(np.concatenate(column) for column in zip(*pieces, strict=True)))
    return Contact(stretches, distinct(np.concatenate(maybe)))


_Pieces = tuple[IntArray, IntArray, FloatArray, FloatArray]


def _pieces(close: NearRuns, tolerance_m: float) -> tuple[_Pieces, IntArray]:
    """Pieces alongside single segments (segment, other parcel, start, end), and `Contact.maybe`, in any order."""
    segments = close.runs.segments
    none = np.zeros(0, dtype=np.int64)
    parts = [(none, none, np.zeros(0), np.zeros(0))]
    maybe = [none]
    key = close.key
    for pair, one, two in close.segment_pairs(tolerance_m):
        maybe.append(key[pair[np.flatnonzero(np.diff(pair, prepend=-1))]])
        parallel = np.abs(dot(segments.direction[one], segments.direction[two])) >= COS_45
        a, b = one[parallel], two[parallel]
        for own, other in ((a, b), (b, a)):
            start, end = alongside(segments, own, other, tolerance_m)
            keep = end - start > NOTHING_M
            parts.append((own[keep], segments.parcel[other[keep]], start[keep], end[keep]))
    segment, other, start, end = (np.concatenate(column) for column in zip(*parts, strict=True))
    return (segment, other, start, end), np.concatenate(maybe)


def alongside(segments: Segments, a: IntArray, b: IntArray, reach_m: float) -> tuple[FloatArray, FloatArray]:
    """Part of segment `a` that runs alongside segment `b`.

    Parameters
    ----------
    segments : Segments
        All segments.
    a, b : int64[n]
        Pairs of segments, within 45 degrees of parallel.
    reach_m : float
        Greatest perpendicular distance.

    Returns
    -------
    start_m, end_m : float64[n]
        Along `a`; ``end_m <= start_m`` where there is no such part.
    """
    ua, ub = segments.direction[a], segments.direction[b]
    offset = segments.start[a] - segments.start[b]
    cos, sin = dot(ua, ub), cross(ub, ua)
    foot, height = dot(offset, ub), cross(ub, offset)
    with np.errstate(divide="ignore", invalid="ignore"):
        enter, leave = -foot / cos, (segments.length_m[b] - foot) / cos
        low, high = (-reach_m - height) / sin, (reach_m - height) / sin
    flat = np.abs(sin) < 1e-12
    low = np.where(flat, -np.inf, low)
    high = np.where(flat, np.inf, high)
    start = np.maximum(np.maximum(np.minimum(enter, leave), np.minimum(low, high)), 0.0)
    end = np.minimum(np.minimum(np.maximum(enter, leave), np.maximum(low, high)), segments.length_m[a])
    none = flat & (np.abs(height) > reach_m)
    start[none] = end[none] = 0.0
    return start, end
