"""Floors, stretches and ceilings by hand: trivial, out of reach, binding."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from planner.problem import Group, Measure, Problem, Target
from tests.planner.optimise.by_hand import FADING, TWO, best, out_of_reach, sets, taken
from tests.planner.optimise.instances import grid_problem, priced


def test_floor_trivial() -> None:
    best(grid_problem(3, 1, targets=(Target("P1", 0, -1, 25.0),)), 30.0)


def test_floor_out_of_reach() -> None:
    """All land is 30 mu."""
    error = out_of_reach(grid_problem(3, 1, targets=(Target("P1", 0, -1, 31.0),)), r"at most 30\.00 mu .* 31\.00 mu")
    assert error.shortfalls[0].proven_max_mu == pytest.approx(30.0, abs=1e-5)


def test_floor_binds() -> None:
    """Worth −1, −2, −3: a floor of 20 mu forces the two cheapest: −3. Without it nothing is taken."""
    problem = grid_problem(3, 1, cost=np.array([11.0, 12.0, 13.0]), targets=(Target("P1", 0, -1, 20.0),))
    assert taken(best(problem, -3.0)) == [0, 1]


def test_floors_are_cumulative() -> None:
    """10 mu by P1, 20 by P2, worth −1, −2, −3: one parcel each; what is taken in P1 counts again in P2."""
    targets = (Target("P1", 0, -1, 10.0), Target("P2", 1, -1, 20.0))
    problem = grid_problem(3, 1, cost=np.array([11.0, 12.0, 13.0]), phases=TWO, targets=targets)
    assert taken(best(problem, -3.0)) == [0, 1]


def test_zone_floor_trivial_and_binding() -> None:
    """Worth 5, 5 in no zone and −1, −4 in zone A: a floor of 10 mu in A costs 1, of 20 mu it costs 5."""
    problem = grid_problem(
        4, 1, cost=np.array([5.0, 5.0, 11.0, 14.0]), zones=("A",), zone=np.array([-1, -1, 0, 0]),
        targets=(Target("A", 0, 0, 10.0),),
    )  # fmt: skip
    assert taken(best(problem, 9.0)) == [0, 1, 2]
    assert taken(best(replace(problem, targets=(Target("A", 0, 0, 20.0),)), 5.0)) == [0, 1, 2, 3]


def test_zone_floor_out_of_reach() -> None:
    problem = grid_problem(3, 1, zones=("A",), zone=np.array([-1, 0, 0]), targets=(Target("in A", 0, 0, 21.0),))
    out_of_reach(problem, r"target in A: at most 20\.00 mu .* 21\.00 mu")


def test_stretch_is_bought_when_cheap() -> None:
    """Worth −3 for 10 mu, stretch of 10 mu at 0.2 a mu: missing it costs 2, so it is missed; at 0.4 it is taken."""
    problem = grid_problem(1, 1, cost=np.full(1, 13.0), targets=(Target("P1", 0, -1, 0.0, 10.0, 0.2),))
    assert sets(best(problem, -2.0)) == []
    assert sets(best(priced(problem, 0.4), -3.0)) == [((0,), 0)]


def test_stretch_trivial() -> None:
    """At no price it asks for nothing; met it costs nothing."""
    problem = grid_problem(1, 1, cost=np.full(1, 13.0), targets=(Target("P1", 0, -1, 0.0, 10.0),))
    assert sets(best(problem, 0.0)) == []
    best(grid_problem(1, 1, targets=(Target("P1", 0, -1, 0.0, 10.0, 5.0),)), 10.0)


def test_stretch_out_of_reach_only_costs() -> None:
    """30 mu wished, 10 mu there are: 20 mu short at 0.2."""
    best(grid_problem(1, 1, targets=(Target("P1", 0, -1, 0.0, 30.0, 0.2),)), 10.0 - 4.0)


def test_each_stretch_has_its_own_price() -> None:
    """Worth −3 in A, −3 in B; missing A costs 2, missing B costs 4: B is taken."""
    targets = (Target("A", 0, 0, 0.0, 10.0, 0.2), Target("B", 0, 1, 0.0, 10.0, 0.4))
    problem = grid_problem(2, 1, cost=np.full(2, 13.0), zones=("A", "B"), zone=np.array([0, 1]), targets=targets)
    assert taken(best(problem, -2.0 - 3.0)) == [1]


# ceilings ---------------------------------------------------------------------------------------------------------


def test_ceiling_trivial_and_binding() -> None:
    """Worth 10, 8, 6: all for 24 under a ceiling of 30 mu; the best two under one of 29.9."""
    problem = grid_problem(3, 1, cost=np.array([0.0, 2.0, 4.0]), targets=(Target("P1", 0, -1, 0.0, ceiling=30.0),))
    best(problem, 24.0)
    assert taken(best(replace(problem, targets=(Target("P1", 0, -1, 0.0, ceiling=29.9),)), 18.0)) == [0, 1]


def test_ceiling_is_cumulative() -> None:
    """At most 10 mu by P1, where land is worth 10; the rest comes in P2, for 5 each. By P2 at most 20 mu."""
    targets = (Target("P1", 0, -1, 0.0, ceiling=10.0),)
    problem = grid_problem(3, 1, phases=FADING, targets=targets)
    assert len(best(problem, 20.0).blocks) >= 2
    best(replace(problem, targets=(*targets, Target("P2", 1, -1, 0.0, ceiling=20.0))), 15.0)


def test_ceiling_beside_least_sizes() -> None:
    """Blocks of at least 20 mu under a ceiling of 19: nothing."""
    problem = grid_problem(3, 1, block_min_mu=20.0, targets=(Target("P1", 0, -1, 0.0, ceiling=19.0),))
    assert sets(best(problem, 0.0)) == []


def test_ceiling_out_of_reach() -> None:
    """Row of four, 10 mu of the circle {0, 1, 2} at most: 20 mu in all, 30 asked for."""
    targets = (Target("all", 0, -1, 30.0), Target("circle", 0, -1, 0.0, ceiling=10.0, group=0))
    problem = grid_problem(4, 1, groups=(Group("circle", np.arange(4) < 3),), targets=targets)
    out_of_reach(problem, r"target all: at most 20\.00 mu .* 30\.00 mu")


def test_floor_and_ceiling_of_one_zone_and_its_part() -> None:
    """Zone A {0, 1, 2} needs 20 mu, its circle {0, 1} may give 10: one of 0, 1 and parcel 2, worth −1 − 3."""
    problem = grid_problem(
        4, 1, cost=np.array([11.0, 12.0, 13.0, 10.5]), zones=("A",), zone=np.array([0, 0, 0, -1]),
        groups=(Group("circle", np.arange(4) < 2),),
        targets=(Target("A", 0, 0, 20.0), Target("circle", 0, -1, 0.0, ceiling=10.0, group=0)),
    )  # fmt: skip
    assert taken(best(problem, -4.0)) == [0, 2]


# groups -----------------------------------------------------------------------------------------------------------


def overlapping(circle: float, village: float) -> Problem:
    """Row of five: circle {0, 1, 2}, village {2, 3, 4}, floors for both; worth −3, −3, −5, −4, −4."""
    index = np.arange(5)
    return grid_problem(
        5, 1, cost=np.array([13.0, 13.0, 15.0, 14.0, 14.0]),
        groups=(Group("circle", index < 3), Group("village", index > 1)),
        targets=(Target("circle", 0, -1, circle, group=0), Target("village", 0, -1, village, group=1)),
    )  # fmt: skip


def test_groups_trivial() -> None:
    assert sets(best(overlapping(0.0, 0.0), 0.0)) == []


def test_groups_bind_and_overlap() -> None:
    """One floor of 10 mu: −3. Both: parcel 2 counts for both, −5 beats −3 − 4. With 20 mu in the circle: 2 and 0."""
    assert best(overlapping(10.0, 0.0), -3.0).objective == pytest.approx(-3.0)
    assert taken(best(overlapping(10.0, 10.0), -5.0)) == [2]
    assert 2 in taken(best(overlapping(20.0, 10.0), -8.0))


def test_groups_out_of_reach() -> None:
    out_of_reach(overlapping(31.0, 10.0), r"target circle: at most 30\.00 mu .* 31\.00 mu")


def test_group_within_a_zone() -> None:
    """Only parcel 1 lies in the circle and in zone A: worth −9, though its neighbours are cheaper."""
    problem = grid_problem(
        3, 1, cost=np.array([11.0, 19.0, 11.0]), zones=("A",), zone=np.array([0, 0, -1]),
        groups=(Group("circle", np.arange(3) > 0),), targets=(Target("x", 0, 0, 10.0, group=0),),
    )  # fmt: skip
    assert taken(best(problem, -9.0)) == [1]


# floor area -------------------------------------------------------------------------------------------------------


def with_floor_area(target: Target) -> Problem:
    """Row of three giving 100, 200, 300 m² at a loss of 1, 2, 4."""
    return grid_problem(
        3, 1, cost=np.array([11.0, 12.0, 14.0]), mode_floor_m2=np.array([[100.0], [200.0], [300.0]]), targets=(target,)
    )


def test_floor_area_trivial() -> None:
    assert sets(best(with_floor_area(Target("P1", 0, -1, 0.0, measure="floor_m2")), 0.0)) == []


def test_floor_area_binds() -> None:
    """300 m²: the first two for 3 rather than the third for 4; 301 m²: the first and the third."""
    assert taken(best(with_floor_area(Target("P1", 0, -1, 300.0, measure="floor_m2")), -3.0)) == [0, 1]
    assert taken(best(with_floor_area(Target("P1", 0, -1, 301.0, measure="floor_m2")), -5.0)) == [0, 2]


def test_floor_area_out_of_reach() -> None:
    problem = with_floor_area(Target("P1", 0, -1, 601.0, measure="floor_m2"))
    error = out_of_reach(problem, r"at most 600\.00 m² .* 601\.00 m²")
    assert error.shortfalls[0].unit == "m²"


def test_floor_area_has_stretch_and_ceiling() -> None:
    """Stretch of 300 m² at 0.011 a m²: 100 m² save 1.1 and cost 1, 200 save 2.2 and cost 2, both: −3. Ceiling: 20."""
    target = Target("P1", 0, -1, 0.0, 300.0, 0.011, measure="floor_m2")
    assert taken(best(with_floor_area(target), -3.0)) == [0, 1]
    capped = replace(with_floor_area(Target("P1", 0, -1, 0.0, ceiling=500.0, measure="floor_m2")), cost=np.zeros(3))
    assert len(taken(best(capped, 20.0))) == 2


# projects ---------------------------------------------------------------------------------------------------------


def projects(count: float, least: float = 0.0, **changes: object) -> Problem:
    """Row of four at 0.01 a metre (one block 40 − 10 = 30, two pairs 40 − 12 = 28, four single ones 40 − 16 = 24)."""
    goal = Target("parks", 0, -1, count, measure="blocks", project_min_mu=least)
    return grid_problem(4, 1, perimeter_per_m=0.01, **({"targets": (goal,)} | changes))


def test_projects_trivial() -> None:
    assert len(best(projects(1.0), 30.0).blocks) == 1


def test_projects_bind() -> None:
    """Two projects cost a seam, three two of them (40 − 14 = 26); of 20 mu each they are the two pairs."""
    assert len(best(projects(2.0), 28.0).blocks) == 2
    assert len(best(projects(3.0), 26.0).blocks) == 3
    assert sets(best(projects(2.0, 20.0), 28.0)) == [((0, 1), 0), ((2, 3), 0)]


def test_projects_out_of_reach() -> None:
    error = out_of_reach(projects(3.0, 20.0), r"at most 2\.00 blocks .* 3\.00 blocks", search_proves=False)
    assert error.shortfalls[0].unit == "blocks"


def test_project_counts_in_a_zone_that_holds_all_of_it() -> None:
    """One project in zone A = {0, 1}: the block of all four lies across, so it is cut at the border."""
    goal = Target("A", 0, 0, 1.0, measure="blocks", project_min_mu=20.0)
    problem = projects(0.0, targets=(goal,), zones=("A",), zone=np.array([0, 0, -1, -1]))
    assert sets(best(problem, 28.0)) == [((0, 1), 0), ((2, 3), 0)]


def test_projects_have_a_ceiling_and_a_stretch() -> None:
    """Row worth 10, −12, 10, −12, 10: at most two projects, 20. Stretch of four at 6 each: three, one missing."""
    cost = np.array([0.0, 22.0, 0.0, 22.0, 0.0])
    capped = grid_problem(5, 1, cost=cost, targets=(Target("p", 0, -1, 0.0, ceiling=2.0, measure="blocks"),))
    best(capped, 20.0)
    wished = grid_problem(5, 1, cost=cost, targets=(Target("p", 0, -1, 0.0, 4.0, 6.0, measure="blocks"),))
    best(wished, 24.0)


# other areas ------------------------------------------------------------------------------------------------------


def with_areas(target: Target, **areas: np.ndarray) -> Problem:
    """Row of three at a loss of 1, 2, 4 whose land counts 11, 12, 25 mu with the lanes, and 0, 9, 8 mu as cleared."""
    amounts = {
        "mode_boundary_mu": np.array([[11.0], [12.0], [25.0]]),
        "mode_cleared_mu": np.array([[0.0], [9.0], [8.0]]),
        "mode_accepted_mu": np.array([[1.0], [2.0], [3.0]]),
    }
    return grid_problem(3, 1, cost=np.array([11.0, 12.0, 14.0]), targets=(target,), **(amounts | areas))


@pytest.mark.parametrize(
    ("measure", "floor", "worth", "chosen"),
    [
        ("boundary_mu", 23.0, -3.0, [0, 1]),
        ("boundary_mu", 24.0, -4.0, [2]),
        ("cleared_mu", 9.0, -2.0, [1]),
        ("cleared_mu", 10.0, -6.0, [1, 2]),
        ("accepted_mu", 3.0, -3.0, [0, 1]),
        ("accepted_mu", 4.0, -5.0, [0, 2]),
    ],
)
def test_a_target_counts_the_area_it_names(measure: Measure, floor: float, worth: float, chosen: list[int]) -> None:
    assert taken(best(with_areas(Target("P1", 0, -1, floor, measure=measure)), worth)) == chosen


def test_counted_areas_trivial_and_out_of_reach() -> None:
    assert sets(best(with_areas(Target("P1", 0, -1, 0.0, measure="cleared_mu")), 0.0)) == []
    error = out_of_reach(with_areas(Target("P1", 0, -1, 18.0, measure="cleared_mu")), r"at most 17\.00 mu .* 18\.00 mu")
    assert error.shortfalls[0].unit == "mu"


def test_a_ceiling_counts_the_area_it_names() -> None:
    """Free land worth 10 each: with at most 36 mu counted with lanes two of the three fit, 23 or 36."""
    capped = with_areas(Target("P1", 0, -1, 0.0, ceiling=36.0, measure="boundary_mu"))
    assert len(taken(best(replace(capped, cost=np.zeros(3)), 20.0))) == 2
