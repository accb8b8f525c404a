"""A plan that bears the refusal of any one of its parcels, or of any one of some, and what it costs.

Let B(i) be the block of parcel i, S(i) the part of it that stands without i (possibly nothing), and s_r the sums that
the problem limits (targets, money, numbers of blocks, resources; additive over blocks), l_r ≤ s_r ≤ h_r. A plan x is
robust if for every parcel i of it that may refuse, and every r,

    l_r ≤ s_r(x) − s_r(B(i)) + s_r(S(i)) ≤ h_r.

Every robust plan is a plan of the problem, so that what bounds the one bounds the other.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final, Literal

import numpy as np

from planner.consequences.harm import harms
from planner.consequences.plan import PlanInHand, plan_in_hand
from planner.explain.asking import Asker, Interval
from planner.explain.bearing import Bearing, Judge, tightened
from planner.explain.robust_pool import choose_robust
from planner.optimise.evaluate import plan_faults
from planner.optimise.options import availability
from planner.optimise.presolve import usable_graph
from planner.problem import Block, Floats, Problem

RobustStatus = Literal["already", "found", "none_found", "proven_none"]
_MARGIN_SHARE: Final = 0.6
"""Part of the time for margins, the rest is for choosing among the blocks met; nothing of it where all are listed."""
_ROUNDS: Final = 8
_LEAST_S: Final = 2.0


@dataclass(frozen=True)
class Margin:
    """How a limited sum of the robust plan stands.

    Attributes
    ----------
    name, unit : str
    limit : float
        Floor, or for `over` the most there may be.
    over : bool
    reached : float
        By the whole plan.
    worst : float
        After the refusal that is worst for this sum.
    parcel_id : str or None
        Whose refusal that is.
    """

    name: str
    unit: str
    limit: float
    over: bool
    reached: float
    worst: float
    parcel_id: str | None


@dataclass(frozen=True, eq=False)
class Robust:
    """The best robust plan found, and its price.

    Attributes
    ----------
    status : {'already', 'found', 'none_found', 'proven_none'}
        The plan in hand is robust and nothing better was found; a plan was found; none in time; proven: there is none.
    protects : tuple of str
        Parcels that may refuse, empty = any one.
    plan : PlanInHand or None
        Its bound is that of robust plans.
    bound : float or None
        No robust plan is worth more, currency.
    proof : {'plan', 'blocks'}
        The bound is that of the plan in hand, or of a program over all possible blocks.
    price : Interval
        Worth of the best plan − worth of the best robust plan, currency.
    share : Interval
        The same as a share of the plan's worth.
    margins : tuple of Margin
        Of the robust plan; of the plan in hand where none was found.
    locks_lost, splits : int
        Refusals after which other locked parcels are lost, or what is taken is not one area any more: no part of the
        definition, so told.
    rounds : int
        Plans judged.
    """

    status: RobustStatus
    protects: tuple[str, ...]
    plan: PlanInHand | None
    bound: float | None
    proof: Literal["plan", "blocks"]
    price: Interval
    share: Interval
    margins: tuple[Margin, ...]
    locks_lost: int
    splits: int
    rounds: int


class _Best:
    """The best robust plan so far; whatever comes in is judged in full."""

    def __init__(self, problem: Problem, judge: Judge) -> None:
        self.problem, self.judge = problem, judge
        self.graph, self.open = usable_graph(problem), availability(problem)
        self.plan: PlanInHand | None = None
        self.rounds = 0

    def take(self, blocks: tuple[Block, ...]) -> Bearing:
        """Judge a plan and keep it if it is the best robust one."""
        bearing = self.judge.judge(blocks)
        self.rounds += 1
        if bearing.robust and not plan_faults(self.problem, self.graph, blocks, self.open):
            plan = plan_in_hand(self.problem, blocks)
            if self.plan is None or plan.objective > self.plan.objective:
                self.plan = plan
        return bearing


def find_robust(
    problem: Problem, plan: PlanInHand, asker: Asker, named: frozenset[int] | None, seconds: float
) -> Robust:
    """Look for the best plan that bears any one refusal.

    Where all blocks can be listed an integer program over them, with the refusals of each, settles it. Otherwise floors
    are raised by what the worst refusal of the last plan takes, until a plan bears all of them; then the margins are
    halved between those that were too small and those that were enough; then the same program chooses among the blocks
    met. Every plan is judged by all of its refusals.

    Parameters
    ----------
    problem, plan : Problem, PlanInHand
    asker : Asker
    named : frozenset of int or None
        Parcels that may refuse; None = any one.
    seconds : float
        For all of it.
    """
    judge = Judge(problem, named)
    best = _Best(problem, judge)
    nominal = best.take(plan.blocks)
    ends = asker.clock.elapsed() + seconds
    asker.progress.stage("robust")
    choice = choose_robust(problem, [plan], judge, asker, ends, complete_only=True)
    if choice is None:
        by_margins(problem, plan, nominal, best, asker, asker.clock.elapsed() + _MARGIN_SHARE * seconds)
        plans = [plan] if best.plan is None else [best.plan, plan]
        choice = choose_robust(problem, plans, judge, asker, ends, complete_only=False)
    if choice is not None:
        for blocks in choice.plans:
            best.take(blocks)
    found = "none" if best.plan is None else f"worth {best.plan.objective:,.0f} {problem.currency}"
    asker.progress.done(found)
    bound, proof = plan.bound, "plan"
    if choice is not None and choice.bound is not None and (bound is None or choice.bound < bound):
        bound, proof = choice.bound, "blocks"
    none = choice is not None and choice.infeasible
    return _told(problem, plan, best, bound, proof == "blocks", none=none, nominal=nominal)


def by_margins(problem: Problem, plan: PlanInHand, bearing: Bearing, best: _Best, asker: Asker, ends: float) -> None:
    """Raise floors by what the worst refusal takes, until a plan bears it; then halve the way back.

    The margin of a sum that a refusal breaks becomes what the worst refusal of that very plan takes from it: with less
    the same plan would come again.
    """
    rows, limits = best.judge.rows, best.judge.limits
    small = (np.zeros(len(rows)), np.zeros(len(rows)))
    large: tuple[Floats, Floats] | None = None
    start = plan.blocks
    for k in range(_ROUNDS):
        left = ends - asker.clock.elapsed()
        if (bearing.robust and k == 0) or asker.is_over or left <= 0:
            return
        if large is None:
            margins = raised(small, bearing, limits.low, limits.high)
        else:
            margins = ((small[0] + large[0]) / 2, (small[1] + large[1]) / 2)
        changed = tightened(problem, rows, *margins)
        if changed is None:
            large = margins
            continue
        seconds = min(left, max(left / 3, _LEAST_S))
        answer = asker.ask(f"margins {k + 1}", changed, seconds, best.plan.blocks if best.plan else start)
        if not answer.has_plan:
            large = margins
            continue
        bearing = best.take(answer.blocks)
        start = answer.blocks
        if bearing.robust:
            large = margins
        else:
            small = margins


def raised(margins: tuple[Floats, Floats], bearing: Bearing, low: Floats, high: Floats) -> tuple[Floats, Floats]:
    """Margins that this plan needs on the sums that its refusals break, those before them on the others."""
    less = np.where(bearing.sums - bearing.less < low, np.maximum(margins[0], bearing.less), margins[0])
    more = np.where(bearing.sums + bearing.more > high, np.maximum(margins[1], bearing.more), margins[1])
    return less, more


def _told(
    problem: Problem,
    plan: PlanInHand,
    best: _Best,
    bound: float | None,
    by_blocks: bool,
    *,
    none: bool,
    nominal: Bearing,
) -> Robust:
    found = best.plan
    status: RobustStatus = "proven_none" if none else "none_found"
    if found is not None:
        status = "already" if set(found.blocks) == set(plan.blocks) else "found"
        if bound is not None:
            bound = max(bound, found.objective)
            found = replace(found, bound=bound)
    low = max(0.0, plan.objective - bound) if bound is not None else 0.0
    high = None if found is None or plan.bound is None else max(low, plan.bound - found.objective)
    price = Interval(None, None) if none else Interval(low, high)
    scale = abs(plan.objective)
    share = Interval(*(None if v is None or scale == 0 else v / scale for v in (price.low, price.high)))
    bearing = nominal if found is None else best.judge.judge(found.blocks)
    named = best.judge.named
    locks, splits = (0, 0) if found is None else _beyond(problem, found, named)
    return Robust(
        status=status,
        protects=() if named is None else tuple(sorted(problem.parcel_ids[i] for i in named)),
        plan=found,
        bound=None if none else bound,
        proof="blocks" if by_blocks or none else "plan",
        price=price,
        share=share,
        margins=_margins(problem, best.judge, bearing),
        locks_lost=locks,
        splits=splits,
        rounds=best.rounds,
    )


def _margins(problem: Problem, judge: Judge, bearing: Bearing) -> tuple[Margin, ...]:
    """The sums with a limit, floors first as the problem lists them."""
    found = []
    for r, row in enumerate(judge.rows):
        name = None if bearing.worst[r] is None else problem.parcel_ids[bearing.worst[r] or 0]
        reached = float(bearing.sums[r])
        if np.isfinite(row.low):
            found.append(Margin(row.name, row.unit, row.low, False, reached, reached - float(bearing.less[r]), name))
        if np.isfinite(row.high) and row.kind != "max_blocks":
            found.append(Margin(row.name, row.unit, row.high, True, reached, reached + float(bearing.more[r]), None))
    return tuple(found)


def _beyond(problem: Problem, plan: PlanInHand, named: frozenset[int] | None) -> tuple[int, int]:
    """Refusals after which other locked parcels are lost, and after which what is taken is not one area."""
    found = [h for h in harms(problem, plan) if named is None or h.parcel in named]
    return sum(h.locks_lost for h in found), sum(bool(h.splits) for h in found)
