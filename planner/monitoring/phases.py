"""The targets of the phases: what is reached, what will be, and when a target will be met."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from planner.config import Config
from planner.monitoring.entries import Entry, State
from planner.monitoring.months import Calendar
from planner.monitoring.planned import PlannedProject, counted_milestone
from planner.monitoring.slips import Step
from planner.spec_modes import MILESTONES, Milestone
from planner.spec_optimise import Counts

Counted = tuple[PlannedProject, Entry | None, State, tuple[Step, ...]]
"""What the sums of phases need of a project."""
_HUNDREDTH = 0.005


@dataclass(frozen=True)
class PhaseProgress:
    """One phase; sums and targets are cumulative from the start.

    Attributes
    ----------
    number : int
        From 1.
    id : str
    begins, end : int
        First month after the phase before (of the first phase the earliest month that is planned), and its last month.
    target_mu : float
    stretch_mu : float or None
    counts : Counts
        Which area its targets count.
    milestone : Milestone
        By which land counts.
    planned_mu : float
        Land that the plan counts by the end of the phase.
    planned_now_mu : float
        Land that the plan counts by the month of the report.
    counted_mu : float
        Land that counts in the month of the report: of projects that have reached the milestone, each by the share of
        its land that is entered as cleared (accepted), at most all of it.
    forecast_mu : float
        Land that will count by the end of the phase, if every project keeps its present slip.
    target_month, stretch_month : int or None
        Month in which target and stretch will be met so; None = the projects of the plan do not suffice, or there is
        no such target.
    unknown : int
        Projects that the sums leave out: the area that counts is not known.
    unmeasured : int
        Projects that count in full as nobody entered how much of them is cleared (accepted).
    """

    number: int
    id: str
    begins: int
    end: int
    target_mu: float
    stretch_mu: float | None
    counts: Counts
    milestone: Milestone
    planned_mu: float
    planned_now_mu: float
    counted_mu: float
    forecast_mu: float
    target_month: int | None
    stretch_month: int | None
    unknown: int
    unmeasured: int

    @property
    def late_by(self) -> int | None:
        """Months by which the target is forecast after the end of the phase; None where it is never met."""
        return None if self.target_month is None else max(0, self.target_month - self.end)


def running_phase(phases: Sequence[PhaseProgress], at: int) -> int:
    """The phase that runs in a month, from 1: the first that does not end before it, else the last."""
    return next((p.number for p in phases if p.end >= at), len(phases))


def phase_progress(
    config: Config, projects: Sequence[Counted], calendar: Calendar, at: int
) -> tuple[PhaseProgress, ...]:
    """All phases of a plan, see `PhaseProgress`."""
    first = min((month for plan, *_ in projects for month in plan.months.values()), default=at)
    found: list[PhaseProgress] = []
    for number, spec in enumerate(config.optimise.phases, 1):
        counts = spec.counts or config.optimise.counts
        milestone = counted_milestone(config, number)
        end = calendar.end_of(spec.year)
        lands = [_land(project, counts, milestone, at) for project in projects]
        known = [land for land in lands if land is not None]
        found.append(
            PhaseProgress(
                number=number,
                id=spec.id,
                begins=found[-1].end + 1 if found else min(first, end),
                end=end,
                target_mu=spec.target_mu,
                stretch_mu=spec.stretch_mu,
                counts=counts,
                milestone=milestone,
                planned_mu=sum(x.whole_mu for x in known if x.planned is not None and x.planned <= end),
                planned_now_mu=sum(x.whole_mu for x in known if x.planned is not None and x.planned <= at),
                counted_mu=sum(x.mu for x in known if x.reached),
                forecast_mu=sum(x.mu for x in known if x.month is not None and x.month <= end),
                target_month=_met(known, spec.target_mu),
                stretch_month=None if spec.stretch_mu is None else _met(known, spec.stretch_mu),
                unknown=len(lands) - len(known),
                unmeasured=sum(x.reached and not x.measured for x in known),
            )
        )
    return tuple(found)


@dataclass(frozen=True)
class _Land:
    """What a project brings to a target: all its land, what counts of it, by plan and in fact (month of forecast)."""

    whole_mu: float
    mu: float
    planned: int | None
    reached: bool
    month: int | None
    measured: bool


def _land(project: Counted, counts: Counts, milestone: Milestone, at: int) -> _Land | None:
    """None where the area that counts is unknown."""
    plan, entry, state, steps = project
    whole = plan.areas[counts]
    if whole is None:
        return None
    planned = plan.months.get(milestone)
    by = MILESTONES.index(milestone)
    if state == "dropped":
        return _Land(whole, 0.0, planned, False, None, True)
    passed = [s for s in steps if s.passed and MILESTONES.index(s.milestone) >= by]
    if passed or (state == "done" and by <= MILESTONES.index("accepted")):
        share = _share(plan, entry, counts, milestone)
        months = [s.reached for s in passed if s.reached is not None]
        return _Land(
            whole, whole * (1.0 if share is None else share), planned, True, min([at, *months]), share is not None
        )
    month = next((s.forecast for s in steps if s.milestone == milestone), None)
    return _Land(whole, whole, planned, False, month, True)


def _share(plan: PlannedProject, entry: Entry | None, counts: Counts, milestone: Milestone) -> float | None:
    """Entered over planned, at most 1: accepted land where acceptance is what counts, else cleared land."""
    if entry is None:
        return None
    accepted = counts == "accepted" or MILESTONES.index(milestone) >= MILESTONES.index("accepted")
    entered = entry.accepted_mu if accepted else entry.cleared_mu
    kinds: tuple[Counts, ...] = (
        ("accepted", "cleared", "boundary", "net") if accepted else ("cleared", "boundary", "net")
    )
    whole = next((v for k in kinds if (v := plan.areas[k]) is not None), None)
    if entered is None or not whole:
        return None
    return min(1.0, entered / whole)


def _met(lands: Sequence[_Land], target: float) -> int | None:
    """First month by which so much counts; None where it never does."""
    if target <= 0:
        return None
    total = 0.0
    for land in sorted((x for x in lands if x.month is not None), key=lambda x: (x.month or 0, x.whole_mu)):
        total += land.mu
        if total >= target - _HUNDREDTH:
            return land.month
    return None
