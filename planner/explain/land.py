"""A problem as the optimiser works on it: without fixed blocks and hopeless parcels; and a pool of blocks on it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from planner.optimise.columns import Columns, Pool
from planner.optimise.evaluate import ordered, set_faults
from planner.optimise.exact import enumerate_pool
from planner.optimise.graph import Graph
from planner.optimise.presolve import reachable, usable_graph, without_fixed
from planner.optimise.rolling import seed_phase
from planner.optimise.search import Search
from planner.optimise.stop import Clock
from planner.problem import Block, Bools, Ints, Problem

MOST_COLUMNS = 8_000
"""Columns that a linear or integer program over a pool is given at most; the youngest are the best priced."""


@dataclass(frozen=True, eq=False)
class Land:
    """The reduced problem with its graph.

    Attributes
    ----------
    whole : Problem
        As given.
    problem : Problem
        Without fixed blocks, only parcels that some block can hold.
    constant : float
        Worth of the fixed blocks, currency.
    graph, open_ : Graph, bool[n, O]
    kept : int64[n]
        Position in `whole` of each parcel of `problem`.
    """

    whole: Problem
    problem: Problem
    constant: float
    graph: Graph
    open_: Bools
    kept: Ints

    @classmethod
    def of(cls, problem: Problem) -> Land:
        """Reduce a problem.

        Raises
        ------
        InfeasibleError
            The fixed blocks alone break a limit.
        """
        reduced = without_fixed(problem)
        keep = np.asarray(reachable(reduced.problem, usable_graph(reduced.problem)).any(axis=1))
        if problem.rolling:
            keep |= seed_phase(reduced.problem) < len(problem.phases)
        left, kept = reduced.problem.subset(keep)
        graph = usable_graph(left)
        return cls(problem, left, reduced.constant, graph, reachable(left, graph), kept)

    def lift(self, blocks: Iterable[Block]) -> tuple[Block, ...]:
        """Blocks in the numbers of `whole`, fixed blocks among them."""
        mine = [replace(b, parcels=tuple(self.kept[list(b.parcels)].tolist())) for b in blocks]
        return ordered([*mine, *self.whole.fixed])

    def lower(self, blocks: Iterable[Block]) -> tuple[Block, ...]:
        """Blocks of `whole` in the numbers of `problem`, without fixed ones; empty where a parcel is not in it."""
        rank = np.full(self.whole.n, -1, dtype=np.int64)
        rank[self.kept] = np.arange(len(self.kept))
        fixed = set(self.whole.fixed)
        found = [replace(b, parcels=tuple(rank[list(b.parcels)].tolist())) for b in blocks if b not in fixed]
        return () if any(i < 0 for b in found for i in b.parcels) else ordered(found)


@dataclass(frozen=True, eq=False)
class Offer:
    """A pool of blocks with its columns.

    Attributes
    ----------
    pool : Pool
    columns : Columns
    complete : bool
        The pool holds every possible block: what is best over it is best of all.
    """

    pool: Pool
    columns: Columns
    complete: bool


def gather(
    land: Land,
    plans: Sequence[Sequence[Block]],
    seconds: float,
    seed: int,
    interrupted: Callable[[], bool],
    *,
    away: float = 0.0,
) -> Offer:
    """Blocks to choose from: all of them where they can be listed, else those that a search comes across.

    Parameters
    ----------
    land : Land
    plans : sequence of plans
        In the numbers of ``land.problem``; their blocks are always on offer.
    seconds : float
        For the search.
    seed : int
    interrupted : callable
    away : float
        Half of the search goes on with the land of the plans worth this share less, so that it comes across other land.
    """
    pool = enumerate_pool(land.problem, land.graph, land.open_)
    if pool is not None:
        return Offer(pool, pool.columns(), True)
    part = seconds / 2 if away > 0 else seconds
    start = tuple(plans[0]) if plans else ()
    pool = _come_across(land, land.problem, start, part, seed, interrupted)
    if away > 0:
        other = _come_across(land, _less_attractive(land.problem, plans, away), (), part, seed + 1, interrupted)
        pool.add_all(np.concatenate([[0], np.cumsum([len(m) for m in other.members])]), _joined(other.members))
    wanted = {pool.add(b.parcels) for plan in plans for b in plan}
    wanted |= {pool.add(s) for plan in plans for s in _variants(land, plan)}
    room = MOST_COLUMNS // max(1, len(pool.options))
    sets = sorted(wanted | set(range(max(0, len(pool) - room), len(pool))))
    return Offer(pool, pool.columns(sets), False)


def _come_across(
    land: Land, problem: Problem, start: Sequence[Block], seconds: float, seed: int, interrupted: Callable[[], bool]
) -> Pool:
    """Blocks that a search of some seconds meets."""
    clock = Clock(seconds)

    def stopped() -> bool:
        return clock.over() or interrupted()

    search = Search(problem, land.graph, land.open_, seed, stopped, tuple(start))
    for _ in search.steps():
        if stopped():
            break
    return search.pool


def _variants(land: Land, plan: Sequence[Block]) -> set[tuple[int, ...]]:
    """Blocks of a plan with a parcel less, one more of the land around that the plan leaves, or one for the other."""
    problem, graph = land.problem, land.graph
    taken = {i for b in plan for i in b.parcels}
    usable = np.asarray(land.open_.any(axis=1))
    found: set[tuple[int, ...]] = set()
    for b in plan:
        beside = sorted({j for i in b.parcels for j in graph.of(i).tolist() if j not in taken and usable[j]})
        for less in (None, *b.parcels):
            for more in (None, *beside):
                members = tuple(sorted({i for i in (*b.parcels, more) if i is not None and i != less}))
                if members not in found and members and not set_faults(problem, graph, members, b.mode):
                    found.add(members)
    return found


def _less_attractive(problem: Problem, plans: Sequence[Sequence[Block]], share: float) -> Problem:
    """The problem with parcels of the plans worth less, by a share of the mean worth of a mu in them."""
    taken = np.zeros(problem.n, dtype=np.bool_)
    for plan in plans:
        for b in plan:
            taken[list(b.parcels)] = True
    gain = problem.benefit if problem.mode_benefit is None else problem.mode_benefit.max(axis=1)
    mean = float(gain[taken].sum() / max(problem.area_mu[taken].sum(), 1e-9))
    penalty = np.where(taken, share * mean * problem.area_mu, 0.0)
    by_mode = None if problem.mode_benefit is None else problem.mode_benefit - penalty[:, None]
    return replace(problem, benefit=problem.benefit - penalty, mode_benefit=by_mode)


def _joined(sets: Sequence[Ints]) -> Ints:
    return np.concatenate(sets) if len(sets) else np.empty(0, dtype=np.int64)
