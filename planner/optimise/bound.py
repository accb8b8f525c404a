"""Upper bounds by cutting planes on the parcel–option relaxation."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from scipy.sparse import csr_matrix, vstack

from planner.optimise.cutpool import CutPool
from planner.optimise.cuts import separate_needs
from planner.optimise.formulation import Goal, Relaxation
from planner.optimise.graph import Graph
from planner.optimise.lagrangian import Lagrangian, Point, without_cuts
from planner.optimise.stop import Clock
from planner.problem import AREA_TOLERANCE_MU, RULE_TOLERANCE, Bools, Floats, Ints, Problem

PROOF_TRIVIAL: Final = "sum of positive worths"
PROOF_CUTS: Final = "cutting planes on the parcel-phase relaxation"
_PLAIN_STYLES: Final = 3
_LARGEST_SET: Final = 200
_MOST_MEMBERS: Final = 80
_EXACT_COLUMNS: Final = 1_200
"""Up to so many columns and boundaries each program is solved exactly."""
_FINISH_NUMBERS: Final = 60_000
"""Up to so many coefficients the last programs are solved exactly."""
_PATIENCE: Final = 6
_LONG_PATIENCE: Final = 24
_A_SECOND: Final = 2e8
"""Numbers that are touched in about a second."""
_STEP_WORK: Final = 1.0
"""Most work of a step, in units of about a second."""
_SEEDS_A_STEP: Final = 20_000
_CHUNK: Final = 20_000
_MOST_STEPS: Final = 60
_FINE_STEPS: Final = 240
_LEAST_STEPS: Final = 8
_LEAST_GAIN: Final = 1e-5
"""Gain of the bound, as a share of it, below which a round counts as stalled."""
_LEAST_SHARE: Final = 1e-4
_VIOLATION: Final = 1e-2
_EXACT_VIOLATION: Final = 1e-4


@dataclass(frozen=True, eq=False)
class BoundResult:
    """A valid bound and what the search can use of it.

    Attributes
    ----------
    bound : float
        No plan exceeds it.
    proof : str
        What proved it.
    x : float64[n, O] or None
        Fractional plan at hand.
    loss : float64[n, O] or None
        By how much the bound falls at least if parcel i is taken in option o (inf where it cannot be).
    loss_out : float64[n] or None
        The same if the parcel is left out (inf where it must be taken).
    target_price : float64[K] or None
        Worth at the margin of a unit that counts towards each target, currency; negative at a ceiling.
    """

    bound: float
    proof: str
    x: Floats | None
    loss: Floats | None
    loss_out: Floats | None
    target_price: Floats | None


class CuttingPlanes:
    """Improve the multipliers, separate cuts, repeat; keeps the best safe bound seen.

    It is a state machine: `step` does a piece of work of bounded size, which depends on nothing but the steps before.

    Parameters
    ----------
    relaxation : Relaxation
        Columns and static rows.
    goal : Goal, optional
        What is maximised; default: the objective of a plan.

    Attributes
    ----------
    best, proof : float, str
        The least bound so far.
    work : float
        Numbers touched so far, some 2e8 a second: what the steps cost, the same on every machine.
    rounds : int
        Rounds of separation.
    finished : bool
    infeasible : bool
        The bound has fallen below what any plan is worth: there is none.
    solution : Point or None
        The point at hand; None before the first one, and where there seems to be none.
    """

    def __init__(self, relaxation: Relaxation, goal: Goal | None = None) -> None:
        self.relaxation = relaxation
        self.goal = goal or relaxation.plan_goal()
        self.pool = CutPool(relaxation.n_x)
        self.lagrangian = Lagrangian(relaxation, self.goal, without_cuts(relaxation))
        self.point = self.lagrangian.start()
        self.best, _ = self.lagrangian.bound(self.point)
        self.proof = PROOF_TRIVIAL
        self.infeasible = False
        self.solution: Point | None = None
        self.reduced: Floats | None = None
        self.best_y: Floats | None = None
        self.rounds = 0
        self.work = 0.0
        self.finished = relaxation.n_x == 0
        self.exact = relaxation.n_x + len(self.goal.saved) <= _EXACT_COLUMNS
        self.needs = [block_needs(relaxation.problem, int(m)) for m in relaxation.options.mode]
        self._stalled = 0
        self._steps_left = 0
        self._reference = self.best
        self._queue: list[tuple[int, int]] = []
        self._found: list[csr_matrix] = []

    def step(self, clock: Clock) -> bool:
        """Improve the multipliers or look for cuts, a second or so of either. False when nothing is left to do."""
        if self.finished:
            return False
        if self._queue:
            self._separate_some()
            if not self._queue:
                self._take_cuts()
        elif self._improve(clock):
            self._plan_separation()
        return not self.finished

    # multipliers --------------------------------------------------------------------------------------------------

    def _improve(self, clock: Clock) -> bool:
        """Better multipliers for the cuts at hand; True when it is time for new cuts."""
        if not self._steps_left:
            self.lagrangian = Lagrangian(self.relaxation, self.goal, self.pool.rows())
            self._steps_left = min(_MOST_STEPS * (1 + self._stalled // 4), _FINE_STEPS)
        point = self._exactly(clock) if self.exact else self._some_steps()
        if point is None or self._note(point):
            self.infeasible = point is not None
            self.finished, self.solution = True, None
            return False
        self.point = self.solution = point
        if self._steps_left:
            return False
        n_limits = len(self.relaxation.labels)
        self.pool.update(point.y[n_limits:], point.x)
        self.point = replace(point, y=np.concatenate([point.y[:n_limits], self.pool.y]))
        return not self._stuck()

    def _exactly(self, clock: Clock) -> Point | None:
        self._steps_left = 0
        self.work += 100.0 * self.lagrangian.matrix.nnz
        return self.lagrangian.solve(max(1.0, clock.remaining()))

    def _some_steps(self) -> Point:
        most = max(_LEAST_STEPS, int(_STEP_WORK * _A_SECOND / self.lagrangian.work(1)))
        steps = min(self._steps_left, most)
        self._steps_left -= steps
        self.work += self.lagrangian.work(steps)
        return self.lagrangian.improve(self.point, steps)

    def _note(self, point: Point) -> bool:
        """Take a bound if it is the best; True where it is below the worth of any plan."""
        bound, reduced = self.lagrangian.bound(point)
        if bound < self.best:
            self.best, self.proof, self.reduced, self.best_y = bound, PROOF_CUTS, reduced, point.y
        lowest = self.lagrangian.lowest()
        return bool(bound < lowest - 1e-6 * max(1.0, abs(lowest)))

    def _stuck(self) -> bool:
        """Whether the bound has hardly moved for some rounds; then the rest is solved exactly where that is small."""
        if self._reference - self.best > _LEAST_GAIN * abs(self.best):
            self._reference, self._stalled = self.best, 0
            return False
        self._stalled += 1
        if self._stalled < (_PATIENCE if self.exact else _LONG_PATIENCE):
            return False
        if not self.exact and self.lagrangian.matrix.nnz + len(self.goal.saved) <= _FINISH_NUMBERS:
            self.exact, self._stalled = True, 0
            return False
        self.finished = True
        return True

    # cuts ---------------------------------------------------------------------------------------------------------

    def _plan_separation(self) -> None:
        n = self.relaxation.problem.n
        self._queue = [(o, a) for o in range(len(self.relaxation.options)) for a in range(0, n, _CHUNK)]

    def _separate_some(self) -> None:
        """Look for cuts from the next parcels and options."""
        seeds = 0
        while self._queue and seeds < _SEEDS_A_STEP:
            seeds += self._separate(*self._queue.pop(0))

    def _styles(self) -> list[int]:
        """Ways of growing sets in this round: one with noise that no round before had; all where it is exact."""
        fresh = _PLAIN_STYLES * (1 + self.rounds) + self.rounds % _PLAIN_STYLES
        return [*range(_PLAIN_STYLES), fresh] if self.exact else [fresh]

    def _separate(self, o: int, first: int) -> int:
        """Violated cuts of one option from some parcels; returns the number of sets grown."""
        relaxation = self.relaxation
        assert self.solution is not None
        columns = relaxation.x[:, o]
        here = columns >= 0
        x = np.where(here, self.solution.x[np.maximum(columns, 0)], 0.0)
        chosen = np.arange(first, min(first + _CHUNK, relaxation.problem.n))
        chosen = chosen[here[chosen] & (x[chosen] > _LEAST_SHARE)]
        if not len(chosen):
            return 0
        start, neighbour = induced(relaxation.graph, here)
        tolerance = _EXACT_VIOLATION if self.exact else _VIOLATION
        grown = 0
        for amount, need in self.needs[o]:
            seeds = chosen[amount[chosen] < need[chosen]]
            for style in self._styles():
                seed, pointer, member, coefficient = separate_needs(
                    start, neighbour, amount, x, seeds, need, tolerance, style, _LARGEST_SET, _MOST_MEMBERS
                )
                grown += len(seeds)
                if len(seed):
                    self._found.append(cut_rows(columns, seed, pointer, member, coefficient, relaxation.n_x))
        self.work += 4_000.0 * grown
        return grown

    def _take_cuts(self) -> None:
        """Add what the round has found; without any it is over, or exact from now on."""
        self.rounds += 1
        added = self.pool.add(vstack(self._found, format="csr")) if self._found else 0
        self._found = []
        if not added and self.exact:
            self.finished = True
        y = np.concatenate([self.point.y[: len(self.relaxation.labels)], self.pool.y])
        self.point = replace(self.point, y=y)

    # what others can use of it ------------------------------------------------------------------------------------

    def result(self) -> BoundResult:
        """Best bound so far."""
        relaxation = self.relaxation
        x = None if self.solution is None else relaxation.by_parcel(self.solution.x)
        if self.reduced is None or self.best_y is None:
            return BoundResult(self.best, self.proof, x, None, None, None)
        worth = np.where(relaxation.x >= 0, relaxation.by_parcel(self.reduced), -np.inf)
        most = worth.max(axis=1, initial=-np.inf)
        locked = relaxation.problem.lock_by >= 0
        most = np.where(locked, most, np.maximum(most, 0.0))
        price = np.zeros(len(relaxation.problem.targets))
        for (name, k), scale, y in zip(relaxation.labels, relaxation.scale, self.best_y, strict=False):
            if name in {"floor", "stretch", "ceiling"}:
                price[k] -= y / scale
        out = np.where(locked, np.inf, most)
        return BoundResult(self.best, self.proof, x, most[:, None] - worth, out, price)


Need = tuple[Floats, Floats]
"""Amounts of the parcels, and what those of a block with a given parcel add up to at least."""


def block_needs(problem: Problem, mode: int) -> list[Need]:
    """What a block of a mode needs: the least size, filler share, and rules for blocks.

    Plans may fall short by the tolerance of sums, so the cuts must let them.
    """
    rules = [r for r in problem.block_rules if r.modes is None or mode in r.modes]
    share = problem.area_mu * (problem.filler_max_share - problem.filler)
    sums = [(problem.area_mu, problem.block_min_mu, AREA_TOLERANCE_MU), (share, 0.0, AREA_TOLERANCE_MU)]
    sums += [(r.weight, r.limit, RULE_TOLERANCE) for r in rules]
    needs = []
    for weight, limit, tolerance in sums:
        # parcels with a negative weight need that much more than the limit from the others
        need = limit - np.minimum(weight, 0.0) - 2 * tolerance
        if (need > 0).any():
            needs.append((np.ascontiguousarray(np.maximum(weight, 0.0)), need))
    return needs


def induced(graph: Graph, here: np.ndarray) -> tuple[Ints, Ints]:
    """Compressed graph without the parcels that are not available."""
    n = len(here)
    row = np.repeat(np.arange(n), np.diff(graph.start))
    keep = here[row] & here[graph.neighbour]
    counts = np.bincount(row[keep], minlength=n)
    return np.concatenate([[0], np.cumsum(counts)]).astype(np.int64), graph.neighbour[keep]


def cut_rows(
    columns: np.ndarray, seed: np.ndarray, pointer: np.ndarray, member: np.ndarray, coefficient: np.ndarray, n: int
) -> csr_matrix:
    """x_seed − Σ coefficient·x_member ≤ 0, as matrix rows."""
    k = len(seed)
    row = np.concatenate([np.arange(k), np.repeat(np.arange(k), np.diff(pointer))])
    column = np.concatenate([columns[seed], columns[member]])
    value = np.concatenate([np.ones(k), -coefficient])
    matrix = csr_matrix((value, (row, column)), shape=(k, n))
    matrix.eliminate_zeros()
    return matrix


def compile_bound(problem: Problem, graph: Graph, open_: Bools) -> None:
    """Run every compiled loop of the bound once."""
    planes = CuttingPlanes(Relaxation(problem, graph, open_))
    planes.exact = False
    clock = Clock(60.0)
    while planes.rounds < 1 and planes.step(clock):
        pass
