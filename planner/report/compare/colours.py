"""Colours of agreement between plans: from pale (few) to dark (all), which keeps its order for colour-blind readers."""

from __future__ import annotations

from typing import Final

from planner.report import palette

NONE_PICKS: Final = "#E9E8E4"
ALL_PICK: Final = "#08306B"
_SOME: Final = ((0xD2, 0xE3, 0xF3), (0x4A, 0x97, 0xC9))


def agreement_colours(plans: int) -> tuple[str, ...]:
    """Colour of land that 0, 1, … `plans` plans pick."""
    steps = max(plans - 2, 1)
    some = [
        "#" + "".join(f"{round(a + (b - a) * k / steps):02X}" for a, b in zip(*_SOME, strict=True))
        for k in range(plans - 1)
    ]
    return (NONE_PICKS, *some, ALL_PICK)


def page_palette() -> dict[str, object]:
    """Further colours of the maps."""
    return {
        "muted": palette.MUTED,
        "parcel_outline": palette.PARCEL_OUTLINE,
        "block_outline": palette.BLOCK_OUTLINE,
        "barrier": palette.BARRIER,
        "zone": palette.ZONE,
        "highlight": palette.HIGHLIGHT,
    }
