"""Overlays, rasters, buildings, firms and areas through a whole run: fields, exclusions, targets, the judge."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pytest
import rasterio
import shapely
from rasterio.transform import Affine

from geodata.synthetic import SyntheticLand
from geodata.synthetic.town import town_land
from geodata.synthetic.town_model import Group, Outlines, Site, Town
from geodata.write import write_gpkg
from planner.check import check_plan, read_plan
from planner.config_file import load_config
from planner.errors import ConfigError
from planner.joined import join_facts
from planner.land import prepare
from planner.progress import Silent
from tests.conftest import REPOSITORY
from tests.planner.land_builders import CRS, DEPTH_M, EAST, NORTH, WIDTH_M, case, grid_land, planner

CREDIT_CODES = ("91440300279419530X", "91440300708461136T")


def _layer(folder: Path, name: str, shapes: list[Any], **columns: list[Any]) -> None:
    write_gpkg({name: gpd.GeoDataFrame(columns, geometry=shapes, crs=CRS)}, folder / f"{name}.gpkg")


def _overlays(folder: Path) -> dict[str, Any]:
    """Farmland on the south-western parcel P08 and 0.5 m of P09; a boundary without the column P03, P07, P11."""
    south_west = shapely.box(EAST, NORTH - 3 * DEPTH_M, EAST + WIDTH_M + 0.5, NORTH - 2 * DEPTH_M)
    _layer(folder, "farmland", [south_west], id=[1])
    _layer(folder, "boundary", [shapely.box(EAST - 9, NORTH - 999, EAST + 3 * WIDTH_M, NORTH + 9)], id=[1])
    return {
        "overlays": [
            {
                "name": "farmland",
                "label": "永久基本农田",
                "path": "farmland.gpkg",
                "effect": "exclude",
                "tolerance_m2": 40,
            },
            {"name": "inside", "label": "开发边界", "path": "boundary.gpkg", "effect": "require"},
        ]
    }


def test_overlays_keep_parcels_out_and_say_why(tmp_path: Path) -> None:
    config = case(tmp_path, _overlays(tmp_path))
    assert planner("run", config, "--out", tmp_path / "out", "--quiet").exit_code == 0
    parcels = gpd.read_file(tmp_path / "out" / "plan.gpkg", layer="parcels").set_index("parcel_id")
    assert parcels.loc["P08", "status"] == "excluded"
    assert "on 永久基本农田" in parcels.loc["P08", "reason"]
    assert parcels.loc["P08", "farmland_share"] == pytest.approx(1.0)
    assert parcels.loc["P09", "status"] in {"selected", "eligible"}  # 33 m² are within the tolerance
    assert parcels.loc["P09", "farmland_m2"] == pytest.approx(0.5 * DEPTH_M, rel=1e-6)
    for outside in ("P03", "P07", "P11"):
        assert parcels.loc[outside, "status"] == "excluded"
        assert "outside 开发边界" in parcels.loc[outside, "reason"]
    overlaps = gpd.read_file(tmp_path / "out" / "plan.gpkg", layer="overlaps")
    assert set(overlaps.loc[overlaps["overlay"] == "farmland", "parcel_id"]) == {"P08", "P09"}


def test_the_judge_finds_land_on_a_red_line(tmp_path: Path) -> None:
    """The plan stays as it is; in the written layer the farmland grows over a parcel of it."""
    config = case(tmp_path, _overlays(tmp_path))
    assert planner("run", config, "--out", tmp_path / "out", "--quiet").exit_code == 0
    tables, resolved, claims = read_plan(tmp_path / "out")
    assert check_plan(tables, resolved, claims).passed
    chosen = tables.parcels[tables.parcels["status"] == "selected"].iloc[0]
    tables.overlays.loc[tables.overlays["overlay"] == "farmland", "geometry"] = chosen.geometry
    report = check_plan(tables, resolved, claims)
    found = [f for f in report.findings if f.rule == "overlays"]
    assert [f.parcel_ids for f in found] == [(chosen["parcel_id"],)]
    assert found[0].measured == pytest.approx(chosen.geometry.area)


def _facts(folder: Path) -> dict[str, Any]:
    """A slope of 10 % to the east, a building of 600 m² and 3 storeys on P00, two firms on P00, one of them on P01."""
    with rasterio.open(
        folder / "dem.tif", "w", driver="GTiff", height=40, width=60, count=1, dtype="float32", crs=CRS,
        transform=Affine(10, 0, EAST - 100, 0, -10, NORTH + 100),
    ) as file:  # fmt: skip
        file.write(np.tile(np.arange(60, dtype="float32"), (40, 1)), 1)
    _layer(folder, "buildings", [shapely.box(EAST + 10, NORTH - 40, EAST + 40, NORTH - 20)], floors=[3])
    points = [
        shapely.Point(EAST + 20, NORTH - 30),
        shapely.Point(EAST + 50, NORTH - 30),
        shapely.Point(EAST + 150, NORTH - 30),
    ]
    codes = [CREDIT_CODES[0], CREDIT_CODES[1], CREDIT_CODES[1]]
    _layer(folder, "firms", points, code=codes, tax=[30.0, 40.0, 40.0])
    return {
        "rasters": [{"field": "slope", "path": "dem.tif", "derive": "slope_percent", "elevation_unit": "m"}],
        "buildings": {"path": "buildings.gpkg", "floors": "floors"},
        "firms": {
            "path": "firms.gpkg", "id": "code",
            "fields": {"firm_count": {"agg": "count"}, "firm_tax_wan_yuan": {"column": "tax"}},
        },
        "scoring": {"derived": {"steep": "slope > 8"}},
    }  # fmt: skip


def test_facts_become_fields(tmp_path: Path) -> None:
    land = prepare(load_config(case(tmp_path, _facts(tmp_path))).config, Silent())
    first, second = land.fields.loc["P00"], land.fields.loc["P01"]
    assert first["slope"] == pytest.approx(10.0, rel=1e-3)
    assert first["footprint_m2"] == pytest.approx(600)
    assert first["building_floor_m2"] == pytest.approx(1800)
    assert first["far_measured"] == pytest.approx(1800 / (WIDTH_M * DEPTH_M))
    assert second["building_floor_m2"] == 0
    assert (first["firm_count"], second["firm_count"]) == (2, 1)
    # the firm on both parcels is shared out by their equal areas: 30 + 20 and 20
    assert first["firm_tax_wan_yuan"] == pytest.approx(50)
    assert second["firm_tax_wan_yuan"] == pytest.approx(20)
    assert land.fields["firm_tax_wan_yuan"].sum() == pytest.approx(70)


def test_a_run_with_all_facts_passes_its_check(tmp_path: Path) -> None:
    config = case(tmp_path, _facts(tmp_path), _overlays(tmp_path))
    result = planner("run", config, "--out", tmp_path / "out", "--quiet")
    assert result.exit_code == 0, result.output


def _lanes() -> gpd.GeoDataFrame:
    """The grid with lanes of 6 m between its columns."""
    land = grid_land()
    column = np.arange(len(land)) % 4
    land.geometry = [shapely.affinity.translate(g, 6.0 * c, 0) for g, c in zip(land.geometry, column, strict=True)]
    return land


@pytest.mark.parametrize(("counts", "width"), [("net", 0.0), ("boundary", 6.0)])
def test_targets_count_the_area_asked_for(tmp_path: Path, counts: str, width: float) -> None:
    """60 mu net are six parcels; with their lanes five and a half or so."""
    changes = {"areas": {"between_max_m": 8}, "optimise": {"counts": counts, "weights": {"value_per_mu": 0.001}}}
    config = case(tmp_path, changes, land=_lanes())
    result = planner("run", config, "--out", tmp_path / "out", "--quiet")
    assert result.exit_code == 0, result.output
    summary = json.loads((tmp_path / "out" / "summary.json").read_text(encoding="utf-8"))
    last = summary["phases"][-1]
    assert last["counts"] == counts
    assert last["cumulative_mu"] >= 60 - 1e-6
    ledger = summary["area_ledger"][-1]
    assert last["cumulative_mu"] == pytest.approx(ledger[f"{counts}_mu"])
    inner = 2 * 2 * 3 + 2 * 3  # half lanes beside the 12 parcels: inner columns have two, outer ones
    assert ledger["boundary_mu"] - ledger["net_mu"] <= inner * width / 2 * DEPTH_M / (10_000 / 15) + 6
    tables, resolved, claims = read_plan(tmp_path / "out")
    assert check_plan(tables, resolved, claims).passed
    if counts == "boundary":
        short = tables.between.iloc[:0]
        report = check_plan(type(tables)(**(vars(tables) | {"between": short})), resolved, claims)
        assert {"between"} <= {f.rule for f in report.findings if f.severity == "error"}


def test_cleared_land_of_unknown_size_is_not_planned(tmp_path: Path) -> None:
    land = grid_land()
    land["cleared"] = [None, *([8.0] * 11)]
    fields = {"cleared_file_mu": {"column": "cleared"}}
    changes = {
        "parcels": {"fields": fields}, "areas": {"cleared": "cleared_file_mu"}, "optimise": {"counts": "cleared"},
    }  # fmt: skip
    config = case(tmp_path, changes, land=land)
    assert planner("run", config, "--out", tmp_path / "out", "--quiet").exit_code == 0
    parcels = gpd.read_file(tmp_path / "out" / "plan.gpkg", layer="parcels").set_index("parcel_id")
    assert parcels.loc["P00", "status"] == "ineligible"
    assert "unknown" in parcels.loc["P00", "reason"]
    summary = json.loads((tmp_path / "out" / "summary.json").read_text(encoding="utf-8"))
    assert summary["phases"][-1]["cumulative_mu"] == pytest.approx(8 * (parcels["status"] == "selected").sum())


def test_names_that_clash_are_refused(tmp_path: Path) -> None:
    _layer(tmp_path, "a", [shapely.box(EAST, NORTH - 9, EAST + 9, NORTH)], id=[1])
    overlay = {"name": "red", "path": "a.gpkg", "effect": "tag"}
    with pytest.raises(ConfigError, match="a second field 'red_m2'"):
        load_config(case(tmp_path, {"overlays": [overlay, overlay]}))
    with pytest.raises(ConfigError, match="unknown field 'red_m3'"):
        load_config(
            case(tmp_path, {"overlays": [overlay], "scoring": {"exclude": [{"name": "x", "when": "red_m3 > 1"}]}})
        )


def _town_config(tmp_path: Path, *overlays: dict[str, Any], town: str = "changping") -> Any:
    """config.yaml on the generated land of a town, with overlays."""
    text = {
        "parcels": {"synthetic": {"case": town}},
        "barriers": [{"name": "arterial", "synthetic": True}],
        "overlays": [{"synthetic": True, **overlay} for overlay in overlays],
    }
    (tmp_path / "town.yaml").write_text(json.dumps(text), encoding="utf-8")
    return load_config(REPOSITORY / "config.yaml", str(tmp_path / "town.yaml")).config


def test_overlays_that_come_with_generated_land_are_laid_over_it(tmp_path: Path) -> None:
    zone = {"name": "construction_zone", "effect": "require", "label": "城镇集中建设区"}
    config = _town_config(tmp_path, zone, {"name": "town", "effect": "tag"})
    drawn = town_land(_SMALL_TOWN, 1)
    parcels = sound_parcels(drawn)
    joined = join_facts(config, parcels, drawn.overlays)
    assert list(joined.fields) == ["construction_zone_m2", "construction_zone_share", "town_m2", "town_share"]
    shapes = parcels.geometry.to_numpy()
    zone_shape = drawn.overlays.geometry.iloc[1]
    measured = shapely.area(shapely.intersection(shapes, zone_shape))
    assert joined.fields["construction_zone_m2"].to_numpy(dtype=float) == pytest.approx(measured, abs=1e-3)
    assert joined.fields["town_share"].to_numpy(dtype=float) == pytest.approx(1.0)
    outside = shapely.area(shapes) - measured > 1.0  # m², the tolerance
    assert 0 < outside.sum() < len(parcels)
    (said,) = [n for n in joined.notes if "kept out" in n.what]
    assert set(said.items) == set(parcels.index[outside])


def test_a_generated_overlay_that_the_land_lacks_is_one_clear_error(tmp_path: Path) -> None:
    config = _town_config(tmp_path, {"name": "town", "effect": "tag"}, {"name": "farmland", "effect": "exclude"})
    drawn = town_land(_SMALL_TOWN, 1)
    with pytest.raises(ConfigError) as caught:
        join_facts(config, sound_parcels(drawn), drawn.overlays)
    (issue,) = caught.value.issues
    assert issue.where == "overlays[1].name"
    assert "'farmland'" in str(issue)
    assert "construction_zone, town" in str(issue)


def test_land_without_overlays_says_so(tmp_path: Path) -> None:
    config = _town_config(tmp_path, {"name": "town", "effect": "tag"}, town="guangqing")
    drawn = town_land(replace(_SMALL_TOWN, outlines=None), 1)
    with pytest.raises(ConfigError, match="this land has none"):
        join_facts(config, sound_parcels(drawn), drawn.overlays)


_SMALL_TOWN = Town(
    origin=(500_000.0, 2_500_000.0),
    county="441900",
    sites=(
        Site("A", 150.0, 15, (Group("甲村", "甲村1组", 1.0, 1),)),
        Site(None, 160.0, 24, (Group("丙村", "丙村1组", 1.0, 5),)),
    ),
    outlines=Outlines(town_km2=1.2, construction_zone_km2=0.6, outside_share=0.15),
)


def sound_parcels(made: SyntheticLand) -> gpd.GeoDataFrame:
    """Parcels without the flaws put in on purpose, indexed by id."""
    kept = made.parcels[~made.parcels["宗地编码"].isin(made.flaws.index)]
    return kept.set_index("宗地编码").rename_axis("parcel_id")
