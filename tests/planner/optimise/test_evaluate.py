"""What a plan is worth and which rules it breaks, worked out by hand and against independent code."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from planner.optimise.evaluate import (
    block_faults,
    block_value,
    block_worth,
    objective,
    ordered,
    plan_faults,
    reached_amounts,
    set_faults,
)
from planner.optimise.graph import build_graph
from planner.optimise.options import availability
from planner.problem import Block, BlockRule, Group, Mode, Phase, Resource, Target
from tests.planner.optimise.brute import faults, plan_worth, reached
from tests.planner.optimise.instances import grid_problem
from tests.planner.optimise.support import instance, spoilt, truth_of

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
    targets = (Target("P1", 0, -1, 0.0, 20.0, 0.1), Target("P2", 1, -1, 0.0, 30.0, 0.1))
    problem = grid_problem(3, 1, phases=TWO_PHASES, targets=targets)
    blocks = [Block((0,), 0), Block((1,), 1)]
    assert objective(problem, build_graph(problem), blocks) == pytest.approx(10 * 0.5 + 10 * 0.25 - 0.1 * (10 + 10))


def test_stretch_beyond_is_not_rewarded() -> None:
    problem = grid_problem(3, 1, targets=(Target("P1", 0, -1, 0.0, 10.0, 0.1),))
    assert objective(problem, build_graph(problem), [Block((0, 1, 2), 0)]) == pytest.approx(30.0)


def test_reached_amounts_counts_earlier_phases_and_own_zone_only() -> None:
    """Parcels 0 (zone A) in P1, 1 (zone B) in P2, 2 (no zone) in P2, 10 mu each."""
    targets = (Target("P1", 0, -1, 0), Target("P2", 1, -1, 0), Target("A", 1, 0, 0), Target("B1", 0, 1, 0))
    problem = grid_problem(3, 1, phases=TWO_PHASES, targets=targets, zones=("A", "B"), zone=np.array([0, 1, -1]))
    blocks = [Block((0,), 0), Block((1,), 1), Block((2,), 1)]
    assert reached_amounts(problem, blocks).tolist() == [10.0, 30.0, 10.0, 0.0]
    assert reached_amounts(problem, []).tolist() == [0.0] * 4


MEASURED = (
    Target("circle", 0, -1, 0, group=0),
    Target("circle in A", 0, 0, 0, group=0),
    Target("floor area", 1, -1, 0, measure="floor_m2"),
    Target("projects of 20 mu", 1, -1, 0, measure="blocks", project_min_mu=20.0),
    Target("projects in the circle", 1, -1, 0, group=0, measure="blocks"),
    Target("all by P3", 2, -1, 0),
)


def test_reached_amounts_of_every_measure() -> None:
    """Parcels 0, 1 (mode a, P1), 2 (mode b, P1), 3 (mode b, P2); b takes a phase; circle 0, 1, 2; zone A: 0, 2.

    By P1 only the first block is done: 20 mu of the circle, 10 of them in A. By P2 the second is done too: floor area
    1 + 2 (mode a) + 30 (mode b); one project of 20 mu, and both lie in the circle. By P3 everything: 40 mu.
    """
    problem = grid_problem(
        4,
        1,
        phases=(*TWO_PHASES, Phase("P3", 3, 0.1)),
        zones=("A",),
        zone=np.array([0, -1, 0, -1]),
        groups=(Group("circle", np.array([True, True, True, False])),),
        modes=(Mode("a"), Mode("b", 1)),
        mode_floor_m2=np.array([[1.0, 10.0], [2.0, 20.0], [3.0, 30.0], [4.0, 40.0]]),
        targets=MEASURED,
    )
    blocks = [Block((0, 1), 0, 0), Block((2,), 0, 1), Block((3,), 1, 1)]
    assert reached_amounts(problem, blocks).tolist() == [20.0, 10.0, 33.0, 1.0, 2.0, 40.0]
    assert [reached(problem, blocks, k) for k in range(6)] == [20.0, 10.0, 33.0, 1.0, 2.0, 40.0]


def test_worth_goes_by_mode() -> None:
    """Benefit 10 or 14, cost 1 or 3 for each of two parcels, at 0.5: 9 in mode a, 11 in mode b."""
    problem = grid_problem(
        2, 1, phases=TWO_PHASES, modes=(Mode("a"), Mode("b")),
        mode_benefit=np.array([[10.0, 14.0]] * 2), mode_cost=np.array([[1.0, 3.0]] * 2),
    )  # fmt: skip
    graph = build_graph(problem)
    assert [objective(problem, graph, [Block((0, 1), 0, m)]) for m in (0, 1)] == pytest.approx([9.0, 11.0])
    assert block_value(problem, graph, [0, 1], 1).cost == 6.0


def test_availability_by_mode() -> None:
    """Options are P1 a, P1 b, P2 a, P2 b; parcel 0 allows b only, 1 opens in P2, 2 stands fixed."""
    problem = grid_problem(
        3, 1, phases=TWO_PHASES, modes=(Mode("a"), Mode("b")), earliest=np.array([0, 1, 0]), fixed=(Block((2,), 0),),
        mode_open=np.array([[False, True], [True, True], [True, True]]),
    )  # fmt: skip
    assert availability(problem).astype(int).tolist() == [[0, 1, 0, 1], [0, 0, 1, 1], [0, 0, 0, 0]]


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
    "lies in 2 villages, at most 1": (
        {"villages": ("V", "W"), "village": np.array([0, 1, 1]), "max_villages": 1},
        Block((0, 1), 0),
    ),
    "signed: 10.00 mu, at least 12.00": (
        {"block_rules": (BlockRule("signed", "mu", np.array([10.0, 0, 0]), 0.6, np.full(3, 10.0)),)},
        Block((0, 1), 0),
    ),
    "access: 5.00 m, at least 20.00": (
        {"block_rules": (BlockRule("access", "m", np.array([5.0, 0, 0]), 20.0),)},
        Block((0, 1), 0),
    ),
    "not available in this phase and mode": (
        {"modes": (Mode("a"), Mode("b")), "mode_open": np.array([[True, False]] * 3)},
        Block((0, 1), 0, 1),
    ),
    "of filler": ({"filler": np.array([True, False, False]), "filler_max_share": 0.49}, Block((0, 1), 0)),
}


def test_rules_of_blocks_bind_their_modes_only() -> None:
    rule = BlockRule("consent", "mu", np.zeros(3), 1.0, modes=(1,))
    problem = grid_problem(3, 1, modes=(Mode("a"), Mode("b")), block_rules=(rule,))
    graph = build_graph(problem)
    assert set_faults(problem, graph, (0, 1), 0) == []
    assert set_faults(problem, graph, (0, 1), 1) == ["consent: 0.00 mu, at least 1.00 asked for"]


def test_no_village_counts_as_none() -> None:
    problem = grid_problem(3, 1, villages=("V",), village=np.array([-1, 0, -1]), max_villages=1)
    assert set_faults(problem, build_graph(problem), (0, 1, 2), 0) == []


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
        ({"targets": (Target("air", 0, -1, 0.0, ceiling=15.0),)}, [Block((0, 1), 0)], "air: 20.00 mu above 15.00"),
        (
            {"targets": (Target("parks", 0, -1, 2.0, measure="blocks"),)},
            [Block((0, 1), 0)],
            "parks: 1.00 blocks of 2.00",
        ),
        (
            {"resources": (Resource("decant", "m2", np.full(3, 8.0), (15.0,)),)},
            [Block((0, 1), 0)],
            "16.00 m2 of decant above 15",
        ),
        ({"fixed": (Block((2,), 0),)}, [Block((0, 1), 0)], "fixed block is missing"),
        ({"rolling": True}, [Block((0,), 0), Block((2,), 0)], "phase P1, zone no zone: not one area"),
        (
            {"rolling": True, "existing_from": np.array([1, 1, 0])},
            [Block((0,), 0)],
            "phase P1, zone no zone: not one area with p000",
        ),
    ],
    ids=[
        "twice",
        "lock",
        "floor",
        "budget",
        "max_blocks",
        "ceiling",
        "projects",
        "resource",
        "fixed",
        "rolling",
        "seed",
    ],
)
def test_each_rule_of_a_plan_is_named(changes: dict[str, object], blocks: list[Block], words: str) -> None:
    problem = grid_problem(3, 1, **changes)
    found = plan_faults(problem, build_graph(problem), blocks, availability(problem))
    assert len(found) == 1
    assert words in found[0]


def test_fixed_blocks_need_not_keep_the_rules_of_blocks() -> None:
    """A fixed block of two pieces, below the least size, of excluded land: it stands, and counts."""
    fixed = Block((0, 2), 0)
    problem = grid_problem(
        3, 1, fixed=(fixed,), block_min_mu=25.0, selectable=np.zeros(3, dtype=bool), targets=(Target("P1", 0, -1, 20),)
    )
    assert plan_faults(problem, build_graph(problem), [fixed], availability(problem)) == []
    assert objective(problem, build_graph(problem), [fixed]) == 20.0


def test_ordered_sorts_blocks_and_members() -> None:
    blocks = [Block((5, 4), 1), Block((3, 2), 0), Block((1,), 1)]
    assert ordered(blocks) == (Block((2, 3), 0), Block((1,), 1), Block((4, 5), 1))


@pytest.mark.parametrize("kind", ["planted", "rich", "signed"])
@pytest.mark.parametrize("seed", range(40))
def test_agrees_with_independent_code_on_spoilt_plans(kind: str, seed: int) -> None:
    problem = instance(kind, seed)
    graph, open_ = build_graph(problem), availability(problem)
    start = truth_of(kind, seed).blocks or (Block((0,), 0),)
    rng = np.random.default_rng(seed)
    good = 0
    for blocks in [list(start), *(spoilt(rng, problem, start) for _ in range(40))]:
        mine = faults(problem, blocks)
        assert bool(plan_faults(problem, graph, blocks, open_)) == bool(mine), mine
        assert objective(problem, graph, blocks) == pytest.approx(plan_worth(problem, blocks), abs=1e-9)
        assert reached_amounts(problem, blocks) == pytest.approx(
            [reached(problem, blocks, k) for k in range(len(problem.targets))], abs=1e-9
        )
        good += not mine
    assert good < 41
