import json
from dataclasses import replace
from pathlib import Path

import geopandas as gpd
import pytest

from planner.contents import PlanContents, read_contents
from planner.report.compare.figures import SECTIONS, indicators
from tests.planner.land_builders import case, planner
from tests.planner.report.compare.builders import settings
from tests.planner.report.compare.small import small_plan, small_tables

MODES = {
    "modes": [{"id": "collective"}],
    "space": {
        "blocks": [
            {
                "area_mu": 40.0,
                "after_floor_m2": 50_000.0,
                "after_floor_m2_unknown_parcels": 1,
                "before_tax_yuan": 600_000.0,
                "before_tax_yuan_unknown_parcels": 1,
                "before_tax_yuan_unknown_mu": 10.0,
                "after_tax_yuan": 4_000_000.0,
                "after_tax_yuan_unknown_parcels": 0,
                "after_tax_yuan_unknown_mu": 0.0,
            },
            {
                "area_mu": 20.0,
                "after_floor_m2": None,
                "after_floor_m2_unknown_parcels": 1,
                "before_tax_yuan": 400_000.0,
                "before_tax_yuan_unknown_parcels": 0,
                "before_tax_yuan_unknown_mu": 0.0,
                "after_tax_yuan": 5_000_000.0,
                "after_tax_yuan_unknown_parcels": 0,
                "after_tax_yuan_unknown_mu": 0.0,
            },
        ]
    },
    "money": {"peak_gaps": [{"party": "town", "peak_gap_yuan": 7e6}, {"party": "collective", "peak_gap_yuan": 0.0}]},
    "decanting": {"fates": [{"status": "moved", "firms": 12, "firms_unknown_entries": 2}]},
}


def by_key(contents: PlanContents) -> dict[tuple[str, ...], tuple[float | str | None, int]]:
    found = indicators(contents)
    values = {(i.key, *i.of): (i.value, i.unknown) for i in found}
    assert len(values) == len(found)
    return values


def test_figures_of_a_plan_by_hand():
    values = by_key(small_plan())
    # targets of the builder: 10 mu in P1, 20 mu in P2
    assert values["cumulative", "P1", "1"] == (40.0, 0)
    assert values["cumulative", "P2", "3"] == (60.0, 0)
    assert values["over_target", "P1", "1"] == (30.0, 0)
    assert values["over_target", "P2", "3"] == (40.0, 0)
    assert ("over_stretch", "P2", "3") not in values
    assert values["cost", "P1", "1"] == (400.0, 0)
    assert values["cost_all",] == (600.0, 0)
    assert values["parcels",] == (3.0, 0)
    assert values["net_mu",] == (60.0, 0)
    assert values["blocks",] == (2.0, 0)
    assert values["blocks_of", "100"] == (0.0, 0)
    assert values["largest",] == (40.0, 0)
    assert values["compactness",] == (pytest.approx((40 * 0.25 + 20 * 0.7) / 60), 0)
    assert values["perimeter",] == (1200.0, 0)
    assert values["bridged",] == (3.0, 0)
    assert values["villages",] == (2.0, 0)
    assert values["floor",] == (6000.0, 0)
    assert values["signed_holders",] == (pytest.approx((2 * 1 + 4 * 0.5 + 2 * 0) / 8), 0)
    assert values["signed_area",] == (pytest.approx((10 * 1 + 20 * 0.5 + 30 * 0) / 60), 0)
    assert values["objective",] == (1_000_000.0, 0)
    assert values["status",] == ("feasible", 0)
    assert values["solve_seconds",] == (2.5, 0)


def test_what_is_unknown_is_left_out_and_counted_and_never_nought():
    nan = float("nan")
    tables = small_tables(
        floor=[1000.0, nan, nan, nan],
        signed=[nan] * 4,
        village=["west", None, "east", None],
        cost=[100.0, nan, 300.0, 400.0],
    )
    values = by_key(small_plan(tables))
    assert values["floor",] == (1000.0, 2)
    assert values["villages",] == (2.0, 1)
    assert values["signed_area",] == values["signed_holders",] == (None, 0)
    assert values["cost", "P1", "1"][1] == 0
    assert values["cost", "P2", "3"][1] == values["cost_all",][1] == 1


def test_facts_that_no_one_gave_are_unknown():
    values = by_key(small_plan(config=settings()))
    assert values["villages",] == values["floor",] == values["signed_area",] == (None, 0)


def test_a_plan_without_cost_says_nothing_of_cost():
    tables = small_tables()
    tables = replace(tables, parcels=tables.parcels.drop(columns="cost"))
    assert not any(key[0].startswith("cost") for key in by_key(small_plan(tables)))


def test_blocks_are_counted_from_the_size_itself():
    tables = small_tables()
    sizes = tables.blocks.assign(area_mu=[100.0, 999.99])
    values = by_key(small_plan(replace(tables, blocks=sizes)))
    assert [values["blocks_of", size][0] for size in ("100", "500", "1,000")] == [2.0, 1.0, 0.0]


def test_hold_outs_are_told_where_there_is_the_layer():
    tables = small_tables()
    assert ("holdouts",) not in by_key(small_plan(tables))
    layer = gpd.GeoDataFrame({"parcel_id": ["a", "c"]}, geometry=tables.parcels.geometry.iloc[[0, 2]].to_numpy())
    assert by_key(small_plan(replace(tables, holdouts=layer)))["holdouts",] == (2.0, 0)
    assert by_key(small_plan(replace(tables, holdouts=layer.iloc[:0])))["holdouts",] == (0.0, 0)


def test_figures_of_the_modes_by_hand():
    values = by_key(small_plan(**MODES))
    assert values["new_floor",] == (50_000.0, 2)
    assert values["peak_town",] == (7e6, 0)
    assert values["peak_collective",] == (0.0, 0)
    assert values["tax_before",] == (pytest.approx(1_000_000 / (30 + 20)), 1)
    assert values["tax_after",] == (pytest.approx(9_000_000 / 60), 0)
    assert values["firms_moved",] == (12.0, 2)
    assert values["firms_lost",] == (0.0, 0)  # the fates of all firms are known: none is lost


def test_without_modes_there_are_no_figures_of_modes():
    assert not [i for i in indicators(small_plan()) if i.section == "modes"]
    only_modes = by_key(small_plan(modes=[{"id": "collective"}]))
    assert only_modes["new_floor",] == only_modes["peak_town",] == only_modes["tax_after",] == (None, 0)
    assert ("firms_moved",) not in only_modes


def test_the_basis_follows_what_worth_and_cost_are_measured_by():
    def bases(**changes: object) -> dict[str, str]:
        return {i.key: i.basis for i in indicators(small_plan(config=settings(**changes)))}

    plain = bases()
    assert bases(optimise__block__min_mu=5) == plain
    assert bases(optimise__weights__value_per_mu=5)["objective"] != plain["objective"]
    other_cost = bases(optimise__cost={"value": "2 * tax"})
    assert other_cost["objective"] != plain["objective"]
    assert other_cost["cost_all"] != plain["cost_all"]
    assert other_cost["largest"] == plain["largest"]


@pytest.fixture(scope="module")
def run_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("run")
    path = case(folder, {"optimise": {"cost": {"value": "1000 * tax_wan_yuan_per_mu + 50"}}})
    result = planner("run", path, "--out", folder / "out", catch=False)
    assert result.exit_code == 0, result.output
    return folder / "out"


def test_figures_of_a_run_are_those_of_its_summary_and_layers(run_folder: Path):
    contents = read_contents(run_folder)
    summary = json.loads((run_folder / "summary.json").read_text(encoding="utf-8"))
    values = by_key(contents)
    for key in ("objective", "bound", "gap"):
        assert values[key,] == (summary[key], 0)
    for phase in summary["phases"]:
        name = (phase["id"], str(phase["year"]))
        assert values["cumulative", *name] == (phase["cumulative_mu"], 0)
        assert values["over_target", *name][0] == pytest.approx(phase["cumulative_mu"] - phase["target_mu"])
        assert values["cost", *name] == (phase["cost"], 0)
    measured = summary["check"]["measured"]
    assert values["net_mu",][0] == pytest.approx(sum(b["area_mu"] for b in summary["blocks"]))
    assert values["perimeter",][0] == pytest.approx(measured["perimeter_m"])
    assert values["blocks",][0] == len(summary["blocks"]) == measured["blocks"]
    assert values["parcels",][0] == measured["selected_parcels"]
    assert values["bridged",][0] == int(contents.tables.links["used"].sum())
    assert values["largest",][0] == max(b["area_mu"] for b in summary["blocks"])
    assert [i.section for i in indicators(contents)] == sorted(
        (i.section for i in indicators(contents)), key=SECTIONS.index
    )
