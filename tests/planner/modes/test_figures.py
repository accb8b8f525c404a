"""Figures beside the fields, and the numbers that quantities stand for."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from planner.errors import ConfigError
from planner.modes.figures import constant, figure_fields, quantity
from planner.spec_modes import FigureSpec


def plain(value: float) -> FigureSpec:
    return FigureSpec(value=value, source="test", date="2024")


def by(field: str, **values: float) -> FigureSpec:
    return FigureSpec(by=field, values=values, source="test", date="2024")


def fields(**columns: list[object]) -> pd.DataFrame:
    n = len(next(iter(columns.values())))
    return pd.DataFrame(columns, index=pd.Index([f"p{k}" for k in range(n)], name="parcel_id"))


FIGURES = {"rate": plain(60.0), "price": by("kind", shed=450.0, hall=800.0)}


def test_a_plain_figure_is_the_same_everywhere_and_others_are_looked_up() -> None:
    land = fields(kind=["hall", "shed", None, "villa"])
    out = figure_fields(land, FIGURES)
    assert list(out.columns) == ["kind", "rate", "price"]
    assert out["rate"].tolist() == [60.0] * 4
    assert out["price"].tolist()[:2] == [800.0, 450.0]
    assert out["price"].isna().tolist() == [False, False, True, True]
    assert out.index.equals(land.index)
    assert list(land.columns) == ["kind"]


@pytest.mark.parametrize("dtype", ["str", "string", "object"])
def test_texts_of_every_dtype_are_looked_up(dtype: str) -> None:
    land = fields(kind=["shed", None, "hall"]).astype({"kind": dtype})
    np.testing.assert_array_equal(figure_fields(land, FIGURES)["price"], [450.0, np.nan, 800.0])


def test_many_figures_make_one_frame_without_complaint() -> None:
    figures = {f"f{k}": plain(float(k)) for k in range(150)}
    out = figure_fields(fields(a=[1.0, 2.0]), figures)
    assert out.shape == (2, 151)
    assert out["f149"].tolist() == [149.0, 149.0]


def test_a_field_that_is_unknown_everywhere_gives_unknown_figures() -> None:
    land = pd.DataFrame({"kind": pd.Series([np.nan, np.nan], dtype=float)})
    assert figure_fields(land, FIGURES)["price"].isna().all()


@pytest.mark.parametrize(
    ("columns", "where", "found"),
    [
        ({"rate": [1.0], "kind": ["shed"]}, "modes.figures.rate", "the name of a parcel field"),
        ({"other": ["shed"]}, "modes.figures.price.by", "'kind'"),
        ({"kind": [3.0]}, "modes.figures.price.by", "no text"),
    ],
)
def test_figures_that_do_not_fit_the_fields_are_refused(
    columns: dict[str, list[object]], where: str, found: str
) -> None:
    with pytest.raises(ConfigError) as caught:
        figure_fields(fields(**columns), FIGURES)
    (issue,) = caught.value.issues
    assert issue.where == where
    assert found in issue.found


def test_a_quantity_is_a_number_or_an_expression_by_parcel() -> None:
    land = figure_fields(fields(kind=["shed", "hall", None], floor_m2=[10.0, 20.0, 30.0]), FIGURES)
    assert quantity(2, land).tolist() == [2.0, 2.0, 2.0]
    np.testing.assert_array_equal(quantity("(price + rate) * floor_m2", land), [5100.0, 17200.0, np.nan])
    assert quantity("rate", land).dtype == np.float64


def test_a_quantity_is_no_condition_and_has_no_unknown_names() -> None:
    land = fields(kind=["shed"])
    for text in ("kind == 'shed'", "floor_m2", "kind * 2"):
        with pytest.raises(ConfigError):
            quantity(text, land)


@given(st.lists(st.sampled_from(["shed", "hall", "villa", None]), min_size=1, max_size=8))
def test_order_of_parcels_does_not_matter(kinds: list[str | None]) -> None:
    land = fields(kind=list(kinds))
    order = np.arange(len(kinds))[::-1]
    straight = figure_fields(land, FIGURES)["price"].to_numpy()
    turned = figure_fields(land.iloc[order], FIGURES)["price"].to_numpy()
    np.testing.assert_array_equal(straight[order], turned)


def test_a_constant_is_made_of_plain_figures() -> None:
    assert constant(3, FIGURES) == 3.0
    assert constant("rate / 2", FIGURES) == 30.0
    assert constant("24", {}) == 24.0


@pytest.mark.parametrize("text", ["price", "floor_m2", "rate / (rate - rate)", "rate > 3"])
def test_a_constant_differs_by_no_parcel_and_has_a_value(text: str) -> None:
    with pytest.raises(ConfigError):
        constant(text, FIGURES)
