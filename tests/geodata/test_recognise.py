"""What coordinates look like."""

from __future__ import annotations

import pyproj
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from geodata.recognise import Extent, better_reading, counterpart, far_from_use, recognise, zone_code

DEGREES = (113.8, 22.7, 113.9, 22.8)
ZONE_38 = (38_490_000.0, 2_500_000.0, 38_510_000.0, 2_510_000.0)
ZONE_BARE = (490_000.0, 2_500_000.0, 510_000.0, 2_510_000.0)


def swap(extent: Extent) -> Extent:
    return extent[1], extent[0], extent[3], extent[2]


@pytest.mark.parametrize(
    ("extent", "code"),
    [
        (DEGREES, "EPSG:4490"),
        (ZONE_38, "EPSG:4526"),
        ((37_600_000.0, 2_600_000.0, 37_610_000.0, 2_610_000.0), "EPSG:4525"),
        ((19_700_000.0, 2_500_000.0, 19_710_000.0, 2_510_000.0), "EPSG:4497"),
        ((12_680_000.0, 2_600_000.0, 12_690_000.0, 2_610_000.0), "EPSG:3857"),
        ((13_522_000.0, 3_662_000.0, 13_523_000.0, 3_663_000.0), "EPSG:3857"),  # Shanghai: no land of zone 13 there
    ],
)
def test_what_is_plain(extent: Extent, code: str) -> None:
    for box, axes in ((extent, "xy"), (swap(extent), "yx")):
        only = recognise(box).only
        assert only is not None
        assert (only.code, only.axes) == (code, axes)


def test_a_zone_without_its_number_fits_several_meridians() -> None:
    looks = recognise(ZONE_BARE)
    codes = [candidate.code for candidate in looks.candidates]
    assert looks.only is None
    assert {"EPSG:4546", "EPSG:4547", "EPSG:4548"} <= set(codes)
    assert "EPSG:4554" not in codes  # meridian 135°E has no land of China at latitude 22.6
    assert None in codes  # UTM
    assert "EPSG:4547" in looks.what_to_declare()
    assert "meridian" in looks.what_to_declare()
    assert recognise(swap(ZONE_BARE)).swapped
    assert "axes: yx" in recognise(swap(ZONE_BARE)).what_to_declare()


def test_six_degree_zone_and_web_mercator_can_look_alike() -> None:
    both = recognise((13_522_000.0, 4_262_000.0, 13_523_000.0, 4_263_000.0))  # Kashgar's west, or the Bohai coast
    assert [candidate.code for candidate in both.candidates] == ["EPSG:4491", "EPSG:3857"]
    assert both.only is None


def test_small_numbers_may_be_a_local_grid() -> None:
    grid = recognise((100.0, 200.0, 3000.0, 4000.0))
    assert grid.local
    assert not grid.candidates
    assert "similarity" in grid.what_to_declare()
    either = recognise((-71.2, 42.3, -71.0, 42.4))
    assert either.local
    assert either.only is None
    assert "degrees outside China" in either.describe()
    assert "EPSG:4326" in either.what_to_declare()


def test_strange_numbers_are_nothing() -> None:
    nothing = recognise((5e7, 5e7, 5.1e7, 5.1e7))
    assert not nothing.candidates
    assert not nothing.local
    assert nothing.describe() == "no system of China"


def test_land_wider_than_a_zone_is_no_zone() -> None:
    assert recognise((38_100_000.0, 2_500_000.0, 38_900_000.0, 2_510_000.0)).only is None


@settings(max_examples=60, deadline=None)
@given(lon=st.floats(74, 134.5), lat=st.floats(18.5, 53.0), numbered=st.booleans())
def test_every_place_is_recognised_in_its_own_zone(lon: float, lat: float, numbered: bool) -> None:
    code = zone_code(3 * round(lon / 3), numbered=numbered)
    crs = pyproj.CRS.from_epsg(code)
    assert crs.area_of_use is not None
    west, south, east, north = crs.area_of_use.bounds
    assume(west <= lon <= east and south <= lat <= north)
    x, y = pyproj.Transformer.from_crs(4490, crs, always_xy=True).transform(lon, lat)
    looks = recognise((x - 100, y - 100, x + 100, y + 100))
    assert f"EPSG:{code}" in [candidate.code for candidate in looks.candidates]
    assert (looks.only is not None) == numbered
    assert not looks.swapped


@settings(max_examples=60, deadline=None)
@given(code=st.sampled_from([*range(4491, 4555), *range(2327, 2391), *range(2401, 2443), 21420, 21460]))
def test_counterparts_differ_in_the_number_only(code: int) -> None:
    other = counterpart(code)
    assert other is not None
    assert counterpart(other) == code
    a, b = ({p.name: p.value for p in pyproj.CRS.from_epsg(c).coordinate_operation.params} for c in (code, other))
    east_a, east_b = a.pop("False easting"), b.pop("False easting")
    assert a == b
    assert min(east_a, east_b) == 500_000
    three_degrees = code in range(4513, 4555) or code in range(2349, 2391) or code in range(2401, 2443)
    meridian = a["Longitude of natural origin"]
    number = meridian / 3 if three_degrees else (meridian + 3) / 6
    assert abs(east_a - east_b) == number * 1e6


def test_no_counterpart_elsewhere() -> None:
    assert counterpart(4490) is None
    assert counterpart(32650) is None
    assert counterpart(4555) is None


@pytest.mark.parametrize(
    ("code", "extent", "declare"),
    [
        (4547, ZONE_38, "`crs: EPSG:4526`"),
        (4526, ZONE_BARE, "`crs: EPSG:4547`"),
        (2383, ZONE_38, "`crs: EPSG:2362`"),  # Xi'an 80 stays Xi'an 80
        (2435, ZONE_38, "`crs: EPSG:2414`"),  # and Beijing 54 itself
        (4547, swap(ZONE_BARE), "`axes: yx`"),
        (4526, swap(ZONE_38), "`axes: yx`"),
        (4547, swap(ZONE_38), "`crs: EPSG:4526` and `axes: yx`"),
        (4490, (39.4, 75.9, 39.5, 76.0), "`axes: yx`"),  # Kashgar: both orders are possible degrees
        (32650, swap((490_000.0, 2_500_000.0, 510_000.0, 2_510_000.0)), "`axes: yx`"),
        (2154, swap((650_000.0, 6_860_000.0, 660_000.0, 6_870_000.0)), "`axes: yx`"),
    ],
)
def test_a_better_reading(code: int, extent: Extent, declare: str) -> None:
    crs = pyproj.CRS.from_epsg(code)
    assert far_from_use(crs, extent) is not None
    assert better_reading(crs, extent) == declare


@pytest.mark.parametrize(
    ("code", "extent"),
    [(4547, ZONE_BARE), (4526, ZONE_38), (4490, DEGREES), (4326, (39.4, 75.9, 39.5, 76.0)), (32650, ZONE_BARE)],
)
def test_what_fits_is_left_alone(code: int, extent: Extent) -> None:
    assert far_from_use(pyproj.CRS.from_epsg(code), extent) is None


def test_far_away_without_a_better_reading() -> None:
    crs = pyproj.CRS.from_epsg(4490)
    cambridge = (-71.2, 42.3, -71.0, 42.5)
    lies = far_from_use(crs, cambridge)
    assert lies is not None
    assert "longitude -71.1, latitude 42.4" in lies
    assert better_reading(crs, cambridge) is None


def test_an_esri_spelling_has_its_area_too() -> None:
    esri = pyproj.CRS.from_wkt(pyproj.CRS.from_epsg(4547).to_wkt("WKT1_ESRI"))
    assert esri.area_of_use is None
    assert better_reading(esri, ZONE_38) == "`crs: EPSG:4526`"
