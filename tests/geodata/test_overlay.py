from __future__ import annotations

import math
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from geodata.errors import CrsError, DataError
from geodata.overlay import OverlayResult, overlay_fields
from geodata.spec_land import OverlaySpec
from tests.geodata.shapes import CRS, box, walls


def land(**shapes: Any) -> gpd.GeoDataFrame:
    index = pd.Index(list(shapes), name="parcel_id", dtype="str")
    return gpd.GeoDataFrame(geometry=list(shapes.values()), index=index, crs=CRS)


def layer(*shapes: Any, **columns: Any) -> gpd.GeoDataFrame:
    return gpd.GeoDataFrame(columns, geometry=list(shapes), crs=CRS)


def spec(effect: str = "exclude", **more: Any) -> OverlaySpec:
    return OverlaySpec(**({"name": "red", "effect": effect, "path": Path("red.gpkg")} | more))


def lay(parcels: gpd.GeoDataFrame, features: gpd.GeoDataFrame, effect: str = "exclude", **more: Any) -> OverlayResult:
    return overlay_fields(parcels, features, spec(effect, **more))


def m2(result: OverlayResult) -> list[float]:
    return [float(v) for v in result.fields["red_m2"]]


def kept_out(result: OverlayResult) -> list[str]:
    assert result.verdict is not None
    return list(result.verdict.index[result.verdict])


def warned(result: OverlayResult) -> list[str]:
    return [n.what for n in result.notes if n.warning]


ROW = land(a=box(0, 0, 10, 10), b=box(10, 0, 10, 10), c=box(20, 0, 10, 10))


class TestExclude:
    def test_overlap_in_m2_and_share(self) -> None:
        result = lay(ROW, layer(box(5, 0, 10, 4)))
        assert m2(result) == [20.0, 20.0, 0.0]
        assert list(result.fields["red_share"]) == pytest.approx([0.2, 0.2, 0.0])
        assert kept_out(result) == ["a", "b"]
        assert list(result.overlap["parcel_id"]) == ["a", "b"]
        assert result.overlap.geometry.area.tolist() == [20.0, 20.0]
        assert list(result.overlap.columns) == ["parcel_id", "overlay", "overlap_m2", "share", "attribute", "geometry"]

    def test_ground_under_several_features_counts_once(self) -> None:
        result = lay(ROW, layer(box(0, 0, 6, 10), box(4, 0, 4, 10), box(0, 0, 6, 10)))
        assert m2(result) == [80.0, 0.0, 0.0]

    @pytest.mark.parametrize(
        ("depth", "more", "out"),
        [
            (0.1, {}, []),  # 1 m², the tolerance
            (0.1001, {}, ["a"]),
            (2.0, {"tolerance_share": 0.2}, []),
            (2.0001, {"tolerance_share": 0.2}, ["a"]),
            (2.0, {"tolerance_m2": 20}, []),
            (2.0, {"tolerance_m2": 19.9, "tolerance_share": 0.1}, ["a"]),
            (1e-7, {"tolerance_m2": 0}, []),  # 1e-6 m² is rounding
        ],
    )
    def test_the_larger_tolerance_counts(self, depth: float, more: dict[str, Any], out: list[str]) -> None:
        assert kept_out(lay(ROW, layer(box(-5, -5, 5 + depth, 20)), **more)) == out

    def test_parcels_that_touch_only_overlap_nothing(self) -> None:
        result = lay(ROW, layer(box(0, 10, 30, 5)))
        assert m2(result) == [0, 0, 0]
        assert result.overlap.empty
        assert len(result.features) == 1

    def test_who_is_kept_out_and_who_is_just_within_is_noted(self) -> None:
        result = lay(ROW, layer(box(-5, 0, 5.05, 10), box(20, 0, 5, 10)), label="永久基本农田")
        notes = {n.what.split(" (")[0]: n.items for n in result.notes}
        assert notes["overlaps 永久基本农田 beyond the tolerance: kept out"] == ("c",)
        assert notes["overlaps 永久基本农田 within the tolerance"] == ("a",)

    def test_invalid_and_empty_features_are_mended_and_noted(self) -> None:
        bow = shapely.Polygon([(0, 0), (10, 10), (10, 0), (0, 10)])
        result = lay(ROW, layer(bow, None, shapely.Polygon()))
        assert m2(result) == pytest.approx([50.0, 0, 0])
        assert [n.items for n in result.notes if n.warning] == [("row 2", "row 3"), ("row 1",)]

    def test_a_layer_elsewhere_is_warned_about(self) -> None:
        result = lay(ROW, layer(box(9000, 0, 5, 5)))
        assert warned(result) == ["touches no parcel; it lies 9.0 km away: check its CRS"]
        assert warned(lay(ROW, layer(None))) == [
            "features without geometry: they take part in nothing",
            "holds no feature that covers any ground",
        ]

    def test_inputs_stay_as_they_were(self) -> None:
        features = layer(shapely.Polygon([(0, 0), (10, 10), (10, 0), (0, 10)]), box(40, 0, 500, 5))
        before = features.copy(deep=True)
        lay(ROW, features)
        assert features.geometry.to_wkb().equals(before.geometry.to_wkb())


class TestRequire:
    def test_land_outside_counts(self) -> None:
        result = lay(ROW, layer(box(0, 0, 19.95, 10)), "require")
        assert m2(result) == pytest.approx([100.0, 99.5, 0.0])
        assert kept_out(result) == ["c"]
        assert kept_out(lay(ROW, layer(box(0, 0, 19.95, 10)), "require", tolerance_m2=0.4)) == ["b", "c"]

    def test_a_boundary_that_encloses_nothing_is_refused(self) -> None:
        with pytest.raises(DataError, match="nothing that covers any ground"):
            lay(ROW, layer(None), "require")

    def test_a_boundary_elsewhere_keeps_all_out_and_warns(self) -> None:
        result = lay(ROW, layer(box(9000, 0, 5, 5)), "require")
        assert kept_out(result) == ["a", "b", "c"]
        assert warned(result) == ["touches no parcel; it lies 9.0 km away: check its CRS"]


class TestTag:
    def test_value_of_the_largest_overlap(self) -> None:
        features = layer(
            box(0, 0, 4, 10), box(4, 0, 3, 10), box(7, 0, 3, 10), box(12, 0, 8, 10), zone=["x", "y", "y", None]
        )
        result = lay(ROW, features, "tag", attribute="zone")
        assert result.verdict is None
        assert [None if pd.isna(v) else v for v in result.fields["red"]] == ["y", None, None]
        table = result.overlap[["parcel_id", "attribute", "overlap_m2"]].astype(object)
        rows = [tuple(None if pd.isna(v) else v for v in row) for row in table.to_numpy()]
        assert rows == [("a", "x", 40.0), ("a", "y", 60.0), ("b", None, 80.0)]
        assert [(n.items, n.warning) for n in result.notes] == [(("a",), False), (("b",), True)]

    def test_ties_do_not_depend_on_the_order(self) -> None:
        halves = [box(0, 0, 5, 10), box(5, 0, 5, 10)]
        one = lay(ROW, layer(*halves, zone=["y", "x"]), "tag", attribute="zone")
        other = lay(ROW, layer(*halves[::-1], zone=["x", "y"]), "tag", attribute="zone")
        assert one.fields["red"]["a"] == other.fields["red"]["a"] == "x"

    def test_a_missing_column_is_named(self) -> None:
        with pytest.raises(DataError, match="no column 'zone'"):
            lay(ROW, layer(box(0, 0, 1, 1)), "tag", attribute="zone")


class TestBuffers:
    def test_lines_and_points_need_one(self) -> None:
        with pytest.raises(DataError, match=r"LineString, Point in row 2, row 3.*buffer_m"):
            lay(ROW, layer(box(0, 0, 1, 1), shapely.Point(5, 5), shapely.LineString([(0, 0), (1, 1)])))

    def test_a_strip_along_a_line_and_around_a_point(self) -> None:
        result = lay(ROW, layer(shapely.LineString([(-50, 5), (15, 5)]), shapely.Point(25, 5)), buffer_m=2)
        circle = math.pi * 4
        assert m2(result) == pytest.approx([40, 5 * 4 + circle / 2, circle], rel=0.002)
        assert m2(result)[2] <= circle
        assert (result.features.geometry.geom_type == "Polygon").all()

    def test_a_strip_around_a_polygon_includes_it(self) -> None:
        assert m2(lay(ROW, layer(box(-5, -50, 5, 100)), buffer_m=3))[0] == pytest.approx(30)


class TestFeatures:
    def test_cut_to_the_neighbourhood_with_what_the_check_needs(self) -> None:
        features = layer(box(-9000, 0, 9005, 10), box(5000, 0, 5, 5))
        result = lay(ROW, features, tolerance_m2=3, tolerance_share=0.1)
        assert result.features.geometry.iloc[0].equals(box(-100, 0, 105, 10))
        row = result.features.drop(columns="geometry").iloc[0].to_dict()
        assert row == {"overlay": "red", "effect": "exclude", "tolerance_m2": 3.0, "tolerance_share": 0.1}
        assert len(result.features) == 1
        assert result.features.crs == ROW.crs


def test_other_crs_is_refused() -> None:
    with pytest.raises(CrsError):
        lay(ROW, layer(box(0, 0, 1, 1)).to_crs(4326))


def rough(seed: int, corners: int) -> shapely.Polygon:
    """A star with many corners across the walls."""
    rng = np.random.default_rng(seed)
    angle = np.linspace(0, 2 * math.pi, corners, endpoint=False)
    radius = rng.uniform(20, 90, corners)
    x, y = 500_000 + rng.uniform(0, 150), 2_500_000 + rng.uniform(0, 80)
    return shapely.Polygon(np.column_stack([x + radius * np.cos(angle), y + radius * np.sin(angle)]))


class TestProperties:
    @settings(max_examples=25, deadline=None)
    @given(walls(), st.lists(st.tuples(st.integers(0, 10**6), st.sampled_from([5, 40, 300])), max_size=3), st.randoms())
    def test_as_the_plain_slow_way_and_in_any_order(
        self, shapes: list[Any], stars: list[tuple[int, int]], random: Any
    ) -> None:
        """Overlaps by one intersection with the union; cutting large features into tiles changes nothing."""
        parcels = land(**{f"p{k}": s for k, s in enumerate(shapes)})
        red = [rough(*star) for star in stars]
        ground = shapely.union_all(red) if red else shapely.Polygon()
        slow = [parcel.intersection(ground).area for parcel in shapes]
        result = lay(parcels, layer(*red), tolerance_m2=5)
        np.testing.assert_allclose(m2(result), slow, atol=2e-4)
        assert result.overlap["overlap_m2"].sum() == pytest.approx(sum(slow), abs=1e-3)
        assert shapely.is_valid(result.overlap.geometry.to_numpy()).all()
        random.shuffle(red)
        other = lay(parcels.iloc[::-1], layer(*red), tolerance_m2=5)
        assert list(other.fields.index) == list(parcels.index[::-1])
        np.testing.assert_allclose(other.fields.loc[parcels.index, "red_m2"].astype(float), m2(result), atol=1e-6)
        assert result.verdict is not None and other.verdict is not None
        far_from_the_limit = np.abs(np.array(slow) - 5) > 1e-3
        assert (result.verdict == other.verdict.loc[parcels.index])[far_from_the_limit].all()


class TestRealLand:
    @pytest.mark.slow
    def test_thousands_of_parcels_under_a_thousand_features(self, shared_data: Callable[[str], Path]) -> None:
        parcels = gpd.read_parquet(shared_data("veneto") / "veneto_PD_56559.parquet")
        parcels = parcels[parcels.geometry.is_valid & parcels.geom_type.isin(["Polygon", "MultiPolygon"])]
        parcels = parcels.set_axis(pd.Index([f"p{k}" for k in range(len(parcels))], name="parcel_id", dtype="str"))
        parcels = parcels[["geometry"]].to_crs(32632)
        west, south, east, north = parcels.total_bounds
        rng = np.random.default_rng(7)
        centres = shapely.points(rng.uniform(west, east, 1000), rng.uniform(south, north, 1000))
        red = shapely.buffer(centres, rng.uniform(50, 900, 1000), quad_segs=24)
        start = time.process_time()
        result = lay(parcels, gpd.GeoDataFrame(geometry=red, crs=parcels.crs))
        spent = time.process_time() - start
        assert spent < 20
        ground = shapely.union_all(red)
        some = parcels.iloc[::997]
        slow = shapely.area(shapely.intersection(some.geometry.to_numpy(), ground))
        np.testing.assert_allclose(result.fields.loc[some.index, "red_m2"].astype(float), slow, atol=0.01)
