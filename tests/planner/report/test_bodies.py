"""Outlines across lanes, and hatches that tell near blocks of one phase apart."""

from __future__ import annotations

from dataclasses import replace

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from planner.report.bodies import HATCHES, NEAR_M, block_hatches, block_outlines
from planner.tables import PlanTables
from tests.planner.report.plan_builders import CRS, grid_plan


def two_sides(*others: shapely.Geometry, barriers: tuple[shapely.Geometry, ...] = (), used: bool = True) -> PlanTables:
    """A block of two squares of 100 m on either side of a lane of 10 m, and other parcels."""
    left, right = shapely.box(0, 0, 100, 100), shapely.box(110, 0, 210, 100)
    ids = ["a", "b", *(f"o{k}" for k in range(len(others)))]
    plan = grid_plan(columns=2, rows=2)
    frame = {"parcel_id": ids, "block_id": ["B", "B", *[None] * len(others)]}
    return replace(
        plan,
        parcels=gpd.GeoDataFrame(frame, geometry=[left, right, *others], crs=CRS),
        blocks=gpd.GeoDataFrame({"block_id": ["B"], "phase": [1]}, geometry=[left.union(right)], crs=CRS),
        links=gpd.GeoDataFrame(
            {"parcel_a": ["a"], "parcel_b": ["b"], "gap_m": [10.0], "used": [used]},
            geometry=[shapely.LineString([(100, 50), (110, 50)])],
            crs=CRS,
        ),
        barriers=gpd.GeoDataFrame({"name": ["canal"] * len(barriers)}, geometry=list(barriers), crs=CRS),
    )


def test_the_outline_runs_round_the_lane() -> None:
    (outline,) = block_outlines(two_sides())
    assert outline.equals(shapely.box(0, 0, 210, 100)) or outline.symmetric_difference(
        shapely.box(0, 0, 210, 100)
    ).area == pytest.approx(0, abs=0.1)


def test_a_block_that_bridges_nothing_keeps_its_outline() -> None:
    plan = two_sides(used=False)
    assert block_outlines(plan)[0] is plan.blocks.geometry.iloc[0]


def test_land_of_others_in_the_lane_stays_out() -> None:
    (outline,) = block_outlines(two_sides(shapely.box(100, 0, 110, 40)))
    assert outline.area == pytest.approx(20_000 + 600, abs=1)
    assert outline.intersection(shapely.box(100, 0, 110, 40)).area == pytest.approx(0, abs=1e-6)


def test_a_barrier_in_the_lane_stays_out() -> None:
    (outline,) = block_outlines(two_sides(barriers=(shapely.LineString([(105, -50), (105, 150)]),)))
    assert outline.area == pytest.approx(20_000 + 1000 - 200, abs=1)


def test_outlines_hold_their_blocks_and_no_other_parcel() -> None:
    plan = grid_plan()
    outlines = block_outlines(plan)
    assert sum(a is not b for a, b in zip(outlines, plan.blocks.geometry, strict=True)) > 0
    for outline, block, name in zip(outlines, plan.blocks.geometry, plan.blocks["block_id"], strict=True):
        assert outline.is_valid
        assert block.difference(outline).area < 1e-6
        others = plan.parcels[plan.parcels["block_id"] != name]
        assert shapely.area(shapely.intersection(others.geometry.to_numpy(), outline)).max() < 1e-6


@settings(max_examples=30, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 6), st.integers(0, 6), st.integers(1, 2)), min_size=1, max_size=30))
def test_hatches_differ_while_one_is_left(cells: list[tuple[int, int, int]]) -> None:
    cells = list({(x, y): (x, y, p) for x, y, p in cells}.values())
    shapes = np.array([shapely.box(130 * x, 130 * y, 130 * x + 100, 130 * y + 100) for x, y, _ in cells], dtype=object)
    blocks = gpd.GeoDataFrame(
        {"phase": pd.array([p for *_, p in cells], dtype="Int64")}, geometry=list(shapes), crs=CRS
    )
    hatch = block_hatches(blocks, shapes)
    assert set(hatch.tolist()) <= set(range(HATCHES))
    near = [
        [j for j, (*_, p) in enumerate(cells) if j != k and p == phase and shapes[j].distance(shapes[k]) <= NEAR_M]
        for k, (*_, phase) in enumerate(cells)
    ]
    full = [len(set(hatch[n].tolist())) == HATCHES for n in near]  # no hatch was left
    for k, around in enumerate(near):
        assert around or hatch[k] == 0
        assert all(hatch[k] != hatch[j] or full[k] or full[j] for j in around)


def test_without_blocks_there_is_nothing_to_draw() -> None:
    plan = two_sides()
    assert len(block_outlines(replace(plan, blocks=plan.blocks.iloc[:0]))) == 0
