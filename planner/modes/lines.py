"""Payments of the modes by parcel: who pays what to whom, how much, and when after the launch."""

from __future__ import annotations

from collections.abc import Collection

import numpy as np
import pandas as pd

from geodata.errors import Issue, list_ids
from planner.errors import ConfigError
from planner.modes.figures import constant, quantity
from planner.modes.terms import Lines, MoneyLine, Timetable
from planner.problem import Bools, Floats
from planner.spec_modes import MILESTONES, LineSpec, Milestone, ModesSpec, Party


def money_lines(
    modes: ModesSpec, fields: pd.DataFrame, timetable: Timetable, new_floor_m2: Floats, net_area_mu: Floats
) -> Lines:
    """Every payment of every mode.

    Parameters
    ----------
    modes : ModesSpec
    fields : pandas.DataFrame
        n parcels by ``parcel_id``: fields and figures.
    timetable : Timetable
        Months of the milestones.
    new_floor_m2, net_area_mu : float64[n, M]
        What expressions see under these names, each mode its own column; NaN = unknown.

    Returns
    -------
    tuple of tuple of MoneyLine
        By mode, in the order of its lines. An amount is NaN where a value that it needs is unknown; a share is that
        of the sum of its lines.

    Raises
    ------
    ConfigError
        An amount below zero (the other party would be the payer), an end before its start, an expression that cannot
        be evaluated, a field or figure with one of the two names; all of them at once.
    """
    issues = [
        Issue(f"field or figure {name!r}", "a name that payments give to what is built", "another name", "Rename it.")
        for name in ("new_floor_m2", "net_area_mu")
        if name in fields.columns
    ]
    lines = []
    for m, mode in enumerate(modes.choices):
        seen = fields.assign(new_floor_m2=new_floor_m2[:, m], net_area_mu=net_area_mu[:, m])
        amounts: dict[str, Floats] = {}
        of_mode = []
        for j, line in enumerate(mode.lines):
            where = f"modes.choices[{m}].lines[{j}] ({mode.id}, {line.name})"
            try:
                amount = _amount(line, seen, amounts)
                first, last = _span(line, modes, timetable, m)
            except ConfigError as error:
                issues += [Issue(f"{where}: {i.where}", i.found, i.expected, i.fix) for i in error.issues]
                amount, first, last = np.full(len(fields), np.nan), 0.0, 0.0
            issues += _faults(where, fields.index, amount, first, last)
            amounts[line.name] = amount
            of_mode.append(MoneyLine(line, amount, first, last))
        lines.append(tuple(of_mode))
    if issues:
        raise ConfigError(issues)
    return tuple(lines)


def _amount(line: LineSpec, fields: pd.DataFrame, before: dict[str, Floats]) -> Floats:
    """Yuan by parcel; `before` holds the lines that stand above this one."""
    if line.amount is not None:
        return quantity(line.amount, fields)
    assert line.share is not None
    total = np.sum([before[name] for name in line.of], axis=0)
    return np.asarray(quantity(line.share, fields) * total, dtype=np.float64)


def _span(line: LineSpec, modes: ModesSpec, timetable: Timetable, mode: int) -> tuple[float, float]:
    """Months after the launch at which the payment begins and ends."""

    def month(milestone: Milestone) -> float:
        return float(timetable.months[mode, MILESTONES.index(milestone)])

    if line.at is not None:
        return month(line.at), month(line.at)
    assert line.start is not None
    first = month(line.start)
    if line.end is not None:
        return first, month(line.end)
    assert line.months is not None
    return first, first + constant(line.months, modes.figures)


def _faults(where: str, ids: pd.Index, amount: Floats, first: float, last: float) -> list[Issue]:
    found = []
    below = amount < 0
    if below.any():
        worst = float(np.nanmin(amount))
        text = f"amounts down to {worst:,.2f} for {list_ids([str(i) for i in ids[below]])}"
        fix = "Mend the figures, write max(0, …), or make it a line whose payer and payee are exchanged."
        found.append(Issue(where, text, "0 or more for every parcel", fix))
    if not last >= first:  # also when a milestone is never reached
        text = f"paid from month {first:g} to month {last:g}"
        found.append(Issue(where, text, "an end that is reached, not before the start", "Correct the times."))
    return found


def net_cost(lines: Lines, parties: Collection[Party], n: int) -> Floats:
    """What the parties pay less what they receive, by mode.

    Payments among the parties cancel, known or not.

    Parameters
    ----------
    lines : Lines
        M modes.
    parties : collection of Party
    n : int
        Number of parcels (modes may be without lines).

    Returns
    -------
    float64[n, M]
        Undiscounted yuan, NaN where unknown.
    """
    total = np.zeros((n, len(lines)))
    for m, of_mode in enumerate(lines):
        for line in of_mode:
            sign = (line.spec.payer in parties) - (line.spec.payee in parties)
            if sign:
                total[:, m] += sign * line.amount_yuan
    return total


def unknown_money(lines: Lines, n: int) -> Bools:
    """Parcels for which some payment of a mode is unknown, ``bool[n, M]``."""
    unknown = np.zeros((n, len(lines)), dtype=np.bool_)
    for m, of_mode in enumerate(lines):
        for line in of_mode:
            unknown[:, m] |= np.isnan(line.amount_yuan)
    return unknown
