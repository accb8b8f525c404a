"""Rules about the tables: each parcel's place in the plan, and a layer of blocks that says the same."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from math import isclose, isnan, pi
from typing import NamedTuple

import numpy as np
import shapely

from geodata.errors import list_ids
from geodata.units import M2_PER_MU
from planner.check.columns import measurable, numbers, texts
from planner.check.facts import Facts
from planner.check.model import Finding
from planner.check.outcome import Outcome, finding
from planner.check.tolerances import AREA_MU, FIGURE_M2, RELATIVE, SCORE, money

STATUSES = ("selected", "eligible", "ineligible", "excluded")


def assignment(facts: Facts) -> Outcome:
    """Ids are unique; selected ⇔ a block ⇔ a phase in 1..T ⇔ a role; one phase per block."""
    findings = [*_id_findings(facts), *_row_findings(facts)]
    for block, positions in facts.members.items():
        phases = sorted({int(facts.phase[i]) for i in positions})
        if len(phases) > 1:
            message = f"Block {block} has parcels in several phases: {', '.join(map(str, phases))} (0 = none)."
            findings.append(finding("assignment", message, facts.named(positions), block_id=block))
    return Outcome(facts.n, findings, {"blocks": len(facts.members), "selected_parcels": int(facts.selected.sum())})


def _id_findings(facts: Facts) -> Iterator[Finding]:
    ids, counts = np.unique(np.array(facts.ids, dtype=object), return_counts=True)
    twice = [str(i) for i, count in zip(ids, counts, strict=True) if count > 1 or not i]
    if twice:
        yield finding("assignment", f"{len(twice)} parcel ids are missing or not unique: {list_ids(twice)}.", twice)


def _row_findings(facts: Facts) -> Iterator[Finding]:
    written = facts.parcels["phase"]
    has_phase = written.notna().tolist()
    rows = zip(facts.block_of, facts.status, facts.role, has_phase, facts.phase.tolist(), strict=True)
    for i, (block, status, role, phased, phase) in enumerate(rows):
        signs = {status == "selected", block is not None, phased}
        role_fits = role in ("candidate", "filler") if block is not None else role in (None, "candidate", "filler")
        if len(signs) > 1 or status not in STATUSES or not role_fits or (phased and phase == 0):
            said = [
                f"status {status}",
                f"block {block}" if block is not None else "no block",
                f"phase {written.iloc[i]}" if phased else "no phase",
                f"role {role}" if role else "no role",
            ]
            message = (
                f"Parcel {facts.ids[i]} has {', '.join(said)}; status selected, a block, a phase in 1 to "
                f"{facts.n_phases} and a role go together."
            )
            yield finding("assignment", message, (facts.ids[i],), block_id=block)


class _Column(NamedTuple):
    """A figure of a block: how it is recomputed, and how far it may be off."""

    name: str
    unit: str
    recompute: Callable[[Facts, str], float]
    tolerance: Callable[[float], float]


def _relative(value: float) -> float:
    return max(AREA_MU, RELATIVE * abs(value))


def _score_mean(facts: Facts, block: str) -> float:
    """Area-weighted mean over the parcels with a known score."""
    positions = facts.members[block]
    known = positions[np.isfinite(facts.score[positions])]
    weight = facts.area_mu[known]
    return float((weight * facts.score[known]).sum() / weight.sum()) if weight.sum() > 0 else float("nan")


def _block_cost(facts: Facts, block: str) -> float:
    if not facts.priced:
        return float("nan")
    return float(facts.cost[facts.members[block]].sum())


COLUMNS = (
    _Column("area_mu", "mu", lambda f, b: float(f.area_mu[f.members[b]].sum()), _relative),
    _Column("n_parcels", "parcels", lambda f, b: float(len(f.members[b])), lambda _: 0.0),
    _Column("phase", "", lambda f, b: float(f.block_phase[b]), lambda _: 0.0),
    _Column("score_mean", "", _score_mean, lambda _: SCORE),
    _Column("cost", "currency", _block_cost, money),
)


class _Row(NamedTuple):
    """One row of the layer ``blocks``, beside the parcels it is made of."""

    block: str
    ids: tuple[str, ...]
    figures: dict[str, float]
    zone: str | None


def block_table(facts: Facts) -> Outcome:
    """The layer ``blocks`` lists the blocks of the parcels, once each, with figures that follow from the parcels."""
    blocks = facts.tables.blocks
    listed = texts(blocks["block_id"])
    names = [*(c.name for c in COLUMNS), "perimeter_m", "compactness"]
    figures, zones = {name: numbers(blocks[name]) for name in names}, texts(blocks["zone"])
    findings = []
    for absent in sorted(set(facts.members) - set(listed)):
        message = f"Block {absent} has parcels, but is missing from the layer blocks."
        findings.append(finding("block_table", message, facts.named(facts.members[absent]), block_id=absent))
    for k, block in enumerate(listed):
        if block is None or block not in facts.members:
            findings.append(
                finding("block_table", f"Block {block} of the layer blocks has no parcels.", block_id=block)
            )
        elif listed.index(block) != k:
            findings.append(finding("block_table", f"Block {block} stands twice in the layer blocks.", block_id=block))
        else:
            values = {name: float(figures[name][k]) for name in names}
            row = _Row(block, facts.named(facts.members[block]), values, zones[k])
            findings.extend([*_sums(facts, row), *_outline(facts, row), *_block_zone(facts, row)])
    return Outcome(len(set(facts.members) | {b or "" for b in listed}), findings)


def _sums(facts: Facts, row: _Row) -> Iterator[Finding]:
    for column in COLUMNS:
        written, measured = row.figures[column.name], column.recompute(facts, row.block)
        if isnan(written) and isnan(measured):
            continue
        if not abs(written - measured) <= column.tolerance(measured):
            unit = facts.config.project.currency if column.unit == "currency" else column.unit
            message = f"Block {row.block}: {column.name} is {written:.10g}, its parcels give {measured:.10g}."
            yield finding(
                "block_table", message, row.ids, block_id=row.block, measured=measured, limit=written, unit=unit
            )


def _outline(facts: Facts, row: _Row) -> Iterator[Finding]:
    """Perimeter within what the judge's shared lengths allow; compactness 4πA/P² of the written perimeter."""
    least, most = facts.block_perimeter_m[row.block]
    written = row.figures["perimeter_m"]
    slack = RELATIVE * most
    if not least - slack <= written <= most + slack:
        message = f"Block {row.block}: perimeter_m is {written:.2f}, its parcels give {least:.2f} to {most:.2f} m."
        near = least if written < least else most
        yield finding("block_table", message, row.ids, block_id=row.block, measured=near, limit=written, unit="m")
    area_m2 = float(facts.area_mu[facts.members[row.block]].sum()) * M2_PER_MU
    expected = 4 * pi * area_m2 / written**2 if written > 0 else float("nan")
    compactness = row.figures["compactness"]
    if not isclose(compactness, expected, rel_tol=10 * RELATIVE):
        message = f"Block {row.block}: compactness is {compactness:.10g}, 4πA/P² is {expected:.10g}."
        yield finding("block_table", message, row.ids, block_id=row.block, measured=expected, limit=compactness)


def _block_zone(facts: Facts, row: _Row) -> Iterator[Finding]:
    """A block in one zone says so; one across zones names one of them, or none."""
    zones = {facts.zone[i] for i in facts.members[row.block]}
    if row.zone not in (zones if len(zones) == 1 else {*zones, None}):
        lies = ", ".join(sorted(z or "no zone" for z in zones))
        message = f"Block {row.block} is said to lie in {row.zone or 'no zone'}; it lies in {lies}."
        yield finding("block_table", message, row.ids, block_id=row.block)


def block_geometry(facts: Facts) -> Outcome:
    """The figure of a block is the union of its parcels (symmetric difference ≤ 0.01 m², or 1e-6 of its area)."""
    findings = []
    figures = measurable(facts.tables.blocks)
    listed = texts(facts.tables.blocks["block_id"])
    for figure, raw, block in zip(figures, facts.tables.blocks.geometry, listed, strict=True):
        if block is None or block not in facts.members:
            continue
        if raw is not None and not raw.is_valid:
            message = f"The figure of block {block} is not valid: {shapely.is_valid_reason(raw)}."
            findings.append(finding("block_geometry", message, block_id=block))
        positions = facts.members[block]
        union = shapely.union_all(facts.shape[positions])
        difference = float(shapely.area(shapely.symmetric_difference(figure, union)))
        limit = max(FIGURE_M2, RELATIVE * float(shapely.area(union)))
        if not difference <= limit:
            message = f"The figure of block {block} differs from the union of its parcels by {difference:.2f} m²."
            findings.append(
                finding(
                    "block_geometry",
                    message,
                    facts.named(positions),
                    block_id=block,
                    measured=difference,
                    limit=limit,
                    unit="m2",
                )
            )
    return Outcome(len(listed), findings)
