"""What the layers say of the plan before that the configuration names: parcels changed, and what that costs."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from planner.check import shapes
from planner.check.facts import Facts


@dataclass(frozen=True, eq=False)
class Changes:
    """The plan against the plan before; arrays of length n are by position in the layer ``parcels``.

    Attributes
    ----------
    changed : bool[n]
        In one of the two plans only, or in both in different phases or modes.
    kept : bool[n]
        In both, in the same phase and mode.
    price : float64[n]
        Of changing each parcel, in currency.
    """

    changed: NDArray[np.bool_]
    kept: NDArray[np.bool_]
    price: shapes.Floats

    @property
    def cost(self) -> float:
        """Σ price over the parcels changed, in currency."""
        return float(self.price[self.changed].sum())


def changes_of(facts: Facts) -> Changes | None:
    """Compare parcel by parcel, by id; None where the configuration names no plan before.

    Parcels of the plan before that the layer does not have are no changes.
    """
    spec = facts.config.optimise
    if spec.keep is None:
        return None
    number = {phase.id: t for t, phase in enumerate(spec.phases, start=1)}
    then = {i: (number[b.phase], b.mode) for b in spec.keep.blocks for i in b.parcels}
    mode: list[str | None] = [None] * facts.n if facts.modes is None else facts.modes.written
    now = [
        (int(t), m) if taken else None for taken, t, m in zip(facts.selected, facts.phase.tolist(), mode, strict=True)
    ]
    same = np.array([then.get(i) == have for i, have in zip(facts.ids, now, strict=True)], dtype=bool)
    price = spec.keep.price_per_parcel + spec.keep.price_per_mu * facts.area_mu
    return Changes(~same, same & facts.selected, np.asarray(price))
