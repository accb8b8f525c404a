"""Firms: units of parcels, who leaves, and where they go."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geodata.errors import DataError
from planner.modes.decant import decant_resource
from planner.modes.firm_units import UNIT_COLUMNS, firm_units, split_parcel
from planner.modes.moves import MOVE_COLUMNS, SITE_COLUMNS, Moves, firm_moves
from planner.modes.space import new_space
from planner.optimise.assign import assign
from planner.problem import Block
from planner.spec_modes import ModesSpec
from tests.planner.modes.land_cases import land, modes_of, times

PLACE = partial(assign, time_limit_s=20.0)
PARK = {"name": "park", "floor_m2": 500, "from_year": 1}


def spec(*choices: dict[str, Any], **decant: Any) -> ModesSpec:
    section = {"floor_m2": "floor", "firms": "firms", "large_firms": "large", "sites": [PARK]}
    return modes_of(*(choices or ({},)), decant=section | decant)


def moved(
    modes: ModesSpec, fields: pd.DataFrame, blocks: list[Block], ends: tuple[float, ...] = (1.0,), **more: Any
) -> Moves:
    names = [f"P{b.phase + 1}-{k + 1:02d}" for k, b in enumerate(blocks)]
    floor = new_space(modes, fields).new_floor_m2
    result = firm_moves(modes, fields, times(modes, *ends), blocks, names, floor, PLACE, **more)
    assert result is not None
    return result


def short(moves: Moves, *columns: str) -> list[tuple[Any, ...]]:
    table = moves.table[list(columns)].astype(object)
    return list(table.where(table.notna(), None).itertuples(index=False, name=None))


# units ----------------------------------------------------------------------------------------------------------------


def test_units_of_parcels() -> None:
    """Floor area divided over firms; unknown numbers stay unknown; floor without a known firm is one unit."""
    undecided: dict[str, list[str]] = {}
    fields = land(
        floor=[500.0, 300.0, 200.0, 80.0, 0.0, np.nan],
        firms=[5.0, np.nan, 4.0, 0.0, 0.0, 2.0],
        large=[2.0, np.nan, np.nan, 0.0, 0.0, 2.0],
    )
    units = firm_units(spec(), fields, undecided)
    assert list(units.columns) == list(UNIT_COLUMNS)
    rows = units.astype(object).where(units.notna(), None)
    assert list(rows[["unit", "firms", "floor_m2", "large"]].itertuples(index=False, name=None)) == [
        ("p000 other", 3, 300.0, False),
        ("p000 large", 2, 200.0, True),
        ("p001", None, 300.0, None),
        ("p002", 4, 200.0, None),
        ("p003", 0, 80.0, False),
        ("p005 large", 2, None, True),
    ]
    assert undecided == {
        "decanting, floor area of firms": ["p005"],
        "decanting, number of firms": ["p001"],
        "decanting, number of large firms": ["p001", "p002"],
    }


def test_impossible_numbers_are_refused_all_at_once() -> None:
    with pytest.raises(DataError) as caught:
        firm_units(spec(), land(floor=[1.0] * 3, firms=[1.5, 2.0, -1.0], large=[0.0, 3.0, -1.0]), {})
    assert [i.where for i in caught.value.issues] == [
        "modes.decant.firms",
        "modes.decant.large_firms",
        "modes.decant.large_firms",
    ]


def _units(*rows: tuple[Any, ...]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=list(UNIT_COLUMNS))


def test_small_firms_leave_first_and_the_last_with_a_part() -> None:
    """0.5 of 500 m²: two others of 100 m² each whole, half of the third, the large ones stay."""
    units = _units(("o", "p", 3, 300.0, False, False), ("l", "p", 2, 200.0, True, False))
    got = [(r["unit"], r["status"], r["firms"], r["floor_m2"]) for r in split_parcel(units, 0.5)]
    assert got == [("o", "moved", 2, 200.0), ("o", "moved", 1, 50.0), ("o", "kept", 0, 50.0), ("l", "kept", 2, 200.0)]


@settings(deadline=None, max_examples=60)
@given(
    st.lists(st.tuples(st.one_of(st.none(), st.integers(0, 5)), st.floats(1.0, 1e4)), min_size=1, max_size=4),
    st.floats(0.0, 1.0),
)
def test_what_leaves_is_the_share_displaced(rows: list[tuple[int | None, float]], share: float) -> None:
    units = _units(*((f"u{k}", "p", pd.NA if f is None else f, m2, False, False) for k, (f, m2) in enumerate(rows)))
    parts = pd.DataFrame(split_parcel(units, share))
    total = sum(m2 for _, m2 in rows)
    out = parts["floor_m2"][parts["status"] == "moved"].sum()
    assert out == pytest.approx(share * total, abs=1e-5)
    assert parts["floor_m2"].sum() == pytest.approx(total)
    assert parts["firms"].fillna(0).sum() == sum(f or 0 for f, _ in rows)
    assert (parts["floor_m2"] >= -1e-9).all()


# moves ----------------------------------------------------------------------------------------------------------------


def test_kept_moved_and_without_a_place() -> None:
    """500 m² of room for p000 (3 of 100) and p001 (1 of 300): 500 of 600 at most, so one of 100 has no place."""
    fields = land(floor=[300.0, 300.0, 50.0], firms=[3.0, 1.0, 2.0], large=[0.0, 0.0, 1.0])
    got = moved(spec(), fields, [Block((0, 1), 0)])
    assert short(got, "unit", "block_id", "status", "firms", "floor_m2", "year", "site") == [
        ("p000 other", "P1-01", "moved", 2, 200.0, 1, "park"),
        ("p000 other", "P1-01", "unplaced", 1, 100.0, 1, None),
        ("p001 other", "P1-01", "moved", 1, 300.0, 1, "park"),
        ("p002 large", None, "kept", 1, 25.0, None, None),
        ("p002 other", None, "kept", 1, 25.0, None, None),
    ]
    assert got.missing_m2 == 100.0
    assert got.status == "optimal"
    assert got.sites.iloc[0].tolist() == ["park", "outside", 0.0, True, 500.0, 500.0, 0.0]
    assert list(got.table.columns) == list(MOVE_COLUMNS)
    assert list(got.sites.columns) == list(SITE_COLUMNS)


def test_modes_that_displace_nobody_keep_their_firms() -> None:
    modes = spec({"displaces": 0, "months": {}})
    got = moved(modes, land(floor=[10.0], firms=[1.0], large=[0.0]), [Block((0,), 0)])
    assert short(got, "block_id", "status") == [("P1-01", "kept")]


def test_own_decant_floor_of_an_earlier_block_and_distances() -> None:
    """P1 builds 1200 m² by 1.0; p001 leaves at 1.5 and lies 300 m from it; p000 itself must leave before."""
    modes = spec({"decant_share": 0.06, "months": {"demolished": 6, "built": 12}}, once="firms > 0")
    fields = land(floor=[100.0, 300.0], firms=[1.0, 2.0], large=[0.0, 0.0])
    points = pd.DataFrame({"x_m": [0.0, 300.0], "y_m": [0.0, 0.0]}, index=fields.index)
    got = moved(modes, fields, [Block((0,), 0), Block((1,), 1)], (1.0, 2.0), points=points)
    assert short(got, "parcel_id", "site_kind", "site", "leaves", "year", "distance_m", "for_good") == [
        ("p000", "outside", "park", 0.5, 1, None, True),
        ("p001", "own", "P1-01", 1.5, 2, 300.0, True),
    ]


def test_firms_that_move_once_do_not_go_to_a_passing_place() -> None:
    halls = [{"name": "hall", "floor_m2": 900, "from_year": 1, "permanent": False}]
    fields = land(floor=[100.0, 100.0], firms=[1.0, 1.0], large=[0.0, 0.0], grade=[3.0, np.nan])
    got = moved(spec(sites=halls, once="grade > 2"), fields, [Block((0, 1), 0)])
    assert short(got, "status") == [("unplaced",), ("unplaced",)], "not known to move twice: once only"
    free = moved(spec(sites=halls), fields, [Block((0, 1), 0)])
    assert short(free, "status", "for_good") == [("moved", False), ("moved", False)]


def test_firms_of_unknown_number_move_as_one() -> None:
    fields = land(floor=[400.0, 200.0], firms=[np.nan, np.nan], large=[np.nan, np.nan])
    got = moved(spec(), fields, [Block((0, 1), 0)])
    assert short(got, "unit", "status", "firms", "large", "floor_m2") == [
        ("p000", "moved", None, None, 400.0),
        ("p001", "unplaced", None, None, 200.0),
    ]


def test_unknown_floor_is_told_and_takes_no_room() -> None:
    got = moved(spec(), land(floor=[np.nan], firms=[3.0], large=[0.0]), [Block((0,), 0)])
    assert short(got, "status", "firms") == [("unknown", 3)]
    assert got.sites["used_m2"].tolist() == [0.0]


def test_single_firms_of_a_table() -> None:
    """The large one is placed where as much floor area is missing either way."""
    units = _units(("B", "p000", 1, 300.0, True, False), ("A", "p000", 1, 300.0, False, False))
    fields = land(floor=[600.0], firms=[2.0], large=[1.0])
    got = moved(spec(), fields, [Block((0,), 0)], units=units)
    assert short(got, "unit", "status", "large") == [("A", "unplaced", False), ("B", "moved", True)]


def test_a_table_of_firms_that_cannot_be_is_refused() -> None:
    units = _units(
        ("A", "nowhere", 1, 1.0, False, False),
        ("B", "p000", 1, -1.0, False, False),
        ("B", "p000", 1, 1.0, False, False),
    )
    with pytest.raises(DataError) as caught:
        moved(spec(), land(floor=[1.0], firms=[1.0], large=[0.0]), [], units=units)
    assert [i.found for i in caught.value.issues] == [
        "parcels that do not exist: A (nowhere)",
        "names that stand twice: B",
        "negative numbers: B",
    ]


def test_nobody_moves() -> None:
    got = moved(spec(), land(floor=[0.0], firms=[0.0], large=[0.0]), [])
    assert got.table.empty
    assert list(got.table.columns) == list(MOVE_COLUMNS)
    plain = modes_of({})
    assert firm_moves(plain, land(x=[1.0]), times(plain, 1.0), [], [], np.ones((1, 1)), PLACE) is None


@settings(deadline=None, max_examples=15)
@given(st.integers(0, 2**32 - 1))
def test_moves_agree_with_the_rule_and_do_not_depend_on_the_order(seed: int) -> None:
    """All leave as the rule on decanting counts; single units of area 1 fit just where it is kept."""
    rng = np.random.default_rng(seed)
    n = 4
    sites = [
        {"name": f"s{k}", "floor_m2": int(rng.integers(1, 9)), "from_year": float(rng.integers(2, 6)) / 2}
        for k in range(2)
    ]
    choice = {"decant_share": 1.0, "far": "far", "months": {"demolished": 3, "built": int(rng.integers(6, 15))}}
    modes = spec(choice, sites=sites)
    firms = rng.integers(0, 5, n).astype(float)
    fields = land(
        floor=firms.tolist(), firms=firms.tolist(), large=[0.0] * n, far=(rng.integers(0, 4, n) / 10_000.0).tolist()
    )
    blocks = [Block((0, 1), 0), Block((3,), 1)]
    got = moved(modes, fields, blocks, (1.0, 2.0))
    rule = decant_resource(
        modes, fields, times(modes, 1.0, 2.0), new_space(modes, fields).new_floor_m2, np.ones((n, 1), bool), {}
    )
    if rule is not None:
        resource = rule.resource
        assert resource.timing is not None
        use = [sum((resource.use[i, 0] @ t[b.phase, 0]) for b in blocks for i in b.parcels) for t in resource.timing]
        assert (got.missing_m2 < 1e-6) == bool((np.array(use) <= np.array(resource.limits, dtype=float) + 1e-6).all())
    units = firm_units(modes, fields, {}).sample(frac=1.0, random_state=int(rng.integers(1000)))
    again = moved(modes, fields, blocks, (1.0, 2.0), units=units)
    pd.testing.assert_frame_equal(again.table, got.table)
    assert (got.sites["used_m2"] <= got.sites["capacity_m2"] + 1e-6).all()
