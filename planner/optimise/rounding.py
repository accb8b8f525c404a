"""Connected sets near a fractional point."""

from __future__ import annotations

import numpy as np
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import breadth_first_order

from planner.optimise.connected import SingleBlock, ways
from planner.optimise.graph import Graph
from planner.problem import Bools, Floats, Ints

_STEPS = 40
"""Most ways added one after another."""
_LITTLE = 1e-9


def sets_near(task: SingleBlock, x: Floats) -> list[Bools]:
    """Connected sets suggested by a point, ``bool[n]`` each: joined up, then trimmed, then extended.

    What x takes to a half or more is joined to the root (a parcel that must be in, else the one x takes most of) by
    ways that are cheap at 1 - x.
    """
    most = task.most()
    scale = float(np.abs(task.weight).max(initial=0.0)) or 1.0
    root = int(np.argmax(x + task.must))
    price = (1.0 - np.clip(x, 0.0, 1.0)) * np.maximum(-most / scale, 0.01) + _LITTLE
    far, before = ways(task.graph, price, [root])
    wanted = np.flatnonzero(((x >= 0.5) | task.must) & np.isfinite(far))
    joined = np.zeros(len(x), dtype=np.bool_)
    joined[root] = True
    for i in wanted.tolist():
        _follow(before, i, joined)
    trimmed = trim(task, joined, root)
    return [joined, trimmed, extend(task, trimmed)]


def _follow(before: Ints, i: int, chosen: Bools) -> None:
    """Take the way that leads to parcel i."""
    while not chosen[i]:
        chosen[i] = True
        i = int(before[i])


def trim(task: SingleBlock, chosen: Bools, root: int) -> Bools:
    """Without the branches of a tree through the set that are worth less than nothing."""
    order, before = _tree(task.graph, chosen, root)
    total = np.where(task.must, np.inf, task.most())
    kept = chosen.copy()
    for i in reversed(order.tolist()[1:]):
        if total[i] > 0:
            total[before[i]] += total[i]
        else:
            kept[i] = False
    for i in order.tolist()[1:]:
        kept[i] &= kept[before[i]]
    return kept


def _tree(graph: Graph, chosen: Bools, root: int) -> tuple[Ints, Ints]:
    n = len(chosen)
    row = np.repeat(np.arange(n), np.diff(graph.start))
    near = chosen[row] & chosen[graph.neighbour]
    inner = csr_matrix((np.ones(near.sum()), (row[near], graph.neighbour[near])), shape=(n, n))
    order, before = breadth_first_order(inner, root, directed=True)
    return order.astype(np.int64), before.astype(np.int64)


def extend(task: SingleBlock, chosen: Bools) -> Bools:
    """With what is worth more than the way to it."""
    chosen, most = chosen.copy(), task.most()
    for _ in range(_STEPS):
        far, before = ways(task.graph, np.maximum(-most, 0.0) + _LITTLE, np.flatnonzero(chosen).tolist())
        surplus = np.where(chosen | (most <= 0), -np.inf, most - far)
        i = int(np.argmax(surplus))
        if surplus[i] <= 0:
            break
        _follow(before, i, chosen)
    return chosen
