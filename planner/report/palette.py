"""Colours of the plan: one place for the map and the GIS styles.

Phases go from dark to light (ColorBrewer YlOrRd), everything measured from light to dark (PuBu, YlOrBr, Greens,
Purples): both keep their order for colour-blind readers and on a black-and-white print. Names without an order take
colours that differ in lightness, by 10 of the 100 steps of CIELAB, as well as in hue. Land outside the plan is grey or
pale blue: the phases stand out.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

PHASE_RAMP: Final = ("#BD0026", "#F03B20", "#FD8D3C", "#FECC5C", "#FFFFB2")

STATUS: Final = {"selected": "#D55E00", "eligible": "#56B4E9", "ineligible": "#E4E4E0", "excluded": "#8C8C8C"}
"""Fill by status where status is what is coloured (Okabe-Ito hues and greys)."""

MUTED: Final = {"eligible": "#C3D5E6", "ineligible": "#E9E8E4", "excluded": "#BBBAB6"}
"""Fill of unselected land beside the phases."""

SCORE: Final = ("#F1EEF6", "#BDC9E1", "#74A9CF", "#2B8CBE", "#045A8D")
SCORE_UNKNOWN: Final = "#F7F4D9"
UNKNOWN: Final = "#FFFFFF"
"""Fill of what is unknown, hatched."""
RATIO: Final = ("#FFFFD4", "#FED98E", "#FE9929", "#D95F0E", "#993404")
"""Plot ratios, present and new."""
SHARE: Final = ("#EDF8E9", "#BAE4B3", "#74C476", "#31A354", "#006D2C")
"""Shares that have signed."""
YEAR: Final = ("#F2F0F7", "#CBC9E2", "#9E9AC8", "#756BB1", "#54278F")
"""Years in which something ends."""

CATEGORIES: Final = ("#2F8DD5", "#EEE88F", "#952720", "#41D3E2", "#252B80", "#F9827E", "#A84B82")
"""Names without an order; more names than colours take them again with a hatch, see `category_styles`."""
CATEGORY_HATCHES: Final = (0, 2)
"""Hatches of the map, in the order in which they are used up."""
OTHERS: Final = "#D5D5D2"

CHANGE: Final = {"entered": "#08519C", "left": "#B2182B", "earlier": "#6BAED6", "later": "#FDAE61", "same": "#D9C9A3"}
"""What became of a parcel since the plan before."""
CHANGE_HATCHES: Final = {"entered": 0, "left": 2, "earlier": 0, "later": 1, "same": 0}

HOLDOUT: Final = "#7B3294"
OVERLAP: Final = "#C1121F"
LEFTOVER: Final = "#8C510A"

PARCEL_OUTLINE: Final = "#FFFFFF"
FILLER_OUTLINE: Final = "#3D3D3D"
BLOCK_OUTLINE: Final = "#1A1A1A"
LOCKED_IN: Final = "#000000"
LOCKED_OUT: Final = "#7B3294"
LINK_USED: Final = "#0050D0"
LINK_UNUSED: Final = "#5A7FB0"
BARRIER: Final = "#35475E"
ZONE: Final = "#00695C"
HIGHLIGHT: Final = "#0B3D91"


def phase_colours(count: int) -> tuple[str, ...]:
    """Colours of `count` phases, from the first (dark) to the last (light), spread over the whole ramp.

    Parameters
    ----------
    count : int
        Number of phases, at least 0; one phase takes the darkest colour.

    Returns
    -------
    tuple of str
        ``#RRGGBB``; between the ramp's own colours where `count` does not divide it.
    """
    return ramp_colours(PHASE_RAMP, count)


def ramp_colours(ramp: Sequence[str], count: int) -> tuple[str, ...]:
    """`count` colours spread over a ramp, ends included; one colour is the ramp's first."""
    if count <= 1:
        return tuple(ramp[:count])
    steps = len(ramp) - 1
    return tuple(_ramp_at(ramp, i * steps / (count - 1)) for i in range(count))


def category_styles(count: int) -> tuple[tuple[str, int], ...]:
    """Colour and hatch (0 = none) of names without an order, all different.

    Parameters
    ----------
    count : int
        Number of names.

    Returns
    -------
    tuple of tuple of str and int
        As many as there are names, at most colours times hatches: the names beyond those share `OTHERS`.
    """
    styles = [(colour, hatch) for hatch in CATEGORY_HATCHES for colour in CATEGORIES]
    return tuple(styles[:count])


def _ramp_at(ramp: Sequence[str], position: float) -> str:
    """Colour at a position on the ramp, 0 = first."""
    low = min(int(position), len(ramp) - 2)
    share = position - low
    before, after = (bytes.fromhex(ramp[i][1:]) for i in (low, low + 1))
    return "#" + "".join(f"{round(a + (b - a) * share):02X}" for a, b in zip(before, after, strict=True))
