"""Cuts that keep one selected set in one piece, for a fractional point with a root.

With r_j the share of j being the root (Σ r = 1, r ≤ x), every connected set C with i ∈ C gives
``x_i ≤ Σ_{j∈C} r_j + Σ_{j∈N(C)} x_j``: either the root lies in C, or the way from i to it leaves C. (Rooted node
separators after Álvarez-Miranda, Ljubić, Mutzel 2013, doi:10.1007/978-3-642-38189-8_11.)
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import numpy as np
from numba import njit
from ortools.graph.python import max_flow

from planner.optimise.graph import Graph
from planner.problem import Bools, Floats, Ints

_THRESHOLDS: Final = (0.999, 0.75, 0.5, 0.25, 0.1, 0.01)
_CAPACITY: Final = 10**8
"""Integer steps of a capacity of 1."""
_CREEP: Final = 100
_NESTED: Final = 5
"""Most cuts around one seed: each next one keeps clear of the parcels of the last."""


@njit(cache=True, nogil=True)
def _pieces(start: Ints, neighbour: Ints, x: Floats, root: Floats, inside: Bools) -> Any:
    """Connected pieces: label by parcel, and by piece the parcel of largest x and the right side of its cut."""
    n = len(x)
    label = np.full(n, -1, dtype=np.int64)
    stamp = np.full(n, -1, dtype=np.int64)
    queue = np.empty(n, dtype=np.int64)
    top = np.empty(n, dtype=np.int64)
    held = np.zeros(n)
    count = 0
    for s in range(n):
        if not inside[s] or label[s] >= 0:
            continue
        label[s] = count
        queue[0] = s
        head, tail = 0, 1
        best, right = s, 0.0
        while head < tail:
            i = queue[head]
            head += 1
            right += root[i]
            if x[i] > x[best]:
                best = i
            for p in range(start[i], start[i + 1]):
                j = neighbour[p]
                if inside[j]:
                    if label[j] < 0:
                        label[j] = count
                        queue[tail] = j
                        tail += 1
                elif stamp[j] != count:
                    stamp[j] = count
                    right += x[j]
        top[count] = best
        held[count] = right
        count += 1
    return label, top[:count], held[:count]


Cut = tuple[int, Ints, Ints]
"""Parcel i, the set C, and its neighbours N(C)."""


class Separator:
    """Finds violated cuts on one graph.

    Parameters
    ----------
    graph : Graph
        Contacts of the parcels that may be selected.
    """

    def __init__(self, graph: Graph) -> None:
        n = len(graph.start) - 1
        self.graph, self.n = graph, n
        row = np.repeat(np.arange(n), np.diff(graph.start))
        # node j becomes the arc 2j → 2j + 1; the source 2n feeds roots
        tails = np.concatenate([2 * np.arange(n), 2 * row + 1, np.full(n, 2 * n)])
        heads = np.concatenate([2 * np.arange(n) + 1, 2 * graph.neighbour, 2 * np.arange(n)])
        self._flow = max_flow.SimpleMaxFlow()
        capacity = np.concatenate([np.zeros(n), np.full(len(row), 4 * _CAPACITY), np.zeros(n)]).astype(np.int64)
        arcs = self._flow.add_arcs_with_capacity(tails, heads, capacity)
        self._node_arcs, self._root_arcs = arcs[:n], arcs[n + len(row) :]

    def cuts(
        self, x: Floats, root: Floats, seeds: Bools, tolerance: float, flows: int, thorough: bool
    ) -> Iterator[Cut]:
        """Violated cuts: from pieces above thresholds, then from at most `flows` minimum cuts around `seeds`."""
        hit = np.zeros(self.n, dtype=np.bool_)
        for threshold in _THRESHOLDS:
            for cut in self._pieces(x, root, x >= threshold, tolerance):
                if not hit[cut[0]]:
                    hit[cut[0]] = True
                    yield cut
        if hit.any() and not thorough:
            return
        order = np.lexsort((np.arange(self.n), -(x - root)))
        wanted = [i for i in order.tolist() if seeds[i] and not hit[i] and x[i] - root[i] > tolerance][:flows]
        if wanted:
            yield from self._minimum_cuts(x, root, wanted, tolerance)

    def _pieces(self, x: Floats, root: Floats, inside: Bools, tolerance: float) -> Iterator[Cut]:
        """One cut for each connected piece of the parcels `inside` that the root is missing from."""
        graph = self.graph
        label, top, held = _pieces(graph.start, graph.neighbour, x, root, inside)
        for c in np.flatnonzero(held < x[top] - tolerance).tolist():
            mine = np.flatnonzero(label == c)
            around = np.unique(np.concatenate([graph.of(i) for i in mine.tolist()]))
            yield int(top[c]), mine, around[label[around] != c]

    def _minimum_cuts(self, x: Floats, root: Floats, wanted: list[int], tolerance: float) -> Iterator[Cut]:
        flow = self._flow
        # a step more for every parcel: of two cuts of the same value the one through fewer parcels is found
        through = np.rint(x * _CAPACITY).astype(np.int64) + _CREEP
        flow.set_arcs_capacity(self._root_arcs, np.rint(root * _CAPACITY).astype(np.int64))
        for i in wanted:
            capacity = through.copy()
            for _ in range(_NESTED):
                flow.set_arcs_capacity(self._node_arcs, capacity)
                flow.solve(2 * self.n, 2 * i)
                if flow.optimal_flow() >= (x[i] - tolerance) * _CAPACITY:
                    break
                near_sink = np.zeros(2 * self.n + 1, dtype=np.bool_)
                near_sink[np.array(flow.get_sink_side_min_cut())] = True
                inside, around = self._split(near_sink[: 2 * self.n])
                yield i, inside, around
                capacity[around] = 4 * _CAPACITY

    def _split(self, sink_side: Bools) -> tuple[Ints, Ints]:
        """The set C (entered on the sink's side) and the parcels cut through."""
        entry, leave = sink_side[0::2], sink_side[1::2]
        return np.flatnonzero(entry), np.flatnonzero(~entry & leave)
