"""Where neighbouring polygons may not meet cleanly: the parts of their boundaries that no neighbour shares exactly.

Asking `shapely.coverage_invalid_edges` of a whole city costs as much as all other repair together. Most boundaries are
either shared segment by segment or face a lane: only parcels with an unshared boundary close to that of another parcel
need to be asked.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import geopandas as gpd
import numpy as np
import shapely
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from geodata.contract import BoolArray, FloatArray, GeometryArray, IntArray
from geodata.parallel import in_portions, query_tree, with_settings
from geodata.row_keys import KeyArray, how_often, row_keys, rows_of

_CHUNK: Final = 8
"""Segments of one line: short enough for tight boxes, long enough to keep the index small."""

NODE_M: Final = 1e-5
"""Corners closer than this are one corner: rounding of coordinates, not movement."""

_LARGEST: Final = 64
"""Lines of one place: a net of gaps through a district is mended piece by piece."""

_TRIM_M: Final = 0.5
_TRIM_SHARE: Final = 0.25
"""Ends of unshared boundary are cut back by this much: neighbours along a lane share the corner where they meet."""


@dataclass(frozen=True)
class _Segments:
    """Boundary segments in the order of their rings: ends, polygon, ring, and one number whichever way it runs."""

    start: FloatArray
    end: FloatArray
    owner: IntArray
    ring: IntArray
    key: KeyArray

    @classmethod
    def of(cls, geometry: GeometryArray) -> _Segments:
        parts, polygon = shapely.get_parts(geometry, return_index=True)
        rings, part = shapely.get_rings(parts, return_index=True)
        coords, ring = shapely.get_coordinates(rings, return_index=True)
        corner = row_keys(coords)
        inside = ring[1:] == ring[:-1]
        ring = ring[:-1][inside]
        # A sum is the same whichever way a segment runs.
        key = corner[:-1][inside] + corner[1:][inside]
        return cls(coords[:-1][inside], coords[1:][inside], polygon[part][ring], ring, key)


@dataclass(frozen=True)
class _Lines:
    """Lines along boundary that nobody shares, and whose they are."""

    lines: GeometryArray
    owner: IntArray
    tree: shapely.STRtree

    @classmethod
    def of(cls, segments: _Segments, alone: BoolArray, names: IntArray | None = None) -> _Lines:
        lines, owner = _chunks(segments, alone)
        return cls(lines, owner if names is None else names[owner], shapely.STRtree(lines))

    def near(self, other: _Lines, distance_m: float, but: BoolArray | None = None) -> IntArray:
        """Pairs of owners of lines within a distance, lower one first; none of the other side's in `but`."""
        low, high = np.split(shapely.bounds(self.lines), 2, axis=1)
        a, b = query_tree(other.tree, np.asarray(shapely.box(*(low - distance_m).T, *(high + distance_m).T)))
        first, second = self.owner[a], other.owner[b]
        # Both ways round in one set: once is enough.
        asked = first < second if other is self else first != second
        if but is not None:
            asked &= ~but[second]
        a, b, first, second = a[asked], b[asked], first[asked], second[asked]
        near = in_portions(with_settings(shapely.dwithin, distance=distance_m), self.lines[a], other.lines[b])
        return np.sort(np.stack([first[near], second[near]], axis=1), axis=1)


@dataclass(frozen=True)
class Seams:
    """Where polygons may not meet cleanly, and how that changes with some of them.

    Attributes
    ----------
    geometry : geometry[n]
        Valid polygons.
    reach_m : float
        Gaps up to this width count, m.
    pairs : int64[k, 2]
        Pairs of polygons with unshared boundaries close to each other: positions, the lower one first, each pair once,
        sorted. Every pair of polygons without common interior whose boundaries are not a clean coverage is among them,
        but for unshared ends shorter than half a metre.
    """

    geometry: GeometryArray
    reach_m: float
    pairs: IntArray
    _keys: KeyArray
    _owner: IntArray
    _lines: _Lines

    @classmethod
    def of(cls, geometry: GeometryArray, reach_m: float) -> Seams:
        """Seams of polygons as they are."""
        segments = _Segments.of(geometry)
        key = segments.key
        order = np.argsort(key)
        along = key[order]
        alone = np.empty(len(key), dtype=bool)
        alone[order] = ~_twice(along)
        lines = _Lines.of(segments, alone)
        pairs = np.unique(lines.near(lines, reach_m + NODE_M), axis=0)
        return cls(geometry, reach_m, pairs, along, segments.owner[order], lines)

    def pairs_now(self, work: GeometryArray, touched: IntArray) -> IntArray:
        """`pairs` of polygons of which some are others now.

        Parameters
        ----------
        work : geometry[n]
            Valid polygons.
        touched : int64[m]
            Positions of those that may differ from `geometry`.
        """
        gone, come = (np.sort(_Segments.of(side[touched]).key) for side in (self.geometry, work))
        both = np.unique(np.concatenate([gone, come]))
        change = how_often(both, come) - how_often(both, gone)
        both, change = both[change != 0], change[change != 0]
        # Whoever had one of these segments shares it with others now.
        some = np.union1d(touched, self._owner[rows_of(both, self._keys)])
        changed = np.zeros(len(work), dtype=bool)
        changed[some] = True
        segments = _Segments.of(work[some])
        key = segments.key
        times = how_often(key, self._keys)
        if len(both):
            at = np.minimum(np.searchsorted(both, key), len(both) - 1)
            times += np.where(both[at] == key, change[at], 0)
        lines = _Lines.of(segments, times != 2, some)
        distance = self.reach_m + NODE_M
        still = self.pairs[~changed[self.pairs].any(axis=1)]
        parts = [still, lines.near(lines, distance), lines.near(self._lines, distance, changed)]
        return np.unique(np.concatenate(parts), axis=0)


def _twice(along: KeyArray) -> BoolArray:
    """Which of sorted keys are there exactly twice."""
    same = np.r_[False, along[1:] == along[:-1], False][: len(along) + 1]
    first = same[1:] & ~same[:-1]
    first[:-1] &= ~same[2:]
    return np.asarray(first | np.r_[False, first[:-1]])


def invalid_edges(geometry: GeometryArray, pairs: IntArray, reach_m: float) -> GeometryArray:
    """Boundaries that do not meet those of other polygons cleanly.

    Parameters
    ----------
    geometry : geometry[n]
        Valid polygons.
    pairs : int64[m, 2]
        Pairs that may not meet cleanly, or whose interiors meet.
    reach_m : float
        Gaps up to this width count, m.

    Returns
    -------
    geometry[n]
        Lines of each polygon, None where it was not worth asking.
    """
    involved = np.unique(pairs)
    edges = np.full(len(geometry), None, dtype=object)
    edges[involved] = shapely.coverage_invalid_edges(geometry[involved], gap_width=reach_m)
    return edges


def places(edges: GeometryArray, reach_m: float) -> Iterator[tuple[IntArray, GeometryArray]]:
    """Places where polygons do not meet cleanly, apart from each other.

    Parameters
    ----------
    edges : geometry[n]
        See `invalid_edges`.
    reach_m : float
        Places are more than twice this far from each other, m.

    Yields
    ------
    members : int64[p]
        Positions of the polygons whose boundaries do not meet cleanly there, sorted.
    edges : geometry[q]
        Lines of these boundaries.
    """
    lines, owner = shapely.get_parts(edges, return_index=True)
    there = ~shapely.is_empty(lines)
    lines, owner = lines[there], owner[there]
    a, b = shapely.STRtree(lines).query(lines, predicate="dwithin", distance=2 * reach_m)
    links = coo_array((np.ones(len(a)), (a, b)), shape=(len(lines), len(lines)))
    _, label = connected_components(links, directed=False)
    for group in _compact(lines, label):
        members = np.unique(owner[group])
        # A polygon alone has no neighbour to be mended with: its own narrow places are its own affair.
        if len(members) > 1:
            yield members, lines[group]


def _compact(lines: GeometryArray, label: IntArray) -> Iterator[IntArray]:
    """Lines by place, those of a large one in compact pieces; the first line first."""
    if not len(lines):
        return
    order = np.argsort(label, kind="stable")
    for group in np.split(order, np.flatnonzero(np.diff(label[order])) + 1):
        if len(group) > _LARGEST:
            along = group[np.argsort(gpd.GeoSeries(lines[group]).hilbert_distance(), kind="stable")]
            yield from np.split(along, range(_LARGEST, len(along), _LARGEST))
        else:
            yield group


def _chunks(segments: _Segments, alone: BoolArray) -> tuple[GeometryArray, IntArray]:
    """Lines along unshared boundary, and whose they are."""
    at = np.flatnonzero(alone)
    if not len(at):
        return np.empty(0, dtype=object), np.empty(0, dtype=np.int64)
    ring = segments.ring[at]
    begins = np.r_[True, (np.diff(at) > 1) | (np.diff(ring) != 0)]
    ends = np.r_[begins[1:], True]
    place = np.arange(len(at)) - np.maximum.accumulate(np.where(begins, np.arange(len(at)), 0))
    opens = place % _CHUNK == 0
    closes = np.r_[opens[1:], True]
    start, end = segments.start[at], segments.end[at]
    cut = np.minimum(_TRIM_M / np.maximum(np.hypot(*(end - start).T), 1e-9), _TRIM_SHARE)[:, None] * (end - start)
    start = np.where(begins[:, None], start + cut, start)
    end = np.where(ends[:, None], end - cut, end)
    line = np.cumsum(opens) - 1
    coords = np.empty((len(at) + line[-1] + 1, 2))
    coords[np.arange(len(at)) + line] = start
    coords[(np.arange(len(at)) + line + 1)[closes]] = end[closes]
    index = np.r_[line, line[closes]]
    out: GeometryArray = np.asarray(shapely.linestrings(coords, indices=np.sort(index, kind="stable")))
    return out, segments.owner[at][opens]
