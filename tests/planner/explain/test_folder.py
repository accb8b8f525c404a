"""A run's folder read back: blocks as the layer of parcels tells them, with their modes."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import geopandas as gpd
import numpy as np
import pytest

from geodata.errors import DataError
from planner.explain.folder import _layer_blocks
from planner.problem import Block, Mode, Phase, Problem

WHERE = Path("plan.gpkg")


def _problem() -> Problem:
    n = 4
    return Problem(
        parcel_ids=("a", "b", "c", "d"),
        area_mu=np.full(n, 10.0),
        benefit=np.zeros(n),
        cost=np.zeros(n),
        perimeter_m=np.full(n, 320.0),
        selectable=np.ones(n, dtype=bool),
        filler=np.zeros(n, dtype=bool),
        zone=np.full(n, -1),
        earliest=np.zeros(n, dtype=np.int64),
        lock_by=np.full(n, -1),
        pairs=np.array([[0, 1], [1, 2], [2, 3]]),
        shared_m=np.full(3, 80.0),
        link_pairs=np.empty((0, 2), dtype=np.int64),
        gap_m=np.empty(0),
        zones=(),
        phases=(Phase("P1", 1, 1.0), Phase("P2", 2, 1.0)),
        targets=(),
        block_min_mu=0.0,
        block_max_mu=40.0,
        modes=(Mode("bought"), Mode("own")),
    )


def _layer(**columns: list[object]) -> gpd.GeoDataFrame:
    rows = {"block_id": ["P1-01", "P1-01", None, "P2-01"], "phase": [1, 1, None, 2], **columns}
    return gpd.GeoDataFrame(rows, geometry=gpd.GeoSeries([None] * 4))


def test_modes_come_from_the_layer():
    blocks = _layer_blocks(WHERE, _layer(mode=["own", "own", None, "bought"]), _problem())
    assert blocks == (Block((0, 1), 0, 1), Block((3,), 1, 0))


def test_a_plan_without_modes_has_the_only_one():
    problem = replace(_problem(), modes=(Mode("default"),))
    assert _layer_blocks(WHERE, _layer(), problem) == (Block((0, 1), 0, 0), Block((3,), 1, 0))


def test_an_unknown_mode_is_told():
    with pytest.raises(DataError) as caught:
        _layer_blocks(WHERE, _layer(mode=["own", "own", None, "sold"]), _problem())
    (issue,) = caught.value.issues
    assert "P2-01" in issue.where
    assert "sold" in issue.found
    assert "bought, own" in issue.expected
