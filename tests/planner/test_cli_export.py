"""`planner export` and `planner compare`: what leaves the building, and what must not."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import sqlite3
import subprocess
import zipfile
from pathlib import Path

import openpyxl
import pytest

from planner.cli_shared import Exit
from planner.contents import read_contents
from planner.export import PARTS
from planner.redact import redacted, sensitive_fields
from tests.planner.land_builders import case, grid_land, names, planner

SECRETS = {"owner": "Wang Xiaoming 王小明", "credit": "91441900MA4UKXYZ9K", "rent": 424242.0, "phone": "13900001111"}
REMARK = "ask Ms Chen 陈女士 again"
TYPED = "Deputy mayor Zhao 赵副市长"
HIDDEN = (
    *("Xiaoming", "王小明", "91441900MA4UKXYZ9K", "424242", "13900001111"),
    *("Ms Chen", "陈女士", "mayor Zhao", "赵副市长"),
)
SHOW = {
    "owner": "owner",
    "credit_code": "credit",
    "rent_yuan": "rent",
    "village": "village",
    "far": "far",
}


@pytest.fixture(scope="module")
def plan(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run on land that has owners, credit codes, rents and a telephone number, and a remark of the planner."""
    folder = tmp_path_factory.mktemp("export")
    land = grid_land()
    for name, value in SECRETS.items():
        land[name] = value
    fields = {name: {"column": name, "type": "number" if name == "rent" else "text"} for name in SECRETS}
    config = case(
        folder,
        {"parcels": {"fields": fields}},
        {"scoring": {"derived": {"rent_per_mu": "rent / area_mu"}}},
        {"report": {"show": SHOW, "sensitive": ["phone"], "codes": {"prefix": "T-X", "year": 2026}}},
        {"optimise": {"locks": {"notes": {"P00": REMARK}}}},
        land=land,
    )
    out = folder / "out"
    result = planner("run", config, "--out", out, "--quiet")
    assert result.exit_code == 0, result.output
    book = openpyxl.load_workbook(out / "plan.xlsx")
    sheet = next(s for s in book if "责任清单" in s.title)
    heads = {str(c.value).split("\n")[0]: c for row in sheet.iter_rows(max_row=12) for c in row if c.value}
    column = next(c for text, c in heads.items() if "eader" in text or "挂点" in text)
    sheet.cell(column.row + 1, column.column, TYPED)
    book.save(out / "plan.xlsx")
    return out


def texts(path: Path) -> str:
    """Everything that stands in a file, unpacked as far as a stranger would."""
    if path.suffix in {".xlsx", ".qgz", ".zip"}:
        with zipfile.ZipFile(path) as archive:
            return "\n".join(archive.read(n).decode("utf-8", errors="replace") for n in archive.namelist())
    if path.suffix == ".pdf":
        shown = subprocess.run(["pdftotext", str(path), "-"], capture_output=True, check=True)
        return shown.stdout.decode("utf-8", errors="replace")
    if path.suffix == ".gpkg":
        connection = sqlite3.connect(path)
        dump = "\n".join(connection.iterdump())
        connection.close()
        return dump
    data = path.read_bytes()
    return "\n".join(data.decode(code, errors="ignore") for code in ("utf-8", "gb18030", "utf-16-le"))


def found(folder: Path, words: tuple[str, ...]) -> set[str]:
    """Which of the words stand anywhere in a folder."""
    if shutil.which("pdftotext") is None:
        assert os.environ.get("CI", "").lower() != "true", "tests/setup_desktop.sh installs pdftotext"
        pytest.skip("needs pdftotext to look into PDF files")
    whole = "\n".join(texts(p) for p in folder.rglob("*") if p.is_file())
    return {word for word in words if word in whole}


def test_sensitive_fields_are_those_named_and_all_that_comes_of_them(plan: Path) -> None:
    contents = read_contents(plan)
    assert sensitive_fields(contents.config) == {"owner", "credit", "rent", "phone", "rent_per_mu"}
    kept, left = redacted(contents)
    assert set(left.fields) == {"owner", "credit", "rent", "phone", "rent_per_mu", "note"}
    assert set(left.facts) == {"owner", "credit_code", "rent_yuan"}
    assert {"village", "far"} <= set(kept.shown.columns)
    assert not set(left.facts) & set(kept.shown.columns)
    assert not set(left.fields) & set(kept.tables.parcels.columns)
    assert "owner" in contents.tables.parcels.columns  # what was given is as it was


@pytest.mark.slow
def test_a_redacted_package_holds_no_secret_and_the_full_one_does(plan: Path, tmp_path: Path) -> None:
    result = planner("export", plan, "--out", tmp_path / "open", "--redact", "--stamp", "内部资料")
    assert result.exit_code == 0, result.output
    assert "owner" in result.output
    assert found(tmp_path / "open", HIDDEN) == set()
    listing = json.loads((tmp_path / "open" / "package.json").read_text(encoding="utf-8"))
    assert set(listing["redacted"]["facts"]) == {"owner", "credit_code", "rent_yuan"}
    assert listing["stamp"] == "内部资料"

    assert planner("export", plan, "--out", tmp_path / "full").exit_code == 0
    assert found(tmp_path / "full", HIDDEN) == set(HIDDEN)  # else the search above would prove nothing


@pytest.mark.slow
def test_the_package_is_listed_file_by_file(plan: Path, tmp_path: Path) -> None:
    out = tmp_path / "package"
    assert planner("export", plan, "--out", out, "--language", "zh").exit_code == 0
    listing = json.loads((out / "package.json").read_text(encoding="utf-8"))
    listed = {f["path"]: f["sha256"] for f in listing["files"]}
    there = {
        p.relative_to(out).as_posix(): hashlib.sha256(p.read_bytes()).hexdigest()
        for p in out.rglob("*")
        if p.is_file() and p.name != "package.json"
    }
    assert listed == there
    expected = {"map.html", "plan.xlsx", "print/overview.pdf", "print/atlas.pdf", "gis/plan.gpkg", "gis/plan.qgz"}
    assert expected <= set(there)
    assert planner("export", plan, "--out", out).exit_code == 0  # an earlier package is replaced


def test_only_what_is_asked_for_is_written(plan: Path, tmp_path: Path) -> None:
    out = tmp_path / "package"
    result = planner("export", plan, "--out", out, "--only", "map", "--only", "workbook")
    assert result.exit_code == 0, result.output
    assert names(out) == {"map.html", "plan.xlsx", "package.json"}
    assert set(PARTS) == {"map", "workbook", "print", "gis"}


def test_a_plan_that_was_changed_by_hand_is_not_handed_on(plan: Path, tmp_path: Path) -> None:
    spoilt = shutil.copytree(plan, tmp_path / "spoilt")
    with sqlite3.connect(spoilt / "plan.gpkg") as connection:
        # the spatial index knows functions of its own that a plain connection lacks
        connection.executescript(
            "\n".join(
                f'DROP TRIGGER "{name}";'
                for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall()
            )
        )
        connection.execute("UPDATE parcels SET area_mu = area_mu + 1 WHERE block_id IS NOT NULL")
    connection.close()
    result = planner("export", spoilt, "--out", tmp_path / "package")
    assert result.exit_code == Exit.REJECTED
    assert names(tmp_path) == {"spoilt"}


@pytest.mark.parametrize("command", ["export", "compare"])
def test_a_folder_without_a_plan_is_refused(command: str, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    arguments = [tmp_path / "empty", tmp_path / "nowhere"][: 1 if command == "export" else 2]
    result = planner(command, *arguments, "--out", tmp_path / "x.html")
    assert result.exit_code == Exit.DATA
    assert "plan.gpkg" in result.output
    assert names(tmp_path) == {"empty"}


def test_plans_are_compared_on_one_page(plan: Path, tmp_path: Path) -> None:
    other = shutil.copytree(plan, tmp_path / "other")
    page = tmp_path / "compare.html"
    result = planner("compare", plan, other, "--out", page)
    assert result.exit_code == 0, result.output
    text = page.read_text(encoding="utf-8")
    assert '"other"' in text


@pytest.mark.parametrize(
    ("name", "there"), [("note.txt", b"mine"), ("plan.gpkg", b"SQLite"), ("letter.html", b"<p>Dear mayor"), ("", None)]
)
def test_a_comparison_is_written_over_nothing_of_others(plan: Path, tmp_path: Path, name: str, there: bytes) -> None:
    if there is not None:
        (tmp_path / name).write_bytes(there)
    result = planner("compare", plan, shutil.copytree(plan, tmp_path / "other"), "--out", tmp_path / name)
    assert result.exit_code == Exit.USAGE
    if there is not None:
        assert (tmp_path / name).read_bytes() == there


def test_a_plan_that_fails_its_check_is_not_compared(plan: Path, tmp_path: Path) -> None:
    other = shutil.copytree(plan, tmp_path / "other")
    text = (other / "config.resolved.yaml").read_text(encoding="utf-8")
    (other / "config.resolved.yaml").write_text(text.replace("min_mu: 20", "min_mu: 59"), encoding="utf-8")
    result = planner("compare", plan, other, "--out", tmp_path / "page.html")
    assert result.exit_code == Exit.REJECTED, result.output
    assert names(tmp_path) == {"other"}


@pytest.mark.parametrize("stamp", ["   ", "x" * 41])
def test_a_stamp_that_nobody_could_read_is_refused(plan: Path, tmp_path: Path, stamp: str) -> None:
    result = planner("export", plan, "--out", tmp_path / "package", "--only", "map", "--stamp", stamp)
    assert result.exit_code == Exit.USAGE
    assert "--stamp" in result.output
    assert names(tmp_path) == set()


def test_the_folder_of_the_run_is_not_the_folder_of_the_package(plan: Path) -> None:
    before = names(plan)
    result = planner("export", plan, "--out", plan, "--only", "workbook", "--force")
    assert result.exit_code == Exit.USAGE
    assert names(plan) == before


def test_a_run_without_a_plan_keeps_what_people_wrote_in(plan: Path, tmp_path: Path) -> None:
    out = tmp_path / "case" / "out"
    shutil.copytree(plan.parent, tmp_path / "case")
    typed = (out / "plan.xlsx").read_bytes()
    config = tmp_path / "case" / "config.yaml"
    failed = planner("run", config, "--out", out, "--set", "optimise.phases.1.target_mu=170", "--quiet")
    assert failed.exit_code == Exit.UNREACHABLE, failed.output
    assert (out / "plan.previous.xlsx").read_bytes() == typed
    again = planner("run", config, "--out", out)
    assert again.exit_code == 0, again.output
    assert "plan.previous.xlsx" in again.output
    assert "Changes since the run before: none" in again.output
    assert TYPED in texts(out / "plan.xlsx")
