"""Payments by year: hand-worked sums, cents that add up, accounts that balance."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geodata.errors import DataError
from planner.modes.flows import payments, postings
from planner.modes.terms import Lines, MoneyLine
from planner.problem import Block
from planner.spec_modes import PARTIES
from tests.planner.modes.money_cases import frame, line, modes_of, pay, priced, times


def test_one_block_by_hand() -> None:
    """450 000 yuan/mu at the signing, month 6; 12 000 yuan/mu of rent over the 24 months from then on."""
    modes = modes_of(
        pay("land", "town", "owner", amount="450000 * area_mu"),
        pay("rent", "developer", "collective", amount="12000 * area_mu", start="signed", months=24),
    )
    timetable = times((2027, 2030))
    lines = priced(modes, timetable, frame(area_mu=[10.0, 4.0, 99.0]))
    found = payments(lines, timetable, [Block((0, 1), 1)], ["QX-001"])
    assert found[["line", "year", "amount_cents"]].to_numpy().tolist() == [
        ["land", 2028, 630_000_000],  # 14 mu, launched at the end of 2027
        ["rent", 2028, 4_200_000],  # 168 000 yuan: a quarter, a half, a quarter
        ["rent", 2029, 8_400_000],
        ["rent", 2030, 4_200_000],
    ]
    first = found.iloc[0]
    assert (first["block_id"], first["phase"], first["mode"]) == ("QX-001", 2, "mode0")
    assert (first["payer"], first["payee"], first["outlay"], first["income"]) == (
        "town",
        "owner",
        "land_compensation",
        "grant",
    )
    assert (found["year"].dtype, found["amount_cents"].dtype) == (np.int64, np.int64)


def test_cents_of_a_line_are_rounded_once_and_kept_by_the_years() -> None:
    """Three parcels of 0.334 yuan are 1.002 = 100 cents; over three years 33 + 34 + 33."""
    found = payments(((line([0.334] * 3, 0, 36),),), times((1,)), [Block((0, 1, 2), 0)], ["a"])
    assert found["amount_cents"].tolist() == [33, 34, 33]
    assert found["year"].tolist() == [1, 2, 3]


def test_years_without_a_cent_have_no_row() -> None:
    lines = ((line([0.01], 0, 36), line([0.0], 0, 0)),)
    found = payments(lines, times((1,)), [Block((0,), 0)], ["a"])
    assert found[["year", "amount_cents"]].to_numpy().tolist() == [[2, 1]]


def test_outside_books_nothing() -> None:
    found = payments(
        ((line([1.0], 0, 0, payer="outside", payee="town", outlay=None, income="rent"),),),
        times((1,)),
        [Block((0,), 0)],
        ["a"],
    )
    assert found["outlay"].isna().all()
    assert found["income"].tolist() == ["rent"]


def test_no_blocks_no_payments() -> None:
    found = payments(((line([1.0], 0, 0),),), times((1,)), [], [])
    assert len(found) == 0
    assert found["amount_cents"].dtype == np.int64
    assert len(postings(found)) == 0


def test_a_block_of_unknown_payments_is_refused() -> None:
    lines = ((line([1.0, np.nan], 0, 0), line([np.nan, np.nan], 0, 0)),)
    with pytest.raises(DataError) as caught:
        payments(lines, times((1,)), [Block((0,), 0), Block((0, 1), 0)], ["a", "b"])
    assert [str(i).split(":")[0] for i in caught.value.issues] == [
        "block a, line x of mode mode0",
        "block b, line x of mode mode0",
        "block b, line x of mode mode0",
    ]


@st.composite
def some_lines(draw: st.DrawFn) -> Lines:
    """Two modes of payments among all parties, of amounts with fractions of cents."""

    def one() -> MoneyLine:
        payer, payee = draw(st.permutations(PARTIES))[:2]
        first = draw(st.floats(0, 60))
        span = draw(st.sampled_from([0.0, 0.5, 7.3, 12.0, 240.0]))
        booked = {"outlay": None if payer == "outside" else "rent", "income": None if payee == "outside" else "rent"}
        amounts = draw(st.lists(st.floats(0, 1e9), min_size=4, max_size=4))
        return line(amounts, first, first + span, payer=payer, payee=payee, **booked)

    return tuple(tuple(one() for _ in range(draw(st.integers(0, 4)))) for _ in range(2))


BLOCKS = st.sampled_from(
    [(Block((0, 1), 0, 0), Block((2, 3), 1, 1)), (Block((0, 1, 2, 3), 1, 0),), (Block((3,), 0, 1), Block((1,), 0, 0))]
)


@given(lines=some_lines(), blocks=BLOCKS)
@settings(max_examples=60, deadline=None)
def test_accounts_balance_to_the_cent(lines: Lines, blocks: tuple[Block, ...]) -> None:
    """From the table alone: over all parties 0 in every year, block and line; in all, the rounded sums of parcels."""
    found = payments(lines, times((2, 5), modes=2), blocks, [f"b{k}" for k in range(len(blocks))])
    assert (found["amount_cents"] > 0).all()
    assert (found["payer"] != found["payee"]).all()
    both = postings(found)
    assert both["amount_cents"].sum() == 0
    for key in ("year", "block_id", "line"):
        assert (both.groupby(key)["amount_cents"].sum() == 0).all()
    by_party = both.groupby("party")["amount_cents"].sum()
    received = found.groupby("payee")["amount_cents"].sum()
    paid = found.groupby("payer")["amount_cents"].sum()
    assert by_party.to_dict() == received.sub(paid, fill_value=0).astype("int64").to_dict()
    expected = sum(
        round(sum(x.amount_yuan[i] for i in block.parcels) * 100) for block in blocks for x in lines[block.mode]
    )
    lines_of_blocks = sum(len(lines[b.mode]) for b in blocks)
    assert abs(int(found["amount_cents"].sum()) - expected) <= lines_of_blocks  # the order of a float sum, at most


@given(lines=some_lines(), order=st.permutations(range(4)))
@settings(max_examples=25, deadline=None)
def test_the_order_of_parcels_changes_nothing(lines: Lines, order: list[int]) -> None:
    turned = tuple(
        tuple(MoneyLine(x.spec, x.amount_yuan[order], x.first_month, x.last_month) for x in of_mode)
        for of_mode in lines
    )
    block = Block((0, 1, 2), 0, 0)
    moved = Block(tuple(sorted(order.index(i) for i in block.parcels)), 0, 0)
    timetable = times((2,), modes=2)
    same = payments(lines, timetable, [block], ["a"]), payments(turned, timetable, [moved], ["a"])
    pd.testing.assert_frame_equal(*same)
