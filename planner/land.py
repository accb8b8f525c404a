"""The land of a run: read, repaired, measured, zoned, with barriers and adjacency. Everything before policy."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import geopandas as gpd
import pandas as pd
import shapely

from geodata.adjacency import Adjacency, build_adjacency, perimeter_m
from geodata.areas import AreaResult, area_differences, measure_areas
from geodata.barrier_index import empty_barriers
from geodata.crs import choose_metric_crs, to_metric
from geodata.errors import DataError, Issue, list_ids
from geodata.hashing import hash_files
from geodata.notes import SourceNote
from geodata.parcels import RawParcels, parcels_from_frame, read_parcels
from geodata.read import read_declared_layer
from geodata.repair import RepairResult, repair
from geodata.shift_suspicion import suspect_shift
from geodata.synthetic import SyntheticLand, generate
from geodata.zones import ZoneAssignment, assign_zones, zones_from_field
from planner.config import Config
from planner.errors import ConfigError
from planner.expressions import evaluate_number
from planner.joined import JoinedFacts, join_facts, joined_files
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
        Mapped fields, those of the joined layers, then the measured ones (`planner.land_fields.MEASURED`), indexed by
        ``parcel_id``.
    zones : ZoneAssignment or None
        None without zones.
    barriers : geopandas.GeoDataFrame
        ``name`` and geometry.
    adjacency : Adjacency
        In the order of the parcels.
    areas : AreaResult
        Areas kept apart, and the land between parcels.
    joined : JoinedFacts
        Overlays, rasters, buildings, firms.
    notes : tuple of SourceNote
        What was done and noticed while the sources were read and joined.
    input_hash : str
        SHA-256 over all input files, or over the generated land.
    """

    raw: RawParcels
    repaired: RepairResult
    fields: pd.DataFrame
    zones: ZoneAssignment | None
    barriers: gpd.GeoDataFrame
    adjacency: Adjacency
    areas: AreaResult
    joined: JoinedFacts
    notes: tuple[SourceNote, ...]
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
        The name of a generated barrier or overlay that does not exist.
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

    progress.stage("layers")
    barriers, barrier_notes = _barriers(config, generated, parcels)
    zones, zone_notes = _zones(config, generated, parcels)
    joined = join_facts(config, parcels, None if generated is None else generated.overlays)
    areas = measure_areas(parcels, config.areas, barriers)
    fields, area_notes = _fields(config, parcels, zones, areas, joined)
    progress.done(f"{len(barriers)} barriers, {len(config.overlays)} overlays, {len(config.rasters)} rasters")

    progress.stage("adjacency")
    adjacency = build_adjacency(parcels, config.adjacency, barriers)
    progress.done(f"{len(adjacency.pairs)} adjacent pairs, {len(adjacency.link_pairs)} bridged links")
    return Land(
        raw=raw,
        repaired=repaired,
        fields=fields,
        zones=zones,
        barriers=barriers,
        adjacency=adjacency,
        areas=areas,
        joined=joined,
        notes=(
            *raw.notes_on_sources,
            *barrier_notes,
            *zone_notes,
            *joined.notes,
            *areas.notes,
            *area_notes,
            *_shift_notes(raw, parcels, zones, barriers, joined),
        ),
        input_hash=_input_hash(config, raw, generated),
    )


def _shift_notes(
    raw: RawParcels,
    parcels: gpd.GeoDataFrame,
    zones: ZoneAssignment | None,
    barriers: gpd.GeoDataFrame,
    joined: JoinedFacts,
) -> Iterator[SourceNote]:
    """Layers that look shifted against the parcels as Chinese web maps are."""
    layers = [] if zones is None else [("zones", zones.polygons)]
    layers += [(f"barrier {name}", part) for name, part in barriers.groupby("name", sort=True)]
    layers += [(f"overlay {name}", part) for name, part in joined.overlays.groupby("overlay", sort=True)]
    for name, layer in layers:
        suspicion = suspect_shift(layer, parcels)
        if suspicion is not None:
            yield suspicion.note(name, raw.source)


def _fields(
    config: Config, parcels: gpd.GeoDataFrame, zones: ZoneAssignment | None, areas: AreaResult, joined: JoinedFacts
) -> tuple[pd.DataFrame, list[SourceNote]]:
    """All fields of the parcels, and what their certificates say otherwise."""
    mapped = pd.DataFrame(parcels.drop(columns=parcels.geometry.name))
    zone = pd.Series(None, index=parcels.index, dtype="object") if zones is None else zones.zone
    fields = pd.concat([mapped, joined.fields, areas.fields], axis="columns")
    fields = fields.assign(perimeter_m=perimeter_m(parcels), zone=zone)
    for name, text in (("cleared", config.areas.cleared), ("accepted", config.areas.accepted)):
        default = "boundary_mu" if name == "cleared" else "cleared_mu"
        fields[f"{name}_mu"] = fields[default] if text is None else evaluate_number(text, fields)
    differ = area_differences(fields, config.areas)
    if differ.empty:
        return fields, []
    share = f"{config.areas.tolerance_share:.0%}"
    what = f"certificate and measured area differ by more than {share}, {differ['difference_mu'].sum():+,.2f} mu in all"
    return fields, [SourceNote.of("areas", what, differ["parcel_id"].tolist(), are_parcels=True)]


def _barriers(
    config: Config, generated: SyntheticLand | None, parcels: gpd.GeoDataFrame
) -> tuple[gpd.GeoDataFrame, list[SourceNote]]:
    layers: list[gpd.GeoDataFrame] = []
    notes: list[SourceNote] = []
    for k, spec in enumerate(config.barriers):
        if spec.has_source:
            layer = read_declared_layer(spec, parcels.crs, "barriers", "lines or polygons")
            shapes = layer.gdf.geometry
            notes += layer.notes
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
        return empty_barriers(parcels.crs), notes
    return gpd.GeoDataFrame(pd.concat(layers, ignore_index=True), crs=parcels.crs), notes


def _zones(
    config: Config, generated: SyntheticLand | None, parcels: gpd.GeoDataFrame
) -> tuple[ZoneAssignment | None, tuple[SourceNote, ...]]:
    spec = config.zones
    if spec is None:
        return None, ()
    if spec.field is not None:
        return zones_from_field(parcels, spec.field), ()
    if spec.has_source:
        layer = read_declared_layer(spec, parcels.crs, "zones")
        return assign_zones(parcels, layer.gdf, spec.name), tuple(layer.notes)
    assert generated is not None
    return assign_zones(parcels, generated.zones.to_crs(parcels.crs), "name"), ()


def _input_hash(config: Config, raw: RawParcels, generated: SyntheticLand | None) -> str:
    files: list[Path] = list(raw.input_files)
    files += [config.zones.path] if config.zones is not None and config.zones.path is not None else []
    files += [b.path for b in config.barriers if b.path is not None]
    files += joined_files(config)
    digest = hashlib.sha256(hash_files(files).encode("ascii") if files else b"")
    if generated is not None:
        for shape in shapely.to_wkb(generated.parcels.geometry.to_numpy()):
            digest.update(shape)
        digest.update(generated.parcels.drop(columns="geometry").to_csv(lineterminator="\n").encode("utf-8"))
        for shape in shapely.to_wkb(generated.overlays.geometry.to_numpy()):
            digest.update(shape)
    return digest.hexdigest()
