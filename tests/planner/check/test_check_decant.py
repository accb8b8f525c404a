"""Rule decanting: broken, and exactly at the limit.

A and S leave 3000 m² at 2.0, for which the park (2000 m², for good) and the barracks (1000 m²) stand; B leaves 2000 m²
at 3.0, for which C offers 0.15 of its 2 · 6666.67 m², built at 1.75 and open half a year later.
"""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.planner.check.mode_builders import ModePlan, mode_plan


def site(plan: ModePlan, name: str, **values: Any) -> None:
    next(s for s in plan.modes["decant"]["sites"] if s["name"] == name).update(values)


def shortages(plan: ModePlan) -> list[tuple[float | None, float | None]]:
    """What is left and what stands, for each time at which it is too little."""
    return [(pytest.approx(f.measured), pytest.approx(f.limit)) for f in plan.findings("decanting")]


def test_the_figures_are_those_worked_out_by_hand() -> None:
    measured = mode_plan().judge().measured
    expected = {
        "displaced_m2[2.0000]": 3000,
        "decant_m2[2.0000]": 3000,
        "displaced_m2[3.0000]": 5000,
        "decant_m2[3.0000]": 5000,
    }
    assert {name: measured[name] for name in expected} == pytest.approx(expected)


@pytest.mark.parametrize(("floor_m2", "faults"), [(1000, 0), (999.995, 0), (999.9, 2), (1, 2), (5000, 0)])
def test_floor_outside_must_be_enough_at_every_time(floor_m2: float, faults: int) -> None:
    plan = mode_plan()
    site(plan, "barracks", floor_m2=floor_m2)
    assert len(plan.findings("decanting")) == faults
    assert plan.broken() == ({"decanting"} if faults else set())


@pytest.mark.parametrize(
    ("year", "short"),
    [(3, []), (2, []), (3.001, [(3000, 2000)]), (4, [(3000, 2000)]), (4.001, [(3000, 2000), (5000, 4000)])],
)
def test_a_site_stands_from_the_beginning_of_its_year(year: float, short: list[tuple[float, float]]) -> None:
    plan = mode_plan()
    plan.modes["decant"]["once"] = None
    site(plan, "barracks", from_year=year)
    assert shortages(plan) == short


def test_firms_that_have_left_do_not_move_on_into_the_barracks() -> None:
    plan = mode_plan()
    plan.modes["decant"]["once"] = None
    site(plan, "park", from_year=3)
    site(plan, "barracks", from_year=4, floor_m2=9000)
    assert shortages(plan) == [(3000, 2000)]


@pytest.mark.parametrize(("months", "faults"), [(6, 0), (15, 0), (15.01, 1)])
def test_own_floor_takes_firms_in_after_its_lag(months: float, faults: int) -> None:
    plan = mode_plan()
    plan.modes["decant"]["own_lag_months"] = months  # C is built at 1.75, B leaves at 3.0
    assert len(plan.findings("decanting")) == faults


def test_own_floor_of_a_block_launched_later_is_missing() -> None:
    plan = mode_plan()
    plan.launch("C", 2)
    assert shortages(plan) == [(5000, 3000)]  # built at 2.75, open at 3.25


def test_a_mode_that_is_never_built_offers_nothing() -> None:
    plan = mode_plan()
    del plan.mode("keep")["months"]["built"]
    plan.line("keep", "works").update(end=None, months=6)
    assert shortages(plan) == [(5000, 3000)]


def test_a_block_launched_earlier_leaves_earlier() -> None:
    plan = mode_plan()
    plan.launch("B", 1)
    assert shortages(plan) == [(5000, 3000)]


def test_more_floor_in_use_is_found() -> None:
    plan = mode_plan()
    plan.set("r1c0", floor=1001.0)
    assert shortages(plan) == [(5001, 5000)]


def test_firms_leave_when_the_configuration_says() -> None:
    plan = mode_plan()
    plan.modes["decant"]["at"] = "signed"  # A and S at 1.5, B at 2.5
    assert shortages(plan) == [(3000, 2000)]


@pytest.mark.parametrize(("share", "faults"), [(0, 0), (0.5, 0), (1, 0), (0.4, 0)])
def test_a_mode_may_displace_some_firms_only(share: float, faults: int) -> None:
    plan = mode_plan()
    plan.mode("clear")["displaces"] = share
    assert len(plan.findings("decanting")) == faults
    assert plan.judge().measured.get("displaced_m2[3.0000]", 0) == pytest.approx(5000 * share)


def test_a_mode_that_displaces_firms_at_no_time_is_found() -> None:
    plan = mode_plan()
    plan.mode("keep")["displaces"] = 0.1
    (found,) = plan.findings("decanting")
    assert found.message == "1 blocks displace firms, but never reach demolished: C."


@pytest.mark.parametrize("policy", ["ineligible", "mean_per_mu"])
def test_unknown_floor_follows_the_policy(policy: str) -> None:
    plan = mode_plan()
    plan.modes["decant"]["unknown"] = policy
    plan.line("clear", "demolition")["amount"] = "demolition_rate * 1000"
    plan.set("r1c0", floor=math.nan)
    assert plan.broken() == ({"modes"} if policy == "ineligible" else set())
    plan.set("r1c2", floor=1008.0)  # a mean of 1001 of 8 known cells
    assert plan.findings("decanting") == [] if policy == "ineligible" else shortages(plan) == [(5001, 5000)]


def test_land_that_displaces_nobody_need_not_know_its_floor() -> None:
    plan = mode_plan()
    plan.line("keep", "works")["amount"] = "works * 1000"
    plan.set("r2c0", floor=math.nan)
    assert plan.broken() == set()


# ------------------------------------------------------------------------------------------------ firms that move once


@pytest.mark.parametrize(("parcels", "short"), [(["r1c0"], []), (["r0c2"], [(3000, 2000)])])
def test_firms_that_move_once_need_floor_for_good(parcels: list[str], short: list[tuple[float, float]]) -> None:
    plan = mode_plan()
    for parcel in parcels:
        plan.set(parcel, size="large")
    assert shortages(plan)[:1] == short


def test_where_it_is_unknown_firms_move_once() -> None:
    plan = mode_plan()
    plan.set("r0c2", size=None)
    assert plan.broken() == {"decanting"}
    assert "firms that move once only have left 3000.00 m²" in plan.findings("decanting")[0].message


def test_others_who_left_before_the_barracks_stood_are_in_the_park() -> None:
    plan = mode_plan()
    plan.set("r0c0", size="small")
    plan.set("r0c1", size="small")
    for parcel in ("r1c0", "r1c1"):
        plan.set(parcel, size="large")
    site(plan, "park", floor_m2=3000)  # where A and S go
    site(plan, "barracks", from_year=4)  # stands at 3.0, but B must stay for good, where C offers 2000 m²
    assert plan.broken() == set()
    plan.figure("kept_share", 0.14)
    (found,) = plan.findings("decanting")
    assert "with others by 2.0000" in found.message
    assert (found.measured, found.limit) == (pytest.approx(5000), pytest.approx(3000 + 0.14 * 40_000 / 3))


def _fits(moves: list[tuple[float, bool, float]], spaces: list[tuple[float, bool, float]]) -> bool:
    """Whether floor can be shared out, by trying all sets of moves: each needs as much floor as its members may use."""
    for chosen in range(1, 2 ** len(moves)):
        mine = [m for k, m in enumerate(moves) if chosen >> k & 1]
        usable = sum(
            m2 for opens, good, m2 in spaces if any(opens <= leaves and (good or not once) for leaves, once, _ in mine)
        )
        if sum(m2 for _, _, m2 in mine) > usable + 0.01:
            return False
    return True


@settings(max_examples=20, deadline=None, derandomize=True)
@given(st.data())
def test_enough_floor_is_what_can_be_shared_out(data: st.DataObject) -> None:
    share_out(data)


@pytest.mark.slow
@settings(max_examples=500, deadline=None)
@given(st.data())
def test_enough_floor_is_what_can_be_shared_out_in_very_many_plans(data: st.DataObject) -> None:
    share_out(data)


def share_out(data: st.DataObject) -> None:
    plan = mode_plan()
    when = {"A": 2.0, "S": 2.0, "B": 3.0}
    moves = []
    for block, parcels in (("A", ("r0c0", "r0c1")), ("B", ("r1c0", "r1c1")), ("S", ("r0c2",))):
        for parcel in parcels:
            once, floor = data.draw(st.booleans()), data.draw(st.sampled_from([0.0, 500.0, 1000.0, 2000.0]))
            plan.set(parcel, size="large" if once else "small", floor=floor)
            moves.append((when[block], once, floor))
    own = data.draw(st.sampled_from([0.0, 0.075, 0.15]))
    plan.figure("kept_share", own)
    spaces = [(2.25, True, own * 40_000 / 3)]
    sites = []
    for k in range(data.draw(st.integers(0, 3))):
        opens, good = data.draw(st.sampled_from([1.0, 2.0, 2.5, 3.0])), data.draw(st.booleans())
        floor = data.draw(st.sampled_from([500.0, 1000.0, 2500.0, 4000.0]))
        spaces.append((opens, good, floor))
        sites.append({"name": str(k), "floor_m2": floor, "from_year": opens + 1, "permanent": good})
    plan.modes["decant"]["sites"] = sites
    assert (plan.findings("decanting") == []) == _fits(moves, spaces)
