"""Plans with modes: the mode of each block, what counts when, worth and cost by mode; broken, and at the limit."""

from __future__ import annotations

import dataclasses
import math
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geodata.errors import DataError
from planner.check import Claims, check_plan, read_plan
from planner.check.facts import Facts
from planner.check.judge import apply_rules
from planner.check.rules import RULES
from planner.config import Config
from planner.errors import ConfigError
from tests.planner.check.mode_builders import BLOCKS, COST, OBJECTIVE, mode_plan

# ------------------------------------------------------------------------------------------------ the honest plan


def test_the_honest_plan_passes_with_the_figures_worked_out_by_hand() -> None:
    report = mode_plan().judge()
    assert report.findings == ()
    expected = {
        "cumulative_mu[P1]": 50,
        "cumulative_mu[P2]": 50,
        "cumulative_mu[P2][group all]": 50,
        "cumulative_floor_m2[P2]": 50_000,
        "unmet_stretch_mu[P2]": 5,
        "objective": OBJECTIVE,
    }
    assert {name: report.measured[name] for name in expected} == pytest.approx(expected)


def test_every_rule_counts_what_it_looks_at() -> None:
    checked = mode_plan().judge().checked
    expected = {
        "modes": 4 + 7,
        "consent": 3 * 2,
        "targets": 4,
        "ceilings": 1,
        "outlays": 3,
        "peak_gap": 2,
        "decanting": 4,
        "money_claims": 13,
        "fixed_blocks": 1,
        "cost": 9,
    }
    assert {rule: checked[rule] for rule in expected} == expected


@pytest.mark.parametrize("rule", ["modes", "consent", "outlays", "peak_gap", "decanting", "money_claims", "targets"])
def test_a_rule_that_looks_at_too_little_is_found(rule: str) -> None:
    plan = mode_plan()
    facts = Facts(plan.tables(), Config.model_validate(plan.config), plan.claims())

    def lazy(run: Any) -> Any:
        return lambda f: dataclasses.replace(run(f), checked=run(f).checked - 1)

    rules = [dataclasses.replace(r, run=lazy(r.run)) if r.name == rule else r for r in RULES]
    (found,) = apply_rules(facts, rules).findings
    assert (found.rule, rule in found.message) == ("completeness", True)


def test_the_way_through_files_changes_nothing(tmp_path: Path) -> None:
    written = read_plan(mode_plan().write(tmp_path))
    assert written[2] == mode_plan().claims()
    assert check_plan(*written).measured == pytest.approx(mode_plan().judge().measured)
    assert check_plan(*written).findings == ()


def test_the_order_of_rows_does_not_matter() -> None:
    plan = mode_plan()
    plan.parcels = plan.parcels.sample(frac=1, random_state=4).reset_index(drop=True)
    plan.blocks = plan.blocks.iloc[::-1]
    report = plan.judge()
    assert report.findings == ()
    assert report.measured == pytest.approx(mode_plan().judge().measured)


def test_the_input_is_not_changed() -> None:
    plan = mode_plan()
    before = plan.parcels.copy(), plan.blocks.copy()
    plan.judge()
    assert plan.parcels.equals(before[0])
    assert plan.blocks.equals(before[1])


@pytest.mark.parametrize(("layer", "column"), [("parcels", "mode"), ("parcels", "cost"), ("blocks", "mode")])
def test_a_missing_column_is_told(layer: str, column: str) -> None:
    plan = mode_plan()
    setattr(plan, layer, getattr(plan, layer).drop(columns=column))
    with pytest.raises(DataError, match=f"layer {layer}.*{column}"):
        plan.judge()


# ------------------------------------------------------------------------------------------------ the mode of a block


def test_a_parcel_with_another_mode_than_its_block_is_found() -> None:
    plan = mode_plan()
    plan.set("r0c0", mode="keep")  # of two parcels: which of them is right cannot be told
    (found,) = plan.findings("modes")[:1]
    assert (found.block_id, found.parcel_ids) == ("A", BLOCKS["A"])


def test_the_mode_of_most_parcels_is_the_mode_of_the_block() -> None:
    plan = mode_plan()
    for parcel in ("r1c0", "r1c1"):
        plan.take(parcel, "A")
        plan.set(parcel, mode="clear")
    plan.follow()
    before = plan.broken()
    plan.parcels.loc[plan.row("r0c0"), "mode"] = "keep"
    assert plan.broken() == before | {"modes"}


@pytest.mark.parametrize("mode", ["bulldoze", None])
def test_a_mode_that_does_not_exist_is_found(mode: str | None) -> None:
    plan = mode_plan()
    plan.parcels.loc[plan.parcels["block_id"] == "B", "mode"] = mode
    plan.blocks.loc[plan.blocks["block_id"] == "B", "mode"] = mode
    assert {f.block_id for f in plan.findings("modes")} == {"B"}
    assert "clear, keep" in plan.findings("modes")[0].message


def test_a_mode_outside_all_blocks_is_found() -> None:
    plan = mode_plan()
    plan.set("r1c2", mode="clear")
    assert plan.broken() == {"modes"}
    assert plan.findings("modes")[0].parcel_ids == ("r1c2",)


def test_a_layer_of_blocks_that_names_another_mode_is_found() -> None:
    plan = mode_plan()
    plan.set_block("C", mode="clear")
    assert plan.broken() == {"modes"}
    assert plan.findings("modes")[0].block_id == "C"


def test_a_mode_that_is_not_open_to_a_parcel_is_found() -> None:
    plan = mode_plan()
    plan.set("r2c1", use="shop")
    assert plan.broken() == {"modes"}
    assert plan.findings("modes")[0].parcel_ids == ("r2c1",)


def test_where_it_cannot_be_decided_a_mode_is_not_open() -> None:
    plan = mode_plan()
    plan.set("r2c0", use=None)
    assert plan.broken() == {"modes"}


@pytest.mark.parametrize(
    ("column", "parcel", "said"),
    [
        ("building", "r0c1", "the payment demolition is unknown"),
        ("floor", "r1c0", "the floor area that they displace is unknown"),
        ("signed", "r0c0", "consent (holders) is unknown"),
        ("holders", "r1c1", "consent (holders) is unknown"),
    ],
)
def test_what_a_mode_needs_must_be_known(column: str, parcel: str, said: str) -> None:
    plan = mode_plan()
    plan.set(parcel, **{column: None if column == "building" else math.nan})
    found = plan.findings("modes")
    assert said in " ".join(f.message for f in found)
    assert {f.parcel_ids for f in found} == {(parcel,)}


def test_new_floor_must_be_known_where_a_target_counts_it() -> None:
    plan = mode_plan()
    plan.config["parcels"]["fields"]["far_plan"] = {"column": "far_plan", "type": "number"}
    plan.parcels["far_plan"] = 2.0
    plan.mode("clear")["far"] = "far_plan"
    assert plan.broken() == set()
    plan.set("r1c0", far_plan=math.nan)
    assert plan.broken() == {"modes", "targets"}
    del plan.optimise["phases"][1]["target_floor_m2"]
    assert plan.broken() == set()  # no payment and no target needs it, and less space for firms is enough


def test_a_share_of_worth_must_be_known() -> None:
    plan = mode_plan()
    plan.mode("keep")["benefit"] = "expected - 0.5"
    assert plan.broken() == set()
    plan.set("r2c0", expected=math.nan)
    assert plan.broken() == {"modes", "objective"}


def test_a_block_that_stands_may_have_a_mode_that_is_not_open() -> None:
    plan = mode_plan()
    plan.mode("clear")["open"] = 'size == "large" or building == "shed"'
    assert plan.findings("modes") == []
    plan.mode("clear")["open"] = 'building == "shed"'
    assert {f.block_id for f in plan.findings("modes")} == {"A"}


def test_a_block_that_stands_keeps_its_mode() -> None:
    plan = mode_plan()
    plan.turn("S", "keep")
    (found,) = plan.findings("fixed_blocks")
    assert (found.block_id, found.message) == ("S", "The fixed block old has the mode clear, not keep.")


def test_land_of_a_standing_block_need_not_be_open_to_its_mode() -> None:
    plan = mode_plan()
    plan.set("r0c2", use="shop", signed=math.nan)
    assert plan.broken() == set()
    assert plan.measure("objective") == pytest.approx(OBJECTIVE)
    plan.set("r0c2", role="filler")
    assert plan.broken() == {"filler"}


@pytest.mark.parametrize(
    "months", [{"signed": 20}, {"built": "0 * months_demolished / 0"}, {"signed": -1}, {"built": 17}]
)
def test_months_that_fall_or_are_unknown_are_found(months: dict[str, Any]) -> None:
    plan = mode_plan()
    plan.mode("clear")["months"] |= months
    assert "of the mode clear are unknown or fall" in plan.findings("modes")[0].message


def test_a_payment_that_ends_before_it_starts_is_found() -> None:
    plan = mode_plan()
    plan.line("keep", "works").update(start="signed", months="-far")
    del plan.line("keep", "works")["end"]
    assert "the payment works from month 3 to 1" in plan.findings("modes")[0].message


def test_a_figure_by_a_field_that_does_not_exist_is_a_mistake_of_the_configuration() -> None:
    plan = mode_plan()
    plan.modes["figures"]["demolition_rate"]["by"] = "material"
    with pytest.raises(ConfigError, match="material"):
        plan.judge()


# ------------------------------------------------------------------------------------------------ land outside blocks


@pytest.mark.parametrize("said", ["eligible", "ineligible"])
def test_land_that_allows_no_mode_may_be_called_ineligible(said: str) -> None:
    plan = mode_plan()
    plan.set("r1c2", use="shop", building="tower", status=said)
    assert plan.findings("status") == []


def test_land_that_allows_a_mode_may_not() -> None:
    plan = mode_plan()
    plan.set("r1c2", use="shop", status="ineligible")  # it may be cleared
    assert plan.broken() == {"status"}


# ------------------------------------------------------------------------------------------------ worth and cost


def test_a_false_cost_of_a_parcel_is_found() -> None:
    plan = mode_plan()
    plan.set("r0c0", cost=0.0)
    assert plan.broken() == {"cost"}
    (found,) = plan.findings("cost")
    assert (found.measured, found.limit) == (pytest.approx(COST["clear", "brick"]), 0.0)


def test_a_cost_outside_all_blocks_is_found() -> None:
    plan = mode_plan()
    plan.set("r1c2", cost=0.0)
    assert plan.broken() == {"cost"}


def test_a_missing_cost_is_found() -> None:
    plan = mode_plan()
    plan.set("r2c1", cost=math.nan)
    assert plan.broken() == {"cost"}


def test_a_false_cost_of_a_block_is_found() -> None:
    plan = mode_plan()
    plan.set_block("B", cost=-29_000.0)
    assert plan.broken() == {"block_table"}


def test_a_standing_block_of_unknown_cost_is_found() -> None:
    plan = mode_plan()
    plan.set("r0c2", building="tower")
    plan.follow()
    assert plan.findings("cost")[0].parcel_ids == ("r0c2",)


def test_whose_money_counts_as_cost_is_the_configurations() -> None:
    plan = mode_plan()
    plan.modes["net_cost_of"] = ["town", "city", "owner"]
    found = {f.parcel_ids[0]: f.measured for f in plan.findings("cost")}
    assert found["r0c0"] == pytest.approx(-27_000)  # the price of the land stays among them
    assert found["r2c0"] == pytest.approx(100_000)  # the grant too; the works are paid to others


@pytest.mark.parametrize("claimed", [OBJECTIVE + 1, OBJECTIVE - 1, -OBJECTIVE])
def test_a_false_objective_is_found(claimed: float) -> None:
    plan = mode_plan()
    plan.summary |= {"objective": claimed, "gap": None}
    assert "objective" in plan.broken()
    assert plan.broken() <= {"objective", "bound"}


def test_a_mode_that_brings_less_worth_counts_less() -> None:
    plan = mode_plan()
    plan.mode("keep")["benefit"] = 0.25
    assert plan.broken() == {"objective"}
    assert plan.measure("objective") == pytest.approx(OBJECTIVE - 2 * 10_000 / 1.1**2)


def test_worth_and_cost_are_discounted_by_the_phase_of_the_launch() -> None:
    plan = mode_plan()
    plan.launch("B", 1)
    assert plan.measure("objective") == pytest.approx(OBJECTIVE + 138_000 * (1.1**-2 - 1.1**-4))


# ------------------------------------------------------------------------------------------------ what counts when


def test_a_block_counts_when_it_has_reached_the_milestone() -> None:
    plan = mode_plan()
    plan.optimise["phases"][0]["milestone"] = "levelled"  # at 2.5, after the end of P1
    assert plan.broken() == {"targets", "summary"}
    assert plan.measure("cumulative_mu[P1]") == 0


@pytest.mark.parametrize(("months", "reached"), [(18, 50), (18.0001, 30)])
def test_what_is_reached_at_the_end_of_a_year_counts_in_it(months: float, reached: float) -> None:
    plan = mode_plan()
    plan.figure("months_demolished", months)  # B is levelled 6 months later: at 4.0, the end of P2
    assert plan.measure("cumulative_mu[P2]") == pytest.approx(reached)
    assert ("targets" in plan.broken()) == (reached < 50)


def test_a_mode_that_never_reaches_a_milestone_never_counts() -> None:
    plan = mode_plan()
    plan.turn("B", "keep")
    assert plan.measure("cumulative_mu[P2]") == pytest.approx(30)


def test_a_launch_of_its_own_counts() -> None:
    plan = mode_plan()
    plan.optimise["phases"][1]["begins"] = 2.6  # B is levelled at 4.1
    found = plan.findings("targets")
    assert [f.message[:25] for f in found] == ["Phase P2, the study area:"] * 2
    assert {f.unit for f in found} == {"mu", "m²"}


def test_a_block_counts_in_no_phase_before_its_own() -> None:
    plan = mode_plan()
    plan.optimise["phases"][0]["milestone"] = "launched"  # B is launched at 2.0, the very end of P1
    assert plan.measure("cumulative_mu[P1]") == pytest.approx(50)


def test_ceilings_count_what_has_reached_the_milestone() -> None:
    plan = mode_plan()
    plan.optimise["phases"][1]["target_max_mu"] = 49.9
    plan.optimise["phases"][1]["target_mu"] = 0
    plan.optimise["phases"][0]["target_mu"] = 0
    assert plan.broken() == {"ceilings"}
    plan.optimise["phases"][1]["milestone"] = "built"  # B is built at 4.5; C, built at 1.75, counts instead
    assert plan.measure("cumulative_mu[P2]") == pytest.approx(50)
    plan.figure("kept_share", 0)
    plan.turn("C", "clear")  # built at 3.5 as A
    assert "ceilings" in plan.broken()


@pytest.mark.parametrize(("asked", "faults"), [(50_000, 0), (50_000.005, 0), (50_000.02, 1)])
def test_new_floor_must_reach_its_target(asked: float, faults: int) -> None:
    plan = mode_plan()
    plan.optimise["phases"][1]["target_floor_m2"] = asked
    assert len(plan.findings("targets")) == faults


def test_new_floor_of_groups_has_targets_of_its_own() -> None:
    plan = mode_plan()
    goal = plan.optimise["groups"][0]["phases"]["P2"]
    goal["target_floor_m2"] = 30_000 + 2 * 20_000 / 3  # A, S and C are built by the end of P2
    assert plan.judge().checked["targets"] == 5
    assert plan.broken() == set()
    goal["target_floor_m2"] += 1
    assert plan.broken() == {"targets"}


def test_net_share_and_plot_ratio_make_the_floor() -> None:
    plan = mode_plan()
    plan.mode("clear")["net_share"] = 0.5
    assert plan.measure("cumulative_floor_m2[P2]") == pytest.approx(5 * 20_000 / 3)  # a cell has 20 000 / 3 m²


@pytest.mark.parametrize(("key", "value"), [("cumulative_mu", 70.0), ("area_mu", 20.0), ("cost", 0.0)])
def test_a_false_summary_is_found(key: str, value: float) -> None:
    plan = mode_plan()
    plan.summary["phases"][1][key] = value  # 70 mu are launched by the end of P2, 20 mu in it
    assert plan.broken() == {"summary"}


def test_claims_may_be_absent() -> None:
    plan = mode_plan()
    report = check_plan(plan.tables(), Config.model_validate(plan.config), Claims())
    assert report.findings == ()
    assert report.checked["money_claims"] == 0


# ------------------------------------------------------------------------------------------------ every figure binds

LIMITS = {"outlays", "peak_gap", "consent", "decanting", "targets", "ceilings"}
BINDING = [
    ("land_price", +1, {"outlays", "peak_gap"}),
    ("land_price", -1, {"peak_gap"}),  # of the owners, who receive it
    ("sale_price", +1, set()),
    ("sale_price", -1, {"peak_gap"}),
    ("grant", +1, {"outlays"}),
    ("grant", -1, {"peak_gap"}),
    ("works", +1, {"peak_gap"}),
    ("works", -1, set()),
    ("least_area", +1, {"consent"}),
    ("least_area", -1, set()),
    ("kept_share", +1, set()),
    ("kept_share", -1, {"decanting"}),
    ("far", +1, set()),
    ("far", -1, {"targets"}),
]


@pytest.mark.parametrize(("figure", "sign", "rules"), BINDING)
@settings(max_examples=2, deadline=None, derandomize=True)
@given(part=st.floats(0.001, 0.3))
def test_a_changed_figure_breaks_just_the_limits_that_it_met(
    figure: str, sign: int, rules: set[str], part: float
) -> None:
    plan = mode_plan()
    plan.figure(figure, plan.modes["figures"][figure]["value"] * (1 + sign * part))
    assert plan.broken() & LIMITS == rules
