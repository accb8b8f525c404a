"""Generated towns: exact sums, villages as given, frontage measured from the drawing, outlines of exact area."""

from __future__ import annotations

import hashlib
import math
from dataclasses import replace
from functools import cache

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from geodata.errors import DataError
from geodata.spec import SyntheticSpec
from geodata.synthetic import CRS, PARCEL_ID, SyntheticLand, generate
from geodata.synthetic.attributes import COLUMNS, VACANT, WORKING_USES
from geodata.synthetic.exact import with_exact_sum
from geodata.synthetic.frontage import frontage_m
from geodata.synthetic.outlines import outlines
from geodata.synthetic.sizes import deal_out
from geodata.synthetic.town import town_land
from geodata.synthetic.town_model import Divider, Group, Outlines, Site, Town
from geodata.synthetic.towns import TOWNS, XIAOLAN_COMMUNITIES, XIAOLAN_WEAK_VILLAGES
from geodata.units import M2_PER_MU

CASES = tuple(TOWNS)
FRONTAGE = "临路长度_m"
SMALL = Town(
    origin=(500_000.0, 2_500_000.0),
    county="441900",
    sites=(
        Site("A", 150.0, 15, (Group("甲村", "甲村1组", 0.4, 1), Group("甲村", "甲村2组", 0.6, 2))),
        Site("B", 100.0, 10, (Group("乙村", "乙村1组", 1.0, 3, increment_share=0.5),)),
        Site(None, 160.0, 24, (Group("丙村", "丙村1组", 1.0, 5),)),
    ),
    dividers=(Divider("arterial", 56.0, 18.0),),
)


@cache
def land(case: str) -> SyntheticLand:
    return generate(SyntheticSpec(case=case))  # type: ignore[arg-type]


def sound(made: SyntheticLand) -> gpd.GeoDataFrame:
    """Parcels without the flaws put in on purpose."""
    return made.parcels[~made.parcels[PARCEL_ID].isin(made.flaws.index)]


def digest(made: SyntheticLand) -> str:
    """Hash of all that was generated."""
    state = hashlib.sha256()
    for layer in (made.parcels, made.zones, made.barriers, made.roads, made.overlays):
        state.update(b"".join(shapely.to_wkb(layer.geometry.to_numpy())))
        state.update(layer.drop(columns="geometry").to_csv().encode())
    return state.hexdigest()


# ------------------------------------------------------------------------------------------ all of them


@pytest.mark.parametrize("case", CASES)
def test_parcels_of_a_site_lie_inside_it_and_add_up_exactly(case: str) -> None:
    made, town = land(case), TOWNS[case]
    shapes = sound(made).geometry.to_numpy()
    wanted = {site.name: site for site in town.sites if site.name is not None}
    assert list(made.zones["name"]) == list(wanted)
    for name, zone in zip(made.zones["name"], made.zones.geometry, strict=True):
        inside = shapely.covered_by(shapes, zone)
        assert inside.sum() == wanted[name].n_parcels
        assert abs(shapely.area(shapes[inside]).sum() / M2_PER_MU - wanted[name].area_mu) < 1e-6
        assert shapely.area(shapely.intersection(shapes[~inside], zone)).sum() == 0


@pytest.mark.parametrize("case", CASES)
def test_parcels_are_a_coverage_to_the_millimetre_but_for_the_listed_flaws(case: str) -> None:
    made = land(case)
    assert sorted(made.flaws) == ["bow-tie", "bow-tie", "duplicate", "overlap"]
    shapes = sound(made).geometry.to_numpy()
    assert shapely.coverage_is_valid(shapes)
    xy = shapely.get_coordinates(shapes)
    assert np.array_equal(xy, np.round(xy, 3))
    spoilt = made.parcels[made.parcels[PARCEL_ID].isin(made.flaws.index)].geometry.make_valid()
    assert not spoilt.intersects(made.zones.union_all()).any()


@pytest.mark.parametrize("case", CASES)
def test_ids_are_unique_and_carry_the_county_and_villages_are_as_given(case: str) -> None:
    made, town = land(case), TOWNS[case]
    assert made.parcels[PARCEL_ID].is_unique
    assert made.parcels[PARCEL_ID].str.startswith(town.county).all()
    assert set(made.parcels["村(社区)"]) == {g.village for s in town.sites for g in s.groups}
    assert set(made.parcels["村民小组"]) == {g.group for s in town.sites for g in s.groups}
    extra = [FRONTAGE, "存量增量", *(["行业"] if town.industries else [])]
    assert list(made.parcels.columns) == [*COLUMNS, *extra, "geometry"]
    assert made.witness.empty


@pytest.mark.parametrize("case", CASES)
def test_groups_get_the_share_of_their_site(case: str) -> None:
    parcels = sound(land(case))
    area = (parcels.area / M2_PER_MU).groupby(parcels["村民小组"]).sum()
    for site in TOWNS[case].sites:
        for g in site.groups if site.name is not None else ():
            if sum(g.group == other.group for s in TOWNS[case].sites for other in s.groups) == 1:
                assert area[g.group] == pytest.approx(g.share * site.area_mu, rel=0.08)


@pytest.mark.parametrize("case", CASES)
def test_barriers_cut_no_site(case: str) -> None:
    made, town = land(case), TOWNS[case]
    assert list(made.barriers["name"]) == [d.name for d in town.dividers]
    assert made.barriers.is_valid.all()
    for barrier in made.barriers.geometry:
        assert shapely.distance(sound(made).geometry.to_numpy(), barrier).min() > 1.0
        assert not made.zones.intersects(barrier).any()


@pytest.mark.parametrize("case", CASES)
def test_gates_are_years_by_which_the_group_is_settled(case: str) -> None:
    made, parcels = land(case), sound(land(case))
    shapes = parcels.geometry.to_numpy()
    for site in (s for s in TOWNS[case].sites if s.name is not None):
        zone = made.zones.geometry[made.zones["name"] == site.name].iloc[0]
        mine = parcels[shapely.covered_by(shapes, zone)]
        settled = mine["村民小组"].map({g.group: g.ready_year for g in site.groups})
        for gate in ("可动工年", "租约到期年"):
            assert (mine[gate].fillna(0) <= settled).all()
        assert mine["可动工年"].max() == max(g.ready_year for g in site.groups)


# -------------------------------------------------------------------------------------------- frontage


@pytest.mark.parametrize("case", CASES)
def test_frontage_is_the_boundary_along_wide_roads(case: str) -> None:
    """Measured again with buffers around centre lines and carriageways: sides that lead away add their first metres."""
    made = land(case)
    parcels = sound(made)
    edges = shapely.boundary(parcels.geometry.to_numpy())
    avenues = made.roads[made.roads["kind"] == "avenue"].geometry.to_numpy()
    arterials = made.barriers[made.barriers["name"] == "arterial"].geometry.to_numpy()
    assert len(avenues) > 0
    assert made.roads["width_m"][made.roads["kind"] != "avenue"].max() < 12
    near = shapely.union_all([*shapely.buffer(avenues, 15.0 + 4.0), *shapely.buffer(arterials, 10.0 + 5.0)])
    again = shapely.length(shapely.intersection(edges, near))
    has = (parcels[FRONTAGE] > 0).to_numpy()
    assert 0.03 < has.mean() < 0.3
    assert (parcels[FRONTAGE].to_numpy() <= again + 0.1).all()
    # Two sides lead away from a road, at a corner four; streets between parcels are no boundary.
    assert (again - parcels[FRONTAGE].to_numpy())[has].max() < 100
    assert np.median((again - parcels[FRONTAGE].to_numpy())[has]) < 25
    assert (again[~has] < 60).all()
    both_sides = 2 * shapely.length(avenues).sum() + shapely.length(arterials).sum()
    assert 0.6 < parcels[FRONTAGE].sum() / both_sides < 1.05


def test_a_side_on_the_road_counts_and_one_that_leads_away_does_not() -> None:
    road = shapely.box(0, -30, 100, 0)
    plots = np.array(
        [
            shapely.box(0, 0, 40, 25),
            shapely.box(40, 0.6, 70, 25),
            shapely.box(70, 3, 100, 25),
            shapely.box(0, 25, 9, 40),
        ],
        dtype=object,
    )
    assert frontage_m(plots, [road]).tolist() == [40.0, 30.0, 0.0, 0.0]


def test_a_corner_plot_has_frontage_on_both_roads_but_none_on_the_edge_between() -> None:
    south, west = shapely.box(-30, -30, 100, 0), shapely.box(-30, 0, 0, 100)
    cut_corner = shapely.Polygon([(10, 0), (40, 0), (40, 50), (0, 50), (0, 10)])
    measured = frontage_m(np.array([cut_corner], dtype=object), [south, west])
    assert measured.tolist() == [pytest.approx(30 + 40)]


def test_no_road_no_frontage() -> None:
    assert frontage_m(np.array([shapely.box(0, 0, 1, 1)], dtype=object), []).tolist() == [0.0]


# -------------------------------------------------------------------------------------------- Changping


def test_changping_has_the_published_areas_and_about_3000_industrial_parcels() -> None:
    made = land("changping")
    over = made.overlays.set_index("name").geometry
    assert list(over.index) == ["town", "construction_zone"]
    assert over["town"].area / 1e6 == pytest.approx(103.0, abs=0.0001)
    assert over["construction_zone"].area / 1e6 == pytest.approx(66.0, abs=0.0001)
    assert made.parcels["用地现状"].isin(WORKING_USES).sum() == pytest.approx(3000, rel=0.03)
    assert "only their areas are facts" in made.label


def test_changping_outlines_are_irregular_and_one_lies_in_the_other() -> None:
    over = land("changping").overlays.set_index("name").geometry
    assert over.is_valid.all()
    assert over["town"].contains(over["construction_zone"])
    for shape in over:
        assert shape.area / shape.minimum_rotated_rectangle.area < 0.9
        assert 0.5 < 4 * math.pi * shape.area / shape.length**2 < 0.97


def test_the_construction_zone_leaves_out_a_tenth_of_the_parcels_but_no_site() -> None:
    made = land("changping")
    over = made.overlays.set_index("name").geometry
    shapes = sound(made).geometry.to_numpy()
    outside = ~shapely.covered_by(shapes, over["construction_zone"])
    assert 0.05 < outside.mean() < 0.15
    assert shapely.covered_by(shapes, over["town"]).all()
    zones = made.zones.geometry.to_numpy()
    inside = shapely.area(shapely.intersection(zones, over["construction_zone"])) / shapely.area(zones)
    assert inside.min() > 0.95


@pytest.mark.parametrize("case", ["guzhen", "guangqing", "xiaolan"])
def test_the_other_towns_have_no_overlays(case: str) -> None:
    assert land(case).overlays.empty
    assert land(case).overlays.crs == CRS


def test_a_zone_that_cannot_leave_out_so_much_is_one_clear_error() -> None:
    plots = np.array([shapely.box(k, 0, k + 10, 10) for k in range(0, 200, 10)], dtype=object)
    inside = np.arange(20) < 10
    with pytest.raises(DataError, match="leaves out 90%"):
        outlines(Outlines(103.0, 66.0, 0.9), plots, inside, np.random.default_rng(1))


# ------------------------------------------------------------------------------------------- Guangqing


def test_guangqing_is_mostly_vacant_in_the_later_rounds() -> None:
    made = land("guangqing")
    parcels = sound(made)
    vacant = (parcels["存量增量"] == "增量").to_numpy()
    area = parcels.area.to_numpy()
    share = {}
    for name, zone in zip(made.zones["name"], made.zones.geometry, strict=True):
        inside = shapely.covered_by(parcels.geometry.to_numpy(), zone)
        share[name] = area[inside & vacant].sum() / area[inside].sum()
    assert share["首期"] < 0.5 < share["二期"] < share["三期"]
    assert set(parcels["存量增量"]) == {"存量", "增量"}


def test_vacant_land_has_no_building_no_firm_and_no_lease() -> None:
    parcels = land("guangqing").parcels
    vacant = parcels[parcels["存量增量"] == "增量"]
    assert set(vacant["用地现状"]) == {VACANT}
    nought = [
        "建筑面积_m2",
        "容积率",
        "企业数",
        "规上企业数",
        "亩均税收_万元",
        "亩均产值_万元",
        "拆迁补偿_万元",
        "租约到期年",
    ]
    assert (vacant[nought] == 0).all().all()
    assert set(vacant["建筑类型"]) == {"无"}
    stock = parcels[parcels["存量增量"] == "存量"]
    assert VACANT not in set(stock["用地现状"])
    assert (stock["建筑面积_m2"] > 0).mean() > 0.9


# --------------------------------------------------------------------------------------------- Xiaolan


def test_xiaolan_has_23_communities_and_6_villages_of_which_the_villages_lie_south() -> None:
    parcels = land("xiaolan").parcels
    villages = set(parcels["村(社区)"])
    assert len(XIAOLAN_COMMUNITIES) == 23
    assert len(XIAOLAN_WEAK_VILLAGES) == 6
    assert villages == {*XIAOLAN_COMMUNITIES, *XIAOLAN_WEAK_VILLAGES}
    north = parcels.centroid.y.groupby(parcels["村(社区)"]).mean()
    middle = sum(parcels.total_bounds[[1, 3]]) / 2
    assert (north[list(XIAOLAN_WEAK_VILLAGES)] < middle).all()
    assert north["永宁社区"] > middle


def test_weak_villages_yield_less_are_less_willing_and_have_fewer_papers() -> None:
    parcels = sound(land("xiaolan"))
    weak = parcels["村(社区)"].isin(XIAOLAN_WEAK_VILLAGES)
    tax = parcels.loc[parcels["亩均税收_万元"] > 0].groupby(weak)["亩均税收_万元"].median()
    assert tax[True] < 0.7 * tax[False]
    for column, least in (("意愿", 0.08), ("确权比例", 0.15)):
        mean = parcels.groupby(weak)[column].mean()
        assert mean[True] + least < mean[False]
    assert parcels["意愿"].between(0, 1).all()


def test_yongning_is_one_site_of_625_mu_in_three_plates() -> None:
    made = land("xiaolan")
    parcels = sound(made)
    site = parcels[parcels["地名"] == "永宁地块"]
    assert site.area.sum() / M2_PER_MU == pytest.approx(625.0, abs=3e-6)
    plates = made.zones[made.zones["name"].str.startswith("永宁板块")]
    assert len(plates) == 3
    assert not made.barriers.intersects(plates.union_all().convex_hull).any()
    shapes = site.geometry.to_numpy()
    a, b = shapely.STRtree(shapes).query(shapes, predicate="dwithin", distance=12.0)
    graph = coo_matrix((np.ones(len(a)), (a, b)), shape=(len(shapes),) * 2)
    assert connected_components(graph, directed=False)[0] == 1


# ---------------------------------------------------------------------------------------------- Guzhen


def test_guzhen_has_six_parks_and_three_platforms_of_more_than_20000_mu() -> None:
    made = land("guzhen")
    names = list(made.zones["name"])
    assert [n for n in names if n.startswith("园区")] == [f"园区{k}" for k in range(1, 7)]
    assert names[6:] == ["灯都产业新城", "灯都新客厅", "螺沙园区"]
    assert sum(s.area_mu for s in TOWNS["guzhen"].sites if s.name is not None) == 23_000


def test_guzhen_lights_and_mostly_lacks_papers_and_is_mostly_sheds() -> None:
    parcels = sound(land("guzhen"))
    working = parcels["用地现状"].isin(["工业", "仓储物流"])
    assert parcels["行业"].notna().equals(working)
    shares = parcels["行业"].value_counts(normalize=True)
    assert shares["灯饰"] == pytest.approx(0.65, abs=0.03)
    assert (parcels["手续"] == "完善").mean() < 0.5
    assert (parcels["建筑类型"] == "铁皮厂房").mean() > 0.6


# ----------------------------------------------------------------------------------------------- parts


def test_same_seed_same_land_and_another_seed_another() -> None:
    assert digest(town_land(SMALL, 4)) == digest(town_land(SMALL, 4))
    assert digest(town_land(SMALL, 4)) != digest(town_land(SMALL, 5))


@settings(max_examples=6, deadline=None)
@given(seed=st.integers(0, 10_000), mu=st.floats(60.0, 300.0))
def test_small_towns_of_any_seed_are_exact(seed: int, mu: float) -> None:
    town = replace(SMALL, sites=(replace(SMALL.sites[0], area_mu=mu), *SMALL.sites[1:]))
    made = town_land(town, seed)
    shapes = sound(made).geometry.to_numpy()
    assert shapely.coverage_is_valid(shapes)
    inside = shapely.covered_by(shapes, made.zones.geometry.iloc[0])
    assert inside.sum() == 15
    assert abs(shapely.area(shapes[inside]).sum() / M2_PER_MU - mu) < 1e-6


def test_a_site_smaller_than_its_largest_parcel_allows_is_one_clear_error() -> None:
    with pytest.raises(ValueError, match=r"fits in no group: the largest that one admits is 3\.00 mu"):
        deal_out([1.0, 5.0], [3.0, 3.0], [3.0, 2.0])
    with pytest.raises(ValueError, match="there is no group"):
        deal_out([1.0], [], [])


def test_shares_of_a_site_must_add_up() -> None:
    with pytest.raises(ValueError, match="do not add up to 1"):
        Site("A", 10.0, 2, (Group("甲村", "甲村1组", 0.7, 1),))


@pytest.mark.parametrize("seed", range(8))
def test_one_corner_takes_up_what_is_missing(seed: int) -> None:
    """Two plots of millimetre corners side by side: the shared side stays, the sum comes out, one plot is as it was."""
    rng = np.random.default_rng(seed)
    corners = np.array([(0, 0), (40, 0), (80, 0), (80, 50), (40, 50), (0, 50)]) + rng.uniform(-8, 8, (6, 2))
    a, b, c, d, e, f = np.round(corners + np.array([500_000.0, 2_500_000.0]), 3)
    plots = np.array([shapely.Polygon([a, b, e, f]), shapely.Polygon([b, c, d, e])], dtype=object)
    before = plots.copy()
    wanted = float(shapely.area(plots).sum()) + float(rng.uniform(-0.9, 0.9))
    made = with_exact_sum(plots, wanted)
    assert abs(shapely.area(made).sum() - wanted) <= 3.1e-4
    assert shapely.coverage_is_valid(made)
    shared = shapely.LineString([b, e])
    assert all(shapely.covers(shapely.boundary(plot), shared) for plot in made)
    xy = shapely.get_coordinates(made)
    assert np.array_equal(xy, np.round(xy, 3))
    assert shapely.equals_exact(plots, before).all()
    assert shapely.equals_exact(plots, made).sum() == 1
    assert shapely.hausdorff_distance(plots, made).max() < 0.36


def test_more_than_a_corner_can_take_up_is_refused() -> None:
    plot = np.array([shapely.box(0, 0, 10, 10)], dtype=object)
    with pytest.raises(ValueError, match=r"can take up 100\.000 m²"):
        with_exact_sum(plot, 200.0)


def test_labels_say_synthetic() -> None:
    for case in CASES:
        assert land(case).label.startswith("Synthetic land")


def test_flaws_keep_out_of_the_attributes() -> None:
    """The parcel stored twice has the attributes of its original."""
    parcels = land("guangqing").parcels
    (twice,) = land("guangqing").flaws.index[land("guangqing").flaws == "duplicate"]
    copy = parcels[parcels[PARCEL_ID] == twice].iloc[0]
    same = parcels.geometry.apply(lambda shape: shape.equals(copy.geometry))
    rows = pd.DataFrame(parcels[same].drop(columns=["geometry", PARCEL_ID]))
    assert len(rows) == 2
    assert rows.iloc[0].equals(rows.iloc[1].rename(rows.index[0]))


def test_a_site_that_cannot_be_closed_is_one_clear_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """What to do is told as of any other seed that gives no land, not by a traceback."""

    def too_far(polygons: np.ndarray, wanted_m2: float) -> np.ndarray:
        return with_exact_sum(polygons, wanted_m2 + 1e6)

    monkeypatch.setattr("geodata.synthetic.town_fitting.with_exact_sum", too_far)
    small = Town((0.0, 0.0), "441900", (Site("one", 200.0, 30, (Group("v", "g", 1.0, 0),)),), ())
    with pytest.raises(DataError, match="seed 1: the parcels of one do not add up") as caught:
        town_land(small, 1)
    assert caught.value.issues[0].where == "parcels.synthetic.seed"
