"""Cumulative targets of the study area, its zones and its groups: what each counts, and how much there is of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from planner.check.facts import Facts
from planner.config import Counts, PhaseSpec, ZoneTargetSpec

Bools = NDArray[np.bool_]
Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Goal:
    """What is asked of a set of parcels by the end of a phase.

    Attributes
    ----------
    label : str
        ``[P1]``, ``[P1][Luoma]`` or ``[P1][group village]``, as in the keys of `CheckReport.measured`.
    title : str
        For people.
    phase : int
        1-based.
    inside : bool[n] or None
        Parcels that count; None = all.
    floor : float
        mu; 0 = none.
    stretch, ceiling : float or None
        mu.
    counts : {'net', 'boundary', 'cleared', 'accepted'}
        Which area.
    """

    label: str
    title: str
    phase: int
    inside: Bools | None
    floor: float
    stretch: float | None
    ceiling: float | None
    counts: Counts


def in_zone(facts: Facts, zone: str) -> Bools:
    """Parcels of a zone."""
    return np.array([z == zone for z in facts.zone], dtype=bool)


def goals(facts: Facts) -> Iterator[Goal]:
    """All targets of the configuration, phase by phase."""
    spec = facts.config.optimise
    default = spec.counts
    members = {group.name: facts.holds(group.where) for group in spec.groups}
    for t, phase in enumerate(spec.phases, start=1):
        yield _goal(phase, f"[{phase.id}]", f"Phase {phase.id}, the study area", t, None, default)
        for zone, goal in phase.zones.items():
            yield _goal(
                goal, f"[{phase.id}][{zone}]", f"Phase {phase.id}, zone {zone}", t, in_zone(facts, zone), default
            )
        for group in spec.groups:
            if phase.id in group.phases:
                label, title = f"[{phase.id}][group {group.name}]", f"Phase {phase.id}, group {group.name}"
                yield _goal(group.phases[phase.id], label, title, t, members[group.name], default)


def _goal(
    spec: PhaseSpec | ZoneTargetSpec, label: str, title: str, phase: int, inside: Bools | None, counts: Counts
) -> Goal:
    stretch, ceiling = spec.stretch_mu, spec.target_max_mu
    return Goal(label, title, phase, inside, spec.target_mu, stretch, ceiling, spec.counts or counts)


def counted_mu(facts: Facts, counts: Counts) -> Floats:
    """What each parcel counts, mu: measured, with its share of the lanes, or by the expressions of ``areas``.

    The rule `areas` judges the share of the lanes that the layer states.
    """
    if counts == "net":
        return facts.area_mu
    return facts.amounts(f"{counts}_mu")


def taken_mu(facts: Facts, phase: int, inside: Bools | None, counts: Counts = "net") -> float:
    """Area in blocks by the end of a phase (1-based), mu; of the parcels `inside`, or of all."""
    taken = facts.selected & (facts.phase >= 1) & (facts.phase <= phase)
    return float(np.nansum(counted_mu(facts, counts)[taken if inside is None else taken & inside]))


def unmet_stretch_mu(facts: Facts) -> float:
    """Σ over all stretch targets of what is missing, mu."""
    asked = ((g.stretch, taken_mu(facts, g.phase, g.inside, g.counts)) for g in goals(facts) if g.stretch is not None)
    return float(sum(max(0.0, stretch - area) for stretch, area in asked))
