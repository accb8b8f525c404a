"""The page on the model is true: its figures are those of the code, its inequalities hold for plans."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from planner.optimise import exact, ledger, search
from planner.optimise.evaluate import block_faults
from planner.optimise.graph import Graph
from planner.optimise.options import availability
from planner.optimise.presolve import usable_graph
from planner.problem import AREA_TOLERANCE_MU, MONEY_TOLERANCE, Block, Problem
from tests.docs.pages import text_of
from tests.planner.optimise.instances import random_problem

PAGE = " ".join(text_of("model.md").split())


@pytest.mark.parametrize(
    ("sentence", "values"),
    [
        ("at most {:,} connected sets", (exact.MAX_SETS,)),
        ("at most {:,} columns", (exact.MAX_COLUMNS,)),
        ("at most {:,} columns: those whose reduced worth", (search._MASTER_COLUMNS[-1],)),
        ("differ by at most {:.0e} of the larger", (ledger.OPTIMAL_SHARE,)),
        ("may miss a limit by {:.0e} mu, costs by {:.0e} of the budget", (AREA_TOLERANCE_MU, MONEY_TOLERANCE)),
    ],
)
def test_figures_are_those_of_the_code(sentence: str, values: tuple[float, ...]) -> None:
    text = sentence.format(*values).replace(",", " ").replace("e-0", "e-")
    assert text in PAGE.replace(",", " ")


def _outside(graph: Graph, inside: frozenset[int], here: frozenset[int]) -> set[int]:
    return {j for i in inside for j in graph.of(i).tolist() if j in here} - inside


def test_the_area_cut_holds_for_every_block() -> None:
    """Every C ⊂ D with area below L, against every block that meets C: one inequality each."""
    tried = sum(_try_area_cuts(random_problem(seed, n=8)) for seed in range(12))
    assert tried > 3_000


def _try_area_cuts(problem: Problem) -> int:
    graph, open_ = usable_graph(problem), availability(problem)
    tried = 0
    for t in range(len(problem.phases)):
        here = frozenset(np.flatnonzero(open_[:, t]).tolist())
        subsets = [frozenset(s) for k in range(1, len(here) + 1) for s in itertools.combinations(sorted(here), k)]
        blocks = [b for b in subsets if not block_faults(problem, graph, Block(tuple(sorted(b)), t), open_)]
        for core in subsets:
            gap = problem.block_min_mu - float(problem.area_mu[sorted(core)].sum())
            if gap <= 2 * AREA_TOLERANCE_MU:
                continue
            for wide in (s for s in subsets if core <= s):
                weight = {j: min(problem.area_mu[j] / gap, 1.0) for j in wide - core}
                weight |= dict.fromkeys(_outside(graph, wide, here), 1.0)
                for block in (b for b in blocks if core & b):
                    slack = AREA_TOLERANCE_MU / gap  # blocks may miss L by the tolerance
                    assert sum(weight.get(j, 0.0) for j in block) >= 1.0 - slack - 1e-9
                    tried += 1
    return tried
