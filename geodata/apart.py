"""How far apart two parcels are, from the segments of their boundaries that come near each other.

The distance of two polygons is that of their boundaries, or 0 where one lies in the other. All pairs are reckoned at
once: what is further than the furthest corners of two boxes of the same pair is left aside before anything is measured.
"""

from __future__ import annotations

import numpy as np
import shapely

from geodata.contract import BoolArray, FloatArray, GeometryArray, IntArray
from geodata.parallel import mapped, portions
from geodata.runs import NearRuns
from geodata.segments import Segments, cross, dot


def distance_m(
    geometry: GeometryArray, near: NearRuns, first: IntArray, second: IntArray, inside: IntArray, reach_m: float
) -> FloatArray:
    """Distance of pairs of polygons.

    Parameters
    ----------
    geometry : geometry[p]
        Prepared polygons.
    near : NearRuns
        All runs of their boundaries that come within the reach.
    first, second : int64[n]
        Pairs, ``first < second``, sorted.
    inside : int64[k]
        Keys (see `geodata.runs.NearRuns`) of all pairs of which a part may lie in the other, sorted.
    reach_m : float
        Distances beyond it are infinite.

    Returns
    -------
    float64[n]
    """

    def of(rows: slice) -> FloatArray:
        one, two = first[rows], second[rows]
        return _distance_m(geometry, near.of_firsts(one[0], one[-1] + 1), one, two, inside, reach_m)

    # Polygons are prepared: all that one is asked is asked in one portion.
    return np.concatenate([np.zeros(0), *mapped(of, portions(len(first), together=first))])


def _distance_m(
    geometry: GeometryArray, near: NearRuns, first: IntArray, second: IntArray, inside: IntArray, reach_m: float
) -> FloatArray:
    out = _of_boundaries(near, first, second, len(geometry), reach_m)
    apart = np.flatnonzero(np.isin(first * len(geometry) + second, inside) & (out > 0))
    one, two = geometry[first[apart]], geometry[second[apart]]
    out[apart[np.asarray(shapely.intersects(one, two), dtype=bool)]] = 0.0
    out[out > reach_m] = np.inf
    return out


def _of_boundaries(near: NearRuns, first: IntArray, second: IntArray, parcels: int, reach_m: float) -> FloatArray:
    """Distance of the boundaries of each pair; infinite, or too great, where it is beyond the reach."""
    near, pair = near.of_pairs(first * parcels + second)
    box, segments = near.runs.box, near.runs.segments
    least, most = box.apart_m(near.first, near.second)
    limit = np.full(len(first), reach_m)
    np.minimum.at(limit, pair, most)
    keep = least <= limit[pair]
    near, pair = near.take(keep), pair[keep]
    out = np.full(len(first), np.inf)
    for at, one, two in near.segment_pairs(reach_m):
        which = pair[at]
        least, most = near.runs.segment_box.apart_m(one, two)
        np.minimum.at(limit, which, most)
        keep = least <= limit[which]
        np.minimum.at(out, which[keep], segment_distance_m(segments, one[keep], two[keep]))
    return out


def segment_distance_m(segments: Segments, a: IntArray, b: IntArray) -> FloatArray:
    """Distance of pairs of segments, 0 where they cross, ``float64[n]``."""
    out = np.sqrt(
        np.minimum(
            np.minimum(_to_line2(segments, segments.start[a], b), _to_line2(segments, segments.end[a], b)),
            np.minimum(_to_line2(segments, segments.start[b], a), _to_line2(segments, segments.end[b], a)),
        )
    )
    out[_crossing(segments, a, b)] = 0.0
    return np.asarray(out)


def _to_line2(segments: Segments, xy: FloatArray, segment: IntArray) -> FloatArray:
    """Square of the distance of points from segments."""
    axis, offset = segments.direction[segment], xy - segments.start[segment]
    beyond = dot(offset, axis)
    beyond -= np.clip(beyond, 0.0, segments.length_m[segment])
    aside = cross(axis, offset)
    return np.asarray(beyond * beyond + aside * aside)


def _crossing(segments: Segments, a: IntArray, b: IntArray) -> BoolArray:
    """Which segments cross properly."""
    sides = []
    for one, two in ((a, b), (b, a)):
        axis, base = segments.direction[one], segments.start[one]
        sides.append(cross(axis, segments.start[two] - base) * cross(axis, segments.end[two] - base) < 0)
    return np.asarray(sides[0] & sides[1])
