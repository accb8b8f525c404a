from __future__ import annotations

import datetime
from pathlib import Path

import openpyxl
import pytest

from geodata.attributes import parcel_ids
from geodata.errors import DataError
from geodata.tables import read_table


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
        with pytest.raises(DataError, match="without a stored result in row 2"):
            read_table(path)
