"""Rolling contiguity by hand: what is taken in a zone is one area that only grows, or touches what existed."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from planner.problem import Block, Problem, Target
from tests.planner.optimise.by_hand import FADING, best, how, out_of_reach, sets, taken
from tests.planner.optimise.instances import grid_problem


def ends_pay(**changes: object) -> Problem:
    """Row worth 10, −12, 10, −12, 10: apart 30, as one area 10 (three of them 8, all five 6)."""
    return grid_problem(5, 1, cost=np.array([0.0, 22.0, 0.0, 22.0, 0.0]), **changes)


def test_rolling_trivial() -> None:
    """Everything hangs together, in one block or in two that touch."""
    best(grid_problem(2, 2, rolling=True), 40.0)
    assert len(best(grid_problem(4, 1, rolling=True, block_max_mu=20.0), 40.0).blocks) >= 2


def test_rolling_binds() -> None:
    best(ends_pay(), 30.0)
    assert len(taken(best(ends_pay(rolling=True), 10.0))) == 1


def test_rolling_holds_in_every_phase() -> None:
    """The middle opens in P2, at half the worth: free 10 + 10 + 5; rolling one end in P1, the rest after: 20."""
    problem = grid_problem(3, 1, phases=FADING, earliest=np.array([0, 1, 0]))
    best(problem, 25.0)
    plan = how(best(replace(problem, rolling=True), 20.0))
    assert sorted(t for t, _ in plan.values()) == [0, 1, 1]


def test_rolling_may_grow_into_one_area_from_two_blocks() -> None:
    """Blocks of at most 10 mu, row of three: all three in P1 touch; the order within a phase does not matter."""
    assert len(best(grid_problem(3, 1, rolling=True, block_max_mu=10.0), 30.0).blocks) == 3


def test_rolling_crosses_a_bridge() -> None:
    problem = grid_problem(2, 1, rolling=True)
    apart = replace(problem, pairs=problem.pairs[:0], shared_m=np.empty(0))
    best(apart, 10.0)
    best(replace(apart, link_pairs=problem.pairs, gap_m=np.full(1, 8.0)), 20.0)


def test_rolling_out_of_reach() -> None:
    """The middle is excluded: only one end can be taken, 10 of 20 mu; locks on both ends exclude each other."""
    problem = grid_problem(3, 1, rolling=True, selectable=np.arange(3) != 1)
    asked = replace(problem, targets=(Target("P1", 0, -1, 20.0),))
    out_of_reach(asked, r"at most 10\.00 mu .* 20\.00 mu", search_proves=False)
    out_of_reach(replace(problem, lock_by=np.array([0, -1, 0])), "locks", search_proves=False)


# zones ------------------------------------------------------------------------------------------------------------


def test_rolling_goes_by_zone() -> None:
    """Row worth 10, −12, −12, 10: in one zone 10, in two zones an end each, 20; no zone is a zone too."""
    cost = np.array([0.0, 22.0, 22.0, 0.0])
    best(grid_problem(4, 1, cost=cost, rolling=True), 10.0)
    best(grid_problem(4, 1, cost=cost, rolling=True, zones=("A", "B"), zone=np.array([0, 0, 1, 1])), 20.0)
    best(grid_problem(4, 1, cost=cost, rolling=True, zones=("A",), zone=np.array([0, 0, -1, -1])), 20.0)


def test_zones_may_start_in_different_phases() -> None:
    """Zone B opens in P2 only: A in P1 for 20, B in P2 for 10."""
    problem = grid_problem(
        4,
        1,
        phases=FADING,
        rolling=True,
        zones=("A", "B"),
        zone=np.array([0, 0, 1, 1]),
        earliest=np.array([0, 0, 1, 1]),
    )
    assert [t for t, _ in how(best(problem, 30.0)).values()] == [0, 0, 1, 1]


def test_land_of_another_zone_is_no_bridge() -> None:
    """Zones A, B, A in a row: the two of A never touch inside A, though one block could hold all three."""
    problem = grid_problem(3, 1, rolling=True, zones=("A", "B"), zone=np.array([0, 1, 0]))
    assert len(taken(best(problem, 20.0))) == 2


# what existed -----------------------------------------------------------------------------------------------------


def existing(*first: int) -> dict[str, object]:
    """Parcels that exist from a phase on (2 = never) and are out of the plan."""
    return {"existing_from": np.array(first), "selectable": np.array(first) == 2}


def test_existing_trivial() -> None:
    """Nothing exists: as without."""
    best(ends_pay(rolling=True, phases=FADING, **existing(2, 2, 2, 2, 2)), 10.0)


def test_existing_joins_what_is_taken() -> None:
    """Parcel 1 exists: 0 and 2 both touch it, 20; parcel 4 would need 3 (−12)."""
    assert taken(best(ends_pay(rolling=True, phases=FADING, **existing(2, 0, 2, 2, 2)), 20.0)) == [0, 2]


def test_existing_may_come_later() -> None:
    """Parcel 1 exists from P2: one of 0 and 2 in P1, the other in P2 at half the worth."""
    problem = ends_pay(rolling=True, phases=FADING, **existing(2, 1, 2, 2, 2))
    assert sorted(t for t, _ in how(best(problem, 15.0)).values()) == [0, 1]


def test_existing_must_be_touched() -> None:
    """Parcel 0 exists; parcel 2 (worth 10) only over parcel 1 (worth −5). Without the rule it stands alone."""
    problem = grid_problem(3, 1, cost=np.array([0.0, 15.0, 0.0]), phases=FADING, **existing(0, 2, 2))
    assert taken(best(problem, 10.0)) == [2]
    assert taken(best(replace(problem, rolling=True), 5.0)) == [1, 2]


def test_two_areas_may_grow_from_two_that_existed() -> None:
    """Row of five, the ends exist and 2 is excluded: 1 and 3 each touch one."""
    problem = grid_problem(5, 1, rolling=True, phases=FADING, **existing(0, 2, 2, 2, 0))
    problem = replace(problem, selectable=problem.selectable & (np.arange(5) != 2))
    assert taken(best(problem, 20.0)) == [1, 3]


def test_existing_out_of_reach() -> None:
    """Parcel 0 exists, parcel 1 is excluded: nothing can grow from it."""
    problem = grid_problem(3, 1, rolling=True, phases=FADING, **existing(0, 2, 2), targets=(Target("P2", 1, -1, 10.0),))
    problem = replace(problem, selectable=np.array([False, False, True]))
    out_of_reach(problem, r"at most 0\.00 mu .* 10\.00 mu", search_proves=False)


def test_fixed_block_is_grown_from() -> None:
    """Row of three, the first stands from P2 (5): parcel 2 alone would be loose then; with parcel 1 it is not.

    Parcel 1 worth 10: both in P1, 20 + 5. Worth −12: parcel 2 in P1, parcel 1 at half the loss in P2: 10 − 6 + 5.
    Worth −22: neither, 5; without the rule parcel 2 alone, 15.
    """
    problem = grid_problem(3, 1, rolling=True, phases=FADING, fixed=(Block((0,), 1),))
    assert {i: t for i, (t, _) in how(best(problem, 25.0)).items()} == {0: 1, 1: 0, 2: 0}
    later = best(replace(problem, cost=np.array([0.0, 22.0, 0.0])), 9.0)
    assert {i: t for i, (t, _) in how(later).items()} == {0: 1, 1: 1, 2: 0}
    dear = replace(problem, cost=np.array([0.0, 32.0, 0.0]))
    assert sets(best(dear, 5.0)) == [((0,), 1)]
    best(replace(dear, rolling=False), 15.0)
