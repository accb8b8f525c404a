"""Slips and forecasts of single projects, worked out by hand."""

from hypothesis import given
from hypothesis import strategies as st

from planner.monitoring.entries import Entry
from planner.monitoring.months import month_text, serial
from planner.monitoring.slips import next_step, slip_of, steps_of
from planner.spec_modes import MILESTONES

PLANNED = {"launched": serial("2026-01"), "signed": serial("2026-04"), "levelled": serial("2026-10")}


def slips(entry: Entry | None, at: str) -> dict[str, int | None]:
    return {step.milestone: step.slip for step in steps_of(PLANNED, entry, serial(at))}


def forecasts(entry: Entry | None, at: str) -> dict[str, str | None]:
    steps = steps_of(PLANNED, entry, serial(at))
    return {s.milestone: None if s.forecast is None else month_text(s.forecast) for s in steps}


def test_a_month_that_is_not_over_is_no_slip() -> None:
    assert slips(None, "2026-01") == {"launched": None, "signed": None, "levelled": None}
    assert slips(None, "2026-02") == {"launched": 1, "signed": None, "levelled": None}


def test_what_is_reached_late_moves_what_is_to_come() -> None:
    entry = Entry("c", "running", {"launched": "2026-03"})
    assert slips(entry, "2026-04") == {"launched": 2, "signed": None, "levelled": None}
    assert forecasts(entry, "2026-04") == {"launched": "2026-03", "signed": "2026-06", "levelled": "2026-12"}


def test_the_largest_slip_counts() -> None:
    entry = Entry("c", "running", {"launched": "2026-03"})
    assert slips(entry, "2026-09") == {"launched": 2, "signed": 5, "levelled": None}
    assert forecasts(entry, "2026-09")["levelled"] == "2027-03"


def test_being_early_is_not_carried_on() -> None:
    entry = Entry("c", "running", {"launched": "2025-11"})
    assert slips(entry, "2026-02")["launched"] == -2
    assert forecasts(entry, "2026-02")["signed"] == "2026-04"
    assert slip_of(steps_of(PLANNED, entry, serial("2026-02"))) == 0


def test_a_milestone_behind_a_later_one_is_passed_without_a_slip() -> None:
    entry = Entry("c", "running", {"signed": "2026-04"})
    launched, signed, levelled = steps_of(PLANNED, entry, serial("2026-08"))
    assert (launched.passed, launched.slip, launched.forecast) == (True, None, None)
    assert (signed.passed, signed.slip) == (True, 0)
    assert next_step((launched, signed, levelled)) == levelled


def test_done_closes_all_up_to_acceptance_and_follows_nothing_after_it() -> None:
    steps = steps_of({**PLANNED, "built": serial("2026-12")}, Entry("c", "done"), serial("2027-06"))
    assert [(s.passed, s.slip, s.forecast) for s in steps] == [(True, None, None)] * 3 + [(False, None, None)]


def test_a_month_of_a_milestone_that_is_not_planned_is_kept() -> None:
    entry = Entry("c", "running", {"launched": "2026-01", "demolished": "2026-07"})
    found = {s.milestone: s for s in steps_of(PLANNED, entry, serial("2026-08"))}
    assert found["demolished"].planned is None
    assert found["demolished"].slip is None
    assert found["demolished"].reached == serial("2026-07")


@given(
    st.lists(st.integers(0, 30), min_size=8, max_size=8),
    st.integers(0, 8),
    st.integers(-6, 12),
    st.integers(0, 60),
)
def test_forecasts_lie_neither_before_the_plan_nor_before_the_report(
    gaps: list[int], n_reached: int, shift: int, at: int
) -> None:
    start = serial("2026-01")
    planned = {m: start + sum(gaps[: k + 1]) for k, m in enumerate(MILESTONES)}
    reached = {m: month_text(planned[m] + shift) for m in MILESTONES[:n_reached]}
    steps = steps_of(planned, Entry("c", "running", reached), start + at)
    months = [s.forecast for s in steps if not s.passed]
    assert months == sorted(months)
    for step in steps:
        if not step.passed:
            assert step.forecast is not None and step.planned is not None
            assert step.forecast == step.planned + slip_of(steps)
            assert step.forecast >= start + at or step.planned >= start + at
