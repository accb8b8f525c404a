"""Stages from file to neighbours, each with its time and memory, in a process of its own.

``python -m benchmarks.geodata_stages make N FOLDER`` writes generated land of N parcels as a planner's files;
``python -m benchmarks.geodata_stages run N FOLDER RESULT.json`` measures the stages on them, and with ``veneto`` for N
those on the real land-use patches of the Veneto.
"""

from __future__ import annotations

import json
import os
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, TypeVar

import geopandas as gpd
import numpy as np
import pandas as pd
import psutil
import rasterio
import shapely
from rasterio.transform import Affine

from benchmarks.places import HERE, real_data
from geodata.adjacency import Adjacency, build_adjacency, perimeter_m
from geodata.areas import measure_areas
from geodata.barrier_index import empty_barriers
from geodata.crs import choose_metric_crs, to_metric
from geodata.overlay import overlay_fields
from geodata.parcels import read_parcels
from geodata.read import read_declared, read_declared_layer
from geodata.repair import repair
from geodata.spec import AdjacencySpec, FieldSpec, ParcelsSpec, RepairSpec, SourceSpec, SyntheticSpec
from geodata.spec_land import AreasSpec, OverlaySpec, RasterSpec
from geodata.synthetic import PARCEL_ID, generate
from geodata.write import write_gpkg
from geodata.zonal import raster_field
from geodata.zones import assign_zones
from planner.config_file import load_config
from planner.scoring import score_parcels

VENETO: Final = "veneto"
EVERY_S: Final = 0.02
CELL_M: Final = 12.5
"""Cells of the elevation model, m."""
BETWEEN_M: Final = 12.0
"""Lanes up to this width are allotted to the parcels beside them, m."""
_T = TypeVar("_T")


class Clock:
    """Seconds and memory of named stages, in order; written down after each, so that a stop loses only the last."""

    def __init__(self, result: Path) -> None:
        self.result = result
        self.stages: list[dict[str, Any]] = []
        self.load_before = os.getloadavg()[0] if hasattr(os, "getloadavg") else None  # not on Windows

    def stage(self, name: str, work: Callable[[], _T]) -> _T:
        """Do it, and write down processor seconds, seconds, and the most memory held meanwhile."""
        with _peak_mb() as peak:
            began, cpu = time.monotonic(), time.process_time()
            result = work()
            self.stages.append(
                {
                    "stage": name,
                    "cpu_s": round(time.process_time() - cpu, 3),
                    "seconds": round(time.monotonic() - began, 3),
                }
            )
        self.stages[-1]["peak_mb"] = round(peak[0], 1)
        print(self.stages[-1], flush=True)
        self.save()
        return result

    def save(self, **about: int) -> None:
        """Write the stages so far, and what is known of the land."""
        text = json.dumps({"load_before": self.load_before, "stages": self.stages} | about)
        self.result.write_text(text, encoding="utf-8")


@contextmanager
def _peak_mb() -> Iterator[list[float]]:
    """Most resident memory of this process, MB, looked at again and again."""
    process = psutil.Process()
    peak = [process.memory_info().rss / 2**20]
    done = threading.Event()

    def watch() -> None:
        while not done.wait(EVERY_S):
            peak[0] = max(peak[0], process.memory_info().rss / 2**20)

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    try:
        yield peak
    finally:
        done.set()
        watcher.join()
        peak[0] = max(peak[0], process.memory_info().rss / 2**20)


def make(n: int, folder: Path) -> None:
    """Generated land of `n` parcels: parcels, zones, barriers, a red line and an elevation model."""
    land = generate(SyntheticSpec(case="fabric", n_parcels=n))
    layers = {"parcels": land.parcels, "zones": land.zones, "barriers": land.barriers, "redline": _red_line(land.zones)}
    for name, layer in layers.items():
        write_gpkg({name: layer}, folder / f"{name}.gpkg")
    _write_heights(folder / "heights.tif", land.parcels)


def _red_line(zones: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Discs of 60 m radius every 400 m: they touch about every tenth parcel."""
    west, south, east, north = zones.total_bounds
    x, y = np.meshgrid(np.arange(west, east, 400.0), np.arange(south, north, 400.0))
    discs = np.asarray(shapely.buffer(shapely.points(x.ravel(), y.ravel()), 60.0), dtype=object)
    return gpd.GeoDataFrame({"name": [f"R{k}" for k in range(len(discs))]}, geometry=discs, crs=zones.crs)


def _write_heights(path: Path, land: gpd.GeoDataFrame) -> None:
    """Gentle hills."""
    west, south, east, north = land.total_bounds + np.array([-100.0, -100.0, 100.0, 100.0])
    x, y = np.arange(west, east, CELL_M), np.arange(north, south, -CELL_M)
    heights = (20 * np.sin(x / 700)[None, :] * np.cos(y / 900)[:, None]).astype(np.float32)
    profile = {"driver": "GTiff", "count": 1, "dtype": "float32", "nodata": -9999.0, "crs": land.crs.to_wkt()}
    profile |= {"height": len(y), "width": len(x), "transform": Affine(CELL_M, 0.0, west, 0.0, -CELL_M, north)}
    with rasterio.open(path, "w", tiled=True, compress="deflate", **profile) as raster:
        raster.write(heights, 1)


def run_generated(folder: Path, clock: Clock) -> None:
    """All stages on the files of `make`."""
    fields = {
        "land_use": FieldSpec(column="用地现状", type="text"),
        "tax_wan_yuan_per_mu": FieldSpec(column="亩均税收_万元", unit="wan_yuan/mu"),
    }
    spec = ParcelsSpec(path=folder / "parcels.gpkg", id=PARCEL_ID, fields=fields)
    raw = clock.stage("read", lambda: read_parcels(spec).gdf)
    projected = clock.stage("project", lambda: to_metric(raw, choose_metric_crs(raw)))
    parcels = clock.stage("repair", lambda: repair(projected, RepairSpec())).parcels
    layers = {
        name: read_declared_layer(SourceSpec(path=folder / f"{name}.gpkg"), parcels.crs, name).gdf
        for name in ("zones", "barriers")
    }
    clock.stage("zones", lambda: assign_zones(parcels, layers["zones"], "name"))
    red = OverlaySpec(name="redline", effect="exclude", path=folder / "redline.gpkg")
    clock.stage("overlay", lambda: overlay_fields(parcels, read_declared_layer(red, parcels.crs, "overlay").gdf, red))
    slope = RasterSpec(field="slope", path=folder / "heights.tif", derive="slope_percent", elevation_unit="m")
    clock.stage("raster", lambda: raster_field(parcels, slope))
    found = clock.stage("adjacency", lambda: build_adjacency(parcels, AdjacencySpec(), layers["barriers"]))
    about = _about(len(raw), len(parcels), found)
    clock.save(**about)
    clock.stage("areas", lambda: measure_areas(parcels, AreasSpec(between_max_m=BETWEEN_M), layers["barriers"]))
    clock.save(**about)


def run_veneto(clock: Clock) -> None:
    """56 559 land-use patches: read, repaired, scored, neighbours found."""
    config = load_config(HERE / "veneto.yaml", None, []).config
    path = real_data("veneto/veneto_PD_56559.parquet")
    source = clock.stage("read", lambda: read_declared(SourceSpec(path=path), "parcels").gdf)
    ids = pd.Index([f"{k:05d}" for k in range(len(source))], name="parcel_id")
    raw = source.set_axis(ids, axis="index")
    projected = clock.stage("project", lambda: to_metric(raw, choose_metric_crs(raw, config.parcels.metric_crs)))
    parcels = clock.stage("repair", lambda: repair(projected, config.repair)).parcels
    barriers = empty_barriers(parcels.crs)
    measured = clock.stage("areas", lambda: measure_areas(parcels, config.areas, barriers)).fields

    def score() -> object:
        fields = measured.assign(
            land_use=parcels["landuse"], area_m2=parcels.area, perimeter_m=perimeter_m(parcels), zone=None
        )
        return score_parcels(fields, config.scoring)

    clock.stage("score", score)
    found = clock.stage("adjacency", lambda: build_adjacency(parcels, config.adjacency, barriers))
    clock.save(**_about(len(raw), len(parcels), found))


def _about(read: int, kept: int, found: Adjacency) -> dict[str, int]:
    return {"parcels": read, "kept": kept, "pairs": len(found.pairs), "links": len(found.link_pairs)}


def main(arguments: list[str]) -> None:
    """Make the files, or measure."""
    what, case, folder = arguments[:3]
    if what == "make":
        make(int(case), Path(folder))
        return
    clock = Clock(Path(arguments[3]))
    if case == VENETO:
        run_veneto(clock)
    else:
        run_generated(Path(folder), clock)


if __name__ == "__main__":
    main(sys.argv[1:])
