"""Round scales: the largest at which land fits on the paper, and the length of a scale bar."""

from __future__ import annotations

from typing import Final

ROUND_SCALES: Final = (500, 1000, 2000, 5000, 10_000, 20_000, 25_000, 50_000, 100_000, 200_000, 250_000, 500_000)
"""Scale denominators of topographic and cadastral maps."""

MM_PER_M: Final = 1000.0
POINTS_PER_MM: Final = 72.0 / 25.4
_STEPS: Final = tuple(step * 10**power for power in range(7) for step in (1, 2, 5))


def fitting_scale(width_m: float, height_m: float, room_mm: tuple[float, float]) -> int:
    """Denominator of the largest round scale at which land fits.

    Parameters
    ----------
    width_m, height_m : float
        Extent of the land, m.
    room_mm : tuple of float
        Width and height on the paper, mm.

    Returns
    -------
    int
        Of `ROUND_SCALES`, or a whole million for land that is too large for all of them.
    """
    needed = max(width_m / room_mm[0], height_m / room_mm[1]) * MM_PER_M
    for scale in ROUND_SCALES:
        if needed <= scale:
            return scale
    return 1_000_000 * -int(-needed // 1_000_000)


def fits(width_m: float, height_m: float, room_mm: tuple[float, float], scale: int) -> bool:
    """Whether land fits at a scale."""
    return max(width_m / room_mm[0], height_m / room_mm[1]) * MM_PER_M <= scale


def round_length_m(scale: int, at_most_mm: float) -> int:
    """Longest round length (1, 2 or 5 times a power of ten, m) that is no longer on the paper; 1 m at least."""
    return max((step for step in _STEPS if step * MM_PER_M / scale <= at_most_mm), default=1)


def scale_text(scale: int) -> str:
    """The numeric scale as it is written: ``1:10 000``."""
    return f"1:{scale:,}".replace(",", " ")
