"""Branch and cut on the parcel–option relaxation, with SCIP through MathOpt, for zones of up to a thousand parcels.

The program starts with the cuts that the cutting planes ended with; parcels whose reduced worth rules them out (or in)
for every plan better than the one at hand are fixed. Connectivity is separated at fractional points and at integer ones
(lazily). A connected set larger than a block may be cannot save all its inner boundary: whatever is left out or goes to
another block cuts it in two, so that ``Σ_e w_e·y_e ≤ W(S) − κ(S)`` with κ the least cut of the boundaries inside S.
What the program still does not know of blocks only makes its bound weaker.
"""

from __future__ import annotations

import logging
import queue
import threading
from collections.abc import Iterator
from datetime import timedelta
from typing import Any, Final

import numpy as np
from ortools.graph.python import max_flow
from ortools.math_opt import model_pb2, sparse_containers_pb2
from ortools.math_opt.python import mathopt
from ortools.util.python.solve_interrupter import SolveInterrupter
from scipy.sparse import coo_matrix, csr_matrix, hstack, vstack

from planner.optimise.cuts import separate
from planner.optimise.evaluate import objective, ordered, plan_faults
from planner.optimise.events import BoundFound, Event, PlanFound, RootFound
from planner.optimise.formulation import Relaxation
from planner.optimise.graph import Graph
from planner.problem import AREA_TOLERANCE_MU, Block, Bools, Floats, Ints

_LOG = logging.getLogger(__name__)
PROOF: Final = "branch and cut on the parcel-phase relaxation"
_SAFE: Final = 1e-6
"""Relative slack added to the solver's bound for its tolerances."""
_LARGEST_SET: Final = 400
_FRACTIONAL: Final = 0.02
_WORK_PER_ITERATION: Final = 1e-3
_STEPS: Final = 10**6
_BEAT: Final = 0.25
"""Work between two words of the solve."""
MOST_COLUMNS: Final = 3_500
"""Largest relaxation that branching is tried on."""
_STYLES: Final = (0, 1, 2)


def branch(
    relaxation: Relaxation, root: RootFound, plan: tuple[Block, ...], worth: float, limit_s: float
) -> Iterator[Event]:
    """Better bounds and plans, as they are found.

    Parameters
    ----------
    relaxation : Relaxation
    root : RootFound
    plan, worth : tuple of Block, float
        The best plan at hand.
    limit_s : float
        Seconds.
    """
    answers: queue.Queue[Event | None] = queue.Queue()
    tree = _Tree(relaxation, root, plan, worth, answers)

    def work() -> None:
        try:
            tree.run(limit_s)
        except Exception as error:  # noqa: BLE001 - the binding raises unrelated types; what was proven so far stands
            _LOG.warning("branch and cut ended early: %s", error)
        finally:
            answers.put(None)

    threading.Thread(target=work, daemon=True).start()
    try:
        while (event := answers.get()) is not None:
            yield event
    finally:
        tree.interrupter.interrupt()


class _Tree:
    """One branch and cut."""

    def __init__(
        self, relaxation: Relaxation, root: RootFound, plan: tuple[Block, ...], worth: float, answers: queue.Queue[Any]
    ) -> None:
        self.relaxation, self.problem = relaxation, relaxation.problem
        self.root, self.answers = root, answers
        self.plan, self.worth = plan, worth
        self.bound = root.result.bound
        self.work = self.told = root.work
        self.interrupter = SolveInterrupter()
        self.goal = relaxation.plan_goal()
        self.n_x, self.n_y = relaxation.n_x, len(self.goal.saved)
        price = self.goal.shortage_price
        self.short = np.flatnonzero(np.isfinite(price) & np.isfinite(relaxation.limits.lo))
        self.width = self.n_x + self.n_y + len(self.short)
        self.scale = float(np.abs(self.goal.worth).max(initial=0.0)) or 1.0
        self.graphs = [_induced(relaxation.graph, relaxation.x[:, o] >= 0) for o in range(len(relaxation.options))]
        self.edges = _edge_index(self.goal.edge_i, self.goal.edge_j)

    # the program --------------------------------------------------------------------------------------------------

    def _program(self) -> mathopt.Model:
        lower, upper = self._fixed()
        matrix, lo, hi = self._rows()
        cells = matrix.tocoo()
        order = np.lexsort((cells.col, cells.row))
        worth = np.concatenate([self.goal.worth, self.goal.saved, -self.goal.shortage_price[self.short]]) / self.scale
        some = np.flatnonzero(worth)
        integers = np.arange(self.width) < self.n_x
        proto = model_pb2.ModelProto(
            variables=model_pb2.VariablesProto(
                ids=range(self.width),
                lower_bounds=lower.tolist(),
                upper_bounds=upper.tolist(),
                integers=integers.tolist(),
            ),
            objective=model_pb2.ObjectiveProto(
                maximize=True,
                linear_coefficients=sparse_containers_pb2.SparseDoubleVectorProto(
                    ids=some.tolist(), values=worth[some].tolist()
                ),
            ),
            linear_constraints=model_pb2.LinearConstraintsProto(
                ids=range(len(lo)), lower_bounds=lo.tolist(), upper_bounds=hi.tolist()
            ),
            linear_constraint_matrix=sparse_containers_pb2.SparseDoubleMatrixProto(
                row_ids=cells.row[order].tolist(),
                column_ids=cells.col[order].tolist(),
                coefficients=cells.data[order].tolist(),
            ),
        )
        return mathopt.Model.from_model_proto(proto)

    def _fixed(self) -> tuple[Floats, Floats]:
        """Limits of the variables; a column whose use would cost more than there is to gain is closed."""
        lower, upper = np.zeros(self.width), np.ones(self.width)
        upper[self.n_x + self.n_y :] = np.inf
        room = self.root.result.bound - self.worth + _SAFE * self.scale
        loss = self.root.result.loss
        if loss is not None:
            x, open_ = self.relaxation.x, self.relaxation.open
            upper[x[open_ & (loss > room)]] = 0.0
        return lower, upper

    def _rows(self) -> tuple[csr_matrix, Floats, Floats]:
        relaxation, goal = self.relaxation, self.goal
        n_parcels = len(relaxation.start) - 1
        parcel = np.repeat(np.arange(n_parcels), np.diff(relaxation.start))
        once = coo_matrix((np.ones(self.n_x), (parcel, np.arange(self.n_x))), shape=(n_parcels, self.width))
        must = relaxation.locked.astype(float)
        out = self.root.result.loss_out
        if out is not None:
            room = self.root.result.bound - self.worth + _SAFE * self.scale
            must = np.maximum(must, (out[relaxation.order] > room).astype(float))
        k = np.arange(self.n_y)
        one = np.ones(self.n_y)
        saved = [
            coo_matrix(
                (np.concatenate([one, -one]), (np.tile(k, 2), np.concatenate([self.n_x + k, end]))),
                shape=(self.n_y, self.width),
            )
            for end in (goal.edge_i, goal.edge_j)
        ]
        limits = relaxation.limits
        slack = coo_matrix(
            (np.ones(len(self.short)), (self.short, np.arange(len(self.short)))),
            shape=(limits.matrix.shape[0], len(self.short)),
        )
        empty = csr_matrix((limits.matrix.shape[0], self.n_y))
        cuts = csr_matrix(
            (self.root.cuts.data, self.root.cuts.indices, self.root.cuts.indptr),
            shape=(self.root.cuts.shape[0], self.width),
        )
        matrix = vstack([once, *saved, hstack([limits.matrix, empty, slack]), cuts], format="csr")
        open_below = np.full(2 * self.n_y, -np.inf)
        below = np.full(cuts.shape[0], -np.inf)
        lo = np.concatenate([np.where(must > 0, must, -np.inf), open_below, limits.lo, below])
        hi = np.concatenate([np.ones(n_parcels), np.zeros(2 * self.n_y), limits.hi, np.zeros(cuts.shape[0])])
        return csr_matrix(matrix), lo, hi

    def _hint(self) -> Floats:
        """The plan at hand as a point."""
        point = np.zeros(self.width)
        n_modes = len(self.problem.modes)
        for block in self.plan:
            point[self.relaxation.x[list(block.parcels), block.phase * n_modes + block.mode]] = 1.0
        point[self.n_x : self.n_x + self.n_y] = np.minimum(point[self.goal.edge_i], point[self.goal.edge_j])
        limits = self.relaxation.limits
        missing = np.maximum(0.0, limits.lo - limits.matrix @ point[: self.n_x])
        point[self.n_x + self.n_y :] = missing[self.short]
        return point

    # callbacks ----------------------------------------------------------------------------------------------------

    def _callback(self, data: Any) -> Any:
        result = mathopt.CallbackResult()
        if data.event == mathopt.Event.MIP_NODE:  # before the first node the solver's bound is none
            self._tell(float(data.mip_stats.dual_bound) * self.scale, int(data.mip_stats.simplex_iterations))
        if data.solution is None:
            return result
        values = np.fromiter(data.solution.values(), dtype=float, count=len(data.solution))
        integral = data.event == mathopt.Event.MIP_SOLUTION
        add = result.add_lazy_constraint if integral else result.add_user_cut
        if integral:
            self._offer(values)
        for columns, coefficients in self._cuts(values, 1e-4 if integral else _FRACTIONAL):
            terms = zip(columns.tolist(), coefficients.tolist(), strict=True)
            add(mathopt.LinearSum(self.variables[c] * w for c, w in terms) <= 0.0)
        if integral:
            for columns, coefficients, most in self._size_cuts(values):
                terms = zip(columns.tolist(), coefficients.tolist(), strict=True)
                add(mathopt.LinearSum(self.variables[c] * w for c, w in terms) <= most)
        return result

    def _tell(self, bound: float, iterations: int) -> None:
        safe = bound + _SAFE * max(abs(bound), self.scale)
        self.work = max(self.work, self.root.work + iterations * _WORK_PER_ITERATION)
        better = np.isfinite(safe) and safe < self.bound - _SAFE * abs(self.bound)
        if better:
            self.bound = safe
        if better or self.work - self.told >= _BEAT:
            self.told = self.work
            self.answers.put(BoundFound(self.work, self.bound, PROOF))

    def _cuts(self, values: Floats, tolerance: float) -> Iterator[tuple[Ints, Floats]]:
        """Violated connectivity cuts, x_seed − Σ coefficient·x_member ≤ 0."""
        problem = self.problem
        least = problem.block_min_mu - 2 * AREA_TOLERANCE_MU
        seen: set[bytes] = set()
        for o, (start, neighbour) in enumerate(self.graphs):
            columns = self.relaxation.x[:, o]
            here = columns >= 0
            x = np.where(here, values[np.maximum(columns, 0)], 0.0)
            seeds = np.flatnonzero(here & (x > 1e-3) & (problem.area_mu < least))
            for style in _STYLES:
                seed, pointer, member, coefficient = separate(
                    start, neighbour, problem.area_mu, x, seeds, least, tolerance, style, _LARGEST_SET, _LARGEST_SET
                )
                for c in range(len(seed)):
                    part = slice(pointer[c], pointer[c + 1])
                    where = np.concatenate([columns[seed[c : c + 1]], columns[member[part]]])
                    key = where.tobytes()
                    if key not in seen:
                        seen.add(key)
                        yield where, np.concatenate([[1.0], -coefficient[part]])

    def _pieces(self, values: Floats) -> Iterator[tuple[int, Ints]]:
        """Option and parcels of each connected piece of an integer point."""
        for o in range(len(self.relaxation.options)):
            columns = self.relaxation.x[:, o]
            chosen = (columns >= 0) & (values[np.maximum(columns, 0)] > 0.5)
            label = self.relaxation.graph.components(chosen)
            for number in np.unique(label[chosen]).tolist():
                yield o, np.flatnonzero(label == number)

    def _offer(self, values: Floats) -> None:
        """Take an integer point as a plan if it is one."""
        options = self.relaxation.options
        blocks = ordered(
            Block(tuple(members.tolist()), int(options.phase[o]), int(options.mode[o]))
            for o, members in self._pieces(values)
        )
        problem, graph = self.problem, self.relaxation.graph
        if plan_faults(problem, graph, blocks, self.relaxation.open):
            return
        worth = objective(problem, graph, blocks)
        if worth > self.worth:
            self.worth, self.plan = worth, blocks
            gross = float(np.abs(self.goal.worth[values[: self.n_x] > 0.5]).sum())
            self.answers.put(PlanFound(self.work, blocks, worth, gross))

    def _size_cuts(self, values: Floats) -> Iterator[tuple[Ints, Floats, float]]:
        """Cuts on the boundary saved inside pieces larger than a block may be."""
        most = self.problem.block_max_mu + AREA_TOLERANCE_MU
        for o, members in self._pieces(values):
            if self.problem.area_mu[members].sum() <= most:
                continue
            found = self._boundaries(members, o)
            if found is None:
                continue
            tight, pairs, columns, weights = found
            kappa = _least_cut(len(tight), pairs, weights)
            if kappa > 0:
                yield columns, weights / weights.max(), float(weights.sum() - kappa) / float(weights.max())

    def _boundaries(self, members: Ints, o: int) -> tuple[Ints, Ints, Ints, Floats] | None:
        """A tight part of a piece that is still too large: parcels, inner pairs (local), columns of y, weights."""
        problem = self.problem
        most = problem.block_max_mu + AREA_TOLERANCE_MU
        while True:
            local = np.full(problem.n, -1, dtype=np.int64)
            local[members] = np.arange(len(members))
            ends = problem.pairs
            inside = np.flatnonzero((local[ends[:, 0]] >= 0) & (local[ends[:, 1]] >= 0))
            x = self.relaxation.x[:, o]
            keys = [(min(a, b), max(a, b)) for a, b in zip(x[ends[inside, 0]], x[ends[inside, 1]], strict=True)]
            numbers = np.array([self.edges.get(k, -1) for k in keys], dtype=np.int64)
            good = numbers >= 0
            if not good.any():
                return None
            pairs, numbers = local[ends[inside][good]], numbers[good]
            weights = self.goal.saved[numbers]
            held = np.bincount(pairs.ravel(), weights=np.repeat(weights, 2), minlength=len(members))
            area = problem.area_mu[members]
            may_go = np.flatnonzero(area.sum() - area > most)
            if not len(may_go):
                return members, pairs, self.n_x + numbers, weights
            members = np.delete(members, may_go[held[may_go].argmin()])

    # the solve ----------------------------------------------------------------------------------------------------

    def run(self, limit_s: float) -> None:
        """Solve, and tell what is found."""
        model = self._program()
        self.variables = list(model.variables())
        events = {mathopt.Event.MIP_SOLUTION, mathopt.Event.MIP_NODE}
        hint = dict(zip(self.variables, self._hint().tolist(), strict=True))
        result = mathopt.solve(
            model,
            mathopt.SolverType.GSCIP,
            params=mathopt.SolveParameters(time_limit=timedelta(seconds=max(1.0, limit_s)), threads=1),
            model_params=mathopt.ModelSolveParameters(solution_hints=[mathopt.SolutionHint(variable_values=hint)]),
            callback_reg=mathopt.CallbackRegistration(events=events, add_lazy_constraints=True, add_cuts=True),
            cb=self._callback,
            interrupter=self.interrupter,
        )
        reason = result.termination.reason
        bound = float(result.termination.objective_bounds.dual_bound) * self.scale
        if reason == mathopt.TerminationReason.INFEASIBLE:
            bound = -np.inf  # nothing is better than the plan at hand
        safe = max(self.worth, bound + _SAFE * max(abs(bound), self.scale) if np.isfinite(bound) else bound)
        if safe < self.bound:
            self.answers.put(BoundFound(self.work, safe, PROOF))


def _induced(graph: Graph, here: Bools) -> tuple[Ints, Ints]:
    """Compressed graph without the parcels that are not available."""
    n = len(here)
    row = np.repeat(np.arange(n), np.diff(graph.start))
    keep = here[row] & here[graph.neighbour]
    counts = np.bincount(row[keep], minlength=n)
    return np.concatenate([[0], np.cumsum(counts)]).astype(np.int64), graph.neighbour[keep]


def _edge_index(edge_i: Ints, edge_j: Ints) -> dict[tuple[int, int], int]:
    low, high = np.minimum(edge_i, edge_j).tolist(), np.maximum(edge_i, edge_j).tolist()
    return {key: e for e, key in enumerate(zip(low, high, strict=True))}


def _least_cut(n: int, pairs: Ints, weights: Floats) -> float:
    """Lower bound on the least weight of edges whose loss cuts n nodes in two (Gomory, Hu: one node against each)."""
    steps = np.floor(weights / weights.max() * _STEPS).astype(np.int64)
    flow = max_flow.SimpleMaxFlow()
    flow.add_arcs_with_capacity(pairs[:, 0], pairs[:, 1], steps)
    flow.add_arcs_with_capacity(pairs[:, 1], pairs[:, 0], steps)
    least = None
    for t in range(1, n):
        flow.solve(0, t)
        value = flow.optimal_flow()
        least = value if least is None else min(least, value)
        if least == 0:
            break
    return 0.0 if least is None else least * float(weights.max()) / _STEPS
