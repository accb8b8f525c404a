"""The comparison of plans as a person meets it: opened from a file, network off."""

import re
import sys

import pytest

from planner.report.compare import write_comparison
from planner.report.compare.colours import agreement_colours
from planner.report.palette import phase_colours
from tests.planner.report.compare.builders import moved, plan_contents, renamed, settings
from tests.planner.report.plan_builders import grid_plan, hostile_plan

pytestmark = pytest.mark.browser

HOSTILE = "</script><img src=x onerror=alert(1)>"

VIEWS = """() => planCompare.state.maps.map(({ map }) => {
  const centre = map.project(map.getCenter(), 20);
  return [centre.x, centre.y, map.getZoom()];
})"""

FILL_OF = """([side, row]) => {
  const { fillColor, hatch, fillOpacity } = planCompare.state.maps[side].parcels[row].options;
  return [fillColor, hatch, fillOpacity];
}"""

ON_PAGE = """([side, row]) => {
  const { map, parcels } = planCompare.state.maps[side];
  const at = map.latLngToContainerPoint(parcels[row].getCenter());
  const frame = map.getContainer().getBoundingClientRect();
  return [at.x + frame.left, at.y + frame.top];
}"""


@pytest.fixture(scope="module")
def plans():
    tables = grid_plan(columns=22, rows=15)
    last = renamed(moved(tables, 2), {"QX-0000": "NEW-1"})
    return [
        ("now", plan_contents(tables)),
        ("tighter", plan_contents(moved(tables, 3))),
        ("later", plan_contents(last)),
    ]


@pytest.fixture(scope="module")
def file(plans, tmp_path_factory):
    path = tmp_path_factory.mktemp("compare") / "compare.html"
    write_comparison(plans, path)
    return path


@pytest.fixture
def page(open_map, file):
    return open_map(file)


def row_of(page, parcel):
    return page.evaluate("(id) => planCompare.state.parcels.columns.parcel_id.indexOf(id)", parcel)


def choose(page, side, value):
    page.select_option(f'select[data-side="{side}"]', value)


def assert_same_view(page):
    (x, y, zoom), (x2, y2, zoom2) = page.evaluate(VIEWS)
    assert zoom == zoom2
    assert abs(x - x2) <= 1.5 * 2 ** (20 - zoom)  # a pixel of the map, and rounding
    assert abs(y - y2) <= 1.5 * 2 ** (20 - zoom)


def picked_ids(plans):
    chosen = [set(c.tables.parcels.loc[c.tables.parcels["status"] == "selected", "parcel_id"]) for _, c in plans]
    return set.intersection(*chosen), set.union(*chosen)


def test_tables_say_what_the_plans_say(page, plans):
    assert "SYNTHETIC" in page.locator("#compare-header").inner_text()
    assert page.locator(".indicators thead th.plan").all_inner_texts() == ["now", "tighter", "later"]
    cells = page.locator('tr[data-row="cumulative P3 5"] td.number .value').all_inner_texts()
    assert cells == [f"{c.summary['phases'][2]['cumulative_mu']:,.2f}" for _, c in plans]
    assert page.locator('tr[data-row="cumulative P3 5"] td.best .value').all_inner_texts() == [
        f"{plans[0][1].summary['phases'][2]['cumulative_mu']:,.2f}"
    ]
    every, some = picked_ids(plans)
    agreement = page.locator("table.agreement tbody tr")
    assert agreement.nth(0).locator("td").first.inner_text() == str(len(every))
    assert agreement.last.locator("th").inner_text() == "all parcels"
    land = page.locator("table.land").inner_text()
    assert "1 ·" in land
    assert len(some) > len(every) > 0


def test_both_maps_move_together(page):
    assert_same_view(page)
    before = page.evaluate(VIEWS)
    left, right = (page.locator(".map-frame").nth(i) for i in range(2))
    left.scroll_into_view_if_needed()
    for frame, by in ((left, (70, 40)), (right, (-120, 30))):
        box = frame.bounding_box()
        x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
        page.mouse.move(x, y)
        page.mouse.down()
        for step in range(1, 4):
            page.mouse.move(x + by[0] * step / 3, y + by[1] * step / 3)
            assert_same_view(page)
        page.mouse.up()
        assert_same_view(page)
    assert page.evaluate(VIEWS) != before
    page.mouse.wheel(0, -240)
    page.wait_for_function("(zoom) => planCompare.state.maps[0].map.getZoom() !== zoom", arg=before[0][2])
    assert_same_view(page)
    page.locator(".leaflet-control-zoom-in").nth(1).click()
    assert_same_view(page)
    page.locator(".whole").click()
    assert_same_view(page)
    assert page.evaluate(VIEWS)[0] == pytest.approx(before[0], abs=1)


def test_maps_are_moved_with_the_keyboard(page):
    before = page.evaluate(VIEWS)
    page.locator(".map-frame").nth(1).focus()
    page.keyboard.press("ArrowRight")
    page.wait_for_function(
        "(x) => planCompare.state.maps[1].map.project(planCompare.state.maps[1].map.getCenter(), 20).x > x",
        arg=before[1][0] + 1,
    )
    page.wait_for_timeout(400)
    assert_same_view(page)
    page.keyboard.press("+")
    page.wait_for_function("(zoom) => planCompare.state.maps[0].map.getZoom() > zoom", arg=before[0][2])
    assert_same_view(page)


def test_each_map_shows_the_plan_that_is_chosen(page, plans):
    tables = plans[0][1].tables
    other = plans[1][1].tables.parcels.set_index("parcel_id")
    dropped = next(
        p for p in tables.parcels.loc[tables.parcels["phase"] == 1, "parcel_id"] if other["status"][p] != "selected"
    )
    row = row_of(page, dropped)
    assert page.evaluate(FILL_OF, [0, row])[0] == phase_colours(3)[0]
    assert page.evaluate(FILL_OF, [1, row])[0] not in phase_colours(3)
    choose(page, "left", "1")
    choose(page, "right", "0")
    assert page.evaluate(FILL_OF, [1, row])[0] == phase_colours(3)[0]
    assert page.evaluate(FILL_OF, [0, row])[0] not in phase_colours(3)
    choose(page, "left", "2")
    assert page.evaluate(FILL_OF, [0, row_of(page, "QX-0000")])[2] == 0  # no such parcel in that plan


def test_agreement_is_coloured_by_how_many_plans_pick(page, plans):
    choose(page, "right", "agreement")
    colours = agreement_colours(3)
    chosen = [set(c.tables.parcels.loc[c.tables.parcels["status"] == "selected", "parcel_id"]) for _, c in plans]
    seen = set()
    for parcel in sorted(set().union(*(c.tables.parcels["parcel_id"] for _, c in plans))):
        times = sum(parcel in ids for ids in chosen)
        seen.add(times)
        fill, hatch, _ = page.evaluate(FILL_OF, [1, row_of(page, parcel)])
        assert fill == colours[times]
        assert bool(hatch) == (0 < times < 3)
    assert {0, 2, 3} <= seen
    legend = page.locator(".map-side").nth(1).locator(".legend li").all_inner_texts()
    assert len(legend) == 4
    assert legend[0].startswith("every plan picks it")


def test_a_click_tells_a_parcel_in_every_plan(page, plans):
    parcels = plans[0][1].tables.parcels
    parcel = parcels.loc[parcels["phase"] == 2].iloc[0]
    page.locator(".map-frame").first.scroll_into_view_if_needed()
    page.mouse.click(*page.evaluate(ON_PAGE, [1, row_of(page, parcel["parcel_id"])]))
    details = page.locator(".parcel-details")
    text = details.inner_text()
    assert parcel["parcel_id"] in text
    assert parcel["block_id"] in text
    assert parcel["reason"] in text
    assert details.locator("tbody tr").count() == 3
    outlined = page.evaluate(
        "() => planCompare.state.maps.map((m) => m.highlight.every((line) => m.map.hasLayer(line)))"
    )
    assert outlined == [True, True]
    details.locator("button").click()
    assert details.is_hidden()


def test_a_parcel_is_found_by_its_number(page):
    page.fill("#parcel-number", "qx-0007")
    page.press("#parcel-number", "Enter")
    assert "QX-0007" in page.locator(".parcel-details h3").inner_text()
    page.fill("#parcel-number", "QX-0000")
    page.press("#parcel-number", "Enter")
    assert "not in this plan’s land" in page.locator(".parcel-details tbody tr").nth(2).inner_text()
    page.fill("#parcel-number", "nowhere")
    page.press("#parcel-number", "Enter")
    assert "nowhere" in page.locator(".finder output").inner_text()
    assert_same_view(page)


def test_the_page_speaks_chinese_and_keeps_its_place(page):
    choose(page, "right", "agreement")
    page.fill("#parcel-number", "QX-0007")
    page.press("#parcel-number", "Enter")
    before = page.evaluate(VIEWS)
    page.click('[data-language="zh"]')
    page.wait_for_selector("body[data-ready=true]")
    assert page.evaluate("() => document.documentElement.lang") == "zh-CN"
    text = page.locator("body").inner_text()
    assert "方案比较" in text
    assert "所有方案均选中" in text
    assert "合成数据" in text or "SYNTHETIC" not in text
    assert page.locator('select[data-side="right"]').input_value() == "agreement"
    assert page.locator(".parcel-details h3").inner_text().startswith("宗地")
    after = page.evaluate(VIEWS)
    assert after[0] == pytest.approx(before[0], abs=2)
    left_english = re.findall(r"\bcompare_\w+", text)
    assert left_english == []


def test_hostile_names_are_harmless(open_map, tmp_path):
    tables, _ = hostile_plan(HOSTILE)
    plan = plan_contents(tables, settings(project__name=HOSTILE, project__note=HOSTILE))
    other = plan_contents(tables, settings(project__name="b"), status=HOSTILE)
    path = tmp_path / "compare.html"
    write_comparison([(HOSTILE, plan), ("b", other)], path)
    page = open_map(path)
    page.fill("#parcel-number", "img src")
    page.press("#parcel-number", "Enter")
    assert HOSTILE in page.locator(".parcel-details h3").inner_text()
    page.mouse.move(*page.evaluate(ON_PAGE, [0, row_of(page, HOSTILE)]))
    assert page.locator("img").count() == 0
    assert HOSTILE in page.locator(".indicators thead").inner_text()
    assert HOSTILE in page.locator("table.settings").inner_text()


@pytest.mark.slow
def test_three_plans_of_ten_thousand_parcels(open_map, tmp_path, record_property, capsys):
    """Complete and small; how quick it is is told, not asserted."""
    tables = grid_plan(columns=100, rows=100, phases=5, vertices=17)
    path = tmp_path / "compare.html"
    write_comparison([(f"plan {k}", plan_contents(moved(tables, k))) for k in range(3)], path)
    page = open_map(path)
    figures = page.evaluate(
        """() => {
          const paint = performance.getEntriesByName("first-contentful-paint")[0];
          const start = performance.now();
          planCompare.state.maps[0].map.panBy([40, 10], { animate: false });
          return { paint_ms: paint ? paint.startTime : NaN, move_ms: performance.now() - start };
        }"""
    )
    figures["size_mb"] = path.stat().st_size / 1e6
    for name, value in figures.items():
        record_property(name, value)
    with capsys.disabled():
        sys.stdout.write(f"\n3 plans of 10 000 parcels: {', '.join(f'{k} {v:.2f}' for k, v in figures.items())}\n")
    assert page.evaluate("() => planCompare.state.maps.map((m) => m.parcels.length)") == [10_000, 10_000]
    assert figures["size_mb"] < 8
