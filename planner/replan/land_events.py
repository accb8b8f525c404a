"""Events about parcels: refusals, agreements, locks."""

from __future__ import annotations

from geodata.errors import Issue, list_ids
from planner.errors import ConfigError
from planner.expressions import absent_texts, evaluate_condition
from planner.replan.draft import Draft, Place
from planner.replan.spec import EventSpec, LockChange
from planner.replan.told import Note


def refused(draft: Draft, event: EventSpec, place: Place) -> None:
    """Owners refuse: their parcels are locked out."""
    assert event.refused is not None
    _refuse(draft, event, draft.known(event.refused, place.at()), place, [])


def refused_where(draft: Draft, event: EventSpec, place: Place) -> None:
    """The same for all parcels that an expression hits; where it is undecided, a parcel is not hit, and told."""
    assert event.refused_where is not None
    try:
        hit = evaluate_condition(event.refused_where, draft.fields)
        absent = absent_texts(event.refused_where, draft.fields)
    except ConfigError as error:
        draft.issues += [
            Issue(place.at(), f"{i.found}, in {event.refused_where!r}", i.expected, i.fix) for i in error.issues
        ]
        return
    parcels = [str(i) for i in draft.fields.index[hit.fillna(False).to_numpy(dtype=bool)]]
    if not parcels:
        lost = "; ".join(f"{a.compared} is nowhere {', '.join(map(repr, a.texts))}" for a in absent)
        found = f"{event.refused_where!r}, which hits no parcel" + (f" ({lost})" if lost else "")
        draft.issues.append(Issue(place.at(), found, "an expression that hits a parcel", "Correct it."))
        return
    open_ = int(hit.isna().sum())
    notes = [Note("replan_undecided", (open_, event.refused_where))] if open_ else []
    _refuse(draft, event, parcels, place, notes)


def _refuse(draft: Draft, event: EventSpec, parcels: list[str], place: Place, notes: list[Note]) -> None:
    notes += draft.lock_out(parcels, place)
    elsewhere = [i for i in parcels if i not in draft.before.block_of]
    if elsewhere:
        notes.append(Note("replan_in_no_block", (len(elsewhere), draft.before.mu(elsewhere), list_ids(elsewhere))))
    draft.decide(parcels, "out", place.at())
    draft.tell(place, event.reason, parcels, notes)


def agreed(draft: Draft, event: EventSpec, place: Place) -> None:
    """Parcels locked out are free again; what makes land ineligible or excluded is untouched."""
    assert event.agreed is not None
    parcels = draft.known(event.agreed, place.at())
    out = set(draft.locks["out"])
    draft.locks["out"] = [i for i in draft.locks["out"] if i not in set(parcels)]
    draft.mark(place, "optimise", "locks", "out")
    idle = [i for i in parcels if i not in out]
    notes = [Note("replan_was_free", (len(idle), list_ids(idle)))] if idle else []
    draft.decide(parcels, "free", place.at())
    draft.tell(place, event.reason, parcels, notes)


def lock(draft: Draft, event: EventSpec, place: Place) -> None:
    """Decisions about single parcels, in the place of earlier ones."""
    assert event.lock is not None
    spec: LockChange = event.lock
    named: list[str] = []
    for key, ids in (("in", spec.in_), ("out", spec.out), ("by", tuple(spec.by)), ("at", tuple(spec.at))):
        parcels = draft.known(ids, place.at(key))
        twice = sorted(set(parcels) & set(named))
        if twice:
            found = f"parcels locked in two ways: {list_ids(twice)}"
            draft.issues.append(Issue(place.at(key), found, "one or the other", "Remove one of the two."))
        draft.free(parcels)
        if key in {"in", "out"}:
            draft.locks[key] = sorted({*draft.locks[key], *parcels})
        else:
            phase_of = spec.by if key == "by" else spec.at
            for name in dict.fromkeys(phase_of.values()):
                draft.phase(name, place.at(key))
            draft.locks[key] = draft.locks[key] | {i: phase_of[i] for i in parcels}
        draft.mark(place, "optimise", "locks", key)
        draft.decide(parcels, "out" if key == "out" else "in", place.at(key))
        named += parcels
    draft.tell(place, event.reason, named)
