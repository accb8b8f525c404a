"""The plan's blocks in their modes: when they reach which milestone, what they cost, build and displace."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from planner.check import shapes
from planner.check.columns import texts
from planner.check.figures import Figures
from planner.check.mode_demands import Demands, counts_floor
from planner.check.mode_terms import MONTHS, ModeTerms
from planner.check.tolerances import YEAR
from planner.check.worth_facts import WorthFacts
from planner.spec_modes import Milestone, ModesSpec


@dataclass(frozen=True, eq=False)
class ModeFacts:
    """A plan with modes. Arrays of length n are by position in the layer ``parcels``.

    Times are on the scale of the phases' years: 2.0 is the end of year 2.

    Attributes
    ----------
    plan : WorthFacts
        The plan without its modes.
    spec : ModesSpec
        The section ``modes``.
    """

    plan: WorthFacts
    spec: ModesSpec

    @cached_property
    def ids(self) -> tuple[str, ...]:
        """Modes in the order of the configuration."""
        return tuple(mode.id for mode in self.spec.choices)

    @cached_property
    def figures(self) -> Figures:
        """Fields and figures."""
        return Figures(self.plan.expression_fields, self.spec.figures)

    @cached_property
    def demands(self) -> Demands:
        """Consent and decanting by parcel."""
        return Demands(self.figures, self.spec.consent, self.spec.decant, counts_floor(self.plan.config))

    @cached_property
    def terms(self) -> tuple[ModeTerms, ...]:
        """Every mode, worked out for all parcels."""
        return tuple(ModeTerms(mode, self.figures, self.demands) for mode in self.spec.choices)

    # --- blocks ----------------------------------------------------------------------------------------------------

    @cached_property
    def written(self) -> list[str | None]:
        """Written mode of each parcel."""
        return texts(self.plan.parcels["mode"])

    @cached_property
    def block_mode(self) -> dict[str, int]:
        """Block → mode of most of its parcels, −1 = none; the rule `modes` reports blocks of several."""
        number = {mode: m for m, mode in enumerate(self.ids)}
        named = np.array([number.get(mode or "", -1) for mode in self.written], dtype=np.int64)
        return {b: int(np.bincount(named[p] + 1).argmax()) - 1 for b, p in self.plan.members.items()}

    @cached_property
    def mode(self) -> shapes.Ints:
        """Mode of each parcel's block, −1 = none."""
        found = np.full(self.plan.n, -1, dtype=np.int64)
        for block, positions in self.plan.members.items():
            found[positions] = self.block_mode[block]
        return found

    def terms_of(self, block: str) -> ModeTerms | None:
        """The mode of a block."""
        m = self.block_mode[block]
        return None if m < 0 else self.terms[m]

    def mode_of(self, block: str) -> str | None:
        """Id of a block's mode."""
        terms = self.terms_of(block)
        return None if terms is None else terms.spec.id

    @cached_property
    def any_open(self) -> NDArray[np.bool_]:
        """Parcels that allow some mode."""
        return np.asarray(np.any([terms.open for terms in self.terms], axis=0))

    # --- time ------------------------------------------------------------------------------------------------------

    @cached_property
    def launch(self) -> tuple[float, ...]:
        """Time at which the blocks of each phase begin: as stated, the phase before, or a year before the first."""
        phases = self.plan.config.optimise.phases
        before = [phases[0].year - 1, *(phase.year for phase in phases[:-1])]
        return tuple(
            float(year if phase.begins is None else phase.begins) for phase, year in zip(phases, before, strict=True)
        )

    def time_of(self, block: str, milestone: Milestone) -> float:
        """Time at which a block reaches a milestone, NaN = never, or of no phase or mode."""
        terms, phase = self.terms_of(block), self.plan.block_phase[block]
        if terms is None or phase < 1 or milestone not in terms.months:
            return float("nan")
        return self.launch[phase - 1] + terms.months[milestone] / MONTHS

    def counted(self, milestone: Milestone, phase: int) -> NDArray[np.bool_]:
        """Parcels in blocks of the phases so far that have reached a milestone by the end of a phase.

        Phases count from 1; 0 is before all. A block counts in no phase before its own, however early that begins.
        """
        found = np.zeros(self.plan.n, dtype=bool)
        if phase >= 1:
            end = self.plan.config.optimise.phases[phase - 1].year
            for block, positions in self.plan.members.items():
                late = self.plan.block_phase[block] > phase
                found[positions] = not late and self.time_of(block, milestone) <= end + YEAR
        return found

    # --- parcels in the mode of their block ------------------------------------------------------------------------

    def _chosen(self, values: Callable[[ModeTerms], shapes.Floats]) -> shapes.Floats:
        found = np.full(self.plan.n, np.nan)
        for m, terms in enumerate(self.terms):
            mine = self.mode == m
            if mine.any():
                found[mine] = values(terms)[mine]
        return found

    @cached_property
    def cost(self) -> shapes.Floats:
        """Net cost of each parcel to the parties of ``net_cost_of``, in currency; NaN outside blocks, or unknown."""
        return self._chosen(lambda terms: terms.net_cost(self.spec.net_cost_of))

    @cached_property
    def benefit_share(self) -> shapes.Floats:
        """Share of each parcel's worth that counts; NaN outside blocks."""
        return self._chosen(lambda terms: terms.benefit_share)

    @cached_property
    def new_floor_m2(self) -> shapes.Floats:
        """New floor area of each parcel, m²; NaN outside blocks."""
        return self._chosen(lambda terms: terms.new_floor_m2)
