"""Administrative outlines of known area and invented course: a town, and the construction zone within it."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Final

import geopandas as gpd
import numpy as np
import shapely
from numpy.typing import NDArray
from scipy.optimize import brentq

from geodata.errors import DataError, Issue
from geodata.synthetic.land import CRS
from geodata.synthetic.layout import to_millimetres
from geodata.synthetic.town_model import Outlines

TOWN: Final = "town"
CONSTRUCTION_ZONE: Final = "construction_zone"

_CORNERS: Final = 360
_WAVES: Final = (2, 3, 4, 5, 7, 9, 13)
_UNEVEN: Final = 0.09
"""The radius of the construction zone varies by about this share."""
_BAND_UNEVEN: Final = 0.35
"""The same of the width of the land between the zone and the town's boundary."""
_BAY_RAD: Final = 0.5
"""Half-width of the bay that open country cuts into the zone."""
_DEEPEST_BAY: Final = 0.8
_M2_PER_KM2: Final = 1e6

Floats = NDArray[np.float64]


def outlines(
    wanted: Outlines, polygons: NDArray[np.object_], inside: NDArray[np.bool_], rng: np.random.Generator
) -> gpd.GeoDataFrame:
    """Draw the two outlines.

    The construction zone lies around the parcels; a bay in it, on the side of the land outside the sites, is made as
    deep as it must be to leave out the share of parcels that is wanted. The town's boundary runs around the zone and
    across the mouth of the bay.

    Parameters
    ----------
    wanted : Outlines
    polygons : (n,) array of Polygon
        Parcels.
    inside : (n,) array of bool
        Parcels of the sites, which are to lie in the zone.
    rng : numpy.random.Generator

    Returns
    -------
    geopandas.GeoDataFrame
        ``name`` (`TOWN`, `CONSTRUCTION_ZONE`) and polygon; areas exact to some m².

    Raises
    ------
    DataError
        A drawing in which the zone leaves out too few parcels, or the town does not hold all of them.
    """
    centre = shapely.get_coordinates(shapely.centroid(polygons))
    middle = centre.mean(axis=0)
    outwards = centre[~inside].mean(axis=0) - centre[inside].mean(axis=0)
    uneven, band = 1.0 + _UNEVEN * _noise(rng), 1.0 + _BAND_UNEVEN * _noise(rng)
    bay = _bump(float(np.arctan2(outwards[1], outwards[0])))
    zone_m2, town_m2 = wanted.construction_zone_km2 * _M2_PER_KM2, wanted.town_km2 * _M2_PER_KM2

    def zone_radius(depth: float) -> Floats:
        return _sized(uneven * (1.0 - depth * bay), zone_m2)

    depth = _depth(zone_radius, middle, polygons, wanted.outside_share)
    zone = zone_radius(depth)
    whole = zone / (1.0 - depth * bay)
    width = brentq(lambda w: _area_m2(whole + w * band) - town_m2, -whole.max(), whole.max())
    town = whole + width * band
    shapes = to_millimetres(np.array([_ring(town, middle), _ring(zone, middle)], dtype=object))
    if not (shapely.covers(shapes[0], polygons).all() and shapely.covers(shapes[0], shapes[1])):
        found = "a town's outline that does not hold all parcels and its construction zone"
        raise DataError(Issue("parcels.synthetic.seed", found, "a town around them", "Take another seed."))
    return gpd.GeoDataFrame({"name": [TOWN, CONSTRUCTION_ZONE]}, geometry=list(shapes), crs=CRS)


def _angles() -> Floats:
    return np.linspace(0.0, 2 * np.pi, _CORNERS, endpoint=False)


def _noise(rng: np.random.Generator) -> Floats:
    """Smooth closed curve between -1 and 1 over the corners: waves, the longer the higher."""
    phase = rng.uniform(0.0, 2 * np.pi, len(_WAVES))
    waves = [np.cos(k * _angles() + p) / k**0.7 for k, p in zip(_WAVES, phase, strict=True)]
    curve = np.sum(waves, axis=0)
    return np.asarray(curve / np.abs(curve).max(), dtype=np.float64)


def _bump(direction: float) -> Floats:
    """1 in a direction (radians), falling to 0 on both sides of it."""
    turn = (_angles() - direction + np.pi) % (2 * np.pi) - np.pi
    return np.asarray(np.exp(-0.5 * (turn / _BAY_RAD) ** 2), dtype=np.float64)


def _ring(radius: Floats, place: Floats) -> shapely.Polygon:
    """Polygon of a radius at each angle."""
    return shapely.Polygon(place + radius[:, None] * np.column_stack([np.cos(_angles()), np.sin(_angles())]))


def _area_m2(radius: Floats) -> float:
    """Area of the polygon of a radius at each angle."""
    return float(0.5 * np.sin(2 * np.pi / _CORNERS) * (radius * np.roll(radius, -1)).sum())


def _sized(radius: Floats, area_m2: float) -> Floats:
    """The same shape with this area."""
    return np.asarray(radius * math.sqrt(area_m2 / _area_m2(radius)), dtype=np.float64)


def _depth(
    zone_radius: Callable[[float], Floats], middle: Floats, polygons: NDArray[np.object_], share: float
) -> float:
    """How deep the bay must be so that the zone leaves out this share of the parcels: bisection."""
    low, high = 0.0, _DEEPEST_BAY
    for _ in range(20):
        depth = (low + high) / 2
        zone = _ring(zone_radius(depth), middle)
        shapely.prepare(zone)
        if 1 - shapely.covers(zone, polygons).mean() < share:
            low = depth
        else:
            high = depth
    if low == 0.0 or high == _DEEPEST_BAY:
        found = f"no construction zone that leaves out {share:.0%} of the parcels"
        raise DataError(Issue("parcels.synthetic.seed", found, "one that does", "Take another seed."))
    return high
