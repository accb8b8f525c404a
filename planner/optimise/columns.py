"""A pool of candidate blocks, its columns (block × phase), and their coefficients in the master programs."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_matrix

from planner.optimise.evaluate import BlockValue, block_value, block_worth
from planner.optimise.graph import Graph
from planner.problem import Bools, Floats, Ints, Problem


class Pool:
    """Distinct blocks with their figures; a set of parcels is offered in every phase open to all its members.

    Parameters
    ----------
    problem, graph, open_
        As everywhere in this package.
    """

    def __init__(self, problem: Problem, graph: Graph, open_: Bools) -> None:
        self.problem = problem
        self.graph = graph
        self.open = open_
        self.members: list[Ints] = []
        self.values: list[BlockValue] = []
        self._known: dict[bytes, int] = {}

    def __len__(self) -> int:
        return len(self.members)

    def add(self, parcels: Iterable[int]) -> int:
        """Number of the set in the pool, added when it is new. The caller answers for contiguity and size."""
        index = np.array(sorted(parcels), dtype=np.int64)
        key = index.tobytes()
        if key not in self._known:
            self._known[key] = len(self.members)
            self.members.append(index)
            self.values.append(block_value(self.problem, self.graph, index.tolist()))
        return self._known[key]

    def columns(self, sets: Sequence[int] | None = None) -> Columns:
        """Columns (set × phase) of some or all sets."""
        chosen = range(len(self.members)) if sets is None else sets
        pairs = [(s, t) for s in chosen for t in range(len(self.problem.phases)) if self.open[self.members[s], t].all()]
        of = np.array([s for s, _ in pairs], dtype=np.int64)
        phase = np.array([t for _, t in pairs], dtype=np.int64)
        worth = np.array([block_worth(self.problem, self.values[s], t) for s, t in pairs], dtype=float)
        return Columns(of, phase, worth)


@dataclass(frozen=True, eq=False)
class Columns:
    """Set number, phase and worth (currency) of each column."""

    of: Ints
    phase: Ints
    worth: Floats

    def __len__(self) -> int:
        return len(self.of)

    def take(self, keep: Ints | Bools) -> Columns:
        """Some of the columns."""
        return Columns(self.of[keep], self.phase[keep], self.worth[keep])


@dataclass(frozen=True, eq=False)
class MasterRows:
    """Rows of the master over given columns: coefficients, sense and limits, in plain units.

    ``parcel`` is the incidence of parcels; ``area[k]`` the mu a column adds to target k; ``cost[t]`` the money it takes
    from phase t.
    """

    parcel: csr_matrix
    area: Floats
    cost: Floats
    count: Floats


def master_rows(pool: Pool, columns: Columns) -> MasterRows:
    """Coefficients of all rows for some columns."""
    problem = pool.problem
    lengths = [len(pool.members[s]) for s in columns.of]
    column = np.repeat(np.arange(len(columns)), lengths)
    parcel = np.concatenate([pool.members[s] for s in columns.of]) if len(columns) else np.empty(0, dtype=np.int64)
    incidence = csr_matrix((np.ones(len(column)), (parcel, column)), shape=(problem.n, len(columns)))
    area = np.zeros((len(problem.targets), len(columns)))
    for k, target in enumerate(problem.targets):
        counts = np.where((problem.zone == target.zone) | (target.zone < 0), problem.area_mu, 0.0)
        area[k] = np.where(columns.phase <= target.phase, incidence.T @ counts, 0.0)
    phases = np.arange(len(problem.phases))[:, None] == columns.phase[None, :]
    return MasterRows(incidence, area, np.where(phases, incidence.T @ problem.cost, 0.0), phases.astype(float))
