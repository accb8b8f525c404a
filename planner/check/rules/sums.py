"""Rules about what a block's parcels add up to: villages, and sums or shares that must be reached."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from geodata.errors import list_ids
from planner.check import shapes
from planner.check.columns import texts
from planner.check.facts import Facts
from planner.check.model import Finding
from planner.check.outcome import Outcome, finding
from planner.check.tolerances import RULE, RULE_RELATIVE
from planner.config import BlockRuleSpec


def max_villages(facts: Facts) -> Outcome:
    """A block has land of at most ``block.max_villages`` villages; land without a village counts for none."""
    most, name = facts.config.optimise.block.max_villages, facts.config.optimise.village
    if most is None:
        return Outcome(0)
    if name not in facts.expression_fields.columns:
        return Outcome(0, [finding("max_villages", f"There is no field {name}, which should name the villages.")])
    village, findings = texts(facts.expression_fields[name]), []
    for block, positions in facts.members.items():
        found = sorted({v for v in (village[i] for i in positions) if v is not None})
        if len(found) > most and block not in facts.standing:
            message = f"Block {block} has land of {len(found)} villages, at most {most}: {', '.join(found)}."
            findings.append(
                finding(
                    "max_villages",
                    message,
                    facts.named(positions),
                    block_id=block,
                    measured=float(len(found)),
                    limit=float(most),
                    unit="villages",
                )
            )
    return Outcome(len(facts.members), findings)


def block_rules(facts: Facts) -> Outcome:
    """Σ amount ≥ least, or least · Σ share_of, over the parcels of every block; unknown amounts as configured."""
    rules = facts.config.optimise.block.rules
    findings = [f for rule in rules for f in _rule_findings(facts, rule)]
    return Outcome(len(rules) * len(facts.members), findings)


def _rule_findings(facts: Facts, rule: BlockRuleSpec) -> Iterator[Finding]:
    amount = facts.amounts(rule.amount)
    base = None if rule.share_of is None else facts.amounts(rule.share_of)
    unknown = np.isnan(amount) | (False if base is None else np.isnan(base))
    if rule.unknown == "ineligible":
        barred = facts.named(np.flatnonzero(unknown & facts.selected & ~facts.stands))
        if barred:
            message = f"Rule {rule.name}: {len(barred)} parcels in the plan have no known amount: {list_ids(barred)}."
            yield finding("block_rules", message, barred)
    for block, positions in facts.members.items():
        if block in facts.standing:
            continue
        had, of = _sum(amount, positions), None if base is None else _sum(base, positions)
        asked = rule.least if of is None else rule.least * of
        gross = float(np.nansum(np.abs(amount[positions]))) + abs(asked)
        if had >= asked - RULE - RULE_RELATIVE * gross:
            continue
        share = "" if of is None else f" ({rule.least:.2%} of {of:.4f})"
        message = f"Block {block}, rule {rule.name}: {had:.4f} {rule.unit}, at least {asked:.4f}{share} asked for."
        ids = facts.named(positions)
        yield finding("block_rules", message, ids, block_id=block, measured=had, limit=asked, unit=rule.unit)


def _sum(values: shapes.Floats, positions: shapes.Ints) -> float:
    """Sum in which an unknown value brings nothing."""
    return float(np.nansum(values[positions]))
