"""Rules block_size, within_zone, filler: broken, and exactly at the limit (the honest plan lies on every limit)."""

from __future__ import annotations

import pytest

from tests.planner.check.check_builders import honest_plan


@pytest.mark.parametrize(("least", "faults"), [(30.0, []), (30.000009, []), (30.00002, ["B2"]), (35, ["B2"])])
def test_no_block_is_below_the_least_area(least: float, faults: list[str]) -> None:
    plan = honest_plan()
    plan.optimise["block"]["min_mu"] = least
    assert [f.block_id for f in plan.findings("block_size")] == faults


@pytest.mark.parametrize(("most", "faults"), [(39.999991, []), (39.99998, ["B1", "B3"]), (35, ["B1", "B3"])])
def test_no_block_is_above_the_most_area(most: float, faults: list[str]) -> None:
    plan = honest_plan()
    plan.optimise["block"]["max_mu"] = most
    found = plan.findings("block_size")
    assert [f.block_id for f in found] == faults
    assert all(f.measured == pytest.approx(40) and f.limit == most and f.unit == "mu" for f in found)


def test_a_block_in_two_zones_is_found_when_that_matters() -> None:
    plan = honest_plan()
    plan.leave("r1c3")
    plan.take("r2c3", "B2")
    found = plan.findings("within_zone")
    assert [f.block_id for f in found] == ["B2"]
    assert "North, South" in found[0].message
    plan.optimise["block"]["within_zone"] = False
    report = plan.judge()
    assert report.checked["within_zone"] == 0
    assert [f for f in report.findings if f.rule in ("within_zone", "completeness")] == []


def test_land_without_a_zone_counts_as_a_zone_of_its_own() -> None:
    plan = honest_plan()
    plan.zones = plan.zones.iloc[:1]
    plan.parcels["zone"] = plan.parcels["zone"].where(plan.parcels["zone"] == "South")
    assert plan.findings("within_zone") == []


@pytest.mark.parametrize(("share", "faults"), [(0.25, 0), (0.2499999, 0), (0.2499, 1), (0.0, 1)])
def test_filler_keeps_its_share(share: float, faults: int) -> None:
    plan = honest_plan()
    plan.optimise["filler"]["max_share"] = share
    found = plan.findings("filler")
    assert len(found) == faults
    assert all(f.block_id == "B3" and f.parcel_ids == ("r3c5",) for f in found)
    assert all(f.measured == pytest.approx(0.25) for f in found)


@pytest.mark.parametrize("where", ['use == "lawn"', None])
def test_filler_must_match(where: str | None) -> None:
    plan = honest_plan()
    plan.optimise["filler"]["where"] = where
    assert [f.parcel_ids for f in plan.findings("filler")] == [("r3c5",)]


def test_eligible_land_that_matches_is_a_candidate_all_the_same() -> None:
    plan = honest_plan()
    plan.set("r0c0", use="verge")
    assert plan.findings("filler") == []
    plan.set("r0c0", role="filler")
    assert [f.parcel_ids for f in plan.findings("filler")] == [("r0c0",)]


def test_filler_called_a_candidate_is_found() -> None:
    plan = honest_plan()
    plan.set("r3c5", role="candidate")
    assert [f.parcel_ids for f in plan.findings("filler")] == [("r3c5",)]
