"""The question of one connected set: what it is, smaller questions with the same answer, and the best set so far."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import dijkstra

from planner.optimise.contract import contract
from planner.optimise.graph import Graph
from planner.problem import Bools, Floats, Ints

_SLACK = 1e-9
"""Rows are scaled to coefficients of at most 1; sums within this of a limit keep it."""


@dataclass(frozen=True, eq=False)
class SingleBlock:
    """A search for one connected set among n parcels.

    Attributes
    ----------
    graph : Graph
    weight : float64[n]
        Worth of each parcel, currency.
    gain : float64[edges]
        What a contact of `graph.pairs` adds when both its ends are taken, 0 or more.
    rows : csr_matrix[R, n]
        Left sides of linear rows on the parcels taken.
    lo, hi : float64[R]
        Limits of the rows, ±inf where open.
    must : bool[n]
        Parcels that have to be in it.
    parcels : int64[n]
        What they are called outside.
    """

    graph: Graph
    weight: Floats
    gain: Floats
    rows: csr_matrix
    lo: Floats
    hi: Floats
    must: Bools
    parcels: Ints

    @property
    def is_free(self) -> bool:
        """Whether nothing but weights and connection counts."""
        return not len(self.lo) and not (self.gain > 0).any()

    def worth(self, chosen: Bools) -> float:
        """Σ weights and gains of a set."""
        both = chosen[self.graph.pairs].all(axis=1)
        return float(self.weight[chosen].sum() + self.gain[both].sum())

    def most(self) -> Floats:
        """No set is worth more than the sum of these over it, ``float64[n]``: weights and half of all gains."""
        n = len(self.weight)
        pairs = self.graph.pairs
        half = sum(np.bincount(pairs[:, side], weights=self.gain, minlength=n) for side in (0, 1))
        return np.asarray(self.weight + 0.5 * half)

    def allows(self, chosen: Bools) -> bool:
        """Whether a set is in one piece, holds what it must and keeps the rows."""
        sums = self.rows @ chosen.astype(float)
        kept = bool((sums >= self.lo - _SLACK).all() and (sums <= self.hi + _SLACK).all())
        return kept and bool(chosen[self.must].all()) and self.graph.is_connected(np.flatnonzero(chosen).tolist())


@dataclass
class Best:
    """The best set so far, in parcels of the question asked first.

    Attributes
    ----------
    task : SingleBlock
    value : float
        Worth of the set; before there is one, what sets have to be worth to be of interest.
    chosen : bool[n] or None
    """

    task: SingleBlock
    value: float
    chosen: Bools | None = field(default=None)

    def offer(self, chosen: Bools) -> None:
        """Take a set if it is allowed and better."""
        if chosen.any() and self.task.worth(chosen) > self.value and self.task.allows(chosen):
            self.chosen, self.value = chosen, self.task.worth(chosen)


@dataclass(frozen=True, eq=False)
class Case:
    """A smaller question with the same answer for the sets it covers.

    Attributes
    ----------
    task : SingleBlock
    group : int64[N]
        Node of `task` that holds each parcel of the question asked first, -1 where it is left out.
    """

    task: SingleBlock
    group: Ints

    def unfold(self, chosen: Bools) -> Bools:
        """The set in parcels of the question asked first."""
        return np.append(chosen, False)[self.group]

    def only(self, keep: Bools) -> Case:
        """The sets within `keep`."""
        if keep.all():
            return self
        task, number = self.task, np.where(keep, np.cumsum(keep) - 1, -1)
        near = keep[task.graph.pairs].all(axis=1)
        part = SingleBlock(
            graph=induced(task.graph, keep),
            weight=task.weight[keep],
            gain=task.gain[near],
            rows=task.rows[:, np.flatnonzero(keep)],
            lo=task.lo,
            hi=task.hi,
            must=task.must[keep],
            parcels=task.parcels[keep],
        )
        return Case(part, np.append(number, -1)[self.group])

    def holding(self, sure: Bools) -> Case:
        """The sets that hold all of `sure`."""
        return replace(self, task=replace(self.task, must=self.task.must | sure))

    def reduced(self) -> Case:
        """Without parcels that cannot be in one set with those that must; contracted where that changes nothing."""
        case = self._within_reach() if self.task.must.any() else self
        task = case.task
        if not task.is_free or not (task.must.any() or (task.weight > 0).any()):
            return case
        small = contract(task.graph, task.weight, task.must)
        m = len(small.weight)
        part = SingleBlock(
            graph=small.graph,
            weight=small.weight,
            gain=np.zeros(len(small.graph.pairs)),
            rows=csr_matrix((0, m)),
            lo=np.zeros(0),
            hi=np.zeros(0),
            must=small.must,
            parcels=np.arange(m),
        )
        return Case(part, np.append(small.group, -1)[case.group])

    def _within_reach(self) -> Case:
        """Parcels that a way from the first one needed leads to within every row that only adds up."""
        task = self.task
        root = int(np.flatnonzero(task.must)[0])
        keep = np.ones(len(task.weight), dtype=np.bool_)
        sums = [np.zeros(len(task.weight))]
        limits = [np.inf]
        for r in range(len(task.lo)):
            values = task.rows[[r]].toarray().ravel()
            if np.isfinite(task.hi[r]) and (values >= 0).all():
                sums.append(values)
                limits.append(float(task.hi[r]))
        for values, limit in zip(sums, limits, strict=True):
            far, _ = ways(task.graph, values + 1e-15, [root])
            keep &= np.isfinite(far) & (far + values[root] <= limit + _SLACK + 1e-12)
        keep[root] = True
        # one that must be in but cannot stays: the program without integers then has no solution
        return self.only(keep | task.must)


def ways(graph: Graph, price: Floats, sources: list[int]) -> tuple[Floats, Ints]:
    """Cheapest ways from any source when entering parcel i costs ``price[i]`` > 0.

    Returns
    -------
    far : float64[n]
        Price of the way, that of the source not counted; inf where there is none.
    before : int64[n]
        Parcel before each on its way, negative at sources and where there is none.
    """
    n = len(price)
    arcs = csr_matrix((price[graph.neighbour], graph.neighbour, graph.start), shape=(n, n))
    far, before, _ = dijkstra(arcs, indices=sources, min_only=True, return_predecessors=True)
    return far, before.astype(np.int64)


def induced(graph: Graph, keep: Bools) -> Graph:
    """The graph on some of its parcels, renumbered in order."""
    number = np.cumsum(keep) - 1
    row = np.repeat(np.arange(len(keep)), np.diff(graph.start))
    near = keep[row] & keep[graph.neighbour]
    start = np.concatenate([[0], np.cumsum(np.bincount(number[row[near]], minlength=int(keep.sum())))])
    pairs = number[graph.pairs[keep[graph.pairs].all(axis=1)]]
    return Graph(start.astype(np.int64), number[graph.neighbour[near]], graph.shared_m[near], pairs)
