"""What the entry form and its reader agree on: sheets, columns, and the hidden sheet."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from planner.labels import LANGUAGES, label_table
from planner.monitoring.entries import STATES
from planner.spec_modes import MILESTONES

AREA: Final = "monitoring"
"""Table of labels of the form and of the report."""
FORM: Final = "land-consolidation-progress"
"""Name of the hidden sheet, and the text in its first cell."""
VERSION: Final = "1"
FORM_COLUMNS: Final = ("code", "block_id", "gone")
"""Header of the hidden sheet, in its second row."""

SHEET_PROJECTS: Final = "progress"
SHEET_APPROVALS: Final = "approvals"
"""Sheets; their titles are the labels ``sheet_<name>``."""

CODE: Final = "code"
STATE: Final = "entry_state"
CLEARED: Final = "entered_cleared_mu"
ACCEPTED: Final = "entered_accepted_mu"
REMARK: Final = "entry_remark"
REACHED: Final = {milestone: f"reached_{milestone}" for milestone in MILESTONES}
"""Milestone → its column."""
PROJECT_HAND: Final = (STATE, *REACHED.values(), CLEARED, ACCEPTED, REMARK)
"""Columns of the sheet of projects that are filled in by people."""
APPROVAL_HAND: Final = ("approval", "approval_number", "approval_until")
"""Columns of the sheet of approvals that are filled in by people, besides the code."""


def heads(column: str) -> frozenset[str]:
    """What the header of a column may say: its key, or its name in either language."""
    return frozenset({column, *(label_table("workbook", AREA)[language][f"col_{column}"] for language in LANGUAGES)})


def state_words() -> Iterator[tuple[str, str]]:
    """Text of a state, in either language or as the key → state; a late project is a running one."""
    for state in STATES:
        yield state, state
        yield from ((label_table(AREA)[language][f"entry_state_{state}"], state) for language in LANGUAGES)
    yield from ((label_table("workbook", AREA)[language]["state_late"], "running") for language in LANGUAGES)
