"""The integer and the linear master over blocks, against brute force."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from planner.optimise.columns import Columns, Pool, master_rows
from planner.optimise.exact import enumerate_pool
from planner.optimise.graph import build_graph
from planner.optimise.master import MasterResult, solve_master
from planner.optimise.presolve import reachable
from planner.optimise.prices import solve_prices
from planner.optimise.state import make_terrain
from planner.problem import Block, Phase, Problem, Target
from tests.planner.optimise.brute import Brute, faults, plan_worth
from tests.planner.optimise.instances import grid_problem
from tests.planner.optimise.support import instance, prepared, truth_of

CASES = [("planted", s) for s in range(40)] + [("random", s) for s in range(30)]


def full_pool(problem: Problem) -> Pool:
    pool = enumerate_pool(*prepared(problem))
    assert pool is not None
    return pool


def choose(pool: Pool, columns: Columns | None = None, hint: tuple[Block, ...] | None = None) -> MasterResult:
    columns = pool.columns() if columns is None else columns
    return solve_master(pool, columns, hint, time_limit_s=60.0, work=None, seed=0, workers=1)


@pytest.mark.parametrize(("kind", "seed"), CASES, ids=str)
def test_over_all_blocks_it_is_exact(kind: str, seed: int) -> None:
    truth = truth_of(kind, seed)
    pool = full_pool(instance(kind, seed))
    result = choose(pool)
    assert result.optimal
    if not truth.feasible:
        assert result.blocks is None
        return
    assert result.blocks is not None
    assert result.bound is not None
    assert faults(pool.problem, result.blocks) == []
    size = max(1.0, abs(truth.optimum))
    assert plan_worth(pool.problem, result.blocks) == pytest.approx(truth.optimum, abs=1e-8 * size)
    assert truth.optimum - 1e-12 * size <= result.bound


def test_bound_over_all_blocks_is_the_optimum() -> None:
    """A plan is called optimal on the strength of this bound, so it may not stand off by more than that allows."""
    off = {}
    for kind, seed in CASES:
        truth = truth_of(kind, seed)
        bound = choose(full_pool(instance(kind, seed))).bound
        if truth.feasible and bound is not None and bound > truth.optimum + 1e-7 * max(1.0, abs(truth.optimum)):
            off[kind, seed] = bound - truth.optimum
    assert off == {}


@pytest.mark.parametrize("seed", range(15))
def test_over_some_blocks_it_is_the_best_of_those(seed: int) -> None:
    """Half of the blocks, drawn at random, and the best plan as hint: never above the truth, never below the hint."""
    pool = full_pool(instance("planted", seed))
    brute = Brute(pool.problem)
    truth = brute.truth()
    rng = np.random.default_rng(seed)
    columns = pool.columns(sorted(rng.choice(len(pool), len(pool) // 2, replace=False).tolist()))
    part = choose(pool, columns)
    if part.blocks is not None:
        assert part.bound is not None
        assert plan_worth(pool.problem, part.blocks) <= min(truth.optimum, part.bound) + 1e-9
        assert faults(pool.problem, part.blocks) == []
    mine = {pool.add(b.parcels) for b in truth.blocks}
    hinted = choose(pool, pool.columns(sorted({*columns.of.tolist(), *mine})), truth.blocks)
    assert hinted.blocks is not None
    assert plan_worth(pool.problem, hinted.blocks) == pytest.approx(truth.optimum, rel=1e-8)


@pytest.mark.parametrize("seed", range(20))
def test_linear_master_over_all_blocks_is_above_every_plan(seed: int) -> None:
    """With every block in the pool its value is a bound; parcel prices add up to the reduced worth of every column."""
    pool = full_pool(instance("planted", seed))
    problem, columns = pool.problem, pool.columns()
    optimum = Brute(problem).truth().optimum
    shortage = 3.0 * float((np.abs(columns.worth)).max() / problem.area_mu.min())
    prices = solve_prices(pool, columns, 60.0, shortage)
    assert prices is not None
    assert prices.value >= optimum - 1e-5 * max(1.0, abs(optimum))
    terrain = make_terrain(problem, pool.graph, pool.open, problem.lock_by)
    weight = prices.weight(problem, terrain.worth)
    for c in range(len(columns)):
        members, t = pool.members[columns.of[c]], columns.phase[c]
        inside = set(members.tolist())
        saved = sum(
            2 * problem.perimeter_per_m * s
            for (i, j), s in zip(problem.pairs.tolist(), problem.shared_m.tolist(), strict=True)
            if i in inside and j in inside
        )
        priced = weight[members, t].sum() + saved - prices.block[t]
        assert priced == pytest.approx(prices.reduced[c], abs=1e-6 * max(1.0, abs(columns.worth[c])))


def test_master_rows_by_hand() -> None:
    """1×3 row, zone A = {0}, two phases; block {0, 1} in both phases, block {2} in the second only."""
    problem = grid_problem(
        3,
        1,
        cost=np.array([1.0, 2.0, 4.0]),
        zones=("A",),
        zone=np.array([0, -1, -1]),
        phases=(Phase("P1", 1, 1.0), Phase("P2", 2, 1.0)),
        earliest=np.array([0, 0, 1]),
        targets=(Target("P1", 0, -1, 0.0), Target("A", 1, 0, 0.0)),
    )
    graph = build_graph(problem)
    pool = Pool(problem, graph, reachable(problem, graph))
    assert pool.add([1, 0]) == pool.add((0, 1)) == 0
    assert pool.add([2]) == 1
    columns = pool.columns()
    assert list(zip(columns.of.tolist(), columns.phase.tolist(), strict=True)) == [(0, 0), (0, 1), (1, 1)]
    assert columns.worth.tolist() == [17.0, 17.0, 6.0]
    rows = master_rows(pool, columns)
    assert rows.parcel.toarray().tolist() == [[1, 1, 0], [1, 1, 0], [0, 0, 1]]
    assert rows.area.tolist() == [[20, 0, 0], [10, 10, 0]]
    assert rows.cost.tolist() == [[3, 0, 0], [0, 3, 4]]
    assert rows.count.tolist() == [[1, 0, 0], [0, 1, 1]]


def test_empty_pool() -> None:
    """Nothing on offer: the empty plan where nothing is asked for, a proof where something is."""
    problem = grid_problem(2, 1)
    graph = build_graph(problem)
    result = choose(Pool(problem, graph, reachable(problem, graph)))
    assert result.blocks == ()
    asked = replace(problem, targets=(Target("P1", 0, -1, 10.0),))
    result = choose(Pool(asked, graph, reachable(asked, graph)))
    assert result.blocks is None
    assert result.optimal


@pytest.mark.parametrize("noise", [-4e-7, 0.0, 4e-7])
def test_limits_within_tolerance_are_no_obstacle(noise: float) -> None:
    """Floor and budget met exactly, or missed by less than the tolerance: a plan, and rounding must not lose it."""
    problem = grid_problem(
        3,
        1,
        area_mu=np.full(3, 1 / 3),
        cost=np.full(3, 1 / 3),
        block_min_mu=0.1,
        phases=(Phase("P1", 1, 1.0, 1.0 - noise),),
        targets=(Target("P1", 0, -1, 1.0 + noise),),
    )
    result = choose(full_pool(problem))
    assert result.blocks is not None
    assert faults(problem, result.blocks) == []
    assert result.bound is not None
    assert result.bound >= plan_worth(problem, result.blocks)


def test_budget_of_nothing_takes_only_what_is_free() -> None:
    problem = grid_problem(3, 1, cost=np.array([0.0, 0.0, 5.0]), phases=(Phase("P1", 1, 1.0, 0.0),))
    result = choose(full_pool(problem))
    assert result.blocks is not None
    assert sorted(i for b in result.blocks for i in b.parcels) == [0, 1]


def test_dear_parcel_does_not_blur_the_others() -> None:
    """3×3 grid, worth −1 for 10 mu, stretch 80 at 1 a mu, the middle parcel a prohibitive 10⁹.

    The best plan takes all eight others: −8, nothing unmet. Taking nothing is worth −80.
    """
    cost = np.full(9, 11.0)
    cost[4] = 1e9
    problem = grid_problem(3, 3, cost=cost, targets=(Target("P1", 0, -1, 0.0, 80.0),), stretch_per_mu=1.0)
    result = choose(full_pool(problem))
    assert result.blocks is not None
    assert plan_worth(problem, result.blocks) == pytest.approx(-8.0)


def test_stretch_keeps_its_price_beside_real_money() -> None:
    """3×3 grid in yuan: worth −10 000 a parcel of 10 mu, and 2 000 yuan a mu of unmet stretch: taking pays.

    One parcel is a good firm at a cost of 10 billion.
    """
    cost = np.full(9, 1e6 + 1e4)
    cost[4] = 1e10
    problem = grid_problem(
        3, 3, benefit=np.full(9, 1e6), cost=cost, targets=(Target("P1", 0, -1, 0.0, 80.0),), stretch_per_mu=2_000.0
    )
    result = choose(full_pool(problem))
    assert result.blocks is not None
    assert plan_worth(problem, result.blocks) == pytest.approx(-80_000.0)


def test_huge_stretch_price_is_still_solved() -> None:
    """A stretch price that dwarfs all worths makes the stretch a floor: all nine parcels are taken."""
    problem = grid_problem(3, 3, targets=(Target("P1", 0, -1, 0.0, 90.0),), stretch_per_mu=1e9)
    result = choose(full_pool(problem))
    assert result.optimal
    assert result.blocks is not None
    assert sum(len(b.parcels) for b in result.blocks) == 9
