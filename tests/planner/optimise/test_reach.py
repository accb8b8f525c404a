"""How far targets can be reached: proofs that hold, and messages that say so in mu."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from planner.errors import InfeasibleError, NoPlanInTimeError
from planner.optimise import Stop, exact, solve
from planner.optimise.formulation import Relaxation
from planner.optimise.master import MasterResult
from planner.optimise.reach import infeasible, joint_shortage, proven_reach, require_reachable, shortfalls
from planner.optimise.stop import Clock
from planner.problem import Phase, Problem, Target
from tests.planner.optimise.brute import NEVER, Brute
from tests.planner.optimise.instances import grid_problem
from tests.planner.optimise.support import instance, prepared

CASES = [("planted", s) for s in range(40)] + [("random", s) for s in range(60)]


def relaxed(problem: Problem) -> Relaxation:
    canonical, _, open_ = prepared(problem)
    return Relaxation(*prepared(canonical.subset(open_.any(axis=1))[0]))


@pytest.mark.parametrize(("kind", "seed"), CASES, ids=str)
def test_no_plan_goes_beyond_the_proven_reach(kind: str, seed: int) -> None:
    problem = instance(kind, seed)
    _, _, open_ = prepared(problem)
    brute = Brute(problem)
    if not open_.any():
        assert all(brute.reach(k) <= 0.0 for k in range(len(problem.targets)))
        return
    reach = proven_reach(relaxed(problem), 12, Clock(60.0))
    for k, target in enumerate(problem.targets):
        assert reach[k] >= brute.reach(k) - 1e-6
        assert reach[k] <= brute.counted(target.zone)[-1] + 1e-6


@pytest.mark.parametrize("seed", range(40))
def test_no_shortage_is_proven_where_a_plan_exists(seed: int) -> None:
    relaxation = relaxed(instance("planted", seed))
    assert joint_shortage(relaxation, 12, Clock(60.0)) <= 1e-5
    require_reachable(relaxation, 12, Clock(60.0))


@pytest.mark.parametrize("seed", range(40))
def test_raised_floors_are_proven_out_of_reach(seed: int) -> None:
    """A floor above all land that can be taken: proven without listing blocks, with the truth or more as the most."""
    problem = instance("planted", seed)
    brute = Brute(problem)
    high = tuple(replace(t, floor=float(problem.area_mu.sum()) + 1.0) for t in problem.targets[:1])
    if not high:
        high = (Target("all", len(problem.phases) - 1, -1, float(problem.area_mu.sum()) + 1.0),)
        brute = Brute(replace(problem, targets=high))
    asked = replace(problem, targets=high)
    with pytest.raises(InfeasibleError) as caught:
        solve(asked, Stop(work_limit=2, time_limit_s=600.0), enumerate_small=False)
    (row,) = caught.value.shortfalls
    assert row.proven_max_mu is not None
    assert brute.reach(0) - 1e-6 <= row.proven_max_mu < row.target_mu
    assert f"at most {row.proven_max_mu:.2f} mu" in str(caught.value)


def test_reach_by_hand() -> None:
    """A row of six, parcel 3 excluded, blocks of 20 to 30 mu: 0–2 give 30, 4–5 give 20; zone A is {4, 5}."""
    problem = grid_problem(
        6,
        1,
        selectable=np.arange(6) != 3,
        zones=("A",),
        zone=np.where(np.arange(6) >= 4, 0, -1),
        block_min_mu=20.0,
        block_max_mu=30.0,
        targets=(Target("all", 0, -1, 51.0), Target("A", 0, 0, 20.0)),
    )
    assert [Brute(problem).reach(k) for k in (0, 1)] == [50.0, 20.0]
    assert proven_reach(relaxed(problem), 12, Clock(10.0)) == pytest.approx([50.0, 20.0], abs=1e-5)
    assert joint_shortage(relaxed(problem), 12, Clock(10.0)) == pytest.approx(1.0, abs=1e-5)
    for listing in (True, False):
        with pytest.raises(InfeasibleError, match=r"target all: at most 50\.00 mu .* 51\.00 mu .* by 1\.00 mu"):
            solve(problem, Stop(work_limit=2), enumerate_small=listing)


def test_cuts_tighten_the_reach() -> None:
    """Two pairs of 10 mu joined by nothing and a lone parcel: L = 20 leaves 40 of 50 mu."""
    problem = grid_problem(5, 1, block_min_mu=20.0, targets=(Target("P1", 0, -1, 45.0),))
    keep = [0, 2]  # contacts 0–1 and 2–3
    problem = replace(problem, pairs=problem.pairs[keep], shared_m=problem.shared_m[keep])
    with pytest.raises(InfeasibleError, match=r"at most 40\.00 mu"):
        solve(problem, Stop(work_limit=2), enumerate_small=False)


def two_zones_one_block() -> Problem:
    """A row of four, 20 mu in each of two zones, blocks within a zone, one block in all: one zone or the other."""
    return grid_problem(
        4,
        1,
        phases=(Phase("P1", 1, 1.0, None, 1),),
        zones=("A", "B"),
        zone=np.array([0, 0, 1, 1]),
        within_zone=True,
        block_max_mu=20.0,
        targets=(Target("A", 0, 0, 20.0), Target("B", 0, 1, 20.0)),
    )


def test_targets_that_exclude_each_other() -> None:
    problem = two_zones_one_block()
    assert [Brute(problem).reach(k) for k in (0, 1)] == [20.0, 20.0]
    assert joint_shortage(relaxed(problem), 12, Clock(10.0)) == pytest.approx(20.0, abs=1e-4)
    for listing in (True, False):
        with pytest.raises(InfeasibleError) as caught:
            solve(problem, Stop(work_limit=3), enumerate_small=listing)
        assert [r.proven_max_mu for r in caught.value.shortfalls] == pytest.approx([20.0, 20.0], abs=1e-4)


def test_message_gives_mu_for_targets_that_exclude_each_other() -> None:
    with pytest.raises(InfeasibleError, match=r"20\.00 mu"):
        solve(two_zones_one_block())


def test_joint_shortage_is_told_without_listing() -> None:
    with pytest.raises(InfeasibleError, match=r"at least 20\.00 mu are missing in all"):
        solve(two_zones_one_block(), Stop(work_limit=3), enumerate_small=False)


def test_no_answer_is_no_proof_of_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """A row of four, blocks of 20 to 30 mu, floor 35: 30 mu can be reached.

    The plan is proven impossible, then time runs out before the reach is known: all land is the most that is proven.
    """
    problem = grid_problem(4, 1, block_min_mu=20.0, block_max_mu=30.0, targets=(Target("P1", 0, -1, 35.0),))
    problem = replace(problem, phases=(Phase("P1", 1, 1.0, None, 1),))
    assert Brute(problem).reach(0) == 30.0
    answers = [MasterResult(None, None, True), *[MasterResult(None, None, False)] * 2]
    monkeypatch.setattr(exact, "solve_master", lambda *_args, **_named: answers.pop(0))
    pool = exact.enumerate_pool(*prepared(problem))
    assert pool is not None
    with pytest.raises(InfeasibleError) as caught:
        exact.solve_exactly(pool, 0, Clock(60.0))
    (row,) = caught.value.shortfalls
    assert row.proven_max_mu is None or row.proven_max_mu >= 30.0


def test_no_plan_in_time_tells_found_and_proven() -> None:
    """No time at all: no plan, and the reach is at least what land there is."""
    problem = grid_problem(7, 7, block_min_mu=20.0, targets=(Target("P1", 0, -1, 100.0),))
    with pytest.raises(NoPlanInTimeError, match=r"target P1: asked 100\.00 mu.* proven maximum") as caught:
        solve(problem, Stop(time_limit_s=0.0))
    (row,) = caught.value.shortfalls
    assert row.proven_max_mu is not None
    assert row.proven_max_mu >= 490.0 - 1e-6


def test_shortfalls_lists_floors_only() -> None:
    problem = grid_problem(2, 1, targets=(Target("a", 0, -1, 5.0), Target("b", 0, -1, 0.0, 20.0)))
    rows = shortfalls(problem, [7.0, 8.0], None)
    assert [(r.target, r.target_mu, r.proven_max_mu, r.found_mu) for r in rows] == [("a", 5.0, 7.0, None)]


def test_message_of_each_kind() -> None:
    problem = grid_problem(2, 1, targets=(Target("north", 0, -1, 15.0), Target("south", 0, -1, 12.0)))
    assert "target north: at most 10.00 mu can be reached, 15.00 mu are asked for (lower it by 5.00 mu)" in str(
        infeasible(problem, [10.0, 12.0], 5.0, "p")
    )
    assert "at least 3.00 mu are missing in all (north: 15.00 mu asked" in str(infeasible(problem, [15, 12], 3.0, "p"))
    assert "block sizes, locks, ceilings, budgets" in str(infeasible(problem, [15.0, 12.0], 0.0, "p"))
    assert infeasible(problem, [10.0, 12.0], 5.0, "why").details["proof"] == "why"


def test_brute_reach_of_the_impossible() -> None:
    """The yardstick: two locked parcels and one block of one parcel."""
    problem = grid_problem(
        3, 1, lock_by=np.array([0, -1, 0]), phases=(Phase("P1", 1, 1.0, None, 1),), block_max_mu=10.0,
        targets=(Target("P1", 0, -1, 5.0),),
    )  # fmt: skip
    assert Brute(problem).reach(0) == NEVER
    with pytest.raises(InfeasibleError):
        solve(problem)
