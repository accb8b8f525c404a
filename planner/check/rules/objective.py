"""Rules about what the plan says of itself: objective, bound, gap, areas by phase."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from planner.check.facts import Facts
from planner.check.keeping import changes_of
from planner.check.model import Finding
from planner.check.outcome import Outcome, finding
from planner.check.rules.goals import counting, in_zone, taken, unmet_stretch_mu
from planner.check.tolerances import AREA_MU, RELATIVE, money


@dataclass(frozen=True)
class Value:
    """The recomputed objective; only the length of shared boundaries leaves a range.

    Attributes
    ----------
    low, best, high : float
        Least, likeliest and most, in currency.
    parts : dict of str to float
        Discounted benefit, discounted cost, perimeter, unmet stretch; price of changes where there is a plan before.
    """

    low: float
    best: float
    high: float
    parts: dict[str, float]


def value_of(facts: Facts) -> Value:
    """Objective of the plan.

    Σ_blocks Σ_parcels d_t · (value_per_mu · score · area_mu [candidates only] − cost) − perimeter_per_m · Σ block
    perimeter − stretch_per_mu · Σ unmet stretch, with d_t = (1 + discount_rate)^−(year_t − base_year) and block
    perimeter = Σ parcel perimeters − 2 · length shared within the block by adjacent parcels. With modes the worth is
    multiplied by the share of it that the block's mode brings. With a plan before the price of every parcel changed
    against it is taken off.
    """
    spec = facts.config.optimise
    years = np.array([p.year for p in spec.phases], dtype=float)
    discount = np.concatenate([[0.0], (1.0 + spec.discount_rate) ** -(years - spec.base_year)])
    factor = np.where(facts.selected, discount[facts.phase], 0.0)
    worth = np.where(facts.is_ineligible, 0.0, spec.weights.value_per_mu * facts.score * facts.area_mu)
    if facts.modes is not None:
        worth = worth * facts.modes.benefit_share
    benefit, cost = float(np.nansum(factor * worth)), float(np.nansum(factor * facts.cost))
    unmet, changes = unmet_stretch_mu(facts), changes_of(facts)
    changed = 0.0 if changes is None else changes.cost
    net = benefit - cost - spec.weights.stretch_per_mu * unmet - changed
    outline = float(facts.perimeter_m[facts.selected].sum())
    shared = (facts.seams.least_m + facts.seams.most_m) / 2.0
    counted = float(shared[shared >= facts.config.adjacency.min_shared_m].sum())
    least, most = (float(side.sum()) for side in facts.saved_m)
    price = spec.weights.perimeter_per_m
    low, best, high = (net - price * (outline - 2.0 * saved) for saved in (least, counted, most))
    noise = RELATIVE * (abs(benefit) + abs(cost) + price * outline + changed)
    parts = {"benefit": benefit, "cost": cost, "perimeter_m": outline - 2.0 * counted, "unmet_stretch_mu": unmet}
    parts |= {} if changes is None else {"change_price": changed}
    return Value(low - noise, best, high + noise, parts)


def objective(facts: Facts) -> Outcome:
    """The claimed objective lies in the range that the written layers allow."""
    value, claimed = value_of(facts), facts.claims.objective
    measured = {"objective": value.best, "objective_low": value.low, "objective_high": value.high, **value.parts}
    if claimed is None:
        return Outcome(0, (), measured)
    findings = []
    if not value.low <= claimed <= value.high:
        currency = facts.config.project.currency
        message = (
            f"The objective is said to be {claimed:.2f} {currency}; the layers give {value.best:.2f} "
            f"({value.low:.2f} to {value.high:.2f})."
        )
        findings.append(finding("objective", message, measured=value.best, limit=claimed, unit=currency))
    return Outcome(1, findings, measured)


def bound(facts: Facts) -> Outcome:
    """The bound is not below the objective, and the gap is (bound − objective) / |objective|."""
    claims, currency = facts.claims, facts.config.project.currency
    if claims.bound is None:
        return Outcome(0)
    value = value_of(facts)
    findings = []
    if not claims.bound >= value.low - money(value.low):
        message = f"The bound {claims.bound:.2f} {currency} lies below the plan's own objective, {value.best:.2f}."
        findings.append(finding("bound", message, measured=value.best, limit=claims.bound, unit=currency))
    if claims.objective is not None:
        findings.extend(_gap_findings(claims.objective, claims.bound, claims.gap, currency))
    return Outcome(1, findings, {"bound": claims.bound})


def _gap_findings(claimed: float, limit: float, gap: float | None, currency: str) -> list[Finding]:
    found = []
    if limit < claimed - money(claimed):
        message = f"The bound {limit:.2f} {currency} lies below the claimed objective, {claimed:.2f}."
        found.append(finding("bound", message, measured=claimed, limit=limit, unit=currency))
    if gap is not None:
        expected = (limit - claimed) / abs(claimed) if claimed else None
        if expected is None or not abs(gap - expected) <= max(RELATIVE, RELATIVE * abs(expected)):
            said = "no gap exists at an objective of 0" if expected is None else f"it is {expected:.6f}"
            found.append(
                finding(
                    "bound", f"The gap is said to be {gap:.6f}; {said}.", measured=expected, limit=gap, unit="share"
                )
            )
    return found


def changes(facts: Facts) -> Outcome:
    """Parcels kept and changed, and what that costs, as the summary states them, are those of the layers."""
    claim, found = facts.claims.changes, changes_of(facts)
    if claim is None:
        return Outcome(0)
    if found is None:
        message = "The summary speaks of changes, but `optimise.keep` names no plan before."
        return Outcome(1, [finding("changes", message)])
    currency, area = facts.config.project.currency, facts.area_mu
    findings = []
    for what, said, had, slack, unit in (
        ("parcels changed", claim.changed_parcels, found.changed.sum(), 0.0, "parcels"),
        ("parcels kept", claim.kept_parcels, found.kept.sum(), 0.0, "parcels"),
        ("land changed", claim.changed_mu, area[found.changed].sum(), AREA_MU, "mu"),
        ("land kept", claim.kept_mu, area[found.kept].sum(), AREA_MU, "mu"),
        ("price of the changes", claim.change_price, found.cost, money(found.cost), currency),
    ):
        if not abs(said - had) <= slack + RELATIVE * had:
            message = f"The summary says {said:.10g} {unit} of {what}, the layers give {had:.10g}."
            findings.append(finding("changes", message, measured=float(had), limit=float(said), unit=unit))
    return Outcome(1, findings, {"changed_parcels": float(found.changed.sum()), "change_price": found.cost})


def summary(facts: Facts) -> Outcome:
    """Areas and costs by phase, as the summary states them, are those of the layers."""
    findings = []
    phases = facts.config.optimise.phases
    for claim in facts.claims.areas:
        if not 1 <= claim.phase <= len(phases):
            findings.append(finding("summary", f"The summary speaks of phase {claim.phase} of {len(phases)}."))
            continue
        phase = phases[claim.phase - 1]
        goal = phase if claim.zone is None else phase.zones.get(claim.zone)
        counts, milestone = counting(facts, goal)
        inside = np.ones(facts.n, dtype=bool) if claim.zone is None else in_zone(facts, claim.zone)
        total = taken(facts, claim.phase, inside, counts, milestone)
        before = taken(facts, claim.phase - 1, inside, counts, milestone)
        spent = float(np.nansum(facts.cost[facts.selected & inside & (facts.phase == claim.phase)]))
        currency = facts.config.project.currency
        for what, said, found, slack, unit in (
            ("cumulative area", claim.cumulative_mu, total, AREA_MU + RELATIVE * total, "mu"),
            ("area", claim.area_mu, total - before, AREA_MU + RELATIVE * total, "mu"),
            ("cost", claim.cost, spent, money(spent), currency),
        ):
            if said is not None and not abs(said - found) <= slack:
                where = f", zone {claim.zone}" if claim.zone is not None else ""
                message = (
                    f"Phase {phases[claim.phase - 1].id}{where}: the summary says {what} {said:.4f} {unit}, "
                    f"the layers give {found:.4f}."
                )
                findings.append(finding("summary", message, measured=found, limit=said, unit=unit))
    return Outcome(len(facts.claims.areas), findings)
