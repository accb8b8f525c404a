"""Parcels, scores, adjacency and configuration → the arrays of a `Problem`, and what was decided on the way."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pandas as pd

from geodata.adjacency import Adjacency
from geodata.errors import Issue
from planner.block_rules import block_rules, existing_from, fixed_blocks, parcel_groups, village_numbers
from planner.config import Config
from planner.config_issues import nearest
from planner.errors import ConfigError
from planner.expressions import evaluate_number
from planner.locks import gate_issues, lock_at, lock_by, lock_issues, locked_column
from planner.modes.make import make_terms, with_terms
from planner.modes.terms import Terms
from planner.modes.timetable import milestones_used
from planner.plan_before import NOTHING_BEFORE, PlanBefore, plan_before
from planner.problem import Bools, Ints, Problem
from planner.scoring import Scores, filler_mask
from planner.targets import counted_areas, phases_of, targets_of

NO_COST: Final = "cost unknown"
NO_AMOUNT: Final = "amount of a block rule unknown"
NOT_COUNTED: Final = "area that the targets count unknown"
NO_MODE: Final = "open to no mode of redevelopment, or what it needs is unknown"


@dataclass(frozen=True)
class Assembly:
    """A problem and the parcel attributes it was made from, indexed by ``parcel_id``.

    Attributes
    ----------
    problem : Problem
        Parcels in the order of the frame.
    status, reason, role : pandas.Series
        As the plan starts: eligible, ineligible or excluded, why, and candidate, filler or None.
    locked : pandas.Series
        'in', 'out', 'by <phase>', 'at <phase>' or None.
    gates : int64[n]
        First phase, 0-based, in which all gates of a parcel are open, whatever its lock; number of phases = never.
    cost : pandas.Series or None
        Currency, NaN where unknown; None without a cost, and with modes, whose costs stand in `terms`.
    undecided : dict of str to list of str
        What could not be decided for lack of a value → parcel ids.
    terms : Terms or None
        What follows from the modes; None without them.
    before : PlanBefore
        The plan before, and what of it the land does not have.
    """

    problem: Problem
    status: pd.Series[Any]
    reason: pd.Series[Any]
    role: pd.Series[Any]
    locked: pd.Series[Any]
    gates: Ints
    cost: pd.Series[Any] | None
    undecided: dict[str, list[str]]
    terms: Terms | None = None
    before: PlanBefore = NOTHING_BEFORE


def assemble(scores: Scores, adjacency: Adjacency, config: Config) -> Assembly:
    """Build the problem.

    Parameters
    ----------
    scores : Scores
        All fields, among them ``area_mu``, ``perimeter_m`` and ``zone``.
    adjacency : Adjacency
        Same parcels in the same order.
    config : Config
        The `optimise` section decides.

    Raises
    ------
    ConfigError
        Unknown parcels in locks, unknown zones in targets, a lock that contradicts another or a gate, a plan before of
        other land.
    """
    fields = scores.fields.assign(score=scores.score)
    index = fields.index
    _require_known(config, index, fields)
    undecided = dict(scores.undecided)
    terms = None if config.modes is None else make_terms(config, config.modes, fields, undecided)
    cost = _cost(config, fields, undecided)
    rules, unknown_rule = block_rules(config, fields, undecided)
    counted, unknown_count = counted_areas(config, fields, undecided, 1 if terms is None else len(terms.modes))
    closed: list[tuple[Bools, str]] = [(unknown_rule, NO_AMOUNT), (unknown_count, NOT_COUNTED)]
    if cost is not None:
        closed.insert(0, (cost.isna().to_numpy(dtype=bool), NO_COST))
    if terms is not None:  # blocks that stand need not be open to their mode
        standing = index.isin([i for b in config.optimise.locks.blocks for i in b.parcels])
        closed.append((np.asarray(~terms.open.any(axis=1) & ~standing), NO_MODE))
    status, reason = scores.status.copy(), scores.reason.copy()
    fillers = filler_mask(scores, config.optimise.filler)
    for mask, why in closed:
        hit = pd.Series(mask, index) & (status == "eligible")
        status, reason = status.where(~hit, "ineligible"), reason.where(~hit, why)
        fillers &= ~mask
    fixed = fixed_blocks(config, index, status, cost, terms)
    held = [index[i] for b in fixed for i in b.parcels]
    fillers = fillers | (pd.Series(index.isin(held), index) & (status != "eligible"))
    locked = locked_column(config, index)
    gates = _open_from(config, fields, undecided)
    candidate = status == "eligible"
    roles = ["candidate" if c else "filler" if f else None for c, f in zip(candidate, fillers, strict=True)]
    role = pd.Series(roles, index=index, dtype="object")
    area = fields["area_mu"].to_numpy(dtype=float)
    score = scores.score.to_numpy(dtype=float, na_value=0.0)
    zones = tuple(sorted({str(z) for z in fields["zone"].dropna()}))
    number = {z: k for k, z in enumerate(zones)}
    villages, village = village_numbers(config, fields)
    groups = parcel_groups(config, fields, undecided)
    before = plan_before(config, fields, terms)
    benefit = np.where(candidate, config.optimise.weights.value_per_mu * score * area, 0.0)
    problem = Problem(
        parcel_ids=tuple(str(i) for i in index),
        area_mu=area,
        benefit=benefit,
        cost=np.zeros(len(index)) if cost is None else cost.fillna(0.0).to_numpy(dtype=float),
        perimeter_m=fields["perimeter_m"].to_numpy(dtype=float),
        selectable=((candidate | fillers) & (locked != "out")).to_numpy(dtype=bool),
        filler=fillers.to_numpy(dtype=bool),
        zone=np.array([-1 if pd.isna(z) else number[str(z)] for z in fields["zone"]], dtype=np.int64),
        earliest=np.maximum(gates, lock_at(config, index)),
        gates=gates if (lock_at(config, index) > gates).any() else None,
        lock_by=lock_by(config, index),
        pairs=adjacency.pairs,
        shared_m=adjacency.shared_m,
        link_pairs=adjacency.link_pairs,
        gap_m=adjacency.gap_m,
        zones=zones,
        phases=phases_of(config),
        targets=tuple(targets_of(config, zones, () if terms is None else milestones_used(config))),
        villages=villages,
        village=village,
        max_villages=config.optimise.block.max_villages,
        block_rules=rules,
        groups=groups,
        fixed=fixed,
        rolling=config.optimise.contiguity == "rolling",
        existing_from=existing_from(config, fields, undecided),
        before=before.blocks,
        change_price=before.price,
        **counted,
        block_min_mu=config.optimise.block.min_mu,
        block_max_mu=config.optimise.block.max_mu,
        within_zone=config.optimise.block.within_zone,
        filler_max_share=config.optimise.filler.max_share if fillers.any() else 0.0,
        perimeter_per_m=config.optimise.weights.perimeter_per_m,
        currency=config.project.currency,
    )
    if terms is not None:
        problem = with_terms(problem, terms)
    return Assembly(problem, status, reason, role, locked, gates, cost, undecided, terms, before)


def _require_known(config: Config, index: pd.Index, fields: pd.DataFrame) -> None:
    """Locks must name parcels, targets zones; the places of the issues are keys of the configuration."""
    issues = list(lock_issues(config, index))
    zones = {str(z) for z in fields["zone"].dropna()}
    for k, phase in enumerate(config.optimise.phases):
        for name in sorted(set(phase.zones) - zones):
            where = f"optimise.phases[{k}].zones.{name}"
            expected = f"a zone that holds parcels: {', '.join(sorted(zones)) or 'there is none'}"
            near = nearest(name, zones)
            fix = f"Did you mean {near!r}?" if near is not None else "Correct the name."
            issues.append(Issue(where, f"the unknown zone {name!r}", expected, fix))
    if issues:
        raise ConfigError(issues)


def _cost(config: Config, fields: pd.DataFrame, undecided: dict[str, list[str]]) -> pd.Series[Any] | None:
    spec = config.optimise.cost
    if spec is None:
        return None
    value = evaluate_number(spec.value, fields)
    area = fields["area_mu"]
    cost = (value * area if spec.per == "mu" else value).astype("Float64")
    unknown = cost.isna()
    if unknown.any():
        undecided["cost"] = [str(i) for i in cost.index[unknown]]
        if spec.unknown == "mean_per_mu" and not unknown.all():
            mean = float(cost[~unknown].sum()) / float(area[~unknown].sum())
            cost = cost.fillna(area * mean)
    return pd.Series(cost.to_numpy(dtype=float, na_value=np.nan), index=fields.index)


def _open_from(config: Config, fields: pd.DataFrame, undecided: dict[str, list[str]]) -> Ints:
    """First phase whose year is not before any gate's year; number of phases = never.

    Raises
    ------
    ConfigError
        A parcel is locked at a phase in which a gate keeps it closed.
    """
    years = np.array([p.year for p in config.optimise.phases], dtype=float)
    first = np.zeros(len(fields), dtype=np.int64)
    for gate in config.optimise.earliest:
        year = evaluate_number(gate.year, fields)
        unknown = year.isna().to_numpy(dtype=bool)
        if unknown.any():
            undecided[f"gate {gate.name}"] = [str(i) for i in fields.index[unknown]]
        known = year.to_numpy(dtype=float, na_value=-np.inf if gate.unknown == "open" else np.inf)
        first = np.maximum(first, np.searchsorted(years, known, side="left"))
    issues = list(gate_issues(config, fields.index, first))
    if issues:
        raise ConfigError(issues)
    return first
