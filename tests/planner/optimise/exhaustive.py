"""The best plan of a tiny problem with all rules: every family of disjoint blocks, all its options at once.

A family is a set of disjoint connected sets. The plans it gives (one option for each block) are rows of an array: their
worth, what they count for each target, cost, use of resources and number of blocks by phase are sums of rows of blocks.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from planner.problem import AREA_TOLERANCE_MU, MONEY_TOLERANCE, Block, Problem
from tests.planner.optimise.plain import change_cost, cost_of, gross_of, plan_worth, reached, rolls, used_by

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Choice:
    """One set of parcels and the options it may be taken in."""

    mask: int
    blocks: tuple[Block, ...]
    rows: Floats


@dataclass
class Search:
    """Best plan over all families; `floors` off drops them, `aim` replaces the worth by what one target counts."""

    problem: Problem
    choices: list[Choice]
    floors: bool
    aim: int | None
    value: float = -np.inf
    plan: tuple[Block, ...] = ()
    by_lowest: dict[int, list[Choice]] = field(default_factory=dict)

    def run(self) -> tuple[float, tuple[Block, ...]]:
        """The best value (-inf where no plan exists) and a plan that has it."""
        p = self.problem
        for choice in self.choices:
            self.by_lowest.setdefault((choice.mask & -choice.mask).bit_length() - 1, []).append(choice)
        self.low, self.high = _limits(p, floors=self.floors)
        self.grows = np.ones(len(self.high), dtype=bool)  # sums that only grow may be cut off early
        self.grows[0] = False
        at = 1 + len(p.targets)
        if (p.cost if p.mode_cost is None else p.mode_cost).min() < 0:
            self.grows[at : at + len(p.phases)] = False
        at += len(p.phases)
        for resource in p.resources:  # of those with timing some give back what others take
            self.grows[at : at + len(resource.limits)] = resource.timing is None
            at += len(resource.limits)
        self.locked = sum(1 << i for i in range(p.n) if p.lock_by[i] >= 0)
        if any(0 <= p.lock_by[i] < b.phase for b in p.fixed for i in b.parcels):
            return self.value, self.plan
        start = sum((row_of(p, b) for b in p.fixed), np.zeros(len(self.high)))
        start[0] -= change_cost(p, ())
        used = sum(1 << i for b in p.fixed for i in b.parcels)
        self._extend(0, used, start[None, :], np.zeros(1, dtype=np.int64), [])
        return self.value, tuple(sorted(self.plan, key=lambda b: (b.phase, b.parcels)))

    def _extend(self, lowest: int, used: int, rows: Floats, code: NDArray[np.int64], family: list[Choice]) -> None:
        if not self.locked & ~used:
            self._consider(rows, code, family)
        for first in range(lowest, self.problem.n):
            if used >> first & 1:
                continue
            for choice in self.by_lowest.get(first, ()):
                if choice.mask & used:
                    continue
                grown = (rows[:, None, :] + choice.rows[None, :, :]).reshape(-1, rows.shape[1])
                codes = (code[:, None] * len(choice.blocks) + np.arange(len(choice.blocks))).ravel()
                fits = (grown[:, self.grows] <= self.high[self.grows]).all(axis=1)
                if fits.any():
                    self._extend(first + 1, used | choice.mask, grown[fits], codes[fits], [*family, choice])

    def _consider(self, rows: Floats, code: NDArray[np.int64], family: list[Choice]) -> None:
        p = self.problem
        good = (rows >= self.low).all(axis=1) & (rows <= self.high).all(axis=1)
        counted = rows[:, 1 : 1 + len(p.targets)]
        if self.aim is None:
            value = rows[:, 0].copy()
            for k, target in enumerate(p.targets):
                value -= target.stretch_price * np.maximum(0.0, (target.stretch or 0.0) - counted[:, k])
        else:
            value = counted[:, self.aim].copy()
        value[~good] = -np.inf
        for row in np.argsort(-value, kind="stable").tolist():
            if value[row] <= self.value:
                return
            plan = (*p.fixed, *_decode(int(code[row]), family))
            if rolls(p, plan):
                self.value, self.plan = float(value[row]), plan
                return


def _decode(code: int, family: list[Choice]) -> list[Block]:
    found = []
    for choice in reversed(family):
        code, which = divmod(code, len(choice.blocks))
        found.append(choice.blocks[which])
    return found


def row_of(problem: Problem, block: Block) -> Floats:
    """What a block adds to the worth but for stretch, to each target, cost, resource and number of blocks."""
    n_phases = len(problem.phases)
    counted = [reached(problem, [block], k) for k in range(len(problem.targets))]
    unmet = sum(
        t.stretch_price * max(0.0, (t.stretch or 0.0) - r) for t, r in zip(problem.targets, counted, strict=True)
    )
    here = np.arange(n_phases) == block.phase
    uses = [np.array([used_by(x, block, r) for r in range(len(x.limits))]) for x in problem.resources]
    worth = plan_worth(problem, [block]) + unmet + change_cost(problem, ())
    return np.concatenate([[worth], counted, cost_of(problem, block) * here, *uses, here.astype(float)])


def _limits(problem: Problem, *, floors: bool) -> tuple[Floats, Floats]:
    def most(limits: list[float | None], noise: Callable[[float], float]) -> list[float]:
        return [np.inf if x is None else x + noise(x) for x in limits]

    def relative(x: float) -> float:
        return MONEY_TOLERANCE * max(1.0, abs(x))

    phases = problem.phases
    high = [
        *most([t.ceiling for t in problem.targets], lambda _: AREA_TOLERANCE_MU),
        *most([p.budget for p in phases], relative),
        *(
            np.inf if limit is None else limit + relative(limit) + 1e-12 * gross_of(x, r)
            for x in problem.resources
            for r, limit in enumerate(x.limits)
        ),
        *most([p.max_blocks for p in phases], lambda _: 0.0),
    ]
    low = np.full(1 + len(high), -np.inf)
    if floors:
        low[1 : 1 + len(problem.targets)] = [t.floor - AREA_TOLERANCE_MU for t in problem.targets]
    return low, np.array([np.inf, *high])
