"""The search for plans: annealing, columns priced by the linear master, the integer master over the best of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Final

import numpy as np

from planner.optimise.anneal import anneal
from planner.optimise.columns import Columns, Pool
from planner.optimise.evaluate import cumulative_mu, objective, ordered, plan_faults
from planner.optimise.graph import Graph
from planner.optimise.master import solve_master
from planner.optimise.prices import Prices, solve_prices
from planner.optimise.pricing import price_blocks
from planner.optimise.state import Draft, Terrain, adapt_prices, empty_draft, keeps_limits, make_terrain, place, rephase
from planner.optimise.stop import Clock
from planner.problem import Block, Bools, Floats, Problem

CHAINS: Final = 2
_SLICE_MOVES: Final = 100_000
_MAX_POOL_COLUMNS: Final = 2_500
_MAX_MASTER_COLUMNS: Final = 3_000
_NEW_PER_ROUND: Final = 500
_PRICING_ROUNDS: Final = (30, 12)  # first round, later rounds
_MASTER_WORK: Final = 6.0


@dataclass
class _Chain:
    """One annealing chain between slices."""

    terrain: Terrain
    draft: Draft
    best_block: np.ndarray
    best_phase: np.ndarray
    best: float = -np.inf


def blocks_of(block: np.ndarray, phase: np.ndarray) -> tuple[Block, ...]:
    """Blocks of a slot assignment."""
    return ordered(
        Block(tuple(np.flatnonzero(block == k).tolist()), int(phase[k])) for k in np.unique(block[block >= 0]).tolist()
    )


class Search:
    """Improves a plan round by round; every round is counted work, so that it can be repeated.

    Parameters
    ----------
    problem : Problem
        In canonical order.
    graph, open_ : Graph, bool[n, T]
        Usable contacts and reachable phases.
    seed : int
        Seeds everything random.
    stopped : callable
        Asked between slices of work; True ends the round early.
    report : callable
        Called with each new best objective.
    """

    def __init__(
        self,
        problem: Problem,
        graph: Graph,
        open_: Bools,
        seed: int,
        stopped: Callable[[], bool],
        report: Callable[[float], None],
    ) -> None:
        self.problem, self.graph, self.open = problem, graph, open_
        self.seed = seed
        self.stopped = stopped
        self.report = report
        self.terrain: Terrain = make_terrain(problem, graph, open_, problem.lock_by)
        self.pool = Pool(problem, graph, open_)
        self.best_blocks: tuple[Block, ...] | None = None
        self.best_objective = -np.inf
        self.gross = 0.0  # absolute terms that the best objective adds up
        self.nearest_mu: list[float] = [0.0] * len(problem.targets)
        self.rounds = 0
        self._active: list[int] = []
        usable = self.open.any(axis=1)
        worth = np.abs(self.terrain.worth)[usable]
        self._scale = float(worth.mean()) if worth.size and worth.any() else 1.0

    def glance(self) -> None:
        """A quarter of the annealing of a round, for a first plan."""
        self._anneal(self._moves() // 4)

    def round(self, clock: Clock) -> None:
        """One round: anneal, price, choose."""
        self._anneal(self._moves())
        if not self.stopped():
            prices = self._price(clock)
            if prices is not None and not self.stopped():
                self._choose(prices, clock)
        if self.best_blocks is None:  # dearer rules for the next round
            self.terrain.floor_price[:] *= 3.0
            self.terrain.budget_price[:] *= 3.0
        self.rounds += 1

    def offer(self, blocks: Sequence[Block]) -> bool:
        """Take a set of blocks as the best plan if it is one and is better; the empty set may be one too."""
        if plan_faults(self.problem, self.graph, blocks, self.open):
            return False
        value = objective(self.problem, self.graph, blocks)
        if self.best_blocks is not None and value <= self.best_objective:
            return False
        self.best_blocks, self.best_objective = ordered(blocks), value
        chosen = [i for b in blocks for i in b.parcels]
        self.gross = float(np.abs(self.terrain.worth[chosen]).max(axis=1).sum()) if chosen else 0.0
        self.report(value)
        return True

    def _moves(self) -> int:
        return int(np.clip(4000 * self.problem.n, 250_000, 15_000_000))

    def _start(self, chain: int) -> tuple[_Chain, float, float]:
        """Draft, hot and cold temperature of a chain in this round."""
        draft = empty_draft(self.terrain, len(self.problem.zones))
        terrain = self.terrain._replace(
            floor_price=self.terrain.floor_price.copy(), budget_price=self.terrain.budget_price.copy()
        )
        state = _Chain(terrain, draft, draft.block.copy(), draft.phase.copy())
        fresh = self.best_blocks is None or (self.rounds + chain) % 3 == 2
        if not fresh and self.best_blocks is not None:
            for k, block in enumerate(self.best_blocks):
                rephase(draft, k, block.phase)
                for i in block.parcels:
                    draft.counters[0] = 0
                    place(self.terrain, draft, i, k)
            hot = self._scale * (0.6 if chain == 0 else 0.25)
            return state, hot, self._scale * 0.01
        return state, self._scale * (2.5 if chain == 0 else 1.5), self._scale * 0.01

    def _anneal(self, moves: int) -> None:
        slices = max(1, moves // _SLICE_MOVES)
        runs = [self._start(c) for c in range(CHAINS)]
        with ThreadPoolExecutor(CHAINS) as threads:
            for s in range(slices):
                if self.stopped():
                    break
                jobs = []
                for c, (chain, hot, cold) in enumerate(runs):
                    top = hot * (cold / hot) ** (s / slices)
                    end = hot * (cold / hot) ** ((s + 1) / slices)
                    seed = (self.seed * 1_000_003 + self.rounds * 10_007 + s * 101 + c) % (2**31)
                    jobs.append(threads.submit(self._slice, chain, seed, moves // slices, top, end))
                for job in jobs:
                    job.result()
                for chain, _, _ in runs:
                    self._harvest(chain)

    def _slice(self, chain: _Chain, seed: int, moves: int, hot: float, cold: float) -> None:
        block, phase = chain.best_block.copy(), chain.best_phase.copy()
        result = np.empty(3)
        anneal(chain.terrain, chain.draft, seed, moves, hot, cold, block, phase, result)
        adapt_prices(chain.terrain, chain.draft)
        if result[0] > chain.best:
            chain.best, chain.best_block, chain.best_phase = float(result[0]), block, phase

    def _harvest(self, chain: _Chain) -> None:
        """Blocks of a chain join the pool; its best draft is offered as a plan."""
        current = blocks_of(chain.draft.block, chain.draft.phase)
        if keeps_limits(chain.terrain, chain.draft):
            self.nearest_mu = np.maximum(self.nearest_mu, cumulative_mu(self.problem, current)).tolist()
        best = blocks_of(chain.best_block, chain.best_phase) if chain.best > -np.inf else ()
        self._active = sorted({*self._active, *(self.pool.add(b.parcels) for b in (*current, *best))})
        if chain.best > self.best_objective:
            self.offer(best)

    def _price(self, clock: Clock) -> tuple[Columns, Prices] | None:
        """Column generation by heuristic pricing from every parcel and phase."""
        n, n_phases = self.open.shape
        seeds = np.repeat(np.arange(n), n_phases)
        phases = np.tile(np.arange(n_phases), n)
        usable = self.open[seeds, phases]
        seeds, phases = seeds[usable], phases[usable]
        shortage = 3.0 * float((np.abs(self.terrain.worth).max(axis=1) / self.problem.area_mu).max())
        state: tuple[Columns, Prices] | None = None
        idle = 0
        for step in range(_PRICING_ROUNDS[min(self.rounds, 1)]):
            columns = self.pool.columns(self._active)
            prices = solve_prices(self.pool, columns, max(1.0, clock.remaining()), shortage) if len(columns) else None
            if prices is None:
                return state
            state = (columns, prices)
            if self.stopped():
                break
            weight = prices.weight(self.problem, self.terrain.worth)
            noise = 0.05 * self._scale / float(self.problem.area_mu.mean()) * (step % 3)
            grown = price_blocks(
                self.terrain, weight, seeds, phases, prices.block, noise, self.seed + step, 1e-7 * self._scale
            )
            fresh = self._admit(*grown)
            self._retire(columns, prices)
            self._active = sorted({*self._active, *fresh})
            idle = 0 if fresh else idle + 1
            if idle >= 3:
                break
        return state

    def _admit(self, pointer: np.ndarray, member: np.ndarray, _phase: np.ndarray, gain: Floats) -> set[int]:
        """Add the best grown blocks to the pool; numbers of those that are new."""
        before = len(self.pool)
        order = np.lexsort((np.arange(len(gain)), -gain))[:_NEW_PER_ROUND]
        added = {self.pool.add(member[pointer[b] : pointer[b + 1]].tolist()) for b in order.tolist()}
        return {s for s in added if s >= before}

    def _retire(self, columns: Columns, prices: Prices) -> None:
        """Keep the sets whose best column is nearest to paying."""
        if len(columns) <= _MAX_POOL_COLUMNS:
            return
        order = np.lexsort((np.arange(len(columns)), -prices.reduced))[: _MAX_POOL_COLUMNS * 3 // 4]
        keep = set(columns.of[order].tolist())
        if self.best_blocks is not None:
            keep |= {self.pool.add(b.parcels) for b in self.best_blocks}
        self._active = sorted(keep)

    def _choose(self, state: tuple[Columns, Prices], clock: Clock) -> None:
        """Integer master over the columns that can still be part of a better plan, dearest reduced worth first."""
        columns, prices = state
        order = np.lexsort((np.arange(len(columns)), -prices.reduced))[:_MAX_MASTER_COLUMNS]
        if self.best_blocks is not None:
            room = max(0.0, prices.value - self.best_objective) + 1e-6 * abs(prices.value)
            order = order[prices.reduced[order] >= -room]
            mine = {(self.pool.add(b.parcels), b.phase) for b in self.best_blocks}
            here = [c for c in range(len(columns)) if (int(columns.of[c]), int(columns.phase[c])) in mine]
            order = np.union1d(order, np.array(here, dtype=np.int64))
        result = solve_master(
            self.pool,
            columns.take(np.sort(order)),
            self.best_blocks,
            time_limit_s=max(0.5, clock.remaining()),
            work=_MASTER_WORK,
            seed=self.seed,
            workers=1,
        )
        if result.blocks is not None:
            self.offer(result.blocks)
