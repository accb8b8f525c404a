"""Rules links and contiguity: broken, and exactly at the limit."""

from __future__ import annotations

import geopandas as gpd
import pytest
import shapely

from tests.planner.check.check_builders import (
    CRS,
    EAST,
    HIGH,
    LANE,
    NORTH,
    WIDE,
    HandPlan,
    canal,
    cell,
    honest_plan,
    link,
)


def add_barrier(plan: HandPlan, line: shapely.Geometry) -> None:
    plan.barriers = gpd.GeoDataFrame(
        {"name": ["canal", "new"]}, geometry=[*plan.barriers.geometry, line], crs=plan.barriers.crs
    )


def add_link(plan: HandPlan, a: str, b: str, line: shapely.LineString) -> None:
    rows = [*plan.links.to_dict("records"), link(a, b, line, used=True)]
    plan.links = gpd.GeoDataFrame(rows, geometry="geometry", crs=CRS)


def messages(plan: HandPlan, rule: str) -> str:
    return " ".join(f.message for f in plan.findings(rule))


def test_the_pieces_are_listed() -> None:
    plan = honest_plan()
    plan.leave("r2c4")
    (found,) = plan.findings("contiguity")
    assert found.block_id == "B3"
    assert "2 pieces: [r3c4, r3c5]; [r2c3]" in found.message
    assert (found.measured, found.limit, found.unit) == (2.0, 1.0, "pieces")


def test_parcels_that_meet_in_a_corner_are_two_pieces() -> None:
    plan = honest_plan()
    plan.leave("r1c0")
    plan.leave("r0c1")  # r0c0 and r1c1 remain
    assert [f.block_id for f in plan.findings("contiguity")] == ["B1"]


def test_a_barrier_on_the_seam_parts_a_block() -> None:
    plan = honest_plan()
    add_barrier(plan, canal(EAST + WIDE, NORTH - 5, NORTH + 2 * HIGH + 5))
    (found,) = plan.findings("contiguity")
    assert found.block_id == "B1"
    assert "[r0c0, r1c0]; [r0c1, r1c1]" in found.message


@pytest.mark.parametrize(("shared_m", "pieces"), [(3.0, 1), (2.91, 1), (2.89, 2), (0.0, 2)])
def test_the_least_shared_boundary_has_a_slack_of_a_tenth_of_a_metre(shared_m: float, pieces: int) -> None:
    plan = honest_plan()
    x0, y0, x1, _ = cell(1, 3).bounds
    plan.set("r1c3", geometry=shapely.box(x0 + WIDE - shared_m, y0, x1 + WIDE - shared_m, y0 + HIGH))
    assert len(plan.findings("contiguity")) == pieces - 1


def test_without_its_link_a_bridge_does_not_count_and_the_report_says_so() -> None:
    plan = honest_plan()
    plan.links = plan.links.iloc[1:]
    (found,) = plan.findings("contiguity")
    assert found.block_id == "B2"
    assert "Parcels r0c2 and r0c3 could be bridged" in found.message
    assert "B2 is said to have 1 bridged links; the layer links has 0" in messages(plan, "links")


@pytest.mark.parametrize(("limit", "faults"), [(10.0, 0), (9.995, 0), (9.98, 1)])
def test_a_bridge_spans_at_most_its_limit(limit: float, faults: int) -> None:
    plan = honest_plan()
    plan.config["adjacency"] = {"bridge_max_m": limit}
    assert len([f for f in plan.findings("links") if f.severity == "error"]) == faults
    assert len(plan.findings("contiguity")) == faults


def test_with_bridges_switched_off_no_link_is_sound() -> None:
    plan = honest_plan()
    plan.config["adjacency"] = {"bridge_max_m": 0}
    assert len(plan.findings("links")) == 4
    assert messages(plan, "links").count("switched off") == 4
    assert "could be bridged" not in messages(plan, "contiguity")


def test_a_bridge_over_a_barrier_is_found() -> None:
    plan = honest_plan()
    add_barrier(plan, canal(EAST + 3 * WIDE + LANE / 2, NORTH - 5, NORTH + HIGH + 5))
    assert "r0c2 – r0c3: its line meets a barrier" in messages(plan, "links")
    assert [f.block_id for f in plan.findings("contiguity")] == ["B2"]


def test_a_link_that_no_block_uses_is_only_a_warning() -> None:
    plan = honest_plan()
    add_barrier(plan, canal(EAST + 3 * WIDE + LANE / 2, NORTH + 2 * HIGH + 1, NORTH + 3 * HIGH - 1))
    found = plan.findings("links")
    assert [(f.parcel_ids, f.severity) for f in found] == [(("r2c2", "r2c3"), "warning")]
    assert plan.judge().passed


def test_the_line_drawn_is_the_one_that_must_be_free() -> None:
    plan = honest_plan()
    add_barrier(plan, canal(EAST + 3 * WIDE + LANE / 2, NORTH - 5, NORTH + HIGH / 4))
    assert plan.judge().passed
    y = NORTH + HIGH / 8  # the barrier ends at HIGH / 4
    low = shapely.LineString([(EAST + 3 * WIDE, y), (EAST + 3 * WIDE + LANE, y)])
    plan.links = plan.links.set_geometry([low, *plan.links.geometry.iloc[1:]])
    assert "meets a barrier" in messages(plan, "links")


@pytest.mark.parametrize("shift", [(0.5, 0.0), (0.0, 200.0), (-0.5, 0.0)])
def test_a_line_that_does_not_join_its_parcels_is_found(shift: tuple[float, float]) -> None:
    plan = honest_plan()
    moved = shapely.affinity.translate(plan.links.geometry.iloc[0], *shift)
    plan.links = plan.links.set_geometry([moved, *plan.links.geometry.iloc[1:]])
    assert "does not join them" in messages(plan, "links")


def test_a_bent_or_missing_line_is_found() -> None:
    x, y = EAST + 3 * WIDE, NORTH + HIGH / 2
    bent = shapely.LineString([(x, y), (x + 1, y + 2), (x + 2, y), (x + LANE, y)])
    for line in (bent, None, shapely.LineString()):
        plan = honest_plan()
        plan.config["adjacency"] = {"bridge_max_m": 20}
        plan.links = plan.links.set_geometry([line, *plan.links.geometry.iloc[1:]])
        assert "r0c2 – r0c3" in messages(plan, "links")
        assert len(plan.findings("contiguity")) == 1


def test_a_bridge_across_a_third_parcel_is_found() -> None:
    plan = honest_plan()
    lane = shapely.box(EAST + 3 * WIDE, NORTH, EAST + 3 * WIDE + LANE, NORTH + HIGH)
    plan.set("r0c5", geometry=lane)
    assert "r0c2 – r0c3: its line crosses r0c5" in messages(plan, "links")
    assert [f.block_id for f in plan.findings("contiguity")] == ["B2"]


def test_a_link_between_neighbours_is_no_bridge() -> None:
    plan = honest_plan()
    point = (EAST + WIDE, NORTH + HIGH / 2)
    add_link(plan, "r0c0", "r0c1", shapely.LineString([point, point]))
    assert "adjacent" in messages(plan, "links")


def test_a_seam_cut_by_a_barrier_is_not_bridged_either() -> None:
    plan = honest_plan()
    add_barrier(plan, canal(EAST + WIDE, NORTH - 5, NORTH + 2 * HIGH + 5))
    point = (EAST + WIDE, NORTH + HIGH / 2)
    add_link(plan, "r0c0", "r0c1", shapely.LineString([point, point]))
    assert "a barrier cuts 66.67 m of the boundary" in messages(plan, "links")
    assert [f.block_id for f in plan.findings("contiguity")] == ["B1"]


@pytest.mark.parametrize(("gap", "faults"), [(10.009, 0), (10.02, 1), (float("nan"), 1)])
def test_the_written_gap_is_the_measured_one(gap: float, faults: int) -> None:
    plan = honest_plan()
    plan.links.loc[0, "gap_m"] = gap
    assert len(plan.findings("links")) == faults


def test_links_to_unknown_parcels_are_found() -> None:
    plan = honest_plan()
    plan.links.loc[3, "parcel_b"] = "nowhere"
    (found,) = plan.findings("links")
    assert "no two parcels" in found.message
    assert found.parcel_ids == ("r3c2",)


def test_a_wrong_count_of_links_is_found() -> None:
    plan = honest_plan()
    plan.set_block("B3", bridged_links=1)
    (found,) = plan.findings("links")
    assert (found.block_id, found.measured, found.limit) == ("B3", 0.0, 1.0)


def test_a_layer_without_links_is_fine_where_none_is_needed() -> None:
    plan = honest_plan()
    plan.links = plan.links.iloc[:0]
    plan.leave("r0c2")
    plan.set_block("B2", bridged_links=0)
    assert plan.findings("links") == []
    assert plan.findings("contiguity") == []
    assert plan.judge().checked["links"] == 0
