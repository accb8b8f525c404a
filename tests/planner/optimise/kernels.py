"""Ways into the compiled search that only tests need."""

from __future__ import annotations

import numpy as np

from planner.optimise.anneal import anneal
from planner.optimise.compiled import by_reference, compiled
from planner.optimise.graph import Graph
from planner.optimise.options import make_options
from planner.optimise.pieces import whole_around
from planner.optimise.presolve import without_fixed
from planner.optimise.state import (
    Draft,
    Terrain,
    adapt_prices,
    empty_draft,
    make_terrain,
    put,
    roll_zone,
    sound,
)
from planner.problem import Block, Bools, Ints, Problem
from tests.planner.optimise.support import prepared


@compiled
def keeps_rules(terrain: Terrain, draft: Draft, k: int) -> bool:
    """Whether a slot keeps the rules for blocks that do not need the graph."""
    return sound(by_reference(terrain), by_reference(draft), k)


@compiled
def whole_without(terrain: Terrain, draft: Draft, i: int) -> bool:
    """Whether the block of i is one piece without i."""
    land, plan = by_reference(terrain), by_reference(draft)
    k = plan.block[i]
    put(land, plan, i, -1)
    answer = whole_around(land, plan, i, k)
    put(land, plan, i, k)
    return answer


@compiled
def roll_all(terrain: Terrain, draft: Draft) -> None:
    """Bring loose land up to date; only with the rolling rule."""
    land, plan = by_reference(terrain), by_reference(draft)
    for zone in range(len(plan.loose)):
        roll_zone(land, plan, zone)


class Setting:
    """A problem without fixed blocks in canonical order, with terrain and an empty draft."""

    def __init__(self, problem: Problem) -> None:
        self.problem: Problem
        self.graph: Graph
        self.open: Bools
        self.problem, self.graph, self.open = prepared(without_fixed(problem).problem)
        self.options = make_options(self.problem)
        self.terrain = make_terrain(self.problem, self.graph, self.open, self.problem.lock_by)
        self.draft = empty_draft(self.terrain)
        self.scale = max(float(np.abs(self.terrain.worth).mean()), 1e-6)

    def blocks(self, block: Ints | None = None, option: Ints | None = None) -> list[Block]:
        """Blocks of a slot assignment, by default the draft's."""
        block = self.draft.block if block is None else block
        option = self.draft.option if option is None else option
        used = np.unique(block[block >= 0]).tolist()
        return [
            Block(
                tuple(np.flatnonzero(block == k).tolist()),
                int(self.options.phase[option[k]]),
                int(self.options.mode[option[k]]),
            )
            for k in used
        ]

    def option(self, block: Block) -> int:
        return self.options.of(block.phase, block.mode)

    def best(self, seed: int = 0, slices: int = 10, moves: int = 2_000) -> tuple[float, list[Block]]:
        """Best plan of a short walk from hot to cold; -inf without one."""
        best, plan = -np.inf, []
        for s in range(slices):
            block, option, result = self.draft.block.copy(), self.draft.option.copy(), np.empty(3)
            hot = self.scale * 2.0 * 0.7**s
            anneal(self.terrain, self.draft, seed + 1000 * s, moves, hot, hot / 2, block, option, result)
            if result[0] > best:
                best, plan = float(result[0]), self.blocks(block, option)
            adapt_prices(self.terrain, self.draft)
        return best, plan
