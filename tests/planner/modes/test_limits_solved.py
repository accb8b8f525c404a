"""Limits on money in plans worked out by hand: trivial, out of reach, binding.

Rows of parcels of 10 mu worth 10, which count half in the second phase; phases of one year, launched at its beginning.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from planner.modes.limits import money_resources
from planner.modes.terms import MoneyLine
from planner.problem import Mode, Problem, Target
from tests.planner.modes.money_cases import line, modes_of, times
from tests.planner.optimise.by_hand import FADING, best, how, out_of_reach, taken
from tests.planner.optimise.instances import grid_problem


def row(lines: list[MoneyLine], *limits: dict[str, Any], n: int = 3, **changes: object) -> Problem:
    """Row of parcels with one mode."""
    open_ = np.ones((n, 1), dtype=np.bool_)
    resources = money_resources(modes_of(limits=limits), (tuple(lines),), times((1, 2)), ("P1", "P2"), open_)
    return grid_problem(n, 1, phases=FADING, resources=resources, **changes)


def outlays(first: float, second: float, **changes: object) -> Problem:
    """The town pays 4 for each parcel at the launch; what the city pays does not count."""
    lines = [line([4.0] * 3, 0, 0), line([50.0] * 3, 0, 0, payer="city")]
    return row(lines, {"party": "town", "outlay": {"P1": first, "P2": second}}, **changes)


def test_outlay_trivial_and_binding() -> None:
    """12 pay for all; 8 for two now and the third later; 8 and nothing later for two."""
    assert how(best(outlays(12.0, 0.0), 30.0)) == dict.fromkeys(range(3), (0, 0))
    plan = best(outlays(8.0, 4.0), 25.0)
    assert sorted(t for t, _ in how(plan).values()) == [0, 0, 1]
    assert len(taken(best(outlays(8.0, 0.0), 20.0))) == 2
    assert taken(best(outlays(3.9, 3.9), 0.0)) == []


def test_outlay_out_of_reach() -> None:
    """4 in each phase are 20 mu of 30."""
    out_of_reach(outlays(4.0, 4.0, targets=(Target("P2", 1, -1, 30.0),)), r"at most 20\.00 mu .* 30\.00 mu")


def test_what_is_paid_later_counts_in_the_later_phase() -> None:
    """8 from month 6 to 18: 4 in year 2 whichever phase the parcel is taken in, so 8 are two parcels, both at once."""
    problem = row([line([8.0] * 3, 6, 18)], {"party": "town", "outlay": {"P2": 8.0}})
    plan = best(problem, 20.0)
    assert [t for t, _ in how(plan).values()] == [0, 0]


def revolving(gap: float, **changes: object) -> Problem:
    """10 are paid for a parcel in the year of its launch, and come back in the next."""
    lines = [line([10.0] * 3, 6, 6), line([10.0] * 3, 18, 18, payer="developer", payee="town")]
    return row(lines, {"party": "town", "peak_gap": gap}, **changes)


@pytest.mark.parametrize(
    ("gap", "worth", "phases"), [(30.0, 30.0, [0, 0, 0]), (20.0, 25.0, [0, 0, 1]), (10.0, 15.0, [0, 1]), (9.0, 0.0, [])]
)
def test_the_gap_revolves(gap: float, worth: float, phases: list[int]) -> None:
    """What comes back in the second year pays for as much again."""
    assert sorted(t for t, _ in how(best(revolving(gap), worth)).values()) == phases


def test_gap_out_of_reach() -> None:
    """A gap of 10 is one parcel a year."""
    out_of_reach(revolving(10.0, targets=(Target("P1", 0, -1, 20.0),)), r"at most 10\.00 mu .* 20\.00 mu")
    out_of_reach(revolving(10.0, targets=(Target("P2", 1, -1, 30.0),)), r"at most 20\.00 mu .* 30\.00 mu")


def test_one_block_pays_for_another() -> None:
    """The first parcel takes 10 of the town, the second brings it 10 and loses 3: without a gap both or none."""
    costs, brings = line([10.0, 0.0], 6, 6), line([0.0, 10.0], 6, 6, payer="developer", payee="town")
    limit = {"party": "town", "peak_gap": 0.0}
    both = row([costs, brings], limit, n=2, cost=np.array([0.0, 13.0]))
    assert how(best(both, 7.0)) == {0: (0, 0), 1: (0, 0)}
    late = line([0.0, 10.0], 18, 18, payer="developer", payee="town")
    assert how(best(row([costs, late], limit, n=2, cost=np.array([0.0, 13.0])), 2.0)) == {1: (0, 0), 0: (1, 0)}


def test_the_mode_is_chosen_for_the_money() -> None:
    """Buying is worth 10 a parcel and takes 10 of the town, self-led 6 and nothing: a gap of 10 buys one of two."""
    lines = ((line([10.0, 10.0], 0, 0),), (line([10.0, 10.0], 0, 0, payer="owner", payee="outside", income=None),))
    limits = ({"party": "town", "peak_gap": 10.0}, {"party": "owner", "outlay": {"P1": 10.0, "P2": 0.0}})
    open_ = np.ones((2, 2), dtype=np.bool_)
    found = money_resources(modes_of(limits=limits), lines, times((1, 2), modes=2), ("P1", "P2"), open_)
    problem = grid_problem(
        2,
        1,
        phases=FADING,
        resources=found,
        modes=(Mode("buy"), Mode("self")),
        mode_benefit=np.array([[10.0, 6.0], [10.0, 6.0]]),
        mode_cost=np.zeros((2, 2)),
    )
    assert sorted(how(best(problem, 16.0)).values()) == [(0, 0), (0, 1)]
