import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from planner.report.printed.job import MISSING, adding_up, mu, number, percent, text, wan


@given(st.lists(st.floats(0, 1e5), max_size=12), st.integers(0, 2))
def test_displayed_values_add_up_to_the_displayed_total(values: list[float], decimals: int) -> None:
    shown = adding_up(values, sum(values), decimals)
    assert round(sum(shown), decimals) == pytest.approx(round(sum(values), decimals), abs=0.1 ** (decimals + 3))
    assert all(abs(a - b) < 10.0**-decimals + 1e-6 for a, b in zip(shown, values, strict=True))


def test_largest_remainders_are_rounded_up() -> None:
    assert adding_up([1.04, 1.04, 1.04], 3.12) == [1.1, 1.0, 1.0]
    assert adding_up([0.05, 0.29], 0.34) == [0.0, 0.3]


@pytest.mark.parametrize("unknown", [None, np.nan, pd.NA])
def test_what_is_unknown_is_no_zero(unknown: object) -> None:
    assert [mu(unknown), number(unknown, 2), percent(unknown), wan(unknown), text(unknown)] == [MISSING] * 5


def test_figures_as_they_are_printed() -> None:
    assert mu(1234.56) == "1,234.6"
    assert number(-0.001, 2) == "0.00"
    assert percent(0.475) == "48 %"
    assert wan(12_345_678) == "1,234.57"
