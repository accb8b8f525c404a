"""Entries read from tables: what is kept, and what is refused."""

from __future__ import annotations

import datetime
import random
from pathlib import Path

import pytest

from geodata.errors import DataError
from planner.monitoring.entries import Approval, Entry, read_entries
from tests.planner.monitoring.small import ONE, THREE, TWO, coded, csv_file
from tests.planner.report.workbook.small_plan import contents_of

HEAD = "code,entry_state,reached_launched,reached_signed,entered_cleared_mu,entered_accepted_mu,entry_remark"


def issues_of(path: Path, at: str | None = None) -> list[tuple[str, str]]:
    with pytest.raises(DataError) as caught:
        read_entries(path, coded(), at)
    return [(issue.where.removeprefix(f"{path}"), issue.found) for issue in caught.value.issues]


def test_a_table_is_read(tmp_path: Path) -> None:
    path = csv_file(tmp_path, HEAD, f"{ONE},已销号,2026-01,2026-03,28.5,28,ok", f"{TWO},,2026/02,,,,")
    found = read_entries(path, coded(), "2026-12")
    assert dict(found.by_code) == {
        ONE: Entry(ONE, "done", {"launched": "2026-01", "signed": "2026-03"}, 28.5, 28.0, (), "ok"),
        TWO: Entry(TWO, "running", {"launched": "2026-02"}),
    }
    assert found.source == str(path)


def test_an_empty_cell_is_not_nought(tmp_path: Path) -> None:
    path = csv_file(tmp_path, "code,entered_cleared_mu,entered_accepted_mu,entry_remark", f"{ONE},0,,x", f"{TWO},,,y")
    found = read_entries(path, coded()).by_code
    assert (found[ONE].cleared_mu, found[ONE].accepted_mu) == (0.0, None)
    assert (found[TWO].cleared_mu, found[TWO].accepted_mu) == (None, None)
    assert found[ONE].state == found[TWO].state == "waiting"


def test_a_row_with_nothing_typed_is_no_entry(tmp_path: Path) -> None:
    path = csv_file(tmp_path, "code,entered_cleared_mu", f"{ONE},", f"{TWO},3")
    assert set(read_entries(path, coded()).by_code) == {TWO}


def test_headers_in_chinese_and_gb18030(tmp_path: Path) -> None:
    path = tmp_path / "entries.csv"
    path.write_bytes(f"项目编号,项目状态,累计拆除平整（亩）\n{THREE},推进中,12.5\n".encode("gb18030"))
    assert read_entries(path, coded()).by_code[THREE] == Entry(THREE, "running", {}, 12.5)


def test_approvals_stand_in_rows_of_their_own_or_beside(tmp_path: Path) -> None:
    path = csv_file(
        tmp_path,
        "code,entry_state,approval,approval_number,approval_until",
        f"{ONE},running,改造方案批复,〔2026〕7,2027-02",
        f"{ONE},,表决决议,,2026-12-05",
        f"{TWO},,vote,,",
    )
    found = read_entries(path, coded()).by_code
    assert found[ONE].approvals == (
        Approval("改造方案批复", datetime.date(2027, 2, 28), "〔2026〕7"),
        Approval("表决决议", datetime.date(2026, 12, 5)),
    )
    assert found[TWO] == Entry(TWO, "waiting", approvals=(Approval("vote", None),))


def test_everything_that_is_wrong_is_told_at_once(tmp_path: Path) -> None:
    path = csv_file(
        tmp_path,
        HEAD + ",approval,approval_until",
        f"{ONE},finished,2026-05,2026-03,28.5亩,-1,,,",
        "QX-2019-007,done,,,,,,,",
        f"{TWO},running,2027-02,,,,,,soon",
        ",,,,,,lost,,",
    )
    assert issues_of(path, "2026-12") == [
        (", row 3", "the project code 'QX-2019-007'"),
        (", row 5", "a row without a project code"),
        (", row 4, column approval 批复名称", "no name"),
        (", row 4, column approval_until 有效期至", "'soon'"),
        (", row 2, column entry_state 项目状态", "'finished'"),
        (", row 2, column reached_signed 实际签约", "2026-03, before launched in 2026-05"),
        (", row 2, column entered_cleared_mu 累计拆除平整（亩）", "a number with its unit, '28.5亩'"),
        (", row 2, column entered_accepted_mu 累计验收（亩）", "-1"),
        (", row 4, column reached_launched 实际启动", "2027-02, which lies after the report"),
    ]


def test_rows_that_contradict_each_other(tmp_path: Path) -> None:
    path = csv_file(tmp_path, "code,entry_state,entered_cleared_mu", f"{ONE},done,3", f"{ONE},done,4")
    assert issues_of(path) == [(", row 3", f"a second row of {ONE} with another entered_cleared_mu")]


def test_the_codes_that_there_are_are_told(tmp_path: Path) -> None:
    path = csv_file(tmp_path, "code,entry_state", "P1-01,done")
    with pytest.raises(DataError, match=f"a code of this plan: {ONE}, {TWO}, {THREE}"):
        read_entries(path, coded())


@pytest.mark.parametrize(
    ("name", "text", "found"),
    [
        ("no.csv", None, "no such file"),
        ("a.pdf", "x", "a file .pdf"),
        ("a.xlsx", "no workbook", "a file that cannot be read"),
        ("a.csv", "name,state\nx,y\n", "no column '项目编号' \\(code\\)"),
        ("a.csv", "code,other\nx,y\n", "no column to be filled in"),
        ("a.csv", 'code,entry_state\n"x,y\n', "no CSV table"),
    ],
)
def test_files_that_are_no_entries(tmp_path: Path, name: str, text: str | None, found: str) -> None:
    path = tmp_path / name
    if text is not None:
        path.write_text(text, encoding="utf-8")
    with pytest.raises(DataError, match=found):
        read_entries(path, coded())


def test_a_plan_without_codes_is_refused(tmp_path: Path) -> None:
    path = csv_file(tmp_path, "code,entry_state", f"{ONE},done")
    with pytest.raises(DataError, match="no column project_code"):
        read_entries(path, contents_of())


def test_the_order_of_rows_and_columns_changes_nothing(tmp_path: Path) -> None:
    rows = [HEAD, f"{ONE},done,2026-01,2026-03,28.5,28,ok", f"{TWO},,2026-02,,,,", f"{THREE},,,,1,,"]
    expected = read_entries(csv_file(tmp_path, *rows), coded()).by_code
    cells = [row.split(",") for row in rows]
    order = list(range(len(cells[0])))
    random.Random(3).shuffle(order)
    turned = [",".join(row[k] for k in order) for row in (cells[0], *reversed(cells[1:]))]
    assert read_entries(csv_file(tmp_path, *turned), coded()).by_code == expected
