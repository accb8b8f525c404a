"""Colours of the plan: one place for the map and the GIS styles.

Phases go from dark to light (ColorBrewer YlOrRd), scores from light to dark (PuBu): both keep their order for
colour-blind readers and on a black-and-white print. Land outside the plan is grey or pale blue: the phases stand out.
"""

from __future__ import annotations

from typing import Final

PHASE_RAMP: Final = ("#BD0026", "#F03B20", "#FD8D3C", "#FECC5C", "#FFFFB2")

STATUS: Final = {"selected": "#D55E00", "eligible": "#56B4E9", "ineligible": "#E4E4E0", "excluded": "#8C8C8C"}
"""Fill by status where status is what is coloured (Okabe-Ito hues and greys)."""

MUTED: Final = {"eligible": "#C3D5E6", "ineligible": "#E9E8E4", "excluded": "#BBBAB6"}
"""Fill of unselected land beside the phases."""

SCORE: Final = ("#F1EEF6", "#BDC9E1", "#74A9CF", "#2B8CBE", "#045A8D")
SCORE_UNKNOWN: Final = "#F7F4D9"

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
    if count <= 1:
        return PHASE_RAMP[:count]
    steps = len(PHASE_RAMP) - 1
    return tuple(_ramp_at(i * steps / (count - 1)) for i in range(count))


def _ramp_at(position: float) -> str:
    """Colour at a position on the ramp, 0 = first."""
    low = min(int(position), len(PHASE_RAMP) - 2)
    share = position - low
    before, after = (bytes.fromhex(PHASE_RAMP[i][1:]) for i in (low, low + 1))
    return "#" + "".join(f"{round(a + (b - a) * share):02X}" for a, b in zip(before, after, strict=True))
