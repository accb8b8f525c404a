"""Tables about a plan as CSV, for spreadsheets and other programs."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import pandas as pd

_DECIMALS: Final = 6
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


def _harmless(value: Any) -> Any:
    risky = isinstance(value, str) and value.startswith(_FORMULA) and not _NUMBER.fullmatch(value)
    return f"'{value}" if risky else value
