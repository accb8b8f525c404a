"""The yardstick itself: random problems in which every rule decides something, and a brute force to be trusted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from planner.problem import Problem, Target
from planner.problem_checks import check_problem
from planner.problem_json import problem_to_dict
from tests.planner.optimise.brute import Brute, faults, plan_worth
from tests.planner.optimise.instances import priced, random_problem
from tests.planner.optimise.rich import MOST_OPTIONS, MOST_PARCELS, rich_case, rich_problem
from tests.planner.optimise.support import instance, truth_of

CASES = [(kind, seed) for kind in ("random", "planted", "rich") for seed in range(120)]
MIX_PER_KIND = {"random": 20, "planted": 20, "rich": 120}
LEAST_BITES = 2
NOISE = 1e-9


def targets_with(problem: Problem, change: Callable[[Target], Target]) -> Problem:
    return replace(problem, targets=tuple(change(t) for t in problem.targets))


def _no_floor(wanted: Callable[[Target], bool]) -> Callable[[Problem], Problem]:
    return lambda p: targets_with(p, lambda t: replace(t, floor=0.0) if wanted(t) else t)


def _no_ceiling(wanted: Callable[[Target], bool]) -> Callable[[Problem], Problem]:
    return lambda p: targets_with(p, lambda t: replace(t, ceiling=None) if wanted(t) else t)


WITHOUT: dict[str, Callable[[Problem], Problem]] = {
    "study floor": _no_floor(lambda t: t.zone < 0 and t.group < 0 and t.measure == "mu"),
    "zone floor": _no_floor(lambda t: t.zone >= 0 and t.group < 0 and t.measure == "mu"),
    "group floor": _no_floor(lambda t: t.group >= 0 and t.measure == "mu"),
    "floor of floor area": _no_floor(lambda t: t.measure == "floor_m2"),
    "floor of projects": _no_floor(lambda t: t.measure == "blocks"),
    "ceiling": _no_ceiling(lambda t: t.measure == "mu"),
    "ceiling of floor area": _no_ceiling(lambda t: t.measure == "floor_m2"),
    "ceiling of projects": _no_ceiling(lambda t: t.measure == "blocks"),
    "stretch": lambda p: priced(p, 0.0),
    "budget": lambda p: replace(p, phases=tuple(replace(x, budget=None) for x in p.phases)),
    "max_blocks": lambda p: replace(p, phases=tuple(replace(x, max_blocks=None) for x in p.phases)),
    "resources": lambda p: replace(p, resources=()),
    "block_min": lambda p: replace(p, block_min_mu=0.6 * p.block_min_mu),
    "block_max": lambda p: replace(p, block_max_mu=float(p.area_mu.sum())),
    "within_zone": lambda p: replace(p, within_zone=False),
    "filler": lambda p: replace(p, filler_max_share=1.0),
    "villages": lambda p: replace(p, max_villages=None),
    "share of a block": lambda p: replace(p, block_rules=tuple(r for r in p.block_rules if r.share_of is None)),
    "amount of a block": lambda p: replace(p, block_rules=tuple(r for r in p.block_rules if r.share_of is not None)),
    "gate": lambda p: replace(p, earliest=np.zeros(p.n, dtype=np.int64)),
    "lock": lambda p: replace(p, lock_by=np.full(p.n, -1)),
    "excluded": lambda p: replace(p, selectable=np.ones(p.n, dtype=bool)),
    "allowed modes": lambda p: replace(p, mode_open=None),
    "duration": lambda p: replace(p, modes=tuple(replace(m, duration=0) for m in p.modes)),
    "fixed": lambda p: replace(p, fixed=()),
    "rolling": lambda p: replace(p, rolling=False),
}
FREER = set(WITHOUT) - {"duration", "fixed"}
"""Dropping these can only help; the other two may change which limits bind either way."""


@pytest.mark.slow
def test_mix_makes_every_rule_bite() -> None:
    """Without this a rule could be wrong and never show: it must decide the answer in some instances."""
    bites: Counter[str] = Counter()
    for kind, seed in CASES:
        truth = truth_of(kind, seed)
        if seed >= MIX_PER_KIND[kind] or not truth.feasible:
            continue
        problem = instance(kind, seed)
        document = problem_to_dict(problem)
        for rule, without in WITHOUT.items():
            freer = without(problem)
            if problem_to_dict(freer) == document:
                continue
            optimum = Brute(freer).truth().optimum
            size = max(1.0, abs(truth.optimum))
            assert rule not in FREER or optimum >= truth.optimum - NOISE * size, (kind, seed, rule)
            bites[rule] += abs(optimum - truth.optimum) > 1e-6 * size
    assert {rule: bites[rule] for rule in WITHOUT if bites[rule] < LEAST_BITES} == {}


def test_mix_is_wide() -> None:
    truths = [truth_of(kind, seed) for kind, seed in CASES]
    problems = [instance(kind, seed) for kind, seed in CASES]
    feasible = [t for t in truths if t.feasible]
    assert len(CASES) >= 300
    assert max(p.n for p in problems) == 12
    assert len(feasible) >= 270
    assert len(truths) - len(feasible) >= 35
    assert sum(len(t.blocks) >= 2 for t in feasible) >= 200
    assert sum(len({b.phase for b in t.blocks}) >= 2 for t in feasible) >= 100
    assert sum(len({b.mode for b in t.blocks}) >= 2 for t in feasible) >= 20
    assert sum(len(b.parcels) >= 3 for t in feasible for b in t.blocks) >= 70
    assert sum(len(p.link_pairs) > 0 for p in problems) >= 80
    assert sum(p.rolling and p.existing_from is not None for p in problems) >= 10
    assert sum(p.rolling and bool(p.fixed) for p in problems) >= 5


@pytest.mark.parametrize("seed", range(40))
def test_hidden_plan_keeps_every_rule(seed: int) -> None:
    problem, plan = rich_case(seed)
    check_problem(problem)
    assert problem.n <= MOST_PARCELS
    assert len(problem.phases) * len(problem.modes) <= MOST_OPTIONS
    if seed % 8 != 7:
        assert faults(problem, plan) == []
        assert Brute(problem).truth().optimum >= plan_worth(problem, plan) - NOISE


@pytest.mark.parametrize("seed", range(40))
@pytest.mark.parametrize("make", [random_problem, rich_problem])
def test_brute_force_agrees_with_listing_every_plan(make: Callable[..., Problem], seed: int) -> None:
    """On five parcels, against listing plan by plan."""
    problem = make(seed, 5)
    brute = Brute(problem)
    plans = [*brute.plans()]
    values = [plan_worth(problem, blocks) for blocks in plans]
    truth = brute.truth()
    assert truth.optimum == pytest.approx(max(values, default=-np.inf), abs=1e-9)
    if truth.feasible:
        assert plan_worth(problem, truth.blocks) == pytest.approx(truth.optimum, abs=1e-9)


@pytest.mark.parametrize("seed", range(30))
def test_two_ways_of_brute_force_agree(seed: int) -> None:
    """Dynamic programming over masks, and family by family."""
    brute = Brute(random_problem(seed, 7))
    assert brute.plain
    assert brute._search(floors=True, aim=None)[0] == pytest.approx(brute.truth().optimum, abs=1e-9)
    for k in range(len(brute.problem.targets)):
        assert brute._search(floors=False, aim=k)[0] == pytest.approx(brute.reach(k), abs=1e-9)
