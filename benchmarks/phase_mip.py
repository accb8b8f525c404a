"""The parcel-phase integer program, solved again and again with cuts for the broken blocks of the last answer.

Variables say which parcel is taken in which phase, not in which block: a connected piece of a phase is read as one
block, or split where it is too large. Cuts forbid pieces that are too small or break a rule; they hold for every plan,
so the last bound proven is a bound. A piece that is too large and could not be split is forbidden too, which need not
hold for every plan: bounds proven after that do not count.
"""

from __future__ import annotations

import datetime
import time
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from ortools.math_opt.python import mathopt

from benchmarks.answers import Answer, NotModelledError, judged, require_modelled
from planner.optimise.evaluate import set_faults
from planner.optimise.graph import Graph
from planner.optimise.options import availability, make_options, target_members
from planner.optimise.presolve import usable_graph
from planner.problem import AREA_TOLERANCE_MU, Block, Ints, Problem

NAME: Final = "parcel-phase MIP"
TRIES: Final = 20
"""Random trees by which a piece that is too large is split."""

SOLVER: Final = mathopt.SolverType.HIGHS
GAP: Final = 1e-4


def solve_phase_mip(problem: Problem, seconds: float, seed: int = 0) -> Answer:
    """Solve for at most `seconds`.

    Raises
    ------
    NotModelledError
        A rule that the baseline does not know.
    """
    require_modelled(problem)
    if any(p.max_blocks is not None for p in problem.phases):
        raise NotModelledError("the parcel-phase model does not know blocks, so it cannot count them")
    began = time.monotonic()
    model = _Model(problem, usable_graph(problem))
    model.build()
    rng = np.random.default_rng(seed)
    bound: float | None = None
    rounds, broken, exact, note = 0, 0, True, "time"
    while (left := seconds - (time.monotonic() - began)) > 0:
        answer = mathopt.solve(
            model.model,
            SOLVER,
            params=mathopt.SolveParameters(time_limit=datetime.timedelta(seconds=left), relative_gap_tolerance=GAP),
        )
        proven = answer.termination.objective_bounds.dual_bound
        if exact and np.isfinite(proven):
            bound = proven if bound is None else min(bound, proven)
        if not answer.has_primal_feasible_solution():
            note = answer.termination.reason.value
            break
        rounds += 1
        blocks, broken, valid = model.repair(model.taken(answer), rng)
        exact &= valid
        if not broken:
            took = time.monotonic() - began
            return judged(problem, NAME, blocks, took, bound, f"{rounds} rounds")
    took = time.monotonic() - began
    return judged(problem, NAME, None, took, bound, f"{note} after {rounds} rounds, {broken} broken pieces")


@dataclass(eq=False)
class _Model:
    problem: Problem
    graph: Graph
    model: mathopt.Model = field(default_factory=mathopt.Model)
    x: dict[tuple[int, int], mathopt.Variable] = field(default_factory=dict)

    def build(self) -> None:
        """Everything but connectivity, and the cuts of single parcels."""
        p, graph = self.problem, self.graph
        open_ = availability(p)
        net = make_options(p).net - p.perimeter_per_m * p.perimeter_m[:, None]
        worth = []
        for i, t in np.argwhere(open_).tolist():
            self.x[t, i] = self.model.add_binary_variable()
            worth.append(float(net[i, t]) * self.x[t, i])
        for i in range(p.n):
            mine = [self.x[t, i] for t in range(open_.shape[1]) if open_[i, t]]
            total = mathopt.fast_sum(mine)
            self.model.add_linear_constraint(total <= 1)
            if p.lock_by[i] >= 0:
                self.model.add_linear_constraint(total >= 1)
        for i, j in graph.pairs.tolist():
            row = slice(graph.start[i], graph.start[i + 1])
            saved = 2 * p.perimeter_per_m * float(graph.shared_m[row][graph.neighbour[row] == j][0])
            for t in np.flatnonzero(open_[i] & open_[j]).tolist() if saved else ():
                both = self.model.add_variable(lb=0.0, ub=1.0)
                self.model.add_linear_constraint(both <= self.x[t, i])
                self.model.add_linear_constraint(both <= self.x[t, j])
                worth.append(saved * both)
        self.model.maximize(mathopt.fast_sum(worth))
        self._limits()
        for t, i in self.x:
            if p.area_mu[i] < p.block_min_mu - AREA_TOLERANCE_MU:
                self._need_neighbour(t, [i])

    def _limits(self) -> None:
        p = self.problem
        for target in p.targets:
            inside = target_members(p, target)
            total = mathopt.fast_sum(
                float(p.area_mu[i]) * x for (t, i), x in self.x.items() if t <= target.phase and inside[i]
            )
            if target.floor:
                self.model.add_linear_constraint(total >= target.floor)
            if target.ceiling is not None:
                self.model.add_linear_constraint(total <= target.ceiling)
        for t, phase in enumerate(p.phases):
            mine = [(i, x) for (s, i), x in self.x.items() if s == t]
            if phase.budget is not None:
                spent = mathopt.fast_sum(float(p.cost[i]) * x for i, x in mine)
                self.model.add_linear_constraint(spent <= phase.budget)
            if p.filler_max_share < 1:
                rest = np.where(p.filler, p.filler_max_share - 1, p.filler_max_share) * p.area_mu
                self.model.add_linear_constraint(mathopt.fast_sum(float(rest[i]) * x for i, x in mine) >= 0)

    def taken(self, answer: mathopt.SolveResult) -> dict[int, Ints]:
        """Parcels by phase."""
        keys = list(self.x)
        values = np.array(answer.variable_values([self.x[k] for k in keys]))
        return {
            t: np.array([i for (s, i), v in zip(keys, values, strict=True) if s == t and v > 0.5], dtype=np.int64)
            for t in range(len(self.problem.phases))
        }

    def repair(self, taken: dict[int, Ints], rng: np.random.Generator) -> tuple[list[Block], int, bool]:
        """Blocks, number of broken pieces (each now cut off), and whether all cuts hold for every plan."""
        p, blocks, broken, valid = self.problem, [], 0, True
        for t, members in taken.items():
            mask = np.zeros(p.n, dtype=np.bool_)
            mask[members] = True
            label = self.graph.components(mask)
            for piece in [np.flatnonzero(label == k) for k in np.unique(label[members])]:
                area = float(p.area_mu[piece].sum())
                parts = [piece] if area <= p.block_max_mu + AREA_TOLERANCE_MU else self._split(piece, rng)
                if parts is not None and not any(set_faults(p, self.graph, part.tolist(), 0) for part in parts):
                    blocks += [Block(tuple(part.tolist()), t) for part in parts]
                    continue
                broken += 1
                for s in range(len(p.phases)):
                    if not all((s, i) in self.x for i in piece.tolist()):
                        continue
                    if area < p.block_min_mu:
                        self._need_neighbour(s, piece.tolist())
                    else:
                        self._not_alone(s, piece.tolist())
                valid &= area <= p.block_max_mu + AREA_TOLERANCE_MU
        return blocks, broken, valid

    def _around(self, t: int, piece: list[int]) -> list[mathopt.Variable]:
        near = {j for i in piece for j in self.graph.of(i).tolist()} - set(piece)
        return [self.x[t, j] for j in sorted(near) if (t, j) in self.x]

    def _need_neighbour(self, t: int, piece: list[int]) -> None:
        """A connected set that is too small: whoever is taken in it needs one of its neighbours."""
        around = mathopt.fast_sum(self._around(t, piece))
        for i in piece:
            self.model.add_linear_constraint(self.x[t, i] <= around)

    def _not_alone(self, t: int, piece: list[int]) -> None:
        """A set that cannot be a piece as it is: leave one out or take a neighbour."""
        inside = mathopt.fast_sum([self.x[t, i] for i in piece])
        self.model.add_linear_constraint(inside - mathopt.fast_sum(self._around(t, piece)) <= len(piece) - 1)

    def _split(self, piece: Ints, rng: np.random.Generator) -> list[Ints] | None:
        """Connected parts of admissible area, cut from random trees; None where none were found."""
        p = self.problem
        for _ in range(TRIES):
            rest, parts = set(piece.tolist()), []
            while float(p.area_mu[list(rest)].sum()) > p.block_max_mu + AREA_TOLERANCE_MU:
                part = self._branch(rest, rng)
                if part is None:
                    break
                parts.append(np.array(sorted(part), dtype=np.int64))
                rest -= part
            else:
                parts.append(np.array(sorted(rest), dtype=np.int64))
                if all(p.area_mu[part].sum() >= p.block_min_mu - AREA_TOLERANCE_MU for part in parts):
                    return parts
        return None

    def _branch(self, rest: set[int], rng: np.random.Generator) -> set[int] | None:
        """The largest branch of a random tree that may be a block and leaves enough behind."""
        p = self.problem
        root = int(rng.choice(sorted(rest)))
        parent, order = {root: -1}, [root]
        for i in order:
            for j in rng.permutation(self.graph.of(i)).tolist():
                if j in rest and j not in parent:
                    parent[j] = i
                    order.append(j)
        below = {i: {i} for i in order}
        for i in reversed(order[1:]):
            below[parent[i]] |= below[i]
        total = float(p.area_mu[order].sum())
        best: tuple[float, set[int]] | None = None
        for i in order[1:]:
            area = float(p.area_mu[list(below[i])].sum())
            if p.block_min_mu <= area <= p.block_max_mu and total - area >= p.block_min_mu:
                best = (area, below[i]) if best is None or area > best[0] else best
        return None if best is None else best[1]
