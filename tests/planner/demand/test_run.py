"""Demand in a whole run: tables, summary, permanent codes, and mistakes told before the solve."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from planner.contents import read_contents
from planner.demand.report import DEMAND_COLUMNS
from planner.demand.years import YEAR_COLUMNS
from tests.planner.land_builders import case, planner

DEMAND: dict[str, Any] = {
    "synthetic": True,
    "projects": [
        {"id": "large", "site_mu": 35, "investment_yuan": 9e6, "output_yuan": 6e6, "tax_yuan": 1e6, "energy_tce": 50},
        {"id": "dirty", "site_mu": 20, "investment_yuan": 9e8, "tax_yuan": 9e9, "environment": "fail"},
        {"id": "huge", "site_mu": 5000, "investment_yuan": 9e6, "environment": "pass"},
        {"id": "inside", "site_mu": 0, "investment_yuan": 1e6},
    ],
    "veto": [{"name": "veto", "when": "environment == 'fail'", "unknown": "admit"}],
}


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("demand")
    config = case(folder, {"demand": DEMAND, "report": {"codes": {"prefix": "T", "year": 2026}}})
    result = planner("run", config, "--out", folder / "out", "--quiet", catch=False)
    assert result.exit_code == 0, result.output
    return folder / "out"


def test_a_row_for_each_project_with_the_code_of_its_block(run: Path) -> None:
    contents = read_contents(run)
    table = contents.beside["demand"].set_index("project_id")
    assert list(contents.beside["demand"].columns) == list(DEMAND_COLUMNS)
    assert table["status"].to_dict() == {
        "dirty": "barred",
        "huge": "no site",
        "inside": "in place",
        "large": "matched",
    }
    codes = contents.codes
    assert codes is not None and table.loc["large", "project_code"] == codes[table.loc["large", "block_id"]]
    assert bool(table["synthetic"].all()) and contents.modes == {}
    assert list(contents.beside["demand_by_year"].columns) == list(YEAR_COLUMNS)


def test_the_summary_says_what_the_tables_say(run: Path) -> None:
    summary = json.loads((run / "summary.json").read_text(encoding="utf-8"))
    part, table = summary["demand"], pd.read_csv(run / "tables" / "demand.csv", encoding="utf-8-sig")
    assert part["counts"] == {"matched": 1, "in place": 1, "barred": 1, "below threshold": 0, "not ranked": 0} | {
        "no site": 1
    }
    assert (part["worth"], part["bound"], part["gap"], part["status"]) == (9e6, 9e6, 0.0, "optimal")
    assert part["tax_yuan_per_tce"] == {"value": 20_000.0, "unknown_projects": 0}
    assert [r["project_code"] for r in part["rows"]] == [
        None,
        None,
        None,
        table.set_index("project_id").at["large", "project_code"],
    ]
    text = (run / "summary.md").read_text(encoding="utf-8")
    assert "**SYNTHETIC: the projects are invented.**" in text and "has 5,000 mu to let" in text


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"worth": "investment"}, "demand.worth"),
        ({"veto": [{"name": "v", "when": "tax_wan_yuan_per_mu > 1"}]}, "tax_wan_yuan_per_mu"),
        ({"frontage_m": "road_m"}, "demand.frontage_m"),
        ({"frontage_m": "land_use"}, "demand.frontage_m"),
        ({"horizon_year": 0}, "demand.horizon_year"),
        ({"projects": [{"id": "A"}, {"id": "A"}]}, "ids of `projects` must differ"),
        ({"projects": [{"id": "A", "from_year": 3, "by_year": 2}]}, "years after `by_year`"),
    ],
)
def test_mistakes_are_told_before_the_solve(tmp_path: Path, change: dict[str, Any], told: str) -> None:
    config = case(tmp_path, {"demand": DEMAND | change})
    result = planner("run", config, "--out", tmp_path / "out", "--quiet", catch=False)
    assert result.exit_code in {2, 3}, result.output
    assert told in " ".join(result.output.split())
    assert not (tmp_path / "out").exists()


def test_a_run_repeats_from_its_resolved_configuration(tmp_path: Path) -> None:
    """The table of projects is found again from the folder of the run."""
    (tmp_path / "entrants.csv").write_text("id,site_mu,investment_yuan\nA,20,1000\n", encoding="utf-8")
    config = case(tmp_path, {"demand": {"path": "entrants.csv"}})
    first = planner("run", config, "--out", tmp_path / "out", "--quiet", catch=False)
    again = planner("run", tmp_path / "out" / "config.resolved.yaml", "--out", tmp_path / "two", "--quiet", catch=False)
    assert (first.exit_code, again.exit_code) == (0, 0), first.output + again.output
    one, two = ((tmp_path / d / "tables" / "demand.csv").read_bytes() for d in ("out", "two"))
    assert one == two
