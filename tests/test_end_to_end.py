"""The main job from configuration to checked files: the bundled sample and a real city."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import geopandas as gpd
import pandas as pd
import pytest
from typer.testing import CliRunner

from planner.cli import app
from tests.conftest import REPOSITORY
from tests.planner.land_builders import PLAN_FILES


@dataclass(frozen=True)
class Outcome:
    """A finished run and its folder."""

    folder: Path
    summary: dict[str, Any]
    output: str


def planned(config: Path, folder: Path, *arguments: str) -> Outcome:
    result = CliRunner().invoke(app, ["run", str(config), "--out", str(folder), "--quiet", *arguments])
    assert result.exit_code == 0, result.output
    return Outcome(folder, json.loads((folder / "summary.json").read_text(encoding="utf-8")), result.output)


def assert_sound(run: Outcome, gap: float) -> None:
    """Every target met, checked, proven, and all files there."""
    assert {p.name for p in run.folder.iterdir()} == PLAN_FILES
    summary = run.summary
    assert summary["check"]["passed"] is True
    assert not [f for f in summary["check"]["findings"] if f["severity"] == "error"]
    assert summary["bound"] >= summary["objective"]
    assert summary["gap"] == pytest.approx((summary["bound"] - summary["objective"]) / abs(summary["objective"]))
    assert summary["gap"] <= gap
    assert summary["seconds"]["solve"] <= 90
    for phase in summary["phases"]:
        assert phase["cumulative_mu"] >= phase["target_mu"] - 1e-6
    again = CliRunner().invoke(app, ["check", str(run.folder)])
    assert again.exit_code == 0, again.output


def assert_exports(run: Outcome, metric: int, synthetic: bool) -> None:
    """The files agree with one another and open in a GIS library."""
    metric_parcels = gpd.read_file(run.folder / "plan.gpkg", layer="parcels")
    web_parcels = gpd.read_file(run.folder / "plan.geojson")
    blocks = gpd.read_file(run.folder / "blocks.geojson")
    assert metric_parcels.crs == metric
    assert web_parcels.crs == 4326
    assert len(web_parcels) == len(metric_parcels) == run.summary["counts"]["parcels"]
    chosen = web_parcels[web_parcels["status"] == "selected"]
    assert chosen["area_mu"].sum() == pytest.approx(run.summary["phases"][-1]["cumulative_mu"])
    assert chosen["block_id"].notna().all()
    assert web_parcels.loc[web_parcels["status"] != "selected", "block_id"].isna().all()
    assert blocks["n_parcels"].sum() == len(chosen)
    assert blocks["area_mu"].sum() == pytest.approx(chosen["area_mu"].sum())
    text = (run.folder / "plan.geojson").read_text(encoding="utf-8")
    assert '"crs"' not in text
    page = (run.folder / "map.html").read_text(encoding="utf-8")
    label = "synthetic" in page.lower() or "SYNTHETIC" in page
    assert label or not synthetic


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Outcome:
    return planned(REPOSITORY / "config.yaml", tmp_path_factory.mktemp("sample") / "out")


def test_sample_meets_every_target_with_a_proven_gap(sample: Outcome) -> None:
    assert_sound(sample, 0.01)
    assert [p["target_mu"] for p in sample.summary["phases"]] == [250, 2000, 4500]
    assert sample.summary["stopped_by"] in {"gap", "optimal"}  # repeatable: not the clock


def test_sample_exports_agree(sample: Outcome) -> None:
    assert_exports(sample, 4547, synthetic=True)


def test_sample_says_that_it_is_synthetic(sample: Outcome) -> None:
    assert sample.summary["project"]["synthetic"] is True
    assert "SYNTHETIC" in sample.output
    assert "synthetic" in (sample.folder / "summary.md").read_text(encoding="utf-8").lower()


def test_sample_circles_are_nearly_used_up(sample: Outcome) -> None:
    parcels = gpd.read_file(sample.folder / "plan.gpkg", layer="parcels")
    circles = parcels.groupby("zone")["area_mu"].sum()
    assert circles.loc["长山头"] == pytest.approx(1657, abs=0.5)
    assert circles.loc["罗马"] == pytest.approx(2888, abs=0.5)
    assert sample.summary["land"]["last_target_share_of_available"] > 0.98


def test_same_seed_gives_the_same_plan(sample: Outcome, tmp_path: Path) -> None:
    again = planned(REPOSITORY / "config.yaml", tmp_path / "again")
    for name in ("plan.geojson", "blocks.geojson", "map.html"):
        assert (again.folder / name).read_bytes() == (sample.folder / name).read_bytes(), name
    assert again.summary["objective"] == sample.summary["objective"]


@pytest.fixture(scope="module")
def cambridge(shared_data: Callable[[str], Path], tmp_path_factory: pytest.TempPathFactory) -> Outcome:
    folder = shared_data("cambridge_fy13")
    return planned(
        REPOSITORY / "examples" / "cambridge.yaml",
        tmp_path_factory.mktemp("cambridge") / "out",
        "--set",
        f"parcels.path='{(folder / 'ASSESSING_ParcelsFY2013.topojson').as_posix()}'",
        "--set",
        f"tables.0.path='{(folder / 'TaxFY13.csv').as_posix()}'",
    )


def test_cambridge_meets_every_target_with_a_proven_gap(cambridge: Outcome) -> None:
    assert_sound(cambridge, 0.02)
    assert [p["target_mu"] for p in cambridge.summary["phases"]] == [150, 400, 650]


def test_cambridge_exports_agree(cambridge: Outcome) -> None:
    assert_exports(cambridge, 26986, synthetic=False)


def test_cambridge_takes_only_industrial_and_thinly_built_land(cambridge: Outcome) -> None:
    parcels = gpd.read_file(cambridge.folder / "plan.gpkg", layer="parcels")
    assert len(parcels) > 13_000
    chosen = parcels[parcels["status"] == "selected"]
    code, far = chosen["use_code"], chosen["far"]
    stock = (code.between(400, 413) | code.isin([440, 442])) & ~(far >= 1.5)
    thin = code.between(300, 399) & (far < 0.5)
    assert (stock | thin).all()
    assert pd.notna(chosen["cost"]).all()


def test_cambridge_repairs_are_listed_by_parcel(cambridge: Outcome) -> None:
    log = gpd.read_file(cambridge.folder / "plan.gpkg", layer="repair_log")
    kinds = log.groupby(["issue", "action"]).size()
    assert kinds["invalid", "made_valid"] == 22  # 24 in degrees; two touch themselves only there
    assert kinds["duplicate", "dropped"] == 1
    assert log["parcel_id"].notna().all()
    dropped = log.loc[log["action"] == "dropped", "parcel_id"].nunique()
    assert cambridge.summary["counts"]["parcels"] + dropped == 13_159
