from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pyogrio
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely.geometry import LineString, MultiPolygon, box

from geodata.errors import CrsError
from geodata.hashing import file_sha256, hash_files, source_files
from geodata.read import read_vector
from geodata.write import write_geojson_rfc7946, write_gpkg, write_json, write_text

HOSTILE = '</script><img onerror=alert(1)>{"a": [1]}'


def plan(crs: int = 4547) -> gpd.GeoDataFrame:
    clockwise = [box(500_000 + 100 * i, 2_520_000, 500_090 + 100 * i, 2_520_080, ccw=False) for i in range(3)]
    data = {
        "parcel_id": ["a", "b", "c"],
        "phase": pd.array([1, None, 3], dtype="Int64"),
        "score": [0.25, np.nan, 1.0],
        "tax": pd.array([1.5, None, -2.0], dtype="Float64"),
        "reason": pd.array(['{"looks": "like JSON"}', None, HOSTILE], dtype="string"),
        "zone": ["[1, 2]", None, "片区"],
        "papers": pd.array([True, None, False], dtype="boolean"),
    }
    return gpd.GeoDataFrame(data, geometry=clockwise, crs=crs)


class TestGeoJson:
    def test_rfc7946(self, tmp_path: Path) -> None:
        write_geojson_rfc7946(plan(), tmp_path / "plan.geojson")
        text = (tmp_path / "plan.geojson").read_text(encoding="utf-8")
        document = json.loads(text)
        assert document["type"] == "FeatureCollection"
        assert "crs" not in document
        properties = [f["properties"] for f in document["features"]]
        assert properties[0] == {
            "parcel_id": "a",
            "phase": 1,
            "score": 0.25,
            "tax": 1.5,
            "reason": '{"looks": "like JSON"}',
            "zone": "[1, 2]",
            "papers": True,
        }
        assert properties[1] == {
            "parcel_id": "b",
            **dict.fromkeys(["phase", "score", "tax", "reason", "zone", "papers"]),
        }
        assert properties[2]["reason"] == HOSTILE
        assert isinstance(properties[2]["phase"], int)
        for feature in document["features"]:
            ring = feature["geometry"]["coordinates"][0]
            assert shapely.LinearRing(ring).is_ccw
            assert all(113 < x < 115 and 22 < y < 24 for x, y in ring)
            assert all(round(value, 7) == value for xy in ring for value in xy)

    def test_it_comes_back(self, tmp_path: Path) -> None:
        write_geojson_rfc7946(plan(), tmp_path / "plan.geojson")
        back = read_vector(tmp_path / "plan.geojson").to_crs(4547)
        assert shapely.hausdorff_distance(back.geometry, plan().geometry).max() < 0.02

    def test_empty_and_infinite_and_unknown_datum(self, tmp_path: Path) -> None:
        write_geojson_rfc7946(plan().iloc[:0], tmp_path / "p.geojson")
        assert json.loads((tmp_path / "p.geojson").read_text(encoding="utf-8"))["features"] == []
        with pytest.raises(ValueError, match="'score' holds an infinite"):
            write_geojson_rfc7946(plan().assign(score=np.inf), tmp_path / "q.geojson")
        with pytest.raises(CrsError, match="no transformation"):
            write_geojson_rfc7946(plan(2435), tmp_path / "q.geojson")
        assert sorted(file.name for file in tmp_path.iterdir()) == ["p.geojson"]


class TestGeoPackage:
    def layers(self) -> dict[str, gpd.GeoDataFrame]:
        parcels = plan()
        mixed = parcels.set_geometry([parcels.geometry[0], MultiPolygon([parcels.geometry[1]]), None], crs=4547)
        barriers = gpd.GeoDataFrame({"name": ["河"]}, geometry=[LineString([(0, 0), (1, 1)])], crs=4547)
        anything = gpd.GeoDataFrame({"n": [1, 2]}, geometry=[box(0, 0, 1, 1), LineString([(0, 0), (1, 1)])], crs=4547)
        links = gpd.GeoDataFrame({"gap_m": pd.Series([], dtype=float)}, geometry=gpd.GeoSeries([], crs=4547))
        return {"parcels": parcels, "mixed": mixed, "barriers": barriers, "repair_log": anything, "links": links}

    def test_layers_and_their_types(self, tmp_path: Path) -> None:
        path = tmp_path / "plan.gpkg"
        write_gpkg(self.layers(), path, {"parcels": "<qgis/>"})
        kinds = {name: kind for name, kind in pyogrio.list_layers(path) if kind is not None}
        assert kinds == {
            "parcels": "MultiPolygon",
            "mixed": "MultiPolygon",
            "barriers": "MultiLineString",
            "repair_log": "Unknown",
            "links": "Unknown",
        }
        info = pyogrio.read_info(path, layer="links")
        assert (list(info["fields"]), info["features"]) == (["gap_m"], 0)
        back = read_vector(path, layer="parcels")
        assert back["phase"].tolist()[0] == 1
        assert str(back["phase"].dtype) == "Int64"
        assert pd.isna(back["phase"][1])
        assert back["reason"][2] == HOSTILE
        assert back.crs.to_epsg() == 4547

    def test_version_and_styles(self, tmp_path: Path) -> None:
        path = tmp_path / "plan.gpkg"
        write_gpkg(self.layers(), path, {"parcels": "<qgis>p</qgis>", "barriers": "<qgis>b</qgis>"}, "合成数据")
        with closing(sqlite3.connect(path)) as connection:
            assert connection.execute("PRAGMA user_version").fetchone() == (10200,)
            assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
            assert connection.execute("SELECT DISTINCT description FROM gpkg_contents").fetchall() == [("合成数据",)]
            rows = connection.execute(
                "SELECT f_table_name, f_geometry_column, styleQML, useAsDefault FROM layer_styles ORDER BY id"
            ).fetchall()
        assert rows == [("parcels", "geom", "<qgis>p</qgis>", 1), ("barriers", "geom", "<qgis>b</qgis>", 1)]

    def test_same_plan_same_bytes(self, tmp_path: Path) -> None:
        for name in ("a", "b"):
            (tmp_path / name).mkdir()
            write_gpkg(self.layers(), tmp_path / name / "plan.gpkg", {"parcels": "<qgis/>"})
        assert file_sha256(tmp_path / "a" / "plan.gpkg") == file_sha256(tmp_path / "b" / "plan.gpkg")

    def test_an_index_with_a_name_is_a_column(self, tmp_path: Path) -> None:
        write_gpkg({"p": plan().set_index("parcel_id")}, tmp_path / "p.gpkg")
        assert read_vector(tmp_path / "p.gpkg")["parcel_id"].tolist() == ["a", "b", "c"]

    def test_misuse(self, tmp_path: Path) -> None:
        with pytest.raises(ValueError, match="at least one layer"):
            write_gpkg({}, tmp_path / "p.gpkg")
        with pytest.raises(ValueError, match="not written: blocks"):
            write_gpkg({"p": plan()}, tmp_path / "p.gpkg", {"blocks": ""})

    def test_a_failure_leaves_what_was_there(self, tmp_path: Path) -> None:
        path = tmp_path / "p.gpkg"
        write_gpkg({"p": plan()}, path)
        before = file_sha256(path)
        with pytest.raises(ValueError, match="infinite"):
            write_gpkg({"p": plan(), "q": plan().assign(score=-np.inf)}, path)
        assert file_sha256(path) == before
        assert [file.name for file in tmp_path.iterdir()] == ["p.gpkg"]


class TestText:
    def test_json(self, tmp_path: Path) -> None:
        write_json({"名": [1, None, np.int64(2), np.float64(0.5), True]}, tmp_path / "s.json")
        raw = (tmp_path / "s.json").read_bytes()
        assert "名".encode() in raw
        assert b"\r" not in raw
        assert json.loads(raw) == {"名": [1, None, 2, 0.5, True]}
        for value, error in ((float("nan"), ValueError), ({1, 2}, TypeError)):
            with pytest.raises(error):
                write_json({"x": value}, tmp_path / "s.json")
        assert (tmp_path / "s.json").read_bytes() == raw

    def test_text_replaces(self, tmp_path: Path) -> None:
        write_text("a\n", tmp_path / "t.md")
        write_text("亩\n", tmp_path / "t.md")
        assert (tmp_path / "t.md").read_bytes() == "亩\n".encode()


class TestHashes:
    def test_a_shapefile_counts_with_its_parts(self, tmp_path: Path) -> None:
        pyogrio.write_dataframe(plan()[["parcel_id", "geometry"]], tmp_path / "p.shp")
        (tmp_path / "other.dbf").write_bytes(b"x")
        names = [file.name for file in source_files(tmp_path / "p.shp")]
        assert names == ["p.cpg", "p.dbf", "p.prj", "p.shp", "p.shx"]
        before = hash_files([tmp_path / "p.shp"])
        (tmp_path / "other.dbf").write_bytes(b"y")
        assert hash_files([tmp_path / "p.shp"]) == before
        (tmp_path / "p.cpg").write_bytes(b"GBK")
        assert hash_files([tmp_path / "p.shp"]) != before

    def test_folders_and_places(self, tmp_path: Path) -> None:
        for place in ("a", "b"):
            (tmp_path / place / "p.gdb").mkdir(parents=True)
            (tmp_path / place / "p.gdb" / "a1.gdbtable").write_bytes(b"data")
        (tmp_path / "b" / "p.gdb" / "x.lock").write_bytes(b"")
        assert hash_files([tmp_path / "a" / "p.gdb"]) == hash_files([tmp_path / "b" / "p.gdb"])
        (tmp_path / "b" / "p.gdb" / "a2.gdbtable").write_bytes(b"")
        assert hash_files([tmp_path / "a" / "p.gdb"]) != hash_files([tmp_path / "b" / "p.gdb"])

    def test_known_hash(self, tmp_path: Path) -> None:
        (tmp_path / "t").write_bytes(b"abc")
        assert file_sha256(tmp_path / "t") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"

    @settings(max_examples=30, deadline=None)
    @given(
        contents=st.lists(st.binary(max_size=20), min_size=1, max_size=3),
        at=st.integers(0, 2),
        more=st.binary(min_size=1),
    )
    def test_any_change_is_seen(
        self, contents: list[bytes], at: int, more: bytes, tmp_path_factory: pytest.TempPathFactory
    ) -> None:
        folder = tmp_path_factory.mktemp("hash")
        paths = [folder / f"{i}.csv" for i in range(len(contents))]
        for path, content in zip(paths, contents, strict=True):
            path.write_bytes(content)
        before = hash_files(paths)
        changed = paths[at % len(paths)]
        changed.write_bytes(changed.read_bytes() + more)
        assert hash_files(paths) != before
