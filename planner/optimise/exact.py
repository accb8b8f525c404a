"""Exact answers where all blocks can be listed."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from planner.errors import InfeasibleError
from planner.optimise.columns import Columns, Pool, master_rows
from planner.optimise.graph import Graph
from planner.optimise.master import MasterResult, solve_master
from planner.optimise.options import make_options, target_members
from planner.optimise.reach import infeasible
from planner.optimise.small import all_blocks
from planner.optimise.stop import Clock
from planner.problem import Bools, Problem

PROOF: str = "enumeration of all blocks"
MAX_SETS = 20_000
MAX_WORK = 3.0
"""Deterministic units of work for one integer program here: seconds, so that the search still gets its turn."""
MAX_COLUMNS = 5_000


def enumerate_pool(problem: Problem, graph: Graph, open_: Bools) -> Pool | None:
    """Pool of every possible block, None where there are too many."""
    sets = all_blocks(problem, graph, open_, MAX_SETS)
    options = make_options(problem)
    if sets is None or len(sets) * len(options) > MAX_COLUMNS:
        return None
    pool = Pool(problem, graph, open_, options)
    for members in sorted(tuple(sorted(s)) for s in sets):
        pool.add(members)
    return pool


def solve_exactly(pool: Pool, seed: int, clock: Clock) -> MasterResult:
    """Integer master over all blocks.

    Raises
    ------
    InfeasibleError
        No plan exists; the error says how far each target can be reached.
    """
    result = solve_master(
        pool, pool.columns(), None, time_limit_s=clock.remaining(), work=MAX_WORK, seed=seed, workers=1
    )
    if result.blocks is None and result.optimal:
        raise _why(pool, seed, clock)
    return result


def _why(pool: Pool, seed: int, clock: Clock) -> InfeasibleError:
    """How far each target can be reached on its own, and how much is missing when all are wanted; locks are kept."""
    problem = pool.problem
    columns = pool.columns()
    amount = master_rows(pool, columns).target
    wished = tuple(replace(t, floor=0.0, stretch=t.floor, stretch_price=1.0) for t in problem.targets)
    capped = tuple(replace(t, floor=0.0, stretch=None) for t in problem.targets)
    free = _same_blocks(pool, replace(problem, targets=capped))
    wishing = _same_blocks(pool, replace(problem, targets=wished))
    reach = []
    for k in range(len(problem.targets)):
        aimed = Columns(columns.of, columns.option, amount[k])
        answer = solve_master(free, aimed, None, time_limit_s=clock.remaining(), work=MAX_WORK, seed=seed, workers=1)
        land = 0.0 if answer.optimal and answer.blocks is None else _total(problem, k)
        reach.append(max(0.0, land if answer.bound is None else min(answer.bound, land)))
    worthless = Columns(columns.of, columns.option, np.zeros(len(columns)))
    answer = solve_master(wishing, worthless, None, time_limit_s=clock.remaining(), work=MAX_WORK, seed=seed, workers=1)
    shortage = 0.0 if answer.bound is None else max(0.0, -answer.bound)
    return infeasible(problem, reach, shortage, PROOF)


def _same_blocks(pool: Pool, problem: Problem) -> Pool:
    """A pool of the same blocks, in the same order, for another problem on the same parcels."""
    other = Pool(problem, pool.graph, pool.open, pool.options)
    for members in pool.members:
        other.add(members.tolist())
    return other


def _total(problem: Problem, k: int) -> float:
    """All there is for a target, in its unit."""
    target = problem.targets[k]
    inside = target_members(problem, target)
    if target.measure == "blocks":
        return float(inside.sum())
    return float(problem.amounts(target.measure)[inside].max(axis=1, initial=0.0).sum())
