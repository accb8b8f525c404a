"""The data dictionary names exactly the columns and keys that a run writes, in their order."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyogrio
import pytest

from geodata.repair import LOG_COLUMNS
from planner.codes import CODE_COLUMN
from planner.consequences.kept import keep_figures
from planner.output import FILES
from planner.problem import Block
from planner.tables import BLOCK_COLUMNS, LINK_COLUMNS, PARCEL_COLUMNS
from tests.docs.conftest import SmallRun
from tests.docs.pages import bare, table_under, tables, text_of
from tests.planner.optimise.instances import grid_problem

PAGE = text_of("data-dictionary.md")


def _listed(heading: str, column: str = "column") -> list[str]:
    (first, *_) = [t for t in tables(PAGE) if t.headings and t.headings[-1] == heading]
    return bare(first.column(column))


def _gpkg_columns(run: SmallRun, layer: str) -> list[str]:
    return [str(name) for name in pyogrio.read_info(run.folder / "plan.gpkg", layer=layer)["fields"]]


def test_columns_are_the_constants_of_the_code() -> None:
    assert _listed("`plan.geojson`") == list(PARCEL_COLUMNS)
    assert _listed("`blocks.geojson`") == [*BLOCK_COLUMNS, CODE_COLUMN]
    assert _listed("`links`") == [*LINK_COLUMNS, "used"]
    assert _listed("`repair_log`") == [name for name in LOG_COLUMNS if name != "geometry"]


@pytest.mark.parametrize("name", ["plan", "blocks"])
def test_geojson_has_the_columns_listed(small_run: SmallRun, name: str) -> None:
    written = json.loads((small_run.folder / f"{name}.geojson").read_text(encoding="utf-8"))
    assert list(written["features"][0]["properties"]) == _listed(f"`{name}.geojson`")


@pytest.mark.parametrize("layer", ["zones", "links", "barriers", "holdouts", "leftovers", "repair_log"])
def test_layers_have_the_columns_listed(small_run: SmallRun, layer: str) -> None:
    assert _gpkg_columns(small_run, layer) == _listed(f"`{layer}`")


def test_the_layers_are_those_listed(small_run: SmallRun) -> None:
    named = {t.headings[-1].strip("`") for t in tables(PAGE) if t.headings[1:2] == ("`plan.gpkg`",)}
    written = set(pyogrio.list_layers(small_run.folder / "plan.gpkg")[:, 0].tolist())
    assert written == named | {"blocks", "layer_styles"}
    assert _gpkg_columns(small_run, "blocks") == _listed("`blocks.geojson`")


def test_parcels_have_the_columns_listed_and_then_the_fields(small_run: SmallRun) -> None:
    listed = [*_listed("`plan.geojson`"), *_listed("`parcels`")]
    assert _gpkg_columns(small_run, "parcels") == [*listed, "land_use", "tax_wan_yuan_per_mu", "area_m2"]


OF_A_REPLAN = ("replan.json", "replan.md", "compare.html", "fresh")


def test_the_files_are_those_a_run_may_leave(small_run: SmallRun) -> None:
    cells = [cell.replace("`", "") for cell in tables(PAGE)[0].column("file")]
    assert {name for cell in cells for name in cell.split(", ")} == set(FILES)
    written = {path.name for path in small_run.folder.iterdir()}
    assert written == set(FILES) - {"tables", "rejected", "alternatives", "holdouts", "price.json", *OF_A_REPLAN}


@pytest.mark.parametrize("part", ["counts", "land", "check"])
def test_parts_of_the_summary_have_the_keys_listed(small_run: SmallRun, part: str) -> None:
    assert list(small_run.summary[part]) == _listed(f"`{part}`", "key")


@pytest.mark.parametrize(
    ("part", "heading"),
    [
        ("holdouts", "Hold-outs in figures"),
        ("forced", "Losses when forced in figures"),
        ("leftovers", "Orphan gaps in figures"),
    ],
)
def test_figures_of_layers_have_the_keys_listed(small_run: SmallRun, part: str, heading: str) -> None:
    assert list(small_run.summary[part]) == _listed(heading, "key")


def test_figures_of_the_plan_before_have_the_keys_listed() -> None:
    problem = grid_problem(2, 1, before=(Block((0,), 0),), change_price=np.ones(2))
    figures = keep_figures(problem, (Block((1,), 0),))
    assert figures is not None
    rows = table_under(PAGE, "The plan before, in figures").column("key")
    assert set(figures) == {name for cell in rows for name in bare(cell.split(", "))}


@pytest.mark.parametrize("part", ["phases", "area_ledger", "data_quality", "trace"])
def test_lists_of_the_summary_have_the_keys_listed(small_run: SmallRun, part: str) -> None:
    for entry in small_run.summary[part]:
        assert list(entry) == _listed(f"`{part}[]`", "key")


def test_the_summary_of_a_plan_has_the_keys_listed(small_run: SmallRun) -> None:
    assert list(small_run.summary) == _listed("With a plan", "key")
    assert list(small_run.summary["blocks"][0]) == [*BLOCK_COLUMNS, CODE_COLUMN]
    meanings = next(t for t in tables(PAGE) if t.headings[-1] == "With a plan")
    (seconds,) = [row[2] for row in meanings.rows if row[0] == "`seconds`"]
    assert [name for name in small_run.summary["seconds"] if f"`{name}`" not in seconds] == []
    for zone in small_run.summary["zones"].values():
        assert list(zone["phases"][0]) == _listed("`phases[]`", "key")


def test_the_summary_without_a_plan_has_the_keys_listed(
    world: Path, planner: Callable[[list[str]], tuple[int, str]]
) -> None:
    code, output = planner(["run", "config.yaml", "--quiet", "--set", "optimise.phases.1.target_mu=200"])
    assert code == 4, output
    summary = json.loads((world / "out" / "summary.json").read_text(encoding="utf-8"))
    assert list(summary) == _listed("Without a plan", "key")
    assert list(summary["shortfalls"][0]) == _listed("`shortfalls[]`", "key")
    assert {path.name for path in (world / "out").iterdir()} == {
        cell.replace("`", "") for row in tables(PAGE)[0].rows if "4" in row[2] for cell in row[0].split(", ")
    }
