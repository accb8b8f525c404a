"""Linear and integer programs over connected sets, cut where a point is not connected."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from ortools.math_opt import (
    callback_pb2,
    model_parameters_pb2,
    parameters_pb2,
    result_pb2,
)
from ortools.math_opt.core.python import solver
from scipy.sparse import coo_matrix, csr_matrix, vstack

from planner.optimise.connected import Best, SingleBlock
from planner.optimise.lp import ROUNDING, LinearProgram, to_proto
from planner.optimise.rooted import Cut, Separator
from planner.optimise.stop import Clock
from planner.problem import Bools, Floats, Ints

_LOG = logging.getLogger(__name__)
_TOLERANCE: Final = 1e-4
_SOLVER_TOLERANCE: Final = 1e-6
"""Slack added to a bound that only the solver vouches for, relative."""
_GAP: Final = 1e-7
"""Relative gap at which the solver may end an integer program."""
_FLOWS: Final = 240
"""Most minimum cuts looked for at one point."""
_IDLE: Final = 8
"""Most rounds of cuts in a row that bring nothing."""
_MANY: Final = 0.25
"""Share of the parcels that, once decided, makes it worth to begin again without them."""
_LEAST_GAIN: Final = 1e-4
"""What counts as something, relative."""
_WORK_PER_NUMBER: Final = 1e-5
_WORK_PER_STEP: Final = 1e-3


@dataclass(frozen=True, eq=False)
class _Solution:
    """`x` and `dual` are None without a point; `bound` as the solver says, inf where it says nothing."""

    x: Floats | None
    dual: Floats | None
    bound: float
    impossible: bool
    finished: bool
    steps: int


class RootedProgram:
    """Best connected set of a question: x_i says whether parcel i is taken, y_e whether both ends of contact e are.

    The root is the first parcel that must be in; where none must, r_j is the share of j as the root (one of
    `roots`).

    Parameters
    ----------
    task : SingleBlock
    roots : int64[k]
        Every set of interest holds one of them; not used where some parcel must be in.

    Attributes
    ----------
    bound : float
        No set is worth more; -inf where there is proven to be none.
    work : float
        Units of about a second, counted.
    """

    def __init__(self, task: SingleBlock, roots: Ints) -> None:
        self.task = task
        self.bound, self.work = np.inf, 0.0
        n = self.n = len(task.weight)
        must = np.flatnonzero(task.must)
        self.fixed_root = np.zeros(n)
        self.fixed_root[must[:1]] = 1.0
        self.roots = roots if not len(must) else must[:0]
        edges = np.flatnonzero(task.gain > 0)
        self.width = n + len(self.roots) + len(edges)
        self.c = np.concatenate([task.weight, np.zeros(len(self.roots)), task.gain[edges]])
        self.scale = float(np.abs(self.c).max(initial=0.0)) or 1.0
        self.upper = np.ones(self.width)
        self.separator = Separator(task.graph)
        self._column = np.full(n, -1, dtype=np.int64)
        self._column[self.roots] = n + np.arange(len(self.roots))
        self._seeds = task.most() > 0
        if not self._seeds.any() or len(task.lo):
            self._seeds = np.ones(n, dtype=np.bool_)
        self._base(must, edges)
        self.cuts: list[Ints] = []
        self._left = (np.inf, np.zeros(self.width))

    def _base(self, must: Ints, edges: Ints) -> None:
        """Rows that are always there."""
        task, n, k, m = self.task, self.n, len(self.roots), len(edges)
        root = n + np.arange(k)
        rows, lo, hi = [self._matrix(np.arange(len(must)), must, np.ones(len(must)), len(must))], [1.0] * len(must), []
        hi += [1.0] * len(must)
        if k:
            rows.append(self._matrix(np.zeros(k), root, np.ones(k), 1))
            lo, hi = [*lo, 1.0], [*hi, 1.0]
            rows.append(self._differences(root, self.roots))
            lo, hi = lo + [-np.inf] * k, hi + [0.0] * k
        y, ends = n + k + np.arange(m), task.graph.pairs[edges]
        rows += [self._differences(y, ends[:, side]) for side in (0, 1)]
        lo, hi = lo + [-np.inf] * (2 * m), hi + [0.0] * (2 * m)
        given = task.rows.tocoo()
        rows.append(self._matrix(given.row, given.col, given.data, len(task.lo)))
        lo, hi = lo + task.lo.tolist(), hi + task.hi.tolist()
        # a set of more than the root itself holds a neighbour of each of its parcels
        near = [self._terms((i, np.array([i]), task.graph.of(i))) for i in range(n) if not self.fixed_root[i]]
        self._rows = vstack([*rows, self._cut_rows(near)], format="csr")
        self._lo = np.array(lo + [-np.inf] * len(near))
        self._hi = np.array(hi + [0.0] * len(near))

    def _matrix(self, row: Any, column: Any, values: Any, count: int) -> csr_matrix:
        return coo_matrix((values, (row, column)), shape=(count, self.width)).tocsr()

    def _differences(self, more: Ints, less: Ints) -> csr_matrix:
        """Rows x[more] - x[less], to be at most 0."""
        k = len(more)
        column = np.stack([more, less], axis=1).ravel()
        return self._matrix(np.repeat(np.arange(k), 2), column, np.tile([1.0, -1.0], k), k)

    def _terms(self, cut: Cut) -> Ints:
        """Variables of a cut: the first is at most the sum of the others."""
        i, inside, around = cut
        held = self._column[inside]
        return np.concatenate([[i], held[held >= 0], around])

    def _cut_rows(self, cuts: list[Ints]) -> csr_matrix:
        """Rows of cuts, to be at most 0."""
        start = np.concatenate([[0], np.cumsum([len(terms) for terms in cuts])]).astype(np.int64)
        where = np.concatenate(cuts) if cuts else np.zeros(0, dtype=np.int64)
        values = -np.ones(len(where))
        values[start[:-1]] = 1.0
        return csr_matrix((values, where, start), shape=(len(cuts), self.width))

    def _program(self, least: float) -> LinearProgram:
        """With all cuts; sets worth less than `least` are of no interest."""
        extra = len(self.cuts)
        rows, lo, hi = [self._rows, self._cut_rows(self.cuts)], self._lo, np.concatenate([self._hi, np.zeros(extra)])
        lo = np.concatenate([lo, np.full(extra, -np.inf)])
        if np.isfinite(least):
            rows.append(csr_matrix(self.c / self.scale))
            lo, hi = np.append(lo, least / self.scale), np.append(hi, np.inf)
        matrix = vstack(rows, format="csr")
        return LinearProgram(self.c / self.scale, self.upper, matrix, lo, hi)

    def _solve(self, program: LinearProgram, integers: int, clock: Clock) -> _Solution:
        parameters = parameters_pb2.SolveParametersProto()
        parameters.time_limit.FromNanoseconds(max(1, int(clock.remaining() * 1e9)))
        if integers:
            parameters.relative_gap_tolerance = _GAP
            parameters.absolute_gap_tolerance = 0.0
        self.work += program.matrix.nnz * _WORK_PER_NUMBER
        try:
            result = solver.solve(
                to_proto(program, integers),
                parameters_pb2.SOLVER_TYPE_HIGHS,
                parameters_pb2.SolverInitializerProto(),
                parameters,
                model_parameters_pb2.ModelSolveParametersProto(),
                None,
                callback_pb2.CallbackRegistrationProto(),
                None,
                None,
            )
        except Exception as error:  # noqa: BLE001 - the binding raises unrelated types; what is known so far stands
            _LOG.warning("program of one connected block not solved: %s", error)
            return _Solution(None, None, np.inf, False, False, 0)
        steps = int(result.solve_stats.simplex_iterations)
        self.work += steps * _WORK_PER_STEP if integers else 0.0
        return self._read(result, program, steps)

    def _read(self, result: Any, program: LinearProgram, steps: int) -> _Solution:
        reason = result.termination.reason
        # every variable is between 0 and 1: nothing is unbounded
        impossible = reason in (
            result_pb2.TERMINATION_REASON_INFEASIBLE,
            result_pb2.TERMINATION_REASON_INFEASIBLE_OR_UNBOUNDED,
        )
        bound = float(result.termination.objective_bounds.dual_bound) * self.scale
        finished = impossible or reason == result_pb2.TERMINATION_REASON_OPTIMAL
        if not result.solutions or not result.solutions[0].HasField("primal_solution"):
            return _Solution(None, None, bound, impossible, finished, steps)
        x, dual = np.zeros(self.width), np.zeros(len(program.lo))
        values = result.solutions[0].primal_solution.variable_values
        x[np.fromiter(values.ids, dtype=np.int64)] = np.fromiter(values.values, dtype=float)
        duals = result.solutions[0].dual_solution.dual_values
        dual[np.fromiter(duals.ids, dtype=np.int64)] = np.fromiter(duals.values, dtype=float)
        return _Solution(x, dual, bound, impossible, finished, steps)

    def _priced(self, program: LinearProgram, dual: Floats) -> tuple[float, Floats]:
        """A bound that holds for any multipliers, and by how much each variable would change it; divided by scale."""
        up = np.where(np.isfinite(program.hi), np.maximum(dual, 0.0), 0.0)
        down = np.where(np.isfinite(program.lo), np.minimum(dual, 0.0), 0.0)
        hi, lo = np.where(up > 0, program.hi, 0.0), np.where(down < 0, program.lo, 0.0)
        left = program.c - program.matrix.T @ (up + down)
        gross = np.abs(program.c) + np.abs(program.matrix).T @ (up - down)
        slack = ROUNDING * float((np.abs(up * hi) + np.abs(down * lo)).sum() + gross.sum())
        return float((up * hi + down * lo).sum() + (np.maximum(left, 0.0) * program.upper).sum() + slack), left

    def point(self, x: Floats) -> tuple[Floats, Floats]:
        """Parcels taken and shares of being the root, ``float64[n]`` each."""
        root = self.fixed_root.copy()
        root[self.roots] = x[self.n : self.n + len(self.roots)]
        return x[: self.n], root

    def tighten(self, clock: Clock, best: Best) -> Iterator[Floats]:
        """Points of the program without integers, cut again and again until it brings nothing.

        It ends as soon as no set can be worth more than the best one, or many parcels are decided.
        """
        idle = 0
        while not clock.over() and idle < _IDLE:
            program = self._program(-np.inf)
            solution = self._solve(program, 0, clock)
            if solution.impossible:
                self.bound = -np.inf
            if solution.x is None or solution.dual is None or not solution.finished:
                return
            self._left = self._priced(program, solution.dual)
            bound = self._left[0] * self.scale
            idle = 0 if bound < self.bound - _LEAST_GAIN * abs(bound) else idle + 1
            self.bound = min(bound, self.bound)
            if self.bound <= best.value:
                return
            yield solution.x[: self.n]
            never, always = self.decided(best.value)
            if never.sum() + (always & ~self.task.must).sum() > _MANY * self.n:
                return
            if not self._cut(solution.x, _TOLERANCE, drop=True):
                return

    def _cut(self, values: Floats, tolerance: float, *, drop: bool) -> int:
        """Add the cuts that a point violates, and `drop` those far from it; how many were added."""
        if drop:
            slack = self._cut_rows(self.cuts) @ values
            self.cuts = [terms for terms, at in zip(self.cuts, slack.tolist(), strict=True) if at > -0.1]
        x, root = self.point(values)
        fresh = [self._terms(cut) for cut in self.separator.cuts(x, root, self._seeds, tolerance, _FLOWS, drop)]
        self.cuts += fresh
        return len(fresh)

    def decided(self, value: float) -> tuple[Bools, Bools]:
        """Parcels that no set worth more than `value` holds, and those that all of them hold."""
        bound, left = self._left
        cost = left[: self.n]
        never = (cost < 0) & (bound + cost < value / self.scale)
        always = (cost > 0) & (bound - cost < value / self.scale)
        return never, always

    def settle(self, clock: Clock, best: Best) -> Iterator[Floats]:
        """Points in whole numbers, cut until one is connected or nothing is worth more than the best set."""
        while not clock.over() and self.bound > best.value:
            value = best.value
            solution = self._solve(self._program(value), self.n + len(self.roots), clock)
            margin = _SOLVER_TOLERANCE * max(abs(value) if np.isfinite(value) else 0.0, self.scale)
            if solution.impossible:
                self.bound = value + margin if np.isfinite(value) else -np.inf
                return
            if np.isfinite(solution.bound):
                self.bound = min(self.bound, solution.bound + _SOLVER_TOLERANCE * max(abs(solution.bound), self.scale))
            if solution.x is None:
                return
            yield np.rint(solution.x[: self.n])
            if not self._cut(np.rint(solution.x), 0.5, drop=False) or not solution.finished:
                return

    def without(self, never: Bools, task: SingleBlock) -> RootedProgram:
        """The program of `task`, the same question without the parcels `never`, with the cuts found so far."""
        program = RootedProgram(task, np.zeros(0, dtype=np.int64))
        ends = self.task.graph.pairs[self.task.gain > 0]
        keep = np.concatenate([~never, ~never[ends].any(axis=1)])
        number = np.cumsum(keep) - 1
        program.cuts = [number[terms[keep[terms]]] for terms in self.cuts if keep[terms[0]]]
        program.bound = self.bound
        return program
