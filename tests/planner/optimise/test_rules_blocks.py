"""Sizes, contiguity, zones and filler of blocks by hand: trivial, out of reach, binding."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from planner.problem import Problem, Target
from tests.planner.optimise.by_hand import best, out_of_reach, sets, taken
from tests.planner.optimise.instances import grid_problem


def test_least_size_trivial_and_binding() -> None:
    """Row worth 10, −4, 10: blocks of 30 mu: all three, 16. Without the limit the ends alone, 20."""
    problem = grid_problem(3, 1, cost=np.array([0.0, 14.0, 0.0]))
    assert taken(best(problem, 20.0)) == [0, 2]
    assert sets(best(replace(problem, block_min_mu=30.0), 16.0)) == [((0, 1, 2), 0)]


def test_least_size_out_of_reach() -> None:
    """Two pieces of 20 mu and a floor: no block of 25 mu exists, nothing can be reached."""
    problem = grid_problem(
        5, 1, selectable=np.arange(5) != 2, block_min_mu=25.0, targets=(Target("P1", 0, -1, 10.0),)
    )  # fmt: skip
    out_of_reach(problem, r"at most 0\.00 mu .* 10\.00 mu")


def test_largest_size_binds() -> None:
    """Row of four, 0.01 a metre, blocks up to 20 mu: two pairs, 40 − 2·6 = 28 (one block would be 40 − 10 = 30)."""
    problem = grid_problem(4, 1, perimeter_per_m=0.01)
    assert len(best(problem, 30.0).blocks) == 1
    assert sets(best(replace(problem, block_max_mu=20.0), 28.0)) == [((0, 1), 0), ((2, 3), 0)]


def test_window_of_sizes_out_of_reach() -> None:
    """Parcels of 10 mu, blocks of 12 to 18 mu: no sum fits."""
    problem = grid_problem(3, 1, block_min_mu=12.0, block_max_mu=18.0, targets=(Target("P1", 0, -1, 12.0),))
    out_of_reach(problem, r"at most 0\.00 mu .* 12\.00 mu", search_proves=False)


def test_contiguity_binds() -> None:
    """3×3, only the four corners pay (worth 10, others −8), blocks of 30 mu: corner-edge-corner is worth 12.

    Two opposite sides give 24; the ring of eight gives 40 − 32 = 8; L through three corners 30 − 16 = 14.
    """
    cost = np.full(9, 18.0)
    cost[[0, 2, 6, 8]] = 0.0
    plan = best(grid_problem(3, 3, cost=cost, block_min_mu=30.0), 24.0)
    assert [len(b.parcels) for b in plan.blocks] == [3, 3]


def test_barrier_cuts_a_block() -> None:
    """2×2 without the contacts between columns: blocks of 20 mu are the two columns."""
    problem = grid_problem(2, 2, block_min_mu=20.0)
    keep = problem.pairs[:, 1] - problem.pairs[:, 0] == 2
    problem = replace(problem, pairs=problem.pairs[keep], shared_m=problem.shared_m[keep])
    assert sets(best(problem, 40.0)) == [((0, 2), 0), ((1, 3), 0)]


def test_link_joins_but_saves_nothing() -> None:
    """Two parcels 8 m apart: blocks of 20 mu exist only over the link, with both boundaries in full: 20 − 8 = 12."""
    problem = grid_problem(2, 1, block_min_mu=20.0, perimeter_per_m=0.01)
    linked = replace(
        problem, pairs=problem.pairs[:0], shared_m=np.empty(0), link_pairs=problem.pairs, gap_m=np.full(1, 8.0)
    )
    assert sets(best(linked, 12.0)) == [((0, 1), 0)]
    assert sets(best(problem, 14.0)) == [((0, 1), 0)]


def test_within_zone_trivial_and_binding() -> None:
    """Row, zones A A B B with 0.01 a metre: one block across 40 − 10 = 30, one in each zone 40 − 12 = 28."""
    problem = grid_problem(
        4, 1, zones=("A", "B"), zone=np.array([0, 0, 1, 1]), within_zone=True, perimeter_per_m=0.01
    )  # fmt: skip
    assert sets(best(problem, 28.0)) == [((0, 1), 0), ((2, 3), 0)]
    assert len(best(replace(problem, within_zone=False), 30.0).blocks) == 1


def test_no_zone_counts_as_one_zone() -> None:
    """Row, zones –, –, A: the two without a zone may share a block, not with A."""
    problem = grid_problem(3, 1, zones=("A",), zone=np.array([-1, -1, 0]), within_zone=True, block_min_mu=20.0)
    assert sets(best(problem, 20.0)) == [((0, 1), 0)]


def test_within_zone_out_of_reach() -> None:
    """Zones alternate, blocks of 20 mu: none exists."""
    problem = grid_problem(
        4, 1, zones=("A", "B"), zone=np.array([0, 1, 0, 1]), within_zone=True, block_min_mu=20.0,
        targets=(Target("P1", 0, -1, 20.0),),
    )  # fmt: skip
    out_of_reach(problem, r"at most 0\.00 mu .* 20\.00 mu")


def with_filler(share: float, **changes: object) -> Problem:
    """A row of three, the middle one remnant land without benefit that costs 1."""
    return grid_problem(
        3,
        1,
        benefit=np.array([10.0, 0.0, 10.0]),
        cost=np.array([0.0, 1.0, 0.0]),
        filler=np.array([False, True, False]),
        filler_max_share=share,
        **changes,
    )


def test_filler_trivial() -> None:
    """It costs and brings nothing: left out."""
    assert taken(best(with_filler(1.0), 20.0)) == [0, 2]


def test_filler_bridges_up_to_its_share() -> None:
    """Blocks of 20 mu: a third of 30 mu may be filler (19), with less nothing can be built."""
    assert sets(best(with_filler(1 / 3, block_min_mu=20.0), 19.0)) == [((0, 1, 2), 0)]
    assert sets(best(with_filler(0.3, block_min_mu=20.0), 0.0)) == []


def test_filler_counts_for_targets() -> None:
    assert taken(best(with_filler(0.5, targets=(Target("P1", 0, -1, 30.0),)), 19.0)) == [0, 1, 2]


def test_filler_alone_is_no_block() -> None:
    """A floor of 30 mu with a share of 0.3: at most 20 mu of candidates and no filler."""
    problem = with_filler(0.3, targets=(Target("P1", 0, -1, 30.0),))
    out_of_reach(problem, r"at most 20\.00 mu .* 30\.00 mu", search_proves=False)
