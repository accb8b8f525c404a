"""The map as a person meets it: opened from a file, network off."""

import re
from itertools import combinations

import pyproj
import pytest

from geodata.write import write_text
from planner.report import assets, palette
from planner.report.map import render_map
from tests.planner.report.plan_builders import context_of, grid_plan, hostile_plan

pytestmark = pytest.mark.browser

HOSTILE = "</script><img src=x onerror=alert(1)>"

DRAWN = "() => Object.values(planMap.view.map._layers).filter((layer) => layer instanceof L.Path).length"

COLOUR_AT = """(latlng) => {
  const { map } = planMap.view;
  const at = map.latLngToContainerPoint(latlng);
  const canvas = document.querySelector("#plan_map canvas");
  const box = canvas.getBoundingClientRect();
  const frame = map.getContainer().getBoundingClientRect();
  const ratio = canvas.width / box.width;
  const x = (at.x + frame.left - box.left) * ratio;
  const y = (at.y + frame.top - box.top) * ratio;
  const probe = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  probe.drawImage(canvas, -Math.floor(x), -Math.floor(y));
  return [...probe.getImageData(0, 0, 1, 1).data];
}"""

COLOURS_IN = """(latlng) => {
  const { map } = planMap.view;
  const at = map.latLngToContainerPoint(latlng);
  const canvas = document.querySelector("#plan_map canvas");
  const box = canvas.getBoundingClientRect();
  const frame = map.getContainer().getBoundingClientRect();
  const ratio = canvas.width / box.width;
  const x = (at.x + frame.left - box.left) * ratio;
  const y = (at.y + frame.top - box.top) * ratio;
  const probe = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  probe.drawImage(canvas, 12 - Math.floor(x), 12 - Math.floor(y));
  const data = probe.getImageData(0, 0, 24, 24).data;
  return [...new Set(Array.from({ length: 576 }, (_, i) => data.slice(4 * i, 4 * i + 4).join()))];
}"""

POINT_ON_PAGE = """(latlng) => {
  const at = planMap.view.map.latLngToContainerPoint(latlng);
  const frame = planMap.view.map.getContainer().getBoundingClientRect();
  return [at.x + frame.left, at.y + frame.top];
}"""


@pytest.fixture(scope="module")
def plan():
    return grid_plan()


@pytest.fixture(scope="module")
def plan_file(plan, tmp_path_factory):
    path = tmp_path_factory.mktemp("map") / "map.html"
    write_text(render_map(plan, context_of(plan)), path)
    return path


@pytest.fixture
def page(open_map, plan_file):
    return open_map(plan_file)


def inner_points(frame):
    """[lat, lng] inside each shape, off the middle, where names stand."""
    shapes = frame.to_crs("EPSG:4326").geometry
    west, south, east, north = (shapes.bounds[c] for c in ("minx", "miny", "maxx", "maxy"))
    points = list(zip(south + 0.6 * (north - south), west + 0.3 * (east - west), strict=True))
    return [list(p) for p in points]


def rgb(colour):
    return [*bytes.fromhex(colour[1:]), 255]


def settle(page):
    """Until Leaflet has drawn what it was told to."""
    page.evaluate("() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")


def layer_switch(page, label):
    return page.locator(".leaflet-control-layers label", has=page.get_by_text(label, exact=True)).locator("input")


def test_page_says_what_it_shows(page, plan):
    assert page.title() == "清溪 Qingxi: village industrial parks"
    header = page.locator("#plan-header").inner_text()
    assert "SYNTHETIC" in header
    assert "Circle figures are sums of parcels." in header
    assert "0.96 %" in header
    panel = page.locator("#plan-panel").inner_text()
    first = plan.parcels.loc[plan.parcels["phase"] == 1, "area_mu"].sum()
    assert f"{first:,.2f}" in panel
    assert "P3 · year 5" in panel
    assert "CNY 812,345,678" in panel
    assert page.locator(".leaflet-control-attribution").inner_text() == "Leaflet"
    assert page.locator(".leaflet-control-scale-line").count() == 1


def test_no_element_of_the_page_points_to_the_network(page):
    page.fill("#plan-search", "QX-0100")
    page.press("#plan-search", "Enter")
    pointing = page.evaluate(
        """() => [...document.querySelectorAll("[src], [href]")]
           .map((e) => e.getAttribute("src") || e.getAttribute("href"))"""
    )
    assert [p for p in pointing if re.match(r"\w+:|//", p)] == []


def test_parcels_are_drawn_in_the_colour_of_their_class(page, plan):
    parcels = plan.parcels.assign(at=inner_points(plan.parcels))
    plain = parcels[parcels["locked"].isna() & (parcels["role"] != "filler")]
    colours = {f"{i + 1}": c for i, c in enumerate(palette.phase_colours(3))}
    samples = [(plain[plain["phase"] == i + 1], colours[f"{i + 1}"]) for i in range(3)]
    samples += [(plain[plain["status"] == status], colour) for status, colour in palette.MUTED.items()]
    for rows, colour in samples:
        drawn = [page.evaluate(COLOUR_AT, at) for at in rows["at"].iloc[:9]]
        assert drawn.count(rgb(colour)) >= 6, (colour, drawn)


def test_colouring_can_be_switched(page, plan):
    parcels = plan.parcels.assign(at=inner_points(plan.parcels))
    chosen = parcels[(parcels["status"] == "selected") & (parcels["score"] >= 0.8) & (parcels["role"] != "filler")]
    for name, colour in (("score", palette.SCORE[-1]), ("status", palette.STATUS["selected"])):
        page.get_by_label(name, exact=True).check()
        settle(page)
        drawn = [page.evaluate(COLOUR_AT, at) for at in chosen["at"].iloc[:9]]
        assert drawn.count(rgb(colour)) >= 6, (name, drawn)
    assert "Selected" in page.locator("#plan-legend .legend").inner_text()
    page.get_by_label("score", exact=True).check()
    assert "score unknown" in page.locator("#plan-legend .legend").inner_text()


def test_layers_can_be_switched_off_and_on(page, plan):
    everything = page.evaluate(DRAWN)
    counts = plan.parcels["status"].value_counts()
    for label, status in (("Selected", "selected"), ("Excluded", "excluded"), ("Not eligible", "ineligible")):
        switch = layer_switch(page, label)
        switch.uncheck()
        assert page.evaluate(DRAWN) == everything - counts[status]
        switch.check()
        assert page.evaluate(DRAWN) == everything
    layer_switch(page, "Blocks").uncheck()
    across_lanes = page.evaluate(
        "() => planMap.view.blocks.rows().filter((row) => planMap.view.blocks.hasBody(row)).length"
    )
    bare = everything - 3 * len(plan.blocks) - across_lanes  # fill, outline with its seam; lanes inside
    assert across_lanes > 0
    assert page.evaluate(DRAWN) == bare
    assert page.locator(".name.block").count() == 0
    layer_switch(page, "Other possible links").check()
    assert page.evaluate(DRAWN) == bare + (~plan.links["used"]).sum()
    layer_switch(page, "Zones").uncheck()
    assert page.locator(".name.zone").count() == 0


def test_blocks_show_their_phase_where_parcels_are_hidden(page, plan):
    at = inner_points(plan.blocks)
    layer_switch(page, "Selected").uncheck()
    settle(page)
    colours = [rgb(palette.phase_colours(3)[p - 1]) for p in plan.blocks["phase"]]
    drawn = [page.evaluate(COLOUR_AT, point) for point in at]
    assert sum(a == b for a, b in zip(drawn, colours, strict=True)) >= 0.6 * len(at)
    layer_switch(page, "Blocks").uncheck()
    settle(page)
    drawn = [page.evaluate(COLOUR_AT, point) for point in at]
    assert not any(a == b for a, b in zip(drawn, colours, strict=True))


def test_search_finds_a_parcel_and_opens_it(page, plan):
    row = plan.parcels[plan.parcels["status"] == "eligible"].iloc[0]
    page.fill("#plan-search", row["parcel_id"].lower())
    page.press("#plan-search", "Enter")
    popup = page.locator(".leaflet-popup-content").inner_text()
    assert row["parcel_id"] in popup
    assert "Why it is out: eligible, not needed for the targets" in popup
    assert f"{row['area_mu']:.2f} mu" in popup
    assert row["zone"] in popup
    centre = page.evaluate("() => { const c = planMap.view.map.getCenter(); return [c.lng, c.lat]; }")
    west, south, east, north = plan.parcels.loc[[row.name]].to_crs("EPSG:4326").total_bounds
    assert west < centre[0] < east
    assert abs(centre[1] - (south + north) / 2) < 5 * (north - south)


def test_search_suggests_by_part_of_an_id_and_says_when_there_is_none(page):
    page.locator("#plan-search").press_sequentially("x-000")
    options = page.locator("#plan-matches [role=option]")
    assert options.count() == 10
    options.nth(2).click()
    assert "Parcel QX-0002" in page.locator(".leaflet-popup-content").inner_text()
    page.fill("#plan-search", "no such parcel")
    assert "No parcel, block or zone has “no such parcel”" in page.locator("#plan-matches").inner_text()
    page.press("#plan-search", "Enter")
    page.press("#plan-search", "Escape")
    assert page.locator("#plan-matches li").count() == 0


def test_block_is_found_and_explained(page, plan):
    block = plan.blocks.iloc[3]
    page.fill("#plan-search", block["block_id"])
    page.press("#plan-search", "ArrowDown")
    page.press("#plan-search", "ArrowUp")
    page.press("#plan-search", "Enter")
    popup = page.locator(".leaflet-popup-content").inner_text()
    assert f"Block {block['block_id']}" in popup
    assert f"{block['area_mu']:.2f} mu" in popup
    assert f"CNY {block['cost']:,.0f}" in popup
    assert f"{block['compactness']:.3f}" in popup


def test_a_block_that_is_shown_fills_the_map_below_its_popup(page, plan):
    for row in range(len(plan.blocks)):
        page.evaluate("(row) => planMap.showBlock(planMap.view, row)", row)
        bounds, size, tip = page.evaluate(
            """(row) => {
              const { map, blocks } = planMap.view;
              const box = L.polygon(blocks.body(row)).getBounds();
              const [a, b] = [box.getNorthWest(), box.getSouthEast()].map((at) => map.latLngToContainerPoint(at));
              const popup = document.querySelector(".leaflet-popup-content-wrapper").getBoundingClientRect();
              const top = map.getContainer().getBoundingClientRect().top;
              const s = map.getSize();
              return [[a.x, a.y, b.x, b.y], [s.x, s.y], [popup.top - top, popup.bottom - top]];
            }""",
            row,
        )
        left, top, right, bottom = bounds
        assert 0 <= left < right <= size[0]
        assert tip[0] >= 0
        assert tip[1] <= top + 1  # the popup covers nothing of it
        assert bottom <= size[1]
        room = size[1] - tip[1]
        assert max((bottom - top) / room, (right - left) / size[0]) > 0.4


def test_a_zone_is_found_and_explained(page, plan):
    zone = plan.zones.iloc[0]
    inside = plan.parcels[plan.parcels["zone"] == zone["zone"]]
    page.fill("#plan-search", zone["zone"])
    assert page.locator("#plan-matches [role=option]").first.text_content() == f"Zone: {zone['zone']}"
    page.press("#plan-search", "Enter")
    popup = page.locator(".leaflet-popup-content").inner_text()
    assert f"Zone: {zone['zone']}" in popup
    assert f"{inside['area_mu'].sum():,.2f} mu" in popup
    assert str(len(inside)) in popup
    west, _, east, _ = plan.zones.iloc[[0]].to_crs("EPSG:4326").total_bounds
    shown = page.evaluate("() => { const b = planMap.view.map.getBounds(); return [b.getWest(), b.getEast()]; }")
    assert shown[0] < west < east < shown[1]


def test_near_blocks_of_one_phase_are_hatched_differently(page, plan):
    hatches = page.evaluate("() => planMap.view.blocks.rows().map((row) => planMap.blockHatch(planMap.view, row))")
    assert set(hatches) > {0}
    for a, b in combinations(range(len(plan.blocks)), 2):
        first, second = plan.blocks.iloc[a], plan.blocks.iloc[b]
        if first["phase"] == second["phase"] and first.geometry.distance(second.geometry) < 40:
            assert hatches[a] != hatches[b]
    hatched = plan.blocks[[h > 0 for h in hatches]]
    row = hatched.index[0]
    page.evaluate("(row) => planMap.showBlock(planMap.view, row)", int(row))
    settle(page)
    distinct = page.evaluate(COLOURS_IN, inner_points(hatched.loc[[row]])[0])
    assert len(distinct) > 2  # the colour of the phase, and lines upon it
    page.get_by_label("score", exact=True).check()
    settle(page)
    assert not page.locator("#plan-panel .hint").is_visible()


def test_click_and_hover_on_a_parcel_say_why_it_is_in(page, plan):
    chosen = plan.parcels[(plan.parcels["status"] == "selected") & plan.parcels["score"].notna()]
    row = chosen.iloc[len(chosen) // 2]
    at = page.evaluate(POINT_ON_PAGE, inner_points(plan.parcels.loc[[row.name]])[0])
    page.mouse.move(*at)
    page.locator(".plan-tip").wait_for()
    assert row["parcel_id"] in page.locator(".plan-tip").inner_text()
    page.mouse.click(*at)
    popup = page.locator(".leaflet-popup-content")
    assert f"Why it is in: {row['reason']}" in popup.inner_text()
    assert "Present FAR" in popup.inner_text()
    popup.get_by_role("button", name=f"Show block {row['block_id']}").click()
    assert page.locator(".leaflet-popup-content h3").inner_text() == f"Block {row['block_id']}"


def test_unknown_score_is_called_unknown(page, plan):
    row = plan.parcels[plan.parcels["score"].isna()].iloc[0]
    page.fill("#plan-search", row["parcel_id"])
    page.press("#plan-search", "Enter")
    assert re.search(r"Score\s+unknown", page.locator(".leaflet-popup-content").inner_text())


def test_measuring_a_parcel_gives_its_area_and_opens_no_popup(page, plan):
    row = plan.parcels.iloc[100]
    page.fill("#plan-search", row["parcel_id"])
    page.press("#plan-search", "Enter")
    page.locator(".leaflet-popup-close-button").click()
    page.get_by_label("Measure length and area").click()
    corners = plan.parcels.loc[[row.name]].to_crs("EPSG:4326").geometry.iloc[0].exterior.coords[:-1]
    for lng, lat in corners:
        page.mouse.click(*page.evaluate(POINT_ON_PAGE, [lat, lng]))
    result = page.locator(".measure-result")
    assert "double-click" in result.inner_text()
    page.keyboard.press("Enter")
    measured = float(re.search(r"Area: ([\d.]+) mu", result.inner_text()).group(1))
    assert measured == pytest.approx(row["area_mu"], rel=0.02)
    assert page.locator(".leaflet-popup-content").count() == 0
    result.get_by_role("button", name="Clear").click()
    assert result.inner_text() == ""


def test_measuring_a_line_ends_by_double_click_and_stops_by_escape(page, plan):
    drawn = page.evaluate(DRAWN)
    button = page.get_by_label("Measure length and area")
    box = page.locator("#plan_map").bounding_box()
    x, y = box["x"] + 400, box["y"] + 300
    button.click()
    page.mouse.click(x, y)
    page.mouse.dblclick(x + 200, y)
    text = page.locator(".measure-result").inner_text()
    ends = page.evaluate(
        """() => [400, 600].map((x) => planMap.view.map.containerPointToLatLng([x, 300])).map((p) => [p.lng, p.lat])"""
    )
    expected = pyproj.Geod(ellps="WGS84").line_length(*zip(*ends, strict=True))
    assert float(re.search(r"Length: ([\d.,]+) m", text).group(1).replace(",", "")) == pytest.approx(expected, rel=0.01)
    assert "Area" not in text
    button.click()
    page.mouse.click(x, y)
    page.keyboard.press("Escape")
    assert page.evaluate(DRAWN) == drawn


def test_measured_figures_are_those_of_the_ellipsoid(page, plan):
    geod = pyproj.Geod(ellps="WGS84")
    for shape in plan.zones.to_crs("EPSG:4326").geometry:
        points = [{"lat": lat, "lng": lng} for lng, lat in shape.exterior.coords[:-1]]
        area, perimeter = geod.geometry_area_perimeter(shape)
        assert page.evaluate("(p) => planMap.areaM2(p)", points) == pytest.approx(abs(area), rel=1e-4)
        assert page.evaluate("(p) => planMap.lengthM(p, true)", points) == pytest.approx(perimeter, rel=1e-4)


def test_names_on_the_map_do_not_cover_each_other(page):
    for _ in range(3):
        boxes = page.evaluate(
            """() => [...document.querySelectorAll(".name")].filter((e) => e.style.visibility === "visible")
               .map((e) => e.getBoundingClientRect()).map((r) => [r.left, r.top, r.right, r.bottom])"""
        )
        assert boxes
        for i, a in enumerate(boxes):
            for b in boxes[i + 1 :]:
                assert a[0] >= b[2] or b[0] >= a[2] or a[1] >= b[3] or b[1] >= a[3]
        page.evaluate("() => void planMap.view.map.setZoom(planMap.view.map.getZoom() - 1, { animate: false })")


def test_legend_can_be_hidden_and_the_plan_found_again(page):
    width = page.locator("#plan_map").bounding_box()["width"]
    page.get_by_label("Show or hide the legend").click()
    assert page.locator("#plan-panel").is_hidden()
    assert page.locator("#plan_map").bounding_box()["width"] > width + 300
    page.get_by_label("Show or hide the legend").click()
    start = page.evaluate("() => planMap.view.map.getZoom()")
    page.evaluate("() => void planMap.view.map.setView([0, 0], 3, { animate: false })")
    page.get_by_label("Show the whole plan").click()
    assert page.evaluate("() => planMap.view.map.getZoom()") == start


@pytest.mark.parametrize(
    "text", [HOSTILE, "'\"><svg onload=alert(2)>{{7*7}}\u2028", "${alert(3)}</title><script>alert(4)</script>"]
)
def test_hostile_names_are_shown_as_text(open_map, tmp_path, text):
    tables, context = hostile_plan(text)
    write_text(render_map(tables, context), tmp_path / "map.html")
    page = open_map(tmp_path / "map.html")
    assert page.title().strip() == text.strip()
    shown = " ".join(text.split("\u2028")[0].split())
    assert page.locator("h1").text_content() == text

    page.fill("#plan-search", shown[:20])
    page.locator("#plan-matches [role=option]").first.wait_for()
    assert shown in " ".join(page.locator("#plan-matches").inner_text().split())
    row = int(tables.parcels.index[tables.parcels["parcel_id"] == text][0])
    page.evaluate("(row) => planMap.showParcel(planMap.view, row)", row)
    popup = page.locator(".leaflet-popup-content")
    assert popup.locator("h3").text_content() == f"Parcel {text}"
    assert popup.locator(".why").text_content().endswith(text)
    popup.locator("button.link").click()
    assert page.locator(".leaflet-popup-content h3").text_content() == f"Block {text}"
    page.keyboard.press("Escape")
    popup.wait_for(state="detached")

    at = page.evaluate(POINT_ON_PAGE, inner_points(tables.parcels.loc[[row]])[0])
    page.mouse.move(*at)
    page.locator(".plan-tip").wait_for()
    assert shown in " ".join(page.locator(".plan-tip").inner_text().split())
    page.locator("summary").click()
    assert page.evaluate("() => document.querySelectorAll('img, iframe, [onerror], [onload]').length") == 0
    assert page.evaluate("() => document.querySelectorAll('script:not([type])').length") == len(assets.SCRIPTS) + 3


def test_browser_itself_refuses_requests_and_foreign_scripts(chromium, plan_file):
    """The policy of the page, tried from inside it."""
    context = chromium.new_context(offline=True)
    try:
        page = context.new_page()
        page.goto(plan_file.as_uri())
        refused = page.evaluate(
            """() => new Promise((done) => {
              const found = [];
              document.addEventListener("securitypolicyviolation", (event) => {
                found.push(event.effectiveDirective);
                if (found.length === 3) done(found.sort());
              });
              const image = document.createElement("img");
              image.src = "http://127.0.0.1:9/x.png";
              document.body.append(image);
              const script = document.createElement("script");
              script.textContent = "window.foreign = true";
              document.body.append(script);
              fetch("http://127.0.0.1:9/").catch(() => null);
            })"""
        )
        assert refused == ["connect-src", "img-src", "script-src-elem"]
        assert page.evaluate("() => window.foreign") is None
    finally:
        context.close()
