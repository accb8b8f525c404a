"""The rows of a filled form, or of a table with its columns, as they stand in the file."""

from __future__ import annotations

import csv
import io
import warnings
import zipfile
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Final

import openpyxl
from openpyxl import Workbook
from openpyxl.utils.exceptions import InvalidFileException

from geodata.errors import DataError, Issue
from geodata.tables import read_text
from planner.labels import label_table
from planner.monitoring.cells import shown
from planner.monitoring.form import (
    APPROVAL_HAND,
    AREA,
    CODE,
    FORM,
    FORM_COLUMNS,
    PROJECT_HAND,
    SHEET_APPROVALS,
    SHEET_PROJECTS,
    VERSION,
    heads,
)

_EXPECTED: Final = "the form of `planner progress form`, filled in, or a CSV with its columns"
_FIX: Final = "Name another file; keep the hidden sheet, the names of the sheets and the headers as they are."
_HEADER_WITHIN: Final = 40
"""Rows among which the header is looked for."""
_CSV: Final = frozenset({".csv", ".txt", ".tsv"})
_XLSX: Final = frozenset({".xlsx", ".xlsm"})

Row = Sequence[Any]


@dataclass(frozen=True)
class Line:
    """A row: where it stands, and its cells that are not empty, by column."""

    where: str
    cells: Mapping[str, Any]

    @property
    def code(self) -> str:
        """Code of the project; empty without one."""
        return shown(self.cells.get(CODE))


@dataclass(frozen=True)
class Sheets:
    """What stands in a form.

    Attributes
    ----------
    path : pathlib.Path
    projects, approvals : tuple of Line
        Rows with a code, or with anything that is typed by hand.
    known : frozenset of str
        Codes that the form was made for, those of earlier plans among them; empty of a CSV.
    starts : str or None
        First month of year 1, as the form was made.
    """

    path: Path
    projects: tuple[Line, ...]
    approvals: tuple[Line, ...]
    known: frozenset[str] = frozenset()
    starts: str | None = None


def read_sheets(path: Path) -> Sheets:
    """Read a form; rows and columns may be in any order, and there may be further ones.

    Raises
    ------
    DataError
        No such file, none of this kind, or a sheet or column that is missing; all that is wrong at once.
    """
    if not path.is_file():
        raise DataError(Issue(str(path), "no such file", _EXPECTED, "Check the path."))
    kind = path.suffix.lower()
    if kind not in _CSV | _XLSX:
        raise DataError(Issue(str(path), f"a file {kind or 'without an ending'}", _EXPECTED, _FIX))
    return _of_text(path) if kind in _CSV else _of_book(path)


def _of_text(path: Path) -> Sheets:
    """One table: rows of projects, and in the same or further rows of a project its approvals."""
    text, _ = read_text(path)
    delimiter = "\t" if path.suffix.lower() == ".tsv" else ","
    try:
        rows = list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True))
    except csv.Error as error:
        raise DataError(Issue(str(path), f"no CSV table ({error})", _EXPECTED, "Check its quotation marks.")) from error
    issues: list[Issue] = []
    lines = _table(rows, str(path), (*PROJECT_HAND, *APPROVAL_HAND), issues, every=False)
    if issues:
        raise DataError(issues)
    return Sheets(path, _with(lines, PROJECT_HAND), _with(lines, APPROVAL_HAND))


def _of_book(path: Path) -> Sheets:
    try:
        with path.open("rb") as file, warnings.catch_warnings(), closing(_open(file)) as book:
            sheets: dict[str, list[Row]] = {
                str(sheet.title): [tuple(row) for row in sheet.iter_rows(values_only=True)] for sheet in book
            }
    except (InvalidFileException, zipfile.BadZipFile, KeyError, ValueError, OSError, SyntaxError) as error:
        raise DataError(Issue(str(path), f"a file that cannot be read ({error})", _EXPECTED, _FIX)) from error
    issues: list[Issue] = []
    known, starts = _memory(path, sheets, issues)
    tables = [
        _sheet(path, sheets, name, columns, issues)
        for name, columns in ((SHEET_PROJECTS, PROJECT_HAND), (SHEET_APPROVALS, APPROVAL_HAND))
    ]
    if issues:
        raise DataError(issues)
    projects, approvals = tables
    return Sheets(path, _with(projects, PROJECT_HAND), _with(approvals, APPROVAL_HAND), known, starts)


def _open(file: IO[bytes]) -> Workbook:
    warnings.simplefilter("ignore", UserWarning)  # openpyxl warns of decoration that it does not read
    return openpyxl.load_workbook(file, data_only=True, keep_links=False)


def _memory(path: Path, sheets: Mapping[str, list[Row]], issues: list[Issue]) -> tuple[frozenset[str], str | None]:
    rows = sheets.get(FORM)
    if rows is None or len(rows) < 2 or shown(rows[0][0]) != FORM or len(rows[0]) < len(FORM_COLUMNS):
        issues.append(Issue(str(path), f"no hidden sheet {FORM!r}", _EXPECTED, _FIX))
        return frozenset(), None
    if shown(rows[0][1]) != VERSION:
        found = f"version {shown(rows[0][1])!r} of the form"
        issues.append(Issue(f"{path}, sheet {FORM}", found, f"version {VERSION}", "Use the program that wrote it."))
        return frozenset(), None
    return frozenset(code for row in rows[2:] if (code := shown(row[0]))), shown(rows[0][2]) or None


def _sheet(
    path: Path, sheets: Mapping[str, list[Row]], name: str, columns: Sequence[str], issues: list[Issue]
) -> list[Line]:
    legal = label_table(AREA)["zh"][f"sheet_{name}"]
    title = next((t for t in sheets if legal in t), None)
    if title is None:
        issues.append(Issue(str(path), f"no sheet {legal!r}", _EXPECTED, _FIX))
        return []
    return _table(sheets[title], f"{path}, sheet {title}", columns, issues, every=True)


def _table(rows: Sequence[Row], where: str, columns: Sequence[str], issues: list[Issue], *, every: bool) -> list[Line]:
    """Rows below the header; of a CSV only the code is needed, and any other column at least."""
    places: dict[str, tuple[int, int]] = {}
    for column in (CODE, *columns):
        found = _header(rows, heads(column))
        if found is not None:
            places[column] = found
        elif every or column == CODE:
            said = label_table("workbook", AREA)["zh"][f"col_{column}"]
            expected = f"every column of the form; of a CSV at least {CODE}"
            issues.append(Issue(where, f"no column {said!r} ({column})", expected, "Put its header back."))
    if not every and len(places) < 2:
        issues.append(Issue(where, "no column to be filled in", ", ".join(columns), "Name the columns so."))
    if issues:
        return []
    first = max(row for row, _ in places.values()) + 1
    lines = []
    for number, row in enumerate(rows[first:], start=first + 1):
        cells = {column: row[k] for column, (_, k) in places.items() if k < len(row) and shown(row[k])}
        if cells:
            lines.append(Line(f"{where}, row {number}", cells))
    return lines


def _header(rows: Sequence[Row], words: frozenset[str]) -> tuple[int, int] | None:
    """Row and column of a header: a cell one line of which is one of the words."""
    for at, row in enumerate(rows[:_HEADER_WITHIN]):
        for k, value in enumerate(row):
            if isinstance(value, str) and words & {line.strip() for line in value.split("\n")}:
                return at, k
    return None


def _with(lines: Sequence[Line], columns: Sequence[str]) -> tuple[Line, ...]:
    """Rows in which something of these columns is typed, with no others but the code."""
    kept = {CODE, *columns}
    told = (Line(line.where, {k: v for k, v in line.cells.items() if k in kept}) for line in lines)
    return tuple(line for line in told if line.cells.keys() & set(columns))
