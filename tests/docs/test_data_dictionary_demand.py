"""The data dictionary names exactly the columns and keys of the tables about demand."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from planner.contents import BESIDE_MODES
from planner.demand.report import DEMAND_COLUMNS
from planner.demand.years import YEAR_COLUMNS
from tests.docs.pages import bare, table_under, text_of
from tests.planner.land_builders import case, planner

PAGE = text_of("data-dictionary.md")
TABLES = ("demand", "demand_tests", "demand_blocks", "demand_by_year")


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("demand-page")
    projects = [{"id": "A", "site_mu": 20.0, "investment_yuan": 1e6}]
    tests = [{"name": "money", "when": "investment_yuan > 5"}]
    config = case(folder, {"demand": {"projects": projects, "thresholds": tests}})
    result = planner("run", config, "--out", folder / "out", "--quiet", catch=False)
    assert result.exit_code == 0, result.output
    return folder / "out"


def _listed(heading: str, column: str = "column") -> list[str]:
    return [n for cell in table_under(PAGE, heading).column(column) for n in bare(cell.split(", "))]


def test_columns_are_the_constants_of_the_code() -> None:
    assert _listed("`demand.csv`") == list(DEMAND_COLUMNS)
    assert _listed("`demand_by_year.csv`") == list(YEAR_COLUMNS)


@pytest.mark.parametrize("name", TABLES)
def test_tables_have_the_columns_listed(run: Path, name: str) -> None:
    with (run / "tables" / f"{name}.csv").open(encoding="utf-8-sig", newline="") as file:
        assert next(csv.reader(file)) == _listed(f"`{name}.csv`")


def test_the_tables_are_those_told(run: Path) -> None:
    assert {p.stem for p in (run / "tables").iterdir()} == set(TABLES)
    assert set(TABLES) < set(BESIDE_MODES)


def test_the_summary_has_the_keys_listed(run: Path) -> None:
    summary = json.loads((run / "summary.json").read_text(encoding="utf-8"))
    assert list(summary["demand"]) == _listed("`demand` in `summary.json`", "key")
