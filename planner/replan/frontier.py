"""Plans at several prices of changing: how much worth a mu of stability costs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from planner.config import KeepSpec
from planner.consequences.kept import keep_figures
from planner.errors import InfeasibleError, InterruptedBeforePlanError, NoPlanInTimeError
from planner.optimise import Stop, solve
from planner.pipeline import Guard
from planner.problem import Plan, Problem
from planner.progress import ProgressReport
from planner.run_result import RunResult


@dataclass(frozen=True)
class FrontierPoint:
    """A plan at one price.

    Attributes
    ----------
    factor : float
        On the price of changing a parcel.
    price_per_mu, price_per_parcel : float
        Currency.
    parcels, area_mu : int, float
        Changed against the plan before.
    worth : float
        Of its land, the price of changes aside, currency.
    gap : float or None
        Of the solve with that price.
    """

    factor: float
    price_per_mu: float
    price_per_parcel: float
    parcels: int
    area_mu: float
    worth: float
    gap: float | None

    def as_dict(self) -> dict[str, Any]:
        """For ``replan.json``."""
        return asdict(self)


def frontier(
    result: RunResult, factors: Sequence[float], progress: ProgressReport, guard: Guard
) -> tuple[FrontierPoint, ...]:
    """Solve at several prices, each from the replan; an interrupt ends the list.

    Parameters
    ----------
    result : RunResult
        The replan, with a plan.
    factors : sequence of float
        On the price; 1 is the replan itself.
    progress, guard
        As for a run.
    """
    problem, spec, limits = result.prepared.problem, result.prepared.config.optimise.keep, result.prepared.config.solve
    assert result.plan is not None
    assert spec is not None
    points = []
    for factor in sorted(set(factors)):
        progress.stage(f"price ×{factor:g}")
        plan: Plan = result.plan
        if factor != 1:
            priced = _priced(problem, factor)
            try:
                with guard() as interrupted:
                    if interrupted():
                        break
                    stop = Stop(limits.gap, limits.time_limit_s, limits.work_limit, interrupted)
                    plan = solve(priced, stop, limits.seed, progress.solve, start=result.plan.blocks)
            except (InfeasibleError, NoPlanInTimeError, InterruptedBeforePlanError):
                progress.done("no plan found in time")
                continue
        point = _point(problem, plan, factor, spec)
        points.append(point)
        progress.done(f"{point.parcels} parcels changed, {point.area_mu:,.2f} mu")
    return tuple(points)


def _priced(problem: Problem, factor: float) -> Problem:
    assert problem.change_price is not None
    return replace(problem, change_price=problem.change_price * factor)


def _point(problem: Problem, plan: Plan, factor: float, spec: KeepSpec) -> FrontierPoint:
    told = keep_figures(problem, plan.blocks)
    assert told is not None
    per_mu, per_parcel = spec.price_per_mu * factor, spec.price_per_parcel * factor
    # the changes are those against the plan before, whatever they cost here
    worth = plan.objective + factor * told["change_price"]
    return FrontierPoint(factor, per_mu, per_parcel, told["changed_parcels"], told["changed_mu"], worth, plan.gap)
