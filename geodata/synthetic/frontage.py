"""How much of a parcel's boundary lies on wide roads."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import shapely
from numpy.typing import NDArray

NEAR_M = 1.0
"""A side lies on a road when both its ends are this close to the road's land."""


def frontage_m(polygons: NDArray[np.object_], roads: Sequence[shapely.Geometry]) -> NDArray[np.float64]:
    """Length of the sides that lie on roads.

    Parameters
    ----------
    polygons : (n,) array of Polygon
        Without holes.
    roads : sequence of Polygon
        Land of each road from parcel boundary to parcel boundary, verges included.

    Returns
    -------
    (n,) array of float
        m. A side counts when both its ends lie on the same road's land: one that leads away from the road does not.
    """
    xy, ring = shapely.get_coordinates(polygons, return_index=True)
    same = ring[1:] == ring[:-1]
    length = np.where(same, np.hypot(*(xy[1:] - xy[:-1]).T), 0.0)
    points = shapely.points(xy)
    on_road = np.zeros(len(length), dtype=np.bool_)
    for road in roads:
        shapely.prepare(road)
        near = np.asarray(shapely.dwithin(points, road, NEAR_M), dtype=np.bool_)
        on_road |= near[1:] & near[:-1]
    sums = np.bincount(ring[:-1], weights=np.where(same & on_road, length, 0.0), minlength=len(polygons))
    return np.asarray(sums, dtype=np.float64)
