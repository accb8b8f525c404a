"""Draws the blocks of a replan along those of the plan before, wherever the same land can be cut like that.

The price of changes is on parcels, phases and modes; where two blocks of one phase meet, the search may cut their land
anew for a few metres of perimeter, or for nothing. A project then loses its boundary without need. Here the land of
each phase and mode is cut along the blocks before, what is new joins them or stands as in the search, and the result is
kept if it is a plan. Nothing is taken or left that the search did not take or leave.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from planner.consequences.plan import plan_order
from planner.optimise.evaluate import objective, plan_faults, set_faults
from planner.optimise.graph import Graph
from planner.optimise.options import availability
from planner.optimise.presolve import usable_graph
from planner.problem import Block, Bools, Plan, Problem

Parcels = frozenset[int]


def along_before(problem: Problem, plan: Plan) -> Plan:
    """The same land, cut along the blocks of the plan before where that is a plan; else the plan as it is.

    What the longer perimeter costs is in the objective; the bound holds as it was.

    Parameters
    ----------
    problem : Problem
        With `before`.
    plan : Plan
        Of the search.
    """
    graph, open_ = usable_graph(problem), availability(problem)
    fixed = set(problem.fixed)
    drawn = [b for b in plan.blocks if b in fixed]
    for option in sorted({(b.phase, b.mode) for b in plan.blocks if b not in fixed}):
        found = [b for b in plan.blocks if b not in fixed and (b.phase, b.mode) == option]
        before = [frozenset(b.parcels) for b in problem.before if (b.phase, b.mode) == option]
        for old, ours in _regions([frozenset(b.parcels) for b in found], before):
            cut = _cut(_Land(problem, graph, option[1]), old, ours)
            drawn += [Block(tuple(sorted(p)), *option) for p in cut]
    blocks = plan_order(problem, drawn)
    if set(blocks) == set(plan.blocks) or plan_faults(problem, graph, blocks, open_):
        return plan
    value = objective(problem, graph, blocks)
    status = plan.status if value >= plan.objective else "feasible"
    return replace(plan, blocks=blocks, objective=value, bound=max(plan.bound, value), status=status)


def _regions(
    found: Sequence[Parcels], before: Sequence[Parcels]
) -> Iterator[tuple[tuple[Parcels, ...], tuple[Parcels, ...]]]:
    """Blocks before and blocks found that share land, together; blocks before without the land that was left."""
    taken: Parcels = frozenset().union(*found) if found else frozenset()
    rest = [b & taken for b in before if b & taken]
    todo = list(found)
    while todo:
        ours, old = [todo.pop(0)], list[Parcels]()
        grown = True
        while grown:
            land = frozenset().union(*ours, *old)
            more_old = [b for b in rest if b & land and b not in old]
            more = [b for b in todo if b & frozenset().union(land, *more_old)]
            old += more_old
            ours += more
            todo = [b for b in todo if b not in more]
            grown = bool(more_old or more)
        yield tuple(old), tuple(ours)


@dataclass(frozen=True)
class _Land:
    """The land and the rules for one block in one mode."""

    problem: Problem
    graph: Graph
    mode: int

    def fits(self, parcels: Parcels) -> bool:
        """Whether parcels are a block."""
        return not set_faults(self.problem, self.graph, sorted(parcels), self.mode)

    def pieces(self, parcels: Parcels) -> list[Parcels]:
        """Connected pieces, the one with the first parcel first."""
        inside: Bools = np.zeros(self.problem.n, dtype=np.bool_)
        inside[sorted(parcels)] = True
        labels = self.graph.components(inside)
        by_label: dict[int, list[int]] = {}
        for i in sorted(parcels):
            by_label.setdefault(int(labels[i]), []).append(i)
        return [frozenset(p) for p in by_label.values()]

    def beside(self, parcels: Iterable[int]) -> set[int]:
        """Neighbours of some parcels."""
        return {j for i in parcels for j in self.graph.of(i).tolist()}


def _cut(land: _Land, before: Sequence[Parcels], found: Sequence[Parcels]) -> tuple[Parcels, ...]:
    """The land of the blocks found, cut along the blocks before; as found where that does not work out."""
    blocks = [p for b in before for p in land.pieces(b) if land.fits(p)]
    loose = frozenset().union(*found) - frozenset().union(*blocks)
    for piece in land.pieces(loose):
        # what stands as a block of its own in the search stays one; the rest joins a neighbour, whole or bit by bit
        own = [b for b in found if b <= piece and land.fits(b)]
        rest = piece - frozenset().union(*own)
        if not own and land.fits(piece):
            own, rest = [piece], frozenset()
        blocks += own
        for part in land.pieces(rest):
            if not _join(land, blocks, part):
                return tuple(found)
    return tuple(blocks)


def _join(land: _Land, blocks: list[Parcels], part: Parcels) -> bool:
    """Add land to the blocks it touches, in place: whole to one of them, else parcel by parcel."""
    near = land.beside(part)
    for k in sorted(
        (k for k, b in enumerate(blocks) if b & near), key=lambda k: (-len(blocks[k] & near), min(blocks[k]))
    ):
        if land.fits(blocks[k] | part):
            blocks[k] |= part
            return True
    left = set(part)
    while left:
        step = next(
            ((k, i) for i in sorted(left) for k, b in enumerate(blocks) if b & land.beside([i]) and land.fits(b | {i})),
            None,
        )
        if step is None:
            return False
        blocks[step[0]] |= {step[1]}
        left.remove(step[1])
    return True
