from dataclasses import replace

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from planner.report.compare.land import common_land, not_held, only_sums, picked_sums, same_phase
from tests.planner.report.compare.builders import renamed
from tests.planner.report.compare.small import small_tables


def picking(*ids, phase=1):
    """The small land with these parcels in the plan."""
    tables = small_tables()
    taken = tables.parcels["parcel_id"].isin(ids).to_numpy()
    parcels = tables.parcels.assign(
        status=np.where(taken, "selected", "eligible"),
        phase=pd.array([phase if t else None for t in taken], dtype="Int64"),
    )
    return replace(tables, parcels=parcels)


def test_land_by_the_number_of_plans_that_pick_it():
    land = common_land([picking("a", "b"), picking("b", "c"), picking("b")])
    sums = {p.plans: (p.parcels, p.area_mu) for p in picked_sums(land)}
    assert sums == {3: (1, 20.0), 2: (0, 0.0), 1: (2, 40.0), 0: (1, 40.0)}
    assert [(p.parcels, p.area_mu) for p in only_sums(land)] == [(1, 10.0), (1, 30.0), (0, 0.0)]


def test_same_phase_goes_by_the_name_of_the_phase():
    plans = [picking("a", "b", phase=1), picking("a", "b", phase=2)]
    land = common_land(plans)
    assert same_phase(land, [["P1"], ["P1", "P2"]]).parcels == 0
    found = same_phase(land, [["P2"], ["P1", "P2"]])
    assert (found.parcels, found.area_mu) == (2, 30.0)


def test_ids_of_one_plan_only_are_counted_and_have_its_geometry():
    first, second = picking("a"), renamed(picking("a", "d"), {"d": "e"})
    land = common_land([first, second])
    assert land.parcels["parcel_id"].tolist() == ["a", "b", "c", "d", "e"]
    assert not_held(land) == [["e"], ["d"]]
    assert {p.plans: p.parcels for p in picked_sums(land)} == {2: 1, 1: 1, 0: 3}
    e = land.parcels.set_index("parcel_id").geometry["e"]
    assert e.equals(second.parcels.set_index("parcel_id").geometry["e"])


def test_other_areas_under_one_id_are_found():
    other = picking("a")
    other = replace(other, parcels=other.parcels.assign(area_mu=[10.0, 20.005, 30.02, 40.0]))
    land = common_land([picking("a"), other])
    assert land.parcels["parcel_id"][land.other_area].tolist() == ["c"]
    assert land.parcels["area_mu"].tolist() == [10.0, 20.0, 30.0, 40.0]


@settings(max_examples=25, deadline=None)
@given(st.permutations(range(4)), st.lists(st.sets(st.sampled_from("abcd")), min_size=2, max_size=4))
def test_every_parcel_is_counted_once_whatever_the_order_of_rows(order, picks):
    plans = [picking(*pick) for pick in picks]
    mixed = [replace(p, parcels=gpd.GeoDataFrame(p.parcels.iloc[list(order)].reset_index(drop=True))) for p in plans]
    sums = picked_sums(common_land(plans))
    assert sums == picked_sums(common_land(mixed))
    assert sum(p.parcels for p in sums) == 4
    assert sum(p.area_mu for p in sums) == pytest.approx(100.0)
    times = {i: sum(i in pick for pick in picks) for i in "abcd"}
    assert {p.plans: p.parcels for p in sums} == {
        k: sum(n == k for n in times.values()) for k in range(len(picks), -1, -1)
    }
