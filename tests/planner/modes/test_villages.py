"""The plan by village: worked out by hand, and nothing lost in sharing out."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from planner.modes.villages import shared, village_table
from planner.problem import Block
from tests.planner.modes.land_cases import land, modes_of

SPACE = {
    "jobs": "jobs",
    "new_floor_per_job_m2": 100.0,
    "collective_income_yuan": "rent",
    "new_collective_income_yuan_per_mu": 5.0,
}
MODES = modes_of({}, space=SPACE)
FIELDS = land(area_mu=[10.0, 20.0, 15.0, 3.0], jobs=[40.0, np.nan, 30.0, 1.0], rent=[100.0, 200.0, 300.0, 0.0])
VILLAGE = pd.Series(["Luo", "Tang", "Tang", None], index=FIELDS.index)
BLOCKS, IDS = [Block((0, 1), 0), Block((3,), 1)], ["P1-01", "P2-01"]


def payments(*rows: tuple[str, str, str, int]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["block_id", "payer", "payee", "amount_cents"])


def table(money: pd.DataFrame | None = None, moves: pd.DataFrame | None = None, **changes: Any) -> pd.DataFrame:
    values = {
        "fields": FIELDS,
        "village": VILLAGE,
        "blocks": BLOCKS,
        "block_ids": IDS,
        "phase_ids": ["P1", "P2"],
    } | changes
    return village_table(MODES, payments=payments() if money is None else money, moves=moves, **values)


def test_land_floor_and_jobs_by_hand() -> None:
    """10 of Luo's 10 mu and 20 of Tang's 35 in P1; a plot ratio of 2 on 20 mu are 26 667 m² and 267 jobs."""
    got = table()
    assert got["village"].tolist() == ["Luo", "Tang", None]
    assert got["area_mu"].tolist() == [10.0, 35.0, 3.0]
    assert got["taken_mu"].tolist() == [10.0, 20.0, 3.0]
    assert got["taken_mu_P1"].tolist() == [10.0, 20.0, 0.0]
    assert got["taken_mu_P2"].tolist() == [0.0, 0.0, 3.0]
    assert got["new_floor_m2"].tolist() == pytest.approx([40_000 / 3, 80_000 / 3, 4000.0])
    assert got["before_jobs"].tolist() == [40.0, 30.0, 1.0]
    assert got["before_jobs_unknown_parcels"].tolist() == [0, 1, 0]
    assert got["before_jobs_unknown_mu"].tolist() == [0.0, 20.0, 0.0]
    assert got["after_jobs"].tolist() == pytest.approx([400 / 3, 800 / 3 + 30, 40.0])
    assert got["after_jobs_unknown_parcels"].tolist() == [0, 0, 0], "all of its firms leave: the unknown jobs are gone"
    assert got["before_collective_income_yuan"].tolist() == [100.0, 500.0, 0.0]
    assert got["after_collective_income_yuan"].tolist() == [50.0, 400.0, 15.0]


def test_money_is_shared_by_area_to_the_cent() -> None:
    """1.00 yuan to the collectives of 10 and 20 mu: 33 and 67 cents; 0.50 paid by them: 17 and 33."""
    got = table(
        payments(
            ("P1-01", "town", "collective", 60),
            ("P1-01", "developer", "collective", 40),
            ("P1-01", "collective", "outside", 50),
            ("P1-01", "town", "owner", 10**9),
            ("P2-01", "town", "collective", 7),
        )
    )
    assert got["collective_received_yuan"].tolist() == [0.33, 0.67, 0.07]
    assert got["collective_paid_yuan"].tolist() == [0.17, 0.33, 0.0]
    assert got["collective_net_yuan"].tolist() == [0.16, 0.34, 0.07]


def test_public_money_is_that_of_town_and_city_together() -> None:
    """0.90 received and 0.30 paid for the 10 and 20 mu; what the city gives the town is no gain."""
    got = table(
        payments(
            ("P1-01", "developer", "town", 90),
            ("P1-01", "city", "town", 10**9),
            ("P1-01", "city", "collective", 30),
            ("P2-01", "collective", "town", 5),
        )
    )
    assert got["public_received_yuan"].tolist() == [0.3, 0.6, 0.05]
    assert got["public_paid_yuan"].tolist() == [0.1, 0.2, 0.0]
    assert got["public_net_yuan"].tolist() == [0.2, 0.4, 0.05]


def test_displaced_floor_by_hand() -> None:
    """All floor of the plan's parcels leaves; that of p001 is unknown and counted. Without floor nothing is known."""
    modes = modes_of({"displaces": 0.5}, space=SPACE | {"floor_m2": "floor"})
    fields = FIELDS.assign(floor=[100.0, np.nan, 300.0, 0.0])
    got = village_table(modes, fields, VILLAGE, BLOCKS, IDS, ["P1", "P2"], payments())
    assert got["displaced_floor_m2"].tolist() == [50.0, 0.0, 0.0]
    assert got["displaced_floor_unknown_parcels"].tolist() == [0, 1, 0]
    assert table()["displaced_floor_unknown_parcels"].tolist() == [1, 1, 1]


def test_incomes_are_compared_where_both_are_known() -> None:
    """Tang's p002 stays and has no known income: 20 of its 35 mu are compared, 200 yuan before and 100 after."""
    got = table(fields=FIELDS.assign(rent=[100.0, 200.0, np.nan, np.nan]))
    assert got["compared_mu"].tolist() == [10.0, 20.0, 0.0]
    assert got["compared_before_collective_income_yuan"].tolist()[:2] == [100.0, 200.0]
    assert got["compared_after_collective_income_yuan"].tolist()[:2] == [50.0, 100.0]
    assert got["compared_after_collective_income_yuan"].isna().tolist() == [False, False, True]
    assert got["after_collective_income_yuan"].tolist() == [50.0, 100.0, 15.0]


def moves(*rows: tuple[str, str, Any, Any]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["parcel_id", "status", "firms", "large"])


def test_firms_by_fate() -> None:
    got = table(
        moves=moves(
            ("p000", "moved", 3, False),
            ("p000", "moved", 1, True),
            ("p000", "unplaced", 2, True),
            ("p001", "moved", pd.NA, pd.NA),
            ("p002", "kept", 4, pd.NA),
            ("p002", "kept", 1, True),
        )
    )
    luo, tang, none = (got.iloc[k] for k in range(3))
    assert [luo[f"firms_{f}"] for f in ("kept", "moved", "lost", "unknown")] == [0, 4, 2, 0]
    assert [luo[f"large_firms_{f}"] for f in ("kept", "moved", "lost", "unknown")] == [0, 1, 2, 0]
    assert [tang[f"firms_{f}"] for f in ("kept", "moved", "lost", "unknown")] == [5, 0, 0, 0]
    assert (tang["large_firms_kept"], tang["firms_unnumbered"], tang["large_firms_unnumbered"]) == (1, 1, 2)
    assert none["firms_kept"] == 0


def test_moves_of_other_parcels_are_a_mistake_of_the_caller() -> None:
    with pytest.raises(ValueError, match="nowhere"):
        table(moves=moves(("nowhere", "kept", 1, False)))


def test_the_order_of_parcels_changes_nothing() -> None:
    order = [3, 1, 0, 2]
    money = payments(("P1-01", "town", "collective", 101))
    blocks = [Block((1, 2), 0), Block((0,), 1)]
    other = table(money, fields=FIELDS.iloc[order], village=VILLAGE.iloc[order], blocks=blocks)
    pd.testing.assert_frame_equal(other, table(money))


def test_everybody_has_a_village() -> None:
    assert table(village=VILLAGE.fillna("Luo"))["village"].tolist() == ["Luo", "Tang"]


def test_largest_remainders() -> None:
    """10 by thirds: 3, 3, 3 and the last cent to the first; 1/2, 1/4, 1/4 of 7 are 3.5, 1.75, 1.75: 3, 2, 2."""
    assert shared(10, np.ones(3)).tolist() == [4, 3, 3]
    assert shared(7, np.array([2.0, 1.0, 1.0])).tolist() == [3, 2, 2]
    assert shared(-10, np.ones(3)).tolist() == [-4, -3, -3]


@settings(deadline=None)
@given(st.integers(-(10**14), 10**14), st.lists(st.floats(0, 1e4), min_size=1, max_size=6).filter(lambda w: sum(w) > 0))
def test_shares_add_up_and_are_fair(cents: int, weights: list[float]) -> None:
    parts = shared(cents, np.array(weights))
    assert int(parts.sum()) == cents
    exact = cents * np.array(weights) / sum(weights)
    assert (np.abs(parts - exact) < 1 + 1e-15 * abs(cents)).all()
    assert all(p == 0 for p, w in zip(parts, weights, strict=True) if w == 0)
