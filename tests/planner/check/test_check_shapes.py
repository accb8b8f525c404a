"""The judge's own geometry on figures whose lengths are known."""

from __future__ import annotations

import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from planner.check import shapes

NO_BARRIERS = np.array([], dtype=object)


def shared(a: shapely.Polygon, b: shapely.Polygon, *barriers: shapely.Geometry, tolerance: float = 0.05) -> float:
    polygons = np.array([a, b], dtype=object)
    lengths = shapes.shared_lengths(
        polygons,
        np.array([[0, 1]]),
        np.array(barriers, dtype=object),
        touch_tolerance_m=tolerance,
        barrier_tolerance_m=1.0,
    )
    least, most = lengths[0].tolist()
    assert least == pytest.approx(most, abs=0.02)
    return (least + most) / 2


def test_side_by_side_shares_the_common_side() -> None:
    assert shared(shapely.box(0, 0, 10, 10), shapely.box(10, 4, 20, 30)) == pytest.approx(6.0, abs=1e-9)


def test_a_corner_shares_nothing() -> None:
    assert shared(shapely.box(0, 0, 10, 10), shapely.box(10, 10, 20, 20)) == 0.0


def test_edges_that_part_in_line_share_only_the_common_stretch() -> None:
    # the lower side of both runs along y = 0, so the tolerance must not lengthen what they share
    assert shared(shapely.box(0, 0, 10, 10), shapely.box(10, 0, 20, 10)) == pytest.approx(10.0, abs=1e-9)


@pytest.mark.parametrize(("gap", "expected"), [(0.0499, 10.0), (0.0501, 0.0)])
def test_boundaries_touch_up_to_the_tolerance(gap: float, expected: float) -> None:
    assert shared(shapely.box(0, 0, 10, 10), shapely.box(10 + gap, 0, 20, 10)) == pytest.approx(expected, abs=1e-6)


def test_extra_vertices_change_nothing() -> None:
    a = shapely.box(0, 0, 10, 10).segmentize(0.7)
    b = shapely.box(10, 0, 20, 10).segmentize(1.3)
    assert shared(a, b) == pytest.approx(10.0, abs=1e-9)


def test_a_hole_and_its_filling_share_the_whole_ring() -> None:
    ring = shapely.Polygon(shapely.box(0, 0, 30, 30).exterior, [shapely.box(10, 10, 20, 20).exterior])
    assert shared(ring, shapely.box(10, 10, 20, 20)) == pytest.approx(40.0, abs=1e-9)


def test_a_line_across_the_seam_cuts_its_tolerance_on_both_sides() -> None:
    across = shapely.LineString([(0, 5), (20, 5)])
    assert shared(shapely.box(0, 0, 10, 10), shapely.box(10, 0, 20, 10), across) == pytest.approx(8.0, abs=1e-6)


@pytest.mark.parametrize(("away", "expected"), [(0.0, 0.0), (0.99, 0.0), (1.01, 10.0)])
def test_a_line_along_the_seam_cuts_it_within_the_tolerance(away: float, expected: float) -> None:
    along = shapely.LineString([(10 + away, -50), (10 + away, 60)])
    assert shared(shapely.box(0, 0, 10, 10), shapely.box(10, 0, 20, 10), along) == pytest.approx(expected, abs=0.02)


def test_a_polygon_barrier_cuts_what_lies_in_it() -> None:
    pond = shapely.box(8, 4, 12, 20)
    assert shared(shapely.box(0, 0, 10, 10), shapely.box(10, 0, 20, 10), pond) == pytest.approx(3.0, abs=1e-6)


def test_a_tail_thinner_than_the_tolerance_leaves_a_range() -> None:
    plain = shapely.box(0, 0, 10, 10)
    tailed = shapely.Polygon([(10, 0), (20, 0), (20, 10), (10.02, 10), (10.02, 14), (10, 14), (10, 10)])
    long = shapely.box(0, 0, 10, 14)
    both = [np.array([a, tailed], dtype=object) for a in (plain, long)]
    lengths = [
        shapes.shared_lengths(p, np.array([[0, 1]]), NO_BARRIERS, touch_tolerance_m=0.05, barrier_tolerance_m=1.0)
        for p in both
    ]
    assert lengths[0][0].tolist() == pytest.approx([10, 10], abs=1e-6)
    assert lengths[1][0].tolist() == pytest.approx([14, 18], abs=1e-6)


@given(
    st.floats(0, 359),
    st.floats(0.5, 40),
    st.sampled_from([(0.0, 0.0), (500_000.0, 2_500_000.0), (38_500_000.0, 2_500_000.0)]),
)
def test_turning_and_moving_keeps_the_length(angle: float, length: float, offset: tuple[float, float]) -> None:
    a, b = shapely.box(0, 0, 50, 50), shapely.box(50, 50 - length, 90, 120)
    turned = [shapely.affinity.rotate(g, angle, origin=(0, 0)) for g in (a, b)]
    moved = [shapely.affinity.translate(g, *offset) for g in turned]
    assert shared(*moved) == pytest.approx(length, abs=1e-5)


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), max_size=15))
def test_pieces_are_the_connected_components(pairs: list[tuple[int, int]]) -> None:
    members = list(range(8))
    reach = np.eye(8, dtype=bool)
    for a, b in pairs:
        if a < 8 and b < 8:
            reach[a, b] = reach[b, a] = True
    for _ in range(8):
        reach = (reach.astype(int) @ reach.astype(int)) > 0
    expected = {tuple(np.flatnonzero(row).tolist()) for row in reach}
    assert {tuple(piece) for piece in shapes.pieces([members], pairs)[0]} == expected


def test_close_pairs_stay_within_their_group() -> None:
    row = np.array([shapely.box(k, 0, k + 1, 1) for k in range(4)], dtype=object)
    found = shapes.close_pairs(row, [np.array([0, 1]), np.array([2, 3])], 0.05)
    assert found.tolist() == [[0, 1], [2, 3]]


def test_the_length_of_a_line_in_third_parcels_counts_inside_and_along() -> None:
    polygons = np.array([shapely.box(0, 0, 1, 10), shapely.box(5, 0, 6, 10), shapely.box(2, 0, 3, 5)], dtype=object)
    lines = shapely.linestrings([[[1, 4.9], [5, 4.9]], [[1, 5], [5, 5]], [[1, 6], [5, 6]]])
    inside, others = shapes.length_in_others(lines, np.array([[0, 1]] * 3), polygons)
    assert inside.tolist() == pytest.approx([1.0, 1.0, 0.0])
    assert others == [[2], [2], []]


def test_no_lines_cross_nothing() -> None:
    empty = np.array([], dtype=object)
    assert shapes.length_in_others(empty, np.empty((0, 2), dtype=np.int64), empty)[1] == []
    assert shapes.near_barrier(empty, NO_BARRIERS, 0.0).tolist() == []


def test_straight_lines_run_from_end_to_end() -> None:
    drawn = np.array(
        [
            shapely.LineString([(0, 0), (3, 4), (6, 0)]),
            shapely.MultiLineString([[(0, 0), (0, 5)]]),
            shapely.LineString([(1, 1), (1, 1)]),
            shapely.LineString(),
            None,
        ],
        dtype=object,
    )
    lines, detour = shapes.straight_lines(drawn)
    assert [None if g is None else g.wkt for g in lines] == [
        "LINESTRING (0 0, 6 0)",
        "LINESTRING (0 0, 0 5)",
        "POINT (1 1)",
        None,
        None,
    ]
    assert detour.tolist() == pytest.approx([4, 0, 0, 0, 0])
