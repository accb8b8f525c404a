"""Base maps: only the configured hosts are asked, for pictures alone, and the plan stands without an answer."""

from __future__ import annotations

import base64
from urllib.parse import urlsplit

import numpy as np
import pytest
import rasterio
from rasterio.transform import Affine

from geodata.web_maps import shift
from geodata.write import write_text
from planner.report.base_map import tile_hosts
from planner.report.map import render_map
from planner.spec_report import BaseMapSpec
from tests.planner.report.plan_builders import context_of, grid_plan

pytestmark = pytest.mark.browser

PIXEL = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)


@pytest.fixture(scope="module")
def plan():
    return grid_plan(columns=8, rows=6)


@pytest.fixture
def open_with_tiles(chromium):
    """Opens a page whose every request is answered with a picture, and notes what was asked."""
    contexts = []

    def open_(path):
        context = chromium.new_context(viewport={"width": 1000, "height": 700})
        contexts.append(context)
        asked, errors = [], []

        def answer(route):
            if route.request.url.startswith(("file:", "data:")):
                route.continue_()
                return
            asked.append((route.request.resource_type, route.request.url))
            route.fulfill(status=200, content_type="image/png", body=PIXEL)

        context.route("**/*", answer)
        page = context.new_page()
        page.on("console", lambda m: m.type in {"error", "warning"} and errors.append(m.text))
        page.on("pageerror", lambda e: errors.append(str(e)))
        page.goto(path.as_uri())
        page.wait_for_selector("body[data-ready=true]")
        page.wait_for_function(
            """() => {
                if (!planMap.view.data.base) return true;
                const tiles = [...document.querySelectorAll("img.leaflet-tile")];
                return tiles.length > 0 && tiles.every((tile) => tile.classList.contains("leaflet-tile-loaded"));
            }"""
        )
        return page, asked, errors

    yield open_
    for context in contexts:
        context.close()


@pytest.mark.parametrize(
    ("spec", "says"),
    [
        (BaseMapSpec(kind="osm"), "OpenStreetMap"),
        (BaseMapSpec(kind="tianditu", key="k1", imagery=True), "天地图"),
        (BaseMapSpec(kind="gaode"), "高德"),
    ],
)
def test_only_the_configured_hosts_are_asked_for_pictures(open_with_tiles, plan, tmp_path, spec, says):
    path = tmp_path / "map.html"
    write_text(render_map(plan, context_of(plan, base_map=spec)), path)
    page, asked, errors = open_with_tiles(path)
    hosts = {urlsplit(host).netloc for host in tile_hosts(spec)}
    assert asked
    assert {kind for kind, _ in asked} == {"image"}
    assert {urlsplit(url).netloc for _, url in asked} <= hosts
    assert not any("parcel" in url or "QX-" in url for _, url in asked)
    assert errors == []
    said = page.locator(".leaflet-control-attribution").inner_text()
    assert said.startswith("Leaflet") and says in said
    assert (page.locator(".shift-note").count() == 1) == (spec.kind == "gaode")
    assert page.evaluate("() => planMap.view.parcelLayer[0].options.fillOpacity") < 0.8
    page.locator(".leaflet-control-layers label", has=page.get_by_text("Base map", exact=True)).locator(
        "input"
    ).uncheck()
    assert page.evaluate("() => planMap.view.parcelLayer[0].options.fillOpacity") == 1
    count = len(asked)
    page.evaluate("() => void planMap.view.map.setZoom(planMap.view.map.getZoom() + 1, { animate: false })")
    page.wait_for_timeout(200)
    assert len(asked) == count


def test_without_a_base_map_nothing_is_asked(open_with_tiles, plan, tmp_path):
    path = tmp_path / "map.html"
    write_text(render_map(plan, context_of(plan)), path)
    page, asked, errors = open_with_tiles(path)
    assert (asked, errors) == ([], [])
    assert page.get_by_text("Base map", exact=True).count() == 0


def test_the_plan_stands_where_no_tile_comes(chromium, plan, tmp_path):
    path = tmp_path / "map.html"
    write_text(render_map(plan, context_of(plan, base_map=BaseMapSpec(kind="osm"))), path)
    context = chromium.new_context(offline=True)
    try:
        page = context.new_page()
        thrown = []
        page.on("pageerror", lambda e: thrown.append(str(e)))
        page.goto(path.as_uri())
        page.wait_for_selector("body[data-ready=true]")
        assert page.evaluate("() => planMap.view.parcelLayer.filter(Boolean).length") == len(plan.parcels)
        assert thrown == []
    finally:
        context.close()


def test_lengths_and_areas_stay_true_over_shifted_tiles(open_with_tiles, plan, tmp_path):
    path = tmp_path / "map.html"
    write_text(render_map(plan, context_of(plan, base_map=BaseMapSpec(kind="gaode"))), path)
    page, _, _ = open_with_tiles(path)
    shapes = plan.parcels.to_crs("EPSG:4326").geometry.iloc[::7]
    for shape, area_mu in zip(shapes, plan.parcels["area_mu"].iloc[::7], strict=True):
        corners = np.array(shape.exterior.coords[:-1])
        lng, lat = shift(corners[:, 0], corners[:, 1], "GCJ-02")
        drawn = [{"lat": y, "lng": x} for x, y in zip(lng, lat, strict=True)]
        back = page.evaluate("(points) => points.map(planMap.trueLatLng).map((p) => [p.lng, p.lat])", drawn)
        np.testing.assert_allclose(back, corners, atol=2e-7)
        area = page.evaluate("(points) => planMap.areaM2(points)", drawn) * 15 / 10_000
        assert area == pytest.approx(area_mu, rel=1e-3)
    moved = page.evaluate("() => planMap.view.map.getCenter().lng")
    assert abs(moved - shapes.union_all().centroid.x) > 0.003  # some 500 m


def test_a_raster_lies_under_the_plan_without_a_request(open_map, plan, tmp_path):
    west, south, east, north = plan.parcels.to_crs("EPSG:4326").total_bounds
    place = Affine((east - west) / 400, 0, west, 0, (south - north) / 400, north)
    how = {"driver": "GTiff", "count": 3, "height": 400, "width": 400, "dtype": "uint8", "crs": "EPSG:4326"}
    with rasterio.open(tmp_path / "a.tif", "w", transform=place, **how) as file:
        file.write(np.full((3, 400, 400), 60, dtype=np.uint8))
    spec = BaseMapSpec(kind="raster", path=tmp_path / "a.tif")
    write_text(render_map(plan, context_of(plan, base_map=spec)), tmp_path / "map.html")
    page = open_map(tmp_path / "map.html")
    image = page.locator("img.leaflet-image-layer")
    assert image.evaluate("(image) => image.complete && image.naturalWidth > 10")
    box, frame = image.bounding_box(), page.locator("#plan_map").bounding_box()
    corners = page.evaluate(
        "([s, w, n, e]) => [[s, w], [n, e]].map((p) => planMap.view.map.latLngToContainerPoint(p))"
        ".map((p) => [p.x, p.y])",
        [south, west, north, east],
    )
    (left, bottom), (right, top) = corners
    assert box["x"] - frame["x"] == pytest.approx(left, abs=3)
    assert box["y"] - frame["y"] == pytest.approx(top, abs=3)
    assert box["width"] == pytest.approx(right - left, abs=4)
    assert box["height"] == pytest.approx(bottom - top, abs=4)
