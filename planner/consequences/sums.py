"""The sums over blocks that a problem limits: targets, budgets, numbers of blocks, resources; additive over blocks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from planner.optimise.evaluate import reached_amounts
from planner.problem import AREA_TOLERANCE_MU, Block, Floats, Problem, spending_tolerance


@dataclass(frozen=True)
class SumRow:
    """One limited sum.

    Attributes
    ----------
    kind : {'target', 'budget', 'max_blocks', 'resource'}
    index, period : int
        Number of the target, phase or resource; period of a resource, else 0.
    name, unit : str
        For people.
    low, high : float
        Limits in `unit`, ±inf where a side is open.
    tolerance : float
        A sum within this of a limit keeps it.
    """

    kind: str
    index: int
    period: int
    name: str
    unit: str
    low: float
    high: float
    tolerance: float


def sum_rows(problem: Problem) -> tuple[SumRow, ...]:
    """Every limited sum of a problem; one without limits has a row too, so that places do not shift."""
    rows = [
        SumRow(
            kind="target",
            index=k,
            period=0,
            name=f"target {t.name}",
            unit=t.unit,
            low=t.floor if t.floor > 0 else -np.inf,
            high=np.inf if t.ceiling is None else t.ceiling,
            tolerance=AREA_TOLERANCE_MU,
        )
        for k, t in enumerate(problem.targets)
    ]
    for t, phase in enumerate(problem.phases):
        slack = 0.0 if phase.budget is None else spending_tolerance(phase.budget)
        rows.append(_at_most("budget", t, 0, f"budget of {phase.id}", problem.currency, phase.budget, slack))
        rows.append(_at_most("max_blocks", t, 0, f"blocks in {phase.id}", "blocks", phase.max_blocks, 0.0))
    for k, x in enumerate(problem.resources):
        for r, limit in enumerate(x.limits):
            slack = 0.0 if limit is None else x.tolerance(r)
            name = f"{x.name} in {x.period(r, problem.phases)}"
            rows.append(_at_most("resource", k, r, name, x.unit, limit, slack))
    return tuple(rows)


def _at_most(kind: str, index: int, period: int, name: str, unit: str, most: float | None, tolerance: float) -> SumRow:
    return SumRow(kind, index, period, name, unit, -np.inf, np.inf if most is None else float(most), tolerance)


def block_sums(problem: Problem, block: Block) -> Floats:
    """What a block adds to each row of `sum_rows`, ``float64[rows]``; nothing where it has no parcels."""
    n_phases, n_targets = len(problem.phases), len(problem.targets)
    if not block.parcels:
        return np.zeros(n_targets + 2 * n_phases + sum(len(r.limits) for r in problem.resources))
    cost = problem.cost if problem.mode_cost is None else problem.mode_cost[:, block.mode]
    limits = np.zeros((n_phases, 2))
    limits[block.phase] = (cost[list(block.parcels)].sum(), 1.0)
    taken = [r.of_block(block) for r in problem.resources]
    return np.concatenate([reached_amounts(problem, [block]), limits.ravel(), *taken])


def plan_sums(problem: Problem, blocks: Sequence[Block]) -> Floats:
    """The sums of a plan, ``float64[rows]``."""
    if not blocks:
        return np.zeros(len(sum_rows(problem)))
    return np.asarray(np.sum([block_sums(problem, b) for b in blocks], axis=0))


def unmet_stretch(problem: Problem, sums: Floats) -> Floats:
    """What the unmet stretch costs at some sums, ``float64[…, rows]`` → […], currency; targets are the first rows."""
    cost = np.zeros(sums.shape[:-1])
    for k, target in enumerate(problem.targets):
        if target.stretch:
            cost += target.stretch_price * np.maximum(0.0, target.stretch - sums[..., k])
    return cost


@dataclass(frozen=True, eq=False)
class Limits:
    """The limits of all rows as arrays, ``float64[rows]``, tolerance included."""

    low: Floats
    high: Floats

    @classmethod
    def of(cls, rows: Sequence[SumRow]) -> Limits:
        """Limits of rows, widened by their tolerance."""
        return cls(
            np.array([r.low - r.tolerance for r in rows], dtype=float),
            np.array([r.high + r.tolerance for r in rows], dtype=float),
        )
