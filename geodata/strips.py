"""Narrow gaps between polygons: finding them, and allotting them to the polygons beside them.

Many places are looked at in one go, each on its own: the routines are asked of arrays over all of them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import shapely

from geodata.contract import FloatArray, GeometryArray, IntArray
from geodata.overlaps import polygonal_each
from geodata.parallel import in_portions, with_settings

_ROUNDING_M: Final = 1e-6
_CRUMB_M: Final = 1e-3
"""Buffers are exact to a hundredth of their distance; what is thinner than this may be that error."""

_NOTHING_M2: Final = 1e-8

_MITRE_LIMIT: Final = 20.0

_LEAST: Final = 50
"""Places at a time: each may have many corners."""


@dataclass(frozen=True)
class Strips:
    """Pieces of gaps and whose they are.

    Attributes
    ----------
    pieces : geometry[k]
        Polygons that overlap none of those around them, by place.
    owner : int64[k]
        Row of the polygon that gets each.
    """

    pieces: GeometryArray
    owner: IntArray


def allotted_strips(polygons: GeometryArray, place: IntArray, edges: GeometryArray, gap_max_m: float) -> Strips:
    """Gaps up to a width along given edges, cut into pieces by the polygon that gets each.

    Parameters
    ----------
    polygons : geometry[n]
        Valid polygons around the edges of their place, in the order in which ties are settled.
    place : int64[n]
        Position in `edges` of the place of each, sorted. A polygon at two places is there twice.
    edges : geometry[p]
        Lines of each place, where to look: only gaps beside these count.
    gap_max_m : float
        Greatest width, m, as the diameter of the largest circle inside; 0 = none.

    Returns
    -------
    Strips
        Of the polygons beside a gap the one with the longest border gets the ground within `gap_max_m` of it, then the
        next.
    """
    nothing = Strips(np.empty(0, dtype=object), np.empty(0, dtype=np.int64))
    if gap_max_m <= 0 or shapely.is_empty(edges).all():
        return nothing
    zone = in_portions(with_settings(shapely.buffer, distance=5 * gap_max_m, quad_segs=2), edges, least=_LEAST)
    shapely.prepare(zone)
    near = np.flatnonzero(in_portions(shapely.intersects, zone[place], polygons, together=place))
    if not len(near):
        return nothing
    local = in_portions(shapely.intersection, polygons[near], zone[place[near]], least=_LEAST)
    at = place[near]
    strips, strip_at = _strips(local, at, edges, gap_max_m)
    beside = _beside(strips, strip_at, local, at, gap_max_m)
    pieces, owner = _allotted(strips, beside, gap_max_m)
    return Strips(pieces, near[owner])


def union_each(geometries: GeometryArray, place: IntArray, n: int) -> GeometryArray:
    """Union of the geometries of each of `n` places, sorted by place; an empty collection where there are none."""
    out = np.full(n, shapely.GeometryCollection(), dtype=object)
    names, group = np.unique(place, return_inverse=True)
    if len(names):
        together = np.asarray(shapely.geometrycollections(geometries, indices=group))
        out[names] = in_portions(_union, together, least=_LEAST)
    return out


def _union(together: GeometryArray) -> GeometryArray:
    return np.asarray(shapely.union_all(together[:, None], axis=1), dtype=object)


def _strips(
    local: GeometryArray, at: IntArray, edges: GeometryArray, gap_max_m: float
) -> tuple[GeometryArray, IntArray]:
    """Gaps beside the edges: the ground closed (grown, then shrunk) by half the width, less the ground."""
    ground = union_each(local, at, len(edges))
    half = gap_max_m / 2 + _ROUNDING_M
    closed = _mitred(_mitred(ground, half), -half)
    gaps = polygonal_each(in_portions(shapely.difference, closed, ground, least=_LEAST))
    body = _opened(gaps)
    # Ends that taper off, and slits: apart from the body, so that errors along one polygon can be told from them.
    ends = polygonal_each(in_portions(shapely.difference, gaps, body, least=_LEAST))
    found = [shapely.get_parts(side, return_index=True) for side in (body, ends)]
    parts, where = (np.concatenate(column) for column in zip(*found, strict=True))
    order = np.argsort(where, kind="stable")
    parts, where = parts[order], where[order]
    # Further from the edges the ground was only looked at in part.
    keep = shapely.area(parts) > _NOTHING_M2
    keep[keep] = shapely.dwithin(parts[keep], edges[where[keep]], gap_max_m)
    keep[keep] = shapely.is_empty(in_portions(with_settings(shapely.buffer, distance=-half - _ROUNDING_M), parts[keep]))
    return parts[keep], where[keep]


def _mitred(geometry: GeometryArray, distance: float) -> GeometryArray:
    grow = with_settings(shapely.buffer, distance=distance, join_style="mitre", mitre_limit=_MITRE_LIMIT)
    return in_portions(grow, geometry, least=_LEAST)


def _opened(gaps: GeometryArray) -> GeometryArray:
    """Gaps without what may be an error of the buffers."""
    core = in_portions(with_settings(shapely.buffer, distance=-_CRUMB_M / 2, join_style="mitre"), gaps, least=_LEAST)
    return polygonal_each(in_portions(shapely.intersection, gaps, _mitred(core, _CRUMB_M), least=_LEAST))


@dataclass(frozen=True)
class _Beside:
    """Who lies beside which gap: longest border first; `rank` counts them."""

    strip: IntArray
    polygon: IntArray
    ground: GeometryArray
    rank: IntArray


def _beside(strips: GeometryArray, strip_at: IntArray, local: GeometryArray, at: IntArray, gap_max_m: float) -> _Beside:
    """Polygons beside each gap; none where only one of them lies beside it."""
    strip, beside = shapely.STRtree(local).query(strips, predicate="dwithin", distance=_ROUNDING_M)
    here = strip_at[strip] == at[beside]
    strip, beside = strip[here], beside[here]
    several = np.bincount(strip, minlength=len(strips))[strip] > 1
    strip, beside = strip[several], beside[several]
    bounds = shapely.bounds(strips[strip])
    pad = 3 * gap_max_m
    boxes = shapely.box(bounds[:, 0] - pad, bounds[:, 1] - pad, bounds[:, 2] + pad, bounds[:, 3] + pad)
    ground = in_portions(shapely.intersection, local[beside], boxes)
    border = _border_m(strips[strip], ground)
    real = np.bincount(strip[border > _CRUMB_M], minlength=len(strips))[strip] > 1
    order = np.lexsort((beside, -np.round(border, 3), strip))
    order = order[real[order]]
    strip = strip[order]
    rank = np.arange(len(strip)) - np.searchsorted(strip, strip)
    return _Beside(strip, beside[order], ground[order], rank)


def _allotted(strips: GeometryArray, beside: _Beside, gap_max_m: float) -> tuple[GeometryArray, IntArray]:
    """Pieces of each gap to the polygons beside it, the first of them first."""
    left = strips.copy()
    # One empty batch, so that there is something to join.
    found = [(np.empty(0, dtype=object), np.empty(0, dtype=np.int64))]
    for rank in range(int(beside.rank.max(initial=-1)) + 1):
        rows = np.flatnonzero((beside.rank == rank) & ~shapely.is_empty(left[beside.strip]))
        reached = in_portions(with_settings(shapely.buffer, distance=gap_max_m, quad_segs=4), beside.ground[rows])
        ground = polygonal_each(in_portions(shapely.intersection, left[beside.strip[rows]], reached))
        pieces, owner = shapely.get_parts(ground, return_index=True)
        # Around the corner of a neighbour there is ground within reach that the polygon does not touch.
        attached = _border_m(pieces, beside.ground[rows[owner]]) > _CRUMB_M
        pieces, owner = pieces[attached], owner[attached]
        taken = np.unique(owner)
        gone = union_each(pieces, owner, len(rows))[taken]
        at = beside.strip[rows[taken]]
        left[at] = polygonal_each(in_portions(shapely.difference, left[at], gone), _NOTHING_M2)
        found.append((pieces, rows[owner]))
    pieces, row = (np.concatenate(column) for column in zip(*found, strict=True))
    # By gap, and within it in the order of those beside it.
    order = np.argsort(row, kind="stable")
    return pieces[order], beside.polygon[row[order]]


def _border_m(pieces: GeometryArray, polygons: GeometryArray) -> FloatArray:
    """Length of the outline of each piece along its polygon: of segments that lie on it with both ends and middle."""
    rings, piece = shapely.get_rings(pieces, return_index=True)
    coords, ring = shapely.get_coordinates(rings, return_index=True)
    inside = ring[1:] == ring[:-1]
    start, end = coords[:-1][inside], coords[1:][inside]
    owner = piece[ring[:-1][inside]]
    on = np.ones(len(owner), dtype=bool)
    near = with_settings(shapely.dwithin, distance=10 * _ROUNDING_M)
    for points in (start, end, (start + end) / 2):
        on[on] = in_portions(near, shapely.points(points[on]), polygons[owner[on]])
    length: FloatArray = np.bincount(owner[on], np.hypot(*(end - start)[on].T), minlength=len(pieces)).astype(float)
    return length
