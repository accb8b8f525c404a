"""What a user declares about the facts that are joined to the land: overlays, rasters, buildings, firms, areas."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from geodata.spec_base import NonNegative, Share, Spec
from geodata.spec_source import SourceSpec

FieldName = Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$", max_length=60)]
"""Name of a field as expressions use it."""


class OverlaySpec(SourceSpec):
    """A layer laid over the parcels: red lines, development boundary, protected things.

    It gives every parcel two fields, ``<name>_m2`` (overlap, measured in the metric CRS) and ``<name>_share`` (of the
    parcel's area), and a tag also ``<name>`` (text, with `attribute`).
    """

    name: FieldName = Field(description="Name of the overlay: basic_farmland, ecological_redline, hv_corridor …")
    label: str | None = Field(default=None, description="What people read: 永久基本农田; the name when absent.")
    synthetic: bool = Field(
        default=False, description="True: the layer of this name that comes with generated parcels."
    )
    effect: Literal["exclude", "require", "tag"] = Field(
        description="exclude: a parcel that overlaps it beyond the tolerance is kept out of every plan; require: one "
        "that lies outside it beyond the tolerance is; tag: only measured."
    )
    tolerance_m2: NonNegative = Field(
        default=1.0, description="Overlap (require: land outside) up to this area is ignored, m²."
    )
    tolerance_share: Share = Field(
        default=0.0, description="The same as a share of the parcel; the larger of both tolerances counts."
    )
    buffer_m: NonNegative = Field(default=0.0, description="Width of the strip around the features that counts too, m.")
    attribute: str | None = Field(
        default=None, description="Column whose value is given to the parcel (that of the largest overlap)."
    )

    @model_validator(mode="after")
    def _needs_source(self) -> Self:
        if self.has_source == self.synthetic:
            raise ValueError("give either `path` (or `database`) or `synthetic: true`, not both and not neither")
        if self.attribute is not None and self.effect != "tag":
            raise ValueError("`attribute` goes with `effect: tag`")
        return self


class RasterSpec(Spec):
    """A raster turned into one value per parcel, in the raster's own CRS, weighted by the part of each cell covered.

    It gives every parcel the field `field` and ``<field>_coverage`` (share of the parcel with valid cells).
    """

    field: FieldName = Field(description="Field it fills: slope_mean_percent, flood_depth_m, land_cover …")
    path: Path = Field(description="Raster file, relative to the config file.")
    band: Annotated[int, Field(ge=1)] = Field(default=1, description="Band, from 1.")
    derive: Literal["value", "slope_percent", "slope_degrees"] = Field(
        default="value", description="value = the cells as they are; slope_… = slope of an elevation model."
    )
    elevation_unit: Literal["m", "ft"] | None = Field(
        default=None, description="Unit of the heights, for slopes; the raster's own when it says one, else needed."
    )
    statistic: Literal["mean", "min", "max", "median", "majority", "sum"] = Field(
        default="mean", description="majority = the class that covers most (land cover)."
    )
    min_coverage: Share = Field(
        default=0.5, description="A parcel of which a smaller share has valid cells gets an unknown value; listed."
    )
    classes: dict[int, str] = Field(default_factory=dict, description="For majority: class number → name.")

    @model_validator(mode="after")
    def _agree(self) -> Self:
        if self.classes and self.statistic != "majority":
            raise ValueError("`classes` goes with `statistic: majority`")
        if self.statistic == "majority" and self.derive != "value":
            raise ValueError("`statistic: majority` goes with `derive: value`")
        return self


class BuildingsSpec(SourceSpec):
    """Building footprints.

    They give every parcel ``footprint_m2`` (footprints inside it), ``n_buildings``, ``building_density`` (footprint /
    measured parcel area), and with `floors` or `floor_area` also ``building_floor_m2`` and ``far_measured``
    (= building_floor_m2 / measured parcel area; a storey counts once whatever its height unless `height` is given:
    then a storey over 8 m counts twice).
    """

    floors: str | None = Field(default=None, description="Column with the number of storeys.")
    floor_area: str | None = Field(default=None, description="Column with the floor area of the building, m².")
    height: str | None = Field(default=None, description="Column with the building's height, m.")
    missing: tuple[str | int | float, ...] = Field(
        default=(), description="Values that mean 'unknown' besides an empty cell, e.g. [0] storeys."
    )
    min_share: Share = Field(
        default=0.01, description="Parts of a footprint below this share of it in a parcel are digitising noise."
    )

    @model_validator(mode="after")
    def _needs_source(self) -> Self:
        if not self.has_source:
            raise ValueError("give `path` or `database`")
        if self.floors is not None and self.floor_area is not None:
            raise ValueError("give `floors` or `floor_area`, not both")
        if self.height is not None and self.floors is None:
            raise ValueError("`height` goes with `floors`: it says how high a storey is")
        return self


class FirmFieldSpec(Spec):
    """One field of the parcels made from its firms."""

    column: str | None = Field(default=None, description="Column of the firms; none with `agg: count`.")
    unit: str | None = Field(default=None, description="Unit of the column; see the fields of the parcels.")
    agg: Literal["sum", "max", "min", "count"] = Field(default="sum", description="Rule for the firms of a parcel.")
    per_mu: bool = Field(default=False, description="Divide by the measured area of the parcel, mu.")
    missing: tuple[str | int | float, ...] = Field(default=(), description="Values that mean 'unknown'.")
    where: str | None = Field(default=None, description="Column that must be true (是, yes, 1) for a firm to count.")

    @model_validator(mode="after")
    def _column(self) -> Self:
        if (self.agg == "count") != (self.column is None):
            raise ValueError("`column` is needed unless `agg: count`, and only then")
        return self


class FirmsSpec(SourceSpec):
    """Firms as points, or as a table with the ids of their parcels; a firm may stand on many parcels.

    A firm on several parcels is shared out by the parcels' measured areas for sums, and counted in full for counts,
    maxima and minima; the sums over parcels then equal the sums over firms.
    """

    id: str = Field(description="Column with the unified social credit code (18 characters; checked).")
    name: str | None = Field(default=None, description="Column with the firm's name.")
    table: Path | None = Field(default=None, description="CSV or XLSX of firms instead of points.")
    parcel: str | None = Field(
        default=None, description="Column with the parcel id (several separated by ; or 、), with `table`."
    )
    nearest_m: NonNegative = Field(
        default=0.0, description="A point in no parcel goes to the nearest within this distance; listed either way."
    )
    fields: dict[str, FirmFieldSpec] = Field(min_length=1, description="Name of the field → how it is made.")

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        if self.has_source == (self.table is not None):
            raise ValueError("give points (`path` or `database`) or a `table`, not both and not neither")
        if (self.table is not None) != (self.parcel is not None):
            raise ValueError("`table` needs `parcel`, and only it does")
        return self


class AreasSpec(Spec):
    """Which areas are kept apart, and which differences are listed.

    Every parcel has ``area_mu`` (net: measured, projected), ``boundary_mu`` (net + the land between parcels allotted
    to it), ``between_mu``, ``ellipsoidal_mu`` (on the ellipsoid of the CRS), ``cleared_mu`` and ``accepted_mu``.
    """

    between_max_m: NonNegative = Field(
        default=0.0,
        description="Land between parcels (lanes, ditches, verges) up to this width, m, is allotted to the parcels "
        "beside it, each point to the nearest; 0 = none. Barriers are never allotted.",
    )
    certificate: FieldName | None = Field(default=None, description="Field that holds the certificate's area, mu.")
    tolerance_share: Share = Field(
        default=0.05, description="Certificate and measured area that differ by more than this share are listed."
    )
    cleared: str | None = Field(
        default=None,
        description="Cleared area 拆除平整, mu, as an expression over the fields; `boundary_mu` when absent (all "
        "inside the boundary is cleared).",
    )
    accepted: str | None = Field(
        default=None, description="Accepted area 验收, mu, as an expression; `cleared_mu` when absent."
    )
