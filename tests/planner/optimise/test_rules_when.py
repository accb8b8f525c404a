"""Which land, when: exclusion, gates, locks and fixed blocks by hand."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from planner.problem import Block, Phase, Resource, Target
from tests.planner.optimise.by_hand import FADING, TWO, best, out_of_reach, sets, taken
from tests.planner.optimise.instances import grid_problem


def test_excluded_parcel_is_never_taken() -> None:
    problem = grid_problem(3, 1, selectable=np.array([True, False, True]))
    assert taken(best(problem, 20.0)) == [0, 2]
    out_of_reach(replace(problem, targets=(Target("P1", 0, -1, 21.0),)), r"at most 20\.00 mu .* 21\.00 mu")


def test_gate_delays() -> None:
    """Discount 1 then 0.5: parcel 1 opens in P2 and is worth 5 there, parcel 0 is taken at once: 15."""
    problem = grid_problem(2, 1, phases=FADING, earliest=np.array([0, 1]))
    assert sets(best(problem, 15.0)) == [((0,), 0), ((1,), 1)]
    assert sets(best(replace(problem, earliest=np.array([0, 2])), 10.0)) == [((0,), 0)]


def test_gate_makes_a_block_wait() -> None:
    """Blocks of 20 mu: both wait for P2: 10. A floor in P1 cannot be met."""
    problem = grid_problem(2, 1, phases=FADING, earliest=np.array([0, 1]), block_min_mu=20.0)
    assert sets(best(problem, 10.0)) == [((0, 1), 1)]
    out_of_reach(replace(problem, targets=(Target("P1", 0, -1, 1.0),)), r"target P1: at most 0\.00 mu .* 1\.00 mu")


def test_lock_trivial_and_binding() -> None:
    """Worth 10, −7: a lock on the second costs 7; a lock on the first nothing."""
    problem = grid_problem(2, 1, cost=np.array([0.0, 17.0]), lock_by=np.array([0, -1]))
    assert taken(best(problem, 10.0)) == [0]
    assert taken(best(replace(problem, lock_by=np.array([-1, 0])), 3.0)) == [0, 1]


def test_lock_has_a_phase() -> None:
    """Losses are cheaper later (0.5), but the lock is for P1; a lock by P2 leaves the choice."""
    problem = grid_problem(1, 1, cost=np.full(1, 14.0), phases=FADING, lock_by=np.zeros(1, dtype=np.int64))
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


# fixed blocks -----------------------------------------------------------------------------------------------------


def test_fixed_trivial() -> None:
    """It would be taken anyway."""
    plan = best(grid_problem(3, 1, fixed=(Block((0,), 0),)), 30.0)
    assert Block((0,), 0) in plan.blocks


def test_fixed_stands_at_a_loss() -> None:
    """Worth −5, 10, 10."""
    assert taken(best(grid_problem(3, 1, cost=np.array([15.0, 0.0, 0.0]), fixed=(Block((0,), 0),)), 15.0)) == [0, 1, 2]


def test_fixed_in_its_phase() -> None:
    """Worth 5 in P2, though 10 could be had in P1."""
    assert sets(best(grid_problem(1, 1, phases=FADING, fixed=(Block((0,), 1),)), 5.0)) == [((0,), 1)]


def test_fixed_counts_for_targets() -> None:
    """Worth −1, −2, −3; the third stands, a floor of 20 mu takes the first besides; a ceiling of 20 mu is met too."""
    problem = grid_problem(
        3, 1, cost=np.array([11.0, 12.0, 13.0]), fixed=(Block((2,), 0),),
        targets=(Target("P1", 0, -1, 20.0, ceiling=20.0),),
    )  # fmt: skip
    assert taken(best(problem, -4.0)) == [0, 2]


def test_fixed_meets_its_part_of_a_stretch() -> None:
    """Stretch of 20 mu at 0.2, 10 mu stand: 10 are missing, 2; another parcel would cost 3."""
    problem = grid_problem(
        2, 1, cost=np.array([10.0, 13.0]), fixed=(Block((0,), 0),), targets=(Target("P1", 0, -1, 0.0, 20.0, 0.2),)
    )
    assert taken(best(problem, -2.0)) == [0]


def test_fixed_uses_budget_resources_and_numbers() -> None:
    """Benefit 10, cost 4, 5, 6; the third stands and leaves 5 of the budget of 11: the first; worth 4 + 6."""
    fixed = (Block((2,), 0),)
    cost = np.array([4.0, 5.0, 6.0])
    problem = grid_problem(3, 1, cost=cost, fixed=fixed, phases=(Phase("P1", 1, 1.0, 11.0),))
    assert taken(best(problem, 10.0)) == [0, 2]
    decant = grid_problem(3, 1, cost=cost, fixed=fixed, resources=(Resource("decant", "m2", cost, (11.0,)),))
    assert taken(best(decant, 10.0)) == [0, 2]
    one = grid_problem(3, 1, fixed=fixed, phases=(Phase("P1", 1, 1.0, None, 1),))
    assert taken(best(one, 10.0)) == [2]


def test_fixed_keeps_no_rule_of_blocks_and_lends_no_land() -> None:
    """Blocks of 20 mu: the middle stands with 10 mu, and the ends cannot use it."""
    assert sets(best(grid_problem(3, 1, fixed=(Block((1,), 0),), block_min_mu=20.0), 10.0)) == [((1,), 0)]


def test_fixed_keeps_a_lock() -> None:
    problem = grid_problem(2, 1, fixed=(Block((0,), 0),), lock_by=np.array([0, -1]), phases=TWO)
    best(problem, 20.0)
    out_of_reach(replace(problem, fixed=(Block((0,), 1),)), "p000")


def test_fixed_out_of_reach() -> None:
    """One parcel stands, one is open: 20 mu of 30 in all. The figures are those of the targets asked for."""
    problem = grid_problem(
        3, 1, fixed=(Block((0,), 0),), selectable=np.array([True, True, False]), targets=(Target("P1", 0, -1, 30.0),)
    )  # fmt: skip
    error = out_of_reach(problem, r"at most 20\.00 mu .* 30\.00 mu")
    assert (error.shortfalls[0].target_mu, error.shortfalls[0].proven_max_mu) == (30.0, pytest.approx(20.0, abs=1e-5))


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"phases": (Phase("P1", 1, 1.0, 5.0),)}, r"Phase P1: the fixed blocks alone cost 6\.00.* 5\.00"),
        ({"phases": (Phase("P1", 1, 1.0, None, 0),)}, "Phase P1: 1 fixed blocks, at most 0"),
        (
            {"targets": (Target("air", 0, -1, 0.0, ceiling=9.0),)},
            r"air: the fixed blocks alone bring 10\.00 mu, at most 9\.00",
        ),
        ({"resources": (Resource("decant", "m2", np.full(2, 7.0), (6.0,)),)}, r"7\.00 m2 of decant.* 6\.00"),
    ],
    ids=["budget", "max_blocks", "ceiling", "resource"],
)
def test_fixed_alone_is_too_much(changes: dict[str, object], words: str) -> None:
    out_of_reach(grid_problem(2, 1, cost=np.full(2, 6.0), fixed=(Block((0,), 0),), **changes), words)
