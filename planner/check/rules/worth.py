"""Rules about the worth of land: score, status, cost."""

from __future__ import annotations

import numpy as np

from geodata.errors import list_ids
from planner.check.columns import numbers, texts
from planner.check.facts import Facts
from planner.check.model import Finding
from planner.check.outcome import Outcome, finding
from planner.check.tolerances import SCORE, money


def score(facts: Facts) -> Outcome:
    """The score of every parcel is what the scoring section gives (± 1e-6)."""
    findings = []
    written = numbers(facts.parcels["score"])
    same = (np.abs(written - facts.score) <= SCORE) | (np.isnan(written) & np.isnan(facts.score))
    for i in np.flatnonzero(~same):
        said, found = (f"{x:.6f}" if np.isfinite(x) else "unknown" for x in (written[i], facts.score[i]))
        message = f"Parcel {facts.ids[i]}: score is {said}, the criteria give {found}."
        findings.append(
            finding(
                "score",
                message,
                (facts.ids[i],),
                measured=_known(facts.score[i]),
                limit=_known(written[i]),
                unit="score",
            )
        )
    return Outcome(facts.n, findings)


def _known(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None


def status(facts: Facts) -> Outcome:
    """No excluded parcel is in the plan, no ineligible one but as filler; the others have the status of the scoring."""
    findings: list[Finding] = []
    unaffordable = _without_cost(facts)
    for i, scored in enumerate(facts.scored_status):
        said, parcel = facts.status[i], facts.ids[i]
        unmeasured = bool(facts.unmeasured[i]) and scored == "eligible"
        found = "ineligible" if unmeasured else scored
        if facts.selected[i]:
            barred = found == "ineligible" and not facts.may_fill[i] and not facts.stands[i]
            if found == "excluded" or barred:
                reason = "the amount of a rule for blocks is unknown" if unmeasured else texts(facts.scores.reason)[i]
                findings.append(finding("status", f"Parcel {parcel} is in the plan, but {found}: {reason}.", (parcel,)))
            continue
        accepted = {found}
        if found == "eligible":  # the plan's own rules may narrow what the scoring allows
            closed = unaffordable[i] or facts.earliest[i] > facts.n_phases
            accepted |= {"ineligible"} if closed else set()
            accepted |= {"excluded"} if parcel in facts.config.optimise.locks.out else set()
        if said not in accepted:
            findings.append(finding("status", f"Parcel {parcel} is said to be {said}; it is {found}.", (parcel,)))
    return Outcome(facts.n, findings)


def _without_cost(facts: Facts) -> np.ndarray:
    """Land whose cost is unknown; with modes, land that allows none of them."""
    return np.isnan(facts.cost) if facts.modes is None else ~facts.modes.any_open


def cost(facts: Facts) -> Outcome:
    """Costs are what the expression, or the mode, gives; a parcel whose cost stays unknown is not in the plan.

    With modes only land in blocks has a cost.
    """
    if not facts.priced:
        return Outcome(0)
    currency, findings = facts.config.project.currency, []
    written = numbers(facts.parcels["cost"])
    for i in np.flatnonzero(~_same_cost(written, facts)):
        message = (
            f"Parcel {facts.ids[i]}: cost is {written[i]:.2f}, the configuration gives {facts.cost[i]:.2f} {currency}."
        )
        findings.append(
            finding(
                "cost",
                message,
                (facts.ids[i],),
                measured=_known(facts.cost[i]),
                limit=_known(written[i]),
                unit=currency,
            )
        )
    unknown = facts.named(np.flatnonzero(facts.selected & np.isnan(facts.cost)))
    if unknown:
        message = f"{len(unknown)} parcels in the plan have no known cost: {list_ids(unknown)}."
        findings.append(finding("cost", message, unknown))
    return Outcome(facts.n, findings)


def _same_cost(written: np.ndarray, facts: Facts) -> np.ndarray:
    """Where the written cost is the recomputed one, or honestly empty where the expression has none."""
    tolerance = np.array([money(x) for x in facts.cost])
    stated = facts.stated_cost if facts.modes is None else facts.cost
    empty = np.isnan(written) & np.isnan(stated)
    return np.asarray(empty | (np.abs(written - facts.cost) <= tolerance))
