"""The parcel–phase relaxation: what every plan satisfies, as linear rows over fractions of parcels.

Variables: ``x_it`` share of parcel i taken in phase t, ``y_et`` share of a shared boundary saved, ``u_k`` unmet stretch
and ``s_k`` unmet floor of target k. The largest block size and the shape of blocks are dropped or weakened, so the
optimum is an upper bound on every plan. See ``docs/model.md``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from scipy.sparse import csr_matrix, vstack

from planner.optimise.graph import Graph
from planner.optimise.lp import LinearProgram
from planner.problem import AREA_TOLERANCE_MU, MONEY_TOLERANCE, Bools, Floats, Ints, Problem

INF: Final = np.inf


@dataclass(frozen=True, eq=False)
class Rows:
    """Linear rows lo ≤ A·x ≤ hi."""

    matrix: csr_matrix
    lo: Floats
    hi: Floats


class _RowBuilder:
    def __init__(self, n_columns: int) -> None:
        self.n_columns = n_columns
        self.columns: list[Ints] = []
        self.values: list[Floats] = []
        self.lo: list[float] = []
        self.hi: list[float] = []

    def add(self, columns: Ints, values: Floats, lo: float, hi: float) -> None:
        self.columns.append(np.asarray(columns, dtype=np.int64))
        self.values.append(np.broadcast_to(np.asarray(values, dtype=float), (len(columns),)))
        self.lo.append(lo)
        self.hi.append(hi)

    def rows(self) -> Rows:
        counts = [len(c) for c in self.columns]
        pointer = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
        columns = np.concatenate(self.columns) if self.columns else np.empty(0, dtype=np.int64)
        values = np.concatenate(self.values) if self.values else np.empty(0)
        matrix = csr_matrix((values, columns, pointer), shape=(len(counts), self.n_columns))
        return Rows(matrix, np.array(self.lo, dtype=float), np.array(self.hi, dtype=float))


class Relaxation:
    """Columns and static rows of the relaxation; cuts are added from outside.

    Parameters
    ----------
    problem : Problem
        In canonical order.
    graph : Graph
        Contacts; pairs across zones already removed where blocks stay within a zone.
    open_ : bool[n, T]
        Availability after presolve.

    Attributes
    ----------
    x : int64[n, T]
        Column of x_it, -1 where not available.
    worth, upper : float64[columns]
        Objective and upper bounds.
    static : Rows
        Rows without cuts.
    """

    def __init__(self, problem: Problem, graph: Graph, open_: Bools) -> None:
        self.problem = problem
        self.graph = graph
        self.open = open_
        n_phases = len(problem.phases)
        self.x = np.full((problem.n, n_phases), -1, dtype=np.int64)
        self.x[open_] = np.arange(int(open_.sum()))
        self.n_x = int(open_.sum())
        use = np.flatnonzero(problem.shared_m > 0) if problem.perimeter_per_m > 0 else np.arange(0)
        if problem.within_zone and len(use):
            zones = problem.zone[problem.pairs[use]]
            use = use[zones[:, 0] == zones[:, 1]]
        pairs = problem.pairs[use]
        both = open_[pairs[:, 0]] & open_[pairs[:, 1]]  # [m, T]
        edge, phase = np.nonzero(both)
        self.y_i = self.x[pairs[edge, 0], phase]
        self.y_j = self.x[pairs[edge, 1], phase]
        self.n_y = len(edge)
        n_targets = len(problem.targets)
        self.u = self.n_x + self.n_y + np.arange(n_targets)
        self.s = self.u + n_targets
        self.n_columns = self.n_x + self.n_y + 2 * n_targets
        self.worth = np.zeros(self.n_columns)
        discount = np.array([p.discount for p in problem.phases])
        worth = (problem.benefit - problem.cost)[:, None] * discount - (problem.perimeter_per_m * problem.perimeter_m)[
            :, None
        ]
        self.worth[: self.n_x] = worth[open_]
        self.worth[self.n_x : self.n_x + self.n_y] = 2 * problem.perimeter_per_m * problem.shared_m[use][edge]
        self.worth[self.u] = -problem.stretch_per_mu
        self.upper = np.ones(self.n_columns)
        self.upper[self.u] = [t.stretch_mu or 0.0 for t in problem.targets]
        self.upper[self.s] = 0.0
        self.static = self._static_rows()

    def _static_rows(self) -> Rows:
        rows = _RowBuilder(self.n_columns)
        self._once_rows(rows)
        self._target_rows(rows)
        self._phase_rows(rows)
        built = rows.rows()
        saved = self._perimeter_rows()
        return Rows(
            vstack([built.matrix, saved], format="csr"),
            np.concatenate([built.lo, np.full(saved.shape[0], -INF)]),
            np.concatenate([built.hi, np.zeros(saved.shape[0])]),
        )

    def _perimeter_rows(self) -> csr_matrix:
        """Y ≤ x_i and y ≤ x_j."""
        k = np.arange(self.n_y)
        y = self.n_x + k
        one = np.ones(self.n_y)
        row = np.concatenate([k, k, k + self.n_y, k + self.n_y])
        column = np.concatenate([y, self.y_i, y, self.y_j])
        value = np.concatenate([one, -one, one, -one])
        return csr_matrix((value, (row, column)), shape=(2 * self.n_y, self.n_columns))

    def _once_rows(self, rows: _RowBuilder) -> None:
        """Each parcel at most once; a locked one exactly once."""
        for i in range(self.problem.n):
            columns = self.x[i][self.x[i] >= 0]
            locked = self.problem.lock_by[i] >= 0
            if locked or len(columns) > 1:
                rows.add(columns, np.ones(len(columns)), 1.0 if locked else -INF, 1.0)

    def members(self, zone: int, phases: slice) -> tuple[Ints, Floats]:
        """Columns and areas of the parcels of a zone (-1 = all) over some phases."""
        mask = self.open.copy()
        mask[:, : phases.start or 0] = False
        mask[:, phases.stop :] = False
        if zone >= 0:
            mask &= (self.problem.zone == zone)[:, None]
        area = np.broadcast_to(self.problem.area_mu[:, None], mask.shape)
        return self.x[mask], area[mask]

    def _target_rows(self, rows: _RowBuilder) -> None:
        """Σ a·x + s ≥ floor and Σ a·x + u ≥ stretch."""
        for k, target in enumerate(self.problem.targets):
            columns, area = self.members(target.zone, slice(0, target.phase + 1))
            for limit, slack in (
                (target.floor_mu - AREA_TOLERANCE_MU, self.s[k]),
                (target.stretch_mu or 0.0, self.u[k]),
            ):
                if limit > 0:
                    rows.add(np.append(columns, slack), np.append(area, 1.0), limit, INF)

    def _phase_rows(self, rows: _RowBuilder) -> None:
        """Budget, number of blocks (each holds at most U) and filler share of each phase."""
        problem = self.problem
        for t, phase in enumerate(problem.phases):
            here = self.open[:, t]
            columns = self.x[here, t]
            area = problem.area_mu[here]
            if phase.budget is not None:
                limit = phase.budget + MONEY_TOLERANCE * max(1.0, phase.budget)
                scale = max(1.0, float(np.abs(problem.cost[here]).max(initial=0.0)))
                rows.add(columns, problem.cost[here] / scale, -INF, limit / scale)
            if phase.max_blocks is not None:
                most = phase.max_blocks * (problem.block_max_mu + AREA_TOLERANCE_MU)
                rows.add(columns, area, -INF, most)
            if (problem.filler & here).any():
                share = np.where(problem.filler[here], 1.0, 0.0) - problem.filler_max_share
                n_blocks_at_most = problem.area_mu.sum() / max(problem.block_min_mu, problem.area_mu.min())
                rows.add(columns, area * share, -INF, AREA_TOLERANCE_MU * n_blocks_at_most)

    def program(self, cuts: Rows | None) -> LinearProgram:
        """Program with the plan's objective and hard floors."""
        rows = [self.static] + ([cuts] if cuts is not None else [])
        return LinearProgram(
            self.worth,
            self.upper,
            vstack([r.matrix for r in rows], format="csr"),
            np.concatenate([r.lo for r in rows]),
            np.concatenate([r.hi for r in rows]),
        )

    def elastic(self, cuts: Rows | None, reach: int | None) -> LinearProgram:
        """Program with soft floors: least total shortfall (`reach` None), or the most area for one target.

        The value of the first is −Σ s (0 = all floors can be met together), of the second the area in mu.
        """
        base = self.program(cuts)
        upper = base.upper.copy()
        upper[self.s] = [t.floor_mu for t in self.problem.targets]
        c = np.zeros(self.n_columns)
        if reach is None:
            c[self.s] = -1.0
        else:
            target = self.problem.targets[reach]
            columns, area = self.members(target.zone, slice(0, target.phase + 1))
            c[columns] = area
        return LinearProgram(c, upper, base.matrix, base.lo, base.hi)
