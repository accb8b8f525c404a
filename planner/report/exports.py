"""The plan as layers for other programs: what `geodata.write` puts into GeoJSON and GeoPackage."""

from __future__ import annotations

from collections.abc import Sequence

import geopandas as gpd

from planner.tables import BLOCK_COLUMNS, PARCEL_COLUMNS, PlanTables


def parcels_geojson(tables: PlanTables) -> gpd.GeoDataFrame:
    """Every parcel with exactly the columns of ``plan.geojson``, in the plan's metric CRS."""
    return _only(tables.parcels, PARCEL_COLUMNS)


def blocks_geojson(tables: PlanTables) -> gpd.GeoDataFrame:
    """Every block with exactly the columns of ``blocks.geojson``, in the plan's metric CRS."""
    return _only(tables.blocks, BLOCK_COLUMNS)


def gpkg_layers(tables: PlanTables) -> dict[str, gpd.GeoDataFrame]:
    """Layers of ``plan.gpkg`` by name, all in the plan's metric CRS; parcels with all their columns."""
    return {
        "parcels": tables.parcels.copy(),
        "blocks": tables.blocks.copy(),
        "zones": tables.zones.copy(),
        "links": tables.links.copy(),
        "barriers": tables.barriers.copy(),
        "repair_log": tables.repair_log.copy(),
    }


def _only(frame: gpd.GeoDataFrame, columns: Sequence[str]) -> gpd.GeoDataFrame:
    chosen: gpd.GeoDataFrame = frame[[*columns, frame.geometry.name]].copy()
    return chosen
