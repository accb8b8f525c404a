"""Budgets, resources and numbers of blocks by phase, by hand: trivial, out of reach, binding."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from planner.problem import Phase, Problem, Resource, Target
from tests.planner.optimise.by_hand import TWO, best, out_of_reach, sets, taken
from tests.planner.optimise.instances import grid_problem


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


# resources --------------------------------------------------------------------------------------------------------


def decant(*limits: float | None, **changes: object) -> Problem:
    """Row worth 10, 8, 6; a parcel takes 7 m² of decant space."""
    return grid_problem(
        3, 1, cost=np.array([0.0, 2.0, 4.0]), resources=(Resource("decant", "m²", np.full(3, 7.0), limits),), **changes
    )


def test_resource_trivial_and_binding() -> None:
    """21 m² or no limit: all, 24. 20 m²: two, 18. 6 m²: none."""
    best(decant(21.0), 24.0)
    best(decant(None), 24.0)
    assert taken(best(decant(20.0), 18.0)) == [0, 1]
    assert taken(best(decant(6.0), 0.0)) == []


def test_resource_is_by_phase() -> None:
    """7 m² in P1, 7 m² in P2: one each."""
    assert sorted(t for _, t in sets(best(decant(7.0, 7.0, phases=TWO), 18.0))) == [0, 1]
    assert {t for _, t in sets(best(decant(0.0, None, phases=TWO), 24.0))} == {1}


def test_resource_out_of_reach() -> None:
    """14 m² hold two parcels of three; the linear bound says so too."""
    problem = decant(14.0, targets=(Target("P1", 0, -1, 30.0),))
    out_of_reach(problem, r"at most 20\.00 mu .* 30\.00 mu")


def test_resources_bind_one_by_one() -> None:
    """Space for two parcels, teams for one: one."""
    both = (
        Resource("decant", "m²", np.full(3, 7.0), (14.0,)),
        Resource("teams", "teams", np.array([2.0, 1.0, 1.0]), (1.0,)),
    )
    assert taken(best(grid_problem(3, 1, cost=np.array([0.0, 2.0, 4.0]), resources=both), 8.0)) == [1]
