"""数据质量: what was found in the data, with the land concerned."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from planner.report.workbook.book import A4, Book
from planner.report.workbook.cells import Column, Row
from planner.report.workbook.table import Table

COLUMNS: Final = (
    Column("no", "count", 6),
    Column("finding", width=62),
    Column("finding_count", "count", 10),
    Column("finding_mu", "mu", 13),
    Column("finding_ids", width=56),
)


def write_quality(book: Book) -> None:
    """Add the findings about the data, those to fix first."""
    sheet = book.sheet("quality", paper=A4)
    table = Table(book, sheet, COLUMNS, book.heading(sheet, "quality"))
    end = table.write(list(_rows(book)), frozen=0)
    table.notes(end, [book.words("note_quality")])


def _rows(book: Book) -> Iterator[Row]:
    words = book.words
    found = book.contents.summary.get("data_quality") or ()
    for to_fix in (True, False):
        mine = [f for f in found if bool(f.get("to_fix", True)) is to_fix]
        title = words.title("quality_fix" if to_fix else "quality_know")
        yield Row({"no": words("group_row", title, len(mine))}, kind="group")
        for number, finding in enumerate(mine, 1):
            ids = list(finding.get("parcel_ids") or ())
            rest = int(finding.get("count") or 0) - len(ids)
            listed = ", ".join(map(str, ids)) + (words("and_more", rest) if ids and rest > 0 else "")
            cells = {"no": number, "finding": str(finding["what"]), "finding_ids": listed or None}
            yield Row(cells | {"finding_count": finding.get("count"), "finding_mu": finding.get("area_mu")})
