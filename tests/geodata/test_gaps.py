from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely.geometry.base import BaseGeometry

from geodata.contract import GeometryArray
from geodata.errors import DataError
from geodata.gaps import Mended, mend_seams
from geodata.outlines import moved_m
from geodata.repair import repair, repair_table
from geodata.spec import RepairSpec
from geodata.units import M2_PER_MU
from tests.geodata.shapes import box, frame

NO_PAIRS: npt.NDArray[np.int64] = np.empty((0, 2), dtype=np.int64)


def mend(shapes: list[BaseGeometry], spec: RepairSpec) -> tuple[GeometryArray, list[Mended]]:
    geometry = np.array(shapes, dtype=object)
    steps = list(mend_seams(geometry, NO_PAIRS, spec))
    for step in steps:
        if step.after is not None:
            geometry[step.position] = step.after
    return geometry, steps


def test_gap_open_at_both_ends_goes_to_one_neighbour() -> None:
    (a, b), steps = mend([box(0, 0, 10, 10), box(10.03, 0, 10, 10)], RepairSpec())
    assert [(s.position, s.filled) for s in steps] == [(0, True)]
    assert a.equals(box(0, 0, 10.03, 10)) and b.equals(box(10.03, 0, 10, 10))
    assert steps[0].moved_m == pytest.approx(0.03)


@pytest.mark.parametrize("lane_m", [0.06, 0.5, 3.0])
def test_lane_wider_than_the_tolerance_stays_open(lane_m: float) -> None:
    parcels = [box(0, 0, 10, 10), box(10 + lane_m, 0, 10, 10), box(0, -5, 20 + lane_m, 5), box(0, 10, 20 + lane_m, 5)]
    after, steps = mend(parcels, RepairSpec())
    assert shapely.area(after).sum() == pytest.approx(shapely.area(parcels).sum(), abs=1e-9)
    assert not any(step.filled for step in steps)


def test_gap_of_a_metre_is_closed_where_that_is_allowed() -> None:
    (a, b), _ = mend([box(0, 0, 10, 10), box(11, 0, 10, 10)], RepairSpec(gap_max_m=1.0))
    assert shapely.area(a) + shapely.area(b) == pytest.approx(210.0)


def test_net_of_gaps_is_shared_out_and_nobody_gets_tentacles() -> None:
    cells = [box(x * 10.03, y * 10.03, 10, 10) for y in range(4) for x in range(4)]
    after, steps = mend(cells, RepairSpec())
    assert not [step.reason for step in steps if step.reason]
    assert shapely.coverage_is_valid(after)
    assert shapely.area(after).sum() == pytest.approx(40.09**2, abs=1e-6)
    for before, now in zip(cells, after, strict=True):
        assert moved_m(np.array([before]), np.array([now]))[0] <= 0.05 + 1e-5
        assert shapely.area(now) == pytest.approx(100, abs=0.05 * 40)


def test_neighbours_get_the_same_corners_and_nothing_else_changes() -> None:
    wide, low, high, far = box(0, 0, 10, 10), box(10, 0, 10, 5), box(10, 5, 10, 5), box(0, -10, 10, 10)
    after, steps = mend([wide, low, high, far], RepairSpec())
    assert [(s.position, s.filled, s.moved_m) for s in steps] == [(0, False, 0.0)]
    assert shapely.coverage_is_valid(after) and after[0].equals(wide)
    assert all(now is was for now, was in zip(after[1:], [low, high, far], strict=True))


def test_without_tolerances_nothing_is_done() -> None:
    parcels = [box(0, 0, 10, 10), box(10.03, 0, 10, 10), box(0, 10, 30, 10)]
    assert mend(parcels, RepairSpec(gap_max_m=0, snap_m=0))[1] == []


def test_hole_inside_one_parcel_is_not_a_gap_between_parcels() -> None:
    ring = shapely.difference(box(0, 0, 10, 10), box(2, 2, 5, 0.03))
    after, _ = mend([ring, box(10, 0, 10, 5), box(10, 5, 10, 5)], RepairSpec())
    assert shapely.area(after[0]) == pytest.approx(100 - 0.15)


def test_corners_are_snapped_only_on_request() -> None:
    left, right = box(0, 0, 10, 10), shapely.Polygon([(10.04, 0), (20, 0), (20, 10), (10.0, 10)])
    still = RepairSpec(gap_max_m=0, snap_m=0)
    assert mend([left, right], still)[1] == []
    after, steps = mend([left, right], RepairSpec(gap_max_m=0, snap_m=0.05))
    assert shapely.coverage_is_valid(after) and shapely.area(shapely.union_all(after)) == pytest.approx(200, abs=0.3)
    assert steps and max(step.moved_m for step in steps) <= 0.05 + 1e-5
    assert shapely.length(shapely.intersection(after[0], after[1])) == pytest.approx(10, abs=0.01)


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 10**6), st.sampled_from([0.0, 0.05]))
def test_jittered_grid_becomes_a_clean_coverage(seed: int, snap_m: float) -> None:
    rng = np.random.default_rng(seed)
    cells = {}
    for k in range(9):
        corners = shapely.get_coordinates(box(k % 3 * 20, k // 3 * 20, 20, 20))[:-1]
        cells[f"{k}"] = shapely.Polygon(corners + rng.uniform(-0.017, 0.017, corners.shape))
    spec = RepairSpec(snap_m=snap_m)
    parcels = frame({k: cells[k] for k in rng.permutation(list(cells)).tolist()})
    result = repair(parcels, spec)
    assert sorted(result.parcels.index) == sorted(cells)
    assert shapely.coverage_is_valid(np.asarray(result.parcels.geometry.array))
    assert abs(result.balance.unexplained_m2) <= 1e-6
    for name, before in cells.items():
        # Cutting an overlap and mending a seam move a boundary by at most the tolerance each.
        now = result.parcels.geometry[name]
        assert moved_m(np.array([before]), np.array([now]))[0] <= 2 * 0.05 + 1e-5
    again = repair(result.parcels, spec)
    assert len(again.changes) == 0
    straight = repair(frame(cells), spec)
    assert straight.parcels.geometry.geom_equals_exact(result.parcels.geometry[straight.parcels.index], 0).all()


def two_parts() -> dict[str, BaseGeometry]:
    return {"a": shapely.union_all([box(0, 0, 10, 10), box(50, 0, 30, 10)]), "b": box(100, 0, 10, 10)}


def test_split_divides_amounts_and_copies_the_rest() -> None:
    parcels = frame(two_parts()).assign(tax_wan_yuan=[8.0, 1.0], rent_yuan_per_mu=[5.0, 6.0], year=[1999, 2001])
    result = repair(parcels, RepairSpec(multipart="split"))
    assert list(result.parcels.index) == ["a#1", "a#2", "b"] and result.parcels.index.name == "parcel_id"
    assert result.parcels.area.tolist() == [300.0, 100.0, 100.0]
    assert result.parcels["tax_wan_yuan"].tolist() == [6.0, 2.0, 1.0]
    assert result.parcels["rent_yuan_per_mu"].tolist() == [5.0, 5.0, 6.0]
    assert result.parcels["year"].tolist() == [1999, 1999, 2001]
    assert set(zip(result.log["parcel_id"], result.log["action"], strict=True)) == {
        ("a", "split"),
        ("a#1", "split"),
        ("a#2", "split"),
    }
    assert result.balance.unexplained_m2 == pytest.approx(0)


def test_refused_multipart_parcels_are_named() -> None:
    with pytest.raises(DataError, match="1 parcels of several parts: a"):
        repair(frame(two_parts()), RepairSpec(multipart="refuse"))


def test_ids_of_parts_that_exist_already_are_refused() -> None:
    with pytest.raises(DataError, match="a#1"):
        repair(frame({**two_parts(), "a#1": box(200, 0, 10, 10)}), RepairSpec(multipart="split"))


def test_table_of_the_repair() -> None:
    shapes = {"large": box(0, 0, 200, 100), "small": box(180, 0, 100, 10), "gap": box(280.03, 0, 10, 10)}
    table = repair_table(repair(frame(shapes), RepairSpec()))
    rows = {(row["issue"], row["action"]): row for row in table.to_dict("records")}
    cut = rows["overlap", "cut"]
    assert (cut["parcels"], cut["first_ids"]) == (1, "large")
    assert cut["area_change_m2"] == pytest.approx(-200) and cut["area_change_mu"] == pytest.approx(-200 / M2_PER_MU)
    assert rows["gap", "filled"]["largest_change_m2"] == pytest.approx(0.3, abs=1e-6)
    assert repair_table(repair(frame({"a": box(0, 0, 9, 9)}), RepairSpec())).empty
