"""Figures of the hand plan where something is unknown, too large, on a control line, or paid late."""

from __future__ import annotations

import datetime
from dataclasses import replace
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

from planner.contents import PlanContents
from planner.report.workbook import write_workbook
from planner.report.workbook.figures import Figures, investment_by_year
from planner.report.workbook.projects import projects_of
from tests.planner.land_builders import CRS
from tests.planner.report.workbook.small_plan import Opened, contents_of, payments_of, with_modes

DAY = datetime.date(2026, 3, 1)


def written(folder: Path, contents: PlanContents) -> Opened:
    path = folder / "plan.xlsx"
    write_workbook(contents, path, day=DAY, language="zh")
    return Opened(path)


def figures_of(contents: PlanContents) -> Figures:
    return projects_of(contents, None, DAY).figures


def with_parcels(contents: PlanContents, **columns: Any) -> PlanContents:
    """The plan with other values of its parcels A1 to A5 and X1."""
    tables = replace(contents.tables, parcels=contents.tables.parcels.assign(**columns))
    return PlanContents(contents.config, tables, contents.summary, contents.modes)


def notes_of(book: Opened, sheet: str) -> str:
    return "\n".join(str(cell.value) for (cell,) in book.sheet(sheet).iter_rows(max_col=1))


def on_overlays(**effects: str) -> PlanContents:
    """Parcel k is the square from east k to k + 1: A1 and A3 lie on what is named, in part."""
    specs = [{"name": name, "path": f"{name}.gpkg", "effect": effect} for name, effect in effects.items()]
    contents = contents_of({"overlays": specs})
    strips = [
        ("A1", "farmland", shapely.box(0, 0, 0.5, 1)),
        ("A1", "ecology", shapely.box(0.25, 0, 0.75, 1)),  # half of it is farmland: together 0.75 m2
        ("A1", "growth", shapely.box(0, 0, 1, 1)),
        ("A1", "flood", shapely.box(0, 0, 1, 1)),
        ("A3", "ecology", shapely.box(2, 0, 2.25, 1)),
        ("X1", "farmland", shapely.box(5, 0, 6, 1)),  # not in the plan
    ]
    mine = [s for s in strips if s[1] in effects]
    overlaps = gpd.GeoDataFrame(
        {"parcel_id": [s[0] for s in mine], "overlay": [s[1] for s in mine], "overlap_m2": [s[2].area for s in mine]},
        geometry=[s[2] for s in mine],
        crs=CRS,
    )
    overlays = gpd.GeoDataFrame(
        {"overlay": list(effects), "effect": list(effects.values())},
        geometry=[shapely.box(0, 0, 6, 1)] * len(effects),
        crs=CRS,
    )
    tables = replace(contents.tables, overlaps=overlaps, overlays=overlays)
    return PlanContents(contents.config, tables, contents.summary, contents.modes)


def test_only_overlays_that_exclude_are_control_lines_and_ground_counts_once() -> None:
    figures = figures_of(on_overlays(farmland="exclude", ecology="exclude", growth="require", flood="tag"))
    assert figures.values["control_m2"].to_dict() == {"P1-01": 0.75, "P1-02": 0.25, "P2-01": 0.0}


def test_without_an_overlay_that_excludes_ground_on_control_lines_is_unknown(tmp_path: Path) -> None:
    contents = on_overlays(growth="require", flood="tag")
    assert "control_m2" not in figures_of(contents).values
    book = written(tmp_path, contents)
    assert book.row("项目库台账", "连片区", "P1-01")["占控制线（m²）"] is None
    assert "占控制线：" in notes_of(book, "项目库台账")


def test_what_is_unknown_of_every_parcel_has_no_total(tmp_path: Path) -> None:
    """Firms of the five parcels are unknown; of large ones two are known."""
    contents = contents_of({"report": {"show": {"firms": "firms", "large_firms": "large"}}})
    unknown, large = pd.array([None] * 6, dtype="Int64"), pd.array([2, None, 0, None, None, 9], dtype="Int64")
    contents = with_parcels(contents, firms=unknown, large=large)
    total = figures_of(contents).total("firms")
    assert (total.value, total.unknown) == (None, 5)
    known = figures_of(contents).total("large_firms")
    assert (known.value, known.unknown) == (2, 3)
    book = written(tmp_path, contents)
    assert book.row("主要指标", "指标", "涉及企业")["数值"] is None
    assert book.row("主要指标", "指标", "其中规上企业")["数值"] == 2


def test_a_parcel_has_no_more_land_of_a_kind_than_it_measures(tmp_path: Path) -> None:
    """P1-01 is A1 = 10.004 and A2 = 20.003 mu. 15 mu of A1 are said to be state-owned: 10.004 count, and 5 of A2.

    P2-01: less than nothing of A4, all of A5 = 5.002, more by rounding alone.
    """
    contents = with_parcels(contents_of(), state_mu=[15.0, 5.0, 30.004, -3.0, 5.002 + 1e-9, 99.0])
    figures = figures_of(contents)
    assert figures.values["state_mu"].to_dict() == {"P1-01": 15.0, "P1-02": 30.0, "P2-01": 5.0}
    assert figures.values["collective_mu"].to_dict() == {"P1-01": 15.01, "P1-02": 0.0, "P2-01": 40.01}
    assert figures.cut["state_mu"].to_dict() == {"P1-01": 1, "P1-02": 0, "P2-01": 1}
    book = written(tmp_path, contents)
    sheet, header = book.sheet("项目库台账"), book.header("项目库台账")
    rows = {sheet.cell(r, header["连片区"]).value: r for r in range(1, 20)}
    for column in ("其中（亩）/国有", "其中（亩）/集体"):
        marked = sheet.cell(rows["P1-01"], header[column])
        assert marked.comment is not None
        assert "其中1宗" in str(marked.comment.text)
        assert "†" in marked.number_format
        assert sheet.cell(rows["P1-02"], header[column]).comment is None
    assert "国有 2" in notes_of(book, "项目库台账")
    assert "国有 2" not in notes_of(written(tmp_path, contents_of()), "项目库台账")


def late_payments() -> PlanContents:
    """Building of P1-01 goes on till 2029: 100.005 in 2028, 50.005 in 2029; the land counts till 2027."""
    late = pd.DataFrame(
        {
            "block_id": "P1-01",
            "phase": 1,
            "line": "building",
            "payer": "developer",
            "payee": "outside",
            "outlay": "construction",
            "income": None,
            "year": [2028, 2029],
            "amount_yuan": [1_000_050.0, 500_050.0],
            "mode": "acquisition",
        }
    )
    paid = pd.concat([payments_of(), late], ignore_index=True)
    return with_modes(contents_of(), payments=paid)


def test_the_yearly_plan_goes_on_to_the_last_investment(tmp_path: Path) -> None:
    """133.333333 + 66.666667 by 2027, then 100.005 and 50.005: 350.01 in all."""
    book = written(tmp_path, late_payments())
    rows = book.rows("年度实施计划")
    totals = [r["本年投资（万元）"] for r in rows if r["序号"] == "合计"]
    assert len(totals) == 4
    assert totals == pytest.approx([133.33, 66.67, 100.005, 50.005], abs=0.01)
    ledger = book.row("项目库台账", "序号", "合计")["总投资（万元）"]
    assert sum(totals) == pytest.approx(ledger, abs=1e-9)
    assert ledger == 350.01
    assert book.row("年度实施计划", "序号", "各年合计")["本年投资（万元）"] == ledger
    later = [r["本年投资（万元）"] for r in rows if r["序号"] == "以前年度累计"]
    assert later[2:] == totals[2:]  # P1-01 counted in 2026: it is not listed any more


def test_without_months_the_phases_add_up_to_the_cost_of_the_ledger(tmp_path: Path) -> None:
    """10 万元 per mu: 600.11 for the 60.011 mu of the first phase, 450.06 for 45.006 mu of the second."""
    cost = {"optimise": {"cost": {"value": "100000", "per": "mu"}}}
    book = written(tmp_path, contents_of(cost, modes=False))
    totals = [r["本年投资（万元）"] for r in book.rows("年度实施计划") if r["序号"] == "合计"]
    assert totals == pytest.approx([600.11, 450.06])
    assert book.row("年度实施计划", "序号", "各年合计")["本年投资（万元）"] == 1050.17
    assert book.row("项目库台账", "序号", "合计")["总投资（万元）"] == 1050.17


def test_the_years_of_a_project_add_up_to_its_investment() -> None:
    contents = late_payments()
    figures = figures_of(contents)
    years = investment_by_year(contents, figures)
    assert list(years.columns) == [2026, 2027, 2028, 2029]
    assert years.sum(axis=1).round(6).to_dict() == figures.values["investment_wan"].to_dict()
    truth = np.array([[133.333333, 0.0, 100.005, 50.005], [0.0] * 4, [0.0, 66.666667, 0.0, 0.0]])
    assert np.abs(years.to_numpy() - truth).max() < 0.01
