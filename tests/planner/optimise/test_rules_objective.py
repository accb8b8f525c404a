"""The objective, nothing to do, and numbers at the edge, worked out by hand."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from planner.optimise import solve
from planner.problem import Phase, Problem, Target
from tests.planner.optimise.by_hand import STOP, best, out_of_reach, sets, taken
from tests.planner.optimise.instances import grid_problem


def test_everything_that_pays_is_taken() -> None:
    """3×3, costs 0, 2, …, 16: worth 10, 8, …, −6; the first five pay (the sixth is worth 0): 10+8+6+4+2 = 30."""
    plan = best(grid_problem(3, 3, cost=np.arange(9) * 2.0), 30.0)
    assert set(taken(plan)) - {5} == {0, 1, 2, 3, 4}


def test_boundary_joins_blocks() -> None:
    """2×2 at 0.01 a metre: four squares 4·(10 − 4) = 24; joined 40 − 8 = 32."""
    assert sets(best(grid_problem(2, 2, perimeter_per_m=0.01), 32.0)) == [((0, 1, 2, 3), 0)]


def test_boundary_can_keep_a_hole_from_paying() -> None:
    """3×3 at 0.01 a metre, the middle costs 13 (worth −3): with it 80 − 3 − 12 = 65, without it 80 − 16 = 64."""
    cost = np.zeros(9)
    cost[4] = 13.0
    problem = grid_problem(3, 3, cost=cost, perimeter_per_m=0.01)
    assert sets(best(problem, 65.0)) == [(tuple(range(9)), 0)]
    cost[4] = 15.0  # with it 63, without it 64
    assert taken(best(replace(problem, cost=cost), 64.0)) == [0, 1, 2, 3, 5, 6, 7, 8]


def test_later_is_worth_less() -> None:
    """Discount 0.9 then 0.5: what pays goes first: 2·10·0.9 = 18; what costs and must be taken goes last."""
    phases = (Phase("P1", 1, 0.9), Phase("P2", 2, 0.5))
    assert {t for _, t in sets(best(grid_problem(2, 1, phases=phases), 18.0))} == {0}
    loss = grid_problem(2, 1, phases=phases, cost=np.full(2, 14.0), targets=(Target("P2", 1, -1, 20.0),))
    assert {t for _, t in sets(best(loss, -2 * 4 * 0.5))} == {1}


@pytest.mark.parametrize("floor", [None, 0.0])
def test_nothing_pays(floor: float | None) -> None:
    """Everything costs more than it brings and nothing is asked for: the empty plan, worth 0, gap undefined."""
    targets = () if floor is None else (Target("P1", 0, -1, floor),)
    plan = best(grid_problem(2, 2, cost=np.full(4, 20.0), targets=targets), 0.0)
    assert plan.blocks == ()
    assert plan.gap is None


def test_nothing_pays_is_settled_without_listing() -> None:
    """The bound is 0 but for the safety of its rounding: the empty plan is optimal, and no time is spent on more."""
    plan = solve(
        grid_problem(2, 2, cost=np.full(4, 20.0), targets=(Target("P1", 0, -1, 0.0),)), STOP, enumerate_small=False
    )
    assert plan.blocks == ()
    assert plan.status == "optimal"


def test_everything_excluded() -> None:
    problem = grid_problem(2, 2, selectable=np.zeros(4, dtype=bool))
    assert best(problem, 0.0).blocks == ()
    out_of_reach(replace(problem, targets=(Target("P1", 0, -1, 10.0),)), r"at most 0\.00 mu .* 10\.00 mu")


def test_no_worth_at_all_still_meets_the_floor() -> None:
    """All scores 0 and all costs 0: any two blocks of 30 to 40 mu that make 70 mu."""
    problem = grid_problem(
        3, 3, benefit=np.zeros(9), block_min_mu=30.0, block_max_mu=40.0, targets=(Target("P1", 0, -1, 70.0),)
    )  # fmt: skip
    assert len(taken(best(problem, 0.0))) >= 7


def test_one_parcel() -> None:
    assert sets(best(grid_problem(1, 1), 10.0)) == [((0,), 0)]


def test_sums_of_tenths() -> None:
    """Ten parcels of 0.1 mu make the 1 mu that a block needs, though 0.1 added ten times is 0.9999999999999999."""
    problem = grid_problem(
        10, 1, area_mu=np.full(10, 0.1), block_min_mu=1.0, block_max_mu=1.0, targets=(Target("P1", 0, -1, 1.0),)
    )  # fmt: skip
    assert sets(best(problem, 100.0)) == [(tuple(range(10)), 0)]


def rows_of_tenths() -> Problem:
    """Twelve rows of ten parcels of 0.1 mu; a row is a block of 1 mu; a budget that is a knapsack."""
    rng = np.random.default_rng(0)
    rows = 12
    worth = rng.integers(20, 60, rows) / 10.0
    cost = worth * rng.uniform(0.5, 1.5, rows)
    grid = grid_problem(10, rows)
    along = grid.pairs[:, 1] - grid.pairs[:, 0] == 1
    return replace(
        grid,
        pairs=grid.pairs[along],
        shared_m=grid.shared_m[along],
        area_mu=np.full(10 * rows, 0.1),
        benefit=np.repeat(worth + cost, 10),
        cost=np.repeat(cost, 10),
        block_min_mu=1.0,
        block_max_mu=1.0,
        phases=(Phase("P1", 1, 1.0, float(cost.sum() * 5)),),
    )


def test_optimal_is_said_only_of_the_best() -> None:
    """The knapsack of rows: best over all 2¹² choices of rows, each ten times its worth within the budget."""
    problem = rows_of_tenths()
    worth, cost = ((problem.benefit - problem.cost)[::10] * 10, problem.cost[::10] * 10)
    chosen = (np.arange(2**12)[:, None] >> np.arange(12)) & 1
    most = float((chosen @ worth)[chosen @ cost <= problem.phases[0].budget * (1 + 1e-6)].max())
    assert solve(problem, STOP).objective == pytest.approx(most)
    plan = solve(problem, STOP, enumerate_small=False)
    assert plan.bound >= most - 1e-6
    if plan.status == "optimal":
        assert plan.objective == pytest.approx(most)


def test_dear_parcel_does_not_blur_the_others() -> None:
    """3×3, worth −1 for 10 mu, stretch 80 at 1 a mu, the middle at 10⁹: the other eight, −8, not nothing at −80."""
    cost = np.full(9, 11.0)
    cost[4] = 1e9
    problem = grid_problem(3, 3, cost=cost, targets=(Target("P1", 0, -1, 0.0, 80.0, 1.0),))
    assert taken(best(problem, -8.0)) == [0, 1, 2, 3, 5, 6, 7, 8]


def test_dear_parcel_does_not_blur_the_bound() -> None:
    """Row worth 1, 1, 1, 1 at a cost of 10 each, budget 25: two parcels, 2; the relaxation buys two and a half, 2.5.

    A fifth parcel at 10⁹ that nobody takes must not loosen the bound, and a gap of 0.5 is not optimal.
    """
    problem = grid_problem(
        5,
        1,
        benefit=np.full(5, 11.0),
        cost=np.array([10.0, 10.0, 10.0, 10.0, 1e9]),
        phases=(Phase("P1", 1, 1.0, 25.0),),
    )
    plan = solve(problem, STOP, enumerate_small=False)
    assert plan.objective == pytest.approx(2.0)
    assert plan.bound == pytest.approx(2.5, abs=0.01)
    assert plan.status == "feasible"


def test_huge_stretch_price() -> None:
    """10⁹ a mu: as good as a floor."""
    problem = grid_problem(3, 3, targets=(Target("P1", 0, -1, 0.0, 90.0, 1e9),))
    assert len(taken(best(problem, 90.0))) == 9
