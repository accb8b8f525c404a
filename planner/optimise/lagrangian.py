"""Bounds from multipliers of the relaxation: evaluated safely, improved step by step, or solved as a linear program.

For any multipliers y of the rows (those that price an open side set to 0, those of rows with shortages at most their
price) and any split 0 ≤ θ_e ≤ w_e of the saved boundaries, no plan is worth more than

    Σ_r (y_r⁺·hi_r − y_r⁻·lo_r) + Σ_i max(0, max_o g_io),   g = c + Σ_e θ-shares − Aᵀy,

without the 0 for parcels that must be taken. That is the whole proof of every bound here.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_matrix, hstack, vstack

from planner.optimise import saddle
from planner.optimise.formulation import Goal, Relaxation
from planner.optimise.lp import ROUNDING, LinearProgram, solve_lp
from planner.optimise.rows import INF, Rows
from planner.problem import Floats


@dataclass(frozen=True, eq=False)
class Point:
    """A primal point and multipliers.

    Attributes
    ----------
    x : float64[n_x]
        Shares of parcels; need not keep the rows.
    theta : float64[edges]
        Part of each saved boundary that goes to its first parcel, currency.
    y : float64[rows]
        Multipliers of the limits, then of the cuts, currency per unit of the row.
    weight : float
        Primal weight of the steps.
    """

    x: Floats
    theta: Floats
    y: Floats
    weight: float = 1.0


class Lagrangian:
    """A relaxation with a goal and cuts.

    Parameters
    ----------
    relaxation : Relaxation
    goal : Goal
    cuts : Rows
        Rows over the columns of the relaxation, upper side 0.
    """

    def __init__(self, relaxation: Relaxation, goal: Goal, cuts: Rows) -> None:
        self.relaxation = relaxation
        self.goal = goal
        limits = relaxation.limits
        self.matrix = csr_matrix(vstack([limits.matrix, cuts.matrix], format="csr"))
        self.lo = np.concatenate([limits.lo, cuts.lo])
        self.hi = np.concatenate([limits.hi, cuts.hi])
        self.y_max = np.where(np.isfinite(self.hi), INF, 0.0)
        self.y_min = np.where(np.isfinite(self.lo), -INF, 0.0)
        self.y_min[: len(limits.lo)] = np.maximum(self.y_min[: len(limits.lo)], -goal.shortage_price)
        size = np.abs(goal.worth)
        price = goal.shortage_price[np.isfinite(goal.shortage_price)]
        self.money: float = size.mean() if size.any() else price.max(initial=0.0) or 1.0

    def start(self) -> Point:
        """Nothing taken, boundaries split in halves, no prices."""
        return Point(np.zeros(self.relaxation.n_x), 0.5 * self.goal.saved, np.zeros(len(self.lo)))

    def bound(self, point: Point) -> tuple[float, Floats]:
        """Upper bound from the multipliers of a point, raised by what rounding can have lost; reduced worth of columns.

        NaN where the multipliers are.
        """
        goal = self.goal
        y = np.clip(point.y, self.y_min, self.y_max)
        theta = np.clip(point.theta, 0.0, goal.saved)
        reduced = goal.worth - self.matrix.T @ y
        loss = np.abs(goal.worth) + np.abs(self.matrix).T @ np.abs(y)
        for at, part in ((goal.edge_i, theta), (goal.edge_j, goal.saved - theta)):
            shares = np.bincount(at, weights=part, minlength=len(reduced))
            reduced += shares
            loss += shares
        best = self._best(reduced + ROUNDING * loss)
        side = np.where(
            y > 0, np.where(np.isfinite(self.hi), self.hi, 0.0), np.where(np.isfinite(self.lo), self.lo, 0.0)
        )
        priced = y * side
        slack = ROUNDING * float(np.abs(priced).sum() + np.abs(best).sum())
        return float(priced.sum() + best.sum() + slack), reduced

    def lowest(self) -> float:
        """Less than any plan is worth."""
        least = -self._best(-self.goal.worth)
        limits = self.relaxation.limits
        price = self.goal.shortage_price
        missed = np.where(np.isfinite(price), price, 0.0) * np.where(np.isfinite(limits.lo), limits.lo, 0.0)
        return float(np.minimum(least, 0.0).sum() - missed.sum())

    def _best(self, reduced: Floats) -> Floats:
        """Most that each parcel can bring, in the order of the columns."""
        start = self.relaxation.start
        best = np.zeros(len(start) - 1)
        some = np.flatnonzero(np.diff(start))
        if len(some):
            best[some] = np.maximum.reduceat(reduced, start[some])
        kept: Floats = np.where(self.relaxation.locked, best, np.maximum(best, 0.0))
        return kept

    def work(self, n_steps: int) -> float:
        """Numbers touched by so many steps."""
        numbers = 2 * int(self.matrix.nnz) + 4 * len(self.goal.saved) + 8 * self.relaxation.n_x
        return float(n_steps * numbers)

    def improve(self, point: Point, n_steps: int) -> Point:
        """First-order steps from a point."""
        goal, money = self.goal, self.money
        x, theta, y = point.x.copy(), point.theta / money, point.y / money
        weight, x, theta, y = saddle.run(
            n_steps,
            goal.worth / money,
            self.relaxation.start,
            self.relaxation.locked,
            goal.edge_i,
            goal.edge_j,
            goal.saved / money,
            self.matrix.indptr,
            self.matrix.indices,
            self.matrix.data,
            self.lo,
            self.hi,
            self.y_min / money,
            self.y_max / money,
            x,
            theta,
            y,
            point.weight,
        )
        return Point(x, theta * money, y * money, weight)

    def solve(self, time_limit_s: float) -> Point | None:
        """Best multipliers by a linear program, for few columns; None where it has no optimum or is not solved.

        min Σ_r (p_r·hi_r − q_r·lo_r) + Σ_i v_i  with  v_i + (Aᵀ(p − q))_io − θ-shares ≥ c_io,  v ≥ 0 (free where
        locked), 0 ≤ θ ≤ w, p, q ≥ 0. Its own multipliers are the x of the relaxation.
        """
        goal, relaxation, money = self.goal, self.relaxation, self.money
        n, n_x, n_edges = len(relaxation.start) - 1, relaxation.n_x, len(goal.saved)
        above, below = np.flatnonzero(self.y_max > 0), np.flatnonzero(self.y_min < 0)
        owner = np.repeat(np.arange(n), np.diff(relaxation.start))
        once = csr_matrix((np.ones(n_x), (np.arange(n_x), owner)), shape=(n_x, n))
        locked = np.flatnonzero(relaxation.locked)
        each = np.arange(n_edges)
        split = csr_matrix(
            (
                np.concatenate([-np.ones(n_edges), np.ones(n_edges)]),
                (np.concatenate([goal.edge_i, goal.edge_j]), np.concatenate([each, each])),
            ),
            shape=(n_x, n_edges),
        )
        rows = self.matrix.T.tocsr()
        constant = np.bincount(goal.edge_j, weights=goal.saved, minlength=n_x) + goal.worth
        program = LinearProgram(
            -np.concatenate([np.ones(n), -np.ones(len(locked)), np.zeros(n_edges), self.hi[above], -self.lo[below]]),
            np.concatenate(
                [
                    np.full(n + len(locked), INF),
                    goal.saved / money,
                    np.full(len(above), INF),
                    -self.y_min[below] / money,
                ]
            ),
            csr_matrix(hstack([once, -once[:, locked], split, rows[:, above], -rows[:, below]])),
            constant / money,
            np.full(n_x, INF),
        )
        solution = solve_lp(program, time_limit_s, 1.0)
        if solution is None:
            return None
        y = np.zeros(len(self.lo))
        first = n + len(locked)
        theta = solution.x[first : first + n_edges] * money
        y[above] += solution.x[first + n_edges : first + n_edges + len(above)] * money
        y[below] -= solution.x[first + n_edges + len(above) :] * money
        return Point(np.clip(-solution.row_dual, 0.0, 1.0), theta, y)


def without_cuts(relaxation: Relaxation) -> Rows:
    """No cuts."""
    return Rows(csr_matrix((0, relaxation.n_x)), np.empty(0), np.empty(0))
