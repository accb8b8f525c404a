"""Cumulative targets of the study area, its zones and its groups: what each counts, and how much there is of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from planner.check.facts import Facts
from planner.check.tolerances import AREA_MU, FLOOR_M2, RULE_RELATIVE
from planner.config import Counts, PhaseSpec, ZoneTargetSpec
from planner.spec_modes import Milestone

Bools = NDArray[np.bool_]
Floats = NDArray[np.float64]
Counted = Counts | Literal["new_floor"]


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
        In `unit`; 0 = none.
    stretch, ceiling : float or None
        In `unit`.
    counts : {'net', 'boundary', 'cleared', 'accepted', 'new_floor'}
        Which area.
    milestone : str
        With modes: what blocks must have reached by the end of the phase to count.
    """

    label: str
    title: str
    phase: int
    inside: Bools | None
    floor: float
    stretch: float | None
    ceiling: float | None
    counts: Counted
    milestone: Milestone

    @property
    def unit(self) -> str:
        """Unit of what is asked for."""
        return "m²" if self.counts == "new_floor" else "mu"

    @property
    def tolerance(self) -> float:
        """How much may be missing, or too much, in `unit`."""
        return FLOOR_M2 + RULE_RELATIVE * self.floor if self.counts == "new_floor" else AREA_MU

    @property
    def measured_as(self) -> str:
        """Key under which the area is reported."""
        return f"cumulative_{'floor_m2' if self.counts == 'new_floor' else 'mu'}{self.label}"


def in_zone(facts: Facts, zone: str) -> Bools:
    """Parcels of a zone."""
    return np.array([z == zone for z in facts.zone], dtype=bool)


def goals(facts: Facts) -> Iterator[Goal]:
    """All targets of the configuration, phase by phase; those of new floor area after those of land."""
    spec = facts.config.optimise
    members = {group.name: facts.holds(group.where) for group in spec.groups}
    for t, phase in enumerate(spec.phases, start=1):
        yield from _goals(facts, phase, f"[{phase.id}]", f"Phase {phase.id}, the study area", t, None)
        for zone, goal in phase.zones.items():
            label, title = f"[{phase.id}][{zone}]", f"Phase {phase.id}, zone {zone}"
            yield from _goals(facts, goal, label, title, t, in_zone(facts, zone))
        for group in spec.groups:
            if phase.id in group.phases:
                label, title = f"[{phase.id}][group {group.name}]", f"Phase {phase.id}, group {group.name}"
                yield from _goals(facts, group.phases[phase.id], label, title, t, members[group.name])


def _goals(
    facts: Facts, spec: PhaseSpec | ZoneTargetSpec, label: str, title: str, phase: int, inside: Bools | None
) -> Iterator[Goal]:
    counts, milestone = counting(facts, spec)
    yield Goal(label, title, phase, inside, spec.target_mu, spec.stretch_mu, spec.target_max_mu, counts, milestone)
    if spec.target_floor_m2 > 0:
        yield Goal(label, title, phase, inside, spec.target_floor_m2, None, None, "new_floor", milestone)


def counting(facts: Facts, goal: PhaseSpec | ZoneTargetSpec | None) -> tuple[Counts, Milestone]:
    """Which area a target counts, and from which milestone on; without a target, what all others do."""
    spec = facts.config.optimise
    if goal is None:
        return spec.counts, spec.milestone
    return goal.counts or spec.counts, goal.milestone or spec.milestone


def counted_area(facts: Facts, counts: Counted) -> Floats:
    """What each parcel counts: mu measured, with its share of the lanes, by ``areas``; or m² of new floor.

    The rule `areas` judges the share of the lanes that the layer states.
    """
    if counts == "net":
        return facts.area_mu
    if counts == "new_floor":
        return np.full(facts.n, np.nan) if facts.modes is None else facts.modes.new_floor_m2
    return facts.amounts(f"{counts}_mu")


def counts_by(facts: Facts, phase: int, milestone: Milestone) -> Bools:
    """Parcels that count by the end of a phase (1-based, 0 = before the first).

    Those in blocks of the phases so far; with modes those in blocks that have reached the milestone.
    """
    if facts.modes is not None:
        return facts.modes.counted(milestone, phase)
    return np.asarray(facts.selected & (facts.phase >= 1) & (facts.phase <= phase))


def taken(facts: Facts, phase: int, inside: Bools | None, counts: Counted, milestone: Milestone) -> float:
    """Area that counts by the end of a phase, mu or m²; of the parcels `inside`, or of all. Unknown brings nothing."""
    mine = counts_by(facts, phase, milestone)
    return float(np.nansum(counted_area(facts, counts)[mine if inside is None else mine & inside]))


def reached(facts: Facts, goal: Goal) -> float:
    """How much there is of what a target asks for, in its unit."""
    return taken(facts, goal.phase, goal.inside, goal.counts, goal.milestone)


def unmet_stretch_mu(facts: Facts) -> float:
    """Σ over all stretch targets of what is missing, mu."""
    asked = ((g.stretch, reached(facts, g)) for g in goals(facts) if g.stretch is not None)
    return float(sum(max(0.0, stretch - area) for stretch, area in asked))
