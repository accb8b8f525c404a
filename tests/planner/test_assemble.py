"""Scores and adjacency → arrays: worth, cost, gates, locks and targets by hand."""

from __future__ import annotations

from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest

from geodata.adjacency import build_adjacency
from geodata.spec import AdjacencySpec
from planner.assemble import Assembly, assemble
from planner.before_findings import before_findings
from planner.config import Config
from planner.errors import ConfigError
from planner.scoring import score_parcels
from tests.planner.land_builders import BASE, MU, grid_land, merged


def _config(*changes: dict[str, Any]) -> Config:
    return Config.model_validate(merged(BASE, *changes))


def _assembled(config: Config, **columns: list[Any]) -> Assembly:
    """The 12 parcels of the grid, 10 mu each; `columns` replaces fields of the first parcels."""
    land = grid_land().set_index("code").rename_axis("parcel_id")
    fields = pd.DataFrame(
        {
            "tax_wan_yuan_per_mu": land["tax"].astype("Float64"),
            "far": land["far"].astype("Float64"),
            "land_use": land["use"].astype("string"),
            "village": land["village"].astype("string"),
            "area_m2": land.geometry.area,
            "area_mu": land.geometry.area / (10_000 / 15),
            "perimeter_m": land.geometry.length,
            "zone": land["village"].astype(object),
        }
    )
    for name, values in columns.items():
        fields[name] = pd.Series([*values, *[None] * (len(fields) - len(values))], index=fields.index).astype("Float64")
    adjacency = build_adjacency(
        gpd.GeoDataFrame(land[[land.geometry.name]]),
        AdjacencySpec(),
        gpd.GeoDataFrame({"name": []}, geometry=[], crs=land.crs),
    )
    return assemble(score_parcels(fields, config.scoring), adjacency, config)


def test_worth_is_value_times_score_times_area_and_nothing_for_others() -> None:
    problem = _assembled(_config()).problem
    by_id = dict(zip(problem.parcel_ids, problem.benefit, strict=True))
    assert by_id["P00"] == pytest.approx(100 * 1.0 * MU)
    assert by_id["P02"] == pytest.approx(100 * 0.9 * MU)
    assert by_id["P01"] == 0.0  # housing
    assert problem.selectable.tolist() == [k not in {1, 10} for k in range(12)]
    assert problem.zones == ("east", "west")
    assert [problem.zones[z] for z in problem.zone[:4]] == ["west", "west", "east", "east"]


def test_discount_counts_years_from_the_base() -> None:
    phases = _assembled(_config()).problem.phases
    assert [p.discount for p in phases] == pytest.approx([1.1**-1, 1.1**-3])


@pytest.mark.parametrize(("per", "first"), [("parcel", 5.0), ("mu", 50.0)])
def test_cost_of_a_parcel_or_of_a_mu(per: str, first: float) -> None:
    config = _config({"optimise": {"cost": {"value": "price", "per": per, "unknown": "mean_per_mu"}}})
    result = _assembled(config, price=[5.0, 7.0])
    assert result.cost is not None
    assert result.cost["P00"] == pytest.approx(first)
    assert result.cost["P05"] == pytest.approx(6.0 * (MU if per == "mu" else 1))  # the mean of the known ones per mu
    assert len(result.undecided["cost"]) == 10


def test_an_unknown_cost_makes_ineligible_and_is_never_zero() -> None:
    result = _assembled(_config({"optimise": {"cost": {"value": "price"}}}), price=[5.0])
    assert result.status.tolist().count("eligible") == 1
    assert result.reason["P02"] == "cost unknown"
    assert np.isnan(result.cost["P02"])  # type: ignore[index]
    assert not result.problem.selectable[2]


def test_gates_open_with_the_first_phase_that_is_not_earlier() -> None:
    gates = [{"name": "papers", "year": "papers_year", "unknown": "never"}]
    result = _assembled(_config({"optimise": {"earliest": gates}}), papers_year=[0.0, 1.0, 1.5, 3.0, 4.0])
    assert result.problem.earliest.tolist()[:6] == [0, 0, 1, 1, 2, 2]  # 2 = never; the last one is unknown
    assert result.undecided["gate papers"][0] == "P05"
    opened = _assembled(_config({"optimise": {"earliest": [{**gates[0], "unknown": "open"}]}}), papers_year=[4.0])
    assert opened.problem.earliest.tolist()[:2] == [2, 0]


def test_the_later_of_two_gates_counts() -> None:
    gates = [{"name": "papers", "year": "a"}, {"name": "lease", "year": "b"}]
    result = _assembled(_config({"optimise": {"earliest": gates}}), a=[1.0, 3.0], b=[3.0, 1.0])
    assert result.problem.earliest.tolist()[:3] == [1, 1, 0]


def test_locks_become_phases_and_marks() -> None:
    locks = {"in": ["P00"], "out": ["P02"], "by": {"P03": "P1"}}
    result = _assembled(_config({"optimise": {"locks": locks}}))
    assert result.problem.lock_by.tolist()[:4] == [1, -1, -1, 0]
    assert result.locked.tolist()[:4] == ["in", None, "out", "by P1"]
    assert not result.problem.selectable[2]


def test_a_lock_at_a_phase_is_neither_earlier_nor_later() -> None:
    result = _assembled(_config({"optimise": {"locks": {"at": {"P00": "P2", "P03": "P1"}, "notes": {"P00": "x"}}}}))
    assert result.problem.lock_by.tolist()[:4] == [1, -1, -1, 0]
    assert result.problem.earliest.tolist()[:4] == [1, 0, 0, 0]
    assert result.locked.tolist()[:4] == ["at P2", None, None, "at P1"]


def test_gates_are_told_apart_from_locks() -> None:
    gates = [{"name": "papers", "year": "papers_year"}]
    locks = {"at": {"P00": "P2", "P02": "P2"}}
    result = _assembled(_config({"optimise": {"earliest": gates, "locks": locks}}), papers_year=[1.0, 3.0, 2.0, 4.0])
    assert result.gates.tolist()[:5] == [0, 1, 1, 2, 0]
    assert result.problem.earliest.tolist()[:5] == [1, 1, 1, 2, 0]


def test_a_lock_at_a_phase_before_its_gate_is_a_contradiction() -> None:
    gates = [{"name": "papers", "year": "papers_year"}]
    locks = {"at": {"P00": "P1", "P02": "P2", "P03": "P1"}, "by": {"P04": "P1"}}
    config = _config({"optimise": {"earliest": gates, "locks": locks}})
    with pytest.raises(ConfigError) as error:
        _assembled(config, papers_year=[3.0, 1.0, 4.0, 1.0])
    (issue,) = error.value.issues
    assert issue.where == "optimise.locks.at"
    assert "P00 (at P1, open from P2), P02 (at P2, never open)" in issue.found
    assert "P03" not in issue.found


def test_a_parcel_is_locked_in_one_way_only() -> None:
    blocks = [{"id": "done", "parcels": ["P04", "P05"], "phase": "P1"}]
    locks = {"in": ["P00", "P04"], "out": ["P02"], "by": {"P02": "P1", "P03": "P1"}, "at": {"P03": "P1", "P06": "P2"}}
    with pytest.raises(ConfigError) as error:
        _assembled(_config({"optimise": {"locks": {**locks, "blocks": blocks}}}))
    (issue,) = error.value.issues
    assert issue.where == "optimise.locks"
    assert "P02 (out and by), P03 (by and at), P04 (in and blocks)" in issue.found


def test_remarks_name_parcels() -> None:
    config = _config({"optimise": {"locks": {"in": ["P98"], "notes": {"P00": "x", "P98": "y", "P99": "z"}}}})
    with pytest.raises(ConfigError) as error:
        _assembled(config)
    found = {i.where: i.found for i in error.value.issues}
    assert set(found) == {"optimise.locks.in", "optimise.locks.notes"}
    assert found["optimise.locks.notes"].endswith(": P99")  # P98 is told once


def test_targets_of_area_and_zones() -> None:
    phases = [
        {"id": "P1", "year": 1, "zones": {"west": {"target_mu": 10, "stretch_mu": 20}}},
        {"id": "P2", "year": 2, "target_mu": 30},
    ]
    targets = _assembled(_config({"optimise": {"phases": phases}})).problem.targets
    assert [(t.name, t.phase, t.zone, t.floor, t.stretch) for t in targets] == [
        ("P1, zone west", 0, 1, 10.0, 20.0),
        ("P2", 1, -1, 30.0, None),
    ]


def test_filler_is_selectable_without_worth() -> None:
    config = _config(
        {
            "scoring": {"eligible": [{"name": "low tax", "when": "tax_wan_yuan_per_mu < 3"}]},
            "optimise": {"filler": {"where": "tax_wan_yuan_per_mu < 5", "max_share": 0.2}},
        }
    )
    result = _assembled(config)
    problem = result.problem
    assert problem.filler.tolist()[:6] == [False, False, False, True, True, False]
    assert result.role.tolist()[:6] == ["candidate", None, "candidate", "filler", "filler", None]
    assert problem.benefit[3] == 0.0
    assert problem.filler_max_share == 0.2
    assert problem.selectable.tolist()[:6] == [True, False, True, True, True, False]


def test_filler_of_unknown_cost_is_no_filler() -> None:
    config = _config(
        {
            "scoring": {"eligible": [{"name": "low tax", "when": "tax_wan_yuan_per_mu < 3"}]},
            "optimise": {"filler": {"where": "tax_wan_yuan_per_mu < 5"}, "cost": {"value": "price"}},
        }
    )
    result = _assembled(config, price=[1.0, 1.0, 1.0, 1.0])  # P04 has none
    assert result.role.tolist()[2:5] == ["candidate", "filler", None]
    assert result.problem.selectable.tolist()[2:5] == [True, True, False]


def test_everything_unknown_in_locks_and_zones_is_told_at_once() -> None:
    config = _config(
        {
            "optimise": {
                "locks": {"in": ["P0"], "out": ["P02"], "by": {"P02": "P1"}},
                "phases": [{"id": "P1", "year": 1, "zones": {"wast": {"target_mu": 5}}}],
            }
        }
    )
    with pytest.raises(ConfigError) as caught:
        _assembled(config)
    issues = {i.where: i for i in caught.value.issues}
    assert set(issues) == {"optimise.locks.in", "optimise.locks", "optimise.phases[0].zones.wast"}
    assert "P0" in issues["optimise.locks.in"].found
    assert issues["optimise.phases[0].zones.wast"].fix == "Did you mean 'west'?"
    assert "P02" in issues["optimise.locks"].found


# ------------------------------------------------------------------------------------------------ the plan before


def _keep(**changes: Any) -> dict[str, Any]:
    blocks = [{"id": "old", "parcels": ["P00", "P01", "split"], "phase": PHASES[0]}]
    return {"optimise": {"keep": {"blocks": blocks} | changes}}


PHASES = [p["id"] for p in BASE["optimise"]["phases"]]


def test_the_price_of_a_change_is_by_parcel_and_by_mu() -> None:
    problem = _assembled(_config(_keep(price_per_parcel=7, price_per_mu=2))).problem
    assert problem.change_price is not None
    assert problem.change_price.tolist() == pytest.approx([7 + 2 * MU] * 12)


def test_without_a_plan_before_nothing_has_a_price() -> None:
    made = _assembled(_config())
    assert (made.problem.before, made.problem.change_price, made.before.lost) == ((), None, ())
    assert before_findings(made.before) == ()


def test_the_plan_before_may_hold_closed_land_and_land_that_is_gone() -> None:
    """P01 is housing and stays in; the parcel that was split is counted and listed."""
    made = _assembled(_config(_keep(price_per_parcel=7)))
    assert [made.problem.parcel_ids[i] for i in made.problem.before[0].parcels] == ["P00", "P01"]
    assert not made.problem.selectable[1]
    (row,) = before_findings(made.before)
    assert (row.count, row.area_mu, row.parcel_ids, row.to_fix) == (1, None, ("split",), True)


def test_a_block_that_is_gone_as_a_whole_is_left_out() -> None:
    blocks = [{"id": "a", "parcels": ["gone"], "phase": PHASES[0]}, {"id": "b", "parcels": ["P03"], "phase": PHASES[0]}]
    made = _assembled(_config(_keep(blocks=blocks)))
    assert [b.parcels for b in made.problem.before] == [(3,)]
    assert made.before.lost == ("gone",)


def test_a_plan_of_other_land_is_refused() -> None:
    blocks = [{"id": "a", "parcels": ["x", "y"], "phase": PHASES[0]}]
    with pytest.raises(ConfigError, match=r"optimise\.keep\.blocks.*x, y"):
        _assembled(_config(_keep(blocks=blocks)))


def test_a_plan_before_of_nothing_is_a_price_of_taking_land() -> None:
    problem = _assembled(_config(_keep(blocks=[], price_per_parcel=3))).problem
    assert problem.before == ()
    assert problem.change_price is not None
    assert problem.pull is not None
    assert (problem.pull == -3.0).all()
