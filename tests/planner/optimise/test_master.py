"""The integer and the linear master over blocks, against brute force."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from planner.optimise.columns import Columns, Pool, master_rows
from planner.optimise.exact import enumerate_pool
from planner.optimise.graph import build_graph
from planner.optimise.master import MasterResult, solve_master
from planner.optimise.options import make_options
from planner.optimise.presolve import reachable
from planner.optimise.prices import solve_prices
from planner.problem import Block, BlockRule, Group, Mode, Phase, Problem, Resource, Target
from tests.planner.optimise.brute import Brute, faults, plan_worth
from tests.planner.optimise.instances import grid_problem
from tests.planner.optimise.support import instance, prepared

CASES = [
    (kind, s) for kind, count in (("planted", 30), ("random", 20), ("rich", 50), ("signed", 60)) for s in range(count)
]


def full_pool(problem: Problem) -> Pool:
    pool = enumerate_pool(*prepared(problem))
    assert pool is not None
    return pool


def choose(pool: Pool, columns: Columns | None = None, hint: tuple[Block, ...] | None = None) -> MasterResult:
    columns = pool.columns() if columns is None else columns
    return solve_master(pool, columns, hint, time_limit_s=60.0, work=None, seed=0, workers=1)


@pytest.mark.parametrize(("kind", "seed"), CASES, ids=str)
def test_over_all_blocks_it_is_exact(kind: str, seed: int) -> None:
    pool = full_pool(instance(kind, seed))
    truth = Brute(pool.problem).truth()
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
        pool = full_pool(instance(kind, seed))
        truth = Brute(pool.problem).truth()
        bound = choose(pool).bound
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
    alone = pool.options.net - problem.perimeter_per_m * problem.perimeter_m[:, None]
    weight = prices.weight(pool, alone)
    for c in range(len(columns)):
        members, o = pool.members[columns.of[c]], columns.option[c]
        inside = set(members.tolist())
        saved = sum(
            2 * problem.perimeter_per_m * s
            for (i, j), s in zip(problem.pairs.tolist(), problem.shared_m.tolist(), strict=True)
            if i in inside and j in inside
        )
        priced = weight[members, o].sum() + saved - prices.block[pool.options.phase[o]]
        assert priced == pytest.approx(prices.reduced[c], abs=1e-6 * max(1.0, abs(columns.worth[c])))


def test_master_rows_by_hand() -> None:
    """1×3 row, zone A = {0}, two phases; block {0, 1} in both phases, block {2} in the second only."""
    problem = grid_problem(
        3,
        1,
        cost=np.array([1.0, 2.0, 4.0]),
        zones=("A",),
        zone=np.array([0, -1, -1]),
        phases=(Phase("P1", 1, 1.0, 9.0), Phase("P2", 2, 1.0, 8.0)),
        earliest=np.array([0, 0, 1]),
        targets=(Target("P1", 0, -1, 0.0), Target("A", 1, 0, 0.0)),
    )
    graph = build_graph(problem)
    pool = Pool(problem, graph, reachable(problem, graph), make_options(problem))
    assert pool.add([1, 0]) == pool.add((0, 1)) == 0
    assert pool.add([2]) == 1
    columns = pool.columns()
    assert list(zip(columns.of.tolist(), columns.option.tolist(), strict=True)) == [(0, 0), (0, 1), (1, 1)]
    assert columns.worth.tolist() == [17.0, 17.0, 6.0]
    rows = master_rows(pool, columns)
    assert rows.parcel.toarray().tolist() == [[1, 1, 0], [1, 1, 0], [0, 0, 1]]
    assert rows.target.tolist() == [[20, 0, 0], [10, 10, 0]]
    assert rows.use.tolist() == [[3, 0, 0], [0, 3, 4]]
    assert rows.limit.tolist() == [9.0, 8.0]
    assert rows.count.tolist() == [[1, 0, 0], [0, 1, 1]]


def test_master_rows_of_modes_by_hand() -> None:
    """Row of two, modes a (at once) and b (a phase later), one phase; both parcels as one block, b only with consent.

    Circle: the first parcel. In b the block counts for nothing, since it is done too late.
    """
    problem = grid_problem(
        2,
        1,
        modes=(Mode("a"), Mode("b", 1)),
        mode_cost=np.array([[1.0, 2.0], [3.0, 4.0]]),
        mode_floor_m2=np.array([[100.0, 0.0], [50.0, 0.0]]),
        groups=(Group("circle", np.array([True, False])),),
        targets=(
            Target("circle", 0, -1, 0.0, group=0),
            Target("floor area", 0, -1, 0.0, measure="floor_m2"),
            Target("projects", 0, -1, 0.0, measure="blocks", project_min_mu=20.0),
            Target("in the circle", 0, -1, 0.0, group=0, measure="blocks"),
        ),
        resources=(Resource("decant", "m2", np.array([5.0, 6.0]), (30.0,)),),
        block_rules=(BlockRule("consent", "mu", np.array([0.0, 1.0]), 1.0, modes=(1,)),),
    )
    graph = build_graph(problem)
    pool = Pool(problem, graph, reachable(problem, graph), make_options(problem))
    for parcels in ((0, 1), (0,)):
        pool.add(parcels)
    columns = pool.columns()
    assert list(zip(columns.of.tolist(), columns.option.tolist(), strict=True)) == [(0, 0), (0, 1), (1, 0)]
    assert columns.worth.tolist() == [16.0, 14.0, 9.0]
    rows = master_rows(pool, columns)
    assert rows.target.tolist() == [[10, 0, 10], [150, 0, 100], [1, 0, 0], [0, 0, 1]]
    assert rows.use.tolist() == [[11, 11, 5]]
    assert rows.limit.tolist() == [30.0]
    assert rows.count.tolist() == [[1, 1, 1]]


def test_empty_pool() -> None:
    """Nothing on offer: the empty plan where nothing is asked for, a proof where something is."""
    problem = grid_problem(2, 1)
    graph = build_graph(problem)
    result = choose(Pool(problem, graph, reachable(problem, graph), make_options(problem)))
    assert result.blocks == ()
    asked = replace(problem, targets=(Target("P1", 0, -1, 10.0),))
    result = choose(Pool(asked, graph, reachable(asked, graph), make_options(asked)))
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
    problem = grid_problem(3, 3, cost=cost, targets=(Target("P1", 0, -1, 0.0, 80.0, 1.0),))
    result = choose(full_pool(problem))
    assert result.blocks is not None
    assert plan_worth(problem, result.blocks) == pytest.approx(-8.0)


def test_stretch_keeps_its_price_beside_real_money() -> None:
    """3×3 grid in yuan: worth −10 000 a parcel of 10 mu, and 2 000 yuan a mu of unmet stretch: taking pays.

    One parcel is a good firm at a cost of 10 billion.
    """
    cost = np.full(9, 1e6 + 1e4)
    cost[4] = 1e10
    problem = grid_problem(3, 3, benefit=np.full(9, 1e6), cost=cost, targets=(Target("P1", 0, -1, 0.0, 80.0, 2_000.0),))
    result = choose(full_pool(problem))
    assert result.blocks is not None
    assert plan_worth(problem, result.blocks) == pytest.approx(-80_000.0)


def test_huge_stretch_price_is_still_solved() -> None:
    """A stretch price that dwarfs all worths makes the stretch a floor: all nine parcels are taken."""
    problem = grid_problem(3, 3, targets=(Target("P1", 0, -1, 0.0, 90.0, 1e9),))
    result = choose(full_pool(problem))
    assert result.optimal
    assert result.blocks is not None
    assert sum(len(b.parcels) for b in result.blocks) == 9
