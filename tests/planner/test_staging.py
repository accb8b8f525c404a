"""Folders of results: whole or not at all, and never over somebody else's files."""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path

import pytest

from planner import staging
from planner.errors import ConfigError
from planner.output import RUN
from planner.run_summary import SUMMARY_FORMAT
from planner.staging import require_free, staged
from tests.planner.land_builders import PLAN_FILES, names


def earlier_run(folder: Path) -> None:
    """What a run leaves, as far as the folder is concerned."""
    folder.mkdir(parents=True)
    for name in sorted(PLAN_FILES):
        (folder / name).write_text(f"old {name}", encoding="utf-8")
    (folder / "summary.json").write_text(json.dumps({"format": SUMMARY_FORMAT}), encoding="utf-8")


def contents(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


def test_a_new_folder_appears_whole(tmp_path: Path) -> None:
    out = tmp_path / "deep" / "out"
    with staged(out, RUN) as new:
        (new / "a.txt").write_text("a", encoding="utf-8")
        assert not out.exists()
        assert new.parent.parent == out.parent  # beside it: the same disk, so that moving is quick
    assert names(out) == {"a.txt"}
    assert names(out.parent) == {"out"}


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such permissions")
def test_the_folder_has_the_usual_permissions(tmp_path: Path) -> None:
    usual = tmp_path / "usual"
    usual.mkdir()
    with staged(tmp_path / "out", RUN) as new:
        (new / "a.txt").write_text("a", encoding="utf-8")
    assert stat.S_IMODE((tmp_path / "out").stat().st_mode) == stat.S_IMODE(usual.stat().st_mode)


def test_an_error_leaves_nothing_behind(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="half way"), staged(tmp_path / "out", RUN) as new:
        (new / "a.txt").write_text("a", encoding="utf-8")
        raise RuntimeError("half way")
    assert names(tmp_path) == set()


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt])
def test_an_error_leaves_an_earlier_run_as_it_was(tmp_path: Path, error: type[BaseException]) -> None:
    out = tmp_path / "out"
    earlier_run(out)
    before = contents(out)
    with pytest.raises(error), staged(out, RUN) as new:
        (new / "plan.gpkg").write_text("new", encoding="utf-8")
        raise error
    assert contents(out) == before
    assert names(tmp_path) == {"out"}


def test_files_of_an_earlier_run_go_and_others_stay(tmp_path: Path) -> None:
    out = tmp_path / "out"
    earlier_run(out)
    (out / "rejected").mkdir()
    (out / "rejected" / "plan.gpkg").write_text("bad", encoding="utf-8")
    (out / "notes.txt").write_text("mine", encoding="utf-8")
    (out / "photos").mkdir()
    (out / "photos" / "1.jpg").write_bytes(b"jpg")
    inode = (out / "notes.txt").stat().st_ino
    with staged(out, RUN) as new:
        (new / "summary.json").write_text("{}", encoding="utf-8")
    assert contents(out) == {
        "summary.json": b"{}",
        "notes.txt": b"mine",
        str(Path("photos") / "1.jpg"): b"jpg",
        "plan.previous.xlsx": b"old plan.xlsx",  # people write in these
        "plan.previous.gpkg": b"old plan.gpkg",
    }
    assert (out / "notes.txt").stat().st_ino == inode  # not even moved
    assert names(tmp_path) == {"out"}


@pytest.mark.parametrize("fails_at", range(1, len(PLAN_FILES) + 3))
def test_a_move_that_fails_is_taken_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fails_at: int) -> None:
    out = tmp_path / "out"
    earlier_run(out)
    (out / "notes.txt").write_text("mine", encoding="utf-8")
    before, moves, real = contents(out), 0, staging._move

    def move(source: Path, target: Path) -> None:
        nonlocal moves
        moves += 1
        if moves == fails_at:
            raise OSError("disk full")
        real(source, target)

    monkeypatch.setattr(staging, "_move", move)
    with pytest.raises(OSError, match="disk full"), staged(out, RUN) as new:
        for name in ("plan.gpkg", "summary.json", "map.html"):
            (new / name).write_text("new", encoding="utf-8")
    assert contents(out) == before
    assert names(tmp_path) == {"out"}


@pytest.mark.skipif(os.name == "nt", reason="links need rights on Windows")
def test_a_linked_folder_stays_a_link(tmp_path: Path) -> None:
    real, link = tmp_path / "disk" / "real", tmp_path / "out"
    real.mkdir(parents=True)
    link.symlink_to(real)
    with staged(link, RUN) as new:
        (new / "a.txt").write_text("a", encoding="utf-8")
    assert link.is_symlink()
    assert names(real) == {"a.txt"}
    assert names(tmp_path) == {"disk", "out"}


def test_the_working_directory_may_be_the_output(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    out = tmp_path / "out"
    out.mkdir()
    monkeypatch.chdir(out)
    with staged(Path(), RUN) as new:
        (new / "a.txt").write_text("a", encoding="utf-8")
    assert Path("a.txt").read_text(encoding="utf-8") == "a"
    assert names(tmp_path) == {"out"}


def test_ours_is_what_says_so(tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert not RUN.made(out)
    earlier_run(out)
    assert RUN.made(out)
    for text in ("{}", "[]", "no json", json.dumps({"format": "other"})):
        (out / "summary.json").write_text(text, encoding="utf-8")
        assert not RUN.made(out)
    (out / "summary.json").write_bytes(b"\xff\xfe")
    assert not RUN.made(out)


def test_a_folder_is_free_when_new_empty_or_ours(tmp_path: Path) -> None:
    require_free(tmp_path / "new" / "deep", force=False, kind=RUN)
    assert names(tmp_path) == set()  # asking makes nothing
    (tmp_path / "empty").mkdir()
    require_free(tmp_path / "empty", force=False, kind=RUN)
    earlier_run(tmp_path / "ours")
    require_free(tmp_path / "ours", force=False, kind=RUN)


def test_a_folder_of_others_needs_force(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine", encoding="utf-8")
    with pytest.raises(ConfigError, match="no earlier run") as caught:
        require_free(tmp_path, force=False, kind=RUN)
    assert "--force" in caught.value.issues[0].fix
    require_free(tmp_path, force=True, kind=RUN)


def test_a_file_cannot_be_the_folder_nor_hold_it(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x", encoding="utf-8")
    for out in (tmp_path / "file", tmp_path / "file" / "deep" / "out"):
        with pytest.raises(ConfigError, match="file"):
            require_free(out, force=True, kind=RUN)


def test_a_folder_without_rights_is_refused_before_the_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(staging.os, "access", lambda *_: False)
    with pytest.raises(ConfigError, match="no right to write"):
        require_free(tmp_path / "out", force=False, kind=RUN)


def test_what_people_write_in_stays_under_another_name(tmp_path: Path) -> None:
    out = tmp_path / "out"
    earlier_run(out)
    for text in ("first", "second"):
        (out / "plan.xlsx").write_text(text, encoding="utf-8")
        with staged(out, RUN) as new:
            (new / "plan.xlsx").write_text("new", encoding="utf-8")
        assert (out / "plan.previous.xlsx").read_text(encoding="utf-8") == text
    (out / "plan.xlsx").unlink()
    with staged(out, RUN) as new:  # a run without a plan after one without a workbook
        (new / "summary.json").write_text("{}", encoding="utf-8")
    assert (out / "plan.previous.xlsx").read_text(encoding="utf-8") == "second"


def test_a_folder_that_cannot_be_renamed_is_left_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    out = tmp_path / "out"
    earlier_run(out)
    (out / "tables").mkdir()
    for k in range(5):
        (out / "tables" / f"{k}.csv").write_text(str(k), encoding="utf-8")
    before, real = contents(out), Path.rename

    def rename(source: Path, target: Path) -> Path:
        if source == out / "tables":
            raise PermissionError(13, "a file in it is open in another program")
        return real(source, target)

    monkeypatch.setattr(Path, "rename", rename)
    with pytest.raises(PermissionError), staged(out, RUN) as new:
        (new / "summary.json").write_text("{}", encoding="utf-8")
    assert contents(out) == before
