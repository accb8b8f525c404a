"""The plan before as a start: kept where it holds, repaired where it does not."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from planner.optimise import Stop, solve
from planner.optimise.before import Repaired, repaired
from planner.optimise.evaluate import block_faults, plan_faults
from planner.optimise.events import PlanFound
from planner.optimise.graph import Graph
from planner.optimise.options import make_options
from planner.optimise.presolve import usable_graph
from planner.optimise.running import never
from planner.optimise.search import Search
from planner.problem import Block, BlockRule, Bools, Phase, Problem, Target
from tests.planner.optimise.instances import grid_problem
from tests.planner.optimise.rich import rich_case
from tests.planner.optimise.support import prepared, spoilt
from tests.planner.optimise.test_stop import hard_problem


def row(n: int = 6, **changes: Any) -> Problem:
    """Parcels of 10 mu in a row, blocks of 20 to 40 mu."""
    return grid_problem(n, 1, **({"block_min_mu": 20.0, "block_max_mu": 40.0} | changes))


def without(problem: Problem, *parcels: int) -> Problem:
    selectable = problem.selectable.copy()
    selectable[list(parcels)] = False
    return replace(problem, selectable=selectable)


def repair(problem: Problem) -> tuple[Repaired, Graph, Bools]:
    left, graph, open_ = prepared(problem)
    return repaired(left, graph, open_, make_options(left)), graph, open_


def test_blocks_that_hold_are_kept() -> None:
    before = (Block((0, 1), 0), Block((3, 4, 5), 0))
    found, _, _ = repair(row(before=before))
    assert found.blocks == before
    assert set(found.variants) == set(before)


def test_the_largest_rest_stays() -> None:
    found, _, _ = repair(without(row(8, before=(Block((1, 2, 3, 4), 0),)), 2))
    assert found.blocks == (Block((3, 4), 0),)  # 1 is cut off


def test_what_is_too_small_now_grows_where_it_is_worth_most() -> None:
    benefit = np.array([10.0, 10.0, 10.0, 10.0, 30.0, 10.0])
    found, _, _ = repair(without(row(benefit=benefit, before=(Block((2, 3), 0),)), 2))
    assert found.blocks == (Block((3, 4), 0),)


def test_it_does_not_grow_into_other_blocks_of_the_plan_before() -> None:
    before = (Block((0, 1), 0), Block((2, 3), 0))
    found, _, _ = repair(without(row(before=before), 0))
    assert found.blocks == (Block((2, 3), 0),)  # 1 has no free neighbour


def test_what_is_too_large_now_leaves_its_least_worth() -> None:
    benefit = np.array([9.0, 5.0, 5.0, 5.0, 8.0, 1.0])
    found, _, _ = repair(row(benefit=benefit, before=(Block((0, 1, 2, 3, 4), 0),)))
    assert found.blocks == (Block((0, 1, 2, 3), 0),)


def test_rules_for_blocks_are_brought_back_by_parcels_that_help() -> None:
    rule = BlockRule("frontage", "m", np.array([0.0, 0.0, 0.0, 0.0, 5.0, 0.0]), 4.0)
    found, _, _ = repair(row(block_rules=(rule,), before=(Block((2, 3), 0),)))
    assert found.blocks == (Block((2, 3, 4), 0),)


def test_land_that_opens_later_moves_to_a_later_phase() -> None:
    phases = (Phase("P1", 1, 1.0), Phase("P2", 2, 0.9))
    earliest = np.array([0, 0, 1, 1, 0, 0])
    found, _, _ = repair(row(phases=phases, earliest=earliest, before=(Block((2, 3), 0),)))
    assert found.blocks == (Block((2, 3), 1),)


def test_a_block_that_nothing_can_save_is_left_out() -> None:
    found, _, _ = repair(without(row(before=(Block((0, 1), 0), Block((3, 4), 0))), 0, 2, 1))
    assert found.blocks == (Block((3, 4), 0),)


@pytest.mark.parametrize("seed", range(40))
def test_repaired_blocks_keep_the_rules_for_blocks(seed: int) -> None:
    problem, plan = rich_case(seed)
    changed = spoilt(np.random.default_rng(seed), problem, plan)
    used: set[int] = set()
    before = []
    for block in changed:  # the plan before is one: no parcel in two of its blocks
        if not used & set(block.parcels):
            before.append(block)
            used |= set(block.parcels)
    left, graph, open_ = prepared(replace(problem, before=tuple(before)))
    found = repaired(left, graph, open_, make_options(left))
    parcels = [i for b in found.blocks for i in b.parcels]
    assert len(parcels) == len(set(parcels))
    for block in (*found.blocks, *found.variants):
        assert not block_faults(left, graph, block, open_)


@pytest.mark.parametrize("seed", range(0, 40, 3))
def test_the_plan_before_is_the_first_plan(seed: int) -> None:
    problem, plan = rich_case(seed)
    whole = replace(problem, before=tuple(plan), change_price=np.full(problem.n, 1e6))
    left, graph, open_ = prepared(whole)
    if left.before and not plan_faults(left, graph, left.before, open_):
        events = Search(left, graph, open_, 0, never).steps()
        first = next(e for e in events if isinstance(e, PlanFound))
        assert first.work == 0.0
        assert set(first.blocks) == set(left.before)


def with_changes(price: float) -> Problem:
    """A solved problem whose owner of one parcel refuses."""
    problem = hard_problem()
    plan = solve(problem, Stop(gap=0.2, time_limit_s=30.0, work_limit=1), enumerate_small=False, processes=False)
    refused = plan.blocks[0].parcels[0]
    return replace(without(problem, refused), before=plan.blocks, change_price=np.full(problem.n, price))


def changed(problem: Problem, blocks: tuple[Block, ...]) -> int:
    """Parcels that are not taken as before."""

    def of(plan: tuple[Block, ...]) -> dict[int, tuple[int, int]]:
        return {i: (b.phase, b.mode) for b in plan for i in b.parcels}

    now, then = of(blocks), of(problem.before)
    return sum(now.get(i) != then.get(i) for i in range(problem.n))


@pytest.mark.slow
def test_a_high_price_keeps_the_plan_and_is_proven_soon() -> None:
    stop = Stop(gap=0.05, time_limit_s=60.0, work_limit=2)
    cheap, dear = with_changes(0.0), with_changes(1e3)
    plan = solve(dear, stop, enumerate_small=False, processes=False)
    free = solve(cheap, stop, enumerate_small=False, processes=False)
    assert plan.stopped_by in {"gap", "optimal"}
    assert changed(dear, plan.blocks) <= 8
    assert changed(dear, plan.blocks) <= changed(cheap, free.blocks)


def test_without_a_plan_in_the_blocks_before_the_search_still_finds_one() -> None:
    """The target was raised: what is left of the plan before is the first draft, and no plan."""
    targets = (Target("P1", 0, -1, 60.0),)
    problem = row(12, before=(Block((0, 1), 0),), change_price=np.ones(12), targets=targets)
    plan = solve(problem, Stop(time_limit_s=20.0, work_limit=1), enumerate_small=False, processes=False)
    assert not plan_faults(problem, usable_graph(problem), plan.blocks, np.ones((12, 1), dtype=np.bool_))
