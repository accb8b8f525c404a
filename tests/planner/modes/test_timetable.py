"""Launches, milestones, the phases in which blocks count, and the years in which payments fall."""

from __future__ import annotations

import copy
import json
import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from planner.config import Config
from planner.errors import ConfigError
from planner.modes.timetable import milestones_used, problem_modes, timetable, year_shares

MODE: dict[str, Any] = {"id": "buy", "name_zh": "收储", "name_en": "Buy", "far": 2.0}
TREE: dict[str, Any] = {
    "project": {"name": "test"},
    "parcels": {"path": "parcels.gpkg", "id": "code", "fields": {}},
    "scoring": {"criteria": [{"name": "a", "value": "area_mu", "direction": "low", "normalise": {"method": "rank"}}]},
    "optimise": {
        "phases": [{"id": "P1", "year": 1}, {"id": "P2", "year": 3}, {"id": "P3", "year": 5}],
        "block": {"min_mu": 1, "max_mu": 9},
        "weights": {"value_per_mu": 1},
    },
    "modes": {
        "figures": {"wait": {"value": 6, "source": "test", "date": "2024"}},
        "choices": [{**MODE, "months": {"signed": "wait", "levelled": "3 * wait", "built": 42}}],
    },
}


def config(**changes: Any) -> Config:
    """The configuration above; `changes` are for the keys of `optimise`, ``choices`` for the modes."""
    tree = copy.deepcopy(TREE)
    if "choices" in changes:
        tree["modes"]["choices"] = changes.pop("choices")
    tree["optimise"] |= changes
    return Config.model_validate_json(json.dumps(tree))


def phases(*rows: dict[str, Any]) -> list[dict[str, Any]]:
    return [{"id": f"P{k}", **row} for k, row in enumerate(rows, start=1)]


def test_blocks_are_launched_when_the_phase_before_ends() -> None:
    times = timetable(config())
    assert times.modes == ("buy",)
    assert times.begins.tolist() == [0.0, 1.0, 3.0]
    assert times.ends.tolist() == [1.0, 3.0, 5.0]
    assert times.time(0, 0, "levelled") == 1.5  # 18 months after 0
    assert times.time(2, 0, "built") == 6.5  # 42 months after 3
    assert math.isnan(times.time(0, 0, "demolished"))


def test_months_are_numbers_or_figures_and_launched_is_nought() -> None:
    months = timetable(config()).months
    np.testing.assert_array_equal(months, [[0, 6, np.nan, 18, np.nan, np.nan, np.nan, 42]])


def test_calendar_years_and_beginnings_that_are_given() -> None:
    times = timetable(config(phases=phases({"year": 2026}, {"year": 2028, "begins": 2026.5}), base_year=2025))
    assert times.begins.tolist() == [2025.0, 2026.5]


@pytest.mark.parametrize(
    ("months", "key"),
    [
        ({"signed": 6, "levelled": 5}, "levelled"),
        ({"signed": -1}, "signed"),
        ({"signed": "wait", "levelled": "wait - 1", "built": 30}, "levelled"),
    ],
)
def test_months_that_fall_or_are_negative_are_refused(months: dict[str, Any], key: str) -> None:
    with pytest.raises(ConfigError) as caught:
        timetable(config(choices=[{**MODE, "months": months}]))
    (issue,) = caught.value.issues
    assert issue.where == f"modes.choices[0].months.{key}"


def test_all_modes_with_wrong_months_are_told_at_once() -> None:
    wrong = {"signed": 9, "built": 3}
    with pytest.raises(ConfigError) as caught:
        timetable(config(choices=[{**MODE, "months": wrong}, {**MODE, "id": "let", "months": wrong}]))
    assert [i.where for i in caught.value.issues] == [f"modes.choices[{k}].months.built" for k in (0, 1)]


def test_milestones_in_use_begin_with_the_common_one() -> None:
    assert milestones_used(config()) == ("levelled",)
    goals = phases({"year": 1, "milestone": "signed"}, {"year": 2}, {"year": 3, "milestone": "signed"})
    groups = [{"name": "g", "where": "area_mu > 1", "phases": {"P1": {"milestone": "accepted"}}}]
    used = milestones_used(config(phases=goals, groups=groups, milestone="built"))
    assert used == ("built", "signed", "accepted")


def test_a_block_counts_in_the_first_phase_that_ends_after_its_milestone() -> None:
    # levelled 1.5 years after the launches at 0, 1, 3: at 1.5, 2.5, 4.5, in the phases that end with 3, 3, 5
    (mode,) = problem_modes(config(), timetable(config()))
    assert (mode.id, mode.done) == ("buy", ((1, 1, 2),))
    # signed after 0.5: at 0.5, 1.5, 3.5; built after 3.5: at 3.5, 4.5, 6.5, the last of them never
    goals = phases({"year": 1}, {"year": 3, "milestone": "signed"}, {"year": 5, "milestone": "built"})
    several = config(phases=goals)
    assert problem_modes(several, timetable(several))[0].done == ((1, 1, 2), (0, 1, 2), (2, 2, 3))


def test_a_milestone_on_the_last_day_of_a_phase_counts_in_it() -> None:
    assert 0.2 + 33.6 / 12 > 3.0  # by rounding only
    spec = config(
        phases=phases({"year": 1, "begins": 0.2}, {"year": 3}), choices=[{**MODE, "months": {"levelled": 33.6}}]
    )
    assert problem_modes(spec, timetable(spec))[0].done == ((1, 2),)
    exact = config(phases=phases({"year": 2}, {"year": 3}), choices=[{**MODE, "months": {"levelled": 12}}])
    assert problem_modes(exact, timetable(exact))[0].done == ((0, 1),)


def test_no_block_counts_before_its_own_phase_and_one_without_the_milestone_never() -> None:
    spec = config(
        phases=phases({"year": 1}, {"year": 2}),
        choices=[{**MODE, "months": {"levelled": 0}}, {**MODE, "id": "let", "months": {"built": 3}}],
    )
    first, second = problem_modes(spec, timetable(spec))
    assert first.done == ((0, 1),)  # launched at 1, the end of the first phase, yet counted in the second
    assert second.done == ((2, 2),)


@pytest.mark.parametrize(
    ("launch", "first", "last", "expected"),
    [
        (0.0, 0, 0, {1: 1.0}),  # at the launch, the very beginning of year 1
        (0.0, 12, 12, {1: 1.0}),  # the last day of year 1
        (0.0, 13, 13, {2: 1.0}),
        (1.0, 0, 0, {2: 1.0}),  # launched when year 1 ends: paid in year 2
        (2025.0, 0, 0, {2026: 1.0}),
        (0.5, 6, 6, {1: 1.0}),
        (0.0, 0, 24, {1: 0.5, 2: 0.5}),
        (0.0, 6, 18, {1: 0.5, 2: 0.5}),
        (0.0, 9, 18, {1: 1 / 3, 2: 2 / 3}),
        (1.0, 9, 30, {2: 3 / 21, 3: 12 / 21, 4: 6 / 21}),
        (0.25, 0, 12, {1: 0.75, 2: 0.25}),
        (-0.5, 0, 12, {0: 0.5, 1: 0.5}),
    ],
)
def test_years_of_payments(launch: float, first: float, last: float, expected: dict[int, float]) -> None:
    assert year_shares(launch, first, last) == pytest.approx(expected)


@pytest.mark.parametrize(("first", "last"), [(3, 2), (-1, 2), (math.nan, 3), (0, math.nan)])
def test_payments_have_known_months_that_do_not_fall(first: float, last: float) -> None:
    with pytest.raises(ValueError, match="payment"):
        year_shares(0.0, first, last)


@given(
    st.floats(-3, 3000).map(lambda x: round(x * 12) / 12) | st.floats(-3, 3000),
    st.integers(0, 60) | st.floats(0, 60),
    st.integers(0, 240) | st.floats(0, 240),
)
def test_shares_are_positive_in_order_and_add_up_to_exactly_one(launch: float, first: float, length: float) -> None:
    shares = year_shares(launch, first, first + length)
    years = list(shares)
    assert years == list(range(years[0], years[-1] + 1))
    assert all(share > 0 for share in shares.values())
    assert sum(shares.values()) == 1.0
    begin, end = launch + first / 12, launch + (first + length) / 12
    assert years[0] >= math.floor(launch) + 1
    assert years[0] - 1 <= begin + 1e-6
    assert years[-1] >= end - 1e-6
