"""What differs between the outlines of polygons before and after a change."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import shapely
from shapely.geometry.base import BaseGeometry

from geodata.contract import BoolArray, FloatArray, GeometryArray, IntArray
from geodata.overlaps import gathered, polygonal_each
from geodata.row_keys import is_among, row_keys

_AREA_ERROR_M2: Final = 1e-6
_AREA_ERROR: Final = 1e-15
"""Up to this, and this share of its area, a polygon's area before and after agrees with what changed: rounding."""


def moved_m(before: GeometryArray, after: GeometryArray) -> FloatArray:
    """Greatest distance between two outlines: corners of either that the other lacks, from the other's boundary.

    Parameters
    ----------
    before, after : geometry[n]
        Two shapes of each polygon.

    Returns
    -------
    float64[n]
        The discrete Hausdorff distance of the two boundaries, m; corners in common count 0.
    """
    corners = [shapely.get_coordinates(side, return_index=True) for side in (before, after)]
    alone = _alone(*(np.column_stack([owner, coords]) for coords, owner in corners))
    worst = np.zeros(len(before))
    for (coords, owner), only, other in zip(corners, alone, (after, before), strict=True):
        points = shapely.points(coords[only])
        asked = np.unique(owner[only])
        boundary = np.full(len(other), None, dtype=object)
        boundary[asked] = shapely.boundary(other[asked])
        np.maximum.at(worst, owner[only], shapely.distance(points, boundary[owner[only]]))
    return worst


def altered_segments(before: GeometryArray, after: GeometryArray) -> tuple[GeometryArray, IntArray]:
    """Segments that only one of two outlines has, whichever way they run.

    Parameters
    ----------
    before, after : geometry[n]
        Two shapes of each polygon.

    Returns
    -------
    segments : geometry[k]
        Lines of two corners.
    owner : int64[k]
        Position of the polygon of each; a polygon without any has the same outline as before.
    """
    sides = [_segments(side) for side in (before, after)]
    rows = np.concatenate([side[only] for side, only in zip(sides, _alone(*sides), strict=True)])
    return np.asarray(shapely.linestrings(rows[:, 1:].reshape(-1, 2, 2))), rows[:, 0].astype(np.int64)


def _segments(polygons: GeometryArray) -> FloatArray:
    """Segments of all rings: polygon and two corners each, the lower one first."""
    parts, polygon = shapely.get_parts(polygons, return_index=True)
    rings, part = shapely.get_rings(parts, return_index=True)
    coords, ring = shapely.get_coordinates(rings, return_index=True)
    inside = ring[1:] == ring[:-1]
    start, end = coords[:-1][inside], coords[1:][inside]
    turned = (start[:, 0] > end[:, 0]) | ((start[:, 0] == end[:, 0]) & (start[:, 1] > end[:, 1]))
    ends = np.where(turned[:, None], np.hstack([end, start]), np.hstack([start, end]))
    return np.column_stack([polygon[part[ring[:-1][inside]]], ends])


def _alone(first: FloatArray, second: FloatArray) -> tuple[BoolArray, BoolArray]:
    """Rows of each of two tables that the other lacks."""
    keys = row_keys(first), row_keys(second)
    return ~is_among(keys[0], keys[1]), ~is_among(keys[1], keys[0])


@dataclass(frozen=True)
class Differences:
    """What changed between two shapes of each polygon.

    Attributes
    ----------
    shown : geometry[n]
        The ground, or where there is none the corners that only one of the two has; None where nothing changed.
    gained_m2, given_m2 : float64[n]
        Its area.
    """

    shown: GeometryArray
    gained_m2: FloatArray
    given_m2: FloatArray


def differences_of(before: GeometryArray, after: GeometryArray) -> Differences:
    """What changed between two shapes of each polygon, for the log.

    Parameters
    ----------
    before, after : geometry[n]
        Valid polygons.

    Returns
    -------
    Differences
        From the segments that only one of the outlines has: the ground that changed lies between them. Where its area
        does not explain that of the polygon, from the polygons themselves.
    """
    gained, given = _changed_ground(before, after)
    area = shapely.area(before), shapely.area(after)
    unexplained = np.abs(area[1] - area[0] - shapely.area(gained) + shapely.area(given))
    whole = unexplained > _AREA_ERROR_M2 + _AREA_ERROR * area[0]
    gained[whole] = polygonal_each(shapely.difference(after[whole], before[whole]))
    given[whole] = polygonal_each(shapely.difference(before[whole], after[whole]))
    found = [shapely.get_parts(side, return_index=True) for side in (gained, given)]
    parts, owner = (np.concatenate(column) for column in zip(*found, strict=True))
    order = np.argsort(owner, kind="stable")
    shown = np.full(len(before), None, dtype=object)
    some, place = np.unique(owner, return_inverse=True)
    if len(some):
        shown[some] = shapely.multipolygons(parts[order], indices=place[order])
    for k in np.setdiff1d(np.arange(len(before)), some).tolist():
        shown[k] = changed_corners(before[k], after[k])
    return Differences(shown, shapely.area(gained), shapely.area(given))


def _changed_ground(before: GeometryArray, after: GeometryArray) -> tuple[GeometryArray, GeometryArray]:
    """Ground gained and ground given: the faces between the segments that only one of two outlines has."""
    segments, owner = altered_segments(before, after)
    some, place = np.unique(owner, return_inverse=True)
    order = np.argsort(place, kind="stable")
    together = np.asarray(shapely.multilinestrings(segments[order], indices=place[order]))
    lines = np.asarray(shapely.union_all(together[:, None], axis=1))
    faces, of = shapely.get_parts(np.asarray(shapely.polygonize(lines[:, None])), return_index=True)
    owner = some[of]
    inner = shapely.point_on_surface(faces)
    was, is_now = (shapely.intersects(side[owner], inner) for side in (before, after))
    gained, given = is_now & ~was, was & ~is_now
    return gathered(faces[gained], owner[gained], len(before)), gathered(faces[given], owner[given], len(before))


def changed_corners(before: BaseGeometry, after: BaseGeometry) -> BaseGeometry | None:
    """Corners that only one of two shapes has."""
    corners = [set(map(tuple, shapely.get_coordinates(side).tolist())) for side in (before, after)]
    alone = sorted(corners[0] ^ corners[1])
    return shapely.MultiPoint(alone) if alone else None
