"""Rules about the whole plan: targets, budgets, numbers of blocks, locks, gates."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from geodata.errors import list_ids
from planner.check.columns import numbers, texts
from planner.check.facts import Facts
from planner.check.model import Finding
from planner.check.outcome import Outcome, finding
from planner.check.rules.goals import goals, reached
from planner.check.tolerances import money


def targets(facts: Facts) -> Outcome:
    """What counts by the end of a phase reaches every floor (− 1e-5 mu, − 0.01 m²).

    Unmet stretch is measured, and is no defect.
    """
    findings, measured, checked = [], {}, 0
    for goal in goals(facts):
        area = measured[goal.measured_as] = reached(facts, goal)
        checked += goal.floor > 0
        if area < goal.floor - goal.tolerance:
            short = f"{goal.floor - area:.4f} short of {goal.floor:g} {goal.unit}"
            message = f"{goal.title}: {area:.4f} {goal.unit} by its end, {short}."
            findings.append(finding("targets", message, measured=area, limit=goal.floor, unit=goal.unit))
        if goal.stretch is not None:
            measured[f"unmet_stretch_mu{goal.label}"] = max(0.0, goal.stretch - area)
    return Outcome(checked, findings, measured)


def ceilings(facts: Facts) -> Outcome:
    """What counts by the end of a phase exceeds no ``target_max_mu`` (+ 1e-5 mu)."""
    findings, checked = [], 0
    for goal in goals(facts):
        if goal.ceiling is None:
            continue
        checked += 1
        area = reached(facts, goal)
        if area > goal.ceiling + goal.tolerance:
            over = f"{area - goal.ceiling:.4f} above the most allowed, {goal.ceiling:g} mu"
            message = f"{goal.title}: {area:.4f} mu by its end, {over}."
            findings.append(finding("ceilings", message, measured=area, limit=goal.ceiling, unit="mu"))
    return Outcome(checked, findings)


def budgets(facts: Facts) -> Outcome:
    """The undiscounted cost of each phase keeps its budget (± 1e-6 of it)."""
    if facts.config.optimise.cost is None:
        return Outcome(0)
    findings, measured, checked = [], {}, 0
    for t, phase in enumerate(facts.config.optimise.phases, start=1):
        mine = facts.selected & (facts.phase == t)
        spent = measured[f"cost[{phase.id}]"] = float(np.nansum(facts.cost[mine]))
        if phase.budget is None:
            continue
        checked += 1
        if spent > phase.budget + money(phase.budget):
            currency = facts.config.project.currency
            message = (
                f"Phase {phase.id} costs {spent:.2f} {currency}, {spent - phase.budget:.2f} above {phase.budget:.2f}."
            )
            findings.append(finding("budgets", message, measured=spent, limit=phase.budget, unit=currency))
    return Outcome(checked, findings, measured)


def max_blocks(facts: Facts) -> Outcome:
    """No phase has more blocks than ``max_blocks``."""
    findings, checked = [], 0
    for t, phase in enumerate(facts.config.optimise.phases, start=1):
        if phase.max_blocks is None:
            continue
        checked += 1
        mine = [block for block, p in facts.block_phase.items() if p == t]
        if len(mine) > phase.max_blocks:
            message = f"Phase {phase.id} has {len(mine)} blocks, at most {phase.max_blocks}: {list_ids(mine)}."
            findings.append(
                finding("max_blocks", message, measured=float(len(mine)), limit=float(phase.max_blocks), unit="blocks")
            )
    return Outcome(checked, findings)


def locks(facts: Facts) -> Outcome:
    """Locked-in parcels are in the plan (in time, or in their phase), locked-out ones are not; the columns say so."""
    spec = facts.config.optimise.locks
    position = {parcel: i for i, parcel in enumerate(facts.ids)}
    orders: list[tuple[str, str, str | None]] = [
        *(("in", p, None) for p in spec.in_),
        *(("out", p, None) for p in spec.out),
        *(("by", p, phase) for p, phase in spec.by.items()),
        *(("at", p, phase) for p, phase in spec.at.items()),
    ]
    findings = [fault for kind, p, phase in orders for fault in _lock_faults(facts, kind, p, phase, position.get(p))]
    return Outcome(len(orders), [*findings, *_written_locks(facts), *_written_notes(facts)])


def _written_locks(facts: Facts) -> Iterator[Finding]:
    """Where the column ``locked`` says something else than the configuration."""
    spec = facts.config.optimise.locks
    said: dict[str, set[str | None]] = {p: {"in"} for p in spec.in_}
    for word, parcels in (("by", spec.by), ("at", spec.at)):
        for parcel, phase in parcels.items():
            said.setdefault(parcel, set()).add(f"{word} {phase}")
    for parcel in spec.out:
        said.setdefault(parcel, set()).add("out")
    for block in spec.blocks:  # a block that stands may be called locked, too
        for parcel in block.parcels:
            said.setdefault(parcel, set()).update({None, "in", f"by {block.phase}", f"at {block.phase}"})
    for parcel, written in zip(facts.ids, texts(facts.parcels["locked"]), strict=True):
        if written not in said.get(parcel, {None}):
            message = (
                f"Parcel {parcel}: column locked says {written}, the configuration says otherwise. Locks edited since "
                "the run count in the next one: planner run … --locks plan.gpkg."
            )
            yield finding("locks", message, (parcel,))


def _written_notes(facts: Facts) -> Iterator[Finding]:
    """Where the column ``note``, if there is one, says something else than the configuration."""
    if "note" not in facts.parcels.columns:
        return
    notes = facts.config.optimise.locks.notes
    for parcel, written in zip(facts.ids, texts(facts.parcels["note"]), strict=True):
        if written != (notes.get(parcel) or None):
            message = f"Parcel {parcel}: the column note differs from the remark in the configuration."
            yield finding("locks", message, (parcel,))


def _lock_faults(facts: Facts, kind: str, parcel: str, phase: str | None, i: int | None) -> Iterator[Finding]:
    if i is None:
        yield finding("locks", f"Parcel {parcel} is locked ({kind}), but is not in the layer parcels.", (parcel,))
        return
    taken = bool(facts.selected[i])
    if kind == "out":
        if taken:
            message = f"Parcel {parcel} is locked out, but is in block {facts.block_of[i]}."
            yield finding("locks", message, (parcel,), block_id=facts.block_of[i])
    elif not taken:
        yield finding(
            "locks", f"Parcel {parcel} is locked in ({kind} {phase or 'the plan'}), but is in no block.", (parcel,)
        )
    elif phase is not None:
        wanted, found = [p.id for p in facts.config.optimise.phases].index(phase) + 1, facts.phase[i]
        if found > wanted or (kind == "at" and found != wanted):
            message = f"Parcel {parcel} is locked in {kind} {phase} (phase {wanted}), but is in phase {found}."
            yield finding("locks", message, (parcel,), measured=float(found), limit=float(wanted), unit="phase")


def earliest(facts: Facts) -> Outcome:
    """No parcel is taken before all its gates are open, and the column ``earliest_phase`` says when that is."""
    if not facts.config.optimise.earliest:
        return Outcome(0)
    findings = list(_written_gates(facts))
    early = facts.selected & ~facts.stands & (facts.phase >= 1) & (facts.phase < facts.earliest)
    for i in np.flatnonzero(early):
        first = int(facts.earliest[i])
        when = f"in phase {first}" if first <= facts.n_phases else "in no phase"
        message = f"Parcel {facts.ids[i]} is taken in phase {facts.phase[i]}; its gates open {when} at the earliest."
        findings.append(
            finding(
                "earliest",
                message,
                (facts.ids[i],),
                block_id=facts.block_of[i],
                measured=float(facts.phase[i]),
                limit=float(first),
                unit="phase",
            )
        )
    return Outcome(int(facts.selected.sum()), findings)


def _written_gates(facts: Facts) -> Iterator[Finding]:
    """Where the column, if there is one, differs; null stands for never. Locks are no gates."""
    if "earliest_phase" not in facts.parcels.columns:
        return
    written = numbers(facts.parcels["earliest_phase"])
    expected = np.where(facts.earliest > facts.n_phases, np.nan, facts.earliest.astype(float))
    for i in np.flatnonzero(~((written == expected) | (np.isnan(written) & np.isnan(expected)))):
        message = (
            f"Parcel {facts.ids[i]}: earliest_phase is {written[i]:g}, its gates give {expected[i]:g} (nan = never)."
        )
        yield finding("earliest", message, (facts.ids[i],))
