"""Pictures under the plan: which hosts the page may ask, and what goes into it."""

from __future__ import annotations

import base64
import json
import re
from pathlib import Path

import numpy as np
import pytest
import rasterio
import shapely
from rasterio.enums import ColorInterp
from rasterio.io import MemoryFile
from rasterio.transform import Affine

from geodata.errors import DataError
from geodata.web_maps import shift
from planner.report.base_map import MOST_PIXELS, TILES, base_map_data, tile_hosts
from planner.report.map import render_map
from planner.report.page import page_data
from planner.spec_report import BaseMapSpec
from tests.planner.report.map_builders import rich_plan
from tests.planner.report.plan_builders import context_of, grid_plan

BOUNDS = [[22.80, 114.10], [22.84, 114.16]]
TIANDITU = BaseMapSpec(kind="tianditu", key="0123abc")
GAODE = BaseMapSpec(kind="gaode")
OSM = BaseMapSpec(kind="osm")


def policy_of(page: str) -> list[str]:
    content = re.search(r'http-equiv="Content-Security-Policy" content="([^"]+)"', page)
    assert content is not None
    rules = {rule.split()[0]: rule.split()[1:] for rule in content.group(1).split("; ")}
    assert rules["default-src"] == ["'none'"]
    assert "connect-src" not in rules
    return rules["img-src"]


@pytest.mark.parametrize(
    ("spec", "hosts"),
    [
        (None, []),
        (TIANDITU, [f"https://t{k}.tianditu.gov.cn" for k in range(8)]),
        (GAODE, [f"https://webrd0{k}.is.autonavi.com" for k in range(1, 5)]),
        (BaseMapSpec(kind="gaode", imagery=True), [f"https://webst0{k}.is.autonavi.com" for k in range(1, 5)]),
        (OSM, ["https://tile.openstreetmap.org"]),
    ],
)
def test_the_page_may_ask_the_configured_hosts_and_no_other(spec: BaseMapSpec | None, hosts: list[str]) -> None:
    plan = grid_plan(columns=6, rows=6)
    page = render_map(plan, context_of(plan, base_map=spec))
    assert policy_of(page) == ["data:", *hosts]
    assert list(tile_hosts(spec)) == hosts
    text = re.search(r'id="plan-data">(.*?)</script>', page, re.DOTALL).group(1)  # type: ignore[union-attr]
    base = json.loads(text)["base"]
    letters = (base["subdomains"] or " ") if base else ""
    asked = {url.split("/")[2].replace("{s}", k) for url in (base or {"urls": []})["urls"] for k in letters}
    assert asked == {host.removeprefix("https://") for host in hosts}


def test_tiles_have_their_key_their_labels_and_say_whose_they_are() -> None:
    data = base_map_data(TIANDITU, BOUNDS)
    assert data is not None
    assert [re.search(r"LAYER=(\w+)", url).group(1) for url in data["urls"]] == ["vec", "cva"]  # type: ignore[union-attr]
    assert all("tk=0123abc" in url for url in data["urls"])
    assert not any("{key}" in url for url in data["urls"])
    for (kind, imagery), tiles in TILES.items():
        assert tiles.attribution
        assert tiles.shifted == (kind == "gaode")
        assert all("{x}" in url and "{y}" in url and "{z}" in url for url in tiles.urls), (kind, imagery)


def test_over_gaode_the_plan_is_drawn_shifted_and_the_page_knows_the_way_back() -> None:
    tables, context = rich_plan(base_map=GAODE)
    drawn = page_data(tables, context)
    true = page_data(*rich_plan())
    lng, lat = shift([p[0] for p in first_points(true)], [p[1] for p in first_points(true)], "GCJ-02")
    np.testing.assert_allclose(first_points(drawn), np.column_stack([lng, lat]), atol=1.1e-6)
    assert drawn["parcels"]["columns"]["area_mu"] == true["parcels"]["columns"]["area_mu"]
    grid = drawn["base"]["true"]
    assert len(grid["lat"]) == len(grid["lng"]) == grid["side"] ** 2
    (south, west), (north, east) = grid["bounds"]
    lats, lngs = np.linspace(south, north, grid["side"]), np.linspace(west, east, grid["side"])
    back_lat = lats[3] + grid["lat"][3 * grid["side"] + 5] / 1e8
    back_lng = lngs[5] + grid["lng"][3 * grid["side"] + 5] / 1e8
    again_lng, again_lat = shift(back_lng, back_lat, "GCJ-02")
    assert (again_lng[0], again_lat[0]) == pytest.approx((lngs[5], lats[3]), abs=1e-8)
    assert true["base"] is None


def first_points(data: dict) -> list[list[float]]:
    return [[shape[0][0][0] / 1e6, shape[0][0][1] / 1e6] for shape in data["parcels"]["shapes"]]


def write_raster(path: Path, bands: np.ndarray, crs: str | None = "EPSG:4326", **profile: object) -> BaseMapSpec:
    (south, west), (north, east) = BOUNDS
    count, height, width = bands.shape
    wide, tall = (east - west + 0.1) / width, (north - south + 0.1) / height
    place = Affine(wide, 0, west - 0.05, 0, -tall, north + 0.05)
    how = {"driver": "GTiff", "count": count, "height": height, "width": width, "dtype": bands.dtype, "crs": crs}
    with rasterio.open(path, "w", transform=place, **(how | profile)) as file:
        file.write(bands)
    return BaseMapSpec(kind="raster", path=path)


def picture(data: dict | None) -> tuple[str, np.ndarray]:
    assert data is not None
    kind, text = re.match(r"data:image/(\w+);base64,(.*)", data["image"]).groups()  # type: ignore[union-attr]
    with MemoryFile(base64.b64decode(text)) as file, file.open() as image:
        return kind, image.read()


@pytest.mark.filterwarnings("ignore::rasterio.errors.NotGeoreferencedWarning")  # a JPEG in a page has no place
def test_a_raster_is_put_into_the_page_round_the_plan(tmp_path: Path) -> None:
    bands = np.zeros((3, 200, 220), dtype=np.uint8)
    bands[0] = 200
    data = base_map_data(write_raster(tmp_path / "a.tif", bands), BOUNDS)
    kind, image = picture(data)
    assert kind == "jpeg"
    assert np.abs(image.mean(axis=(1, 2)) - [200, 0, 0]).max() < 4
    assert data is not None
    (south, west), (north, east) = data["bounds"]
    (plan_south, plan_west), (plan_north, plan_east) = BOUNDS
    assert south < plan_south < plan_north < north < plan_north + 0.05
    assert west < plan_west < plan_east < east < plan_east + 0.05
    assert tile_hosts(BaseMapSpec(kind="raster", path=tmp_path / "a.tif")) == ()


@pytest.mark.filterwarnings("ignore::rasterio.errors.NotGeoreferencedWarning")
def test_a_raster_with_holes_is_transparent_there_and_one_of_numbers_is_grey(tmp_path: Path) -> None:
    numbers = np.tile(np.linspace(0, 5000, 220, dtype=np.float32), (1, 200, 1))
    numbers[:, :, 60:80] = -9999
    kind, image = picture(base_map_data(write_raster(tmp_path / "b.tif", numbers, nodata=-9999), BOUNDS))
    assert kind == "png"
    assert image.shape[0] == 4
    assert (image[0] == image[1]).all() and (image[1] == image[2]).all()
    alpha = image[3]
    assert set(np.unique(alpha)) == {0, 255}
    seen = image[0][0][alpha[0] > 0].astype(int)
    assert seen[-1] > seen[0] + 100


@pytest.mark.filterwarnings("ignore::rasterio.errors.NotGeoreferencedWarning")
def test_a_raster_with_a_colour_table_keeps_its_colours(tmp_path: Path) -> None:
    path = tmp_path / "c.tif"
    spec = write_raster(path, np.ones((1, 100, 110), dtype=np.uint8))
    with rasterio.open(path, "r+") as file:
        file.colorinterp = [ColorInterp.palette]
        file.write_colormap(1, {0: (0, 0, 0, 255), 1: (10, 120, 30, 255)})
    _, image = picture(base_map_data(spec, BOUNDS))
    assert np.abs(image[:3].mean(axis=(1, 2)) - [10, 120, 30]).max() < 4


@pytest.mark.filterwarnings("ignore::rasterio.errors.NotGeoreferencedWarning")
def test_a_large_raster_is_made_coarser(tmp_path: Path) -> None:
    bands = np.full((1, 6000, 6600), 7, dtype=np.uint8)
    _, image = picture(base_map_data(write_raster(tmp_path / "d.tif", bands, compress="deflate"), BOUNDS))
    assert 0.5 * MOST_PIXELS < image.shape[1] * image.shape[2] <= 1.01 * MOST_PIXELS


def test_what_is_no_raster_of_the_place_is_refused(tmp_path: Path) -> None:
    bands = np.zeros((3, 20, 20), dtype=np.uint8)
    spec = write_raster(tmp_path / "a.tif", bands)
    far_away = [[30.0, 114.1], [30.1, 114.2]]
    with pytest.raises(DataError, match="does not reach the plan"):
        base_map_data(spec, far_away)
    with pytest.raises(DataError, match="without a CRS"):
        base_map_data(write_raster(tmp_path / "e.tif", bands, crs=None), BOUNDS)
    (tmp_path / "f.tif").write_text("no picture", encoding="utf-8")
    with pytest.raises(DataError, match="cannot be read"):
        base_map_data(BaseMapSpec(kind="raster", path=tmp_path / "f.tif"), BOUNDS)


def test_the_raster_is_a_picture_of_the_page_and_nothing_is_asked(tmp_path: Path) -> None:
    plan = grid_plan(columns=6, rows=6)
    centre = shapely.box(*plan.parcels.to_crs("EPSG:4326").total_bounds).centroid
    path = tmp_path / "g.tif"
    place = Affine(0.004, 0, centre.x - 0.1, 0, -0.004, centre.y + 0.1)
    how = {"driver": "GTiff", "count": 3, "height": 50, "width": 50, "dtype": "uint8", "crs": "EPSG:4326"}
    with rasterio.open(path, "w", transform=place, **how) as file:
        file.write(np.full((3, 50, 50), 90, dtype=np.uint8))
    page = render_map(plan, context_of(plan, base_map=BaseMapSpec(kind="raster", path=path)))
    assert policy_of(page) == ["data:"]
    text = re.search(r'id="plan-data">(.*?)</script>', page, re.DOTALL).group(1)  # type: ignore[union-attr]
    assert json.loads(text)["base"]["image"].startswith("data:image/jpeg;base64,")
    assert str(tmp_path) not in page
