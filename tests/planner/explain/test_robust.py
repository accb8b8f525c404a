"""Plans that bear any one refusal, against all plans of tiny problems."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from itertools import combinations

import numpy as np
import pytest

from planner.consequences.plan import PlanInHand, plan_in_hand
from planner.consequences.sums import Limits, sum_rows
from planner.explain.bearing import Judge, tightened
from planner.explain.holdouts import explain_holdouts
from planner.explain.holdouts_text import holdouts_text
from planner.explain.robust import Robust, find_robust, raised
from planner.optimise.evaluate import plan_faults
from planner.optimise.options import availability
from planner.optimise.presolve import usable_graph
from planner.problem import Block, Phase, Problem, Target
from tests.planner.explain.support import asker, row, run_of
from tests.planner.optimise import plain
from tests.planner.optimise.instances import grid_problem

# ------------------------------------------------------------------------------------------------ the definition


def part_left(problem: Problem, block: Block, i: int) -> tuple[int, ...]:
    """The largest connected piece of a block without a parcel, if it is a block; no filler, no sums here."""
    near, rest = plain.contacts_of(problem), set(block.parcels) - {i}
    pieces = {frozenset(plain.flood(near, [j], rest)) for j in rest}
    sound = [p for p in pieces if not plain.set_faults(problem, sorted(p), block.mode)]
    return tuple(sorted(max(sound, key=lambda p: sum(problem.area_mu[j] for j in p)))) if sound else ()


def bears(problem: Problem, blocks: tuple[Block, ...], refusing: set[int]) -> bool:
    """Whether every limit is kept after each single refusal; locks and areas that must hang together are no part."""
    for k, block in enumerate(blocks):
        for i in refusing & set(block.parcels):
            part = part_left(problem, block, i)
            left = [*blocks[:k], *([replace(block, parcels=part)] if part else []), *blocks[k + 1 :]]
            free = replace(problem, lock_by=np.full(problem.n, -1), selectable=np.ones(problem.n, dtype=bool))
            if plain.faults(free, left):
                return False
    return True


def all_plans(problem: Problem) -> Iterator[tuple[Block, ...]]:
    """Every plan: sets of blocks that share no parcel, in every phase."""
    n, phases = problem.n, range(len(problem.phases))
    sets = [s for k in range(1, n + 1) for s in combinations(range(n), k) if not plain.set_faults(problem, s)]
    by_first = {i: [s for s in sets if s[0] == i] for i in range(n)}

    def grow(i: int, free: frozenset[int], chosen: tuple[Block, ...]) -> Iterator[tuple[Block, ...]]:
        if i == n:
            if not plain.faults(problem, chosen):
                yield chosen
            return
        yield from grow(i + 1, free, chosen)
        for s in by_first[i]:
            if free.issuperset(s):
                for t in phases:
                    yield from grow(i + 1, free.difference(s), (*chosen, Block(s, t)))

    yield from grow(0, frozenset(range(n)), ())


def best_robust(problem: Problem, refusing: set[int]) -> float:
    """Worth of the best robust plan; -inf where there is none."""
    worth = [plain.plan_worth(problem, p) for p in all_plans(problem) if bears(problem, p, refusing)]
    return max(worth, default=-np.inf)


# ------------------------------------------------------------------------------------------------ by hand


def six(**changes: object) -> Problem:
    """Six parcels of 10 mu in a row, worth 7, 5, −2, 6, 4, −1, blocks of two to four, 40 mu asked for."""
    return row(**({"phases": (Phase("P1", 1, 1.0),)} | changes))


def robust_of(problem: Problem, *named: str) -> Robust:
    found = explain_holdouts(run_of(problem), asker(), named, robust=True).robust
    assert found is not None
    return found


def test_the_robust_plan_of_a_row_takes_all_of_it() -> None:
    # best: {0, 1}, {3, 4} = 22, but any refusal leaves 20 mu. 50 mu are two blocks of 20 and 30, and a refusal in the
    # smaller leaves 30. So all 60 mu: {0, 1}, {2, 3}, {4, 5}, say, leave 40; worth 7 + 5 − 2 + 6 + 4 − 1 = 19
    found = robust_of(six())
    assert found.status == "found"
    assert found.plan is not None
    assert found.plan.objective == pytest.approx(19.0)
    assert sorted(i for b in found.plan.blocks for i in b.parcels) == [0, 1, 2, 3, 4, 5]
    assert found.price.low == pytest.approx(3.0, abs=1e-3)
    assert found.price.high == pytest.approx(3.0, abs=1e-3)
    assert found.proof == "blocks"
    (margin,) = found.margins
    assert (margin.reached, margin.worst) == (60.0, 40.0)


def test_only_the_named_parcel_refuses() -> None:
    # {0, 1, 2}, {3, 4} leave {1, 2}, {3, 4} without p000: worth 20; taking p000 not at all: {1, 2}, {3, 4} = 13
    found = robust_of(six(), "p000")
    assert found.protects == ("p000",)
    assert found.plan is not None
    assert found.plan.objective == pytest.approx(20.0)
    assert {b.parcels for b in found.plan.blocks} == {(0, 1, 2), (3, 4)}


def test_without_targets_the_plan_is_robust_as_it_is() -> None:
    run = run_of(six(targets=()))
    answer = explain_holdouts(run, asker(), robust=True)
    assert answer.robust is not None
    assert answer.robust.status == "already"
    assert answer.robust.price.high == pytest.approx(0.0, abs=1e-3)
    assert "The plan bears the refusal of any one of its parcels." in holdouts_text(answer)


def test_no_robust_plan_is_proven_or_said_to_be_unknown() -> None:
    # all 60 mu are asked for: no parcel may refuse
    problem = six(targets=(Target("P1", 0, -1, 60.0),))
    answer = explain_holdouts(run_of(problem), asker(), robust=True)
    assert answer.robust is not None
    assert (answer.robust.status, answer.robust.plan) == ("proven_none", None)
    assert "Proven: no plan bears the refusal" in holdouts_text(answer)
    short = explain_holdouts(run_of(problem), asker(0.0), robust=True)
    assert short.robust is not None
    assert short.robust.status == "none_found"
    assert "no proof that there is none" in holdouts_text(short)


def test_margins_that_a_plan_needs_are_what_its_worst_refusal_takes() -> None:
    problem = six()
    judge = Judge(problem)
    bearing = judge.judge((Block((0, 1), 0), Block((3, 4, 5), 0)))
    assert bearing.sums[0] == 50.0
    assert bearing.less[0] == 30.0  # without the middle of 3 4 5 nothing stands of it
    assert not bearing.robust
    none = np.zeros(len(judge.rows))
    less, more = raised((none, none), bearing, judge.limits.low, judge.limits.high)
    changed = tightened(problem, judge.rows, less, more)
    assert changed is not None
    assert changed.targets[0].floor == 70.0
    ceiling = replace(problem, targets=(Target("P1", 0, -1, 40.0, ceiling=60.0),))
    assert tightened(ceiling, sum_rows(ceiling), less, more) is None
    assert Limits.of(judge.rows).low[0] == pytest.approx(40.0)


# ------------------------------------------------------------------------------------------------ by all plans


@cache
def tiny(seed: int) -> Problem:
    """Eight parcels, random worth and area, a floor or two that bind, at times a ceiling, fixed land, two phases."""
    rng = np.random.default_rng(seed)
    area = np.round(rng.uniform(5.0, 15.0, 8), 1)
    benefit = np.round(rng.uniform(-6.0, 10.0, 8), 1)
    phases = (Phase("P1", 1, 1.0), Phase("P2", 2, 0.9))[: 1 + seed % 2]
    share = rng.uniform(0.3, 0.6)
    total = float(area.sum())
    targets = [Target("all", len(phases) - 1, -1, share * total, ceiling=0.98 * total if seed % 3 == 0 else None)]
    if len(phases) > 1:
        targets.append(Target("early", 0, -1, 0.3 * share * total, stretch=0.5 * total, stretch_price=0.05))
    return grid_problem(
        4,
        2,
        area_mu=area,
        benefit=benefit,
        phases=phases,
        targets=tuple(targets),
        block_min_mu=float(rng.uniform(10.0, 25.0)),
        block_max_mu=float(rng.uniform(35.0, 60.0)),
        perimeter_per_m=float(rng.choice([0.0, 0.002])),
        fixed=(Block((0, 1), 0),) if seed % 4 == 1 else (),
    )


SEEDS = [k for k in range(9) if k % 4 != 1]
FIXED = [k for k in range(9) if k % 4 == 1]


def judged(problem: Problem, plan: PlanInHand) -> None:
    """By the rules, and by every refusal."""
    assert plan_faults(problem, usable_graph(problem), plan.blocks, availability(problem)) == []
    assert plain.faults(problem, plan.blocks) == []


@pytest.mark.parametrize("seed", SEEDS)
def test_the_robust_plan_is_the_best_of_all_plans(seed: int) -> None:
    problem = tiny(seed)
    refusing = set(range(8)) if seed % 2 else {0, 3, 5}
    truth = best_robust(problem, refusing)
    named = () if seed % 2 else ("p000", "p003", "p005")
    found = robust_of(problem, *named)
    if truth == -np.inf:
        assert found.status == "proven_none"
        return
    assert found.plan is not None
    judged(problem, found.plan)
    assert bears(problem, found.plan.blocks, refusing)
    assert found.plan.objective == pytest.approx(truth)
    assert found.bound is not None
    assert found.bound >= truth - 1e-9
    nominal = run_of(problem).require_plan().objective
    assert found.price.low is not None
    assert found.price.high is not None
    assert found.price.low - 1e-6 <= nominal - truth <= found.price.high + 1e-6


@pytest.mark.parametrize("seed", [0, 5])
def test_plans_by_margins_bear_every_refusal_and_are_within_the_bound(
    seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    # as where blocks cannot be listed: margins, then blocks met by a search
    for module in ("robust_pool", "land"):
        monkeypatch.setattr(f"planner.explain.{module}.enumerate_pool", lambda *_: None)
    problem = tiny(seed)
    plan = run_of(problem).require_plan()
    found = find_robust(problem, plan, asker(3.0), None, 2.0)
    assert found.status != "proven_none"
    assert found.proof == "plan"
    if found.plan is None:
        return
    judged(problem, found.plan)
    assert found.bound is not None
    assert found.plan.objective <= found.bound + 1e-9
    if not problem.fixed:
        assert bears(problem, found.plan.blocks, set(range(8)))
        assert found.plan.objective <= best_robust(problem, set(range(8))) + 1e-6


@pytest.mark.parametrize("seed", FIXED)
def test_fixed_blocks_may_be_refused_too(seed: int) -> None:
    # what is left of a fixed block counts as it is
    problem = tiny(seed)
    found = robust_of(problem)
    if found.plan is None:
        assert found.status == "proven_none"
        return
    judged(problem, found.plan)
    for block in found.plan.blocks:
        for i in block.parcels:
            part = tuple(j for j in block.parcels if j != i) if block in problem.fixed else part_left(problem, block, i)
            rest = [b for b in found.plan.blocks if b != block] + ([replace(block, parcels=part)] if part else [])
            for k, target in enumerate(problem.targets):
                assert plain.reached(problem, rest, k) >= target.floor - 1e-6


def test_a_plan_found_is_a_plan_in_hand() -> None:
    found = robust_of(six())
    assert found.plan is not None
    again = plan_in_hand(six(), found.plan.blocks)
    assert again.blocks == found.plan.blocks
    assert again.objective == pytest.approx(found.plan.objective)
