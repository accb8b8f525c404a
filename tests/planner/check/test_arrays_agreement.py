"""The judge of arrays against independent code, on the best plans of random problems and on spoilt ones."""

from __future__ import annotations

import numpy as np
import pytest

from planner.check.arrays import check_solution
from planner.problem import Block
from tests.planner.check.arrays_builders import documents
from tests.planner.optimise.plain import faults, plan_worth, reached
from tests.planner.optimise.support import instance, spoilt, truth_of

SPOILT_PLANS = 12
RULES = {
    "pieces": "contiguity",
    "size": "block_size",
    "filler": "filler",
    "zones": "within_zone",
    "villages": "villages",
    "rule": "block_rules",
    "twice": "assignment",
    "fixed": "fixed",
    "lock": "locks",
    "floor": "targets",
    "ceiling": "ceilings",
    "budget": "budgets",
    "max_blocks": "max_blocks",
    "resource": "resources",
    "rolling": "rolling",
}
AVAILABILITY = {"selectable", "earliest", "modes", "locks"}


@pytest.mark.parametrize("seed", range(40))
@pytest.mark.parametrize("kind", ["planted", "rich", "signed"])
def test_it_finds_what_is_wrong_and_nothing_else(kind: str, seed: int) -> None:
    problem = instance(kind, seed)
    start = truth_of(kind, seed).blocks or (Block((0,), 0),)
    rng = np.random.default_rng(seed)
    for blocks in [start, *(tuple(spoilt(rng, problem, start)) for _ in range(SPOILT_PLANS))]:
        wrong = set(faults(problem, blocks))
        report = check_solution(*documents(problem, blocks))
        found = {f.rule for f in report.findings} - {"completeness"}
        assert {RULES[w] for w in wrong - {"unavailable"}} <= found
        assert bool(found & AVAILABILITY) == bool(wrong & {"unavailable", "lock"})
        assert found <= {RULES[w] for w in wrong - {"unavailable"}} | AVAILABILITY
        assert report.passed == (not wrong)
        assert report.measured["objective"] == pytest.approx(plan_worth(problem, blocks), abs=1e-9)
        for k, target in enumerate(problem.targets):
            assert report.measured[f"reached[{target.name}]"] == pytest.approx(reached(problem, blocks, k), abs=1e-9)
