"""Write a table into a sheet: headers, rows, totals, filter, frozen panes, notes below."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import accumulate, groupby
from typing import Final

from xlsxwriter.format import Format
from xlsxwriter.utility import xl_rowcol_to_cell
from xlsxwriter.worksheet import Worksheet

from planner.report.workbook.book import A3_PRINTED_INCH, COLOURS, MARK, NUMBER_FORMATS, WIDTHS, Book
from planner.report.workbook.cells import TOKEN, Cell, Column, Row, with_sums
from planner.report.workbook.text import lines, plain

LINE_POINTS = 13.5
_INCH_PER_CHARACTER = 0.1
"""Width of a column for each character, on paper, with the widest of the usual fonts."""
_NOTE_WIDTH = 150
_OPEN: Final = {"data", "loose"}
"""Rows of projects; all others are heads and sums."""
_WRAPPED_LINES = 6
_PROPORTIONAL = 1.12
"""Letters of text are narrower than the digits that widths are told in."""


@dataclass
class Table:
    """A table on a sheet.

    Attributes
    ----------
    book : Book
    sheet : xlsxwriter.worksheet.Worksheet
    columns : sequence of Column
    first_row : int
        Where the header begins.
    """

    book: Book
    sheet: Worksheet
    columns: Sequence[Column]
    first_row: int
    _place: dict[str, int] = field(default_factory=dict)

    @property
    def header_rows(self) -> int:
        """2 where columns are grouped."""
        return 2 if any(c.group for c in self.columns) else 1

    @property
    def first_data_row(self) -> int:
        """Row below the header."""
        return self.first_row + self.header_rows

    def write(
        self, rows: Sequence[Row], *, frozen: int = 0, filtered: bool = True, main: bool = True, pages: int = 1
    ) -> int:
        """Write header and rows; the number of the row below.

        Parameters
        ----------
        rows : sequence of Row
        frozen : int
            Columns that stay in sight.
        filtered : bool
            With a filter over the rows of data and groups.
        main : bool
            The table of the sheet: it sets widths, frozen panes and the rows repeated on each page.
        pages : int
            Pages of A3 side by side in print.
        """
        self._header()
        if main:
            for k, column in enumerate(self.columns):
                self.sheet.set_column(k, k, column.width or WIDTHS[column.kind])
            self.sheet.freeze_panes(self.first_data_row, frozen)
            self.sheet.repeat_rows(self.first_row, self.first_data_row - 1)
            if frozen:
                self.sheet.repeat_columns(0, frozen - 1)
        full = with_sums(rows, self.columns)
        self._place = {row.name: self.first_data_row + k for k, row in enumerate(full) if row.name}
        for k, row in enumerate(full):
            self._row(self.first_data_row + k, row)
        end = self.first_data_row + len(full)
        inside = [k for k, row in enumerate(full) if row.kind in {"data", "group", "subgroup"}]
        if filtered and inside:
            last = self.first_data_row + inside[-1]
            self.sheet.autofilter(self.first_data_row - 1, 0, last, len(self.columns) - 1)
        self._choices(full)
        if pages > 1:
            self._pages(frozen, pages)
        return end

    def _pages(self, frozen: int, pages: int) -> None:
        """Break a wide table between columns, never inside a group, into pages of about the same width."""
        widths = [c.width or WIDTHS[c.kind] for c in self.columns]
        kept, rest = sum(widths[:frozen]), sum(widths[frozen:])
        breaks: list[int] = []
        wide, widest = 0.0, 0.0
        for k in range(frozen, len(self.columns)):
            group = self.columns[k].group
            whole = sum(w for c, w in zip(self.columns, widths, strict=True) if group is not None and c.group == group)
            starts = group is None or self.columns[k - 1].group != group
            if starts and wide + (whole or widths[k]) / 2 > rest / pages and len(breaks) < pages - 1:
                breaks.append(k)
                wide = 0.0
            wide += widths[k]
            widest = max(widest, wide)
        inches = (kept + widest) * _INCH_PER_CHARACTER
        self.sheet.set_print_scale(max(10, min(100, int(100 * A3_PRINTED_INCH / inches))))
        self.sheet.set_v_pagebreaks(breaks)

    def notes(self, row: int, texts: Sequence[str]) -> int:
        """Write notes below, each over the width of the table; the number of the row below."""
        widths = list(accumulate(c.width or WIDTHS[c.kind] for c in self.columns))
        last = next((k for k, w in enumerate(widths) if w >= _NOTE_WIDTH), len(widths) - 1)
        style = self.book.style(font_color=COLOURS["quiet"], text_wrap=True, valign="top", font_size=9)
        for k, text in enumerate(texts, start=row + 1):
            shown = plain(text)
            if last:
                self.sheet.merge_range(k, 0, k, last, "", style)
            self.sheet.write_string(k, 0, shown, style)
            self.sheet.set_row(k, lines(shown, widths[last] * _PROPORTIONAL) * LINE_POINTS)
        return row + 1 + len(texts)

    def _header(self) -> None:
        names = [plain(c.head or self.book.words.head(f"col_{c.key}")) for c in self.columns]
        look = {"bold": True, "align": "center", "text_wrap": True, "border": 1, "border_color": COLOURS["line"]}
        style = self.book.style(**look, bg_color=COLOURS["head"], font_color="#FFFFFF")
        by_hand = self.book.style(**look, bg_color=COLOURS["hand"], font_color="#6B4E00")
        top = self.first_row
        at = 0
        for group, members in groupby(self.columns, key=lambda c: c.group):
            count = len(list(members))
            if group is not None and count > 1:
                head = plain(self.book.words.head(group))
                self.sheet.merge_range(top, at, top, at + count - 1, "", style)
                self.sheet.write_string(top, at, head, style)
            for k in range(at, at + count):
                mine = by_hand if self.columns[k].hand else style
                alone = group is None or count == 1
                if alone and self.header_rows > 1:
                    self.sheet.merge_range(top, k, top + 1, k, "", mine)
                    self.sheet.write_string(top, k, names[k], mine)
                else:
                    self.sheet.write_string(top + self.header_rows - 1, k, names[k], mine)
            at += count
        self._header_height(names)

    def _header_height(self, names: Sequence[str]) -> None:
        grouped = self.header_rows > 1
        tall = max(
            lines(name, c.width or WIDTHS[c.kind]) - (2 if grouped and c.group is None else 0)
            for name, c in zip(names, self.columns, strict=True)
        )
        if grouped:
            self.sheet.set_row(self.first_row, 2 * LINE_POINTS + 4)
        self.sheet.set_row(self.first_row + self.header_rows - 1, max(tall, 1) * LINE_POINTS + 6)

    def _row(self, at: int, row: Row) -> None:
        tall = 1
        for k, column in enumerate(self.columns):
            cell = row.cell(column.key)
            self._cell(at, k, cell, row, column)
            if row.kind in _OPEN and isinstance(cell.value, str):
                tall = max(tall, lines(plain(cell.value), self._room(column)))
        self.sheet.set_row(at, min(tall, _WRAPPED_LINES) * LINE_POINTS + 3)

    @staticmethod
    def _room(column: Column) -> float:
        """Letters that a line of a column takes; text is set in a little."""
        wide = (column.width or WIDTHS[column.kind]) * _PROPORTIONAL
        return wide - (2 if column.kind == "text" else 0)

    def _cell(self, at: int, k: int, cell: Cell, row: Row, column: Column) -> None:
        style = self._style(cell, row, column)
        if cell.formula is not None and cell.value is not None:
            self.sheet.write_formula(at, k, self._formula(cell.formula, at, k), style, cell.value)
        elif cell.value is None:
            self.sheet.write_blank(at, k, None, style)
        elif isinstance(cell.value, str):
            self.sheet.write_string(at, k, plain(cell.value), style)
        else:
            self.sheet.write_number(at, k, cell.value, style)
        if told := [
            self.book.words(word, n) for word, n in (("comment_unknown", cell.unknown), ("comment_cut", cell.cut)) if n
        ]:
            note = "\n".join(told)
            self.sheet.write_comment(at, k, note, {"author": "", "x_scale": 1.4, "y_scale": 0.5})

    def _style(self, cell: Cell, row: Row, column: Column) -> Format:
        look: dict[str, object] = {"border": 1, "border_color": COLOURS["line"]}
        if row.begins:
            look |= {"top": 2, "top_color": COLOURS["head"]}
        text, open_row, kind = isinstance(cell.value, str), row.kind in _OPEN, cell.kind or column.kind
        if text or (cell.value is None and kind in {"text", "code"}):
            look["num_format"] = "@"
        else:
            look["num_format"] = NUMBER_FORMATS[kind].format(MARK if cell.unknown or cell.cut else "")
        if not open_row:
            look |= {"bold": True, "bg_color": COLOURS[row.kind if row.kind in COLOURS else "group"]}
        elif column.hand or cell.hand:
            look |= {"bg_color": COLOURS["hand"], "locked": False, "text_wrap": True}
        elif text:
            look["text_wrap"] = True
        if kind in {"code", "year"} and open_row:
            look["align"] = "center"
        elif text:
            look |= {"align": "left", "indent": 1 if open_row else 0}
        return self.book.style(**look)

    def _formula(self, text: str, at: int, k: int) -> str:
        keys = {c.key: j for j, c in enumerate(self.columns)}

        def address(row: str, column: str) -> str:
            return str(xl_rowcol_to_cell(self._place[row] if row else at, keys[column] if column else k))

        if text.startswith("=SUM("):  # neighbours become a range, so that rows put in between are summed too
            found = TOKEN.findall(text)
            return f"=SUM({_ranges([self._place[row] for row, _ in found], keys[found[0][1]])})"
        return str(TOKEN.sub(lambda m: address(m[1], m[2]), text))

    def _choices(self, rows: Sequence[Row]) -> None:
        """Offer choices, and refuse nothing."""
        at = [self.first_data_row + k for k, row in enumerate(rows) if row.kind in _OPEN]
        for k, column in enumerate(self.columns):
            for first, last in _runs(at) if column.choices else ():
                rule = {"validate": "list", "source": list(column.choices), "error_type": "information"}
                self.sheet.data_validation(first, k, last, k, rule)


def _runs(numbers: Sequence[int]) -> list[tuple[int, int]]:
    """First and last of each run of consecutive numbers."""
    found: list[tuple[int, int]] = []
    for n in sorted(numbers):
        if found and n == found[-1][1] + 1:
            found[-1] = (found[-1][0], n)
        else:
            found.append((n, n))
    return found


def _ranges(rows: Sequence[int], column: int) -> str:
    """Addresses of cells of a column, neighbours as one range."""
    return ",".join(
        xl_rowcol_to_cell(a, column) if a == b else f"{xl_rowcol_to_cell(a, column)}:{xl_rowcol_to_cell(b, column)}"
        for a, b in _runs(rows)
    )
