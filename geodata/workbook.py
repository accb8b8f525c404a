"""One sheet of an Excel workbook: its cells as text, its merged ranges, its cells shown as percentages."""

from __future__ import annotations

import datetime
import logging
import re
import struct
import zipfile
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from xml.etree import ElementTree
from xml.etree.ElementTree import ParseError

from geodata.errors import DataError, Issue, list_ids
from geodata.sources import logged_warnings

if TYPE_CHECKING:
    from openpyxl.workbook.workbook import Workbook

logger = logging.getLogger(__name__)

Row = tuple[int, list[str]]
"""Number of the row in the file, counted from 1, and its cells as text."""

_EXCEL_DIGITS: Final = 1e15  # Excel keeps 15 digits of a number
_OLD_FORMAT: Final = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_MERGE: Final = re.compile(
    rb"<(?:\w+:)?mergeCell\s[^>]*?ref\s*=\s*[\"']([A-Z]{1,3}[0-9]{1,7}:[A-Z]{1,3}[0-9]{1,7})[\"']"
)
_PERCENT_FORMATS: Final = frozenset({"9", "10"})  # 0% and 0.00%, built in
_LITERAL: Final = re.compile(r'"[^"]*"|\\.|\[[^\]]*\]')
"""Parts of a number format that are shown as they stand; a % in them is not a percentage."""


@dataclass(frozen=True)
class Merge:
    """A merged range; rows and columns count from 1, the last ones belong to it. The text stands in the first cell."""

    top: int
    left: int
    bottom: int
    right: int

    def __str__(self) -> str:
        return f"{cell_name(self.top, self.left)}:{cell_name(self.bottom, self.right)}"


@dataclass(frozen=True)
class Sheet:
    """A sheet as read.

    Attributes
    ----------
    name : str
        Name of the sheet.
    rows : list of Row
        Every row from the first to the last of the sheet, blank ones included; without the effect of merges.
    merges : tuple of Merge
        Merged ranges, from top to bottom.
    percent : dict of int to set of int
        Column → rows whose number is shown as a percentage (0.35 as 35 %).
    """

    name: str
    rows: list[Row]
    merges: tuple[Merge, ...] = ()
    percent: dict[int, set[int]] = field(default_factory=dict)


def cell_name(row: int, column: int) -> str:
    """Name of a cell as a spreadsheet program shows it; both counted from 1: ``cell_name(17, 2)`` is ``'B17'``."""
    return f"{column_letters(column)}{row}"


def column_letters(column: int) -> str:
    """Letters of a column counted from 1: 2 is B, 28 is AB."""
    letters = ""
    while column:
        column, rest = divmod(column - 1, 26)
        letters = chr(ord("A") + rest) + letters
    return letters


def read_sheet(path: Path, sheet: str | None) -> Sheet:
    """Read one sheet of an ``.xlsx`` or ``.xlsm``.

    Parameters
    ----------
    path : pathlib.Path
        Existing file.
    sheet : str or None
        The first when None.

    Raises
    ------
    DataError
        If the file is not such a workbook, has no such sheet, or its formulas were never computed.
    """
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
        OverflowError,
        RuntimeError,
        zlib.error,
        struct.error,
    )
    try:
        _refuse_old_format(path)
        with logged_warnings(logger, path.name), path.open("rb") as file:
            book = openpyxl.load_workbook(file, read_only=True, data_only=True)
            names = book.sheetnames
            chosen = (names[0] if names else "") if sheet is None else sheet
            found = _read(book, chosen, file) if chosen in names else None
            if found is not None and _has_formulas(file):
                file.seek(0)
                formulas = openpyxl.load_workbook(file, read_only=True, data_only=False)
                _refuse_uncomputed(found.rows, _values(formulas[chosen]), f"{path.name}, sheet {chosen}")
    except broken as error:
        raise DataError(
            Issue(path.name, f"a workbook that cannot be read ({error})", "an XLSX file", "Save it again as .xlsx.")
        ) from error
    if found is None:
        raise DataError(
            Issue(path.name, f"no sheet {sheet!r}", f"one of {', '.join(names)}", "Correct the name of the sheet.")
        )
    return found


def _refuse_old_format(path: Path) -> None:
    with path.open("rb") as file:
        old = file.read(len(_OLD_FORMAT)) == _OLD_FORMAT
    if old:
        raise DataError(
            Issue(
                where=path.name,
                found="an old binary or password-protected workbook under the name of a new one",
                expected="an XLSX file without a password",
                fix="Open it in a spreadsheet program and save it as .xlsx without a password.",
            )
        )


def _read(book: Workbook, name: str, file: Any) -> Sheet:
    with zipfile.ZipFile(file) as parts:
        xml = parts.read(_part_of(book, name))
        styles = [parts.read(part) for part in parts.namelist() if part.startswith("xl/styles")]
    rows = [(number, [_cell_text(value) for value in row]) for number, row in enumerate(_values(book[name]), start=1)]
    return Sheet(name, rows, _merges(xml), _percent_cells(xml, styles))


def _values(sheet: Any) -> Iterable[tuple[Any, ...]]:
    rows: Iterable[tuple[Any, ...]] = _unbounded(sheet).iter_rows(values_only=True)
    return rows


def _unbounded(sheet: Any) -> Any:
    """Forget the size that the file states: some programs state a wrong one, and cells beyond it would be lost."""
    if not hasattr(sheet, "reset_dimensions"):
        raise ValueError(f"sheet {sheet.title!r} holds a chart, not cells")
    sheet.reset_dimensions()
    return sheet


def _part_of(book: Workbook, name: str) -> str:
    """Name of the sheet's part in the archive; openpyxl gives it in no public way."""
    sheet: Any = book[name]
    if not hasattr(sheet, "_worksheet_path"):
        raise ValueError(f"sheet {name!r} holds a chart, not cells")
    return str(sheet._worksheet_path)


def _merges(xml: bytes) -> tuple[Merge, ...]:
    """Merged ranges of a sheet: openpyxl reads them only together with all cells in memory, ten times the size."""
    from openpyxl.utils import range_boundaries  # noqa: PLC0415

    found = []
    for reference in _MERGE.findall(xml):
        left, top, right, bottom = range_boundaries(reference.decode("ascii"))
        assert left is not None and top is not None and right is not None and bottom is not None
        found.append(Merge(top, left, bottom, right))
    return tuple(sorted(found, key=lambda m: (m.top, m.left)))


def _percent_cells(xml: bytes, styles: Sequence[bytes]) -> dict[int, set[int]]:
    """Column → rows of the cells shown as percentages, told by their style; openpyxl's cells take twice the time."""
    wanted = [str(i) for part in styles for i in _percent_styles(part)]
    if not wanted:
        return {}
    style = "|".join(wanted)
    cell = re.compile(rf'<(?:\w+:)?c\s(?=[^>]*?\bs="(?:{style})")[^>]*?\br="([A-Z]{{1,3}})([0-9]{{1,7}})"'.encode())
    found: dict[bytes, set[int]] = {}
    for letters, row in cell.findall(xml):
        found.setdefault(letters, set()).add(int(row))
    return {_column_number(letters.decode("ascii")): rows for letters, rows in found.items()}


def _percent_styles(xml: bytes) -> list[int]:
    """Numbers of the cell styles whose number format shows a percentage."""
    root = ElementTree.fromstring(xml)
    formats = {
        element.get("numFmtId")
        for element in root.iterfind("./{*}numFmts/{*}numFmt")
        if _shows_percent(element.get("formatCode"))
    }
    shown = formats | _PERCENT_FORMATS
    return [i for i, style in enumerate(root.iterfind("./{*}cellXfs/{*}xf")) if style.get("numFmtId") in shown]


def _column_number(letters: str) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + ord(letter) - ord("A") + 1
    return number


def _shows_percent(number_format: str | None) -> bool:
    return "%" in _LITERAL.sub("", number_format or "")


def _cell_text(cell: Any) -> str:
    """Text of a cell as its author would read it, with all digits that are sure."""
    match cell:
        case None:
            return ""
        case str():
            return cell
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


def _has_formulas(file: Any) -> bool:
    with zipfile.ZipFile(file) as book:
        sheets = [name for name in book.namelist() if name.startswith("xl/worksheets/")]
        return any(b"<f>" in (xml := book.read(name)) or b"<f " in xml for name in sheets)


def _refuse_uncomputed(cells: Sequence[Row], formulas: Iterable[tuple[Any, ...]], source: str) -> None:
    """Formulas of which none has a stored result: written by a program, never computed, they would read as blank."""
    blank = [
        (cell_name(number, column), not value)
        for (number, values), row in zip(cells, formulas, strict=False)
        for column, (value, cell) in enumerate(zip(values, row, strict=False), start=1)
        if isinstance(cell, str) and cell.startswith("=")
    ]
    if blank and all(is_blank for _, is_blank in blank):
        raise DataError(
            Issue(
                where=source,
                found=f"formulas without a stored result in cell {list_ids([name for name, _ in blank])}",
                expected="values",
                fix="Open the workbook in a spreadsheet program and save it, so that the results are stored.",
            )
        )
