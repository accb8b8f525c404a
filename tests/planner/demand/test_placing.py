"""What becomes of each project, and the figures in the reasons."""

from __future__ import annotations

import math
from typing import Any

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.planner.demand.cases import blocks, judged, placed, project

SUPPLY = blocks(("P1-01", 100.0, 2017.0), ("P2-01", 212.0, 2020.0), ("never", 900.0, math.nan))


def outcome(*projects: dict[str, Any], supply: pd.DataFrame = SUPPLY, **more: Any) -> pd.DataFrame:
    return placed(judged(*projects, **more), supply).table


def test_several_share_a_block() -> None:
    got = outcome(project("A", site_mu=60.0), project("B", site_mu=40.0), supply=blocks(("one", 100.0, 2017.0)))
    assert got["block_id"].tolist() == ["one", "one"] and got["status"].tolist() == ["matched", "matched"]
    assert got["reason"].tolist() == ["", ""]


@pytest.mark.parametrize(
    ("needs", "reason"),
    [
        ({"by_year": 2015.0}, "no block is supplied by 2015: the first is in 2017"),
        (
            {"site_mu": 300.0, "by_year": 2025.0},
            "no block supplied by 2025 has 300 mu to let: the largest, P2-01, has 212",
        ),
        (
            {"site_mu": 150.0, "by_year": 2017.0},
            "no block supplied by 2017 has 150 mu to let: the largest, P1-01, has 100",
        ),
        ({"site_mu": 300.0}, "no block has 300 mu to let: the largest, P2-01, has 212"),
    ],
)
def test_no_block_that_would_do(needs: dict[str, Any], reason: str) -> None:
    got = outcome(project("A", **needs))
    assert got.loc["A"].tolist() == ["no site", None, reason.replace("no block has", "no block supplied has")]


def test_too_little_frontage_in_figures() -> None:
    supply = blocks(("a", 100.0, 2017.0), ("b", 20.0, 2017.0), frontage={"a": 80.5, "b": 500.0})
    got = outcome(project("A", site_mu=50.0, frontage_m=90.0), supply=supply, frontage_m="area_mu")
    assert got.loc["A", "reason"] == (
        "no block supplied with 50 mu to let has 90 m of frontage: the longest, a, has 80.5"
    )


def test_land_let_to_others_in_figures() -> None:
    rows = [project(n, site_mu=s, investment_yuan=w) for n, s, w in (("A", 70.0, 9.0), ("B", 40.0, 5.0))]
    got = outcome(*rows, supply=blocks(("one", 100.0, 2017.0)))
    assert got.loc["B"].tolist() == [
        "no site",
        None,
        "the one block that would do is let to projects together worth as much or more: one has most left, 30 mu left "
        "of the 40 mu needed (let to A)",
    ]


def test_unknown_site_or_worth_is_listed_and_not_matched() -> None:
    got = outcome(
        {"id": "no site", "investment_yuan": 1.0},
        {"id": "no worth", "site_mu": 1.0},
        project("negative", tax_yuan=1.0),
        worth="coalesce(investment_yuan - 10 * coalesce(tax_yuan, 0) * 1000000, investment_yuan)",
    )
    assert got["status"].tolist() == ["not ranked"] * 3
    assert got["reason"].tolist() == [
        "its worth is below 0",
        "its site is unknown: it cannot be placed",
        "its worth is unknown: it cannot be ranked",
    ]


def test_in_place_needs_no_site_but_a_veto_still_bars() -> None:
    veto = [{"name": "safety", "when": "safety == 'fail'"}]
    got = outcome(project("A", site_mu=0.0, safety="pass"), project("B", site_mu=0.0, safety="fail"), veto=veto)
    assert got["status"].tolist() == ["in place", "barred"]
    assert got.loc["B", "reason"] == "barred: safety (safety fail)"


_kinds = st.sampled_from(["pass", "fail", None])
_entrants = st.lists(
    st.tuples(
        st.integers(1, 120),
        st.integers(0, 10**6),
        st.sampled_from([None, 2016, 2017, 2020]),
        _kinds,
        st.integers(0, 90),
    ),
    min_size=1,
    max_size=8,
)


@given(entrants=_entrants)
@settings(deadline=None)
def test_a_match_never_breaks_a_limit(entrants: list[tuple[int, int, int | None, str | None, int]]) -> None:
    """Plain re-check: one site each, in time, no more land or frontage than there is, nobody who is barred."""
    rows = [
        project(f"P{k}", site_mu=float(s), investment_yuan=float(w), frontage_m=float(f))
        | {name: value for name, value in (("by_year", by), ("environment", e)) if value is not None}
        for k, (s, w, by, e, f) in enumerate(entrants)
    ]
    supply = blocks(("a", 100.0, 2016.5), ("b", 90.0, 2020.0), frontage={"a": 120.0, "b": 60.0})
    veto = [{"name": "environment", "when": "environment == 'fail'", "unknown": "admit"}]
    verdict = judged(*rows, veto=veto, frontage_m="area_mu")
    got = placed(verdict, supply)
    room = supply.set_index("block_id")
    matched = got.table[got.table["status"] == "matched"]
    for name, block in matched["block_id"].items():
        needs = verdict.projects.loc[name]
        assert needs["environment"] is pd.NA or needs["environment"] != "fail"
        assert pd.isna(needs["by_year"]) or room.loc[block, "supplied_at"] <= needs["by_year"]
    for column in ("site_mu", "frontage_m"):
        needs = verdict.projects.loc[matched.index, column].astype(float).groupby(matched["block_id"]).sum()
        assert (needs <= room.loc[needs.index, column] + 1e-6).all()
    assert got.worth == pytest.approx(verdict.verdicts.loc[matched.index, "worth"].astype(float).sum())
    assert got.status == "optimal" and got.bound == pytest.approx(got.worth)
    assert ((got.table["reason"] == "") == (got.table["status"] == "matched")).all()
