import math
import re

import pytest

from planner.report.summary import summary_markdown

PHASES = [
    {
        "phase": "P1",
        "year": 1,
        "target_mu": 250,
        "stretch_mu": None,
        "area_mu": 262.1,
        "cumulative_mu": 262.1,
        "cost": 123456789.4,
        "blocks": 2,
    },
    {
        "phase": "P2",
        "year": 3,
        "target_mu": 2000,
        "stretch_mu": 2500,
        "area_mu": 1737.0,
        "cumulative_mu": 1999.1,
        "cost": None,
        "blocks": 17,
    },
]
FULL = {
    "project": {"name": "清溪 Qingxi", "synthetic": True, "currency": "CNY", "note": "Targets lie inside the circles."},
    "version": "0.1.0",
    "config_hash": "abc",
    "input_hash": "def",
    "seed": 0,
    "status": "feasible",
    "stopped_by": "gap",
    "interrupted": False,
    "objective": 812345678.9,
    "bound": 820000000,
    "gap": 0.009422,
    "gap_abs": 7654321.1,
    "bound_proof": "column generation",
    "seconds": {"read": 1.25, "solve": 31.0},
    "phases": PHASES,
    "zones": {"罗马": {"phases": PHASES[:1]}},
    "counts": {"parcels": 1234, "selected_parcels": 430},
    "data_quality": [{"what": "tax unknown", "count": 53, "area_mu": 611.239, "parcel_ids": ["a", "b"]}],
    "check": {
        "passed": True,
        "findings": [{"rule": "targets", "severity": "info", "message": "all met", "parcel_ids": []}],
    },
    "blocks": [
        {
            "block_id": "B01",
            "phase": 1,
            "zone": None,
            "area_mu": 120.456,
            "n_parcels": 12,
            "score_mean": 0.7123,
            "cost": float("nan"),
            "perimeter_m": 1820.4,
            "compactness": 0.51,
            "bridged_links": 0,
        }
    ],
}


def tables(markdown):
    """Rows of all tables; every row of a table has the cells of its header."""
    rows = []
    for block in re.findall(r"(?:^\|.*\|$\n?)+", markdown, re.MULTILINE):
        lines = [re.split(r"(?<!\\)\|", line)[1:-1] for line in block.strip().splitlines()]
        assert len({len(cells) for cells in lines}) == 1, block
        rows += [[cell.strip() for cell in cells] for cells in lines]
    return rows


def test_phases_say_area_target_and_money():
    rows = tables(summary_markdown(FULL))
    assert [
        "Phase",
        "year",
        "in phase, mu",
        "cumulative, mu",
        "target, mu",
        "over target, mu",
        "stretch, mu",
        "blocks",
        "cost, CNY",
    ] in rows
    assert ["P1", "1", "262.10", "262.10", "250.00", "+12.10", "–", "2", "123,456,789"] in rows
    assert ["P2", "3", "1,737.00", "1,999.10", "2,000.00", "-0.90", "2,500.00", "17", "unknown"] in rows


def test_heading_says_what_the_land_is():
    text = summary_markdown(FULL)
    assert text.startswith("# 清溪 Qingxi\n")
    assert "**SYNTHETIC: generated land, not a real place.**" in text
    assert "Targets lie inside the circles." in text
    plain = FULL | {"project": {"name": "Cambridge", "synthetic": False, "currency": "USD", "note": None}}
    assert "SYNTHETIC" not in summary_markdown(plain)


def test_result_says_how_good_the_plan_is():
    rows = tables(summary_markdown(FULL))
    assert ["Worth of the plan", "CNY 812,345,679"] in rows
    assert ["Gap", "0.94 %"] in rows
    assert ["Gap, absolute", "CNY 7,654,321"] in rows
    assert ["Gap", "not defined (the worth is 0)"] in tables(summary_markdown(FULL | {"gap": None, "objective": 0}))
    assert "interrupted" in summary_markdown(FULL | {"interrupted": True})
    assert "interrupted" not in summary_markdown(FULL)


def test_unknown_is_never_zero():
    second = FULL["blocks"][0] | {"block_id": "B02", "zone": "罗马"}
    rows = tables(summary_markdown(FULL | {"blocks": [*FULL["blocks"], second]}))
    (block,) = [row for row in rows if row[0] == "B01"]
    assert block == ["B01", "1", "–", "120.46", "12", "0.712", "unknown", "1,820", "0.510", "0"]


def test_data_quality_names_parcels():
    assert ["tax unknown", "53", "611.24", "a, b"] in tables(summary_markdown(FULL))
    assert "Nothing was found" in summary_markdown(FULL | {"data_quality": []})


def test_failed_check_is_loud():
    finding = {"rule": "contiguity", "severity": "error", "message": "B01 is in 2 pieces", "parcel_ids": ["x", "y"]}
    text = summary_markdown(FULL | {"check": {"passed": False, "findings": [finding]}})
    assert "**failed**" in text
    assert ["contiguity", "error", "B01 is in 2 pieces", "x, y"] in tables(text)


def test_infeasible_says_what_is_missing():
    text = summary_markdown(
        {
            "project": FULL["project"],
            "status": "infeasible",
            "message": "The target of P1 is above all eligible land.",
            "shortfalls": [
                {"target": "phase P1", "target_mu": 9000, "proven_max_mu": 4545.5, "found_mu": None},
                {"target": "phase P2", "target_mu": 9500, "proven_max_mu": None, "found_mu": 12.0},
            ],
            "version": "0.1.0",
        }
    )
    assert "proven that the targets and rules cannot all be kept" in text
    assert "above all eligible land" in text
    rows = tables(text)
    assert ["phase P1", "mu", "9,000.00", "4,545.50", "no plan"] in rows
    assert ["phase P2", "mu", "9,500.00", "not computed", "12.00"] in rows


@pytest.mark.parametrize("absent", sorted(FULL))
def test_any_key_may_be_absent(absent):
    text = summary_markdown({key: value for key, value in FULL.items() if key != absent})
    tables(text)
    assert "nan" not in text.lower().split()


def test_empty_summary_still_has_a_heading():
    assert summary_markdown({}) == "# Plan\n"


def test_hostile_names_break_neither_table_nor_page():
    name = "</script><img src=x onerror=alert(1)>|\n# *b*"
    summary = FULL | {
        "zones": {name: {"phases": PHASES[:1]}},
        "data_quality": [{"what": name, "count": 1, "area_mu": math.nan, "parcel_ids": [name]}],
        "blocks": [FULL["blocks"][0] | {"block_id": name, "zone": name}],
        "config_hash": "`|",
    }
    text = summary_markdown(summary)
    tables(text)
    assert "<" not in text
    assert text.count("\n# ") == 0
