"""Whether a layer looks as if it came from a web map: undoing GCJ-02 or BD-09 would line it up with another layer.

A layer cannot be tested against itself: shifted degrees look like any degrees. Against a reference, the outlines tell.
Points of the layer's outlines are moved as each hypothesis says, and it is counted how many then lie on outlines of
the reference. Chance agreement is measured by moving them as far in other directions: only a peak that stands out
from all of these is a suspicion.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from typing import Any, Final, Literal

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pyproj
import shapely

from geodata.crs import choose_metric_crs, to_metric
from geodata.notes import SourceNote
from geodata.transformation import WGS84, Bounds, Step, datum_step, lonlat_bounds
from geodata.web_maps import ShiftedSystem, in_china_box, shift, unshift

_Floats = npt.NDArray[np.float64]

_POINTS: Final = 600
_FEWEST_POINTS: Final = 20
_REACH_M: Final = 2_500.0  # further than BD-09 ever shifts
_SCALES_M: Final = (3.0, 30.0, 120.0)  # surveyed, traced, generalised outlines
_FURTHEST_M: Final = 6 * _SCALES_M[-1]
_TURNS: Final = np.radians(np.arange(30, 360, 30))
_LEAST_GAIN: Final = 0.1
_LEAST_RATIO: Final = 1.5


@dataclass(frozen=True)
class ShiftSuspicion:
    """A layer and its reference line up if one of them is taken as shifted.

    Attributes
    ----------
    system : {'GCJ-02', 'BD-09'}
        The shift.
    shifted : {'layer', 'reference'}
        Which of the two looks shifted.
    east_m, north_m : float
        Mean move that brings the shifted one to its true place, m.
    agreement_before, agreement_after : float
        Share of the layer's outline points on outlines of the reference, each weighted by 1 / (1 + (d / scale)²) with
        its distance d; as they are, and with the shift undone.
    scale_m : float
        That scale.
    """

    system: ShiftedSystem
    shifted: Literal["layer", "reference"]
    east_m: float
    north_m: float
    agreement_before: float
    agreement_after: float
    scale_m: float

    def note(self, layer: str, reference: str) -> SourceNote:
        """As a warning about the shifted one, for the report on data quality."""
        source, other = (layer, reference) if self.shifted == "layer" else (reference, layer)
        what = (
            f"looks like coordinates of {self.system}: undoing its shift (about {self.east_m:+.0f} m east, "
            f"{self.north_m:+.0f} m north) brings {self.agreement_after:.0%} of the outlines of {layer} onto those of "
            f"{reference} within {self.scale_m:g} m, now {self.agreement_before:.0%}. If so, declare "
            f"`shifted: {self.system}` for it; else check {other}"
        )
        return SourceNote(source, what, warning=True)


def suspect_shift(layer: gpd.GeoDataFrame, reference: gpd.GeoDataFrame) -> ShiftSuspicion | None:
    """Whether undoing GCJ-02 or BD-09 on one of two layers lines up their outlines.

    Parameters
    ----------
    layer, reference : geopandas.GeoDataFrame
        Polygons or lines, each with a CRS. They need not show the same things, but must share some outlines: parcels
        and the villages they lie in, two editions of a boundary, roads and the blocks between them.

    Returns
    -------
    ShiftSuspicion or None
        The clearest suspicion. None also where there is nothing to tell by: outside China, no outlines near each
        other, or outlines that agree no better under any shift than under moves in other directions.
    """
    outlines = _outlines(reference)
    if not outlines.size or not shapely.get_num_coordinates(layer.geometry.to_numpy()).any():
        return None
    bounds = lonlat_bounds(layer)
    if not in_china_box((bounds[0] + bounds[2]) / 2, (bounds[1] + bounds[3]) / 2):
        return None
    metric = reference.crs if reference.crs.is_projected else choose_metric_crs(reference)
    tree = shapely.STRtree(_segments(_outlines(to_metric(reference, metric))))
    points = _sample(_outlines(to_metric(layer, metric)), tree)
    if len(points) < _FEWEST_POINTS:
        return None
    return _clearest(points, tree, metric, bounds)


def _clearest(points: _Floats, tree: shapely.STRtree, metric: pyproj.CRS, bounds: Bounds) -> ShiftSuspicion | None:
    now = _agreement(points, tree)
    down, up = datum_step(metric, WGS84, bounds), datum_step(WGS84, metric, bounds)
    best: ShiftSuspicion | None = None
    systems: tuple[ShiftedSystem, ...] = ("GCJ-02", "BD-09")
    sides: tuple[Literal["layer", "reference"], ...] = ("layer", "reference")
    for system, shifted in product(systems, sides):
        # a shifted reference is met by shifting the layer too: its outlines are the same either way
        moved = _by_way_of_degrees(points, system, down, up, undo=shifted == "layer")
        then = _agreement(moved, tree)
        if not (then - now >= _LEAST_GAIN).any():
            continue
        chance = np.maximum(now, _by_chance(points, moved, tree))
        clear = (then - chance >= _LEAST_GAIN) & (then >= _LEAST_RATIO * chance)
        for k in np.flatnonzero(clear):
            if best is None or then[k] - now[k] > best.agreement_after - best.agreement_before:
                east, north = ((moved - points).mean(axis=0) * (1 if shifted == "layer" else -1)).tolist()
                best = ShiftSuspicion(system, shifted, east, north, float(now[k]), float(then[k]), _SCALES_M[k])
    return best


def _outlines(gdf: gpd.GeoDataFrame) -> npt.NDArray[Any]:
    """Rings and lines, one part each; points have none."""
    geometry = shapely.force_2d(gdf.geometry.to_numpy())
    geometry = geometry[~(shapely.is_missing(geometry) | shapely.is_empty(geometry))]
    parts = shapely.get_parts(geometry)
    kind = shapely.get_type_id(parts)
    rings = shapely.get_rings(parts[kind == shapely.GeometryType.POLYGON])
    lines = parts[np.isin(kind, (shapely.GeometryType.LINESTRING, shapely.GeometryType.LINEARRING))]
    return np.concatenate([rings, lines])


def _segments(outlines: npt.NDArray[Any]) -> npt.NDArray[Any]:
    xy, line = shapely.get_coordinates(outlines, return_index=True)
    starts = np.flatnonzero(line[1:] == line[:-1])
    return np.asarray(shapely.linestrings(np.stack([xy[starts], xy[starts + 1]], axis=1)))


def _sample(outlines: npt.NDArray[Any], tree: shapely.STRtree) -> _Floats:
    """Up to 600 points of the outlines within reach of the reference, the same whatever the order of rows, (n, 2)."""
    reach = shapely.total_bounds(tree.geometries) + np.array([-_REACH_M, -_REACH_M, _REACH_M, _REACH_M])
    outlines = shapely.clip_by_rect(outlines[shapely.intersects(outlines, shapely.box(*reach))], *reach)
    length = float(np.sort(shapely.length(outlines)).sum())
    if not length > 0:
        return np.empty((0, 2))
    xy = np.unique(shapely.get_coordinates(shapely.segmentize(outlines, max(length / _POINTS, 1.0))), axis=0)
    xy = _every(xy, 10 * _POINTS)
    near = tree.query_nearest(shapely.points(xy), max_distance=_REACH_M, all_matches=False)[0]
    return _every(xy[np.sort(near)], _POINTS)


def _every(xy: _Floats, most: int) -> _Floats:
    """At most so many rows, evenly spaced."""
    return xy if len(xy) <= most else xy[np.linspace(0, len(xy) - 1, most).astype(np.intp)]


def _by_way_of_degrees(points: _Floats, system: ShiftedSystem, down: Step, up: Step, *, undo: bool) -> _Floats:
    lon, lat = down(points[:, 0], points[:, 1])
    return np.column_stack(up(*(unshift if undo else shift)(lon, lat, system)))


def _by_chance(points: _Floats, moved: _Floats, tree: shapely.STRtree) -> _Floats:
    """Best agreement under moves as far in other directions, and half and half as far again in the same."""
    dx, dy = (moved - points).mean(axis=0)
    moves = [(dx * np.cos(a) - dy * np.sin(a), dx * np.sin(a) + dy * np.cos(a)) for a in _TURNS]
    moves += [(dx * 0.5, dy * 0.5), (dx * 1.5, dy * 1.5)]
    agreements: _Floats = np.max([_agreement(points + np.array(move), tree) for move in moves], axis=0)
    return agreements


def _agreement(points: _Floats, tree: shapely.STRtree) -> _Floats:
    """Share of points on the segments, at each scale."""
    _, away = tree.query_nearest(
        shapely.points(points), max_distance=_FURTHEST_M, return_distance=True, all_matches=False
    )
    return np.array([(1 / (1 + (away / scale) ** 2)).sum() / len(points) for scale in _SCALES_M])
