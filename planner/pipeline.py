"""run(config) → result: the one module that joins the stages. Files are written by `planner.output`."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import partial

import pandas as pd

from planner.assemble import assemble
from planner.before_findings import before_findings
from planner.changes import PreviousPlan, compare
from planner.config import Config
from planner.consequences.holdouts import holdout_table
from planner.consequences.told import Consequences, consequences
from planner.demand.judge import judge_demand
from planner.demand.report import DemandReport, demand_report
from planner.demand.requirements import require_demand
from planner.equity import EquityReport, equity_report, require_villages
from planner.errors import InfeasibleError, NoPlanInTimeError
from planner.indicators import block_names, parcel_table, plan_tables, with_changes
from planner.land import prepare
from planner.land_fields import scoring_of
from planner.leftovers import leftovers
from planner.mode_report import ModeReport, mode_report
from planner.optimise import Stop, solve
from planner.optimise.assign import assign
from planner.optimise.evaluate import block_value
from planner.optimise.match import match
from planner.optimise.presolve import reachable, usable_graph
from planner.optimise.running import TEAM
from planner.problem import Plan
from planner.progress import ProgressReport, Silent
from planner.quality import data_quality, in_order, quality_layer
from planner.rule_effects import require_eligible, rule_findings
from planner.run_result import Prepared, RunResult
from planner.run_summary import failed_summary, plan_summary
from planner.scoring import score_parcels
from planner.tables import PlanTables

ASSIGN_LIMIT_S = 60.0
"""Longest time for finding places for firms."""
ASSIGN_WORK = 10.0
"""The same as counted work, which comes first unless the machine is slow: the places can then be repeated."""

MATCH_LIMIT_S = 60.0
"""Longest time for matching projects to blocks."""
MATCH_WORK = 10.0
"""The same as counted work, for each aim of the match."""

Guard = Callable[[], AbstractContextManager[Callable[[], bool]]]
"""Opens the time in which an interrupt ends the solve instead of the program; gives the question 'interrupted?'."""


def never_interrupted() -> AbstractContextManager[Callable[[], bool]]:
    """A guard for runs that nobody interrupts."""
    return nullcontext(lambda: False)


def prepare_run(config: Config, progress: ProgressReport | None = None) -> Prepared:
    """Read, repair, score and assemble; no solve.

    Raises
    ------
    ConfigError, DataError
        Whatever is wrong with configuration or data.
    """
    progress = progress or Silent()
    seconds: dict[str, float] = {}
    judged = None if config.demand is None else judge_demand(config.demand)
    with _timed(seconds, "land"):
        land = prepare(config, progress)
    progress.stage("score")
    with _timed(seconds, "score"):
        scores = score_parcels(land.fields, scoring_of(config))
        assembly = assemble(scores, land.adjacency, config)
        require_eligible(scores, assembly.status, assembly.locked, config)
        if config.equity is not None:
            require_villages(config.equity, scores.fields[_village(config)])
        if config.demand is not None:
            require_demand(config, scores.fields.assign(score=scores.score), assembly.terms)
        further = (*rule_findings(scores, config), *before_findings(assembly.before))
        quality = in_order([*data_quality(land, assembly.undecided), *further])
    status = assembly.status.value_counts()
    progress.done(", ".join(f"{int(status.get(s, 0))} {s}" for s in ("eligible", "ineligible", "excluded")))
    return Prepared(config, land, scores, assembly, quality, seconds, judged)


def run(
    config: Config,
    progress: ProgressReport | None = None,
    guard: Guard = never_interrupted,
    previous: PreviousPlan | None = None,
) -> RunResult:
    """Prepare and solve.

    Parameters
    ----------
    config : Config
    progress : ProgressReport, optional
        Silent when absent.
    guard : Guard
        See `Guard`.
    previous : PreviousPlan, optional
        The plan before, with which the new one is compared.

    Returns
    -------
    RunResult
        With a plan, or with the reason why there is none.

    Raises
    ------
    ConfigError, DataError
        Before the solve.
    InterruptedBeforePlanError
        Interrupted before the first plan.
    """
    progress = progress or Silent()
    TEAM.ready(2)  # the solver's processes load while the land is read
    prepared = prepare_run(config, progress)
    limits = config.solve
    progress.stage("compile")
    with _timed(prepared.seconds, "compile"):
        TEAM.wait()
    progress.done("search code ready (compiled once per machine, then cached)")
    progress.stage("solve")
    started = time.monotonic()
    try:
        with guard() as interrupted:
            stop = Stop(limits.gap, limits.time_limit_s, limits.work_limit, interrupted)
            plan = solve(prepared.problem, stop, limits.seed, progress.solve)
    except (InfeasibleError, NoPlanInTimeError) as error:
        prepared.seconds["solve"] = time.monotonic() - started
        progress.done("no plan")
        return RunResult(prepared, None, None, failed_summary(prepared, error), error)
    prepared.seconds["solve"] = time.monotonic() - started
    gap = "undefined" if plan.gap is None else f"{plan.gap:.2%}"
    progress.done(f"{len(plan.blocks)} blocks, gap {gap} ({plan.stopped_by})")
    return result_of(prepared, plan, previous)


def result_of(prepared: Prepared, plan: Plan, previous: PreviousPlan | None = None) -> RunResult:
    """The result of a run for a plan, found or drawn by hand."""
    with _timed(prepared.seconds, "consequences"):
        eligible = (prepared.assembly.status == "eligible").to_numpy(dtype=bool)
        told = consequences(prepared.problem, plan.blocks, eligible)
    with _timed(prepared.seconds, "tables"):
        tables = _tables(prepared, plan, told)
        modes = _mode_report(prepared, plan)
        demand = _demand_report(prepared, plan)
        equity = _equity_report(prepared.config, tables, modes)
    summary = plan_summary(prepared, plan, tables, modes, told)
    if demand is not None:
        summary |= {"demand": demand.summary}
    if equity is not None:
        summary |= {"equity": equity.summary}
    phases = [p.id for p in prepared.config.optimise.phases]
    changed = compare(previous, tables.parcels, phases, prepared.land.input_hash)
    if changed is not None:
        tables, summary = with_changes(tables, changed), summary | {"changes": changed.summary}
    return RunResult(prepared, plan, tables, summary, modes=modes, demand=demand, equity=equity)


@contextmanager
def _timed(seconds: dict[str, float], name: str) -> Iterator[None]:
    started = time.monotonic()
    yield
    seconds[name] = time.monotonic() - started


def _tables(prepared: Prepared, plan: Plan, told: Consequences | None) -> PlanTables:
    problem, land = prepared.problem, prepared.land
    graph = usable_graph(problem)
    parcels = parcel_table(
        land.parcels,
        prepared.scores,
        prepared.assembly,
        plan.blocks,
        reachable(problem, graph),
        None if told is None else told.forced_loss,
        prepared.config.optimise.locks.notes,
    )
    zones = land.zones.polygons if land.zones is not None else land.barriers.iloc[:0].rename(columns={"name": "zone"})
    return plan_tables(
        config=prepared.config,
        repaired=land.repaired,
        parcels=parcels,
        zones=zones,
        barriers=land.barriers,
        adjacency=land.adjacency,
        problem=problem,
        blocks=plan.blocks,
        perimeters_m=[block_value(problem, graph, b.parcels).perimeter_m for b in plan.blocks],
        further={
            "between": land.areas.between,
            "overlays": land.joined.overlays,
            "overlaps": land.joined.overlaps,
            "data_quality": quality_layer(prepared.quality, land.parcels),
            "holdouts": holdout_table(parcels, told),
            "leftovers": leftovers(parcels, problem),
        },
    )


def _mode_report(prepared: Prepared, plan: Plan) -> ModeReport | None:
    terms, scores = prepared.assembly.terms, prepared.scores
    if terms is None:
        return None
    fields = scores.fields.assign(score=scores.score)
    inside = prepared.land.parcels.geometry.representative_point()
    points = pd.DataFrame({"x_m": inside.x, "y_m": inside.y}, index=prepared.land.parcels.index)
    names = block_names(prepared.problem, plan.blocks)
    placed = partial(assign, time_limit_s=ASSIGN_LIMIT_S, work=ASSIGN_WORK, seed=prepared.config.solve.seed)
    return mode_report(prepared.config, terms, fields, plan.blocks, names, placed, points)


def _demand_report(prepared: Prepared, plan: Plan) -> DemandReport | None:
    config, scores = prepared.config, prepared.scores
    if config.demand is None or prepared.judged is None:
        return None
    fields = scores.fields.assign(score=scores.score)
    names = block_names(prepared.problem, plan.blocks)
    find = partial(match, time_limit_s=MATCH_LIMIT_S, work=MATCH_WORK, seed=config.solve.seed)
    terms = prepared.assembly.terms
    return demand_report(config, config.demand, prepared.judged, fields, plan.blocks, names, terms, find)


def _equity_report(config: Config, tables: PlanTables, modes: ModeReport | None) -> EquityReport | None:
    if config.equity is None:
        return None
    phases = [p.id for p in config.optimise.phases]
    return equity_report(
        config.equity, tables.parcels, _village(config), phases, None if modes is None else modes.villages
    )


def _village(config: Config) -> str:
    """Field that names a parcel's village, where `equity` needs one."""
    assert config.optimise.village is not None
    return config.optimise.village
