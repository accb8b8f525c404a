"""What changed since the plan before, by hand, and where that plan is found."""

from __future__ import annotations

import json
import logging
from pathlib import Path

import geopandas as gpd
import pandas as pd
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from geodata.write import write_gpkg, write_json
from planner.changes import PreviousPlan, changes, changes_text, compare
from planner.locks_file import LocksFile
from planner.previous import RUN_BEFORE, previous_plan
from tests.planner.land_builders import CRS

PHASES = ("P1", "P2", "P3")


def _parcels(**phase_of: int | None) -> pd.DataFrame:
    """Parcels with their phases; the k-th has k mu."""
    return pd.DataFrame(
        {
            "parcel_id": list(phase_of),
            "phase": pd.array(list(phase_of.values()), dtype="Int64"),
            "area_mu": [float(k) for k in range(1, len(phase_of) + 1)],
        }
    )


NOW = _parcels(stays=1, new=2, gone=None, sooner=1, later=3, free=None, other=2)
BEFORE = {"stays": "P1", "gone": "P3", "sooner": "P2", "later": "P1", "other": "P0", "razed": "P1"}


def test_what_changed_by_hand() -> None:
    found = changes(BEFORE, NOW, PHASES)
    assert found is not None
    kinds = dict(zip(NOW["parcel_id"], found, strict=True))
    assert kinds == {
        "stays": None,
        "new": "entered",
        "gone": "left",
        "sooner": "earlier",
        "later": "later",
        "free": None,
        "other": None,  # its phase before is none of ours: neither earlier nor later
    }


def test_the_summary_by_hand() -> None:
    told = compare(PreviousPlan(BEFORE, "locks.json", "1a"), NOW, PHASES, "2b")
    assert told is not None
    assert told.summary == {
        "since": "locks.json",
        "compared": True,
        "same_land": False,
        "entered": {"parcels": 1, "area_mu": 2.0},
        "left": {"parcels": 1, "area_mu": 3.0},
        "earlier": {"parcels": 1, "area_mu": 4.0},
        "later": {"parcels": 1, "area_mu": 5.0},
        "unchanged": {"parcels": 1, "area_mu": 1.0},
        "phase_unknown": {"parcels": 1, "area_mu": 7.0},
        "phases_gone": ["P0"],
        "parcels_gone": ["razed"],
    }
    json.dumps(told.summary, allow_nan=False)
    assert changes_text(told.summary) == (
        "Changes since locks.json: parcels 1 entered (2.00 mu), 1 left (3.00 mu), 1 earlier (4.00 mu), "
        "1 later (5.00 mu), 1 in a phase that is no more (P0), 1 no more on this land (razed)"
    )


def test_without_a_plan_before_there_is_nothing_to_tell() -> None:
    assert changes(None, NOW, PHASES) is None
    assert compare(None, NOW, PHASES) is None


def test_a_plan_of_other_land_is_not_compared() -> None:
    told = compare(PreviousPlan({"x": "P1", "y": "P2"}, RUN_BEFORE), NOW, PHASES)
    assert told is not None
    assert told.column is None
    assert told.summary["compared"] is False
    assert told.summary["same_land"] is None
    assert told.summary["parcels_gone"] == ["x", "y"]
    assert told.summary["entered"] == {"parcels": 0, "area_mu": 0.0}
    assert "none can be told" in changes_text(told.summary)


def test_after_a_plan_of_nothing_all_is_new() -> None:
    found = changes({}, NOW, PHASES)
    assert found is not None
    assert found.eq("entered").sum() == NOW["phase"].notna().sum() == 5


_PLANS = st.dictionaries(st.sampled_from("abcdef"), st.sampled_from(PHASES))


@settings(deadline=None)  # the first example waits for pandas
@given(before=_PLANS, now=_PLANS, order=st.permutations(list("abcdef")))
def test_turned_round_the_opposite_changes(before: dict[str, str], now: dict[str, str], order: list[str]) -> None:
    def kinds(one: dict[str, str], other: dict[str, str]) -> dict[str, str | None]:
        phase = {i: PHASES.index(other[i]) + 1 if i in other else None for i in order}
        parcels = _parcels(**phase)
        found = changes(one, parcels, PHASES)
        assert found is not None
        return dict(zip(parcels["parcel_id"], found, strict=True))

    opposite = {"entered": "left", "left": "entered", "earlier": "later", "later": "earlier", None: None}
    forth, back = kinds(before, now), kinds(now, before)
    assert forth == {i: opposite[kind] for i, kind in back.items()}
    same = {i for i in "abcdef" if before.get(i) == now.get(i)}
    assert {i for i, kind in forth.items() if kind is None} == same


# ------------------------------------------------------------------------------------------------ the plan before


def _run(folder: Path, status: str = "optimal", block: str | None = "P1-01") -> Path:
    squares = [shapely.box(k, 0, k + 1, 1) for k in range(3)]
    columns = {"parcel_id": ["a", "b", "c"], "status": ["selected", "selected", "eligible"]}
    layer = gpd.GeoDataFrame({**columns, "block_id": [block, "P2-13", None]}, geometry=squares, crs=CRS)
    write_gpkg({"parcels": layer}, folder / "plan.gpkg")
    write_json({"status": status, "input_hash": "1a"}, folder / "summary.json")
    return folder


def test_the_run_in_the_folder_is_the_plan_before(tmp_path: Path) -> None:
    found = previous_plan(_run(tmp_path))
    assert found == PreviousPlan({"a": "P1", "b": "P2"}, "the run before", "1a")


def test_the_plan_of_the_locks_file_comes_first(tmp_path: Path) -> None:
    file = LocksFile(tmp_path / "mine.json", (), plan={"c": "P3"}, hashes={"input_hash": "2b"})
    assert previous_plan(_run(tmp_path), file) == PreviousPlan({"c": "P3"}, "mine.json", "2b")
    without = LocksFile(tmp_path / "mine.json", ())
    assert previous_plan(tmp_path, without) == previous_plan(tmp_path)


@pytest.mark.parametrize("status", ["infeasible", "rejected", "no_plan"])
def test_a_run_without_a_plan_is_none_before(tmp_path: Path, status: str) -> None:
    assert previous_plan(_run(tmp_path, status)) is None


def test_new_and_strange_folders_hold_no_plan_before(tmp_path: Path) -> None:
    assert previous_plan(tmp_path / "new") is None
    _run(tmp_path)
    (tmp_path / "summary.json").write_text("no JSON", encoding="utf-8")
    assert previous_plan(tmp_path) is None


@pytest.mark.parametrize("damage", ["no database", None])
def test_a_damaged_run_is_warned_of(tmp_path: Path, damage: str | None, caplog: pytest.LogCaptureFixture) -> None:
    _run(tmp_path, block="P1-01" if damage else "mine")
    if damage:
        (tmp_path / "plan.gpkg").write_text(damage, encoding="utf-8")
    with caplog.at_level(logging.WARNING, "planner.previous"):
        assert previous_plan(tmp_path) is None
    assert "the plan before cannot be read" in caplog.text
