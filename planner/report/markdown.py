"""Markdown and the way figures are written in it."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any


def table(header: Sequence[str], rows: Iterable[Sequence[str]], align: str = "") -> list[str]:
    """Lines of a Markdown table; `align` has l or r per column, left where it is short."""
    marks = ["---:" if side == "r" else "---" for side in align.ljust(len(header), "l")]
    return [_row(header), _row(marks), *(_row(row) for row in rows)]


def _row(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cells) + " |"


def text(value: Any) -> str:
    """Text that cannot break a table, start markup or become HTML."""
    clean = " ".join(str(value).split())
    for mark in "\\`*_[]|#":
        clean = clean.replace(mark, "\\" + mark)
    return clean.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def code(value: Any) -> str:
    """Text inside backticks."""
    return str(value).replace("`", "'").replace("|", "/")


def number(value: float | None, decimals: int, absent: str = "unknown") -> str:
    """Grouped, with so many decimals; `absent` for none."""
    return absent if value is None or math.isnan(value) else f"{value:,.{decimals}f}"


def mu(value: float | None, absent: str = "unknown") -> str:
    """An area with 2 decimals."""
    return number(value, 2, absent)


def grouped(value: float | None) -> str:
    """Whole units, grouped."""
    return number(value, 0)


def money(value: float | None, currency: str) -> str:
    """Whole units with their currency."""
    amount = grouped(value)
    return amount if amount == "unknown" else f"{currency} {amount}".strip()


def percent(value: float | None) -> str:
    """A share as per cent."""
    return "not defined (the worth is 0)" if value is None else f"{100 * value:.2f} %"


def count(value: Any) -> str:
    """A number of things, or how many a list holds."""
    if isinstance(value, Sequence) and not isinstance(value, str):
        return f"{len(value):,}"
    return "unknown" if value is None else f"{value:,}"


def plain(value: Any) -> str:
    """Numbers grouped, anything else as text."""
    return f"{value:,}" if isinstance(value, int | float) and not isinstance(value, bool) else text(value)


def ids(ids: Sequence[Any]) -> str:
    """Ids, one after the other."""
    return ", ".join(text(i) for i in ids)
