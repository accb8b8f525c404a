"""What a baseline hands back, judged by the same definition of value and rules as the planner's own plans."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from planner.optimise.evaluate import objective, ordered, plan_faults
from planner.optimise.options import availability
from planner.optimise.presolve import usable_graph
from planner.problem import Block, Problem


class NotModelledError(Exception):
    """A rule of the problem that a baseline does not know."""


@dataclass(frozen=True)
class Answer:
    """A baseline's plan.

    Attributes
    ----------
    baseline : str
    blocks : tuple of Block
        Empty where none was found.
    objective : float or None
        None without a plan, or where the plan breaks a rule.
    faults : tuple of str
        Rules broken, in words.
    seconds : float
    bound : float or None
        Proven by the baseline's own solver, over the relaxation that it solves.
    note : str
        What stopped it, where that matters.
    """

    baseline: str
    blocks: tuple[Block, ...]
    objective: float | None
    faults: tuple[str, ...]
    seconds: float
    bound: float | None = None
    note: str = ""


def judged(
    problem: Problem,
    baseline: str,
    blocks: Sequence[Block] | None,
    seconds: float,
    bound: float | None = None,
    note: str = "",
) -> Answer:
    """Value a plan, or the lack of one (`blocks` None)."""
    if blocks is None:
        return Answer(baseline, (), None, ("no plan",), seconds, bound, note)
    graph = usable_graph(problem)
    tidy = ordered(blocks)
    faults = tuple(plan_faults(problem, graph, tidy, availability(problem)))
    value = None if faults else objective(problem, graph, tidy)
    return Answer(baseline, tidy, value, faults, seconds, bound, note)


def require_modelled(problem: Problem) -> None:
    """Raise `NotModelledError` on rules that no baseline knows."""
    unknown = {
        "modes": len(problem.modes) > 1 or problem.modes[0].duration > 0 or bool(problem.modes[0].done),
        "fixed blocks": bool(problem.fixed),
        "rolling contiguity": problem.rolling,
        "villages": problem.max_villages is not None,
        "resources": bool(problem.resources),
        "targets in other units than mu": any(t.measure != "mu" for t in problem.targets),
        "stretch targets": any(t.stretch for t in problem.targets),
    }
    found = [name for name, there in unknown.items() if there]
    if found:
        raise NotModelledError(f"baselines do not know: {', '.join(found)}")
