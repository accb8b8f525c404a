"""Narrow gaps between polygons: finding them, and allotting them to the polygons beside them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import numpy as np
import shapely
from shapely.geometry.base import BaseGeometry

from geodata.contract import FloatArray, GeometryArray, IntArray
from geodata.overlaps import polygonal

_ROUNDING_M: Final = 1e-6
_CRUMB_M: Final = 1e-3
"""Buffers are exact to a hundredth of their distance; what is thinner than this may be that error."""

_NOTHING_M2: Final = 1e-8

_MITRE_LIMIT: Final = 20.0


def allotted_strips(polygons: GeometryArray, edges: BaseGeometry, gap_max_m: float) -> tuple[GeometryArray, IntArray]:
    """Gaps up to a width along given edges, cut into pieces by the polygon that gets each.

    Parameters
    ----------
    polygons : geometry[n]
        Valid polygons around the edges, in the order in which ties are settled.
    edges : lines
        Where to look: only gaps beside these count.
    gap_max_m : float
        Greatest width, m, as the diameter of the largest circle inside; 0 = none.

    Returns
    -------
    pieces : geometry[k]
        Polygons that overlap none of `polygons`.
    owner : int64[k]
        Position of the polygon that gets each: of those beside the gap the one with the longest border, for the ground
        within `gap_max_m` of it, then the next.
    """
    pieces: list[BaseGeometry] = []
    owner: list[int] = []
    if gap_max_m > 0 and not shapely.is_empty(edges):
        zone = shapely.buffer(edges, 5 * gap_max_m, quad_segs=2)
        shapely.prepare(zone)
        near = np.flatnonzero(shapely.intersects(zone, polygons))
        local = shapely.intersection(polygons[near], zone)
        for k, piece in _allotted(_strips(local, edges, gap_max_m), local, gap_max_m):
            owner.append(int(near[k]))
            pieces.append(piece)
    out = np.empty(len(pieces), dtype=object)
    out[:] = pieces
    return out, np.array(owner, dtype=np.int64)


def _strips(local: GeometryArray, edges: BaseGeometry, gap_max_m: float) -> GeometryArray:
    """Gaps beside the edges: the ground closed (grown, then shrunk) by half the width, less the ground."""
    ground = shapely.union_all(local)
    half = gap_max_m / 2 + _ROUNDING_M
    closed = _mitred(_mitred(ground, half), -half)
    gaps = polygonal(shapely.difference(closed, ground))
    body = _opened(gaps)
    # Ends that taper off, and slits: apart from the body, so that errors along one polygon can be told from them.
    parts = np.concatenate([shapely.get_parts(g) for g in (body, polygonal(shapely.difference(gaps, body)))])
    # Further from the edges the ground was only looked at in part.
    parts = parts[shapely.area(parts) > _NOTHING_M2]
    parts = parts[shapely.dwithin(parts, edges, gap_max_m)]
    out: GeometryArray = parts[shapely.is_empty(shapely.buffer(parts, -half - _ROUNDING_M))]
    return out


def _mitred(geometry: BaseGeometry, distance: float) -> BaseGeometry:
    grown: BaseGeometry = shapely.buffer(geometry, distance, join_style="mitre", mitre_limit=_MITRE_LIMIT)
    return grown


def _opened(gaps: BaseGeometry) -> BaseGeometry:
    """Gaps without what may be an error of the buffers."""
    core = shapely.buffer(gaps, -_CRUMB_M / 2, join_style="mitre")
    return polygonal(shapely.intersection(gaps, _mitred(core, _CRUMB_M)))


def _allotted(strips: GeometryArray, local: GeometryArray, gap_max_m: float) -> Iterator[tuple[int, BaseGeometry]]:
    """Pieces of gaps and whose they are; none where only one polygon lies beside a gap."""
    strip, beside = shapely.STRtree(local).query(strips, predicate="dwithin", distance=_ROUNDING_M)
    several = np.bincount(strip, minlength=len(strips))[strip] > 1
    strip, beside = strip[several], beside[several]
    bounds = shapely.bounds(strips[strip])
    pad = 3 * gap_max_m
    boxes = shapely.box(bounds[:, 0] - pad, bounds[:, 1] - pad, bounds[:, 2] + pad, bounds[:, 3] + pad)
    ground = shapely.intersection(local[beside], boxes)
    border = _border_m(strips[strip], ground)
    order = np.lexsort((beside, -np.round(border, 3), strip))
    for rows in np.split(order, np.flatnonzero(np.diff(strip[order])) + 1):
        if np.count_nonzero(border[rows] > _CRUMB_M) > 1:
            for n, piece in _allot(strips[strip[rows[0]]], ground[rows], gap_max_m):
                yield int(beside[rows[n]]), piece


def _allot(strip: BaseGeometry, ground: GeometryArray, gap_max_m: float) -> Iterator[tuple[int, BaseGeometry]]:
    """Pieces of one gap to the polygons beside it, the first of them first."""
    left = strip
    for n, polygon in enumerate(ground):
        pieces = shapely.get_parts(
            polygonal(shapely.intersection(left, shapely.buffer(polygon, gap_max_m, quad_segs=4)))
        )
        # Around the corner of a neighbour there is ground within reach that the polygon does not touch.
        attached = pieces[_border_m(pieces, np.full(len(pieces), polygon)) > _CRUMB_M]
        for piece in attached:
            yield n, piece
        if len(attached):
            left = polygonal(shapely.difference(left, shapely.union_all(attached)), _NOTHING_M2)
        if shapely.is_empty(left):
            return


def _border_m(pieces: GeometryArray, polygons: GeometryArray) -> FloatArray:
    """Length of the outline of each piece along its polygon: of segments that lie on it with both ends and middle."""
    rings, piece = shapely.get_rings(pieces, return_index=True)
    coords, ring = shapely.get_coordinates(rings, return_index=True)
    inside = ring[1:] == ring[:-1]
    start, end = coords[:-1][inside], coords[1:][inside]
    owner = piece[ring[:-1][inside]]
    on = np.ones(len(owner), dtype=bool)
    for points in (start, end, (start + end) / 2):
        on[on] = shapely.dwithin(shapely.points(points[on]), polygons[owner[on]], 10 * _ROUNDING_M)
    length: FloatArray = np.bincount(owner[on], np.hypot(*(end - start)[on].T), minlength=len(pieces)).astype(float)
    return length
