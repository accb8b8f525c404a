"""The search for plans: annealing, columns priced by the linear master, the integer master over the best of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Final

import numpy as np

from planner.optimise.anneal import anneal
from planner.optimise.before import repaired
from planner.optimise.choose import choose_blocks
from planner.optimise.columns import Columns, Pool
from planner.optimise.diving import Chosen, dive
from planner.optimise.evaluate import objective, ordered, plan_faults, reached_amounts
from planner.optimise.events import Event, PlanFound, StepDone
from planner.optimise.graph import Graph
from planner.optimise.neighbourhoods import window
from planner.optimise.options import Options, make_options
from planner.optimise.prices import Prices, column_names, solve_prices
from planner.optimise.pricing import price_blocks
from planner.optimise.state import Draft, Terrain, adapt_prices, empty_draft, keeps_limits, load, make_terrain
from planner.problem import Block, Bools, Ints, Problem

CHAINS: Final = 2
_SLICE_MOVES: Final = 200_000
_MOVES_PER_PARCEL: Final = 1_500
_MOST_MOVES: Final = 15_000_000
_TIGHT: Final = 0.01
"""Share of the linear master's value that the limits are worth at the margin, from which on they shape the plan."""
_FAR: Final = 2e-3
_DIVES: Final = 3
_DIVE_MOVES: Final = 2_400
_DIVE_HEAT: Final = (0.2, 0.15)
_DIVE_SEEDS: Final = 200
_MAX_POOL_COLUMNS: Final = 2_500
"""Per mode: with more of them, as many sets come in more columns."""
_CORE_COLUMNS: Final = 4_000
"""Most columns of the linear master: those that were nearest to paying, and new ones."""
_MASTER_COLUMNS: Final = (600, 3_000)
"""A small program first, for a good plan soon; the one with more columns then has little left to look at."""
_NEW_PER_ROUND: Final = 500
_SEEDS_A_PASS: Final = 3_000
"""Seeds and options that blocks are grown from between two linear masters; the next pass takes others. Fewer where
there are modes: what pays in one mode pays in the others, too, and all are columns."""
_PRICING_ROUNDS: Final = (20, 12)
"""In the first round, and in later ones."""
_MASTER_GAPS: Final = (2e-3, 3e-4)
_WINDOW_GAP: Final = 1e-4
_MASTER_NODES: Final = (1, 20)
_WINDOW_NODES: Final = 20
_WINDOWS: Final = 8
_WORK_PER_MOVE: Final = 2e-6
_WORK_PER_COLUMN: Final = 1e-4
_LP_LIMIT_S: Final = 60.0


@dataclass
class _Chain:
    """One annealing chain between slices."""

    terrain: Terrain
    draft: Draft
    best_block: Ints
    best_option: Ints
    best: float = -np.inf


class Search:
    """Improves a plan step by step; every step is counted work, so that it can be repeated.

    Parameters
    ----------
    problem : Problem
        In canonical order, without fixed blocks.
    graph, open_ : Graph, bool[n, O]
        Usable contacts and reachable options.
    seed : int
        Seeds everything random.
    stopped : callable
        Asked between slices of work; True ends the step early.
    start : sequence of Block
        A plan to begin with, if it is one.
    """

    def __init__(
        self,
        problem: Problem,
        graph: Graph,
        open_: Bools,
        seed: int,
        stopped: Callable[[], bool],
        start: Sequence[Block] = (),
    ) -> None:
        self.problem, self.graph, self.open = problem, graph, open_
        self.seed = seed
        self.stopped = stopped
        self.options: Options = make_options(problem)
        self.terrain: Terrain = make_terrain(problem, graph, open_, problem.lock_by)
        self.pool = Pool(problem, graph, open_, self.options)
        self.best_blocks: tuple[Block, ...] | None = None
        self.best_objective = -np.inf
        self.gross = 0.0
        self.nearest: list[float] = [0.0] * len(problem.targets)
        self.rounds = 0
        self.work = 0.0
        self._active: list[int] = []
        self._told = -np.inf
        self._worth = self.options.net - (problem.perimeter_per_m * problem.perimeter_m)[:, None]
        worth = np.abs(self._worth)[open_.any(axis=1)]
        self._scale = float(worth.mean()) if worth.size and worth.any() else 1.0
        self._shortage = 3.0 * float((np.abs(self._worth).max(axis=1) / problem.area_mu).max(initial=0.0))
        self._dives = 0
        self.offer(())
        self._alone()
        self._before = self._known_before()
        if start:
            self.offer(start)

    def anneal_once(self) -> Iterator[Event]:
        """The annealing of one round."""
        yield from self._anneal(self._moves())

    def steps(self) -> Iterator[Event]:
        """Search without end; the caller stops asking."""
        yield from self._tell()
        yield from self._anneal(min(_MOVES_PER_PARCEL * self.problem.n, self._moves()) // 4)  # a first plan, soon
        while True:
            yield from self.anneal_once()
            priced = None if self.stopped() else self._price()
            yield from self._tell()
            if priced is not None:
                yield from self._dive(priced)
                yield from self._choose(priced)
                if len(priced[0]) > _MASTER_COLUMNS[-1]:
                    yield from self._windows(priced)
            self.rounds += 1
            yield from self._tell()

    def _alone(self) -> None:
        """Parcels that are blocks by themselves join the pool: no growing is sure to stop at one."""
        problem = self.problem
        fits = (problem.area_mu >= problem.block_min_mu) & (problem.area_mu <= problem.block_max_mu)
        alone = np.flatnonzero(fits & self.open.any(axis=1) & ~problem.filler)
        if len(alone):
            self._active = sorted(set(self.pool.add_all(np.arange(len(alone) + 1), alone)))

    def _known_before(self) -> tuple[Block, ...]:
        """Blocks of the plan before join the pool; they are the first plan, or else the first draft."""
        known = repaired(self.problem, self.graph, self.open, self.options)
        self._active = sorted({*self._active, *(self.pool.add(b.parcels) for b in known.variants)})
        self.offer(known.blocks)
        return known.blocks

    def offer(self, blocks: Sequence[Block]) -> bool:
        """Take a set of blocks as the best plan if it is one and is better; the empty set may be one too."""
        if plan_faults(self.problem, self.graph, blocks, self.open):
            return False
        value = objective(self.problem, self.graph, blocks)
        if self.best_blocks is not None and value <= self.best_objective:
            return False
        self.best_blocks, self.best_objective = ordered(blocks), value
        chosen = [i for b in blocks for i in b.parcels]
        self.gross = float(np.abs(self._worth[chosen]).max(axis=1).sum()) if chosen else 0.0
        return True

    def _tell(self) -> Iterator[Event]:
        if self.best_blocks is not None and self.best_objective > self._told:
            self._told = self.best_objective
            yield PlanFound(self.work, self.best_blocks, self.best_objective, self.gross)
        yield StepDone(self.work, self.rounds, tuple(self.nearest))

    def _moves(self) -> int:
        moves = _MOVES_PER_PARCEL * len(self.problem.modes) * self.problem.n
        return int(np.clip(moves, 250_000, _MOST_MOVES))

    def _blocks_of(self, block: Ints, option: Ints) -> tuple[Block, ...]:
        """Blocks of a slot assignment."""
        order = np.argsort(block, kind="stable")
        slots, first = np.unique(block[order], return_index=True)
        parts = np.split(order, first[1:])
        phase, mode = self.options.phase, self.options.mode
        return ordered(
            Block(tuple(part.tolist()), int(phase[option[k]]), int(mode[option[k]]))
            for k, part in zip(slots.tolist(), parts, strict=True)
            if k >= 0
        )

    def _start(self, chain: int) -> tuple[_Chain, float, float]:
        """Draft, hot and cold temperature of a chain in this round."""
        terrain = self.terrain
        draft = empty_draft(terrain)
        known = self.best_blocks or (self._before if chain == 0 else ())
        fresh = not known or (self.rounds + chain) % 3 == 2
        if not fresh:
            load(terrain, draft, [(b.parcels, self.options.of(b.phase, b.mode)) for b in known])
        state = _Chain(terrain, draft, draft.block.copy(), draft.option.copy())
        hot = (2.5, 1.5) if fresh else (0.6, 0.25)
        return state, self._scale * hot[chain % 2], self._scale * 0.01

    def _start_from(self, blocks: Chosen, heat: float) -> tuple[_Chain, float, float]:
        """The same from given blocks, which need not be a plan."""
        draft = empty_draft(self.terrain)
        load(self.terrain, draft, [(parcels.tolist(), option) for parcels, option in blocks])
        state = _Chain(self.terrain, draft, draft.block.copy(), draft.option.copy())
        return state, self._scale * heat, self._scale * 0.01

    def _is_tight(self, prices: Prices) -> bool:
        """Whether limits are worth so much, and the best plan so far below the linear master, that a dive pays."""
        limits = np.array([s.limit for s in self.pool.spendings], dtype=float)
        held = float(np.abs(prices.limit * limits).sum()) > _TIGHT * abs(prices.value)
        return held and prices.value - self.best_objective > _FAR * abs(prices.value)

    def _dive(self, state: tuple[Columns, Prices]) -> Iterator[Event]:
        """Dives into the linear master, and annealing from where they end."""
        columns, prices = state
        for _ in range(_DIVES):
            if self.stopped() or not self._is_tight(prices):
                return
            number, grow = self._dives, self._grow_clear
            found = dive(self.pool, columns, prices, self._shortage, grow, number, _LP_LIMIT_S, self.stopped)
            self._dives += 1
            self.work += found.work
            self._active = sorted({*self._active, *(self.pool.add(p) for p, _ in found.likely)})
            yield from self._tell()
            starts = [(found.settled, _DIVE_HEAT[0]), (found.likely, _DIVE_HEAT[1])]
            yield from self._anneal(min(_DIVE_MOVES * self.problem.n, _MOST_MOVES // 4), starts)

    def _anneal(self, moves: int, starts: Sequence[tuple[Chosen, float]] = ()) -> Iterator[Event]:
        """Two chains from the best plan or from nothing, or from given blocks (parcels, option) and heats."""
        slices = max(1, moves // _SLICE_MOVES)
        runs = [self._start_from(*start) for start in starts] or [self._start(c) for c in range(CHAINS)]
        with ThreadPoolExecutor(CHAINS) as threads:
            for s in range(slices):
                if self.stopped():
                    break
                jobs = []
                for c, (chain, hot, cold) in enumerate(runs):
                    top = hot * (cold / hot) ** (s / slices)
                    end = hot * (cold / hot) ** ((s + 1) / slices)
                    seed = (self.seed * 1_000_003 + (self.rounds + 37 * self._dives) * 10_007 + s * 101 + c) % (2**31)
                    jobs.append(threads.submit(self._slice, chain, seed, moves // slices, top, end))
                for job in jobs:
                    job.result()
                for chain, _, _ in runs:
                    self._harvest(chain)
                self.work += CHAINS * (moves // slices) * _WORK_PER_MOVE
                yield from self._tell()

    def _slice(self, chain: _Chain, seed: int, moves: int, hot: float, cold: float) -> None:
        block, option = chain.best_block.copy(), chain.best_option.copy()
        result = np.empty(3)
        anneal(chain.terrain, chain.draft, seed, moves, hot, cold, block, option, result)
        adapt_prices(chain.terrain, chain.draft)
        if result[0] > chain.best:
            chain.best, chain.best_block, chain.best_option = float(result[0]), block, option

    def _harvest(self, chain: _Chain) -> None:
        """Blocks of a chain join the pool; its best draft is offered as a plan."""
        current = self._blocks_of(chain.draft.block, chain.draft.option)
        if keeps_limits(chain.terrain, chain.draft):
            self.nearest = np.maximum(self.nearest, reached_amounts(self.problem, current)).tolist()
        best = self._blocks_of(chain.best_block, chain.best_option) if chain.best > -np.inf else ()
        self._active = sorted({*self._active, *(self.pool.add(b.parcels) for b in (*current, *best))})
        if chain.best > self.best_objective:
            self.offer(best)

    def _price(self) -> tuple[Columns, Prices] | None:
        """Column generation by heuristic pricing from every parcel and option."""
        seeds, options = np.nonzero(self.open)
        modes = len(self.problem.modes)
        state: tuple[Columns, Prices] | None = None
        idle = 0
        for step in range(_PRICING_ROUNDS[min(self.rounds, 1)]):
            columns = self.pool.columns(self._active)
            core = self._core(columns, state)
            if not len(columns):
                return state
            start = None if state is None else state[1].end
            prices = solve_prices(self.pool, columns, _LP_LIMIT_S, self._shortage, core, start, warm=modes > 1)
            if prices is None:
                return state
            state = (columns, prices)
            self.work += (len(columns) if core is None else int(core.sum())) * _WORK_PER_COLUMN
            if self.stopped():
                break
            every = max(1, modes * len(seeds) // _SEEDS_A_PASS)
            fresh = self._grow(prices, seeds[step % every :: every], options[step % every :: every], step)
            self._retire(columns, prices)
            self._active = sorted({*self._active, *fresh})
            idle = 0 if fresh else idle + 1
            if idle >= 3:
                break
        return state

    def _core(self, columns: Columns, last: tuple[Columns, Prices] | None) -> Bools | None:
        """Columns for the next linear master, where there are too many for all: new ones and the best of the others."""
        if last is None or len(columns) <= _CORE_COLUMNS:
            return None
        known, prices = last
        before, now = column_names(self.pool, known), column_names(self.pool, columns)
        order = np.argsort(before)
        place = np.minimum(np.searchsorted(before, now, sorter=order), len(before) - 1)
        at = order[place]
        reduced = np.where(before[at] == now, prices.reduced[at], np.inf)
        core = np.zeros(len(columns), dtype=np.bool_)
        core[np.lexsort((now, -reduced))[:_CORE_COLUMNS]] = True
        return core

    def _grow_clear(self, prices: Prices, taken: Bools, step: int) -> set[int]:
        """Blocks that pay at the prices and hold no parcel that is taken; numbers of those that are new."""
        open_ = np.ascontiguousarray(self.open & ~taken[:, None])
        seeds, options = np.nonzero(open_)
        every = max(1, len(seeds) // _DIVE_SEEDS)
        at = slice(step % every, None, every)
        fresh = self._grow(prices, seeds[at], options[at], step, self.terrain._replace(open=open_))
        self._active = sorted({*self._active, *fresh})
        return fresh

    def _grow(self, prices: Prices, seeds: Ints, options: Ints, step: int, terrain: Terrain | None = None) -> set[int]:
        """Blocks that pay at the prices, grown from `seeds` in `options`; numbers of those that are new."""
        terrain = terrain or self.terrain
        weight = prices.weight(self.pool, self._worth)
        fixed = prices.block[self.options.phase]
        noise = 0.05 * self._scale / float(self.problem.area_mu.mean()) * (step % 3)
        grown = price_blocks(terrain, weight, seeds, options, fixed, noise, self.seed + step, 1e-7 * self._scale)
        pointer, member, _, gain = grown
        before = len(self.pool)
        order = np.lexsort((np.arange(len(gain)), -gain))[:_NEW_PER_ROUND]
        parts = [member[pointer[b] : pointer[b + 1]] for b in order.tolist()]
        if not parts:
            return set()
        added = self.pool.add_all(np.concatenate([[0], np.cumsum([len(p) for p in parts])]), np.concatenate(parts))
        return {s for s in added if s >= before}

    def _retire(self, columns: Columns, prices: Prices) -> None:
        """Keep the sets whose best column is nearest to paying."""
        most = _MAX_POOL_COLUMNS * len(self.problem.modes)
        if len(columns) <= most:
            return
        order = np.lexsort((np.arange(len(columns)), -prices.reduced))[: most * 3 // 4]
        keep = set(columns.of[order].tolist())
        if self.best_blocks is not None:
            keep |= {self.pool.add(b.parcels) for b in self.best_blocks}
        self._active = sorted(keep)

    def _mine(self, columns: Columns) -> Ints:
        """Columns of the best plan."""
        mine = {(self.pool.add(b.parcels), self.options.of(b.phase, b.mode)) for b in self.best_blocks or ()}
        pairs = zip(columns.of.tolist(), columns.option.tolist(), strict=True)
        return np.array([c for c, pair in enumerate(pairs) if pair in mine], dtype=np.int64)

    def _choose(self, state: tuple[Columns, Prices]) -> Iterator[Event]:
        """Integer master over the columns that can still be part of a better plan, best reduced worth first."""
        columns, prices = state
        best_first = np.lexsort((np.arange(len(columns)), -prices.reduced))
        for most, gap, nodes in zip(_MASTER_COLUMNS, _MASTER_GAPS, _MASTER_NODES, strict=True):
            order = best_first[:most]
            if self.best_blocks is not None:  # the better the plan, the fewer columns can be part of a better one
                room = max(0.0, prices.value - self.best_objective) + 1e-6 * abs(prices.value)
                order = np.union1d(order[prices.reduced[order] >= -room], self._mine(columns))
            if self.stopped():
                return
            self._integer(columns.take(np.sort(order)), gap, nodes)
            yield from self._tell()

    def _windows(self, state: tuple[Columns, Prices]) -> Iterator[Event]:
        """Large-neighbourhood search: free the blocks of a window, choose anew among what fits there."""
        columns, prices = state
        rng = np.random.default_rng([self.seed, self.rounds])
        for _ in range(_WINDOWS):
            if not self.best_blocks or self.stopped():
                return
            keep = window(self.pool, self.graph, columns, prices.reduced, self.best_blocks, rng)
            if keep is not None:
                chosen = np.union1d(keep, self._mine(columns))
                self._integer(columns.take(chosen), _WINDOW_GAP, _WINDOW_NODES)
            yield from self._tell()

    def _integer(self, columns: Columns, gap: float, nodes: int) -> None:
        result = choose_blocks(self.pool, columns, self.best_blocks, gap=gap, nodes=nodes, time_limit_s=_LP_LIMIT_S)
        self.work += result.work
        if result.blocks is not None:
            self.offer(result.blocks)
