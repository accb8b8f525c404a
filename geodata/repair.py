"""Repair of parcel geometry: what is broken, stored twice, overlapping or a sliver, and what was done about it.

Nothing changes in silence: every change is one row of the log, with the area before and after it, so that the total
area before plus the logged changes is the total area after. The order of the rows never matters: where two parcels
compete, areas and ids decide. Geometry that is in order is handed back untouched.

Stages, in this order: missing geometry · non-polygons · invalid polygons · slivers · duplicates · overlaps (each with
the slivers it leaves) · seams (gaps, snapping, corners in common; see `geodata.gaps`) · multipart parcels.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import geopandas as gpd
import numpy as np
import shapely
from shapely.geometry.base import BaseGeometry

from geodata.contract import BoolArray, GeometryArray, IntArray, geometry_array, require_parcels
from geodata.gaps import mend_seams
from geodata.multipart import split_multipart
from geodata.outlines import changed_corners, differences_of
from geodata.overlaps import (
    OVERLAP_FLOOR_M2,
    THREAD_WIDTH_M,
    Overlaps,
    cut_away,
    find_overlaps,
    polygonal,
    without_threads,
)
from geodata.parallel import in_portions
from geodata.repair_log import LOG_COLUMNS, AreaBalance, RepairResult, log_frame, repair_table
from geodata.seams import NODE_M
from geodata.spec import RepairSpec

__all__ = ["LOG_COLUMNS", "AreaBalance", "RepairResult", "repair", "repair_table"]

_POLYGON, _MULTIPOLYGON = 3, 6
_MAX_PASSES = 3


def repair(parcels: gpd.GeoDataFrame, spec: RepairSpec) -> RepairResult:
    """Make parcels valid, single and free of overlap.

    Rules
    -----
    * Missing or empty geometry, non-finite coordinates, points and lines: the parcel is dropped. Of a geometry
      collection the polygons are kept. Heights are left out.
    * Invalid polygons: `shapely.make_valid`, method "structure"; lines and points that it leaves are dropped.
    * Slivers: parts of a multipart parcel, and whole parcels, up to ``sliver_max_m2`` are dropped.
    * Duplicates: of two parcels whose overlap is at least ``duplicate_share`` of the larger one, the one whose id
      comes first as text is kept.
    * Overlaps: the smaller parcel keeps the ground (of equal ones, the first id), because a portion drawn on top of
      the land that it was taken from is the later survey. Threads thinner than 5 cm that a cut leaves are dropped.
    * Seams: gaps up to ``gap_max_m`` wide go to the parcel beside them with the longest border, corners within
      ``snap_m`` of another parcel are moved onto it, and both sides of a shared boundary get the same corners. Where
      anything would move further than that, the place is left as it was, with a notice.
    * Multipart parcels are kept as such, with a notice, or split, or refused; see `geodata.multipart`.

    Parameters
    ----------
    parcels : geopandas.GeoDataFrame
        Indexed by unique text ``parcel_id``, in a projected CRS in metres. Not changed.
    spec : RepairSpec
        Tolerances.

    Returns
    -------
    RepairResult
        Repairing its parcels again changes nothing; only where parcels were split, parts that nearly touch are
        neighbours from then on, and a second repair may mend the seams between them.

    Raises
    ------
    DataError
        Ids that are missing or not unique; multipart parcels where they are refused; ids of parts that exist already.
    CrsError
        No metric CRS.
    """
    require_parcels(parcels)
    order = np.argsort(np.asarray(parcels.index, dtype=object), kind="stable")
    work = _Work.of(parcels, order)
    before = float(np.nansum(shapely.area(work.geometry)))
    _drop_missing(work)
    _keep_polygons(work)
    _make_valid(work)
    several = shapely.get_num_geometries(work.geometry) > 1
    for k in np.flatnonzero(work.alive & (several | (shapely.area(work.geometry) <= spec.sliver_max_m2))).tolist():
        work.drop_slivers(k, spec.sliver_max_m2)
    overlaps = _drop_duplicates(work, spec)
    grazing = _cut_overlaps(work, overlaps, spec)
    _mend_seams(work, grazing, spec)
    if spec.multipart == "keep":
        _notice_multipart(work)
    kept = _kept(parcels, order, work)
    if spec.multipart != "keep":
        kept, rows = split_multipart(kept, spec.multipart)
        work.rows.extend(rows)
    return _result(parcels, kept, work, before)


@dataclass
class _Work:
    """Parcels in the order of their ids while they are being repaired."""

    ids: GeometryArray
    geometry: GeometryArray
    wild: BoolArray
    alive: BoolArray
    rows: list[dict[str, Any]] = field(default_factory=list)

    @classmethod
    def of(cls, parcels: gpd.GeoDataFrame, order: IntArray) -> _Work:
        geometry = shapely.force_2d(geometry_array(parcels)[order])
        coords, owner = shapely.get_coordinates(geometry, return_index=True)
        wild = np.zeros(len(geometry), dtype=bool)
        wild[owner[~np.isfinite(coords).all(axis=1)]] = True
        # Nothing can be asked of such a geometry, not even its area.
        geometry[wild] = None
        return cls(np.asarray(parcels.index, dtype=object)[order], geometry, wild, np.ones(len(parcels), dtype=bool))

    def log(
        self,
        k: int,
        issue: str,
        action: str,
        after: BaseGeometry | None,
        note: str,
        *,
        other: int | None = None,
        removed: BaseGeometry | None = None,
    ) -> None:
        """Replace the geometry of parcel `k` by `after` (None: drop it), and write it down."""
        before_m2 = float(shapely.area(self.geometry[k]))
        self.rows.append(
            {
                "parcel_id": self.ids[k],
                "issue": issue,
                "action": action,
                "other_id": None if other is None else self.ids[other],
                "area_before_m2": before_m2,
                "area_after_m2": 0.0 if after is None else float(shapely.area(after)),
                "note": note,
                "geometry": removed,
            }
        )
        if after is None:
            self.alive[k] = False
        else:
            self.geometry[k] = after

    def drop_slivers(self, k: int, sliver_max_m2: float) -> None:
        """Drop the slivers of parcel `k`, or the parcel where nothing else is left."""
        geometry = self.geometry[k]
        parts = shapely.get_parts(geometry)
        small = shapely.area(parts) <= sliver_max_m2
        if small.all():
            note = f"the whole parcel has at most {sliver_max_m2:g} m2"
            self.log(k, "sliver", "dropped", None, note if len(parts) == 1 else f"each part: {note}", removed=geometry)
        elif small.any():
            note = f"{small.sum()} of {len(parts)} parts have at most {sliver_max_m2:g} m2"
            self.log(k, "sliver", "part_dropped", _joined(parts[~small]), note, removed=_joined(parts[small]))


def _joined(polygons: GeometryArray) -> BaseGeometry:
    """One polygon, or a multipolygon of several."""
    out: BaseGeometry = polygons[0] if len(polygons) == 1 else shapely.MultiPolygon(list(polygons))
    return out


def _drop_missing(work: _Work) -> None:
    missing = shapely.is_missing(work.geometry)
    for k in np.flatnonzero(missing & ~work.wild).tolist():
        work.log(k, "empty", "dropped", None, "no geometry")
    for k in np.flatnonzero(shapely.is_empty(work.geometry)).tolist():
        work.log(k, "empty", "dropped", None, "empty geometry")
    for k in np.flatnonzero(work.wild).tolist():
        work.log(k, "invalid", "dropped", None, "coordinates that are not finite numbers")


def _keep_polygons(work: _Work) -> None:
    kinds = shapely.get_type_id(work.geometry)
    for k in np.flatnonzero(work.alive & (kinds != _POLYGON) & (kinds != _MULTIPOLYGON)).tolist():
        _split_polygons(work, k, work.geometry[k], "stored as ")


def _split_polygons(work: _Work, k: int, geometry: BaseGeometry, prefix: str) -> None:
    """Keep the polygons of any geometry, drop and log the rest."""
    leaves = _leaves(geometry)
    polygons = shapely.get_type_id(leaves) == _POLYGON
    kinds = ", ".join(sorted({leaf.geom_type for leaf in leaves[~polygons]})) or geometry.geom_type
    rest = shapely.geometrycollections(leaves[~polygons]) if (~polygons).any() else None
    if not polygons.any():
        work.log(k, "not_polygon", "dropped", None, f"{prefix}{kinds}", removed=geometry)
    else:
        kept = _joined(leaves[polygons])
        work.log(k, "not_polygon", "part_dropped", kept, f"{prefix}polygons with {kinds}", removed=rest)


def _leaves(geometry: BaseGeometry) -> GeometryArray:
    """Parts of any geometry, collections inside collections opened."""
    parts = np.array([geometry], dtype=object)
    while (shapely.get_type_id(parts) > _POLYGON).any():
        parts = shapely.get_parts(parts)
    return parts[~shapely.is_empty(parts)]


def _make_valid(work: _Work) -> None:
    invalid = work.alive & ~in_portions(shapely.is_valid, work.geometry)
    reasons = shapely.is_valid_reason(work.geometry[invalid])
    for k, reason in zip(np.flatnonzero(invalid).tolist(), reasons, strict=True):
        made = shapely.make_valid(work.geometry[k], method="structure", keep_collapsed=True)
        leaves = _leaves(made)
        polygons = leaves[shapely.get_type_id(leaves) == _POLYGON]
        if not len(polygons):
            work.log(k, "invalid", "dropped", None, f"{reason}: no area is left", removed=made)
            continue
        fixed = _joined(polygons)
        work.log(k, "invalid", "made_valid", fixed, reason, removed=fixed)
        if len(leaves) > len(polygons):
            work.geometry[k] = made
            _split_polygons(work, k, made, "made valid as ")


def _drop_duplicates(work: _Work, spec: RepairSpec) -> Overlaps:
    """Drop parcels stored twice; the overlaps of the rest."""
    overlaps = find_overlaps(work.geometry, work.alive)
    area = shapely.area(work.geometry)
    share = overlaps.area_m2 / np.maximum(area[overlaps.first], area[overlaps.second])
    # Sorted by the later id: whether the earlier parcel survives is settled before it is asked.
    for n in np.lexsort((overlaps.first, overlaps.second)):
        first, second = int(overlaps.first[n]), int(overlaps.second[n])
        if share[n] >= spec.duplicate_share and work.alive[first] and work.alive[second]:
            note = f"{share[n]:.1%} of the larger one is shared"
            work.log(second, "duplicate", "dropped", None, note, other=first, removed=work.geometry[second])
    return overlaps.where(work.alive)


def _cut_overlaps(work: _Work, overlaps: Overlaps, spec: RepairSpec) -> IntArray:
    """Cut until none is left; the second pass only finds what rounding left in very long boundaries.

    Pairs whose interiors met at any time are handed back: their boundaries are the first to be looked at afterwards.
    """
    met = [overlaps.grazing, overlaps.pairs]
    for _ in range(_MAX_PASSES):
        if not len(overlaps.first):
            break
        changed = _cut_pass(work, overlaps, spec)
        overlaps = find_overlaps(work.geometry, work.alive, changed)
        met += [overlaps.grazing, overlaps.pairs]
    for first, second, area in zip(overlaps.first, overlaps.second, overlaps.area_m2, strict=True):
        note = f"{area:.4f} m2 could not be cut"
        work.log(int(first), "overlap", "kept", work.geometry[first], note, other=int(second))
    return np.unique(np.concatenate(met), axis=0)


def _mend_seams(work: _Work, grazing: IntArray, spec: RepairSpec) -> None:
    live = np.flatnonzero(work.alive)
    place = np.cumsum(work.alive) - 1
    pairs = place[grazing[work.alive[grazing].all(axis=1)]]
    steps = mend_seams(work.geometry[live], pairs, spec)
    at = live[np.array([step.position for step in steps], dtype=np.int64)]
    before = work.geometry[at]
    after = np.array([None, *(step.after for step in steps)], dtype=object)[1:]
    filled = np.array([step.filled for step in steps], dtype=bool)
    moved_m = np.array([step.moved_m for step in steps], dtype=float)
    mended = ~shapely.is_missing(after)
    ground = mended & (filled | (moved_m > NODE_M))
    rows = np.cumsum(ground) - 1
    changed = differences_of(before[ground], after[ground])
    corners = shapely.get_num_coordinates(after) - shapely.get_num_coordinates(before)
    for n, (k, step) in enumerate(zip(at.tolist(), steps, strict=True)):
        note = f"moved {step.moved_m:.4f} m; {corners[n]:+d} corners"
        if step.after is None:
            now = work.geometry[k]
            work.log(k, "gap" if spec.snap_m == 0 else "snap", "kept", now, f"left as it was: {step.reason}")
        elif not ground[n]:
            work.log(k, "snap", "noded", step.after, note, removed=changed_corners(before[n], step.after))
        else:
            issue, action = ("gap", "filled") if step.filled else ("snap", "moved")
            note = f"{changed.gained_m2[rows[n]]:.4f} m2 gained, {changed.given_m2[rows[n]]:.4f} m2 given; {note}"
            work.log(k, issue, action, step.after, note, removed=changed.shown[rows[n]])


def _cut_pass(work: _Work, overlaps: Overlaps, spec: RepairSpec) -> BoolArray:
    """Cut every overlap from the larger of its two parcels, smallest parcels first."""
    original = work.geometry.copy()
    area = shapely.area(original)
    rank = np.empty(len(area), dtype=np.int64)
    rank[np.lexsort((np.arange(len(area)), area))] = np.arange(len(area))
    swap = rank[overlaps.first] > rank[overlaps.second]
    keeper = np.where(swap, overlaps.second, overlaps.first)
    loser = np.where(swap, overlaps.first, overlaps.second)
    changed = np.zeros(len(area), dtype=bool)
    order = np.lexsort((rank[keeper], rank[loser]))
    for group in np.split(order, np.flatnonzero(np.diff(loser[order])) + 1):
        k = int(loser[group[0]])
        # A keeper that was itself dropped leaves its ground to the larger one.
        _cut_one(work, k, [int(o) for o in keeper[group] if work.alive[o]], original, spec)
        changed[k] = True
    return changed


def _cut_one(work: _Work, k: int, keepers: list[int], original: GeometryArray, spec: RepairSpec) -> None:
    """Cut from parcel `k` what its keepers held before anything was cut: no threads between keepers that overlap."""
    for step in cut_away(work.geometry[k], keepers, original):
        removed_m2 = float(shapely.area(step.removed))
        within = removed_m2 <= spec.overlap_tolerance_m2
        note = f"{removed_m2:.4f} m2" + (f", within {spec.overlap_tolerance_m2:g} m2" if within else "")
        if step.left is None:
            note += ": nothing is left"
        action = "dropped" if step.left is None else "cut"
        work.log(k, "overlap", action, step.left, note, other=step.keeper, removed=step.removed)
    if work.alive[k]:
        _drop_threads(work, k)
    if work.alive[k]:
        work.drop_slivers(k, spec.sliver_max_m2)


def _drop_threads(work: _Work, k: int) -> None:
    """Drop what a cut left between neighbours that do not quite meet."""
    before = work.geometry[k]
    after = without_threads(before)
    removed = polygonal(shapely.difference(before, after))
    if shapely.area(removed) <= OVERLAP_FLOOR_M2:
        return
    note = f"threads thinner than {THREAD_WIDTH_M:g} m, left by cutting overlaps"
    if shapely.is_empty(after):
        work.log(k, "sliver", "dropped", None, note, removed=before)
    else:
        work.log(k, "sliver", "part_dropped", after, note, removed=removed)


def _notice_multipart(work: _Work) -> None:
    parts = shapely.get_num_geometries(work.geometry)
    cut = {row["parcel_id"] for row in work.rows if row["action"] == "cut"}
    for k in np.flatnonzero(work.alive & (parts > 1)).tolist():
        note = f"{parts[k]} parts" + (" (after cutting overlaps)" if work.ids[k] in cut else "")
        work.log(k, "multipart", "kept", work.geometry[k], note, removed=work.geometry[k])


def _kept(parcels: gpd.GeoDataFrame, order: IntArray, work: _Work) -> gpd.GeoDataFrame:
    """Living parcels in the order given."""
    geometry = np.empty(len(order), dtype=object)
    alive = np.empty(len(order), dtype=bool)
    geometry[order] = work.geometry
    alive[order] = work.alive
    kept = parcels.loc[alive].copy()
    kept[parcels.geometry.name] = gpd.GeoSeries(geometry[alive], index=kept.index, crs=parcels.crs)
    return kept


def _result(parcels: gpd.GeoDataFrame, kept: gpd.GeoDataFrame, work: _Work, before_m2: float) -> RepairResult:
    log = log_frame(work.rows, parcels)
    change = (log["area_after_m2"] - log["area_before_m2"].fillna(0.0)).groupby(log["issue"]).sum()
    balance = AreaBalance(
        before_m2,
        float(shapely.area(geometry_array(kept)).sum()),
        {str(issue): float(change[issue]) for issue in change.index},
    )
    return RepairResult(kept, log, balance, int(shapely.has_z(geometry_array(parcels)).sum()))
