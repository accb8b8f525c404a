"""A sheet with one map: title over it, legend, notes and title block under it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from planner.report.printed.drawing import MARGIN_MM, View, draw, open_view
from planner.report.printed.furniture import (
    BLOCK_MM,
    NOTES_MM,
    TITLE_MM,
    legend,
    legend_height,
    notes_box,
    title_block,
    title_strip,
)
from planner.report.printed.job import PrintJob
from planner.report.printed.names import name_blocks, zone_names
from planner.report.printed.page import FRAME, Box, Page
from planner.report.printed.scale import fits, fitting_scale, scale_text
from planner.report.printed.theme import Theme

_EDGE_MM: Final = 2.0
"""Least distance of the land from the frame."""
_LOCATION_STEPS: Final = 2.0
"""The location is shown at a scale at least so many times smaller."""


@dataclass(frozen=True)
class Sheet:
    """A finished page.

    Attributes
    ----------
    page : Page
    title : str
    view : View or None
        Its map, if it has one.
    """

    page: Page
    title: str
    view: View | None = None


def theme_sheet(job: PrintJob, theme: Theme, title: str, count: tuple[int, int]) -> Sheet:
    """Draw a theme.

    Parameters
    ----------
    job : PrintJob
    theme : Theme
    title : str
        Over the map.
    count : tuple of int
        Number of the page and of all pages.
    """
    page = Page.new(job.face)
    strip = legend_height(theme.layers)
    box = Box(FRAME.x, FRAME.y + strip, FRAME.width, FRAME.height - strip - TITLE_MM)
    view, notes = _main_view(job, page, box, theme)
    for layer in theme.layers:
        if layer.symbol is not None:
            draw(view, layer.geometries, layer.symbol, layer.level)
    if theme.block_names:
        notes = [*notes, *name_blocks(job, page, view)]
    zone_names(job, page, view)
    name = job.word(f"sheet_{theme.key}")
    title_strip(page, job, title, job.contents.config.project.name)
    legend(page, job, Box(FRAME.x, FRAME.y, FRAME.width - BLOCK_MM - NOTES_MM, strip), theme.layers)
    notes_box(
        page, job, Box(FRAME.right - BLOCK_MM - NOTES_MM, FRAME.y, NOTES_MM, strip), view.scale, [*theme.notes, *notes]
    )
    title_block(page, job, Box(FRAME.right - BLOCK_MM, FRAME.y, BLOCK_MM, strip), name, count, view.scale)
    return Sheet(page, title, view)


def _main_view(job: PrintJob, page: Page, box: Box, theme: Theme) -> tuple[View, list[str]]:
    """The map over the whole study area, at the scale that is asked for or the largest round one that fits."""
    west, south, east, north = job.contents.tables.parcels.total_bounds
    room = (box.width - 2 * (MARGIN_MM + _EDGE_MM), box.height - 2 * (MARGIN_MM + _EDGE_MM))
    asked = job.contents.config.report.print.scale
    scale = fitting_scale(east - west, north - south, room)
    if theme.key == "location":
        times = _LOCATION_STEPS
        scale = fitting_scale(times * (east - west), times * (north - south), room)
    elif asked is not None:
        scale = asked
    page.boxes["map"] = box
    view = open_view(page, box, ((west + east) / 2, (south + north) / 2), scale)
    if fits(east - west, north - south, room, scale):
        return view, []
    return view, [_cut_note(job, view)]


def _cut_note(job: PrintJob, view: View) -> str:
    """The land is larger than the paper at the scale that is asked for: say what cannot be seen."""
    bounds = job.contents.tables.parcels.geometry.bounds.to_numpy()
    west, south, east, north = view.extent
    whole = (bounds[:, 0] >= west) & (bounds[:, 1] >= south) & (bounds[:, 2] <= east) & (bounds[:, 3] <= north)
    note = job.word("cut", scale_text(view.scale), int((~whole).sum()))
    job.warn(note)
    return note
