"""Writes a replan into its folder: a run's files, the report, the plan made anew and the comparison; or nothing."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any, Final

from geodata.write import write_json, write_text
from planner import staging
from planner.codes import Ledger
from planner.config_file import resolved_yaml
from planner.contents import CONFIG, PlanContents, read_contents
from planner.errors import PlanRejectedError
from planner.labels import Labels
from planner.output import FILES, RUN, write_run
from planner.replan.changes_file import Changes
from planner.replan.run import Replanned
from planner.replan.story import story
from planner.report.compare import write_comparison
from planner.report.replan import replan_markdown
from planner.run_result import RunResult
from planner.run_summary import SUMMARY_FORMAT
from planner.staging import Kind

REPORT: Final = "replan.md"
FIGURES: Final = "replan.json"
FRESH: Final = "fresh"
COMPARISON: Final = "compare.html"

REPLAN: Final = Kind(
    RUN.what,
    RUN.marker,
    SUMMARY_FORMAT,
    tuple(dict.fromkeys((*FILES, REPORT, FIGURES, FRESH, COMPARISON))),
    kept=RUN.kept,
)
"""The folder of a replan is one of a run that holds more."""


def write_replan(
    done: Replanned,
    before: PlanContents,
    changes: Changes | None,
    folder: Path,
    *,
    day: date,
    ledger: Ledger | None = None,
) -> dict[str, Any]:
    """Write all files of a replan, whole or not at all; without a plan those that a run without a plan has.

    Parameters
    ----------
    done : Replanned
    before : PlanContents
        The plan before.
    changes : Changes or None
    folder : pathlib.Path
    day : datetime.date
        The day of writing.
    ledger : Ledger, optional
        Workbook of the plan before: project codes and hand-filled cells are kept.

    Returns
    -------
    dict
        Content of ``replan.json``.

    Raises
    ------
    PlanRejectedError
        The plan failed its check; it stands under ``rejected/`` with the findings.
    """
    with staging.staged(folder, REPLAN) as new:
        rejected = _write(done.replan, new, folder, day, ledger)
        replanned = _contents(done.replan, new) if rejected is None else None
        fresh = None
        if done.fresh is not None and rejected is None:
            # one set of codes for what both plans share; what people typed belongs to the replan alone
            known = None if ledger is None else ledger.without_cells()
            rejected = _write(done.fresh, new / FRESH, folder / FRESH, day, known)
            fresh = _contents(done.fresh, new / FRESH) if rejected is None else None
        told = story(done, before, changes, replanned, fresh)
        if rejected is None:
            write_json(told, new / FIGURES)
            write_text(replan_markdown(told), new / REPORT)
            _compare(before, replanned, fresh, new / COMPARISON)
    if rejected is not None:
        raise rejected
    return told


def _write(result: RunResult, new: Path, final: Path, day: date, ledger: Ledger | None) -> PlanRejectedError | None:
    """A run into `new`, with paths in its configuration as they are right for `final`."""
    try:
        write_run(result, new, day=day, ledger=ledger)
    except PlanRejectedError as error:
        return PlanRejectedError(str(error).replace(str(new), str(final)))
    finally:
        if new.is_dir():
            write_text(resolved_yaml(result.prepared.config, final), new / CONFIG)
    return None


def _contents(result: RunResult, new: Path) -> PlanContents | None:
    """As written; with the configuration at hand, as the written one holds paths for another place."""
    return None if result.plan is None else replace(read_contents(new), config=result.prepared.config)


def _compare(before: PlanContents, replanned: PlanContents | None, fresh: PlanContents | None, path: Path) -> None:
    if replanned is None:
        return
    language = replanned.config.report.language
    words = Labels.of(language, "replan")
    bound = None if fresh is None else float(fresh.summary["bound"])
    plans = [
        (words("replan_plan_before"), _by_its_land(before, None)),
        (words("replan_plan_replan"), _by_its_land(replanned, bound)),
    ]
    if fresh is not None:
        plans.append((words("replan_plan_fresh"), fresh))
    write_comparison(plans, path, language)


def _by_its_land(contents: PlanContents, bound: float | None) -> PlanContents:
    """A plan with the worth of its land, the price of changes aside, and a bound for that; None = unknown."""
    keep = contents.summary.get("keep")
    if keep is None:
        return contents
    worth = float(contents.summary["objective"]) + float(keep["change_price"])
    gap = None if bound is None or worth == 0 else max(0.0, bound - worth) / abs(worth)
    return replace(contents, summary={**contents.summary, "objective": worth, "bound": bound, "gap": gap})
