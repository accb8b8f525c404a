"""Rules objective, bound, summary, completeness: broken, and exactly at the limit."""

from __future__ import annotations

import dataclasses

import pytest

from planner.check import Claims, check_plan
from planner.check.facts import Facts
from planner.check.judge import apply_rules
from planner.check.rules import RULES
from planner.config import Config
from tests.planner.check.check_builders import OBJECTIVE, honest_plan

SLACK = 0.01 * 2 * 0.1 * 8  # price of a metre · both sides · slack of a seam · seams (4 + 1 + 3)
NOISE = 1e-6 * (320 / 1.1 + 480 / 1.331 + 120 / 1.1 + 210 / 1.331 + 0.01 * 11 * 1000 / 3)


@pytest.mark.parametrize(
    ("off", "faults"),
    [(0.0, 0), (0.99 * SLACK, 0), (-0.99 * SLACK, 0), (1.1 * (SLACK + NOISE), 1), (-1.1 * (SLACK + NOISE), 1)],
)
def test_the_objective_is_what_the_layers_give(off: float, faults: int) -> None:
    plan = honest_plan()
    plan.summary["objective"] = OBJECTIVE + off
    found = plan.findings("objective")
    assert len(found) == faults
    assert all(f.measured == pytest.approx(OBJECTIVE) for f in found)


def test_without_a_price_of_perimeter_a_millionth_is_allowed() -> None:
    plan = honest_plan()
    plan.optimise["weights"]["perimeter_per_m"] = 0
    without = OBJECTIVE + 0.01 * (2000 / 3 + 800 + 2600 / 3)
    for off, faults in ((0.0, 0), (0.002, 1)):
        plan.summary["objective"] = without + off
        assert len(plan.findings("objective")) == faults


@pytest.mark.parametrize("weight", ["value_per_mu", "perimeter_per_m", "stretch_per_mu"])
def test_every_weight_counts(weight: str) -> None:
    plan = honest_plan()
    plan.optimise["weights"][weight] *= 1.01
    assert len(plan.findings("objective")) == 1


@pytest.mark.parametrize(("key", "value"), [("discount_rate", 0.11), ("base_year", 1)])
def test_discounting_counts(key: str, value: float) -> None:
    plan = honest_plan()
    plan.optimise[key] = value
    assert len(plan.findings("objective")) == 1


def test_a_seam_at_the_least_shared_boundary_may_count_or_not() -> None:
    plan = honest_plan()
    plan.config["adjacency"] = {"min_shared_m": 200 / 3}  # exactly what cells share side by side
    report = plan.judge()
    saved = 0.01 * 2 * 4 * 200 / 3  # four such seams
    spread = report.measured["objective_high"] - report.measured["objective_low"]
    assert spread == pytest.approx(saved + 2 * SLACK - 0.01 * 2 * 0.1 * 4 + 2 * NOISE, rel=1e-3)
    assert report.passed


def test_a_plan_that_claims_nothing_is_measured_all_the_same() -> None:
    plan = honest_plan()
    report = check_plan(plan.tables(), Config.model_validate(plan.config))
    assert report.passed
    assert report.measured["objective"] == pytest.approx(OBJECTIVE)
    assert [report.checked[rule] for rule in ("objective", "bound", "summary")] == [0, 0, 0]


@pytest.mark.parametrize(("bound", "faults"), [(OBJECTIVE, 0), (OBJECTIVE - 0.004, 0), (OBJECTIVE - 0.006, 1)])
def test_the_bound_is_not_below_the_objective(bound: float, faults: int) -> None:
    plan = honest_plan()
    plan.summary |= {"bound": bound, "gap": None}
    assert len(plan.findings("bound")) == faults


def test_a_bound_below_the_measured_objective_is_found_whatever_is_claimed() -> None:
    plan = honest_plan()
    plan.summary |= {"objective": None, "bound": OBJECTIVE - 5, "gap": None}
    (found,) = plan.findings("bound")
    assert found.limit == pytest.approx(OBJECTIVE - 5)


@pytest.mark.parametrize(("gap", "faults"), [(0.02, 0), (0.0200009, 0), (0.0200011, 1), (0.01, 1)])
def test_the_gap_follows_from_bound_and_objective(gap: float, faults: int) -> None:
    plan = honest_plan()
    plan.summary["gap"] = gap
    assert len(plan.findings("bound")) == faults


def test_at_an_objective_of_zero_there_is_no_gap() -> None:
    plan = honest_plan()
    plan.summary |= {"objective": 0.0, "bound": OBJECTIVE, "gap": 1.0}
    assert any("no gap exists" in f.message for f in plan.findings("bound"))


@pytest.mark.parametrize(
    ("key", "value", "faults"),
    [
        ("cumulative_mu", 110.0001, 0),
        ("cumulative_mu", 110.001, 1),
        ("area_mu", 71.0, 1),
        ("cost", 210.004, 0),
        ("cost", 210.006, 1),
        ("cost", None, 0),
    ],
)
def test_the_summary_agrees_with_the_layers(key: str, value: float, faults: int) -> None:
    plan = honest_plan()
    plan.summary["phases"][1][key] = value
    assert len(plan.findings("summary")) == faults


def test_the_summary_of_zones_agrees_with_the_layers() -> None:
    plan = honest_plan()
    plan.summary["zones"]["South"]["phases"][0]["cumulative_mu"] = 30.0
    (found,) = plan.findings("summary")
    assert "zone South" in found.message
    assert (found.measured, found.limit) == (pytest.approx(40), 30.0)


@pytest.mark.parametrize(("cost", "faults"), [(90.0, 0), (210.0, 1)])
def test_the_summary_of_zones_may_state_its_cost(cost: float, faults: int) -> None:
    plan = honest_plan()
    plan.summary["zones"]["South"]["phases"][1]["cost"] = cost  # block B2 alone
    assert len(plan.findings("summary")) == faults


def test_a_summary_of_more_phases_is_found() -> None:
    plan = honest_plan()
    plan.summary["phases"].append({"area_mu": 0.0, "cumulative_mu": 110.0, "cost": 0.0})
    (found,) = plan.findings("summary")
    assert "phase 3 of 2" in found.message


def test_a_rule_that_looks_at_too_little_is_found() -> None:
    plan = honest_plan()
    facts = Facts(plan.tables(), Config.model_validate(plan.config), Claims())
    lazy = [
        dataclasses.replace(rule, run=lambda f, run=rule.run: dataclasses.replace(run(f), checked=1))
        if rule.name == "contiguity"
        else rule
        for rule in RULES
    ]
    report = apply_rules(facts, lazy)
    (found,) = report.findings
    assert (found.rule, found.measured, found.limit) == ("completeness", 1.0, 3.0)
    assert not report.passed
