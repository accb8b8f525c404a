"""Events about figures: budgets, targets, and the phase that begins."""

from __future__ import annotations

import math
from typing import Any

from geodata.errors import Issue
from planner.config_issues import nearest
from planner.problem_parts import AREA_TOLERANCE_MU
from planner.replan.before import FormerBlock
from planner.replan.draft import Draft, Place
from planner.replan.spec import EventSpec, ZoneTargetChange
from planner.replan.told import Note

OVER = "over"
"""Name of the gate that keeps land out of phases that are over."""
NONE = "–"


def budget(draft: Draft, event: EventSpec, place: Place) -> None:
    """New budgets: of the phases, or with modes of the one party that has limits by phase."""
    assert event.budget is not None
    notes = []
    for name, amount in event.budget.items():
        k = draft.phase(name, place.at(name))
        if k is None:
            continue
        if draft.config.modes is None:
            holder, key = draft.phases[k], "budget"
            path: tuple[str | int, ...] = ("optimise", "phases", k, "budget")
        else:
            found = _limited_party(draft, place.at(name))
            if found is None:
                continue
            number, holder = found
            key, path = name, ("modes", "limits", number, "outlay", name)
        notes.append(Note("replan_budget", (name, _shown(holder.get(key)), _shown(amount))))
        if amount is None and key != "budget":
            holder.pop(key, None)
        else:
            holder[key] = amount
        draft.mark(place, *path)
    draft.tell(place, event.reason, (), notes)


def _limited_party(draft: Draft, place: str) -> tuple[int, dict[str, Any]] | None:
    limits = [(k, x) for k, x in enumerate(draft.tree["modes"]["limits"]) if x.get("outlay") is not None]
    if len(limits) == 1:
        return limits[0][0], limits[0][1]["outlay"]
    found = "a budget in a plan with modes, " + ("where no party has" if not limits else "where several parties have")
    expected = "one party with `outlay` in modes.limits"
    fix = "Say it as `set: {modes: {limits: [...]}}`, with the party whose money it is."
    draft.issues.append(Issue(place, f"{found} limits by phase", expected, fix))
    return None


def _shown(amount: float | None) -> str:
    return NONE if amount is None else f"{amount:,.0f}"


def target(draft: Draft, event: EventSpec, place: Place) -> None:
    """New targets of phases and of zones in them."""
    assert event.target is not None
    notes: list[Note] = []
    for name, change in event.target.items():
        k = draft.phase(name, place.at(name))
        if k is None:
            continue
        phase, path = draft.phases[k], ("optimise", "phases", k)
        notes += _retarget(draft, phase, change, name, place, path)
        for zone, inner in change.zones.items():
            if not _zone_known(draft, zone, place.at(name, "zones", zone)):
                continue
            goal = phase["zones"].setdefault(zone, {})
            notes += _retarget(draft, goal, inner, f"{name}, {zone}", place, (*path, "zones", zone))
    draft.tell(place, event.reason, (), notes)


def _retarget(
    draft: Draft, goal: dict[str, Any], change: ZoneTargetChange, name: str, place: Place, path: tuple[str | int, ...]
) -> list[Note]:
    notes = []
    for key in ("target_mu", "stretch_mu", "target_max_mu", "target_floor_m2"):
        if key not in change.model_fields_set:
            continue
        old, new = goal.get(key), getattr(change, key)
        notes.append(Note(f"replan_{key}", (name, _area(old), _area(new))))
        goal[key] = new
        draft.mark(place, *path, key)
    if notes:
        draft.mark(place, *path)
    return notes


def _area(value: float | None) -> str:
    return NONE if value is None else f"{value:,.2f}"


def _zone_known(draft: Draft, zone: str, place: str) -> bool:
    zones = sorted({z for z in draft.before.zone_of.values() if z is not None})
    if zone in zones:
        return True
    near = nearest(zone, zones)
    fix = f"Did you mean {near!r}?" if near is not None else "Correct the name."
    expected = f"a zone that holds parcels: {', '.join(zones) or 'there is none'}"
    draft.issues.append(Issue(place, f"the unknown zone {zone!r}", expected, fix))
    return False


def now(draft: Draft, name: str, reason: str | None, place: Place) -> str | None:
    """Phases before `name` are over: what stands in them is all there is.

    Their targets become what stands, their limits fall; land is open from the phase that begins; locks on their years
    move to it. To be called after all other events.
    """
    k = draft.phase(name, place.at())
    if k is None:
        return None
    past = [p["id"] for p in draft.phases[:k]]
    notes: list[Note] = []
    for t, phase in enumerate(draft.phases[:k]):
        standing = [b for b in draft.standing.values() if b.phase in past[: t + 1]]
        notes += _settle(draft, phase, phase["id"], standing, None)
        for zone, goal in phase["zones"].items():
            notes += _settle(draft, goal, f"{phase['id']}, {zone}", standing, zone)
        for group in draft.tree["optimise"]["groups"]:
            if phase["id"] in group["phases"]:
                notes += _settle(draft, group["phases"][phase["id"]], f"{phase['id']}, {group['name']}", None, None)
        phase["max_blocks"] = None
        if phase["budget"] is not None:
            phase["budget"] = None
            notes.append(Note("replan_budget_over", (phase["id"],)))
    _forget_outlay(draft, past)
    year = draft.phases[k]["year"]
    gate = {"name": f"{OVER}: {', '.join(past)}", "year": str(year), "unknown": "open"}
    if past:
        gates = [g for g in draft.tree["optimise"]["earliest"] if not g["name"].startswith(f"{OVER}: ")]
        draft.tree["optimise"]["earliest"] = [*gates, gate]
        draft.mark(place, "optimise", "earliest")
    notes += _move_locks(draft, past, name)
    late = [b for b in draft.before.blocks if b.phase in past and b not in draft.standing.values()]
    notes += [Note("replan_slips", (b.name, b.block_id, b.phase, name, b.area_mu)) for b in late]
    draft.tell(place, reason, (), notes)
    return name


def _settle(
    draft: Draft, goal: dict[str, Any], name: str, standing: list[FormerBlock] | None, zone: str | None
) -> list[Note]:
    """What a target of a phase that is over becomes, and what is missing.

    Net land without modes is set to what stands. What other areas, milestones or groups count is not known here: the
    target goes, as nothing more can be added to it.
    """
    asked = float(goal.get("target_mu") or 0.0)
    counts = goal.get("counts") or draft.tree["optimise"]["counts"]
    notes: list[Note] = []
    if asked and standing is not None and counts == "net" and draft.config.modes is None:
        inside = [i for b in standing for i in b.parcels if zone is None or draft.before.zone_of[i] == zone]
        stands = draft.before.mu(inside)
        if stands < asked - AREA_TOLERANCE_MU:
            notes.append(Note("replan_past_target", (name, asked, stands, asked - stands)))
            goal["target_mu"] = math.floor(stands * 100) / 100  # rounding must not ask for more than there is
    elif asked:
        goal["target_mu"] = 0.0
        notes.append(Note("replan_past_target_gone", (name, asked)))
    if goal.get("target_floor_m2"):
        notes.append(Note("replan_past_floor_gone", (name, float(goal["target_floor_m2"]))))
        goal["target_floor_m2"] = 0.0
    goal["stretch_mu"] = goal["target_max_mu"] = None
    return notes


def _forget_outlay(draft: Draft, past: list[str]) -> None:
    if draft.config.modes is None:
        return
    for limit in draft.tree["modes"]["limits"]:
        if limit.get("outlay") is not None:
            limit["outlay"] = {p: x for p, x in limit["outlay"].items() if p not in past}


def _move_locks(draft: Draft, past: list[str], to: str) -> list[Note]:
    moved = 0
    for key in ("by", "at"):
        late = {i for i, p in draft.locks[key].items() if p in past}
        moved += len(late)
        draft.locks[key] = {i: to if i in late else p for i, p in draft.locks[key].items()}
    return [Note("replan_locks_moved", (moved, to))] if moved else []
