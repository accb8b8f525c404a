"""Seams between neighbours: gaps closed, corners snapped, shared boundaries given the same corners.

`shapely.coverage_invalid_edges` says where neighbours do not meet cleanly; `shapely.coverage_clean` is run on the
parcels at such a place and on nothing else. What that routine does (GEOS 3.14), and what is done about it here:

* It fills gaps that are closed all round, each as a whole into the one parcel with the longest border. A gap that opens
  onto a lane is left, and a net of gaps around many parcels would become tentacles of one of them. So gaps are found
  first, by closing the ground (growing and shrinking it by half the width), and allotted piece by piece to the parcel
  beside them with the longest border, nowhere further from it than the width.
* Where parcels overlap it gives the ground to one of them, and a parcel may come back empty. Overlaps are cut before
  this stage; for what is left the smaller parcel keeps the ground.
* It adds the corners of neighbours to straight boundaries, turns rings, and snaps corners to the first one found within
  the distance. What comes back the same but for the turn of its rings is handed back as it was.
* It promises nothing about how far a boundary moves. That is measured here, and a place where anything would move
  further than the tolerance is left as it was.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
import shapely
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from shapely.geometry.base import BaseGeometry

from geodata.contract import GeometryArray, IntArray
from geodata.overlaps import find_overlaps, polygonal
from geodata.seams import near_seams
from geodata.spec import RepairSpec
from geodata.strips import allotted_strips

NODE_M: Final = 1e-5
"""Corners closer than this are one corner: rounding of coordinates, not movement."""

_GROWTHS: Final = 3
_LARGEST: Final = 32
_PASSES: Final = 12


@dataclass(frozen=True)
class Mended:
    """What was done to one polygon at a seam.

    Attributes
    ----------
    position : int
        Which polygon.
    after : polygon or None
        Its new shape; None where the place was left as it was.
    filled : bool
        It got ground of a gap.
    moved_m : float
        Greatest distance of a corner before from the boundary after, or the other way round, m.
    reason : str
        Why the place was left as it was; empty where it was mended.
    """

    position: int
    after: BaseGeometry | None
    filled: bool = False
    moved_m: float = 0.0
    reason: str = ""


def mend_seams(geometry: GeometryArray, grazing: IntArray, spec: RepairSpec) -> Iterator[Mended]:
    """Close gaps up to ``gap_max_m``, snap corners within ``snap_m``, and give shared boundaries the same corners.

    Parameters
    ----------
    geometry : geometry[n]
        Valid polygons whose overlaps are at most rounding, in the order in which ties are settled. Not changed.
    grazing : int64[k, 2]
        Pairs whose interiors meet all the same.
    spec : RepairSpec
        ``gap_max_m``, ``snap_m``; both 0: nothing is done. ``sliver_max_m2``: no part may become as small as this.

    Yields
    ------
    Mended
        Once for each step that changed a polygon, or left one as it was for a reason.
    """
    reach = max(spec.gap_max_m, spec.snap_m)
    if reach == 0 or len(geometry) < 2:
        return
    work = geometry.copy()
    asked = np.arange(len(work))
    left: list[Mended] = []
    for _ in range(_PASSES):
        steps = list(_one_pass(work, asked, grazing, spec, reach))
        changed = [step for step in steps if step.after is not None]
        left = [step for step in steps if step.after is None]
        yield from changed
        if not changed:
            break
        # What was mended may let its surroundings be mended, or bring out a last crumb.
        touched = np.unique([step.position for step in steps])
        tree = shapely.STRtree(work)
        asked = np.unique(tree.query(work[touched], predicate="dwithin", distance=reach)[1])
        around = np.zeros(len(work), dtype=bool)
        around[asked] = True
        overlaps = find_overlaps(work, around)
        grazing = np.concatenate([overlaps.grazing, overlaps.pairs])
    yield from left


def _one_pass(
    work: GeometryArray, asked: IntArray, grazing: IntArray, spec: RepairSpec, reach: float
) -> Iterator[Mended]:
    """Mend every cluster among some polygons, and put the new shapes into `work`."""
    tree = shapely.STRtree(work)
    place = np.full(len(work), -1, dtype=np.int64)
    place[asked] = np.arange(len(asked))
    pairs = place[grazing]
    pairs = pairs[(pairs >= 0).all(axis=1)]
    for members in _clusters(work[asked], pairs, reach):
        for step in _Place(work, tree, spec, reach).mend(asked[members]):
            if step.after is not None:
                work[step.position] = step.after
            yield step


def _clusters(geometry: GeometryArray, grazing: IntArray, reach: float) -> list[IntArray]:
    """Groups of polygons that do not meet cleanly, each in order, those with the first polygon first."""
    pairs = np.concatenate([np.stack(near_seams(geometry, reach + NODE_M), axis=1), grazing.reshape(-1, 2)])
    asked = np.unique(pairs)
    edges = shapely.coverage_invalid_edges(geometry[asked], gap_width=reach)
    bad = np.zeros(len(geometry), dtype=bool)
    bad[asked] = ~shapely.is_empty(edges)
    linked = pairs[bad[pairs].all(axis=1)]
    n = len(geometry)
    links = coo_array((np.ones(len(linked)), (linked[:, 0], linked[:, 1])), shape=(n, n))
    _, label = connected_components(links, directed=False)
    # A polygon alone has no neighbour to be mended with: its own narrow places are its own affair.
    members = np.unique(linked)
    groups: dict[int, list[int]] = {}
    for k in members.tolist():
        groups.setdefault(int(label[k]), []).append(k)
    # A place that cannot be mended must not hold up half a district: large clusters are taken piece by piece.
    return [
        np.asarray(group[start : start + _LARGEST], dtype=np.int64)
        for group in groups.values()
        for start in range(0, len(group), _LARGEST)
    ]


@dataclass(frozen=True)
class _Place:
    """The polygons around one cluster."""

    work: GeometryArray
    tree: shapely.STRtree
    spec: RepairSpec
    reach: float

    def mend(self, members: IntArray) -> list[Mended]:
        """Clean a cluster; where that spoils what its neighbours share with theirs, clean these as well."""
        first = members
        for _ in range(_GROWTHS):
            group = self._group(members)
            steps = self._clean(members, group)
            reason = next((step.reason for step in steps if step.reason), "")
            if reason:
                break
            spoilt = self._spoilt(group, steps)
            if not len(spoilt):
                return steps
            members = np.union1d(members, spoilt)
            reason = "the boundaries around it would no longer meet"
        return [Mended(k, None, reason=reason) for k in first.tolist()]

    def _group(self, members: IntArray) -> IntArray:
        """The cluster and the polygons that have a say in it, in order."""
        edges = self.work[members]
        if self.spec.snap_m == 0:
            # Nothing moves but at the edges themselves.
            edges = shapely.coverage_invalid_edges(edges, gap_width=self.spec.gap_max_m)
            edges = edges[~shapely.is_empty(edges)]
        around = self._near(edges, 2 * self.reach)
        return np.union1d(members, around)

    def _near(self, what: GeometryArray, distance: float) -> IntArray:
        """Polygons within a distance, as they are now."""
        low, high = np.split(shapely.bounds(what), 2, axis=1)
        pad = distance + self.reach
        boxes = shapely.box(low[:, 0] - pad, low[:, 1] - pad, high[:, 0] + pad, high[:, 1] + pad)
        a, b = self.tree.query(boxes)
        shapely.prepare(what)
        return np.unique(b[shapely.dwithin(what[a], self.work[b], distance)])

    def _clean(self, members: IntArray, group: IntArray) -> list[Mended]:
        """Clean a group with its gaps filled; where that cannot be taken, without."""
        steps = self._attempt(members, group, self.spec.gap_max_m)
        if steps and steps[0].reason:
            plain = self._attempt(members, group, 0.0)
            return plain if plain and not plain[0].reason else steps
        return steps

    def _attempt(self, members: IntArray, group: IntArray, gap_max_m: float) -> list[Mended]:
        before = self.work[group]
        try:
            after, filled = self._mended(before, np.searchsorted(group, members), gap_max_m)
        except shapely.errors.GEOSException as error:
            return [Mended(int(group[0]), None, reason=f"it could not be cleaned ({error})")]
        changed = np.flatnonzero(shapely.normalize(before) != shapely.normalize(after))
        moved = [moved_m(before[k], after[k]) for k in changed.tolist()]
        reason = self._refused(before[changed], after[changed], max(moved, default=0.0))
        if reason:
            return [Mended(int(group[0]), None, reason=reason)]
        return [
            Mended(int(group[k]), after[k], bool(k in filled), m) for k, m in zip(changed.tolist(), moved, strict=True)
        ]

    def _mended(self, before: GeometryArray, members: IntArray, gap_max_m: float) -> tuple[GeometryArray, IntArray]:
        """Polygons snapped, with their gaps filled and with the same corners; which of them got ground of a gap."""
        snapped = before if self.spec.snap_m == 0 else _cleaned(before, self.spec.snap_m)
        edges = shapely.coverage_invalid_edges(snapped[members], gap_width=self.spec.gap_max_m)
        pieces, owner = allotted_strips(snapped, shapely.union_all(edges), gap_max_m)
        cleaned = _cleaned(np.concatenate([snapped, pieces]), NODE_M)
        after, strips = cleaned[: len(before)].copy(), cleaned[len(before) :]
        filled = np.unique(owner)
        for k in filled.tolist():
            after[k] = shapely.coverage_union_all([after[k], *strips[owner == k]])
        return after, filled

    def _refused(self, before: GeometryArray, after: GeometryArray, moved: float) -> str:
        """Why a result cannot be taken, or nothing."""
        if shapely.is_empty(after).any():
            return "a parcel would vanish"
        if not shapely.is_valid(after).all():
            return "a parcel would become invalid"
        if moved > self.reach + NODE_M:
            return f"a boundary would move {moved:.3f} m, more than {self.reach:g} m"
        parts, owner = shapely.get_parts(after, return_index=True)
        if (np.bincount(owner, minlength=len(after)) > shapely.get_num_geometries(before)).any():
            return "a parcel would fall into more parts"
        if (shapely.area(parts) <= self.spec.sliver_max_m2).any():
            return "a part of a parcel would become a sliver"
        return ""

    def _spoilt(self, group: IntArray, steps: list[Mended]) -> IntArray:
        """Polygons outside the group that met a changed one cleanly, and would no longer."""
        if not steps:
            return np.empty(0, dtype=np.int64)
        changed = np.array([step.position for step in steps])
        outside = np.setdiff1d(self._near(self.work[changed], self.reach), group)
        if not len(outside):
            return outside
        now = np.concatenate([self.work[changed], self.work[outside]])
        then = now.copy()
        then[: len(changed)] = [step.after for step in steps]
        was, is_now = (~shapely.is_empty(shapely.coverage_invalid_edges(g)) for g in (now, then))
        return outside[(is_now & ~was)[len(changed) :]]


def _cleaned(polygons: GeometryArray, snap_m: float) -> GeometryArray:
    """Polygons with the same corners along shared boundaries; of an overlap the smaller one keeps the ground."""
    # The stubs do not know it yet.
    clean = vars(shapely)["coverage_clean"]
    out: GeometryArray = clean(polygons, snapping_distance=snap_m, merge_strategy="min_area")
    return out


def moved_m(before: BaseGeometry, after: BaseGeometry) -> float:
    """Greatest distance between two outlines: corners of either that the other lacks, from the other's boundary, m.

    Parameters
    ----------
    before, after : polygon
        Two shapes of one parcel.

    Returns
    -------
    float
        The discrete Hausdorff distance of the two boundaries; corners in common count 0.
    """
    outlines = shapely.boundary([before, after])
    corners = [shapely.get_coordinates(outline).view(np.complex128).ravel() for outline in outlines]
    worst = 0.0
    for mine, other, line in ((corners[0], corners[1], outlines[1]), (corners[1], corners[0], outlines[0])):
        new = np.setdiff1d(mine, other)
        if len(new):
            worst = max(worst, float(shapely.distance(shapely.points(new.real, new.imag), line).max()))
    return worst


def difference_of(before: BaseGeometry, after: BaseGeometry) -> tuple[BaseGeometry | None, float, float]:
    """What changed between two shapes, for the log: the ground (or the corners), m2 gained and m2 given."""
    gained, given = polygonal(shapely.difference(after, before)), polygonal(shapely.difference(before, after))
    parts = np.concatenate([shapely.get_parts(gained), shapely.get_parts(given)])
    if len(parts):
        shown: BaseGeometry | None = shapely.MultiPolygon(list(parts))
    else:
        points = [set(map(tuple, shapely.get_coordinates(g).tolist())) for g in (before, after)]
        corners = sorted(points[0] ^ points[1])
        shown = shapely.MultiPoint(corners) if corners else None
    return shown, float(shapely.area(gained)), float(shapely.area(given))
