"""Configuration of equity: strong and weak villages, and who is paired with whom."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import Field, model_validator

from geodata.spec_base import Positive, Share, Spec

Expression = Annotated[str, Field(min_length=1, max_length=2000)]


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
    further: tuple[VillageClassSpec, ...] = Field(
        default=(), description="Further sets beside the classes, such as north and south; they may overlap."
    )
    pairs: tuple[PairSpec, ...] = Field(default=(), description="Who helps whom.")
    industrial: Expression | None = Field(
        default=None,
        description="Which parcels are industrial land, for its share in the plan (undecidable = no, counted); land in "
        "the plan is. All land when absent.",
    )
    unknown_max_share: Share = Field(
        default=0.05,
        description="A village is left out of ratios where the income of its collective is unknown on more than this "
        "share of its land.",
    )
    people: dict[str, Positive] = Field(
        default_factory=dict,
        description="Village → members of its cooperative; figures a head need those of all villages in classes.",
    )
    source: str = Field(min_length=1, description="Where the classes come from; `judgement` for an assumption.")

    @model_validator(mode="after")
    def _agree(self) -> Self:
        names = [c.name for c in (*self.classes, *self.further)]
        if len(set(names)) != len(names):
            raise ValueError("names of `classes` and `further` must differ")
        for c in (*self.classes, *self.further):
            if len(set(c.villages)) != len(c.villages):
                raise ValueError(f"{c.name!r} names a village twice")
        every = [v for c in self.classes for v in c.villages]
        twice = sorted({v for v in every if every.count(v) > 1})
        if twice:
            raise ValueError(f"villages stand in two classes: {', '.join(twice)}")
        weak = [p.weak for p in self.pairs]
        if len(set(weak)) != len(weak):
            raise ValueError("`pairs` names a village twice as `weak`")
        return self
