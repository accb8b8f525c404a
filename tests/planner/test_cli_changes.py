"""What changed since the plan before, as a run tells it. The land of `tests.planner.test_cli_locks`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyogrio
import pytest

from planner.check import check_plan, read_plan
from tests.planner.land_builders import case, grid_land, planner
from tests.planner.test_cli_locks import FOUR


def _run(config: Path, *options: str | Path) -> tuple[dict[str, Any], str]:
    result = planner("run", config, "--out", config.parent / "out", "--quiet", *options)
    assert result.exit_code == 0, result.output
    return json.loads((config.parent / "out" / "summary.json").read_text(encoding="utf-8")), result.stdout


def _changes(folder: Path) -> dict[str, str] | None:
    layer = pyogrio.read_dataframe(folder / "plan.gpkg", layer="parcels").set_index("parcel_id")
    return None if "change" not in layer.columns else layer["change"].dropna().to_dict()


def _locks(folder: Path, plan: dict[str, list[str]] | None) -> Path:
    path = folder / "locks.json"
    rows = [{"parcel_id": "P02", "lock": "at", "phase": "P1"}]
    data = {"format": "land-consolidation-locks", "version": 1, "locks": rows, "plan": plan, "input_hash": "1a"}
    path.write_text(json.dumps(data), encoding="utf-8")
    return path


def test_a_run_tells_what_changed(tmp_path: Path) -> None:
    config = case(tmp_path, FOUR, land=grid_land(1, 4))
    first, _ = _run(config)
    assert "changes" not in first
    assert _changes(tmp_path / "out") is None
    second, said = _run(config, "--locks", _locks(tmp_path, None))  # P02 and P03 first, P00 and P01 after them
    assert _changes(tmp_path / "out") == {"P00": "later", "P01": "later", "P02": "earlier", "P03": "earlier"}
    told = second["changes"]
    assert (told["since"], told["compared"], told["same_land"]) == ("the run before", True, True)
    assert told["earlier"] == told["later"] == {"parcels": 2, "area_mu": pytest.approx(20)}
    assert "Changes since the run before: parcels 0 entered (0.00 mu), 0 left (0.00 mu), 2 earlier (20.00 mu)" in said
    assert check_plan(*read_plan(tmp_path / "out")).passed


def test_the_plan_that_was_looked_at_comes_before_the_run_in_the_folder(tmp_path: Path) -> None:
    config = case(tmp_path, FOUR, land=grid_land(1, 4))
    _run(config)
    told, _ = _run(config, "--locks", _locks(tmp_path, {"P1": ["P02", "P03"], "P0": ["P00"], "P2": ["P99"]}))
    assert _changes(tmp_path / "out") == {"P01": "entered"}
    assert told["changes"] == {
        "since": "locks.json",
        "compared": True,
        "same_land": False,
        "entered": {"parcels": 1, "area_mu": pytest.approx(10)},
        "left": {"parcels": 0, "area_mu": 0},
        "earlier": {"parcels": 0, "area_mu": 0},
        "later": {"parcels": 0, "area_mu": 0},
        "unchanged": {"parcels": 2, "area_mu": pytest.approx(20)},
        "phase_unknown": {"parcels": 1, "area_mu": pytest.approx(10)},
        "phases_gone": ["P0"],
        "parcels_gone": ["P99"],
    }


def test_another_plan_in_the_folder_is_not_compared(tmp_path: Path) -> None:
    config = case(tmp_path, FOUR, land=grid_land(1, 4))
    _run(config, "--locks", _locks(tmp_path, {"P1": ["P98", "P99"]}))
    assert _changes(tmp_path / "out") is None
    assert json.loads((tmp_path / "out" / "summary.json").read_text(encoding="utf-8"))["changes"]["compared"] is False
