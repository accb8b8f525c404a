"""How much is missing: problems in which targets may be missed, at a price of 1 a unit, and nothing else counts."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from planner.explain.asking import Answer, Asker, Interval
from planner.optimise.evaluate import reached_amounts
from planner.problem import AREA_TOLERANCE_MU, Block, Floats, Problem, Target

_LATER: Final = 1e-9
"""Factor on what does not count: discounts must be positive."""


def with_worth(problem: Problem, worth: Floats, phases: Collection[int] | None = None) -> Problem:
    """The problem in which only `worth` counts (undiscounted, by parcel or by mode), in some phases or in all.

    Costs stay, because budgets need them; the benefit makes up for them. Perimeter, stretches and changes against the
    plan before have no price.
    """
    counts = range(len(problem.phases)) if phases is None else phases
    by_mode: Floats = worth if worth.ndim == 2 else np.repeat(worth[:, None], len(problem.modes), axis=1)
    cost = problem.cost[:, None] if problem.mode_cost is None else problem.mode_cost
    plain = len(problem.modes) == 1 and problem.mode_cost is None
    return replace(
        problem,
        benefit=problem.cost + by_mode[:, 0],
        mode_benefit=None if plain else cost + by_mode,
        perimeter_per_m=0.0,
        phases=tuple(replace(p, discount=1.0 if t in counts else _LATER) for t, p in enumerate(problem.phases)),
        targets=tuple(replace(t, stretch=None, stretch_price=0.0) for t in problem.targets),
        before=(),
        change_price=None,
        change_settled=False,
    )


def elastic(problem: Problem, soft: Collection[int], dropped: Collection[int] = ()) -> Problem:
    """The problem in which the floors of `soft` targets may be missed and those of `dropped` do not matter.

    Its objective is −Σ missing, in the unit of the targets, or as shares of the floors where their units differ.
    """
    free = with_worth(problem, np.zeros(problem.n))
    prices = shortage_prices(problem, soft)

    def relaxed(k: int, target: Target) -> Target:
        if k in soft:
            return replace(target, floor=0.0, stretch=problem.targets[k].floor, stretch_price=prices[k])
        return replace(target, floor=0.0) if k in dropped else target

    return replace(free, targets=tuple(relaxed(k, t) for k, t in enumerate(free.targets)))


def shortage_prices(problem: Problem, soft: Collection[int]) -> dict[int, float]:
    """Price of a unit missing: 1, or 1 / floor where targets count different things."""
    mixed = len({problem.targets[k].measure for k in soft}) > 1
    return {k: 1.0 / max(problem.targets[k].floor, 1e-9) if mixed else 1.0 for k in soft}


def floors(problem: Problem) -> tuple[int, ...]:
    """Numbers of the targets that ask for something."""
    return tuple(k for k, t in enumerate(problem.targets) if t.floor > 0)


@dataclass(frozen=True)
class Shortage:
    """What is missing of some targets.

    Attributes
    ----------
    missing : Interval
        At least, by proof, and at most, by the plan found; None = not known.
    by_target : mapping of int to float
        What the plan found misses of each.
    blocks : tuple of Block
        The plan found.
    answer : Answer
    """

    missing: Interval
    by_target: dict[int, float]
    blocks: tuple[Block, ...]
    answer: Answer

    @property
    def met(self) -> bool:
        """A plan misses nothing."""
        return self.missing.high is not None and self.missing.high <= 10 * AREA_TOLERANCE_MU

    @property
    def proven_missing(self) -> bool:
        """Something is missing in every plan."""
        return self.answer.verdict == "infeasible" or (
            self.missing.low is not None and self.missing.low > 10 * AREA_TOLERANCE_MU
        )


def shortage(
    asker: Asker,
    name: str,
    problem: Problem,
    soft: Collection[int],
    seconds: float,
    *,
    dropped: Collection[int] = (),
    start: Sequence[Block] = (),
) -> Shortage:
    """Ask how little can be missing of the `soft` targets."""
    answer = asker.ask(name, elastic(problem, soft, dropped), seconds, start)
    low = None if answer.bound is None else max(0.0, -answer.bound)
    if not answer.has_plan:
        return Shortage(Interval(low, None), {}, (), answer)
    reached = reached_amounts(problem, answer.blocks)
    by_target = {k: max(0.0, problem.targets[k].floor - float(reached[k])) for k in soft}
    prices = shortage_prices(problem, soft)
    high = sum(prices[k] * v for k, v in by_target.items())
    return Shortage(Interval(low, max(high, low or 0.0)), by_target, answer.blocks, answer)
