"""Planned months against those that were reached: slips, and what they make of the months to come."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from planner.monitoring.entries import Entry
from planner.monitoring.months import serial
from planner.spec_modes import MILESTONES, Milestone

_ACCEPTED: Final = MILESTONES.index("accepted")


@dataclass(frozen=True)
class Step:
    """One milestone of a project; months as `planner.monitoring.months.serial` numbers them.

    Attributes
    ----------
    milestone : Milestone
    planned, reached : int or None
        Months; None = not planned, not entered.
    passed : bool
        Reached, or behind the project without a month that is entered: a later milestone is reached, or the project is
        done, which means accepted.
    slip : int or None
        Months late, below 0 = early; None where nothing can be said: not planned, not due, or passed without a month.
    forecast : int or None
        Month in which it was or will be reached; None where it is not planned or its month is not known, and for what
        comes after acceptance in a project that is done: nobody follows it any more.
    """

    milestone: Milestone
    planned: int | None
    reached: int | None
    passed: bool
    slip: int | None
    forecast: int | None


def steps_of(planned: Mapping[Milestone, int], entry: Entry | None, at: int) -> tuple[Step, ...]:
    """The milestones of a project that are planned or reached, in order.

    A milestone that was reached slips by reached − planned. One that is not reached and planned for a month before
    `at` slips by `at` − planned; one planned for `at` itself may still be reached in time. Milestones to come are
    forecast for planned + the largest slip so far (`slip_of`).

    Parameters
    ----------
    planned : mapping of Milestone to int
    entry : Entry, optional
        What is entered; None = nothing.
    at : int
        Month of the report.
    """
    reached = {m: serial(text) for m, text in ({} if entry is None else entry.reached).items()}
    done = entry is not None and entry.state == "done"
    last = max([*(MILESTONES.index(m) for m in reached), _ACCEPTED if done else -1], default=-1)
    listed = [m for m in MILESTONES if m in planned or m in reached]
    open_ = {m for m in listed if not done and m not in reached and MILESTONES.index(m) > last}
    slips = {m: _slip(planned.get(m), reached.get(m), m in open_, at) for m in listed}
    late = max([0, *(s for s in slips.values() if s is not None)])
    return tuple(
        Step(
            m,
            planned.get(m),
            reached.get(m),
            m in reached or MILESTONES.index(m) <= last,
            slips[m],
            planned[m] + late if m in open_ else reached.get(m),
        )
        for m in listed
    )


def _slip(planned: int | None, reached: int | None, is_open: bool, at: int) -> int | None:
    if planned is None:
        return None
    if reached is not None:
        return reached - planned
    return at - planned if is_open and planned < at else None


def slip_of(steps: tuple[Step, ...]) -> int:
    """The largest slip of a project so far, months; 0 where nothing is late."""
    return max([0, *(step.slip for step in steps if step.slip is not None)])


def step_of(steps: tuple[Step, ...], milestone: Milestone) -> Step | None:
    """The step of a milestone."""
    return next((step for step in steps if step.milestone == milestone), None)


def next_step(steps: tuple[Step, ...]) -> Step | None:
    """The first planned milestone that is not passed."""
    return next((step for step in steps if step.planned is not None and not step.passed), None)
