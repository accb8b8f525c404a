"""The linear master over a pool of blocks: what land, targets, limits and blocks are worth at the margin."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.sparse import bmat, csr_matrix, identity

from planner.optimise.columns import Columns, MasterRows, Pool, master_rows
from planner.optimise.lp import LinearProgram, solve_lp
from planner.optimise.options import target_amounts
from planner.problem import Floats


@dataclass(frozen=True, eq=False)
class Prices:
    """Multipliers of the linear master, its value, and the reduced worth of each column.

    Attributes
    ----------
    parcel : float64[n]
        Currency for having parcel i free.
    target : float64[K]
        Currency for a unit that counts towards target k (negative at a ceiling).
    limit : float64[R]
        Currency for one unit of each budget or resource, in the order of `MasterRows.limit`.
    block : float64[T]
        Currency for one more block in phase t.
    reduced : float64[columns]
        Worth of a column after prices; 0 for those in use.
    value : float
        Of the linear master. No bound: blocks missing from the pool are missing from it.
    """

    parcel: Floats
    target: Floats
    limit: Floats
    block: Floats
    reduced: Floats
    value: float

    def weight(self, pool: Pool, worth: Floats) -> Floats:
        """Priced worth of parcel i in option o, without shared boundary (``float64[n, O]``)."""
        problem, options = pool.problem, pool.options
        weight: Floats = worth - self.parcel[:, None]
        for k, target in enumerate(problem.targets):
            if self.target[k] != 0.0:
                weight += target_amounts(problem, target, options) * self.target[k]
        r = 0
        for t, phase in enumerate(problem.phases):
            here = (options.phase == t)[None, :]
            uses = [options.cost] if phase.budget is not None else []
            uses += [x.use[:, None] for x in problem.resources if x.limits[t] is not None]
            for use in uses:
                weight -= np.where(here, use, 0.0) * self.limit[r]
                r += 1
        return weight


def solve_prices(pool: Pool, columns: Columns, time_limit_s: float, shortage_price: float) -> Prices | None:
    """Solve the linear master with priced shortages, so that it always has an answer; None if the solver gives none.

    Parameters
    ----------
    pool, columns : Pool, Columns
        Blocks on offer.
    time_limit_s : float
        For the solver.
    shortage_price : float
        Currency per mu by which a floor is missed; other measures are priced by their mean amount per mu.
    """
    problem = pool.problem
    n, k, t = problem.n, len(problem.targets), len(problem.phases)
    rows = master_rows(pool, columns)
    scale = np.maximum(1.0, rows.use.max(axis=1, initial=0.0))
    program = _program(pool, columns, rows, shortage_price, scale)
    solution = solve_lp(program, time_limit_s)
    if solution is None:
        return None
    parts = np.split(solution.row_dual, np.cumsum([n, k, k, k, len(scale)]))
    parcel, floor, stretch, ceiling, limit, block = parts
    assert len(block) == t
    reduced = program.c - program.matrix.T @ solution.row_dual
    return Prices(
        parcel, -(floor + stretch + ceiling), limit / scale, block, reduced[: len(columns)], solution.objective
    )


def _program(pool: Pool, columns: Columns, rows: MasterRows, shortage_price: float, scale: Floats) -> LinearProgram:
    """Rows: parcels, floors, stretches, ceilings, limits, block counts.

    Variables: columns, unmet floors, unmet stretches, unmet locks.
    """
    problem = pool.problem
    n, k, t, r = problem.n, len(problem.targets), len(problem.phases), len(scale)
    locked = np.flatnonzero(problem.lock_by >= 0)
    unmet = identity(k, format="csr")
    unlocked = csr_matrix((np.ones(len(locked)), (locked, np.arange(len(locked)))), shape=(n, len(locked)))
    matrix = bmat(
        [
            [rows.parcel, csr_matrix((n, k)), None, unlocked],
            [csr_matrix(rows.target), unmet, None, None],
            [csr_matrix(rows.target), None, unmet, None],
            [csr_matrix(rows.target), csr_matrix((k, k)), csr_matrix((k, k)), csr_matrix((k, len(locked)))],
            [csr_matrix(rows.use / scale[:, None]), csr_matrix((r, k)), None, None],
            [csr_matrix(rows.count), csr_matrix((t, k)), None, None],
        ],
        format="csr",
    )
    floor = np.array([x.floor for x in problem.targets], dtype=float)
    stretch = np.array([x.stretch or 0.0 for x in problem.targets], dtype=float)
    ceiling = np.array([np.inf if x.ceiling is None else x.ceiling for x in problem.targets])
    blocks = np.array([np.inf if p.max_blocks is None else float(p.max_blocks) for p in problem.phases])
    lock_price = shortage_price * float(problem.area_mu.max())
    worth = [
        columns.worth,
        np.full(k, -shortage_price) * _per_mu(pool, rows),
        np.array([-x.stretch_price for x in problem.targets]),
        np.full(len(locked), -lock_price),
    ]
    lo = [np.where(problem.lock_by >= 0, 1.0, -np.inf), floor, stretch, np.full(k + r + t, -np.inf)]
    hi = [np.ones(n), np.full(2 * k, np.inf), ceiling, rows.limit / scale, blocks]
    return LinearProgram(
        np.concatenate(worth),
        np.concatenate([np.ones(len(columns)), floor, stretch, np.ones(len(locked))]),
        matrix,
        np.concatenate(lo),
        np.concatenate(hi),
    )


def _per_mu(pool: Pool, rows: MasterRows) -> Floats:
    """Mu that stand for one unit of each target: 1 for mu, more for blocks, less for floor area."""
    counts = np.ones(len(pool.problem.targets))
    area = np.array([pool.area[s] for s in range(len(pool))])
    for k, target in enumerate(pool.problem.targets):
        if target.measure != "mu" and rows.target[k].any():
            counts[k] = float(area.mean()) / float(rows.target[k][rows.target[k] > 0].mean())
    return counts
