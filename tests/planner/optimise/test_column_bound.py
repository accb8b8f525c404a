"""The column bound against the truth: it never cuts off a plan, and it knows the sizes of blocks."""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
import pytest

from planner.optimise.bound import CuttingPlanes
from planner.optimise.column_bound import PROOF, prove_by_columns
from planner.optimise.column_bound_master import Master, Multipliers, plan_rows
from planner.optimise.column_bound_pricing import best_of_family, questions
from planner.optimise.column_bound_windows import Family, Split, families, split_by_counts, without_splitting
from planner.optimise.events import BoundFound, PlanFound
from planner.optimise.formulation import Relaxation
from planner.optimise.lagrangian import Lagrangian, without_cuts
from planner.optimise.options import Options, make_options
from planner.optimise.presolve import without_fixed
from planner.optimise.stop import Clock
from planner.problem import Block, Phase, Problem, Target
from tests.planner.optimise.brute import Brute
from tests.planner.optimise.instances import grid_problem
from tests.planner.optimise.support import instance, prepared, truth_of

KINDS = ("random", "planted", "rich", "signed")
CASES = [(kind, seed) for kind in KINDS for seed in range(100)]


def noise(*values: float) -> float:
    return 2e-6 * max(1.0, *(abs(v) for v in values))


def ready(problem: Problem) -> tuple[Problem, Relaxation, Options]:
    """A problem of the parcels that some block may hold, and its relaxation."""
    canonical, _, open_ = prepared(problem)
    part = canonical.subset(np.asarray(open_.any(axis=1) | canonical.rolling))[0]
    relaxation = Relaxation(*prepared(part))
    return relaxation.problem, relaxation, make_options(relaxation.problem)


def loose(relaxation: Relaxation) -> float:
    lagrangian = Lagrangian(relaxation, relaxation.plan_goal(), without_cuts(relaxation))
    return lagrangian.bound(lagrangian.start())[0]


def column_events(relaxation: Relaxation, work: float) -> list[BoundFound | PlanFound]:
    return list(prove_by_columns(relaxation, loose(relaxation), 0.0, work, Clock(60.0)))


@pytest.mark.parametrize(
    ("kind", "seed"),
    [pytest.param(k, s, marks=[] if s < 3 else [pytest.mark.slow], id=f"{k}-{s}") for k, s in CASES],
)
def test_never_below_the_best_plan(kind: str, seed: int) -> None:
    """All rules, fixed blocks, modes, rolling: every bound on the way, however early it is cut short."""
    truth = truth_of(kind, seed)
    if not truth.feasible:
        return
    reduced = without_fixed(instance(kind, seed).canonical()[0])
    _, relaxation, _ = ready(instance(kind, seed))
    if relaxation.n_x == 0:
        return
    for event in column_events(relaxation, 4.0):
        if isinstance(event, BoundFound):
            assert event.bound + reduced.constant >= truth.optimum - noise(truth.optimum, event.bound)
        else:
            assert event.objective + reduced.constant <= truth.optimum + noise(truth.optimum)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("seed", range(30))
def test_the_best_plan_lies_in_a_part(kind: str, seed: int) -> None:
    """Numbers and sizes of blocks that follow from the targets are those of a real plan."""
    problem = instance(kind, seed).canonical()[0]
    truth = Brute(replace(problem, fixed=())).truth() if not problem.fixed else None
    if truth is None or not truth.feasible:
        return
    _, graph, open_ = prepared(problem)
    options = make_options(problem)
    found = families(problem, graph, open_)
    parts = split_by_counts(problem, options, found)
    whole = without_splitting(problem, options, found)
    assert whole is not None
    for part in (whole, *parts):
        assert len(part.smallest) == len(found)
    assert any(_holds(problem, options, found, part, truth.blocks) for part in parts)
    assert _holds(problem, options, found, whole, truth.blocks)


def _holds(problem: Problem, options: Options, found: list[Family], part: Split, blocks: tuple[Block, ...]) -> bool:
    """Whether some choice of families for the blocks keeps the sizes and numbers of a part."""
    choices = []
    for block in blocks:
        o = options.of(block.phase, block.mode)
        area = float(problem.area_mu[list(block.parcels)].sum())
        mine = [
            f
            for f, family in enumerate(found)
            if family.option == o
            and set(block.parcels) <= set(family.parcels.tolist())
            and part.smallest[f] - 1e-9 <= area <= part.largest[f] + 1e-9
        ]
        choices.append(mine)
    for taken in itertools.product(*choices):
        count = np.bincount(np.array(taken, dtype=int), minlength=len(found))
        if all(s.least <= count[s.inside].sum() <= s.most for s in part.stages):
            return True
    return False


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("seed", range(10))
def test_any_multipliers_give_a_bound(kind: str, seed: int) -> None:
    """Drawn prices, the best block of each family found by trying all."""
    problem = instance(kind, seed).canonical()[0]
    if problem.fixed:
        return
    brute = Brute(problem)
    truth = brute.truth()
    if not truth.feasible:
        return
    _, graph, open_ = prepared(problem)
    options = make_options(problem)
    found = families(problem, graph, open_)
    rows, worth = (
        plan_rows(problem, options, found),
        options.net - (problem.perimeter_per_m * problem.perimeter_m)[:, None],
    )
    masters = [Master(problem, worth, found, rows, part) for part in split_by_counts(problem, options, found)]
    rng = np.random.default_rng(seed)
    for _ in range(5):
        bounds = []
        for master in masters:
            size = float(np.abs(worth).max())
            prices = master.clipped(
                Multipliers(rng.normal(size=problem.n) * size, rng.normal(size=len(master.rows)) * size * 0.1)
            )
            bounds.append(master.bound(prices, _most(problem, brute, options, master, prices)))
        assert max(bounds) >= truth.optimum - noise(truth.optimum, *bounds)


def _most(problem: Problem, brute: Brute, options: Options, master: Master, prices: Multipliers) -> np.ndarray:
    most = np.full(len(master.found), -np.inf)
    for f, family in enumerate(master.found):
        if not master.open[f]:
            continue
        o = family.option
        weight = master.weight(prices, o)
        land = sum(1 << int(i) for i in family.parcels)
        for mask in brute.blocks_in(int(options.phase[o]), int(options.mode[o])):
            area = brute.area[mask]
            if not mask & ~land and master.split.smallest[f] <= area <= master.split.largest[f]:
                saved = problem.perimeter_m[_bits(mask)].sum() - brute.perimeter[mask]
                most[f] = max(most[f], float(weight[_bits(mask)].sum() + problem.perimeter_per_m * saved))
    return most


def _bits(mask: int) -> list[int]:
    return [i for i in range(mask.bit_length()) if mask >> i & 1]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("seed", range(10))
def test_the_limit_of_a_family_holds(kind: str, seed: int) -> None:
    """Exact pricing against all blocks, finished and cut short at once."""
    problem = instance(kind, seed).canonical()[0]
    if problem.fixed:
        return
    brute = Brute(problem)
    _, graph, open_ = prepared(problem)
    options = make_options(problem)
    found = families(problem, graph, open_)
    part = without_splitting(problem, options, found)
    if part is None:
        return
    worth = options.net - (problem.perimeter_per_m * problem.perimeter_m)[:, None]
    master = Master(problem, worth, found, [], part)
    prices = master.clipped(
        Multipliers(np.random.default_rng(seed).random(problem.n) * np.abs(worth).mean(), np.zeros(len(master.rows)))
    )
    truth = _most(problem, brute, options, master, prices)
    for f, question in enumerate(questions(problem, graph, options, found)):
        if master.open[f]:
            for work in (0.0, np.inf):
                size = float(part.smallest[f]), float(part.largest[f])
                _, limit = best_of_family(question, master.weight(prices, found[f].option), *size, 0.0, work, 30.0)
                assert limit >= truth[f] - noise(truth[f])


def two_phases() -> Problem:
    """A row of ten parcels of 10 mu; 30 mu by the first phase, 50 by the second, blocks of 20 to 50."""
    return grid_problem(
        10,
        1,
        benefit=np.array([9.0, 1, 9, 1, 9, 1, 9, 1, 9, 1]),
        phases=(Phase("P1", 1, 1.0, None, 1), Phase("P2", 2, 0.5)),
        targets=(Target("P1", 0, -1, 30.0, ceiling=30.0), Target("P2", 1, -1, 50.0, ceiling=50.0)),
        block_min_mu=20.0,
        block_max_mu=50.0,
    )


def test_sizes_by_hand() -> None:
    """One block of 30 mu in the first phase, one of 20 in the second: ceilings leave no room for others."""
    problem, relaxation, options = ready(two_phases())
    found = families(problem, relaxation.graph, relaxation.open)
    (part,) = split_by_counts(problem, options, found)
    assert part.smallest == pytest.approx([30.0, 20.0], abs=1e-4)
    assert part.largest == pytest.approx([30.0, 20.0], abs=1e-4)
    assert {(s.inside.tolist()[0], s.inside.tolist()[1], s.least, s.most) for s in part.stages} >= {
        (True, False, 1, 1),
        (False, True, 1, 1),
    }


def test_numbers_of_blocks_are_told_apart() -> None:
    """60 mu in blocks of 20 to 60: one of 60, two of 20 to 40, or three of 20."""
    problem, relaxation, options = ready(
        grid_problem(10, 1, targets=(Target("P1", 0, -1, 60.0, ceiling=60.0),), block_min_mu=20.0, block_max_mu=60.0)
    )
    found = families(problem, relaxation.graph, relaxation.open)
    parts = split_by_counts(problem, options, found)
    sizes = [(round(float(p.smallest[0])), round(float(p.largest[0]))) for p in parts]
    assert sizes == [(60, 60), (20, 40), (20, 20)]


def test_tighter_than_cuts_where_sizes_bind() -> None:
    """Rich and poor parcels in turn: cuts mix parts of blocks, whole blocks of 30 and 20 mu cannot."""
    problem, relaxation, _ = ready(two_phases())
    planes = CuttingPlanes(relaxation)
    clock = Clock(60.0)
    while planes.step(clock):
        pass
    truth = Brute(problem).truth().optimum
    bounds = [e for e in column_events(relaxation, 30.0) if isinstance(e, BoundFound)]
    assert bounds[-1].bound == pytest.approx(truth, abs=1e-4)
    assert planes.best > truth + 0.5
    assert bounds[-1].proof in {PROOF, planes.proof}
    assert all(a.bound >= b.bound and a.work <= b.work for a, b in itertools.pairwise(bounds))


def test_the_same_every_time() -> None:
    _, relaxation, _ = ready(two_phases())
    told = [[(type(e), e.work) for e in column_events(relaxation, 30.0)] for _ in range(2)]
    assert told[0] == told[1]
