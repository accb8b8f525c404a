"""Choosing blocks for the search: the integer master over given columns, by HiGHS through MathOpt.

It proves nothing: what it answers has to pass `evaluate.plan_faults`. (Where a proof hangs on it, see `master`.)
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

import numpy as np
from ortools.math_opt.python import mathopt
from scipy.sparse import csr_matrix, hstack, identity, vstack

from planner.optimise.columns import Columns, Pool, master_rows
from planner.optimise.lp import LinearProgram, to_proto
from planner.optimise.rolling import Split, rolling_splits
from planner.problem import Block, Floats

_LOG = logging.getLogger(__name__)
_ROLLING_ROUNDS: Final = 8
_WORK_PER_ITERATION: Final = 3e-4
_WORK_PER_COLUMN: Final = 4e-4


@dataclass(frozen=True)
class Choice:
    """Blocks chosen (None where there was no answer) and the work it took."""

    blocks: tuple[Block, ...] | None
    work: float


def choose_blocks(
    pool: Pool,
    columns: Columns,
    hint: Sequence[Block] | None,
    *,
    gap: float,
    nodes: int,
    time_limit_s: float,
) -> Choice:
    """Best plan over some columns, to a gap or for a number of nodes.

    Parameters
    ----------
    pool, columns : Pool, Columns
        Blocks on offer.
    hint : sequence of Block or None
        A plan to begin with.
    gap : float
        Relative gap at which the program may stop.
    nodes : int
        Nodes after which it stops: counted, so that the answer is the same every time.
    time_limit_s : float
        A stop for the worst case.
    """
    program, integers = _program(pool, columns)
    start = _point(pool, columns, hint) if hint is not None else None
    work = 0.0
    for _ in range(_ROLLING_ROUNDS if pool.problem.rolling else 1):
        answer = _solve(program, integers, start, gap, nodes, time_limit_s)
        if answer is None:
            return Choice(None, work + _WORK_PER_COLUMN * len(columns))
        values, iterations = answer
        work += _WORK_PER_COLUMN * len(columns) + _WORK_PER_ITERATION * iterations
        blocks = _blocks(pool, columns, values)
        splits = rolling_splits(pool.problem, pool.graph, blocks)
        if not splits:
            return Choice(blocks, work)
        program = _joined(pool, columns, program, splits)
    return Choice(None, work)


def _program(pool: Pool, columns: Columns) -> tuple[LinearProgram, int]:
    """Rows: parcels, floors, stretches, ceilings, limits, block counts. Variables: columns, unmet stretches."""
    problem = pool.problem
    rows = master_rows(pool, columns)
    n, k = len(columns), len(problem.targets)
    met = np.flatnonzero(np.diff(rows.parcel.indptr) > 0)
    scale = np.maximum(1.0, np.abs(rows.use).max(axis=1, initial=0.0))
    target = csr_matrix(rows.target)
    body = vstack(
        [
            hstack([rows.parcel[met], csr_matrix((len(met), k))]),
            hstack([target, csr_matrix((k, k))]),
            hstack([target, identity(k)]),
            hstack([csr_matrix(rows.use / scale[:, None]), csr_matrix((len(scale), k))]),
            hstack([csr_matrix(rows.count), csr_matrix((len(problem.phases), k))]),
        ],
        format="csr",
    )
    locked = np.where(problem.lock_by[met] >= 0, 1.0, -np.inf)
    floor = np.array([t.floor if t.floor > 0 else -np.inf for t in problem.targets])
    ceiling = np.array([np.inf if t.ceiling is None else t.ceiling for t in problem.targets])
    stretch = np.array([t.stretch or 0.0 for t in problem.targets], dtype=float)
    most = np.array([np.inf if p.max_blocks is None else float(p.max_blocks) for p in problem.phases])
    lo = np.concatenate([locked, floor, stretch, np.full(len(scale) + len(most), -np.inf)])
    hi = np.concatenate([np.ones(len(met)), ceiling, np.full(k, np.inf), rows.limit / scale, most])
    worth = np.concatenate([columns.worth, [-t.stretch_price for t in problem.targets]])
    size = float(np.abs(worth).max(initial=0.0)) or 1.0
    upper = np.concatenate([np.ones(n), stretch])
    return LinearProgram(worth / size, upper, csr_matrix(body), lo, hi), n


def _point(pool: Pool, columns: Columns, plan: Sequence[Block]) -> Floats:
    """1 for the columns of a plan."""
    mine = {(pool.add(b.parcels), pool.options.of(b.phase, b.mode)) for b in plan}
    pairs = zip(columns.of.tolist(), columns.option.tolist(), strict=True)
    return np.array([float(pair in mine) for pair in pairs])


def _solve(
    program: LinearProgram, n: int, start: Floats | None, gap: float, nodes: int, time_limit_s: float
) -> tuple[Floats, int] | None:
    proto = to_proto(program, n)
    model = mathopt.Model.from_model_proto(proto)
    variables = list(model.variables())
    parameters: Any = mathopt.ModelSolveParameters()
    if start is not None:
        hint = dict(zip(variables[:n], start.tolist(), strict=True))
        parameters = mathopt.ModelSolveParameters(solution_hints=[mathopt.SolutionHint(variable_values=hint)])
    limits = mathopt.SolveParameters(
        time_limit=timedelta(seconds=time_limit_s), node_limit=nodes, relative_gap_tolerance=gap
    )
    try:
        result = mathopt.solve(model, mathopt.SolverType.HIGHS, params=limits, model_params=parameters)
    except Exception as error:  # noqa: BLE001 - the binding raises unrelated types; the plan at hand stands
        _LOG.debug("integer program not solved: %s", error)
        return None
    if not result.has_primal_feasible_solution():
        return None
    values = result.variable_values()
    found = np.array([values[v] for v in variables[:n]])
    return found, int(result.solve_stats.simplex_iterations)


def _blocks(pool: Pool, columns: Columns, values: Floats) -> tuple[Block, ...]:
    phase, mode = pool.options.phase, pool.options.mode
    return tuple(
        Block(tuple(pool.members[columns.of[c]].tolist()), int(phase[columns.option[c]]), int(mode[columns.option[c]]))
        for c in np.flatnonzero(values > 0.5).tolist()
    )


def _joined(pool: Pool, columns: Columns, program: LinearProgram, splits: Sequence[Split]) -> LinearProgram:
    """The program with rows that forbid these splits: what is taken by a phase needs something between it."""
    n, width = len(columns), program.matrix.shape[1]
    phase = pool.options.phase[columns.option]
    incidence = master_rows(pool, columns).parcel
    rows, hi = [], []
    for split in splits:
        early = (phase <= split.phase).astype(float)
        ends = np.asarray(incidence[list(split.ends)].sum(axis=0)).ravel() * early
        between = (np.asarray(incidence[list(split.between)].sum(axis=0)).ravel() > 0) * early
        rows.append(csr_matrix(np.concatenate([ends - between, np.zeros(width - n)])))
        hi.append(len(split.ends) - 1.0)
    return LinearProgram(
        program.c,
        program.upper,
        csr_matrix(vstack([program.matrix, *rows], format="csr")),
        np.concatenate([program.lo, np.full(len(rows), -np.inf)]),
        np.concatenate([program.hi, hi]),
    )
