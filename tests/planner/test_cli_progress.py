"""`planner progress form` and `planner progress report` on a run of tiny land."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import openpyxl
import pytest

from planner.cli_shared import Exit
from tests.planner.land_builders import case, planner
from tests.planner.monitoring.small import csv_file

CODES = {"report": {"codes": {"prefix": "T-X", "year": 2026}, "show": {"village": "village"}}}


@pytest.fixture(scope="module")
def plan(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run without modes; phases end with years 1 and 3."""
    folder = tmp_path_factory.mktemp("progress")
    out = folder / "out"
    result = planner("run", case(folder, CODES), "--out", out, "--quiet")
    assert result.exit_code == 0, result.output
    return out


def codes_of(plan: Path) -> list[str]:
    blocks = json.loads((plan / "summary.json").read_text(encoding="utf-8"))["blocks"]
    return [str(block["project_code"]) for block in blocks]


def test_form_and_report(plan: Path, tmp_path: Path) -> None:
    form = tmp_path / "progress.xlsx"
    result = planner("progress", "form", plan, "--out", form, "--starts", "2026-01")
    assert result.exit_code == 0, result.output
    book = openpyxl.load_workbook(form)
    sheet = book.worksheets[0]
    heads = {str(c.value).split("\n")[0]: c for row in sheet.iter_rows(max_row=8) for c in row if c.value}
    column, codes = heads["Cleared and levelled so far, mu"].column, heads["Project code"].column
    row = next(r for r in range(1, 20) if str(sheet.cell(r, codes).value).startswith("T-X"))
    code = sheet.cell(row, codes).value
    sheet.cell(row, column).value = 12.5
    book.save(form)

    out = tmp_path / "report"
    result = planner("progress", "report", plan, "--entries", form, "--at", "2026-06", "--out", out)
    assert result.exit_code == 0, result.output
    assert "cleared: 12.50 mu" in result.output
    data = json.loads((out / "progress.json").read_text(encoding="utf-8"))
    assert (data["at"], data["starts"], data["headline"]["cleared_mu"]) == ("2026-06", "2026-01", 12.5)
    assert [p["code"] for p in data["projects"] if p["entered"]] == [code]
    assert (out / "progress.html").is_file()

    again = planner("progress", "form", plan, "--out", form, "--entries", form)
    assert again.exit_code == 0, again.output
    assert "was kept" in again.output
    assert openpyxl.load_workbook(form).worksheets[0].cell(row, column).value == 12.5


def test_the_month_of_today_is_that_of_the_report(plan: Path, tmp_path: Path) -> None:
    entries = csv_file(tmp_path, "code,entry_state", f"{codes_of(plan)[0]},推进中")
    out = tmp_path / "report"
    result = planner(
        "progress", "report", plan, "--entries", entries, "--starts", "2026-01", "--out", out, "--language", "zh"
    )
    assert result.exit_code == 0, result.output
    assert json.loads((out / "progress.json").read_text(encoding="utf-8"))["at"] == f"{date.today():%Y-%m}"
    assert "进度报告" in (out / "progress.md").read_text(encoding="utf-8")


def test_entries_that_cannot_be_end_with_3_and_write_nothing(plan: Path, tmp_path: Path) -> None:
    entries = csv_file(tmp_path, "code,entered_cleared_mu", "T-X-1999-001,3", f"{codes_of(plan)[0]},3亩")
    out = tmp_path / "report"
    result = planner(
        "progress", "report", plan, "--entries", entries, "--at", "2026-06", "--starts", "2026-01", "--out", out
    )
    assert result.exit_code == Exit.DATA
    assert "Data error (2 problems)" in result.output
    assert codes_of(plan)[0] in result.output
    assert not out.exists()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--at", "2026-06"), "--starts: found nothing"),
        (("--at", "2026-06", "--starts", "2026-13"), "--starts 2026-13: found no month"),
        (("--at", "June"), "--at June: found no month"),
    ],
)
def test_months_that_are_none(plan: Path, tmp_path: Path, arguments: tuple[str, ...], said: str) -> None:
    entries = csv_file(tmp_path, "code,entry_state", f"{codes_of(plan)[0]},running")
    result = planner("progress", "report", plan, "--entries", entries, "--out", tmp_path / "r", *arguments)
    assert result.exit_code == Exit.USAGE
    assert said in result.output


def test_nothing_is_written_over_what_it_does_not_keep(plan: Path, tmp_path: Path) -> None:
    form = tmp_path / "progress.xlsx"
    assert planner("progress", "form", plan, "--out", form, "--starts", "2026-01").exit_code == 0
    before = form.read_bytes()
    result = planner("progress", "form", plan, "--out", form)
    assert result.exit_code == Exit.USAGE
    assert "--entries" in result.output
    assert form.read_bytes() == before
    for out in (plan, tmp_path):
        entries = csv_file(tmp_path, "code,entry_state", f"{codes_of(plan)[0]},running")
        refused = planner("progress", "report", plan, "--entries", entries, "--out", out, "--starts", "2026-01")
        assert refused.exit_code == Exit.USAGE
    assert planner("progress", "form", plan, "--out", tmp_path / "form.csv").exit_code == Exit.USAGE
