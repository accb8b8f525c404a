"""The integer master: the best plan over given columns, by CP-SAT.

CP-SAT takes integers. Everything is rounded so that no plan is lost: worths and areas up, costs and floors down. Its
bound is therefore valid for the columns it was given; a plan that exists only by rounding is refused afterwards by
`evaluate.plan_faults`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from ortools.sat.python import cp_model

from planner.optimise.columns import Columns, MasterRows, Pool, master_rows
from planner.problem import AREA_TOLERANCE_MU, MONEY_TOLERANCE, Block, Problem

MONEY_STEPS: Final = 2**52
"""Integer steps that all worths and stretch penalties together map to."""
AREA_STEPS_PER_MU: Final = 10**6
BUDGET_STEPS: Final = 2**40
"""Integer steps that a budget maps to."""


@dataclass(frozen=True)
class MasterResult:
    """Answer of the integer master.

    Attributes
    ----------
    blocks : tuple of Block or None
        The best plan found.
    bound : float or None
        No plan over these columns is worth more, in currency.
    optimal : bool
        Settled: `blocks` is best up to rounding, or, without blocks, there is no plan.
    """

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
    """Choose columns.

    Parameters
    ----------
    pool, columns : Pool, Columns
        Blocks on offer.
    hint : sequence of Block or None
        A plan whose sets are in the pool; given to the solver in full.
    time_limit_s, work : float, float or None
        Clock limit, and limit in the solver's deterministic units of work.
    seed, workers : int
        One worker gives the same answer every time.
    """
    model = cp_model.CpModel()
    x = [model.new_bool_var(f"x{c}") for c in range(len(columns))]
    rows = master_rows(pool, columns)
    _add_parcels(model, x, rows, pool.problem)
    _add_floors(model, x, rows, pool.problem)
    _add_phase_limits(model, x, rows, columns, pool.problem)
    step = _money_step(rows, columns, pool.problem)
    unmet = _add_stretches(model, x, rows, pool.problem, step)
    worth = np.ceil(columns.worth / step).astype(np.int64).tolist()
    model.maximize(cp_model.LinearExpr.weighted_sum([*x, *unmet], [*worth, *[-1] * len(unmet)]))
    if hint is not None:
        chosen = {(pool.add(b.parcels), b.phase) for b in hint}
        for c, variable in enumerate(x):
            model.add_hint(variable, (int(columns.of[c]), int(columns.phase[c])) in chosen)
    solver = cp_model.CpSolver()
    solver.parameters.max_time_in_seconds = max(0.1, time_limit_s)
    if work is not None:
        solver.parameters.max_deterministic_time = work
    solver.parameters.num_workers = workers
    solver.parameters.random_seed = seed
    status = solver.solve(model)
    if status not in {cp_model.OPTIMAL, cp_model.FEASIBLE}:
        return MasterResult(None, None, status == cp_model.INFEASIBLE)
    picked = [c for c, variable in enumerate(x) if solver.boolean_value(variable)]
    blocks = tuple(Block(tuple(pool.members[columns.of[c]].tolist()), int(columns.phase[c])) for c in picked)
    return MasterResult(blocks, (solver.best_objective_bound + 1) * step, status == cp_model.OPTIMAL)


def _add_parcels(model: cp_model.CpModel, x: list[Any], rows: MasterRows, problem: Problem) -> None:
    """Each parcel at most once, a locked one exactly once."""
    for i in range(problem.n):
        part = rows.parcel.indices[rows.parcel.indptr[i] : rows.parcel.indptr[i + 1]]
        if problem.lock_by[i] >= 0:
            model.add_exactly_one([x[c] for c in part])
        elif len(part) > 1:
            model.add_at_most_one([x[c] for c in part])


def _money_step(rows: MasterRows, columns: Columns, problem: Problem) -> float:
    """Currency per integer step: worths and penalties, added up over all columns, stay far inside 64 bits."""
    stretches = [k for k, target in enumerate(problem.targets) if target.stretch_mu]
    penalties = problem.stretch_per_mu * sum(
        float(rows.area[k].sum()) + (problem.targets[k].stretch_mu or 0.0) for k in stretches
    )
    return max(float(np.abs(columns.worth).sum()) + penalties, 1e-300) / MONEY_STEPS


def _add_floors(model: cp_model.CpModel, x: list[Any], rows: MasterRows, problem: Problem) -> None:
    for k, target in enumerate(problem.targets):
        if target.floor_mu > 0:
            area = np.ceil(rows.area[k] * AREA_STEPS_PER_MU).astype(np.int64)
            least = int(np.floor((target.floor_mu - AREA_TOLERANCE_MU) * AREA_STEPS_PER_MU))
            model.add(cp_model.LinearExpr.weighted_sum(x, area.tolist()) >= least)


def _add_stretches(model: cp_model.CpModel, x: list[Any], rows: MasterRows, problem: Problem, step: float) -> list[Any]:
    """Unmet part of each stretch, as a variable counted in money steps, so that the objective needs no price for it."""
    unmet = []
    for k, target in enumerate(problem.targets):
        if target.stretch_mu and problem.stretch_per_mu > 0:
            area = np.ceil(rows.area[k] * (problem.stretch_per_mu / step)).astype(np.int64)
            goal = int(np.floor(target.stretch_mu * (problem.stretch_per_mu / step)))
            short = model.new_int_var(0, goal, f"u{k}")
            model.add(cp_model.LinearExpr.weighted_sum([*x, short], [*area.tolist(), 1]) >= goal)
            unmet.append(short)
    return unmet


def _add_phase_limits(
    model: cp_model.CpModel, x: list[Any], rows: MasterRows, columns: Columns, problem: Problem
) -> None:
    """Budget and number of blocks of each phase."""
    for t, phase in enumerate(problem.phases):
        mine = np.flatnonzero(columns.phase == t)
        if phase.budget is not None and len(mine):
            limit = phase.budget + MONEY_TOLERANCE * max(1.0, phase.budget)
            step = limit / BUDGET_STEPS
            # a column dearer than the budget is cut to just above it, which keeps it out and the integers small
            cost = np.floor(np.minimum(rows.cost[t, mine], 2 * limit) / step).astype(np.int64)
            model.add(cp_model.LinearExpr.weighted_sum([x[c] for c in mine], cost.tolist()) <= BUDGET_STEPS)
        if phase.max_blocks is not None and len(mine):
            model.add(cp_model.LinearExpr.sum([x[c] for c in mine]) <= phase.max_blocks)
