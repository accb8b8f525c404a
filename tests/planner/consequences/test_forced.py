"""What a plan loses when a parcel is forced in or out: by hand, and against the changed plan evaluated as a whole."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from planner.consequences.forced import Forced, forced
from planner.consequences.harm import harms
from planner.consequences.plan import PlanInHand, plan_as_listed, plan_in_hand
from planner.explain.holdouts import without
from planner.optimise.evaluate import objective, plan_faults
from planner.optimise.options import availability
from planner.optimise.presolve import usable_graph
from planner.problem import Block, BlockRule, Group, Phase, Problem, Resource, Target
from tests.planner.optimise.instances import grid_problem
from tests.planner.optimise.rich import rich_case
from tests.planner.optimise.signed import signed_case


def land(n: int, **changes: Any) -> Problem:
    """Parcels of 10 mu in a row, each worth 10 and touching the next over 100 m; blocks of 20 mu or more."""
    return grid_problem(n, 1, **({"block_min_mu": 20.0} | changes))


def told(problem: Problem, *blocks: tuple[int, ...], **options: Any) -> Forced:
    plan = plan_in_hand(problem, [Block(b, **({"phase": 0} | options)) for b in blocks])
    return forced(problem, plan, harms(problem, plan), np.ones(problem.n, dtype=np.bool_))


def taken(found: Forced, parcel: int) -> list[int]:
    """What joins a block when the decision on a parcel is turned round."""
    return [i for i in found.parcels[parcel].tolist() if i < len(found.loss)]


# ------------------------------------------------------------------------------------------------ in


def test_a_parcel_is_joined_directly_or_over_those_between() -> None:
    cost = np.array([0.0, 0.0, 0.0, 13.0, 12.0, 11.0, 10.5, 0.0])  # outside: worth −3, −2, −1, −0.5 and 10
    found = told(land(8, cost=cost), (0, 1, 2))
    assert found.loss[3:].tolist() == pytest.approx([3.0, 5.0, 6.0, 6.5, np.nan], nan_ok=True)
    assert [taken(found, i) for i in (3, 4, 5, 6, 7)] == [[3], [3, 4], [3, 4, 5], [3, 4, 5, 6], []]
    assert found.block[3:].tolist() == [0, 0, 0, 0, -1]


def test_the_perimeter_is_part_of_the_loss() -> None:
    # one parcel more adds 400 m and saves 2 · 100 m: 200 m at 0.1, less its worth of 10
    assert told(land(4, perimeter_per_m=0.1), (0, 1)).loss[2:].tolist() == pytest.approx([10.0, 20.0])


def test_a_plan_that_would_be_better_loses_less_than_nothing() -> None:
    found = told(land(4), (0, 1))
    assert found.loss[2:].tolist() == [-10.0, -20.0]


def test_unmet_stretch_is_part_of_the_loss() -> None:
    # the stretch lacks 5 mu of 25, at 2 a mu: the third parcel brings 10 mu, of which 5 count, and costs 13 for 10
    targets = (Target("P1", 0, -1, 0.0, 25.0, 2.0),)
    found = told(land(3, targets=targets, cost=np.array([0.0, 0.0, 13.0])), (0, 1))
    assert found.loss[2] == pytest.approx(3.0 - 10.0)


def test_where_the_money_is_spent_a_parcel_of_another_block_gives_way() -> None:
    # six parcels are paid for; 3 is worth 3; of the other block only its ends can go: 5 (worth 6) or 7 (worth 5)
    benefit = np.array([11.0, 11.0, 11.0, 4.0, 2.0, 7.0, 9.0, 6.0])
    problem = land(8, benefit=benefit, cost=np.ones(8), phases=(Phase("P1", 1, 1.0, budget=6.0),))
    found = told(problem, (0, 1, 2), (5, 6, 7))
    assert (found.loss[3], found.gives_way[3], taken(found, 3)) == (pytest.approx(5.0 - 3.0), 7, [3])
    # 4 is worth 1 and joins the second block; in the first an end worth 10 goes
    assert (found.loss[4], taken(found, 4), found.block[4]) == (pytest.approx(10.0 - 1.0), [4], 1)


@pytest.mark.parametrize(
    "rule",
    [
        {"block_max_mu": 20.0},
        {"earliest": np.array([0, 0, 1])},
        {"lock_by": np.array([-1, -1, -1]), "mode_open": np.array([[True], [True], [False]])},
        {"filler": np.array([False, False, True]), "filler_max_share": 0.3},
        {"zone": np.array([0, 0, 1]), "zones": ("a", "b"), "within_zone": True},
        {"zone": np.array([0, 0, 1]), "zones": ("a", "b"), "rolling": True, "existing_from": np.array([1, 0, 1])},
        {"village": np.array([0, 0, 1]), "villages": ("a", "b"), "max_villages": 1},
        {"block_rules": (BlockRule("signed", "mu", np.array([10.0, 9.0, 0.0]), 0.9, np.full(3, 10.0)),)},
        {"phases": (Phase("P1", 1, 1.0, budget=2.0),), "cost": np.ones(3)},
        {"resources": (Resource("floor", "m²", np.ones(3), (2.0,)),)},
        {"resources": (Resource("money", "yuan", np.ones((3, 1, 1)), (2.0,), ("y1",), np.ones((1, 1, 1, 1))),)},
        {"targets": (Target("P1", 0, -1, 0.0, ceiling=20.0),)},
        {
            "targets": (Target("P1", 0, -1, 1.0, group=0, measure="blocks", project_min_mu=15.0),),
            "groups": (Group("west", np.array([True, True, False])),),
        },
        {"fixed": (Block((0, 1), 0),)},
    ],
    ids="-".join,
)
def test_a_join_that_breaks_a_rule_is_none(rule: dict[str, Any]) -> None:
    assert np.isnan(told(land(3, **rule), (0, 1)).loss[2])
    assert np.isfinite(told(land(3), (0, 1)).loss[2])


def test_villages_met_already_count_once() -> None:
    problem = land(5, village=np.array([0, 0, -1, 1, 1]), villages=("a", "b"), max_villages=2)
    assert told(problem, (0, 1)).loss[2:].tolist() == [-10.0, -20.0, -30.0]
    assert np.isnan(told(replace(problem, max_villages=1), (0, 1)).loss[3])


def test_a_lock_that_keeps_a_parcel_out_is_lifted_for_it_alone() -> None:
    problem = land(4, selectable=np.array([True, True, False, True]))
    assert told(problem, (0, 1)).loss[2:].tolist() == pytest.approx([-10.0, np.nan], nan_ok=True)


def test_parcels_not_asked_about_stay_unknown() -> None:
    problem = land(4)
    plan = plan_in_hand(problem, [Block((0, 1), 0)])
    found = forced(problem, plan, harms(problem, plan), np.array([False, False, False, True]))
    assert found.loss[2:].tolist() == pytest.approx([np.nan, -20.0], nan_ok=True)


def test_a_plan_without_blocks_tells_nothing() -> None:
    found = told(land(3))
    assert np.isnan(found.loss).all()


# ------------------------------------------------------------------------------------------------ out


def test_a_parcel_left_out_takes_its_worth_and_what_falls_with_it() -> None:
    benefit = np.array([1.0, 2.0, 4.0, 8.0, 16.0])
    found = told(land(5, benefit=benefit), (0, 1, 2, 3, 4))
    # without p002 two ends of 20 mu are left, and that with the first id counts: 4 + 8 + 16 are lost
    assert found.loss.tolist() == [1.0, 3.0, 28.0, 24.0, 16.0]


def test_a_target_that_is_missed_is_made_good_elsewhere() -> None:
    # 50 mu are asked for and taken; without 0 (worth 10) the second block takes 3 (worth 2) or 4 (worth 4, over 3)
    benefit = np.array([10.0, 9.0, 8.0, 2.0, 4.0, 9.0, 9.0])
    problem = land(7, benefit=benefit, targets=(Target("P1", 0, -1, 50.0),))
    found = told(problem, (0, 1, 2), (5, 6))
    assert (found.loss[0], found.gives_way[0], taken(found, 0), found.block[0]) == (4.0, 0, [4, 3], 1)
    # without 5 its block falls, worth 18, and the first takes both between, worth 6
    assert (found.loss[5], found.gives_way[5], taken(found, 5), found.block[5]) == (12.0, 5, [3, 4], 0)
    # without 1 the first block falls, 30 mu: the second can only gain 20
    assert np.isnan(found.loss[1])


def test_the_own_lock_of_a_parcel_is_lifted_and_that_of_others_not() -> None:
    problem = land(4, lock_by=np.array([0, -1, -1, 0]))
    found = told(problem, (0, 1, 2, 3))
    assert found.loss[[0, 3]].tolist() == [10.0, 10.0]
    assert np.isnan(found.loss[[1, 2]]).all()


# ------------------------------------------------------------------------------------------------ every rule at once


def changed(problem: Problem, plan: PlanInHand, found: Forced, parcel: int) -> tuple[Problem, list[Block]]:
    """The plan in which the decision on a parcel is turned round, and the problem it is a plan of."""
    every = {h.parcel: h for h in harms(problem, plan)}
    blocks = list(plan.blocks)
    if parcel in plan.block_of:
        problem = without(problem, plan, every[parcel])
    else:
        problem = replace(problem, selectable=problem.selectable | (np.arange(problem.n) == parcel))
    if found.gives_way[parcel] >= 0:
        refusing = every[int(found.gives_way[parcel])]
        blocks[refusing.block] = replace(blocks[refusing.block], parcels=refusing.left.part)
    if found.block[parcel] >= 0:
        one = blocks[found.block[parcel]]
        blocks[found.block[parcel]] = replace(one, parcels=tuple(sorted([*one.parcels, *taken(found, parcel)])))
    return problem, [b for b in blocks if b.parcels]


def judged(problem: Problem, blocks: list[Block]) -> tuple[list[str], float]:
    graph = usable_graph(problem)
    return plan_faults(problem, graph, blocks, availability(problem)), objective(problem, graph, blocks)


@settings(deadline=None, max_examples=25)
@given(st.integers(0, 10**6), st.integers(6, 18), st.sampled_from([rich_case, signed_case]))
def test_what_is_claimed_is_what_the_changed_plan_is_worth(seed: int, n: int, case: Any) -> None:
    problem, blocks = case(seed, n)
    plan = plan_as_listed(problem, blocks)
    if plan is None:
        return
    asked = problem.selectable.copy()
    asked[::3] = True
    if problem.existing_from is not None:
        asked &= problem.existing_from == len(problem.phases)
    found = forced(problem, plan, harms(problem, plan), asked)
    for parcel in np.flatnonzero(np.isfinite(found.loss)).tolist():
        other, after = changed(problem, plan, found, parcel)
        faults, value = judged(other, after)
        assert faults == []
        assert plan.objective - value == pytest.approx(found.loss[parcel], rel=1e-9, abs=1e-9)
        held = {i for b in after for i in b.parcels}
        assert (parcel in held) == (parcel not in plan.block_of)


@settings(deadline=None, max_examples=25)
@given(st.integers(0, 10**6), st.integers(6, 18), st.sampled_from([rich_case, signed_case]))
def test_no_join_of_one_parcel_is_overlooked(seed: int, n: int, case: Any) -> None:
    problem, blocks = case(seed, n)
    plan = plan_as_listed(problem, blocks)
    if plan is None or problem.rolling:  # under the rolling rule joins across zones are not looked for
        return
    found = forced(problem, plan, harms(problem, plan), problem.selectable)
    for parcel in np.flatnonzero(problem.selectable).tolist():
        for k, block in enumerate(plan.blocks):
            if parcel in plan.block_of or block in problem.fixed:
                continue
            joined = replace(block, parcels=tuple(sorted([*block.parcels, parcel])))
            faults, value = judged(problem, [*plan.blocks[:k], joined, *plan.blocks[k + 1 :]])
            if not faults:
                assert found.loss[parcel] <= plan.objective - value + 1e-9 * max(1.0, abs(value))


@settings(deadline=None, max_examples=25)
@given(st.integers(0, 10**6), st.integers(6, 18))
def test_the_order_of_the_parcels_does_not_matter(seed: int, n: int) -> None:
    problem, blocks = rich_case(seed, n)
    plan = plan_as_listed(problem, blocks)
    if plan is None:
        return
    found = forced(problem, plan, harms(problem, plan), problem.selectable)
    turned, order = problem.canonical()
    rank = np.argsort(order)
    same = [replace(b, parcels=tuple(sorted(rank[list(b.parcels)].tolist()))) for b in plan.blocks]
    other = plan_as_listed(turned, same)
    assert other is not None
    again = forced(turned, other, harms(turned, other), turned.selectable)
    assert again.loss == pytest.approx(found.loss[order], nan_ok=True, rel=1e-9, abs=1e-9)
