"""Types that the modules on modes share: the timetable, payments by parcel, and all terms of a set of modes."""

from __future__ import annotations

from dataclasses import dataclass

from planner.problem import BlockRule, Bools, Floats, Mode, Resource
from planner.spec_modes import MILESTONES, LineSpec, Milestone

MONTHS_PER_YEAR = 12.0


@dataclass(frozen=True, eq=False)
class Timetable:
    """When the steps of a block come about.

    Times are on the scale of the phases' years: 2.0 is the end of year 2, and year y is the time from y - 1 to y.

    Attributes
    ----------
    modes : tuple of str
        M ids.
    begins, ends : float64[T]
        Time at which the blocks of a phase are launched, and the phase's year.
    months : float64[M, 8]
        Months from the launch to each of `planner.spec_modes.MILESTONES`, NaN = never reached.
    """

    modes: tuple[str, ...]
    begins: Floats
    ends: Floats
    months: Floats

    def time(self, phase: int, mode: int, milestone: Milestone) -> float:
        """Time at which a block of a phase (0-based) and mode reaches a milestone, NaN = never."""
        return float(self.begins[phase] + self.months[mode, MILESTONES.index(milestone)] / MONTHS_PER_YEAR)


@dataclass(frozen=True, eq=False)
class MoneyLine:
    """One payment of a mode, by parcel.

    Attributes
    ----------
    spec : LineSpec
        Payer, payee and rows of the funding balance.
    amount_yuan : float64[n]
        Undiscounted; NaN where unknown.
    first_month, last_month : float
        Months after the launch; equal = paid at once, else evenly in between.
    """

    spec: LineSpec
    amount_yuan: Floats
    first_month: float
    last_month: float


Lines = tuple[tuple[MoneyLine, ...], ...]
"""The payments of each mode."""


@dataclass(frozen=True, eq=False)
class Terms:
    """All that follows from the modes, by parcel in the order of the fields; n parcels, M modes.

    Attributes
    ----------
    timetable : Timetable
    modes : tuple of Mode
        For the problem, with the phases in which blocks count.
    lines : tuple of tuple of MoneyLine
    net_cost_yuan : float64[n, M]
        What the parties of ``modes.net_cost_of`` pay less what they receive; NaN where unknown.
    benefit_share : float64[n, M]
        Share of the parcel's worth that the mode brings.
    new_floor_m2 : float64[n, M]
        NaN where unknown.
    open : bool[n, M]
        Modes that a parcel allows, and of which everything needed is known.
    unknown : bool[n, M]
        Payments, worth, new floor or displaced floor cannot be told, so that the figures of a block could not be.
    consent : tuple of BlockRule
    resources : tuple of Resource
        Limits on money by party, and on decanting.
    """

    timetable: Timetable
    modes: tuple[Mode, ...]
    lines: Lines
    net_cost_yuan: Floats
    benefit_share: Floats
    new_floor_m2: Floats
    open: Bools
    unknown: Bools
    consent: tuple[BlockRule, ...]
    resources: tuple[Resource, ...]
