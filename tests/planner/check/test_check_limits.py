"""Rules targets, budgets, max_blocks, locks, earliest: broken, and exactly at the limit."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest

from tests.planner.check.check_builders import honest_plan


@pytest.mark.parametrize(("target", "faults"), [(40.0, 0), (40.000009, 0), (40.00002, 1), (45, 1)])
def test_the_target_of_a_phase_is_reached(target: float, faults: int) -> None:
    plan = honest_plan()
    plan.optimise["phases"][0]["target_mu"] = target
    found = plan.findings("targets")
    assert len(found) == faults
    assert all((f.measured, f.limit, f.unit) == (pytest.approx(40), target, "mu") for f in found)


@pytest.mark.parametrize(("zone", "target", "faults"), [("South", 70.01, 1), ("North", 40.01, 1), ("West", 1.0, 1)])
def test_the_targets_of_zones_are_reached(zone: str, target: float, faults: int) -> None:
    plan = honest_plan()
    plan.optimise["phases"][1]["zones"][zone] = {"target_mu": target}
    found = plan.findings("targets")
    assert len(found) == faults
    assert zone in found[0].message


def test_targets_are_cumulative() -> None:
    plan = honest_plan()
    for parcel in ("r0c0", "r0c1", "r1c0", "r1c1"):
        plan.set(parcel, phase=2)
    assert [f.message.split(":")[0] for f in plan.findings("targets")] == ["Phase P1, the study area"]


def test_unmet_stretch_is_measured_and_no_defect() -> None:
    plan = honest_plan()
    plan.optimise["phases"][1]["zones"]["North"]["stretch_mu"] = 47.0
    report = plan.judge()
    assert report.measured["unmet_stretch_mu[P2][North]"] == pytest.approx(7)
    assert {f.rule for f in report.findings} == {"objective"}  # which now lacks the penalty


@pytest.mark.parametrize(("budget", "faults"), [(120.0, 0), (119.996, 0), (119.99, 1), (0, 1)])
def test_budgets_are_kept(budget: float, faults: int) -> None:
    plan = honest_plan()
    plan.optimise["phases"][0]["budget"] = budget
    found = plan.findings("budgets")
    assert len(found) == faults
    assert all(f.measured == pytest.approx(120) and f.unit == "CNY" for f in found)


def test_a_dearer_parcel_breaks_the_budget() -> None:
    plan = honest_plan()
    plan.set("r0c2", price=3.1, cost=31.0)
    assert len(plan.findings("budgets")) == 1


@pytest.mark.parametrize(("limit", "faults"), [(2, 0), (1, 1), (0, 1), (None, 0)])
def test_a_phase_has_at_most_so_many_blocks(limit: int | None, faults: int) -> None:
    plan = honest_plan()
    plan.optimise["phases"][1]["max_blocks"] = limit
    assert len(plan.findings("max_blocks")) == faults


@pytest.mark.parametrize(
    ("locks", "fault"),
    [
        ({"in": ["r0c5"]}, "r0c5 is locked in (in the plan), but is in no block"),
        ({"out": ["r0c0"]}, "r0c0 is locked out, but is in block B1"),
        ({"by": {"r0c3": "P1"}}, "r0c3 is locked in by P1 (phase 1), but is in phase 2"),
        ({"by": {"r0c5": "P2"}}, "r0c5 is locked in (by P2), but is in no block"),
        ({"in": ["nowhere"]}, "nowhere is locked (in), but is not in the layer"),
        ({"at": {"r0c3": "P1"}}, "r0c3 is locked in at P1 (phase 1), but is in phase 2"),
        ({"at": {"r0c0": "P2"}}, "r0c0 is locked in at P2 (phase 2), but is in phase 1"),
        ({"at": {"r0c5": "P2"}}, "r0c5 is locked in (at P2), but is in no block"),
        ({"at": {"nowhere": "P2"}}, "nowhere is locked (at), but is not in the layer"),
    ],
)
def test_locks_are_obeyed(locks: dict[str, Any], fault: str) -> None:
    plan = honest_plan()
    plan.optimise["locks"] = locks
    plan.parcels["locked"] = None
    assert any(fault in f.message for f in plan.findings("locks"))


@pytest.mark.parametrize(("phase", "faults"), [("P1", 0), ("P2", 0)])
def test_a_lock_is_kept_in_its_very_phase_and_before(phase: str, faults: int) -> None:
    plan = honest_plan()
    plan.optimise["locks"]["by"]["r1c1"] = phase  # is in phase 1
    plan.set("r1c1", locked=f"by {phase}")
    assert len(plan.findings("locks")) == faults


@pytest.mark.parametrize(("parcel", "phase"), [("r0c0", "P1"), ("r0c3", "P2")])
def test_a_lock_at_a_phase_is_kept_in_it(parcel: str, phase: str) -> None:
    plan = honest_plan()
    plan.optimise["locks"] = {"at": {parcel: phase}}
    plan.parcels["locked"] = [f"at {phase}" if p == parcel else None for p in plan.parcels["parcel_id"]]
    report = plan.judge()
    assert [f for f in report.findings if f.rule == "locks"] == []
    assert report.checked["locks"] == 1
    plan.set(parcel, locked=f"by {phase}")
    assert [f.parcel_ids for f in plan.findings("locks")] == [(parcel,)]


def test_the_column_note_holds_the_remarks() -> None:
    plan = honest_plan()
    plan.optimise["locks"]["notes"] = {"r0c0": "ask", "r0c5": ""}
    assert plan.findings("locks") == []  # a plan may be written without the column
    plan.parcels["note"] = ["ask" if p == "r0c0" else None for p in plan.parcels["parcel_id"]]
    assert plan.findings("locks") == []
    plan.set("r0c0", note="asked")
    plan.set("r0c3", note="mine")
    assert [f.parcel_ids for f in plan.findings("locks")] == [("r0c0",), ("r0c3",)]


def test_the_column_locked_says_what_the_configuration_says() -> None:
    plan = honest_plan()
    plan.set("r0c0", locked=None)
    plan.set("r0c5", locked="out")
    assert [f.parcel_ids for f in plan.findings("locks")] == [("r0c0",), ("r0c5",)]


@pytest.mark.parametrize(("year", "faults"), [(3.0, 0), (3.001, 1), (9.0, 1), (1.0, 0)])
def test_gates_are_open(year: float, faults: int) -> None:
    plan = honest_plan()
    plan.set("r0c2", papers_year=year)  # is taken in phase 2, year 3
    assert len(plan.findings("earliest")) == faults


@pytest.mark.parametrize(("policy", "faults"), [("open", 0), ("never", 1)])
def test_an_unknown_year_follows_the_policy(policy: str, faults: int) -> None:
    plan = honest_plan()
    plan.optimise["earliest"][0]["unknown"] = policy
    plan.set("r0c2", papers_year=float("nan"))
    found = plan.findings("earliest")
    assert len(found) == faults
    assert all("in no phase" in f.message for f in found)


def test_all_gates_must_be_open() -> None:
    plan = honest_plan()
    plan.optimise["earliest"].append({"name": "lease", "year": "papers_year + 1"})
    assert [f.parcel_ids for f in plan.findings("earliest")] == [("r2c3",)]


def test_the_column_earliest_phase_says_when_the_gates_open() -> None:
    plan = honest_plan()
    plan.set("r0c5", papers_year=9.0)
    plan.parcels["earliest_phase"] = pd.array(
        [2 if p == "r2c3" else None if p == "r0c5" else 1 for p in plan.parcels["parcel_id"]], dtype="Int64"
    )
    assert plan.findings("earliest") == []
    plan.set("r2c3", earliest_phase=1)
    plan.set("r0c5", earliest_phase=2)
    assert [f.parcel_ids for f in plan.findings("earliest")] == [("r0c5",), ("r2c3",)]


def test_locks_are_no_gates() -> None:
    plan = honest_plan()
    plan.optimise["locks"]["at"] = {"r0c3": "P2", "r2c3": "P1"}  # their gates open in phases 1 and 2
    plan.parcels["earliest_phase"] = pd.array(
        [2 if p == "r2c3" else 1 for p in plan.parcels["parcel_id"]], dtype="Int64"
    )
    assert plan.findings("earliest") == []
    plan.set("r0c3", earliest_phase=2)
    plan.set("r2c3", earliest_phase=1)
    assert [f.parcel_ids for f in plan.findings("earliest")] == [("r0c3",), ("r2c3",)]
