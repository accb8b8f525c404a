"""What several tests of the optimiser share."""

from __future__ import annotations

from functools import cache

from planner.optimise.graph import Graph
from planner.optimise.presolve import reachable, usable_graph
from planner.problem import Bools, Problem
from tests.planner.optimise.brute import Brute, Truth
from tests.planner.optimise.instances import planted_problem, random_problem

MAKERS = {"random": random_problem, "planted": planted_problem}


@cache
def instance(kind: str, seed: int) -> Problem:
    """A problem of one of the two mixes."""
    return MAKERS[kind](seed)


@cache
def truth_of(kind: str, seed: int) -> Truth:
    """The best plan of an instance."""
    return Brute(instance(kind, seed)).truth()


def prepared(problem: Problem) -> tuple[Problem, Graph, Bools]:
    """A problem in canonical order, its contact graph and its availability after presolve."""
    canonical, _ = problem.canonical()
    graph = usable_graph(canonical)
    return canonical, graph, reachable(canonical, graph)
