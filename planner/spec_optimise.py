"""Configuration of the plan: phases and targets, blocks, locks, gates, costs, weights, and when to stop."""

from __future__ import annotations

from collections import Counter
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from geodata.spec_base import NonNegative, Positive, Share, Spec
from planner.spec_modes import Milestone
from planner.spec_scoring import Expression

Counts = Literal["net", "boundary", "cleared", "accepted"]
"""Which area a target counts; see `geodata.spec_land.AreasSpec`."""


class ZoneTargetSpec(Spec):
    """Cumulative targets of one zone in one phase."""

    target_mu: NonNegative = Field(default=0.0, description="Cumulative floor in the zone, mu.")
    stretch_mu: NonNegative | None = Field(default=None, description="Cumulative stretch target in the zone, mu.")
    target_max_mu: NonNegative | None = Field(default=None, description="Most, cumulative, in the zone, mu.")
    target_floor_m2: NonNegative = Field(default=0.0, description="Cumulative new floor area, m²; needs `modes`.")
    counts: Counts | None = Field(default=None, description="Which area these targets count; `optimise.counts` else.")
    milestone: Milestone | None = Field(
        default=None,
        description="Milestone that blocks must have reached by the phase's end; `optimise.milestone` else.",
    )


class PhaseSpec(Spec):
    """One planning phase; targets are cumulative from the start."""

    id: str = Field(min_length=1, description="Name of the phase; each its own.")
    year: int = Field(description="Counted from `base_year`, or a calendar year.")
    target_mu: NonNegative = Field(default=0.0, description="Cumulative floor, mu, over the study area.")
    stretch_mu: NonNegative | None = Field(default=None, description="Cumulative stretch target, mu.")
    target_max_mu: NonNegative | None = Field(default=None, description="Most, cumulative, over the study area, mu.")
    target_floor_m2: NonNegative = Field(default=0.0, description="Cumulative new floor area, m²; needs `modes`.")
    counts: Counts | None = Field(default=None, description="Which area these targets count; `optimise.counts` else.")
    milestone: Milestone | None = Field(
        default=None,
        description="Milestone that blocks must have reached by the phase's end; `optimise.milestone` else.",
    )
    begins: float | None = Field(
        default=None,
        description="Time, on the scale of `year` (2.0 = end of year 2), at which the work on its blocks begins; the "
        "phase before it else, one year before its `year` for the first. Needs `modes`.",
    )
    budget: NonNegative | None = Field(default=None, description="Most that may be spent in this phase, in currency.")
    max_blocks: Annotated[int, Field(ge=0)] | None = Field(default=None, description="Most blocks in this phase.")
    zones: dict[str, ZoneTargetSpec] = Field(default_factory=dict, description="Zone → its own targets in this phase.")


class BlockRuleSpec(Spec):
    """A sum over a block's parcels that must be large enough: signed share, frontage on wide roads, usable site."""

    name: str = Field(min_length=1, description="Name of the rule, for reports; each its own.")
    amount: Expression = Field(description="What each parcel brings: Σ amount ≥ `least` (· Σ `share_of`).")
    unit: str = Field(default="", description="Unit of `amount`, for reports.")
    least: NonNegative = Field(description="Least sum; with `share_of` the least share.")
    share_of: Expression | None = Field(default=None, description="What the sum is a share of.")
    unknown: Literal["ineligible", "zero"] = Field(
        default="ineligible",
        description="A parcel whose amount is unknown cannot be in a plan, or brings nothing; counted either way.",
    )


class BlockSpec(Spec):
    """What a contiguous block must be."""

    min_mu: NonNegative = Field(description="Least area of a block, mu.")
    max_mu: Positive = Field(description="Largest area of a block, mu.")
    within_zone: bool = Field(default=False, description="True: a block lies in one zone.")
    max_villages: Annotated[int, Field(ge=1)] | None = Field(
        default=None, description="Most villages in a block; needs `optimise.village`."
    )
    rules: tuple[BlockRuleSpec, ...] = Field(default=(), description="Sums that every block must reach.")

    @model_validator(mode="after")
    def _order(self) -> Self:
        if self.min_mu > self.max_mu:
            raise ValueError("`min_mu` must not exceed `max_mu`")
        names = [r.name for r in self.rules]
        if len(set(names)) != len(names):
            raise ValueError("names of `rules` must differ")
        return self


class GroupSpec(Spec):
    """A further set of parcels with targets of its own; groups may overlap each other and the zones."""

    name: str = Field(min_length=1, description="Name of the group; each its own.")
    where: Expression = Field(description="Which parcels belong to it (undecidable = no).")
    phases: dict[str, ZoneTargetSpec] = Field(description="Phase id → cumulative targets of the group.")


class FixedBlockSpec(Spec):
    """A block that stands: a finished or running project."""

    id: str = Field(min_length=1, description="Name of the project; each its own.")
    parcels: tuple[str, ...] = Field(min_length=1, description="Its parcels, by id.")
    phase: str = Field(description="Its phase.")
    mode: str | None = Field(default=None, description="Its mode, by id; needs `modes`, and with `modes` is needed.")


class FillerSpec(Spec):
    """Remnant land that may join a block without being low-efficient itself."""

    where: Expression | None = Field(default=None, description="Which ineligible parcels may serve; none when absent.")
    max_share: Share = Field(default=0.1, description="Largest share of a block's area that may be filler.")


class LocksSpec(Spec):
    """The planner's own decisions, by parcel id."""

    in_: tuple[str, ...] = Field(default=(), alias="in", description="Must be in the plan.")
    out: tuple[str, ...] = Field(default=(), description="Must not be in the plan.")
    by: dict[str, str] = Field(default_factory=dict, description="Parcel id → phase id: must be in by that phase.")
    at: dict[str, str] = Field(default_factory=dict, description="Parcel id → phase id: must be in, in that phase.")
    notes: dict[str, str] = Field(default_factory=dict, description="Parcel id → remark of the planner, for reports.")
    blocks: tuple[FixedBlockSpec, ...] = Field(
        default=(), description="Blocks that stand as they are: counted in every sum, exempt from the rules for blocks."
    )


class KeepSpec(Spec):
    """The plan before, and what it is worth not to change it: for replanning with few changes.

    A parcel is changed where it is taken though it was in no block before, is left out though it was in one, or is
    taken in another phase or mode. The objective falls by `price_per_parcel` + `price_per_mu` · its area (net, mu) for
    each; undiscounted.
    """

    blocks: tuple[FixedBlockSpec, ...] = Field(description="The blocks of the plan before.")
    price_per_parcel: NonNegative = Field(default=0.0, description="Price of changing a parcel, in currency.")
    price_per_mu: NonNegative = Field(default=0.0, description="Price of changing one mu of it, in currency.")


class GateSpec(Spec):
    """The first year in which a parcel can be taken (papers, lease expiry)."""

    name: str = Field(description="Name of the gate.")
    year: Expression = Field(description="Year on the same scale as the phases' years.")
    unknown: Literal["open", "never"] = Field(default="open", description="Where the year is unknown; counted.")


class CostSpec(Spec):
    """What taking a parcel costs, undiscounted."""

    value: Expression = Field(description="Cost, in currency; an expression, so a plain number is written in quotes.")
    per: Literal["parcel", "mu"] = Field(
        default="parcel", description="Whether `value` is the cost of the parcel or of one mu of it."
    )
    unknown: Literal["ineligible", "mean_per_mu"] = Field(
        default="ineligible",
        description="A parcel of unknown cost is ineligible, or takes the area-weighted mean of the known ones; "
        "counted either way. Unknown is never zero.",
    )


class WeightsSpec(Spec):
    """Weights of the objective, in currency."""

    value_per_mu: Positive = Field(description="Worth of one mu with score 1, in currency.")
    perimeter_per_m: NonNegative = Field(default=0.0, description="Price of one metre of block perimeter.")
    stretch_per_mu: NonNegative = Field(default=0.0, description="Penalty per mu by which a stretch target is missed.")


class OptimiseSpec(Spec):
    """Targets, limits and weights of the plan."""

    phases: tuple[PhaseSpec, ...] = Field(
        min_length=1, description="The phases in order; years increase, targets do not fall."
    )
    counts: Counts = Field(
        default="net",
        description="Which area targets count: net (the parcels as measured), boundary (with their share of the lanes "
        "beside them), cleared or accepted; see `areas`. Sizes of blocks are net.",
    )
    block: BlockSpec
    filler: FillerSpec = FillerSpec()
    locks: LocksSpec = LocksSpec()
    earliest: tuple[GateSpec, ...] = Field(
        default=(), description="Gates; a parcel is open from the first phase that all of them allow."
    )
    cost: CostSpec | None = Field(default=None, description="None: cost is not part of this plan, and is not shown.")
    weights: WeightsSpec
    discount_rate: Annotated[float, Field(ge=0, lt=1)] = Field(
        default=0.0, description="Discount a year on benefit and cost: (1 + rate)^−(year − `base_year`)."
    )
    base_year: int = Field(default=0, description="Year that is not discounted.")
    contiguity: Literal["block", "rolling"] = Field(
        default="block",
        description="`block`: every block is one connected piece. `rolling`: besides, what is cleared in a zone by the "
        "end of each phase is one connected area that only grows.",
    )
    existing: Expression | None = Field(
        default=None, description="With `rolling`: which land is cleared already, so that the area grows from it."
    )
    village: str | None = Field(default=None, description="Field that names a parcel's village.")
    groups: tuple[GroupSpec, ...] = Field(default=(), description="Further sets of parcels with their own targets.")
    milestone: Milestone = Field(
        default="levelled", description="With `modes`: milestone that a block must have reached to count for targets."
    )

    keep: KeepSpec | None = Field(
        default=None, description="The plan before, and the price of changing it; None = a plan from nothing."
    )

    @model_validator(mode="after")
    def _phases_in_order(self) -> Self:
        ids = [p.id for p in self.phases]
        if len(set(ids)) != len(ids):
            raise ValueError("phase ids must differ")
        for before, after in zip(self.phases, self.phases[1:], strict=False):
            if after.year <= before.year:
                raise ValueError(f"years must increase: {before.id} has {before.year}, {after.id} has {after.year}")
            alike = (before.counts, before.milestone) == (after.counts, after.milestone)
            if alike and after.target_mu < before.target_mu:
                raise ValueError(
                    f"targets are cumulative: {after.id} ({after.target_mu} mu) is below {before.id} "
                    f"({before.target_mu} mu)"
                )
        if self.phases[0].year < self.base_year:
            raise ValueError(f"phase {self.phases[0].id} lies before base_year {self.base_year}")
        if self.discount_rate > 0 and self.phases[0].year - self.base_year > 100:
            raise ValueError("phases are calendar years: set `base_year` so that discounting starts there")
        for phase in self.phases:
            targets = [
                (phase.target_mu, phase.stretch_mu),
                *((z.target_mu, z.stretch_mu) for z in phase.zones.values()),
            ]
            if any(stretch is not None and stretch < floor for floor, stretch in targets):
                raise ValueError(f"phase {phase.id}: `stretch_mu` lies below `target_mu`")
            goals: tuple[PhaseSpec | ZoneTargetSpec, ...] = (phase, *phase.zones.values())
            if any(g.target_max_mu is not None and g.target_max_mu < g.target_mu for g in goals):
                raise ValueError(f"phase {phase.id}: `target_max_mu` lies below `target_mu`")
        self._further_rules_agree(ids)
        for key in ("by", "at"):
            unknown = sorted(set(getattr(self.locks, key).values()) - set(ids))
            if unknown:
                raise ValueError(
                    f"locks.{key} names phases that do not exist: {', '.join(unknown)}; phases are {', '.join(ids)}"
                )
        if self.cost is None and any(p.budget is not None for p in self.phases):
            raise ValueError(
                "a phase has a `budget`, but there is no `cost` to hold against it; with `modes` see `modes.limits`"
            )
        return self

    def _further_rules_agree(self, ids: list[str]) -> None:
        """Groups, fixed blocks and villages."""
        late = [p for p in self.phases if p.begins is not None and p.begins > p.year]
        if late:
            raise ValueError(f"phase {late[0].id} begins at {late[0].begins}, after its year {late[0].year}")
        names = [g.name for g in self.groups]
        if len(set(names)) != len(names):
            raise ValueError("names of `groups` must differ")
        for group in self.groups:
            unknown = sorted(set(group.phases) - set(ids))
            if unknown:
                raise ValueError(f"group {group.name} names phases that do not exist: {', '.join(unknown)}")
            if any(x.target_max_mu is not None and x.target_max_mu < x.target_mu for x in group.phases.values()):
                raise ValueError(f"group {group.name}: `target_max_mu` lies below `target_mu`")
        _named_blocks_agree("locks.blocks", self.locks.blocks, ids)
        _named_blocks_agree("keep.blocks", () if self.keep is None else self.keep.blocks, ids)
        if self.block.max_villages is not None and self.village is None:
            raise ValueError("block.max_villages needs `village`, the field that names a parcel's village")
        if self.existing is not None and self.contiguity != "rolling":
            raise ValueError("`existing` means something only with `contiguity: rolling`")


def _named_blocks_agree(key: str, blocks: tuple[FixedBlockSpec, ...], phases: list[str]) -> None:
    """Ids, phases and parcels of blocks that a configuration names."""
    if len({b.id for b in blocks}) != len(blocks):
        raise ValueError(f"ids of `{key}` must differ")
    lost = sorted({b.phase for b in blocks} - set(phases))
    if lost:
        raise ValueError(f"{key} names phases that do not exist: {', '.join(lost)}")
    times = Counter(i for b in blocks for i in b.parcels)
    twice = sorted(i for i, n in times.items() if n > 1)
    if twice:
        raise ValueError(f"{key} names parcels twice: {', '.join(twice)}")


class SolveSpec(Spec):
    """When to stop."""

    gap: NonNegative = Field(default=0.01, description="Stop at this relative gap.")
    time_limit_s: Positive = Field(default=60.0, description="Most seconds for the solve.")
    seed: Annotated[int, Field(ge=0, lt=2**31)] = Field(default=0, description="Seed of everything random.")
    work_limit: Annotated[int, Field(ge=1)] | None = Field(
        default=None, description="Stop after this many search rounds: counted work, so repeatable to the letter."
    )


def phase_goals(spec: OptimiseSpec) -> list[PhaseSpec | ZoneTargetSpec]:
    """Everything that holds targets: phases, their zones, and groups."""
    goals: list[PhaseSpec | ZoneTargetSpec] = [*spec.phases]
    goals += [z for p in spec.phases for z in p.zones.values()]
    return goals + [z for g in spec.groups for z in g.phases.values()]
