"""Why a parcel is in the plan or not, and what it costs to have it the other way round."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final, Literal

import numpy as np

from geodata.errors import DataError, Issue
from planner.config_issues import nearest
from planner.consequences.plan import PlanInHand, plan_order
from planner.explain.asking import Answer, Asker, Interval
from planner.explain.folder import SAME_JACCARD, RunFolder, jaccard
from planner.optimise.evaluate import block_value, block_worth, plan_faults, set_faults
from planner.optimise.graph import Graph
from planner.optimise.options import availability
from planner.optimise.presolve import reachable, usable_graph
from planner.problem import Block, Problem

Why = Literal["in_plan", "fixed", "closed", "locked_out", "gate", "no_mode", "too_large", "no_block", "not_worth_it"]
_UNKNOWN: Final = Interval(None, None)


@dataclass(frozen=True)
class Neighbour:
    """A parcel that touches the one in question, or is joined to it by a bridged link."""

    parcel_id: str
    shared_m: float
    block: str | None


@dataclass(frozen=True)
class Join:
    """A block of the plan that the parcel touches.

    Attributes
    ----------
    block, phase : str
    area_mu : float
        With the parcel.
    adds : float
        What the block is worth more with it, currency, all else the same.
    faults : tuple of str
        Rules for single blocks that it would break.
    """

    block: str
    phase: str
    area_mu: float
    adds: float
    faults: tuple[str, ...]


@dataclass(frozen=True)
class ParcelAnswer:
    """Why a parcel is in or out.

    Attributes
    ----------
    parcel_id : str
    area_mu : float
    why : str
        The one thing that decides.
    reasons : tuple of str
        The same in words, with figures.
    block, phase : str or None
        Where it is in the plan.
    forced : {'in', 'out'} or None
        What was asked of the solver; None = no question makes sense.
    lifted : tuple of str
        What stands against the parcel and was lifted for that.
    loss : Interval
        What the best plan loses by it, currency; negative = it gains (only where something was lifted).
    verdict, message : str
        How the solver answered.
    blocks_changed : int or None
        Blocks of the plan that no block of the forced plan is like (Jaccard index by land of 0.9 or more).
    would_join : str or None
        Parcels of the block that holds it when forced in.
    would_join_phase : str or None
    neighbours : tuple of Neighbour
    joins : tuple of Join
    currency : str
    """

    parcel_id: str
    area_mu: float
    why: Why
    reasons: tuple[str, ...]
    block: str | None
    phase: str | None
    forced: Literal["in", "out"] | None
    lifted: tuple[str, ...]
    loss: Interval
    verdict: str
    message: str
    blocks_changed: int | None
    would_join: tuple[str, ...]
    would_join_phase: str | None
    neighbours: tuple[Neighbour, ...]
    joins: tuple[Join, ...]
    currency: str


def explain_parcel(run: RunFolder, parcel_id: str, asker: Asker) -> ParcelAnswer:
    """Say why a parcel is in or out of the plan, and bound the loss when it is forced the other way.

    Raises
    ------
    DataError
        There is no such parcel, or no plan.
    """
    problem, plan = run.problem, run.require_plan()
    i = _place(problem, parcel_id)
    graph = usable_graph(problem)
    number = plan.block_of.get(i)
    why, reasons = _why(run, plan, graph, i)
    reasons += _before(problem, i)
    forced: Literal["in", "out"] | None = "in" if number is None else "out"
    if why in {"fixed", "too_large"}:
        forced = None
    changed, lifted, start = _forced(problem, plan, graph, i, forced)
    answer = Answer("not_asked", message="no question makes sense here")
    if forced is not None:
        answer = asker.ask(f"{parcel_id} {forced}", changed, asker.share(1), start)
    mine = next((b for b in answer.blocks if i in b.parcels), None)
    return ParcelAnswer(
        parcel_id=parcel_id,
        area_mu=float(problem.area_mu[i]),
        why=why,
        reasons=reasons,
        block=None if number is None else plan.names[number],
        phase=None if number is None else problem.phases[plan.blocks[number].phase].id,
        forced=forced,
        lifted=lifted,
        loss=loss_of(plan, answer, restricts=not lifted),
        verdict=answer.verdict,
        message=answer.message,
        blocks_changed=_changed(problem, plan, answer),
        would_join=tuple(problem.parcel_ids[k] for k in mine.parcels) if mine is not None and forced == "in" else (),
        would_join_phase=problem.phases[mine.phase].id if mine is not None and forced == "in" else None,
        neighbours=_neighbours(problem, plan, graph, i),
        joins=_joins(problem, plan, graph, i) if number is None else (),
        currency=problem.currency,
    )


def loss_of(plan: PlanInHand, answer: Answer, *, restricts: bool) -> Interval:
    """What the best plan loses when a problem is changed: best before − best after.

    Best before lies in [objective, bound] of the plan, best after in [objective, bound] of the answer. A change that
    only restricts loses at least 0.
    """
    low = None if answer.bound is None else plan.objective - answer.bound
    if restricts:
        low = max(0.0, low or 0.0)
    if answer.verdict == "infeasible":
        return Interval(None, None)
    high = None if answer.objective is None or plan.bound is None else plan.bound - answer.objective
    return Interval(low, None if high is None else max(high, low or high))


def _changed(problem: Problem, plan: PlanInHand, answer: Answer) -> int | None:
    if not answer.has_plan:
        return None
    return sum(all(jaccard(problem, b.parcels, o.parcels) < SAME_JACCARD for o in answer.blocks) for b in plan.blocks)


def _place(problem: Problem, parcel_id: str) -> int:
    if parcel_id in problem.parcel_ids:
        return problem.parcel_ids.index(parcel_id)
    near = nearest(parcel_id, set(problem.parcel_ids))
    fix = "Check the id." if near is None else f"Did you mean {near!r}?"
    raise DataError(Issue("ID", f"the unknown parcel {parcel_id!r}", "the id of a parcel of the plan", fix))


def _why(run: RunFolder, plan: PlanInHand, graph: Graph, i: int) -> tuple[Why, tuple[str, ...]]:
    """What decides, and all that can be said."""
    problem, number = run.problem, plan.block_of.get(i)
    told = (run.column("reason") or [None] * problem.n)[i]
    if number is not None:
        block = plan.blocks[number]
        if block in problem.fixed:
            return "fixed", (f"in the fixed block {plan.names[number]}, which stands in every plan",)
        reasons = [told or f"in block {plan.names[number]}"]
        if problem.filler[i]:
            reasons.append("as filler: it adds land, but counts no benefit")
        if problem.lock_by[i] >= 0:
            reasons.append(_lock(problem, i))
        return "in_plan", tuple(reasons)
    if not problem.selectable[i]:
        locked = (run.column("locked") or [None] * problem.n)[i]
        if locked == "out":
            return "locked_out", ("locked out by the planner", *((told,) if told else ()))
        return "closed", (told or "excluded or ineligible: no plan may contain it",)
    if problem.earliest[i] >= len(problem.phases):
        return "gate", ("a gate keeps it closed in every phase",)
    reasons = [told] if told else []
    if problem.earliest[i] > 0:
        reasons.append(f"open from {problem.phases[problem.earliest[i]].id} on")
    if problem.mode_open is not None and not problem.mode_open[i].any():
        return "no_mode", (*reasons, "it allows no mode")
    area, most = float(problem.area_mu[i]), problem.block_max_mu
    if area > most:
        return "too_large", (*reasons, f"{area:,.2f} mu by itself, more than the largest block ({most:,.2f} mu)")
    if not reachable(problem, graph)[i].any():
        around = _around(problem, graph, i)
        text = f"{around:,.2f} mu of connected available land around it, a block needs {problem.block_min_mu:,.2f} mu"
        return "no_block", (*reasons, text)
    text = f"worth {_rate(problem, i):,.2f} {problem.currency} a mu by itself: the plan is better without it"
    return "not_worth_it", (*reasons, text)


def _lock(problem: Problem, i: int) -> str:
    """What the lock of a parcel says."""
    by = int(problem.lock_by[i])
    if problem.gates is not None and problem.earliest[i] > problem.gates[i]:
        return f"locked in at {problem.phases[by].id}"
    return f"locked in by {problem.phases[by].id}"


def _before(problem: Problem, i: int) -> tuple[str, ...]:
    """What the parcel was in the plan before, and what it costs to change that; nothing without such a price."""
    if problem.change_price is None:
        return ()
    price = f"{problem.change_price[i]:,.0f} {problem.currency}"
    for block in problem.before:
        if i in block.parcels:
            mode = f" ({problem.modes[block.mode].id})" if len(problem.modes) > 1 else ""
            return (f"in the plan before, in {problem.phases[block.phase].id}{mode}: changing that costs {price}",)
    return (f"not in the plan before: taking it costs {price}",)


def _around(problem: Problem, graph: Graph, i: int) -> float:
    """Largest connected piece of available land that holds the parcel, over all options, mu."""
    open_ = availability(problem)
    found = 0.0
    for o in range(open_.shape[1]):
        piece = graph.components(open_[:, o])
        if piece[i] >= 0:
            found = max(found, float(problem.area_mu[piece == piece[i]].sum()))
    return found


def _benefit(problem: Problem, i: int) -> float:
    """Undiscounted benefit of the best mode."""
    return float(problem.benefit[i] if problem.mode_benefit is None else problem.mode_benefit[i].max())


def _rate(problem: Problem, i: int) -> float:
    """Benefit − cost per mu, undiscounted, of the best mode."""
    benefit = problem.benefit[i] if problem.mode_benefit is None else problem.mode_benefit[i]
    cost = problem.cost[i] if problem.mode_cost is None else problem.mode_cost[i]
    return float(np.max(benefit - cost) / problem.area_mu[i])


def _forced(
    problem: Problem, plan: PlanInHand, graph: Graph, i: int, forced: str | None
) -> tuple[Problem, tuple[str, ...], tuple[Block, ...]]:
    """The problem with the parcel forced, what had to be lifted for that, and a plan to start from."""
    if forced is None:
        return problem, (), ()
    if forced == "out":
        selectable, lock_by = problem.selectable.copy(), problem.lock_by.copy()
        selectable[i] = False
        lifted = ("the lock",) if lock_by[i] >= 0 else ()
        lock_by[i] = -1
        changed = replace(problem, selectable=selectable, lock_by=lock_by)
        return changed, lifted, _without(changed, plan, graph, i)
    selectable, lock_by, earliest = problem.selectable.copy(), problem.lock_by.copy(), problem.earliest.copy()
    lifted = ()
    if not selectable[i]:
        lifted = (f"its exclusion (it then brings a benefit of {_benefit(problem, i):,.0f} {problem.currency})",)
        selectable[i] = True
    if earliest[i] >= len(problem.phases):
        lifted = (*lifted, "its gate, in the last phase")
        earliest[i] = len(problem.phases) - 1
    lock_by[i] = len(problem.phases) - 1
    changed = replace(problem, selectable=selectable, lock_by=lock_by, earliest=earliest)
    return changed, lifted, _with(changed, plan, graph, i)


def _without(problem: Problem, plan: PlanInHand, graph: Graph, i: int) -> tuple[Block, ...]:
    """The plan without the parcel, or without its whole block, if that is one."""
    number = plan.block_of[i]
    others = [b for k, b in enumerate(plan.blocks) if k != number]
    block = plan.blocks[number]
    smaller = replace(block, parcels=tuple(k for k in block.parcels if k != i))
    for blocks in ([*others, smaller] if smaller.parcels else others, others):
        if not plan_faults(problem, graph, blocks, availability(problem)):
            return plan_order(problem, blocks)
    return ()


def _with(problem: Problem, plan: PlanInHand, graph: Graph, i: int) -> tuple[Block, ...]:
    """The plan with the parcel in a block that it touches, if that is one."""
    open_ = availability(problem)
    for number in _touched(plan, graph, i):
        larger = _joined(plan.blocks[number], i)
        blocks = [*(b for k, b in enumerate(plan.blocks) if k != number), larger]
        if not plan_faults(problem, graph, blocks, open_):
            return plan_order(problem, blocks)
    return ()


def _joined(block: Block, i: int) -> Block:
    return replace(block, parcels=tuple(sorted((*block.parcels, i))))


def _touched(plan: PlanInHand, graph: Graph, i: int) -> list[int]:
    """Blocks of the plan that the parcel touches."""
    block_of = plan.block_of
    return sorted({block_of[j] for j in graph.of(i).tolist() if j in block_of})


def _neighbours(problem: Problem, plan: PlanInHand, graph: Graph, i: int) -> tuple[Neighbour, ...]:
    row = slice(graph.start[i], graph.start[i + 1])
    found: Sequence[tuple[int, float]] = list(
        zip(graph.neighbour[row].tolist(), graph.shared_m[row].tolist(), strict=True)
    )
    block_of = plan.block_of
    near = [Neighbour(problem.parcel_ids[j], m, plan.names[block_of[j]] if j in block_of else None) for j, m in found]
    return tuple(sorted(near, key=lambda x: (-x.shared_m, x.parcel_id)))


def _joins(problem: Problem, plan: PlanInHand, graph: Graph, i: int) -> tuple[Join, ...]:
    open_ = availability(problem)
    joins = []
    for number in _touched(plan, graph, i):
        block = plan.blocks[number]
        if block in problem.fixed:
            continue
        larger = _joined(block, i)
        before = block_value(problem, graph, block.parcels, block.mode)
        after = block_value(problem, graph, larger.parcels, block.mode)
        faults = set_faults(problem, graph, larger.parcels, block.mode)
        if not open_[i, block.phase * len(problem.modes) + block.mode]:
            faults.append("the parcel is not available in this phase and mode")
        joins.append(
            Join(
                plan.names[number],
                problem.phases[block.phase].id,
                after.area_mu,
                block_worth(problem, after, block.phase) - block_worth(problem, before, block.phase),
                tuple(faults),
            )
        )
    return tuple(joins)
