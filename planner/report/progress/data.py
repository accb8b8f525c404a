"""A report on progress as one tree of plain values: what is written as JSON, and what page and tables show."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, Final

from planner.contents import PlanContents
from planner.labels import LANGUAGES, Labels
from planner.monitoring.expiring import Expiring, unknown_leases
from planner.monitoring.form import AREA
from planner.monitoring.months import month_text
from planner.monitoring.phases import PhaseProgress
from planner.monitoring.slips import Step
from planner.monitoring.standing import SHOWN, Finding, Progress, ProjectProgress
from planner.report.progress.words import mode_names

FORMAT: Final = "land-consolidation-progress-report"
VERSION: Final = 1
SOON_MONTHS: Final = 12
"""What runs out within so many months is listed first; the rest follows apart."""
_DIGITS: Final = 4


def progress_data(contents: PlanContents, progress: Progress) -> dict[str, Any]:
    """Content of ``progress.json``; areas are mu, months ``'YYYY-MM'``, unknown is null.

    Parameters
    ----------
    contents : PlanContents
    progress : Progress
        Of this plan.
    """
    starts, waiting = progress.calendar.starts, [p.plan.block for p in progress.projects if p.state == "waiting"]
    return {
        "format": FORMAT,
        "version": VERSION,
        "project": contents.config.project.name,
        "title": contents.title,
        "note": contents.config.project.note,
        "synthetic": contents.synthetic,
        "at": month_text(progress.at),
        "starts": None if starts is None else month_text(starts),
        "has_modes": contents.config.modes is not None,
        "entries": _file_name(progress.entries.source),
        "plan": {key: contents.summary.get(key) for key in ("version", "config_hash", "input_hash")},
        "running_phase": progress.phase.id,
        "phase_over": progress.phase.end < progress.at,
        "headline": _headline(progress),
        "phases": [_phase(phase) for phase in progress.phases],
        "modes": {language: mode_names(contents, language) for language in LANGUAGES},
        "projects": [_project(contents, p) for p in progress.projects],
        "slipping": [_slipping(p) for p in progress.slipping],
        "expiring": [_expiring(item) for item in progress.expiring],
        "unknown_leases": unknown_leases(contents, waiting),
        "findings": [_finding(finding) for finding in progress.findings],
    }


def _file_name(source: str) -> str:
    """The name alone: folders of a machine are nobody's business."""
    return source.replace("\\", "/").rsplit("/", 1)[-1]


def _mu(value: float | None) -> float | None:
    return None if value is None else round(value, _DIGITS)


def _month(value: int | None) -> str | None:
    return None if value is None else month_text(value)


def _share(part: float | None, whole: float | None) -> float | None:
    return None if part is None or not whole else round(part / whole, 6)


def _sum(values: Sequence[float | None]) -> float:
    return round(sum(v for v in values if v is not None), _DIGITS)


def _headline(progress: Progress) -> dict[str, Any]:
    """Sums over all projects; `unknown` counts projects of which nobody entered how much."""
    projects, phase = progress.projects, progress.phase
    cleared, accepted = _sum([p.cleared_mu for p in projects]), _sum([p.accepted_mu for p in projects])
    open_ = [p for p in projects if p.state not in {"done", "dropped"}]
    left = [p.to_clear_mu for p in open_]
    states = Counter(p.shown for p in projects)
    return {
        "cleared_mu": cleared,
        "cleared_unknown": sum(p.lacks("cleared") for p in projects),
        "cleared_of_target": _share(cleared, phase.target_mu),
        "cleared_of_stretch": _share(cleared, phase.stretch_mu),
        "accepted_mu": accepted,
        "accepted_unknown": sum(p.lacks("accepted") for p in projects),
        "accepted_of_target": _share(accepted, phase.target_mu),
        "accepted_of_stretch": _share(accepted, phase.stretch_mu),
        "to_clear_mu": _sum(left),
        "to_clear_unknown": sum(value is None for value in left),
        "open_projects": len(open_),
        "projects": len(projects),
        "dropped_projects": states["dropped"],
        "dropped_mu": _sum([p.planned_cleared_mu for p in projects if p.state == "dropped"]),
        "states": [
            {"state": s, "projects": states[s], "net_mu": _sum([p.plan.net_mu for p in projects if p.shown == s])}
            for s in SHOWN
        ],
    }


def _phase(phase: PhaseProgress) -> dict[str, Any]:
    return {
        "id": phase.id,
        "begins": month_text(phase.begins),
        "ends": month_text(phase.end),
        "target_mu": phase.target_mu,
        "stretch_mu": phase.stretch_mu,
        "counts": phase.counts,
        "milestone": phase.milestone,
        "planned_now_mu": _mu(phase.planned_now_mu),
        "counted_mu": _mu(phase.counted_mu),
        "counted_of_target": _share(phase.counted_mu, phase.target_mu),
        "planned_mu": _mu(phase.planned_mu),
        "forecast_mu": _mu(phase.forecast_mu),
        "short_mu": _mu(max(0.0, phase.target_mu - phase.forecast_mu)),
        "target_month": _month(phase.target_month),
        "stretch_month": _month(phase.stretch_month),
        "late_by": phase.late_by,
        "unknown_projects": phase.unknown,
        "unmeasured_projects": phase.unmeasured,
    }


def _project(contents: PlanContents, p: ProjectProgress) -> dict[str, Any]:
    plan = p.plan
    return {
        "code": plan.code,
        "block_id": plan.block,
        "name": plan.name,
        "village": plan.village,
        "zone": plan.zone,
        "phase": contents.config.optimise.phases[plan.phase - 1].id,
        "mode": plan.mode,
        "fixed": plan.fixed,
        "entered": p.entry is not None,
        "state": p.shown,
        "slip": p.slip,
        "net_mu": _mu(plan.net_mu),
        "planned_cleared_mu": _mu(p.planned_cleared_mu),
        "cleared_mu": _mu(p.cleared_mu),
        "cleared_share": _share(p.cleared_mu, p.planned_cleared_mu),
        "cleared_unknown": p.lacks("cleared"),
        "planned_accepted_mu": _mu(p.planned_accepted_mu),
        "accepted_mu": _mu(p.accepted_mu),
        "accepted_share": _share(p.accepted_mu, p.planned_accepted_mu),
        "accepted_unknown": p.lacks("accepted"),
        "steps": {step.milestone: _step(step, p.state == "dropped") for step in p.steps},
        "remark": "" if p.entry is None else p.entry.remark,
    }


def _step(step: Step, dropped: bool) -> dict[str, Any]:
    """A milestone; of a dropped project nothing is to come."""
    return {
        "planned": _month(step.planned),
        "reached": _month(step.reached),
        "passed": step.passed,
        "slip": None if dropped and not step.passed else step.slip,
        "forecast": None if dropped and not step.passed else _month(step.forecast),
    }


def _slipping(p: ProjectProgress) -> dict[str, Any]:
    coming = p.coming
    assert coming is not None  # of a late project
    return {
        "code": p.plan.code,
        "name": p.plan.name,
        "milestone": coming.milestone,
        "planned": _month(coming.planned),
        "forecast": _month(coming.forecast),
        "slip": p.slip,
        "at_stake_mu": _mu(p.at_stake_mu),
    }


def _expiring(item: Expiring) -> dict[str, Any]:
    return {
        "kind": item.kind,
        "code": item.code,
        "name": item.name,
        "number": item.number,
        "until": None if item.until is None else item.until.isoformat(),
        "days_left": item.days_left,
        "months_left": item.months_left,
        "parcels": item.parcels,
        "area_mu": _mu(item.area_mu),
        "beyond": item.beyond,
    }


def _finding(finding: Finding) -> dict[str, Any]:
    return {
        "kind": finding.kind,
        "code": finding.code,
        "text": {language: _said(finding, Labels.of(language, AREA)) for language in LANGUAGES},
    }


def _said(finding: Finding, words: Labels) -> str:
    if finding.kind == "month_unknown":
        names = [words(f"milestone_{milestone}") for milestone in str(finding.values[0]).split()]
        return words("finding_month_unknown", ("、" if words.language == "zh" else ", ").join(names))
    shown = [f"{v:,.2f}" if isinstance(v, float) else v for v in finding.values]
    return words(f"finding_{finding.kind}", *shown)


def is_soon(item: Mapping[str, Any]) -> bool:
    """Whether something has run out, or will soon; what has no day is told with these."""
    return item["months_left"] is None or item["months_left"] <= SOON_MONTHS


def definitions(data: Mapping[str, Any]) -> list[str]:
    """Labels of the definitions that a report needs."""
    keys = ["def_slip", "def_forecast", "def_counted", "def_left", "def_leases", "def_unknown"]
    return keys if data["has_modes"] else [*keys, "def_no_modes"]
