"""Runs cases through the command line, each once for all tests that look at its plan."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import geopandas as gpd
from typer.testing import CliRunner

from planner.cli import app
from planner.config import Config
from planner.config_file import load_config
from planner.contents import PlanContents, read_contents
from planner.land import Land, prepare
from planner.progress import Silent
from tests.conftest import REPOSITORY

CONFIG = REPOSITORY / "config.yaml"
GAP = 0.01
PATIENCE_S = 600
"""Time limit of the solves: the suite runs beside others, and a case stops at its gap anyway."""
_finished: dict[tuple[str, tuple[str, ...]], CaseRun] = {}
_prepared: dict[str, Land] = {}


@dataclass(frozen=True)
class CaseRun:
    """A finished run of a case.

    Attributes
    ----------
    name : str
        Scenario.
    folder : pathlib.Path
    exit_code : int
        Of ``planner run``.
    output : str
        What it printed.
    """

    name: str
    folder: Path
    exit_code: int
    output: str

    @cached_property
    def summary(self) -> dict[str, Any]:
        """Content of ``summary.json``."""
        return json.loads((self.folder / "summary.json").read_text(encoding="utf-8"))

    @cached_property
    def contents(self) -> PlanContents:
        """Everything that the run wrote; only for runs with a plan."""
        return read_contents(self.folder)

    @property
    def parcels(self) -> gpd.GeoDataFrame:
        """All parcels of the plan's GeoPackage."""
        return self.contents.tables.parcels

    @property
    def taken(self) -> gpd.GeoDataFrame:
        """The parcels that the plan takes."""
        return self.parcels[self.parcels["status"] == "selected"]

    def invoke(self, *arguments: str) -> tuple[int, str]:
        """Another command of the planner: its exit code and everything it printed."""
        result = CliRunner().invoke(app, list(arguments))
        return result.exit_code, result.output


def config_of(name: str) -> Config:
    """The configuration of a case as it stands."""
    return load_config(CONFIG, name).config


def land_of(name: str) -> Land:
    """The land of a case, read once a session."""
    if name not in _prepared:
        _prepared[name] = prepare(config_of(name), Silent())
    return _prepared[name]


def run_case(name: str, parent: Path, *arguments: str) -> CaseRun:
    """``planner run config.yaml --scenario NAME``, once a session for the same arguments.

    Parameters
    ----------
    name : str
        Scenario.
    parent : pathlib.Path
        New folder of the session, e.g. from ``tmp_path_factory.mktemp``; unused where the run is there already.
    arguments : str
        Further arguments of ``planner run``.
    """
    key = (name, arguments)
    if key not in _finished:
        out = parent / "out"
        where = ["run", str(CONFIG), "--scenario", name, "--out", str(out)]
        command = [*where, "--quiet", "--time-limit", str(PATIENCE_S), *arguments]
        result = CliRunner().invoke(app, command)
        _finished[key] = CaseRun(name, out, result.exit_code, result.output)
    return _finished[key]


def assert_planned(run: CaseRun, gap: float = GAP) -> None:
    """A plan came out, is proven to be good, and is sound in the eyes of the judge, now and when asked again."""
    assert run.exit_code == 0, run.output
    summary = run.summary
    assert summary["status"] in {"optimal", "feasible"}
    assert summary["check"]["passed"] is True
    assert summary["bound"] >= summary["objective"]
    assert (summary["bound"] - summary["objective"]) / abs(summary["objective"]) <= gap
    for phase in summary["phases"]:
        assert phase["cumulative_mu"] >= (phase["target_mu"] or 0) - 1e-6
    code, said = run.invoke("check", str(run.folder))
    assert code == 0, said
    assert run.contents.synthetic
