"""The judge's own geometry: shared boundaries and bridges, segment by segment, from the polygons alone.

Independent of how the plan's adjacency was found. Everything works on shapely arrays in one projected CRS in metres;
parcels are known by their position.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import shapely
from numpy.typing import NDArray

from planner.check import facing
from planner.check.facing import Segments, facing_lengths

Geometries = facing.Geometries
Floats = facing.Floats
Ints = facing.Ints

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


def without_barriers(lines: Geometries, barriers: Geometries, tolerance_m: float) -> Geometries:
    """`lines` less everything within `tolerance_m` of a barrier (line or polygon)."""
    free = lines.copy()
    if not len(barriers):
        return free
    line_at, barrier_at = shapely.STRtree(barriers).query(lines, predicate="dwithin", distance=tolerance_m)
    # clipped first, well beyond the tolerance: a river may have thousands of vertices
    margin = 4 * (tolerance_m + 1.0) * np.array([-1, -1, 1, 1])
    around = shapely.box(*(shapely.bounds(lines[line_at]) + margin).T)
    near = shapely.intersection(barriers[barrier_at], around)
    zones = shapely.buffer(near, tolerance_m, quad_segs=CURVE_SEGMENTS)
    cut, group = np.unique(line_at, return_inverse=True)
    order = np.argsort(group, kind="stable")
    whole = [shapely.union_all(part) for part in np.split(zones[order], np.flatnonzero(np.diff(group[order])) + 1)]
    free[cut] = shapely.difference(lines[cut], np.array(whole[: len(cut)], dtype=object))
    return free


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
    used, place = np.unique(pairs, return_inverse=True)
    first, second = place.reshape(-1, 2).T
    outline = shapely.boundary(polygons[used])
    whole = Segments.of(outline)
    free = Segments.of(without_barriers(outline, barriers, barrier_tolerance_m))
    bounds = shapely.bounds(polygons[used])
    sides = [
        facing_lengths(free, i, whole, j, bounds, touch_tolerance_m) for i, j in ((first, second), (second, first))
    ]
    return np.sort(np.column_stack(sides), axis=1)


def close_pairs(polygons: Geometries, groups: Sequence[Ints], distance_m: float) -> Ints:
    """Pairs (i < j) within one group whose distance is at most `distance_m`, ``int64[m, 2]``."""
    found = [np.empty((0, 2), dtype=np.int64)]
    for members in groups:
        shapes = polygons[members]
        left, right = shapely.STRtree(shapes).query(shapes, predicate="dwithin", distance=distance_m)
        ordered = left < right
        found.append(np.sort(np.column_stack([members[left[ordered]], members[right[ordered]]]), axis=1))
    return np.concatenate(found).astype(np.int64)


def pieces(groups: Sequence[Sequence[int]], pairs: Sequence[tuple[int, int]]) -> list[list[list[int]]]:
    """Connected pieces of each of the disjoint `groups` under `pairs`, each sorted, the largest first.

    A pair of two groups, or of one that is in none, joins nothing.
    """
    group_of = {i: g for g, members in enumerate(groups) for i in members}
    parent = {i: i for i in group_of}

    def root(i: int) -> int:
        while parent[i] != i:
            parent[i] = parent[parent[i]]
            i = parent[i]
        return i

    for a, b in pairs:
        if a in group_of and group_of[a] == group_of.get(b):
            parent[root(a)] = root(b)
    found: list[dict[int, list[int]]] = [{} for _ in groups]
    for i in sorted(group_of):
        found[group_of[i]].setdefault(root(i), []).append(i)
    return [sorted(parts.values(), key=lambda piece: (-len(piece), piece)) for parts in found]


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
    points, owner = shapely.get_coordinates(drawn, return_index=True)
    row, first, count = np.unique(owner, return_index=True, return_counts=True)
    row, start, end = row[count >= 2], points[first[count >= 2]], points[(first + count - 1)[count >= 2]]
    same = np.all(start == end, axis=1)
    lines[row[same]] = shapely.points(start[same])
    lines[row[~same]] = shapely.linestrings(np.stack([start[~same], end[~same]], axis=1))
    detour[row] = shapely.length(drawn[row]) - shapely.length(lines[row])
    return lines, detour


def near_barrier(lines: Geometries, barriers: Geometries, distance_m: float) -> NDArray[np.bool_]:
    """Which lines come within `distance_m` of a barrier (0 = touch it)."""
    hit = np.zeros(len(lines), dtype=bool)
    if len(lines) and len(barriers):
        hit[shapely.STRtree(barriers).query(lines, predicate="dwithin", distance=distance_m)[0]] = True
    return hit
