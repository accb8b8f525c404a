from __future__ import annotations

import random
from itertools import pairwise
from pathlib import Path

import pytest

from geodata.errors import DataError
from geodata.notes import SourceNote
from geodata.read import read_declared
from geodata.spec_source import CadSpec, SourceSpec
from geodata.vector import VectorSource

X, Y = 500_000, 2_520_000
"""Where the drawings lie, in EPSG:4547."""


def ring(x: float, y: float, size: float = 10) -> list[tuple[float, float]]:
    return [(x, y), (x + size, y), (x + size, y + size), (x, y + size)]


def polyline(layer: str, points: list[tuple[float, float]], handle: str, *, closed: bool = True) -> str:
    corners = "".join(f"0\nVERTEX\n8\n{layer}\n10\n{X + x}\n20\n{Y + y}\n" for x, y in points)
    return f"0\nPOLYLINE\n5\n{handle}\n8\n{layer}\n66\n1\n70\n{int(closed)}\n{corners}0\nSEQEND\n"


def line(layer: str, a: tuple[float, float], b: tuple[float, float], handle: str) -> str:
    return f"0\nLINE\n5\n{handle}\n8\n{layer}\n10\n{X + a[0]}\n20\n{Y + a[1]}\n11\n{X + b[0]}\n21\n{Y + b[1]}\n"


def text(layer: str, x: float, y: float, words: str, handle: str, *, paper: bool = False) -> str:
    space = "67\n1\n" if paper else ""
    return f"0\nTEXT\n5\n{handle}\n8\n{layer}\n{space}10\n{X + x}\n20\n{Y + y}\n40\n1\n1\n{words}\n"


def dxf(
    folder: Path, entities: list[str], *, version: str = "AC1009", page: str = "ANSI_936", encoding: str = "gbk"
) -> Path:
    header = f"0\nSECTION\n2\nHEADER\n9\n$ACADVER\n1\n{version}\n9\n$DWGCODEPAGE\n3\n{page}\n0\nENDSEC\n"
    body = "0\nSECTION\n2\nENTITIES\n" + "".join(entities) + "0\nENDSEC\n0\nEOF\n"
    path = folder / "图.dxf"
    path.write_bytes((header + body).encode(encoding))
    return path


def read(path: Path, unnumbered: str = "name", ids: str | None = "编号", **more: str) -> VectorSource:
    cad = CadSpec(polygons="地块", ids=ids, unnumbered=unnumbered)  # type: ignore[arg-type]
    return read_declared(SourceSpec(path=path, crs="EPSG:4547", cad=cad, **more), "parcels")  # type: ignore[arg-type]


def noted(source: VectorSource, words: str) -> SourceNote:
    (note,) = [note for note in source.notes if words in note.what]
    return note


PLAIN = [
    polyline("地块", ring(0, 0), "A1"),
    polyline("地块", ring(20, 0), "A2"),
    polyline("地块", [*ring(40, 0), (40, 0)], "A3", closed=False),
    text("编号", 5, 5, "宗地一", "B1"),
    text("编号", 25, 5, "宗地二", "B2"),
    text("编号", 45, 5, "3", "B3"),
]


class TestOutlines:
    def test_closed_polylines_with_their_numbers(self, tmp_path: Path) -> None:
        source = read(dxf(tmp_path, PLAIN))
        assert list(source.gdf.columns) == ["text", "handle", "cad_layer", "geometry"]
        assert source.gdf["text"].tolist() == ["宗地一", "宗地二", "3"]
        assert source.gdf["handle"].tolist() == ["A1", "A2", "A3"]
        assert source.gdf.area.tolist() == [100, 100, 100]
        assert set(source.gdf["cad_layer"]) == {"地块"}

    def test_every_entity_is_accounted_for(self, tmp_path: Path) -> None:
        entities = [
            *PLAIN,
            polyline("地块", ring(60, 0), "A4", closed=False),
            line("地块", (0, 50), (10, 50), "A5"),
            polyline("地块", [(10, 10), (0, 10), (0, 0), (10, 0)], "A6"),  # A1 from another corner
            polyline("地块", [(0, 60), (5, 60)], "A7"),
            text("地块", 0, 70, "title", "A8"),
            text("编号", 0, 80, "lost", "B4"),
            text("编号", 5, 4, "x", "B5", paper=True),
            line("编号", (0, 80), (1, 80), "B6"),
            line("road", (0, 90), (10, 90), "C1"),
        ]
        source = read(dxf(tmp_path, entities))
        expected = {
            "open polyline": ("A4",),
            "separate line": ("A5",),
            "outline equal to another": ("A6",),
            "without area": ("A7",),
            "text on the layer of the outlines": ("A8",),
            "text in no outline": ("B4 (lost)",),
            "paper space": ("B5",),
            "entity without text": ("B6",),
            "another layer": ("road (1)",),
        }
        for words, items in expected.items():
            assert noted(source, words).items == items
        n_texts_used = 3
        counted = sum(note.count for note in source.notes)
        assert len(source.gdf) + n_texts_used + counted == len(entities)

    def test_order_of_entities_does_not_matter(self, tmp_path: Path) -> None:
        entities = [
            *PLAIN,
            polyline("地块", ring(0, 0), "A0"),
            text("编号", 4, 4, "z", "B9"),
            text("编号", 6, 6, "y", "B8"),
        ]
        first = read(dxf(tmp_path, entities))
        random.Random(1).shuffle(entities)
        second = read(dxf(tmp_path, entities))
        assert sorted(first.gdf["handle"]) == ["A0", "A2", "A3"]
        assert dict(zip(first.gdf["handle"], first.gdf["text"], strict=True)) == dict(
            zip(second.gdf["handle"], second.gdf["text"], strict=True)
        )
        assert sorted(map(str, first.notes)) == sorted(map(str, second.notes))


class TestNumbers:
    def test_nearest_to_the_inner_point_of_several(self, tmp_path: Path) -> None:
        entities = [
            polyline("地块", ring(0, 0), "A1"),
            text("编号", 1, 1, "corner", "B1"),
            text("编号", 5.2, 5, "middle", "B2"),
        ]
        source = read(dxf(tmp_path, entities))
        assert source.gdf["text"].tolist() == ["middle"]
        assert noted(source, "several texts (2 in all)").items == ("A1 (took middle, not corner)",)

    def test_the_smallest_outline_owns_a_text(self, tmp_path: Path) -> None:
        entities = [
            polyline("地块", ring(0, 0, 100), "A1"),
            polyline("地块", ring(40, 40, 20), "A2"),
            text("编号", 50, 50, "inner", "B1"),
            text("编号", 10, 10, "outer", "B2"),
        ]
        assert read(dxf(tmp_path, entities)).gdf["text"].tolist() == ["outer", "inner"]

    def test_outlines_without_a_text(self, tmp_path: Path) -> None:
        path = dxf(tmp_path, [*PLAIN, polyline("地块", ring(60, 0), "A9")])
        named = read(path, "name")
        assert named.gdf["text"].tolist() == ["宗地一", "宗地二", "3", "A9"]
        assert noted(named, "named after its handle").items == ("A9",)
        dropped = read(path, "drop")
        assert dropped.gdf["handle"].tolist() == ["A1", "A2", "A3"]
        assert noted(dropped, "without a text inside, left out").items == ("A9",)
        with pytest.raises(DataError, match=r"图\.dxf, layer 地块: found 1 outlines without a text of layer 编号 .*A9"):
            read(path, "refuse")

    def test_without_a_layer_of_texts_the_handle_is_the_name(self, tmp_path: Path) -> None:
        source = read(dxf(tmp_path, PLAIN), ids=None)
        assert source.gdf["text"].tolist() == ["A1", "A2", "A3"]
        assert noted(source, "another layer").items == ("编号 (3)",)


class TestRefused:
    def test_without_cad_the_layers_are_listed(self, tmp_path: Path) -> None:
        path = dxf(tmp_path, [*PLAIN, line("路", (0, 0), (1, 1), "C1")])
        with pytest.raises(
            DataError,
            match=r"地块 \(3 closed outlines, 0 texts\), 编号 \(0 closed outlines, 3 texts\) and 1 with neither.*"
            r"`cad: \{polygons: LAYER.*separate lines are not parcels",
        ):
            read_declared(SourceSpec(path=path, crs="EPSG:4547"), "parcels")

    def test_missing_layers_together(self, tmp_path: Path) -> None:
        with pytest.raises(DataError) as caught:
            read(dxf(tmp_path, [polyline("other", ring(0, 0), "A1")]))
        assert [issue.found for issue in caught.value.issues] == ["no layer '地块'", "no layer '编号'"]

    def test_outlines_of_separate_lines(self, tmp_path: Path) -> None:
        corners = ring(0, 0)
        lines = [line("地块", a, b, f"A{i}") for i, (a, b) in enumerate(pairwise(corners))]
        with pytest.raises(
            DataError, match=r"no closed outline, but 3 separate lines and 0 other polylines.*join them"
        ):
            read(dxf(tmp_path, [*lines, text("编号", 5, 5, "1", "B1")]))

    def test_a_layer_beside_cad(self, tmp_path: Path) -> None:
        with pytest.raises(DataError, match="`layer` is given; expected `cad`"):
            read(dxf(tmp_path, PLAIN), layer="地块")

    def test_cut_off(self, tmp_path: Path) -> None:
        path = dxf(tmp_path, PLAIN)
        path.write_bytes(path.read_bytes()[:-200])
        with pytest.raises(DataError, match="cut off"):
            read(path)


class TestText:
    @pytest.mark.parametrize(
        ("version", "page", "encoding", "warned"),
        [
            ("AC1009", "ANSI_936", "gbk", False),
            ("AC1015", "ANSI_1252", "gbk", True),
            ("AC1009", "", "gbk", True),
            ("AC1015", "ANSI_936", "utf-8", True),
        ],
    )
    def test_by_its_bytes(self, version: str, page: str, encoding: str, warned: bool, tmp_path: Path) -> None:
        source = read(dxf(tmp_path, PLAIN, version=version, page=page, encoding=encoding))
        assert source.gdf["text"].tolist() == ["宗地一", "宗地二", "3"]
        assert [note.warning for note in source.notes if "attribute text" in note.what] == [warned]

    def test_new_drawings_are_utf8_whatever_page_they_name(self, tmp_path: Path) -> None:
        source = read(dxf(tmp_path, PLAIN, version="AC1021", encoding="utf-8"))
        assert source.gdf["text"].tolist() == ["宗地一", "宗地二", "3"]
        assert source.notes == ()

    def test_declared(self, tmp_path: Path) -> None:
        path = dxf(tmp_path, PLAIN, page="ANSI_1252")
        assert read(path, encoding="gbk").gdf["text"].tolist() == ["宗地一", "宗地二", "3"]
        with pytest.raises(DataError, match="text that is not utf-8"):
            read(path, encoding="utf-8")
