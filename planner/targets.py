"""Phases and targets of a problem, and the areas that targets count."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final

import numpy as np
import pandas as pd

from planner.config import Config, Counts, PhaseSpec, ZoneTargetSpec, counts_in_use
from planner.problem import Bools, Measure, Phase, Target
from planner.spec_modes import Milestone

MEASURES: Final[dict[Counts, Measure]] = {
    "net": "mu",
    "boundary": "boundary_mu",
    "cleared": "cleared_mu",
    "accepted": "accepted_mu",
}
"""What a target counts → its name in the problem; but for the first also the name of the field."""


def counted_areas(
    config: Config, fields: pd.DataFrame, undecided: dict[str, list[str]], n_modes: int = 1
) -> tuple[dict[str, Any], Bools]:
    """Arrays of the areas that targets count besides the net one (n, M), and the parcels for which one is unknown."""
    arrays, closed = {}, np.zeros(len(fields), dtype=bool)
    for counts in sorted(counts_in_use(config) - {"net"}):
        measure = MEASURES[counts]
        values = fields[measure].to_numpy(dtype=float, na_value=np.nan)
        unknown = np.isnan(values)
        if unknown.any():
            undecided[f"{counts} area"] = [str(i) for i in fields.index[unknown]]
        closed |= unknown
        arrays[f"mode_{measure}"] = np.repeat(np.where(unknown, 0.0, np.maximum(values, 0.0))[:, None], n_modes, axis=1)
    return arrays, closed


def phases_of(config: Config) -> tuple[Phase, ...]:
    """Phases with their discount, (1 + rate)^-(year - base year)."""
    optimise = config.optimise
    return tuple(
        Phase(p.id, p.year, (1 + optimise.discount_rate) ** -(p.year - optimise.base_year), p.budget, p.max_blocks)
        for p in optimise.phases
    )


def targets_of(config: Config, zones: Sequence[str], milestones: Sequence[Milestone]) -> Iterable[Target]:
    """All targets in order of phase; `milestones` are those of the modes, empty without modes."""
    price = config.optimise.weights.stretch_per_mu

    def target(name: str, phase: int, zone: int, group: int, goal: PhaseSpec | ZoneTargetSpec) -> Iterable[Target]:
        step = milestones.index(goal.milestone or config.optimise.milestone) if milestones else 0
        if goal.target_mu or goal.stretch_mu or goal.target_max_mu is not None:
            measure = MEASURES[goal.counts or config.optimise.counts]
            floor, stretch, most = goal.target_mu, goal.stretch_mu, goal.target_max_mu
            yield Target(name, phase, zone, floor, stretch, price, most, group, measure, milestone=step)
        if goal.target_floor_m2:
            floor = goal.target_floor_m2
            yield Target(f"{name}, new floor", phase, zone, floor, group=group, measure="floor_m2", milestone=step)

    for t, phase in enumerate(config.optimise.phases):
        yield from target(phase.id, t, -1, -1, phase)
        for name, goal in phase.zones.items():
            yield from target(f"{phase.id}, zone {name}", t, zones.index(name), -1, goal)
        for g, group in enumerate(config.optimise.groups):
            if phase.id in group.phases:
                yield from target(f"{phase.id}, group {group.name}", t, -1, g, group.phases[phase.id])
