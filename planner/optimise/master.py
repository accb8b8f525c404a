"""The integer master: the best plan over given columns, by CP-SAT.

CP-SAT takes integers. Everything is rounded so that no plan is lost: worths and amounts up, uses and floors down. Its
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
from planner.optimise.rolling import Split, rolling_splits
from planner.problem import AREA_TOLERANCE_MU, Block, Floats, Problem

MONEY_STEPS: Final = 2**52
"""Integer steps that all worths and stretch penalties together map to."""
STEPS_PER_UNIT: Final = 10**6
LIMIT_STEPS: Final = 2**40
"""Integer steps that a budget or other limit maps to."""
_ROLLING_ROUNDS: Final = 12


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
    work : float
        Deterministic units of work it took.
    """

    blocks: tuple[Block, ...] | None
    bound: float | None
    optimal: bool
    work: float = 0.0


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
    model = _Model(pool, columns)
    if hint is not None:
        model.hint(hint)
    for _ in range(_ROLLING_ROUNDS if pool.problem.rolling else 1):
        result = model.solve(time_limit_s, work, seed, workers)
        splits = [] if result.blocks is None else rolling_splits(pool.problem, pool.graph, result.blocks)
        if not splits:
            return result
        model.join(splits)
    return MasterResult(None, result.bound, False)


class _Model:
    """The integer program, to which rows of the rolling rule are added as they are found broken."""

    def __init__(self, pool: Pool, columns: Columns) -> None:
        self.pool, self.columns = pool, columns
        self.model = cp_model.CpModel()
        self.x = [self.model.new_bool_var(f"x{c}") for c in range(len(columns))]
        self.rows = master_rows(pool, columns)
        problem = pool.problem
        _add_parcels(self.model, self.x, self.rows, problem)
        _add_targets(self.model, self.x, self.rows, problem)
        _add_limits(self.model, self.x, self.rows, problem)
        self.step = _money_step(self.rows, columns, problem)
        unmet = _add_stretches(self.model, self.x, self.rows, problem, self.step)
        worth = np.ceil(columns.worth / self.step).astype(np.int64).tolist()
        self.model.maximize(cp_model.LinearExpr.weighted_sum([*self.x, *unmet], [*worth, *[-1] * len(unmet)]))

    def hint(self, plan: Sequence[Block]) -> None:
        """Offer a plan as a start."""
        options = self.pool.options
        chosen = {(self.pool.add(b.parcels), options.of(b.phase, b.mode)) for b in plan}
        for c, variable in enumerate(self.x):
            self.model.add_hint(variable, (int(self.columns.of[c]), int(self.columns.option[c])) in chosen)

    def solve(self, time_limit_s: float, work: float | None, seed: int, workers: int) -> MasterResult:
        """Best plan over the columns."""
        solver = cp_model.CpSolver()
        solver.parameters.max_time_in_seconds = max(0.1, time_limit_s)
        if work is not None:
            solver.parameters.max_deterministic_time = work
        solver.parameters.num_workers = workers
        solver.parameters.random_seed = seed
        # part of the presolve of OR-Tools 9.15 has called wrong answers optimal (seen on set packing with limits)
        solver.parameters.presolve_inclusion_work_limit = 0
        solver.parameters.catch_sigint_signal = False  # the caller decides what Ctrl-C means
        status = solver.solve(self.model)
        if status not in {cp_model.OPTIMAL, cp_model.FEASIBLE}:
            return MasterResult(None, None, status == cp_model.INFEASIBLE, _work(solver))
        picked = [c for c, variable in enumerate(self.x) if solver.boolean_value(variable)]
        options = self.pool.options
        blocks = tuple(
            Block(
                tuple(self.pool.members[self.columns.of[c]].tolist()),
                int(options.phase[self.columns.option[c]]),
                int(options.mode[self.columns.option[c]]),
            )
            for c in picked
        )
        return MasterResult(
            blocks, (solver.best_objective_bound + 1) * self.step, status == cp_model.OPTIMAL, _work(solver)
        )

    def join(self, splits: Sequence[Split]) -> None:
        """For parcels i and j (or i alone, where land exists): taken by phase t, they need something between them."""
        phase = self.pool.options.phase[self.columns.option]
        incidence = self.rows.parcel
        for split in splits:
            early = phase <= split.phase

            def taken(parcels: Sequence[int], early: Any = early) -> Any:
                hits = np.asarray(incidence[list(parcels)].sum(axis=0)).ravel() > 0
                return cp_model.LinearExpr.sum([self.x[c] for c in np.flatnonzero(hits & early).tolist()])

            ends = sum(taken([i]) for i in split.ends)
            self.model.add(ends - len(split.ends) + 1 <= taken(split.between))


def _work(solver: cp_model.CpSolver) -> float:
    work: float = solver.response_proto.deterministic_time
    return work


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
    penalties = sum(
        float(t.stretch_price) * (float(rows.target[k].sum()) + (t.stretch or 0.0)) for k, t in _stretched(problem)
    )
    return max(float(np.abs(columns.worth).sum()) + penalties, 1e-300) / MONEY_STEPS


def _stretched(problem: Problem) -> list[tuple[int, Any]]:
    return [(k, t) for k, t in enumerate(problem.targets) if t.stretch and t.stretch_price > 0]


def _step(amounts: Floats, limit: float) -> float:
    """Integer steps per unit: a millionth, coarser where sums over all columns would leave 2^52."""
    return min(float(STEPS_PER_UNIT), 2.0**52 / max(float(np.abs(amounts).sum()), limit, 1.0))


def _add_targets(model: cp_model.CpModel, x: list[Any], rows: MasterRows, problem: Problem) -> None:
    """Floors and ceilings."""
    for k, target in enumerate(problem.targets):
        steps = _step(rows.target[k], max(target.floor, target.ceiling or 0.0))
        if target.floor > 0:
            amount = np.ceil(rows.target[k] * steps).astype(np.int64)
            least = int(np.floor((target.floor - AREA_TOLERANCE_MU) * steps))
            model.add(cp_model.LinearExpr.weighted_sum(x, amount.tolist()) >= least)
        if target.ceiling is not None:
            amount = np.floor(rows.target[k] * steps).astype(np.int64)
            most = int(np.ceil((target.ceiling + AREA_TOLERANCE_MU) * steps))
            model.add(cp_model.LinearExpr.weighted_sum(x, amount.tolist()) <= most)


def _add_stretches(model: cp_model.CpModel, x: list[Any], rows: MasterRows, problem: Problem, step: float) -> list[Any]:
    """Unmet part of each stretch, as a variable counted in money steps, so that the objective needs no price for it."""
    unmet = []
    for k, target in _stretched(problem):
        per_unit = target.stretch_price / step
        amount = np.ceil(rows.target[k] * per_unit).astype(np.int64)
        goal = int(np.floor(target.stretch * per_unit))
        short = model.new_int_var(0, goal, f"u{k}")
        model.add(cp_model.LinearExpr.weighted_sum([*x, short], [*amount.tolist(), 1]) >= goal)
        unmet.append(short)
    return unmet


def _most_given(rows: MasterRows, use: Floats) -> float:
    """No plan gives back more: what a column gives in equal parts by its parcels, of each parcel the largest part."""
    gives = np.flatnonzero(use < 0)
    if not len(gives):
        return 0.0
    part = rows.parcel[:, gives].tocsr()
    size = np.asarray(part.sum(axis=0)).ravel()
    share = part.multiply((-use[gives] / size)[None, :]).tocsr()
    return float(share.max(axis=1).toarray().sum()) * (1 + 1e-9)


def _add_limits(model: cp_model.CpModel, x: list[Any], rows: MasterRows, problem: Problem) -> None:
    """Budgets and resources, and number of blocks of each phase."""
    for use, plain, slack in zip(rows.use, rows.limit.tolist(), rows.slack.tolist(), strict=True):
        limit = plain + slack
        given = _most_given(rows, use)
        size = max(abs(limit), given, slack)
        step = size / LIMIT_STEPS
        # a column dearer than the limit and all that others can give is cut to just above both, which keeps it out and
        # the integers small
        taken = np.floor(np.minimum(use, 2 * (max(limit, 0.0) + given) + size) / step).astype(np.int64)
        some = np.flatnonzero(taken)
        most = int(np.ceil(limit / step))
        model.add(cp_model.LinearExpr.weighted_sum([x[c] for c in some], taken[some].tolist()) <= most)
    for t, phase in enumerate(problem.phases):
        mine = np.flatnonzero(rows.count[t])
        if phase.max_blocks is not None and len(mine):
            model.add(cp_model.LinearExpr.sum([x[c] for c in mine]) <= phase.max_blocks)
