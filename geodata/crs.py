"""Coordinate reference systems: which one to measure in, and how to get there without a silent shift.

Everything is measured in a projected CRS in metres. The rule, in this order:

1. the one that is configured;
2. the data's own, if it is projected in metres, not a Mercator, and true to area at the land's place;
3. in China the CGCS2000 / 3-degree Gauss-Kruger zone of the land's centre (EPSG:4534 to 4554);
4. elsewhere the WGS 84 / UTM zone of the land's centre.

"In China" means: the centre lies in the box that EPSG gives as the area of use of its CGCS2000 zone. The boxes are
cut zone by zone, so Seoul, Hanoi, Ulaanbaatar and Delhi are outside; but a box is not a border: what lies inside
it beyond the border (Vladivostok, say) counts as in. There both systems measure equally well, and
`metric_crs` chooses otherwise. Land across the antimeridian or near the poles needs `metric_crs`.
"""

from __future__ import annotations

import logging
import math
from typing import Final

import geopandas as gpd
import numpy as np
import pyproj
import shapely
from pyproj.exceptions import CRSError as ProjCrsError

from geodata.errors import CrsError, Issue, list_ids
from geodata.notes import SourceNote
from geodata.recognise import Extent, better_reading, far_from_use, recognise
from geodata.transformation import (
    WGS84,
    Bounds,
    crs_name,
    datum_step,
    horizontal,
    lonlat_bounds,
    rows_not_finite,
    same_crs,
    transform,
)

__all__ = [
    "WGS84",
    "check_coordinates",
    "choose_metric_crs",
    "crs_name",
    "parse_crs",
    "same_crs",
    "to_metric",
    "transform",
]

logger = logging.getLogger(__name__)

_KEEP_AREA: Final = 0.003  # own CRS is kept up to this error of areas; a UTM zone reaches 0.002 at its edge
_KEEP_LENGTH: Final = 0.005
_REFUSE_AREA: Final = 0.01
_REFUSE_LENGTH: Final = 0.02


def parse_crs(text: str, where: str) -> pyproj.CRS:
    """CRS from what a user wrote: ``'EPSG:4547'``, WKT, a PROJ string.

    Raises
    ------
    CrsError
        If it is not a CRS that is known here.
    """
    try:
        return pyproj.CRS.from_user_input(text)
    except ProjCrsError as error:
        raise CrsError(
            Issue(where, repr(text), "a coordinate reference system", "Write it as EPSG:4547, say.")
        ) from error


def choose_metric_crs(land: gpd.GeoDataFrame | Bounds, configured: str | pyproj.CRS | None = None) -> pyproj.CRS:
    """CRS to measure in, by the rule of this module.

    Parameters
    ----------
    land : geopandas.GeoDataFrame or (west, south, east, north)
        Land with a CRS, or its bounds in degrees (WGS 84, longitude first).
    configured : str or pyproj.CRS, optional
        The user's choice.

    Returns
    -------
    pyproj.CRS
        Projected, in metres. Coordinates are always x (east), y (north), whatever order it lists.

    Raises
    ------
    CrsError
        If the land has no CRS or no known place, the configured CRS is not fit for measuring there, or the
        data's datum cannot be brought to WGS 84.
    """
    own = land.crs if isinstance(land, gpd.GeoDataFrame) else None
    bounds = lonlat_bounds(land) if isinstance(land, gpd.GeoDataFrame) else land
    if own is not None:
        datum_step(own, WGS84, bounds)  # the map and the exports need this way: better refused now than after the solve
    if configured is not None:
        chosen = configured if isinstance(configured, pyproj.CRS) else parse_crs(configured, "metric_crs")
        _check_fit(chosen, bounds)
        return horizontal(chosen)
    if own is not None and _why_not_metric(own) is None:
        area, length = _distortion(own, bounds)
        if area <= _KEEP_AREA and length <= _KEEP_LENGTH:
            return horizontal(own)
        logger.warning(
            "%s measures areas there up to %.2f %% wrong: not measured in it", crs_name(own), max(area, length) * 100
        )
    return _by_rule(bounds)


def to_metric(gdf: gpd.GeoDataFrame, crs: pyproj.CRS | str) -> gpd.GeoDataFrame:
    """Copy of `gdf` in `crs`, with plane (2D) geometry.

    Raises
    ------
    CrsError
        As `transform`, and if `crs` is not projected in metres.
    """
    target = crs if isinstance(crs, pyproj.CRS) else parse_crs(crs, "metric_crs")
    why = _why_not_metric(target)
    if why:
        raise CrsError(_unfit(target, why))
    return transform(gdf, target)


def check_coordinates(gdf: gpd.GeoDataFrame, crs: pyproj.CRS, where: str, *, declared: bool) -> list[SourceNote]:
    """Refuse coordinates that cannot be of a CRS.

    Parameters
    ----------
    gdf : geopandas.GeoDataFrame
        Geometry; its own CRS is not looked at.
    crs : pyproj.CRS
        What the coordinates are said to be.
    where : str
        File and layer, for the message.
    declared : bool
        True where the user declared the CRS. What lies far outside the area of use of the CRS is then refused; where
        the file itself says so it is noted, unless another reading of the same numbers explains it.

    Returns
    -------
    list of SourceNote
        Warnings.

    Raises
    ------
    CrsError
        If a coordinate is not a finite number, is outside the globe, or contradicts the CRS.
    """
    geometry = gdf.geometry.to_numpy()
    bad = rows_not_finite(geometry)
    if bad.size:
        raise CrsError(
            Issue(
                where=f"{where}, row {list_ids([str(i + 1) for i in bad])}",
                found="a coordinate that is not a finite number",
                expected="finite coordinates",
                fix="Repair or remove these features.",
            )
        )
    if not shapely.get_num_coordinates(geometry).any():
        return []
    xmin, ymin, xmax, ymax = (float(v) for v in shapely.total_bounds(geometry))
    extent = (xmin, ymin, xmax, ymax)
    _check_degrees(extent, crs, where)
    return _check_area_of_use(extent, crs, where, declared=declared)


def _said(extent: Extent) -> str:
    return f"coordinates x {extent[0]:.10g} to {extent[2]:.10g}, y {extent[1]:.10g} to {extent[3]:.10g}"


def _check_degrees(extent: Extent, crs: pyproj.CRS, where: str) -> None:
    """Refuse what cannot be degrees where the CRS is geographic."""
    if not (crs.is_geographic and crs.axis_info):
        return
    xmin, ymin, xmax, ymax = extent
    half_turn = math.pi / crs.axis_info[0].unit_conversion_factor
    x, y = max(abs(xmin), abs(xmax)) / half_turn, max(abs(ymin), abs(ymax)) / half_turn
    slack = 1 + 1e-9
    if x <= slack and y <= slack / 2:
        return
    looks = recognise(extent)
    if x <= 0.5 < y <= 1:
        fix = "Latitude and longitude look swapped: declare `axes: yx`, or swap them in the file."
    else:
        fix = (
            f"These look like projected coordinates: {looks.describe()}. {looks.what_to_declare()} Correct the CRS in "
            "the file if it is the file that says degrees."
        )
    raise CrsError(
        Issue(
            where=where,
            found=f"{_said(extent)}, said to be degrees of {crs_name(crs)}",
            expected="longitudes within 180 and latitudes within 90, longitude first",
            fix=fix,
        )
    )


def _check_area_of_use(extent: Extent, crs: pyproj.CRS, where: str, *, declared: bool) -> list[SourceNote]:
    """Refuse or note coordinates that lie far outside the area of use of their CRS."""
    like_degrees = (
        crs.is_projected and max(abs(v) for v in extent[::2]) <= 180 and max(abs(v) for v in extent[1::2]) <= 90
    )
    lies = far_from_use(crs, extent)
    if not like_degrees and lies is None:
        return []
    looks = recognise(extent)
    if like_degrees:
        found = f"{_said(extent)}, which look like degrees but are said to be {crs_name(crs)}"
        fix = "Declare the CRS they are in: EPSG:4490 or EPSG:4326, say."
        certain = looks.only is not None and looks.only.code == "EPSG:4490"
    else:
        found = f"{_said(extent)}, which {lies}"
        reading = better_reading(crs, extent)
        certain = reading is not None
        fix = f"They look like {looks.describe()}. {looks.what_to_declare()}"
        if reading is not None:
            fix = f"Declare {reading}: then they lie where that CRS is used."
    if not (declared or certain):
        return [SourceNote(where, f"{found}. {fix}", warning=True)]
    if not declared:
        fix += " Where the file itself names the wrong CRS, correct it there (the .prj of a Shapefile)."
    raise CrsError(Issue(where, found, "coordinates of the CRS that they are said to be in", fix))


def _why_not_metric(crs: pyproj.CRS) -> str | None:
    """Why a CRS cannot be measured in, wherever the land lies; None if it can."""
    flat = horizontal(crs)
    if not flat.is_projected:
        return "is not projected"
    if any(not math.isclose(axis.unit_conversion_factor, 1.0) for axis in flat.axis_info):
        return f"is in {flat.axis_info[0].unit_name}, not metres"
    operation = flat.source_crs.coordinate_operation if flat.is_bound and flat.source_crs else flat.coordinate_operation
    method = operation.method_name if operation is not None else ""
    if "mercator" in method.lower() and "transverse" not in method.lower() and "oblique" not in method.lower():
        return "is a Mercator projection and magnifies areas"
    return None


def _unfit(crs: pyproj.CRS, why: str) -> Issue:
    return Issue(
        where="metric_crs",
        found=f"{crs_name(crs)}, which {why}",
        expected="a projected CRS in metres that is true to area where the land lies",
        fix="Leave `metric_crs` out to have one chosen, or name the zone of the land.",
    )


def _check_fit(crs: pyproj.CRS, bounds: Bounds) -> None:
    why = _why_not_metric(crs)
    if why:
        raise CrsError(_unfit(crs, why))
    area, length = _distortion(crs, bounds)
    if not (area <= _REFUSE_AREA and length <= _REFUSE_LENGTH):
        raise CrsError(_unfit(crs, f"measures areas there {area:.1%} and lengths {length:.1%} wrong"))
    if area > _KEEP_AREA:
        logger.warning("%s measures areas there up to %.2f %% wrong", crs_name(crs), area * 100)


def _distortion(crs: pyproj.CRS, bounds: Bounds) -> tuple[float, float]:
    """Largest relative error of areas and of lengths over a 3 × 3 grid on the bounds; inf outside the projection."""
    west, south, east, north = bounds
    lon, lat = (grid.ravel() for grid in np.meshgrid(np.linspace(west, east, 3), np.linspace(south, north, 3)))
    flat = horizontal(crs)
    factors = pyproj.Proj(flat.source_crs if flat.is_bound else flat).get_factors(lon, lat)
    area = np.abs(np.asarray(factors.areal_scale) - 1)
    length = np.abs(np.array([factors.tissot_semimajor, factors.tissot_semiminor]) - 1)
    worst = float(area.max()), float(length.max())
    return worst if np.isfinite(worst).all() else (math.inf, math.inf)


def _by_rule(bounds: Bounds) -> pyproj.CRS:
    west, south, east, north = bounds
    lon, lat = (west + east) / 2, (south + north) / 2
    crs, width = _cgcs2000_zone(lon, lat), 3
    if crs is None:
        zone = min(max(int((lon + 180) // 6) + 1, 1), 60)
        crs, width = pyproj.CRS.from_epsg((32600 if lat >= 0 else 32700) + zone), 6
    if east - west > width:
        area, _ = _distortion(crs, bounds)
        logger.warning(
            "the land is %.1f degrees wide, wider than its zone %s: areas at its edges are up to %.2f %% wrong",
            east - west,
            crs_name(crs),
            area * 100,
        )
    return crs


def _cgcs2000_zone(lon: float, lat: float) -> pyproj.CRS | None:
    """CGCS2000 3-degree zone by central meridian, if the place lies in that zone's area of use."""
    meridian = 3 * round(lon / 3)
    if not 75 <= meridian <= 135:
        return None
    crs = pyproj.CRS.from_epsg(4534 + (meridian - 75) // 3)
    use = crs.area_of_use
    inside = use is not None and use.west <= lon <= use.east and use.south <= lat <= use.north
    return crs if inside else None
