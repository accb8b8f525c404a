"""The plan as layers for other programs: what `geodata.write` puts into GeoJSON and GeoPackage."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields

import geopandas as gpd

from planner.codes import CODE_COLUMN
from planner.tables import BLOCK_COLUMNS, PARCEL_COLUMNS, PlanTables


def parcels_geojson(tables: PlanTables) -> gpd.GeoDataFrame:
    """Every parcel with just the columns of ``plan.geojson`` (``mode`` too, with modes), in the plan's metric CRS."""
    return _only(tables.parcels, PARCEL_COLUMNS)


def blocks_geojson(tables: PlanTables) -> gpd.GeoDataFrame:
    """Every block with just the columns of ``blocks.geojson`` (with modes ``mode`` too), in the plan's metric CRS."""
    return _only(tables.blocks, BLOCK_COLUMNS)


def gpkg_layers(tables: PlanTables) -> dict[str, gpd.GeoDataFrame]:
    """Layers of ``plan.gpkg`` by name, all in the plan's metric CRS; parcels with all their columns."""
    return {field.name: _placed(getattr(tables, field.name), tables) for field in fields(tables)}


def _placed(layer: gpd.GeoDataFrame, tables: PlanTables) -> gpd.GeoDataFrame:
    """A layer that may be absent: then without rows, in the plan's CRS."""
    return layer.copy() if layer.crs is not None else layer.set_crs(tables.parcels.crs)


def _only(frame: gpd.GeoDataFrame, columns: Sequence[str]) -> gpd.GeoDataFrame:
    further = [name for name in ("mode", CODE_COLUMN) if name in frame]
    chosen: gpd.GeoDataFrame = frame[[*columns, *further, frame.geometry.name]].copy()
    return chosen
