"""Hold-outs as a command, on land of twelve parcels."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import geopandas as gpd
import pytest

from geodata.read import read_vector
from planner.explain import read_run
from tests.planner.explain.test_cli_explain import ask, data
from tests.planner.land_builders import case, names, planner

SHORT = ("--time-limit", "3")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of the twelve parcels, with a rule on a share; not to be changed."""
    path = tmp_path_factory.mktemp("land")
    rule = {"name": "large", "unit": "mu", "amount": "area_mu", "share_of": "area_mu", "least": 0.5}
    result = planner("run", case(path, {"optimise": {"block": {"rules": [rule]}}}), "--out", path / "out")
    assert result.exit_code == 0, result.output
    return path


def test_text_and_files(folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "held"
    result = ask("explain", "holdouts", "--plan", folder / "out", "--robust", "--out", out, "--seconds", "5")
    assert result.exit_code == 0, result.output
    assert "if the owners of one refuse" in result.stdout
    assert "Consent, least slack first" in result.stdout
    told = json.loads((out / "holdouts.json").read_text("utf-8"))
    robust = told["robust"]["plan"] is not None
    expected = {"holdouts.json", "holdouts.csv", "consent.csv", "holdouts.geojson", "holdouts.gpkg"}
    assert names(out) == expected | ({"robust"} if robust else set())
    plan = read_run(folder / "out").require_plan()
    with (out / "holdouts.csv").open(encoding="utf-8-sig", newline="") as file:
        rows = {r["parcel_id"]: r for r in csv.DictReader(file)}
    ids = read_run(folder / "out").problem.parcel_ids
    assert set(rows) == {ids[i] for i in plan.block_of}
    layer: gpd.GeoDataFrame = read_vector(out / "holdouts.gpkg", layer="holdouts")
    columns = {"parcel_id", "block_id", "stands", "reason", "lost_mu", "shortfall", "price_low", "price_high"}
    assert columns <= set(layer.columns)
    assert set(layer["parcel_id"]) == set(rows)
    for h in told["holdouts"]:
        row = rows[h["parcel_id"]]
        assert row["block_id"] == h["block"]
        assert float(row["lost_mu"]) == pytest.approx(h["lost_mu"])
        assert h["lost_mu"] >= h["area_mu"] - 1e-9
        assert row["stands"] == str(h["stands"])
        low, high = h["price"]["low"], h["price"]["high"]
        assert h["verdict"] == "infeasible" if low is None else low >= 0
        assert high is None or low <= high + 1e-6
    web = json.loads((out / "holdouts.geojson").read_text("utf-8"))
    assert len(web["features"]) == len(rows)
    if robust:
        again = read_run(out / "robust").require_plan()
        assert again.objective == pytest.approx(told["robust"]["plan"]["objective"])
        assert again.objective <= plan.objective + 1e-6 or plan.bound is None or again.objective <= plan.bound + 1e-6


def test_data_of_named_parcels(folder: Path, tmp_path: Path) -> None:
    ids = read_run(folder / "out").problem.parcel_ids
    plan = read_run(folder / "out").require_plan()
    inside = sorted(ids[i] for i in plan.block_of)[:2]
    answer = data(
        "explain", "holdouts", "--plan", folder / "out", "--parcels", ", ".join(inside), "--out", tmp_path, *SHORT
    )
    assert answer["kind"] == "holdouts"
    assert {h["parcel_id"] for h in answer["holdouts"]} == set(inside)
    assert answer["robust"] is None
    assert answer["consent"][0]["rule"] == "large"
    wrong = ask("explain", "holdouts", "--plan", folder / "out", "--parcels", "P99", "--out", tmp_path)
    assert wrong.exit_code == 3
    assert "unknown parcel 'P99'" in wrong.output


def test_a_run_without_a_plan_is_refused(folder: Path, tmp_path: Path) -> None:
    low = planner("run", folder / "config.yaml", "--out", tmp_path / "out", "--set", "optimise.phases.1.target_mu=110")
    assert low.exit_code == 4
    result = ask("explain", "holdouts", "--plan", tmp_path / "out")
    assert result.exit_code == 3
    assert "explain infeasible" in result.output


def test_help_explains_and_lists_the_exit_codes() -> None:
    text = ask("explain", "holdouts", "--help").output
    assert "Exit codes:" in text
    assert "--robust" in text
