from __future__ import annotations

import numpy as np
import pytest

from planner.explain import explain_stability, stability_text
from planner.explain.folder import jaccard
from planner.explain.stability import weight_scenarios
from planner.problem import Block, Phase
from tests.planner.explain.support import asker, row, run_of
from tests.planner.optimise.instances import grid_problem


def test_a_block_at_the_edge_of_paying_is_not_stable() -> None:
    # {0, 1} is worth 20 − 10; {4, 5} is worth 10.5 − 10: 10 % more cost or less value, and it is gone
    problem = row(
        benefit=np.array([10.0, 10.0, 0.0, 0.0, 5.25, 5.25]), cost=np.full(6, 5.0), targets=(),
        phases=(Phase("P1", 1, 1.0),),
    )  # fmt: skip
    answer = explain_stability(run_of(problem), asker())
    by_name = {s.name: s for s in answer.scenarios}
    assert set(by_name) == {"value +10%", "value −10%", "cost +10%", "cost −10%"}
    firm, shaky = answer.blocks
    assert (firm.survives, firm.same_phase, firm.lost_in) == (1.0, 1.0, ())
    assert shaky.survives == 0.5
    assert set(shaky.lost_in) == {"value −10%", "cost +10%"}
    # with costs of 5.5 the plan is worth 9 − 0.5, the other one 9
    dear = by_name["cost +10%"]
    assert (dear.plan_worth, dear.best_worth, dear.moved_mu) == pytest.approx((8.5, 9.0, 20.0))
    assert dear.gain_share == pytest.approx(0.5 / 8.5)
    assert dear.surviving == 1
    assert "score weights left out" in stability_text(answer)


def test_only_weights_that_play_a_part() -> None:
    problem = grid_problem(2, 2, perimeter_per_m=1.0, phases=(Phase("P1", 1, 0.8),))
    names = [s.name for s in weight_scenarios(problem, 0.1)]
    assert names == ["value +10%", "perimeter +10%", "discount +10%", "value −10%", "perimeter −10%", "discount −10%"]
    more = next(s.problem for s in weight_scenarios(problem, 0.1) if s.name == "discount +10%")
    assert more.phases[0].discount == pytest.approx(0.8**1.1)


def test_the_price_of_changes_is_a_weight() -> None:
    problem = grid_problem(2, 1, before=(Block((0,), 0),), change_price=np.array([0.0, 2.0]))
    found = {s.name: s.problem.change_price for s in weight_scenarios(problem, 0.1)}
    assert set(found) == {"value +10%", "value −10%", "price of changes +10%", "price of changes −10%"}
    more = found["price of changes +10%"]
    assert more is not None
    assert more.tolist() == pytest.approx([0.0, 2.2])


def test_likeness_is_by_land() -> None:
    problem = grid_problem(3, 1, area_mu=np.array([80.0, 10.0, 10.0]))
    assert jaccard(problem, (0, 1), (0, 1)) == 1.0
    assert jaccard(problem, (0, 1), (0, 1, 2)) == pytest.approx(0.9)
    assert jaccard(problem, (1,), (2,)) == 0.0


def test_a_change_without_any_plan_is_told() -> None:
    answer = explain_stability(run_of(row()), asker())  # the budget has no room for 10 % more cost
    dear = next(s for s in answer.scenarios if s.name == "cost +10%")
    assert (dear.verdict, dear.plan_worth, dear.surviving) == ("infeasible", None, 0)
    assert all("cost +10%" in b.lost_in for b in answer.blocks)


def test_without_time_no_share_is_claimed() -> None:
    answer = explain_stability(run_of(row()), asker(0.0))
    assert all(s.verdict == "not_asked" for s in answer.scenarios)
    assert all(b.survives is None for b in answer.blocks)
