"""Rule between: honest, every violation found, and just within its tolerance."""

from __future__ import annotations

from typing import Any

import geopandas as gpd
import numpy as np
import pytest
import shapely

from planner.check import CheckInput, Claims, Finding
from planner.check.facts import Facts
from planner.check.outcome import Outcome
from planner.check.rules.areas import REACH_M, between, counted_pieces
from planner.check.tolerances import AREA_MU, OVERLAP_M2
from planner.config import Config
from tests.planner.check.check_builders import (
    CELL_MU,
    CRS,
    EAST,
    HIGH,
    LANE,
    M2_PER_MU,
    NORTH,
    WIDE,
    HandPlan,
    honest_plan,
)

WEST = EAST + 3 * WIDE
"""Where the lane begins: r0c2 lies on its west side, r0c3 on its east side."""
HALF_MU = LANE / 2 * HIGH / M2_PER_MU
ROWS = ("r0c2", "r0c3")


def strip(x0: float, x1: float, row: int = 0) -> shapely.Polygon:
    """Part of the lane in one row, from and to so many metres east of where it begins."""
    return shapely.box(WEST + x0, NORTH + row * HIGH, WEST + x1, NORTH + (row + 1) * HIGH)


HONEST = {"r0c2": strip(0, LANE / 2), "r0c3": strip(LANE / 2, LANE)}


def layer(*rows: tuple[str | None, Any], **written: float) -> gpd.GeoDataFrame:
    """The layer between; `written` are areas that differ from what is drawn."""
    data = [
        {"parcel_id": p, "area_m2": written.get(str(p), 0.0 if g is None else g.area), "geometry": g} for p, g in rows
    ]
    return gpd.GeoDataFrame(data, columns=["parcel_id", "area_m2", "geometry"], geometry="geometry", crs=CRS)


def judge(land: gpd.GeoDataFrame, plan: HandPlan | None = None) -> tuple[Facts, Outcome]:
    plan = plan or honest_plan()
    config = Config.model_validate(plan.config | {"areas": {"between_max_m": LANE}})
    tables = CheckInput(plan.parcels, plan.blocks, plan.zones, plan.links, plan.barriers, between=land)
    facts = Facts(tables, config, Claims())
    return facts, between(facts)


def findings(land: gpd.GeoDataFrame, plan: HandPlan | None = None) -> list[Finding]:
    return list(judge(land, plan)[1].findings)


def only(land: gpd.GeoDataFrame, plan: HandPlan | None = None) -> Finding:
    (found,) = findings(land, plan)
    assert found.rule == "between"
    return found


def with_figures(plan: HandPlan) -> HandPlan:
    """Figures of area as an honest writer would write them, for `HONEST`."""
    extra = np.where(plan.parcels["parcel_id"].isin(ROWS), HALF_MU, 0.0)
    plan.parcels["between_mu"], plan.parcels["boundary_mu"] = extra, CELL_MU + extra
    inside = plan.parcels[plan.parcels["block_id"].notna()].groupby("block_id")["boundary_mu"].sum()
    plan.blocks["boundary_mu"] = plan.blocks["block_id"].map(inside)
    return plan


def test_no_land_between_is_nothing_to_judge() -> None:
    facts, outcome = judge(layer())
    assert not outcome.findings and outcome.checked == counted_pieces(facts) == 0


def test_a_lane_shared_out_in_halves_is_honest() -> None:
    facts, outcome = judge(layer(*HONEST.items()), with_figures(honest_plan()))
    assert not outcome.findings
    assert outcome.checked == counted_pieces(facts) == 2 + 24
    assert outcome.measured["between_mu"] == pytest.approx(2 * HALF_MU)


def test_pieces_that_overlap_are_found() -> None:
    found = only(layer(("r0c2", strip(0, 6)), ("r0c3", strip(5, LANE))))
    assert found.parcel_ids == ROWS and "allotted to both" in found.message
    assert found.measured == pytest.approx(HIGH)


def test_a_piece_on_a_parcel_is_found() -> None:
    found = only(layer(("r0c2", strip(0, 5)), ("r0c3", strip(5, LANE + 1))))
    assert found.measured == pytest.approx(HIGH) and "covers" in found.message and "of r0c3" in found.message


@pytest.mark.parametrize("excess", [0.5, 2.0])
def test_overlaps_count_beyond_their_tolerance(excess: float) -> None:
    more = excess * OVERLAP_M2 / HIGH
    found = findings(layer(("r0c2", strip(0, 5 + more)), ("r0c3", strip(5, LANE))))
    assert len(found) == (excess > 1)
    found = findings(layer(("r0c2", strip(0, 5)), ("r0c3", strip(5, LANE + more))))
    assert len(found) == (excess > 1)


def test_a_piece_on_a_barrier_is_found() -> None:
    plan = honest_plan()
    pond = shapely.box(WEST + 1, NORTH + 10, WEST + 3, NORTH + 20)
    plan.barriers = gpd.GeoDataFrame({"name": ["pond"]}, geometry=[pond], crs=CRS)
    found = only(layer(*HONEST.items()), plan)
    assert found.measured == pytest.approx(20.0) and "of a barrier" in found.message and found.parcel_ids == ("r0c2",)


@pytest.mark.parametrize(("x", "faults"), [(2.0, 1), (LANE / 2, 0)])
def test_a_line_may_run_along_a_piece_and_not_through_it(x: float, faults: int) -> None:
    plan = honest_plan()
    ditch = shapely.LineString([(WEST + x, NORTH - 5), (WEST + x, NORTH + HIGH + 5)])
    plan.barriers = gpd.GeoDataFrame({"name": ["ditch"]}, geometry=[ditch], crs=CRS)
    found = findings(layer(*HONEST.items()), plan)
    assert len(found) == faults
    if faults:
        assert "runs" in found[0].message and found[0].measured == pytest.approx(HIGH, abs=3 * REACH_M)


@pytest.mark.parametrize(("beyond", "faults"), [(0.9 * REACH_M, 0), (1.5 * REACH_M, 1)])
def test_land_lies_within_reach_of_its_parcel(beyond: float, faults: int) -> None:
    # South of the study area, where there is neither parcel nor lane.
    verge = shapely.box(EAST + 1, NORTH - LANE - beyond, EAST + 2, NORTH)
    found = findings(layer(("r0c0", verge)))
    assert len(found) == faults
    if faults:
        assert "lies up to 10.03 m" in found[0].message and found[0].limit == LANE


@pytest.mark.parametrize(("apart", "faults"), [(0.9 * REACH_M, 0), (1.5 * REACH_M, 1)])
def test_every_part_touches_its_parcel(apart: float, faults: int) -> None:
    parts = shapely.MultiPolygon(
        [
            shapely.box(EAST + 1, NORTH - 2, EAST + 2, NORTH),
            shapely.box(EAST + 5, NORTH - 2, EAST + 6, NORTH - apart),
        ]
    )
    found = findings(layer(("r0c0", parts)))
    assert len(found) == faults
    if faults:
        assert "does not touch it" in found[0].message and found[0].measured == pytest.approx(apart)


@pytest.mark.parametrize(("off", "faults"), [(0.5, 0), (2.0, 1)])
def test_the_written_area_is_the_drawn_one(off: float, faults: int) -> None:
    area = HONEST["r0c2"].area
    found = findings(layer(*HONEST.items(), r0c2=area + off * max(OVERLAP_M2, 1e-6 * area)))
    assert len(found) == faults
    assert len(findings(layer(*HONEST.items(), r0c2=float("nan")))) == 1


@pytest.mark.parametrize(
    "drawn",
    [
        shapely.LineString([(WEST, NORTH), (WEST, NORTH + 1)]),
        shapely.Polygon(),
        None,
    ],
)
def test_what_is_no_polygon_is_found(drawn: Any) -> None:
    assert "no valid polygon" in " ".join(f.message for f in findings(layer(("r0c2", drawn))))


def test_unknown_and_repeated_parcels_are_found() -> None:
    assert "an unknown parcel" in only(layer(("nobody", strip(0, 5)))).message
    assert "an unknown parcel" in only(layer((None, strip(0, 5)))).message
    twice = layer(("r0c2", strip(0, 2)), ("r0c2", strip(2, 5)))
    # The second lies 2 m apart from its parcel as well.
    assert [("twice" in f.message, "touch" in f.message) for f in findings(twice)] == [(True, False), (False, True)]


@pytest.mark.parametrize("column", ["between_mu", "boundary_mu"])
@pytest.mark.parametrize(("off", "faults"), [(0.5, 0), (3.0, 1), (float("nan"), 1)])
def test_figures_of_parcels_follow(column: str, off: float, faults: int) -> None:
    plan = with_figures(honest_plan())
    plan.set("r0c2", **{column: plan.get("r0c2", column) + off * AREA_MU})
    found = findings(layer(*HONEST.items()), plan)
    assert len(found) == faults
    if faults:
        assert found[0].parcel_ids == ("r0c2",) and found[0].message.startswith(f"{column} of r0c2")


def test_boundary_areas_of_blocks_follow() -> None:
    plan = with_figures(honest_plan())
    plan.set_block("B2", boundary_mu=30.0)  # without the lane, both halves of which are its own
    found = only(layer(*HONEST.items()), plan)
    assert found.block_id == "B2" and found.measured == pytest.approx(30 + 2 * HALF_MU) and found.limit == 30.0
