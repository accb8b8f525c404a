"""A plan that keeps every rule, with the names of its blocks and its worth."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from geodata.errors import DataError, Issue
from planner.indicators import block_names
from planner.optimise.evaluate import objective, ordered, plan_faults
from planner.optimise.options import availability
from planner.optimise.presolve import usable_graph
from planner.problem import Block, Problem


@dataclass(frozen=True)
class PlanInHand:
    """A plan and what is known of it.

    Attributes
    ----------
    blocks : tuple of Block
        In the parcel order of the problem, fixed blocks among them.
    names : tuple of str
        ``P1-01`` …
    objective : float
        Worth, currency, worked out anew.
    bound : float or None
        No plan is worth more; None = nothing proven.
    """

    blocks: tuple[Block, ...]
    names: tuple[str, ...]
    objective: float
    bound: float | None = None

    @property
    def block_of(self) -> dict[int, int]:
        """Parcel → number of its block."""
        return {i: k for k, b in enumerate(self.blocks) for i in b.parcels}


def plan_order(problem: Problem, blocks: Sequence[Block]) -> tuple[Block, ...]:
    """Blocks by phase, then by the parcel id that comes first: names do not depend on the order of the input."""
    rank = {i: k for k, i in enumerate(sorted(range(problem.n), key=problem.parcel_ids.__getitem__))}
    return tuple(sorted(ordered(blocks), key=lambda b: (b.phase, sorted(rank[i] for i in b.parcels))))


def plan_as_listed(problem: Problem, blocks: Sequence[Block]) -> PlanInHand | None:
    """A plan with its names and its worth, blocks in the order given; None where they break a rule."""
    graph = usable_graph(problem)
    if plan_faults(problem, graph, blocks, availability(problem)):
        return None
    return PlanInHand(tuple(blocks), tuple(block_names(problem, blocks)), objective(problem, graph, blocks))


def plan_in_hand(problem: Problem, blocks: Sequence[Block], bound: float | None = None) -> PlanInHand:
    """A plan with its names and its worth.

    Raises
    ------
    DataError
        The blocks are no plan of the problem; every broken rule is listed.
    """
    graph = usable_graph(problem)
    tidy = plan_order(problem, blocks)
    faults = plan_faults(problem, graph, tidy, availability(problem))
    if faults:
        fix = "Give the problem that the plan was made for."
        raise DataError([Issue("plan", fault, "a plan that keeps every rule of problem.json", fix) for fault in faults])
    value = objective(problem, graph, tidy)
    known = None if bound is None or not math.isfinite(bound) else max(bound, value)
    return PlanInHand(tidy, tuple(block_names(problem, tidy)), value, known)
