"""What writing a workbook and reading it back agree on: the hidden sheet, and which columns are filled by hand."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

FORM: Final = "land-consolidation-ledger"
"""Name of the hidden sheet, and the text in its first cell."""
VERSION: Final = "1"
FORM_COLUMNS: Final = ("code", "parcel_id", "area_mu", "gone")
"""Header of the hidden sheet, in its second row."""

LEDGER_HAND: Final = ("name", "bounds", "direction", "developer", "progress", "problems", "remarks")
"""Columns of the project ledger that are filled by hand."""
TASKS_HAND: Final = (
    "leader",
    "lead_unit",
    "support_units",
    "village_contact",
    "team_leader",
    "frequency",
    "task_progress",
    "task_done",
    "to_coordinate",
    "state",
)
"""Columns of the responsibility list that are filled by hand."""
DEADLINE: Final = "deadline"
"""Filled by hand for tasks that have no milestone."""
TASKS: Final = (
    "survey",
    "vote",
    "sign",
    "decant",
    "zoning_change",
    "papers",
    "clear",
    "accept",
    "supply",
    "start",
)
"""Tasks of every project, in order."""
DONE_BY: Final[Mapping[str, str]] = {
    "sign": "signed",
    "decant": "decanted",
    "clear": "levelled",
    "accept": "accepted",
    "supply": "supplied",
    "start": "started",
}
"""Task → milestone by which it is done (`decanted`: the last firm has left); any other's deadline is filled by hand."""
