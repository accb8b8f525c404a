"""Firms to sites: by hand, against all assignments, and that none breaks a rule."""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from planner.optimise.assign import SETTLED_DISTANCE, SETTLED_M2, Assignment, assign

Units = list[tuple[float, int, float, bool, bool]]
"""Floor area of one, number, time of leaving, must stay for good, large."""
Sites = list[tuple[float, float, bool]]
"""Capacity, time from which it stands, permanent."""


def placed(units: Units, sites: Sites, distance: Any = None, **limits: Any) -> Assignment:
    floor, count, leaves, stay, large = (np.array([u[k] for u in units]) for k in range(5))
    unknown = [np.nan] * (len(units) * len(sites))
    room, stands, permanent = (np.array([s[k] for s in sites]) for k in range(3))
    return assign(
        floor_m2=floor.astype(float),
        count=count.astype(np.int64),
        leaves=leaves.astype(float),
        stay=stay.astype(bool),
        large=large.astype(bool),
        capacity_m2=room.astype(float),
        stands=stands.astype(float),
        permanent=permanent.astype(bool),
        distance_m=np.array(unknown if distance is None else distance, dtype=float).reshape(len(units), len(sites)),
        **limits,
    )


def test_each_to_the_nearest_with_room() -> None:
    """Both would rather go to the first site, which holds one of them; the larger one's way counts more."""
    got = placed(
        [(100, 1, 1, False, False), (60, 1, 1, False, False)], [(100, 0, True), (100, 0, True)], [[10, 30], [10, 30]]
    )
    assert got.moved.tolist() == [[1, 0], [0, 1]]
    assert got.distance == 100 * 10 + 60 * 30
    assert (got.status, got.missing_m2, got.missing_bound_m2) == ("optimal", 0.0, 0.0)


def test_alike_firms_of_a_unit_may_part() -> None:
    got = placed([(30, 5, 1, False, False)], [(100, 0, True), (70, 0, True)], [[1, 2]])
    assert got.moved.tolist() == [[3, 2]]


def test_only_sites_that_stand_and_last() -> None:
    """The near hall is temporary, the park stands from 2.0: who leaves at 1.0 and must stay has only the far one."""
    sites: Sites = [(100, 0, False), (100, 2, True), (100, 0, True)]
    got = placed(
        [(50, 1, 1.0, True, False), (50, 1, 2.0, True, False), (50, 1, 1.0, False, False)], sites, [[1, 2, 9]] * 3
    )
    assert got.moved.tolist() == [[0, 0, 1], [0, 1, 0], [1, 0, 0]]


def test_a_shortage_is_an_answer() -> None:
    """150 m² for 100 and 80: the larger one is placed and 80 are missing; without any site all are."""
    got = placed([(100, 1, 1, False, False), (80, 1, 1, False, False)], [(150, 0, True)])
    assert (got.missing_m2, got.unplaced.tolist(), got.status) == (80.0, [0, 1], "optimal")
    assert got.missing_bound_m2 == pytest.approx(80.0, abs=SETTLED_M2)
    assert placed([(100, 2, 1, False, True)], []).missing_m2 == 200.0
    assert placed([(100, 2, 1, False, True)], []).large_unplaced == 2
    assert placed([], [(1, 0, True)]).status == "optimal"


def test_large_firms_come_first_where_as_much_is_missing() -> None:
    got = placed([(50, 1, 1, False, False), (50, 1, 1, False, True)], [(50, 0, True)], [[1], [99]])
    assert got.unplaced.tolist() == [1, 0]
    assert got.large_unplaced == 0


def test_what_fits_exactly_fits() -> None:
    """A hall shared by three."""
    assert placed([(100 / 3, 3, 1, False, False)], [(100, 0, True)]).missing_m2 == 0.0


def test_unknown_distances_count_as_longer_than_any_known() -> None:
    got = placed([(10, 1, 1, False, False)], [(10, 0, True), (10, 0, True), (10, 0, True)], [[np.nan, 5, 7]])
    assert got.moved.tolist() == [[0, 1, 0]]
    last = placed([(10, 1, 1, False, False)], [(10, 0, True), (10, 0, True)], [[np.nan, 7]])
    assert last.moved.tolist() == [[0, 1]]
    assert placed([(10, 1, 1, False, False)], [(10, 0, True)]).distance == 0.0


def test_without_time_there_is_still_an_answer() -> None:
    rng = np.random.default_rng(1)
    units: Units = [(float(f), 3, 1.0, False, False) for f in rng.integers(10, 400, 60)]
    got = placed(units, [(7000, 0, True), (9000, 0, True), (5000, 0, True)], rng.random((60, 3)), time_limit_s=0.0)
    assert got.status == "feasible"
    assert got.missing_bound_m2 <= got.missing_m2
    assert got.moved.sum() > 0


def test_senseless_numbers_are_refused() -> None:
    for units, sites in (
        ([(-1.0, 1, 1.0, False, False)], [(1.0, 0.0, True)]),
        ([(np.nan, 1, 1.0, False, False)], [(1.0, 0.0, True)]),
        ([(1.0, 1, 1.0, False, False)], [(-1.0, 0.0, True)]),
    ):
        with pytest.raises(ValueError, match="finite and 0 or more"):
            placed(units, sites)


unit = st.tuples(
    st.integers(1, 9).map(lambda k: 10.0 * k),
    st.integers(1, 2),
    st.sampled_from([1.0, 2.0]),
    st.booleans(),
    st.booleans(),
)
some_site = st.tuples(st.integers(1, 12).map(lambda k: 10.0 * k), st.sampled_from([0.5, 1.0, 1.5]), st.booleans())


@st.composite
def cases(draw: st.DrawFn, most_units: int, most_sites: int) -> tuple[Units, Sites, list[list[float]]]:
    units = draw(st.lists(unit, max_size=most_units))
    sites = draw(st.lists(some_site, max_size=most_sites))
    ways = draw(st.lists(st.integers(1, 50), min_size=len(units) * len(sites), max_size=len(units) * len(sites)))
    return units, sites, np.array(ways, dtype=float).reshape(len(units), len(sites)).tolist()


def _value(
    units: Units, sites: Sites, ways: list[list[float]], choice: tuple[int, ...]
) -> tuple[float, int, float] | None:
    """Missing floor, large firms without a place and distance of single firms at sites (−1 = none); None = refused."""
    single = [(k, u) for k, u in enumerate(units) for _ in range(u[1])]
    missing, large, way, used = 0.0, 0, 0.0, [0.0] * len(sites)
    for (k, (floor, _, leaves, stay, big)), s in zip(single, choice, strict=True):
        if s < 0:
            missing, large = missing + floor, large + big
            continue
        if sites[s][1] > leaves or (stay and not sites[s][2]):
            return None
        used[s] += floor
        way += ways[k][s] * floor
    return None if any(u > s[0] for u, s in zip(used, sites, strict=True)) else (missing, large, way)


@settings(deadline=None, max_examples=60)
@given(cases(3, 2))
def test_no_assignment_is_better(case: tuple[Units, Sites, list[list[float]]]) -> None:
    units, sites, ways = case
    firms = sum(u[1] for u in units)
    every = (_value(units, sites, ways, c) for c in product(range(-1, len(sites)), repeat=firms))
    missing, large, way = min(v for v in every if v is not None)
    got = placed(units, sites, ways if sites else None)
    assert (got.missing_m2, got.large_unplaced) == (missing, large)
    assert way - 1e-6 <= got.distance <= way * (1 + 2 * SETTLED_DISTANCE) + 1.0
    assert got.missing_bound_m2 <= missing
    assert got.large_bound <= large
    assert got.distance_bound <= way + 1.0
    assert got.status == "optimal"


@settings(deadline=None, max_examples=40)
@given(cases(12, 6))
def test_assignments_keep_every_rule(case: tuple[Units, Sites, list[list[float]]]) -> None:
    units, sites, ways = case
    got = placed(units, sites, ways if units and sites else None)
    assert (got.moved >= 0).all()
    assert (got.unplaced >= 0).all()
    assert (got.moved.sum(axis=1) + got.unplaced == [u[1] for u in units]).all()
    for s, (room, stands, permanent) in enumerate(sites):
        for time in (1.0, 2.0):  # what is taken up by any time, of what stands by then
            used = sum(u[0] * got.moved[k, s] for k, u in enumerate(units) if u[2] <= time)
            assert used <= (room if stands <= time else 0.0) + 1e-6
        assert all(permanent or not u[3] or got.moved[k, s] == 0 for k, u in enumerate(units))
    assert got.missing_m2 == pytest.approx(sum(u[0] * got.unplaced[k] for k, u in enumerate(units)))
