"""The questions as commands, on land of twelve parcels."""

from __future__ import annotations

import csv
import json
import shutil
from pathlib import Path
from typing import Any

import geopandas as gpd
import pytest
import typer
from typer.testing import CliRunner, Result

from geodata.read import read_vector
from planner import cli_explain
from tests.planner.land_builders import GENERATED, NO_PLAN_FILES, PLAN_FILES, case, names, planner, write_config

APP = typer.Typer(rich_markup_mode=None)
cli_explain.register(APP)


def ask(*arguments: str | Path) -> Result:
    return CliRunner().invoke(APP, [str(a) for a in arguments])


def data(*arguments: str | Path) -> dict[str, Any]:
    result = ask(*arguments, "--json", "--quiet")
    assert result.exit_code in {0, 6}, result.output
    loaded: dict[str, Any] = json.loads(result.stdout)
    return loaded


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Land, configuration and a run; not to be changed."""
    path = tmp_path_factory.mktemp("land")
    result = planner("run", case(path), "--out", path / "out")
    assert result.exit_code == 0, result.output
    return path


def drawn_from(folder: Path, to: Path) -> Path:
    """The plan of a run as if somebody had drawn it."""
    blocks = read_vector(folder / "out" / "plan.gpkg", layer="blocks")
    path = to / "drawn.gpkg"
    blocks[["block_id", "phase", "geometry"]].to_file(path, driver="GPKG")
    return path


def table(path: Path, rows: list[tuple[str, str, str]]) -> Path:
    path.write_text("\n".join(["parcel_id,block,phase", *(",".join(r) for r in rows)]) + "\n", encoding="utf-8")
    return path


# ------------------------------------------------------------------------------------------------ evaluate


def test_the_plan_drawn_again_is_a_plan_of_the_same_worth(folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "judged"
    drawn = drawn_from(folder, tmp_path)
    result = ask("evaluate", drawn, "--config", folder / "config.yaml", "--out", out, "--time-limit", "3")
    assert result.exit_code == 0, result.output
    assert "are a plan" in result.stdout
    assert names(out) >= PLAN_FILES
    before, after = (json.loads((d / "summary.json").read_text("utf-8")) for d in (folder / "out", out))
    assert after["objective"] == pytest.approx(before["objective"])
    assert after["bound"] >= before["objective"] - 1e-6
    assert (after["status"], after["stopped_by"]) == ("feasible", "drawn")
    assert after["check"]["passed"] is True
    judged = CliRunner().invoke(cli_app(), ["check", str(out)])
    assert judged.exit_code == 0, judged.output


def cli_app() -> typer.Typer:
    from planner.cli import app  # noqa: PLC0415

    return app


def test_blocks_that_break_rules_are_no_plan(folder: Path, tmp_path: Path) -> None:
    # P00 and P02 do not touch, P01 between them is housing; 20 mu in P1 where 30 are asked, nothing in P2
    out = tmp_path / "judged"
    blocks = table(tmp_path / "b.csv", [("P00", "A", "P1"), ("P02", "A", "P1")])
    answer = data("evaluate", blocks, "--config", folder / "config.yaml", "--out", out)
    assert answer["passed"] is False
    found = {f["rule"]: f for f in answer["findings"]}
    assert found["contiguity"]["parcel_ids"] == ["P00", "P02"]
    assert {"targets"} <= set(found)
    assert (found["targets"]["measured"], found["targets"]["limit"]) == pytest.approx((20.0, 60.0)) or (
        found["targets"]["measured"],
        found["targets"]["limit"],
    ) == pytest.approx((20.0, 30.0))
    assert not out.exists()
    result = ask("evaluate", blocks, "--config", folder / "config.yaml", "--quiet")
    assert result.exit_code == 6
    assert "These blocks are no plan" in result.stdout


def test_excluded_land_in_a_drawn_block_is_found(folder: Path, tmp_path: Path) -> None:
    rows = [(f"P{k:02d}", "A", "P1") for k in (0, 1, 2, 4, 5, 6)]
    answer = data("evaluate", table(tmp_path / "b.csv", rows), "--config", folder / "config.yaml")
    found = [f for f in answer["findings"] if f["rule"] == "status"]
    assert any(f["parcel_ids"] == ["P01"] for f in found)


def test_a_scenario_and_overrides_count(folder: Path, tmp_path: Path) -> None:
    drawn = drawn_from(folder, tmp_path)
    answer = data("evaluate", drawn, "--config", folder / "config.yaml", "--set", "optimise.phases.1.target_mu=110")
    assert answer["passed"] is False
    assert {f["rule"] for f in answer["findings"]} == {"targets"}


def test_blocks_with_unknown_parcels_are_bad_data(folder: Path, tmp_path: Path) -> None:
    result = ask("evaluate", table(tmp_path / "b.csv", [("X", "A", "P1")]), "--config", folder / "config.yaml")
    assert result.exit_code == 3
    assert "unknown parcels: X (row 2)" in result.output


# ------------------------------------------------------------------------------------------------ explain


def test_every_parcel_has_an_answer(folder: Path) -> None:
    inside = data("explain", "parcel", "P00", "--plan", folder / "out")
    assert inside["kind"] == "parcel"
    assert inside["verdict"] in {"optimal", "feasible", "infeasible"}
    house = data("explain", "parcel", "P01", "--plan", folder / "out")
    assert house["why"] == "closed"
    assert any("housing" in r for r in house["reasons"])
    result = ask("explain", "parcel", "P99", "--plan", folder / "out")
    assert result.exit_code == 3
    assert "unknown parcel 'P99'" in result.output


def test_prices_of_all_rules(folder: Path) -> None:
    answer = data("explain", "price", "--plan", folder / "out")
    keys = {p["key"] for p in answer["rules"]}
    assert {"contiguity", "block_min", "block_max", "floor:P1", "floor:P2"} <= keys
    for p in answer["rules"]:
        assert 0 <= p["loss"]["low"] <= p["loss"]["high"] + 1e-6
    one = data("explain", "price", "--plan", folder / "out", "--rule", "floor:P2")
    assert [p["key"] for p in one["rules"]] == ["floor:P2"]
    assert ask("explain", "price", "--plan", folder / "out", "--rule", "nonsense").exit_code == 3


def test_stability_uses_the_configuration(folder: Path, tmp_path: Path) -> None:
    change = {
        "scoring": {
            "criteria": [
                {"name": n, "value": v, "direction": "low", "normalise": {"method": "minmax", "lo": 0, "hi": h}}
                for n, v, h in (("tax", "tax_wan_yuan_per_mu", 20), ("far", "far", 2))
            ]
        }
    }
    path = case(tmp_path, change)
    assert planner("run", path, "--out", tmp_path / "out").exit_code == 0
    answer = data("explain", "stability", "--plan", tmp_path / "out")
    assert {s["name"] for s in answer["scenarios"]} >= {"weight of tax +10%", "weight of far −10%", "value +10%"}
    assert answer["notes"] == []
    assert all(0 <= b["same_phase"] <= b["survives"] <= 1 for b in answer["blocks"])
    # the same run whose data are gone still answers, and says what it had to leave out
    (tmp_path / "parcels.gpkg").unlink()
    poorer = data("explain", "stability", "--plan", tmp_path / "out")
    assert "score weights left out" in poorer["notes"][0]


def test_why_there_is_no_plan(folder: Path, tmp_path: Path) -> None:
    config = write_config(
        folder, {"optimise": {"phases": [{"id": "P1", "year": 1, "target_mu": 110}]}}, name="high.yaml"
    )
    assert planner("run", config, "--out", tmp_path / "out").exit_code == 4
    assert names(tmp_path / "out") >= NO_PLAN_FILES
    answer = data("explain", "infeasible", "--plan", tmp_path / "out")
    assert answer["state"] == "infeasible"
    # twelve parcels of 10 mu, two of them housing: 100 mu at most
    (target,) = answer["targets"]
    assert target["alone"]["low"] == pytest.approx(100.0, abs=0.01)
    assert target["alone"]["high"] == pytest.approx(100.0, abs=0.01)
    enough = {tuple(s["parcel_ids"]) for s in answer["suggestions"] if s["key"] == "allow" and s["suffices"]}
    assert enough == {("P01",), ("P10",)}
    for question in (("explain", "price"), ("explain", "stability"), ("alternatives",)):
        result = ask(*question, "--plan", tmp_path / "out")
        assert result.exit_code == 3
        assert "explain infeasible" in result.output


# ------------------------------------------------------------------------------------------------ alternatives


def test_alternatives_are_written(folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "others"
    arguments = ("alternatives", "--plan", folder / "out", "-k", "3", "--within", "30%", "--out", out)
    result = ask(*arguments)
    assert result.exit_code == 0, result.output
    assert names(out) == {"alternatives.json", "importance.csv", "alternatives.gpkg"}
    with (out / "importance.csv").open(encoding="utf-8-sig", newline="") as file:
        rows = {r["parcel_id"]: r for r in csv.DictReader(file)}
    told = json.loads((out / "alternatives.json").read_text("utf-8"))
    assert len(told["alternatives"]) >= 1
    layer: gpd.GeoDataFrame = read_vector(out / "alternatives.gpkg", layer="parcels")
    for _, parcel in layer.iterrows():
        row = rows[parcel["parcel_id"]]
        assert float(row["importance"]) == pytest.approx(parcel["importance"])
        phases = [row[c] for c in row if c.startswith("phase_")]
        assert float(row["importance"]) == pytest.approx(sum(p != "" for p in phases) / len(phases))
        assert told["importance"].get(parcel["parcel_id"], 0.0) == pytest.approx(parcel["importance"])


@pytest.mark.parametrize("text", ["x", "-1%", "100%", "1.5"])
def test_shares_that_make_no_sense(folder: Path, text: str) -> None:
    result = ask("alternatives", "--plan", folder / "out", f"--within={text}")
    assert result.exit_code == 2
    assert "--within" in result.output


# ------------------------------------------------------------------------------------------------ folders


def test_a_folder_without_a_run_is_refused(tmp_path: Path) -> None:
    result = ask("explain", "price", "--plan", tmp_path)
    assert result.exit_code == 3
    assert "problem.json" in result.output


def test_a_plan_of_another_problem_is_refused(folder: Path, tmp_path: Path) -> None:
    shutil.copytree(folder / "out", tmp_path / "out")
    other = json.loads((tmp_path / "out" / "problem.json").read_text("utf-8"))
    other["block"]["max_mu"] = 20.0
    other["block"]["min_mu"] = 20.0
    other["targets"][0]["floor"] = 200.0
    (tmp_path / "out" / "problem.json").write_text(json.dumps(other), encoding="utf-8")
    result = ask("explain", "price", "--plan", tmp_path / "out")
    assert result.exit_code == 3
    assert "a plan that keeps every rule" in result.output


def test_generated_land_from_end_to_end(tmp_path: Path) -> None:
    change = {"optimise": {"phases": [{"id": "P1", "year": 1, "target_mu": 10}], "block": {"min_mu": 5, "max_mu": 200}}}
    config = write_config(tmp_path, *GENERATED, change)
    assert planner("run", config, "--out", tmp_path / "out").exit_code == 0
    assert data("evaluate", drawn_from(tmp_path, tmp_path), "--config", config, "--time-limit", "2")["passed"] is True
    for question in (("explain", "price"), ("explain", "stability")):
        answer = data(*question, "--plan", tmp_path / "out", "--time-limit", "20")
        assert answer["kind"] == question[1]


def test_help_explains_and_lists_the_exit_codes() -> None:
    for command in (
        ("evaluate",),
        ("alternatives",),
        *(("explain", c) for c in ("infeasible", "parcel", "price", "stability")),
    ):
        text = ask(*command, "--help").output
        assert "Exit codes:" in text
        assert "--json" in text
