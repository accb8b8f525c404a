"""Phases and targets of a problem with zones, groups, milestones and floor; the areas they count, by mode."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from planner.config import Config
from planner.modes.timetable import milestones_used
from planner.problem import Target
from planner.targets import counted_areas, phases_of, targets_of
from tests.planner.land_builders import BASE, merged
from tests.planner.mode_land import PHASES, assembled, config_of, fields_of, land_of

ZONES = ("east", "west")


def phased(*phases: dict[str, Any], **optimise: Any) -> dict[str, Any]:
    return {"optimise": {"phases": list(phases), **optimise}}


def targets(config: Config) -> list[Target]:
    steps = milestones_used(config) if config.modes is not None else ()
    return list(targets_of(config, ZONES, steps))


def test_phases_keep_their_limits_and_are_discounted_from_the_base_year() -> None:
    config = config_of(phased({"id": "P1", "year": 1, "max_blocks": 2}, {"id": "P2", "year": 4, "max_blocks": 0}))
    first, second = phases_of(config)
    assert (first.id, first.year, first.max_blocks, first.budget) == ("P1", 1, 2, None)
    assert (second.year, second.max_blocks) == (4, 0)
    assert [first.discount, second.discount] == pytest.approx([1 / 1.1, 1 / 1.1**4])
    paid = Config.model_validate(
        merged(BASE, phased({"id": "P1", "year": 1, "budget": 7}, cost={"value": "1"}, discount_rate=0.0))
    )
    assert [(p.budget, p.discount) for p in phases_of(paid)] == [(7, 1.0)]


def test_targets_come_phase_by_phase_with_zones_then_groups() -> None:
    config = config_of(
        phased(
            {"id": "P1", "year": 1, "target_mu": 10, "zones": {"west": {"target_mu": 5, "stretch_mu": 6}}},
            {"id": "P2", "year": 2, "target_mu": 20, "target_max_mu": 50, "zones": {"east": {"target_max_mu": 30}}},
            groups=[
                {"name": "near", "where": "area_mu > 0", "phases": {"P2": {"target_mu": 8}}},
                {"name": "far", "where": "area_mu > 0", "phases": {"P1": {"stretch_mu": 9}}},
            ],
            weights={"stretch_per_mu": 3},
        )
    )
    found = targets(config)
    assert [(t.name, t.phase, t.zone, t.group, t.floor, t.stretch, t.ceiling) for t in found] == [
        ("P1", 0, -1, -1, 10, None, None),
        ("P1, zone west", 0, 1, -1, 5, 6, None),
        ("P1, group far", 0, -1, 1, 0, 9, None),
        ("P2", 1, -1, -1, 20, None, 50),
        ("P2, zone east", 1, 0, -1, 0, None, 30),
        ("P2, group near", 1, -1, 0, 8, None, None),
    ]
    assert {t.stretch_price for t in found} == {3}
    assert {(t.measure, t.milestone) for t in found} == {("mu", 0)}


def test_a_ceiling_of_nothing_is_a_target() -> None:
    config = config_of(phased({"id": "P1", "year": 1, "zones": {"west": {"target_max_mu": 0}}}))
    (only,) = targets(config)
    assert (only.name, only.floor, only.ceiling) == ("P1, zone west", 0, 0)


def test_each_goal_has_its_own_milestone_and_new_floor_is_a_target_beside_the_area() -> None:
    config = config_of(
        phased(
            {"id": "P1", "year": 1, "target_mu": 10, "target_floor_m2": 500, "milestone": "signed"},
            {
                "id": "P2",
                "year": 2,
                "target_mu": 20,
                "zones": {"east": {"target_floor_m2": 700, "milestone": "built"}, "west": {"target_mu": 1}},
            },
            groups=[{"name": "g", "where": "area_mu > 0", "phases": {"P2": {"target_mu": 8, "milestone": "signed"}}}],
            milestone="demolished",
        )
    )
    assert milestones_used(config) == ("demolished", "signed", "built")
    assert [(t.name, t.measure, t.unit, t.floor, t.milestone) for t in targets(config)] == [
        ("P1", "mu", "mu", 10, 1),
        ("P1, new floor", "floor_m2", "m²", 500, 1),
        ("P2", "mu", "mu", 20, 0),
        ("P2, zone east, new floor", "floor_m2", "m²", 700, 2),
        ("P2, zone west", "mu", "mu", 1, 0),
        ("P2, group g", "mu", "mu", 8, 1),
    ]


def test_the_problem_knows_when_each_mode_reaches_each_milestone_that_is_counted() -> None:
    """*clear* is levelled after 12 months and built after 24, *keep* is built after 15; phases begin at 0, 1 and 3."""
    last = {**PHASES[2], "milestone": "built"}
    problem = assembled(config_of(phased(*PHASES[:2], last)))[0].problem
    clear, keep = problem.modes
    assert clear.done == ((0, 1, 2), (1, 1, 3))  # built at 2, 3 and 5; the phases end with the years 1, 3 and 4
    assert keep.done == ((3, 3, 3), (1, 1, 3))  # never levelled; built at 1.25, 2.25 and 4.25
    assert [t.milestone for t in problem.targets] == [0, 0, 1]


def test_without_modes_targets_have_no_milestones() -> None:
    config = Config.model_validate(merged(BASE))
    assert [(t.name, t.floor, t.milestone) for t in targets(config)] == [("P1", 30, 0), ("P2", 60, 0)]


@pytest.mark.parametrize("n_modes", [1, 3])
def test_areas_that_targets_count_are_the_same_in_each_mode_and_unknown_ones_close(n_modes: int) -> None:
    config = config_of(
        phased(
            {"id": "P1", "year": 1, "target_mu": 10, "counts": "boundary", "zones": {"west": {"counts": "accepted"}}},
        )
    )
    fields = fields_of(land_of()).assign(
        boundary_mu=[11.0, np.nan, *[12.0] * 10],
        accepted_mu=[9.0, 8.0, -1.0, *[7.0] * 9],  # less than nothing is left once strips are taken off
        cleared_mu=np.nan,  # counted by no target
    )
    undecided: dict[str, list[str]] = {}
    arrays, closed = counted_areas(config, fields, undecided, n_modes)
    assert set(arrays) == {"mode_boundary_mu", "mode_accepted_mu"}
    assert arrays["mode_boundary_mu"].shape == (12, n_modes)
    for m in range(n_modes):
        assert arrays["mode_boundary_mu"][:3, m].tolist() == [11.0, 0.0, 12.0]
        assert arrays["mode_accepted_mu"][:3, m].tolist() == [9.0, 8.0, 0.0]
    assert np.flatnonzero(closed).tolist() == [1]
    assert undecided == {"boundary area": ["P01"]}


def test_net_area_needs_no_array() -> None:
    undecided: dict[str, list[str]] = {}
    arrays, closed = counted_areas(config_of(), fields_of(land_of()), undecided, 2)
    assert arrays == {}
    assert not closed.any()
    assert undecided == {}


def test_targets_of_the_problem_name_its_zones_and_groups() -> None:
    config = config_of(
        phased(
            {"id": "P1", "year": 1, "zones": {"west": {"target_mu": 10, "milestone": "signed"}}},
            groups=[{"name": "thin", "where": "far < 0.45", "phases": {"P1": {"target_floor_m2": 100}}}],
        )
    )
    problem = assembled(config)[0].problem
    west, thin = problem.targets
    assert problem.zones[west.zone] == "west"
    assert problem.modes[0].done[west.milestone] == (0,)
    assert problem.groups[thin.group].name == "thin"
    assert problem.groups[thin.group].members.tolist() == [0.3 + 0.1 * (k % 7) < 0.45 for k in range(12)]
    assert (thin.measure, thin.floor) == ("floor_m2", 100)
