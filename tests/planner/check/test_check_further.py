"""Rules max_villages, block_rules, rolling, fixed_blocks, ceilings, and targets of groups: broken, and at the limit."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest

from planner.check import check_plan, read_plan
from tests.planner.check.check_builders import BLOCKS, STANDING, HandPlan, further_plan, honest_plan


def rules_of(plan: HandPlan) -> set[str]:
    return {f.rule for f in plan.judge().findings}


def test_the_way_through_files_changes_nothing(tmp_path: Path) -> None:
    assert check_plan(*read_plan(further_plan().write(tmp_path))).findings == ()


# ------------------------------------------------------------------------------------------------ villages


def test_a_block_in_two_villages_is_found() -> None:
    plan = further_plan()
    plan.set("r0c2", village="S1")
    (found,) = plan.findings("max_villages")
    assert (found.block_id, found.measured, found.limit, found.unit) == ("B2", 2, 1, "villages")
    assert found.message.endswith("2 villages, at most 1: S1, S2.")


@pytest.mark.parametrize("village", [None, ""])
def test_land_without_a_village_counts_for_none(village: str | None) -> None:
    plan = further_plan()
    plan.set("r0c2", village=village)
    assert plan.findings("max_villages") == []


def test_more_villages_may_be_allowed() -> None:
    plan = further_plan()
    plan.set("r0c2", village="S1")
    plan.optimise["block"]["max_villages"] = 2
    assert plan.findings("max_villages") == []


def test_a_village_field_that_does_not_exist_is_found() -> None:
    plan = further_plan()
    plan.optimise["village"] = "hamlet"
    assert "hamlet" in plan.findings("max_villages")[0].message


# ------------------------------------------------------------------------------------------------ sums


@pytest.mark.parametrize(("signed", "faults"), [(0.8, 0), (0.7999999, 0), (0.7999, 1), (0.0, 1), (1.0, 0)])
def test_a_share_must_be_reached(signed: float, faults: int) -> None:
    plan = further_plan()
    plan.set("r0c2", signed=signed)
    found = plan.findings("block_rules")
    assert [f.block_id for f in found] == ["B2"] * faults
    assert all((f.measured, f.limit) == (pytest.approx(16 + 10 * signed), pytest.approx(24)) for f in found)


def test_a_share_is_of_the_whole_block_not_of_each_parcel() -> None:
    plan = further_plan()
    plan.set("r0c0", signed=0.4)
    plan.set("r0c1", signed=1.0)
    plan.set("r1c0", signed=1.0)
    assert plan.findings("block_rules") == []


@pytest.mark.parametrize(("frontage", "faults"), [(2.0, 0), (1.99, 1), (math.nan, 1), (0.0, 1), (3.0, 0)])
def test_a_sum_must_be_reached_and_unknown_brings_nothing(frontage: float, faults: int) -> None:
    plan = further_plan()
    plan.set("r0c0", frontage=frontage)  # with 2 + 2 m of r0c1 and r1c0; that of r1c1 is unknown
    found = plan.findings("block_rules")
    assert [(f.block_id, f.limit, f.unit) for f in found] == [("B1", 6.0, "m")] * faults


def test_land_of_unknown_amount_is_ineligible_where_the_rule_says_so() -> None:
    plan = further_plan()
    plan.optimise["block"]["rules"][1] |= {"unknown": "ineligible", "least": 0}
    plan.set("r0c5", frontage=math.nan, status="ineligible")
    found = plan.findings("block_rules")
    assert [f.parcel_ids for f in found] == [("r1c1",)]
    assert plan.findings("status")[0].parcel_ids == ("r1c1",)
    plan.set("r1c1", frontage=2.0)
    assert plan.judge().findings == ()
    plan.set("r0c5", status="eligible")
    assert plan.findings("status")[0].parcel_ids == ("r0c5",)


def test_unknown_shares_are_ineligible_too() -> None:
    plan = further_plan()
    plan.optimise["block"]["rules"][0]["share_of"] = "frontage"
    assert plan.findings("block_rules")[0].parcel_ids == ("r1c1",)


def test_unmeasured_land_is_no_filler() -> None:
    plan = further_plan()
    plan.set("r3c5", signed=math.nan)
    assert "status" in rules_of(plan)
    assert any("r3c5" in f.parcel_ids for f in plan.findings("filler"))


# ------------------------------------------------------------------------------------------------ rolling


def test_land_that_grows_from_nothing_is_one_area() -> None:
    plan = further_plan()
    for parcel in BLOCKS["B2"]:
        plan.set(parcel, phase=1)
    assert plan.findings("rolling") == []
    plan.set("r0c2", block_id=None, phase=None, status="eligible", role=None)  # between B1 and the rest of B2
    found = plan.findings("rolling")
    assert [f.message.split(":")[0] for f in found] == ["Phase P1, zone South", "Phase P2, zone South"]
    assert found[0].parcel_ids == ("r0c3", "r1c3")
    assert (found[0].measured, found[0].limit) == (2, 1)


def test_every_phase_by_itself_is_one_area() -> None:
    plan = further_plan()
    for parcel in ("r0c5", "r1c5"):  # taken first, and joined to B1 only by the second phase
        plan.set(parcel, block_id="B5", phase=1, status="selected", role="candidate")
    plan.set("r0c4", block_id="B2", phase=2, status="selected", role="candidate")
    plan.optimise["locks"]["out"] = []
    found = plan.findings("rolling")
    assert [f.message.split(":")[0] for f in found] == ["Phase P1, zone South"]


def test_where_land_exists_the_plan_grows_from_it() -> None:
    plan = further_plan()
    plan.set("r2c2", cleared=0.0)  # only the standing block exists in the north, and B3 does not touch it
    (found,) = plan.findings("rolling")
    assert found.message.startswith("Phase P2, zone North: 4 cleared parcels in 1 pieces do not touch the land")
    assert set(found.parcel_ids) == set(BLOCKS["B3"])
    assert (found.measured, found.limit) == (1, 0)


def test_existing_land_that_nothing_touches_harms_nothing() -> None:
    plan = further_plan()
    plan.set("r1c5", cleared=1.0)  # B1 and B2 are one area, but do not touch it
    assert [f.parcel_ids[:1] for f in plan.findings("rolling")] == [("r0c0",), ("r0c0",)]
    plan.set("r1c4", cleared=1.0)  # with this one they do, from phase 2 on
    assert [f.message.split(":")[0] for f in plan.findings("rolling")] == ["Phase P1, zone South"]


def test_a_bridge_counts_only_where_it_is_listed() -> None:
    plan = further_plan()
    plan.links = plan.links[plan.links["parcel_a"] != "r2c2"]
    assert {f.message.split(":")[0] for f in plan.findings("rolling")} == {"Phase P2, zone North"}


def test_areas_grow_within_their_zone() -> None:
    plan = further_plan()
    plan.set("r2c2", cleared=0.0)
    plan.optimise["locks"]["blocks"] = []
    plan.set(STANDING, block_id=None, phase=None, status="eligible", role=None)
    assert plan.findings("rolling") == []  # the north starts by itself in phase 2
    plan.set("r2c3", zone="South")
    plan.zones.geometry = [
        z.union(plan.get("r2c3", "geometry")) if k == 0 else z.difference(plan.get("r2c3", "geometry"))
        for k, z in enumerate(plan.zones.geometry)
    ]
    assert plan.findings("rolling") == []  # r2c3 now lies in the south, and touches r1c3


def test_without_the_rule_nothing_is_asked() -> None:
    plan = honest_plan()
    for parcel in BLOCKS["B2"]:
        plan.leave(parcel)
    plan.take("r0c5", "B1")
    assert plan.findings("rolling") == []


# ------------------------------------------------------------------------------------------------ fixed blocks


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"parcels": [STANDING, "r2c1"]}, "its 2 parcels lie in B4, no block."),
        ({"parcels": ["r0c0", "r0c1"]}, "its 2 parcels lie in B1."),
        ({"parcels": ["nowhere"]}, "is not just one block of the plan"),
        ({"phase": "P2"}, "belongs in phase P2 (2), not in 1"),
    ],
)
def test_fixed_blocks_are_blocks_of_the_plan(change: dict[str, Any], fault: str) -> None:
    plan = further_plan()
    plan.optimise["locks"]["blocks"][0] |= change
    (found,) = plan.findings("fixed_blocks")
    assert fault in found.message


def test_only_a_standing_block_is_passed_over() -> None:
    plan = further_plan()
    plan.optimise["locks"]["blocks"] = []
    assert {"block_size", "block_rules", "rolling"} <= rules_of(plan)


def test_a_standing_block_need_keep_no_rule_for_blocks() -> None:
    plan = further_plan()
    plan.optimise["locks"]["blocks"][0]["parcels"] = [STANDING, "r2c5"]
    plan.take("r2c5", "B4")
    plan.set("r2c5", signed=math.nan, village="elsewhere", tax=9.0, score=0.1, role="filler", papers_year=3.0)
    plan.set(STANDING, village="somewhere")
    plan.follow()
    found = rules_of(plan)
    assert found <= {"budgets", "ceilings", "objective", "summary", "bound", "rolling"}  # it counts in every sum
    assert {"budgets", "ceilings", "objective"} <= found


def test_excluded_land_cannot_stand() -> None:
    plan = further_plan()
    plan.set(STANDING, use="housing")
    assert any(f.parcel_ids == (STANDING,) for f in plan.findings("status"))


# ------------------------------------------------------------------------------------------------ ceilings, groups


@pytest.mark.parametrize(("most", "faults"), [(50, 0), (49.999991, 0), (49.9999, 1), (40, 1)])
def test_the_ceiling_of_a_phase_is_kept(most: float, faults: int) -> None:
    plan = further_plan()
    plan.optimise["phases"][0]["target_max_mu"] = most
    found = plan.findings("ceilings")
    assert [(f.measured, f.limit, f.unit) for f in found] == [(pytest.approx(50), most, "mu")] * faults


def test_ceilings_of_zones_and_groups_are_kept_and_cumulative() -> None:
    plan = further_plan()
    plan.optimise["phases"][1]["zones"]["South"] |= {"target_mu": 0, "target_max_mu": 69}
    plan.optimise["groups"][0]["phases"]["P2"] |= {"target_mu": 0, "target_max_mu": 100}
    assert [f.message.split(":")[0] for f in plan.findings("ceilings")] == [
        "Phase P2, zone South",
        "Phase P2, group works",
    ]


@pytest.mark.parametrize(("target", "faults"), [(110, 0), (110.00002, 1), (111, 1)])
def test_the_targets_of_groups_are_reached(target: float, faults: int) -> None:
    plan = further_plan()
    plan.optimise["groups"][0]["phases"]["P2"] |= {"target_mu": target, "target_max_mu": None}
    found = plan.findings("targets")
    assert len(found) == faults
    assert all("group works" in f.message for f in found)


def test_land_of_which_it_is_unknown_is_in_no_group() -> None:
    plan = further_plan()
    plan.set("r0c2", use=None)
    assert [f.measured for f in plan.findings("targets")] == [pytest.approx(100)]


def test_groups_may_overlap() -> None:
    plan = further_plan()
    plan.optimise["groups"].append(
        {"name": "all", "where": "area_mu > 0", "phases": {"P1": {"target_mu": 50}, "P2": {"target_max_mu": 119}}}
    )
    report = plan.judge()
    assert report.measured["cumulative_mu[P1][group all]"] == pytest.approx(50)
    assert [(f.rule, f.measured) for f in report.findings] == [("ceilings", pytest.approx(120))]
