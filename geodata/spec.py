"""What a user declares about the land data: frozen, unknown keys refused.

These models are the `geodata` part of the configuration; `planner.config` composes them. The text of each
``description`` is shown to users, so it says the unit and the default's meaning.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from geodata.spec_base import NonNegative, Positive, Share, Spec
from geodata.spec_source import CadSpec, DatabaseSpec, SimilaritySpec, SourceSpec

__all__ = [
    "AdjacencySpec",
    "BarrierSpec",
    "CadSpec",
    "DatabaseSpec",
    "FieldSpec",
    "KeySpec",
    "NonNegative",
    "ParcelsSpec",
    "Positive",
    "RepairSpec",
    "Share",
    "SimilaritySpec",
    "SourceSpec",
    "Spec",
    "SyntheticSpec",
    "TableFieldSpec",
    "TableSpec",
    "ZonesSpec",
]


class FieldSpec(Spec):
    """One attribute of a parcel: which column it comes from, in which unit, and what means missing."""

    column: str = Field(description="Column in the source.")
    unit: str | None = Field(
        default=None,
        description="Unit of the column (m2, mu, ha, ft2, m, ft, yuan, wan_yuan, or a ratio such as wan_yuan/mu). "
        "It is converted to the unit that the field's name ends in; without it the column is taken to be in that unit.",
    )
    missing: tuple[str | int | float, ...] = Field(
        default=(), description="Values that mean 'unknown' besides an empty cell, e.g. [0] for a year built."
    )
    type: Literal["auto", "number", "text"] = Field(
        default="auto",
        description="number or text; auto = number where the name or `unit` carries a unit, else as stored.",
    )


class TableFieldSpec(FieldSpec):
    """One attribute taken from a joined table, with the rule for several rows per parcel."""

    agg: Literal["sum", "max", "min", "first", "count", "value_of_max"] = Field(
        default="first",
        description="Rule for many rows per parcel. sum/max/min ignore unknown values (all unknown stays unknown); "
        "count counts rows; value_of_max takes the row with the largest `by`.",
    )
    by: str | None = Field(default=None, description="For value_of_max: the column whose largest value picks the row.")

    @model_validator(mode="after")
    def _by_goes_with_value_of_max(self) -> Self:
        if (self.agg == "value_of_max") != (self.by is not None):
            raise ValueError("`by` is needed with agg: value_of_max, and only there")
        return self


class KeySpec(Spec):
    """The two columns that join a table to the parcels; compared as text."""

    parcels: str = Field(description="Column of the parcel layer.")
    table: str = Field(description="Column of the table.")


class TableSpec(Spec):
    """An attribute table (CSV or XLSX) joined to the parcels."""

    path: Path = Field(description="CSV or XLSX file, relative to the config file.")
    sheet: str | None = Field(default=None, description="Sheet of an XLSX file; the first when absent.")
    header_rows: Annotated[int, Field(ge=1, le=10)] = Field(
        default=1,
        description="Rows of the header; the parts of a header of several rows are joined by '/' (merged cells: their "
        "text stands for each cell they cover).",
    )
    skip_rows: Annotated[int, Field(ge=0)] = Field(default=0, description="Rows above the header (a title).")
    encoding: str | None = Field(default=None, description="Text encoding of a CSV; UTF-8, then GB18030 when absent.")
    key: KeySpec
    fields: dict[str, TableFieldSpec] = Field(
        min_length=1, description="Name used in this configuration → where it comes from."
    )


class SyntheticSpec(Spec):
    """Generated parcels instead of a file; everything made from them is labelled synthetic."""

    case: Literal["qingxi", "guzhen", "guangqing", "xiaolan", "changping", "fabric"] = Field(
        description="qingxi = two circles of 1657 and 2888 mu; guzhen, guangqing, xiaolan, changping = towns with "
        "named sites; fabric = a village fabric of `n_parcels`."
    )
    seed: int = Field(default=2023, ge=0, description="Same seed, same land.")
    n_parcels: int = Field(default=1000, ge=12, le=2_000_000, description="Only for fabric.")


class ParcelsSpec(SourceSpec):
    """Where the parcels come from and what their columns mean."""

    synthetic: SyntheticSpec | None = Field(default=None, description="Generated parcels instead of `path`.")
    metric_crs: str | None = Field(
        default=None,
        description="Projected CRS in metres for measuring; by rule when absent (CGCS2000 3-degree zone in China, "
        "UTM elsewhere).",
    )
    id: str = Field(description="Column with the parcel id: unique, read as text.")
    fields: dict[str, FieldSpec] = Field(
        default_factory=dict,
        description="Name used in this configuration → where it comes from; free but for the plan's own names.",
    )

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        if self.has_source == (self.synthetic is not None):
            raise ValueError("give either `path` (or `database`) or `synthetic`, not both and not neither")
        return self


class ZonesSpec(SourceSpec):
    """Zones (circles, parks, villages) with targets of their own: a field of the parcels, or polygons."""

    field: str | None = Field(default=None, description="Parcel field that holds the zone's name.")
    path: Path | None = Field(default=None, description="Polygon file; a parcel is in the zone with most of its area.")
    synthetic: bool = Field(default=False, description="The zones that come with the generated parcels.")
    name: str = Field(default="name", description="Column of the polygons that holds the zone's name.")

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        if (self.field is not None) + self.has_source + self.synthetic != 1:
            raise ValueError("give exactly one of `field`, `path` and `synthetic: true`")
        return self


class BarrierSpec(SourceSpec):
    """Lines or polygons that cut contiguity: arterials, canals, rivers, railways."""

    name: str = Field(description="Name shown on the map; of a generated barrier, which one.")
    path: Path | None = Field(default=None, description="Line or polygon file.")
    synthetic: bool = Field(default=False, description="The barriers that come with the generated parcels.")

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        if self.has_source == self.synthetic:
            raise ValueError("give either `path` (or `database`) or `synthetic: true`")
        return self


class RepairSpec(Spec):
    """Tolerances of the geometry repair. Every change is logged by parcel id."""

    sliver_max_m2: NonNegative = Field(
        default=1.0, description="Pieces of a parcel up to this area are dropped and logged."
    )
    overlap_tolerance_m2: NonNegative = Field(
        default=1.0,
        description="Overlaps up to this area count as digitising noise; they are cut and logged all the same.",
    )
    duplicate_share: Annotated[float, Field(gt=0.5, le=1)] = Field(
        default=0.95,
        description="Two parcels that share at least this part of both their areas are one parcel stored twice: "
        "the one whose id comes first as text is kept, the other dropped and logged.",
    )
    gap_max_m: Annotated[float, Field(ge=0, le=5)] = Field(
        default=0.05,
        description="Gaps between parcels up to this width, m, are digitising noise: closed and logged. Lanes are not "
        "gaps; 0 = none.",
    )
    snap_m: Annotated[float, Field(ge=0, le=1)] = Field(
        default=0.0,
        description="Corners closer than this to another parcel's boundary, m, are moved onto it, where the parcels do "
        "not meet cleanly; nothing moves further; 0 = nothing moves.",
    )
    multipart: Literal["keep", "split", "refuse"] = Field(
        default="keep",
        description="A parcel of several parts is kept as one, split into parcels id#1, id#2 … (fields whose name ends "
        "in an amount, such as _m2, _mu, _yuan, are divided by area, all others copied; listed), or an error.",
    )


class AdjacencySpec(Spec):
    """When two parcels count as neighbours."""

    min_shared_m: Positive = Field(default=3.0, description="Least shared boundary, m, after barriers are cut out.")
    bridge_max_m: NonNegative = Field(
        default=12.0, description="Widest gap, m, over which a link may bridge a lane; 0 = no bridges."
    )
    bridge_min_facing_m: NonNegative = Field(
        default=3.0,
        description="Least length, m, over which two parcels face each other across a lane for a link to bridge it.",
    )
    barrier_tolerance_m: NonNegative = Field(
        default=1.0, description="Boundary within this distance of a barrier, m, is not shared."
    )
    touch_tolerance_m: Annotated[float, Field(gt=0, le=0.5)] = Field(
        default=0.05, description="Boundaries closer than this, m, coincide (digitising noise)."
    )
