from __future__ import annotations

import datetime
import random
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely.geometry import MultiPolygon, Polygon, box

from geodata.boundary_txt import read_boundary_txt, write_boundary_txt
from geodata.errors import CrsError, DataError

DESCRIPTION = {
    "坐标系": "2000国家大地坐标系",
    "几度分带": "3",
    "投影类型": "高斯克吕格",
    "计量单位": "米",
    "带号": "38",
}
SQUARE = [(0, 0), (0, 100), (100, 100), (100, 0), (0, 0)]
E0, N0 = 38_500_000, 2_500_000


def rows(ring: list[tuple[float, float]], number: int = 1, east: float = E0, north: float = N0) -> list[str]:
    return [f"J{i},{number},{north + y},{east + x}" for i, (x, y) in enumerate(ring, start=1)]


def text_of(lines: list[str], **description: str) -> str:
    return "\r\n".join(
        ["[属性描述]", *(f"{k}={v}" for k, v in (DESCRIPTION | description).items()), "[地块坐标]", *lines, ""]
    )


def read(folder: Path, text: str, encoding: str = "utf-8") -> tuple[gpd.GeoDataFrame, dict[str, Any]]:
    path = folder / "t.txt"
    path.write_bytes(text.encode(encoding))
    gdf, notes = read_boundary_txt(path)
    return gdf, {note.what: note for note in notes}


def issues_of(folder: Path, text: str) -> list[str]:
    with pytest.raises(DataError) as caught:
        read(folder, text)
    return [str(issue) for issue in caught.value.issues]


class TestReading:
    HEADER = "5,1.0000,A1,一号地块,面,F49,工业用地,0601,@"

    def test_one_square_by_hand(self, tmp_path: Path) -> None:
        gdf, notes = read(tmp_path, text_of([self.HEADER, *rows(SQUARE)]))
        assert notes == {}
        assert gdf.crs.to_epsg() == 4526
        assert gdf.drop(columns="geometry").to_dict("records") == [
            {
                "id": "A1",
                "name": "一号地块",
                "area_ha": 1.0,
                "map_sheet": "F49",
                "use": "工业用地",
                "land_class": "0601",
            }
        ]
        assert gdf.geometry[0].normalize() == box(E0, N0, E0 + 100, N0 + 100).normalize()

    def test_gb18030_is_found_out(self, tmp_path: Path) -> None:
        gdf, notes = read(tmp_path, text_of([self.HEADER, *rows(SQUARE)]), "gb18030")
        assert gdf["name"].tolist() == ["一号地块"]
        assert ["GB18030" in what for what in notes] == [True]

    @pytest.mark.parametrize(
        ("description", "east", "code"),
        [
            ({}, 38_500_000, 4526),
            ({}, 500_000, 4547),
            ({"带号": ""}, 38_500_000, 4526),
            ({"带号": "", "几度分带": ""}, 20_500_000, 4498),
            ({"带号": "20", "几度分带": "6"}, 500_000, 4509),
            ({"坐标系": "1980西安坐标系"}, 38_500_000, 2362),
            ({"坐标系": "80国家大地坐标系"}, 500_000, 2383),
            ({"坐标系": "1954年北京坐标系"}, 38_500_000, 2414),
            ({"带号": ""}, 500_000, None),
            ({"坐标系": "城市独立坐标系"}, 38_500_000, None),
        ],
    )
    def test_crs(self, tmp_path: Path, description: dict[str, str], east: float, code: int | None) -> None:
        gdf, notes = read(tmp_path, text_of([self.HEADER, *rows(SQUARE, east=east)], **description))
        assert (None if gdf.crs is None else gdf.crs.to_epsg()) == code
        assert len(notes) == (code is None)

    @pytest.mark.parametrize(
        ("description", "east", "match"),
        [
            ({"带号": "37"}, 38_500_000, "带号=37, but eastings of zone 38"),
            ({"几度分带": "6"}, 38_500_000, "zone 38 is one of 3 degrees"),
            ({"计量单位": "千米"}, 38_500_000, "expected metres"),
            ({}, 38_999_950, "line 11, 12: found eastings of zone 38, 39"),
        ],
    )
    def test_contradictions(self, tmp_path: Path, description: dict[str, str], east: float, match: str) -> None:
        with pytest.raises(CrsError, match=match):
            read(tmp_path, text_of([self.HEADER, *rows(SQUARE, east=east)], **description))

    def test_degrees_and_swapped_columns(self, tmp_path: Path) -> None:
        corners = [(113.0, 23.0), (113.1, 23.0), (113.1, 23.1), (113.0, 23.0)]
        right = [f"J,1,{lat},{lon}" for lon, lat in corners]
        wrong = [f"J,1,{lon},{lat}" for lon, lat in corners]
        for lines, swapped in ((right, False), (wrong, True)):
            gdf, notes = read(tmp_path, text_of(["4,,A1,,面,,,,@", *lines]))
            assert gdf.crs.to_epsg() == 4490
            assert gdf.geometry[0].equals(Polygon(corners))
            assert any("swapped" in what for what in notes) == swapped

    @pytest.mark.parametrize("east", [38_500_000, 500_000])
    def test_east_before_north_is_swapped_and_told(self, tmp_path: Path, east: float) -> None:
        lines = [f"J,1,{east + x},{N0 + y}" for x, y in SQUARE]
        gdf, notes = read(tmp_path, text_of([self.HEADER, *lines]))
        assert gdf.total_bounds.tolist() == [east, N0, east + 100, N0 + 100]
        assert [note.count for note in notes.values()] == [5]

    def test_holes_parts_and_islands(self, tmp_path: Path) -> None:
        def square(low: float, high: float, shift: float = 0) -> list[tuple[float, float]]:
            return [
                (low + shift, low),
                (high + shift, low),
                (high + shift, high),
                (low + shift, high),
                (low + shift, low),
            ]

        rings = [square(40, 60), square(0, 100), square(10, 90), square(0, 50, 200)]  # the outline need not come first
        lines = [line for number, ring in enumerate(rings, start=1) for line in rows(ring, number)]
        gdf, notes = read(tmp_path, text_of(["20,0.6500,A1,,面,,,,@", *lines]))
        expected = MultiPolygon(
            [
                Polygon([(E0 + x, N0 + y) for x, y in square(0, 100)], [[(E0 + x, N0 + y) for x, y in square(10, 90)]]),
                Polygon([(E0 + x, N0 + y) for x, y in square(40, 60)]),
                Polygon([(E0 + x, N0 + y) for x, y in square(0, 50, 200)]),
            ]
        )
        assert notes == {}
        assert gdf.geometry[0].is_valid and gdf.geometry[0].equals(expected)
        assert gdf.geometry[0].area == 100**2 - 80**2 + 20**2 + 50**2

    def test_rings_under_one_number_are_told_apart_by_their_ends(self, tmp_path: Path) -> None:
        inner = [(20, 20), (40, 20), (40, 40), (20, 20)]
        gdf, _ = read(tmp_path, text_of(["9,0.9800,A1,,面,,,,@", *rows(SQUARE), *rows(inner)]))
        assert gdf.geometry[0].area == 9800

    def test_what_is_told(self, tmp_path: Path) -> None:
        lines = ["4,1.0000,A1,,面,,,,@", *rows(SQUARE[:-1]), "9,1.0099,A2,,面,,,,@", *rows(SQUARE, east=E0 + 200)]
        lines += [
            "5,1.0202,A3,,面,,,,@",
            *rows(SQUARE, east=E0 + 400),
            "4,很大,A4,,面,,,,@",
            *rows(SQUARE, east=E0 + 600),
        ]
        gdf, notes = read(tmp_path, text_of(lines, 转换参数="1,2,3,,,,"))
        by_word = {
            word: next(note.items for what, note in notes.items() if word in what)
            for word in ("first point", "number of points", "no number", "1% from")
        }
        assert by_word == {
            "first point": ("line 9 A1",),
            "number of points": ("line 14 A2: 9 said, 5 lines",),
            "no number": ("line 26 A4",),
            "1% from": ("line 20 A3: 1.0202 ha said, 1.0000 ha measured",),
        }
        assert any("not applied" in what for what in notes)
        assert gdf.geometry.area.tolist() == [10_000.0] * 4
        assert gdf["area_ha"].isna().tolist() == [False, False, False, True]

    def test_every_bad_line_is_named(self, tmp_path: Path) -> None:
        lines = [
            "J1,1,1,2",
            self.HEADER,
            *rows(SQUARE)[:3],
            "J4,1,2500000,38 500000",
            "J5,x,1,2",
            "J6,1,nan,2",
            "J7,1,１２,2",
            "J8,1,2",
            *rows(SQUARE)[3:],
            "1,,A2,,线,,,,@",
            *rows(SQUARE)[:2],
            "5,,A3,,面,,,,@",
        ]
        found = issues_of(tmp_path, text_of(lines))
        assert [text.split(":")[0].removeprefix("t.txt, line ") for text in found] == [
            *("8", "13", "14", "15", "16", "17", "20", "21", "23")
        ]

    @pytest.mark.parametrize(
        ("text", "match"),
        [
            ("", "no parcels"),
            ("id,name\n1,2\n", "Is it a coordinate TXT"),
            ("[属性描述]\nnonsense\n[地块坐标]\n", "key=value"),
            ("[属性描述]\n带号=38\n带号=37\n", "one description"),
        ],
    )
    def test_other_files(self, tmp_path: Path, text: str, match: str) -> None:
        assert match in "\n".join(issues_of(tmp_path, text))

    @settings(max_examples=100, deadline=None)
    @given(seed=st.integers(0, 2**32))
    def test_damage_is_read_or_refused(self, tmp_path_factory: pytest.TempPathFactory, seed: int) -> None:
        """Whatever happens to the bytes: parcels or a reason, and no parcel of the file is lost in silence."""
        pick = random.Random(seed)
        raw = bytearray(text_of([self.HEADER, *rows(SQUARE), self.HEADER, *rows(SQUARE, east=E0 + 200)]).encode())
        for _ in range(pick.randint(1, 6)):
            at = pick.randrange(max(len(raw), 1))
            match pick.randrange(4):
                case 0:
                    raw[at : at + 1] = bytes([pick.randrange(256)])
                case 1:
                    del raw[at : at + pick.randint(1, 30)]
                case 2:
                    raw[at:at] = raw[: pick.randint(1, 60)]
                case _:
                    del raw[max(at, 1) :]
        path = tmp_path_factory.getbasetemp() / "damaged.txt"
        path.write_bytes(bytes(raw))
        try:
            gdf, _ = read_boundary_txt(path)
        except DataError as error:
            assert error.issues
        else:
            assert len(gdf) == sum(line.rstrip().endswith(b"@") for line in raw.replace(b"\r", b"\n").split(b"\n"))


class TestWriting:
    def frame(self, shapes: list[Any], crs: str = "EPSG:4526") -> gpd.GeoDataFrame:
        data = {"编号": [f"A{i}" for i in range(len(shapes))], "名称": ["地块, 一"] * len(shapes)}
        return gpd.GeoDataFrame(data, geometry=shapes, crs=crs)

    def test_lines_by_hand(self, tmp_path: Path) -> None:
        path = tmp_path / "t.txt"
        shape = Polygon([(E0, N0), (E0, N0 + 100), (E0 + 100, N0 + 100), (E0 + 100, N0)])
        write_boundary_txt(
            self.frame([shape]),
            path,
            id_column="编号",
            name_column="名称",
            date=datetime.date(2024, 5, 6),
            unit="清溪镇",
        )
        lines = path.read_bytes().decode("gb18030").split("\r\n")
        assert lines[lines.index("[地块坐标]") + 1 :] == [
            "5,1.0000,A0,地块， 一,面,,,,@",
            "J1,1,2500000.000,38500000.000",
            "J2,1,2500100.000,38500000.000",
            "J3,1,2500100.000,38500100.000",
            "J4,1,2500000.000,38500100.000",
            "J1,1,2500000.000,38500000.000",
            "",
        ]
        assert {"坐标系=2000国家大地坐标系", "带号=38", "数据产生日期=2024-05-06", "数据产生单位=清溪镇"} <= set(lines)
        assert [p.name for p in tmp_path.iterdir()] == ["t.txt"]

    @pytest.mark.parametrize(
        ("code", "zone"), [("EPSG:4526", "38"), ("EPSG:4547", "38"), ("EPSG:4498", "20"), ("EPSG:2362", "38")]
    )
    def test_crs_comes_back(self, tmp_path: Path, code: str, zone: str) -> None:
        east = {"EPSG:4526": 38.5e6, "EPSG:4547": 5e5, "EPSG:4498": 20.5e6, "EPSG:2362": 38.5e6}[code]
        gdf = self.frame([box(east, N0, east + 10, N0 + 10)], code)
        write_boundary_txt(gdf, tmp_path / "t.txt", id_column="编号", encoding="utf-8")
        assert f"带号={zone}" in (tmp_path / "t.txt").read_text(encoding="utf-8")
        assert read_boundary_txt(tmp_path / "t.txt")[0].crs == gdf.crs

    @pytest.mark.parametrize("crs", ["EPSG:4490", "EPSG:32650", None])
    def test_other_crs_are_refused(self, tmp_path: Path, crs: Any) -> None:
        with pytest.raises(CrsError, match="EPSG:4526, say"):
            write_boundary_txt(self.frame([box(0, 0, 1, 1)], crs), tmp_path / "t.txt", id_column="编号")

    def test_other_crs_are_written_when_asked_for(self, tmp_path: Path) -> None:
        gdf = self.frame([box(500_000, 6e6, 500_010, 6e6 + 10)], "EPSG:32654")
        write_boundary_txt(gdf, tmp_path / "t.txt", id_column="编号", any_crs=True)
        text = (tmp_path / "t.txt").read_text(encoding="gb18030")
        assert "坐标系名称=WGS 84 / UTM zone 54N (EPSG:32654)" in text
        found, notes = read_boundary_txt(tmp_path / "t.txt")
        assert found.crs is None  # a 54 in a name is not taken for Beijing 54
        assert any("坐标系=其他" in note.what for note in notes)
        assert shapely.equals(found.geometry.to_numpy(), gdf.geometry.to_numpy()).all()
        with pytest.raises(CrsError, match="EPSG:4526, say"):
            write_boundary_txt(gdf.to_crs(4326), tmp_path / "t.txt", id_column="编号", any_crs=True)

    def test_refusals_are_gathered_and_leave_the_old_file(self, tmp_path: Path) -> None:
        (tmp_path / "t.txt").write_text("old", encoding="utf-8")
        shapes = [shapely.Point(1, 2), None, Polygon(), box(E0, N0, E0 + 1e-4, N0 + 1), box(E0, N0, E0 + 1, N0 + 1)]
        gdf = self.frame(shapes)
        gdf.loc[4, "编号"] = "a,b"
        with pytest.raises(DataError) as caught:
            write_boundary_txt(gdf, tmp_path / "t.txt", id_column="编号")
        assert len(caught.value.issues) == 5
        assert (tmp_path / "t.txt").read_text(encoding="utf-8") == "old"

    @settings(max_examples=40, deadline=None)
    @given(data=st.data())
    def test_round_trip_to_the_millimetre(self, tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
        seed, n = data.draw(st.integers(0, 2**32)), data.draw(st.integers(1, 6))
        encoding = data.draw(st.sampled_from(["gb18030", "utf-8"]))
        gdf = self.frame([star(np.random.default_rng([seed, i]), i) for i in range(n)])
        path = tmp_path_factory.getbasetemp() / "round.txt"
        write_boundary_txt(gdf, path, id_column="编号", name_column="名称", encoding=encoding)
        back, notes = read_boundary_txt(path)
        assert back["id"].tolist() == gdf["编号"].tolist()
        assert all("GB18030" in note.what for note in notes)
        for ours, theirs in zip(gdf.geometry, back.geometry, strict=True):
            assert shapely.hausdorff_distance(ours, theirs) <= 0.0008  # half a millimetre in each axis
            a, b = (shapely.get_num_interior_rings(shapely.get_parts(g)) for g in (ours, theirs))
            assert sorted(a) == sorted(b)
            assert abs(ours.area - theirs.area) <= 0.001 * ours.length


def star(rng: np.random.Generator, place: int) -> Polygon | MultiPolygon:
    """One to three parts around centres 300 m apart, each a star of 20 to 100 m with a hole of up to 10 m or none."""
    parts = []
    for part in range(int(rng.integers(1, 4))):
        angle = np.linspace(0, 2 * np.pi, int(rng.integers(5, 30)), endpoint=False)
        centre = np.array([E0 + 300.0 * part, N0 + 300.0 * place])
        around = np.column_stack([np.cos(angle), np.sin(angle)])
        outline = centre + around * rng.uniform(20, 100, (len(angle), 1))
        holes = [centre + around * rng.uniform(2, 5)] if rng.random() < 0.5 else []
        parts.append(Polygon(outline, holes))
    return parts[0] if len(parts) == 1 else MultiPolygon(parts)
