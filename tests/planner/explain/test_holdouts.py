"""Refusals one by one: blocks that stand or break, targets that fall short, what going round costs, consent."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations
from typing import Any

import numpy as np
import pytest

from geodata.errors import DataError
from planner.consequences.harm import harms
from planner.consequences.plan import plan_in_hand
from planner.explain import Interval
from planner.explain.holdouts import HoldOut, HoldOuts, explain_holdouts, without
from planner.explain.holdouts_text import holdouts_text
from planner.problem import Block, BlockRule, Mode, Phase, Problem, Resource, Target
from tests.planner.explain.support import asker, failed_run, row, run_of
from tests.planner.optimise import plain
from tests.planner.optimise.instances import grid_problem
from tests.planner.optimise.rich import rich_case


def by_parcel(answer: HoldOuts) -> dict[str, HoldOut]:
    return {h.parcel_id: h for h in answer.holdouts}


def told(problem: Problem, *blocks: tuple[int, ...], **changes: Any) -> dict[str, HoldOut]:
    """Refusals of a plan drawn by hand, without a question to the solver."""
    run = replace(failed_run(problem), plan=plan_in_hand(problem, [Block(b, 0, **changes) for b in blocks]))
    return by_parcel(explain_holdouts(run, asker(0.0)))


def lined_up(n: int = 5, **changes: Any) -> Problem:
    """Parcels of 10 mu in a row, blocks of 20 mu or more."""
    return grid_problem(n, 1, **({"block_min_mu": 20.0} | changes))


# ------------------------------------------------------------------------------------------------ the block


def test_a_ring_stands_without_any_one_of_its_parcels() -> None:
    ring = tuple(k for k in range(9) if k != 4)
    answer = told(grid_problem(3, 3, block_min_mu=70.0), ring)
    assert len(answer) == 8
    for h in answer.values():
        assert (h.stands, h.reason, h.part_mu, h.lost_mu, h.falls_with_it) == (
            True,
            "stands without it",
            70.0,
            10.0,
            (),
        )


def test_a_ring_at_its_least_size_breaks_without_any() -> None:
    ring = tuple(k for k in range(9) if k != 4)
    for h in told(grid_problem(3, 3, block_min_mu=80.0), ring).values():
        assert (h.stands, h.part_mu, h.lost_mu, len(h.falls_with_it)) == (False, 0.0, 80.0, 7)
        assert h.reason == "70.00 mu is below 80.00"


def test_a_corridor_breaks_in_the_middle_and_keeps_its_larger_end() -> None:
    # 0 1 2 3 4: without 2 two ends of 20 mu (the one with the first id counts), without 1 only 2 3 4
    answer = told(lined_up(), (0, 1, 2, 3, 4))
    assert [answer[f"p00{k}"].stands for k in range(5)] == [True, False, False, False, True]
    assert (answer["p002"].part_mu, answer["p002"].lost_mu) == (20.0, 30.0)
    assert answer["p002"].falls_with_it == ("p003", "p004")
    assert (answer["p001"].part_mu, answer["p001"].falls_with_it) == (30.0, ("p000",))
    assert answer["p002"].reason == "not one piece"
    assert all(h.part_largest for h in answer.values())


def test_filler_over_its_share_is_left_away_until_a_block_is_left() -> None:
    # 10 mu of candidates bear 10 mu of filler at a half: without one of two candidates one filler parcel must go too
    problem = lined_up(4, filler=np.array([False, False, True, True]), filler_max_share=0.5)
    answer = told(problem, (0, 1, 2, 3))
    assert (answer["p000"].part_mu, answer["p000"].falls_with_it) == (20.0, ("p003",))
    assert answer["p000"].part_largest is False
    assert answer["p000"].reason == "20.00 mu of filler in 30.00 mu"
    assert answer["p003"].stands


def signed(least: float, modes: tuple[int, ...] | None = None) -> Problem:
    """Four parcels of 10 mu, the first two signed; two modes."""
    rule = BlockRule("signed", "mu", np.array([10.0, 10.0, 0.0, 0.0]), least, np.full(4, 10.0), modes)
    return lined_up(4, block_rules=(rule,), modes=(Mode("a"), Mode("b")))


def test_consent_breaks_when_a_signer_leaves() -> None:
    # 20 of 40 mu; without p000 10 of 30; leaving p003 away too, 10 of 20 is a half again
    answer = told(signed(0.5), (0, 1, 2, 3))
    assert (answer["p000"].stands, answer["p000"].part_mu) == (False, 20.0)
    assert answer["p000"].reason == "signed: 10.00 mu, at least 15.00 asked for"
    assert answer["p003"].stands  # 20 of 30
    assert answer["p002"].reason == "not one piece"
    assert answer["p002"].part_mu == 20.0


def test_consent_binds_by_mode() -> None:
    problem = signed(0.5, modes=(1,))
    assert told(problem, (0, 1, 2, 3), mode=0)["p000"].stands
    assert not told(problem, (0, 1, 2, 3), mode=1)["p000"].stands


def test_fixed_and_locked_parcels_are_marked() -> None:
    problem = lined_up(6, fixed=(Block((0, 1), 0),), lock_by=np.array([-1, -1, -1, -1, 0, -1]))
    answer = told(problem, (0, 1), (3, 4))
    assert {k: h.kind for k, h in answer.items()} == {
        "p000": "fixed",
        "p001": "fixed",
        "p003": "free",
        "p004": "locked",
    }
    # 10 mu of a fixed block stand although blocks need 20
    assert (answer["p000"].stands, answer["p000"].part_mu, answer["p000"].lost_mu) == (True, 10.0, 10.0)
    # p003 takes the locked p004 along; p004 refuses itself, which its own lock cannot forbid
    assert (answer["p003"].locks_lost, answer["p003"].harmless) == (("p004",), False)
    assert (answer["p004"].locks_lost, answer["p004"].harmless) == ((), True)


# ------------------------------------------------------------------------------------------------ the plan


def test_targets_fall_short_by_what_is_lost() -> None:
    floor = np.array([[1000.0], [2000.0], [3000.0], [4000.0], [5000.0]])
    targets = (
        Target("P1", 0, -1, 45.0),
        Target("space", 0, -1, 14_000.0, measure="floor_m2"),
        Target("projects", 0, -1, 1.0, measure="blocks", project_min_mu=40.0),
    )
    answer = told(lined_up(targets=targets, mode_floor_m2=floor), (0, 1, 2, 3, 4))
    short = {k: {s.name: s.by for s in h.shortfalls} for k, h in answer.items()}
    # without p000: 40 of 45 mu, 14 000 of 14 000 m², one block of 40 mu
    assert short["p000"] == {"target P1": pytest.approx(5.0)}
    # without p004: 40 mu, 10 000 m²
    assert short["p004"] == {"target P1": pytest.approx(5.0), "target space": pytest.approx(4000.0)}
    # without p001: 2 3 4 stand: 30 mu, 12 000 m², no project of 40 mu
    assert short["p001"] == {
        "target P1": pytest.approx(15.0),
        "target space": pytest.approx(2000.0),
        "target projects": pytest.approx(1.0),
    }
    assert "target P1 short by 15.00 mu" in holdouts_text_of(lined_up(targets=targets, mode_floor_m2=floor))


def holdouts_text_of(problem: Problem) -> str:
    run = replace(failed_run(problem), plan=plan_in_hand(problem, [Block((0, 1, 2, 3, 4), 0)]))
    return holdouts_text(explain_holdouts(run, asker(0.0)))


def test_what_a_block_gives_back_is_missed_when_it_falls() -> None:
    # block 0 1 gives 6 units that block 3 4 takes; without p000 nothing stands of the first
    use = np.array([-3.0, -3.0, 0.0, 3.0, 3.0]).reshape(5, 1, 1)
    space = Resource("space", "m²", use, (0.0,), timing=np.ones((1, 1, 1, 1)))
    answer = told(lined_up(resources=(space,)), (0, 1), (3, 4))
    (fall,) = answer["p000"].shortfalls
    assert (fall.name, fall.over) == ("space in P1", True)
    assert fall.by == pytest.approx(6.0)
    assert answer["p003"].harmless


def test_what_is_taken_must_stay_one_area_where_the_rule_asks_for_it() -> None:
    # two blocks side by side; without the parcel between them the areas part
    problem = lined_up(6, rolling=True)
    answer = told(problem, (0, 1, 2), (3, 4, 5))
    assert answer["p000"].harmless
    assert "not one area" in answer["p003"].splits[0]


def test_order_is_by_land_lost_and_does_not_depend_on_the_order_of_rows() -> None:
    problem = lined_up()
    order = list(told(problem, (0, 1, 2, 3, 4)))
    assert order == ["p002", "p001", "p003", "p000", "p004"]
    turned = replace(problem, parcel_ids=problem.parcel_ids[::-1])  # a row read from its other end is the same row
    assert list(told(turned, (0, 1, 2, 3, 4))) == order


# ------------------------------------------------------------------------------------------------ against the rules


def largest_sound(problem: Problem, block: Block, i: int) -> float:
    """Area of the largest part of a block without a parcel that keeps the rules for blocks, by trying all parts."""
    rest = [j for j in block.parcels if j != i]
    parts = (p for k in range(1, len(rest) + 1) for p in combinations(rest, k))
    sound = [p for p in parts if not plain.set_faults(problem, p, block.mode)]
    return max((sum(float(problem.area_mu[j]) for j in p) for p in sound), default=0.0)


@pytest.mark.parametrize("seed", [s for s in range(60) if s % 8 != 7])  # those ask for more than their plan gives
def test_every_refusal_of_random_plans_is_told_as_the_rules_say(seed: int) -> None:
    problem, blocks = rich_case(seed)
    plan = plan_in_hand(problem, blocks)
    worth = plain.plan_worth(problem, blocks)
    found = harms(problem, plan)
    assert sorted(h.parcel for h in found) == sorted(i for b in blocks for i in b.parcels)
    for h in found:
        block = plan.blocks[h.block]
        rest = [j for j in block.parcels if j != h.parcel]
        fixed = block in problem.fixed
        assert h.left.whole == (bool(rest) if fixed else bool(rest) and not plain.set_faults(problem, rest, block.mode))
        if not fixed:
            area = float(problem.area_mu[list(h.left.part)].sum())
            best = largest_sound(problem, block, h.parcel)
            assert not h.left.part or not plain.set_faults(problem, h.left.part, block.mode)
            assert area == pytest.approx(best) if h.left.largest else area <= best + 1e-9
        standing = h.standing(plan)
        assert h.is_plan == (not plain.faults(without(problem, plan, h), standing))
        assert h.worth_lost == pytest.approx(worth - plain.plan_worth(problem, standing))
        short = {s.name: s.by for s in h.shortfalls if not s.over}
        for k, t in enumerate(problem.targets):
            missing = t.floor - plain.reached(problem, standing, k)
            assert short.get(f"target {t.name}", 0.0) == pytest.approx(max(0.0, missing), abs=2e-6)


# ------------------------------------------------------------------------------------------------ going round


def test_prices_are_those_of_the_best_plan_without_the_parcel() -> None:
    # without p000: {1, 2}, {3, 4} = 13; p001: {2, 3}, {4, 5}: 7 (p000 alone is no block); p003: {0, 1}, {4, 5} = 15;
    # p004: {0, 1}, {2, 3} = 16; with p000 … of 22
    answer = by_parcel(explain_holdouts(run_of(row()), asker()))
    prices = {k: h.price for k, h in answer.items()}
    for name, price in {"p000": 9.0, "p001": 15.0, "p003": 7.0, "p004": 6.0}.items():
        assert prices[name].low == pytest.approx(price, abs=1e-3)
        assert prices[name].high == pytest.approx(price, abs=1e-3)


def test_no_plan_without_a_parcel_is_proven() -> None:
    answer = explain_holdouts(run_of(row(targets=(Target("P1", 0, -1, 60.0),), phases=(Phase("P1", 1, 1.0),))), asker())
    assert {h.verdict for h in answer.holdouts} == {"infeasible"}
    assert "proven: no plan" in holdouts_text(answer)


def test_without_time_what_stands_bounds_the_price() -> None:
    run = run_of(lined_up(4, targets=(Target("P1", 0, -1, 30.0),)))
    answer = explain_holdouts(run, asker(0.0))
    assert answer.asked == 0
    rows = by_parcel(answer)
    # 0 1 2 3 at 10 each: without an end 30 mu stand, which is a plan worth 10 less
    assert (rows["p000"].verdict, rows["p000"].price.low) == ("not_asked", 0.0)
    assert rows["p000"].price.high == pytest.approx(10.0)
    assert rows["p001"].price == Interval(0.0, None)  # 20 mu stand: no plan
    assert "not asked" in holdouts_text(answer)


def test_a_fixed_block_gives_way_to_what_is_left_of_it() -> None:
    # fixed 0 1 without p000 leaves p001, 10 mu of the 30 asked for; 3 4 are there: no loss but p000's own 7
    problem = row(fixed=(Block((0, 1), 0),), targets=(Target("P1", 0, -1, 30.0),))
    answer = by_parcel(explain_holdouts(run_of(problem), asker()))
    assert answer["p000"].kind == "fixed"
    assert answer["p000"].price.high == pytest.approx(7.0, abs=1e-3)


def test_only_the_parcels_named_are_told() -> None:
    answer = explain_holdouts(run_of(row()), asker(), ["p003", "p005"])
    assert [h.parcel_id for h in answer.holdouts] == ["p003"]
    assert answer.notes == ("not in the plan, so that a refusal changes nothing: p005",)
    with pytest.raises(DataError, match="p03"):
        explain_holdouts(run_of(row()), asker(), ["p03"])
    with pytest.raises(DataError, match="no plan"):
        explain_holdouts(failed_run(row()), asker())


# ------------------------------------------------------------------------------------------------ consent


def consent(problem: Problem, mode: int = 0) -> Any:
    run = replace(failed_run(problem), plan=plan_in_hand(problem, [Block((0, 1, 2, 3), 0, mode)]))
    return explain_holdouts(run, asker(0.0)).consent


def test_slack_of_consent_and_whose_agreement_decides() -> None:
    (test,) = consent(signed(0.5))
    assert (test.had, test.asked, test.share, test.slack) == (20.0, 20.0, 0.5, 0.0)
    assert (test.critical, test.fewest) == (("p000", "p001"), 1)
    # a quarter: 10 mu may be withdrawn, 20 may not
    (test,) = consent(signed(0.25))
    assert (test.slack, test.critical, test.fewest) == (10.0, (), 2)
    (test,) = consent(signed(0.0))
    assert test.fewest is None


def test_two_tests_at_once_each_by_its_modes() -> None:
    heads = BlockRule("holders", "people", np.array([1.0, 0.0, 1.0, 1.0]), 2 / 3, np.ones(4), (0,))
    problem = signed(0.5)
    problem = replace(problem, block_rules=(*problem.block_rules, heads))
    found = {t.rule: t for t in consent(problem)}
    assert found["signed"].slack == 0.0
    assert found["holders"].slack == pytest.approx(3 - 8 / 3)
    assert found["holders"].critical == ("p000", "p002", "p003")  # 2 of 4 are less than two thirds
    assert {t.rule for t in consent(problem, mode=1)} == {"signed"}


def test_plain_sums_are_no_consent() -> None:
    road = BlockRule("frontage", "m", np.full(4, 50.0), 100.0)
    assert consent(lined_up(4, block_rules=(road,))) == ()
