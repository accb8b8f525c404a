"""The stages joined: what a run hands over, what it tells on the way, and what the summary holds."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from geodata.write import write_json
from planner.config import Config
from planner.config_file import config_hash, load_config
from planner.errors import InfeasibleError, NoPlanInTimeError
from planner.pipeline import prepare_run, result_of, run
from planner.problem import Block, Plan
from planner.run_result import RunResult
from planner.tables import BLOCK_COLUMNS, PARCEL_COLUMNS
from tests.planner.land_builders import case, grid_land

COST = {"optimise": {"cost": {"value": "2", "per": "mu"}}}


class Listener:
    """Keeps what a run tells."""

    def __init__(self) -> None:
        self.stages: list[str] = []
        self.ended: list[str] = []
        self.solves: list[tuple[float | None, float, float]] = []

    def stage(self, name: str) -> None:
        self.stages.append(name)

    def done(self, text: str) -> None:
        self.ended.append(text)

    def solve(self, objective: float | None, bound: float, seconds: float) -> None:
        self.solves.append((objective, bound, seconds))


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> tuple[Config, RunResult, Listener]:
    config = load_config(case(tmp_path_factory.mktemp("run"), COST)).config
    listener = Listener()
    return config, run(config, listener), listener


def test_a_run_hands_over_plan_tables_and_summary(finished: tuple[Config, RunResult, Listener]) -> None:
    _, result, _ = finished
    assert result.error is None
    assert result.plan is not None
    assert result.tables is not None
    assert tuple(result.tables.parcels.columns[: len(PARCEL_COLUMNS)]) == PARCEL_COLUMNS
    assert tuple(result.tables.blocks.columns[: len(BLOCK_COLUMNS)]) == BLOCK_COLUMNS
    assert len(result.tables.blocks) == len(result.plan.blocks)
    assert len(result.tables.parcels) == 12


def test_the_summary_is_json_and_agrees_with_the_tables(
    finished: tuple[Config, RunResult, Listener], tmp_path: Path
) -> None:
    config, result, _ = finished
    write_json(result.summary, tmp_path / "summary.json")
    told = json.loads((tmp_path / "summary.json").read_text(encoding="utf-8"))
    assert result.tables is not None
    assert result.plan is not None
    parcels = result.tables.parcels
    selected = parcels[parcels["status"] == "selected"]
    assert told["phases"][-1]["cumulative_mu"] == pytest.approx(selected["area_mu"].sum())
    assert sum(p["area_mu"] for p in told["phases"]) == pytest.approx(selected["area_mu"].sum())
    assert sum(p["cost"] for p in told["phases"]) == pytest.approx(2 * selected["area_mu"].sum())
    assert sum(z["phases"][-1]["cumulative_mu"] for z in told["zones"].values()) == pytest.approx(
        selected["area_mu"].sum()
    )
    assert told["counts"]["parcels"] == 12
    assert told["counts"]["parcels_selected"] == len(selected)
    assert told["counts"]["parcels_excluded"] == 2
    assert told["counts"]["blocks"] == len(told["blocks"]) == len(result.plan.blocks)
    assert told["config_hash"] == config_hash(config)
    assert told["seed"] == 1
    assert told["objective"] == result.plan.objective
    assert told["gap_abs"] == pytest.approx(told["bound"] - told["objective"])
    assert re.fullmatch(r"[0-9a-f]{64}", told["input_hash"])
    assert {"land", "score", "solve", "tables"} <= set(told["seconds"])
    assert told["land"]["total_mu"] == pytest.approx(120)
    assert told["land"]["available_mu"] == pytest.approx(100)
    assert told["land"]["last_target_share_of_available"] == pytest.approx(0.6)


def test_every_stage_is_told_and_ended(finished: tuple[Config, RunResult, Listener]) -> None:
    _, _, listener = finished
    assert [s for s in listener.stages if s != "compile"] == [
        "read",
        "repair",
        "layers",
        "adjacency",
        "score",
        "solve",
    ]
    assert len(listener.ended) == len(listener.stages)
    assert "12 parcels" in listener.ended[0]
    bounds = [bound for _, bound, _ in listener.solves]
    assert bounds == sorted(bounds, reverse=True)
    values = [value for value, _, _ in listener.solves if value is not None]
    assert values == sorted(values)


def test_every_parcel_has_a_reason(finished: tuple[Config, RunResult, Listener]) -> None:
    _, result, _ = finished
    assert result.tables is not None
    parcels = result.tables.parcels.set_index("parcel_id")
    assert parcels["reason"].str.len().min() > 0
    assert parcels.loc["P01", "reason"] == "excluded: housing"
    for _, row in parcels[parcels["status"] == "selected"].iterrows():
        assert row["reason"].startswith(f"in block {row['block_id']}: ")


def drawn(tmp_path: Path, *blocks: tuple[int, ...]) -> RunResult:
    """Blocks drawn by hand in a row of six parcels, of which P03 is housing."""
    land = grid_land(1, 6)
    land["use"] = ["housing" if k == 3 else "industry" for k in range(6)]
    notes = {"optimise": {"locks": {"notes": {"P02": "the owner is abroad"}}}}
    phases = {"optimise": {"phases": [{"id": "P1", "year": 1}]}, "adjacency": {"bridge_max_m": 0}}
    prepared = prepare_run(load_config(case(tmp_path, phases, notes, land=land)).config)
    plan = Plan(tuple(Block(b, 0) for b in blocks), 0.0, 0.0, "nothing", "feasible", "drawn", 0, False)
    return result_of(prepared, plan)


def test_what_single_decisions_do_stands_beside_the_plan(tmp_path: Path) -> None:
    result = drawn(tmp_path, (0, 1))
    assert result.tables is not None
    parcels = result.tables.parcels.set_index("parcel_id")
    # P02 scores 0.9: 10 mu worth 100 a mu, for 200 m of outline more; P04 and P05 touch no block, housing is not asked
    worth = 900.0 * result.prepared.problem.phases[0].discount
    assert parcels.loc["P02", "forced_loss"] == pytest.approx(200.0 - worth)
    assert parcels.loc[["P03", "P04", "P05"], "forced_loss"].isna().all()
    assert parcels["note"].tolist() == [None, None, "the owner is abroad", None, None, None]
    # 20 mu are the least: without one of the two the block falls
    holdouts = result.tables.holdouts
    assert sorted(holdouts["parcel_id"]) == ["P00", "P01"]
    assert holdouts["lost_mu"].tolist() == pytest.approx([20.0, 20.0])
    assert result.tables.leftovers["parcels"].tolist() == ["P02"]
    assert result.summary["holdouts"] == {"parcels": 2, "area_mu": pytest.approx(20.0), "breaking": 0}
    assert result.summary["forced"] == {
        "asked": 5,
        "known": 3,
        "better": 1,
        "best_gain": pytest.approx(worth - 200.0),
    }
    assert result.summary["leftovers"] == {"count": 1, "area_mu": pytest.approx(10.0), "parcels": 1}


def test_nothing_follows_from_one_decision_in_a_plan_that_breaks_a_rule(tmp_path: Path) -> None:
    result = drawn(tmp_path, (0,))
    assert result.tables is not None
    assert result.tables.parcels["forced_loss"].isna().all()
    assert len(result.tables.holdouts) == 0
    assert result.summary["holdouts"] is None
    assert result.summary["forced"] is None
    assert result.summary["leftovers"]["count"] == 0  # P01 and P02 together are 20 mu


def test_a_target_out_of_reach_is_a_result_with_its_reason(tmp_path: Path) -> None:
    phases = [{"id": "P1", "year": 1, "target_mu": 110}]
    result = run(load_config(case(tmp_path, {"optimise": {"phases": phases}})).config)
    assert isinstance(result.error, InfeasibleError)
    assert result.plan is None
    assert result.tables is None
    assert result.summary["status"] == "infeasible"
    assert result.summary["shortfalls"] == [
        {"target": "P1", "target_mu": 110.0, "proven_max_mu": pytest.approx(100.0), "found_mu": None, "unit": "mu"}
    ]
    assert result.summary["land"]["available_mu"] == pytest.approx(100.0)


def test_no_plan_in_time_is_a_result_with_what_was_found(tmp_path: Path) -> None:
    changes = {"optimise": {"block": {"min_mu": 10, "max_mu": 300}}, "solve": {"time_limit_s": 0.001}}
    result = run(load_config(case(tmp_path, changes, land=grid_land(6, 6))).config)
    assert isinstance(result.error, NoPlanInTimeError)
    assert result.summary["status"] == "no_plan"
    assert {s["target"] for s in result.summary["shortfalls"]} == {"P1", "P2"}


def test_the_guard_is_open_only_during_the_solve(tmp_path: Path) -> None:
    events: list[str] = []

    class Loud(Listener):
        def stage(self, name: str) -> None:
            events.append(name)

    @contextmanager
    def guard() -> Iterator[Callable[[], bool]]:
        events.append("open")
        yield lambda: False
        events.append("closed")

    run(load_config(case(tmp_path)).config, Loud(), guard)
    assert events[-3:] == ["solve", "open", "closed"]


def test_preparing_solves_nothing_and_changes_nothing(tmp_path: Path) -> None:
    config = load_config(case(tmp_path)).config
    first, second = prepare_run(config), prepare_run(config)
    assert first.problem.parcel_ids == tuple(f"P{k:02d}" for k in range(12))
    assert first.land.input_hash == second.land.input_hash
    assert set(first.seconds) == {"land", "score"}


def test_the_input_hash_follows_the_data(tmp_path: Path) -> None:
    land = grid_land()
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    other = land.copy()
    other.loc[0, "far"] = 9.0
    hashes = [
        prepare_run(load_config(case(tmp_path / name, land=frame)).config).land.input_hash
        for name, frame in (("a", land), ("b", other))
    ]
    assert hashes[0] != hashes[1]


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"optimise": {"block": {"min_mu": 30, "max_mu": 60}}}, "less than 30 mu of connected land around it"),
        ({"optimise": {"locks": {"out": ["P02"]}}}, "locked out by the planner"),
        ({"optimise": {"earliest": [{"name": "lease", "year": "9"}]}}, "not available in any phase"),
    ],
)
def test_why_low_efficient_land_is_left_out(tmp_path: Path, changes: dict[str, Any], reason: str) -> None:
    """P00 and P02 are cut off: their neighbours are housing."""
    land = grid_land(1, 4)
    land["use"] = ["industry", "housing", "industry", "industry"]
    no_target = {"optimise": {"phases": [{"id": "P1", "year": 1}]}, "adjacency": {"bridge_max_m": 0}}
    result = run(load_config(case(tmp_path, no_target, changes, land=land)).config)
    assert result.tables is not None
    reasons = dict(zip(result.tables.parcels["parcel_id"], result.tables.parcels["reason"], strict=True))
    assert reason in reasons["P02"]
