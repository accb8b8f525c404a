"""A finished run of the small world, shared by the tests of the documentation."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from planner.cli import app
from tests.docs.small_world import write_world


@dataclass(frozen=True)
class SmallRun:
    """Folder of a finished run and its files as data."""

    folder: Path
    summary: dict[str, Any]
    problem: dict[str, Any]
    solution: dict[str, Any]


@pytest.fixture(scope="session")
def small_run(tmp_path_factory: pytest.TempPathFactory) -> SmallRun:
    """`planner run` and `planner solve` on the small world."""
    folder = tmp_path_factory.mktemp("small-world")
    config = write_world(folder)
    out = folder / "out"
    for arguments in (["run", str(config), "--out", str(out)], ["solve", str(out / "problem.json")]):
        result = CliRunner().invoke(app, [*arguments, "--quiet"], catch_exceptions=False)
        assert result.exit_code == 0, result.output
    read = [
        json.loads((out / f"{name}.json").read_text(encoding="utf-8")) for name in ("summary", "problem", "solution")
    ]
    return SmallRun(out, *read)


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The small world in the working directory."""
    write_world(tmp_path)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def planner() -> Callable[[list[str]], tuple[int, str]]:
    """The command line: arguments to exit code and everything it printed."""

    def invoke(arguments: list[str]) -> tuple[int, str]:
        result = CliRunner().invoke(app, arguments, catch_exceptions=False)
        return result.exit_code, result.output

    return invoke
