"""Months of milestones, 'year-month' as the tables about modes tell them."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import Final

from planner.config import Config
from planner.report.workbook.words import Words

FIRST_CALENDAR_YEAR: Final = 1900
_MONTH: Final = re.compile(r"(-?\d+)-(\d{2})")
_MONTHS: Final = 12
_TOLERANCE: Final = 1e-6


@dataclass(frozen=True, order=True)
class Month:
    """A month of a year; years as the phases count them."""

    year: int
    month: int

    @property
    def quarter(self) -> int:
        """1 to 4."""
        return (self.month + 2) // 3

    @classmethod
    def read(cls, text: object) -> Month | None:
        """The month of ``'2026-03'`` or ``'1-03'``; None for what is missing."""
        found = _MONTH.fullmatch(text) if isinstance(text, str) else None
        return None if found is None else cls(int(found[1]), int(found[2]))

    @classmethod
    def ending(cls, time: float) -> Month:
        """The month in which a time lies (2.0 = end of year 2); its last moment belongs to it."""
        year, month = divmod(math.ceil(time * _MONTHS - _TOLERANCE) - 1, _MONTHS)
        return cls(year + 1, month + 1)

    def text(self, words: Words, *, calendar: bool) -> str:
        """YYYY-MM, or the number of the year and the month."""
        return f"{self.year}-{self.month:02d}" if calendar else words("month_of_year", self.year, f"{self.month:02d}")


def calendar_years(config: Config) -> bool:
    """The phases name calendar years."""
    return config.optimise.phases[0].year >= FIRST_CALENDAR_YEAR


def year_text(words: Words, year: int, *, calendar: bool) -> str:
    """2026年, or 第3年 where years are counted from the start."""
    return words("calendar_year" if calendar else "year_number", year)
