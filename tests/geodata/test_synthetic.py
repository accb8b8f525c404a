"""The generated land: exact circle sums, a clean coverage, plausible figures, and a plan that exists."""

from __future__ import annotations

import hashlib
import math
import os
import subprocess
import sys
import time
from collections.abc import Callable
from functools import cache
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st
from ruamel.yaml import YAML
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from geodata.attributes import map_fields
from geodata.spec import SyntheticSpec
from geodata.synthetic import CRS, PARCEL_ID, SyntheticLand, generate
from geodata.synthetic.attributes import COLUMNS, HALL, HOUSING, SHOPS
from geodata.synthetic.layout import Warp, densified, noded, to_millimetres, to_polygons
from geodata.synthetic.polygons import area, level_at_share, rectangle, split, split_with_gap
from geodata.synthetic.sizes import cutting_order, deal_out, parcel_sizes, street_blocks, tree_weight
from geodata.units import M2_PER_MU
from planner.config import Config
from planner.expressions import evaluate_number
from planner.scoring import filler_mask, score_parcels

REPOSITORY = Path(__file__).resolve().parents[2]
CIRCLES = {"长山头": 1657.0, "罗马": 2888.0}
SEEDS = (2023, 0, 5)


@cache
def land(seed: int = 2023) -> SyntheticLand:
    return generate(SyntheticSpec(case="qingxi", seed=seed))


@cache
def big_fabric() -> SyntheticLand:
    return generate(SyntheticSpec(case="fabric", n_parcels=3000, seed=1))


def sound(made: SyntheticLand) -> gpd.GeoDataFrame:
    """Parcels without the flaws put in on purpose, indexed by id."""
    return made.parcels[~made.parcels[PARCEL_ID].isin(made.flaws.index)].set_index(PARCEL_ID, drop=False)


def zone_of(made: SyntheticLand, parcels: gpd.GeoDataFrame) -> pd.Series:
    """Circle of each parcel by its inner point; NaN outside."""
    points = gpd.GeoDataFrame(geometry=parcels.representative_point())
    return gpd.sjoin(points, made.zones, how="left")["name"]


def joined(shapes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Pairs that share ≥ 3 m of boundary, or that a line of ≤ 12 m joins which crosses no third parcel."""
    tree = shapely.STRtree(shapes)
    a, b = tree.query(shapes, predicate="dwithin", distance=12.0)
    a, b = a[a < b], b[a < b]
    adjacent = shapely.length(shapely.intersection(shapes[a], shapes[b])) >= 3.0
    line = shapely.shortest_line(shapes[a], shapes[b])
    pair, third = tree.query(line, predicate="intersects")
    other = (third != a[pair]) & (third != b[pair])
    pair, third = pair[other], third[other]
    crossed = shapely.length(shapely.intersection(line[pair], shapes[third])) > 0.01
    blocked = np.zeros(len(a), dtype=bool)
    blocked[pair[crossed]] = True
    keep = adjacent | ~blocked
    return a[keep], b[keep]


@cache
def qingxi(seed: int) -> tuple[gpd.GeoDataFrame, pd.Series, tuple[np.ndarray, np.ndarray]]:
    """Sound parcels, their circles and the pairs of them that are joined."""
    parcels = sound(land(seed))
    return parcels, zone_of(land(seed), parcels), joined(parcels.geometry.to_numpy())


def pieces(seed: int, chosen: np.ndarray) -> int:
    """Number of connected pieces of the chosen ones among Qingxi's sound parcels."""
    parcels, _, (a, b) = qingxi(seed)
    inside = chosen[a] & chosen[b]
    graph = coo_matrix((np.ones(inside.sum()), (a[inside], b[inside])), shape=(len(parcels),) * 2)
    return len(np.unique(connected_components(graph, directed=False)[1][chosen]))


# ---------------------------------------------------------------------------------------------- Qingxi


@pytest.mark.parametrize("seed", SEEDS)
def test_circles_add_up_to_their_published_areas(seed: int) -> None:
    parcels, zone, _ = qingxi(seed)
    sums = (parcels.area / M2_PER_MU).groupby(zone).sum()
    assert set(sums.index) == set(CIRCLES)
    for name, target in CIRCLES.items():
        assert abs(sums[name] - target) < 0.05
    inside = zone.notna()
    assert inside.sum() == 430
    assert (~inside).sum() > 100


def test_parcels_of_a_circle_lie_wholly_inside_it() -> None:
    made = land()
    parcels, zone, _ = qingxi(2023)
    for name, circle in zip(made.zones["name"], made.zones.geometry, strict=True):
        assert shapely.area(shapely.difference(parcels[zone == name].geometry.to_numpy(), circle)).sum() == 0
        outside = parcels[zone != name].geometry.to_numpy()
        assert shapely.area(shapely.intersection(outside, circle)).sum() == 0
        # Compact enough to be called a circle.
        assert 4 * math.pi * circle.area / circle.length**2 > 0.85


@pytest.mark.parametrize("seed", SEEDS)
def test_half_of_the_parcels_are_below_5_mu(seed: int) -> None:
    parcels, zone, _ = qingxi(seed)
    size = (parcels.area / M2_PER_MU)[zone.notna()]
    assert (size < 5).mean() == pytest.approx(0.50, abs=0.03)
    assert (size < 10).mean() == pytest.approx(0.70, abs=0.03)
    assert size.min() > 0.2
    assert size.max() < 126


@pytest.mark.parametrize("seed", SEEDS)
def test_streets_and_river_take_15_to_25_percent(seed: int) -> None:
    parcels, _, _ = qingxi(seed)
    gross = shapely.buffer(shapely.buffer(parcels.union_all(), 40.0), -40.0).area
    assert 0.15 <= 1 - parcels.area.sum() / gross <= 0.25


@pytest.mark.parametrize("make", [land, big_fabric])
def test_boundaries_coincide_to_the_bit(make: Callable[[], SyntheticLand]) -> None:
    made = make()
    shapes = sound(made).geometry.to_numpy()
    assert shapely.is_valid(shapes).all()
    assert (shapely.get_type_id(shapes) == 3).all()
    assert shapely.coverage_is_valid(shapes)
    xy = shapely.get_coordinates(shapes)
    assert np.array_equal(xy, np.round(xy, 3))


@pytest.mark.parametrize("make", [land, lambda: land(5), big_fabric], ids=["qingxi", "other seed", "fabric"])
def test_flaws_are_the_listed_ones_and_lie_outside_the_circles(make: Callable[[], SyntheticLand]) -> None:
    made = make()
    parcels = made.parcels.set_index(PARCEL_ID)
    assert sorted(made.flaws) == ["bow-tie", "bow-tie", "duplicate", "overlap"]
    invalid = parcels.index[~parcels.is_valid]
    assert set(invalid) == set(made.flaws.index[made.flaws == "bow-tie"])
    shapes = parcels.geometry
    (twice,) = made.flaws.index[made.flaws == "duplicate"]
    assert sum(shape.equals(shapes[twice]) for shape in shapes) == 2
    (wide,) = made.flaws.index[made.flaws == "overlap"]
    overlaps = shapely.area(shapely.intersection(sound(made).geometry.to_numpy(), shapes[wide]))
    assert 1.0 < overlaps.sum() < 0.2 * shapes[wide].area
    if len(made.witness):
        assert not shapes[made.flaws.index].make_valid().intersects(made.zones.union_all()).any()


@pytest.mark.parametrize("seed", SEEDS)
def test_barriers_are_wide_and_leave_each_circle_whole(seed: int) -> None:
    made = land(seed)
    assert list(made.barriers["name"]) == ["river", "arterial"]
    assert made.barriers.is_valid.all()
    for barrier in made.barriers.geometry:
        mean_width = 2 * barrier.area / barrier.length
        assert 24 < mean_width < 45
        assert shapely.distance(sound(made).geometry.to_numpy(), barrier).min() > 1.0
        assert not made.zones.intersects(barrier).any()
    assert made.zones.geometry.iloc[0].distance(made.zones.geometry.iloc[1]) > 24


@pytest.mark.parametrize("seed", SEEDS)
def test_each_circle_is_one_piece_with_and_without_what_is_set_aside(seed: int) -> None:
    made = land(seed)
    parcels, zone, _ = qingxi(seed)
    for name in CIRCLES:
        inside = (zone == name).to_numpy()
        assert pieces(seed, inside) == 1
        assert pieces(seed, inside & parcels.index.isin(made.witness.index)) == 1


@pytest.mark.parametrize("seed", SEEDS)
def test_little_is_set_aside_inside_the_circles(seed: int) -> None:
    made = land(seed)
    parcels, zone, _ = qingxi(seed)
    area_mu = parcels.area / M2_PER_MU
    never = parcels["用地现状"].isin([HOUSING, HALL, SHOPS]) | (parcels["亩均税收_万元"] >= 20)
    inside = zone.notna()
    assert 10 < area_mu[never & inside].sum() < 25
    assert set(parcels.index[inside & ~never]) == set(made.witness.index)
    assert area_mu[never & ~inside].sum() > 5 * area_mu[never & inside].sum()


@pytest.mark.parametrize("seed", SEEDS)
def test_witness_is_a_plan(seed: int) -> None:
    made = land(seed)
    parcels, zone, _ = qingxi(seed)
    area_mu = (parcels.area / M2_PER_MU)[made.witness.index]
    for _, block in made.witness.groupby("block"):
        assert 60 <= area_mu[block.index].sum() <= 600
        assert block["phase"].nunique() == 1
        assert zone[block.index].nunique() == 1
        assert pieces(seed, parcels.index.isin(block.index)) == 1
    reached = area_mu.groupby(made.witness["phase"]).sum().cumsum()
    assert reached[1] >= 250
    assert reached[2] >= 2000
    assert reached[3] >= 4500
    gate = parcels.loc[made.witness.index, ["可动工年", "租约到期年"]].max(axis=1)
    assert (gate.fillna(0) <= made.witness["phase"].map({1: 1, 2: 3, 3: 5})).all()


@pytest.mark.parametrize("seed", SEEDS)
def test_enough_land_opens_in_time(seed: int) -> None:
    made = land(seed)
    parcels = qingxi(seed)[0].loc[made.witness.index]
    area_mu = parcels.area / M2_PER_MU
    gate = parcels[["可动工年", "租约到期年"]].max(axis=1).fillna(0)
    assert area_mu[gate <= 3].sum() > 2600
    assert gate.max() <= 5
    sites = parcels[parcels["地名"].notna()]
    assert set(sites["地名"]) == {"元载山厂原址", "蛙迹林场周边"}
    assert (gate[sites.index] <= 1).all()
    assert (sites["手续"] == "完善").all()
    for _, site in sites.groupby("地名"):
        assert 130 <= (site.area / M2_PER_MU).sum() <= 200
        assert pieces(seed, qingxi(seed)[0].index.isin(site.index)) == 1


@pytest.mark.parametrize("seed", SEEDS)
def test_villages_are_contiguous(seed: int) -> None:
    parcels, zone, _ = qingxi(seed)
    inside = zone.notna().to_numpy()
    villages = parcels.loc[inside, "村(社区)"].unique()
    assert len(villages) == 5
    for village in villages:
        assert pieces(seed, inside & (parcels["村(社区)"] == village).to_numpy()) == 1


def test_roads_are_bridgeable_lanes_and_lie_between_parcels() -> None:
    made = land()
    assert set(made.roads["kind"]) == {"lane", "village road"}
    assert made.roads["width_m"].between(4, 12).all()
    run = shapely.length(shapely.intersection(made.roads.geometry.to_numpy(), sound(made).union_all()))
    assert run.sum() < 0.02 * made.roads.length.sum()


# ------------------------------------------------------------------------------------ both, and their figures


@pytest.mark.parametrize("make", [land, big_fabric])
def test_file_looks_like_a_planners_file(make: Callable[[], SyntheticLand]) -> None:
    made = make()
    parcels = made.parcels
    assert list(parcels.columns) == [*COLUMNS, "geometry"]
    assert parcels[PARCEL_ID].is_unique
    assert parcels[PARCEL_ID].str.fullmatch(r"441900\d{6}(GB|JC)\d{5}").all()
    for layer in (parcels, made.zones, made.barriers, made.roads):
        assert layer.crs == CRS
    assert "synthetic" in made.label.lower()
    lon, lat = made.zones.to_crs("EPSG:4490").union_all().centroid.coords[0]
    assert lon == pytest.approx(114.16, abs=0.3)
    assert lat == pytest.approx(22.84, abs=0.3)


def test_fabric_follows_the_published_distributions() -> None:
    parcels = sound(big_fabric())
    size = parcels.area / M2_PER_MU
    assert size.median() == pytest.approx(5.0, rel=0.05)
    assert size.mean() == pytest.approx(10.5, rel=0.05)
    works = parcels[parcels["用地现状"].isin(["工业", "仓储物流"])]
    tax = works["亩均税收_万元"]
    assert tax.isna().mean() == pytest.approx(0.12, abs=0.02)
    assert (tax == 0).mean() == pytest.approx(0.08, abs=0.02)
    assert (tax < 0).mean() == pytest.approx(0.01, abs=0.008)
    ordinary = tax[(tax > 0) & (tax < 20)]
    assert ordinary.median() == pytest.approx(2.5, rel=0.1)
    assert np.log(ordinary).std() == pytest.approx(1.0, abs=0.1)
    both = np.log(works.loc[ordinary.index, ["亩均税收_万元", "亩均产值_万元"]].dropna())
    assert both.corr().iloc[0, 1] == pytest.approx(0.7, abs=0.05)
    assert works["亩均产值_万元"].median() == pytest.approx(55, rel=0.1)
    floor, land_m2 = works["建筑面积_m2"].sum(), works.area.sum()
    assert floor / land_m2 == pytest.approx(0.9, abs=0.1)
    assert works["租约到期年"].isna().mean() == pytest.approx(0.15, abs=0.02)
    assert (parcels["建成年份"] == 0).mean() == pytest.approx(0.06, abs=0.02)
    assert parcels.loc[parcels["建成年份"] > 0, "建成年份"].between(1985, 2016).all()
    assert (works["企业数"] == 1).mean() == pytest.approx(0.5, abs=0.03)
    assert (parcels["权属"] == "国有").mean() == pytest.approx(0.3, abs=0.03)
    assert (parcels["入库"] == "是").mean() == pytest.approx(0.55, abs=0.05)
    assert parcels["拆迁补偿_万元"].isna().sum() == 4


@pytest.mark.parametrize("make", [land, big_fabric])
def test_certificates_agree_but_for_some_typed_in_square_metres(make: Callable[[], SyntheticLand]) -> None:
    made = make()
    parcels = sound(made)
    ratio = (parcels["证载面积_亩"] / (parcels.area / M2_PER_MU)).dropna()
    wrong = ratio > 100
    assert 0 < wrong.mean() < 0.03
    assert ratio[~wrong].between(0.88, 1.12).all()
    assert (ratio[wrong] / M2_PER_MU).between(0.9, 1.1).all()
    assert (parcels.loc[parcels["证载面积_亩"].isna(), "手续"] == "无手续").all()


@pytest.mark.parametrize("make", [land, big_fabric])
def test_floor_area_is_far_times_land(make: Callable[[], SyntheticLand]) -> None:
    made = make()
    parcels = sound(made)
    measured = parcels["建筑面积_m2"] / parcels.area
    typed_in_percent = parcels["容积率"] > 10
    assert typed_in_percent.sum() <= 2
    assert (measured - parcels["容积率"])[~typed_in_percent].abs().max() < 0.01


@pytest.mark.parametrize("n", [12, 13, 199, 200, 1500])
def test_fabric_has_as_many_rows_as_asked_for(n: int) -> None:
    made = generate(SyntheticSpec(case="fabric", n_parcels=n, seed=3))
    assert len(made.parcels) == n
    assert len(made.flaws) == (4 if n >= 200 else 0)
    assert 3 <= len(made.zones) <= 6
    assert list(made.barriers["name"]) == ["river", "arterial"]
    assert zone_of(made, sound(made)).notna().all()
    for barrier in made.barriers.geometry:
        assert shapely.distance(sound(made).geometry.to_numpy(), barrier).min() > 1.0


@pytest.mark.slow
def test_fabric_of_100_000_parcels_takes_under_a_minute() -> None:
    start = time.process_time()
    made = generate(SyntheticSpec(case="fabric", n_parcels=100_000, seed=1))
    assert time.process_time() - start < 60
    assert made.parcels[PARCEL_ID].is_unique
    assert shapely.coverage_is_valid(sound(made).geometry.to_numpy())


# -------------------------------------------------------------------------------------------------- seed


def digest(made: SyntheticLand) -> str:
    """Hash of all that was generated."""
    state = hashlib.sha256()
    for layer in (made.parcels, made.zones, made.barriers, made.roads):
        state.update(b"".join(shapely.to_wkb(layer.geometry.to_numpy())))
        state.update(layer.drop(columns="geometry").to_csv().encode())
    state.update(made.flaws.to_csv().encode() + made.witness.to_csv().encode())
    return state.hexdigest()


def test_another_seed_gives_another_land() -> None:
    assert len({digest(land(seed)) for seed in SEEDS}) == len(SEEDS)


def test_same_seed_same_land_in_another_process() -> None:
    """String hashing differs between processes: nothing may depend on the order of a set."""
    code = (
        "from test_synthetic import digest, generate, SyntheticSpec as S; "
        "specs = S(case='qingxi', seed=11), S(case='fabric', seed=11, n_parcels=300), S(case='guangqing', seed=11); "
        "print(*(digest(generate(spec)) for spec in specs))"
    )
    paths = os.pathsep.join([str(REPOSITORY / "tests" / "geodata"), str(REPOSITORY)])
    environment = {**os.environ, "PYTHONHASHSEED": "4242", "PYTHONPATH": paths, "PYTHONIOENCODING": "utf-8"}
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, encoding="utf-8", env=environment, check=True
    )
    fabric = generate(SyntheticSpec(case="fabric", seed=11, n_parcels=300))
    town = generate(SyntheticSpec(case="guangqing", seed=11))
    assert done.stdout.split() == [digest(land(11)), digest(fabric), digest(town)]


# -------------------------------------------------------------------------------------- config.yaml on it


@cache
def configured() -> tuple[Config, pd.DataFrame, pd.Series]:
    """config.yaml, its scored fields and cost (yuan) of the sound parcels of its own land."""
    text = (REPOSITORY / "config.yaml").read_text(encoding="utf-8")
    config = Config.model_validate(YAML(typ="safe").load(text))
    assert config.parcels.synthetic is not None
    made = generate(config.parcels.synthetic)
    parcels = sound(made)
    fields, _ = map_fields(parcels, config.parcels.fields, "generated parcels")
    fields = fields.assign(area_mu=parcels.area / M2_PER_MU, zone=zone_of(made, parcels).astype("string"))
    scores = score_parcels(fields, config.scoring)
    table = scores.fields.assign(status=scores.status, filler=filler_mask(scores, config.optimise.filler))
    assert config.optimise.cost is not None
    cost = evaluate_number(config.optimise.cost.value, scores.fields).astype("float64")
    usable = (table["status"] == "eligible") | table["filler"]
    known = usable & cost.notna()
    return config, table, cost.fillna(table["area_mu"] * cost[known].sum() / table.loc[known, "area_mu"].sum())


def test_config_names_the_layers_that_are_generated() -> None:
    config, _, _ = configured()
    assert config.project.synthetic
    assert "generated" in (config.project.note or "")
    assert [b.name for b in config.barriers] == list(land().barriers["name"])
    assert {spec.column for spec in config.parcels.fields.values()} <= set(land().parcels.columns)
    assert [(p.year, p.target_mu) for p in config.optimise.phases] == [(1, 250), (3, 2000), (5, 4500)]


def test_config_makes_nearly_all_land_in_the_circles_eligible_and_none_outside() -> None:
    _, table, _ = configured()
    inside = table["zone"].notna()
    eligible = table["status"] == "eligible"
    assert table.loc[eligible, "area_mu"].sum() > 4515
    assert not (eligible & ~inside).any()
    assert table.loc[inside & (table["status"] == "excluded"), "area_mu"].sum() < 25
    remnant = table[inside & (table["status"] == "ineligible")]
    assert remnant["filler"].all()
    assert 0 < remnant["area_mu"].sum() < 15


def test_budgets_pay_for_the_witness_but_not_for_everything_open() -> None:
    config, table, cost = configured()
    made = generate(config.parcels.synthetic)  # type: ignore[arg-type]
    spent = cost[made.witness.index].groupby(made.witness["phase"]).sum()
    usable = (table["status"] == "eligible") | table["filler"]
    gate = table[["papers_year", "lease_end_year"]].astype("float64").max(axis=1).fillna(0)
    before = 0.0
    for number, phase in enumerate(config.optimise.phases, start=1):
        assert phase.budget is not None
        assert 1.03 * spent[number] <= phase.budget
        before += phase.budget
        if phase.year < 5:
            assert cost[usable & (gate <= phase.year)].sum() > before
    # Even of the two sites of the first year, not all can be paid for at once.
    assert cost[table["site"].notna()].sum() > (config.optimise.phases[0].budget or 0)


# ------------------------------------------------------------------------------------------------- pieces

angles = st.floats(0, 2 * math.pi)
sides = st.floats(5, 400)
shares = st.floats(0.05, 0.95)


@given(sides, sides, angles, shares)
def test_a_cut_leaves_the_share_asked_for(width: float, depth: float, angle: float, share: float) -> None:
    ring = rectangle(0, 0, width, depth)
    normal = (math.cos(angle), math.sin(angle))
    level = level_at_share(ring, normal, share)
    below, above = split(ring, normal, level)
    assert area(below) == pytest.approx(share * width * depth, rel=1e-6)
    assert area(below) + area(above) == pytest.approx(width * depth, rel=1e-9)
    assert len(set(below) & set(above)) == 2


def test_a_lane_keeps_its_width() -> None:
    left, right = split_with_gap(rectangle(0, 0, 100, 50), (1.0, 0.0), 40.0, 8.0)
    assert max(x for x, _ in left) == pytest.approx(36.0)
    assert min(x for x, _ in right) == pytest.approx(44.0)
    assert area(left) + area(right) == pytest.approx(92 * 50)


def test_noded_puts_the_corner_of_a_neighbour_on_the_long_edge() -> None:
    long, upper, lower = rectangle(0, 0, 10, 20), rectangle(10, 8, 20, 20), rectangle(10, 0, 20, 8)
    assert noded([long, upper, lower])[0] == [(0, 0), (10, 0), (10, 8), (10, 20), (0, 20)]


def test_cuts_that_nearly_meet_on_an_edge_make_one_corner() -> None:
    west = [rectangle(0, 0, 10, 8), rectangle(0, 8, 10, 20)]
    east = [rectangle(10, 0, 20, 8.0004), rectangle(10, 8.0004, 20, 20)]
    shapes = shapely.polygons([shapely.linearrings(ring) for ring in noded(west + east)])
    assert shapely.coverage_is_valid(to_millimetres(shapes))
    assert shapely.area(shapes).sum() == pytest.approx(400)


def test_densified_edges_are_the_same_from_both_sides() -> None:
    there = np.array([[0.1, 0.2], [137.7, 91.3]])
    forth, _ = densified(there, np.zeros(2, dtype=np.intp), closed=False)
    back, _ = densified(there[::-1], np.zeros(2, dtype=np.intp), closed=False)
    assert len(forth) == 5
    assert np.array_equal(forth, back[::-1])


def test_warped_neighbours_stay_a_coverage() -> None:
    warp = Warp(0.2, (0.3, 1.1, 2.0), (500_000.0, 2_500_000.0))
    rings = noded([rectangle(0, 0, 300, 400), rectangle(300, 100, 500, 400), rectangle(300, 0, 500, 100)])
    shapes = to_millimetres(to_polygons(rings, warp))
    assert shapely.coverage_is_valid(shapes)
    assert shapely.area(shapes).sum() == pytest.approx(500 * 400, rel=0.02)


@given(st.lists(st.floats(0.3, 120), min_size=1, max_size=60), st.integers(0, 100))
def test_grouping_loses_no_parcel(sizes: list[float], seed: int) -> None:
    rng = np.random.default_rng(seed)
    blocks = street_blocks(sizes, rng)
    assert sorted(s for block in blocks for s in block) == sorted(sizes)
    tree = cutting_order(sizes, rng)
    assert tree_weight(tree, sizes) == pytest.approx(sum(sizes))
    groups = deal_out(sizes, [sum(sizes) / 2] * 2, [120.0, 120.0])
    assert sorted(s for group in groups for s in group) == sorted(sizes)


def test_sizes_follow_the_lognormal_even_when_few() -> None:
    few = parcel_sizes(150, np.random.default_rng(1))
    assert np.median(few) == pytest.approx(5.0, rel=0.05)
    assert few.mean() == pytest.approx(10.55, rel=0.03)
    assert few.min() >= 0.3
    assert few.max() <= 120
