"""The truth about small problems, worked out without any code of the optimiser.

Every subset of parcels is a bit mask. Blocks are all connected masks within the limits. For one phase, the best way to
cut a mask into blocks is found by dynamic programming over the lowest parcel of the mask; over phases, by dynamic
programming over the mask of everything taken so far, which is all that cumulative floors and locks can see. Problems
with other rules besides are tried family by family (`exhaustive`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from planner.problem import AREA_TOLERANCE_MU, MONEY_TOLERANCE, Block, Problem
from tests.planner.optimise.exhaustive import Choice, Search, row_of
from tests.planner.optimise.plain import can_be_taken, faults, inner_faults, plan_worth, reached, set_faults

__all__ = ["Brute", "Truth", "bits", "faults", "plan_worth", "reached", "set_faults"]

Floats = NDArray[np.float64]
NEVER = -np.inf


@dataclass(frozen=True)
class Truth:
    """Best plan of a problem; `optimum` is -inf where no plan exists."""

    optimum: float
    blocks: tuple[Block, ...]

    @property
    def feasible(self) -> bool:
        return self.optimum > NEVER


def bits(mask: int) -> list[int]:
    return [i for i in range(mask.bit_length()) if mask >> i & 1]


class Brute:
    """All blocks and all plans of a problem of at most some 14 parcels."""

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        self.n = problem.n
        self.masks = np.arange(2**self.n)
        self.member = (self.masks[:, None] >> np.arange(self.n)) & 1  # [mask, parcel]
        self.near = [0] * self.n
        for i, j in [*problem.pairs.tolist(), *problem.link_pairs.tolist()]:
            self.near[i] |= 1 << j
            self.near[j] |= 1 << i

    def connected(self, mask: int) -> bool:
        reached = mask & -mask
        front = reached
        while front:
            around = 0
            for i in bits(front):
                around |= self.near[i]
            front = around & mask & ~reached
            reached |= front
        return mask != 0 and reached == mask

    def _sum(self, values: Sequence[float] | Floats) -> Floats:
        total: Floats = self.member @ np.asarray(values, dtype=float)
        return total

    @cached_property
    def area(self) -> Floats:
        """Area of every mask, mu."""
        return self._sum(self.problem.area_mu)

    @cached_property
    def perimeter(self) -> Floats:
        """Outer boundary of every mask as one block, m."""
        total = self._sum(self.problem.perimeter_m)
        for (i, j), shared in zip(self.problem.pairs.tolist(), self.problem.shared_m.tolist(), strict=True):
            total -= 2 * shared * (self.member[:, i] & self.member[:, j])
        return total

    @cached_property
    def pieces(self) -> list[int]:
        """Connected masks that keep sizes, filler and zones, rules that do not depend on phase and mode."""
        p = self.problem
        filler = self._sum(p.area_mu * p.filler)
        good = (self.area >= p.block_min_mu - AREA_TOLERANCE_MU) & (self.area <= p.block_max_mu + AREA_TOLERANCE_MU)
        good &= filler <= p.filler_max_share * self.area + AREA_TOLERANCE_MU
        good[0] = False
        found = []
        for mask in np.flatnonzero(good).tolist():
            if p.within_zone and len({int(p.zone[i]) for i in bits(mask)}) > 1:
                continue
            if self.connected(mask):
                found.append(mask)
        return found

    def open_mask(self, phase: int, mode: int = 0) -> int:
        """Parcels that may be taken in a phase and mode."""
        return sum(1 << i for i in range(self.n) if can_be_taken(self.problem, i, phase, mode))

    def blocks_in(self, phase: int, mode: int = 0) -> list[int]:
        """Blocks possible in a phase and mode."""
        shut = ~self.open_mask(phase, mode)
        return [m for m in self.pieces if not m & shut and not inner_faults(self.problem, bits(m), mode)]

    @property
    def plain(self) -> bool:
        """Whether floors, stretches, budgets, numbers of blocks and availability are all there is."""
        p = self.problem
        only_mu = all(t.measure == "mu" and t.group < 0 and t.ceiling is None for t in p.targets)
        arrays = (p.mode_benefit, p.mode_cost, p.mode_open)
        more = (p.resources, p.fixed, p.rolling, p.change_price is not None)
        one_mode = [(m.duration, m.done) for m in p.modes] == [(0, ())] and all(a is None for a in arrays)
        return one_mode and only_mu and not any(more)

    def _search(self, *, floors: bool, aim: int | None) -> tuple[float, tuple[Block, ...]]:
        """Best plan, family by family."""
        p = self.problem
        options = [(t, m) for t in range(len(p.phases)) for m in range(len(p.modes))]
        held: dict[int, list[Block]] = {}
        for t, m in options:
            for mask in self.blocks_in(t, m):
                held.setdefault(mask, []).append(Block(tuple(bits(mask)), t, m))
        choices = [Choice(k, tuple(v), np.array([row_of(p, b) for b in v])) for k, v in sorted(held.items())]
        return Search(p, choices, floors, aim).run()

    def worth(self, phase: int) -> Floats:
        """Worth of every mask as one block of a phase."""
        p = self.problem
        return p.phases[phase].discount * self._sum(p.benefit - p.cost) - p.perimeter_per_m * self.perimeter

    def _partition(self, phase: int, worth: Floats) -> tuple[Floats, NDArray[np.int64]]:
        """Best worth of every mask cut into blocks of this phase, and the block of its lowest parcel (by count)."""
        most = self.problem.phases[phase].max_blocks
        layers = 1 if most is None else most + 1
        best = np.full((layers, 2**self.n), NEVER)
        choice = np.zeros((layers, 2**self.n), dtype=np.int64)
        best[0, 0] = 0.0
        by_lowest: dict[int, list[int]] = {}
        for block in self.blocks_in(phase):
            by_lowest.setdefault((block & -block).bit_length() - 1, []).append(block)
        for lowest in sorted(by_lowest, reverse=True):
            above = np.arange(2 ** (self.n - 1 - lowest)) << (lowest + 1)
            for block in by_lowest[lowest]:
                rest = above[(above & block) == 0]
                for layer in range(layers):
                    source = layer if most is None else layer - 1
                    if source < 0:
                        continue
                    value = best[source, rest] + worth[block]
                    better = value > best[layer, rest | block]
                    best[layer, (rest | block)[better]] = value[better]
                    choice[layer, (rest | block)[better]] = block
        return best, choice

    def _cut(self, best: Floats, choice: NDArray[np.int64], mask: int) -> list[int]:
        """The blocks behind the best value of a mask."""
        layer = int(np.argmax(best[:, mask]))
        found = []
        while mask:
            block = int(choice[layer, mask])
            found.append(block)
            mask &= ~block
            layer = layer - 1 if len(best) > 1 else layer
        return found

    def counted(self, zone: int) -> Floats:
        """Area of every mask that counts for a zone (-1 = all land)."""
        return self.area if zone < 0 else self._sum(self.problem.area_mu * (self.problem.zone == zone))

    def _solve(self, *, floors: bool, aim: int | None) -> tuple[float, tuple[Block, ...]]:
        """Best plan; `aim` replaces the objective by what one target counts."""
        if not self.plain:
            return self._search(floors=floors, aim=aim)
        p = self.problem
        total = np.full(2**self.n, NEVER)
        total[0] = 0.0
        history = []
        for t, phase in enumerate(p.phases):
            worth = self.worth(t) if aim is None else np.zeros(2**self.n)
            layers, choice = self._partition(t, worth)
            here = layers.max(axis=0)
            if phase.budget is not None:
                limit = phase.budget + MONEY_TOLERANCE * max(1.0, phase.budget)
                here[self._sum(p.cost) > limit] = NEVER
            fresh = np.full(2**self.n, NEVER)
            taken = np.zeros(2**self.n, dtype=np.int64)
            before = np.flatnonzero(total > NEVER)
            for mask in np.flatnonzero(here > NEVER).tolist():
                apart = before[(before & mask) == 0]
                value = total[apart] + here[mask]
                better = value > fresh[apart | mask]
                fresh[(apart | mask)[better]] = value[better]
                taken[(apart | mask)[better]] = mask
            for k, target in enumerate(p.targets):
                if target.phase != t:
                    continue
                area = self.counted(target.zone)
                if floors:
                    fresh[area < target.floor - AREA_TOLERANCE_MU] = NEVER
                if aim is None and target.stretch is not None:
                    fresh -= target.stretch_price * np.maximum(0.0, target.stretch - area)
                if aim == k:
                    fresh += area
            history.append((taken, layers, choice))
            total = fresh
        locked = sum(1 << i for i in range(self.n) if p.lock_by[i] >= 0)
        total[(self.masks & locked) != locked] = NEVER
        everything = int(np.argmax(total))
        if total[everything] == NEVER:
            return NEVER, ()
        blocks, mask = [], everything
        for t in range(len(p.phases) - 1, -1, -1):
            taken, layers, choice = history[t]
            mine = int(taken[mask])
            blocks += [Block(tuple(bits(b)), t) for b in self._cut(layers, choice, mine)]
            mask &= ~mine
        return float(total[everything]), tuple(sorted(blocks, key=lambda b: (b.phase, b.parcels)))

    def truth(self) -> Truth:
        """Best plan over everything."""
        return Truth(*self._solve(floors=True, aim=None))

    def reach(self, target: int) -> float:
        """Most any plan can count for a target when all floors are dropped; -inf where no plan keeps the rest."""
        return self._solve(floors=False, aim=target)[0]

    def plans(self) -> Iterator[tuple[Block, ...]]:
        """Every plan, one by one (only for a handful of parcels)."""
        p = self.problem
        options = [(t, m) for t in range(len(p.phases)) for m in range(len(p.modes))]
        columns = [(mask, Block(tuple(bits(mask)), t, m)) for t, m in options for mask in self.blocks_in(t, m)]
        yield from self._extend(columns, 0, 0, list(p.fixed))

    def _extend(
        self, columns: list[tuple[int, Block]], start: int, used: int, chosen: list[Block]
    ) -> Iterator[tuple[Block, ...]]:
        if not faults(self.problem, chosen):
            yield tuple(chosen)
        for c in range(start, len(columns)):
            mask, block = columns[c]
            if not mask & used:
                yield from self._extend(columns, c + 1, used | mask, [*chosen, block])
