from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pyogrio
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely.geometry.base import BaseGeometry

from geodata.errors import CrsError, DataError
from geodata.repair import LOG_COLUMNS, RepairResult, repair
from geodata.spec import RepairSpec
from tests.geodata.shapes import box, cambridge, frame, jittered, walls, with_ids

SPEC = RepairSpec()


def rows(result: RepairResult, *columns: str) -> list[tuple[object, ...]]:
    return [tuple(row) for row in result.log[list(columns)].itertuples(index=False)]


def greatest_overlap_m2(parcels: gpd.GeoDataFrame) -> float:
    """Slow and plain: every pair that meets."""
    geometry = np.asarray(parcels.geometry.array)
    a, b = shapely.STRtree(geometry).query(geometry, predicate="intersects")
    areas = shapely.area(shapely.intersection(geometry[a[a < b]], geometry[b[a < b]]))
    return float(areas.max(initial=0.0))


def check_sound(before: gpd.GeoDataFrame, result: RepairResult) -> None:
    """What holds for every repair."""
    parcels, log = result.parcels, result.log
    assert parcels.is_valid.all() and not parcels.is_empty.any()
    assert set(parcels.geom_type) <= {"Polygon", "MultiPolygon"}
    assert greatest_overlap_m2(parcels) <= 1e-4
    assert list(parcels.index) == list(before.index[before.index.isin(parcels.index)])
    gone = set(before.index) - set(parcels.index)
    assert gone == set(log.loc[log["action"] == "dropped", "parcel_id"])
    assert log.crs == before.crs and list(log.columns) == list(LOG_COLUMNS)
    assert abs(result.balance.unexplained_m2) <= 1e-9 * max(result.balance.before_m2, 1.0)
    assert result.balance.after_m2 == pytest.approx(parcels.area.sum())
    untouched = parcels.index.difference(log.loc[log["action"] != "kept", "parcel_id"])
    assert parcels.geometry[untouched].geom_equals_exact(before.geometry[untouched].force_2d(), 0).all()
    again = repair(parcels, SPEC)
    assert len(again.changes) == 0
    assert again.parcels.geometry.geom_equals_exact(parcels.geometry, 0).all()


def test_sound_parcels_come_back_untouched() -> None:
    parcels = frame({"b": box(0, 0, 10, 10), "a": box(10, 0, 10, 10)})
    result = repair(parcels, SPEC)
    pd.testing.assert_frame_equal(pd.DataFrame(result.parcels), pd.DataFrame(parcels))
    assert result.log.empty and result.log.crs == parcels.crs
    assert (result.balance.before_m2, result.balance.after_m2, result.balance.change_m2) == (200.0, 200.0, {})


def test_bow_tie_is_made_valid() -> None:
    parcels = frame({"bow": shapely.Polygon([(0, 0), (10, 10), (10, 0), (0, 10)])})
    result = repair(parcels, SPEC)
    check_sound(parcels, result)
    assert rows(result, "parcel_id", "issue", "action") == [
        ("bow", "invalid", "made_valid"),
        ("bow", "multipart", "kept"),
    ]
    assert result.parcels.geometry["bow"].area == pytest.approx(50.0)
    assert "Self-intersection" in result.log["note"][0]


def test_what_has_no_area_is_dropped_and_named() -> None:
    parcels = frame(
        {
            "null": None,
            "empty": shapely.Polygon(),
            "point": shapely.Point(1, 1),
            "line": shapely.LineString([(0, 0), (5, 0)]),
            "flat": shapely.Polygon([(0, 0), (9, 0), (5, 0)]),
            "wild": shapely.Polygon([(0, 0), (9, 0), (np.inf, 9)]),
            "good": box(20, 0, 10, 10),
        }
    )
    result = repair(parcels, SPEC)
    assert list(result.parcels.index) == ["good"]
    found = dict(result.log[["parcel_id", "issue"]].to_numpy().tolist())
    assert found == {
        "null": "empty",
        "empty": "empty",
        "point": "not_polygon",
        "line": "not_polygon",
        "flat": "invalid",
        "wild": "invalid",
    }
    assert (result.log["action"] == "dropped").all()
    assert "LineString" in result.log.set_index("parcel_id")["note"]["line"]


def test_polygons_of_a_collection_are_kept() -> None:
    mixed = shapely.GeometryCollection([box(0, 0, 10, 10), shapely.MultiPoint([(50, 50), (60, 60)])])
    result = repair(frame({"mixed": mixed}), SPEC)
    assert result.parcels.geometry["mixed"].equals(box(0, 0, 10, 10))
    assert rows(result, "issue", "action", "area_after_m2") == [("not_polygon", "part_dropped", 100.0)]
    assert result.log.geometry[0].geom_type == "GeometryCollection"


def test_lines_left_by_make_valid_are_dropped_and_logged() -> None:
    # A polygon with a part folded flat: two parts, one of them without area.
    folded = shapely.MultiPolygon([box(0, 0, 10, 10), shapely.Polygon([(50, 0), (60, 0), (50, 0), (50, 0)])])
    result = repair(frame({"p": folded}), SPEC)
    assert result.parcels.geometry["p"].equals(box(0, 0, 10, 10))
    assert rows(result, "issue", "action") == [("invalid", "made_valid"), ("not_polygon", "part_dropped")]


@pytest.mark.parametrize("order", [("b", "a"), ("a", "b")])
def test_of_duplicates_the_first_id_stays_whatever_the_order(order: tuple[str, str]) -> None:
    shapes = {"a": box(0, 0, 10, 10), "b": shapely.Polygon([(10, 10), (0, 10), (0, 0), (10, 0)])}
    result = repair(frame({k: shapes[k] for k in order}), SPEC)
    assert list(result.parcels.index) == ["a"]
    assert rows(result, "parcel_id", "issue", "action", "other_id") == [("b", "duplicate", "dropped", "a")]


def test_duplicate_share_counts_of_the_larger() -> None:
    shapes = {"a": box(0, 0, 100, 10), "b": box(0, 0, 96, 10), "c": box(200, 0, 100, 10), "d": box(200, 0, 94, 10)}
    result = repair(frame(shapes), SPEC)
    assert rows(result, "parcel_id", "issue", "other_id") == [("b", "duplicate", "a"), ("c", "overlap", "d")]


def test_chain_of_duplicates_is_settled_from_the_first_id() -> None:
    # a = b and b = c within 95 %, but a and c share less: c stays, and its overlap with a is cut.
    shapes = {"a": box(0, 0, 100, 10), "b": box(3, 0, 100, 10), "c": box(6, 0, 100.5, 10)}
    result = repair(frame(shapes), SPEC)
    assert rows(result, "parcel_id", "issue", "action", "other_id") == [
        ("b", "duplicate", "dropped", "a"),
        ("c", "overlap", "cut", "a"),
    ]
    assert result.parcels.geometry["c"].area == pytest.approx(65.0)


def test_slivers_whole_and_in_part() -> None:
    shapes = {
        "parts": shapely.MultiPolygon([box(0, 0, 10, 10), box(20, 0, 1, 1), box(30, 0, 1.1, 1)]),
        "small": box(50, 0, 1, 1),
        "crumbs": shapely.MultiPolygon([box(60, 0, 1, 0.5), box(70, 0, 1, 0.9)]),
        "just": box(80, 0, 1.1, 1),
    }
    result = repair(frame(shapes), SPEC)
    check_sound(frame(shapes), result)
    assert sorted(result.parcels.index) == ["just", "parts"]
    assert rows(result, "parcel_id", "issue", "action") == [
        ("crumbs", "sliver", "dropped"),
        ("parts", "sliver", "part_dropped"),
        ("parts", "multipart", "kept"),
        ("small", "sliver", "dropped"),
    ]
    assert result.parcels.area["parts"] == pytest.approx(101.1)
    assert result.balance.change_m2["sliver"] == pytest.approx(-(1 + 1 + 1.4))


def test_smaller_parcel_keeps_the_overlap() -> None:
    shapes = {"large": box(0, 0, 20, 10), "small": box(18, 0, 10, 10)}
    result = repair(frame(shapes), SPEC)
    assert result.parcels.area.to_dict() == pytest.approx({"large": 180.0, "small": 100.0})
    log = result.log.iloc[0]
    assert (log["parcel_id"], log["other_id"], log["action"]) == ("large", "small", "cut")
    assert log.geometry.equals(box(18, 0, 2, 10))
    assert (log["area_before_m2"], log["area_after_m2"]) == pytest.approx((200.0, 180.0))


@pytest.mark.parametrize("order", [("p", "q"), ("q", "p")])
def test_of_equal_parcels_the_first_id_keeps(order: tuple[str, str]) -> None:
    shapes = {"p": box(0, 0, 10, 10), "q": box(8, 0, 10, 10)}
    result = repair(frame({k: shapes[k] for k in order}), SPEC)
    assert result.parcels.area.to_dict() == pytest.approx({"p": 100.0, "q": 80.0})


def test_stack_of_three_gives_each_its_own_ground() -> None:
    shapes = {"farm": box(0, 0, 100, 100), "field": box(10, 10, 50, 50), "yard": box(20, 20, 10, 10)}
    parcels = frame(shapes)
    result = repair(parcels, SPEC)
    check_sound(parcels, result)
    assert result.parcels.area.to_dict() == pytest.approx({"farm": 7500.0, "field": 2400.0, "yard": 100.0})
    assert result.parcels.area.sum() == pytest.approx(100 * 100)
    assert ("farm", "field") in rows(result, "parcel_id", "other_id")


def test_parcel_covered_by_smaller_ones_is_dropped() -> None:
    shapes = {"whole": box(0, 0, 20, 10), "west": box(0, 0, 10, 10), "east": box(10, 0, 10, 10)}
    result = repair(frame(shapes), SPEC)
    assert sorted(result.parcels.index) == ["east", "west"]
    assert rows(result, "parcel_id", "issue", "action", "other_id") == [
        ("whole", "overlap", "cut", "east"),
        ("whole", "overlap", "dropped", "west"),
    ]
    assert result.balance.after_m2 == pytest.approx(200.0)


def test_cut_into_two_parts_is_said() -> None:
    shapes = {"strip": box(0, 0, 100, 10), "road": box(40, -50, 5, 110)}
    result = repair(frame(shapes), SPEC)
    log = result.log[result.log["issue"] == "multipart"]
    assert log["parcel_id"].tolist() == ["strip"] and "after cutting" in log["note"].iloc[0]


def test_threads_between_portions_are_dropped() -> None:
    # Two portions 3 cm apart: what is left of the farm between them would hang on it as a spike of 60 m.
    shapes = {"farm": box(0, 0, 100, 70), "one": box(10, 0, 29.97, 60), "two": box(40, 0, 30, 60)}
    parcels = frame(shapes)
    result = repair(parcels, SPEC)
    check_sound(parcels, result)
    rest = shapely.union_all([box(0, 0, 10, 70), box(0, 60, 100, 10), box(70, 0, 30, 70)])
    farm = result.parcels.geometry["farm"]
    assert farm.symmetric_difference(rest).area < 0.01 and farm.length == pytest.approx(rest.length, abs=0.2)
    thread = result.log[result.log["issue"] == "sliver"].iloc[0]
    assert thread["area_before_m2"] - thread["area_after_m2"] == pytest.approx(1.8, abs=0.01)
    assert "thinner than 0.05 m" in thread["note"] and thread.geometry.area == pytest.approx(1.8, abs=0.01)


def test_small_overlap_is_cut_and_marked_as_within_tolerance() -> None:
    shapes = {"a": box(0, 0, 20, 10), "b": box(19.95, 0, 10, 10)}
    result = repair(frame(shapes), SPEC)
    assert "within 1 m2" in result.log["note"][0] and result.parcels.area["a"] == pytest.approx(199.5)


def test_heights_are_left_out_and_counted() -> None:
    parcels = frame({"a": shapely.force_3d(box(0, 0, 10, 10), 7.0), "b": box(10, 0, 10, 10)})
    result = repair(parcels, SPEC)
    assert result.heights_left_out == 1 and not result.parcels.has_z.any()


def test_input_is_not_changed_and_columns_stay() -> None:
    parcels = frame({"b": box(0, 0, 10, 10), "a": box(5, 0, 10, 10)}).rename_geometry("shape")
    copy = parcels.copy()
    result = repair(parcels, SPEC)
    pd.testing.assert_frame_equal(pd.DataFrame(parcels), pd.DataFrame(copy))
    assert result.parcels.geometry.name == "shape" and list(result.parcels.columns) == ["owner", "shape"]


def test_no_parcels_at_all() -> None:
    empty = frame({"a": box(0, 0, 1, 1)}).iloc[:0]
    result = repair(empty, SPEC)
    assert len(result.parcels) == 0 and result.log.empty and result.balance.after_m2 == 0.0


def test_ids_and_crs_are_checked_first() -> None:
    good = frame({"a": box(0, 0, 1, 1), "b": box(5, 0, 1, 1)})
    with pytest.raises(DataError, match="a more than once"):
        repair(good.set_axis(pd.Index(["a", "a"]), axis=0), SPEC)
    with pytest.raises(DataError, match="non-empty text"):
        repair(good.set_axis(pd.Index([1, 2]), axis=0), SPEC)
    with pytest.raises(CrsError, match="no CRS"):
        repair(good.set_crs(None, allow_override=True), SPEC)
    with pytest.raises(CrsError, match="degrees"):
        repair(good.set_crs(4326, allow_override=True), SPEC)
    with pytest.raises(CrsError, match="foot"):
        repair(good.set_crs(2249, allow_override=True), SPEC)


@settings(max_examples=10, deadline=None)
@given(walls(), st.randoms(use_true_random=False), st.integers(0, 1000))
def test_spoilt_walls_come_back(wall: list[BaseGeometry], random: object, seed: int) -> None:
    rng = np.random.default_rng(seed)
    parcels = {f"{k:03d}": jittered(shape, seed + k) for k, shape in enumerate(wall)}
    area = {k: shape.area for k, shape in zip(parcels, wall, strict=True)}
    for name in rng.choice(list(parcels), size=min(3, len(parcels)), replace=False).tolist():
        parcels[f"{name} again"] = parcels[name]
    # The land office's outline of everything lies on top of it all: covered, it must go.
    parcels["outline"] = shapely.union_all(wall)
    names = list(rng.permutation(list(parcels)))
    spoilt = frame({name: parcels[name] for name in names})
    result = repair(spoilt, SPEC)
    check_sound(spoilt, result)
    if len(wall) == 1:
        assert len(result.parcels) == 1
        return
    assert set(area) <= set(result.parcels.index) <= {*area, "outline"}
    for name, m2 in area.items():
        limit = 0.06 * shapely.length(parcels[name]) + 1.0
        assert result.parcels.area[name] == pytest.approx(m2, abs=limit)
    straight = repair(frame({name: parcels[name] for name in sorted(parcels)}), SPEC)
    pd.testing.assert_frame_equal(pd.DataFrame(straight.log), pd.DataFrame(result.log))
    assert straight.parcels.geometry.geom_equals_exact(result.parcels.geometry[straight.parcels.index], 0).all()


@settings(max_examples=10, deadline=None)
@given(
    st.lists(st.tuples(*[st.integers(0, 60)] * 2, *[st.integers(1, 40)] * 2), min_size=1, max_size=8), st.integers(0, 9)
)
def test_any_heap_of_rectangles_keeps_its_ground(heap: list[tuple[int, int, int, int]], seed: int) -> None:
    parcels = frame({f"{k}": box(*rectangle) for k, rectangle in enumerate(heap)})
    spec = RepairSpec(sliver_max_m2=0.0, duplicate_share=1.0)
    result = repair(parcels, spec)
    assert greatest_overlap_m2(result.parcels) <= 1e-4
    assert result.parcels.area.sum() == pytest.approx(parcels.union_all().area)
    shuffled = repair(parcels.sample(frac=1, random_state=seed), spec)
    assert shuffled.parcels.geometry.geom_equals_exact(result.parcels.geometry[shuffled.parcels.index], 0).all()


def test_cambridge(shared_data: Callable[[str], Path]) -> None:
    parcels = with_ids(cambridge(shared_data("cambridge_fy13")))
    result = repair(parcels, SPEC)
    check_sound(parcels, result)
    invalid = set(parcels.index[~parcels.is_valid])
    assert set(result.log.loc[result.log["issue"] == "invalid", "parcel_id"]) == invalid
    assert (result.log["issue"] == "duplicate").sum() == 1


@pytest.mark.slow
def test_stacked_farms_come_through(shared_data: Callable[[str], Path]) -> None:
    parcels = with_ids(pyogrio.read_dataframe(shared_data("swellendam/farms_33S.shp")))
    result = repair(parcels, SPEC)
    check_sound(parcels, result)
    ground = shapely.union_all(shapely.make_valid(np.asarray(parcels.geometry.array), method="structure")).area
    # Dropping near-duplicates can give up to a twentieth of each; everything else keeps its ground.
    dropped = result.log[result.log["issue"] == "duplicate"]
    assert ground - 0.05 * dropped["area_before_m2"].sum() <= result.parcels.area.sum() <= ground + 1.0
    shuffled = repair(parcels.sample(frac=1, random_state=3), SPEC)
    assert shuffled.parcels.geometry.geom_equals_exact(result.parcels.geometry[shuffled.parcels.index], 0).all()


@pytest.mark.parametrize(
    "name", [pytest.param("veneto/thiene_cluster.gpkg", marks=pytest.mark.slow), "seoul_gangnam/Parcels.shp"]
)
def test_other_real_sets(shared_data: Callable[[str], Path], name: str) -> None:
    parcels = with_ids(pyogrio.read_dataframe(shared_data(name)))
    check_sound(parcels, repair(parcels, SPEC))


@pytest.mark.slow
def test_veneto(shared_data: Callable[[str], Path]) -> None:
    parcels = with_ids(gpd.read_parquet(shared_data("veneto/veneto_PD_56559.parquet")))
    result = repair(parcels, SPEC)
    check_sound(parcels, result)
    assert result.balance.after_m2 == pytest.approx(result.balance.before_m2, rel=1e-4)
