"""Geometry on the map: thousands of parcels as one path, lines, hatches, coordinates on the frame."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import shapely
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.patches import PathPatch
from matplotlib.path import Path as Outline

from planner.report.printed.page import Box, Page, points
from planner.report.printed.scale import MM_PER_M, round_length_m
from planner.report.printed.symbols import Symbol

Geometries = npt.NDArray[np.object_]

MARGIN_MM: Final = 4.0
"""Round the map, for the coordinates."""
_GRID_MM: Final = 60.0
_CROSS_MM: Final = 2.0
_TICK_SIZE: Final = 6.0
_FINE_FROM: Final = 10_000
"""At smaller scales than this the edges of areas get finer: they would else hide the areas."""


@dataclass(frozen=True)
class View:
    """A map on a page: where it lies on the paper and which ground it shows.

    Attributes
    ----------
    axes : matplotlib.axes.Axes
    box : Box
        On the paper, mm.
    west, south : float
        Ground coordinates of its lower left corner, m.
    scale : int
        Denominator.
    """

    axes: Axes
    box: Box
    west: float
    south: float
    scale: int

    @property
    def m_per_mm(self) -> float:
        """Ground metres per millimetre of paper."""
        return self.scale / MM_PER_M

    @property
    def extent(self) -> tuple[float, float, float, float]:
        """West, south, east, north, m."""
        return (
            self.west,
            self.south,
            self.west + self.box.width * self.m_per_mm,
            self.south + self.box.height * self.m_per_mm,
        )

    def to_paper(self, geometries: Geometries) -> Geometries:
        """Geometries in mm on the paper."""
        origin, step = np.array([self.west, self.south]), self.m_per_mm
        corner = np.array([self.box.x, self.box.y])
        return np.asarray(shapely.transform(geometries, lambda xy: (xy - origin) / step + corner), dtype=object)

    def shown(self, geometries: Geometries) -> npt.NDArray[np.bool_]:
        """Which geometries reach into the map."""
        west, south, east, north = self.extent
        bounds = shapely.bounds(geometries)
        with np.errstate(invalid="ignore"):
            inside = (bounds[:, 0] < east) & (bounds[:, 2] > west) & (bounds[:, 1] < north) & (bounds[:, 3] > south)
        return np.asarray(inside, dtype=bool)


def open_view(page: Page, box: Box, centre: tuple[float, float], scale: int) -> View:
    """A map in `box` less its margin, at a true scale, with coordinates round it."""
    inner = box.inset(MARGIN_MM)
    axes = page.axes(inner)
    m_per_mm = scale / MM_PER_M
    view = View(axes, inner, centre[0] - inner.width * m_per_mm / 2, centre[1] - inner.height * m_per_mm / 2, scale)
    west, south, east, north = view.extent
    axes.set_xlim(west, east)
    axes.set_ylim(south, north)
    axes.set_xticks([])
    axes.set_yticks([])
    for spine in axes.spines.values():
        spine.set_linewidth(points(0.3))
    _coordinates(page, view)
    return view


def draw(view: View, geometries: Geometries, symbol: Symbol, level: float) -> None:
    """Draw geometries by a symbol; `level` says what lies over what."""
    known = geometries[~(shapely.is_missing(geometries) | shapely.is_empty(geometries))]
    seen = known[view.shown(known)]
    if len(seen) == 0:
        return
    if symbol.kind == "area":
        _areas(view, seen, symbol, level)
    else:
        _lines(view, seen, symbol, level)


def outline(geometries: Geometries) -> Outline | None:
    """One path round all polygons, holes wound the other way; None where there is no polygon."""
    parts = shapely.get_parts(shapely.get_parts(geometries))
    polygons = parts[shapely.get_dimensions(parts) == 2]
    if len(polygons) == 0:
        return None
    _, corners, (ring_starts, _) = shapely.to_ragged_array(shapely.orient_polygons(polygons))
    codes = np.full(len(corners), Outline.LINETO, dtype=np.uint8)
    codes[ring_starts[:-1]] = Outline.MOVETO
    codes[ring_starts[1:] - 1] = Outline.CLOSEPOLY
    return Outline(corners[:, :2], codes)


def _areas(view: View, geometries: Geometries, symbol: Symbol, level: float) -> None:
    path = outline(geometries)
    if path is None:
        return
    edge = symbol.edge or "none"
    width = points(symbol.width_mm * min(1.0, _FINE_FROM / view.scale)) if symbol.edge else 0.0
    view.axes.add_artist(
        PathPatch(path, facecolor=symbol.fill or "none", edgecolor=edge, linewidth=width, zorder=level)
    )
    if symbol.hatch:
        view.axes.add_artist(
            PathPatch(
                path,
                facecolor="none",
                edgecolor=symbol.hatch_colour,
                linewidth=0.0,
                hatch=symbol.hatch,
                zorder=level + 0.1,
            )
        )


def _lines(view: View, geometries: Geometries, symbol: Symbol, level: float) -> None:
    parts = shapely.get_parts(shapely.get_parts(geometries))
    dimensions = shapely.get_dimensions(parts)
    lines = np.concatenate([shapely.boundary(parts[dimensions == 2]), parts[dimensions == 1]])
    segments = [shapely.get_coordinates(line) for line in shapely.get_parts(lines)]
    view.axes.add_collection(
        LineCollection(
            segments,
            colors=symbol.edge,
            linewidths=points(symbol.width_mm),
            linestyles=[symbol.style],
            capstyle="butt" if symbol.style != "solid" else "round",
            zorder=level,
        ),
        autolim=False,
    )
    spots = shapely.get_coordinates(parts[dimensions == 0])
    if len(spots):
        view.axes.plot(
            spots[:, 0], spots[:, 1], "o", markersize=3, color=symbol.edge, zorder=level, scalex=False, scaley=False
        )


def _coordinates(page: Page, view: View) -> None:
    """Crosses on the ground at round coordinates, and their numbers round the map."""
    step = round_length_m(view.scale, _GRID_MM)
    west, south, east, north = view.extent
    xs = np.arange(np.ceil(west / step), np.floor(east / step) + 1) * step
    ys = np.arange(np.ceil(south / step), np.floor(north / step) + 1) * step
    arm = _CROSS_MM * view.m_per_mm
    crosses: list[Any] = [[(x - arm, y), (x + arm, y)] for x in xs for y in ys]
    crosses += [[(x, y - arm), (x, y + arm)] for x in xs for y in ys]
    view.axes.add_collection(
        LineCollection(crosses, colors="#6E6E6E", linewidths=points(0.12), zorder=9), autolim=False
    )
    _numbers_on_frame(page, view, xs, ys)


def _numbers_on_frame(page: Page, view: View, xs: npt.NDArray[np.float64], ys: npt.NDArray[np.float64]) -> None:
    box, step = view.box, view.m_per_mm
    ticks: list[Any] = []
    for x in xs:
        at = box.x + (x - view.west) / step
        ticks += [[(at, box.top), (at, box.top + 1)], [(at, box.y - 1), (at, box.y)]]
        for y in (box.top + 0.9, box.y - 3.7):
            room = Box(at - 12, y, 24, 2.8)
            if room.x > box.x and room.right < box.right:
                page.text(room, f"{x:.0f}", size=_TICK_SIZE, align="center")
    for y in ys:
        at = box.y + (y - view.south) / step
        ticks += [[(box.x - 1, at), (box.x, at)], [(box.right, at), (box.right + 1, at)]]
        for x in (box.x - 2.4, box.right + 2.4):
            if box.y + 12 < at < box.top - 12:
                placed = page.paper.text(
                    x, at, f"{y:.0f}", fontsize=_TICK_SIZE, rotation=90, ha="center", va="center", parse_math=False
                )
                page.texts.append((placed, Box(x - 1.6, at - 12, 3.2, 24)))
    page.lines(ticks, width_mm=0.12)
