"""Rules about how the plan grows: rolling contiguity, and blocks that stand as they are."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from geodata.errors import list_ids
from planner.check.facts import Facts
from planner.check.model import Finding
from planner.check.outcome import Outcome, finding
from planner.check.rules.pieces import Pieces, connected_pieces

Bools = NDArray[np.bool_]


def rolling(facts: Facts) -> Outcome:
    """In every zone what is cleared by the end of a phase is one area, or grows from the land that exists.

    With S the parcels of the zone that exist by phase t (`existing`, and standing blocks of phases ≤ t) and X the
    others in blocks of phases ≤ t: without S, X is one piece; else every piece of X ∪ S that holds one of X holds one
    of S. Contacts are those of blocks, between parcels of the zone; land without a zone counts as a zone.
    """
    if facts.config.optimise.contiguity != "rolling":
        return Outcome(0)
    where = facts.config.optimise.existing
    given = np.zeros(facts.n, dtype=bool) if where is None else facts.holds(where)
    zones = _zones(facts)
    used = [here & (facts.selected | given) for _, here in zones]
    seams = facts.seams_within([np.flatnonzero(mask) for mask in used])
    findings: list[Finding] = []
    for t in range(1, facts.n_phases + 1):
        exists = given | (facts.stands & (facts.phase >= 1) & (facts.phase <= t))
        grown = facts.selected & (facts.phase >= 1) & (facts.phase <= t) & ~exists
        groups = [np.flatnonzero(here & (grown | exists)) for _, here in zones]
        parts_of = connected_pieces(facts, groups, seams)
        for (zone, _), parts in zip(zones, parts_of, strict=True):
            findings.extend(_apart(facts, t, zone, parts, exists, grown))
    return Outcome(len(zones) * facts.n_phases, findings)


def _zones(facts: Facts) -> list[tuple[str | None, Bools]]:
    """Zones with land in the plan, and their parcels."""
    names = sorted({facts.zone[i] for i in np.flatnonzero(facts.selected)}, key=lambda z: z or "")
    return [(name, np.array([z == name for z in facts.zone], dtype=bool)) for name in names]


def _apart(facts: Facts, t: int, zone: str | None, parts: Pieces, exists: Bools, grown: Bools) -> Iterator[Finding]:
    """A finding where parts of the cleared land hang on to nothing."""
    holding = [part for part in parts if grown[part].any()]
    anchored = [part for part in parts if exists[part].any()]
    if anchored:
        loose = [part for part in holding if not exists[part].any()]
        rest = "do not touch the land that exists"
    else:
        loose = holding[1:]
        rest = f"do not touch the other {len(holding[0])}" if holding else ""
    if loose:
        ids = facts.named([i for part in loose for i in part])
        place = f"zone {zone}" if zone is not None else "the land without a zone"
        phase = facts.config.optimise.phases[t - 1].id
        message = f"Phase {phase}, {place}: {len(ids)} cleared parcels in {len(loose)} pieces {rest}: {list_ids(ids)}."
        limit = 0.0 if anchored else 1.0
        yield finding("rolling", message, ids, measured=len(loose) + limit, limit=limit, unit="pieces")


def fixed_blocks(facts: Facts) -> Outcome:
    """Every block of ``locks.blocks`` is a block of the plan, with just its parcels, in its phase (and mode)."""
    spec = facts.config.optimise
    position = {parcel: i for i, parcel in enumerate(facts.ids)}
    number = {phase.id: t for t, phase in enumerate(spec.phases, start=1)}
    findings = []
    for fixed in spec.locks.blocks:
        known = [position[p] for p in fixed.parcels if p in position]
        blocks = sorted({facts.block_of[i] or "no block" for i in known})
        whole = len(blocks) == 1 and blocks[0] in facts.standing and len(known) == len(fixed.parcels)
        if not whole:
            lies = f"its {len(fixed.parcels)} parcels lie in {', '.join(blocks) or 'no parcel of the layer'}"
            message = f"The fixed block {fixed.id} is not just one block of the plan: {lies}."
            findings.append(finding("fixed_blocks", message, fixed.parcels))
        elif facts.block_phase[blocks[0]] != number[fixed.phase]:
            found = facts.block_phase[blocks[0]]
            message = (
                f"The fixed block {fixed.id} belongs in phase {fixed.phase} ({number[fixed.phase]}), not in {found}."
            )
            findings.append(
                finding(
                    "fixed_blocks",
                    message,
                    fixed.parcels,
                    block_id=blocks[0],
                    measured=float(found),
                    limit=float(number[fixed.phase]),
                    unit="phase",
                )
            )
        elif facts.modes is not None and facts.modes.mode_of(blocks[0]) != fixed.mode:
            found_mode = facts.modes.mode_of(blocks[0]) or "none"
            message = f"The fixed block {fixed.id} has the mode {fixed.mode}, not {found_mode}."
            findings.append(finding("fixed_blocks", message, fixed.parcels, block_id=blocks[0]))
    return Outcome(len(spec.locks.blocks), findings)
