"""Solutions for tests of the judge of arrays, written as documents."""

from __future__ import annotations

from typing import Any

from planner.problem import Block, Plan, Problem, TracePoint
from planner.problem_json import problem_to_dict, solution_to_dict
from tests.planner.optimise.plain import plan_worth

Document = dict[str, Any]


def documents(problem: Problem, blocks: tuple[Block, ...], *, above: float = 1.0) -> tuple[Document, Document]:
    """Problem and honest solution as documents; the bound stands `above` the worth of the plan."""
    worth = plan_worth(problem, blocks)
    steps = (TracePoint(0.1, None, worth + 2 * above), TracePoint(0.2, worth, worth + above))
    plan = Plan(blocks, worth, worth + above, "by hand", "feasible", "gap", 1, True, steps)
    return problem_to_dict(problem), solution_to_dict(problem, plan)
