"""Rules about the land between parcels: allotted once, to a parcel beside it, and counted in its boundary area."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import numpy as np
import shapely

from geodata.errors import list_ids
from geodata.units import M2_PER_MU
from planner.check import shapes
from planner.check.columns import measurable, numbers, texts
from planner.check.facts import Facts
from planner.check.model import Finding
from planner.check.outcome import Outcome, finding
from planner.check.tolerances import AREA_MU, OVERLAP_M2, RELATIVE

REACH_M: Final = 0.02
"""Allotted land may lie this much beyond ``between_max_m``: widths are compared to the centimetre."""


def counted_pieces(facts: Facts) -> int:
    """How many pieces of land between parcels, and boundary areas, there are to look at."""
    return len(facts.tables.between) + (facts.n if "boundary_mu" in facts.parcels else 0)


def between(facts: Facts) -> Outcome:
    """Allotted land is valid, beside its parcel, on no other land and no barrier; boundary areas follow from it."""
    layer = facts.tables.between
    findings: list[Finding] = []
    allotted_m2 = np.zeros(facts.n)
    if len(layer):
        pieces = measurable(layer)
        position = {parcel: i for i, parcel in enumerate(facts.ids)}
        owner = np.array([position.get(p or "", -1) for p in texts(layer["parcel_id"])], dtype=np.int64)
        area_m2 = np.asarray(shapely.area(pieces))
        np.add.at(allotted_m2, owner[owner >= 0], area_m2[owner >= 0])
        findings += _each(facts, pieces, owner, area_m2)
        findings += _on_parcels(facts, pieces, owner)
        findings += _on_each_other(facts, pieces, owner)
        findings += _on_barriers(facts, pieces, owner)
    findings += _sums(facts, allotted_m2)
    return Outcome(counted_pieces(facts), findings, {"between_mu": float(allotted_m2.sum() / M2_PER_MU)})


def _said(facts: Facts, owner: int) -> str:
    return facts.ids[owner] if owner >= 0 else "an unknown parcel"


def _named(facts: Facts, *owners: int) -> tuple[str, ...]:
    return facts.named([o for o in owners if o >= 0])


def _each(facts: Facts, pieces: shapes.Geometries, owner: shapes.Ints, area_m2: shapes.Floats) -> Iterator[Finding]:
    """Each row by itself: a known parcel, once; valid land of the size written, all of it within reach."""
    layer = facts.tables.between
    drawn = np.array(layer.geometry.to_numpy(), dtype=object)
    written = numbers(layer["area_m2"])
    reach = facts.config.areas.between_max_m + REACH_M
    known = np.flatnonzero((owner >= 0) & ~shapely.is_empty(pieces))  # an empty piece is nowhere
    away = np.zeros(len(pieces))
    parts, row = shapely.get_parts(pieces[known], return_index=True)
    own = facts.shape[owner[known]]
    # Far from its parcel: the farthest corner of the land; apart from it: the nearest point of any part.
    corners, at = shapely.get_coordinates(pieces[known], return_index=True)
    far = np.zeros(len(known))
    np.maximum.at(far, at, shapely.distance(shapely.points(corners), own[at]))
    near = np.zeros(len(known))
    np.maximum.at(near, row, shapely.distance(parts, own[row]))
    away[known] = far
    seen: set[int] = set()
    for k in range(len(pieces)):
        name, ids = _said(facts, int(owner[k])), _named(facts, int(owner[k]))
        if owner[k] < 0:
            yield finding("between", f"Land between parcels is allotted to {name}.", ids)
            continue
        if int(owner[k]) in seen:
            yield finding("between", f"{name} is listed twice in the layer between.", ids)
        seen.add(int(owner[k]))
        kind = None if drawn[k] is None else drawn[k].geom_type
        if kind not in ("Polygon", "MultiPolygon") or not drawn[k].is_valid or drawn[k].is_empty:
            yield finding("between", f"The land allotted to {name} is no valid polygon.", ids)
        if not abs(written[k] - area_m2[k]) <= max(OVERLAP_M2, RELATIVE * area_m2[k]):
            message = f"The land allotted to {name} is said to be {written[k]:.2f} m² and measures {area_m2[k]:.2f} m²."
            yield finding("between", message, ids, measured=float(area_m2[k]), limit=float(written[k]), unit="m²")
        if away[k] > reach:
            message = f"Land allotted to {name} lies up to {away[k]:.2f} m from it, of at most {reach - REACH_M:g} m."
            yield finding("between", message, ids, measured=float(away[k]), limit=reach - REACH_M, unit="m")
    for k in np.flatnonzero(near > REACH_M).tolist():
        i = int(owner[known[k]])
        message = f"Land allotted to {facts.ids[i]} does not touch it: {near[k]:.2f} m apart."
        yield finding("between", message, _named(facts, i), measured=float(near[k]), limit=REACH_M, unit="m")


def _on_parcels(facts: Facts, pieces: shapes.Geometries, owner: shapes.Ints) -> Iterator[Finding]:
    """Allotted land lies on no parcel."""
    k, i = shapely.STRtree(facts.shape).query(pieces, predicate="intersects")
    area = shapely.area(shapely.intersection(pieces[k], facts.shape[i]))
    for n in np.flatnonzero(area > OVERLAP_M2).tolist():
        message = f"Land allotted to {_said(facts, int(owner[k[n]]))} covers {area[n]:.2f} m² of {facts.ids[i[n]]}."
        yield finding(
            "between", message, _named(facts, int(owner[k[n]]), int(i[n])), measured=float(area[n]), unit="m²"
        )


def _on_each_other(facts: Facts, pieces: shapes.Geometries, owner: shapes.Ints) -> Iterator[Finding]:
    """No land is allotted twice."""
    a, b = shapely.STRtree(pieces).query(pieces, predicate="intersects")
    a, b = a[a < b], b[a < b]
    area = shapely.area(shapely.intersection(pieces[a], pieces[b]))
    for n in np.flatnonzero(area > OVERLAP_M2).tolist():
        ids = _named(facts, int(owner[a[n]]), int(owner[b[n]]))
        message = f"{area[n]:.2f} m² between parcels are allotted to both {list_ids(ids)}."
        yield finding("between", message, ids, measured=float(area[n]), unit="m²")


def _on_barriers(facts: Facts, pieces: shapes.Geometries, owner: shapes.Ints) -> Iterator[Finding]:
    """Allotted land lies on no barrier and, as far as one parts it, on one side of it."""
    if not len(facts.barrier):
        return
    k, i = shapely.STRtree(facts.barrier).query(pieces, predicate="intersects")
    met = shapely.intersection(pieces[k], facts.barrier[i])
    for n in np.flatnonzero(shapely.area(met) > OVERLAP_M2).tolist():
        message = f"Land allotted to {_said(facts, int(owner[k[n]]))} covers {met[n].area:.2f} m² of a barrier."
        yield finding("between", message, _named(facts, int(owner[k[n]])), measured=float(met[n].area), unit="m²")
    # A line strictly inside, not just along the edge, would have land on both of its sides.
    inside = shapely.length(shapely.intersection(shapely.buffer(pieces[k], -REACH_M), facts.barrier[i]))
    for n in np.flatnonzero((shapely.get_dimensions(facts.barrier[i]) == 1) & (inside > REACH_M)).tolist():
        message = f"A barrier runs {inside[n]:.2f} m through land allotted to {_said(facts, int(owner[k[n]]))}."
        yield finding("between", message, _named(facts, int(owner[k[n]])), measured=float(inside[n]), unit="m")


def _sums(facts: Facts, allotted_m2: shapes.Floats) -> Iterator[Finding]:
    """Written figures follow: of each parcel, and of each block where they are written."""
    expected = {"between_mu": allotted_m2 / M2_PER_MU, "boundary_mu": facts.area_mu + allotted_m2 / M2_PER_MU}
    for column, value in expected.items():
        if column in facts.parcels:
            written = numbers(facts.parcels[column])
            for i in np.flatnonzero(~(np.abs(written - value) <= AREA_MU + RELATIVE * value)).tolist():
                message = f"{column} of {facts.ids[i]} is {written[i]:.5f}; its land measures {value[i]:.5f} mu."
                yield finding(
                    "between", message, _named(facts, i), measured=float(value[i]), limit=float(written[i]), unit="mu"
                )
        if column in facts.tables.blocks:
            blocks = texts(facts.tables.blocks["block_id"])
            for block, said in zip(blocks, numbers(facts.tables.blocks[column]), strict=True):
                if block in facts.members:
                    total = float(value[facts.members[block]].sum())
                    if not abs(said - total) <= AREA_MU + RELATIVE * total:
                        message = f"{column} of block {block} is {said:.5f}; its parcels sum to {total:.5f} mu."
                        yield finding("between", message, block_id=block, measured=total, limit=float(said), unit="mu")
