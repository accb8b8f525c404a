"""Locks on the review map: set by mouse and by keyboard, downloaded, loaded, kept, refused where they do not fit."""

import json
from dataclasses import replace

import pytest

from geodata.write import write_text
from planner.locks_file import read_locks
from planner.report.map import render_map
from tests.planner.report.plan_builders import context_of, grid_plan, hostile_plan

pytestmark = pytest.mark.browser

HOSTILE = "</script><img src=x onerror=alert(1)>"
NOTE = "书记：先谈 <b>&amp; “两户”\n{0} 'x'"

POINT_IN = """(row) => {
  const { map, parcels } = planMap.view;
  const box = L.latLngBounds(parcels.latlngs(row).flat(Infinity));
  const at = map.latLngToContainerPoint([
    0.4 * box.getNorth() + 0.6 * box.getSouth(), 0.7 * box.getWest() + 0.3 * box.getEast(),
  ]);
  const frame = map.getContainer().getBoundingClientRect();
  return [at.x + frame.left, at.y + frame.top];
}"""
STYLE_OF = """(row) => {
  const { color, weight, dashArray } = planMap.view.parcelLayer[row].options;
  return [color, weight, dashArray];
}"""
WOULD_WARN = "() => !window.dispatchEvent(new Event('beforeunload', { cancelable: true }))"


def plan_with_locks():
    """A plan with one lock of each kind and two notes."""
    plan = grid_plan(columns=16, rows=12)
    parcels = plan.parcels.copy()
    parcels["locked"] = None
    parcels["note"] = None
    parcels[["locked", "note"]] = parcels[["locked", "note"]].astype(object)
    chosen = parcels.index[parcels["status"] == "selected"]
    eligible = parcels.index[parcels["status"] == "eligible"]
    for row, lock in zip([*chosen[:3], eligible[0]], ["in", "by P2", "at P1", "out"], strict=True):
        parcels.loc[row, "locked"] = lock
    parcels.loc[chosen[0], "note"] = NOTE
    parcels.loc[eligible[1], "note"] = "only a note"
    return replace(plan, parcels=parcels)


@pytest.fixture(scope="module")
def plan():
    return plan_with_locks()


@pytest.fixture(scope="module")
def plan_file(plan, tmp_path_factory):
    path = tmp_path_factory.mktemp("map") / "map.html"
    write_text(render_map(plan, context_of(plan)), path)
    return path


@pytest.fixture
def page(open_map, plan_file):
    return open_map(plan_file)


def kept_of(plan):
    """Entries of locks.json that a plan begins with."""
    entries = []
    for row in plan.parcels.sort_values("parcel_id").itertuples():
        if row.locked is not None or row.note is not None:
            kind, _, phase = (row.locked or "").partition(" ")
            entries.append({"parcel_id": row.parcel_id, "lock": kind or None, "phase": phase or None, "note": row.note})
    return entries


def download(page):
    """Content of the file that the page gives."""
    with page.expect_download() as waiting:
        page.get_by_role("button", name="Download locks.json").click()
    assert waiting.value.suggested_filename == "locks.json"
    return json.loads(waiting.value.path().read_text(encoding="utf-8"))


def find(page, parcel_id):
    page.fill("#plan-search", parcel_id)
    page.press("#plan-search", "Enter")
    return page.locator(".leaflet-popup-content")


def free_parcel(plan, number=0):
    """Position and id of an eligible parcel without a lock."""
    free = plan.parcels[(plan.parcels["status"] == "eligible") & plan.parcels["locked"].isna()]
    free = free[free["note"].isna()]
    return int(free.index[number]), free["parcel_id"].iloc[number]


def entry(parcel_id, lock=None, phase=None, note=None):
    return {"parcel_id": parcel_id, "lock": lock, "phase": phase, "note": note}


def document(**changes):
    base = {"format": "land-consolidation-locks", "version": 1, "project": "x", "locks": [], "plan": {}}
    return base | {"config_hash": "5f2a" * 16, "input_hash": "09bc" * 16} | changes


def give(page, tmp_path, content):
    path = tmp_path / "given.json"
    path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
    page.locator("input[type=file]").set_input_files(path)
    return page.locator(".lock-refused")


def test_the_map_begins_with_the_locks_of_the_plan_and_gives_all_of_them(page, plan, tmp_path):
    given = download(page)
    assert given["locks"] == kept_of(plan)
    assert [e["lock"] for e in given["locks"]].count(None) == 1
    context = context_of(plan)
    assert {k: given[k] for k in ("format", "version", "project", "config_hash", "input_hash")} == {
        "format": "land-consolidation-locks",
        "version": 1,
        "project": context.title,
        "config_hash": context.config_hash,
        "input_hash": context.input_hash,
    }
    for number, phase in enumerate(context.phases, start=1):
        ids = plan.parcels.loc[plan.parcels["phase"] == number, "parcel_id"]
        assert given["plan"][phase.id] == sorted(ids)
    (tmp_path / "locks.json").write_text(json.dumps(given), encoding="utf-8")
    read = read_locks(tmp_path / "locks.json")
    assert [entry(e.parcel_id, e.kind, e.phase, e.note) for e in read.entries] == kept_of(plan)


def test_locks_have_lines_of_their_own(page, plan):
    by_lock = {lock: int(rows.index[0]) for lock, rows in plan.parcels.groupby("locked")}
    assert page.evaluate(STYLE_OF, by_lock["out"]) == ["#7B3294", 2.5, "5 3"]
    for lock in ("in", "by P2", "at P1"):
        assert page.evaluate(STYLE_OF, by_lock[lock]) == ["#000000", 2.5, None]
    page.evaluate("(row) => planMap.showParcel(planMap.view, row)", by_lock["by P2"])
    page.evaluate("() => void planMap.view.map.closePopup()")
    assert "≤ P2" in page.locator(".name.lock").all_text_contents()


def test_locking_by_click(page, plan):
    row, parcel_id = free_parcel(plan, 20)
    page.get_by_role("button", name="Lock parcels").click()
    assert page.locator("#plan-panel section").first.get_attribute("class") == "locks"
    page.mouse.click(*page.evaluate(POINT_IN, row))
    popup = page.locator(".leaflet-popup-content")
    assert popup.locator("h3").inner_text() == f"Parcel {parcel_id}"
    popup.get_by_role("button", name="Lock out").click()
    assert popup.get_by_role("button", name="Lock out").get_attribute("aria-pressed") == "true"
    assert page.evaluate(STYLE_OF, row) == ["#7B3294", 2.5, "5 3"]
    assert page.evaluate(
        "(row) => { const { kind, phase } = planMap.view.lockOf(row); return [kind, phase]; }", row
    ) == [
        "out",
        None,
    ]
    popup.get_by_label("Phase of the lock").select_option("P3")
    popup.get_by_role("button", name="In by this phase").click()
    popup.get_by_label("Note").fill("wait for the lease")
    listed = page.locator(".lock-list")
    assert parcel_id in listed.inner_text()
    assert "in by P3" in listed.inner_text()
    assert "wait for the lease" in listed.inner_text()
    expected = sorted(
        [*kept_of(plan), entry(parcel_id, "by", "P3", "wait for the lease")], key=lambda e: e["parcel_id"]
    )
    assert page.evaluate(WOULD_WARN)
    assert download(page)["locks"] == expected
    assert not page.evaluate(WOULD_WARN)
    popup.get_by_label("Phase of the lock").select_option("P1")
    assert download(page)["locks"][expected.index(entry(parcel_id, "by", "P3", "wait for the lease"))]["phase"] == "P1"


def test_locking_by_keyboard_alone(page, plan):
    _, parcel_id = free_parcel(plan, 5)
    focused = "() => document.activeElement.id || document.activeElement.textContent"
    for _ in range(20):
        page.keyboard.press("Tab")
        if page.evaluate(focused) == "plan-search":
            break
    page.keyboard.type(parcel_id)
    page.keyboard.press("Enter")
    assert page.evaluate("() => document.activeElement.classList.contains('leaflet-popup-content')")
    page.keyboard.press("Tab")
    assert page.evaluate(focused) == "Lock: not locked"
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    assert page.evaluate(focused) == "Lock in"
    outline = page.evaluate("() => getComputedStyle(document.activeElement).outlineStyle")
    assert outline != "none"
    page.keyboard.press("Enter")
    assert page.evaluate(focused) == "Lock in"
    page.keyboard.press("Escape")
    assert page.locator(".leaflet-popup-content").count() == 0
    assert page.evaluate(focused) == "plan-search"
    assert entry(parcel_id, "in") in download(page)["locks"]


def test_parcels_of_a_block_are_reached_by_keyboard(page, plan):
    block = plan.blocks.iloc[0]
    members = plan.parcels.loc[plan.parcels["block_id"] == block["block_id"], "parcel_id"]
    page.focus("#plan-search")
    page.keyboard.type(block["block_id"])
    page.keyboard.press("Enter")
    fold = page.get_by_text(f"{len(members)} parcels of the block")
    fold.focus()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    assert page.locator(".leaflet-popup-content h3").inner_text() == f"Parcel {members.iloc[0]}"
    page.keyboard.press("Escape")
    assert page.evaluate("() => document.activeElement.id") == "plan-search"


def test_a_whole_block_is_locked_and_set_free(page, plan):
    block = plan.blocks.iloc[0]
    members = set(plan.parcels.loc[plan.parcels["block_id"] == block["block_id"], "parcel_id"])
    popup = find(page, block["block_id"])
    phase = f"P{block['phase']}"
    popup.get_by_role("button", name=f"Lock all in {phase}").click()
    given = {e["parcel_id"]: (e["lock"], e["phase"]) for e in download(page)["locks"]}
    assert {given[i] for i in members} == {("at", phase)}
    popup.get_by_role("button", name="Lock all in", exact=True).click()
    given = {e["parcel_id"]: e["lock"] for e in download(page)["locks"]}
    assert {given[i] for i in members} == {"in"}
    popup.get_by_role("button", name="Unlock all").click()
    assert all(e["lock"] is None for e in download(page)["locks"] if e["parcel_id"] in members)


def test_totals_are_sums_by_kind(page, plan):
    locks = plan.parcels.dropna(subset=["locked"]).copy()
    locks["kind"] = locks["locked"].str.split().str[0]
    names = {"in": "In", "out": "Out", "by": "In by a phase", "at": "In one phase"}
    text = " ".join(page.locator(".locks .legend").inner_text().split())
    for kind, rows in locks.groupby("kind"):
        assert f"{names[kind]} {len(rows)} · {rows['area_mu'].sum():,.2f} mu" in text
    assert "Notes only 1 ·" in text


def test_undo_remove_and_clear(page, plan):
    start = kept_of(plan)
    listed = page.locator(".lock-list .lock-remove")
    assert listed.count() == len(start)
    undo = page.get_by_role("button", name="Undo")
    assert undo.is_disabled()
    page.get_by_role("button", name=f"Remove the lock and note of {start[0]['parcel_id']}").click()
    assert download(page)["locks"] == start[1:]
    page.get_by_role("button", name="Clear all").click()
    assert "No parcel is locked." in page.locator(".locks").inner_text()
    assert download(page)["locks"] == []
    undo.click()
    assert download(page)["locks"] == start[1:]
    undo.click()
    assert download(page)["locks"] == start
    assert undo.is_disabled()
    _, parcel_id = free_parcel(plan)
    popup = find(page, parcel_id)
    popup.locator("summary", has_text="Lock:").click()
    popup.get_by_label("Note").press_sequentially("typed")
    popup.get_by_role("button", name="Lock in").click()
    undo.click()
    undo.click()  # a note is typed in one go
    assert popup.get_by_label("Note").input_value() == ""
    assert download(page)["locks"] == start


def test_a_downloaded_file_loads_into_another_map_with_its_notes(open_map, page, plan, plan_file, tmp_path):
    row, parcel_id = free_parcel(plan, 3)
    popup = find(page, parcel_id)
    popup.locator("summary", has_text="Lock:").click()
    note = "x" * 499 + "末"
    field = popup.get_by_label("Note")
    field.fill(note)
    field.press_sequentially("more")
    assert field.input_value() == note  # 500 characters are the most that can be typed
    popup.get_by_role("button", name="Lock out").click()
    given = download(page)
    given["locks"][0]["note"] = "a longer note, written elsewhere " * 30
    bare = replace(plan, parcels=plan.parcels.assign(locked=None, note=None))
    write_text(render_map(bare, context_of(bare, config_hash="0" * 64)), tmp_path / "next.html")
    other = open_map(tmp_path / "next.html")
    assert other.locator(".lock-list").count() == 0
    assert give(other, tmp_path, given).count() == 0
    other.get_by_text("given.json: 6 locks and notes loaded.").wait_for()
    assert "another state of the plan" in other.locator(".lock-status").inner_text()
    assert download(other)["locks"] == given["locks"]
    assert other.evaluate(STYLE_OF, row) == ["#7B3294", 2.5, "5 3"]
    assert entry(parcel_id, "out", None, note) in given["locks"]


STRANGERS = (
    ("no json", "it is no JSON file"),
    ("[1]", "no file of locks"),
    ("null", "no file of locks"),
    (document(format="other"), 'format "other"'),
    (document(version=2), "version 2"),
    (document(locks={}), "no list of locks"),
    (document(locks=[entry("QX-0001", "in"), entry("stranger 1"), entry("s2", "out")]), "stranger 1, s2"),
    (document(locks=[entry("QX-0001", "by", "P9")]), "phases that this plan does not have: P9"),
    (document(locks=[entry("QX-0001", "in"), entry("QX-0001", "out")]), "two entries: QX-0001"),
    (document(locks=[entry("QX-0001", "keep")]), "entry 1 is not understood"),
    (document(locks=[entry("QX-0001", "by")]), "entry 1 is not understood"),
    (document(locks=[entry("QX-0001", "in", "P1")]), "entry 1 is not understood"),
    (document(locks=[entry("QX-0001", note=3)]), "entry 1 is not understood"),
    (document(locks=[7]), "entry 1 is not understood: 7"),
    (document(locks=[entry(HOSTILE, "in")]), HOSTILE),
    (document(locks=[entry(f"s{i}", "in") for i in range(25)]), "s9 and 15 more"),
)


def test_files_that_do_not_fit_are_refused_as_a_whole(page, plan, tmp_path):
    for content, told in STRANGERS:
        message = give(page, tmp_path, content)
        message.filter(has_text=told).wait_for()
        assert message.get_attribute("role") == "alert"
        assert "given.json was not loaded" in message.inner_text()
        assert page.locator(".lock-refused img").count() == 0
        assert download(page)["locks"] == kept_of(plan)
        assert message.count() == 0  # said once


def test_a_lock_that_no_run_can_keep_is_warned_of(page, plan):
    excluded = plan.parcels[plan.parcels["status"] == "excluded"].iloc[0]
    popup = find(page, excluded["parcel_id"])
    popup.locator("summary", has_text="Lock:").click()
    popup.get_by_role("button", name="Lock out").click()
    assert not popup.locator(".lock-warning").is_visible()
    popup.get_by_role("button", name="Lock in").click()
    assert "finds no plan" in popup.locator(".lock-warning").inner_text()
    candidates = plan.parcels[(plan.parcels["role"] == "candidate") & (plan.parcels["earliest_phase"] == 2)]
    popup = find(page, candidates["parcel_id"].iloc[0])
    popup.locator("summary", has_text="Lock:").click()
    popup.get_by_label("Phase of the lock").select_option("P1")
    popup.get_by_role("button", name="In this phase").click()
    assert "open from P2" in popup.locator(".lock-warning").inner_text()
    popup.get_by_label("Phase of the lock").select_option("P2")
    assert not popup.locator(".lock-warning").is_visible()


def test_locks_that_were_not_downloaded_are_back_after_the_page_is_opened_again(page, plan):
    assert not page.evaluate(WOULD_WARN)
    _, parcel_id = free_parcel(plan, 9)
    popup = find(page, parcel_id)
    popup.locator("summary", has_text="Lock:").click()
    popup.get_by_role("button", name="Lock out").click()
    assert "Not downloaded yet" in page.locator(".lock-status").inner_text()
    draft = page.evaluate("() => Object.entries(localStorage)")
    assert len(draft) == 1
    assert draft[0][0].endswith("5f2a" * 16 + ":" + "09bc" * 16)
    fresh = page.context.new_page()
    fresh.goto(page.url)
    fresh.wait_for_selector("body[data-ready=true]")
    assert "Locks of your last visit are back" in fresh.locator(".lock-status").inner_text()
    assert fresh.evaluate(WOULD_WARN)
    assert entry(parcel_id, "out") in download(fresh)["locks"]
    fresh.get_by_role("button", name="Undo").click()
    assert download(fresh)["locks"] == kept_of(plan)
    assert fresh.evaluate("() => localStorage.length") == 0


def test_a_browser_that_keeps_nothing_says_so_and_works(page, plan, chromium):
    context = chromium.new_context(offline=True)
    context.add_init_script(
        "Object.defineProperty(window, 'localStorage', { get() { throw new DOMException('no', 'SecurityError'); } })"
    )
    try:
        bare = context.new_page()
        errors = []
        bare.on("pageerror", lambda error: errors.append(str(error)))
        bare.goto(page.url)
        bare.wait_for_selector("body[data-ready=true]")
        _, parcel_id = free_parcel(plan)
        popup = find(bare, parcel_id)
        popup.locator("summary", has_text="Lock:").click()
        popup.get_by_role("button", name="Lock in").click()
        assert "keeps no draft" in bare.locator(".lock-status").inner_text()
        assert entry(parcel_id, "in") in download(bare)["locks"]
        assert errors == []
    finally:
        context.close()


def test_hostile_ids_and_notes_are_text(open_map, tmp_path):
    tables, context = hostile_plan(HOSTILE)
    parcels = tables.parcels.assign(note=None)
    parcels["note"] = parcels["note"].astype(object)
    row = int(parcels.index[parcels["parcel_id"] == HOSTILE][0])
    parcels.loc[row, ["locked", "note"]] = [f"by {HOSTILE}", HOSTILE]
    write_text(render_map(replace(tables, parcels=parcels), context), tmp_path / "map.html")
    page = open_map(tmp_path / "map.html")
    assert page.locator(".lock-remark").text_content() == HOSTILE
    page.evaluate("(row) => planMap.showParcel(planMap.view, row)", row)
    assert page.locator(".lock-editor textarea").input_value() == HOSTILE
    assert page.locator(".details code").text_content() == "planner explain parcel ID"  # no shell reads this id
    assert entry(HOSTILE, "by", HOSTILE, HOSTILE) in download(page)["locks"]
    assert page.evaluate("() => document.querySelectorAll('img, iframe, [onerror], [onload]').length") == 0


def test_many_locks_are_listed_in_parts(page, plan):
    page.evaluate("() => planMap.view.locks.change(planMap.view.parcels.rows(), () => ({ kind: 'out', phase: null }))")
    assert page.locator(".lock-list .lock-remove").count() == 100
    page.get_by_role("button", name=f"Show all {len(plan.parcels)}").click()
    assert page.locator(".lock-list .lock-remove").count() == len(plan.parcels)
