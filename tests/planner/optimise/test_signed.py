"""Resources with both signs in many periods, and milestones, on random small problems against the truth."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from planner.errors import InfeasibleError, NoPlanInTimeError
from planner.optimise import Stop, solve
from planner.optimise.limits import spendings
from planner.optimise.options import make_options
from planner.problem_checks import check_problem
from tests.planner.optimise.brute import Brute, faults, plan_worth
from tests.planner.optimise.plain import used_by
from tests.planner.optimise.signed import signed_case
from tests.planner.optimise.support import instance, truth_of
from tests.planner.optimise.test_brute_force import NOISE, check_plan

CASES = 300
FAST_LISTED, FAST_SEARCHED = 30, 12
STOP = Stop(gap=0.0, work_limit=2, time_limit_s=600.0)


def some_fast(fast: int) -> list[Any]:
    return [pytest.param(seed, marks=[] if seed < fast else [pytest.mark.slow]) for seed in range(CASES)]


@pytest.mark.parametrize("seed", some_fast(FAST_LISTED))
def test_listing_all_blocks_is_exact(seed: int) -> None:
    problem, truth = instance("signed", seed), truth_of("signed", seed)
    try:
        plan = solve(problem, STOP)
    except InfeasibleError:
        assert not truth.feasible
        return
    assert plan.status == "optimal"
    check_plan(problem, plan, truth)


@pytest.mark.parametrize("seed", some_fast(FAST_SEARCHED))
def test_search_and_bound_enclose_the_truth(seed: int) -> None:
    problem, truth = instance("signed", seed), truth_of("signed", seed)
    try:
        plan = solve(problem, STOP, enumerate_small=False)
    except InfeasibleError:
        assert not truth.feasible
        return
    except NoPlanInTimeError:
        return
    check_plan(problem, plan, truth)


@pytest.mark.parametrize("seed", range(40))
def test_hidden_plan_keeps_every_rule(seed: int) -> None:
    problem, plan = signed_case(seed)
    check_problem(problem)
    if seed % 8 not in {3, 7}:
        assert faults(problem, plan) == []
        assert Brute(problem).truth().optimum >= plan_worth(problem, plan) - NOISE


@pytest.mark.parametrize("seed", range(40))
def test_brute_force_agrees_with_listing_every_plan(seed: int) -> None:
    """On five parcels, against listing plan by plan."""
    problem = signed_case(seed, 5)[0]
    brute = Brute(problem)
    values = [plan_worth(problem, blocks) for blocks in brute.plans()]
    assert brute.truth().optimum == pytest.approx(max(values, default=-np.inf), abs=1e-9)


def test_the_mix_has_what_it_is_for() -> None:
    """Limits that bind, limits below nothing, amounts of both signs, milestones, problems without a plan."""
    problems = [instance("signed", seed) for seed in range(60)]
    truths = [truth_of("signed", seed) for seed in range(60)]
    free = [Brute(replace(p, resources=())).truth() for p in problems]
    assert sum(t.feasible and f.optimum > t.optimum + 1e-6 for t, f in zip(truths, free, strict=True)) >= 15
    assert sum(any((x or 0.0) < 0 for r in p.resources for x in r.limits) for p in problems) >= 20
    assert sum(any((r.use < 0).any() and (r.use > 0).any() for r in p.resources) for p in problems) >= 20
    assert sum(any(m.done for m in p.modes) for p in problems) >= 20
    assert sum(len({t.milestone for t in p.targets}) > 1 for p in problems) >= 8
    assert sum(t.feasible for t in truths) >= 40
    assert sum(not t.feasible for t in truths) >= 5


@pytest.mark.parametrize("seed", range(30))
def test_sums_are_those_of_single_blocks(seed: int) -> None:
    """Every account of the programs, block by block, against parcel by parcel."""
    problem, plan = signed_case(seed)
    options = make_options(problem)
    found = spendings(problem, options)
    resources = [s for s in found if s.label[0] == "resource"]
    wanted = [(x, r) for x in problem.resources for r, limit in enumerate(x.limits) if limit is not None]
    assert [s.label[1] for s in resources] == list(range(len(wanted)))
    for spending, (x, r) in zip(resources, wanted, strict=True):
        assert spending.limit == x.limits[r]
        full = spending.in_full(len(options))
        for block in plan:
            used = full[list(block.parcels), options.of(block.phase, block.mode)].sum()
            assert used == pytest.approx(used_by(x, block, r), abs=1e-9)
            assert x.of_block(block)[r] == pytest.approx(used_by(x, block, r), abs=1e-9)
