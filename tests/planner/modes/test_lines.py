"""Payments by parcel: amounts, shares, times, what is unknown, what is refused."""

from __future__ import annotations

import numpy as np
import pytest

from planner.errors import ConfigError
from planner.modes.figures import figure_fields
from planner.modes.lines import money_lines, net_cost, unknown_money
from planner.modes.terms import Lines
from tests.planner.modes.money_cases import frame, line, modes_of, pay, priced, times


def test_an_amount_is_figure_times_quantity() -> None:
    modes = modes_of(pay("land", "town", "owner", amount="price_yuan_per_mu * area_mu"), price_yuan_per_mu=450_000.0)
    ((land,),) = priced(modes, times(), frame(area_mu=[10.0, 2.5]))
    assert land.amount_yuan.tolist() == [4_500_000.0, 1_125_000.0]
    assert (land.first_month, land.last_month) == (6.0, 6.0)  # at the signing


def test_an_expression_sees_what_its_own_mode_builds() -> None:
    two = modes_of(pay("build", "owner", "outside", amount="2000 * new_floor_m2 + net_area_mu"))
    both = two.model_copy(update={"choices": (two.choices[0], two.choices[0].model_copy(update={"id": "again"}))})
    fields = figure_fields(frame(area_mu=[1.0, 1.0]), both.figures)
    floor, net = np.array([[10.0, 20.0], [30.0, 40.0]]), np.array([[1.0, 2.0], [3.0, 4.0]])
    lines = money_lines(both, fields, times(modes=2), floor, net)
    assert [of_mode[0].amount_yuan.tolist() for of_mode in lines] == [[20_001.0, 60_003.0], [40_002.0, 80_004.0]]
    assert "new_floor_m2" not in fields.columns


def test_a_share_is_that_of_the_sum_of_its_lines() -> None:
    modes = modes_of(
        pay("land", "town", "owner", amount="100 * area_mu"),
        pay("work", "town", "outside", amount="50"),
        pay("rest", "town", "outside", amount="7"),
        pay("contingency", "town", "outside", share="contingency_share", of=["land", "work"], at="levelled"),
        contingency_share=0.05,
    )
    (of_mode,) = priced(modes, times(), frame(area_mu=[1.0, 3.0]))
    assert of_mode[3].amount_yuan == pytest.approx([7.5, 17.5])  # 5 % of 150, of 350
    assert of_mode[3].first_month == 18.0


@pytest.mark.parametrize(
    ("more", "span"),
    [
        ({"at": "launched"}, (0.0, 0.0)),
        ({"start": "signed", "end": "built"}, (6.0, 48.0)),
        ({"start": "built", "months": 240}, (48.0, 288.0)),
        ({"start": "demolished", "months": "wait_months"}, (12.0, 36.0)),
    ],
)
def test_when_it_is_paid(more: dict[str, object], span: tuple[float, float]) -> None:
    modes = modes_of(pay("x", "town", "owner", amount="1", **more), wait_months=24.0)
    ((x,),) = priced(modes, times(), frame(area_mu=[1.0]))
    assert (x.first_month, x.last_month) == span


def test_unknown_stays_unknown_and_spreads_to_shares() -> None:
    modes = modes_of(
        pay("land", "town", "owner", amount="100 * floor_m2"),
        pay("fee", "town", "outside", share=0.1, of=["land"]),
        pay("flat", "outside", "town", amount="5"),
    )
    lines = priced(modes, times(), frame(floor_m2=[2.0, np.nan]))
    assert np.isnan([x.amount_yuan[1] for x in lines[0]]).tolist() == [True, True, False]
    assert unknown_money(lines, 2).tolist() == [[False], [True]]
    cost = net_cost(lines, ("town",), 2)
    assert cost[0].tolist() == [215.0]
    assert np.isnan(cost[1]).all()


def test_net_cost_is_paid_less_received_and_cancels_among_the_parties() -> None:
    lines: Lines = (
        (
            line([100.0, 200.0], 0, 0, payer="town", payee="owner"),
            line([30.0, 40.0], 0, 0, payer="developer", payee="town"),
            line([np.nan, 9.0], 0, 0, payer="city", payee="town"),
            line([5.0, 5.0], 0, 0, payer="owner", payee="developer"),
        ),
        (),
    )
    assert net_cost(lines, ("town", "city"), 2).tolist() == [[70.0, 0.0], [160.0, 0.0]]
    assert net_cost(lines, ("owner",), 2)[:, 0].tolist() == [-95.0, -195.0]
    assert net_cost(lines, ("outside",), 2).tolist() == [[0.0, 0.0], [0.0, 0.0]]
    everyone = ("town", "city", "collective", "owner", "developer", "outside")
    assert net_cost(lines, everyone, 2).tolist() == [[0.0, 0.0], [0.0, 0.0]]


def test_modes_without_payments_cost_nothing() -> None:
    modes = modes_of()
    lines = priced(modes, times(), frame(area_mu=[1.0, 2.0, 3.0]))
    assert lines == ((),)
    assert net_cost(lines, ("town",), 3).tolist() == [[0.0], [0.0], [0.0]]
    assert not unknown_money(lines, 3).any()


def test_all_that_is_wrong_is_said_at_once() -> None:
    modes = modes_of(
        pay("uplift", "developer", "town", amount="area_mu - 2"),
        pay("late", "town", "owner", amount="1", start="built", end="signed"),
        pay("lost", "town", "owner", amount="1 * no_such_field"),
        pay("back", "town", "owner", amount="1", start="signed", months=-3),
    )
    with pytest.raises(ConfigError) as caught:
        priced(modes, times(), frame(area_mu=[1.0, 5.0, 0.5, np.nan]))
    uplift, late, lost, back = (str(i) for i in caught.value.issues)
    assert "uplift" in uplift
    assert "-1.50 for p1, p3;" in uplift
    assert "from month 48 to month 6" in late
    assert "no_such_field" in lost
    assert "lines[2]" in lost
    assert "from month 6 to month 3" in back


def test_nothing_else_may_be_called_like_what_is_built() -> None:
    modes = modes_of(pay("x", "town", "owner", amount="net_area_mu"))
    with pytest.raises(ConfigError, match="net_area_mu"):
        priced(modes, times(), frame(net_area_mu=[1.0]))


def test_rows_in_another_order_give_the_same_amounts() -> None:
    modes = modes_of(
        pay("land", "town", "owner", amount="price * area_mu"),
        pay("fee", "town", "outside", share=0.03, of=["land"]),
        price=3.7,
    )
    fields = frame(area_mu=[1.1, 2.2, 3.3])
    order = [2, 0, 1]
    whole, turned = priced(modes, times(), fields), priced(modes, times(), fields.iloc[order])
    for a, b in zip(whole[0], turned[0], strict=True):
        assert a.amount_yuan[order].tolist() == b.amount_yuan.tolist()
