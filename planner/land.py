"""The land of a run: read, repaired, measured, zoned, with barriers and adjacency. Everything before policy."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

import geopandas as gpd
import pandas as pd
import shapely

from geodata.adjacency import Adjacency, build_adjacency, perimeter_m
from geodata.barrier_index import empty_barriers
from geodata.crs import choose_metric_crs, to_metric
from geodata.errors import DataError, Issue, list_ids
from geodata.hashing import hash_files
from geodata.parcels import RawParcels, parcels_from_frame, read_parcels
from geodata.read import read_layer
from geodata.repair import RepairResult, repair
from geodata.synthetic import SyntheticLand, generate
from geodata.units import M2_PER_MU
from geodata.zones import ZoneAssignment, assign_zones, zones_from_field
from planner.config import Config
from planner.errors import ConfigError
from planner.progress import ProgressReport


@dataclass(frozen=True)
class Land:
    """Facts about the land of one run; nothing of it is judged yet.

    Attributes
    ----------
    raw : RawParcels
        As read.
    repaired : RepairResult
        After repair, in the metric CRS.
    fields : pandas.DataFrame
        Mapped fields, then ``area_m2``, ``area_mu``, ``perimeter_m`` (measured in the metric CRS) and ``zone``,
        indexed by ``parcel_id``.
    zones : ZoneAssignment or None
        None without zones.
    barriers : geopandas.GeoDataFrame
        ``name`` and geometry.
    adjacency : Adjacency
        In the order of the parcels.
    input_hash : str
        SHA-256 over all input files, or over the generated land.
    """

    raw: RawParcels
    repaired: RepairResult
    fields: pd.DataFrame
    zones: ZoneAssignment | None
    barriers: gpd.GeoDataFrame
    adjacency: Adjacency
    input_hash: str

    @property
    def parcels(self) -> gpd.GeoDataFrame:
        """Parcels with their geometry, indexed by ``parcel_id``."""
        return self.repaired.parcels


def prepare(config: Config, progress: ProgressReport) -> Land:
    """Read and prepare everything the configuration names.

    Raises
    ------
    DataError, CrsError
        Anything wrong with the input.
    ConfigError
        The name of a generated barrier that does not exist.
    """
    progress.stage("read")
    generated = None if config.parcels.synthetic is None else generate(config.parcels.synthetic)
    if generated is None:
        raw = read_parcels(config.parcels, config.tables)
    else:
        raw = parcels_from_frame(generated.parcels, config.parcels, config.tables, "generated parcels (synthetic)")
    metric = choose_metric_crs(raw.gdf, config.parcels.metric_crs)
    projected = to_metric(raw.gdf, metric)
    progress.done(f"{len(projected)} parcels from {raw.source}, measured in {metric.name}")

    progress.stage("repair")
    repaired = repair(projected, config.repair)
    parcels = repaired.parcels
    if parcels.empty:
        raise DataError(
            Issue(raw.source, "no parcel left after repair", "polygons", "See the log of `planner validate`.")
        )
    progress.done(f"{len(repaired.changes)} changes, {len(projected) - len(parcels)} parcels dropped")

    progress.stage("adjacency")
    barriers = _barriers(config, generated, parcels)
    zones = _zones(config, generated, parcels)
    adjacency = build_adjacency(parcels, config.adjacency, barriers)
    progress.done(f"{len(adjacency.pairs)} adjacent pairs, {len(adjacency.link_pairs)} bridged links")
    return Land(
        raw, repaired, _measured(parcels, zones), zones, barriers, adjacency, _input_hash(config, raw, generated)
    )


def _measured(parcels: gpd.GeoDataFrame, zones: ZoneAssignment | None) -> pd.DataFrame:
    fields = pd.DataFrame(parcels.drop(columns=parcels.geometry.name))
    area_m2 = pd.Series(shapely.area(parcels.geometry.to_numpy()), index=parcels.index)
    zone = pd.Series(None, index=parcels.index, dtype="object") if zones is None else zones.zone
    return fields.assign(area_m2=area_m2, area_mu=area_m2 / M2_PER_MU, perimeter_m=perimeter_m(parcels), zone=zone)


def _barriers(config: Config, generated: SyntheticLand | None, parcels: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    layers = []
    for k, spec in enumerate(config.barriers):
        if spec.path is not None:
            layer = read_layer(spec.path, metric_crs=parcels.crs, what="barriers", layer=spec.layer, crs=spec.crs)
            shapes = layer.geometry
        else:
            assert generated is not None
            known = generated.barriers
            shapes = known.geometry[known["name"] == spec.name].to_crs(parcels.crs)
            if shapes.empty:
                raise ConfigError(
                    Issue(
                        f"barriers[{k}].name",
                        f"no generated barrier {spec.name!r}",
                        f"one of: {list_ids(sorted(known['name'].unique()))}",
                        "Correct the name.",
                    )
                )
        layers.append(
            gpd.GeoDataFrame({"name": spec.name}, index=range(len(shapes)), geometry=list(shapes), crs=parcels.crs)
        )
    if not layers:
        return empty_barriers(parcels.crs)
    return gpd.GeoDataFrame(pd.concat(layers, ignore_index=True), crs=parcels.crs)


def _zones(config: Config, generated: SyntheticLand | None, parcels: gpd.GeoDataFrame) -> ZoneAssignment | None:
    spec = config.zones
    if spec is None:
        return None
    if spec.field is not None:
        return zones_from_field(parcels, spec.field)
    if spec.path is not None:
        polygons = read_layer(spec.path, metric_crs=parcels.crs, what="zones", layer=spec.layer, crs=spec.crs)
        return assign_zones(parcels, polygons, spec.name)
    assert generated is not None
    return assign_zones(parcels, generated.zones.to_crs(parcels.crs), "name")


def _input_hash(config: Config, raw: RawParcels, generated: SyntheticLand | None) -> str:
    files: list[Path] = list(raw.input_files)
    files += [config.zones.path] if config.zones is not None and config.zones.path is not None else []
    files += [b.path for b in config.barriers if b.path is not None]
    digest = hashlib.sha256(hash_files(files).encode("ascii") if files else b"")
    if generated is not None:
        for shape in shapely.to_wkb(generated.parcels.geometry.to_numpy()):
            digest.update(shape)
        digest.update(generated.parcels.drop(columns="geometry").to_csv(lineterminator="\n").encode("utf-8"))
    return digest.hexdigest()
