import base64
import hashlib
import json
import re
from dataclasses import replace

import geopandas as gpd
import pytest

from geodata.errors import DataError
from planner.labels import LANGUAGES, label_table
from planner.report.compare import assets, comparison_page, read_prices, write_comparison
from planner.report.compare import data as page_data_module
from planner.report.compare.figures import indicators
from tests.planner.report.compare.builders import moved, plan_contents, renamed, settings
from tests.planner.report.compare.small import small_plan, small_tables
from tests.planner.report.plan_builders import grid_plan, hostile_plan
from tests.planner.report.test_map import LOADING_ATTRIBUTES, LOADING_CALLS, LOADING_TAGS, Page

PRICES = {
    "kind": "price",
    "objective": 1_000_000.0,
    "rules": [
        {
            "key": "sizes",
            "title": "blocks of at least 60 mu",
            "verdict": "optimal",
            "loss": {"low": 10.0, "high": None},
            "share": {"low": 0.00001, "high": None},
        },
        {
            "key": "late",
            "title": "target P1",
            "verdict": "not_asked",
            "loss": {"low": 0.0, "high": None},
            "share": {"low": 0.0, "high": None},
        },
    ],
}


@pytest.fixture(scope="module")
def plans():
    tables = grid_plan(columns=8, rows=6)
    return [(f"plan {k}", plan_contents(moved(tables, k))) for k in range(3)]


@pytest.fixture(scope="module")
def page(plans):
    return Page(comparison_page(plans))


@pytest.fixture(scope="module")
def data(page):
    return json.loads(page.data)


def issues_of(*plans):
    with pytest.raises(DataError) as caught:
        comparison_page([(f"plan {k}", plan) for k, plan in enumerate(plans)])
    return [issue.where for issue in caught.value.issues]


def test_nothing_in_the_page_can_ask_for_a_file(page):
    assert not {tag for tag, _ in page.tags} & LOADING_TAGS
    assert not {name for _, attributes in page.tags for name in attributes} & LOADING_ATTRIBUTES
    for style in page.styles:
        assert all(u.startswith(("data:", "#")) for u in re.findall(r"url\(\s*['\"]?([^'\")]{0,20})", style))
    for script in page.scripts:
        assert not re.search(LOADING_CALLS, script)


def test_policy_allows_exactly_the_scripts_of_the_page(page):
    policy = next(a["content"] for t, a in page.tags if a.get("http-equiv") == "Content-Security-Policy")
    rules = {rule.split()[0]: rule.split()[1:] for rule in policy.split("; ")}
    digests = [base64.b64encode(hashlib.sha256(s.encode()).digest()).decode() for s in page.scripts]
    assert rules["script-src"] == [f"'sha256-{d}'" for d in digests]
    assert rules["default-src"] == ["'none'"]


def test_same_plans_give_the_same_file(plans, tmp_path):
    write_comparison(plans, tmp_path / "a.html")
    write_comparison(plans, tmp_path / "b.html")
    assert (tmp_path / "a.html").read_bytes() == (tmp_path / "b.html").read_bytes()


def test_the_page_holds_the_figures_of_the_plans(plans, data):
    rows = {(row["key"], *row["of"]): row for row in data["rows"]}
    for k, (_, contents) in enumerate(plans):
        for figure in indicators(contents):
            cell = rows[(figure.key, *figure.of)]["cells"][k]
            assert cell == {"value": figure.value, "unknown": figure.unknown}


def test_the_maps_hold_every_plan_parcel_by_parcel(plans, data):
    ids = data["parcels"]["columns"]["parcel_id"]
    for inside, (_, contents) in zip(data["in_plan"], plans, strict=True):
        known = contents.tables.parcels.set_index("parcel_id")
        for row, parcel in enumerate(ids):
            taken = known["status"][parcel] == "selected"
            assert (inside["status"][row] == 0) == taken
            assert inside["phase"][row] == (known["phase"][parcel] if taken else 0)
            code = inside["block"]["codes"][row]
            block = inside["block"]["values"][code] if code >= 0 else None
            assert block == (known["block_id"][parcel] if taken else None)
            assert inside["reason"]["values"]["en"][inside["reason"]["codes"][row]] == known["reason"][parcel]


def test_every_word_of_the_scripts_is_in_the_labels():
    own = "".join(assets.scripts()[len(assets.SHARED_SCRIPTS) :])
    used = set(re.findall(r'\bt\("([a-z_]+)"', own)) | set(re.findall(r'"(compare_[a-z_]+[a-z])"', own))
    labels = label_table("map", "compare")
    for language in LANGUAGES:
        assert {key for key in used if not key.endswith("_")} <= labels[language].keys()


def test_every_indicator_has_a_word_and_a_unit(plans):
    labels = label_table("map", "compare")
    figures = [*indicators(plans[0][1]), *indicators(small_plan(modes=[{"id": "m"}], decanting={"fates": []}))]
    for language in LANGUAGES:
        for figure in figures:
            assert f"compare_{figure.key}" in labels[language]
            assert f"compare_section_{figure.section}" in labels[language]
            assert figure.unit in {"count", "text"} or f"compare_unit_{figure.unit}" in labels[language]


@pytest.mark.parametrize("text", ["</script><img src=x onerror=alert(1)>", "<!--<script>", "<content-security-policy>"])
def test_hostile_text_stays_text(text, page):
    tables, _ = hostile_plan(text)
    plan = plan_contents(tables, settings(project__name=text))
    hostile = Page(comparison_page([(text, plan), ("b", plan)]))
    assert len(hostile.scripts) == len(page.scripts)
    assert not {tag for tag, _ in hostile.tags} & LOADING_TAGS
    data = json.loads(hostile.data)
    assert data["plans"][0]["name"] == data["plans"][0]["title"] == text


def test_one_or_nine_plans_are_no_comparison():
    assert issues_of(small_plan()) == ["plans"]
    assert issues_of(*[small_plan()] * 9) == ["plans"]


def test_names_must_differ():
    with pytest.raises(DataError, match="more than once"):
        comparison_page([("a", small_plan()), ("a", small_plan())])


def test_false_comparisons_are_refused_with_every_reason():
    real = small_plan(config=settings(project__synthetic=False))
    dollars = small_plan(config=settings(project__currency="USD", project__synthetic=False))
    assert issues_of(small_plan(), real) == ["plan plan 1, land"]
    assert issues_of(small_plan(), dollars) == ["plan plan 1, currency", "plan plan 1, land"]
    tables = small_tables()
    elsewhere = renamed(tables, {name: name * 2 for name in "abcd"})
    assert issues_of(small_plan(), small_plan(elsewhere)) == ["plan plan 1, parcels"]


def test_areas_measured_in_another_crs_are_refused():
    tables = small_tables()
    layers = {
        name: getattr(tables, name).to_crs("EPSG:4526") for name in ("parcels", "blocks", "zones", "links", "barriers")
    }
    assert issues_of(small_plan(), small_plan(replace(tables, **layers))) == ["plan plan 1, metric CRS"]


def test_land_of_one_plan_only_is_told():
    other = renamed(small_tables(), {"d": "e"})
    data = json.loads(Page(comparison_page([("a", small_plan()), ("b", small_plan(other))])).data)
    assert data["parcels"]["columns"]["parcel_id"] == ["a", "b", "c", "d", "e"]
    assert [m["ids"] for m in data["land"]["missing"]] == [["e"], ["d"]]
    assert [m["area_mu"] for m in data["land"]["missing"]] == [40.0, 40.0]
    assert data["in_plan"][0]["status"] == [0, 0, 0, 1, -1]


def test_of_much_land_only_what_some_plan_picks_is_drawn_and_all_is_summed(plans, monkeypatch):
    monkeypatch.setattr(page_data_module, "MOST_DRAWN", 20)
    data = json.loads(Page(comparison_page(plans)).data)
    times = data["parcels"]["columns"]["times"]
    assert min(times) > 0
    assert data["land"]["drawn"] == len(times) < data["land"]["parcels"] == 48
    assert sum(p["parcels"] for p in data["land"]["picked"]) == 48


def test_prices_are_read_where_they_lie_and_only_of_this_plan(tmp_path):
    summary = {"objective": 1_000_000.0}
    assert read_prices(tmp_path, summary) is None
    file = tmp_path / "price.json"
    file.write_text(json.dumps(PRICES), encoding="utf-8")
    prices = read_prices(tmp_path, summary)
    plans = [("a", small_plan()), ("b", small_plan())]
    other = {"rules": [prices["rules"][0] | {"title": "blocks of at least 40 mu"}]}
    rules = json.loads(Page(comparison_page(plans, prices={"a": prices, "b": other})).data)["prices"]
    assert [rule["title"] for rule in rules] == ["blocks of at least 60 mu", "target P1"]
    sizes, late = (rule["cells"] for rule in rules)
    assert [cell["loss"] for cell in sizes] == [{"low": 10.0, "high": None}] * 2
    assert [cell["title"] for cell in sizes] == [None, "blocks of at least 40 mu"]
    assert late == [None, None]
    with pytest.raises(DataError, match="prices of a plan worth"):
        read_prices(tmp_path, {"objective": 2_000_000.0})
    for wrong in ("no json", "[]", json.dumps(PRICES | {"rules": [{"key": "x"}]})):
        file.write_text(wrong, encoding="utf-8")
        with pytest.raises(DataError, match=r"price\.json"):
            read_prices(tmp_path, summary)


def test_a_plan_without_blocks_can_be_compared():
    tables = small_tables(status=["eligible"] * 4, block_id=[None] * 4)
    none = replace(
        tables,
        parcels=tables.parcels.assign(phase=tables.parcels["phase"].mask([True] * 4)),
        blocks=gpd.GeoDataFrame(tables.blocks.iloc[:0]),
    )
    data = json.loads(Page(comparison_page([("a", small_plan()), ("b", small_plan(none))])).data)
    assert data["land"]["picked"][0] == {"plans": 2, "parcels": 0, "area_mu": 0.0}
    rows = {row["key"]: row for row in data["rows"]}
    assert [cell["value"] for cell in rows["largest"]["cells"]] == [40.0, None]
