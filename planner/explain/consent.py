"""How much slack the shares that blocks must reach have, and whose agreement they hang on."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from planner.consequences.plan import PlanInHand
from planner.problem import RULE_TOLERANCE, Block, BlockRule, Floats, Problem


@dataclass(frozen=True)
class ConsentTest:
    """One test of a share in one block.

    Attributes
    ----------
    rule, unit : str
    block, phase, mode : str
    fixed : bool
        The block stands even where it fails.
    had, asked : float
        What has agreed and what must, in `unit`.
    share : float or None
        `had` as a share of what it is a share of; None where that is 0.
    least_share : float
    slack : float
        had − asked, in `unit`: what may be withdrawn while the parcels stay in the block.
    critical : tuple of str
        Parcels whose agreement alone decides: withdrawn, the test fails. Largest first.
    fewest : int or None
        The fewest parcels whose agreements, withdrawn together, make it fail; None = not even all of them, 0 = it
        fails as it is.
    """

    rule: str
    unit: str
    block: str
    phase: str
    mode: str
    fixed: bool
    had: float
    asked: float
    share: float | None
    least_share: float
    slack: float
    critical: tuple[str, ...]
    fewest: int | None


def consent_tests(problem: Problem, plan: PlanInHand) -> tuple[ConsentTest, ...]:
    """Every rule on a share (signed, voted, consenting) in every block whose mode it binds, least slack first.

    Rules on plain sums, such as frontage, are no one's agreement and are left out. Withdrawn means that the parcel
    stays in the block and what it adds to the numerator becomes 0: the test fails if slack − amount < 0. (A parcel that
    leaves the block takes its part of the denominator along: see `standing`.)
    """
    found = [
        _test(problem, plan.names[k], block, rule, rule.share_of)
        for k, block in enumerate(plan.blocks)
        for rule in problem.block_rules
        if rule.share_of is not None and (rule.modes is None or block.mode in rule.modes)
    ]
    return tuple(sorted(found, key=lambda t: (_relative(t), t.block, t.rule)))


def _relative(test: ConsentTest) -> float:
    """Slack as a share of what is asked, so that tests in different units can be put in order."""
    return test.slack / test.asked if test.asked > 0 else float("inf")


def _test(problem: Problem, name: str, block: Block, rule: BlockRule, share_of: Floats) -> ConsentTest:
    index = np.asarray(block.parcels, dtype=np.int64)
    amount, total = rule.amount[index], float(share_of[index].sum())
    had, slack = float(amount.sum()), float(rule.weight[index].sum())
    ids = [problem.parcel_ids[i] for i in block.parcels]
    order = sorted(range(len(ids)), key=lambda k: (-amount[k], ids[k]))
    fails = slack - np.cumsum([amount[k] for k in order]) < -RULE_TOLERANCE
    held = slack >= -RULE_TOLERANCE
    return ConsentTest(
        rule=rule.name,
        unit=rule.unit,
        block=name,
        phase=problem.phases[block.phase].id,
        mode=problem.modes[block.mode].id,
        fixed=block in problem.fixed,
        had=had,
        asked=rule.least * total,
        share=had / total if total > 0 else None,
        least_share=rule.least,
        slack=slack,
        critical=tuple(ids[k] for k in order if held and slack - amount[k] < -RULE_TOLERANCE),
        fewest=0 if not held else (int(np.argmax(fails)) + 1 if fails.any() else None),
    )
