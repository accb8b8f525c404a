"""Rules crs, geometry, overlap, zone: broken, and exactly at the limit."""

from __future__ import annotations

import pytest
import shapely

from planner.check.model import LAYERS
from tests.planner.check.check_builders import EAST, HIGH, NORTH, WIDE, cell, honest_plan


def test_crs_in_degrees_is_found() -> None:
    plan = honest_plan()
    plan.zones = plan.zones.to_crs(4326)
    (found,) = plan.findings("crs")
    assert "zones" in found.message
    assert "not projected" in found.message


def test_web_mercator_is_found_in_every_layer() -> None:
    plan = honest_plan()
    for layer in ("parcels", "blocks", "zones", "links", "barriers"):
        setattr(plan, layer, getattr(plan, layer).set_crs(3857, allow_override=True))
    assert len(plan.findings("crs")) == len(LAYERS)


@pytest.mark.parametrize(("crs", "fault"), [(2263, "metre"), (4548, "parcels"), (None, "no coordinate")])
def test_feet_another_crs_and_none_are_found(crs: int | None, fault: str) -> None:
    plan = honest_plan()
    plan.links = plan.links.set_crs(crs, allow_override=True)
    (found,) = plan.findings("crs")
    assert fault in found.message


def test_the_configured_crs_is_wanted() -> None:
    plan = honest_plan()
    plan.config["parcels"]["metric_crs"] = "EPSG:4547"
    assert plan.findings("crs") == []
    plan.config["parcels"]["metric_crs"] = "EPSG:4548"
    assert len(plan.findings("crs")) == len(LAYERS)


def test_an_invalid_polygon_is_found_and_the_rest_still_judged() -> None:
    plan = honest_plan()
    x, y = EAST + 510, NORTH
    bow = shapely.Polygon([(x, y), (x + WIDE, y + HIGH), (x + WIDE, y), (x, y + HIGH)])
    plan.set("r0c5", geometry=bow, area_mu=0.0)
    report = plan.judge()
    assert [(f.parcel_ids, "Self-intersection" in f.message) for f in report.findings if f.rule == "geometry"] == [
        (("r0c5",), True)
    ]
    assert report.checked["targets"] == 4


def test_a_parcel_without_a_polygon_is_found() -> None:
    for bad in (None, shapely.Point(EAST, NORTH), shapely.Polygon()):
        plan = honest_plan()
        plan.set("r0c5", geometry=bad)
        assert any(f.parcel_ids == ("r0c5",) for f in plan.findings("geometry"))


@pytest.mark.parametrize(("factor", "faults"), [(1 + 0.9e-6, 0), (1 - 0.9e-6, 0), (1 + 1.1e-6, 1), (0.5, 1)])
def test_written_area_may_be_off_by_a_millionth(factor: float, faults: int) -> None:
    plan = honest_plan()
    plan.set("r0c5", area_mu=10.0 * factor)
    assert len(plan.findings("geometry")) == faults


def test_an_unknown_area_is_found() -> None:
    plan = honest_plan()
    plan.set("r0c5", area_mu=float("nan"))
    assert [f.parcel_ids for f in plan.findings("geometry")] == [("r0c5",)]


@pytest.mark.parametrize(("depth_m", "faults"), [(0.00014, 0), (0.00016, 1), (1.0, 1)])
def test_parcels_may_overlap_by_a_hundredth_of_a_square_metre(depth_m: float, faults: int) -> None:
    plan = honest_plan()
    x0, y0, x1, y1 = cell(0, 5).bounds
    plan.set("r0c5", geometry=shapely.box(x0 - depth_m, y0, x1, y1))  # HIGH · depth = 0.0093 and 0.0107 m²
    found = plan.findings("overlap")
    assert len(found) == faults
    assert all(set(f.parcel_ids) == {"r0c4", "r0c5"} for f in found)


def test_a_parcel_stored_twice_overlaps_itself() -> None:
    plan = honest_plan()
    plan.set("r0c5", geometry=cell(0, 4))
    (found,) = plan.findings("overlap")
    assert found.measured == pytest.approx(WIDE * HIGH)


def test_a_wrong_zone_is_found() -> None:
    plan = honest_plan()
    plan.set("r0c5", zone="North")
    (found,) = plan.findings("zone")
    assert found.parcel_ids == ("r0c5",)
    assert "South" in found.message


def test_most_of_the_area_decides_and_a_tie_accepts_either() -> None:
    plan = honest_plan()
    middle = NORTH + 1.5 * HIGH  # exactly half of row 1 on either side
    low, high = plan.zones.total_bounds[0], plan.zones.total_bounds[2]
    south = shapely.box(low, NORTH, high, middle)
    north = shapely.box(low, middle, high, NORTH + 4 * HIGH)
    plan.zones = plan.zones.set_geometry([south, north])
    assert plan.findings("zone") == []
    plan.set("r1c5", zone="North")
    assert plan.findings("zone") == []
    plan.set("r1c5", zone=None)
    assert len(plan.findings("zone")) == 1


def test_land_outside_every_zone_has_none() -> None:
    plan = honest_plan()
    plan.zones = plan.zones.iloc[:1]
    plan.parcels["zone"] = plan.parcels["zone"].where(plan.parcels["zone"] == "South")
    assert plan.findings("zone") == []


def test_a_field_may_give_the_zone() -> None:
    plan = honest_plan()
    plan.config["zones"] = {"field": "use"}
    plan.parcels["zone"] = plan.parcels["use"]
    assert plan.findings("zone") == []
    plan.set("r0c5", zone="verge")
    assert [f.parcel_ids for f in plan.findings("zone")] == [("r0c5",)]


def test_without_zones_no_parcel_has_one() -> None:
    plan = honest_plan()
    del plan.config["zones"]
    plan.optimise["block"]["within_zone"] = False
    plan.optimise["phases"][1]["zones"] = {}
    assert len(plan.findings("zone")) == 24
