"""A block without each of its parcels in turn: what stands, and what it still adds to every limited sum."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from planner.consequences.standing import Remainder, remainders
from planner.consequences.sums import block_sums
from planner.optimise.evaluate import BlockValue, block_worth, set_pull
from planner.optimise.graph import Graph
from planner.optimise.presolve import usable_graph
from planner.problem import Block, Floats, Problem


@dataclass(frozen=True, eq=False)
class Refused:
    """What the refusals of a block's k parcels do to it.

    Attributes
    ----------
    left : tuple of Remainder
        In the order of the block's parcels.
    sums : float64[rows]
        What the block adds to each limited sum.
    after : float64[k, rows]
        What is left of it adds.
    worth, worth_after : float, float64[k]
        Currency, unmet stretch aside.
    """

    left: tuple[Remainder, ...]
    sums: Floats
    after: Floats
    worth: float
    worth_after: Floats


def refused(problem: Problem, block: Block, *, fixed: bool) -> Refused:
    """Take each parcel out of a block.

    Parameters
    ----------
    problem : Problem
    block : Block
    fixed : bool
        The block stands whatever the rules for blocks say.
    """
    keep = np.zeros(problem.n, dtype=np.bool_)
    keep[list(block.parcels)] = True
    alone, kept = replace(problem, fixed=()).subset(keep)  # all that follows looks at the block only
    graph, whole = usable_graph(alone), replace(block, parcels=tuple(range(len(kept))))
    left = remainders(alone, graph, whole, fixed=fixed)
    parts = [replace(whole, parcels=r.part) for r in left]
    return Refused(
        left=tuple(replace(r, part=tuple(kept[list(r.part)].tolist())) for r in left),
        sums=block_sums(alone, whole),
        after=np.array([block_sums(alone, p) for p in parts]),
        worth=_worths(alone, graph, [whole])[0],
        worth_after=np.array(_worths(alone, graph, parts)),
    )


def _worths(problem: Problem, graph: Graph, parts: Sequence[Block]) -> list[float]:
    """Worth of each of some sets of parcels: `evaluate.block_worth`, contact by contact only once for all of them."""
    benefit, cost = problem.benefit, problem.cost
    first = np.repeat(np.arange(problem.n), np.diff(graph.start))
    found = []
    for part in parts:
        if problem.mode_benefit is not None:
            benefit = problem.mode_benefit[:, part.mode]
        if problem.mode_cost is not None:
            cost = problem.mode_cost[:, part.mode]
        inside = np.zeros(problem.n, dtype=np.bool_)
        inside[list(part.parcels)] = True
        shared = float(graph.shared_m[inside[first] & inside[graph.neighbour]].sum())  # each from both sides: doubled
        net, perimeter = float((benefit - cost)[inside].sum()), float(problem.perimeter_m[inside].sum()) - shared
        pull = set_pull(problem, np.array(part.parcels, dtype=np.int64), part.mode)
        value = BlockValue(0.0, 0.0, net, 0.0, perimeter, pull)
        found.append(block_worth(problem, value, part.phase))
    return found


def only_land_of(problem: Problem, blocks: tuple[Block, ...]) -> tuple[Problem, tuple[Block, ...]]:
    """The problem without fixed blocks on the parcels of some blocks, and these in its numbers."""
    keep = np.zeros(problem.n, dtype=np.bool_)
    keep[[i for b in blocks for i in b.parcels]] = True
    small, kept = replace(problem, fixed=()).subset(keep)
    rank = np.full(problem.n, -1, dtype=np.int64)
    rank[kept] = np.arange(len(kept))
    return small, tuple(replace(b, parcels=tuple(sorted(rank[list(b.parcels)].tolist()))) for b in blocks)
