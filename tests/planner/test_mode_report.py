"""What a plan with modes comes to: months, money by party and phase, limits, new space; worked out by hand.

The plan on the grid of `mode_land`: **A** = P02, P03 cleared in P1, **B** = P06, P07 kept in P2, **C** = P08 cleared in
P3; each parcel has 10 mu, 5 of them net where cleared, and 100 m² of floor. Blocks are launched at 0, 1 and 3. In yuan:

=======================  ======  ======================================================
payment                  amount  year
=======================  ======  ======================================================
A land, town to owner    20 000  1, the launch is its beginning
A demolition, by town      2000  half in 1, half in 2
A sale, developer        30 000  2, at its end
B grant, city to owner     2000  2
B works, by owner          4000  from 1.25 to 2.25: 3000 in 2, 1000 in 3
C land                   10 000  4
C demolition               1000  half in 4, half in 5, when the last phase is over
C sale                   15 000  5
=======================  ======  ======================================================
"""

from __future__ import annotations

import json
import math
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from planner.config import Config
from planner.mode_report import ModeReport, limit_table, milestone_table, mode_report, mode_summary, records
from planner.modes.figures import figure_fields
from planner.modes.flows import payments
from planner.modes.make import make_terms
from planner.modes.terms import Terms, Timetable
from planner.optimise.assign import assign
from planner.problem import Block, Resource
from planner.spec_modes import MILESTONES, PARTIES
from tests.planner.mode_land import CLEAR, KEEP, changed, config_of, fields_of, figure, land_of, modes_of

BLOCKS = (Block((2, 3), 0, 0), Block((6, 7), 1, 1), Block((8,), 2, 0))
IDS = ("A", "B", "C")
LIMITS = [
    {"party": "town", "outlay": {"P1": 25_000, "P3": 10_400}, "peak_gap": 22_000},
    {"party": "owner", "outlay": {"P2": 4000}},
]
CONSENT = {"holders": "holders", "signed": "signed"}
FULL: dict[str, Any] = {
    "modes": {
        "choices": [changed(CLEAR, consent=[{"of": "holders", "least": 0.6}]), KEEP],
        "limits": LIMITS,
        "consent": CONSENT,
        "decant": {"floor_m2": "floor", "sites": [{"name": "park", "floor_m2": 350, "from_year": 0}]},
        "space": {"floor_m2": "floor", "new_tax_yuan_per_mu": 600, "tax_yuan": "tax", "retained_tax_share": 0.5},
    },
    "optimise": {"village": "village"},
}


def answered(config: Config, **columns: list[Any]) -> tuple[Terms, pd.DataFrame, pd.DataFrame]:
    """Terms, fields and points of the grid; everybody has signed and the tax is 1000 yuan unless said otherwise."""
    usual = {"holders": [2.0] * 12, "signed": [1.0] * 12, "tax": [1000.0] * 12}
    land = land_of(usual | columns)
    fields = fields_of(land).assign(tax=land["tax"])
    inside = land.geometry.representative_point()
    return make_terms(config, modes_of(config), fields, {}), fields, pd.DataFrame({"x_m": inside.x, "y_m": inside.y})


def reported(config: Config, blocks: tuple[Block, ...] = BLOCKS, **columns: list[Any]) -> ModeReport:
    terms, fields, points = answered(config, **columns)
    return mode_report(config, terms, fields, blocks, IDS[: len(blocks)], assign, points)


@pytest.fixture(scope="module")
def report() -> ModeReport:
    return reported(config_of(FULL))


# ------------------------------------------------------------------------------------------------ milestones


def months_of(begins: float, **months: float) -> dict[str, str | None]:
    """Month of each milestone of a block launched at a time."""
    row = [0.0, *(months.get(step, math.nan) for step in MILESTONES[1:])]
    times = Timetable(("mode",), np.array([begins]), np.array([begins + 1]), np.array([row]))
    (found,) = records(milestone_table(times, [Block((0,), 0, 0)], ["X"]))
    return {step: found[step] for step in MILESTONES if step in months or step == "launched"}


def test_months_of_the_plan(report: ModeReport) -> None:
    none = dict.fromkeys(("accepted", "supplied", "started"))
    assert records(report.milestones) == [
        {"block_id": "A", "phase": 1, "mode": "clear", "launched": "1-01", "signed": "1-06", "demolished": "1-09"}
        | {"levelled": "1-12", "built": "2-12"}
        | none,
        {"block_id": "B", "phase": 2, "mode": "keep", "launched": "2-01", "signed": "2-03", "demolished": None}
        | {"levelled": None, "built": "3-03"}
        | none,
        {"block_id": "C", "phase": 3, "mode": "clear", "launched": "4-01", "signed": "4-06", "demolished": "4-09"}
        | {"levelled": "4-12", "built": "5-12"}
        | none,
    ]


@pytest.mark.parametrize(
    ("begins", "months", "expected"),
    [
        (2.0, {"signed": 12, "built": 24}, {"launched": "3-01", "signed": "3-12", "built": "4-12"}),
        (2025.0, {"signed": 1, "built": 12.5}, {"launched": "2026-01", "signed": "2026-01", "built": "2027-01"}),
        (-0.5, {"levelled": 18}, {"launched": "0-07", "levelled": "1-12"}),
        (-1.0, {"signed": 12}, {"launched": "0-01", "signed": "0-12"}),
        (1 / 3, {"signed": 8, "built": 20}, {"launched": "1-05", "signed": "1-12", "built": "2-12"}),  # 20/12 in binary
        (0.52, {"signed": 6, "built": 5.7}, {"launched": "1-07", "signed": "2-01", "built": "1-12"}),  # month 6.24
        (1.0, {"signed": 0, "built": 0.5}, {"launched": "2-01", "signed": "2-01", "built": "2-01"}),
        (0.52, {"signed": 0}, {"launched": "1-07", "signed": "1-07"}),
    ],
)
def test_the_month_of_a_time(begins: float, months: dict[str, float], expected: dict[str, str]) -> None:
    assert months_of(begins, **months) == expected


@settings(deadline=None)
@given(st.integers(-60, 60), st.integers(1, 150))
def test_whole_months_are_counted_from_the_launch(launch: int, months: int) -> None:
    found = months_of(launch / 12, built=float(months))

    def number(month: str | None) -> int:
        assert month is not None
        year, of_year = month.rsplit("-", 1)
        return 12 * (int(year) - 1) + int(of_year) - 1

    assert number(found["launched"]) == launch
    assert number(found["built"]) == launch + months - 1  # k months of work fill the launch month and k - 1 more


@settings(deadline=None)
@given(st.floats(-3, 30), st.lists(st.floats(0, 100), min_size=7, max_size=7))
def test_months_never_fall(begins: float, months: list[float]) -> None:
    later = dict(zip(MILESTONES[1:], sorted(months), strict=True))
    found = [m for m in months_of(begins, **later).values() if m is not None]
    ordered = [(int(m.rsplit("-", 1)[0]), int(m.rsplit("-", 1)[1])) for m in found]
    assert ordered == sorted(ordered)
    assert len(found) == len(MILESTONES)


# ------------------------------------------------------------------------------------------------ money


def test_payments_are_in_yuan_year_by_year(report: ModeReport) -> None:
    paid = {(r["block_id"], r["line"], r["year"]): r["amount_yuan"] for r in records(report.payments)}
    assert paid == {
        ("A", "land", 1): 20_000,
        ("A", "demolition", 1): 1000,
        ("A", "demolition", 2): 1000,
        ("A", "sale", 2): 30_000,
        ("B", "grant", 2): 2000,
        ("B", "works", 2): 3000,
        ("B", "works", 3): 1000,
        ("C", "land", 4): 10_000,
        ("C", "demolition", 4): 500,
        ("C", "demolition", 5): 500,
        ("C", "sale", 5): 15_000,
    }
    assert "amount_cents" not in report.payments


def test_parties_end_with_what_they_received_less_what_they_paid(report: ModeReport) -> None:
    rows = {r["party"]: r for r in records(report.parties)}
    assert {p: (r["balance_yuan"], r["peak_gap_yuan"], r["year"]) for p, r in rows.items()} == {
        "public": (10_000, 21_000, 1),
        "town": (12_000, 21_000, 1),
        "city": (-2000, 2000, 2),
        "collective": (0, 0, None),
        "owner": (28_000, 0, None),
        "developer": (-45_000, 45_000, 5),
    }
    assert all(r["npv_yuan"] == r["balance_yuan"] for r in rows.values())  # no discount unless one is given


def test_net_present_value_counts_years_from_the_base() -> None:
    rows = {
        r["party"]: r
        for r in records(reported(config_of({"modes": {"discount_rate": 0.1}}, {"optimise": BASE1})).parties)
    }
    assert rows["town"]["npv_yuan"] == pytest.approx(-21_000 + 29_000 / 1.1 - 10_500 / 1.1**3 + 14_500 / 1.1**4)
    assert rows["town"]["balance_yuan"] == 12_000


BASE1 = {"base_year": 1}


def test_outlays_by_phase_and_what_is_paid_later_add_up_to_the_payments(report: ModeReport) -> None:
    outlays = mode_summary(report, config_of(FULL))["money"]["outlays"]
    assert outlays == {
        "city": {"P1": 0, "P2": 2000, "P3": 0},
        "developer": {"P1": 0, "P2": 30_000, "P3": 0},
        "owner": {"P1": 0, "P2": 4000, "P3": 0},
        "town": {"P1": 21_000, "P2": 1000, "P3": 10_500},
    }
    later = report.payments[report.payments["year"] > 4].groupby("payer")["amount_yuan"].sum()
    total = report.payments.groupby("payer")["amount_yuan"].sum()
    for party, by_phase in outlays.items():
        assert sum(by_phase.values()) + later.get(party, 0.0) == total[party]


def test_what_is_paid_before_the_first_year_is_in_the_first_phase() -> None:
    phases = [{"id": "P1", "year": 1, "begins": -1.5}]
    report = reported(config_of({"optimise": {"phases": phases}}), BLOCKS[:1])
    assert report.payments.loc[report.payments["line"] == "land", "year"].tolist() == [-1]
    summary = mode_summary(report, config_of({"optimise": {"phases": phases}}))
    assert summary["money"]["outlays"]["town"] == {"P1": 22_000}


def test_the_funding_balance_is_that_of_the_public_parties_in_yuan(report: ModeReport) -> None:
    table = report.funding_balance
    rows = {(r["section"], r["item"]): r for r in records(table)}
    assert set(table["unit"]) == {"yuan", "year"}
    years = ["1", "2", "3", "4", "5"]
    assert [rows["result", "total_outlay"][y] for y in years] if ("result", "total_outlay") in rows else True
    assert [rows["outlay", "total_outlay"][y] for y in years] == [21_000, 3000, 0, 10_500, 500]
    assert [rows["income", "total_income"][y] for y in years] == [0, 30_000, 0, 0, 15_000]
    assert [rows["result", "cumulative"][y] for y in years] == [-21_000, 6000, 6000, -4500, 10_000]
    assert (rows["result", "peak_gap"]["total"], rows["result", "peak_gap_year"]["total"]) == (21_000, 1)
    assert rows["outlay", "land_compensation"]["total"] == 30_000
    assert rows["result", "surplus"]["owner"] == 28_000


amounts = st.lists(st.floats(0, 1e7), min_size=12, max_size=12)


@settings(max_examples=6, deadline=None)
@given(amounts, st.floats(0, 9999.99))
def test_money_balances_over_the_parties_to_the_cent(floor: list[float], price: float) -> None:
    config = config_of({"modes": {"figures": {"land_price": figure(price)}}})
    report = reported(config, floor=floor)
    cents = (report.payments["amount_yuan"] * 100).round().astype("int64")
    net = dict.fromkeys(PARTIES, 0)
    for payer, payee, amount in zip(report.payments["payer"], report.payments["payee"], cents, strict=True):
        net[payer] -= amount
        net[payee] += amount
    shown = {r["party"]: round(r["balance_yuan"] * 100) for r in records(report.parties)}
    assert sum(shown[p] for p in PARTIES if p != "outside") + net["outside"] == 0
    assert shown == {p: v for p, v in net.items() if p != "outside"} | {"public": net["town"] + net["city"]}
    balance = {r["item"]: r for r in records(report.funding_balance)}
    for party in ("town", "city", "collective", "owner", "developer"):
        assert round(balance["surplus"][party] * 100) == net[party]
        assert round((balance["total_income"][party] - balance["total_outlay"][party]) * 100) == net[party]


# ------------------------------------------------------------------------------------------------ limits


def test_limits_say_how_much_the_plan_takes_of_each(report: ModeReport) -> None:
    rows = {(r["name"], r["period"]): (r["taken"], r["most"], r["unit"]) for r in records(report.limits)}
    gap_by_year = {"1": 21_000, "2": -8000, "3": -8000, "4": 2500, "5": -12_000}
    gaps = {period: value for (name, period), value in rows.items() if name == "peak gap of town"}
    assert "1" in gaps
    assert gaps == {y: (pytest.approx(gap_by_year[y]), 22_000, "CNY") for y in gaps}
    others = {key: value for key, value in rows.items() if key[0] != "peak gap of town"}
    assert others == {
        ("outlay of town", "P1"): (pytest.approx(21_000), 25_000, "CNY"),
        ("outlay of town", "P3"): (
            pytest.approx(10_500),
            10_400,
            "CNY",
        ),  # the table shows it, the optimiser forbids it
        ("outlay of owner", "P2"): (pytest.approx(4000), 4000, "CNY"),
        ("decant floor area", "by 3.75"): (pytest.approx(300), 350, "m²"),
    }


def test_taken_follows_from_the_arrays_of_the_resource() -> None:
    use = np.zeros((4, 2, 2))
    use[:, 0, 0], use[:, 0, 1], use[:, 1, 0] = [1, 2, 3, 4], [10, 20, 30, 40], [-5, -6, -7, -8]
    timing = np.zeros((2, 2, 2, 2))
    timing[0, 0, 0] = [0.5, 0.25]  # first period: of blocks of phase 0 and mode 0
    timing[1, 0, 0] = [1.0, 1.0]
    timing[1, 1, 1] = [0.1, 9.0]
    resource = Resource("money", "yuan", use, (100.0, None), ("one", "two"), timing)
    table = limit_table([resource], [Block((0, 2), 0, 0), Block((1, 3), 1, 1)])
    assert records(table) == [
        {"name": "money", "period": "one", "unit": "yuan", "taken": 0.5 * 4 + 0.25 * 40, "most": 100.0},
        {"name": "money", "period": "two", "unit": "yuan", "taken": pytest.approx(44 - 0.1 * 14), "most": None},
    ]
    assert records(limit_table([resource], [])) == [
        {"name": "money", "period": p, "unit": "yuan", "taken": 0.0, "most": m}
        for p, m in (("one", 100.0), ("two", None))
    ]


def test_the_peak_gap_and_the_outlays_are_those_of_the_limits(report: ModeReport) -> None:
    summary = mode_summary(report, config_of(FULL))["money"]
    worst = {row["party"]: row["peak_gap_yuan"] for row in summary["peak_gaps"]}
    taken = report.limits[report.limits["name"] == "peak gap of town"]["taken"]
    assert worst["town"] == pytest.approx(taken.max())
    for row in summary["limits"]:
        if row["name"] == "outlay of town":
            assert summary["outlays"]["town"][row["period"]] == pytest.approx(row["taken"])


# ------------------------------------------------------------------------------------------------ the rest


def test_every_table_has_its_name_and_absent_sections_have_none(report: ModeReport) -> None:
    always = {
        "milestones",
        "payments",
        "funding_balance",
        "parties",
        "limits",
        "consent",
        "space_years",
        "space_blocks",
    }
    assert set(report.tables()) == always | {"firm_moves", "decant_sites", "villages"}
    plain = reported(config_of())
    assert set(plain.tables()) == always
    assert plain.limits.empty
    assert plain.consent.empty
    summary = mode_summary(plain, config_of())
    assert (summary["decanting"], summary["villages"], summary["consent"]) == (None, None, [])
    assert summary["money"]["limits"] == []


def test_the_summary_is_plain_json(report: ModeReport) -> None:
    summary = mode_summary(report, config_of(FULL))
    assert set(summary) == {"modes", "milestones", "money", "consent", "space", "decanting", "villages"}
    assert set(summary["money"]) == {"peak_gaps", "outlays", "parties", "discount_rate", "limits"}
    assert summary["modes"] == [
        {"id": "clear", "name_zh": "拆除", "name_en": "Clear", "blocks": 2},
        {"id": "keep", "name_zh": "整治", "name_en": "Keep", "blocks": 1},
    ]
    assert json.loads(json.dumps(summary, allow_nan=False)) == summary


def test_a_plan_without_blocks_has_tables_too() -> None:
    config = config_of(FULL)
    empty = reported(config, ())
    summary = mode_summary(empty, config)
    json.dumps(summary, allow_nan=False)
    assert summary["milestones"] == []
    assert summary["money"]["outlays"] == {}
    assert all(row["balance_yuan"] == 0 for row in summary["money"]["parties"])
    assert (empty.limits["taken"] == 0).all()


def test_consent_space_firms_and_villages_of_the_plan(report: ModeReport) -> None:
    summary = mode_summary(report, config_of(FULL))
    assert [(r["block_id"], r["needed_holders_share"], r["signed_passed"]) for r in summary["consent"]] == [
        ("A", 0.6, True),
        ("B", None, True),
        ("C", 0.6, True),
    ]
    first = summary["space"]["blocks"][0]
    assert (first["before_floor_m2"], first["net_area_mu"]) == (200, pytest.approx(10))
    assert first["after_floor_m2"] == pytest.approx(2 * 10 * 10_000 / 15)
    assert [(r["status"], r["floor_m2"]) for r in summary["decanting"]["fates"]] == [("kept", 900), ("moved", 300)]
    assert summary["decanting"]["missing_m2"] == 0
    taken = {r["village"]: r["taken_mu"] for r in summary["villages"]}
    assert taken == {"east": pytest.approx(40), "west": pytest.approx(10)}  # P08 is west


def test_firms_are_counted_and_unknown_numbers_are_not_none() -> None:
    """P02 has 5 firms, 2 of them large; of P03 the number is not known, of P08 not how many of its 3 are large."""
    config = config_of(FULL, {"modes": {"decant": {"firms": "firms", "large_firms": "large"}}})
    firms = [0.0, 0.0, 5.0, None, *[1.0] * 4, 3.0, *[1.0] * 3]
    large = [0.0, 0.0, 2.0, *[0.0] * 5, None, *[0.0] * 3]
    report = reported(config, firms=firms, large=large)
    decanting = mode_summary(report, config)["decanting"]
    assert decanting is not None
    kept, moved = decanting["fates"]
    assert (kept["status"], kept["firms"], kept["firms_unknown_entries"], kept["large_firms"]) == ("kept", 7, 0, 0)
    assert moved == {
        "status": "moved",
        "entries": 4,  # the large ones of P02, its others, P03, P08
        "firms": 8,
        "firms_unknown_entries": 1,
        "large_firms": 2,
        "large_firms_unknown_entries": 1,  # P03 has 0, of however many firms
        "floor_m2": 300,
        "floor_m2_unknown_entries": 0,
    }
    none = mode_summary(reported(config_of(FULL)), config_of(FULL))["decanting"]
    assert none is not None
    assert {(r["firms"], r["large_firms"]) for r in none["fates"]} == {(None, None)}


def test_tax_that_the_town_keeps_is_blank_while_a_part_of_it_is_unknown() -> None:
    """Of 12 parcels at 1000 yuan A leaves at 0.75; what is new is 600 yuan for each of 10 net mu when full, at 4."""
    known = {r["item"]: r for r in records(reported(config_of(FULL), BLOCKS[:1]).funding_balance)}["retained_tax"]
    assert known["1"] == pytest.approx(0.5 * (12_000 - 2000 * 0.25))
    assert known["4"] == pytest.approx(0.5 * (10_000 + 6000 * 0.75))  # the mean of a half and all
    unknown = reported(config_of(FULL), BLOCKS[:1], tax=[None] * 12)
    memo = {r["item"]: r for r in records(unknown.funding_balance)}["retained_tax"]
    assert [memo[y] for y in ("1", "4", "total")] == [None, None, None]
    paid = {r["item"]: r for r in records(unknown.funding_balance)}["total_outlay"]
    assert paid["1"] == 21_000


def test_the_report_is_about_the_payments_of_the_terms() -> None:
    config = config_of(FULL)
    terms, fields, points = answered(config)
    report = mode_report(config, terms, fields, BLOCKS, IDS, assign, points)
    cents = payments(terms.lines, terms.timetable, BLOCKS, IDS)["amount_cents"]
    assert (report.payments["amount_yuan"] * 100).tolist() == cents.tolist()
    assert terms.net_cost_yuan[[2, 3], 0].sum() + terms.net_cost_yuan[[6, 7], 1].sum() + terms.net_cost_yuan[
        8, 0
    ] == pytest.approx(-10_000)  # cost of town and city in the objective = what they are short of in the end
    assert not set(fields.columns) & set(figure_fields(fields, modes_of(config).figures).columns[len(fields.columns) :])
