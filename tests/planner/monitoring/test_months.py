"""Months as numbers."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from planner.monitoring.months import Calendar, is_month, month_text, serial


@given(st.integers(1900, 2999), st.integers(1, 12))
def test_months_are_written_as_they_are_read(year: int, month: int) -> None:
    text = f"{year}-{month:02d}"
    assert month_text(serial(text)) == text
    assert is_month(text)


def test_differences_are_months() -> None:
    assert serial("2026-03") - serial("2025-11") == 4
    assert serial("1-01") - serial("0-07") == 6


@pytest.mark.parametrize("text", ["2026-13", "2026-00", "26-03", "2026-3", "2026", "", "2026-03-01"])
def test_what_is_no_month(text: str) -> None:
    assert not is_month(text)


def test_a_plan_that_counts_from_its_start_gets_its_calendar() -> None:
    calendar = Calendar(serial("2024-07"))
    assert month_text(calendar.month("1-01")) == "2024-07"
    assert month_text(calendar.month("2-06")) == "2025-12"
    assert month_text(calendar.month("0-07")) == "2024-01"
    assert month_text(calendar.end_of(1)) == "2025-06"
    assert month_text(calendar.end_of(0)) == "2024-06"
    assert month_text(calendar.end_of(1.5)) == "2025-12"


def test_calendar_years_end_in_december() -> None:
    assert month_text(Calendar().end_of(2026)) == "2026-12"
    assert month_text(Calendar().month("2026-03")) == "2026-03"
