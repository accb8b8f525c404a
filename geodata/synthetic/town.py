"""Towns described by their sites: designated areas of a known sum of parcel land, and the land around them.

A site is a fact (its name, its land, by when it is to be ready); where it lies, its parcels
and its villages are invented.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from geodata.synthetic.attributes import HALL, HOUSING, IDLE, INDUSTRY, LOGISTICS, REMNANT, attributes
from geodata.synthetic.flaws import with_flaws
from geodata.synthetic.land import CRS, LABEL, SyntheticLand
from geodata.synthetic.layers import barrier_layer, road_layer
from geodata.synthetic.layout import Sketch, Warp, band, fill_estates, make_warp, to_millimetres, to_polygons, to_zones
from geodata.synthetic.polygons import (
    Point,
    Ring,
    chord,
    level_at_share,
    long_axis,
    rectangle,
    split_with_gap,
    turned,
)
from geodata.synthetic.sizes import cutting_order, deal_out, gross_m2, parcel_sizes, street_blocks
from geodata.units import M2_PER_MU

AVENUE_M: Final = 30.0
_ROUNDS: Final = 6
_CLOSE: Final = 0.004
"""Sites are scaled about their centre by at most this share in the end: the gap to their neighbours bears it."""


@dataclass(frozen=True)
class Group:
    """Land of one village group in a site.

    Attributes
    ----------
    village, group : str
    share : float
        Of the site's land; shares of a site add up to 1.
    ready_year : int
        Year by which its papers and leases are settled.
    phase : int
        Phase of the plan that exists by construction; 0 = in none.
    place : str or None
        Name of a place within the site.
    largest_mu : float
        Largest parcel.
    """

    village: str
    group: str
    share: float
    ready_year: int
    phase: int = 0
    place: str | None = None
    largest_mu: float = math.inf


@dataclass(frozen=True)
class Site:
    """A designated area, or land around: its parcels' sum, how many they are, whose they are.

    Attributes
    ----------
    name : str or None
        Name of the zone; None for land outside every zone.
    area_mu : float
        Sum of its parcels; exact for a zone.
    n_parcels : int
    groups : tuple of Group
    """

    name: str | None
    area_mu: float
    n_parcels: int
    groups: tuple[Group, ...]


@dataclass(frozen=True)
class Town:
    """Sites, and what divides them.

    Attributes
    ----------
    origin : tuple of float
        Easting and northing of the local origin, m.
    sites : tuple of Site
    barriers : tuple of (str, float, float)
        Name, width of the gap and half-width of what lies in it, m, for the first cuts; later ones are avenues.
    aspect : float
        Length over depth of the whole land.
    """

    origin: Point
    sites: tuple[Site, ...]
    barriers: tuple[tuple[str, float, float], ...] = (("river", 60.0, 15.0), ("arterial", 56.0, 18.0))
    aspect: float = 1.5


@dataclass
class _Drawing:
    """One drawing of the whole town in the local frame."""

    sketch: Sketch = field(default_factory=Sketch)
    rings: dict[int, Ring] = field(default_factory=dict)
    barriers: list[tuple[str, Ring]] = field(default_factory=list)


def town_land(town: Town, seed: int) -> SyntheticLand:
    """Generate the land of a town.

    Parameters
    ----------
    town : Town
    seed : int
        Same seed, same land.
    """
    sizes = _sizes(town, np.random.default_rng([seed, 1]))
    warp = make_warp(np.random.default_rng([seed, 2]), town.origin)
    weights = [_gross(groups, np.random.default_rng([seed, 3])) for groups in sizes]
    for _ in range(_ROUNDS):
        drawing = _draw(town, sizes, weights, seed)
        measured = _sums(drawing, to_polygons(drawing.sketch.plots, warp), town)
        weights = [w * s.area_mu / m for w, s, m in zip(weights, town.sites, measured, strict=True)]
    drawing = _draw(town, sizes, weights, seed)
    polygons, zones = _to_scale(drawing, warp, town)
    rng = np.random.default_rng([seed, 4])
    frame = _with_uses(_frame(drawing, polygons, town), polygons, zones, rng)
    table = attributes(frame, rng)
    parcels = gpd.GeoDataFrame(table, geometry=list(polygons), crs=CRS)
    fit = np.flatnonzero(frame["zone"].isna() & (frame["area_mu"] > 2) & (frame["area_mu"] < 15))
    parcels, flaws = with_flaws(parcels, fit, rng)
    names = [s.name for s in town.sites if s.name is not None]
    return SyntheticLand(
        parcels=parcels,
        zones=gpd.GeoDataFrame({"name": names}, geometry=[zones[n] for n in names], crs=CRS),
        barriers=barrier_layer(drawing.barriers, warp),
        roads=road_layer(drawing.sketch, warp),
        label=LABEL,
        flaws=flaws,
        witness=_witness(frame, table),
    )


def _sizes(town: Town, rng: np.random.Generator) -> list[list[list[float]]]:
    """Parcel sizes by site and group, mu; those of a site add up to its land."""
    found = []
    for site in town.sites:
        sizes = parcel_sizes(site.n_parcels, rng, min(120.0, site.area_mu / 8))
        sizes *= site.area_mu / sizes.sum()
        wanted = [g.share * site.area_mu for g in site.groups]
        found.append(deal_out(sizes.tolist(), wanted, [g.largest_mu for g in site.groups]))
    return found


def _gross(groups: Sequence[Sequence[float]], rng: np.random.Generator) -> float:
    """Land of a site with its lanes, m²."""
    return sum(gross_m2(block) for group in groups for block in street_blocks(group, rng))


def _draw(town: Town, sizes: list[list[list[float]]], weights: list[float], seed: int) -> _Drawing:
    """Divide a rectangle among the sites, and each site into parcels.

    All random draws depend on the seed and the site alone, so that small changes of the weights change little.
    """
    drawing = _Drawing()
    rng = np.random.default_rng([seed, 5])
    total = sum(weights) * 1.06
    land = rectangle(0.0, 0.0, math.sqrt(town.aspect * total), math.sqrt(total / town.aspect))
    pending: list[tuple[Ring, list[int]]] = [(land, list(range(len(weights))))]
    cuts = 0
    while pending:
        pending.sort(key=lambda piece: (-len(piece[1]), piece[1]))
        ring, sites = pending.pop(0)
        if len(sites) == 1:
            drawing.rings[sites[0]] = ring
            continue
        half = (len(sites) + 1) // 2
        share = sum(weights[s] for s in sites[:half]) / sum(weights[s] for s in sites)
        normal = turned(long_axis(ring), float(rng.uniform(-0.06, 0.06)))
        level = level_at_share(ring, normal, share)
        gap = town.barriers[cuts][1] if cuts < len(town.barriers) else AVENUE_M
        if cuts < len(town.barriers):
            drawing.barriers.append(
                (town.barriers[cuts][0], _strip(chord(ring, normal, level), town.barriers[cuts][2]))
            )
        below, above = split_with_gap(ring, normal, level, gap)
        pending += [(below, sites[:half]), (above, sites[half:])]
        cuts += 1
    number = 0
    for s, groups in enumerate(sizes):
        own = np.random.default_rng([seed, 6, s])
        tree = cutting_order([sum(g) for g in groups], own)
        numbers = list(range(number, number + len(groups)))
        fill_estates(drawing.sketch, drawing.rings[s], tree, groups, rng=own, numbers=numbers)
        number += len(groups)
    return drawing


def _strip(line: tuple[Point, Point], half_width_m: float) -> Ring:
    """Band along a line, 20 m longer at both ends."""
    start, end = np.asarray(line)
    length = float(np.hypot(*(end - start)))
    steps = np.linspace(-20.0, length + 20.0, max(int(length / 50.0), 2))
    points = start + (end - start) / length * steps[:, None]
    return band([(float(x), float(y)) for x, y in points], np.full(len(points), half_width_m))


def _groups(town: Town) -> list[tuple[int, Group]]:
    """Site and group of every estate, in the order of their numbers."""
    return [(s, group) for s, site in enumerate(town.sites) for group in site.groups]


def _site_of(drawing: _Drawing, town: Town) -> NDArray[np.int64]:
    site = np.array([s for s, _ in _groups(town)], dtype=np.int64)
    return np.asarray(site[np.asarray(drawing.sketch.estate_of)], dtype=np.int64)


def _sums(drawing: _Drawing, polygons: NDArray[np.object_], town: Town) -> list[float]:
    """Parcel land of each site, mu."""
    area = shapely.area(polygons) / M2_PER_MU
    return [float(s) for s in np.bincount(_site_of(drawing, town), weights=area, minlength=len(town.sites))]


def _to_scale(drawing: _Drawing, warp: Warp, town: Town) -> tuple[NDArray[np.object_], dict[str, shapely.Geometry]]:
    """Parcels, and zones by name: each zone scaled about its centre by the last small factor to its exact sum."""
    polygons = to_polygons(drawing.sketch.plots, warp)
    shapes = to_zones([drawing.rings[s] for s in range(len(town.sites))], warp)
    of = _site_of(drawing, town)
    zones: dict[str, shapely.Geometry] = {}
    for s, (site, measured) in enumerate(zip(town.sites, _sums(drawing, polygons, town), strict=True)):
        if site.name is None:
            continue
        factor = math.sqrt(site.area_mu / measured)
        if abs(factor - 1) > _CLOSE:
            raise AssertionError(f"site {site.name} is off by a factor {factor:.4f} after fitting")
        centre = shapely.get_coordinates(shapely.centroid(shapes[s]))

        def scaled(xy: NDArray[np.float64], c: NDArray[np.float64] = centre, f: float = factor) -> NDArray[np.float64]:
            return c + f * (xy - c)

        polygons[of == s] = shapely.transform(polygons[of == s], scaled)
        zones[site.name] = to_millimetres(shapely.transform(shapes[s : s + 1], scaled))[0]
    return to_millimetres(polygons), zones


def _frame(drawing: _Drawing, polygons: NDArray[np.object_], town: Town) -> pd.DataFrame:
    """What attributes are drawn from, before land uses are set."""
    every = _groups(town)
    of = [every[e] for e in drawing.sketch.estate_of]
    names = [town.sites[s].name for s, _ in of]
    return pd.DataFrame(
        {
            "area_mu": shapely.area(polygons) / M2_PER_MU,
            "zone": names,
            "village": [g.village for _, g in of],
            "group": [g.group for _, g in of],
            "place": [g.place for _, g in of],
            "ready_year": [g.ready_year for _, g in of],
            "lease_cap_year": [g.ready_year if n is not None else 15 for (_, g), n in zip(of, names, strict=True)],
            "phase": [g.phase for _, g in of],
            "designated": [n is not None for n in names],
        }
    )


def _with_uses(
    frame: pd.DataFrame,
    polygons: NDArray[np.object_],
    zones: dict[str, shapely.Geometry],
    rng: np.random.Generator,
) -> pd.DataFrame:
    """Set land uses and good firms: industry in the zones, housing and a hall at their edges, a mixture outside."""
    n = len(frame)
    inside, area = frame["designated"].to_numpy(dtype=np.bool_), frame["area_mu"].to_numpy()
    draw = rng.random(n)
    use = np.where(draw < 0.88, INDUSTRY, np.where(draw < 0.96, LOGISTICS, IDLE)).astype(object)
    home = ~inside & (draw < np.where(area < 2, 0.6, 0.3))
    use[home] = HOUSING
    use[~inside & (area < 1.5) & (rng.random(n) < 0.1)] = HALL
    good = ~inside & ~home & (use == INDUSTRY) & (rng.random(n) < 0.22)
    edge = np.full(n, np.inf)
    for name, zone in zones.items():
        mine = (frame["zone"] == name).to_numpy()
        edge[mine] = shapely.distance(polygons[mine], shapely.boundary(zone))
        small = np.flatnonzero(mine & (area < 2.0) & (edge < 15.0))
        if len(small) > 2:
            chosen = rng.choice(small, size=max(len(small) // 6, 2), replace=False)
            use[chosen] = HOUSING
            use[chosen[0]] = HALL
        medium = np.flatnonzero(mine & (area > 4.0) & (area < 10.0) & (edge < 15.0))
        if len(medium):
            good[rng.choice(medium)] = True
    use[inside & (area > 0.5) & (area < 1.5) & (use == INDUSTRY) & (rng.random(n) < 0.15)] = REMNANT
    return frame.assign(use=use.tolist(), good_firm=good & (use == INDUSTRY))


def _witness(frame: pd.DataFrame, table: pd.DataFrame) -> pd.DataFrame:
    """Each group as one block in its phase, without what can never be taken."""
    taken = frame["designated"] & (frame["phase"] > 0) & ~frame["use"].isin([HOUSING, HALL]) & ~frame["good_firm"]
    plan = pd.DataFrame({"block": frame["group"], "phase": frame["phase"].astype("int64")})[taken]
    return plan.set_index(pd.Index(table.loc[taken, table.columns[0]], name="parcel_id"))
