"""Writes a run into its folder: whole or not at all, and never over a stranger's files."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from geodata.errors import Issue
from geodata.write import write_geojson_rfc7946, write_gpkg, write_json, write_text
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
from planner.config_file import resolved_yaml
from planner.errors import ConfigError, PlanRejectedError
from planner.indicators import cut_link_table
from planner.pipeline import SUMMARY_FORMAT, Prepared, RunResult
from planner.problem_json import problem_to_dict, solution_to_dict
from planner.quality import quality_layer
from planner.report.context import MapContext
from planner.report.exports import blocks_geojson, gpkg_layers, parcels_geojson
from planner.report.map import write_map
from planner.report.styles import gpkg_styles
from planner.report.summary import summary_markdown
from planner.report.tables import write_tables

FILES: Final = (
    "plan.geojson",
    "blocks.geojson",
    "plan.gpkg",
    "map.html",
    "summary.json",
    "summary.md",
    "problem.json",
    "solution.json",
    "config.resolved.yaml",
    "tables",
    "alternatives",
    "holdouts",
    "rejected",
)
"""Everything a run may leave in its folder."""


def is_ours(folder: Path) -> bool:
    """Whether a folder holds an earlier run of this program."""
    try:
        summary = json.loads((folder / "summary.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return isinstance(summary, dict) and summary.get("format") == SUMMARY_FORMAT


def require_free(folder: Path, force: bool) -> None:
    """Raise `ConfigError` when `folder` cannot be the output of a run: better told before the solve than after it.

    It must be a folder that is new, empty or an earlier run, or with `force` any folder; and it must be writable.
    With `force` the files of others stay; only files of the names of a run are replaced.
    """
    if folder.exists() and not folder.is_dir():
        raise ConfigError(Issue(f"--out {folder}", "a file", "a folder", "Name another folder."))
    if folder.is_dir() and any(folder.iterdir()) and not is_ours(folder) and not force:
        raise ConfigError(
            Issue(
                f"--out {folder}",
                "a folder with files that are no earlier run",
                "a new or empty folder, or that of an earlier run",
                "Name another folder, or add --force: files with the names of a run are then replaced, others stay.",
            )
        )
    above = next(p for p in folder.absolute().parents if p.exists())
    if not above.is_dir() or not os.access(above, os.W_OK) or (folder.is_dir() and not os.access(folder, os.W_OK)):
        found = f"no right to write into {above}" if above.is_dir() else f"{above}, which is a file"
        raise ConfigError(Issue(f"--out {folder}", found, "a folder that can be written", "Name another folder."))


@contextmanager
def staged(folder: Path) -> Iterator[Path]:
    """A new folder beside `folder` to write to; its files are moved there when the block ends without an error.

    Whole or not at all: on any error, an interrupt included, `folder` is left as it was. Files of an earlier run go,
    files that no run writes stay untouched. `folder` itself stays the same one (it may be a link, a mount, or the
    place where a shell stands).
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    beside = Path(tempfile.mkdtemp(prefix=f".{folder.resolve().name}-", dir=folder.resolve().parent))
    try:
        new = beside / "new"
        new.mkdir()
        yield new
        if folder.exists():
            _swap(new, folder, beside / "old")
        else:
            new.rename(folder)
    finally:
        shutil.rmtree(beside)


def _swap(new: Path, folder: Path, old: Path) -> None:
    """Replace the files of a run in `folder` by those in `new`, or put everything back."""
    old.mkdir()
    moved: list[tuple[Path, Path]] = []

    def move(source: Path, target: Path) -> None:
        moved.append((source, target))
        shutil.move(source, target)

    try:
        for name in FILES:
            if (folder / name).exists():
                move(folder / name, old / name)
        for item in sorted(new.iterdir()):
            move(item, folder / item.name)
    except BaseException:
        for source, target in reversed(moved):
            if not source.exists():
                shutil.move(target, source)
        raise


def write_run(result: RunResult, folder: Path) -> CheckReport | None:
    """Write all files of a run.

    A plan is first written as GeoPackage and configuration, read back and judged; only a plan that passes is written
    as one.

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
    with staged(folder) as new:
        write_text(resolved_yaml(result.prepared.config, folder), new / "config.resolved.yaml")
        write_json(problem_to_dict(result.prepared.problem), new / "problem.json")
        if result.tables is not None:
            phases = MapContext.from_summary(summary).phases
            write_gpkg(gpkg_layers(result.tables), new / "plan.gpkg", gpkg_styles(result.tables, phases))
            written, written_config, _ = read_plan(new)
            report = check_plan(written, written_config, claims_of(summary))
            assert result.plan is not None
            problem = result.prepared.problem
            solution = solution_to_dict(problem, result.plan)
            report = joined(report, check_solution(problem_to_dict(problem), solution))
            summary = summary | {"check": report_as_dict(report)}
            if report.passed:
                _write_plan(result, summary, new)
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


def _write_plan(result: RunResult, summary: dict[str, Any], folder: Path) -> None:
    assert result.tables is not None
    write_geojson_rfc7946(parcels_geojson(result.tables), folder / "plan.geojson")
    write_geojson_rfc7946(blocks_geojson(result.tables), folder / "blocks.geojson")
    if result.modes is not None:
        write_tables(result.modes.tables(), folder / "tables")
    title = result.prepared.config.report.title
    shown = ("mode",) if "mode" in result.tables.parcels else ()
    write_map(result.tables, MapContext.from_summary(summary, title, shown), folder / "map.html")
