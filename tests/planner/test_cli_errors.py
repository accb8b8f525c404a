"""Every exit code, through the command line: the message a planner reads, and what lies in ``--out`` afterwards."""

from __future__ import annotations

import dataclasses
import json
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import geopandas as gpd
import pandas as pd
import pyogrio
import pytest
import shapely
from typer.testing import Result

import planner.output
import planner.pipeline
from planner.config import Config
from planner.interrupts import Interrupts
from planner.problem import Block, Plan
from tests.planner import land_builders
from tests.planner.land_builders import (
    GENERATED,
    NO_PLAN_FILES,
    PLAN_FILES,
    case,
    grid_land,
    names,
    write_config,
    write_land,
)

WIDE = {"optimise": {"block": {"min_mu": 10, "max_mu": 300}}}
"""On 36 parcels too many blocks to list them all, so that the search has to find a plan."""


def run(config: Path, *arguments: str) -> Result:
    return land_builders.planner("run", config, "--out", config.parent / "out", *arguments)


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with land, configuration and a good run; not to be changed."""
    folder = tmp_path_factory.mktemp("finished")
    assert run(case(folder)).exit_code == 0
    return folder


@pytest.fixture
def planned(finished: Path, tmp_path: Path) -> Path:
    """A configuration in a folder of its own, with a good run beside it."""
    shutil.copytree(finished, tmp_path, dirs_exist_ok=True)
    return tmp_path / "config.yaml"


def block_of(result: Result) -> list[str]:
    """The error as it is read: title, then indented lines."""
    lines = result.stderr.splitlines()
    start = next(k for k, line in enumerate(lines) if line and not line.startswith(("✓", "…", " ")))
    return lines[start:]


def refused(result: Result, code: int, title: str, *pieces: str) -> None:
    """Exit code, one readable block, every piece in it, no traceback."""
    assert result.exit_code == code, result.output
    title_line, *texts = block_of(result)
    assert title_line.startswith(title)
    assert texts
    assert all(line.startswith("  ") for line in texts)
    text = "\n".join(texts)
    for piece in pieces:
        assert piece in text
    assert "Traceback" not in result.output
    assert result.stdout == ""


def nothing_left(folder: Path) -> None:
    assert not (folder / "out").exists()
    assert {n for n in names(folder) if n.startswith(".")} == set()


def summary(folder: Path) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads((folder / "out" / "summary.json").read_text(encoding="utf-8"))
    return loaded


# ------------------------------------------------------------------------------------------------ 2: configuration


def config_case(*changes: dict[str, Any], text: Callable[[str], str] = lambda t: t) -> Callable[[Path], Path]:
    def make(folder: Path) -> Path:
        config = case(folder, *changes)
        config.write_text(text(config.read_text(encoding="utf-8")), encoding="utf-8")
        return config

    return make


USAGE: dict[str, tuple[Callable[[Path], Path], tuple[str, ...]]] = {
    "missing config": (lambda folder: folder / "nothing.yaml", ("nothing.yaml", "no such file", "planner init")),
    "yaml syntax": (config_case(text=lambda t: t.replace("name: grid", "name: [grid")), ("line ", "syntax error")),
    "unknown key": (
        config_case({"optimise": {"blocks": {}}}),
        ("line ", "key optimise.blocks", "the unknown key 'blocks'", "Did you mean 'block'?"),
    ),
    "wrong type": (
        config_case({"solve": {"gap": "small"}}),
        ("config.yaml, line ", "key solve.gap", "'small'", "a number"),
    ),
    "bad expression": (
        config_case({"scoring": {"eligible": [{"name": "x", "when": "far > and"}]}}),
        ("line ", "key scoring.eligible[0].when", "far > and", "syntax error"),
    ),
    "hostile expression": (
        config_case({"scoring": {"eligible": [{"name": "x", "when": "().__class__"}]}}),
        ("key scoring.eligible[0].when", "Attribute, which is not allowed"),
    ),
    "unknown field": (
        config_case({"scoring": {"eligible": [{"name": "x", "when": "fra > 1"}]}}),
        ("key scoring.eligible[0].when", "the unknown field 'fra'", "Did you mean 'far'?"),
    ),
    "text compared with number": (
        config_case({"scoring": {"eligible": [{"name": "x", "when": "land_use > 1"}]}}),
        ("line ", "key scoring.eligible[0].when", "a text beside the number"),
    ),
    "unknown zone": (
        config_case({"optimise": {"phases": [{"id": "P1", "year": 1, "zones": {"wset": {"target_mu": 1}}}]}}),
        ("line ", "key optimise.phases[0].zones.wset", "the unknown zone 'wset'", "east, west", "'west'"),
    ),
    "unknown parcel in locks": (
        config_case({"optimise": {"locks": {"in": ["P99", "P00"]}}}),
        ("line ", "key optimise.locks.in", "P99", "planner validate"),
    ),
    "parcel locked in and out": (
        config_case({"optimise": {"locks": {"in": ["P00"], "out": ["P00"]}}}),
        ("key optimise.locks", "P00", "one or the other"),
    ),
    "everything excluded": (
        config_case({"scoring": {"exclude": [{"name": "all", "when": "area_mu > 0"}]}}),
        ("key scoring", "no eligible parcel among 12", "exclude rule 'all' removes 12 of 12"),
    ),
    "unknown generated barrier": (
        lambda folder: write_config(folder, *GENERATED, {"barriers": [{"name": "lake", "synthetic": True}]}),
        ("line ", "key barriers[0].name", "no generated barrier 'lake'"),
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", USAGE)
def test_exit_2_leaves_nothing(tmp_path: Path, name: str) -> None:
    make, pieces = USAGE[name]
    refused(run(make(tmp_path)), 2, "Configuration error", *pieces)
    nothing_left(tmp_path)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["run"], "Missing argument 'CONFIG'"),
        (["run", "config.yaml", "--speed"], "No such option"),
        (["run", "config.yaml", "--seed", "x"], "--seed"),
        (["frobnicate"], "No such command"),
        (["init"], "PARCELS"),
        (["init", "a.gpkg", "--sample", "b"], "PARCELS"),
        (["solve", "p.json", "--gap", "-1"], "--gap"),
    ],
)
def test_exit_2_for_usage(arguments: list[str], message: str) -> None:
    result = land_builders.planner(*arguments)
    assert result.exit_code == 2
    assert message in result.stderr


@pytest.mark.parametrize(
    ("arguments", "where"),
    [
        (["--seed", "-1"], "--seed"),
        (["--time-limit", "0"], "--time-limit"),
        (["--set", "solve.gap=wide"], "--set solve.gap"),
        (["--set", "nonsense"], "--set"),
        (["--scenario", "none"], "--scenario"),
    ],
)
def test_exit_2_names_the_option(tmp_path: Path, arguments: list[str], where: str) -> None:
    refused(run(case(tmp_path), *arguments), 2, "Configuration error", f"{where}: found")
    nothing_left(tmp_path)


def test_several_problems_are_counted(tmp_path: Path) -> None:
    result = run(case(tmp_path, {"solve": {"gap": "x", "seed": "y"}}))
    refused(result, 2, "Configuration error (2 problems)", "solve.gap", "solve.seed")


# ------------------------------------------------------------------------------------------------ 3: data


def land_case(change: Callable[[gpd.GeoDataFrame], gpd.GeoDataFrame]) -> Callable[[Path], Path]:
    return lambda folder: case(folder, land=change(grid_land()))


def _column(name: str, row: int, value: object) -> Callable[[gpd.GeoDataFrame], gpd.GeoDataFrame]:
    def change(land: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
        column = land[name].astype(object)
        column.iloc[row] = value
        return land.assign(**{name: column.astype("str")})

    return change


def _no_crs(folder: Path) -> Path:
    pyogrio.write_dataframe(grid_land().to_crs("EPSG:4490"), folder / "parcels.shp")
    (folder / "parcels.prj").unlink()
    return write_config(folder, {"parcels": {"path": "parcels.shp"}})


def _empty_layer(folder: Path) -> Path:
    write_land(folder, grid_land().iloc[:0])
    return write_config(folder)


def _damaged(folder: Path) -> Path:
    config = case(folder)
    content = (folder / "parcels.gpkg").read_bytes()
    (folder / "parcels.gpkg").write_bytes(content[: len(content) // 2])
    return config


def _points(folder: Path) -> Path:
    land = grid_land()
    return case(folder, land=land.set_geometry(land.centroid))


DATA: dict[str, tuple[Callable[[Path], Path], tuple[str, ...]]] = {
    "missing file": (write_config, ("parcels.gpkg", "no file", "existing file")),
    "no crs": (_no_crs, ("parcels.shp", "no coordinate reference system", "crs: EPSG:4490")),
    "duplicate ids": (
        land_case(lambda land: land.assign(code=["P00", *land["code"][:-1]])),
        ("column code", "more than once: P00", "unique ids"),
    ),
    "text in a number column": (land_case(_column("far", 4, "about 1")), ("column far", "P04 'about 1'", "numbers")),
    "empty id": (
        land_case(lambda land: land.assign(code=[None, *land["code"][1:]])),
        ("column code", "no id in row 1"),
    ),
    "missing column": (land_case(lambda land: land.drop(columns="far")), ("no column 'far'", "code, tax, use")),
    "empty layer": (_empty_layer, ("parcels.gpkg", "no features")),
    "damaged file": (_damaged, ("parcels.gpkg", "bytes")),
    "points": (_points, ("no polygon", "Point")),
    "address": (
        lambda folder: write_config(folder, {"parcels": {"path": "https://example.org/p.gpkg"}}),
        ("a file on this computer", "nothing is read over a network"),
    ),
    "nothing left after repair": (
        land_case(lambda land: land.set_geometry([shapely.box(0, 0, 0.1, 0.1)] * len(land), crs=land.crs)),
        ("no parcel left",),
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", DATA)
def test_exit_3_leaves_nothing(tmp_path: Path, name: str) -> None:
    make, pieces = DATA[name]
    refused(run(make(tmp_path)), 3, "Data error", *pieces)
    nothing_left(tmp_path)


def test_all_data_problems_of_a_stage_are_told_at_once(tmp_path: Path) -> None:
    land = _column("far", 4, "about 1")(grid_land())
    land["code"] = ["P00", *land["code"][:-1]]
    refused(run(case(tmp_path, land=land.drop(columns="use"))), 3, "Data error (3 problems)", "P00", "about 1", "'use'")


def test_an_error_leaves_an_earlier_run_alone(planned: Path, tmp_path: Path) -> None:
    before = {p: p.read_bytes() for p in (tmp_path / "out").glob("*")}
    assert run(planned, "--set", "parcels.path=gone.gpkg").exit_code == 3
    assert run(planned, "--set", "solve.gap=x").exit_code == 2
    assert {p: p.read_bytes() for p in (tmp_path / "out").glob("*")} == before
    assert names(tmp_path / "out") == PLAN_FILES


# ------------------------------------------------------------------------------------------------ 4: unreachable

UNREACHABLE: dict[str, tuple[dict[str, Any], tuple[str, ...]]] = {
    "target above all eligible land": (
        {"optimise": {"phases": [{"id": "P1", "year": 1, "target_mu": 110}]}},
        ("target P1", "at most 100.00 mu can be reached", "110.00 mu are asked for", "lower it by 10.00 mu"),
    ),
    "excluded parcel locked in": (
        {"optimise": {"locks": {"in": ["P01"]}}},
        ("P01", "excluded or ineligible, and locked in"),
    ),
    "locked in before it is available": (
        {"optimise": {"locks": {"by": {"P00": "P1"}}, "earliest": [{"name": "papers", "year": "3"}]}},
        ("P00", "locked in by a phase before it becomes available"),
    ),
    "zone target above its land": (
        {"optimise": {"phases": [{"id": "P1", "year": 1, "zones": {"west": {"target_mu": 55}}}]}},
        ("zone west", "at most 50.00 mu", "lower it by 5.00 mu"),
    ),
    "blocks larger than the land": (
        {"optimise": {"block": {"min_mu": 500, "max_mu": 600}}},
        ("at most 0.00 mu can be reached",),
    ),
    "budget too small": (
        {
            "optimise": {
                "cost": {"value": "1", "per": "mu"},
                "phases": [{"id": "P1", "year": 1, "target_mu": 50, "budget": 30}],
            }
        },
        ("at most 30.00 mu", "50.00 mu are asked for"),
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", UNREACHABLE)
def test_exit_4_says_how_much_can_be_reached(tmp_path: Path, name: str) -> None:
    changes, pieces = UNREACHABLE[name]
    result = run(case(tmp_path, changes))
    refused(result, 4, "No plan is possible", *pieces, "summary.md")
    assert names(tmp_path / "out") == NO_PLAN_FILES
    assert names(tmp_path) == {"parcels.gpkg", "config.yaml", "out"}
    told = summary(tmp_path)
    assert told["status"] == "infeasible"
    assert told["objective"] is None
    for shortfall in told["shortfalls"]:
        assert shortfall["proven_max_mu"] is not None
    markdown = (tmp_path / "out" / "summary.md").read_text(encoding="utf-8")
    assert "no plan exists" in markdown


def test_exit_4_replaces_the_plan_of_an_earlier_run(planned: Path, tmp_path: Path) -> None:
    assert run(planned, "--set", "optimise.phases.1.target_mu=999").exit_code == 4
    kept = {"plan.previous.xlsx", "plan.previous.gpkg"}  # people write in these
    assert names(tmp_path / "out") == NO_PLAN_FILES | kept  # an old map beside a new summary would deceive


# ------------------------------------------------------------------------------------------------ 5: no plan in time


def test_exit_5_says_what_was_found_and_what_is_possible(tmp_path: Path) -> None:
    config = case(tmp_path, WIDE, land=grid_land(6, 6))
    result = run(config, "--time-limit", "0.001")
    refused(result, 5, "No plan found in time", "target P2", "60.00 mu", "proven maximum", "Give more time")
    assert names(tmp_path / "out") == NO_PLAN_FILES
    assert names(tmp_path) == {"parcels.gpkg", "config.yaml", "out"}
    told = summary(tmp_path)
    assert told["status"] == "no_plan"
    for shortfall in told["shortfalls"]:
        assert shortfall["found_mu"] is None  # nothing was searched in a thousandth of a second: unknown, not 0
        assert shortfall["proven_max_mu"] >= shortfall["target_mu"]  # else it would be proven out of reach
    assert "does not prove" in (tmp_path / "out" / "summary.md").read_text(encoding="utf-8")


# ------------------------------------------------------------------------------------------------ 6: rejected


def _torn_apart(plan: Plan) -> Plan:
    """Two far corners of the grid as one block."""
    return dataclasses.replace(plan, blocks=(Block((0, 11), 0), *plan.blocks[1:]))


def _boasting(plan: Plan) -> Plan:
    return dataclasses.replace(plan, objective=plan.objective * 1.1, bound=plan.bound * 1.2)


def _bound_below(plan: Plan) -> Plan:
    return dataclasses.replace(plan, bound=plan.objective - 100)


@pytest.mark.parametrize("tamper", [_torn_apart, _boasting, _bound_below])
def test_exit_6_keeps_a_rejected_plan_apart(
    planned: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, tamper: Callable[[Plan], Plan]
) -> None:
    real: Callable[..., Plan] = planner.pipeline.solve
    monkeypatch.setattr(planner.pipeline, "solve", lambda *a, **k: tamper(real(*a, **k)))
    result = run(planned)
    refused(result, 6, "Plan rejected", "failed its independent check", "check.md", "summary.md")
    kept = {"plan.previous.xlsx", "plan.previous.gpkg"}  # people write in these
    assert names(tmp_path / "out") == {*NO_PLAN_FILES, *kept, "rejected"}  # the good plan of before is no plan any more
    assert names(tmp_path / "out" / "rejected") == {"plan.gpkg", "check.md"}
    assert names(tmp_path) == {"parcels.gpkg", "config.yaml", "out"}
    assert summary(tmp_path)["status"] == "rejected"
    assert summary(tmp_path)["check"]["passed"] is False
    assert "not to be used" in (tmp_path / "out" / "summary.md").read_text(encoding="utf-8")


def test_the_written_configuration_is_what_the_plan_is_judged_by(
    planned: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = planner.output.resolved_yaml

    def asks_for_more(config: Config, beside: Path) -> str:
        return real(config, beside).replace("target_mu: 60.0", "target_mu: 600.0")

    monkeypatch.setattr(planner.output, "resolved_yaml", asks_for_more)
    refused(run(planned), 6, "Plan rejected")
    assert "600" in (tmp_path / "out" / "rejected" / "check.md").read_text(encoding="utf-8")


# ------------------------------------------------------------------------------------------------ 1 and 130


def _broken(*_: object, **__: object) -> None:
    raise ZeroDivisionError("a fault of ours")


def test_exit_1_is_an_internal_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(planner.pipeline, "run", _broken)
    result = run(case(tmp_path))
    refused(result, 1, "Internal error", "ZeroDivisionError: a fault of ours", "--debug")
    nothing_left(tmp_path)
    with_debug = run(tmp_path / "config.yaml", "--debug")
    assert with_debug.exit_code == 1
    assert "Traceback" in with_debug.stderr


def test_exit_1_while_writing_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(planner.output, "write_map", full)
    refused(run(case(tmp_path)), 1, "Internal error", "No space left on device", "disk space")
    nothing_left(tmp_path)


def test_debug_shows_the_traceback_of_a_known_error(tmp_path: Path) -> None:
    result = run(case(tmp_path, {"solve": {"gap": "x"}}), "--debug")
    assert result.exit_code == 2
    assert "Traceback" in result.stderr
    assert "key solve.gap" in result.stderr


def test_exit_130_when_stopped_before_a_plan(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    @contextmanager
    def asked_at_once(_self: Interrupts) -> Iterator[Callable[[], bool]]:
        yield lambda: True

    monkeypatch.setattr(Interrupts, "stoppable", asked_at_once)
    result = run(case(tmp_path, WIDE, land=grid_land(6, 6)))
    refused(result, 130, "Stopped", "before a plan was found")
    nothing_left(tmp_path)


@pytest.mark.parametrize("earlier", [False, True])
def test_exit_130_while_writing_leaves_what_was_there(
    planned: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, earlier: bool
) -> None:
    if not earlier:
        shutil.rmtree(tmp_path / "out")
    before = {p: p.read_bytes() for p in (tmp_path / "out").glob("*")}

    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(planner.output, "write_map", interrupted)
    result = run(planned)
    assert result.exit_code == 130
    assert "nothing was written" in result.stderr
    assert {p: p.read_bytes() for p in (tmp_path / "out").glob("*")} == before
    assert names(tmp_path) == {"parcels.gpkg", "config.yaml"} | ({"out"} if earlier else set())


def test_frames_stay_readable_with_chinese_names(tmp_path: Path) -> None:
    land = pd.concat([grid_land().assign(code=[f"宗地{k}" for k in range(12)])])
    result = run(case(tmp_path, {"optimise": {"locks": {"in": ["宗地99"]}}}, land=land))
    refused(result, 2, "Configuration error", "宗地99")
