"""Annealing: blocks keep their rules throughout, what it calls a plan is one, and small optima are found."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from planner.optimise.anneal import anneal
from planner.optimise.evaluate import block_faults, objective, plan_faults
from planner.optimise.state import adapt_prices, load
from planner.problem import Block, BlockRule, Group, Mode, Phase, Problem, Resource, Target
from tests.planner.optimise.brute import Brute
from tests.planner.optimise.instances import grid_problem, planted_problem
from tests.planner.optimise.kernels import Setting
from tests.planner.optimise.support import instance

TWO = (Phase("P1", 1, 1.0), Phase("P2", 2, 0.9))


def run(problem: Problem, seed: int, slices: int, moves: int) -> int:
    """Slices of annealing with a check after each; the number of slices whose best draft is a plan."""
    at = Setting(problem)
    found = 0
    for s in range(slices):
        block, option, result = at.draft.block.copy(), at.draft.option.copy(), np.empty(3)
        hot = at.scale * 2.0 * 0.8**s
        anneal(at.terrain, at.draft, seed + 1000 * s, moves, hot, hot / 2, block, option, result)
        current = at.blocks()
        for b in current:
            assert block_faults(at.problem, at.graph, b, at.open) == [], "a block is broken in the middle of the search"
        assert (result[2] == 0.0) == (not plan_faults(at.problem, at.graph, current, at.open))
        assert result[1] == pytest.approx(objective(at.problem, at.graph, current), abs=1e-7)
        if result[0] > -np.inf:
            best = at.blocks(block, option)
            assert plan_faults(at.problem, at.graph, best, at.open) == []
            assert result[0] == pytest.approx(objective(at.problem, at.graph, best), abs=1e-7)
            found += 1
        adapt_prices(at.terrain, at.draft)
    return found


@pytest.mark.parametrize("seed", range(12))
def test_planted_problems(seed: int) -> None:
    """Limits are tight, many rules at once."""
    assert run(planted_problem(seed), seed, 12, 3_000) > 0


@pytest.mark.parametrize("kind", ["random", "rich"])
@pytest.mark.parametrize("seed", range(32))
def test_every_rule(kind: str, seed: int) -> None:
    run(instance(kind, seed), seed, 12, 500)


def large(seed: int) -> dict[str, Any]:
    """8×8 parcels, three phases, two modes, and every rule."""
    rng = np.random.default_rng(seed)
    n = 64
    area = np.round(rng.lognormal(2.0, 0.5, n), 2)
    worth, cost = rng.random(n) * 10, rng.random(n) * 8
    return {
        "area_mu": area,
        "benefit": worth,
        "cost": cost,
        "selectable": rng.random(n) < 0.95,
        "filler": rng.random(n) < 0.1,
        "filler_max_share": 0.2,
        "zones": ("A", "B"),
        "zone": (np.arange(n) // 32).astype(np.int64),
        "within_zone": bool(seed % 2),
        "earliest": (rng.integers(0, 3, n) * (rng.random(n) < 0.2)).astype(np.int64),
        "phases": tuple(Phase(f"P{t}", t, 0.95**t, 60.0, 4) for t in range(1, 4)),
        "modes": (Mode("A"), Mode("B", 1)),
        "mode_benefit": np.stack([worth, worth * rng.uniform(0.8, 1.4, n)], axis=1),
        "mode_cost": np.stack([cost, cost * rng.uniform(0.8, 1.4, n)], axis=1),
        "mode_open": rng.random((n, 2)) < 0.95,
        "mode_floor_m2": rng.random((n, 2)) * 100,
        "groups": (Group("west", np.arange(n) % 8 < 4),),
        "targets": (
            Target("P1", 0, -1, 60.0, ceiling=140.0),
            Target("P3", 2, -1, 150.0, ceiling=260.0),
            Target("A", 2, 0, 40.0, 120.0, stretch_price=0.1),
            Target("west", 2, -1, 20.0, group=0, ceiling=150.0),
            Target("floor", 2, -1, 300.0, measure="floor_m2"),
            Target("projects", 2, -1, 1.0, group=0, measure="blocks", project_min_mu=32.0),
        ),
        "villages": ("v0", "v1", "v2", "v3"),
        "village": (np.arange(n) % 8 // 2).astype(np.int64),
        "max_villages": 2,
        "block_rules": (
            BlockRule("consent", "mu", np.where(rng.random(n) < 0.8, area, 0.0), 0.66, area),
            BlockRule("access", "m", rng.random(n) * (rng.random(n) < 0.4), 0.3, modes=(1,)),
        ),
        "resources": (Resource("decant", "m²", rng.random(n) * 10, (80.0, 80.0, None)),),
        "block_min_mu": 30.0,
        "block_max_mu": 70.0,
        "perimeter_per_m": 0.002,
    }


@pytest.mark.parametrize("rolling", [False, True])
@pytest.mark.parametrize("seed", range(3))
def test_a_larger_one(seed: int, rolling: bool) -> None:
    assert run(grid_problem(8, 8, **large(seed), rolling=rolling), seed, 16, 6_000) > 0


def test_same_seed_same_walk() -> None:
    def walk(seed: int) -> tuple[list[int], float]:
        at = Setting(planted_problem(0))
        result = np.empty(3)
        anneal(at.terrain, at.draft, seed, 5_000, 2.0, 0.1, at.draft.block.copy(), at.draft.option.copy(), result)
        return at.draft.block.tolist(), float(result[1])

    assert walk(3) == walk(3)
    assert len({tuple(walk(s)[0]) for s in range(6)}) > 1


def test_cold_walk_only_improves() -> None:
    """At a temperature of nothing a worse draft is never accepted: the value never falls."""
    at = Setting(grid_problem(4, 4, cost=np.linspace(0.0, 20.0, 16), block_min_mu=20.0))
    last = 0.0
    for s in range(30):
        result = np.empty(3)
        anneal(at.terrain, at.draft, s, 100, 1e-9, 1e-10, at.draft.block.copy(), at.draft.option.copy(), result)
        assert result[1] >= last - 1e-6
        last = float(result[1])
    assert last > 0


def optimum(problem: Problem, expected: float) -> list[Block]:
    """Blocks of the best plan found, whose value is known by hand; the true optimum is the same."""
    assert Brute(Setting(problem).problem).truth().optimum == pytest.approx(expected)
    value, plan = Setting(problem).best()
    assert value == pytest.approx(expected)
    return plan


def row(values: list[float], **changes: Any) -> Problem:
    """Row of parcels of 10 mu with these benefits."""
    return grid_problem(len(values), 1, **({"benefit": np.array(values)} | changes))


def test_ceiling() -> None:
    """20 mu may be taken: the best two that touch, or the best two of blocks of one."""
    values = [5.0, 6.0, 1.0, 9.0, 4.0]
    ceiling = (Target("P1", 0, -1, 0.0, ceiling=20.0),)
    assert optimum(row(values, targets=ceiling, block_min_mu=20.0), 13.0) == [Block((3, 4), 0)]
    optimum(row(values, targets=ceiling), 15.0)


def test_floor_and_ceiling_at_a_loss() -> None:
    """Everything costs; exactly two blocks of two have to be taken."""
    targets = (Target("P1", 0, -1, 40.0, ceiling=40.0),)
    plan = optimum(row([-1.0, -3.0, -9.0, -2.0, -2.0], targets=targets, block_min_mu=20.0, block_max_mu=20.0), -8.0)
    assert sorted(b.parcels for b in plan) == [(0, 1), (3, 4)]


def test_modes() -> None:
    """Mode B is worth more to the left, A to the right; B is not open to the last."""
    both = np.array([[1.0, 5.0], [1.0, 5.0], [4.0, 2.0], [4.0, 9.0]])
    open_ = np.ones((4, 2), dtype=bool)
    open_[3, 1] = False
    problem = grid_problem(
        4, 1, modes=(Mode("A"), Mode("B")), mode_benefit=both, mode_open=open_, block_min_mu=20.0, block_max_mu=20.0
    )
    plan = optimum(problem, 18.0)
    assert {(b.parcels, b.mode) for b in plan} == {((0, 1), 1), ((2, 3), 0)}


def test_mode_that_takes_too_long() -> None:
    """Mode B is worth more, but is done after the target's phase."""
    both = np.tile([1.0, 3.0], (2, 1))
    targets = (Target("P1", 0, -1, 10.0),)
    problem = row([0.0, 0.0], modes=(Mode("A"), Mode("B", 1)), mode_benefit=both, phases=TWO, targets=targets)
    plan = optimum(problem, 4.0)
    assert sorted(b.mode for b in plan) == [0, 1]


def test_villages() -> None:
    """Blocks of 30 mu in at most two villages; the middle three lie in three."""
    village = np.array([0, 0, 1, 2, 2])
    plan = optimum(
        row(
            [1.0, 5.0, 9.0, 6.0, 3.0],
            villages=("a", "b", "c"),
            village=village,
            max_villages=2,
            block_min_mu=30.0,
            block_max_mu=30.0,
        ),
        18.0,
    )
    assert plan == [Block((2, 3, 4), 0)]


def test_block_rule() -> None:
    """Half of a block has to be signed: 8 at one end is not worth the break that it would need."""
    rule = BlockRule("consent", "mu", np.array([0.0, 10.0, 10.0, 0.0, 0.0]), 0.5, np.full(5, 10.0))
    plan = optimum(row([8.0, 1.0, -2.0, 7.0, 9.0], block_rules=(rule,)), 15.0)
    assert plan == [Block((1, 2, 3, 4), 0)]


def test_resource() -> None:
    """5 m² of decant in P1, 3 in P2: the parcel that takes 5 is worth most."""
    use = np.array([5.0, 3.0, 3.0])
    plan = optimum(row([10.0, 8.0, 2.0], resources=(Resource("decant", "m²", use, (5.0, 3.0)),), phases=TWO), 17.2)
    assert {(b.parcels, b.phase) for b in plan} == {((0,), 0), ((1,), 1)}


def test_projects() -> None:
    """Two projects wanted in the west, with 20 mu each: the block across the border does not count."""
    west = np.array([True, True, True, True, False])
    targets = (Target("projects", 0, -1, 2.0, group=0, measure="blocks", project_min_mu=20.0),)
    problem = row([1.0, 1.0, 1.0, -5.0, 9.0], groups=(Group("west", west),), targets=targets)
    plan = optimum(problem, 7.0)
    assert {(0, 1), (2, 3)} <= {b.parcels for b in plan}


def test_rolling_from_nothing() -> None:
    """The two ends are worth most, but the area has to be one piece in each phase."""
    assert {i for b in optimum(row([9.0, -4.0, -4.0, -4.0, 8.0], rolling=True), 9.0) for i in b.parcels} == {0}
    spent = np.array([1.0, 1.0, 1.0, 1.0])  # two parcels a phase: the second pair has to touch the first
    phases = (Phase("P1", 1, 1.0, 2.0), Phase("P2", 2, 0.9, 2.0))
    plan = optimum(row([9.0, 2.0, -1.0, 8.0], cost=spent, rolling=True, phases=phases), 13.5)
    assert {i for b in plan if b.phase == 0 for i in b.parcels} == {0, 1}


def test_rolling_from_what_exists() -> None:
    """The last parcel exists: whatever is taken has to reach it."""
    existing = np.array([1, 1, 1, 1, 0])
    problem = row(
        [9.0, 2.0, -4.0, 3.0, 0.0],
        selectable=np.array([True] * 4 + [False]),
        rolling=True,
        existing_from=existing,
    )
    setting = Setting(problem)
    assert setting.terrain.rolling
    assert {i for b in optimum(problem, 10.0) for i in b.parcels} == {0, 1, 2, 3}


def test_starts_from_a_plan() -> None:
    """Without moves the best draft is the plan that was loaded."""
    at = Setting(row([1.0, 2.0, 3.0]))
    load(at.terrain, at.draft, [((1, 2), 0)])
    block, option, result = at.draft.block.copy(), at.draft.option.copy(), np.empty(3)
    anneal(at.terrain, at.draft, 0, 0, 1.0, 0.5, block, option, result)
    assert result.tolist() == [5.0, 5.0, 0.0]
    assert at.blocks(block, option) == [Block((1, 2), 0)]
