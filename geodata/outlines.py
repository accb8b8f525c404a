"""What differs between the outlines of polygons before and after a change."""

from __future__ import annotations

import numpy as np
import shapely
from shapely.geometry.base import BaseGeometry

from geodata.contract import BoolArray, FloatArray, GeometryArray, IntArray
from geodata.overlaps import polygonal


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
        np.maximum.at(worst, owner[only], shapely.distance(points, shapely.boundary(other)[owner[only]]))
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
    rows = np.concatenate([first, second])
    order = np.lexsort(rows.T)
    label = np.empty(len(rows), dtype=np.int64)
    label[order] = np.cumsum(np.r_[False, (rows[order][1:] != rows[order][:-1]).any(axis=1)][: len(rows)])
    held = np.zeros((2, len(rows)), dtype=bool)
    held[0, label[: len(first)]] = True
    held[1, label[len(first) :]] = True
    return ~held[1, label[: len(first)]], ~held[0, label[len(first) :]]


def difference_of(before: BaseGeometry, after: BaseGeometry) -> tuple[BaseGeometry | None, float, float]:
    """What changed between two shapes, for the log: the ground (or the corners), m2 gained and m2 given."""
    gained, given = polygonal(shapely.difference(after, before)), polygonal(shapely.difference(before, after))
    parts = np.concatenate([shapely.get_parts(gained), shapely.get_parts(given)])
    shown: BaseGeometry | None = shapely.MultiPolygon(list(parts)) if len(parts) else changed_corners(before, after)
    return shown, float(shapely.area(gained)), float(shapely.area(given))


def changed_corners(before: BaseGeometry, after: BaseGeometry) -> BaseGeometry | None:
    """Corners that only one of two shapes has."""
    corners = [set(map(tuple, shapely.get_coordinates(side).tolist())) for side in (before, after)]
    alone = sorted(corners[0] ^ corners[1])
    return shapely.MultiPoint(alone) if alone else None
