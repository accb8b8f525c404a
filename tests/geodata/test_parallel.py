"""Work in portions: the same as without them, whatever the number of threads."""

from __future__ import annotations

import threading

import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from geodata import parallel
from geodata.contract import GeometryArray
from geodata.overlaps import find_overlaps
from geodata.parallel import in_portions, mapped, portions, query_tree, with_settings


@pytest.fixture(params=[1, 2], ids=["one thread", "two threads"])
def threads(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> int:
    monkeypatch.setattr(parallel, "threads", lambda: request.param)
    return int(request.param)


def squares(n: int, side: float) -> GeometryArray:
    """Squares of a side with their lower left corners a metre apart, in a row of ten after the other."""
    x, y = np.arange(n) % 10, np.arange(n) // 10
    return np.asarray(shapely.box(x, y, x + side, y + side))


def test_results_come_in_the_order_of_the_items(threads: int) -> None:
    first_waits = threading.Event()

    def double(item: int) -> int:
        if item == 0 and threads > 1:
            # The first item ends after the second.
            assert first_waits.wait(10)
        elif item == 1:
            first_waits.set()
        return 2 * item

    assert mapped(double, range(5)) == [0, 2, 4, 6, 8]


def test_the_exception_of_the_first_item_that_has_one_is_raised(threads: int) -> None:
    def fail(item: int) -> int:
        if item in (3, 7):
            raise ValueError(f"item {item}")
        return item

    with pytest.raises(ValueError, match="item 3"):
        mapped(fail, range(10))


def test_an_interrupt_is_not_swallowed(threads: int) -> None:
    begun = []

    def interrupted(item: int) -> None:
        begun.append(item)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        mapped(interrupted, range(100))
    assert len(begun) < 100


def test_two_items_are_worked_on_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parallel, "threads", lambda: 2)
    both = threading.Barrier(2)
    assert sorted(mapped(lambda _: both.wait(10), range(2))) == [0, 1]


def test_within_a_thread_it_works_in_that_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parallel, "threads", lambda: 2)
    names = mapped(lambda _: {threading.get_ident(), *mapped(lambda _: threading.get_ident(), range(4))}, range(4))
    assert all(len(own) == 1 for own in names)
    assert threading.get_ident() not in set.union(*names)


def test_threads_treat_errors_of_numbers_as_their_caller_does(threads: int) -> None:
    with np.errstate(divide="raise"), pytest.raises(FloatingPointError):
        in_portions(lambda x: 1 / x, np.zeros(10), least=1)


def test_few_rows_are_one_portion() -> None:
    assert portions(999) == [slice(0, 999)]
    assert portions(1000) == [slice(0, 500), slice(500, 1000)]
    assert portions(0) == []


def test_rows_that_belong_together_stay_together() -> None:
    together = np.repeat([0, 1, 2], [3, 4, 1])
    assert portions(8, together, least=2) == [slice(0, 3), slice(3, 7), slice(7, 8)]
    assert portions(8, np.zeros(8, dtype=np.int64), least=2) == [slice(0, 8)]


@given(st.lists(st.integers(0, 5), max_size=60), st.integers(1, 20))
def test_portions_hold_every_row_once_and_part_nothing(numbers: list[int], least: int) -> None:
    together = np.sort(np.array(numbers, dtype=np.int64))
    parts = portions(len(together), together, least)
    rows = [np.arange(len(together))[part] for part in parts]
    np.testing.assert_array_equal(np.concatenate([np.empty(0), *rows]), np.arange(len(together)))
    assert all(len(part) for part in rows)
    owners = [set(together[part].tolist()) for part in parts]
    assert sum(map(len, owners)) == len(set(numbers))


@given(st.lists(st.floats(-1e6, 1e6), max_size=50), st.integers(1, 60))
def test_in_portions_is_the_function_itself(values: list[float], least: int) -> None:
    x = np.array(values, dtype=float)
    np.testing.assert_array_equal(in_portions(np.hypot, x, x[::-1], least=least), np.hypot(x, x[::-1]))


def test_a_routine_of_shapely_with_settings(threads: int) -> None:
    polygons = squares(60, 0.5)
    found = in_portions(with_settings(shapely.buffer, distance=0.1, quad_segs=2), polygons, least=7)
    expected = shapely.buffer(polygons, 0.1, quad_segs=2)
    np.testing.assert_array_equal(shapely.to_wkb(found), shapely.to_wkb(expected))


def test_a_tree_finds_the_same_in_portions(threads: int) -> None:
    polygons = squares(3000, 1.5)
    tree = shapely.STRtree(polygons)
    np.testing.assert_array_equal(query_tree(tree, polygons), tree.query(polygons))
    assert query_tree(tree, polygons[:0]).shape == (2, 0)


def test_overlaps_are_the_same_with_any_number_of_threads(threads: int) -> None:
    # Each square overlaps that to its right and the three of the row above it beside it by 0.75 or 0.25 m2.
    found = find_overlaps(squares(3000, 1.5), np.ones(3000, dtype=bool))
    across, up = 300 * 9, 299 * 10
    diagonal = 299 * 9 * 2
    assert len(found.first) == across + up + diagonal
    assert found.area_m2.sum() == pytest.approx((across + up) * 0.75 + diagonal * 0.25)
    assert not len(found.grazing)
