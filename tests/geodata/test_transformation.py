"""Conversions against published control values and an independent transverse Mercator."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pyproj
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely.geometry import Point, box

from geodata.errors import CrsError
from geodata.recognise import zone_code
from geodata.transformation import (
    datum_name,
    datum_step,
    is_old_chinese,
    lonlat_bounds,
    same_crs,
    transform,
    with_geometry,
)

GRS80_A, GRS80_F = 6_378_137.0, 1 / 298.257222101  # of CGCS2000


def transverse_mercator(
    lon: float, lat: float, lon0: float, a: float = GRS80_A, f: float = GRS80_F
) -> tuple[float, float]:
    """Gauss-Krüger easting (no false easting) and northing, m, from its definition, without any series.

    The projection is the analytic continuation of the meridian arc: find the complex latitude whose isometric latitude
    is q + iλ, and take the arc of the meridian up to it, by Gauss-Legendre quadrature along a straight path.
    """
    e2 = f * (2 - f)
    e = np.sqrt(e2)

    def isometric(phi: complex) -> complex:
        return complex(np.arctanh(np.sin(phi)) - e * np.arctanh(e * np.sin(phi)))

    wanted = isometric(complex(np.radians(lat))) + 1j * np.radians(lon - lon0)
    phi = complex(np.radians(lat))
    for _ in range(30):
        slope = (1 - e2) / ((1 - e2 * np.sin(phi) ** 2) * np.cos(phi))
        phi = complex(phi - (isometric(phi) - wanted) / slope)
    nodes, weights = np.polynomial.legendre.leggauss(40)
    along = phi * (nodes + 1) / 2
    arc = complex((weights * a * (1 - e2) / (1 - e2 * np.sin(along) ** 2) ** 1.5).sum() * phi / 2)
    return arc.imag, arc.real


def point(crs: str | int, x: float, y: float) -> gpd.GeoDataFrame:
    return gpd.GeoDataFrame(geometry=[Point(x, y)], crs=crs)


def moved(crs: str | int, x: float, y: float, to: int) -> npt.NDArray[np.float64]:
    there = transform(point(crs, x, y), pyproj.CRS.from_epsg(to)).geometry[0]
    return np.array([there.x, there.y])


def test_the_independent_projection_gives_a_published_value() -> None:
    # IOGP 373-07-02 (EPSG guidance note 7-2), Transverse Mercator, OSGB36 / British National Grid:
    # latitude 50°30'00"N, longitude 00°30'00"E is E 577 274.99 m, N 69 740.50 m
    a, f, k = 6_377_563.396, 1 / 299.32496, 0.9996012717
    east, north = transverse_mercator(0.5, 50.5, -2.0, a, f)
    _, origin = transverse_mercator(-2.0, 49.0, -2.0, a, f)
    assert k * east + 400_000 == pytest.approx(577_274.99, abs=0.01)
    assert k * (north - origin) - 100_000 == pytest.approx(69_740.50, abs=0.01)
    np.testing.assert_allclose(moved(4277, 0.5, 50.5, 27700), [577_274.99, 69_740.50], atol=0.01)


@pytest.mark.parametrize("numbered", [False, True])
@settings(max_examples=20, deadline=None)
@given(lon=st.floats(109.0, 118.4), lat=st.floats(20.0, 25.9))
def test_zones_of_cgcs2000_to_a_micrometre(numbered: bool, lon: float, lat: float) -> None:
    meridian = 3 * round(lon / 3)
    east, north = transverse_mercator(lon, lat, meridian)
    expected = [east + 500_000 + (meridian // 3 * 1e6 if numbered else 0), north]
    np.testing.assert_allclose(moved(4490, lon, lat, zone_code(meridian, numbered=numbered)), expected, atol=1e-6)


@settings(max_examples=20, deadline=None)
@given(x=st.floats(360_000, 640_000), y=st.floats(2_200_000, 2_850_000))
def test_with_and_without_the_number_and_back_by_degrees(x: float, y: float) -> None:
    lonlat = moved(4547, x, y, 4490)
    np.testing.assert_allclose(moved(4490, *lonlat, 4526), [x + 38_000_000, y], atol=1e-6)
    np.testing.assert_allclose(moved(4526, x + 38_000_000, y, 4547), [x, y], atol=1e-6)
    np.testing.assert_allclose(moved(4547, x, y, 4326), lonlat, atol=1e-12)


def test_position_vector_as_published() -> None:
    # IOGP 373-07-02, Position Vector transformation: WGS 72 55°N 4°E is WGS 84 55°00'00.090"N 4°00'00.554"E;
    # EPSG:1238 has these parameters
    np.testing.assert_allclose(moved(4322, 4.0, 55.0, 4326) * 3600, [14_400.554, 198_000.090], atol=6e-4)


@pytest.mark.parametrize(
    ("code", "datum", "old"),
    [
        (4490, "CGCS2000", False),
        (4526, "CGCS2000", False),
        (4326, "WGS 84", False),
        (32650, "WGS 84", False),
        (4610, None, True),
        (2383, None, True),
        (4214, None, True),
        (2435, None, True),
        (4267, None, False),
    ],
)
def test_datums_by_name_also_as_esri_spells_them(code: int, datum: str | None, old: bool) -> None:
    crs = pyproj.CRS.from_epsg(code)
    for spelling in (crs, pyproj.CRS.from_wkt(crs.to_wkt("WKT1_ESRI"))):
        assert datum_name(spelling) == datum
        assert is_old_chinese(spelling) == old


@pytest.mark.parametrize("code", [4610, 4214, 2383, 2362, 2435])
def test_old_datums_say_which_parameters_are_missing(code: int) -> None:
    crs = pyproj.CRS.from_epsg(code)
    with pytest.raises(CrsError, match="no transformation") as caught:
        datum_step(crs, pyproj.CRS.from_epsg(4326), (113.8, 22.7, 113.9, 22.8))
    fix = caught.value.issues[0].fix
    for word in ("not public", "surveying office", "towgs84", "similarity", "rx, ry, rz"):
        assert word in fix


def test_with_geometry_keeps_names_rows_and_input() -> None:
    raw = gpd.GeoDataFrame({"shape": [Point(0, 0), Point(1, 1)], "n": [1, 2]}, geometry="shape", index=["p", "q"])
    new = np.array([Point(5, 5), Point(6, 6)])
    out = with_geometry(raw, new, pyproj.CRS.from_epsg(4490))
    assert out.geometry.name == "shape"
    assert list(out.index) == ["p", "q"]
    assert list(out.columns) == ["n", "shape"]
    assert out.crs.to_epsg() == 4490
    assert out.geometry.iloc[1] == Point(6, 6)
    assert raw.crs is None
    assert raw.geometry.iloc[0] == Point(0, 0)


def test_bounds_in_degrees() -> None:
    frame = gpd.GeoDataFrame(geometry=[box(490_000, 2_500_000, 510_000, 2_510_000)], crs=4547)
    west, south, east, north = lonlat_bounds(frame)
    assert west < 114 < east
    assert (west + east) / 2 == pytest.approx(114, abs=1e-3)
    assert 22.5 < south < north < 22.8


def test_a_numbered_zone_is_another_crs() -> None:
    assert not same_crs(pyproj.CRS.from_epsg(4526), pyproj.CRS.from_epsg(4547))
