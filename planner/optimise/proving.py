"""The bound as a stream of events."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from planner.optimise.bound import CuttingPlanes
from planner.optimise.branch import MOST_COLUMNS, branch
from planner.optimise.column_bound import is_small, know_sizes, prove_by_columns
from planner.optimise.column_bound_windows import Split, families, without_splitting
from planner.optimise.events import BoundFound, Event, PlanFound, RootFound
from planner.optimise.formulation import Relaxation
from planner.optimise.graph import Graph
from planner.optimise.mincut import LEAST_COLUMNS, cut_bounds
from planner.optimise.mincut import PROOF as PROOF_MINCUT
from planner.optimise.reach import proven_reach, require_reachable
from planner.optimise.single import prove_single, single_task
from planner.optimise.stop import Clock
from planner.problem import Block, Bools, Problem

_REACH_ROUNDS: Final = 12
_NUMBERS_A_SECOND: Final = 2e8
"""Numbers that the cutting planes touch in a unit of work, about a second."""
_COLUMN_WORK: Final = 30.0
"""Work that column generation may take, in units of about a second, before branching has its turn."""


def prove(problem: Problem, graph: Graph, open_: Bools, time_limit_s: float) -> Iterator[Event]:
    """Better and better bounds by cutting planes, until no step brings anything.

    A problem that asks for one block is given to its exact search first, which finds plans too.

    Raises
    ------
    InfeasibleError
        The relaxation proves that the targets cannot be met.
    """
    clock = Clock(time_limit_s)
    if single_task(problem, graph, open_) is not None:
        settled = False
        for event in prove_single(problem, graph, open_, time_limit_s):
            settled = settled or isinstance(event, PlanFound)
            yield replace(event, by_proof=True) if isinstance(event, PlanFound) else event
        if settled:
            return
    yield from _prove_in_general(CuttingPlanes(Relaxation(problem, graph, open_)), clock)


def _prove_in_general(planes: CuttingPlanes, clock: Clock) -> Iterator[Event]:
    """Minimum cuts on much land; cutting planes; column generation where plans have few blocks."""
    relaxation, before = planes.relaxation, 0.0
    whole = _sizes(planes) if relaxation.n_x <= MOST_COLUMNS else None

    def here() -> BoundFound:
        return BoundFound(before + planes.work / _NUMBERS_A_SECOND, planes.best, planes.proof)

    yield here()
    if relaxation.n_x >= LEAST_COLUMNS:
        for bound, before in cut_bounds(planes.lagrangian):
            yield BoundFound(before, bound, PROOF_MINCUT)
    more = True
    while more and not clock.over():
        more = planes.step(clock)
        if not more and (planes.infeasible or planes.solution is None):  # perhaps nothing meets all floors
            require_reachable(relaxation, _REACH_ROUNDS, clock)
        yield here()
    work = here().work
    if not more and is_small(relaxation.open, whole) and not planes.infeasible:
        for event in prove_by_columns(relaxation, planes.best, work, work + _COLUMN_WORK, clock):
            work = event.work if isinstance(event, BoundFound) else work
            yield event
    if not more and relaxation.n_x <= MOST_COLUMNS:
        yield RootFound(work, planes.pool.matrix, planes.result())


def _sizes(planes: CuttingPlanes) -> Split | None:
    """What the targets say of sizes of blocks, and let the cuts know it; None where they contradict each other."""
    relaxation = planes.relaxation
    found = families(relaxation.problem, relaxation.graph, relaxation.open)
    whole = without_splitting(relaxation.problem, relaxation.options, found)
    if whole is not None:
        know_sizes(planes, found, whole)
    return whole


def prove_by_branching(
    problem: Problem,
    graph: Graph,
    open_: Bools,
    root: RootFound,
    plan: tuple[Block, ...],
    worth: float,
    time_limit_s: float,
) -> Iterator[Event]:
    """Bounds and plans by branch and cut from where the cutting planes ended."""
    yield from branch(Relaxation(problem, graph, open_), root, plan, worth, time_limit_s)


def disprove(problem: Problem, graph: Graph, open_: Bools, time_limit_s: float) -> Iterator[Event]:
    """Nothing, or an `InfeasibleError`: whether the relaxation proves that the targets cannot be met."""
    require_reachable(Relaxation(problem, graph, open_), _REACH_ROUNDS, Clock(time_limit_s))
    yield from ()


def reach(problem: Problem, graph: Graph, open_: Bools, time_limit_s: float) -> Iterator[list[float]]:
    """How far each target can be reached at most, in its unit."""
    yield proven_reach(Relaxation(problem, graph, open_), _REACH_ROUNDS, Clock(time_limit_s))
