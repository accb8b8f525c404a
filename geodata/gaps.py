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

import itertools
from dataclasses import dataclass, field
from typing import Final

import numpy as np
import shapely

from geodata.contract import BoolArray, GeometryArray, IntArray
from geodata.mending import Mended, Mender
from geodata.outlines import moved_m
from geodata.overlaps import find_overlaps
from geodata.seams import NODE_M, Seams, invalid_edges, places
from geodata.spec import RepairSpec

__all__ = ["Mended", "mend_seams"]

_PASSES: Final = 24


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
    seams, tree = Seams.of(geometry, reach), shapely.STRtree(geometry)
    while True:
        run = _Run(geometry.copy(), spec, reach, frozen, tree, seams)
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
    seams: Seams
    filled: set[int] = field(default_factory=set)
    left: dict[bytes, list[Mended]] = field(default_factory=dict)
    unsettled: IntArray = field(default_factory=lambda: np.empty(0, dtype=np.int64))

    def settle(self, grazing: IntArray) -> None:
        """Mend every place, then those around what was mended, until nothing changes any more."""
        edges = invalid_edges(self.work, np.concatenate([self.seams.pairs, grazing]), self.reach)
        stale = np.arange(len(self.work))
        ever = np.empty(0, dtype=np.int64)
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
            ever = np.union1d(ever, touched)
            pairs = place[np.concatenate([self.seams.pairs_now(self.work, ever), grazing])]
            now = invalid_edges(self.work[around], pairs[(pairs >= 0).all(axis=1)], self.reach)
            edges[altered] = now[place[altered]]
            stale = around

    def _pass(self, edges: GeometryArray, stale: IntArray) -> None:
        """Mend every place that has changed, or whose surroundings have, since it was last looked at."""
        again = np.zeros(len(self.work), dtype=bool)
        again[stale] = True
        found = list(places(edges, self.reach))
        keys = [b"".join(shapely.to_wkb(lines).tolist()) for _, lines in found]
        asked = [k for k, (members, _) in enumerate(found) if again[members].any()]
        steps = {k: self.left.get(key, []) for k, key in enumerate(keys)} | self._mend([found[k] for k in asked], asked)
        touched: set[int] = set()
        for step in itertools.chain.from_iterable(steps.values()):
            if step.after is not None:
                touched.add(step.position)
                if step.filled:
                    self.filled.add(step.position)
        self.left = {keys[k]: done for k, done in steps.items() if done and done[0].reason}
        self.unsettled = np.array(sorted(touched), dtype=np.int64)

    def _mend(self, found: list[tuple[IntArray, GeometryArray]], names: list[int]) -> dict[int, list[Mended]]:
        """Mend places as if one after the other: at a time those that have nothing to do with an earlier one."""
        mender = Mender(self.work, self.tree, self.spec, self.reach, self.frozen)
        steps: dict[int, list[Mended]] = {}
        while found:
            around = mender.surroundings(*_columns(found))
            ready = _apart([place.read for place in around], len(self.work))
            outcomes = dict(
                zip(
                    ready,
                    mender.mend(*_columns([found[k] for k in ready]), [around[k] for k in ready]),
                    strict=True,
                )
            )
            # What was changed just now, or may be changed by a place that still waits.
            taken = np.zeros(len(self.work), dtype=bool)
            waiting = []
            for k, name in enumerate(names):
                read = outcomes[k].read if k in outcomes else around[k].read
                if k in outcomes and not taken[read].any():
                    steps[name] = outcomes[k].steps
                    for step in outcomes[k].steps:
                        if step.after is not None:
                            self.work[step.position] = step.after
                            taken[step.position] = True
                else:
                    taken[read] = True
                    waiting.append(k)
            found, names = [found[k] for k in waiting], [names[k] for k in waiting]
        return steps

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


def _columns(found: list[tuple[IntArray, GeometryArray]]) -> tuple[list[IntArray], list[GeometryArray]]:
    return [members for members, _ in found], [lines for _, lines in found]


def _apart(read: list[IntArray], n: int) -> list[int]:
    """Which places depend on nothing that an earlier one may change."""
    taken = np.zeros(n, dtype=bool)
    out = []
    for k, positions in enumerate(read):
        if not taken[positions].any():
            out.append(k)
        taken[positions] = True
    return out
