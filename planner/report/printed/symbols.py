"""Signs of the printed map: a colour and a hatch each, so that a black-and-white copy can be read too."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from planner.report import palette

DONE: Final = "#636363"
HOLDOUT: Final = "#7B3294"
_GREY: Final = "#8A8A8A"
_INK: Final = "#1A1A1A"
_HATCH_ON_DARK: Final = "#FFFFFF"
_HATCH_ON_LIGHT: Final = "#5A2A00"

PHASE_HATCHES: Final = ("////", "\\\\\\\\", "....", "----", "||||", "oo", "///", "\\\\\\", "...", "---")
"""One per phase; none crosses another, which is the sign of excluded land."""

CATEGORY_COLOURS: Final = (
    "#8DA0CB",
    "#FC8D62",
    "#66C2A5",
    "#E78AC3",
    "#FFD92F",
    "#A6D854",
    "#E5C494",
    "#80B1D3",
    "#FB8072",
    "#CAB2D6",
)
"""ColorBrewer Set2 and Set3: kinds without an order."""

CATEGORY_HATCHES: Final = ("", "////", "....", "\\\\\\\\", "----", "||||", "oo", "///...", "\\\\\\...", "---...")
OTHER_COLOUR: Final = "#DDDDDD"

SCORE_HATCHES: Final = ("", "..", "//", "////", "//////")

Kind = Literal["area", "line"]


@dataclass(frozen=True)
class Symbol:
    """How something is drawn, on the map and in the legend.

    Attributes
    ----------
    kind : {'area', 'line'}
        Areas may be drawn as lines: their outlines.
    fill : str or None
    hatch : str
        Pattern as matplotlib writes it.
    hatch_colour : str
    edge : str or None
    width_mm : float
        Of edge or line.
    style : str or tuple
        Line style as matplotlib takes it.
    """

    kind: Kind
    fill: str | None = None
    hatch: str = ""
    hatch_colour: str = _GREY
    edge: str | None = None
    width_mm: float = 0.1
    style: str | tuple[float, tuple[float, ...]] = "solid"


ADMINISTRATIVE: Final = Symbol("line", edge="#4D4D4D", width_mm=0.35, style=(0, (9, 2.5, 1.5, 2.5)))
ZONE: Final = Symbol("line", edge=palette.ZONE, width_mm=0.9)
EXISTING: Final = Symbol("area", fill=DONE, edge="#FFFFFF")
RESERVE: Final = Symbol("area", hatch="\\\\\\", hatch_colour=_GREY, edge=_GREY, width_mm=0.2)
EXCLUDED: Final = Symbol("area", fill="#F7F7F7", hatch="xxxx", hatch_colour="#A5A5A5", edge=_GREY)
OTHER: Final = Symbol("area", fill="#FFFFFF", edge="#A9A9A9")
FABRIC: Final = Symbol("area", fill="#F4F4F2", edge="#B5B5B5")
UNKNOWN: Final = Symbol("area", fill="#FFFFFF", hatch="..", hatch_colour="#BDBDBD", edge="#A9A9A9")
LOCKED_IN: Final = Symbol("line", edge="#000000", width_mm=0.6)
LOCKED_OUT: Final = Symbol("line", edge="#000000", width_mm=0.6, style=(0, (1.2, 1.2)))
HOLDOUTS: Final = Symbol("line", edge=HOLDOUT, width_mm=0.9)
BLOCK: Final = Symbol("line", edge=_INK, width_mm=0.6)
BARRIER_STYLES: Final = ("solid", (0, (6, 2)), (0, (2, 2)), (0, (8, 2, 2, 2)))
CONTROL_COLOURS: Final = ("#B2182B", "#1B7837", "#2166AC", "#8C510A", "#542788", "#01665E")
MOVE: Final = Symbol("line", edge="#08519C", width_mm=0.7)


def phase_symbol(number: int, count: int) -> Symbol:
    """Sign of the phase `number`, from 1, of `count`."""
    fill = palette.phase_colours(count)[number - 1]
    return Symbol(
        "area",
        fill=fill,
        hatch=PHASE_HATCHES[(number - 1) % len(PHASE_HATCHES)],
        hatch_colour=_hatch_on(fill),
        edge="#FFFFFF" if _dark(fill) else "#9A8F7A",
    )


def category_symbol(number: int) -> Symbol:
    """Sign of a kind without an order, from 0; beyond the last all are alike."""
    if number >= len(CATEGORY_COLOURS):
        return Symbol("area", fill=OTHER_COLOUR, hatch="++", edge="#7F7F7F")
    return Symbol(
        "area",
        fill=CATEGORY_COLOURS[number],
        hatch=CATEGORY_HATCHES[number],
        hatch_colour="#4D4D4D",
        edge="#6F6F6F",
    )


def score_symbol(number: int) -> Symbol:
    """Sign of a class of scores, from 0 = least in need."""
    fill = palette.SCORE[number]
    return Symbol(
        "area", fill=fill, hatch=SCORE_HATCHES[number], hatch_colour=_hatch_on(fill, "#33475B"), edge="#7C8B99"
    )


def barrier_symbol(number: int) -> Symbol:
    """Outline of a barrier, from 0."""
    return Symbol("line", edge=palette.BARRIER, width_mm=0.35, style=BARRIER_STYLES[number % len(BARRIER_STYLES)])


def control_symbol(number: int) -> Symbol:
    """Outline of an overlay, from 0: colour and style differ."""
    return Symbol(
        "line",
        edge=CONTROL_COLOURS[number % len(CONTROL_COLOURS)],
        width_mm=0.6,
        style=BARRIER_STYLES[(number + 1) % len(BARRIER_STYLES)],
    )


def _hatch_on(fill: str, on_light: str = _HATCH_ON_LIGHT) -> str:
    return _HATCH_ON_DARK if _dark(fill) else on_light


def _dark(colour: str) -> bool:
    red, green, blue = bytes.fromhex(colour[1:])
    return 0.299 * red + 0.587 * green + 0.114 * blue < 128
