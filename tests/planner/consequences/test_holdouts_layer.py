"""Which refusals the layer of hold-outs shows, and what it says of them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import geopandas as gpd
import numpy as np
import pytest
import shapely

from planner.consequences.holdouts import holdout_table
from planner.consequences.told import Consequences, consequences
from planner.problem import Block, Problem, Target
from planner.tables import HOLDOUT_COLUMNS
from tests.planner.optimise.instances import grid_problem

CRS = "EPSG:4547"


def told(problem: Problem, *blocks: tuple[int, ...]) -> Consequences:
    found = consequences(problem, [Block(b, 0) for b in blocks], problem.selectable)
    assert found is not None
    return found


def squares(problem: Problem) -> gpd.GeoDataFrame:
    boxes = [shapely.box(100 * i, 0, 100 * i + 100, 100) for i in range(problem.n)]
    return gpd.GeoDataFrame({"parcel_id": list(problem.parcel_ids)}, geometry=boxes, crs=CRS)


def rows(problem: Problem, *blocks: tuple[int, ...]) -> list[list[Any]]:
    return holdout_table(squares(problem), told(problem, *blocks)).drop(columns="geometry").to_numpy().tolist()


def test_parcels_that_take_others_along() -> None:
    # 0 1 2 3 in a row, 20 mu at least: without 1 or 2 an end of 10 mu falls, too; without 0 or 3 nothing else
    problem = grid_problem(4, 1, block_min_mu=20.0)
    assert rows(problem, (0, 1, 2, 3)) == [
        ["p001", "P1-01", 1, 10.0, 20.0, 20.0, None, "free"],
        ["p002", "P1-01", 1, 10.0, 20.0, 20.0, None, "free"],
    ]
    layer = holdout_table(squares(problem), told(problem, (0, 1, 2, 3)))
    assert layer.geometry[0].equals(shapely.box(100, 0, 200, 100))
    assert tuple(layer.columns) == (*HOLDOUT_COLUMNS, "geometry")


def test_parcels_that_break_a_target_or_take_a_locked_one_along() -> None:
    problem = grid_problem(
        4, 1, block_min_mu=20.0, targets=(Target("P1", 0, -1, 25.0),), lock_by=np.array([0, -1, -1, -1])
    )
    found = {r[0]: r[4:] for r in rows(problem, (0, 1, 2, 3))}
    assert found["p001"] == [20.0, 20.0, "target P1 short by 5.00 mu; locked parcels lost: p000", "free"]
    assert found["p002"] == [20.0, 20.0, "target P1 short by 5.00 mu", "free"]
    assert set(found) == {"p001", "p002"}


def test_a_parcel_that_takes_nothing_but_itself_and_breaks_a_target_is_one() -> None:
    problem = grid_problem(3, 1, targets=(Target("P1", 0, -1, 30.0),))
    assert [r[:1] + r[4:7] for r in rows(problem, (0, 1, 2))][1:] == [
        ["p000", 10.0, 10.0, "target P1 short by 10.00 mu"],
        ["p002", 10.0, 10.0, "target P1 short by 10.00 mu"],
    ]


def test_a_plan_that_breaks_a_rule_has_no_consequences() -> None:
    problem = grid_problem(3, 1, block_min_mu=20.0)
    assert consequences(problem, [Block((0,), 0)], problem.selectable) is None
    layer = holdout_table(squares(problem), None)
    assert (len(layer), layer.crs, tuple(layer.columns)) == (0, CRS, (*HOLDOUT_COLUMNS, "geometry"))


def test_figures_for_the_summary() -> None:
    # without 1 the block of 0 1 2 falls (30 mu); 3 is worth −2, 4 over it −2 + 10
    problem = grid_problem(5, 1, block_min_mu=20.0, cost=np.array([0.0, 0.0, 0.0, 12.0, 0.0]))
    found = told(problem, (0, 1, 2))
    assert found.forced_loss.tolist() == [10.0, 30.0, 10.0, 2.0, -8.0]
    assert found.holdout_figures() == {"parcels": 1, "area_mu": 10.0, "breaking": 0}
    assert found.forced_figures() == {"asked": 5, "known": 5, "better": 1, "best_gain": 8.0}
    closed = replace(problem, selectable=np.array([True, True, True, True, False]))
    locked = consequences(closed, [Block((0, 1, 2), 0)], np.ones(5, dtype=np.bool_))
    assert locked is not None
    assert locked.forced_loss[4] == -8.0  # what the lock costs at least: no better plan of this problem
    assert locked.forced_figures() == {"asked": 5, "known": 5, "better": 0, "best_gain": 0.0}
    tight = told(replace(problem, targets=(Target("P1", 0, -1, 30.0),)), (0, 1, 2))
    assert tight.holdout_figures() == {"parcels": 3, "area_mu": pytest.approx(30.0), "breaking": 3}
    assert tight.forced_figures()["known"] == 2
