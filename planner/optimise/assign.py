"""Which firm goes where: firms to sites that stand when they leave, as many as there is room for, by CP-SAT."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
from ortools.sat.python import cp_model
from scipy.sparse import csr_matrix

from planner.optimise.cpsat import careful_solver
from planner.optimise.lp import LinearProgram, solve_lp
from planner.problem import Bools, Floats, Ints

STEPS_PER_M2: Final = 10_000
"""Floor area is counted in steps of a square centimetre: that of a firm rounded down, capacity to the nearest."""
SETTLED_M2: Final = 1.0
"""Floor area without a place is settled when no assignment leaves this much less."""
SETTLED_DISTANCE: Final = 1e-3
"""Distance is settled when none is this share shorter."""
_BEYOND: Final = 1.01
"""An unknown distance is this many times the longest known one: where nothing is known firms go last."""
_SAME_TIME: Final = 1e-9
_COST_STEPS: Final = 2**50
_LP_SLACK: Final = 1e-9
"""Error of the optimum of a linear program, as a share of its absolute terms."""


@dataclass(frozen=True, eq=False)
class Assignment:
    """Firms and their sites.

    Attributes
    ----------
    moved : int64[U, S]
        Firms of a unit that go to a site.
    unplaced : int64[U]
        Firms of a unit for which there is no room.
    missing_m2, missing_bound_m2 : float
        Floor area of the firms without a place, and what it is at least, whatever the assignment.
    large_unplaced, large_bound : int
        Large firms without a place, and how many there are at least with no more floor area missing.
    distance, distance_bound : float
        Σ distance · floor area, m·m², unknown distances counted as 1 % beyond the longest known; and what it is at
        least with no more missing.
    status : str
        'optimal' (each of the three aims settled, one after the other) or 'feasible' (time or work ran out).
    """

    moved: Ints
    unplaced: Ints
    missing_m2: float
    missing_bound_m2: float
    large_unplaced: int
    large_bound: int
    distance: float
    distance_bound: float
    status: str


def assign(
    *,
    floor_m2: Floats,
    count: Ints,
    leaves: Floats,
    stay: Bools,
    large: Bools,
    capacity_m2: Floats,
    stands: Floats,
    permanent: Bools,
    distance_m: Floats,
    time_limit_s: float = 60.0,
    work: float | None = None,
    seed: int = 0,
) -> Assignment:
    """Give each firm a site that stands when it leaves, and each site no more than it holds.

    What a firm has taken up stays taken up. The aims, one after the other: least floor area without a place, fewest
    large firms without one, least distance × floor area. A shortage is an answer, not an error.

    Parameters
    ----------
    floor_m2 : float64[U]
        Floor area of each firm of a unit; a unit is a number of firms that are alike.
    count : int64[U]
        Firms of the unit.
    leaves : float64[U]
        Time at which they leave.
    stay : bool[U]
        They need a site where they can stay for good.
    large : bool[U]
        They are above designated size.
    capacity_m2, stands : float64[S]
        Floor area of a site, and the time from which it stands.
    permanent : bool[S]
        Firms can stay for good.
    distance_m : float64[U, S]
        NaN = unknown.
    time_limit_s : float
        Clock limit for all three aims.
    work : float, optional
        Limit in the solver's deterministic units, for each aim: the same answer on every machine if the clock has no
        part in it.
    seed : int
        Of the solver.

    Raises
    ------
    ValueError
        Floor area, numbers or capacities that are negative or not finite.
    """
    for values in (floor_m2, count, capacity_m2):
        if not (np.isfinite(values) & (np.asarray(values) >= 0)).all():
            raise ValueError("floor area, numbers of firms and capacities must be finite and 0 or more")
    allowed = (stands[None, :] <= leaves[:, None] + _SAME_TIME) & (permanent[None, :] | ~stay[:, None])
    model = _Model(floor_m2, count, large, capacity_m2, _costs(floor_m2, distance_m, allowed), allowed)
    moved, answers = model.filled(np.zeros_like(model.most)), []
    clock = _Clock(time.monotonic() + time_limit_s, work, seed)
    for aim, part, absolute, relative in (  # each gets a part of the time that is left
        (model.missing, 1 / 3, SETTLED_M2 * STEPS_PER_M2, 0.0),
        (model.large_missing, 1 / 3, 0.0, 0.0),
        (model.distance, 1.0, 0.0, SETTLED_DISTANCE),
    ):
        answer = model.least(aim, moved, clock.part(part), absolute, relative)
        moved = answer.moved
        model.keep(aim, answer.value)
        answers.append(answer)
    return _told(model, moved, answers)


@dataclass(frozen=True)
class _Clock:
    until: float
    work: float | None
    seed: int

    def part(self, share: float) -> _Clock:
        """The same with a share of the time that is left."""
        now = time.monotonic()
        return replace(self, until=now + share * (self.until - now))


@dataclass(frozen=True, eq=False)
class _Aim:
    """Something to be made small: `fixed` + Σ `each` · x."""

    fixed: int
    each: Ints


@dataclass(frozen=True, eq=False)
class _Answer:
    moved: Ints
    value: int
    bound: int
    settled: bool


def _costs(floor_m2: Floats, distance_m: Floats, allowed: Bools) -> Floats:
    """Distance × floor area of one firm, m·m², ``float64[U, S]``."""
    known = allowed & ~np.isnan(distance_m)
    longest = _BEYOND * float(distance_m[known].max()) if known.any() else 0.0
    return np.where(np.isnan(distance_m), longest, distance_m) * floor_m2[:, None]


class _Model:
    """Numbers of firms by unit and site."""

    def __init__(
        self, floor_m2: Floats, count: Ints, large: Bools, capacity_m2: Floats, costs: Floats, allowed: Bools
    ) -> None:
        self.floor_m2, self.count, self.large, self.costs = floor_m2, count, large, costs
        self.floor = np.floor(floor_m2 * STEPS_PER_M2 + 1e-6).astype(np.int64)
        self.capacity = np.rint(capacity_m2 * STEPS_PER_M2).astype(np.int64)
        fits = self.capacity[None, :] // np.maximum(self.floor, 1)[:, None]
        self.most = np.where(
            allowed, np.where(self.floor[:, None] > 0, np.minimum(count[:, None], fits), count[:, None]), 0
        )
        self.unit, self.site = np.nonzero(self.most)
        self.model = cp_model.CpModel()
        pairs = zip(self.unit.tolist(), self.site.tolist(), strict=True)
        self.x = [self.model.new_int_var(0, int(self.most[u, s]), f"x{u}_{s}") for u, s in pairs]
        for u in np.unique(self.unit):
            mine = np.flatnonzero(self.unit == u)
            self.model.add(cp_model.LinearExpr.sum([self.x[k] for k in mine]) <= int(count[u]))
        for s in np.unique(self.site):
            mine = np.flatnonzero(self.site == s)
            self._at_most(mine, self.floor[self.unit[mine]], int(self.capacity[s]))
        self.limits: list[tuple[_Aim, int]] = []
        self.cost_step = max(1.0, float((costs * count[:, None] * allowed).sum()) / _COST_STEPS)
        floor, big = self.floor, np.where(large, 1, 0)
        self.missing = _Aim(int((floor * count).sum()), -floor[self.unit])
        self.large_missing = _Aim(int((big * count).sum()), -big[self.unit])
        self.distance = _Aim(0, np.rint(costs[self.unit, self.site] / self.cost_step).astype(np.int64))

    def _at_most(self, which: Ints, weights: Ints, most: int) -> None:
        terms = cp_model.LinearExpr.weighted_sum([self.x[k] for k in which], weights.tolist())
        self.model.add(terms <= most)

    def total(self, aim: _Aim) -> Any:
        """An aim as an expression of the solver."""
        return cp_model.LinearExpr.weighted_sum(self.x, aim.each.tolist()) + aim.fixed

    def value(self, aim: _Aim, moved: Ints) -> int:
        """An aim at an assignment."""
        return aim.fixed + int((aim.each * moved[self.unit, self.site]).sum())

    def filled(self, moved: Ints) -> Ints:
        """An assignment with what has no place yet put where there is room.

        Firms with the fewest sites come first, large ones before small ones, each to the nearest site.
        """
        moved = moved.copy()
        free, unplaced = self.capacity - self.floor @ moved, self.count - moved.sum(axis=1)
        order = np.lexsort((-self.floor, ~self.large, (self.most > 0).sum(axis=1)))
        for u in order[unplaced[order] > 0]:
            left = int(unplaced[u])
            for s in np.argsort(self.costs[u], kind="stable"):
                room = free[s] // self.floor[u] if self.floor[u] else left
                here = min(left, int(room), int(self.most[u, s] - moved[u, s]))
                moved[u, s], left = moved[u, s] + here, left - here
                free[s] -= here * self.floor[u]
        return moved

    def relaxed(self, aim: _Aim, limits: Sequence[tuple[_Aim, int]], time_limit_s: float) -> tuple[Ints, int] | None:
        """The aim with firms divided at will: whole firms of the answer, and what the aim is at least.

        ``limits`` are earlier aims and their values. None where the linear program was not solved.
        """
        k, n = np.arange(len(self.x)), len(self.x)
        hi = [*self.count, *(self.capacity / STEPS_PER_M2), *np.zeros(len(limits))]
        rows, columns = [self.unit, len(self.count) + self.site], [k, k]
        values = [np.ones(n), self.floor[self.unit] / STEPS_PER_M2]
        for r, (earlier, value) in enumerate(limits):
            scale = max(1, int(np.abs(earlier.each).max(initial=0)))
            rows.append(np.full(n, len(self.count) + len(self.capacity) + r))
            columns.append(k)
            values.append(earlier.each / scale)
            hi[len(self.count) + len(self.capacity) + r] = (value - earlier.fixed) / scale
        where = (np.concatenate(rows), np.concatenate(columns))
        matrix = csr_matrix((np.concatenate(values), where), shape=(len(hi), n))
        upper = self.most[self.unit, self.site].astype(np.float64)
        lp = LinearProgram(-aim.each.astype(np.float64), upper, matrix, np.full(len(hi), -np.inf), np.array(hi, float))
        solution = solve_lp(lp, time_limit_s)
        if solution is None:
            return None
        whole = np.zeros_like(self.most)
        whole[self.unit, self.site] = np.floor(solution.x + 1e-9)
        slack = _LP_SLACK * float(np.abs(lp.c) @ upper)  # far above the tolerances of the solver
        return whole, max(0, math.ceil(aim.fixed - solution.objective - slack))

    def least(self, aim: _Aim, start: Ints, clock: _Clock, absolute: float, relative: float) -> _Answer:
        """Make an aim as small as can be, from an assignment that keeps all that was added."""
        lowest = max(0, aim.fixed + int(np.minimum(aim.each, 0) @ self.most[self.unit, self.site]))
        left = clock.until - time.monotonic()
        near = absolute + relative * abs(self.value(aim, start))
        if self.value(aim, start) > lowest + near and left > 0 and self.x:
            relaxed = self.relaxed(aim, self.limits, left)
            if relaxed is not None:
                lowest = max(lowest, relaxed[1])
                start = min(start, self.filled(relaxed[0]), key=lambda m: self.rank(aim, m))
        now = self.value(aim, start)
        left = clock.until - time.monotonic()
        if now <= lowest + near or left <= 0 or not self.x:
            return _Answer(start, now, min(now, lowest), now <= lowest + near)
        self.model.minimize(self.total(aim))
        self.model.clear_hints()  # type: ignore[no-untyped-call]
        for k, number in enumerate(start[self.unit, self.site].tolist()):
            self.model.add_hint(self.x[k], number)
        solver = _solver(left, clock, absolute, relative)
        status = solver.solve(self.model)
        if status not in {cp_model.OPTIMAL, cp_model.FEASIBLE}:
            return _Answer(start, now, lowest, False)
        found = np.zeros_like(start)
        found[self.unit, self.site] = [solver.value(x) for x in self.x]
        now, bound = self.value(aim, found), max(lowest, math.ceil(solver.best_objective_bound - 1e-6))
        return _Answer(found, now, min(now, bound), status == cp_model.OPTIMAL or now <= bound + near)

    def keep(self, aim: _Aim, value: int) -> None:
        """Let an aim be no worse from now on."""
        self.model.add(self.total(aim) <= value)
        self.limits.append((aim, value))

    def rank(self, aim: _Aim, moved: Ints) -> tuple[int, int]:
        """By how much an assignment misses earlier aims, and its value."""
        return sum(max(0, self.value(a, moved) - most) for a, most in self.limits), self.value(aim, moved)


def _solver(left: float, clock: _Clock, absolute: float, relative: float) -> cp_model.CpSolver:
    solver = careful_solver(left, clock.work, clock.seed)
    solver.parameters.absolute_gap_limit = absolute
    solver.parameters.relative_gap_limit = relative
    return solver


def _told(model: _Model, moved: Ints, answers: Sequence[_Answer]) -> Assignment:
    missing, large, far = answers
    unplaced = model.count - moved.sum(axis=1)
    return Assignment(
        moved=moved,
        unplaced=unplaced,
        missing_m2=float(unplaced @ model.floor_m2),
        missing_bound_m2=min(missing.bound / STEPS_PER_M2, float(unplaced @ model.floor_m2)),
        large_unplaced=int(unplaced[model.large].sum()),
        large_bound=large.bound,
        distance=float((moved * model.costs).sum()),
        distance_bound=far.bound * model.cost_step,
        status="optimal" if all(a.settled for a in answers) else "feasible",
    )
