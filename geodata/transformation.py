"""From one coordinate reference system to another: never by a silent shift, never over the network."""

from __future__ import annotations

import logging
import math
import re
import warnings
from collections.abc import Callable
from functools import lru_cache
from typing import Any, Final, Literal

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pyproj
import shapely
from pyproj import network
from pyproj.exceptions import ProjError
from pyproj.transformer import AreaOfInterest, TransformerGroup

from geodata.errors import CrsError, DataError, Issue, list_ids

logger = logging.getLogger(__name__)

WGS84: Final = pyproj.CRS.from_epsg(4326)

Bounds = tuple[float, float, float, float]
"""West, south, east, north in degrees."""

_Floats = npt.NDArray[np.float64]
Step = Callable[[_Floats, _Floats], tuple[_Floats, _Floats]]
"""x, y → x, y."""

_COARSE_M: Final = 5.0  # a transformation less accurate than this is worth a warning,
_TOO_COARSE_M: Final = 10.0  # and than this no transformation at all (Beijing 54 by its published shift: 15 m)

_HOW_TO_TRANSFORM: Final = (
    "If that is not where the land lies, the CRS is wrong. Else transform the data to CGCS2000 or WGS 84 with the "
    "official parameters first, or give these as `towgs84`."
)
_HOW_TO_GET_PARAMETERS: Final = (
    "The official parameters of Xi'an 80 and Beijing 54 are not public and differ from place to place: ask the local "
    "surveying office for them and give the three or seven (dx, dy, dz in m, rx, ry, rz in seconds of arc, position "
    "vector convention, scale in ppm) as `towgs84`, or the four between the plane grids as `similarity`; or have the "
    "office convert the data to CGCS2000. If that is not where the land lies, the CRS is wrong."
)

_CGCS2000: Final = frozenset({"china2000", "chinageodeticcoordinatesystem2000", "cgcs2000"})
_WGS_1984: Final = frozenset({"worldgeodeticsystem1984", "worldgeodeticsystem1984ensemble", "wgs1984"})


def crs_name(crs: pyproj.CRS) -> str:
    """Name with its code, for messages: ``'WGS 84 / UTM zone 50N (EPSG:32650)'``."""
    authority = crs.to_authority()
    return f"{crs.name} ({':'.join(authority)})" if authority else crs.name


def same_crs(a: pyproj.CRS, b: pyproj.CRS) -> bool:
    """Whether two CRS say the same of x, y coordinates, whatever the order in which they list their axes."""
    a, b = horizontal(a), horizontal(b)
    if a.equals(b, ignore_axis_order=True):
        return True
    code = a.to_authority()
    return code is not None and code == b.to_authority()


def transform(gdf: gpd.GeoDataFrame, crs: pyproj.CRS) -> gpd.GeoDataFrame:
    """Copy of `gdf` in another CRS, with plane (2D) geometry, x before y.

    Never by a ballpark transformation, which would ignore a difference of datum; CGCS2000 and WGS 84 are taken as
    equal (they agree within centimetres). The network is never asked for grids. One operation serves the whole
    layer, so that neighbours stay neighbours.

    Raises
    ------
    CrsError
        If there is no CRS, no known transformation, or a coordinate has no place in the target.
    """
    target = horizontal(crs)
    source = _require_crs(gdf)
    geometry = shapely.force_2d(gdf.geometry.to_numpy())
    if not same_crs(source, target) and shapely.get_num_coordinates(geometry).any():
        step = datum_step(source, target, lonlat_bounds(gdf))

        def apply(xy: _Floats) -> _Floats:
            return np.column_stack(step(xy[:, 0], xy[:, 1]))

        geometry = shapely.transform(geometry, apply)
        bad = rows_not_finite(geometry)
        if bad.size:
            raise CrsError(
                Issue(
                    where=f"coordinates of row {list_ids([str(i + 1) for i in bad])}",
                    found=f"no place in {crs_name(target)}",
                    expected="land inside the area of the CRS",
                    fix="Check `crs` and `metric_crs`.",
                )
            )
    return with_geometry(gdf, geometry, target)


def with_geometry(gdf: gpd.GeoDataFrame, geometry: npt.NDArray[Any], crs: pyproj.CRS | None) -> gpd.GeoDataFrame:
    """Copy of `gdf` with other geometry, one for each row, in a CRS; its column keeps its name and comes last."""
    moved = gpd.GeoDataFrame(gdf.drop(columns=gdf.geometry.name), geometry=gpd.array.from_shapely(geometry))
    moved = moved.set_geometry("geometry", crs=crs)
    return moved.rename_geometry(gdf.geometry.name) if gdf.geometry.name != "geometry" else moved


def datum_step(source: pyproj.CRS, target: pyproj.CRS, bounds: Bounds) -> Step:
    """x, y of `source` → x, y of `target` for land within `bounds`, by one operation that minds the datums.

    Raises
    ------
    CrsError
        If none is known there, or only one worse than 10 m.
    """
    source, target = horizontal(source), horizontal(target)
    have, want = datum_name(source), datum_name(target)
    if have == want or "CGCS2000" not in {have, want}:
        return _operation(source, target, bounds)
    # no operation is published between CGCS2000 and WGS 84: degrees of one are taken as degrees of the other
    down = _operation(source, source.geodetic_crs if have and source.geodetic_crs else WGS84, bounds)
    up = _operation(target.geodetic_crs if want and target.geodetic_crs else WGS84, target, bounds)

    def by_equal_datums(x: _Floats, y: _Floats) -> tuple[_Floats, _Floats]:
        return up(*down(x, y))

    return by_equal_datums


def horizontal(crs: pyproj.CRS) -> pyproj.CRS:
    """The part of a CRS that x and y are in, without heights."""
    if crs.is_compound:
        crs = crs.sub_crs_list[0]
    return crs.to_2d() if len(crs.axis_info) > 2 else crs


def datum_name(crs: pyproj.CRS) -> Literal["CGCS2000", "WGS 84"] | None:
    """Which of the two datums a CRS is on, also in the spellings of ESRI; None for any other, and for a bound CRS."""
    name = _plain_datum(crs)
    return "CGCS2000" if name in _CGCS2000 else "WGS 84" if name in _WGS_1984 else None


def is_old_chinese(crs: pyproj.CRS) -> bool:
    """Whether a CRS is on Xi'an 80 or Beijing 54, whose parameters to CGCS2000 are not public."""
    return "xian1980" in _plain_datum(crs) or "beijing1954" in _plain_datum(crs)


def _plain_datum(crs: pyproj.CRS) -> str:
    """Name of the datum in small letters and digits; empty for a bound CRS, which brings its own parameters."""
    if crs.is_bound or crs.geodetic_crs is None or crs.geodetic_crs.datum is None:
        return ""
    return re.sub(r"[^a-z0-9]", "", re.sub(r"^D_", "", crs.geodetic_crs.datum.name).lower())


def rows_not_finite(geometry: npt.NDArray[Any]) -> npt.NDArray[np.intp]:
    """Positions of geometries with a coordinate that is not a finite number."""
    xy, row = shapely.get_coordinates(geometry, return_index=True)
    return np.unique(row[~np.isfinite(xy).all(axis=1)])


def lonlat_bounds(gdf: gpd.GeoDataFrame) -> Bounds:
    """Bounds in degrees, good enough to find the place: differences of datum do not matter here."""
    crs = _require_crs(gdf)
    xy = shapely.get_coordinates(gdf.geometry.to_numpy())
    if not xy.size:
        raise DataError(Issue("layer", "no coordinates", "geometry with a place", "Check the layer."))
    if not (crs.is_geographic or crs.is_projected or crs.is_bound):
        raise CrsError(
            Issue(
                where="CRS of the layer",
                found=crs_name(crs),
                expected="a geographic or projected CRS",
                fix="A local grid has no place on the globe: transform the data first, or give its parameters.",
            )
        )
    try:
        west, south, east, north = _to_degrees(crs).transform_bounds(*xy.min(axis=0), *xy.max(axis=0))
    except ProjError:
        west = south = east = north = math.nan
    if not np.isfinite([west, south, east, north]).all():
        raise CrsError(
            Issue(
                where="CRS of the layer",
                found=f"coordinates that have no place in {crs_name(crs)}",
                expected="coordinates of that CRS",
                fix="Check the CRS of the file, or `crs`.",
            )
        )
    return west, south, east, north


@lru_cache(maxsize=16)
def _to_degrees(crs: pyproj.CRS) -> pyproj.Transformer:
    """Made once: it takes far longer to make than to use."""
    return pyproj.Transformer.from_crs(crs, WGS84, always_xy=True)


def _require_crs(gdf: gpd.GeoDataFrame) -> pyproj.CRS:
    if gdf.crs is None:
        raise CrsError(Issue("layer", "no CRS", "a coordinate reference system", "Declare `crs: EPSG:...`."))
    return horizontal(gdf.crs)


def _operation(source: pyproj.CRS, target: pyproj.CRS, bounds: Bounds) -> Step:
    """The best operation that needs no grid from the network."""
    if same_crs(source, target):
        return lambda x, y: (x, y)
    network.set_network_enabled(active=False)  # type: ignore[attr-defined]  # not in its __all__
    west, south, east, north = bounds
    area = AreaOfInterest(max(west, -180), max(south, -90), min(east, 180), min(north, 90))
    with warnings.catch_warnings():
        # a better one may need a grid file that is not installed; what the one in use is good to is judged below
        warnings.filterwarnings("ignore", message="Best transformation is not available")
        group = TransformerGroup(source, target, always_xy=True, area_of_interest=area, allow_ballpark=False)
    usable = [operation for operation in group.transformers if operation.accuracy <= _TOO_COARSE_M]
    if not usable:
        raise CrsError(
            Issue(
                where=f"from {crs_name(source)} to {crs_name(target)}",
                found=f"no transformation good to {_TOO_COARSE_M:g} m between the two datums at longitude {west:.2f} "
                f"to {east:.2f}, latitude {south:.2f} to {north:.2f}",
                expected="one: without it the land would be shifted by up to hundreds of metres",
                fix=_HOW_TO_GET_PARAMETERS if is_old_chinese(source) or is_old_chinese(target) else _HOW_TO_TRANSFORM,
            )
        )
    best = usable[0]
    if best.accuracy > _COARSE_M:
        logger.warning("%s to %s is accurate to %g m only", crs_name(source), crs_name(target), best.accuracy)

    def by_operation(x: _Floats, y: _Floats) -> tuple[_Floats, _Floats]:
        return best.transform(x, y)

    return by_operation
