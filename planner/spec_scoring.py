"""Configuration of the scoring: what is low-efficient, what is eligible, what is kept out."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from geodata.spec_base import Positive, Spec

Expression = Annotated[str, Field(min_length=1, max_length=2000)]
"""An expression over parcel fields; see `planner.expressions`."""


class MinMax(Spec):
    """Linear between two values, clipped outside them."""

    method: Literal["minmax"] = Field(description="Always `minmax`.")
    lo: float = Field(description="Value that gives 0 (with `direction: high`) or 1 (`low`).")
    hi: float = Field(description="Value that gives 1 (with `direction: high`) or 0 (`low`).")

    @model_validator(mode="after")
    def _order(self) -> Self:
        if not self.lo < self.hi:
            raise ValueError("`lo` must be below `hi`")
        return self


class Rank(Spec):
    """Share of parcels with a known value that are below this one (ties get their mean rank)."""

    method: Literal["rank"] = Field(description="Always `rank`.")


class Threshold(Spec):
    """1 on the needy side of a value, else 0."""

    method: Literal["threshold"] = Field(description="Always `threshold`.")
    at: float = Field(description="The value itself counts as needy.")


Normalise = Annotated[MinMax | Rank | Threshold, Field(discriminator="method")]


class CriterionSpec(Spec):
    """One criterion of low efficiency."""

    name: str = Field(description="Name of the criterion; each its own.")
    value: Expression = Field(description="Field or expression.")
    direction: Literal["low", "high"] = Field(description="Which end of the value is most in need of redevelopment.")
    normalise: Normalise = Field(description="How the value becomes a mark from 0 to 1.")
    weight: Positive = Field(default=1.0, description="Weight in the score, relative to the other criteria.")


class RuleSpec(Spec):
    """A named condition; its name is the reason shown for a parcel."""

    name: str = Field(min_length=1, description="Name of the rule: the reason shown for a parcel.")
    when: Expression = Field(description="The condition.")


class ExcludeSpec(RuleSpec):
    """A condition that keeps a parcel out of every plan."""

    unknown: Literal["keep", "exclude"] = Field(
        default="keep", description="What to do where the condition cannot be decided; counted either way."
    )


class ScoringSpec(Spec):
    """Which land is low-efficient: score, eligibility, exclusions and vetoes."""

    derived: dict[str, Expression] = Field(
        default_factory=dict, description="Further fields computed from the mapped ones, in this order."
    )
    criteria: tuple[CriterionSpec, ...] = Field(
        min_length=1, description="The criteria; the score is the weighted mean of their marks."
    )
    unknown: Literal["neutral", "worst", "ineligible"] = Field(
        default="neutral",
        description="A criterion whose value is unknown counts 0.5 (neutral), 0, the mark that speaks least for "
        "redevelopment (worst), or makes the parcel ineligible.",
    )
    eligible: tuple[RuleSpec, ...] = Field(
        default=(), description="All must hold (undecidable = does not hold); may use `score`. None = all eligible."
    )
    exclude: tuple[ExcludeSpec, ...] = Field(default=(), description="Any of them keeps the parcel out for good.")
    force_in: tuple[RuleSpec, ...] = Field(
        default=(),
        description="Veto (environment, safety): eligible whatever the score. An exclusion still wins.",
    )
