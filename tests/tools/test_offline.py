"""The folder for an installation without a network."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from tools.offline import OfflineError, build, environment, gather, needed

WINDOWS = environment("win_amd64", "3.12")
LINUX = environment("manylinux_2_28_x86_64", "3.11")


def wheel(folder: Path, name: str, *needs: str) -> Path:
    """A wheel with nothing but its metadata."""
    path = folder / f"{name.replace('-', '_')}-1.0-py3-none-any.whl"
    lines = ["Metadata-Version: 2.1", f"Name: {name}", "Version: 1.0", *(f"Requires-Dist: {n}" for n in needs)]
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(f"{name.replace('-', '_')}-1.0.dist-info/METADATA", "\n".join(lines) + "\n")
    return path


SHELF = {
    "shapes": ("numbers>=1",),
    "console": ("colours; sys_platform == 'win32'", "shapes"),
    "numbers": (),
    "colours": (),
    "drivers": (),
}


def fetched(tmp_path: Path, target: dict[str, str], *needs: str) -> set[str]:
    """Names of all wheels once `gather` is through with a package of those needs."""
    wheel(tmp_path, "the-planner", *needs)

    def fetch(requirement: Requirement) -> None:
        wheel(tmp_path, requirement.name, *SHELF[requirement.name])

    return {path.name.split("-")[0] for path in gather(tmp_path, "the-planner", target, fetch)}


def test_needs_of_needs_come_too(tmp_path: Path) -> None:
    assert fetched(tmp_path, LINUX, "shapes") == {"the_planner", "shapes", "numbers"}


def test_markers_are_held_against_the_target_not_this_machine(tmp_path: Path) -> None:
    (tmp_path / "w").mkdir()
    (tmp_path / "l").mkdir()
    assert fetched(tmp_path / "w", WINDOWS, "console") == {"the_planner", "console", "colours", "shapes", "numbers"}
    assert fetched(tmp_path / "l", LINUX, "console") == {"the_planner", "console", "shapes", "numbers"}


def test_extras_come_only_where_they_are_asked_for(tmp_path: Path) -> None:
    path = wheel(tmp_path, "base", "drivers; extra == 'sql'", "numbers")
    assert [r.name for r in needed(path, LINUX)] == ["numbers"]
    assert [r.name for r in needed(path, LINUX, frozenset({"sql"}))] == ["drivers", "numbers"]


def test_what_cannot_be_had_is_said(tmp_path: Path) -> None:
    wheel(tmp_path, "the-planner", "absent")
    with pytest.raises(OfflineError, match="no wheel of absent"):
        gather(tmp_path, "the-planner", LINUX, lambda _: None)


def test_other_systems_are_refused() -> None:
    with pytest.raises(OfflineError, match="macosx"):
        environment("macosx_11_0_arm64", "3.12")


def test_a_folder_that_is_there_is_not_touched(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "mine.txt").write_text("mine", encoding="utf-8")
    with pytest.raises(OfflineError, match="is there already"):
        build(tmp_path / "out", None, "3.12")
    assert [p.name for p in (tmp_path / "out").iterdir()] == ["mine.txt"]


def _without_network(*command: str | Path) -> subprocess.CompletedProcess[str]:
    """Run a command in a network of its own that has not even a loopback."""
    return subprocess.run(
        ["unshare", "--net", *map(str, command)],
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
        env={**os.environ, "PYTHON": sys.executable, "PIP_NO_INDEX": "1"},
    )


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("unshare") is None, reason="needs unshare of Linux, to switch the network off")
def test_the_folder_installs_and_plans_with_the_network_off(tmp_path: Path) -> None:
    if _without_network("true").returncode != 0:
        pytest.skip("no right to switch the network off here")
    out = tmp_path / "offline"
    files = build(out, None, f"{sys.version_info.major}.{sys.version_info.minor}")
    sums = dict(line.split("  ")[::-1] for line in (out / "SHA256SUMS").read_text(encoding="utf-8").splitlines())
    listed = {p.relative_to(out).as_posix(): hashlib.sha256(p.read_bytes()).hexdigest() for p in files}
    assert sums == {name: digest for name, digest in listed.items() if name != "SHA256SUMS"}

    assert _without_network(out / "run.sh", "init", "--sample", tmp_path / "sample").returncode == 0
    plan = tmp_path / "plan"
    config = tmp_path / "sample" / "config.yaml"
    limits = ("--time-limit", "20", "--set", "solve.gap=0.05")
    result = _without_network(out / "run.sh", "run", config, "--out", plan, *limits, "--quiet")
    assert result.returncode == 0, result.stderr
    assert (plan / "map.html").is_file()
    assert _without_network(out / "run.sh", "check", plan).returncode == 0
