"""What happens when the owners of a parcel refuse: its block, the targets, and what going round the parcel costs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from geodata.errors import DataError, Issue, list_ids
from planner.config_issues import nearest
from planner.consequences.harm import Harm, Shortfall, harms
from planner.consequences.plan import PlanInHand, plan_order
from planner.explain.asking import Answer, Asker, Interval
from planner.explain.consent import ConsentTest, consent_tests
from planner.explain.folder import RunFolder
from planner.explain.parcel import loss_of
from planner.explain.robust import Robust, find_robust
from planner.problem import Problem

_LEAST_S: Final = 5.0
"""A question gets at least so many seconds while there are any: too short a solve says nothing about anybody."""
_ROBUST_SHARE: Final = 0.7
"""Part of the time for the robust plan, where one is asked for."""


@dataclass(frozen=True)
class HoldOut:
    """What the refusal of one parcel does.

    Attributes
    ----------
    parcel_id, block, phase, mode : str
    area_mu : float
    kind : {'free', 'locked', 'fixed'}
        Whether the planner locked the parcel in, or it is part of a block that stands in every plan.
    stands : bool
        The block without the parcel keeps every rule for blocks.
    reason : str
        In words; where it does not stand, the rules that break.
    part_mu : float
        The largest part known that is still a block, mu; 0 = none.
    part_largest : bool
        No larger part is one.
    lost_mu : float
        Land of the block that is not in that part, the parcel's own included.
    falls_with_it : tuple of str
        Other parcels that are lost.
    shortfalls : tuple of Shortfall
        Targets that the plan misses, and limits that it exceeds, when nothing else is done.
    locks_lost : tuple of str
        Locked parcels among those that fall with it.
    splits : tuple of str
        Where what is taken is not one area any more, if the problem asks for that.
    worth_lost : float
        What the plan is worth less when nothing else is done, currency.
    price : Interval
        What the best plan loses when it has to do without the parcel, currency.
    verdict, message : str
        How the solver answered.
    """

    parcel_id: str
    block: str
    phase: str
    mode: str
    area_mu: float
    kind: str
    stands: bool
    reason: str
    part_mu: float
    part_largest: bool
    lost_mu: float
    falls_with_it: tuple[str, ...]
    shortfalls: tuple[Shortfall, ...]
    locks_lost: tuple[str, ...]
    splits: tuple[str, ...]
    worth_lost: float
    price: Interval
    verdict: str
    message: str

    @property
    def harmless(self) -> bool:
        """What is left is a plan still."""
        return not (self.shortfalls or self.locks_lost or self.splits)


@dataclass(frozen=True, eq=False)
class HoldOuts:
    """Refusals one by one, most land lost first.

    Attributes
    ----------
    problem : Problem
    objective : float
        Worth of the plan, currency.
    bound : float or None
        No plan is worth more.
    holdouts : tuple of HoldOut
    asked : int
        Parcels that the solver was asked about.
    consent : tuple of ConsentTest
        Least slack first; empty without rules on shares.
    robust : Robust or None
        None = not asked for.
    notes : tuple of str
    """

    problem: Problem
    objective: float
    bound: float | None
    holdouts: tuple[HoldOut, ...]
    asked: int
    consent: tuple[ConsentTest, ...]
    robust: Robust | None
    notes: tuple[str, ...]


def explain_holdouts(run: RunFolder, asker: Asker, only: Sequence[str] = (), *, robust: bool = False) -> HoldOuts:
    """Say for every parcel of the plan, or for some, what its refusal does; with `robust` find a plan that bears it.

    Parameters
    ----------
    run : RunFolder
    asker : Asker
    only : sequence of str
        Parcels that may refuse; empty = all.
    robust : bool

    Raises
    ------
    DataError
        No plan, or unknown parcels.
    """
    problem, plan = run.problem, run.require_plan()
    named = _named(problem, only)
    found = [h for h in harms(problem, plan) if named is None or h.parcel in named]
    better = find_robust(problem, plan, asker, named, _ROBUST_SHARE * asker.time_limit_s) if robust else None
    answers = _ask(problem, plan, asker, found)
    rows = [_row(problem, plan, h, *a) for h, a in zip(found, answers, strict=True)]
    asked = sum(r.verdict != "not_asked" for r in rows)
    notes = _notes(problem, plan, named)
    consent = consent_tests(problem, plan)
    return HoldOuts(problem, plan.objective, plan.bound, tuple(rows), asked, consent, better, notes)


def _named(problem: Problem, only: Sequence[str]) -> frozenset[int] | None:
    """The parcels of some ids; None = all."""
    if not only:
        return None
    place = {name: i for i, name in enumerate(problem.parcel_ids)}
    issues = []
    for name in sorted(set(only) - place.keys()):
        near = nearest(name, set(place))
        fix = "Check the id." if near is None else f"Did you mean {near!r}?"
        issues.append(Issue("--parcels", f"the unknown parcel {name!r}", "ids of parcels of the problem", fix))
    if issues:
        raise DataError(issues)
    return frozenset(place[name] for name in only)


def _notes(problem: Problem, plan: PlanInHand, named: frozenset[int] | None) -> tuple[str, ...]:
    outside = sorted(problem.parcel_ids[i] for i in (named or frozenset()) - plan.block_of.keys())
    return (f"not in the plan, so that a refusal changes nothing: {list_ids(outside)}",) if outside else ()


def _ask(problem: Problem, plan: PlanInHand, asker: Asker, found: Sequence[Harm]) -> list[tuple[Answer, Interval]]:
    """Solve without each parcel, in order of harm, until the time is used."""
    answers = []
    for k, harm in enumerate(found):
        seconds = min(max(asker.share(len(found) - k), _LEAST_S), max(0.0, asker.clock.remaining()))
        changed = without(problem, plan, harm)
        name = f"without {problem.parcel_ids[harm.parcel]}"
        start = plan_order(changed, harm.standing(plan)) if harm.is_plan else ()
        answer = asker.ask(name, changed, seconds, start)
        if not answer.has_plan and answer.verdict != "infeasible" and harm.is_plan:
            # what is left is a plan without the parcel: what it loses bounds the price whether asked or not
            answer = replace(answer, objective=plan.objective - harm.worth_lost)
        answers.append((answer, loss_of(plan, answer, restricts=harm.kind == "free")))
    return answers


def without(problem: Problem, plan: PlanInHand, harm: Harm) -> Problem:
    """The problem in which a parcel cannot be taken: its lock is lifted, a fixed block gives way to what is left."""
    selectable, lock_by = problem.selectable.copy(), problem.lock_by.copy()
    selectable[harm.parcel], lock_by[harm.parcel] = False, -1
    block = plan.blocks[harm.block]
    fixed = tuple(replace(b, parcels=harm.left.part) if b == block else b for b in problem.fixed)
    return replace(problem, selectable=selectable, lock_by=lock_by, fixed=tuple(b for b in fixed if b.parcels))


def _row(problem: Problem, plan: PlanInHand, harm: Harm, answer: Answer, price: Interval) -> HoldOut:
    block, ids = plan.blocks[harm.block], problem.parcel_ids
    part = set(harm.left.part)
    others = [i for i in block.parcels if i not in part and i != harm.parcel]
    part_mu = float(problem.area_mu[list(harm.left.part)].sum())
    return HoldOut(
        parcel_id=ids[harm.parcel],
        block=plan.names[harm.block],
        phase=problem.phases[block.phase].id,
        mode=problem.modes[block.mode].id,
        area_mu=float(problem.area_mu[harm.parcel]),
        kind=harm.kind,
        stands=harm.left.whole,
        reason=_reason(harm),
        part_mu=part_mu,
        part_largest=harm.left.largest,
        lost_mu=harm.lost_mu,
        falls_with_it=tuple(ids[i] for i in others),
        shortfalls=harm.shortfalls,
        locks_lost=tuple(ids[i] for i in others if problem.lock_by[i] >= 0),
        splits=harm.splits,
        worth_lost=harm.worth_lost,
        price=price,
        verdict=answer.verdict,
        message=answer.message,
    )


def _reason(harm: Harm) -> str:
    if harm.left.whole:
        if harm.kind == "fixed":
            return "stands without it: a fixed block need not keep the rules for blocks"
        return "stands without it"
    return "; ".join(harm.left.faults)
