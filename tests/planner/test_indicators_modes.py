"""Parcels, blocks and phases of a plan with modes as tables, worked out by hand; phases of unequal length.

Land and modes are those of `mode_land`: phases begin at 0, 1 and 3 and end with the years 1, 3 and 4; *clear* is
levelled after 12 months and built after 24, *keep* is built after 15 and never levelled.
"""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pandas as pd
import pytest

from planner.assemble import Assembly
from planner.config import Config
from planner.indicators import block_names, block_table, parcel_table, phase_figures
from planner.problem import Block
from planner.report.exports import blocks_geojson, parcels_geojson
from planner.tables import BLOCK_COLUMNS, PARCEL_COLUMNS, PlanTables
from tests.planner.land_builders import BASE, merged
from tests.planner.mode_land import CLEAR, KEEP, PHASES, assembled, changed, config_of, figure, land_of

BLOCKS = (Block((2, 3), 0, 0), Block((6, 7), 1, 1), Block((4, 8), 1, 0), Block((9,), 2, 0))
IDS = ["P1-01", "P2-01", "P2-02", "P3-01"]


def tables(config: Config, blocks: tuple[Block, ...] = BLOCKS, **columns: list[Any]) -> tuple[PlanTables, Assembly]:
    assembly, scores = assembled(config, **columns)
    land = land_of(columns)
    everywhere = np.ones((12, len(config.optimise.phases)), dtype=np.bool_)
    parcels = parcel_table(land[["geometry"]], scores, assembly, blocks, everywhere)
    perimeters = [400.0] * len(blocks)
    shown = block_table(parcels, assembly.problem, blocks, perimeters, "cost" in parcels)
    nothing = shown.iloc[:0]
    return PlanTables(parcels, shown, nothing, nothing, nothing, nothing), assembly


@pytest.fixture(scope="module")
def plan() -> tuple[PlanTables, Assembly]:
    return tables(config_of())


def test_blocks_are_numbered_within_their_phase(plan: tuple[PlanTables, Assembly]) -> None:
    assert block_names(plan[1].problem, BLOCKS) == IDS


def test_parcels_have_the_mode_cost_and_worth_of_their_block(plan: tuple[PlanTables, Assembly]) -> None:
    parcels = plan[0].parcels.set_index("parcel_id")
    assert tuple(plan[0].parcels.columns[: len(PARCEL_COLUMNS)]) == PARCEL_COLUMNS
    assert parcels.loc[["P02", "P06", "P08", "P09"], "mode"].tolist() == ["clear", "keep", "clear", "clear"]
    assert parcels.loc[["P02", "P06"], "cost"].tolist() == pytest.approx([-4000, 1000])  # of town and city
    assert parcels.loc["P02", "benefit"] == pytest.approx(100 * 0.9 * 10)
    assert parcels.loc["P06", "benefit"] == pytest.approx(100 * 0.7 * 10 * 0.5)  # half of it when kept
    outside = parcels[parcels["block_id"].isna()]
    assert len(outside) == 12 - 7
    assert outside["mode"].tolist() == [None] * 5
    assert outside[["cost", "benefit"]].isna().all(axis=None)


def test_blocks_have_a_mode_and_the_cost_of_it(plan: tuple[PlanTables, Assembly]) -> None:
    blocks = plan[0].blocks
    assert list(blocks.columns) == [*BLOCK_COLUMNS, "mode", "geometry"]
    rows = {r["block_id"]: r for r in blocks.drop(columns="geometry").to_dict("records")}
    assert {name: (r["phase"], r["mode"], r["cost"]) for name, r in rows.items()} == {
        "P1-01": (1, "clear", pytest.approx(-8000)),
        "P2-01": (2, "keep", pytest.approx(2000)),
        "P2-02": (2, "clear", pytest.approx(-8000)),
        "P3-01": (3, "clear", pytest.approx(-4000)),
    }
    assert blocks["cost"].sum() == pytest.approx(plan[0].parcels["cost"].sum())


def test_costs_and_worth_add_up_to_what_the_plan_is_made_of(plan: tuple[PlanTables, Assembly]) -> None:
    layers, assembly = plan
    problem = assembly.problem
    assert problem.mode_cost is not None
    assert problem.mode_benefit is not None
    for column, array in (("cost", problem.mode_cost), ("benefit", problem.mode_benefit)):
        expected = sum(array[list(b.parcels), b.mode].sum() for b in BLOCKS)
        assert layers.parcels[column].sum() == pytest.approx(expected)


def test_files_for_other_programs_hold_the_mode(plan: tuple[PlanTables, Assembly]) -> None:
    for layer, columns in (
        (parcels_geojson(plan[0]), PARCEL_COLUMNS),
        (blocks_geojson(plan[0]), BLOCK_COLUMNS),
    ):
        assert list(layer.columns) == [*columns, "mode", "geometry"]
        modes = {f["properties"]["mode"] for f in json.loads(layer.to_json())["features"]}
        assert modes <= {"clear", "keep", None}
        assert {"clear", "keep"} <= modes


def test_without_modes_there_is_no_such_column() -> None:
    layers, _ = tables(Config.model_validate(merged(BASE)), (Block((2, 3), 0), Block((6, 7), 1)))
    assert "mode" not in layers.parcels
    assert "mode" not in layers.blocks
    assert list(parcels_geojson(layers).columns) == [*PARCEL_COLUMNS, "geometry"]
    assert "milestone" not in phase_figures(Config.model_validate(merged(BASE)), layers.parcels)[0]


def test_a_plan_without_blocks_has_its_tables() -> None:
    layers, _ = tables(config_of(), ())
    assert layers.blocks.empty
    assert "mode" in layers.blocks
    assert layers.parcels["mode"].isna().all()
    assert [r["cumulative_mu"] for r in phase_figures(config_of(), layers.parcels)] == [0, 0, 0]


def figures(config: Config, zone: str | None = None, blocks: tuple[Block, ...] = BLOCKS) -> list[tuple[Any, ...]]:
    """Of each phase: what came to count, cumulative, launched, blocks launched, milestone."""
    rows = phase_figures(config, tables(config, blocks)[0].parcels, zone)
    keys = ("area_mu", "cumulative_mu", "net_mu", "blocks", "milestone")
    return [tuple(round(v, 6) if isinstance(v, float) else v for v in (r[k] for k in keys)) for r in rows]


def test_a_block_counts_when_it_has_reached_the_milestone() -> None:
    """Levelled: P1-01 at 1.0, in phase 1; P2-02 at 2.0, in phase 2; P3-01 at 4.0, in phase 3; P2-01 never."""
    assert figures(config_of()) == [
        (20, 20, 20, 1, "levelled"),
        (20, 40, 40, 2, "levelled"),
        (10, 50, 10, 1, "levelled"),
    ]


def test_later_milestones_count_in_later_phases_or_in_none() -> None:
    """Built: P1-01 at 2.0 and P2-02 at 3.0 in phase 2, P2-01 at 2.25 too; P3-01 at 5.0 in none."""
    assert figures(config_of({"optimise": {"milestone": "built"}})) == [
        (0, 0, 20, 1, "built"),
        (60, 60, 40, 2, "built"),
        (0, 60, 10, 1, "built"),
    ]


def test_each_phase_counts_its_own_milestone() -> None:
    """Levelled by 1: P1-01; signed by 3: all that was launched; built by 4: all but the block launched then."""
    phases = [PHASES[0], {**PHASES[1], "milestone": "signed"}, {**PHASES[2], "milestone": "built"}]
    assert figures(config_of({"optimise": {"phases": phases}})) == [
        (20, 20, 20, 1, "levelled"),
        (40, 60, 40, 2, "signed"),
        (0, 60, 10, 1, "built"),
    ]


def test_a_month_late_is_a_phase_late() -> None:
    assert figures(config_of({"modes": {"figures": {"months_levelled": figure(13)}}})) == [
        (0, 0, 20, 1, "levelled"),  # at 1.083
        (40, 40, 40, 2, "levelled"),
        (0, 40, 10, 1, "levelled"),  # at 4.083: after the last phase
    ]


def test_work_that_begins_earlier_counts_earlier() -> None:
    """*clear* after 24 months counts by the end of year 1 when the work began a year before."""
    phases = [{**PHASES[0], "begins": -1.0}, *PHASES[1:]]
    config = config_of({"optimise": {"phases": phases, "milestone": "built"}})
    assert [row[1] for row in figures(config)] == [20, 60, 60]


def test_zones_have_figures_and_milestones_of_their_own() -> None:
    """P02, P03, P06, P07 are east; P04, P08, P09 are west."""
    phases = [
        {**PHASES[0], "zones": {"west": {"target_mu": 7, "milestone": "built"}}},
        {**PHASES[1], "zones": {"west": {"target_mu": 8, "milestone": "built"}}},
        PHASES[2],
    ]
    config = config_of({"optimise": {"phases": phases}})
    assert figures(config, "east") == [
        (20, 20, 20, 1, "levelled"),
        (0, 20, 20, 1, "levelled"),
        (0, 20, 0, 0, "levelled"),
    ]
    assert figures(config, "west") == [(0, 0, 0, 0, "built"), (20, 20, 20, 1, "built"), (10, 30, 10, 1, "levelled")]
    rows = phase_figures(config, tables(config)[0].parcels, "west")
    assert [r["target_mu"] for r in rows] == [7, 8, None]


def test_phases_cost_what_is_launched_in_them() -> None:
    rows = phase_figures(config_of(), tables(config_of())[0].parcels)
    assert [r["cost"] for r in rows] == pytest.approx([-8000, -6000, -4000])


def test_the_target_counts_other_areas_by_the_same_milestones() -> None:
    config = config_of({"optimise": {"counts": "cleared", "milestone": "built"}})
    parcels = pd.DataFrame(
        {
            "status": ["selected", "selected", "eligible"],
            "phase": pd.array([1, 3, pd.NA], dtype="Int64"),
            "mode": ["clear", "keep", None],
            "zone": ["a", "a", "a"],
            "area_mu": [10.0, 20.0, 30.0],
            "cleared_mu": [9.0, 19.0, 29.0],
            "block_id": ["P1-01", "P3-01", None],
            "cost": [1.0, 2.0, np.nan],
        }
    )
    rows = phase_figures(config, parcels)
    assert [(r["area_mu"], r["cumulative_mu"], r["net_mu"]) for r in rows] == [(0, 0, 10), (9, 9, 0), (0, 9, 20)]


def test_a_mode_without_consequences_for_cost_shows_nought_and_not_nothing() -> None:
    free = [changed(CLEAR, lines=[]), changed(KEEP, lines=[])]
    parcels = tables(config_of({"modes": {"choices": free}}))[0].parcels
    assert parcels.loc[parcels["status"] == "selected", "cost"].tolist() == [0.0] * 7
