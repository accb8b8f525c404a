"""The form in which people enter the progress of a plan: a row per project, and a sheet of approvals."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import xlsxwriter
from xlsxwriter.utility import xl_rowcol_to_cell

from geodata.write import replacing
from planner.contents import PlanContents
from planner.monitoring import form
from planner.monitoring.cells import number_in, shown
from planner.monitoring.months import Calendar, month_text, serial
from planner.monitoring.planned import PlannedProject, calendar_of, counts_from_start, planned_projects
from planner.monitoring.sheets import Line, Sheets
from planner.report.progress.words import mode_names, sheet_words
from planner.report.workbook.book import A3, A4, Book
from planner.report.workbook.cells import Column, Row
from planner.report.workbook.months import Month
from planner.report.workbook.table import Table
from planner.report.workbook.text import plain
from planner.spec_modes import MILESTONES, Milestone

APPROVALS: Final = ("scheme", "vote", "agreement", "papers", "zoning", "permit", "works")
"""Approvals that a cell offers; any other can be typed."""
_OPTIONS: Final = {"strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
_FROZEN: Final = 3
_PAGES_WIDE: Final = 2
_PRINT_SCALE: Final = 70
"""In %: what is planned, and what is filled in, each on one page of A3."""
_EMPTY_APPROVALS: Final = 30
_LONGEST_PROPERTY: Final = 200
_SHORT_MONTH: Final = 10


def write_form(
    contents: PlanContents,
    path: Path,
    *,
    day: datetime.date,
    starts: str | None = None,
    earlier: Sheets | None = None,
    names: Mapping[str, str] | None = None,
) -> int:
    """Write the entry form of a plan.

    Parameters
    ----------
    contents : PlanContents
        In the language of the form.
    path : pathlib.Path
        Replaced if it exists.
    day : datetime.date
        The day of writing.
    starts : str, optional
        First month of year 1, ``'YYYY-MM'``, where the plan counts years from its start; that of the earlier form when
        absent. Without it planned months are told as months of years of the plan.
    earlier : Sheets, optional
        An earlier form: what is typed in it is kept, also of projects that are gone.
    names : mapping of str to str, optional
        Code → name of the project.

    Returns
    -------
    int
        Rows of the earlier form that are kept below, as their project is gone or they have no code.

    Raises
    ------
    DataError
        The plan was written without codes.
    ConfigError
        `starts` is no month, or the plan has calendar years.

    Notes
    -----
    The same contents on the same day give the same bytes.
    """
    starts = starts or (earlier.starts if earlier is not None and counts_from_start(contents.config) else None)
    projects, months = _planned(contents, starts, names)
    words = sheet_words(contents.config.report.language, contents.config.project.currency)
    typed = _Typed(earlier, {p.code for p in projects})
    with replacing(path) as temporary, xlsxwriter.Workbook(str(temporary), _OPTIONS) as file:
        made = datetime.datetime(day.year, day.month, day.day)
        label = words("synthetic_label") if contents.synthetic else ""
        title = plain(f"{contents.title}: {words('sheet_progress')}")[:_LONGEST_PROPERTY]
        file.set_properties({"title": title, "author": "", "comments": label, "created": made})
        book = Book(file, words, contents, day, None)
        _write_projects(book, projects, months, typed)
        _write_approvals(book, projects, typed)
        _write_memory(book, projects, typed, starts)
    return len(typed.gone) + len(typed.loose)


class _Typed:
    """What is typed in an earlier form: by code, of projects that are gone, and without a code."""

    def __init__(self, earlier: Sheets | None, codes: set[str]) -> None:
        lines = () if earlier is None else earlier.projects
        self.approvals: tuple[Line, ...] = () if earlier is None else earlier.approvals
        self.known = frozenset() if earlier is None else earlier.known
        self.cells: dict[str, dict[str, Any]] = {}
        self.gone: list[dict[str, Any]] = []
        self.loose: list[dict[str, Any]] = []
        for line in lines:
            cells = {key: _kept(key, value) for key, value in line.cells.items()}
            mine = self.cells.get(line.code, {})
            if line.code in codes and all(mine.get(k, v) == v for k, v in cells.items()):
                self.cells.setdefault(line.code, {}).update(cells)
            elif line.code and line.code not in codes:
                self.gone.append(cells)
            else:
                self.loose.append(cells)


def _kept(key: str, value: Any) -> Any:
    """A cell as it was: areas as numbers where they are such, all else as text."""
    number = number_in(value) if key in {form.CLEARED, form.ACCEPTED} else None
    return shown(value) if number is None else number


def _planned(
    contents: PlanContents, starts: str | None, names: Mapping[str, str] | None
) -> tuple[tuple[PlannedProject, ...], Callable[[int], str]]:
    """The projects, and how their months are shown."""
    words = sheet_words(contents.config.report.language, contents.config.project.currency)
    if starts is None and counts_from_start(contents.config):
        projects = planned_projects(contents, Calendar(serial("1-01")), names)
        return projects, lambda month: Month(month // 12, month % 12 + 1).text(words, calendar=False)
    return planned_projects(contents, calendar_of(contents.config, starts), names), month_text


def _write_projects(
    book: Book, projects: Sequence[PlannedProject], months: Callable[[int], str], typed: _Typed
) -> None:
    sheet = book.sheet(form.SHEET_PROJECTS, paper=A3)
    planned = [m for m in MILESTONES if any(m in p.months for p in projects)]
    table = Table(book, sheet, _columns(book, planned), book.heading(sheet, form.SHEET_PROJECTS))
    rows = [*_rows(book, projects, planned, months, typed), *_kept_rows(book, typed)]
    end = table.write(rows, frozen=_FROZEN, pages=_PAGES_WIDE)
    sheet.set_print_scale(_PRINT_SCALE)
    _validate(book, table, rows)
    config = book.contents.config
    notes = ["form_note_fill", "form_note_state", "form_note_codes", "form_note_kept"]
    notes += ["form_note_phase_end"] if config.modes is None else []
    notes += ["form_note_years"] if months is not month_text else []
    table.notes(end, [book.words(key) for key in notes])


def _columns(book: Book, planned: Sequence[Milestone]) -> list[Column]:
    words = book.words
    states = tuple(words(f"entry_state_{state}") for state in ("waiting", "running", "done", "dropped"))
    return [
        Column("no", "count", 6),
        Column(form.CODE, "code", 17),
        Column("name", width=18),
        Column("village", width=14),
        Column("zone", width=10),
        Column("phase", "code", 7),
        Column("mode", width=29),
        Column("area_mu", "mu", 10),
        Column("to_clear_mu", "mu", 12),
        *(Column(f"planned_{m}", "code", _SHORT_MONTH, group="grp_plan") for m in planned),
        Column(form.STATE, "text", 13, hand=True, choices=states),
        *(Column(form.REACHED[m], "code", _SHORT_MONTH, group="grp_reached", hand=True) for m in MILESTONES),
        Column(form.CLEARED, "mu", 13, hand=True),
        Column(form.ACCEPTED, "mu", 13, hand=True),
        Column(form.REMARK, width=20, hand=True),
    ]


def _rows(
    book: Book,
    projects: Sequence[PlannedProject],
    planned: Sequence[Milestone],
    months: Callable[[int], str],
    typed: _Typed,
) -> Iterator[Row]:
    modes = mode_names(book.contents, book.words.language)
    phases = book.contents.config.optimise.phases
    for number, p in enumerate(projects, 1):
        cells: dict[str, Any] = {
            "no": number,
            form.CODE: p.code,
            "name": p.name,
            "village": p.village,
            "zone": p.zone,
            "phase": phases[p.phase - 1].id,
            "mode": None if p.mode is None else modes.get(p.mode, p.mode),
            "area_mu": round(p.net_mu, 2),
            "to_clear_mu": round(p.to_clear_mu, 2),
        }
        cells |= {f"planned_{m}": months(p.months[m]) for m in planned if m in p.months}
        yield Row({**typed.cells.get(p.code, {}), **cells})


def _kept_rows(book: Book, typed: _Typed) -> Iterator[Row]:
    """What is typed of projects that are gone, and in rows without a code."""
    for label, rows in (("form_gone", typed.gone), ("form_loose", typed.loose)):
        if rows:
            yield Row({"no": book.words("form_count", book.words.title(label), len(rows))}, kind="heading")
            yield from (Row(cells, kind="loose") for cells in rows)


def _validate(book: Book, table: Table, rows: Sequence[Row]) -> None:
    """Warn of areas below 0 and of text that is no month; nothing is refused, the reader says what is wrong."""
    places = {column.key: k for k, column in enumerate(table.columns)}
    first, last = table.first_data_row, table.first_data_row + len(rows) - 1
    for key in (form.CLEARED, form.ACCEPTED):
        rule = {"validate": "decimal", "criteria": ">=", "value": 0, "error_type": "warning"}
        table.sheet.data_validation(first, places[key], last, places[key], rule)
    for key in form.REACHED.values():
        cell = xl_rowcol_to_cell(first, places[key])
        test = f'=AND(LEN({cell})=7,MID({cell},5,1)="-")'
        rule = {"validate": "custom", "value": test, "error_type": "warning", "error_message": "YYYY-MM"}
        table.sheet.data_validation(first, places[key], last, places[key], rule)


def _write_approvals(book: Book, projects: Sequence[PlannedProject], typed: _Typed) -> None:
    words, names = book.words, {p.code: p.name for p in projects}
    sheet = book.sheet(form.SHEET_APPROVALS, paper=A4)
    columns = [
        Column("no", "count", 6),
        Column(form.CODE, "code", 18, hand=True),
        Column("name", width=20),
        Column("approval", width=36, hand=True, choices=tuple(words(f"approval_{key}") for key in APPROVALS)),
        Column("approval_number", width=24, hand=True),
        Column("approval_until", "code", 14, hand=True),
    ]
    table = Table(book, sheet, columns, book.heading(sheet, form.SHEET_APPROVALS))
    kept = [{key: _kept(key, value) for key, value in line.cells.items()} for line in typed.approvals]
    rows = [
        Row({"no": k, **({"name": names[code]} if (code := cells.get(form.CODE)) in names else {}), **cells})
        for k, cells in enumerate([*kept, *({} for _ in range(_EMPTY_APPROVALS))], 1)
    ]
    end = table.write(rows, frozen=2)
    if projects:
        source = f"='{form.FORM}'!$A$3:$A${len(projects) + 2}"
        rule = {"validate": "list", "source": source, "error_type": "information"}
        sheet.data_validation(table.first_data_row, 1, end - 1, 1, rule)
    table.notes(end, [words("form_note_approvals")])


def _write_memory(book: Book, projects: Sequence[PlannedProject], typed: _Typed, starts: str | None) -> None:
    """The hidden sheet: every code that the form knows, those of this plan first."""
    sheet = book.file.add_worksheet(form.FORM)
    sheet.write_row(0, 0, [form.FORM, form.VERSION, starts or ""])
    sheet.write_row(1, 0, form.FORM_COLUMNS)
    here = {p.code for p in projects}
    gone = sorted({*typed.known, *(shown(c.get(form.CODE)) for c in typed.gone)} - here - {""})
    rows = [*((p.code, p.block, 0) for p in projects), *((code, "", 1) for code in gone)]
    for at, (code, block, left) in enumerate(rows, 2):
        sheet.write_string(at, 0, plain(code))
        sheet.write_string(at, 1, plain(block))
        sheet.write_number(at, 2, left)
    sheet.hide()
