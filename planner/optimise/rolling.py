"""Rolling contiguity: in each zone the cleared area is one piece that only grows.

For zone z and phase t let X be the parcels of z selected by then, and S the parcels of z that exist by then (fixed
blocks of phases ≤ t among them). If S is empty, X is connected; otherwise every connected piece of X ∪ S that holds a
parcel of X holds one of S. Contacts are those of blocks, between parcels of the zone. Parcels without a zone count as
one more zone.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from geodata.errors import list_ids
from planner.optimise.graph import Graph
from planner.problem import Block, Bools, Ints, Problem


def seed_phase(problem: Problem) -> Ints:
    """Phase from which each parcel exists whatever the plan, T = never (``int64[n]``)."""
    n_phases = len(problem.phases)
    given = problem.existing_from
    first = np.full(problem.n, n_phases, dtype=np.int64) if given is None else given.copy()
    for block in problem.fixed:
        index = list(block.parcels)
        first[index] = np.minimum(first[index], block.phase)
    return first


def rolling_faults(problem: Problem, graph: Graph, blocks: Sequence[Block]) -> list[str]:
    """Zones and phases in which the rolling rule is broken, in words."""
    faults = []
    for zone, t, selected, existing in _cleared(problem, blocks):
        loose = _loose(graph, selected, existing)
        if len(loose):
            name = problem.zones[zone] if zone >= 0 else "no zone"
            ids = list_ids([problem.parcel_ids[i] for i in loose.tolist()])
            faults.append(f"phase {problem.phases[t].id}, zone {name}: not one area with {ids}")
    return faults


def _cleared(problem: Problem, blocks: Sequence[Block]) -> Iterator[tuple[int, int, Bools, Bools]]:
    """Zone, phase, and its parcels selected and existing by then; nothing without the rule."""
    if not problem.rolling:
        return
    n_phases = len(problem.phases)
    seeds = seed_phase(problem)
    taken = np.full(problem.n, n_phases, dtype=np.int64)
    for block in blocks:
        taken[list(block.parcels)] = block.phase
    for zone in np.unique(problem.zone[taken < n_phases]).tolist():
        here = problem.zone == zone
        for t in range(n_phases):
            yield zone, t, here & (taken <= t) & (seeds > t), here & (seeds <= t)


def _loose(graph: Graph, selected: Bools, existing: Bools) -> Ints:
    """Selected parcels outside the area they should belong to: what exists, or else the largest piece."""
    piece = graph.components(selected | existing)
    if existing.any():
        anchored = np.unique(piece[existing])
    else:
        counts = np.bincount(piece[selected]) if selected.any() else np.zeros(1, dtype=np.int64)
        anchored = np.array([int(counts.argmax())])
    return np.flatnonzero(selected & ~np.isin(piece, anchored))


@dataclass(frozen=True)
class Split:
    """Parcels that a plan has taken by a phase without joining them, and what would have to be taken to join them.

    Attributes
    ----------
    phase : int
    ends : tuple of int
        One parcel that should reach existing land, or two that should reach each other.
    between : tuple of int
        Every way from the first to where it should go leads through one of these.
    """

    phase: int
    ends: tuple[int, ...]
    between: tuple[int, ...]


def rolling_splits(problem: Problem, graph: Graph, blocks: Sequence[Block]) -> list[Split]:
    """Where a plan breaks the rolling rule, as conditions that every plan keeps."""
    splits = []
    for zone, t, selected, existing in _cleared(problem, blocks):
        here = problem.zone == zone
        loose = _loose(graph, selected, existing)
        piece = graph.components(selected | existing)
        for number in np.unique(piece[loose]).tolist():
            members = np.flatnonzero(piece == number)
            around = np.unique(np.concatenate([graph.of(i) for i in members.tolist()]))
            between = around[here[around] & (piece[around] != number)]
            other = np.flatnonzero(selected & (piece != number) & ~np.isin(np.arange(problem.n), loose))
            far = other[~np.isin(other, between)]
            if existing.any():
                splits.append(Split(t, (int(members[0]),), tuple(between.tolist())))
            elif len(far):
                splits.append(Split(t, (int(members[0]), int(far[0])), tuple(between.tolist())))
    return splits
