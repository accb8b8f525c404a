"""The report on progress as tables of a workbook."""

from __future__ import annotations

import datetime
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import xlsxwriter

from geodata.write import replacing
from planner.contents import PlanContents
from planner.labels import Labels
from planner.monitoring.form import AREA
from planner.report.progress.data import SOON_MONTHS, definitions, is_soon
from planner.report.progress.text import floor_month, milestones_of, time_left, what_expires
from planner.report.progress.words import sheet_words
from planner.report.workbook.book import A3, A4, Book
from planner.report.workbook.cells import Column, Row
from planner.report.workbook.table import Table
from planner.report.workbook.text import plain

_OPTIONS: Final = {"strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
_LONGEST_PROPERTY: Final = 200

Data = Mapping[str, Any]


def write_tables(contents: PlanContents, data: Data, path: Path, day: datetime.date) -> None:
    """Write ``progress.xlsx``: phases, projects, slips, what runs out, findings.

    Parameters
    ----------
    contents : PlanContents
        In the language of the workbook.
    data : mapping
        See `planner.report.progress.data.progress_data`.
    path : pathlib.Path
        Replaced if it exists.
    day : datetime.date
        Shown on every sheet: the first day of the month of the report, so that the same report gives the same bytes.
    """
    language = contents.config.report.language
    words = sheet_words(language, contents.config.project.currency)
    own = Labels.of(language, AREA)
    with replacing(path) as temporary, xlsxwriter.Workbook(str(temporary), _OPTIONS) as file:
        made = datetime.datetime(day.year, day.month, day.day)
        label = words("synthetic_label") if contents.synthetic else ""
        title = plain(f"{own('mon_title', data['at'])}: {contents.title}")[:_LONGEST_PROPERTY]
        file.set_properties({"title": title, "author": "", "comments": label, "created": made})
        book = Book(file, words, contents, day, None)
        _phases(book, data, own)
        _projects(book, data, own)
        _milestones(book, data, own)
        _slips(book, data, own)
        _expiring(book, data, own)
        _findings(book, data, own)


def _table(
    book: Book, name: str, columns: list[Column], rows: list[Row], notes: list[str], *, paper: int = A4, frozen: int = 1
) -> None:
    """A sheet with one table, which is printed as wide as the page."""
    sheet = book.sheet(name, paper=paper)
    table = Table(book, sheet, columns, book.heading(sheet, name))
    end = table.write(rows, filtered=bool(rows), frozen=frozen)
    table.notes(end, notes)


def _column(words: Labels, key: str, kind: Any = "text", width: float = 0.0, **more: Any) -> Column:
    return Column(key, kind, width, head=words(f"mon_{key}"), **more)


def _phases(book: Book, data: Data, words: Labels) -> None:
    columns = [
        _column(words, "phase", "code", 8),
        _column(words, "ends", "code", 10),
        *(_column(words, key, "mu", 15) for key in ("target", "stretch", "planned_now", "counted")),
        _column(words, "share", "share", 10),
        *(_column(words, key, "mu", 13) for key in ("planned", "forecast_end")),
        _column(words, "floor_month", "code", 12),
        _column(words, "stretch_month", "code", 12),
    ]
    rows = [
        Row(
            {
                "phase": p["id"],
                "ends": p["ends"],
                "target": p["target_mu"],
                "stretch": p["stretch_mu"],
                "planned_now": p["planned_now_mu"],
                "counted": p["counted_mu"],
                "share": p["counted_of_target"],
                "planned": p["planned_mu"],
                "forecast_end": p["forecast_mu"],
                "floor_month": floor_month(p, words) or None,
                "stretch_month": p["stretch_month"] or (words("mon_never") if p["stretch_mu"] else None),
            }
        )
        for p in data["phases"]
    ]
    _table(book, "mon_phases", columns, rows, [words(key) for key in definitions(data)])


def _projects(book: Book, data: Data, words: Labels) -> None:
    columns = [
        _column(words, "code", "code", 17),
        _column(words, "name", width=16),
        _column(words, "village", width=12),
        _column(words, "zone", width=9),
        _column(words, "phase", "code", 7),
        _column(words, "mode", width=29),
        _column(words, "state", "code", 11),
        _column(words, "slip", "count", 8),
        _column(words, "net_mu", "mu", 10, sums=True),
        *(
            _column(words, key, "share" if key.endswith("share") else "mu", 11, sums=not key.endswith("share"))
            for what in ("cleared", "accepted")
            for key in (f"planned_{what}", f"{what}_mu", f"{what}_share")
        ),
        _column(words, "remark", width=30),
    ]
    rows = [Row(_project(p, data, words), name=p["code"]) for p in data["projects"]]
    if rows:
        total = {"code": book.words("total_row")}
        rows.append(Row(total, kind="total", total_of=[row.name for row in rows]))
    _table(book, "mon_projects", columns, rows, [words("def_unknown")], paper=A3, frozen=2)


def _project(p: Data, data: Data, words: Labels) -> dict[str, Any]:
    cells = {key: p[key] for key in ("code", "name", "village", "zone", "phase", "net_mu", "remark")}
    cells |= {key: p[key] for key in ("cleared_mu", "cleared_share", "accepted_mu", "accepted_share")}
    cells |= {"planned_cleared": p["planned_cleared_mu"], "planned_accepted": p["planned_accepted_mu"]}
    cells |= {"mode": data["modes"][words.language].get(p["mode"], p["mode"])}
    cells |= {"state": words(f"mon_shown_{p['state']}"), "slip": p["slip"] or None}
    return cells


def _milestones(book: Book, data: Data, words: Labels) -> None:
    columns = [
        _column(words, "code", "code", 17),
        _column(words, "name", width=16),
        _column(words, "slip", "count", 8),
        *(
            Column(f"{m}_{kind}", "code", 9, group=f"milestone_{m}", head=words(f"mon_cell_{kind}"))
            for m in milestones_of(data)
            for kind in ("planned", "reached", "forecast")
        ),
    ]
    rows = [Row(_steps(p, words)) for p in data["projects"]]
    notes = [words("def_slip"), words("def_forecast")]
    _table(book, "mon_milestones", columns, rows, notes, paper=A3, frozen=2)


def _steps(p: Data, words: Labels) -> dict[str, Any]:
    cells: dict[str, Any] = {"code": p["code"], "name": p["name"], "slip": p["slip"] or None}
    for m, step in p["steps"].items():
        cells |= {f"{m}_{kind}": step[kind] for kind in ("planned", "reached", "forecast")}
        if step["passed"] and step["reached"] is None:
            cells[f"{m}_reached"] = words("mon_passed")
    return cells


def _slips(book: Book, data: Data, words: Labels) -> None:
    columns = [
        _column(words, "code", "code", 17),
        _column(words, "name", width=20),
        _column(words, "at_stake", "mu", 14),
        _column(words, "slip", "count", 14),
        _column(words, "coming", width=18),
        _column(words, "coming_planned", "code", 12),
        _column(words, "coming_forecast", "code", 12),
    ]
    rows = [
        Row(
            {
                "code": s["code"],
                "name": s["name"],
                "at_stake": s["at_stake_mu"],
                "slip": s["slip"],
                "coming": words(f"milestone_{s['milestone']}"),
                "coming_planned": s["planned"],
                "coming_forecast": s["forecast"],
            }
        )
        for s in data["slipping"]
    ]
    _table(
        book, "mon_slips", columns, rows, [words("def_slip"), words("def_left")] if rows else [words("mon_no_slips")]
    )


def _expiring(book: Book, data: Data, words: Labels) -> None:
    columns = [
        _column(words, "code", "code", 17),
        _column(words, "what", width=60),
        _column(words, "number", width=20),
        _column(words, "until", "code", 13),
        _column(words, "left_time", "code", 14),
    ]
    rows = [
        Row(
            {
                "code": x["code"],
                "what": what_expires(x, words),
                "number": x["number"] or None,
                "until": x["until"] or words("mon_until_unknown"),
                "left_time": time_left(x, words),
            }
        )
        for x in data["expiring"]
    ]
    _table(book, "mon_expiring", columns, rows, list(_about_leases(data, words)))


def _about_leases(data: Data, words: Labels) -> Iterator[str]:
    if not any(map(is_soon, data["expiring"])):
        yield words("mon_nothing_expires", SOON_MONTHS)
    if data["unknown_leases"] is None:
        yield words("mon_no_leases")
    elif data["unknown_leases"]:
        yield words("mon_leases_unknown", data["unknown_leases"])
    yield words("def_leases")


def _findings(book: Book, data: Data, words: Labels) -> None:
    columns = [_column(words, "code", "code", 17), _column(words, "finding", width=110)]
    rows = [
        Row({"code": f["code"] or words("mon_whole"), "finding": f["text"][words.language]}) for f in data["findings"]
    ]
    _table(book, "mon_findings", columns, rows, [] if rows else [words("mon_no_findings")])
