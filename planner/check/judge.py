"""The verdict on a plan: every rule applied to what was written, and nothing of the run trusted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from planner.check.facts import Facts
from planner.check.model import CheckInput, CheckReport, Claims, Finding
from planner.check.outcome import Outcome, Rule, finding
from planner.check.rules import RULES
from planner.check.shape import require_shape
from planner.config import Config


def check_plan(tables: CheckInput, config: Config, claims: Claims | None = None) -> CheckReport:
    """Judge a plan from its written layers and its configuration alone.

    Scores, costs, zones, adjacency, targets and the objective are computed anew; see ``docs/checks.md`` for every rule,
    its formula and its tolerance.

    Parameters
    ----------
    tables : CheckInput
        Layers as written; not changed.
    config : Config
        The resolved configuration.
    claims : Claims, optional
        Objective, bound, gap and areas that the plan claims.

    Returns
    -------
    CheckReport
        Passed when it holds no error.

    Raises
    ------
    geodata.errors.DataError
        A layer lacks a column, or there are no parcels.
    planner.errors.ConfigError
        An expression of the configuration cannot be evaluated on the layer.
    """
    require_shape(tables, config)
    return apply_rules(Facts(tables, config, claims or Claims()), RULES)


def apply_rules(facts: Facts, rules: Sequence[Rule]) -> CheckReport:
    """Apply `rules`, then make sure that none looked at fewer things than the plan and the configuration hold."""
    outcomes = {rule.name: rule.run(facts) for rule in rules}
    findings = [f for outcome in outcomes.values() for f in outcome.findings]
    measured = {name: float(value) for outcome in outcomes.values() for name, value in outcome.measured.items()}
    checked = {name: int(outcome.checked) for name, outcome in outcomes.items()}
    findings += _incomplete(facts, rules, outcomes)
    return CheckReport(tuple(findings), checked | {"completeness": len(rules)}, measured)


def _incomplete(facts: Facts, rules: Sequence[Rule], outcomes: Mapping[str, Outcome]) -> list[Finding]:
    found = []
    for rule in rules:
        checked, expected = outcomes[rule.name].checked, int(rule.expected(facts))
        if checked < expected:
            message = f"Rule {rule.name} looked at {checked} of {expected} things: {rule.title} is not proven."
            found.append(
                finding("completeness", message, measured=float(checked), limit=float(expected), unit="things")
            )
    return found
