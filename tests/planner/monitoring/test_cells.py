"""Cells that people filled in."""

import datetime
import math
from typing import Any

import pytest

from planner.monitoring.cells import Cells


def cells(value: Any) -> Cells:
    return Cells("row 7", {} if value is None else {"a": value})


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, None),
        ("", None),
        ("  ", None),
        (0, 0.0),
        ("0", 0.0),
        (65.3, 65.3),
        ("65.3", 65.3),
        ("1,234.5", 1234.5),
    ],
)
def test_areas(value: Any, expected: float | None) -> None:
    row = cells(value)
    assert row.mu("a") == expected
    assert row.issues == []


@pytest.mark.parametrize(
    ("value", "found"),
    [
        ("65.3亩", "a number with its unit, '65.3亩'"),
        ("65 mu", "a number with its unit, '65 mu'"),
        ("4353 m²", "a number with its unit, '4353 m²'"),
        ("nearly all", "text, 'nearly all'"),
        ("#REF!", "text, '#REF!'"),
        ("1,23", "text, '1,23'"),
        (True, "text, 'True'"),
        (math.inf, "text, 'inf'"),
        (-1.5, "-1.5"),
    ],
)
def test_what_is_no_area(value: Any, found: str) -> None:
    row = cells(value)
    assert row.mu("a") is None
    assert [issue.found for issue in row.issues] == [found]
    assert row.issues[0].where == "row 7, column a"


@pytest.mark.parametrize(
    "value",
    ["2026-03", "2026-3", "2026/03", "2026.3", "2026年3月", "2026-03-31", datetime.datetime(2026, 3, 9)],
)
def test_months(value: Any) -> None:
    row = cells(value)
    assert row.month("a") == "2026-03"
    assert row.issues == []


@pytest.mark.parametrize("value", ["2026-13", "March 2026", 45000, "2026", "2026-02-30", "0026-03"])
def test_what_is_no_month(value: Any) -> None:
    row = cells(value)
    assert row.month("a") is None
    assert len(row.issues) == 1


@pytest.mark.parametrize(
    ("value", "day"),
    [
        ("2024-02", datetime.date(2024, 2, 29)),
        ("2026-03-05", datetime.date(2026, 3, 5)),
        ("2026年3月5日", datetime.date(2026, 3, 5)),
        (datetime.date(2026, 3, 5), datetime.date(2026, 3, 5)),
        (None, None),
    ],
)
def test_last_days(value: Any, day: datetime.date | None) -> None:
    row = cells(value)
    assert row.day("a") == day
    assert row.issues == []


@pytest.mark.parametrize(
    ("text", "state"),
    [
        ("未启动", "waiting"),
        ("Running", "running"),
        ("滞后", "running"),
        ("已销号", "done"),
        ("dropped", "dropped"),
        ("", None),
    ],
)
def test_states(text: str, state: str | None) -> None:
    row = cells(text)
    assert row.state("a") == state
    assert row.issues == []


def test_what_is_no_state() -> None:
    row = cells("finished?")
    assert row.state("a") is None
    assert "未启动, 推进中, 已销号, 已终止" in row.issues[0].expected
