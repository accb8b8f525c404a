"""A funding balance in units of 10 000 yuan, rounded so that what is displayed adds up."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, Final

import numpy as np
import pandas as pd

from planner.modes.balance import ACCOUNTS, HEAD, PUBLIC, SIDES
from planner.problem import Ints
from planner.spec_modes import Party

STEP_CENTS: Final = 10_000
"""0.01 万元, the last digit of the table, in cents."""
_DIGITS: Final = Decimal("0.01")


def in_wan_yuan(balance: pd.DataFrame, of: tuple[Party, ...] = PUBLIC) -> pd.DataFrame:
    """The table in 万元 with two decimals.

    Figures are rounded up or down by largest remainders, so that displayed items add up to the displayed sum of their
    side in every column. In the rows of sums the years add up to the total, and so do the parties of `of`. The surplus
    is displayed income less displayed outlay, the cumulative surplus its running sum. Items and sums are less than 0.01
    万元 from the truth; the years of a single item may miss its own displayed total by the last digit.

    Parameters
    ----------
    balance : pandas.DataFrame
        From `planner.modes.balance.funding_balance`.
    of : tuple of Party
        As given there.

    Returns
    -------
    pandas.DataFrame
        Same rows and columns; cells are `Decimal` with two decimals, the year of the peak gap int, None where there is
        nothing.
    """
    columns = [str(c) for c in balance.columns if c not in HEAD]
    n = columns.index("total")
    cells = balance[columns].to_numpy(dtype=float, na_value=np.nan)
    place = {(s, i): k for k, (s, i) in enumerate(zip(balance["section"], balance["item"], strict=True))}
    steps = np.array([[np.nan if np.isnan(c) else _nearest(c) for c in row] for row in cells])
    for side in SIDES:
        items = [k for (section, item), k in place.items() if section == side and item != f"total_{side}"]
        last = place[side, f"total_{side}"]
        steps[last] = _sums(_cents(cells[last]), n, of)
        for c in range(len(columns)):
            steps[items, c] = apportion(_cents(cells[items, c]), int(steps[last, c]))
    surplus = steps[place["income", "total_income"]] - steps[place["outlay", "total_outlay"]]
    steps[place["result", "surplus"]] = surplus
    steps[place["result", "cumulative"]] = np.concatenate([surplus[:n].cumsum(), surplus[n:]])
    gap, year = place["result", "peak_gap"], place["result", "peak_gap_year"]
    if not np.isnan(cells[year, n]):  # the gap of the table is the one that its own years show
        steps[gap, n] = max(-steps[place["result", "cumulative"], columns.index(str(int(cells[year, n])))], 0.0)
        for party in of if len(of) == 1 else ():
            steps[gap, columns.index(party)] = steps[gap, n]
    if ("memo", "retained_tax") in place:
        memo = place["memo", "retained_tax"]
        if not np.isnan(cells[memo, : n + 1]).any():
            steps[memo, :n] = apportion(_cents(cells[memo, :n]), int(steps[memo, n]))
    shown = [
        [_cell(step, cents, is_year=k == year) for step, cents in zip(steps[k], cells[k], strict=True)]
        for k in range(len(cells))
    ]
    return pd.concat([balance[list(HEAD)], pd.DataFrame(shown, columns=columns, dtype=object)], axis=1)


def apportion(cents: Ints, steps: int) -> Ints:
    """Amounts in steps of 0.01 万元, each rounded up or down, that add up to `steps`.

    Every amount has its whole steps; those with the largest remainders get one more, the earlier ones first.

    Parameters
    ----------
    cents : int64[k]
    steps : int
        Their sum in steps, rounded up or down.

    Returns
    -------
    int64[k]
    """
    whole, rest = np.divmod(cents, STEP_CENTS)
    order = np.argsort(-rest, kind="stable")
    whole[order[: steps - int(whole.sum())]] += 1
    return np.asarray(whole, dtype=np.int64)


def _sums(cents: Ints, n: int, of: tuple[Party, ...]) -> Ints:
    """A row of sums in steps: n years, total, parties."""
    total = _nearest(int(cents[n]))
    inside = np.array([p in of for p in ACCOUNTS])
    parties = np.array([_nearest(int(c)) for c in cents[n + 1 :]], dtype=np.int64)
    parties[inside] = apportion(cents[n + 1 :][inside], total)
    return np.concatenate([apportion(cents[:n], total), [total], parties])


def _nearest(cents: float) -> int:
    """Half a step is rounded up."""
    return int((cents + STEP_CENTS // 2) // STEP_CENTS)


def _cents(cells: Any) -> Ints:
    return np.asarray(cells, dtype=np.float64).astype(np.int64)


def _cell(steps: float, cents: float, *, is_year: bool) -> Decimal | int | None:
    if np.isnan(cents):
        return None
    return int(cents) if is_year else int(steps) * _DIGITS
