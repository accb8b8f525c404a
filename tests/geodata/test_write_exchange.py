from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pyogrio
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from geodata.write_exchange import short_names, write_filegdb, write_geoparquet, write_shapefiles


def land(**columns: Any) -> gpd.GeoDataFrame:
    count = len(next(iter(columns.values())))
    squares = [shapely.box(i, 0, i + 1, 1) for i in range(count)]
    return gpd.GeoDataFrame(columns, geometry=squares, crs="EPSG:4547")


def said(written: Any) -> dict[tuple[str, str], tuple[str, ...]]:
    return {(note.source, note.what): note.items for note in written.notes}


class TestShortNames:
    def test_units_at_the_end_stay(self) -> None:
        found = short_names(["parcel_id", "certificate_area_mu", "perimeter_m"])
        assert found == {
            "parcel_id": "parcel_id",
            "certificate_area_mu": "cer_are_mu",
            "perimeter_m": "perimete_m",
        }

    def test_names_without_latin_letters_and_equal_ones(self) -> None:
        found = short_names(["面积", "Area", "area", "2023年"])
        assert found == {"面积": "F1", "Area": "Area", "area": "area_2", "2023年": "F2023"}

    @given(st.lists(st.text(min_size=1, max_size=30), unique=True, max_size=40))
    def test_always_fit_and_differ(self, columns: list[str]) -> None:
        found = short_names(columns)
        assert list(found) == columns
        assert len({name.lower() for name in found.values()}) == len(columns)
        for name in found.values():
            assert name.isascii()
            assert name[0].isalpha()
            assert name.replace("_", "a").isalnum()
            assert len(name) <= 10


class TestShapefile:
    def test_chinese_text_numbers_and_unknown_come_back(self, tmp_path: Path) -> None:
        layer = land(
            parcel_id=["甲", "乙", "丙"],
            village_name_long=["长山头村", None, "罗马村"],
            phase=pd.array([1, None, 3], dtype="Int64"),
            cost=[1_235_299.178_185_258_5, np.nan, -2e11],
        )
        written = write_shapefiles({"parcels": layer}, tmp_path)
        back = pyogrio.read_dataframe(tmp_path / "parcels.shp")
        assert written.notes == ()
        assert (tmp_path / "parcels.cpg").read_text() == "GB18030"
        assert "甲".encode("gb18030") in (tmp_path / "parcels.dbf").read_bytes()
        assert list(back[written.names["parcels"]["village_name_long"]].fillna("")) == ["长山头村", "", "罗马村"]
        assert back["phase"].tolist()[::2] == [1, 3]
        assert np.isnan(back["phase"][1])
        assert np.isnan(back["cost"][1])
        assert back["cost"].tolist()[::2] == pytest.approx([1_235_299.178_185_258_5, -2e11], rel=1e-14)
        assert back.crs.to_epsg() == 4547

    def test_long_text_is_cut_between_characters_and_told(self, tmp_path: Path) -> None:
        layer = land(parcel_id=["a", "b"], note=["x" + "长" * 200, "short"])
        written = write_shapefiles({"parcels": layer}, tmp_path)
        back = pyogrio.read_dataframe(tmp_path / "parcels.shp")
        assert back["note"][0] == "x" + "长" * 126  # 1 + 2 · 126 = 253 bytes; the next needs 2
        assert said(written) == {("parcels.shp", "text of note cut to 254 bytes"): ("a",)}

    def test_what_comes_back_as_another_value_is_told(self, tmp_path: Path) -> None:
        layer = land(parcel_id=["a", "b"], huge=[1.5e200, 1.0], text=["ends in spaces  ", "b"])
        told = said(write_shapefiles({"parcels": layer}, tmp_path))
        assert told[("parcels.shp", "huge came back as another value")] == ("a",)
        assert told[("parcels.shp", "text came back as another value")] == ("a",)

    def test_kinds_of_geometry_are_parted(self, tmp_path: Path) -> None:
        layer = land(what=["square", "point", "nowhere"])
        layer["geometry"] = [shapely.box(0, 0, 1, 1), shapely.Point(5, 5), None]
        written = write_shapefiles({"log": layer, "nothing": layer.iloc[:0]}, tmp_path)
        areas = pyogrio.read_dataframe(tmp_path / "log_areas.shp")
        points = pyogrio.read_dataframe(tmp_path / "log_points.shp")
        assert list(areas["what"]) == ["square", "nowhere"]
        assert list(points["what"]) == ["point"]
        assert set(written.names) == {"log_areas", "log_points"}
        assert said(written) == {("nothing", "no features: not written"): ("nothing",)}

    def test_features_of_a_layer_without_any_place_are_told(self, tmp_path: Path) -> None:
        layer = land(what=["a"]).set_geometry(gpd.GeoSeries([None], crs="EPSG:4547"))
        written = write_shapefiles({"log": layer}, tmp_path)
        assert said(written) == {("log", "features without a place: not written"): ("a",)}

    def test_same_layers_same_bytes(self, tmp_path: Path) -> None:
        contents = []
        for name in ("one", "two"):
            (tmp_path / name).mkdir()
            write_shapefiles({"parcels": land(parcel_id=["甲"], ok=pd.array([True], "boolean"))}, tmp_path / name)
            contents.append({p.name: p.read_bytes() for p in sorted((tmp_path / name).iterdir())})
        assert contents[0] == contents[1]

    def test_infinite_numbers_are_refused(self, tmp_path: Path) -> None:
        with pytest.raises(ValueError, match="infinite"):
            write_shapefiles({"parcels": land(a=[np.inf])}, tmp_path)


class TestFileGeodatabase:
    def test_layers_columns_and_words_of_sql(self, tmp_path: Path) -> None:
        parcels = land(
            parcel_id=["甲", "乙"],
            phase=pd.array([1, None], "Int64"),
            **{"select": ["x", ""], "容积 率": [1.0, np.nan]},
        )
        written = write_filegdb({"parcels": parcels, "between": parcels}, tmp_path / "plan.gdb", {"parcels": "宗地"})
        assert written.notes == ()
        assert [name for name, _ in pyogrio.list_layers(tmp_path / "plan.gdb")] == ["parcels", "between_"]
        back = pyogrio.read_dataframe(tmp_path / "plan.gdb", layer="parcels")
        assert list(back.columns) == ["parcel_id", "phase", "select_", "容积_率", "geometry"]
        assert list(back["parcel_id"]) == ["甲", "乙"]
        assert back["phase"][0] == 1
        assert np.isnan(back["phase"][1])
        assert back.crs.to_epsg() == 4547
        assert shapely.equals_exact(
            shapely.normalize(shapely.get_parts(back.geometry.to_numpy())),
            shapely.normalize(parcels.geometry.to_numpy()),
            tolerance=1e-4,
        ).all()

    def test_an_older_one_is_replaced(self, tmp_path: Path) -> None:
        for names in (["a", "b"], ["c"]):
            write_filegdb({"parcels": land(parcel_id=names)}, tmp_path / "plan.gdb")
        assert list(pyogrio.read_dataframe(tmp_path / "plan.gdb")["parcel_id"]) == ["c"]


def test_geoparquet_comes_back_and_is_the_same(tmp_path: Path) -> None:
    layer = land(parcel_id=["甲", None], phase=pd.array([None, 2], "Int64"), nothing=[None, None])
    for name in ("a", "b"):
        write_geoparquet(layer, tmp_path / f"{name}.parquet")
    back = gpd.read_parquet(tmp_path / "a.parquet")
    assert (tmp_path / "a.parquet").read_bytes() == (tmp_path / "b.parquet").read_bytes()
    assert back["phase"].isna().tolist() == [True, False]
    assert back["parcel_id"].isna().tolist() == [False, True]
    assert back.crs.to_epsg() == 4547
    assert back.geometry.geom_equals(layer.geometry).all()
