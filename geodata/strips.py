"""Narrow gaps between polygons: finding them, and allotting them to the polygons beside them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import numpy as np
import shapely
from shapely.geometry.base import BaseGeometry

from geodata.contract import GeometryArray, IntArray
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
    found = [] if gap_max_m == 0 or shapely.is_empty(edges) else list(_strips(polygons, edges, gap_max_m))
    allotted = [pair for strip in found for pair in _allot(strip, polygons, gap_max_m)]
    pieces = np.empty(len(allotted), dtype=object)
    pieces[:] = [piece for _, piece in allotted]
    return pieces, np.array([k for k, _ in allotted], dtype=np.int64)


def _strips(polygons: GeometryArray, edges: BaseGeometry, gap_max_m: float) -> Iterator[BaseGeometry]:
    """Gaps beside the edges: the ground closed (grown, then shrunk) by half the width, less the ground."""
    zone = shapely.buffer(edges, 5 * gap_max_m, quad_segs=2)
    ground = shapely.union_all(shapely.intersection(polygons, zone))
    half = gap_max_m / 2 + _ROUNDING_M
    closed = _mitred(_mitred(ground, half), -half)
    gaps = polygonal(shapely.difference(closed, ground))
    body = _opened(gaps)
    # Ends that taper off, and slits: apart from the body, so that errors along one polygon can be told from them.
    parts = np.concatenate([shapely.get_parts(g) for g in (body, polygonal(shapely.difference(gaps, body)))])
    # Further from the edges the ground was only looked at in part.
    parts = parts[shapely.distance(parts, edges) <= gap_max_m]
    too_wide = ~shapely.is_empty(shapely.buffer(parts, -half - _ROUNDING_M))
    yield from parts[~too_wide & (shapely.area(parts) > _NOTHING_M2)]


def _mitred(geometry: BaseGeometry, distance: float) -> BaseGeometry:
    grown: BaseGeometry = shapely.buffer(geometry, distance, join_style="mitre", mitre_limit=_MITRE_LIMIT)
    return grown


def _opened(gaps: BaseGeometry) -> BaseGeometry:
    """Gaps without what may be an error of the buffers."""
    core = shapely.buffer(gaps, -_CRUMB_M / 2, join_style="mitre")
    return polygonal(shapely.intersection(gaps, _mitred(core, _CRUMB_M)))


def _allot(strip: BaseGeometry, polygons: GeometryArray, gap_max_m: float) -> Iterator[tuple[int, BaseGeometry]]:
    """Pieces of one gap; none where only one polygon lies beside it."""
    beside = np.flatnonzero(shapely.dwithin(polygons, strip, _ROUNDING_M))
    if len(beside) < 2:
        return
    low_x, low_y, high_x, high_y = shapely.bounds(strip)
    pad = 3 * gap_max_m
    local = shapely.intersection(polygons[beside], shapely.box(low_x - pad, low_y - pad, high_x + pad, high_y + pad))
    near = shapely.buffer(local, 10 * _ROUNDING_M, quad_segs=1)
    border = shapely.length(shapely.intersection(shapely.boundary(strip), near))
    if np.count_nonzero(border > _CRUMB_M) < 2:
        return
    left = strip
    for k in np.lexsort((beside, -np.round(border, 3))).tolist():
        pieces = shapely.get_parts(polygonal(shapely.intersection(left, shapely.buffer(local[k], gap_max_m))))
        # Around the corner of a neighbour there is ground within reach that the polygon does not touch.
        attached = shapely.length(shapely.intersection(shapely.boundary(pieces), near[k])) > _CRUMB_M
        for piece in pieces[attached]:
            yield int(beside[k]), piece
        left = polygonal(shapely.difference(left, shapely.union_all(pieces[attached])), _NOTHING_M2)
        if shapely.is_empty(left):
            return
