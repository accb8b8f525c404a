"""Streets and parcels: regions are cut into street blocks by lanes, street blocks into parcels without gaps."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.geometry import Polygon

from geodata.synthetic.polygons import (
    Point,
    Ring,
    chord,
    level_at_share,
    long_axis,
    split,
    split_with_gap,
    turned,
)
from geodata.synthetic.sizes import Tree, cutting_order, gross_m2, street_blocks, tree_weight
from geodata.units import M2_PER_MU

Floats = NDArray[np.float64]
Shapes = NDArray[np.object_]
Width = Callable[[float, np.random.Generator], tuple[str, float]]
VILLAGE_ROAD_FROM_M2 = 40.0 * M2_PER_MU
"""Land that a road divides, from which on it is a village road and not a lane."""

AVENUE_FROM_M2 = 1200.0 * M2_PER_MU

_STEP_M = 50.0
_OVERRUN_M = 4.0
_VERGE_M = 3.0
_SAME_CORNER_M = 0.01


@dataclass(frozen=True)
class Road:
    """Centre line of a street before the land is warped; ``width_m`` from boundary to boundary."""

    kind: str
    width_m: float
    line: tuple[Point, ...]


@dataclass
class Sketch:
    """Parcels and streets as they are drawn, in a local frame (m).

    Attributes
    ----------
    plots : list of Ring
        Parcels; those of one street block share their nodes exactly.
    block_of, estate_of : list of int
        Street block and estate of each parcel; street blocks are numbered from 0 over the whole sketch.
    roads : list of Road
        Lanes, village roads and avenues.
    """

    plots: list[Ring] = field(default_factory=list)
    block_of: list[int] = field(default_factory=list)
    estate_of: list[int] = field(default_factory=list)
    roads: list[Road] = field(default_factory=list)


def street(ring: Ring, normal: Point, level: float, kind: str, width_m: float) -> Road:
    """Road along ``normal · p = level`` through a convex ring, run on a little so that it meets the crossing road."""
    start, end = np.asarray(chord(ring, normal, level))
    length = float(np.hypot(*(end - start)))
    overrun = (end - start) * (_OVERRUN_M / max(length, 1.0))
    return Road(kind, width_m, (tuple((start - overrun).tolist()), tuple((end + overrun).tolist())))


def lane_width(land_m2: float, rng: np.random.Generator) -> tuple[str, float]:
    """Kind and width, boundary to boundary with its ditch, of the street that divides this much land (m)."""
    if land_m2 >= VILLAGE_ROAD_FROM_M2:
        return "village road", float(rng.uniform(9.4, 10.6))
    return "lane", float(rng.uniform(6.5, 8.0))


def lane_or_avenue(land_m2: float, rng: np.random.Generator) -> tuple[str, float]:
    """As `lane_width`, but large land (three estates) is divided by an avenue of 18-24 m, which nothing bridges."""
    if land_m2 >= AVENUE_FROM_M2:
        return "avenue", float(rng.uniform(18.0, 24.0))
    return lane_width(land_m2, rng)


def carve(
    ring: Ring,
    tree: Tree,
    weights: Sequence[float],
    rng: np.random.Generator,
    *,
    roads: list[Road] | None = None,
    width: Width = lane_width,
) -> Iterator[tuple[int, Ring]]:
    """Cut a convex ring into one piece per leaf of the tree, in proportion to the weights.

    Each cut runs across the longer axis, slightly askew. With ``roads`` every cut is a street, which is added
    there; without, the pieces touch.

    Yields
    ------
    leaf, ring : int, Ring
        Index of the leaf and its piece.
    """
    if isinstance(tree, int):
        yield tree, ring
        return
    first, second = (tree_weight(part, weights) for part in tree)
    normal = turned(long_axis(ring), float(np.clip(rng.normal(0.0, 0.035), -0.09, 0.09)))
    level = level_at_share(ring, normal, first / (first + second))
    if roads is None:
        below, above = split(ring, normal, level)
    else:
        kind, width_m = width(first + second, rng)
        below, above = split_with_gap(ring, normal, level, width_m)
        roads.append(street(ring, normal, level, kind, width_m))
    yield from carve(below, tree[0], weights, rng, roads=roads, width=width)
    yield from carve(above, tree[1], weights, rng, roads=roads, width=width)


def fill_estate(
    sketch: Sketch, ring: Ring, blocks: Sequence[Sequence[float]], estate: int, rng: np.random.Generator
) -> None:
    """Draw the lanes and parcels of one estate.

    Parameters
    ----------
    sketch : Sketch
        Is added to.
    ring : Ring
        The estate's land, convex.
    blocks : sequence of sequence of float
        Parcel sizes (only their proportions count) by street block.
    estate : int
        Number of the estate.
    rng : numpy.random.Generator
    """
    gross = [gross_m2(block) for block in blocks]
    for index, land in carve(ring, cutting_order(gross, rng), gross, rng, roads=sketch.roads):
        sizes = blocks[index]
        pieces = sorted(carve(land, cutting_order(sizes, rng), sizes, rng), key=lambda piece: piece[0])
        number = sketch.block_of[-1] + 1 if sketch.block_of else 0
        sketch.plots += noded([piece for _, piece in pieces])
        sketch.block_of += [number] * len(pieces)
        sketch.estate_of += [estate] * len(pieces)


def fill_estates(
    sketch: Sketch,
    ring: Ring,
    tree: Tree,
    estates: Sequence[Sequence[float]],
    *,
    rng: np.random.Generator,
    numbers: Sequence[int],
    width: Width = lane_width,
) -> None:
    """Divide a region among estates by village roads in the order of the tree, then fill each.

    ``estates`` are parcel sizes by estate, ``numbers`` the numbers the estates go by.
    """
    blocks = [street_blocks(sizes, rng) for sizes in estates]
    gross = [sum(gross_m2(block) for block in of_estate) for of_estate in blocks]
    for index, land in carve(ring, tree, gross, rng, roads=sketch.roads, width=width):
        fill_estate(sketch, land, blocks[index], numbers[index], rng)


def noded(rings: list[Ring]) -> list[Ring]:
    """Give every ring the corners of the others that lie on its edges, so that shared boundaries coincide exactly."""
    if len(rings) < 2:
        return rings
    corners = np.asarray(sorted({point for ring in rings for point in ring}))
    done: list[Ring] = []
    for ring in rings:
        start = np.asarray(ring)
        edge = np.roll(start, -1, axis=0) - start
        length = np.hypot(edge[:, 0], edge[:, 1])
        offset = corners[None, :, :] - start[:, None, :]
        along = (offset * edge[:, None, :]).sum(axis=2) / length[:, None]
        across = (offset[..., 1] * edge[:, None, 0] - offset[..., 0] * edge[:, None, 1]) / length[:, None]
        on_edge = (np.abs(across) < 1e-5) & (along > 1e-5) & (along < length[:, None] - 1e-5)
        full: Ring = []
        for i, point in enumerate(ring):
            full.append(point)
            on = np.flatnonzero(on_edge[i])
            on = on[np.argsort(along[i, on], kind="stable")]
            full += [(float(x), float(y)) for x, y in corners[on]]
        done.append(full)
    return _merged_corners(done)


def _merged_corners(rings: list[Ring]) -> list[Ring]:
    """Make one of corners that are closer than 1 cm: cuts from both sides of an edge may hit nearly the same point.

    The rings must have all their nodes: then every ring moves the same nodes, and no gap can open.
    """
    points = sorted({point for ring in rings for point in ring})
    xy = np.asarray(points)
    near = np.hypot(*(xy[:, None, :] - xy[None, :, :]).T) < _SAME_CORNER_M
    first = near.argmax(axis=1)
    if (first == np.arange(len(points))).all():
        return rings
    into = {point: points[k] for point, k in zip(points, first.tolist(), strict=True)}
    moved = [[into[point] for point in ring] for ring in rings]
    return [[point for i, point in enumerate(ring) if point != ring[i - 1]] for ring in moved]


@dataclass(frozen=True)
class Warp:
    """Smooth bend and turn of the whole land, so that streets are not ruled lines; moves it to its place.

    Attributes
    ----------
    angle : float
        Turn, radians.
    phase : tuple of float
        Where the waves start, radians.
    origin : tuple of float
        Easting and northing of the local origin, m.
    amplitude_m, wave_m : float
        Height and length of the bend; slopes stay below 2π · amplitude / wave.
    """

    angle: float
    phase: tuple[float, float, float]
    origin: Point
    amplitude_m: float = 22.0
    wave_m: float = 1500.0

    def __call__(self, xy: Floats) -> Floats:
        """Local coordinates (n, 2) → easting, northing (n, 2)."""
        x, y = xy[:, 0], xy[:, 1]
        k, a = 2 * np.pi / self.wave_m, self.amplitude_m
        u = x + a * np.sin(k * y + self.phase[0])
        v = y + a * np.sin(k * x + self.phase[1]) + 0.4 * a * np.sin(2.3 * k * x + self.phase[2])
        c, s = np.cos(self.angle), np.sin(self.angle)
        return np.column_stack([u * c - v * s + self.origin[0], u * s + v * c + self.origin[1]])


def make_warp(rng: np.random.Generator, origin: Point) -> Warp:
    """Draw a warp."""
    phase = rng.uniform(0, 2 * np.pi, 3)
    return Warp(float(rng.uniform(0.1, 0.25)), (float(phase[0]), float(phase[1]), float(phase[2])), origin)


def densified(points: Floats, group: NDArray[np.intp], closed: bool) -> tuple[Floats, NDArray[np.intp]]:
    """Put a point on every edge at least each 50 m, at the same place whichever way an edge is walked.

    Parameters
    ----------
    points : (n, 2) float
        Corners of all lines or rings, one after the other.
    group : (n,) int
        Line or ring of each corner, ascending.
    closed : bool
        Rings: the last corner is joined to the first.
    """
    last = np.append(group[1:] != group[:-1], True)
    first_of = np.searchsorted(group, group, side="left")
    follower = np.where(last, first_of if closed else np.arange(len(group)), np.arange(len(group)) + 1)
    start, end = points, points[follower]
    turn = (end[:, 0] < start[:, 0]) | ((end[:, 0] == start[:, 0]) & (end[:, 1] < start[:, 1]))
    low, high = np.where(turn[:, None], end, start), np.where(turn[:, None], start, end)
    pieces = np.maximum(np.ceil(np.hypot(*(high - low).T) / _STEP_M), 1).astype(np.intp)
    edge = np.repeat(np.arange(len(group)), pieces)
    step = np.arange(len(edge)) - np.repeat(np.cumsum(pieces) - pieces, pieces)
    share = np.where(turn[edge], pieces[edge] - step, step) / pieces[edge]
    made = low[edge] + share[:, None] * (high - low)[edge]
    made = np.where((step == 0)[:, None], start[edge], made)
    return made, group[edge]


def to_polygons(rings: Sequence[Ring], warp: Warp) -> Shapes:
    """Warped polygons of rings, not yet rounded."""
    points = np.asarray([point for ring in rings for point in ring], dtype=np.float64).reshape(-1, 2)
    group = np.repeat(np.arange(len(rings)), [len(ring) for ring in rings])
    points, group = densified(points, group, closed=True)
    return np.asarray(shapely.polygons(shapely.linearrings(warp(points), indices=group)), dtype=object)


def to_zones(rings: Sequence[Ring], warp: Warp) -> Shapes:
    """Warped polygons of zones: their land and 3 m of the road around it, so that every parcel lies well inside."""
    wide = shapely.buffer([Polygon(ring) for ring in rings], _VERGE_M, join_style="mitre")
    outlines = [[(float(x), float(y)) for x, y in shapely.get_coordinates(shape)[:-1]] for shape in wide]
    return to_polygons(outlines, warp)


def to_lines(lines: Sequence[Sequence[Point]], warp: Warp) -> Shapes:
    """Warped lines, to the millimetre."""
    points = np.asarray([point for line in lines for point in line], dtype=np.float64).reshape(-1, 2)
    group = np.repeat(np.arange(len(lines)), [len(line) for line in lines])
    points, group = densified(points, group, closed=False)
    return to_millimetres(np.asarray(shapely.linestrings(warp(points), indices=group), dtype=object))


def to_millimetres(shapes: Shapes) -> Shapes:
    """Coordinates rounded to 1 mm: equal points stay equal, so a noded coverage stays one."""
    rounded = shapely.transform(shapes, lambda xy: np.round(xy, 3))
    clean: Shapes = shapely.remove_repeated_points(rounded, 0.0)
    return clean


def band(line: Sequence[Point], half_width_m: Floats) -> Ring:
    """Strip around a line of points, ``half_width_m`` to each side at each point."""
    points = np.asarray(line)
    ahead = np.gradient(points, axis=0)
    side = np.column_stack([-ahead[:, 1], ahead[:, 0]]) / np.hypot(ahead[:, 0], ahead[:, 1])[:, None]
    reach = side * half_width_m[:, None]
    around = np.vstack([points - reach, (points + reach)[::-1]])
    return [(float(x), float(y)) for x, y in around]
