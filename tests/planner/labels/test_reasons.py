"""Reasons in Chinese: every template that the program can write is known, and names of rules stay as they are."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from planner import assemble, indicators
from planner.config import ScoringSpec
from planner.config_file import load_config
from planner.labels.reasons import is_known, translated
from planner.pipeline import run
from planner.scoring import score_parcels
from tests.planner.land_builders import case, grid_land

BEGINNINGS = ("not ", "unknown whether ", "veto: ", "excluded: ", "a criterion is unknown")
names = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=30)
plain_names = names.filter(lambda name: not any(f"; {b}" in name for b in BEGINNINGS))


@pytest.mark.parametrize(
    ("english", "chinese"),
    [
        ("low-efficient", "低效用地"),
        ("in block P1-01: low-efficient", "位于连片区 P1-01：低效用地"),
        ("in block 二期-12: filler, not 工业用地", "位于连片区 二期-12：作为三地并入，不满足“工业用地”"),
        ("in block P1-01: veto: unsafe", "位于连片区 P1-01：一票否决：unsafe"),
        ("locked out by the planner (low-efficient)", "规划人员锁定排除（低效用地）"),
        ("not old; unknown whether poor; veto: x", "不满足“old”；无法判定“poor”；一票否决：x"),
        ("a criterion is unknown; not old", "有评分指标未知；不满足“old”"),
        ("excluded: housing; excluded: unknown whether on farmland", "排除：housing；排除：无法判定“on farmland”"),
        (
            "low-efficient, but less than 50 mu of connected land around it",
            "低效用地，但周边连片土地不足 50 亩",
        ),
    ],
)
def test_sentences_and_their_translation(english: str, chinese: str) -> None:
    assert translated(english, "zh") == chinese
    assert translated(english, "en") == english


@pytest.mark.parametrize(
    "reason",
    [assemble.NO_COST, assemble.NO_AMOUNT, assemble.NOT_COUNTED, assemble.NO_MODE, indicators.WORTH_IT_NOT],
)
def test_sentences_of_other_modules_are_in_the_table(reason: str) -> None:
    assert is_known(reason)
    assert not re.search("[a-z]", translated(reason, "zh"))


@pytest.mark.parametrize("reason", ["", "housing: never taken", "in block P1-01", "in block P1-01: a remark", "not "])
def test_what_is_of_no_template_stays_as_it_is(reason: str) -> None:
    assert not is_known(reason)
    assert translated(reason, "zh") == reason


@given(name=plain_names, other=plain_names)
@example(name="far: low; really", other="(x)")
@example(name="{0}", other="x; y: z")
def test_names_of_rules_are_kept_to_the_letter(name: str, other: str) -> None:
    assert translated(f"not {name}; veto: {other}", "zh") == f"不满足“{name}”；一票否决：{other}"
    inner = translated(f"locked out by the planner (unknown whether {name})", "zh")
    assert inner == f"规划人员锁定排除（无法判定“{name}”）"


@given(name=names)
@example(name="a; not b")
def test_no_name_makes_a_sentence_unknown_or_loses_text(name: str) -> None:
    reason = f"in block P1-01: filler, not {name}"
    assert is_known(reason)
    shown = translated(reason, "zh")
    for piece in re.split("|".join(f"; {b}" for b in BEGINNINGS), name):
        assert piece.removeprefix("unknown whether ") in shown


@given(phase=names, name=plain_names)
@example(phase="A-01: b", name="x")
def test_names_of_phases_are_kept_to_the_letter(phase: str, name: str) -> None:
    if not re.search(r"-\d{2,}: (not|unknown|veto|excluded|a |filler)", phase):
        assert translated(f"in block {phase}-01: not {name}", "zh") == f"位于连片区 {phase}-01：不满足“{name}”"


@given(
    far=st.lists(st.one_of(st.none(), st.floats(0, 3)), min_size=1, max_size=6),
    unknown=st.sampled_from(["neutral", "worst", "ineligible"]),
    exclude=st.sampled_from(["keep", "exclude"]),
    rules=st.lists(names, min_size=4, max_size=4, unique=True),
)
def test_every_reason_that_scoring_writes_is_known(
    far: list[float | None], unknown: str, exclude: str, rules: list[str]
) -> None:
    index = pd.Index([f"P{i}" for i in range(len(far))], name="parcel_id")
    fields = pd.DataFrame({"far": pd.array(far, dtype="Float64"), "area_mu": 1.0, "area_m2": 667.0}, index=index)
    spec = ScoringSpec.model_validate(
        {
            "criteria": [{"name": "c", "value": "far", "direction": "low", "normalise": {"method": "rank"}}],
            "unknown": unknown,
            "eligible": [{"name": rules[0], "when": "far < 1"}, {"name": rules[1], "when": "far < 2"}],
            "force_in": [{"name": rules[2], "when": "far > 1.5"}],
            "exclude": [{"name": rules[3], "when": "far > 2.5", "unknown": exclude}],
        }
    )
    for reason in score_parcels(fields, spec).reason:
        assert is_known(reason)
        assert translated(reason, "zh") != reason


RULES: dict[str, Any] = {
    "scoring": {
        "eligible": [{"name": "plot ratio < 0.8; 低容积率", "when": "far < 0.8"}],
        "force_in": [{"name": "veto: fumes", "when": "tax_wan_yuan_per_mu == 8"}],
    },
    "optimise": {
        "phases": [{"id": "一期: a-01", "year": 1}, {"id": "P2", "year": 3, "target_mu": 40}],
        "filler": {"where": "area_mu < 11", "max_share": 0.5},
    },
    "solve": {"gap": 0.5},
}


@pytest.mark.parametrize(
    ("changes", "kind"),
    [
        ({"optimise": {"locks": {"in": ["P05"]}}}, "filler"),
        ({"optimise": {"cost": {"value": "price"}}, "parcels": {"fields": {"price": {"column": "price"}}}}, "cost"),
        ({"optimise": {"locks": {"out": ["P02", "P06"]}}}, "locked out"),
        (
            {"optimise": {"earliest": [{"name": "lease", "year": "9"}], "phases": [{"id": "P1", "year": 1}]}},
            "any phase",
        ),
        ({"optimise": {"block": {"min_mu": 110, "max_mu": 120}, "phases": [{"id": "P1", "year": 1}]}}, "connected"),
    ],
)
def test_every_reason_of_a_plan_is_known(tmp_path: Path, changes: dict[str, Any], kind: str) -> None:
    land = grid_land()
    land["price"] = [1.0, None] * 6
    result = run(load_config(case(tmp_path, RULES, changes, land=land)).config)
    assert result.tables is not None
    reasons = result.tables.parcels["reason"].tolist()
    assert any(kind in reason for reason in reasons)
    for reason in reasons:
        assert is_known(reason)
        assert translated(reason, "zh") != reason
