"""Payments of a plan's blocks by year, to the cent."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

import numpy as np
import pandas as pd

from geodata.errors import DataError, Issue
from planner.modes.terms import Lines, MoneyLine, Timetable
from planner.modes.timetable import year_shares
from planner.problem import Block

CENTS_PER_YUAN: Final = 100

_DTYPES: Final[Mapping[str, str]] = {
    "block_id": "str",
    "phase": "int64",
    "mode": "str",
    "line": "str",
    "payer": "str",
    "payee": "str",
    "outlay": "str",
    "income": "str",
    "year": "int64",
    "amount_cents": "int64",
}


def payments(lines: Lines, timetable: Timetable, blocks: Sequence[Block], block_ids: Sequence[str]) -> pd.DataFrame:
    """Who pays what to whom in which year, block by block.

    A line of a block is the sum over its parcels, rounded to the cent once. By year it is the rounded running sum less
    that of the year before, so that the years add up to the line exactly. Each row is booked twice, with the payer and
    with the payee, so that the balances of all parties, `outside` among them, add up to 0.

    Parameters
    ----------
    lines : Lines
    timetable : Timetable
    blocks : sequence of Block
    block_ids : sequence of str
        Name of each block.

    Returns
    -------
    pandas.DataFrame
        One row per block, line and year, in the order of blocks, lines and years: ``block_id``, ``phase`` (from 1),
        ``mode``, ``line``, ``payer``, ``payee``, ``outlay`` and ``income`` (rows of the funding balance, missing for
        `outside`), ``year`` on the scale of the phases, ``amount_cents`` (above 0: years without a cent have no row).

    Raises
    ------
    DataError
        A block holds parcels whose payments in its mode are unknown.
    """
    issues = [i for block, name in zip(blocks, block_ids, strict=True) for i in _unknown(lines, timetable, block, name)]
    if issues:
        raise DataError(issues)
    rows = [
        row for block, name in zip(blocks, block_ids, strict=True) for row in _of_block(lines, timetable, block, name)
    ]
    return pd.DataFrame(rows, columns=list(_DTYPES)).astype(dict(_DTYPES))


def _unknown(lines: Lines, timetable: Timetable, block: Block, name: str) -> Iterator[Issue]:
    members = list(block.parcels)
    for line in lines[block.mode]:
        count = int(np.isnan(line.amount_yuan[members]).sum())
        if count:
            where = f"block {name}, line {line.spec.name} of mode {timetable.modes[block.mode]}"
            found = f"{count} of {len(members)} parcels whose amount is unknown"
            yield Issue(where, found, "an amount for each", "Give the values that it needs, or choose another mode.")


def _of_block(lines: Lines, timetable: Timetable, block: Block, name: str) -> Iterator[tuple[Any, ...]]:
    members = list(block.parcels)
    launch = float(timetable.begins[block.phase])
    for line in lines[block.mode]:
        spec = line.spec
        cents = round(math.fsum(line.amount_yuan[members]) * CENTS_PER_YUAN)
        for year, part in _by_year(line, launch, cents):
            yield (
                *(name, block.phase + 1, timetable.modes[block.mode], spec.name),
                *(spec.payer, spec.payee, spec.outlay, spec.income, year, part),
            )


def _by_year(line: MoneyLine, launch: float, cents: int) -> Iterator[tuple[int, int]]:
    """Years and cents that add up to `cents`."""
    shares = sorted(year_shares(launch, line.first_month, line.last_month).items())
    before = 0
    for k, (year, _) in enumerate(shares):
        so_far = cents if k == len(shares) - 1 else round(cents * math.fsum(share for _, share in shares[: k + 1]))
        if so_far > before:
            yield year, so_far - before
        before = so_far


def postings(payments: pd.DataFrame) -> pd.DataFrame:
    """Both entries of every payment.

    Returns
    -------
    pandas.DataFrame
        Two rows per payment, those of payers first: ``block_id``, ``mode``, ``line``, ``party``, ``side`` ('outlay' or
        'income'), ``item`` (missing for `outside`), ``year``, ``amount_cents``: below 0 for the payer.
    """
    same = ["block_id", "mode", "line", "year"]
    halves = [
        payments[same].assign(
            party=payments[party], side=side, item=payments[side], amount_cents=sign * payments["amount_cents"]
        )
        for side, party, sign in (("outlay", "payer", -1), ("income", "payee", 1))
    ]
    columns = ["block_id", "mode", "line", "party", "side", "item", "year", "amount_cents"]
    return pd.concat(halves, ignore_index=True)[columns]
