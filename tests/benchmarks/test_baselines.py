"""Baselines keep every rule, never beat the optimum, and prove no bound below it."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from benchmarks.answers import Answer, judged
from benchmarks.baselines import BASELINES, GREEDY, MONOLITHIC, PHASE_MIP, NotModelledError
from benchmarks.greedy import solve_greedy
from planner.problem import Block, Mode, Phase, Problem, Target
from tests.planner.optimise.brute import Brute
from tests.planner.optimise.instances import grid_problem, random_problem

SECONDS = 10.0
SEEDS = range(30)


@cache
def answers_and_optima(name: str) -> list[tuple[Answer, float]]:
    """Over the random problems that the baseline can take."""
    found = []
    for seed in SEEDS:
        problem = random_problem(seed)
        problem = replace(problem, targets=tuple(replace(t, stretch=None) for t in problem.targets))
        try:
            answer = BASELINES[name](problem, SECONDS, 0)
        except NotModelledError:
            continue
        found.append((answer, Brute(problem).truth().optimum))
    assert len(found) >= len(SEEDS) // 3
    return found


@pytest.mark.parametrize("name", BASELINES)
def test_never_better_than_the_optimum(name: str) -> None:
    planned = 0
    for answer, optimum in answers_and_optima(name):
        if answer.objective is not None:
            planned += 1
            assert not answer.faults
            assert answer.objective <= optimum + 1e-6 * max(1.0, abs(optimum))
        if answer.bound is not None and np.isfinite(optimum):
            assert answer.bound >= optimum - 1e-4 * max(1.0, abs(optimum))
    assert planned >= 5


def test_the_monolithic_model_is_exact() -> None:
    for answer, optimum in answers_and_optima(MONOLITHIC):
        if np.isfinite(optimum):
            assert answer.note == "optimal"
            assert answer.objective == pytest.approx(optimum, rel=1e-5, abs=1e-5)
        else:
            assert answer.objective is None


def rich_grid() -> Problem:
    """6 x 4 parcels of 10 mu, worth rising to the right, two phases with floors and ceilings, a zone with a floor."""
    n = 24
    column = np.arange(n) % 6
    return grid_problem(
        6,
        4,
        benefit=10.0 + 2.0 * column,
        perimeter_per_m=0.004,
        zone=(column >= 3).astype(np.int64),
        zones=("left", "right"),
        within_zone=True,
        phases=(Phase("P1", 1, 1.0), Phase("P2", 2, 0.9)),
        targets=(
            Target("P1", 0, -1, 30.0, ceiling=40.0),
            Target("P2", 1, -1, 100.0, ceiling=110.0),
            Target("P2, left", 1, 0, 30.0),
        ),
        block_min_mu=30.0,
        block_max_mu=50.0,
    )


@pytest.mark.parametrize("name", BASELINES)
def test_all_rules_at_once(name: str) -> None:
    answer = BASELINES[name](rich_grid(), 5.0, 0)
    assert answer.faults == ()
    assert answer.objective is not None
    areas = [10 * len(b.parcels) for b in answer.blocks]
    assert all(30 <= a <= 50 for a in areas)
    assert 100 <= sum(areas) <= 110
    if answer.bound is not None:
        assert answer.objective <= answer.bound * (1 + 1e-4)


def test_greedy_is_repeatable_and_gains_by_its_starts() -> None:
    problem = rich_grid()
    first, again = (solve_greedy(problem, SECONDS, seed=3) for _ in range(2))
    one = solve_greedy(problem, SECONDS, seed=3, starts=1)
    assert first.blocks == again.blocks
    assert first.objective is not None
    assert one.objective is not None
    assert first.objective >= one.objective


@pytest.mark.parametrize("name", BASELINES)
def test_rules_that_no_baseline_knows(name: str) -> None:
    grid = rich_grid()
    for other in (
        replace(grid, rolling=True),
        replace(grid, modes=(Mode("a"), Mode("b"))),
        replace(grid, fixed=(Block((0, 1, 2), 0),)),
    ):
        with pytest.raises(NotModelledError):
            BASELINES[name](other, SECONDS, 0)


def test_numbers_of_blocks() -> None:
    """Two rich ends, one block: greedy and the monolithic model take one of them, the parcel-phase model says no."""
    benefit = np.array([10.0, -1.0, -1.0, -1.0, 10.0])
    problem = grid_problem(5, 1, benefit=benefit, phases=(Phase("P1", 1, 1.0, max_blocks=1),), block_max_mu=20.0)
    for name in (GREEDY, MONOLITHIC):
        assert BASELINES[name](problem, SECONDS, 0).objective == pytest.approx(10.0)
    with pytest.raises(NotModelledError):
        BASELINES[PHASE_MIP](problem, SECONDS, 0)


def test_no_value_for_a_plan_that_breaks_a_rule() -> None:
    answer = judged(grid_problem(3, 1), "x", [Block((0, 2), 0)], 1.0)
    assert answer.objective is None
    assert answer.faults
    assert judged(grid_problem(3, 1), "x", None, 1.0).faults == ("no plan",)
