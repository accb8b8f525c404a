"""What a plan keeps of the plan before, and what its changes cost."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from planner.optimise.evaluate import objective
from planner.optimise.presolve import usable_graph
from planner.problem import Block, Bools, Ints, Problem


def changes(problem: Problem, blocks: Sequence[Block]) -> dict[str, Bools]:
    """Parcels by what became of them, ``bool[n]`` each.

    ``kept`` in both plans, in the same phase and mode; ``moved`` in both, in another; ``added`` in this plan only;
    ``left`` in the plan before only. All but ``kept`` are changed.
    """
    now, before = _options(problem, blocks), _options(problem, problem.before)
    here, there = now >= 0, before >= 0
    return {
        "kept": here & (now == before),
        "moved": here & there & (now != before),
        "added": here & ~there,
        "left": there & ~here,
    }


def _options(problem: Problem, blocks: Sequence[Block]) -> Ints:
    """Phase · M + mode of each parcel, -1 outside the blocks."""
    option = np.full(problem.n, -1, dtype=np.int64)
    for block in blocks:
        option[list(block.parcels)] = block.phase * len(problem.modes) + block.mode
    return option


def keep_figures(problem: Problem, blocks: Sequence[Block]) -> dict[str, Any] | None:
    """Figures of a plan against the plan before, for ``summary.json``; None without a plan before.

    Parameters
    ----------
    problem : Problem
        `before` and `change_price` are what the plan is held against.
    blocks : sequence of Block
        The plan, fixed blocks among them.

    Returns
    -------
    dict or None
        ``changed_…``, ``kept_…``, ``moved_…``, ``added_…``, ``left_…``: parcels and mu, see `changes`; ``changed`` is
        the sum of the last three. ``before_parcels``, ``before_mu``: the plan before. ``change_price``: what the
        changes cost, currency. ``worth_without``: objective of the plan without that, currency.
    """
    price = problem.change_price
    if price is None:
        return None
    parts = changes(problem, blocks)
    changed = parts["moved"] | parts["added"] | parts["left"]
    figures: dict[str, Any] = {}
    for name, which in ({"changed": changed} | parts | {"before": _options(problem, problem.before) >= 0}).items():
        figures |= {f"{name}_parcels": int(which.sum()), f"{name}_mu": float(problem.area_mu[which].sum())}
    paid = float(price[changed].sum())
    worth = objective(problem, usable_graph(problem), blocks)
    return figures | {"change_price": paid, "worth_without": worth + paid}
