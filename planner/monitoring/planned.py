"""What a plan says of its projects: places, areas, and the month of each milestone on the calendar."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pandas as pd

from geodata.errors import Issue
from planner.codes import standing_blocks
from planner.config import Config
from planner.contents import PlanContents
from planner.errors import ConfigError
from planner.monitoring.admit import codes_of
from planner.monitoring.months import FIRST_CALENDAR_YEAR, Calendar, is_month, serial
from planner.spec_modes import MILESTONES, Milestone
from planner.spec_optimise import Counts

AREA_FIELDS: Final[Mapping[Counts, str]] = {
    "net": "area_mu",
    "boundary": "boundary_mu",
    "cleared": "cleared_mu",
    "accepted": "accepted_mu",
}
"""What a target counts → column of the parcels."""


@dataclass(frozen=True)
class PlannedProject:
    """A block of the plan as a project.

    Attributes
    ----------
    code, block : str
        Permanent code, and the block's id in the plan.
    name : str
        Typed into the workbook of the plan, else the block's id.
    village : str or None
        The village with most of its land.
    zone, mode : str or None
        `mode` by id.
    phase : int
        From 1.
    areas : mapping of str to float or None
        What a target counts (`AREA_FIELDS`) → mu; None where it is unknown for a parcel of the block.
    months : mapping of Milestone to int
        Planned month of each milestone (`planner.monitoring.months.serial`). Of a plan without modes one alone: what
        the phase counts (`counted_milestone`), by the last month of the phase.
    fixed : bool
        It stands as it is (``optimise.locks.blocks``): a finished or running project.
    """

    code: str
    block: str
    name: str
    village: str | None
    zone: str | None
    phase: int
    mode: str | None
    areas: Mapping[Counts, float | None]
    months: Mapping[Milestone, int]
    fixed: bool = False

    @property
    def net_mu(self) -> float:
        """Net land; it is always known."""
        return self.areas["net"] or 0.0

    @property
    def to_clear_mu(self) -> float:
        """Land to clear, mu; where that is unknown the land inside the boundary, or net."""
        return next(v for k in ("cleared", "boundary", "net") if (v := self.areas[k]) is not None)


def counts_from_start(config: Config) -> bool:
    """Whether the plan counts its years from its start."""
    return config.optimise.phases[0].year < FIRST_CALENDAR_YEAR


def calendar_of(config: Config, starts: str | None) -> Calendar:
    """The calendar of a plan.

    Parameters
    ----------
    config : Config
    starts : str or None
        First month of year 1, ``'YYYY-MM'``; nothing for plans whose years are those of the calendar.

    Raises
    ------
    ConfigError
        It is missing or no month, or the plan has calendar years and needs none.
    """
    where = "--starts" if starts is None else f"--starts {starts}"
    if not counts_from_start(config):
        if starts is not None:
            year = config.optimise.phases[0].year
            fix = "Leave --starts out."
            raise ConfigError(Issue(where, f"phases in calendar years ({year})", "years from the start", fix))
        return Calendar()
    if starts is None or not is_month(starts):
        found = "nothing, and the phases count years from the start" if starts is None else "no month"
        expected = "the first month of year 1, YYYY-MM"
        raise ConfigError(Issue(where, found, expected, "Add it, e.g. --starts 2024-01."))
    return Calendar(serial(starts))


def counted_milestone(config: Config, phase: int) -> Milestone:
    """The milestone by which land counts for the targets of a phase, from 1.

    With modes it is configured. Without, it is ``accepted`` where the phase counts accepted land, else ``levelled``.
    """
    spec = config.optimise.phases[phase - 1]
    if config.modes is not None:
        return spec.milestone or config.optimise.milestone
    return "accepted" if (spec.counts or config.optimise.counts) == "accepted" else "levelled"


def planned_projects(
    contents: PlanContents, calendar: Calendar, names: Mapping[str, str] | None = None
) -> tuple[PlannedProject, ...]:
    """The projects of a plan, by phase and block.

    Parameters
    ----------
    contents : PlanContents
    calendar : Calendar
    names : mapping of str to str, optional
        Code → name typed by hand.

    Raises
    ------
    DataError
        The plan was written without codes.
    """
    codes, parcels = codes_of(contents), pd.DataFrame(contents.tables.parcels.drop(columns="geometry"))
    blocks = list(codes)
    areas = {kind: _sums(parcels, blocks, column) for kind, column in AREA_FIELDS.items()}
    zones, modes, phases = (_column(contents, name) for name in ("zone", "mode", "phase"))
    villages, months = _villages(contents, parcels), _months(contents, calendar)
    fixed = standing_blocks(parcels, contents.config)
    return tuple(
        PlannedProject(
            code=code,
            block=block,
            name=(names or {}).get(code) or block,
            village=villages.get(block),
            zone=zones.get(block),
            phase=int(phases[block]),
            mode=modes.get(block),
            areas={kind: values[block] for kind, values in areas.items()},
            months=months[block] if block in months else _by_phase(contents.config, int(phases[block]), calendar),
            fixed=block in fixed,
        )
        for block, code in codes.items()
    )


def _column(contents: PlanContents, name: str) -> dict[str, Any]:
    """A column of the blocks by block; empty where there is none."""
    blocks = contents.tables.blocks
    if name not in blocks:
        return {}
    values = blocks[name].astype(object).where(blocks[name].notna(), None)
    return dict(zip(blocks["block_id"].astype(str), values, strict=True))


def _sums(parcels: pd.DataFrame, blocks: list[str], column: str) -> dict[str, float | None]:
    """Sum of a column by block; None where it is unknown for one of its parcels, or there is no such column."""
    mine = parcels[parcels["block_id"].notna()].sort_values("parcel_id")
    if column not in mine:
        return dict.fromkeys(blocks)
    values = pd.Series(mine[column].to_numpy(dtype=float, na_value=np.nan))
    sums = values.groupby(mine["block_id"].astype(str).to_numpy()).sum(skipna=False)
    return {b: None if np.isnan(sums[b]) else float(sums[b]) for b in blocks}


def _villages(contents: PlanContents, parcels: pd.DataFrame) -> dict[str, str]:
    """Block → the village with most of its land, of equal ones the first by name."""
    if "village" not in contents.shown:
        return {}
    named = parcels["parcel_id"].map(contents.shown["village"])
    frame = parcels.assign(village=named).dropna(subset=["block_id", "village"])
    sums = frame.groupby(["block_id", "village"])["area_mu"].sum().round(6).reset_index()
    best = sums.sort_values(["block_id", "area_mu", "village"], ascending=[True, False, True]).drop_duplicates(
        "block_id"
    )
    return {str(b): str(v) for b, v in zip(best["block_id"], best["village"], strict=True)}


def _months(contents: PlanContents, calendar: Calendar) -> dict[str, dict[Milestone, int]]:
    table = contents.modes.get("milestones")
    if table is None:
        return {}
    return {
        str(row["block_id"]): {m: calendar.month(row[m]) for m in MILESTONES if isinstance(row[m], str)}
        for row in table.to_dict(orient="records")
    }


def _by_phase(config: Config, phase: int, calendar: Calendar) -> dict[Milestone, int]:
    return {counted_milestone(config, phase): calendar.end_of(config.optimise.phases[phase - 1].year)}
