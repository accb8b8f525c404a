"""Milestones and phases of unequal length, by hand: trivial, out of reach, binding."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from planner.problem import Mode, Phase, Problem, Target
from tests.planner.optimise.by_hand import best, how, out_of_reach, sets, taken
from tests.planner.optimise.instances import grid_problem

DEMOLISHED, ACCEPTED = 0, 1
PHASES = (Phase("P1", 2025, 1.0), Phase("P2", 2030, 0.5), Phase("P3", 2031, 0.25))
CLEAR = Mode("clear", done=((0, 1, 3), (1, 3, 3)))
"""Demolished in its phase, but in the short P3 not in time; accepted a phase later from P1, not in time from P2 on."""


def row(*targets: Target, **changes: object) -> Problem:
    """Three parcels at a loss of 4, less the later."""
    given = {"cost": np.full(3, 14.0), "phases": PHASES, "modes": (CLEAR,), "targets": targets}
    return grid_problem(3, 1, **(given | changes))


def test_trivial() -> None:
    assert sets(best(row(Target("x", 1, -1, 0.0, milestone=ACCEPTED)), 0.0)) == []


def test_the_milestone_says_when_a_block_counts() -> None:
    """10 mu demolished by P2: a block in P2, for 2. Accepted by P2: a block in P1, for 4."""
    assert how(best(row(Target("x", 1, -1, 10.0)), -2.0)).popitem()[1] == (1, 0)
    assert how(best(row(Target("x", 1, -1, 10.0, milestone=ACCEPTED)), -4.0)).popitem()[1] == (0, 0)


def test_what_is_done_after_the_last_phase_counts_for_nothing() -> None:
    """In P3 a parcel would cost 1, but it is demolished too late: P2, for 2."""
    assert how(best(row(Target("x", 2, -1, 10.0)), -2.0)).popitem()[1] == (1, 0)


def test_targets_of_both_milestones() -> None:
    """10 mu accepted and 20 mu demolished by P2: one in P1, one in P2, −4 − 2."""
    targets = (Target("accepted", 1, -1, 10.0, milestone=ACCEPTED), Target("demolished", 1, -1, 20.0))
    assert sorted(how(best(row(*targets), -6.0)).values()) == [(0, 0), (1, 0)]


def test_out_of_reach() -> None:
    """Nothing is accepted by P1."""
    out_of_reach(row(Target("x", 0, -1, 10.0, milestone=ACCEPTED)), r"at most 0\.00 mu .* 10\.00 mu")


def test_ceilings_and_projects_count_by_milestone() -> None:
    """Gain of 4 each in P1: at most 10 mu demolished by P1 leaves two for P2 at 2 each. At most one project accepted
    by P2 leaves the same; demolished counts all the same."""
    gain = {"cost": np.full(3, 6.0)}
    best(row(Target("x", 0, -1, 0.0, ceiling=10.0), **gain), 8.0)
    best(row(Target("x", 1, -1, 0.0, ceiling=10.0, milestone=ACCEPTED), **gain), 8.0)
    single = gain | {"block_max_mu": 10.0}
    best(row(Target("x", 1, -1, 0.0, ceiling=1.0, measure="blocks", milestone=ACCEPTED), **single), 8.0)
    best(row(Target("x", 0, -1, 3.0, measure="blocks"), **single), 12.0)


def test_stretch_counts_by_milestone() -> None:
    """10 mu accepted by P2 are wished at 0.3 a mu: −4 is more than the 3 that missing them costs; at 0.5 it is less."""
    wish = Target("x", 1, -1, 0.0, 10.0, 0.3, milestone=ACCEPTED)
    assert sets(best(row(wish), -3.0)) == []
    assert taken(best(row(replace(wish, stretch_price=0.5)), -4.0)) != []


@pytest.mark.parametrize(("asked", "mode"), [(10.0, 1), (9.0, 0)])
def test_modes_reach_it_in_different_phases(asked: float, mode: int) -> None:
    """Floor area by P2: slow gives 9 m² and ends in P3 from P2, quick gives 5 m² by its phase, 10 m² want two of them.

    In P2 two quick ones cost 4; in P1 one slow one costs 4 too, and is not enough for 10.
    """
    modes = (Mode("slow", done=((1, 2, 3),)), Mode("quick"))
    problem = row(
        Target("x", 1, -1, asked, measure="floor_m2"),
        mode_floor_m2=np.tile([9.0, 5.0], (3, 1)),
        mode_cost=np.tile([13.5, 14.0], (3, 1)),
    )
    plan = best(replace(problem, modes=modes), -4.0 if mode else -3.5)
    assert {m for _, m in how(plan).values()} == {mode}
