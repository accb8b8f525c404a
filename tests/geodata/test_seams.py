"""Which polygons may not meet cleanly, found anew after a change without looking at everything again."""

from __future__ import annotations

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely.geometry.base import BaseGeometry

from geodata.contract import GeometryArray
from geodata.mending import Mender
from geodata.outlines import altered_segments, differences_of, moved_m
from geodata.overlaps import polygonal, polygonal_each
from geodata.row_keys import how_often, is_among, row_keys, rows_of
from geodata.seams import Seams, invalid_edges, places
from geodata.spec import RepairSpec
from tests.geodata.shapes import box

REACH_M = 0.05


def array(shapes: list[BaseGeometry]) -> GeometryArray:
    out = np.empty(len(shapes), dtype=object)
    out[:] = shapes
    return out


def grid(side: int) -> list[BaseGeometry]:
    return [box(x * 20, y * 20, 20, 20) for y in range(side) for x in range(side)]


def shaken(polygon: BaseGeometry, rng: np.random.Generator) -> BaseGeometry:
    ring = shapely.get_coordinates(polygon)[:-1]
    return shapely.Polygon(ring + rng.uniform(-0.03, 0.03, ring.shape))


def test_clean_grid_has_no_seams_and_one_shaken_cell_has_them_with_those_beside_it() -> None:
    cells = array(grid(3))
    seams = Seams.of(cells, REACH_M)
    assert len(seams.pairs) == 0
    work = cells.copy()
    work[0] = box(0, 0, 20.03, 20)
    assert seams.pairs_now(work, np.array([0])).tolist() == [[0, 1], [0, 3]]
    assert len(seams.pairs_now(cells, np.array([0]))) == 0


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10**6))
def test_seams_after_a_change_are_those_of_the_changed_polygons(seed: int) -> None:
    rng = np.random.default_rng(seed)
    cells = array([shaken(cell, rng) if rng.random() < 0.3 else cell for cell in grid(4)])
    seams = Seams.of(cells, REACH_M)
    touched = np.sort(rng.choice(16, rng.integers(1, 6), replace=False))
    work = cells.copy()
    # Some become clean again, some do not, some were touched for nothing.
    for k in touched.tolist():
        work[k] = [cells[k], grid(4)[k], shaken(cells[k], rng)][rng.integers(3)]
    assert seams.pairs_now(work, touched).tolist() == Seams.of(work, REACH_M).pairs.tolist()


def test_three_who_share_a_side_share_it_with_nobody() -> None:
    # Two parcels stored on the same ground, beside a third: the side is there three times.
    cells = array([box(0, 0, 20, 20), box(20, 0, 20, 20), box(20, 0, 20, 20)])
    assert Seams.of(cells, REACH_M).pairs.tolist() == [[0, 1], [0, 2], [1, 2]]


def gaps_apart(widths_cm: list[int]) -> list[BaseGeometry]:
    """Pairs of cells with a gap, far from each other."""
    pairs = ([box(k * 100, 0, 10, 10), box(k * 100 + 10 + cm / 100, 0, 10, 10)] for k, cm in enumerate(widths_cm))
    return [cell for pair in pairs for cell in pair]


def test_places_mended_together_become_what_each_becomes_alone() -> None:
    cells = array(gaps_apart([1, 2, 3, 4, 6, 7, 8, 9, 1]))
    # Thin parcel: snapping would swallow it, and that place is left.
    cells[17] = box(810.02, 0, 0.03, 100)
    spec = RepairSpec(snap_m=0.05)
    edges = invalid_edges(cells, Seams.of(cells, REACH_M).pairs, REACH_M)
    found = list(places(edges, REACH_M))
    mender = Mender(cells, shapely.STRtree(cells), spec, REACH_M, np.zeros(len(cells), dtype=bool))
    members, lines = [m for m, _ in found], [line for _, line in found]
    together = mender.mend(members, lines, mender.surroundings(members, lines))
    assert [bool(o.steps[0].reason) for o in together] == [False] * 4 + [True]
    for m, line, outcome in zip(members, lines, together, strict=True):
        (alone,) = mender.mend([m], [line], mender.surroundings([m], [line]))
        assert alone.steps == outcome.steps and alone.read.tolist() == outcome.read.tolist()


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10**6))
def test_differences_are_those_of_the_polygons(seed: int) -> None:
    rng = np.random.default_rng(seed)
    before = array(grid(2))
    after = array([shaken(shapely.segmentize(cell, 7), rng) if rng.random() < 0.7 else cell for cell in before])
    found = differences_of(before, after)
    for k, (was, now) in enumerate(zip(before, after, strict=True)):
        assert found.gained_m2[k] == pytest.approx(now.difference(was).area, abs=1e-6)
        assert found.given_m2[k] == pytest.approx(was.difference(now).area, abs=1e-6)
        if was is now:
            assert found.shown[k] is None
        else:
            assert shapely.symmetric_difference(found.shown[k], was.symmetric_difference(now)).area <= 1e-6


def test_corner_without_ground_is_shown_as_a_point() -> None:
    before, after = box(0, 0, 10, 10), shapely.Polygon([(0, 0), (5, 0), (10, 0), (10, 10), (0, 10)])
    found = differences_of(array([before]), array([after]))
    assert (found.gained_m2[0], found.given_m2[0]) == (0.0, 0.0)
    assert found.shown[0].equals(shapely.MultiPoint([(5, 0)]))
    assert moved_m(array([before]), array([after])).tolist() == [0.0]
    # Turned and begun elsewhere, an outline is the same one.
    turned = shapely.Polygon([(10, 10), (10, 0), (0, 0), (0, 10)])
    assert len(altered_segments(array([before]), array([turned]))[0]) == 0


def test_polygons_of_many_are_those_of_each() -> None:
    square, point = box(0, 0, 3, 3), shapely.Point(9, 9)
    two = shapely.union_all([box(0, 0, 1, 1), box(5, 5, 2, 2)])
    shapes = [square, point, two, shapely.GeometryCollection([box(5, 5, 2, 2), point]), shapely.Polygon()]
    for floor_m2 in (0.0, 1.0, 4.0, 9.0):
        each = polygonal_each(array(shapes), floor_m2)
        assert each.tolist() == [polygonal(shape, floor_m2) for shape in shapes]


def test_row_keys_find_rows() -> None:
    rows = np.array([[1.0, 0.0], [1.0, -0.0], [0.0, 1.0], [2.0, 1.0]])
    key = row_keys(rows)
    assert key[0] == key[1] and len(set(key.tolist())) == 3
    along = np.sort(key)
    assert how_often(key, along).tolist() == [2, 2, 1, 1]
    assert is_among(key, key[2:]).tolist() == [False, False, True, True]
    assert is_among(key, key[:0]).tolist() == [False] * 4
    assert along[rows_of(key[[0, 3]], along)].tolist() == [key[0], key[0], key[3]]
