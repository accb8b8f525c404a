"""The judge of arrays: an honest solution passes, and every rule fires on a solution that breaks it."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Callable
from copy import deepcopy
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from geodata.errors import DataError
from planner.check.arrays import ARRAY_RULES, TITLES, apply_array_rules, check_solution
from planner.check.arrays_case import Case
from planner.check.arrays_reading import read_answer, read_question
from planner.check.model import CheckReport, Finding
from planner.problem import Block, BlockRule, Group, Mode, Phase, Problem, Resource, Target
from tests.planner.check.arrays_builders import Document, documents
from tests.planner.optimise.instances import grid_problem

PLAN = (Block((0, 1), 0, 0), Block((3, 6), 0, 0), Block((2, 5), 1, 1))


def town() -> Problem:
    """3×3 squares of 10 mu, two phases, modes clear (at once) and renew (a phase later), every rule in use.

    The plan: 0–1 cleared and 3–6 (fixed) cleared in P1, 2–5 renewed in P2. By P2 that is 40 mu (renewing ends after
    P2), 30 mu of them in the circle {0, 1, 3, 4}; 1 village each; all in one zone, one area that grows.
    """
    n = 9
    return grid_problem(
        3,
        3,
        cost=np.full(n, 2.0),
        zones=("Z",),
        zone=np.zeros(n, dtype=np.int64),
        filler=np.arange(n) == 1,
        filler_max_share=0.5,
        phases=(Phase("P1", 2025, 1.0, 8.0, 2), Phase("P2", 2027, 0.5, 10.0, 1)),
        targets=(
            Target("all", 1, -1, 40.0, 60.0, 0.1, 45.0),
            Target("circle", 1, 0, 30.0, ceiling=30.0, group=0),
            Target("floor area", 0, -1, 400.0, measure="floor_m2"),
            Target("projects", 0, -1, 2.0, measure="blocks", project_min_mu=20.0),
        ),
        block_min_mu=20.0,
        block_max_mu=20.0,
        within_zone=True,
        perimeter_per_m=0.001,
        earliest=np.array([0, 0, 1, 0, 0, 0, 0, 0, 0]),
        lock_by=np.array([0, -1, -1, -1, -1, 1, -1, -1, -1]),
        selectable=np.arange(n) != 8,
        modes=(Mode("clear"), Mode("renew", 1)),
        mode_open=np.array([[True, i != 0] for i in range(n)]),
        mode_cost=np.array([[2.0, 5.0]] * n),
        mode_floor_m2=np.array([[100.0, 300.0]] * n),
        villages=("V", "W"),
        village=np.array([0, 0, 1, 0, 1, 1, 0, 0, 1]),
        max_villages=1,
        block_rules=(
            BlockRule("signed", "mu", np.array([10.0, 0, 10, 0, 0, 0, 0, 10, 10]), 0.5, np.full(n, 10.0)),
            BlockRule("consent", "mu", np.array([0.0, 0, 10, 0, 10, 10, 0, 0, 0]), 20.0, modes=(1,)),
        ),
        resources=(Resource("decant", "m2", np.full(n, 7.0), (28.0, None)),),
        groups=(Group("circle", np.isin(np.arange(n), [0, 1, 3, 4])),),
        fixed=(Block((3, 6), 0, 0),),
        rolling=True,
    )


def judged(problem: Problem, blocks: tuple[Block, ...]) -> CheckReport:
    return check_solution(*documents(problem, blocks))


def test_honest_solution_passes_and_every_rule_has_looked() -> None:
    report = judged(town(), PLAN)
    assert report.findings == ()
    assert [rule for rule, count in report.checked.items() if count == 0] == []
    assert report.checked["completeness"] == len(ARRAY_RULES) == len(TITLES)


def test_measured_by_hand() -> None:
    """Worth: P1 two blocks of 20 − 4 each, but filler or not benefit is 10 each; P2 (20 − 10)·0.5; 3 · 0.6; unmet 2."""
    measured = judged(town(), PLAN).measured
    assert measured["objective"] == pytest.approx(16 + 16 + 5 - 3 * 0.6 - 0.1 * 20)
    assert measured["reached[all]"] == 40.0
    assert measured["reached[circle]"] == 30.0
    assert measured["reached[floor area]"] == 400.0
    assert measured["reached[projects]"] == 2.0
    assert measured["unmet_stretch[all]"] == 20.0
    assert (measured["cost[P1]"], measured["cost[P2]"]) == (8.0, 10.0)


BROKEN: dict[str, tuple[dict[str, object], tuple[Block, ...], str, set[str], float | None, float | None, str]] = {
    # changes of the problem; plan; rule; parcels; measured, limit, unit
    "two pieces": ({}, (Block((0, 7), 0), *PLAN[1:]), "contiguity", {"p000", "p007"}, 2.0, 1.0, "pieces"),
    "too small": ({"block_min_mu": 21.0, "block_max_mu": 30.0}, PLAN, "block_size", {"p000", "p001"}, 20.0, 21.0, "mu"),
    "too large": ({"block_min_mu": 5.0, "block_max_mu": 19.0}, PLAN, "block_size", {"p000", "p001"}, 20.0, 19.0, "mu"),
    "two zones": (
        {"zone": np.array([-1, 0, 0, 0, 0, 0, 0, 0, 0])}, PLAN, "within_zone", {"p000", "p001"}, 2.0, 1.0, "zones"
    ),
    "filler": ({"filler_max_share": 0.4}, PLAN, "filler", {"p000", "p001"}, 10.0, 8.0, "mu"),
    "two villages": (
        {"village": np.array([1, 0, 1, 0, 1, 1, 0, 0, 1])}, PLAN, "villages", {"p000", "p001"}, 2.0, 1.0, "villages"
    ),
    "signed share": (
        {"block_rules": (replace(town().block_rules[0], least=0.6),)}, PLAN, "block_rules", {"p000", "p001"},
        10.0, 12.0, "mu",
    ),
    "consent of one mode": (
        {"block_rules": (replace(town().block_rules[1], least=21.0),)}, PLAN, "block_rules", {"p002", "p005"},
        20.0, 21.0, "mu",
    ),
    "closed land": ({"selectable": np.arange(9) != 1}, PLAN, "selectable", {"p001"}, 1.0, 0.0, "parcels"),
    "gate": ({"earliest": np.array([0, 1, 1, 0, 0, 0, 0, 0, 0])}, PLAN, "earliest", {"p001"}, 1.0, 0.0, "parcels"),
    "mode not allowed": (
        {"mode_open": np.array([[True, i != 5] for i in range(9)])}, PLAN, "modes", {"p005"}, 1.0, 0.0, "parcels"
    ),
    "lock missed": ({"lock_by": np.array([0, -1, -1, -1, 1, -1, -1, -1, -1])}, PLAN, "locks", {"p004"}, None, None, ""),
    "lock too late": (
        {"lock_by": np.array([0, -1, -1, -1, -1, 0, -1, -1, -1])}, PLAN, "locks", {"p005"}, 2.0, 1.0, "phase"
    ),
    "floor": (
        {"targets": (Target("all", 1, -1, 41.0),)}, PLAN, "targets",
        {"p000", "p001", "p002", "p003", "p005", "p006"}, 40.0, 41.0, "mu",
    ),
    "floor area": (
        {"targets": (Target("f", 1, -1, 401.0, measure="floor_m2"),)}, PLAN, "targets",
        {"p000", "p001", "p002", "p003", "p005", "p006"}, 400.0, 401.0, "m²",
    ),
    "projects": (
        {"targets": (Target("p", 0, -1, 2.0, group=0, measure="blocks"),)}, PLAN, "targets", {"p000", "p001", "p003"},
        1.0, 2.0, "blocks",
    ),
    "projects too small": (
        {"targets": (Target("p", 0, -1, 1.0, measure="blocks", project_min_mu=20.1),)}, PLAN, "targets",
        {"p000", "p001", "p003", "p006"}, 0.0, 1.0, "blocks",
    ),
    "ceiling of a circle": (
        {"targets": (Target("c", 1, 0, 0.0, ceiling=29.0, group=0),)}, PLAN, "ceilings", {"p000", "p001", "p003"},
        30.0, 29.0, "mu",
    ),
    "budget": (
        {"phases": (Phase("P1", 2025, 1.0, 7.9, 2), Phase("P2", 2027, 0.5, 10.0, 1))}, PLAN, "budgets",
        {"p000", "p001", "p003", "p006"}, 8.0, 7.9, "CNY",
    ),
    "budget by mode": (
        {"phases": (Phase("P1", 2025, 1.0, 8.0, 2), Phase("P2", 2027, 0.5, 9.9, 1))}, PLAN, "budgets",
        {"p002", "p005"}, 10.0, 9.9, "CNY",
    ),
    "decant": (
        {"resources": (Resource("decant", "m2", np.full(9, 7.0), (27.0, None)),)}, PLAN, "resources",
        {"p000", "p001", "p003", "p006"}, 28.0, 27.0, "m2",
    ),
    "too many blocks": (
        {"phases": (Phase("P1", 2025, 1.0, 8.0, 1), Phase("P2", 2027, 0.5, 10.0, 1))}, PLAN, "max_blocks",
        {"p000", "p001", "p003", "p006"}, 2.0, 1.0, "blocks",
    ),
    "fixed block missing": ({}, (PLAN[0], PLAN[2]), "fixed", {"p003", "p006"}, None, None, ""),
    "fixed block in another phase": (
        {}, (PLAN[0], Block((3, 6), 1, 0), PLAN[2]), "fixed", {"p003", "p006"}, None, None, ""
    ),
    "parcel of a fixed block elsewhere": (
        {}, (Block((3, 4), 0, 0), *PLAN), "selectable", {"p003"}, 1.0, 0.0, "parcels"
    ),
    "does not touch what exists": (
        {}, (Block((7, 8), 0, 0), Block((3, 6), 0, 0), Block((1, 2), 0, 0)), "rolling", {"p001", "p002"},
        1.0, 0.0, "areas",
    ),
    "two areas": (
        {"fixed": ()}, (Block((0, 1), 0, 0), Block((7, 8), 0, 0)), "rolling", {"p000", "p001", "p007", "p008"},
        2.0, 1.0, "areas",
    ),
    "in two blocks": ({}, (Block((0, 1), 0), Block((1, 4), 0), *PLAN[1:]), "assignment", {"p001"}, None, None, ""),
}  # fmt: skip


def of_rule(report: CheckReport, rule: str) -> list[Finding]:
    return [f for f in report.findings if f.rule == rule]


@pytest.mark.parametrize("name", BROKEN)
def test_every_rule_of_a_plan_fires(name: str) -> None:
    changes, blocks, rule, parcels, measured, limit, unit = BROKEN[name]
    report = judged(replace(town(), **changes), blocks)
    assert not report.passed
    first = of_rule(report, rule)[0]
    assert set(first.parcel_ids) == parcels
    assert (first.severity, first.unit) == ("error", unit)
    assert first.measured == pytest.approx(measured) if measured is not None else first.measured is None
    assert first.limit == pytest.approx(limit) if limit is not None else first.limit is None


def test_rolling_may_grow_from_what_exists() -> None:
    """Parcel 4 exists from P2: block 1–2 of P1 has nothing to touch in P1 but what stands at 3–6, two columns away."""
    problem = replace(town(), existing_from=np.array([2, 2, 2, 2, 0, 2, 2, 2, 2]), selectable=np.arange(9) != 4)
    blocks = (Block((1, 2), 0, 0), Block((3, 6), 0, 0))
    assert of_rule(judged(problem, blocks), "rolling") == []
    later = replace(problem, existing_from=np.array([2, 2, 2, 2, 1, 2, 2, 2, 2]))
    (found,) = of_rule(judged(later, blocks), "rolling")
    assert "phase P1" in found.message


def test_rolling_counts_each_zone_by_itself() -> None:
    """Zone of 0–1–2 and zone of the rest; the zone above starts in P2, and need not touch the one below."""
    zone = np.array([1, 1, 1, 0, 0, 0, 0, 0, 0])
    problem = replace(town(), zones=("Z", "Y"), zone=zone)
    blocks = (Block((3, 6), 0, 0), Block((1, 2), 1, 0))
    assert of_rule(judged(problem, blocks), "rolling") == []
    assert judged(problem, blocks).checked["rolling"] == 4


Change = Callable[[Document], object]
LIES: dict[str, tuple[Change, str]] = {
    "objective": (lambda s: s.update(objective=s["objective"] + 0.001, gap_abs=s["gap_abs"] - 0.001), "objective"),
    "bound below": (lambda s: s.update(bound=s["objective"] - 0.001), "bound"),
    "gap": (lambda s: s.update(gap=s["gap"] * 0.5), "bound"),
    "no gap": (lambda s: s.update(gap=None), "bound"),
    "absolute gap": (lambda s: s.update(gap_abs=0.5), "bound"),
    "optimal with a gap": (lambda s: s.update(status="optimal"), "bound"),
    "area": (lambda s: s["blocks"][0].update(area_mu=20.1), "figures"),
    "currency": (lambda s: s.update(currency="EUR"), "figures"),
    "unknown parcel": (lambda s: s["blocks"][0]["parcel_ids"].append("p999"), "assignment"),
    "parcel listed twice": (lambda s: s["blocks"][0]["parcel_ids"].append("p000"), "assignment"),
    "no parcels": (lambda s: s["blocks"][0].update(parcel_ids=[]), "assignment"),
    "phase beyond": (lambda s: s["blocks"][0].update(phase=3), "assignment"),
    "phase from 0": (lambda s: s["blocks"][0].update(phase=0), "assignment"),
    "phase of another name": (lambda s: s["blocks"][0].update(phase_id="P2"), "assignment"),
    "unknown mode": (lambda s: s["blocks"][0].update(mode="burn"), "assignment"),
    "bound rose": (lambda s: s["trace"][0].update(bound=s["bound"] - 0.1), "trace"),
    "bound was below": (lambda s: s["trace"][0].update(bound=s["objective"] - 0.1), "trace"),
    "plan got worse": (lambda s: s["trace"][0].update(objective=s["objective"] + 0.1), "trace"),
}


@pytest.mark.parametrize("name", LIES)
def test_every_claim_is_checked(name: str) -> None:
    problem, solution = documents(town(), PLAN)
    change, rule = LIES[name]
    change(solution)
    report = check_solution(problem, solution)
    assert not report.passed
    assert of_rule(report, rule)


@pytest.mark.parametrize("rule", [r.name for r in ARRAY_RULES if r.name not in {"objective", "bound"}])
def test_a_rule_that_does_not_look_is_found_out(rule: str) -> None:
    """Each rule is run on a solution without blocks, promises and the way there, but expected to see the real one."""
    problem, solution = documents(town(), PLAN)
    blind = deepcopy(problem)
    free = [p | {"budget": None, "max_blocks": None} for p in problem["phases"]]
    blind |= {"targets": [], "fixed": [], "resources": [], "phases": free}
    blind["parcels"]["lock_by"] = [-1] * 9
    empty = deepcopy(solution) | {"blocks": [], "trace": []}
    case = Case(read_question(blind), read_answer(empty))
    report = apply_array_rules(case, problem, solution, ARRAY_RULES)
    assert any(f.rule == "completeness" and f"Rule {rule} " in f.message for f in report.findings)


SPOILT: dict[str, tuple[Callable[[Document, Document], object], str]] = {
    "another version": (lambda p, s: s.update(version=1), "solution, version"),
    "no blocks": (lambda p, s: s.pop("blocks"), "solution, blocks"),
    "phase as text": (lambda p, s: s["blocks"][0].update(phase="1"), "solution, blocks.0.phase"),
    "unknown key": (lambda p, s: s.update(colour="red"), "solution, colour"),
    "bound not a number": (lambda p, s: s.update(bound=float("nan")), "solution, bound"),
    "another problem": (lambda p, s: p.update(version=1), "Give the problem.json solved"),
    "no targets": (lambda p, s: p.pop("targets"), "no key 'targets'"),
    "areas too short": (lambda p, s: p["parcels"].update(area_mu=[1.0]), "parcels.area_mu"),
    "use as text": (lambda p, s: p["resources"][0].update(use=["x"] * 9), "resources.decant"),
    "costs of one mode": (lambda p, s: p["parcels"].update(mode_cost=[[1.0]] * 9), "parcels.mode_cost"),
}


@pytest.mark.parametrize("name", SPOILT)
def test_spoilt_documents_are_refused(name: str) -> None:
    problem, solution = (json.loads(json.dumps(d)) for d in documents(town(), PLAN))
    change, words = SPOILT[name]
    change(problem, solution)
    with pytest.raises(DataError) as caught:
        check_solution(problem, solution)
    assert words in str(caught.value)


def test_documents_are_not_changed() -> None:
    problem, solution = documents(town(), PLAN)
    before = json.dumps([problem, solution])
    check_solution(problem, solution)
    assert json.dumps([problem, solution]) == before


# periods and milestones -------------------------------------------------------------------------------------------


def indebted() -> Problem:
    """Row of three, phases of unequal length. Each costs 6 in its block's phase; 10 come in a period later.

    The plan: 0 in P1, 1 and 2 in P2. Behind by 6 at the end of P1, by 6 − 10 + 12 = 8 at that of P2, by −12 a year on;
    at least 12 must be over then. Cleared by P2 is what is taken in P1; signed by P2 is everything.
    """
    timing = np.zeros((3, 2, 1, 2))
    for phase in range(2):
        timing[phase:, phase, 0, 0] = 1.0
        timing[phase + 1 :, phase, 0, 1] = 1.0
    gap = Resource(
        "gap", "CNY", np.tile([6.0, -10.0], (3, 1, 1)), (6.0, 8.0, -12.0), ("P1 ends", "P2 ends", "a year on"), timing
    )
    return grid_problem(
        3,
        1,
        phases=(Phase("P1", 2025, 1.0), Phase("P2", 2030, 1.0)),
        modes=(Mode("clear", done=((0, 1), (1, 2))),),
        targets=(
            Target("signed", 1, -1, 30.0, ceiling=30.0),
            Target("cleared", 1, -1, 10.0, ceiling=10.0, milestone=1),
        ),
        resources=(gap,),
    )


STEPS = (Block((0,), 0), Block((1, 2), 1))


def test_honest_periods_and_milestones_pass() -> None:
    report = judged(indebted(), STEPS)
    assert report.findings == ()
    assert (report.checked["resources"], report.checked["targets"], report.checked["ceilings"]) == (3, 2, 2)
    assert (report.measured["reached[signed]"], report.measured["reached[cleared]"]) == (30.0, 10.0)


CORRUPTED: dict[str, tuple[Callable[[Document, Document], object], str, str, float, float]] = {
    "a block in an earlier phase": (
        lambda p, s: s["blocks"][1].update(phase=1, phase_id="P1"), "resources", "P1 ends: 18.00 CNY", 18.0, 6.0
    ),
    "a block left out": (lambda p, s: s["blocks"].pop(), "resources", "a year on: -4.00 CNY", -4.0, -12.0),
    "income later": (
        lambda p, s: p["resources"][0]["timing"][1][0][0].__setitem__(1, 0.0), "resources", "P2 ends: 18.00", 18.0, 8.0
    ),
    "income of another parcel": (
        lambda p, s: p["resources"][0]["use"][2][0].__setitem__(1, -9.0), "resources", "a year on: -11.00", -11.0, -12.0
    ),
    "cleared too late": (
        lambda p, s: p["modes"][0]["done"][1].__setitem__(0, 2), "targets", "cleared: 0.0000 mu", 0.0, 10.0
    ),
    "cleared too early": (
        lambda p, s: p["modes"][0]["done"][1].__setitem__(1, 1), "ceilings", "cleared: 30.0000 mu", 30.0, 10.0
    ),
    "another milestone": (
        lambda p, s: p["targets"][1].update(milestone=0), "ceilings", "cleared: 30.0000 mu", 30.0, 10.0
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", CORRUPTED)
def test_corrupted_periods_and_milestones_are_found(name: str) -> None:
    change, rule, words, measured, limit = CORRUPTED[name]
    problem, solution = (json.loads(json.dumps(d)) for d in documents(indebted(), STEPS))
    change(problem, solution)
    first = of_rule(check_solution(problem, solution), rule)[0]
    assert words in first.message
    assert (first.measured, first.limit) == (pytest.approx(measured), pytest.approx(limit))


UNREADABLE: dict[str, tuple[Callable[[Document], object], str]] = {
    "a limit too few": (lambda p: p["resources"][0]["limits"].pop(), "resources.gap.limits"),
    "a period too few": (lambda p: p["resources"][0]["periods"].pop(), "resources.gap.limits"),
    "timing of one phase": (lambda p: [t.pop() for t in p["resources"][0]["timing"]], "resources.gap.timing"),
    "use by parcel alone": (lambda p: p["resources"][0].update(use=[6.0] * 3), "resources.gap.use"),
    "done in one phase": (lambda p: [d.pop() for d in p["modes"][0]["done"]], "modes.clear.done"),
    "one milestone": (lambda p: p["modes"][0]["done"].pop(), "modes.clear.done"),
}


@pytest.mark.parametrize("name", UNREADABLE)
def test_periods_and_milestones_that_cannot_be_read_are_refused(name: str) -> None:
    problem, solution = (json.loads(json.dumps(d)) for d in documents(indebted(), STEPS))
    change, words = UNREADABLE[name]
    change(problem)
    with pytest.raises(DataError) as caught:
        check_solution(problem, solution)
    assert words in str(caught.value)


def test_nothing_taken_is_a_solution() -> None:
    report = judged(grid_problem(2, 2), ())
    assert report.passed
    assert report.measured["objective"] == 0.0


def test_every_rule_stands_in_the_page() -> None:
    page = (Path(__file__).parents[3] / "docs" / "checks.md").read_text(encoding="utf-8")
    rows = [line.split("|")[1] for line in page.partition("## A solution against its problem")[2].splitlines()[8:]]
    assert [name for row in rows for name in re.findall(r"`(\w+)`", row)] == [*TITLES, "completeness"]


def test_it_loads_nothing_of_the_optimiser() -> None:
    code = "import sys, planner.check.arrays; print('\\n'.join(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, encoding="utf-8")
    loaded = done.stdout.split()
    assert "planner.check.arrays_plan" in loaded
    forbidden = ("ortools", "planner.optimise", "planner.problem", "planner.problem_json", "geodata.adjacency")
    assert [m for m in loaded if m.startswith(forbidden)] == []
