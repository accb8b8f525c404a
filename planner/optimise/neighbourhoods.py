"""Windows for the large-neighbourhood search: some blocks of a plan are given up, the others stay."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np

from planner.optimise.columns import Columns, Pool
from planner.optimise.graph import Graph
from planner.problem import Block, Floats, Ints

_LEAST_BLOCKS: Final = 5
_MOST_BLOCKS: Final = 9
_COLUMNS: Final = 1_200
_ANYWHERE: Final = 0.3
"""Share of windows whose blocks are drawn from anywhere; the others lie side by side."""


def window(
    pool: Pool, graph: Graph, columns: Columns, reduced: Floats, plan: Sequence[Block], rng: np.random.Generator
) -> Ints | None:
    """Columns that fit beside the blocks that stay, best reduced worth first; None where nothing would be new.

    Parameters
    ----------
    pool, graph, columns : Pool, Graph, Columns
    reduced : float64[columns]
        Reduced worth in the linear master.
    plan : sequence of Block
        The best plan.
    rng : numpy.random.Generator
        Draws the window.
    """
    wanted = min(int(rng.integers(_LEAST_BLOCKS, _MOST_BLOCKS + 1)), len(plan))
    if rng.random() < _ANYWHERE:
        freed = rng.permutation(len(plan))[:wanted]
    else:
        freed = _side_by_side(graph, plan, int(rng.integers(len(plan))), wanted)
    stays = np.zeros(pool.problem.n, dtype=np.bool_)
    for k in sorted(set(range(len(plan))) - set(freed.tolist())):
        stays[list(plan[k].parcels)] = True
    sets = np.unique(columns.of)
    fits = np.array([not stays[pool.members[s]].any() for s in sets.tolist()], dtype=np.bool_)
    free = np.flatnonzero(np.isin(columns.of, sets[fits]))
    if len(free) <= len(freed):
        return None
    order = np.lexsort((free, -reduced[free]))[:_COLUMNS]
    return np.sort(free[order])


def _side_by_side(graph: Graph, plan: Sequence[Block], first: int, wanted: int) -> Ints:
    """Blocks met first when walking outwards from one of them."""
    owner = np.full(len(graph.start) - 1, -1, dtype=np.int64)
    for k, block in enumerate(plan):
        owner[list(block.parcels)] = k
    seen = np.zeros(len(owner), dtype=np.bool_)
    ring = np.array(plan[first].parcels, dtype=np.int64)
    seen[ring] = True
    met = [first]
    while len(met) < wanted and len(ring):
        near = np.unique(np.concatenate([graph.of(i) for i in ring.tolist()]))
        ring = near[~seen[near]]
        seen[ring] = True
        met += [k for k in np.unique(owner[ring]).tolist() if k >= 0 and k not in met]
    return np.array(met[:wanted], dtype=np.int64)
