"""Random tiny problems with a plan before and prices of changing it; by seed also fixed blocks, stretches, modes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from planner.problem import Block, Problem
from tests.planner.optimise.instances import planted_problem, random_problem
from tests.planner.optimise.rich import rich_problem
from tests.planner.optimise.signed import signed_problem

MAKERS = (rich_problem, random_problem, planted_problem, signed_problem)
PRICES = (0.02, 0.3, 3.0, 300.0)
"""Prices of a mu: below, about and above what a mu is worth, and far above all there is."""


def with_before(problem: Problem, seed: int, price_per_mu: float) -> Problem:
    """The problem with some plan before: any parcels in any phase and mode, closed ones too; some changes are free."""
    rng = np.random.default_rng(30_000 + seed)
    order = rng.permutation(problem.n)[: int(rng.integers(0, problem.n + 1))].tolist()
    blocks = []
    while order:
        size = int(rng.integers(1, 5))
        part, order = order[:size], order[size:]
        phase, mode = int(rng.integers(len(problem.phases))), int(rng.integers(len(problem.modes)))
        blocks.append(Block(tuple(sorted(part)), phase, mode))
    price = problem.area_mu * rng.uniform(0.0, 2.0, problem.n) * price_per_mu * (rng.random(problem.n) < 0.9)
    return replace(problem, before=tuple(blocks), change_price=np.round(price, 2))


def kept_problem(seed: int) -> Problem:
    """One of at most ten parcels."""
    maker, price = MAKERS[seed % len(MAKERS)], PRICES[seed // len(MAKERS) % len(PRICES)]
    n = None if maker is rich_problem else 5 + seed % 5
    return with_before(maker(seed, n), seed, price)
