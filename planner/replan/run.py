"""replan(…): judge the old plan, solve with the price of changing it, solve anew without: everything but the files."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from planner.changes import PreviousPlan
from planner.errors import InterruptedBeforePlanError
from planner.pipeline import Guard, never_interrupted, result_of, run
from planner.progress import ProgressReport, Silent
from planner.replan.align import along_before
from planner.replan.costs import Cost, Worth, keeping_costs
from planner.replan.frontier import FrontierPoint, frontier
from planner.replan.standing_plan import Judged, judge_before
from planner.replan.transform import ReplanConfig
from planner.replan.why import Blame
from planner.run_result import RunResult

PLAN_BEFORE = "the plan before"

NoFresh = Literal["not_asked", "interrupted", "no_plan"]
"""Why there is no plan made anew: it was not asked for, Ctrl-C came first, or none was found in time."""


@dataclass(frozen=True)
class Replanned:
    """A replan and what it is compared with.

    Attributes
    ----------
    asked : ReplanConfig
    judged : Judged
        The plan before under the new conditions.
    replan : RunResult
        With few changes; without a plan where none is possible, or none was found.
    fresh : RunResult or None
        Planned anew under the same conditions.
    no_fresh : NoFresh or None
        Why `fresh` is None.
    cost : Cost or None
        What sticking to the plan costs; None without `fresh`.
    frontier : tuple of FrontierPoint
        Plans at other prices; empty unless asked for.
    blame : tuple of Blame
        Which event makes it impossible; empty unless asked for.
    """

    asked: ReplanConfig
    judged: Judged
    replan: RunResult
    fresh: RunResult | None = None
    no_fresh: NoFresh | None = "not_asked"
    cost: Cost | None = None
    frontier: tuple[FrontierPoint, ...] = ()
    blame: tuple[Blame, ...] = ()


@dataclass(frozen=True)
class Wishes:
    """What is wanted besides the replan.

    Attributes
    ----------
    fresh : bool
        Plan anew as well.
    factors : tuple of float
        Factors on the price of changes for the frontier.
    blame : callable or None
        Finds the events that make it impossible; None = not asked.
    """

    fresh: bool = True
    factors: tuple[float, ...] = ()
    blame: Callable[[RunResult], tuple[Blame, ...]] | None = None


def replan(
    asked: ReplanConfig,
    wishes: Wishes | None = None,
    progress: ProgressReport | None = None,
    guard: Guard = never_interrupted,
    input_hash: str | None = None,
) -> Replanned:
    """Plan again with few changes, and anew to compare.

    Parameters
    ----------
    asked : ReplanConfig
    wishes : Wishes, optional
    progress : ProgressReport, optional
    guard : Guard
        Interrupts: the first one ends the solve that runs, and what would come after it is left out.
    input_hash : str, optional
        Of the land of the plan before.

    Raises
    ------
    ConfigError, DataError
        Before the solve.
    InterruptedBeforePlanError
        Interrupted before the first replan.
    """
    wishes, progress = wishes or Wishes(), progress or Silent()
    before = asked.before
    phase_of = {i: b.phase for b in before.blocks for i in b.parcels}
    previous = PreviousPlan(phase_of, PLAN_BEFORE, input_hash)
    result = run(asked.config, progress, guard, previous)
    if result.plan is not None:
        plan = along_before(result.prepared.problem, result.plan)
        result = result if plan is result.plan else result_of(result.prepared, plan, previous)
    progress.stage("judge")
    judged = judge_before(result.prepared, before)
    progress.done("the plan before still holds" if judged.passed else f"{len(judged.broken)} rules broken")
    if result.plan is None:
        blame = () if wishes.blame is None else wishes.blame(result)
        return Replanned(asked, judged, result, no_fresh="not_asked", blame=blame)
    fresh, why = _fresh(asked, progress, guard, previous) if wishes.fresh else (None, "not_asked")
    points = frontier(result, wishes.factors, progress, guard) if wishes.factors else ()
    cost = None if fresh is None else keeping_costs(Worth.of(result), Worth.of(fresh))
    return Replanned(asked, judged, result, fresh, why, cost, points)


def _fresh(
    asked: ReplanConfig, progress: ProgressReport, guard: Guard, previous: PreviousPlan
) -> tuple[RunResult | None, NoFresh | None]:
    with guard() as interrupted:
        stopped = interrupted()
    if stopped:
        return None, "interrupted"
    try:
        result = run(asked.fresh, progress, guard, previous)
    except InterruptedBeforePlanError:
        return None, "interrupted"
    return (None, "no_plan") if result.plan is None else (result, None)
