"""The report on progress as a person meets it: opened from a file, network off."""

import datetime
from dataclasses import replace

import pytest

from planner.monitoring.entries import Approval
from planner.monitoring.months import Calendar
from planner.monitoring.standing import standing_of
from planner.report.progress import write_progress
from planner.report.progress.colours import STATE_STYLES
from tests.planner.monitoring.small import DONE, LATE, ONE, THREE, TWO, coded, entries_of

pytestmark = pytest.mark.browser

HOSTILE = "</script><img src=x onerror=alert(1)>"
LEASES = {"report": {"show": {"lease_year": "lease"}}}

FILL_OF = """(row) => {
  const { fillColor, hatch } = planProgress.view.blocks[row].options;
  return [fillColor, hatch];
}"""


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    contents = coded(LEASES, columns={"lease": [2027.0, 2027.0, 2027.0, 2026.0, 2029.0, 2027.0]})
    permit = (Approval(HOSTILE, datetime.date(2027, 1, 15), HOSTILE),)
    late = replace(LATE, approvals=permit, remark=HOSTILE)
    progress = standing_of(contents, entries_of(DONE, late), "2026-12", Calendar(), {ONE: HOSTILE})
    out = tmp_path_factory.mktemp("progress") / "report"
    write_progress(contents, progress, out)
    return out / "progress.html"


@pytest.fixture
def page(open_map, file):
    return open_map(file)


def test_headline_tables_and_lists_are_there(page):
    assert page.locator(".synthetic").is_visible()
    assert page.locator(".card.cleared .card-figure").inner_text() == "38.50 mu"
    assert "77.0 % of the floor of 50.00 mu" in page.locator(".card.cleared").inner_text()
    assert page.locator(".card.forecast .card-figure").inner_text() == "2027-03"
    rows = page.locator("table.projects tbody tr")
    assert rows.count() == 3
    assert rows.nth(1).locator("th").inner_text() == TWO
    assert "→ 2027-03 (+1)" in rows.nth(1).inner_text()
    assert page.locator("table.slips tbody th").all_inner_texts() == [THREE, TWO]
    assert page.locator("table.soonest tbody tr").count() == 2
    assert not page.locator("table.later").is_visible()
    page.locator("details.later summary").click()
    assert page.locator("table.later").is_visible()


def test_text_of_the_data_stays_text(page):
    assert page.locator("img").count() == 0
    assert HOSTILE in page.locator("table.projects").inner_text()
    assert HOSTILE in page.locator("table.expiring.soonest").inner_text()


def test_the_map_has_the_colours_of_the_states(page):
    fills = [page.evaluate(FILL_OF, row) for row in range(3)]
    assert fills == [list(STATE_STYLES[state]) for state in ("done", "late", "late")]
    assert page.locator(".block-label").all_inner_texts() == ["001", "002", "003"]
    frame = page.locator(".map-frame")
    frame.scroll_into_view_if_needed()
    at = page.evaluate(
        """() => {
          const { map, blocks } = planProgress.view;
          const point = map.latLngToContainerPoint(blocks[1].getCenter());
          return [point.x, point.y];
        }"""
    )
    frame.hover(position={"x": at[0], "y": at[1] + 12})
    assert TWO in page.locator(".plan-tip").inner_text()
    frame.click(position={"x": at[0], "y": at[1] + 12})
    assert page.locator("tr.found th").inner_text() == TWO


def test_both_languages(page):
    page.get_by_role("button", name="中文").click()
    page.wait_for_selector("body[data-ready=true]")
    assert page.locator("#part-slips h2").inner_text() == "滞后项目"
    assert page.locator("table.projects tbody tr").nth(1).locator(".state").inner_text() == "滞后"
    assert page.evaluate("document.documentElement.lang") == "zh-CN"
    page.get_by_role("button", name="English").click()
    page.wait_for_selector("body[data-ready=true]")
    assert page.locator("#part-slips h2").inner_text() == "What slips"


def test_it_can_be_printed(page):
    assert len(page.pdf(prefer_css_page_size=True)) > 10_000


def test_on_a_narrow_screen_nothing_runs_out_of_the_page(page):
    page.set_viewport_size({"width": 390, "height": 800})
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
