"""The page on the model is true: its figures are those of the code, its inequalities hold for plans."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from planner.optimise import (
    bound,
    branch,
    column_bound,
    exact,
    ledger,
    lp,
    mincut,
    neighbourhoods,
    reach,
    search,
    single,
    solver,
    worker,
)
from planner.optimise.evaluate import block_faults, objective, plan_faults
from planner.optimise.formulation import Relaxation
from planner.optimise.graph import Graph
from planner.optimise.lagrangian import Lagrangian, Point, without_cuts
from planner.optimise.options import availability
from planner.optimise.presolve import usable_graph
from planner.problem import AREA_TOLERANCE_MU, MONEY_TOLERANCE, Block, Problem
from tests.docs.pages import bare, table_under, text_of
from tests.planner.optimise.instances import random_problem
from tests.planner.optimise.rich import rich_problem

PAGE = " ".join(text_of("model.md").split())


@pytest.mark.parametrize(
    ("sentence", "values"),
    [
        ("at most {:,} connected sets", (exact.MAX_SETS,)),
        ("at most {:,} columns (set × option)", (exact.MAX_COLUMNS,)),
        ("may take {:.0%} of the time limit", (solver._EXACT_SHARE,)),
        ("From {} open pairs of parcel and option on", (solver._WORTH_PROCESSES,)),
        ("makes {:,} moves per parcel and chain", (search._MOVES_PER_PARCEL,)),
        ("holds the {:,} that were nearest to paying", (search._CORE_COLUMNS,)),
        ("grown from {:,} parcels and options at a time", (search._SEEDS_A_PASS,)),
        ("at most {:,} a pass", (search._NEW_PER_ROUND,)),
        ("Up to {} passes in the first round, {} in later ones", search._PRICING_ROUNDS),
        ("among at most {:,} columns, and then among at most {:,} columns: those whose", search._MASTER_COLUMNS),
        ("{} to {} blocks of the best plan", (neighbourhoods._LEAST_BLOCKS, neighbourhoods._MOST_BLOCKS)),
        ("among the best {:,} columns that fit", (neighbourhoods._COLUMNS,)),
        ("after {} s without an answer", (worker._PATIENCE_S,)),
        ("{} steps are made between two rounds of cuts, up to {}", (bound._MOST_STEPS, bound._FINE_STEPS)),
        ("Up to {:,} columns and boundaries", (bound._EXACT_COLUMNS,)),
        ("at most {:,} coefficients are left", (bound._FINISH_NUMBERS,)),
        ("by less than {:.0e} of it", (bound._LEAST_GAIN,)),
        ("at most {:,} columns (a zone", (branch.MOST_COLUMNS,)),
        ("at most {} open parcels", (column_bound.MOST_PARCELS,)),
        ("at least {} open pairs of parcel", (column_bound.LEAST_PAIRS,)),
        ("room for at most {} blocks", (column_bound.MOST_BLOCKS,)),
        ("cut short after {:.0f} units of work", (column_bound._PRICE_WORK,)),
        ("From {:,} columns on, minimum cuts", (mincut.LEAST_COLUMNS,)),
        ("subgradients for {} cuts", (mincut._STEPS,)),
        ("SCIP's own; {:.0e} of it is added", (branch._SAFE,)),
        ("{:.0e} of the absolute terms is added for rounding", (lp.ROUNDING,)),
        ("after work {} · w", (ledger.BOUND_LAG,)),
        ("differ by at most {:.0e} of the larger", (ledger.OPTIMAL_SHARE,)),
        ("the clock's limit too ({:.0f} s in a search)", (search._LP_LIMIT_S,)),
        ("may miss a limit by {:.0e} mu, costs by {:.0e} of the budget", (AREA_TOLERANCE_MU, MONEY_TOLERANCE)),
    ],
)
def test_figures_are_those_of_the_code(sentence: str, values: tuple[float, ...]) -> None:
    text = sentence.format(*values).replace(",", " ").replace("%", " %").replace("e-0", "e-")
    assert text in PAGE.replace(",", " ")


def test_the_table_of_proofs_is_that_of_the_code() -> None:
    listed = bare(table_under(text_of("model.md"), "What the answer says").column("proof"))
    known = {
        exact.PROOF,
        bound.PROOF_CUTS,
        branch.PROOF,
        column_bound.PROOF,
        mincut.PROOF,
        bound.PROOF_TRIVIAL,
        solver.NO_LAND,
        reach.PROOF,
        single.PROOF,
    }
    assert set(listed) == known
    assert solver.TRIVIAL == bound.PROOF_TRIVIAL


def test_any_multipliers_give_a_bound() -> None:
    """Drawn multipliers and splits, against every plan that lists of one and two blocks give."""
    rng = np.random.default_rng(0)
    tried = 0
    for seed in range(12):
        problem = random_problem(seed, n=6)
        graph, open_ = usable_graph(problem), availability(problem)
        relaxation = Relaxation(problem, graph, open_)
        lagrangian = Lagrangian(relaxation, relaxation.plan_goal(), without_cuts(relaxation))
        best = _best_worth(problem, graph, open_)
        if best is None:
            continue
        for _ in range(20):
            y = rng.normal(size=len(lagrangian.lo)) * lagrangian.money
            theta = rng.random(len(lagrangian.goal.saved)) * lagrangian.goal.saved
            value, _ = lagrangian.bound(Point(np.zeros(relaxation.n_x), theta, y))
            assert value >= best - 1e-9 * abs(best)
            tried += 1
    assert tried >= 60


def _best_worth(problem: Problem, graph: Graph, open_: np.ndarray) -> float | None:
    """The best worth of plans with at most two blocks; None without one."""
    sets = [s for k in range(1, problem.n + 1) for s in itertools.combinations(range(problem.n), k)]
    blocks = [
        Block(s, t)
        for s in sets
        for t in range(len(problem.phases))
        if not block_faults(problem, graph, Block(s, t), open_)
    ]
    plans = [(), *((b,) for b in blocks), *itertools.combinations(blocks, 2)]
    sound = [p for p in plans if not plan_faults(problem, graph, p, open_)]
    return max((objective(problem, graph, p) for p in sound), default=None)


def _outside(graph: Graph, inside: frozenset[int], here: frozenset[int]) -> set[int]:
    return {j for i in inside for j in graph.of(i).tolist() if j in here} - inside


def test_the_area_cut_holds_for_every_block() -> None:
    """Every C ⊂ D with amounts below the need, against every block that meets C: one inequality each."""
    tried = sum(_try_cuts(random_problem(seed, n=8)) for seed in range(12))
    assert tried > 3_000


def test_the_cut_holds_for_filler_and_rules_for_blocks() -> None:
    tried = sum(_try_cuts(rich_problem(seed, n=7), skip=1) for seed in range(16))
    assert tried > 1_000


def _try_cuts(problem: Problem, skip: int = 0) -> int:
    """Inequalities tried for the needs of every option but the first `skip` (the area)."""
    graph, open_ = usable_graph(problem), availability(problem)
    n_modes = len(problem.modes)
    tried = 0
    for o in range(open_.shape[1]):
        t, mode = divmod(o, n_modes)
        here = frozenset(np.flatnonzero(open_[:, o]).tolist())
        subsets = [frozenset(s) for k in range(1, len(here) + 1) for s in itertools.combinations(sorted(here), k)]
        blocks = [b for b in subsets if not block_faults(problem, graph, Block(tuple(sorted(b)), t, mode), open_)]
        for amount, need in bound.block_needs(problem, mode)[skip:]:
            for block in blocks:
                for i in block:
                    assert amount[sorted(block)].sum() >= need[i] - 1e-12
            tried += sum(_try_core(graph, here, blocks, core, subsets, amount, need) for core in subsets)
    return tried


def _try_core(
    graph: Graph,
    here: frozenset[int],
    blocks: list[frozenset[int]],
    core: frozenset[int],
    subsets: list[frozenset[int]],
    amount: np.ndarray,
    need: np.ndarray,
) -> int:
    tried = 0
    for seed in core:
        gap = need[seed] - amount[sorted(core)].sum()
        if gap <= 0:
            continue
        for wide in (s for s in subsets if core <= s):
            weight = {j: min(amount[j] / gap, 1.0) for j in wide - core}
            weight |= dict.fromkeys(_outside(graph, wide, here), 1.0)
            for block in (b for b in blocks if seed in b):
                assert sum(weight.get(j, 0.0) for j in block) >= 1.0 - 1e-9
                tried += 1
    return tried


def test_the_size_cut_holds_for_every_choice_of_blocks() -> None:
    """No two disjoint blocks save more inside a set that is too large than all but its least cut."""
    tried = sum(_try_size_cuts(random_problem(seed, n=7)) for seed in range(12))
    assert tried > 500


def _try_size_cuts(problem: Problem) -> int:
    weight = {(int(i), int(j)): float(w) for (i, j), w in zip(problem.pairs, problem.shared_m, strict=True) if w > 0}
    everything = [frozenset(s) for k in range(1, problem.n + 1) for s in itertools.combinations(range(problem.n), k)]
    area = {s: float(problem.area_mu[sorted(s)].sum()) for s in everything}
    small = [s for s in everything if area[s] <= problem.block_max_mu]
    tried = 0
    for large in (s for s in everything if area[s] > problem.block_max_mu and len(s) > 1):
        inner = {e: w for e, w in weight.items() if large.issuperset(e)}
        parts = [frozenset(p) for k in range(1, len(large)) for p in itertools.combinations(sorted(large), k)]
        kappa = min(sum(w for e, w in inner.items() if len(part & set(e)) == 1) for part in parts)
        for a, b in itertools.combinations({s & large for s in small}, 2):
            if not a & b:
                saved = sum(w for e, w in inner.items() if a.issuperset(e) or b.issuperset(e))
                assert saved <= sum(inner.values()) - kappa + 1e-9
                tried += 1
    return tried
