"""Upper bounds by cutting planes on the parcel–phase relaxation."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
from scipy.sparse import csr_matrix, vstack

from planner.optimise.cuts import separate
from planner.optimise.formulation import Relaxation, Rows
from planner.optimise.graph import Graph
from planner.optimise.lp import LinearProgram, LpSolution, safe_bound, solve_lp
from planner.optimise.stop import Clock
from planner.problem import AREA_TOLERANCE_MU, Floats

PROOF_TRIVIAL: Final = "sum of positive worths"
PROOF_CUTS: Final = "cutting planes on the parcel-phase relaxation"
_STYLES: Final = (0, 1, 2)
_LARGEST_SET: Final = 400
_PATIENCE: Final = 6


@dataclass(frozen=True, eq=False)
class BoundResult:
    """A valid bound and what the primal search can use of it.

    Attributes
    ----------
    bound : float
        No plan exceeds it.
    proof : str
        What proved it.
    x : float64[n, T] or None
        Fractional plan of the last program.
    reduced : float64[n, T] or None
        Reduced worth of taking parcel i in phase t, priced by the multipliers of the best bound.
    """

    bound: float
    proof: str
    x: Floats | None
    reduced: Floats | None


class CuttingPlanes:
    """Solve, separate, repeat; keeps the best safe bound seen.

    Parameters
    ----------
    relaxation : Relaxation
        Columns and static rows.
    make : callable
        Program for given cuts (the objective in use).
    """

    def __init__(
        self,
        relaxation: Relaxation,
        make: Callable[[Rows | None], LinearProgram] | None = None,
        cuts: Rows | None = None,
    ) -> None:
        self.relaxation = relaxation
        self.make = make or relaxation.program
        self.cuts = cuts
        first = self.make(cuts)
        self.best, _ = safe_bound(first, np.zeros(len(first.lo)))
        self.proof = PROOF_TRIVIAL
        self.solution: LpSolution | None = None
        self.reduced: Floats | None = None
        self.rounds = 0
        self.finished = False
        self._stalled = 0

    def step(self, clock: Clock) -> bool:
        """One round: solve the program, tighten the bound, add violated cuts. False when nothing is left to do."""
        if self.finished:
            return False
        program = self.make(self.cuts)
        solution = solve_lp(program, max(1.0, clock.remaining()))
        if solution is None:
            self.finished = True
            return False
        self.rounds += 1
        self.solution = solution
        bound, reduced = safe_bound(program, solution.row_dual)
        gain = self.best - bound
        if gain > 0:
            self.best, self.proof, self.reduced = bound, PROOF_CUTS, reduced
        self._stalled = 0 if gain > 1e-5 * abs(bound) else self._stalled + 1
        added = self._separate(solution)
        if added is None or self._stalled >= _PATIENCE:
            self.finished = True
        else:
            self._keep_tight(solution, added)
        return not self.finished

    def _keep_tight(self, solution: LpSolution, added: Rows) -> None:
        """Drop cuts that are slack by now, append the new ones."""
        if self.cuts is None:
            self.cuts = added
            return
        slack = self.cuts.hi - self.cuts.matrix @ solution.x
        keep = slack < 0.05
        self.cuts = Rows(
            vstack([self.cuts.matrix[keep], added.matrix], format="csr"),
            np.concatenate([self.cuts.lo[keep], added.lo]),
            np.concatenate([self.cuts.hi[keep], added.hi]),
        )

    def _separate(self, solution: LpSolution) -> Rows | None:
        """Violated connectivity cuts of all phases and styles."""
        relaxation = self.relaxation
        problem = relaxation.problem
        pieces: list[csr_matrix] = []
        # plans may fall short of L by the tolerance of sums, so the cuts must let them
        least = problem.block_min_mu - 2 * AREA_TOLERANCE_MU
        for t in range(len(problem.phases)):
            columns = relaxation.x[:, t]
            here = columns >= 0
            x = np.where(here, solution.x[np.maximum(columns, 0)], 0.0)
            start, neighbour = _induced(relaxation.graph, here)
            seeds = np.flatnonzero(here & (x > 1e-4) & (problem.area_mu < least))
            for style in _STYLES:
                seed, pointer, member, coefficient = separate(
                    start, neighbour, problem.area_mu, x, seeds, least, 1e-4, style, _LARGEST_SET
                )
                if len(seed):
                    pieces.append(_cut_rows(columns, seed, pointer, member, coefficient, relaxation.n_columns))
        if not pieces:
            return None
        matrix = _unique_rows(vstack(pieces, format="csr"))
        m = matrix.shape[0]
        return Rows(matrix, np.full(m, -np.inf), np.zeros(m))

    def result(self) -> BoundResult:
        """Best bound so far."""
        return BoundResult(self.best, self.proof, self._by_parcel(self._primal()), self._by_parcel(self.reduced))

    def _primal(self) -> Floats | None:
        return None if self.solution is None else self.solution.x

    def _by_parcel(self, values: Floats | None) -> Floats | None:
        if values is None:
            return None
        x = self.relaxation.x
        filled: Floats = np.where(x >= 0, values[np.maximum(x, 0)], 0.0)
        return filled


def _induced(graph: Graph, here: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Compressed graph without the parcels that are not available."""
    n = len(here)
    row = np.repeat(np.arange(n), np.diff(graph.start))
    keep = here[row] & here[graph.neighbour]
    counts = np.bincount(row[keep], minlength=n)
    return np.concatenate([[0], np.cumsum(counts)]).astype(np.int64), graph.neighbour[keep]


def _cut_rows(
    columns: np.ndarray, seed: np.ndarray, pointer: np.ndarray, member: np.ndarray, coefficient: np.ndarray, n: int
) -> csr_matrix:
    """x_seed − Σ coefficient·x_member ≤ 0, as matrix rows."""
    k = len(seed)
    row = np.concatenate([np.arange(k), np.repeat(np.arange(k), np.diff(pointer))])
    column = np.concatenate([columns[seed], columns[member]])
    value = np.concatenate([np.ones(k), -coefficient])
    return csr_matrix((value, (row, column)), shape=(k, n))


def _unique_rows(matrix: csr_matrix) -> csr_matrix:
    """Distinct rows, first occurrences in order."""
    matrix.sort_indices()
    seen: dict[bytes, int] = {}
    for r in range(matrix.shape[0]):
        part = slice(matrix.indptr[r], matrix.indptr[r + 1])
        seen.setdefault(matrix.indices[part].tobytes() + matrix.data[part].tobytes(), r)
    return matrix[sorted(seen.values())]
