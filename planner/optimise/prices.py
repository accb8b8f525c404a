"""The linear master over a pool of blocks: what land, targets, limits and blocks are worth at the margin."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy.sparse import bmat, csr_matrix, identity

from planner.optimise.columns import Columns, MasterRows, Pool, master_rows
from planner.optimise.lp import AT_LOWER, Basis, LinearProgram, solve_lp, solve_lp_from
from planner.optimise.options import target_amounts
from planner.problem import Bools, Floats, Ints


@dataclass(frozen=True, eq=False)
class Warmth:
    """Where the simplex of a master ended, told by the names of its columns.

    Attributes
    ----------
    names : int64[columns]
        Of the columns in the program, as `column_names` gives them.
    variables, rows : int64
        Statuses of those columns and of the variables after them; of the rows.
    """

    names: Ints
    variables: Ints
    rows: Ints


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
        Currency for one unit of each budget or resource, in the order of `Pool.spendings`.
    block : float64[T]
        Currency for one more block in phase t.
    reduced : float64[columns]
        Worth of a column after prices; 0 for those in use.
    amount : float64[columns]
        How much of a column the linear master takes, 0 to 1.
    value : float
        Of the linear master. No bound: blocks missing from the pool are missing from it.
    end : Warmth or None
        Where the simplex ended, for the next master; None where the program was solved from nothing.
    """

    parcel: Floats
    target: Floats
    limit: Floats
    block: Floats
    reduced: Floats
    amount: Floats
    value: float
    end: Warmth | None = None

    def weight(self, pool: Pool, worth: Floats) -> Floats:
        """Priced worth of parcel i in option o, without shared boundary (``float64[n, O]``)."""
        problem, options = pool.problem, pool.options
        weight: Floats = worth - self.parcel[:, None]
        for k, target in enumerate(problem.targets):
            if self.target[k] != 0.0:
                weight += target_amounts(problem, target, options) * self.target[k]
        for spending, price in zip(pool.spendings, self.limit.tolist(), strict=True):
            if price != 0.0:
                weight[:, spending.options] -= spending.amount * price
        return weight


def solve_prices(
    pool: Pool,
    columns: Columns,
    time_limit_s: float,
    shortage_price: float,
    core: Bools | None = None,
    start: Warmth | None = None,
    *,
    warm: bool = False,
    barred: Bools | None = None,
) -> Prices | None:
    """Solve the linear master with priced shortages, so that it always has an answer; None if the solver gives none.

    Parameters
    ----------
    pool, columns : Pool, Columns
        Blocks on offer.
    time_limit_s : float
        For the solver.
    shortage_price : float
        Currency per mu by which a floor is missed; other measures are priced by their mean amount per mu.
    core : bool[columns] or None
        Columns that the program has; None = all. The others get their reduced worth, above 0 where they would pay.
    start : Warmth or None
        With `warm`: the end of a master with most of the same columns.
    warm : bool
        Solve with GLOP, which tells where it ended; else, and where GLOP fails, with HiGHS.
    barred : bool[columns] or None
        Columns that may not be taken. Barring more of them is quicker than leaving them out.
    """
    problem = pool.problem
    n, k, t = problem.n, len(problem.targets), len(problem.phases)
    rows = master_rows(pool, columns)
    scale = np.maximum(1.0, np.abs(rows.use).max(axis=1, initial=0.0))
    program = _program(pool, columns, rows, shortage_price, scale)
    if barred is not None:
        program.upper[: len(columns)][barred] = 0.0
    small = program if core is None else _of(program, core)
    end: Warmth | None = None
    solution = None
    if warm:
        names = column_names(pool, columns)
        names = names if core is None else names[core]
        basis = _basis(small, names, start) if start is not None and len(start.names) else None
        answer = solve_lp_from(small, time_limit_s, basis, dual=barred is not None and basis is not None)
        if answer is not None:
            solution, ended = answer
            end = Warmth(names, ended.variables, ended.rows)
    solution = solution or solve_lp(small, time_limit_s)
    if solution is None:
        return None
    parts = np.split(solution.row_dual, np.cumsum([n, k, k, k, len(scale)]))
    parcel, floor, stretch, ceiling, limit, block = parts
    assert len(block) == t
    reduced = program.c - program.matrix.T @ solution.row_dual
    target = -(floor + stretch + ceiling)
    amount = np.zeros(len(columns))
    amount[slice(None) if core is None else core] = solution.x[: len(columns) if core is None else int(core.sum())]
    value = solution.objective
    return Prices(parcel, target, limit / scale, block, reduced[: len(columns)], amount, value, end)


def column_names(pool: Pool, columns: Columns) -> Ints:
    """A number for each column that stays the same whatever other columns there are."""
    names: Ints = columns.of * len(pool.options) + columns.option
    return names


def _basis(program: LinearProgram, names: Ints, start: Warmth) -> Basis:
    """The old statuses of columns that were there, and of the variables after them; new columns are out."""
    variables = np.full(len(program.c), AT_LOWER, dtype=np.int64)
    order = np.argsort(start.names)
    at = order[np.minimum(np.searchsorted(start.names, names, sorter=order), len(order) - 1)]
    variables[: len(names)] = np.where(start.names[at] == names, start.variables[at], AT_LOWER)
    variables[len(names) :] = start.variables[len(start.names) :]
    return Basis(variables, start.rows)


def _of(program: LinearProgram, core: Bools) -> LinearProgram:
    """The program on some of its columns; variables after the columns stay."""
    keep = np.concatenate([np.flatnonzero(core), np.arange(len(core), len(program.c))])
    return replace(program, c=program.c[keep], upper=program.upper[keep], matrix=program.matrix[:, keep])


def _program(pool: Pool, columns: Columns, rows: MasterRows, shortage_price: float, scale: Floats) -> LinearProgram:
    """Rows: parcels, floors, stretches, ceilings, limits, block counts.

    Variables: columns, unmet floors, unmet stretches, unmet locks, excess over limits that nothing taken breaks.
    """
    problem = pool.problem
    n, k, t, r = problem.n, len(problem.targets), len(problem.phases), len(scale)
    locked, asking = np.flatnonzero(problem.lock_by >= 0), np.flatnonzero(rows.limit < 0)
    excess = csr_matrix((np.full(len(asking), -1.0), (asking, np.arange(len(asking)))), shape=(r, len(asking)))
    unmet = identity(k, format="csr")
    unlocked = csr_matrix((np.ones(len(locked)), (locked, np.arange(len(locked)))), shape=(n, len(locked)))
    matrix = bmat(
        [
            [rows.parcel, csr_matrix((n, k)), None, unlocked, None],
            [csr_matrix(rows.target), unmet, None, None, None],
            [csr_matrix(rows.target), None, unmet, None, None],
            [csr_matrix(rows.target), csr_matrix((k, k)), csr_matrix((k, k)), csr_matrix((k, len(locked))), None],
            [csr_matrix(rows.use / scale[:, None]), csr_matrix((r, k)), None, None, excess],
            [csr_matrix(rows.count), csr_matrix((t, k)), None, None, None],
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
        -_excess_price(pool, rows, shortage_price, scale)[asking],
    ]
    lo = [np.where(problem.lock_by >= 0, 1.0, -np.inf), floor, stretch, np.full(k + r + t, -np.inf)]
    hi = [np.ones(n), np.full(2 * k, np.inf), ceiling, rows.limit / scale, blocks]
    return LinearProgram(
        np.concatenate(worth),
        np.concatenate([np.ones(len(columns)), floor, stretch, np.ones(len(locked)), -(rows.limit / scale)[asking]]),
        matrix,
        np.concatenate(lo),
        np.concatenate(hi),
    )


def _excess_price(pool: Pool, rows: MasterRows, shortage_price: float, scale: Floats) -> Floats:
    """Currency for a scaled unit above each limit: that of the land which gives as much."""
    area = np.array([pool.area[s] for s in range(len(pool))])
    given = np.array([-u[u < 0].mean() if (u < 0).any() else 1.0 for u in rows.use])
    price: Floats = shortage_price * (float(area.mean()) if len(area) else 1.0) * scale / given
    return price


def _per_mu(pool: Pool, rows: MasterRows) -> Floats:
    """Mu that stand for one unit of each target: 1 for mu, more for blocks, less for floor area."""
    counts = np.ones(len(pool.problem.targets))
    area = np.array([pool.area[s] for s in range(len(pool))])
    for k, target in enumerate(pool.problem.targets):
        if target.measure != "mu" and rows.target[k].any():
            counts[k] = float(area.mean()) / float(rows.target[k][rows.target[k] > 0].mean())
    return counts
