"""The report on progress: JSON, Markdown, tables and page of a plan worked out by hand."""

from __future__ import annotations

import datetime
import json
import re
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from planner.contents import PlanContents
from planner.errors import ConfigError
from planner.monitoring.entries import Approval, Entry
from planner.monitoring.months import Calendar
from planner.monitoring.standing import SHOWN, Progress, standing_of
from planner.report.progress import PROGRESS_REPORT, progress_page, write_progress
from planner.report.progress.colours import STATE_STYLES
from planner.report.progress.data import progress_data
from planner.report.progress.text import progress_text
from planner.staging import require_free
from tests.planner.monitoring.small import AT, DONE, LATE, ONE, THREE, TWO, coded, entries_of

HOSTILE = "</script><img src=x onerror=alert(1)>|`&"
LEASES = {"report": {"show": {"lease_year": "lease"}}}


@pytest.fixture(scope="module")
def contents() -> PlanContents:
    return coded(LEASES, columns={"lease": [2027.0, 2027.0, 2027.0, 2026.0, None, 2027.0]})


@pytest.fixture(scope="module")
def progress(contents: PlanContents) -> Progress:
    permit = (Approval(HOSTILE, datetime.date(2027, 1, 15), HOSTILE),)
    late = Entry(TWO, "running", LATE.reached, 10.0, None, permit, HOSTILE)
    return standing_of(contents, entries_of(DONE, late), AT, Calendar(), {ONE: HOSTILE})


@pytest.fixture(scope="module")
def data(contents: PlanContents, progress: Progress) -> dict[str, Any]:
    return progress_data(contents, progress)


def test_headline(data: dict[str, Any]) -> None:
    head = data["headline"]
    assert head["cleared_mu"] == 38.5
    assert head["cleared_of_target"] == pytest.approx(0.77)
    assert head["cleared_of_stretch"] is None
    assert head["accepted_mu"] == 28.0
    assert head["to_clear_mu"] == pytest.approx(20.004 + 45.006)
    assert (head["open_projects"], head["projects"]) == (2, 3)
    assert [(s["state"], s["projects"]) for s in head["states"]] == [
        ("done", 1),
        ("running", 0),
        ("late", 2),
        ("waiting", 0),
        ("dropped", 0),
    ]
    assert data["running_phase"] == "P1"
    assert data["phases"][0]["target_month"] == "2027-03"
    assert data["phases"][0]["short_mu"] == pytest.approx(21.5)


def test_milestones_and_lists(data: dict[str, Any]) -> None:
    two = data["projects"][1]
    assert two["steps"]["demolished"] == {
        "planned": "2026-06",
        "reached": "2026-10",
        "passed": True,
        "slip": 4,
        "forecast": "2026-10",
    }
    assert two["steps"]["levelled"]["forecast"] == "2027-03"
    assert [(s["code"], s["at_stake_mu"], s["slip"], s["forecast"]) for s in data["slipping"]] == [
        (THREE, 45.006, 5, "2026-12"),
        (TWO, 20.004, 4, "2027-03"),
    ]
    assert [(x["kind"], x["until"], x["days_left"]) for x in data["expiring"]] == [
        ("lease", "2026-12-31", 30),
        ("approval", "2027-01-15", 45),
    ]
    assert data["unknown_leases"] == 1
    assert data["entries"] == "progress.xlsx"  # without the folder


def test_nothing_of_a_dropped_project_is_to_come(contents: PlanContents) -> None:
    dropped = standing_of(contents, entries_of(Entry(TWO, "dropped", {"launched": "2026-02"})), AT, Calendar())
    steps = progress_data(contents, dropped)["projects"][1]["steps"]
    assert steps["launched"]["slip"] == 1
    assert (steps["signed"]["slip"], steps["signed"]["forecast"]) == (None, None)


@pytest.mark.parametrize("language", ["en", "zh"])
def test_text(data: dict[str, Any], language: str) -> None:
    text = progress_text(data, language)
    assert "<img" not in text
    assert ("SYNTHETIC" if language == "en" else "合成数据") in text
    rows = [line for line in text.splitlines() if line.startswith(f"| {TWO} ")]
    table = rows[0]
    assert "2026-06 ✓ 2026-10 (+4)" in table
    assert "2026-11 → 2027-03 (+1)" in table
    assert "33.3 %" in table  # 10 of 30.004
    assert "77.0 %" in text
    assert "2027-03" in text.split("## ")[1]


def test_text_without_anything(contents: PlanContents) -> None:
    empty = standing_of(coded(), entries_of(), "2026-01", Calendar())
    text = progress_text(progress_data(coded(), empty), "en")
    assert "Nothing slips." in text
    assert "Leases are not listed" in text
    assert "Nothing is entered of 3 of 3 projects" in text


def test_files(tmp_path: Path, contents: PlanContents, progress: Progress) -> None:
    out = tmp_path / "report"
    write_progress(contents, progress, out)
    assert {p.name for p in out.iterdir()} == set(PROGRESS_REPORT.names)
    first = {p.name: p.read_bytes() for p in out.iterdir()}
    (out / "mine.txt").write_text("stays", encoding="utf-8")
    require_free(out, False, PROGRESS_REPORT)
    write_progress(contents, progress, out)
    assert {p.name: p.read_bytes() for p in out.iterdir() if p.name != "mine.txt"} == first
    assert (out / "mine.txt").exists()
    assert json.loads((out / "progress.json").read_text(encoding="utf-8"))["at"] == AT


def test_a_folder_of_others_is_not_written_into(tmp_path: Path) -> None:
    (tmp_path / "letter.txt").write_text("Dear", encoding="utf-8")
    with pytest.raises(ConfigError):
        require_free(tmp_path, False, PROGRESS_REPORT)


@pytest.mark.parametrize("language", ["en", "zh"])
def test_tables(tmp_path: Path, contents: PlanContents, progress: Progress, language: str) -> None:
    write_progress(contents.in_language(language), progress, tmp_path / "report")
    book = openpyxl.load_workbook(tmp_path / "report" / "progress.xlsx")
    assert len(book.worksheets) == 6
    cells = [c for sheet in book for row in sheet.iter_rows() for c in row if c.value is not None]
    assert any(c.value == HOSTILE and c.data_type == "s" for c in cells)
    formulas = {str(c.value) for c in cells if c.data_type == "f"}
    assert formulas
    assert all(re.fullmatch(r"=SUM\([A-Z]+\d+:[A-Z]+\d+\)", f) for f in formulas)
    assert ("滞后" if language == "zh" else "Late") in {c.value for c in cells}
    assert any(("合成数据" if language == "zh" else "SYNTHETIC") in str(c.value) for c in book.worksheets[0]["A"])


def test_the_page_holds_its_data_and_asks_for_nothing(contents: PlanContents, data: dict[str, Any]) -> None:
    page = progress_page(contents, data)
    assert page.count("<script type=") == 1
    assert "<img" not in page
    policy = re.search(r'Content-Security-Policy" content="([^"]+)"', page)
    assert policy is not None
    assert policy[1].startswith("default-src 'none'; script-src 'sha256-")
    found = re.search(r'id="progress-data">(.*?)</script>', page, re.DOTALL)
    assert found is not None
    inside = json.loads(found[1])
    assert inside["report"] == json.loads(json.dumps(data))
    assert inside["report"]["projects"][0]["name"] == HOSTILE
    assert len(inside["land"]["blocks"]["shapes"]) == 3
    assert progress_page(contents, data) == page


def test_states_can_be_told_apart_without_hue() -> None:
    """Lightness differs by 10 of 100 steps, or the hatch does."""
    assert set(STATE_STYLES) == set(SHOWN)
    lightness = {s: _lightness(colour) for s, (colour, _) in STATE_STYLES.items()}
    for a in STATE_STYLES:
        for b in STATE_STYLES:
            if a < b and STATE_STYLES[a][1] == STATE_STYLES[b][1]:
                assert abs(lightness[a] - lightness[b]) >= 10, (a, b)


def _lightness(colour: str) -> float:
    """L* of CIELAB of an sRGB colour."""
    channels = [int(colour[k : k + 2], 16) / 255 for k in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    y = sum(w * c for w, c in zip((0.2126, 0.7152, 0.0722), linear, strict=True))
    return 116 * y ** (1 / 3) - 16 if y > 0.008856 else 903.3 * y
