"""What a plan keeps of the plan before, and what its changes cost; the loss of single decisions holds that price."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from planner.consequences.forced import forced
from planner.consequences.harm import harms
from planner.consequences.joining import JoinJudge, Joins
from planner.consequences.kept import changes, keep_figures
from planner.consequences.plan import plan_in_hand
from planner.consequences.refused import refused
from planner.optimise.evaluate import block_value, block_worth, objective
from planner.optimise.graph import build_graph
from planner.optimise.presolve import usable_graph
from planner.problem import Block, Phase, Problem
from tests.planner.optimise.instances import grid_problem
from tests.planner.optimise.keeping import kept_problem
from tests.planner.optimise.plain import plan_worth

TWO = (Phase("P1", 1, 1.0), Phase("P2", 2, 1.0))


def land() -> Problem:
    """Five in a row, worth 10, of 10 to 50 mu. Before: 0 and 1 in P1, 2 in P2; changes cost 1, 2, 4, 8, 16."""
    return grid_problem(
        5, 1, area_mu=np.arange(1, 6) * 10.0, phases=TWO, block_max_mu=150.0,
        before=(Block((0, 1), 0), Block((2,), 1)), change_price=2.0 ** np.arange(5),
    )  # fmt: skip


def test_figures_by_hand() -> None:
    """0 stays, 1 is left, 2 moves to P1, 4 is new."""
    blocks = (Block((0,), 0), Block((2,), 0), Block((4,), 1))
    assert keep_figures(land(), blocks) == pytest.approx(
        {
            "changed_parcels": 3,
            "changed_mu": 20.0 + 30.0 + 50.0,
            "kept_parcels": 1,
            "kept_mu": 10.0,
            "moved_parcels": 1,
            "moved_mu": 30.0,
            "added_parcels": 1,
            "added_mu": 50.0,
            "left_parcels": 1,
            "left_mu": 20.0,
            "before_parcels": 3,
            "before_mu": 60.0,
            "change_price": 2.0 + 4.0 + 16.0,
            "worth_without": 30.0,
        }
    )


def test_without_a_plan_before_there_are_no_figures() -> None:
    assert keep_figures(grid_problem(2, 1), (Block((0,), 0),)) is None


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10_000))
def test_every_parcel_is_of_one_kind_at_most_and_the_price_is_that_of_the_worth(seed: int) -> None:
    problem = kept_problem(seed)
    rng = np.random.default_rng(seed)
    some = tuple(np.flatnonzero(rng.random(problem.n) < 0.5).tolist())
    blocks = (
        [Block(some, int(rng.integers(len(problem.phases))), int(rng.integers(len(problem.modes))))] if some else []
    )
    parts = changes(problem, blocks)
    assert (np.sum(list(parts.values()), axis=0) <= 1).all()
    figures = keep_figures(problem, blocks)
    assert figures is not None
    assert figures["changed_parcels"] == sum(figures[f"{k}_parcels"] for k in ("moved", "added", "left"))
    assert figures["before_parcels"] == sum(figures[f"{k}_parcels"] for k in ("kept", "moved", "left"))
    free = replace(problem, before=(), change_price=None)
    worth = objective(free, usable_graph(free), blocks)
    assert figures["worth_without"] == pytest.approx(worth, rel=1e-9, abs=1e-6)


def test_a_refusal_costs_the_price_of_a_change_too() -> None:
    """2 was in P1 as it is: without it 10 and its 4 are lost. 4 is new: without it 10 are lost and 16 saved."""
    problem = replace(land(), before=(Block((2,), 0),))
    plan = plan_in_hand(problem, [Block((2, 3, 4), 0)])
    found = forced(problem, plan, harms(problem, plan), np.ones(problem.n, dtype=np.bool_))
    assert found.loss[2] == pytest.approx(10.0 + 4.0)
    assert found.loss[4] == pytest.approx(10.0 - 16.0)
    assert found.loss[1] == pytest.approx(2.0 - 10.0)  # joins, worth 10, at a price of 2


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10_000))
def test_blocks_without_a_parcel_and_with_one_more_are_worth_what_the_plan_says(seed: int) -> None:
    problem = replace(kept_problem(seed), within_zone=False)
    rng = np.random.default_rng(seed)
    members = tuple(sorted(rng.permutation(problem.n)[: max(2, problem.n // 2)].tolist()))
    block = Block(members, int(rng.integers(len(problem.phases))), int(rng.integers(len(problem.modes))))
    graph = build_graph(problem)
    value = block_worth(problem, block_value(problem, graph, members, block.mode), block.phase)
    told = refused(problem, block, fixed=False)
    assert told.worth == pytest.approx(value, rel=1e-9, abs=1e-6)
    for left, worth in zip(told.left, told.worth_after.tolist(), strict=True):
        part = replace(block, parcels=left.part)
        unmet = plan_worth(problem, [part] if left.part else []) - plan_worth(problem, [])
        bare = replace(problem, targets=())
        unmet -= plan_worth(bare, [part] if left.part else []) - plan_worth(bare, [])
        whole = plan_worth(problem, [part] if left.part else []) - plan_worth(problem, []) - unmet
        assert worth == pytest.approx(whole, rel=1e-9, abs=1e-6)


def test_a_join_is_worth_its_price_less() -> None:
    problem = land()
    plan = plan_in_hand(problem, [Block((1,), 0)])
    judge = JoinJudge(problem, build_graph(problem), plan)
    joins = Joins(np.zeros(2, dtype=np.int64), np.array([[0], [2]]))
    # 0 was in P1: 10 and its price of 1 back; 2 was in P2 and is changed either way: 10
    assert judge.worth(joins).tolist() == pytest.approx([11.0, 10.0])
