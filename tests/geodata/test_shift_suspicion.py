"""Layers that line up only when a web map's shift is undone."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Literal

import geopandas as gpd
import numpy as np
import pytest
import shapely
from shapely.geometry import Point, box

from geodata.read import read_vector
from geodata.shift_suspicion import suspect_shift
from geodata.transformation import WGS84, transform
from geodata.web_maps import ShiftedSystem, shift, unshift

METRIC = "EPSG:4547"


def parcels(n: int = 15, *, seed: int = 0, x: float = 495_000.0, y: float = 2_525_000.0) -> gpd.GeoDataFrame:
    """Rows of unequal lots between lanes, about 1 km across."""
    rng = np.random.default_rng(seed)
    xs = x + np.cumsum(rng.uniform(40, 110, n))
    ys = y + np.cumsum(rng.uniform(40, 110, n))
    lots = [box(a, c, b - 6, d - 4) for a, b in pairwise(xs) for c, d in pairwise(ys)]
    return gpd.GeoDataFrame({"id": range(len(lots))}, geometry=lots, crs=METRIC)


def villages(lots: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Four zones around the quarters of the lots, along the same outlines."""
    west, south, east, north = lots.total_bounds
    middle = lots.geometry.iloc[len(lots) // 2].bounds
    quarters = [(west, south, *middle[:2]), (middle[0], south, east, middle[1])]
    quarters += [(west, middle[1], middle[0], north), (*middle[:2], east, north)]
    return gpd.GeoDataFrame(geometry=[box(*q) for q in quarters], crs=METRIC)


def shifted(gdf: gpd.GeoDataFrame, system: ShiftedSystem, *, undo: bool = False) -> gpd.GeoDataFrame:
    """In WGS 84 degrees, shifted or its shift undone."""
    degrees = transform(gdf, WGS84)
    step = unshift if undo else shift
    moved = shapely.transform(degrees.geometry.to_numpy(), lambda a: np.column_stack(step(a[:, 0], a[:, 1], system)))
    return degrees.set_geometry(gpd.GeoSeries(moved, crs=WGS84))


@pytest.mark.parametrize("system", ["GCJ-02", "BD-09"])
@pytest.mark.parametrize("which", ["layer", "reference"])
def test_a_shifted_copy_is_found(system: ShiftedSystem, which: Literal["layer", "reference"]) -> None:
    true, moved = parcels(), shifted(parcels(), system)
    found = suspect_shift(moved, true) if which == "layer" else suspect_shift(true, moved)
    assert found is not None
    assert (found.system, found.shifted) == (system, which)
    assert found.agreement_after == pytest.approx(1, abs=1e-3)
    assert found.agreement_before < 0.7
    there = transform(moved, true.crs).geometry
    assert found.east_m == pytest.approx(float((true.geometry.centroid.x - there.centroid.x).mean()), abs=1)
    assert found.north_m == pytest.approx(float((true.geometry.centroid.y - there.centroid.y).mean()), abs=1)


def test_parcels_of_a_web_map_against_true_villages() -> None:
    lots = parcels()
    found = suspect_shift(villages(lots), shifted(lots, "GCJ-02"))
    assert found is not None
    assert (found.system, found.shifted) == ("GCJ-02", "reference")
    note = found.note("villages.gpkg", "parcels.gpkg")
    assert note.source == "parcels.gpkg"
    assert note.warning
    assert "shifted: GCJ-02" in note.what


@pytest.mark.parametrize("seed", range(6))
def test_nothing_is_suspected_where_all_is_well(seed: int) -> None:
    lots = parcels(seed=seed)
    assert suspect_shift(lots, lots) is None
    assert suspect_shift(villages(lots), lots) is None
    assert suspect_shift(lots, villages(lots)) is None


@pytest.mark.parametrize("seed", range(6))
def test_unlike_layers_are_not_suspected(seed: int) -> None:
    assert suspect_shift(parcels(seed=seed), parcels(seed=seed + 100)) is None


@pytest.mark.parametrize("angle", range(0, 360, 45))
def test_another_displacement_is_not_mistaken(angle: int) -> None:
    lots = parcels()
    dx, dy = 300 * np.cos(np.radians(angle)), 300 * np.sin(np.radians(angle))
    assert suspect_shift(lots.set_geometry(lots.translate(dx, dy)), lots) is None


def test_nothing_to_tell_by() -> None:
    lots = parcels()
    points = gpd.GeoDataFrame(geometry=[Point(495_000, 2_525_000)], crs=METRIC)
    assert suspect_shift(points, lots) is None
    assert suspect_shift(lots, points) is None
    assert suspect_shift(lots, lots.set_geometry(lots.translate(50_000, 0))) is None
    assert suspect_shift(lots.iloc[:0], lots) is None
    italy = gpd.GeoDataFrame(geometry=[box(700_000, 5_060_000, 701_000, 5_061_000)], crs="EPSG:32632")
    assert suspect_shift(italy, italy) is None


def test_order_of_rows_does_not_matter() -> None:
    moved, true = shifted(parcels(), "BD-09"), parcels()
    assert suspect_shift(moved, true) == suspect_shift(
        moved.sample(frac=1, random_state=1), true.sample(frac=1, random_state=2)
    )


def test_town_outlines_of_dongguan_against_the_districts_of_shenzhen(shared_data: Callable[[str], Path]) -> None:
    # two public data sets of different makers share the border between the two cities, each generalised its own way
    towns = read_vector(shared_data("messy/bd09/eddiehe99_441900.geojson"))
    districts = read_vector(shared_data("messy/gbk/shenzhen_noprj/sz_districts.json"))
    found = suspect_shift(towns, districts)
    assert found is not None
    assert (found.system, found.shifted) == ("BD-09", "layer")
    assert 1_100 < np.hypot(found.east_m, found.north_m) < 1_400
    assert suspect_shift(shifted(towns, "BD-09", undo=True), districts) is None
