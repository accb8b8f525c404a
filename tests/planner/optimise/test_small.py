"""The list of all blocks against every bit mask."""

from __future__ import annotations

import pytest

from planner.optimise.exact import enumerate_pool
from planner.optimise.graph import build_graph
from planner.optimise.presolve import reachable
from planner.optimise.small import all_blocks
from tests.planner.optimise.brute import Brute, bits
from tests.planner.optimise.instances import grid_problem
from tests.planner.optimise.support import instance, prepared

CASES = [(kind, seed) for kind in ("random", "planted", "rich") for seed in range(40)]


@pytest.mark.parametrize(("kind", "seed"), CASES, ids=str)
def test_lists_every_block_once(kind: str, seed: int) -> None:
    problem, graph, open_ = prepared(instance(kind, seed))
    brute = Brute(problem)
    options = [(t, m) for t in range(len(problem.phases)) for m in range(len(problem.modes))]
    wanted = {tuple(bits(mask)) for t, m in options for mask in brute.blocks_in(t, m)}
    found = all_blocks(problem, graph, open_, 10**6)
    assert found is not None
    assert len(found) == len(set(map(frozenset, found)))
    pool = enumerate_pool(problem, graph, open_)
    assert pool is not None
    offered = {tuple(pool.members[s].tolist()) for s in pool.columns().of}
    assert offered == wanted
    assert wanted <= {tuple(sorted(members)) for members in found}
    assert len(found) == len(wanted) or problem.block_rules or problem.max_villages is not None


@pytest.mark.parametrize(("width", "height", "count"), [(3, 1, 6), (2, 2, 13), (3, 2, 40), (3, 3, 218)])
def test_connected_sets_of_grids(width: int, height: int, count: int) -> None:
    """Known numbers of non-empty connected subsets of small grids (a row of 3: 3 + 2 + 1)."""
    problem = grid_problem(width, height)
    found = all_blocks(problem, build_graph(problem), reachable(problem, build_graph(problem)), 10**6)
    assert found is not None
    assert len(found) == count


def test_gives_up_above_the_limit() -> None:
    problem = grid_problem(3, 3)
    graph = build_graph(problem)
    open_ = reachable(problem, graph)
    assert all_blocks(problem, graph, open_, 217) is None
    assert all_blocks(problem, graph, open_, 218) is not None


def test_large_problem_has_no_pool() -> None:
    problem = grid_problem(7, 7)
    graph = build_graph(problem)
    assert enumerate_pool(problem, graph, reachable(problem, graph)) is None
