"""A sheet per block 一地块一图: the block among its neighbours, its figures, parcels and boundary points."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
import shapely

from planner.report.printed import symbols
from planner.report.printed.block_facts import BlockFacts
from planner.report.printed.drawing import MARGIN_MM, View, draw, open_view
from planner.report.printed.furniture import (
    BLOCK_MM,
    NOTES_MM,
    STRIP_MM,
    TITLE_MM,
    legend,
    legend_height,
    notes_box,
    title_block,
    title_strip,
)
from planner.report.printed.job import PrintJob, number
from planner.report.printed.names import name_blocks, number_points, number_shapes
from planner.report.printed.page import FRAME, Box, Page
from planner.report.printed.scale import fitting_scale
from planner.report.printed.sheet import Sheet
from planner.report.printed.table import Column, draw_table, height_of, rows_in
from planner.report.printed.theme import (
    BLOCKS,
    ON_TOP,
    Layer,
    barrier_layers,
    boundary_layers,
    closed_blocks,
    control_layers,
    fabric,
    holdout_layer,
)

MAP_MM: Final = 196.0
_GAP_MM: Final = 3.0
_FIGURE_MM: Final = 4.7
_AROUND: Final = 1.3
"""The map shows the block and so much round it."""
_POINT_COLUMNS: Final = 4
_POINT_ROW_MM: Final = 3.5
_NOTE_MM: Final = 6.0
_SIDE_BY_SIDE: Final = 2


@dataclass(frozen=True)
class _Plan:
    """How the sheets of a block are filled: rows of parcels on the first page, and where the points stand."""

    first_rows: int
    further: list[tuple[int, int]]
    points_on: int | None


@dataclass(frozen=True)
class Surroundings:
    """What all sheets of blocks show alike, made once."""

    layers: tuple[Layer, ...]
    outlines: Any
    ids: Any


def surroundings(job: PrintJob) -> Surroundings:
    """Parcels, other blocks and lines."""
    layers = (
        *boundary_layers(job),
        replace(fabric(job), parcels=None, area_mu=None),
        *holdout_layer(job),
        *control_layers(job),
        *barrier_layers(job),
    )
    return Surroundings(layers, closed_blocks(job), job.contents.tables.blocks["block_id"].astype(str).to_numpy())


def pages_of(facts: BlockFacts, strip: float = STRIP_MM) -> int:
    """How many pages a block takes."""
    return 1 + len(_plan(facts, strip).further)


def block_sheets(
    job: PrintJob, around: Surroundings, facts: BlockFacts, first: int, count: int, strip: float
) -> Iterator[Sheet]:
    """Pages of a block.

    Parameters
    ----------
    job : PrintJob
    around : Surroundings
    facts : BlockFacts
    first, count : int
        Number of the first page, and of all pages of the atlas.
    strip : float
        Height under the map, mm, the same on all sheets.
    """
    plan = _plan(facts, strip)
    yield _first_page(job, around, facts, plan, (first, count), strip)
    for i, (start, stop) in enumerate(plan.further):
        yield _further_page(job, facts, plan, (start, stop), (first + i + 1, count), strip)


def strip_height(around: Surroundings) -> float:
    """Height under the map that the legend of the sheets of blocks needs."""
    return legend_height([*around.layers, *around.layers[:2]])


def _area(strip: float) -> Box:
    return Box(FRAME.x, FRAME.y + strip, FRAME.width, FRAME.height - strip - TITLE_MM)


def _plan(facts: BlockFacts, strip: float) -> _Plan:
    room = _area(strip).height - 2 * _GAP_MM - _figures_height(facts) - _GAP_MM
    points = height_of(math.ceil(len(facts.points) / _POINT_COLUMNS), _POINT_ROW_MM) + _GAP_MM
    if height_of(len(facts.rows)) + points <= room:
        return _Plan(len(facts.rows), [], 0)
    first = min(len(facts.rows), rows_in(room - _NOTE_MM))
    if first == len(facts.rows):
        return _Plan(first, [], None)
    further, at = [], first
    page_height = _area(strip).height - 2 * _GAP_MM
    per_page = _SIDE_BY_SIDE * rows_in(page_height)
    while at < len(facts.rows):
        further.append((at, min(at + per_page, len(facts.rows))))
        at = further[-1][1]
    start, stop = further[-1]
    used = height_of(math.ceil((stop - start) / _SIDE_BY_SIDE)) + _GAP_MM
    wide = height_of(math.ceil(len(facts.points) / (2 * _POINT_COLUMNS)), _POINT_ROW_MM)
    return _Plan(first, further, len(further) if used + wide <= page_height else None)


def _figures_height(facts: BlockFacts) -> float:
    rows = math.ceil(len(facts.figures) / 2)
    return 6.0 + rows * _FIGURE_MM + (2 * _FIGURE_MM + 1.5 if facts.milestones else 0.0)


def _first_page(
    job: PrintJob, around: Surroundings, facts: BlockFacts, plan: _Plan, count: tuple[int, int], strip: float
) -> Sheet:
    page = Page.new(job.face)
    area = _area(strip)
    map_box = Box(area.x, area.y, MAP_MM, area.height)
    layers = _layers(job, around, facts)
    view = _map(job, page, map_box, layers, around, facts)
    if plan.points_on == 0:
        number_points(page, view, facts.points)
    number_shapes(page, view, _parcels(job, facts))
    notes = name_blocks(job, page, view, around.outlines, facts.block_id)
    panel = Box(
        map_box.right + _GAP_MM, area.y + _GAP_MM, FRAME.right - map_box.right - 2 * _GAP_MM, area.height - 2 * _GAP_MM
    )
    page.boxes["panel"] = panel
    page.lines([[(map_box.right, area.y), (map_box.right, area.top)]], width_mm=0.35)
    _panel(job, page, panel, facts, plan)
    _finish(job, page, facts, count, strip, view.scale)
    legend(page, job, Box(FRAME.x, FRAME.y, FRAME.width - BLOCK_MM - NOTES_MM, strip), layers)
    notes_box(page, job, Box(FRAME.right - BLOCK_MM - NOTES_MM, FRAME.y, NOTES_MM, strip), view.scale, notes)
    return Sheet(page, facts.code, view)


def _finish(
    job: PrintJob, page: Page, facts: BlockFacts, count: tuple[int, int], strip: float, scale: int | None
) -> None:
    name = job.word("block_title", facts.code)
    title_strip(page, job, job.word("atlas_title", job.contents.title, name))
    title_block(page, job, Box(FRAME.right - BLOCK_MM, FRAME.y, BLOCK_MM, strip), name, count, scale)


def _parcels(job: PrintJob, facts: BlockFacts) -> Any:
    parcels = job.contents.tables.parcels.set_index("parcel_id")
    return np.asarray(parcels.geometry.loc[facts.parcel_ids].to_numpy(), dtype=object)


def _layers(job: PrintJob, around: Surroundings, facts: BlockFacts) -> list[Layer]:
    """The block and the others, among what all sheets show."""
    own = symbols.phase_symbol(facts.phase, len(job.phases))
    plain = symbols.Symbol("area", fill=own.fill, edge="#3D3D3D", width_mm=0.2)
    this = Layer(plain, _parcels(job, facts), job.word("this_block"), parcels=None)
    others = Layer(symbols.BLOCK, around.outlines[around.ids != facts.block_id], job.word("other_blocks"), BLOCKS)
    edge = symbols.Symbol("line", edge="#000000", width_mm=1.0)
    border = Layer(edge, around.outlines[around.ids == facts.block_id], job.word("block_border"), ON_TOP)
    others = replace(others, symbol=replace(symbols.BLOCK, width_mm=0.35, style=(0, (5, 1.5)), edge="#3D3D3D"))
    return [this, border, others, *around.layers]


def _map(job: PrintJob, page: Page, box: Box, layers: Sequence[Layer], around: Surroundings, facts: BlockFacts) -> View:
    page.boxes["map"] = box
    west, south, east, north = shapely.total_bounds(around.outlines[around.ids == facts.block_id])
    room = (box.width - 2 * MARGIN_MM, box.height - 2 * MARGIN_MM)
    scale = fitting_scale(_AROUND * (east - west), _AROUND * (north - south), room)
    view = open_view(page, box, ((west + east) / 2, (south + north) / 2), scale)
    for layer in layers:
        if layer.symbol is not None:
            draw(view, layer.geometries, layer.symbol, layer.level)
    return view


def _panel(job: PrintJob, page: Page, panel: Box, facts: BlockFacts, plan: _Plan) -> None:
    """Figures, parcels, points, from the top."""
    height = _figures_height(facts)
    _figures(job, page, Box(panel.x, panel.top - height, panel.width, height), facts)
    top = panel.top - height - _GAP_MM
    rows = facts.rows[: plan.first_rows]
    rest = len(facts.rows) - len(rows)
    title = job.word("parcels_title") if not rest else job.word("parcels_continued", len(rows), len(facts.rows))
    table = Box(panel.x, panel.y, panel.width, top - panel.y)
    draw_table(page, table, title, facts.columns, rows)
    top -= height_of(len(rows)) + _GAP_MM
    if plan.points_on == 0:
        _points(job, page, Box(panel.x, panel.y, panel.width, top - panel.y), facts, _POINT_COLUMNS)
    elif plan.points_on is None:
        note = job.word("points_elsewhere", len(facts.points))
        page.text(Box(panel.x, panel.y, panel.width, _NOTE_MM - 1), note, size=7.5)


def _figures(job: PrintJob, page: Page, box: Box, facts: BlockFacts) -> None:
    page.text(Box(box.x, box.top - 5.5, box.width, 5.5), job.word("figures"), size=9, bold=True)
    rows = math.ceil(len(facts.figures) / 2)
    width = box.width / 2
    for i, (name, value) in enumerate(facts.figures):
        column, row = divmod(i, rows)
        cell = Box(box.x + column * width, box.top - 6.0 - (row + 1) * _FIGURE_MM, width, _FIGURE_MM)
        page.rectangle(cell, width_mm=0.12)
        page.text(Box(cell.x + 1, cell.y, 0.42 * width, cell.height), name, size=7.5)
        page.text(Box(cell.x + 0.44 * width, cell.y, 0.56 * width - 1, cell.height), value, size=8, bold=True)
    width = box.width / max(len(facts.milestones), 1)
    top = box.top - 6.0 - rows * _FIGURE_MM - 1.5
    for i, (name, month) in enumerate(facts.milestones):
        for j, shown in enumerate((name, month)):
            cell = Box(box.x + i * width, top - (j + 1) * _FIGURE_MM, width, _FIGURE_MM)
            page.rectangle(cell, width_mm=0.12, face="#ECECEC" if j == 0 else "none")
            page.text(cell.inset(0.4), shown, size=7.5, align="center", bold=j == 1)


def _points(job: PrintJob, page: Page, box: Box, facts: BlockFacts, groups: int) -> None:
    """Numbered points in groups of columns: X is north and Y east, as in Chinese surveys."""
    heads = [
        Column(job.word("point"), 8, "center"),
        Column(job.word("north_m"), 16, "right"),
        Column(job.word("east_m"), 16, "right"),
    ]
    cells = [[f"J{i + 1}", _metres(y), _metres(x)] for i, (x, y) in enumerate(facts.points)]
    rows = math.ceil(len(cells) / groups)
    cells += [["", "", ""]] * (rows * groups - len(cells))
    lines = [[c for g in range(groups) for c in cells[g * rows + r]] for r in range(rows)]
    draw_table(page, box, job.word("points_title"), heads * groups, lines, 6.5, _POINT_ROW_MM)


def _metres(value: float) -> str:
    return number(value, 3).replace(",", "")


def _further_page(
    job: PrintJob, facts: BlockFacts, plan: _Plan, span: tuple[int, int], count: tuple[int, int], strip: float
) -> Sheet:
    """The rest of the parcels, in two tables side by side, and the points if there is room for them."""
    page = Page.new(job.face)
    area = _area(strip).inset(_GAP_MM)
    page.boxes["panel"] = area
    rows = facts.rows[span[0] : span[1]]
    half = math.ceil(len(rows) / _SIDE_BY_SIDE)
    width = (area.width - _GAP_MM) / _SIDE_BY_SIDE
    title = job.word("parcels_further", span[0] + 1, span[1], len(facts.rows))
    for i in range(_SIDE_BY_SIDE):
        part = rows[i * half : (i + 1) * half]
        if part:
            draw_table(
                page, Box(area.x + i * (width + _GAP_MM), area.y, width, area.height), title, facts.columns, part
            )
    if plan.points_on == plan.further.index(span) + 1:
        box = Box(area.x, area.y, area.width, area.height - height_of(half) - _GAP_MM)
        _points(job, page, box, facts, 2 * _POINT_COLUMNS)
    _finish(job, page, facts, count, strip, None)
    return Sheet(page, facts.code)
