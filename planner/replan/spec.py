"""What happened since a plan was made, as a planner writes it down: one frozen model, unknown keys refused."""

from __future__ import annotations

import datetime
from typing import Annotated, Any, Final, Literal, Self, get_args

from pydantic import Field, model_validator

from geodata.spec_base import NonNegative, Spec
from planner.spec_scoring import Expression

Kind = Literal[
    "refused",
    "refused_where",
    "agreed",
    "done",
    "running",
    "dropped",
    "budget",
    "target",
    "lock",
    "now",
    "set",
]
KINDS: Final[tuple[Kind, ...]] = get_args(Kind)
"""What an event may say; each says one of them."""

Parcels = Annotated[tuple[str, ...], Field(min_length=1)]
Blocks = Annotated[tuple[str, ...], Field(min_length=1)]


class ZoneTargetChange(Spec):
    """New targets of one zone; what is not named stays as it was."""

    target_mu: NonNegative | None = Field(default=None, description="Cumulative floor in the zone, mu.")
    stretch_mu: NonNegative | None = Field(
        default=None, description="Cumulative stretch target, mu; null takes it off."
    )
    target_max_mu: NonNegative | None = Field(default=None, description="Most, cumulative, mu; null takes it off.")
    target_floor_m2: NonNegative | None = Field(default=None, description="Cumulative new floor area, m²; with modes.")

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if not self.model_fields_set:
            raise ValueError("name at least one target")
        for name in ("target_mu", "target_floor_m2"):
            if name in self.model_fields_set and getattr(self, name) is None:
                raise ValueError(f"`{name}` needs a number: 0 takes the target off")
        return self


class TargetChange(ZoneTargetChange):
    """New targets of one phase; what is not named stays as it was."""

    zones: dict[str, ZoneTargetChange] = Field(default_factory=dict, description="Zone → its new targets.")


class LockChange(Spec):
    """Decisions about single parcels, in the place of earlier ones about them."""

    in_: tuple[str, ...] = Field(default=(), alias="in", description="Must be in the plan.")
    out: tuple[str, ...] = Field(default=(), description="Must not be in the plan.")
    by: dict[str, str] = Field(default_factory=dict, description="Parcel id → phase id: must be in by that phase.")
    at: dict[str, str] = Field(default_factory=dict, description="Parcel id → phase id: must be in, in that phase.")


class EventSpec(Spec):
    """One thing that happened: a reason, and one of the other keys."""

    reason: str | None = Field(default=None, description="Why, in words; for the report.")
    refused: Parcels | None = Field(default=None, description="Parcels whose owners refuse: locked out.")
    refused_where: Expression | None = Field(
        default=None, description="The same by an expression over parcel fields; it must hit a parcel."
    )
    agreed: Parcels | None = Field(default=None, description="Parcels that were locked out and are free again.")
    done: Blocks | None = Field(default=None, description="Finished projects, by code or block: they stand.")
    running: Blocks | None = Field(default=None, description="Running projects, by code or block: they stand as well.")
    dropped: Blocks | None = Field(default=None, description="Projects given up, by code or block: land locked out.")
    budget: dict[str, NonNegative | None] | None = Field(
        default=None, description="Phase id → its new budget, in currency; null takes it off."
    )
    target: dict[str, TargetChange] | None = Field(default=None, description="Phase id → its new targets.")
    lock: LockChange | None = Field(default=None, description="Decisions about single parcels.")
    now: str | None = Field(default=None, description="The phase that begins; the phases before it are over.")
    set_: dict[str, Any] | None = Field(
        default=None, alias="set", description="Any other key of the configuration; maps merge, lists replace."
    )

    @property
    def kind(self) -> Kind:
        """Which of `KINDS` it is."""
        return next(k for k in KINDS if getattr(self, "set_" if k == "set" else k) is not None)

    @model_validator(mode="after")
    def _one_thing(self) -> Self:
        told = [k for k in KINDS if getattr(self, "set_" if k == "set" else k) is not None]
        if len(told) != 1:
            found = "nothing" if not told else " and ".join(told)
            raise ValueError(f"an event says one thing, this one says {found}; one of: {', '.join(KINDS)}")
        return self


class KeepPrices(Spec):
    """What it is worth not to change the plan; a price that is not named is 0."""

    price_per_mu: NonNegative | None = Field(default=None, description="Price of changing one mu, in currency.")
    price_per_parcel: NonNegative | None = Field(default=None, description="Price of changing a parcel, in currency.")


class ChangesSpec(Spec):
    """Everything that happened since a plan was made."""

    title: str | None = Field(default=None, description="Title of the report.")
    date: datetime.date | None = Field(default=None, description="Day of the report, YYYY-MM-DD.")
    changes: Annotated[tuple[EventSpec, ...], Field(min_length=1)] | None = Field(
        default=None, description="What happened; may be left out where the progress says it all."
    )
    keep: KeepPrices = Field(
        default=KeepPrices(),
        description="Price of changing a parcel; follows from `weights.value_per_mu` if absent.",
    )

    @model_validator(mode="after")
    def _one_now(self) -> Self:
        if sum(e.now is not None for e in self.changes or ()) > 1:
            raise ValueError("`now` is said twice; one phase begins")
        return self
