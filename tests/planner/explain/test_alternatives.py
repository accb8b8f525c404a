from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest

from planner.explain import alternatives_text, as_data, find_alternatives
from planner.explain.diverse import distance_mu
from planner.optimise.evaluate import objective, plan_faults
from planner.optimise.options import availability
from planner.optimise.presolve import usable_graph
from planner.problem import Block, Phase, Problem, Target
from tests.planner.explain.support import asker, row, run_of
from tests.planner.optimise.instances import planted_problem


def even_row(**changes: object) -> Problem:
    """Blocks of two from a row of six, worth 10, 10 (the best), and 9.95, 9.9, 9.8, 9.7; one block only."""
    values: dict[str, object] = {
        "benefit": np.array([10.0, 10.0, 9.95, 9.9, 9.8, 9.7]),
        "cost": np.zeros(6),
        "phases": (Phase("P1", 1, 1.0, max_blocks=1),),
        "targets": (),
        "block_max_mu": 20.0,
    }
    return row(**(values | changes))


def test_the_farthest_plan_that_is_good_enough() -> None:
    # best {0, 1} = 20; within 1 %: {1, 2} = 19.95 and {2, 3} = 19.85, not {3, 4} = 19.7: the farther one comes first
    answer = find_alternatives(run_of(even_row()), 5, 0.01, asker())
    assert answer.complete
    assert [a.plan.blocks for a in answer.found] == [(Block((2, 3), 0),), (Block((1, 2), 0),)]
    assert [a.differs_mu for a in answer.found] == [40.0, 20.0]
    assert [a.nearest_mu for a in answer.found] == [20.0, 20.0]
    assert [a.loss for a in answer.found] == pytest.approx([0.15, 0.05])
    assert answer.importance.tolist() == pytest.approx([1 / 3, 2 / 3, 2 / 3, 1 / 3, 0, 0])
    assert answer.phases().tolist() == [[1, 0, 0], [1, 0, 1], [0, 1, 1], [0, 1, 0], [0, 0, 0], [0, 0, 0]]
    assert "2 plans within 1.00%" in alternatives_text(answer)


def test_nothing_within_nothing() -> None:
    answer = find_alternatives(run_of(even_row()), 3, 0.0, asker())
    assert answer.found == ()
    assert "No other plan" in alternatives_text(answer)
    assert answer.importance.tolist() == [1, 1, 0, 0, 0, 0]


def test_by_phase_a_move_in_time_counts() -> None:
    # both blocks are taken in any plan: only when they are taken can change
    phases = (Phase("P1", 1, 1.0, max_blocks=1), Phase("P2", 2, 0.99, max_blocks=1))
    problem = row(
        benefit=np.full(6, 10.0), cost=np.zeros(6), phases=phases, block_min_mu=30.0, block_max_mu=30.0,
        targets=(Target("P2", 1, -1, 60.0),),
    )  # fmt: skip
    run = run_of(problem)
    assert find_alternatives(run, 2, 0.05, asker()).found == ()
    (moved,) = find_alternatives(run, 2, 0.05, asker(), by="phase").found
    assert moved.differs_mu == 60.0
    first, second = run.require_plan().blocks
    assert {(b.parcels, b.phase) for b in moved.plan.blocks} == {(first.parcels, 1), (second.parcels, 0)}


def test_distance_counts_land_once() -> None:
    problem = even_row()
    one, other = (Block((0, 1), 0),), (Block((1, 2), 0),)
    assert distance_mu(problem, one, other, "land") == 20.0
    assert distance_mu(problem, one, (Block((0, 1), 1),), "land") == 0.0
    assert distance_mu(problem, one, (Block((0, 1), 1),), "phase") == 20.0


@pytest.mark.parametrize("seed", range(6))
def test_alternatives_are_plans_of_their_worth(seed: int) -> None:
    problem = planted_problem(seed, 9)
    run = run_of(problem)
    best = run.require_plan().objective
    graph, open_ = usable_graph(problem), availability(problem)
    answer = find_alternatives(run, 3, 0.2, asker())
    chosen = [run.require_plan().blocks, *(a.plan.blocks for a in answer.found)]
    for blocks in chosen[1:]:
        assert plan_faults(problem, graph, blocks, open_) == []
        assert objective(problem, graph, blocks) >= best - 0.2 * abs(best) - 1e-9
    for a, b in combinations(chosen, 2):
        assert distance_mu(problem, a, b, "land") > 0


def test_data_for_machines() -> None:
    data = as_data("alternatives", find_alternatives(run_of(even_row()), 1, 0.01, asker()))
    assert (data["kind"], data["within"], len(data["alternatives"])) == ("alternatives", 0.01, 1)
    assert data["alternatives"][0]["blocks"][0]["parcel_ids"] == ["p002", "p003"]
    assert data["importance"] == {"p000": 0.5, "p001": 0.5, "p002": 0.5, "p003": 0.5}
