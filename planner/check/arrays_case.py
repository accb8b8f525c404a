"""What the judge of arrays works out before any rule: blocks by position, contacts, what each target counts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

import numpy as np

from geodata.errors import DataError, Issue
from planner.check.arrays_reading import Answer, Bools, Floats, Ints, Question

AREA_MU: Final = 1e-5
"""Sums of areas, floor areas and sums of block rules against a limit: far above noise, far below any survey."""
SHARE: Final = 2e-6
"""Costs and resources against a limit, relative (at least this absolute)."""
MIXED: Final = 2e-12
"""The same where amounts have both signs, besides: relative to all that the parcels could take and give."""
WORTH: Final = 1e-9
"""A claimed objective against its own recomputation, relative to the sum of the sizes of its terms."""
CLAIM: Final = 1e-6
"""Claimed areas and gaps against their recomputation; a bound against an objective, relative."""


@dataclass(frozen=True, eq=False)
class JudgedBlock:
    """A block of the solution.

    Attributes
    ----------
    number : int
        Its place in the solution, from 1.
    parcels : int64[k]
        Positions, ascending.
    phase, mode : int
        Positions.
    fixed : bool
        It is one of the blocks that stand as they are.
    """

    number: int
    parcels: Ints
    phase: int
    mode: int
    fixed: bool

    @property
    def name(self) -> str:
        """Its number as text."""
        return str(self.number)


@dataclass(frozen=True, eq=False)
class Case:
    """Problem and solution side by side."""

    question: Question
    answer: Answer

    @cached_property
    def position(self) -> dict[str, int]:
        """Position of every parcel id."""
        return {id_: i for i, id_ in enumerate(self.question.ids)}

    @cached_property
    def blocks(self) -> list[JudgedBlock]:
        """Blocks whose phase and mode exist, with the parcels that exist; others are findings of `assignment`."""
        modes = {str(m["id"]): k for k, m in enumerate(self.question.modes)}
        fixed = {_key(b["parcels"], b["phase"], b["mode"]) for b in self.question.data["fixed"]}
        found = []
        for number, block in enumerate(self.answer.blocks, start=1):
            if block.mode in modes and 1 <= block.phase <= len(self.question.phases):
                mine = sorted({self.position[i] for i in block.parcel_ids if i in self.position})
                phase, mode = block.phase - 1, modes[block.mode]
                stands = _key(mine, phase, mode) in fixed
                found.append(JudgedBlock(number, np.array(mine, dtype=np.int64), phase, mode, stands))
        return found

    @cached_property
    def free_blocks(self) -> list[JudgedBlock]:
        """Blocks that have to keep the rules of blocks."""
        return [b for b in self.blocks if not b.fixed]

    @cached_property
    def near(self) -> list[dict[int, float]]:
        """Neighbours of each parcel and the boundary shared with them, m; 0 over a bridged link."""
        found: list[dict[int, float]] = [{} for _ in self.question.ids]
        for i, j in self.question.links.tolist():
            found[i][j] = found[j][i] = 0.0
        for (i, j), shared in zip(self.question.pairs.tolist(), self.question.shared_m.tolist(), strict=True):
            found[i][j] = found[j][i] = shared
        return found

    def ids(self, positions: Iterable[int]) -> tuple[str, ...]:
        """Names of parcels."""
        return tuple(self.question.ids[i] for i in positions)

    def pieces(self, members: Iterable[int]) -> list[list[int]]:
        """Connected pieces of a set of parcels, each ascending."""
        todo, found = set(members), []
        while todo:
            piece, front = set(), [min(todo)]
            todo.discard(front[0])
            while front:
                i = front.pop()
                piece.add(i)
                new = todo & self.near[i].keys()
                todo -= new
                front.extend(new)
            found.append(sorted(piece))
        return found

    def cost(self, block: JudgedBlock) -> float:
        """Undiscounted cost of a block, in currency."""
        return float(self.question.cost[block.parcels, block.mode].sum())

    def area(self, block: JudgedBlock) -> float:
        """Area of a block, mu."""
        return float(self.question.area_mu[block.parcels].sum())

    def counted(self, target: Mapping[str, Any]) -> float:
        """What the plan counts towards a target, in its unit."""
        return sum(self._adds(target, b) for b in self.blocks)

    def _adds(self, target: Mapping[str, Any], block: JudgedBlock) -> float:
        if self.done_in(block, int(target.get("milestone", 0))) > int(target["phase"]):
            return 0.0
        inside = self.inside(target)[block.parcels]
        if target["measure"] == "blocks":
            large = self.area(block) >= float(target["project_min_mu"]) - AREA_MU
            return float(large and bool(inside.all()))
        return float(self.question.counted[target["measure"]][block.parcels[inside], block.mode].sum())

    def inside(self, target: Mapping[str, Any]) -> Bools:
        """Parcels in the zone and the group of a target."""
        zone, group = int(target["zone"]), int(target["group"])
        here = np.full(self.question.n, True) if zone < 0 else self.question.zone == zone
        return here if group < 0 else here & self.members[group]

    @cached_property
    def members(self) -> list[Bools]:
        """Members of each group."""
        return [self.question.bools(g["members"], f"groups.{g['name']}") for g in self.question.data["groups"]]

    def done_in(self, block: JudgedBlock, milestone: int) -> int:
        """Position of the first phase in which targets count a block that must have reached a milestone."""
        done = self.dones[block.mode]
        if done is None:
            return block.phase + int(self.question.modes[block.mode]["duration"])
        if not 0 <= milestone < len(done):
            where = f"problem, modes.{self.question.modes[block.mode]['id']}.done"
            found, expected = f"{len(done)} lists", f"one for milestone {milestone}, counted from 0"
            raise DataError(Issue(where, found, expected, "Write the file again."))
        return int(done[milestone, block.phase])

    @cached_property
    def dones(self) -> list[Ints | None]:
        """By mode, milestone and phase of a block: position of the first phase that counts it."""
        wide = (None, len(self.question.phases))
        modes = self.question.modes
        return [self.question.ints(m["done"], f"modes.{m['id']}.done", wide) if m.get("done") else None for m in modes]

    @cached_property
    def uses(self) -> list[Use]:
        """What parcels take of each resource."""
        return [self._use(r) for r in self.question.data["resources"]]

    def _use(self, resource: Mapping[str, Any]) -> Use:
        name, limits = f"resources.{resource['name']}", list(resource["limits"])
        periods = list(resource.get("periods", ())) or [f"Phase {p['id']}" for p in self.question.phases]
        if len(periods) != len(limits):
            found = f"{len(limits)} limits for {len(periods)} periods"
            raise DataError(Issue(f"problem, {name}.limits", found, "one for each period", "Write the file again."))
        if resource.get("timing") is None:
            return Use(resource, periods, limits, self.question.floats(resource["use"], name), None)
        use = self.question.cells(resource["use"], f"{name}.use", (self.question.n, len(self.question.modes), None))
        shape = (len(limits), len(self.question.phases), len(self.question.modes), use.shape[2])
        return Use(resource, periods, limits, use, self.question.cells(resource["timing"], f"{name}.timing", shape))

    def zone_name(self, zone: int) -> str:
        """A zone for people."""
        return str(self.question.data["zones"][zone]) if zone >= 0 else "no zone"

    def phase_name(self, phase: int) -> str:
        """A phase for people."""
        return str(self.question.phases[phase]["id"])


@dataclass(frozen=True, eq=False)
class Use:
    """What parcels take of a resource.

    Attributes
    ----------
    resource : mapping
        As the problem has it.
    periods : list of str
        For people.
    limits : list of float or None
    amount : float64[n] or float64[n, M, L]
        In the phase of the block, or by part where `timing` says when.
    timing : float64[R, T, M, L] or None
    """

    resource: Mapping[str, Any]
    periods: list[str]
    limits: list[float | None]
    amount: Floats
    timing: Floats | None

    def of(self, block: JudgedBlock, period: int) -> float:
        """What a block takes in a period; negative where it gives."""
        if self.timing is None:
            return float(self.amount[block.parcels].sum()) if block.phase == period else 0.0
        parts = self.amount[block.parcels, block.mode].sum(axis=0)
        return float((parts * self.timing[period, block.phase, block.mode]).sum())

    def noise(self, period: int) -> float:
        """What rounding can do where amounts of both signs meet: a part of all that parcels could take and give."""
        if self.timing is None:
            return 0.0
        largest = np.abs(self.timing[period]).max(axis=0)
        return MIXED * float((np.abs(self.amount) * largest[None]).sum(axis=2).max(axis=1).sum())


def _key(parcels: Sequence[int], phase: int, mode: int) -> tuple[tuple[int, ...], int, int]:
    return tuple(sorted(parcels)), phase, mode


def above(amount: float, limit: float, noise: float = 0.0) -> bool:
    """Whether a cost or a use is more than a limit allows."""
    return amount > limit + SHARE * max(1.0, abs(limit)) + noise
