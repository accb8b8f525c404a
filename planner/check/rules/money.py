"""Rules about the money of the parties: outlays by phase, peak gaps, and what the summary says of both."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import numpy as np

from geodata.errors import list_ids
from planner.check.cash import Cash
from planner.check.facts import Facts
from planner.check.model import Finding, OutlayClaim, PeakClaim
from planner.check.outcome import Outcome, finding
from planner.check.tolerances import ROUNDED, money
from planner.spec_modes import PARTIES, Party

PUBLIC: Final[tuple[Party, ...]] = ("town", "city")
"""Who is meant by ``public`` in a summary."""


def outlays(facts: Facts) -> Outcome:
    """What a party pays in the years of a phase keeps its limit (+ 1e-6 of it); incomes do not help."""
    if facts.modes is None or facts.cash is None:
        return Outcome(0)
    cash, currency = facts.cash, facts.config.project.currency
    numbered = {phase.id: t for t, phase in enumerate(facts.config.optimise.phases, start=1)}
    findings, measured, checked = [], {}, 0
    for limit in facts.modes.spec.limits:
        for phase, most in (limit.outlay or {}).items():
            checked += 1
            paid = measured[f"outlay_yuan[{limit.party}][{phase}]"] = cash.outlay(limit.party, numbered[phase])
            if not paid <= most + money(most):
                message = f"Phase {phase}: {limit.party} pays {paid:.2f} {currency} in its years, at most {most:.2f}."
                findings.append(finding("outlays", message, measured=paid, limit=most, unit=currency))
        if limit.outlay is not None:
            findings.extend(_unknown(facts, cash, limit.party, "outlays"))
    return Outcome(checked, findings, measured)


def peak_gap(facts: Facts) -> Outcome:
    """At the end of no year all that a party has paid exceeds all it has received by more than its limit (+ 1e-6)."""
    if facts.modes is None or facts.cash is None:
        return Outcome(0)
    cash, currency = facts.cash, facts.config.project.currency
    findings, measured, checked = [], {}, 0
    for limit in facts.modes.spec.limits:
        if limit.peak_gap is None:
            continue
        checked += 1
        gaps = cash.gaps((limit.party,))
        peak = measured[f"peak_gap_yuan[{limit.party}]"] = cash.peak((limit.party,))
        if not peak <= limit.peak_gap + money(limit.peak_gap):
            year = max(gaps, key=lambda y: gaps[y])
            message = (
                f"By the end of year {year} {limit.party} has paid {peak:.2f} {currency} more than it has received, "
                f"at most {limit.peak_gap:.2f}."
            )
            findings.append(finding("peak_gap", message, measured=peak, limit=limit.peak_gap, unit=currency))
        findings.extend(_unknown(facts, cash, limit.party, "peak_gap"))
    return Outcome(checked, findings, measured)


def _unknown(facts: Facts, cash: Cash, party: Party, rule: str) -> Iterator[Finding]:
    """Blocks that stand may have any mode, but what cannot be added up keeps no limit; the others see rule `modes`."""
    ids = [facts.ids[i] for i in np.flatnonzero(cash.unknown(party) & facts.stands)]
    if ids:
        message = f"{len(ids)} parcels of standing blocks have unknown payments of {party}: {list_ids(ids)}."
        yield finding(rule, message, ids)


def money_claims(facts: Facts) -> Outcome:
    """Peak gaps and outlays in the summary are those of the layers, but for cents in which payments are rounded."""
    claims = facts.claims
    checked = len(claims.peak_gaps) + len(claims.outlays)
    if facts.cash is None:
        return Outcome(0)
    findings = [f for claim in claims.peak_gaps for f in _peak_findings(facts, facts.cash, claim)]
    findings += [f for claim in claims.outlays for f in _outlay_findings(facts, facts.cash, claim)]
    return Outcome(checked, findings)


def _meant(party: str) -> tuple[Party, ...]:
    """The parties behind a name of the summary; none where it is unknown."""
    return PUBLIC if party == "public" else tuple(p for p in PARTIES if p == party)


def _peak_findings(facts: Facts, cash: Cash, claim: PeakClaim) -> Iterator[Finding]:
    parties, currency = _meant(claim.party), facts.config.project.currency
    if not parties:
        yield finding("money_claims", f"The summary states a peak gap of {claim.party}, which is no party.")
        return
    peak, gaps = cash.peak(parties), cash.gaps(parties)
    slack = money(peak) + ROUNDED * cash.entries(parties)
    if not abs(claim.peak_gap_yuan - peak) <= slack:
        message = (
            f"The summary says that the peak gap of {claim.party} is {claim.peak_gap_yuan:.2f} {currency}; the layers "
            f"give {peak:.2f}."
        )
        yield finding("money_claims", message, measured=peak, limit=claim.peak_gap_yuan, unit=currency)
    elif peak > slack and (claim.year is None or not gaps.get(claim.year, 0.0) >= peak - slack):
        year = max(gaps, key=lambda y: gaps[y])
        message = f"The summary says that the gap of {claim.party} is widest in year {claim.year}; it is in {year}."
        said = None if claim.year is None else float(claim.year)
        yield finding("money_claims", message, measured=float(year), limit=said, unit="year")


def _outlay_findings(facts: Facts, cash: Cash, claim: OutlayClaim) -> Iterator[Finding]:
    phases = [phase.id for phase in facts.config.optimise.phases]
    parties, currency = _meant(claim.party), facts.config.project.currency
    if not parties or claim.phase not in phases:
        message = f"The summary states an outlay of {claim.party} in phase {claim.phase}: no party, or no phase."
        yield finding("money_claims", message)
        return
    paid = sum(cash.outlay(party, phases.index(claim.phase) + 1) for party in parties)
    if not abs(claim.yuan - paid) <= money(paid) + ROUNDED * cash.entries(parties):
        message = (
            f"Phase {claim.phase}: the summary says that {claim.party} pays {claim.yuan:.2f} {currency}; the layers "
            f"give {paid:.2f}."
        )
        yield finding("money_claims", message, measured=paid, limit=claim.yuan, unit=currency)
