"""Annealing: blocks are whole and within their limits throughout, and what it calls a plan is one."""

from __future__ import annotations

import numpy as np
import pytest

from planner.optimise.anneal import anneal
from planner.optimise.search import blocks_of
from planner.optimise.state import empty_draft, make_terrain
from planner.problem import Phase, Problem, Target
from tests.planner.optimise.brute import faults, plan_worth
from tests.planner.optimise.instances import grid_problem, planted_problem, random_problem
from tests.planner.optimise.support import prepared

PLAN_RULES = {"floor", "budget", "max_blocks", "lock"}


def run(problem: Problem, seed: int, slices: int, moves: int) -> int:
    """Slices of annealing with a check after each; the number of slices whose best draft is a plan."""
    problem, graph, open_ = prepared(problem)
    terrain = make_terrain(problem, graph, open_, problem.lock_by)
    draft = empty_draft(terrain, len(problem.zones))
    scale = max(float(np.abs(terrain.worth).mean()), 1e-6)
    found, last = 0, -np.inf
    for s in range(slices):
        block, phase, result = draft.block.copy(), draft.phase.copy(), np.empty(3)
        hot = scale * 2.0 * 0.8**s
        anneal(terrain, draft, seed + 1000 * s, moves, hot, hot / 2, block, phase, result)
        current = blocks_of(draft.block, draft.phase)
        assert set(faults(problem, current)) <= PLAN_RULES, "a block is broken in the middle of the search"
        assert (result[2] == 0.0) == (not faults(problem, current))
        assert result[1] == pytest.approx(plan_worth(problem, current), abs=1e-7)
        if result[0] > -np.inf:
            best = blocks_of(block, phase)
            assert faults(problem, best) == []
            assert result[0] == pytest.approx(plan_worth(problem, best), abs=1e-7)
            found += 1
            last = max(last, result[0])
    return found


@pytest.mark.parametrize("seed", range(25))
def test_planted_problems(seed: int) -> None:
    """Limits are tight, many rules at once."""
    assert run(planted_problem(seed), seed, 12, 3_000) > 0


@pytest.mark.parametrize("seed", range(25))
def test_random_problems(seed: int) -> None:
    run(random_problem(seed), seed, 12, 500)


@pytest.mark.parametrize("seed", range(4))
def test_a_larger_one(seed: int) -> None:
    """8×8 parcels, three phases, all kinds of whole-block moves."""
    rng = np.random.default_rng(seed)
    n = 64
    problem = grid_problem(
        8,
        8,
        area_mu=np.round(rng.lognormal(2.0, 0.5, n), 2),
        benefit=rng.random(n) * 10,
        cost=rng.random(n) * 8,
        selectable=rng.random(n) < 0.95,
        filler=rng.random(n) < 0.1,
        filler_max_share=0.2,
        zones=("A", "B"),
        zone=(np.arange(n) // 32).astype(np.int64),
        within_zone=bool(seed % 2),
        earliest=(rng.integers(0, 3, n) * (rng.random(n) < 0.2)).astype(np.int64),
        phases=tuple(Phase(f"P{t}", t, 0.95**t, 60.0, 4) for t in range(1, 4)),
        targets=(Target("P1", 0, -1, 60.0), Target("P3", 2, -1, 150.0), Target("A", 2, 0, 60.0, 120.0)),
        block_min_mu=30.0,
        block_max_mu=70.0,
        perimeter_per_m=0.002,
        stretch_per_mu=0.1,
    )
    assert run(problem, seed, 20, 5_000) > 0


def test_same_seed_same_walk() -> None:
    def walk(seed: int) -> tuple[list[int], float]:
        problem, graph, open_ = prepared(planted_problem(0))
        terrain = make_terrain(problem, graph, open_, problem.lock_by)
        draft = empty_draft(terrain, len(problem.zones))
        result = np.empty(3)
        anneal(terrain, draft, seed, 5_000, 2.0, 0.1, draft.block.copy(), draft.phase.copy(), result)
        return draft.block.tolist(), float(result[1])

    assert walk(3) == walk(3)
    assert len({tuple(walk(s)[0]) for s in range(6)}) > 1


def test_cold_walk_only_improves() -> None:
    """At a temperature of nothing a worse draft is never accepted: the value never falls."""
    problem, graph, open_ = prepared(grid_problem(4, 4, cost=np.linspace(0.0, 20.0, 16), block_min_mu=20.0))
    terrain = make_terrain(problem, graph, open_, problem.lock_by)
    draft = empty_draft(terrain, 0)
    last = 0.0
    for s in range(30):
        result = np.empty(3)
        anneal(terrain, draft, s, 100, 1e-9, 1e-10, draft.block.copy(), draft.phase.copy(), result)
        assert result[1] >= last - 1e-6
        last = float(result[1])
    assert last > 0
