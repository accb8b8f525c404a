"""The map in Chinese and in English: every word that is not data changes with the language, for eye and ear."""

import re
from dataclasses import replace

import pandas as pd
import pytest

from geodata.write import write_text
from planner.labels import label_table
from planner.report.map import render_map
from tests.planner.report.plan_builders import context_of, grid_plan

pytestmark = pytest.mark.browser

CHINESE = re.compile(r"[\u3000-\u303f\u4e00-\u9fff\uff00-\uffef]")
LATIN = re.compile(r"[A-Za-z]+")
NOT_WORDS = re.compile(
    r"QX-\d+|B\d\d|P\d|CGCS2000 .* \(EPSG:\d+\)|\w+\.json|planner explain parcel|Leaflet|[0-9a-f]{12}…|[0-9a-f]{64}"
    r"|\d km\b|\d m\b|\bEsc\b|\bkey_\d\b"
)
"""What is the same in every language: ids, hashes, units of length, names of programs, files and keys."""

SHOWN = """() => {
  const words = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_ELEMENT | NodeFilter.SHOW_TEXT);
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    if (node.nodeType === Node.TEXT_NODE) {
      const parent = node.parentElement;
      if (parent.closest("script, style, noscript, .language, .north")) continue;
      if (parent.checkVisibility()) words.push(node.textContent);
    } else if (!node.matches(".language") && node.checkVisibility()) {
      for (const name of ["aria-label", "title", "placeholder", "alt", "aria-valuetext"])
        if (node.getAttribute(name)) words.push(node.getAttribute(name));
    }
  }
  return words.map((text) => text.trim()).filter((text) => text);
}"""


def in_words(plan, villages, reason):
    """The plan with data in one language."""
    names = dict(zip(sorted(plan.parcels["village"].unique()), villages, strict=True))
    parcels = plan.parcels.assign(
        zone=plan.parcels["zone"].map(names),
        village=plan.parcels["village"].map(names),
        reason=[reason(row) for row in plan.parcels.itertuples()],
        note=None,
        forced_loss=[None if i % 4 == 0 else 1e6 * (i % 5) - 1e6 for i in range(len(plan.parcels))],
    )
    parcels[["note", "block_id"]] = parcels[["note", "block_id"]].astype(object)
    parcels["block_id"] = parcels["block_id"].where(parcels["block_id"].isna(), parcels["block_id"] + "-01")
    return replace(
        plan,
        parcels=parcels,
        blocks=plan.blocks.assign(zone=plan.blocks["zone"].map(names), block_id=plan.blocks["block_id"] + "-01"),
        zones=plan.zones.assign(zone=plan.zones["zone"].map(names)),
        barriers=plan.barriers.assign(name=villages[2]),
    )


def english_reason(row):
    why = {"selected": f"in block {row.block_id}-01: low-efficient", "excluded": "excluded: 1"}
    return why.get(row.status, "low-efficient, but the plan is better without it")


@pytest.fixture(scope="module")
def plan():
    return grid_plan(columns=8, rows=9)


def facts_of(plan, village):
    index = pd.Index(plan.parcels["parcel_id"])
    numbers = pd.Series(range(len(index)), index=index, dtype="Float64")
    return pd.DataFrame(
        {
            "village": village,
            "lease_year": 2020 + numbers % 9,
            "signed_share": (numbers % 11) / 10,
            "far": (numbers % 7 / 3).mask(numbers % 5 == 0),
            "tax_yuan": numbers * 1000,
        },
        index=index,
    )


@pytest.fixture(scope="module")
def chinese_file(plan, tmp_path_factory):
    """All data in Chinese."""
    data = in_words(plan, ["东", "南", "西"], english_reason)
    context = context_of(data, title="清溪", project="清溪改造", note="说明")
    path = tmp_path_factory.mktemp("zh") / "map.html"
    write_text(render_map(data, replace(context, facts=facts_of(data, "东"))), path)
    return path


@pytest.fixture(scope="module")
def english_file(plan, tmp_path_factory):
    """All data in English; the page opens in Chinese."""
    data = in_words(plan, ["East", "South", "West"], english_reason)
    context = context_of(data, title="Qingxi", project="Qingxi works", note="Notes")
    path = tmp_path_factory.mktemp("en") / "map.html"
    write_text(render_map(data, replace(context, language="zh", facts=facts_of(data, "East"))), path)
    return path


def walk(page):
    """What the page says while one thing after the other is opened."""
    rows = {
        status: page.evaluate(
            "(status) => planMap.view.parcels.rows().find((row) => planMap.view.parcels.get('status', row) === status)",
            status,
        )
        for status in ("selected", "eligible", "ineligible", "excluded")
    }
    yield page.evaluate(SHOWN)
    for row in [*rows.values(), 4, 5, 6]:
        page.evaluate("(row) => planMap.showParcel(planMap.view, row)", row)
        yield page.evaluate(SHOWN)
    page.evaluate("() => planMap.showBlock(planMap.view, 0)")
    page.evaluate("() => document.querySelectorAll('details').forEach((box) => { box.open = true; })")
    yield page.evaluate(SHOWN)
    page.evaluate("() => planMap.showZone(planMap.view, 0)")
    yield page.evaluate(SHOWN)
    page.evaluate("() => planMap.setLockMode(planMap.view, true)")
    for kind in ("in", "out", "by", "at"):
        change = "([row, kind]) => planMap.view.locks.change([row], () => ({ kind, phase: 'P1' }))"
        page.evaluate(change, [rows["excluded"] if kind == "in" else rows["selected"] + len(kind), kind])
    page.evaluate("(row) => planMap.showParcel(planMap.view, row)", rows["excluded"])
    yield page.evaluate(SHOWN)
    page.locator("input[type=file]").set_input_files({"name": "1.json", "mimeType": "", "buffer": b"1"})
    page.locator(".lock-refused").wait_for()
    page.fill("#plan-search", "1?")
    yield page.evaluate(SHOWN)
    page.fill("#plan-search", "QX-0")
    page.locator("#plan-matches .more").wait_for()
    yield page.evaluate(SHOWN)
    page.evaluate("() => planMap.setLockMode(planMap.view, false)")
    page.locator(".plan-measure button").click()
    yield page.evaluate(SHOWN)
    page.keyboard.press("Escape")
    for colouring in page.locator("input[name=colouring]").all():
        colouring.check()
        yield page.evaluate(SHOWN)


def test_nothing_english_is_left_on_the_chinese_page(open_map, chinese_file):
    page = open_map(chinese_file)
    page.get_by_role("button", name="切换为中文").click()
    assert page.evaluate("() => document.documentElement.lang") == "zh-CN"
    strange = {text for shown in walk(page) for text in shown if LATIN.search(NOT_WORDS.sub("", text))}
    assert strange == set()


def test_nothing_chinese_is_left_on_the_english_page(open_map, english_file):
    page = open_map(english_file)
    assert page.evaluate("() => document.documentElement.lang") == "zh-CN"
    assert page.locator("#plan-panel h2").first.inner_text() == "分期"
    page.get_by_role("button", name="Switch to English").click()
    assert page.evaluate("() => document.documentElement.lang") == "en"
    strange = {text for shown in walk(page) for text in shown if CHINESE.search(text)}
    assert strange == set()


def test_the_language_stays_in_the_address(open_map, chinese_file):
    page = open_map(chinese_file)
    page.get_by_role("button", name="切换为中文").click()
    assert page.url.endswith("#lang=zh")
    page.reload()
    page.wait_for_selector("body[data-ready=true]")
    assert page.locator("#plan-panel h2").first.inner_text() == "分期"
    page.get_by_role("button", name="Switch to English").press("Enter")
    assert page.url.endswith("#lang=en")
    assert page.evaluate("() => document.activeElement.textContent") == "中文"
    assert page.locator("#plan-panel h2").first.inner_text().lower() == "phases"


def test_what_is_open_stays_open_in_the_other_language(open_map, chinese_file, plan):
    page = open_map(chinese_file)
    page.fill("#plan-search", "QX-0020")
    page.press("#plan-search", "Enter")
    before = page.evaluate("() => [planMap.view.map.getZoom(), planMap.view.map.getCenter()]")
    order = "() => [...document.querySelectorAll('.leaflet-left .leaflet-control')].map((e) => e.className)"
    corners = page.evaluate(order)
    page.get_by_role("button", name="切换为中文").click()
    assert page.locator(".leaflet-popup-content h3").inner_text() == "宗地 QX-0020"
    assert page.locator(".leaflet-popup").get_attribute("aria-label") == "宗地 QX-0020"
    assert page.evaluate("() => [planMap.view.map.getZoom(), planMap.view.map.getCenter()]") == before
    assert page.evaluate(order) == corners
    assert page.locator(".name.block").first.text_content().endswith("亩")


def test_reasons_and_losses_are_told_in_the_language(open_map, chinese_file, plan):
    page = open_map(chinese_file)
    losses = page.evaluate(
        "() => planMap.view.parcels.rows().map((row) => planMap.view.parcels.get('forced_loss', row))"
    )
    status = plan.parcels["status"].tolist()
    taken = [i for i, s in enumerate(status) if s == "selected"]
    cases = {
        "unknown": next(i for i in taken if losses[i] is None),
        "loss": next(i for i in taken if losses[i] is not None and losses[i] > 0),
        "gain": next(i for i in taken if losses[i] is not None and losses[i] < 0),
        "excluded": status.index("excluded"),
    }
    told = {}
    for language in ("en", "zh"):
        page.evaluate("(language) => planMap.switchLanguage(planMap.view, language)", language)
        for name, row in cases.items():
            page.evaluate("(row) => planMap.showParcel(planMap.view, row)", row)
            told[name, language] = page.locator(".leaflet-popup-content").inner_text()
    ids = plan.parcels["parcel_id"]
    assert "costs is unknown; ask for it: planner explain parcel " + ids[cases["unknown"]] in told["unknown", "en"]
    assert "planner explain parcel " + ids[cases["unknown"]] in told["unknown", "zh"]
    assert f"Forcing it out costs at most CNY {losses[cases['loss']]:,.0f}." in told["loss", "en"]
    assert f"强制排除至多损失 {losses[cases['loss']] / 1e4:,.2f} 万元" in told["loss", "zh"]
    assert "Forcing it out gains at least CNY 1,000,000." in told["gain", "en"]
    assert "强制排除至少增益 100.00 万元" in told["gain", "zh"]
    assert "Forcing" not in told["excluded", "en"]
    assert "Why it is out: excluded: 1" in told["excluded", "en"]
    assert "未入选理由: 排除：1" in told["excluded", "zh"]


def test_chinese_is_written_in_chinese_fonts_first(open_map, chinese_file):
    page = open_map(chinese_file)
    fonts = "() => getComputedStyle(document.body).fontFamily"
    assert page.evaluate(fonts).startswith('"Segoe UI"')
    page.get_by_role("button", name="切换为中文").click()
    assert page.evaluate(fonts).startswith('"Microsoft YaHei", "PingFang SC"')


def test_an_unknown_word_is_a_defect_that_shows(open_map, chinese_file):
    page = open_map(chinese_file)
    assert (
        page.evaluate("() => { try { planMap.t('no such'); } catch (e) { return e.message; } }") == "no label no such"
    )
    assert page.evaluate("() => planMap.t('lock_refused', '{0} $& {1}')") == "{0} $& {1} was not loaded:"


def test_every_word_stands_in_both_languages_with_the_same_places():
    words = label_table("map", "page")
    places = re.compile(r"\{\d\}")
    for key, english in words["en"].items():
        assert sorted(places.findall(english)) == sorted(places.findall(words["zh"][key])), key
