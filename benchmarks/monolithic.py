"""One CP-SAT model of the whole problem: blocks are trees whose area flows to a root.

Every selected parcel is a root or has one neighbour of its phase as parent; area (and filler, and the weights of block
rules) flows from child to parent, so that a root knows its block, and cycles cannot be, as every parcel adds area.
Boundary inside a block is saved only between parcels with the same block number. Floors, ceilings, budgets, numbers of
blocks and locks are sums. Amounts are rounded to `UNIT`; limits are tightened by what rounding could hide, so that
plans are plans, and the bound holds up to that rounding.
"""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from ortools.sat.python import cp_model

from benchmarks.answers import Answer, judged, require_modelled
from planner.optimise.graph import Graph
from planner.optimise.options import availability, make_options, target_members
from planner.optimise.presolve import usable_graph
from planner.problem import Block, Bools, Floats, Ints, Problem

NAME: Final = "monolithic CP-SAT"
UNIT: Final = 1e-4
"""Areas and weights are counted in whole steps of this, mu."""

WORKERS: Final = 2
_LARGEST: Final = 1e12
"""The objective is scaled so that the sum of its coefficients stays below this."""


def solve_monolithic(problem: Problem, seconds: float, seed: int = 0) -> Answer:
    """Solve for at most `seconds`.

    Raises
    ------
    NotModelledError
        A rule that the baseline does not know.
    """
    require_modelled(problem)
    began = time.monotonic()
    model = _Model(problem)
    model.build()
    solver = cp_model.CpSolver()
    solver.parameters.max_time_in_seconds = max(seconds - (time.monotonic() - began), 1.0)
    solver.parameters.num_workers = WORKERS
    solver.parameters.random_seed = seed
    status = solver.solve(model.cp)
    took = time.monotonic() - began
    bound = None if status == cp_model.INFEASIBLE else solver.best_objective_bound / model.scale
    found = status in (cp_model.OPTIMAL, cp_model.FEASIBLE)
    blocks = model.blocks(solver) if found else None
    return judged(problem, NAME, blocks, took, bound, note=str(solver.status_name(status)).lower())


@dataclass(eq=False)
class _Model:
    """Variables are by phase and parcel; only available parcels have them."""

    problem: Problem
    cp: cp_model.CpModel = field(default_factory=cp_model.CpModel)
    scale: float = 1.0
    chosen: dict[tuple[int, int], cp_model.IntVar] = field(default_factory=dict)
    number: list[cp_model.IntVar] = field(default_factory=list)
    roots: dict[tuple[int, int], cp_model.IntVar] = field(default_factory=dict)

    def build(self) -> None:
        """Make all variables and constraints."""
        problem = self.problem
        graph, open_ = usable_graph(problem), availability(problem)
        self.number = [self.cp.new_int_var(0, problem.n - 1, "") for _ in range(problem.n)]
        for i, t in np.argwhere(open_).tolist():
            self.chosen[t, i] = self.cp.new_bool_var("")
            self.roots[t, i] = self.cp.new_bool_var("")
        for i in range(problem.n):
            mine = [self.chosen[t, i] for t in range(open_.shape[1]) if open_[i, t]]
            if problem.lock_by[i] >= 0:
                self.cp.add_exactly_one(mine)
            else:
                self.cp.add_at_most_one(mine)
        children = self._trees(graph, open_)
        self._flows(open_, children)
        self._limits(open_)
        self._objective(graph, open_)

    def _trees(self, graph: Graph, open_: Bools) -> dict[tuple[int, int], list[tuple[int, cp_model.IntVar]]]:
        """Parents; a child has the block number of its parent, a root its own. Returns children with their arcs."""
        children: dict[tuple[int, int], list[tuple[int, cp_model.IntVar]]] = {k: [] for k in self.chosen}
        for t, i in self.chosen:
            arcs = []
            for j in graph.of(i).tolist():
                if not open_[j, t]:
                    continue
                arc = self.cp.new_bool_var("")
                arcs.append(arc)
                children[t, j].append((i, arc))
                self.cp.add_implication(arc, self.chosen[t, j])
                self.cp.add(self.number[i] == self.number[j]).only_enforce_if(arc)
            self.cp.add(sum(arcs) + self.roots[t, i] == self.chosen[t, i])
            self.cp.add(self.number[i] == i).only_enforce_if(self.roots[t, i])
        return children

    def _flows(self, open_: Bools, children: dict[tuple[int, int], list[tuple[int, cp_model.IntVar]]]) -> None:
        """Sums over blocks: area between its limits, filler share, block rules."""
        p = self.problem
        area = steps(p.area_mu)
        slack = rounding(p.area_mu, self._most_parcels())
        least, most = math.ceil(p.block_min_mu / UNIT) + slack, math.floor(p.block_max_mu / UNIT) - slack
        total = self._flow(area, children, positive=True, most=most)
        for key, root in self.roots.items():
            self.cp.add(total[key] >= least).only_enforce_if(root)
        weights: list[tuple[Floats, float]] = [(r.weight, r.limit) for r in p.block_rules]
        if (p.filler & open_.any(axis=1)).any():
            weights.append((np.where(p.filler, p.filler_max_share - 1, p.filler_max_share) * p.area_mu, 0.0))
        for weight, limit in weights:
            down = np.floor(weight / UNIT + 1e-6).astype(np.int64)
            flow = self._flow(down, children, positive=False, most=int(np.abs(down).sum()))
            for key, root in self.roots.items():
                self.cp.add(flow[key] >= math.ceil(limit / UNIT - 1e-6)).only_enforce_if(root)

    def _most_parcels(self) -> int:
        """Most parcels that a block can have."""
        return int(np.searchsorted(np.cumsum(np.sort(self.problem.area_mu)), self.problem.block_max_mu) + 1)

    def _flow(
        self, amount: Ints, children: dict[tuple[int, int], list[tuple[int, cp_model.IntVar]]], *, positive: bool,
        most: int,
    ) -> dict[tuple[int, int], cp_model.IntVar]:  # fmt: skip
        """Amount below each parcel in its tree, itself included."""
        low = 0 if positive else -most
        below = {key: self.cp.new_int_var(low, most, "") for key in self.chosen}
        for (t, i), flow in below.items():
            terms: list[cp_model.LinearExprT] = [int(amount[i]) * self.chosen[t, i]]
            for j, arc in children[t, i]:
                part = self.cp.new_int_var(low, most, "")
                self.cp.add(part == below[t, j]).only_enforce_if(arc)
                self.cp.add(part == 0).only_enforce_if(~arc)
                terms.append(part)
            self.cp.add(flow == sum(terms))
        return below

    def _limits(self, open_: Bools) -> None:
        """Targets, budgets, numbers of blocks."""
        p = self.problem
        area, slack = steps(p.area_mu), rounding(p.area_mu, p.n)
        for target in p.targets:
            inside = target_members(p, target)
            total = sum(int(area[i]) * x for (t, i), x in self.chosen.items() if t <= target.phase and inside[i])
            if target.floor:
                self.cp.add(total >= math.ceil(target.floor / UNIT) + slack)
            if target.ceiling is not None:
                self.cp.add(total <= math.floor(target.ceiling / UNIT) - slack)
        for t, phase in enumerate(p.phases):
            if phase.budget is not None:
                unit = max(phase.budget, 1.0) * 1e-9
                cost = np.ceil(p.cost / unit - 1e-6).astype(np.int64)
                spent = sum(int(cost[i]) * x for (s, i), x in self.chosen.items() if s == t)
                self.cp.add(spent <= math.floor(phase.budget / unit + 1e-6))
            if phase.max_blocks is not None:
                self.cp.add(sum(x for (s, _), x in self.roots.items() if s == t) <= phase.max_blocks)

    def _objective(self, graph: Graph, open_: Bools) -> None:
        """Discounted worth, less perimeter, plus twice the boundary inside blocks."""
        p = self.problem
        net = make_options(p).net - p.perimeter_per_m * p.perimeter_m[:, None]
        terms: list[tuple[float, cp_model.IntVar]] = [(float(net[i, t]), x) for (t, i), x in self.chosen.items()]
        for i, j in graph.pairs.tolist():
            row = slice(graph.start[i], graph.start[i + 1])
            saved = 2 * p.perimeter_per_m * float(graph.shared_m[row][graph.neighbour[row] == j][0])
            for t in np.flatnonzero(open_[i] & open_[j]).tolist() if saved else ():
                same = self.cp.new_bool_var("")
                self.cp.add_implication(same, self.chosen[t, i])
                self.cp.add_implication(same, self.chosen[t, j])
                self.cp.add(self.number[i] == self.number[j]).only_enforce_if(same)
                terms.append((saved, same))
        size = sum(abs(value) for value, _ in terms) or 1.0
        self.scale = 2.0 ** math.floor(math.log2(_LARGEST / size))
        self.cp.maximize(sum(round(value * self.scale) * x for value, x in terms))

    def blocks(self, solver: cp_model.CpSolver) -> list[Block]:
        """Blocks of a solution."""
        members: dict[tuple[int, int], list[int]] = {}
        for (t, i), x in self.chosen.items():
            if solver.value(x):
                members.setdefault((t, solver.value(self.number[i])), []).append(i)
        return [Block(tuple(m), t) for (t, _), m in members.items()]


def steps(values: Floats) -> Ints:
    """Values in whole units."""
    return np.round(values / UNIT).astype(np.int64)


def rounding(values: Floats, count: int) -> int:
    """Units by which a sum of `count` rounded values may be off; 0 where all are whole."""
    error = float(np.abs(values / UNIT - np.round(values / UNIT)).max(initial=0.0))
    return 0 if error < 1e-6 else math.ceil(error * count)
