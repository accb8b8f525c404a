"""Everything a replan has to tell, as the dictionary of ``replan.json``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from planner.config import Config
from planner.contents import PlanContents
from planner.replan.before import FormerPlan
from planner.replan.changes_file import Changes
from planner.replan.costs import Worth
from planner.replan.diff import Diff, difference
from planner.replan.prices import SHARE
from planner.replan.run import Replanned
from planner.replan.spec import ChangesSpec
from planner.run_result import RunResult

REPLAN_FORMAT: Final = "land-consolidation-replan"


def story(
    done: Replanned,
    before: PlanContents,
    changes: Changes | None,
    replanned: PlanContents | None,
    fresh: PlanContents | None,
) -> dict[str, Any]:
    """All figures of a replan.

    Parameters
    ----------
    done : Replanned
    before : PlanContents
        The plan before.
    changes : Changes or None
    replanned, fresh : PlanContents or None
        As written, with the codes of their projects.
    """
    spec = ChangesSpec() if changes is None else changes.spec
    asked, config = done.asked, done.asked.config
    keep = config.optimise.keep
    assert keep is not None
    return {
        "format": REPLAN_FORMAT,
        "title": spec.title,
        "date": None if spec.date is None else spec.date.isoformat(),
        "project": config.project.name,
        "synthetic": config.project.synthetic,
        "currency": config.project.currency,
        "language": config.report.language,
        "with_modes": config.modes is not None,
        "mode_names": _mode_names(config),
        "events": [e.as_dict() for e in asked.events],
        "prices": {
            "price_per_mu": keep.price_per_mu,
            "price_per_parcel": keep.price_per_parcel,
            "given": asked.prices.given,
            "share_of_value": None if asked.prices.given else SHARE,
            "value_per_mu": config.optimise.weights.value_per_mu,
        },
        "before": _before(before, asked.before),
        "judged": done.judged.as_dict(),
        "replan": None if replanned is None else _plan(done.replan, asked.before, replanned),
        "fresh": None if done.fresh is None or fresh is None else _plan(done.fresh, asked.before, fresh),
        "no_fresh": done.no_fresh,
        "cost": None if done.cost is None else done.cost.as_dict(),
        "frontier": [p.as_dict() for p in done.frontier],
        "failed": _failed(done.replan),
        "blame": [b.as_dict() for b in done.blame],
    }


def _mode_names(config: Config) -> dict[str, str]:
    """Mode → its name in the language of the report."""
    choices = () if config.modes is None else config.modes.choices
    return {m.id: m.name_zh if config.report.language == "zh" else m.name_en for m in choices}


def _before(contents: PlanContents, plan: FormerPlan) -> dict[str, Any]:
    summary = contents.summary
    paid = float((summary.get("keep") or {}).get("change_price", 0.0))
    return {
        "worth": summary["objective"] + paid,
        "bound": summary["bound"],
        "gap": summary["gap"],
        "blocks": len(plan.blocks),
        "parcels": len(plan.block_of),
        "area_mu": plan.mu(plan.block_of),
        "phases": _phases(summary),
        "config_hash": summary["config_hash"],
        "input_hash": summary["input_hash"],
    }


def _plan(result: RunResult, before: FormerPlan, contents: PlanContents) -> dict[str, Any]:
    after = FormerPlan.of(contents)
    diff: Diff = difference(before, after)
    return {
        **Worth.of(result).as_dict(),
        "blocks": len(after.blocks),
        "parcels": len(after.block_of),
        "area_mu": after.mu(after.block_of),
        "phases": _phases(contents.summary),
        "config_hash": contents.summary["config_hash"],
        "diff": diff.as_dict(),
    }


def _phases(summary: Mapping[str, Any]) -> list[dict[str, Any]]:
    keys = ("id", "year", "target_mu", "cumulative_mu", "cumulative_cost")
    return [{k: p[k] for k in keys if k in p} for p in summary["phases"]]


def _failed(result: RunResult) -> dict[str, Any] | None:
    if result.error is None:
        return None
    return {k: result.summary[k] for k in ("status", "message", "shortfalls")}
