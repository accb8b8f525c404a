"""Content of ``summary.json``: what a run found, in figures."""

from __future__ import annotations

from importlib.metadata import version
from typing import Any

from geodata.repair import RepairResult, repair_table
from geodata.units import M2_PER_MU
from planner.area_ledger import area_ledger
from planner.config_file import config_hash
from planner.consequences.kept import keep_figures
from planner.consequences.told import Consequences
from planner.errors import InfeasibleError, NoPlanInTimeError, Shortfall
from planner.indicators import counts, phase_figures
from planner.leftovers import leftover_figures
from planner.mode_report import ModeReport, mode_summary
from planner.optimise.presolve import reachable, usable_graph
from planner.problem import Plan
from planner.quality import as_dicts
from planner.run_result import Prepared
from planner.tables import PlanTables

DISTRIBUTION = "land-consolidation-planner"
SUMMARY_FORMAT = "land-consolidation-summary"


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


def plan_summary(
    prepared: Prepared, plan: Plan, tables: PlanTables, modes: ModeReport | None, told: Consequences | None
) -> dict[str, Any]:
    """Content of ``summary.json`` of a plan, without the check, demand and equity."""
    config, parcels = prepared.config, tables.parcels
    blocks = tables.blocks.drop(columns="geometry")
    zones = sorted({z for p in config.optimise.phases for z in p.zones} | set(tables.zones["zone"].tolist()))
    keep = keep_figures(prepared.problem, plan.blocks)
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
        **({} if keep is None else {"keep": keep}),
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


def failed_summary(prepared: Prepared, error: InfeasibleError | NoPlanInTimeError) -> dict[str, Any]:
    """Content of ``summary.json`` where there is no plan."""
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
