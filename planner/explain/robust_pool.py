"""The best robust plan over a pool of blocks, by an integer program that learns the refusals of the blocks it picks.

A refusal touches one block alone, so what it takes from a sum is a figure of the block: d_r(i, B) = s_r(B) − s_r(S(i)).
Over blocks c with x_c ∈ {0, 1} a plan is robust if for each floor l_r there is a z_r with

    Σ_c s_r(c) x_c − z_r ≥ l_r    and    Σ_{c ∋ i} d_r(i, c) x_c ≤ z_r    for every parcel i that may refuse

(at most one block of a plan holds i); upper limits likewise with −d. Not every d is worked out at once: until a block
has been picked, what its parcel adds by itself stands for d, which is never more. So the program allows every robust
plan at any time, and what it proves over all possible blocks holds.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any, Final

import numpy as np
from ortools.math_opt.python import mathopt
from scipy.sparse import csr_matrix

from planner.consequences.plan import PlanInHand
from planner.consequences.sums import block_sums, plan_sums
from planner.errors import InfeasibleError
from planner.explain.asking import Asker
from planner.explain.bearing import Judge
from planner.explain.land import Land, Offer, gather
from planner.optimise.exact import enumerate_pool
from planner.optimise.lp import LinearProgram, to_proto
from planner.optimise.rolling import Split, rolling_splits
from planner.problem import Block, Floats, Ints, Problem

_LOG = logging.getLogger(__name__)
_ALL_AT_ONCE: Final = 5_000
"""Parcels in all columns together up to which every refusal is worked out before the first solve."""
_MOST_ROUNDS: Final = 60
_LEAST_S: Final = 0.5
_SEARCH_SHARE: Final = 0.4
_GAP: Final = 1e-9
_LOOSE: Final = 1e-6
"""Relative error granted to the program's bound."""


@dataclass(frozen=True)
class Choice:
    """What came of it.

    Attributes
    ----------
    plans : tuple of plans
        Plans picked, in the numbers of the problem; to be judged.
    bound : float or None
        No robust plan is worth more, currency; None where not all possible blocks were on offer.
    infeasible : bool
        Proven: there is no robust plan.
    """

    plans: tuple[tuple[Block, ...], ...]
    bound: float | None
    infeasible: bool


def choose_robust(
    problem: Problem, plans: Sequence[PlanInHand], judge: Judge, asker: Asker, ends: float, *, complete_only: bool
) -> Choice | None:
    """Pick robust plans from all possible blocks, or from blocks that a search meets.

    Parameters
    ----------
    problem : Problem
    plans : sequence of PlanInHand
        Their blocks are on offer; the first is where to begin.
    judge : Judge
    asker : Asker
    ends : float
        Seconds on the asker's clock.
    complete_only : bool
        Do nothing where not all possible blocks can be listed.

    Returns
    -------
    Choice or None
        None where nothing was tried.
    """
    left = ends - asker.clock.elapsed()
    if asker.is_over or left <= 0:
        return None
    try:
        land = Land.of(problem)
    except InfeasibleError:  # cannot be with a plan at hand
        return None
    if land.problem.n == 0 or not land.open_.any():
        return None
    pool = enumerate_pool(land.problem, land.graph, land.open_)
    if pool is not None:
        offer = Offer(pool, pool.columns(), True)
    elif complete_only:
        return None
    else:
        mine = [m for m in (land.lower(p.blocks) for p in plans) if m]
        offer = gather(land, mine, _SEARCH_SHARE * left, asker.seed, asker.interrupted)
    return _Program(land, offer, judge).run(asker, ends) if len(offer.columns) else None


@dataclass(eq=False)
class _Program:
    """Columns with their sums, and what is known of refusals."""

    land: Land
    offer: Offer
    judge: Judge
    _demanded: dict[tuple[int, int, int], None] = field(default_factory=dict)
    _cuts: list[tuple[int, ...]] = field(default_factory=list)
    _joins: list[Split] = field(default_factory=list)

    def __post_init__(self) -> None:
        land, columns, options = self.land, self.offer.columns, self.offer.pool.options
        members = [self.offer.pool.members[s] for s in columns.of.tolist()]
        when = zip(options.phase[columns.option].tolist(), options.mode[columns.option].tolist(), strict=True)
        self.reduced = [Block(tuple(m.tolist()), t, mode) for m, (t, mode) in zip(members, when, strict=True)]
        self.blocks = [replace(b, parcels=tuple(land.kept[list(b.parcels)].tolist())) for b in self.reduced]
        self.sums = np.array([block_sums(land.problem, b) for b in self.reduced])
        self.holders: dict[int, list[int]] = {}
        for c, b in enumerate(self.blocks):
            for i in b.parcels:
                self.holders.setdefault(i, []).append(c)
        self.place = {int(i): k for k, i in enumerate(land.kept.tolist())}
        self._own: dict[tuple[int, int, int], Floats] = {}
        self.fixed_sums = plan_sums(land.whole, land.whole.fixed)
        change = [np.zeros((1, len(self.judge.rows))), *(self.judge.changes(b) for b in land.whole.fixed)]
        self.fixed_change = np.concatenate(change)
        if sum(len(b.parcels) for b in self.blocks) <= _ALL_AT_ONCE:
            self.judge.learn(self.blocks)
            self._demand(range(len(self.blocks)))

    def run(self, asker: Asker, ends: float) -> Choice:
        """Solve, judge, learn, until the plan picked is robust or the time is used."""
        found: list[tuple[Block, ...]] = []
        bound: float | None = None
        for _ in range(_MOST_ROUNDS):
            left = ends - asker.clock.elapsed()
            if asker.is_over or left < _LEAST_S:
                break
            answer = solve_program(self._program(), len(self.blocks), left)
            if answer.infeasible:
                return Choice(tuple(found), bound, self.offer.complete)
            if self.offer.complete and answer.bound is not None:
                bound = self._proven(answer.bound, bound)
            if answer.values is None:
                break
            picked = np.flatnonzero(answer.values[: len(self.blocks)] > 0.5).tolist()
            plan = self.land.lift([self.reduced[c] for c in picked])
            found.append(plan)
            splits = rolling_splits(self.land.problem, self.land.graph, [self.reduced[c] for c in picked])
            if self.judge.judge(plan).robust and not splits:
                break
            self._joins += splits
            self._learn(picked, refuse=not splits)
        return Choice(tuple(found), bound, False)

    def _proven(self, value: float, before: float | None) -> float:
        """Bound with the fixed blocks' worth; every row holds for every robust plan, so that each solve has one."""
        scale = max(1.0, abs(value), float(np.abs(self.offer.columns.worth).max()))
        bound = value + self.land.constant + _LOOSE * scale
        return bound if before is None else min(bound, before)

    def _learn(self, picked: Sequence[int], *, refuse: bool) -> None:
        """Rows for the worst refusals of the blocks picked; where nothing is new, that very plan may be refused."""
        fresh = [self.blocks[c] for c in picked if not self.judge.knows(self.blocks[c])]
        before = len(self._demanded)
        self.judge.learn(fresh)
        self._demand(picked)
        if refuse and not fresh and len(self._demanded) == before:
            self._cuts.append(tuple(picked))

    def _demand(self, columns: Iterable[int]) -> None:
        """Ask for the rows of the parcels of some blocks whose refusals take most from a sum."""
        for c in columns:
            change = self.judge.changes(self.blocks[c])
            for r, side in self._sides():
                values = side * change[:, r]
                if values.max() > 0:
                    self._demanded[r, side, self.blocks[c].parcels[int(values.argmax())]] = None

    def _sides(self) -> list[tuple[int, int]]:
        """Sums with a floor (1) or an upper limit (−1) that a refusal could break."""
        rows = [(r, row) for r, row in enumerate(self.judge.rows) if row.kind != "max_blocks"]
        return [(r, 1) for r, x in rows if np.isfinite(x.low)] + [(r, -1) for r, x in rows if np.isfinite(x.high)]

    def _taken(self, c: int, i: int, r: int, side: int) -> float:
        """What the refusal of parcel i in column c takes from a sum (side −1: adds); less, while it is not known."""
        block, row = self.blocks[c], self.judge.rows[r]
        if self.judge.knows(block):
            return max(0.0, side * float(self.judge.changes(block)[block.parcels.index(i), r]))
        if side < 0 or row.kind != "target" or self.land.problem.targets[row.index].measure == "blocks":
            return 0.0
        key = (i, block.phase, block.mode)
        if key not in self._own:
            self._own[key] = block_sums(self.land.problem, Block((self.place[i],), block.phase, block.mode))
        return float(self._own[key][r])

    def _program(self) -> LinearProgram:
        """Columns, then unmet stretch, then a margin for each side of a limited sum."""
        problem, n = self.land.problem, len(self.blocks)
        k, sides = len(problem.targets), self._sides()
        rows = _Rows()
        for i, holders in sorted(self.holders.items()):
            locked = problem.lock_by[self.place[i]] >= 0
            rows.add(holders, np.ones(len(holders)), 1.0 if locked else -np.inf, 1.0)
        if set(np.flatnonzero(problem.lock_by >= 0).tolist()) - {self.place[i] for i in self.holders}:
            rows.add([0], np.zeros(1), 1.0, 1.0)  # a locked parcel is in no block on offer
        stretch = [t.stretch or 0.0 for t in problem.targets]
        for t, most in enumerate(stretch):
            if most > 0:
                rows.add([*range(n), n + t], np.append(self.sums[:, t], 1.0), most, np.inf)
        for r, limit in enumerate(self.judge.rows):
            if limit.kind == "max_blocks" and np.isfinite(limit.high):
                rows.add(range(n), self.sums[:, r], -np.inf, limit.high - self.fixed_sums[r])
        for j, (r, side) in enumerate(sides):
            limit = self.judge.limits.low[r] if side > 0 else -self.judge.limits.high[r]
            values = np.append(side * self.sums[:, r], -1.0)
            rows.add([*range(n), n + k + j], values, limit - side * self.fixed_sums[r], np.inf)
            rows.add([n + k + j], np.ones(1), max(0.0, float((side * self.fixed_change[:, r]).max())), np.inf)
            for i in sorted(i for q, s, i in self._demanded if (q, s) == (r, side)):
                holders = self.holders[i]
                taken = [self._taken(c, i, r, side) for c in holders]
                rows.add([*holders, n + k + j], np.append(taken, -1.0), -np.inf, 0.0)
        self._refuse(rows)
        worth = [self.offer.columns.worth, np.array([-t.stretch_price for t in problem.targets]), np.zeros(len(sides))]
        upper = [np.ones(n), np.array(stretch), np.full(len(sides), np.inf)]
        return rows.program(np.concatenate(worth), np.concatenate(upper))

    def _refuse(self, rows: _Rows) -> None:
        """Plans that were picked and are none, and areas that what is taken by a phase does not join."""
        n = len(self.blocks)
        for cut in self._cuts:
            values = np.full(n, -1.0)
            values[list(cut)] = 1.0
            rows.add(range(n), values, -np.inf, len(cut) - 1.0)
        for split in self._joins:
            early = np.array([b.phase <= split.phase for b in self.reduced])
            ends = sum((self._holds([i]) for i in split.ends), np.zeros(n))
            rows.add(range(n), (ends - self._holds(split.between)) * early, -np.inf, len(split.ends) - 1.0)

    def _holds(self, parcels: Sequence[int]) -> Floats:
        """1 for the columns that hold any of some parcels (in the numbers of the reduced problem)."""
        wanted = set(parcels)
        return np.array([float(not wanted.isdisjoint(b.parcels)) for b in self.reduced])


class _Rows:
    """Rows of a linear program, gathered one by one; each is divided by its largest coefficient."""

    def __init__(self) -> None:
        self.columns: list[Ints] = []
        self.values: list[Floats] = []
        self.low: list[float] = []
        self.high: list[float] = []

    def add(self, columns: Iterable[int], values: Floats, low: float, high: float) -> None:
        """Add low ≤ Σ values · x[columns] ≤ high."""
        scale = float(np.abs(values).max(initial=0.0)) or 1.0
        self.columns.append(np.fromiter(columns, dtype=np.int64))
        self.values.append(np.asarray(values, dtype=float) / scale)
        self.low.append(low / scale)
        self.high.append(high / scale)

    def program(self, worth: Floats, upper: Floats) -> LinearProgram:
        """Maximise worth · x."""
        row = np.repeat(np.arange(len(self.columns)), [len(c) for c in self.columns])
        flat = (np.concatenate(self.values), (row, np.concatenate(self.columns)))
        matrix = csr_matrix(flat, shape=(len(self.columns), len(worth)))
        return LinearProgram(worth, upper, matrix, np.array(self.low), np.array(self.high))


@dataclass(frozen=True, eq=False)
class Picked:
    """Answer of the integer program: a point, an upper bound, or a proof that there is none."""

    values: Floats | None
    bound: float | None
    infeasible: bool


def solve_program(program: LinearProgram, integers: int, seconds: float) -> Picked:
    """Solve with HiGHS; the first `integers` variables are whole numbers."""
    scale = float(np.abs(program.c).max(initial=0.0)) or 1.0
    scaled = replace(program, c=program.c / scale)
    model = mathopt.Model.from_model_proto(to_proto(scaled, integers))
    limits = mathopt.SolveParameters(time_limit=timedelta(seconds=seconds), relative_gap_tolerance=_GAP)
    try:
        result: Any = mathopt.solve(model, mathopt.SolverType.HIGHS, params=limits)
    except Exception as error:  # noqa: BLE001 - the binding raises unrelated types; the plans at hand stand
        _LOG.warning("integer program not solved: %s", error)
        return Picked(None, None, False)
    reason = result.termination.reason  # nothing is unbounded here: every variable with a worth has an upper bound
    if reason in {mathopt.TerminationReason.INFEASIBLE, mathopt.TerminationReason.INFEASIBLE_OR_UNBOUNDED}:
        return Picked(None, None, True)
    bound = float(result.dual_bound())
    proven = bound * scale if np.isfinite(bound) else None
    if not result.has_primal_feasible_solution():
        return Picked(None, proven, False)
    values = result.variable_values()
    return Picked(np.array([values[v] for v in model.variables()]), proven, False)
