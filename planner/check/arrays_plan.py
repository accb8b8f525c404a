"""Rules that the blocks of a solution keep together: assignment, locks, targets, limits by phase, rolling."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any, Final

import numpy as np

from geodata.errors import list_ids
from planner.check.arrays_case import AREA_MU, Case, JudgedBlock, above
from planner.check.arrays_reading import COUNTED_UNITS
from planner.check.model import Finding
from planner.check.outcome import Outcome, finding

_UNITS: Final = {"mu": "mu", "blocks": "blocks", **COUNTED_UNITS}


def assignment(case: Case) -> Outcome:
    """Blocks hold known parcels, each once; their phases and modes exist."""
    findings = [*_block_findings(case)]
    counts = Counter(i for b in case.answer.blocks for i in b.parcel_ids)
    twice = sorted(i for i, count in counts.items() if count > 1)
    if twice:
        findings.append(finding("assignment", f"Parcels in more than one place: {list_ids(twice)}.", twice))
    taken = {i for b in case.blocks for i in b.parcels.tolist()}
    measured = {"blocks": float(len(case.answer.blocks)), "selected_parcels": float(len(taken))}
    return Outcome(len(case.answer.blocks), findings, measured)


def _block_findings(case: Case) -> Iterator[Finding]:
    phases = [str(p["id"]) for p in case.question.phases]
    modes = [str(m["id"]) for m in case.question.modes]
    for number, b in enumerate(case.answer.blocks, start=1):
        unknown = [i for i in b.parcel_ids if i not in case.position]
        faults = [f"unknown parcels {list_ids(unknown)}"] if unknown else []
        if not b.parcel_ids:
            faults.append("no parcels")
        if not 1 <= b.phase <= len(phases):
            faults.append(f"phase {b.phase}, there are {len(phases)}")
        elif phases[b.phase - 1] != b.phase_id:
            faults.append(f"phase {b.phase} called {b.phase_id}, it is {phases[b.phase - 1]}")
        if b.mode not in modes:
            faults.append(f"unknown mode {b.mode}")
        for fault in faults:
            yield finding("assignment", f"Block {number} has {fault}.", b.parcel_ids, block_id=str(number))


def fixed(case: Case) -> Outcome:
    """Every block that stands as it is belongs to the plan, unchanged."""
    held = case.question.data["fixed"]
    there = {(tuple(b.parcels.tolist()), b.phase, b.mode) for b in case.blocks}
    findings = []
    for b in held:
        if (tuple(sorted(b["parcels"])), b["phase"], b["mode"]) not in there:
            ids = case.ids(sorted(b["parcels"]))
            message = f"The fixed block of {list_ids(ids)} in {case.phase_name(b['phase'])} is missing or changed."
            findings.append(finding("fixed", message, ids))
    return Outcome(len(held), findings)


def locks(case: Case) -> Outcome:
    """Every locked parcel is selected, by its phase."""
    lock_by = case.question.lock_by
    phase_of = {i: b.phase for b in case.blocks for i in b.parcels.tolist()}
    findings, checked = [], 0
    for i in np.flatnonzero(lock_by >= 0).tolist():
        checked += 1
        name, wanted = case.question.ids[i], case.phase_name(int(lock_by[i]))
        if i not in phase_of:
            findings.append(finding("locks", f"Parcel {name} is locked in by {wanted}, but not in the plan.", (name,)))
            continue
        phase = phase_of[i]
        if phase > lock_by[i]:
            message = f"Parcel {name} is locked in by {wanted}, but selected in {case.phase_name(phase)}."
            measured, limit = float(phase + 1), float(lock_by[i] + 1)
            findings.append(finding("locks", message, (name,), measured=measured, limit=limit, unit="phase"))
    return Outcome(checked, findings)


def targets(case: Case) -> Outcome:
    """What is done by the phase of a target reaches its floor; what is counted is measured for all targets."""
    findings, measured, checked = [], {}, 0
    for target in case.question.data["targets"]:
        has, floor, unit = case.counted(target), float(target["floor"]), _UNITS[target["measure"]]
        measured[f"reached[{target['name']}]"] = has
        if target["stretch"]:
            measured[f"unmet_stretch[{target['name']}]"] = max(0.0, float(target["stretch"]) - has)
        if floor > 0:
            checked += 1
            if has < floor - AREA_MU:
                message = f"Target {target['name']}: {has:.4f} {unit} are reached, {floor:.4f} {unit} are asked for."
                ids = _counted_ids(case, target)
                findings.append(finding("targets", message, ids, measured=has, limit=floor, unit=unit))
    return Outcome(checked, findings, measured)


def ceilings(case: Case) -> Outcome:
    """What is done by the phase of a target stays at or below its ceiling."""
    findings, checked = [], 0
    for target in case.question.data["targets"]:
        if target["ceiling"] is None:
            continue
        checked += 1
        has, most, unit = case.counted(target), float(target["ceiling"]), _UNITS[target["measure"]]
        if has > most + AREA_MU:
            message = f"Target {target['name']}: {has:.4f} {unit} are taken, at most {most:.4f} {unit} are allowed."
            ids = _counted_ids(case, target)
            findings.append(finding("ceilings", message, ids, measured=has, limit=most, unit=unit))
    return Outcome(checked, findings)


def _counted_ids(case: Case, target: Any) -> tuple[str, ...]:
    inside = case.inside(target)
    return case.ids(sorted(i for b in case.blocks if b.phase <= target["phase"] for i in b.parcels[inside[b.parcels]]))


def _by_phase(case: Case) -> Iterator[tuple[int, dict[str, Any], list[JudgedBlock]]]:
    for t, phase in enumerate(case.question.phases):
        yield t, dict(phase), [b for b in case.blocks if b.phase == t]


def budgets(case: Case) -> Outcome:
    """Undiscounted cost of a phase ≤ its budget."""
    findings, measured, checked, currency = [], {}, 0, str(case.question.data["currency"])
    for t, phase, mine in _by_phase(case):
        spent = sum(case.cost(b) for b in mine)
        measured[f"cost[{phase['id']}]"] = spent
        if phase["budget"] is None:
            continue
        checked += 1
        if above(spent, float(phase["budget"])):
            message = f"Phase {phase['id']} costs {spent:.2f} {currency}, its budget is {phase['budget']:.2f}."
            ids = _ids_in(case, t)
            findings.append(
                finding("budgets", message, ids, measured=spent, limit=float(phase["budget"]), unit=currency)
            )
    return Outcome(checked, findings, measured)


def resources(case: Case) -> Outcome:
    """What the blocks take in a phase or another period, less what they give, ≤ what there is."""
    findings, checked = [], 0
    for use in case.uses:
        for r, limit in enumerate(use.limits):
            if limit is None:
                continue
            checked += 1
            parts = [(use.of(b, r), b) for b in case.blocks]
            used = sum(amount for amount, _ in parts)
            if above(used, float(limit), use.noise(r)):
                what, unit = str(use.resource["name"]), str(use.resource["unit"])
                message = f"{use.periods[r]}: {used:.2f} {unit} of {what} are taken, at most {limit:.2f} may be."
                ids = case.ids(sorted(i for amount, b in parts if amount > 0 for i in b.parcels.tolist()))
                findings.append(finding("resources", message, ids, measured=used, limit=float(limit), unit=unit))
    return Outcome(checked, findings)


def max_blocks(case: Case) -> Outcome:
    """Number of blocks of a phase ≤ the most allowed."""
    findings, checked = [], 0
    for t, phase, mine in _by_phase(case):
        most = phase["max_blocks"]
        if most is None:
            continue
        checked += 1
        if len(mine) > most:
            message = f"Phase {phase['id']} has {len(mine)} blocks, at most {most} are allowed."
            ids, count = _ids_in(case, t), float(len(mine))
            findings.append(finding("max_blocks", message, ids, measured=count, limit=float(most), unit="blocks"))
    return Outcome(checked, findings)


def _ids_in(case: Case, phase: int) -> tuple[str, ...]:
    return case.ids(sorted(i for b in case.blocks if b.phase == phase for i in b.parcels.tolist()))


def rolling(case: Case) -> Outcome:
    """By the end of each phase, what is selected in a zone is one area, or touches what existed there."""
    if not case.question.data["rolling"]:
        return Outcome(0)
    n_phases, zone = len(case.question.phases), case.question.zone
    first = case.question.existing_from.copy()
    for b in case.question.data["fixed"]:
        first[b["parcels"]] = np.minimum(first[b["parcels"]], b["phase"])
    taken = np.full(case.question.n, n_phases)
    for block in case.blocks:
        taken[block.parcels] = np.minimum(taken[block.parcels], block.phase)
    findings: list[Finding] = []
    checked = 0
    for z in sorted(set(zone[taken < n_phases].tolist())):
        for t in range(n_phases):
            checked += 1
            exists = set(np.flatnonzero((zone == z) & (first <= t)).tolist())
            fresh = set(np.flatnonzero((zone == z) & (taken <= t)).tolist()) - exists
            findings += _loose(case, f"phase {case.phase_name(t)}, zone {case.zone_name(z)}", fresh, exists)
    return Outcome(checked, findings)


def _loose(case: Case, where: str, fresh: set[int], exists: set[int]) -> Iterator[Finding]:
    """A finding where a piece has no part of what exists, or where nothing exists and there are several pieces."""
    parts = [part for part in case.pieces(fresh | exists) if fresh & set(part)]
    loose = [part for part in parts if not exists & set(part)] if exists else parts[1:] and parts
    if loose:
        ids = case.ids(sorted(i for part in loose for i in part))
        apart = "do not touch what exists" if exists else f"are {len(loose)} areas, not one"
        message = f"By {where}, selected parcels {apart}: {list_ids(ids)}."
        allowed = 0.0 if exists else 1.0
        yield finding("rolling", message, ids, measured=float(len(loose)), limit=allowed, unit="areas")
