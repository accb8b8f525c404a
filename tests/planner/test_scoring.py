"""Scores, eligibility, exclusion and veto: hand-worked marks and properties over random land."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from planner.config import FillerSpec, ScoringSpec
from planner.errors import ConfigError
from planner.scoring import criterion_marks, filler_mask, score_parcels

TAX = {"name": "tax", "value": "tax", "direction": "low", "normalise": {"method": "minmax", "lo": 0, "hi": 10}}
RANK = {"name": "far", "value": "far", "direction": "high", "normalise": {"method": "rank"}}


def spec(**changes: Any) -> ScoringSpec:
    return ScoringSpec.model_validate({"criteria": [TAX], **changes})


def land(**columns: list[Any]) -> pd.DataFrame:
    n = len(next(iter(columns.values())))
    frame = pd.DataFrame(
        {
            name: pd.Series(v, dtype="string" if any(isinstance(x, str) for x in v) else "Float64")
            for name, v in columns.items()
        }
    )
    return frame.set_axis(pd.Index([f"P{k}" for k in range(n)], name="parcel_id"))


def plain(values: pd.Series[Any]) -> list[Any]:
    return [None if v is pd.NA else v for v in values.tolist()]


@pytest.mark.parametrize(
    ("direction", "normalise", "expected"),
    [
        ("low", {"method": "minmax", "lo": 0, "hi": 10}, [1.0, 0.5, 0.0, 0.0, None]),
        ("high", {"method": "minmax", "lo": 0, "hi": 10}, [0.0, 0.5, 1.0, 1.0, None]),
        ("high", {"method": "rank"}, [0.0, 1 / 3, 2 / 3, 1.0, None]),
        ("low", {"method": "rank"}, [1.0, 2 / 3, 1 / 3, 0.0, None]),
        ("low", {"method": "threshold", "at": 5}, [1.0, 1.0, 0.0, 0.0, None]),
        ("high", {"method": "threshold", "at": 5}, [0.0, 1.0, 1.0, 1.0, None]),
    ],
)
def test_marks_by_hand(direction: str, normalise: dict[str, Any], expected: list[float | None]) -> None:
    criterion = spec(criteria=[{**TAX, "direction": direction, "normalise": normalise}]).criteria[0]
    assert plain(criterion_marks(criterion, land(tax=[0.0, 5.0, 10.0, 25.0, None]))) == pytest.approx(expected)


def test_ties_share_their_rank_and_one_value_is_neutral() -> None:
    criterion = spec(criteria=[RANK]).criteria[0]
    assert plain(criterion_marks(criterion, land(far=[1.0, 1.0, 2.0]))) == pytest.approx([0.25, 0.25, 1.0])
    assert plain(criterion_marks(criterion, land(far=[None, 3.0]))) == [None, 0.5]
    assert plain(criterion_marks(criterion, land(far=[None, None]))) == [None, None]


def test_weights_are_relative() -> None:
    frame = land(tax=[0.0, 10.0], far=[1.0, 2.0])
    score = score_parcels(frame, spec(criteria=[{**TAX, "weight": 3}, {**RANK, "weight": 1}])).score
    assert plain(score) == pytest.approx([0.75, 0.25])


@pytest.mark.parametrize(("policy", "expected"), [("neutral", 0.5), ("worst", 0.0), ("ineligible", None)])
def test_unknown_follows_its_policy_and_is_listed(policy: str, expected: float | None) -> None:
    result = score_parcels(land(tax=[None, 0.0]), spec(unknown=policy))
    assert plain(result.score)[0] == expected
    assert result.undecided == {"criterion tax": ["P0"]}
    assert result.status["P0"] == ("ineligible" if policy == "ineligible" else "eligible")
    assert result.marks["tax"].isna().tolist() == [True, False]  # the mark itself stays unknown


def test_rules_decide_and_give_their_names_as_reasons() -> None:
    frame = land(tax=[1.0, 1.0, 1.0, 1.0], use=["industry", "housing", None, "farm"])
    result = score_parcels(
        frame,
        spec(
            eligible=[{"name": "industrial", "when": "use in ['industry', 'housing']"}],
            exclude=[{"name": "housing", "when": "use == 'housing'"}],
        ),
    )
    assert result.status.tolist() == ["eligible", "excluded", "ineligible", "ineligible"]
    assert result.reason.tolist() == [
        "low-efficient",
        "excluded: housing",
        "unknown whether industrial",
        "not industrial",
    ]
    assert result.undecided == {"eligible industrial": ["P2"], "exclude housing": ["P2"]}


def test_excluded_land_is_excluded_even_if_it_is_not_eligible_either() -> None:
    frame = land(tax=[20.0], use=["housing"])
    result = score_parcels(
        frame,
        spec(
            eligible=[{"name": "industrial", "when": "use == 'industry'"}],
            exclude=[{"name": "housing", "when": "use == 'housing'"}, {"name": "good firm", "when": "tax >= 20"}],
        ),
    )
    assert result.status.tolist() == ["excluded"]
    assert result.reason.tolist() == ["excluded: housing; excluded: good firm"]


def test_an_undecidable_exclusion_keeps_or_excludes() -> None:
    frame = land(tax=[1.0], use=[None])
    frame["use"] = frame["use"].astype("string")
    for policy, status in (("keep", "eligible"), ("exclude", "excluded")):
        rule = {"name": "housing", "when": "use == 'housing'", "unknown": policy}
        result = score_parcels(frame, spec(exclude=[rule]))
        assert result.status.tolist() == [status]
    assert result.reason.tolist() == ["excluded: unknown whether housing"]


def test_veto_beats_the_score_and_exclusion_beats_the_veto() -> None:
    frame = land(tax=[20.0, 20.0, 20.0], veto=["yes", "yes", "no"], use=["industry", "housing", "industry"])
    result = score_parcels(
        frame,
        spec(
            eligible=[{"name": "low-efficient", "when": "score >= 0.3"}],
            exclude=[{"name": "housing", "when": "use == 'housing'"}],
            force_in=[{"name": "safety", "when": "veto == 'yes'"}],
        ),
    )
    assert result.status.tolist() == ["eligible", "excluded", "ineligible"]
    assert result.reason.tolist() == ["veto: safety", "excluded: housing", "not low-efficient"]
    assert result.forced.tolist() == [True, False, False]
    assert plain(result.score) == [0.0, 0.0, 0.0]  # never netted against the score


def test_derived_fields_build_on_each_other() -> None:
    frame = land(tax=[4.0], firms=[2.0])
    result = score_parcels(frame, spec(derived={"each": "tax / firms", "double": "each * 2"}))
    assert plain(result.fields["double"]) == [4.0]
    assert "each" not in frame.columns
    with pytest.raises(ConfigError, match=r"scoring\.derived\.tax"):
        score_parcels(frame, spec(derived={"tax": "firms"}))


def test_two_criteria_of_one_name_are_refused() -> None:
    with pytest.raises(ConfigError, match="two criteria of one name"):
        score_parcels(land(tax=[1.0]), spec(criteria=[TAX, TAX]))


def test_filler_is_ineligible_land_that_matches() -> None:
    frame = land(tax=[0.0, 20.0, 20.0, 20.0], area_mu=[1.0, 1.0, 9.0, None])
    scores = score_parcels(frame, spec(eligible=[{"name": "low-efficient", "when": "score >= 0.3"}]))
    assert filler_mask(scores, FillerSpec(where="area_mu < 3")).tolist() == [False, True, False, False]
    assert not filler_mask(scores, FillerSpec()).any()


values = st.one_of(st.none(), st.floats(-1e6, 1e6, allow_nan=False))
columns = st.integers(1, 12).flatmap(
    lambda n: st.tuples(
        *(st.lists(values, min_size=n, max_size=n) for _ in range(2)),
        st.lists(st.sampled_from(["a", "b", None]), min_size=n, max_size=n),
    )
)
normalisations = st.sampled_from(
    [{"method": "minmax", "lo": -100, "hi": 100}, {"method": "rank"}, {"method": "threshold", "at": 3}]
)


def _random_land(data: tuple[list[Any], list[Any], list[Any]]) -> pd.DataFrame:
    frame = land(tax=data[0], far=data[1])
    return frame.assign(use=pd.array(data[2], dtype="string"))


@settings(max_examples=30, deadline=None)
@given(columns, normalisations, st.sampled_from(["low", "high"]), st.sampled_from(["neutral", "worst", "ineligible"]))
def test_scores_lie_in_0_to_1_and_unknown_is_never_invented(
    data: tuple[list[Any], list[Any], list[Any]], normalise: dict[str, Any], direction: str, policy: str
) -> None:
    frame = _random_land(data)
    criteria = [{**TAX, "normalise": normalise, "direction": direction, "weight": 0.3}, {**RANK, "weight": 2.1}]
    result = score_parcels(frame, spec(criteria=criteria, unknown=policy))
    known = result.score.dropna().to_numpy(dtype=float)
    assert ((known >= 0) & (known <= 1)).all()
    some_unknown = frame[["tax", "far"]].isna().any(axis="columns")
    assert (result.score.isna() == (some_unknown & (policy == "ineligible"))).all()


@settings(max_examples=30, deadline=None)
@given(columns, normalisations, st.sampled_from(["low", "high"]))
def test_marks_are_monotone_in_the_direction(
    data: tuple[list[Any], list[Any], list[Any]], normalise: dict[str, Any], direction: str
) -> None:
    frame = _random_land(data)
    marks = criterion_marks(spec(criteria=[{**TAX, "normalise": normalise, "direction": direction}]).criteria[0], frame)
    known = frame["tax"].notna().to_numpy()
    x, mark = frame["tax"][known].to_numpy(dtype=float), marks[known].to_numpy(dtype=float)
    ordered = mark[np.argsort(x, kind="stable")] * (1 if direction == "high" else -1)
    assert (np.diff(ordered) >= -1e-12).all()
    for a in range(len(x)):
        assert np.allclose(mark[x == x[a]], mark[a])


@settings(max_examples=30, deadline=None)
@given(columns, st.sampled_from(["keep", "exclude"]))
def test_exclusion_wins_whatever_else_holds(data: tuple[list[Any], list[Any], list[Any]], policy: str) -> None:
    frame = _random_land(data)
    result = score_parcels(
        frame,
        spec(
            eligible=[{"name": "low-efficient", "when": "score > 0.5"}],
            exclude=[{"name": "a", "when": "use == 'a'", "unknown": policy}],
            force_in=[{"name": "all", "when": "tax < 1e9 or not known(tax)"}],
        ),
    )
    hit = (frame["use"] == "a").fillna(policy == "exclude")
    assert (result.status == "excluded").tolist() == hit.tolist()
    assert (result.status[~hit] == "eligible").all()  # the veto takes the rest in
    assert (result.forced == ~hit).all()
    assert (result.reason != "").all()


@settings(max_examples=20, deadline=None)
@given(columns, st.randoms(use_true_random=False))
def test_order_of_parcels_changes_nothing(data: tuple[list[Any], list[Any], list[Any]], random: Any) -> None:
    frame = _random_land(data)
    order = list(range(len(frame)))
    random.shuffle(order)
    rules = spec(criteria=[TAX, RANK], eligible=[{"name": "low", "when": "score > 0.4"}])
    straight, mixed = score_parcels(frame, rules), score_parcels(frame.iloc[order], rules)
    pd.testing.assert_series_equal(straight.score.sort_index(), mixed.score.sort_index(), check_names=False)
    pd.testing.assert_series_equal(straight.status.sort_index(), mixed.status.sort_index())
