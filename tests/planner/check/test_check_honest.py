"""The honest plan, in memory and from disk, passes every rule; the hand-worked figures are the judge's."""

from __future__ import annotations

from pathlib import Path

import pytest

from planner.check import CheckReport, check_plan, read_plan
from planner.check.rules import RULES
from tests.planner.check.check_builders import (
    BLOCKS,
    FURTHER_OBJECTIVE,
    KEEPING_OBJECTIVE,
    OBJECTIVE,
    PERIMETER,
    further_plan,
    honest_plan,
    keeping_plan,
)


@pytest.fixture(scope="module")
def report() -> CheckReport:
    return honest_plan().judge()


@pytest.fixture(scope="module")
def further() -> CheckReport:
    return further_plan().judge()


FURTHER = {"max_villages", "block_rules", "rolling", "fixed_blocks", "ceilings", "between"}
WITH_MODES = {"modes", "consent", "outlays", "peak_gap", "decanting", "money_claims"}
WITH_A_PLAN_BEFORE = {"changes"}
ELSEWHERE = WITH_MODES | WITH_A_PLAN_BEFORE


@pytest.mark.parametrize("rule", sorted(ELSEWHERE))
def test_without_modes_and_a_plan_before_there_is_nothing_about_them(
    rule: str, report: CheckReport, further: CheckReport
) -> None:
    assert (report.checked[rule], further.checked[rule]) == (0, 0)


@pytest.mark.parametrize("rule", [rule.name for rule in RULES if rule.name not in ELSEWHERE])
def test_every_rule_has_something_to_check_and_finds_nothing(
    rule: str, report: CheckReport, further: CheckReport
) -> None:
    assert (report.checked[rule] > 0) == (rule not in FURTHER)
    assert further.checked[rule] > 0
    assert [f for f in [*report.findings, *further.findings] if f.rule == rule] == []


def test_the_honest_plan_passes(report: CheckReport) -> None:
    assert report.passed
    assert report.findings == ()


def test_figures_are_those_worked_out_by_hand(report: CheckReport) -> None:
    assert report.measured["objective"] == pytest.approx(OBJECTIVE, rel=1e-9)
    assert report.measured["perimeter_m"] == pytest.approx(sum(PERIMETER.values()), rel=1e-9)
    assert report.measured["cumulative_mu[P1]"] == pytest.approx(40)
    assert report.measured["cumulative_mu[P2][South]"] == pytest.approx(70)
    assert report.measured["unmet_stretch_mu[P1]"] == pytest.approx(10)
    assert report.measured["unmet_stretch_mu[P2]"] == pytest.approx(0, abs=1e-9)
    assert report.measured["filler_mu"] == pytest.approx(10)


def test_figures_with_every_rule_are_those_worked_out_by_hand(further: CheckReport) -> None:
    assert further.findings == ()
    assert further.measured["objective"] == pytest.approx(FURTHER_OBJECTIVE, rel=1e-9)
    assert further.measured["cumulative_mu[P2][group works]"] == pytest.approx(110)
    assert further.measured["unmet_stretch_mu[P2][group works]"] == pytest.approx(3)
    assert further.measured["unmet_stretch_mu[P1]"] == pytest.approx(0, abs=1e-9)


def test_a_plan_before_has_its_price() -> None:
    report = keeping_plan().judge()
    assert (report.findings, report.checked["changes"]) == ((), 1)
    assert report.measured["objective"] == pytest.approx(KEEPING_OBJECTIVE, rel=1e-9)
    assert (report.measured["changed_parcels"], report.measured["change_price"]) == (9.0, pytest.approx(63.0))


def test_the_builder_agrees_with_the_hand_worked_perimeters() -> None:
    plan = honest_plan()
    written = dict(zip(plan.blocks["block_id"], plan.blocks["perimeter_m"], strict=True))
    assert written == pytest.approx(PERIMETER)
    assert set(written) == set(BLOCKS)


def test_the_verdict_survives_the_way_through_files(tmp_path: Path, report: CheckReport) -> None:
    again = check_plan(*read_plan(honest_plan().write(tmp_path)))
    assert again.passed
    assert again.checked == report.checked
    assert again.measured == pytest.approx(report.measured)


def test_the_input_is_not_changed() -> None:
    plan = honest_plan()
    before = {name: getattr(plan, name).copy() for name in ("parcels", "blocks", "zones", "links", "barriers")}
    plan.judge()
    for name, frame in before.items():
        assert frame.equals(getattr(plan, name))


def test_the_order_of_rows_does_not_matter() -> None:
    plan = honest_plan()
    expected = plan.judge()
    plan.parcels = plan.parcels.sample(frac=1, random_state=4).reset_index(drop=True)
    plan.blocks = plan.blocks.iloc[::-1]
    shuffled = plan.judge()
    assert shuffled.passed
    assert shuffled.measured == pytest.approx(expected.measured)
