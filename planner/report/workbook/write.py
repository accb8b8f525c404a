"""``plan.xlsx``: every sheet of a plan, with what people typed into an earlier one."""

from __future__ import annotations

import datetime
from pathlib import Path
from typing import Final

import xlsxwriter

from geodata.write import replacing
from planner.codes import Ledger
from planner.contents import PlanContents
from planner.report.workbook.areas import write_areas
from planner.report.workbook.balance import write_balance
from planner.report.workbook.book import Book
from planner.report.workbook.headline import write_headline
from planner.report.workbook.ledger import write_ledger, write_memory
from planner.report.workbook.parameters import write_parameters
from planner.report.workbook.projects import projects_of
from planner.report.workbook.quality import write_quality
from planner.report.workbook.tasks import write_tasks
from planner.report.workbook.text import plain
from planner.report.workbook.words import Words
from planner.report.workbook.yearly import write_yearly

_OPTIONS: Final = {"strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
_LONGEST_PROPERTY: Final = 200


def write_workbook(
    contents: PlanContents,
    path: Path,
    *,
    day: datetime.date,
    language: str | None = None,
    ledger: Ledger | None = None,
    stamp: str | None = None,
) -> None:
    """Write the workbook of a plan.

    Parameters
    ----------
    contents : PlanContents
    path : pathlib.Path
        Replaced if it exists.
    day : datetime.date
        The day of writing: shown on every sheet, gives the year of new codes, and dates the file.
    language : str, optional
        ``'en'`` or ``'zh'``; ``report.language`` when absent.
    ledger : Ledger, optional
        The earlier workbook, read by `planner.ledger_file.read_ledger`: codes and what was typed by hand are kept.
    stamp : str, optional
        E.g. 内部资料, in the head of every sheet and page.

    Notes
    -----
    The same contents on the same day give the same bytes.
    """
    words = Words.of(language or contents.config.report.language, contents.config.project.currency)
    projects = projects_of(contents, ledger, day)
    with replacing(path) as temporary, xlsxwriter.Workbook(str(temporary), _OPTIONS) as file:
        made = datetime.datetime(day.year, day.month, day.day)
        label = words("synthetic_label") if contents.synthetic else ""
        file.set_properties(
            {"title": plain(contents.title)[:_LONGEST_PROPERTY], "author": "", "comments": label, "created": made}
        )
        file.set_calc_mode("auto")
        book = Book(file, words, contents, day, stamp)
        write_headline(book, projects)
        write_ledger(book, projects)
        write_tasks(book, projects)
        write_yearly(book, projects)
        write_balance(book, projects)
        write_areas(book, projects)
        write_quality(book)
        write_parameters(book)
        write_memory(book, projects)
