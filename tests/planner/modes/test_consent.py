"""Consent of blocks: rules for the optimiser, and the table of who has agreed."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geodata.errors import DataError
from planner.errors import ConfigError
from planner.modes.consent import CONSENT_COLUMNS, consent_rules, consent_table
from planner.problem import Block, Mode, Problem, Target
from planner.spec_modes import ModesSpec
from tests.planner.modes.land_cases import land, modes_of
from tests.planner.optimise.by_hand import best, how, out_of_reach, sets
from tests.planner.optimise.instances import grid_problem

TWO_THIRDS = [{"of": "holders", "least": "two_thirds"}, {"of": "area", "least": "two_thirds"}]


def asked(*tests: list[dict[str, Any]], **consent: Any) -> ModesSpec:
    section = {"holders": "holders", "signed": "signed"} | consent
    choices = [{"consent": list(t)} for t in tests]
    return modes_of(*choices, figures={"two_thirds": 2 / 3, "most": 0.8}, consent=section)


def row(modes: ModesSpec, holders: list[float], signed: list[float], **changes: Any) -> Problem:
    """A row of parcels of 10 mu worth 10 each, with the rules of the modes; every mode is worth the same."""
    n = len(holders)
    fields = land(modes, area_mu=[10.0] * n, holders=holders, signed=signed)
    rules, closed = consent_rules(modes, fields, {})
    grid = grid_problem(n, 1, modes=tuple(Mode(m.id) for m in modes.choices))
    return replace(grid, block_rules=rules, mode_open=~closed, **changes)


def test_rules_by_hand() -> None:
    """12 right-holders of 15 mu, half signed: 6 of 12 and 7.5 of 15."""
    modes = asked(TWO_THIRDS, [], [{"of": "holders", "least": 2 / 3}], [{"of": "area", "least": "most"}])
    rules, closed = consent_rules(modes, land(modes, holders=[12, 0], signed=[0.5, 1.0]), {})
    assert [(r.unit, round(r.least, 4), r.modes) for r in rules] == [
        ("mu", 0.6667, (0,)),
        ("mu", 0.8, (3,)),
        ("right-holders", 0.6667, (0, 2)),
    ]
    area, _, holders = rules
    assert area.amount.tolist() == [7.5, 15.0]
    assert holders.amount.tolist() == [6.0, 0.0]
    assert holders.share_of is not None
    assert holders.share_of.tolist() == [12.0, 0.0]
    assert not closed.any()
    assert len({r.name for r in rules}) == 3


def test_expected_shares_where_they_are_the_basis() -> None:
    modes = asked(TWO_THIRDS, expected="hoped", basis="expected")
    rules, _ = consent_rules(modes, land(modes, holders=[4.0], signed=[0.25], hoped=[0.75]), {})
    assert [r.amount.tolist() for r in rules] == [[11.25], [3.0]]


def test_no_tests_no_rules() -> None:
    modes = asked([])
    assert consent_rules(modes, land(holders=[None], signed=[None]), {})[0] == ()


def test_unknown_shares_close_or_count_as_refusals() -> None:
    """Second: share unknown; third: number unknown, which closes what counts right-holders; fourth: nobody to ask."""
    columns: dict[str, list[Any]] = {"holders": [2.0, 2.0, None, 0.0], "signed": [1.0, None, 1.0, None]}
    tests = ([{"of": "holders", "least": 0.5}], [{"of": "area", "least": 0.5}], [])
    undecided: dict[str, list[str]] = {}
    strict = asked(*tests)
    _, closed = consent_rules(strict, land(strict, **columns), undecided)
    assert closed.T.tolist() == [[False, True, True, False], [False, True, False, True], [False] * 4]
    assert undecided == {
        "consent, number of right-holders": ["p002"],
        "consent, signed share": ["p001", "p003"],
    }
    lax = asked(*tests, unknown="zero")
    rules, closed = consent_rules(lax, land(lax, **columns), {})
    assert closed.T.tolist() == [[False, False, True, False], [False] * 4, [False] * 4]
    assert rules[0].amount.tolist() == [15.0, 0.0, 15.0, 0.0]
    assert rules[1].weight.tolist() == [1.0, -1.0, 0.0, 0.0]


def test_impossible_data_are_refused_with_their_parcels() -> None:
    modes = asked(TWO_THIRDS)
    with pytest.raises(DataError) as caught:
        consent_rules(modes, land(modes, holders=[1.0, -1.0, 2.0], signed=[1.5, 0.5, 60.0]), {})
    assert len(caught.value.issues) == 2
    assert "p001" in caught.value.issues[0].found
    assert "p000, p002" in caught.value.issues[1].found


def test_a_share_beyond_one_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"modes\.choices, a, consent\[0\]"):
        consent_rules(asked([{"of": "area", "least": 90}]), land(holders=[1.0], signed=[1.0]), {})


# with the optimiser ---------------------------------------------------------------------------------------------------


def test_trivial() -> None:
    """Everybody has signed, or nothing is asked for."""
    best(row(asked(TWO_THIRDS), [3, 3, 3], [1, 1, 1]), 30.0)
    best(row(asked([]), [3, 3, 3], [0, 0, 0]), 30.0)


def test_both_tests_bind_at_once() -> None:
    """2/3 of area allow one refusal in three; 2/3 of 9, 1 and 9 right-holders do not allow the third's."""
    problem = row(asked(TWO_THIRDS), [9, 1, 9], [1, 1, 0])
    assert sets(best(problem, 20.0)) == [((0, 1), 0)]
    assert sets(best(row(asked(TWO_THIRDS), [9, 9, 1], [1, 1, 0]), 30.0)) == [((0, 1, 2), 0)]
    best(row(asked([{"of": "area", "least": 0.66}]), [9, 1, 9], [1, 1, 0]), 30.0)


def test_a_mode_without_tests_takes_who_refuses() -> None:
    """Mode b asks nobody and is worth 4 instead of 10."""
    worth = np.array([[10.0, 4.0]] * 2)
    problem = row(asked(TWO_THIRDS, []), [1, 1], [1, 0], mode_benefit=worth, mode_cost=np.zeros((2, 2)))
    assert how(best(problem, 14.0)) == {0: (0, 0), 1: (0, 1)}


def test_out_of_reach() -> None:
    problem = row(asked(TWO_THIRDS), [1, 1, 1], [1, 0, 0], targets=(Target("P1", 0, -1, 20.0),))
    out_of_reach(problem, r"at most .* 20\.00 mu", search_proves=False)


# the table ------------------------------------------------------------------------------------------------------------


def table(modes: ModesSpec, blocks: list[Block] | None = None, **columns: list[Any]) -> pd.DataFrame:
    fields = land(modes, **columns)
    blocks = blocks or [Block(tuple(range(len(fields))), 0, 0)]
    return consent_table(modes, fields, blocks, [f"P1-{k + 1:02d}" for k in range(len(blocks))])


def test_table_by_hand() -> None:
    """10 and 5 right-holders on 15 mu each, 4 and 5 signed: 9 of 15, and 6 + 15 of 30 mu; 2/3 are 10 and 20 mu."""
    modes = asked(TWO_THIRDS, expected="hoped")
    got = table(modes, holders=[10.0, 5.0], signed=[0.4, 1.0], hoped=[0.5, 1.0]).iloc[0]
    assert got["holders"] == 15.0
    assert (got["signed_holders_share"], got["signed_area_share"]) == pytest.approx((0.6, 0.7))
    assert (got["signed_missing_holders"], got["signed_missing_mu"]) == (1.0, 0.0)
    assert not got["signed_passed"]
    assert (got["expected_holders_share"], got["expected_missing_holders"]) == pytest.approx((10 / 15, 0.0))
    assert got["expected_passed"]
    assert got["unknown_parcels"] == 0


def test_missing_right_holders_are_whole() -> None:
    """0.8 of 7 are 5.6; 2 have signed: 3.6, so 4 more."""
    got = table(asked([{"of": "holders", "least": "most"}]), holders=[7.0], signed=[2 / 7]).iloc[0]
    assert got["signed_missing_holders"] == 4.0
    assert np.isnan(got["signed_missing_mu"]), "no test of area"
    assert pd.isna(got["expected_passed"])
    assert np.isnan(got["expected_area_share"])


def test_a_block_without_tests_passes() -> None:
    got = table(asked(TWO_THIRDS, []), [Block((0,), 0, 1)], holders=[3.0], signed=[0.0]).iloc[0]
    assert got["signed_passed"]
    assert np.isnan(got["needed_area_share"])
    assert got["mode"] == "b"


@pytest.mark.parametrize(
    ("signed", "passed"), [([1.0, 1.0, None], True), ([0.9, 0.9, None], None), ([0.0, 0.9, None], False)]
)
def test_unknown_decides_only_where_it_matters(signed: list[float | None], passed: bool | None) -> None:
    """2/3 of three equal parcels: two agreeing are enough; 1.8 need the third; 0.9 and even the third are not."""
    got = table(asked(TWO_THIRDS), holders=[3.0] * 3, signed=signed).iloc[0]
    assert (None if pd.isna(got["signed_passed"]) else bool(got["signed_passed"])) is passed
    assert (got["unknown_parcels"], got["unknown_mu"]) == (1, 15.0)


def test_an_unknown_number_of_right_holders_leaves_the_test_open() -> None:
    got = table(asked([{"of": "holders", "least": 0.5}]), holders=[4.0, None], signed=[1.0, 1.0]).iloc[0]
    assert pd.isna(got["signed_passed"])
    assert np.isnan(got["signed_missing_holders"])
    assert got["holders"] == 4.0


def test_table_without_blocks_or_consent() -> None:
    modes = asked(TWO_THIRDS)
    empty = consent_table(modes, land(modes, holders=[1.0], signed=[1.0]), [], [])
    assert list(empty.columns) == list(CONSENT_COLUMNS)
    assert consent_table(modes_of({}), land(x=[1]), [Block((0,), 0)], ["P1-01"]).empty


share = st.one_of(st.none(), st.integers(0, 10).map(lambda k: k / 10))


@settings(deadline=None, max_examples=60)
@given(st.lists(st.tuples(st.integers(0, 9), share), min_size=1, max_size=6), st.integers(0, 10))
def test_rule_and_table_agree(parcels: list[tuple[int, float | None]], tenths: int) -> None:
    """With unknown shares as refusals the rules hold exactly where the table says passed."""
    least = tenths / 10
    modes = asked([{"of": "holders", "least": least}, {"of": "area", "least": least}], unknown="zero")
    columns: dict[str, list[Any]] = {
        "holders": [float(h) for h, _ in parcels],
        "signed": [np.nan if s is None else s for _, s in parcels],
    }
    fields = land(modes, area_mu=[10.0 + h for h, _ in parcels], **columns)
    rules, closed = consent_rules(modes, fields, {})
    assert not closed.any()
    keeps = all(r.weight.sum() >= r.limit - 1e-6 for r in rules)
    got = consent_table(modes, fields, [Block(tuple(range(len(parcels))), 0, 0)], ["P1-01"]).iloc[0]
    assert (not pd.isna(got["signed_passed"]) and bool(got["signed_passed"])) == keeps
    short = [got["signed_missing_holders"], got["signed_missing_mu"]]
    assert (max(short) == 0) == keeps
