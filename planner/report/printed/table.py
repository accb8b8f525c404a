"""Tables on the page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from planner.report.printed.page import Align, Box, Page

ROW_MM: Final = 4.4
HEAD_MM: Final = 5.0
TITLE_MM: Final = 5.5
_PAD_MM: Final = 0.8


@dataclass(frozen=True)
class Column:
    """A column of a table.

    Attributes
    ----------
    title : str
    share : float
        Of the width of the table, against the other columns.
    align : {'left', 'center', 'right'}
    """

    title: str
    share: float
    align: Align = "left"


def height_of(rows: int, row_mm: float = ROW_MM) -> float:
    """Height of a table with a title, mm."""
    return TITLE_MM + HEAD_MM + rows * row_mm


def rows_in(height: float, row_mm: float = ROW_MM) -> int:
    """Rows that a table with a title has room for."""
    return max(0, int((height - TITLE_MM - HEAD_MM + 1e-6) / row_mm))


def draw_table(
    page: Page,
    box: Box,
    title: str,
    columns: Sequence[Column],
    rows: Sequence[Sequence[str]],
    size: float = 7.5,
    row_mm: float = ROW_MM,
) -> None:
    """Title, head and rows from the top of the box; what does not fit in a cell is cut with an ellipsis."""
    page.text(Box(box.x, box.top - TITLE_MM, box.width, TITLE_MM), title, size=9, bold=True)
    top = box.top - TITLE_MM
    shares = sum(column.share for column in columns)
    widths = [column.share / shares * box.width for column in columns]
    lefts = [box.x + sum(widths[:i]) for i in range(len(columns))]
    bottom = top - HEAD_MM - len(rows) * row_mm
    page.rectangle(Box(box.x, top - HEAD_MM, box.width, HEAD_MM), width_mm=0.18, face="#ECECEC")
    grid = [
        [(box.x, top - HEAD_MM - i * row_mm), (box.right, top - HEAD_MM - i * row_mm)] for i in range(len(rows) + 1)
    ]
    grid += [[(x, bottom), (x, top)] for x in (*lefts, box.right)]
    page.lines(grid, width_mm=0.12)
    for at, (column, left, width) in enumerate(zip(columns, lefts, widths, strict=True)):
        head = Box(left + _PAD_MM, top - HEAD_MM, width - 2 * _PAD_MM, HEAD_MM)
        page.text(head, column.title, size=7, least=5.5, align="center", bold=True)
        for i, row in enumerate(rows):
            cell = Box(head.x, top - HEAD_MM - (i + 1) * row_mm, head.width, row_mm)
            page.text(cell, row[at], size=size, least=5.5, align=column.align)
