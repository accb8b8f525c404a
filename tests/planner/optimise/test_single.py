"""Problems that ask for one block: against all connected sets, and against published optima."""

from __future__ import annotations

import math
from dataclasses import replace
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
from scipy.sparse import csr_matrix

from benchmarks.mwcs import mwcs_problem, read_published
from benchmarks.places import MissingDataError, instances
from planner.optimise.connected import SingleBlock, ways
from planner.optimise.contract import contract
from planner.optimise.evaluate import objective, plan_faults
from planner.optimise.events import BoundFound, PlanFound
from planner.optimise.graph import Graph, build_graph
from planner.optimise.options import availability
from planner.optimise.rooted import Separator
from planner.optimise.rounding import extend, sets_near, trim
from planner.optimise.single import best_block, prove_single, single_task
from planner.problem import Block, BlockRule, Phase, Problem, Resource, Target
from tests.planner.optimise.instances import grid_problem

CLOSE = 1e-5


def random_graph(rng: np.random.Generator, n: int) -> Graph:
    every = np.array(list(combinations(range(n), 2)), dtype=np.int64).reshape(-1, 2)
    pairs = every[rng.random(len(every)) < rng.choice([0.2, 0.35, 0.5])]
    i, j = np.concatenate([pairs, pairs[:, ::-1]]).T
    order = np.lexsort((j, i))
    start = np.concatenate([[0], np.cumsum(np.bincount(i, minlength=n))]).astype(np.int64)
    return Graph(start, j[order], np.zeros(len(i)), pairs)


def free_task(graph: Graph, weight: np.ndarray, must: np.ndarray | None = None) -> SingleBlock:
    n, none = len(weight), np.zeros(0)
    held = np.zeros(n, dtype=bool) if must is None else must
    return SingleBlock(graph, weight, np.zeros(len(graph.pairs)), csr_matrix((0, n)), none, none, held, np.arange(n))


def random_task(seed: int) -> SingleBlock:
    """Every kind of row, gains and parcels that must be in come and go by seed."""
    rng = np.random.default_rng(seed)
    n = int(rng.integers(1, 10))
    graph = random_graph(rng, n)
    task = free_task(graph, np.round(rng.normal(-0.3, 2.0, n), 2), rng.random(n) < rng.choice([0.0, 0.15]))
    if rng.random() < 0.5:
        task = replace(task, gain=rng.random(len(graph.pairs)) * (rng.random(len(graph.pairs)) < 0.7))
    if rng.random() < 0.6:
        area, mixed = rng.uniform(0.2, 1.0, n), rng.uniform(-1.0, 1.0, n)
        total = float(area.sum())
        lo = np.array([total * rng.choice([0.0, 0.3, 0.5]), -np.inf if rng.random() < 0.5 else 0.0])
        hi = np.array([total * rng.choice([0.4, 0.7, 1.0]), np.inf])
        task = replace(task, rows=csr_matrix(np.array([area, mixed])), lo=lo, hi=hi)
    return task


def all_sets(task: SingleBlock) -> dict[tuple[int, ...], float]:
    """Worth of every set allowed, worked out from scratch."""
    n, near = len(task.weight), {tuple(p): g for p, g in zip(task.graph.pairs.tolist(), task.gain, strict=True)}
    found = {}
    for bits in range(1, 2**n):
        members = tuple(i for i in range(n) if bits >> i & 1)
        chosen = np.isin(np.arange(n), members)
        sums = task.rows.toarray() @ chosen
        if (sums < task.lo - 1e-9).any() or (sums > task.hi + 1e-9).any() or (task.must & ~chosen).any():
            continue
        inner = [p for p in near if set(p) <= set(members)]
        seen = {members[0]}
        while grown := {q for p in inner if seen & set(p) for q in p} - seen:
            seen |= grown
        if len(seen) == len(members):
            found[members] = float(sum(task.weight[list(members)]) + sum(near[p] for p in inner))
    return found


@pytest.mark.parametrize("seed", range(120))
def test_best_of_all_sets(seed: int) -> None:
    task = random_task(seed)
    sets = all_sets(task)
    truth = max(sets.values(), default=-math.inf)
    for cutoff in (-math.inf, 0.0):
        answer = best_block(task, 30.0, cutoff)
        assert answer.is_settled
        assert answer.bound >= max(truth, cutoff) - 1e-9
        if truth > cutoff + CLOSE:
            assert answer.members is not None
            assert answer.value == pytest.approx(sets[answer.members])
            assert answer.value == pytest.approx(truth, abs=CLOSE)
            assert answer.bound == pytest.approx(truth, abs=CLOSE, rel=CLOSE)
        else:
            assert answer.members is None or truth > cutoff
            assert answer.bound <= cutoff + CLOSE


@pytest.mark.parametrize("seed", range(60))
def test_contraction_keeps_the_best(seed: int) -> None:
    rng = np.random.default_rng(seed)
    n = int(rng.integers(2, 13))
    graph = random_graph(rng, n)
    weight = np.round(rng.normal(-0.5, 2.0, n), 1)
    must = rng.random(n) < rng.choice([0.0, 0.1])
    weight[0] = 1.0  # something is worth something
    small = contract(graph, weight, must)
    old, new = all_sets(free_task(graph, weight, must)), all_sets(free_task(small.graph, small.weight, small.must))
    assert max(new.values(), default=-math.inf) == pytest.approx(max(old.values(), default=-math.inf))
    for members, worth in new.items():
        back = tuple(np.flatnonzero(np.isin(small.group, members)).tolist())
        assert old[back] == pytest.approx(worth)


def test_contraction_by_hand() -> None:
    # 0 and 1 are worth something and touch; 2 (dear) and 3 (cheaper) both join them to 4; 5 is a dead end
    pairs = np.array([[0, 1], [1, 2], [1, 3], [2, 4], [3, 4], [4, 5]])
    graph = build_graph(replace(grid_problem(3, 2), pairs=pairs, shared_m=np.ones(6)))
    small = contract(graph, np.array([2.0, 1.0, -2.0, -1.0, 5.0, -1.0]), np.zeros(6, dtype=bool))
    assert small.group[0] == small.group[1]
    assert small.group[[2, 5]].tolist() == [-1, -1]
    assert sorted(small.weight.tolist()) == [-1.0, 3.0, 5.0]


@pytest.mark.parametrize("seed", range(30))
def test_cuts_are_violated_and_hold_for_every_set(seed: int) -> None:
    rng = np.random.default_rng(seed)
    n = int(rng.integers(3, 10))
    graph = random_graph(rng, n)
    x, root = rng.random(n), np.zeros(n)
    root[int(rng.integers(n))] = 1.0
    x = np.maximum(x, root)
    sets = [set(s) for s in all_sets(free_task(graph, np.ones(n))) if int(root.argmax()) in s]
    for i, inside, around in Separator(graph).cuts(x, root, np.ones(n, dtype=bool), 1e-4, 50, True):
        assert x[i] > root[inside].sum() + x[around].sum()
        assert all(i not in s or int(root.argmax()) in inside or s & set(around.tolist()) for s in sets)


def test_rounding_by_hand() -> None:
    # a row of five: the ends are worth 3, the way between them costs 2 in all; then a side branch of no use
    pairs = np.array([[0, 1], [1, 2], [2, 3], [0, 4]])
    graph = build_graph(replace(grid_problem(5, 1), pairs=pairs, shared_m=np.ones(4)))
    task = free_task(graph, np.array([3.0, -1.0, -1.0, 3.0, -1.0]))
    far, before = ways(graph, np.array([1.0, 2.0, 3.0, 4.0, 5.0]), [0])
    assert far.tolist() == [0.0, 2.0, 5.0, 9.0, 5.0]
    assert before[3] == 2
    assert trim(task, np.ones(5, dtype=bool), 0).tolist() == [True, True, True, True, False]
    assert extend(task, np.eye(5, dtype=bool)[0]).tolist() == [True, True, True, True, False]
    assert all(graph.is_connected(np.flatnonzero(s).tolist()) for s in sets_near(task, np.array([1, 0.2, 0, 0.6, 0.5])))


def random_single(seed: int) -> Problem:
    """One phase, one block; gates, locks, filler, a budget, a resource, a rule and a floor come and go."""
    rng = np.random.default_rng(seed)
    problem = grid_problem(3, int(rng.integers(2, 4)))
    n = problem.n
    area = np.round(rng.uniform(2.0, 20.0, n), 2)
    cost = rng.uniform(0.0, 10.0, n)
    chance = {name: rng.random() < 0.4 for name in ("budget", "resource", "rule", "floor", "ceiling", "lock", "filler")}
    zone = rng.integers(-1, 1, n)
    filler = (rng.random(n) < 0.2) & chance["filler"]
    lock = np.where((np.arange(n) == 4) & chance["lock"], 0, -1)
    use = rng.random(n)
    return replace(
        problem,
        area_mu=area,
        benefit=np.where(filler, 0.0, rng.uniform(0.0, 14.0, n)),
        cost=cost,
        filler=filler,
        filler_max_share=0.3,
        zone=zone,
        zones=("Z",),
        lock_by=lock,
        selectable=(rng.random(n) < 0.9) | (lock >= 0),
        perimeter_per_m=float(rng.choice([0.0, 0.01])),
        phases=(Phase("P1", 1, 0.9, 0.6 * float(cost.sum()) if chance["budget"] else None, 1),),
        resources=(Resource("R", "u", use, (0.5 * float(use.sum()),)),) if chance["resource"] else (),
        block_rules=(BlockRule("S", "mu", area * rng.uniform(0, 1, n), 0.45, area),) if chance["rule"] else (),
        targets=(Target("T", 0, 0, 15.0 if chance["floor"] else 0.0, ceiling=50.0 if chance["ceiling"] else None),),
        block_min_mu=float(rng.choice([0.0, 20.0])),
        block_max_mu=float(rng.choice([40.0, 60.0, 1000.0])),
    )


@pytest.mark.parametrize("seed", range(60))
def test_plans_and_bounds_enclose_the_truth(seed: int) -> None:
    problem = random_single(seed)
    graph, open_ = build_graph(problem), availability(problem)
    sets = [tuple(i for i in range(problem.n) if bits >> i & 1) for bits in range(1, 2**problem.n)]
    plans: list[tuple[Block, ...]] = [(), *((Block(s, 0),) for s in sets if graph.is_connected(s))]
    worths = [objective(problem, graph, p) for p in plans if not plan_faults(problem, graph, p, open_)]
    truth = max(worths, default=-math.inf)
    value, bound = -math.inf, math.inf
    for event in prove_single(problem, graph, open_, 30.0):
        if isinstance(event, PlanFound):
            assert not plan_faults(problem, graph, event.blocks, open_)
            assert event.objective == pytest.approx(objective(problem, graph, event.blocks))
            assert event.objective > value
            value = event.objective
        elif isinstance(event, BoundFound):
            assert truth - 1e-9 <= event.bound < bound
            bound = event.bound
    if worths:
        assert value == pytest.approx(truth, abs=1e-4)
        assert bound == pytest.approx(truth, abs=1e-4)
    else:
        assert value == -math.inf


def test_other_kinds_are_left_alone() -> None:
    one = grid_problem(2, 2, phases=(Phase("P1", 1, 1.0, None, 1),))
    graph = build_graph(one)
    others = [
        replace(one, phases=(Phase("P1", 1, 1.0, None, 2),)),
        replace(one, phases=(Phase("P1", 1, 1.0),)),
        replace(one, phases=(Phase("P1", 1, 1.0, None, 1), Phase("P2", 2, 1.0, None, 1))),
        replace(one, targets=(Target("T", 0, -1, 0.0, 30.0, 1.0),)),
        replace(one, targets=(Target("T", 0, -1, 1.0, measure="blocks"),)),
        replace(one, rolling=True),
        replace(one, village=np.arange(4), villages=("A", "B", "C", "D"), max_villages=1),
        replace(one, zone=np.arange(4) % 2, zones=("A", "B"), within_zone=True),
        replace(one, lock_by=np.zeros(4, dtype=np.int64), selectable=np.zeros(4, dtype=bool)),
    ]
    assert single_task(one, graph, availability(one)) is not None
    for other in others:
        assert single_task(other, graph, availability(other)) is None
        assert list(prove_single(other, graph, availability(other), 1.0)) == []


def test_same_answer_twice() -> None:
    task = random_task(7)
    assert best_block(task, 30.0) == best_block(task, 30.0)


def test_without_time_the_bound_holds() -> None:
    rng = np.random.default_rng(5)
    problem = grid_problem(
        9, 9, benefit=rng.uniform(0, 10, 81), cost=rng.uniform(0, 12, 81), phases=(Phase("P1", 1, 1.0, None, 1),)
    )
    task = single_task(problem, build_graph(problem), availability(problem))
    assert task is not None
    hasty, patient = best_block(task, 0.0, 0.0), best_block(task, 60.0, 0.0)
    assert patient.is_settled
    assert hasty.value <= patient.value <= hasty.bound


@pytest.mark.slow
@pytest.mark.parametrize(
    "name", ["lymphoma", "MWCS-I-D-n-500-a-0.62-d-0.25-e-0.25", "MWCS-I-D-n-500-a-0.62-d-0.75-e-0.75"]
)
def test_published_optima(name: str) -> None:
    try:
        folder: Path = instances("mwcs")
    except MissingDataError as missing:
        pytest.skip(str(missing))
    problem = mwcs_problem(folder / f"{name}.stp")
    graph, open_ = build_graph(problem), availability(problem)
    optimum = read_published(folder / "optima.csv")[f"{name}.stp"].optimum
    value, bound = -math.inf, math.inf
    for event in prove_single(problem, graph, open_, 120.0):
        if isinstance(event, PlanFound):
            value = event.objective
        elif isinstance(event, BoundFound):
            bound = event.bound
    assert value == pytest.approx(optimum, rel=CLOSE)
    assert bound == pytest.approx(optimum, rel=CLOSE)
    assert bound >= value
