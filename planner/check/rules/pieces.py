"""Rules about contiguity: bridged links that are real, blocks that are one piece."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from geodata.errors import list_ids
from planner.check import shapes
from planner.check.columns import numbers, texts
from planner.check.facts import Facts
from planner.check.lanes import SLACK_M, Lanes, measure_lanes
from planner.check.model import Finding, Severity
from planner.check.outcome import Outcome, finding
from planner.check.tolerances import GAP_M

Pieces = list[list[int]]
"""Parcels by connected piece, the largest piece first."""


def _lanes(facts: Facts, pairs: shapes.Ints) -> Lanes:
    return measure_lanes(facts.shape, pairs, facts.barrier, facts.config.adjacency, facts.barrier_tolerance_m)


def _enough(facts: Facts, lanes: Lanes) -> NDArray[np.bool_]:
    """Which pairs face each other over enough, as far as can be told."""
    slack = facts.slack_m + np.where(lanes.sampled, SLACK_M, 0.0)
    return (lanes.facing_m >= facts.config.adjacency.bridge_min_facing_m - slack) & np.isfinite(lanes.least_m)


def _line_faults(
    facts: Facts, drawn: shapes.Geometries, pairs: shapes.Ints, said_m: shapes.Floats, lanes: Lanes
) -> list[str | None]:
    """Why a drawn line of the width said is no bridge between two parcels, None where it is one."""
    spec = facts.config.adjacency
    lines, detour = shapes.straight_lines(drawn)
    a, b = facts.shape[pairs[:, 0]], facts.shape[pairs[:, 1]]
    gap, length = shapely.distance(a, b), shapely.length(lines)
    inside, others = shapes.length_in_others(lines, pairs, facts.shape)
    blocked = shapes.near_barrier(lines, facts.barrier, facts.barrier_tolerance_m - GAP_M)
    apart = np.maximum(shapely.distance(lines, a), shapely.distance(lines, b))
    enough = _enough(facts, lanes)
    faults: list[str | None] = []
    for k, line in enumerate(lines):
        if gap[k] > spec.bridge_max_m + GAP_M:
            faults.append(f"it spans {gap[k]:.2f} m of at most {spec.bridge_max_m:g} m")
        elif line is None or apart[k] > GAP_M or detour[k] > GAP_M:
            faults.append("its line does not join them straight")
        elif inside[k] > spec.touch_tolerance_m + GAP_M:
            faults.append(f"its line crosses {list_ids(facts.named(others[k]))}")
        elif blocked[k]:
            faults.append("its line meets a barrier")
        elif not enough[k]:
            faults.append(
                f"the two face each other over {lanes.facing_m[k]:.2f} m, clear of barriers and other parcels, of at "
                f"least {spec.bridge_min_facing_m:g} m"
            )
        elif not lanes.least_m[k] - GAP_M <= said_m[k] <= lanes.most_m[k] + GAP_M:
            faults.append(f"gap_m is {said_m[k]:.3f}, the gap measures {lanes.most_m[k]:.3f} m")
        elif not said_m[k] - GAP_M <= length[k] <= said_m[k] + spec.touch_tolerance_m + GAP_M:
            faults.append(f"its line is {length[k]:.2f} m long where the gap is {said_m[k]:.2f} m")
        else:
            faults.append(None)
    return faults


def _link_faults(facts: Facts, pairs: shapes.Ints, rows: Sequence[int]) -> list[str | None]:
    """What is wrong with the listed links in `rows`, None for a sound one."""
    faults: dict[int, str | None] = dict.fromkeys(rows, "it names no two parcels of the layer")
    good = np.array([k for k in rows if pairs[k, 0] >= 0 and pairs[k, 0] != pairs[k, 1]], dtype=np.int64)
    if not len(good):
        return list(faults.values())
    drawn = np.array(facts.tables.links.geometry.to_numpy(), dtype=object)[good]
    gap = numbers(facts.tables.links["gap_m"])[good]
    bridge = _line_faults(facts, drawn, pairs[good], gap, _lanes(facts, pairs[good]))
    distance = shapely.distance(facts.shape[pairs[good, 0]], facts.shape[pairs[good, 1]])
    touching = np.flatnonzero(distance <= facts.config.adjacency.touch_tolerance_m)
    shared, cut = np.zeros(len(good)), np.zeros(len(good))
    shared[touching] = facts.shared(pairs[good[touching]])[:, 0]
    if len(facts.barrier):
        cut[touching] = facts.shared(pairs[good[touching]], cut=False)[:, 0] - shared[touching]
    limit = facts.config.adjacency.min_shared_m + facts.slack_m
    for k, row in enumerate(good.tolist()):
        if facts.config.adjacency.bridge_max_m == 0:
            faults[row] = "bridges are switched off"
        elif shared[k] >= limit:
            faults[row] = f"the two share {shared[k]:.2f} m of boundary and are adjacent"
        elif cut[k] > facts.slack_m:
            faults[row] = f"a barrier cuts {cut[k]:.2f} m of the boundary where they touch"
        else:
            faults[row] = bridge[k]
    return list(faults.values())


def links(facts: Facts) -> Outcome:
    """A bridged link spans at most ``bridge_max_m`` between parcels that are not adjacent and face each other."""
    pairs = facts.link_ends
    faults = _link_faults(facts, pairs, range(len(pairs)))
    findings = []
    inside = [_in_one_block(facts, a, b) for a, b in pairs.tolist()]
    for k, fault in enumerate(faults):
        if fault is not None:
            severity: Severity = "error" if inside[k] else "warning"  # one that no block uses is only drawn wrong
            ids = facts.named([i for i in pairs[k] if i >= 0])
            name = " – ".join(str(texts(facts.tables.links[end].iloc[[k]])[0]) for end in ("parcel_a", "parcel_b"))
            findings.append(finding("links", f"Bridged link {name}: {fault}.", ids, severity=severity))
    findings.extend(_count_findings(facts, pairs, inside))
    return Outcome(len(pairs), findings, {"links_used": float(sum(inside))})


def _in_one_block(facts: Facts, a: int, b: int) -> bool:
    return a >= 0 and facts.block_of[a] is not None and facts.block_of[a] == facts.block_of[b]


def _count_findings(facts: Facts, pairs: shapes.Ints, inside: list[bool]) -> Iterator[Finding]:
    """Each block counts its links."""
    counts: dict[str | None, int] = {}
    for (a, _), used in zip(pairs.tolist(), inside, strict=True):
        if used:
            counts[facts.block_of[a]] = counts.get(facts.block_of[a], 0) + 1
    written = numbers(facts.tables.blocks["bridged_links"])
    for block, said in zip(texts(facts.tables.blocks["block_id"]), written, strict=True):
        found = counts.get(block, 0)
        if block in facts.members and said != found:
            message = f"Block {block} is said to have {said:g} bridged links; the layer links has {found} inside it."
            yield finding("links", message, block_id=block, measured=float(found), limit=float(said), unit="links")


def contiguity(facts: Facts) -> Outcome:
    """Every block is one piece by boundaries of ``min_shared_m`` or more (less the slack) and listed, sound bridges.

    Blocks that stand as they are may be several.
    """
    blocks = list(facts.members)
    parts_of = dict(zip(blocks, connected_pieces(facts, [facts.members[b] for b in blocks]), strict=True))
    findings = [
        _broken(facts, block, parts)
        for block, parts in parts_of.items()
        if len(parts) > 1 and block not in facts.standing
    ]
    return Outcome(len(facts.members), findings, {"pieces": float(sum(len(p) for p in parts_of.values()))})


def connected_pieces(facts: Facts, groups: Sequence[shapes.Ints], seams: shapes.Seams | None = None) -> list[Pieces]:
    """Pieces of each of the disjoint `groups` of parcels, joined by boundaries and by listed, sound bridges.

    `seams` are the boundaries inside the groups; those of the blocks when absent.
    """
    seams = facts.seams if seams is None else seams
    members = [group.tolist() for group in groups]
    joined = list(map(tuple, seams.pairs[seams.most_m >= facts.least_adjacent_m].tolist()))
    parts = shapes.pieces(members, joined)
    piece_of = {i: (g, k) for g, found in enumerate(parts) for k, piece in enumerate(found) for i in piece}
    rows = [
        row  # only a link between two pieces of one group matters
        for row, (a, b) in enumerate(facts.link_ends.tolist())
        if a in piece_of and b in piece_of and piece_of[a] != piece_of[b] and piece_of[a][0] == piece_of[b][0]
    ]
    faults = _link_faults(facts, facts.link_ends, rows)
    joined += [tuple(facts.link_ends[row].tolist()) for row, fault in zip(rows, faults, strict=True) if fault is None]
    return shapes.pieces(members, joined)


def _broken(facts: Facts, block: str, parts: list[list[int]]) -> Finding:
    apart = "; ".join(f"[{list_ids(facts.named(part))}]" for part in parts)
    message = f"Block {block} is {len(parts)} pieces: {apart}."
    hidden = _unlisted(facts, parts)
    if hidden is not None:
        message += (
            f" Parcels {' and '.join(facts.named(hidden))} could be bridged, but the layer links has no such link."
        )
    ids = facts.named([i for part in parts for i in part])
    return finding("contiguity", message, ids, block_id=block, measured=float(len(parts)), limit=1.0, unit="pieces")


def _unlisted(facts: Facts, parts: list[list[int]]) -> Any:
    """A pair of different pieces that a bridge could join, though none is listed."""
    spec = facts.config.adjacency
    if spec.bridge_max_m == 0:
        return None
    piece = {i: k for k, part in enumerate(parts) for i in part}
    members = np.array(sorted(piece), dtype=np.int64)
    pairs = shapes.close_pairs(facts.shape, [members], spec.bridge_max_m)
    pairs = pairs[[piece[a] != piece[b] for a, b in pairs.tolist()]]
    if not len(pairs):
        return None
    lanes = _lanes(facts, pairs)
    surely = spec.bridge_min_facing_m + facts.slack_m + np.where(lanes.sampled, SLACK_M, 0.0)
    free = np.flatnonzero((lanes.facing_m >= surely) & np.isfinite(lanes.most_m))
    return pairs[free[0]] if len(free) else None
