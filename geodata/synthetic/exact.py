"""Sums that come out exactly: the last difference is taken up by one corner that no neighbour shares."""

from __future__ import annotations

from typing import Final

import numpy as np
import shapely
from numpy.typing import NDArray

_REACH_MM: Final = 250
"""A corner is moved by at most this much along each axis."""
_GOOD_MM2: Final = 600.0
"""Twice the area that may be missed, mm²: 3e-4 m² or 4.5e-7 mu."""
_MM: Final = 1000.0
_CORNERS_TRIED: Final = 20


def with_exact_sum(polygons: NDArray[np.object_], wanted_m2: float) -> NDArray[np.object_]:
    """Move one corner, by less than 0.4 m, so that the areas add up to what is wanted.

    On a grid of millimetres the area of a polygon changes in steps of 0.5 mm² when a corner moves; of the many small
    moves one hits the difference to better than 3e-4 m². The corner belongs to one parcel only (it lies on a lane), so
    no neighbour is touched.

    Parameters
    ----------
    polygons : (n,) array of Polygon
        Rounded to 1 mm, noded, without holes; not changed.
    wanted_m2 : float
        Sum of their areas.

    Raises
    ------
    ValueError
        No corner can take up the difference: it is too large (more than some m²).
    """
    missing = wanted_m2 - float(shapely.area(polygons).sum())
    done: NDArray[np.object_] = polygons.copy()
    if abs(missing) * 2e6 <= _GOOD_MM2:
        return done
    for ring, corner in _free_corners(polygons):
        moved = _moved(polygons[ring], corner, missing)
        if moved is not None:
            done[ring] = moved
            return done
    raise ValueError(f"no corner of {len(polygons)} parcels can take up {missing:.3f} m²")


def _free_corners(polygons: NDArray[np.object_]) -> list[tuple[int, int]]:
    """Polygon and corner of the corners that occur once, those between the longest sides first."""
    xy, ring = shapely.get_coordinates(polygons, return_index=True)
    _, which, times = np.unique(xy, axis=0, return_inverse=True, return_counts=True)
    first = np.searchsorted(ring, np.arange(len(polygons)))
    position = np.arange(len(xy)) - first[ring]
    size = np.bincount(ring, minlength=len(polygons))[ring]
    inner = (position > 0) & (position < size - 1)
    candidates = np.flatnonzero(inner & (times[which] == 1))
    span = np.hypot(*(xy[candidates + 1] - xy[candidates - 1]).T)
    longest = candidates[np.argsort(-span, kind="stable")][:_CORNERS_TRIED]
    return [(int(ring[k]), int(position[k])) for k in longest]


def _moved(polygon: shapely.Polygon, corner: int, missing_m2: float) -> shapely.Polygon | None:
    """The polygon with this corner moved so that it grows by what is missing; None where that cannot be."""
    xy = shapely.get_coordinates(polygon)
    turn = 1.0 if shapely.is_ccw(polygon.exterior) else -1.0
    dx, dy = turn * np.round((xy[corner + 1] - xy[corner - 1]) * _MM)
    step = np.arange(-_REACH_MM, _REACH_MM + 1)
    gained = step[:, None] * dy - step[None, :] * dx
    wrong = np.abs(gained - 2e6 * missing_m2)
    fine = np.argwhere(wrong <= _GOOD_MM2)
    if len(fine) == 0:
        return None
    east, north = step[fine[np.argmin((step[fine] ** 2).sum(axis=1))]]
    xy[corner] = np.round(xy[corner] + np.array([east, north]) / _MM, 3)
    made = shapely.Polygon(xy)
    return made if made.is_valid else None
