"""Sections of the summary about modes: which appear, what they say, and that no name breaks them."""

from __future__ import annotations

import copy
import re
from typing import Any

import pytest

from planner.report.summary import summary_markdown
from planner.report.summary_modes import consent, limits, milestones, parties, space

SPACE_BLOCK = {
    "block_id": "P1-01",
    "before_floor_m2": 1000.0,
    "after_floor_m2": 5000.4,
    "before_floor_m2_unknown_parcels": 2,
    "after_floor_m2_unknown_parcels": 0,
    "before_jobs": None,
    "after_jobs": 100.0,
    "before_jobs_unknown_parcels": 14,
    "before_tax_yuan": 0.0,
    "after_tax_yuan": None,
    "before_tax_yuan_unknown_parcels": 0,
    "before_output_yuan": None,
    "after_output_yuan": None,
    "before_output_yuan_unknown_parcels": 14,
}
SUMMARY: dict[str, Any] = {
    "milestones": [
        {"block_id": "P1-01", "phase": 1, "mode": "clear", "launched": "1-01", "signed": "1-06", "levelled": None},
        {"block_id": "P2-01", "phase": 2, "mode": "keep", "launched": "2-01", "signed": "2-03", "levelled": "3-12"},
    ],
    "money": {
        "limits": [
            {"name": "outlay of town", "period": "P1", "unit": "CNY", "taken": 192_414_360.4, "most": 3e8},
            {"name": "peak gap of town", "period": "2", "unit": "CNY", "taken": -5.0, "most": 0.0},
            {"name": "peak gap of town", "period": "3", "unit": "CNY", "taken": -5.0, "most": 10.0},
            {"name": "decant floor area", "period": "by 2.25", "unit": "m²", "taken": 12.0, "most": None},
        ],
        "parties": [
            {
                "party": "town",
                "balance_yuan": -998_391_914.17,
                "npv_yuan": -9e8,
                "peak_gap_yuan": 998_391_914.17,
                "year": 6,
            },
            {"party": "city", "balance_yuan": 0.0, "npv_yuan": 0.0, "peak_gap_yuan": 0.0, "year": None},
        ],
        "discount_rate": 0.045,
        "peak_gaps": [],
        "outlays": {},
    },
    "consent": [
        {
            "block_id": "P1-01",
            "signed_holders_share": 0.40625,
            "signed_area_share": 0.308,
            "expected_holders_share": 0.77958,
            "expected_area_share": None,
            "needed_holders_share": 2 / 3,
            "needed_area_share": None,
            "signed_passed": passed,
        }
        for passed in (True, False, None)
    ],
    "space": {"years": [], "blocks": [SPACE_BLOCK, {**SPACE_BLOCK, "block_id": "P2-01", "before_jobs": 7.0}]},
}


def rows_of(lines: list[str]) -> list[list[str]]:
    """Cells of the rows of a section; all tables of a section have rows of one length."""
    rows = [[c.strip() for c in re.split(r"(?<!\\)\|", line)[1:-1]] for line in lines if line.startswith("|")]
    assert len({len(cells) for cells in rows}) <= 1, lines
    return rows


SECTIONS = {
    "## Milestones": ("milestones",),
    "## Limits on money and decanting": ("money", "limits"),
    "## Money by party": ("money", "parties"),
    "## Consent": ("consent",),
    "## New space": ("space", "blocks"),
}


def headings(summary: dict[str, Any]) -> set[str]:
    return {line for line in summary_markdown(summary).splitlines() if line.startswith("## ")} & set(SECTIONS)


def test_without_modes_none_of_the_sections_appears() -> None:
    assert headings({"status": "feasible"}) == set()
    for section in (milestones, limits, parties, consent, space):
        assert section({}) == []


def test_with_modes_all_of_them_do() -> None:
    assert headings(SUMMARY) == set(SECTIONS)


@pytest.mark.parametrize("heading", sorted(SECTIONS))
@pytest.mark.parametrize("nothing", [[], None])
def test_a_section_without_rows_is_left_out(heading: str, nothing: Any) -> None:
    summary = copy.deepcopy(SUMMARY)
    *above, last = SECTIONS[heading]
    node = summary
    for key in above:
        node = node[key]
    node[last] = nothing
    assert headings(summary) == set(SECTIONS) - {heading}
    del node[last]
    assert headings(summary) == set(SECTIONS) - {heading}


def test_milestones_say_the_month_or_never() -> None:
    assert rows_of(milestones(SUMMARY)) == [
        ["Block", "mode", "launched", "signed", "levelled"],
        ["---"] * 5,
        ["P1-01", "clear", "1-01", "1-06", "never"],
        ["P2-01", "keep", "2-01", "2-03", "3-12"],
    ]


def test_limits_say_what_is_taken_and_how_much_of_the_limit_that_is() -> None:
    assert rows_of(limits(SUMMARY))[2:] == [
        ["outlay of town", "P1", "192,414,360", "300,000,000", "CNY", "64.1"],
        ["peak gap of town", "2", "-5", "0", "CNY", ""],  # no share of nothing
        ["peak gap of town", "3", "-5", "10", "CNY", "0.0"],  # a surplus takes nothing
        ["decant floor area", "by 2.25", "12", "no limit", "m²", ""],
    ]


def test_parties_are_in_wan_yuan_with_the_rate_said() -> None:
    lines = parties(SUMMARY)
    assert rows_of(lines)[2:] == [
        ["town", "-99,839.19", "-90,000.00", "99,839.19", "6"],
        ["city", "0.00", "0.00", "0.00", "–"],
    ]
    assert "4.5 % a year" in " ".join(lines)


def test_consent_is_in_per_cent_and_unknown_is_said() -> None:
    rows = rows_of(consent(SUMMARY))[2:]
    assert rows[0] == ["P1-01", "40.6", "30.8", "78.0", "–", "66.7", "–", "yes"]
    assert [r[-1] for r in rows] == ["yes", "not yet", "not known"]


def test_space_adds_up_what_is_known_and_counts_what_is_not() -> None:
    assert rows_of(space(SUMMARY))[2:] == [
        ["floor area, m²", "2,000", "10,001", "4"],
        ["jobs", "7", "200", "28"],
        ["tax, yuan a year", "0", "unknown", "0"],  # output is unknown before and after: no row
    ]


HOSTILE = "</td><script>alert(1)</script>|\n# *b* [x](javascript:alert(1)) `c`"


def hostile(value: Any) -> Any:
    """Every text replaced by a hostile one."""
    if isinstance(value, dict):
        return {key: hostile(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [hostile(inner) for inner in value]
    return HOSTILE if isinstance(value, str) else value


def test_hostile_names_break_neither_table_nor_page() -> None:
    summary = hostile(SUMMARY)
    text = summary_markdown(summary)
    assert "<" not in text
    assert "\n# " not in text.removeprefix("# Plan")
    assert "[x](" not in text
    for section in (milestones, limits, parties, consent, space):
        rows_of(section(summary))


def unknown(value: Any) -> Any:
    """Every number replaced by nothing known."""
    if isinstance(value, dict):
        return {k: v if k in {"discount_rate", "taken"} else unknown(v) for k, v in value.items()}
    if isinstance(value, list):
        return [unknown(inner) for inner in value]
    return None if isinstance(value, int | float) and not isinstance(value, bool) else value


@pytest.mark.parametrize("of", [SUMMARY, unknown(SUMMARY)], ids=["known", "unknown"])
def test_no_bare_nan_or_none_is_ever_shown(of: dict[str, Any]) -> None:
    words = re.findall(r"[a-z]+", summary_markdown(of).lower())
    assert not {"nan", "none", "na", "null", "inf"} & set(words)
