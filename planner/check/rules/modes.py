"""Rules about the modes of blocks: one each, allowed by all its parcels; and who must agree to it."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from geodata.errors import list_ids
from planner.check.columns import texts
from planner.check.facts import Facts
from planner.check.mode_facts import ModeFacts
from planner.check.model import Finding
from planner.check.outcome import Outcome, finding
from planner.check.tolerances import RULE, RULE_RELATIVE


def modes(facts: Facts) -> Outcome:
    """Every block has one of the modes, which its parcels say too and allow; all that the mode needs is known."""
    if facts.modes is None:
        return Outcome(0)
    findings = [
        *_written(facts, facts.modes),
        *_listed(facts, facts.modes),
        *_timed(facts.modes),
        *_allowed(facts, facts.modes),
    ]
    return Outcome(len(facts.members) + int(facts.selected.sum()), findings)


def _written(facts: Facts, modes: ModeFacts) -> Iterator[Finding]:
    """Parcels of a block name the same mode, one of the configuration; parcels outside blocks name none."""
    for block, positions in facts.members.items():
        found = sorted({modes.written[i] or "none" for i in positions})
        if len(found) > 1 or found[0] not in modes.ids:
            message = f"Block {block} has the mode {', '.join(found)}; it must be one of {', '.join(modes.ids)}."
            yield finding("modes", message, facts.named(positions), block_id=block)
    stray = facts.named([i for i, mode in enumerate(modes.written) if mode is not None and not facts.selected[i]])
    if stray:
        yield finding("modes", f"{len(stray)} parcels outside all blocks have a mode: {list_ids(stray)}.", stray)


def _listed(facts: Facts, modes: ModeFacts) -> Iterator[Finding]:
    """The layer of blocks says the same."""
    layer = facts.tables.blocks
    for block, said in zip(texts(layer["block_id"]), texts(layer["mode"]), strict=True):
        if block in facts.members and said != modes.mode_of(block):
            found = modes.mode_of(block) or "none"
            message = f"Block {block} is said to have the mode {said or 'none'}; its parcels say {found}."
            yield finding("modes", message, facts.named(facts.members[block]), block_id=block)


def _timed(modes: ModeFacts) -> Iterator[Finding]:
    """Modes in use have a timetable that runs forwards."""
    for m in sorted({m for m in modes.block_mode.values() if m >= 0}):
        fault = modes.terms[m].months_fault
        if fault is not None:
            yield finding("modes", f"The months of the mode {modes.ids[m]} are unknown or fall: {fault}.")


def _allowed(facts: Facts, modes: ModeFacts) -> Iterator[Finding]:
    for block, positions in facts.members.items():
        terms = modes.terms_of(block)
        if terms is None or block in facts.standing:
            continue
        for reason, where in terms.closed.items():
            ids = facts.named(positions[where[positions]])
            if ids:
                message = f"Block {block}, mode {terms.spec.id}: {reason}, {len(ids)} parcels: {list_ids(ids)}."
                yield finding("modes", message, ids, block_id=block)


def consent(facts: Facts) -> Outcome:
    """Enough right-holders, and enough of the area, agree in every block, by the tests of its mode."""
    if facts.modes is None:
        return Outcome(0)
    checked, findings = 0, list(_answers(facts, facts.modes))
    for block, positions in facts.members.items():
        terms = facts.modes.terms_of(block)
        for of, least in () if terms is None else terms.consent_tests:
            checked += 1
            weight = facts.modes.demands.weight(of)[positions]
            agreed = float(np.nansum(facts.modes.demands.agreed(of)[positions]))
            asked = least * float(np.nansum(weight))
            enough = agreed >= asked - RULE - RULE_RELATIVE * (agreed + asked)
            if enough or block in facts.standing:
                continue
            unit = "right-holders" if of == "holders" else "mu"
            message = f"Block {block}: {agreed:.4f} {unit} have agreed, {asked:.4f} ({least:.2%}) must."
            ids = facts.named(positions)
            findings.append(finding("consent", message, ids, block_id=block, measured=agreed, limit=asked, unit=unit))
    return Outcome(checked, findings)


def _answers(facts: Facts, modes: ModeFacts) -> Iterator[Finding]:
    """Shares of those who agree lie within 0 and 1, and no number of right-holders is below 0."""
    tested = np.array([m >= 0 and bool(modes.spec.choices[m].consent) for m in modes.mode], dtype=bool)
    share, holders = modes.demands.agreed_share, modes.demands.holders
    wrong = facts.named(np.flatnonzero(tested & ((share < 0) | (share > 1) | (holders < 0))))
    if wrong:
        message = f"{len(wrong)} parcels have a share of consent outside 0 to 1, or right-holders below 0: "
        yield finding("consent", message + f"{list_ids(wrong)}.", wrong)
