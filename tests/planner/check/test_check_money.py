"""Rules outlays, peak_gap and money_claims: the years of payments, broken limits, and limits met exactly."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from planner.check import claims_of
from planner.check.cash import Cash, shares_by_year
from planner.check.facts import Facts
from planner.config import Config
from planner.spec_modes import PARTIES
from tests.planner.check.mode_builders import OUTLAYS, PEAKS, ModePlan, mode_plan


def cash_of(plan: ModePlan) -> Cash:
    found = Facts(plan.tables(), Config.model_validate(plan.config), plan.claims()).cash
    assert found is not None
    return found


# ------------------------------------------------------------------------------------------------ years of a payment


@pytest.mark.parametrize(
    ("launch", "first", "last", "shares"),
    [
        (1.0, 6, 6, {2: 1.0}),  # 1.5 lies in year 2
        (1.0, 12, 12, {2: 1.0}),  # 2.0 is the end of year 2
        (1.0, 12.01, 12.01, {3: 1.0}),
        (1.0, 0, 0, {2: 1.0}),  # at the end of year 1, the work of year 2 begins
        (1.25, 0, 0, {2: 1.0}),
        (1.0, 0, 12, {2: 1.0}),
        (1.0, 6, 18, {2: 0.5, 3: 0.5}),
        (1.0, 9, 33, {2: 0.125, 3: 0.5, 4: 0.375}),
        (0.5, 0, 24, {1: 0.25, 2: 0.5, 3: 0.25}),
        (-1.0, 0, 12, {0: 1.0}),
        (2026.0, 0, 0, {2027: 1.0}),
        (1.0, math.nan, 12, {}),
    ],
)
def test_year_y_is_the_time_from_the_end_of_the_year_before(
    launch: float, first: float, last: float, shares: dict[int, float]
) -> None:
    assert shares_by_year(launch, first, last) == pytest.approx(shares)


@given(st.floats(-5, 5), st.floats(0, 60), st.floats(0, 60))
def test_the_years_take_the_whole_payment(launch: float, first: float, length: float) -> None:
    shares = shares_by_year(launch, first, first + length)
    assert sum(shares.values()) == pytest.approx(1)
    assert min(shares) >= math.floor(launch) + 1
    assert max(shares) <= math.ceil(launch + (first + length) / 12 + 1e-6) + 1
    assert all(share > 0 for share in shares.values())


@given(st.sampled_from([1.0, 1.3]), st.floats(0.5, 40), st.floats(1, 24))
def test_a_spread_payment_is_many_small_ones_at_once(launch: float, first: float, length: float) -> None:
    parts = 2000
    counted: dict[int, float] = {}
    for k in range(parts):
        month = first + (k + 0.5) / parts * length
        for year, share in shares_by_year(launch, month, month).items():
            counted[year] = counted.get(year, 0.0) + share / parts
    spread = shares_by_year(launch, first, first + length)
    for year in {*counted, *spread}:
        assert counted.get(year, 0.0) == pytest.approx(spread.get(year, 0.0), abs=2 / parts)


# ------------------------------------------------------------------------------------------------ the ledger


def test_the_ledger_is_the_one_worked_out_by_hand() -> None:
    cash = cash_of(mode_plan())
    assert cash.gaps(("town",)) == pytest.approx({2: 105_000, 3: 119_000, 4: -19_000, 5: -79_000})
    assert {party: cash.peak((party,)) for party in ("town", "city", "owner", "developer")} == pytest.approx(
        {party: gap for party, (gap, _) in PEAKS.items()}
    )
    for party in ("town", "city", "owner", "developer"):
        assert {p: cash.outlay(party, t) for t, p in ((1, "P1"), (2, "P2"))} == pytest.approx(OUTLAYS[party])
    assert cash.peak(("collective",)) == 0


def test_what_is_paid_is_received() -> None:
    gaps = cash_of(mode_plan()).gaps(PARTIES)
    assert list(gaps.values()) == pytest.approx([0.0] * len(gaps), abs=1e-6)


def test_the_first_phase_takes_all_years_before_it() -> None:
    plan = mode_plan()
    plan.optimise["phases"][0]["begins"] = -1.0
    assert cash_of(plan).outlay("town", 1) == pytest.approx(105_000 + 54_000)  # and those of the year after


# ------------------------------------------------------------------------------------------------ outlays


@pytest.mark.parametrize(("most", "faults"), [(105_000, 0), (104_999.9, 0), (104_999.8, 1), (0, 1), (200_000, 0)])
def test_outlays_keep_their_limit(most: float, faults: int) -> None:
    plan = mode_plan()
    plan.modes["limits"][0]["outlay"]["P1"] = most
    assert plan.broken() == ({"outlays"} if faults else set())
    for found in plan.findings("outlays"):
        assert (found.measured, found.limit, found.unit) == (pytest.approx(105_000), most, "CNY")


def test_outlays_of_a_later_phase_keep_theirs() -> None:
    plan = mode_plan()
    plan.modes["limits"][0]["outlay"]["P2"] = 115_000
    assert plan.broken() == {"outlays"}
    assert "Phase P2: town pays 116000.00 CNY" in plan.findings("outlays")[0].message


def test_incomes_do_not_help_an_outlay() -> None:
    plan = mode_plan()
    plan.figure("sale_price", 80_000)
    assert plan.findings("outlays") == []
    plan.modes["limits"][0]["outlay"]["P2"] = 115_000
    assert len(plan.findings("outlays")) == 1


def test_a_block_launched_early_shifts_outlays() -> None:
    plan = mode_plan()
    plan.launch("B", 1)
    found = plan.findings("outlays")
    assert [f.measured for f in found] == [pytest.approx(105_000 + 50_000)]  # land 40, half of the demolition 10


def test_more_paid_at_once_breaks_a_limit() -> None:
    plan = mode_plan()
    plan.line("clear", "fee")["at"] = "signed"  # A and S in year 2, B in year 3: 9 000 more by the end of P1
    assert [f.measured for f in plan.findings("outlays")] == [pytest.approx(114_000)]


def test_another_payer_breaks_a_limit() -> None:
    plan = mode_plan()
    plan.line("keep", "works")["payer"] = "city"
    assert [f.measured for f in plan.findings("outlays")] == [pytest.approx(220_000)]


def test_what_is_paid_after_the_last_phase_is_in_no_phase() -> None:
    plan = mode_plan()
    plan.modes["limits"].append({"party": "developer", "outlay": {"P2": 240_000}})
    assert plan.broken() == set()  # of 300 000 in all


# ------------------------------------------------------------------------------------------------ peak gap


@pytest.mark.parametrize(("most", "faults"), [(119_000, 0), (118_999.9, 0), (118_999.8, 1), (0, 1), (200_000, 0)])
def test_the_peak_gap_keeps_its_limit(most: float, faults: int) -> None:
    plan = mode_plan()
    plan.modes["limits"][0]["peak_gap"] = most
    assert plan.broken() == ({"peak_gap"} if faults else set())
    for found in plan.findings("peak_gap"):
        assert (found.measured, found.limit) == (pytest.approx(119_000), most)
        assert "By the end of year 3 town has paid" in found.message


def test_a_later_income_widens_the_gap() -> None:
    plan = mode_plan()
    plan.line("clear", "sale").update(start="built")
    found = plan.findings("peak_gap")
    assert [f.measured for f in found] == [pytest.approx(209_000)]  # nothing is received before year 4


def test_another_discount_rate_changes_no_gap() -> None:
    plan = mode_plan()
    plan.modes["discount_rate"] = 0.1
    assert plan.broken() == set()


def test_an_income_in_the_same_year_closes_the_gap() -> None:
    plan = mode_plan()
    plan.line("keep", "grant")["payer"] = "town"
    assert cash_of(plan).gaps(("town",))[2] == pytest.approx(125_000)
    assert "peak_gap" in plan.broken()
    plan.line("clear", "sale").update(start="signed")  # 180 000 for A and S from 1.5 to 2.5: half in year 2
    assert cash_of(plan).gaps(("town",))[2] == pytest.approx(125_000 - 90_000)


@pytest.mark.parametrize("rule", ["outlays", "peak_gap"])
def test_unknown_payments_of_a_standing_block_keep_no_limit(rule: str) -> None:
    plan = mode_plan()
    plan.set("r0c2", building="tower")
    (found,) = plan.findings(rule)
    assert found.parcel_ids == ("r0c2",)
    assert "unknown payments of town" in found.message


def test_a_share_is_one_of_the_lines_it_names() -> None:
    plan = mode_plan()
    plan.line("clear", "fee")["of"] = ["land", "demolition"]
    assert cash_of(plan).outlay("town", 2) == pytest.approx(116_000 + 4_000 + 2_000 + 4_000)


def test_floor_and_net_land_may_be_paid_for() -> None:
    plan = mode_plan()
    plan.line("clear", "land")["amount"] = "new_floor_m2 / 10 + net_area_mu"
    cash = cash_of(plan)
    paid = 3 * (1000 + 7.5)  # 10 000 m² and 7.5 mu a cell
    assert cash.outlay("town", 1) == pytest.approx(45_000 + paid)


# ------------------------------------------------------------------------------------------------ what is said


def falsify(path: tuple[Any, ...], value: Any) -> ModePlan:
    plan = mode_plan()
    place = plan.summary["money"]
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value
    return plan


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("peak_gaps", 0, "peak_gap_yuan"), 119_000.0),  # town and city together have 139 000
        (("peak_gaps", 1, "peak_gap_yuan"), 118_990.0),
        (("peak_gaps", 1, "peak_gap_yuan"), 0.0),
        (("peak_gaps", 1, "year"), 2),
        (("peak_gaps", 1, "year"), None),
        (("peak_gaps", 1, "party"), "collective"),
        (("peak_gaps", 1, "party"), "bank"),
        (("outlays", "town", "P1"), 104_990.0),
        (("outlays", "town", "P1"), math.nan),
        (("outlays", "developer", "P2"), 300_000.0),
        (("outlays", "town", "P3"), 0.0),
        (("outlays", "bank"), {"P1": 0.0}),
    ],
)
def test_false_money_in_the_summary_is_found(path: tuple[Any, ...], value: Any) -> None:
    assert falsify(path, value).broken() == {"money_claims"}


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("peak_gaps", 1, "peak_gap_yuan"), 119_000.3),
        (("outlays", "town", "P1"), 104_999.7),
        (("outlays", "collective"), {"P1": 0.0}),
        (("outlays", "public"), {"P1": 125_000.0}),
        (("peak_gaps", 4), {"party": "collective", "peak_gap_yuan": 0.0, "year": None}),
    ],
)
def test_money_rounded_payment_by_payment_is_true(path: tuple[Any, ...], value: Any) -> None:
    assert falsify(path, value).broken() == set()


def test_the_summary_is_read_with_its_money() -> None:
    plan = mode_plan()
    assert claims_of(plan.summary) == plan.claims()
    del plan.summary["money"]
    assert claims_of(plan.summary).peak_gaps == ()


def test_money_without_modes_has_nothing_to_stand_for() -> None:
    claims = claims_of({"objective": 1, "bound": 1, "gap": 0, "phases": []})
    assert (claims.peak_gaps, claims.outlays) == ((), ())
