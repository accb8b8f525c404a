"""Qingxi: two designated circles of 1657 and 2888 mu beside a river and an arterial, and the land around them.

Only the two areas and the names of the circles and of the two first sites are facts; that the circle figures are sums
of parcels is an assumption, and every shape and attribute is invented, the other villages' names too.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from geodata.synthetic.attributes import HALL, HOUSING, IDLE, INDUSTRY, LOGISTICS, REMNANT, SHOPS, attributes
from geodata.synthetic.flaws import with_flaws
from geodata.synthetic.land import CRS, LABEL, PARCEL_ID, SyntheticLand
from geodata.synthetic.layers import barrier_layer, road_layer
from geodata.synthetic.layout import (
    Road,
    Sketch,
    Warp,
    band,
    fill_estates,
    make_warp,
    street,
    to_millimetres,
    to_polygons,
    to_zones,
)
from geodata.synthetic.polygons import Point, Ring, rectangle, split_with_gap
from geodata.synthetic.sizes import Tree, cutting_order, deal_out, parcel_sizes
from geodata.units import M2_PER_MU

ORIGIN: Final = (516_400.0, 2_526_600.0)
RIVER_GAP_M: Final = 72.0
ARTERIAL_GAP_M: Final = 56.0
RING_ROAD_M: Final = 9.0
STRIP_DEPTH_M: Final = 130.0


@dataclass(frozen=True)
class Estate:
    """Land of one village group, regularised and cleared as one.

    Attributes
    ----------
    village, group : str
    ready_year : int
        Year by which its papers and leases are settled.
    wanted_mu, largest_mu : float
        Parcels in all, and the largest one that fits.
    phase : int
        Phase in the plan that exists by construction.
    place : str or None
        Name of a designated site.
    """

    village: str
    group: str
    ready_year: int
    wanted_mu: float
    phase: int
    largest_mu: float = 120.0
    place: str | None = None


@dataclass(frozen=True)
class Circle:
    """A designated area: the sum of its parcels, how many they are, its estates and how they lie together."""

    name: str
    target_mu: float
    n_parcels: int
    estates: tuple[Estate, ...]
    tree: Tree


CHANGSHANTOU: Final = Circle(
    "长山头",
    1657.0,
    157,
    (
        Estate("长山头村", "长山头一组", 1, 150.0, 1, 40.0, "元载山厂原址"),
        Estate("长山头村", "长山头二组", 3, 400.0, 2),
        Estate("长山头村", "长山头三组", 5, 370.0, 3),
        Estate("上围村", "上围一组", 3, 380.0, 2),
        Estate("上围村", "上围二组", 5, 357.0, 3),
    ),
    (((0, 1), 2), (3, 4)),
)
LUOMA: Final = Circle(
    "罗马",
    2888.0,
    273,
    (
        Estate("罗马村", "罗马一组", 1, 115.0, 1, 40.0, "蛙迹林场周边"),
        Estate("罗马村", "罗马二组", 1, 72.0, 2, 25.0, "蛙迹林场周边"),
        Estate("罗马村", "罗马三组", 3, 500.0, 2),
        Estate("罗马村", "罗马四组", 5, 400.0, 3),
        Estate("石岭村", "石岭一组", 3, 520.0, 2),
        Estate("石岭村", "石岭二组", 5, 400.0, 3),
        Estate("新塘村", "新塘一组", 3, 480.0, 3),
        Estate("新塘村", "新塘二组", 5, 401.0, 3),
    ),
    ((((0, 1), 2), 3), ((4, 5), (6, 7))),
)
CIRCLES: Final = (CHANGSHANTOU, LUOMA)
N_CIRCLE_ESTATES: Final = sum(len(circle.estates) for circle in CIRCLES)


@dataclass(frozen=True)
class Draft:
    """One drawing of the whole land in the local frame."""

    sketch: Sketch
    circles: tuple[Ring, Ring]
    around: tuple[tuple[str, Ring, int], ...]
    barriers: tuple[tuple[str, Ring], ...]


def qingxi_land(seed: int) -> SyntheticLand:
    """Generate Qingxi's land.

    Parameters
    ----------
    seed : int
        Same seed, same land.
    """
    radii = [math.sqrt(circle.target_mu * M2_PER_MU / 0.86 / 3.3) for circle in CIRCLES]
    warp = make_warp(np.random.default_rng([seed, 1]), ORIGIN)
    for _ in range(4):
        draft = draw(seed, radii)
        measured = _circle_sums(draft, to_polygons(draft.sketch.plots, warp))
        radii = [r * math.sqrt(c.target_mu / m) for r, c, m in zip(radii, CIRCLES, measured, strict=True)]
    draft = draw(seed, radii)
    polygons, zones = _to_scale(draft, warp)
    frame = _frame(draft, polygons)
    rng = np.random.default_rng([seed, 3])
    frame = _with_uses(frame, polygons, zones, rng)
    table = attributes(frame, rng)
    parcels = gpd.GeoDataFrame(table, geometry=list(polygons), crs=CRS)
    outside = np.flatnonzero(frame["zone"].isna() & (frame["area_mu"] > 2) & (frame["area_mu"] < 15))
    spoilt, flaws = with_flaws(parcels, outside, rng)
    return SyntheticLand(
        parcels=spoilt,
        zones=gpd.GeoDataFrame({"name": [c.name for c in CIRCLES]}, geometry=list(zones), crs=CRS),
        barriers=barrier_layer(draft.barriers, warp),
        roads=road_layer(draft.sketch, warp),
        label=LABEL,
        flaws=flaws,
        witness=_witness(frame, table),
    )


def draw(seed: int, radii: list[float]) -> Draft:
    """Draw regions, streets and parcels for circles of these radii, m.

    The river runs south to north through the origin, the arterial west to east; Changshantou lies west of the river,
    Luoma east of it, both north of the arterial. All random draws depend on the seed alone, so that a small change
    of a radius changes the drawing little.
    """
    rng = np.random.default_rng([seed, 2])
    west, east = radii
    x, y = RIVER_GAP_M / 2, ARTERIAL_GAP_M / 2
    sketch = Sketch()
    ring_w, corners_w = _round_off(rectangle(-x - 2 * west, y, -x, y + 2 * west), west, rng, sketch.roads)
    ring_e, corners_e = _round_off(rectangle(x, y, x + 2 * east, y + 2 * east), east, rng, sketch.roads)
    top = y + 2 * west
    middle = top + RING_ROAD_M / 2
    sketch.roads.append(Road("village road", RING_ROAD_M, ((-x - 2 * west, middle), (-x, middle))))
    around = (
        ("北坑村", rectangle(-x - 2 * west, top + RING_ROAD_M, -x, y + 2 * east), 55),
        ("南岸村", rectangle(-x - 1.7 * west, -y - STRIP_DEPTH_M, -x, -y), 24),
        ("河湾村", rectangle(x, -y - STRIP_DEPTH_M, x + 1.4 * east, -y), 24),
        ("长山头村", corners_w[0], 9),
        ("上围村", corners_w[2], 9),
        ("上围村", corners_w[3], 9),
        ("罗马村", corners_e[1], 14),
        ("石岭村", corners_e[2], 14),
    )
    number = 0
    for circle, ring in zip(CIRCLES, (ring_w, ring_e), strict=True):
        sizes = parcel_sizes(circle.n_parcels, rng)
        wanted = [e.wanted_mu for e in circle.estates]
        estates = deal_out(sizes.tolist(), wanted, [e.largest_mu for e in circle.estates])
        fill_estates(sketch, ring, circle.tree, estates, rng=rng, numbers=range(number, number + len(estates)))
        number += len(estates)
    for _, ring, n in around:
        halves = np.array_split(parcel_sizes(n, rng, largest_mu=40.0), max(n // 14, 1))
        tree = cutting_order([float(h.sum()) for h in halves], rng)
        fill_estates(sketch, ring, tree, [h.tolist() for h in halves], rng=rng, numbers=[number] * len(halves))
        number += 1
    barriers = _barrier_bands(radii, rng)
    return Draft(sketch, (ring_w, ring_e), around, barriers)


def _round_off(square: Ring, radius: float, rng: np.random.Generator, roads: list[Road]) -> tuple[Ring, list[Ring]]:
    """Cut the corners of a square by ring roads: the rounded rest and the corners (NE, NW, SW, SE)."""
    cx, cy = (square[0][0] + square[2][0]) / 2, (square[0][1] + square[2][1]) / 2
    corners: list[Ring] = []
    ring = square
    for k in range(4):
        angle = math.pi / 4 + k * math.pi / 2 + float(rng.uniform(-0.12, 0.12))
        normal: Point = (math.cos(angle), math.sin(angle))
        level = normal[0] * cx + normal[1] * cy + radius * float(rng.uniform(1.03, 1.10))
        roads.append(street(ring, normal, level, "village road", RING_ROAD_M))
        ring, corner = split_with_gap(ring, normal, level, RING_ROAD_M)
        corners.append(corner)
    return ring, corners


def _barrier_bands(radii: list[float], rng: np.random.Generator) -> tuple[tuple[str, Ring], ...]:
    """River (25-33 m in a gap of 72) and arterial (36 m in 56), a little longer than the land."""
    west, east = radii
    y = np.arange(-STRIP_DEPTH_M - 120.0, 2 * east + 140.0, 40.0)
    sway = float(rng.uniform(0, 2 * math.pi))
    river = np.column_stack([11.0 * np.sin(y / 170.0 + sway), y])
    x = np.arange(-2 * west - 120.0, 2 * east + 160.0, 40.0)
    arterial = np.column_stack([x, np.zeros_like(x)])
    return (
        ("river", band([(float(a), float(b)) for a, b in river], 14.5 + 2.0 * np.sin(y / 210.0 + 2 * sway))),
        ("arterial", band([(float(a), float(b)) for a, b in arterial], np.full(len(x), 18.0))),
    )


def _circle_of(draft: Draft) -> NDArray[np.int64]:
    """Circle of each parcel: 0, 1, or -1 outside."""
    estate = np.asarray(draft.sketch.estate_of)
    first = len(CHANGSHANTOU.estates)
    return np.where(estate < first, 0, np.where(estate < N_CIRCLE_ESTATES, 1, -1))


def _circle_sums(draft: Draft, polygons: NDArray[np.object_]) -> list[float]:
    """Parcel area of each circle, mu."""
    circle, area = _circle_of(draft), shapely.area(polygons) / M2_PER_MU
    return [float(area[circle == k].sum()) for k in range(len(CIRCLES))]


def _to_scale(draft: Draft, warp: Warp) -> tuple[NDArray[np.object_], NDArray[np.object_]]:
    """Parcels and circles, each circle scaled about its centre by the last small factor to its exact sum."""
    polygons = to_polygons(draft.sketch.plots, warp)
    zones = to_zones(draft.circles, warp)
    circle = _circle_of(draft)
    for k, measured in enumerate(_circle_sums(draft, polygons)):
        factor = math.sqrt(CIRCLES[k].target_mu / measured)
        if abs(factor - 1) > 0.005:
            raise AssertionError(f"circle {CIRCLES[k].name} is off by a factor {factor:.4f} after fitting")
        centre = shapely.get_coordinates(shapely.centroid(zones[k]))

        def scaled(xy: NDArray[np.float64], c: NDArray[np.float64] = centre, f: float = factor) -> NDArray[np.float64]:
            return c + f * (xy - c)

        polygons[circle == k] = shapely.transform(polygons[circle == k], scaled)
        zones[k] = shapely.transform(zones[k], scaled)
    return to_millimetres(polygons), to_millimetres(zones)


def _frame(draft: Draft, polygons: NDArray[np.object_]) -> pd.DataFrame:
    """What attributes are drawn from, before land uses are set."""
    estates = [estate for circle in CIRCLES for estate in circle.estates]
    estates += [Estate(village, f"{village[:-1]}组", 5, 0.0, 0) for village, _, _ in draft.around]
    of = [estates[e] for e in draft.sketch.estate_of]
    circle = _circle_of(draft)
    return pd.DataFrame(
        {
            "area_mu": shapely.area(polygons) / M2_PER_MU,
            "zone": [CIRCLES[k].name if k >= 0 else None for k in circle.tolist()],
            "estate": draft.sketch.estate_of,
            "village": [e.village for e in of],
            "group": [e.group for e in of],
            "place": [e.place for e in of],
            "ready_year": [e.ready_year for e in of],
            "lease_cap_year": [e.ready_year if k >= 0 else 15 for e, k in zip(of, circle.tolist(), strict=True)],
            "phase": [e.phase for e in of],
            "designated": circle >= 0,
        }
    )


def _with_uses(
    frame: pd.DataFrame, polygons: NDArray[np.object_], zones: NDArray[np.object_], rng: np.random.Generator
) -> pd.DataFrame:
    """Set land uses and good firms: industry in the circles but for a few parcels at their edge, a mixture outside.

    What cannot be redeveloped lies at the edge of a circle, so that it cuts off nobody.
    """
    n = len(frame)
    inside = frame["designated"].to_numpy(dtype=np.bool_)
    area = frame["area_mu"].to_numpy()
    draw = rng.random(n)
    use = np.where(draw < 0.88, INDUSTRY, np.where(draw < 0.96, LOGISTICS, IDLE)).astype(object)
    home = ~inside & (draw < np.where(area < 2, 0.6, 0.25))
    use[home] = np.where(rng.random(n) < 0.85, HOUSING, SHOPS)[home]
    use[~inside & (area < 1.5) & (rng.random(n) < 0.1)] = HALL
    good = ~inside & ~home & (use == INDUSTRY) & (rng.random(n) < 0.22)
    free = inside & (frame["place"].isna()).to_numpy()
    for k, zone in enumerate(zones):
        mine = free & (frame["zone"] == CIRCLES[k].name).to_numpy()
        depth = shapely.distance(polygons, zone.exterior)
        outermost = np.lexsort((np.arange(n), np.round(depth, 1)))
        outermost = outermost[mine[outermost]]
        _set_aside(use, good, outermost, area, with_good_firm=k == 1)
        small = np.flatnonzero(mine & (use == INDUSTRY) & (area > 0.5) & (area < 2.0))
        use[rng.choice(small, size=3, replace=False)] = REMNANT
    return frame.assign(use=use.tolist(), good_firm=good)


def _set_aside(
    use: NDArray[np.object_],
    good: NDArray[np.bool_],
    outermost: NDArray[np.intp],
    area: NDArray[np.float64],
    with_good_firm: bool,
) -> None:
    """Mark, from the edge inwards, an ancestral hall, up to 4 mu of housing, and a good firm of 5-9 mu."""
    hall = next(i for i in outermost if 0.6 < area[i] < 2.0)
    use[hall] = HALL
    housing = 0.0
    for i in outermost:
        if use[i] != HALL and area[i] < 2.0 and housing + area[i] <= 4.0:
            use[i] = HOUSING
            housing += area[i]
    if with_good_firm:
        firm = next(i for i in outermost if 5.0 < area[i] < 9.0)
        use[firm] = INDUSTRY
        good[firm] = True


def _witness(frame: pd.DataFrame, table: pd.DataFrame) -> pd.DataFrame:
    """Each estate as one block in its phase, without what can never be taken."""
    taken = frame["designated"] & ~table["用地现状"].isin([HOUSING, HALL]) & ~frame["good_firm"]
    plan = pd.DataFrame({"block": frame["group"], "phase": frame["phase"].astype("int64")})[taken]
    return plan.set_index(pd.Index(table.loc[taken, PARCEL_ID], name="parcel_id"))
