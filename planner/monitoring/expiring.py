"""What runs out next: approvals, votes and agreements that are entered, and leases on land where nothing has begun."""

from __future__ import annotations

import calendar as days
import datetime
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

import pandas as pd

from planner.contents import PlanContents
from planner.monitoring.entries import Entry
from planner.monitoring.months import FIRST_CALENDAR_YEAR, Calendar, serial
from planner.monitoring.planned import PlannedProject
from planner.monitoring.slips import Step, step_of

Kind = Literal["approval", "lease"]
_MONTHS: Final = 12
_LAST: Final = datetime.date.max


@dataclass(frozen=True)
class Expiring:
    """Something with a last day.

    Attributes
    ----------
    kind : {'approval', 'lease'}
    code : str
        Project.
    name, number : str
        Of an approval; empty of leases.
    until : datetime.date or None
        Last day; of leases that of their year. None = not known.
    days_left, months_left : int or None
        From the first day, and from the month, of the report; below 0 = it has run out.
    parcels : int
        Parcels whose lease ends then; 0 of an approval.
    area_mu : float or None
        Land of these parcels.
    beyond : bool or None
        Leases: they outlast the month in which the buildings are to come down (as it is forecast); None where no such
        month is planned.
    """

    kind: Kind
    code: str
    name: str
    number: str
    until: datetime.date | None
    days_left: int | None
    months_left: int | None
    parcels: int = 0
    area_mu: float | None = None
    beyond: bool | None = None


def expiring_of(
    contents: PlanContents,
    projects: Sequence[tuple[PlannedProject, Entry | None]],
    waiting: Mapping[str, tuple[Step, ...]],
    calendar: Calendar,
    at: int,
) -> tuple[Expiring, ...]:
    """What runs out, the next first; those without a day last.

    Parameters
    ----------
    contents : PlanContents
        Its fact ``lease_year`` is the year in which the last lease of a parcel ends.
    projects : sequence
        Projects that are neither done nor dropped, with their entries; approvals that have run out are listed
        too.
    waiting : mapping of str to steps
        Blocks where nothing has begun: their leases are listed from the month of the report on.
    calendar : Calendar
    at : int
        Month of the report.
    """
    found = [
        *(item for plan, entry in projects if entry is not None for item in _approvals(plan, entry, at)),
        *_leases(contents, {plan.block: plan.code for plan, _ in projects}, waiting, calendar, at),
    ]
    return tuple(sorted(found, key=lambda x: (x.until or _LAST, x.kind, x.code, x.name, x.number)))


def unknown_leases(contents: PlanContents, blocks: Sequence[str]) -> int | None:
    """Parcels of some blocks whose lease is not known (some are oral); None where the plan knows no leases."""
    if "lease_year" not in contents.shown:
        return None
    parcels = contents.tables.parcels
    mine = parcels.loc[parcels["block_id"].isin(list(blocks)), "parcel_id"]
    return int(contents.shown["lease_year"].reindex(mine).isna().sum())


def _approvals(plan: PlannedProject, entry: Entry, at: int) -> Iterator[Expiring]:
    first = _first_day(at)
    for approval in entry.approvals:
        until = approval.until
        left = None if until is None else (until - first).days
        months = None if until is None else serial(f"{until.year}-{until.month:02d}") - at
        yield Expiring("approval", plan.code, approval.name, approval.number, until, left, months)


def _leases(
    contents: PlanContents,
    codes: Mapping[str, str],
    waiting: Mapping[str, tuple[Step, ...]],
    calendar: Calendar,
    at: int,
) -> Iterator[Expiring]:
    """Leases of a block that end in one year, together."""
    if "lease_year" not in contents.shown:
        return
    parcels = pd.DataFrame(contents.tables.parcels.drop(columns="geometry")).sort_values("parcel_id")
    years = parcels["parcel_id"].map(contents.shown["lease_year"]).astype("Float64")
    frame = parcels.assign(year=years)[parcels["block_id"].isin(list(waiting)) & years.notna()]
    for (block, year), mine in frame.groupby(["block_id", "year"]):
        month = _end(float(str(year)), calendar)
        if month is None or month < at:
            continue
        until = _last_day(month)
        down = step_of(waiting[str(block)], "demolished")
        demolished = None if down is None else down.forecast
        yield Expiring(
            "lease",
            codes[str(block)],
            "",
            "",
            until,
            (until - _first_day(at)).days,
            month - at,
            len(mine),
            float(mine["area_mu"].sum()),
            None if demolished is None else month > demolished,
        )


def _end(year: float, calendar: Calendar) -> int | None:
    """The last month of a year of the calendar, or of one counted from the start; None where nobody can tell."""
    if year >= FIRST_CALENDAR_YEAR:
        return Calendar().end_of(year)
    return None if calendar.starts is None else calendar.end_of(year)


def _first_day(month: int) -> datetime.date:
    return datetime.date(month // _MONTHS, month % _MONTHS + 1, 1)


def _last_day(month: int) -> datetime.date:
    year, k = divmod(month, _MONTHS)
    return datetime.date(year, k + 1, days.monthrange(year, k + 1)[1])
