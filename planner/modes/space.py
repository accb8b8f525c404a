"""What stands on the land and what it yields: now, by year, and when the new buildings are full.

Present figures and those of new buildings are kept apart. `far` and `net_share` of a mode describe what is built new;
of the present, the share that the mode does not displace stays as it is.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pandas as pd

from geodata.errors import DataError, Issue, list_ids
from geodata.units import M2_PER_MU
from planner.errors import ConfigError
from planner.expressions import evaluate_number
from planner.modes.figures import constant, floats, quantity
from planner.modes.terms import MONTHS_PER_YEAR, Timetable
from planner.modes.timetable import TIME_TOLERANCE
from planner.problem import Block, Bools, Floats, Ints
from planner.spec_modes import Milestone, ModesSpec

FIGURES: Final = ("floor_m2", "jobs", "output_yuan", "tax_yuan", "collective_income_yuan")
"""What is told of the land, before and after; yuan are a year's."""
YEAR_COLUMNS: Final = ("year", "figure", "kind", "amount", "unknown_parcels", "unknown_mu")
"""Columns of `space_by_year`."""
_SHARES: Final = {"net_share": 1.0, "displaces": 1.0, "decant_share": 1.0, "far": np.inf}
"""Quantities of modes → the most they may be; the least is 0."""


@dataclass(frozen=True, eq=False)
class NewSpace:
    """What is built new.

    Attributes
    ----------
    new_floor_m2 : float64[n, M]
        Area × `net_share` × `far`; NaN where unknown.
    net_area_mu : float64[n, M]
        Land that is built on, area × `net_share`; NaN where unknown.
    """

    new_floor_m2: Floats
    net_area_mu: Floats


def new_space(modes: ModesSpec, fields: pd.DataFrame) -> NewSpace:
    """New floor area and the land it stands on, by parcel and mode.

    Raises
    ------
    ConfigError
        A net share outside 0..1 or a plot ratio below 0.
    """
    net = of_share(by_mode(modes, "net_share", fields), floats(fields["area_mu"])[:, None])
    return NewSpace(of_share(by_mode(modes, "far", fields), net * M2_PER_MU), net)


def by_mode(modes: ModesSpec, key: str, fields: pd.DataFrame) -> Floats:
    """A quantity that every mode has, such as `far`, ``float64[n, M]``, NaN where unknown.

    Raises
    ------
    ConfigError
        A value below 0, or a share above 1.
    """
    values = np.stack([quantity(getattr(mode, key), fields) for mode in modes.choices], axis=1)
    bad = (values < 0) | (values > _SHARES[key])
    issues = []
    for m in np.flatnonzero(bad.any(axis=0)):
        at = np.flatnonzero(bad[:, m])
        found = f"{values[at[0], m]:g} and the like in parcels {list_ids(list(fields.index[at]))}"
        expected = "0 or more" if np.isinf(_SHARES[key]) else "a share of 0 to 1"
        where = f"modes.choices, {modes.choices[m].id}, {key}"
        issues.append(Issue(where, found, expected, "Correct the number or the expression."))
    if issues:
        raise ConfigError(issues)
    return values


def present(modes: ModesSpec, fields: pd.DataFrame) -> pd.DataFrame:
    """What each parcel has now: `FIGURES` by parcel id, NaN where unknown.

    Raises
    ------
    DataError
        Floor area or jobs below 0.
    """
    table = pd.DataFrame({name: _expression(getattr(modes.space, name), fields) for name in FIGURES}, fields.index)
    issues = []
    for name in ("floor_m2", "jobs"):
        bad = table.index[(table[name] < 0).to_numpy()]
        if len(bad):
            found = f"numbers below 0 in parcels {list_ids(list(bad))}"
            issues.append(Issue(f"modes.space.{name}", found, "0 or more", "Correct the data."))
    if issues:
        raise DataError(issues)
    return table


def new_figures(modes: ModesSpec, fields: pd.DataFrame) -> dict[str, Floats]:
    """What new buildings bring when full: each of `FIGURES`, ``float64[n, M]``, NaN where unknown."""
    spec, space = modes.space, new_space(modes, fields)
    per_job = _quantity(spec.new_floor_per_job_m2, fields)[:, None]
    jobs = np.where(space.new_floor_m2 == 0, 0.0, np.nan)
    np.divide(space.new_floor_m2, per_job, out=jobs, where=per_job > 0)
    area_mu = np.repeat(floats(fields["area_mu"])[:, None], len(modes.choices), axis=1)
    return {
        "floor_m2": space.new_floor_m2,
        "jobs": jobs,
        "output_yuan": of_share(_quantity(spec.new_output_yuan_per_mu, fields)[:, None], space.net_area_mu),
        "tax_yuan": of_share(_quantity(spec.new_tax_yuan_per_mu, fields)[:, None], space.net_area_mu),
        "collective_income_yuan": of_share(_quantity(spec.new_collective_income_yuan_per_mu, fields)[:, None], area_mu),
    }


def parcel_space(modes: ModesSpec, fields: pd.DataFrame, blocks: Sequence[Block]) -> pd.DataFrame:
    """Each parcel before the plan, and when everything is built and full.

    After the plan a parcel in a block has what its mode does not displace and what is built new. The income of the
    collective, told per mu of the whole parcel, is the new one on the share that is displaced. A parcel outside the
    plan stays as it is.

    Parameters
    ----------
    modes : ModesSpec
    fields : pandas.DataFrame
        By parcel id in the order of the problem, with `area_mu` and the figures.
    blocks : sequence of Block

    Returns
    -------
    pandas.DataFrame
        By parcel id: ``before_`` and ``after_`` + each of `FIGURES`, NaN where unknown.
    """
    now, new = present(modes, fields), new_figures(modes, fields)
    displaces = by_mode(modes, "displaces", fields)
    at, mode = _members(blocks)
    columns: dict[str, Floats] = {}
    for name in FIGURES:
        before = now[name].to_numpy(dtype=np.float64)
        after = before.copy()
        gone = displaces[at, mode]
        built = of_share(gone, new[name][at, mode]) if name == "collective_income_yuan" else new[name][at, mode]
        after[at] = of_share(1 - gone, before[at]) + built
        columns |= {f"before_{name}": before, f"after_{name}": after}
    return pd.DataFrame(columns, index=fields.index)


def block_space(
    modes: ModesSpec, fields: pd.DataFrame, blocks: Sequence[Block], block_ids: Sequence[str]
) -> pd.DataFrame:
    """Each block before the plan, and when everything is built and full.

    Returns
    -------
    pandas.DataFrame
        ``block_id``, ``mode``, ``area_mu``, ``net_area_mu`` (land built on; NaN where unknown in part); ``far_before``,
        ``far_after``; the columns of `known_sums`; ``before_`` and ``after_`` + ``output_yuan_per_mu`` and
        ``tax_yuan_per_mu``. Plot ratios and yields per mu are those of the parcels whose figure is known; the area is
        that of the parcels, measured, public-interest land and all.
    """
    parcels = parcel_space(modes, fields, blocks)
    area, net = floats(fields["area_mu"]), new_space(modes, fields).net_area_mu
    rows = []
    for block, name in zip(blocks, block_ids, strict=True):
        at = np.array(block.parcels, dtype=np.int64)
        mine, mu = parcels.iloc[at], area[at]
        row = {
            "block_id": name,
            "mode": modes.choices[block.mode].id,
            "area_mu": mu.sum(),
            "net_area_mu": net[at, block.mode].sum(),
            "far_before": _per_mu(mine["before_floor_m2"], mu) / M2_PER_MU,
            "far_after": _per_mu(mine["after_floor_m2"], mu) / M2_PER_MU,
            **known_sums(mine, mu),
        }
        for figure in ("output_yuan", "tax_yuan"):
            row |= {f"{when}_{figure}_per_mu": _per_mu(mine[f"{when}_{figure}"], mu) for when in ("before", "after")}
        rows.append(row)
    none = ["block_id", "mode", "area_mu", "net_area_mu", "far_before", "far_after", *known_sums(parcels, area)]
    return pd.DataFrame(rows) if rows else pd.DataFrame(columns=none)


def known_sums(parcels: pd.DataFrame, area_mu: Floats) -> dict[str, float]:
    """Sums over parcels of the columns of `parcel_space`, with what is unknown beside each.

    Returns
    -------
    dict of str to float
        Column → sum over the parcels where it is known, NaN where it is for none; column + ``_unknown_parcels`` and
        ``_unknown_mu`` → how many are left out, and their area.
    """
    sums: dict[str, float] = {}
    for name in parcels.columns:
        amount, count, mu = known_sum(
            parcels[name].to_numpy(dtype=np.float64), np.ones(len(parcels), np.bool_), area_mu
        )
        sums |= {str(name): amount, f"{name}_unknown_parcels": count, f"{name}_unknown_mu": mu}
    return sums


def space_by_year(
    modes: ModesSpec,
    timetable: Timetable,
    fields: pd.DataFrame,
    blocks: Sequence[Block],
    years: Sequence[int] | None = None,
) -> pd.DataFrame:
    """Floor area, jobs, output and tax by year, on all parcels: what is left, what is lost, what is gained.

    Year y is the time from y − 1 to y. Floor area and jobs are those at its end; output, tax and the tax that the town
    keeps (a memo, absent at a share of 0) are what the year brings. Of the present (`stock`), the share that the mode
    displaces is `lost`: floor area when it is demolished, jobs and yields when the firms leave (``decant.at``, else
    when demolished). New floor (`increment`) stands from `built`; jobs and yields rise evenly from nothing then to full
    `ramp_months` later.

    Parameters
    ----------
    modes : ModesSpec
    timetable : Timetable
    fields : pandas.DataFrame
        By parcel id in the order of the problem, with `area_mu` and the figures.
    blocks : sequence of Block
    years : sequence of int, optional
        Else from the first year to the one at whose end everything is full.

    Returns
    -------
    pandas.DataFrame
        `YEAR_COLUMNS`: a row for each year, figure (`floor_m2`, `jobs`, `output_yuan`, `tax_yuan`,
        `retained_tax_yuan`) and kind (`stock`, `lost`, `increment`). ``amount`` is the sum over parcels where it is
        known, NaN where it is for none; the last columns say how many parcels that have a part in it, and how much
        land, are left out.
    """
    ramp, kept = _constants(modes)
    leave: Milestone = modes.decant.at if modes.decant else "demolished"
    when = {name: _reached(timetable, blocks, name, len(fields)) for name in ("demolished", leave, "built")}
    span = np.array(_years(timetable, when["built"], ramp) if years is None else years, dtype=np.float64)
    now, gone, full = _taken(modes, fields, blocks)
    courses: dict[str, dict[str, tuple[Floats, Bools]]] = {}
    for name in FIGURES[:4]:
        flow = name in {"output_yuan", "tax_yuan"}
        left = of_share(risen(span, when["demolished" if name == "floor_m2" else leave], 0.0, flow), gone)
        grown = risen(span, when["built"], 0.0 if name == "floor_m2" else ramp, flow)
        before = now[name].to_numpy(dtype=np.float64)
        courses[name] = {
            "stock": (of_share(1 - left, before), left != 1),
            "lost": (of_share(left, before), left != 0),
            "increment": (of_share(grown, full[name]), grown != 0),
        }
    if kept:
        courses["retained_tax_yuan"] = {kind: (kept * v, part) for kind, (v, part) in courses["tax_yuan"].items()}
    area = floats(fields["area_mu"])
    rows = [
        (int(year), name, kind, *known_sum(values[y], part[y], area))
        for y, year in enumerate(span)
        for name, kinds in courses.items()
        for kind, (values, part) in kinds.items()
    ]
    return pd.DataFrame(rows, columns=list(YEAR_COLUMNS))


def _constants(modes: ModesSpec) -> tuple[float, float]:
    """Years from `built` to full output, and the share of tax that the town keeps."""
    ramp = constant(modes.space.ramp_months, modes.figures)
    kept = constant(modes.space.retained_tax_share, modes.figures)
    issues = []
    if ramp < 0:
        issues.append(Issue("modes.space.ramp_months", f"{ramp:g}", "0 or more", "Correct the number."))
    if not 0 <= kept <= 1:
        issues.append(Issue("modes.space.retained_tax_share", f"{kept:g}", "a share of 0 to 1", "Correct the share."))
    if issues:
        raise ConfigError(issues)
    return ramp / MONTHS_PER_YEAR, kept


def _taken(
    modes: ModesSpec, fields: pd.DataFrame, blocks: Sequence[Block]
) -> tuple[pd.DataFrame, Floats, dict[str, Floats]]:
    """What each parcel has now, the share of it that its block displaces, and what its block builds new."""
    at, mode = _members(blocks)
    gone, full = np.zeros(len(fields)), {name: np.zeros(len(fields)) for name in FIGURES}
    gone[at] = by_mode(modes, "displaces", fields)[at, mode]
    for name, values in new_figures(modes, fields).items():
        full[name][at] = values[at, mode]
    return present(modes, fields), gone, full


def _members(blocks: Sequence[Block]) -> tuple[Ints, Ints]:
    """Parcels in blocks, and the mode of each."""
    at = [i for b in blocks for i in b.parcels]
    return np.array(at, dtype=np.int64), np.array([b.mode for b in blocks for _ in b.parcels], dtype=np.int64)


def _reached(timetable: Timetable, blocks: Sequence[Block], milestone: Milestone, n: int) -> Floats:
    """Time at which each parcel reaches a milestone, ``float64[n]``, NaN = never."""
    when = np.full(n, np.nan)
    for block in blocks:
        when[list(block.parcels)] = timetable.time(block.phase, block.mode, milestone)
    return when


def _years(timetable: Timetable, built: Floats, ramp: float) -> list[int]:
    """Years from the first to the one at whose end all is full."""
    last = np.nanmax([*(built + ramp), *timetable.ends])
    return list(range(math.floor(timetable.begins.min()) + 1, math.ceil(last - TIME_TOLERANCE) + 1))


def risen(years: Floats, begin: Floats, rise: float, flow: bool) -> Floats:
    """Share of something that rises evenly from 0 at `begin` to 1 at ``begin + rise``, ``float64[Y, n]``.

    At the end of each year, or, for a flow, its mean over the year; 0 where `begin` is NaN.
    """
    past = years[:, None] - np.where(np.isnan(begin), np.inf, begin)[None, :]
    if not flow:
        steep = past / rise if rise > 0 else np.where(past >= -TIME_TOLERANCE, 1.0, 0.0)
        return np.clip(steep, 0.0, 1.0)

    def total(time: Floats) -> Floats:
        time = np.maximum(time, 0.0)
        curve = np.minimum(time, rise) ** 2 / (2 * rise) if rise > 0 else 0.0
        return np.asarray(curve + np.maximum(time - rise, 0.0))

    return np.asarray(total(past) - total(past - 1))


def known_sum(values: Floats, part: Bools, area_mu: Floats) -> tuple[float, int, float]:
    """Sum over what is known, the number of parcels that have a part and are not known, and their area."""
    unknown = part & np.isnan(values)
    amount = np.nan if unknown.any() and not (part & ~unknown).any() else float(np.nansum(values[part]))
    return amount, int(unknown.sum()), float(area_mu[unknown].sum())


def _per_mu(values: pd.Series[Any], area_mu: Floats) -> float:
    """Sum per mu over the parcels where it is known; NaN where it is for none."""
    known = values.notna().to_numpy()
    return float(values[known].sum() / area_mu[known].sum()) if known.any() else np.nan


def of_share(share: Floats, amount: Floats) -> Floats:
    """Product in which nothing of something unknown is nothing."""
    return np.where((share == 0) | (amount == 0), 0.0, share * amount)


def _quantity(value: float | str | None, fields: pd.DataFrame) -> Floats:
    return np.full(len(fields), np.nan) if value is None else quantity(value, fields)


def _expression(text: str | None, fields: pd.DataFrame) -> Floats:
    return np.full(len(fields), np.nan) if text is None else floats(evaluate_number(text, fields))
