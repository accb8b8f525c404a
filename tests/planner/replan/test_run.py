"""Interrupts: the first plan is kept, and what comes after it is left out and said."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

from planner.contents import PlanContents
from planner.replan import read_changes, replan, replanned_config
from tests.planner.replan.row_land import write_changes


def stopped_after(solves: int) -> Callable[[], AbstractContextManager[Callable[[], bool]]]:
    """A guard under which Ctrl-C comes after so many solves."""
    opened = 0

    @contextmanager
    def guard() -> Iterator[Callable[[], bool]]:
        nonlocal opened
        opened += 1
        now = opened
        yield lambda: now > solves

    return guard


def test_after_ctrl_c_the_replan_stands_and_nothing_is_planned_anew(
    row: PlanContents, row_folder: Path, tmp_path: Path
) -> None:
    changes = read_changes(write_changes(tmp_path / "changes.yaml", {"refused": ["P01"]}))
    done = replan(replanned_config(row, changes, folder=row_folder), guard=stopped_after(1))
    assert done.replan.plan is not None
    assert {done.replan.prepared.problem.parcel_ids[i] for b in done.replan.plan.blocks for i in b.parcels} == {
        "P02",
        "P03",
        "P06",
        "P07",
    }
    assert (done.fresh, done.no_fresh, done.cost) == (None, "interrupted", None)
