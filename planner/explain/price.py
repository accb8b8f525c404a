"""What each rule costs: the best plan without it against the best plan with it, as intervals; prices at the margin."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from geodata.errors import DataError, Issue
from planner.consequences.plan import PlanInHand
from planner.errors import InfeasibleError
from planner.explain.asking import Answer, Asker, Interval
from planner.explain.folder import RunFolder
from planner.explain.land import Land, gather
from planner.explain.rules import Rule, fits, resource_key, rules_of
from planner.optimise.evaluate import block_value, block_worth
from planner.optimise.limits import SpendingLabel, limited_periods
from planner.optimise.prices import solve_prices
from planner.problem import Bools, Problem

_MARGIN_SHARE: Final = 0.1
"""Part of the time for the prices at the margin."""
_LP_LIMIT_S: Final = 60.0
_NIL: Final = 1e-9
"""Prices below this share of the worth of a mu are noise of the solver."""


@dataclass(frozen=True)
class RulePrice:
    """What one rule costs.

    Attributes
    ----------
    key, title : str
    loss : Interval
        Worth of the best plan without the rule − worth of the best plan, currency.
    share : Interval
        The same as a share of the plan's worth.
    verdict, message : str
        How the solver answered.
    """

    key: str
    title: str
    loss: Interval
    share: Interval
    verdict: str
    message: str


@dataclass(frozen=True)
class Margin:
    """What one unit more of a limit is worth, by the linear program over blocks: an estimate for small changes.

    Attributes
    ----------
    key, title : str
    price : float
        Currency per unit; for a floor what a unit more of it costs, for a limit what a unit more of it brings.
    unit : str
    """

    key: str
    title: str
    price: float
    unit: str


@dataclass(frozen=True)
class PriceList:
    """Prices of all rules asked for.

    Attributes
    ----------
    objective, bound : float, float or None
        Of the plan, currency; the bound as sharp as the questions made it.
    rules : tuple of RulePrice
        Dearest first.
    margins : tuple of Margin
    margins_exact : bool
        The linear program had every possible block.
    currency : str
    """

    objective: float
    bound: float | None
    rules: tuple[RulePrice, ...]
    margins: tuple[Margin, ...] = field(default=())
    margins_exact: bool = False
    currency: str = "CNY"


def explain_price(run: RunFolder, asker: Asker, only: Sequence[str] = (), *, margins: bool = True) -> PriceList:
    """Price every rule, or those of the keys `only`.

    Raises
    ------
    DataError
        No plan, or an unknown key.
    """
    problem, plan = run.problem, run.require_plan()
    rules = _chosen(rules_of(problem, locked_out(run)), only)
    asked: list[tuple[Rule, Answer]] = []
    seconds = (1 - _MARGIN_SHARE) * asker.time_limit_s if margins else asker.time_limit_s
    for k, rule in enumerate(rules):
        left = min(asker.share(len(rules) - k), seconds / len(rules) * 2)
        asked.append((rule, asker.ask(rule.key, rule.without, left, plan.blocks)))
    # what is proven without a rule holds with it
    proven = [a.bound for r, a in asked if r.relaxes and a.bound is not None]
    bounds = [*proven, *([] if plan.bound is None else [plan.bound])]
    bound = max(min(bounds), plan.objective) if bounds else None
    priced = [_price(problem, plan, bound, rule, answer) for rule, answer in asked]
    found, exact = _margins(problem, plan, asker) if margins else ((), False)
    order = sorted(priced, key=lambda p: -(p.loss.high if p.loss.high is not None else np.inf))
    return PriceList(plan.objective, bound, tuple(order), found, exact, problem.currency)


def locked_out(run: RunFolder) -> Bools | None:
    """Parcels that only the planner's lock keeps out; None without a table of parcels."""
    locked, role = run.column("locked"), run.column("role")
    if locked is None or role is None:
        return None
    out = np.array([v == "out" for v in locked]) & np.array([v is not None for v in role])
    return np.asarray(out & ~run.problem.selectable)


def _chosen(rules: tuple[Rule, ...], only: Sequence[str]) -> tuple[Rule, ...]:
    known = [r.key for r in rules]
    strange = [key for key in only if key not in known]
    if strange:
        found = f"unknown rules: {', '.join(strange)}"
        raise DataError(Issue("--rule", found, f"one of: {', '.join(known)}", "Correct the name."))
    return tuple(r for r in rules if not only or r.key in only)


def _price(problem: Problem, plan: PlanInHand, bound: float | None, rule: Rule, answer: Answer) -> RulePrice:
    """Best without ∈ [objective', bound'], best with ∈ [objective, bound]."""
    found = answer.objective
    if found is not None and not rule.exact and not fits(problem, answer.blocks):
        found = plan.objective
    low = None if found is None or bound is None else found - bound
    high = None if answer.bound is None else answer.bound - plan.objective
    if rule.relaxes:
        low = max(0.0, low or 0.0)
        high = None if high is None else max(high, low)
    scale = abs(plan.objective)
    share = Interval(*(None if v is None or scale == 0 else v / scale for v in (low, high)))
    return RulePrice(rule.key, rule.title, Interval(low, high), share, answer.verdict, answer.message)


def _margins(problem: Problem, plan: PlanInHand, asker: Asker) -> tuple[tuple[Margin, ...], bool]:
    """Multipliers of the linear program over a pool of blocks."""
    if asker.interrupted():
        return (), False
    asker.progress.stage("margins")
    try:
        land = Land.of(problem)
    except InfeasibleError:  # cannot be with a plan at hand, but prices are no place to stumble
        return (), False
    mine = land.lower(plan.blocks)
    if land.problem.n == 0 or not land.open_.any() or not mine:
        return (), False
    offer = gather(land, [mine], max(1.0, _MARGIN_SHARE * asker.time_limit_s), asker.seed, asker.interrupted)
    worths = [
        abs(block_worth(land.problem, block_value(land.problem, land.graph, b.parcels, b.mode), b.phase)) for b in mine
    ]
    area = sum(float(land.problem.area_mu[list(b.parcels)].sum()) for b in mine)
    per_mu = max(sum(worths) / area, 1e-9)
    prices = solve_prices(offer.pool, offer.columns, _LP_LIMIT_S, 1e3 * per_mu)
    asker.progress.done(f"{len(offer.columns)} blocks on offer")
    if prices is None:
        return (), False
    small = _NIL * per_mu
    found = [*_target_margins(land.problem, prices.target.tolist(), small)]
    labels = [s.label for s in offer.pool.spendings]
    priced = dict(zip(labels, prices.limit.tolist(), strict=True))
    found += _limit_margins(land.problem, priced, prices.block.tolist(), small)
    return tuple(found), offer.complete


def _target_margins(problem: Problem, prices: Sequence[float], small: float) -> list[Margin]:
    found = []
    for target, price in zip(problem.targets, prices, strict=True):
        unit = f"{problem.currency}/{target.unit}"
        if price > small and target.floor > 0:
            title = f"one {target.unit} more of target {target.name} costs"
            found.append(Margin(f"floor:{target.name}", title, price, unit))
        elif price < -small and target.ceiling is not None:
            title = f"one {target.unit} more under the ceiling of {target.name} brings"
            found.append(Margin(f"ceiling:{target.name}", title, -price, unit))
    return found


def _limit_margins(
    problem: Problem, limits: Mapping[SpendingLabel, float], blocks: Sequence[float], small: float
) -> list[Margin]:
    found = []
    for t, phase in enumerate(problem.phases):
        price = limits.get(("budget", t), 0.0)
        if price > _NIL:
            title = f"one {problem.currency} more in the budget of {phase.id} brings"
            found.append(Margin(f"budget:{phase.id}", title, price, f"{problem.currency}/{problem.currency}"))
        if phase.max_blocks is not None and blocks[t] > small:
            title = f"one block more in {phase.id} brings"
            found.append(Margin(f"max_blocks:{phase.id}", title, blocks[t], f"{problem.currency}/block"))
    for number, (q, r) in enumerate(limited_periods(problem)):
        resource, price = problem.resources[q], limits["resource", number]
        # money has a price per unit that does not depend on how much a mu costs
        if price > (_NIL if resource.unit == problem.currency else small):
            where = resource.period(r, problem.phases)
            title = f"one {resource.unit} more of {resource.name} in {where} brings"
            unit = f"{problem.currency}/{resource.unit}"
            found.append(Margin(resource_key(problem, q, r), title, price, unit))
    return found
