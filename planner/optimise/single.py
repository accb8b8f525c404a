"""The best single connected set, exactly: branch and cut with SCIP through MathOpt.

One block of one option: maximise Σ weight_i·x_i + Σ gain_e·y_e over connected sets that keep linear rows on x (area
between L and U, shares, sums). It answers problems that ask for one block, and it prices blocks exactly.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

import numpy as np
from ortools.math_opt.python import mathopt
from scipy.sparse import coo_matrix, csr_matrix, vstack

from planner.optimise.graph import Graph
from planner.optimise.lp import LinearProgram, solve_lp
from planner.optimise.stop import Clock
from planner.optimise.rooted import Cut, Separator
from planner.problem import Floats, Ints

_LOG = logging.getLogger(__name__)
_TOLERANCE: Final = 1e-4
_LOOSE: Final = 1e-6
"""Relative slack added to the solver's bound, for its own tolerances."""
_FLOWS: Final = 60


@dataclass(frozen=True, eq=False)
class SingleBlock:
    """A search for one connected set among n parcels.

    Attributes
    ----------
    graph : Graph
    weight : float64[n]
        Worth of each parcel, currency.
    gain : float64[edges]
        What a contact of `graph.pairs` adds when both its ends are taken, 0 or more.
    rows : csr_matrix[R, n]
        Left sides of linear rows on the parcels taken.
    lo, hi : float64[R]
        Limits of the rows, ±inf where open.
    must : int64[k]
        Parcels that have to be in it.
    """

    graph: Graph
    weight: Floats
    gain: Floats
    rows: csr_matrix
    lo: Floats
    hi: Floats
    must: Ints


@dataclass(frozen=True)
class SingleAnswer:
    """The best set found and what was proven.

    Attributes
    ----------
    members : tuple of int or None
        None where none was found.
    value : float
        Of the set; -inf without one.
    bound : float
        No set is worth more; -inf where there is proven to be none.
    is_settled : bool
        The search ended by itself: the set is best up to the solver's tolerance.
    """

    members: tuple[int, ...] | None
    value: float
    bound: float
    is_settled: bool


def best_block(
    task: SingleBlock,
    start: tuple[int, ...] | None,
    time_limit_s: float,
    cutoff: float = -math.inf,
    found: Callable[[tuple[int, ...], float], None] | None = None,
) -> SingleAnswer:
    """The connected set of greatest worth.

    Parameters
    ----------
    task : SingleBlock
    start : tuple of int or None
        A connected set that keeps the rows, to begin with.
    time_limit_s : float
    cutoff : float
        Sets worth no more are of no interest.
    found : callable, optional
        Called with each better set.
    """
    search = _Search(task, cutoff, found)
    if start is not None:
        search.offer(np.isin(np.arange(len(task.weight)), start))
    search.tighten(0.5 * time_limit_s)
    return search.run(start, time_limit_s)


class _Search:
    def __init__(self, task: SingleBlock, cutoff: float, found: Callable[..., None] | None) -> None:
        self.task, self.found = task, found
        n = len(task.weight)
        self.scale = float(np.abs(task.weight).max(initial=0.0)) or 1.0
        self.separator = Separator(task.graph)
        self.members: tuple[int, ...] | None = None
        self.value = -math.inf
        self.cutoff = cutoff
        worthy = task.weight > 0
        self.seeds = worthy if worthy.any() else np.ones(n, dtype=np.bool_)
        model = self.model = mathopt.Model()
        self.x = [model.add_binary_variable(name="") for _ in range(n)]
        roots = np.flatnonzero(self._may_root())
        self.root: dict[int, Any] = {i: model.add_variable(lb=0.0, ub=1.0, name="") for i in roots.tolist()}
        use = np.flatnonzero(task.gain > 0)
        self.y = {e: model.add_variable(lb=0.0, ub=1.0, name="") for e in use.tolist()}
        self._rows(roots)
        worth = zip(
            [*self.x, *self.y.values()], np.concatenate([task.weight, task.gain[use]]) / self.scale, strict=True
        )
        model.maximize(mathopt.LinearSum(v * float(w) for v, w in worth))

    def _may_root(self) -> np.ndarray:
        """Parcels one of which any set of interest contains: those that must be in, else those worth something."""
        n = len(self.task.weight)
        if len(self.task.must):
            return np.isin(np.arange(n), self.task.must[:1])
        free = not len(self.task.lo) and not (self.task.gain > 0).any()
        return self.task.weight > 0 if free and self.cutoff >= 0 else np.ones(n, dtype=np.bool_)

    def _rows(self, roots: Ints) -> None:
        model, task = self.model, self.task
        for i in task.must.tolist():
            self.x[i].lower_bound = 1.0
        model.add_linear_constraint(mathopt.LinearSum(self.root.values()) == 1.0)
        for i, root in self.root.items():
            model.add_linear_constraint(root <= self.x[i])
        # the root is the first parcel of the set that may be one
        after: Any = 0.0
        for i in reversed(roots.tolist()[1:] if len(roots) > 1 else []):
            after = after + self.root[i]
            before = roots[np.searchsorted(roots, i) - 1]
            model.add_linear_constraint(after + self.x[before] <= 1.0)
        for e, y in self.y.items():
            i, j = task.graph.pairs[e].tolist()
            model.add_linear_constraint(y <= self.x[i])
            model.add_linear_constraint(y <= self.x[j])
        for r in range(task.rows.shape[0]):
            part = slice(task.rows.indptr[r], task.rows.indptr[r + 1])
            terms = zip(task.rows.indices[part].tolist(), task.rows.data[part].tolist(), strict=True)
            total = mathopt.LinearSum(self.x[i] * w for i, w in terms)
            model.add_linear_constraint(lb=float(task.lo[r]), ub=float(task.hi[r]), expr=total)
        for i in range(len(task.weight)):  # every set of more than the root itself holds a neighbour of each member
            self._add(model.add_linear_constraint, (i, np.array([i]), task.graph.of(i)))

    def _add(self, add: Callable[[Any], Any], cut: Cut) -> None:
        i, inside, around = cut
        roots = [self.root[j] for j in inside.tolist() if j in self.root]
        if len(roots) == len(self.root) or i in self.task.must and not len(around):
            return
        add(self.x[i] <= mathopt.LinearSum([*roots, *(self.x[j] for j in around.tolist())]))

    def offer(self, chosen: np.ndarray) -> bool:
        """Take a 0/1 point as the best set if it is one."""
        task = self.task
        members = tuple(np.flatnonzero(chosen).tolist())
        sums = task.rows @ chosen.astype(float)
        if not task.graph.is_connected(members) or (sums < task.lo - 1e-9).any() or (sums > task.hi + 1e-9).any():
            return False
        value = float(task.weight[chosen].sum() + task.gain[chosen[task.graph.pairs].all(axis=1)].sum())
        if value > self.value:
            self.members, self.value = members, value
            if self.found is not None:
                self.found(members, value)
        return True

    def _callback(self, data: Any) -> Any:
        result = mathopt.CallbackResult()
        values = data.solution
        if values is None:
            return result
        plain = np.fromiter(values.values(), dtype=float, count=len(values))  # all of them, in order of their ids
        x, root = self._point(plain)
        integral = data.event == mathopt.Event.MIP_SOLUTION
        if integral:
            self.offer(x > 0.5)
        add = result.add_lazy_constraint if integral else result.add_user_cut
        for cut in self.separator.cuts(x, root, self.seeds, 1e-6 if integral else _TOLERANCE, _FLOWS, not integral):
            self._add(add, cut)
        return result

    def _point(self, values: Floats) -> tuple[Floats, Floats]:
        """Parcels taken and roots, from the values of all variables in order."""
        n, k = len(self.x), len(self.root)
        root = np.zeros(n)
        root[list(self.root)] = values[n : n + k]
        return values[:n], root

    def tighten(self, time_limit_s: float) -> None:
        """Cuts for the root of the tree: programs without integers are solved and cut again while it helps."""
        clock = Clock(time_limit_s)
        task = self.task
        n, roots, edges = len(self.x), np.array(list(self.root)), np.array(list(self.y), dtype=np.int64)
        k, m = len(roots), len(edges)
        width = n + k + m
        column = np.full(n, -1, dtype=np.int64)
        column[roots] = n + np.arange(k)

        def row(cut: Cut) -> Any:
            i, inside, around = cut
            held = column[inside][column[inside] >= 0]
            where = np.concatenate([[i], held, around])
            return coo_matrix(
                (np.concatenate([[1.0], -np.ones(len(where) - 1)]), (np.zeros(len(where)), where)), shape=(1, width)
            )

        ends = task.graph.pairs[edges]
        y = n + k + np.arange(m)
        one = np.ones(m)
        saved = [
            coo_matrix(
                (np.concatenate([one, -one]), (np.tile(np.arange(m), 2), np.concatenate([y, ends[:, s]]))), (m, width)
            )
            for s in (0, 1)
        ]
        pick = coo_matrix((np.ones(k), (np.zeros(k), n + np.arange(k))), shape=(1, width))
        least = coo_matrix(
            (np.tile([1.0, -1.0], k), (np.repeat(np.arange(k), 2), np.stack([n + np.arange(k), roots], 1).ravel())),
            (k, width),
        )
        wide = csr_matrix((task.rows.data, task.rows.indices, task.rows.indptr), shape=(task.rows.shape[0], width))
        base = vstack(
            [pick, least, *saved, wide, *(row((i, np.array([i]), task.graph.of(i))) for i in range(n))], format="csr"
        )
        count = base.shape[0]
        lo = np.full(count, -np.inf)
        hi = np.zeros(count)
        lo[0], hi[0] = 1.0, 1.0
        at = 1 + k + 2 * m
        lo[at : at + len(task.lo)], hi[at : at + len(task.hi)] = task.lo, task.hi
        c = np.concatenate([task.weight, np.zeros(k), task.gain[edges]])
        upper = np.ones(width)
        cuts: list[Cut] = []
        rows: list[Any] = []
        last = math.inf
        idle = 0
        while not clock.over():
            matrix = vstack([base, *rows], format="csr")
            extra = len(rows)
            program = LinearProgram(
                c, upper, matrix, np.concatenate([lo, np.full(extra, -np.inf)]), np.concatenate([hi, np.zeros(extra)])
            )
            solution = solve_lp(program, clock.remaining())
            if solution is None:
                break
            idle = idle + 1 if last - solution.objective < 1e-4 * abs(solution.objective) else 0
            last = solution.objective
            import os

            if os.environ.get("DBG"):
                print(round(clock.elapsed(), 2), last, len(rows))
            slack = -(matrix[count:] @ solution.x) if extra else np.zeros(0)
            keep = [q for q in range(extra) if slack[q] < 0.1]
            cuts, rows = [cuts[q] for q in keep], [rows[q] for q in keep]
            x, root = self._point(solution.x)
            fresh = list(self.separator.cuts(x, root, self.seeds, _TOLERANCE, 4 * _FLOWS, True))
            if not fresh or idle >= 8:
                break
            cuts += fresh
            rows += [row(cut) for cut in fresh]
        for cut in cuts:
            self._add(self.model.add_linear_constraint, cut)

    def run(self, start: tuple[int, ...] | None, time_limit_s: float) -> SingleAnswer:
        events = {mathopt.Event.MIP_SOLUTION, mathopt.Event.MIP_NODE}
        registration = mathopt.CallbackRegistration(events=events, add_lazy_constraints=True, add_cuts=True)
        parameters = mathopt.SolveParameters(time_limit=timedelta(seconds=max(time_limit_s, 0.1)), threads=1)
        hints = self._hint(start)
        try:
            result = mathopt.solve(
                self.model,
                mathopt.SolverType.GSCIP,
                params=parameters,
                model_params=mathopt.ModelSolveParameters(solution_hints=hints),
                callback_reg=registration,
                cb=self._callback,
            )
        except Exception as error:  # noqa: BLE001 - the binding raises unrelated types; the set found so far stands
            _LOG.warning("branch and cut ended early: %s", error)
            return SingleAnswer(self.members, self.value, math.inf, False)
        return self._answer(result)

    def _answer(self, result: Any) -> SingleAnswer:
        reason = result.termination.reason
        if reason == mathopt.TerminationReason.INFEASIBLE:
            return SingleAnswer(self.members, self.value, max(self.value, self.cutoff), True)
        bound = float(result.termination.objective_bounds.dual_bound) * self.scale
        bound += _LOOSE * max(abs(bound), self.scale)
        return SingleAnswer(
            self.members, self.value, max(bound, self.value), reason == mathopt.TerminationReason.OPTIMAL
        )

    def _hint(self, start: tuple[int, ...] | None) -> list[Any]:
        if start is None:
            return []
        inside = set(start)
        values = {v: float(i in inside) for i, v in enumerate(self.x)}
        first = next((i for i in sorted(self.root) if i in inside), None)
        values |= {v: float(i == first) for i, v in self.root.items()}
        pairs = self.task.graph.pairs
        values |= {v: float(inside.issuperset(pairs[e].tolist())) for e, v in self.y.items()}
        return [mathopt.SolutionHint(variable_values=values)]
