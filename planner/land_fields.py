"""Fields made of overlays, rasters, buildings and firms, and the rules that overlays imply."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from geodata.spec_land import BuildingsSpec, OverlaySpec
from planner.config import Config, ExcludeSpec, ScoringSpec

MEASURED: Final = (
    "area_m2",
    "area_mu",
    "between_mu",
    "boundary_mu",
    "ellipsoidal_mu",
    "cleared_mu",
    "accepted_mu",
    "perimeter_m",
    "zone",
)
"""Fields that every parcel has."""


def joined_fields(config: Config) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """Fields besides the mapped and the measured ones: the key that makes each, and its name."""
    for k, overlay in enumerate(config.overlays):
        names = [f"{overlay.name}_m2", f"{overlay.name}_share", *([overlay.name] if overlay.attribute else [])]
        yield from ((("overlays", k, "name"), name) for name in names)
    for k, raster in enumerate(config.rasters):
        yield from ((("rasters", k, "field"), name) for name in (raster.field, f"{raster.field}_coverage"))
    if config.buildings is not None:
        yield from ((("buildings",), name) for name in building_fields(config.buildings))
    if config.firms is not None:
        yield from ((("firms", "fields", name), name) for name in config.firms.fields)


def building_fields(spec: BuildingsSpec) -> tuple[str, ...]:
    """Names of the fields that building footprints give."""
    floors = ("building_floor_m2", "far_measured") if spec.floors or spec.floor_area else ()
    return ("footprint_m2", "n_buildings", "building_density", *floors)


def overlay_rule(spec: OverlaySpec) -> ExcludeSpec | None:
    """The exclusion that an overlay stands for; None for a tag.

    Overlap (of a required overlay: land outside it) beyond both tolerances, ``tolerance_m2`` and ``tolerance_share`` of
    the parcel, keeps the parcel out.
    """
    title = spec.label or spec.name
    if spec.effect == "exclude":
        when = f"{spec.name}_m2 > {spec.tolerance_m2!r} and {spec.name}_share > {spec.tolerance_share!r}"
        return ExcludeSpec(name=f"on {title}", when=when)
    if spec.effect == "require":
        when = f"area_m2 - {spec.name}_m2 > {spec.tolerance_m2!r} and 1 - {spec.name}_share > {spec.tolerance_share!r}"
        return ExcludeSpec(name=f"outside {title}", when=when)
    return None


def scoring_of(config: Config) -> ScoringSpec:
    """The scoring section with the exclusions of the overlays after its own."""
    implied = [rule for spec in config.overlays if (rule := overlay_rule(spec)) is not None]
    return config.scoring.model_copy(update={"exclude": (*config.scoring.exclude, *implied)})
