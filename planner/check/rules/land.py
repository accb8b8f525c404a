"""Rules about the land itself: coordinates, geometry, areas, zones."""

from __future__ import annotations

import numpy as np
import pyproj
import shapely

from geodata.errors import list_ids
from geodata.units import M2_PER_MU
from planner.check.columns import numbers, texts
from planner.check.facts import Facts
from planner.check.model import LAYERS, Finding
from planner.check.outcome import Outcome, finding
from planner.check.tolerances import OVERLAP_M2, RELATIVE


def _crs_fault(crs: pyproj.CRS | None) -> str | None:
    if crs is None:
        return "has no coordinate reference system"
    if not crs.is_projected:
        return f"is in {crs.name}, which is not projected"
    units = {axis.unit_conversion_factor for axis in crs.axis_info}
    if units != {1.0}:
        return f"is in {crs.name}, whose unit is not the metre"
    operation = crs.coordinate_operation
    if operation is not None and "Pseudo Mercator" in operation.method_name:
        return f"is in {crs.name}, which must not be used for measuring"
    return None


def crs(facts: Facts) -> Outcome:
    """Every layer is in the same projected CRS in metres, the configured one where one is configured."""
    findings = []
    wanted = facts.config.parcels.metric_crs
    reference = pyproj.CRS.from_user_input(wanted) if wanted else facts.parcels.crs
    for layer in LAYERS:
        found = getattr(facts.tables, layer).crs
        fault = _crs_fault(found)
        if fault is None and not (reference and reference.equals(found, ignore_axis_order=True)):
            expected = "parcels.metric_crs" if wanted else "the layer parcels"
            fault = f"is in {found.name}, but {expected} is {reference.name if reference else 'without any'}"
        if fault is not None:
            findings.append(finding("crs", f"Layer {layer} {fault}."))
    return Outcome(len(LAYERS), findings)


def geometry(facts: Facts) -> Outcome:
    """Every parcel is a valid polygon, and ``area_mu`` is its measured area (relative 1e-6)."""
    findings: list[Finding] = []
    raw = np.array(facts.parcels.geometry.to_numpy(), dtype=object)
    polygonal = np.isin(shapely.get_type_id(raw), (3, 6)) & ~shapely.is_empty(raw)
    broken = polygonal & ~shapely.is_valid(raw)
    if (~polygonal).any():
        ids = facts.named(np.flatnonzero(~polygonal))
        findings.append(finding("geometry", f"{len(ids)} parcels have no polygon: {list_ids(ids)}.", ids))
    for i in np.flatnonzero(broken):
        why = shapely.is_valid_reason(raw[i])
        findings.append(finding("geometry", f"Parcel {facts.ids[i]} is not valid: {why}.", (facts.ids[i],)))
    written = numbers(facts.parcels["area_mu"])
    for i in np.flatnonzero(polygonal & ~broken & ~(np.abs(written - facts.area_mu) <= RELATIVE * facts.area_mu)):
        message = f"Parcel {facts.ids[i]}: area_mu is {written[i]:.6f}, its polygon measures {facts.area_mu[i]:.6f} mu."
        findings.append(
            finding(
                "geometry",
                message,
                (facts.ids[i],),
                measured=float(facts.area_mu[i]),
                limit=float(written[i]),
                unit="mu",
            )
        )
    return Outcome(facts.n, findings, {"study_area_mu": float(facts.area_mu.sum())})


def overlap(facts: Facts) -> Outcome:
    """No two parcels overlap by more than 0.01 m²."""
    left, right = shapely.STRtree(facts.shape).query(facts.shape, predicate="intersects")
    once = left < right
    left, right = left[once], right[once]
    low = np.maximum(*(shapely.bounds(facts.shape[side])[:, :2] for side in (left, right)))
    high = np.minimum(*(shapely.bounds(facts.shape[side])[:, 2:] for side in (left, right)))
    possible = np.prod(high - low, axis=1) > OVERLAP_M2  # as far as their bounding boxes tell
    left, right = left[possible], right[possible]
    area = shapely.area(shapely.intersection(facts.shape[left], facts.shape[right]))
    findings = []
    for k in np.flatnonzero(area > OVERLAP_M2):
        ids = facts.named([left[k], right[k]])
        message = f"Parcels {ids[0]} and {ids[1]} overlap by {area[k]:.3f} m² ({area[k] / M2_PER_MU:.5f} mu)."
        findings.append(finding("overlap", message, ids, measured=float(area[k]), limit=OVERLAP_M2, unit="m2"))
    return Outcome(facts.n, findings)


def zone(facts: Facts) -> Outcome:
    """The zone of a parcel is its field, or the polygon with most of its area; without zones there is none."""
    findings = []
    for i, (written, accepted) in enumerate(zip(texts(facts.parcels["zone"]), facts.zone_accepted, strict=True)):
        if written not in accepted:
            rebuilt = " or ".join(sorted(z or "no zone" for z in accepted))
            message = f"Parcel {facts.ids[i]} is said to lie in {written or 'no zone'}; it lies in {rebuilt}."
            findings.append(finding("zone", message, (facts.ids[i],)))
    return Outcome(facts.n, findings)
