"""The command line as a newcomer uses it: help, run, check, validate, solve; what is repeatable, and Ctrl-C."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from typer.testing import Result

from planner.check import read_plan
from planner.config_file import load_config
from planner.interrupts import Interrupts
from tests.conftest import REPOSITORY
from tests.planner.land_builders import (
    GENERATED,
    PLAN_FILES,
    by_id,
    case,
    grid_land,
    names,
    planner,
    shuffled,
    write_config,
    write_land,
)


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Result]:
    """A folder with land, configuration and one run, and what the run said; not to be changed."""
    folder = tmp_path_factory.mktemp("planned")
    result = planner("run", case(folder), "--out", folder / "out")
    assert result.exit_code == 0, result.output
    return folder, result


@pytest.fixture
def planned(finished: tuple[Path, Result]) -> Path:
    return finished[0]


def summary(folder: Path) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads((folder / "summary.json").read_text(encoding="utf-8"))
    return loaded


def blocks(folder: Path) -> set[tuple[int, frozenset[str]]]:
    """Blocks as phase and parcels."""
    features = json.loads((folder / "plan.geojson").read_text(encoding="utf-8"))["features"]
    rows = [f["properties"] for f in features]
    ids = {r["block_id"] for r in rows if r["block_id"]}
    return {
        (
            next(r["phase"] for r in rows if r["block_id"] == b),
            frozenset(r["parcel_id"] for r in rows if r["block_id"] == b),
        )
        for b in ids
    }


# ------------------------------------------------------------------------------------------------ help


def test_help_names_every_command() -> None:
    text = planner("--help").output
    for command in ("run", "check", "validate", "init", "solve"):
        assert re.search(rf"^  {command} +\S", text, re.MULTILINE)
    assert "..." not in text.split("Commands:")[1]  # no explanation is cut off


@pytest.mark.parametrize("command", ["run", "check", "validate", "init", "solve"])
def test_every_command_explains_itself_and_the_exit_codes(command: str) -> None:
    result = planner(command, "--help")
    assert result.exit_code == 0
    for code in (0, 1, 2, 3, 4, 5, 6, 130):
        assert re.search(rf"^ +{code} +\w", result.output, re.MULTILINE), code


def test_no_arguments_show_the_help() -> None:
    assert "Commands:" in planner().output


def test_version() -> None:
    result = planner("--version")
    assert result.exit_code == 0
    assert re.fullmatch(r"planner \d+\.\d+\.\d+\s*", result.output)


def test_help_does_not_wait_for_solvers() -> None:
    code = (
        "import sys, planner.cli; print([m for m in ('ortools', 'numba', 'folium', 'geopandas') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=REPOSITORY)
    assert done.stdout.strip() == "[]"


# ------------------------------------------------------------------------------------------------ run


def test_run_leaves_exactly_its_files(planned: Path) -> None:
    assert names(planned / "out") == PLAN_FILES
    assert names(planned) == {"parcels.gpkg", "config.yaml", "out"}
    told = summary(planned / "out")
    assert told["status"] == "optimal"
    assert told["interrupted"] is False
    assert told["check"]["passed"] is True
    assert told["objective"] <= told["bound"]
    assert all(p["cumulative_mu"] >= p["target_mu"] for p in told["phases"])


def test_run_says_what_was_reached_and_where_to_look(finished: tuple[Path, Result]) -> None:
    _, result = finished
    for piece in ("grid: optimal plan", "P1 (year 1)", "target 30.00 mu", "gap 0.00%", "map.html", "check passed"):
        assert piece in result.stdout
    for stage in ("read", "repair", "adjacency", "score", "solve", "write"):
        assert f"✓ {stage}" in result.stderr


def test_a_run_replaces_an_earlier_one(planned: Path, tmp_path: Path) -> None:
    shutil.copytree(planned, tmp_path / "copy")
    (tmp_path / "copy" / "out" / "notes.txt").write_text("mine", encoding="utf-8")
    result = planner(
        "run", tmp_path / "copy" / "config.yaml", "--out", tmp_path / "copy" / "out", "--set", "project.name=new"
    )
    assert result.exit_code == 0, result.output
    assert summary(tmp_path / "copy" / "out")["project"]["name"] == "new"
    assert names(tmp_path / "copy" / "out") == {*PLAN_FILES, "notes.txt", "plan.previous.xlsx", "plan.previous.gpkg"}
    assert names(tmp_path / "copy") == {"parcels.gpkg", "config.yaml", "out"}


def test_a_folder_of_others_needs_force_and_its_files_stay(tmp_path: Path) -> None:
    config = case(tmp_path)
    out = tmp_path / "letters"
    out.mkdir()
    (out / "to-the-mayor.txt").write_text("Dear", encoding="utf-8")
    refused = planner("run", config, "--out", out)
    assert refused.exit_code == 2
    assert "--force" in refused.output
    assert names(out) == {"to-the-mayor.txt"}
    allowed = planner("run", config, "--out", out, "--force", "--quiet")
    assert allowed.exit_code == 0
    assert allowed.stderr == ""
    assert "optimal plan" in allowed.stdout
    assert names(out) == {*PLAN_FILES, "to-the-mayor.txt"}
    assert (out / "to-the-mayor.txt").read_text(encoding="utf-8") == "Dear"


def test_paths_do_not_depend_on_where_the_command_is_given(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, planned: Path
) -> None:
    shutil.copytree(planned, tmp_path / "land", ignore=shutil.ignore_patterns("out"))
    (tmp_path / "desk").mkdir()
    monkeypatch.chdir(tmp_path / "desk")
    result = planner("run", Path("..") / "land" / "config.yaml")  # --out is `out` here
    assert result.exit_code == 0, result.output
    assert names(tmp_path / "desk" / "out") == PLAN_FILES
    assert summary(tmp_path / "desk" / "out")["config_hash"] == summary(planned / "out")["config_hash"]


# ------------------------------------------------------------------------------------------------ precedence


def test_config_scenario_set_flags(tmp_path: Path) -> None:
    config = case(tmp_path, {"solve": {"gap": 0.1, "time_limit_s": 11, "seed": 1}})
    (tmp_path / "scenarios").mkdir()
    write = (tmp_path / "scenarios" / "other.yaml").write_text
    write("solve: {gap: 0.2, time_limit_s: 12, seed: 2}\nproject: {name: other}\n", encoding="utf-8")
    arguments = ["--scenario", "other", "--set", "solve.time_limit_s=13", "--set", "solve.seed=3", "--seed", "4"]
    result = planner("run", config, "--out", tmp_path / "out", *arguments)
    assert result.exit_code == 0, result.output
    used = load_config(tmp_path / "out" / "config.resolved.yaml").config
    assert used.solve.gap == 0.2  # scenario over config
    assert used.solve.time_limit_s == 13  # --set over scenario
    assert used.solve.seed == 4  # a flag over --set
    assert used.project.name == "other"
    assert used.optimise.phases[0].target_mu == 30  # what nobody changed stays


# ------------------------------------------------------------------------------------------------ repeatable


def test_the_resolved_configuration_repeats_the_plan(planned: Path, tmp_path: Path) -> None:
    shutil.copytree(planned, tmp_path / "copy")
    again = planner("run", tmp_path / "copy" / "out" / "config.resolved.yaml", "--out", tmp_path / "copy" / "again")
    assert again.exit_code == 0, again.output
    first, second = summary(planned / "out"), summary(tmp_path / "copy" / "again")
    assert second["objective"] == first["objective"]
    assert blocks(tmp_path / "copy" / "again") == blocks(planned / "out")
    for key in ("config_hash", "input_hash", "gap"):
        assert second[key] == first[key]


def test_the_same_seed_gives_the_same_files(planned: Path, tmp_path: Path) -> None:
    shutil.copytree(planned, tmp_path / "copy", ignore=shutil.ignore_patterns("out"))
    result = planner("run", tmp_path / "copy" / "config.yaml", "--out", tmp_path / "copy" / "out")
    assert result.exit_code == 0
    for name in ("plan.geojson", "blocks.geojson", "problem.json", "config.resolved.yaml", "plan.gpkg"):
        assert (tmp_path / "copy" / "out" / name).read_bytes() == (planned / "out" / name).read_bytes(), name


def test_the_order_of_parcels_changes_nothing(planned: Path, tmp_path: Path) -> None:
    land = grid_land()
    write_land(tmp_path, shuffled(land, [(7 * k + 3) % len(land) for k in range(len(land))]))
    result = planner("run", write_config(tmp_path), "--out", tmp_path / "out")
    assert result.exit_code == 0
    assert blocks(tmp_path / "out") == blocks(planned / "out")
    assert summary(tmp_path / "out")["objective"] == pytest.approx(summary(planned / "out")["objective"], rel=1e-12)
    mine, theirs = (by_id(read_plan(f / "out")[0].parcels) for f in (tmp_path, planned))
    assert mine["status"].tolist() == theirs["status"].tolist()
    assert (
        mine["reason"].str.replace(r"P\d-\d+", "", regex=True).tolist()
        == theirs["reason"].str.replace(r"P\d-\d+", "", regex=True).tolist()
    )


# ------------------------------------------------------------------------------------------------ check


def test_check_passes_what_run_wrote(planned: Path) -> None:
    result = planner("check", planned / "out")
    assert result.exit_code == 0
    assert "passed" in result.output
    report = json.loads(planner("check", planned / "out", "--json").stdout)
    assert report["passed"] is True


def test_check_refuses_a_plan_that_misses_its_target(planned: Path, tmp_path: Path) -> None:
    shutil.copytree(planned / "out", tmp_path / "out")
    config = tmp_path / "out" / "config.resolved.yaml"
    text = config.read_text(encoding="utf-8")
    assert "target_mu: 60.0" in text
    config.write_text(text.replace("target_mu: 60.0", "target_mu: 600.0"), encoding="utf-8")
    result = planner("check", tmp_path / "out")
    assert result.exit_code == 6
    assert "600" in result.output
    assert json.loads(planner("check", tmp_path / "out", "--json").stdout)["passed"] is False


def test_check_without_a_plan_is_a_data_error(tmp_path: Path) -> None:
    result = planner("check", tmp_path)
    assert result.exit_code == 3
    assert "plan.gpkg" in result.stderr


# ------------------------------------------------------------------------------------------------ validate


def test_validate_tells_about_the_data_and_writes_nothing(tmp_path: Path) -> None:
    land = grid_land()
    land.loc[[2, 3], "tax"] = None
    config = case(tmp_path, land=land)
    before = names(tmp_path)
    result = planner("validate", config)
    assert result.exit_code == 0
    assert "20.00      2  field tax_wan_yuan_per_mu unknown" in result.stdout
    assert "P02, P03" in result.stdout
    assert "can be planned" in result.stdout
    assert names(tmp_path) == before


def test_validate_finds_what_run_would_refuse(tmp_path: Path) -> None:
    config = case(tmp_path, {"optimise": {"locks": {"in": ["P99"]}}})
    result = planner("validate", config)
    assert result.exit_code == 2
    assert "P99" in result.stderr


# ------------------------------------------------------------------------------------------------ solve


def test_solve_gives_the_objective_of_the_run(planned: Path, tmp_path: Path) -> None:
    problem = tmp_path / "problem.json"
    shutil.copy(planned / "out" / "problem.json", problem)
    result = planner("solve", problem, "--gap", "0", "--seed", "1")
    assert result.exit_code == 0, result.output
    solution = json.loads((tmp_path / "solution.json").read_text(encoding="utf-8"))
    assert solution["objective"] == summary(planned / "out")["objective"]
    assert {(b["phase"], frozenset(b["parcel_ids"])) for b in solution["blocks"]} == blocks(planned / "out")
    assert names(tmp_path) == {"problem.json", "solution.json"}
    elsewhere = planner("solve", problem, "--out", tmp_path / "other.json", "--gap", "0", "--quiet")
    assert elsewhere.exit_code == 0
    assert (tmp_path / "other.json").is_file()


@pytest.mark.parametrize(
    ("content", "message"),
    [(None, "no such file"), ("{", "no JSON"), ("{}", "format"), ('{"format": "x"}', "format")],
)
def test_solve_refuses_what_is_no_problem(tmp_path: Path, content: str | None, message: str) -> None:
    problem = tmp_path / "problem.json"
    if content is not None:
        problem.write_text(content, encoding="utf-8")
    result = planner("solve", problem)
    assert result.exit_code == 3
    assert message in result.stderr
    assert not (tmp_path / "solution.json").exists()


def test_solve_needs_a_place_for_its_answer(planned: Path, tmp_path: Path) -> None:
    for target in (tmp_path, tmp_path / "nowhere" / "solution.json"):
        result = planner("solve", planned / "out" / "problem.json", "--out", target)
        assert result.exit_code == 2
        assert "--out" in result.stderr
    assert names(tmp_path) == set()


def test_solve_says_how_far_a_target_can_be_reached(planned: Path, tmp_path: Path) -> None:
    data = json.loads((planned / "out" / "problem.json").read_text(encoding="utf-8"))
    data["targets"][-1]["floor"] = 500.0
    (tmp_path / "problem.json").write_text(json.dumps(data), encoding="utf-8")
    result = planner("solve", tmp_path / "problem.json")
    assert result.exit_code == 4
    assert "at most 100.00 mu" in result.stderr
    assert names(tmp_path) == {"problem.json"}


# ------------------------------------------------------------------------------------------------ Ctrl-C


@contextmanager
def _started(folder: Path, config: Path) -> Iterator[subprocess.Popen[str]]:
    flags = {"creationflags": subprocess.CREATE_NEW_PROCESS_GROUP} if os.name == "nt" else {}
    arguments = ["run", str(config), "--out", str(folder / "out")]
    process = subprocess.Popen(
        [sys.executable, "-m", "planner.cli", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        encoding="utf-8",
        cwd=REPOSITORY,
        **flags,  # type: ignore[call-overload]
    )
    try:
        yield process
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate()


def _interrupt_at(process: subprocess.Popen[str], line_is_it: Callable[[str], bool]) -> tuple[str, str]:
    """Send Ctrl-C when a line of progress appears; all of stdout and stderr."""
    seen = ""
    assert process.stderr is not None
    for line in process.stderr:
        seen += line
        if line_is_it(line):
            break
    process.send_signal(signal.SIGINT)
    out, rest = process.communicate(timeout=60)
    return out, seen + rest


@pytest.mark.skipif(os.name == "nt", reason="Ctrl-C cannot be sent to one process on Windows")
def test_one_ctrl_c_in_the_solve_keeps_the_best_plan(tmp_path: Path) -> None:
    """144 parcels with a gap of 0: the search has a plan at once and no proof for a long time."""
    land = grid_land(12, 12)
    land["tax"] = [(37 * k * k + 11 * k) % 190 / 10 for k in range(len(land))]
    phases = [
        {"id": "P1", "year": 1, "target_mu": 200, "budget": 300},
        {"id": "P2", "year": 3, "target_mu": 500, "budget": 400},
    ]
    config = case(
        tmp_path,
        {"optimise": {"phases": phases, "cost": {"value": "1", "per": "mu"}}, "solve": {"time_limit_s": 50}},
        land=land,
    )
    with _started(tmp_path, config) as process:
        out, err = _interrupt_at(process, lambda line: line.startswith("… solve") and "best" in line)
    assert process.returncode == 0, err
    assert "best plan so far" in err
    assert "Ctrl-C" in out
    told = summary(tmp_path / "out")
    assert told["interrupted"] is True
    assert told["stopped_by"] == "interrupt"
    assert told["check"]["passed"] is True
    assert told["gap"] > 0
    assert all(p["cumulative_mu"] >= p["target_mu"] for p in told["phases"])
    assert names(tmp_path / "out") == PLAN_FILES
    assert names(tmp_path) == {"parcels.gpkg", "config.yaml", "out"}


@pytest.mark.skipif(os.name == "nt", reason="Ctrl-C cannot be sent to one process on Windows")
def test_ctrl_c_before_any_plan_leaves_nothing(tmp_path: Path) -> None:
    config = write_config(tmp_path, *GENERATED, {"parcels": {"synthetic": {"n_parcels": 6000}}})
    with _started(tmp_path, config) as process:
        out, err = _interrupt_at(process, lambda line: line.startswith("✓ read"))
    assert process.returncode == 130, err
    assert "nothing was written" in err
    assert "Traceback" not in err
    assert out == ""
    assert names(tmp_path) == {"config.yaml"}


@pytest.mark.skipif(os.name == "nt", reason="signals are raised differently on Windows")
def test_ctrl_c_asks_once_in_the_solve_and_ends_before_it(capfd: pytest.CaptureFixture[str]) -> None:
    before = signal.getsignal(signal.SIGINT)
    with Interrupts() as interrupts:
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
        with interrupts.stoppable() as asked:
            assert asked() is False
            signal.raise_signal(signal.SIGINT)
            assert asked() is True
        with pytest.raises(KeyboardInterrupt):  # the second one, while the files are written
            signal.raise_signal(signal.SIGINT)
    assert signal.getsignal(signal.SIGINT) is before
    assert capfd.readouterr().err.count("best plan so far") == 1
