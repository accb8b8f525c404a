"""Names written over the map: blocks, circles, numbers of parcels and of boundary points."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import matplotlib.patheffects as effects
import numpy as np
import shapely
from matplotlib.collections import LineCollection

from planner.report.printed import symbols
from planner.report.printed.drawing import Geometries, View
from planner.report.printed.job import PrintJob, mu
from planner.report.printed.labelling import place_names
from planner.report.printed.page import LINE_HEIGHT, Page
from planner.report.printed.theme import shapes

_HALO: Final = 2.6
_ZONE_SIZE: Final = 13.0
_SPOTS: Final = 48
"""Places along an outline that are tried for a name."""
_POINT_SIZE: Final = 5.5
_POINT_OFFSET_MM: Final = 2.6


def name_blocks(
    job: PrintJob, page: Page, view: View, outlines: Geometries | None = None, without: str | None = None
) -> list[str]:
    """Write code and mu over the blocks, largest first; says how many found no room.

    Parameters
    ----------
    job : PrintJob
    page : Page
    view : View
    outlines : numpy.ndarray of object, optional
        Shapes in which the names of the blocks are to stand; the blocks themselves when absent.
    without : str, optional
        A block without a name here.
    """
    blocks = job.contents.tables.blocks
    outlines = shapes(blocks) if outlines is None else outlines
    wanted = view.shown(outlines) & (blocks["block_id"] != without).to_numpy(dtype=bool)
    seen, outlines = blocks[wanted].reset_index(drop=True), outlines[wanted]
    order = seen.sort_values(["area_mu", "block_id"], ascending=[False, True]).index.to_numpy()
    rows = [
        (page.face.printable(job.code(str(b))), page.face.printable(job.word("area", mu(a))))
        for b, a in zip(seen["block_id"].iloc[order], seen["area_mu"].iloc[order], strict=True)
    ]
    unplaced = _write_names(page, view, outlines[order], rows)
    return [job.word("names_left_out", len(unplaced))] if unplaced else []


def number_shapes(page: Page, view: View, geometries: Geometries) -> None:
    """Write 1, 2, 3 … into shapes where there is room."""
    _write_names(page, view, geometries, [(str(i + 1),) for i in range(len(geometries))], leaders=False)


def number_points(page: Page, view: View, points: Any) -> None:
    """Mark points, and write J1, J2, J3 … beside them where there is room; the table has them all."""
    if not len(points):
        return
    corner, origin = np.array([view.box.x, view.box.y]), np.array([view.west, view.south])
    on_paper = (points - origin) / view.m_per_mm + corner
    page.paper.plot(on_paper[:, 0], on_paper[:, 1], "o", markersize=2.2, color="black", zorder=3.5)
    turn = np.arange(8) * np.pi / 4
    taken = _written(page)
    for i, spot in enumerate(on_paper):
        label = f"J{i + 1}"
        wide, high = page.face.width_mm(label, _POINT_SIZE) + 0.3, _POINT_SIZE * LINE_HEIGHT
        for x, y in spot + _POINT_OFFSET_MM * np.column_stack([np.cos(turn), np.sin(turn)]):
            rectangle = shapely.box(x - wide / 2, y - high / 2, x + wide / 2, y + high / 2)
            if not any(rectangle.intersects(other) for other in taken):
                _write(page, view, label, (x, y), _POINT_SIZE, "black", bold=False)
                taken.append(rectangle)
                break


def zone_names(job: PrintJob, page: Page, view: View) -> None:
    """Write the names of the circles beside their outline, where nothing else is written."""
    zones = job.contents.tables.zones
    if not len(zones):
        return
    outlines = view.to_paper(shapes(zones))
    for name, outline in sorted(zip(zones["zone"].astype(str), outlines, strict=True), key=lambda pair: pair[0]):
        label = page.face.printable(name)
        wide, high = page.face.width_mm(label, _ZONE_SIZE, True) + 2.0, _ZONE_SIZE * LINE_HEIGHT + 0.6
        spot = _free_spot(page, view, outline, wide, high)
        if spot is not None:
            _write(page, view, label, spot, _ZONE_SIZE, symbols.ZONE.edge or "black", bold=True)


def _free_spot(page: Page, view: View, around: Any, wide: float, high: float) -> tuple[float, float] | None:
    """Place for a name: on the outline of a shape, the further north the better, else beside its extent."""
    west, south, east, north = shapely.bounds(around)
    x, y = (west + east) / 2, (south + north) / 2
    shifts = [x + share * (east - west) for share in (0.0, -0.25, 0.25)]
    spots = sorted(_along(around), key=lambda spot: (-round(spot[1], 1), abs(spot[0] - x)))
    spots += [*((at, north + high) for at in shifts), *((at, south - high) for at in shifts)]
    spots += [(west - wide / 2 - 1, y), (east + wide / 2 + 1, y), *((at, north - high) for at in shifts)]
    inside = shapely.box(view.box.x, view.box.y, view.box.right, view.box.top)
    written = _written(page)
    for a, b in spots:
        rectangle = shapely.box(a - wide / 2, b - high / 2, a + wide / 2, b + high / 2)
        if inside.contains(rectangle) and not any(rectangle.intersects(other) for other in written):
            return a, b
    return None


def _along(shape: Any) -> list[tuple[float, float]]:
    """Points along the longest outline of a shape."""
    outline = max(shapely.get_parts(shapely.boundary(shape)), key=shapely.length)
    shares = np.arange(_SPOTS) / _SPOTS
    points = shapely.line_interpolate_point(outline, shares, normalized=True)
    return [(float(p.x), float(p.y)) for p in points]


def _written(page: Page) -> list[Any]:
    """Extents of what is written in the middle of its place, as on maps, mm."""
    return [
        shapely.box(*_extent(page, item))
        for item, _ in page.texts
        if item.get_horizontalalignment() == "center" and item.get_path_effects()
    ]


def _extent(page: Page, item: Any) -> tuple[float, float, float, float]:
    x, y = item.get_position()
    rows = item.get_text().split("\n")
    wide = max(page.face.width_mm(row, item.get_fontsize()) for row in rows)
    high = item.get_fontsize() * LINE_HEIGHT * len(rows)
    return x - wide / 2, y - high / 2, x + wide / 2, y + high / 2


def _write_names(
    page: Page, view: View, outlines: Geometries, rows: Sequence[tuple[str, ...]], *, leaders: bool = True
) -> list[int]:
    """Write rows of text into shapes on the ground, never over what is written; which found no room."""

    def measure(index: int, size: float) -> tuple[float, float]:
        wide = max(page.face.width_mm(row, size) for row in rows[index])
        return wide + 0.6, len(rows[index]) * size * LINE_HEIGHT + 0.4

    placed, unplaced = place_names(view.to_paper(outlines), measure, view.box, _written(page))
    lines = []
    for name in placed:
        middle = (name.x, name.y)
        if name.leader is not None and not leaders:
            continue
        _write(page, view, "\n".join(rows[name.index]), middle, name.size, "black", bold=False)
        if name.leader is not None:
            lines.append([middle, name.leader])
    if lines:
        page.paper.add_collection(LineCollection(lines, colors="black", linewidths=0.6, zorder=2))
    return unplaced


def _write(
    page: Page, view: View, label: str, middle: tuple[float, float], size: float, colour: str, bold: bool
) -> None:
    """Text with a white halo on the map."""
    item = page.paper.text(
        *middle,
        label,
        fontsize=size,
        ha="center",
        va="center",
        color=colour,
        linespacing=1.15,
        fontweight="bold" if bold else "normal",
        parse_math=False,
        zorder=4,
        path_effects=[effects.withStroke(linewidth=_HALO, foreground="white")],
    )
    page.texts.append((item, view.box))
