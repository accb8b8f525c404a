"""Same input, same plan; the order of parcels is no input."""

from __future__ import annotations

from dataclasses import replace
from itertools import groupby, pairwise

import numpy as np
import pytest

from planner.errors import InfeasibleError, NoPlanInTimeError
from planner.optimise import Stop, solve
from planner.problem import OPTIONAL_ARRAYS, PARCEL_ARRAYS, Plan, Problem
from tests.planner.optimise.support import instance
from tests.planner.optimise.test_stop import hard_problem

ByIds = set[tuple[int, int, frozenset[str]]]


def shuffled(problem: Problem, seed: int) -> Problem:
    """The same problem with its parcels, contacts and links in another order."""
    rng = np.random.default_rng(seed)
    order = rng.permutation(problem.n)
    rank = np.argsort(order)

    def moved(pairs: np.ndarray, values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        mix = rng.permutation(len(pairs))
        return np.sort(rank[pairs], axis=1)[mix] if len(pairs) else pairs, values[mix]

    def by_parcel(array: np.ndarray | None) -> np.ndarray | None:
        return None if array is None else array[order]

    pairs, shared = moved(problem.pairs, problem.shared_m)
    links, gaps = moved(problem.link_pairs, problem.gap_m)
    rules = (replace(r, amount=r.amount[order], share_of=by_parcel(r.share_of)) for r in problem.block_rules)
    return replace(
        problem,
        parcel_ids=tuple(problem.parcel_ids[i] for i in order),
        pairs=pairs,
        shared_m=shared,
        link_pairs=links,
        gap_m=gaps,
        groups=tuple(replace(g, members=g.members[order]) for g in problem.groups),
        resources=tuple(replace(r, use=r.use[order]) for r in problem.resources),
        block_rules=tuple(rules),
        fixed=tuple(replace(b, parcels=tuple(sorted(rank[list(b.parcels)].tolist()))) for b in problem.fixed),
        before=tuple(replace(b, parcels=tuple(sorted(rank[list(b.parcels)].tolist()))) for b in problem.before),
        **{name: by_parcel(getattr(problem, name)) for name in (*PARCEL_ARRAYS, *OPTIONAL_ARRAYS)},
    )


def by_ids(problem: Problem, plan: Plan) -> ByIds:
    return {(b.phase, b.mode, frozenset(problem.parcel_ids[i] for i in b.parcels)) for b in plan.blocks}


def answer(problem: Problem, stop: Stop, seed: int = 0, *, listing: bool = True) -> tuple[object, ...]:
    try:
        plan = solve(problem, stop, seed, enumerate_small=listing)
    except (InfeasibleError, NoPlanInTimeError) as error:
        return type(error), error.shortfalls
    return plan.objective, plan.bound, plan.status, plan.stopped_by, plan.rounds, frozenset(by_ids(problem, plan))


@pytest.mark.parametrize("listing", [True, False], ids=["listing", "search"])
@pytest.mark.parametrize(("kind", "seed"), [(k, s) for k in ("planted", "random", "rich", "signed") for s in range(3)])
def test_order_of_parcels_changes_nothing(kind: str, seed: int, listing: bool) -> None:
    problem = instance(kind, seed)
    stop = Stop(gap=0.0, work_limit=1, time_limit_s=600.0)
    assert answer(problem, stop, listing=listing) == answer(shuffled(problem, seed), stop, listing=listing)


def test_order_changes_nothing_on_a_larger_problem() -> None:
    problem = hard_problem()
    stop = Stop(gap=0.0, work_limit=1, time_limit_s=600.0)
    assert answer(problem, stop) == answer(shuffled(problem, 1), stop)


@pytest.mark.parametrize(
    "stop",
    [Stop(gap=0.3, time_limit_s=600.0), Stop(gap=0.0, work_limit=2, time_limit_s=600.0)],
    ids=["by gap", "by work"],
)
def test_same_seed_same_plan(stop: Stop) -> None:
    """Every figure but the seconds, the whole way there included."""
    first, second = (solve(hard_problem(), stop, 7) for _ in range(2))
    assert first.blocks == second.blocks
    assert first.stopped_by == ("work" if stop.work_limit else "gap")
    assert first.rounds == (stop.work_limit or first.rounds)
    assert replace(first, trace=()) == replace(second, trace=())
    assert [(p.objective, p.bound) for p in first.trace] == [(p.objective, p.bound) for p in second.trace]


def test_the_seed_is_used() -> None:
    """Not that answers must differ, but over several seeds the way there does."""
    ways = {
        tuple(p.objective for p in solve(hard_problem(), Stop(gap=0.0, work_limit=1, time_limit_s=600.0), s).trace)
        for s in range(2)
    }
    assert len(ways) > 1


def test_blocks_come_in_the_promised_order() -> None:
    """By phase, then by smallest parcel, in the order of the problem given; members ascending."""
    for seed in range(12):
        plan = solve(instance("planted", seed))
        keys = [(b.phase, b.parcels) for b in plan.blocks]
        assert all(list(b.parcels) == sorted(b.parcels) for b in plan.blocks)
        assert [phase for phase, _ in keys] == sorted(phase for phase, _ in keys)


def test_blocks_of_a_phase_come_by_the_id_that_is_first() -> None:
    """Not by position, so that the names of blocks do not depend on the order of the input."""
    for seed in range(12):
        problem = instance("planted", seed)
        plan = solve(problem)
        keys = [(b.phase, sorted(problem.parcel_ids[i] for i in b.parcels)) for b in plan.blocks]
        assert keys == sorted(keys)


@pytest.mark.parametrize("case", ["hard", *range(6)], ids=str)
def test_reports_only_get_better(case: str | int) -> None:
    """The plan never gets worse and the bound never rises; seconds pass; the trace tells the same story."""
    problem = hard_problem() if case == "hard" else instance("planted", int(case))
    seen: list[tuple[float | None, float, float]] = []
    stop = Stop(gap=0.0, work_limit=2, time_limit_s=600.0)
    plan = solve(problem, stop, report=lambda *row: seen.append(row), enumerate_small=case == "hard")
    assert len(seen) >= 2
    for (value, bound, seconds), (later, tighter, after) in pairwise(seen):
        assert later is not None or value is None
        if value is not None and later is not None:
            assert later >= value
        assert tighter <= bound
        assert after >= seconds
    assert seen[-1][:2] == (plan.objective, plan.bound)
    changes = [row for row, _ in groupby(row[:2] for row in seen)]
    assert [(p.objective, p.bound) for p in plan.trace] == changes
