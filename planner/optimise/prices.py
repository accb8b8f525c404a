"""The linear master over a pool of blocks: what land, targets, budgets and blocks are worth at the margin."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.sparse import bmat, csr_matrix, identity

from planner.optimise.columns import Columns, Pool, master_rows
from planner.optimise.lp import LinearProgram, solve_lp
from planner.problem import Floats, Problem


@dataclass(frozen=True, eq=False)
class Prices:
    """Multipliers of the linear master, its value, and the reduced worth of each column.

    Attributes
    ----------
    parcel : float64[n]
        Currency for having parcel i free.
    target : float64[K]
        Currency for a mu that counts towards target k.
    budget, block : float64[T]
        Currency for one unit of budget, and for one more block, in phase t.
    reduced : float64[columns]
        Worth of a column after prices; 0 for those in use.
    value : float
        Of the linear master. No bound: blocks missing from the pool are missing from it.
    """

    parcel: Floats
    target: Floats
    budget: Floats
    block: Floats
    reduced: Floats
    value: float

    def weight(self, problem: Problem, worth: Floats) -> Floats:
        """Priced worth of parcel i in phase t, without shared boundary (``float64[n, T]``)."""
        weight: Floats = worth - self.parcel[:, None] - problem.cost[:, None] * self.budget[None, :]
        for k, target in enumerate(problem.targets):
            member = (problem.zone == target.zone) | (target.zone < 0)
            weight[:, : target.phase + 1] += np.where(member, problem.area_mu * self.target[k], 0.0)[:, None]
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
        Currency per mu by which a floor is missed.
    """
    problem = pool.problem
    n, k, t = problem.n, len(problem.targets), len(problem.phases)
    money = max(1.0, float(np.abs(problem.cost).max(initial=0.0)))
    program = _program(pool, columns, shortage_price, money)
    solution = solve_lp(program, time_limit_s)
    if solution is None:
        return None
    parcel, floor, stretch, budget, block = np.split(solution.row_dual, np.cumsum([n, k, k, t]))
    reduced = program.c - program.matrix.T @ solution.row_dual
    return Prices(parcel, -(floor + stretch), budget / money, block, reduced[: len(columns)], solution.objective)


def _program(pool: Pool, columns: Columns, shortage_price: float, money: float) -> LinearProgram:
    """Rows: parcels, floors, stretches, budgets, block limits. Variables: columns, unmet floors, stretches, locks."""
    problem = pool.problem
    rows = master_rows(pool, columns)
    n, k, t = problem.n, len(problem.targets), len(problem.phases)
    locked = np.flatnonzero(problem.lock_by >= 0)
    unmet = identity(k, format="csr")
    unlocked = csr_matrix((np.ones(len(locked)), (locked, np.arange(len(locked)))), shape=(n, len(locked)))
    matrix = bmat(
        [
            [rows.parcel, csr_matrix((n, k)), None, unlocked],
            [csr_matrix(rows.area), unmet, None, None],
            [csr_matrix(rows.area), None, unmet, None],
            [csr_matrix(rows.cost / money), csr_matrix((t, k)), csr_matrix((t, k)), csr_matrix((t, len(locked)))],
            [csr_matrix(rows.count), None, None, None],
        ],
        format="csr",
    )
    floor = np.array([x.floor_mu for x in problem.targets], dtype=float)
    stretch = np.array([x.stretch_mu or 0.0 for x in problem.targets], dtype=float)
    budget = np.array([np.inf if p.budget is None else p.budget / money for p in problem.phases])
    blocks = np.array([np.inf if p.max_blocks is None else float(p.max_blocks) for p in problem.phases])
    lock_price = shortage_price * float(problem.area_mu.max())
    worth = [
        columns.worth,
        np.full(k, -shortage_price),
        np.full(k, -problem.stretch_per_mu),
        np.full(len(locked), -lock_price),
    ]
    return LinearProgram(
        np.concatenate(worth),
        np.concatenate([np.ones(len(columns)), floor, stretch, np.ones(len(locked))]),
        matrix,
        np.concatenate([np.where(problem.lock_by >= 0, 1.0, -np.inf), floor, stretch, np.full(2 * t, -np.inf)]),
        np.concatenate([np.ones(n), np.full(2 * k, np.inf), budget, blocks]),
    )
