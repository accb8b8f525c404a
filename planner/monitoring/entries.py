"""What people enter about the projects of a plan: states, months reached, land cleared and accepted, approvals."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Literal, get_args

from planner.contents import PlanContents
from planner.spec_modes import Milestone

State = Literal["waiting", "running", "done", "dropped"]
"""未启动, 推进中, 已销号, 已终止: what people say of a project. Whether it is late follows from the months."""
STATES: Final[tuple[State, ...]] = get_args(State)


@dataclass(frozen=True)
class Approval:
    """A paper that runs out: an approval, a vote, an agreement.

    Attributes
    ----------
    name : str
        What it is, e.g. 改造方案批复.
    until : datetime.date or None
        Last day on which it is valid (of a month its last day); None = not known.
    number : str
        Its number; empty where none is entered.
    """

    name: str
    until: datetime.date | None
    number: str = ""


@dataclass(frozen=True)
class Entry:
    """What is entered about one project.

    Attributes
    ----------
    code : str
        Permanent code of the project.
    state : State
        As entered; where it is left empty `running` if a milestone is reached or land is cleared, else `waiting`.
    reached : mapping of Milestone to str
        Milestone → month in which it was reached, ``'YYYY-MM'`` of the calendar.
    cleared_mu, accepted_mu : float or None
        Land cleared and levelled 拆除平整, and accepted 验收, mu; None = not entered, which is not 0.
    approvals : tuple of Approval
    remark : str
    """

    code: str
    state: State
    reached: Mapping[Milestone, str] = field(default_factory=dict)
    cleared_mu: float | None = None
    accepted_mu: float | None = None
    approvals: tuple[Approval, ...] = ()
    remark: str = ""


@dataclass(frozen=True)
class Entries:
    """What is entered about a plan.

    Attributes
    ----------
    by_code : mapping of str to Entry
        Projects of the plan of which something is entered; the others have no entry.
    source : str
        The file they were read from.
    gone : mapping of str to Entry
        Projects of an earlier plan that the form keeps below.
    starts : str or None
        First month of year 1, ``'YYYY-MM'``, where the form says it.
    """

    by_code: Mapping[str, Entry]
    source: str
    gone: Mapping[str, Entry] = field(default_factory=dict)
    starts: str | None = None


def read_entries(path: Path, contents: PlanContents, at: str | None = None) -> Entries:
    """Read the filled form of a plan, or a table.

    Parameters
    ----------
    path : pathlib.Path
        The form of `planner progress form` (XLSX), or a CSV with the same columns.
    contents : PlanContents
        The plan it is about.
    at : str, optional
        Month of the report, ``'YYYY-MM'``: months after it are refused.

    Raises
    ------
    DataError
        No such file, not readable, or entries that cannot be: all that is wrong at once.
    """
    from planner.monitoring.admit import admitted  # noqa: PLC0415 - which builds on the types above
    from planner.monitoring.sheets import read_sheets  # noqa: PLC0415

    return admitted(read_sheets(path), contents, at)
