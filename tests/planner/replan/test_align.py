"""Blocks drawn along those before: rows of parcels of 10 mu with 100 m of shared side, perimeter 1 a metre."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from planner.optimise.evaluate import objective, plan_faults
from planner.optimise.options import availability
from planner.optimise.presolve import usable_graph
from planner.problem import Block, Phase, Plan, Problem
from planner.replan.align import along_before
from tests.planner.optimise.instances import grid_problem
from tests.planner.optimise.keeping import with_before
from tests.planner.optimise.support import MAKERS, instance, truth_of


def plan_of(problem: Problem, *blocks: tuple[int, ...], phase: int = 0) -> Plan:
    found = tuple(Block(b, phase) for b in blocks)
    value = objective(problem, usable_graph(problem), found)
    return Plan(found, value, value + 5, "by hand", "feasible", "gap", 1, True)


def row(n: int, *before: tuple[int, ...], **changes: Any) -> Problem:
    values: dict[str, Any] = {"block_min_mu": 20.0, "block_max_mu": 40.0, "perimeter_per_m": 0.001}
    return grid_problem(n, 1, **(values | changes | {"before": tuple(Block(b, 0) for b in before)}))


def cut(problem: Problem, *found: tuple[int, ...]) -> list[tuple[int, ...]]:
    drawn = along_before(problem, plan_of(problem, *found))
    assert plan_faults(problem, usable_graph(problem), drawn.blocks, availability(problem)) == []
    return sorted(b.parcels for b in drawn.blocks)


def test_land_that_was_cut_anew_is_cut_as_before() -> None:
    problem = row(6, (0, 1), (2, 3), (4, 5))
    assert cut(problem, (0, 1, 2, 3), (4, 5)) == [(0, 1), (2, 3), (4, 5)]


def test_longer_perimeter_is_in_the_worth_and_the_bound_stays() -> None:
    problem = row(4, (0, 1), (2, 3))
    found = plan_of(problem, (0, 1, 2, 3))
    drawn = along_before(problem, found)
    assert drawn.objective == pytest.approx(found.objective - 0.001 * 200)  # the inner side counts for both
    assert drawn.bound == found.bound


def test_new_land_joins_the_block_it_touches() -> None:
    """4 is new; the search drew {0, 1, 2} and {3, 4}."""
    problem = row(5, (0, 1), (2, 3))
    assert cut(problem, (0, 1, 2), (3, 4)) == [(0, 1), (2, 3, 4)]


def test_a_remainder_too_small_to_stand_joins_a_neighbour() -> None:
    """Of {3, 4} only 3 is left: it goes to {0, 1, 2}, which has room for it."""
    problem = row(5, (0, 1, 2), (3, 4))
    assert cut(problem, (0, 1), (2, 3)) == [(0, 1, 2, 3)]


def test_where_there_is_no_room_the_blocks_stay_as_the_search_drew_them() -> None:
    problem = row(5, (0, 1, 2), (3, 4), block_max_mu=30.0)
    assert cut(problem, (0, 1), (2, 3)) == [(0, 1), (2, 3)]


def test_a_block_of_new_land_alone_stays() -> None:
    problem = row(6, (0, 1), (2, 3))
    assert cut(problem, (0, 1, 2, 3), (4, 5)) == [(0, 1), (2, 3), (4, 5)]


def test_other_phases_are_left_alone() -> None:
    phases = (Phase("P1", 1, 1.0), Phase("P2", 2, 0.9))
    problem = replace(row(4, (0, 1), (2, 3)), phases=phases)
    found = plan_of(problem, (0, 1, 2, 3), phase=1)
    assert along_before(problem, found) is found


WITH_A_PLAN = [(kind, seed) for seed in range(10) for kind in MAKERS if truth_of(kind, seed).feasible]


@pytest.mark.parametrize(("kind", "seed"), WITH_A_PLAN)
def test_any_plan_keeps_its_land_and_stays_a_plan(kind: str, seed: int) -> None:
    problem, truth = instance(kind, seed), truth_of(kind, seed)
    problem = with_before(problem, seed, 0.0)
    value = objective(problem, usable_graph(problem), truth.blocks)
    plan = Plan(tuple(truth.blocks), value, value, "brute force", "optimal", "optimal", 1, True)
    drawn = along_before(problem, plan)
    graph = usable_graph(problem)
    assert plan_faults(problem, graph, drawn.blocks, availability(problem)) == []
    assert drawn.objective == pytest.approx(objective(problem, graph, drawn.blocks))
    assert drawn.objective <= plan.objective + 1e-9 * abs(plan.objective) + 1e-9

    def taken(p: Plan) -> set[tuple[int, int, int]]:
        return {(i, b.phase, b.mode) for b in p.blocks for i in b.parcels}

    assert taken(drawn) == taken(plan)
