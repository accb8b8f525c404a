"""Shifted coordinates of Chinese web maps, against values that others have published."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyproj
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geodata.web_maps import ShiftedSystem, bd09_to_gcj02, gcj02_to_bd09, shift, unshift

# true longitude, latitude; GCJ-02 longitude, latitude
TRUE_AND_GCJ02 = [
    # googollee/eviltransform, python/test.py
    ("Shanghai", 121.5272106, 31.1774276, 121.531541859215, 31.17530398364597),
    ("Shenzhen", 113.912316, 22.543847, 113.9171764808363, 22.540796131694766),
    ("Beijing", 116.377817, 39.911954, 116.38404722455657, 39.91334545536069),
    # wandergis/coordtransform, test/app.js
    ("Tiananmen", 116.404, 39.915, 116.41024449916938, 39.91640428150164),
]


def metres(lon: npt.ArrayLike, lat: npt.ArrayLike, lon2: npt.ArrayLike, lat2: npt.ArrayLike) -> npt.NDArray[np.float64]:
    a, b, c, d = np.broadcast_arrays(*(np.asarray(v, dtype=float) for v in (lon, lat, lon2, lat2)))
    return np.asarray(pyproj.Geod(ellps="WGS84").inv(a, b, c, d)[2])


@pytest.mark.parametrize(("place", "lon", "lat", "gcj_lon", "gcj_lat"), TRUE_AND_GCJ02)
def test_gcj02_as_published(place: str, lon: float, lat: float, gcj_lon: float, gcj_lat: float) -> None:
    assert metres(*shift(lon, lat, "GCJ-02"), gcj_lon, gcj_lat) < 1e-6, place
    assert metres(*unshift(gcj_lon, gcj_lat, "GCJ-02"), lon, lat) < 1e-6, place


def test_bd09_of_gcj02_as_published() -> None:
    # wandergis/coordtransform, test/app.js
    assert metres(*gcj02_to_bd09(116.404, 39.915), 116.41036949371029, 39.92133699351021) < 1e-6
    # hujiulong/gcoord, test/unit/crs/GCJ02.spec.ts
    assert metres(*gcj02_to_bd09(123.0, 45.0), 123.00636499, 45.00636899) < 0.002


def test_inverses_of_others_agree_within_their_own_error() -> None:
    # hujiulong/gcoord, test/unit/crs/GCJ02.spec.ts and BD09.spec.ts: its inverses stop short of convergence
    assert metres(*unshift(123.0, 45.0, "GCJ-02"), 122.99395597, 44.99804071) < 0.05
    assert metres(*unshift(123.0, 45.0, "BD-09"), 122.98762210, 44.99171540) < 0.15
    # wandergis/coordtransform, test/app.js: one step only
    assert metres(*bd09_to_gcj02(116.404, 39.915), 116.39762729119315, 39.90865673957631) < 1.5


@pytest.mark.parametrize(
    ("lon", "lat", "bd_lon", "bd_lat"),
    [
        # answers of Baidu's own conversion service (from=1, to=5), independent of the formulas here, kept in
        # alys117/pk-tips, cases/bmap/geoconv.js
        (119.52466, 35.39238, 119.53650015688909, 35.39838957047481),
        # and in a public script, "WGS2BD09"
        (117.26251, 31.852298, 117.27450535265, 31.856327032295),
    ],
)
def test_bd09_as_baidu_itself_answers(lon: float, lat: float, bd_lon: float, bd_lat: float) -> None:
    assert metres(*shift(lon, lat, "BD-09"), bd_lon, bd_lat) < 1
    assert metres(*unshift(bd_lon, bd_lat, "BD-09"), lon, lat) < 1


@pytest.mark.parametrize("system", ["GCJ-02", "BD-09"])
@settings(max_examples=60, deadline=None)
@given(lon=st.floats(109.6, 117.4), lat=st.floats(20.2, 25.6))
def test_there_and_back_over_guangdong(system: ShiftedSystem, lon: float, lat: float) -> None:
    there = shift(lon, lat, system)
    assert 100 < metres(*there, lon, lat) < 2000
    assert metres(*unshift(*there, system), lon, lat) < 1e-6


@pytest.mark.parametrize("system", ["GCJ-02", "BD-09"])
def test_there_and_back_all_over_china(system: ShiftedSystem) -> None:
    lon, lat = (grid.ravel() for grid in np.meshgrid(np.linspace(73.6, 134.7, 200), np.linspace(16.8, 53.5, 200)))
    assert metres(*unshift(*shift(lon, lat, system), system), lon, lat).max() < 1e-6


@pytest.mark.parametrize("system", ["GCJ-02", "BD-09"])
def test_nothing_is_shifted_elsewhere(system: ShiftedSystem) -> None:
    # Denver, Brisbane, Rio de Janeiro: as googollee/eviltransform has them
    lon, lat = np.array([-104.9903, 153.0251, -43.1729]), np.array([39.7392, -27.4698, -22.9068])
    for moved in (shift(lon, lat, system), unshift(lon, lat, system)):
        np.testing.assert_array_equal(moved[0], lon)
        np.testing.assert_array_equal(moved[1], lat)


def test_input_is_left_alone_and_order_does_not_matter() -> None:
    lon, lat = np.array([113.9, 0.0, 121.5]), np.array([22.5, 0.0, 31.2])
    before = lon.copy()
    forward, backward = unshift(lon, lat, "BD-09"), unshift(lon[::-1], lat[::-1], "BD-09")
    np.testing.assert_array_equal(lon, before)
    np.testing.assert_allclose(forward[0], backward[0][::-1], rtol=0, atol=1e-12)
    assert unshift([], [], "GCJ-02")[0].size == 0
