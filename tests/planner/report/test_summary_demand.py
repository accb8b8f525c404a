"""What ``summary.md`` says about demand, from the figures of ``summary.json`` alone."""

from __future__ import annotations

import json

import pandas as pd
import pytest

from planner.config import Config
from planner.demand.judge import judge_demand
from planner.demand.report import demand_report
from planner.problem import Block
from planner.report.summary_demand import demand as section
from planner.spec_demand import DemandSpec
from tests.planner.demand.cases import demand, find, project
from tests.planner.land_builders import BASE

FIELDS = pd.DataFrame(
    {"area_mu": [30.0, 20.0], "front": [40.0, 10.0], "score": 0.5}, index=pd.Index(["a", "b"], name="parcel_id")
)


def text_of(spec: DemandSpec, fields: pd.DataFrame = FIELDS) -> str:
    config = Config.model_validate(BASE)
    plan = (Block((0,), 0), Block((1,), 1))
    report = demand_report(config, spec, judge_demand(spec), fields, plan, ["P1-01", "P2-01"], None, find)
    return "\n".join(section({"demand": json.loads(json.dumps(report.summary))}))


def test_without_demand_there_is_no_section() -> None:
    assert section({}) == [] and section({"demand": None}) == []


def test_it_says_what_is_proven_and_what_is_invented() -> None:
    text = text_of(demand(project("A", site_mu=25.0), synthetic=True))
    assert "**SYNTHETIC: the projects are invented.**" in text
    assert "Of 1 projects 1 are matched" in text and "it is proven that no match is worth more" in text
    assert "25.00 mu are let of 50.00 mu" in text and "Nothing is let in 1 blocks of 20.00 mu" in text
    assert "| P2-01 |" not in text
    assert "SYNTHETIC" not in text_of(demand(project("A")))


def test_land_that_is_not_known_is_counted_beside_what_is_offered() -> None:
    text = text_of(demand(project("A", site_mu=25.0)), FIELDS.assign(area_mu=[30.0, float("nan")]))
    assert "25.00 mu are let of 30.00 mu" in text and "Net land of 1 parcels is unknown and not counted." in text
    assert "not counted" not in text_of(demand(project("A")))


def test_frontage_grades_and_reasons_stand_only_where_there_are_some() -> None:
    plain = text_of(demand(project("A")))
    assert "frontage" not in plain and "Grades" not in plain and "Tests" not in plain
    full = text_of(
        demand(
            project("A", frontage_m=30.0, tax_yuan=5.0),
            project("B", frontage_m=60.0, tax_yuan=6.0),
            project("C"),
            frontage_m="front",
            thresholds=[{"name": "tax", "when": "tax_yuan > 4"}],
            grading={"marks": [{"name": "tax", "value": "tax_yuan", "weight": 100}]},
        )
    )
    assert "has 60 m of frontage: the longest, P1-01, has 40" in full
    assert "Grades 亩均效益评价: A 0, B 1, C 0, D 1, unknown 1." in full
    assert "| tax | threshold | `tax_yuan > 4` | judgement | 0 | 1 (barred) |" in full


@pytest.mark.parametrize(("unknown", "cell"), [(True, "10 +1"), (False, "20")])
def test_unknown_figures_are_counted_beside_the_sum(unknown: bool, cell: str) -> None:
    other = {} if unknown else {"tax_yuan": 1e5}
    text = text_of(demand(project("A", tax_yuan=1e5), project("B", **other)))
    assert f"| matched | 2 | 200 | 20 | unknown | {cell} | unknown |" in text


def test_names_cannot_break_the_table() -> None:
    text = text_of(demand(project("A|<b>", industry="x|y")))
    assert "A\\|&lt;b&gt;" in text and "x\\|y" in text
