"""Smaller graphs with the same best connected set, where nothing but worth and connection counts.

Parcels worth something that touch belong together: a set that holds one may as well hold the other. A parcel worth
nothing or less is never needed where another, worth no less, has all its contacts, nor where it is a dead end.
(Reductions of the maximum-weight connected subgraph; Rehfeldt, Koch, Maher 2019, doi:10.1002/net.21857.)
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.sparse import coo_matrix, csr_matrix
from scipy.sparse.csgraph import connected_components

from planner.optimise.graph import Graph
from planner.problem import Bools, Floats, Ints


@dataclass(frozen=True, eq=False)
class Contracted:
    """A reduced graph.

    Attributes
    ----------
    graph : Graph
        Shared boundaries are 0: they have no meaning between groups.
    weight : float64[m]
    must : bool[m]
        Nodes that have to be in the set.
    group : int64[n]
        Node of the reduced graph that holds each old one, -1 where it was left out.
    """

    graph: Graph
    weight: Floats
    must: Bools
    group: Ints


def contract(graph: Graph, weight: Floats, must: Bools) -> Contracted:
    """Merge and leave out until nothing more can be.

    Some parcel has to be worth more than nothing, or has to be in the set (`must`): without either the best set is a
    single parcel, which may be left out here. Any connected set of the reduced graph is one of the old graph and worth
    the same.
    """
    n = len(weight)
    group = np.arange(n)
    adjacency = csr_matrix((np.ones(2 * len(graph.pairs)), _both(graph.pairs)), shape=(n, n))
    while True:
        label = _merged(adjacency, (weight > 0) | must)
        adjacency, weight, must, group = _apply(adjacency, weight, must, group, label)
        keep = _needed(adjacency, weight, must)
        if keep.all():
            return Contracted(_graph(adjacency), weight, must, group)
        label = np.where(keep, np.cumsum(keep) - 1, -1)
        adjacency, weight, must, group = _apply(adjacency, weight, must, group, label)


def _both(pairs: Ints) -> tuple[Ints, Ints]:
    return np.concatenate([pairs[:, 0], pairs[:, 1]]), np.concatenate([pairs[:, 1], pairs[:, 0]])


def _merged(adjacency: csr_matrix, sure: Bools) -> Ints:
    """Label of each node when touching nodes that are `sure` become one."""
    coordinates = adjacency.tocoo()
    good = sure[coordinates.row] & sure[coordinates.col]
    edges = coo_matrix((np.ones(good.sum()), (coordinates.row[good], coordinates.col[good])), shape=adjacency.shape)
    _, label = connected_components(edges, directed=False)
    return np.asarray(label, dtype=np.int64)


def _apply(
    adjacency: csr_matrix, weight: Floats, must: Bools, group: Ints, label: Ints
) -> tuple[csr_matrix, Floats, Bools, Ints]:
    """The graph with nodes of one label merged and those labelled -1 left out."""
    m = int(label.max(initial=-1)) + 1
    kept = label >= 0
    coordinates = adjacency.tocoo()
    row, column = label[coordinates.row], label[coordinates.col]
    good = (row >= 0) & (column >= 0) & (row != column)
    merged = csr_matrix((np.ones(good.sum()), (row[good], column[good])), shape=(m, m))
    merged.data[:] = 1.0
    held = np.bincount(label[kept], weights=must[kept], minlength=m) > 0
    total = np.bincount(label[kept], weights=weight[kept], minlength=m).astype(np.float64)
    return merged, total, held, np.append(label, -1).astype(np.int64)[group]


def _needed(adjacency: csr_matrix, weight: Floats, must: Bools) -> Bools:
    """Nodes that some best set may need."""
    n = len(weight)
    near = [set(adjacency.indices[adjacency.indptr[i] : adjacency.indptr[i + 1]].tolist()) for i in range(n)]
    keep = np.ones(n, dtype=np.bool_)
    for v in np.flatnonzero((weight <= 0) & ~must).tolist():
        mine = {j for j in near[v] if keep[j]}
        if len(mine) <= 1:
            keep[v] = False
            continue
        # whoever could stand in for v touches each of v's neighbours: look beside the one with fewest contacts
        first = min(mine, key=lambda j: (len(near[j]), j))
        rivals = (near[first] | {first}) - {v}
        if any(keep[u] and weight[v] <= weight[u] and mine <= near[u] | {u} for u in rivals):
            keep[v] = False
    return keep


def _graph(adjacency: csr_matrix) -> Graph:
    adjacency.sort_indices()
    coordinates = adjacency.tocoo()
    upper = coordinates.row < coordinates.col
    pairs = np.stack([coordinates.row[upper], coordinates.col[upper]], axis=1).astype(np.int64)
    start, neighbour = adjacency.indptr.astype(np.int64), adjacency.indices.astype(np.int64)
    return Graph(start, neighbour, np.zeros(adjacency.nnz), pairs)
