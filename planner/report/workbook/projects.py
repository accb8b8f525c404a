"""The projects of a plan: every block with its code, group, places, months and figures as they are displayed."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

import numpy as np
import pandas as pd

from planner.codes import Ledger, project_codes, standing_blocks
from planner.contents import PlanContents
from planner.expressions import evaluate
from planner.report.workbook.cells import Cell
from planner.report.workbook.figures import Figures, project_figures
from planner.report.workbook.months import Month, calendar_years
from planner.report.workbook.rounding import displayed
from planner.report.workbook.sums import BlockSums
from planner.spec_modes import MILESTONES

Group = Literal["done", "under_way", "this_year", "reserve"]
GROUPS: Final[tuple[Group, ...]] = ("done", "under_way", "this_year", "reserve")
AREA_FIELDS: Final = {"net": "area_mu", "boundary": "boundary_mu", "cleared": "cleared_mu", "accepted": "accepted_mu"}
"""What a target counts → column of the parcels."""
TEXTS: Final = ("township", "village", "collective", "renewal_code", "zoning")
BETWEEN: Final = "、"


@dataclass(frozen=True)
class Project:
    """One block as a project.

    Attributes
    ----------
    block, code, name : str
        The block's id, its permanent code, and its name: typed by hand, else the block's id.
    phase : int
        From 1.
    zone, mode : str or None
        `mode` by id.
    group : Group
    texts : mapping of str to Cell
        Facts that are text (`TEXTS`), those that are known of, with how many parcels lack them.
    """

    block: str
    code: str
    name: str
    phase: int
    zone: str | None
    mode: str | None
    group: Group
    texts: Mapping[str, Cell]


@dataclass(frozen=True)
class Projects:
    """All blocks of a plan.

    Attributes
    ----------
    contents : PlanContents
    ledger : Ledger
        The earlier one; empty without one.
    rows : mapping of str to Project
        By block, in the order of phases and blocks.
    figures : Figures
    months : mapping of str to mapping
        Block → milestone → `Month`, those that are reached.
    counted : pandas.Series
        Phase in whose targets the block counts, from 1; one more than there are = in none.
    """

    contents: PlanContents
    ledger: Ledger
    rows: Mapping[str, Project]
    figures: Figures
    months: Mapping[str, Mapping[str, Month]]
    counted: pd.Series[Any]

    @property
    def calendar(self) -> bool:
        """Years are calendar years."""
        return calendar_years(self.contents.config)

    @property
    def gone(self) -> list[str]:
        """Codes of the ledger that no block of this plan has."""
        return sorted(self.ledger.codes - {p.code for p in self.rows.values()})

    def of(self, group: Group) -> list[Project]:
        """The projects of a group."""
        return [p for p in self.rows.values() if p.group == group]

    def area(self, counts: str) -> pd.Series[Any]:
        """Displayed area of each block of the kind that a target counts, mu; NaN where partly unknown."""
        return displayed(whole_area(self.contents, list(self.rows), AREA_FIELDS[counts]), self.counted.tolist())


def projects_of(contents: PlanContents, ledger: Ledger | None, day: datetime.date) -> Projects:
    """The projects of a plan.

    Parameters
    ----------
    contents : PlanContents
    ledger : Ledger, optional
        The earlier one.
    day : datetime.date
        The day of writing: it gives the year of new codes, and says which standing projects are done.
    """
    ledger = ledger or Ledger()
    config, parcels = contents.config, pd.DataFrame(contents.tables.parcels.drop(columns="geometry"))
    codes = contents.codes
    if codes is None:
        made = project_codes(parcels, config, ledger, year=day.year)
        codes = {str(block): str(code) for block, code in made.items()}
    names = [str(b) for b in codes]
    months = _months(contents)
    phases = _column(contents, "phase")
    counted = _counted(contents, {b: int(phases[b]) for b in names}, months)
    sums = BlockSums(parcels, names)
    texts = {f: sums.texts(contents.shown[f], BETWEEN) for f in TEXTS if f in contents.shown}
    zones, modes, groups = _column(contents, "zone"), _column(contents, "mode"), _Groups(contents, months, day)
    rows = {
        block: Project(
            block,
            code,
            ledger.cells.get(code, {}).get("name") or block,
            int(phases[block]),
            zones.get(block),
            modes.get(block),
            groups.of(block, int(phases[block])),
            {f: Cell(text[block], int(unknown[block])) for f, (text, unknown) in texts.items()},
        )
        for block, code in codes.items()
    }
    area = displayed(whole_area(contents, names, "area_mu"), counted.tolist())
    return Projects(contents, ledger, rows, project_figures(contents, sums, area), months, counted)


def _column(contents: PlanContents, name: str) -> dict[str, Any]:
    """A column of the blocks by ``block_id``; None where unknown, empty where there is none."""
    blocks = contents.tables.blocks
    if name not in blocks:
        return {}
    values = blocks[name].astype(object).where(blocks[name].notna(), None)
    return dict(zip(blocks["block_id"].astype(str), values, strict=True))


def whole_area(contents: PlanContents, blocks: list[str], column: str) -> pd.Series[Any]:
    """Sum of a column of the parcels by block, NaN where it is unknown for one of them."""
    parcels = contents.tables.parcels
    mine = parcels[parcels["block_id"].notna()].sort_values("parcel_id")
    if column not in mine:
        return pd.Series(np.nan, index=pd.Index(blocks, name="block_id"))
    values = pd.Series(mine[column].to_numpy(dtype=float, na_value=np.nan))
    return values.groupby(mine["block_id"].astype(str).to_numpy()).sum(skipna=False).reindex(blocks)


def _months(contents: PlanContents) -> dict[str, dict[str, Month]]:
    table = contents.modes.get("milestones")
    if table is None:
        return {}
    rows = table.to_dict(orient="records")
    return {
        str(r["block_id"]): {step: month for step in MILESTONES if (month := Month.read(r[step])) is not None}
        for r in rows
    }


class _Groups:
    """Done or under way: standing projects; this year: the first phase; reserve: the later ones."""

    def __init__(self, contents: PlanContents, months: Mapping[str, Mapping[str, Month]], day: datetime.date) -> None:
        self._contents, self._months, self._day = contents, months, day
        self._standing = standing_blocks(contents.tables.parcels, contents.config)
        self._cleared = _cleared(contents)

    def of(self, block: str, phase: int) -> Group:
        """Group of a block of a phase, from 1."""
        if block not in self._standing:
            return "this_year" if phase == 1 else "reserve"
        done = block in self._cleared or _accepted(self._contents, phase, self._months.get(block), self._day)
        return "done" if done else "under_way"


def _accepted(contents: PlanContents, phase: int, months: Mapping[str, Month] | None, day: datetime.date) -> bool:
    """Accepted before the month of the day; without months: its phase's year is past. Only calendar years can tell."""
    if not calendar_years(contents.config):
        return False
    if months is None:
        return contents.config.optimise.phases[phase - 1].year < day.year
    return "accepted" in months and months["accepted"] < Month(day.year, day.month)


def _cleared(contents: PlanContents) -> frozenset[str]:
    """Blocks all of whose land is said to be cleared already (``optimise.existing``)."""
    if contents.config.optimise.existing is None:
        return frozenset()
    parcels = pd.DataFrame(contents.tables.parcels.drop(columns="geometry"))
    parcels = parcels[parcels["block_id"].notna()]
    cleared = evaluate(contents.config.optimise.existing, parcels.set_index("parcel_id")).fillna(False)
    whole = cleared.astype(bool).groupby(parcels["block_id"].astype(str).to_numpy()).all()
    return frozenset(str(b) for b in whole.index[whole])


def _counted(
    contents: PlanContents, phases_of: Mapping[str, int], months: Mapping[str, Mapping[str, Month]]
) -> pd.Series[Any]:
    """First phase whose targets count each block, from 1; one more than there are = none."""
    optimise = contents.config.optimise
    steps = [(k, p.milestone or optimise.milestone, p.year) for k, p in enumerate(optimise.phases, 1)]
    none = len(steps) + 1
    reached = {
        block: min((k for k, step, year in steps if _by(months[block].get(step), year)), default=none)
        if months
        else phase
        for block, phase in phases_of.items()
    }
    return pd.Series(reached, dtype=int)


def _by(month: Month | None, year: int) -> bool:
    return month is not None and month.year <= year
