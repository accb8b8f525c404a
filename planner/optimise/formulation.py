"""The parcel–option relaxation: what every plan satisfies, as linear rows over fractions of parcels.

Columns: ``x_io`` share of parcel i taken in option o (phase and mode). A boundary shared by parcels i and j is saved in
an option by min(x_io, x_jo), which is linear in the multipliers (see `saddle`). The largest block size and the shape of
blocks are dropped or weakened, so the optimum is an upper bound on every plan. See ``docs/model.md``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import reverse_cuthill_mckee

from planner.optimise.graph import Graph
from planner.optimise.limits import Spending
from planner.optimise.options import make_options
from planner.optimise.rows import INF, LimitRows, Rows, relaxed_amounts
from planner.problem import Bools, Floats, Ints, Problem

_NO_EDGES: Final = np.empty(0, dtype=np.int64)


@dataclass(frozen=True, eq=False)
class Goal:
    """What is maximised: worth of columns and saved boundaries, less what missing a floor or stretch costs.

    Attributes
    ----------
    worth : float64[n_x]
    edge_i, edge_j : int64[edges]
        Columns that share a boundary.
    saved : float64[edges]
        What saving it brings.
    shortage_price : float64[limits]
        Price of a unit by which a row of `Relaxation.limits` may miss its lower side; inf = it may not.
    """

    worth: Floats
    edge_i: Ints
    edge_j: Ints
    saved: Floats
    shortage_price: Floats


class Relaxation:
    """Columns and static rows of the relaxation; cuts are added from outside.

    Parameters
    ----------
    problem : Problem
        In canonical order, without fixed blocks.
    graph : Graph
        Contacts; pairs across zones already removed where blocks stay within a zone.
    open_ : bool[n, O]
        Availability after presolve.

    Attributes
    ----------
    order : int64[n]
        Parcels in the order of their columns: neighbours close to each other, which keeps memory accesses local.
    start : int64[n + 1]
        Columns of parcel ``order[k]`` are ``start[k]:start[k + 1]``.
    locked : bool[n]
        Whether parcel ``order[k]`` must be taken.
    x : int64[n, O]
        Column of x_io, -1 where not available.
    limits : Rows
        Targets and other limits.
    labels, scale : list, float64[limits]
        What each of these rows is about, and what its coefficients were divided by.
    """

    def __init__(self, problem: Problem, graph: Graph, open_: Bools) -> None:
        self.problem = problem
        self.graph = graph
        self.open = open_
        self.options = make_options(problem)
        self.n_x = int(open_.sum())
        self.order = _near_order(graph, problem.n)
        self.start = np.concatenate([[0], np.cumsum(open_[self.order].sum(axis=1))]).astype(np.int64)
        self.locked = np.asarray(problem.lock_by[self.order] >= 0)
        numbered = np.full(open_.shape, -1, dtype=np.int64)
        numbered[open_[self.order]] = np.arange(self.n_x)
        self.x = np.empty_like(numbered)
        self.x[self.order] = numbered
        rows = LimitRows(problem, graph, self.options, open_, self.x).build(self.n_x)
        self.limits = rows.rows()
        self.labels = rows.labels
        self.scale = np.array(rows.scale)

    def _prices(self, floor: float | Floats, *, stretch: bool) -> Floats:
        """Price of the shortage of each limit: floors at `floor` a unit, stretches at theirs or at 0."""
        targets = self.problem.targets
        price = np.full(len(self.labels), INF)
        floors = np.broadcast_to(np.asarray(floor, dtype=float), (len(targets),))
        for r, (name, k) in enumerate(self.labels):
            if name == "stretch":
                price[r] = targets[k].stretch_price * self.scale[r] if stretch else 0.0
            elif name == "floor":
                price[r] = floors[k] * self.scale[r]
        return price

    def plan_goal(self) -> Goal:
        """The objective of a plan."""
        problem = self.problem
        worth = np.empty(self.n_x)
        each = self.options.net - (problem.perimeter_per_m * problem.perimeter_m)[:, None]
        worth[self.x[self.open]] = each[self.open]
        use = np.flatnonzero(problem.shared_m > 0) if problem.perimeter_per_m > 0 else np.arange(0)
        if problem.within_zone and len(use):
            zones = problem.zone[problem.pairs[use]]
            use = use[zones[:, 0] == zones[:, 1]]
        pairs = problem.pairs[use]
        edge, option = np.nonzero(self.open[pairs[:, 0]] & self.open[pairs[:, 1]])
        edge_i, edge_j = self.x[pairs[edge, 0], option], self.x[pairs[edge, 1], option]
        saved = 2 * problem.perimeter_per_m * problem.shared_m[use][edge]
        near = np.argsort(np.minimum(edge_i, edge_j), kind="stable")
        return Goal(worth, edge_i[near], edge_j[near], saved[near], self._prices(INF, stretch=True))

    def shortage_goal(self) -> Goal:
        """Least total shortage of the floors, as its negative; see `shortage_weights`. All other limits stay."""
        prices = self._prices(shortage_weights(self.problem), stretch=False)
        return Goal(np.zeros(self.n_x), _NO_EDGES, _NO_EDGES, np.empty(0), prices)

    def reach_goal(self, target: int) -> Goal:
        """Most that can count for a target, in its unit, without any floors. All other limits stay."""
        amount = relaxed_amounts(self.problem, self.problem.targets[target], self.options, self.open)
        if amount is None:
            raise ValueError("nothing limits this target")
        worth = np.empty(self.n_x)
        worth[self.x[self.open]] = amount[self.open]
        return Goal(worth, _NO_EDGES, _NO_EDGES, np.empty(0), self._prices(0.0, stretch=False))

    def giving_goal(self, spending: Spending) -> Goal:
        """Most that blocks can bring to a sum with a limit, in its unit, without any floors. All other limits stay."""
        amount = spending.in_full(len(self.options))
        worth = np.empty(self.n_x)
        worth[self.x[self.open]] = -amount[self.open]
        return Goal(worth, _NO_EDGES, _NO_EDGES, np.empty(0), self._prices(0.0, stretch=False))

    def by_parcel(self, values: Floats) -> Floats:
        """Values of columns as ``float64[n, O]``, 0 where not available."""
        filled: Floats = np.where(self.x >= 0, values[np.maximum(self.x, 0)] if self.n_x else 0.0, 0.0)
        return filled


def shortage_weights(problem: Problem) -> Floats:
    """What a missing unit of each floor counts: 1 where all targets have one unit, else a share of the floor."""
    if len({t.unit for t in problem.targets}) <= 1:
        return np.ones(len(problem.targets))
    return np.array([1.0 / t.floor if t.floor > 0 else 1.0 for t in problem.targets])


def _near_order(graph: Graph, n: int) -> Ints:
    """Parcels so that neighbours are close in the order."""
    if not n:
        return _NO_EDGES
    i, j = graph.pairs[:, 0], graph.pairs[:, 1]
    ones = np.ones(2 * len(i))
    matrix = coo_matrix((ones, (np.concatenate([i, j]), np.concatenate([j, i]))), shape=(n, n)).tocsr()
    return np.asarray(reverse_cuthill_mckee(matrix, symmetric_mode=True), dtype=np.int64)


__all__ = ["Goal", "Relaxation", "Rows", "shortage_weights"]
