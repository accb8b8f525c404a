"""Rules that do nothing, criteria that say nothing, texts that occur nowhere, and rules that leave no land."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest

from planner.config import Config
from planner.errors import ConfigError
from planner.expressions import absent_texts
from planner.quality import QualityRow
from planner.rule_effects import require_eligible, rule_findings
from planner.scoring import Scores, score_parcels
from tests.planner.land_builders import BASE, merged

TAX = {"name": "tax", "value": "tax", "direction": "low", "normalise": {"method": "minmax", "lo": 0, "hi": 10}}


def fields() -> pd.DataFrame:
    """Four parcels of 10 mu: three vacant, one in use; one tax unknown."""
    return pd.DataFrame(
        {
            "tax": [1.0, 5.0, None, 9.0],
            "use": ["vacant", "vacant", "vacant", "in use"],
            "area_mu": [10.0] * 4,
            "zone": [None] * 4,
        },
        index=pd.Index(["a", "b", "c", "d"], name="parcel_id"),
    )


def configured(scoring: dict[str, Any], **optimise: Any) -> Config:
    return Config.model_validate(
        merged(BASE, {"scoring": {"criteria": [TAX], "exclude": [], **scoring}, "optimise": optimise})
    )


def scored(config: Config) -> Scores:
    return score_parcels(fields(), config.scoring)


def found(scoring: dict[str, Any], **optimise: Any) -> list[QualityRow]:
    config = configured(scoring, **optimise)
    return rule_findings(scored(config), config)


def test_rules_that_match_something_are_passed_over() -> None:
    scoring = {
        "eligible": [{"name": "low", "when": "score >= 0.2"}],
        "exclude": [{"name": "used", "when": "use == 'in use' and tax < 9"}, {"name": "other", "when": "tax == 5"}],
        "force_in": [{"name": "poor", "when": "tax < 2"}],
    }
    assert [r.what.split("'")[1] for r in found(scoring)] == ["used"]


@pytest.mark.parametrize("section", ["eligible", "exclude", "force_in"])
def test_a_rule_that_matches_nothing_is_named_with_the_land_it_was_applied_to(section: str) -> None:
    (row,) = found({section: [{"name": "rich", "when": "tax > 100"}]})
    assert row.what == f"{section} rule 'rich' matches no parcel (1 cannot be decided): tax > 100"
    assert (row.count, row.area_mu, row.parcel_ids) == (4, 40.0, ("a", "b", "c", "d"))


def test_filler_must_match_ineligible_land() -> None:
    low = {"eligible": [{"name": "low", "when": "score >= 0.3"}]}  # d, with tax 9, is not
    assert found(low, filler={"where": "tax > 8"}) == []
    (row,) = found(low, filler={"where": "tax < 8"})
    assert row.what.startswith("filler.where matches no ineligible parcel (2 that match are eligible or excluded)")


def test_a_criterion_with_one_mark_for_all_is_named() -> None:
    flat = TAX | {"name": "flat", "normalise": {"method": "minmax", "lo": 100, "hi": 200}}
    (row,) = found({"criteria": [TAX, flat]})
    assert row.what == "criterion 'flat' tells no parcels apart: it gives 1.00 to each whose value is known"
    assert (row.count, row.area_mu) == (3, 30.0)


def test_a_misspelt_text_is_named_with_the_value_that_was_meant() -> None:
    rows = found({"exclude": [{"name": "empty", "when": "use in ['vacnat', 'in use']"}]})
    assert [(r.what, r.count, r.parcel_ids) for r in rows] == [
        (
            "scoring.exclude[0].when: no parcel has 'vacnat' in use; did you mean 'vacant' (3 parcels)?",
            3,
            ("a", "b", "c"),
        )
    ]


def test_a_text_like_none_that_occurs_names_those_that_do() -> None:
    rows = found({"exclude": [{"name": "hall", "when": "use != '祠堂' and tax > 8"}]})
    assert [r.what for r in rows] == [
        "scoring.exclude[0].when: no parcel has '祠堂' in use, which holds 'in use', 'vacant'"
    ]
    assert rows[0].count == 4


@pytest.mark.parametrize(
    ("expression", "absent"),
    [
        ("use == 'vacant'", []),
        ("'vacnat' == use", ["vacnat"]),
        ("coalesce(use, 'none') == 'none'", []),
        ("coalesce(use, 'none') == 'nothing'", ["nothing"]),
        ("tax > 3 or not (use in ['x', 'y', 'vacant', 'x'])", ["x", "y"]),
        ("tax == 3", []),
    ],
)
def test_texts_that_occur_nowhere_are_found_wherever_they_stand(expression: str, absent: list[str]) -> None:
    assert [t for a in absent_texts(expression, fields()) for t in a.texts] == absent


def refused(config: Config, status: pd.Series[Any] | None = None, locked: Any = None) -> list[str]:
    scores = scored(config)
    locks = pd.Series(locked, index=scores.status.index, dtype="object")
    with pytest.raises(ConfigError) as caught:
        require_eligible(scores, scores.status if status is None else status, locks, config)
    return [str(issue) for issue in caught.value.issues]


def test_no_eligible_land_is_refused_with_figures_rule_by_rule() -> None:
    config = configured(
        {
            "eligible": [{"name": "low", "when": "score >= 0.3"}, {"name": "derelict", "when": "use == 'derelict'"}],
            "exclude": [{"name": "taxed", "when": "tax > 4", "unknown": "exclude"}],
        }
    )
    head, *rules = refused(config)
    assert "no eligible parcel among 4 (40.00 mu)" in head
    assert [r.split(";")[0] for r in rules] == [
        "scoring.eligible[0].when: found eligible rule 'low' does not hold for 1 of 4 parcels (10.00 mu)",
        "scoring.eligible[1].when: found eligible rule 'derelict' does not hold for 4 of 4 parcels (40.00 mu)",
        "scoring.exclude[0].when: found exclude rule 'taxed' removes 3 of 4 parcels (30.00 mu)",
        "scoring.eligible[1].when: found scoring.eligible[1].when: no parcel has 'derelict' in use, "
        "which holds 'in use', 'vacant'",
    ]


def test_land_without_cost_and_land_locked_out_is_counted() -> None:
    config = configured({"eligible": [{"name": "low", "when": "score >= 0.3"}]})
    status = scored(config).status.where(lambda s: s.index != "a", "ineligible")  # the cost of a is unknown
    rules = refused(config, status, [None, "out", "out", None])[1:]
    assert [r.split(";")[0].split("found ")[1] for r in rules] == [
        "eligible rule 'low' does not hold for 1 of 4 parcels (10.00 mu)",
        "the cost is unknown of 1 of 4 parcels (10.00 mu)",
        "locked out are 2 of 4 parcels (20.00 mu)",
    ]


def test_one_eligible_parcel_is_enough() -> None:
    config = configured({"eligible": [{"name": "poor", "when": "tax < 2"}]})
    scores = scored(config)
    require_eligible(scores, scores.status, pd.Series(None, index=scores.status.index, dtype="object"), config)
    assert (scores.status == "eligible").sum() == 1
