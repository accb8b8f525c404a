"""Configuration of equity: strong and weak villages, and who is paired with whom."""

from __future__ import annotations

from typing import Self

from pydantic import Field, model_validator

from geodata.spec_base import Positive, Spec


class VillageClassSpec(Spec):
    """A named set of villages: weak villages, strong communities, north, south."""

    name: str = Field(min_length=1, description="Name of the class; each its own.")
    villages: tuple[str, ...] = Field(min_length=1, description="Its villages, as `optimise.village` names them.")


class PairSpec(Spec):
    """A weak village and the strong ones that help it 结对帮扶."""

    weak: str = Field(min_length=1, description="The village that is helped.")
    helpers: tuple[str, ...] = Field(min_length=1, description="Villages, communities or firms that help it.")


class EquitySpec(Spec):
    """Villages compared before and after the plan: an indicator, no rule of the plan."""

    classes: tuple[VillageClassSpec, ...] = Field(
        min_length=2, description="Classes that are compared; a village is in one at most. The first is the weak one."
    )
    pairs: tuple[PairSpec, ...] = Field(default=(), description="Who helps whom.")
    people: dict[str, Positive] = Field(
        default_factory=dict,
        description="Village → members of its cooperative; for figures a head, where all are known.",
    )
    source: str = Field(min_length=1, description="Where the classes come from; `judgement` for an assumption.")

    @model_validator(mode="after")
    def _agree(self) -> Self:
        names = [c.name for c in self.classes]
        if len(set(names)) != len(names):
            raise ValueError("names of `classes` must differ")
        every = [v for c in self.classes for v in c.villages]
        twice = sorted({v for v in every if every.count(v) > 1})
        if twice:
            raise ValueError(f"villages stand in two classes: {', '.join(twice)}")
        weak = [p.weak for p in self.pairs]
        if len(set(weak)) != len(weak):
            raise ValueError("`pairs` names a village twice as `weak`")
        return self
