"""What a plan loses at most when a parcel is forced in or out against it: worth of plans at hand, without a solve."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from planner.consequences.harm import Harm
from planner.consequences.joining import JoinJudge
from planner.consequences.plan import PlanInHand
from planner.consequences.sums import Limits, plan_sums, sum_rows, unmet_stretch
from planner.consequences.ways import FURTHER, Found, find_joins
from planner.optimise.presolve import usable_graph
from planner.problem import Bools, Floats, Ints, Problem

_WORK: Final = 150_000_000
"""Most sums that are looked at for exchanges, each way: bounds the time."""
_CHUNK: Final = 2_000_000
"""Changes, or pairs of changes, that are looked at in one go: bounds the memory."""
_JOINS_EACH: Final = 2
"""Joins of a forced parcel that are tried with every refusal: those that are worth most."""


@dataclass(frozen=True, eq=False)
class Forced:
    """For each parcel the best changed plan found in which the decision on it is turned round.

    The changed plan: of the block of `gives_way` stands what stands when that parcel is refused, and `parcels` join
    `block`; each half may be missing.

    Attributes
    ----------
    loss : float64[n]
        What the changed plan is worth less, currency; below 0 where it is worth more; NaN = none found, or not asked.
    gives_way : int64[n]
        Parcel that leaves the plan; -1 = none.
    block : int64[n]
        Number of the block that is joined; -1 = none.
    parcels : int64[n, FURTHER + 1]
        What joins it, from the block outwards; n = no parcel.
    """

    loss: Floats
    gives_way: Ints
    block: Ints
    parcels: Ints


def forced(problem: Problem, plan: PlanInHand, every: Sequence[Harm], asked: Bools) -> Forced:
    """Turn round the decision on each parcel, one at a time, by a few plain changes, and tell the best that is a plan.

    - *Out*, a parcel of the plan: what stands of its block (`planner.consequences.harm`); where that is no plan for
      its sums, together with one join to another block. Its own lock is lifted, a fixed block gives way.
    - *In*, a parcel outside: a join to a block (`planner.consequences.ways`); where none is a plan, together with the
      refusal of one parcel of another block. A lock that keeps it out is lifted.

    The best plan under the forced decision loses at most this much: the changed plan is one of those compared. Sums,
    worth and rules are exact, as `planner.optimise.evaluate` tells them of the changed plan. Below 0 the changed plan
    is better than the plan at hand.

    Parameters
    ----------
    problem : Problem
    plan : PlanInHand
        Keeps every rule.
    every : sequence of Harm
        All its refusals.
    asked : bool[n]
        Parcels outside the plan to force in.
    """
    n = problem.n
    found = Forced(np.full(n, np.nan), np.full(n, -1), np.full(n, -1), np.full((n, FURTHER + 1), n, dtype=np.int64))
    for harm in every:
        found.gives_way[harm.parcel] = harm.parcel if harm.is_plan else -1
        found.loss[harm.parcel] = harm.worth_lost if harm.is_plan else np.nan
    if not plan.blocks:
        return found
    graph = usable_graph(problem)
    judge, sums = JoinJudge(problem, graph, plan), _Sums(problem, plan)
    joins = find_joins(problem, graph, plan, judge, asked)
    best = _best_joins(joins)
    _join_alone(found, judge, sums, joins.of(asked[joins.last]))
    _join_and_refuse(found, judge, sums, every, best.of(asked[best.last] & np.isnan(found.loss[best.last])), problem)
    _refuse_and_join(found, judge, sums, every, best.of(best.free))
    return found


class _Sums:
    """The limited sums of a plan, and which changes keep their limits."""

    def __init__(self, problem: Problem, plan: PlanInHand) -> None:
        self._problem = problem
        self._limits = Limits.of(sum_rows(problem))
        self._total = plan_sums(problem, plan.blocks)
        self._stretched = [k for k, t in enumerate(problem.targets) if t.stretch]
        self._limited = np.flatnonzero(np.isfinite(self._limits.low) | np.isfinite(self._limits.high)).tolist()

    def __len__(self) -> int:
        return len(self._total)

    def costs(self, one: Floats, other: Floats) -> Floats:
        """What more stretch is unmet, in currency, after each of `one` together with each of `other`.

        Both are changes of the sums, ``float64[A, rows]`` and ``float64[B, rows]``; NaN where a limit is not kept.
        """
        kept = np.ones((len(one), len(other)), dtype=np.bool_)
        base = self._total + one
        for r in self._limited:
            after = base[:, r, None] + other[None, :, r]
            kept &= (after >= self._limits.low[r]) & (after <= self._limits.high[r])
        cost = np.full(kept.shape, -float(unmet_stretch(self._problem, self._total)))
        for k in self._stretched:  # as `unmet_stretch`, without an array of all sums of all pairs
            target, after = self._problem.targets[k], base[:, k, None] + other[None, :, k]
            cost += target.stretch_price * np.maximum(0.0, (target.stretch or 0.0) - after)
        return np.where(kept, cost, np.nan)


def _best_joins(joins: Found) -> Found:
    """For each parcel the joins to it that are worth most, in the order given."""
    order = np.lexsort((-joins.worth, joins.last))
    last = joins.last[order]
    _, start, count = np.unique(last, return_index=True, return_counts=True)
    place = np.arange(len(last)) - np.repeat(start, count)
    return joins.of(np.sort(order[place < _JOINS_EACH]))


def _join_alone(found: Forced, judge: JoinJudge, sums: _Sums, joins: Found) -> None:
    nothing = np.zeros((1, len(sums)))
    step = max(1, _CHUNK // max(1, len(sums)))
    for start in range(0, len(joins.last), step):
        some = joins.of(np.arange(start, min(len(joins.last), start + step)))
        loss = sums.costs(judge.added(some.joins), nothing)[:, 0] - some.worth
        _keep_best(found, some.last, loss, np.full(len(loss), -1), some)


def _join_and_refuse(
    found: Forced, judge: JoinJudge, sums: _Sums, every: Sequence[Harm], joins: Found, problem: Problem
) -> None:
    """Force in what no join alone takes in; a parcel of another block gives way."""
    able = [h for h in every if h.kind == "free" and not h.locks_lost and not h.splits]
    most = _WORK // max(1, len(joins.last) * len(sums))
    chosen = sorted(able, key=lambda h: (h.given_up, problem.parcel_ids[h.parcel]))[:most]
    if not chosen or not len(joins.last):
        return
    change, given_up, block, parcel = _arrays(chosen)
    step = max(1, _CHUNK // len(chosen))
    for start in range(0, len(joins.last), step):
        some = joins.of(np.arange(start, min(len(joins.last), start + step)))
        loss = sums.costs(judge.added(some.joins), change) + given_up - some.worth[:, None]
        loss[some.joins.block[:, None] == block] = np.nan
        best, pick = _least(loss)
        _keep_best(found, some.last, best, parcel[pick], some)


def _refuse_and_join(found: Forced, judge: JoinJudge, sums: _Sums, every: Sequence[Harm], joins: Found) -> None:
    """Force out what is missed too much; something else joins another block."""
    broken = [h for h in every if h.shortfalls and not h.locks_lost and not h.splits]
    most = _WORK // max(1, len(broken) * len(sums))
    joins = joins.of(np.argsort(-joins.worth, kind="stable")[:most])
    if not broken or not len(joins.last):
        return
    added = judge.added(joins.joins)
    change, given_up, block, parcel = _arrays(broken)
    step = max(1, _CHUNK // len(joins.last))
    for start in range(0, len(broken), step):
        some = slice(start, start + step)
        loss = sums.costs(change[some], added) + given_up[some, None] - joins.worth
        loss[block[some, None] == joins.joins.block] = np.nan
        best, pick = _least(loss)
        _keep_best(found, parcel[some], best, parcel[some], joins.of(pick))


def _arrays(every: Sequence[Harm]) -> tuple[Floats, Floats, Ints, Ints]:
    """Changes of the sums, worth given up, block and parcel of some refusals."""
    return (
        np.stack([h.change for h in every]),
        np.array([h.given_up for h in every], dtype=float),
        np.array([h.block for h in every], dtype=np.int64),
        np.array([h.parcel for h in every], dtype=np.int64),
    )


def _least(loss: Floats) -> tuple[Floats, Ints]:
    """Least entry of each row and its place; NaN where the row has none."""
    pick = np.where(np.isnan(loss), np.inf, loss).argmin(axis=1)
    return loss[np.arange(len(loss)), pick], pick


def _keep_best(found: Forced, parcel: Ints, loss: Floats, gives_way: Ints, joins: Found) -> None:
    """Note changed plans for the parcels they force, where they are the best so far."""
    order = np.lexsort((loss, parcel))
    order = order[np.isfinite(loss[order])]
    forced_one, first = np.unique(parcel[order], return_index=True)
    best = order[first]
    better = ~(found.loss[forced_one] <= loss[best])
    forced_one, best = forced_one[better], best[better]
    found.loss[forced_one], found.gives_way[forced_one] = loss[best], gives_way[best]
    found.block[forced_one], found.parcels[forced_one] = joins.joins.block[best], joins.joins.parcels[best]
