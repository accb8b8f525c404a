"""Reading a plan back: what is missing or damaged is named, all at once."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path

import pandas as pd
import pytest

from geodata.errors import DataError
from planner.check import check_plan, claims_of, read_plan
from tests.planner.check.check_builders import OBJECTIVE, honest_plan


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return honest_plan().write(tmp_path_factory.mktemp("plan"))


@pytest.fixture
def folder(written: Path, tmp_path: Path) -> Path:
    for file in written.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    return tmp_path


def faults(folder: Path) -> list[str]:
    with pytest.raises(DataError) as caught:
        read_plan(folder)
    return [str(issue) for issue in caught.value.issues]


def test_layers_configuration_and_claims_come_back(folder: Path) -> None:
    tables, config, claims = read_plan(folder)
    assert len(tables.parcels) == 24
    assert tables.parcels.crs.to_epsg() == 4547
    assert config.optimise.locks.in_ == ("r0c0",)
    assert claims.objective == pytest.approx(OBJECTIVE)
    assert [(a.phase, a.zone) for a in claims.areas] == [
        (1, None),
        (2, None),
        (1, "South"),
        (2, "South"),
        (1, "North"),
        (2, "North"),
    ]


def test_everything_missing_is_named_at_once(tmp_path: Path) -> None:
    found = faults(tmp_path / "nowhere")
    assert len(found) == 2
    assert "plan.gpkg" in found[0]
    assert "config.resolved.yaml" in found[1]


def test_a_summary_is_not_needed(folder: Path) -> None:
    (folder / "summary.json").unlink()
    tables, config, claims = read_plan(folder)
    assert claims.objective is None
    assert check_plan(tables, config, claims).passed


@pytest.mark.parametrize(
    ("status", "meaning"),
    [("infeasible", "cannot all be kept"), ("no_plan", "none was found in time"), ("rejected", "it failed its check")],
)
def test_a_run_without_a_plan_says_so_and_nothing_else(folder: Path, status: str, meaning: str) -> None:
    (folder / "plan.gpkg").unlink()
    (folder / "summary.json").write_text(json.dumps({"status": status, "objective": None}), encoding="utf-8")
    (found,) = faults(folder)
    assert f"no plan: status {status} (" in found
    assert meaning in found
    assert found.endswith("summary.md.")


def test_a_rejected_plan_that_was_put_back_can_be_judged_again(folder: Path) -> None:
    summary = json.loads((folder / "summary.json").read_text(encoding="utf-8")) | {"status": "rejected"}
    (folder / "summary.json").write_text(json.dumps(summary), encoding="utf-8")
    assert check_plan(*read_plan(folder)).passed


def test_a_key_that_is_missing_from_the_summary_is_named(folder: Path) -> None:
    summary = json.loads((folder / "summary.json").read_text(encoding="utf-8"))
    del summary["phases"]
    (folder / "summary.json").write_text(json.dumps(summary), encoding="utf-8")
    assert "no key 'phases'" in faults(folder)[0]


def test_all_damaged_files_are_named_at_once(folder: Path) -> None:
    (folder / "plan.gpkg").write_bytes(b"not a database")
    (folder / "config.resolved.yaml").write_text("project: [", encoding="utf-8")
    (folder / "summary.json").write_text("{", encoding="utf-8")
    found = faults(folder)
    assert [part in line for part, line in zip(("GeoPackage", "YAML", "JSON"), found, strict=True)] == [True] * 3


def test_a_file_cut_short_is_refused(folder: Path) -> None:
    data = (folder / "plan.gpkg").read_bytes()
    (folder / "plan.gpkg").write_bytes(data[: len(data) // 2])
    assert "plan.gpkg" in faults(folder)[0]


def test_missing_layers_are_named(folder: Path) -> None:
    with sqlite3.connect(folder / "plan.gpkg") as database:
        database.execute("DELETE FROM gpkg_contents WHERE table_name IN ('links', 'zones')")
        database.execute("DELETE FROM gpkg_geometry_columns WHERE table_name IN ('links', 'zones')")
        database.execute("DROP TABLE links")
        database.execute("DROP TABLE zones")
    database.close()
    (found,) = faults(folder)
    assert "no layer zones, links" in found


def test_missing_columns_are_named_at_once() -> None:
    plan = honest_plan()
    plan.parcels = plan.parcels.drop(columns=["tax", "phase"])
    plan.links = plan.links.drop(columns=["gap_m"])
    with pytest.raises(DataError) as caught:
        plan.judge()
    found = [str(issue) for issue in caught.value.issues]
    assert len(found) == 2
    assert "also phase, tax" in found[0]
    assert "also gap_m" in found[1]


def test_a_layer_of_parcels_without_rows_is_refused() -> None:
    plan = honest_plan()
    plan.parcels = plan.parcels.iloc[:0]
    with pytest.raises(DataError, match="no rows"):
        plan.judge()


def test_keys_of_the_configuration_that_are_wrong_are_named(folder: Path) -> None:
    path = folder / "config.resolved.yaml"
    text = path.read_text(encoding="utf-8").replace("min_mu: 30", "min_mu: thirty").replace("max_mu: 40", "most: 40")
    path.write_text(text, encoding="utf-8")
    found = " ".join(faults(folder))
    assert "optimise.block.min_mu" in found
    assert "optimise.block.most" in found


@pytest.mark.parametrize(
    "summary",
    [
        [],
        {"objective": 1.0},
        {"objective": "much", "bound": 1.0, "gap": None, "phases": []},
        {"objective": 1.0, "bound": 1.0, "gap": None, "phases": [{"area_mu": 1.0}]},
        {"objective": 1.0, "bound": 1.0, "gap": None, "phases": [], "zones": {"South": []}},
    ],
)
def test_a_summary_of_another_form_is_refused(folder: Path, summary: object) -> None:
    (folder / "summary.json").write_text(json.dumps(summary), encoding="utf-8")
    assert "summary.json" in faults(folder)[0]


def test_claims_may_be_null() -> None:
    claims = claims_of({"objective": 0.0, "bound": None, "gap": None, "phases": []})
    assert (claims.objective, claims.bound, claims.gap, claims.areas) == (0.0, None, None, ())


def test_a_plan_without_blocks_zones_links_and_barriers_comes_back(tmp_path: Path) -> None:
    plan = honest_plan()
    for parcel in plan.parcels.loc[plan.parcels["block_id"].notna(), "parcel_id"]:
        plan.leave(parcel)
    plan.set("r3c5", status="ineligible")
    for layer in ("blocks", "zones", "links", "barriers"):
        setattr(plan, layer, getattr(plan, layer).iloc[:0])
    plan.parcels["zone"] = None
    plan.parcels["locked"] = None
    for section in ("zones", "barriers"):
        del plan.config[section]
    plan.optimise["phases"] = [{"id": "P1", "year": 1}]
    plan.optimise["block"]["within_zone"] = False
    plan.optimise["locks"] = {}
    plan.summary = {"objective": 0.0, "bound": 0.0, "gap": None, "phases": [{"cumulative_mu": 0.0}]}
    report = check_plan(*read_plan(plan.write(tmp_path)))
    assert report.findings == ()
    assert report.checked["contiguity"] == 0


def test_yes_no_fields_with_unknown_values_stay_conditions(tmp_path: Path) -> None:
    plan = honest_plan()
    plan.config["parcels"]["fields"]["veto"] = {"column": "veto"}
    plan.config["scoring"]["force_in"] = [{"name": "veto", "when": "veto"}]
    plan.parcels["veto"] = pd.array([None] + [False] * 23, dtype="boolean")
    tables, config, claims = read_plan(plan.write(tmp_path))
    assert check_plan(tables, config, claims).passed


def test_long_codes_keep_all_digits(tmp_path: Path) -> None:
    plan = honest_plan()
    code = 441_900_118_001_000_123
    plan.config["parcels"]["fields"]["code"] = {"column": "code"}
    plan.parcels["code"] = pd.array([None, *range(code, code + 23)], dtype="Int64")
    tables, _, _ = read_plan(plan.write(tmp_path))
    assert tables.parcels["code"].tolist()[1:] == list(range(code, code + 23))
