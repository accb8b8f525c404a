"""Ways to redevelop a block, by hand: a block picks one; value, cost, duration, consent and permission by mode."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from planner.problem import BlockRule, Mode, Phase, Problem, Target
from tests.planner.optimise.by_hand import FADING, TWO, best, how, out_of_reach, sets
from tests.planner.optimise.instances import grid_problem

N = 2


def two_modes(duration: int = 0, **changes: object) -> Problem:
    """Row of two; mode keep is worth 5 at once, mode renew 10 after `duration` phases."""
    values = {
        "modes": (Mode("keep"), Mode("renew", duration)),
        "mode_benefit": np.array([[5.0, 10.0]] * N),
        "mode_cost": np.zeros((N, 2)),
    }
    return grid_problem(N, 1, **(values | changes))


def test_modes_trivial() -> None:
    """Two modes that are the same, and one mode with arrays of its own."""
    best(two_modes(mode_benefit=None, mode_cost=None), 20.0)
    best(grid_problem(2, 1, mode_benefit=np.full((2, 1), 7.0), mode_cost=np.full((2, 1), 1.0)), 12.0)


def test_mode_of_most_value_or_least_cost() -> None:
    assert set(how(best(two_modes(), 20.0)).values()) == {(0, 1)}
    dear = two_modes(mode_cost=np.array([[1.0, 7.0]] * N))
    assert set(how(best(dear, 8.0)).values()) == {(0, 0)}


def test_a_block_picks_one_mode() -> None:
    """Worth 10 and 4 in one mode, 4 and 10 in the other: apart 20, as one block of 20 mu only 14."""
    problem = two_modes(mode_benefit=np.array([[10.0, 4.0], [4.0, 10.0]]))
    assert how(best(problem, 20.0)) == {0: (0, 0), 1: (0, 1)}
    assert len(best(replace(problem, block_min_mu=20.0), 14.0).blocks) == 1


def test_budget_counts_the_cost_of_the_mode() -> None:
    """Keep costs 1 and leaves 5, renew costs 8 and leaves 10: 16 buys both renewed, 9 one of each."""
    problem = two_modes(mode_benefit=np.array([[6.0, 18.0]] * N), mode_cost=np.array([[1.0, 8.0]] * N))
    best(replace(problem, phases=(Phase("P1", 1, 1.0, 16.0),)), 20.0)
    assert sorted(how(best(replace(problem, phases=(Phase("P1", 1, 1.0, 9.0),)), 15.0)).values()) == [(0, 0), (0, 1)]


# duration ---------------------------------------------------------------------------------------------------------


def test_duration_trivial() -> None:
    """Nothing is asked for, or late enough: both renewed."""
    best(two_modes(1, phases=TWO), 20.0)
    assert {t for t, _ in how(best(two_modes(1, phases=TWO, targets=(Target("P2", 1, -1, 20.0),)), 20.0)).values()} == {
        0
    }


def test_duration_binds() -> None:
    """10 mu by P1: renewing takes until P2, so one parcel is kept: 5 + 10."""
    problem = two_modes(1, phases=TWO, targets=(Target("P1", 0, -1, 10.0),))
    assert sorted(m for _, m in how(best(problem, 15.0)).values()) == [0, 1]


def test_done_after_the_last_phase_counts_for_nothing() -> None:
    """20 mu by P2, the second parcel opens in P2: renewed it would be done too late, so it is kept."""
    problem = two_modes(1, phases=TWO, earliest=np.array([0, 1]), targets=(Target("P2", 1, -1, 20.0),))
    assert how(best(problem, 15.0)) == {0: (0, 1), 1: (1, 0)}


def test_duration_delays_ceilings_and_stretches() -> None:
    """At most 10 mu by P1: what is still being renewed does not count. A stretch of P1 sees only what is done."""
    capped = two_modes(1, phases=FADING, targets=(Target("P1", 0, -1, 0.0, ceiling=10.0),))
    assert set(how(best(capped, 20.0)).values()) == {(0, 1)}
    wished = two_modes(1, phases=FADING, targets=(Target("P1", 0, -1, 0.0, 20.0, 0.6),))
    assert set(how(best(wished, 10.0)).values()) == {(0, 0)}, "keeping loses 5 and saves 6 for each"


def test_duration_out_of_reach() -> None:
    problem = two_modes(1, phases=TWO, targets=(Target("P1", 0, -1, 10.0),), mode_open=np.array([[False, True]] * N))
    out_of_reach(problem, r"target P1: at most 0\.00 mu .* 10\.00 mu")


# consent and permission -------------------------------------------------------------------------------------------


def consent(least: float, modes: tuple[int, ...] | None, **changes: object) -> Problem:
    """Only the first parcel has consented."""
    rule = BlockRule("consent", "mu", np.array([10.0, 0.0]), least, np.full(N, 10.0), modes)
    return two_modes(block_rules=(rule,), **changes)


def test_consent_trivial() -> None:
    best(consent(0.0, None), 20.0)
    assert sets(best(consent(0.5, (1,)), 20.0)) == [((0, 1), 0)]


def test_consent_binds_its_mode_only() -> None:
    """All must consent to renewing: the first is renewed, the second kept. Asked for every mode: the first alone."""
    assert how(best(consent(1.0, (1,)), 15.0)) == {0: (0, 1), 1: (0, 0)}
    assert how(best(consent(1.0, None), 10.0)) == {0: (0, 1)}


def test_consent_out_of_reach() -> None:
    problem = consent(1.0, None, targets=(Target("P1", 0, -1, 20.0),))
    out_of_reach(problem, r"at most 10\.00 mu .* 20\.00 mu", search_proves=False)


def test_allowed_modes_bind() -> None:
    """The second parcel may not be renewed: two blocks for 15, or as one block of 20 mu both kept, 10."""
    problem = two_modes(mode_open=np.array([[True, True], [True, False]]))
    assert how(best(problem, 15.0)) == {0: (0, 1), 1: (0, 0)}
    assert how(best(replace(problem, block_min_mu=20.0), 10.0)) == {0: (0, 0), 1: (0, 0)}


def test_modes_that_never_meet_make_no_block() -> None:
    """One parcel may only be kept, the other only renewed; blocks of 20 mu need both: nothing."""
    problem = two_modes(mode_open=np.array([[True, False], [False, True]]), block_min_mu=20.0)
    assert sets(best(problem, 0.0)) == []


def test_allowed_modes_out_of_reach() -> None:
    closed = np.array([[False, False], [True, True]])
    locked = two_modes(mode_open=closed, lock_by=np.array([0, -1]))
    out_of_reach(locked, "p000: without a mode that it allows, and locked in")
    asked = two_modes(mode_open=closed, targets=(Target("P1", 0, -1, 20.0),))
    out_of_reach(asked, r"at most 10\.00 mu .* 20\.00 mu")


def test_floor_area_goes_by_mode() -> None:
    """Kept a parcel gives 300 m², renewed none: 300 m² asked for, one is kept; 600 m²: both."""
    area = np.array([[300.0, 0.0]] * N)
    for asked, worth in ((0.0, 20.0), (300.0, 15.0), (600.0, 10.0)):
        goal = Target("P1", 0, -1, asked, measure="floor_m2")
        best(two_modes(mode_floor_m2=area, targets=(goal,)), worth)
    too_much = two_modes(mode_floor_m2=area, targets=(Target("P1", 0, -1, 601.0, measure="floor_m2"),))
    error = out_of_reach(too_much, r"at most 600\.00 m² .* 601\.00 m²")
    assert error.shortfalls[0].proven_max_mu == pytest.approx(600.0, abs=1e-4)
