"""What one rule brings back, and how a finding is written."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from planner.check.facts import Facts
from planner.check.model import Finding, Severity


@dataclass(frozen=True)
class Outcome:
    """Result of one rule: how many things it looked at, what is wrong, what it measured."""

    checked: int
    findings: Sequence[Finding] = ()
    measured: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Rule:
    """A rule of the judge.

    Attributes
    ----------
    name : str
        As in findings and in ``docs/checks.md``.
    title : str
        What it makes sure of, for people.
    run : callable
        Facts → Outcome.
    expected : callable
        Facts → how many things the rule has to look at, counted apart from the rule itself.
    """

    name: str
    title: str
    run: Callable[[Facts], Outcome]
    expected: Callable[[Facts], int]


def finding(
    rule: str,
    message: str,
    parcel_ids: Sequence[str] = (),
    *,
    block_id: str | None = None,
    measured: float | None = None,
    limit: float | None = None,
    unit: str = "",
    severity: Severity = "error",
) -> Finding:
    """A finding; unless said otherwise it rejects the plan."""
    return Finding(rule, severity, tuple(parcel_ids), block_id, measured, limit, unit, message)
