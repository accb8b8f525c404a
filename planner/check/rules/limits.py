"""Rules about the whole plan: targets, budgets, numbers of blocks, locks, gates."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from geodata.errors import list_ids
from planner.check.facts import Facts, numbers, texts
from planner.check.model import Finding
from planner.check.outcome import Outcome, finding
from planner.check.tolerances import AREA_MU, money


def cumulative_mu(facts: Facts, phase: int, zone: str | None) -> float:
    """Area in blocks by the end of a phase (1-based), in one zone or, with None, in the study area, mu."""
    taken = facts.selected & (facts.phase >= 1) & (facts.phase <= phase)
    if zone is not None:
        taken = taken & np.array([z == zone for z in facts.zone], dtype=bool)
    return float(facts.area_mu[taken].sum())


def stretch_terms(facts: Facts) -> dict[str, float]:
    """Unmet stretch, mu, of each phase and zone that has a stretch target; key as in `label`."""
    found = {}
    for t, phase in enumerate(facts.config.optimise.phases, start=1):
        wanted: list[tuple[str | None, float | None]] = [(None, phase.stretch_mu)]
        wanted += [(name, spec.stretch_mu) for name, spec in phase.zones.items()]
        for zone, stretch in wanted:
            if stretch is not None:
                found[label(phase.id, zone)] = max(0.0, stretch - cumulative_mu(facts, t, zone))
    return found


def label(phase_id: str, zone: str | None) -> str:
    """``[P1]`` or ``[P1][Luoma]``, as in the keys of `CheckReport.measured`."""
    return f"[{phase_id}]" + (f"[{zone}]" if zone is not None else "")


def targets(facts: Facts) -> Outcome:
    """Cumulative area reaches every floor (− 1e-5 mu); unmet stretch is measured, and is no defect."""
    findings, measured, checked = [], {}, 0
    for t, phase in enumerate(facts.config.optimise.phases, start=1):
        floors: dict[str | None, float] = {None: phase.target_mu, **{z: s.target_mu for z, s in phase.zones.items()}}
        for zone, floor in floors.items():
            area = measured[f"cumulative_mu{label(phase.id, zone)}"] = cumulative_mu(facts, t, zone)
            checked += floor > 0
            if area < floor - AREA_MU:
                where = f"zone {zone}" if zone is not None else "the study area"
                message = (
                    f"Phase {phase.id}, {where}: {area:.4f} mu by its end, {floor - area:.4f} short of {floor:g} mu."
                )
                findings.append(finding("targets", message, measured=area, limit=floor, unit="mu"))
    measured |= {f"unmet_stretch_mu{key}": value for key, value in stretch_terms(facts).items()}
    return Outcome(checked, findings, measured)


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
    """Locked-in parcels are in the plan (in time), locked-out ones are not, and the column ``locked`` says so."""
    spec = facts.config.optimise.locks
    position = {parcel: i for i, parcel in enumerate(facts.ids)}
    orders = [("in", p, None) for p in spec.in_] + [("out", p, None) for p in spec.out]
    findings = [
        fault
        for kind, parcel, phase in [*orders, *(("by", p, phase) for p, phase in spec.by.items())]
        for fault in _lock_faults(facts, kind, parcel, phase, position.get(parcel))
    ]
    written = texts(facts.parcels["locked"])
    for i, parcel in enumerate(facts.ids):
        wanted: set[str | None] = {"in"} if parcel in spec.in_ else set()
        wanted |= {"out"} if parcel in spec.out else set()
        wanted |= {f"by {spec.by[parcel]}"} if parcel in spec.by else set()
        if written[i] not in (wanted or {None}):
            message = f"Parcel {parcel}: column locked says {written[i]}, the configuration says otherwise."
            findings.append(finding("locks", message, (parcel,)))
    return Outcome(len(orders) + len(spec.by), findings)


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
        last = [p.id for p in facts.config.optimise.phases].index(phase) + 1
        if facts.phase[i] > last:
            message = f"Parcel {parcel} is locked in by {phase} (phase {last}), but is in phase {facts.phase[i]}."
            yield finding("locks", message, (parcel,), measured=float(facts.phase[i]), limit=float(last), unit="phase")


def earliest(facts: Facts) -> Outcome:
    """No parcel is taken before all its gates are open, and the column ``earliest_phase`` says when that is."""
    if not facts.config.optimise.earliest:
        return Outcome(0)
    findings = list(_written_gates(facts))
    for i in np.flatnonzero(facts.selected & (facts.phase >= 1) & (facts.phase < facts.earliest)):
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
    """Where the column, if there is one, differs; null stands for never."""
    if "earliest_phase" not in facts.parcels.columns:
        return
    written = numbers(facts.parcels["earliest_phase"])
    expected = np.where(facts.earliest > facts.n_phases, np.nan, facts.earliest.astype(float))
    for i in np.flatnonzero(~((written == expected) | (np.isnan(written) & np.isnan(expected)))):
        message = (
            f"Parcel {facts.ids[i]}: earliest_phase is {written[i]:g}, its gates give {expected[i]:g} (nan = never)."
        )
        yield finding("earliest", message, (facts.ids[i],))
