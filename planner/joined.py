"""What overlays, rasters, buildings and firms say of the parcels: read in the parcels' CRS and joined as fields."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import geopandas as gpd
import pandas as pd

from geodata.buildings import building_fields
from geodata.errors import Issue, list_ids
from geodata.firms import firm_fields
from geodata.notes import SourceNote
from geodata.overlay import OverlayResult, overlay_fields
from geodata.read import read_declared_layer
from geodata.spec_land import FirmsSpec
from geodata.tables import read_table
from geodata.zonal import raster_field
from planner.config import Config
from planner.errors import ConfigError
from planner.tables import OVERLAP_COLUMNS, OVERLAY_COLUMNS


@dataclass(frozen=True, eq=False)
class JoinedFacts:
    """Facts from other layers.

    Attributes
    ----------
    fields : pandas.DataFrame
        Index and order of the parcels; `planner.land_fields.joined_fields` names the columns.
    overlays : geopandas.GeoDataFrame
        Features of all overlays, see `planner.tables.OVERLAY_COLUMNS`.
    overlaps : geopandas.GeoDataFrame
        What of them lies on parcels, see `planner.tables.OVERLAP_COLUMNS`.
    firms : pandas.DataFrame or None
        Which firm stands on which parcel with which share.
    notes : tuple of SourceNote
        Everything done and noticed.
    """

    fields: pd.DataFrame
    overlays: gpd.GeoDataFrame
    overlaps: gpd.GeoDataFrame
    firms: pd.DataFrame | None
    notes: tuple[SourceNote, ...]


def join_facts(config: Config, parcels: gpd.GeoDataFrame, generated: gpd.GeoDataFrame | None = None) -> JoinedFacts:
    """Read and join everything that the configuration lays over the parcels.

    Parameters
    ----------
    config : Config
    parcels : geopandas.GeoDataFrame
        Repaired, in the metric CRS, index ``parcel_id``.
    generated : geopandas.GeoDataFrame, optional
        Overlays that come with generated parcels: ``name`` and polygon.

    Raises
    ------
    DataError, CrsError
        A source that cannot be read, or does not fit.
    ConfigError
        The name of a generated overlay that does not exist.
    """
    drawn = _generated_overlays(config, parcels, generated)
    overlays: list[OverlayResult] = []
    parts: list[pd.DataFrame] = []
    notes: list[SourceNote] = []
    for spec in config.overlays:
        if spec.synthetic:
            features = drawn[spec.name]
        else:
            layer = read_declared_layer(spec, parcels.crs, "overlays", "any")
            features = layer.gdf
            notes += layer.notes
        result = overlay_fields(parcels, features, spec)
        overlays.append(result)
        parts.append(result.fields)
        notes += result.notes
    for raster in config.rasters:
        values = raster_field(parcels, raster)
        parts.append(values.fields)
        notes += values.notes
    if config.buildings is not None:
        layer = read_declared_layer(config.buildings, parcels.crs, "buildings", "polygons")
        built = building_fields(parcels, layer.gdf, config.buildings)
        parts.append(built.fields)
        notes += [*layer.notes, *built.notes]
    firms = None
    if config.firms is not None:
        found, more = _firms(config.firms, parcels)
        stood = firm_fields(parcels, found, config.firms)
        firms = stood.firms
        parts.append(stood.fields)
        notes += [*more, *stood.notes]
    fields = pd.concat(parts, axis="columns") if parts else pd.DataFrame(index=parcels.index)
    return JoinedFacts(
        fields,
        _stacked([o.features for o in overlays], OVERLAY_COLUMNS, parcels.crs),
        _stacked([o.overlap for o in overlays], OVERLAP_COLUMNS, parcels.crs),
        firms,
        tuple(notes),
    )


def _generated_overlays(
    config: Config, parcels: gpd.GeoDataFrame, generated: gpd.GeoDataFrame | None
) -> dict[str, gpd.GeoDataFrame]:
    """Generated overlays that the configuration names, in the parcels' CRS, by name."""
    wanted = [(k, spec.name) for k, spec in enumerate(config.overlays) if spec.synthetic]
    if not wanted:
        return {}
    assert generated is not None
    known = sorted(generated["name"])
    lost = [
        Issue(
            f"overlays[{k}].name",
            f"no generated overlay {name!r}",
            f"one of: {list_ids(known)}" if known else "no overlay: this land has none",
            "Correct the name." if known else "Leave the overlay out.",
        )
        for k, name in wanted
        if name not in known
    ]
    if lost:
        raise ConfigError(lost)
    layer = generated.to_crs(parcels.crs)
    return {name: layer[layer["name"] == name].reset_index(drop=True) for _, name in wanted}


def _firms(spec: FirmsSpec, parcels: gpd.GeoDataFrame) -> tuple[pd.DataFrame, Sequence[SourceNote]]:
    if spec.table is not None:
        return read_table(spec.table), ()
    layer = read_declared_layer(spec, parcels.crs, "firms", "points")
    return layer.gdf, layer.notes


def _stacked(layers: Sequence[gpd.GeoDataFrame], columns: Sequence[str], crs: Any) -> gpd.GeoDataFrame:
    if not layers:
        return gpd.GeoDataFrame({name: [] for name in columns}, geometry=gpd.GeoSeries([], crs=crs), crs=crs)
    return gpd.GeoDataFrame(pd.concat(layers, ignore_index=True), crs=crs)


def joined_files(config: Config) -> Iterator[Path]:
    """Files that `join_facts` reads."""
    sources = [*config.overlays, *config.rasters, *(s for s in (config.buildings, config.firms) if s is not None)]
    yield from (source.path for source in sources if source.path is not None)
    if config.firms is not None and config.firms.table is not None:
        yield config.firms.table
