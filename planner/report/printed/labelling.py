"""Names on the map: inside what they name where they fit, never one over another."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import shapely

from planner.report.printed.page import Box

SIZES: Final = (9.0, 8.0, 7.0, 6.0)
"""Tried in this order, points."""
_CANDIDATES: Final = 15
_CLOSING_MM: Final = 0.8
_LEAST_INSIDE: Final = 0.55
_RINGS_MM: Final = (5.0, 8.0, 12.0, 16.0, 22.0, 30.0)
_DIRECTIONS: Final = 16


@dataclass(frozen=True)
class Placed:
    """A name on the paper.

    Attributes
    ----------
    index : int
        Of the shape that it names.
    x, y : float
        Its middle, mm.
    size : float
        Points.
    leader : tuple of float or None
        Where a line from the name ends, mm, when the name stands beside its shape.
    """

    index: int
    x: float
    y: float
    size: float
    leader: tuple[float, float] | None = None


Measure = Callable[[int, float], tuple[float, float]]
"""Width and height in mm of name `index` at a size."""


def place_names(
    shapes: Sequence[Any] | npt.NDArray[np.object_], measure: Measure, within: Box, taken: Sequence[Any] = ()
) -> tuple[list[Placed], list[int]]:
    """Find a place for every name.

    Parameters
    ----------
    shapes : sequence of shapely.Geometry
        In mm on the paper, the important ones first: they choose first.
    measure : callable
    within : Box
        Names stay in it.
    taken : sequence of shapely.Geometry
        Ground on which no name stands, mm.

    Returns
    -------
    placed : list of Placed
    unplaced : list of int
        Shapes whose name finds no place.
    """
    boxes: list[Any] = list(taken)
    placed, unplaced = [], []
    page = shapely.box(within.x, within.y, within.right, within.top)
    for index, shape in enumerate(shapes):
        visible = shapely.intersection(shape, page)
        if shapely.is_empty(visible):
            unplaced.append(index)
            continue
        found = _inside(index, visible, measure, page, boxes) or _beside(index, visible, measure, page, boxes)
        if found is None:
            unplaced.append(index)
            continue
        placed.append(found)
        boxes.append(_rectangles(np.array([[found.x, found.y]]), *measure(index, found.size))[0])
    return placed, unplaced


def _inside(index: int, shape: Any, measure: Measure, page: Any, boxes: Sequence[Any]) -> Placed | None:
    """The largest size that fits wholly; at the smallest, one that lies in its shape for the better part."""
    whole = shapely.buffer(shapely.buffer(shape, _CLOSING_MM), -_CLOSING_MM)
    spots = _spots(whole)
    rectangles: npt.NDArray[np.object_] = np.array([], dtype=object)
    free = np.zeros(len(spots), dtype=bool)
    for size in SIZES:
        rectangles = _rectangles(spots, *measure(index, size))
        free = _free(rectangles, page, boxes)
        fits = free & shapely.contains(whole, rectangles)
        if fits.any():
            x, y = spots[np.argmax(fits)]
            return Placed(index, float(x), float(y), size)
    share = shapely.area(shapely.intersection(rectangles, whole)) / shapely.area(rectangles)
    share = np.where(free, share, 0.0)
    best = int(np.argmax(share))
    if share[best] < _LEAST_INSIDE:
        return None
    return Placed(index, float(spots[best, 0]), float(spots[best, 1]), SIZES[-1])


def _beside(index: int, shape: Any, measure: Measure, page: Any, boxes: Sequence[Any]) -> Placed | None:
    """Nearest free spot round the shape, with a line to it."""
    anchor = shapely.get_coordinates(shapely.point_on_surface(shape))[0]
    turn = np.arange(_DIRECTIONS) * 2 * np.pi / _DIRECTIONS
    circle = np.column_stack([np.cos(turn), np.sin(turn)])
    spots = np.concatenate([anchor + radius * circle for radius in _RINGS_MM])
    size = SIZES[-1]
    free = _free(_rectangles(spots, *measure(index, size)), page, boxes)
    if not free.any():
        return None
    x, y = spots[np.argmax(free)]
    return Placed(index, float(x), float(y), size, (float(anchor[0]), float(anchor[1])))


def _free(rectangles: npt.NDArray[np.object_], page: Any, boxes: Sequence[Any]) -> npt.NDArray[np.bool_]:
    free = shapely.contains(page, rectangles)
    if boxes:
        tree = shapely.STRtree(np.array(boxes, dtype=object))
        free[np.unique(tree.query(rectangles, predicate="intersects")[0])] = False
    return np.asarray(free, dtype=bool)


def _spots(shape: Any) -> npt.NDArray[np.float64]:
    """Points inside a shape, those farthest from its edge first."""
    west, south, east, north = shapely.bounds(shape)
    xs, ys = np.linspace(west, east, _CANDIDATES + 2)[1:-1], np.linspace(south, north, _CANDIDATES + 2)[1:-1]
    grid = np.stack(np.meshgrid(xs, ys), axis=-1).reshape(-1, 2)
    grid = np.concatenate([shapely.get_coordinates(shapely.point_on_surface(shape)), grid])
    marks = np.asarray(shapely.points(grid), dtype=object)
    inside = shapely.contains(shape, marks)
    depth = shapely.distance(shapely.boundary(shape), marks[inside])
    order = np.argsort(-np.round(depth, 6), kind="stable")
    return np.asarray(grid[inside][order] if inside.any() else grid[:1], dtype=np.float64)


def _rectangles(spots: npt.NDArray[np.float64], width: float, height: float) -> npt.NDArray[np.object_]:
    x, y = spots[:, 0], spots[:, 1]
    return np.asarray(shapely.box(x - width / 2, y - height / 2, x + width / 2, y + height / 2), dtype=object)
