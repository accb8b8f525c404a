"""Two plans compared by blocks, and what keeping the plan costs."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from planner.contents import PlanContents
from planner.replan.before import FormerBlock, FormerPlan
from planner.replan.costs import Worth, keeping_costs
from planner.replan.diff import difference

AREA = {f"p{k}": float(k + 1) for k in range(12)}


def plan(config: PlanContents, *blocks: tuple[str, str, tuple[int, ...]]) -> FormerPlan:
    made = [
        FormerBlock(name, name, tuple(f"p{k}" for k in sorted(ids)), phase, None, sum(AREA[f"p{k}"] for k in ids))
        for name, phase, ids in blocks
    ]
    return FormerPlan(config.config, tuple(made), AREA, dict.fromkeys(AREA))


def fates(config: PlanContents, before: FormerPlan, after: FormerPlan) -> dict[str, str]:
    found = difference(before, after).blocks
    return {b.name: b.fate + ("*" if b.moved else "") for b in found}


def test_every_fate(row: PlanContents) -> None:
    before = plan(
        row, ("A", "P1", (0, 1)), ("B", "P1", (2, 3)), ("C", "P1", (4, 5)), ("D", "P2", (6, 7)), ("E", "P2", (8,))
    )
    after = plan(
        row, ("a", "P1", (0, 1)), ("b", "P2", (2, 3, 9)), ("c", "P1", (5,)), ("d", "P2", (7, 10)), ("f", "P2", (11,))
    )
    assert fates(row, before, after) == {
        "A": "kept",
        "B": "grown*",
        "C": "shrunk",
        "D": "reshaped",
        "E": "dropped",
        "f": "new",
    }
    found = difference(before, after)
    assert found.parcels == ("p10", "p11", "p2", "p3", "p4", "p6", "p8", "p9")
    assert found.entered_mu == 10 + 11 + 12
    assert found.left_mu == 5 + 7 + 9
    assert found.moved_mu == 3 + 4
    assert found.common_mu == 1 + 2 + 6 + 8


def test_a_block_goes_on_in_the_one_that_has_most_of_it(row: PlanContents) -> None:
    """A = p3..p6 (22 mu) falls in two: 15 mu go on as A, the rest is new."""
    before = plan(row, ("A", "P1", (3, 4, 5, 6)))
    after = plan(row, ("x", "P1", (3,)), ("y", "P1", (4, 5, 6)))
    by_name = {b.name: b for b in difference(before, after).blocks}
    assert (by_name["A"].new_block_id, by_name["A"].fate, by_name["A"].went_mu) == ("y", "shrunk", 4)
    assert by_name["x"].fate == "new"


@given(st.lists(st.integers(0, 4), min_size=12, max_size=12), st.lists(st.integers(0, 4), min_size=12, max_size=12))
def test_sums_agree(row: PlanContents, was: list[int], now: list[int]) -> None:
    def made(labels: list[int]) -> FormerPlan:
        groups = {g: tuple(k for k in range(12) if labels[k] == g) for g in range(1, 5)}
        return plan(row, *((f"B{g}", "P1" if g < 3 else "P2", ids) for g, ids in groups.items() if ids))

    before, after = made(was), made(now)
    found = difference(before, after)
    assert found.area_mu == pytest.approx(found.entered_mu + found.left_mu + found.moved_mu)
    assert found.common_mu + found.left_mu + found.moved_mu == pytest.approx(sum(b.area_mu for b in before.blocks))
    assert sum(b.fate != "new" for b in found.blocks) == len(before.blocks)
    assert sum(b.fate != "dropped" for b in found.blocks) == len(after.blocks)
    back = difference(after, before)
    assert set(back.parcels) == set(found.parcels)
    assert (back.entered_mu, back.left_mu) == (found.left_mu, found.entered_mu)


def test_the_cost_of_keeping_is_an_interval() -> None:
    replan = Worth(90.0, 4.0, 95.0, "feasible", "gap", 0.01)
    fresh = Worth(97.0, 0.0, 100.0, "feasible", "gap", 0.03)
    cost = keeping_costs(replan, fresh)
    assert (cost.at_least, cost.at_most, cost.found, cost.share_at_most) == (7, 10, 7, 0.1)
    worse = keeping_costs(replan, replace(fresh, worth=85.0))
    assert (worse.at_least, worse.at_most, worse.found) == (0, 10, -5)
