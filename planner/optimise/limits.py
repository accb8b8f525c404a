"""Sums over the parcels of a plan that have an upper limit: money of a phase, another resource in a period.

Programs and bounds take them from here, so that all of them have the same sums in the same order.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from planner.optimise.options import Options
from planner.problem import Floats, Ints, Problem, spending_tolerance

SpendingLabel = tuple[str, int]
"""('budget', phase) or ('resource', number among the periods of all resources that have a limit)."""


@dataclass(frozen=True, eq=False)
class Spending:
    """Σ amount over the parcels taken ≤ limit.

    Attributes
    ----------
    label : tuple of str and int
        What it is about.
    options : int64[k]
        Options in which anything counts.
    amount : float64[n, k]
        What a parcel takes in each of them; negative where it gives.
    limit : float
        May be negative where amounts are.
    tolerance : float
        By how much plans may miss it.
    """

    label: SpendingLabel
    options: Ints
    amount: Floats
    limit: float
    tolerance: float

    def in_full(self, n_options: int) -> Floats:
        """What a parcel takes in every option, ``float64[n, O]``."""
        full = np.zeros((len(self.amount), n_options))
        full[:, self.options] = self.amount
        return full


def spendings(problem: Problem, options: Options) -> tuple[Spending, ...]:
    """Budgets by phase, then the periods of each resource, where they have a limit."""
    found = []
    for t, phase in enumerate(problem.phases):
        if phase.budget is not None:
            here = np.flatnonzero(options.phase == t)
            tolerance = spending_tolerance(phase.budget)
            found.append(Spending(("budget", t), here, options.cost[:, here], phase.budget, tolerance))
    for number, (q, r) in enumerate(limited_periods(problem)):
        resource, limit = problem.resources[q], problem.resources[q].limits[r]
        assert limit is not None
        if resource.timing is None:
            here = np.flatnonzero(options.phase == r)
        else:
            here = np.flatnonzero((resource.timing[r, options.phase, options.mode] != 0).any(axis=1))
        amount = resource.taken(r, options.phase[here], options.mode[here]) if len(here) else np.zeros((problem.n, 0))
        found.append(Spending(("resource", number), here, amount, limit, resource.tolerance(r)))
    return tuple(found)


def limited_periods(problem: Problem) -> list[tuple[int, int]]:
    """Resource and period of each limit, in the order of `spendings` (after the budgets)."""
    return [(q, r) for q, x in enumerate(problem.resources) for r, limit in enumerate(x.limits) if limit is not None]


def in_words(problem: Problem, label: SpendingLabel) -> tuple[str, str]:
    """What a sum is about, for people, and its unit."""
    kind, number = label
    if kind == "budget":
        return f"budget of phase {problem.phases[number].id}", problem.currency
    q, r = limited_periods(problem)[number]
    resource = problem.resources[q]
    return f"{resource.name}, {resource.period_in_words(r, problem.phases)}", resource.unit
