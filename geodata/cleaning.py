"""Cleaning of the polygons of one place: `shapely.coverage_clean`, and what is left to do about its results."""

from __future__ import annotations

import numpy as np
import shapely
from shapely.geometry.base import BaseGeometry

from geodata.contract import GeometryArray
from geodata.seams import NODE_M


def without_hairs(polygon: BaseGeometry) -> BaseGeometry:
    """Polygon without the holes thinner than rounding that filling may leave."""
    parts = shapely.get_parts(polygon)
    if not shapely.get_num_interior_rings(parts).any():
        return polygon
    whole = []
    for part in parts.tolist():
        holes = np.array(part.interiors, dtype=object)
        wide = shapely.area(shapely.polygons(holes)) > NODE_M * shapely.length(holes)
        whole.append(shapely.Polygon(part.exterior, holes[wide].tolist()))
    out: BaseGeometry = whole[0] if len(whole) == 1 else shapely.MultiPolygon(whole)
    return out


def cleaned_or_error(polygons: GeometryArray, snap_m: float) -> GeometryArray | shapely.errors.GEOSException:
    """As `cleaned`, or why that fails: one place less, not the end of the others."""
    try:
        return cleaned(polygons, snap_m)
    except shapely.errors.GEOSException as error:
        return error


def snapped_place(
    polygons: GeometryArray, snap_m: float, gap_max_m: float
) -> tuple[GeometryArray, BaseGeometry] | shapely.errors.GEOSException:
    """Polygons of one place snapped to each other, and where they still do not meet; or why that fails."""
    snapped = cleaned_or_error(polygons, snap_m)
    if isinstance(snapped, shapely.errors.GEOSException):
        return snapped
    return snapped, shapely.union_all(shapely.coverage_invalid_edges(snapped, gap_width=gap_max_m))


def cleaned(polygons: GeometryArray, snap_m: float) -> GeometryArray:
    """Polygons with the same corners along shared boundaries; of an overlap the smaller one keeps the ground."""
    # The stubs do not know it yet.
    clean = vars(shapely)["coverage_clean"]
    with np.errstate(invalid="ignore"):  # flags of arithmetic inside GEOS, which say nothing about the result
        out: GeometryArray = clean(polygons, snapping_distance=snap_m, merge_strategy="min_area")
    return out
