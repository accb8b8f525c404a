"""All terms of the modes on tiny land: what is open, what closes a mode and where that is told, cost, worth, limits."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geodata.errors import DataError, list_ids
from planner.config import Config
from planner.errors import ConfigError
from planner.modes.make import make_terms
from planner.modes.terms import Terms
from planner.problem_checks import check_problem
from tests.planner.land_builders import MU
from tests.planner.mode_land import CLEAR, KEEP, assembled, changed, config_of, fields_of, figure, land_of, modes_of

CLEAR_AT, KEEP_AT = 0, 1
TESTS = [{"of": "holders", "least": 0.6}, {"of": "area", "least": 0.5}]
ASKED = {"holders": "holders", "signed": "signed"}


def terms_of(config: Config, **columns: list[Any]) -> tuple[Terms, dict[str, list[str]]]:
    """Terms by parcel P00 …, and what could not be decided."""
    undecided: dict[str, list[str]] = {}
    return make_terms(config, modes_of(config), fields_of(land_of(columns)), undecided), undecided


def with_choices(*choices: dict[str, Any], **sections: Any) -> dict[str, Any]:
    return {"modes": {"choices": list(choices), **sections}}


# ------------------------------------------------------------------------------------------------ what is open


def test_an_undecidable_condition_is_closed_and_listed() -> None:
    terms, undecided = terms_of(config_of(), papers=[1.0, 0.0, None, 1.0])
    assert terms.open[:4, KEEP_AT].tolist() == [True, False, False, True]
    assert terms.open[:, CLEAR_AT].all()
    assert undecided == {"whether mode keep is open": ["P02"]}
    assert not terms.unknown.any()  # what the mode would do there is known


def test_an_unknown_payment_closes_the_mode_and_is_listed_where_it_was_open() -> None:
    terms, undecided = terms_of(config_of(), floor=[None, None, 50.0], papers=[1.0, 0.0])
    assert terms.open[:3].tolist() == [[False, False], [False, False], [True, True]]
    assert undecided == {"payments of mode clear": ["P00", "P01"], "payments of mode keep": ["P00"]}
    assert terms.unknown[:3].tolist() == [[True, True], [True, True], [False, False]]


def test_an_unknown_payment_closes_even_where_the_chosen_parties_have_no_part_in_it() -> None:
    terms, undecided = terms_of(config_of(with_choices(KEEP)), floor=[None])
    assert terms.net_cost_yuan[0, 0] == pytest.approx(1000)  # the works are paid by the owner
    assert not terms.open[0, 0]  # but its cash flow could not be told
    assert undecided == {"payments of mode keep": ["P00"]}


def test_each_parcel_is_listed_for_the_first_thing_that_is_missing() -> None:
    choice = changed(CLEAR, benefit="worth", consent=TESTS)
    config = config_of(with_choices(choice, consent=ASKED))
    known = {"holders": [1.0] * 12, "signed": [1.0] * 12}
    terms, undecided = terms_of(config, floor=[None, 1.0], worth=[None, None, *[1.0] * 10], **known)
    assert undecided == {"payments of mode clear": ["P00"], "worth of mode clear": ["P01"]}
    assert terms.open[:3, 0].tolist() == [False, False, True]
    assert terms.unknown[:3, 0].tolist() == [True, True, False]


# ------------------------------------------------------------------------------------------------ cost and worth


@pytest.mark.parametrize(
    ("parties", "clear", "keep"),
    [
        (["town"], 10_000 + 1000 - 15_000, 0),
        (["town", "city"], -4000, 1000),
        (["owner"], -10_000, 2000 - 1000),
        (["developer"], 15_000, 0),
        (["town", "city", "owner", "developer"], 1000, 2000),  # only what goes outside is left
        (["collective"], 0, 0),
    ],
)
def test_cost_is_what_the_chosen_parties_pay_less_what_they_receive(
    parties: list[str], clear: float, keep: float
) -> None:
    result, _ = assembled(config_of({"modes": {"net_cost_of": parties}}))
    assert result.problem.mode_cost is not None
    assert result.problem.mode_cost[0] == pytest.approx([clear, keep])
    assert result.cost is None  # no cost but that of the modes


def test_worth_is_the_share_of_the_mode_and_nothing_where_unknown() -> None:
    result, _ = assembled(config_of(with_choices(CLEAR, changed(KEEP, benefit="worth"))), worth=[0.25, 0.0, None, 1.0])
    problem = result.problem
    assert problem.mode_benefit is not None
    assert problem.mode_benefit[0] == pytest.approx([100 * 1.0 * MU, 0.25 * 100 * 1.0 * MU])
    assert problem.mode_benefit[3] == pytest.approx([100 * 0.85 * MU] * 2)
    assert problem.mode_benefit[1].tolist() == [0.0, 0.0]  # housing: excluded
    assert problem.mode_benefit[2, KEEP_AT] == 0.0
    assert result.undecided["worth of mode keep"] == ["P02", *(f"P{k:02d}" for k in range(4, 12))]
    assert problem.mode_open is not None
    assert problem.mode_open[2].tolist() == [True, False]


@pytest.mark.parametrize(("share", "worst"), [(-0.1, "-0.1"), (1.5, "1.5")])
def test_a_share_of_worth_that_is_no_share_is_refused(share: float, worst: str) -> None:
    config = config_of(with_choices(CLEAR, changed(KEEP, benefit="worth")))
    with pytest.raises(ConfigError) as caught:
        terms_of(config, worth=[1.0, share, share])
    (issue,) = caught.value.issues
    assert "keep" in issue.where
    assert "benefit" in issue.where
    assert worst in issue.found
    assert list_ids(["P01", "P02"]) in issue.found
    assert "0 to 1" in issue.expected


# ------------------------------------------------------------------------------------------------ new floor


@pytest.mark.parametrize("where", ["phase", "zone", "group"])
def test_new_floor_must_be_known_only_where_a_target_counts_it(where: str) -> None:
    clear = changed(CLEAR, far="ratio", lines=[])
    ratio = [2.0, 2.0, None, *[2.0] * 9]
    terms, undecided = terms_of(config_of(with_choices(clear)), ratio=ratio)
    assert terms.open.all()
    assert undecided == {}
    goal = {"target_floor_m2": 500}
    phase = {"id": "P1", "year": 1, **(goal if where == "phase" else {})}
    further: dict[str, Any] = {"zones": {"west": goal}} if where == "zone" else {}
    groups = [{"name": "g", "where": "area_mu > 0", "phases": {"P1": goal}}] if where == "group" else []
    asked = config_of(with_choices(clear), {"optimise": {"phases": [{**phase, **further}], "groups": groups}})
    terms, undecided = terms_of(asked, ratio=ratio)
    assert np.flatnonzero(~terms.open[:, 0]).tolist() == [2]
    assert undecided == {"new floor area of mode clear": ["P02"]}
    assert terms.unknown[:, 0].tolist() == [k == 2 for k in range(12)]
    result, _ = assembled(asked, ratio=ratio)
    assert result.problem.mode_floor_m2 is not None
    five_mu_m2 = 5 * 10_000 / 15
    assert result.problem.mode_floor_m2[:3, 0] == pytest.approx([2 * five_mu_m2, 2 * five_mu_m2, 0])
    assert result.reason["P02"] == "open to no mode of redevelopment, or what it needs is unknown"


# ------------------------------------------------------------------------------------------------ decanting and consent

DECANT = {"floor_m2": "in_use", "sites": [{"name": "park", "floor_m2": 250, "from_year": 0}]}


def test_unknown_floor_of_firms_closes_the_modes_that_displace_them() -> None:
    in_use = [None, 0.0, *[30.0] * 10]
    terms, undecided = terms_of(config_of({"modes": {"decant": DECANT}}), in_use=in_use)
    assert terms.open[:3].tolist() == [[False, True], [True, True], [True, True]]
    assert terms.unknown[:3].tolist() == [[True, False], [False, False], [False, False]]
    assert undecided == {"decanting, floor area of firms": ["P00"]}
    (resource,) = terms.resources
    assert resource.use[:, CLEAR_AT].sum(axis=1).tolist() == [0.0, 0.0, *[30.0] * 10]
    assert not resource.use[:, KEEP_AT].any()
    filled = config_of({"modes": {"decant": {**DECANT, "unknown": "mean_per_mu"}}})
    terms, undecided = terms_of(filled, in_use=in_use)
    assert terms.open.all()
    assert terms.resources[0].use[0, CLEAR_AT].sum() == pytest.approx(300 / 11)  # 300 m² on 110 mu are known
    assert undecided == {"decanting, floor area of firms": ["P00"]}


def test_consent_binds_the_modes_that_ask_and_what_is_unknown_closes_only_them() -> None:
    config = config_of(with_choices(changed(CLEAR, consent=TESTS), KEEP, consent=ASKED))
    holders, signed = [2.0, None, *[4.0] * 10], [0.5, 0.5, None, *[1.0] * 9]
    terms, undecided = terms_of(config, holders=holders, signed=signed)
    assert terms.open[:4].tolist() == [[True, True], [False, True], [False, True], [True, True]]
    assert not terms.unknown.any()  # a block that stands has its consent, known or not
    assert undecided == {
        "consent, number of right-holders": ["P01"],
        "consent, signed share": ["P02"],
        "consent of mode clear": ["P01", "P02"],
    }
    of_area, of_holders = terms.consent
    assert (of_area.unit, of_area.least, of_area.modes) == ("mu", 0.5, (CLEAR_AT,))
    assert (of_holders.unit, of_holders.least, of_holders.modes) == ("right-holders", 0.6, (CLEAR_AT,))
    assert of_holders.share_of is not None
    assert of_holders.amount[[0, 3]].tolist() == [1.0, 4.0]
    assert of_holders.share_of[[0, 3]].tolist() == [2.0, 4.0]
    assert of_area.amount[[0, 3]] == pytest.approx([5.0, 10.0])


def test_a_problem_holds_own_rules_then_consent_and_limits_on_money_then_decanting() -> None:
    rule = {"name": "frontage", "amount": "1", "least": 1}
    config = config_of(
        with_choices(changed(CLEAR, consent=TESTS[:1]), KEEP, consent=ASKED, decant=DECANT),
        {"modes": {"limits": [{"party": "town", "outlay": {"P2": 5}, "peak_gap": 7}]}},
        {"optimise": {"block": {"rules": [rule]}}},
    )
    columns = {"holders": [1.0] * 12, "signed": [1.0] * 12, "in_use": [1.0] * 12}
    problem = assembled(config, **columns)[0].problem
    assert [r.name for r in problem.block_rules] == ["frontage", "consent of 60 % of right-holders"]
    assert [r.name for r in problem.resources] == ["outlay of town", "peak gap of town", "decant floor area"]
    assert [m.id for m in problem.modes] == ["clear", "keep"]
    check_problem(problem)


# ------------------------------------------------------------------------------------------------ the whole


def test_a_parcel_open_to_no_mode_is_ineligible_and_says_so() -> None:
    filler = {"scoring": {"eligible": [{"name": "low tax", "when": "tax_wan_yuan_per_mu < 5"}]}}
    config = config_of(
        with_choices(KEEP), filler, {"optimise": {"filler": {"where": "tax_wan_yuan_per_mu < 8", "max_share": 0.2}}}
    )
    papers = [1.0, 1.0, 0.0, None, 1.0, 0.0]  # P01 is excluded, P05 could be filler
    result, _ = assembled(config, papers=papers)
    why = "open to no mode of redevelopment, or what it needs is unknown"
    assert result.status.tolist()[:5] == ["eligible", "excluded", "ineligible", "ineligible", "eligible"]
    assert result.reason[["P02", "P03"]].tolist() == [why, why]
    assert result.reason["P01"] == "excluded: housing"
    assert result.role.tolist()[:7] == ["candidate", None, None, None, "candidate", None, "filler"]
    assert result.problem.selectable.tolist()[:7] == [True, False, False, False, True, False, True]
    check_problem(result.problem)


STANDS = {"id": "done", "parcels": ["P04", "P05"], "phase": "P1", "mode": "keep"}


def test_a_block_that_stands_has_its_mode_open_to_it_or_not() -> None:
    config = config_of({"optimise": {"locks": {"blocks": [STANDS]}}})
    papers = [1.0, 1.0, 1.0, 1.0, 0.0, None]
    result, _ = assembled(config, papers=papers)
    (block,) = result.problem.fixed
    assert (block.parcels, block.phase, block.mode) == ((4, 5), 0, KEEP_AT)
    assert result.problem.mode_open is not None
    assert result.problem.mode_open[[4, 5], KEEP_AT].tolist() == [False, False]
    assert result.status[["P04", "P05"]].tolist() == ["eligible", "eligible"]
    only_keep = config_of(with_choices(KEEP), {"optimise": {"locks": {"blocks": [STANDS]}}})
    result, _ = assembled(only_keep, papers=papers)  # now open to no mode at all, and it stands all the same
    assert result.status[["P04", "P05"]].tolist() == ["eligible", "eligible"]
    check_problem(result.problem)


@pytest.mark.parametrize(
    ("section", "columns"),
    [
        ({}, {"floor": [100.0] * 5 + [None]}),
        ({"choices": [CLEAR, changed(KEEP, benefit="worth")]}, {"worth": [1.0] * 5 + [None]}),
        (
            {"choices": [CLEAR, changed(KEEP, displaces=1, months={"demolished": 3, "built": 15, "signed": 3})]}
            | {"decant": DECANT},
            {"in_use": [1.0] * 5 + [None]},
        ),
    ],
    ids=["payments", "worth", "floor of firms"],
)
def test_a_block_that_stands_needs_all_its_figures(section: dict[str, Any], columns: dict[str, list[Any]]) -> None:
    config = config_of({"modes": section}, {"optimise": {"locks": {"blocks": [STANDS]}}})
    columns = {name: [*values, *[1.0] * (12 - len(values))] for name, values in columns.items()}
    with pytest.raises(ConfigError) as caught:
        assembled(config, **columns)
    (issue,) = caught.value.issues
    assert issue.where == "optimise.locks.blocks[0].parcels"
    assert "keep" in issue.found
    assert "P05" in issue.found
    assert "P04" not in issue.found


def test_months_and_payments_that_cannot_be_are_refused_with_their_place() -> None:
    falling = config_of({"modes": {"figures": {"months_levelled": figure(8)}}})
    with pytest.raises(ConfigError) as caught:
        terms_of(falling)
    assert [i.where for i in caught.value.issues] == ["modes.choices[0].months.levelled"]
    below = changed(CLEAR, lines=[{**CLEAR["lines"][0], "amount": "land_price * area_mu - 11000"}])
    with pytest.raises(ConfigError) as caught:
        terms_of(config_of(with_choices(below)))
    assert "modes.choices[0].lines[0] (clear, land)" in caught.value.issues[0].where


@pytest.mark.parametrize(
    ("section", "columns", "where"),
    [
        ({"space": {"floor_m2": "thing"}}, {"thing": [-1.0]}, "modes.space.floor_m2"),
        ({"space": {"ramp_months": -1}}, {}, "modes.space.ramp_months"),
        ({"space": {"retained_tax_share": 1.1}}, {}, "modes.space.retained_tax_share"),
        ({"decant": {**DECANT, "floor_m2": "floor", "firms": "thing"}}, {"thing": [1.5]}, "modes.decant.firms"),
        ({"consent": {"holders": "thing", "signed": "1"}}, {"thing": [-2.0]}, "modes.consent.holders (thing)"),
    ],
)
def test_what_the_reports_would_refuse_is_told_before_the_solve(
    section: dict[str, Any], columns: dict[str, list[Any]], where: str
) -> None:
    with pytest.raises((ConfigError, DataError)) as caught:
        terms_of(config_of({"modes": section}), **columns)
    assert isinstance(caught.value, ConfigError | DataError)
    assert [i.where for i in caught.value.issues] == [where]


def test_unknown_numbers_of_firms_are_listed() -> None:
    decant = {**DECANT, "floor_m2": "floor", "firms": "number", "large_firms": "0"}
    terms, undecided = terms_of(config_of({"modes": {"decant": decant}}), number=[1.0, None, *[2.0] * 10])
    assert undecided == {"decanting, number of firms": ["P01"]}
    assert terms.open.all()
    assert terms_of(config_of({"modes": {"decant": {**DECANT, "floor_m2": "floor"}}}))[1] == {}  # nobody asked


@settings(max_examples=6, deadline=None)
@given(st.permutations(range(12)))
def test_terms_do_not_depend_on_the_order_of_parcels(order: list[int]) -> None:
    config = config_of(
        with_choices(changed(CLEAR, consent=TESTS), KEEP, consent=ASKED, decant=DECANT),
        {"modes": {"limits": [{"party": "town", "outlay": {"P1": 20_000}, "peak_gap": 30_000}]}},
    )
    columns: dict[str, list[Any]] = {
        "floor": [None, 10.0, 20.0, 30.0],
        "papers": [0.0, 1.0, None],
        "holders": [float(k) for k in range(12)],
        "signed": [k / 12 for k in range(12)],
        "in_use": [None, *(float(k) for k in range(11))],
    }
    fields = fields_of(land_of(columns))
    told: dict[str, list[str]] = {}
    told_again: dict[str, list[str]] = {}
    terms = make_terms(config, modes_of(config), fields, told)
    again = make_terms(config, modes_of(config), fields.iloc[order], told_again)
    for name in ("open", "unknown", "net_cost_yuan", "benefit_share", "new_floor_m2"):
        np.testing.assert_array_equal(getattr(again, name), getattr(terms, name)[order], err_msg=name)
    assert {k: sorted(v) for k, v in told.items()} == {k: sorted(v) for k, v in told_again.items()}
    assert [(r.name, r.limits, r.periods) for r in terms.resources] == [
        (r.name, r.limits, r.periods) for r in again.resources
    ]
    for one, other in zip(terms.resources, again.resources, strict=True):
        np.testing.assert_array_equal(other.use, one.use[order])
        assert one.timing is not None
        assert other.timing is not None
        np.testing.assert_array_equal(other.timing, one.timing)
    pd.testing.assert_frame_equal(fields, fields_of(land_of(columns)))  # the input is left as it was
