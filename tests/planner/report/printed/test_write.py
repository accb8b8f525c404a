"""The files: scale, fonts, bytes, settings left alone."""

from __future__ import annotations

import datetime
import re
import zlib
from dataclasses import replace
from pathlib import Path

import geopandas as gpd
import numpy as np
import pytest
import shapely
from PIL import Image

from planner.report.printed import write_atlas, write_overview
from planner.report.printed.write import PNG_DPI
from tests.planner.report.plan_builders import CRS
from tests.planner.report.printed.world import contents, long_block, settings, small_tables

DAY = datetime.date(2026, 3, 4)
SQUARE = (777.0, 333.0)


def drawn(pdf: bytes) -> str:
    """Contents of all streams that are drawing commands."""
    found = []
    for stream in re.findall(rb"stream\r?\n(.*?)\r?\nendstream", pdf, re.DOTALL):
        try:
            found.append(zlib.decompress(stream).decode("latin-1"))
        except zlib.error:
            continue
    return "\n".join(found)


def extents_in_mm(commands: str) -> list[tuple[float, float]]:
    """Width and height of every path of straight lines."""
    paths = re.findall(r"(-?[\d.]+) (-?[\d.]+) m\s((?:-?[\d.]+ -?[\d.]+ l\s)+)", commands)
    found = []
    for x, y, rest in paths:
        corners = np.array([[float(x), float(y)], *(list(map(float, r.split()[:2])) for r in rest.splitlines() if r)])
        found.append(tuple(np.ptp(corners, axis=0) / 72 * 25.4))
    return found


def test_the_pdf_has_the_scale_that_it_says(tmp_path: Path) -> None:
    tables = small_tables()
    west, south, *_ = tables.parcels.total_bounds
    box = shapely.box(west + 20, south + 20, west + 20 + SQUARE[0], south + 20 + SQUARE[1])
    barriers = gpd.GeoDataFrame({"name": ["square"]}, geometry=[box], crs=CRS)
    plan = contents(replace(tables, barriers=barriers), report={"print": {"scale": 5000}})
    write_overview(plan, tmp_path / "map.pdf", None, day=DAY)
    data = (tmp_path / "map.pdf").read_bytes()
    width, height = SQUARE[0] * 1000 / 5000, SQUARE[1] * 1000 / 5000
    assert any(abs(w - width) < 0.1 and abs(h - height) < 0.1 for w, h in extents_in_mm(drawn(data)))
    [media] = re.findall(rb"/MediaBox \[([^\]]*)\]", data)
    assert [float(v) / 72 * 25.4 for v in media.split()] == pytest.approx([0, 0, 420, 297], abs=0.1)


def test_the_same_plan_gives_the_same_bytes_whatever_the_order_of_rows(tmp_path: Path) -> None:
    tables = small_tables()
    other = replace(
        tables,
        parcels=tables.parcels.iloc[::-1].reset_index(drop=True),
        blocks=tables.blocks.sample(frac=1, random_state=1).reset_index(drop=True),
    )
    for name, plan in (("a", contents(tables)), ("b", contents(other))):
        write_overview(plan, tmp_path / f"{name}.pdf", tmp_path / f"{name}.png", day=DAY)
    for kind in ("pdf", "png"):
        assert (tmp_path / f"a.{kind}").read_bytes() == (tmp_path / f"b.{kind}").read_bytes()


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """The map once as PDF and PNG; settings of matplotlib must be as before."""
    folder = tmp_path_factory.mktemp("map")
    before = settings()
    write_overview(contents(), folder / "map.pdf", folder / "map.png", day=DAY)
    assert settings() == before
    return folder / "map.pdf", folder / "map.png"


def test_the_file_says_the_day_and_what_it_was_made_from(files: tuple[Path, Path]) -> None:
    data = files[0].read_bytes()
    assert b"/CreationDate (D:20260304" in data
    assert b"ab" * 32 in data
    assert b"ModDate" not in data
    assert len(data) < 1_000_000


def test_fonts_are_embedded(files: tuple[Path, Path]) -> None:
    data = files[0].read_bytes()
    kinds = set(re.findall(rb"/Subtype /(Type0|Type1|Type3|TrueType|CIDFontType2)", data))
    assert kinds <= {b"Type3", b"Type0", b"CIDFontType2"}
    assert b"Type3" in kinds or b"/FontFile2" in data


def test_the_picture_is_an_a3_page(files: tuple[Path, Path]) -> None:
    with Image.open(files[1]) as image:
        assert image.size == pytest.approx((420 / 25.4 * PNG_DPI, 297 / 25.4 * PNG_DPI), abs=1)


def test_the_atlas_has_the_pages_that_it_reports(tmp_path: Path) -> None:
    plan = contents(long_block(40))
    printed = write_atlas(plan, tmp_path / "atlas.pdf", day=DAY, sheets=["location", "block"])
    assert printed.pages == 2 + 2
    data = (tmp_path / "atlas.pdf").read_bytes()
    assert len(re.findall(rb"/Type /Page\b(?!s)", data)) == printed.pages
    assert {a.sheet for a in printed.left_out} >= {"modes", "phases"}
    assert all(a.reason for a in printed.left_out)


def test_no_half_file_is_left(tmp_path: Path) -> None:
    plan = contents()
    broken = replace(plan, tables=replace(plan.tables, blocks=plan.tables.blocks.drop(columns="area_mu")))
    with pytest.raises(KeyError):
        write_overview(broken, tmp_path / "map.pdf", None, day=DAY)
    assert list(tmp_path.iterdir()) == []
