"""What every single refusal does to the plan when nothing else is done: exact, without a solve."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from planner.consequences.plan import PlanInHand
from planner.consequences.refused import only_land_of, refused
from planner.consequences.standing import Remainder
from planner.consequences.sums import Limits, SumRow, sum_rows, unmet_stretch
from planner.optimise.graph import Graph
from planner.optimise.presolve import usable_graph
from planner.optimise.rolling import rolling_faults, seed_phase
from planner.problem import Block, Floats, Ints, Problem


@dataclass(frozen=True)
class Shortfall:
    """A sum that leaves its limits.

    Attributes
    ----------
    name, unit : str
    by : float
        How far beyond the limit, in `unit`.
    limit, reached : float
    over : bool
        Above a largest amount; False = below a least one.
    """

    name: str
    unit: str
    by: float
    limit: float
    reached: float
    over: bool = False

    @property
    def in_words(self) -> str:
        """``target P1 short by 12.00 mu``."""
        return f"{self.name} {'exceeded' if self.over else 'short'} by {self.by:,.2f} {self.unit}"


@dataclass(frozen=True, eq=False)
class Harm:
    """What the refusal of a parcel does.

    Attributes
    ----------
    parcel, block : int
        Numbers in the problem and in the plan.
    kind : {'free', 'locked', 'fixed'}
        Whether the planner locked the parcel in, or it is part of a block that stands in every plan.
    left : Remainder
        Of the block, in the numbers of the problem.
    lost_mu : float
        Land of the block that does not stand, the parcel's own included.
    shortfalls : tuple of Shortfall
    locks_lost : bool
        Other locked parcels are lost.
    splits : tuple of str
        Breaches of the rolling rule, in words.
    worth_lost : float
        Worth of the plan − worth of what stands, currency.
    change : float64[rows]
        By how much every limited sum changes, in the order of `planner.consequences.sums.sum_rows`.
    given_up : float
        Worth of the block − worth of what stands of it: `worth_lost` without what more stretch is unmet.
    """

    parcel: int
    block: int
    kind: str
    left: Remainder
    lost_mu: float
    shortfalls: tuple[Shortfall, ...]
    locks_lost: bool
    splits: tuple[str, ...]
    worth_lost: float
    change: Floats
    given_up: float

    @property
    def is_plan(self) -> bool:
        """What stands is a plan without the parcel."""
        return not (self.shortfalls or self.locks_lost or self.splits)

    def standing(self, plan: PlanInHand) -> tuple[Block, ...]:
        """What stands of the plan."""
        rest = [b for k, b in enumerate(plan.blocks) if k != self.block]
        return tuple([*rest, replace(plan.blocks[self.block], parcels=self.left.part)] if self.left.part else rest)


def harms(problem: Problem, plan: PlanInHand) -> tuple[Harm, ...]:
    """Every single refusal of a plan: most land lost first, then most worth, then by parcel id."""
    if not plan.blocks:
        return ()
    rows, splits = sum_rows(problem), _splitter(problem, plan)
    small, blocks = only_land_of(problem, plan.blocks)
    fixed = [b in problem.fixed for b in plan.blocks]
    every = [refused(small, b, fixed=f) for b, f in zip(blocks, fixed, strict=True)]
    limits, total = Limits.of(rows), np.sum([r.sums for r in every], axis=0)
    found = []
    for k, (block, r) in enumerate(zip(plan.blocks, every, strict=True)):
        number = dict(zip(blocks[k].parcels, block.parcels, strict=True))
        for j, i in enumerate(block.parcels):
            left = replace(r.left[j], part=tuple(number[q] for q in r.left[j].part))
            gone = sorted(set(block.parcels).difference(left.part))
            after = total - r.sums + r.after[j]
            given_up = r.worth - float(r.worth_after[j])
            harm = Harm(
                parcel=i,
                block=k,
                kind="fixed" if fixed[k] else "locked" if problem.lock_by[i] >= 0 else "free",
                left=left,
                lost_mu=float(problem.area_mu[gone].sum()),
                shortfalls=shortfalls_of(rows, limits, after),
                locks_lost=any(problem.lock_by[q] >= 0 for q in gone if q != i),
                splits=(),
                worth_lost=given_up + float(unmet_stretch(problem, after) - unmet_stretch(problem, total)),
                change=r.after[j] - r.sums,
                given_up=given_up,
            )
            found.append(replace(harm, splits=splits(harm)) if splits is not None else harm)
    return tuple(sorted(found, key=lambda h: (-h.lost_mu, -h.worth_lost, problem.parcel_ids[h.parcel])))


def shortfalls_of(rows: Sequence[SumRow], limits: Limits, sums: Floats) -> tuple[Shortfall, ...]:
    """The rows whose limits some sums do not keep."""
    found = []
    for r in np.flatnonzero((sums < limits.low) | (sums > limits.high)).tolist():
        row, reached = rows[r], float(sums[r])
        over = reached > row.high
        limit = row.high if over else row.low
        found.append(Shortfall(row.name, row.unit, abs(reached - limit), limit, reached, over))
    return tuple(found)


def _splitter(problem: Problem, plan: PlanInHand) -> Callable[[Harm], tuple[str, ...]] | None:
    """A test of the rolling rule after a refusal, zone by zone; None where the problem has no such rule."""
    if not problem.rolling:
        return None
    taken = np.zeros(problem.n, dtype=np.bool_)
    taken[list(plan.block_of)] = True
    if problem.existing_from is not None:
        taken |= problem.existing_from < len(problem.phases)
    known: dict[int, tuple[Problem, Graph, Ints]] = {}

    def splits(harm: Harm) -> tuple[str, ...]:
        block = plan.blocks[harm.block]
        gone = sorted(set(block.parcels) - set(harm.left.part))
        found: list[str] = []
        for zone in np.unique(problem.zone[gone]).tolist():
            if zone not in known:
                known[zone] = _zone(problem, taken, zone)
            found += _zone_splits(*known[zone], problem, plan, harm)
        return tuple(found)

    return splits


def _zone(
    problem: Problem, taken: np.ndarray[tuple[int], np.dtype[np.bool_]], zone: int
) -> tuple[Problem, Graph, Ints]:
    """What the rolling rule looks at in a zone: its parcels that are taken or exist, and their new numbers."""
    small, kept = replace(problem, fixed=()).subset(taken & (problem.zone == zone))
    rank = np.full(problem.n, -1, dtype=np.int64)
    rank[kept] = np.arange(len(kept))
    return small, usable_graph(small), rank


def _zone_splits(small: Problem, graph: Graph, rank: Ints, problem: Problem, plan: PlanInHand, harm: Harm) -> list[str]:
    left = [(b in problem.fixed, b) for k, b in enumerate(plan.blocks) if k != harm.block]
    block = plan.blocks[harm.block]
    left.append((block in problem.fixed, replace(block, parcels=harm.left.part)))
    here = [(f, replace(b, parcels=tuple(i for i in rank[list(b.parcels)].tolist() if i >= 0))) for f, b in left]
    here = [(f, b) for f, b in here if b.parcels]
    seeds = seed_phase(replace(small, fixed=tuple(b for f, b in here if f)))
    return rolling_faults(replace(small, existing_from=seeds), graph, [b for f, b in here if not f])
