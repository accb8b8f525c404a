"""Rules score, status, cost: broken, and exactly at the limit."""

from __future__ import annotations

import pandas as pd
import pytest

from tests.planner.check.check_builders import honest_plan


@pytest.mark.parametrize(("score", "faults"), [(0.8 + 0.9e-6, 0), (0.8 + 1.1e-6, 1), (0.3, 1), (float("nan"), 1)])
def test_scores_follow_from_the_criteria(score: float, faults: int) -> None:
    plan = honest_plan()
    plan.set("r0c5", score=score)
    assert len(plan.findings("score")) == faults


def test_a_changed_field_shows_in_the_score() -> None:
    plan = honest_plan()
    plan.set("r0c0", tax=3.0)
    (found,) = plan.findings("score")
    assert found.measured == pytest.approx(0.7)
    assert found.limit == pytest.approx(0.8)


def test_unknown_values_follow_the_policy() -> None:
    plan = honest_plan()
    plan.set("r0c5", tax=float("nan"), score=0.5)
    assert plan.findings("score") == []
    plan.config["scoring"]["unknown"] = "ineligible"
    plan.set("r0c5", score=float("nan"), status="ineligible")
    assert plan.findings("score") == []
    assert plan.findings("status") == []


def test_derived_fields_are_computed_anew() -> None:
    plan = honest_plan()
    plan.config["scoring"]["derived"] = {"burden": "tax * 1"}
    plan.config["scoring"]["criteria"][0]["value"] = "burden"
    plan.parcels["burden"] = 10.0  # what the layer says of a derived field is not believed
    assert plan.findings("score") == []


@pytest.mark.parametrize("status", ["ineligible", "excluded"])
def test_parcels_out_of_the_plan_keep_the_status_of_the_scoring(status: str) -> None:
    plan = honest_plan()
    plan.set("r0c5", status=status)
    assert [f.parcel_ids for f in plan.findings("status")] == [("r0c5",)]


def test_excluded_land_in_the_plan_is_found() -> None:
    plan = honest_plan()
    plan.set("r0c1", use="housing")
    (found,) = plan.findings("status")
    assert found.parcel_ids == ("r0c1",)
    assert "housing" in found.message


def test_ineligible_land_in_the_plan_is_found() -> None:
    plan = honest_plan()
    plan.set("r0c1", tax=6.0)
    assert [f.parcel_ids for f in plan.findings("status")] == [("r0c1",)]


@pytest.mark.parametrize(("tax", "faults"), [(5.0, 0), (5.001, 1)])
def test_eligibility_exactly_at_its_limit(tax: float, faults: int) -> None:
    plan = honest_plan()
    plan.set("r0c1", tax=tax)
    assert len(plan.findings("status")) == faults


def test_land_that_the_plan_cannot_take_may_be_called_ineligible_or_excluded() -> None:
    plan = honest_plan()
    plan.set("r0c5", papers_year=9.0, status="ineligible")
    plan.set("r0c4", price=float("nan"), cost=float("nan"), status="ineligible")
    plan.set("r1c5", status="excluded")
    assert plan.findings("status") == []


@pytest.mark.parametrize(("cost", "faults"), [(30.004, 0), (30.006, 1), (0.0, 1), (float("nan"), 1)])
def test_costs_follow_from_the_expression(cost: float, faults: int) -> None:
    plan = honest_plan()
    plan.set("r0c5", cost=cost)
    assert len(plan.findings("cost")) == faults


def test_a_cost_per_parcel_is_not_multiplied_by_area() -> None:
    plan = honest_plan()
    plan.optimise["cost"] = {"value": "price * 10", "per": "parcel"}
    assert plan.judge().passed


def test_a_parcel_of_unknown_cost_is_never_in_the_plan() -> None:
    plan = honest_plan()
    plan.set("r0c1", price=float("nan"), cost=float("nan"))
    (found,) = plan.findings("cost")
    assert found.parcel_ids == ("r0c1",)


def test_an_unknown_cost_may_take_the_mean_per_mu() -> None:
    plan = honest_plan()
    plan.optimise["cost"]["unknown"] = "mean_per_mu"
    plan.set("r0c5", price=7.0, cost=70.0)
    plan.set("r0c1", price=float("nan"), cost=float("nan"))
    mean = (22 * 30 + 70) / 230  # the other 23 parcels, 10 mu each
    assert plan.findings("cost") == []
    plan.set("r0c1", cost=10 * mean)
    assert plan.findings("cost") == []
    assert plan.judge().measured["cost[P1]"] == pytest.approx(90 + 10 * mean)
    plan.set("r0c1", cost=30.0)
    assert [f.parcel_ids for f in plan.findings("cost")] == [("r0c1",)]


def test_without_a_cost_there_is_nothing_to_check() -> None:
    plan = honest_plan()
    del plan.optimise["cost"]
    for phase in plan.optimise["phases"]:
        phase.pop("budget")
    plan.parcels = plan.parcels.drop(columns="cost")
    plan.blocks["cost"] = float("nan")
    report = plan.judge()
    assert (report.checked["cost"], report.checked["budgets"]) == (0, 0)
    assert {f.rule for f in report.findings} == {"objective", "bound", "summary"}  # all still speak of the cost


def test_a_text_field_may_be_all_unknown() -> None:
    plan = honest_plan()
    plan.parcels["use"] = pd.Series([None] * 24, dtype=object)
    assert {f.rule for f in plan.findings("status")} == {"status"}  # the verge and the housing are no longer known
