"""Resources whose amounts have both signs and count in many periods, by hand: trivial, out of reach, binding."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from planner.errors import InfeasibleError
from planner.optimise import solve
from planner.optimise.presolve import without_fixed
from planner.problem import Block, Mode, Phase, Problem, Resource, Target
from tests.planner.optimise.by_hand import STOP, TWO, best, how, out_of_reach, sets, taken
from tests.planner.optimise.instances import grid_problem

THREE = (*TWO, Phase("P3", 3, 1.0))
COST = np.array([0.0, 2.0, 4.0])


def running(n_periods: int, n_phases: int, *lags: int) -> np.ndarray:
    """Part l counts from `lags[l]` periods after the block's phase on, whatever the mode."""
    start = np.arange(n_phases)[:, None] + np.array(lags)[None, :]
    return (np.arange(n_periods)[:, None, None] >= start[None]).astype(float)[:, :, None, :]


def town(limit: float, phases: tuple[Phase, ...], **changes: object) -> Problem:
    """Row worth 10, 8, 6; for each parcel the town pays 3 in the block's year and gets 5 two years later.

    It may never be more than `limit` behind; years go on two beyond the last phase.
    """
    years = len(phases) + 2
    gap = Resource(
        "gap of the town",
        "CNY",
        np.tile([3.0, -5.0], (3, 1, 1)),
        (limit,) * years,
        tuple(f"end of year {y + 1}" for y in range(years)),
        running(years, len(phases), 0, 2),
    )
    return grid_problem(3, 1, cost=COST, phases=phases, resources=(gap,), **changes)


def test_gap_trivial() -> None:
    best(town(9.0, TWO), 24.0)


def test_gap_binds_on_the_running_sum() -> None:
    """4 behind at most: of two years only one parcel, for its 3 are still out in the second; none with less than 3."""
    assert taken(best(town(4.0, TWO), 10.0)) == [0]
    assert sets(best(town(2.9, TWO), 0.0)) == []


def test_income_pays_for_later_blocks() -> None:
    """One parcel in year 1 brings 5 in year 3: 3 − 5 + 3 + 3 = 4, so the other two fit there, but not with 3.9."""
    plan = best(town(4.0, THREE), 24.0)
    assert sorted(t for t, _ in how(plan).values()) == [0, 2, 2]
    assert len(taken(best(town(3.9, THREE), 18.0))) == 2


def test_gap_out_of_reach() -> None:
    out_of_reach(town(4.0, TWO, targets=(Target("P2", 1, -1, 30.0),)), r"at most 10\.00 mu .* 30\.00 mu")


def decanting(**changes: object) -> Problem:
    """Row worth 10, 8, 6; each parcel displaces 7 m², parcel 0 makes 14 m² a phase later, 7 m² stand elsewhere."""
    use = np.array([[[7.0, -14.0]], [[7.0, 0.0]], [[7.0, 0.0]]])
    space = Resource("decant", "m²", use, (7.0, 7.0), timing=running(2, 2, 0, 1))
    return grid_problem(3, 1, cost=COST, phases=TWO, resources=(space,), **changes)


def test_what_a_block_makes_is_used_by_others() -> None:
    """Parcel 0 first, then all three fit. Where it opens in P2 only, one parcel fits at all."""
    assert how(best(decanting(), 24.0)) == {0: (0, 0), 1: (1, 0), 2: (1, 0)}
    assert taken(best(decanting(earliest=np.array([1, 0, 0])), 10.0)) == [0]


def test_periods_without_names_are_the_phases() -> None:
    """14 m² too many by P2: the fault says so."""
    problem = decanting()
    assert problem.resources[0].period(1, problem.phases) == "P2"
    assert problem.resources[0].period_in_words(1, problem.phases) == "phase P2"


def test_parts_and_modes_have_their_own_timing() -> None:
    """Mode A pays 5 in its phase, mode B 2 in P1 whatever the phase, and 4 in P2; 6 in each, as often as may be.

    A in P1 (5) and A in P2 (5) fit; B takes 2 and 4 and leaves room for nothing but itself once. Worth 10, 8, 6 by A,
    half of it by B: A twice, 18.
    """
    use = np.zeros((3, 2, 2))
    use[:, 0, 0], use[:, 1] = 5.0, (2.0, 4.0)
    timing = np.zeros((2, 2, 2, 2))
    timing[0, 0, 0, 0] = timing[1, 1, 0, 0] = 1.0
    timing[0, :, 1, 0] = timing[1, :, 1, 1] = 1.0
    money = Resource("money", "CNY", use, (6.0, 6.0), ("first", "second"), timing)
    worth = np.array([10.0, 8.0, 6.0])
    problem = grid_problem(
        3, 1, phases=TWO, modes=(Mode("A"), Mode("B")), mode_benefit=np.stack([worth, worth / 2], axis=1),
        resources=(money,),
    )  # fmt: skip
    assert sorted(how(best(problem, 18.0)).values()) == [(0, 0), (1, 0)]
    only_b = replace(problem, mode_open=np.tile([False, True], (3, 1)))
    assert taken(best(only_b, 5.0)) == [0]


# limits below nothing ---------------------------------------------------------------------------------------------


def owing(limit: float, **changes: object) -> Problem:
    """Row worth −1, 8, 6: parcel 0 brings 6, the others take 1 each."""
    use = np.array([-6.0, 1.0, 1.0])[:, None, None]
    fund = Resource("fund", "CNY", use, (limit,), ("year 1",), np.ones((1, 1, 1, 1)))
    return grid_problem(3, 1, **({"cost": np.array([11.0, 2.0, 4.0]), "resources": (fund,)} | changes))


def test_a_limit_below_nothing_trivial_and_binding() -> None:
    """No limit to speak of: 1 and 2 for 14. At least 4 must come in: all, 13. At least 5: parcel 0 and one other, 7."""
    assert taken(best(owing(2.0), 14.0)) == [1, 2]
    assert taken(best(owing(-4.0), 13.0)) == [0, 1, 2]
    assert taken(best(owing(-5.0), 7.0)) == [0, 1]


def test_a_limit_below_nothing_out_of_reach() -> None:
    out_of_reach(owing(-7.0), "no set of blocks keeps all limits")
    with pytest.raises(
        InfeasibleError, match=r"fund, year 1: blocks must bring 7\.00 CNY, they can bring 6\.00 at most"
    ):
        solve(owing(-7.0), STOP, enumerate_small=False)


def test_a_limit_below_nothing_without_land() -> None:
    """Nothing may be taken, and nothing is not enough."""
    with pytest.raises(InfeasibleError):
        solve(owing(-1.0, selectable=np.zeros(3, dtype=bool)), STOP)


def test_a_problem_of_one_block_keeps_it_too() -> None:
    """One connected block: {0} brings 6 (worth −1), {0, 1} 5 (worth 7), {0, 1, 2} 4 (worth 13)."""
    one = (Phase("P1", 1, 1.0, None, 1),)
    assert taken(best(owing(-4.0, phases=one), 13.0)) == [0, 1, 2]
    assert taken(best(owing(-4.5, phases=one), 7.0)) == [0, 1]
    out_of_reach(owing(-6.5, phases=one), "no set of blocks keeps all limits", search_proves=False)


# fixed blocks -----------------------------------------------------------------------------------------------------


def test_what_fixed_blocks_lack_others_may_bring() -> None:
    """Parcel 1 stands and takes 5 of 3; parcel 0, worth −1, gives back 4: −1 + 8, and parcel 2 takes the last 1: 13."""
    use = np.array([-4.0, 5.0, 1.0])[:, None, None]
    fund = Resource("fund", "CNY", use, (3.0,), ("year 1",), np.ones((1, 1, 1, 1)))
    problem = owing(0.0, resources=(fund,), fixed=(Block((1,), 0),))
    assert taken(best(problem, 13.0)) == [0, 1, 2]
    left = without_fixed(problem).problem.resources[0]
    assert left.limits == (-2.0,)
    assert left.tolerance(0) == fund.tolerance(0)
    out_of_reach(replace(problem, resources=(replace(fund, limits=(0.5,)),)), "no set of blocks keeps all limits")


def test_fixed_blocks_alone_break_what_nothing_gives_back() -> None:
    use = np.array([4.0, 5.0, 1.0])[:, None, None]
    fund = Resource("fund", "CNY", use, (3.0,), ("year 1",), np.ones((1, 1, 1, 1)))
    with pytest.raises(InfeasibleError, match=r"Year 1: the fixed blocks alone take 5\.00 CNY of fund, the limit is 3"):
        solve(owing(0.0, resources=(fund,), fixed=(Block((1,), 0),)), STOP)


def test_fixed_income_leaves_the_tolerance_as_it_was() -> None:
    """A fixed block brings a million; 0.4 above a limit of nothing is above it all the same."""
    use = np.array([-1e6, 1e6 + 0.4, 1e6 - 0.4])[:, None, None]
    fund = Resource("fund", "CNY", use, (0.0,), ("year 1",), np.ones((1, 1, 1, 1)))
    problem = owing(0.0, resources=(fund,), fixed=(Block((0,), 0),))
    assert taken(best(problem, -1.0 + 6.0)) == [0, 2]


def test_budgets_may_be_filled_up_by_income() -> None:
    """Parcel 1 stands and costs 12 of 10, parcel 0 brings 5: without it there is no plan. Benefit 10 each."""
    problem = grid_problem(
        3, 1, cost=np.array([-5.0, 12.0, 3.5]), phases=(Phase("P1", 1, 1.0, 10.0),), fixed=(Block((1,), 0),)
    )  # fmt: skip
    assert taken(best(problem, 13.0)) == [0, 1]
    closed = replace(problem, selectable=np.array([False, True, True]))
    out_of_reach(closed, "no set of blocks keeps all limits")


def test_sums_that_cancel_are_no_fault() -> None:
    """What goes out comes back in three thirds: whatever the order of adding up, the sum is nothing."""
    n = 9
    use = np.repeat(np.array([1.0, -1.0 / 3, -1.0 / 3, -1.0 / 3])[None, None, :], n, axis=0)
    use = use * (np.arange(1, n + 1) * 1.1e9)[:, None, None]
    fund = Resource("fund", "CNY", use, (0.0,), ("end",), np.ones((1, 1, 1, 4)))
    best(grid_problem(3, 3, resources=(fund,)), 90.0)
