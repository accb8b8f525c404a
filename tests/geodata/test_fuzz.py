"""Spoilt files of real land: read in full, or refused in words; never a crash, a hang or a row that goes unnoticed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path

import geopandas as gpd
import pytest
from shapely.geometry import box

from geodata.errors import DataError
from geodata.read import read_declared
from geodata.spec_source import CadSpec, SourceSpec
from geodata.tables import read_table
from tests.geodata.fuzz_corpus import Sample, corpus
from tests.geodata.fuzzing import FAILED, READ, REFUSED, SilentLossError, check_rows, chosen, fuzz, summary, whole

FAST = 108
SLOW = 3_240


@pytest.fixture(scope="module")
def samples(shared_data: Callable[[str], Path]) -> list[Sample]:
    return corpus(shared_data)


@pytest.fixture(scope="module")
def rows(samples: list[Sample]) -> dict[str, tuple[int, int]]:
    return whole(samples)


def test_whole_files_are_read_in_full(rows: dict[str, tuple[int, int]]) -> None:
    assert rows["shanghai"] == rows["zip"] == (17, 0)
    assert rows["t.gpkg"] == rows["t.fgb"] == rows["t.gdb"] == rows["t.parquet"] == rows["t.mif"] == (50, 0)
    assert rows["csv"] == rows["gbk.csv"] == (50, 0)
    assert rows["drawing"][0] == 4
    assert rows["txt"][0] == 10


def test_every_mutation_has_its_turn(samples: list[Sample]) -> None:
    turns = Counter((sample.name, k) for sample, k in (chosen(samples, number) for number in range(SLOW)))
    assert set(turns) == {(sample.name, k) for sample in samples for k in range(len(sample.mutations))}


@pytest.mark.parametrize(
    ("rule", "after", "is_loss"),
    [
        ("same", (50, 0), False),
        ("same", (49, 1), False),
        ("same", (49, 0), True),
        ("same", (51, 0), True),
        ("loss", (51, 0), False),
        ("loss", (49, 0), True),
    ],
)
def test_rows_are_counted(rule: str, after: tuple[int, int], is_loss: bool) -> None:
    if not is_loss:
        check_rows(rule, (50, 0), after)  # type: ignore[arg-type]
        return
    with pytest.raises(SilentLossError):
        check_rows(rule, (50, 0), after)  # type: ignore[arg-type]


def test_some_spoilt_files(samples: list[Sample], rows: dict[str, tuple[int, int]]) -> None:
    verdicts = fuzz(samples, rows, range(FAST))
    outcomes = Counter(verdict.outcome for verdict in verdicts)
    assert not outcomes[FAILED], summary(verdicts)
    assert outcomes[READ] > FAST // 10
    assert outcomes[REFUSED] > FAST // 10


@pytest.mark.slow
def test_thousands_of_spoilt_files(samples: list[Sample], rows: dict[str, tuple[int, int]]) -> None:
    verdicts = fuzz(samples, rows, range(FAST, FAST + SLOW), processes=2)
    assert len(verdicts) == SLOW
    assert not any(verdict.outcome == FAILED for verdict in verdicts), summary(verdicts)


class TestSmallestCases:
    """What the fuzzing found, cut down: rows that GDAL or a lax reader would lose without a word."""

    @staticmethod
    def land(path: Path, driver: str) -> Path:
        boxes = [box(500_000 + 100 * i, 2_520_000, 500_090 + 100 * i, 2_520_080) for i in range(3)]
        gdf = gpd.GeoDataFrame({"name": ["a", "b", "c"]}, geometry=boxes, crs="EPSG:4547")
        gdf.to_file(path, driver=driver, engine="pyogrio")
        return path

    def test_an_index_that_says_it_is_shorter(self, tmp_path: Path) -> None:
        path = self.land(tmp_path / "t.shp", "ESRI Shapefile")
        index = path.with_suffix(".shx")
        raw = bytearray(index.read_bytes())
        raw[24:28] = ((100 + 8) // 2).to_bytes(4, "big")
        index.write_bytes(raw)
        with pytest.raises(DataError, match="found 1 features could be read; expected 3"):
            read_declared(SourceSpec(path=path), "parcels")

    @pytest.mark.parametrize(("part", "old", "new"), [(".mif", b"Region", b"Regixn"), (".mid", b'"b"\n', b'"b\n')])
    def test_a_mapinfo_feature_that_is_not_understood(self, tmp_path: Path, part: str, old: bytes, new: bytes) -> None:
        path = self.land(tmp_path / "t.mif", "MapInfo File")
        assert len(read_declared(SourceSpec(path=path), "parcels").gdf) == 3
        file = path.with_suffix(part)
        head, found, rest = file.read_bytes().rpartition(old)
        assert found
        file.write_bytes(head + new + rest)
        with pytest.raises(DataError):
            read_declared(SourceSpec(path=path), "parcels")

    @pytest.mark.parametrize("stray", ['2,"b,20', '2,b,"20'])
    def test_a_quotation_mark_that_is_never_closed(self, tmp_path: Path, stray: str) -> None:
        path = tmp_path / "t.csv"
        path.write_text(f'id,name,tax\n1,a,10\n{stray}\n3,"c",30\n4,d,40\n', encoding="utf-8")
        with pytest.raises(DataError, match="row that begins in line 3"):
            read_table(path)

    def test_quoted_line_breaks_and_doubled_marks_are_read(self, tmp_path: Path) -> None:
        path = tmp_path / "t.csv"
        path.write_text('id,name\n1,"a ""b""\nc"\n2,d"e\n', encoding="utf-8")
        assert read_table(path)["name"].tolist() == ['a "b"\nc', 'd"e']

    @pytest.mark.parametrize(
        ("spoilt", "found"), [("VERTEX", None), ("VERTIX", "1 lines that cannot be read in full, handle 2a")]
    )
    def test_a_line_of_a_drawing_that_cannot_be_read(self, tmp_path: Path, spoilt: str, found: str | None) -> None:
        path = tmp_path / "t.dxf"
        path.write_text(drawing_of_two(spoilt), encoding="ascii")
        spec = SourceSpec(path=path, crs="EPSG:4547", cad=CadSpec(polygons="P"))
        if found is None:
            assert len(read_declared(spec, "parcels").gdf) == 2
            return
        with pytest.raises(DataError, match=found):
            read_declared(spec, "parcels")


def drawing_of_two(third: str) -> str:
    """Two closed polylines; the third corner of the second one is an entity of this kind."""
    groups = ["0", "SECTION", "2", "ENTITIES"]
    for handle, west in (("1A", 500_000), ("2A", 500_100)):
        groups += ["0", "POLYLINE", "8", "P", "5", handle, "66", "1", "70", "1", "10", "0", "20", "0", "30", "0"]
        for k, (x, y) in enumerate([(0, 0), (90, 0), (90, 80), (0, 80)]):
            kind = third if handle == "2A" and k == 2 else "VERTEX"
            groups += ["0", kind, "8", "P", "10", str(west + x), "20", str(2_520_000 + y), "30", "0"]
        groups += ["0", "SEQEND", "8", "P"]
    return "\n".join([*groups, "0", "ENDSEC", "0", "EOF", ""])
