"""Cutting convex polygons by straight lines: all that a generated street pattern needs.

A ring is a list of points in counter-clockwise order, not closed. Plain Python on purpose: rings have 4 to 12
points, where array calls cost more than they save.
"""

from __future__ import annotations

import math
from typing import TypeAlias

Point: TypeAlias = tuple[float, float]
Ring: TypeAlias = list[Point]

_ON_LINE_M = 1e-7


def rectangle(x0: float, y0: float, x1: float, y1: float) -> Ring:
    """Axis-parallel rectangle."""
    return [(x0, y0), (x1, y0), (x1, y1), (x0, y1)]


def area(ring: Ring) -> float:
    """Area by the shoelace formula; positive for a counter-clockwise ring."""
    x0, y0 = ring[-1]
    twice = 0.0
    for x1, y1 in ring:
        twice += x0 * y1 - x1 * y0
        x0, y0 = x1, y1
    return 0.5 * twice


def split(ring: Ring, normal: Point, level: float) -> tuple[Ring, Ring]:
    """Cut along ``normal · p = level``: the parts below and above, sharing their new corners exactly.

    Either part is empty where the line misses the ring.
    """
    nx, ny = normal
    height = [x * nx + y * ny - level for x, y in ring]
    below: Ring = []
    above: Ring = []
    n = len(ring)
    for i in range(n):
        h0, p0 = height[i], ring[i]
        if abs(h0) <= _ON_LINE_M:
            below.append(p0)
            above.append(p0)
            continue
        (below if h0 < 0 else above).append(p0)
        h1, p1 = height[(i + 1) % n], ring[(i + 1) % n]
        if h0 * h1 < 0 and abs(h1) > _ON_LINE_M:
            share = h0 / (h0 - h1)
            corner = (p0[0] + share * (p1[0] - p0[0]), p0[1] + share * (p1[1] - p0[1]))
            below.append(corner)
            above.append(corner)
    return (below if len(below) > 2 else []), (above if len(above) > 2 else [])


def split_with_gap(ring: Ring, normal: Point, level: float, gap: float) -> tuple[Ring, Ring]:
    """Cut along ``normal · p = level`` and leave a strip of width ``gap`` free between the parts."""
    return split(ring, normal, level - gap / 2)[0], split(ring, normal, level + gap / 2)[1]


def _extent_at(ring: Ring, height: list[float], along: list[float], level: float) -> tuple[float, float]:
    """Smallest and largest position along the line at ``level`` inside a convex ring."""
    low, high = math.inf, -math.inf
    n = len(ring)
    for i in range(n):
        h0, h1 = height[i], height[i - 1]
        if min(h0, h1) <= level <= max(h0, h1):
            s0, s1 = along[i], along[i - 1]
            if h0 == h1:
                low, high = min(low, s0, s1), max(high, s0, s1)
            else:
                s = s0 + (level - h0) / (h1 - h0) * (s1 - s0)
                low, high = min(low, s), max(high, s)
    return low, high


def _frame(ring: Ring, normal: Point) -> tuple[list[float], list[float]]:
    """Coordinates across and along a line with this normal."""
    nx, ny = normal
    return [x * nx + y * ny for x, y in ring], [y * nx - x * ny for x, y in ring]


def chord(ring: Ring, normal: Point, level: float) -> tuple[Point, Point]:
    """Ends of the line ``normal · p = level`` inside a convex ring."""
    nx, ny = normal
    low, high = _extent_at(ring, *_frame(ring, normal), level)
    return (level * nx - low * ny, level * ny + low * nx), (level * nx - high * ny, level * ny + high * nx)


def level_at_share(ring: Ring, normal: Point, share: float) -> float:
    """Level of the line that leaves ``share`` of a convex ring's area below it.

    The width of a convex polygon is linear between the levels of its corners, so the area below is quadratic there
    and the level follows in closed form.
    """
    height, along = _frame(ring, normal)
    levels = sorted(set(height))
    rest = share * area(ring)
    extents = [_extent_at(ring, height, along, level) for level in levels]
    widths = [high - low for low, high in extents]
    for k in range(len(levels) - 1):
        depth = levels[k + 1] - levels[k]
        strip = 0.5 * depth * (widths[k] + widths[k + 1])
        if rest <= strip or k == len(levels) - 2:
            slope = (widths[k + 1] - widths[k]) / depth
            root = math.sqrt(max(widths[k] ** 2 + 2 * slope * rest, 0.0))
            return levels[k] + min(2 * rest / max(widths[k] + root, 1e-12), depth)
        rest -= strip
    raise ValueError("the ring has no extent across the line")


def long_axis(ring: Ring) -> Point:
    """Unit vector along the longer side of the smallest box around the ring (one side of it lies on an edge)."""
    best, axis = math.inf, (1.0, 0.0)
    n = len(ring)
    for i in range(n):
        (x0, y0), (x1, y1) = ring[i - 1], ring[i]
        length = math.hypot(x1 - x0, y1 - y0)
        if length < 1.0:
            continue
        direction = ((x1 - x0) / length, (y1 - y0) / length)
        across, along = _frame(ring, (-direction[1], direction[0]))
        width, depth = max(along) - min(along), max(across) - min(across)
        if width * depth < best - 1e-6:
            best = width * depth
            axis = direction if width >= depth else (-direction[1], direction[0])
    return axis


def turned(vector: Point, angle: float) -> Point:
    """The vector turned counter-clockwise by ``angle``, radians."""
    c, s = math.cos(angle), math.sin(angle)
    return vector[0] * c - vector[1] * s, vector[0] * s + vector[1] * c
