"""The cuts in use with their multipliers: new ones come in once, idle ones go."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix, vstack

from planner.optimise.rows import Rows
from planner.problem import Bools, Floats, Ints

_IDLE_ROUNDS: Final = 2
_SLACK: Final = 0.02
Hashes = NDArray[np.uint64]


@dataclass
class CutPool:
    """Rows Σ coefficient·x ≤ 0 over `n_columns` columns.

    Attributes
    ----------
    matrix : csr_matrix
    y : float64[rows]
        Multipliers.
    """

    n_columns: int
    matrix: csr_matrix = field(init=False)
    y: Floats = field(init=False)
    _idle: Ints = field(init=False)
    _hash: Hashes = field(init=False)

    def __post_init__(self) -> None:
        self.matrix = csr_matrix((0, self.n_columns))
        self.y = np.empty(0)
        self._idle = np.empty(0, dtype=np.int64)
        self._hash = np.empty(0, dtype=np.uint64)

    def __len__(self) -> int:
        return len(self.y)

    def rows(self) -> Rows:
        """As rows of a program."""
        return Rows(self.matrix, np.full(len(self), -np.inf), np.zeros(len(self)))

    def add(self, matrix: csr_matrix) -> int:
        """Add the rows that are not there yet, with multiplier 0; returns how many."""
        fresh = _hashes(matrix)
        _, first = np.unique(fresh, return_index=True)
        first = np.sort(first[~np.isin(fresh[first], self._hash)])
        self.matrix = csr_matrix(vstack([self.matrix, matrix[first]], format="csr"))
        self.y = np.concatenate([self.y, np.zeros(len(first))])
        self._idle = np.concatenate([self._idle, np.zeros(len(first), dtype=np.int64)])
        self._hash = np.concatenate([self._hash, fresh[first]])
        return len(first)

    def update(self, y: Floats, x: Floats) -> None:
        """Take over multipliers, and drop cuts that had none for some rounds and are slack at x."""
        self.y = y
        used = y > 1e-9 * float(y.max(initial=0.0))
        self._idle = np.where(used, 0, self._idle + 1)
        slack = -(self.matrix @ x) > _SLACK
        self.keep(~((self._idle >= _IDLE_ROUNDS) & slack))

    def keep(self, chosen: Bools) -> None:
        """Drop the others."""
        if not chosen.all():
            self.matrix = self.matrix[chosen]
            self.y, self._idle, self._hash = self.y[chosen], self._idle[chosen], self._hash[chosen]


def _hashes(matrix: csr_matrix) -> Hashes:
    """A number for each row that depends on its entries in any order; equal numbers of unequal rows only lose a cut."""
    column = matrix.indices.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    mixed = (column ^ (column >> np.uint64(29))) * (matrix.data.view(np.uint64) | np.uint64(1))
    mixed ^= mixed >> np.uint64(32)
    total = np.concatenate([np.zeros(1, dtype=np.uint64), np.cumsum(mixed, dtype=np.uint64)])
    hashes: Hashes = total[matrix.indptr[1:]] - total[matrix.indptr[:-1]]
    return hashes
