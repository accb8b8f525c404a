"""Writes the generated parts of ``modes.md`` from the bundled tables of modes and figures.

Run it after a change of `planner/samples/modes.yaml` or `figures.csv`: ``python docs/build_modes.py``. A test compares
the page with the tables. What stands between the marks is generated, the rest of the page is written by hand.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from planner.figure_table import read_figures, section_of
from planner.mode_table import BUNDLED, bundled
from planner.spec_modes import MILESTONES, FigureSpec, LineSpec, ModeSpec

PAGE: Final = Path(__file__).resolve().parent / "modes.md"
_PART: Final = re.compile(r"(<!-- generated: (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)
_SHORT: Final = {"outside": "others"}


def modes_page(text: str) -> str:
    """The page with its generated parts as the tables give them."""
    modes, figures = tables()
    makers = {
        "modes": lambda: _modes(modes),
        "payments": lambda: _payments(modes),
        "months": lambda: _months(modes, figures),
        "figures": lambda: _figures(figures),
    }
    return _PART.sub(lambda part: part[1] + "\n" + "\n".join(makers[part[2]]()) + "\n\n" + part[3], text)


def tables() -> tuple[list[ModeSpec], dict[str, FigureSpec]]:
    """The bundled modes and figures."""
    choices, _ = section_of(bundled(BUNDLED[0]), "choices", "table of modes")
    figures = read_figures(bundled(BUNDLED[1])).figures
    return [ModeSpec.model_validate(c) for c in choices], {n: FigureSpec.model_validate(f) for n, f in figures.items()}


def _modes(modes: list[ModeSpec]) -> Iterator[str]:
    yield "| id | mode | open to |"
    yield "|---|---|---|"
    for mode in modes:
        open_to = "all parcels" if mode.open is None else f"`{mode.open}`"
        yield f"| `{mode.id}` | {mode.name_zh} {mode.name_en} | {open_to} |"


def _payments(modes: list[ModeSpec]) -> Iterator[str]:
    for mode in modes:
        yield f"### {mode.name_zh} {mode.name_en}"
        yield ""
        yield "| who pays | whom | what | yuan | when |"
        yield "|---|---|---|---|---|"
        for line in mode.lines:
            payer, payee = (_SHORT.get(p, p) for p in (line.payer, line.payee))
            yield f"| {payer} | {payee} | {line.name} | {_amount(line)} | {_when(line)} |"
        yield ""


def _amount(line: LineSpec) -> str:
    if line.amount is not None:
        return f"`{line.amount}`"
    return f"`{line.share}` × ({', '.join(line.of)})"


def _when(line: LineSpec) -> str:
    if line.at is not None:
        return line.at
    return f"{line.start} to {line.end}" if line.end is not None else f"{line.start}, for `{line.months}`"


def _months(modes: list[ModeSpec], figures: dict[str, FigureSpec]) -> Iterator[str]:
    steps = MILESTONES[1:]
    yield f"| mode | {' | '.join(steps)} |"
    yield f"|---|{'---|' * len(steps)}"
    for mode in modes:
        cells = (_shown(figures[str(mode.months[s])].value) if s in mode.months else "–" for s in steps)
        yield f"| {mode.name_zh} {mode.name_en} | {' | '.join(cells)} |"


def _figures(figures: dict[str, FigureSpec]) -> Iterator[str]:
    yield "| figure | value | unit | source | date | note |"
    yield "|---|---|---|---|---|---|"
    for name, figure in figures.items():
        value = _shown(figure.value)
        if figure.values is not None:
            value = f"by `{figure.by}`: " + ", ".join(f"{text} {_shown(v)}" for text, v in figure.values.items())
        cells = (f"`{name}`", value, figure.unit, figure.source, figure.date, figure.note or "")
        yield f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"


def _shown(value: Any) -> str:
    """A number with thin groups of thousands, at most four decimals."""
    if value is None:
        return ""
    text = f"{value:,.4f}".rstrip("0").rstrip(".")
    return text.replace(",", " ")


def main() -> None:
    """Write the page."""
    text = PAGE.read_text(encoding="utf-8")
    PAGE.write_text(modes_page(text), encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main()
