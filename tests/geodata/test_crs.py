from __future__ import annotations

import logging
import math

import geopandas as gpd
import numpy as np
import pyproj
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely.geometry import Point, box

from geodata.crs import check_coordinates, choose_metric_crs, parse_crs, same_crs, to_metric, transform
from geodata.errors import CrsError, DataError


def around(lon: float, lat: float, half: float = 0.01) -> tuple[float, float, float, float]:
    return lon - half, lat - half, lon + half, lat + half


def square(crs: str, x: float, y: float, side: float = 100.0) -> gpd.GeoDataFrame:
    return gpd.GeoDataFrame({"name": ["a"]}, geometry=[box(x, y, x + side, y + side)], crs=crs)


@pytest.mark.parametrize(
    ("place", "lon", "lat", "code"),
    [
        ("Dongguan", 113.9, 22.8, 4547),
        ("Qingyuan", 113.0, 23.7, 4547),
        ("Hong Kong", 114.17, 22.30, 4547),
        ("Urumqi", 87.6, 43.8, 4538),
        ("Kashgar", 76.0, 39.5, 4534),
        ("Harbin", 126.6, 45.8, 4551),
        ("Fuyuan", 134.3, 48.3, 4554),
        ("Seoul", 127.0, 37.5, 32652),
        ("Hanoi", 105.85, 21.03, 32648),
        ("Delhi", 77.2, 28.6, 32643),
        ("Ulaanbaatar", 106.9, 47.9, 32648),
        ("Tokyo", 139.7, 35.7, 32654),
        ("Cambridge", -71.1, 42.4, 32619),
        ("Swellendam", 20.4, -34.0, 32734),
    ],
)
def test_rule_by_place(place: str, lon: float, lat: float, code: int) -> None:
    assert choose_metric_crs(around(lon, lat)).to_epsg() == code, place


@settings(max_examples=60, deadline=None)
@given(lon=st.floats(-179, 179), lat=st.floats(-79, 83))
def test_the_rule_is_true_to_area_everywhere(lon: float, lat: float) -> None:
    crs = choose_metric_crs(around(lon, lat, 0.001))
    east_north = pyproj.Transformer.from_crs(crs.geodetic_crs, crs, always_xy=True)
    ring = [(lon + dx, lat + dy) for dx, dy in ((-0.001, -0.001), (0.001, -0.001), (0.001, 0.001), (-0.001, 0.001))]
    planar = shapely.Polygon([east_north.transform(*xy) for xy in ring]).area
    true, _ = crs.get_geod().polygon_area_perimeter(*zip(*ring, strict=True))
    assert planar == pytest.approx(abs(true), rel=0.0025)


def test_own_projected_crs_is_kept() -> None:
    assert choose_metric_crs(square("EPSG:5186", 202_000, 545_500)).to_epsg() == 5186
    assert choose_metric_crs(square("EPSG:26986", 229_000, 905_000)).to_epsg() == 26986
    assert choose_metric_crs(square("EPSG:4526", 38_500_000, 2_500_000)).to_epsg() == 4526


def test_feet_and_mercator_are_not_kept() -> None:
    assert choose_metric_crs(square("EPSG:2249", 770_000, 2_960_000)).to_epsg() == 32619
    assert choose_metric_crs(square("EPSG:3857", 12_680_000, 2_600_000)).to_epsg() == 4547


def test_own_zone_is_left_far_from_its_meridian(caplog: pytest.LogCaptureFixture) -> None:
    far = square("EPSG:32733", 1_000_000, 6_230_000)  # 5.4 degrees east of the central meridian
    with caplog.at_level(logging.WARNING):
        assert choose_metric_crs(far).to_epsg() == 32734
    assert "not measured in it" in caplog.text


@pytest.mark.parametrize(
    ("configured", "why"),
    [
        ("EPSG:3857", "Mercator"),
        ("EPSG:3395", "Mercator"),
        ("EPSG:4490", "not projected"),
        ("EPSG:2249", "US survey foot"),
        ("EPSG:32633", "wrong"),
        ("EPSG:6933", "lengths"),
        ("Gauss", "Gauss"),
    ],
)
def test_unfit_choices_are_refused(configured: str, why: str) -> None:
    with pytest.raises(CrsError, match=why):
        choose_metric_crs(around(113.9, 22.8), configured)


def test_a_fit_choice_wins_over_the_rule() -> None:
    assert choose_metric_crs(around(113.9, 22.8), "EPSG:32649").to_epsg() == 32649
    assert choose_metric_crs(square("EPSG:26986", 229_000, 905_000), "EPSG:32619").to_epsg() == 32619


def test_land_wider_than_its_zone_is_warned_about(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        choose_metric_crs((110.0, 22.0, 116.0, 23.0))
    assert "wider than its zone" in caplog.text


@pytest.mark.parametrize("code", ["EPSG:2362", "EPSG:4610", "EPSG:4214", "EPSG:2434"])
def test_old_chinese_datums_are_refused(code: str) -> None:
    crs = pyproj.CRS.from_user_input(code)
    x, y = pyproj.Transformer.from_crs(crs.geodetic_crs, crs, always_xy=True).transform(113.9, 22.8)
    with pytest.raises(CrsError, match="no transformation"):
        choose_metric_crs(square(code, x, y, 0.001))


def test_local_grid_is_refused() -> None:
    local = 'LOCAL_CS["site grid",UNIT["metre",1]]'
    with pytest.raises(CrsError, match="place on the globe"):
        choose_metric_crs(gpd.GeoDataFrame(geometry=[box(0, 0, 1, 1)], crs=local))


def test_given_parameters_make_an_old_datum_usable() -> None:
    given_shift = "+proj=longlat +ellps=krass +towgs84=15.8,-154.4,-82.3,0,0,0,0 +no_defs"
    moved = transform(gpd.GeoDataFrame(geometry=[Point(113.9, 22.8)], crs=given_shift), pyproj.CRS.from_epsg(4326))
    metres = math.dist((113.9, 22.8), (moved.geometry.x[0], moved.geometry.y[0])) * 111_000
    assert 20 < metres < 200


def test_cgcs2000_and_wgs84_are_the_same_degrees() -> None:
    degrees = gpd.GeoDataFrame(geometry=[Point(113.9, 22.8)], crs=4326)
    assert transform(degrees, pyproj.CRS.from_epsg(4490)).geometry[0].equals_exact(Point(113.9, 22.8), 1e-12)
    there = transform(degrees, pyproj.CRS.from_epsg(4547))
    assert transform(there, pyproj.CRS.from_epsg(4326)).geometry[0].equals_exact(Point(113.9, 22.8), 1e-10)


def test_other_datums_reach_cgcs2000_by_way_of_wgs84() -> None:
    hong_kong = gpd.GeoDataFrame(geometry=[Point(114.17, 22.30)], crs="EPSG:4611")
    direct = transform(hong_kong, pyproj.CRS.from_epsg(4547)).geometry[0]
    in_wgs84 = transform(hong_kong, pyproj.CRS.from_epsg(4326))
    assert direct.distance(transform(in_wgs84, pyproj.CRS.from_epsg(4547)).geometry[0]) < 1e-6
    unshifted = transform(in_wgs84.set_geometry([Point(114.17, 22.30)], crs=4326), pyproj.CRS.from_epsg(4547)).geometry[
        0
    ]
    assert 100 < direct.distance(unshifted) < 500  # Hong Kong 1980 is some 300 m off


def test_x_is_east_whatever_order_the_crs_lists() -> None:
    there = to_metric(gpd.GeoDataFrame(geometry=[Point(114.0, 22.8)], crs=4490), "EPSG:4547")
    assert there.geometry[0].x == pytest.approx(500_000, abs=1e-6)
    assert there.geometry[0].y == pytest.approx(2_522_000, abs=2000)


def test_to_metric_leaves_the_input_alone_and_keeps_rows() -> None:
    high = shapely.force_3d(box(113.9, 22.8, 113.91, 22.81), 7.0)
    geometry = gpd.GeoSeries([high, None], index=["p", "q"], crs=4326)
    raw = gpd.GeoDataFrame({"n": [1, 2]}, geometry=geometry, index=["p", "q"])
    before = raw.geometry.iloc[0].wkb
    metric = to_metric(raw, "EPSG:4547")
    assert list(metric.index) == ["p", "q"]
    assert list(metric["n"]) == [1, 2]
    assert not metric.geometry.iloc[0].has_z
    assert metric.geometry.iloc[1] is None
    assert raw.geometry.iloc[0].wkb == before
    assert raw.crs.to_epsg() == 4326


def test_to_metric_refuses_degrees() -> None:
    with pytest.raises(CrsError, match="not projected"):
        to_metric(square("EPSG:32650", 500_000, 2_500_000), "EPSG:4326")


def test_nothing_to_transform_is_no_error() -> None:
    for geometry in ([], [None]):
        empty = gpd.GeoDataFrame(geometry=gpd.GeoSeries(geometry, crs=4490))
        assert transform(empty, pyproj.CRS.from_epsg(4547)).crs.to_epsg() == 4547


def test_frame_without_crs_or_coordinates() -> None:
    with pytest.raises(CrsError, match="no CRS"):
        choose_metric_crs(gpd.GeoDataFrame(geometry=[box(0, 0, 1, 1)]))
    with pytest.raises(DataError, match="no coordinates"):
        choose_metric_crs(gpd.GeoDataFrame(geometry=gpd.GeoSeries([None], crs=4326)))


def test_neighbours_stay_neighbours() -> None:
    left, right = box(-71.10, 42.30, -71.09, 42.31), box(-71.09, 42.30, -71.08, 42.31)
    metric = to_metric(gpd.GeoDataFrame(geometry=[left, right], crs=4267), "EPSG:32619")  # NAD27: many operations
    assert metric.geometry[0].intersection(metric.geometry[1]).length == pytest.approx(1110, abs=3)


@pytest.mark.parametrize(
    ("geometry", "crs", "match"),
    [
        (box(500_000, 2_500_000, 500_100, 2_500_100), "EPSG:4326", "projected coordinates"),
        (box(22.7, 113.8, 22.8, 113.9), "EPSG:4490", "swapped"),
        (box(200, 20, 201, 21), "EPSG:4326", "within 180"),
        (Point(np.inf, 1), "EPSG:32650", "not a finite number"),
        (box(113.8, 22.7, 113.9, 22.8), "EPSG:4547", "look like degrees"),
    ],
)
def test_impossible_coordinates(geometry: shapely.Geometry, crs: str, match: str) -> None:
    frame = gpd.GeoDataFrame(geometry=[geometry])
    with pytest.raises(CrsError, match=match):
        check_coordinates(frame, parse_crs(crs, "test"), "file", declared=True)


def test_degrees_of_china_in_a_file_that_says_metres_are_refused() -> None:
    frame = gpd.GeoDataFrame(geometry=[box(113.8, 22.7, 113.9, 22.8)])
    with pytest.raises(CrsError, match="look like degrees"):
        check_coordinates(frame, pyproj.CRS.from_epsg(4547), "file", declared=False)


def test_other_small_numbers_in_a_file_that_says_metres_are_noted() -> None:
    frame = gpd.GeoDataFrame(geometry=[box(-71.2, 42.3, -71.1, 42.4)])
    (note,) = check_coordinates(frame, pyproj.CRS.from_epsg(26986), "file", declared=False)
    assert note.warning
    assert "look like degrees" in note.what


def test_same_crs_knows_other_spellings() -> None:
    esri = pyproj.CRS.from_wkt(pyproj.CRS.from_epsg(32650).to_wkt("WKT1_ESRI"))
    assert same_crs(esri, pyproj.CRS.from_epsg(32650))
    assert same_crs(pyproj.CRS.from_user_input("OGC:CRS84"), pyproj.CRS.from_epsg(4326))
    assert not same_crs(pyproj.CRS.from_epsg(4490), pyproj.CRS.from_epsg(4326))
    assert not same_crs(pyproj.CRS.from_epsg(4526), pyproj.CRS.from_epsg(4547))


def test_the_network_is_off_after_a_transformation() -> None:
    pyproj.network.set_network_enabled(active=True)
    try:
        to_metric(gpd.GeoDataFrame(geometry=[Point(114, 22.8)], crs=4326), "EPSG:32650")
        assert not pyproj.network.is_network_enabled()
    finally:
        pyproj.network.set_network_enabled(active=False)
