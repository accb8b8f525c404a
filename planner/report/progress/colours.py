"""Colours of the states: they differ in lightness as well as in hue, and those that need somebody are hatched."""

from __future__ import annotations

from typing import Final

from planner.monitoring.standing import Shown
from planner.report import palette

STATE_STYLES: Final[dict[Shown, tuple[str, int]]] = {
    "done": ("#0B5345", 0),
    "running": ("#6FB7E0", 0),
    "late": ("#E6550D", 1),
    "waiting": ("#E3E1DA", 0),
    "dropped": ("#FFFFFF", 2),
}
"""Colour and hatch (0 = none) of the blocks of a state."""


def page_palette() -> dict[str, object]:
    """Colours of the page."""
    return {
        "states": {state: {"colour": colour, "hatch": hatch} for state, (colour, hatch) in STATE_STYLES.items()},
        "outside": palette.MUTED["ineligible"],
        "parcel_outline": palette.PARCEL_OUTLINE,
        "block_outline": palette.BLOCK_OUTLINE,
        "barrier": palette.BARRIER,
        "zone": palette.ZONE,
        "highlight": palette.HIGHLIGHT,
    }
