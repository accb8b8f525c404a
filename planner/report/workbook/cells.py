"""Columns, cells and rows of a sheet, before they are written."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, Literal

import numpy as np

Kind = Literal["text", "code", "count", "number", "mu", "money", "m2", "far", "share", "year"]
"""What a column holds; it gives format, alignment and width."""

RowKind = Literal["data", "group", "subgroup", "total", "heading", "section", "loose"]
"""What a row is; `loose` = kept from an earlier workbook, `section` = the head of several groups."""

TOKEN: Final = re.compile(r"\[([\w-]*)\|([\w-]*)\]")
"""``[row|column]`` in a formula: the cell of a named row and a column; empty = this one."""


_DIGITS: Final = 6
"""Decimals of a sum: more than any displayed figure has, fewer than the noise of adding."""


@dataclass(frozen=True)
class Column:
    """One column of a table.

    Attributes
    ----------
    key : str
        Its own; the label of the header is ``col_<key>`` unless `head` says otherwise.
    kind : Kind
    width : float
        Characters; 0 = by kind.
    group : str or None
        Label of the header above that neighbours of one group share.
    hand : bool
        Filled by hand.
    sums : bool
        Totals are sums of it.
    head : str or None
        Header, ready to be shown.
    choices : tuple of str
        What a cell offers to choose from.
    """

    key: str
    kind: Kind = "text"
    width: float = 0.0
    group: str | None = None
    hand: bool = False
    sums: bool = False
    head: str | None = None
    choices: tuple[str, ...] = ()


@dataclass(frozen=True)
class Cell:
    """A value with what is to be said of it.

    Attributes
    ----------
    value : str, int, float or None
        None = empty: unknown, or nothing to say.
    unknown : int
        Parcels that the value leaves out: it is then marked, and a comment says how many.
    formula : str or None
        Formula with `TOKEN`; `value` is what it gives.
    hand : bool
        Filled by hand, whatever the column.
    kind : Kind or None
        Format, where it is not the column's.
    cut : int
        Parcels that the value counts otherwise than is said of them; marked and told in the same way.
    """

    value: str | int | float | None = None
    unknown: int = 0
    formula: str | None = None
    hand: bool = False
    kind: Kind | None = None
    cut: int = 0


@dataclass(frozen=True)
class Row:
    """One row.

    Attributes
    ----------
    name : str
        Its own in the sheet; empty = no other row speaks of it.
    cells : mapping of str to Cell or plain value
        By column.
    kind : RowKind
    total_of : sequence of str
        Names of the rows whose sum it holds in the columns with `Column.sums`.
    begins : bool
        With a thicker line above.
    """

    cells: Mapping[str, Any]
    name: str = ""
    kind: RowKind = "data"
    total_of: Sequence[str] = ()
    begins: bool = False

    def cell(self, key: str) -> Cell:
        """The cell of a column."""
        return as_cell(self.cells.get(key))


def as_cell(value: Any) -> Cell:
    """A cell of a plain value; NaN and missing values are empty."""
    if isinstance(value, Cell):
        return value
    if value is None or (not isinstance(value, str) and bool(np.isnan(value))):
        return Cell()
    if isinstance(value, str):
        return Cell(value)
    return Cell(int(value) if isinstance(value, (int, np.integer)) else float(value))


def with_sums(rows: Sequence[Row], columns: Sequence[Column]) -> list[Row]:
    """Rows with totals filled in: formulas over the rows they name, and the sums these give.

    A total leaves out rows that are empty; where rows are marked as partly unknown, so is the total.
    """
    place = {row.name: k for k, row in enumerate(rows) if row.name}
    filled: list[Row | None] = [None] * len(rows)

    def fill(k: int) -> Row:
        finished = filled[k]
        if finished is not None:
            return finished
        row = rows[k]
        if row.total_of:
            parts = [fill(place[name]) for name in row.total_of]
            sums = {c.key: _sum(c.key, parts, row.total_of) for c in columns if c.sums}
            row = replace(row, cells={**sums, **row.cells})
        filled[k] = row
        return row

    return [fill(k) for k in range(len(rows))]


def _sum(key: str, parts: Sequence[Row], names: Sequence[str]) -> Cell:
    cells = [part.cell(key) for part in parts]
    numbers = [c.value for c in cells if isinstance(c.value, (int, float))]
    if not numbers:
        return Cell()
    terms = ",".join(f"[{name}|{key}]" for name in names)
    total = sum(numbers) if all(isinstance(n, int) for n in numbers) else round(math.fsum(numbers), _DIGITS)
    return Cell(total, sum(c.unknown for c in cells), f"=SUM({terms})", cut=sum(c.cut for c in cells))
