"""Writes a run into its folder: whole or not at all, and never over a stranger's files."""

from __future__ import annotations

import logging
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Final

import pandas as pd

from geodata.errors import DataError
from geodata.write import write_geojson_rfc7946, write_gpkg, write_json, write_text
from planner import staging
from planner.check import (
    CheckReport,
    check_plan,
    check_solution,
    claims_of,
    joined,
    read_plan,
    report_as_dict,
    report_as_markdown,
)
from planner.codes import CODE_COLUMN, Ledger, project_codes
from planner.config_file import resolved_yaml
from planner.contents import GPKG, PlanContents
from planner.demand.report import with_codes
from planner.errors import PlanRejectedError
from planner.indicators import cut_link_table
from planner.problem_json import problem_to_dict, solution_to_dict
from planner.quality import quality_layer
from planner.report.exports import blocks_geojson, parcels_geojson
from planner.report.gis import qgis_project, write_geopackage
from planner.report.map import write_map
from planner.report.summary import summary_markdown
from planner.report.workbook import write_workbook
from planner.run_result import Prepared, RunResult
from planner.run_summary import SUMMARY_FORMAT
from planner.staging import Kind
from planner.table_files import write_tables

_LOG = logging.getLogger(__name__)

FILES: Final = (
    "plan.geojson",
    "blocks.geojson",
    "plan.gpkg",
    "plan.qgz",
    "plan.xlsx",
    "map.html",
    "summary.json",
    "summary.md",
    "problem.json",
    "solution.json",
    "config.resolved.yaml",
    "tables",
    "alternatives",
    "holdouts",
    "price.json",
    "replan.json",
    "replan.md",
    "compare.html",
    "fresh",
    "rejected",
)
"""Everything a run may leave in its folder."""


RUN: Final = Kind(
    "earlier run",
    "summary.json",
    SUMMARY_FORMAT,
    FILES,
    kept={"plan.xlsx": "plan.previous.xlsx", "plan.gpkg": "plan.previous.gpkg"},
)
"""The folder of a run; people fill in the workbook and edit locks in the GeoPackage."""


def require_free(folder: Path, force: bool) -> None:
    """Raise `ConfigError` when `folder` cannot be the output of a run; see `planner.staging.require_free`."""
    staging.require_free(folder, force, RUN)


def write_run(result: RunResult, folder: Path, *, day: date, ledger: Ledger | None = None) -> CheckReport | None:
    """Write all files of a run.

    A plan is first written as GeoPackage and configuration, read back and judged; only a plan that passes is written
    as one.

    Parameters
    ----------
    result : RunResult
    folder : pathlib.Path
    day : datetime.date
        The day of writing, for the workbook and the year of new project codes.
    ledger : Ledger, optional
        Workbook of an earlier run: project codes and hand-filled cells are kept.

    Returns
    -------
    CheckReport or None
        None where there is no plan.

    Raises
    ------
    PlanRejectedError
        The plan failed its check; it stands under ``rejected/`` with the findings.
    """
    summary = result.summary
    report: CheckReport | None = None
    with staging.staged(folder, RUN) as new:
        write_text(resolved_yaml(result.prepared.config, folder), new / "config.resolved.yaml")
        write_json(problem_to_dict(result.prepared.problem), new / "problem.json")
        contents = _contents(result, day, ledger)
        if contents is not None:
            summary = dict(contents.summary)
            write_geopackage(contents, new / GPKG)
            written, written_config, _ = read_plan(new)
            report = check_plan(written, written_config, claims_of(summary))
            assert result.plan is not None
            problem = result.prepared.problem
            solution = solution_to_dict(problem, result.plan)
            report = joined(report, check_solution(problem_to_dict(problem), solution))
            summary = summary | {"check": report_as_dict(report)}
            if report.passed:
                _write_plan(replace(contents, summary=summary), new, day, ledger)
                write_json(solution, new / "solution.json")
            else:
                summary |= {"status": "rejected"}
                rejected = new / "rejected"
                rejected.mkdir()
                (new / "plan.gpkg").rename(rejected / "plan.gpkg")
                write_text(report_as_markdown(report), rejected / "check.md")
        write_json(summary, new / "summary.json")
        write_text(summary_markdown(summary), new / "summary.md")
    if report is not None and not report.passed:
        errors = [f for f in report.findings if f.severity == "error"]
        raise PlanRejectedError(
            f"The plan failed its independent check ({len(errors)} errors) and was not written as a plan; see "
            f"{folder / 'rejected' / 'check.md'}. First: {errors[0].message}"
        )
    return report


def _write_map(contents: PlanContents, path: Path) -> None:
    """Write the map; the picture under it is decoration, for which no plan is lost."""
    try:
        write_map(contents, path)
    except DataError as error:
        _LOG.warning("map.html is without its base map: %s", error)
        report = contents.config.report.model_copy(update={"base_map": None})
        write_map(replace(contents, config=contents.config.model_copy(update={"report": report})), path)


def write_quality(prepared: Prepared, path: Path) -> None:
    """Write what was found about the data as a GeoPackage: findings, repairs, pairs that are no neighbours."""
    parcels = prepared.land.parcels
    layers = {
        "data_quality": quality_layer(prepared.quality, parcels),
        "repair_log": prepared.land.repaired.log,
        "cut_links": cut_link_table(prepared.land.adjacency, parcels),
        "overlaps": prepared.land.joined.overlaps,
        "between": prepared.land.areas.between,
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    write_gpkg(layers, path, {})


def _contents(result: RunResult, day: date, ledger: Ledger | None) -> PlanContents | None:
    """The plan for reports, its blocks with their permanent codes; None where there is no plan."""
    if result.tables is None:
        return None
    config, tables, summary = result.prepared.config, result.tables, result.summary
    codes = project_codes(tables.parcels, config, ledger, year=day.year)
    blocks = tables.blocks.copy()
    blocks.insert(blocks.columns.get_loc("geometry"), CODE_COLUMN, [codes[b] for b in blocks["block_id"]])
    listed = [row | {CODE_COLUMN: codes[row["block_id"]]} for row in summary["blocks"]]
    summary = summary | {"blocks": listed}
    modes = {} if result.modes is None else result.modes.tables()
    beside: dict[str, pd.DataFrame] = {}
    if result.demand is not None:
        demand = with_codes(result.demand, {str(b): str(codes[b]) for b in blocks["block_id"]})
        beside |= demand.tables()
        summary = summary | {"demand": demand.summary}
    if result.equity is not None:
        beside["equity"] = result.equity.table
    return PlanContents(config, replace(tables, blocks=blocks), summary, modes, beside=beside)


def _write_plan(contents: PlanContents, folder: Path, day: date, ledger: Ledger | None) -> None:
    write_geojson_rfc7946(parcels_geojson(contents.tables), folder / "plan.geojson")
    write_geojson_rfc7946(blocks_geojson(contents.tables), folder / "blocks.geojson")
    if contents.modes or contents.beside:
        write_tables({**contents.modes, **contents.beside}, folder / "tables")
    _write_map(contents, folder / "map.html")
    (folder / "plan.qgz").write_bytes(qgis_project(contents, GPKG))
    write_workbook(contents, folder / "plan.xlsx", day=contents.day(day), ledger=ledger)
