"""Upper bounds by column generation over blocks with exact pricing, for problems of some hundred parcels.

For any multipliers π, y of the rows over blocks, and any limits v_f of what a block of family f can be worth after
prices, no plan is worth more than the priced limits of the rows plus what the v_f bring for as many blocks as there
can be (`column_bound_master`). The v_f come from the exact search for one connected set, which holds whenever it is
interrupted. Plans are told apart by their numbers of blocks (`column_bound_windows`), because few blocks leave little
choice of their sizes: the bound is the largest of those of the parts.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace
from typing import Final

import numpy as np
from scipy.sparse import csr_matrix

from planner.optimise.bound import PROOF_CUTS, CuttingPlanes, block_needs
from planner.optimise.choose import choose_blocks
from planner.optimise.column_bound_master import Master, Multipliers, Row, plan_rows
from planner.optimise.column_bound_pricing import Question, best_of_family, questions
from planner.optimise.column_bound_windows import Family, Split, families, split_by_counts
from planner.optimise.columns import Columns
from planner.optimise.events import BoundFound, PlanFound
from planner.optimise.formulation import Relaxation
from planner.optimise.ledger import BOUND_LAG
from planner.optimise.pricing import price_blocks
from planner.optimise.search import Search
from planner.optimise.stop import Clock
from planner.problem import Block, Bools, Floats, Ints

PROOF: Final = "column generation"
MOST_PARCELS: Final = 500
"""Open parcels up to which it is tried."""
MOST_BLOCKS: Final = 8
"""Blocks of a plan up to which it is tried: with more, sizes hardly bind, and branching does better."""
LEAST_PAIRS: Final = 150
"""Open pairs of parcel and option from which it is tried: below them all blocks can be listed."""
_NUMBERS_A_SECOND: Final = 2e8
_CLOSED: Final = 1e-7
"""A bound this close to the best plan, relative, has no room left."""
_SHARE: Final = 0.3
_LARGEST_SHARE: Final = 0.9
_LEAST_SHARE: Final = 0.004
"""Share of the way from the best multipliers to those of the program at which blocks are priced exactly."""
_PRICE_WORK: Final = 6.0
"""Most work of the exact search in one family at a time."""
_BEGIN_WORK: Final = 0.01
"""Work of a search for blocks to begin with, for each open pair of parcel and option."""
_LP_LIMIT_S: Final = 60.0
_LP_WORK: Final = 5e-5
_GROW_WORK: Final = 1e-4
_SHORTAGE: Final = 10.0
_MOST_SHORTAGE: Final = 1e5
_IDLE: Final = 3
"""Growing is over after so many passes without a new block."""
_NEW: Final = 200
_MOST_CHOICE: Final = 1_500
_GAP: Final = 1e-5
_NODES: Final = 20


def know_sizes(planes: CuttingPlanes, found: list[Family], split: Split) -> None:
    """Let the cuts of each option stand on the least size that its blocks have in a part."""
    problem, option = planes.relaxation.problem, np.array([f.option for f in found], dtype=np.int64)
    for o, mode in enumerate(planes.relaxation.options.mode.tolist()):
        least = float(split.smallest[option == o].min(initial=np.inf))
        if problem.block_min_mu < least < np.inf:
            planes.needs[o] = block_needs(replace(problem, block_min_mu=least), mode)


class Library:
    """All blocks known, and which family each column belongs to.

    Parameters
    ----------
    search : Search
        Its pool is shared.
    found : list of Family
    """

    def __init__(self, search: Search, found: list[Family]) -> None:
        self.search, self.pool, self.found = search, search.pool, found
        self.number = np.full((len(found), search.problem.n), False)
        for f, family in enumerate(found):
            self.number[f, family.parcels] = True
        self.option = np.array([f.option for f in found], dtype=np.int64)
        self.columns = Columns(np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0))
        self.family, self.area = np.zeros(0, np.int64), np.zeros(0)
        self._seen = 0
        self.update()

    def update(self) -> None:
        """Take in what the pool has gained."""
        fresh = self.pool.columns(range(self._seen, len(self.pool)))
        self._seen = len(self.pool)
        where = [self._family(s, o) for s, o in zip(fresh.of.tolist(), fresh.option.tolist(), strict=True)]
        old = self.columns
        self.columns = Columns(
            np.concatenate([old.of, fresh.of]),
            np.concatenate([old.option, fresh.option]),
            np.concatenate([old.worth, fresh.worth]),
        )
        self.family = np.concatenate([self.family, np.array(where, dtype=np.int64)])
        self.area = np.concatenate([self.area, np.array([self.pool.area[s] for s in fresh.of.tolist()])])

    def _family(self, s: int, o: int) -> int:
        inside = self.number[:, self.pool.members[s]].all(axis=1) & (self.option == o)
        return int(np.flatnonzero(inside)[0]) if inside.any() else -1

    def incidence(self, chosen: Ints) -> csr_matrix:
        """Parcels of some columns, ``[n, columns]``."""
        members = [self.pool.members[s] for s in self.columns.of[chosen].tolist()]
        pointer = np.concatenate([[0], np.cumsum([len(m) for m in members])]).astype(np.int64)
        where = np.concatenate(members) if members else np.zeros(0, dtype=np.int64)
        shape = (len(members), self.pool.problem.n)
        return csr_matrix((np.ones(len(where)), where, pointer), shape=shape).T.tocsr()


class Part:
    """The bound of one part of all plans: cutting planes that know its sizes of blocks, then column generation."""

    def __init__(
        self,
        relaxation: Relaxation,
        library: Library,
        rows: list[Row],
        asked: list[Question],
        split: Split,
        bound: float,
    ) -> None:
        search = library.search
        self.problem, self.library, self.asked, self.split = relaxation.problem, library, asked, split
        self.search = search
        self.worth = search.options.net - (self.problem.perimeter_per_m * self.problem.perimeter_m)[:, None]
        self.master = Master(self.problem, self.worth, library.found, rows, split)
        self.bound, self.proof = bound, PROOF_CUTS
        self.work = 0.0
        self.finished = self.is_priced = False
        self.planes: CuttingPlanes | None = CuttingPlanes(relaxation)
        know_sizes(self.planes, library.found, split)
        self.y: Multipliers | None = None
        self.best_y: Multipliers | None = None
        self.value = -np.inf
        self._shortage = _SHORTAGE
        self._scale = float(np.abs(self.worth).max(initial=0.0)) or 1.0
        self._idle = self._passes = 0
        self._share = _SHARE
        self._best = self.bound

    def step(self, clock: Clock) -> None:
        """A piece of work."""
        if self.planes is not None:
            self._cut(clock)
        elif self._idle < _IDLE:
            self._grow(clock)
        else:
            self._price(clock)

    def _lower(self, bound: float, proof: str) -> None:
        if bound < self.bound:
            self.bound, self.proof = bound, proof

    def _cut(self, clock: Clock) -> None:
        assert self.planes is not None
        before = self.planes.work
        more = self.planes.step(clock)
        self.work += (self.planes.work - before) / _NUMBERS_A_SECOND
        self._lower(self.planes.best, PROOF_CUTS)
        if not more:
            self.best_y, self._best = self.master.from_parcels(self.planes), self.bound
            self.planes = None

    def columns(self) -> Ints:
        """Known columns of this part."""
        library, split = self.library, self.split
        f = library.family
        fits = (f >= 0) & (library.area >= split.smallest[f] - 1e-9) & (library.area <= split.largest[f] + 1e-9)
        return np.flatnonzero(fits)

    def _solve(self, clock: Clock) -> bool:
        """Multipliers of the program over all blocks known; False where there are none."""
        library = self.library
        library.update()
        mine = self.columns()
        limit = max(1.0, min(_LP_LIMIT_S, clock.remaining()))
        while True:
            self.work += _LP_WORK * (len(mine) + self.problem.n)
            answer = self.master.solve(
                library.incidence(mine),
                library.family[mine],
                library.columns.worth[mine],
                self._shortage * self._scale,
                limit,
            )
            if answer is None:
                return False
            self.y, self.value, short = answer
            if not short:
                return True
            self.value = -np.inf
            if self._idle < _IDLE or self._shortage >= _MOST_SHORTAGE:
                return True
            self._shortage *= 10.0  # what is missing has to cost more before it can be called impossible

    def _grow(self, clock: Clock) -> None:
        """Blocks grown at the multipliers of the program."""
        if not self._solve(clock) or self._is_hopeless():
            self.finished = True
            return
        assert self.y is not None
        self._idle = 0 if self._grown(self.y) else self._idle + 1

    def _is_hopeless(self) -> bool:
        """Whether the blocks known already bring as much as the bound allows: no prices can lower it."""
        return self.value >= self.bound - _CLOSED * abs(self.bound)

    def _grown(self, y: Multipliers) -> int:
        """Grow blocks in all families; how many are new."""
        self._passes += 1
        before = len(self.search.pool)
        entry, noise = self.master.entry(y), 0.05 * self._noise() * (self._passes % 3)
        weight = np.stack([self.master.weight(y, o) for o in range(len(self.search.options))], axis=1)
        for f, family in enumerate(self.library.found):
            if not self.master.open[f]:
                continue
            terrain = self.search.terrain._replace(
                least=max(float(self.split.smallest[f]), 0.0), most=float(self.split.largest[f])
            )
            options = np.full(len(family.parcels), family.option, dtype=np.int64)
            fixed = np.full(len(self.search.options), entry[f])
            pointer, member, _, gain = price_blocks(
                terrain, weight, family.parcels, options, fixed, noise, self._passes, 1e-7 * self._scale
            )
            self.work += _GROW_WORK * len(family.parcels)
            order = np.lexsort((np.arange(len(gain)), -gain))[:_NEW]
            parts = [member[pointer[b] : pointer[b + 1]] for b in order.tolist()]
            if parts:
                self.search.pool.add_all(np.cumsum([0, *(len(p) for p in parts)]), np.concatenate(parts))
        return len(self.search.pool) - before

    def _noise(self) -> float:
        return float(np.abs(self.worth).mean() / self.problem.area_mu.mean())

    def _price(self, clock: Clock) -> None:
        """Exact pricing between the best multipliers and those of the program."""
        if not self._solve(clock) or self._is_hopeless():
            self.finished = True
            return
        assert self.y is not None
        y = self.y if self.best_y is None else self.best_y.towards(self.y, self._share)
        y = self.master.clipped(y)
        before = len(self.search.pool)
        bound = self.master.bound(y, self._exactly(y, clock))
        self.is_priced = True
        fresh = len(self.search.pool) > before
        better = bound < self._best - _CLOSED * abs(self._best)
        if better:
            self.best_y, self._best = y, bound
        self._lower(bound, PROOF)
        if better:
            self._share = min(_LARGEST_SHARE, 1.5 * self._share)
        elif not fresh:  # with new blocks the program's multipliers are others
            self._share *= 0.5
        self._idle = 0 if fresh else self._idle
        self.finished = self._share < _LEAST_SHARE and not fresh

    def _exactly(self, y: Multipliers, clock: Clock) -> Floats:
        """What a block of each family can be worth, its price of entry not counted; new blocks join the pool."""
        entry = self.master.entry(y)
        known = self._known(y)
        most = np.full(len(entry), -np.inf)
        for f, question in enumerate(self.asked):
            if not self.master.open[f]:
                continue
            weight = self.master.weight(y, int(self.library.option[f]))
            cutoff = max(float(entry[f]), float(known[f])) + 1e-9 * self._scale
            answer, most[f] = best_of_family(
                question,
                weight,
                float(self.split.smallest[f]),
                float(self.split.largest[f]),
                cutoff,
                _PRICE_WORK,
                max(0.05, clock.remaining()),
            )
            self.work += answer.work
            if answer.members is not None:
                self.search.pool.add(self.library.found[f].parcels[list(answer.members)].tolist())
        return most

    def reduced(self, mine: Ints) -> Floats:
        """Worth of some columns after the prices of the program."""
        assert self.y is not None
        return self._after_prices(self.y, mine) - self.master.entry(self.y)[self.library.family[mine]]

    def _after_prices(self, y: Multipliers, mine: Ints) -> Floats:
        library = self.library
        options = range(len(self.search.options))
        priced = np.stack([self.master.weight(y, o) - self.worth[:, o] for o in options], axis=1)
        sums = library.incidence(mine).T @ priced
        worth: Floats = library.columns.worth[mine] + sums[np.arange(len(mine)), library.columns.option[mine]]
        return worth

    def _known(self, y: Multipliers) -> Floats:
        """Greatest worth after prices among the known blocks of each family."""
        mine = self.columns()
        best = np.full(len(self.library.found), -np.inf)
        np.maximum.at(best, self.library.family[mine], self._after_prices(y, mine))
        return best


def prove_by_columns(
    relaxation: Relaxation, bound: float, done: float, work: float, clock: Clock
) -> Iterator[BoundFound | PlanFound]:
    """Better bounds, and plans that are met on the way, until the parts have no room or nothing helps.

    Parameters
    ----------
    relaxation : Relaxation
    bound : float
        Known to hold.
    done, work : float
        Work done before, and at which this ends, in units of about a second.
    clock : Clock
    """
    problem, graph, open_ = relaxation.problem, relaxation.graph, relaxation.open
    search = Search(problem, graph, open_, 0, clock.over)
    for _ in search.steps():
        if (
            search.rounds
            or clock.over()
            or (search.best_blocks is not None and search.work >= _BEGIN_WORK * open_.sum())
        ):
            break
    found = families(problem, graph, open_)
    rows = plan_rows(problem, search.options, found)
    asked = questions(problem, graph, search.options, found)
    library = Library(search, found)
    splits = split_by_counts(problem, search.options, found)
    parts = [Part(relaxation, library, rows, asked, split, bound) for split in splits]
    best, told = _Best(search), bound

    def spent() -> float:
        return done + search.work + sum(p.work for p in parts) + best.work

    while parts and best.blocks is not None and not clock.over():
        part = max(parts, key=lambda p: p.bound)
        told = min(told, max(part.bound, best.value))
        yield BoundFound(spent(), told, part.proof)
        if part.finished or part.bound <= best.value + _CLOSED * abs(best.value) or spent() > work:
            return
        part.step(clock)
        if part.is_priced and best.choose(part, library, clock):
            yield PlanFound(spent() / BOUND_LAG, best.blocks, best.value, search.gross)


class _Best:
    """The best plan met."""

    def __init__(self, search: Search) -> None:
        self.search = search
        self.blocks: tuple[Block, ...] | None = search.best_blocks
        self.value = search.best_objective
        self.work = 0.0
        self._tried = 0

    def choose(self, part: Part, library: Library, clock: Clock) -> bool:
        """Whether the blocks known hold a better plan; asked where they are more than before."""
        if part.value <= self.value + _CLOSED * abs(self.value) or len(library.pool) == self._tried:
            return False
        library.update()
        self._tried = len(library.pool)
        mine = part.columns()
        columns = library.columns.take(mine[np.lexsort((mine, -part.reduced(mine)))[:_MOST_CHOICE]])
        limit = max(1.0, min(_LP_LIMIT_S, clock.remaining()))
        answer = choose_blocks(self.search.pool, columns, None, gap=_GAP, nodes=_NODES, time_limit_s=limit)
        self.work += answer.work
        better = answer.blocks is not None and self.search.offer(answer.blocks)
        self.blocks, self.value = self.search.best_blocks, self.search.best_objective
        return better


def is_small(open_: Bools, whole: Split | None) -> bool:
    """Whether the bound is tried on a problem: its size, and the sizes of blocks of all plans as one part."""
    blocks = math.inf if whole is None else max((s.most for s in whole.stages if s.inside.all()), default=math.inf)
    return open_.any(axis=1).sum() <= MOST_PARCELS and open_.sum() >= LEAST_PAIRS and blocks <= MOST_BLOCKS


__all__ = ["LEAST_PAIRS", "MOST_BLOCKS", "MOST_PARCELS", "PROOF", "is_small", "prove_by_columns"]
