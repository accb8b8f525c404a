"""What a run has before the solve, and what it found."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from planner.assemble import Assembly
from planner.config import Config
from planner.demand.judge import Judged
from planner.demand.report import DemandReport
from planner.equity import EquityReport
from planner.errors import InfeasibleError, NoPlanInTimeError
from planner.land import Land
from planner.mode_report import ModeReport
from planner.problem import Plan, Problem
from planner.quality import QualityRow
from planner.scoring import Scores
from planner.tables import PlanTables


@dataclass(frozen=True)
class Prepared:
    """Everything before the solve.

    Attributes
    ----------
    config : Config
    land : Land
    scores : Scores
    assembly : Assembly
    quality : list of QualityRow
    seconds : dict of str to float
        Per stage.
    judged : Judged or None
        Projects that look for land, judged; None without a section `demand`.
    """

    config: Config
    land: Land
    scores: Scores
    assembly: Assembly
    quality: list[QualityRow]
    seconds: dict[str, float] = field(default_factory=dict)
    judged: Judged | None = None

    @property
    def problem(self) -> Problem:
        """The problem the optimiser gets."""
        return self.assembly.problem


@dataclass(frozen=True)
class RunResult:
    """What a run found; `tables` and `plan` are None where there is no plan.

    Attributes
    ----------
    prepared : Prepared
    plan : Plan or None
    tables : PlanTables or None
    summary : dict
        Content of ``summary.json`` without the check.
    error : Exception or None
        `InfeasibleError` or `NoPlanInTimeError`.
    modes : ModeReport or None
        Money, consent, milestones, new space; None without modes or a plan.
    demand : DemandReport or None
        Projects that look for land, matched to the blocks; None without a section `demand` or a plan.
    equity : EquityReport or None
        Villages before and after the plan; None without a section `equity` or a plan.
    """

    prepared: Prepared
    plan: Plan | None
    tables: PlanTables | None
    summary: dict[str, Any]
    error: InfeasibleError | NoPlanInTimeError | None = None
    modes: ModeReport | None = None
    demand: DemandReport | None = None
    equity: EquityReport | None = None
