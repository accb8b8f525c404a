"""Limits on the money of a party as resources of the problem: outlays by phase, and the peak gap."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from geodata.errors import Issue
from planner.errors import ConfigError
from planner.modes.terms import Lines, MoneyLine, Timetable
from planner.modes.timetable import year_shares
from planner.problem import Bools, Floats, Ints, Resource
from planner.spec_modes import ModesSpec, Party


def money_resources(
    modes: ModesSpec,
    lines: Lines,
    timetable: Timetable,
    phases: Sequence[str],
    open: Bools,  # noqa: A002 - the name of the terms
    currency: str = "CNY",
) -> tuple[Resource, ...]:
    """One resource for each limit on outlays and for each limit on a peak gap.

    *Outlay by phase.* A phase takes the years after the year of the phase before it, up to its own; the first takes all
    years before as well. What is paid after the last phase's year is in no phase, hence under no such limit. Receipts
    do not count.

    *Peak gap.* At the end of each year, all that was paid so far less all that was received so far. Years that cannot
    be the worst are left out: of the years with payments or receipts, those without payments (the one before is no
    better) and those after which the next is without receipts (the next is no better).

    Payments of a mode that go the same way at the same time are one part. Periods in which nothing is taken are left
    out, and a resource without periods.

    Parameters
    ----------
    modes : ModesSpec
        Its `limits`.
    lines : Lines
        M modes.
    timetable : Timetable
        T phases.
    phases : sequence of str
        T ids.
    open : bool[n, M]
        Modes that a parcel allows. Where one is closed, an unknown amount counts 0: no block can spend it.
    currency : str
        Unit of the resources.

    Raises
    ------
    ConfigError
        A limit for a phase that does not exist.
    ValueError
        An unknown amount where the mode is open.
    """
    found, issues = [], []
    for k, spec in enumerate(modes.limits):
        strange = sorted(set(spec.outlay or {}) - set(phases))
        if strange:
            where = f"modes.limits[{k}].outlay"
            issues.append(Issue(where, f"unknown phases {', '.join(strange)}", ", ".join(phases), "Correct them."))
            continue
        if spec.outlay is not None:
            parts = _parts(lines, spec.party, open, receipts=False)
            limits = tuple(spec.outlay.get(p) for p in phases)
            found.append(_outlay(parts, timetable, phases, limits, f"outlay of {spec.party}", currency))
        if spec.peak_gap is not None:
            parts = _parts(lines, spec.party, open, receipts=True)
            found.append(_peak_gap(parts, timetable, spec.peak_gap, f"peak gap of {spec.party}", currency))
    if issues:
        raise ConfigError(issues)
    return tuple(r for r in found if r is not None)


@dataclass(frozen=True, eq=False)
class _Parts:
    """Payments of a party, those of a mode at the same time taken together.

    `use` is float64[n, M, L], receipts below zero; `spans` holds the first and last month of each part by mode, fewer
    than L where a mode has fewer.
    """

    use: Floats
    spans: tuple[tuple[tuple[float, float], ...], ...]


def _parts(lines: Lines, party: Party, open_: Bools, *, receipts: bool) -> _Parts:
    by_mode: list[dict[tuple[int, float, float], Floats]] = []
    for m, of_mode in enumerate(lines):
        parts: dict[tuple[int, float, float], Floats] = {}
        for line in of_mode:
            sign = 1 if line.spec.payer == party else -1 if receipts and line.spec.payee == party else 0
            if sign:
                key = (sign, line.first_month, line.last_month)
                parts[key] = parts.get(key, np.zeros(len(open_))) + sign * _known(line, open_[:, m])
        by_mode.append({key: amount for key, amount in sorted(parts.items()) if amount.any()})
    use = np.zeros((len(open_), len(lines), max((len(p) for p in by_mode), default=0)))
    for m, parts in enumerate(by_mode):
        for j, amount in enumerate(parts.values()):
            use[:, m, j] = amount
    return _Parts(use, tuple(tuple((first, last) for _, first, last in parts) for parts in by_mode))


def _known(line: MoneyLine, open_: Bools) -> Floats:
    unknown = np.isnan(line.amount_yuan)
    if (unknown & open_).any():
        raise ValueError(f"line {line.spec.name!r}: unknown amounts where the mode is open")
    return np.where(unknown, 0.0, line.amount_yuan)


def _by_year(parts: _Parts, timetable: Timetable) -> tuple[Ints, Floats]:
    """All years from the first to the last with a payment, and the share of each part in them: float64[Y, T, M, L]."""
    shares = {
        (t, m, j): year_shares(float(launch), first, last)
        for t, launch in enumerate(timetable.begins)
        for m, spans in enumerate(parts.spans)
        for j, (first, last) in enumerate(spans)
    }
    reached = [year for share in shares.values() for year in share]
    years = np.arange(min(reached), max(reached) + 1) if reached else np.zeros(0, dtype=np.int64)
    by_year = np.zeros((len(years), len(timetable.begins), *parts.use.shape[1:]))
    for (t, m, j), share in shares.items():
        for year, part in share.items():
            by_year[year - years[0], t, m, j] = part
    return years, by_year


def _outlay(
    parts: _Parts,
    timetable: Timetable,
    phases: Sequence[str],
    limits: tuple[float | None, ...],
    name: str,
    unit: str,
) -> Resource | None:
    years, by_year = _by_year(parts, timetable)
    of_phase = np.searchsorted(timetable.ends, years, side="left")  # phase whose year is the first not before it
    timing = np.stack([by_year[of_phase == r].sum(axis=0) for r in range(len(phases))])
    kept = [r for r in range(len(phases)) if limits[r] is not None and timing[r].any()]
    if not kept:
        return None
    return Resource(name, unit, parts.use, tuple(limits[r] for r in kept), tuple(phases[r] for r in kept), timing[kept])


def _peak_gap(parts: _Parts, timetable: Timetable, limit: float, name: str, unit: str) -> Resource | None:
    years, by_year = _by_year(parts, timetable)
    pays, gets = (parts.use > 0).any(axis=0), (parts.use < 0).any(axis=0)
    paid = np.asarray((by_year[:, :, pays] > 0).any(axis=(1, 2)))
    received = np.asarray((by_year[:, :, gets] > 0).any(axis=(1, 2)))
    moving = np.flatnonzero(paid | received)
    worst = moving[paid[moving] & np.append(received[moving][1:], True)]
    if not len(worst):
        return None
    timing = np.cumsum(by_year, axis=0)[worst]
    return Resource(name, unit, parts.use, (limit,) * len(worst), tuple(str(years[y]) for y in worst), timing)
