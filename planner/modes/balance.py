"""What the payments of a plan come to: cash by year and party, peak gaps, net present value, 资金平衡表.

Everything is summed from the table of `planner.modes.flows.payments`; a part of the plan (a mode, a block) is the same
functions over some of its rows.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, get_args

import numpy as np
import pandas as pd

from planner.modes.flows import CENTS_PER_YUAN, postings
from planner.modes.names import RESULT_NAMES, STANDARD, Side, item_name
from planner.problem import Ints
from planner.spec_modes import ITEMS, PARTIES, Party

PUBLIC: Final[tuple[Party, ...]] = ("town", "city")
"""Parties whose money is public."""
ACCOUNTS: Final[tuple[Party, ...]] = tuple(p for p in PARTIES if p != "outside")
"""Parties with columns of their own."""
HEAD: Final = ("section", "item", "name_zh", "name_en", "unit")
"""First columns of a funding balance."""
SIDES: Final[tuple[Side, ...]] = get_args(Side)


def cash_by_year(payments: pd.DataFrame) -> pd.DataFrame:
    """What every party, `outside` among them, pays and receives.

    Returns
    -------
    pandas.DataFrame
        One row per party and year, from the first year with a payment to the last: ``party``, ``year``,
        ``paid_cents``, ``received_cents``, ``net_cents`` (received less paid), ``cumulative_cents``, int64. In every
        year the nets of all parties add up to 0.
    """
    years = _years(payments)
    paid, received = (_sums(payments, years, who) for who in ("payer", "payee"))
    net = received - paid
    return pd.DataFrame(
        {
            "party": pd.Series(np.repeat(np.array(PARTIES), len(years)), dtype="str"),
            "year": np.tile(years, len(PARTIES)),
            "paid_cents": paid.ravel(),
            "received_cents": received.ravel(),
            "net_cents": net.ravel(),
            "cumulative_cents": net.cumsum(axis=1).ravel(),
        }
    )


def _years(payments: pd.DataFrame, more: Collection[int] = ()) -> Ints:
    """All years from the first to the last of the payments (and some more)."""
    reached = [*payments["year"].unique().tolist(), *more]
    return np.arange(min(reached), max(reached) + 1) if reached else np.zeros(0, dtype=np.int64)


def _sums(rows: pd.DataFrame, years: Ints, who: str) -> Ints:
    """Cents by party (`PARTIES`) and year."""
    total = np.zeros((len(PARTIES), len(years)), dtype=np.int64)
    if len(rows):
        party = pd.Index(PARTIES).get_indexer(pd.Index(rows[who]))
        np.add.at(total, (party, rows["year"].to_numpy() - years[0]), rows["amount_cents"].to_numpy())
    return total


def _nets(payments: pd.DataFrame, years: Ints) -> Ints:
    """Received less paid, cents by party (`PARTIES`) and year."""
    return _sums(payments, years, "payee") - _sums(payments, years, "payer")


def _of(values: Ints, parties: Collection[Party]) -> Ints:
    """Sum of the rows of some parties."""
    return np.asarray(values[[p in parties for p in PARTIES]].sum(axis=0))


def _accounts(public: tuple[Party, ...]) -> list[tuple[str, tuple[Party, ...]]]:
    return [("public", public), *((p, (p,)) for p in ACCOUNTS)]


def _peak(net: Ints, years: Ints) -> tuple[int, int | None]:
    """Largest amount, cents, by which payments exceed receipts at the end of a year, and its first year."""
    if not len(years):
        return 0, None
    cumulative = net.cumsum()
    worst = int(cumulative.argmin())
    gap = -int(cumulative[worst])
    return (gap, int(years[worst])) if gap > 0 else (0, None)


def peak_gaps(payments: pd.DataFrame, public: tuple[Party, ...] = PUBLIC) -> pd.DataFrame:
    """Peak gap 峰值缺口 of each party: the most that all it has paid exceeds all it has received, at the end of a year.

    Returns
    -------
    pandas.DataFrame
        One row for the public parties together ('public'), then one for each: ``party``, ``peak_gap_yuan`` (0 where
        there is none), ``year`` (the first such, missing without a gap).
    """
    years = _years(payments)
    nets = _nets(payments, years)
    rows = [(name, *_peak(_of(nets, parties), years)) for name, parties in _accounts(public)]
    table = pd.DataFrame(rows, columns=["party", "peak_gap_yuan", "year"])
    return table.assign(peak_gap_yuan=table["peak_gap_yuan"] / CENTS_PER_YUAN, year=table["year"].astype("Int64"))


def net_present_value(
    payments: pd.DataFrame, rate: float, base_year: int, public: tuple[Party, ...] = PUBLIC
) -> pd.DataFrame:
    """Static balance and net present value, Σ (received − paid) · (1 + rate)^−(year − base_year).

    Returns
    -------
    pandas.DataFrame
        One row for the public parties together ('public'), then one for each: ``party``, ``balance_yuan``,
        ``npv_yuan``.
    """
    years = _years(payments)
    nets = _nets(payments, years)
    factor = (1.0 + rate) ** -(years - base_year).astype(float)
    rows = []
    for name, parties in _accounts(public):
        net = _of(nets, parties)
        rows.append((name, int(net.sum()) / CENTS_PER_YUAN, float(net @ factor) / CENTS_PER_YUAN))
    return pd.DataFrame(rows, columns=["party", "balance_yuan", "npv_yuan"])


def funding_balance(
    payments: pd.DataFrame, of: tuple[Party, ...] = PUBLIC, retained_tax_yuan: pd.Series[Any] | None = None
) -> pd.DataFrame:
    """Funding balance table 资金平衡表: outlays, incomes, surplus, peak gap.

    Payments between the parties of `of` stand on both sides and are not set off: the table is the sum of theirs.

    Parameters
    ----------
    payments : pandas.DataFrame
        From `planner.modes.flows.payments`, or some of its rows.
    of : tuple of Party
        Whose years are shown, taken together: the public parties, or one.
    retained_tax_yuan : pandas.Series, optional
        Year → tax that the town keeps, missing where unknown: a memo row outside the balance, shown where the town is
        in `of`.

    Returns
    -------
    pandas.DataFrame
        ``section`` ('outlay', 'income', 'result', 'memo'), ``item`` (code), ``name_zh``, ``name_en``, ``unit`` ('cents'
        or 'year'), a column for each year, ``total`` (over the years, of the parties of `of`), and ``town``, ``city``,
        ``collective``, ``owner``, ``developer`` (over the years, each for itself); Int64, missing where a cell has no
        meaning. Rows: the items of `planner.modes.names.STANDARD` and those with money, in the order of `ITEMS`, and
        sums; then the surplus of the year, the cumulative one, the peak gap and its year, and the memo row.
    """
    memo = {int(str(y)): v for y, v in retained_tax_yuan.items()} if retained_tax_yuan is not None else {}
    shown = memo if "town" in of else {}
    years = _years(payments, shown)
    booked = postings(payments).dropna(subset="item")
    outlays, incomes = (_items(booked[booked["side"] == side], side, years, of) for side in SIDES)
    rows = [
        *outlays,
        _result("total_outlay", _total(outlays), "outlay"),
        *incomes,
        _result("total_income", _total(incomes), "income"),
        *_results(_total(incomes) - _total(outlays), payments, years, of),
        *([_result("retained_tax", _memo(shown, years), "memo")] if shown else []),
    ]
    head = pd.DataFrame([r.head for r in rows], columns=list(HEAD))
    columns = [*(str(y) for y in years), "total", *ACCOUNTS]
    return pd.concat([head, pd.DataFrame([r.cells for r in rows], columns=columns, dtype="Int64")], axis=1)


@dataclass(frozen=True)
class _Row:
    """A row of the table: its first columns (`HEAD`), and the cells of years, total and parties."""

    head: tuple[str, str, str, str, str]
    cells: list[int | None]


def _result(code: str, cells: Ints | list[int | None], section: str = "result", unit: str = "cents") -> _Row:
    name = RESULT_NAMES[code]
    return _Row((section, code, name.zh, name.en, unit), [None if c is None else int(c) for c in cells])


def _total(rows: Sequence[_Row]) -> Ints:
    return np.asarray(np.array([r.cells for r in rows], dtype=np.int64).sum(axis=0))


def _items(booked: pd.DataFrame, side: Side, years: Ints, of: tuple[Party, ...]) -> list[_Row]:
    """Rows of one side."""
    by_item = {str(item): rows.assign(amount_cents=rows["amount_cents"].abs()) for item, rows in booked.groupby("item")}
    found = []
    for item in (i for i in ITEMS if i in by_item or i in STANDARD[side]):
        amounts = _sums(by_item.get(item, booked.iloc[:0]), years, "party")
        ours, each = _of(amounts, of), amounts.sum(axis=1)[[PARTIES.index(p) for p in ACCOUNTS]]
        name = item_name(item, side)
        cells: list[int | None] = [*ours.tolist(), int(ours.sum()), *each.tolist()]
        found.append(_Row((side, item, name.zh, name.en, "cents"), cells))
    return found


def _results(surplus: Ints, payments: pd.DataFrame, years: Ints, of: tuple[Party, ...]) -> list[_Row]:
    """Rows below the two sides."""
    n = len(years)
    nets = _nets(payments, years)
    peaks = [_peak(_of(nets, parties), years) for parties in (of, *((p,) for p in ACCOUNTS))]
    blank: list[int | None] = [None] * n
    return [
        _result("surplus", surplus),
        _result("cumulative", np.concatenate([surplus[:n].cumsum(), surplus[n:]])),
        _result("peak_gap", [*blank, *(gap for gap, _ in peaks)]),
        _result("peak_gap_year", [*blank, *(year for _, year in peaks)], unit="year"),
    ]


def _memo(tax_yuan: Mapping[int, Any], years: Ints) -> list[int | None]:
    """Years that are not known stay blank, and so does the total if a year of the series is one of them."""
    known = {y: None if pd.isna(v) else round(float(v) * CENTS_PER_YUAN) for y, v in tax_yuan.items()}
    amounts = [v for v in known.values() if v is not None]
    total = sum(amounts) if len(amounts) == len(known) else None
    return [*(known.get(int(y)) for y in years), total, *(total if p == "town" else None for p in ACCOUNTS)]


def funding_balances_by(payments: pd.DataFrame, key: str, of: tuple[Party, ...] = PUBLIC) -> dict[str, pd.DataFrame]:
    """A funding balance for each ``mode`` or each ``block_id`` (`key`), in the order in which they appear."""
    return {str(name): funding_balance(rows, of) for name, rows in payments.groupby(key, sort=False)}
