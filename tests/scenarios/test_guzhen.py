"""Guzhen: six parks at the same time and three platforms, over 20 000 mu, papers that come late, a yearly budget."""

from __future__ import annotations

import numpy as np
import pytest

from planner.config import Config
from tests.scenarios.running import CaseRun, assert_planned, config_of, land_of, run_case

PARKS = tuple(f"园区{k}" for k in range(1, 7))
PLATFORMS = ("灯都产业新城", "灯都新客厅", "螺沙园区")
SITES = (*PARKS, *PLATFORMS)
RELEASED_MU = 20_000


@pytest.fixture(scope="module")
def config() -> Config:
    return config_of("guzhen")


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> CaseRun:
    return run_case("guzhen", tmp_path_factory.mktemp("guzhen"))


# ------------------------------------------------------------------------- the configuration and the land


def test_more_than_20_000_mu_are_released_by_the_last_year(config: Config) -> None:
    targets = [p.target_mu for p in config.optimise.phases]
    assert targets[-1] == RELEASED_MU
    assert targets == sorted(targets)
    assert config.optimise.counts == "net"


def test_years_follow_each_other_and_every_one_has_a_budget(config: Config) -> None:
    phases = config.optimise.phases
    assert [p.year for p in phases] == list(range(1, len(phases) + 1))
    assert all(p.budget is not None and p.budget > 0 for p in phases)


def test_every_park_and_platform_is_asked_to_begin_by_the_second_year(config: Config) -> None:
    begun = config.optimise.phases[1].zones
    assert set(begun) == set(SITES)
    assert min(z.target_mu for z in begun.values()) >= config.optimise.block.min_mu
    assert config.optimise.block.within_zone


def test_the_run_says_what_is_a_fact_and_that_the_land_is_synthetic(config: Config) -> None:
    assert config.project.synthetic
    note = str(config.project.note)
    assert "80 firms" in note
    assert "上规上限" in note
    assert "Assumptions of ours" in note
    assert "(synthetic parcels)" in config.project.name


def test_papers_and_leases_gate_the_start(config: Config) -> None:
    gates = {g.year: g.unknown for g in config.optimise.earliest}
    assert gates == {"papers_year": "never", "lease_end_year": "open"}


@pytest.mark.slow
def test_land_is_six_parks_and_three_platforms_and_mostly_lacks_papers() -> None:
    land = land_of("guzhen")
    area = land.fields["area_mu"].astype(float)
    sums = area.groupby(land.fields["zone"].astype(object)).sum()
    assert set(sums.index) == set(SITES)
    assert sums.sum() == pytest.approx(23_000, abs=0.05)
    assert sums.sum() > RELEASED_MU
    papers = land.fields["papers"]
    inside = land.fields["zone"].notna().to_numpy(dtype=bool)
    full = (papers == "完善").to_numpy(dtype=bool)
    assert area[inside & full].sum() < 0.5 * area[inside].sum()


# ------------------------------------------------------------------------------------------------- the run


@pytest.mark.slow
def test_case_is_planned(finished: CaseRun) -> None:
    assert_planned(finished)


@pytest.mark.slow
def test_every_site_begins_by_the_second_year_and_goes_on(finished: CaseRun) -> None:
    taken = finished.taken
    begun = taken[taken["phase"] <= 2].groupby("zone")["area_mu"].sum()
    assert set(begun.index) == set(SITES)
    assert begun.min() >= 300
    assert taken["area_mu"].sum() >= RELEASED_MU


@pytest.mark.slow
def test_no_parcel_is_taken_before_its_papers_and_its_lease_allow(finished: CaseRun) -> None:
    taken = finished.taken
    assert taken["papers_year"].notna().all()
    assert (taken["papers_year"] <= taken["phase"]).all()
    assert (taken["lease_end_year"].fillna(0) <= taken["phase"]).all()


@pytest.mark.slow
def test_no_year_spends_more_than_its_budget(finished: CaseRun, config: Config) -> None:
    blocks = finished.contents.tables.blocks
    spent = blocks.groupby("phase")["cost"].sum()
    for number, phase in enumerate(config.optimise.phases, start=1):
        assert phase.budget is not None
        assert spent.get(number, 0.0) <= phase.budget * (1 + 1e-9)


@pytest.mark.slow
def test_lighting_firms_above_the_threshold_and_good_firms_stay(finished: CaseRun) -> None:
    taken, parcels = finished.taken, finished.parcels
    lighting = (parcels["industry"] == "灯饰") & (parcels["large_firms"] > 0)
    assert lighting.sum() > 20
    assert (parcels.loc[lighting, "status"] == "excluded").all()
    assert not (taken["tax_wan_yuan_per_mu"].fillna(0) >= 20).any()
    assert np.isin(taken["industry"].dropna().unique(), ["灯饰", "五金", "塑料"]).all()


@pytest.mark.slow
def test_blocks_are_contiguous_land_of_one_site_from_150_mu_on(finished: CaseRun, config: Config) -> None:
    blocks = finished.contents.tables.blocks
    assert blocks["area_mu"].min() >= config.optimise.block.min_mu
    assert blocks["area_mu"].max() <= config.optimise.block.max_mu
    assert blocks["zone"].isin(SITES).all()
