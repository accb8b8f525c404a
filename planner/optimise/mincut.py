"""A first bound for much land: minimum cuts at prices of targets and limits, block sizes forgotten.

With x_i whether parcel i is taken at all, and w_i(y) the most that it is worth in any option at the prices y of the
rows, no plan is worth more than

    Σ_r (y_r⁺·hi_r − y_r⁻·lo_r) + max_{x ∈ {0, 1}ⁿ} [ Σ_i w_i(y)·x_i + Σ_ij W_ij·min(x_i, x_j) ],

since options that differ save no boundary. The maximum is a minimum cut; capacities are whole numbers, worths rounded
up and boundaries rounded down, so that the bound errs upward. The prices follow subgradients.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import numpy as np
from ortools.graph.python import max_flow

from planner.optimise.lagrangian import Lagrangian
from planner.optimise.lp import ROUNDING
from planner.problem import Bools, Floats

PROOF: Final = "minimum cuts at prices of the targets"
LEAST_COLUMNS: Final = 20_000
"""Open pairs of parcel and option from which it comes first."""
_STEPS: Final = 40
_PATIENCE: Final = 3
"""Steps without a better bound after which they become shorter, from the best prices on."""
_AIM: Final = 0.3
"""Share of the bound that a long step hopes to gain."""
_CAPACITY: Final = 1e7
_LARGEST: Final = 1e12
_WORK_PER_NUMBER: Final = 3e-8


class MinimumCut:
    """The bound at given prices.

    Parameters
    ----------
    lagrangian : Lagrangian
        Of a relaxation without cuts.
    """

    def __init__(self, lagrangian: Lagrangian) -> None:
        self.lagrangian = lagrangian
        relaxation, goal = lagrangian.relaxation, lagrangian.goal
        counts = np.diff(relaxation.start)
        self.some = np.flatnonzero(counts)
        self.n = len(counts)
        self.owner = np.repeat(np.arange(self.n), counts)
        ends = np.sort(np.stack([self.owner[goal.edge_i], self.owner[goal.edge_j]], axis=1), axis=1)
        _, first = np.unique(ends[:, 0] * self.n + ends[:, 1], return_index=True)
        pairs, saved = ends[first], goal.saved[first]  # the same in every option
        self.half = sum(np.bincount(pairs[:, side], 0.5 * saved, minlength=self.n) for side in (0, 1))
        self.unit = float(max(np.abs(goal.worth).max(initial=0.0), saved.max(initial=0.0))) / _CAPACITY or 1.0
        capacity = np.floor(saved / self.unit).astype(np.int64)
        self.flow = max_flow.SimpleMaxFlow()
        self.flow.add_arcs_with_capacity(pairs[:, 0], pairs[:, 1], capacity)
        self.flow.add_arcs_with_capacity(pairs[:, 1], pairs[:, 0], capacity)
        each, none = np.arange(self.n), np.zeros(self.n, dtype=np.int64)
        self._in = self.flow.add_arcs_with_capacity(np.full(self.n, self.n), each, none)
        self._out = self.flow.add_arcs_with_capacity(each, np.full(self.n, self.n + 1), none)
        self.work = _WORK_PER_NUMBER * (2 * len(pairs) + 2 * self.n + len(goal.worth) + lagrangian.matrix.nnz)
        """Of one cut, in units of about a second."""

    def bound(self, y: Floats) -> tuple[float, Floats]:
        """Bound at prices that the rows allow, and what the parcels taken bring to each row."""
        lagrangian = self.lagrangian
        reduced = lagrangian.goal.worth - lagrangian.matrix.T @ y
        gross = np.abs(lagrangian.goal.worth) + np.abs(lagrangian.matrix).T @ np.abs(y)
        upper = reduced + ROUNDING * gross
        worth = np.full(self.n, -np.inf)
        start = lagrangian.relaxation.start[self.some]
        worth[self.some] = np.maximum.reduceat(upper, start) if len(start) else 0.0
        value = np.where(np.isfinite(worth), worth + self.half * (1 + ROUNDING), -1.0)
        whole = 2.0 * value / self.unit
        if np.abs(whole).max(initial=0.0) > _LARGEST:
            return np.inf, np.zeros(len(y))
        steps = np.ceil(whole).astype(np.int64)
        self.flow.set_arcs_capacity(self._in, np.maximum(steps, 0))
        self.flow.set_arcs_capacity(self._out, np.maximum(-steps, 0))
        self.flow.solve(self.n, self.n + 1)
        most = 0.5 * self.unit * float(int(np.maximum(steps, 0).sum()) - self.flow.optimal_flow())
        priced = y * self.side(y)
        slack = ROUNDING * (float(np.abs(priced).sum()) + abs(most))
        return float(priced.sum()) + most + slack, self._amounts(upper, worth, self._taken())

    def _taken(self) -> Bools:
        inside = np.zeros(self.n + 2, dtype=np.bool_)
        inside[np.array(self.flow.get_source_side_min_cut(), dtype=np.int64)] = True
        return inside[: self.n]

    def side(self, y: Floats) -> Floats:
        """The limit that each price is about."""
        lagrangian = self.lagrangian
        return np.where(y > 0, lagrangian.hi, np.where(y < 0, lagrangian.lo, 0.0))

    def _amounts(self, upper: Floats, worth: Floats, taken: Bools) -> Floats:
        """What the parcels taken add to each row, each in its best option."""
        chosen = taken[self.owner] & (upper >= worth[self.owner])
        _, first = np.unique(self.owner[chosen], return_index=True)
        x = np.zeros(len(upper))
        x[np.flatnonzero(chosen)[first]] = 1.0
        return np.asarray(self.lagrangian.matrix @ x)


def cut_bounds(lagrangian: Lagrangian) -> Iterator[tuple[float, float]]:
    """Better and better bounds with the work they took, in units of about a second."""
    cut = MinimumCut(lagrangian)
    best, best_y = np.inf, np.zeros(len(lagrangian.lo))
    y, share, failed, at_best = best_y, 1.0, 0, (np.inf, best_y)
    lowest = lagrangian.lowest()
    for step in range(1, _STEPS + 1):
        value, amount = cut.bound(y)
        failed = 0 if value < best else failed + 1
        if value < best:
            best, best_y, at_best = value, y, (value, amount)
            yield best, step * cut.work
        if best < lowest:  # there is no plan: others say why
            return
        if failed >= _PATIENCE:
            share, failed, y, (value, amount) = 0.5 * share, 0, best_y, at_best
        # an open row asks for nothing as long as it is kept
        side = np.where(y != 0, cut.side(y), np.clip(amount, lagrangian.lo, lagrangian.hi))
        slope = side - amount
        steep = float((slope**2).sum())
        if not steep > 0:
            return
        length = (value - best + _AIM * share * abs(best)) / steep
        y = np.clip(y - length * slope, lagrangian.y_min, lagrangian.y_max)
