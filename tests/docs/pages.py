"""Reads the documentation: pages, headings, tables and marked code blocks."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
DOCS = REPOSITORY / "docs"

_HEADING = re.compile(r"^(#{1,6}) +(.*?) *$")
_MARKED = re.compile(r"<!-- example: ([\w-]+) -->\n+```[a-z]*\n(.*?)```", re.DOTALL)


def pages() -> list[Path]:
    """All pages of the documentation, and the change log."""
    return [*sorted(DOCS.rglob("*.md")), REPOSITORY / "CHANGELOG.md"]


def text_of(name: str) -> str:
    return (DOCS / name).read_text(encoding="utf-8")


def outside_code(text: str) -> str:
    """The text without its fenced code."""
    return re.sub(r"^```.*?^```", "", text, flags=re.DOTALL | re.MULTILINE)


@dataclass(frozen=True)
class Table:
    """A Markdown table and the headings above it, nearest last."""

    headings: tuple[str, ...]
    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]

    def column(self, name: str) -> list[str]:
        return [row[self.header.index(name)] for row in self.rows]


def tables(text: str) -> list[Table]:
    found: list[Table] = []
    headings: list[str] = []
    lines: list[str] = []
    for line in [*outside_code(text).splitlines(), ""]:
        heading = _HEADING.match(line)
        if heading:
            headings = [*headings[: len(heading[1]) - 1], heading[2]]
        if line.startswith("|"):
            lines.append(line)
        elif lines:
            cells = [tuple(_cells(row)) for row in lines]
            found.append(Table(tuple(headings), cells[0], tuple(cells[2:])))
            lines = []
    return found


def _cells(line: str) -> Iterator[str]:
    for cell in re.split(r"(?<!\\)\|", line.strip().strip("|")):
        yield cell.strip().replace("\\|", "|")


def table_under(text: str, heading: str) -> Table:
    """The one table whose nearest heading is `heading`."""
    (table,) = [t for t in tables(text) if t.headings and t.headings[-1] == heading]
    return table


def bare(cells: list[str]) -> list[str]:
    """Cells without their backticks."""
    return [cell.strip("`") for cell in cells]


def examples(text: str) -> dict[str, str]:
    """Code blocks marked ``<!-- example: NAME -->``, by name."""
    return dict(_MARKED.findall(text))
