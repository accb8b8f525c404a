from __future__ import annotations

from pathlib import Path

import geopandas as gpd
import pyogrio
import pytest
from hypothesis import given
from hypothesis import strategies as st
from shapely.geometry import box

from geodata.dbf import parse_dbf
from geodata.encoding import RawText, decide, parse_encoding
from geodata.errors import DataError
from geodata.parcels import read_parcels
from geodata.read import read_declared
from geodata.spec import FieldSpec, ParcelsSpec
from geodata.spec_source import SourceSpec
from geodata.vector import VectorSource

VILLAGES = ["宝山区", "清溪镇三中村", "长安工业园"]
COMMON = st.text(st.characters(min_codepoint=0x4E00, max_codepoint=0x9FA5), min_size=1, max_size=12)


def texts(values: list[str], encoding: str) -> list[RawText]:
    return [RawText(value.encode(encoding)) for value in values if not value.isascii()]


class TestNames:
    @pytest.mark.parametrize(
        ("written", "codec"),
        [
            ("GBK", "gb18030"),
            ("gb2312", "gb18030"),
            ("936", "gb18030"),
            ("ANSI 936", "gb18030"),
            ("CP936", "gb18030"),
            ("OEM 936", "gb18030"),
            ("65001", "utf-8"),
            ("utf8", "utf-8"),
            ("\ufeffUTF-8\n", "utf-8"),
            ("88591", "iso8859-1"),
            ("ISO-8859-1", "iso8859-1"),
            ("1252", "cp1252"),
            ("Windows-1251", "cp1251"),
            ("Big5", "big5"),
            ("949", "cp949"),
            ("base64", None),
            ("nonsense", None),
            ("", None),
        ],
    )
    def test_as_files_and_users_write_them(self, written: str, codec: str | None) -> None:
        assert parse_encoding(written) == codec


class TestDecide:
    @pytest.mark.parametrize(
        ("stored", "named", "codec"),
        [
            ("gbk", None, "gb18030"),
            ("gbk", "UTF-8", "gb18030"),
            ("gbk", "cp1252", "gb18030"),
            ("gbk", "ISO-8859-1", "gb18030"),
            ("utf-8", None, "utf-8"),
            ("utf-8", "GBK", "utf-8"),
            ("utf-8", "cp1252", "utf-8"),
        ],
    )
    def test_chinese_whatever_the_file_says(self, stored: str, named: str | None, codec: str) -> None:
        found = decide(texts(VILLAGES, stored), None, named)
        assert found is not None
        assert (found.codec, found.contradicts(named)) == (codec, named is not None)
        assert found.preview == tuple(sorted(VILLAGES))

    def test_the_named_one_of_several_that_fit(self) -> None:
        korean = texts(["역삼동", "대지"], "cp949")
        assert decide(korean, None, "949").codec == "cp949"  # type: ignore[union-attr]
        assert decide(texts(["寶山區", "地號"], "big5"), None, "Big5").codec == "big5"  # type: ignore[union-attr]
        assert decide(texts(["Деревня"], "cp1251"), None, "1251").codec == "cp1251"  # type: ignore[union-attr]

    def test_two_bytes_that_are_utf8_too(self) -> None:
        both = texts(["模摹"], "gbk")
        assert len(both[0].raw.decode("utf-8")) == 2
        assert decide(both, None, "GBK").preview == ("模摹",)  # type: ignore[union-attr]

    @pytest.mark.parametrize("name", ["Château", "Grand-Lucé", "Straße", "São João"])
    def test_western_text_is_not_taken_for_chinese(self, name: str) -> None:
        western = texts([name], "latin-1")
        assert decide(western, None, None) is None
        assert decide(western, None, "88591").preview == (name,)  # type: ignore[union-attr]

    def test_declared_or_nothing(self) -> None:
        korean = texts(["역삼동"], "cp949")
        assert decide(korean, "cp949", "UTF-8").preview == ("역삼동",)  # type: ignore[union-attr]
        assert decide(korean, "utf-8", None) is None
        assert decide([], "big5", None).codec == "big5"  # type: ignore[union-attr]

    @given(st.lists(COMMON, min_size=3, max_size=20, unique=True), st.sampled_from(["utf-8", "gbk"]))
    def test_every_chinese_text_in_utf8_comes_back(self, values: list[str], named: str) -> None:
        found = decide(texts(values, "utf-8"), None, named)
        assert found is not None
        assert [found.decode(v.encode("utf-8"), full=False)[0] for v in values] == values

    @given(st.lists(COMMON, min_size=1, max_size=20, unique=True), st.randoms())
    def test_order_does_not_matter(self, values: list[str], random: object) -> None:
        forward = texts(values, "gb18030")
        shuffled = list(forward)
        random.shuffle(shuffled)  # type: ignore[attr-defined]
        assert decide(forward, None, "gbk") == decide(shuffled, None, "gbk")


class TestCut:
    def test_a_full_field_may_end_in_the_middle_of_a_character(self) -> None:
        for encoding in ("gbk", "utf-8"):
            raw = "清溪镇".encode(encoding)[:-1]
            found = decide([RawText(raw, True), *texts(VILLAGES, encoding)], None, None)
            assert found is not None
            assert found.decode(raw, full=True) == ("清溪", True)
            assert not found.cut_anywhere

    def test_a_widened_field_too_if_nothing_fits_otherwise(self) -> None:
        raw = "清溪镇".encode("gbk")[:-1]
        found = decide([RawText(raw), *texts(VILLAGES, "gbk")], None, "cp1252")
        assert found is not None
        assert (found.codec, found.cut_anywhere) == ("gb18030", True)

    def test_one_cut_text_proves_nothing(self) -> None:
        assert decide([RawText("Pré".encode("latin-1"), True)], None, None) is None


def shapefile(
    folder: Path,
    names: list[str | None],
    encoding: str,
    *,
    cpg: str | None = None,
    language: int = 0,
    column: str = "名称",
    width: int | None = None,
) -> Path:
    boxes = [box(500_000 + 100 * i, 2_520_000, 500_090 + 100 * i, 2_520_080) for i in range(len(names))]
    data = {column: names, "code": [f"P{i}" for i in range(len(names))]}
    path = folder / "地块.shp"
    pyogrio.write_dataframe(gpd.GeoDataFrame(data, geometry=boxes, crs="EPSG:4547"), path, encoding=encoding)
    raw = bytearray(path.with_suffix(".dbf").read_bytes())
    raw[29] = language
    path.with_suffix(".dbf").write_bytes(raw if width is None else narrowed(bytes(raw), width))
    path.with_suffix(".cpg").unlink()
    if cpg is not None:
        path.with_suffix(".cpg").write_text(cpg, encoding="ascii")
    return path


def narrowed(raw: bytes, width: int) -> bytes:
    """The table with its first field cut to so many bytes, as a writer does that counts bytes, not characters."""
    start, length = int.from_bytes(raw[8:10], "little"), int.from_bytes(raw[10:12], "little")
    old = raw[32 + 16]
    header = bytearray(raw[:start])
    header[10:12] = (length - old + width).to_bytes(2, "little")
    header[32 + 16] = width
    rows = [raw[i : i + length] for i in range(start, start + length * int.from_bytes(raw[4:8], "little"), length)]
    return bytes(header) + b"".join(r[: 1 + width] + r[1 + old :] for r in rows) + b"\x1a"


def read(path: Path, encoding: str | None = None) -> VectorSource:
    return read_declared(SourceSpec(path=path, encoding=encoding), "parcels")


class TestShapefile:
    @pytest.mark.parametrize("language", [0, 0x4D, 0x57])
    @pytest.mark.parametrize("cpg", [None, "GBK", "UTF-8", "ISO-8859-1", "nonsense", ""])
    def test_gbk(self, cpg: str | None, language: int, tmp_path: Path) -> None:
        source = read(shapefile(tmp_path, [*VILLAGES, None], "GB18030", cpg=cpg, language=language))
        assert source.gdf["名称"].tolist()[:3] == VILLAGES
        assert source.gdf["名称"].isna().tolist() == [False, False, False, True]
        told = cpg == "GBK" or (not cpg and language == 0x4D)
        assert [note.warning for note in source.notes] == [not told]
        assert "宝山区" in source.notes[0].what

    @pytest.mark.parametrize(("cpg", "noted"), [(None, False), ("UTF-8", False), ("GBK", True), ("88591", True)])
    def test_utf8(self, cpg: str | None, noted: bool, tmp_path: Path) -> None:
        source = read(shapefile(tmp_path, [*VILLAGES], "UTF-8", cpg=cpg))
        assert source.gdf["名称"].tolist() == VILLAGES
        assert [f"although the .cpg says {cpg}" in note.what for note in source.notes] == [True] * noted

    def test_ascii_needs_nothing(self, tmp_path: Path) -> None:
        assert read(shapefile(tmp_path, ["a", "b"], "UTF-8", cpg="nonsense", column="name")).notes == ()

    def test_declared(self, tmp_path: Path) -> None:
        path = shapefile(tmp_path, ["역삼동"], "CP949", cpg="UTF-8", column="name")
        assert read(path, "cp949").gdf["name"].tolist() == ["역삼동"]
        with pytest.raises(
            DataError, match=r"text that is not utf-8: in gb18030 it reads .* in euc-kr it reads 역삼동"
        ):
            read(path, "utf-8")
        with pytest.raises(DataError, match="encoding 'nonsense'; expected the name of an encoding"):
            read(path, "nonsense")

    def test_no_encoding_fits(self, tmp_path: Path) -> None:
        path = shapefile(tmp_path, ["Château"], "ISO-8859-1", column="name")
        with pytest.raises(DataError, match=r"in latin-1 it reads Château.*Declare the one that reads right"):
            read(path)

    @pytest.mark.parametrize(("encoding", "width"), [("GB18030", 7), ("UTF-8", 10)])
    def test_cut_text_is_listed_by_parcel(self, encoding: str, width: int, tmp_path: Path) -> None:
        path = shapefile(tmp_path, [*VILLAGES], encoding, width=width)
        spec = ParcelsSpec(path=path, id="code", fields={"village": FieldSpec(column="名称")})
        raw = read_parcels(spec)
        assert raw.gdf["village"].tolist() == ["宝山区", "清溪镇", "长安工"]
        cut = [note for note in raw.notes_on_sources if "in the middle of a character" in note.what]
        assert [(note.items, note.are_parcels, note.count) for note in cut] == [(("P1", "P2"), True, 2)]

    def test_cut_column_name(self, tmp_path: Path) -> None:
        path = shapefile(tmp_path, [*VILLAGES], "GB18030", column="ab")
        raw = bytearray(path.with_suffix(".dbf").read_bytes())
        raw[32:43] = "a宗地面积".encode("gbk") + "亩".encode("gbk")[:1] + b"\0"
        path.with_suffix(".dbf").write_bytes(raw)
        assert list(read(path).gdf.columns) == ["a宗地面积", "code", "geometry"]


class TestDbf:
    def test_nonsense_is_left_to_its_reader(self) -> None:
        for raw in (b"", b"\x03" * 31, bytes(200), bytes(range(256)) * 3):
            assert parse_dbf(raw) is None

    @given(st.binary(max_size=400))
    def test_never_fails(self, raw: bytes) -> None:
        parse_dbf(raw)
