"""The entry form: what it says, what is read back from it, and what it keeps."""

from __future__ import annotations

import datetime
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from openpyxl.worksheet.worksheet import Worksheet

from planner.contents import PlanContents
from planner.monitoring.entries import Approval, Entry, read_entries
from planner.monitoring.form import FORM
from planner.monitoring.sheets import read_sheets
from planner.report.progress import write_form
from tests.planner.monitoring.small import CODES, ONE, THREE, TWO, coded

DAY = datetime.date(2026, 12, 1)
FROM_START = {"optimise": {"phases": [{"id": "P1", "year": 1}, {"id": "P2", "year": 3}], "base_year": 0}}
HOSTILE = '=HYPERLINK("http://x","</script>")'
OFFICE = shutil.which("soffice")


def heads_of(sheet: Worksheet) -> dict[str, tuple[int, int]]:
    """First line of each header → its row and column; the first occurrence."""
    found: dict[str, tuple[int, int]] = {}
    for row in sheet.iter_rows(max_row=8):
        for cell in row:
            if isinstance(cell.value, str):
                found.setdefault(cell.value.split("\n")[0], (cell.row, cell.column))
    return found


def fill(path: Path, values: dict[tuple[str, str], Any], approvals: list[tuple[Any, ...]] = ()) -> None:  # type: ignore[assignment]
    """Type into the cells of (code, header), and approvals (code, name, number, until) into the first free rows."""
    book = openpyxl.load_workbook(path)
    sheet = book.worksheets[0]
    heads = heads_of(sheet)
    code_column = heads["Project code"][1]
    rows = {str(sheet.cell(r, code_column).value): r for r in range(1, sheet.max_row + 1)}
    for (code, head), value in values.items():
        cell = sheet.cell(rows[code], heads[head][1])
        cell.value = value
        if isinstance(value, str):
            cell.data_type = "s"  # what begins with = would else be a formula
    second = book.worksheets[1]
    top = heads_of(second)["Project code"][0]
    for k, (code, *rest) in enumerate(approvals, top + 1):
        second.cell(k, 2).value = code
        for column, value in zip((4, 5, 6), rest, strict=True):
            second.cell(k, column).value = value
    book.save(path)


def form(folder: Path, contents: PlanContents | None = None, name: str = "progress.xlsx", **more: Any) -> Path:
    path = folder / name
    write_form(contents or coded(), path, day=DAY, **more)
    return path


def shown(path: Path) -> list[list[Any]]:
    return [list(row) for row in openpyxl.load_workbook(path).worksheets[0].iter_rows(values_only=True)]


def test_the_form_tells_the_plan(tmp_path: Path) -> None:
    path = form(tmp_path, names={ONE: "West gate"})
    book = openpyxl.load_workbook(path)
    assert [s.title for s in book] == ["Progress entries 进度填报", "Approvals 批复与协议", FORM]
    assert book[FORM].sheet_state == "hidden"
    sheet = book.worksheets[0]
    heads = heads_of(sheet)
    row = next(r for r in range(1, 20) if sheet.cell(r, heads["Project code"][1]).value == ONE)
    value = {head: sheet.cell(row, column).value for head, (_, column) in heads.items()}
    told = {k: value[k] for k in ("Project", "Village", "Circle", "Phase", "Mode", "Land, mu", "To clear by plan, mu")}
    assert told == {
        "Project": "West gate",
        "Village": "长山头村",
        "Circle": "west",
        "Phase": "P1",
        "Mode": "Government acquisition",
        "Land, mu": 30.01,
        "To clear by plan, mu": 30.01,  # nothing is known of lanes
    }
    assert [value[f"{m}, plan"] for m in ("Launched", "Levelled", "Built")] == ["2026-01", "2026-09", "2028-06"]
    assert "Started, plan" not in heads  # no mode plans it
    assert value["Started, reached"] is None
    assert any("SYNTHETIC" in str(cell.value) for cell in sheet["A"])


def test_the_form_in_chinese(tmp_path: Path) -> None:
    texts = {str(v) for row in shown(form(tmp_path, coded().in_language("zh"))) for v in row if v is not None}
    assert {"项目编号", "计划拆除", "实际平整", "累计拆除平整（亩）", "政府收储"} <= texts
    assert not any("Redevelop" in text or "Project" in text for text in texts)


def test_cells_offer_states_and_warn_of_areas_and_months(tmp_path: Path) -> None:
    sheet = openpyxl.load_workbook(form(tmp_path)).worksheets[0]
    rules = {(v.type, v.errorStyle) for v in sheet.data_validations.dataValidation}
    assert rules == {("list", "information"), ("decimal", "warning"), ("custom", "warning")}


def test_what_is_filled_in_is_read(tmp_path: Path) -> None:
    path = form(tmp_path)
    assert read_entries(path, coded()).by_code == {}
    fill(
        path,
        {
            (ONE, "State of the project"): "Done",
            (ONE, "Levelled, reached"): datetime.datetime(2026, 9, 14),
            (ONE, "Cleared and levelled so far, mu"): 28.5,
            (TWO, "Launched, reached"): "2026-02",
            (TWO, "Remark"): HOSTILE,
        },
        [(THREE, "Vote of the members", None, "2027-01"), (ONE, "permit", "7", datetime.datetime(2026, 12, 5))],
    )
    assert dict(read_entries(path, coded(), "2026-12").by_code) == {
        ONE: Entry(
            ONE,
            "done",
            {"levelled": "2026-09"},
            28.5,
            approvals=(Approval("permit", datetime.date(2026, 12, 5), "7"),),
        ),
        TWO: Entry(TWO, "running", {"launched": "2026-02"}, remark=HOSTILE),
        THREE: Entry(THREE, "waiting", approvals=(Approval("Vote of the members", datetime.date(2027, 1, 31)),)),
    }


def test_a_new_form_keeps_what_is_typed(tmp_path: Path) -> None:
    path = form(tmp_path)
    typed = {
        (ONE, "Remark"): HOSTILE,
        (ONE, "Cleared and levelled so far, mu"): "28.5亩",
        (TWO, "Cleared and levelled so far, mu"): 12.25,
        (THREE, "State of the project"): "Running",
    }
    fill(path, typed, [(TWO, "permit", "7", "2026-12-05"), (THREE, "vote", None, None)])
    fewer = coded(blocks={"A1": "P1-01", "A2": "P1-01", "A3": "P1-02"})
    path = form(tmp_path, fewer, earlier=read_sheets(path))
    found = {str(line.code): dict(line.cells) for line in read_sheets(path).projects}
    assert found == {
        ONE: {"code": ONE, "entry_remark": HOSTILE, "entered_cleared_mu": "28.5亩"},
        TWO: {"code": TWO, "entered_cleared_mu": 12.25},
        THREE: {"code": THREE, "entry_state": "Running"},
    }
    column = [row[0] for row in shown(path)]
    assert "No longer in the plan (kept) 方案中已取消（保留）: 1" in column
    fill(path, {(ONE, "Cleared and levelled so far, mu"): 28.5})
    entries = read_entries(path, fewer)
    assert dict(entries.gone) == {THREE: Entry(THREE, "running", approvals=(Approval("vote", None),))}
    assert entries.by_code[TWO].approvals == (Approval("permit", datetime.date(2026, 12, 5), "7"),)
    again = form(tmp_path, coded(), earlier=read_sheets(path))  # the project is back, and so is what was typed
    assert read_entries(again, coded()).by_code[THREE].state == "running"
    assert read_entries(again, coded()).gone == {}


def test_rows_without_a_code_are_kept(tmp_path: Path) -> None:
    path = form(tmp_path)
    book = openpyxl.load_workbook(path)
    sheet = book.worksheets[0]
    row, column = heads_of(sheet)["Remark"]
    last = next(r for r in range(row + 1, 30) if sheet.cell(r, 2).value == THREE)
    sheet.cell(last + 1, column).value = "whose?"
    book.save(path)
    assert write_form(coded(), path, day=DAY, earlier=read_sheets(path)) == 1
    assert [line.cells for line in read_sheets(path).projects] == [{"entry_remark": "whose?"}]


def test_years_from_the_start(tmp_path: Path) -> None:
    contents = coded(FROM_START, modes=False)
    texts = {str(v) for row in shown(form(tmp_path, contents)) for v in row}
    assert {"Y1-12", "Y3-12"} <= texts
    path = form(tmp_path, contents, starts="2024-07")
    texts = {str(v) for row in shown(path) for v in row}
    assert {"2025-06", "2027-06"} <= texts
    assert read_entries(path, contents).starts == "2024-07"
    kept = form(tmp_path, contents, "kept.xlsx", earlier=read_sheets(path))
    assert read_entries(kept, contents).starts == "2024-07"


def test_the_same_plan_gives_the_same_form(tmp_path: Path) -> None:
    assert form(tmp_path, name="a.xlsx").read_bytes() == form(tmp_path, name="b.xlsx").read_bytes()


@pytest.mark.slow
@pytest.mark.skipif(OFFICE is None and os.environ.get("CI", "").lower() != "true", reason="LibreOffice is not here")
def test_the_form_survives_libreoffice(tmp_path: Path) -> None:
    path = form(tmp_path)
    values: dict[tuple[str, str], Any] = {(code, "Remark"): HOSTILE for code in CODES}
    fill(path, values | {(ONE, "Signed, reached"): "2026-03", (ONE, "Accepted so far, mu"): 28.25})
    expected = read_entries(path, coded()).by_code
    assert OFFICE is not None
    profile = f"-env:UserInstallation={(tmp_path / 'profile').as_uri()}"
    command = [OFFICE, profile, "--headless", "--convert-to", "xlsx", "--outdir", str(tmp_path / "office"), str(path)]
    subprocess.run(command, check=True, capture_output=True)
    assert read_entries(tmp_path / "office" / path.name, coded()).by_code == expected
