"""Attribute tables (CSV, XLSX) as text, every row with the number it has in the file.

Merged cells of a workbook: in the header the text stands for every cell of the range. In the body it stands for every
row of the range, in its first column only, so that a title or a total across columns fills no others; each such range
is noted.
"""

from __future__ import annotations

import codecs
import csv
import io
import logging
import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd

from geodata.errors import DataError, Issue, list_ids
from geodata.notes import SourceNote
from geodata.sources import check_input_path
from geodata.spec import TableSpec
from geodata.table_checks import check_declared
from geodata.workbook import Row, Sheet, column_letters, read_sheet

logger = logging.getLogger(__name__)

_DELIMITERS: Final = ",;\t|"
_TEXT: Final = frozenset({".csv", ".tsv", ".txt"})
_WORKBOOK: Final = frozenset({".xlsx", ".xlsm"})
_OTHER_WORKBOOK: Final = frozenset({".xls", ".xlsb", ".et", ".ods", ".numbers"})
_PREVIEW: Final = 30


@dataclass(frozen=True)
class _Read:
    """A table and how it came out of its file."""

    frame: pd.DataFrame
    source: str
    notes: tuple[SourceNote, ...]
    sheet: Sheet | None


def read_table(
    path: str | Path,
    sheet: str | None = None,
    encoding: str | None = None,
    header_rows: int = 1,
    skip_rows: int = 0,
) -> pd.DataFrame:
    """Read a CSV or XLSX table, everything as text.

    Parameters
    ----------
    path : str or pathlib.Path
        ``.csv``, ``.tsv``, ``.txt``, ``.xlsx`` or ``.xlsm``.
    sheet : str, optional
        Sheet of a workbook; the first by default.
    encoding : str, optional
        Encoding of a CSV; by default UTF-8 (UTF-16 by its mark), and GB18030 where it is not UTF-8.
    header_rows : int
        Rows of the header, from the first row on that is not blank. The parts of a column are joined by ``/``; blank
        parts and equal neighbours are left out.
    skip_rows : int
        Rows above it that are not looked at.

    Returns
    -------
    pandas.DataFrame
        Columns of text, ``''`` where a cell is empty. Index ``row``: line or row in the file, counted from 1. Rows
        that are blank in every cell are left out. Numbers of a workbook that are too long for Excel to have kept
        all digits are written as Excel shows them (4.41900000000123E+17); percentages are shares (35 % is 0.35).

    Raises
    ------
    DataError
        If the file is missing, unreadable, of another format, or has no rows; if rows of a CSV are longer than
        the header; if the header of a sheet reaches further down, or less far up, than said.
    """
    return _read(Path(path), sheet, encoding, header_rows, skip_rows).frame


def read_declared_table(spec: TableSpec) -> tuple[pd.DataFrame, list[SourceNote]]:
    """Read a table as it is declared, with a closer look at the columns that are used.

    Returns
    -------
    (pandas.DataFrame, list of SourceNote)
        The table as `read_table` gives it; what was noticed: encoding, merged cells, rows of totals, percentages
        beside plain numbers, cells outside the header's columns.

    Raises
    ------
    DataError
        As `read_table`; for codes that lost digits (4.41900E+17) and for cells that show an error (#N/A, #REF!) in
        the columns of the key and the fields, each cell named. An error that is declared to be ``missing`` passes.
    """
    read = _read(spec.path, spec.sheet, spec.encoding, spec.header_rows, spec.skip_rows)
    return read.frame, [*read.notes, *check_declared(read.frame, spec, read.source, read.sheet)]


def read_text(path: Path, encoding: str | None = None) -> tuple[str, SourceNote | None]:
    """Text of a file, and a note with a preview where its encoding had to be found out and is not UTF-8.

    Raises
    ------
    DataError
        If the file cannot be read, the encoding is not known, or the bytes are not text in it.
    """
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise DataError(Issue(path.name, str(error), "a readable file", "Check the file.")) from error
    tried = [encoding] if encoding else _likely_encodings(raw)
    for name in tried:
        try:
            text = raw.decode(name)
        except (LookupError, ValueError) as error:
            if isinstance(error, UnicodeDecodeError):
                continue
            raise DataError(
                Issue(path.name, f"encoding {name!r}", "a known encoding", "Write utf-8 or gb18030, say.")
            ) from error
        if "\0" in text:
            break
        text = text.removeprefix("\ufeff")
        return text, None if encoding or name == "utf-8-sig" else _encoding_note(path.name, name, text)
    raise DataError(
        Issue(
            where=path.name,
            found=f"bytes that are not {' or '.join(str(name) for name in tried)}",
            expected="text",
            fix="Declare its `encoding` (utf-8, gb18030, utf-16-le …), or save it as UTF-8.",
        )
    )


def _likely_encodings(raw: bytes) -> list[str]:
    marked = raw.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    return ["utf-16"] if marked else ["utf-8-sig", "gb18030"]


def _encoding_note(source: str, encoding: str, text: str) -> SourceNote:
    foreign = next((line for line in text.splitlines() if not line.isascii()), text[:_PREVIEW]).strip()
    preview = foreign[:_PREVIEW] + ("…" if len(foreign) > _PREVIEW else "")
    name = encoding.upper()
    logger.warning("%s: is not UTF-8, read as %s: %s", source, name, preview)
    return SourceNote(source, f"not UTF-8, read as {name}, found out from its bytes; it begins: {preview}")


def _read(path: Path, sheet: str | None, encoding: str | None, header_rows: int, skip_rows: int) -> _Read:
    path = check_input_path(path, "table")
    suffix = path.suffix.lower()
    if suffix in _TEXT and sheet is None:
        return _read_text_table(path, encoding, header_rows, skip_rows)
    if suffix in _TEXT:
        raise DataError(Issue(path.name, f"sheet {sheet!r}", "no sheet", "A text table has none: leave it out."))
    if suffix in _WORKBOOK:
        return _read_workbook(path, sheet, header_rows, skip_rows)
    fix = "Save the table as .csv or .xlsx."
    if suffix in _OTHER_WORKBOOK:
        fix = "Open it in a spreadsheet program and save it as .xlsx (Excel workbook)."
    raise DataError(Issue(path.name, f"a {suffix or 'nameless'} file", "CSV or XLSX", fix))


def _read_text_table(path: Path, encoding: str | None, header_rows: int, skip_rows: int) -> _Read:
    text, note = read_text(path, encoding)
    rows = _csv_rows(text, path.name)
    head, body = _split(rows, header_rows, skip_rows, path.name)
    _refuse_ragged(head, body, path.name)
    header = _joined([cells for _, cells in head])
    _refuse_title(header, body, head[0][0], path.name)
    frame = _frame(header, body, path.name)
    return _Read(frame, path.name, (note,) if note else (), None)


def _read_workbook(path: Path, name: str | None, header_rows: int, skip_rows: int) -> _Read:
    sheet = read_sheet(path, name)
    source = path.name if name is None else f"{path.name}, sheet {name}"
    shown = f"{path.name}, sheet {sheet.name}"
    head, body = _split(sheet.rows, header_rows, skip_rows, source)
    first, last = head[0][0], head[-1][0]
    _refuse_deep_header(sheet, first, last, shown)
    header = _joined(_merged_header(sheet, head))
    _refuse_title(header, body, first, shown)
    frame = _frame(header, _merged_body(sheet, last, body), source)
    extra = _outside_header(body, len(header), shown)
    return _Read(frame, source, (extra,) if extra else (), sheet)


def _split(rows: Sequence[Row], header_rows: int, skip_rows: int, source: str) -> tuple[list[Row], list[Row]]:
    """Header and body; the header begins with the first row that is not blank."""
    left = [row for row in rows if row[0] > skip_rows]
    start = next((i for i, (_, cells) in enumerate(left) if any(cell.strip() for cell in cells)), len(left))
    head, below = left[start : start + header_rows], left[start + header_rows :]
    body = [(number, cells) for number, cells in below if any(cell.strip() for cell in cells)]
    if not body:
        found = "only a header" if head else "nothing"
        raise DataError(Issue(source, found, "a header and at least one row", "Check the file and the sheet."))
    return head, body


def _joined(parts: Sequence[Sequence[str]]) -> list[str]:
    """Names of the columns from the rows of the header; the last column is the last with a name."""
    width = max(len(row) for row in parts)
    tidy = [[_one_line(cell) for cell in row] + [""] * (width - len(row)) for row in parts]
    names = ["/".join(part for part, _ in groupby(filter(None, column))) for column in zip(*tidy, strict=True)]
    while names and not names[-1]:
        names.pop()
    return names


def _one_line(text: str) -> str:
    """Text of a header without the breaks that make it fit its cell: each is one space."""
    return re.sub(r"\s*[\r\n]\s*", " ", text.strip())


def _frame(header: list[str], body: Sequence[Row], source: str) -> pd.DataFrame:
    width = len(header)
    if not width:
        raise DataError(Issue(source, "a header without names", "names of the columns", "Check `skip_rows`."))
    cells = np.full((len(body), width), "", dtype=object)
    for i, (_, row) in enumerate(body):
        cells[i, : min(len(row), width)] = row[:width]
    return pd.DataFrame(cells, columns=header, index=pd.Index([number for number, _ in body], name="row"), dtype="str")


def _refuse_ragged(head: Sequence[Row], body: Sequence[Row], source: str) -> None:
    """More cells than the header has: most often an unquoted delimiter, which shifts all that follow."""
    width = max(len(cells) for _, cells in head)
    ragged = [number for number, cells in body if any(cell.strip() for cell in cells[width:])]
    if ragged:
        raise DataError(
            Issue(
                where=source,
                found=f"more cells than the header's {width} in row {list_ids(ragged)}",
                expected="as many cells as columns",
                fix="Quote cells that hold the delimiter, or name the extra columns; a title above the header: "
                "`skip_rows: 1`.",
            )
        )


def _csv_rows(text: str, source: str) -> list[Row]:
    head = next((line for line in text.splitlines() if line.strip()), "")
    delimiter = max(_DELIMITERS, key=head.count)
    if not head.count(delimiter):  # a title above the table has none
        delimiter = max(_DELIMITERS, key="\n".join(text.splitlines()[:20]).count)
    # Strict: else a stray quotation mark swallows all rows up to the next one.
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    rows: list[Row] = []
    start = 1
    try:
        for cells in reader:
            rows.append((start, cells))
            start = reader.line_num + 1
    except csv.Error as error:
        raise DataError(
            Issue(
                where=f"{source}, row that begins in line {start}",
                found=str(error),
                expected="a CSV table",
                fix="Check its quotation marks (in a quoted cell they are doubled), or save the table again as CSV.",
            )
        ) from error
    return rows


def _merged_header(sheet: Sheet, head: Sequence[Row]) -> list[list[str]]:
    """Rows of the header with the text of every merged range in all cells that it covers."""
    first = head[0][0]
    filled = [list(cells) for _, cells in head]
    last = first + len(head) - 1
    width = max((len(cells) for cells in filled), default=0)
    for merge in sheet.merges:
        if not first <= merge.top <= last:
            continue
        cells = head[merge.top - first][1]
        text = cells[merge.left - 1] if merge.left <= len(cells) else ""
        for row in filled[merge.top - first : merge.bottom - first + 1]:
            row.extend([""] * (min(merge.right, width) - len(row)))
            for column in range(merge.left - 1, min(merge.right, width)):
                row[column] = text
    return filled


def _merged_body(sheet: Sheet, header_end: int, body: Sequence[Row]) -> list[Row]:
    """Rows with the text of a range merged over several rows in each of them, in the range's first column."""
    tall = [merge for merge in sheet.merges if merge.top > header_end and merge.bottom > merge.top]
    if not tall:
        return list(body)
    at = {number: list(cells) for number, cells in body}
    for merge in tall:
        cells = at.get(merge.top, [])
        text = cells[merge.left - 1] if merge.left <= len(cells) else ""
        for number in range(merge.top + 1, min(merge.bottom, body[-1][0]) + 1):
            if text and number in at:
                at[number].extend([""] * (merge.left - len(at[number])))
                at[number][merge.left - 1] = text
    return list(at.items())


def _refuse_deep_header(sheet: Sheet, first: int, last: int, source: str) -> None:
    """A cell merged from the header into the body: the header has more rows than was said."""
    deep = [merge for merge in sheet.merges if first <= merge.top <= last < merge.bottom]
    if deep:
        raise DataError(
            Issue(
                where=source,
                found=f"a header in row {first} to {last} whose merged cells reach further down: {list_ids(deep)}",
                expected="a header that ends where the rows begin",
                fix=f"Say `header_rows: {max(merge.bottom for merge in deep) - first + 1}`.",
            )
        )


def _refuse_title(header: list[str], body: Sequence[Row], first: int, source: str) -> None:
    """One text over a table of several columns is a title, not a header."""
    widest = max(sum(bool(cell.strip()) for cell in cells) for _, cells in body)
    if len(set(header) - {""}) == 1 and widest > 1:
        raise DataError(
            Issue(
                where=source,
                found=f"one text in row {first}, {next(filter(None, header))!r}, over rows of {widest} cells",
                expected="a header that names each column",
                fix=f"If it is a title: `skip_rows: {first}`.",
            )
        )


def _outside_header(body: Sequence[Row], width: int, source: str) -> SourceNote | None:
    columns = {
        column for _, cells in body for column, cell in enumerate(cells[width:], start=width + 1) if cell.strip()
    }
    if not columns:
        return None
    letters = [column_letters(column) for column in sorted(columns)]
    return SourceNote.of(source, "columns right of the header's last name are not read", letters)
