"""Blocks grown at given prices: every one could stand in a plan, and is worth what it says."""

from __future__ import annotations

import numpy as np
import pytest

from planner.optimise.pricing import price_blocks
from planner.optimise.state import make_terrain
from planner.problem import Block, Problem
from tests.planner.optimise.brute import Brute, faults
from tests.planner.optimise.instances import grid_problem
from tests.planner.optimise.support import instance, prepared

CASES = [(kind, seed) for kind in ("random", "planted") for seed in range(30)]


def grow(
    problem: Problem, weight: np.ndarray | None, fixed: np.ndarray, noise: float, seed: int, least: float
) -> tuple[Problem, np.ndarray, list[tuple[Block, float]]]:
    problem, graph, open_ = prepared(problem)
    terrain = make_terrain(problem, graph, open_, problem.lock_by)
    weight = terrain.worth if weight is None else weight
    seeds = np.repeat(np.arange(problem.n), len(problem.phases))
    phases = np.tile(np.arange(len(problem.phases)), problem.n)
    pointer, member, phase, gain = price_blocks(terrain, weight, seeds, phases, fixed, noise, seed, least)
    assert len(pointer) == len(phase) + 1 == len(gain) + 1
    blocks = [Block(tuple(sorted(member[pointer[b] : pointer[b + 1]].tolist())), int(t)) for b, t in enumerate(phase)]
    return problem, weight, list(zip(blocks, gain.tolist(), strict=True))


@pytest.mark.parametrize(("kind", "seed"), CASES, ids=str)
def test_every_grown_block_is_a_block(kind: str, seed: int) -> None:
    """Connected, within sizes, zone and filler share, open in its phase; its gain is its priced worth."""
    rng = np.random.default_rng(seed)
    problem = instance(kind, seed)
    shape = (problem.n, len(problem.phases))
    scale = float(np.abs(problem.benefit).mean()) + 1.0
    fixed = rng.uniform(0.0, scale, len(problem.phases))
    for weight in (None, rng.normal(0.0, scale, shape), rng.uniform(0.0, scale, shape)):
        canonical, used, grown = grow(problem, weight, fixed, scale * 0.1, seed, -1e6 * scale)
        brute = Brute(canonical)
        allowed = [set(brute.blocks_in(t)) for t in range(len(problem.phases))]
        for block, gain in grown:
            mask = sum(1 << i for i in block.parcels)
            assert len(set(block.parcels)) == len(block.parcels)
            assert mask in allowed[block.phase], faults(canonical, [block])
            saved = 2 * canonical.perimeter_per_m * sum(
                s
                for (i, j), s in zip(canonical.pairs.tolist(), canonical.shared_m.tolist(), strict=True)
                if i in block.parcels and j in block.parcels
            )  # fmt: skip
            priced = used[list(block.parcels), block.phase].sum() + saved - fixed[block.phase]
            assert gain == pytest.approx(priced, abs=1e-9 * max(1.0, scale))


def test_grows_over_the_mix() -> None:
    """It must find something where there is something."""
    grown = sum(
        len(grow(instance(kind, seed), None, np.zeros(len(instance(kind, seed).phases)), 0.0, 0, -1e9)[2])
        for kind, seed in CASES
    )
    assert grown > 300


def test_only_blocks_that_pay_enough() -> None:
    problem = grid_problem(3, 3, cost=np.linspace(0.0, 18.0, 9))
    _, _, everything = grow(problem, None, np.zeros(1), 0.0, 0, -100.0)
    _, _, good = grow(problem, None, np.zeros(1), 0.0, 0, 20.0)
    assert good
    assert all(gain > 20.0 for _, gain in good)
    assert len(good) <= len(everything)


def test_best_block_of_a_row() -> None:
    """Row worth 5, −1, 5, −9, 5 with 10 mu each, at least 20 mu: the best is {0, 1, 2} = 9."""
    problem = grid_problem(5, 1, cost=np.array([5.0, 11.0, 5.0, 19.0, 5.0]), block_min_mu=20.0)
    _, _, grown = grow(problem, None, np.zeros(1), 0.0, 0, 0.0)
    assert max(grown, key=lambda pair: pair[1]) == (Block((0, 1, 2), 0), 9.0)


def test_price_of_a_block_is_taken_off() -> None:
    problem = grid_problem(2, 1)
    _, _, grown = grow(problem, None, np.array([19.0]), 0.0, 0, 0.0)
    assert {(b.parcels, g) for b, g in grown} == {((0, 1), 1.0)}
    _, _, none = grow(problem, None, np.array([20.0]), 0.0, 0, 0.0)
    assert none == []
