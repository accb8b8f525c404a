"""Supply of the blocks, and output and tax by year: worked out by hand."""

from __future__ import annotations

import math
from typing import Any

import pandas as pd
import pytest

from planner.config import Config
from planner.demand.judge import judge_demand
from planner.demand.report import demand_report
from planner.demand.supply import block_supply, month, year_of
from planner.demand.years import demand_by_year, project_times
from planner.problem import Block
from tests.planner.demand.cases import blocks, demand, find, judged, project
from tests.planner.land_builders import BASE, merged

FIELDS = pd.DataFrame(
    {"area_mu": [10.0, 20.0, 30.0], "front": [5.0, None, 7.0], "out": [100.0, None, 1000.0], "score": 0.5},
    index=pd.Index(["a", "b", "c"], name="parcel_id"),
)
PLAN = (Block((0, 1), 0), Block((2,), 1))
"""Phases end with the years 1 and 3."""


def config(*changes: dict[str, Any]) -> Config:
    tree = merged(BASE, {"report": {"show": {"output_yuan": "out"}}}, *changes)
    return Config.model_validate(tree)


def test_land_to_let_is_the_share_of_the_net_land_and_comes_after_the_wait() -> None:
    spec = demand(project("A"), net_share=0.8, wait_months=6.0, frontage_m="front")
    got = block_supply(config(), spec, FIELDS, PLAN, ["P1-01", "P2-01"], None)
    assert got["site_mu"].tolist() == pytest.approx([24.0, 24.0])
    assert got["frontage_m"].tolist() == [5.0, 7.0] and got["frontage_unknown_parcels"].tolist() == [1, 0]
    assert got["supplied_at"].tolist() == [1.5, 3.5] and got["supplied_year"].tolist() == [2, 4]
    assert got["supplied"].tolist() == ["2-06", "4-06"]


@pytest.mark.parametrize(
    ("time", "text", "year"), [(2017.0, "2017-12", 2017), (2016 + 1 / 12, "2017-01", 2017), (math.nan, None, None)]
)
def test_months_and_years_are_those_at_whose_end_something_is_there(time: float, text: str, year: int) -> None:
    assert (month(time), year_of(time)) == (text, year)


def _years(spec: Any, verdict: Any, table: pd.DataFrame, supply: pd.DataFrame) -> pd.DataFrame:
    times = project_times(verdict.projects, table, supply, spec)
    coming = table["status"].isin(["matched", "in place"]).to_numpy()
    return demand_by_year(config(), spec, FIELDS, PLAN, None, verdict.projects[coming], times[coming]).set_index("year")


def _matched(ids: list[str], names: list[str | None], status: str = "matched") -> pd.DataFrame:
    return pd.DataFrame({"status": status, "block_id": names, "reason": ""}, index=ids, dtype=object)


def test_stock_goes_when_the_phase_begins_and_the_increment_rises_after_building() -> None:
    """Parcel a (100) and b (unknown) go at time 0, c (1000) at 1. A has its land at 1, is built at 2, full at 4.

    Of 80 a year: in year 3 a quarter (from 0 to a half), in year 4 three quarters, in year 5 all.
    """
    rows = (project("A", output_yuan=80.0, tax_yuan=8.0),)
    spec = demand(*rows, build_months=12.0, ramp_months=24.0, horizon_year=5)
    got = _years(spec, judged(*rows), _matched(["A"], ["one"]), blocks(("one", 30.0, 1.0)))
    assert list(got.index) == [1, 2, 3, 4, 5]
    assert got["stock_output_yuan"].tolist() == [1000.0, 0.0, 0.0, 0.0, 0.0]
    assert got["stock_output_unknown_parcels"].tolist() == [0] * 5  # the unknown one is gone before year 1
    assert got["increment_output_yuan"].tolist() == pytest.approx([0.0, 0.0, 20.0, 60.0, 80.0])
    assert got["increment_tax_yuan"].tolist() == pytest.approx([0.0, 0.0, 2.0, 6.0, 8.0])
    assert got["projects_full"].tolist() == [0, 0, 0, 1, 1] and got["let_mu"].tolist() == [10.0] * 5
    assert got["stock_tax_yuan"].isna().tolist() == [True, False, False, False, False]  # no figure, then no parcel
    assert got["stock_tax_unknown_parcels"].tolist() == [1, 0, 0, 0, 0]


def test_start_up_shifts_the_increment_and_nothing_else() -> None:
    rows = (project("A", output_yuan=120.0),)
    supply, table = blocks(("one", 30.0, 1.0)), _matched(["A"], ["one"])
    plain = demand(*rows, build_months=12.0, ramp_months=0.0, horizon_year=5)
    slow = plain.model_copy(update={"start_months": 6.0})
    one, other = (_years(s, judged(*rows), table, supply)["increment_output_yuan"].tolist() for s in (plain, slow))
    assert one == pytest.approx([0, 0, 120, 120, 120]) and other == pytest.approx([0, 0, 60, 120, 120])


def test_land_is_taken_up_no_earlier_than_the_project_comes() -> None:
    rows = (project("A", from_year=4.0, output_yuan=12.0),)
    spec = demand(*rows, build_months=0.0, ramp_months=0.0, horizon_year=5)
    got = _years(spec, judged(*rows), _matched(["A"], ["one"]), blocks(("one", 30.0, 1.0)))
    assert got["increment_output_yuan"].tolist() == [0.0, 0.0, 0.0, 12.0, 12.0]


def test_in_place_begins_at_the_end_of_its_year_and_without_one_is_unknown() -> None:
    rows = (
        project("A", site_mu=0.0, by_year=2.0, output_yuan=5.0),
        project("B", site_mu=0.0, output_yuan=7.0),
        project("C", site_mu=0.0, by_year=2.0),
    )
    spec = demand(*rows, build_months=0.0, ramp_months=0.0, horizon_year=3)
    table = _matched(["A", "B", "C"], [None] * 3, "in place")
    got = _years(spec, judged(*rows), table, blocks(("one", 30.0, 1.0)))
    assert got["increment_output_yuan"].tolist()[-1] == 5.0
    assert got["increment_output_unknown_projects"].tolist() == [1, 1, 2]


def test_a_plan_without_blocks_supplies_nothing_and_says_so() -> None:
    spec = demand(project("A"), horizon_year=3)
    got = demand_report(config(), spec, judge_demand(spec), FIELDS, (), [], None, find)
    assert got.projects["reason"].tolist() == ["no block of the plan is supplied"]
    assert got.blocks.empty and got.summary["let_mu"] == 0 and got.summary["worth"] == 0
    assert got.years["stock_output_yuan"].tolist() == [1100.0] * 3
