"""Equity between villages: worked out by hand, properties of the coefficient, and what is not known."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from planner.equity import EquityReport, equity_report, gini, require_villages
from planner.errors import ConfigError
from planner.report.summary import summary_markdown
from planner.report.summary_equity import equity as equity_section
from planner.spec_equity import EquitySpec

SPEC: dict[str, Any] = {
    "source": "judgement",
    "classes": [{"name": "weak", "villages": ["A", "B"]}, {"name": "strong", "villages": ["C"]}],
    "further": [{"name": "north", "villages": ["A", "C"]}, {"name": "south", "villages": ["B", "D"]}],
    "pairs": [{"weak": "A", "helpers": ["C", "Works Ltd"]}],
}
PARCELS = pd.DataFrame(
    {
        "parcel_id": ["a1", "a2", "b1", "c1", "c2", "d1", "x"],
        "village": ["A", "A", "B", "C", "C", "D", None],
        "area_mu": [10.0, 30.0, 20.0, 40.0, 10.0, 5.0, 2.0],
        "phase": pd.array([1, pd.NA, 2, 1, pd.NA, pd.NA, pd.NA], dtype="Int64"),
        "use": ["industry", "housing", "industry", "industry", None, "industry", "industry"],
    }
)


def by_village(**changes: list[Any]) -> pd.DataFrame:
    """Table of the modes: A and B earn 100 and 200 yuan a mu, C 500; D's income is known on 4 of its 5 mu."""
    columns: dict[str, list[Any]] = {
        "village": ["A", "B", "C", "D", None],
        "new_floor_m2": [100.0, 200.0, 400.0, 0.0, 0.0],
        "new_floor_unknown_parcels": [0, 1, 0, 0, 0],
        "displaced_floor_m2": [10.0, 20.0, 40.0, 0.0, 0.0],
        "displaced_floor_unknown_parcels": [0, 0, 0, 0, 0],
        "collective_received_yuan": [7.0, 0.0, 3.0, 0.0, 0.0],
        "collective_paid_yuan": [1.0, 0.0, 3.0, 0.0, 0.0],
        "collective_net_yuan": [6.0, 0.0, 0.0, 0.0, 0.0],
        "public_received_yuan": [5.0, 5.0, 5.0, 0.0, 0.0],
        "public_paid_yuan": [10.0, 0.0, 0.0, 0.0, 0.0],
        "public_net_yuan": [-5.0, 5.0, 5.0, 0.0, 0.0],
        "compared_mu": [40.0, 20.0, 50.0, 4.0, 0.0],
        "compared_before_collective_income_yuan": [4000.0, 4000.0, 25_000.0, 1.0, np.nan],
        "compared_after_collective_income_yuan": [8000.0, 10_000.0, 30_000.0, 1.0, np.nan],
    }
    return pd.DataFrame(columns | changes)


def report(
    parcels: pd.DataFrame = PARCELS,
    villages: pd.DataFrame | None = None,
    phases: tuple[str, ...] = ("P1", "P2"),
    **more: Any,
) -> EquityReport:
    spec = EquitySpec.model_validate(SPEC | more)
    return equity_report(spec, parcels, "village", phases, villages)


def row(rows: Any, **wanted: Any) -> dict[str, Any]:
    (found,) = [r for r in rows if all(r[k] == v for k, v in wanted.items())]
    return dict(found)


def test_land_by_hand() -> None:
    """10 of A's 40 mu in the first of two phases, all of B's 20 in the second, which count half."""
    table = report().table
    assert table["village"].tolist() == ["A", "B", "C", "D", None]
    assert table["class"].tolist() == ["weak", "weak", "strong", None, None]
    assert table["area_mu"].tolist() == [40.0, 20.0, 50.0, 5.0, 2.0]
    assert table["taken_mu"].tolist() == [10.0, 20.0, 40.0, 0.0, 0.0]
    assert table["taken_share"].tolist() == [0.25, 1.0, 0.8, 0.0, 0.0]
    assert table["early_share"].tolist() == [0.25, 0.5, 0.8, 0.0, 0.0]
    assert table["taken_mu_P1"].tolist() == [10.0, 0.0, 40.0, 0.0, 0.0]
    assert table["taken_mu_P2"].tolist() == [0.0, 20.0, 0.0, 0.0, 0.0]
    assert "new_floor_m2" not in table


def test_without_modes_the_summary_is_of_land() -> None:
    summary = report().summary
    weak = row(summary["sets"], kind="class", name="weak")
    assert (weak["villages"], weak["taken_mu"], weak["taken_share"], weak["early_share"]) == (2, 30.0, 0.5, 20 / 60)
    assert row(summary["sets"], kind="none")["villages"] == 1
    assert summary["in_no_class"] == ["D"]
    assert summary["no_village_mu"] == 2.0
    assert summary["modes"] is False
    assert "gini" not in summary
    assert not any("income" in key for s in summary["sets"] for key in s)


def test_industrial_land_by_hand() -> None:
    """A's housing is none; c2 is not decided and counted; land in the plan is industrial whatever it is called."""
    table = report(industrial="use == 'industry'").table.set_index("village")
    assert table["industrial_mu"].tolist() == [10.0, 20.0, 40.0, 5.0, 2.0]
    assert table["industrial_undecided_mu"].tolist() == [0.0, 0.0, 10.0, 0.0, 0.0]
    assert table.loc["A", "taken_share"] == 1.0
    other = report(industrial="use == 'housing'").table.set_index("village")
    assert other["industrial_mu"].tolist() == [40.0, 20.0, 40.0, 0.0, 0.0]
    assert other["taken_share"].isna().tolist() == [False, False, False, True, True]


def test_incomes_by_hand() -> None:
    """8000 yuan on the 60 mu of the weak, 25 000 on C's 50: 133.33 : 500 = 0.2667; afterwards 300 : 600."""
    got = report(villages=by_village())
    assert got.table["income_known"].tolist() == [True, True, True, False, False]
    assert got.table["before_income_yuan_per_mu"].tolist()[:3] == [100.0, 200.0, 500.0]
    assert got.table["after_income_yuan_per_mu"].tolist()[:3] == [200.0, 500.0, 600.0]
    summary = got.summary
    ratio = row(summary["ratios"], of="weak", to="strong", per="mu")
    assert ratio["before"] == pytest.approx(8000 / 60 / 500)
    assert ratio["after"] == pytest.approx(0.5)
    assert summary["income_unknown"] == ["D"]
    weak = row(summary["sets"], name="weak")
    assert (weak["new_floor_m2"], weak["new_floor_unknown_parcels"], weak["displaced_floor_m2"]) == (300.0, 1.0, 30.0)
    assert (weak["collective_net_yuan"], weak["public_net_yuan"]) == (6.0, 0.0)
    whole = row(summary["sets"], kind="all")
    assert (whole["villages"], whole["income_villages"], whole["compared_mu"]) == (4, 3, 110.0)
    assert all(s["before_income_yuan_per_head"] is None for s in summary["sets"])


def test_gini_over_villages_weighs_by_land() -> None:
    """Incomes 100, 200, 500 on 40, 20, 50 mu; Σ w_i w_j |x_i − x_j| over ordered pairs, over 2 · 110² · 300."""
    (found,) = report(villages=by_village()).summary["gini"]
    pairs = 2 * (40 * 20 * 100 + 40 * 50 * 400 + 20 * 50 * 300)
    assert found["before"] == pytest.approx(pairs / (2 * 110**2 * 300))
    after = 2 * (40 * 20 * 300 + 40 * 50 * 400 + 20 * 50 * 100)
    assert found["after"] == pytest.approx(after / (2 * 110**2 * (48_000 / 110)))
    assert (found["per"], found["weights"], found["villages"], found["left_out"]) == ("mu", "compared_mu", 3, 0)


def test_a_pair_by_hand() -> None:
    (pair,) = report(villages=by_village()).summary["pairs"]
    assert (pair["helpers"], pair["helpers_elsewhere"], pair["helpers_unknown"]) == (["C"], ["Works Ltd"], [])
    assert (pair["weak_before"], pair["helpers_before"], pair["gap_before"]) == (100.0, 500.0, 400.0)
    assert (pair["weak_after"], pair["helpers_after"], pair["gap_after"]) == (200.0, 600.0, 400.0)
    assert (pair["ratio_before"], pair["ratio_after"]) == (0.2, pytest.approx(1 / 3))


def test_unknown_incomes_are_left_out_and_not_nought() -> None:
    """Of A, 38 of 40 mu are known: exactly the 5 % that may lack. At 37 mu it is left out, as if it were not there."""
    at_most = by_village(compared_mu=[38.0, 20.0, 50.0, 4.0, 0.0])
    assert report(villages=at_most).summary["income_unknown"] == ["D"]
    less = by_village(compared_mu=[37.0, 20.0, 50.0, 4.0, 0.0])
    summary = report(villages=less).summary
    assert summary["income_unknown"] == ["A", "D"]
    assert row(summary["sets"], name="weak")["before_income_yuan_per_mu"] == 200.0
    assert row(summary["gini"], per="mu")["left_out"] == 1
    (pair,) = summary["pairs"]
    assert (pair["weak_before"], pair["gap_before"], pair["ratio_after"]) == (None, None, None)
    assert pair["helpers_before"] == 500.0
    assert report(villages=less, unknown_max_share=0.1).summary["income_unknown"] == ["D"]


def test_nothing_known_gives_no_figure() -> None:
    nothing = [np.nan] * 5
    table = by_village(
        compared_mu=[0.0] * 5,
        compared_before_collective_income_yuan=nothing,
        compared_after_collective_income_yuan=nothing,
    )
    summary = report(villages=table).summary
    assert summary["income_unknown"] == ["A", "B", "C", "D"]
    assert all(r["before"] is None and r["after"] is None for r in (*summary["ratios"], *summary["gini"]))


def test_figures_a_head_need_the_people_of_all_classes() -> None:
    """4000 yuan for 10 members, 4000 for 40, 25 000 for 50: 400, 100 and 500 a head; the weak have 160."""
    people = {"A": 10, "B": 40, "C": 50}
    got = report(villages=by_village(), people=people)
    assert got.table["before_income_yuan_per_head"].tolist()[:3] == [400.0, 100.0, 500.0]
    assert row(got.summary["ratios"], of="weak", to="strong", per="head")["before"] == pytest.approx(160 / 500)
    found = row(got.summary["gini"], per="head")
    pairs = 2 * (10 * 40 * 300 + 10 * 50 * 100 + 40 * 50 * 400)
    assert (found["before"], found["weights"]) == (pytest.approx(pairs / (2 * 100 * 33_000)), "people")
    assert row(got.summary["sets"], name="south")["before_income_yuan_per_head"] is None, "D's members are not known"
    partly = report(villages=by_village(), people={"A": 10, "C": 50}).summary
    assert {r["per"] for r in (*partly["ratios"], *partly["gini"])} == {"mu"}


def test_villages_that_the_land_does_not_have_are_told_at_once() -> None:
    changed = SPEC | {
        "classes": [{"name": "weak", "villages": ["A", "Bb"]}, {"name": "strong", "villages": ["C", "Z"]}],
        "further": [{"name": "north", "villages": ["Y"]}],
        "pairs": [{"weak": "W", "helpers": ["Works Ltd"]}],
        "people": {"V": 3},
    }
    with pytest.raises(ConfigError) as error:
        require_villages(EquitySpec.model_validate(changed), PARCELS["village"])
    places = [(i.where, i.found.split("'")[1]) for i in error.value.issues]
    assert places == [
        ("equity.classes[0].villages", "Bb"),
        ("equity.classes[1].villages", "Z"),
        ("equity.further[0].villages", "Y"),
        ("equity.pairs[0].weak", "W"),
        ("equity.people", "V"),
    ]
    assert "'B'" in error.value.issues[0].fix
    with pytest.raises(ConfigError):
        report(classes=changed["classes"])


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"further": [{"name": "weak", "villages": ["A"]}]}, "must differ"),
        ({"classes": [{"name": "x", "villages": ["A", "A"]}, {"name": "y", "villages": ["B"]}]}, "twice"),
        ({"unknown_max_share": 1.5}, "less than or equal to 1"),
    ],
)
def test_sections_that_contradict_themselves(change: dict[str, Any], text: str) -> None:
    with pytest.raises(ValidationError, match=text):
        EquitySpec.model_validate(SPEC | change)


def test_the_order_of_parcels_and_of_villages_changes_nothing() -> None:
    order = [4, 6, 2, 0, 5, 3, 1]
    villages = by_village().iloc[[3, 0, 4, 2, 1]]
    one, other = report(villages=by_village()), report(PARCELS.iloc[order], villages)
    pd.testing.assert_frame_equal(one.table, other.table)
    assert one.summary == other.summary


def test_the_summary_is_plain_json_and_is_told() -> None:
    got = report(villages=by_village(), people={"A": 10, "B": 40, "C": 50})
    assert json.loads(json.dumps(got.summary, allow_nan=False)) == got.summary
    text = "\n".join(equity_section({"equity": got.summary}))
    assert "| weak : strong | ratio, per mu | 0.267 | 0.500 |" in text
    assert "| A | C, Works Ltd | 100 | 200 | 500 | 600 | 400 | 400 |" in text
    assert "300 + 1 parcels unknown" in text
    assert "- In no class: D" in text
    assert "- Helpers that have no land here: Works Ltd" in text
    land = "\n".join(equity_section({"equity": report().summary}))
    assert "| weak | 2 | 60.00 | 30.00 | 50.0 % | 33.3 % |" in land
    assert "Gini" not in land
    assert equity_section({}) == []
    assert "Equity" not in summary_markdown({})


VALUES = st.lists(st.tuples(st.floats(0, 1e6), st.floats(0.01, 1e4)), min_size=1, max_size=8)


def test_gini_of_textbook_cases() -> None:
    """One of four has all: 3/4. 1, 2, 3 with equal weights: 2/9."""
    assert gini([0, 0, 0, 8], [1, 1, 1, 1]) == pytest.approx(0.75)
    assert gini([1, 2, 3], [5, 5, 5]) == pytest.approx(2 / 9)
    assert gini([], []) is None
    assert gini([0.0, 0.0], [1, 1]) is None
    assert gini([5.0], [0]) is None
    with pytest.raises(ValueError, match="known"):
        gini([np.nan, 1.0], [1, 1])
    with pytest.raises(ValueError, match="shape"):
        gini([1.0], [1, 1])


@settings(deadline=None)
@given(VALUES)
def test_gini_is_the_mean_difference(rows: list[tuple[float, float]]) -> None:
    x, w = np.array(rows).T
    mean = float(w @ x) / w.sum()
    found = gini(x, w)
    if mean <= 0:
        assert found is None
        return
    plain = float(w @ np.abs(x[:, None] - x[None, :]) @ w) / (2 * w.sum() ** 2 * mean)
    assert found is not None
    assert found == pytest.approx(plain, abs=1e-9)
    assert 0 <= found < 1


@settings(deadline=None)
@given(VALUES, st.floats(0.01, 100), st.randoms(use_true_random=False))
def test_gini_knows_neither_units_nor_order(rows: list[tuple[float, float]], factor: float, random: Any) -> None:
    x, w = np.array(rows).T
    found = gini(x, w)
    order = list(range(len(rows)))
    random.shuffle(order)
    assert gini(x[order], w[order]) == found
    if found is not None and x.max() > 1e-3:
        assert gini(factor * x, w) == pytest.approx(found, abs=1e-9)
        assert gini(x, factor * w) == pytest.approx(found, abs=1e-9)


@settings(deadline=None)
@given(st.floats(0.01, 1e6), st.lists(st.floats(0.01, 1e4), min_size=1, max_size=8))
def test_gini_of_equal_incomes_is_nought(income: float, weights: list[float]) -> None:
    assert gini([income] * len(weights), weights) == pytest.approx(0, abs=1e-12)
