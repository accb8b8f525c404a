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

from dataclasses import dataclass, field
from typing import Final

import numpy as np
import shapely
from shapely.geometry.base import BaseGeometry

from geodata.contract import BoolArray, GeometryArray, IntArray
from geodata.outlines import altered_segments, moved_m
from geodata.overlaps import find_overlaps
from geodata.seams import NODE_M, invalid_edges, places
from geodata.spec import RepairSpec
from geodata.strips import allotted_strips

_GROWTHS: Final = 3
_PASSES: Final = 24


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


def mend_seams(geometry: GeometryArray, grazing: IntArray, spec: RepairSpec) -> list[Mended]:
    """Close gaps up to ``gap_max_m``, snap corners within ``snap_m``, and give shared boundaries the same corners.

    Parameters
    ----------
    geometry : geometry[n]
        Valid polygons whose overlaps are at most rounding, in the order in which ties are settled. Not changed.
    grazing : int64[k, 2]
        Pairs whose interiors meet all the same.
    spec : RepairSpec
        ``gap_max_m``, ``snap_m``; both 0: nothing is done. ``sliver_max_m2``: no part may become as small as this.

    Returns
    -------
    list of Mended
        One for each polygon that is another one now, and one for each at a place that was left as it was. Mending the
        result again changes nothing, and leaves the same places for the same reasons.
    """
    reach = max(spec.gap_max_m, spec.snap_m)
    if reach == 0 or len(geometry) < 2:
        return []
    frozen = np.zeros(len(geometry), dtype=bool)
    while True:
        run = _Run(geometry.copy(), spec, reach, frozen, shapely.STRtree(geometry))
        run.settle(grazing)
        mended = run.result(geometry)
        far = [step.position for step in mended if step.moved_m > reach + NODE_M]
        if not far and not len(run.unsettled):
            return mended
        # Mended anew without them: what was done beside them counted on where they would be.
        frozen[far] = True
        frozen[run.unsettled] = True


@dataclass
class _Run:
    """Mending of all places until nothing changes any more."""

    work: GeometryArray
    spec: RepairSpec
    reach: float
    frozen: BoolArray
    tree: shapely.STRtree
    filled: set[int] = field(default_factory=set)
    left: dict[bytes, list[Mended]] = field(default_factory=dict)
    unsettled: IntArray = field(default_factory=lambda: np.empty(0, dtype=np.int64))

    def settle(self, grazing: IntArray) -> None:
        """Mend every place, then those around what was mended, until nothing changes any more."""
        edges = invalid_edges(self.work, grazing, self.reach)
        stale = np.arange(len(self.work))
        for _ in range(_PASSES):
            self._pass(edges, stale)
            touched = self.unsettled
            if not len(touched):
                return
            # What they are to each other now; each ring is what the ring within it depends on.
            altered, beside, around = self._rings(touched)
            place = np.full(len(self.work), -1, dtype=np.int64)
            place[around] = np.arange(len(around))
            grazing = self._grazing(touched, beside, grazing)
            pairs = place[grazing]
            now = invalid_edges(self.work[around], pairs[(pairs >= 0).all(axis=1)], self.reach)
            edges[altered] = now[place[altered]]
            stale = around

    def _pass(self, edges: GeometryArray, stale: IntArray) -> None:
        """Mend every place that has changed, or whose surroundings have, since it was last looked at."""
        again = np.zeros(len(self.work), dtype=bool)
        again[stale] = True
        left: dict[bytes, list[Mended]] = {}
        touched: set[int] = set()
        for members, lines in places(edges, self.reach):
            key = b"".join(shapely.to_wkb(lines).tolist())
            if again[members].any():
                steps = _Place(self.work, self.tree, self.spec, self.reach, self.frozen, lines).mend(members)
            else:
                steps = self.left.get(key, [])
            for step in steps:
                if step.after is not None:
                    self.work[step.position] = step.after
                    touched.add(step.position)
                    if step.filled:
                        self.filled.add(step.position)
            if steps and steps[0].reason:
                left[key] = steps
        self.left = left
        self.unsettled = np.array(sorted(touched), dtype=np.int64)

    def _rings(self, touched: IntArray) -> list[IntArray]:
        """Polygons that may lie beside some, with these; those beside them; and those beside these."""
        rings = []
        for _ in range(3):
            low, high = np.split(shapely.bounds(self.work[touched]), 2, axis=1)
            # The tree holds the boxes before mending, and nothing has moved further than this.
            pad = 4 * self.reach
            found = self.tree.query(shapely.box(*(low - pad).T, *(high + pad).T))[1]
            touched = np.union1d(touched, found)
            rings.append(touched)
        return rings

    def _grazing(self, touched: IntArray, near: IntArray, grazing: IntArray) -> IntArray:
        """Pairs whose interiors meet, where some of the polygons are others now."""
        masks = np.zeros((2, len(self.work)), dtype=bool)
        masks[0, near] = True
        masks[1, touched] = True
        overlaps = find_overlaps(self.work, masks[0], masks[1])
        before = grazing[~masks[1][grazing].any(axis=1)]
        return np.unique(np.concatenate([before, overlaps.grazing, overlaps.pairs]), axis=0)

    def result(self, before: GeometryArray) -> list[Mended]:
        """What became of each polygon."""
        changed = np.flatnonzero(before != self.work)
        moved = moved_m(before[changed], self.work[changed])
        mended = [
            Mended(k, self.work[k], k in self.filled, m) for k, m in zip(changed.tolist(), moved.tolist(), strict=True)
        ]
        reasons = {step.position: step for steps in reversed(self.left.values()) for step in steps}
        return mended + [reasons[k] for k in sorted(reasons)]


@dataclass(frozen=True)
class _Place:
    """The polygons around one cluster."""

    work: GeometryArray
    tree: shapely.STRtree
    spec: RepairSpec
    reach: float
    frozen: BoolArray
    edges: GeometryArray

    def mend(self, members: IntArray) -> list[Mended]:
        """Clean a place; where that spoils what its polygons share with others, clean these as well."""
        group = np.union1d(members, self._near(self.edges, 2 * self.reach))
        for _ in range(_GROWTHS):
            steps = self._clean(group)
            reason = next((step.reason for step in steps if step.reason), "")
            if reason:
                break
            spoilt = self._spoilt(group, steps)
            if not len(spoilt):
                return steps
            group = np.union1d(group, spoilt)
            reason = "the boundaries around it would no longer meet"
        return [Mended(k, None, reason=reason) for k in members.tolist()]

    def _near(self, what: GeometryArray, distance: float) -> IntArray:
        """Polygons within a distance, as they are now."""
        low, high = np.split(shapely.bounds(what), 2, axis=1)
        pad = distance + self.reach
        boxes = shapely.box(low[:, 0] - pad, low[:, 1] - pad, high[:, 0] + pad, high[:, 1] + pad)
        a, b = self.tree.query(boxes)
        shapely.prepare(what)
        return np.unique(b[shapely.dwithin(what[a], self.work[b], distance)])

    def _clean(self, group: IntArray) -> list[Mended]:
        """Clean a group with its gaps filled; where that cannot be taken, without."""
        steps = self._attempt(group, self.spec.gap_max_m)
        if steps and steps[0].reason and self.spec.gap_max_m > 0:
            plain = self._attempt(group, 0.0)
            return plain if plain and not plain[0].reason else steps
        return steps

    def _attempt(self, group: IntArray, gap_max_m: float) -> list[Mended]:
        before = self.work[group]
        try:
            after, filled = self._mended(before, gap_max_m)
        except shapely.errors.GEOSException as error:
            return [Mended(int(group[0]), None, reason=f"it could not be cleaned ({error})")]
        changed = np.unique(altered_segments(before, after)[1])
        if self.frozen[group[changed]].any():
            return [
                Mended(
                    int(group[0]), None, reason=f"it would move more than {self.reach:g} m in all, or not come to rest"
                )
            ]
        reason = self._refused(before[changed], after[changed])
        if reason:
            return [Mended(int(group[0]), None, reason=reason)]
        return [Mended(int(group[k]), after[k], bool(k in filled)) for k in changed.tolist()]

    def _mended(self, before: GeometryArray, gap_max_m: float) -> tuple[GeometryArray, IntArray]:
        """Polygons snapped, with their gaps filled and with the same corners; which of them got ground of a gap."""
        snapped, edges = before, self.edges
        if self.spec.snap_m > 0:
            snapped = _cleaned(before, self.spec.snap_m)
            edges = shapely.coverage_invalid_edges(snapped, gap_width=self.spec.gap_max_m)
        pieces, owner = allotted_strips(snapped, shapely.union_all(edges), gap_max_m)
        cleaned = _cleaned(np.concatenate([snapped, pieces]), NODE_M)
        after, strips = cleaned[: len(before)].copy(), cleaned[len(before) :]
        filled = np.unique(owner)
        for k in filled.tolist():
            after[k] = _without_hairs(shapely.coverage_union_all([after[k], *strips[owner == k]]))
        return after, filled

    def _refused(self, before: GeometryArray, after: GeometryArray) -> str:
        """Why a result cannot be taken, or nothing."""
        if shapely.is_empty(after).any():
            return "a parcel would vanish"
        if not shapely.is_valid(after).all():
            return "a parcel would become invalid"
        moved = moved_m(before, after).max(initial=0.0)
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
        after = np.array([step.after for step in steps], dtype=object)
        altered, _ = altered_segments(self.work[changed], after)
        outside = np.setdiff1d(self._near(altered, self.reach), group)
        if not len(outside):
            return outside
        now = np.concatenate([self.work[changed], self.work[outside]])
        then = np.concatenate([after, self.work[outside]])
        was, is_now = (~shapely.is_empty(shapely.coverage_invalid_edges(g)) for g in (now, then))
        return outside[(is_now & ~was)[len(changed) :]]


def _without_hairs(polygon: BaseGeometry) -> BaseGeometry:
    """Polygon without the holes thinner than rounding that filling may leave."""
    parts = shapely.get_parts(polygon)
    if not shapely.get_num_interior_rings(parts).any():
        return polygon
    whole = []
    for part in parts.tolist():
        holes = np.array(part.interiors, dtype=object)
        wide = shapely.area(shapely.polygons(holes)) > NODE_M * shapely.length(holes)
        whole.append(shapely.Polygon(part.exterior, holes[wide].tolist()))
    out: BaseGeometry = whole[0] if len(whole) == 1 else shapely.MultiPolygon(whole)
    return out


def _cleaned(polygons: GeometryArray, snap_m: float) -> GeometryArray:
    """Polygons with the same corners along shared boundaries; of an overlap the smaller one keeps the ground."""
    # The stubs do not know it yet.
    clean = vars(shapely)["coverage_clean"]
    out: GeometryArray = clean(polygons, snapping_distance=snap_m, merge_strategy="min_area")
    return out
