"""Tables about a plan as CSV, for spreadsheets and other programs; and read back as they were."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import pandas as pd

_DECIMALS: Final = 6
_TEXTS: Final = frozenset(
    {
        "accepted",
        "barred_by",
        "below_by",
        "block_id",
        "built",
        "class",
        "demolished",
        "environment",
        "figure",
        "full",
        "grade",
        "income",
        "industry",
        "item",
        "kind",
        "launched",
        "levelled",
        "line",
        "mode",
        "name",
        "name_en",
        "name_zh",
        "note",
        "outcome",
        "outlay",
        "parcel_id",
        "party",
        "payee",
        "payer",
        "period",
        "project_code",
        "project_id",
        "reason",
        "safety",
        "section",
        "signed",
        "site",
        "site_kind",
        "source",
        "started",
        "status",
        "supplied",
        "test",
        "unit",
        "village",
    }
)
"""Columns of texts; the others are numbers or yes/no."""
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")
"""Beginnings that spreadsheets take for formulas."""
_NUMBER: Final = re.compile(r"-\d+(\.\d+)?")
"""A number below zero is no formula, such as the year -1."""


def write_tables(tables: Mapping[str, pd.DataFrame], folder: Path) -> None:
    """Write each table as ``<name>.csv`` into a folder, which is made.

    UTF-8 with a byte order mark, so that spreadsheets read Chinese; unknown values are empty. Texts that a spreadsheet
    would take for a formula get an apostrophe in front. Numbers are rounded to 6 decimals, which takes away nothing but
    the noise of adding up.
    """
    folder.mkdir()
    for name, table in tables.items():
        table.map(_harmless).round(_DECIMALS).to_csv(
            folder / f"{name}.csv", index=False, encoding="utf-8-sig", lineterminator="\r\n"
        )


def read_tables(folder: Path) -> dict[str, pd.DataFrame]:
    """Read back what `write_tables` wrote, by name; empty where there is no such folder.

    Ids and other texts stay texts, whatever they look like; numbers and yes/no are such.
    """
    if not folder.is_dir():
        return {}
    return {path.stem: _table(path) for path in sorted(folder.glob("*.csv"))}


def _table(path: Path) -> pd.DataFrame:
    frame = pd.read_csv(path, encoding="utf-8-sig", dtype=str, keep_default_na=False)
    return pd.DataFrame({name: _text(frame[name]) if name in _TEXTS else _typed(frame[name]) for name in frame})


def _text(column: pd.Series[Any]) -> pd.Series[Any]:
    """Texts without the apostrophe put in front; None for an empty cell."""
    return pd.Series([_as_given(text) for text in column], index=column.index, dtype=object)


def _as_given(text: str) -> str | None:
    if text.startswith("'") and _harmless(text[1:]) == text:
        return text[1:]
    return text or None


def _typed(column: pd.Series[Any]) -> pd.Series[Any]:
    known = column != ""
    if known.any() and column[known].isin(["True", "False"]).all():
        return (column == "True").astype("boolean").mask(~known) if not known.all() else column == "True"
    return pd.to_numeric(column.where(known))


def _harmless(value: Any) -> Any:
    risky = isinstance(value, str) and value.startswith(_FORMULA) and not _NUMBER.fullmatch(value)
    return f"'{value}" if risky else value
