"""Mending of places where polygons do not meet cleanly: many places that have nothing to do with each other at a time.

Each place is mended on its own, as if it were the only one; only the routines are asked of arrays over all of them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Final

import numpy as np
import shapely
from shapely.geometry.base import BaseGeometry

from geodata.cleaning import cleaned_or_error, snapped_place, without_hairs
from geodata.contract import BoolArray, GeometryArray, IntArray
from geodata.outlines import altered_segments, moved_m
from geodata.parallel import in_portions, mapped
from geodata.seams import NODE_M
from geodata.spec import RepairSpec
from geodata.strips import allotted_strips, union_each

_GROWTHS: Final = 3
_SPOILS: Final = "the boundaries around it would no longer meet"


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


@dataclass(frozen=True)
class Surroundings:
    """Polygons around one place: those to be mended together, and all on which that depends."""

    group: IntArray
    read: IntArray


@dataclass(frozen=True)
class Outcome:
    """What becomes of one place, and the polygons on which that depends, sorted."""

    steps: list[Mended]
    read: IntArray


@dataclass(frozen=True)
class _Tried:
    """New shapes of polygons by place and position, the segments that they alter, and the places left with a reason."""

    place: IntArray
    position: IntArray
    after: GeometryArray
    filled: BoolArray
    altered: GeometryArray
    altered_at: IntArray
    reasons: dict[int, str] = field(default_factory=dict)

    def of(self, places: BoolArray) -> _Tried:
        """What concerns these places."""
        row, line = places[self.place], places[self.altered_at]
        return _Tried(
            self.place[row],
            self.position[row],
            self.after[row],
            self.filled[row],
            self.altered[line],
            self.altered_at[line],
            {k: reason for k, reason in self.reasons.items() if places[k]},
        )

    def also(self, other: _Tried) -> _Tried:
        """What concerns other places as well."""
        mine, others = vars(self), vars(other)
        arrays = {name: np.concatenate([mine[name], others[name]]) for name in mine if name != "reasons"}
        row, line = (np.argsort(arrays[name], kind="stable") for name in ("place", "altered_at"))
        arrays = {name: array[line if name.startswith("altered") else row] for name, array in arrays.items()}
        return _Tried(**arrays, reasons=self.reasons | other.reasons)


@dataclass(frozen=True)
class Mender:
    """Mends places of a set of polygons.

    Attributes
    ----------
    work : geometry[n]
        The polygons as they are now.
    tree : shapely.STRtree
        Of the polygons before mending: none has moved further than `reach` since.
    spec : RepairSpec
        Tolerances.
    reach : float
        Greatest of them, m.
    frozen : bool[n]
        Polygons that stay as they are.
    """

    work: GeometryArray
    tree: shapely.STRtree
    spec: RepairSpec
    reach: float
    frozen: BoolArray

    def surroundings(self, members: list[IntArray], lines: list[GeometryArray]) -> list[Surroundings]:
        """Polygons around each place, given by its members and their lines."""
        near, read = self._near(*_flat(lines), 2 * self.reach)
        group = np.union1d(near, self._keys(np.repeat(np.arange(len(members)), [len(m) for m in members]), members))
        groups, reads = self._by_place(group, len(lines)), self._by_place(np.union1d(group, read), len(lines))
        return [Surroundings(*pair) for pair in zip(groups, reads, strict=True)]

    def mend(self, members: list[IntArray], lines: list[GeometryArray], around: list[Surroundings]) -> list[Outcome]:
        """Clean places; where that spoils what their polygons share with others, clean these as well."""
        n = len(lines)
        flat = _flat(lines)
        group, read = (
            self._keys(np.repeat(np.arange(n), [len(side) for side in sides]), sides)
            for sides in ([s.group for s in around], [s.read for s in around])
        )
        todo = np.ones(n, dtype=bool)
        steps: list[list[Mended]] = [[] for _ in range(n)]
        reasons = dict.fromkeys(range(n), _SPOILS)
        for _ in range(_GROWTHS):
            tried = self._clean(flat, group[todo[group // len(self.work)]], n)
            reasons |= tried.reasons
            outside, beside = self._outside(tried, group)
            read = np.union1d(read, beside)
            spoilt = self._spoilt(tried, outside)
            again = np.zeros(n, dtype=bool)
            again[spoilt // len(self.work)] = True
            settled = todo & ~again
            settled[list(tried.reasons)] = False
            for k in np.flatnonzero(settled).tolist():
                del reasons[k]
            taken = tried.of(settled)
            for k, *row in zip(
                taken.place.tolist(), taken.position.tolist(), taken.after, taken.filled.tolist(), strict=True
            ):
                steps[k].append(Mended(*row))
            group = np.union1d(group, spoilt)
            todo = again
            if not todo.any():
                break
        for k, reason in reasons.items():
            steps[k] = [Mended(m, None, reason=reason) for m in members[k].tolist()]
        reads = self._by_place(np.union1d(read, group), n)
        return [Outcome(*pair) for pair in zip(steps, reads, strict=True)]

    def _keys(self, place: IntArray, positions: list[IntArray]) -> IntArray:
        """One number for each polygon at a place."""
        flat = np.concatenate([np.empty(0, dtype=np.int64), *positions])
        return np.asarray(place * len(self.work) + flat)

    def _by_place(self, keys: IntArray, n: int) -> list[IntArray]:
        place, position = np.divmod(keys, len(self.work))
        return np.split(position, np.searchsorted(place, np.arange(1, n)))

    def _near(self, what: GeometryArray, place: IntArray, distance: float) -> tuple[IntArray, IntArray]:
        """Polygons within a distance of lines, as they are now, and those that one more change may bring there."""
        if not len(what):
            return np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int64)
        low, high = np.split(shapely.bounds(what), 2, axis=1)
        further = distance + 2 * self.reach
        pad = further + self.reach
        a, b = self.tree.query(shapely.box(*(low - pad).T, *(high + pad).T))
        key = np.unique(place[a] * len(self.work) + b)
        names, group = np.unique(place, return_inverse=True)
        order = np.argsort(group, kind="stable")
        together = np.asarray(shapely.geometrycollections(what[order], indices=group[order]))
        shapely.prepare(together)
        at, polygon = np.divmod(key, len(self.work))
        lines, polygons = together[np.searchsorted(names, at)], self.work[polygon]
        close = shapely.dwithin(lines, polygons, further)
        near = close.copy()
        near[close] = shapely.dwithin(lines[close], polygons[close], distance)
        return key[near], key[close]

    def _clean(self, lines: tuple[GeometryArray, IntArray], group: IntArray, n: int) -> _Tried:
        """Clean groups with their gaps filled; where that cannot be taken, without."""
        tried = self._attempt(lines, group, n, self.spec.gap_max_m)
        if not tried.reasons or self.spec.gap_max_m == 0:
            return tried
        refused = np.zeros(n, dtype=bool)
        refused[list(tried.reasons)] = True
        plain = self._attempt(lines, group[refused[group // len(self.work)]], n, 0.0)
        better = np.zeros(n, dtype=bool)
        better[plain.place] = True
        return tried.of(~better).also(plain.of(better))

    def _attempt(self, lines: tuple[GeometryArray, IntArray], group: IntArray, n: int, gap_max_m: float) -> _Tried:
        place, position = np.divmod(group, len(self.work))
        before = self.work[position]
        try:
            after, filled, reasons = self._mended(before, place, lines, n, gap_max_m)
        except shapely.errors.GEOSException as error:
            return self._halves(lines, group, n, gap_max_m, error)
        segments, row = altered_segments(before, after)
        changed = np.unique(row)
        stuck = np.unique(place[changed[self.frozen[position[changed]]]])
        for k in stuck.tolist():
            reasons.setdefault(k, f"it would move more than {self.reach:g} m in all, or not come to rest")
        self._refuse(before[changed], after[changed], place[changed], reasons)
        tried = _Tried(
            place[changed], position[changed], after[changed], filled[changed], segments, place[row], reasons
        )
        good = np.ones(n, dtype=bool)
        good[list(reasons)] = False
        fine = tried.of(good)
        return _Tried(**{**vars(fine), "reasons": reasons})

    def _halves(
        self,
        lines: tuple[GeometryArray, IntArray],
        group: IntArray,
        n: int,
        gap_max_m: float,
        error: shapely.errors.GEOSException,
    ) -> _Tried:
        """Half of the places at a time, until it is known at which of them a routine fails."""
        place = group // len(self.work)
        which = np.unique(place)
        if len(which) > 1:
            half = which[len(which) // 2]
            sides = [self._attempt(lines, group[side], n, gap_max_m) for side in (place < half, place >= half)]
            return sides[0].also(sides[1])
        none, nothing = np.empty(0, dtype=np.int64), np.empty(0, dtype=object)
        reason = _failed(error)
        return _Tried(none, none, nothing, np.empty(0, dtype=bool), nothing, none, {int(which[0]): reason})

    def _mended(
        self, before: GeometryArray, place: IntArray, lines: tuple[GeometryArray, IntArray], n: int, gap_max_m: float
    ) -> tuple[GeometryArray, BoolArray, dict[int, str]]:
        """Polygons snapped, with their gaps filled and with the same corners; which got ground of a gap; failures."""
        reasons: dict[int, str] = {}
        snapped, edges = before, union_each(*lines, n)
        if self.spec.snap_m > 0:
            snapped, edges = self._snapped(before, place, n, reasons)
        strips = allotted_strips(snapped, place, edges, gap_max_m)
        after, filled = snapped.copy(), np.zeros(len(before), dtype=bool)
        strip_at = place[strips.owner]
        found = _runs(place)
        mine_of = [slice(*np.searchsorted(strip_at, (k, k + 1))) for k, _ in found]
        together = [
            np.concatenate([snapped[rows], strips.pieces[mine]]) for (_, rows), mine in zip(found, mine_of, strict=True)
        ]
        each = mapped(partial(cleaned_or_error, snap_m=NODE_M), together)
        for (k, rows), mine, cleaned in zip(found, mine_of, each, strict=True):
            if isinstance(cleaned, shapely.errors.GEOSException):
                reasons.setdefault(k, _failed(cleaned))
                continue
            many = rows.stop - rows.start
            after[rows], pieces, owner = cleaned[:many], cleaned[many:], strips.owner[mine]
            for row in np.unique(owner).tolist():
                after[row] = without_hairs(shapely.coverage_union_all([after[row], *pieces[owner == row]]))
                filled[row] = True
        return after, filled, reasons

    def _snapped(
        self, before: GeometryArray, place: IntArray, n: int, reasons: dict[int, str]
    ) -> tuple[GeometryArray, GeometryArray]:
        """Polygons snapped to each other, and where they still do not meet."""
        snapped = before.copy()
        edges = np.full(n, shapely.GeometryCollection(), dtype=object)
        found = _runs(place)
        snap = partial(snapped_place, snap_m=self.spec.snap_m, gap_max_m=self.spec.gap_max_m)
        for (k, rows), result in zip(found, mapped(snap, [before[rows] for _, rows in found]), strict=True):
            if isinstance(result, shapely.errors.GEOSException):
                reasons[k] = _failed(result)
            else:
                snapped[rows], edges[k] = result
        return snapped, edges

    def _refuse(self, before: GeometryArray, after: GeometryArray, place: IntArray, reasons: dict[int, str]) -> None:
        """Say why the result at a place cannot be taken; the first reason counts."""
        for check in (_vanished, _invalid, self._too_far, _more_parts, self._slivers):
            left = ~np.isin(place, list(reasons))
            before, after, place = before[left], after[left], place[left]
            for k, reason in check(before, after, place).items():
                reasons.setdefault(k, reason)

    def _too_far(self, before: GeometryArray, after: GeometryArray, place: IntArray) -> dict[int, str]:
        moved = moved_m(before, after)
        reasons = {}
        for k, rows in _runs(place):
            most = moved[rows].max()
            if most > self.reach + NODE_M:
                reasons[k] = f"a boundary would move {most:.3f} m, more than {self.reach:g} m"
        return reasons

    def _slivers(self, before: GeometryArray, after: GeometryArray, place: IntArray) -> dict[int, str]:
        parts, owner = shapely.get_parts(after, return_index=True)
        small = place[owner[shapely.area(parts) <= self.spec.sliver_max_m2]]
        return dict.fromkeys(small.tolist(), "a part of a parcel would become a sliver")

    def _outside(self, tried: _Tried, group: IntArray) -> tuple[IntArray, IntArray]:
        """Polygons beside what is altered, that are not in the group of the place; and those that may come there."""
        near, read = self._near(tried.altered, tried.altered_at, self.reach)
        return np.setdiff1d(near, group), read

    def _spoilt(self, tried: _Tried, outside: IntArray) -> IntArray:
        """Polygons outside the groups that met a changed one cleanly, and would no longer."""
        place, position = np.divmod(outside, len(self.work))

        def at(run: tuple[int, slice]) -> IntArray:
            k, rows = run
            mine = slice(*np.searchsorted(tried.place, (k, k + 1)))
            changed, others = tried.position[mine], self.work[position[rows]]
            sides = [np.concatenate([some, others]) for some in (self.work[changed], tried.after[mine])]
            was, is_now = (~shapely.is_empty(shapely.coverage_invalid_edges(side)) for side in sides)
            return outside[rows][(is_now & ~was)[len(changed) :]]

        return np.concatenate([np.empty(0, dtype=np.int64), *mapped(at, _runs(place))])


Check = Callable[[GeometryArray, GeometryArray, IntArray], dict[int, str]]


def _vanished(before: GeometryArray, after: GeometryArray, place: IntArray) -> dict[int, str]:
    return dict.fromkeys(place[shapely.is_empty(after)].tolist(), "a parcel would vanish")


def _invalid(before: GeometryArray, after: GeometryArray, place: IntArray) -> dict[int, str]:
    return dict.fromkeys(place[~in_portions(shapely.is_valid, after)].tolist(), "a parcel would become invalid")


def _more_parts(before: GeometryArray, after: GeometryArray, place: IntArray) -> dict[int, str]:
    more = shapely.get_num_geometries(after) > shapely.get_num_geometries(before)
    return dict.fromkeys(place[more].tolist(), "a parcel would fall into more parts")


def _failed(error: shapely.errors.GEOSException) -> str:
    return f"it could not be cleaned ({error})"


def _flat(lines: list[GeometryArray]) -> tuple[GeometryArray, IntArray]:
    """Lines of all places, and the place of each."""
    flat: GeometryArray = np.concatenate([np.empty(0, dtype=object), *lines])
    return flat, np.repeat(np.arange(len(lines)), [len(side) for side in lines])


def _runs(place: IntArray) -> list[tuple[int, slice]]:
    """Each place and its rows, of rows sorted by place."""
    names, starts, many = np.unique(place, return_index=True, return_counts=True)
    ends = starts + many
    return [(k, slice(a, b)) for k, a, b in zip(names.tolist(), starts.tolist(), ends.tolist(), strict=True)]
