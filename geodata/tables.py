"""Attribute tables (CSV, XLSX) as text, every row with the number it has in the file."""

from __future__ import annotations

import csv
import datetime
import io
import logging
import zipfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final
from xml.etree.ElementTree import ParseError

import numpy as np
import pandas as pd

from geodata.errors import DataError, Issue, list_ids
from geodata.sources import check_input_path, logged_warnings

logger = logging.getLogger(__name__)

_DELIMITERS: Final = ",;\t|"
_EXCEL_DIGITS: Final = 1e15  # Excel keeps 15 digits of a number

_Row = tuple[int, list[str]]


def read_table(path: str | Path, sheet: str | None = None, encoding: str | None = None) -> pd.DataFrame:
    """Read a CSV or XLSX table, everything as text.

    Parameters
    ----------
    path : str or pathlib.Path
        ``.csv``, ``.tsv``, ``.txt``, ``.xlsx`` or ``.xlsm``; its first row that is not blank is the header.
    sheet : str, optional
        Sheet of a workbook; the first by default.
    encoding : str, optional
        Encoding of a CSV; by default UTF-8, and GB18030 where it is not UTF-8.

    Returns
    -------
    pandas.DataFrame
        Columns of text, ``''`` where a cell is empty. Index ``row``: line or row in the file, counted from 1. Rows
        that are blank in every cell are left out. Numbers of a workbook that are too long for Excel to have kept
        all digits are written as Excel shows them (4.41900000000123E+17).

    Raises
    ------
    DataError
        If the file is missing, unreadable, of another format, or has no rows; if rows of a CSV are longer than
        the header.
    """
    path = check_input_path(path, "table")
    suffix = path.suffix.lower()
    if suffix in {".csv", ".tsv", ".txt"}:
        if sheet is not None:
            raise DataError(Issue(path.name, f"sheet {sheet!r}", "no sheet", "A text table has none: leave it out."))
        rows = _csv_rows(path, encoding)
        _refuse_ragged(rows, path.name)
    elif suffix in {".xlsx", ".xlsm"}:
        rows = _xlsx_rows(path, sheet)
    else:
        raise DataError(
            Issue(path.name, f"a {suffix or 'nameless'} file", "CSV or XLSX", "Save the table as .csv or .xlsx.")
        )
    return _frame(rows, path.name if sheet is None else f"{path.name}, sheet {sheet}")


def _frame(rows: list[_Row], source: str) -> pd.DataFrame:
    rows = [(number, cells) for number, cells in rows if any(cell.strip() for cell in cells)]
    if len(rows) < 2:
        found = "only a header" if rows else "nothing"
        raise DataError(Issue(source, found, "a header and at least one row", "Check the file and the sheet."))
    header = [cell.strip() for cell in rows[0][1]]
    while header and not header[-1]:
        header.pop()
    body = rows[1:]
    width = len(header)
    cells = np.full((len(body), width), "", dtype=object)
    for i, (_, row) in enumerate(body):
        cells[i, : min(len(row), width)] = row[:width]
    return pd.DataFrame(cells, columns=header, index=pd.Index([number for number, _ in body], name="row"), dtype="str")


def _refuse_ragged(rows: list[_Row], source: str) -> None:
    """More cells than the header has: most often an unquoted delimiter, which shifts all that follow."""
    header = next((cells for _, cells in rows if any(cell.strip() for cell in cells)), [])
    ragged = [number for number, cells in rows if any(cell.strip() for cell in cells[len(header) :])]
    if ragged:
        raise DataError(
            Issue(
                where=source,
                found=f"more cells than the header's {len(header)} in row {list_ids(ragged)}",
                expected="as many cells as columns",
                fix="Quote cells that hold the delimiter, or name the extra columns.",
            )
        )


def _csv_rows(path: Path, encoding: str | None) -> list[_Row]:
    text = _decode(path, encoding)
    head = next((line for line in text.splitlines() if line.strip()), "")
    delimiter = max(_DELIMITERS, key=head.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    rows: list[_Row] = []
    try:
        start = 1
        for cells in reader:
            rows.append((start, cells))
            start = reader.line_num + 1
    except csv.Error as error:
        raise DataError(
            Issue(f"{path.name}, line {reader.line_num}", str(error), "a CSV table", "Save the table again as CSV.")
        ) from error
    return rows


def _decode(path: Path, encoding: str | None) -> str:
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise DataError(Issue(path.name, str(error), "a readable file", "Check the file.")) from error
    if encoding is None and raw[:2] in (b"\xff\xfe", b"\xfe\xff"):
        encoding = "utf-16"
    tried = [encoding] if encoding else ["utf-8-sig", "gb18030"]
    for name in tried:
        try:
            text = raw.decode(name)
        except LookupError as error:
            raise DataError(
                Issue(path.name, f"encoding {name!r}", "a known encoding", "Write utf-8 or gb18030, say.")
            ) from error
        except UnicodeDecodeError:
            continue
        if name == "gb18030" and encoding is None:
            logger.warning("%s: is not UTF-8, read as GB18030", path.name)
        return text.removeprefix("\ufeff")
    raise DataError(
        Issue(
            where=path.name,
            found=f"bytes that are not {' or '.join(str(name) for name in tried)}",
            expected="text",
            fix="Declare the table's `encoding`, or save it as UTF-8.",
        )
    )


def _xlsx_rows(path: Path, sheet: str | None) -> list[_Row]:
    import openpyxl  # noqa: PLC0415  (slow to import, and most runs need no workbook)
    from openpyxl.utils.exceptions import InvalidFileException  # noqa: PLC0415

    broken = (
        InvalidFileException,
        zipfile.BadZipFile,
        ParseError,
        OSError,
        KeyError,
        ValueError,
        TypeError,
        AttributeError,
        IndexError,
        EOFError,
    )
    try:
        with logged_warnings(logger, path.name), path.open("rb") as file:
            book = openpyxl.load_workbook(file, read_only=True, data_only=True)
            names = book.sheetnames
            chosen = (names[0] if names else "") if sheet is None else sheet
            cells = _cells(book[chosen].iter_rows(values_only=True)) if chosen in names else None
            if cells is not None and _has_formulas(path):
                file.seek(0)
                formulas = openpyxl.load_workbook(file, read_only=True, data_only=False)
                _refuse_uncomputed(cells, formulas[chosen].iter_rows(values_only=True), f"{path.name}, sheet {chosen}")
    except broken as error:
        raise DataError(
            Issue(path.name, f"a workbook that cannot be read ({error})", "an XLSX file", "Save it again as .xlsx.")
        ) from error
    if cells is None:
        raise DataError(
            Issue(path.name, f"no sheet {sheet!r}", f"one of {', '.join(names)}", "Correct the name of the sheet.")
        )
    return cells


def _cells(rows: Iterable[tuple[Any, ...]]) -> list[_Row]:
    return [(number, [_cell_text(cell) for cell in row]) for number, row in enumerate(rows, start=1)]


def _cell_text(cell: Any) -> str:
    """Text of a cell as its author would read it, with all digits that are sure."""
    match cell:
        case None:
            return ""
        case bool():
            return "TRUE" if cell else "FALSE"
        case int() | float():
            if abs(cell) >= _EXCEL_DIGITS:
                mantissa, exponent = f"{cell:.14E}".split("E")
                return f"{mantissa.rstrip('0').rstrip('.')}E{exponent}"
            return str(int(cell)) if float(cell).is_integer() else repr(cell)
        case datetime.datetime():
            midnight = cell.time() == datetime.time(0)
            return cell.date().isoformat() if midnight else cell.isoformat(sep=" ")
        case _:
            return str(cell)


def _has_formulas(path: Path) -> bool:
    with zipfile.ZipFile(path) as book:
        sheets = [name for name in book.namelist() if name.startswith("xl/worksheets/")]
        return any(b"<f>" in (xml := book.read(name)) or b"<f " in xml for name in sheets)


def _refuse_uncomputed(cells: list[_Row], formulas: Iterable[tuple[Any, ...]], source: str) -> None:
    """Formulas of which none has a stored result: written by a program, never computed, they would read as blank."""
    blank = [
        (number, not value)
        for (number, values), row in zip(cells, formulas, strict=False)
        for value, cell in zip(values, row, strict=False)
        if isinstance(cell, str) and cell.startswith("=")
    ]
    if blank and all(is_blank for _, is_blank in blank):
        raise DataError(
            Issue(
                where=source,
                found=f"formulas without a stored result in row {list_ids(sorted({number for number, _ in blank}))}",
                expected="values",
                fix="Open the workbook in a spreadsheet program and save it, so that the results are stored.",
            )
        )
