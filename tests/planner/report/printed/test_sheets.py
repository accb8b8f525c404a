"""What stands on the sheets, and where."""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from dataclasses import replace
from itertools import islice
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from matplotlib.collections import LineCollection

from planner.errors import ConfigError
from planner.report.printed.atlas import SHEETS, plan_atlas
from planner.report.printed.fonts import Typeface, find_typeface
from planner.report.printed.job import PrintJob, new_job
from planner.report.printed.scale import ROUND_SCALES
from planner.report.printed.symbols import DONE, EXCLUDED, EXISTING, HOLDOUT, PHASE_HATCHES, RESERVE, phase_symbol
from planner.report.printed.theme import Theme
from planner.report.printed.themes import control, phases
from planner.report.printed.write import drawing_style, overview_sheet
from tests.planner.report.printed.world import assert_tidy, contents, long_block, small_tables, texts

DAY = datetime.date(2026, 3, 4)
HOSTILE = "$x^2$ \\frac{1}{0} <b>&'\"\n\U0001f600\u202e\x00 罗马 "


@pytest.fixture(scope="module", autouse=True)
def _style() -> Iterator[None]:
    with drawing_style(find_typeface()):
        yield


def job_of(plan: Any, language: str = "en", face: Typeface | None = None, stamp: str | None = "INTERNAL") -> PrintJob:
    return new_job(plan, DAY, language, stamp, None, face)


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_map_is_tidy_and_says_what_it_must(language: str) -> None:
    plan = contents(report={"print": {"organisation": "Town office", "number": "TJ-7"}})
    job = job_of(plan, language)
    sheet = overview_sheet(job)
    assert_tidy(sheet.page)
    assert set(sheet.page.boxes) == {"title", "map", "legend", "notes", "title_block"}
    shown = texts(sheet.page)
    for wanted in ("INTERNAL", "Town office", "TJ-7", "2026-03-04", "1.2.3", "ab" * 8, "cd" * 8):
        assert wanted in shown
    assert job.labels("synthetic_label") in shown


def test_the_synthetic_label_is_on_every_sheet_and_only_where_due() -> None:
    for synthetic in (True, False):
        plan = contents(long_block(3), project={"synthetic": synthetic})
        job = job_of(plan)
        for sheet in islice(plan_atlas(job, {"location", "block"}).pages(), 3):
            assert (job.labels("synthetic_label") in texts(sheet.page)) is synthetic


def test_the_date_of_the_configuration_comes_first() -> None:
    assert job_of(contents(report={"print": {"date": "2025-06"}})).date == "2025-06"


def test_a_millimetre_on_the_map_is_a_millimetre() -> None:
    sheet = overview_sheet(job_of(contents()))
    view = sheet.view
    assert view is not None
    assert view.scale in ROUND_SCALES
    west, south, east, north = view.extent
    a, b = np.array([west + 12.5, south + 30.0]), np.array([east - 77.0, north - 9.0])
    inches = (view.axes.transData.transform(b) - view.axes.transData.transform(a)) / sheet.page.figure.dpi
    assert float(np.hypot(*inches)) * 25.4 == pytest.approx(float(np.hypot(*(b - a))) * 1000 / view.scale, abs=0.1)


def test_paper_and_axes_agree() -> None:
    sheet = overview_sheet(job_of(contents()))
    view, page = sheet.view, sheet.page
    assert view is not None
    point = shapely.Point(view.west + 100.0, view.south + 50.0)
    mark = shapely.get_coordinates(view.to_paper(np.array([point], dtype=object)))[0]
    on_screen = view.axes.transData.transform([point.x, point.y])
    assert page.paper.transData.transform(mark) == pytest.approx(on_screen, abs=1e-6)


def test_the_scale_that_is_asked_for_is_taken_and_what_is_cut_off_is_said() -> None:
    plan = contents(report={"print": {"scale": 500}})
    job = job_of(plan)
    sheet = overview_sheet(job)
    assert sheet.view is not None
    assert sheet.view.scale == 500
    west, south, east, north = sheet.view.extent
    bounds = plan.tables.parcels.bounds
    outside = (bounds.minx < west) | (bounds.miny < south) | (bounds.maxx > east) | (bounds.maxy > north)
    assert job.warnings == [job.word("cut", "1:500", int(outside.sum()))]
    assert_tidy(sheet.page)


def test_the_scale_bar_has_the_length_it_says() -> None:
    sheet = overview_sheet(job_of(contents()))
    page = sheet.page
    assert sheet.view is not None
    [bar] = [artist for axes in page.figure.axes for artist in axes.artists if hasattr(artist, "dx")]
    page.figure.draw_without_rendering()
    metres = bar.info.value * (1000 if bar.info.units == "km" else 1)
    start, end = bar.axes.transData.transform([[0.0, 0.0], [bar.info.length_px, 0.0]])
    assert (end - start)[0] / page.figure.dpi * 25.4 == pytest.approx(metres * 1000 / sheet.view.scale, abs=0.1)


def test_the_legend_adds_up_to_the_summary() -> None:
    plan = contents()
    job = job_of(plan)
    layers = phases(job).layers
    names = [layer.name for layer in layers]
    ids = [job.phase_name(p) for p in job.phases]
    parts = [layer for layer in layers if layer.name in ids]
    [total] = [layer for layer in layers if layer.name == job.word("total")]
    assert [p.name for p in parts] == ids
    assert names.index(ids[-1]) + 1 == names.index(total.name)
    assert round(sum(p.area_mu for p in parts), 1) == total.area_mu
    assert total.area_mu == round(sum(p["area_mu"] for p in plan.summary["phases"]), 1)
    for part, entry in zip(parts, plan.summary["phases"], strict=True):
        assert abs(part.area_mu - entry["area_mu"]) < 0.1
    assert total.parcels == (plan.tables.parcels["status"] == "selected").sum()


def test_the_legend_has_the_order_that_is_asked_for() -> None:
    job = job_of(contents(optimise={"contiguity": "rolling", "existing": "far > 2.2"}))
    names = [layer.name for layer in phases(job).layers]
    order = [
        job.word("villages"),
        job.word("zones"),
        *(job.phase_name(p) for p in job.phases),
        job.word("total"),
        job.word("done"),
        job.word("eligible"),
        job.word("locked_in"),
        job.word("locked_out"),
        job.word("holdouts"),
        "farmland",
        "red line",
    ]
    places = [names.index(name) for name in order]
    assert places == sorted(places)
    barriers = [i for i, name in enumerate(names) if name.startswith("Barrier: ")]
    assert barriers
    assert min(barriers) > max(places)


def test_every_parcel_is_in_the_legend_once() -> None:
    plan = contents(optimise={"contiguity": "rolling", "existing": "far > 2.2"})
    job = job_of(plan)
    ground = [layer for layer in phases(job).layers if layer.symbol and layer.symbol.kind == "area"]
    assert sum(layer.parcels for layer in ground) == len(plan.tables.parcels)


def test_done_land_is_not_told_where_its_fields_are_hidden() -> None:
    plan = contents(optimise={"contiguity": "rolling", "existing": "far > 2.2"}, report={"show": {"far": ...}})
    bare = replace(plan, tables=replace(plan.tables, parcels=plan.tables.parcels.drop(columns="far")))
    job = job_of(bare)
    assert job.word("done") not in [layer.name for layer in phases(job).layers]
    assert job.warnings == [job.word("done_hidden")]


def test_colours_and_hatches_are_those_of_the_sheets_that_superiors_accept() -> None:
    signs = [phase_symbol(i, 5) for i in range(1, 6)]
    assert [s.fill for s in signs] == ["#BD0026", "#F03B20", "#FD8D3C", "#FECC5C", "#FFFFB2"]
    assert len({s.hatch for s in signs}) == 5
    assert DONE == "#636363" == EXISTING.fill
    assert HOLDOUT == "#7B3294"
    assert RESERVE.fill is None
    assert RESERVE.hatch
    assert "x" in EXCLUDED.hatch
    assert not any(set("x+") & set(hatch) for hatch in PHASE_HATCHES)


def test_control_lines_are_outlines_only() -> None:
    job = job_of(contents())
    for layer in phases(job).layers:
        if layer.name in {"farmland", "red line"} or layer.name.startswith("Barrier: "):
            assert layer.symbol is not None
            assert layer.symbol.kind == "line"


def test_ground_on_control_lines_counts_once_and_only_where_land_is_kept_out() -> None:
    """Squares of 20 m: of L0000 the west 10 m on one line and the middle 10 m on another are 15 m x 20 m = 300 m2.

    L0001 lies wholly on what is tagged, L0002 on what is required.
    """
    tables = long_block(3)
    west, south = 500_000, 2_500_000
    strips = [(0, 0, 10, "farmland"), (0, 5, 15, "ecology"), (1, 20, 40, "flood"), (2, 40, 60, "growth")]
    boxes = [shapely.box(west + a, south, west + b, south + 20) for _, a, b, _ in strips]
    effects = {"farmland": "exclude", "ecology": "exclude", "flood": "tag", "growth": "require"}
    frame = {"parcel_id": [f"L000{k}" for k, *_ in strips], "overlay": list(effects)}
    overlaps = gpd.GeoDataFrame(frame | {"overlap_m2": [b.area for b in boxes]}, geometry=boxes, crs=tables.parcels.crs)
    overlays = gpd.GeoDataFrame(
        {"overlay": list(effects), "effect": list(effects.values())}, geometry=boxes, crs=tables.parcels.crs
    )
    job = job_of(contents(replace(tables, overlays=overlays, overlaps=overlaps)))
    theme = control(job)
    assert isinstance(theme, Theme)
    [ground] = [layer for layer in theme.layers if layer.name == job.word("overlaps")]
    assert (ground.parcels, len(ground.geometries)) == (1, 1)
    assert ground.area_mu == pytest.approx(0.45)  # 300 m2 are 0.03 ha


def test_without_a_chinese_font_the_map_is_english_and_says_so() -> None:
    job = job_of(contents(), "zh", find_typeface(()))
    assert job.labels.language == "en"
    [warning] = job.warnings
    assert "font" in warning
    with drawing_style(job.face):
        page = overview_sheet(job).page
        assert_tidy(page)
    assert "??" in texts(page)
    assert all(ord(c) < 0x2E80 for line in texts(page) for c in line)


def test_names_on_the_map_are_all_blocks() -> None:
    plan = contents()
    shown = " ".join(texts(overview_sheet(job_of(plan)).page))
    assert all(f"{block}\n" in shown for block in plan.tables.blocks["block_id"])


def test_permanent_codes_stand_in_place_of_block_ids() -> None:
    plan = contents()
    block = plan.tables.blocks["block_id"].iloc[0]
    job = new_job(plan, DAY, "en", None, {block: "QX-2023-001"})
    assert any(line.startswith("QX-2023-001\n") for line in texts(overview_sheet(job).page))


def test_hostile_and_very_long_strings_are_harmless() -> None:
    tables = small_tables()
    parcels, blocks = tables.parcels.copy(), tables.blocks.copy()
    rename = {b: f"{HOSTILE}{b}" for b in blocks["block_id"]}
    parcels["block_id"] = parcels["block_id"].map(rename)
    blocks["block_id"] = blocks["block_id"].map(rename)
    parcels["reason"] = HOSTILE * 30
    parcels["village"] = [HOSTILE * 9 if i % 2 else "=1+1" for i in range(len(parcels))]
    zones = tables.zones.assign(zone=[HOSTILE * 20, *tables.zones["zone"].iloc[1:]])
    plan = contents(
        replace(tables, parcels=parcels, blocks=blocks, zones=zones),
        project={"name": HOSTILE * 40},
        report={"title": HOSTILE * 40, "print": {"organisation": HOSTILE * 40, "number": HOSTILE}},
    )
    job = job_of(plan, stamp=HOSTILE * 10)
    pages = [sheet.page for sheet in islice(plan_atlas(job, {"phases", "block"}).pages(), 3)]
    for page in pages:
        assert_tidy(page)
    assert any("$x^2$ \\frac{1}{0}" in line for line in texts(pages[1]))


def test_an_atlas_has_what_there_are_data_for_and_says_what_is_left_out() -> None:
    plan = contents(long_block(5))
    job = job_of(plan)
    atlas = plan_atlas(job)
    keys = [theme.key for theme in atlas.themes]
    assert keys == ["location", "low_efficiency", "blocks", "phases"]
    assert [a.sheet for a in atlas.left_out] == ["present", "ownership", "control", "modes", "decanting"]
    sheets = list(atlas.pages())
    assert len(sheets) == atlas.count == 1 + 4 + 1
    index = texts(sheets[0].page)
    for absent in atlas.left_out:
        assert job.word(f"sheet_{absent.sheet}") in index
        assert any(absent.reason.startswith(line[:20]) for line in index if line)
    for i, sheet in enumerate(sheets, start=1):
        assert f"{i} / {len(sheets)}" in texts(sheet.page)
    assert_tidy(sheets[0].page)


def test_sheets_can_be_chosen() -> None:
    atlas = plan_atlas(job_of(contents()), {"phases"})
    assert [theme.key for theme in atlas.themes] == ["phases"]
    assert atlas.count == 2
    assert {a.sheet for a in atlas.left_out} == set(SHEETS) - {"phases"}


def test_an_unknown_sheet_is_refused() -> None:
    with pytest.raises(ConfigError, match="fases"):
        plan_atlas(job_of(contents()), {"fases"})


def test_ownership_from_the_state_owned_area() -> None:
    plan = contents(report={"show": {"state_mu": "state"}})
    parcels = plan.tables.parcels.copy()
    parcels["state"] = 0.0
    parcels.loc[:9, "state"] = parcels["area_mu"]
    parcels.loc[10:14, "state"] = parcels["area_mu"] / 2
    parcels.loc[15:16, "state"] = np.nan
    job = job_of(replace(plan, tables=replace(plan.tables, parcels=parcels)))
    [theme] = [t for t in plan_atlas(job, {"ownership"}).themes if t.key == "ownership"]
    counted = {layer.name: layer.parcels for layer in theme.layers if layer.parcels is not None}
    assert counted[job.word("state")] == 10
    assert counted[job.word("mixed")] == 5
    assert counted[job.word("unknown")] == 2
    assert counted[job.word("collective")] == len(parcels) - 17
    assert counted[job.word("total")] == len(parcels)


def test_more_kinds_of_land_use_than_signs_go_together() -> None:
    plan = contents(report={"show": {"land_use": "use"}})
    parcels = plan.tables.parcels.assign(use=[f"kind {i % 14}" for i in range(len(plan.tables.parcels))])
    job = job_of(replace(plan, tables=replace(plan.tables, parcels=parcels)))
    [theme] = plan_atlas(job, {"present"}).themes
    names = [layer.name for layer in theme.layers]
    assert job.word("other_kinds", 4) in names
    [total] = [layer for layer in theme.layers if layer.name == job.word("total")]
    assert total.parcels == len(parcels)


def test_moves_of_firms_are_arrows_between_blocks() -> None:
    tables = small_tables()
    first, second = tables.blocks["block_id"].iloc[:2]
    inside = tables.parcels.loc[tables.parcels["block_id"] == first, "parcel_id"].iloc[:3].tolist()
    moves = pd.DataFrame(
        {
            "parcel_id": [*inside, inside[0]],
            "block_id": first,
            "status": ["kept", "moved", "unplaced", "unknown"],
            "site": [None, second, None, None],
        }
    )
    job = job_of(contents(tables, {"firm_moves": moves}))
    [theme] = plan_atlas(job, {"decanting"}).themes
    counted = {layer.name: layer.parcels for layer in theme.layers}
    assert job.word("fate_kept") not in counted
    assert [counted[job.word(f"fate_{fate}")] for fate in ("moved", "unplaced", "unknown")] == [1, 1, 1]
    [arrows] = [layer for layer in theme.layers if layer.name == job.word("moves")]
    start, end = shapely.get_coordinates(arrows.geometries[0])[:2]
    middles = tables.blocks.set_index("block_id").centroid
    assert tuple(start) == pytest.approx((middles[first].x, middles[first].y))
    assert tuple(end) == pytest.approx((middles[second].x, middles[second].y))


def test_a_block_sheet_has_parcels_figures_and_boundary_points() -> None:
    plan = contents(long_block(12))
    job = job_of(plan)
    [_, sheet] = plan_atlas(job, {"block"}).pages()
    assert_tidy(sheet.page)
    shown = texts(sheet.page)
    for parcel in plan.tables.parcels["parcel_id"]:
        assert parcel in shown
    corners = shapely.get_coordinates(plan.tables.blocks.geometry.iloc[0])[:-1]
    assert shown.count(f"J{len(corners)}") == 2
    assert f"J{len(corners) + 1}" not in shown
    assert f"{corners[0][1]:.3f}" in shown
    assert "7.2 mu (0.4800 ha)" in shown
    assert sheet.view is not None
    assert sheet.view.scale == 2000


def test_figures_of_a_plan_with_modes_stand_on_the_block_sheet() -> None:
    tables = long_block(12)
    tables = replace(tables, blocks=tables.blocks.assign(mode="collective_led", cost=-1_234_500.0))
    modes = {
        "milestones": pd.DataFrame({"block_id": ["B1"], "launched": ["0-07"], "built": [None]}),
        "space_blocks": pd.DataFrame(
            {
                "block_id": ["B1"],
                "far_before": [0.5],
                "far_after": [np.nan],
                "before_floor_m2": [2400.0],
                "before_floor_m2_unknown_parcels": [2],
                "after_floor_m2": [9600.0],
                "after_floor_m2_unknown_parcels": [0],
            }
        ),
        "consent": pd.DataFrame(
            {
                "block_id": ["B1"],
                "signed_holders_share": [0.5],
                "signed_area_share": [0.25],
                "unknown_parcels": [3],
            }
        ),
    }
    [_, sheet] = plan_atlas(new_job(contents(tables, modes), DAY, "en", None, {"B1": "QX-001"}), {"block"}).pages()
    assert_tidy(sheet.page)
    shown = texts(sheet.page)
    for wanted in ("QX-001", "-123.45", "0-07", "50 % / 25 % (3 parcels unknown)"):
        assert wanted in shown
    assert "0.50 → — (2 → 0 parcels unknown)" in shown  # of twelve parcels ten are known before, and all after
    assert "2,400 → 9,600 (2 → 0 parcels unknown)" in shown


def test_without_modes_shares_are_those_of_the_parcels_that_are_known() -> None:
    tables = long_block(4)
    parcels = tables.parcels.assign(signed=[1.0, 0.0, 0.0, np.nan], floor=[400.0, 200.0, np.nan, 0.0])
    plan = contents(replace(tables, parcels=parcels), report={"show": {"signed_share": "signed", "floor_m2": "floor"}})
    [_, sheet] = plan_atlas(job_of(plan), {"block"}).pages()
    shown = texts(sheet.page)
    assert "33 % (1 parcels unknown)" in shown
    assert "0.50 (1 parcels unknown)" in shown


@pytest.mark.parametrize("count", [40, pytest.param(90, marks=pytest.mark.slow)])
def test_a_long_list_of_parcels_goes_on_and_points_are_told_of(count: int) -> None:
    plan = contents(long_block(count))
    job = job_of(plan)
    atlas = plan_atlas(job, {"block"})
    sheets = list(atlas.pages())
    assert len(sheets) == atlas.count > 2
    shown = [line for sheet in sheets for line in texts(sheet.page)]
    for parcel in plan.tables.parcels["parcel_id"]:
        assert shown.count(parcel) == 1
    points = len(shapely.get_coordinates(plan.tables.blocks.geometry.iloc[0])) - 1
    assert (f"J{points}" in shown) != (job.word("points_elsewhere", points) in shown)
    for sheet in sheets:
        assert_tidy(sheet.page)


def test_a_map_of_many_lines_is_drawn_by_few_artists() -> None:
    sheet = overview_sheet(job_of(contents()))
    assert sheet.view is not None
    assert len([a for a in sheet.view.axes.collections if isinstance(a, LineCollection)]) < 20
    assert len(sheet.view.axes.patches) < 30
