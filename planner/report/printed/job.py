"""What every sheet needs: the plan, words of the language, fonts, date, stamp; figures as they are printed."""

from __future__ import annotations

import datetime
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

import numpy as np
import pandas as pd

from planner.contents import PlanContents
from planner.labels import Labels
from planner.report.context import PhaseFigures
from planner.report.printed.fonts import Typeface, find_typeface

MISSING: Final = "—"
_WAN: Final = 10_000.0


@dataclass(frozen=True)
class PrintJob:
    """A plan to be printed.

    Attributes
    ----------
    contents : PlanContents
    labels : Labels
    face : Typeface
    date : str
        As the title block shows it.
    stamp : str or None
    codes : mapping of str to str
        Permanent code of blocks by ``block_id``; a block without one goes by its id.
    warnings : list of str
        What the caller should tell the user; grows while sheets are drawn.
    """

    contents: PlanContents
    labels: Labels
    face: Typeface
    date: str
    stamp: str | None = None
    codes: Mapping[str, str] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)

    def word(self, key: str, *values: object) -> str:
        """A word of the area ``print``."""
        return self.labels(f"print_{key}", *values)

    def fact(self, name: str) -> str:
        """Name of a fact of the parcels."""
        return self.labels(f"fact_{name}")

    def code(self, block_id: str) -> str:
        """What a block is called."""
        return self.codes.get(block_id, block_id)

    def warn(self, text: str) -> None:
        """Note a warning, once."""
        if text not in self.warnings:
            self.warnings.append(text)

    @property
    def phases(self) -> list[PhaseFigures]:
        """Phases in order."""
        return [PhaseFigures.from_summary(p) for p in self.contents.summary["phases"]]

    def phase_name(self, phase: PhaseFigures) -> str:
        """Id and year."""
        if phase.year is None:
            return phase.id
        key = "phase_in_year" if abs(phase.year) < 1000 else "phase_calendar"
        return self.word(key, phase.id, phase.year)

    def mode_name(self, mode: object) -> str:
        """Name of a mode in the language; its id where the configuration does not know it."""
        modes = self.contents.config.modes
        for choice in modes.choices if modes is not None else ():
            if choice.id == mode:
                return choice.name_zh if self.labels.language == "zh" else choice.name_en
        return MISSING if mode is None else str(mode)

    @property
    def money_unit(self) -> str:
        """Unit of `wan`."""
        currency = self.contents.config.project.currency
        return self.word("wan_yuan") if currency == "CNY" else self.word("wan", currency)


def new_job(
    contents: PlanContents,
    day: datetime.date,
    language: str | None,
    stamp: str | None,
    codes: Mapping[str, str] | None,
    face: Typeface | None = None,
) -> PrintJob:
    """Choose font and language.

    Without Chinese glyphs the words are English whatever was asked for, what is Chinese in the data turns into question
    marks, and a warning says so.
    """
    face = find_typeface() if face is None else face
    wanted = language or contents.config.report.language
    labels = Labels.of(wanted if face.chinese else "en", "print")
    date = contents.config.report.print.date or day.isoformat()
    job = PrintJob(_in_order(contents), labels, face, date, stamp, dict(codes or {}))
    if not face.chinese:
        job.warn(job.word("no_font"))
    return job


def _in_order(contents: PlanContents) -> PlanContents:
    """The same plan with its rows in the order of their ids: the file must not depend on how they are stored."""
    tables = contents.tables
    keys = {"parcels": "parcel_id", "blocks": "block_id", "zones": "zone", "holdouts": "parcel_id"}
    ordered = {
        name: frame.sort_values(key, kind="stable", ignore_index=True)
        for name, key in keys.items()
        if len(frame := getattr(tables, name))
    }
    return replace(contents, tables=replace(tables, **ordered))


def mu(value: Any) -> str:
    """An area in mu as it is printed."""
    return number(value, 1)


def number(value: Any, decimals: int) -> str:
    """A number, or the sign for unknown."""
    if value is None or value is pd.NA or (isinstance(value, float) and math.isnan(value)):
        return MISSING
    rounded = round(float(value), decimals)
    return f"{rounded + 0.0:,.{decimals}f}"


def percent(value: Any) -> str:
    """A share, or the sign for unknown."""
    shown = number(None if value is None or pd.isna(value) else 100.0 * float(value), 0)
    return shown if shown == MISSING else f"{shown} %"


def wan(value: Any) -> str:
    """Money in units of ten thousand."""
    return number(None if value is None or pd.isna(value) else float(value) / _WAN, 2)


def text(value: Any) -> str:
    """A text, or the sign for unknown."""
    return MISSING if value is None or pd.isna(value) or str(value).strip() == "" else str(value)


def adding_up(values: Sequence[float], total: float, decimals: int = 1) -> list[float]:
    """Values rounded up or down so that what is displayed adds up to the displayed total.

    Parameters
    ----------
    values : sequence of float
        At least 0; they add up to `total`.
    total : float
    decimals : int
        Of the display.

    Returns
    -------
    list of float
        The steps that rounding down leaves over go to the largest remainders, the earlier ones first.
    """
    unit = 10.0**decimals
    steps = np.array(values, dtype=float) * unit
    whole = np.floor(np.round(steps, 6))
    left = round(total * unit) - int(whole.sum())
    order = np.argsort(-np.round(steps - whole, 6), kind="stable")
    whole[order[: max(left, 0)]] += 1
    return [float(w / unit) for w in whole]
