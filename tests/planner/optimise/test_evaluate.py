"""What a plan is worth and which rules it breaks, worked out by hand and against independent code."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from planner.optimise.evaluate import (
    availability,
    block_faults,
    block_value,
    block_worth,
    cumulative_mu,
    objective,
    ordered,
    plan_faults,
)
from planner.optimise.graph import build_graph
from planner.problem import Block, Phase, Problem, Target
from tests.planner.optimise.brute import Brute, faults, plan_worth, reached_mu
from tests.planner.optimise.instances import grid_problem, planted_problem

TWO_PHASES = (Phase("P1", 1, 0.5), Phase("P2", 2, 0.25))


def test_block_value_of_an_l_shape() -> None:
    """3×3 grid, parcels 0, 1, 3: three perimeters of 400 m, two shared sides of 100 m counted twice: 800 m.

    Parcel 3 is filler of 10 mu; benefit 10 each, cost 1 each: net 27.
    """
    problem = grid_problem(3, 3, cost=np.ones(9), filler=np.arange(9) == 3)
    value = block_value(problem, build_graph(problem), [0, 1, 3])
    assert (value.area_mu, value.filler_mu, value.net, value.cost, value.perimeter_m) == (30.0, 10.0, 27.0, 3.0, 800.0)


def test_bridged_link_saves_no_perimeter() -> None:
    """Two parcels that only a link joins: one block, both perimeters in full."""
    problem = grid_problem(2, 1)
    linked = replace(
        problem, pairs=problem.pairs[:0], shared_m=np.empty(0), link_pairs=problem.pairs, gap_m=np.array([8.0])
    )
    graph = build_graph(linked)
    assert graph.is_connected([0, 1])
    assert block_value(linked, graph, [0, 1]).perimeter_m == 800.0


def test_pair_both_adjacent_and_linked_counts_as_adjacent() -> None:
    problem = grid_problem(2, 1)
    both = replace(problem, link_pairs=problem.pairs, gap_m=np.array([8.0]))
    assert block_value(both, build_graph(both), [0, 1]).perimeter_m == 600.0


def test_block_worth_discounts_money_but_not_perimeter() -> None:
    """Net 20 at 0.25 is 5; two squares joined have 600 m of boundary at 0.01: 6. Worth −1."""
    problem = grid_problem(2, 1, phases=TWO_PHASES, perimeter_per_m=0.01)
    value = block_value(problem, build_graph(problem), [0, 1])
    assert block_worth(problem, value, 1) == pytest.approx(-1.0)


def test_seam_between_two_blocks_counts_twice() -> None:
    problem = grid_problem(2, 1, perimeter_per_m=0.01)
    graph = build_graph(problem)
    assert objective(problem, graph, [Block((0, 1), 0)]) == pytest.approx(20 - 6)
    assert objective(problem, graph, [Block((0,), 0), Block((1,), 0)]) == pytest.approx(20 - 8)


def test_objective_with_unmet_stretch() -> None:
    """Targets: 20 mu by P1, 30 mu by P2 (stretch). Parcels 0 in P1, 1 in P2: 10 and 20 mu unmet at 0.1: 1 + 1."""
    targets = (Target("P1", 0, -1, 0.0, 20.0), Target("P2", 1, -1, 0.0, 30.0))
    problem = grid_problem(3, 1, phases=TWO_PHASES, targets=targets, stretch_per_mu=0.1)
    blocks = [Block((0,), 0), Block((1,), 1)]
    assert objective(problem, build_graph(problem), blocks) == pytest.approx(10 * 0.5 + 10 * 0.25 - 0.1 * (10 + 10))


def test_stretch_beyond_is_not_rewarded() -> None:
    problem = grid_problem(3, 1, targets=(Target("P1", 0, -1, 0.0, 10.0),), stretch_per_mu=0.1)
    assert objective(problem, build_graph(problem), [Block((0, 1, 2), 0)]) == pytest.approx(30.0)


def test_cumulative_mu_counts_earlier_phases_and_own_zone_only() -> None:
    """Parcels 0 (zone A) in P1, 1 (zone B) in P2, 2 (no zone) in P2, 10 mu each."""
    targets = (Target("P1", 0, -1, 0), Target("P2", 1, -1, 0), Target("A", 1, 0, 0), Target("B1", 0, 1, 0))
    problem = grid_problem(3, 1, phases=TWO_PHASES, targets=targets, zones=("A", "B"), zone=np.array([0, 1, -1]))
    blocks = [Block((0,), 0), Block((1,), 1), Block((2,), 1)]
    assert cumulative_mu(problem, blocks).tolist() == [10.0, 30.0, 10.0, 0.0]
    assert cumulative_mu(problem, []).tolist() == [0.0] * 4


def test_availability_table() -> None:
    """Rows: free, excluded, gate in P2, lock by P1, gate never, gate P2 with lock by P2."""
    problem = grid_problem(
        6,
        1,
        phases=(*TWO_PHASES, Phase("P3", 3, 0.1)),
        selectable=np.array([True, False, True, True, True, True]),
        earliest=np.array([0, 0, 1, 0, 3, 1]),
        lock_by=np.array([-1, -1, -1, 0, -1, 1]),
    )
    assert availability(problem).astype(int).tolist() == [
        [1, 1, 1], [0, 0, 0], [0, 1, 1], [1, 0, 0], [0, 0, 0], [0, 1, 0]
    ]  # fmt: skip


BROKEN = {
    "not one piece": ({}, Block((0, 2), 0)),
    "is below": ({"block_min_mu": 30.0}, Block((0, 1), 0)),
    "is above": ({"block_max_mu": 19.0}, Block((0, 1), 0)),
    "not available": ({"earliest": np.array([0, 1, 0])}, Block((0, 1), 0)),
    "several zones": ({"within_zone": True, "zones": ("A",), "zone": np.array([0, -1, -1])}, Block((0, 1), 0)),
    "of filler": ({"filler": np.array([True, False, False]), "filler_max_share": 0.49}, Block((0, 1), 0)),
}


@pytest.mark.parametrize("words", BROKEN)
def test_each_rule_of_a_block_is_named(words: str) -> None:
    changes, block = BROKEN[words]
    problem = grid_problem(3, 1, **changes)
    found = block_faults(problem, build_graph(problem), block, availability(problem))
    assert len(found) == 1
    assert words in found[0]


def test_limits_may_be_met_exactly() -> None:
    """Sizes, filler share, budget, floor and block count at the limit are kept, also with rounding noise of sums."""
    areas = np.full(10, 0.1)  # adds up to 0.9999999999999999
    problem = grid_problem(
        10,
        1,
        area_mu=areas,
        cost=areas,
        filler=np.arange(10) < 3,
        filler_max_share=0.3,
        block_min_mu=1.0,
        block_max_mu=1.0,
        phases=(Phase("P1", 1, 1.0, 1.0, 1),),
        targets=(Target("P1", 0, -1, 1.0),),
    )
    assert plan_faults(problem, build_graph(problem), [Block(tuple(range(10)), 0)], availability(problem)) == []


@pytest.mark.parametrize(
    ("changes", "blocks", "words"),
    [
        ({}, [Block((0, 1), 0), Block((1, 2), 0)], "two blocks"),
        ({"lock_by": np.array([-1, -1, 0])}, [Block((0,), 0)], "locked parcel is missing"),
        ({"targets": (Target("north", 0, -1, 25.0),)}, [Block((0, 1), 0)], "north: 20.00 mu of 25.00"),
        ({"phases": (Phase("P1", 1, 1.0, 15.0),), "cost": np.full(3, 8.0)}, [Block((0, 1), 0)], "cost 16.00 above 15"),
        ({"phases": (Phase("P1", 1, 1.0, None, 1),)}, [Block((0,), 0), Block((2,), 0)], "2 blocks above 1"),
    ],
    ids=["twice", "lock", "floor", "budget", "max_blocks"],
)
def test_each_rule_of_a_plan_is_named(changes: dict[str, object], blocks: list[Block], words: str) -> None:
    problem = grid_problem(3, 1, **changes)
    found = plan_faults(problem, build_graph(problem), blocks, availability(problem))
    assert len(found) == 1
    assert words in found[0]


def test_ordered_sorts_blocks_and_members() -> None:
    blocks = [Block((5, 4), 1), Block((3, 2), 0), Block((1,), 1)]
    assert ordered(blocks) == (Block((2, 3), 0), Block((1,), 1), Block((4, 5), 1))


def spoilt(rng: np.random.Generator, problem: Problem, blocks: tuple[Block, ...]) -> list[Block]:
    """A plan with one to three random changes, most of which break something."""
    plan = [list(b.parcels) for b in blocks]
    phases = [b.phase for b in blocks]
    for _ in range(int(rng.integers(1, 4))):
        k = int(rng.integers(len(plan)))
        match int(rng.integers(5)):
            case 0:
                plan[k] = sorted({*plan[k], int(rng.integers(problem.n))})
            case 1:
                plan[k] = plan[k][1:] or plan[k]
            case 2:
                phases[k] = int(rng.integers(len(problem.phases)))
            case 3 if len(plan) > 1:
                del plan[k], phases[k]
            case _:
                plan.append([int(rng.integers(problem.n))])
                phases.append(int(rng.integers(len(problem.phases))))
    return [Block(tuple(p), t) for p, t in zip(plan, phases, strict=True)]


@pytest.mark.parametrize("seed", range(40))
def test_agrees_with_independent_code_on_spoilt_plans(seed: int) -> None:
    problem = planted_problem(seed)
    graph, open_ = build_graph(problem), availability(problem)
    truth = Brute(problem).truth()
    rng = np.random.default_rng(seed)
    good = 0
    for blocks in [list(truth.blocks), *(spoilt(rng, problem, truth.blocks) for _ in range(40))]:
        mine = faults(problem, blocks)
        assert bool(plan_faults(problem, graph, blocks, open_)) == bool(mine), mine
        assert objective(problem, graph, blocks) == pytest.approx(plan_worth(problem, blocks), abs=1e-9)
        assert cumulative_mu(problem, blocks) == pytest.approx(
            [reached_mu(problem, blocks, k) for k in range(len(problem.targets))], abs=1e-9
        )
        good += not mine
    assert good < 41
