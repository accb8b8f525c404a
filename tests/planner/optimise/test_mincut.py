"""Minimum cuts at prices: a valid bound, rounded upward, that gets better."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from planner.optimise.formulation import Relaxation
from planner.optimise.lagrangian import Lagrangian, without_cuts
from planner.optimise.mincut import MinimumCut, cut_bounds
from planner.optimise.presolve import without_fixed
from planner.problem import Target
from tests.planner.optimise.instances import grid_problem
from tests.planner.optimise.support import instance, prepared, truth_of


def lagrangian_of(relaxation: Relaxation) -> Lagrangian:
    return Lagrangian(relaxation, relaxation.plan_goal(), without_cuts(relaxation))


@pytest.mark.parametrize("kind", ["random", "planted", "rich", "signed"])
@pytest.mark.parametrize("seed", range(60))
def test_never_below_the_best_plan(kind: str, seed: int) -> None:
    truth = truth_of(kind, seed)
    if not truth.feasible:
        return
    constant = without_fixed(instance(kind, seed)).constant
    lagrangian = lagrangian_of(Relaxation(*prepared(instance(kind, seed))))
    told = list(cut_bounds(lagrangian))
    assert all(a[0] > b[0] and a[1] < b[1] for a, b in itertools.pairwise(told))
    assert all(bound + constant >= truth.optimum - 1e-9 * max(1.0, abs(truth.optimum)) for bound, _ in told)
    rng, cut = np.random.default_rng(seed), MinimumCut(lagrangian)
    for _ in range(5):
        drawn = rng.normal(size=len(lagrangian.lo)) * lagrangian.money
        bound, _ = cut.bound(np.clip(drawn, lagrangian.y_min, lagrangian.y_max))
        assert bound + constant >= truth.optimum - 1e-9 * max(1.0, abs(truth.optimum))


def test_by_hand() -> None:
    """Worths 6, −8, −8, 6 in a row, 4 saved at each contact: all four bring −4 + 12 = 8 but the sum of single ones 12.

    A ceiling of 20 mu at a price of 0.3 a mu leaves 3, −11, −11, 3: the two ends, 6, and 6 for the ceiling.
    """
    problem = grid_problem(
        4,
        1,
        cost=np.array([0.0, 14.0, 14.0, 0.0]),
        perimeter_m=np.full(4, 400.0),
        perimeter_per_m=0.01,
        benefit=np.full(4, 10.0),
        shared_m=np.full(3, 200.0),
        targets=(Target("P1", 0, -1, 0.0, ceiling=20.0),),
        block_max_mu=40.0,
    )
    lagrangian = lagrangian_of(Relaxation(*prepared(problem)))
    cut = MinimumCut(lagrangian)
    assert cut.bound(np.zeros(1))[0] == pytest.approx(12.0, rel=1e-5)
    bound, amount = cut.bound(np.array([3.0]))  # the row is divided by 10 mu
    assert bound == pytest.approx(12.0, rel=1e-5)
    assert amount == pytest.approx([2.0])


def test_boundaries_count_whole() -> None:
    """Worths 6 and −4, 5 saved between them: together 7, which halves (8.5 and −1.5) would call 8.5."""
    problem = grid_problem(
        2, 1, cost=np.array([0.0, 10.0]), perimeter_per_m=0.01, shared_m=np.array([250.0]), block_max_mu=20.0
    )
    lagrangian = lagrangian_of(Relaxation(*prepared(problem)))
    assert MinimumCut(lagrangian).bound(np.zeros(0))[0] == pytest.approx(7.0, rel=1e-5)
    assert lagrangian.bound(lagrangian.start())[0] == pytest.approx(8.5)
