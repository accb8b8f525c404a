"""When the blocks of a phase reach their milestones, and in which years payments fall."""

from __future__ import annotations

import math

import numpy as np

from geodata.errors import Issue
from planner.config import Config, phase_goals
from planner.errors import ConfigError
from planner.modes.figures import constant
from planner.modes.terms import MONTHS_PER_YEAR, Timetable
from planner.problem import Mode
from planner.spec_modes import MILESTONES, Milestone, ModesSpec

TIME_TOLERANCE = 1e-9
"""Years; times closer than this are the same (18 months are 1.5 years, but 20 are 1.6666…)."""


def timetable(config: Config) -> Timetable:
    """Launch and end of each phase, and the months of each mode.

    Blocks of a phase are launched at its ``begins``; without it when the phase before ends, those of the first phase a
    year before its own year.

    Raises
    ------
    ConfigError
        Months that are negative, fall from one milestone to the next, or cannot be decided.
    """
    modes = _modes(config)
    phases = config.optimise.phases
    ends = np.array([p.year for p in phases], dtype=np.float64)
    before = np.concatenate([[ends[0] - 1.0], ends[:-1]])
    given = [p.begins for p in phases]
    begins = np.array([b if g is None else g for g, b in zip(given, before.tolist(), strict=True)])
    issues: list[Issue] = []
    months = np.array([_months(modes, m, issues) for m in range(len(modes.choices))])
    if issues:
        raise ConfigError(issues)
    return Timetable(tuple(m.id for m in modes.choices), begins, ends, months)


def _modes(config: Config) -> ModesSpec:
    if config.modes is None:
        raise ValueError("the configuration has no modes")
    return config.modes


def _months(modes: ModesSpec, mode: int, issues: list[Issue]) -> list[float]:
    """Months of one mode by milestone, NaN = never; what is wrong with them is added to `issues`."""
    spec = modes.choices[mode]
    months: list[float] = [0.0]
    last, latest = MILESTONES[0], 0.0
    for step in MILESTONES[1:]:
        value = math.nan
        if step in spec.months:
            try:
                value = constant(spec.months[step], modes.figures)
            except ConfigError as error:
                issues.extend(error.issues)
            where = f"modes.choices[{mode}].months.{step}"
            if value < latest:
                found = f"{value:g} months, fewer than the {latest:g} of {last!r}, in mode {spec.id}"
                issues.append(Issue(where, found, "months that do not fall", "Correct the months or their figures."))
            elif not math.isnan(value):
                last, latest = step, value
        months.append(value)
    return months


def milestones_used(config: Config) -> tuple[Milestone, ...]:
    """Milestones that targets count, each once: `optimise.milestone` first, then in the order of the targets."""
    wanted = [config.optimise.milestone, *(g.milestone for g in phase_goals(config.optimise))]
    return tuple(dict.fromkeys(m for m in wanted if m is not None))


def problem_modes(config: Config, times: Timetable) -> tuple[Mode, ...]:
    """Modes of the problem: for each milestone in use and each phase, the first phase whose targets count a block.

    A block counts in the first phase u, from its own phase on, with time of the milestone ≤ year of u; T = in none.
    """
    used = milestones_used(config)
    n_phases = len(times.ends)

    def first(phase: int, mode: int, milestone: Milestone) -> int:
        reached = times.time(phase, mode, milestone) <= times.ends[phase:] + TIME_TOLERANCE
        return phase + int(np.argmax(reached)) if reached.any() else n_phases

    return tuple(
        Mode(name, done=tuple(tuple(first(t, m, milestone) for t in range(n_phases)) for milestone in used))
        for m, name in enumerate(times.modes)
    )


def year_shares(launch: float, first_month: float, last_month: float) -> dict[int, float]:
    """Share of a payment that falls in each calendar year; year y is the time from y - 1 (not included) to y.

    Parameters
    ----------
    launch : float
        Time at which the block is launched, on the scale of the phases' years.
    first_month, last_month : float
        Months after the launch; equal = paid at once, else evenly in between.

    Returns
    -------
    dict of int to float
        Years in order; shares are positive and add up to exactly 1. What is paid at the launch, the end of one year,
        falls in the next.

    Raises
    ------
    ValueError
        Months that are not known, or that fall.
    """
    if not 0.0 <= first_month <= last_month:
        raise ValueError(f"a payment from month {first_month} to month {last_month}")
    begin, end = launch + first_month / MONTHS_PER_YEAR, launch + last_month / MONTHS_PER_YEAR
    earliest = _year_after(launch)
    last = max(math.ceil(end - TIME_TOLERANCE), earliest)
    first = min(_year_after(begin), last)
    if first == last:
        return {last: 1.0}
    shares: dict[int, float] = {}
    for year in range(first, last):
        shares[year] = (min(end, year) - max(begin, year - 1)) / (end - begin)
    shares[last] = 1.0 - sum(shares.values())
    return shares


def _year_after(time: float) -> int:
    """The calendar year that begins at a time, or in which the time lies."""
    return math.floor(time + TIME_TOLERANCE) + 1
