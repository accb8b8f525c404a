"""The sheet of paper: A3 in millimetres, its boxes, and text and lines put on it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.text import Text

from planner.report.printed.fonts import Typeface

PAGE_MM: Final = (420.0, 297.0)
MM_PER_INCH: Final = 25.4
LINE_HEIGHT: Final = 1.25 * MM_PER_INCH / 72.0
"""Height of a line of text, mm per point of its size."""

_ELLIPSIS: Final = "…"
Align = Literal["left", "center", "right"]


@dataclass(frozen=True)
class Box:
    """A rectangle on the page, mm from its lower left corner."""

    x: float
    y: float
    width: float
    height: float

    @property
    def right(self) -> float:
        """Right edge."""
        return self.x + self.width

    @property
    def top(self) -> float:
        """Upper edge."""
        return self.y + self.height

    def inset(self, by: float) -> Box:
        """The box less a margin on all sides."""
        return Box(self.x + by, self.y + by, self.width - 2 * by, self.height - 2 * by)


FRAME: Final = Box(25.0, 5.0, 390.0, 287.0)
"""Inner frame: 25 mm left for the binding, 5 mm on the other sides."""


@dataclass
class Page:
    """A page under way.

    Attributes
    ----------
    figure : matplotlib.figure.Figure
    paper : matplotlib.axes.Axes
        Axes over the whole page in mm.
    face : Typeface
    boxes : dict of str to Box
        Parts of the page by name; they do not overlap.
    texts : list of tuple
        Every text on the paper with the box that it must stay in, for checks.
    """

    figure: Figure
    paper: Axes
    face: Typeface
    boxes: dict[str, Box] = field(default_factory=dict)
    texts: list[tuple[Text, Box]] = field(default_factory=list)

    @classmethod
    def new(cls, face: Typeface) -> Page:
        """An empty page with its frame."""
        figure = Figure(figsize=(PAGE_MM[0] / MM_PER_INCH, PAGE_MM[1] / MM_PER_INCH), facecolor="white")
        paper = figure.add_axes((0.0, 0.0, 1.0, 1.0), zorder=5)
        paper.set_xlim(0.0, PAGE_MM[0])
        paper.set_ylim(0.0, PAGE_MM[1])
        paper.set_axis_off()
        page = cls(figure, paper, face)
        page.rectangle(FRAME, width_mm=0.7)
        return page

    def axes(self, box: Box) -> Axes:
        """Axes that fill a box, under what stands on the paper."""
        inside = (box.x / PAGE_MM[0], box.y / PAGE_MM[1], box.width / PAGE_MM[0], box.height / PAGE_MM[1])
        return self.figure.add_axes(inside, zorder=1)

    def rectangle(self, box: Box, *, width_mm: float = 0.25, face: str = "none", edge: str = "black") -> None:
        """A rectangle with a frame."""
        self.paper.add_artist(
            Rectangle((box.x, box.y), box.width, box.height, facecolor=face, edgecolor=edge, linewidth=points(width_mm))
        )

    def lines(self, segments: Sequence[Any], *, width_mm: float = 0.18, colour: str = "black") -> None:
        """Straight lines, each two points in mm."""
        self.paper.add_collection(LineCollection(list(segments), colors=colour, linewidths=points(width_mm)))

    def text(
        self,
        box: Box,
        text: object,
        *,
        size: float = 8.0,
        least: float = 6.0,
        align: Align = "left",
        bold: bool = False,
        lines: int = 1,
        top: bool = False,
        colour: str = "black",
    ) -> None:
        """Text inside a box: made smaller down to `least` points, then broken into lines, then cut with an ellipsis."""
        size = min(size, box.height / LINE_HEIGHT)
        lines = max(1, min(lines, int(box.height / (least * LINE_HEIGHT))))
        rows, size = fit(self.face, self.face.printable(text), box.width, size, least, lines, bold)
        size = min(size, box.height / (len(rows) * LINE_HEIGHT))
        height = len(rows) * size * LINE_HEIGHT
        y = box.top if top else box.y + (box.height + height) / 2
        x = {"left": box.x, "center": box.x + box.width / 2, "right": box.right}[align]
        for i, row in enumerate(rows):
            placed = self.paper.text(
                x,
                y - (i + 0.5) * size * LINE_HEIGHT,
                row,
                fontsize=size,
                ha=align,
                va="center",
                color=colour,
                fontweight="bold" if bold else "normal",
                parse_math=False,
            )
            self.texts.append((placed, box))


def points(mm: float) -> float:
    """Points of a length in mm."""
    return mm * 72.0 / MM_PER_INCH


def fit(
    face: Typeface, text: str, width_mm: float, size: float, least: float, lines: int, bold: bool = False
) -> tuple[list[str], float]:
    """Rows of text and their size in points so that every row is at most `width_mm` wide."""
    wide = face.width_mm(text, 1.0, bold)
    if wide * size <= width_mm or not text:
        return [text], size
    if lines == 1:
        size = max(least, width_mm / wide)
        return [_cut(face, text, width_mm, size, bold)], size
    while True:
        rows = _broken(face, text, width_mm, size, bold)
        if len(rows) <= lines:
            return rows, size
        if size <= least:
            kept = [*rows[: lines - 1], "".join(rows[lines - 1 :])]
            return [*kept[:-1], _cut(face, kept[-1], width_mm, size, bold)], size
        size = max(least, size - 0.5)


def _cut(face: Typeface, text: str, width_mm: float, size: float, bold: bool) -> str:
    if face.width_mm(text, size, bold) <= width_mm * (1 + 1e-9):
        return text
    room = width_mm - face.width_mm(_ELLIPSIS, size, bold)
    used = 0.0
    for i, character in enumerate(text):
        used += face.width_mm(character, size, bold)
        if used > room:
            return text[:i] + _ELLIPSIS
    return text


def _broken(face: Typeface, text: str, width_mm: float, size: float, bold: bool) -> list[str]:
    """Rows broken after spaces where there are some, else anywhere."""
    rows, start, used, space = [], 0, 0.0, -1
    for i, character in enumerate(text):
        used += face.width_mm(character, size, bold)
        if character == " ":
            space = i
        if used > width_mm and i > start:
            end = space + 1 if space >= start and character != " " else i
            rows.append(text[start:end])
            start, space = end, -1
            used = face.width_mm(text[start : i + 1], size, bold)
    return [row.strip() for row in [*rows, text[start:]] if row.strip()]
