"""Tables as CSV: what a spreadsheet and a program read from them."""

from __future__ import annotations

import csv
import io
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from planner.table_files import read_tables, write_tables

FORMULAS = ("=1+1", "+1", "-1+2", "@SUM(A1)", "\t=1", "\r=1", '=HYPERLINK("x","y")', "=cmd|' /C calc'!A0")


def written(table: pd.DataFrame, folder: Path) -> tuple[bytes, list[list[str]]]:
    """Bytes of a table, and its rows as a program reads them."""
    write_tables({"table": table}, folder)
    data = (folder / "table.csv").read_bytes()
    return data, list(csv.reader(io.StringIO(data.decode("utf-8-sig"), newline="")))


def test_each_table_is_a_file_of_its_name(tmp_path: Path) -> None:
    tables = {"limits": pd.DataFrame({"a": [1]}), "consent": pd.DataFrame({"b": [2]})}
    write_tables(tables, tmp_path / "tables")
    assert sorted(p.name for p in (tmp_path / "tables").iterdir()) == ["consent.csv", "limits.csv"]


def test_spreadsheets_read_chinese_and_windows_lines(tmp_path: Path) -> None:
    data, rows = written(pd.DataFrame({"村": ["上围村", "a,b", 'c"d']}), tmp_path / "t")
    assert data.startswith(b"\xef\xbb\xbf")
    assert data.count(b"\r\n") == data.count(b"\n") == 4
    assert rows == [["村"], ["上围村"], ["a,b"], ['c"d']]


def test_what_is_unknown_is_empty_and_nought_is_nought(tmp_path: Path) -> None:
    table = pd.DataFrame(
        {
            "f": [0.0, np.nan],
            "i": pd.array([0, None], dtype="Int64"),
            "b": pd.array([False, None], dtype="boolean"),
            "F": pd.array([0.0, None], dtype="Float64"),
            "s": pd.Series(["x", None], dtype="str"),
            "o": pd.Series([None, Decimal("1.50")], dtype=object),
        }
    )
    before = table.copy(deep=True)
    _, rows = written(table, tmp_path / "t")
    assert rows[1] == ["0.0", "0", "False", "0.0", "x", ""]
    assert rows[2] == ["", "", "", "", "", "1.50"]
    pd.testing.assert_frame_equal(table, before)


def test_numbers_are_written_in_full(tmp_path: Path) -> None:
    numbers = [1234567.89, -98_765_432_101.23, 0.1, -0.5]
    _, rows = written(pd.DataFrame({"yuan": numbers}), tmp_path / "t")
    assert [float(r[0]) for r in rows[1:]] == numbers  # also those below zero, which begin like a formula


@pytest.mark.parametrize("kind", ["str", "object", "category"])
def test_formulas_are_harmless_in_every_kind_of_column(tmp_path: Path, kind: str) -> None:
    _, rows = written(pd.DataFrame({"name": pd.Series(FORMULAS, dtype=kind)}), tmp_path / "t")
    assert [r[0] for r in rows[1:]] == [f"'{text}" for text in FORMULAS]


def test_a_year_before_the_first_is_a_number_and_no_formula(tmp_path: Path) -> None:
    """Limits by year name their periods as texts."""
    _, rows = written(pd.DataFrame({"period": ["-1", "0", "-0.5", "-1-1", "--1", "-"]}), tmp_path / "t")
    assert [r[0] for r in rows[1:]] == ["-1", "0", "-0.5", "'-1-1", "'--1", "'-"]


@settings(max_examples=60, deadline=None)
@given(value=st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=12))
def test_any_text_stays_in_its_cell(tmp_path_factory: pytest.TempPathFactory, value: str) -> None:
    data, rows = written(pd.DataFrame({"a": [value], "b": ["end"]}), tmp_path_factory.mktemp("t") / "t")
    assert data.startswith(b"\xef\xbb\xbf")
    ((cell, last),) = rows[1:]
    assert last == "end"
    assert cell in {value, f"'{value}"}
    assert not cell.startswith(("=", "+", "@", "\t", "\r"))
    assert not cell.startswith("-") or float(cell) <= 0  # a number, or it is no number and this raises


def test_a_table_without_rows_has_its_header(tmp_path: Path) -> None:
    _, rows = written(pd.DataFrame(columns=["name", "period"]), tmp_path / "t")
    assert rows == [["name", "period"]]


def test_a_folder_that_stands_is_not_written_over(tmp_path: Path) -> None:
    with pytest.raises(FileExistsError):
        write_tables({}, tmp_path)


def test_dates_and_lists_are_texts_for_the_eye(tmp_path: Path) -> None:
    values: list[Any] = [(1, 2), True]
    _, rows = written(pd.DataFrame({"x": pd.Series(values, dtype=object)}), tmp_path / "t")
    assert [r[0] for r in rows[1:]] == ["(1, 2)", "True"]


def test_tables_come_back_as_they_were(tmp_path: Path) -> None:
    table = pd.DataFrame(
        {
            "parcel_id": ["0012", "NA", "1e5"],
            "site": pd.Series(["=cmd", "'quoted", None], dtype=object),
            "floor_m2": [1.5, np.nan, 0.0],
            "large": [True, False, True],
            "for_good": pd.array([True, pd.NA, False], dtype="boolean"),
        }
    ).astype({"parcel_id": object, "site": object})
    write_tables({"firm_moves": table}, tmp_path / "tables")
    (back,) = read_tables(tmp_path / "tables").values()
    pd.testing.assert_frame_equal(back, table)
    assert read_tables(tmp_path / "none") == {}
