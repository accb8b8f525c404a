"""What several tests of the optimiser share."""

from __future__ import annotations

from functools import cache

import numpy as np

from planner.optimise.graph import Graph
from planner.optimise.presolve import reachable, usable_graph, without_fixed
from planner.problem import Block, Bools, Problem
from tests.planner.optimise.brute import Brute, Truth
from tests.planner.optimise.instances import planted_problem, random_problem
from tests.planner.optimise.rich import rich_problem
from tests.planner.optimise.signed import signed_problem

MAKERS = {"random": random_problem, "planted": planted_problem, "rich": rich_problem, "signed": signed_problem}


@cache
def instance(kind: str, seed: int) -> Problem:
    """A problem of one of the four mixes."""
    return MAKERS[kind](seed)


@cache
def truth_of(kind: str, seed: int) -> Truth:
    """The best plan of an instance."""
    return Brute(instance(kind, seed)).truth()


def prepared(problem: Problem) -> tuple[Problem, Graph, Bools]:
    """A problem in canonical order without fixed blocks, its contact graph and its availability after presolve."""
    canonical = without_fixed(problem.canonical()[0]).problem
    graph = usable_graph(canonical)
    return canonical, graph, reachable(canonical, graph)


def spoilt(rng: np.random.Generator, problem: Problem, blocks: tuple[Block, ...]) -> list[Block]:
    """A plan with one to three random changes, most of which break something."""
    plan = [list(b.parcels) for b in blocks]
    phases, modes = [b.phase for b in blocks], [b.mode for b in blocks]
    for _ in range(int(rng.integers(1, 4))):
        k = int(rng.integers(len(plan)))
        match int(rng.integers(5)):
            case 0:
                plan[k] = sorted({*plan[k], int(rng.integers(problem.n))})
            case 1:
                plan[k] = plan[k][1:] or plan[k]
            case 2:
                phases[k] = int(rng.integers(len(problem.phases)))
                modes[k] = int(rng.integers(len(problem.modes)))
            case 3 if len(plan) > 1:
                del plan[k], phases[k], modes[k]
            case _:
                plan.append([int(rng.integers(problem.n))])
                phases.append(int(rng.integers(len(problem.phases))))
                modes.append(int(rng.integers(len(problem.modes))))
    return [Block(tuple(p), t, m) for p, t, m in zip(plan, phases, modes, strict=True)]
