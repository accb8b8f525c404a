"""Land between parcels, allotted to the parcels beside it.

Definitions
-----------
* *Between*: land that no parcel covers and that no disc of diameter ``between_max_m`` lying free of parcels reaches
  (the morphological closing of the parcels, less the parcels). A lane between parallel sides is between up to that
  width, compared to the centimetre; the middle of a crossroads of lanes of width w is w·√2 wide. Squares and fields
  are not between, nor is what lies outside; where a lane opens into a field, a disc reaches a little way into its
  mouth. A re-entrant corner of open land is filled by the small fillet that no disc reaches.
* *Barriers* are taken out: of a polygon its area; a line parts the land on its two sides, and where it ends in between
  it is led on to the nearest side.
* *Allotted*: each connected piece of what is left goes to the parcels that border it, each point to the nearest of
  them. So nothing is allotted across a barrier that parts the land. What borders no parcel, or lies apart from the
  parcel nearest to it, stays unallotted and is counted.

Accuracy
--------
The pieces part the land between without gap or overlap. The line between two parcels is that between points set along
their sides, no further apart than half the mean width of the piece. It strays from the true middle of a lane of width w
by up to w/32, to either side in turn, so that areas agree far closer.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import shapely
from shapely.geometry.base import BaseGeometry

from geodata.contract import FloatArray, GeometryArray, IntArray

WIDTH_SLACK_M: Final = 0.01
"""Widths are compared to the centimetre: a lane of just the greatest width counts."""
FRAGMENT_M2: Final = 0.05
"""Pieces smaller than this (fillets at blunt corners) are left unallotted."""
_TOUCH_M: Final = 1e-3
_CORNER_M: Final = 5e-3
_STEPS: Final = (0.05, 5.0)
"""Least and greatest distance of the points set along the sides, m."""
_PARCELS_PER_TILE: Final = 150
_CIRCLE: Final = 16


@dataclass(frozen=True)
class Allotted:
    """Land between parcels.

    Attributes
    ----------
    parcel : int64[k]
        Position of the parcel, rising, each at most once.
    geometry : geometry[k]
        What it is allotted, Polygon or MultiPolygon.
    unallotted_m2 : float
        Land between parcels that goes to none.
    """

    parcel: IntArray
    geometry: GeometryArray
    unallotted_m2: float


def allot_between(geometry: GeometryArray, barriers: GeometryArray, between_max_m: float) -> Allotted:
    """Allot the land between parcels.

    The plane is worked through in square tiles, each with a margin so wide that nothing beyond it matters.

    Parameters
    ----------
    geometry : geometry[p]
        Valid polygons, in the order of their ids, so that the result does not depend on the order of rows.
    barriers : geometry[b]
        Lines and polygons.
    between_max_m : float
        Greatest width, above 0.

    Returns
    -------
    Allotted
    """
    found: list[BaseGeometry] = []
    owners: list[int] = []
    rest_m2 = 0.0
    for tile, window in _tiles(geometry, between_max_m):
        parts, owner, rest = _in_window(window, barriers, between_max_m, tile)
        found += parts
        owners += owner
        rest_m2 += rest
    order = np.argsort(np.array(owners, dtype=np.int64), kind="stable")
    parcel, start = np.unique(np.array(owners, dtype=np.int64)[order], return_index=True)
    united = np.empty(len(parcel), dtype=object)
    for k, places in enumerate(np.split(order, start[1:])[: len(parcel)]):
        group = [found[place] for place in places.tolist()]
        united[k] = group[0] if len(group) == 1 else shapely.union_all(group)
    return Allotted(parcel, united, rest_m2)


@dataclass(frozen=True)
class _Window:
    """A rectangle with the parcels in it, cut off at its edge."""

    box: BaseGeometry
    parcel: IntArray
    geometry: GeometryArray


def _tiles(geometry: GeometryArray, between_max_m: float) -> Iterator[tuple[BaseGeometry, _Window]]:
    """Tiles that hold parcels, each with its window: the tile and a margin of twice the width and a metre."""
    bounds = shapely.bounds(geometry)
    mean = float(((bounds[:, 2] - bounds[:, 0]) * (bounds[:, 3] - bounds[:, 1])).mean())
    size = float(np.ceil(max(np.sqrt(_PARCELS_PER_TILE * mean), 20 * between_max_m)))
    margin = 2 * between_max_m + 1.0
    low = np.floor((bounds[:, :2] - between_max_m) / size).astype(np.int64)
    high = np.floor((bounds[:, 2:] + between_max_m) / size).astype(np.int64)
    used = {
        (x, y)
        for (x0, y0), (x1, y1) in zip(low.tolist(), high.tolist(), strict=True)
        for x in range(x0, x1 + 1)
        for y in range(y0, y1 + 1)
    }
    tree = shapely.STRtree(geometry)
    for x, y in sorted(used):
        x0, y0, x1, y1 = x * size, y * size, (x + 1) * size, (y + 1) * size
        edges = (x0 - margin, y0 - margin, x1 + margin, y1 + margin)
        near = np.sort(tree.query(shapely.box(*edges)))
        inside = shapely.clip_by_rect(geometry[near], *edges)
        some = shapely.area(inside) > 0
        if some.any():
            yield shapely.box(x0, y0, x1, y1), _Window(shapely.box(*edges), near[some].astype(np.int64), inside[some])


def _in_window(
    window: _Window, barriers: GeometryArray, between_max_m: float, tile: BaseGeometry
) -> tuple[list[BaseGeometry], list[int], float]:
    """What of the tile goes to which parcels, and how much to none, m²."""
    pieces = _free_pieces(window, barriers, between_max_m)
    shapely.prepare(tile)
    pieces = pieces[shapely.intersects(tile, pieces)]
    found: list[BaseGeometry] = []
    owners: list[int] = []
    sides = _Sides.of(pieces, window.geometry)
    for k, piece in enumerate(pieces):
        for local, part in _shares(piece, *sides.beside(k)):
            found.append(part)
            owners.append(int(window.parcel[local]))
    between_m2 = float(shapely.area(shapely.intersection(pieces, tile)).sum()) if len(pieces) else 0.0
    clipped = np.array(found, dtype=object)
    across = ~shapely.covers(tile, clipped)
    clipped[across] = shapely.intersection(clipped[across], tile)
    area = shapely.area(clipped)
    keep = np.flatnonzero(area > 0)
    parts = [_polygons(clipped[k]) for k in keep.tolist()]
    return parts, [owners[k] for k in keep.tolist()], max(0.0, between_m2 - float(area.sum()))


def _free_pieces(window: _Window, barriers: GeometryArray, between_max_m: float) -> GeometryArray:
    """Connected pieces of the land between parcels, barriers taken out."""
    radius = (between_max_m + WIDTH_SLACK_M) / 2
    covered = shapely.union_all(window.geometry)
    wide = shapely.buffer(covered, radius, quad_segs=_CIRCLE)
    closed = shapely.buffer(wide, -radius, quad_segs=_CIRCLE)
    free = shapely.difference(closed, covered)
    near = barriers[shapely.intersects(barriers, window.box)]
    if len(near):
        near = shapely.intersection(near, window.box)
        solid = near[shapely.get_dimensions(near) == 2]
        free = shapely.difference(free, shapely.union_all(solid)) if len(solid) else free
        free = _parted(free, near[shapely.get_dimensions(near) == 1])
    parts = shapely.get_parts(free)
    area = shapely.area(parts)
    return np.asarray(parts[(shapely.get_dimensions(parts) == 2) & (area >= FRAGMENT_M2)], dtype=object)


def _parted(free: BaseGeometry, lines: GeometryArray) -> BaseGeometry:
    """Land cut along lines, nothing of it lost; a line that ends inside a piece is led on to its nearest side."""
    polygons = shapely.get_parts(free)
    met, line = shapely.STRtree(lines).query(polygons, predicate="intersects")
    out = list(polygons[~np.isin(np.arange(len(polygons)), met)])
    for k in np.unique(met).tolist():
        around = shapely.boundary(polygons[k])
        cuts = shapely.union_all(lines[line[met == k]])
        ends = shapely.get_parts(shapely.boundary(cuts))
        ends = ends[shapely.contains(polygons[k], ends)]
        edges = shapely.union_all([around, cuts, *shapely.shortest_line(ends, around)])
        faces = shapely.get_parts(shapely.polygonize(shapely.get_parts(edges)))
        out += [f for f in faces if shapely.contains(polygons[k], shapely.point_on_surface(f))]
    return shapely.GeometryCollection(out)


@dataclass(frozen=True)
class _Sides:
    """Straight sides of the pieces that run along a parcel, sorted by piece.

    Attributes
    ----------
    offsets : int64[pieces + 1]
        Sides of piece k are ``offsets[k]:offsets[k + 1]``.
    start, end : float64[n, 2]
    parcel : int64[n]
        Position in the window.
    """

    offsets: IntArray
    start: FloatArray
    end: FloatArray
    parcel: IntArray

    @classmethod
    def of(cls, pieces: GeometryArray, parcels: GeometryArray) -> _Sides:
        """Those of all pieces of a window; a side along two overlapping parcels counts for the first."""
        rings, owner = shapely.get_rings(pieces, return_index=True)
        xy, ring = shapely.get_coordinates(rings, return_index=True)
        keep = (ring[1:] == ring[:-1]) & np.any(xy[1:] != xy[:-1], axis=1)
        start, end, piece = xy[:-1][keep], xy[1:][keep], owner[ring[:-1][keep]]
        # A side that is no parcel's may still start on one: its middle decides.
        middle = (start + end) / 2
        around = shapely.box(*(middle - _TOUCH_M).T, *(middle + _TOUCH_M).T)
        side, parcel = shapely.STRtree(parcels).query(around)
        shapely.prepare(parcels)
        near = shapely.dwithin(parcels[parcel], shapely.points(middle[side]), _TOUCH_M)
        side, parcel = side[near], parcel[near]
        order = np.lexsort((parcel, side))
        side, first = np.unique(side[order], return_index=True)
        offsets = np.searchsorted(piece[side], np.arange(len(pieces) + 1)).astype(np.int64)
        return cls(offsets, start[side], end[side], parcel[order][first].astype(np.int64))

    def beside(self, k: int) -> tuple[FloatArray, FloatArray, IntArray]:
        """Starts, ends and parcels of the sides of one piece."""
        rows = slice(self.offsets[k], self.offsets[k + 1])
        return self.start[rows], self.end[rows], self.parcel[rows]


def _shares(
    piece: BaseGeometry, start: FloatArray, end: FloatArray, parcel: IntArray
) -> list[tuple[int, BaseGeometry]]:
    """One piece shared out: parcel and part, by rising position."""
    owners = np.unique(parcel)
    if len(owners) <= 1:
        return [(int(owner), piece) for owner in owners]
    step = float(np.clip(piece.area / piece.length, *_STEPS))
    points, owner = _points(start, end, parcel, step)
    middle = shapely.multilinestrings(shapely.linestrings(_middle_lines(points, owner)))
    edges = shapely.union(shapely.boundary(piece), middle)
    faces = shapely.get_parts(shapely.polygonize(shapely.get_parts(edges)))
    inner = shapely.point_on_surface(faces)
    shapely.prepare(piece)
    inside = shapely.contains(piece, inner)
    faces, inner = faces[inside], inner[inside]
    face, site = shapely.STRtree(np.asarray(shapely.points(points))).query_nearest(inner)
    face, first = np.unique(face, return_index=True)
    nearest = owner[site[first]]
    out = []
    for k in np.unique(nearest).tolist():
        part = shapely.coverage_union_all(faces[nearest == k])
        kept = _beside(part, start[parcel == k], end[parcel == k])
        if kept is not None:
            out.append((int(k), kept))
    return out


def _middle_lines(points: FloatArray, owner: IntArray) -> FloatArray:
    """Straight lines, ``float64[n, 2, 2]``, between land nearest to points of different owners.

    They are the sides of the points' Voronoi cells, found as the lines between the centres of the circles round
    neighbouring Delaunay triangles; where there is no further triangle, a line leads far out.
    """
    origin = points.mean(axis=0)
    local = points - origin
    triangles = shapely.get_parts(shapely.delaunay_triangles(shapely.multipoints(local)))
    if not len(triangles):
        return np.asarray(_between_collinear(local, owner) + origin)
    corner = shapely.get_coordinates(triangles).reshape(-1, 4, 2)[:, :3]
    index = _positions(local, corner.reshape(-1, 2)).reshape(-1, 3)
    centre = _circle_centres(corner)
    side = np.sort(np.concatenate([index[:, [0, 1]], index[:, [1, 2]], index[:, [2, 0]]]), axis=1)
    opposite = np.concatenate([index[:, 2], index[:, 0], index[:, 1]])
    triangle = np.tile(np.arange(len(index)), 3)
    differ = owner[side[:, 0]] != owner[side[:, 1]]
    side, opposite, triangle = side[differ], opposite[differ], triangle[differ]
    order = np.lexsort((side[:, 1], side[:, 0]))
    side, opposite, triangle = side[order], opposite[order], triangle[order]
    again = (side[1:] == side[:-1]).all(axis=1)
    first = np.flatnonzero(again)
    inner = np.stack([centre[triangle[first]], centre[triangle[first + 1]]], axis=1)
    alone = np.ones(len(side), dtype=bool)
    alone[first] = alone[first + 1] = False
    p, q, third = local[side[alone, 0]], local[side[alone, 1]], local[opposite[alone]]
    out = np.column_stack([(q - p)[:, 1], -(q - p)[:, 0]])
    out *= -np.sign(((third - p) * out).sum(axis=1))[:, None] / np.hypot(*out.T)[:, None]
    far = 4 * np.ptp(local, axis=0).max() + np.abs(centre).max(initial=0.0)
    outer = np.stack([centre[triangle[alone]], centre[triangle[alone]] + far * out], axis=1)
    lines = np.concatenate([inner, outer])
    return np.asarray(lines[np.hypot(*(lines[:, 1] - lines[:, 0]).T) > 0] + origin, dtype=np.float64)


def _between_collinear(local: FloatArray, owner: IntArray) -> FloatArray:
    """The same for points on one straight line: lines square to it."""
    order = np.lexsort((local[:, 1], local[:, 0]))
    p, q = local[order[:-1]], local[order[1:]]
    differ = owner[order[:-1]] != owner[order[1:]]
    p, q = p[differ], q[differ]
    across = np.column_stack([(q - p)[:, 1], -(q - p)[:, 0]])
    across *= 4 * np.ptp(local, axis=0).max() / np.hypot(*across.T)[:, None]
    middle = (p + q) / 2
    return np.stack([middle - across, middle + across], axis=1)


def _positions(points: FloatArray, wanted: FloatArray) -> IntArray:
    """Where each wanted point stands among points that are all different and hold it exactly."""
    both, place = np.unique(_complex(np.concatenate([points, wanted])), return_inverse=True)
    at = np.empty(len(both), dtype=np.int64)
    at[place[: len(points)]] = np.arange(len(points))
    return at[place[len(points) :]]


def _complex(points: FloatArray) -> npt.NDArray[np.complex128]:
    """Points as single numbers, which sort many times faster than rows."""
    return points[:, 0] + 1j * points[:, 1]


def _circle_centres(corner: FloatArray) -> FloatArray:
    """Centres of the circles through the corners of triangles, ``float64[n, 2]``."""
    a = corner[:, 0]
    b, c = corner[:, 1] - a, corner[:, 2] - a
    twice = 2 * (b[:, 0] * c[:, 1] - b[:, 1] * c[:, 0])
    bb, cc = (b * b).sum(axis=1), (c * c).sum(axis=1)
    x = (c[:, 1] * bb - b[:, 1] * cc) / twice
    y = (b[:, 0] * cc - c[:, 0] * bb) / twice
    return np.asarray(a + np.column_stack([x, y]), dtype=np.float64)


def _points(start: FloatArray, end: FloatArray, parcel: IntArray, step_m: float) -> tuple[FloatArray, IntArray]:
    """Points along the sides no further apart than the step, the outermost close to the ends, each once.

    Sides that follow each other along one parcel are one line for this, whatever its corners.
    """
    length = np.hypot(*(end - start).T)
    new = np.ones(len(start), dtype=bool)
    new[1:] = (start[1:] != end[:-1]).any(axis=1) | (parcel[1:] != parcel[:-1])
    reached = np.cumsum(length)
    before = (reached - length)[new]
    total = np.append(before[1:], reached[-1]) - before
    count = np.ceil(total / step_m).astype(np.int64) + 1
    which = np.repeat(np.arange(len(count)), count)
    place = np.arange(len(which)) - np.repeat(np.cumsum(count) - count, count)
    inset = np.minimum(_CORNER_M, total / 4)[which]
    along = before[which] + inset + (total[which] - 2 * inset) * place / (count[which] - 1)
    side = np.clip(np.searchsorted(reached, along), 0, len(start) - 1)
    share = np.clip((along - reached[side] + length[side]) / length[side], 0.0, 1.0)
    points = start[side] + (end - start)[side] * share[:, None]
    _, first = np.unique(_complex(points), return_index=True)
    return points[first], parcel[side[first]]


def _beside(part: BaseGeometry, start: FloatArray, end: FloatArray) -> BaseGeometry | None:
    """What of the part borders its parcel along these sides; None where nothing does."""
    polygons = shapely.get_parts(part)
    polygons = polygons[shapely.get_dimensions(polygons) == 2]
    if len(polygons) > 1:
        sides = shapely.multilinestrings(shapely.linestrings(np.stack([start, end], axis=1)))
        polygons = polygons[shapely.dwithin(polygons, sides, 2 * _CORNER_M)]
    if not len(polygons):
        return None
    return shapely.MultiPolygon(list(polygons)) if len(polygons) > 1 else next(iter(polygons))


def _polygons(shape: BaseGeometry) -> BaseGeometry:
    """Polygonal part of what a cut leaves."""
    if shapely.get_type_id(shape) in (3, 6):
        return shape
    parts = shapely.get_parts(shape)
    return shapely.union_all(parts[shapely.get_dimensions(parts) == 2])
