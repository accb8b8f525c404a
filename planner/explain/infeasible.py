"""Why no plan exists: how far every target can be reached, and what would have to give way."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

from planner.explain.asking import Asker, Interval
from planner.explain.elastic import Shortage, floors, shortage
from planner.explain.folder import RunFolder
from planner.explain.relaxing import CandidateLink, Relaxer, Suggestion
from planner.optimise.evaluate import reached_amounts
from planner.problem import UNITS, Problem

State = Literal["feasible", "infeasible", "blocked", "open"]
"""A plan exists; the targets are proven out of reach; not even a plan without targets exists; not settled."""
_JOINT: Final = 0.2
_TARGETS: Final = 0.3
"""Parts of the time for all targets together, and for each alone; the rest is for what could give way."""


@dataclass(frozen=True)
class TargetReach:
    """How far one target can be reached.

    Attributes
    ----------
    target, unit : str
    asked : float
    alone : Interval
        Reach with all other targets dropped: a plan at hand reaches the low end, none exceeds the high end. Not looked
        at beyond what is asked.
    together : float or None
        What the plan that misses least of all targets together reaches of it.
    lower_by : Interval
        By how much this target alone would have to be lowered, the others being kept: at least, and enough. Both None
        where that is proven not to help, or not settled; see `lower_verdict`.
    lower_verdict : {'enough', 'not_enough', 'open'}
    """

    target: str
    unit: str
    asked: float
    alone: Interval
    together: float | None
    lower_by: Interval
    lower_verdict: str


@dataclass(frozen=True)
class InfeasibleAnswer:
    """Why there is no plan, and what would help.

    Attributes
    ----------
    state : str
    message : str
        One sentence.
    missing : Interval
        Of all targets together, in `unit`.
    unit : str
        'mu' …, or 'shares of the targets' where they count different things.
    targets : tuple of TargetReach
    suggestions : tuple of Suggestion
        What would help; those that suffice first, then by what they gain. Each proven by a plan or a bound.
    tried : int
        How many changes were tried.
    unfinished : bool
        Time ran out, or Ctrl-C: not everything was tried.
    """

    state: State
    message: str
    missing: Interval
    unit: str
    targets: tuple[TargetReach, ...]
    suggestions: tuple[Suggestion, ...]
    tried: int
    unfinished: bool


def explain_infeasible(run: RunFolder, asker: Asker, links: Sequence[CandidateLink] = ()) -> InfeasibleAnswer:
    """Find out which targets are out of reach, by how much, and the smallest changes that would make a plan possible.

    Parameters
    ----------
    run : RunFolder
        With or without a plan.
    asker : Asker
    links : sequence of CandidateLink
        Pairs of parcels that could be joined; see `relaxing.candidate_links`.
    """
    problem, asked = run.problem, floors(run.problem)
    total = asker.time_limit_s
    joint = shortage(asker, "all targets", problem, asked, _JOINT * total)
    unit = _unit(problem)
    state = _state(joint)
    if state == "feasible":
        return InfeasibleAnswer(state, _message(state, joint, unit), Interval(0.0, 0.0), unit, (), (), 1, False)
    targets = () if state == "blocked" else _targets(problem, asker, asked, joint, _TARGETS * total)
    relaxer = Relaxer(run, asker, joint)
    relaxer.try_all(targets, links)
    found = sorted(relaxer.found, key=_order)
    tried = 1 + 2 * len(targets) + relaxer.tried
    return InfeasibleAnswer(
        state, _message(state, joint, unit), joint.missing, unit, targets, tuple(found), tried, asker.is_over
    )


def _unit(problem: Problem) -> str:
    measures = {problem.targets[k].measure for k in floors(problem)}
    return UNITS[measures.pop()] if len(measures) == 1 else "shares of the targets"


def _state(joint: Shortage) -> State:
    if joint.met:
        return "feasible"
    if joint.answer.verdict == "infeasible":
        return "blocked"
    return "infeasible" if joint.proven_missing else "open"


def _message(state: State, joint: Shortage, unit: str) -> str:
    if state == "feasible":
        return "A plan exists that keeps every rule and reaches every target: give the solve more time."
    if state == "blocked":
        return f"Not even a plan without targets exists. {joint.answer.message}"
    low, high = joint.missing.low, joint.missing.high
    best = "" if high is None else f" The best plan found misses {high:,.2f} {unit} in all."
    if state == "infeasible":
        return f"Proven: at least {low or 0.0:,.2f} {unit} are missing in every plan.{best}"
    return f"Not settled whether a plan exists.{best}"


def _order(s: Suggestion) -> tuple[bool, float, float, str]:
    gain = s.gain.low if s.gain.low is not None else 0.0
    return not s.suffices, -gain, s.amount.high if s.amount.high is not None else 0.0, s.text


def _targets(
    problem: Problem, asker: Asker, asked: Sequence[int], joint: Shortage, seconds: float
) -> tuple[TargetReach, ...]:
    reached = reached_amounts(problem, joint.blocks) if joint.answer.has_plan else None
    single = seconds / (2 * len(asked))
    rows = []
    for k in asked:
        target = problem.targets[k]
        others = [j for j in asked if j != k]
        alone = joint if not others else shortage(asker, f"{target.name} alone", problem, [k], single, dropped=others)
        kept = joint if not others else shortage(asker, f"lower {target.name}", problem, [k], single)
        rows.append(
            TargetReach(
                target.name,
                target.unit,
                target.floor,
                _reach(target.floor, alone),
                None if reached is None else float(reached[k]),
                kept.missing if kept.answer.has_plan else Interval(None, None),
                _lowering(kept),
            )
        )
    return tuple(rows)


def _reach(asked: float, alone: Shortage) -> Interval:
    """What is asked less what is missing."""
    low, high = alone.missing.low, alone.missing.high
    return Interval(None if high is None else asked - high, None if low is None else asked - low)


def _lowering(kept: Shortage) -> str:
    if kept.answer.has_plan:
        return "enough"
    return "not_enough" if kept.answer.verdict == "infeasible" else "open"
