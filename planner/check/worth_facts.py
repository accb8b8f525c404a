"""What land is worth and costs, and when it opens: worked out anew from the written fields and the configuration."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from geodata.units import M2_PER_MU
from planner.check import shapes
from planner.check.columns import measurable, numbers, texts
from planner.check.plan_facts import PlanFacts
from planner.check.tolerances import YEAR
from planner.config import counts_in_use
from planner.expressions import evaluate_condition, evaluate_number
from planner.land_fields import joined_fields, scoring_of
from planner.scoring import Scores, score_parcels


@dataclass(frozen=True)
class WorthFacts(PlanFacts):
    """Scores, costs by the expression, gates. Arrays of length n are by position in the layer ``parcels``."""

    @cached_property
    def fields(self) -> pd.DataFrame:
        """The mapped, joined and measured fields: what the scoring stage starts from."""
        names = [*self.config.parcels.fields, *(f for table in self.config.tables for f in table.fields)]
        names += [name for _, name in joined_fields(self.config)]
        names += ["ellipsoidal_mu"] if "ellipsoidal_mu" in self.parcels else []
        frame = pd.DataFrame(self.parcels[names]).reset_index(drop=True)
        frame["between_mu"] = self.between_mu
        frame["boundary_mu"] = self.area_mu + self.between_mu
        frame["area_m2"] = self.area_mu * M2_PER_MU
        frame["area_mu"] = self.area_mu
        frame["perimeter_m"] = self.perimeter_m
        if "zone" not in names:
            frame["zone"] = pd.Series(self.zone, dtype="string")
        spec = self.config.areas
        frame["cleared_mu"] = evaluate_number(spec.cleared or "boundary_mu", frame)
        frame["accepted_mu"] = evaluate_number(spec.accepted or "cleared_mu", frame)
        return frame

    @cached_property
    def between_mu(self) -> shapes.Floats:
        """Land between parcels that the layer ``between`` allots to each parcel, measured, mu."""
        place = {parcel: i for i, parcel in enumerate(self.ids)}
        found = np.zeros(self.n)
        layer = self.tables.between
        if len(layer):
            owner = np.array([place.get(p or "", -1) for p in texts(layer["parcel_id"])], dtype=np.int64)
            area = shapely.area(measurable(layer)) / M2_PER_MU
            np.add.at(found, owner[owner >= 0], area[owner >= 0])
        return found

    @cached_property
    def scores(self) -> Scores:
        """Scores and statuses, computed anew; indexed by position."""
        return score_parcels(self.fields, scoring_of(self.config))

    @cached_property
    def score(self) -> shapes.Floats:
        """Recomputed score, NaN where unknown."""
        return numbers(self.scores.score)

    @cached_property
    def scored_status(self) -> list[str]:
        """Recomputed status before any plan: eligible, ineligible or excluded."""
        return [str(s) for s in self.scores.status.tolist()]

    @cached_property
    def expression_fields(self) -> pd.DataFrame:
        """All that expressions of the section `optimise` may use, by position."""
        return self.scores.fields.assign(score=self.scores.score)

    def holds(self, condition: str) -> NDArray[np.bool_]:
        """Where a condition holds; where it cannot be decided it does not."""
        return np.asarray(evaluate_condition(condition, self.expression_fields).fillna(False).to_numpy(dtype=bool))

    def amounts(self, expression: str) -> shapes.Floats:
        """Values of an expression, NaN where unknown."""
        return numbers(evaluate_number(expression, self.expression_fields))

    @cached_property
    def unmeasured(self) -> NDArray[np.bool_]:
        """Parcels that are ineligible because what they bring to a rule for blocks or to a target is unknown."""
        found = np.zeros(self.n, dtype=bool)
        for rule in self.config.optimise.block.rules:
            if rule.unknown == "ineligible":
                for text in filter(None, (rule.amount, rule.share_of)):
                    found |= np.isnan(self.amounts(text))
        for counts in counts_in_use(self.config) - {"net"}:
            found |= np.isnan(self.amounts(f"{counts}_mu"))
        return found

    @cached_property
    def may_fill(self) -> NDArray[np.bool_]:
        """Ineligible parcels that match ``filler.where``."""
        where = self.config.optimise.filler.where
        if where is None:
            return np.zeros(self.n, dtype=bool)
        return np.asarray(self.holds(where) & self.not_eligible & ~self.unmeasured)

    @cached_property
    def not_eligible(self) -> NDArray[np.bool_]:
        """Recomputed as ineligible, or unmeasured."""
        scored = np.array([s == "ineligible" for s in self.scored_status], dtype=bool)
        return np.asarray(scored | (self.unmeasured & np.array([s == "eligible" for s in self.scored_status])))

    @cached_property
    def stated_cost(self) -> shapes.Floats:
        """Cost of each parcel by the expression, in currency, NaN where unknown (or without a cost)."""
        spec = self.config.optimise.cost
        if spec is None:
            return np.full(self.n, np.nan)
        value = self.amounts(spec.value)
        return value * self.area_mu if spec.per == "mu" else value

    @cached_property
    def expression_cost(self) -> shapes.Floats:
        """Cost after the policy for unknown ones, NaN where a parcel has none; 0 without a cost section."""
        spec = self.config.optimise.cost
        if spec is None:
            return np.zeros(self.n)
        known = np.isfinite(self.stated_cost) & (self.area_mu > 0)
        if spec.unknown == "ineligible" or not known.any():
            return self.stated_cost
        mean = self.stated_cost[known].sum() / self.area_mu[known].sum()
        return np.where(np.isfinite(self.stated_cost), self.stated_cost, mean * self.area_mu)

    @cached_property
    def earliest(self) -> shapes.Ints:
        """First phase, 1-based, in which all gates are open; T + 1 = never."""
        years = np.array([p.year for p in self.config.optimise.phases], dtype=float)
        first = np.ones(self.n, dtype=np.int64)
        for gate in self.config.optimise.earliest:
            year = self.amounts(gate.year)
            opens = np.searchsorted(years, year - YEAR) + 1
            opens[np.isnan(year)] = 1 if gate.unknown == "open" else self.n_phases + 1
            first = np.maximum(first, opens)
        return first
