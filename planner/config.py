"""The configuration: one frozen model per stage, unknown keys refused.

`planner.config_file` reads it from YAML; `geodata.spec` holds the sections that describe the land data, the modules
``planner.spec_…`` those of the stages.
"""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import Field, model_validator

from geodata.spec import AdjacencySpec, BarrierSpec, ParcelsSpec, RepairSpec, Spec, TableSpec, ZonesSpec
from geodata.spec_land import AreasSpec, BuildingsSpec, FirmsSpec, OverlaySpec, RasterSpec
from planner.spec_demand import DemandSpec
from planner.spec_equity import EquitySpec
from planner.spec_modes import ModesSpec
from planner.spec_optimise import (
    BlockRuleSpec,
    BlockSpec,
    CostSpec,
    Counts,
    FillerSpec,
    FixedBlockSpec,
    GateSpec,
    GroupSpec,
    KeepSpec,
    LocksSpec,
    OptimiseSpec,
    PhaseSpec,
    SolveSpec,
    WeightsSpec,
    ZoneTargetSpec,
    phase_goals,
)
from planner.spec_report import ReportSpec
from planner.spec_scoring import (
    CriterionSpec,
    ExcludeSpec,
    Expression,
    MinMax,
    Normalise,
    Rank,
    RuleSpec,
    ScoringSpec,
    Threshold,
)

__all__ = [
    "BlockRuleSpec",
    "BlockSpec",
    "Config",
    "CostSpec",
    "Counts",
    "CriterionSpec",
    "DemandSpec",
    "EquitySpec",
    "ExcludeSpec",
    "Expression",
    "FillerSpec",
    "FixedBlockSpec",
    "GateSpec",
    "GroupSpec",
    "KeepSpec",
    "LocksSpec",
    "MinMax",
    "ModesSpec",
    "Normalise",
    "OptimiseSpec",
    "PhaseSpec",
    "ProjectSpec",
    "Rank",
    "ReportSpec",
    "RuleSpec",
    "ScoringSpec",
    "SolveSpec",
    "Threshold",
    "WeightsSpec",
    "ZoneTargetSpec",
    "counts_in_use",
    "phase_goals",
]


class ProjectSpec(Spec):
    """What the plan is called and in which currency it counts."""

    name: str = Field(min_length=1, description="Name of the project, on the map and in every summary.")
    synthetic: bool = Field(default=False, description="True where the land is generated; every output then says so.")
    currency: Annotated[str, Field(pattern=r"^[A-Z]{3}$")] = Field(
        default="CNY", description="The one currency of all money in the project, as an ISO 4217 code."
    )
    note: str | None = Field(default=None, description="Assumptions a reader of the plan must know; shown on the map.")


class Config(Spec):
    """Everything a run needs."""

    project: ProjectSpec
    parcels: ParcelsSpec
    tables: tuple[TableSpec, ...] = ()
    zones: ZonesSpec | None = None
    barriers: tuple[BarrierSpec, ...] = ()
    overlays: tuple[OverlaySpec, ...] = Field(
        default=(), description="Layers laid over the parcels: red lines, boundaries, protected things."
    )
    rasters: tuple[RasterSpec, ...] = Field(default=(), description="Rasters turned into one value per parcel.")
    buildings: BuildingsSpec | None = Field(default=None, description="Building footprints.")
    firms: FirmsSpec | None = Field(default=None, description="Firms, as points or as a table.")
    areas: AreasSpec = AreasSpec()
    modes: ModesSpec | None = Field(
        default=None, description="Ways to redevelop a block; absent = one, at `optimise.cost`."
    )
    repair: RepairSpec = RepairSpec()
    scoring: ScoringSpec
    adjacency: AdjacencySpec = AdjacencySpec()
    optimise: OptimiseSpec
    solve: SolveSpec = SolveSpec()
    demand: DemandSpec | None = Field(
        default=None, description="Projects and firms that look for land, matched to the blocks of the plan."
    )
    equity: EquitySpec | None = Field(
        default=None, description="Strong and weak villages, compared before and after; needs `optimise.village`."
    )
    report: ReportSpec = ReportSpec()

    @model_validator(mode="after")
    def _sections_agree(self) -> Self:
        generated = self.parcels.synthetic is not None
        if generated and not self.project.synthetic:
            raise ValueError("parcels are generated: set `project.synthetic: true`")
        uses = [b.name for b in self.barriers if b.synthetic] + [o.name for o in self.overlays if o.synthetic]
        uses += ["zones"] if self.zones and self.zones.synthetic else []
        if uses and not generated:
            raise ValueError(f"{', '.join(uses)}: `synthetic: true` needs generated parcels (`parcels.synthetic`)")
        if self.zones is None:
            named = sorted({z for p in self.optimise.phases for z in p.zones})
            if named:
                raise ValueError(f"targets name zones ({', '.join(named)}), but there is no `zones` section")
            if self.optimise.block.within_zone:
                raise ValueError("block.within_zone needs a `zones` section")
        if self.equity is not None and self.optimise.village is None:
            raise ValueError("`equity` needs `optimise.village`, the field that names a parcel's village")
        if self.modes is None:
            self._no_modes()
        else:
            self._modes_agree(self.modes)
        return self

    def _no_modes(self) -> None:
        """What only means something with modes."""
        spec = self.optimise
        goals = phase_goals(spec)
        if any(g.target_floor_m2 or g.milestone for g in goals) or any(p.begins is not None for p in spec.phases):
            raise ValueError("`target_floor_m2`, `milestone` and `begins` of phases need a `modes` section")
        if any(b.mode is not None for b in (*spec.locks.blocks, *(() if spec.keep is None else spec.keep.blocks))):
            raise ValueError("`mode` of a block in `locks.blocks` or `keep.blocks` needs a `modes` section")

    def _modes_agree(self, modes: ModesSpec) -> None:
        spec = self.optimise
        ids = {m.id for m in modes.choices}
        if spec.cost is not None:
            raise ValueError("with `modes` the cost comes from their payments: remove `optimise.cost`")
        for key, blocks in (("locks", spec.locks.blocks), ("keep", () if spec.keep is None else spec.keep.blocks)):
            for block in blocks:
                if block.mode not in ids:
                    raise ValueError(f"{key}.blocks {block.id!r}: `mode` must be one of {', '.join(sorted(ids))}")
        phases = {p.id for p in spec.phases}
        lost = sorted({name for limit in modes.limits for name in limit.outlay or {}} - phases)
        if lost:
            raise ValueError(f"modes.limits names phases that do not exist: {', '.join(lost)}")


def counts_in_use(config: Config) -> set[Counts]:
    """Areas that some target counts."""
    spec = config.optimise
    return {goal.counts or spec.counts for goal in phase_goals(spec)}
