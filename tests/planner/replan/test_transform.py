"""Configuration of a plan + what happened → configuration of the replan."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from planner.config_file import resolved_yaml
from planner.contents import PlanContents
from planner.errors import ConfigError
from planner.monitoring.entries import Entries, Entry
from planner.replan import ReplanConfig, read_changes, replanned_config
from planner.replan.prices import SHARE
from tests.planner.replan.row_land import write_changes

FIRST, SECOND = "R-X-2026-001", "R-X-2026-002"


@pytest.fixture
def after(row: PlanContents, row_folder: Path, tmp_path: Path) -> Any:
    """Events → the replan's configuration."""

    def made(*events: dict[str, Any], contents: PlanContents = row, **keys: Any) -> ReplanConfig:
        changes = read_changes(write_changes(tmp_path / "changes.yaml", *events, **keys))
        return replanned_config(contents, changes, folder=row_folder)

    return made


def issues(call: Any, *events: dict[str, Any], **keys: Any) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        call(*events, **keys)
    return [str(i) for i in caught.value.issues]


def test_the_plan_before_is_kept_at_half_the_worth_of_a_mu(after: Any) -> None:
    asked = after({"refused": ["P01"]})
    keep = asked.config.optimise.keep
    assert [(b.id, b.parcels, b.phase) for b in keep.blocks] == [
        (FIRST, ("P00", "P01"), "P1"),
        (SECOND, ("P02", "P03"), "P2"),
    ]
    assert (keep.price_per_mu, keep.price_per_parcel) == (SHARE * 100, 0)
    assert asked.fresh.optimise.keep is None
    assert asked.fresh.optimise.locks == asked.config.optimise.locks
    assert asked.config.optimise.locks.out == ("P01",)


def test_prices_as_given_one_alone_leaves_the_other_at_nothing(after: Any) -> None:
    keep = after({"refused": ["P01"]}, keep={"price_per_parcel": 7}).config.optimise.keep
    assert (keep.price_per_mu, keep.price_per_parcel) == (0, 7)


def test_an_owner_refuses_with_all_his_parcels_and_where_none_is_known_it_is_told(after: Any) -> None:
    asked = after({"refused_where": "owner == 'Li 李'", "reason": "Mr Li"})
    assert asked.config.optimise.locks.out == ("P01", "P05")
    event = asked.events[0]
    assert (event.reason, event.parcels, event.area_mu) == ("Mr Li", ("P01", "P05"), pytest.approx(20))
    assert event.in_blocks == {FIRST: pytest.approx(10)}
    told = {n.key: n.values for n in event.notes}
    assert told["replan_undecided"][0] == 5  # owners that nobody knows
    assert told["replan_in_no_block"] == (1, pytest.approx(10), "P05")


def test_done_and_running_projects_stand_by_code_or_by_block(after: Any) -> None:
    locks = after({"done": [FIRST]}, {"running": ["P2-01"]}).config.optimise.locks
    assert [(b.id, b.parcels, b.phase, b.mode) for b in locks.blocks] == [
        (FIRST, ("P00", "P01"), "P1", None),
        (SECOND, ("P02", "P03"), "P2", None),
    ]


def test_a_standing_project_frees_its_parcels_of_other_locks(after: Any, row: PlanContents) -> None:
    locked = after({"lock": {"in": ["P00"], "by": {"P02": "P2"}}}).config
    locks = after({"done": [FIRST]}, contents=replace(row, config=locked)).config.optimise.locks
    assert (locks.in_, locks.by) == ((), {"P02": "P2"})


def test_a_dropped_project_is_locked_out(after: Any) -> None:
    asked = after({"dropped": [SECOND]})
    assert asked.config.optimise.locks.out == ("P02", "P03")


def test_progress_says_what_stands(row: PlanContents, row_folder: Path) -> None:
    entries = Entries({FIRST: Entry(FIRST, "running"), SECOND: Entry(SECOND, "waiting")}, "progress.xlsx")
    asked = replanned_config(row, None, entries, row_folder)
    assert [b.id for b in asked.config.optimise.locks.blocks] == [FIRST]
    assert [(e.kind, e.reason) for e in asked.events] == [("running", "progress.xlsx")]
    entries = Entries({SECOND: Entry(SECOND, "dropped")}, "progress.xlsx")
    assert replanned_config(row, None, entries, row_folder).config.optimise.locks.out == ("P02", "P03")


def test_agreed_takes_back_an_earlier_refusal(row_folder: Path, after: Any, row: PlanContents) -> None:
    refused = after({"refused": ["P01", "P05"]})
    again = after({"agreed": ["P05", "P07"]}, contents=replace(row, config=refused.config))
    assert again.config.optimise.locks.out == ("P01",)
    assert {n.key: n.values for n in again.events[0].notes}["replan_was_free"] == (1, "P07")


def test_targets_change_by_key_and_budgets_need_a_cost(after: Any) -> None:
    asked = after({"target": {"P2": {"target_max_mu": None, "zones": {"east": {"target_mu": 10}}}}})
    phase = asked.config.optimise.phases[1]
    assert (phase.target_mu, phase.target_max_mu, phase.zones["east"].target_mu) == (40, None, 10)
    (issue,) = issues(after, {"budget": {"P1": 5}})
    assert "changes.yaml" in issue or "optimise" in issue
    assert "no `cost` to hold against it" in issue


def test_a_cost_may_come_with_its_budget(after: Any) -> None:
    cost = {"set": {"optimise": {"cost": {"value": "2", "per": "mu"}}}}
    asked = after(cost, {"budget": {"P1": 50}})
    assert asked.config.optimise.phases[0].budget == 50
    assert asked.config.optimise.cost.value == "2"


def test_locks_replace_earlier_ones(after: Any) -> None:
    locks = after({"refused": ["P05"]}, {"lock": {"in": ["P04"], "by": {"P06": "P1"}}}).config.optimise.locks
    assert (locks.in_, locks.out, locks.by) == (("P04",), ("P05",), {"P06": "P1"})


def test_now_settles_the_past(after: Any) -> None:
    """Nothing stands of P1: 20 mu are missing for good, its block slips, all land opens with P2."""
    asked = after({"lock": {"at": {"P04": "P1"}}}, {"now": "P2"})
    spec = asked.config.optimise
    assert [(p.target_mu, p.target_max_mu) for p in spec.phases] == [(0, None), (40, 40)]
    assert [(g.year, g.unknown) for g in spec.earliest] == [("3", "open")]
    assert spec.locks.at == {"P04": "P2"}
    assert [(b.id, b.phase) for b in spec.keep.blocks] == [(FIRST, "P2"), (SECOND, "P2")]
    told = {n.key: n.values for n in asked.events[-1].notes}
    assert told["replan_past_target"] == ("P1", 20, 0, 20)
    assert told["replan_slips"][:4] == (FIRST, "P1-01", "P1", "P2")


def test_now_counts_what_stands(after: Any) -> None:
    asked = after({"done": [FIRST]}, {"now": "P2"})
    assert asked.config.optimise.phases[0].target_mu == 20
    assert [b.phase for b in asked.config.optimise.keep.blocks] == ["P1", "P2"]


def test_paths_in_set_are_relative_to_the_file_of_changes(after: Any, tmp_path: Path, row_folder: Path) -> None:
    asked = after({"set": {"parcels": {"path": "new.gpkg"}, "optimise": {"weights": {"perimeter_per_m": 2}}}})
    assert asked.config.parcels.path == tmp_path / "new.gpkg"
    weights = asked.config.optimise.weights
    assert (weights.value_per_mu, weights.perimeter_per_m) == (100, 2)  # maps merge
    assert "path: new.gpkg" in resolved_yaml(asked.config, tmp_path)
    same = after({"refused": ["P01"]}).config.parcels.path
    assert same == row_folder.parent / "parcels.gpkg"


def test_unknown_names_are_gathered(after: Any) -> None:
    found = issues(
        after,
        {"refused": ["P01", "P99"]},
        {"done": ["R-X-2026-003"]},
        {"target": {"P3": {"target_mu": 1}}},
        {"target": {"P2": {"zones": {"esat": {"target_mu": 1}}}}},
        {"now": "P9"},
        {"refused_where": "owner == 'Lee'"},
        {"refused_where": "ownr == 'Lee'"},
    )
    assert len(found) == 7
    text = "\n".join(found)
    assert "changes.yaml, line" in text
    for said in (
        "P99",
        "R-X-2026-003",
        "phase 'P3'",
        "Did you mean 'east'?",
        "hits no parcel (owner is nowhere 'Lee')",
    ):
        assert said in text
    assert "the field 'ownr'" in text


@pytest.mark.parametrize(
    ("events", "said"),
    [
        ([{"refused": ["P00"]}, {"done": [FIRST]}], "in a project that stands that are also kept out: P00"),
        ([{"done": [FIRST]}, {"dropped": [FIRST]}], "kept out that are also in a project that stands: P00, P01"),
        ([{"refused": ["P00"]}, {"agreed": ["P00"]}], "set free that are also kept out: P00"),
        ([{"refused": ["P00"]}, {"lock": {"in": ["P00"]}}], "locked into the plan that are also kept out: P00"),
        ([{"lock": {"in": ["P00"], "by": {"P00": "P1"}}}], "locked in two ways: P00"),
    ],
)
def test_contradictions(after: Any, events: list[dict[str, Any]], said: str) -> None:
    (issue,) = issues(after, *events)
    assert said in issue
    assert "changes[" in issue


def test_a_project_that_stood_before_cannot_lose_a_parcel_but_can_be_dropped(after: Any, row: PlanContents) -> None:
    stood = replace(row, config=after({"running": [FIRST]}).config)
    (issue,) = issues(after, {"refused": ["P01"]}, contents=stood)
    assert "P01" in issue
    again = after({"dropped": [FIRST]}, contents=stood)
    assert again.config.optimise.locks.blocks == ()
    assert again.config.optimise.locks.out == ("P00", "P01")
    still = after({"refused": ["P05"]}, contents=stood)
    assert [b.id for b in still.config.optimise.locks.blocks] == [FIRST]


def test_what_is_no_configuration_any_more_is_told_with_its_line(after: Any) -> None:
    (issue,) = issues(after, {"target": {"P1": {"target_mu": 50}}})
    assert "targets are cumulative: P2 (40.0 mu) is below P1 (50.0 mu)" in issue
    (issue,) = issues(after, {"set": {"optimise": {"block": {"min_muu": 3}}}})
    assert "changes.yaml, line" in issue
    assert "Did you mean 'min_mu'?" in issue
    (issue,) = issues(after, {"set": {"optimise": {"keep": {"blocks": []}}}})
    assert "optimise.keep" in issue
