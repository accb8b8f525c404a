"""What sticking to the plan costs against planning anew: honest about what is only bounded."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from planner.run_result import RunResult


@dataclass(frozen=True)
class Worth:
    """Worth of the land of a plan, the price of changes aside, in currency.

    Attributes
    ----------
    worth : float
        Of this plan.
    price_paid : float
        What its objective was lowered by for parcels changed.
    bound : float
        No plan's objective (with that price) is higher.
    status, stopped_by : str
    gap : float or None
    """

    worth: float
    price_paid: float
    bound: float
    status: str
    stopped_by: str
    gap: float | None

    @classmethod
    def of(cls, result: RunResult) -> Worth:
        """Of a run that has a plan."""
        assert result.plan is not None
        plan = result.plan
        paid = float(result.summary.get("keep", {}).get("change_price", 0.0))
        return cls(plan.objective + paid, paid, plan.bound, plan.status, plan.stopped_by, plan.gap)

    def as_dict(self) -> dict[str, Any]:
        """For ``replan.json``."""
        return asdict(self)


@dataclass(frozen=True)
class Cost:
    """What sticking to the plan costs.

    Attributes
    ----------
    at_most : float
        Proven: no plan of the same conditions is worth more than this beyond the replan, in currency.
    at_least : float
        Known: the plan made anew is worth this more; 0 where it is worth less.
    share_at_most : float or None
        `at_most` as a share of what any plan can be worth; None where that is not positive.
    found : float
        Worth of the plan made anew less that of the replan; negative where the search found less without the plan
        before.
    """

    at_most: float
    at_least: float
    share_at_most: float | None
    found: float

    def as_dict(self) -> dict[str, Any]:
        """For ``replan.json``."""
        return asdict(self)


def keeping_costs(replan: Worth, fresh: Worth) -> Cost:
    """What sticking to the plan costs at most and at least.

    Every plan w obeys w ≤ bound of planning anew, which knows no price of changes; so planning anew brings at most
    bound − worth of the replan, and at least the worth of the plan it found less that of the replan.
    """
    most = max(0.0, fresh.bound - replan.worth, fresh.worth - replan.worth)
    found = fresh.worth - replan.worth
    top = max(fresh.bound, fresh.worth)
    return Cost(most, max(0.0, found), most / top if top > 0 else None, found)
