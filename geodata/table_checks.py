"""A closer look at the columns of a table that are used: what is no value, what is no parcel, what counts twice."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from geodata.columns import read_codes
from geodata.errors import DataError, Issue, list_ids
from geodata.notes import SourceNote
from geodata.spec import TableFieldSpec, TableSpec
from geodata.units import canonical_unit
from geodata.workbook import Sheet, cell_name

_ERRORS: Final = frozenset(
    {"#N/A", "#REF!", "#VALUE!", "#DIV/0!", "#NAME?", "#NULL!", "#NUM!", "#SPILL!", "#CALC!", "#GETTING_DATA"}
)
_TOTALS: Final = re.compile(
    r"(?:.*[^A-Za-z])?(?:合\s*计|小\s*计|总\s*计|共\s*计|累\s*计|(?:sub|grand )?total)s?\s*[:：]?", re.IGNORECASE
)
_LONG_CODE: Final = r"[0-9](?:\.[0-9]*)?[eE]\+(?:1[1-9]|[2-9][0-9])"
"""A code as Excel shows it once it has become a number: it does so from twelve digits on."""
_NUMBER: Final = re.compile(r"[+-]?[0-9]+(?:\.[0-9]*)?(?:[eE][+-]?[0-9]+)?")


@dataclass(frozen=True)
class _Column:
    """A column that is used: its name, its place (counted from 1), its cells, and what may stand in them."""

    name: str
    place: int
    cells: pd.Series
    missing: frozenset[str]
    is_text: bool
    is_key: bool


def check_declared(frame: pd.DataFrame, spec: TableSpec, source: str, sheet: Sheet | None) -> list[SourceNote]:
    """Check the columns of the key and the fields.

    Parameters
    ----------
    frame : pandas.DataFrame
        As `geodata.tables.read_table` gives it.
    spec : TableSpec
        Which columns are used. Those that are not in the table, or there more than once, are left to the join.
    source : str
        File and sheet for messages.
    sheet : Sheet or None
        The sheet that it comes from; None for a text file.

    Returns
    -------
    list of SourceNote
        Merged cells, rows of totals, percentages beside plain numbers.

    Raises
    ------
    DataError
        For codes that lost digits and cells that show an error, each with its cell.
    """
    columns = list(_used_columns(frame, spec))
    where = source if sheet is None or f"sheet {sheet.name}" in source else f"{source}, sheet {sheet.name}"
    issues = [issue for column in columns for issue in _cell_issues(column, where, sheet)]
    if issues:
        raise DataError(issues)
    notes = _total_notes(frame, columns, where)
    if sheet is not None:
        for column in columns:
            notes += _merge_notes(column, sheet, where)
            notes += _percent_notes(column, sheet, where)
    return notes


def _used_columns(frame: pd.DataFrame, spec: TableSpec) -> Iterator[_Column]:
    """Columns of the key and the fields, each once."""
    uses: dict[str, list[tuple[str, TableFieldSpec]]] = {spec.key.table: []}
    for name, field in spec.fields.items():
        uses.setdefault(field.column, []).append((name, field))
        if field.by is not None:
            uses.setdefault(field.by, [])
    for column, fields in uses.items():
        places = np.flatnonzero(frame.columns == column)
        if len(places) != 1:
            continue
        yield _Column(
            name=column,
            place=int(places[0]) + 1,
            cells=frame.iloc[:, places[0]],
            missing=frozenset(str(mark).strip() for _, field in fields for mark in field.missing),
            is_text=any(_is_text(name, field) for name, field in fields),
            is_key=column == spec.key.table,
        )


def _is_text(name: str, field: TableFieldSpec) -> bool:
    if field.type != "auto":
        return field.type == "text" and field.agg != "count"
    return field.unit is None and canonical_unit(name) is None and field.agg in {"first", "value_of_max"}


def _cell_issues(column: _Column, source: str, sheet: Sheet | None) -> Iterator[Issue]:
    texts = column.cells.str.strip()
    undeclared = ~texts.isin(list(column.missing)).to_numpy()
    errors = texts.str.upper().isin(list(_ERRORS)).to_numpy() & undeclared
    where = f"{source}, column {column.name}"
    if errors.any():
        yield Issue(
            where=where,
            found=f"cells that show an error instead of a value: {_cells(column, errors, sheet)}",
            expected="values",
            fix="Correct the formulas"
            + (" or fill in the keys." if column.is_key else ", or declare what means 'unknown': `missing: ['#N/A']`."),
        )
    if not (column.is_key or column.is_text):
        return
    lost = texts.str.fullmatch(_LONG_CODE).to_numpy(dtype=bool) & undeclared
    if column.is_key:
        lost |= read_codes(column.cells).lost
    if lost.any():
        yield Issue(
            where=where,
            found=f"codes that have become numbers and lost their last digits: {_cells(column, lost, sheet)}",
            expected="codes as text, such as 441900001001000123",
            fix="Take them as text from the original (in Excel: format the column as text, then paste)"
            + ("." if column.is_key else "; if they are numbers, declare `type: number`."),
        )


def _cells(column: _Column, mask: npt.NDArray[np.bool_], sheet: Sheet | None) -> str:
    """First marked cells with what stands in them: ``"B17 '4.419E+17', B19 '#REF!'"``."""
    marked = column.cells[mask]
    return list_ids([f"{_place(row, column, sheet)} {text!r}" for row, text in marked.items()])


def _place(row: object, column: _Column, sheet: Sheet | None) -> str:
    return f"row {row}" if sheet is None else f"cell {cell_name(int(str(row)), column.place)}"


def _total_notes(frame: pd.DataFrame, columns: list[_Column], source: str) -> list[SourceNote]:
    """Rows of totals: their key is such a word, or it is blank and the row's first text is one."""
    key = next((column for column in columns if column.is_key), None)
    if key is None:
        return []
    labels = np.array([_label(cells) for cells in frame.iloc[:, : key.place].to_numpy()], dtype=object)
    total = np.array([_TOTALS.fullmatch(label) is not None for label in labels], dtype=bool)
    if not total.any():
        return []
    items = [f"row {row} {label}" for row, label in zip(frame.index[total], labels[total], strict=True)]
    what = "rows of totals: they belong to no parcel and enter no sum"
    return [SourceNote.of(source, what, items, warning=False)]


def _label(cells: npt.NDArray[np.object_]) -> str:
    """The key, which is the last of the cells, or the first text to its left."""
    return str(cells[-1]).strip() or next(filter(None, (str(cell).strip() for cell in cells)), "")


def _merge_notes(column: _Column, sheet: Sheet, source: str) -> list[SourceNote]:
    """Ranges merged over several rows; of numbers, each row holds the whole, so sums count it several times."""
    rows = column.cells
    found = [
        (merge, text)
        for merge in sheet.merges
        if merge.left == column.place and merge.bottom > merge.top and merge.top in rows.index
        if (text := str(rows.loc[merge.top]).strip())
    ]
    notes = []
    for is_number, what in (
        (False, "merged cells: the text stands for every row they cover"),
        (True, "merged cells with a number: every row has the whole of it, sums count it once per row"),
    ):
        items = [
            f"{merge} {text}"
            for merge, text in found
            if (_NUMBER.fullmatch(text) is not None and not column.is_key) == is_number
        ]
        if items:
            notes.append(SourceNote.of(f"{source}, column {column.name}", what, items, warning=is_number))
    return notes


def _percent_notes(column: _Column, sheet: Sheet, source: str) -> list[SourceNote]:
    """Percentages beside plain numbers: 35 % is 0.35, the plain number may mean 35."""
    styled = sheet.percent.get(column.place, set())
    numbers = {int(str(row)): text for row, text in column.cells.items() if _NUMBER.fullmatch(text.strip())}
    n_percent = len(styled & set(numbers))
    if not n_percent:
        return []
    where = f"{source}, column {column.name}"
    if n_percent == len(numbers):
        return [SourceNote(where, "percentages, read as shares: 35 % is 0.35", n_percent, warning=False)]
    items = [f"{cell_name(row, column.place)} {text}" for row, text in numbers.items() if row not in styled]
    return [SourceNote.of(where, f"plain numbers among {n_percent} percentages (35 % is read as 0.35)", items)]
