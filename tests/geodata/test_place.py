"""Sources brought to their true place, or refused with what to declare."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import pyproj
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely.geometry import Point, box

from geodata.crs import choose_metric_crs, to_metric
from geodata.errors import CrsError
from geodata.place import place
from geodata.read import read_vector
from geodata.spec_source import SimilaritySpec, SourceSpec
from geodata.transformation import transform
from geodata.web_maps import shift

DEGREES = box(113.8, 22.7, 113.9, 22.8)
BARE = box(490_000, 2_500_000, 510_000, 2_510_000)
NUMBERED = shapely.transform(BARE, lambda xy: xy + np.array([38_000_000, 0]))


def frame(geometry: Any, crs: Any = None) -> gpd.GeoDataFrame:
    return gpd.GeoDataFrame({"id": ["a"]}, geometry=[geometry], crs=crs)


def swap(geometry: shapely.Geometry) -> shapely.Geometry:
    return shapely.transform(geometry, lambda xy: xy[:, ::-1])


def refusal(geometry: Any, own: Any = None, /, **spec: Any) -> str:
    with pytest.raises(CrsError) as caught:
        place(frame(geometry, own), SourceSpec(**spec), "land.shp")
    assert all(issue.where.startswith("land.shp") for issue in caught.value.issues)
    return str(caught.value)


class TestSettled:
    @pytest.mark.parametrize(
        ("geometry", "own", "spec", "code"),
        [
            (DEGREES, 4490, {}, 4490),
            (DEGREES, None, {"crs": "EPSG:4490"}, 4490),
            (DEGREES, 4490, {"crs": "EPSG:4490"}, 4490),
            (NUMBERED, 4526, {"crs": "auto"}, 4526),
            (BARE, 4547, {}, 4547),
        ],
    )
    def test_a_known_crs_is_kept_and_nothing_noted(self, geometry: Any, own: Any, spec: Any, code: int) -> None:
        raw = frame(geometry, own)
        placed, notes = place(raw, SourceSpec(**spec), "land.shp")
        assert placed.crs.to_epsg() == code
        assert placed.geometry.iloc[0].equals(geometry)
        assert notes == []
        assert raw.crs == (None if own is None else pyproj.CRS.from_epsg(own))

    def test_file_and_user_contradict(self) -> None:
        message = refusal(BARE, 4547, crs="EPSG:4548")
        assert "CM 114E (EPSG:4547) in the file, " in message
        assert "CM 117E (EPSG:4548) in the configuration" in message

    @pytest.mark.parametrize(
        "placeholder",
        [
            'ENGCRS["Undefined Cartesian SRS",EDATUM["Unknown engineering datum"],CS[Cartesian,2],AXIS["(E)",east,'
            'ORDER[1]],AXIS["(N)",north,ORDER[2]],LENGTHUNIT["metre",1]]',
            'LOCAL_CS["Unknown",UNIT["metre",1]]',
        ],
    )
    def test_a_placeholder_for_none_is_none(self, placeholder: str) -> None:
        assert "no coordinate reference system" in refusal(BARE, placeholder)
        placed, _ = place(frame(BARE, placeholder), SourceSpec(crs="EPSG:4547"), "land.gpkg")
        assert placed.crs.to_epsg() == 4547

    def test_a_crs_without_a_name_is_one(self) -> None:
        unnamed = pyproj.CRS.from_proj4("+proj=tmerc +lat_0=0 +lon_0=114 +k=1 +x_0=500000 +ellps=GRS80 +towgs84=0,0,0")
        placed, _ = place(frame(BARE, unnamed), SourceSpec(), "land.parquet")
        assert placed.crs == unnamed

    def test_not_finite(self) -> None:
        assert "row 1" in refusal(Point(np.inf, 1), 4490)

    def test_without_coordinates(self) -> None:
        empty = gpd.GeoDataFrame({"id": ["a"]}, geometry=gpd.GeoSeries([None], crs=4490))
        for spec in (SourceSpec(), SourceSpec(axes="yx"), SourceSpec(shifted="BD-09")):
            placed, _ = place(empty, spec, "land.shp")
            assert len(placed) == 1
        for nothing in (empty.set_crs(None, allow_override=True), empty.iloc[:0].set_crs(None, allow_override=True)):
            with pytest.raises(CrsError, match="no coordinate reference system"):
                place(nothing, SourceSpec(), "land.shp")
        with pytest.raises(CrsError, match="no coordinates"):
            place(empty.set_crs(None, allow_override=True), SourceSpec(crs="auto"), "land.shp")


class TestWithoutCrs:
    @pytest.mark.parametrize(
        ("geometry", "words"),
        [
            (DEGREES, ["longitude before latitude", "`crs: EPSG:4490`"]),
            (swap(DEGREES), ["latitude before longitude", "`crs: EPSG:4490` and `axes: yx`"]),
            (NUMBERED, ["3-degree zone 38, central meridian 114°E", "`crs: EPSG:4526`"]),
            (swap(NUMBERED), ["north before east", "`crs: EPSG:4526` and `axes: yx`"]),
            (BARE, ["without its number", "EPSG:4546", "EPSG:4547", "EPSG:4548", "UTM", "central meridian"]),
            (swap(BARE), ["without its number", "`axes: yx`"]),
            (box(12_680_000, 2_600_000, 12_690_000, 2_610_000), ["Web Mercator", "`crs: EPSG:3857`"]),
            (box(1000, 2000, 3000, 4000), ["local grid", "`similarity`", "surveying office"]),
        ],
    )
    def test_the_refusal_says_what_to_declare(self, geometry: Any, words: list[str]) -> None:
        message = refusal(geometry)
        assert "declare it beside `path`" in message
        for word in words:
            assert word in message

    @pytest.mark.parametrize(
        ("geometry", "code"),
        [(DEGREES, 4490), (NUMBERED, 4526), (box(19_700_000, 2_500_000, 19_710_000, 2_510_000), 4497)],
    )
    def test_auto_takes_the_one_system_and_says_what_it_assumed(self, geometry: Any, code: int) -> None:
        placed, notes = place(frame(geometry), SourceSpec(crs="auto"), "land.shp")
        assert placed.crs.to_epsg() == code
        assert placed.geometry.iloc[0].equals(geometry)
        assert len(notes) == 1
        assert notes[0].warning
        assert "ASSUMED" in notes[0].what
        assert "Xi'an 80" in notes[0].what
        assert ("GCJ-02" in notes[0].what) == (code == 4490)

    def test_auto_after_swapping(self) -> None:
        placed, notes = place(frame(swap(NUMBERED)), SourceSpec(crs="auto", axes="yx"), "land.shp")
        assert placed.crs.to_epsg() == 4526
        assert placed.geometry.iloc[0].equals(NUMBERED)
        assert "swapped" in notes[0].what

    @pytest.mark.parametrize(
        ("geometry", "word"),
        [
            (BARE, "EPSG:4548"),
            (swap(NUMBERED), "axes: yx"),
            (box(12_680_000, 2_600_000, 12_690_000, 2_610_000), "Web Mercator"),
            (box(1000, 2000, 3000, 4000), "local grid"),
            (box(-71.2, 42.3, -71.1, 42.4), "degrees outside China"),
        ],
    )
    def test_auto_refuses_what_is_not_one_system(self, geometry: Any, word: str) -> None:
        message = refusal(geometry, crs="auto")
        assert "`crs: auto`" in message
        assert word in message


class TestContradiction:
    @pytest.mark.parametrize(
        ("geometry", "code", "declare"),
        [
            (NUMBERED, 4547, "`crs: EPSG:4526`"),
            (BARE, 4526, "`crs: EPSG:4547`"),
            (swap(BARE), 4547, "`axes: yx`"),
            (swap(DEGREES), 4490, "`axes: yx`"),
            (NUMBERED, 4490, "`crs: EPSG:4526`"),
            (DEGREES, 4547, "EPSG:4490"),
        ],
    )
    def test_what_the_numbers_say_instead(self, geometry: Any, code: int, declare: str) -> None:
        assert declare in refusal(geometry, crs=f"EPSG:{code}")
        assert declare in refusal(geometry, code)  # said by the file: as wrong

    def test_far_away_is_refused_if_declared_and_noted_if_from_the_file(self) -> None:
        cambridge = box(-71.2, 42.3, -71.1, 42.4)
        assert "far outside its area of use" in refusal(cambridge, crs="EPSG:4490")
        placed, notes = place(frame(cambridge, 4490), SourceSpec(), "land.shp")
        assert placed.crs.to_epsg() == 4490
        assert [note.warning for note in notes] == [True]
        assert "far outside" in notes[0].what

    def test_swapping_what_is_in_order(self) -> None:
        for spec in ({"crs": "EPSG:4547"}, {"crs": "EPSG:4526"}, {"crs": "auto"}):
            geometry = BARE if spec["crs"] == "EPSG:4547" else NUMBERED
            assert "Leave `axes` out" in refusal(geometry, axes="yx", **spec)

    def test_swapped_as_declared(self) -> None:
        raw = frame(swap(BARE), 4547)
        placed, notes = place(raw, SourceSpec(axes="yx"), "land.shp")
        assert placed.geometry.iloc[0].equals(BARE)
        assert raw.geometry.iloc[0].equals(swap(BARE))
        assert [(note.count, note.warning) for note in notes] == [(1, False)]


class TestOldDatums:
    @pytest.mark.parametrize("code", [4610, 4214, 2362, 2383, 2435])
    def test_refused_without_parameters(self, code: int) -> None:
        crs = pyproj.CRS.from_epsg(code)
        x, y = pyproj.Transformer.from_crs(crs.geodetic_crs, crs, always_xy=True).transform(113.9, 22.8)
        for spec, own in (({}, code), ({"crs": f"EPSG:{code}"}, None)):
            message = refusal(Point(x, y).buffer(0.001), own, **spec)
            for word in ("not public", "surveying office", "`towgs84`", "`similarity`"):
                assert word in message

    def test_local_grid_is_refused(self) -> None:
        message = refusal(box(0, 0, 100, 100), 'LOCAL_CS["site grid",UNIT["metre",1]]')
        assert "site grid" in message
        assert "`similarity`" in message
        assert "surveying office" in message

    def test_seven_parameters_as_published(self) -> None:
        # IOGP 373-07-02, Position Vector transformation, WGS 72 to WGS 84
        spec = SourceSpec(crs="EPSG:4322", towgs84=(0, 0, 4.5, 0, 0, 0.554, 0.219))
        placed, notes = place(frame(Point(4, 55)), spec, "land.shp")
        there = placed.geometry.iloc[0]
        assert placed.crs.to_epsg() == 4326  # outside China
        np.testing.assert_allclose(np.array([there.x, there.y]) * 3600, [14_400.554, 198_000.090], atol=6e-4)
        assert "towgs84" in notes[0].what

    @pytest.mark.parametrize("parameters", [(15.8, -154.4, -82.3), (-100.2, 110.7, 60.1, 1.5, -2.1, 3.3, -4.4)])
    @pytest.mark.parametrize(("code", "a", "f"), [(2383, 6_378_140.0, 1 / 298.257), (2435, 6_378_245.0, 1 / 298.3)])
    def test_parameters_against_an_independent_shift(
        self, parameters: tuple[float, ...], code: int, a: float, f: float
    ) -> None:
        crs = pyproj.CRS.from_epsg(code)
        x, y = pyproj.Transformer.from_crs(crs.geodetic_crs, crs, always_xy=True).transform(113.9, 22.8)
        placed, notes = place(frame(Point(x, y), crs), SourceSpec(towgs84=parameters), "land.shp")
        expected = helmert(113.9, 22.8, a, f, parameters)
        there = placed.geometry.iloc[0]
        assert placed.crs.to_epsg() == 4490
        np.testing.assert_allclose([there.x, there.y], expected, atol=1e-9)  # 0.1 mm
        away = pyproj.Geod(ellps="WGS84").inv(113.9, 22.8, *expected)[2]
        assert f"{away:.2f} m" in notes[0].what
        assert not notes[0].warning
        metric = to_metric(placed, choose_metric_crs(placed))
        assert metric.crs.to_epsg() == 4547
        back = transform(metric, pyproj.CRS.from_epsg(4490)).geometry.iloc[0]
        np.testing.assert_allclose([back.x, back.y], expected, atol=1e-9)

    def test_parameters_that_move_the_land_far_are_warned_about(self) -> None:
        _, notes = place(frame(Point(113.9, 22.8), 4610), SourceSpec(towgs84=(1500.0, 0.0, 0.0)), "land.shp")
        assert notes[0].warning
        assert "check the parameters" in notes[0].what

    @pytest.mark.parametrize("code", [4490, 4547, 4326])
    def test_parameters_for_a_datum_that_needs_none(self, code: int) -> None:
        geometry = BARE if code == 4547 else DEGREES
        assert "already" in refusal(geometry, code, towgs84=(1.0, 2.0, 3.0))

    def test_parameters_on_top_of_those_of_the_file(self) -> None:
        own = pyproj.CRS.from_user_input("+proj=longlat +ellps=krass +towgs84=15.8,-154.4,-82.3,0,0,0,0 +no_defs")
        assert "its own datum shift" in refusal(DEGREES, own, towgs84=(1.0, 2.0, 3.0))

    def test_parameters_without_a_crs(self) -> None:
        assert "no coordinate reference system" in refusal(DEGREES, towgs84=(1.0, 2.0, 3.0))


def helmert(lon: float, lat: float, a: float, f: float, p: tuple[float, ...]) -> npt.NDArray[np.float64]:
    """Position vector shift from an ellipsoid to that of WGS 84, by the formulas of IOGP 373-07-02."""
    dx, dy, dz, rx, ry, rz, ppm = (*p, 0, 0, 0, 0)[:7]
    rx, ry, rz = (math.radians(r / 3600) for r in (rx, ry, rz))
    e2 = f * (2 - f)
    lam, phi = math.radians(lon), math.radians(lat)
    nu = a / math.sqrt(1 - e2 * math.sin(phi) ** 2)
    source = np.array(
        [nu * math.cos(phi) * math.cos(lam), nu * math.cos(phi) * math.sin(lam), nu * (1 - e2) * math.sin(phi)]
    )
    turn = np.array([[1, -rz, ry], [rz, 1, -rx], [-ry, rx, 1]])
    x, y, z = (1 + ppm * 1e-6) * turn @ source + [dx, dy, dz]
    a2, f2 = 6_378_137.0, 1 / 298.257223563
    e2 = f2 * (2 - f2)
    rho = math.hypot(x, y)
    phi = math.atan2(z, rho * (1 - e2))
    for _ in range(20):
        nu = a2 / math.sqrt(1 - e2 * math.sin(phi) ** 2)
        phi = math.atan2(z + e2 * nu * math.sin(phi), rho)
    return np.degrees([math.atan2(y, x), phi])


class TestSimilarity:
    def test_by_hand(self) -> None:
        # a quarter turn counter-clockwise takes east to north, and 100 ppm of 1000 m are 0.1 m
        spec = SimilaritySpec(to="EPSG:4547", dx_m=500_000, dy_m=2_500_000, rotation_s=90 * 3600, scale_ppm=100)
        placed, notes = place(frame(shapely.LineString([(0, 0), (1000, 0)])), SourceSpec(similarity=spec), "land.dxf")
        assert placed.crs.to_epsg() == 4547
        np.testing.assert_allclose(
            shapely.get_coordinates(placed.geometry.iloc[0]), [[500_000, 2_500_000], [500_000, 2_501_000.1]], atol=1e-6
        )
        assert "similarity" in notes[0].what

    @settings(max_examples=30, deadline=None)
    @given(x=st.floats(0, 50_000), y=st.floats(0, 50_000), turn=st.floats(-3600, 3600), ppm=st.floats(-200, 200))
    def test_the_formula_of_its_description(self, x: float, y: float, turn: float, ppm: float) -> None:
        spec = SimilaritySpec(to="EPSG:4547", dx_m=480_000, dy_m=2_500_000, rotation_s=turn, scale_ppm=ppm)
        there = place(frame(Point(x, y)), SourceSpec(similarity=spec), "land.dxf")[0].geometry.iloc[0]
        r, m = turn / 206_264.806247096355, 1 + ppm * 1e-6
        assert there.x == pytest.approx(480_000 + m * (x * math.cos(r) - y * math.sin(r)), abs=1e-6)
        assert there.y == pytest.approx(2_500_000 + m * (x * math.sin(r) + y * math.cos(r)), abs=1e-6)

    @pytest.mark.parametrize("own", [2383, 'LOCAL_CS["site grid",UNIT["metre",1]]'])
    def test_from_the_plane_of_an_old_datum_or_a_local_grid(self, own: Any) -> None:
        spec = SimilaritySpec(to="EPSG:4547", dx_m=117.3, dy_m=-4.2)
        placed, _ = place(frame(BARE, own), SourceSpec(similarity=spec), "land.shp")
        assert placed.geometry.iloc[0].bounds == pytest.approx((490_117.3, 2_499_995.8, 510_117.3, 2_509_995.8))

    def test_refused(self) -> None:
        good = SimilaritySpec(to="EPSG:4547", dx_m=500_000, dy_m=2_500_000)
        local = box(0, 0, 100, 100)
        assert "in the file, and `similarity`" in refusal(BARE, 4547, similarity=good)
        assert "in the file, and `similarity`" in refusal(DEGREES, 4610, similarity=good)
        for bad in ("EPSG:4490", "EPSG:2249"):
            assert "projected CRS in metres" in refusal(local, similarity=good.model_copy(update={"to": bad}))
        nowhere = good.model_copy(update={"dx_m": 0.0, "dy_m": 0.0})
        assert "after `similarity`" in refusal(local, similarity=nowhere)
        xian = good.model_copy(update={"to": "EPSG:2383"})
        assert "not public" in refusal(local, similarity=xian)


class TestShifted:
    @pytest.mark.parametrize("system", ["GCJ-02", "BD-09"])
    @pytest.mark.parametrize("code", [4326, 4490, 4547, 4526, 3857])
    def test_true_again_in_their_own_crs(self, system: Any, code: int) -> None:
        crs = pyproj.CRS.from_epsg(code)
        true = transform(frame(DEGREES, 4326), crs)
        degrees = shapely.transform(DEGREES, lambda a: np.column_stack(shift(a[:, 0], a[:, 1], system)))
        wrong = transform(frame(degrees, 4326), crs)
        placed, notes = place(wrong, SourceSpec(shifted=system), "land.shp")
        assert placed.crs == crs
        tolerance = 1e-11 if crs.is_geographic else 1e-5
        assert placed.geometry.iloc[0].equals_exact(true.geometry.iloc[0], tolerance)
        assert notes[0].warning
        away = pyproj.Geod(ellps="WGS84").inv(*shapely.get_coordinates(DEGREES).T, *shapely.get_coordinates(degrees).T)
        assert f"{np.mean(away[2]):.0f} m" in notes[0].what

    def test_without_a_crs_the_degrees_speak_for_themselves(self) -> None:
        placed, notes = place(frame(DEGREES), SourceSpec(shifted="GCJ-02"), "land.shp")
        assert placed.crs.to_epsg() == 4490
        assert 100 < placed.geometry.iloc[0].hausdorff_distance(DEGREES) * 111_000 < 1000
        assert len(notes) == 2
        assert "without a CRS" in refusal(BARE, shifted="GCJ-02")

    def test_refused(self) -> None:
        assert "no coordinate in China" in refusal(box(-71.2, 42.3, -71.1, 42.4), 4326, shifted="BD-09")
        assert "WGS 84 or CGCS2000" in refusal(box(-71.2, 42.3, -71.1, 42.4), 4269, shifted="BD-09")

    def test_features_outside_china_are_left_and_listed(self) -> None:
        both = gpd.GeoDataFrame(geometry=[DEGREES, box(139.7, 35.6, 139.8, 35.7)], crs=4326)
        placed, notes = place(both, SourceSpec(shifted="GCJ-02"), "land.shp")
        assert placed.geometry.iloc[1].equals(both.geometry.iloc[1])
        assert not placed.geometry.iloc[0].equals(both.geometry.iloc[0])
        assert notes[1].items == ("2",)

    def test_town_outlines_of_dongguan(self, shared_data: Callable[[str], Path]) -> None:
        # Two cities cannot overlap. The districts of Shenzhen are a public data set of another maker; as they stand the
        # towns of Dongguan reach into them all along the border, and declared as BD-09 they do so by the width of
        # what generalised outlines differ by.
        towns = read_vector(shared_data("messy/bd09/eddiehe99_441900.geojson"))
        districts = to_metric(read_vector(shared_data("messy/gbk/shenzhen_noprj/sz_districts.json")), "EPSG:4547")
        shenzhen = shapely.union_all(districts.geometry.to_numpy())
        placed, notes = place(towns, SourceSpec(shifted="BD-09"), "towns")

        def dongguan(gdf: gpd.GeoDataFrame) -> shapely.Geometry:
            return shapely.union_all(shapely.make_valid(to_metric(gdf, "EPSG:4547").geometry.to_numpy()))

        true = dongguan(placed)
        border_m = shapely.length(shapely.intersection(shenzhen.boundary, shapely.buffer(true, 500)))
        assert border_m > 50_000
        as_read_m = shapely.area(shapely.intersection(dongguan(towns), shenzhen)) / border_m
        placed_m = shapely.area(shapely.intersection(true, shenzhen)) / border_m
        assert as_read_m > 200
        assert placed_m < 60
        assert 1_100 < float(notes[0].what.split("moved by ")[1].split(" m")[0]) < 1_400


def test_attributes_index_and_column_order_stay() -> None:
    raw = gpd.GeoDataFrame(
        {"id": ["a", "b"], "n": pd.array([1, None], dtype="Int64")}, geometry=[swap(BARE), None], index=[7, 3], crs=4547
    )
    placed, _ = place(raw, SourceSpec(axes="yx"), "land.shp")
    pd.testing.assert_frame_equal(placed.drop(columns="geometry"), raw.drop(columns="geometry"))
    assert list(placed.columns) == ["id", "n", "geometry"]
    assert placed.geometry.iloc[1] is None


CRS_CHOICES = [None, 4490, 4326, 4547, 4526, 4497, 3857, 32650, 4610, 2383, 4214, 26986, 2249, 27572, 5186, 4978, 4979]
SPECS: list[dict[str, Any]] = [
    {},
    {"crs": "auto"},
    {"crs": "EPSG:4547"},
    {"crs": "EPSG:4610"},
    {"shifted": "GCJ-02"},
    {"shifted": "BD-09", "crs": "auto"},
    {"towgs84": (15.8, -154.4, -82.3)},
    {"crs": "EPSG:2383", "towgs84": (15.8, -154.4, -82.3, 1.0, 2.0, 3.0, 4.0)},
    {"similarity": SimilaritySpec(to="EPSG:4547", dx_m=500_000, dy_m=2_500_000)},
]


@settings(max_examples=80, deadline=None)
@given(
    x=st.floats(-1e9, 1e9) | st.floats(-200, 200) | st.floats(1e5, 5e7),
    y=st.floats(-1e9, 1e9) | st.floats(-200, 200) | st.floats(1e5, 7e6),
    side=st.sampled_from([0.0, 1e-6, 0.1, 100.0, 1e6]),
    own=st.sampled_from(CRS_CHOICES),
    spec=st.sampled_from(SPECS),
    axes=st.sampled_from(["xy", "yx"]),
)
def test_any_numbers_are_placed_or_refused(x: float, y: float, side: float, own: Any, spec: Any, axes: Any) -> None:
    raw = gpd.GeoDataFrame({"id": [1, 2]}, geometry=[Point(x, y), Point(x + side, y + side)], crs=own)
    try:
        placed, notes = place(raw, SourceSpec(**spec, axes=axes), "land.shp")
    except CrsError as error:
        assert all(issue.where.startswith("land.shp") and issue.fix for issue in error.issues)
        return
    assert placed.crs is not None
    assert list(placed["id"]) == [1, 2]
    assert np.isfinite(shapely.get_coordinates(placed.geometry.to_numpy())).all()
    assert all(note.source.startswith("land.shp") for note in notes)
