"""The optimiser against the truth: 240 small instances, with and without listing all blocks inside the optimiser."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from planner.errors import InfeasibleError, NoPlanInTimeError
from planner.optimise import Stop, solve
from planner.optimise.evaluate import plan_faults
from planner.problem import Plan, Problem, Target
from tests.planner.optimise.brute import Brute, Truth, faults, plan_worth
from tests.planner.optimise.instances import random_problem
from tests.planner.optimise.support import instance, prepared, truth_of

PER_KIND = 120
FAST_PER_KIND = 8
CASES = [(kind, seed) for kind in ("random", "planted") for seed in range(PER_KIND)]
SEARCHED = [
    pytest.param(kind, seed, marks=[] if seed < FAST_PER_KIND else [pytest.mark.slow], id=f"{kind}-{seed}")
    for kind, seed in CASES
]
STOP = Stop(gap=0.0, work_limit=2, time_limit_s=600.0)  # by counted work: the clock never decides
NOISE = 1e-9
CALLED_OPTIMAL = 1.1e-7


def scale(*values: float) -> float:
    return max(1.0, *(abs(v) for v in values))


def check_plan(problem: Problem, plan: Plan, truth: Truth) -> None:
    """A plan keeps every rule, is worth what it says, and lies with its bound on the right sides of the truth."""
    canonical, graph, open_ = prepared(problem)
    rank = {id_: i for i, id_ in enumerate(canonical.parcel_ids)}
    moved = [replace(b, parcels=tuple(sorted(rank[problem.parcel_ids[i]] for i in b.parcels))) for b in plan.blocks]
    assert faults(problem, plan.blocks) == []
    assert plan_faults(canonical, graph, moved, open_) == []
    noise = NOISE * scale(truth.optimum, plan.bound)
    assert plan.objective == pytest.approx(plan_worth(problem, plan.blocks), abs=noise)
    assert plan.objective <= truth.optimum + noise
    assert truth.optimum <= plan.bound + noise
    assert all(point.bound >= truth.optimum - noise for point in plan.trace), "a bound on the way was wrong"
    if plan.status == "optimal":
        assert plan.gap_abs <= 1e-5 * scale(plan.bound)
        assert plan.objective >= truth.optimum - CALLED_OPTIMAL * scale(truth.optimum, plan.bound)


def check_shortfalls(problem: Problem, error: InfeasibleError | NoPlanInTimeError) -> None:
    """What is called the most that can be reached is at least that."""
    if "locked" in error.details:
        assert str(error).startswith("No plan can contain every locked parcel")
        return
    rows = error.shortfalls
    brute = Brute(problem)
    names = [t.name for t in problem.targets]
    assert [r.target for r in rows] == [t.name for t in problem.targets if t.floor_mu > 0]
    for row in rows:
        most = brute.reach(names.index(row.target))
        assert row.proven_max_mu is not None
        assert row.proven_max_mu >= most - 1e-6, row


@pytest.mark.parametrize(("kind", "seed"), CASES, ids=str)
def test_listing_all_blocks_is_exact(kind: str, seed: int) -> None:
    problem, truth = instance(kind, seed), truth_of(kind, seed)
    try:
        plan = solve(problem, STOP)
    except InfeasibleError as error:
        assert not truth.feasible
        check_shortfalls(problem, error)
        return
    assert plan.status == "optimal"
    assert plan.gap_abs <= CALLED_OPTIMAL * scale(plan.bound)
    check_plan(problem, plan, truth)


@cache
def searched(kind: str, seed: int) -> Plan | InfeasibleError | NoPlanInTimeError:
    """What the optimiser says without listing blocks."""
    try:
        return solve(instance(kind, seed), STOP, enumerate_small=False)
    except (InfeasibleError, NoPlanInTimeError) as error:
        return error


@pytest.mark.parametrize(("kind", "seed"), SEARCHED)
def test_search_and_bound_enclose_the_truth(kind: str, seed: int) -> None:
    problem, truth = instance(kind, seed), truth_of(kind, seed)
    answer = searched(kind, seed)
    if isinstance(answer, Plan):
        check_plan(problem, answer, truth)
        return
    check_shortfalls(problem, answer)
    if isinstance(answer, InfeasibleError):
        assert not truth.feasible


@pytest.mark.parametrize("per_kind", [FAST_PER_KIND, pytest.param(PER_KIND, marks=pytest.mark.slow)])
def test_search_seldom_misses(per_kind: int) -> None:
    """Two rounds on a dozen parcels: a plan nearly always where one exists, and mostly the best one."""
    cases = [(kind, seed) for kind, seed in CASES if seed < per_kind and truth_of(kind, seed).feasible]
    plans = {case: answer for case in cases if isinstance(answer := searched(*case), Plan)}
    best = [c for c, p in plans.items() if p.objective >= truth_of(*c).optimum - CALLED_OPTIMAL * scale(p.objective)]
    assert len(plans) >= 0.98 * len(cases), sorted(set(cases) - set(plans))
    assert len(best) >= 0.95 * len(cases), sorted(set(cases) - set(best))


def without(problem: Problem, rule: str) -> Problem | None:
    """The problem with one rule dropped; None where it has no such rule."""
    n, targets, phases = problem.n, problem.targets, problem.phases
    match rule:
        case "study floor" if any(t.floor_mu and t.zone < 0 for t in targets):
            return replace(problem, targets=tuple(_no_floor(t) if t.zone < 0 else t for t in targets))
        case "zone floor" if any(t.floor_mu and t.zone >= 0 for t in targets):
            return replace(problem, targets=tuple(_no_floor(t) if t.zone >= 0 else t for t in targets))
        case "stretch" if problem.stretch_per_mu and any(t.stretch_mu for t in targets):
            return replace(problem, stretch_per_mu=0.0)
        case "budget" if any(p.budget is not None for p in phases):
            return replace(problem, phases=tuple(replace(p, budget=None) for p in phases))
        case "max_blocks" if any(p.max_blocks is not None for p in phases):
            return replace(problem, phases=tuple(replace(p, max_blocks=None) for p in phases))
        case "block_min":
            return replace(problem, block_min_mu=0.0)
        case "block_max":
            return replace(problem, block_max_mu=float(problem.area_mu.sum()))
        case "within_zone" if problem.within_zone:
            return replace(problem, within_zone=False)
        case "filler" if problem.filler.any():
            return replace(problem, filler_max_share=1.0)
        case "gate" if problem.earliest.any():
            return replace(problem, earliest=np.zeros(n, dtype=np.int64))
        case "lock" if (problem.lock_by >= 0).any():
            return replace(problem, lock_by=np.full(n, -1))
        case "excluded" if not problem.selectable.all():
            return replace(problem, selectable=np.ones(n, dtype=bool))
    return None


def _no_floor(target: Target) -> Target:
    return replace(target, floor_mu=0.0)


RULES = (
    "study floor",
    "zone floor",
    "stretch",
    "budget",
    "max_blocks",
    "block_min",
    "block_max",
    "within_zone",
    "filler",
    "gate",
    "lock",
    "excluded",
)
MIX_PER_KIND = 20
LEAST_BITES = 3


def test_mix_makes_every_rule_bite() -> None:
    """Without this a rule could be wrong and never show: it must decide the answer in some instances."""
    bites: Counter[str] = Counter()
    for kind, seed in CASES:
        truth = truth_of(kind, seed)
        if seed >= MIX_PER_KIND or not truth.feasible:
            continue
        for rule in RULES:
            freer = without(instance(kind, seed), rule)
            if freer is None:
                continue
            optimum = Brute(freer).truth().optimum
            assert optimum >= truth.optimum - NOISE * scale(truth.optimum)
            bites[rule] += optimum > truth.optimum + 1e-6 * scale(truth.optimum)
    assert {rule: bites[rule] for rule in RULES if bites[rule] < LEAST_BITES} == {}


def test_mix_is_wide() -> None:
    truths = [truth_of(kind, seed) for kind, seed in CASES]
    problems = [instance(kind, seed) for kind, seed in CASES]
    feasible = [t for t in truths if t.feasible]
    assert len(CASES) >= 200
    assert max(p.n for p in problems) == 12
    assert len(feasible) >= 170
    assert len(truths) - len(feasible) >= 30
    assert sum(len(t.blocks) >= 2 for t in feasible) >= 120
    assert sum(len({b.phase for b in t.blocks}) >= 2 for t in feasible) >= 60
    assert sum(len(b.parcels) >= 3 for t in feasible for b in t.blocks) >= 50
    assert sum(len(p.link_pairs) > 0 for p in problems) >= 60


@pytest.mark.parametrize("seed", range(60))
def test_brute_force_agrees_with_listing_every_plan(seed: int) -> None:
    """The yardstick itself, on five parcels, against listing plan by plan."""
    problem = random_problem(seed, 5)
    brute = Brute(problem)
    values = [plan_worth(problem, blocks) for blocks in brute.plans()]
    assert brute.truth().optimum == pytest.approx(max(values, default=-np.inf), abs=1e-9)
