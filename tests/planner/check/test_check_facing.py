"""All pairs at once give what each pair gives alone, piece by piece."""

from __future__ import annotations

from math import cos, hypot, radians

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from geodata.spec import AdjacencySpec
from planner.check import facing, shapes
from planner.check.lanes import SLACK_M, measure_lanes

TOLERANCE = 0.05


def sides(polygon: shapely.Polygon) -> list[tuple[np.ndarray, np.ndarray]]:
    rings = [polygon.exterior, *polygon.interiors]
    return [(np.array(a), np.array(b)) for r in rings for a, b in zip(r.coords, r.coords[1:], strict=False)]


def beside(piece: tuple[np.ndarray, np.ndarray], other: tuple[np.ndarray, np.ndarray]) -> tuple[float, float] | None:
    """From where to where, 0 to 1, `piece` runs along `other`: by the definition, in plain arithmetic."""
    (a, b), (c, d) = piece, other
    size = hypot(*(d - c))
    unit = (d - c) / size
    if abs(float((b - a) @ unit)) < cos(radians(45)) * hypot(*(b - a)):
        return None
    low, high = 0.0, 1.0
    normal = np.array([-unit[1], unit[0]])
    for start, end, least, most in (
        (float((a - c) @ unit), float((b - c) @ unit), 0.0, size),
        (float((a - c) @ normal), float((b - c) @ normal), -TOLERANCE, TOLERANCE),
    ):
        if start == end:
            if not least <= start <= most:
                return None
            continue
        first, last = sorted(((least - start) / (end - start), (most - start) / (end - start)))
        low, high = max(low, first), min(high, last)
    return (low, high) if high > low else None


def plainly(polygon: shapely.Polygon, against: shapely.Polygon) -> float:
    total = 0.0
    for piece in sides(polygon):
        reach, covered = 0.0, 0.0
        for low, high in sorted(filter(None, (beside(piece, other) for other in sides(against)))):
            covered += max(0.0, high - max(low, reach))
            reach = max(reach, high)
        total += covered * hypot(*(piece[1] - piece[0]))
    return total


@st.composite
def fabrics(draw: st.DrawFn) -> np.ndarray:
    """Three by three quadrangles with common, moved corners; some a little apart, one with a hole that is filled."""
    moves = draw(st.lists(st.floats(-3, 3), min_size=32, max_size=32))
    corner = {(r, c): (10 * c + moves[4 * r + c], 10 * r + moves[16 + 4 * r + c]) for r in range(4) for c in range(4)}
    cells = [
        shapely.Polygon([corner[r, c], corner[r, c + 1], corner[r + 1, c + 1], corner[r + 1, c]])
        for r in range(3)
        for c in range(3)
    ]
    apart = draw(st.sampled_from([0.0, 0.02, 0.3]))
    cells[3] = shapely.affinity.translate(cells[3], apart, apart)
    middle = cells[4].centroid.buffer(1.0, quad_segs=1)
    cells[4] = shapely.difference(cells[4], middle)
    return np.array([c for c in [*cells, middle] if c.is_valid and c.geom_type == "Polygon"], dtype=object)


@settings(max_examples=40, deadline=None)
@given(fabrics())
def test_all_pairs_at_once_give_what_each_gives_alone(fabric: np.ndarray) -> None:
    pairs = shapes.close_pairs(fabric, [np.arange(len(fabric))], TOLERANCE)
    none = np.array([], dtype=object)
    found = shapes.shared_lengths(fabric, pairs, none, touch_tolerance_m=TOLERANCE, barrier_tolerance_m=1.0)
    expected = [sorted((plainly(fabric[a], fabric[b]), plainly(fabric[b], fabric[a]))) for a, b in pairs.tolist()]
    assert len(pairs) > 5
    assert found.tolist() == [pytest.approx(e, abs=1e-6) for e in expected]


def test_working_in_portions_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    cells = [shapely.box(10 * c, 10 * r, 10 * c + 10, 10 * r + 10).segmentize(2.5) for r in range(6) for c in range(6)]
    fabric = np.array(cells, dtype=object)
    pairs = shapes.close_pairs(fabric, [np.arange(36)], TOLERANCE)
    barrier = np.array([shapely.LineString([(0, 13), (60, 13)])], dtype=object)

    def shared() -> list[list[float]]:
        return shapes.shared_lengths(
            fabric, pairs, barrier, touch_tolerance_m=TOLERANCE, barrier_tolerance_m=1.0
        ).tolist()

    whole = shared()
    monkeypatch.setattr(facing, "_AT_ONCE", 50)
    assert shared() == [pytest.approx(row, abs=1e-9) for row in whole]
    side_by_side = {(a, b): length for (a, b), length in zip(pairs.tolist(), whole, strict=True) if b == a + 1}
    assert side_by_side[0, 1] == pytest.approx([10, 10], abs=1e-9)
    assert side_by_side[6, 7] == pytest.approx([8, 8], abs=1e-9)  # 2 m of it lie within a metre of the barrier


def test_no_pairs_share_nothing() -> None:
    none = np.array([], dtype=object)
    empty = np.empty((0, 2), dtype=np.int64)
    assert shapes.shared_lengths(none, empty, none, touch_tolerance_m=0.05, barrier_tolerance_m=1.0).shape == (0, 2)


def test_lanes_are_measured_from_both_sides_and_less_what_stands_in_them() -> None:
    parcels = np.array(
        [shapely.box(0, 0, 20, 20), shapely.box(5, 26, 40, 40), shapely.box(12, 21, 14, 25)], dtype=object
    )
    pairs = np.array([[0, 1]])
    spec, none = AdjacencySpec(), np.array([], dtype=object)
    alone = measure_lanes(parcels[:2], pairs, none, spec, 1.0)
    assert alone.facing_m.tolist() == [15.0] and not alone.sampled.any()
    assert alone.least_m.tolist() == alone.most_m.tolist() == [6.0]
    built = measure_lanes(parcels, pairs, none, spec, 1.0)
    assert built.sampled.all() and built.facing_m[0] == pytest.approx(13.0, abs=SLACK_M)
    ditch = np.array([shapely.LineString([(-9, 23), (11, 23)])], dtype=object)
    cut = measure_lanes(parcels[:2], pairs, ditch, spec, 1.0)
    assert cut.facing_m[0] == pytest.approx(8.0, abs=SLACK_M)


def test_corners_across_a_crossroads_do_not_face() -> None:
    parcels = np.array([shapely.box(0, 0, 20, 20), shapely.box(26, 26, 40, 40)], dtype=object)
    lanes = measure_lanes(parcels, np.array([[0, 1]]), np.array([], dtype=object), AdjacencySpec(), 1.0)
    assert lanes.facing_m.tolist() == [0.0] and np.isinf(lanes.least_m).all()
