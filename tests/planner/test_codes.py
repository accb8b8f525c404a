"""Permanent codes of projects."""

from __future__ import annotations

import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st

from planner.codes import CODE, EarlierProject, Ledger, project_codes, standing_blocks
from tests.planner.report.workbook.small_plan import config_of

CONFIG = config_of(modes=False)
STANDING = config_of(
    {
        "optimise": {
            "locks": {
                "blocks": [
                    {"id": "QX-2019-004", "parcels": ["a"], "phase": "P1"},
                    {"id": "old yard", "parcels": ["b"], "phase": "P1"},
                ]
            }
        }
    },
    modes=False,
)


def plan(blocks: dict[str, dict[str, float]]) -> pd.DataFrame:
    """Layer of parcels: block → parcel → mu, and a parcel outside the plan."""
    rows = [(i, mu, b, int(b[1])) for b, land in blocks.items() for i, mu in land.items()]
    frame = pd.DataFrame([*rows, ("outside", 99.0, None, None)], columns=["parcel_id", "area_mu", "block_id", "phase"])
    return frame.astype({"phase": "Int64"})


def remembered(codes: pd.Series[str], parcels: pd.DataFrame, before: Ledger | None = None) -> Ledger:
    """The ledger that a workbook of this plan holds."""
    before = before or Ledger()
    now = {
        str(code): EarlierProject(dict(part.set_index("parcel_id")["area_mu"]))
        for (block, code) in codes.items()
        for part in [parcels[parcels["block_id"] == block]]
    }
    gone = {code: EarlierProject(p.parcels, gone=True) for code, p in before.projects.items() if code not in now}
    return Ledger({**gone, **now})


def test_new_projects_are_numbered_by_phase_and_block() -> None:
    parcels = plan({"P2-01": {"c": 1.0}, "P1-02": {"b": 1.0}, "P1-01": {"a": 1.0}})
    codes = project_codes(parcels, CONFIG, year=2031)
    assert codes.to_dict() == {"P1-01": "QX-2026-001", "P1-02": "QX-2026-002", "P2-01": "QX-2026-003"}


def test_the_year_of_the_run_where_none_is_configured() -> None:
    config = config_of({"report": {"codes": {"prefix": "QX-LM", "year": None}}}, modes=False)
    codes = project_codes(plan({"P1-01": {"a": 1.0}}), config, year=2031)
    assert codes.tolist() == ["QX-LM-2031-001"]


def test_the_code_goes_with_most_of_the_land() -> None:
    """P1-01 has 6 of the 10 mu of 001; P1-02 the other 4, which is not more than half of the smaller of both."""
    ledger = Ledger({"QX-2026-001": EarlierProject({"a": 6.0, "b": 4.0})})
    parcels = plan({"P1-01": {"a": 6.0, "x": 1.0}, "P1-02": {"b": 4.0, "y": 4.0}})
    assert project_codes(parcels, CONFIG, ledger, year=2026).to_dict() == {
        "P1-01": "QX-2026-001",
        "P1-02": "QX-2026-002",
    }


def test_exactly_half_is_not_enough() -> None:
    ledger = Ledger({"QX-2026-007": EarlierProject({"a": 5.0, "b": 5.0})})
    codes = project_codes(plan({"P1-01": {"a": 5.0, "x": 5.0}}), CONFIG, ledger, year=2026)
    assert codes.tolist() == ["QX-2026-008"]


def test_half_is_of_the_smaller_one() -> None:
    """A small block cut out of a large project: all of the block is shared."""
    ledger = Ledger({"QX-2026-007": EarlierProject({"a": 5.0, "b": 500.0})})
    codes = project_codes(plan({"P1-01": {"a": 5.0, "x": 4.0}}), CONFIG, ledger, year=2026)
    assert codes.tolist() == ["QX-2026-007"]


def test_a_code_goes_to_one_block_only_and_ties_go_by_code() -> None:
    ledger = Ledger({"QX-2026-002": EarlierProject({"a": 5.0}), "QX-2026-001": EarlierProject({"b": 5.0})})
    merged = project_codes(plan({"P1-01": {"a": 5.0, "b": 5.0}}), CONFIG, ledger, year=2026)
    assert merged.tolist() == ["QX-2026-001"]
    split = Ledger({"QX-2026-001": EarlierProject({"a": 5.0, "b": 5.0, "c": 5.0})})
    parcels = plan({"P1-01": {"a": 5.0}, "P1-02": {"b": 5.0, "c": 5.0}})
    assert project_codes(parcels, CONFIG, split, year=2026).to_dict() == {
        "P1-01": "QX-2026-002",
        "P1-02": "QX-2026-001",
    }


def test_of_equal_shares_a_project_of_the_last_plan_comes_before_one_that_was_gone() -> None:
    ledger = Ledger({"QX-2026-001": EarlierProject({"a": 5.0}, gone=True), "QX-2026-002": EarlierProject({"a": 5.0})})
    assert project_codes(plan({"P1-01": {"a": 5.0}}), CONFIG, ledger, year=2026).tolist() == ["QX-2026-002"]


def test_a_project_that_comes_back_has_its_code_again() -> None:
    ledger = Ledger({"QX-2026-001": EarlierProject({"a": 5.0}, gone=True)})
    assert project_codes(plan({"P1-01": {"a": 5.0}}), CONFIG, ledger, year=2026).tolist() == ["QX-2026-001"]


def test_numbers_go_on_above_all_that_were_ever_used_in_the_series() -> None:
    """Also above those of rows that people added, and past 999; other years and prefixes do not count."""
    ledger = Ledger(
        {"QX-2026-998": EarlierProject({"z": 1.0}, gone=True), "QX-2025-999": EarlierProject({})},
        cells={"QX-2026-0999": {}, "other": {}},
    )
    parcels = plan({"P1-01": {"a": 1.0}, "P1-02": {"b": 1.0}})
    assert project_codes(parcels, CONFIG, ledger, year=2026).tolist() == ["QX-2026-1000", "QX-2026-1001"]


def test_a_standing_project_keeps_an_id_that_is_a_code() -> None:
    ledger = Ledger({"QX-2026-001": EarlierProject({"a": 5.0})})
    parcels = plan({"P1-01": {"a": 5.0}, "P1-02": {"b": 5.0}})
    codes = project_codes(parcels, STANDING, ledger, year=2026)
    assert codes.to_dict() == {"P1-01": "QX-2019-004", "P1-02": "QX-2026-002"}
    assert standing_blocks(parcels, STANDING) == {"P1-01": "QX-2019-004", "P1-02": "old yard"}


partition = st.dictionaries(st.sampled_from("abcdefghij"), st.sampled_from(["P1-01", "P1-02", "P1-03", "P2-01"]))


def as_plan(cut: dict[str, str]) -> pd.DataFrame:
    """A plan of parcels of 1, 2, 3 … mu."""
    blocks: dict[str, dict[str, float]] = {}
    for parcel, block in cut.items():
        blocks.setdefault(block, {})[parcel] = float(ord(parcel) - ord("a") + 1)
    return plan(blocks)


@settings(deadline=None)
@given(st.lists(partition, min_size=2, max_size=4))
def test_codes_are_never_shared_and_never_reused(cuts: list[dict[str, str]]) -> None:
    """Run after run: every block has a code of its own, and a code stands for land that it shared before."""
    ledger = Ledger()
    for cut in cuts:
        parcels = as_plan(cut)
        codes = project_codes(parcels, CONFIG, ledger, year=2026)
        assert codes.is_unique
        assert set(codes.index) == set(cut.values())
        assert all(CODE.fullmatch(code) for code in codes)
        for block, code in codes.items():
            before = ledger.projects.get(code)
            mine = set(parcels.loc[parcels["block_id"] == block, "parcel_id"])
            assert before is None or mine & set(before.parcels)
        turned = project_codes(parcels.sample(frac=1, random_state=1), CONFIG, ledger, year=2026)
        assert turned.equals(codes)
        after = remembered(codes, parcels, ledger)
        assert set(ledger.projects) <= set(after.projects)
        ledger = after


@settings(deadline=None)
@given(partition)
def test_the_same_plan_keeps_all_its_codes(cut: dict[str, str]) -> None:
    parcels = as_plan(cut)
    codes = project_codes(parcels, CONFIG, year=2026)
    again = project_codes(parcels, CONFIG, remembered(codes, parcels), year=2026)
    assert again.equals(codes)
