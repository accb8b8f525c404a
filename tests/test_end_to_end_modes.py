"""From configuration to checked files with modes: money, consent and decanting, on tiny land and on the sample."""

from __future__ import annotations

import csv
import json
import logging
import shutil
from collections import defaultdict
from pathlib import Path
from typing import Any

import geopandas as gpd
import pytest
from typer.testing import Result

from geodata.write import write_json
from planner.config_file import load_config
from planner.pipeline import prepare_run
from planner.problem_json import problem_to_dict
from tests.conftest import REPOSITORY
from tests.planner.land_builders import NO_PLAN_FILES, PLAN_FILES, case, grid_land, names, planner
from tests.planner.mode_land import CLEAR, KEEP, PHASES, WITH_MODES, changed

LOG = logging.getLogger(__name__)
TABLES = {
    "milestones.csv",
    "payments.csv",
    "funding_balance.csv",
    "parties.csv",
    "limits.csv",
    "consent.csv",
    "space_years.csv",
    "space_blocks.csv",
    "firm_moves.csv",
    "decant_sites.csv",
    "villages.csv",
}
BINDING = 0.01
"""A rule binds when less than this share of its limit is left."""


def summary_of(folder: Path) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads((folder / "summary.json").read_text(encoding="utf-8"))
    return loaded


def table(folder: Path, name: str) -> list[dict[str, str]]:
    with (folder / "tables" / f"{name}.csv").open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def assert_whole(folder: Path) -> None:
    """All files, a passed check, and one plan in all of them."""
    assert names(folder) == PLAN_FILES | {"tables"}
    assert names(folder / "tables") == TABLES
    summary = summary_of(folder)
    assert summary["check"]["passed"] is True
    assert not [f for f in summary["check"]["findings"] if f["severity"] == "error"]
    assert summary["objective"] <= summary["bound"]
    again = planner("check", folder)
    assert again.exit_code == 0, again.output
    parcels = gpd.read_file(folder / "plan.gpkg", layer="parcels").set_index("parcel_id")
    web = json.loads((folder / "plan.geojson").read_text(encoding="utf-8"))["features"]
    chosen = [f["properties"] for f in web if f["properties"]["status"] == "selected"]
    modes = {m["id"] for m in summary["modes"]}
    assert {r["mode"] for r in chosen} <= modes
    assert [r["mode"] for r in chosen] == parcels.loc[[r["parcel_id"] for r in chosen], "mode"].tolist()
    assert sum(m["blocks"] for m in summary["modes"]) == len(summary["blocks"]) == len(summary["milestones"])
    for page in ("map.html", "summary.md"):
        text = (folder / page).read_text(encoding="utf-8")
        assert all(r["block_id"] in text for r in summary["blocks"])


def assert_limits_kept(summary: dict[str, Any]) -> None:
    assert summary["money"]["limits"]
    for row in summary["money"]["limits"]:
        assert row["taken"] <= row["most"] + 1e-6 * max(1.0, abs(row["most"])), row


def assert_money_adds_up(folder: Path) -> None:
    """What the summary says of parties follows from the payments, to the cent; over all parties it is nothing."""
    summary = summary_of(folder)
    net: dict[str, int] = defaultdict(int)
    outlays: dict[tuple[str, str], int] = defaultdict(int)
    for row in table(folder, "payments"):
        cents = round(float(row["amount_yuan"]) * 100)
        assert cents > 0
        net[row["payer"]] -= cents
        net[row["payee"]] += cents
        phase = next((p["id"] for p in summary["phases"] if int(row["year"]) <= p["year"]), None)
        if phase is not None:
            outlays[row["payer"], phase] += cents
    assert sum(net.values()) == 0
    parties = {r["party"]: round(r["balance_yuan"] * 100) for r in summary["money"]["parties"]}
    assert parties.pop("public") == net["town"] + net["city"]
    assert parties == {p: net[p] for p in parties}
    for party, by_phase in summary["money"]["outlays"].items():
        for phase, yuan in by_phase.items():
            assert round(yuan * 100) == outlays[party, phase]
    assert sum(p["cost"] for p in summary["phases"]) == pytest.approx(
        -(net["town"] + net["city"]) / 100, rel=1e-6, abs=1
    )


def assert_repeats(folder: Path, scratch: Path) -> None:
    """The configuration that the run left gives the same problem, to the byte."""
    again = prepare_run(load_config(folder / "config.resolved.yaml").config)
    write_json(problem_to_dict(again.problem), scratch / "problem.json")
    assert (scratch / "problem.json").read_bytes() == (folder / "problem.json").read_bytes()


def binding(summary: dict[str, Any], prefix: str) -> dict[str, float]:
    """Limits whose names begin so, of which hardly anything is left, and the share that is taken."""
    rows = [r for r in summary["money"]["limits"] if r["name"].startswith(prefix) and r["most"] > 0]
    used = {f"{r['name']}, {r['period']}": r["taken"] / r["most"] for r in rows}
    return {name: share for name, share in used.items() if share >= 1 - BINDING}


def consent_binding(summary: dict[str, Any]) -> dict[str, float]:
    """Tests of blocks that hardly more than the share asked for pass."""
    basis = "expected"
    found = {}
    for row in summary["consent"]:
        for of in ("holders", "area"):
            needed, share = row[f"needed_{of}_share"], row[f"{basis}_{of}_share"]
            if needed is not None:
                assert share >= needed - 1e-6, row
                if share <= needed * (1 + BINDING):
                    found[f"{row['block_id']}, {of}"] = share / needed
    return found


# ------------------------------------------------------------------------------------------------ tiny land

CONSENT = [{"of": "holders", "least": 0.5}, {"of": "area", "least": 0.6}]
SMALL: dict[str, Any] = {
    "parcels": {
        "fields": {n: {"column": n, "type": "number"} for n in ("floor", "papers", "holders", "signed", "will")}
    },
    "modes": {
        "choices": [changed(CLEAR, consent=CONSENT), KEEP],
        "consent": {"holders": "holders", "signed": "signed", "expected": "will", "basis": "expected"},
        "limits": [{"party": "town", "outlay": {"P1": 22_000}, "peak_gap": 60_000}],
        "decant": {
            "floor_m2": "floor",
            "sites": [
                {"name": "standing", "floor_m2": 250, "from_year": 0},
                {"name": "park", "floor_m2": 400, "from_year": 2},
            ],
        },
        "space": {"floor_m2": "floor", "new_tax_yuan_per_mu": 100},
    },
    "optimise": {
        "phases": [{**PHASES[0], "target_mu": 20}, {**PHASES[1], "target_mu": 50}, {**PHASES[2], "target_mu": 50}],
        "village": "village",
    },
}


def small_land() -> gpd.GeoDataFrame:
    """100 m² of floor each; P08 and P09 refuse, and P08 has no papers either; of P11 the floor is not known."""
    land = grid_land()
    return land.assign(
        floor=[*[100.0] * 11, None],
        papers=[0.0 if k == 8 else 1.0 for k in range(12)],
        holders=[float(1 + k % 3) for k in range(12)],
        signed=0.1,
        will=[0.0 if k in {8, 9} else 0.9 for k in range(12)],
    )


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Result]:
    folder = tmp_path_factory.mktemp("small")
    result = planner("run", case(folder, WITH_MODES, SMALL, land=small_land()), "--out", folder / "out")
    assert result.exit_code == 0, result.output
    return folder / "out", result


def test_small_run_is_whole_quick_and_the_best(small: tuple[Path, Result]) -> None:
    folder, _ = small
    assert_whole(folder)
    summary = summary_of(folder)
    assert summary["status"] == "optimal"
    assert summary["seconds"]["solve"] < 20  # less than 5 where nothing else runs
    for phase in summary["phases"]:
        assert phase["cumulative_mu"] >= phase["target_mu"] - 1e-6
        assert phase["milestone"] == "levelled"


def test_small_money_adds_up_and_keeps_its_limits(small: tuple[Path, Result]) -> None:
    folder, _ = small
    assert_money_adds_up(folder)
    assert_limits_kept(summary_of(folder))
    first = next(r for r in summary_of(folder)["money"]["limits"] if r["name"] == "outlay of town")
    assert (first["taken"], first["most"]) == (pytest.approx(21_000), 22_000)  # two parcels, half of their demolition


def test_small_consent_and_decanting_are_kept(small: tuple[Path, Result]) -> None:
    folder, _ = small
    summary = summary_of(folder)
    consent_binding(summary)
    parcels = gpd.read_file(folder / "plan.gpkg", layer="parcels").set_index("parcel_id")
    assert parcels.loc["P08", "mode"] != "keep"  # no papers: not open to it
    assert parcels.loc["P11", "status"] == "ineligible"
    assert parcels.loc["P11", "reason"] == "open to no mode of redevelopment, or what it needs is unknown"
    cleared = parcels[parcels["mode"] == "clear"]
    assert (cleared["phase"] == 1).sum() == 2  # 250 m² stand in year 1, each parcel needs 100
    assert len(cleared) <= 6  # 650 m² stand in the end
    moved = [r for r in table(folder, "firm_moves") if r["status"] == "moved"]
    assert {r["parcel_id"] for r in moved} == set(cleared.index)
    assert all(r["site"] == "standing" for r in moved if float(r["leaves"]) < 1)


def test_small_run_is_repeated_by_what_it_leaves(small: tuple[Path, Result], tmp_path: Path) -> None:
    folder, _ = small
    assert_repeats(folder, tmp_path)
    solved = planner("solve", folder / "problem.json", "--out", tmp_path / "solution.json")
    assert solved.exit_code == 0, solved.output
    told = json.loads((tmp_path / "solution.json").read_text(encoding="utf-8"))
    assert told["objective"] == pytest.approx(summary_of(folder)["objective"])


def test_small_run_tells_which_parcels_lack_what(small: tuple[Path, Result]) -> None:
    rows = {q["what"].split(":")[0]: q for q in summary_of(small[0])["data_quality"]}
    for what in ("payments of mode clear", "payments of mode keep", "decanting, floor area of firms"):
        assert rows[what]["parcel_ids"] == ["P11"]


def test_a_solution_that_was_changed_by_hand_is_rejected(small: tuple[Path, Result], tmp_path: Path) -> None:
    shutil.copytree(small[0], tmp_path / "out")
    path = tmp_path / "out" / "solution.json"
    assert planner("check", path).exit_code == 0
    told = json.loads(path.read_text(encoding="utf-8"))
    for block in told["blocks"]:
        block["mode"] = "keep"  # never levelled: the targets are missed
    path.write_text(json.dumps(told), encoding="utf-8")
    result = planner("check", path)
    assert result.exit_code == 6
    assert "target" in result.output


def test_money_that_was_changed_by_hand_is_noticed(small: tuple[Path, Result], tmp_path: Path) -> None:
    shutil.copytree(small[0], tmp_path / "out")
    summary = summary_of(small[0])
    summary["money"]["outlays"]["town"]["P1"] -= 1000
    (tmp_path / "out" / "summary.json").write_text(json.dumps(summary), encoding="utf-8")
    result = planner("check", tmp_path / "out")
    assert result.exit_code == 6
    assert "town" in result.output


def test_too_little_room_for_firms_is_infeasible_with_its_files(tmp_path: Path) -> None:
    site = {"name": "standing", "floor_m2": 150, "from_year": 0}
    config = case(tmp_path, WITH_MODES, SMALL, {"modes": {"decant": {"sites": [site]}}}, land=small_land())
    result = planner("run", config, "--out", tmp_path / "out")
    assert summary_of(tmp_path / "out")["status"] == "infeasible", result.output
    assert result.exit_code == 4
    assert names(tmp_path / "out") == NO_PLAN_FILES


# ------------------------------------------------------------------------------------------------ the sample


@pytest.fixture(scope="module")
def money(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Result]:
    folder = tmp_path_factory.mktemp("money") / "out"
    config = REPOSITORY / "config.yaml"
    limit = "solve.time_limit_s=30"
    result = planner("run", config, "--scenario", "money", "--out", folder, "--quiet", "--set", limit)
    assert result.exit_code == 0, result.output
    return folder, result


@pytest.mark.slow
def test_money_scenario_is_whole_and_sound(money: tuple[Path, Result]) -> None:
    folder, result = money
    assert_whole(folder)
    assert "independent check passed" in result.output
    summary = summary_of(folder)
    for phase in summary["phases"]:
        assert phase["cumulative_mu"] >= phase["target_mu"] - 1e-6
    assert_limits_kept(summary)
    assert_money_adds_up(folder)


@pytest.mark.slow
def test_money_consent_and_decanting_bind_at_once(money: tuple[Path, Result]) -> None:
    """Which rules bind is logged: --log-file=FILE --log-file-level=INFO writes it."""
    summary = summary_of(money[0])
    found = {
        "consent": consent_binding(summary),
        "money": {**binding(summary, "peak gap"), **binding(summary, "outlay")},
        "decanting": binding(summary, "decant"),
    }
    for kind, rules in found.items():
        LOG.info("%s: %s", kind, ", ".join(f"{name} {share:.2%}" for name, share in rules.items()))
    assert all(found.values()), {kind: len(rules) for kind, rules in found.items()}


@pytest.mark.slow
def test_money_scenario_is_repeated_by_what_it_leaves(money: tuple[Path, Result], tmp_path: Path) -> None:
    assert_repeats(money[0], tmp_path)
