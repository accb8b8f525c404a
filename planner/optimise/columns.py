"""A pool of candidate blocks and the programs over it: prices from the linear one, plans from the integer one."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from ortools.sat.python import cp_model
from scipy.sparse import csr_matrix

from planner.optimise.evaluate import BlockValue, block_value, block_worth
from planner.optimise.graph import Graph
from planner.optimise.lp import LinearProgram, solve_lp
from planner.problem import AREA_TOLERANCE_MU, MONEY_TOLERANCE, Block, Bools, Floats, Ints, Problem

WORTH_STEPS: Final = 2**46
"""The largest total worth maps to about this many integer steps in the integer program."""
AREA_STEPS_PER_MU: Final = 10**6


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


@dataclass(frozen=True, eq=False)
class Prices:
    """Multipliers of the linear master: what a parcel, a mu of a target, a unit of budget and a block are worth."""

    parcel: Floats
    target: Floats
    budget: Floats
    block: Floats
    reduced: Floats
    value: float

    def weight(self, problem: Problem, worth: Floats) -> Floats:
        """Priced worth of parcel i in phase t, without shared boundary (``float64[n, T]``)."""
        weight = worth - self.parcel[:, None] - problem.cost[:, None] * self.budget[None, :]
        for k, target in enumerate(problem.targets):
            member = (problem.zone == target.zone) | (target.zone < 0)
            weight[:, : target.phase + 1] += np.where(member, problem.area_mu * self.target[k], 0.0)[:, None]
        return weight


def solve_prices(pool: Pool, columns: Columns, time_limit_s: float, shortage_price: float) -> Prices | None:
    """Linear master with priced shortages, so that it always has an answer; None if the solver gives none.

    Its value is no bound: blocks missing from the pool are missing from it.
    """
    problem = pool.problem
    rows = master_rows(pool, columns)
    n, k, t = problem.n, len(problem.targets), len(problem.phases)
    budgets = [p.budget for p in problem.phases]
    blocks = [p.max_blocks for p in problem.phases]
    scale = max(1.0, float(np.abs(problem.cost).max(initial=0.0)))
    locked = problem.lock_by >= 0
    # columns, then unmet floor, unmet stretch, unmet lock
    m = len(columns)
    identity = np.eye(k)
    dense = np.vstack([np.hstack([rows.area, identity, 0 * identity]), np.hstack([rows.area, 0 * identity, identity])])
    top = csr_matrix(
        (
            np.concatenate([rows.parcel.tocoo().data, np.ones(int(locked.sum()))]),
            (
                np.concatenate([rows.parcel.tocoo().row, np.flatnonzero(locked)]),
                np.concatenate([rows.parcel.tocoo().col, m + 2 * k + np.arange(int(locked.sum()))]),
            ),
        ),
        shape=(n, m + 2 * k + int(locked.sum())),
    )
    width = top.shape[1]
    limits = np.zeros((2 * k + 2 * t, width))
    limits[: 2 * k, : m + 2 * k] = dense
    limits[2 * k : 2 * k + t, :m] = rows.cost / scale
    limits[2 * k + t :, :m] = rows.count
    matrix = csr_matrix(np.vstack([limits])) if n == 0 else _stack(top, limits)
    lo = np.concatenate(
        [
            np.where(locked, 1.0, -np.inf),
            [x.floor_mu for x in problem.targets],
            [x.stretch_mu or 0.0 for x in problem.targets],
            np.full(2 * t, -np.inf),
        ]
    )
    hi = np.concatenate(
        [
            np.ones(n),
            np.full(2 * k, np.inf),
            [np.inf if b is None else b / scale for b in budgets],
            [np.inf if b is None else float(b) for b in blocks],
        ]
    )
    c = np.concatenate(
        [
            columns.worth,
            np.full(k, -shortage_price),
            np.full(k, -problem.stretch_per_mu),
            np.full(int(locked.sum()), -shortage_price * float(problem.area_mu.max())),
        ]
    )
    upper = np.concatenate(
        [np.ones(m), [x.floor_mu for x in problem.targets], [x.stretch_mu or 0.0 for x in problem.targets],
         np.ones(int(locked.sum()))]
    )  # fmt: skip
    solution = solve_lp(LinearProgram(c, upper, matrix, lo, hi), time_limit_s)
    if solution is None:
        return None
    dual = solution.row_dual
    reduced = (c - matrix.T @ dual)[:m]
    return Prices(
        parcel=dual[:n],
        target=-(dual[n : n + k] + dual[n + k : n + 2 * k]),
        budget=dual[n + 2 * k : n + 2 * k + t] / scale,
        block=dual[n + 2 * k + t :],
        reduced=reduced,
        value=solution.objective,
    )


def _stack(top: csr_matrix, limits: Floats) -> csr_matrix:
    from scipy.sparse import vstack

    return vstack([top, csr_matrix(limits)], format="csr")


@dataclass(frozen=True)
class MasterResult:
    """Answer of the integer master."""

    blocks: tuple[Block, ...] | None
    bound: float | None
    optimal: bool


def solve_master(
    pool: Pool,
    columns: Columns,
    hint: Sequence[Block] | None,
    *,
    time_limit_s: float,
    work: float | None,
    seed: int,
    workers: int,
) -> MasterResult:
    """Best plan over the columns by CP-SAT.

    Integers are rounded so that no plan is lost: worths up, areas up, costs down; a plan that only exists by rounding
    is refused later by `evaluate.plan_faults`.

    Parameters
    ----------
    hint : sequence of Block or None
        A plan whose sets are in the pool; given to the solver in full.
    time_limit_s, work : float, float or None
        Clock limit, and limit in deterministic work units.
    """
    problem = pool.problem
    rows = master_rows(pool, columns)
    model = cp_model.CpModel()
    x = [model.new_bool_var(f"x{c}") for c in range(len(columns))]
    for i in range(problem.n):
        part = rows.parcel.indices[rows.parcel.indptr[i] : rows.parcel.indptr[i + 1]]
        if problem.lock_by[i] >= 0:
            model.add_exactly_one([x[c] for c in part])
        elif len(part) > 1:
            model.add_at_most_one([x[c] for c in part])
    unmet: list[Any] = []
    for k, target in enumerate(problem.targets):
        area = np.ceil(rows.area[k] * AREA_STEPS_PER_MU).astype(np.int64)
        used = np.flatnonzero(area)
        total = cp_model.LinearExpr.weighted_sum([x[c] for c in used], area[used].tolist())
        if target.floor_mu > 0:
            model.add(total >= int(np.floor((target.floor_mu - AREA_TOLERANCE_MU) * AREA_STEPS_PER_MU)))
        if target.stretch_mu and problem.stretch_per_mu > 0:
            goal = int(np.floor(target.stretch_mu * AREA_STEPS_PER_MU))
            u = model.new_int_var(0, goal, f"u{k}")
            model.add(total + u >= goal)
            unmet.append(u)
    for t, phase in enumerate(problem.phases):
        mine = np.flatnonzero(columns.phase == t)
        if phase.budget is not None and len(mine):
            step = max(1e-9, phase.budget) / 2**40
            cost = np.floor(np.minimum(rows.cost[t, mine], phase.budget * 1.001 + 1.0) / step).astype(np.int64)
            limit = int(np.ceil((phase.budget + MONEY_TOLERANCE * max(1.0, phase.budget)) / step))
            model.add(cp_model.LinearExpr.weighted_sum([x[c] for c in mine], cost.tolist()) <= limit)
        if phase.max_blocks is not None:
            model.add(sum(x[c] for c in mine) <= phase.max_blocks)
    largest = max(1.0, float(np.abs(columns.worth).sum()))
    step = largest / WORTH_STEPS
    worth = np.ceil(columns.worth / step).astype(np.int64)
    penalty = int(np.floor(problem.stretch_per_mu / AREA_STEPS_PER_MU / step))
    model.maximize(
        cp_model.LinearExpr.weighted_sum(x, worth.tolist()) - (penalty * sum(unmet) if unmet and penalty else 0)
    )
    if hint is not None:
        chosen = {(pool.add(b.parcels), b.phase) for b in hint}
        for c in range(len(columns)):
            model.add_hint(x[c], (int(columns.of[c]), int(columns.phase[c])) in chosen)
    solver = cp_model.CpSolver()
    solver.parameters.max_time_in_seconds = max(0.1, time_limit_s)
    if work is not None:
        solver.parameters.max_deterministic_time = work
    solver.parameters.num_workers = workers
    solver.parameters.random_seed = seed
    status = solver.solve(model)
    if status == cp_model.INFEASIBLE:
        return MasterResult(None, None, True)
    if status not in (cp_model.OPTIMAL, cp_model.FEASIBLE):
        return MasterResult(None, None, False)
    picked = [c for c in range(len(columns)) if solver.boolean_value(x[c])]
    blocks = tuple(Block(tuple(pool.members[columns.of[c]].tolist()), int(columns.phase[c])) for c in picked)
    bound = (solver.best_objective_bound + 1) * step
    return MasterResult(blocks, bound, status == cp_model.OPTIMAL)
