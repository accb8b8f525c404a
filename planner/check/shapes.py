"""The judge's own geometry: shared boundaries and bridges, segment by segment, from the polygons alone.

Slow but sure, and independent of how the plan's adjacency was found. Everything works on shapely arrays in one
projected CRS in metres; parcels are known by their position.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import cos, radians
from typing import Any, Final

import numpy as np
import shapely
from numpy.typing import NDArray

Geometries = NDArray[Any]
Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

PARALLEL_COS: Final = cos(radians(45.0))
"""Edges count as facing only within 45° of parallel: edges that merely meet at a corner share nothing."""
CURVE_SEGMENTS: Final = 32
"""Segments per quarter circle of a buffer: its radius is at most 0.03 % short."""


@dataclass(frozen=True)
class Seams:
    """Parcels of one block that touch.

    Attributes
    ----------
    pairs : int64[m, 2]
        Positions, i < j.
    least_m, most_m : float64[m]
        Length of the shared boundary, m, barriers cut out; see `shared_lengths`.
    """

    pairs: Ints
    least_m: Floats
    most_m: Floats


def segments(line: Any) -> Floats:
    """All straight pieces of lines or rings as ``[x0, y0, x1, y1]`` rows; those of no length are left out."""
    parts = shapely.get_parts(line)
    if not len(parts):
        return np.empty((0, 4))
    points, part = shapely.get_coordinates(parts, return_index=True)
    rows = np.hstack([points[:-1], points[1:]])[part[:-1] == part[1:]]
    kept: Floats = rows[np.any(rows[:, :2] != rows[:, 2:], axis=1)]
    return kept


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


def _covered_share(enter: Floats, leave: Floats) -> float:
    """Length of the union of intervals."""
    total, reach = 0.0, -np.inf
    for k in np.argsort(enter, kind="stable"):
        total += max(0.0, float(leave[k]) - max(float(enter[k]), reach))
        reach = max(reach, float(leave[k]))
    return total


def facing_length(lines: Floats, against: Floats, tolerance_m: float) -> float:
    """Length of `lines` that runs along `against`, at most `tolerance_m` apart, m.

    A point counts when its foot on a nearly parallel edge of `against` lies on that edge and is near enough. So two
    edges that share a stretch count exactly that stretch, and nothing is added where they part.

    Parameters
    ----------
    lines, against : float64[n, 4], float64[m, 4]
        Straight pieces, see `segments`.
    tolerance_m : float
        Greatest distance, m.
    """
    if not len(lines) or not len(against):
        return 0.0
    origin = against[0, :2]  # differences of small numbers: eastings may carry a zone prefix of 38 500 000
    p, v = (lines[:, :2] - origin)[:, None], (lines[:, 2:] - lines[:, :2])[:, None]
    q, w = (against[:, :2] - origin)[None], (against[:, 2:] - against[:, :2])[None]
    length, other = np.hypot(v[..., 0], v[..., 1]), np.hypot(w[..., 0], w[..., 1])
    w = w / other[..., None]
    start, end = p - q, p - q + v

    def along(x: Floats) -> Floats:
        return np.asarray(x[..., 0] * w[..., 0] + x[..., 1] * w[..., 1])

    def beside(x: Floats) -> Floats:
        return np.asarray(x[..., 1] * w[..., 0] - x[..., 0] * w[..., 1])

    near_in, near_out = _where_between(beside(start), beside(end), -tolerance_m, tolerance_m)
    foot_in, foot_out = _where_between(along(start), along(end), 0.0, other)
    enter, leave = np.maximum(near_in, foot_in), np.minimum(near_out, foot_out)
    hit = (leave > enter) & (np.abs(along(v)) >= PARALLEL_COS * length)
    rows = np.flatnonzero(hit.any(axis=1))
    return float(sum(length[r, 0] * _covered_share(enter[r, hit[r]], leave[r, hit[r]]) for r in rows))


def without_barriers(lines: Geometries, barriers: Geometries, tolerance_m: float) -> Geometries:
    """`lines` less everything within `tolerance_m` of a barrier (line or polygon)."""
    free = lines.copy()
    if not len(barriers):
        return free
    tree = shapely.STRtree(barriers)
    line_at, barrier_at = tree.query(lines, predicate="dwithin", distance=tolerance_m)
    for i in np.unique(line_at):
        # clipped first, well beyond the tolerance: a river may have thousands of vertices
        around = shapely.box(*(np.array(shapely.bounds(lines[i])) + 4 * (tolerance_m + 1.0) * np.array([-1, -1, 1, 1])))
        near = shapely.intersection(barriers[barrier_at[line_at == i]], around)
        zone = shapely.union_all(shapely.buffer(near, tolerance_m, quad_segs=CURVE_SEGMENTS))
        free[i] = shapely.difference(lines[i], zone)
    return free


def _near(rows: Floats, bounds: Floats, margin_m: float) -> Floats:
    """Those segments whose bounding box comes within `margin_m` of `bounds`."""
    low, high = np.minimum(rows[:, :2], rows[:, 2:]), np.maximum(rows[:, :2], rows[:, 2:])
    return np.asarray(rows[np.all((low <= bounds[2:] + margin_m) & (high >= bounds[:2] - margin_m), axis=1)])


def shared_lengths(
    polygons: Geometries,
    pairs: Ints,
    barriers: Geometries,
    *,
    touch_tolerance_m: float,
    barrier_tolerance_m: float,
) -> Floats:
    """Boundary shared by each pair, m, barriers cut out: what either has along the other, the lesser and the greater.

    The two agree, but for a few centimetres, unless a parcel has a tail thinner than the tolerance: both sides of it
    then run along the neighbour.

    Parameters
    ----------
    polygons : array of shapely geometries
        All parcels.
    pairs : int64[m, 2]
        Positions in `polygons`.
    barriers : array of shapely geometries
        Lines or polygons.
    touch_tolerance_m, barrier_tolerance_m : float
        See `geodata.spec.AdjacencySpec`.

    Returns
    -------
    float64[m, 2]
    """
    used = np.unique(pairs)
    outline = shapely.boundary(polygons[used])
    free = without_barriers(outline, barriers, barrier_tolerance_m)
    whole_of = {int(i): segments(line) for i, line in zip(used, outline, strict=True)}
    free_of = {int(i): segments(line) for i, line in zip(used, free, strict=True)}
    bounds = shapely.bounds(polygons)
    shared = np.zeros((len(pairs), 2))
    for k, (a, b) in enumerate(pairs.tolist()):
        shared[k] = sorted(
            facing_length(
                _near(free_of[i], bounds[j], touch_tolerance_m),
                _near(whole_of[j], bounds[i], touch_tolerance_m),
                touch_tolerance_m,
            )
            for i, j in ((a, b), (b, a))
        )
    return shared


def close_pairs(polygons: Geometries, groups: Sequence[Ints], distance_m: float) -> Ints:
    """Pairs (i < j) within one group whose distance is at most `distance_m`, ``int64[m, 2]``."""
    found = [np.empty((0, 2), dtype=np.int64)]
    for members in groups:
        shapes = polygons[members]
        left, right = shapely.STRtree(shapes).query(shapes, predicate="dwithin", distance=distance_m)
        ordered = left < right
        found.append(np.sort(np.column_stack([members[left[ordered]], members[right[ordered]]]), axis=1))
    return np.concatenate(found).astype(np.int64)


def pieces(members: Sequence[int], pairs: Sequence[tuple[int, int]]) -> list[list[int]]:
    """Connected pieces of `members` under `pairs`, each sorted, the largest first."""
    parent = {i: i for i in members}

    def root(i: int) -> int:
        while parent[i] != i:
            parent[i] = parent[parent[i]]
            i = parent[i]
        return i

    for a, b in pairs:
        if a in parent and b in parent:
            parent[root(a)] = root(b)
    found: dict[int, list[int]] = {}
    for i in sorted(members):
        found.setdefault(root(i), []).append(i)
    return sorted(found.values(), key=lambda piece: (-len(piece), piece))


def length_in_others(lines: Geometries, ends: Ints, polygons: Geometries) -> tuple[Floats, list[list[int]]]:
    """Length of each line inside or along parcels other than its two `ends`, m, and which parcels these are."""
    inside, others = np.zeros(len(lines)), [[] for _ in lines]  # type: tuple[Floats, list[list[int]]]
    if not len(lines):
        return inside, others
    line_at, parcel_at = shapely.STRtree(polygons).query(lines, predicate="intersects")
    third = (parcel_at != ends[line_at, 0]) & (parcel_at != ends[line_at, 1])
    line_at, parcel_at = line_at[third], parcel_at[third]
    length = shapely.length(shapely.intersection(lines[line_at], polygons[parcel_at]))
    np.add.at(inside, line_at, length)
    for k in np.flatnonzero(length > 0):
        others[int(line_at[k])].append(int(parcel_at[k]))
    return inside, others


def straight_lines(drawn: Geometries) -> tuple[Geometries, Floats]:
    """From first to last point of each drawn line (a point where they are one), and how far the drawn line strays.

    Returns
    -------
    lines : array of shapely geometries
        LineString, Point or None.
    detour_m : float64[n]
        Length drawn less the straight length, m; 0 without a line.
    """
    lines, detour = np.full(len(drawn), None, dtype=object), np.zeros(len(drawn))
    for k, line in enumerate(drawn):
        points = shapely.get_coordinates(line)
        if len(points) >= 2:
            same = bool(np.all(points[0] == points[-1]))
            lines[k] = shapely.Point(points[0]) if same else shapely.LineString([points[0], points[-1]])
            detour[k] = shapely.length(line) - shapely.length(lines[k])
    return lines, detour


def near_barrier(lines: Geometries, barriers: Geometries, distance_m: float) -> NDArray[np.bool_]:
    """Which lines come within `distance_m` of a barrier (0 = touch it)."""
    hit = np.zeros(len(lines), dtype=bool)
    if len(lines) and len(barriers):
        hit[shapely.STRtree(barriers).query(lines, predicate="dwithin", distance=distance_m)[0]] = True
    return hit
