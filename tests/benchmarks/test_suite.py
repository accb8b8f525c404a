"""Cases, rows, tables and figures of the benchmark suite."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmarks import cases, optimise
from benchmarks.cases import CASES, Case
from benchmarks.fabric import CEILING, FABRICS, fabric_problem, regions
from benchmarks.figures import BEGIN, END, PAGE, between_markers, draw, gap_over_time, improvement, report
from benchmarks.measure import measure
from benchmarks.places import MissingDataError, instances
from planner.problem import Problem
from planner.problem_checks import check_problem
from tests.planner.optimise.instances import grid_problem

COLUMNS = ["case", "parcels", "phases", "objective", "bound", "gap", "seconds", "peak_mb"]
COLUMNS += ["baseline", "baseline_objective", "baseline_seconds"]


@pytest.fixture(scope="module")
def circle() -> Problem:
    return fabric_problem(FABRICS["generated-300"])


def test_the_circle_is_one_piece_of_land_with_ceilings(circle: Problem) -> None:
    check_problem(circle)
    assert circle.n == 300
    assert circle.zones == ("1片",)
    assert 8 < circle.area_mu.mean() < 12
    land = circle.area_mu.sum()
    assert [t.floor / land for t in circle.targets] == pytest.approx([0.04, 0.10, 0.20], abs=1e-4)
    for target in circle.targets:
        assert target.floor >= circle.block_min_mu
        assert target.ceiling == pytest.approx(CEILING * target.floor, abs=0.1)


def test_regions_with_floors_ask_for_less_than_all_may_take() -> None:
    problem = fabric_problem(FABRICS["generated-1000"])
    assert problem.n == 1_000
    assert np.bincount(problem.zone).tolist() == [500, 500]
    last = len(problem.phases) - 1
    wanted = sum(t.floor for t in problem.targets if t.zone >= 0 and t.phase == last)
    assert 0 < wanted < next(t.floor for t in problem.targets if t.zone < 0 and t.phase == last)


def test_regions_are_merged_in_order_or_cut_in_two() -> None:
    zone = np.array([0, 0, 1, 1, 2, 2, 3, -1])
    xy = np.column_stack([np.arange(8.0), np.zeros(8)])
    area = np.ones(8)
    assert regions(zone, xy, area, 2).tolist() == [0, 0, 0, 0, 1, 1, 1, -1]
    assert regions(zone, xy, area, 4).tolist() == zone.tolist()
    large = np.array([0, 0, 0, 0, 1, 1, 1, -1])
    assert regions(large, xy, area, 3).tolist() == [0, 0, 2, 2, 1, 1, 1, -1]


def test_a_case_is_built_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    built = []

    def build() -> Problem:
        built.append(1)
        return grid_problem(3, 2)

    monkeypatch.setenv("PLANNER_BENCH_CACHE", str(tmp_path / "deep" / "cache"))
    monkeypatch.setitem(cases.CASES, "grid", Case("grid", "real", build, 1.0))
    first, second = cases.load("grid"), cases.load("grid")
    assert len(built) == 1
    assert np.array_equal(first.pairs, second.pairs)
    assert first.targets == second.targets
    monkeypatch.setattr(cases, "builders_digest", lambda: "other code")
    cases.load("grid")
    assert len(built) == 2


def test_data_that_are_missing_say_how_to_name_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PLANNER_BENCH_DATA", str(tmp_path))
    with pytest.raises(MissingDataError, match="PLANNER_BENCH_DATA"):
        CASES["mwcs/lymphoma"].build()


def test_quick_cases_fit_into_five_minutes() -> None:
    quick = [c for c in CASES.values() if c.quick]
    assert {"generated-300", "generated-1000", "generated-3000"} <= {c.name for c in quick}
    ours = sum(c.seconds for c in quick)
    models = 2 * optimise.QUICK_BASELINE_S * sum(c.name in ("generated-300", "generated-1000") for c in quick)
    assert ours + models <= 240


def test_gap_over_time_keeps_the_best_of_both() -> None:
    trace: list[list[float | None]] = [[0.5, None, 200.0], [1.0, 100.0, 150.0], [2.0, 90.0, 110.0], [3.0, 105.0, 120.0]]
    assert [s for s, _ in gap_over_time(trace)] == [1.0, 2.0, 3.0]
    assert [g for _, g in gap_over_time(trace)] == pytest.approx([0.5, 0.1, 5 / 105])


def test_the_generated_part_is_replaced_and_nothing_else() -> None:
    page = f"a\n{BEGIN}\nold\n{END}\nb\n"
    assert between_markers(page, "new") == f"a\n{BEGIN}\nnew\n{END}\nb\n"
    with pytest.raises(ValueError, match="markers"):
        between_markers("no markers", "new")
    assert between_markers(PAGE.read_text(encoding="utf-8"), "x")


def run_suite(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, planner: dict[str, Any]
) -> tuple[int, list[Any], dict[str, Any]]:
    """The suite on a grid, without processes."""

    def measured(case: str, solver: str, seconds: float, gap: float, seed: int) -> dict[str, Any]:
        if solver == "planner":
            return planner
        return {"objective": 80.0, "seconds": 2.0, "peak_mb": 5.0, "faults": [], "note": "x"}

    monkeypatch.setenv("PLANNER_BENCH_CACHE", str(tmp_path / "cache"))
    monkeypatch.setitem(cases.CASES, "generated-6", Case("generated-6", "generated", lambda: grid_problem(3, 2), 1.0))
    monkeypatch.setattr(optimise, "measure", measured)
    code = optimise.main(["--case", "generated-6", "--no-docs", "--out", str(tmp_path)])
    rows = json.loads((tmp_path / "latest.json").read_text(encoding="utf-8"))
    meta = json.loads((tmp_path / "latest-meta.json").read_text(encoding="utf-8"))
    return code, rows, meta


GOOD = {
    "objective": 100.0, "judged_objective": 100.0, "faults": [], "bound": 101.0, "gap": 0.01, "bound_proof": "cuts",
    "seconds": 1.23456, "peak_mb": 99.6, "trace": [[1.0, 100.0, 101.0]],
}  # fmt: skip


def test_rows_tables_and_notes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    code, rows, meta = run_suite(tmp_path, monkeypatch, GOOD)
    assert code == 0
    assert [r["baseline"] for r in rows] == ["greedy", "monolithic CP-SAT", "parcel-phase MIP"]
    assert all(list(r) == COLUMNS for r in rows)
    assert rows[0]["seconds"] == 1.23
    assert improvement(rows[0]) == pytest.approx(0.25)
    assert set(meta["versions"]) >= {"ortools", "numpy"}
    text = report(rows, meta)
    load = f"{meta['cases']['generated-6']['load_after']:.1f}"
    assert f"| generated-6 | 6 | 1 | 1.00% | 1.2 | 100 | {load} | greedy | +25.0% | 2.0 |" in text
    assert text.count("generated-6") == 1  # named once, its other baselines below it


def test_rows_that_are_not_measured_again_stay(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(cases.CASES, "generated-4", Case("generated-4", "generated", lambda: grid_problem(2, 2), 1.0))
    run_suite(tmp_path, monkeypatch, GOOD)
    assert optimise.main(["--case", "generated-4", "--no-docs", "--no-baselines", "--out", str(tmp_path)]) == 0
    rows = json.loads((tmp_path / "latest.json").read_text(encoding="utf-8"))
    meta = json.loads((tmp_path / "latest-meta.json").read_text(encoding="utf-8"))
    assert [r["case"] for r in rows] == ["generated-4"] + 3 * ["generated-6"]
    assert set(meta["cases"]) == {"generated-4", "generated-6"}
    _, rows, _ = run_suite(tmp_path, monkeypatch, GOOD)
    assert [r["case"] for r in rows] == ["generated-4"] + 3 * ["generated-6"]  # replaced, not doubled
    meta["versions"]["ortools"] = "another"
    (tmp_path / "latest-meta.json").write_text(json.dumps(meta), encoding="utf-8")
    _, rows, _ = run_suite(tmp_path, monkeypatch, GOOD)
    assert {r["case"] for r in rows} == {"generated-6"}  # of other versions: not comparable


def test_figures_are_drawn(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _, rows, meta = run_suite(tmp_path, monkeypatch, GOOD)
    draw(rows, meta, tmp_path / "images")
    for name in ("benchmark-gap.png", "benchmark-growth.png"):
        assert (tmp_path / "images" / name).read_bytes().startswith(b"\x89PNG")


def test_a_plan_that_is_not_what_it_says_fails_the_suite(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert run_suite(tmp_path, monkeypatch, GOOD | {"judged_objective": 90.0})[0] == 1
    assert run_suite(tmp_path, monkeypatch, GOOD | {"faults": ["not one piece"]})[0] == 1


def test_a_solve_that_fails_is_a_row_without_figures(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    code, rows, meta = run_suite(tmp_path, monkeypatch, {"error": "it broke", "peak_mb": 1.0})
    assert code == 0
    assert rows[0]["objective"] is None
    assert "it broke" in report(rows, meta)


def test_published_seconds_are_those_of_the_quickest_formulation() -> None:
    try:
        instances("brcmwcs")
    except MissingDataError as missing:
        pytest.skip(str(missing))
    assert optimise.published_seconds("i-111") == 17.8
    assert optimise.published_seconds("i-999") is None


def test_a_measurement_in_a_process_of_its_own() -> None:
    name = "mwcs/MWCS-I-D-n-500-a-0.62-d-0.75-e-0.25"
    try:
        CASES[name].build()
    except MissingDataError as missing:
        pytest.skip(str(missing))
    measured = measure(name, "greedy", 5.0, 0.0, 0)
    known = cases.published(name)
    assert known is not None
    assert measured["parcels"] == 500
    assert 0 < measured["objective"] <= known.optimum + 1e-6
    assert measured["peak_mb"] > 50
    assert "error" in measure(name, "no such solver", 5.0, 0.0, 0)
