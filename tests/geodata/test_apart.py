"""Distances of polygons from their segments, against shapely's own."""

from __future__ import annotations

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely.geometry.base import BaseGeometry

from geodata.adjacency import _box_in_box
from geodata.apart import distance_m
from geodata.runs import Runs
from geodata.segments import Segments

RING = shapely.box(0, 0, 60, 60).difference(shapely.box(10, 10, 50, 50))


def distances(shapes: list[BaseGeometry], reach_m: float) -> dict[tuple[int, int], float]:
    geometry = np.array(shapes, dtype=object)
    shapely.prepare(geometry)
    first, second = np.triu_indices(len(shapes), 1)
    near = Runs.of(Segments.of(geometry)).near(reach_m)
    found = distance_m(geometry, near, first, second, _box_in_box(geometry), reach_m)
    return dict(zip(zip(first.tolist(), second.tolist(), strict=True), found.tolist(), strict=True))


def test_inside_in_a_hole_and_beyond_the_reach() -> None:
    shapes = [RING, shapely.box(2, 2, 5, 5), shapely.box(20, 20, 30, 30), shapely.box(75, 0, 80, 5)]
    found = distances(shapes, 16.0)
    assert found[0, 1] == 0.0  # wholly inside, 2 m from the boundary
    assert found[0, 2] == pytest.approx(10.0)  # in the hole
    assert found[0, 3] == pytest.approx(15.0)
    assert found[1, 3] == np.inf


def test_a_part_inside_another_parcel() -> None:
    scattered = shapely.MultiPolygon([shapely.box(20, 20, 30, 30), shapely.box(200, 0, 210, 10)])
    assert distances([shapely.box(0, 0, 60, 60), scattered], 5.0) == {(0, 1): 0.0}


def test_crossing_without_a_corner_inside() -> None:
    assert distances([shapely.box(0, 20, 60, 30), shapely.box(20, 0, 30, 60)], 5.0) == {(0, 1): 0.0}


@st.composite
def stars(draw: st.DrawFn) -> BaseGeometry:
    """A star-shaped polygon of 3 to 20 corners somewhere on a square of 100 m."""
    n = draw(st.integers(3, 20))
    radius = np.array([draw(st.floats(2.0, 25.0)) for _ in range(n)])
    angle = np.arange(n) * (2 * np.pi / n)
    centre = np.array([draw(st.floats(0, 100)), draw(st.floats(0, 100))])
    corners = np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=1)
    return shapely.Polygon(centre + corners)


@settings(max_examples=60, deadline=None)
@given(st.lists(stars(), min_size=2, max_size=6), st.sampled_from([0.05, 10.0, 200.0]))
def test_as_shapely_measures_it(shapes: list[BaseGeometry], reach_m: float) -> None:
    for (i, j), found in distances(shapes, reach_m).items():
        expected = shapely.distance(shapes[i], shapes[j])
        if abs(expected - reach_m) > 1e-9:
            assert found == pytest.approx(expected if expected <= reach_m else np.inf, abs=1e-9)
