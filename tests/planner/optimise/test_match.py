"""Projects to blocks: by hand, against all matches, and that none breaks a limit."""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from planner.optimise.match import Match, match

Project = tuple[float, float, float, float]
"""Worth, land, frontage, latest time."""
Place = tuple[float, float, float]
"""Land, frontage, time of supply."""


def matched(projects: list[Project], places: list[Place], **limits: Any) -> Match:
    worth, site, front, by = (np.array([p[k] for p in projects], dtype=float) for k in range(4))
    land, frontage, supplied = (np.array([p[k] for p in places], dtype=float) for k in range(3))
    return match(
        worth=worth,
        site=site,
        frontage=front,
        allowed=supplied[None, :] <= by[:, None],
        land=land,
        front=frontage,
        waiting=np.maximum(supplied[None, :] - supplied.min(initial=np.inf), 0.0).repeat(len(projects), axis=0),
        **limits,
    )


def rank(projects: list[Project], places: list[Place], chosen: tuple[int, ...]) -> tuple[float, ...] | None:
    """The aims of a match, each to be large; None where it breaks a limit."""
    for b, (land, front, _) in enumerate(places):
        mine = [projects[p] for p, c in enumerate(chosen) if c == b]
        if sum(p[1] for p in mine) > land + 1e-9 or sum(p[2] for p in mine) > front + 1e-9:
            return None
    if any(c >= 0 and places[c][2] > projects[p][3] for p, c in enumerate(chosen)):
        return None
    taken = [c for c in chosen if c >= 0]
    return (
        sum(projects[p][0] for p, c in enumerate(chosen) if c >= 0),
        len(taken),
        -sum(places[c][2] - min(p[2] for p in places) for c in taken),
        -sum(places[c][0] for c in taken),
    )


def best(projects: list[Project], places: list[Place]) -> tuple[float, ...]:
    every = product(range(-1, len(places)), repeat=len(projects))
    return max(r for chosen in every if (r := rank(projects, places, chosen)) is not None)


def test_two_small_ones_beat_one_large_one() -> None:
    """100 mu: 60 and 40 are worth 3 + 3, the one that needs all of it 5."""
    got = matched([(5, 100, 0, 9), (3, 60, 0, 9), (3, 40, 0, 9)], [(100, 0, 1)])
    assert got.block.tolist() == [-1, 0, 0]
    assert (got.worth, got.bound, got.status, got.settled) == (6.0, 6.0, "optimal", True)


def test_frontage_is_shared_out() -> None:
    """Land for both, frontage for one."""
    got = matched([(2, 10, 60, 9), (3, 10, 50, 9)], [(100, 100, 1)])
    assert got.block.tolist() == [-1, 0]


def test_land_that_comes_too_late_is_none() -> None:
    got = matched([(9, 10, 0, 2017), (1, 10, 0, 2020)], [(100, 0, 2020)])
    assert got.block.tolist() == [-1, 0]


def test_ties_go_to_the_earliest_supply_and_then_to_the_smallest_block_that_suffices() -> None:
    places: list[Place] = [(50, 0, 2020), (90, 0, 2017), (60, 0, 2017), (20, 0, 2017)]
    assert matched([(1, 30, 0, 2025)], places).block.tolist() == [2]


def test_projects_that_are_worth_nothing_are_matched_too_where_there_is_room() -> None:
    assert matched([(0, 10, 0, 9), (4, 95, 0, 9)], [(100, 0, 1), (10, 0, 2)]).block.tolist() == [1, 0]


def test_a_site_of_exactly_the_block_fits() -> None:
    assert matched([(1, 0.1 + 0.2, 0, 9)], [(0.3, 0, 1)]).block.tolist() == [0]


@pytest.mark.parametrize(("short", "block"), [(4e-7, 0), (2e-6, -1)])
def test_land_measured_a_hair_too_small_suffices_and_no_more_than_a_hair(short: float, block: int) -> None:
    assert matched([(1, 300.0, 0, 9)], [(300.0 - short, 0, 1)]).block.tolist() == [block]
    assert matched([(1, 10.0, 60.0, 9)], [(10.0, 60.0 - short, 1)]).block.tolist() == [block]


def test_needs_beyond_what_is_counted_fit_nowhere() -> None:
    got = matched([(1, 1e16, 0, 9), (1, 1, 1e300, 9), (1, 2, 0, 9)], [(100, 100, 1), (1e17, 1e17, 1e15)])
    assert got.block.tolist() == [-1, -1, 0]


@pytest.mark.parametrize(("projects", "places"), [([], [(1.0, 0.0, 1.0)]), ([(1.0, 1.0, 0.0, 1.0)], []), ([], [])])
def test_nothing_to_match_is_an_answer(projects: list[Project], places: list[Place]) -> None:
    got = match(
        worth=np.array([p[0] for p in projects]),
        site=np.array([p[1] for p in projects]),
        frontage=np.zeros(len(projects)),
        allowed=np.ones((len(projects), len(places)), dtype=np.bool_),
        land=np.array([p[0] for p in places]),
        front=np.zeros(len(places)),
        waiting=np.zeros((len(projects), len(places))),
    )
    assert got.block.tolist() == [-1] * len(projects)
    assert (got.worth, got.bound, got.status) == (0.0, 0.0, "optimal")


@pytest.mark.parametrize("bad", [-1.0, np.nan, np.inf])
def test_needs_must_be_numbers(bad: float) -> None:
    with pytest.raises(ValueError, match="finite and 0 or more"):
        matched([(1, bad, 0, 9)], [(1, 0, 1)])


def test_without_time_the_bound_still_holds() -> None:
    projects: list[Project] = [(5, 100, 0, 9), (3, 60, 0, 9), (3, 40, 0, 9)]
    got = matched(projects, [(100, 0, 1)], time_limit_s=0.0)
    assert got.status == "feasible" and got.worth <= 6.0 <= got.bound


_projects = st.lists(
    st.tuples(
        st.sampled_from([0.0, 1.0, 2.0, 2.5, 7.0]),
        st.integers(1, 9),
        st.integers(0, 4),
        st.sampled_from([1.0, 2.0, 3.0]),
    ),
    min_size=1,
    max_size=5,
)
_places = st.lists(
    st.tuples(st.integers(0, 14), st.integers(0, 6), st.sampled_from([1.0, 2.0, 3.0])), min_size=1, max_size=3
)


@given(projects=_projects, places=_places)
@settings(deadline=None)
def test_it_is_the_best_of_all_matches(projects: list[Project], places: list[Place]) -> None:
    got = matched(projects, places)
    told = rank(projects, places, tuple(got.block.tolist()))
    assert told is not None, "a limit is broken"
    assert told == pytest.approx(best(projects, places))
    assert got.settled and got.worth == pytest.approx(told[0]) and got.bound == pytest.approx(told[0])


@given(projects=_projects, places=_places, late=st.integers(0, 2))
@settings(deadline=None)
def test_a_block_more_never_costs_worth(projects: list[Project], places: list[Place], late: int) -> None:
    assert matched(projects, [*places, (10, 5, 1.0 + late)]).worth >= matched(projects, places).worth - 1e-9
