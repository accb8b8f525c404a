"""Vetoes, thresholds, grades: by hand."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from planner.demand.grading import grade_projects
from planner.demand.projects import read_projects
from planner.errors import ConfigError
from planner.spec_demand import GradingSpec
from tests.planner.demand.cases import demand, judged, project

VETO = [{"name": "environment", "when": "environment == 'fail'"}]
TAX = [{"name": "tax per mu", "when": "tax_yuan_per_mu >= 20 * 10000", "source": "town"}]


def test_a_veto_bars_whatever_the_yield() -> None:
    got = judged(
        project("rich", tax_yuan=9e9, environment="fail"),
        project("poor", tax_yuan=1e6, environment="pass"),
        veto=VETO,
        thresholds=TAX,
    ).verdicts
    assert got["barred"].tolist() == [False, True] and got["below"].tolist() == [True, False]
    assert got.loc["rich", "barred_by"] == "environment (environment fail)"
    assert got.loc["poor", "barred_by"] == ""


def test_a_threshold_tells_what_was_measured_and_what_was_asked_for() -> None:
    got = judged(project("low", tax_yuan=1_234_560.0), thresholds=TAX)
    (row,) = got.tests.to_dict("records")
    assert (row["measured"], row["limit"], row["outcome"], row["source"]) == (123_456.0, 200_000.0, "failed", "town")
    assert row["reason"] == "tax per mu (tax_yuan_per_mu 123,456; asked for: at least 200,000)"
    assert got.verdicts.loc["low", "below_by"] == row["reason"]


def test_a_limit_may_stand_on_the_left() -> None:
    tests = [{"name": "tax", "when": "5 < tax_yuan"}]
    (row,) = judged(project("A", tax_yuan=5.0), thresholds=tests).tests.to_dict("records")
    assert (row["measured"], row["limit"], row["outcome"]) == (5.0, 5.0, "failed")
    assert "asked for: more than 5)" in row["reason"]


def test_a_condition_of_several_parts_tells_all_its_figures() -> None:
    tests = [{"name": "yield", "when": "tax_yuan_per_mu >= 9 or output_yuan > 5"}]
    (row,) = judged(project("A", tax_yuan=5.0, output_yuan=1.0), thresholds=tests).tests.to_dict("records")
    assert row["limit"] is None or row["limit"] != row["limit"] or str(row["limit"]) == "<NA>"
    assert row["reason"].startswith("yield (output_yuan 1, tax_yuan_per_mu 0.5; asked for: tax_yuan_per_mu >= 9 or")


@pytest.mark.parametrize(("unknown", "below"), [("bar", True), ("admit", False)])
def test_what_cannot_be_decided_is_barred_or_admitted_and_counted(unknown: str, below: bool) -> None:
    got = judged(project("A"), thresholds=[TAX[0] | {"unknown": unknown}]).verdicts.loc["A"]
    assert (got["below"], got["undecided"]) == (below, 1)
    assert got["below_by"] == ("unknown whether tax per mu (tax_yuan_per_mu unknown)" if below else "")


def test_a_misspelt_text_of_a_review_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"demand.veto\[0\].when: found environment compared with 'failed'"):
        judged(project("A"), veto=[{"name": "e", "when": "environment == 'failed'"}])


def test_frontage_that_nothing_can_tell_is_refused() -> None:
    with pytest.raises(ConfigError, match="1 projects ask for frontage"):
        judged(project("A", frontage_m=20.0), project("B", frontage_m=0.0))


def test_a_condition_where_a_number_is_needed_is_told_with_its_key() -> None:
    with pytest.raises(ConfigError, match=r"^demand.worth: found a condition"):
        judged(project("A"), worth="site_mu > 2")


def test_marks_by_hand() -> None:
    """Tax 0, 5, 10 and jobs 4, 4, 4: 60 % of [20 + 80 (x - 0) / 10], and the middle of 40 %."""
    spec = GradingSpec.model_validate(
        {"marks": [{"name": "tax", "value": "tax_yuan", "weight": 60}, {"name": "s", "value": "staff", "weight": 40}]}
    )
    rows = [project(n, tax_yuan=t, staff=4.0) for n, t in (("A", 0.0), ("B", 5.0), ("C", 10.0))]
    got = grade_projects(spec, read_projects(demand(*rows, project("D", staff=4.0))))
    assert got["grade_marks"].tolist()[:3] == pytest.approx([12 + 24, 36 + 24, 60 + 24])
    assert got["grade"].tolist() == ["D", "B", "B", None]  # ranks 3/3, 2/3, 1/3 of the three that are known


def test_shares_of_twenty() -> None:
    spec = GradingSpec.model_validate({"marks": [{"name": "tax", "value": "tax_yuan", "weight": 100}]})
    rows = [project(f"P{k:02d}", tax_yuan=float(k)) for k in range(20)]
    grades = "".join(grade_projects(spec, read_projects(demand(*rows)))["grade"])
    assert grades == "D" + "C" * 5 + "B" * 9 + "A" * 5


@given(st.lists(st.one_of(st.none(), st.integers(0, 5).map(float)), min_size=1, max_size=30))
@settings(deadline=None)
def test_no_share_is_passed_and_more_is_never_worse(taxes: list[float | None]) -> None:
    spec = GradingSpec.model_validate({"marks": [{"name": "tax", "value": "tax_yuan", "weight": 100}]})
    rows = [project(f"P{k:02d}", **({} if t is None else {"tax_yuan": t})) for k, t in enumerate(taxes)]
    grades = grade_projects(spec, read_projects(demand(*rows)))["grade"].tolist()
    known = [(t, g) for t, g in zip(taxes, grades, strict=True) if t is not None]
    assert [g for t, g in zip(taxes, grades, strict=True) if t is None] == [None] * (len(taxes) - len(known))
    for letters, share in (("A", 0.25), ("AB", 0.70), ("ABC", 0.95)):
        assert sum(g in letters for _, g in known) <= share * len(known) + 1e-9
    order = [g for _, g in sorted(known)]
    assert order == sorted(order, reverse=True)
