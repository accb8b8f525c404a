"""The contact graph of the parcels in compressed rows, and connectivity on it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from planner.problem import Bools, Floats, Ints, Problem


@dataclass(frozen=True, eq=False)
class Graph:
    """Contacts (adjacent or bridged) of n parcels.

    Attributes
    ----------
    start : int64[n + 1]
        Neighbours of i stand at ``start[i]:start[i + 1]``.
    neighbour : int64[2·edges]
        Ascending within each row.
    shared_m : float64[2·edges]
        Shared boundary with that neighbour; 0 over a bridged link.
    pairs : int64[edges, 2]
        Each contact once, i < j.
    """

    start: Ints
    neighbour: Ints
    shared_m: Floats
    pairs: Ints

    def of(self, i: int) -> Ints:
        """Neighbours of parcel `i`."""
        return self.neighbour[self.start[i] : self.start[i + 1]]

    def components(self, allowed: Bools) -> Ints:
        """Component number of each allowed parcel in the graph induced by them; -1 for the others."""
        n = len(allowed)
        keep = allowed[self.pairs[:, 0]] & allowed[self.pairs[:, 1]] if len(self.pairs) else np.empty(0, dtype=bool)
        i, j = self.pairs[keep, 0], self.pairs[keep, 1]
        _, label = connected_components(coo_matrix((np.ones(len(i)), (i, j)), shape=(n, n)), directed=False)
        return np.where(allowed, label.astype(np.int64), -1)

    def is_connected(self, members: Iterable[int]) -> bool:
        """Whether a set of parcels is one piece (an empty set is not)."""
        todo = set(members)
        if not todo:
            return False
        stack = [todo.pop()]
        while stack:
            for j in self.of(stack.pop()).tolist():
                if j in todo:
                    todo.remove(j)
                    stack.append(j)
        return not todo


def build_graph(problem: Problem) -> Graph:
    """Contact graph of a problem; a pair that is both adjacent and linked counts as adjacent."""
    pairs = np.concatenate([problem.pairs, problem.link_pairs]).reshape(-1, 2)
    shared = np.concatenate([problem.shared_m, np.zeros(len(problem.link_pairs))])
    pairs, first = np.unique(pairs, axis=0, return_index=True) if len(pairs) else (pairs, np.arange(0))
    shared = shared[first]
    i = np.concatenate([pairs[:, 0], pairs[:, 1]])
    j = np.concatenate([pairs[:, 1], pairs[:, 0]])
    order = np.lexsort((j, i))
    start = np.concatenate([[0], np.cumsum(np.bincount(i, minlength=problem.n))]).astype(np.int64)
    return Graph(start, j[order].astype(np.int64), np.concatenate([shared, shared])[order], pairs.astype(np.int64))
