"""Whether a plan bears every single refusal: what each refusal takes from the sums that the problem limits."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from planner.consequences.refused import only_land_of, refused
from planner.consequences.sums import Limits, SumRow, plan_sums, sum_rows
from planner.problem import Block, Floats, Problem


@dataclass(frozen=True, eq=False)
class Bearing:
    """A plan against the worst of its refusals, sum by sum.

    Attributes
    ----------
    sums : float64[rows]
        Of the plan.
    less, more : float64[rows]
        Most that a single refusal takes from each sum, and most that it adds; 0 or more.
    worst : tuple of int or None
        Parcel whose refusal takes most from the sum.
    robust : bool
        Every sum keeps its limits after every refusal.
    """

    sums: Floats
    less: Floats
    more: Floats
    worst: tuple[int | None, ...]
    robust: bool


@dataclass(eq=False)
class Judge:
    """Judges plans of a problem by their refusals, remembering blocks.

    Attributes
    ----------
    problem : Problem
    named : frozenset of int or None
        Parcels that may refuse; None = any.
    """

    problem: Problem
    named: frozenset[int] | None = None
    rows: tuple[SumRow, ...] = field(init=False)
    limits: Limits = field(init=False)
    _known: dict[Block, Floats] = field(default_factory=dict, init=False)

    def __post_init__(self) -> None:
        self.rows = sum_rows(self.problem)
        self.limits = Limits.of(self.rows)

    def changes(self, block: Block) -> Floats:
        """What each parcel of a block takes from the sums by refusing, ``float64[parcels, rows]``.

        Negative where the refusal adds; 0 for parcels that do not refuse.
        """
        self.learn([block])
        return self._known[block]

    def knows(self, block: Block) -> bool:
        """Whether `changes` need not be worked out."""
        return block in self._known

    def learn(self, blocks: Iterable[Block]) -> None:
        """Work out the changes of blocks that are not known yet, all at once."""
        fresh = [b for b in dict.fromkeys(blocks) if b not in self._known]
        if not fresh:
            return
        small, renumbered = only_land_of(self.problem, tuple(fresh))
        for block, mine in zip(fresh, renumbered, strict=True):
            found = refused(small, mine, fixed=block in self.problem.fixed)
            refuses = np.array([self.named is None or i in self.named for i in block.parcels])
            self._known[block] = np.where(refuses[:, None], found.sums - found.after, 0.0)

    def judge(self, blocks: Sequence[Block]) -> Bearing:
        """A plan against every single refusal."""
        self.learn(blocks)
        sums = plan_sums(self.problem, blocks)
        if not blocks:
            none = np.zeros(len(self.rows))
            return Bearing(sums, none, none, (None,) * len(none), True)
        change = np.concatenate([self._known[b] for b in blocks])
        parcels = [i for b in blocks for i in b.parcels]
        less, more = np.maximum(change.max(axis=0), 0.0), np.maximum(-change.min(axis=0), 0.0)
        worst = tuple(parcels[int(k)] if less[r] > 0 else None for r, k in enumerate(change.argmax(axis=0)))
        kept = (sums - less >= self.limits.low) & (sums + more <= self.limits.high)
        return Bearing(sums, less, more, worst, bool(kept.all()))


def tightened(problem: Problem, rows: Sequence[SumRow], less: Floats, more: Floats) -> Problem | None:
    """The problem with floors raised by `less` and upper limits lowered by `more`; None where they contradict.

    Parameters
    ----------
    problem : Problem
    rows : sequence of SumRow
        Its sums.
    less, more : float64[rows]
        Margins, in the unit of each row; without effect where a side is open.
    """
    targets, phases = list(problem.targets), list(problem.phases)
    limits = [list(r.limits) for r in problem.resources]
    for row, up, down in zip(rows, less.tolist(), more.tolist(), strict=True):
        k, most = row.index, None if np.isinf(row.high) else row.high - down
        if row.kind == "target":
            floor = targets[k].floor + (up if np.isfinite(row.low) else 0.0)
            if most is not None and most < floor:
                return None
            targets[k] = replace(targets[k], floor=floor, ceiling=most)
        elif row.kind == "budget":
            phases[k] = replace(phases[k], budget=most)
        elif row.kind == "resource":
            limits[k][row.period] = most
    resources = tuple(replace(r, limits=tuple(x)) for r, x in zip(problem.resources, limits, strict=True))
    return replace(problem, targets=tuple(targets), phases=tuple(phases), resources=resources)
