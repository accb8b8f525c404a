import pytest
from hypothesis import given
from hypothesis import strategies as st

from planner.report.compare.figures import Indicator
from planner.report.compare.rows import rows_of


def figure(value, key="gap", better="low", **more):
    return Indicator("result", key, "share", value, better=better, **more)


def only(*cells):
    (row,) = rows_of([[cell] if cell else [] for cell in cells])
    return row


@pytest.mark.parametrize(
    ("values", "better", "best"),
    [
        ((3.0, 1.0, 2.0), "low", (False, True, False)),
        ((3.0, 1.0, 3.0), "high", (True, False, True)),
        ((2.0, 2.0, 2.0), "low", (False, False, False)),
        ((3.0, 1.0, 2.0), None, (False, False, False)),
        ((3.0, None, 2.0), "low", (False, False, False)),
    ],
)
def test_best_value_is_marked(values, better, best):
    assert only(*(figure(v, better=better) for v in values)).best == best


def test_a_sum_that_is_partly_unknown_is_never_best_and_has_no_difference():
    row = only(figure(5.0), figure(1.0, unknown=2), figure(6.0))
    assert row.best == (False, False, False)
    assert row.differences == (None, None, 1.0)


def test_what_is_measured_differently_is_neither_better_nor_different():
    row = only(figure(5.0, basis="a"), figure(1.0, basis="b"), figure(4.0, basis="a"))
    assert row.unlike == (False, True, False)
    assert row.best == (False, False, True)
    assert row.differences == (None, None, -1.0)


def test_a_plan_without_the_figure_has_an_empty_cell_and_does_not_win():
    row = only(None, figure(1.0), figure(2.0))
    assert row.cells[0] is None
    assert row.best == (False, True, False)
    assert row.differences == (None, None, None)


def test_rows_of_later_plans_stand_where_they_stand_there():
    def named(*names):
        return [Indicator("result", name, "share", 1.0) for name in names]

    rows = rows_of([named("a", "c"), named("a", "b", "c", "d")])
    assert [row.key for row in rows] == ["a", "b", "c", "d"]


def test_phases_of_one_id_and_another_year_are_two_rows():
    one, two = (Indicator("land", "cumulative", "mu", 1.0, ("P1", year)) for year in ("1", "2"))
    rows = rows_of([[one], [two]])
    assert [[c is None for c in row.cells] for row in rows] == [[False, True], [True, False]]


@given(st.lists(st.floats(-1e9, 1e9), min_size=2, max_size=8), st.sampled_from(["low", "high"]))
def test_the_best_is_an_extreme_and_differences_lead_back_to_the_first(values, better):
    row = only(*(figure(v, better=better) for v in values))
    top = (min if better == "low" else max)(values)
    for value, best in zip(values, row.best, strict=True):
        assert not best or value == pytest.approx(top, rel=1e-8, abs=1)
    for value, difference in zip(values[1:], row.differences[1:], strict=True):
        assert difference == value - values[0]
