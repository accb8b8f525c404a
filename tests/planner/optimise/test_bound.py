"""Bounds that must hold whatever the solver says, and rows and cuts that every plan must keep."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from planner.optimise import bound as bound_module
from planner.optimise.bound import CuttingPlanes, _induced
from planner.optimise.cuts import separate
from planner.optimise.formulation import Relaxation
from planner.optimise.lp import LinearProgram, LpSolution, safe_bound, solve_lp
from planner.optimise.stop import Clock
from planner.problem import Block, Problem, Target
from tests.planner.optimise.brute import Brute, plan_worth
from tests.planner.optimise.instances import grid_problem, random_problem
from tests.planner.optimise.support import instance, prepared, truth_of

CASES = [("planted", s) for s in range(120)] + [("random", s) for s in range(80) if truth_of("random", s).feasible]
FEW = CASES[:25] + CASES[-25:]


def noise(*values: float) -> float:
    return 1e-9 * max(1.0, *(abs(v) for v in values))


def relaxed(problem: Problem) -> Relaxation:
    """The relaxation of the parcels that some block may hold."""
    canonical, _, open_ = prepared(problem)
    return Relaxation(*prepared(canonical.subset(open_.any(axis=1))[0]))


def all_cut_rounds(relaxation: Relaxation) -> CuttingPlanes:
    planes = CuttingPlanes(relaxation)
    clock = Clock(60.0)
    while planes.step(clock):
        pass
    return planes


@pytest.mark.parametrize(("kind", "seed"), CASES, ids=str)
def test_cutting_planes_never_go_below_the_best_plan(kind: str, seed: int) -> None:
    """Not masked by the plan found: the bound of the relaxation itself, after every single round."""
    truth = truth_of(kind, seed)
    planes = CuttingPlanes(relaxed(instance(kind, seed)))
    assert planes.best >= truth.optimum - noise(truth.optimum)
    clock, last, more = Clock(60.0), planes.best, True
    while more:
        more = planes.step(clock)
        assert truth.optimum - noise(truth.optimum) <= planes.best <= last
        last = planes.best


# multipliers ------------------------------------------------------------------------------------------------------


def tiny_program() -> LinearProgram:
    """max 2x + y with x + y ≤ 3, y ≥ 1, 0 ≤ x, y ≤ 2: the best is x = 2, y = 1, worth 5."""
    matrix = csr_matrix(np.array([[1.0, 1.0], [0.0, 1.0]]))
    return LinearProgram(
        np.array([2.0, 1.0]), np.array([2.0, 2.0]), matrix, np.array([-np.inf, 1.0]), np.array([3.0, np.inf])
    )


@pytest.mark.parametrize(
    ("y", "bound"),
    [
        ((0.0, 0.0), 6.0),  # 2·2 + 1·2
        ((1.0, 0.0), 5.0),  # 3 + (2 - 1)·2 + 0
        ((2.0, 0.0), 6.0),  # 6 + 0 + 0
        ((2.0, -1.0), 5.0),  # 6 - 1 + 0
        ((-1.0, 0.0), 6.0),  # an open side cannot be priced: counts as 0
        ((0.0, 5.0), 6.0),  # the same for the upper side of the second row
    ],
)
def test_safe_bound_by_hand(y: tuple[float, float], bound: float) -> None:
    value, reduced = safe_bound(tiny_program(), np.array(y))
    assert value == pytest.approx(bound, rel=1e-7)
    assert value >= bound
    kept = np.array([max(y[0], 0.0), min(y[1], 0.0)])
    assert reduced == pytest.approx([2.0 - kept[0], 1.0 - kept[0] - kept[1]])


def test_lp_by_hand() -> None:
    solution = solve_lp(tiny_program(), 10.0)
    assert solution is not None
    assert solution.x == pytest.approx([2.0, 1.0])
    assert solution.objective == pytest.approx(5.0)
    assert safe_bound(tiny_program(), solution.row_dual)[0] == pytest.approx(5.0)


def test_infeasible_lp_gives_nothing() -> None:
    program = tiny_program()
    assert solve_lp(replace(program, lo=np.array([5.0, 1.0])), 10.0) is None


def wrong_multipliers(rng: np.random.Generator, program: LinearProgram, right: NDArray[np.float64]) -> list[object]:
    m = len(right)
    size = float(np.abs(program.c).max(initial=1e-9))
    return [
        np.zeros(m),
        right,
        -right,
        right[::-1].copy(),
        right * 1.001,
        right + rng.normal(0.0, 0.01 * size, m),
        right * rng.choice([0.0, 1.0], m),
        rng.normal(0.0, size, m),
        rng.normal(0.0, 1.0, m) * 10.0 ** rng.uniform(-6, 3, m) * size,
        np.full(m, 1e6 * size),
        np.full(m, -1e6 * size),
    ]


@pytest.mark.parametrize(("kind", "seed"), FEW, ids=str)
def test_any_multipliers_give_a_valid_bound(kind: str, seed: int) -> None:
    truth = truth_of(kind, seed)
    relaxation = relaxed(instance(kind, seed))
    program = relaxation.program(all_cut_rounds(relaxation).cuts)
    solution = solve_lp(program, 30.0)
    assert solution is not None
    rng = np.random.default_rng(seed)
    for y in wrong_multipliers(rng, program, solution.row_dual):
        bound, _ = safe_bound(program, y)
        assert bound >= truth.optimum - noise(truth.optimum)
        assert bound >= solution.objective - 1e-6 * max(1.0, abs(solution.objective))


@pytest.mark.parametrize("seed", range(15))
def test_a_lying_solver_cannot_break_the_bound(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Points and multipliers are made up, not-a-number among them: the cuts and the bound stay valid."""
    truth = truth_of("planted", seed)
    assert truth.feasible
    rng = np.random.default_rng(seed)

    def made_up(program: LinearProgram, _time_limit_s: float) -> LpSolution:
        dual = rng.normal(0.0, 10.0, len(program.lo))
        if rng.random() < 0.2:
            dual[0] = np.nan
        return LpSolution(rng.random(len(program.c)), dual, float(rng.normal()))

    monkeypatch.setattr(bound_module, "solve_lp", made_up)
    planes = CuttingPlanes(relaxed(instance("planted", seed)))
    for _ in range(5):
        planes.step(Clock(10.0))
        assert planes.best >= truth.optimum - noise(truth.optimum)
    monkeypatch.undo()
    solution = solve_lp(planes.make(planes.cuts), 30.0)  # with all those cuts, an honest solve
    assert solution is not None
    assert safe_bound(planes.make(planes.cuts), solution.row_dual)[0] >= truth.optimum - noise(truth.optimum)


# cuts and rows ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("kind", "seed"), FEW, ids=str)
def test_every_cut_holds_for_every_block(kind: str, seed: int) -> None:
    """x_seed ≤ Σ coefficient·x_member at the 0/1 point of each block; other blocks only add to the right side."""
    problem, graph, open_ = prepared(instance(kind, seed))
    brute = Brute(problem)
    rng = np.random.default_rng(seed)
    n_cuts = 0
    for t in range(len(problem.phases)):
        start, neighbour = _induced(graph, open_[:, t])
        blocks = brute.member[brute.blocks_in(t)] if brute.blocks_in(t) else np.empty((0, problem.n))
        seeds = np.flatnonzero(open_[:, t] & (problem.area_mu < problem.block_min_mu))
        for style in (0, 1, 2):
            for density in (0.3, 0.7, 1.0):
                x = np.where(open_[:, t], rng.random(problem.n) * (rng.random(problem.n) < density), 0.0)
                cut_seed, pointer, member, coefficient = separate(
                    start, neighbour, problem.area_mu, x, seeds, problem.block_min_mu, 1e-4, style, 400
                )
                for k, i in enumerate(cut_seed.tolist()):
                    part = slice(pointer[k], pointer[k + 1])
                    assert x[i] > (coefficient[part] * x[member[part]]).sum(), "not violated at its own point"
                    assert i not in member[part].tolist()
                    assert len(set(member[part].tolist())) == part.stop - part.start
                    right = blocks[:, member[part]] @ coefficient[part]
                    assert (blocks[:, i] <= right + 1e-9).all()
                    n_cuts += 1
    if kind == "planted" and len(seeds):
        assert n_cuts, "nothing was tested"


def test_cut_by_hand() -> None:
    """1×4 row of 10 mu, L = 30, x = (1, 0.5, 0, 0): from parcel 0 the tightest set is {0, 1} with boundary {2}.

    C = {0}: boundary value 0.5. C = {0, 1}: boundary value 0, so x_0 ≤ x_2 is violated by 1.
    """
    problem, graph, open_ = prepared(grid_problem(4, 1, block_min_mu=30.0))
    start, neighbour = _induced(graph, open_[:, 0])
    x = np.array([1.0, 0.5, 0.0, 0.0])
    seed, pointer, member, coefficient = separate(
        start, neighbour, problem.area_mu, x, np.array([0]), 30.0, 1e-4, 0, 400
    )
    assert seed.tolist() == [0]
    assert pointer.tolist() == [0, 1]
    assert member.tolist() == [2]
    assert coefficient.tolist() == [1.0]


def encode(relaxation: Relaxation, blocks: tuple[Block, ...]) -> NDArray[np.float64]:
    """The point of a plan in the columns of the relaxation."""
    problem = relaxation.problem
    point = np.zeros(relaxation.n_columns)
    owner = {}
    for k, block in enumerate(blocks):
        for i in block.parcels:
            assert relaxation.x[i, block.phase] >= 0, "presolve closed a parcel that a plan takes"
            point[relaxation.x[i, block.phase]] = 1.0
            owner[int(relaxation.x[i, block.phase])] = k
    for e in range(relaxation.n_y):
        a, b = owner.get(int(relaxation.y_i[e])), owner.get(int(relaxation.y_j[e]))
        point[relaxation.n_x + e] = float(a is not None and a == b)
    for k, target in enumerate(problem.targets):
        taken = [i for b in blocks if b.phase <= target.phase for i in b.parcels]
        reached = sum(problem.area_mu[i] for i in taken if target.zone in (-1, problem.zone[i]))
        point[relaxation.u[k]] = max(0.0, (target.stretch_mu or 0.0) - reached)
    return point


def with_plans(seeds: range) -> Iterator[tuple[Problem, list[tuple[Block, ...]]]]:
    """Problems of five or six parcels that have plans with blocks, and all their plans."""
    for seed in seeds:
        problem, _, open_ = prepared(random_problem(seed, 5 + seed % 2))
        problem, _ = problem.subset(open_.any(axis=1))
        plans = list(Brute(problem).plans()) if problem.n else []
        if any(plans):
            yield problem, plans


def test_every_plan_keeps_all_rows_and_cuts() -> None:
    """All plans of many tiny problems: rows hold, cuts hold, and the objective is the plan's worth."""
    found = list(with_plans(range(60)))
    assert len(found) >= 25
    for problem, plans in found:
        check_rows(problem, plans)


def check_rows(problem: Problem, plans: list[tuple[Block, ...]]) -> None:
    relaxation = Relaxation(*prepared(problem))
    cuts = all_cut_rounds(relaxation).cuts
    for blocks in plans:
        point = encode(relaxation, blocks)
        assert relaxation.worth @ point == pytest.approx(plan_worth(problem, blocks), abs=1e-9)
        assert (point <= relaxation.upper + 1e-12).all()
        for rows in [relaxation.static] + ([cuts] if cuts is not None else []):
            value = rows.matrix @ point
            assert (value >= rows.lo - 1e-9).all()
            assert (value <= rows.hi + 1e-9).all()


@pytest.mark.parametrize("seed", range(40))
def test_the_best_plan_keeps_all_rows_and_cuts(seed: int) -> None:
    """The same with up to a dozen parcels, for the best plan."""
    problem = instance("planted", seed).canonical()[0]
    check_rows(problem, [Brute(problem).truth().blocks])


@pytest.mark.parametrize(
    ("areas", "least"), [([0.1] * 10, 1.0), ([0.7, 0.1, 0.1, 0.1], 1.0), ([10.0] * 4, 40.0000005)], ids=str
)
def test_bound_allows_what_counts_as_large_enough(areas: list[float], least: float) -> None:
    """Ten times 0.1 mu add up to 0.9999999999999999: a block of 1 mu all the same, so the bound must allow it."""
    n = len(areas)
    problem = grid_problem(n, 1, area_mu=np.array(areas), block_min_mu=least, block_max_mu=100.0)
    assert Brute(problem).truth().optimum == pytest.approx(10.0 * n)
    assert all_cut_rounds(relaxed(problem)).best >= 10.0 * n - 1e-6


# units ------------------------------------------------------------------------------------------------------------


def in_other_money(problem: Problem, factor: float) -> Problem:
    return replace(
        problem,
        benefit=problem.benefit * factor,
        cost=problem.cost * factor,
        perimeter_per_m=problem.perimeter_per_m * factor,
        stretch_per_mu=problem.stretch_per_mu * factor,
        phases=tuple(replace(p, budget=None if p.budget is None else p.budget * factor) for p in problem.phases),
    )


def in_other_area(problem: Problem, factor: float) -> Problem:
    def scaled(target: Target) -> Target:
        stretch = None if target.stretch_mu is None else target.stretch_mu * factor
        return replace(target, floor_mu=target.floor_mu * factor, stretch_mu=stretch)

    return replace(
        problem,
        area_mu=problem.area_mu * factor,
        block_min_mu=problem.block_min_mu * factor,
        block_max_mu=problem.block_max_mu * factor,
        stretch_per_mu=problem.stretch_per_mu / factor,
        targets=tuple(scaled(t) for t in problem.targets),
    )


@pytest.mark.parametrize("factor", [1e6, 1e-6])
@pytest.mark.parametrize("seed", range(8))
def test_money_in_another_unit_scales_the_bound(seed: int, factor: float) -> None:
    problem = instance("planted", seed)
    problem = replace(problem, phases=tuple(replace(p, budget=None) for p in problem.phases))
    before = all_cut_rounds(relaxed(problem)).best
    after = all_cut_rounds(relaxed(in_other_money(problem, factor))).best
    assert after == pytest.approx(before * factor, rel=1e-3)
    assert after >= Brute(problem).truth().optimum * factor - noise(before) * factor


@pytest.mark.parametrize("seed", range(8))
def test_area_in_another_unit_leaves_the_bound(seed: int) -> None:
    problem = instance("planted", seed)
    before = all_cut_rounds(relaxed(problem)).best
    after = all_cut_rounds(relaxed(in_other_area(problem, 100.0))).best
    assert after == pytest.approx(before, rel=1e-3)
    assert after >= truth_of("planted", seed).optimum - noise(before)


# by hand ----------------------------------------------------------------------------------------------------------


def test_bound_is_exact_where_nothing_is_dropped() -> None:
    """1×3 row, 10 mu and 10 benefit each, cost 0, 4, 12, one block of at least 20 mu: worth 10 + 6, the third −2.

    The best is {0, 1} = 16. Cut of parcel 0: it needs parcel 1; of parcel 1: 0 or 2. The relaxation reaches 16 as well.
    """
    problem = grid_problem(3, 1, cost=np.array([0.0, 4.0, 12.0]), block_min_mu=20.0)
    assert Brute(problem).truth().optimum == pytest.approx(16.0)
    assert all_cut_rounds(relaxed(problem)).best == pytest.approx(16.0, rel=1e-6)


def test_cut_makes_a_poor_neighbour_count() -> None:
    """1×3 row, worth −6, 10, −7, blocks of at least 20 mu: bound 10 without cuts, 4 with x_1 ≤ x_0 + x_2."""
    problem = grid_problem(3, 1, cost=np.array([16.0, 0.0, 17.0]), block_min_mu=20.0)
    relaxation = relaxed(problem)
    first = CuttingPlanes(relaxation)
    first.step(Clock(10.0))
    assert first.best == pytest.approx(10.0, rel=1e-6)
    assert all_cut_rounds(relaxation).best == pytest.approx(4.0, rel=1e-6)


def test_floor_and_stretch_in_the_bound() -> None:
    """2×1 row, worth −5 and −1 for 10 mu each, floor 10, stretch 20 at 0.2 a mu: {1} costs 1 and misses 10 mu: −3.

    Taking both costs 6 and misses nothing: −6. The relaxation may take fractions, but no fraction of parcel 0 pays.
    """
    problem = grid_problem(
        2, 1, cost=np.array([15.0, 11.0]), targets=(Target("P1", 0, -1, 10.0, 20.0),), stretch_per_mu=0.2
    )
    assert Brute(problem).truth().optimum == pytest.approx(-3.0)
    assert all_cut_rounds(relaxed(problem)).best == pytest.approx(-3.0, rel=1e-5)


def test_perimeter_saved_between_two_blocks_is_not_promised_away() -> None:
    """A seam inside one phase may count as saved in the relaxation: an upper bound, never below the two-block plan."""
    problem = grid_problem(2, 1, block_max_mu=10.0, perimeter_per_m=0.01)
    truth = Brute(problem).truth().optimum
    assert truth == pytest.approx(2 * (10.0 - 4.0))
    assert all_cut_rounds(relaxed(problem)).best >= truth
