import base64
import hashlib
import json
import re
from html.parser import HTMLParser

import pytest

from geodata.write import write_text
from planner.report import assets
from planner.report.context import MapContext, PhaseFigures
from planner.report.map import render_map
from tests.planner.report.plan_builders import context_of, grid_plan, hostile_plan

LOADING_ATTRIBUTES = {
    "src",
    "srcset",
    "href",
    "action",
    "formaction",
    "poster",
    "data",
    "background",
    "ping",
    "manifest",
}
LOADING_TAGS = {"link", "img", "iframe", "object", "embed", "base", "video", "audio", "source", "form", "svg"}
LOADING_CALLS = r"fetch\s*\(|XMLHttpRequest|\bimport\s*\(|importScripts|Worker\s*\(|sendBeacon|WebSocket|EventSource"


class Page(HTMLParser):
    """Elements, scripts and styles of a page, as a browser would tell them apart."""

    def __init__(self, text):
        super().__init__(convert_charrefs=True)
        self.tags, self.scripts, self.styles, self.data, self.title = [], [], [], "", ""
        self._inside = None
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        self._inside = (tag, dict(attrs))
        if tag == "script" and "type" not in self._inside[1]:
            self.scripts.append("")
        elif tag == "style":
            self.styles.append("")

    def handle_endtag(self, tag):
        self._inside = None

    def handle_data(self, text):
        tag, attributes = self._inside or ("", {})
        if tag == "script" and "type" in attributes:
            self.data += text
        elif tag == "script":
            self.scripts[-1] += text
        elif tag == "style":
            self.styles[-1] += text
        elif tag == "title":
            self.title += text


@pytest.fixture(scope="module")
def plan():
    return grid_plan(columns=8, rows=6)


@pytest.fixture(scope="module")
def page(plan):
    return Page(render_map(plan, context_of(plan)))


def test_nothing_in_the_page_can_ask_for_a_file(page):
    assert not {tag for tag, _ in page.tags} & LOADING_TAGS
    assert not {name for _, attributes in page.tags for name in attributes} & LOADING_ATTRIBUTES
    for style in page.styles:
        assert "@import" not in style
        assert all(u.startswith(("data:", "#")) for u in re.findall(r"url\(\s*['\"]?([^'\")]{0,20})", style))
    for script in page.scripts:
        assert not re.search(LOADING_CALLS, script)


def test_addresses_in_scripts_are_names_and_leaflets_own_link_only(page):
    found = {url for script in page.scripts for url in re.findall(r"https?://[\w./-]+", script)}
    assert found == {"http://www.w3.org/2000/svg", "https://leafletjs.com"}
    own = "".join(assets.own_scripts())
    assert set(re.findall(r"https?://[\w./-]+", own)) == {"http://www.w3.org/2000/svg"}
    assert 'setPrefix("Leaflet")' in own


def test_page_holds_leaflet_and_our_scripts_and_nothing_else(page):
    known = [assets.leaflet_script(), *assets.own_scripts()]
    assert page.scripts[: len(known)] == known
    switches, start = page.scripts[len(known) :]
    assert switches.split() == ["L_NO_TOUCH", "=", "false;", "L_DISABLE_3D", "=", "false;"]
    assert re.search(r"var plan_map = L\.map\(.*planMap\.start\(plan_map,", start, re.DOTALL)
    assert len(start) < 1500


def test_policy_allows_exactly_the_scripts_of_the_page(page):
    policy = next(a["content"] for t, a in page.tags if a.get("http-equiv") == "Content-Security-Policy")
    rules = {rule.split()[0]: rule.split()[1:] for rule in policy.split("; ")}
    digests = [base64.b64encode(hashlib.sha256(s.encode()).digest()).decode() for s in page.scripts]
    assert rules["script-src"] == [f"'sha256-{d}'" for d in digests]
    assert rules["default-src"] == ["'none'"]
    assert rules["img-src"] == ["data:"]
    first_script = [t for t, _ in page.tags].index("script")
    assert any(a.get("http-equiv") == "Content-Security-Policy" for _, a in page.tags[:first_script])


def test_data_stand_in_the_page_once_as_json(page, plan):
    data = json.loads(page.data)
    assert len(data["parcels"]["shapes"]) == len(plan.parcels)
    assert data["meta"]["synthetic"] is True
    assert [p["id"] for p in data["phases"]] == ["P1", "P2", "P3"]


def test_same_plan_gives_the_same_file(plan, tmp_path):
    write_text(render_map(plan, context_of(plan)), tmp_path / "a.html")
    write_text(render_map(plan, context_of(plan)), tmp_path / "b.html")
    written = (tmp_path / "a.html").read_bytes()
    assert written == (tmp_path / "b.html").read_bytes()
    assert b"\r" not in written
    assert "长山头" in written.decode("utf-8")
    assert b"charset=UTF-8" in written


@pytest.mark.parametrize(
    "text",
    [
        "</script><img src=x onerror=alert(1)>",
        "<!--<script>",
        "{{ 7 * 7 }}{% raw %}{# #}",
        "\u2028\u2029&lt;&quot;'\"",
        "<content-security-policy>",
        "]]>%{}${1}\\u003c",
    ],
)
def test_hostile_text_stays_text_everywhere(text):
    tables, context = hostile_plan(text)
    page = Page(render_map(tables, context))
    assert len(page.scripts) == len(assets.SCRIPTS) + 3
    assert not {tag for tag, _ in page.tags} & LOADING_TAGS
    assert page.title == text
    data = json.loads(page.data)
    assert data["meta"]["title"] == data["meta"]["note"] == data["phases"][0]["id"] == text
    assert text in data["parcels"]["columns"]["parcel_id"]
    assert text in json.loads(json.dumps(data["blocks"]["columns"]["block_id"]))


def test_context_comes_from_the_summary():
    phase = {"phase": "P1", "year": 1, "target_mu": 250, "stretch_mu": None, "area_mu": 260.5, "cumulative_mu": 260.5}
    summary = {
        "project": {"name": "Qingxi", "synthetic": True, "currency": "CNY", "note": "assumed"},
        "version": "0.1.0",
        "config_hash": "c",
        "input_hash": "i",
        "status": "optimal",
        "objective": 5.0,
        "bound": 5.0,
        "gap": 0.0,
        "phases": [phase | {"cost": None, "blocks": 2}],
        "zones": {"Luoma": {"phases": [{k: v for k, v in phase.items() if k != "year"}]}},
    }
    context = MapContext.from_summary(summary)
    assert context.title == context.project == "Qingxi"
    assert context.phases == (PhaseFigures("P1", 1, 250, None, 260.5, 260.5, None),)
    assert context.zones == {"Luoma": (PhaseFigures("P1", None, 250, None, 260.5, 260.5, None),)}
    assert (context.synthetic, context.note, context.gap) == (True, "assumed", 0.0)
    assert MapContext.from_summary(summary, title="Other").title == "Other"
