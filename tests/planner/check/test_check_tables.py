"""Rules assignment, block_table, block_geometry: broken, and exactly at the limit."""

from __future__ import annotations

import pandas as pd
import pytest
import shapely

from tests.planner.check.check_builders import cell, honest_plan


@pytest.mark.parametrize(
    ("parcel", "change"),
    [
        ("r0c5", {"status": "selected"}),
        ("r0c5", {"phase": 1}),
        ("r0c5", {"block_id": "B1"}),
        ("r0c5", {"status": "maybe"}),
        ("r0c5", {"role": "hero"}),
        ("r0c0", {"status": "eligible"}),
        ("r0c0", {"phase": pd.NA}),
        ("r0c0", {"block_id": None}),
        ("r0c0", {"role": None}),
    ],
)
def test_status_block_phase_and_role_go_together(parcel: str, change: dict[str, object]) -> None:
    plan = honest_plan()
    plan.set(parcel, **change)
    assert any(parcel in f.parcel_ids for f in plan.findings("assignment"))


@pytest.mark.parametrize(("phase", "faults"), [(2, 0), (3, 1), (0, 1), (1.5, 1)])
def test_phases_are_whole_numbers_from_1_to_the_last(phase: float, faults: int) -> None:
    plan = honest_plan()
    plan.parcels["phase"] = plan.parcels["phase"].astype(float)
    for parcel in ("r0c2", "r0c3", "r1c3"):
        plan.set(parcel, phase=phase)
    assert len(plan.findings("assignment")) == 3 * faults


def test_a_block_of_two_phases_is_found() -> None:
    plan = honest_plan()
    plan.set("r1c3", phase=1)
    (found,) = plan.findings("assignment")
    assert found.block_id == "B2"
    assert set(found.parcel_ids) == {"r0c2", "r0c3", "r1c3"}


@pytest.mark.parametrize("name", ["r0c4", None])
def test_ids_are_unique_and_present(name: str | None) -> None:
    plan = honest_plan()
    plan.set("r0c5", parcel_id=name)
    assert any("not unique" in f.message for f in plan.findings("assignment"))


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("area_mu", 30.001),
        ("n_parcels", 4),
        ("phase", 1),
        ("score_mean", 0.81),
        ("cost", 91.0),
        ("cost", None),
        ("perimeter_m", 800.5),
        ("perimeter_m", 799.5),
        ("compactness", 0.4),
        ("zone", "North"),
        ("zone", None),
    ],
)
def test_a_figure_that_does_not_follow_from_the_parcels_is_found(column: str, value: object) -> None:
    plan = honest_plan()
    plan.set_block("B2", **{column: value})
    found = plan.findings("block_table")
    assert found
    assert {f.block_id for f in found} == {"B2"}
    assert any((column if column != "zone" else "said to lie") in f.message for f in found)


@pytest.mark.parametrize(("column", "value"), [("area_mu", 30.000009), ("score_mean", 0.8000009), ("cost", 90.004)])
def test_figures_within_the_tolerance_pass(column: str, value: float) -> None:
    plan = honest_plan()
    plan.set_block("B2", **{column: value})
    assert plan.findings("block_table") == []


def test_a_perimeter_may_be_off_by_the_slack_of_each_seam() -> None:
    plan = honest_plan()  # block B2 has one seam of 100 m; 0.1 m of slack counts twice
    for off, faults in ((0.19, 0), (0.21, 1)):
        perimeter = 800.0 - off
        compactness = plan.blocks.loc[plan.blocks["block_id"] == "B2", "compactness"].iloc[0]
        changed = honest_plan()
        changed.set_block("B2", perimeter_m=perimeter, compactness=compactness * (800.0 / perimeter) ** 2)
        assert len(changed.findings("block_table")) == faults


def test_missing_surplus_and_double_rows_are_found() -> None:
    plan = honest_plan()
    plan.blocks = pd.concat([plan.blocks.iloc[1:], plan.blocks.iloc[1:2]], ignore_index=True)
    plan.blocks.loc[1, "block_id"] = "B9"
    messages = [f.message for f in plan.findings("block_table")]
    assert any("B1 has parcels, but is missing" in m for m in messages)
    assert any("B9 of the layer blocks has no parcels" in m for m in messages)
    assert any("B2 stands twice" in m for m in messages)


def test_a_block_across_zones_names_one_of_them_or_none() -> None:
    plan = honest_plan()
    plan.optimise["block"]["within_zone"] = False
    plan.zones = plan.zones.set_geometry([cell(0, 2), plan.zones.geometry.iloc[1]])
    plan.parcels["zone"] = plan.parcels["zone"].where(
        plan.parcels["parcel_id"].isin(["r0c2"]) | (plan.parcels["zone"] != "South")
    )
    plan.set_block("B1", zone=None)
    for zone, faults in (("South", 0), (None, 0), ("North", 1)):
        plan.set_block("B2", zone=zone)
        assert len(plan.findings("block_table")) == faults


def test_another_figure_is_found() -> None:
    plan = honest_plan()
    plan.blocks = plan.blocks.set_geometry(plan.blocks.geometry.iloc[[1, 0, 2]].to_list())
    assert {f.block_id for f in plan.findings("block_geometry")} == {"B1", "B2"}


def test_a_missing_and_an_invalid_figure_are_found() -> None:
    bow = shapely.Polygon([(0, 0), (1, 1), (1, 0), (0, 1)])
    for figure in (None, bow):
        plan = honest_plan()
        plan.blocks = plan.blocks.set_geometry([figure, *plan.blocks.geometry.iloc[1:]])
        assert {f.block_id for f in plan.findings("block_geometry")} == {"B1"}


@pytest.mark.parametrize(("extra_m2", "faults"), [(0.019, 0), (0.021, 1)])
def test_a_figure_may_differ_by_a_millionth_of_its_area(extra_m2: float, faults: int) -> None:
    plan = honest_plan()  # B2: 20 000 m²
    x0, y0, x1, y1 = cell(0, 2).bounds
    wider = shapely.box(x0, y0 - extra_m2 / (x1 - x0), x1, y1)
    figure = shapely.union_all([wider, cell(0, 3), cell(1, 3)])
    plan.blocks = plan.blocks.set_geometry([plan.blocks.geometry.iloc[0], figure, plan.blocks.geometry.iloc[2]])
    assert len(plan.findings("block_geometry")) == faults
