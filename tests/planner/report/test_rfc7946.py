"""Every GeoJSON of a plan by RFC 7946; the check itself is tried on files that break it."""

import json

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

from geodata.write import write_geojson_rfc7946
from planner.report.exports import blocks_geojson, parcels_geojson
from tests.planner.report.plan_builders import CRS, grid_plan, hostile_plan
from tests.planner.report.rfc7946 import faults

HOSTILE = [
    "</script>",
    '{"type": "Feature"}',
    "[1, 2]",
    "null",
    "NaN",
    '\u2028\u0000\ud7ff"\\\n',
    "长山头𠀀",
    "\ufeff",
    "=1+1",
]
SQUARE = [[114.1, 22.8], [114.2, 22.8], [114.2, 22.9], [114.1, 22.9], [114.1, 22.8]]


@pytest.fixture(scope="module")
def plan():
    return grid_plan(columns=8, rows=8)


def test_parcels_and_blocks(plan, tmp_path):
    for name, layer in (("plan", parcels_geojson(plan)), ("blocks", blocks_geojson(plan))):
        write_geojson_rfc7946(layer, tmp_path / f"{name}.geojson")
        assert faults(tmp_path / f"{name}.geojson") == []
        features = json.loads((tmp_path / f"{name}.geojson").read_text(encoding="utf-8"))["features"]
        assert len(features) == len(layer)
        assert [list(f["properties"]) for f in features] == [list(layer.columns.drop("geometry"))] * len(layer)


def test_unknown_is_null(plan, tmp_path):
    parcels = parcels_geojson(plan)
    parcels["score"] = np.where(np.arange(len(parcels)) == 0, np.nan, parcels["score"])
    parcels["phase"] = parcels["phase"].mask(parcels.index == 0)
    write_geojson_rfc7946(parcels, tmp_path / "plan.geojson")
    assert faults(tmp_path / "plan.geojson") == []
    first = json.loads((tmp_path / "plan.geojson").read_text(encoding="utf-8"))["features"][0]["properties"]
    assert (first["score"], first["phase"]) == (None, None)


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_values_stay_text(text, tmp_path):
    tables, _ = hostile_plan(text)
    for layer in (parcels_geojson(tables), blocks_geojson(tables)):
        write_geojson_rfc7946(layer, tmp_path / "plan.geojson")
        assert faults(tmp_path / "plan.geojson") == []
        zones = {
            f["properties"]["zone"]
            for f in json.loads((tmp_path / "plan.geojson").read_text(encoding="utf-8"))["features"]
        }
        assert zones == {text.split("\x00", 1)[0]}  # texts of GDAL end at a NUL


def test_clockwise_land_with_holes_is_turned(tmp_path):
    holed = shapely.box(514_000, 2_520_000, 514_100, 2_520_100) - shapely.box(514_020, 2_520_020, 514_040, 2_520_040)
    for turned in (shapely.orient_polygons(holed), shapely.orient_polygons(holed, exterior_cw=True)):
        both = shapely.MultiPolygon([turned, shapely.affinity.translate(turned, 500)])
        layer = gpd.GeoDataFrame({"a": pd.array([1, None], "Int64")}, geometry=[turned, both], crs=CRS)
        write_geojson_rfc7946(layer, tmp_path / "turned.geojson")
        assert faults(tmp_path / "turned.geojson") == []


def test_hold_outs(plan, tmp_path):
    """The layer of hold-outs as `planner explain holdouts` makes it: facts of parcels, lists as text."""
    parcels = plan.parcels[plan.parcels["block_id"].notna()]
    layer = parcels[["parcel_id", "block_id", "area_mu", "geometry"]].assign(
        stands=[i % 2 == 0 for i in range(len(parcels))], price_high=np.nan, reason='[1, "a"]'
    )
    write_geojson_rfc7946(layer, tmp_path / "holdouts.geojson")
    assert faults(tmp_path / "holdouts.geojson") == []
    first = json.loads((tmp_path / "holdouts.geojson").read_text(encoding="utf-8"))["features"][0]["properties"]
    assert (first["stands"], first["price_high"], first["reason"]) == (True, None, '[1, "a"]')


def feature(**changes):
    geometry = {"type": "Polygon", "coordinates": [SQUARE]}
    return {"type": "Feature", "properties": {}, "geometry": geometry} | changes


def polygon(*rings):
    return feature(geometry={"type": "Polygon", "coordinates": list(rings)})


BROKEN = {
    "crs": ({"crs": {"type": "name"}}, [feature()], "member 'crs'"),
    "clockwise": ({}, [polygon(SQUARE[::-1])], "clockwise"),
    "open": ({}, [polygon(SQUARE[:-1])], "not closed"),
    "hole": ({}, [polygon(SQUARE, SQUARE)], "a hole counter-clockwise"),
    "short": ({}, [polygon(SQUARE[:3])], "fewer than four"),
    "metres": ({}, [polygon([[514_000, 2_520_000], *SQUARE[1:-1], [514_000, 2_520_000]])], "off the globe"),
    "decimals": ({}, [polygon([[114.123456789, 22.8], *SQUARE[1:-1], [114.123456789, 22.8]])], "decimals"),
    "properties": ({}, [feature(properties=[1])], "properties"),
    "no geometry": ({}, [{"type": "Feature", "properties": {}}], "no geometry member"),
    "ids": ({}, [feature(id=1), feature(id=1)], "an id twice"),
    "member": ({}, [feature(coordinates=[])], "member 'coordinates'"),
    "nesting": ({}, [feature(geometry={"type": "MultiPolygon", "coordinates": [SQUARE]})], "position"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_the_check_finds_what_is_broken(name, tmp_path):
    more, features, expected = BROKEN[name]
    path = tmp_path / "x.geojson"
    path.write_text(json.dumps({"type": "FeatureCollection", "features": features, **more}), encoding="utf-8")
    assert any(expected in fault for fault in faults(path)), faults(path)


@pytest.mark.parametrize("raw", [b"\xef\xbb\xbf{}", b'{"type": NaN}', b"\xff", b'{"a": 1, "a": 2}', b"[]"])
def test_the_check_finds_what_is_no_geojson(raw, tmp_path):
    (tmp_path / "x.geojson").write_bytes(raw)
    assert faults(tmp_path / "x.geojson")
