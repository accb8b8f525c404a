from __future__ import annotations

import time
import zipfile
from collections.abc import Callable
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pyogrio
import pytest
from shapely.geometry import LineString, Point, box

from geodata.errors import DataError
from geodata.parcels import read_parcels
from geodata.read import read_declared, read_declared_layer
from geodata.spec import FieldSpec, ParcelsSpec
from geodata.spec_source import CadSpec, DatabaseSpec, SourceSpec
from tests.geodata.real_files import REAL_FILES, SUFFIXES, RealFile, real_files_markdown


def land(names: list[str] | None = None, column: str = "name") -> gpd.GeoDataFrame:
    names = names or ["地块一", "宝山区", "plain"]
    boxes = [box(500_000 + 100 * i, 2_520_000, 500_090 + 100 * i, 2_520_080) for i in range(len(names))]
    return gpd.GeoDataFrame({column: names}, geometry=boxes, crs="EPSG:4547")


def zipped(path: Path, members: dict[str, Path | bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content.read_bytes() if isinstance(content, Path) else content)
    return path


class TestRealFiles:
    @pytest.mark.parametrize("case", REAL_FILES, ids=str)
    def test_read_or_refused(self, case: RealFile, shared_data: Callable[[str], Path]) -> None:
        spec = case.spec(shared_data(case.path.split("/")[0]).parent)
        if isinstance(case.expected, str):
            with pytest.raises(DataError) as caught:
                read_declared(spec, "parcels")
            assert f"found {case.expected}" in str(caught.value)
            assert Path(case.path).name in caught.value.issues[0].where
            return
        source = read_declared(spec, "parcels")
        assert len(source.gdf) == case.expected
        assert source.gdf.crs is not None
        for words in case.noted:
            assert sum(words in note.what for note in source.notes) == 1

    def test_no_vector_file_is_forgotten(self, shared_data: Callable[[str], Path]) -> None:
        root = shared_data("README.md").parent
        present = {p.relative_to(root).as_posix() for p in root.rglob("*") if p.suffix.lower() in SUFFIXES}
        assert present == {case.path for case in REAL_FILES}

    def test_table_has_a_row_for_each(self) -> None:
        lines = real_files_markdown().splitlines()
        assert len(lines) == 2 + len(REAL_FILES)
        assert all(line.count(" | ") == 3 for line in lines[2:])


class TestArchives:
    def parts(self, folder: Path, stem: str, data: gpd.GeoDataFrame) -> dict[str, Path]:
        folder.mkdir(exist_ok=True)
        pyogrio.write_dataframe(data, folder / f"{stem}.shp", encoding="GB18030")
        return {p.name: p for p in sorted(folder.glob(f"{stem}.*")) if p.suffix != ".cpg"}

    def test_gbk_names_and_text_chosen_by_their_chinese_names(self, tmp_path: Path) -> None:
        a = self.parts(tmp_path / "a", "aaaa", land(["甲地块", "乙地块"], "名称"))
        b = self.parts(tmp_path / "b", "bbbb", land())
        members: dict[str, Path | bytes] = {f"dddd/{name}": p for name, p in (a | b).items()}
        members |= {"__MACOSX/dddd/._aaaa.shp": b"x", "dddd/._bbbb.shp": b"x"}
        path = zipped(tmp_path / "数据.zip", members)
        raw = path.read_bytes()
        for stored, name in ((b"dddd", "县数"), (b"aaaa", "地块"), (b"bbbb", "边界")):
            raw = raw.replace(stored, name.encode("gbk"))
        path.write_bytes(raw)
        with pytest.raises(DataError, match=r"2 datasets: 县数/地块\.shp, 县数/边界\.shp"):
            read_declared(SourceSpec(path=path), "parcels")
        source = read_declared(SourceSpec(path=path, layer="地块"), "parcels")
        assert list(source.gdf["名称"]) == ["甲地块", "乙地块"]
        assert any("GB18030, found out from its bytes" in note.what for note in source.notes)

    def test_layer_of_one_of_several_datasets(self, tmp_path: Path) -> None:
        pyogrio.write_dataframe(land(), tmp_path / "a.gpkg", layer="parcels")
        pyogrio.write_dataframe(land(["x"]), tmp_path / "b.gpkg", layer="roads")
        path = zipped(tmp_path / "z.zip", {"in/a.gpkg": tmp_path / "a.gpkg", "b.gpkg": tmp_path / "b.gpkg"})
        assert len(read_declared(SourceSpec(path=path, layer="parcels"), "parcels").gdf) == 3
        assert len(read_declared(SourceSpec(path=path, layer="b"), "parcels").gdf) == 1
        with pytest.raises(DataError, match=r"2 datasets: b\.gpkg, in/a\.gpkg"):
            read_declared(SourceSpec(path=path, layer="c"), "parcels")

    def test_damaged_inside(self, tmp_path: Path) -> None:
        parts = self.parts(tmp_path / "a", "p", land([f"{i}号地块" for i in range(200)]))
        with zipfile.ZipFile(tmp_path / "z.zip", "w") as archive:  # stored, so that a changed byte is only that
            for name, part in parts.items():
                archive.write(part, name)
        raw = bytearray((tmp_path / "z.zip").read_bytes())
        at = raw.find("199号".encode("gb18030"))
        raw[at] ^= 1
        (tmp_path / "z.zip").write_bytes(raw)
        with pytest.raises(DataError, match=r"a damaged file, p\.shp"):
            read_declared(SourceSpec(path=tmp_path / "z.zip"), "parcels")

    def test_geodatabase_of_several_layers(self, tmp_path: Path) -> None:
        folder = tmp_path / "规划.gdb"
        pyogrio.write_dataframe(land(column="名称"), folder, driver="OpenFileGDB", layer="地块")
        pyogrio.write_dataframe(land(["x"]), folder, driver="OpenFileGDB", layer="roads", append=True)
        with pytest.raises(DataError, match="2 layers; expected one of 地块, roads"):
            read_declared(SourceSpec(path=folder), "parcels")
        assert list(read_declared(SourceSpec(path=folder, layer="地块"), "p").gdf["名称"]) == [
            "地块一",
            "宝山区",
            "plain",
        ]
        path = zipped(tmp_path / "z.zip", {f"d/规划.gdb/{p.name}": p for p in folder.iterdir()})
        assert len(read_declared(SourceSpec(path=path, layer="roads"), "p").gdf) == 1


class TestDeleted:
    def test_records_marked_as_deleted_are_listed(self, tmp_path: Path) -> None:
        pyogrio.write_dataframe(land(), tmp_path / "p.shp", encoding="UTF-8")
        raw = bytearray((tmp_path / "p.dbf").read_bytes())
        start, length = int.from_bytes(raw[8:10], "little"), int.from_bytes(raw[10:12], "little")
        raw[start + length] = ord("*")
        (tmp_path / "p.dbf").write_bytes(raw)
        source = read_declared(SourceSpec(path=tmp_path / "p.shp"), "parcels")
        assert list(source.gdf["name"]) == ["地块一", "plain"]
        assert [(n.count, n.items) for n in source.notes] == [(1, ("record 2",))]


class TestMapInfo:
    @pytest.mark.parametrize("ending", ["tab", "mif"])
    @pytest.mark.parametrize("charset", [b"WindowsSimpChinese", b"Neutral", b"WindowsLatin1", b"UTF-8"])
    @pytest.mark.parametrize("inside", [False, True])
    def test_charset_by_its_bytes(self, ending: str, charset: bytes, inside: bool, tmp_path: Path) -> None:
        folder = tmp_path / "m"
        folder.mkdir()
        path = folder / f"p.{ending}"
        options = {"FORMAT": "MIF"} if ending == "mif" else {}
        pyogrio.write_dataframe(
            land(column="名称"),
            path,
            driver="MapInfo File",
            layer_options={"ENCODING": "CP936"},
            dataset_options=options,
        )
        path.write_bytes(path.read_bytes().replace(b"WindowsSimpChinese", charset))
        if inside:
            path = zipped(tmp_path / "m.zip", {p.name: p for p in folder.iterdir()})
        source = read_declared(SourceSpec(path=path), "parcels")
        assert list(source.gdf["名称"]) == ["地块一", "宝山区", "plain"]
        assert source.notes[0].warning == (charset != b"WindowsSimpChinese")
        assert "GB18030" in source.notes[0].what


class TestNotes:
    def test_parcels_are_named_by_their_ids(self, tmp_path: Path) -> None:
        frame = land(["a", "b", "c"]).assign(code=["P1", "P2", "P3"])
        frame.loc[1, "geometry"] = None
        frame.to_file(tmp_path / "p.gpkg")
        raw = read_parcels(ParcelsSpec(path=tmp_path / "p.gpkg", id="code", fields={"n": FieldSpec(column="name")}))
        assert [(n.what, n.items, n.are_parcels) for n in raw.notes_on_sources] == [("no geometry", ("P2",), True)]
        assert len(raw.gdf) == 3

    def test_layers_are_named_by_their_rows(self, tmp_path: Path) -> None:
        frame = land(["a", "b", "c"])
        frame.loc[1, "geometry"] = None
        frame.to_file(tmp_path / "p.gpkg")
        source = read_declared_layer(SourceSpec(path=tmp_path / "p.gpkg"), "EPSG:4548", "red lines")
        assert (len(source.gdf), source.gdf.crs.to_epsg()) == (2, 4548)
        assert [(n.count, n.items) for n in source.notes if n.what == "no geometry"] == [(1, ("row 2",))]

    @pytest.mark.parametrize(
        ("geometry", "shapes", "fits"),
        [
            (Point(500_000, 2_520_000), "points", True),
            (Point(500_000, 2_520_000), "polygons", False),
            (LineString([(500_000, 2_520_000), (500_100, 2_520_000)]), "lines or polygons", True),
            (LineString([(500_000, 2_520_000), (500_100, 2_520_000)]), "polygons", False),
            (LineString([(500_000, 2_520_000), (500_100, 2_520_000)]), "any", True),
        ],
    )
    def test_shapes(self, geometry: object, shapes: str, fits: bool, tmp_path: Path) -> None:
        gpd.GeoDataFrame({"a": [1]}, geometry=[geometry], crs="EPSG:4547").to_file(tmp_path / "p.gpkg")
        spec = SourceSpec(path=tmp_path / "p.gpkg")
        if fits:
            assert len(read_declared_layer(spec, "EPSG:4547", "things", shapes).gdf) == 1  # type: ignore[arg-type]
        else:
            with pytest.raises(DataError, match=rf"\(things\): found .* in row 1; expected {shapes}"):
                read_declared_layer(spec, "EPSG:4547", "things", shapes)  # type: ignore[arg-type]


class TestWrongKeys:
    def test_cad_without_a_drawing(self, tmp_path: Path) -> None:
        land().to_file(tmp_path / "p.gpkg")
        with pytest.raises(DataError, match="`cad` is given; expected a DXF"):
            read_declared(SourceSpec(path=tmp_path / "p.gpkg", cad=CadSpec(polygons="x")), "parcels")

    def test_layer_of_a_database(self) -> None:
        spec = SourceSpec(database=DatabaseSpec(database="land", table="parcels"), layer="x")
        with pytest.raises(DataError, match="`layer` is given"):
            read_declared(spec, "parcels")


class TestSize:
    @pytest.mark.parametrize("n", [10_000, pytest.param(100_000, marks=pytest.mark.slow)])
    def test_a_hundred_thousand_chinese_records_in_seconds(self, n: int, tmp_path: Path) -> None:
        corners = np.arange(n) * 10.0
        geometry = gpd.GeoSeries(gpd.points_from_xy(500_000 + corners % 5000, 2_520_000 + corners // 5000))
        names = pd.Series([f"第{i}号工业地块" for i in range(n)])
        frame = gpd.GeoDataFrame({"名称": names, "code": names}, geometry=geometry, crs="EPSG:4547")
        pyogrio.write_dataframe(frame, tmp_path / "p.shp", encoding="GB18030")
        (tmp_path / "p.cpg").unlink()

        start = time.process_time()
        source = read_declared(SourceSpec(path=tmp_path / "p.shp"), "parcels")
        assert time.process_time() - start < 1 + n / 12_500
        assert source.gdf["名称"].tolist() == names.tolist()
