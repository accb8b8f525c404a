"""The verdict as data and as text."""

from __future__ import annotations

import json

from planner.check import CheckReport, Finding, report_as_dict, report_as_markdown
from tests.planner.check.check_builders import honest_plan


def test_the_dictionary_is_json_and_complete() -> None:
    plan = honest_plan()
    plan.set("r0c0", score=0.1)
    plan.optimise["phases"][0]["max_blocks"] = plan.optimise["phases"][1]["max_blocks"] = None
    report = plan.judge()
    data = json.loads(json.dumps(report_as_dict(report), allow_nan=False))
    assert data["passed"] is False
    assert (data["errors"], data["warnings"]) == (len(report.findings), 0)
    assert {f["rule"] for f in data["findings"]} == {f.rule for f in report.findings}
    assert data["findings"][0]["parcel_ids"]
    further = {"between", "max_villages", "block_rules", "rolling", "fixed_blocks", "ceilings"}
    modes = {"modes", "consent", "outlays", "peak_gap", "decanting", "money_claims"}
    assert set(data["nothing_to_check"]) == further | modes | {"max_blocks", "changes"}
    assert data["checked"]["contiguity"] == 3


def test_a_passed_report_says_so_and_lists_what_was_not_there_to_check() -> None:
    plan = honest_plan()
    plan.optimise["earliest"] = []
    plan.parcels = plan.parcels.drop(columns=[])
    text = report_as_markdown(plan.judge())
    assert text.startswith("## Check: passed\n")
    assert "| earliest | gates are open | nothing to check | 0 |" in text
    assert "| contiguity | every block is one connected piece | 3 | 0 |" in text
    assert "| cumulative\\_mu\\[P1\\] | 40.0000 |" in text


def test_a_failed_report_leads_with_its_findings() -> None:
    plan = honest_plan()
    plan.set("r0c5", score=0.1)
    text = report_as_markdown(plan.judge())
    assert text.startswith("## Check: failed, 1 error\n")
    assert "- **error** (score) Parcel r0c5: score is 0.100000, the criteria give 0.800000." in text


def test_a_warning_alone_does_not_fail() -> None:
    warned = CheckReport((Finding("links", "warning", (), None, None, None, "", "x"),), {"links": 1})
    assert warned.passed
    assert report_as_dict(warned)["warnings"] == 1


def test_names_cannot_break_the_text() -> None:
    hostile = Finding("score", "error", (), None, None, None, "", "Parcel <img>|*x*\n# y `z`")
    text = report_as_markdown(CheckReport((hostile,), {"score": 1}))
    assert "- **error** (score) Parcel \\<img\\>\\|\\*x\\* # y \\`z\\`\n" in text


def test_very_many_findings_are_counted_not_listed() -> None:
    many = tuple(Finding("score", "error", (str(k),), None, None, None, "", f"number {k}") for k in range(250))
    text = report_as_markdown(CheckReport(many, {"score": 250}))
    assert "… and 50 more" in text
    assert "number 249" not in text
