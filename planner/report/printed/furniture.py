"""What stands round the map: title, north arrow, legend, scale bar, notes, title block."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

from matplotlib.patches import PathPatch, Polygon, Rectangle
from matplotlib.path import Path as Outline
from matplotlib_scalebar.scalebar import ScaleBar

from planner.report.printed.crs_words import crs_statement
from planner.report.printed.job import MISSING, PrintJob, mu, text
from planner.report.printed.page import FRAME, LINE_HEIGHT, Box, Page, fit, points
from planner.report.printed.scale import MM_PER_M, round_length_m, scale_text
from planner.report.printed.symbols import Symbol
from planner.report.printed.theme import Layer

TITLE_MM: Final = 17.0
STRIP_MM: Final = 46.0
BLOCK_MM: Final = 118.0
NOTES_MM: Final = 66.0
ROW_MM: Final = 4.9
_COLUMNS: Final = 3
_HEAD_MM: Final = 6.0
_SIGN_MM: Final = 8.0
_PADDING_MM: Final = 2.0
_BAR_MM: Final = 50.0
_HASH_DIGITS: Final = 16
_NOTE_SIZES: Final = (7.5, 7.0, 6.5, 6.0, 5.5)
_NOTE_ROWS: Final = 3
_NOTE_GAP_MM: Final = 0.8
_WARNING: Final = "#B00000"


def legend_height(layers: Sequence[Layer]) -> float:
    """Height of the strip under the map that the legend needs, mm."""
    rows = math.ceil(len(layers) / _COLUMNS)
    return max(STRIP_MM, _HEAD_MM + rows * ROW_MM + 2.0)


def title_strip(page: Page, job: PrintJob, title: str, subtitle: str = "") -> None:
    """Title in the middle, mark of generated land under it, stamp on the left, north arrow on the right."""
    box = Box(FRAME.x, FRAME.top - TITLE_MM, FRAME.width, TITLE_MM)
    page.boxes["title"] = box
    page.lines([[(box.x, box.y), (box.right, box.y)]], width_mm=0.35)
    heading = Box(box.x + 60, box.y + 6.0, box.width - 120, 10.5)
    page.text(heading, title, size=20, least=9, align="center", bold=True)
    under = Box(box.x + 60, box.y + 0.8, box.width - 120, 5.0)
    if job.contents.synthetic:
        page.text(under, job.labels("synthetic_label"), size=10, align="center", bold=True, colour=_WARNING)
    elif subtitle:
        page.text(under, subtitle, size=9, align="center")
    if job.stamp:
        stamp = Box(box.x + 3, box.y + 4, 40, 9)
        page.rectangle(stamp, width_mm=0.5, edge=_WARNING)
        page.text(stamp.inset(1), job.stamp, size=13, align="center", bold=True, colour=_WARNING)
    _north_arrow(page, job, Box(box.right - 18, box.y + 1, 14, TITLE_MM - 2))


def _north_arrow(page: Page, job: PrintJob, box: Box) -> None:
    middle = box.x + box.width / 2
    foot, tip, notch = box.y + 0.6, box.top - 4.2, box.y + 2.8
    page.paper.add_artist(
        Polygon(
            [(middle, tip), (middle - 3, foot), (middle, notch)], facecolor="black", edgecolor="black", linewidth=0.5
        )
    )
    page.paper.add_artist(
        Polygon(
            [(middle, tip), (middle + 3, foot), (middle, notch)], facecolor="white", edgecolor="black", linewidth=0.5
        )
    )
    page.text(Box(box.x, box.top - 4.2, box.width, 4.2), job.word("north"), size=10, align="center", bold=True)


def legend(page: Page, job: PrintJob, box: Box, layers: Sequence[Layer]) -> None:
    """Signs with their names, numbers of parcels and mu, in the order given, down one column after the other."""
    page.boxes["legend"] = box
    page.rectangle(box, width_mm=0.35)
    head = Box(box.x + _PADDING_MM, box.top - _HEAD_MM, box.width - 2 * _PADDING_MM, _HEAD_MM - 0.8)
    page.text(head, job.word("legend"), size=10, bold=True)
    if any(layer.area_mu is not None for layer in layers):
        page.text(head, job.word("legend_units"), size=7, align="right")
    rows = max(1, int((box.height - _HEAD_MM - 1.0) / ROW_MM))
    columns = max(1, math.ceil(len(layers) / rows))
    rows = math.ceil(len(layers) / columns) if layers else 1
    width = (box.width - 2 * _PADDING_MM) / max(columns, 2)
    for i, layer in enumerate(layers):
        column, row = divmod(i, rows)
        cell = Box(box.x + _PADDING_MM + column * width, box.top - _HEAD_MM - (row + 1) * ROW_MM, width - 2.5, ROW_MM)
        _legend_row(page, cell, layer)


def _legend_row(page: Page, cell: Box, layer: Layer) -> None:
    if layer.symbol is not None:
        sign(page, Box(cell.x, cell.y + 0.6, _SIGN_MM, cell.height - 1.2), layer.symbol)
    figures = "" if layer.area_mu is None else f"{layer.parcels:,} · {mu(layer.area_mu)}"
    taken = page.face.width_mm(figures, 7.5) + 1.5 if figures else 0.0
    start = cell.x + _SIGN_MM + 1.8
    page.text(
        Box(start, cell.y, cell.right - start - taken, cell.height), layer.name, size=8, bold=layer.symbol is None
    )
    if figures:
        page.text(Box(cell.right - taken, cell.y, taken, cell.height), figures, size=7.5, align="right")


def sign(page: Page, box: Box, symbol: Symbol) -> None:
    """A sign as the legend shows it."""
    if symbol.kind == "line":
        middle = box.y + box.height / 2
        page.paper.add_artist(
            PathPatch(
                Outline([(box.x, middle), (box.right, middle)]),
                edgecolor=symbol.edge,
                linewidth=points(symbol.width_mm),
                linestyle=symbol.style,
                facecolor="none",
                capstyle="butt",
            )
        )
        return
    edge = symbol.edge if symbol.edge not in {None, "#FFFFFF"} else "#6E6E6E"
    corner = (box.x, box.y)
    page.paper.add_artist(
        Rectangle(corner, box.width, box.height, facecolor=symbol.fill or "none", edgecolor=edge, linewidth=0.5)
    )
    if symbol.hatch:
        page.paper.add_artist(
            Rectangle(
                corner,
                box.width,
                box.height,
                facecolor="none",
                edgecolor=symbol.hatch_colour,
                linewidth=0.0,
                hatch=symbol.hatch,
            )
        )


def notes_box(page: Page, job: PrintJob, box: Box, scale: int, notes: Sequence[str]) -> None:
    """Numeric scale, scale bar, coordinate system, what else must be known."""
    page.boxes["notes"] = box
    page.rectangle(box, width_mm=0.35)
    inner = box.inset(_PADDING_MM)
    page.text(Box(inner.x, inner.top - 5, inner.width, 5), scale_text(scale), size=12, align="center", bold=True)
    _scale_bar(page, Box(inner.x, inner.top - 14, inner.width, 8.5), scale)
    lines = [crs_statement(job.contents.tables.parcels.crs, job.labels), job.word("areas"), *notes]
    _notes(page, job, Box(inner.x, inner.y, inner.width, inner.height - 15.0), lines)


def _notes(page: Page, job: PrintJob, box: Box, notes: Sequence[str]) -> None:
    """All notes at the largest size at which they fit; at the smallest, what does not fit is counted."""
    rows: list[list[str]] = []
    size = _NOTE_SIZES[-1]
    for size in _NOTE_SIZES:
        rows = [fit(page.face, page.face.printable(note), box.width, size, size, _NOTE_ROWS)[0] for note in notes]
        if sum(map(len, rows)) * size * LINE_HEIGHT + (len(rows) - 1) * _NOTE_GAP_MM <= box.height:
            break
    y = box.top
    for i, note in enumerate(rows):
        last = y - len(note) * size * LINE_HEIGHT < box.y + (0.0 if i == len(rows) - 1 else size * LINE_HEIGHT)
        for row in [job.word("more_notes", len(rows) - i)] if last else note:
            page.text(Box(box.x, y - size * LINE_HEIGHT, box.width, size * LINE_HEIGHT), row, size=size, least=5.0)
            y -= size * LINE_HEIGHT
        if last:
            return
        y -= _NOTE_GAP_MM


def _scale_bar(page: Page, box: Box, scale: int) -> None:
    """A bar by matplotlib-scalebar in axes of the map's own scale."""
    axes = page.axes(box)
    axes.set_axis_off()
    metres = MM_PER_M / scale
    axes.set_xlim(0.0, box.width / metres)
    axes.set_ylim(0.0, box.height / metres)
    axes.set_zorder(6)
    length = round_length_m(scale, _BAR_MM)
    whole_km = length % 1000 == 0
    bar = ScaleBar(
        1,
        "m",
        fixed_value=length // 1000 if whole_km else length,
        fixed_units="km" if whole_km else "m",
        location="lower center",
        width_fraction=0.14,
        frameon=False,
        border_pad=0.0,
        pad=0.0,
        sep=1.5,
        rotation="horizontal-only",
        scale_loc="top",
        font_properties={"family": list(page.face.families), "size": 8},
    )
    axes.add_artist(bar)


def title_block(page: Page, job: PrintJob, box: Box, sheet: str, count: tuple[int, int], scale: int | None) -> None:
    """Project, sheet, number, organisation, date, version, hashes."""
    page.boxes["title_block"] = box
    page.rectangle(box, width_mm=0.5, face="white")
    summary, given = job.contents.summary, job.contents.config.report.print
    number = f"{given.number}-{count[0]:02d}" if given.number and count[1] > 1 else given.number
    rows = [
        [("project", job.contents.config.project.name)],
        [("sheet", sheet)],
        [("organisation", text(given.organisation))],
        [("number", number or f"{count[0]:02d}"), ("page", f"{count[0]} / {count[1]}")],
        [("date", job.date), ("scale", MISSING if scale is None else scale_text(scale))],
        [("version", text(summary.get("version"))), ("status", _status(job))],
        [("input_hash", _hash(summary.get("input_hash"))), ("config_hash", _hash(summary.get("config_hash")))],
    ]
    height = box.height / len(rows)
    for i, cells in enumerate(rows):
        width = box.width / len(cells)
        for j, (key, value) in enumerate(cells):
            cell = Box(box.x + j * width, box.top - (i + 1) * height, width, height)
            _titled(page, cell, job.word(key), value, bold=i < 2)


def _titled(page: Page, cell: Box, name: str, value: str, bold: bool) -> None:
    head = 20.0
    page.rectangle(cell, width_mm=0.18)
    page.lines([[(cell.x + head, cell.y), (cell.x + head, cell.top)]])
    page.text(Box(cell.x + 1, cell.y, head - 2, cell.height), name, size=7.5, least=5.5, lines=2)
    room = Box(cell.x + head + 1.2, cell.y, cell.width - head - 2.4, cell.height)
    page.text(room, value, size=9 if bold else 8, least=6, lines=2, bold=bold)


def _status(job: PrintJob) -> str:
    summary = job.contents.summary
    gap = summary.get("gap")
    if summary.get("status") == "optimal":
        return job.word("optimal")
    return job.word("feasible") if gap is None else job.word("feasible_gap", f"{100 * gap:.2f}")


def _hash(value: object) -> str:
    return MISSING if value is None else str(value)[:_HASH_DIGITS]
