"""Cash, peak gaps, present value and the funding balance, worked out by hand; displayed figures that add up."""

from __future__ import annotations

from decimal import Decimal
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from planner.modes.balance import (
    ACCOUNTS,
    cash_by_year,
    funding_balance,
    funding_balances_by,
    net_present_value,
    peak_gaps,
)
from planner.modes.displayed import apportion, in_wan_yuan
from planner.modes.names import ITEM_NAMES, MILESTONE_NAMES, PARTY_NAMES, STANDARD
from planner.spec_modes import ITEMS, MILESTONES, PARTIES

COLUMNS = ["block_id", "phase", "mode", "line", "payer", "payee", "outlay", "income", "year", "amount_cents"]


def table(*rows: tuple[Any, ...]) -> pd.DataFrame:
    """Payments from rows of payer, payee, outlay, income, year, yuan; each a line of its own."""
    full = [("b1", 1, "buy", f"l{k}", *row[:5], round(row[5] * 100)) for k, row in enumerate(rows)]
    texts = dict.fromkeys([c for c in COLUMNS if c not in ("phase", "year", "amount_cents")], "str")
    return pd.DataFrame(full, columns=COLUMNS).astype(texts | {"year": "int64", "amount_cents": "int64"})


STORY = table(
    ("town", "owner", "land_compensation", "compensation", 2027, 100.0),
    ("town", "outside", "demolition", None, 2028, 30.0),
    ("city", "town", "grant", "grant", 2028, 20.0),
    ("developer", "town", "land_price", "land_sale", 2030, 150.0),
    ("outside", "collective", None, "rent", 2030, 8.0),
)
"""The town lays out 100 and 30, has a grant of 20 and sells for 150; nothing happens in 2029."""


def cell(balance: pd.DataFrame, item: str, column: str, section: str = "result") -> int | None:
    rows = balance[(balance["section"] == section) & (balance["item"] == item)]
    value = rows[column].iloc[0]
    return None if pd.isna(value) else int(value)


def test_cash_by_year() -> None:
    cash = cash_by_year(STORY)
    town = cash[cash["party"] == "town"].set_index("year")
    assert town.index.tolist() == [2027, 2028, 2029, 2030]
    assert town["paid_cents"].tolist() == [10_000, 3_000, 0, 0]
    assert town["received_cents"].tolist() == [0, 2_000, 0, 15_000]
    assert town["cumulative_cents"].tolist() == [-10_000, -11_000, -11_000, 4_000]
    assert (cash.groupby("year")["net_cents"].sum() == 0).all()


def test_peak_gaps() -> None:
    peaks = peak_gaps(STORY).set_index("party")
    assert peaks.loc["town"].tolist() == [110.0, 2028]  # 2029 is as deep: the first counts
    assert peaks.loc["public"].tolist() == [130.0, 2028]  # the grant stays among the two
    assert peaks.loc["developer"].tolist() == [150.0, 2030]
    assert peaks.loc["owner", "peak_gap_yuan"] == 0.0
    assert pd.isna(peaks.loc["owner", "year"])


def test_net_present_value() -> None:
    value = net_present_value(STORY, 0.1, 2027).set_index("party")
    assert value.loc["town", "balance_yuan"] == 40.0
    assert value.loc["town", "npv_yuan"] == pytest.approx(-100 - 10 / 1.1 + 150 / 1.331)
    static = net_present_value(STORY, 0.0, 2027)
    assert static["npv_yuan"].tolist() == static["balance_yuan"].tolist()


def test_funding_balance_by_hand() -> None:
    found = funding_balance(STORY)
    assert list(found.columns[5:]) == ["2027", "2028", "2029", "2030", "total", *ACCOUNTS]
    columns = ["2027", "2028", "2029", "2030", "total", "town", "city", "collective", "owner", "developer"]

    def row(item: str, section: str) -> list[int | None]:
        return [cell(found, item, c, section) for c in columns]

    assert row("land_compensation", "outlay") == [10_000, 0, 0, 0, 10_000, 10_000, 0, 0, 0, 0]
    assert row("grant", "outlay") == [0, 2_000, 0, 0, 2_000, 0, 2_000, 0, 0, 0]
    assert row("land_price", "outlay") == [0, 0, 0, 0, 0, 0, 0, 0, 0, 15_000]
    assert row("total_outlay", "outlay") == [10_000, 5_000, 0, 0, 15_000, 13_000, 2_000, 0, 0, 15_000]
    assert row("grant", "income") == [0, 2_000, 0, 0, 2_000, 2_000, 0, 0, 0, 0]
    assert row("total_income", "income") == [0, 2_000, 0, 15_000, 17_000, 17_000, 0, 800, 10_000, 0]
    assert row("surplus", "result") == [-10_000, -3_000, 0, 15_000, 2_000, 4_000, -2_000, 800, 10_000, -15_000]
    assert row("cumulative", "result") == [-10_000, -13_000, -13_000, 2_000, *row("surplus", "result")[4:]]
    assert row("peak_gap", "result") == [None] * 4 + [13_000, 11_000, 2_000, 0, 0, 15_000]
    assert row("peak_gap_year", "result") == [None] * 4 + [2028, 2028, 2028, None, None, 2030]
    outside = -3_000 + 800
    assert sum(v for v in row("surplus", "result")[5:] if v is not None) == outside  # +30 to, −8 from everybody else


def test_rows_of_the_form_stand_in_its_order() -> None:
    found = funding_balance(STORY)
    outlays = found[found["section"] == "outlay"]["item"].tolist()
    assert set(STANDARD["outlay"]) < set(outlays)
    assert outlays[:-1] == [i for i in ITEMS if i in outlays]
    assert outlays[-1] == "total_outlay"
    first = found.iloc[0]
    assert (first["name_zh"], first["name_en"], first["unit"]) == ("土地补偿", "Land compensation", "cents")
    assert found["item"].tolist()[-4:] == ["surplus", "cumulative", "peak_gap", "peak_gap_year"]


def test_years_of_one_party() -> None:
    found = funding_balance(STORY, ("developer",))
    assert [cell(found, "surplus", c) for c in ("2027", "2030", "total", "developer")] == [0, -15_000, -15_000, -15_000]


def test_parts_add_up_to_the_whole() -> None:
    mixed = STORY.assign(mode=["a", "b", "a", "b", "a"])
    parts = funding_balances_by(mixed, "mode")
    assert list(parts) == ["a", "b"]
    whole = funding_balance(mixed)
    for column in ("total", "town", "developer"):
        assert sum(cell(p, "surplus", column) or 0 for p in parts.values()) == cell(whole, "surplus", column)


def test_tax_is_a_memo_outside_the_balance() -> None:
    tax = pd.Series({2028: 1.5, 2032: 2.25})
    found = funding_balance(STORY, retained_tax_yuan=tax)
    plain = funding_balance(STORY)
    columns = ["2027", "2028", "2032", "total", "town", "city"]
    assert [cell(found, "retained_tax", c, "memo") for c in columns] == [None, 150, 225, 375, 375, None]
    assert cell(found, "surplus", "total") == cell(plain, "surplus", "total")
    gap = funding_balance(STORY, retained_tax_yuan=pd.Series({2028: 1.5, 2029: np.nan}))
    assert [cell(gap, "retained_tax", c, "memo") for c in ("2028", "2029", "total")] == [150, None, None]
    assert "retained_tax" not in funding_balance(STORY, ("city",), tax)["item"].tolist()


def test_no_payments() -> None:
    nothing = STORY.iloc[:0]
    found = funding_balance(nothing)
    assert list(found.columns[5:]) == ["total", *ACCOUNTS]
    assert cell(found, "surplus", "total") == 0
    assert peak_gaps(nothing)["peak_gap_yuan"].tolist() == [0.0] * 6
    assert net_present_value(nothing, 0.05, 2027)["npv_yuan"].tolist() == [0.0] * 6
    assert in_wan_yuan(found)["total"].iloc[-2] == Decimal("0.00")


def test_every_code_has_its_names() -> None:
    assert set(ITEM_NAMES) == set(ITEMS)
    assert set(PARTY_NAMES) == set(PARTIES)
    assert set(MILESTONE_NAMES) == set(MILESTONES)
    for side in ("outlay", "income"):
        names = [getattr(n, side) for n in ITEM_NAMES.values()]
        assert len({n.zh for n in names}) == len({n.en for n in names}) == len(names)


def test_largest_remainders() -> None:
    """Three times 33.33 yuan are a hundred yuan: one step of 100 yuan, which the largest remainder takes."""
    assert apportion(np.array([3_333, 3_334, 3_333]), 1).tolist() == [0, 1, 0]
    assert apportion(np.array([5_000, 25_000, 20_000]), 5).tolist() == [1, 2, 2]  # of equals the first


def test_the_gap_is_the_one_that_the_displayed_years_show() -> None:
    """Twice 149 yuan are 298: 0.03 in all, displayed as 0.02 and 0.01. The gap of 149 yuan is 0.02 like its year."""
    rows = [("town", "outside", "demolition", None, year, 149.0) for year in (2027, 2028)]
    back = ("city", "town", "grant", "grant", 2028, 1000.0)
    shown = in_wan_yuan(funding_balance(table(*rows, back), ("town",)), ("town",)).set_index(["section", "item"])
    first = shown.loc[("result", "cumulative"), "2027"]
    assert first == Decimal("-0.02")
    assert shown.loc[("result", "peak_gap"), "total"] == shown.loc[("result", "peak_gap"), "town"] == -first


def test_parties_add_up_as_displayed() -> None:
    """Town and city lay out 49 yuan each, 0.01 万元 together: one of the two shows it."""
    rows = [(party, "outside", "demolition", None, 2027, 49.0) for party in ("town", "city")]
    shown = in_wan_yuan(funding_balance(table(*rows))).set_index(["section", "item"])
    total = shown.loc[("outlay", "total_outlay")]
    assert total[["total", "town", "city"]].tolist() == [Decimal("0.01"), Decimal("0.01"), 0]


def test_displayed_by_hand() -> None:
    rows = [
        ("town", "outside", item, None, 2027, 33.0) for item in ("demolition", "soil_survey", "preliminary")
    ]  # 99 yuan, displayed as 0.01 万元
    shown = in_wan_yuan(funding_balance(table(*rows))).set_index(["section", "item"])
    assert shown.loc["outlay", "2027"].loc["total_outlay"] == Decimal("0.01")
    inside = shown.loc["outlay", "2027"].drop("total_outlay")
    assert sum(inside) == Decimal("0.01")
    assert str(shown.loc[("result", "cumulative"), "total"]) == "-0.01"
    assert shown.loc[("result", "peak_gap"), "total"] == Decimal("0.01")
    assert shown.loc[("result", "peak_gap_year"), "total"] == 2027
    assert shown.loc[("result", "peak_gap"), "2027"] is None


PAYMENTS = st.lists(
    st.tuples(
        st.sampled_from(PARTIES),
        st.sampled_from(PARTIES),
        st.sampled_from(ITEMS),
        st.sampled_from(ITEMS),
        st.integers(2026, 2031),
        st.integers(1, 3_000_000).map(lambda c: c / 100),
    ).filter(lambda row: row[0] != row[1]),
    max_size=15,
)


@given(rows=PAYMENTS, of=st.sampled_from([("town", "city"), ("town",), ("collective",), ("town", "owner")]))
@settings(max_examples=25, deadline=None)
def test_what_is_displayed_adds_up(rows: list[tuple[Any, ...]], of: tuple[Any, ...]) -> None:
    booked = [
        (a, b, None if a == "outside" else out, None if b == "outside" else income, y, v)
        for a, b, out, income, y, v in rows
    ]
    exact = funding_balance(table(*booked), of)
    shown = in_wan_yuan(exact, of)
    columns = [str(c) for c in exact.columns[5:]]
    years = columns[: columns.index("total")]
    at = {key: k for k, key in enumerate(zip(shown["section"], shown["item"], strict=True))}
    for column in columns:
        values = shown[column]
        for side in ("outlay", "income"):
            items = [values[k] for (section, item), k in at.items() if section == side and item != f"total_{side}"]
            assert sum(items) == values[at[side, f"total_{side}"]]
        surplus = values[at["income", "total_income"]] - values[at["outlay", "total_outlay"]]
        assert surplus == values[at["result", "surplus"]]
        for k in range(at["result", "surplus"]):
            assert abs(values[k] - Decimal(int(exact[column][k])) / 1_000_000) < Decimal("0.01")
    for key in (("outlay", "total_outlay"), ("income", "total_income"), ("result", "surplus")):
        row = shown.iloc[at[key]]
        assert (sum(row[y] for y in years) if years else 0) == row["total"] == sum(row[p] for p in of)
    running = shown.iloc[at["result", "cumulative"]]
    steps = shown.iloc[at["result", "surplus"]]
    assert all(running[b] - running[a] == steps[b] for a, b in pairwise(years))
    assert all(running[y] == running["total"] for y in years[-1:])
    gap = shown.iloc[at["result", "peak_gap"]]
    if gap["total"] > 0:
        year = str(shown.iloc[at["result", "peak_gap_year"]]["total"])
        assert gap["total"] == -running[year]
    assert len(of) > 1 or gap[of[0]] == gap["total"]


@given(rows=PAYMENTS)
@settings(max_examples=25, deadline=None)
def test_all_parties_balance_in_the_funding_balance(rows: list[tuple[Any, ...]]) -> None:
    """Without outside payments the surpluses of all parties add up to 0."""
    inside = table(*(row for row in rows if "outside" not in row[:2]))
    found = funding_balance(inside)
    assert sum(cell(found, "surplus", p) or 0 for p in ACCOUNTS) == 0
    cash = cash_by_year(inside)
    assert (cash.groupby("year")["net_cents"].sum() == 0).all()
    assert (cash.groupby("party")["net_cents"].cumsum() == cash["cumulative_cents"]).all()
