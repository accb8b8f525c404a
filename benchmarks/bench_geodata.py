"""Speed of the geometry stages: ``python -m pytest benchmarks/bench_geodata.py``.

Time and memory by size: ``python -m benchmarks.geodata_scale``.

Budgets on two cores, best round: 10 000 parcels read in 2 s, repaired in 3 s, given their zones and laid under an
overlay or a raster in 3 s each, their adjacency with links in 3 s; the 56 559 patches of Veneto (2.3 million vertices)
repaired in 30 s, adjacency in 30 s.
"""

from __future__ import annotations

import os
from pathlib import Path

import geopandas as gpd
import pandas as pd
import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from benchmarks.geodata_stages import make
from geodata.adjacency import build_adjacency
from geodata.barrier_index import empty_barriers
from geodata.overlay import overlay_fields
from geodata.parcels import read_parcels
from geodata.read import read_declared_layer
from geodata.repair import repair
from geodata.spec import AdjacencySpec, ParcelsSpec, RepairSpec, SyntheticSpec
from geodata.spec_land import OverlaySpec, RasterSpec
from geodata.synthetic import PARCEL_ID, SyntheticLand, generate
from geodata.zonal import raster_field
from geodata.zones import assign_zones

DATA = Path(os.environ.get("PLANNER_TEST_DATA", Path(__file__).resolve().parents[2] / "shared" / "data"))
SPEC = AdjacencySpec()


def indexed(parcels: gpd.GeoDataFrame, ids: pd.Series[str]) -> gpd.GeoDataFrame:
    return parcels.set_axis(pd.Index(ids, name="parcel_id"), axis=0)


@pytest.fixture(scope="module")
def land() -> SyntheticLand:
    return generate(SyntheticSpec(case="fabric", n_parcels=10_000))


@pytest.fixture(scope="module")
def raw(land: SyntheticLand) -> gpd.GeoDataFrame:
    return indexed(land.parcels, land.parcels[PARCEL_ID])


@pytest.fixture(scope="module")
def parcels(raw: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    return repair(raw, RepairSpec()).parcels


@pytest.fixture(scope="module")
def veneto() -> gpd.GeoDataFrame:
    path = DATA / "veneto" / "veneto_PD_56559.parquet"
    if not path.exists():
        pytest.skip(f"{path.name} not found under {DATA} (set PLANNER_TEST_DATA)")
    patches = gpd.read_parquet(path)
    return indexed(patches, pd.Series([f"{k:05d}" for k in range(len(patches))]))


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("land")
    make(10_000, folder)
    return folder


def seconds(benchmark: BenchmarkFixture) -> float:
    """Best round; 0 where timing is switched off."""
    return float(benchmark.stats.stats.min) if benchmark.stats is not None else 0.0


def test_read_10_000(benchmark: BenchmarkFixture, files: Path) -> None:
    spec = ParcelsSpec(path=files / "parcels.gpkg", id=PARCEL_ID)
    assert len(benchmark.pedantic(read_parcels, (spec,), rounds=3).gdf) == 10_000
    assert seconds(benchmark) < 2


def test_overlay_10_000(benchmark: BenchmarkFixture, parcels: gpd.GeoDataFrame, files: Path) -> None:
    spec = OverlaySpec(name="redline", effect="exclude", path=files / "redline.gpkg")
    layer = read_declared_layer(spec, parcels.crs, "overlay").gdf
    result = benchmark.pedantic(overlay_fields, (parcels, layer, spec), rounds=3)
    assert (result.fields["redline_m2"] > 0).any()
    assert seconds(benchmark) < 3


def test_raster_10_000(benchmark: BenchmarkFixture, parcels: gpd.GeoDataFrame, files: Path) -> None:
    spec = RasterSpec(field="slope", path=files / "heights.tif", derive="slope_percent", elevation_unit="m")
    result = benchmark.pedantic(raster_field, (parcels, spec), rounds=3)
    assert result.fields["slope"].notna().all()
    assert seconds(benchmark) < 3


def test_repair_10_000(benchmark: BenchmarkFixture, raw: gpd.GeoDataFrame) -> None:
    result = benchmark.pedantic(repair, (raw, RepairSpec()), rounds=3)
    assert len(result.parcels) > 9_900
    assert seconds(benchmark) < 3


def test_adjacency_10_000(benchmark: BenchmarkFixture, parcels: gpd.GeoDataFrame, land: SyntheticLand) -> None:
    adjacency = benchmark.pedantic(build_adjacency, (parcels, SPEC, land.barriers), rounds=3)
    assert len(adjacency.pairs) and len(adjacency.link_pairs)
    assert seconds(benchmark) < 3


def test_zones_10_000(benchmark: BenchmarkFixture, parcels: gpd.GeoDataFrame, land: SyntheticLand) -> None:
    assignment = benchmark.pedantic(assign_zones, (parcels, land.zones, "name"), rounds=3)
    assert len(assignment.zone) == len(parcels)
    assert seconds(benchmark) < 3


def test_repair_veneto(benchmark: BenchmarkFixture, veneto: gpd.GeoDataFrame) -> None:
    result = benchmark.pedantic(repair, (veneto, RepairSpec()), rounds=1)
    assert len(result.parcels) > 56_000
    assert seconds(benchmark) < 30


def test_adjacency_veneto(benchmark: BenchmarkFixture, veneto: gpd.GeoDataFrame) -> None:
    repaired = repair(veneto, RepairSpec()).parcels
    adjacency = benchmark.pedantic(build_adjacency, (repaired, SPEC, empty_barriers(repaired.crs)), rounds=1)
    assert len(adjacency.pairs) > 80_000
    assert seconds(benchmark) < 30
