"""Changping: land inside the construction zone for one very large project and fifteen large ones."""

from __future__ import annotations

import geopandas as gpd
import pytest

from geodata.spec import SyntheticSpec
from geodata.synthetic import SyntheticLand, generate
from geodata.units import M2_PER_MU
from tests.scenarios.running import CaseRun, assert_planned, config_of, run_case

SITES = {"黄泥塘园区", "常平新城", "TOD香港城", "深莞合作区", "连片工业用地"}
INDUSTRY = ["工业", "仓储物流", "空置厂房"]
LARGEST_YUAN, LARGE_YUAN = 3_000_000_000, 100_000_000


@pytest.fixture(scope="module")
def land() -> SyntheticLand:
    return generate(SyntheticSpec(case="changping", seed=config_of("changping").parcels.synthetic.seed))


def outline(land: SyntheticLand, name: str) -> gpd.GeoSeries:
    return land.overlays.loc[land.overlays["name"] == name].geometry


def test_outlines_have_their_published_areas(land: SyntheticLand) -> None:
    assert outline(land, "town").area.sum() / 1e6 == pytest.approx(103, abs=0.01)
    assert outline(land, "construction_zone").area.sum() / 1e6 == pytest.approx(66, abs=0.5)
    assert outline(land, "construction_zone").union_all().within(outline(land, "town").union_all().buffer(0.01))


def test_land_has_about_3000_industrial_parcels_and_the_named_sites(land: SyntheticLand) -> None:
    assert land.parcels["用地现状"].isin(INDUSTRY).sum() == pytest.approx(3000, rel=0.03)
    assert set(land.zones["name"]) == SITES


def test_the_zone_keeps_out_and_the_town_is_only_told() -> None:
    effects = {o.name: (o.effect, o.tolerance_share) for o in config_of("changping").overlays}
    assert effects == {"town": ("tag", 0.0), "construction_zone": ("require", 0.0)}


def test_projects_are_as_many_and_as_large_as_the_town_asks_for() -> None:
    demand = config_of("changping").demand
    assert demand is not None
    assert demand.synthetic
    amounts = sorted(p.investment_yuan for p in demand.projects)
    assert sum(a > LARGEST_YUAN for a in amounts) == 1
    assert sum(LARGE_YUAN < a <= LARGEST_YUAN for a in amounts) == 15
    assert any(p.site_mu == 0 for p in demand.projects)


def test_the_first_phase_asks_for_one_block_that_holds_the_largest_site() -> None:
    config = config_of("changping")
    first = config.optimise.phases[0]
    assert config.demand is not None
    largest = max(p.site_mu for p in config.demand.projects)
    assert first.max_blocks == 1
    assert first.target_mu * config.demand.net_share >= largest
    assert config.optimise.block.max_mu >= first.target_mu


def test_no_site_is_smaller_than_its_investment_needs() -> None:
    """Dongguan's listings of 2023 ask for at least 10.6 million yuan per mu; three billion then need 283 mu at most."""
    demand = config_of("changping").demand
    assert demand is not None
    assert all(p.investment_yuan / p.site_mu >= 10_600_000 for p in demand.projects if p.site_mu)


@pytest.fixture(scope="module")
def case(tmp_path_factory: pytest.TempPathFactory) -> CaseRun:
    return run_case("changping", tmp_path_factory.mktemp("changping"))


@pytest.mark.slow
def test_case_is_planned_with_a_proof(case: CaseRun) -> None:
    assert_planned(case)


@pytest.mark.slow
def test_nothing_of_the_plan_lies_outside_the_zone(case: CaseRun, land: SyntheticLand) -> None:
    """Measured anew: at most 1 m² of a parcel."""
    mask = outline(land, "construction_zone").union_all()
    assert (case.taken.geometry.difference(mask).area <= 1.0).all()
    outside = case.parcels.geometry.difference(mask).area > 1.0
    assert outside.sum() > 100  # the zone decides something
    assert (case.parcels.loc[outside, "status"] == "excluded").all()


@pytest.mark.slow
def test_the_first_block_is_one_and_large_enough_for_the_largest_project(case: CaseRun) -> None:
    demand = case.contents.config.demand
    assert demand is not None
    largest = max(demand.projects, key=lambda p: p.investment_yuan)
    first = case.taken[case.taken["phase"].astype(int) == 1]
    assert first["block_id"].nunique() == 1
    assert first.geometry.area.sum() / M2_PER_MU * demand.net_share >= largest.site_mu


@pytest.mark.slow
def test_every_project_gets_its_site(case: CaseRun) -> None:
    """Sites and frontage of the projects in a block never exceed what the block has, measured on its parcels."""
    demand = case.contents.config.demand
    assert demand is not None
    rows = {row["project_id"]: row for row in case.summary["demand"]["rows"]}
    taken = case.taken
    land_mu = taken.geometry.area.groupby(taken["block_id"]).sum() / M2_PER_MU * demand.net_share
    frontage = taken["frontage_m"].astype(float).fillna(0).groupby(taken["block_id"]).sum()
    years = {p.id: p.year for p in case.contents.config.optimise.phases}
    phase_of = taken.groupby("block_id")["phase"].first().astype(int)
    let: dict[str, list] = {}
    for project in demand.projects:
        row = rows[project.id]
        assert row["status"] == ("in place" if project.site_mu == 0 else "matched"), row
        if project.site_mu:
            let.setdefault(row["block_id"], []).append(project)
            supplied = list(years.values())[phase_of[row["block_id"]] - 1] + demand.wait_months / 12
            assert project.by_year is None or supplied <= project.by_year + 1e-9
    for block, projects in let.items():
        assert sum(p.site_mu for p in projects) <= land_mu[block] + 1e-3
        assert sum(p.frontage_m or 0 for p in projects) <= frontage[block] + 1e-3
