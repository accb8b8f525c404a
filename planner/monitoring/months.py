"""Months as numbers that can be subtracted, and the calendar of a plan whose years are counted from its start."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import Final

FIRST_CALENDAR_YEAR: Final = 1900
"""Years below it are counted from the start of the plan."""
_MONTH: Final = re.compile(r"(-?\d+)-(\d{2})")
_CALENDAR_MONTH: Final = re.compile(r"(19|[2-9]\d)\d{2}-(0[1-9]|1[0-2])")
_MONTHS: Final = 12


def serial(text: str) -> int:
    """A month ``'YYYY-MM'`` as 12 · year + month − 1, so that differences are months.

    Raises
    ------
    ValueError
        The text is no month.
    """
    found = _MONTH.fullmatch(text)
    if found is None or not 1 <= int(found[2]) <= _MONTHS:
        raise ValueError(f"no month: {text!r}")
    return _MONTHS * int(found[1]) + int(found[2]) - 1


def month_text(month: int) -> str:
    """``'YYYY-MM'`` of a number of `serial`."""
    year, k = divmod(month, _MONTHS)
    return f"{year}-{k + 1:02d}"


def is_month(text: str) -> bool:
    """Whether a text is a month of the calendar, ``'YYYY-MM'``."""
    return _CALENDAR_MONTH.fullmatch(text) is not None


@dataclass(frozen=True)
class Calendar:
    """Which month of the calendar a month of the plan is.

    Attributes
    ----------
    starts : int or None
        The first month of year 1 (`serial`), where the plan counts years from its start; None where its years are
        those of the calendar.
    """

    starts: int | None = None

    def month(self, text: str) -> int:
        """The month of the calendar of a month of the plan, ``'2026-03'`` or ``'1-03'``."""
        return serial(text) if self.starts is None else self.starts + serial(text) - serial("1-01")

    def end_of(self, time: float) -> int:
        """The month in which a time of the plan lies (year 2 = its end, 1.5 = the end of the sixth month of year 2)."""
        last = math.ceil(time * _MONTHS - 1e-6) - 1  # months since the beginning of year 1, or of year 1 of our era
        return last + _MONTHS if self.starts is None else self.starts + last
