"""Sites brought to their published areas: the drawing is fitted round by round, then scaled, then closed exactly."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
import shapely
from numpy.typing import NDArray

from geodata.errors import DataError, Issue
from geodata.synthetic.exact import with_exact_sum
from geodata.synthetic.layout import Warp, make_warp, to_millimetres, to_polygons, to_zones
from geodata.synthetic.town_drawing import Drawing, draw_sizes, draw_town, gross_land_m2, site_of_parcels
from geodata.synthetic.town_model import Town
from geodata.units import M2_PER_MU

_ROUNDS: Final = 12
_CLOSE: Final = 5e-4
"""Fitting ends when every site's land is this close (share); what is left is scaled away about the site's centre, and
the gap to the neighbours bears it: 0.25 m on a site of 1 km."""

_NEARLY_CLOSE: Final = 2e-3
"""Good enough after the last round."""


@dataclass(frozen=True, eq=False)
class FittedTown:
    """A town in its place.

    Attributes
    ----------
    drawing : Drawing
    warp : Warp
        From the drawing to the ground.
    polygons : array of Polygon
        Parcels, rounded to 1 mm.
    site : array of int
        Site of each parcel, by number.
    zones : dict of str to Polygon
        Land of the named sites, with 3 m of the road around it.
    """

    drawing: Drawing
    warp: Warp
    polygons: NDArray[np.object_]
    site: NDArray[np.int64]
    zones: dict[str, shapely.Geometry]


def fitted_town(town: Town, seed: int) -> FittedTown:
    """Draw a town so that the parcels of every named site add up to its area, to better than 1e-6 mu.

    Raises
    ------
    DataError
        A seed whose drawing does not settle, or whose last difference no corner can take up.
    """
    warp = make_warp(np.random.default_rng([seed, 2]), town.origin)
    drawing, polygons = _fitted(town, warp, seed)
    site = site_of_parcels(drawing, town)
    shapes = to_zones([drawing.rings[s] for s in range(len(town.sites))], warp)
    zones: dict[str, shapely.Geometry] = {}
    for s, entry in enumerate(town.sites):
        if entry.name is None:
            continue
        mine = site == s
        wanted = entry.area_mu * M2_PER_MU
        factor = math.sqrt(wanted / float(shapely.area(polygons[mine]).sum()))
        centre = shapely.get_coordinates(shapely.centroid(shapes[s]))
        both = _scaled(np.append(polygons[mine], shapes[s]), centre, factor)
        polygons[mine] = _closed(to_millimetres(both[:-1]), wanted, entry.name, seed)
        zones[entry.name] = to_millimetres(both[-1:])[0]
    return FittedTown(drawing, warp, to_millimetres(polygons), site, zones)


def _fitted(town: Town, warp: Warp, seed: int) -> tuple[Drawing, NDArray[np.object_]]:
    """Draw, measure, correct the land of each site, and draw again."""
    sizes = draw_sizes(town, np.random.default_rng([seed, 1]))
    wanted = np.array([site.area_mu for site in town.sites])
    weights = np.array([gross_land_m2(groups, np.random.default_rng([seed, 3])) for groups in sizes])
    off = math.inf
    for _ in range(_ROUNDS):
        drawing = draw_town(town, sizes, weights.tolist(), seed)
        polygons = to_polygons(drawing.sketch.plots, warp)
        area_mu = shapely.area(polygons) / M2_PER_MU
        measured = np.bincount(site_of_parcels(drawing, town), weights=area_mu, minlength=len(wanted))
        off = float(np.abs(measured / wanted - 1).max())
        if off <= _CLOSE:
            break
        weights = weights * wanted / measured
    if off > _NEARLY_CLOSE:
        found = f"seed {seed}: after {_ROUNDS} drawings a site is still off by {off:.2%} of its land"
        raise DataError(Issue("parcels.synthetic.seed", found, "land of the published areas", "Take another seed."))
    return drawing, polygons


def _closed(polygons: NDArray[np.object_], wanted_m2: float, name: str, seed: int) -> NDArray[np.object_]:
    """Parcels of a site that add up to its area."""
    try:
        return with_exact_sum(polygons, wanted_m2)
    except ValueError as error:
        found = f"seed {seed}: the parcels of {name} do not add up to the published area: {error}"
        raise DataError(
            Issue("parcels.synthetic.seed", found, "land of the published areas", "Take another seed.")
        ) from error


def _scaled(shapes: NDArray[np.object_], centre: NDArray[np.float64], factor: float) -> NDArray[np.object_]:
    made: NDArray[np.object_] = shapely.transform(shapes, lambda xy: centre + factor * (xy - centre))
    return made
