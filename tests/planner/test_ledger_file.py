"""An earlier workbook, edited by people, read back."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from pathlib import Path

import openpyxl
import pytest
from openpyxl.worksheet.worksheet import Worksheet

from geodata.errors import DataError
from planner.codes import Ledger
from planner.ledger_file import read_ledger
from planner.ledger_form import FORM
from planner.report.workbook import write_workbook
from tests.planner.report.workbook.small_plan import BLOCK_OF, Opened, contents_of

DAY = datetime.date(2026, 3, 1)
OTHER = {"A1": "P1-01", "A2": "P1-01", "A4": "P1-02", "A5": "P2-01", "X1": "P2-01"}
"""The same land cut otherwise: A3 is out, A4 and A5 are apart, X1 is new."""


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The workbook of a first run, in Chinese."""
    path = tmp_path_factory.mktemp("first") / "plan.xlsx"
    write_workbook(contents_of(modes=False), path, day=DAY, language="zh")
    return path


def sheet_of(book: openpyxl.Workbook, name: str) -> Worksheet:
    """A sheet by its Chinese name."""
    found = next(s for s in book.worksheets if name in s.title)
    assert isinstance(found, Worksheet)
    return found


def place(sheet: Worksheet, header: str) -> int:
    """Column of a header."""
    return next(
        c.column for row in sheet.iter_rows(max_row=8) for c in row if c.value and header in str(c.value).split("\n")
    )


def line(sheet: Worksheet, *texts: str) -> int:
    """First row that has all of these texts."""
    return next(r[0].row for r in sheet.iter_rows() if set(texts) <= {str(c.value) for c in r})


def edited(original: Path, folder: Path, change: Callable[[openpyxl.Workbook], None]) -> Path:
    """A copy that people worked on."""
    book = openpyxl.load_workbook(original)
    change(book)
    path = folder / "edited.xlsx"
    book.save(path)
    return path


def type_in(book: openpyxl.Workbook) -> None:
    """A name and a remark for the first, a name for the second project; a leader, a state, a deadline of a task."""
    ledger, tasks = sheet_of(book, "项目库台账"), sheet_of(book, "责任清单")
    for code, header, text in (
        ("QX-2026-001", "项目名称", "长山头一期"),
        ("QX-2026-001", "备注", "=1+1"),
        ("QX-2026-002", "项目名称", "罗马片区"),
    ):
        cell = ledger.cell(line(ledger, code), place(ledger, header), text)
        cell.data_type = "s"
    for task, header, text in (("签约", "挂点领导", "李"), ("签约", "状态", "推进中"), ("摸底", "完成时限", "2026-02")):
        tasks.cell(line(tasks, "QX-2026-001", task), place(tasks, header), text)
    tasks.cell(line(tasks, "QX-2026-002", "验收"), place(tasks, "需协调事项"), "道路")


def test_an_untouched_workbook(original: Path) -> None:
    ledger = read_ledger(original)
    assert {code: dict(p.parcels) for code, p in ledger.projects.items()} == {
        "QX-2026-001": {"A1": 10.004, "A2": 20.003},
        "QX-2026-002": {"A3": 30.004},
        "QX-2026-003": {"A4": 40.004, "A5": 5.002},
    }
    assert not any(p.gone for p in ledger.projects.values())
    assert not any(ledger.cells.values())
    assert not ledger.tasks
    assert not ledger.loose
    assert not ledger.loose_tasks


def test_what_is_typed_survives_a_run_with_other_blocks(original: Path, tmp_path: Path) -> None:
    """P1-01 stays; P1-02 of before is gone; P2-01 of before is now P1-02 (A4: 40 of 45 mu)."""
    ledger = read_ledger(edited(original, tmp_path, type_in))
    path = tmp_path / "second.xlsx"
    write_workbook(contents_of(modes=False, blocks=OTHER), path, day=DAY, language="zh", ledger=ledger)
    opened = Opened(path)
    codes = {r["连片区"]: r["项目编号"] for r in opened.rows("项目库台账") if r["连片区"]}
    assert {k: codes[k] for k in ("P1-01", "P1-02", "P2-01")} == {
        "P1-01": "QX-2026-001",
        "P1-02": "QX-2026-003",
        "P2-01": "QX-2026-004",
    }
    first = opened.row("项目库台账", "连片区", "P1-01")
    assert (first["项目名称"], first["备注"]) == ("长山头一期", "=1+1")
    gone = opened.row("项目库台账", "项目编号", "QX-2026-002")
    assert (gone["类别"], gone["项目名称"], gone["用地面积（亩）"]) == ("已取消", "罗马片区", None)
    rows = opened.rows("项目库台账")
    assert rows.index(gone) > next(k for k, r in enumerate(rows) if r["序号"] == "合计")
    tasks = {(r["项目编号"], r["工作任务"]): r for r in opened.rows("责任清单")}
    assert tasks["QX-2026-001", "签约"]["挂点领导"] == "李"
    assert tasks["QX-2026-001", "签约"]["状态"] == "推进中"
    assert tasks["QX-2026-001", "签约"]["项目名称"] == "长山头一期"
    assert tasks["QX-2026-001", "摸底"]["完成时限"] == "2026-02"
    assert tasks["QX-2026-002", "验收"]["需协调事项"] == "道路"
    again = read_ledger(path)
    assert again.projects["QX-2026-002"].gone
    assert dict(again.projects["QX-2026-002"].parcels) == {"A3": 30.004}
    third = tmp_path / "third.xlsx"
    write_workbook(contents_of(modes=False, blocks=BLOCK_OF), third, day=DAY, language="en", ledger=again)
    back = Opened(third).row("Project ledger 项目库台账", "Block\n连片区", "P1-02")
    assert (back["Project code\n项目编号"], back["Project\n项目名称"]) == ("QX-2026-002", "罗马片区")


def test_sorted_inserted_and_added_rows_and_columns_are_read(original: Path, tmp_path: Path) -> None:
    def change(book: openpyxl.Workbook) -> None:
        type_in(book)
        for sheet in (sheet_of(book, "项目库台账"), sheet_of(book, "责任清单")):
            merged = [str(r) for r in sheet.merged_cells.ranges]
            for area in merged:
                sheet.unmerge_cells(area)
            sheet.insert_cols(2)
            sheet.insert_rows(1, 2)
            first, last = (line(sheet, f"QX-2026-00{k}") for k in (1, 2))
            for k in range(1, sheet.max_column + 1):  # two rows change places
                one, two = sheet.cell(first, k), sheet.cell(last, k)
                kinds = two.data_type, one.data_type
                one.value, two.value = two.value, one.value
                one.data_type, two.data_type = kinds
            sheet.insert_rows(first + 1)
        ledger = sheet_of(book, "项目库台账")
        free = line(ledger, "QX-2026-002") + 1
        ledger.cell(free, place(ledger, "备注"), "见会议纪要")
        ledger.cell(ledger.max_row + 2, place(ledger, "项目编号"), "QX-2026-044")
        ledger.cell(ledger.max_row, place(ledger, "项目名称"), 2024)
        ledger.column_dimensions["C"].width = 60

    ledger = read_ledger(edited(original, tmp_path, change))
    assert dict(ledger.cells["QX-2026-001"]) == {"name": "长山头一期", "remarks": "=1+1"}
    assert dict(ledger.cells["QX-2026-002"]) == {"name": "罗马片区"}
    assert dict(ledger.cells["QX-2026-044"]) == {"name": "2024"}
    assert [dict(cells) for cells in ledger.loose] == [{"remarks": "见会议纪要"}]
    assert dict(ledger.tasks["QX-2026-001", "sign"]) == {"leader": "李", "state": "推进中"}
    path = tmp_path / "next.xlsx"
    write_workbook(contents_of(modes=False, blocks=OTHER), path, day=DAY, language="zh", ledger=ledger)
    again = read_ledger(path)
    assert [dict(cells) for cells in again.loose] == [{"remarks": "见会议纪要"}]
    assert again.codes >= {"QX-2026-044"}
    assert "QX-2026-045" in again.codes  # above the number that people gave


def test_a_task_that_people_added_is_kept(original: Path, tmp_path: Path) -> None:
    def change(book: openpyxl.Workbook) -> None:
        tasks = sheet_of(book, "责任清单")
        at = line(tasks, "QX-2026-001", "动工") + 1
        tasks.insert_rows(at)
        for header, text in (("项目编号", "QX-2026-001"), ("工作任务", "迁坟"), ("完成时限", "2026-05")):
            tasks.cell(at, place(tasks, header), text)

    ledger = read_ledger(edited(original, tmp_path, change))
    path = tmp_path / "next.xlsx"
    write_workbook(contents_of(modes=False), path, day=DAY, language="zh", ledger=ledger)
    row = Opened(path).row("责任清单", "工作任务", "迁坟")
    assert (row["项目编号"], row["完成时限"], row["状态"]) == ("QX-2026-001", "2026-05", "未启动")


def test_ids_and_cells_that_look_like_formulas_come_back(tmp_path: Path) -> None:
    contents = contents_of(modes=False)
    strange = {"A1": "=1+1", "A2": "@x", "A3": "007", "A4": " A4 ", "A5": "http://a"}
    parcels = contents.tables.parcels.assign(
        parcel_id=[strange.get(i, i) for i in contents.tables.parcels["parcel_id"]]
    )
    tables = type(contents.tables)(parcels, contents.tables.blocks, *(contents.tables.zones,) * 4)
    cells = {"QX-2026-001": {"remarks": "=HYPERLINK(1)", "name": "+1"}}
    path = tmp_path / "plan.xlsx"
    write_workbook(
        type(contents)(contents.config, tables, contents.summary, {}), path, day=DAY, ledger=Ledger(cells=cells)
    )
    ledger = read_ledger(path)
    assert {i for p in ledger.projects.values() for i in p.parcels} == set(strange.values())
    assert dict(ledger.cells["QX-2026-001"]) == cells["QX-2026-001"]


def refused(path: Path) -> str:
    """What is said of a file that is no ledger."""
    with pytest.raises(DataError) as caught:
        read_ledger(path)
    return str(caught.value)


def test_what_is_no_ledger_is_refused(original: Path, tmp_path: Path) -> None:
    assert "no such file" in refused(tmp_path / "none.xlsx")
    (tmp_path / "text.xlsx").write_text("not a workbook", encoding="utf-8")
    assert "cannot be read" in refused(tmp_path / "text.xlsx")
    openpyxl.Workbook().save(tmp_path / "empty.xlsx")
    said = refused(tmp_path / "empty.xlsx")
    assert "no hidden sheet" in said
    assert "项目库台账" in said
    assert "责任清单" in said


def test_a_missing_header_another_version_and_contradicting_rows_are_told(original: Path, tmp_path: Path) -> None:
    def renamed(book: openpyxl.Workbook) -> None:
        sheet = sheet_of(book, "项目库台账")
        sheet.cell(4, place(sheet, "备注")).value = "说明"
        book[FORM]["B1"] = "9"

    said = refused(edited(original, tmp_path, renamed))
    assert "no column '备注'" in said
    assert "version '9'" in said

    def doubled(book: openpyxl.Workbook) -> None:
        type_in(book)
        sheet = sheet_of(book, "项目库台账")
        at = sheet.max_row + 1
        sheet.cell(at, place(sheet, "项目编号"), "QX-2026-001")
        sheet.cell(at, place(sheet, "项目名称"), "另一个名称")

    said = refused(edited(original, tmp_path, doubled))
    assert "a second row of QX-2026-001 with another 项目名称" in said
