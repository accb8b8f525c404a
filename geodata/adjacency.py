"""Which parcels are neighbours: shared boundary, what barriers cut, and what may be bridged.

Definitions
-----------
* Boundaries *coincide* where they run side by side within ``touch_tolerance_m`` (see `geodata.contact`); the shared
  length of two parcels is the shorter of what each has beside the other: the same both ways, and a spike thinner than
  the tolerance is not counted with both its edges.
* *Adjacent*: at least ``min_shared_m`` shared after removing what lies within ``barrier_tolerance_m`` of a barrier
  (of a polygon, of its whole area). A barrier tolerance below the touch tolerance counts as the touch tolerance:
  boundaries are not known better than that.
* *Bridged link*: not adjacent, not cut by a barrier, and facing each other across at most ``bridge_max_m`` over at
  least ``bridge_min_facing_m``, clear of barriers and other parcels (see `geodata.links` and `geodata.facing`).
* *Refused*: all other pairs within ``bridge_max_m`` that are neither adjacent nor cut by a barrier, with the reason.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from geodata.apart import distance_m
from geodata.barrier_index import BarrierIndex
from geodata.contact import Contact, find_contact
from geodata.contract import (
    BoolArray,
    FloatArray,
    GeometryArray,
    IntArray,
    geometry_array,
    require_parcels,
    require_polygons,
    require_same_crs,
)
from geodata.links import BARRIER, PARCEL, Candidates, bridge
from geodata.parallel import query_tree
from geodata.row_keys import distinct
from geodata.runs import Boxes, NearRuns, Runs
from geodata.segments import Segments
from geodata.spec import AdjacencySpec

CUT_COLUMNS: Final = ("parcel_a", "parcel_b", "shared_before_m", "shared_after_m", "reason", "barrier")
"""Columns of `Adjacency.cut`, in this order."""
REFUSED_COLUMNS: Final = ("parcel_a", "parcel_b", "gap_m", "facing_m", "reason", "by")
"""Columns of `Adjacency.refused`, in this order."""

_SLACK_M: Final = 1e-6
"""Lengths are compared to the micrometre, so that an edge of exactly the least length passes."""


@dataclass(frozen=True, eq=False)
class Adjacency:
    """Neighbours among parcels, as arrays.

    Attributes
    ----------
    parcel_ids : tuple of str
        Ids in the order of the frame; all pairs are positions in it.
    pairs : int64[m, 2]
        Adjacent parcels, ``i < j``, sorted.
    shared_m : float64[m]
        Boundary they share clear of barriers, m.
    link_pairs : int64[k, 2]
        Parcels joined by a bridged link, ``i < j``, sorted; none of them in `pairs`.
    gap_m : float64[k]
        Width of the lane: the least perpendicular width where they face each other clear of obstacles, m; 0 where they
        touch.
    facing_m : float64[k]
        Length over which they do, m.
    link_lines : geometry[k]
        A line across the lane, at that width within the touch tolerance, from the parcel whose id comes first as text;
        of no length where they touch.
    cut : pandas.DataFrame
        `CUT_COLUMNS`: pairs that touch but are not adjacent. ``reason`` is 'barrier' where a barrier took some of
        their contact (``barrier`` then names it, several joined by '; '), else 'short'. Sorted by ids.
    refused : pandas.DataFrame
        `REFUSED_COLUMNS`: pairs within ``bridge_max_m`` that are neither adjacent, nor cut by a barrier, nor bridged.
        ``gap_m`` is their distance, ``facing_m`` the length over which they face each other, clear of obstacles.
        ``reason``: 'faces too little' (whatever lies between), 'barrier' (barriers leave too little of what faces),
        or 'another parcel between' (barriers and other parcels together do). ``by`` names these barriers or parcels,
        several joined by '; '. Sorted by ids. Without bridges (``bridge_max_m`` 0) empty.
    """

    parcel_ids: tuple[str, ...]
    pairs: IntArray
    shared_m: FloatArray
    link_pairs: IntArray
    gap_m: FloatArray
    facing_m: FloatArray
    link_lines: GeometryArray
    cut: pd.DataFrame
    refused: pd.DataFrame


def build_adjacency(parcels: gpd.GeoDataFrame, spec: AdjacencySpec, barriers: gpd.GeoDataFrame) -> Adjacency:
    """Find adjacent parcels and bridged links.

    Parameters
    ----------
    parcels : geopandas.GeoDataFrame
        Repaired parcels, indexed by unique text ``parcel_id``, in a projected CRS in metres. Not changed.
    spec : AdjacencySpec
        Lengths and tolerances.
    barriers : geopandas.GeoDataFrame
        ``name`` and geometry (lines or polygons) in the same CRS; may be empty.

    Returns
    -------
    Adjacency
        The same whatever the order of the rows, apart from the positions.

    Raises
    ------
    DataError
        Parcels without a valid polygon or a unique id; barriers without geometry or name.
    CrsError
        No metric CRS, or two of them.
    """
    require_parcels(parcels)
    require_polygons(parcels)
    require_same_crs(barriers, parcels, "barriers")
    index = BarrierIndex(barriers, max(spec.barrier_tolerance_m, spec.touch_tolerance_m))
    # Everything is computed in the order of the ids, and only then put in terms of the rows.
    order = np.argsort(np.asarray(parcels.index, dtype=object), kind="stable")
    geometry = shapely.orient_polygons(shapely.force_2d(geometry_array(parcels)[order]))
    ids = np.asarray(parcels.index, dtype=object)[order]
    if not len(geometry):
        return _empty()
    shapely.prepare(geometry)
    near = Runs.of(Segments.of(geometry)).near(max(spec.bridge_max_m, spec.touch_tolerance_m))
    contact = find_contact(near, spec.touch_tolerance_m)
    inside = _box_in_box(geometry)
    shared = _shared(near.runs.segments, contact, index)
    shared = _with_touching(shared, geometry, near, contact.maybe, inside, spec)
    adjacent = shared.adjacent(spec)
    first, second = _open(shared, np.union1d(distinct(near.key), inside), spec, len(geometry))
    touching = _key(shared.first, shared.second, len(geometry))
    found = bridge(geometry, near, first, second, touching, index, spec)
    linked = found.linked
    pairs, by_row = _in_rows(order, shared.first[adjacent], shared.second[adjacent])
    link_pairs, by_link = _in_rows(order, first[linked], second[linked])
    return Adjacency(
        parcel_ids=tuple(parcels.index),
        pairs=pairs,
        shared_m=shared.after_m[adjacent][by_row],
        link_pairs=link_pairs,
        gap_m=found.gap_m[linked][by_link],
        facing_m=found.facing_m[linked][by_link],
        link_lines=found.line[linked][by_link],
        cut=_cut_table(ids, shared, ~adjacent, index.names),
        refused=_refused_table(ids, geometry, near, inside, found, index.names, spec.bridge_max_m),
    )


def perimeter_m(parcels: gpd.GeoDataFrame) -> pd.Series[float]:
    """Length of each parcel's boundary, holes included, m.

    Parameters
    ----------
    parcels : geopandas.GeoDataFrame
        In a projected CRS in metres.

    Returns
    -------
    pandas.Series
        Named ``perimeter_m``, on the index of the parcels.
    """
    return pd.Series(parcels.geometry.length, index=parcels.index, name="perimeter_m")


@dataclass(frozen=True)
class _Shared:
    """Pairs in contact, sorted: shared length before and after the barriers, and which barriers took some."""

    first: IntArray
    second: IntArray
    before_m: FloatArray
    after_m: FloatArray
    pair_hit: IntArray
    barrier_hit: IntArray

    def adjacent(self, spec: AdjacencySpec) -> BoolArray:
        """Which pairs share enough."""
        return self.after_m >= spec.min_shared_m - _SLACK_M

    @property
    def cut_by_barrier(self) -> BoolArray:
        """From which pairs a barrier took some of the contact."""
        out = np.zeros(len(self.first), dtype=bool)
        out[self.pair_hit] = True
        return out


def _box_in_box(geometry: GeometryArray) -> IntArray:
    """Keys of pairs of which a part's box lies in one of the other's, sorted: their boundaries may be far apart."""
    parts, owner = shapely.get_parts(geometry, return_index=True)
    box = Boxes(*shapely.bounds(parts).T)
    a, b = query_tree(shapely.STRtree(parts), parts)
    keep = (owner[a] != owner[b]) & box.holds(b, a)
    return distinct(_key(owner[a[keep]], owner[b[keep]], len(geometry)))


def _open(shared: _Shared, key: IntArray, spec: AdjacencySpec, n: int) -> tuple[IntArray, IntArray]:
    """Those of the pairs that are neither adjacent nor cut by a barrier, sorted; none without bridges."""
    settled = shared.adjacent(spec) | shared.cut_by_barrier
    key = np.setdiff1d(key, _key(shared.first[settled], shared.second[settled], n))
    if spec.bridge_max_m == 0:
        key = key[:0]
    return key // n, key % n


def _key(a: IntArray, b: IntArray, n: int) -> IntArray:
    """One number for an unordered pair."""
    return np.minimum(a, b) * n + np.maximum(a, b)


def _shared(segments: Segments, found: Contact, index: BarrierIndex) -> _Shared:
    """Shared length of all pairs in contact, with and without what the barriers take."""
    n = len(segments.offsets) - 1
    contact = found.stretches
    owner = segments.parcel[contact.segment]
    keys, which = np.unique(_key(owner, contact.other, n), return_inverse=True)
    hits = np.zeros((0, 2), dtype=np.int64)
    after = contact.length_m
    if index.names:
        lines = segments.lines(contact.segment, contact.start_m, contact.end_m)
        at_barrier = np.flatnonzero(index.near(lines))
        after[at_barrier], line, barrier = index.clear_length_m(lines[at_barrier])
        hits = np.unique(np.stack([which[at_barrier[line]], barrier], axis=1), axis=0)
    side = 2 * which + (owner < contact.other)

    def shorter_side(length_m: FloatArray) -> FloatArray:
        sides = np.bincount(side, weights=length_m, minlength=2 * len(keys))
        return np.minimum(sides[0::2], sides[1::2])

    return _Shared(keys // n, keys % n, shorter_side(contact.length_m), shorter_side(after), hits[:, 0], hits[:, 1])


def _with_touching(
    shared: _Shared, geometry: GeometryArray, near: NearRuns, maybe: IntArray, inside: IntArray, spec: AdjacencySpec
) -> _Shared:
    """Those of the pairs that touch without any common stretch added, with a shared length of 0."""
    n = len(geometry)
    have = _key(shared.first, shared.second, n)
    more = np.setdiff1d(np.union1d(maybe, inside), have)
    reach_m = spec.touch_tolerance_m
    more = more[np.isfinite(distance_m(geometry, near.within(reach_m), more // n, more % n, inside, reach_m))]
    keys = np.union1d(have, more)
    place = np.searchsorted(keys, have)
    before, after = np.zeros(len(keys)), np.zeros(len(keys))
    before[place], after[place] = shared.before_m, shared.after_m
    return _Shared(keys // n, keys % n, before, after, place[shared.pair_hit], shared.barrier_hit)


def _in_rows(order: IntArray, first: IntArray, second: IntArray) -> tuple[IntArray, IntArray]:
    """Pairs as positions of rows, ``i < j`` and sorted, and where each of them came from."""
    pairs = np.sort(np.stack([order[first], order[second]], axis=1).astype(np.int64), axis=1)
    by = np.lexsort((pairs[:, 1], pairs[:, 0]))
    return pairs[by], by


def _cut_table(ids: GeometryArray, shared: _Shared, not_adjacent: BoolArray, names: tuple[str, ...]) -> pd.DataFrame:
    taken: dict[int, list[str]] = {}
    for pair, barrier in zip(shared.pair_hit.tolist(), shared.barrier_hit.tolist(), strict=True):
        taken.setdefault(pair, []).append(names[barrier])
    rows = np.flatnonzero(not_adjacent)
    return pd.DataFrame(
        {
            "parcel_a": ids[shared.first[rows]],
            "parcel_b": ids[shared.second[rows]],
            "shared_before_m": shared.before_m[rows],
            "shared_after_m": shared.after_m[rows],
            "reason": ["barrier" if k in taken else "short" for k in rows.tolist()],
            "barrier": ["; ".join(sorted(set(taken[k]))) if k in taken else None for k in rows.tolist()],
        },
        columns=list(CUT_COLUMNS),
    )


def _refused_table(
    ids: GeometryArray,
    geometry: GeometryArray,
    near: NearRuns,
    inside: IntArray,
    found: Candidates,
    barriers: tuple[str, ...],
    reach_m: float,
) -> pd.DataFrame:
    rows = np.flatnonzero(~found.linked)
    gap_m = distance_m(geometry, near, found.first[rows], found.second[rows], inside, reach_m + _SLACK_M)
    within = (gap_m <= reach_m) | (found.facing_m[rows] > 0)  # whatever faces the other is within the reach
    rows, gap_m = rows[within], gap_m[within]
    names: dict[int, set[str]] = {}
    for pair, obstacle in found.stopped.tolist():
        name = barriers[obstacle] if found.reason[pair] == BARRIER else str(ids[obstacle])
        names.setdefault(pair, set()).add(name)
    by = ["; ".join(sorted(names[k])) if found.reason[k] in (BARRIER, PARCEL) else None for k in rows.tolist()]
    return pd.DataFrame(
        {
            "parcel_a": ids[found.first[rows]],
            "parcel_b": ids[found.second[rows]],
            "gap_m": gap_m,
            "facing_m": found.facing_m[rows],
            "reason": found.reason[rows],
            "by": by,
        },
        columns=list(REFUSED_COLUMNS),
    )


def _empty() -> Adjacency:
    pairs = np.zeros((0, 2), dtype=np.int64)
    nothing = np.zeros(0)
    cut, refused = pd.DataFrame(columns=list(CUT_COLUMNS)), pd.DataFrame(columns=list(REFUSED_COLUMNS))
    return Adjacency((), pairs, nothing, pairs, nothing, nothing, np.zeros(0, dtype=object), cut, refused)
