"""The journal: running sums equal recomputation after any sequence of moves, and undo restores everything."""

from __future__ import annotations

import numpy as np
import pytest

from planner.optimise.state import (
    Draft,
    Terrain,
    collect,
    empty_draft,
    free_slot,
    hard_penalty,
    make_terrain,
    place,
    rephase,
    sound,
    stays_whole,
    stretch_penalty,
    undo,
)
from planner.problem import Block, Phase, Problem, Target
from tests.planner.optimise.brute import Brute, faults, plan_worth, reached_mu
from tests.planner.optimise.instances import grid_problem
from tests.planner.optimise.support import instance, prepared

SUMS = ("area", "filler", "taken", "spent", "total")
COUNTS = ("block", "phase", "size", "blocks")


def start(problem: Problem) -> tuple[Problem, Terrain, Draft]:
    canonical, graph, open_ = prepared(problem)
    terrain = make_terrain(canonical, graph, open_, canonical.lock_by)
    return canonical, terrain, empty_draft(terrain, len(canonical.zones))


def blocks_in(draft: Draft) -> list[Block]:
    used = np.unique(draft.block[draft.block >= 0]).tolist()
    return [Block(tuple(np.flatnonzero(draft.block == k).tolist()), int(draft.phase[k])) for k in used]


def snapshot(draft: Draft) -> dict[str, np.ndarray]:
    return {name: getattr(draft, name).copy() for name in (*SUMS, *COUNTS)}


def check_sums(problem: Problem, terrain: Terrain, draft: Draft) -> None:
    """Every running sum, computed again from the assignment."""
    slots = range(len(draft.size))
    members = [np.flatnonzero(draft.block == k) for k in slots]
    assert draft.size.tolist() == [len(m) for m in members]
    for k in slots:
        if len(members[k]):
            mine = members[k]
            assert draft.area[k] == pytest.approx(problem.area_mu[mine].sum())
            assert draft.filler[k] == pytest.approx(problem.area_mu[mine][problem.filler[mine]].sum(), abs=1e-9)
            assert draft.zone[k] in terrain.block_zone[mine]
    blocks = blocks_in(draft)
    for t in range(len(problem.phases)):
        mine = [i for b in blocks if b.phase == t for i in b.parcels]
        assert draft.blocks[t] == sum(b.phase == t for b in blocks)
        assert draft.spent[t] == pytest.approx(problem.cost[mine].sum(), abs=1e-9)
        assert draft.taken[-1, t] == pytest.approx(problem.area_mu[mine].sum(), abs=1e-9)
        for z in range(-1, len(problem.zones)):
            row = z if z >= 0 else len(problem.zones)
            here = [i for i in mine if problem.zone[i] == z]
            assert draft.taken[row, t] == pytest.approx(problem.area_mu[here].sum(), abs=1e-9)
    worth = plan_worth(problem, blocks) + sum(
        problem.stretch_per_mu * max(0.0, t.stretch_mu - reached_mu(problem, blocks, k))
        for k, t in enumerate(problem.targets)
        if t.stretch_mu is not None
    )
    assert draft.total[0] == pytest.approx(worth, abs=1e-9)
    assert stretch_penalty(terrain, draft) == pytest.approx(worth - plan_worth(problem, blocks), abs=1e-9)
    missing = [i for i in range(problem.n) if problem.lock_by[i] >= 0 and draft.block[i] < 0]
    assert draft.total[1] == len(missing)


def random_steps(rng: np.random.Generator, problem: Problem, terrain: Terrain, draft: Draft, steps: int) -> None:
    """Random placing, taking out and re-phasing of empty slots; of all rules only the zone of a block is kept."""
    for _ in range(steps):
        k = int(rng.integers(len(draft.size)))
        if draft.size[k] == 0 and rng.random() < 0.5:
            rephase(draft, k, int(rng.integers(len(problem.phases))))
        else:
            i = int(rng.integers(problem.n))
            fits = draft.size[k] == 0 or draft.zone[k] == terrain.block_zone[i]
            place(terrain, draft, i, k if fits and rng.random() < 0.8 else -1)


@pytest.mark.parametrize("seed", range(25))
def test_sums_equal_recomputation_and_undo_restores(seed: int) -> None:
    problem, terrain, draft = start(instance("planted", seed))
    rng = np.random.default_rng(seed)
    for _ in range(30):
        draft.counters[0] = 0
        before = snapshot(draft)
        random_steps(rng, problem, terrain, draft, int(rng.integers(1, 12)))
        check_sums(problem, terrain, draft)
        if rng.random() < 0.6:
            undo(terrain, draft)
            assert draft.counters[0] == 0
            for name in ("block", "size", "blocks"):
                assert (getattr(draft, name) == before[name]).all(), name
            used = before["size"] > 0
            assert (draft.phase == before["phase"]).all()
            for name in SUMS:
                mine = getattr(draft, name)
                where = used if name in ("area", "filler") else np.ones(mine.shape, dtype=bool)
                assert mine[where] == pytest.approx(before[name][where], abs=1e-9), name
            check_sums(problem, terrain, draft)


@pytest.mark.parametrize("seed", range(25))
def test_price_of_broken_rules_is_zero_exactly_for_plans(seed: int) -> None:
    """Put down the best plan: no price. Spoil it at random: a price or unsound blocks, exactly when it is no plan."""
    problem, terrain, _ = start(instance("planted", seed))
    truth = Brute(problem).truth()
    rng = np.random.default_rng(seed)
    for trial in range(20):
        draft = empty_draft(terrain, len(problem.zones))
        for k, block in enumerate(truth.blocks):
            rephase(draft, k, block.phase)
            for i in block.parcels:
                place(terrain, draft, i, k)
        random_steps(rng, problem, terrain, draft, 0 if trial == 0 else int(rng.integers(1, 4)))
        broken = set(faults(problem, blocks_in(draft)))
        shaky = not all(sound(terrain, draft, k) for k in range(len(draft.size)))
        assert shaky == bool(broken & {"size", "filler"})
        left_out = (problem.lock_by >= 0) & (draft.block < 0)
        priced = bool(broken & {"floor", "budget", "max_blocks"}) or left_out.any()
        assert (hard_penalty(terrain, draft) > 0) == priced, broken
        if trial == 0:
            assert not broken


def row() -> tuple[Problem, Terrain, Draft]:
    """A row of five in one block."""
    problem, terrain, draft = start(grid_problem(5, 1))
    for i in range(5):
        place(terrain, draft, i, 0)
    return problem, terrain, draft


def test_a_row_breaks_in_the_middle_only() -> None:
    _, terrain, draft = row()
    assert [bool(stays_whole(terrain, draft, i)) for i in range(5)] == [True, False, False, False, True]


def test_a_ring_does_not_break() -> None:
    """3×3 grid without its middle: every parcel of the ring can leave."""
    _, terrain, draft = start(grid_problem(3, 3))
    ring = [0, 1, 2, 3, 5, 6, 7, 8]
    for i in ring:
        place(terrain, draft, i, 0)
    assert all(stays_whole(terrain, draft, i) for i in ring)


def test_collect_finds_the_piece_around_a_parcel() -> None:
    _, terrain, draft = row()
    place(terrain, draft, 2, -1)
    assert sorted(draft.queue[: collect(terrain, draft, 0)].tolist()) == [0, 1]
    assert sorted(draft.queue[: collect(terrain, draft, 3)].tolist()) == [3, 4]


def test_free_slot_is_free_and_runs_out() -> None:
    _, terrain, draft = start(grid_problem(5, 1, block_min_mu=25.0))
    slots = len(draft.size)
    assert slots >= 2, "50 mu hold two blocks of 25"
    taken = []
    for i in range(min(5, slots)):
        k = int(free_slot(draft))
        assert draft.size[k] == 0
        place(terrain, draft, i, k)
        taken.append(k)
    assert len(set(taken)) == len(taken)


def test_phase_of_an_empty_slot_comes_back() -> None:
    _, terrain, draft = start(grid_problem(2, 1, phases=(Phase("P1", 1, 1.0), Phase("P2", 2, 1.0))))
    rephase(draft, 0, 1)
    place(terrain, draft, 0, 0)
    assert draft.blocks.tolist() == [0, 1]
    undo(terrain, draft)
    assert draft.phase[0] == 0
    assert draft.blocks.tolist() == [0, 0]


def test_penalty_by_hand() -> None:
    """Row of three, 10 mu and cost 4 each; floor 25 by P1, budget 5, at most one block; 0 and 2 taken apart.

    5 mu short, 3 over budget, one block too many.
    """
    problem, terrain, draft = start(
        grid_problem(
            3,
            1,
            cost=np.full(3, 4.0),
            phases=(Phase("P1", 1, 1.0, 5.0, 1),),
            targets=(Target("P1", 0, -1, 25.0),),
        )
    )
    place(terrain, draft, 0, 0)
    place(terrain, draft, 2, 1)
    price = 5 * terrain.floor_price[0] + 3 * terrain.budget_price[0] + terrain.lock_price
    assert hard_penalty(terrain, draft) == pytest.approx(price)
    assert set(faults(problem, blocks_in(draft))) == {"floor", "budget", "max_blocks"}
