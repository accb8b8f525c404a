"""The index of the atlas: which sheets there are, on which page, and which are left out and why."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from planner.report.printed.furniture import BLOCK_MM, STRIP_MM, TITLE_MM, title_block, title_strip
from planner.report.printed.job import PrintJob
from planner.report.printed.page import FRAME, Box, Page
from planner.report.printed.sheet import Sheet
from planner.report.printed.table import Column, draw_table, height_of, rows_in
from planner.report.printed.themes import Absent

_GAP_MM: Final = 5.0
_GROUPS: Final = 3


@dataclass(frozen=True)
class Entry:
    """A line of the index.

    Attributes
    ----------
    name : str
    page : int
    area : str
        With a block: its area.
    """

    name: str
    page: int
    area: str = ""


def index_sheet(
    job: PrintJob, sheets: Sequence[Entry], blocks: Sequence[Entry], left_out: Sequence[Absent], count: int
) -> Sheet:
    """First page of the atlas.

    Parameters
    ----------
    job : PrintJob
    sheets, blocks : sequence of Entry
    left_out : sequence of Absent
    count : int
        Pages of the atlas.
    """
    page = Page.new(job.face)
    area = Box(FRAME.x, FRAME.y + STRIP_MM, FRAME.width, FRAME.height - STRIP_MM - TITLE_MM).inset(_GAP_MM)
    page.boxes["panel"] = area
    left = Box(area.x, area.y, 150.0, area.height)
    _sheets(job, page, left, sheets, left_out)
    right = Box(left.right + _GAP_MM, area.y, area.right - left.right - _GAP_MM, area.height)
    if blocks:
        _blocks(job, page, right, blocks)
    name = job.word("sheet_index")
    title_strip(page, job, job.word("atlas_title", job.contents.title, name), job.contents.config.project.name)
    notes = Box(FRAME.x, FRAME.y, FRAME.width - BLOCK_MM, STRIP_MM)
    page.boxes["notes"] = notes
    page.rectangle(notes, width_mm=0.35)
    note = job.contents.config.project.note
    if note:
        page.text(notes.inset(2), note, size=9, lines=9, top=True)
    title_block(page, job, Box(FRAME.right - BLOCK_MM, FRAME.y, BLOCK_MM, STRIP_MM), name, (1, count), None)
    return Sheet(page, name)


def _sheets(job: PrintJob, page: Page, box: Box, sheets: Sequence[Entry], left_out: Sequence[Absent]) -> None:
    columns = [Column(job.word("page"), 20, "center"), Column(job.word("sheet"), 130)]
    draw_table(page, box, job.word("sheets_title"), columns, [[str(s.page), s.name] for s in sheets], size=9)
    top = box.top - height_of(len(sheets)) - _GAP_MM
    if left_out:
        columns = [Column(job.word("sheet"), 40), Column(job.word("why"), 110)]
        rows = [[job.word(f"sheet_{a.sheet}"), a.reason] for a in left_out]
        draw_table(page, Box(box.x, box.y, box.width, top - box.y), job.word("left_out_title"), columns, rows, size=8.5)


def _blocks(job: PrintJob, page: Page, box: Box, blocks: Sequence[Entry]) -> None:
    """Blocks with their pages, down one table after the other; more than there is room for are counted."""
    rows = rows_in(box.height - 6.0)
    width = (box.width - (_GROUPS - 1) * _GAP_MM) / _GROUPS
    columns = [
        Column(job.word("block"), 34),
        Column(job.word("mu"), 18, "right"),
        Column(job.word("page"), 14, "center"),
    ]
    for i in range(_GROUPS):
        part = blocks[i * rows : (i + 1) * rows]
        if part:
            title = job.word("sheet_block") if i == 0 else ""
            lines = [[b.name, b.area, str(b.page)] for b in part]
            draw_table(page, Box(box.x + i * (width + _GAP_MM), box.y, width, box.height), title, columns, lines)
    more = len(blocks) - _GROUPS * rows
    if more > 0:
        page.text(Box(box.x, box.y, box.width, 5.0), job.word("more_blocks", more), size=8)
