"""Cells that people filled in, as states, months, areas and days; what cannot be read is told, never guessed."""

from __future__ import annotations

import calendar
import datetime
import math
import re
from dataclasses import dataclass, field
from typing import Any, Final, cast

from geodata.errors import Issue
from planner.labels import label_table
from planner.monitoring.entries import STATES, State
from planner.monitoring.form import AREA, state_words
from planner.monitoring.months import is_month

_NUMBER: Final = re.compile(r"[+-]?(\d{1,3}(,\d{3})+|\d+)(\.\d+)?")
_WITH_UNIT: Final = re.compile(r"[+-]?\d[\d,.]*\s*(亩|mu|畝|㎡|m2|m²|公顷|ha)\.?", re.IGNORECASE)
_DAY: Final = re.compile(r"(\d{4})\s*[-/.年]\s*(\d{1,2})(?:\s*[-/.月]\s*(\d{1,2})\s*日?|\s*月)?")
_SQUARE_METRES: Final = "Type the number alone, in mu (1 mu = 666.67 m², 1 ha = 15 mu)."


@dataclass
class Cells:
    """Reads the cells of one row and gathers what is wrong.

    Attributes
    ----------
    where : str
        File, sheet and row.
    values : mapping of str to object
        Cells that are not empty, by column.
    issues : list of geodata.errors.Issue
        Grows.
    """

    where: str
    values: dict[str, Any]
    issues: list[Issue] = field(default_factory=list)

    def text(self, column: str) -> str:
        """The cell as text; empty where it is."""
        return shown(self.values.get(column))

    def wrong(self, column: str, found: str, expected: str, fix: str) -> None:
        """Note an issue of a column."""
        head = label_table("workbook", AREA)["zh"].get(f"col_{column}", "")
        self.issues.append(Issue(f"{self.where}, column {column} {head}".rstrip(), found, expected, fix))

    def state(self, column: str) -> State | None:
        """One of the states, or None where the cell is empty."""
        text = self.text(column)
        if not text:
            return None
        known = {word.casefold(): state for word, state in state_words()}
        found = known.get(text.casefold())
        if found is None:
            expected = "one of 未启动, 推进中, 已销号, 已终止 (" + ", ".join(STATES) + ")"
            self.wrong(column, repr(text), expected, "Choose from the list of the cell.")
        return cast("State | None", found)

    def mu(self, column: str) -> float | None:
        """An area in mu, 0 or more; None where the cell is empty: nobody knows, which is not 0."""
        value = self.values.get(column)
        text = shown(value)
        if not text:
            return None
        number = number_in(value)
        if number is None:
            typed = "a number with its unit" if _WITH_UNIT.fullmatch(text) else "text"
            self.wrong(column, f"{typed}, {text!r}", "a number of mu, e.g. 65.30", _SQUARE_METRES)
        elif number < 0:
            self.wrong(column, f"{number:g}", "an area of 0 mu or more", "Correct it, or empty the cell if unknown.")
            return None
        return number

    def month(self, column: str) -> str | None:
        """A month of the calendar, ``'YYYY-MM'``, of whatever day in it; None where the cell is empty."""
        parts = self._date(column, "a month YYYY-MM, e.g. 2026-03")
        return None if parts is None else f"{parts[0]}-{parts[1]:02d}"

    def day(self, column: str) -> datetime.date | None:
        """A day; of a month its last one. None where the cell is empty."""
        parts = self._date(column, "a day YYYY-MM-DD or a month YYYY-MM, e.g. 2026-03-31")
        if parts is None:
            return None
        year, month, day = parts
        return datetime.date(year, month, day or calendar.monthrange(year, month)[1])

    def _date(self, column: str, expected: str) -> tuple[int, int, int | None] | None:
        text = self.text(column)
        if not text:
            return None
        found = _DAY.fullmatch(text)
        if found is not None:
            year, month, day = int(found[1]), int(found[2]), None if found[3] is None else int(found[3])
            if is_month(f"{year}-{month:02d}") and (day is None or 1 <= day <= calendar.monthrange(year, month)[1]):
                return year, month, day
        self.wrong(column, repr(text), expected, "Type it in that form, as text.")
        return None


def shown(value: object) -> str:
    """What a cell shows, as text; empty for an empty cell."""
    if value is None:
        return ""
    if isinstance(value, datetime.datetime):
        return value.date().isoformat()
    if isinstance(value, datetime.date):
        return value.isoformat()
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value).strip()


def number_in(value: Any) -> float | None:
    """The number in a cell, or typed as text; None for anything else."""
    if isinstance(value, bool):
        return None
    if isinstance(value, (int, float)):
        return float(value) if math.isfinite(value) else None
    text = shown(value)
    return float(text.replace(",", "")) if _NUMBER.fullmatch(text) else None
