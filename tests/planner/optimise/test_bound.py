"""Bounds that must hold whatever the solver says, and rows and cuts that every plan must keep."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from planner.optimise import bound as bound_module
from planner.optimise import lagrangian as lagrangian_module
from planner.optimise.bound import CuttingPlanes, block_needs, compile_bound, induced
from planner.optimise.cutpool import CutPool
from planner.optimise.cuts import separate, separate_needs
from planner.optimise.formulation import Relaxation
from planner.optimise.lagrangian import Lagrangian, Point
from planner.optimise.lp import LinearProgram, solve_lp
from planner.optimise.presolve import without_fixed
from planner.optimise.rows import Rows
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


def rich_bounds(kind: str, seed: int) -> tuple[CuttingPlanes, float]:
    """Cutting planes of a problem with all rules, and what its fixed blocks are worth besides."""
    reduced = without_fixed(instance(kind, seed))
    return CuttingPlanes(relaxed(reduced.problem)), reduced.constant


@pytest.mark.parametrize("first_order", [False, True])
@pytest.mark.parametrize("kind", ["rich", "signed"])
@pytest.mark.parametrize("seed", range(60))
def test_bound_with_all_rules(kind: str, seed: int, first_order: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    truth = truth_of(kind, seed)
    if not truth.feasible:
        return
    if first_order:
        monkeypatch.setattr(bound_module, "_EXACT_COLUMNS", 0)
    planes, constant = rich_bounds(kind, seed)
    clock, more = Clock(60.0), True
    while more and planes.rounds < 40:
        more = planes.step(clock)
        assert planes.best + constant >= truth.optimum - noise(truth.optimum)
    assert not planes.infeasible


# multipliers ------------------------------------------------------------------------------------------------------


def tiny_program() -> LinearProgram:
    """max 2x + y with x + y ≤ 3, y ≥ 1, 0 ≤ x, y ≤ 2: the best is x = 2, y = 1, worth 5."""
    matrix = csr_matrix(np.array([[1.0, 1.0], [0.0, 1.0]]))
    return LinearProgram(
        np.array([2.0, 1.0]), np.array([2.0, 2.0]), matrix, np.array([-np.inf, 1.0]), np.array([3.0, np.inf])
    )


def two_parcels() -> Relaxation:
    """Parcels worth 10 and −4 that save 2·100 m of boundary of 400 m each at 0.01, a floor of 20 mu: 6 − 8 + 2."""
    problem = grid_problem(2, 1, cost=np.array([0.0, 14.0]), perimeter_per_m=0.01, targets=(Target("P1", 0, -1, 20.0),))
    return relaxed(problem)


@pytest.mark.parametrize(
    ("theta", "y", "bound"),
    [
        (1.0, 0.0, 7.0),  # worths 6 and −8; half of the saved 2 to each: 7 and −7
        (2.0, 0.0, 8.0),  # all of it to the first
        (0.0, 0.0, 6.0),  # all of it to the second: 6 and −6
        (0.0, -6.0, 0.0),  # floor of 2 (of 20 / 10) at 6: 12 and 0, less 12
        (0.0, -9.0, 0.0),  # 15 and 3, less 18
        (-5.0, -9.0, 0.0),  # a share outside its limits counts as 0
        (0.0, 3.0, 6.0),  # the open side of a floor cannot be priced
    ],
)
def test_bound_by_hand(theta: float, y: float, bound: float) -> None:
    relaxation = two_parcels()
    lagrangian = Lagrangian(relaxation, relaxation.plan_goal(), no_cuts(relaxation))
    first = lagrangian.goal.edge_i[0] == relaxation.x[0, 0]
    share = theta if first else 2.0 - theta
    value, reduced = lagrangian.bound(Point(np.zeros(2), np.array([share]), np.array([y])))
    assert value == pytest.approx(bound, abs=1e-5)
    kept, price = min(max(theta, 0.0), 2.0), min(y, 0.0)
    assert relaxation.by_parcel(reduced)[:, 0] == pytest.approx([6.0 + kept - price, -8.0 + (2.0 - kept) - price])


def no_cuts(relaxation: Relaxation) -> Rows:
    return Rows(csr_matrix((0, relaxation.n_x)), np.empty(0), np.empty(0))


def test_lp_by_hand() -> None:
    solution = solve_lp(tiny_program(), 10.0)
    assert solution is not None
    assert solution.x == pytest.approx([2.0, 1.0])
    assert solution.objective == pytest.approx(5.0)
    assert solution.row_dual == pytest.approx([1.0, 0.0]) or solution.row_dual == pytest.approx([1.0, -0.0])


def test_infeasible_lp_gives_nothing() -> None:
    program = tiny_program()
    assert solve_lp(replace(program, lo=np.array([5.0, 1.0])), 10.0) is None


def wrong_points(rng: np.random.Generator, lagrangian: Lagrangian, right: Point) -> Iterator[Point]:
    """Multipliers from almost right to absurd."""
    y, theta = right.y, right.theta
    m = len(y)
    size = float(np.abs(lagrangian.goal.worth).max(initial=1e-9))
    for made_up in (
        np.zeros(m),
        y,
        -y,
        y[::-1].copy(),
        y * 1.001,
        y + rng.normal(0.0, 0.01 * size, m),
        y * rng.choice([0.0, 1.0], m),
        rng.normal(0.0, size, m),
        rng.normal(0.0, 1.0, m) * 10.0 ** rng.uniform(-6, 3, m) * size,
        np.full(m, 1e6 * size),
        np.full(m, -1e6 * size),
    ):
        for split in (theta, np.zeros(len(theta)), theta + rng.normal(0.0, size, len(theta))):
            yield Point(right.x, split, made_up)


@pytest.mark.parametrize(("kind", "seed"), FEW, ids=str)
def test_any_multipliers_give_a_valid_bound(kind: str, seed: int) -> None:
    truth = truth_of(kind, seed)
    planes = all_cut_rounds(relaxed(instance(kind, seed)))
    lagrangian = Lagrangian(planes.relaxation, planes.goal, planes.pool.rows())
    right = lagrangian.solve(30.0)
    assert right is not None
    best, _ = lagrangian.bound(right)
    for point in wrong_points(np.random.default_rng(seed), lagrangian, right):
        bound, _ = lagrangian.bound(point)
        assert bound >= truth.optimum - noise(truth.optimum)
        assert bound >= best - 1e-6 * max(1.0, abs(best)), "the program was not solved to its optimum"


@pytest.mark.parametrize("seed", range(15))
def test_a_lying_solver_cannot_break_the_bound(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Points and multipliers are made up, not-a-number among them: the cuts and the bound stay valid."""
    truth = truth_of("planted", seed)
    assert truth.feasible
    rng = np.random.default_rng(seed)

    def made_up(lagrangian: Lagrangian, _time_limit_s: float) -> Point:
        y = rng.normal(0.0, 10.0, len(lagrangian.lo))
        if rng.random() < 0.2:
            y[:1] = np.nan
        return Point(rng.random(len(lagrangian.goal.worth)), rng.random(len(lagrangian.goal.saved)), y)

    monkeypatch.setattr(lagrangian_module.Lagrangian, "solve", made_up)
    planes = CuttingPlanes(relaxed(instance("planted", seed)))
    for _ in range(10):
        planes.step(Clock(10.0))
        assert planes.best >= truth.optimum - noise(truth.optimum)
    monkeypatch.undo()
    lagrangian = Lagrangian(planes.relaxation, planes.goal, planes.pool.rows())
    right = lagrangian.solve(30.0)  # with all those cuts, an honest solve
    assert right is not None
    assert lagrangian.bound(right)[0] >= truth.optimum - noise(truth.optimum)


@pytest.mark.parametrize(("kind", "seed"), CASES[::4], ids=str)
def test_first_order_steps_never_go_below_the_best_plan(kind: str, seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Large problems are bounded by steps instead of programs: the same truth holds for them after each step."""
    monkeypatch.setattr(bound_module, "_EXACT_COLUMNS", 0)
    truth = truth_of(kind, seed)
    planes = CuttingPlanes(relaxed(instance(kind, seed)))
    assert not planes.exact or not planes.relaxation.n_x
    clock, more = Clock(60.0), True
    while more and planes.rounds < 40:
        more = planes.step(clock)
        assert planes.best >= truth.optimum - noise(truth.optimum)


@pytest.mark.parametrize("seed", range(20))
def test_first_order_steps_approach_the_exact_bound(seed: int) -> None:
    relaxation = relaxed(instance("planted", seed))
    goal = relaxation.plan_goal()
    lagrangian = Lagrangian(relaxation, goal, no_cuts(relaxation))
    exact = lagrangian.solve(30.0)
    assert exact is not None
    best, _ = lagrangian.bound(exact)
    point = lagrangian.start()
    first, _ = lagrangian.bound(point)
    steps = min(lagrangian.bound(point := lagrangian.improve(point, 400))[0] for _ in range(5))
    assert best - 1e-6 * abs(best) <= steps <= best + 1e-2 * max(abs(best), float(np.abs(goal.worth).max()))
    assert steps <= first + noise(first)


# cuts and rows ----------------------------------------------------------------------------------------------------


RICH = [("rich", s) for s in range(30)]


@pytest.mark.parametrize(("kind", "seed"), FEW + RICH, ids=str)
def test_every_cut_holds_for_every_block(kind: str, seed: int) -> None:
    """x_seed ≤ Σ coefficient·x_member at the 0/1 point of each block; other blocks only add to the right side."""
    problem, graph, open_ = prepared(replace(instance(kind, seed), fixed=()))
    brute = Brute(problem)
    rng = np.random.default_rng(seed)
    n_modes = len(problem.modes)
    for o in range(open_.shape[1]):
        start, neighbour = induced(graph, open_[:, o])
        found = brute.blocks_in(o // n_modes, o % n_modes)
        blocks = brute.member[found] if found else np.empty((0, problem.n))
        for amount, need in block_needs(problem, o % n_modes):
            seeds = np.flatnonzero(open_[:, o] & (amount < need))
            for style in range(6):
                x = np.where(open_[:, o], rng.random(problem.n) * (rng.random(problem.n) < 0.7), 0.0)
                cut_seed, pointer, member, coefficient = separate_needs(
                    start, neighbour, amount, x, seeds, need, 1e-4, style, 400, 400
                )
                for k, i in enumerate(cut_seed.tolist()):
                    part = slice(pointer[k], pointer[k + 1])
                    assert x[i] > (coefficient[part] * x[member[part]]).sum(), "not violated at its own point"
                    assert i not in member[part].tolist()
                    assert len(set(member[part].tolist())) == part.stop - part.start
                    right = blocks[:, member[part]] @ coefficient[part]
                    assert (blocks[:, i] <= right + 1e-9).all()


def test_filler_needs_its_share_around_it() -> None:
    """A row of four with filler 0 and 3, share 0.5: filler of 10 mu asks for 10 mu of 1 or 2, each weighted by 0.5.

    At x = (1, 0.5, 0, 0) the cut of 0 is x_0 ≤ x_1 (which may be all of it), violated by a half.
    """
    problem, graph, open_ = prepared(
        grid_problem(4, 1, filler=np.array([True, False, False, True]), filler_max_share=0.5)
    )
    _, (amount, need) = block_needs(problem, 0)
    assert amount == pytest.approx([0.0, 5.0, 5.0, 0.0])
    assert need == pytest.approx([5.0, 0.0, 0.0, 5.0], abs=1e-5)
    start, neighbour = induced(graph, open_[:, 0])
    seed, _, member, coefficient = separate_needs(
        start, neighbour, amount, np.array([1.0, 0.5, 0.0, 0.0]), np.array([0]), need, 1e-4, 0, 400, 400
    )
    assert (seed.tolist(), member.tolist(), coefficient.tolist()) == ([0], [1], [1.0])


def test_cut_by_hand() -> None:
    """1×4 row of 10 mu, L = 30, x = (1, 0.5, 0, 0): from parcel 0 the tightest set is {0, 1} with boundary {2}.

    C = {0}: boundary value 0.5. C = {0, 1}: boundary value 0, so x_0 ≤ x_2 is violated by 1.
    """
    problem, graph, open_ = prepared(grid_problem(4, 1, block_min_mu=30.0))
    start, neighbour = induced(graph, open_[:, 0])
    x = np.array([1.0, 0.5, 0.0, 0.0])
    seed, pointer, member, coefficient = separate(
        start, neighbour, problem.area_mu, x, np.array([0]), 30.0, 1e-4, 0, 400, 400
    )
    assert seed.tolist() == [0]
    assert pointer.tolist() == [0, 1]
    assert member.tolist() == [2]
    assert coefficient.tolist() == [1.0]


def encode(relaxation: Relaxation, blocks: tuple[Block, ...]) -> NDArray[np.float64]:
    """The point of a plan in the columns of the relaxation."""
    point = np.zeros(relaxation.n_x)
    n_modes = len(relaxation.problem.modes)
    for block in blocks:
        columns = relaxation.x[list(block.parcels), block.phase * n_modes + block.mode]
        assert (columns >= 0).all(), "presolve closed a parcel that a plan takes"
        point[columns] = 1.0
    return point


def value_of(relaxation: Relaxation, point: NDArray[np.float64]) -> float:
    """What the relaxation says that a point is worth: columns, saved boundaries, missed stretches."""
    goal = relaxation.plan_goal()
    rows = relaxation.limits
    missed = np.maximum(0.0, rows.lo - rows.matrix @ point)
    assert (missed[np.isinf(goal.shortage_price)] <= 1e-9).all()
    saved = goal.saved @ np.minimum(point[goal.edge_i], point[goal.edge_j])
    elastic = np.isfinite(goal.shortage_price)
    return float(goal.worth @ point + saved - goal.shortage_price[elastic] @ missed[elastic])


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
    """Limits and cuts hold; a plan is worth what it is worth, or more where two of its blocks touch in one option."""
    relaxation = Relaxation(*prepared(problem))
    cuts = all_cut_rounds(relaxation).pool.rows()
    for blocks in plans:
        point = encode(relaxation, blocks)
        worth = plan_worth(problem, blocks)
        assert value_of(relaxation, point) >= worth - 1e-9
        if len({(b.phase, b.mode) for b in blocks}) == len(blocks):
            assert value_of(relaxation, point) == pytest.approx(worth, abs=1e-9)
        assert (relaxation.limits.matrix @ point <= relaxation.limits.hi + 1e-9).all()
        assert (cuts.matrix @ point <= cuts.hi + 1e-9).all()


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


def test_what_a_choice_costs_the_bound() -> None:
    """No plan that takes a parcel in an option (or leaves it out) is worth more than the bound less the loss."""
    tried = 0
    for problem, plans in with_plans(range(60)):
        planes = all_cut_rounds(Relaxation(*prepared(problem)))
        result = planes.result()
        if result.loss is None or result.loss_out is None:
            continue
        for blocks in plans:
            worth = plan_worth(problem, blocks)
            left = np.ones(problem.n, dtype=bool)
            for block in blocks:
                o = block.phase * len(problem.modes) + block.mode
                left[list(block.parcels)] = False
                for i in block.parcels:
                    assert worth <= result.bound - result.loss[i, o] + 1e-7 * max(1.0, abs(result.bound))
            assert (worth <= result.bound - result.loss_out[left] + 1e-7 * max(1.0, abs(result.bound))).all()
            tried += 1
    assert tried > 100


def test_target_price_is_the_worth_of_a_unit() -> None:
    """Two lone parcels worth −5 and −1 for 10 mu; a floor of 15 takes all of the second and half of the first.

    A mu that counts is worth 0.5. Under a ceiling of 5 mu, with 8 to gain from 10 mu, one that counts costs 0.8.
    """
    apart = {"pairs": np.empty((0, 2), dtype=np.int64), "shared_m": np.empty(0)}
    problem = grid_problem(2, 1, cost=np.array([15.0, 11.0]), targets=(Target("P1", 0, -1, 15.0),), **apart)
    price = all_cut_rounds(relaxed(problem)).result().target_price
    assert price == pytest.approx([0.5], abs=1e-4)
    problem = grid_problem(2, 1, cost=np.array([2.0, 12.0]), targets=(Target("P1", 0, -1, 0.0, ceiling=5.0),), **apart)
    price = all_cut_rounds(relaxed(problem)).result().target_price
    assert price == pytest.approx([-0.8], abs=1e-4)


def test_first_order_steps_prove_that_there_is_no_plan(monkeypatch: pytest.MonkeyPatch) -> None:
    """A floor above all land: the bound falls below what any plan is worth."""
    monkeypatch.setattr(bound_module, "_EXACT_COLUMNS", 0)
    planes = CuttingPlanes(relaxed(grid_problem(4, 4, targets=(Target("P1", 0, -1, 200.0),))))
    clock = Clock(60.0)
    while planes.step(clock):
        pass
    assert planes.infeasible
    assert planes.solution is None


def test_the_same_steps_every_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bound_module, "_EXACT_COLUMNS", 0)
    problem = instance("planted", 3)

    def bounds() -> list[tuple[float, float]]:
        planes, clock = CuttingPlanes(relaxed(problem)), Clock(60.0)
        return [(planes.best, planes.work) for _ in range(20) if planes.step(clock)]

    assert bounds() == bounds()


def test_cut_pool_keeps_each_cut_once_and_drops_idle_ones() -> None:
    pool = CutPool(3)
    two = csr_matrix(np.array([[1.0, -1.0, 0.0], [0.0, 1.0, -0.5]]))
    assert pool.add(two) == 2
    assert pool.add(csr_matrix(np.array([[1.0, -1.0, 0.0], [0.0, 1.0, -0.25]]))) == 1
    x = np.array([0.0, 1.0, 0.0])  # the first cut is slack by 1, the others are violated
    pool.update(np.array([0.0, 2.0, 0.0]), x)
    assert len(pool) == 3
    pool.update(np.array([0.0, 2.0, 0.0]), x)
    assert pool.matrix.toarray().tolist() == [[0.0, 1.0, -0.5], [0.0, 1.0, -0.25]]
    assert pool.y.tolist() == [2.0, 0.0]


def test_compiling_runs_every_loop() -> None:
    compile_bound(*prepared(grid_problem(3, 3, block_min_mu=20.0, targets=(Target("P1", 0, -1, 20.0),))))


# units ------------------------------------------------------------------------------------------------------------


def in_other_money(problem: Problem, factor: float) -> Problem:
    return replace(
        problem,
        benefit=problem.benefit * factor,
        cost=problem.cost * factor,
        perimeter_per_m=problem.perimeter_per_m * factor,
        targets=tuple(replace(t, stretch_price=t.stretch_price * factor) for t in problem.targets),
    )


def in_other_area(problem: Problem, factor: float) -> Problem:
    def scaled(target: Target) -> Target:
        stretch = None if target.stretch is None else target.stretch * factor
        price = target.stretch_price / factor
        return replace(target, floor=target.floor * factor, stretch=stretch, stretch_price=price)

    return replace(
        problem,
        area_mu=problem.area_mu * factor,
        block_min_mu=problem.block_min_mu * factor,
        block_max_mu=problem.block_max_mu * factor,
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
    while first.rounds == 0:
        first.step(Clock(10.0))
    assert first.best == pytest.approx(10.0, rel=1e-6)
    assert all_cut_rounds(relaxation).best == pytest.approx(4.0, rel=1e-6)


def test_floor_and_stretch_in_the_bound() -> None:
    """2×1 row, worth −5 and −1 for 10 mu each, floor 10, stretch 20 at 0.2 a mu: {1} costs 1 and misses 10 mu: −3.

    Taking both costs 6 and misses nothing: −6. The relaxation may take fractions, but no fraction of parcel 0 pays.
    """
    problem = grid_problem(
        2, 1, cost=np.array([15.0, 11.0]), targets=(Target("P1", 0, -1, 10.0, 20.0, stretch_price=0.2),)
    )
    assert Brute(problem).truth().optimum == pytest.approx(-3.0)
    assert all_cut_rounds(relaxed(problem)).best == pytest.approx(-3.0, rel=1e-5)


def test_perimeter_saved_between_two_blocks_is_not_promised_away() -> None:
    """A seam inside one phase may count as saved in the relaxation: an upper bound, never below the two-block plan."""
    problem = grid_problem(2, 1, block_max_mu=10.0, perimeter_per_m=0.01)
    truth = Brute(problem).truth().optimum
    assert truth == pytest.approx(2 * (10.0 - 4.0))
    assert all_cut_rounds(relaxed(problem)).best >= truth
