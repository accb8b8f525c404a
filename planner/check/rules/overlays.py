"""Rule about red lines: no land in the plan that an overlay keeps out."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import geopandas as gpd
import numpy as np
import shapely

from geodata.errors import list_ids
from geodata.spec_land import OverlaySpec
from geodata.units import M2_PER_MU
from planner.check import shapes
from planner.check.columns import measurable, numbers, texts
from planner.check.facts import Facts
from planner.check.model import Finding
from planner.check.outcome import Outcome, finding
from planner.check.tolerances import OVERLAP_M2, RELATIVE

LAYER: Final = "overlays"
"""Layer of the features as they were measured: ``overlay``, ``effect``, ``tolerance_m2``, ``tolerance_share``."""
COLUMNS: Final = ("overlay", "effect", "tolerance_m2", "tolerance_share")


def overlays(facts: Facts) -> Outcome:
    """No parcel in the plan overlaps an excluding overlay, or lies outside a required one, beyond its tolerance.

    The tolerance is that of the configuration, max(``tolerance_m2``, ``tolerance_share`` · measured area), + 0.01 m².
    What the layer says of itself must be the configuration.
    """
    layer: gpd.GeoDataFrame = getattr(facts.tables, LAYER)
    if not len(layer):  # then its columns may be missing
        layer = gpd.GeoDataFrame({name: [] for name in COLUMNS}, geometry=gpd.GeoSeries([], crs=facts.parcels.crs))
    specs = [spec for spec in facts.config.overlays if spec.effect != "tag"]
    findings = list(_written_faults(layer, facts.config.overlays))
    measured = {}
    taken = np.flatnonzero(facts.selected)
    for spec in specs:
        wrong = _wrong_m2(facts.shape[taken], layer, spec)
        measured[f"{spec.name}_m2"] = float(wrong.sum())
        findings += _breaches(facts, taken, wrong, spec)
    return Outcome(len(specs) * len(taken), findings, measured)


def expected(facts: Facts) -> int:
    """Parcels in the plan times overlays that judge them."""
    judging = sum(spec.effect in {"exclude", "require"} for spec in facts.config.overlays)
    return judging * int(facts.parcels["block_id"].notna().sum())


def _wrong_m2(parcels: shapes.Geometries, layer: gpd.GeoDataFrame, spec: OverlaySpec) -> shapes.Floats:
    """Ground of each parcel where it must not lie, m²: against the union of the overlay's features."""
    mine = np.array([name == spec.name for name in texts(layer["overlay"])], dtype=bool)
    ground = shapely.get_parts(shapely.union_all(measurable(layer[mine])))
    shapely.prepare(ground)
    part, near = shapely.STRtree(parcels).query(ground, predicate="intersects")
    whole = shapely.covers(ground[part], parcels[near])
    common = np.zeros(len(near))
    common[whole] = shapely.area(parcels[near[whole]])
    common[~whole] = shapely.area(shapely.intersection(parcels[near[~whole]], ground[part[~whole]]))
    within = np.bincount(near, weights=common, minlength=len(parcels)).astype(float)
    return within if spec.effect == "exclude" else np.asarray(shapely.area(parcels) - within)


def _breaches(facts: Facts, taken: shapes.Ints, wrong_m2: shapes.Floats, spec: OverlaySpec) -> Iterator[Finding]:
    tolerance = np.maximum(spec.tolerance_m2, spec.tolerance_share * facts.area_mu[taken] * M2_PER_MU)
    label = spec.label or spec.name
    does = f"overlaps {label} by" if spec.effect == "exclude" else f"lies outside {label} by"
    for k in np.flatnonzero(wrong_m2 > tolerance + OVERLAP_M2):
        parcel, block = facts.ids[taken[k]], facts.block_of[taken[k]]
        message = f"Parcel {parcel} is in the plan, but {does} {wrong_m2[k]:.2f} m²; {tolerance[k]:.2f} m² are allowed."
        yield finding(
            "overlays",
            message,
            (parcel,),
            block_id=block,
            measured=float(wrong_m2[k]),
            limit=float(tolerance[k]),
            unit="m2",
        )


def _written_faults(layer: gpd.GeoDataFrame, specs: tuple[OverlaySpec, ...]) -> Iterator[Finding]:
    """Where the layer names an overlay, an effect or a tolerance that the configuration does not."""
    named = {spec.name: spec for spec in specs}
    names, effects = texts(layer["overlay"]), texts(layer["effect"])
    stated = zip(names, effects, numbers(layer["tolerance_m2"]), numbers(layer["tolerance_share"]), strict=True)
    unknown = sorted({name or "(no name)" for name in names if name not in named})
    if unknown:
        message = f"The layer {LAYER} holds {list_ids(unknown)}, which the configuration does not name."
        yield finding("overlays", message)
    different = set()
    for name, effect, m2, share in stated:
        spec = named.get(name or "")
        if spec is not None and not (
            effect == spec.effect
            and abs(m2 - spec.tolerance_m2) <= RELATIVE * max(1.0, spec.tolerance_m2)
            and abs(share - spec.tolerance_share) <= RELATIVE
        ):
            different.add(spec.name)
    for name in sorted(different):
        spec = named[name]
        allowed = f"{spec.tolerance_m2:g} m², {spec.tolerance_share:g}"
        message = f"The layer {LAYER} gives {name} another effect or tolerance than the configuration: {spec.effect}, "
        yield finding("overlays", f"{message}{allowed}.")
