"""``--locks``: decisions from the map and from a GIS, obeyed by the plan, judged, and refused where they make no sense.

Four parcels of 10 mu in a row, blocks of two, one block in each of two phases, 40 mu in all. A mu of score 1 is worth
100; scores are 1, 0.95, 0.9 and 0.85; year 1 counts 1, year 2 counts 1 / 1.1. So there are two plans::

    P00 P01 first:  (1000 + 950) + (900 + 850) / 1.1 = 3540.91     the best
    P02 P03 first:  (900 + 850) + (1000 + 950) / 1.1 = 3522.73
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pyogrio
import pytest

from planner.check import check_plan, read_plan
from planner.config_file import load_config
from tests.planner.land_builders import case, grid_land, merged, planner, write_land

FOUR: dict[str, Any] = {
    "scoring": {"exclude": []},
    "optimise": {
        "phases": [{"id": "P1", "year": 1, "max_blocks": 1}, {"id": "P2", "year": 2, "max_blocks": 1, "target_mu": 40}],
        "block": {"min_mu": 20, "max_mu": 20},
        "weights": {"value_per_mu": 100, "perimeter_per_m": 0},
        "discount_rate": 0.1,
        "base_year": 1,
    },
}
BEST = 1950 + 1750 / 1.1
TURNED = 1750 + 1950 / 1.1


def _case(folder: Path, *changes: dict[str, Any]) -> Path:
    return case(folder, merged(FOUR, *changes), land=grid_land(1, 4))


def _run(config: Path, *options: str | Path, out: str = "out") -> tuple[float, dict[str, int | None]]:
    """Worth of the plan, and phase by parcel."""
    folder = config.parent / out
    result = planner("run", config, "--out", folder, "--quiet", *options)
    assert result.exit_code == 0, result.output
    features = json.loads((folder / "plan.geojson").read_text(encoding="utf-8"))["features"]
    summary = json.loads((folder / "summary.json").read_text(encoding="utf-8"))
    phases = {f["properties"]["parcel_id"]: f["properties"]["phase"] for f in features}
    return summary["objective"], phases


def _locks(folder: Path, *rows: dict[str, Any], **more: Any) -> Path:
    path = folder / "locks.json"
    data = {"format": "land-consolidation-locks", "version": 1, "project": "grid", "locks": list(rows), **more}
    path.write_text(json.dumps(data, ensure_ascii=False), encoding="utf-8")
    return path


def _edit(source: Path, target: Path, **locked: str) -> Path:
    """A copy of a plan in which somebody filled cells of the column ``locked``."""
    frame = pyogrio.read_dataframe(source, layer="parcels")
    for parcel, text in locked.items():
        frame.loc[frame["parcel_id"] == parcel, "locked"] = text
    shutil.copy(source, target)
    pyogrio.write_dataframe(frame, target, layer="parcels", append=False)
    return target


def _refused(config: Path, *options: str | Path, code: int) -> str:
    result = planner("run", config, "--out", config.parent / "out", *options)
    assert result.exit_code == code, result.output
    return result.stderr


def test_a_lock_at_a_phase_changes_the_best_plan(tmp_path: Path) -> None:
    config = _case(tmp_path)
    value, phases = _run(config)
    assert value == pytest.approx(BEST)
    assert phases == {"P00": 1, "P01": 1, "P02": 2, "P03": 2}
    by = {"parcel_id": "P00", "lock": "by", "phase": "P2"}
    assert _run(config, "--locks", _locks(tmp_path, by))[0] == pytest.approx(BEST)  # by P2 it may be earlier
    value, phases = _run(config, "--locks", _locks(tmp_path, by | {"lock": "at"}))
    assert value == pytest.approx(TURNED)
    assert phases == {"P00": 2, "P01": 2, "P02": 1, "P03": 1}


def test_a_run_with_locks_is_repeated_without_the_file(tmp_path: Path) -> None:
    config = _case(tmp_path, {"optimise": {"locks": {"out": ["P03"]}}})  # the file is the complete state: none is out
    row = {"parcel_id": "P02", "lock": "at", "phase": "p1", "note": "村里同意：“先行”\n第二行"}
    (tmp_path / "out").mkdir()
    path = _locks(tmp_path / "out", row)
    first = _run(config, "--locks", path, "--force")
    assert first[0] == pytest.approx(TURNED)
    written = pyogrio.read_dataframe(tmp_path / "out" / "plan.gpkg", layer="parcels").set_index("parcel_id")
    assert written["note"].dropna().to_dict() == {"P02": row["note"]}
    assert path.exists()  # files that no run writes stay
    resolved = load_config(tmp_path / "out" / "config.resolved.yaml").config.optimise.locks
    assert (resolved.at, resolved.out, resolved.notes) == ({"P02": "P1"}, (), {"P02": row["note"]})
    path.unlink()
    assert _run(tmp_path / "out" / "config.resolved.yaml", out="again") == first
    assert planner("check", tmp_path / "out").exit_code == 0


def test_the_column_edited_in_a_gis_is_obeyed(tmp_path: Path) -> None:
    config = _case(tmp_path, {"optimise": {"phases": [{"id": "P1", "year": 1}, {"id": "P2", "year": 2}]}})
    _, before = _run(config)
    assert set(before.values()) == {1}  # all at once
    edited = _edit(tmp_path / "out" / "plan.gpkg", tmp_path / "edited.gpkg", P03="Out", P01="ａｔ　p2")
    value, after = _run(config, "--locks", edited)
    assert after == {"P00": 2, "P01": 2, "P02": None, "P03": None}
    assert value == pytest.approx(1950 / 1.1)
    written = pyogrio.read_dataframe(tmp_path / "out" / "plan.gpkg", layer="parcels").set_index("parcel_id")
    assert written["locked"].dropna().to_dict() == {"P01": "at P2", "P03": "out"}
    again = _run(config, "--locks", tmp_path / "out" / "plan.gpkg")  # in the folder that is replaced
    assert again == (value, after)


def test_the_same_file_after_other_order_and_repair(tmp_path: Path) -> None:
    config = _case(tmp_path)
    path = _locks(tmp_path, {"parcel_id": "P02", "lock": "at", "phase": "P1"})
    value = _run(config, "--locks", path)
    write_land(tmp_path, grid_land(1, 4).iloc[::-1].reset_index(drop=True))
    assert _run(config, "--locks", path) == value


def test_locks_of_other_land_are_warned_of(tmp_path: Path) -> None:
    config = _case(tmp_path)
    _run(config)
    known = json.loads((tmp_path / "out" / "summary.json").read_text(encoding="utf-8"))["input_hash"]
    row = {"parcel_id": "P00", "lock": "in"}
    same = planner("validate", config, "--locks", _locks(tmp_path, row, input_hash=known))
    other = planner("validate", config, "--locks", _locks(tmp_path, row, input_hash="1a"))
    run = planner("run", config, "--out", tmp_path / "out", "--locks", tmp_path / "locks.json")
    assert (same.exit_code, other.exit_code, run.exit_code) == (0, 0, 0)
    assert "other land" not in same.stderr
    for result in (other, run):
        assert "warning: " in result.stderr
        assert "made for other land" in result.stderr
        assert "1 in, 0 out" in result.stderr


@pytest.mark.parametrize("command", ["run", "validate"])
def test_unknown_ids_are_refused_with_the_name_of_the_file(tmp_path: Path, command: str) -> None:
    rows = [
        {"parcel_id": "P77", "lock": "in"},
        {"parcel_id": "P88", "lock": "at", "phase": "P1", "note": "gone?"},
        {"parcel_id": "P99", "note": "who is this"},
    ]
    path = _locks(tmp_path, *rows)
    result = planner(command, _case(tmp_path), "--locks", path)
    assert result.exit_code == 2
    for place, parcel in (("locked in", "P77"), ("locked at", "P88"), ("notes", "P99")):
        assert f"--locks {path}, {place}: found parcels that are not in the layer" in result.stderr
        assert result.stderr.count(parcel) == 1


def test_refusals_name_entries(tmp_path: Path) -> None:
    config = _case(tmp_path)
    rows = [{"parcel_id": "P00", "lock": "at", "phase": "P5"}, {"parcel_id": "P00", "lock": "out"}]
    text = _refused(config, "--locks", _locks(tmp_path, *rows), code=3)
    assert "entry 1 (parcel P00)" in text
    assert "expected a phase of the configuration: P1, P2" in text
    assert "entry 2 (parcel P00)" in text
    assert "Data error (2 problems)" in text
    assert not (tmp_path / "out").exists()


def test_locks_from_two_places_are_refused(tmp_path: Path) -> None:
    path = _locks(tmp_path)
    text = _refused(_case(tmp_path), "--locks", path, "--set", "optimise.locks.in=[P00]", code=2)
    assert "--set optimise.locks.in" in text


def test_a_gate_that_opens_after_the_phase_contradicts_the_lock(tmp_path: Path) -> None:
    gates = [{"name": "papers", "year": "far * 10 - 2"}]  # far 0.3, 0.4, 0.5, 0.6: years 1, 2, 3 (never), 4
    config = _case(tmp_path, {"optimise": {"earliest": gates}})
    rows = [{"parcel_id": f"P0{k}", "lock": "at", "phase": "P1"} for k in range(3)]
    path = _locks(tmp_path, *rows)
    text = _refused(config, "--locks", path, code=2)
    assert f"--locks {path}, locked at: found parcels locked at a phase in which they are not open yet" in text
    assert "P01 (at P1, open from P2), P02 (at P1, never open)" in text
    assert "P00" not in text


def test_the_judge_sees_a_parcel_in_another_phase(tmp_path: Path) -> None:
    config = _case(tmp_path)
    _run(config, "--locks", _locks(tmp_path, {"parcel_id": "P00", "lock": "at", "phase": "P2"}))
    tables, resolved, claims = read_plan(tmp_path / "out")
    assert check_plan(tables, resolved, claims).passed
    tables.parcels["phase"] = 3 - tables.parcels["phase"]  # the other plan: every rule but the lock is kept
    tables.blocks["phase"] = 3 - tables.blocks["phase"]
    rules = {f.rule for f in check_plan(tables, resolved).findings}
    assert rules == {"locks"}
