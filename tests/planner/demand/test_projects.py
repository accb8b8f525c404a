"""Projects read from the configuration and from tables."""

from __future__ import annotations

from pathlib import Path

import openpyxl
import pandas as pd
import pytest

from geodata.errors import DataError
from planner.demand.projects import COLUMNS, read_projects
from planner.spec_demand import DemandSpec
from tests.planner.demand.cases import demand, project

HEADER = "id,industry,investment_yuan,site_mu,tax_yuan,by_year,environment,note"


def table(folder: Path, *rows: str, header: str = HEADER) -> DemandSpec:
    path = folder / "entrants.csv"
    path.write_text("\n".join([header, *rows]), encoding="utf-8")
    return DemandSpec(path=path)


def test_a_table_gives_what_the_same_projects_give(tmp_path: Path) -> None:
    written = table(tmp_path, "P2,,2000000,,300000,,,x", "P1,灯饰,1000000,20,400000,2019,pass,")
    listed = demand(
        {"id": "P1", "industry": "灯饰", "investment_yuan": 1e6, "site_mu": 20, "tax_yuan": 4e5, "by_year": 2019}
        | {"environment": "pass"},
        {"id": "P2", "investment_yuan": 2e6, "tax_yuan": 3e5, "note": "x"},
    )
    pd.testing.assert_frame_equal(read_projects(written), read_projects(listed), check_index_type=False)


def test_unknown_is_not_zero_and_a_ratio_over_nothing_is_unknown() -> None:
    got = read_projects(demand(project("A", tax_yuan=50.0), project("B", site_mu=0, tax_yuan=5.0), {"id": "C"}))
    assert got["tax_yuan_per_mu"].tolist() == [5.0, pd.NA, pd.NA]
    assert got.loc["C", list(COLUMNS)].isna().all()


def test_the_order_of_rows_does_not_matter(tmp_path: Path) -> None:
    rows = ["P3,,1,1,1,,,", "P1,,2,2,2,,,", "P2,,3,3,3,,,"]
    one = read_projects(table(tmp_path, *rows))
    pd.testing.assert_frame_equal(one, read_projects(table(tmp_path, *rows[::-1])))


def test_a_workbook_is_read_too(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.append(["id", "site_mu", "safety"])
    sheet.append(["X1", 12.5, "fail"])
    book.save(tmp_path / "entrants.xlsx")
    got = read_projects(DemandSpec(path=tmp_path / "entrants.xlsx"))
    assert got.loc["X1", ["site_mu", "safety"]].tolist() == [12.5, "fail"]


def test_all_mistakes_of_a_table_are_told_at_once_with_row_and_column(tmp_path: Path) -> None:
    rows = ["P1,,12亩,1,1,,,", "P1,,1,-3,1,,bad,", ",,1,1,1,,pass,"]
    with pytest.raises(DataError) as caught:
        read_projects(table(tmp_path, *rows))
    found = {i.where.rpartition(" ")[2]: i.found for i in caught.value.issues if "twice" not in i.found}
    assert found == {
        "investment_yuan": "no number in row 2 '12亩'",
        "site_mu": "numbers below 0 in row 3 '-3'",
        "environment": "row 3 'bad'",
        "id": "no id in row 4",
    }
    assert any("row 2 'P1', row 3 'P1'" in i.found for i in caught.value.issues)


def test_a_misspelt_column_is_no_column(tmp_path: Path) -> None:
    with pytest.raises(DataError) as caught:
        read_projects(table(tmp_path, "P1,5", header="id,site_mus"))
    (issue,) = caught.value.issues
    assert issue.where == "entrants.csv, column site_mus" and "'site_mu'" in issue.fix


def test_a_table_needs_ids(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="a column `id`"):
        read_projects(table(tmp_path, "P1,5", header="industry,site_mu"))
