"""What parcels ask of every mode alike: who has agreed, which floor is in use, whether floor is counted at all."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from planner.check import shapes
from planner.check.figures import Figures, product
from planner.config import Config, PhaseSpec, ZoneTargetSpec
from planner.expressions import evaluate_condition
from planner.spec_modes import ConsentSpec, DecantSpec


@dataclass(frozen=True, eq=False)
class Demands:
    """Consent and decanting by parcel, by position in the layer ``parcels``.

    Attributes
    ----------
    figures : Figures
        Fields and figures.
    consent : ConsentSpec or None
    decant : DecantSpec or None
    counts_floor : bool
        Whether a target counts new floor area.
    """

    figures: Figures
    consent: ConsentSpec | None
    decant: DecantSpec | None
    counts_floor: bool

    @cached_property
    def holders(self) -> shapes.Floats:
        """Right-holders of each parcel, NaN where unknown."""
        return self._unknown if self.consent is None else self.figures.by_parcel(self.consent.holders)

    @cached_property
    def agreed_share(self) -> shapes.Floats:
        """Share of them that counts as agreed (signed or expected, by `basis`), NaN where unknown."""
        if self.consent is None:
            return self._unknown
        expected = self.consent.expected if self.consent.basis == "expected" else None
        return self.figures.by_parcel(expected or self.consent.signed)

    def weight(self, of: str) -> shapes.Floats:
        """What a test of holders or area counts of each parcel, NaN where unknown."""
        return self.holders if of == "holders" else self.figures.frame["area_mu"].to_numpy(dtype=float)

    def agreed(self, of: str) -> shapes.Floats:
        """How much of it has agreed, NaN where unknown; nobody agrees to what is not there."""
        return product(self.weight(of), self.agreed_share)

    def undecided(self, of: str) -> NDArray[np.bool_]:
        """Parcels for which a test cannot be made.

        Those whose weight is unknown: no share of a block could be told. Those who are unknown to have agreed, unless
        they are to count as nobody.
        """
        lost = np.isnan(self.weight(of))
        if self.consent is None or self.consent.unknown == "ineligible":
            lost = lost | np.isnan(self.agreed(of))
        return np.asarray(lost)

    @cached_property
    def floor_in_use(self) -> shapes.Floats:
        """Floor area in use by firms, m², after the policy for unknown ones; NaN where it stays unknown."""
        if self.decant is None:
            return self._unknown
        stated = self.figures.by_parcel(self.decant.floor_m2)
        area = self.figures.frame["area_mu"].to_numpy(dtype=float)
        known = np.isfinite(stated) & (area > 0)
        if self.decant.unknown == "ineligible" or not known.any():
            return stated
        return np.where(np.isfinite(stated), stated, stated[known].sum() / area[known].sum() * area)

    @cached_property
    def moves_once(self) -> NDArray[np.bool_]:
        """Parcels whose firms need space where they can stay, those among them of which it is unknown."""
        if self.decant is None or self.decant.once is None:
            return np.zeros(len(self.figures.frame), dtype=bool)
        found = evaluate_condition(self.decant.once, self.figures.frame)
        return np.asarray(found.fillna(True).to_numpy(dtype=bool))

    @property
    def _unknown(self) -> shapes.Floats:
        return np.full(len(self.figures.frame), np.nan)


def counts_floor(config: Config) -> bool:
    """Whether a target of the study area, a zone or a group counts new floor area."""
    spec = config.optimise
    goals: list[PhaseSpec | ZoneTargetSpec] = [*spec.phases]
    goals += [goal for phase in spec.phases for goal in phase.zones.values()]
    goals += [goal for group in spec.groups for goal in group.phases.values()]
    return any(goal.target_floor_m2 > 0 for goal in goals)
