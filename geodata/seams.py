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
import numpy.typing as npt
import shapely
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from geodata.contract import BoolArray, FloatArray, GeometryArray, IntArray

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
    """Boundary segments in the order of their rings: ends, polygon and ring."""

    start: FloatArray
    end: FloatArray
    owner: IntArray
    ring: IntArray

    @classmethod
    def of(cls, geometry: GeometryArray) -> _Segments:
        parts, polygon = shapely.get_parts(geometry, return_index=True)
        rings, part = shapely.get_rings(parts, return_index=True)
        coords, ring = shapely.get_coordinates(rings, return_index=True)
        inside = ring[1:] == ring[:-1]
        ring = ring[:-1][inside]
        return cls(coords[:-1][inside], coords[1:][inside], polygon[part[ring]], ring)

    def shared_once(self) -> BoolArray:
        """Segments that exactly one other segment repeats, end for end."""
        turned = (self.start[:, 0] > self.end[:, 0]) | (
            (self.start[:, 0] == self.end[:, 0]) & (self.start[:, 1] > self.end[:, 1])
        )
        low = np.where(turned[:, None], self.end, self.start)
        high = np.where(turned[:, None], self.start, self.end)
        # + 0.0 makes one zero of the two.
        bits = np.ascontiguousarray(np.hstack([low, high]) + 0.0).view(np.uint64)
        key = _mixed(bits)
        order = np.argsort(key, kind="stable")
        first = np.r_[True, key[order][1:] != key[order][:-1]]
        group = np.cumsum(first) - 1
        times = np.empty(len(key), dtype=np.int64)
        times[order] = np.bincount(group)[group] if len(group) else 0
        return np.asarray(times == 2)


def invalid_edges(geometry: GeometryArray, grazing: IntArray, reach_m: float) -> GeometryArray:
    """Boundaries that do not meet those of other polygons cleanly.

    Parameters
    ----------
    geometry : geometry[n]
        Valid polygons.
    grazing : int64[m, 2]
        Pairs whose interiors meet.
    reach_m : float
        Gaps up to this width count, m.

    Returns
    -------
    geometry[n]
        Lines of each polygon, None where it was not worth asking.
    """
    pairs = np.concatenate([np.stack(near_seams(geometry, reach_m + NODE_M), axis=1), grazing])
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


def near_seams(geometry: GeometryArray, distance_m: float) -> tuple[IntArray, IntArray]:
    """Pairs of polygons with unshared boundaries close to each other.

    Parameters
    ----------
    geometry : geometry[n]
        Valid polygons.
    distance_m : float
        Greatest distance, m.

    Returns
    -------
    first, second : int64[k]
        Positions, ``first < second``, each pair once, sorted. Every pair of polygons without common interior whose
        boundaries are not a clean coverage is among them, but for unshared ends shorter than half a metre.
    """
    segments = _Segments.of(geometry)
    alone = ~segments.shared_once()
    lines, owner = _chunks(segments, alone)
    low, high = np.split(shapely.bounds(lines), 2, axis=1)
    pad = distance_m
    a, b = shapely.STRtree(lines).query(shapely.box(*(low - pad).T, *(high + pad).T))
    other = owner[a] < owner[b]
    a, b = a[other], b[other]
    near = shapely.dwithin(lines[a], lines[b], distance_m)
    a, b = a[near], b[near]
    pairs = np.unique(owner[a] * np.int64(len(geometry)) + owner[b])
    return pairs // max(len(geometry), 1), pairs % max(len(geometry), 1)


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


def _mixed(bits: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint64]:
    """One number per row of numbers: rows that are alike give the same one."""
    key = np.zeros(len(bits), dtype=np.uint64)
    for column in bits.T:
        key = (key ^ column) * np.uint64(0x9E3779B97F4A7C15)
        key ^= key >> np.uint64(29)
    return key
