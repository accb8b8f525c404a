"""Two methods that share no code find the same boundaries and bridges on generated land."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pytest
import shapely

from geodata.adjacency import Adjacency, build_adjacency
from geodata.repair import repair
from geodata.spec import AdjacencySpec, RepairSpec, SyntheticSpec
from geodata.synthetic import PARCEL_ID, generate
from planner.check import shapes
from planner.check.lanes import SLACK_M, measure_lanes
from planner.check.tolerances import GAP_M, shared_slack_m

SPEC = AdjacencySpec()


@pytest.fixture(scope="module")
def land() -> tuple[gpd.GeoDataFrame, gpd.GeoDataFrame, Adjacency]:
    made = generate(SyntheticSpec(case="qingxi", seed=7))
    parcels = made.parcels.rename(columns={PARCEL_ID: "parcel_id"}).set_index("parcel_id")
    parcels = repair(parcels, RepairSpec()).parcels
    return parcels, made.barriers, build_adjacency(parcels, SPEC, made.barriers)


def test_shared_boundaries_agree_within_the_slack(
    land: tuple[gpd.GeoDataFrame, gpd.GeoDataFrame, Adjacency],
) -> None:
    parcels, barriers, adjacency = land
    polygons = np.array(parcels.geometry.to_numpy(), dtype=object)
    pairs = shapes.close_pairs(polygons, [np.arange(len(polygons))], SPEC.touch_tolerance_m)
    found = shapes.shared_lengths(
        polygons,
        pairs,
        np.array(barriers.geometry.to_numpy(), dtype=object),
        touch_tolerance_m=SPEC.touch_tolerance_m,
        barrier_tolerance_m=SPEC.barrier_tolerance_m,
    )
    judged = {(a, b): (least, most) for (a, b), (least, most) in zip(pairs.tolist(), found.tolist(), strict=True)}
    given = dict(zip(map(tuple, adjacency.pairs.tolist()), adjacency.shared_m.tolist(), strict=True))
    slack = shared_slack_m(SPEC)
    assert len(given) > 400
    for pair, shared_m in given.items():
        least, most = judged[pair]
        assert least - slack <= shared_m <= most + slack
    surely = {pair for pair, (least, _) in judged.items() if least >= SPEC.min_shared_m + slack}
    assert surely <= set(given)


def test_the_lines_of_all_bridged_links_are_free(
    land: tuple[gpd.GeoDataFrame, gpd.GeoDataFrame, Adjacency],
) -> None:
    parcels, barriers, adjacency = land
    polygons = np.array(parcels.geometry.to_numpy(), dtype=object)
    lines, detour = shapes.straight_lines(adjacency.link_lines)
    ends = [polygons[adjacency.link_pairs[:, k]] for k in (0, 1)]
    inside, _ = shapes.length_in_others(lines, adjacency.link_pairs, polygons)
    barrier = np.array(barriers.geometry.to_numpy(), dtype=object)
    assert len(lines) > 400
    assert detour.max() <= GAP_M
    assert inside.max() <= SPEC.touch_tolerance_m + GAP_M
    assert not shapes.near_barrier(lines, barrier, SPEC.barrier_tolerance_m - GAP_M).any()
    assert max(shapely.distance(lines, end).max() for end in ends) <= GAP_M
    length = shapely.length(lines)
    assert np.all(np.abs(length - adjacency.gap_m) <= SPEC.touch_tolerance_m + GAP_M)


def test_lanes_have_the_width_and_the_facing_length_that_the_judge_measures(
    land: tuple[gpd.GeoDataFrame, gpd.GeoDataFrame, Adjacency],
) -> None:
    parcels, barriers, adjacency = land
    polygons = np.array(parcels.geometry.to_numpy(), dtype=object)
    barrier = np.array(barriers.geometry.to_numpy(), dtype=object)
    lanes = measure_lanes(polygons, adjacency.link_pairs, barrier, SPEC, SPEC.barrier_tolerance_m)
    assert np.all(adjacency.gap_m >= lanes.least_m - GAP_M)
    assert np.all(adjacency.gap_m <= lanes.most_m + GAP_M)
    assert (~lanes.sampled).sum() > 100  # of which width and length are known exactly
    exact = ~lanes.sampled
    assert np.abs(adjacency.gap_m - lanes.least_m)[exact].max() <= GAP_M
    assert np.abs(adjacency.facing_m - lanes.facing_m)[exact].max() <= 0.1
    assert np.abs(adjacency.facing_m - lanes.facing_m)[~exact].max(initial=0.0) <= SLACK_M + 0.1
