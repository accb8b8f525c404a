"""The problem and the solution as JSON, canonical order, and every complaint about an inconsistent problem."""

from __future__ import annotations

import json
from collections.abc import Callable
from copy import deepcopy
from dataclasses import fields, replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geodata.errors import DataError
from planner.problem import (
    PARCEL_ARRAYS,
    Block,
    Phase,
    Plan,
    Problem,
    Target,
    TracePoint,
    check_problem,
)
from planner.problem_json import problem_from_dict, problem_to_dict, solution_to_dict
from tests.planner.optimise.instances import grid_problem, planted_problem, random_problem

Change = Callable[[dict[str, Any]], object]


def same(first: Problem, second: Problem) -> None:
    for f in fields(Problem):
        a, b = getattr(first, f.name), getattr(second, f.name)
        if isinstance(a, np.ndarray):
            assert a.dtype == b.dtype, f.name
            assert a.shape == b.shape, f.name
            assert (a == b).all(), f.name
        else:
            assert a == b, f.name


def sample() -> Problem:
    """Three parcels in a row with everything in use."""
    return grid_problem(
        3,
        1,
        zones=("A", "B"),
        zone=np.array([0, -1, 1]),
        phases=(Phase("P1", 2024, 1.0, 50.0, 2), Phase("P2", 2026, 0.9)),
        targets=(Target("P1", 0, -1, 5.0, 20.0), Target("B", 1, 1, 10.0)),
        link_pairs=np.array([[0, 2]]),
        gap_m=np.array([7.5]),
        filler=np.array([False, True, False]),
        lock_by=np.array([-1, -1, 1]),
        earliest=np.array([0, 2, 1]),
        block_max_mu=25.0,
        within_zone=True,
        filler_max_share=0.25,
        perimeter_per_m=0.5,
        stretch_per_mu=3.0,
    )


# JSON -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize("make", [random_problem, planted_problem])
def test_round_trip_through_text(make: Callable[[int], Problem], seed: int) -> None:
    problem = make(seed)
    text = json.dumps(problem_to_dict(problem), allow_nan=False)
    same(problem_from_dict(json.loads(text)), problem)


def test_round_trip_keeps_what_is_empty() -> None:
    same(problem_from_dict(json.loads(json.dumps(problem_to_dict(grid_problem(1, 1))))), grid_problem(1, 1))


def test_document_by_hand() -> None:
    data = problem_to_dict(sample())
    assert (data["format"], data["version"], data["currency"]) == ("land-consolidation-problem", 1, "CNY")
    assert data["parcels"]["id"] == ["p000", "p001", "p002"]
    assert data["parcels"]["filler"] == [False, True, False]
    assert data["adjacency"] == {"pairs": [[0, 1], [1, 2]], "shared_m": [100.0, 100.0]}
    assert data["links"] == {"pairs": [[0, 2]], "gap_m": [7.5]}
    assert data["phases"][1] == {"id": "P2", "year": 2026, "discount": 0.9, "budget": None, "max_blocks": None}
    assert data["targets"][1] == {"name": "B", "phase": 1, "zone": 1, "floor_mu": 10.0, "stretch_mu": None}
    assert data["block"] == {"min_mu": 10.0, "max_mu": 25.0, "within_zone": True, "filler_max_share": 0.25}
    assert data["weights"] == {"perimeter_per_m": 0.5, "stretch_per_mu": 3.0}


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
    "another format": (change("format", "geojson"), "format 'geojson' version 1"),
    "a later version": (change("version", 2), "version 2"),
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
    "floor as text": change("targets.0.floor_mu", "250"),
    "floor missing": change("targets.0.floor_mu", None),
    "floor not a number": change("targets.0.floor_mu", float("nan")),
    "floor infinite": change("targets.0.floor_mu", float("inf")),
    "floor negative": change("targets.0.floor_mu", -1.0),
    "stretch negative": change("targets.0.stretch_mu", -1.0),
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
    "negative stretch price": ({"stretch_per_mu": -1.0}, "a negative weight or share"),
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


def relation(problem: Problem) -> dict[str, Any]:
    """The problem by parcel id, whatever the order."""
    ids = problem.parcel_ids
    return {
        "parcels": {id_: tuple(getattr(problem, a)[i].item() for a in PARCEL_ARRAYS) for i, id_ in enumerate(ids)},
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
def test_canonical_is_the_same_problem_in_order_of_ids(seed: int) -> None:
    problem = random_problem(seed)
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
    problem = random_problem(seed)
    chosen = np.array(keep[: problem.n])
    part, index = problem.subset(chosen)
    assert index.tolist() == np.flatnonzero(chosen).tolist()
    assert part.parcel_ids == tuple(problem.parcel_ids[i] for i in index)
    whole = relation(problem)
    inside = set(part.parcel_ids)
    mine = relation(part)
    assert mine["parcels"] == {k: v for k, v in whole["parcels"].items() if k in inside}
    assert mine["pairs"] == {k: v for k, v in whole["pairs"].items() if k <= inside}
    assert mine["links"] == {k: v for k, v in whole["links"].items() if k <= inside}
    assert (part.targets, part.phases, part.zones) == (problem.targets, problem.phases, problem.zones)


# plans ------------------------------------------------------------------------------------------------------------


def plan(objective: float, bound: float) -> Plan:
    blocks = (Block((0,), 0), Block((1, 2), 1))
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
    assert (data["format"], data["version"]) == ("land-consolidation-solution", 1)
    assert data["blocks"] == [
        {"phase": 1, "phase_id": "P1", "area_mu": 10.0, "parcel_ids": ["p000"]},
        {"phase": 2, "phase_id": "P2", "area_mu": 20.0, "parcel_ids": ["p001", "p002"]},
    ]
    assert (data["objective"], data["bound"], data["gap"], data["gap_abs"]) == (100.0, 102.0, 0.02, 2.0)
    assert data["trace"][0] == {"seconds": 0.5, "objective": None, "bound": 103.0}
    assert (data["status"], data["stopped_by"], data["rounds"], data["currency"]) == ("feasible", "gap", 3, "CNY")
    assert data["repeatable"] is True
