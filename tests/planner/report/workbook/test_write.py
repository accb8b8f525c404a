"""The workbook of a plan worked out by hand."""

from __future__ import annotations

import datetime
import math
import re
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from planner.contents import PlanContents
from planner.labels import label_table
from planner.report.workbook import write_workbook
from tests.planner.report.workbook.small_plan import Opened, contents_of

DAY = datetime.date(2026, 3, 1)
ZH_SHEETS = [
    "主要指标",
    "项目库台账",
    "责任清单",
    "年度实施计划",
    "资金平衡表",
    "面积台账",
    "数据质量",
    "参数及来源",
    "land-consolidation-ledger",
]


def written(folder: Path, contents: PlanContents, **more: Any) -> Opened:
    """Write and open."""
    path = folder / "plan.xlsx"
    write_workbook(contents, path, day=DAY, **{"language": "zh", **more})
    return Opened(path)


@pytest.fixture(scope="module")
def book(tmp_path_factory: pytest.TempPathFactory) -> Opened:
    """The hand plan in Chinese."""
    return written(tmp_path_factory.mktemp("book"), contents_of(), stamp="内部资料 & 秘")


def test_sheets_in_order_and_the_memory_hidden(book: Opened) -> None:
    assert book.shown.sheetnames == ZH_SHEETS
    assert [s.sheet_state for s in book.shown.worksheets] == ["visible"] * 8 + ["hidden"]


def test_every_sheet_says_that_the_land_is_generated_and_has_the_stamp(book: Opened) -> None:
    for sheet in book.shown.worksheets[:-1]:
        texts = [str(c.value) for row in sheet.iter_rows(max_row=3) for c in row if c.value is not None]
        assert "合成数据（非真实地块）" in texts
        assert "内部资料 && 秘" in str(sheet.oddHeader.right.text)
        assert "合成数据" in str(sheet.oddHeader.right.text)
        assert "0123456789ab" in str(sheet.oddFooter.left.text)
        assert "0.1.0" in str(sheet.oddFooter.left.text)
    assert "合成数据（非真实地块）" in [c.value for c in book.shown.worksheets[-1][1]]


def test_pages_are_landscape_with_repeated_and_frozen_headers(book: Opened) -> None:
    for sheet in book.shown.worksheets[:-1]:
        assert sheet.page_setup.orientation == "landscape"
        assert sheet.page_setup.paperSize in {8, 9}
        assert sheet.print_title_rows
        assert sheet.freeze_panes
    for name in ("项目库台账", "责任清单", "年度实施计划"):
        assert book.sheet(name).auto_filter.ref


def test_headers_of_the_ledger_are_the_legal_ones_in_their_order(book: Opened) -> None:
    legal = """
    序号 项目编号 项目名称 类别 镇街 村（社区） 集体经济组织 片区 四至 改造方向 改造模式 改造主体
    用地面积（亩） 其中（亩）/国有 其中（亩）/集体 存量/新增（亩）/存量 存量/新增（亩）/新增 手续（亩）/完善
    手续（亩）/待完善 净用地（亩） 占控制线（m²） 现状建筑（m²） 容积率/现状 容积率/规划 规划计容（万m²）
    宗地（宗） 权利人（户） 企业（家）/企业 企业（家）/规上 亩均税收（万元/亩）/现状 亩均税收（万元/亩）/目标
    亩均产值（万元/亩）/现状 亩均产值（万元/亩）/目标 集体年收入（万元）/改造前 集体年收入（万元）/改造后
    标图建库图斑号 控规符合性 签约率/户数% 签约率/面积% 计划时间（YYYY-MM）/签约 计划时间（YYYY-MM）/拆除
    计划时间（YYYY-MM）/平整 计划时间（YYYY-MM）/验收 计划时间（YYYY-MM）/供地 计划时间（YYYY-MM）/动工 进度
    总投资（万元） 资金缺口（万元） 存在问题 备注 连片区
    """
    assert list(book.header("项目库台账")) == legal.split()


def test_in_english_the_chinese_stands_beneath(tmp_path: Path) -> None:
    opened = written(tmp_path, contents_of(), language="en")
    header = opened.header("Project ledger 项目库台账")
    assert "Project code\n项目编号" in header
    assert "Investment, 10 000 yuan\n总投资（万元）" in header
    assert all("\n" in h for h in header)


def test_rows_of_the_ledger(book: Opened) -> None:
    """P1-01 = 30.007, P1-02 = 30.004, P2-01 = 45.006 mu: shown so that 60.011 and 105.017 come out as 60.01, 105.02."""
    first, second, third = (book.row("项目库台账", "连片区", b) for b in ("P1-01", "P1-02", "P2-01"))
    assert [r["用地面积（亩）"] for r in (first, second, third)] == [30.01, 30.0, 45.01]
    assert [r["项目编号"] for r in (first, second, third)] == ["QX-2026-001", "QX-2026-002", "QX-2026-003"]
    assert [r["类别"] for r in (first, second, third)] == ["本年", "本年", "储备"]
    assert (first["其中（亩）/国有"], first["其中（亩）/集体"]) == (10.0, 20.01)  # 10.004 of 30.01
    assert (second["其中（亩）/国有"], second["其中（亩）/集体"]) == (30.0, 0.0)
    assert (first["改造模式"], first["片区"], first["村（社区）"]) == ("政府收储", "west", "长山头村")
    assert third["村（社区）"] == "罗马村、大埔村"  # the one with most land first
    assert first["计划时间（YYYY-MM）/平整"] == "2026-09"
    assert first["计划时间（YYYY-MM）/动工"] is None
    assert first["宗地（宗）"] == 2
    assert first["亩均税收（万元/亩）/现状"] == pytest.approx(300070 / 30.007 / 10_000)
    assert (first["总投资（万元）"], second["总投资（万元）"], third["总投资（万元）"]) == (133.33, 0.0, 66.67)
    assert (first["资金缺口（万元）"], second["资金缺口（万元）"], third["资金缺口（万元）"]) == (133.33, 0.0, 66.67)


def test_what_is_unknown_is_empty_or_marked_and_told(book: Opened) -> None:
    sheet, header = book.sheet("项目库台账"), book.header("项目库台账")
    first = next(r for r in range(1, 20) if sheet.cell(r, header["连片区"]).value == "P1-01")
    floor = sheet.cell(first, header["现状建筑（m²）"])
    assert floor.value == 5000.0  # of A1; A2 is unknown
    assert floor.comment is not None
    assert "1宗" in str(floor.comment.text)
    assert "†" in floor.number_format
    whole = sheet.cell(first + 1, header["现状建筑（m²）"])
    assert (whole.value, whole.comment) == (3000.5, None)
    assert "†" not in whole.number_format
    total = next(r for r in range(1, 30) if sheet.cell(r, 1).value == "合计")
    assert sheet.cell(total, header["现状建筑（m²）"]).value == 17_000.5
    assert "†" in sheet.cell(total, header["现状建筑（m²）"]).number_format
    assert sheet.cell(first, header["存量/新增（亩）/存量"]).value is None
    assert sheet.cell(first, header["占控制线（m²）"]).value is None
    notes = "\n".join(str(sheet.cell(r, 1).value) for r in range(total, sheet.max_row + 1))
    assert "report.show.stock_mu" in notes
    assert "report.show.township" in notes
    assert "report.show.floor_m2" not in notes


def test_totals_are_formulas_with_their_values(book: Opened) -> None:
    header = book.header("项目库台账")
    shown, formulas = book.sheet("项目库台账"), book.formulas["项目库台账"]
    column = header["用地面积（亩）"]
    at = {shown.cell(r, 1).value: r for r in range(1, 20)}
    assert shown.cell(at["本年：2项"], column).value == 60.01
    assert shown.cell(at["合计"], column).value == 105.02
    assert formulas.cell(at["本年：2项"], column).value == f"=SUM(M{at['本年：2项'] + 1}:M{at['本年：2项'] + 2})"
    assert shown.cell(at["已完成：0项"], column).value is None
    assert formulas.cell(at["合计"], column).value.startswith("=SUM(")


def test_totals_agree_with_the_summary_on_every_sheet(book: Opened) -> None:
    phases = contents_of().summary["phases"]
    for phase in phases:
        shown = round(phase["cumulative_mu"], 2)
        assert book.row("主要指标", "指标", f"{phase['id']}期末累计整备面积")["数值"] == shown
    totals = [r for r in book.rows("年度实施计划") if r["序号"] == "合计"]
    assert [t["累计（亩）"] for t in totals] == [60.01, 105.02]
    assert book.row("面积台账", "序号", "合计")["净面积（亩）"] == 105.02
    assert book.row("面积台账", "序号", "合计")["验收（亩）"] is None


def test_the_yearly_plan(book: Opened) -> None:
    """P2-01 is launched in July 2026 and levelled in May 2027: nothing of it in 2026, carried over in 2027."""
    rows = book.rows("年度实施计划")
    quarters = [f"分季度（亩）/{q}" for q in ("一季度", "二季度", "三季度", "四季度")]
    of = {name: [r for r in rows if r["项目名称"] == name] for name in ("P1-01", "P1-02", "P2-01")}
    assert [[r[q] for q in quarters] for r in of["P1-01"]] == [[0, 0, 30.01, 0]]
    assert [[r[q] for q in quarters] for r in of["P1-02"]] == [[0, 0, 0, 30.0]]
    assert [[r[q] for q in quarters] for r in of["P2-01"]] == [[0, 0, 0, 0], [0, 45.01, 0, 0]]
    assert [r["上年结转（亩）"] for r in of["P2-01"]] == [0, 45.01]
    assert [r["本年投资（万元）"] for r in of["P2-01"]] == [0, 66.67]
    totals = [r for r in rows if r["序号"] == "合计"]
    assert [r["占目标%"] for r in totals] == [pytest.approx(60.01 / 50), pytest.approx(1.0502)]
    assert [r["本年投资（万元）"] for r in totals] == [133.33, 66.67]
    over = [(r["目标（亩）/保底"], r["目标（亩）/力争"]) for r in rows if r["序号"] == "差额"]
    assert over == [(10.01, None), (5.02, -4.98)]
    assert [r["序号"] for r in rows if r["序号"] in {"罗马村", "长山头村"}] == ["罗马村", "长山头村", "罗马村"]


def test_the_responsibility_list(book: Opened) -> None:
    rows = [r for r in book.rows("责任清单") if r["项目编号"] == "QX-2026-001"]
    due = {r["工作任务"]: r["完成时限"] for r in rows}
    assert due == {
        "摸底": None,
        "表决": None,
        "签约": "2026-03",
        "腾挪": "2026-06",  # the only firm that moves leaves at 2025.5, the middle of 2026
        "控规调整": None,
        "完善手续": None,
        "拆除平整": "2026-09",
        "验收": "2026-12",
        "供地": "2027-03",
        "动工": None,
    }
    assert {r["状态"] for r in rows} == {"未启动"}
    assert {r["年度目标（亩）"] for r in rows} == {30.01}


def test_the_funding_balance_adds_up(book: Opened) -> None:
    """Out 133.333333 in 2026 and 66.666667 in 2027, in 200 in 2027: the gap is 133.33 at the end of 2026."""
    rows = {r["项目"]: r for r in book.rows("资金平衡表")}
    years = "分年度（镇街与市级合计，万元）"
    assert [rows["支出合计"][f"{years}/{y}年"] for y in (2026, 2027)] == [133.33, 66.67]
    assert (rows["支出合计"]["合计"], rows["收入合计"]["合计"]) == (200.0, 200.0)
    assert rows["累计结余"][f"{years}/2026年"] == -133.33
    assert (rows["峰值缺口"]["合计"], rows["峰值缺口年份"]["合计"]) == (133.33, 2026)
    assert rows["出让收入"]["各方（万元）/镇街"] == 200.0
    assert rows["土地价款"]["各方（万元）/改造主体"] == 200.0
    names = list(rows)
    assert names.index("土地补偿") < names.index("不可预见费") < names.index("支出合计") < names.index("补缴地价")


def test_without_modes_there_is_no_money_table_but_the_cost(tmp_path: Path) -> None:
    cost = {"optimise": {"cost": {"value": "100000", "per": "mu"}}}
    opened = written(tmp_path, contents_of(cost, modes=False))
    texts = [c for row in opened.sheet("资金平衡表").iter_rows(values_only=True) for c in row if c is not None]
    assert "无资金平衡表：配置中未设改造模式。" in texts
    assert [c for c in texts if isinstance(c, float)] == [60.01, 600.11, 45.01, 450.06, 105.02, 1050.17]
    assert opened.row("项目库台账", "连片区", "P1-01")["计划时间（YYYY-MM）/签约"] is None
    first = next(r for r in opened.rows("年度实施计划") if r["项目名称"] == "P1-01")
    assert (first["分季度（亩）/一季度"], first["本年合计（亩）"]) == (None, 30.01)
    assert first["占目标%"] == pytest.approx(30.01 / 50)


def test_standing_projects_are_done_or_under_way(tmp_path: Path) -> None:
    """Accepted in December 2026: under way in that month, done after it."""
    standing = {"id": "QX-2019-004", "parcels": ["A1", "A2"], "phase": "P1", "mode": "acquisition"}
    contents = contents_of({"optimise": {"locks": {"blocks": [standing]}}})
    for day, group in ((datetime.date(2026, 12, 31), "在建"), (datetime.date(2027, 1, 1), "已完成")):
        write_workbook(contents, tmp_path / "plan.xlsx", day=day, language="zh")
        row = Opened(tmp_path / "plan.xlsx").row("项目库台账", "连片区", "P1-01")
        assert (row["类别"], row["项目编号"]) == (group, "QX-2019-004")


def test_standing_projects_on_cleared_land_are_done(tmp_path: Path) -> None:
    standing = [{"id": "one", "parcels": ["A1", "A2"], "phase": "P1"}, {"id": "two", "parcels": ["A3"], "phase": "P1"}]
    phases = [{"id": "P1", "year": 1, "target_mu": 50}, {"id": "P2", "year": 2, "target_mu": 100}]
    land = {"contiguity": "rolling", "existing": "village == '长山头村'", "phases": phases, "base_year": 0}
    opened = written(tmp_path, contents_of({"optimise": {"locks": {"blocks": standing}, **land}}, modes=False))
    groups = {b: opened.row("项目库台账", "连片区", b)["类别"] for b in ("P1-01", "P1-02", "P2-01")}
    assert groups == {"P1-01": "已完成", "P1-02": "在建", "P2-01": "储备"}


def test_labels_say_the_same_in_both_languages() -> None:
    table = label_table("workbook")
    assert table["en"].keys() == table["zh"].keys()
    for key, text in table["en"].items():
        assert set(re.findall(r"{\d}", text)) == set(re.findall(r"{\d}", table["zh"][key])), key


def test_a_long_name_with_signs_fits_the_head_of_a_page(tmp_path: Path) -> None:
    opened = written(tmp_path, contents_of({"project": {"name": "&" * 300}}), stamp="&密" * 100)
    for sheet in opened.shown.worksheets[:-1]:
        assert str(sheet.oddHeader.left.text).strip("&") == ""
        assert "合成数据" in str(sheet.oddHeader.right.text)


def test_parameters_name_source_and_date_of_every_figure(book: Opened) -> None:
    rows = book.rows("参数及来源")
    price = next(r for r in rows if r["参数"] == "price")
    assert (price["数值"], price["单位"], price["来源"], price["日期"]) == (150000, "yuan/mu", "listings", "2024-06")
    rents = {r["适用于"]: r["数值"] for r in rows if r["参数"] == "rent"}
    assert rents == {"land_use = industry": 12, "land_use = housing": 20}
    assert next(r for r in rows if r["参数"] == "差距")["数值"] == pytest.approx(1.23)
    assert next(r for r in rows if r["参数"] == "配置哈希")["说明"] == "fedcba"
    stretch = [r["数值"] for r in rows if r["参数"] == "目标（力争，累计）"]
    assert stretch == [110]


def test_data_quality(book: Opened) -> None:
    rows = [r for r in book.rows("数据质量") if isinstance(r["序号"], int)]
    assert [r["问题"] for r in rows] == ["in no zone", "field far unknown"]
    assert rows[0]["宗地（前几宗）"] == "X1, X2 等另5项"
    assert (rows[0]["涉及面积（亩）"], rows[1]["涉及面积（亩）"]) == (12.0, None)


def test_headline_indicators(book: Opened) -> None:
    value = {r["指标"]: r["数值"] for r in book.rows("主要指标")}
    assert value["P2：占力争目标"] == pytest.approx(100 * 105.02 / 110)
    assert (value["100亩以上连片区"], value["最大连片区"]) == (0, 45.01)
    assert value["财政资金峰值缺口"] == pytest.approx(133.333333)


def test_hand_columns_are_open_and_coloured(book: Opened) -> None:
    sheet, header = book.sheet("项目库台账"), book.header("项目库台账")
    at = next(r for r in range(1, 20) if sheet.cell(r, header["连片区"]).value == "P1-01")
    for name, k in header.items():
        hand = name in {"项目名称", "四至", "改造方向", "改造主体", "进度", "存在问题", "备注"}
        assert sheet.cell(at, k).protection.locked is not hand
        assert (sheet.cell(at, k).fill.fgColor.rgb == "FFFFF7D6") is hand


def test_the_same_contents_give_the_same_bytes(tmp_path: Path) -> None:
    contents = contents_of()
    for name in ("a.xlsx", "b.xlsx"):
        write_workbook(contents, tmp_path / name, day=DAY)
    assert (tmp_path / "a.xlsx").read_bytes() == (tmp_path / "b.xlsx").read_bytes()


def test_the_order_of_rows_changes_nothing(tmp_path: Path) -> None:
    contents = contents_of()
    tables = contents.tables
    turned = type(tables)(
        tables.parcels.iloc[::-1].reset_index(drop=True),
        tables.blocks.iloc[::-1].reset_index(drop=True),
        *(getattr(tables, name) for name in ("zones", "links", "barriers", "repair_log")),
    )
    modes = {
        name: t.iloc[::-1].reset_index(drop=True) for name, t in contents.modes.items() if name != "funding_balance"
    }
    other = PlanContents(contents.config, turned, contents.summary, {**contents.modes, **modes})
    write_workbook(contents, tmp_path / "a.xlsx", day=DAY)
    write_workbook(other, tmp_path / "b.xlsx", day=DAY)
    assert (tmp_path / "a.xlsx").read_bytes() == (tmp_path / "b.xlsx").read_bytes()


HOSTILE = [
    "=cmd|' /C calc'!A0",
    "@SUM(1+1)",
    "+1",
    "-2+3",
    "http://example.org/x",
    "x" * 40_000,
    "bell\a\x00 tab\t",
    "_x0041_",
]


def test_hostile_text_stays_text(tmp_path: Path) -> None:
    contents = contents_of({"project": {"name": HOSTILE[0]}})
    villages = [*HOSTILE[:2], HOSTILE[5], *HOSTILE[2:5]]
    parcels = contents.tables.parcels.assign(village=villages)
    blocks = contents.tables.blocks.assign(zone=["@SUM(1)", "+1", "=1"])
    tables = type(contents.tables)(parcels, blocks, *(contents.tables.zones,) * 4)
    finding = {"count": 1, "area_mu": 1.0, "to_fix": True}
    found = [finding | {"what": text, "parcel_ids": [text[:50]]} for text in HOSTILE]
    hostile = PlanContents(contents.config, tables, {**contents.summary, "data_quality": found}, contents.modes)
    opened = written(tmp_path, hostile, stamp=HOSTILE[4])
    assert [opened.row("项目库台账", "连片区", b)["片区"] for b in ("P1-01", "P1-02", "P2-01")] == [
        "@SUM(1)",
        "+1",
        "=1",
    ]
    shown = [r["问题"] for r in opened.rows("数据质量") if isinstance(r["序号"], int)]
    assert [t for t in shown if not t.startswith("xxx")] == [
        re.sub("[\x00\a]", lambda m: chr(0x2400 + ord(m[0])), t) for t in HOSTILE if not t.startswith("xxx")
    ]
    long = next(t for t in shown if t.startswith("xxx"))
    assert len(long) <= 32_767
    assert long.endswith("… (40000)")
    for sheet in opened.formulas.worksheets:
        assert not sheet._hyperlinks
        for cell in (c for r in sheet.iter_rows() for c in r if c.data_type == "f"):
            assert re.fullmatch(r"=[A-Z0-9(),:+*/.\-]+", str(cell.value))


def test_a_plan_without_a_block_has_a_workbook_too(tmp_path: Path) -> None:
    contents = contents_of(modes=False)
    parcels = contents.tables.parcels.assign(
        block_id=pd.Series([None] * 6, dtype=object), phase=pd.array([None] * 6, dtype="Int64"), status="eligible"
    )
    tables = type(contents.tables)(parcels, contents.tables.blocks.iloc[:0], *(contents.tables.zones,) * 4)
    summary = {**contents.summary, "area_ledger": [{**contents.summary["area_ledger"][-1], "net_mu": 0.0}]}
    opened = written(tmp_path, PlanContents(contents.config, tables, summary, {}))
    assert opened.row("项目库台账", "序号", "储备：0项")["用地面积（亩）"] is None


def test_numbers_are_numbers(book: Opened) -> None:
    for name in ("项目库台账", "年度实施计划", "资金平衡表", "面积台账"):
        for row in book.sheet(name).iter_rows():
            for cell in row:
                assert not (isinstance(cell.value, str) and re.fullmatch(r"-?[\d,]+\.\d+", cell.value))
                assert not (isinstance(cell.value, float) and math.isnan(cell.value))
