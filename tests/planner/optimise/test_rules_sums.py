"""Sums and villages of blocks by hand: signed share, access, smallest site; trivial, out of reach, binding."""

from __future__ import annotations

import numpy as np

from planner.problem import BlockRule, Problem, Target
from tests.planner.optimise.by_hand import best, out_of_reach, sets, taken
from tests.planner.optimise.instances import grid_problem

# sums of blocks ---------------------------------------------------------------------------------------------------


def signed_row(least: float, **changes: object) -> Problem:
    """Row of three, only the first parcel signed; at least that share of a block must be."""
    rule = BlockRule("signed share", "mu", np.array([10.0, 0.0, 0.0]), least, np.full(3, 10.0))
    return grid_problem(3, 1, block_rules=(rule,), **changes)


def test_signed_share_trivial() -> None:
    best(signed_row(0.0), 30.0)


def test_signed_share_binds() -> None:
    """At a third the first carries both others, at a half one of them, at 0.51 none."""
    assert sets(best(signed_row(1 / 3), 30.0)) == [((0, 1, 2), 0)]
    assert sets(best(signed_row(0.5), 20.0)) == [((0, 1), 0)]
    assert sets(best(signed_row(0.51), 10.0)) == [((0,), 0)]


def test_signed_share_makes_a_loss_worth_it() -> None:
    """The signed parcel loses 4, and carries one that is worth 10."""
    assert sets(best(signed_row(0.5, cost=np.array([14.0, 0.0, 0.0])), 6.0)) == [((0, 1), 0)]


def test_signed_share_out_of_reach() -> None:
    problem = signed_row(0.5, targets=(Target("P1", 0, -1, 30.0),))
    out_of_reach(problem, r"at most 20\.00 mu .* 30\.00 mu", search_proves=False)


def access_row(least_m: float, **changes: object) -> Problem:
    """Row of three, only the middle one lies at a wide road, with 30 m."""
    rule = BlockRule("access", "m", np.array([0.0, 30.0, 0.0]), least_m)
    return grid_problem(3, 1, block_rules=(rule,), **changes)


def test_access_trivial() -> None:
    best(access_row(0.0, cost=np.array([0.0, 25.0, 0.0])), 20.0)


def test_access_binds() -> None:
    """The middle one loses 15: with the others behind it 5; without the rule the ends alone, 20."""
    assert sets(best(access_row(20.0, cost=np.array([0.0, 25.0, 0.0])), 5.0)) == [((0, 1, 2), 0)]


def test_access_out_of_reach() -> None:
    problem = access_row(31.0, targets=(Target("P1", 0, -1, 10.0),))
    out_of_reach(problem, r"at most 0\.00 mu .* 10\.00 mu", search_proves=False)


def smallest_site(least_mu: float, **changes: object) -> Problem:
    """Row worth 10, −4, 10, of which 5 mu each are usable."""
    rule = BlockRule("smallest site", "mu", np.full(3, 5.0), least_mu)
    return grid_problem(3, 1, cost=np.array([0.0, 14.0, 0.0]), block_rules=(rule,), **changes)


def test_smallest_site_trivial_and_binding() -> None:
    assert taken(best(smallest_site(5.0), 20.0)) == [0, 2]
    assert sets(best(smallest_site(10.0), 16.0)) == [((0, 1, 2), 0)]


def test_smallest_site_out_of_reach() -> None:
    problem = smallest_site(15.1, targets=(Target("P1", 0, -1, 10.0),))
    out_of_reach(problem, r"at most 0\.00 mu .* 10\.00 mu", search_proves=False)


# villages ---------------------------------------------------------------------------------------------------------


def village_row(village: list[int], most: int | None, **changes: object) -> Problem:
    """A row at 0.01 a metre in villages V and W."""
    n = len(village)
    return grid_problem(
        n, 1, perimeter_per_m=0.01, villages=("V", "W"), village=np.array(village), max_villages=most, **changes
    )


def test_villages_trivial() -> None:
    for most in (None, 2):
        assert len(best(village_row([0, 0, 1, 1], most), 30.0).blocks) == 1


def test_villages_bind() -> None:
    """One village a block: 40 − 12; land of no village joins either: 20 − 6 and 10 − 4."""
    assert sets(best(village_row([0, 0, 1, 1], 1), 28.0)) == [((0, 1), 0), ((2, 3), 0)]
    assert len(best(village_row([0, -1, 1], 1), 20.0).blocks) == 2


def test_villages_out_of_reach() -> None:
    problem = village_row([0, 1, 0, 1], 1, block_min_mu=20.0, targets=(Target("P1", 0, -1, 20.0),))
    out_of_reach(problem, r"at most 0\.00 mu .* 20\.00 mu", search_proves=False)
