"""How far a figure may be off before the judge objects: noise passes, defects do not. See ``docs/checks.md``."""

from __future__ import annotations

from typing import Final

from geodata.spec import AdjacencySpec

AREA_MU: Final = 1e-5
"""Sums of areas against a limit, mu (0.007 m²: far below any survey, far above floating-point noise)."""
RELATIVE: Final = 1e-6
"""A written area, cost or mean against its own recomputation, relative."""
MONEY: Final = 0.005
"""Half a hundredth of the currency: the least amount that money differs by."""
ROUNDED: Final = 0.02
"""What rounding to cents may do to a written sum of payments, for each payment of a block."""
SCORE: Final = 1e-6
"""Score, absolute."""
OVERLAP_M2: Final = 0.01
"""Two parcels may overlap by this, m²: what is left after a cut in floating-point coordinates."""
FIGURE_M2: Final = 0.01
"""A block's figure may differ from the union of its parcels by this, m², or `RELATIVE` of its area."""
FLOOR_M2: Final = 0.01
"""Sums of floor area against a limit, m², besides what is relative."""
GAP_M: Final = 0.01
"""Width of a bridged gap, and length and place of the line drawn across it, m."""
RULE: Final = 1e-5
"""Sums of amounts in the rules for blocks, in their unit …"""
RULE_RELATIVE: Final = 1e-9
"""… and floating-point noise in them, relative to their gross terms."""
YEAR: Final = 1e-9
"""Years of gates, which may be computed."""


def shared_slack_m(adjacency: AdjacencySpec) -> float:
    """Uncertainty of one shared boundary, m.

    Where two boundaries part, a method that measures with a tolerance may count up to that tolerance more at either
    end: twice the touch tolerance, at least 0.05 m.
    """
    return max(0.05, 2.0 * adjacency.touch_tolerance_m)


def money(amount: float) -> float:
    """Tolerance of a sum of money."""
    return max(MONEY, RELATIVE * abs(amount))
