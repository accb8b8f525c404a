"""A village fabric of any size: several parks side by side, for benchmarks and scale tests."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from geodata.synthetic.attributes import HALL, HOUSING, IDLE, INDUSTRY, LOGISTICS, REMNANT, attributes
from geodata.synthetic.flaws import with_flaws
from geodata.synthetic.land import CRS, LABEL, SyntheticLand
from geodata.synthetic.layers import barrier_layer, road_layer
from geodata.synthetic.layout import (
    Sketch,
    Warp,
    band,
    fill_estates,
    lane_or_avenue,
    make_warp,
    to_millimetres,
    to_polygons,
    to_zones,
)
from geodata.synthetic.polygons import Point, Ring, chord, level_at_share, long_axis, rectangle, split_with_gap, turned
from geodata.synthetic.sizes import cutting_order, gross_m2, parcel_sizes, street_blocks
from geodata.units import M2_PER_MU

ORIGIN = (510_000.0, 2_520_000.0)
BARRIERS = (("river", 44.0, 15.0), ("arterial", 42.0, 18.0))
"""Name, width of the gap and half-width of what lies in it, m; cuts beyond these are avenues."""

AVENUE_M = 24.0
PARCELS_PER_ESTATE = 38
ESTATES_PER_VILLAGE = 4


@dataclass
class _Parks:
    """The zones and what divides them."""

    rings: list[Ring] = field(default_factory=list)
    barriers: list[tuple[str, Ring]] = field(default_factory=list)


def fabric_land(n_parcels: int, seed: int) -> SyntheticLand:
    """Generate ``n_parcels`` parcels in 3 to 6 zones that a river, an arterial and avenues divide.

    Parameters
    ----------
    n_parcels : int
        Rows in all; from 200 on a few of them have geometry errors, which are listed.
    seed : int
        Same seed, same land.
    """
    rng = np.random.default_rng([seed, n_parcels, 1])
    flawed = n_parcels >= 200
    estates, villages, zone_of = _estates(n_parcels - flawed, rng)
    n_zones = zone_of[-1] + 1
    gross = [
        sum(gross_m2(b) for e, z in zip(estates, zone_of, strict=True) if z == zone for b in street_blocks(e, rng))
        for zone in range(n_zones)
    ]
    parks = _parks(gross, rng)
    sketch = Sketch()
    for zone, ring in enumerate(parks.rings):
        numbers = [e for e, z in enumerate(zone_of) if z == zone]
        mine = [estates[e] for e in numbers]
        fill_estates(
            sketch,
            ring,
            cutting_order([sum(e) for e in mine], rng),
            mine,
            rng=rng,
            numbers=numbers,
            width=lane_or_avenue,
        )
    warp = make_warp(rng, ORIGIN)
    polygons = to_millimetres(to_polygons(sketch.plots, warp))
    frame = _frame(sketch, polygons, villages, rng)
    parcels = gpd.GeoDataFrame(attributes(frame, rng), geometry=list(polygons), crs=CRS)
    flaws = pd.Series([], index=pd.Index([], dtype="str"), name="flaw", dtype="str")
    if flawed:
        fit = np.flatnonzero((frame["area_mu"] > 2) & (frame["area_mu"] < 15))
        parcels, flaws = with_flaws(parcels, fit, rng)
    return SyntheticLand(
        parcels=parcels,
        zones=_zones(parks, warp),
        barriers=barrier_layer(parks.barriers, warp),
        roads=road_layer(sketch, warp),
        label=LABEL,
        flaws=flaws,
        witness=pd.DataFrame({"block": pd.Series(dtype="str"), "phase": pd.Series(dtype="int64")}),
    )


def _estates(n: int, rng: np.random.Generator) -> tuple[list[list[float]], list[str], list[int]]:
    """Parcel sizes, village and zone of every estate; villages of a zone follow each other."""
    n_zones = int(np.clip(round(2 * math.log10(n / 10)), 3, 6))
    sizes = parcel_sizes(n, rng)
    estates: list[list[float]] = []
    villages: list[str] = []
    zone_of: list[int] = []
    for zone, part in enumerate(np.array_split(sizes, n_zones)):
        groups = np.array_split(part, max(round(len(part) / PARCELS_PER_ESTATE), 1))
        estates += [g.tolist() for g in groups]
        villages += [f"{zone + 1}片{k // ESTATES_PER_VILLAGE + 1}村" for k in range(len(groups))]
        zone_of += [zone] * len(groups)
    return estates, villages, zone_of


def _parks(gross: list[float], rng: np.random.Generator) -> _Parks:
    """Divide a rectangle among the zones: the first two cuts are the river and the arterial."""
    total = sum(gross) * 1.05
    width, depth = math.sqrt(1.4 * total), math.sqrt(total / 1.4)
    parks = _Parks()
    pending: list[tuple[Ring, list[int]]] = [(rectangle(0.0, 0.0, width, depth), list(range(len(gross))))]
    cuts = 0
    while pending:
        pending.sort(key=lambda piece: (-len(piece[1]), piece[1]))
        ring, zones = pending.pop(0)
        if len(zones) == 1:
            parks.rings.append(ring)
            continue
        half = (len(zones) + 1) // 2
        share = sum(gross[z] for z in zones[:half]) / sum(gross[z] for z in zones)
        normal = turned(long_axis(ring), float(rng.uniform(-0.06, 0.06)))
        level = level_at_share(ring, normal, share)
        gap = BARRIERS[cuts][1] if cuts < len(BARRIERS) else AVENUE_M
        if cuts < len(BARRIERS):
            name, _, half_width = BARRIERS[cuts]
            parks.barriers.append((name, _strip(chord(ring, normal, level), half_width)))
        below, above = split_with_gap(ring, normal, level, gap)
        pending += [(below, zones[:half]), (above, zones[half:])]
        cuts += 1
    return parks


def _strip(line: tuple[Point, Point], half_width_m: float) -> Ring:
    """Band along a line, 8 m longer at both ends."""
    start, end = np.asarray(line)
    length = float(np.hypot(*(end - start)))
    steps = np.linspace(-8.0, length + 8.0, max(int(length / 50.0), 2))
    points = start + (end - start) / length * steps[:, None]
    return band([(float(x), float(y)) for x, y in points], np.full(len(points), half_width_m))


def _frame(
    sketch: Sketch, polygons: NDArray[np.object_], villages: list[str], rng: np.random.Generator
) -> pd.DataFrame:
    """What attributes are drawn from; an estate is settled after 0-2 years of waiting and its papers' delay."""
    estate = np.asarray(sketch.estate_of)
    area = shapely.area(polygons) / M2_PER_MU
    delay = rng.integers(0, 3, len(villages)) + rng.triangular(0.5, 1.5, 3.0, len(villages))
    ready = np.clip(np.ceil(delay), 1, 5).astype(np.int64)
    draw = rng.random(len(area))
    use = np.where(draw < 0.80, INDUSTRY, np.where(draw < 0.88, LOGISTICS, IDLE)).astype(object)
    use[(draw >= 0.91) & (area < 5)] = HOUSING
    use[(draw >= 0.985) & (area < 2)] = HALL
    use[(draw >= 0.97) & (draw < 0.985) & (area < 3)] = REMNANT
    return pd.DataFrame(
        {
            "area_mu": area,
            "village": [villages[e] for e in sketch.estate_of],
            "group": [f"{villages[e]}{e % ESTATES_PER_VILLAGE + 1}组" for e in sketch.estate_of],
            "place": [None] * len(area),
            "ready_year": ready[estate],
            "lease_cap_year": np.minimum(ready[estate] + rng.integers(0, 3, len(area)), 8),
            "use": use.tolist(),
            "designated": False,
            "good_firm": (use == INDUSTRY) & (rng.random(len(area)) < 0.03),
        }
    )


def _zones(parks: _Parks, warp: Warp) -> gpd.GeoDataFrame:
    shapes = to_millimetres(to_zones(parks.rings, warp))
    return gpd.GeoDataFrame({"name": [f"{k + 1}片" for k in range(len(shapes))]}, geometry=list(shapes), crs=CRS)
