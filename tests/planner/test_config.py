"""The configuration models: what they refuse, and that the bundled sample is what the repository shows."""

from __future__ import annotations

from importlib import resources
from typing import Any

import pydantic
import pytest
from hypothesis import given
from hypothesis import strategies as st

from planner.config import Config, ScoringSpec
from planner.config_file import load_config
from tests.conftest import REPOSITORY
from tests.planner.land_builders import BASE, merged


def config(*changes: dict[str, Any]) -> Config:
    return Config.model_validate(merged(BASE, *changes))


def test_the_smallest_configuration_has_careful_defaults() -> None:
    made = config({"zones": ..., "solve": ..., "optimise": {"discount_rate": ...}})
    assert made.optimise.locks.in_ == ()
    assert made.optimise.cost is None
    assert made.optimise.filler.where is None
    assert made.scoring.unknown == "neutral"
    assert made.project.synthetic is False
    assert (made.solve.gap, made.solve.seed) == (0.01, 0)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"optimise": {"phases": [{"id": "A", "year": 1}, {"id": "A", "year": 2}]}}, "phase ids must differ"),
        ({"optimise": {"phases": [{"id": "A", "year": 2}, {"id": "B", "year": 2}]}}, "years must increase"),
        (
            {"optimise": {"phases": [{"id": "A", "year": 1, "target_mu": 5}, {"id": "B", "year": 2}]}},
            "targets are cumulative",
        ),
        ({"optimise": {"phases": [{"id": "A", "year": 1, "target_mu": 5, "stretch_mu": 4}]}}, "below `target_mu`"),
        ({"optimise": {"phases": []}}, "at least 1"),
        ({"optimise": {"base_year": 5}}, "before base_year"),
        ({"optimise": {"phases": [{"id": "A", "year": 2026}]}}, "set `base_year`"),
        ({"optimise": {"phases": [{"id": "A", "year": 1, "budget": 1}]}}, "no `cost`"),
        ({"optimise": {"block": {"min_mu": 70, "max_mu": 60}}}, "must not exceed"),
        ({"optimise": {"locks": {"by": {"P00": "P9"}}}}, "phases that do not exist"),
        ({"optimise": {"filler": {"max_share": 1.1}}}, "less than or equal to 1"),
        ({"zones": ..., "optimise": {"block": {"within_zone": True}}}, "needs a `zones` section"),
        (
            {"zones": ..., "optimise": {"phases": [{"id": "A", "year": 1, "zones": {"w": {"target_mu": 1}}}]}},
            "no `zones` section",
        ),
        ({"zones": {"path": "z.gpkg"}}, "exactly one"),
        ({"zones": {"synthetic": True, "field": ...}}, "needs generated parcels"),
        ({"parcels": {"synthetic": {"case": "qingxi"}}}, "not both"),
        ({"parcels": {"path": ..., "synthetic": {"case": "qingxi"}}}, "project.synthetic: true"),
        ({"barriers": [{"name": "river"}]}, "give either `path`"),
        ({"scoring": {"criteria": []}}, "at least 1"),
        ({"repair": {"duplicate_share": 0.4}}, "greater than 0.5"),
    ],
)
def test_what_contradicts_itself_is_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(pydantic.ValidationError, match=message):
        config(changes)


@given(st.sampled_from([(), ("optimise",), ("optimise", "block"), ("parcels",), ("solve",), ("scoring",)]), st.text())
def test_an_unknown_key_is_refused_everywhere(section: tuple[str, ...], key: str) -> None:
    tree = merged(BASE)
    node: Any = tree
    for part in section:
        node = node[part]
    if f"{key}_" in node:
        return
    node[f"{key}_"] = 1
    with pytest.raises(pydantic.ValidationError) as caught:
        Config.model_validate(tree)
    assert {e["type"] for e in caught.value.errors()} == {"extra_forbidden"}


def test_models_are_frozen() -> None:
    made = config()
    with pytest.raises(pydantic.ValidationError):
        made.solve.gap = 0.5  # type: ignore[misc]
    with pytest.raises(pydantic.ValidationError):
        made.solve = made.solve  # type: ignore[misc]


def test_the_key_in_is_written_as_in() -> None:
    made = config({"optimise": {"locks": {"in": ["P00"]}}})
    assert made.optimise.locks.in_ == ("P00",)
    assert made.model_dump(by_alias=True)["optimise"]["locks"]["in"] == ("P00",)


def test_a_dump_reads_back_the_same() -> None:
    made = config({"optimise": {"cost": {"value": "far"}, "locks": {"by": {"P00": "P1"}}}})
    assert Config.model_validate_json(made.model_dump_json(by_alias=True)) == made


def test_normalisations_are_told_apart_by_method() -> None:
    with pytest.raises(pydantic.ValidationError):
        ScoringSpec.model_validate(
            {"criteria": [{"name": "a", "value": "x", "direction": "low", "normalise": {"method": "rank", "lo": 1}}]}
        )


def test_the_bundled_sample_is_the_repository_s_configuration() -> None:
    bundled = (resources.files("planner") / "samples" / "qingxi.yaml").read_text(encoding="utf-8")
    shown = (REPOSITORY / "config.yaml").read_text(encoding="utf-8")
    assert bundled == shown, "config.yaml and planner/samples/qingxi.yaml must be the same: copy one over the other"


def test_the_sample_says_what_it_is() -> None:
    made = load_config(REPOSITORY / "config.yaml").config
    assert made.project.synthetic
    assert made.project.note is not None
    assert [(p.year, p.target_mu) for p in made.optimise.phases] == [(1, 250), (3, 2000), (5, 4500)]
