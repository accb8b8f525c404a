"""Plans that are nearly as good and as different as possible; how often each parcel is in one of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from planner.consequences.plan import PlanInHand, plan_in_hand
from planner.explain.asking import Asker
from planner.explain.diverse import By, FarPlans, distance_mu
from planner.explain.folder import RunFolder
from planner.explain.land import Land, gather
from planner.problem import Floats, Ints, Problem

_SEARCH_SHARE: Final = 0.4
"""Part of the time in which blocks are looked for."""
_WORKERS: Final = 4
"""With fewer the integer program has no large-neighbourhood search."""
_AWAY: Final = 0.1
"""Share by which the plan's land is made less attractive in the second half of that time."""


@dataclass(frozen=True)
class Alternative:
    """A near-best plan.

    Attributes
    ----------
    name : str
        ``A1`` …
    plan : PlanInHand
    loss, loss_share : float
        Worth of the plan in hand − its own, currency, and as a share.
    differs_mu : float
        From the plan in hand, mu.
    nearest_mu : float
        From the nearest of the plan in hand and the other alternatives, mu.
    """

    name: str
    plan: PlanInHand
    loss: float
    loss_share: float
    differs_mu: float
    nearest_mu: float


@dataclass(frozen=True, eq=False)
class Alternatives:
    """Near-best plans and what they have in common.

    Attributes
    ----------
    problem : Problem
    plan : PlanInHand
    within : float
        Share of the plan's worth that may be lost.
    by : {'land', 'phase'}
        What counts as different.
    found : tuple of Alternative
        Each as far as possible from the plan and from those before it.
    complete : bool
        They were chosen among all possible blocks.
    importance : float64[n]
        Share of the plans, the one in hand among them, that hold each parcel.
    """

    problem: Problem
    plan: PlanInHand
    within: float
    by: By
    found: tuple[Alternative, ...]
    complete: bool
    importance: Floats

    @property
    def plans(self) -> tuple[PlanInHand, ...]:
        """The plan in hand, then the alternatives."""
        return (self.plan, *(a.plan for a in self.found))

    def phases(self) -> Ints:
        """Phase, 1-based, of each parcel in each plan, 0 = not in it (``int64[n, plans]``)."""
        return np.stack([_phases(self.problem, p) for p in self.plans], axis=1)


def find_alternatives(run: RunFolder, k: int, within: float, asker: Asker, by: By = "land") -> Alternatives:
    """Up to k plans that are worth at least (1 − within) of the plan in hand and differ most.

    Blocks are all that can be listed, or those that a search comes across: once around the plan, and once with the
    plan's land made less attractive. An integer program picks the plan that is
    farthest from the nearest of those so far; `evaluate.plan_faults` judges each.

    Raises
    ------
    DataError
        There is no plan.
    """
    problem, plan = run.problem, run.require_plan()
    land = Land.of(problem)
    mine = land.lower(plan.blocks)
    least = plan.objective - within * abs(plan.objective) - land.constant
    chosen = [mine]
    found: list[PlanInHand] = []
    asker.progress.stage("blocks")
    seconds = _SEARCH_SHARE * asker.time_limit_s
    offer = gather(land, chosen, seconds, asker.seed, asker.interrupted, away=_AWAY)
    asker.progress.done(f"{len(offer.columns)} blocks on offer{', all there are' if offer.complete else ''}")
    far = FarPlans(land, offer, least, by)
    for number in range(k):
        if asker.is_over:
            break
        asker.progress.stage(f"plan {number + 1}")
        blocks = far.farthest(chosen, asker.share(k - number), asker.seed, 1 if offer.complete else _WORKERS)
        if blocks is None:
            asker.progress.done("no other plan")
            break
        chosen.append(blocks)
        found.append(plan_in_hand(problem, land.lift(blocks)))
        asker.progress.done(f"worth {found[-1].objective:,.0f} {problem.currency}")
    return Alternatives(
        problem,
        plan,
        within,
        by,
        _measured(problem, plan, found, by),
        offer.complete,
        _importance(problem, plan, found),
    )


def _measured(problem: Problem, plan: PlanInHand, found: Sequence[PlanInHand], by: By) -> tuple[Alternative, ...]:
    rows = []
    for k, other in enumerate(found):
        rest = [plan, *found[:k], *found[k + 1 :]]
        loss = plan.objective - other.objective
        share = loss / abs(plan.objective) if plan.objective else 0.0
        away = [distance_mu(problem, other.blocks, r.blocks, by) for r in rest]
        rows.append(Alternative(f"A{k + 1}", other, loss, share, away[0], min(away)))
    return tuple(rows)


def _importance(problem: Problem, plan: PlanInHand, found: Sequence[PlanInHand]) -> Floats:
    plans = [plan, *found]
    share: Floats = np.mean([_phases(problem, p) > 0 for p in plans], axis=0)
    return share


def _phases(problem: Problem, plan: PlanInHand) -> Ints:
    phase = np.zeros(problem.n, dtype=np.int64)
    for b in plan.blocks:
        phase[list(b.parcels)] = b.phase + 1
    return phase
