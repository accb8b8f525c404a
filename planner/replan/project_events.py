"""Events about projects: finished and running ones stand as they are, others are given up."""

from __future__ import annotations

from collections.abc import Sequence

from geodata.errors import Issue
from planner.replan.before import FormerBlock
from planner.replan.draft import Draft, Place
from planner.replan.spec import EventSpec
from planner.replan.told import Note


def done(draft: Draft, event: EventSpec, place: Place) -> None:
    """Finished projects stand."""
    stand(draft, draft.blocks(event.done or (), place.at()), event.reason, place)


def running(draft: Draft, event: EventSpec, place: Place) -> None:
    """Running projects stand as well: their land is committed."""
    stand(draft, draft.blocks(event.running or (), place.at()), event.reason, place)


def dropped(draft: Draft, event: EventSpec, place: Place) -> None:
    """Projects are given up."""
    drop(draft, draft.blocks(event.dropped or (), place.at()), event.reason, place)


def stand(draft: Draft, blocks: Sequence[FormerBlock], reason: str | None, place: Place) -> None:
    """Blocks stand with their code, phase and mode; decisions about their single parcels have no meaning any more."""
    phases = {p["id"] for p in draft.phases}
    for block in blocks:
        if block.phase not in phases:
            found = f"{block.name}, whose phase {block.phase} is no more"
            draft.issues.append(Issue(place.at(), found, "a block of a phase that the plan has", "Keep the phase."))
        draft.standing[block.standing or block.name] = block
    parcels = [i for b in blocks for i in b.parcels]
    gone = draft.free(parcels, also_out=False)
    notes = [Note("replan_stands", (b.name, b.block_id, b.phase, len(b.parcels), b.area_mu)) for b in blocks]
    if gone:
        notes.append(Note("replan_locks_idle", (len(gone),)))
    draft.mark(place, "optimise", "locks", "blocks")
    draft.decide(parcels, "stands", place.at())
    draft.tell(place, reason, parcels, notes)


def drop(draft: Draft, blocks: Sequence[FormerBlock], reason: str | None, place: Place) -> None:
    """All land of the blocks is locked out; a project that stood is no longer kept."""
    parcels = [i for b in blocks for i in b.parcels]
    for block in blocks:
        held = draft.standing.get(block.standing or block.name)
        if held is not None and not any(d.side == "stands" for i in block.parcels for d in draft.decided.get(i, ())):
            del draft.standing[block.standing or block.name]
    notes = [Note("replan_given_up", (b.name, b.block_id, b.phase, len(b.parcels), b.area_mu)) for b in blocks]
    notes += draft.lock_out(parcels, place)
    draft.decide(parcels, "out", place.at())
    draft.tell(place, reason, parcels, notes)
