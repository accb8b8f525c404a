"""The workbook being made: formats, page setup, and what stands on every sheet."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import xlsxwriter
import xlsxwriter.format
import xlsxwriter.worksheet

from planner.contents import PlanContents
from planner.report.workbook.cells import Kind
from planner.report.workbook.text import LONGEST_SHEET_NAME, plain
from planner.report.workbook.words import Words

A3, A4 = 8, 9
A3_PRINTED_INCH: Final = 15.4
"""Width of an A3 page in landscape within its margins, with a little to spare."""
NUMBER_FORMATS: Final[Mapping[Kind, str]] = {
    "text": "@",
    "code": "@",
    "count": "#,##0{0}",
    "number": "General{0}",
    "mu": '#,##0.00{0};-#,##0.00{0};"–"{0}',
    "money": '#,##0.00{0};-#,##0.00{0};"–"{0}',
    "m2": '#,##0.00{0};-#,##0.00{0};"–"{0}',
    "far": "#,##0.00{0}",
    "share": '0.0%{0};-0.0%{0};"–"{0}',
    "year": "0",
}
"""``{0}`` is for the mark of figures that leave something out; a known zero is a dash."""
WIDTHS: Final[Mapping[Kind, float]] = {
    "text": 14,
    "code": 17,
    "count": 8,
    "number": 12,
    "mu": 11,
    "money": 13,
    "m2": 14,
    "far": 8,
    "share": 9,
    "year": 8,
}
MARK: Final = '"†"'
"""Stands behind a figure that leaves some parcels out."""
_HASH_SHOWN: Final = 12
_LONGEST_PART: Final = 75
"""Characters of one part of a page's head or foot; all three together may have 255."""
_MARGIN_INCH: Final = {"left": 0.5, "right": 0.4, "top": 0.8, "bottom": 0.7}

COLOURS: Final = {
    "head": "#1F3A5F",
    "section": "#8FA9C6",
    "group": "#D6E1EE",
    "subgroup": "#EDF2F8",
    "total": "#C9D6E6",
    "hand": "#FFF7D6",
    "line": "#A6B3C2",
    "warning": "#B00020",
    "quiet": "#5A6675",
}


@dataclass
class Book:
    """An open workbook.

    Attributes
    ----------
    file : xlsxwriter.Workbook
    words : Words
    contents : PlanContents
    day : datetime.date
        The day of writing, shown on every sheet.
    stamp : str or None
        E.g. 内部资料, in the head of every sheet and page.
    """

    file: xlsxwriter.Workbook
    words: Words
    contents: PlanContents
    day: datetime.date
    stamp: str | None
    _formats: dict[tuple[tuple[str, Any], ...], xlsxwriter.format.Format] = field(default_factory=dict)

    def style(self, **properties: Any) -> xlsxwriter.format.Format:
        """The format of some properties, made once."""
        key = tuple(sorted(properties.items()))
        if key not in self._formats:
            self._formats[key] = self.file.add_format({"font_size": 10, "valign": "vcenter", **properties})
        return self._formats[key]

    def sheet(self, name: str, *, paper: int = A4) -> xlsxwriter.worksheet.Worksheet:
        """A new sheet, ready to print in landscape: its title from the label ``sheet_<name>``."""
        title = self.words.title(f"sheet_{name}")
        sheet = self.file.add_worksheet(title[:LONGEST_SHEET_NAME])
        sheet.set_landscape()
        sheet.set_paper(paper)
        sheet.fit_to_pages(1, 0)
        sheet.set_margins(**_MARGIN_INCH)
        sheet.hide_gridlines(2)
        project = self.contents.config.project
        label = self.words("synthetic_label") if project.synthetic else ""
        left, right = (_page_text(part) for part in (project.name, "  ".join(filter(None, [label, self.stamp]))))
        sheet.set_header(f"&L&9{left}&R&9{right}")
        summary = self.contents.summary
        source = self.words(
            "page_source", str(summary.get("input_hash", ""))[:_HASH_SHOWN], summary.get("version", ""), self.day
        )
        sheet.set_footer(f"&L&8{_page_text(source)}&C&8{_page_text(title)}&R&8&P / &N")
        return sheet

    def heading(self, sheet: xlsxwriter.worksheet.Worksheet, name: str) -> int:
        """Write the title, what the sheet is of, and the labels due; the number of the next row."""
        project = self.contents.config.project
        sheet.write_string(0, 0, self.words.title(f"sheet_{name}"), self.style(bold=True, font_size=15))
        sheet.set_row(0, 26)
        parts = [plain(project.name), str(self.day), self.stamp and plain(self.stamp)]
        sheet.write_string(1, 0, "  ·  ".join(filter(None, parts)), self.style(font_color=COLOURS["quiet"]))
        if project.synthetic:
            style = self.style(bold=True, font_color=COLOURS["warning"])
            sheet.write_string(2, 0, self.words("synthetic_label"), style)
        return 3


def _page_text(text: str) -> str:
    """Text of a page's head or foot: & is doubled, lines are joined, what is too long is left out."""
    shown = ""
    for letter in plain(text).replace("\n", " ").replace("\t", " "):
        more = "&&" if letter == "&" else letter
        if len(shown) + len(more) > _LONGEST_PART:
            break
        shown += more
    return shown
