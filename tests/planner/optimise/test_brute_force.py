"""The optimiser against the truth: 360 small instances, with and without listing all blocks inside the optimiser.

The fast part takes some dozens of them; the rest is marked slow.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import pytest

from planner.check.arrays import check_solution
from planner.errors import InfeasibleError, NoPlanInTimeError
from planner.optimise import Stop, solve
from planner.optimise.evaluate import plan_faults
from planner.optimise.graph import build_graph
from planner.optimise.options import availability
from planner.problem import Plan, Problem
from planner.problem_json import problem_to_dict, solution_to_dict
from tests.planner.optimise.brute import Brute, Truth, faults, plan_worth
from tests.planner.optimise.support import instance, truth_of

PER_KIND = 120
FAST_LISTED = 16
FAST_SEARCHED = 8
KINDS = ("random", "planted", "rich")
CASES = [(kind, seed) for kind in KINDS for seed in range(PER_KIND)]


def some_fast(fast: int) -> list[Any]:
    """All cases, those beyond the first of each kind marked slow."""
    return [
        pytest.param(kind, seed, marks=[] if seed < fast else [pytest.mark.slow], id=f"{kind}-{seed}")
        for kind, seed in CASES
    ]


STOP = Stop(gap=0.0, work_limit=2, time_limit_s=600.0)  # by counted work: the clock never decides
NOISE = 1e-9
CALLED_OPTIMAL = 1.1e-7


def scale(*values: float) -> float:
    return max(1.0, *(abs(v) for v in values))


def check_plan(problem: Problem, plan: Plan, truth: Truth) -> None:
    """A plan keeps every rule, is worth what it says, and lies with its bound on the right sides of the truth."""
    assert faults(problem, plan.blocks) == []
    assert plan_faults(problem, build_graph(problem), plan.blocks, availability(problem)) == []
    assert check_solution(problem_to_dict(problem), solution_to_dict(problem, plan)).findings == ()
    noise = NOISE * scale(truth.optimum, plan.bound)
    assert plan.objective == pytest.approx(plan_worth(problem, plan.blocks), abs=noise)
    assert plan.objective <= truth.optimum + noise
    assert truth.optimum <= plan.bound + noise
    assert all(point.bound >= truth.optimum - noise for point in plan.trace), "a bound on the way was wrong"
    if plan.status == "optimal":
        assert plan.gap_abs <= 1e-5 * scale(plan.bound)
        assert plan.objective >= truth.optimum - CALLED_OPTIMAL * scale(truth.optimum, plan.bound)


def check_shortfalls(problem: Problem, error: InfeasibleError | NoPlanInTimeError) -> None:
    """What is called the most that can be reached is at least that, in the unit of the target."""
    if "locked" in error.details:
        assert str(error).startswith("No plan can contain every locked parcel")
        return
    rows = error.shortfalls
    brute = Brute(problem)
    names = [t.name for t in problem.targets]
    assert [(r.target, r.target_mu, r.unit) for r in rows] == [
        (t.name, t.floor, t.unit) for t in problem.targets if t.floor > 0
    ]
    for row in rows:
        most = brute.reach(names.index(row.target))
        assert row.proven_max_mu is not None
        assert row.proven_max_mu >= most - 1e-6, row


@pytest.mark.parametrize(("kind", "seed"), some_fast(FAST_LISTED))
def test_listing_all_blocks_is_exact(kind: str, seed: int) -> None:
    problem, truth = instance(kind, seed), truth_of(kind, seed)
    try:
        plan = solve(problem, STOP)
    except InfeasibleError as error:
        assert not truth.feasible
        check_shortfalls(problem, error)
        return
    assert plan.status == "optimal"
    assert plan.gap_abs <= CALLED_OPTIMAL * scale(plan.bound)
    check_plan(problem, plan, truth)


@cache
def searched(kind: str, seed: int) -> Plan | InfeasibleError | NoPlanInTimeError:
    """What the optimiser says without listing blocks."""
    try:
        return solve(instance(kind, seed), STOP, enumerate_small=False)
    except (InfeasibleError, NoPlanInTimeError) as error:
        return error


@pytest.mark.parametrize(("kind", "seed"), some_fast(FAST_SEARCHED))
def test_search_and_bound_enclose_the_truth(kind: str, seed: int) -> None:
    problem, truth = instance(kind, seed), truth_of(kind, seed)
    answer = searched(kind, seed)
    if isinstance(answer, Plan):
        check_plan(problem, answer, truth)
        return
    check_shortfalls(problem, answer)
    if isinstance(answer, InfeasibleError):
        assert not truth.feasible


@pytest.mark.parametrize("per_kind", [FAST_SEARCHED, pytest.param(PER_KIND, marks=pytest.mark.slow)])
def test_search_seldom_misses(per_kind: int) -> None:
    """Two rounds on a dozen parcels: a plan nearly always where one exists, and mostly the best one."""
    cases = [(kind, seed) for kind, seed in CASES if seed < per_kind and truth_of(kind, seed).feasible]
    plans = {case: answer for case in cases if isinstance(answer := searched(*case), Plan)}
    best = [c for c, p in plans.items() if p.objective >= truth_of(*c).optimum - CALLED_OPTIMAL * scale(p.objective)]
    assert len(plans) >= 0.98 * len(cases), sorted(set(cases) - set(plans))
    assert len(best) >= 0.95 * len(cases), sorted(set(cases) - set(best))
