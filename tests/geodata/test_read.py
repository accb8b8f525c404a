from __future__ import annotations

import json
import logging
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import geopandas as gpd
import pandas as pd
import pyogrio
import pytest
from shapely.geometry import LineString, Point, box

from geodata.crs import choose_metric_crs, to_metric
from geodata.errors import CrsError, DataError
from geodata.parcels import read_parcels
from geodata.read import read_layer, read_source, read_vector
from geodata.spec import CadSpec, FieldSpec, ParcelsSpec
from geodata.write import write_gpkg

RING = [[113.9, 22.8], [113.91, 22.8], [113.91, 22.81], [113.9, 22.8]]


def frame(n: int = 3, crs: str | None = "EPSG:32650") -> gpd.GeoDataFrame:
    boxes = [box(500_000 + 100 * i, 2_520_000, 500_090 + 100 * i, 2_520_080) for i in range(n)]
    data = {
        "编号": [f"地块{i}" for i in range(n)],
        "code": pd.array([441_900_001_000_000_000 + i if i else None for i in range(n)], dtype="Int64"),
    }
    return gpd.GeoDataFrame(data, geometry=boxes, crs=crs)


def geojson(path: Path, *features: dict[str, Any], **members: Any) -> Path:
    path.write_text(json.dumps({"type": "FeatureCollection", **members, "features": features}), encoding="utf-8")
    return path


def feature(coordinates: Any = (RING,), kind: str = "Polygon", **members: Any) -> dict[str, Any]:
    geometry = {"type": kind, "coordinates": coordinates}
    return {"type": "Feature", "properties": {"n": 1}, "geometry": geometry, **members}


def write_as(kind: str, folder: Path) -> Path:
    data = frame()
    match kind:
        case "gpkg":
            write_gpkg({"parcels": data}, folder / "p.gpkg", {"parcels": "<qgis/>"})
            return folder / "p.gpkg"
        case "fgb":
            pyogrio.write_dataframe(data, folder / "p.fgb", driver="FlatGeobuf", layer_options={"SPATIAL_INDEX": "NO"})
            return folder / "p.fgb"
        case "gdb":
            pyogrio.write_dataframe(
                data,
                folder / "p.gdb",
                driver="OpenFileGDB",
                layer="p",
                layer_options={"TARGET_ARCGIS_VERSION": "ARCGIS_PRO_3_2_OR_LATER"},
            )
            return folder / "p.gdb"
        case "geojson":
            pyogrio.write_dataframe(data, folder / "p.geojson", driver="GeoJSON")
            return folder / "p.geojson"
        case "parquet":
            data.set_index("编号").to_parquet(folder / "p.parquet")
            return folder / "p.parquet"
        case _:
            pyogrio.write_dataframe(data, folder / "地块.shp", encoding="UTF-8")
            if kind == "shp":
                return folder / "地块.shp"
            inside = "数据/" if kind == "zip in folder" else ""
            with zipfile.ZipFile(folder / "p.zip", "w") as archive:
                for part in folder.glob("地块.*"):
                    archive.write(part, inside + part.name)
            return folder / "p.zip"


@pytest.mark.parametrize("kind", ["gpkg", "fgb", "gdb", "geojson", "parquet", "shp", "zip", "zip in folder"])
def test_formats_give_the_same_land(kind: str, tmp_path: Path) -> None:
    read = read_vector(write_as(kind, tmp_path))
    expected = frame()
    assert read.crs.to_epsg() == 32650
    assert list(read["编号"]) == list(expected["编号"])
    assert read["code"].iloc[1:].tolist() == expected["code"].iloc[1:].tolist()  # 18 digits, and a gap beside them
    assert pd.isna(read["code"].iloc[0])
    assert read.columns[-1] == "geometry"
    assert all(a.equals(b) for a, b in zip(read.geometry, expected.geometry, strict=True))


def test_zipped_file_geodatabase(tmp_path: Path) -> None:
    folder = write_as("gdb", tmp_path)
    with zipfile.ZipFile(tmp_path / "p.gdb.zip", "w") as archive:
        for part in folder.iterdir():
            archive.write(part, f"p.gdb/{part.name}")
    assert len(read_vector(tmp_path / "p.gdb.zip")) == 3


class TestIdMembers:
    def test_topojson_ids_become_a_column(self, tmp_path: Path) -> None:
        shape = {"type": "Polygon", "arcs": [[0]], "properties": {"x": 1}}
        topology = {
            "type": "Topology",
            "objects": {
                "a": {"type": "GeometryCollection", "geometries": [{**shape, "id": 55}, {**shape, "id": "q7"}]}
            },
            "arcs": [RING],
        }
        (tmp_path / "t.topojson").write_text(json.dumps(topology), encoding="utf-8")
        assert list(read_vector(tmp_path / "t.topojson", crs="EPSG:4326")["id"]) == ["55", "q7"]
        with pytest.raises(CrsError, match="declare it beside `path`"):
            read_vector(tmp_path / "t.topojson")

    def test_geojson_ids_become_a_column(self, tmp_path: Path) -> None:
        path = geojson(tmp_path / "t.geojson", feature(id=77), feature(id=78))
        assert read_vector(path)["id"].tolist() == [77, 78]
        path = geojson(tmp_path / "u.geojson", feature(id="a"), feature(id="b"))
        assert read_vector(path)["id"].tolist() == ["a", "b"]
        assert "id" not in read_vector(geojson(tmp_path / "v.geojson", feature(), feature()))


class TestLayers:
    def test_several_layers_need_a_name(self, tmp_path: Path) -> None:
        path = tmp_path / "p.gpkg"
        write_gpkg({"a": frame(1), "b": frame(2), "empty": frame(0)}, path, {"a": "<qgis/>"})
        assert len(read_vector(path, layer="b")) == 2
        with pytest.raises(DataError, match="3 layers; expected one of a, b, empty"):
            read_vector(path)
        with pytest.raises(DataError, match="no layer 'c'; expected one of a, b, empty"):
            read_vector(path, layer="c")
        with pytest.raises(DataError, match="without geometry"):
            read_vector(path, layer="layer_styles")
        with pytest.raises(DataError, match="no features"):
            read_vector(path, layer="empty")

    def test_several_files_in_an_archive(self, tmp_path: Path) -> None:
        with zipfile.ZipFile(tmp_path / "p.zip", "w") as archive:
            for name in ("a", "b"):
                archive.write(geojson(tmp_path / f"{name}.geojson", feature()), f"x/{name}.geojson")
        assert len(read_vector(tmp_path / "p.zip", layer="b")) == 1
        with pytest.raises(DataError, match=r"2 datasets: x/a.geojson, x/b.geojson"):
            read_vector(tmp_path / "p.zip")

    def test_archive_without_data(self, tmp_path: Path) -> None:
        with zipfile.ZipFile(tmp_path / "p.zip", "w") as archive:
            archive.writestr("readme.md", "nothing")
        with pytest.raises(DataError, match="no vector file"):
            read_vector(tmp_path / "p.zip")

    def test_archive_of_one_file(self, tmp_path: Path) -> None:
        with zipfile.ZipFile(tmp_path / "p.zip", "w") as archive:
            archive.write(geojson(tmp_path / "地.geojson", feature()), "地.geojson")
        assert len(read_vector(tmp_path / "p.zip")) == 1

    def test_tables_have_no_geometry(self, tmp_path: Path) -> None:
        (tmp_path / "t.csv").write_text("a,b\n1,2\n", encoding="utf-8")
        with pytest.raises(DataError, match="no layer with geometry"):
            read_vector(tmp_path / "t.csv")
        pd.DataFrame({"a": [1]}).to_parquet(tmp_path / "t.parquet")
        with pytest.raises(DataError, match="cannot be read"):
            read_vector(tmp_path / "t.parquet")
        with pytest.raises(DataError, match="no geometry in any feature"):
            read_vector(geojson(tmp_path / "t.geojson", {"type": "Feature", "properties": {}, "geometry": None}))


class TestCrs:
    def test_declared_where_the_file_is_silent(self, tmp_path: Path) -> None:
        pyogrio.write_dataframe(frame(), tmp_path / "p.shp")
        (tmp_path / "p.prj").unlink()
        with pytest.raises(CrsError, match="declare it"):
            read_vector(tmp_path / "p.shp")
        assert read_vector(tmp_path / "p.shp", crs="EPSG:32650").crs.to_epsg() == 32650
        with pytest.raises(CrsError, match="'EPSG:nonsense'"):
            read_vector(tmp_path / "p.shp", crs="EPSG:nonsense")

    def test_declared_against_the_file(self, tmp_path: Path) -> None:
        path = write_as("shp", tmp_path)
        assert len(read_vector(path, crs="EPSG:32650")) == 3
        with pytest.raises(CrsError, match=r"UTM zone 50N \(EPSG:32650\) in the file, .*EPSG:32649"):
            read_vector(path, crs="EPSG:32649")

    def test_geojson_says_wgs84(self, tmp_path: Path) -> None:
        path = geojson(tmp_path / "t.geojson", feature())
        assert read_vector(path).crs.to_epsg() == 4326
        with pytest.raises(CrsError, match="RFC 7946"):
            read_vector(path, crs="EPSG:4547")

    def test_metres_in_plain_geojson(self, tmp_path: Path) -> None:
        ring = [[500_000, 2_520_000], [500_100, 2_520_000], [500_100, 2_520_100], [500_000, 2_520_000]]
        with pytest.raises(CrsError, match="look like projected"):
            read_vector(geojson(tmp_path / "t.geojson", feature([ring])))

    def test_coordinates_that_are_no_numbers(self, tmp_path: Path) -> None:
        path = geojson(tmp_path / "t.geojson", feature(), feature([[[1, 1], [2, 1], [float("nan"), 2], [1, 1]]]))
        with pytest.raises(CrsError, match="row 2"):
            read_vector(path)


class TestRefusals:
    @pytest.mark.parametrize(
        "path",
        [
            "https://example.org/a.geojson",
            "/vsicurl/https://example.org/a.geojson",
            "/vsizip/a.zip/a.shp",
            "s3://bucket/a.gpkg",
            "/base/http:/example.org/a.shp",
        ],
    )
    def test_addresses(self, path: str) -> None:
        for given in (path, Path(path)):
            with pytest.raises(DataError, match="on this computer"):
                read_vector(given)

    def test_missing_file_and_parts(self, tmp_path: Path) -> None:
        with pytest.raises(DataError, match="no file"):
            read_vector(tmp_path / "none.gpkg")
        path = write_as("shp", tmp_path)
        with pytest.raises(DataError, match="one part of a shapefile"):
            read_vector(path.with_suffix(".dbf"))

    @pytest.mark.parametrize(
        "text",
        ['<OGRVRTDataSource><OGRVRTLayer name="p"><SrcDataSource>/vsicurl/x</SrcDataSource>', "<OGRWFSDataSource>"],
    )
    @pytest.mark.parametrize("name", ["p.vrt", "p.geojson", "p.zip"])
    def test_files_that_point_elsewhere(self, text: str, name: str, tmp_path: Path) -> None:
        path = tmp_path / name
        if name == "p.zip":
            with zipfile.ZipFile(path, "w") as archive:
                archive.writestr("p.json", text)
        else:
            path.write_text(text, encoding="utf-8")
        with pytest.raises(DataError, match="points to other data"):
            read_vector(path)

    @pytest.mark.parametrize("name", ["p.geojson", "p.gpkg", "p.shp", "p.parquet", "p.zip", "p.topojson", "p.fgb"])
    @pytest.mark.parametrize("content", [b"", b"hello", bytes(range(256)) * 40])
    def test_junk(self, name: str, content: bytes, tmp_path: Path) -> None:
        (tmp_path / name).write_bytes(content)
        with pytest.raises(DataError):
            read_vector(tmp_path / name)

    @pytest.mark.parametrize("kind", ["gpkg", "fgb", "geojson", "parquet", "shp", "zip"])
    @pytest.mark.parametrize("share", [0.1, 0.5, 0.9, 0.99])
    def test_cut_off_files(self, kind: str, share: float, tmp_path: Path) -> None:
        path = write_as(kind, tmp_path)
        raw = path.read_bytes()
        path.write_bytes(raw[: int(len(raw) * share)])
        with pytest.raises(DataError):
            read_vector(path)

    def test_features_that_gdal_leaves_out(self, tmp_path: Path) -> None:
        path = geojson(tmp_path / "t.geojson", feature(), {**feature(), "type": "Feeture"})
        with pytest.raises(DataError, match="1 features could be read; expected 2"):
            read_vector(path)

    def test_broken_prj(self, tmp_path: Path) -> None:
        path = write_as("shp", tmp_path)
        path.with_suffix(".prj").write_bytes(b'PROJCS["\xff\xfe')
        with pytest.raises(DataError):
            read_vector(path)

    @pytest.mark.parametrize("part", [".dbf", ".shx"])
    def test_cut_off_parts_of_a_shapefile(self, part: str, tmp_path: Path) -> None:
        path = write_as("shp", tmp_path)
        raw = path.with_suffix(part).read_bytes()
        path.with_suffix(part).write_bytes(raw[: len(raw) // 2])
        with pytest.raises(DataError, match=r"cannot be read|could be read"):
            read_vector(path)


class TestGeometry:
    def test_open_rings_are_closed_and_listed(self, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
        path = geojson(tmp_path / "t.geojson", feature(), feature([RING[:3]]))
        with caplog.at_level(logging.WARNING):
            source = read_source(path)
        assert source.closed_rings == (1,)
        assert source.gdf.geometry[1].equals(source.gdf.geometry[0])
        assert "ring not closed in the file, closed (1): row 2" in caplog.text

    def test_curves_become_chords(self, tmp_path: Path) -> None:
        circle = (
            "CURVEPOLYGON(CIRCULARSTRING(500100 2520000,500000 2520100,499900 2520000,500000 2519900,500100 2520000))"
        )
        (tmp_path / "c.csv").write_text(
            f'id,WKT\n1,"{circle}"\n2,"POLYGON((0 0,1000 0,1000 1000,0 0))"\n', encoding="utf-8"
        )
        read = read_vector(tmp_path / "c.csv", crs="EPSG:32650")
        assert list(read["id"]) == ["1", "2"]
        assert read.area[0] == pytest.approx(31_416, rel=0.005)

    def test_heights_are_left_out(self, tmp_path: Path) -> None:
        path = geojson(tmp_path / "t.geojson", feature([[[*xy, 5.0] for xy in RING]]))
        assert not read_vector(path).has_z.any()

    def test_warnings_of_the_reader_are_logged(self, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
        path = geojson(tmp_path / "t.geojson", feature([RING[:3]]))
        with caplog.at_level(logging.WARNING):
            read_vector(path)
        assert "Non closed ring" in caplog.text


class TestReadLayer:
    def test_zones_and_barriers(self, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
        polygons = frame(2)
        line = LineString([(500_000, 2_520_000), (500_100, 2_520_000)])
        lines = frame(2).set_geometry([line, None], crs="EPSG:32650")
        points = frame(1).set_geometry([Point(500_000, 2_520_000)], crs="EPSG:32650")
        path = tmp_path / "l.gpkg"
        write_gpkg({"polygons": polygons, "lines": lines, "points": points}, path)
        zones = read_layer(path, layer="polygons", metric_crs="EPSG:4549", what="zones")
        assert (len(zones), zones.crs.to_epsg()) == (2, 4549)
        with caplog.at_level(logging.WARNING):
            barriers = read_layer(path, layer="lines", metric_crs="EPSG:32650", what="barriers")
        assert len(barriers) == 1
        assert "barriers without geometry left out: row 2" in caplog.text
        with pytest.raises(DataError, match=r"\(zones\): found MultiLineString in row 1"):
            read_layer(path, layer="lines", metric_crs="EPSG:32650", what="zones")
        with pytest.raises(DataError, match="MultiPoint in row 1"):
            read_layer(path, layer="points", metric_crs="EPSG:32650", what="barriers")


class TestEncodings:
    @pytest.fixture
    def shanghai(self, shared_data: Callable[[str], Path], tmp_path: Path) -> Path:
        shutil.copytree(shared_data("messy/gbk/shanghai_shp"), tmp_path / "gbk")
        return tmp_path / "gbk" / "区县界_area.shp"

    def test_gbk_by_the_language_byte(self, shanghai: Path) -> None:
        assert "宝山区" in set(read_vector(shanghai)["NAME"])

    def test_no_encoding_named(self, shanghai: Path) -> None:
        dbf = shanghai.with_suffix(".dbf")
        raw = bytearray(dbf.read_bytes())
        raw[29] = 0
        dbf.write_bytes(raw)
        assert "宝山区" in set(read_vector(shanghai)["NAME"])
        for named in ("GB18030", "UTF-8", "ISO-8859-1"):
            shanghai.with_suffix(".cpg").write_text(named, encoding="ascii")
            assert "宝山区" in set(read_vector(shanghai)["NAME"])

    def test_gbk_file_names_in_an_archive(self, shanghai: Path, tmp_path: Path) -> None:
        path = tmp_path / "gbk.zip"
        with zipfile.ZipFile(path, "w") as archive:
            for part in shanghai.parent.iterdir():
                archive.writestr(f"zz_area{''.join(part.suffixes)}", part.read_bytes())
        path.write_bytes(path.read_bytes().replace(b"zz_area", "县_area".encode("gbk")))
        assert len(read_vector(path)) == 17


REAL = {
    "swellendam/farms_33S.shp": (2008, 32734),
    "swellendam/water_33S.shp": (6, 32734),
    "seoul_gangnam/Parcels.shp": (235, 5186),
    "veneto/thiene_cluster.gpkg": (7952, 32632),
    "veneto/veneto_PD_56559.parquet": (56_559, 32632),
    "messy/gbk/chongqing_shp/区县界_area.shp": (38, 4545),
    "messy/gbk/shanghai_shp/区县界_area.shp": (17, 4549),
    "messy/gbk/shenzhen_noprj/sz_districts.json": (10, 4547),
    "messy/bd09/eddiehe99_441900.geojson": (32, 4547),
}


class TestRealData:
    @pytest.mark.parametrize("name", REAL)
    def test_read_to_a_metric_frame(self, name: str, shared_data: Callable[[str], Path]) -> None:
        n, code = REAL[name]
        read = read_vector(shared_data(name))
        metric = to_metric(read, choose_metric_crs(read))
        assert (len(metric), metric.crs.to_epsg()) == (n, code)

    def test_metres_are_no_degrees(self, shared_data: Callable[[str], Path]) -> None:
        with pytest.raises(CrsError, match="look like degrees"):
            read_vector(shared_data("messy/gbk/shenzhen_noprj/sz.shp"), crs="EPSG:4547")

    def test_declared_crs_opens_the_silent_ones(self, shared_data: Callable[[str], Path]) -> None:
        assert len(read_vector(shared_data("messy/gbk/shenzhen_noprj/sz.shp"), crs="EPSG:4490")) == 10

    def test_a_drawing_becomes_parcels(self, shared_data: Callable[[str], Path]) -> None:
        path = shared_data("messy/dxf/1870000A02.DXF")
        cad = CadSpec(polygons="1PARCELLE", ids="3PARCELLETEX", unnumbered="refuse")
        raw = read_parcels(ParcelsSpec(path=path, crs="EPSG:2154", id="text", cad=cad))
        assert len(raw.gdf) == 47
        assert choose_metric_crs(raw.gdf).to_epsg() == 2154
        assert raw.gdf.is_valid.all()
        with pytest.raises(DataError, match=r"1PARCELLE \(47 closed outlines, 0 texts\)"):
            read_vector(path, crs="EPSG:2154")

    def test_seoul_parcels(self, shared_data: Callable[[str], Path]) -> None:
        spec = ParcelsSpec(
            path=shared_data("seoul_gangnam/Parcels.shp"),
            id="A1",
            fields={
                "register_m2": FieldSpec(column="A12"),
                "category": FieldSpec(column="A11"),
                "price_per_m2": FieldSpec(column="A25", missing=(0,)),
            },
        )
        raw = read_parcels(spec)
        assert raw.gdf.index[0] == "1168010800100370013"
        assert raw.gdf["category"].iloc[0] == "도로"
        assert raw.gdf["register_m2"].sum() == pytest.approx(raw.gdf.area.sum(), rel=0.02)
        assert raw.input_files == (spec.path,)

    def test_swellendam_ids_are_not_unique(self, shared_data: Callable[[str], Path]) -> None:
        spec = ParcelsSpec(path=shared_data("swellendam/farms_33S.shp"), id="SG_CODE")
        with pytest.raises(DataError, match="more than once"):
            read_parcels(spec)


def test_geojson_with_a_whole_number_property_called_id(tmp_path: Path) -> None:
    """GDAL takes such a property for the row number and hands it over twice."""
    ring = [[0, 0], [1, 0], [1, 1], [0, 0]]
    features = [
        {"type": "Feature", "properties": {"id": k}, "geometry": {"type": "Polygon", "coordinates": [ring]}}
        for k in (7, 9)
    ]
    path = tmp_path / "land.geojson"
    path.write_text(json.dumps({"type": "FeatureCollection", "features": features}), encoding="utf-8")
    assert read_vector(path)["id"].tolist() == [7, 9]
