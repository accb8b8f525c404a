"""Rows of a form as entries about a plan: every one that cannot be is an issue, and all are told at once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from typing import Final

from geodata.errors import DataError, Issue, list_ids
from planner.contents import PlanContents
from planner.monitoring.cells import Cells, shown
from planner.monitoring.entries import Approval, Entries, Entry
from planner.monitoring.form import ACCEPTED, CLEARED, REACHED, REMARK, STATE
from planner.monitoring.sheets import Line, Sheets
from planner.spec_modes import MILESTONES, Milestone

_ORDER: Final = " → ".join(MILESTONES)


def codes_of(contents: PlanContents) -> dict[str, str]:
    """Block → permanent code of its project.

    Raises
    ------
    DataError
        The plan was written without codes.
    """
    codes = contents.codes
    if codes is None:
        fix = "Run it again with `planner run`: the blocks then hold them."
        raise DataError(Issue("plan.gpkg, layer blocks", "no column project_code", "permanent codes of projects", fix))
    return codes


def admitted(sheets: Sheets, contents: PlanContents, at: str | None = None) -> Entries:
    """Entries of the rows of a form.

    Parameters
    ----------
    sheets : Sheets
    contents : PlanContents
        The plan, which knows the codes.
    at : str, optional
        Month ``'YYYY-MM'``; months after it are refused.

    Raises
    ------
    DataError
        A code that neither the plan nor the form knows, a row without one, two rows that contradict each other, cells
        that cannot be read, an area below 0, months out of order or after `at`.
    """
    codes = set(codes_of(contents).values())
    issues: list[Issue] = []
    for line in (*sheets.projects, *sheets.approvals):
        issues += _about_code(line, codes, sheets.known)
    rows = _by_code(sheets.projects, issues)
    approvals = _approvals(sheets.approvals, issues)
    found: dict[str, Entry] = {}
    for code in sorted(rows.keys() | approvals.keys()):
        cells = rows.get(code) or Cells(f"{sheets.path}, {code}", {})
        found[code] = _entry(code, cells, approvals.get(code, ()), at)
        issues += cells.issues
    if issues:
        raise DataError(issues)
    here = {code: entry for code, entry in found.items() if code in codes}
    gone = {code: entry for code, entry in found.items() if code not in codes}
    return Entries(here, str(sheets.path), gone, sheets.starts)


def _about_code(line: Line, codes: set[str], known: frozenset[str]) -> Iterable[Issue]:
    if not line.code:
        yield Issue(line.where, "a row without a project code", "the code of its project", "Type it, or clear the row.")
    elif line.code not in codes | known:
        expected = f"a code of this plan: {list_ids(sorted(codes))}"
        yield Issue(line.where, f"the project code {line.code!r}", expected, "Correct it.")


def _by_code(lines: Sequence[Line], issues: list[Issue]) -> dict[str, Cells]:
    """Cells of each project; rows of one project are merged where they do not contradict each other."""
    found: dict[str, Cells] = {}
    for line in lines:
        cells = found.setdefault(line.code, Cells(line.where, {}))
        other = [k for k, v in line.cells.items() if shown(cells.values.get(k, v)) != shown(v)]
        if other:
            text = f"a second row of {line.code} with another {', '.join(other)}"
            issues.append(Issue(line.where, text, "one row of each project", "Merge the rows, or remove one of them."))
        cells.values.update({k: v for k, v in line.cells.items() if k not in cells.values})
    return found


def _approvals(lines: Sequence[Line], issues: list[Issue]) -> Mapping[str, tuple[Approval, ...]]:
    found: dict[str, dict[Approval, None]] = {}
    for line in lines:
        cells = Cells(line.where, dict(line.cells))
        name = cells.text("approval")
        if not name:
            cells.wrong("approval", "no name", "what the approval is, e.g. 改造方案批复", "Type it, or clear the row.")
        approval = Approval(name, cells.day("approval_until"), cells.text("approval_number"))
        found.setdefault(line.code, {})[approval] = None
        issues += cells.issues
    return {code: tuple(some) for code, some in found.items()}


def _entry(code: str, cells: Cells, approvals: tuple[Approval, ...], at: str | None) -> Entry:
    state = cells.state(STATE)
    reached: dict[Milestone, str] = {}
    for milestone in MILESTONES:
        month = cells.month(REACHED[milestone])
        if month is not None:
            reached[milestone] = month
    _in_order(cells, reached, at)
    cleared, accepted = cells.mu(CLEARED), cells.mu(ACCEPTED)
    if state is None:
        state = "running" if reached or cleared or accepted else "waiting"
    return Entry(code, state, reached, cleared, accepted, approvals, cells.text(REMARK))


def _in_order(cells: Cells, reached: Mapping[Milestone, str], at: str | None) -> None:
    months = list(reached.items())
    for (before, first), (after, second) in pairwise(months):
        if second < first:
            found = f"{second}, before {before} in {first}"
            cells.wrong(REACHED[after], found, f"months in the order {_ORDER}", "Correct one of the two.")
    for milestone, month in months:
        if at is not None and month > at:
            fix = "Correct it, or report a later month with --at."
            cells.wrong(REACHED[milestone], f"{month}, which lies after the report", f"a month up to {at}", fix)
