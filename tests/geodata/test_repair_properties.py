"""Clean coverages, spoilt in known ways, come back from the repair."""

from __future__ import annotations

from functools import cache
from itertools import pairwise

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely.geometry.base import BaseGeometry

from geodata.contract import GeometryArray
from geodata.gaps import Mended
from geodata.outlines import moved_m
from geodata.repair import RepairResult, repair
from geodata.spec import RepairSpec, SyntheticSpec
from geodata.synthetic import PARCEL_ID, generate
from tests.geodata.shapes import box, frame

SPEC = RepairSpec()
JITTER_M = 0.017
"""Each way in x and y: two neighbours' corners come apart by less than 5 cm."""

ORIGIN = (500_000.0, 2_500_000.0)


def grid(seed: int) -> list[BaseGeometry]:
    rng = np.random.default_rng(seed)
    xs, ys = (np.cumsum(rng.integers(12, 60, rng.integers(3, 6))) for _ in range(2))
    return [
        shapely.box(ORIGIN[0] + x0, ORIGIN[1] + y0, ORIGIN[0] + x1, ORIGIN[1] + y1)
        for x0, x1 in pairwise(xs)
        for y0, y1 in pairwise(ys)
    ]


def voronoi(seed: int) -> list[BaseGeometry]:
    rng = np.random.default_rng(seed)
    points = np.array([[x * 40, y * 40] for x in range(4) for y in range(3)]) + rng.uniform(-10, 10, (12, 2)) + ORIGIN
    cells = shapely.get_parts(shapely.voronoi_polygons(shapely.multipoints(points), ordered=True))
    frame_ = shapely.box(ORIGIN[0] - 30, ORIGIN[1] - 30, ORIGIN[0] + 150, ORIGIN[1] + 110)
    return list(shapely.coverage_simplify(shapely.intersection(cells, frame_), 0.0))


@cache
def fabric() -> GeometryArray:
    made = generate(SyntheticSpec(case="fabric", n_parcels=300, seed=1))
    sound = made.parcels[~made.parcels[PARCEL_ID].isin(made.flaws.index)]
    return np.asarray(sound.geometry.array)


def fabric_piece(seed: int) -> list[BaseGeometry]:
    """Five parcels of the generated fabric that lie together."""
    parcels = fabric()
    centre = shapely.centroid(parcels[np.random.default_rng(seed).integers(len(parcels))])
    return list(parcels[np.argsort(shapely.distance(parcels, centre), kind="stable")[:5]])


COVERAGES = {"grid": grid, "voronoi": voronoi, "fabric": fabric_piece}


def jittered(polygon: BaseGeometry, rng: np.random.Generator) -> BaseGeometry:
    """Each corner moved on its own; a shift that would break the polygon is not made."""
    ring = shapely.get_coordinates(polygon)[:-1]
    moved = shapely.Polygon(ring + rng.uniform(-JITTER_M, JITTER_M, ring.shape))
    return moved if moved.is_valid else polygon


def with_redundant_corners(polygon: BaseGeometry, rng: np.random.Generator) -> BaseGeometry:
    """Corners in the middle of sides, and every third one twice."""
    finer = shapely.get_coordinates(shapely.segmentize(polygon, float(rng.uniform(7, 25))))
    return shapely.Polygon(np.repeat(finer, np.where(np.arange(len(finer)) % 3 == 0, 2, 1), axis=0))


def named(polygons: list[BaseGeometry]) -> dict[str, BaseGeometry]:
    return {f"{k:03d}": polygon for k, polygon in enumerate(polygons)}


def shuffled(parcels: dict[str, BaseGeometry], rng: np.random.Generator) -> gpd.GeoDataFrame:
    return frame({name: parcels[name] for name in rng.permutation(list(parcels)).tolist()})


def shapes_of(result: RepairResult) -> GeometryArray:
    return np.asarray(result.parcels.geometry.array)


def check_same_again(spoilt: gpd.GeoDataFrame, result: RepairResult, spec: RepairSpec) -> None:
    """No order of the rows, and no second repair, makes another result."""
    straight = repair(spoilt.sort_index(), spec)
    pd.testing.assert_frame_equal(pd.DataFrame(straight.log), pd.DataFrame(result.log))
    assert straight.parcels.geometry.geom_equals_exact(result.parcels.geometry[straight.parcels.index], 0).all()
    again = repair(result.parcels, spec)
    assert len(again.changes) == 0
    assert again.parcels.geometry.geom_equals_exact(result.parcels.geometry, 0).all()


def check_balance(result: RepairResult) -> None:
    assert abs(result.balance.unexplained_m2) <= 1e-6
    assert result.balance.after_m2 == pytest.approx(shapely.area(shapes_of(result)).sum(), abs=1e-6)


def check_coverage(result: RepairResult) -> None:
    """What is not logged as left alone meets its neighbours cleanly, with no gap up to the tolerance."""
    kept = set(result.log.loc[result.log["action"] == "kept", "parcel_id"])
    edges = shapely.coverage_invalid_edges(shapes_of(result), gap_width=SPEC.gap_max_m)
    assert set(result.parcels.index[~shapely.is_empty(edges)]) <= kept


SEEDS = st.integers(0, 10**6)


@pytest.mark.parametrize("kind", sorted(COVERAGES))
@settings(max_examples=8, deadline=None)
@given(seed=SEEDS)
def test_shuffled_coverage_comes_back_untouched(kind: str, seed: int) -> None:
    parcels = named(COVERAGES[kind](seed))
    spoilt = shuffled(parcels, np.random.default_rng(seed))
    result = repair(spoilt, SPEC)
    assert shapely.coverage_is_valid(np.array(list(parcels.values()), dtype=object))
    assert result.changes.empty
    assert result.parcels.geometry.geom_equals_exact(spoilt.geometry, 0).all()


@pytest.mark.parametrize("kind", sorted(COVERAGES))
@settings(max_examples=5, deadline=None)
@given(seed=SEEDS)
def test_jittered_coverage_comes_back(kind: str, seed: int) -> None:
    rng = np.random.default_rng(seed)
    clean = named(COVERAGES[kind](seed))
    spoilt = shuffled({name: jittered(shape, rng) for name, shape in clean.items()}, rng)
    result = repair(spoilt, SPEC)
    assert sorted(result.parcels.index) == sorted(clean)
    tolerance = JITTER_M * 2**0.5 + 2 * SPEC.gap_max_m
    for name, shape in clean.items():
        assert abs(result.parcels.geometry[name].area - shape.area) <= tolerance * shape.length
    check_balance(result)
    check_coverage(result)
    check_same_again(spoilt, result, SPEC)


@pytest.mark.parametrize("kind", sorted(COVERAGES))
@settings(max_examples=5, deadline=None)
@given(seed=SEEDS)
def test_redundant_corners_move_nothing(kind: str, seed: int) -> None:
    rng = np.random.default_rng(seed)
    clean = named(COVERAGES[kind](seed))
    spoilt = shuffled({name: with_redundant_corners(shape, rng) for name, shape in clean.items()}, rng)
    result = repair(spoilt, SPEC)
    assert sorted(result.parcels.index) == sorted(clean)
    for name, shape in clean.items():
        assert shapely.symmetric_difference(result.parcels.geometry[name], shape).area <= 1e-4 * shape.length
    check_balance(result)
    check_coverage(result)
    check_same_again(spoilt, result, SPEC)


@pytest.mark.parametrize("kind", sorted(COVERAGES))
@settings(max_examples=5, deadline=None)
@given(seed=SEEDS)
def test_parcels_stored_twice_go(kind: str, seed: int) -> None:
    rng = np.random.default_rng(seed)
    clean = named(COVERAGES[kind](seed))
    twice = rng.choice(list(clean), 3, replace=False).tolist()
    stacked = {**clean, **{f"{name} again": jittered(clean[name], rng) for name in twice}}
    spoilt = shuffled(stacked, rng)
    result = repair(spoilt, SPEC)
    dropped = result.log[(result.log["issue"] == "duplicate") & (result.log["action"] == "dropped")]
    assert dict(zip(dropped["parcel_id"], dropped["other_id"], strict=True)) == {f"{n} again": n for n in twice}
    assert result.parcels.geometry.geom_equals_exact(spoilt.geometry[result.parcels.index], 0).all()
    check_balance(result)
    check_same_again(spoilt, result, SPEC)


@settings(max_examples=8, deadline=None)
@given(seed=SEEDS, snap_m=st.sampled_from([0.0, 0.05]))
def test_no_seam_moves_further_than_the_tolerance(seed: int, snap_m: float) -> None:
    rng = np.random.default_rng(seed)
    # Shrunk cells never overlap: nothing is cut, and all that moves is moved by the seams.
    cells: list[BaseGeometry] = [
        shapely.buffer(cell, -float(rng.uniform(0, 0.04)), join_style="mitre") for cell in voronoi(seed)
    ]
    spoilt = shuffled(named(cells), rng)
    spec = RepairSpec(snap_m=snap_m)
    result = repair(spoilt, spec)
    after = result.parcels.geometry[spoilt.index]
    assert moved_m(np.asarray(spoilt.geometry.array), np.asarray(after.array)).max() <= spec.gap_max_m + 1e-5
    check_balance(result)
    check_same_again(spoilt, result, spec)


def thin_parcel_beside_a_gap() -> dict[str, BaseGeometry]:
    """A parcel 3 cm wide and 3 m2 large, that snapping would swallow; a plain gap of 3 cm far from it."""
    return {
        "a": box(0, 0, 10, 100),
        "thin": box(10, 0, 0.03, 100),
        "b": box(10.04, 0, 10, 100),
        "c": box(50, 0, 10, 10),
        "d": box(60.03, 0, 10, 10),
    }


def test_place_that_cannot_be_mended_is_left_with_its_reason() -> None:
    spoilt = frame(thin_parcel_beside_a_gap())
    spec = RepairSpec(snap_m=0.05)
    result = repair(spoilt, spec)
    kept = result.log[result.log["action"] == "kept"].set_index("parcel_id")
    assert sorted(kept.index) == ["b", "thin"]
    assert (kept["issue"] == "snap").all() and kept["note"].str.contains("would vanish").all()
    assert result.parcels.geometry[["a", "thin", "b"]].geom_equals_exact(spoilt.geometry[["a", "thin", "b"]], 0).all()
    assert result.parcels.area[["c", "d"]].sum() == pytest.approx(200.3)
    again = repair(result.parcels, spec)
    pd.testing.assert_frame_equal(
        pd.DataFrame(again.log), pd.DataFrame(result.log[result.log["action"] == "kept"].reset_index(drop=True))
    )


def test_places_that_never_come_to_rest_are_left_as_they_were(monkeypatch: pytest.MonkeyPatch) -> None:
    # With one pass allowed, nobody ever sees that the mended place is at rest.
    monkeypatch.setattr("geodata.gaps._PASSES", 1)
    spoilt = frame({"c": box(50, 0, 10, 10), "d": box(60.03, 0, 10, 10)})
    result = repair(spoilt, SPEC)
    assert result.changes.empty and sorted(result.log["parcel_id"]) == ["c", "d"]
    assert result.log["note"].str.contains("come to rest").all()
    assert result.parcels.geometry.geom_equals_exact(spoilt.geometry, 0).all()


def test_polygon_that_moved_too_far_in_all_is_left_as_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    # Each step is within the tolerance; what is measured at the end is not.
    whole = Mended.__init__

    def further(self: Mended, *args: object, **named: object) -> None:
        whole(self, *args, **named)  # type: ignore[arg-type]
        if self.moved_m > 0:
            object.__setattr__(self, "moved_m", 4 * self.moved_m)

    monkeypatch.setattr(Mended, "__init__", further)
    spoilt = frame({"c": box(50, 0, 10, 10), "d": box(60.03, 0, 10, 10)})
    result = repair(spoilt, SPEC)
    assert result.changes.empty and sorted(result.log["parcel_id"]) == ["c", "d"]
    assert result.parcels.geometry.geom_equals_exact(spoilt.geometry, 0).all()
