"""Read an earlier workbook: which land each project had, and what people typed."""

from __future__ import annotations

import datetime
import warnings
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Final

import openpyxl
from openpyxl import Workbook
from openpyxl.utils.exceptions import InvalidFileException

from geodata.errors import DataError, Issue, list_ids
from planner.codes import Cells, EarlierProject, Ledger
from planner.labels import LANGUAGES, label_table
from planner.ledger_form import DEADLINE, DONE_BY, FORM, FORM_COLUMNS, LEDGER_HAND, TASKS, TASKS_HAND, VERSION

_AREA: Final = "workbook"
_EXPECTED: Final = "a workbook plan.xlsx of an earlier run, as written or as filled in by people"
_FIX: Final = "Name another file; keep the hidden sheet, the names of the sheets and the headers as they are."
_HEADER_WITHIN: Final = 40
"""Rows among which the header is looked for."""

Row = tuple[Any, ...]


def read_ledger(path: Path) -> Ledger:
    """Read the ledger of a workbook that `planner.report.workbook.write_workbook` wrote.

    Rows and columns may be in any order, and there may be further ones; what is read are the columns that are filled by
    hand, found by their headers in either language, and the hidden sheet.

    Parameters
    ----------
    path : pathlib.Path

    Raises
    ------
    DataError
        No such file, no workbook, no ledger in it, a header that is missing, or two rows of one project (or of one task
        of a project) that say different things; all that is wrong at once.
    """
    if not path.is_file():
        raise DataError(Issue(str(path), "no such file", _EXPECTED, "Name the plan.xlsx of an earlier run."))
    try:
        with path.open("rb") as file, warnings.catch_warnings(), closing(_open(file)) as book:
            sheets = {str(sheet.title): [tuple(row) for row in sheet.iter_rows(values_only=True)] for sheet in book}
    except (InvalidFileException, zipfile.BadZipFile, KeyError, ValueError, OSError, SyntaxError) as error:
        raise DataError(Issue(str(path), f"a file that cannot be read ({error})", _EXPECTED, _FIX)) from error
    issues: list[Issue] = []
    projects = _memory(path, sheets, issues)
    ledger = _sheet(path, sheets, "sheet_ledger", ("code", *LEDGER_HAND), issues)
    tasks = _sheet(path, sheets, "sheet_tasks", ("code", "task", DEADLINE, *TASKS_HAND), issues)
    if issues:
        raise DataError(issues)
    cells, loose = _by_code(ledger, issues)
    by_task, loose_tasks = _by_task(tasks, issues)
    if issues:
        raise DataError(issues)
    return Ledger(projects, cells, by_task, loose, loose_tasks)


def _open(file: IO[bytes]) -> Workbook:
    warnings.simplefilter("ignore", UserWarning)  # openpyxl warns of decoration that it does not read
    return openpyxl.load_workbook(file, data_only=True, keep_links=False)


@dataclass(frozen=True)
class _Line:
    """A row of a sheet: where it stands, and its texts by column."""

    where: str
    texts: Mapping[str, str]


def _words(key: str) -> set[str]:
    return {label_table(_AREA)[language][key] for language in LANGUAGES}


def _memory(path: Path, sheets: Mapping[str, Sequence[Row]], issues: list[Issue]) -> dict[str, EarlierProject]:
    """Projects of the hidden sheet."""
    rows = sheets.get(FORM)
    if rows is None or not rows or _text(rows[0][0]) != FORM or len(rows[0]) < len(FORM_COLUMNS):
        issues.append(Issue(str(path), f"no hidden sheet {FORM!r}", _EXPECTED, _FIX))
        return {}
    if _text(rows[0][1]) != VERSION:
        found = f"version {_text(rows[0][1])!r} of the ledger"
        issues.append(Issue(f"{path}, sheet {FORM}", found, f"version {VERSION}", "Use the program that wrote it."))
        return {}
    land: dict[str, dict[str, float]] = {}
    gone: dict[str, bool] = {}
    for number, row in enumerate(rows[2:], start=3):
        code, parcel, area, left = (*row[:2], row[2], row[3])
        if _text(code) == "":
            continue
        if not isinstance(left, (int, float)) or (parcel is not None and not isinstance(area, (int, float))):
            found = f"the row {row[: len(FORM_COLUMNS)]!r}"
            issues.append(Issue(f"{path}, sheet {FORM}, row {number}", found, "code, parcel, area, gone", _FIX))
            continue
        mine = land.setdefault(_text(code), {})
        gone[_text(code)] = bool(left)
        if parcel is not None:
            mine[_exact(parcel)] = float(area)
    return {code: EarlierProject(parcels, gone[code]) for code, parcels in land.items()}


def _sheet(
    path: Path, sheets: Mapping[str, Sequence[Row]], name: str, columns: Sequence[str], issues: list[Issue]
) -> list[_Line]:
    """Rows of a sheet below its header: text by column, those that have any."""
    legal = label_table(_AREA)["zh"][name]
    title = next((t for t in sheets if legal in t), None)
    if title is None:
        issues.append(Issue(str(path), f"no sheet {legal!r}", _EXPECTED, _FIX))
        return []
    rows, where = sheets[title], f"{path}, sheet {title}"
    places: dict[str, tuple[int, int]] = {}
    for column in columns:
        found = _header(rows, _words(f"col_{column}"))
        if found is None:
            said = label_table(_AREA)["zh"][f"col_{column}"]
            issues.append(Issue(where, f"no column {said!r}", "every column of the form", "Put its header back."))
        else:
            places[column] = found
    if len(places) < len(columns):
        return []
    first = max(row for row, _ in places.values()) + 1
    lines = []
    for number, row in enumerate(rows[first:], start=first + 1):
        texts = {column: text for column, (_, k) in places.items() if (text := _text(row[k]))}
        if texts:
            lines.append(_Line(f"{where}, row {number}", texts))
    return lines


def _header(rows: Sequence[Row], words: set[str]) -> tuple[int, int] | None:
    """Row and column of a header: a cell one line of which is one of the words."""
    for at, row in enumerate(rows[:_HEADER_WITHIN]):
        for k, value in enumerate(row):
            if isinstance(value, str) and words & {line.strip() for line in value.split("\n")}:
                return at, k
    return None


def _by_code(lines: Sequence[_Line], issues: list[Issue]) -> tuple[dict[str, Cells], tuple[Cells, ...]]:
    """Cells of each project, and of rows without a code."""
    found: dict[str, dict[str, str]] = {}
    loose: list[Cells] = []
    for line in lines:
        code = line.texts.get("code")
        cells = {key: line.texts[key] for key in LEDGER_HAND if key in line.texts}
        if code is None:
            loose += [cells] if cells else []
        else:
            issues += _merge(found.setdefault(code, {}), cells, line.where, code)
    return {code: cells for code, cells in found.items()}, tuple(loose)  # noqa: C416  (the type widens)


def _by_task(lines: Sequence[_Line], issues: list[Issue]) -> tuple[dict[tuple[str, str], Cells], tuple[Cells, ...]]:
    """Cells of each task of each project, and of rows without a code or a task; untouched states say nothing."""
    names = dict(_task_names())
    untouched = _words("state_not_started")
    found: dict[tuple[str, str], dict[str, str]] = {}
    loose: list[Cells] = []
    for line in lines:
        code, said = line.texts.get("code"), line.texts.get("task")
        task = None if said is None else names.get(said, said)
        cells = {key: line.texts[key] for key in (DEADLINE, *TASKS_HAND) if key in line.texts}
        if cells.get("state") in untouched:
            del cells["state"]
        if task in DONE_BY:  # its deadline is the plan's
            cells.pop(DEADLINE, None)
        if code is None or task is None:
            kept = {**({} if said is None else {"task": said}), **({} if code is None else {"code": code}), **cells}
            loose += [kept] if cells or said is not None else []
        elif cells or task not in TASKS:
            issues += _merge(found.setdefault((code, task), {}), cells, line.where, f"{code}, {said}")
    return {key: cells for key, cells in found.items()}, tuple(loose)  # noqa: C416  (the type widens)


def _task_names() -> Iterator[tuple[str, str]]:
    """Text of a task in the sheet, in either language → its key."""
    table = label_table(_AREA)
    for task in TASKS:
        own, legal = table["en"][f"task_{task}"], table["zh"][f"task_{task}"]
        yield from ((text, task) for text in (own, legal, f"{own} {legal}"))


def _merge(into: dict[str, str], cells: Cells, where: str, what: str) -> Iterator[Issue]:
    """Add cells; a row that contradicts an earlier one is an issue."""
    differing = [key for key, text in cells.items() if into.get(key, text) != text]
    if differing:
        heads = [label_table(_AREA)["zh"][f"col_{key}"] for key in differing]
        found = f"a second row of {what} with another {list_ids(heads)}"
        yield Issue(where, found, "one row of each", "Merge the rows, or remove one of them.")
    into.update({key: text for key, text in cells.items() if key not in into})


def _exact(value: object) -> str:
    """A parcel id: the text, as it is."""
    return value if isinstance(value, str) else _text(value)


def _text(value: object) -> str:
    """What a cell shows, as text; empty for an empty cell."""
    if value is None:
        return ""
    if isinstance(value, datetime.datetime):
        return value.date().isoformat() if value.time() == datetime.time() else value.isoformat(" ")
    if isinstance(value, datetime.date):
        return value.isoformat()
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value).strip()
