"""The page on money is what the tables give, and adds up when it is worked out anew from its own text."""

from __future__ import annotations

import re
from decimal import Decimal
from fractions import Fraction

import pytest

from docs import build_money
from tests.docs.pages import Table, table_under, text_of

PAGE = text_of("money.md")
_NUMBER = re.compile(r"−?\d[\d ]*(?:\.\d+)?")


def _number(text: str) -> Fraction:
    return Fraction(Decimal(text.replace(" ", "").replace("−", "-")))


def _section(number: int) -> Table:
    (heading,) = re.findall(rf"^### ({number}\. .*)$", PAGE, flags=re.MULTILINE)
    return table_under(PAGE, heading)


def _payments() -> dict[str, Fraction]:
    """Number of a payment → its amount."""
    parts = re.split(r"^\*\*(\(\d+\))", PAGE, flags=re.MULTILINE)[1:]
    texts = dict(zip(parts[::2], parts[1::2], strict=True))
    return {k: _number(re.findall(r"Together \*\*(.*?)\*\*", text)[0]) for k, text in texts.items()}


def test_the_example_is_up_to_date() -> None:
    made = f"{build_money.BEGIN}\n{build_money.money_example()}\n{build_money.END}"
    assert made in PAGE, "run: python -m docs.build_money"


def test_every_product_is_right() -> None:
    products = re.findall(r"^- (?:\w: )?(.*) = (.*)$", PAGE, flags=re.MULTILINE)
    assert len(products) > 40
    for factors, result in products:
        value = Fraction(1)
        for factor in factors.split(" × "):
            value *= _number(factor)
        assert value == _number(result), factors


def test_parcels_add_up_to_the_payment() -> None:
    blocks = re.findall(r"((?:^- .*\n)+)\nTogether \*\*(.*?)\*\*", PAGE, flags=re.MULTILINE)
    assert len(blocks) == len(_payments()) == 17
    for lines, together in blocks:
        assert sum(_number(r) for r in re.findall(r" = (.*)$", lines, flags=re.MULTILINE)) == _number(together)


def test_shares_are_those_of_the_payments_they_name() -> None:
    paid = _payments()
    shares = re.findall(r"of payments? ([\d, ]+)\n\n- .* × ([\d .]+) =", PAGE)
    assert len(shares) == 3
    for names, base in shares:
        assert sum(paid[f"({k})"] for k in names.split(", ")) == _number(base)


def test_years_add_up_to_the_payment_and_are_its_part() -> None:
    table, paid = _section(5), _payments()
    by_payment: dict[str, Fraction] = {}
    for key, _, part, years, yuan in table.rows:
        first, _, last = years.partition("–")
        count = int(last or first) - int(first) + 1
        by_payment[key] = by_payment.get(key, Fraction(0)) + count * _number(yuan)
        share = Fraction(1) if part == "all" else Fraction(part)
        assert float(_number(yuan)) == pytest.approx(float(paid[key] * share), abs=0.01)
    assert by_payment == {k: v for k, v in paid.items() if v}


def test_the_town_and_its_peak_gap() -> None:
    so_far, worst = Fraction(0), Fraction(0)
    for _, paid, received, net, cumulative in _section(6).rows:
        assert _number(net) == _number(received) - _number(paid)
        so_far += _number(net)
        assert so_far == _number(cumulative)
        worst = min(worst, so_far)
    (told,) = re.findall(r"peak gap: \*\*([\d .]+) yuan", PAGE)
    assert _number(told) == -worst > 0


def test_all_parties_add_up_to_nothing() -> None:
    *years, total = _section(7).rows
    sums = [Fraction(0)] * 6
    for span, *cells in years:
        assert sum(map(_number, cells[:-1])) == _number(cells[-1]) == 0
        first, _, last = span.removesuffix(", each").partition("–")
        times = int(last or first) - int(first) + 1
        sums = [s + times * _number(c) for s, c in zip(sums, cells, strict=False)]
    assert [_number(c) for c in total[1:-1]] == sums
    town = sum(_number(row[3]) for row in _section(6).rows)
    assert sums[0] == town


def test_the_balance_adds_up_as_displayed() -> None:
    table = _section(8)
    rows = {row[1]: [_number(c) for c in row[2:] if _NUMBER.fullmatch(c)] for row in table.rows}
    names = list(rows)
    outlays = names[: names.index("Total outlay")]
    assert [sum(c) for c in zip(*(rows[n] for n in outlays), strict=True)] == rows["Total outlay"]
    for row in ("Total outlay", "Total income", "Surplus of the year"):
        assert sum(rows[row][:-1]) == rows[row][-1]
    assert rows["Cumulative surplus"][-1] == rows["Surplus of the year"][-1]
    assert rows["Peak gap"] == [-min(rows["Cumulative surplus"])]
