"""run(config) → result: the one module that joins the stages. Files are written by `planner.output`."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field
from functools import partial
from importlib.metadata import version
from typing import Any

import pandas as pd

from geodata.repair import RepairResult, repair_table
from geodata.units import M2_PER_MU
from planner.area_ledger import area_ledger
from planner.assemble import Assembly, assemble
from planner.changes import PreviousPlan, compare
from planner.config import Config
from planner.config_file import config_hash
from planner.consequences.holdouts import holdout_table
from planner.consequences.told import Consequences, consequences
from planner.errors import InfeasibleError, NoPlanInTimeError, Shortfall
from planner.indicators import block_names, counts, parcel_table, phase_figures, plan_tables, with_changes
from planner.land import Land, prepare
from planner.land_fields import scoring_of
from planner.leftovers import leftover_figures, leftovers
from planner.mode_report import ModeReport, mode_report, mode_summary
from planner.optimise import Stop, solve
from planner.optimise.assign import assign
from planner.optimise.evaluate import block_value
from planner.optimise.presolve import reachable, usable_graph
from planner.optimise.running import TEAM
from planner.problem import Plan, Problem
from planner.progress import ProgressReport, Silent
from planner.quality import QualityRow, as_dicts, data_quality, in_order, quality_layer
from planner.rule_effects import require_eligible, rule_findings
from planner.scoring import Scores, score_parcels
from planner.tables import PlanTables

DISTRIBUTION = "land-consolidation-planner"
SUMMARY_FORMAT = "land-consolidation-summary"

ASSIGN_LIMIT_S = 60.0
"""Longest time for finding places for firms."""
ASSIGN_WORK = 10.0
"""The same as counted work, which comes first unless the machine is slow: the places can then be repeated."""

Guard = Callable[[], AbstractContextManager[Callable[[], bool]]]
"""Opens the time in which an interrupt ends the solve instead of the program; gives the question 'interrupted?'."""


def never_interrupted() -> AbstractContextManager[Callable[[], bool]]:
    """A guard for runs that nobody interrupts."""
    return nullcontext(lambda: False)


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
    """

    config: Config
    land: Land
    scores: Scores
    assembly: Assembly
    quality: list[QualityRow]
    seconds: dict[str, float] = field(default_factory=dict)

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
    """

    prepared: Prepared
    plan: Plan | None
    tables: PlanTables | None
    summary: dict[str, Any]
    error: InfeasibleError | NoPlanInTimeError | None = None
    modes: ModeReport | None = None


def prepare_run(config: Config, progress: ProgressReport | None = None) -> Prepared:
    """Read, repair, score and assemble; no solve.

    Raises
    ------
    ConfigError, DataError
        Whatever is wrong with configuration or data.
    """
    progress = progress or Silent()
    seconds: dict[str, float] = {}
    with _timed(seconds, "land"):
        land = prepare(config, progress)
    progress.stage("score")
    with _timed(seconds, "score"):
        scores = score_parcels(land.fields, scoring_of(config))
        assembly = assemble(scores, land.adjacency, config)
        require_eligible(scores, assembly.status, assembly.locked, config)
        quality = in_order([*data_quality(land, assembly.undecided), *rule_findings(scores, config)])
    status = assembly.status.value_counts()
    progress.done(", ".join(f"{int(status.get(s, 0))} {s}" for s in ("eligible", "ineligible", "excluded")))
    return Prepared(config, land, scores, assembly, quality, seconds)


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
        return RunResult(prepared, None, None, _failed_summary(prepared, error), error)
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
    summary = _summary(prepared, plan, tables, modes, told)
    phases = [p.id for p in prepared.config.optimise.phases]
    changed = compare(previous, tables.parcels, phases, prepared.land.input_hash)
    if changed is not None:
        tables, summary = with_changes(tables, changed), summary | {"changes": changed.summary}
    return RunResult(prepared, plan, tables, summary, modes=modes)


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


def _head(prepared: Prepared) -> dict[str, Any]:
    project = prepared.config.project
    return {
        "format": SUMMARY_FORMAT,
        "project": {
            "name": project.name,
            "synthetic": project.synthetic,
            "currency": project.currency,
            "note": project.note,
        },
        "version": version(DISTRIBUTION),
        "config_hash": config_hash(prepared.config),
        "input_hash": prepared.land.input_hash,
        "crs": prepared.land.parcels.crs.to_string(),
        "area_measured": "projected, in the metric CRS",
        "seed": prepared.config.solve.seed,
        "seconds": {name: round(value, 2) for name, value in prepared.seconds.items()},
        "data_quality": as_dicts(prepared.quality),
        "repair": _repair_figures(prepared.land.repaired),
    }


def _repair_figures(repaired: RepairResult) -> dict[str, Any]:
    """What the repair did to the land: area before and after, and what changed by issue."""
    table = repair_table(repaired)
    return {
        "before_mu": repaired.balance.before_m2 / M2_PER_MU,
        "after_mu": repaired.balance.after_m2 / M2_PER_MU,
        "unexplained_m2": repaired.balance.unexplained_m2,
        "changes": table.astype(object).where(table.notna(), None).to_dict(orient="records"),
    }


def _summary(
    prepared: Prepared, plan: Plan, tables: PlanTables, modes: ModeReport | None, told: Consequences | None
) -> dict[str, Any]:
    config, parcels = prepared.config, tables.parcels
    blocks = tables.blocks.drop(columns="geometry")
    zones = sorted({z for p in config.optimise.phases for z in p.zones} | set(tables.zones["zone"].tolist()))
    return _head(prepared) | {
        "status": plan.status,
        "stopped_by": plan.stopped_by,
        "interrupted": plan.stopped_by == "interrupt",
        "repeatable": plan.repeatable,
        "objective": plan.objective,
        "bound": plan.bound,
        "gap": plan.gap,
        "gap_abs": plan.gap_abs,
        "bound_proof": plan.bound_proof,
        "rounds": plan.rounds,
        "phases": phase_figures(config, parcels),
        "zones": {name: {"phases": phase_figures(config, parcels, name)} for name in zones},
        "counts": counts(tables, prepared.land.adjacency),
        "land": _land_figures(prepared),
        "holdouts": None if told is None else told.holdout_figures(),
        "forced": None if told is None else told.forced_figures(),
        "leftovers": leftover_figures(tables.leftovers),
        "area_ledger": area_ledger(parcels, config.areas.certificate),
        "blocks": blocks.astype(object).where(blocks.notna(), None).to_dict(orient="records"),
        "trace": [vars(p).copy() for p in plan.trace],
        **({} if modes is None else mode_summary(modes, config)),
    }


def _land_figures(prepared: Prepared) -> dict[str, float]:
    """How tight the plan is: land that could be taken at all against the last target that counts net land."""
    problem = prepared.problem
    usable = reachable(problem, usable_graph(problem)).any(axis=1)
    targets = [t.floor for t in problem.targets if t.zone < 0 and t.group < 0 and t.measure == "mu"]
    top = max(targets, default=0.0)
    available = float(problem.area_mu[usable].sum())
    return {
        "total_mu": float(problem.area_mu.sum()),
        "available_mu": available,
        "last_target_mu": top,
        "last_target_share_of_available": top / available if available else 0.0,
    }


def _failed_summary(prepared: Prepared, error: InfeasibleError | NoPlanInTimeError) -> dict[str, Any]:
    return _head(prepared) | {
        "status": "infeasible" if isinstance(error, InfeasibleError) else "no_plan",
        "interrupted": False,
        "objective": None,
        "bound": None,
        "gap": None,
        "message": str(error),
        "shortfalls": [_shortfall(s) for s in error.shortfalls],
        "land": _land_figures(prepared),
    }


def _shortfall(row: Shortfall) -> dict[str, Any]:
    return vars(row).copy()
