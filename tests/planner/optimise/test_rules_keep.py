"""The price of changing the plan before, worked out by hand and against the truth."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from planner.errors import InfeasibleError, NoPlanInTimeError
from planner.optimise import Stop, solve
from planner.optimise.evaluate import block_faults, block_value, block_worth, objective
from planner.optimise.graph import build_graph
from planner.optimise.keeping import standing_blocks
from planner.optimise.options import make_options
from planner.optimise.presolve import usable_graph, without_fixed
from planner.optimise.search import Search
from planner.problem import Block, Mode, Phase, Problem, Target
from tests.planner.optimise.brute import Brute
from tests.planner.optimise.by_hand import FADING, STOP, TWO, best, how, out_of_reach, sets, taken
from tests.planner.optimise.instances import grid_problem
from tests.planner.optimise.keeping import kept_problem
from tests.planner.optimise.plain import plan_worth
from tests.planner.optimise.support import prepared
from tests.planner.optimise.test_brute_force import check_plan
from tests.planner.optimise.test_determinism import answer, shuffled

SEEDS = st.integers(0, 10_000)


def kept(width: int, height: int, price: float | list[float], *before: Block, **changes: Any) -> Problem:
    """A grid with a plan before."""
    n = width * height
    return grid_problem(width, height, before=before, change_price=np.full(n, price, dtype=float), **changes)


# ------------------------------------------------------------------------------------------------ by hand


@pytest.mark.parametrize(("price", "worth", "plan"), [(0.0, 10.0, [0]), (1.0, 8.0, [0]), (3.0, 5.0, [0, 1])])
def test_land_that_loses_is_kept_where_leaving_it_costs_more(price: float, worth: float, plan: list[int]) -> None:
    """Worths 10, −2, −2; 1 was in. Price 1: 10 − 1 for 0, −1 for 1 left. Price 3: 10 − 3 for 0, −2 for 1 kept."""
    problem = kept(3, 1, price, Block((1,), 0), cost=np.array([0.0, 12.0, 12.0]))
    assert taken(best(problem, worth)) == plan


@pytest.mark.parametrize(("price", "worth", "phase"), [(4.0, 6.0, 0), (6.0, 5.0, 1)])
def test_another_phase_is_a_change(price: float, worth: float, phase: int) -> None:
    """10 in P1, 5 in P2, where it was: moved up it is worth 10 − price."""
    assert sets(best(kept(1, 1, price, Block((0,), 1), phases=FADING), worth)) == [((0,), phase)]


@pytest.mark.parametrize(("price", "worth", "mode"), [(1.0, 9.0, 0), (3.0, 8.0, 1)])
def test_another_mode_is_a_change(price: float, worth: float, mode: int) -> None:
    """10 in one mode, 8 in the other, in which it was."""
    modes = {"modes": (Mode("clear"), Mode("keep")), "mode_benefit": np.array([[10.0, 8.0]])}
    assert how(best(kept(1, 1, price, Block((0,), 0, 1), **modes), worth)) == {0: (0, mode)}


def test_other_blocks_of_the_same_land_are_no_change() -> None:
    """2×2 at 0.01 a metre: before two blocks of two in P1; joined they are worth 40 − 8, and nothing is changed."""
    problem = kept(2, 2, 50.0, Block((0, 1), 0), Block((2, 3), 0), perimeter_per_m=0.01)
    assert sets(best(problem, 32.0)) == [((0, 1, 2, 3), 0)]


def test_land_that_is_closed_by_now_costs_its_price_whatever_the_plan() -> None:
    """Both were in, the second is locked out: 10 − 5."""
    problem = kept(2, 1, 5.0, Block((0, 1), 0), selectable=np.array([True, False]))
    plan = best(problem, 5.0)
    assert taken(plan) == [0]
    assert plan.gap_abs == pytest.approx(0.0)


def test_the_plan_before_may_break_every_rule() -> None:
    """It was in two pieces, of filler alone, too small, too early: none of that binds; 1 is taken anew for 10 − 2."""
    problem = kept(
        3, 1, 2.0, Block((0, 2), 0), filler=np.array([True, False, True]), earliest=np.array([1, 0, 1]),
        benefit=np.array([0.0, 10.0, 0.0]), phases=TWO, block_min_mu=10.0, filler_max_share=0.0,
    )  # fmt: skip
    assert taken(best(problem, 10.0 - 2.0 - 2 * 2.0)) == [1]


@pytest.mark.parametrize(
    ("before", "worth"),
    [([], 10 - 4 + 10 - 4), ([Block((0,), 0)], 10 + 10 - 4), ([Block((0,), 1)], 10 - 4 + 10 - 4)],
    ids=["new", "as before", "in another phase"],
)
def test_fixed_blocks_count_like_any_other(before: list[Block], worth: float) -> None:
    problem = kept(2, 1, 4.0, *before, fixed=(Block((0,), 0),), phases=TWO)
    assert taken(best(problem, worth)) == [0, 1]


def test_a_plan_of_nothing_pays_for_all_that_was() -> None:
    """Each loses 10 taken and costs 3 left: the empty plan, worth −6; a bound without the 6 would say 0."""
    plan = best(kept(2, 1, 3.0, Block((0, 1), 0), cost=np.full(2, 20.0)), -6.0)
    assert (plan.blocks, plan.status) == ((), "optimal")
    assert plan.bound == pytest.approx(-6.0)


def test_where_no_block_is_possible_the_price_is_told_too() -> None:
    plan = best(kept(2, 1, 3.0, Block((0,), 0), selectable=np.zeros(2, dtype=bool)), -3.0)
    assert (plan.objective, plan.bound, plan.gap) == (-3.0, -3.0, 0.0)


def test_a_stretch_is_weighed_against_changes() -> None:
    """1 lacks 10 mu of a stretch of 20 at 1 a mu; taking it is worth 10 − 12 + 10 − price."""
    aims = {"targets": (Target("P1", 0, -1, 10.0, 20.0, 1.0),), "cost": np.array([0.0, 12.0])}
    assert taken(best(kept(2, 1, 7.0, Block((0,), 0), **aims), 10.0 - 2.0 - 7.0)) == [0, 1]
    assert taken(best(kept(2, 1, 9.0, Block((0,), 0), **aims), 10.0 - 10.0)) == [0]


def test_a_huge_price_gives_back_the_plan_before() -> None:
    """3×3, every parcel worth 8 in P1 and 4 in P2: freely all go in P1; the plan before stands at a price of 1e9."""
    before = (Block((0, 1, 4), 1), Block((6, 7), 0))
    problem = kept(3, 3, 1e9, *before, cost=np.full(9, 2.0), phases=FADING, block_min_mu=20.0, block_max_mu=40.0)
    plan = solve(problem, STOP, enumerate_small=False)
    assert plan.objective == pytest.approx(3 * 4.0 + 2 * 8.0)
    assert sorted(plan.blocks, key=lambda b: b.parcels) == sorted(before, key=lambda b: b.parcels)
    free = solve(replace(problem, before=(), change_price=None), STOP)
    assert set(how(free).values()) == {(0, 0)}


def test_a_floor_that_rose_takes_the_fewest_changes() -> None:
    """Six in a row, 0 to 2 were in. 40 mu are asked: the best new parcel is 5 (9), but only 3 (1) joins the block.

    Two changes would be needed to give 4 and 5 a block of their own.
    """
    worth = {"benefit": np.array([5.0, 5, 5, 1, 8, 9]), "block_min_mu": 20.0, "targets": (Target("P1", 0, -1, 40.0),)}
    assert taken(best(kept(6, 1, 20.0, Block((0, 1, 2), 0), **worth), 16.0 - 20.0)) == [0, 1, 2, 3]
    assert taken(best(kept(6, 1, 0.5, Block((0, 1, 2), 0), **worth), 33.0 - 1.5)) == [0, 1, 2, 3, 4, 5]


def test_a_proof_that_there_is_no_plan_does_not_look_at_prices() -> None:
    out_of_reach(kept(2, 1, 5.0, Block((0,), 0), targets=(Target("P1", 0, -1, 30.0),)), "P1")


# ------------------------------------------------------------------------------------------------ against the truth


@settings(max_examples=50, deadline=None)
@given(SEEDS)
def test_listing_all_blocks_is_exact(seed: int) -> None:
    problem = kept_problem(seed)
    truth = Brute(problem).truth()
    try:
        plan = solve(problem, Stop(gap=0.0, work_limit=2, time_limit_s=600.0))
    except InfeasibleError:
        assert not truth.feasible
        return
    assert plan.status == "optimal"
    check_plan(problem, plan, truth)


@settings(max_examples=15, deadline=None)
@given(SEEDS)
def test_search_and_bound_enclose_the_truth(seed: int) -> None:
    problem = kept_problem(seed)
    truth = Brute(problem).truth()
    try:
        plan = solve(problem, STOP, enumerate_small=False)
    except InfeasibleError:
        assert not truth.feasible
        return
    except NoPlanInTimeError:
        return
    check_plan(problem, plan, truth)


@settings(max_examples=12, deadline=None)
@given(SEEDS, st.booleans())
def test_the_order_of_rows_changes_nothing(seed: int, listing: bool) -> None:
    problem = kept_problem(seed)
    assert answer(problem, STOP, listing=listing) == answer(shuffled(problem, seed), STOP, listing=listing)


@settings(max_examples=20, deadline=None)
@given(SEEDS)
def test_without_a_price_there_is_no_plan_before(seed: int) -> None:
    problem = kept_problem(seed)
    free = replace(problem, change_price=np.zeros(problem.n))
    assert answer(free, STOP) == answer(replace(problem, before=(), change_price=None), STOP)


@settings(max_examples=25, deadline=None)
@given(SEEDS)
def test_an_unchanged_problem_at_a_huge_price_keeps_its_plan(seed: int) -> None:
    problem = kept_problem(seed)
    free = replace(problem, before=(), change_price=None)
    try:
        plan = solve(free, STOP)
    except InfeasibleError:
        return
    again = solve(replace(free, before=plan.blocks, change_price=np.full(problem.n, 1e7)), STOP)
    assert how(again) == how(plan)
    assert again.objective == pytest.approx(plan.objective, abs=1e-6 * max(1.0, abs(plan.objective)))


@settings(max_examples=100, deadline=None)
@given(SEEDS)
def test_one_definition_of_worth(seed: int) -> None:
    """Whole and reduced problem, block by block and by option, tell the same of any set of blocks."""
    problem = kept_problem(seed)
    rng = np.random.default_rng(seed)
    order, blocks = rng.permutation(problem.n).tolist(), list(problem.fixed)
    order = [i for i in order if i not in {j for b in blocks for j in b.parcels}]
    for k in range(0, len(order) - 1, 2):
        phase, mode = int(rng.integers(len(problem.phases))), int(rng.integers(len(problem.modes)))
        blocks.append(Block(tuple(sorted(order[k : k + 2])), phase, mode))
    graph, options = build_graph(problem), make_options(problem)
    whole = objective(problem, graph, blocks)
    assert whole == pytest.approx(plan_worth(problem, blocks), rel=1e-9, abs=1e-6)
    for b in blocks:
        value = block_value(problem, graph, b.parcels, b.mode)
        net = options.net[list(b.parcels), options.of(b.phase, b.mode)].sum()
        assert block_worth(problem, value, b.phase) == pytest.approx(
            net - problem.perimeter_per_m * value.perimeter_m, rel=1e-9, abs=1e-6
        )
    try:
        reduced = without_fixed(problem)
    except InfeasibleError:
        return
    usable = usable_graph(problem)
    left = objective(reduced.problem, usable, [b for b in blocks if b not in problem.fixed])
    assert left + reduced.constant == pytest.approx(objective(problem, usable, blocks), rel=1e-9, abs=1e-6)


def test_parcels_left_out_of_a_part_cost_nothing_there() -> None:
    problem = kept(3, 1, 5.0, Block((0, 1), 0), Block((2,), 0), phases=(Phase("P1", 1, 1.0),))
    part, index = problem.subset(np.array([False, True, False]))
    assert (part.before, index.tolist()) == ((Block((0,), 0),), [1])
    assert part.left_before == -5.0
    assert problem.left_before == -15.0


# ---------------------------------------------------------------------------------------- where the search begins


def test_what_still_stands_of_the_plan_before() -> None:
    """Seven in a row, blocks of two: 1 was refused, so 0 is alone; of {2, 3, 4, 5} in P2, 3 opens too late for P1 only.

    The last block was in P1, in which 6 is not open.
    """
    before = (Block((0, 1), 0), Block((2, 3, 4, 5), 1), Block((6,), 0))
    problem = kept(
        7, 1, 1.0, *before, block_min_mu=20.0, phases=TWO, selectable=np.arange(7) != 1,
        earliest=np.array([0, 0, 0, 1, 0, 0, 1]),
    )  # fmt: skip
    assert standing_blocks(*prepared(problem)) == (Block((2, 3, 4, 5), 1),)
    split = replace(problem, selectable=~np.isin(np.arange(7), [1, 4]))
    assert standing_blocks(*prepared(split)) == (Block((2, 3), 1),)
    assert standing_blocks(*prepared(replace(problem, before=(), change_price=None))) == ()


def test_the_search_knows_the_plan_before_from_the_start() -> None:
    problem, graph, open_ = prepared(kept(3, 3, 4.0, Block((0, 1, 4), 0), Block((6, 7), 1), phases=TWO))
    search = Search(problem, graph, open_, 0, lambda: False)
    assert search.best_blocks == problem.before
    assert search.best_objective == pytest.approx(5 * 10.0 + 5 * 4.0)


@settings(max_examples=40, deadline=None)
@given(SEEDS)
def test_what_stands_keeps_the_rules_for_blocks(seed: int) -> None:
    problem = kept_problem(seed)
    try:
        land, graph, open_ = prepared(problem)
    except InfeasibleError:
        return
    was = {i: (b.phase, b.mode) for b in land.before for i in b.parcels}
    found = standing_blocks(land, graph, open_)
    assert [f for b in found for f in block_faults(land, graph, b, open_)] == []
    assert all(was[i] == (b.phase, b.mode) for b in found for i in b.parcels)
    assert len({i for b in found for i in b.parcels}) == sum(len(b.parcels) for b in found)
