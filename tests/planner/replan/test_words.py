"""The report has words for all that can be told, in both languages."""

from __future__ import annotations

import re
from typing import get_args

import pytest

from planner.labels import LANGUAGES, label_table
from planner.replan.diff import FATES
from planner.replan.run import NoFresh
from planner.replan.spec import KINDS
from planner.replan.why import Verdict
from planner.report.replan import console_lines, replan_markdown
from planner.report.replan.figures import blocks
from tests.docs.pages import REPOSITORY

TOLD = {
    "title": None,
    "date": None,
    "project": "grid | <b>",
    "synthetic": True,
    "currency": "CNY",
    "language": "en",
    "events": [
        {
            "kind": "refused",
            "reason": "too <little>",
            "parcels": ["P01"],
            "area_mu": 10.0,
            "in_blocks": {"R-X-1": 10.0},
            "notes": [{"key": "replan_in_no_block", "values": [1, 10.0, "P05"]}],
        }
    ],
    "prices": {"price_per_mu": 50.0, "price_per_parcel": 0.0, "given": False, "share_of_value": 0.5},
    "before": {"worth": 100.0, "bound": 101.0, "gap": 0.01, "blocks": 2, "parcels": 4, "area_mu": 40.0, "phases": []},
    "judged": {"passed": False, "worth": None, "broken": [], "blocks": [], "targets": [], "parcels_gone": ["P77"]},
    "replan": None,
    "fresh": None,
    "no_fresh": "not_asked",
    "cost": None,
    "frontier": [],
    "failed": {
        "status": "infeasible",
        "message": "Proven unreachable",
        "shortfalls": [{"target": "P2", "unit": "mu", "target_mu": 40.0, "proven_max_mu": 20.0}],
    },
    "blame": [{"number": 1, "kind": "refused", "reason": None, "verdict": "impossible"}],
}


def test_every_word_that_is_asked_for_is_there() -> None:
    sources = [p for folder in ("planner/replan", "planner/report/replan") for p in (REPOSITORY / folder).glob("*.py")]
    asked = {key for p in sources for key in re.findall(r'"(replan_[a-z0-9_]+)"', p.read_text(encoding="utf-8"))}
    asked |= {f"replan_event_{kind}" for kind in KINDS} | {f"replan_fate_{fate}" for fate in FATES}
    asked |= {f"replan_{why}" for why in get_args(NoFresh)} | {f"replan_blame_{v}" for v in get_args(Verdict)}
    asked |= {f"replan_{t}" for t in ("target_mu", "stretch_mu", "target_max_mu", "target_floor_m2")}
    there = label_table("replan")["en"]
    assert sorted(asked - set(there) - {"replan_markdown"}) == []
    words = label_table("replan")
    for key in (k for k in there if k.startswith("replan_")):  # the same values in both languages
        assert len({tuple(sorted(re.findall(r"\{\d[^}]*\}", words[x][key]))) for x in LANGUAGES}) == 1, key


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_report_without_a_plan_says_why_and_nothing_becomes_markup(language: str) -> None:
    told = TOLD | {"language": language}
    text = replan_markdown(told)
    assert "<b>" not in text
    assert "<little>" not in text
    assert "| P2 | mu | 40.00 | 20.00 | 20.00 |" in text
    assert "77" not in text  # it is counted, not listed
    assert text.endswith("\n")
    assert ("计划调整" in text) == (language == "zh")
    assert len(console_lines(told)) == 3


def test_a_title_of_the_planner_wins() -> None:
    assert replan_markdown(TOLD | {"title": "Mine", "date": "2026-03-02"}).startswith("# Mine\n\ngrid")


def test_modes_have_their_names_in_the_table_of_blocks() -> None:
    block = {
        "name": "QX-1", "fate": "kept", "moved": True, "block_id": "P1-01", "new_block_id": "P2-01",
        "phase": "P1", "new_phase": "P2", "mode": "owner_led", "new_mode": "deferred_payment",
        "area_mu": 30.0, "new_area_mu": 30.0, "came_mu": 0.0, "went_mu": 0.0,
    }  # fmt: skip
    diff = {"blocks_by_fate": dict.fromkeys(FATES, 0), "blocks_moved": 1, "blocks": [block]}
    names = {"owner_led": "企业自改", "deferred_payment": "挂账收储"}
    text = "\n".join(blocks(TOLD | {"language": "zh", "mode_names": names, "replan": {"diff": diff}}))
    assert "P1 企业自改 → P2 挂账收储" in text
    assert "owner_led" not in text
