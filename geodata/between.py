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
by up to w/32, to either side in turn, so that areas agree far closer. Slivers, less than 0.1 m wide in the mean, have
points up to 5 m apart where they are longer than 100 m: there the parcels get cross-sections of them in turn.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
import shapely
from shapely.geometry.base import BaseGeometry

from geodata.contract import GeometryArray, IntArray
from geodata.shares import share_pieces

WIDTH_SLACK_M: Final = 0.01
"""Widths are compared to the centimetre: a lane of just the greatest width counts."""
FRAGMENT_M2: Final = 0.05
"""Pieces smaller than this (fillets at blunt corners) are left unallotted."""
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
    return _beside(parcel, united, geometry, rest_m2)


def _beside(parcel: IntArray, united: GeometryArray, geometry: GeometryArray, rest_m2: float) -> Allotted:
    """Without the parts that lie apart from their parcel: where a line zigzags along the edge of a tile, crumbs do."""
    parts, row = shapely.get_parts(united, return_index=True)
    apart = shapely.distance(parts, geometry[parcel[row]]) > WIDTH_SLACK_M
    if not apart.any():
        return Allotted(parcel, united, rest_m2)
    for k in np.unique(row[apart]).tolist():
        left = parts[(row == k) & ~apart]
        united[k] = left[0] if len(left) == 1 else shapely.multipolygons(left)
    some = np.bincount(row[~apart], minlength=len(parcel)) > 0
    return Allotted(parcel[some], united[some], rest_m2 + float(shapely.area(parts[apart]).sum()))


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
    local, clipped = share_pieces(pieces, window.geometry)
    owners = window.parcel[local].tolist()
    between_m2 = float(shapely.area(shapely.intersection(pieces, tile)).sum()) if len(pieces) else 0.0
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


def _polygons(shape: BaseGeometry) -> BaseGeometry:
    """Polygonal part of what a cut leaves."""
    if shapely.get_type_id(shape) in (3, 6):
        return shape
    parts = shapely.get_parts(shape)
    return shapely.union_all(parts[shapely.get_dimensions(parts) == 2])
