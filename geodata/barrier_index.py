"""Barriers made ready for many small questions: is this near one, and how much of that line lies clear of all."""

from __future__ import annotations

from typing import Final

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from shapely.geometry.base import BaseGeometry

from geodata.contract import BoolArray, FloatArray, GeometryArray, IntArray, geometry_array
from geodata.errors import DataError, Issue, list_ids
from geodata.parallel import in_portions, query_tree
from geodata.runs import Boxes

_LINE_VERTICES: Final = 32
_POLYGON_VERTICES: Final = 256
_LINE_KINDS: Final = (1, 2)
_POLYGON: Final = 3
_QUADRANT_SEGMENTS: Final = 32


class BarrierIndex:
    """Lines and polygons that cut contiguity, with the distance at which they do.

    Rivers and arterials come with thousands of vertices; they are cut into small pieces once, so that a short
    boundary is only compared with what lies beside it.

    Parameters
    ----------
    barriers : geopandas.GeoDataFrame
        ``name`` and geometry (lines or polygons; of a polygon its whole area counts). May be empty.
    tolerance_m : float
        What lies within this distance is cut.

    Raises
    ------
    DataError
        Barriers without geometry or without a name.
    """

    def __init__(self, barriers: gpd.GeoDataFrame, tolerance_m: float) -> None:
        names, geometry = _checked(barriers)
        pieces, owner = _pieces(geometry)
        self.tolerance_m = tolerance_m
        self.names = names
        self._pieces = pieces
        self._owner = owner
        self._tree = shapely.STRtree(pieces)

    def near(self, geometry: GeometryArray) -> BoolArray:
        """Which geometries come within the tolerance of a barrier."""
        out = np.zeros(len(geometry), dtype=bool)
        if len(self._pieces):
            out[query_tree(self._tree, geometry, predicate="dwithin", distance=self.tolerance_m)[0]] = True
        return out

    def zones_near(self, box: Boxes) -> tuple[GeometryArray, IntArray]:
        """What barriers cut, wherever that may come into one of the boxes.

        Parameters
        ----------
        box : Boxes

        Returns
        -------
        zones : geometry[z]
            All within the tolerance of a piece of a barrier.
        barrier : int64[z]
            That barrier, its position in `names`.
        """
        if not len(self._pieces):
            return np.zeros(0, dtype=object), np.zeros(0, dtype=np.int64)
        used = np.unique(self._tree.query(box.wider(self.tolerance_m).diagonals)[1])
        zones = shapely.buffer(self._pieces[used], self.tolerance_m, quad_segs=_QUADRANT_SEGMENTS)
        return np.asarray(zones, dtype=object), self._owner[used]

    def clear_length_m(self, lines: GeometryArray) -> tuple[FloatArray, IntArray, IntArray]:
        """Length of each line that lies clear of all barriers.

        Parameters
        ----------
        lines : geometry[n]
            Straight pieces of boundary.

        Returns
        -------
        clear_m : float64[n]
            Length further than the tolerance from every barrier.
        line, barrier : int64[k]
            Which lines lose length to which barrier (position in `names`), each pair once.
        """
        none = np.zeros(0, dtype=np.int64)
        if not len(self._pieces) or not len(lines):
            return np.asarray(shapely.length(lines), dtype=float), none, none
        line, piece = query_tree(self._tree, lines, predicate="dwithin", distance=self.tolerance_m)
        order = np.lexsort((piece, line))
        line, piece = line[order], piece[order]
        used, which = np.unique(piece, return_inverse=True)
        zones = shapely.buffer(self._pieces[used], self.tolerance_m, quad_segs=_QUADRANT_SEGMENTS)
        left = lines.copy()
        takes = np.zeros(len(line), dtype=bool)
        turn = np.arange(len(line)) - np.searchsorted(line, line)
        for k in range(int(turn.max(initial=-1)) + 1):
            now = np.flatnonzero(turn == k)
            whole = lines[line[now]]
            takes[now] = shapely.length(in_portions(shapely.intersection, whole, zones[which[now]])) > 0
            left[line[now]] = in_portions(shapely.difference, left[line[now]], zones[which[now]])
        hits = np.unique(np.stack([line[takes], self._owner[piece[takes]]], axis=1), axis=0)
        return np.asarray(shapely.length(left), dtype=float), hits[:, 0], hits[:, 1]


def _checked(barriers: gpd.GeoDataFrame) -> tuple[tuple[str, ...], GeometryArray]:
    """Names and valid geometry, or all that is wrong with them."""
    if len(barriers) == 0:
        return (), np.zeros(0, dtype=object)
    if "name" not in barriers.columns:
        raise DataError(Issue("barriers, column name", "no such column", "a name for each barrier", "Add it."))
    geometry = geometry_array(barriers)
    issues = []
    missing = shapely.is_missing(geometry) | shapely.is_empty(geometry)
    if missing.any():
        rows = list_ids(list(barriers.index[missing]))
        issues.append(Issue(f"barriers, rows {rows}", "no geometry", "a line or polygon", "Remove or draw them."))
    unnamed = np.array([not isinstance(n, str) or not n for n in barriers["name"]])
    if unnamed.any():
        rows = list_ids(list(barriers.index[unnamed]))
        issues.append(Issue(f"barriers, rows {rows}, column name", "no name", "non-empty text", "Name them."))
    if issues:
        raise DataError(issues)
    invalid = ~shapely.is_valid(geometry)
    geometry[invalid] = shapely.make_valid(geometry[invalid])
    return tuple(barriers["name"]), shapely.force_2d(geometry)


def _pieces(geometry: GeometryArray) -> tuple[GeometryArray, IntArray]:
    """Small lines, polygons and points that make up the barriers, and which barrier each is of."""
    parts, owner = geometry, np.arange(len(geometry), dtype=np.int64)
    while len(parts) and (shapely.get_type_id(parts) > _POLYGON).any():
        parts, inner = shapely.get_parts(parts, return_index=True)
        owner = owner[inner]
    out: list[BaseGeometry] = []
    owners: list[int] = []
    for part, own in zip(parts, owner, strict=True):
        small = _line_pieces(part) if shapely.get_type_id(part) in _LINE_KINDS else _polygon_pieces(part)
        out += small
        owners += [int(own)] * len(small)
    pieces = np.empty(len(out), dtype=object)
    pieces[:] = out
    return pieces, np.array(owners, dtype=np.int64)


def _line_pieces(line: BaseGeometry) -> list[BaseGeometry]:
    """Consecutive pieces of a line, each starting where the one before ends."""
    coords = shapely.get_coordinates(line)
    starts = range(0, max(len(coords) - 1, 1), _LINE_VERTICES)
    return [shapely.LineString(coords[s : s + _LINE_VERTICES + 1]) for s in starts]


def _polygon_pieces(polygon: BaseGeometry) -> list[BaseGeometry]:
    """Parts of a polygon by halving its box until each has few vertices; other geometry as it is."""
    if shapely.get_num_coordinates(polygon) <= _POLYGON_VERTICES:
        return [polygon]
    x0, y0, x1, y1 = shapely.bounds(polygon)
    xm, ym = (x0 + x1) / 2, (y0 + y1) / 2
    halves = [(x0, y0, xm, y1), (xm, y0, x1, y1)] if x1 - x0 >= y1 - y0 else [(x0, y0, x1, ym), (x0, ym, x1, y1)]
    out: list[BaseGeometry] = []
    for half in halves:
        for part in shapely.get_parts(shapely.intersection(polygon, shapely.box(*half))):
            if shapely.get_type_id(part) == _POLYGON:
                out += _polygon_pieces(part)
    return out


def empty_barriers(crs: object) -> gpd.GeoDataFrame:
    """A barrier layer without barriers.

    Parameters
    ----------
    crs : CRS
        Of the parcels.

    Returns
    -------
    geopandas.GeoDataFrame
        Columns ``name`` and ``geometry``, no rows.
    """
    return gpd.GeoDataFrame({"name": pd.Series(dtype="str")}, geometry=[], crs=crs)
