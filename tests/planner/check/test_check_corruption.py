"""One random corruption of an honest plan, consistently written or not, is always found out."""

from __future__ import annotations

from collections.abc import Callable

import geopandas as gpd
import pandas as pd
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.strategies import DataObject

from tests.planner.check.check_builders import (
    BLOCKS,
    CRS,
    EAST,
    HIGH,
    LANE,
    NORTH,
    OBJECTIVE,
    WIDE,
    HandPlan,
    honest_plan,
)

MEMBERS = [parcel for parcels in BLOCKS.values() for parcel in parcels]
OTHERS = [f"r{r}c{c}" for r in range(4) for c in range(6) if f"r{r}c{c}" not in MEMBERS]
ALL = MEMBERS + OTHERS


def move_to_another_block(plan: HandPlan, data: DataObject) -> None:
    parcel = data.draw(st.sampled_from(MEMBERS))
    block = data.draw(st.sampled_from([b for b in BLOCKS if parcel not in BLOCKS[b]]))
    plan.take(parcel, block, plan.get(parcel, "role"))
    plan.follow()


def drop_a_member(plan: HandPlan, data: DataObject) -> None:
    plan.leave(data.draw(st.sampled_from(MEMBERS)))
    plan.follow()


def drop_a_block(plan: HandPlan, data: DataObject) -> None:
    for parcel in BLOCKS[data.draw(st.sampled_from(list(BLOCKS)))]:
        plan.leave(parcel)
    plan.follow()


def add_a_parcel(plan: HandPlan, data: DataObject) -> None:
    plan.take(data.draw(st.sampled_from(OTHERS)), data.draw(st.sampled_from(list(BLOCKS))))
    plan.follow()


def merge_two_blocks(plan: HandPlan, data: DataObject) -> None:
    first, second = data.draw(st.permutations(list(BLOCKS)))[:2]
    for parcel in BLOCKS[first]:
        plan.take(parcel, second, plan.get(parcel, "role"))
    plan.follow()


def shift_a_block_in_time(plan: HandPlan, data: DataObject) -> None:
    block = data.draw(st.sampled_from(list(BLOCKS)))
    for parcel in BLOCKS[block]:
        plan.set(parcel, phase=3 - plan.get(parcel, "phase"))
    plan.follow()


def one_phase_of_one_parcel(plan: HandPlan, data: DataObject) -> None:
    parcel = data.draw(st.sampled_from(MEMBERS))
    plan.set(parcel, phase=data.draw(st.sampled_from([3 - plan.get(parcel, "phase"), 0, 7])))


def write_another_area(plan: HandPlan, data: DataObject) -> None:
    plan.set(data.draw(st.sampled_from(ALL)), area_mu=10 * data.draw(st.sampled_from([0.99, 1.00001, 2.0, -1.0])))


def shrink_a_parcel(plan: HandPlan, data: DataObject) -> None:
    parcel = data.draw(st.sampled_from(MEMBERS))
    factor = data.draw(st.floats(0.3, 0.999))
    plan.set(parcel, geometry=shapely.affinity.scale(plan.get(parcel, "geometry"), factor, factor))
    plan.follow()


def shift_a_parcel(plan: HandPlan, data: DataObject) -> None:
    parcel = data.draw(st.sampled_from([f"r{r}c{c}" for r in range(4) for c in (0, 1, 3, 4)]))
    by = data.draw(st.floats(0.5, 90))
    plan.set(parcel, geometry=shapely.affinity.translate(plan.get(parcel, "geometry"), by))
    plan.follow()


def swap_the_id_of_a_locked_parcel(plan: HandPlan, data: DataObject) -> None:
    inside, outside = data.draw(st.sampled_from(["r0c0", "r0c3"])), data.draw(st.sampled_from(OTHERS))
    a, b = plan.row(inside), plan.row(outside)
    plan.parcels.loc[[a, b], "parcel_id"] = [outside, inside]
    plan.follow()


def store_a_parcel_twice(plan: HandPlan, data: DataObject) -> None:
    row = plan.parcels[plan.parcels["parcel_id"] == data.draw(st.sampled_from(ALL))]
    plan.parcels = gpd.GeoDataFrame(pd.concat([plan.parcels, row], ignore_index=True), crs=CRS)


def lose_a_parcel_of_a_block(plan: HandPlan, data: DataObject) -> None:
    plan.parcels = plan.parcels[plan.parcels["parcel_id"] != data.draw(st.sampled_from(MEMBERS))]
    plan.follow()


def swap_block_figures(plan: HandPlan, data: DataObject) -> None:
    order = data.draw(st.permutations(range(3)).filter(lambda p: list(p) != [0, 1, 2]))
    plan.blocks = plan.blocks.set_geometry(plan.blocks.geometry.iloc[list(order)].to_list())


def lose_a_row_of_blocks(plan: HandPlan, data: DataObject) -> None:
    plan.blocks = plan.blocks.drop(index=data.draw(st.integers(0, 2)))


def falsify_a_block_figure(plan: HandPlan, data: DataObject) -> None:
    column = data.draw(st.sampled_from(["area_mu", "n_parcels", "score_mean", "cost", "perimeter_m", "compactness"]))
    plan.blocks[column] = plan.blocks[column] * data.draw(st.sampled_from([0.5, 1.001, 2.0]))


def falsify_the_objective(plan: HandPlan, data: DataObject) -> None:
    plan.summary["objective"] = OBJECTIVE * data.draw(st.sampled_from([0.0, 0.5, 0.9999, 1.0001, 1.5, -1.0]))


def falsify_the_bound(plan: HandPlan, data: DataObject) -> None:
    plan.summary["bound"] = OBJECTIVE * data.draw(st.floats(-2, 0.9999))


def falsify_the_gap(plan: HandPlan, data: DataObject) -> None:
    plan.summary["gap"] = data.draw(st.floats(0, 0.0199))


def falsify_the_summary(plan: HandPlan, data: DataObject) -> None:
    row = plan.summary["phases"][data.draw(st.integers(0, 1))]
    key = data.draw(st.sampled_from(["area_mu", "cumulative_mu", "cost"]))
    row[key] *= data.draw(st.sampled_from([0.9, 1.001]))


def make_a_parcel_dear(plan: HandPlan, data: DataObject) -> None:
    plan.set(data.draw(st.sampled_from(MEMBERS)), price=3.0 + data.draw(st.floats(0.01, 5)))
    plan.follow()


def hide_a_cost(plan: HandPlan, data: DataObject) -> None:
    plan.set(data.draw(st.sampled_from(MEMBERS)), cost=0.0)


def forget_what_a_parcel_costs(plan: HandPlan, data: DataObject) -> None:
    plan.set(data.draw(st.sampled_from(MEMBERS)), price=float("nan"))
    plan.follow()


def raise_a_score(plan: HandPlan, data: DataObject) -> None:
    parcel = data.draw(st.sampled_from(ALL))
    plan.set(parcel, score=plan.get(parcel, "score") - 0.05)


def change_a_tax(plan: HandPlan, data: DataObject) -> None:
    plan.set(data.draw(st.sampled_from(ALL)), tax=data.draw(st.sampled_from([0.0, 4.0, 6.0, float("nan")])))


def put_housing_into_the_plan(plan: HandPlan, data: DataObject) -> None:
    plan.set(data.draw(st.sampled_from(MEMBERS)), use="housing")


def take_a_firm_for_filler(plan: HandPlan, data: DataObject) -> None:
    plan.set("r3c5", use=data.draw(st.sampled_from(["factory", "lawn"])))


def close_a_gate(plan: HandPlan, data: DataObject) -> None:
    parcel = data.draw(st.sampled_from(MEMBERS))
    plan.set(parcel, papers_year=data.draw(st.floats(1.01 if plan.get(parcel, "phase") == 1 else 3.01, 30)))


def lock_otherwise(plan: HandPlan, data: DataObject) -> None:
    locks = data.draw(
        st.one_of(
            st.sampled_from(OTHERS).map(lambda p: {"in": [p]}),
            st.sampled_from(MEMBERS).map(lambda p: {"out": [p]}),
            st.sampled_from(OTHERS).map(lambda p: {"by": {p: "P2"}}),
            st.sampled_from(BLOCKS["B2"] + BLOCKS["B3"]).map(lambda p: {"by": {p: "P1"}}),
        )
    )
    plan.optimise["locks"] = locks
    plan.parcels["locked"] = [
        "in" if p in locks.get("in", []) else "out" if p in locks.get("out", []) else None
        for p in plan.parcels["parcel_id"]
    ]
    for parcel, phase in locks.get("by", {}).items():
        plan.set(parcel, locked=f"by {phase}")


def move_a_zone(plan: HandPlan, data: DataObject) -> None:
    plan.set(data.draw(st.sampled_from(ALL)), zone=data.draw(st.sampled_from(["East", None])))


def lose_the_bridge(plan: HandPlan, data: DataObject) -> None:
    plan.links = plan.links.iloc[1:]
    plan.follow()


def widen_the_lane(plan: HandPlan, data: DataObject) -> None:
    by = data.draw(st.floats(2.1, 50))
    plan.parcels.geometry = [
        shapely.affinity.translate(g, by) if int(p[3]) >= 3 else g
        for p, g in zip(plan.parcels["parcel_id"], plan.parcels.geometry, strict=True)
    ]
    plan.follow()


def dig_a_canal(plan: HandPlan, data: DataObject) -> None:
    lines = [
        [(EAST + WIDE, NORTH - 9), (EAST + WIDE, NORTH + 2 * HIGH)],
        [(EAST - 9, NORTH + HIGH), (EAST + 2 * WIDE, NORTH + HIGH)],
        [(EAST + 3 * WIDE + LANE / 2, NORTH - 9), (EAST + 3 * WIDE + LANE / 2, NORTH + HIGH + 9)],
        [(EAST + 4 * WIDE + LANE, NORTH + 2 * HIGH - 9), (EAST + 4 * WIDE + LANE, NORTH + 3 * HIGH + 9)],
    ]
    line = shapely.LineString(data.draw(st.sampled_from(lines)))
    plan.barriers = gpd.GeoDataFrame({"name": ["canal", "new"]}, geometry=[*plan.barriers.geometry, line], crs=CRS)


def turn_to_degrees(plan: HandPlan, data: DataObject) -> None:
    layer = data.draw(st.sampled_from(["parcels", "blocks", "zones", "links", "barriers"]))
    setattr(plan, layer, getattr(plan, layer).to_crs(4490))


CORRUPTIONS: list[Callable[[HandPlan, DataObject], None]] = [
    move_to_another_block,
    drop_a_member,
    drop_a_block,
    add_a_parcel,
    merge_two_blocks,
    shift_a_block_in_time,
    one_phase_of_one_parcel,
    write_another_area,
    shrink_a_parcel,
    shift_a_parcel,
    swap_the_id_of_a_locked_parcel,
    store_a_parcel_twice,
    lose_a_parcel_of_a_block,
    swap_block_figures,
    lose_a_row_of_blocks,
    falsify_a_block_figure,
    falsify_the_objective,
    falsify_the_bound,
    falsify_the_gap,
    falsify_the_summary,
    make_a_parcel_dear,
    hide_a_cost,
    forget_what_a_parcel_costs,
    raise_a_score,
    change_a_tax,
    put_housing_into_the_plan,
    take_a_firm_for_filler,
    close_a_gate,
    lock_otherwise,
    move_a_zone,
    lose_the_bridge,
    widen_the_lane,
    dig_a_canal,
    turn_to_degrees,
]


@pytest.mark.parametrize("corrupt", CORRUPTIONS, ids=lambda f: f.__name__)
@settings(max_examples=2, deadline=None, derandomize=True)
@given(data=st.data())
def test_a_corrupted_plan_is_found_out(corrupt: Callable[[HandPlan, DataObject], None], data: DataObject) -> None:
    plan = honest_plan()
    corrupt(plan, data)
    report = plan.judge()
    assert not report.passed
    assert all(f.message for f in report.findings)


@pytest.mark.slow
@settings(max_examples=500, deadline=None)
@given(data=st.data())
def test_very_many_corrupted_plans_are_found_out(data: DataObject) -> None:
    plan = honest_plan()
    data.draw(st.sampled_from(CORRUPTIONS))(plan, data)
    assert not plan.judge().passed
