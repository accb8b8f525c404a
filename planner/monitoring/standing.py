"""Where a plan stands in a month: projects, phases, what was found in the entries."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from planner.contents import PlanContents
from planner.monitoring.entries import Entries, Entry, State
from planner.monitoring.expiring import Expiring, expiring_of
from planner.monitoring.months import Calendar, serial
from planner.monitoring.phases import PhaseProgress, phase_progress, running_phase
from planner.monitoring.planned import PlannedProject, planned_projects
from planner.monitoring.slips import Step, next_step, slip_of, steps_of
from planner.spec_modes import MILESTONES

Shown = Literal["waiting", "running", "late", "done", "dropped"]
"""未启动, 推进中, 滞后, 已销号, 已终止."""
SHOWN: Final[tuple[Shown, ...]] = ("done", "running", "late", "waiting", "dropped")
_CLEARED_BY: Final = MILESTONES.index("levelled")
_ACCEPTED_BY: Final = MILESTONES.index("accepted")
_HUNDREDTH: Final = 0.005
"""Half of the last digit shown, mu: less is no difference."""


@dataclass(frozen=True)
class ProjectProgress:
    """A project in the month of the report.

    Attributes
    ----------
    plan : PlannedProject
    entry : Entry or None
        None = nothing is entered.
    state : State
        As entered; of a project without an entry `running` where the plan says it stands, else `waiting`.
    steps : tuple of Step
        Milestones; of a dropped project without slips to come, as nothing of it will be reached.
    """

    plan: PlannedProject
    entry: Entry | None
    state: State
    steps: tuple[Step, ...]

    @property
    def slip(self) -> int:
        """Largest slip so far, months; 0 for a dropped project."""
        return 0 if self.state == "dropped" else slip_of(self.steps)

    @property
    def coming(self) -> Step | None:
        """The next planned milestone; None where all are passed, and of done and dropped projects."""
        return next_step(self.steps) if self.state in {"waiting", "running"} else None

    @property
    def shown(self) -> Shown:
        """Late (滞后) is whatever is open and has slipped; the others are as entered."""
        return "late" if self.coming is not None and self.slip > 0 else self.state

    @property
    def planned_cleared_mu(self) -> float:
        """Land to clear, mu; where that is unknown the land inside the boundary, or net."""
        return self.plan.to_clear_mu

    @property
    def planned_accepted_mu(self) -> float:
        """Land to accept, mu; where that is unknown the land to clear."""
        known = self.plan.areas["accepted"]
        return self.planned_cleared_mu if known is None else known

    @property
    def cleared_mu(self) -> float | None:
        """Cleared, as entered."""
        return None if self.entry is None else self.entry.cleared_mu

    @property
    def accepted_mu(self) -> float | None:
        """Accepted, as entered."""
        return None if self.entry is None else self.entry.accepted_mu

    @property
    def to_clear_mu(self) -> float | None:
        """Land left to clear; None where it is cleared but nobody entered how much. 0 of done and dropped projects."""
        if self.state in {"done", "dropped"}:
            return 0.0
        if self.cleared_mu is not None:
            return max(0.0, self.planned_cleared_mu - self.cleared_mu)
        return None if self._passed(_CLEARED_BY) else self.planned_cleared_mu

    @property
    def at_stake_mu(self) -> float:
        """Land that waits for the next milestone: left to clear, then left to be accepted, then all (net)."""
        if self.coming is None:
            return 0.0
        at = MILESTONES.index(self.coming.milestone)
        if at <= _CLEARED_BY:
            return max(0.0, self.planned_cleared_mu - (self.cleared_mu or 0.0))
        if at == _ACCEPTED_BY:
            return max(0.0, self.planned_accepted_mu - (self.accepted_mu or 0.0))
        return self.plan.net_mu

    @property
    def has_cleared(self) -> bool:
        """Whether it is said to be cleared and levelled: done, or past that milestone; not of dropped projects."""
        return self.state != "dropped" and self._passed(_CLEARED_BY)

    def lacks(self, what: Literal["cleared", "accepted"]) -> bool:
        """Whether land was cleared (accepted) but nobody entered how much."""
        known, by = (self.cleared_mu, _CLEARED_BY) if what == "cleared" else (self.accepted_mu, _ACCEPTED_BY)
        return known is None and self.state != "dropped" and self._passed(by)

    def _passed(self, by: int) -> bool:
        return self.state == "done" or any(s.passed and MILESTONES.index(s.milestone) >= by for s in self.steps)


@dataclass(frozen=True)
class Finding:
    """Something about the entries that somebody should look at.

    Attributes
    ----------
    kind : str
        The label ``finding_<kind>`` says it.
    code : str or None
        Project; None = all of them.
    values : tuple
        Numbers (mu, counts) and names of milestones, for the placeholders of the label.
    """

    kind: str
    code: str | None
    values: tuple[float | int | str, ...] = ()


@dataclass(frozen=True)
class Progress:
    """Where a plan stands.

    Attributes
    ----------
    at : int
        Month of the report (`planner.monitoring.months.serial`).
    calendar : Calendar
    projects : tuple of ProjectProgress
        By phase and block.
    phases : tuple of PhaseProgress
    running : int
        The phase that runs in that month, from 1: the first that does not end before it, else the last.
    expiring : tuple of Expiring
        What runs out next, first of all.
    findings : tuple of Finding
    entries : Entries
    """

    at: int
    calendar: Calendar
    projects: tuple[ProjectProgress, ...]
    phases: tuple[PhaseProgress, ...]
    running: int
    expiring: tuple[Expiring, ...]
    findings: tuple[Finding, ...]
    entries: Entries

    @property
    def phase(self) -> PhaseProgress:
        """The phase that runs."""
        return self.phases[self.running - 1]

    @property
    def slipping(self) -> tuple[ProjectProgress, ...]:
        """Late projects, those with most land at stake first."""
        late = [p for p in self.projects if p.shown == "late"]
        return tuple(sorted(late, key=lambda p: (-round(p.at_stake_mu, 2), -p.slip, p.plan.code)))


def standing_of(
    contents: PlanContents,
    entries: Entries,
    at: str,
    calendar: Calendar,
    names: Mapping[str, str] | None = None,
) -> Progress:
    """Where a plan stands in a month.

    Parameters
    ----------
    contents : PlanContents
    entries : Entries
        Of this plan.
    at : str
        The month, ``'YYYY-MM'``.
    calendar : Calendar
        See `planner.monitoring.planned.calendar_of`.
    names : mapping of str to str, optional
        Code → name of the project.
    """
    month = serial(at)
    projects = tuple(
        _project(plan, entries.by_code.get(plan.code), month) for plan in planned_projects(contents, calendar, names)
    )
    counted = [(p.plan, p.entry, p.state, p.steps) for p in projects]
    phases = phase_progress(contents.config, counted, calendar, month)
    running = running_phase(phases, month)
    started = {p.plan.block: p for p in projects}
    waiting = {b: p.steps for b, p in started.items() if p.state == "waiting"}
    open_projects = [(p.plan, p.entry) for p in projects if p.state in {"waiting", "running"}]
    expiring = expiring_of(contents, open_projects, waiting, calendar, month)
    findings = tuple(_findings(projects, entries, contents.config.areas.tolerance_share))
    return Progress(month, calendar, projects, phases, running, expiring, findings, entries)


def _project(plan: PlannedProject, entry: Entry | None, at: int) -> ProjectProgress:
    without: State = "running" if plan.fixed else "waiting"
    return ProjectProgress(plan, entry, without if entry is None else entry.state, steps_of(plan.months, entry, at))


def _findings(projects: Sequence[ProjectProgress], entries: Entries, tolerance: float) -> Iterator[Finding]:
    silent = [p for p in projects if p.entry is None]
    if silent:
        yield Finding("no_entry", None, (len(silent), len(projects), sum(p.shown == "late" for p in silent)))
    if entries.gone:
        yield Finding("gone", None, (len(entries.gone), ", ".join(sorted(entries.gone))))
    for project in projects:
        yield from _of_areas(project, tolerance)
        yield from _of_months(project)


def _of_areas(project: ProjectProgress, tolerance: float) -> Iterator[Finding]:
    code, cleared, accepted = project.plan.code, project.cleared_mu, project.accepted_mu
    boundary = project.plan.areas["boundary"]
    whole = project.plan.net_mu if boundary is None else boundary
    if cleared is not None and cleared > whole * (1 + tolerance) + _HUNDREDTH:
        yield Finding("cleared_above", code, (cleared, whole, project.plan.net_mu))
    if cleared is not None and accepted is not None and accepted > cleared + _HUNDREDTH:
        yield Finding("accepted_above", code, (accepted, cleared))
    due = project.planned_cleared_mu
    if cleared is not None and project.has_cleared and cleared < due * (1 - tolerance) - _HUNDREDTH:
        yield Finding("cleared_below", code, (cleared, due, project.plan.net_mu))
    if project.state == "done" and accepted is None:
        yield Finding("done_unaccepted", code)
    elif project.lacks("accepted"):
        yield Finding("accepted_unknown", code)
    if project.lacks("cleared"):
        yield Finding("cleared_unknown", code)


def _of_months(project: ProjectProgress) -> Iterator[Finding]:
    code = project.plan.code
    lost = [s.milestone for s in project.steps if s.passed and s.reached is None]
    if lost and project.state not in {"done", "dropped"}:
        yield Finding("month_unknown", code, (" ".join(lost),))
    if project.state == "waiting" and project.entry is not None and (project.entry.reached or project.cleared_mu):
        yield Finding("waiting_but_moving", code)
