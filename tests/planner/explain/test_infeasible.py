from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import geopandas as gpd
import numpy as np
import pytest
import shapely

from planner.explain import CandidateLink, RunFolder, candidate_links, explain_infeasible, infeasible_text
from planner.explain.infeasible import InfeasibleAnswer
from planner.explain.relaxing import Suggestion
from planner.optimise import Stop, solve
from planner.problem import Block, Mode, Phase, Problem, Resource, Target
from tests.planner.explain.support import asker, failed_run, row
from tests.planner.optimise.instances import grid_problem

FREE = (Phase("P1", 1, 1.0),)


def asked(mu: float, **changes: object) -> Problem:
    return row(**({"targets": (Target("P1", 0, -1, mu),), "phases": FREE} | changes))


def answer_of(problem: Problem, links: tuple[CandidateLink, ...] = ()) -> InfeasibleAnswer:
    return explain_infeasible(failed_run(problem), asker(), links)


def only(answer: InfeasibleAnswer, key: str) -> Suggestion:
    (found,) = [s for s in answer.suggestions if s.key == key]
    return found


def exactly(value: float) -> object:
    return pytest.approx((value, value), abs=1e-3)


def amounts(s: Suggestion) -> tuple[float | None, float | None]:
    return s.amount.low, s.amount.high


def test_a_plan_that_exists_is_said_to_exist() -> None:
    answer = answer_of(asked(40.0))
    assert answer.state == "feasible"
    assert "A plan exists" in infeasible_text(answer)


def test_a_budget_that_is_too_small() -> None:
    # five parcels at 3 each for 50 mu; 12 in the budget
    answer = answer_of(asked(50.0, phases=(Phase("P1", 1, 1.0, budget=12.0),)))
    assert answer.state == "infeasible"
    assert (answer.missing.low, answer.missing.high) == exactly(10.0)
    budget = only(answer, "budget:P1")
    assert budget.suffices
    assert amounts(budget) == exactly(3.0)
    assert "raise the budget of P1 by 3 CNY, to 15" in budget.text
    lower = only(answer, "floor:P1")
    assert amounts(lower) == exactly(10.0)
    assert [(t.target, t.alone.low, t.alone.high) for t in answer.targets] == [
        ("P1", pytest.approx(40.0), pytest.approx(40.0, abs=1e-3))
    ]


def test_what_is_missing_does_not_depend_on_the_price_of_changes() -> None:
    short = asked(50.0, phases=(Phase("P1", 1, 1.0, budget=12.0),))
    answer = answer_of(replace(short, before=(Block((0, 5), 0),), change_price=np.full(6, 1e6)))
    assert (answer.missing.low, answer.missing.high) == exactly(10.0)
    assert {s.key for s in answer.suggestions} == {s.key for s in answer_of(short).suggestions}
    assert "keep" not in {s.key for s in answer.suggestions}


def test_two_targets_that_exclude_each_other() -> None:
    # the west in the first phase and the east in the first phase, 30 mu each, at four parcels: each alone, not both
    zone = np.array([0, 0, 0, 1, 1, 1])
    targets = (Target("west", 0, 0, 30.0), Target("east", 0, 1, 30.0))
    problem = row(zone=zone, zones=("west", "east"), targets=targets)
    answer = answer_of(problem)
    assert (answer.missing.low, answer.missing.high) == exactly(20.0)
    for t in answer.targets:
        assert t.alone.low == pytest.approx(30.0)
        assert t.lower_verdict == "enough"
        assert (t.lower_by.low, t.lower_by.high) == exactly(20.0)
    assert amounts(only(answer, "budget:P1")) == exactly(6.0)
    text = infeasible_text(answer)
    assert text.count("reachable") >= 2


def test_resources_block_counts_and_ceilings() -> None:
    decant = Resource("decant", "m²", np.full(6, 100.0), (450.0,))
    scarce = only(answer_of(asked(50.0, resources=(decant,))), "resource:decant:P1")
    assert amounts(scarce) == exactly(50.0)
    assert scarce.unit == "m²"
    # 60 mu in blocks of at most 40 need two
    single = only(answer_of(asked(60.0, phases=(Phase("P1", 1, 1.0, max_blocks=1),))), "max_blocks:P1")
    assert amounts(single) == (1.0, 1.0)
    zone = np.array([0, 0, 0, 1, 1, 1])
    targets = (Target("P1", 0, -1, 50.0), Target("west", 0, 0, 0.0, ceiling=10.0))
    capped = only(answer_of(asked(0.0, targets=targets, zone=zone, zones=("w", "e"))), "ceiling:west")
    assert amounts(capped) == exactly(10.0)


def test_a_resource_by_period() -> None:
    # 100 a parcel in year 1, of which 25 come back in year 2: 50 mu need 375 in year 2, 350 are allowed
    timing = np.array([[[[1.0, 0.0]]], [[[1.0, 1.0]]]])
    use = np.tile([100.0, -25.0], (6, 1, 1))
    gap = Resource("gap", "yuan", use, (None, 350.0), ("year 1", "year 2"), timing)
    answer = answer_of(asked(50.0, resources=(gap,)))
    assert (answer.missing.low, answer.missing.high) == exactly(10.0)
    scarce = only(answer, "resource:gap:year 2")
    assert scarce.suffices
    assert scarce.unit == "yuan"
    assert scarce.amount.high == pytest.approx(25.0)
    assert scarce.amount.low is not None
    assert 24.0 <= scarce.amount.low <= 25.0
    assert scarce.text == "raise the limit of gap in year 2 by 25.00 yuan, to 375.00"


def test_a_ceiling_by_milestone_is_not_one_on_land_taken() -> None:
    # 50 mu asked in P1; at most 40 cleared by P1. Cleared is what is taken in P1: 10 mu over
    targets = (Target("taken", 0, -1, 50.0), Target("cleared", 0, -1, 0.0, ceiling=40.0, milestone=1))
    quick, slow = Mode("x", done=((0,), (0,))), Mode("x", done=((0,), (1,)))
    over = only(answer_of(asked(0.0, targets=targets, modes=(quick,))), "ceiling:cleared")
    assert amounts(over) == exactly(10.0)
    assert answer_of(asked(0.0, targets=targets, modes=(slow,))).state == "feasible"


def test_block_sizes() -> None:
    # 60 mu in blocks of 40 to 55 mu: one block only; smaller ones (two of 30) or larger ones (60) would do
    answer = answer_of(asked(60.0, block_min_mu=40.0, block_max_mu=55.0))
    smaller, larger = only(answer, "block_min"), only(answer, "block_max")
    assert smaller.suffices
    assert smaller.amount.high == pytest.approx(10.0, abs=1e-6)
    assert larger.amount.high == pytest.approx(5.0, abs=1e-6)
    assert smaller.amount.low is not None
    assert smaller.amount.low <= 10.0


def test_gates_and_locks_name_their_parcels() -> None:
    late = only(answer_of(asked(60.0, earliest=np.array([0, 0, 1, 0, 0, 0]))), "gates")
    assert late.parcel_ids == ("p002",)
    # parcel 0 is locked in, its only neighbour is closed: no plan at all
    selectable = np.array([True, False, True, True, True, True])
    answer = answer_of(asked(20.0, selectable=selectable, lock_by=np.array([0, -1, -1, -1, -1, -1])))
    assert answer.state == "blocked"
    assert only(answer, "locks_in").suffices
    assert only(answer, "locks_in").parcel_ids == ("p000",)
    assert "p000" in answer.message


def test_the_closed_parcel_that_is_missing_is_found() -> None:
    selectable = np.array([True, True, False, True, True, True])
    answer = answer_of(asked(60.0, selectable=selectable))
    allow = only(answer, "allow")
    assert (allow.suffices, allow.parcel_ids) == (True, ("p002",))


def test_several_closed_parcels_are_told_with_the_least_land() -> None:
    # 3 × 3, the middle column closed (10 mu each, the lowest 4 mu): two of three are needed for 74 mu
    closed = [1, 4, 7]
    area = np.full(9, 10.0)
    area[7] = 4.0
    selectable = np.array([k not in closed for k in range(9)])
    problem = grid_problem(3, 3, area_mu=area, selectable=selectable, targets=(Target("P1", 0, -1, 74.0),))
    allowed = [s for s in answer_of(problem).suggestions if s.key == "allow"]
    allow = allowed[0]
    assert allow.suffices
    assert allow.amount.high == pytest.approx(14.0)
    assert allow.amount.low == pytest.approx(14.0, abs=0.01)
    assert "p007" in allow.parcel_ids
    assert len(allow.parcel_ids) == 2
    # each by itself brings its own land and no more
    gains = {s.parcel_ids: s.gain.low for s in allowed[1:]}
    assert gains == pytest.approx({("p001",): 10.0, ("p004",): 10.0, ("p007",): 4.0}, abs=1e-3)
    assert not any(s.suffices for s in allowed[1:])


def test_the_bridge_that_is_missing_is_found() -> None:
    # rows of three, apart; each is too small for a block of 40 mu, together they make one of 60
    full = grid_problem(6, 1)
    cut = full.pairs[full.pairs[:, 0] != 2]
    problem = replace(
        full, pairs=cut, shared_m=full.shared_m[:-1], block_min_mu=40.0, targets=(Target("P1", 0, -1, 50.0),)
    )
    links = (CandidateLink((2, 3), 14.0), CandidateLink((0, 3), 25.0))
    answer = answer_of(problem, links)
    bridges = [s for s in answer.suggestions if s.key == "bridge"]
    assert [s.parcel_ids for s in bridges] == [("p000", "p003"), ("p002", "p003")] or [
        s.parcel_ids for s in bridges
    ] == [("p002", "p003"), ("p000", "p003")]
    assert all(s.suffices for s in bridges)
    assert (bridges[0].gain.low, bridges[0].gain.high) == exactly(50.0)
    assert any("p002 – p003 (14.0 m)" in s.text for s in bridges)


def test_candidate_links_join_pieces_that_are_near() -> None:
    shapes = [shapely.box(x, 0, x + 100, 66) for x in (0, 100, 214, 350)]
    full = grid_problem(4, 1)
    problem = replace(full, pairs=full.pairs[:1], shared_m=full.shared_m[:1])
    parcels = gpd.GeoDataFrame({"parcel_id": problem.parcel_ids}, geometry=shapes, crs="EPSG:4547")
    run = RunFolder(Path("x"), problem, None, {}, parcels)
    (link,) = candidate_links(run)  # 0 and 1 touch already, 2 and 3 are 36 m apart
    assert link.pair == (1, 2)
    assert link.gap_m == pytest.approx(14.0)
    assert candidate_links(failed_run(problem)) == ()


def test_what_suffices_really_suffices() -> None:
    answer = answer_of(asked(60.0, block_min_mu=40.0, block_max_mu=55.0, phases=(Phase("P1", 1, 1.0, budget=15.0),)))
    assert not any(s.suffices and s.key != "floor:P1" for s in answer.suggestions)  # the budget and the sizes both bind
    lower = only(answer, "floor:P1")
    assert lower.amount.high is not None
    eased = asked(
        60.0 - lower.amount.high, block_min_mu=40.0, block_max_mu=55.0, phases=(Phase("P1", 1, 1.0, budget=15.0),)
    )
    assert solve(eased, Stop(0.0, 10.0), processes=False).blocks


def test_without_time_nothing_is_claimed() -> None:
    answer = explain_infeasible(failed_run(asked(50.0, phases=(Phase("P1", 1, 1.0, budget=12.0),))), asker(0.0))
    assert answer.state == "open"
    assert answer.unfinished
    assert answer.suggestions == ()


def test_a_lock_at_a_phase_is_no_gate() -> None:
    # all 60 mu are asked for in P1, parcel 0 is locked at P2
    phases = (Phase("P1", 1, 1.0), Phase("P2", 2, 1.0))
    held, free = np.array([1, 0, 0, 0, 0, 0]), np.array([1, -1, -1, -1, -1, -1])
    problem = asked(60.0, phases=phases, earliest=held, lock_by=free, gates=np.zeros(6, dtype=np.int64))
    answer = answer_of(problem)
    assert only(answer, "locks_in").suffices
    assert only(answer, "locks_in").parcel_ids == ("p000",)
    assert not any(s.key == "gates" for s in answer.suggestions)
