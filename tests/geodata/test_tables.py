from __future__ import annotations

import datetime
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from geodata.attributes import parcel_ids
from geodata.errors import DataError
from geodata.notes import SourceNote
from geodata.spec import KeySpec, TableFieldSpec, TableSpec
from geodata.tables import read_declared_table, read_table


class TestTables:
    def write(self, folder: Path, raw: bytes, name: str = "t.csv") -> Path:
        path = folder / name
        path.write_bytes(raw)
        return path

    def test_csv_rows_have_their_line_numbers(self, tmp_path: Path) -> None:
        table = read_table(self.write(tmp_path, b'id, n\n1,"two\nlines"\n\n,\n007,3\n'))
        assert list(table.columns) == ["id", "n"]
        assert table.to_dict("index") == {2: {"id": "1", "n": "two\nlines"}, 6: {"id": "007", "n": "3"}}
        assert table.index.name == "row"

    @pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
    def test_encodings_are_found(self, tmp_path: Path, encoding: str) -> None:
        table = read_table(self.write(tmp_path, "编号,面积(亩)\n一,3\n".encode(encoding)))
        assert list(table.columns) == ["编号", "面积(亩)"]
        assert table.iloc[0].tolist() == ["一", "3"]

    def test_declared_encoding(self, tmp_path: Path) -> None:
        path = self.write(tmp_path, "id,n\né,3\n".encode("latin-1"))
        assert read_table(path, encoding="latin-1").iloc[0, 0] == "é"
        with pytest.raises(DataError, match="not utf-8"):
            read_table(path, encoding="utf-8")
        with pytest.raises(DataError, match="known encoding"):
            read_table(path, encoding="klingon")

    @pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
    def test_delimiters(self, tmp_path: Path, delimiter: str) -> None:
        assert read_table(self.write(tmp_path, f"a{delimiter}b\n1{delimiter}2\n".encode())).shape == (1, 2)

    @pytest.mark.parametrize(
        ("raw", "match"),
        [
            (b"", "found nothing"),
            (b"a,b\n", "only a header"),
            (b"a,b\n1,2,3\n", "more cells than the header's 2 in row 2"),
            ("2023年台账,,\n编号,村\n1,甲\n".encode(), "`skip_rows: 1`"),
            (b"i\0d\0,\0n\0", "`encoding`"),
            (b'a\n"' + b"x" * 200_000 + b'"\n', "field larger"),
        ],
    )
    def test_broken_csv(self, tmp_path: Path, raw: bytes, match: str) -> None:
        with pytest.raises(DataError, match=match):
            read_table(self.write(tmp_path, raw))

    def test_other_files(self, tmp_path: Path) -> None:
        with pytest.raises(DataError, match="no file"):
            read_table(tmp_path / "no.csv")
        with pytest.raises(DataError, match=r"a \.xls file"):
            read_table(self.write(tmp_path, b"", "t.xls"))
        with pytest.raises(DataError, match="cannot be read"):
            read_table(self.write(tmp_path, b"PK\x03\x04 nonsense", "t.xlsx"))
        with pytest.raises(DataError, match="on this computer"):
            read_table("https://example.org/t.csv")

    def test_workbook(self, tmp_path: Path) -> None:
        path = tmp_path / "t.xlsx"
        book = openpyxl.Workbook()
        sheet = book.active
        assert sheet is not None
        sheet.title = "台账"
        for row in (
            [None, None],
            ["id", "n", "on", "flag"],
            [441900001, 1.5, datetime.datetime(2020, 1, 2), True],
            [4.41900000000123e17, "1,234", datetime.datetime(2020, 1, 2, 3, 4), None],
            [],
            ["007", 100.0, None, "x"],
        ):
            sheet.append(row)
        book.create_sheet("other").append(["a"])
        book.save(path)
        table = read_table(path, "台账")
        assert table.to_dict("index") == {
            3: {"id": "441900001", "n": "1.5", "on": "2020-01-02", "flag": "TRUE"},
            4: {"id": "4.41900000000123E+17", "n": "1,234", "on": "2020-01-02 03:04:00", "flag": ""},
            6: {"id": "007", "n": "100", "on": "", "flag": "x"},
        }
        assert read_table(path).equals(table)
        with pytest.raises(DataError, match=r"row 4 '4.41900000000123E\+17'"):
            parcel_ids(table, "id", "t.xlsx")
        with pytest.raises(DataError, match="one of 台账, other"):
            read_table(path, "no")

    def test_formulas_that_were_never_computed_are_not_blank(self, tmp_path: Path) -> None:
        path = tmp_path / "t.xlsx"
        book = openpyxl.Workbook()
        sheet = book.active
        assert sheet is not None
        sheet.append(["id", "n"])
        sheet.append(["a", "=1+1"])
        book.save(path)
        with pytest.raises(DataError, match="without a stored result in cell B2"):
            read_table(path)


def write_sheet(
    path: Path, rows: Sequence[Sequence[Any]], merges: Sequence[str] = (), formats: dict[str, str] | None = None
) -> Path:
    """A workbook with one sheet 台账, its rows from A1 on."""
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.title = "台账"
    for row in rows:
        sheet.append(list(row))
    for reference in merges:
        sheet.merge_cells(reference)
    for cell, number_format in (formats or {}).items():
        sheet[cell].number_format = number_format
    book.save(path)
    return path


def declared(
    path: Path, fields: dict[str, TableFieldSpec], key: str = "编号", **more: Any
) -> tuple[dict[Any, Any], list[SourceNote]]:
    spec = TableSpec(path=path, key=KeySpec(parcels="K", table=key), fields=fields, **more)
    frame, notes = read_declared_table(spec)
    return frame.to_dict("index"), notes


TAX = {"tax_wan_yuan": TableFieldSpec(column="税收", agg="sum")}
CODE = {"credit": TableFieldSpec(column="代码")}


class TestHeaders:
    HEAD = (
        ["2023年产业用地台账"],
        ["编号", "面积\n(亩)", None, "税收"],
        [None, "证载", "实测", None],
        ["A1", 3, 3.1, 7],
    )

    def test_text_of_a_merged_cell_stands_for_every_cell_it_covers(self, tmp_path: Path) -> None:
        path = write_sheet(tmp_path / "t.xlsx", self.HEAD, ["A1:D1", "A2:A3", "B2:C2", "D2:D3"])
        table = read_table(path, header_rows=2, skip_rows=1)
        assert list(table.columns) == ["编号", "面积 (亩)/证载", "面积 (亩)/实测", "税收"]
        assert table.to_dict("split")["data"] == [["A1", "3", "3.1", "7"]]
        assert table.index.tolist() == [4]

    def test_without_merges_a_blank_part_is_left_out(self, tmp_path: Path) -> None:
        (tmp_path / "t.csv").write_text("a,b,\n,x,y\n1,2,3\n", encoding="utf-8")
        assert list(read_table(tmp_path / "t.csv", header_rows=2).columns) == ["a", "b/x", "y"]

    def test_equal_neighbours_are_named_once_but_equal_ends_stay(self, tmp_path: Path) -> None:
        (tmp_path / "t.csv").write_text("a,b\na,c\nb,b\n1,2\n", encoding="utf-8")
        assert list(read_table(tmp_path / "t.csv", header_rows=3).columns) == ["a/b", "b/c/b"]

    def test_a_header_deeper_than_said(self, tmp_path: Path) -> None:
        path = write_sheet(tmp_path / "t.xlsx", self.HEAD[1:], ["A1:A2", "B1:C1", "D1:D2"])
        with pytest.raises(DataError, match=r"A1:A2, D1:D2.*header_rows: 2"):
            read_table(path)

    @pytest.mark.parametrize("merges", [[], ["A1:D1"]])
    def test_a_title_is_not_a_header(self, tmp_path: Path, merges: list[str]) -> None:
        path = write_sheet(tmp_path / "t.xlsx", self.HEAD, merges)
        with pytest.raises(DataError, match=r"one text in row 1, '2023年产业用地台账'.*skip_rows: 1"):
            read_table(path)

    def test_cells_right_of_the_header_are_told(self, tmp_path: Path) -> None:
        path = write_sheet(tmp_path / "t.xlsx", [["编号", "税收"], ["A1", 1, None, "备注"]])
        _, (note,) = declared(path, TAX)
        assert note.items == ("D",) and note.warning


class TestBody:
    def test_merged_rows_take_the_text_and_are_noted(self, tmp_path: Path) -> None:
        rows = [["村", "编号", "税收"], ["长安", "A1", 5], [None, "A2", None], ["大岭", "A3", 2]]
        path = write_sheet(tmp_path / "t.xlsx", rows, ["A2:A3", "C2:C3"])
        table, notes = declared(path, {"village": TableFieldSpec(column="村"), **TAX})
        assert [row["村"] for row in table.values()] == ["长安", "长安", "大岭"]
        assert [row["税收"] for row in table.values()] == ["5", "5", "2"]
        assert {(note.source, note.items, note.warning) for note in notes} == {
            ("t.xlsx, sheet 台账, column 村", ("A2:A3 长安",), False),
            ("t.xlsx, sheet 台账, column 税收", ("C2:C3 5",), True),
        }

    def test_a_total_across_columns_fills_no_other(self, tmp_path: Path) -> None:
        rows = [["序号", "编号", "税收"], [1, "A1", 5], ["长安村 小计", None, 5], [2, "A2", 1], [None, "合计：", 6]]
        path = write_sheet(tmp_path / "t.xlsx", rows, ["A3:B3"])
        table, (note,) = declared(path, TAX)
        assert table[3] == {"序号": "长安村 小计", "编号": "", "税收": "5"}
        assert note.items == ("row 3 长安村 小计", "row 5 合计：") and "totals" in note.what

    def test_a_name_that_holds_the_word_total_is_no_total(self, tmp_path: Path) -> None:
        path = write_sheet(tmp_path / "t.xlsx", [["编号", "税收"], ["合计村1号", 5], ["Totality", 5]])
        assert declared(path, TAX)[1] == []

    @pytest.mark.parametrize(
        ("value", "shown"), [(4.419e17, "4.419E+17"), ("4.41900E+17", "4.41900E+17"), (9.1e15, "9.1E+15")]
    )
    def test_codes_that_became_numbers_are_refused_by_cell(self, tmp_path: Path, value: Any, shown: str) -> None:
        path = write_sheet(tmp_path / "t.xlsx", [["x", "编号", "代码"], [1, "A1", "91441900"], [2, value, value]])
        with pytest.raises(DataError) as caught:
            declared(path, CODE)
        assert "sheet 台账, column 编号" in caught.value.issues[0].where
        assert f"cell B3 '{shown}'" in str(caught.value) and f"cell C3 '{shown}'" in str(caught.value)

    def test_a_large_number_in_a_number_column_is_a_number(self, tmp_path: Path) -> None:
        path = write_sheet(tmp_path / "t.xlsx", [["编号", "税收"], ["A1", 1.5e15]])
        assert declared(path, TAX)[0][2]["税收"] == "1.5E+15"

    def test_codes_of_fifteen_digits_keep_them_all(self, tmp_path: Path) -> None:
        path = write_sheet(tmp_path / "t.xlsx", [["编号", "代码"], [441900001000123, "0123456789012345678"]])
        assert declared(path, CODE)[0][2] == {"编号": "441900001000123", "代码": "0123456789012345678"}

    @pytest.mark.parametrize("error", ["#N/A", "#REF!", "#DIV/0!"])
    def test_errors_are_refused_where_they_are_used(self, tmp_path: Path, error: str) -> None:
        path = write_sheet(tmp_path / "t.xlsx", [["编号", "税收", "其他"], ["A1", 1, error], ["A2", error, error]])
        with pytest.raises(DataError, match=rf"column 税收: found cells that show an error.*cell B3 '{error}'"):
            declared(path, TAX)
        known = {"tax_wan_yuan": TableFieldSpec(column="税收", agg="sum", missing=(error,))}
        assert declared(path, known)[0][3]["税收"] == error

    def test_percentages_are_shares_and_plain_numbers_among_them_are_told(self, tmp_path: Path) -> None:
        rows = [["编号", "签约", "税收"], ["A1", 0.35, 0.5], ["A2", 35, 1], ["A3", 1, 2]]
        formats = {"B2": "0.00%", "B4": "0%", "C2": '0.0"%"'}
        path = write_sheet(tmp_path / "t.xlsx", rows, (), formats)
        table, (note,) = declared(path, {"signed": TableFieldSpec(column="签约"), **TAX})
        assert [row["签约"] for row in table.values()] == ["0.35", "35", "1"]
        assert note.items == ("B3 35",) and "2 percentages" in note.what

    def test_a_csv_names_rows(self, tmp_path: Path) -> None:
        (tmp_path / "t.csv").write_text("编号,代码\nA1,9.14419E+17\nA2,#N/A\n", encoding="gb18030")
        with pytest.raises(DataError, match=r"row 2 '9.14419E\+17'"):
            declared(tmp_path / "t.csv", CODE)
        marks = {"credit": TableFieldSpec(column="代码", missing=("#N/A", "9.14419E+17"))}
        _, (note,) = declared(tmp_path / "t.csv", marks)
        assert "GB18030" in note.what and "编号,代码" in note.what


class TestFiles:
    @pytest.mark.parametrize("name", ["t.xls", "t.et", "t.ods"])
    def test_other_workbooks_are_refused_with_what_to_do(self, tmp_path: Path, name: str) -> None:
        (tmp_path / name).write_bytes(b"")
        with pytest.raises(DataError, match=r"save it as \.xlsx"):
            read_table(tmp_path / name)

    def test_an_old_workbook_under_a_new_name(self, tmp_path: Path) -> None:
        (tmp_path / "t.xlsx").write_bytes(bytes.fromhex("d0cf11e0a1b11ae1") + bytes(600))
        with pytest.raises(DataError, match="old binary or password-protected"):
            read_table(tmp_path / "t.xlsx")

    def test_a_wrong_size_in_the_file_loses_nothing(self, tmp_path: Path) -> None:
        path = write_sheet(tmp_path / "t.xlsx", [["编号", "税收"], ["A1", 1], ["A2", 2]])
        with zipfile.ZipFile(path) as book:
            parts = {name: book.read(name) for name in book.namelist()}
        sheet = parts["xl/worksheets/sheet1.xml"]
        parts["xl/worksheets/sheet1.xml"] = sheet.replace(b'<dimension ref="A1:B3"', b'<dimension ref="A1"')
        assert parts["xl/worksheets/sheet1.xml"] != sheet
        with zipfile.ZipFile(path, "w") as book:
            for name, part in parts.items():
                book.writestr(name, part)
        assert read_table(path).shape == (2, 2)
