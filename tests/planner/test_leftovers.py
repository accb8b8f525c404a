"""Land left beside blocks that is too small for a block of its own, on tiny grids."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

from planner.leftovers import leftover_figures, leftovers
from planner.problem import Problem
from planner.tables import LEFTOVER_COLUMNS
from tests.planner.optimise.instances import grid_problem

CRS = "EPSG:4547"


def layer(
    problem: Problem, width: int, blocks: dict[str, Sequence[int]], excluded: Sequence[int] = ()
) -> gpd.GeoDataFrame:
    """The parcels of a grid of squares of 100 m as a plan leaves them."""
    name: list[str | None] = [None] * problem.n
    for block, members in blocks.items():
        for i in members:
            name[i] = block
    status = ["selected" if b else "excluded" if i in excluded else "ineligible" for i, b in enumerate(name)]
    squares = [shapely.box(100 * (i % width), 100 * (i // width), 100 * (i % width) + 100, 100 * (i // width) + 100)
               for i in range(problem.n)]  # fmt: skip
    columns = {"parcel_id": list(problem.parcel_ids), "status": status, "block_id": pd.Series(name, dtype=object)}
    return gpd.GeoDataFrame(columns, geometry=squares, crs=CRS)


def test_a_gap_between_two_blocks() -> None:
    # 0 1 2 3 4 in a row: blocks at both ends, 2 between them; of its outline of 400 m it shares 2 · 100 m
    problem = grid_problem(5, 1, block_min_mu=20.0)
    found = leftovers(layer(problem, 5, {"P1-01": [0, 1], "P1-02": [3, 4]}), problem)
    assert tuple(found.columns) == (*LEFTOVER_COLUMNS, "geometry")
    assert found.drop(columns="geometry").iloc[0].tolist() == ["L-01", 10.0, 1, "P1-01, P1-02", 0.5, "p002"]
    assert len(found) == 1
    assert found.geometry[0].equals(shapely.box(200, 0, 300, 100))
    assert leftover_figures(found) == {"count": 1, "area_mu": 10.0, "parcels": 1}


def test_a_hole_is_enclosed_all_round() -> None:
    problem = grid_problem(3, 3, block_min_mu=20.0)
    found = leftovers(layer(problem, 3, {"P1-01": [0, 1, 2, 3, 5, 6, 7, 8]}), problem)
    assert (found["parcels"].tolist(), found["enclosed_share"].tolist()) == (["p004"], [1.0])


def test_the_outline_of_several_parcels_leaves_out_what_they_share() -> None:
    # 2 and 3 beside the block: 2 · 400 − 2 · 100 m of outline, 100 m of it with the block
    problem = grid_problem(4, 1, block_min_mu=30.0)
    found = leftovers(layer(problem, 4, {"P1-01": [0, 1]}), problem)
    assert found["enclosed_share"].tolist() == pytest.approx([100 / 600])
    assert (found["n_parcels"].tolist(), found["parcels"].tolist()) == ([2], ["p002, p003"])


def test_land_that_is_large_enough_for_a_block_is_none() -> None:
    problem = grid_problem(4, 1, block_min_mu=20.0)
    blocks = {"P1-01": [0, 1]}
    assert len(leftovers(layer(problem, 4, blocks), problem)) == 0
    assert len(leftovers(layer(problem, 4, blocks), replace(problem, block_min_mu=20.1))) == 1


def test_excluded_land_is_none_and_parts_what_lies_beside_it() -> None:
    # 0 1 | 2 | 3 excluded | 4 5: only 2 touches the block, and 4 5 lie apart
    problem = grid_problem(6, 1, block_min_mu=30.0)
    found = leftovers(layer(problem, 6, {"P1-01": [0, 1]}, excluded=[3]), problem)
    assert found["parcels"].tolist() == ["p002"]


def test_a_bridged_link_holds_land_together_and_shares_no_outline() -> None:
    # 2 lies across a lane from the block and from 3
    lanes = np.array([[1, 2], [2, 3]])
    touching = {"pairs": np.array([[0, 1]]), "shared_m": np.array([100.0])}
    problem = grid_problem(4, 1, block_min_mu=30.0, **touching, link_pairs=lanes, gap_m=np.full(2, 8.0))
    found = leftovers(layer(problem, 4, {"P1-01": [0, 1]}), problem)
    assert (found["parcels"].tolist(), found["enclosed_share"].tolist()) == (["p002, p003"], [0.0])


def test_zones_part_land_only_where_blocks_stay_within_one() -> None:
    # 2 in the zone of the block, 3 in another one: together 20 mu
    problem = grid_problem(4, 1, block_min_mu=20.0, zone=np.array([0, 0, 0, 1]), zones=("a", "b"))
    blocks = {"P1-01": [0, 1]}
    assert len(leftovers(layer(problem, 4, blocks), problem)) == 0
    assert leftovers(layer(problem, 4, blocks), replace(problem, within_zone=True))["parcels"].tolist() == ["p002"]


def test_the_largest_comes_first_whatever_the_order_of_the_parcels() -> None:
    # two rows of five, parted by a block in the middle column; 40 mu to the left, 20 mu to the right
    problem = grid_problem(5, 2, block_min_mu=50.0)
    parcels = layer(problem, 5, {"P1-01": [2, 7]}, excluded=[4, 9])
    found = leftovers(parcels, problem)
    assert found[["leftover_id", "area_mu", "parcels"]].to_numpy().tolist() == [
        ["L-01", 40.0, "p000, p001, p005, p006"],
        ["L-02", 20.0, "p003, p008"],
    ]
    turned_round = tuple(reversed(problem.parcel_ids))
    turned, order = replace(problem, parcel_ids=turned_round).canonical()
    again = leftovers(parcels.assign(parcel_id=list(turned_round)).iloc[order].reset_index(drop=True), turned)
    assert again["parcels"].tolist() == ["p003, p004, p008, p009", "p001, p006"]


def test_no_plan_leaves_nothing_and_has_all_columns() -> None:
    problem = grid_problem(3, 1, block_min_mu=50.0)
    found = leftovers(layer(problem, 3, {}), problem)
    assert (len(found), tuple(found.columns)) == (0, (*LEFTOVER_COLUMNS, "geometry"))
    assert found.crs == CRS
    assert leftover_figures(found) == {"count": 0, "area_mu": 0.0, "parcels": 0}
