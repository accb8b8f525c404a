"""Rule consent: broken, and exactly at the limit; 4 of 5 right-holders and 15 of 20 mu agree in A and in B."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.planner.check.mode_builders import ModePlan, mode_plan


def with_tests(*tests: dict[str, Any]) -> ModePlan:
    plan = mode_plan()
    plan.mode("clear")["consent"] = list(tests)
    return plan


@pytest.mark.parametrize(
    ("of", "least", "faults"),
    [("holders", 0.8, 0), ("holders", 0.80001, 2), ("area", 0.75, 0), ("area", 0.75001, 2), ("area", 1, 2)],
)
def test_each_share_must_be_reached(of: str, least: float, faults: int) -> None:
    plan = with_tests({"of": of, "least": least})
    found = plan.findings("consent")
    assert [f.block_id for f in found] == ["A", "B"][:faults]
    assert plan.broken() == ({"consent"} if faults else set())
    had, unit = (4, "right-holders") if of == "holders" else (15, "mu")
    for f in found:
        assert (f.measured, f.unit) == (pytest.approx(had), unit)


def test_both_tests_must_be_passed() -> None:
    plan = with_tests({"of": "holders", "least": 0.81}, {"of": "area", "least": 0.76})
    assert [(f.block_id, f.unit) for f in plan.findings("consent")] == [
        ("A", "right-holders"),
        ("A", "mu"),
        ("B", "right-holders"),
        ("B", "mu"),
    ]


def test_a_right_holder_who_withdraws_is_found() -> None:
    plan = mode_plan()
    plan.set("r0c1", signed=0.4)
    assert plan.broken() == {"consent"}
    assert {f.block_id for f in plan.findings("consent")} == {"A"}


def test_more_right_holders_who_have_not_signed_are_found() -> None:
    plan = mode_plan()
    plan.set("r1c1", holders=4.0)  # 3 + 2 of 7
    (found,) = plan.findings("consent")
    assert (found.measured, found.limit) == (pytest.approx(5), pytest.approx(0.8 * 7))


def test_another_parcel_in_the_block_is_found() -> None:
    plan = mode_plan()
    plan.set("r1c2", mode="clear", signed=0.0, holders=1.0)
    plan.take("r1c2", "B")
    assert {f.block_id for f in plan.findings("consent")} == {"B"}


def test_the_share_expected_counts_where_it_is_the_basis() -> None:
    plan = with_tests({"of": "holders", "least": 1}, {"of": "area", "least": 1})
    assert len(plan.findings("consent")) == 4
    plan.modes["consent"]["basis"] = "expected"
    assert plan.broken() == set()
    plan.set("r0c0", expected=0.99)
    assert {f.block_id for f in plan.findings("consent")} == {"A"}


def test_a_mode_without_tests_asks_nobody() -> None:
    plan = mode_plan()
    for parcel in ("r2c0", "r2c1"):
        plan.set(parcel, holders=10.0, signed=0.0)
    assert plan.broken() == set()
    plan.mode("keep")["consent"] = [{"of": "area", "least": 0.5}]
    assert plan.broken() == {"consent"}


def test_a_block_that_stands_asks_nobody() -> None:
    plan = mode_plan()
    plan.optimise["locks"]["blocks"] = []
    assert {f.block_id for f in plan.findings("consent")} == {"S"}
    assert plan.judge().checked["consent"] == mode_plan().judge().checked["consent"]


@pytest.mark.parametrize("policy", ["ineligible", "zero"])
def test_an_unknown_share_follows_the_policy(policy: str) -> None:
    plan = with_tests({"of": "holders", "least": 0.6}, {"of": "area", "least": 0.5})
    plan.modes["consent"]["unknown"] = policy
    plan.set("r0c1", signed=math.nan)  # 3 of 5, 10 of 20 mu agree
    assert plan.broken() == ({"modes"} if policy == "ineligible" else set())
    plan.mode("clear")["consent"][0]["least"] = 0.61
    assert plan.broken() == ({"modes", "consent"} if policy == "ineligible" else {"consent"})


@pytest.mark.parametrize("policy", ["ineligible", "zero"])
def test_without_the_number_of_right_holders_no_share_of_them_can_be_told(policy: str) -> None:
    plan = with_tests({"of": "holders", "least": 0.5})
    plan.modes["consent"]["unknown"] = policy
    plan.set("r0c1", holders=math.nan)
    assert plan.broken() == {"modes"}
    plan.mode("clear")["consent"] = [{"of": "area", "least": 0.75}]
    assert plan.broken() == set()


@pytest.mark.parametrize(("column", "value"), [("signed", 1.2), ("signed", -0.1), ("holders", -1.0)])
def test_numbers_that_cannot_be_are_found(column: str, value: float) -> None:
    plan = with_tests({"of": "area", "least": 0})
    plan.set("r1c0", **{column: value})
    assert plan.broken() == {"consent"}
    assert plan.findings("consent")[0].parcel_ids == ("r1c0",)


@settings(max_examples=12, deadline=None, derandomize=True)
@given(st.lists(st.tuples(st.integers(1, 9), st.sampled_from([0.0, 0.25, 0.5, 1.0])), min_size=2, max_size=2))
def test_the_limit_lies_at_the_share_that_agrees(answers: list[tuple[int, float]]) -> None:
    holders = sum(n for n, _ in answers)
    share = sum(n * signed for n, signed in answers) / holders
    for least, faults in ((share - 0.001, 0), (share, 0), (share + 0.001, 1)):
        if 0 <= least <= 1:
            plan = with_tests({"of": "holders", "least": least})
            for parcel, (n, signed) in zip(("r0c0", "r0c1"), answers, strict=True):
                plan.set(parcel, holders=float(n), signed=signed)
            assert sum(f.block_id == "A" for f in plan.findings("consent")) == faults
