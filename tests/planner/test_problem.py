"""The problem and the solution as JSON, canonical order, and every complaint about an inconsistent problem."""

from __future__ import annotations

import json
from collections.abc import Callable
from copy import deepcopy
from dataclasses import fields, is_dataclass, replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geodata.errors import DataError
from planner.problem import (
    OPTIONAL_ARRAYS,
    PARCEL_ARRAYS,
    Block,
    BlockRule,
    Group,
    Mode,
    Phase,
    Plan,
    Problem,
    Resource,
    Target,
    TracePoint,
)
from planner.problem_checks import check_problem
from planner.problem_json import problem_from_dict, problem_to_dict, solution_to_dict
from tests.planner.optimise.instances import grid_problem, planted_problem, random_problem
from tests.planner.optimise.keeping import kept_problem
from tests.planner.optimise.rich import rich_problem
from tests.planner.optimise.signed import signed_problem

Change = Callable[[dict[str, Any]], object]


def same(first: object, second: object, where: str = "problem") -> None:
    """Equal in every field, arrays in type and shape too."""
    if isinstance(first, np.ndarray):
        assert isinstance(second, np.ndarray), where
        assert first.dtype == second.dtype, where
        assert first.shape == second.shape, where
        assert (first == second).all(), where
    elif is_dataclass(first):
        assert type(first) is type(second), where
        for f in fields(first):
            same(getattr(first, f.name), getattr(second, f.name), f"{where}.{f.name}")
    elif isinstance(first, tuple):
        assert isinstance(second, tuple), where
        assert len(first) == len(second), where
        for k, (a, b) in enumerate(zip(first, second, strict=True)):
            same(a, b, f"{where}[{k}]")
    else:
        assert first == second, where


GAP = np.arange(12.0).reshape(3, 2, 2) - 4.0
TIMING = np.arange(24.0).reshape(3, 2, 2, 2) / 8.0 - 1.0
"""By period, phase, mode and part."""


def sample() -> Problem:
    """Three parcels in a row with everything in use."""
    return grid_problem(
        3,
        1,
        zones=("A", "B"),
        zone=np.array([0, -1, 1]),
        phases=(Phase("P1", 2024, 1.0, 50.0, 2), Phase("P2", 2026, 0.9)),
        targets=(
            Target("P1", 0, -1, 5.0, 20.0, 3.0),
            Target("B", 1, 1, 10.0, ceiling=90.0, group=1, measure="floor_m2"),
            Target("parks", 1, -1, 1.0, group=0, measure="blocks", project_min_mu=12.5, milestone=1),
        ),
        link_pairs=np.array([[0, 2]]),
        gap_m=np.array([7.5]),
        filler=np.array([False, True, False]),
        lock_by=np.array([-1, -1, 1]),
        earliest=np.array([0, 2, 1]),
        block_max_mu=25.0,
        within_zone=True,
        filler_max_share=0.25,
        perimeter_per_m=0.5,
        modes=(Mode("clear", 1, ((0, 1), (1, 2))), Mode("renew")),
        mode_benefit=np.array([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]),
        mode_cost=np.full((3, 2), 1.5),
        mode_open=np.array([[True, False], [True, True], [False, True]]),
        mode_floor_m2=np.array([[0.0, 100.0], [200.0, 300.0], [0.0, 0.0]]),
        villages=("V", "W"),
        village=np.array([0, 1, -1]),
        max_villages=1,
        block_rules=(
            BlockRule("signed", "mu", np.array([10.0, 0.0, 10.0]), 0.5, np.full(3, 10.0), (1,)),
            BlockRule("access", "m", np.array([0.0, 30.0, 0.0]), 20.0),
        ),
        resources=(
            Resource("decant", "m2", np.array([5.0, 0.0, 7.0]), (9.0, None)),
            Resource("gap", "CNY", GAP, (-4.0, None, 9.5), ("year 1", "year 2", "later"), TIMING),
        ),
        groups=(Group("circle", np.array([True, True, False])), Group("town", np.array([True, False, True]))),
        fixed=(Block((0,), 1, 1),),
        rolling=True,
        existing_from=np.array([2, 0, 1]),
        before=(Block((0, 2), 1), Block((1,), 0, 1)),
        change_price=np.array([0.0, 2.5, 4.0]),
    )


# JSON -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize("make", [random_problem, planted_problem, rich_problem, signed_problem, kept_problem])
def test_round_trip_through_text(make: Callable[[int], Problem], seed: int) -> None:
    problem = make(seed)
    text = json.dumps(problem_to_dict(problem), allow_nan=False)
    same(problem_from_dict(json.loads(text)), problem)


def test_round_trip_of_everything() -> None:
    same(problem_from_dict(json.loads(json.dumps(problem_to_dict(sample()), allow_nan=False))), sample())


def test_round_trip_keeps_what_is_empty() -> None:
    same(problem_from_dict(json.loads(json.dumps(problem_to_dict(grid_problem(1, 1))))), grid_problem(1, 1))


def test_document_by_hand() -> None:
    data = problem_to_dict(sample())
    assert (data["format"], data["version"], data["currency"]) == ("land-consolidation-problem", 2, "CNY")
    assert data["parcels"]["id"] == ["p000", "p001", "p002"]
    assert data["parcels"]["filler"] == [False, True, False]
    assert data["adjacency"] == {"pairs": [[0, 1], [1, 2]], "shared_m": [100.0, 100.0]}
    assert data["links"] == {"pairs": [[0, 2]], "gap_m": [7.5]}
    assert data["phases"][1] == {"id": "P2", "year": 2026, "discount": 0.9, "budget": None, "max_blocks": None}
    assert data["targets"][1] == {
        "name": "B", "phase": 1, "zone": 1, "floor": 10.0, "stretch": None, "stretch_price": 0.0, "ceiling": 90.0,
        "group": 1, "measure": "floor_m2", "project_min_mu": 0.0,
    }  # fmt: skip
    assert data["targets"][2]["milestone"] == 1
    assert data["block"] == {
        "min_mu": 10.0, "max_mu": 25.0, "within_zone": True, "filler_max_share": 0.25, "max_villages": 1,
    }  # fmt: skip
    assert data["weights"] == {"perimeter_per_m": 0.5}
    assert data["modes"] == [{"id": "clear", "duration": 1, "done": [[0, 1], [1, 2]]}, {"id": "renew", "duration": 0}]
    assert data["parcels"]["mode_open"] == [[True, False], [True, True], [False, True]]
    assert data["parcels"]["existing_from"] == [2, 0, 1]
    assert (data["villages"], data["parcels"]["village"]) == (["V", "W"], [0, 1, -1])
    assert data["block_rules"][0] == {
        "name": "signed", "unit": "mu", "amount": [10.0, 0.0, 10.0], "least": 0.5, "share_of": [10.0, 10.0, 10.0],
        "modes": [1],
    }  # fmt: skip
    plain, gap = data["resources"]
    assert plain == {"name": "decant", "unit": "m2", "use": [5.0, 0.0, 7.0], "limits": [9.0, None]}
    assert (gap["limits"], gap["periods"]) == ([-4.0, None, 9.5], ["year 1", "year 2", "later"])
    assert gap["use"][1] == [[0.0, 1.0], [2.0, 3.0]]
    assert gap["timing"][2][0] == [[1.0, 1.125], [1.25, 1.375]]
    assert data["groups"][1] == {"name": "town", "members": [True, False, True]}
    assert data["fixed"] == [{"parcels": [0], "phase": 1, "mode": 1}]
    assert data["rolling"] is True
    assert data["before"] == [{"parcels": [0, 2], "phase": 1, "mode": 0}, {"parcels": [1], "phase": 0, "mode": 1}]
    assert data["parcels"]["change_price"] == [0.0, 2.5, 4.0]
    assert "change_settled" not in data
    assert problem_to_dict(replace(sample(), change_settled=True))["change_settled"] is True


def test_without_a_plan_before_nothing_is_written_of_one() -> None:
    data = problem_to_dict(grid_problem(2, 1))
    assert not {"before", "change_settled"} & set(data)
    assert "change_price" not in data["parcels"]


def test_writing_changes_nothing_later() -> None:
    """The document is a copy: editing it leaves the problem alone."""
    problem = sample()
    data = problem_to_dict(problem)
    data["phases"][0]["budget"] = 0.0
    data["parcels"]["area_mu"][0] = 99.0
    assert problem.phases[0].budget == 50.0
    assert problem.area_mu[0] == 10.0


def change(path: str, value: object) -> Change:
    """Set one entry of the document, 'parcels.area_mu.0' say."""

    def apply(data: dict[str, Any]) -> None:
        *way, last = [int(p) if p.isdigit() else p for p in path.split(".")]
        at: Any = data
        for p in way:
            at = at[p]
        at[last] = value

    return apply


def drop(path: str) -> Change:
    def apply(data: dict[str, Any]) -> None:
        *way, last = path.split(".")
        at: Any = data
        for p in way:
            at = at[p]
        del at[last]

    return apply


def extra(data: dict[str, Any]) -> None:
    data["phases"][0]["colour"] = "red"


SPOILT: dict[str, tuple[Change, str]] = {
    "another format": (change("format", "geojson"), "format 'geojson' version 2"),
    "an earlier version": (change("version", 1), "version 1"),
    "a later version": (change("version", 3), "version 3"),
    "no parcels": (drop("parcels"), "no key 'parcels'"),
    "no areas": (drop("parcels.area_mu"), "no key 'area_mu'"),
    "no phases": (drop("phases"), "no key 'phases'"),
    "no block": (drop("block.min_mu"), "no key 'min_mu'"),
    "no weights": (drop("weights"), "no key 'weights'"),
    "no currency": (drop("currency"), "no key 'currency'"),
    "unknown key of a phase": (extra, "colour"),
    "areas too short": (change("parcels.area_mu", [1.0, 2.0]), "parcels.area_mu: found list of length 2"),
    "areas as text": (change("parcels.area_mu.0", "ten"), "parcels.area_mu"),
    "areas as a number": (change("parcels.area_mu", 10.0), "parcels.area_mu"),
    "areas not finite": (change("parcels.area_mu.0", float("nan")), "not finite"),
    "benefit infinite": (change("parcels.benefit.0", float("inf")), "not finite"),
    "filler as numbers": (change("parcels.filler", [0, 1, 0]), "parcels.filler"),
    "zone as fractions": (change("parcels.zone", [0.5, 0.0, 0.0]), "parcels.zone"),
    "ragged pairs": (change("adjacency.pairs", [[0, 1], [1]]), "adjacency.pairs"),
    "triples for pairs": (change("adjacency.pairs", [[0, 1, 2]]), "adjacency.pairs"),
    "flat pairs": (change("adjacency.pairs", [0, 1]), "adjacency.pairs"),
    "lengths of contacts": (change("adjacency.shared_m", [100.0]), "adjacency.shared_m: found list of length 1"),
    "lengths of links": (change("links.gap_m", []), "links.gap_m"),
    "no modes": (drop("modes"), "no key 'modes'"),
    "floor area of one mode": (change("parcels.mode_floor_m2", [[1.0], [2.0], [3.0]]), "parcels.mode_floor_m2"),
    "modes allowed as numbers": (change("parcels.mode_open", [[1, 0], [1, 1], [0, 1]]), "parcels.mode_open"),
    "villages as text": (change("parcels.village", ["V", "W", "V"]), "parcels.village"),
    "members too short": (change("groups.0.members", [True]), "groups.circle.members: found list of length 1"),
    "members as numbers": (change("groups.0.members", [1, 1, 0]), "groups.circle.members"),
    "use as text": (change("resources.0.use.1", "x"), "resources.decant.use"),
    "amount not finite": (change("block_rules.0.amount.0", float("nan")), "block_rules"),
    "a share of too few": (change("block_rules.0.share_of", [1.0]), "block_rules.signed.share_of"),
    "a negative limit without timing": (change("resources.0.limits", [-1.0, 2.0]), "0 or more without timing"),
    "use of one mode": (change("resources.1.use", [[[1.0, 2.0]]] * 3), "resources.gap.use: found shape (3, 1, 2)"),
    "use by parcel with timing": (change("resources.1.use", [1.0, 2.0, 3.0]), "resources.gap.use: found lists"),
    "ragged use": (change("resources.1.use.0.0", [1.0]), "resources.gap.use: found lists"),
    "timing as text": (change("resources.1.timing.0.0.0", ["x", "y"]), "resources.gap.timing"),
    "timing of one period": (
        change("resources.1.timing", [[[[1.0, 1.0]] * 2] * 2]),
        "resources.gap.timing: found shape",
    ),
    "a period without a name": (change("resources.1.periods", ["a", "b"]), "resources.gap.periods: found shape (2,)"),
    "no names of periods": (change("resources.1.periods", []), "gap.periods"),
    "periods of one name": (change("resources.1.periods", ["a", "a", "b"]), "resources.gap.periods: found twice: a"),
    "timing not finite": (change("resources.1.timing.0.0.0.0", float("nan")), "resources.gap.timing"),
    "done as text": (change("modes.0.done", [["0", "1"], [1, 2]]), "modes.0.done"),
    "a milestone as a fraction": (change("targets.2.milestone", 0.5), "targets.2.milestone"),
    "a limit of too many phases": (change("resources.0.limits", [1.0, 2.0, 3.0]), "resources.decant.limits"),
    "an unknown measure": (change("targets.0.measure", "ha"), "targets.0.measure"),
    "an unknown array": (change("parcels.colour", [1, 2, 3]), "colour"),
    "prices of too few changes": (change("parcels.change_price", [1.0]), "parcels.change_price"),
    "a price of changes unknown": (change("parcels.change_price.0", float("nan")), "not finite"),
    "a plan before without prices": (drop("parcels.change_price"), "no parcels.change_price"),
    "a plan before without modes": (change("before.0", {"parcels": [0], "phase": 0}), "before.0.mode"),
    "settled as a number": (change("change_settled", 1), "change_settled"),
    "size as text": (change("block.min_mu", "small"), "block.min_mu: found 'small'"),
}


@pytest.mark.parametrize("name", SPOILT)
def test_spoilt_document_is_refused(name: str) -> None:
    spoil, words = SPOILT[name]
    data = deepcopy(problem_to_dict(sample()))
    spoil(data)
    with pytest.raises(DataError) as caught:
        problem_from_dict(data)
    assert words in str(caught.value)
    assert all(i.where.startswith("problem") and i.found and i.expected and i.fix for i in caught.value.issues)


@pytest.mark.parametrize("data", [None, [], "problem", 3, {}])
def test_something_else_is_refused(data: object) -> None:
    with pytest.raises(DataError, match=r"Use a problem\.json written by this program"):
        problem_from_dict(data)


SPOILT_LIMITS: dict[str, Change] = {
    "floor as text": change("targets.0.floor", "250"),
    "floor missing": change("targets.0.floor", None),
    "floor not a number": change("targets.0.floor", float("nan")),
    "floor infinite": change("targets.0.floor", float("inf")),
    "floor negative": change("targets.0.floor", -1.0),
    "stretch negative": change("targets.0.stretch", -1.0),
    "stretch price negative": change("targets.0.stretch_price", -1.0),
    "ceiling negative": change("targets.0.ceiling", -1.0),
    "project size negative": change("targets.2.project_min_mu", -1.0),
    "group a fraction": change("targets.1.group", 0.5),
    "duration negative": change("modes.0.duration", -1),
    "duration a fraction": change("modes.0.duration", 0.5),
    "resource limit negative": change("resources.0.limits.0", -1.0),
    "least as text": change("block_rules.0.least", "half"),
    "parcel of a fixed block as id": change("fixed.0.parcels", ["p000"]),
    "rolling as text": change("rolling", "yes"),
    "phase of a target missing": change("targets.0.phase", None),
    "phase of a target a fraction": change("targets.0.phase", 0.5),
    "budget as text": change("phases.0.budget", "much"),
    "budget negative": change("phases.0.budget", -5.0),
    "budget not a number": change("phases.0.budget", float("nan")),
    "max_blocks negative": change("phases.0.max_blocks", -1),
    "max_blocks a fraction": change("phases.0.max_blocks", 1.5),
    "discount as text": change("phases.0.discount", "low"),
    "gap negative": change("links.gap_m", [-1.0]),
    "weight not a number": change("weights.perimeter_per_m", float("nan")),
    "largest size infinite": change("block.max_mu", float("inf")),
    "within_zone as text": change("block.within_zone", "no"),
}


@pytest.mark.parametrize("name", SPOILT_LIMITS)
def test_spoilt_figures_of_phases_and_targets_are_refused(name: str) -> None:
    data = deepcopy(problem_to_dict(sample()))
    SPOILT_LIMITS[name](data)
    with pytest.raises(DataError):
        problem_from_dict(data)


# consistency ------------------------------------------------------------------------------------------------------

INCONSISTENT: dict[str, tuple[dict[str, Any], str]] = {
    "pair beyond the last parcel": ({"pairs": np.array([[0, 3], [1, 2]])}, "adjacency.pairs: found 3; expected 0 to 2"),
    "negative pair": ({"pairs": np.array([[-1, 1], [1, 2]])}, "adjacency.pairs: found -1"),
    "link beyond": ({"link_pairs": np.array([[0, 9]])}, "links.pairs: found 9"),
    "zone beyond": ({"zone": np.array([0, 2, 1])}, "parcels.zone: found 2; expected -1 to 1"),
    "earliest beyond": ({"earliest": np.array([0, 3, 0])}, "parcels.earliest: found 3; expected 0 to 2"),
    "lock beyond": ({"lock_by": np.array([-1, -1, 2])}, "parcels.lock_by: found 2; expected -1 to 1"),
    "phase of a target beyond": ({"targets": (Target("x", 2, -1, 1.0),)}, "targets.phase: found 2"),
    "zone of a target beyond": ({"targets": (Target("x", 0, 5, 1.0),)}, "targets.zone: found 5"),
    "pair the wrong way": ({"pairs": np.array([[1, 0], [1, 2]])}, "a pair (i, j) with i ≥ j"),
    "pair with itself": ({"pairs": np.array([[1, 1], [1, 2]])}, "a pair (i, j) with i ≥ j"),
    "link the wrong way": ({"link_pairs": np.array([[2, 0]])}, "links.pairs: found a pair (i, j)"),
    "pair twice": ({"pairs": np.array([[0, 1], [0, 1]])}, "a pair twice"),
    "no phases": ({"phases": (), "targets": (), "lock_by": np.full(3, -1), "earliest": np.zeros(3)}, "0 phases"),
    "ids twice": ({"parcel_ids": ("a", "b", "a")}, "twice: a"),
    "area of nothing": ({"area_mu": np.array([10.0, 0.0, 10.0])}, "parcels.area_mu: found 0.0; expected positive"),
    "negative perimeter": ({"perimeter_m": np.array([1.0, -2.0, 1.0])}, "parcels.perimeter_m: found -2.0"),
    "negative shared boundary": ({"shared_m": np.array([1.0, -3.0])}, "adjacency.shared_m: found -3.0"),
    "sizes swapped": ({"block_min_mu": 30.0}, "min_mu 30.0, max_mu 25.0"),
    "negative size": ({"block_min_mu": -1.0}, "0 ≤ min ≤ max"),
    "share above one": ({"filler_max_share": 1.5}, "a negative weight or share"),
    "negative share": ({"filler_max_share": -0.1}, "a negative weight or share"),
    "negative boundary weight": ({"perimeter_per_m": -1.0}, "a negative weight or share"),
    "negative stretch price": ({"targets": (Target("x", 0, -1, 0.0, 9.0, -1.0),)}, "targets.stretch_price: found -1"),
    "ceiling below floor": ({"targets": (Target("x", 0, -1, 9.0, ceiling=8.0),)}, "x: ceiling 8 below floor 9"),
    "negative ceiling": ({"targets": (Target("x", 0, -1, 0.0, ceiling=-8.0),)}, "targets.ceiling: found -8"),
    "group of a target beyond": ({"targets": (Target("x", 0, -1, 0.0, group=2),)}, "targets.group: found 2"),
    "floor area unknown": ({"mode_floor_m2": None}, "floor_m2 without mode_floor_m2"),
    "negative floor area": ({"mode_floor_m2": np.full((3, 2), -1.0)}, "parcels.mode_floor_m2: found -1.0"),
    "benefit of one mode": ({"mode_benefit": np.ones((3, 1))}, "parcels.mode_benefit: found shape (3, 1)"),
    "no modes": ({"modes": ()}, "0 modes"),
    "modes twice": ({"modes": (Mode("a"), Mode("a"))}, "modes: found twice: a"),
    "village beyond": ({"village": np.array([0, 2, 1])}, "parcels.village: found 2"),
    "villages without names": ({"village": None}, "no villages"),
    "no village at all": ({"max_villages": 0}, "max_villages 0"),
    "members of another land": ({"groups": (Group("g", np.ones(2, dtype=bool)),), "targets": ()}, "groups.g.members"),
    "groups twice": ({"groups": (Group("g", np.ones(3, dtype=bool)),) * 2}, "groups: found twice: g"),
    "use of another land": ({"resources": (Resource("r", "m2", np.ones(2), (1.0, 1.0)),)}, "resources.r.use"),
    "limits of other phases": ({"resources": (Resource("r", "m2", np.ones(3), (1.0,)),)}, "resources.r.limits"),
    "limits of other periods": (
        {"resources": (Resource("r", "m2", GAP, (1.0,) * 4, ("a", "b", "c", "d"), TIMING),)},
        "resources.r.timing",
    ),
    "use not known": (
        {"resources": (Resource("r", "m2", GAP * np.nan, (1.0,) * 3, ("a", "b", "c"), TIMING),)},
        "resources.r.use: found a number that is not finite",
    ),
    "milestone of a target beyond": (
        {"targets": (Target("x", 0, -1, 1.0, milestone=2),)},
        "modes.clear.done: found 2 milestones, but",
    ),
    "milestone below the first": ({"targets": (Target("x", 0, -1, 1.0, milestone=-1),)}, "targets.milestone: found x"),
    "done in too few phases": (
        {"modes": (Mode("clear", 0, ((0, 1), (1,))), Mode("renew"))},
        "modes.clear.done[1]: found 1 entries",
    ),
    "done before it begins": (
        {"modes": (Mode("clear", 0, ((0, 1), (1, 0))), Mode("renew"))},
        "clear.done[1]: found phase 1 is done in 0",
    ),
    "done beyond": ({"modes": (Mode("clear", 0, ((0, 1), (1, 3))), Mode("renew"))}, "phase 1 is done in 3"),
    "done earlier the later it begins": (
        {"modes": (Mode("clear", 0, ((2, 1), (1, 2))), Mode("renew"))},
        "no later block is done earlier",
    ),
    "negative use": ({"resources": (Resource("r", "m2", -np.ones(3), (1.0, 1.0)),)}, "resources.r.use: found -1.0"),
    "rule of another land": ({"block_rules": (BlockRule("b", "m", np.ones(2), 1.0),)}, "block_rules.b.amount"),
    "rule for a mode beyond": (
        {"block_rules": (BlockRule("b", "m", np.ones(3), 1.0, None, (2,)),)},
        "block_rules.modes",
    ),
    "fixed in a phase beyond": ({"fixed": (Block((0,), 2),)}, "fixed.phase: found 2"),
    "fixed in a mode beyond": ({"fixed": (Block((0,), 0, 2),)}, "fixed.mode: found 2"),
    "fixed parcel beyond": ({"fixed": (Block((3,), 0),)}, "fixed.parcels: found 3"),
    "fixed twice": ({"fixed": (Block((0,), 0), Block((0, 1), 1))}, "in two blocks: p000"),
    "fixed nothing": ({"fixed": (Block((), 0),)}, "a block without parcels"),
    "before in a phase beyond": ({"before": (Block((0,), 2),)}, "before.phase: found 2"),
    "before in a mode beyond": ({"before": (Block((0,), 0, 2),)}, "before.mode: found 2"),
    "before parcel beyond": ({"before": (Block((3,), 0),)}, "before.parcels: found 3"),
    "before twice": ({"before": (Block((0,), 0), Block((0, 1), 1))}, "problem, before: found in two blocks: p000"),
    "before nothing": ({"before": (Block((), 0),)}, "problem, before: found a block without parcels"),
    "before without prices": ({"change_price": None}, "no parcels.change_price"),
    "negative price of a change": ({"change_price": np.array([0.0, -1.0, 0.0])}, "parcels.change_price: found -1.0"),
    "endless price of a change": ({"change_price": np.array([0.0, np.inf, 0.0])}, "change_price: found a number that"),
    "prices of another land": ({"change_price": np.ones(2)}, "parcels.change_price: found shape (2,)"),
    "existing in a phase beyond": ({"existing_from": np.array([0, 3, 0])}, "parcels.existing_from: found 3"),
    "discount of nothing": ({"phases": (Phase("P1", 1, 0.0), Phase("P2", 2, 0.5))}, "a factor outside (0, 1]"),
    "discount above one": ({"phases": (Phase("P1", 1, 1.1), Phase("P2", 2, 0.5))}, "a factor outside (0, 1]"),
}


@pytest.mark.parametrize("name", INCONSISTENT)
def test_inconsistent_problem_is_refused(name: str) -> None:
    changes, words = INCONSISTENT[name]
    check_problem(sample())
    with pytest.raises(DataError) as caught:
        check_problem(replace(sample(), **changes))
    assert words in str(caught.value)


def test_no_parcels_is_refused() -> None:
    nothing = problem_to_dict(grid_problem(1, 1))
    nothing["parcels"] = {name: [] for name in nothing["parcels"]}
    with pytest.raises(DataError, match="0 parcels, 1 phases"):
        problem_from_dict(nothing)


def test_all_complaints_come_at_once() -> None:
    bad = replace(
        sample(), area_mu=np.array([10.0, -1.0, 10.0]), zone=np.array([0, 7, 1]), parcel_ids=("a", "a", "b"),
        block_min_mu=99.0,
    )  # fmt: skip
    with pytest.raises(DataError) as caught:
        check_problem(bad)
    assert len(caught.value.issues) == 4


# order and parts --------------------------------------------------------------------------------------------------


def by_parcel(problem: Problem) -> list[Any]:
    """Everything that has an entry for each parcel."""
    arrays = [getattr(problem, name) for name in (*PARCEL_ARRAYS, *OPTIONAL_ARRAYS)]
    arrays += [g.members for g in problem.groups] + [r.use for r in problem.resources]
    arrays += [a for r in problem.block_rules for a in (r.amount, r.share_of)]
    return [a for a in arrays if a is not None]


def relation(problem: Problem) -> dict[str, Any]:
    """The problem by parcel id, whatever the order."""
    ids = problem.parcel_ids
    return {
        "parcels": {id_: tuple(np.asarray(a)[i].tolist() for a in by_parcel(problem)) for i, id_ in enumerate(ids)},
        "fixed": [({ids[i] for i in b.parcels}, b.phase, b.mode) for b in problem.fixed],
        "before": [({ids[i] for i in b.parcels}, b.phase, b.mode) for b in problem.before],
        "pairs": {
            frozenset((ids[i], ids[j])): s
            for (i, j), s in zip(problem.pairs.tolist(), problem.shared_m.tolist(), strict=True)
        },
        "links": {
            frozenset((ids[i], ids[j])): g
            for (i, j), g in zip(problem.link_pairs.tolist(), problem.gap_m.tolist(), strict=True)
        },
    }


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize("make", [random_problem, rich_problem, signed_problem, kept_problem])
def test_canonical_is_the_same_problem_in_order_of_ids(make: Callable[[int], Problem], seed: int) -> None:
    problem = make(seed)
    canonical, order = problem.canonical()
    assert list(canonical.parcel_ids) == sorted(problem.parcel_ids)
    assert [problem.parcel_ids[i] for i in order] == list(canonical.parcel_ids)
    assert relation(canonical) == relation(problem)
    assert canonical.pairs.tolist() == sorted(canonical.pairs.tolist())
    check_problem(canonical)
    again, identity = canonical.canonical()
    assert identity.tolist() == list(range(problem.n))
    same(again, canonical)


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 500), keep=st.lists(st.booleans(), min_size=12, max_size=12))
def test_subset_is_the_induced_part(seed: int, keep: list[bool]) -> None:
    problem = (random_problem, rich_problem, signed_problem, kept_problem)[seed % 4](seed)
    chosen = np.array(keep[: problem.n])
    chosen[[i for b in problem.fixed for i in b.parcels]] = True
    part, index = problem.subset(chosen)
    assert index.tolist() == np.flatnonzero(chosen).tolist()
    assert part.parcel_ids == tuple(problem.parcel_ids[i] for i in index)
    whole = relation(problem)
    inside = set(part.parcel_ids)
    mine = relation(part)
    assert mine["parcels"] == {k: v for k, v in whole["parcels"].items() if k in inside}
    assert mine["pairs"] == {k: v for k, v in whole["pairs"].items() if k <= inside}
    assert mine["links"] == {k: v for k, v in whole["links"].items() if k <= inside}
    before = [({i for i in ids if i in inside}, phase, mode) for ids, phase, mode in whole["before"]]
    assert mine["before"] == [b for b in before if b[0]]
    assert (part.targets, part.phases, part.zones) == (problem.targets, problem.phases, problem.zones)


def test_fixed_blocks_cannot_be_left_out() -> None:
    with pytest.raises(ValueError, match="parcels of fixed blocks cannot be left out: p000"):
        sample().subset(np.array([False, True, True]))


# plans ------------------------------------------------------------------------------------------------------------


def plan(objective: float, bound: float) -> Plan:
    blocks = (Block((0,), 0, 1), Block((1, 2), 1))
    trace = (TracePoint(0.5, None, bound + 1), TracePoint(1.0, objective, bound))
    return Plan(blocks, objective, bound, "cuts", "feasible", "gap", 3, True, trace)


@pytest.mark.parametrize(
    ("objective", "bound", "gap", "gap_abs"),
    [(100.0, 102.0, 0.02, 2.0), (-100.0, -98.0, 0.02, 2.0), (0.0, 5.0, None, 5.0), (10.0, 10.0, 0.0, 0.0)],
)
def test_gap(objective: float, bound: float, gap: float | None, gap_abs: float) -> None:
    answer = plan(objective, bound)
    assert answer.gap == pytest.approx(gap) if gap is not None else answer.gap is None
    assert answer.gap_abs == pytest.approx(gap_abs)


def test_solution_by_hand() -> None:
    data = json.loads(json.dumps(solution_to_dict(sample(), plan(100.0, 102.0)), allow_nan=False))
    assert (data["format"], data["version"]) == ("land-consolidation-solution", 2)
    assert data["blocks"] == [
        {"phase": 1, "phase_id": "P1", "mode": "renew", "area_mu": 10.0, "parcel_ids": ["p000"]},
        {"phase": 2, "phase_id": "P2", "mode": "clear", "area_mu": 20.0, "parcel_ids": ["p001", "p002"]},
    ]
    assert (data["objective"], data["bound"], data["gap"], data["gap_abs"]) == (100.0, 102.0, 0.02, 2.0)
    assert data["trace"][0] == {"seconds": 0.5, "objective": None, "bound": 103.0}
    assert (data["status"], data["stopped_by"], data["rounds"], data["currency"]) == ("feasible", "gap", 3, "CNY")
    assert data["repeatable"] is True
