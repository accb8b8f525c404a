from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest

from geodata.errors import DataError
from planner.explain import explain_price, price_text, rules_of
from planner.explain.rules import fits, scattered
from planner.optimise import Stop, solve
from planner.problem import Block, BlockRule, Group, Phase, Problem, Resource, Target
from tests.planner.explain.support import asker, row, run_of
from tests.planner.optimise.instances import planted_problem


def loss(problem: Problem, key: str) -> tuple[float, float]:
    (price,) = explain_price(run_of(problem), asker(), [key], margins=False).rules
    assert price.loss.low is not None
    assert price.loss.high is not None
    return price.loss.low, price.loss.high


def exactly(value: float) -> object:
    return pytest.approx((value, value), abs=1e-3)


def test_contiguity() -> None:
    # worths 7, −9, 5, 6, −9, −9, two parcels at most: {2, 3} = 11 in one piece, {0, 3} = 13 without contiguity
    benefit = np.array([10.0, -6.0, 8.0, 9.0, -6.0, -6.0])
    problem = row(benefit=benefit, phases=(Phase("P1", 1, 1.0, budget=6.0),), targets=())
    assert loss(problem, "contiguity") == exactly(2.0)


def test_least_block_size() -> None:
    # the same land: single parcels allowed give {0}, {3} as well
    benefit = np.array([10.0, -6.0, 8.0, 9.0, -6.0, -6.0])
    problem = row(benefit=benefit, phases=(Phase("P1", 1, 1.0, budget=6.0),), targets=())
    assert loss(problem, "block_min") == exactly(2.0)


def test_largest_block_size() -> None:
    # blocks of exactly two: {0, 1}, {3, 4}; without the cap all of 0 to 4: 20 with parcel 2; no better; five parcels
    problem = row(block_max_mu=20.0, perimeter_per_m=0.05, phases=(Phase("P1", 1, 1.0),), targets=())
    # {0, 1}: 12 − 0.05 · 600 < 0: nothing is worth taking; in one block of five: 20 − 0.05 · (2000 − 800) < 0 too
    assert loss(problem, "block_max") == exactly(0.0)
    cheaper = replace(problem, perimeter_per_m=0.01)
    # two blocks: 22 − 0.01 · 1200 = 10; five in one: 20 − 0.01 · 1200 = 8; four: 0 to 3: 16 − 10; so still 0
    assert loss(cheaper, "block_max") == exactly(0.0)
    dearer = replace(problem, perimeter_per_m=0.015)
    # two blocks: 22 − 18 = 4; {0, 1}: 12 − 9 = 3; five in one: 20 − 18 = 2: 0 again, so make parcel 2 worth 3
    good = replace(dearer, benefit=np.array([10.0, 8.0, 6.0, 9.0, 7.0, 2.0]))
    # two blocks of two at best: {0, 1}, {3, 4} or {2, 3}: 22 − 18 = 4; five in one: 7 + 5 + 3 + 6 + 4 = 25 − 18 = 7
    assert loss(good, "block_max") == exactly(3.0)


def test_targets_and_ceilings() -> None:
    # 60 mu asked: all six, worth 19, though 22 can be had
    free = row(phases=(Phase("P1", 1, 1.0),), targets=(Target("P1", 0, -1, 60.0),))
    assert loss(free, "floor:P1") == exactly(3.0)
    capped = row(phases=(Phase("P1", 1, 1.0),), targets=(Target("P1", 0, -1, 0.0, ceiling=20.0),))
    # one block of two: 12 at best
    assert loss(capped, "ceiling:P1") == exactly(10.0)


def test_budget_resource_and_number_of_blocks() -> None:
    assert loss(row(phases=(Phase("P1", 1, 1.0, budget=6.0),), targets=()), "budget:P1") == exactly(10.0)
    decant = Resource("decant", "m²", np.full(6, 100.0), (200.0,))
    scarce = row(phases=(Phase("P1", 1, 1.0),), targets=(), resources=(decant,))
    assert loss(scarce, "resource:decant:P1") == exactly(10.0)
    # one block: 0 to 4 would be 20, but holds at most four: {0, 1, 2, 3} = 16
    single = row(phases=(Phase("P1", 1, 1.0, max_blocks=1),), targets=())
    assert loss(single, "max_blocks:P1") == exactly(6.0)


def gap(limit: float, **changes: object) -> Problem:
    """Each parcel costs the town 100 in its year; a quarter comes back in the next."""
    timing = np.array([[[[1.0, 0.0]]], [[[1.0, 1.0]]]])
    use = np.tile([100.0, -25.0], (6, 1, 1))
    resource = Resource("gap", "yuan", use, (None, limit), ("year 1", "year 2"), timing)
    return row(**({"phases": (Phase("P1", 1, 1.0),), "targets": (), "resources": (resource,)} | changes))


def test_a_resource_by_period() -> None:
    # 75 a parcel stand out in year 2: 150 hold two parcels, 12, instead of four, 22
    (rule,) = [r for r in rules_of(gap(150.0)) if r.key.startswith("resource")]
    assert (rule.key, rule.title) == ("resource:gap:year 2", "gap, year 2: at most 150.00 yuan")
    assert loss(gap(150.0), "resource:gap:year 2") == exactly(10.0)
    assert loss(gap(300.0), "resource:gap:year 2") == exactly(0.0)


def test_margin_of_a_resource_by_period() -> None:
    # between {0, 1} for 150 and both blocks for 300: 10 for 150
    answer = explain_price(run_of(gap(220.0)), asker(), ["resource:gap:year 2"])
    (margin,) = answer.margins
    assert (margin.key, margin.unit) == ("resource:gap:year 2", "CNY/yuan")
    assert margin.price == pytest.approx(10.0 / 150.0, abs=1e-6)
    assert margin.title == "one yuan more of gap in year 2 brings"


def test_locks_and_gates() -> None:
    locked = row(lock_by=np.array([-1, -1, 0, -1, -1, -1]))
    assert loss(locked, "locks_in") == exactly(6.0)
    # parcel 0 never open: {3, 4} and {1, 2} = 13 for 40 mu
    late = row(earliest=np.array([1, 0, 0, 0, 0, 0]))
    assert loss(late, "gates") == exactly(9.0)


def test_zones_villages_filler_and_block_rules() -> None:
    free = (Phase("P1", 1, 1.0),)
    # zones 0 | 1 2 | 3 4 5: parcel 0 is alone, {1, 2} = 3 and {3, 4} = 10
    zone = np.array([0, 1, 1, 2, 2, 2])
    zoned = row(phases=free, targets=(), zone=zone, zones=("a", "b", "c"), within_zone=True)
    assert loss(zoned, "within_zone") == exactly(9.0)
    villages = row(phases=free, targets=(), village=zone, villages=("a", "b", "c"), max_villages=1)
    assert loss(villages, "villages") == exactly(9.0)
    # parcel 0 is filler: with half of a block at most {0, 1} stands, with a third it needs {0, 1, 2} = 10
    filler = np.array([True, False, False, False, False, False])
    thin = row(phases=free, targets=(), filler=filler, filler_max_share=1 / 3)
    assert loss(thin, "filler") == exactly(2.0)
    # two thirds signed: {0, 1} is signed to a half, {3, 4} in full
    signed = BlockRule("signed share", "mu", np.array([10.0, 0, 10, 10, 10, 0]), 2 / 3, np.full(6, 10.0))
    assert loss(row(phases=free, targets=(), block_rules=(signed,)), "block_rule:signed share") == exactly(2.0)


def test_rolling() -> None:
    # one area: {0, 1, 2, 3} = 16, for at most four; {0, 1} and {3, 4} = 22 otherwise
    problem = row(rolling=True)
    assert loss(problem, "rolling") == exactly(6.0)


def test_fixed_blocks_may_be_dear() -> None:
    # {4, 5} stands: 3; with two more parcels {0, 1}: 15 in all, against 22
    problem = row(fixed=(Block((4, 5), 0),))
    assert loss(problem, "fixed") == exactly(7.0)


def test_every_rule_has_a_key_of_its_own() -> None:
    problem = row(
        phases=(Phase("P1", 1, 1.0, budget=12.0, max_blocks=2), Phase("P2", 2, 0.9)),
        targets=(Target("P1", 0, -1, 20.0, ceiling=40.0), Target("P1, east", 0, -1, 0.0, ceiling=20.0, group=0)),
        groups=(Group("east", np.array([False] * 3 + [True] * 3)),),
        rolling=True,
        earliest=np.array([0, 0, 0, 0, 0, 1]),
        lock_by=np.array([1, -1, -1, -1, -1, -1]),
    )
    keys = [r.key for r in rules_of(problem)]
    assert len(keys) == len(set(keys))
    assert set(keys) == {
        "contiguity", "rolling", "block_min", "block_max", "floor:P1", "ceiling:P1", "ceiling:P1, east", "budget:P1",
        "max_blocks:P1", "locks_in", "gates",
    }  # fmt: skip


def test_margin_of_a_target() -> None:
    # 60 mu asked, no budget: the last 20 mu cost 3 for parcels 2 and 5 together; one mu more costs something
    problem = row(phases=(Phase("P1", 1, 1.0),), targets=(Target("P1", 0, -1, 55.0),))
    answer = explain_price(run_of(problem), asker(), ["floor:P1"])
    margins = {m.key: m for m in answer.margins}
    assert answer.margins_exact
    # between {0, 1}, {3, 4, 5} at 50 mu (21) and everything at 60 mu (19): 2 for 10 mu
    assert margins["floor:P1"].price == pytest.approx(0.2, abs=1e-6)
    assert margins["floor:P1"].unit == "CNY/mu"
    assert "one mu more of target P1 costs 0.2 CNY/mu" in price_text(answer)


def test_unknown_rules_are_refused() -> None:
    with pytest.raises(DataError, match="budget:P1"):
        explain_price(run_of(row()), asker(), ["budget:P9"])


def test_without_time_only_what_is_certain() -> None:
    answer = explain_price(run_of(row()), asker(0.0), margins=False)
    assert all(p.verdict == "not_asked" and p.loss.low == 0.0 and p.loss.high is None for p in answer.rules)
    assert "not asked: no time left" in price_text(answer)


def partitions(members: tuple[int, ...]) -> Iterator[list[tuple[int, ...]]]:
    """Every way to split a set."""
    if not members:
        yield []
        return
    first, rest = members[0], members[1:]
    for k in range(len(rest) + 1):
        for others in combinations(rest, k):
            left = tuple(i for i in rest if i not in others)
            for more in partitions(left):
                yield [(first, *others), *more]


def best_without_contiguity(problem: Problem) -> float:
    """By trying every set of blocks, contiguous or not, of one phase; worth of land only."""
    worth, area = problem.benefit - problem.cost, problem.area_mu
    best = -np.inf
    for k in range(problem.n + 1):
        for members in combinations(range(problem.n), k):
            total = area[list(members)].sum()
            kept = all(t.floor <= total + 1e-9 for t in problem.targets) and problem.selectable[list(members)].all()
            if kept and worth[list(members)].sum() > best:
                sizes = ([area[list(b)].sum() for b in split] for split in partitions(members))
                if any(all(problem.block_min_mu <= s <= problem.block_max_mu for s in split) for split in sizes):
                    best = float(worth[list(members)].sum())
    return best


@pytest.mark.parametrize("seed", range(8))
def test_price_of_contiguity_holds_the_truth(seed: int) -> None:
    rng = np.random.default_rng(seed)
    problem = row(
        area_mu=np.round(rng.lognormal(2.3, 0.4, 6), 1),
        benefit=rng.uniform(0, 10, 6),
        cost=rng.uniform(0, 8, 6),
        phases=(Phase("P1", 1, 1.0),),
        targets=(Target("P1", 0, -1, 20.0),),
        block_max_mu=45.0,
    )
    run = run_of(problem)
    low, high = loss(problem, "contiguity")
    truth = best_without_contiguity(problem) - run.require_plan().objective
    assert low - 1e-6 <= truth <= high + 1e-6


def test_parts_that_cannot_be_put_together_do_not_fit() -> None:
    problem = row(block_min_mu=25.0, block_max_mu=35.0)
    assert fits(problem, [Block((0,), 0), Block((2,), 0), Block((4,), 0)])  # 30 mu
    assert not fits(problem, [Block((0,), 0), Block((2,), 0)])  # 20 mu
    assert not fits(problem, [Block((k,), 0) for k in (0, 1, 3, 5)])  # 40 mu: too much for one, too little for two
    assert not fits(replace(problem, filler=np.array([True] + [False] * 5)), [Block((k,), 0) for k in (0, 2, 4)])


@pytest.mark.parametrize("seed", range(1, 5))
def test_every_price_holds_the_difference_of_the_best_plans(seed: int) -> None:
    problem = planted_problem(seed, 8)
    run = run_of(problem)
    best = run.require_plan().objective
    for price in explain_price(run, asker(), margins=False).rules:
        rule = next(r for r in rules_of(problem) if r.key == price.key)
        assert price.loss.low is not None
        assert price.loss.high is not None
        other = solve(rule.without, Stop(0.0, 20.0), processes=False)
        assert price.loss.high >= other.objective - best - 1e-6 * max(1.0, abs(best))
        if rule.exact:
            assert price.loss.low <= other.bound - best + 1e-6 * max(1.0, abs(best))


def test_scattered_land_keeps_targets_and_budgets() -> None:
    problem = row(rolling=True, phases=(Phase("P1", 1, 1.0, budget=12.0, max_blocks=1),))
    loose = scattered(problem)
    assert loose.targets == problem.targets
    assert (loose.phases[0].budget, loose.phases[0].max_blocks) == (12.0, None)
    assert (loose.block_min_mu, loose.rolling) == (0.0, False)


def test_keeping_the_plan_before_has_its_price() -> None:
    """{0, 1} and {3, 4} are worth 22; before {0, 1} in P1 alone: at 6 a change both new parcels are worth 10 − 12."""
    problem = row(targets=(), before=(Block((0, 1), 0),), change_price=np.full(6, 6.0))
    assert run_of(problem).require_plan().objective == pytest.approx(12.0)
    assert loss(problem, "keep") == exactly(10.0)
    assert "keep" in {r.key for r in rules_of(problem)}
    free = (replace(problem, change_price=np.zeros(6)), replace(problem, before=(), change_price=None))
    assert all("keep" not in {r.key for r in rules_of(p)} for p in free)
