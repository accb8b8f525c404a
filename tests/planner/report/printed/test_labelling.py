import numpy as np
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from planner.report.printed.labelling import SIZES, place_names
from planner.report.printed.page import Box

PAPER = Box(0, 0, 200, 150)


def measure(index: int, size: float) -> tuple[float, float]:
    return 1.5 * size, 0.9 * size


def rectangle(placed, measure=measure):
    wide, high = measure(placed.index, placed.size)
    return shapely.box(placed.x - wide / 2, placed.y - high / 2, placed.x + wide / 2, placed.y + high / 2)


def test_a_name_stands_inside_a_shape_that_is_large_enough() -> None:
    shape = shapely.box(20, 20, 80, 60)
    [placed], unplaced = place_names([shape], measure, PAPER)
    assert unplaced == []
    assert placed.size == SIZES[0]
    assert placed.leader is None
    assert shape.contains(rectangle(placed))


def test_a_smaller_size_is_taken_before_the_name_leaves_its_shape() -> None:
    shape = shapely.box(20, 20, 31, 40)
    [placed], _ = place_names([shape], measure, PAPER)
    assert placed.size == 7.0
    assert shape.contains(rectangle(placed))


def test_a_name_of_a_tiny_shape_stands_beside_it_with_a_line() -> None:
    [placed], _ = place_names([shapely.box(50, 50, 51, 51)], measure, PAPER)
    assert placed.leader is not None
    assert shapely.box(50, 50, 51, 51).contains(shapely.Point(placed.leader))


def test_a_shape_outside_the_paper_has_no_name() -> None:
    assert place_names([shapely.box(500, 500, 600, 600)], measure, PAPER) == ([], [0])


def test_where_all_is_taken_the_name_is_reported() -> None:
    taken = [shapely.box(-1, -1, 201, 151)]
    assert place_names([shapely.box(10, 10, 60, 60)], measure, PAPER, taken) == ([], [0])


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.floats(0, 190), st.floats(0, 140), st.floats(1, 40)), min_size=1, max_size=25))
def test_names_never_overlap_and_stay_on_the_paper(squares: list[tuple[float, float, float]]) -> None:
    shapes = [shapely.box(x, y, x + side, y + side) for x, y, side in squares]
    placed, unplaced = place_names(shapes, measure, PAPER)
    assert sorted([p.index for p in placed] + unplaced) == list(range(len(shapes)))
    boxes = np.array([rectangle(p) for p in placed], dtype=object)
    paper = shapely.box(0, 0, 200, 150)
    assert all(paper.buffer(1e-9).contains(b) for b in boxes)
    for i in range(len(boxes)):
        assert shapely.area(shapely.intersection(boxes[i], boxes[:i])).sum() < 1e-9
