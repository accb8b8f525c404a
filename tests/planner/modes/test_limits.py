"""Limits on money as resources: what a block takes in which period, and that the limit is the one of the payments."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from planner.errors import ConfigError
from planner.modes.balance import peak_gaps
from planner.modes.flows import payments
from planner.modes.limits import money_resources
from planner.modes.terms import Lines, MoneyLine, Timetable
from planner.problem import Block, Resource
from tests.planner.modes.money_cases import line, modes_of, times

PHASES = ("P1", "P2")


def resources(lines: Lines, timetable: Timetable, *limits: dict[str, Any], n: int = 1) -> tuple[Resource, ...]:
    open_ = np.ones((n, len(lines)), dtype=np.bool_)
    return money_resources(modes_of(limits=limits), lines, timetable, PHASES[: len(timetable.ends)], open_)


def taken(resource: Resource, blocks: Sequence[Block]) -> dict[str, float]:
    """What blocks take by period."""
    total = dict.fromkeys(resource.periods, 0.0)
    for block in blocks:
        for r, name in enumerate(resource.periods):
            by_parcel = resource.taken(r, np.array([block.phase]), np.array([block.mode]))[:, 0]
            total[name] += float(by_parcel[list(block.parcels)].sum())
    return total


def test_outlays_fall_into_the_phases_that_hold_their_years() -> None:
    """Phases end with years 1 and 3: years 2 and 3 are the second phase's."""
    paid = line([1200.0], 6, 30)  # 24 months: half a year in year 1, year 2, half a year in year 3
    back = line([5000.0], 0, 0, payer="developer", payee="town")  # receipts do not count
    spec = {"party": "town", "outlay": {"P1": 1.0, "P2": 2.0}}
    (found,) = resources(((paid, back),), times((1, 3)), spec)
    assert (found.name, found.unit, found.periods, found.limits) == ("outlay of town", "CNY", PHASES, (1.0, 2.0))
    assert taken(found, [Block((0,), 0)]) == pytest.approx({"P1": 300.0, "P2": 900.0})
    # launched at the end of year 1: half a year in each of years 2 and 4, of which 4 is in no phase
    assert taken(found, [Block((0,), 1)]) == pytest.approx({"P1": 0.0, "P2": 900.0})


def test_the_first_phase_takes_what_is_paid_before() -> None:
    early = Timetable(("a",), np.array([0.0]), np.array([3.0]), times((3,)).months)
    (found,) = resources(((line([10.0], 0, 0), line([7.0], 12, 12)),), early, {"party": "town", "outlay": {"P1": 5.0}})
    assert taken(found, [Block((0,), 0)]) == {"P1": 17.0}


def test_only_phases_with_a_limit_and_with_money_are_periods() -> None:
    late = line([10.0], 13, 13)  # of a block of P1 in year 2, of P2 in year 3
    timetable = times((1, 2))
    assert resources(((late,),), timetable, {"party": "town", "outlay": {"P1": 5.0}}) == ()
    (found,) = resources(((late,),), timetable, {"party": "town", "outlay": {"P1": 5.0, "P2": 6.0}})
    assert (found.periods, found.limits) == (("P2",), (6.0,))
    assert resources(((late,),), timetable, {"party": "city", "outlay": {"P1": 5.0}, "peak_gap": 0.0}) == ()


def test_the_gap_is_what_was_paid_so_far_less_what_came_in() -> None:
    """100 in year 1, 50 in year 2, 130 received in year 3, 40 paid in year 4."""
    lines = (
        (
            line([100.0], 6, 6),
            line([50.0], 18, 18),
            line([130.0], 30, 30, payer="developer", payee="town"),
            line([40.0], 42, 42),
        ),
    )
    (found,) = resources(lines, times((1,)), {"party": "town", "peak_gap": 140.0})
    assert found.name == "peak gap of town"
    assert taken(found, [Block((0,), 0)]) == {"2": 150.0, "4": 60.0}  # year 1 is below 2, and year 3 below it
    assert found.limits == (140.0, 140.0)


def test_a_quiet_year_between_payment_and_receipt_hides_no_gap() -> None:
    lines = ((line([100.0], 6, 6), line([100.0], 30, 30, payer="city", payee="town")),)
    (found,) = resources(lines, times((1,)), {"party": "town", "peak_gap": 1.0})
    assert taken(found, [Block((0,), 0)]) == {"1": 100.0}


def test_receipts_first_leave_only_the_end() -> None:
    lines = ((line([100.0], 0, 0, payer="city", payee="town"), line([80.0], 30, 30)),)
    (found,) = resources(lines, times((1,)), {"party": "town", "peak_gap": 0.0})
    assert taken(found, [Block((0,), 0)]) == {"3": -20.0}
    assert resources((lines[0][:1],), times((1,)), {"party": "town", "peak_gap": 0.0}) == ()


def test_payments_at_the_same_time_are_one_part() -> None:
    same = [line([float(k)], 6, 18) for k in range(1, 5)]
    other = [line([1.0], 6, 6), line([1.0], 6, 18, payer="city", payee="town"), line([0.0], 3, 3)]
    lines = ((*same, *other), (line([9.0], 1, 1),))
    (found,) = resources(lines, times((1,), modes=2), {"party": "town", "peak_gap": 5.0})
    assert found.use.shape == (1, 2, 3)
    assert sorted(found.use[0, 0].tolist()) == [-1.0, 1.0, 10.0]
    assert sorted(found.use[0, 1].tolist()) == [0.0, 0.0, 9.0]


def test_unknown_counts_nothing_where_the_mode_is_closed_and_is_refused_where_it_is_open() -> None:
    lines = ((line([np.nan, 4.0], 0, 0),),)
    modes = modes_of(limits=({"party": "town", "peak_gap": 5.0},))
    (found,) = money_resources(modes, lines, times((1,)), ("P1",), np.array([[False], [True]]), "USD")
    assert found.use[:, 0, 0].tolist() == [0.0, 4.0]
    assert found.unit == "USD"
    with pytest.raises(ValueError, match="unknown amounts"):
        money_resources(modes, lines, times((1,)), ("P1",), np.array([[True], [True]]))


def test_a_limit_for_no_phase_is_refused() -> None:
    with pytest.raises(ConfigError, match="P9"):
        resources(((line([1.0], 0, 0),),), times((1,)), {"party": "town", "outlay": {"P9": 1.0}})


AMOUNTS = st.lists(st.integers(0, 5_000), min_size=3, max_size=3).map(lambda cents: [c / 100 for c in cents])


@st.composite
def some_lines(draw: st.DrawFn) -> Lines:
    """Two modes of payments to and from the town."""

    def one() -> MoneyLine:
        first = draw(st.integers(0, 40))
        last = first + draw(st.sampled_from([0, 0, 6, 12, 24, 60]))
        parties = draw(st.sampled_from([("town", "owner"), ("developer", "town"), ("city", "town"), ("city", "owner")]))
        return line(draw(AMOUNTS), first, last, payer=parties[0], payee=parties[1])

    return tuple(tuple(one() for _ in range(draw(st.integers(0, 4)))) for _ in range(2))


BLOCKS = st.lists(
    st.builds(Block, st.sampled_from([(0,), (1,), (0, 2), (0, 1, 2)]), st.integers(0, 1), st.integers(0, 1)), max_size=4
)


@given(lines=some_lines(), blocks=BLOCKS, years=st.sampled_from([(1, 2), (1, 3), (2026, 2030)]))
@settings(max_examples=60, deadline=None)
def test_the_limits_are_those_of_the_payments(lines: Lines, blocks: list[Block], years: tuple[int, int]) -> None:
    """The most taken in any period is the peak gap, and what phases take are the outlays in their years."""
    timetable = times(years, modes=2)
    spec = {"party": "town", "outlay": {"P1": 1.0, "P2": 1.0}, "peak_gap": 1.0}
    found = {r.name: taken(r, blocks) for r in resources(lines, timetable, spec, n=3)}
    paid = payments(lines, timetable, blocks, [str(k) for k in range(len(blocks))])
    cent = 0.01 * (len(paid) + 1)  # each line of the table is rounded
    gap = float(peak_gaps(paid).set_index("party").loc["town", "peak_gap_yuan"])
    assert max([0.0, *found.get("peak gap of town", {}).values()]) == pytest.approx(gap, abs=cent)
    ours = paid[paid["payer"] == "town"]
    for phase, first, last in (("P1", -10_000, years[0]), ("P2", years[0], years[1])):
        outlay = ours[(ours["year"] > first) & (ours["year"] <= last)]["amount_cents"].sum() / 100
        assert found.get("outlay of town", {}).get(phase, 0.0) == pytest.approx(outlay, abs=cent)
