from __future__ import annotations

import numpy as np
import pytest

from geodata.errors import DataError
from planner.explain import Interval, explain_parcel, parcel_text
from planner.problem import Block, Phase
from tests.planner.explain.support import asker, failed_run, row, run_of
from tests.planner.optimise.instances import grid_problem


def test_a_parcel_that_is_not_worth_it_says_what_it_would_cost() -> None:
    # with parcel 2 the four parcels are {0, 1}, {2, 3}: 7 + 5 − 2 + 6 = 16, or {1, 2}, {3, 4}: less
    answer = explain_parcel(run_of(row()), "p002", asker())
    assert answer.why == "not_worth_it"
    assert (answer.forced, answer.block, answer.lifted) == ("in", None, ())
    assert answer.loss.low == pytest.approx(6.0, abs=1e-3)
    assert answer.loss.high == pytest.approx(6.0, abs=1e-3)
    assert set(answer.would_join) == {"p002", "p003"}
    assert {(n.parcel_id, n.block, n.shared_m) for n in answer.neighbours} == {
        ("p001", "P1-01", 100.0),
        ("p003", "P1-02", 100.0),
    }
    assert [(j.block, j.area_mu, j.adds, j.faults) for j in answer.joins] == [
        ("P1-01", 30.0, -2.0, ()),
        ("P1-02", 30.0, -2.0, ()),
    ]
    assert "Forced in: the plan loses 6 CNY" in parcel_text(answer)


def test_a_parcel_says_what_it_was_in_the_plan_before() -> None:
    # before {2, 3} in P1, at 6 a change: {2, 3} stays, worth 4, and {0, 1} at 12 − 12 may come or not
    before = {"before": (Block((2, 3), 0),), "change_price": np.array([6.0, 6.1, 7.0, 6.0, 6.0, 6.0]), "targets": ()}
    run = run_of(row(**before))
    kept = explain_parcel(run, "p002", asker())
    assert "in the plan before, in P1: changing that costs 7 CNY" in kept.reasons
    # {3} alone is no block: with {3, 4} instead 6 + 4 − 7 − 6 is worth less than 4 by 7
    assert kept.loss.low == pytest.approx(7.0, abs=1e-3)
    new = explain_parcel(run, "p004", asker())
    assert "not in the plan before: taking it costs 6 CNY" in new.reasons
    assert [j.adds for j in new.joins if j.block == "P1-01"] == [pytest.approx(4.0 - 6.0)]


def test_a_parcel_of_the_plan_says_what_losing_it_costs() -> None:
    # without parcel 0: {1, 2} and {3, 4} keep 40 mu: 5 − 2 + 6 + 4 = 13
    answer = explain_parcel(run_of(row()), "p000", asker())
    assert (answer.why, answer.forced, answer.block, answer.phase) == ("in_plan", "out", "P1-01", "P1")
    assert answer.loss.low == pytest.approx(9.0, abs=1e-3)
    assert answer.loss.high == pytest.approx(9.0, abs=1e-3)


def test_perimeter_counts_in_what_joining_adds() -> None:
    # joining parcel 2 to {0, 1}: −2, and its perimeter of 400 m saves 2 · 100 m, at 0.01 a metre
    answer = explain_parcel(run_of(row(perimeter_per_m=0.01)), "p002", asker())
    assert answer.joins[0].adds == pytest.approx(-2.0 - 0.01 * 200)


def test_no_plan_holds_a_parcel_that_every_target_needs_out() -> None:
    # parcel 1 locked out cuts parcel 0 off; forcing it in cannot work: blocks need 20 mu
    selectable = np.array([True, False, True, True, True, True])
    answer = explain_parcel(run_of(row(selectable=selectable)), "p000", asker())
    assert answer.why == "no_block"
    assert "10.00 mu of connected available land around it, a block needs 20.00 mu" in answer.reasons[-1]
    assert answer.verdict == "infeasible"
    assert answer.loss == Interval(None, None)
    assert "no plan exists" in parcel_text(answer)


def test_a_closed_parcel_is_asked_with_its_exclusion_lifted() -> None:
    # parcel 2 closed and worth 8: lifting it makes the plan better, which is a loss below 0
    benefit = np.array([10.0, 8.0, 11.0, 9.0, 7.0, 2.0])
    selectable = np.array([True, True, False, True, True, True])
    answer = explain_parcel(run_of(row(benefit=benefit, selectable=selectable)), "p002", asker())
    assert answer.why == "closed"
    assert answer.lifted
    # before {0,1},{3,4} = 22, after {0,1,2,3} = 7 + 5 + 8 + 6 = 26
    assert answer.loss.low == pytest.approx(-4.0, abs=1e-3)
    assert answer.loss.high == pytest.approx(-4.0, abs=1e-3)


def test_a_gate_is_told_and_lifted() -> None:
    answer = explain_parcel(run_of(row(earliest=np.array([0, 0, 1, 0, 0, 0]))), "p002", asker())
    assert answer.why == "gate"
    assert any("gate" in x for x in answer.lifted)
    assert answer.loss.high == pytest.approx(6.0, abs=1e-3)


def test_a_fixed_block_is_not_questioned() -> None:
    answer = explain_parcel(run_of(row(fixed=(Block((0, 1), 0),))), "p000", asker())
    assert (answer.why, answer.forced, answer.verdict) == ("fixed", None, "not_asked")


def test_a_parcel_larger_than_any_block() -> None:
    area = np.array([10.0, 10.0, 10.0, 99.0])
    problem = grid_problem(4, 1, area_mu=area, block_max_mu=40.0)
    answer = explain_parcel(run_of(problem), "p003", asker())
    assert (answer.why, answer.forced) == ("too_large", None)


def test_phases_in_which_it_is_open() -> None:
    phases = (Phase("P1", 1, 1.0), Phase("P2", 2, 0.5))
    problem = row(phases=phases, targets=(), earliest=np.array([0, 0, 0, 0, 0, 1]))
    answer = explain_parcel(run_of(problem), "p005", asker())
    assert answer.block is None
    assert "open from P2 on" in answer.reasons


def test_without_time_nothing_but_the_obvious_is_said() -> None:
    answer = explain_parcel(run_of(row()), "p002", asker(0.0))
    assert answer.verdict == "not_asked"
    assert answer.loss == Interval(0.0, None)  # forcing cannot gain
    assert "no time left" in parcel_text(answer)


def test_unknown_parcel_and_missing_plan_are_refused() -> None:
    with pytest.raises(DataError, match="p002"):
        explain_parcel(run_of(row()), "p02", asker())
    with pytest.raises(DataError, match="no plan"):
        explain_parcel(failed_run(row()), "p002", asker())
