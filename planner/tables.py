"""The finished plan as tables: what every report and the independent check are made from."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

import geopandas as gpd

PARCEL_COLUMNS: Final = (
    "parcel_id",
    "area_mu",
    "score",
    "status",
    "role",
    "reason",
    "locked",
    "block_id",
    "phase",
    "zone",
)
"""Columns of every parcel in ``plan.geojson``, in this order."""

BLOCK_COLUMNS: Final = (
    "block_id",
    "phase",
    "zone",
    "area_mu",
    "n_parcels",
    "score_mean",
    "cost",
    "perimeter_m",
    "compactness",
    "bridged_links",
)
"""Columns of every block in ``blocks.geojson``, in this order."""

LINK_COLUMNS: Final = ("parcel_a", "parcel_b", "gap_m")


BETWEEN_COLUMNS: Final = ("parcel_id", "area_m2")
OVERLAY_COLUMNS: Final = ("overlay", "effect", "tolerance_m2", "tolerance_share")
OVERLAP_COLUMNS: Final = ("parcel_id", "overlay", "overlap_m2", "share", "attribute")
CUT_LINK_COLUMNS: Final = ("parcel_a", "parcel_b", "shared_m", "gap_m", "facing_m", "reason", "by")
QUALITY_COLUMNS: Final = ("finding", "to_fix", "parcel_id", "area_mu")
HOLDOUT_COLUMNS: Final = (
    "parcel_id",
    "block_id",
    "phase",
    "area_mu",
    "lost_mu",
    "worth_lost",
    "breaks",
    "kind",
)
LEFTOVER_COLUMNS: Final = ("leftover_id", "area_mu", "n_parcels", "blocks", "enclosed_share", "parcels")


def _nothing() -> gpd.GeoDataFrame:
    return gpd.GeoDataFrame(geometry=[])


@dataclass(frozen=True)
class PlanTables:
    """Layers of a plan, all in one metric CRS, none ever mutated.

    Attributes
    ----------
    parcels : geopandas.GeoDataFrame
        One row per parcel (also the unselected), default integer index. `PARCEL_COLUMNS` first:
        ``parcel_id`` str · ``area_mu`` float, measured in the projected CRS · ``score`` float in [0, 1] or NaN ·
        ``status`` one of selected, eligible, ineligible, excluded · ``role`` candidate, filler or None ·
        ``reason`` str, why it is in or out · ``locked`` 'in', 'out', 'by <phase id>' or None · ``block_id`` str or
        None · ``phase`` nullable Int64, 1-based · ``zone`` str or None.
        Then ``cost`` (float, currency; NaN where unknown; absent without a cost), ``benefit``, ``perimeter_m``,
        ``earliest_phase`` (Int64; null = never), ``forced_loss`` (float, currency; NaN where unknown: what the plan
        loses at most with the parcel forced in or out against it, below 0 where it gains), ``note`` (str or None:
        remark of the planner), and every mapped and derived field of the configuration.
    blocks : geopandas.GeoDataFrame
        One row per block, `BLOCK_COLUMNS` (``cost`` NaN without a cost), geometry = union of the block's parcels.
    zones : geopandas.GeoDataFrame
        ``zone`` and geometry (the polygons given, or the union of the parcels of each name); may be empty.
    links : geopandas.GeoDataFrame
        Bridged links, `LINK_COLUMNS` plus ``used`` (bool: both ends in one block); geometry = the shortest line.
    barriers : geopandas.GeoDataFrame
        ``name`` and geometry; may be empty.
    repair_log : geopandas.GeoDataFrame
        What was changed in the input; see `geodata.repair`.
    between : geopandas.GeoDataFrame
        `BETWEEN_COLUMNS`: land between parcels and the parcel that it is allotted to; may be empty, as all that follow.
    overlays : geopandas.GeoDataFrame
        `OVERLAY_COLUMNS`: features of the overlays near the land, with their strips.
    overlaps : geopandas.GeoDataFrame
        `OVERLAP_COLUMNS`: which ground of which parcel lies on which overlay.
    cut_links : geopandas.GeoDataFrame
        `CUT_LINK_COLUMNS`: pairs that touch, or lie near enough for a bridged link, and are no neighbours, and why;
        a line between points inside them.
    data_quality : geopandas.GeoDataFrame
        `QUALITY_COLUMNS`: a row per finding and parcel, a point in the parcel.
    holdouts : geopandas.GeoDataFrame
        `HOLDOUT_COLUMNS`: parcels of the plan whose refusal takes down more than their own land or breaks a target, a
        limit or another rule for plans; see `planner.consequences.holdouts`. ``phase`` int64, 1-based, ``breaks`` str
        or None (what breaks, joined by '; '), ``kind`` free, locked or fixed.
    leftovers : geopandas.GeoDataFrame
        `LEFTOVER_COLUMNS`: connected land beside the blocks, too small to become a block later; see
        `planner.leftovers`. ``blocks`` and ``parcels`` are ids joined by ', '; geometry = union of the parcels.
    """

    parcels: gpd.GeoDataFrame
    blocks: gpd.GeoDataFrame
    zones: gpd.GeoDataFrame
    links: gpd.GeoDataFrame
    barriers: gpd.GeoDataFrame
    repair_log: gpd.GeoDataFrame
    between: gpd.GeoDataFrame = field(default_factory=_nothing)
    overlays: gpd.GeoDataFrame = field(default_factory=_nothing)
    overlaps: gpd.GeoDataFrame = field(default_factory=_nothing)
    cut_links: gpd.GeoDataFrame = field(default_factory=_nothing)
    data_quality: gpd.GeoDataFrame = field(default_factory=_nothing)
    holdouts: gpd.GeoDataFrame = field(default_factory=_nothing)
    leftovers: gpd.GeoDataFrame = field(default_factory=_nothing)
