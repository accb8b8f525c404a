"""Guangqing: three rounds, entrants judged by yield with a hard veto, stock and increment apart, lead times."""

from __future__ import annotations

from functools import cache

import pandas as pd
import pytest

from planner.config import Config
from planner.demand.judge import Judged, judge_demand
from planner.spec_demand import DemandSpec
from tests.scenarios.running import CONFIG, CaseRun, assert_planned, config_of, land_of, run_case

ROUNDS = {"R1": (2013, 2017), "R2": (2017, 2020)}
"""2014-17 and 2018-20: the end of the year before, and of the last."""
ZONES = ("首期", "二期", "三期")
START_UP_DAYS = (69, 49)
DAYS_A_MONTH = 250 / 12
"""Working days."""
VETOED = {"A06", "B06"}


def case_config() -> Config:
    return config_of("guangqing")


def demand() -> DemandSpec:
    spec = case_config().demand
    assert spec is not None
    return spec


@cache
def judged() -> Judged:
    return judge_demand(demand())


def test_three_rounds_2014_to_17_2018_to_20_and_from_2021_on() -> None:
    config = case_config()
    phases = {p.id: p for p in config.optimise.phases}
    begins, before = {}, 2013
    for name, phase in phases.items():
        begins[name] = before if phase.begins is None else phase.begins
        before = phase.year
    assert {n: (begins[n], phases[n].year) for n in ROUNDS} == ROUNDS
    assert begins["R3"] == 2020 and list(phases) == ["R1", "R2", "R3"]
    assert set(land_of("guangqing").fields["zone"].dropna()) == set(ZONES)


def test_no_round_begins_before_its_time() -> None:
    first, second, third = (p.zones for p in case_config().optimise.phases)
    assert {z: first[z].target_max_mu for z in ZONES} == {"首期": None, "二期": 0, "三期": 0}
    assert {z: second[z].target_max_mu for z in second} == {"首期": None, "二期": None, "三期": 0}
    assert {z: third[z].target_max_mu for z in third} == dict.fromkeys(ZONES)


def test_entrants_are_held_to_yield_per_mu_and_to_a_hard_veto_on_environment_and_safety() -> None:
    spec = demand()
    assert {t.when for t in spec.veto} == {"environment == 'fail'", "safety == 'fail'"}
    looked_at = " ".join(t.when for t in spec.thresholds)
    assert "output_yuan_per_mu" in looked_at and "tax_yuan_per_mu" in looked_at
    assert {t.source for t in spec.thresholds} == {"judgement"}, "the source gives no figures"


def test_built_within_two_years_and_full_within_two_more() -> None:
    spec = demand()
    assert (spec.build_months, spec.ramp_months) == (24, 24)
    assert spec.start_months == pytest.approx(START_UP_DAYS[0] / DAYS_A_MONTH)
    text = (CONFIG.parent / "scenarios" / "guangqing.yaml").read_text(encoding="utf-8")
    assert f"49 would be {START_UP_DAYS[1] / DAYS_A_MONTH:.3f}" in text


def test_tax_and_value_added_per_unit_of_energy_are_marks() -> None:
    spec = demand()
    assert spec.grading is not None
    assert "value_added_yuan_per_tce" in {m.value for m in spec.grading.marks}


def test_everything_invented_says_so() -> None:
    config = case_config()
    assert config.project.synthetic and demand().synthetic
    assert "synthetic" in config.project.name and "invented" in str(config.project.note)
    assert judged().projects["note"].str.startswith("invented").all()


def test_stock_and_increment_are_told_apart() -> None:
    """Land never built on is 增量: no floor, no output; the rest is 存量, and the reports show it."""
    fields = land_of("guangqing").fields
    vacant = fields["stock_or_increment"] == "增量"
    assert vacant.any() and (~vacant).any()
    assert set(fields.loc[vacant, "land_use"]) == {"未建设用地"}
    assert (fields.loc[vacant, ["floor_area_m2", "output_wan_yuan_per_mu"]] == 0).all(axis=None)
    assert case_config().report.show.stock_mu is not None


def test_the_vetoed_have_the_highest_yield_of_their_rounds_and_are_barred() -> None:
    verdict = judged()
    assert set(verdict.verdicts.index[verdict.verdicts["barred"]]) == VETOED
    for name in VETOED:
        mine = verdict.projects[verdict.projects.index.str.startswith(name[0])]
        assert mine["tax_yuan_per_mu"].astype("Float64").idxmax() == name


def test_there_are_clusters_of_one_industry() -> None:
    assert judged().projects["industry"].value_counts().min() >= 5


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> CaseRun:
    return run_case("guangqing", tmp_path_factory.mktemp("guangqing"))


@pytest.mark.slow
def test_the_case_is_planned(run: CaseRun) -> None:
    assert_planned(run)


@pytest.mark.slow
def test_the_match_is_proven_and_keeps_every_limit(run: CaseRun) -> None:
    part = run.summary["demand"]
    assert part["status"] == "optimal" and part["synthetic"] is True
    table = run.contents.beside["demand"].set_index("project_id")
    blocks = run.contents.beside["demand_blocks"].set_index("block_id")
    matched = table[table["status"] == "matched"]
    assert len(matched) > 15 and not VETOED & set(matched.index)
    assert (matched["tax_yuan_per_mu"] >= 150_000).all() and (matched["output_yuan_per_mu"] >= 4_000_000).all()
    let = matched.groupby("block_id")["site_mu"].sum()
    assert (let <= blocks.loc[let.index, "site_mu"] + 1e-6).all()
    assert (matched["block_id"].map(blocks["supplied_year"]) <= matched["by_year"]).all()
    assert (table.loc[table["status"] != "matched", "reason"].fillna("") != "").all()


@pytest.mark.slow
def test_output_comes_two_to_four_years_after_the_land(run: CaseRun) -> None:
    years: pd.DataFrame = run.contents.beside["demand_by_year"].set_index("year")
    with_land = years.index[years["projects_supplied"] > 0].min()
    with_output = years.index[years["increment_output_yuan"] > 0].min()
    full = years.index[years["projects_full"] > 0].min()
    assert with_output - with_land in {2, 3} and full - with_land in {4, 5}
    assert (years["stock_output_yuan"].diff().dropna() <= 1e-6).all(), "the land as it is brings ever less"
    assert (years["increment_output_yuan"].diff().dropna() >= -1e-6).all()
