"""The price of changing a plan: as given, else a share of what land is worth."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from planner.config import Config
from planner.replan.spec import KeepPrices

SHARE: Final = 0.5
"""Price of changing a mu as a share of `weights.value_per_mu`, where none is given.

A swap changes two mu, one out and one in: at a half it pays only where the new mu is worth more than the old one by as
much as a mu of score 1 is worth at all. So nothing is swapped for a better score alone; blocks change where a target, a
budget or a rule makes them, and where a mu that is added brings more than half of the best.
"""


@dataclass(frozen=True)
class ChangePrices:
    """Price of changing a parcel: `per_parcel` + `per_mu` · its net area, in currency.

    Attributes
    ----------
    per_parcel, per_mu : float
    given : bool
        False: `SHARE` of `weights.value_per_mu`.
    """

    per_parcel: float
    per_mu: float
    given: bool

    def times(self, factor: float) -> ChangePrices:
        """Both prices by a factor."""
        return ChangePrices(self.per_parcel * factor, self.per_mu * factor, self.given)


def change_prices(config: Config, keep: KeepPrices) -> ChangePrices:
    """Prices as given (one that is not named is 0); where none is, `SHARE` · ``weights.value_per_mu`` a mu."""
    if keep.price_per_mu is None and keep.price_per_parcel is None:
        return ChangePrices(0.0, SHARE * config.optimise.weights.value_per_mu, given=False)
    return ChangePrices(keep.price_per_parcel or 0.0, keep.price_per_mu or 0.0, given=True)


Taken = Mapping[str, tuple[str, str | None]]
"""Parcel of a plan → its phase and mode."""


def changed(before: Taken, after: Taken) -> list[str]:
    """Parcels that are in one plan only, or in another phase or mode."""
    return sorted(i for i in {*before, *after} if before.get(i) != after.get(i))
