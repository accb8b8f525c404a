from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pydantic
import pyogrio
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from geodata.buildings import BuildingResult, building_fields
from geodata.errors import DataError
from geodata.spec_land import BuildingsSpec
from tests.geodata.shapes import CRS, box, walls


def land(**shapes: Any) -> gpd.GeoDataFrame:
    index = pd.Index(list(shapes), name="parcel_id", dtype="str")
    return gpd.GeoDataFrame(geometry=list(shapes.values()), index=index, crs=CRS)


def houses(*shapes: Any, **columns: Any) -> gpd.GeoDataFrame:
    return gpd.GeoDataFrame(columns, geometry=list(shapes), crs=CRS)


def spec(**more: Any) -> BuildingsSpec:
    return BuildingsSpec(**({"path": Path("houses.gpkg")} | more))


def shown(result: BuildingResult, field: str) -> list[float | None]:
    return [None if pd.isna(v) else float(v) for v in result.fields[field]]


def notes(result: BuildingResult) -> dict[str, tuple[str, ...]]:
    return {n.what: n.items for n in result.notes if n.items}


def noted(result: BuildingResult, words: str) -> tuple[str, ...]:
    found = [items for what, items in notes(result).items() if words in what]
    assert len(found) == 1, notes(result)
    return found[0]


PARCELS = land(a=box(0, 0, 100, 100), b=box(100, 0, 50, 100), c=box(150, 0, 50, 100))


class TestFootprint:
    def test_shared_between_parcels_by_intersection(self) -> None:
        result = building_fields(PARCELS, houses(box(80, 0, 30, 10), box(0, 50, 10, 10)), spec())
        assert shown(result, "footprint_m2") == [300.0, 100.0, 0.0]
        assert shown(result, "n_buildings") == [2, 1, 0]
        assert shown(result, "building_density") == pytest.approx([0.03, 0.02, 0.0])
        assert list(result.fields) == ["footprint_m2", "n_buildings", "building_density"]
        assert noted(result, "on several parcels") == ("row 1",)

    def test_overlapping_footprints_count_once(self) -> None:
        result = building_fields(PARCELS, houses(box(0, 0, 10, 10), box(5, 0, 10, 10), box(0, 0, 10, 10)), spec())
        assert shown(result, "footprint_m2") == [150.0, 0, 0]
        assert shown(result, "n_buildings") == [3, 0, 0]
        assert noted(result, "overlap each other by 150.0 m²") == ("a",)

    def test_parts_too_small_are_noise(self) -> None:
        result = building_fields(PARCELS, houses(box(0.5, 0, 100, 10)), spec(min_share=0.01))
        assert shown(result, "footprint_m2") == [995.0, 0, 0]
        assert shown(result, "n_buildings") == [1, 0, 0]
        assert noted(result, "too small to count") == ("row 1",)
        assert result.buildings["noise_m2"].tolist() == [5.0]
        assert shown(building_fields(PARCELS, houses(box(0.5, 0, 100, 10)), spec(min_share=0)), "n_buildings")[1] == 1

    def test_parts_add_up(self) -> None:
        shapes = [box(-30, 0, 60, 10), box(190, 90, 20, 20), box(500, 0, 5, 5)]
        result = building_fields(PARCELS, houses(*shapes), spec())
        assert result.buildings["outside_m2"].tolist() == [300.0, 300.0, 25.0]
        assert result.buildings["inside_m2"].tolist() == [300.0, 100.0, 0.0]
        assert noted(result, "buildings on no parcel") == ("row 3",)
        balance = next(n for n in result.notes if n.what.startswith("footprints of"))
        assert balance.what.startswith("footprints of 1025.0 m²: 400.0 m² on parcels, 625.0 m² on none")
        assert not balance.warning

    def test_parcels_that_overlap_do_not_add_up(self) -> None:
        stacked = land(a=box(0, 0, 100, 100), b=box(0, 0, 100, 100))
        result = building_fields(stacked, houses(box(0, 0, 10, 10)), spec())
        assert [n.warning for n in result.notes if "parcels overlap each other" in n.what] == [True]

    def test_no_building_at_all(self) -> None:
        result = building_fields(PARCELS, houses(floors=[]), spec(floors="floors"))
        assert shown(result, "far_measured") == [0.0, 0.0, 0.0]
        assert [n.what for n in result.notes if n.warning] == [
            "holds no building: every parcel counts as empty of buildings"
        ]

    def test_invalid_and_unfit_shapes(self) -> None:
        bow = shapely.Polygon([(0, 0), (10, 10), (10, 0), (0, 10)])
        result = building_fields(PARCELS, houses(bow, None), spec())
        assert shown(result, "footprint_m2") == pytest.approx([50.0, 0, 0])
        assert noted(result, "made valid") == ("row 1",)
        with pytest.raises(DataError, match="Point in row 1"):
            building_fields(PARCELS, houses(shapely.Point(1, 1)), spec())


class TestFloorArea:
    def test_storeys(self) -> None:
        result = building_fields(
            PARCELS, houses(box(80, 0, 30, 10), box(0, 50, 10, 10), n=["3", "2"]), spec(floors="n")
        )
        assert shown(result, "building_floor_m2") == [200 * 3 + 100 * 2, 300.0, 0.0]
        assert shown(result, "far_measured") == pytest.approx([0.08, 0.06, 0.0])

    def test_stated_floor_area_is_shared_out_by_footprint(self) -> None:
        result = building_fields(PARCELS, houses(box(80, 0, 30, 10), area=[900.0]), spec(floor_area="area"))
        assert shown(result, "building_floor_m2") == pytest.approx([600.0, 300.0, 0.0])

    def test_storeys_above_8_m_count_twice(self) -> None:
        shapes = [box(0, 0, 10, 10), box(20, 0, 10, 10), box(110, 0, 10, 10), box(160, 0, 10, 10)]
        result = building_fields(
            PARCELS, houses(*shapes, n=[1, 2, 2, 1], h=[8.1, 16.0, 16.5, None]), spec(floors="n", height="h")
        )
        assert shown(result, "building_floor_m2") == [200.0 + 200.0, 400.0, None]
        assert noted(result, "counts twice") == ("row 1", "row 3")
        assert noted(result, "not the height") == ("row 4",)

    def test_unknown_is_not_zero(self) -> None:
        shapes = [box(0, 0, 10, 10), box(20, 0, 10, 10), box(110, 0, 10, 10), box(160, 0, 10, 10)]
        frame = houses(*shapes, n=[3, 0, None, 2])
        result = building_fields(PARCELS, frame, spec(floors="n", missing=[0]))
        assert shown(result, "building_floor_m2") == [None, None, 200.0]
        assert shown(result, "footprint_m2") == [200.0, 100.0, 100.0]
        assert noted(result, "unknown floor area (200 m² of footprint)") == ("a", "b")
        plain = building_fields(PARCELS, frame, spec(floors="n"))
        assert shown(plain, "building_floor_m2") == [300.0, None, 200.0]
        assert noted(plain, "of 0 storeys") == ("row 2",)

    def test_unreadable_numbers_are_all_listed(self) -> None:
        frame = houses(box(0, 0, 1, 1), box(2, 0, 1, 1), n=["six", "-1"], h=["1", "9m"])
        with pytest.raises(DataError) as caught:
            building_fields(PARCELS, frame, spec(floors="n", height="h"))
        assert [i.where for i in caught.value.issues] == ["houses.gpkg, column n", "houses.gpkg, column h"]
        with pytest.raises(DataError, match=r"below zero: row 1 -1\.0"):
            building_fields(PARCELS, houses(box(0, 0, 1, 1), n=[-1.0]), spec(floors="n"))

    def test_height_needs_storeys(self) -> None:
        with pytest.raises(pydantic.ValidationError, match="`height` goes with `floors`"):
            spec(height="h")


class TestProperties:
    @settings(max_examples=40, deadline=None)
    @given(
        walls(),
        st.lists(st.tuples(*[st.integers(-10, 150)] * 2, *[st.integers(1, 70)] * 2, st.integers(1, 9)), max_size=8),
    )
    def test_sums_agree_with_the_whole(self, shapes: list[Any], drawn: list[tuple[int, int, int, int, int]]) -> None:
        parcels = land(**{f"p{k}": s for k, s in enumerate(shapes)})
        boxes = [box(500_000 + x, 2_500_000 + y, w, h) for x, y, w, h, _ in drawn]
        frame = houses(*boxes, n=[float(n) for *_, n in drawn])
        result = building_fields(parcels, frame, spec(floors="n", min_share=0))
        table = result.buildings
        np.testing.assert_allclose(table["inside_m2"] + table["outside_m2"], table["footprint_m2"], atol=1e-6)
        ground, everything = shapely.union_all(shapes), shapely.union_all(boxes)
        assert result.fields["footprint_m2"].sum() == pytest.approx(ground.intersection(everything).area, abs=1e-3)
        floor = sum(b.intersection(ground).area * n for b, (*_, n) in zip(boxes, drawn, strict=True))
        assert result.fields["building_floor_m2"].sum() == pytest.approx(floor, abs=1e-3)
        other = building_fields(parcels.iloc[::-1], frame.iloc[::-1], spec(floors="n", min_share=0)).fields
        pd.testing.assert_frame_equal(result.fields, other.loc[parcels.index], rtol=1e-9, atol=1e-6)


def test_real_lots_as_buildings(shared_data: Callable[[str], Path]) -> None:
    """Lots shrunk by 2 m stand in for buildings: each lies on its own lot, and all of it is found again."""
    folder = shared_data("seoul_gangnam")
    lots = pyogrio.read_dataframe(next(p for p in sorted(folder.iterdir()) if p.suffix in {".shp", ".gpkg"}))
    lots = lots[lots.geometry.is_valid].reset_index(drop=True).to_crs(5186)
    parcels = land(**{f"p{k}": g for k, g in enumerate(lots.geometry)}).set_crs(5186, allow_override=True)
    shapes = lots.geometry.buffer(-2)
    result = building_fields(parcels, gpd.GeoDataFrame({"n": 2}, index=shapes.index, geometry=shapes), spec(floors="n"))
    np.testing.assert_allclose(result.fields["footprint_m2"].astype(float), shapes.area, rtol=1e-9, atol=0.02)
    np.testing.assert_allclose(result.fields["building_floor_m2"].astype(float), 2 * shapes.area, rtol=1e-9, atol=0.04)
