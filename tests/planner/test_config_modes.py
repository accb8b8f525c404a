"""What a configuration with modes must agree on, each contradiction with its words; and what needs modes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pydantic
import pytest

from planner.config import Config, counts_in_use, phase_goals
from planner.config_file import load_config
from planner.errors import ConfigError
from tests.planner.land_builders import BASE, merged, write_config
from tests.planner.mode_land import CLEAR, KEEP, PHASES, SECTION, WITH_MODES, changed, config_of


def first(**more: Any) -> dict[str, Any]:
    """Changes that give one phase with these keys."""
    return {"optimise": {"phases": [{"id": "P1", "year": 1, **more}]}}


def stands(**more: Any) -> dict[str, Any]:
    return {"optimise": {"locks": {"blocks": [{"id": "done", "parcels": ["P00"], "phase": "P1", **more}]}}}


def group(**goal: Any) -> dict[str, Any]:
    return {"optimise": {"groups": [{"name": "g", "where": "far > 0", "phases": {"P1": goal}}]}}


NEEDS_MODES = "`target_floor_m2`, `milestone` and `begins` of phases need a `modes` section"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (first(target_floor_m2=1), NEEDS_MODES),
        (first(milestone="built"), NEEDS_MODES),
        (first(begins=0.5), NEEDS_MODES),
        (first(zones={"west": {"target_floor_m2": 1}}), NEEDS_MODES),
        (first(zones={"west": {"milestone": "signed"}}), NEEDS_MODES),
        (group(target_floor_m2=1), NEEDS_MODES),
        (group(milestone="levelled"), NEEDS_MODES),
        (stands(mode="clear"), "`mode` of a block in `locks.blocks` or `keep.blocks` needs a `modes` section"),
    ],
)
def test_without_modes_their_keys_are_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(pydantic.ValidationError) as caught:
        Config.model_validate(merged(BASE, changes))
    assert [e["msg"] for e in caught.value.errors()] == [f"Value error, {message}"]


@pytest.mark.parametrize(
    "changes",
    [
        {},
        first(begins=0),
        first(begins=1, milestone="built", target_floor_m2=1, zones={"west": {"milestone": "signed"}}),
        stands(mode="keep"),
        group(target_floor_m2=1, milestone="accepted"),
        {"modes": {"limits": [{"party": "town", "outlay": {"P2": 0}}, {"party": "owner", "peak_gap": 0}]}},
    ],
)
def test_with_modes_they_are_taken(changes: dict[str, Any]) -> None:
    assert config_of(changes).modes is not None


OUTLAYS = {"party": "town", "outlay": {"P9": 1, "P2": 1, "Q": 1}}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"optimise": {"cost": {"value": "1"}}},
            "with `modes` the cost comes from their payments: remove `optimise.cost`",
        ),
        (stands(mode="sell"), "locks.blocks 'done': `mode` must be one of clear, keep"),
        (stands(), "locks.blocks 'done': `mode` must be one of clear, keep"),
        ({"modes": {"limits": [OUTLAYS]}}, "modes.limits names phases that do not exist: P9, Q"),
        (
            first(budget=5),
            "a phase has a `budget`, but there is no `cost` to hold against it; with `modes` see `modes.limits`",
        ),
        (first(begins=1.5), "phase P1 begins at 1.5, after its year 1"),
        (
            {"optimise": {"phases": [PHASES[0], {**PHASES[1], "begins": 3.01}]}},
            "phase P2 begins at 3.01, after its year 3",
        ),
        ({"modes": {"limits": [{"party": "town"}]}}, "give `outlay`, `peak_gap`, or both"),
        ({"modes": {"limits": [{"party": "outside", "peak_gap": 1}]}}, "`outside` has no limit"),
        ({"modes": {"limits": [{"party": "town", "peak_gap": g} for g in (1, 2)]}}, "`limits` names a party twice"),
        ({"modes": {"choices": [CLEAR, CLEAR]}}, "ids of `choices` must differ"),
        (
            {"modes": {"choices": [changed(KEEP, consent=[{"of": "area", "least": 0.5}])]}},
            "modes have consent tests: `consent` must say who has agreed",
        ),
        (
            {"modes": {"consent": {"holders": "1", "signed": "1", "basis": "expected"}}},
            "`basis: expected` needs `expected`",
        ),
        (
            {"modes": {"choices": [changed(CLEAR, lines=[{**CLEAR["lines"][0], "at": "accepted"}])]}},
            "mode clear: line 'land' waits for a milestone without months: accepted",
        ),
        (
            {"modes": {"choices": [changed(CLEAR, months={**CLEAR["months"], "launched": 0})]}},
            "mode clear: `launched` is month 0 and needs no months",
        ),
        (
            {"modes": {"decant": {"floor_m2": "1", "sites": [{"name": "a", "floor_m2": 1, "from_year": 0}] * 2}}},
            "names of `sites` must differ",
        ),
    ],
)
def test_what_contradicts_itself_is_refused_in_words(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(pydantic.ValidationError) as caught:
        config_of(changes)
    told = [e["msg"] for e in caught.value.errors() if e["type"] == "value_error"]  # else: "at least 1 item", of a list
    assert told == [f"Value error, {message}"]


def test_work_may_begin_when_the_phase_ends_or_long_before_the_one_before() -> None:
    phases = [{**PHASES[0], "begins": 1}, {**PHASES[1], "begins": -2.5}]
    assert [p.begins for p in config_of({"optimise": {"phases": phases}}).optimise.phases] == [1, -2.5]


def test_goals_are_those_of_phases_zones_and_groups() -> None:
    config = config_of(
        first(target_mu=1, zones={"west": {"target_mu": 2, "counts": "cleared"}}),
        group(target_mu=3, counts="accepted"),
    )
    assert [g.target_mu for g in phase_goals(config.optimise)] == [1, 2, 3]
    assert counts_in_use(config) == {"net", "cleared", "accepted"}


def test_a_contradiction_of_sections_is_told_with_the_file(tmp_path: Path) -> None:
    changes = merged(WITH_MODES, {"modes": {"limits": [{"party": "town", "outlay": {"P8": 1}}]}})
    with pytest.raises(ConfigError) as caught:
        load_config(write_config(tmp_path, changes))
    (issue,) = caught.value.issues
    assert issue.where.startswith(str(tmp_path / "config.yaml"))
    assert issue.found == "a contradiction: modes.limits names phases that do not exist: P8"


def test_a_section_that_is_complete_is_taken_as_it_stands(tmp_path: Path) -> None:
    loaded = load_config(write_config(tmp_path, WITH_MODES, {"parcels": {"fields": USED}})).config
    assert loaded.modes is not None
    assert set(loaded.modes.figures) == set(SECTION["figures"])
    assert [m.id for m in loaded.modes.choices] == ["clear", "keep"]


USED = {"floor": {"column": "floor", "type": "number"}, "papers": {"column": "papers", "type": "number"}}
