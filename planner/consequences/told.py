"""What single decisions do to a plan, all together: for the tables and the summary of a run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from planner.consequences.forced import forced
from planner.consequences.harm import Harm, harms
from planner.consequences.plan import PlanInHand, plan_as_listed
from planner.problem import AREA_TOLERANCE_MU, MONEY_TOLERANCE, Block, Bools, Floats, Problem


@dataclass(frozen=True, eq=False)
class Consequences:
    """What single decisions do to a plan that keeps every rule.

    Attributes
    ----------
    problem : Problem
    plan : PlanInHand
        Blocks in the order of the run.
    harms : tuple of Harm
        Every refusal.
    asked : bool[n]
        Parcels for which the loss when forced was asked: those of the plan, and those outside that were asked about.
    forced_loss : float64[n]
        Currency, NaN where unknown: see `planner.consequences.forced.forced`.
    """

    problem: Problem
    plan: PlanInHand
    harms: tuple[Harm, ...]
    asked: Bools
    forced_loss: Floats

    @property
    def holdouts(self) -> tuple[Harm, ...]:
        """Refusals that take more land down than the parcel itself, or leave no plan."""
        own = self.problem.area_mu
        return tuple(h for h in self.harms if not h.is_plan or h.lost_mu > own[h.parcel] + AREA_TOLERANCE_MU)

    def holdout_figures(self) -> dict[str, Any]:
        """Hold-outs: how many, their land, and how many of them leave no plan."""
        chosen = self.holdouts
        return {
            "parcels": len(chosen),
            "area_mu": float(self.problem.area_mu[[h.parcel for h in chosen]].sum()),
            "breaking": sum(not h.is_plan for h in chosen),
        }

    def forced_figures(self) -> dict[str, Any]:
        """For how many parcels the loss when forced is known, and how many of those without a lock improve the plan."""
        loss, problem = self.forced_loss, self.problem
        gains = loss < -MONEY_TOLERANCE * max(1.0, abs(self.plan.objective))
        gains &= problem.selectable & (problem.lock_by < 0)  # lifting a lock makes a plan of another problem
        gains[[i for b in problem.fixed for i in b.parcels]] = False
        return {
            "asked": int(self.asked.sum()),
            "known": int(np.isfinite(loss[self.asked]).sum()),
            "better": int(gains.sum()),
            "best_gain": float(-loss[gains].min()) if gains.any() else 0.0,
        }


def consequences(problem: Problem, blocks: Sequence[Block], eligible: Bools) -> Consequences | None:
    """Refuse each parcel of a plan, force each eligible one outside into it: exact, without a solve.

    Parameters
    ----------
    problem : Problem
    blocks : sequence of Block
        The plan.
    eligible : bool[n]
        Parcels that are worth asking about where they are outside the plan.

    Returns
    -------
    Consequences or None
        None where the blocks break a rule: then nothing follows from one decision alone.
    """
    plan = plan_as_listed(problem, blocks)
    if plan is None:
        return None
    every = harms(problem, plan)
    asked = eligible.copy()
    asked[list(plan.block_of)] = True
    return Consequences(problem, plan, every, asked, forced(problem, plan, every, eligible).loss)
