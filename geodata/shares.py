"""Pieces of land shared out among the parcels beside them: each point to the nearest.

All pieces of a window are worked through together, so that the cost of a call is paid once and not for each piece.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import shapely
from scipy.spatial import KDTree

from geodata.contract import BoolArray, FloatArray, GeometryArray, IntArray

_TOUCH_M: Final = 1e-3
_CORNER_M: Final = 5e-3
_STEPS: Final = (0.05, 5.0)
"""Least and greatest distance of the points set along the sides, m."""
_SLIVER_POINTS: Final = 2000
"""Pieces thinner than twice the least distance get about so many points, as far as both distances allow: kilometres of
slivers would need millions of points to share out some square metres."""
_MARGIN_M: Final = 1.0
_APART_M: Final = 1e7
"""Height by which one piece lies above the other where points of all pieces are searched at once."""


def share_pieces(pieces: GeometryArray, parcels: GeometryArray) -> tuple[IntArray, GeometryArray]:
    """Share pieces of land out among the parcels that border them.

    Parameters
    ----------
    pieces : geometry[n]
        Connected polygons that overlap no parcel.
    parcels : geometry[p]
        Valid polygons; where two overlap, a side along both is the first one's.

    Returns
    -------
    parcel : int64[k]
        Position of the parcel that gets each part.
    parts : geometry[k]
        By piece, then by parcel. A piece with one parcel beside it goes to it whole; one with none to nobody.
    """
    sides = _Sides.of(pieces, parcels)
    pairs = np.unique(np.stack([sides.piece, sides.parcel], axis=1), axis=0)
    several = np.bincount(pairs[:, 0], minlength=len(pieces)) > 1
    whole = pairs[~several[pairs[:, 0]]]
    at = np.flatnonzero(several)
    piece, parcel, parts = _cut_up(pieces[at], sides.of_pieces(several))
    owner = np.concatenate([whole[:, 1], parcel])
    order = np.lexsort((owner, np.concatenate([whole[:, 0], at[piece]])))
    out: GeometryArray = np.concatenate([pieces[whole[:, 0]], parts])[order]
    return owner[order], out


@dataclass(frozen=True)
class _Sides:
    """Straight sides of the pieces that run along a parcel, sorted by piece.

    Attributes
    ----------
    start, end : float64[n, 2]
    piece, parcel : int64[n]
        Positions.
    """

    start: FloatArray
    end: FloatArray
    piece: IntArray
    parcel: IntArray

    @classmethod
    def of(cls, pieces: GeometryArray, parcels: GeometryArray) -> _Sides:
        """Those of all pieces; a side along two overlapping parcels counts for the first."""
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
        return cls(start[side], end[side], piece[side].astype(np.int64), parcel[order][first].astype(np.int64))

    def of_pieces(self, chosen: BoolArray) -> _Sides:
        """Those of some pieces, which are numbered anew."""
        rows = chosen[self.piece]
        place = np.cumsum(chosen) - 1
        return _Sides(self.start[rows], self.end[rows], place[self.piece[rows]], self.parcel[rows])


def _cut_up(pieces: GeometryArray, sides: _Sides) -> tuple[IntArray, IntArray, GeometryArray]:
    """Pieces with several parcels beside each, cut halfway between them: piece, parcel and part."""
    none = np.empty(0, dtype=np.int64)
    if not len(pieces):
        return none, none, np.empty(0, dtype=object)
    points, side = _points(sides, _steps(pieces))
    owner, site_piece = sides.parcel[side], sides.piece[side]
    faces, piece = _faces(pieces, *_middle_lines(points, owner, site_piece))
    inner = shapely.get_coordinates(shapely.point_on_surface(faces))
    origin = points.mean(axis=0)
    sites = np.column_stack([points - origin, site_piece * _APART_M])
    nearest = owner[KDTree(sites).query(np.column_stack([inner - origin, piece * _APART_M]))[1]]
    order = np.lexsort((nearest, piece))
    faces, piece, nearest = faces[order], piece[order], nearest[order]
    begins = np.flatnonzero(np.r_[True, (np.diff(piece) != 0) | (np.diff(nearest) != 0)])
    groups = np.split(faces, begins[1:])
    parts = np.empty(len(groups), dtype=object)
    parts[:] = [group[0] if len(group) == 1 else shapely.coverage_union_all(group) for group in groups]
    return _beside(parts, piece[begins], nearest[begins], sides)


def _steps(pieces: GeometryArray) -> FloatArray:
    """Distance of the points along the sides of each piece, m: half its mean width, slivers apart."""
    length = shapely.length(pieces)
    half = shapely.area(pieces) / length
    sliver = np.clip(length / _SLIVER_POINTS, *_STEPS)
    return np.asarray(np.where(half < _STEPS[0], sliver, np.minimum(half, _STEPS[1])))


def _faces(pieces: GeometryArray, lines: FloatArray, piece: IntArray) -> tuple[GeometryArray, IntArray]:
    """Pieces cut along lines, ``float64[n, 2, 2]``, each with its piece; and whose part each is."""
    order = np.argsort(piece, kind="stable")
    lines, piece = _close_by(lines[order], piece[order], shapely.bounds(pieces))
    cuts = np.asarray(shapely.linestrings(lines), dtype=object)
    shapely.prepare(pieces)
    met = shapely.intersects(pieces[piece], cuts)
    cuts, piece = cuts[met], piece[met]
    edges = np.asarray(shapely.boundary(pieces), dtype=object)
    if len(cuts):
        cut, place = np.unique(piece, return_inverse=True)
        edges[cut] = shapely.union(edges[cut], shapely.multilinestrings(cuts, indices=place))
    faces, owner = shapely.get_parts(shapely.polygonize(edges[:, None]), return_index=True)
    inside = shapely.contains(pieces[owner], shapely.point_on_surface(faces))
    return faces[inside], owner[inside].astype(np.int64)


def _close_by(lines: FloatArray, piece: IntArray, bounds: FloatArray) -> tuple[FloatArray, IntArray]:
    """What of the lines lies within a metre of the bounds of their pieces; and whose piece.

    Centres of circles round nearly straight triangles lie millions of kilometres out: lines that lead there cannot be
    crossed with others without loss.
    """
    low, high = bounds[piece, :2] - _MARGIN_M, bounds[piece, 2:] + _MARGIN_M
    out = np.hypot(*(lines - (low + high)[:, None] / 2).transpose(2, 0, 1))
    turned = out[:, 1] < out[:, 0]  # from the end that is known best
    start, end = (
        np.where(turned[:, None], lines[:, 1], lines[:, 0]),
        np.where(turned[:, None], lines[:, 0], lines[:, 1]),
    )
    way = end - start
    flat = way == 0
    with np.errstate(divide="ignore", invalid="ignore"):
        at = np.stack([(low - start) / way, (high - start) / way])
    outside = flat & ((start < low) | (start > high))
    enter = np.where(flat, -np.inf, at.min(axis=0)).max(axis=1).clip(0.0)
    leave = np.where(flat, np.inf, at.max(axis=0)).min(axis=1).clip(max=1.0)
    first = np.where((enter > 0)[:, None], start + enter[:, None] * way, start)
    last = np.where((leave < 1)[:, None], start + leave[:, None] * way, end)
    keep = (enter < leave) & ~outside.any(axis=1)
    return np.stack([first, last], axis=1)[keep], piece[keep]


def _middle_lines(points: FloatArray, owner: IntArray, piece: IntArray) -> tuple[FloatArray, IntArray]:
    """Straight lines, ``float64[n, 2, 2]``, between land nearest to points of different owners; and whose piece.

    They are the sides of the points' Voronoi cells, found as the lines between the centres of the circles round
    neighbouring Delaunay triangles; where there is no further triangle, a line leads far out.
    """
    begins = np.flatnonzero(np.r_[True, np.diff(piece) != 0])
    count = np.diff(np.r_[begins, len(piece)])
    origin = np.add.reduceat(points, begins, axis=0) / count[:, None]
    local = points - origin[piece]
    triangles, home = shapely.get_parts(
        shapely.delaunay_triangles(shapely.multipoints(local, indices=piece)), return_index=True
    )
    lines, which = _between_triangles(local, owner, piece, shapely.get_coordinates(triangles), home)
    straight = np.setdiff1d(np.arange(len(begins)), home)
    rows = [slice(begins[k], begins[k] + count[k]) for k in straight.tolist()]
    alone = [_between_collinear(local[r], owner[r]) for r in rows]
    lines = np.concatenate([lines, *alone])
    which = np.concatenate([which, np.repeat(straight, [len(found) for found in alone])])
    long = np.hypot(*(lines[:, 1] - lines[:, 0]).T) > 0
    return lines[long] + origin[which[long], None], which[long]


def _between_triangles(
    local: FloatArray, owner: IntArray, piece: IntArray, corners: FloatArray, home: IntArray
) -> tuple[FloatArray, IntArray]:
    """Lines square to those sides of triangles that join points of different owners; and whose piece."""
    corner = corners.reshape(-1, 4, 2)[:, :3]
    index = _positions(local, piece, corner.reshape(-1, 2), np.repeat(home, 3)).reshape(-1, 3)
    centre = _circle_centres(corner)
    side = np.sort(np.concatenate([index[:, [0, 1]], index[:, [1, 2]], index[:, [2, 0]]]), axis=1)
    opposite = np.concatenate([index[:, 2], index[:, 0], index[:, 1]])
    triangle = np.tile(np.arange(len(index)), 3)
    differ = owner[side[:, 0]] != owner[side[:, 1]]
    side, opposite, triangle = side[differ], opposite[differ], triangle[differ]
    order = np.lexsort((side[:, 1], side[:, 0]))
    side, opposite, triangle = side[order], opposite[order], triangle[order]
    first = np.flatnonzero((side[1:] == side[:-1]).all(axis=1))
    inner = np.stack([centre[triangle[first]], centre[triangle[first + 1]]], axis=1)
    alone = np.ones(len(side), dtype=bool)
    alone[first] = alone[first + 1] = False
    p, q, third = local[side[alone, 0]], local[side[alone, 1]], local[opposite[alone]]
    out = np.column_stack([(q - p)[:, 1], -(q - p)[:, 0]])
    out *= -np.sign(((third - p) * out).sum(axis=1))[:, None] / np.hypot(*out.T)[:, None]
    far = np.zeros(int(piece.max(initial=0)) + 1)
    np.maximum.at(far, home, np.abs(centre).max(axis=1))
    # Points lie round their mean: none is further from another than twice the furthest from it.
    spread = np.zeros(len(far))
    np.maximum.at(spread, piece, np.abs(local).max(axis=1))
    far += 8 * spread
    outer = centre[triangle[alone]]
    outer = np.stack([outer, outer + far[home[triangle[alone]], None] * out], axis=1)
    return np.concatenate([inner, outer]), home[np.concatenate([triangle[first], triangle[alone]])].astype(np.int64)


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


def _positions(points: FloatArray, piece: IntArray, wanted: FloatArray, wanted_piece: IntArray) -> IntArray:
    """Where each wanted point stands among points that are all different within their piece and hold it exactly."""
    xy = np.concatenate([points, wanted])
    home = np.concatenate([piece, wanted_piece])
    order = np.lexsort((xy[:, 1], xy[:, 0], home))
    new = (xy[order][1:] != xy[order][:-1]).any(axis=1) | (np.diff(home[order]) != 0)
    place = np.empty(len(xy), dtype=np.int64)
    place[order] = np.cumsum(np.r_[False, new])
    at = np.empty(len(points), dtype=np.int64)
    at[place[: len(points)]] = np.arange(len(points))
    return at[place[len(points) :]]


def _circle_centres(corner: FloatArray) -> FloatArray:
    """Centres of the circles through the corners of triangles, ``float64[n, 2]``."""
    a = corner[:, 0]
    b, c = corner[:, 1] - a, corner[:, 2] - a
    twice = 2 * (b[:, 0] * c[:, 1] - b[:, 1] * c[:, 0])
    bb, cc = (b * b).sum(axis=1), (c * c).sum(axis=1)
    x = (c[:, 1] * bb - b[:, 1] * cc) / twice
    y = (b[:, 0] * cc - c[:, 0] * bb) / twice
    return np.asarray(a + np.column_stack([x, y]), dtype=np.float64)


def _points(sides: _Sides, step_m: FloatArray) -> tuple[FloatArray, IntArray]:
    """Points along the sides no further apart than the step of the piece, the outermost close to the ends, each once.

    Sides that follow each other along one parcel are one line for this, whatever its corners. With each point comes
    the side that it lies on; points are sorted by piece.
    """
    start, end = sides.start, sides.end
    length = np.hypot(*(end - start).T)
    new = np.ones(len(start), dtype=bool)
    new[1:] = (start[1:] != end[:-1]).any(axis=1) | (np.diff(sides.parcel) != 0) | (np.diff(sides.piece) != 0)
    begins = np.flatnonzero(new)
    ends = np.r_[begins[1:], len(start)] - 1
    reached = np.cumsum(length)
    before = (reached - length)[new]
    total = np.append(before[1:], reached[-1]) - before
    count = np.ceil(total / step_m[sides.piece[begins]]).astype(np.int64) + 1
    which = np.repeat(np.arange(len(count)), count)
    place = np.arange(len(which)) - np.repeat(np.cumsum(count) - count, count)
    inset = np.minimum(_CORNER_M, total / 4)[which]
    along = before[which] + inset + (total[which] - 2 * inset) * place / (count[which] - 1)
    side = np.clip(np.searchsorted(reached, along), begins[which], ends[which])
    share = np.clip((along - reached[side] + length[side]) / length[side], 0.0, 1.0)
    points = start[side] + (end - start)[side] * share[:, None]
    piece = sides.piece[side]
    order = np.lexsort((points[:, 1], points[:, 0], piece))
    once = np.r_[True, (np.diff(points[order], axis=0) != 0).any(axis=1) | (np.diff(piece[order]) != 0)]
    return points[order[once]], side[order[once]]


def _beside(
    parts: GeometryArray, piece: IntArray, parcel: IntArray, sides: _Sides
) -> tuple[IntArray, IntArray, GeometryArray]:
    """What of each part borders its parcel along the sides of its piece: piece, parcel, and that, if anything."""
    polygons, part = shapely.get_parts(parts, return_index=True)
    flat = shapely.get_dimensions(polygons) == 2
    polygons, part = polygons[flat], part[flat]
    keep = np.bincount(part, minlength=len(parts))[part] == 1
    several = np.flatnonzero(~keep)
    lines = np.asarray(shapely.linestrings(np.stack([sides.start, sides.end], axis=1)), dtype=object)
    at, side = shapely.STRtree(lines).query(polygons[several], predicate="dwithin", distance=2 * _CORNER_M)
    whose = part[several[at]]
    own = (sides.piece[side] == piece[whose]) & (sides.parcel[side] == parcel[whose])
    keep[several[at[own]]] = True
    polygons, part = polygons[keep], part[keep]
    left, first, row, count = np.unique(part, return_index=True, return_inverse=True, return_counts=True)
    out = polygons[first]
    many = np.flatnonzero(count > 1)
    place = np.full(len(left), -1)
    place[many] = np.arange(len(many))
    joined = place[row] >= 0
    if len(many):
        out[many] = shapely.multipolygons(polygons[joined], indices=place[row[joined]])
    return piece[left], parcel[left], out
