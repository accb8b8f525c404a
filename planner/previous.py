"""Finds the plan before: in a file of locks, or in the folder that a run is about to replace."""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import Any, Final

from geodata.errors import DataError
from planner.changes import PreviousPlan
from planner.locks_file import LocksFile
from planner.locks_layer import read_plan_layer

logger = logging.getLogger(__name__)

_GPKG: Final = "plan.gpkg"
_KEPT: Final = "plan.previous.gpkg"
"""What stays of the plan before where the last run found none."""
_SUMMARY: Final = "summary.json"
_PLANS: Final = frozenset({"optimal", "feasible"})
RUN_BEFORE: Final = "the run before"


def previous_plan(out: Path, locks: LocksFile | None = None) -> PreviousPlan | None:
    """The plan that a new one is compared with; to be asked for before the folder is replaced.

    Parameters
    ----------
    out : pathlib.Path
        Output folder; may be new.
    locks : LocksFile, optional
        Its plan comes first: it is the one that the planner looked at.

    Returns
    -------
    PreviousPlan or None
        None where the file has no plan and the folder no run with one. A run that cannot be read is warned of.
    """
    if locks is not None and locks.plan is not None:
        return PreviousPlan(locks.plan, locks.path.name, locks.hashes.get("input_hash"))
    before = out / _GPKG if _has_plan(out / _SUMMARY) else out / _KEPT
    if not before.is_file():
        return None
    try:
        plan, hashes = read_plan_layer(before)
    except DataError as error:
        logger.warning("the plan before cannot be read, so changes are not told: %s", error.issues[0])
        return None
    return None if plan is None else PreviousPlan(plan, RUN_BEFORE, hashes.get("input_hash"))


def _has_plan(path: Path) -> bool:
    """Whether a summary tells of a plan: a folder of others has none, and a rejected plan is none."""
    try:
        summary: Any = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return isinstance(summary, dict) and summary.get("status") in _PLANS
