"""Layers of the page besides the plan, and what is left out of a page that would be too large."""

from __future__ import annotations

import json
from dataclasses import replace

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest

from planner.report import page
from planner.report.context import MapContext
from planner.report.encode import to_inline_json
from planner.report.page import page_data
from tests.planner.report.map_builders import MODE_NAMES, rich_plan
from tests.planner.report.plan_builders import M2_PER_MU, context_of, grid_plan


def test_hold_outs_and_left_over_land_are_layers_with_their_figures() -> None:
    tables, context = rich_plan()
    data = json.loads(to_inline_json(page_data(tables, context)))
    assert data["holdouts"]["columns"]["lost_mu"] == [40.5, 12.25]
    assert data["holdouts"]["columns"]["breaks"] == {"values": ["target of P2: 12 mu short"], "codes": [0, -1]}
    assert data["leftovers"]["columns"]["enclosed_share"] == [0.75]
    assert [len(data[name]["shapes"]) for name in ("holdouts", "leftovers")] == [2, 1]


def test_only_what_keeps_land_out_is_an_overlap_with_a_red_line() -> None:
    tables, context = rich_plan()
    data = page_data(tables, context)
    red = tables.overlaps[tables.overlaps["overlay"] == "farmland"]
    assert len(data["overlaps"]["shapes"]) == len(red) < len(tables.overlaps)
    assert sum(data["overlaps"]["columns"]["overlap_m2"]) == pytest.approx(red["overlap_m2"].sum(), abs=0.1 * len(red))
    assert len(data["overlay_areas"]["shapes"]) == 2
    assert data["overlay_names"]["farmland"] == "永久基本农田"


def test_ground_on_two_red_lines_counts_once() -> None:
    tables, context = rich_plan()
    red = tables.overlaps[tables.overlaps["overlay"] == "farmland"]
    again = tables.overlays[tables.overlays["overlay"] == "farmland"].assign(overlay="ecology")
    overlays = gpd.GeoDataFrame(pd.concat([tables.overlays, again], ignore_index=True), crs=tables.overlays.crs)
    doubled = pd.concat([tables.overlaps, red.assign(overlay="ecology")], ignore_index=True)
    overlaps = gpd.GeoDataFrame(doubled, crs=tables.overlaps.crs)
    columns = page_data(replace(tables, overlays=overlays, overlaps=overlaps), context)["overlaps"]["columns"]
    assert sum(columns["overlap_m2"]) == pytest.approx(red["overlap_m2"].sum(), abs=0.1 * len(red))


def test_layers_that_a_plan_does_not_have_are_empty() -> None:
    plan = grid_plan(columns=6, rows=6)
    data = page_data(plan, context_of(plan))
    for name in ("overlaps", "overlay_areas", "overlay_lines", "holdouts", "leftovers"):
        assert data[name]["shapes"] == []
    assert data["left_out"] == {"count": 0, "area_mu": 0.0, "statuses": {}}


def test_a_page_that_would_be_too_large_holds_the_plan_and_what_was_decided(monkeypatch: pytest.MonkeyPatch) -> None:
    tables, context = rich_plan()
    monkeypatch.setattr(page, "FULL_FABRIC_PARCELS", len(tables.parcels) - 1)
    data = page_data(tables, context)
    parcels = tables.parcels
    kept = parcels[["locked", "note", "change"]].notna().any(axis=1) | (parcels["status"] == "selected")
    assert 0 < kept.sum() < len(parcels)
    assert data["parcels"]["columns"]["parcel_id"] == parcels.loc[kept, "parcel_id"].tolist()
    assert data["left_out"]["count"] == sum(data["left_out"]["statuses"].values()) == (~kept).sum()
    assert data["left_out"]["area_mu"] == pytest.approx(parcels.loc[~kept, "area_mu"].sum(), abs=1e-4)
    assert all(data["links"]["columns"]["used"])
    assert len(data["blocks"]["shapes"]) == len(tables.blocks)
    monkeypatch.undo()
    assert page_data(tables, context)["left_out"]["count"] == 0


def test_the_same_parcels_in_another_order_give_the_same_page_by_parcel() -> None:
    tables, context = rich_plan()
    turned = replace(tables, parcels=tables.parcels.iloc[::-1].reset_index(drop=True))
    first, second = page_data(tables, context), page_data(turned, context)
    assert first["groups"] == second["groups"]
    assert first["scales"] == second["scales"]
    assert first["parcels"]["columns"]["new_far"] == second["parcels"]["columns"]["new_far"][::-1]
    assert first["parcels"]["shapes"] == second["parcels"]["shapes"][::-1]


def test_optional_columns_of_parcels_and_blocks_are_there_when_the_plan_has_them() -> None:
    tables, context = rich_plan()
    data = page_data(tables, context)
    assert {"mode", "note", "change", "forced_loss", "new_far", "fact_far"} <= set(data["parcels"]["columns"])
    unknown = [v is None for v in data["parcels"]["columns"]["forced_loss"]]
    assert unknown == tables.parcels["forced_loss"].isna().tolist()
    facts = {fact["name"]: fact["unit"] for fact in data["block_facts"]}
    assert facts["far_after"] == "far"
    assert facts["milestone_built"] == "month"
    assert set(facts) <= set(data["blocks"]["columns"])
    assert data["mode_names"] == MODE_NAMES
    area = pd.Series(data["parcels"]["columns"]["area_mu"]).sum()
    np.testing.assert_allclose(area, tables.parcels.geometry.area.sum() / M2_PER_MU, rtol=1e-5)


def test_words_come_in_both_languages_and_the_language_is_that_of_the_context() -> None:
    plan = grid_plan(columns=6, rows=6)
    data = page_data(plan, context_of(plan, language="zh"))
    assert data["language"] == "zh"
    assert data["labels"]["zh"].keys() == data["labels"]["en"].keys()
    assert MapContext.__dataclass_fields__["language"].default == "en"
