"""Ways to join parcels outside a plan to its blocks, over short chains of further parcels outside."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from planner.consequences.joining import JoinJudge, Joins
from planner.consequences.plan import PlanInHand
from planner.optimise.graph import Graph
from planner.optimise.options import availability
from planner.problem import Bools, Floats, Ints, Problem

FURTHER: Final = 3
"""Most parcels that are taken on the way from a forced parcel to a block."""
_KEPT: Final = 8
"""Ways from a block to a parcel that are followed further: those that are worth most."""


@dataclass(frozen=True, eq=False)
class Found:
    """Joins under which the block keeps the rules for blocks, with what they do.

    Attributes
    ----------
    joins : Joins
        Of up to `FURTHER` + 1 parcels, from the block outwards.
    last : int64[K]
        The parcel that each leads to.
    worth : float64[K]
        What the block gains, currency.
    free : bool[K]
        No lock has to be lifted.
    """

    joins: Joins
    last: Ints
    worth: Floats
    free: Bools

    def of(self, keep: Bools | Ints) -> Found:
        """Some of them."""
        return Found(self.joins.of(keep), self.last[keep], self.worth[keep], self.free[keep])


def find_joins(problem: Problem, graph: Graph, plan: PlanInHand, judge: JoinJudge, asked: Bools) -> Found:
    """Joins that lead to parcels outside a plan, directly or over up to `FURTHER` further ones.

    All are looked at; where many lead from a block to a parcel, only the `_KEPT` that are worth most are followed and
    told. Fixed blocks stay as they are. Of parcels asked for that are locked out the lock is lifted, of others not.

    Parameters
    ----------
    problem : Problem
    graph : Graph
        Contacts that a block may use.
    plan : PlanInHand
    judge : JoinJudge
    asked : bool[n]
        Parcels outside whose lock is lifted.

    Returns
    -------
    Found
        In an order that does not depend on that of the parcels: by number of parcels, then block, last parcel, worth.
    """
    parts = list(_by_length(problem, graph, plan, judge, asked))
    joins = Joins(np.concatenate([f.joins.block for f in parts]), np.concatenate([f.joins.parcels for f in parts]))
    rest = [np.concatenate([getattr(f, name) for f in parts]) for name in ("last", "worth", "free")]
    return Found(joins, *rest)


def _by_length(problem: Problem, graph: Graph, plan: PlanInHand, judge: JoinJudge, asked: Bools) -> Iterator[Found]:
    network = _Network(problem, graph, plan)
    rank = np.full(problem.n + 1, problem.n, dtype=np.int64)
    rank[sorted(range(problem.n), key=problem.parcel_ids.__getitem__)] = np.arange(problem.n)
    open_, lifted = availability(problem), availability(replace(problem, selectable=problem.selectable | asked))
    joins = network.first()
    for step in range(FURTHER + 1):
        last, option = joins.parcels[:, step], judge.option(joins.block)
        joins = joins.of(judge.fits(joins) & lifted[last, option])
        worth = judge.worth(joins)
        order = np.lexsort((*rank[joins.parcels].T[::-1], -worth, rank[joins.parcels[:, step]], joins.block))
        order = order[_among_first(joins.of(order), step)]
        joins, worth = joins.of(order), worth[order]
        last = joins.parcels[:, step]
        free = open_[last, judge.option(joins.block)]
        yield Found(joins, last, worth, free).of(judge.sound(joins))
        if step < FURTHER:
            joins = network.further(joins.of(free), step)


def _among_first(ordered: Joins, step: int) -> Bools:
    """Whether a join is one of the first `_KEPT` of its block and last parcel; those stand together."""
    block, last, at = ordered.block, ordered.parcels[:, step], np.arange(len(ordered))
    new = np.ones(len(ordered), dtype=np.bool_)
    new[1:] = (block[1:] != block[:-1]) | (last[1:] != last[:-1])
    start = np.maximum.accumulate(np.where(new, at, 0)) if len(at) else at
    return np.asarray(at - start < _KEPT)


class _Network:
    """Contacts that a block may use and, under the rolling rule, that count for it: those within one zone."""

    def __init__(self, problem: Problem, graph: Graph, plan: PlanInHand) -> None:
        self._n, self._graph = problem.n, graph
        self._outside = np.ones(problem.n, dtype=np.bool_)
        self._outside[list(plan.block_of)] = False
        self._block = np.full(problem.n, -1, dtype=np.int64)
        for k, block in enumerate(plan.blocks):
            if block not in problem.fixed:
                self._block[list(block.parcels)] = k
        self._zone = problem.zone if problem.rolling else np.zeros(problem.n, dtype=np.int64)

    def first(self) -> Joins:
        """Every parcel outside that touches a block, with the block."""
        near, parcel, _ = self._contacts(np.flatnonzero(self._block >= 0))
        pairs = np.unique(np.stack([self._block[near], parcel], axis=1), axis=0)
        parcels = np.full((len(pairs), FURTHER + 1), self._n, dtype=np.int64)
        parcels[:, 0] = pairs[:, 1]
        return Joins(pairs[:, 0], parcels)

    def further(self, joins: Joins, step: int) -> Joins:
        """Every join with one parcel more, beyond its last one."""
        _, parcel, of = self._contacts(joins.parcels[:, step])
        new = (joins.parcels[of] != parcel[:, None]).all(axis=1)
        grown = joins.of(of[new])
        parcels = grown.parcels.copy()
        parcels[:, step + 1] = parcel[new]
        return Joins(grown.block, parcels)

    def _contacts(self, ends: Ints) -> tuple[Ints, Ints, Ints]:
        """Contacts of some parcels with such outside: both ends, and the place of the first in `ends`."""
        start = self._graph.start[ends]
        count = self._graph.start[ends + 1] - start
        of = np.repeat(np.arange(len(ends)), count)
        other = self._graph.neighbour[np.repeat(start - (np.cumsum(count) - count), count) + np.arange(len(of))]
        keep = self._outside[other] & (self._zone[ends[of]] == self._zone[other])
        return ends[of][keep], other[keep], of[keep]
