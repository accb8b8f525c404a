"""Stopping: by gap, counted work, clock, or the user."""

from __future__ import annotations

import time
from itertools import count

import numpy as np
import pytest

from planner.errors import InterruptedBeforePlanError, NoPlanInTimeError
from planner.optimise import Stop, solve
from planner.optimise.stop import Clock
from planner.problem import Problem, Target
from tests.planner.optimise.instances import grid_problem


def hard_problem() -> Problem:
    """8×8, two-sided block sizes: no proof of the optimum in a second."""
    rng = np.random.default_rng(5)
    n = 64
    return grid_problem(
        8,
        8,
        area_mu=np.round(rng.lognormal(2.0, 0.5, n), 2),
        benefit=rng.random(n) * 10,
        cost=rng.random(n) * 9,
        block_min_mu=40.0,
        block_max_mu=50.0,
        perimeter_per_m=0.002,
        targets=(Target("P1", 0, -1, 130.0),),
    )


def test_clock_counts() -> None:
    clock = Clock(0.05)
    assert not clock.over()
    assert 0.0 < clock.remaining() <= 0.05
    time.sleep(0.06)
    assert clock.over()
    assert clock.remaining() < 0.0
    assert clock.elapsed() >= 0.05


def test_defaults() -> None:
    stop = Stop()
    assert (stop.gap, stop.time_limit_s, stop.work_limit) == (0.01, 60.0, None)
    assert stop.interrupted() is False


def test_by_gap() -> None:
    """A gap of 1000 % is reached by the first plan of any worth; the plan is not called optimal."""
    plan = solve(hard_problem(), Stop(gap=10.0, time_limit_s=60.0))
    assert plan.stopped_by == "gap"
    assert plan.status == "feasible"
    assert plan.gap is not None
    assert 0 < plan.gap <= 10.0


def test_by_counted_work() -> None:
    plan = solve(hard_problem(), Stop(gap=0.0, work_limit=1, time_limit_s=600.0))
    assert plan.stopped_by == "work"
    assert plan.rounds == 1
    assert plan.repeatable


def test_by_clock() -> None:
    started = time.monotonic()
    plan = solve(hard_problem(), Stop(gap=0.0, time_limit_s=1.5))
    assert plan.stopped_by == "time"
    assert not plan.repeatable
    assert time.monotonic() - started < 8.0, "overshoots the limit by far"


def test_by_user_with_a_plan_at_hand() -> None:
    """Interrupted as soon as there is a plan: the plan so far comes back."""
    seen: list[float] = []
    plan = solve(
        hard_problem(),
        Stop(gap=0.0, time_limit_s=60.0, interrupted=lambda: bool(seen)),
        report=lambda value, _bound, _seconds: seen.append(value) if value is not None else None,
    )
    assert plan.stopped_by == "interrupt"
    assert not plan.repeatable
    assert plan.objective == seen[-1]


def test_by_user_before_any_plan() -> None:
    with pytest.raises(InterruptedBeforePlanError):
        solve(hard_problem(), Stop(interrupted=lambda: True))


def test_user_is_asked_often() -> None:
    """Ctrl-C is felt within the step at hand: the question is asked many times in one short solve."""
    asked = count()
    solve(hard_problem(), Stop(gap=0.0, work_limit=1, interrupted=lambda: next(asked) < 0))
    assert next(asked) > 10


def test_no_time_no_plan() -> None:
    with pytest.raises(NoPlanInTimeError, match="Give more time"):
        solve(hard_problem(), Stop(time_limit_s=0.0))


def test_proof_of_optimality_goes_before_everything() -> None:
    plan = solve(grid_problem(3, 3), Stop(gap=0.5, work_limit=1))
    assert (plan.status, plan.stopped_by, plan.objective) == ("optimal", "optimal", 90.0)
