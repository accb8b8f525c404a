"""Checks for problems whose best plan is worked out by hand.

Unless said otherwise a parcel is a square of 10 mu, 400 m around, worth 10, and any size of block will do. Every case
is solved twice: with all blocks listed, and by the search and the bound alone.
"""

from __future__ import annotations

import pytest

from planner.check.arrays import check_solution
from planner.errors import InfeasibleError, NoPlanInTimeError
from planner.optimise import Stop, solve
from planner.problem import Phase, Plan, Problem
from planner.problem_json import problem_to_dict, solution_to_dict
from tests.planner.optimise.brute import Brute, faults, plan_worth

TWO = (Phase("P1", 1, 1.0), Phase("P2", 2, 1.0))
FADING = (Phase("P1", 1, 1.0), Phase("P2", 2, 0.5))
STOP = Stop(gap=0.0, work_limit=1, time_limit_s=600.0)


def best(problem: Problem, worth: float) -> Plan:
    """The plan, after checking that both ways of solving give the worth worked out by hand."""
    assert Brute(problem).truth().optimum == pytest.approx(worth), "the hand is wrong"
    listed, searched = solve(problem, STOP), solve(problem, STOP, enumerate_small=False)
    for plan in (listed, searched):
        assert faults(problem, plan.blocks) == []
        assert plan_worth(problem, plan.blocks) == pytest.approx(worth)
        assert plan.objective == pytest.approx(worth)
        assert plan.bound >= worth - 1e-9
        assert check_solution(problem_to_dict(problem), solution_to_dict(problem, plan)).findings == ()
    assert listed.status == "optimal"
    return listed


def sets(plan: Plan) -> list[tuple[tuple[int, ...], int]]:
    return [(b.parcels, b.phase) for b in plan.blocks]


def taken(plan: Plan) -> list[int]:
    return sorted(i for b in plan.blocks for i in b.parcels)


def how(plan: Plan) -> dict[int, tuple[int, int]]:
    """Phase and mode of each parcel in the plan."""
    return {i: (b.phase, b.mode) for b in plan.blocks for i in b.parcels}


def out_of_reach(problem: Problem, words: str, *, search_proves: bool = True) -> InfeasibleError:
    """The error with all blocks listed; the search proves it too, or at least finds no plan."""
    assert not Brute(problem).truth().feasible, "the hand is wrong"
    with pytest.raises(InfeasibleError, match=words) as caught:
        solve(problem, STOP)
    with pytest.raises(InfeasibleError if search_proves else (InfeasibleError, NoPlanInTimeError)):
        solve(problem, STOP, enumerate_small=False)
    return caught.value
