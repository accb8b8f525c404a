"""Slider, chart, colourings and layers of the map, in both languages."""

from __future__ import annotations

import re

import pandas as pd
import pytest

from geodata.write import write_text
from planner.report import palette
from planner.report.map import render_map
from tests.browser.test_map_page import COLOUR_AT, inner_points, layer_switch, rgb, settle
from tests.planner.report.map_builders import MODE_NAMES, rich_plan
from tests.planner.report.plan_builders import context_of, grid_plan

pytestmark = pytest.mark.browser

PALE = "(row) => planMap.view.parcelLayer[row].options.fillOpacity < 0.5"
CHART = "#plan-timeline svg[role=img]"


@pytest.fixture(scope="module")
def plan():
    return rich_plan()


@pytest.fixture(scope="module")
def plan_file(plan, tmp_path_factory):
    path = tmp_path_factory.mktemp("map") / "map.html"
    write_text(render_map(*plan), path)
    return path


@pytest.fixture
def page(open_map, plan_file):
    return open_map(plan_file)


def pale_rows(page, rows):
    return [page.evaluate(PALE, int(row)) for row in rows]


def test_the_page_opens_on_the_whole_plan(page, plan):
    tables, context = plan
    slider = page.get_by_role("slider", name="Phases on the map")
    assert slider.get_attribute("max") == "3"
    assert slider.input_value() == "3"
    assert not any(pale_rows(page, tables.parcels.index))
    assert f"{context.phases[-1].cumulative_mu:,.2f} mu" in slider.get_attribute("aria-valuetext")


def test_the_slider_shows_what_is_cleared_up_to_a_phase(page, plan):
    tables, context = plan
    slider = page.get_by_role("slider", name="Phases on the map")
    slider.focus()
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("ArrowLeft")
    assert slider.input_value() == "1"
    late = (tables.parcels["phase"] > 1).fillna(False)
    assert pale_rows(page, tables.parcels.index) == late.tolist()
    text = page.locator("#plan-timeline .step").inner_text()
    assert text.startswith("P1 · year 1")
    assert f"{context.phases[0].cumulative_mu:,.2f}" in text
    settle(page)
    colour = rgb(palette.phase_colours(3)[2])
    third = tables.parcels[(tables.parcels["phase"] == 3) & tables.parcels["locked"].isna()]
    points = inner_points(third)
    assert colour not in [page.evaluate(COLOUR_AT, point) for point in points]
    page.keyboard.press("End")
    settle(page)
    assert colour in [page.evaluate(COLOUR_AT, point) for point in points]
    page.keyboard.press("Home")
    assert slider.get_attribute("aria-valuetext").startswith("Present state")
    assert pale_rows(page, tables.parcels.index) == tables.parcels["phase"].notna().tolist()


def test_blocks_and_links_of_later_phases_stand_back(page, plan):
    tables, _ = plan
    page.evaluate("() => planMap.showStep(planMap.view, 1)")
    outlines = page.evaluate(
        """() => planMap.view.blockOutlines.getLayers().filter((layer) => !layer.options.fineOnly)
           .map((layer) => [layer.row, layer.options.dashArray !== null])"""
    )
    phases = tables.blocks["phase"].tolist()
    assert all(dashed == (phases[row] > 1) for row, dashed in outlines)
    shown = page.evaluate(
        """() => planMap.view.usedLinks.getLayers().filter((layer) => !layer.options.fineOnly)
           .map((layer) => [layer.row, layer.options.stroke])"""
    )
    phase_of = tables.parcels.set_index("parcel_id")["phase"].fillna(0)
    linked = tables.links["parcel_a"].iloc[[row for row, _ in shown]]
    assert [stroke for _, stroke in shown] == (phase_of[linked] <= 1).tolist()
    assert not all(stroke for _, stroke in shown)


def test_the_chart_follows_the_slider_and_says_what_it_shows(page, plan):
    _, context = plan
    assert page.locator(f"{CHART} g.done").count() == 3
    assert page.locator(f"{CHART} g.current").count() == 1
    page.get_by_role("slider", name="Phases on the map").focus()
    page.keyboard.press("ArrowLeft")
    assert page.locator(f"{CHART} g.done").count() == 2
    assert page.locator(f"{CHART} g.later").count() == 1
    described = page.locator(CHART).get_attribute("aria-label")
    for phase in context.phases:
        assert f"{phase.cumulative_mu:,.2f} of {phase.target_mu:,.2f} mu" in described
    bars = page.evaluate(
        f"""() => [...document.querySelectorAll("{CHART} g")].map((g) => [
          Number(g.querySelector(".outline").getAttribute("height")),
          Number(g.querySelector(".target").getAttribute("y1")),
          Number(g.querySelector(".outline").getAttribute("y")),
        ])"""
    )
    heights = [height for height, _, _ in bars]
    for i, phase in enumerate(context.phases):
        share = phase.cumulative_mu / context.phases[-1].cumulative_mu
        assert heights[i] / heights[-1] == pytest.approx(share, abs=1e-6)
        assert bars[i][1] > bars[i][2]  # every target is met: its line lies below the top of the bar
    assert page.locator(f"{CHART} .stretch").count() == 1


def test_phases_play_by_button_and_by_space_and_stop_at_the_end(page):
    page.clock.install()
    page.get_by_role("button", name="Play the phases").click()
    slider = page.get_by_role("slider", name="Phases on the map")
    assert slider.input_value() == "0"
    page.clock.run_for(1500)
    assert slider.input_value() == "1"
    slider.focus()
    page.keyboard.press(" ")
    page.clock.run_for(5000)
    assert slider.input_value() == "1"
    page.keyboard.press(" ")
    page.clock.run_for(20_000)
    assert slider.input_value() == "3"
    assert page.get_by_role("button", name="Play the phases").get_attribute("aria-pressed") == "false"


@pytest.mark.parametrize(
    ("name", "classes"),
    [
        ("mode", ["Led by the collective", "Deferred payment", "Not eligible"]),
        ("village", ["长山头", "罗马", "大埔"]),
        ("lease end", ["year", "unknown"]),
        ("signed share", ["≥ 80 %", "< 20 %"]),
        ("present FAR", ["≥", "<"]),
        ("new FAR", ["≥", "Eligible, not selected"]),
        ("change", ["New in the plan", "No longer in the plan", "Later than before", "In the plan as before"]),
    ],
)
def test_every_colouring_has_a_legend_with_parcels_and_mu_of_all_land(page, plan, name, classes):
    tables, _ = plan
    page.get_by_label(name, exact=True).check()
    legend = page.locator("#plan-legend .legend").inner_text()
    assert all(text in legend for text in classes)
    figures = re.findall(r"([\d,]+) parcels, ([\d,.]+) mu", legend)
    assert sum(int(count.replace(",", "")) for count, _ in figures) == len(tables.parcels)
    area = sum(float(mu.replace(",", "")) for _, mu in figures)
    assert area == pytest.approx(tables.parcels["area_mu"].sum(), abs=0.01 * len(figures))


def test_colours_of_facts_do_not_pale_and_those_of_the_plan_do(page, plan):
    tables, _ = plan
    page.get_by_label("village", exact=True).check()
    page.evaluate("() => planMap.showStep(planMap.view, 0)")
    assert not any(pale_rows(page, tables.parcels.index))
    page.get_by_label("new FAR", exact=True).check()
    assert pale_rows(page, tables.parcels.index) == tables.parcels["phase"].notna().tolist()


def test_colourings_that_the_data_have_nothing_for_are_not_offered(open_map, tmp_path):
    plan = grid_plan(columns=6, rows=6)
    write_text(render_map(plan, context_of(plan, facts=pd.DataFrame())), tmp_path / "map.html")
    page = open_map(tmp_path / "map.html")
    assert page.locator("#plan-legend .choices").inner_text().split() == ["phase", "status", "score"]


def test_further_layers_have_counts_and_mu_and_say_what_they_are(page, plan):
    tables, _ = plan
    listed = page.locator("#plan-layers").inner_text()
    red = tables.overlaps.loc[tables.overlaps["overlay"] == "farmland", "overlap_m2"].sum() * 15 / 10_000
    assert f"5 · {red:,.2f} mu" in listed
    assert f"1 · {tables.leftovers['area_mu'].sum():,.2f} mu" in listed
    for label in ("Critical hold-outs", "Orphan gaps (left-over land)"):
        assert not layer_switch(page, label).is_checked()
        layer_switch(page, label).check()
    for layer, popup, texts in (
        ("holdouts", "holdoutPopup", ["40.50 mu", "target of P2: 12 mu short", "CNY 1,500,000"]),
        ("leftovers", "leftoverPopup", ["L01", "B00, B02", "75.0 %"]),
        ("overlaps", "overlapPopup", ["永久基本农田"]),
    ):
        content = page.evaluate(f"() => planMap.{popup}(planMap.view, 0).textContent")
        assert all(text in content for text in texts), layer
        assert page.evaluate(f"() => planMap.view.{layer}.length") > 0


def test_the_page_turns_chinese_and_keeps_what_was_chosen(page, plan):
    page.get_by_label("mode", exact=True).check()
    layer_switch(page, "Critical hold-outs").check()
    page.evaluate("() => planMap.showStep(planMap.view, 2)")
    before = page.evaluate("() => [planMap.view.map.getCenter().lat, planMap.view.map.getZoom()]")
    page.evaluate("() => planMap.switchLanguage(planMap.view, 'zh')")
    assert page.get_by_label("模式", exact=True).is_checked()
    assert layer_switch(page, "关键留守户").is_checked()
    assert page.get_by_role("slider", name="分期推演").input_value() == "2"
    assert page.evaluate("() => [planMap.view.map.getCenter().lat, planMap.view.map.getZoom()]") == before
    assert MODE_NAMES["collective_led"]["zh"] in page.locator("#plan-legend .legend").inner_text()
    assert page.locator("#plan-layers").count() == 1
    assert page.locator(".leaflet-control-layers").count() == 1
    page.evaluate("() => planMap.switchLanguage(planMap.view, 'en')")
    assert page.get_by_label("mode", exact=True).is_checked()


def test_land_that_is_left_out_is_counted(open_map, tmp_path, plan, monkeypatch):
    tables, context = plan
    monkeypatch.setattr("planner.report.page.FULL_FABRIC_PARCELS", 10)
    write_text(render_map(tables, context), tmp_path / "map.html")
    page = open_map(tmp_path / "map.html")
    notice = page.locator("#plan-layers .notice").inner_text()
    drawn = page.evaluate("() => planMap.view.parcelLayer.length")
    assert f"{len(tables.parcels) - drawn} parcels" in notice
    assert "plan.gpkg" in notice


def test_everything_in_the_panel_can_be_reached_by_keyboard(page):
    page.locator("#plan-step").focus()
    reached = []
    for _ in range(60):
        page.keyboard.press("Tab")
        reached.append(
            page.evaluate(
                """() => {
                  const at = document.activeElement;
                  const shown = getComputedStyle(at).outlineStyle !== "none";
                  const box = at.closest("section[id]");
                  return [box ? box.id : "", at.tagName, shown];
                }"""
            )
        )
    assert ["plan-legend", "INPUT", True] in reached
    assert sum(section == "plan-layers" for section, _, _ in reached) >= 8
    assert all(shown for section, tag, shown in reached if section.startswith("plan-") and tag == "INPUT")


@pytest.mark.parametrize(("width", "height"), [(1366, 768), (1920, 1080)])
def test_nothing_overflows_on_usual_screens(page, width, height):
    page.set_viewport_size({"width": width, "height": height})
    for language in ("zh", "en"):
        page.evaluate("(language) => planMap.switchLanguage(planMap.view, language)", language)
        size = page.evaluate("() => [document.body.scrollWidth, document.body.scrollHeight]")
        assert size == [width, height]
        box = page.locator("#plan_map").bounding_box()
        assert box["height"] > 0.6 * height
        wide = page.evaluate(
            "() => [...document.querySelectorAll('#plan-panel, #plan-timeline')]"
            ".map((e) => e.scrollWidth - e.clientWidth)"
        )
        assert wide == [0, 0]
