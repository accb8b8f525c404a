"""One rule at a time on tiny grids whose best plan is worked out by hand: trivial, out of reach, binding.

Unless said otherwise a parcel is a square of 10 mu, 400 m around, worth 10, and any size of block will do. Every case
is solved twice: with all blocks listed, and by the search and the bound alone.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from planner.errors import InfeasibleError, NoPlanInTimeError
from planner.optimise import Stop, solve
from planner.problem import Phase, Plan, Problem, Target
from tests.planner.optimise.brute import Brute, faults, plan_worth
from tests.planner.optimise.instances import grid_problem

TWO = (Phase("P1", 1, 1.0), Phase("P2", 2, 1.0))
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
    assert listed.status == "optimal"
    return listed


def sets(plan: Plan) -> list[tuple[tuple[int, ...], int]]:
    return [(b.parcels, b.phase) for b in plan.blocks]


def taken(plan: Plan) -> list[int]:
    return sorted(i for b in plan.blocks for i in b.parcels)


def out_of_reach(problem: Problem, words: str, *, search_proves: bool = True) -> InfeasibleError:
    """The error with all blocks listed; the search proves it too, or at least finds no plan."""
    assert not Brute(problem).truth().feasible, "the hand is wrong"
    with pytest.raises(InfeasibleError if search_proves else (InfeasibleError, NoPlanInTimeError)):
        solve(problem, STOP, enumerate_small=False)
    with pytest.raises(InfeasibleError, match=words) as caught:
        solve(problem, STOP)
    return caught.value


# objective --------------------------------------------------------------------------------------------------------


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


# floors and stretches ---------------------------------------------------------------------------------------------


def test_floor_trivial() -> None:
    best(grid_problem(3, 1, targets=(Target("P1", 0, -1, 25.0),)), 30.0)


def test_floor_out_of_reach() -> None:
    """All land is 30 mu."""
    error = out_of_reach(grid_problem(3, 1, targets=(Target("P1", 0, -1, 31.0),)), r"at most 30\.00 mu .* 31\.00 mu")
    assert error.shortfalls[0].proven_max_mu == pytest.approx(30.0, abs=1e-5)


def test_floor_binds() -> None:
    """Worth −1, −2, −3: a floor of 20 mu forces the two cheapest: −3. Without it nothing is taken."""
    problem = grid_problem(3, 1, cost=np.array([11.0, 12.0, 13.0]), targets=(Target("P1", 0, -1, 20.0),))
    assert taken(best(problem, -3.0)) == [0, 1]


def test_floors_are_cumulative() -> None:
    """10 mu by P1, 20 by P2, worth −1, −2, −3: one parcel each; what is taken in P1 counts again in P2."""
    targets = (Target("P1", 0, -1, 10.0), Target("P2", 1, -1, 20.0))
    problem = grid_problem(3, 1, cost=np.array([11.0, 12.0, 13.0]), phases=TWO, targets=targets)
    assert taken(best(problem, -3.0)) == [0, 1]


def test_zone_floor_trivial_and_binding() -> None:
    """Worth 5, 5 in no zone and −1, −4 in zone A: a floor of 10 mu in A costs 1, of 20 mu it costs 5."""
    problem = grid_problem(
        4, 1, cost=np.array([5.0, 5.0, 11.0, 14.0]), zones=("A",), zone=np.array([-1, -1, 0, 0]),
        targets=(Target("A", 0, 0, 10.0),),
    )  # fmt: skip
    assert taken(best(problem, 9.0)) == [0, 1, 2]
    assert taken(best(replace(problem, targets=(Target("A", 0, 0, 20.0),)), 5.0)) == [0, 1, 2, 3]


def test_zone_floor_out_of_reach() -> None:
    problem = grid_problem(3, 1, zones=("A",), zone=np.array([-1, 0, 0]), targets=(Target("in A", 0, 0, 21.0),))
    out_of_reach(problem, r"target in A: at most 20\.00 mu .* 21\.00 mu")


def test_stretch_is_bought_when_cheap() -> None:
    """Worth −3 for 10 mu, stretch of 10 mu at 0.2 a mu: missing it costs 2, so it is missed; at 0.4 it is taken."""
    problem = grid_problem(1, 1, cost=np.full(1, 13.0), targets=(Target("P1", 0, -1, 0.0, 10.0),), stretch_per_mu=0.2)
    assert sets(best(problem, -2.0)) == []
    assert sets(best(replace(problem, stretch_per_mu=0.4), -3.0)) == [((0,), 0)]


# block sizes and contiguity ---------------------------------------------------------------------------------------


def test_least_size_trivial_and_binding() -> None:
    """Row worth 10, −4, 10: blocks of 30 mu: all three, 16. Without the limit the ends alone, 20."""
    problem = grid_problem(3, 1, cost=np.array([0.0, 14.0, 0.0]))
    assert taken(best(problem, 20.0)) == [0, 2]
    assert sets(best(replace(problem, block_min_mu=30.0), 16.0)) == [((0, 1, 2), 0)]


def test_least_size_out_of_reach() -> None:
    """Two pieces of 20 mu and a floor: no block of 25 mu exists, nothing can be reached."""
    problem = grid_problem(
        5, 1, selectable=np.arange(5) != 2, block_min_mu=25.0, targets=(Target("P1", 0, -1, 10.0),)
    )  # fmt: skip
    out_of_reach(problem, r"at most 0\.00 mu .* 10\.00 mu")


def test_largest_size_binds() -> None:
    """Row of four, 0.01 a metre, blocks up to 20 mu: two pairs, 40 − 2·6 = 28 (one block would be 40 − 10 = 30)."""
    problem = grid_problem(4, 1, perimeter_per_m=0.01)
    assert len(best(problem, 30.0).blocks) == 1
    assert sets(best(replace(problem, block_max_mu=20.0), 28.0)) == [((0, 1), 0), ((2, 3), 0)]


def test_window_of_sizes_out_of_reach() -> None:
    """Parcels of 10 mu, blocks of 12 to 18 mu: no sum fits."""
    problem = grid_problem(3, 1, block_min_mu=12.0, block_max_mu=18.0, targets=(Target("P1", 0, -1, 12.0),))
    out_of_reach(problem, r"at most 0\.00 mu .* 12\.00 mu", search_proves=False)


def test_contiguity_binds() -> None:
    """3×3, only the four corners pay (worth 10, others −8), blocks of 30 mu: corner-edge-corner is worth 12.

    Two opposite sides give 24; the ring of eight gives 40 − 32 = 8; L through three corners 30 − 16 = 14.
    """
    cost = np.full(9, 18.0)
    cost[[0, 2, 6, 8]] = 0.0
    plan = best(grid_problem(3, 3, cost=cost, block_min_mu=30.0), 24.0)
    assert [len(b.parcels) for b in plan.blocks] == [3, 3]


def test_barrier_cuts_a_block() -> None:
    """2×2 without the contacts between columns: blocks of 20 mu are the two columns."""
    problem = grid_problem(2, 2, block_min_mu=20.0)
    keep = problem.pairs[:, 1] - problem.pairs[:, 0] == 2
    problem = replace(problem, pairs=problem.pairs[keep], shared_m=problem.shared_m[keep])
    assert sets(best(problem, 40.0)) == [((0, 2), 0), ((1, 3), 0)]


def test_link_joins_but_saves_nothing() -> None:
    """Two parcels 8 m apart: blocks of 20 mu exist only over the link, with both boundaries in full: 20 − 8 = 12."""
    problem = grid_problem(2, 1, block_min_mu=20.0, perimeter_per_m=0.01)
    linked = replace(
        problem, pairs=problem.pairs[:0], shared_m=np.empty(0), link_pairs=problem.pairs, gap_m=np.full(1, 8.0)
    )
    assert sets(best(linked, 12.0)) == [((0, 1), 0)]
    assert sets(best(problem, 14.0)) == [((0, 1), 0)]


# zones ------------------------------------------------------------------------------------------------------------


def test_within_zone_trivial_and_binding() -> None:
    """Row, zones A A B B with 0.01 a metre: one block across 40 − 10 = 30, one in each zone 40 − 12 = 28."""
    problem = grid_problem(
        4, 1, zones=("A", "B"), zone=np.array([0, 0, 1, 1]), within_zone=True, perimeter_per_m=0.01
    )  # fmt: skip
    assert sets(best(problem, 28.0)) == [((0, 1), 0), ((2, 3), 0)]
    assert len(best(replace(problem, within_zone=False), 30.0).blocks) == 1


def test_no_zone_counts_as_one_zone() -> None:
    """Row, zones –, –, A: the two without a zone may share a block, not with A."""
    problem = grid_problem(3, 1, zones=("A",), zone=np.array([-1, -1, 0]), within_zone=True, block_min_mu=20.0)
    assert sets(best(problem, 20.0)) == [((0, 1), 0)]


def test_within_zone_out_of_reach() -> None:
    """Zones alternate, blocks of 20 mu: none exists."""
    problem = grid_problem(
        4, 1, zones=("A", "B"), zone=np.array([0, 1, 0, 1]), within_zone=True, block_min_mu=20.0,
        targets=(Target("P1", 0, -1, 20.0),),
    )  # fmt: skip
    out_of_reach(problem, r"at most 0\.00 mu .* 20\.00 mu")


# filler -----------------------------------------------------------------------------------------------------------


def with_filler(share: float, **changes: object) -> Problem:
    """A row of three, the middle one remnant land without benefit that costs 1."""
    return grid_problem(
        3,
        1,
        benefit=np.array([10.0, 0.0, 10.0]),
        cost=np.array([0.0, 1.0, 0.0]),
        filler=np.array([False, True, False]),
        filler_max_share=share,
        **changes,
    )


def test_filler_trivial() -> None:
    """It costs and brings nothing: left out."""
    assert taken(best(with_filler(1.0), 20.0)) == [0, 2]


def test_filler_bridges_up_to_its_share() -> None:
    """Blocks of 20 mu: a third of 30 mu may be filler (19), with less nothing can be built."""
    assert sets(best(with_filler(1 / 3, block_min_mu=20.0), 19.0)) == [((0, 1, 2), 0)]
    assert sets(best(with_filler(0.3, block_min_mu=20.0), 0.0)) == []


def test_filler_counts_for_targets() -> None:
    assert taken(best(with_filler(0.5, targets=(Target("P1", 0, -1, 30.0),)), 19.0)) == [0, 1, 2]


def test_filler_alone_is_no_block() -> None:
    """A floor of 30 mu with a share of 0.3: at most 20 mu of candidates and no filler."""
    problem = with_filler(0.3, targets=(Target("P1", 0, -1, 30.0),))
    out_of_reach(problem, r"at most 20\.00 mu .* 30\.00 mu", search_proves=False)


# availability -----------------------------------------------------------------------------------------------------


def test_excluded_parcel_is_never_taken() -> None:
    problem = grid_problem(3, 1, selectable=np.array([True, False, True]))
    assert taken(best(problem, 20.0)) == [0, 2]
    out_of_reach(replace(problem, targets=(Target("P1", 0, -1, 21.0),)), r"at most 20\.00 mu .* 21\.00 mu")


def test_gate_delays() -> None:
    """Discount 1 then 0.5: parcel 1 opens in P2 and is worth 5 there, parcel 0 is taken at once: 15."""
    phases = (Phase("P1", 1, 1.0), Phase("P2", 2, 0.5))
    problem = grid_problem(2, 1, phases=phases, earliest=np.array([0, 1]))
    assert sets(best(problem, 15.0)) == [((0,), 0), ((1,), 1)]
    assert sets(best(replace(problem, earliest=np.array([0, 2])), 10.0)) == [((0,), 0)]


def test_gate_makes_a_block_wait() -> None:
    """Blocks of 20 mu: both wait for P2: 10. A floor in P1 cannot be met."""
    phases = (Phase("P1", 1, 1.0), Phase("P2", 2, 0.5))
    problem = grid_problem(2, 1, phases=phases, earliest=np.array([0, 1]), block_min_mu=20.0)
    assert sets(best(problem, 10.0)) == [((0, 1), 1)]
    out_of_reach(replace(problem, targets=(Target("P1", 0, -1, 1.0),)), r"target P1: at most 0\.00 mu .* 1\.00 mu")


def test_lock_trivial_and_binding() -> None:
    """Worth 10, −7: a lock on the second costs 7; a lock on the first nothing."""
    problem = grid_problem(2, 1, cost=np.array([0.0, 17.0]), lock_by=np.array([0, -1]))
    assert taken(best(problem, 10.0)) == [0]
    assert taken(best(replace(problem, lock_by=np.array([-1, 0])), 3.0)) == [0, 1]


def test_lock_has_a_phase() -> None:
    """Losses are cheaper later (0.5), but the lock is for P1; a lock by P2 leaves the choice."""
    phases = (Phase("P1", 1, 1.0), Phase("P2", 2, 0.5))
    problem = grid_problem(1, 1, cost=np.full(1, 14.0), phases=phases, lock_by=np.zeros(1, dtype=np.int64))
    assert sets(best(problem, -4.0)) == [((0,), 0)]
    assert sets(best(replace(problem, lock_by=np.ones(1, dtype=np.int64)), -2.0)) == [((0,), 1)]


def test_lock_out_of_reach() -> None:
    problem = grid_problem(3, 1, selectable=np.array([True, False, True]), lock_by=np.array([-1, 0, -1]))
    out_of_reach(problem, r"parcel p001: excluded or ineligible, and locked in")


def test_two_locks_that_exclude_each_other() -> None:
    """Both ends of a row locked, one block, at most 20 mu: no plan, though each lock alone is fine."""
    problem = grid_problem(
        3, 1, lock_by=np.array([0, -1, 0]), phases=(Phase("P1", 1, 1.0, None, 1),), block_max_mu=20.0
    )  # fmt: skip
    out_of_reach(problem, "locks", search_proves=False)


# budgets and numbers of blocks ------------------------------------------------------------------------------------


def test_budget_trivial_and_binding() -> None:
    """Cost 4, 5, 6, benefit 10: all for 15; a budget of 11 buys 4 + 6 or 5 + 6 or 4 + 5: the last pair, 11."""
    problem = grid_problem(3, 1, cost=np.array([4.0, 5.0, 6.0]), phases=(Phase("P1", 1, 1.0, 15.0),))
    assert taken(best(problem, 15.0)) == [0, 1, 2]
    assert taken(best(replace(problem, phases=(Phase("P1", 1, 1.0, 11.0),)), 11.0)) == [0, 1]


def test_budget_is_not_discounted() -> None:
    """Discount 0.5, cost 8, budget 5: half of 8 would fit, 8 does not."""
    problem = grid_problem(1, 1, cost=np.full(1, 8.0), phases=(Phase("P1", 1, 0.5, 5.0),))
    assert sets(best(problem, 0.0)) == []


def test_budget_spreads_over_phases() -> None:
    """Two parcels at 5, budget 5 in each phase: one each, 5 + 5·0.5."""
    problem = grid_problem(
        2, 1, cost=np.full(2, 5.0), phases=(Phase("P1", 1, 1.0, 5.0), Phase("P2", 2, 0.5, 5.0))
    )  # fmt: skip
    assert {t for _, t in sets(best(problem, 7.5))} == {0, 1}


def test_budget_out_of_reach() -> None:
    """20 mu cost 10, the budget is 9: 10 mu are the most; the linear bound may say up to 18."""
    problem = grid_problem(
        2, 1, cost=np.full(2, 5.0), phases=(Phase("P1", 1, 1.0, 9.0),), targets=(Target("P1", 0, -1, 20.0),)
    )  # fmt: skip
    error = out_of_reach(problem, r"at most 10\.00 mu .* 20\.00 mu")
    assert error.shortfalls[0].proven_max_mu == pytest.approx(10.0, abs=1e-5)


def test_budget_of_nothing() -> None:
    """Only what is free: the first parcel."""
    problem = grid_problem(2, 1, cost=np.array([0.0, 3.0]), phases=(Phase("P1", 1, 1.0, 0.0),))
    assert taken(best(problem, 10.0)) == [0]


def test_number_of_blocks_trivial_and_binding() -> None:
    """Row worth 10, −12, 10, −12, 10: three blocks 30, two blocks 20, one block 10, none 0."""
    problem = grid_problem(5, 1, cost=np.array([0.0, 22.0, 0.0, 22.0, 0.0]))
    for most, worth in ((3, 30.0), (2, 20.0), (1, 10.0), (0, 0.0)):
        assert len(best(replace(problem, phases=(Phase("P1", 1, 1.0, None, most),)), worth).blocks) == most


def test_number_of_blocks_is_per_phase() -> None:
    """The same row, one block a phase, two phases of equal worth: 20."""
    phases = tuple(replace(p, max_blocks=1) for p in TWO)
    problem = grid_problem(5, 1, cost=np.array([0.0, 22.0, 0.0, 22.0, 0.0]), phases=phases)
    assert sorted(t for _, t in sets(best(problem, 20.0))) == [0, 1]


def test_number_of_blocks_out_of_reach() -> None:
    """Two blocks of at most 10 mu in a row of three: 20 of 30 mu."""
    problem = grid_problem(
        3, 1, phases=(Phase("P1", 1, 1.0, None, 2),), block_max_mu=10.0, targets=(Target("P1", 0, -1, 30.0),)
    )  # fmt: skip
    out_of_reach(problem, r"at most 20\.00 mu .* 30\.00 mu")


# nothing to do, and numbers at the edge ---------------------------------------------------------------------------


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
    problem = grid_problem(3, 3, cost=cost, targets=(Target("P1", 0, -1, 0.0, 80.0),), stretch_per_mu=1.0)
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
    problem = grid_problem(3, 3, targets=(Target("P1", 0, -1, 0.0, 90.0),), stretch_per_mu=1e9)
    assert len(taken(best(problem, 90.0))) == 9
