"""The bound as a stream of events."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from planner.optimise.bound import CuttingPlanes
from planner.optimise.branch import MOST_COLUMNS, branch
from planner.optimise.events import BoundFound, Event, PlanFound, RootFound
from planner.optimise.formulation import Relaxation
from planner.optimise.graph import Graph
from planner.optimise.reach import proven_reach, require_reachable
from planner.optimise.single import prove_single, single_task
from planner.optimise.stop import Clock
from planner.problem import Block, Bools, Problem

_REACH_ROUNDS: Final = 12
_NUMBERS_A_SECOND: Final = 2e8
"""Numbers that the cutting planes touch in a unit of work, about a second."""


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
    planes = CuttingPlanes(Relaxation(problem, graph, open_))

    def here() -> BoundFound:
        return BoundFound(planes.work / _NUMBERS_A_SECOND, planes.best, planes.proof)

    yield here()
    more = True
    while more and not clock.over():
        more = planes.step(clock)
        if not more and (planes.infeasible or planes.solution is None):  # perhaps nothing meets all floors
            require_reachable(planes.relaxation, _REACH_ROUNDS, clock)
        yield here()
    if not more and planes.relaxation.n_x <= MOST_COLUMNS:
        yield RootFound(planes.work / _NUMBERS_A_SECOND, planes.pool.matrix, planes.result())


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
