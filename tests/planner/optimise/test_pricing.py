"""Blocks grown at given prices: every one could stand in a plan, and is worth what it says."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from planner.optimise.evaluate import block_faults
from planner.optimise.pricing import price_blocks
from planner.problem import Block, BlockRule, Mode, Problem
from tests.planner.optimise.brute import Brute, bits
from tests.planner.optimise.instances import grid_problem
from tests.planner.optimise.kernels import Setting
from tests.planner.optimise.support import instance

CASES = [(kind, seed) for kind in ("random", "planted", "rich") for seed in range(24)]


def grow(
    problem: Problem, weight: Any = None, fixed: Any = None, noise: float = 0.0, seed: int = 0, least: float = -1e9
) -> tuple[Setting, list[tuple[Block, float]]]:
    at = Setting(problem)
    n, o = at.open.shape
    pointer, member, option, gain = price_blocks(
        at.terrain,
        at.terrain.worth if weight is None else weight,
        np.repeat(np.arange(n), o),
        np.tile(np.arange(o), n),
        np.zeros(o) if fixed is None else fixed,
        noise,
        seed,
        least,
    )
    assert len(pointer) == len(option) + 1 == len(gain) + 1
    assert pointer[-1] == len(member)
    blocks = [
        Block(
            tuple(sorted(member[pointer[b] : pointer[b + 1]].tolist())),
            int(at.options.phase[x]),
            int(at.options.mode[x]),
        )
        for b, x in enumerate(option.tolist())
    ]
    return at, list(zip(blocks, gain.tolist(), strict=True))


def priced(at: Setting, block: Block, weight: np.ndarray, fixed: np.ndarray) -> float:
    """Worth of a block at prices, pair by pair."""
    problem, option = at.problem, at.option(block)
    saved = 2 * problem.perimeter_per_m * sum(
        s
        for (i, j), s in zip(problem.pairs.tolist(), problem.shared_m.tolist(), strict=True)
        if i in block.parcels and j in block.parcels
    )  # fmt: skip
    return float(weight[list(block.parcels), option].sum() + saved - fixed[option])


@pytest.mark.parametrize(("kind", "seed"), CASES, ids=str)
def test_every_grown_block_is_a_block(kind: str, seed: int) -> None:
    """It keeps all rules for blocks and is open in its option; its gain is its priced worth."""
    rng = np.random.default_rng(seed)
    problem = instance(kind, seed)
    shape = Setting(problem).open.shape
    scale = float(np.abs(problem.benefit).mean()) + 1.0
    fixed = rng.uniform(0.0, scale, (shape[1],))
    for weight in (rng.normal(0.0, scale, shape), rng.uniform(0.0, scale, shape)):
        at, grown = grow(problem, weight, fixed, scale * 0.1, seed, -1e6 * scale)
        for block, gain in grown:
            assert len(set(block.parcels)) == len(block.parcels)
            assert block_faults(at.problem, at.graph, block, at.open) == []
            assert gain == pytest.approx(priced(at, block, weight, fixed), abs=1e-9 * max(1.0, scale))


def test_finds_the_best_block_mostly() -> None:
    """The best of all blocks of all options, by brute force, is among the grown ones in most small problems."""
    found, cases = 0, 0
    for kind, seed in CASES:
        at, grown = grow(instance(kind, seed))
        brute = Brute(at.problem)
        fixed = np.zeros(at.open.shape[1])
        gains = [
            priced(at, Block(tuple(bits(mask)), t, m), at.terrain.worth, fixed)
            for t in range(len(at.problem.phases))
            for m in range(len(at.problem.modes))
            for mask in brute.blocks_in(t, m)
        ]
        if gains:
            cases += 1
            found += max((g for _, g in grown), default=-np.inf) >= max(gains) - 1e-9
    assert cases > 50
    assert found > 0.9 * cases


def test_same_seed_same_blocks() -> None:
    first, again = (grow(instance("planted", 3), noise=1.0, seed=5)[1] for _ in range(2))
    assert first == again


def test_only_blocks_that_pay_enough() -> None:
    problem = grid_problem(3, 3, cost=np.linspace(0.0, 18.0, 9))
    _, everything = grow(problem, least=-100.0)
    _, good = grow(problem, least=20.0)
    assert good
    assert all(gain > 20.0 for _, gain in good)
    assert len(good) <= len(everything)


def test_best_block_of_a_row() -> None:
    """Row worth 5, −1, 5, −9, 5 with 10 mu each, at least 20 mu: the best is {0, 1, 2} = 9."""
    problem = grid_problem(5, 1, cost=np.array([5.0, 11.0, 5.0, 19.0, 5.0]), block_min_mu=20.0)
    _, grown = grow(problem, least=0.0)
    assert max(grown, key=lambda pair: pair[1]) == (Block((0, 1, 2), 0), 9.0)


def test_price_of_a_block_is_taken_off() -> None:
    problem = grid_problem(2, 1)
    _, grown = grow(problem, fixed=np.array([19.0]), least=0.0)
    assert {(b.parcels, g) for b, g in grown} == {((0, 1), 1.0)}
    assert grow(problem, fixed=np.array([20.0]), least=0.0)[1] == []


def test_signed_parcels_are_reached_for() -> None:
    """In mode B a third of a block has to be signed; the signed parcel is worth least, and no block goes without it."""
    rule = BlockRule("consent", "mu", np.array([0.0, 0.0, 10.0, 0.0, 0.0]), 1 / 3, np.full(5, 10.0), modes=(1,))
    problem = grid_problem(
        5, 1, benefit=np.array([3.0, 4.0, -2.0, 6.0, 1.0]), modes=(Mode("A"), Mode("B")), block_rules=(rule,)
    )
    _, grown = grow(problem)
    with_rule = [(b, g) for b, g in grown if b.mode == 1]
    assert max(with_rule, key=lambda pair: pair[1]) == (Block((1, 2, 3), 0, 1), 8.0)
    assert all(2 in b.parcels for b, _ in with_rule)
    assert max(g for b, g in grown if b.mode == 0) == 12.0


def test_many_blocks_overrun_the_buffer(monkeypatch: pytest.MonkeyPatch) -> None:
    """The buffer is emptied and filled again; nothing is lost."""
    problem = grid_problem(4, 4)
    _, before = grow(problem)
    monkeypatch.setattr("planner.optimise.pricing._CHUNK", 1)
    _, after = grow(problem)
    assert before == after
