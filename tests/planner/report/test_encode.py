import json

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from planner.report.encode import encode_lines, encode_polygons, to_inline_json
from planner.report.page import page_data
from planner.tables import PlanTables
from tests.planner.report.plan_builders import CRS, context_of, grid_plan


def decode(path):
    return np.cumsum(np.array(path).reshape(-1, 2), axis=0) / 1e6


def test_square_is_its_first_corner_and_three_steps():
    square = shapely.Polygon([(114, 22), (114.001, 22), (114.001, 22.002), (114, 22.002)])
    assert encode_polygons([square]) == [[[[114_000_000, 22_000_000, 1000, 0, 0, 2000, -1000, 0]]]]


def test_holes_parts_missing_and_empty_shapes_keep_their_place():
    hole = shapely.box(1, 1, 2, 2)
    ring = shapely.box(0, 0, 3, 3).difference(hole)
    pair = shapely.MultiPolygon([shapely.box(5, 5, 6, 6), shapely.box(7, 7, 8, 8)])
    first, second, third, fourth = encode_polygons([ring, None, pair, shapely.Polygon()])
    assert [len(polygon) for polygon in first] == [2]
    assert [len(polygon) for polygon in third] == [1, 1]
    assert second == fourth == []
    np.testing.assert_allclose(shapely.Polygon(decode(first[0][1])).area, hole.area)


def test_lines_keep_both_ends():
    line = shapely.LineString([(114, 22), (114.5, 22.5), (114, 22)])
    assert [decode(p).tolist() for p in encode_lines([line])[0]] == [[[114, 22], [114.5, 22.5], [114, 22]]]


degrees = st.floats(min_value=-80, max_value=80, allow_nan=False, width=64)
rings = st.lists(st.tuples(degrees, degrees), min_size=3, max_size=12, unique=True)


@given(st.lists(rings, min_size=1, max_size=5))
def test_outlines_come_back_within_half_a_microdegree(shapes):
    polygons = [shapely.Polygon(points) for points in shapes]
    for points, (((path),),) in zip(shapes, encode_polygons(polygons), strict=True):
        assert np.abs(decode(path) - np.array(points)).max() <= 0.51e-6


@settings(max_examples=50)
@given(st.recursive(st.text() | st.integers() | st.none(), lambda x: st.lists(x) | st.dictionaries(st.text(), x)))
def test_inline_json_is_the_data_and_holds_nothing_a_page_reacts_to(data):
    text = to_inline_json(data)
    assert json.loads(text) == data
    assert not set(text) & set("<>&\u2028\u2029")


def test_number_that_json_does_not_know_is_an_error():
    with pytest.raises(ValueError, match="JSON"):
        to_inline_json({"gap": float("nan")})


def column(table, name):
    values = table["columns"][name]
    if isinstance(values, list):
        return values
    return [None if code < 0 else values["values"][code] for code in values["codes"]]


def test_parcels_keep_their_values_and_unknown_stays_unknown():
    tables = grid_plan()
    data = json.loads(to_inline_json(page_data(tables, context_of(tables))))
    parcels = tables.parcels
    for name in ("parcel_id", "status", "role", "reason", "locked", "block_id", "zone"):
        expected = [None if pd.isna(v) else v for v in parcels[name]]
        assert column(data["parcels"], name) == expected, name
    assert column(data["parcels"], "fact_village") == parcels["village"].tolist()
    assert column(data["parcels"], "phase") == [None if pd.isna(v) else int(v) for v in parcels["phase"]]
    unknown = [v is None for v in column(data["parcels"], "score")]
    assert unknown == parcels["score"].isna().tolist()
    assert any(unknown)
    np.testing.assert_allclose(column(data["parcels"], "area_mu"), parcels["area_mu"], atol=5e-5)


def test_each_parcel_is_drawn_where_it_lies():
    tables = grid_plan(columns=6, rows=6)
    data = page_data(tables, context_of(tables))
    placed = tables.parcels.to_crs("EPSG:4326").geometry
    shapes = data["parcels"]["shapes"]
    assert len(shapes) == len(placed)
    for shape, expected in zip(shapes, placed, strict=True):
        assert shapely.hausdorff_distance(shapely.Polygon(decode(shape[0][0])), expected) < 1e-6


def test_map_opens_on_the_blocks_and_their_zones():
    tables = grid_plan()
    (south, west), (north, east) = page_data(tables, context_of(tables))["bounds"]
    land = tables.blocks.to_crs("EPSG:4326").total_bounds
    assert west <= land[0] and south <= land[1] and east >= land[2] and north >= land[3]
    everything = tables.zones.to_crs("EPSG:4326").total_bounds
    np.testing.assert_allclose([west, south, east, north], everything, atol=1e-9)


def test_tables_are_not_changed():
    tables = grid_plan(columns=6, rows=6)
    before = {name: frame.copy(deep=True) for name, frame in vars(tables).items()}
    page_data(tables, context_of(tables))
    for name, frame in before.items():
        pd.testing.assert_frame_equal(pd.DataFrame(frame), pd.DataFrame(getattr(tables, name)))


def bare(parcels):
    """Tables with parcels alone, other layers empty and without a CRS."""

    def empty(*names):
        return gpd.GeoDataFrame({name: pd.Series(dtype="str") for name in names}, geometry=[])

    return PlanTables(
        parcels=parcels,
        blocks=grid_plan(columns=6, rows=6).blocks.iloc[:0],
        zones=empty("zone"),
        links=empty("parcel_a", "parcel_b", "gap_m", "used"),
        barriers=empty("name"),
        repair_log=empty("parcel_id"),
    )


def test_plan_without_blocks_zones_links_and_barriers_can_be_shown():
    parcels = grid_plan(columns=4, rows=4).parcels.drop(columns=["cost", "earliest_phase"])
    tables = bare(parcels)
    data = page_data(tables, context_of(grid_plan(columns=6, rows=6)))
    assert [len(data[k]["shapes"]) for k in ("blocks", "zones", "links", "barrier_lines", "barrier_areas")] == [0] * 5
    assert "cost" not in data["parcels"]["columns"]
    assert not data["meta"]["has_cost"]
    (south, west), (north, east) = data["bounds"]
    np.testing.assert_allclose([west, south, east, north], parcels.to_crs("EPSG:4326").total_bounds, atol=1e-9)


def test_barriers_of_lines_and_areas_are_both_kept():
    tables = grid_plan(columns=6, rows=6)
    data = page_data(tables, context_of(tables))
    assert column(data["barrier_areas"], "name") == ["石马河"]
    assert column(data["barrier_lines"], "name") == ["环城路"]
    assert CRS in data["meta"]["crs"]
