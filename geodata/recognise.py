"""What coordinates look like: which system of China, or which kind of grid, their numbers fit.

Numbers tell a projection, a zone and the order of the axes, never a datum: Xi'an 80, Beijing 54 and CGCS2000 use the
same zones and differ by some ten to two hundred metres, and degrees of a web map look like any degrees in China. A
zone without its number in front of the eastings fits every meridian of that latitude.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, Literal

import numpy as np
import pyproj

from geodata.transformation import Bounds, crs_name, horizontal

Extent = tuple[float, float, float, float]
"""Least x, least y, greatest x, greatest y, in whatever the coordinates are in."""

Kind = Literal["degrees", "zone with number", "zone without number", "UTM", "Web Mercator"]

_CHINA_DEGREES: Final = (73.0, 15.0, 136.0, 54.5)
_NORTHINGS: Final = (1.6e6, 6.05e6)  # latitude 14.5 to 54.5
_EAST_MARGIN_3: Final = 230_000.0  # from the meridian: 1.5 degrees at latitude 15, and half as much again
_EAST_MARGIN_6: Final = 370_000.0
_UTM_EASTINGS: Final = (160_000.0, 840_000.0)
_LATITUDE_SLACK: Final = 0.3
_FAR_DEGREES: Final = 3.0  # beyond the area of use of a CRS: more than a zone's width
_NEAR_DEGREES: Final = 0.5
_LOCAL_M: Final = 1_000_000.0
_METRES_PER_DEGREE: Final = 110_900.0  # of latitude, in China to half a percent
_FAMILIES: Final = (
    (4513, 4534, 21),  # CGCS2000, 3-degree zones: first with its number, first without, how many
    (4491, 4502, 11),  # CGCS2000, 6-degree zones
    (2349, 2370, 21),  # Xi'an 80
    (2327, 2338, 11),
    (2401, 2422, 21),  # Beijing 54
    (21413, 21453, 11),
)


@dataclass(frozen=True)
class Candidate:
    """One system that coordinates fit.

    Attributes
    ----------
    kind : str
        Kind of system.
    code : str or None
        As a user would declare it, ``'EPSG:4526'``; None where the numbers leave the zone open (UTM).
    axes : {'xy', 'yx'}
        yx = the coordinates hold north before east.
    reason : str
        Why they fit, in words.
    """

    kind: Kind
    code: str | None
    axes: Literal["xy", "yx"]
    reason: str


@dataclass(frozen=True)
class Recognition:
    """What an extent looks like.

    Attributes
    ----------
    extent : tuple of float
        Least x, least y, greatest x, greatest y.
    candidates : tuple of Candidate
        All systems that fit, likeliest kind first; empty where none does.
    local : bool
        Whether they may be those of a local grid: small numbers that fit no system of China.
    """

    extent: Extent
    candidates: tuple[Candidate, ...]
    local: bool

    @property
    def only(self) -> Candidate | None:
        """The one candidate, where there is just one and it is no local grid."""
        return self.candidates[0] if len(self.candidates) == 1 and not self.local else None

    @property
    def swapped(self) -> bool:
        """Whether they fit only with their axes swapped."""
        return bool(self.candidates) and all(candidate.axes == "yx" for candidate in self.candidates)

    def describe(self) -> str:
        """What they look like, as the object of a sentence."""
        looks = _grouped(self.candidates)
        if self.local:
            looks.append("a local grid (numbers too small for a zone of China)")
        if not looks:
            return "no system of China"
        swapped = ", with north before east" if self.swapped and self.candidates[0].kind != "degrees" else ""
        return " or ".join(looks) + swapped

    def what_to_declare(self) -> str:
        """What to declare beside `path`, as sentences; whoever made the data still has to confirm it."""
        axes = " and `axes: yx`" if self.swapped else ""
        if self.local:
            grid = (
                "For a local grid ask the local surveying office for its four parameters to a CGCS2000 zone, and give "
                "them as `similarity` instead."
            )
            return f"If they are degrees: `crs: EPSG:4326`. {grid}" if self.candidates else grid
        codes = [candidate.code for candidate in self.candidates if candidate.code is not None]
        if len(self.candidates) == 1 and codes:
            return f"If the datum is CGCS2000 (numbers do not show it): `crs: {codes[0]}`{axes}."
        if codes:
            return f"One of `crs: {', '.join(codes)}`{axes}: ask for the central meridian and the datum."
        if self.candidates:
            return f"Ask for the zone and the datum: EPSG:4502 to 4512 or EPSG:32643 to 32653, say{axes}."
        return "For example: `crs: EPSG:4490`."


def recognise(extent: Extent) -> Recognition:
    """What coordinates of this extent look like.

    Parameters
    ----------
    extent : tuple of float
        Least x, least y, greatest x, greatest y of the coordinates as stored; finite.

    Returns
    -------
    Recognition
        The axes are taken as swapped only where nothing fits as they stand.
    """
    x0, y0, x1, y1 = extent
    candidates = tuple(_candidates(extent, "xy")) or tuple(_candidates((y0, x0, y1, x1), "yx"))
    local = not candidates and max(abs(v) for v in extent) < _LOCAL_M
    if local and x0 >= -180 and x1 <= 180 and y0 >= -90 and y1 <= 90:
        candidates = (Candidate("degrees", "EPSG:4326", "xy", "degrees outside China"),)
    return Recognition(extent, candidates, local)


def zone_code(meridian: int, *, numbered: bool) -> int:
    """EPSG code of the CGCS2000 3-degree zone on a central meridian of 75, 78 … 135 degrees."""
    return (4513 if numbered else 4534) + (meridian - 75) // 3


def _candidates(extent: Extent, axes: Literal["xy", "yx"]) -> Iterator[Candidate]:
    west, south, east, north = extent
    lon0, lat0, lon1, lat1 = _CHINA_DEGREES
    if lon0 <= west and east <= lon1 and lat0 <= south and north <= lat1:
        order = "longitude before latitude" if axes == "xy" else "latitude before longitude"
        yield Candidate("degrees", "EPSG:4490", axes, f"degrees in China, {order}")
        return
    yield from _planes(extent, axes)
    if west >= 8.1e6 and east <= 15.2e6 and south >= 1.6e6 and north <= 7.3e6:
        yield Candidate("Web Mercator", "EPSG:3857", axes, "Web Mercator over China")


def _planes(extent: Extent, axes: Literal["xy", "yx"]) -> Iterator[Candidate]:
    west, south, east, north = extent
    if not (_NORTHINGS[0] <= south and north <= _NORTHINGS[1]):
        return
    number = int((west + east) / 2 // 1_000_000)
    low, high = west - number * 1e6 - 500_000, east - number * 1e6 - 500_000
    within_3 = max(abs(low), abs(high)) <= _EAST_MARGIN_3
    if number == 0:
        if within_3:
            for meridian in range(75, 136, 3):
                if _reaches(zone_code(meridian, numbered=False), south, north):
                    reason = "eastings about 500 000: a 3-degree zone without its number"
                    code = f"EPSG:{zone_code(meridian, numbered=False)}"
                    yield Candidate("zone without number", code, axes, reason)
        if _UTM_EASTINGS[0] <= west and east <= _UTM_EASTINGS[1]:
            yield Candidate("UTM", None, axes, "a UTM or 6-degree zone without its number")
    elif 25 <= number <= 45 and within_3 and _reaches(4513 + number - 25, south, north):
        reason = f"eastings beginning with {number}: 3-degree zone {number}, central meridian {3 * number}°E"
        yield Candidate("zone with number", f"EPSG:{4513 + number - 25}", axes, reason)
    elif (
        13 <= number <= 23 and max(abs(low), abs(high)) <= _EAST_MARGIN_6 and _reaches(4491 + number - 13, south, north)
    ):
        reason = f"eastings beginning with {number}: 6-degree zone {number}, central meridian {6 * number - 3}°E"
        yield Candidate("zone with number", f"EPSG:{4491 + number - 13}", axes, reason)


def _reaches(code: int, south: float, north: float) -> bool:
    """Whether a zone's area of use has land at these northings."""
    _, least, _, most = _zone_bounds(code)
    least, most = least - _LATITUDE_SLACK, most + _LATITUDE_SLACK
    return least <= south / _METRES_PER_DEGREE and north / _METRES_PER_DEGREE <= most


@lru_cache(maxsize=128)
def _zone_bounds(code: int) -> Bounds:
    use = pyproj.CRS.from_epsg(code).area_of_use
    assert use is not None  # every zone of EPSG has one
    return use.bounds


def _grouped(candidates: tuple[Candidate, ...]) -> list[str]:
    """One entry for each reason, with the codes that share it."""
    codes: dict[str, list[str]] = {}
    for candidate in candidates:
        codes.setdefault(candidate.reason, [])
        if candidate.code is not None:
            codes[candidate.reason].append(candidate.code)
    return [f"{reason} ({', '.join(found)})" if found else reason for reason, found in codes.items()]


def counterpart(code: int) -> int | None:
    """EPSG code of the same Gauss-Krüger zone of China with its number in the eastings, or without; None if none."""
    for numbered, bare, count in _FAMILIES:
        if numbered <= code < numbered + count:
            return code - numbered + bare
        if bare <= code < bare + count:
            return code - bare + numbered
    return None


def far_from_use(crs: pyproj.CRS, extent: Extent) -> str | None:
    """Where coordinates lie if that is more than 3 degrees outside the area of use of their CRS.

    Parameters
    ----------
    crs : pyproj.CRS
        What the coordinates are said to be; geographic or projected.
    extent : tuple of float
        Of the coordinates, x before y.

    Returns
    -------
    str or None
        In words, after "which"; None inside, and where the CRS is not known well enough to say its area of use.
    """
    use = _area_of_use(crs)
    if use is None:
        return None
    place = _lonlat(crs, extent)
    if place is None:
        return f"have no place on the globe in {crs_name(crs)}"
    if _outside(use, place) <= _FAR_DEGREES:
        return None
    lon, lat = place
    return (
        f"lie at longitude {lon:.1f}, latitude {lat:.1f} in {crs_name(crs)}, far outside its area of use (longitude "
        f"{use[0]:g} to {use[2]:g}, latitude {use[1]:g} to {use[3]:g})"
    )


def better_reading(crs: pyproj.CRS, extent: Extent) -> str | None:
    """What to declare instead, where swapped axes or the zone's number in the eastings explain coordinates.

    Parameters
    ----------
    crs : pyproj.CRS
        What the coordinates are said to be, and do not fit.
    extent : tuple of float
        Of the coordinates.

    Returns
    -------
    str or None
        ``'`axes: yx`'``, ``'`crs: EPSG:4526`'`` or both; None where neither explains them.
    """
    west, south, east, north = extent
    swapped = (south, west, north, east)
    code = crs.to_epsg()
    other = counterpart(code) if code is not None else None
    partner = pyproj.CRS.from_epsg(other) if other is not None else None
    readings = [(crs, swapped, "`axes: yx`")]
    if partner is not None:
        readings.insert(0, (partner, extent, f"`crs: EPSG:{other}`"))
        readings.append((partner, swapped, f"`crs: EPSG:{other}` and `axes: yx`"))
    for system, box, declare in readings:
        use, place = _area_of_use(system), _lonlat(system, box)
        if use is not None and place is not None and _outside(use, place) <= _NEAR_DEGREES:
            return declare
    return None


def _outside(use: Bounds, place: tuple[float, float]) -> float:
    """Degrees by which a place lies outside an area; an area across the antimeridian is as wide as the globe."""
    lon, lat = place
    west, south, east, north = use
    beyond_lat = max(south - lat, lat - north, 0.0)
    return beyond_lat if west > east else max(west - lon, lon - east, beyond_lat)


def _area_of_use(crs: pyproj.CRS) -> Bounds | None:
    flat = horizontal(crs)
    if flat.is_bound and flat.source_crs is not None:
        flat = flat.source_crs
    use = flat.area_of_use
    if use is None:
        code = flat.to_epsg()
        use = pyproj.CRS.from_epsg(code).area_of_use if code is not None else None
    return use.bounds if use is not None else None


def _lonlat(crs: pyproj.CRS, extent: Extent) -> tuple[float, float] | None:
    """Degrees of the middle of an extent, on the CRS's own datum; None where it has no place."""
    x, y = (extent[0] + extent[2]) / 2, (extent[1] + extent[3]) / 2
    flat = horizontal(crs)
    if flat.is_bound and flat.source_crs is not None:
        flat = flat.source_crs
    if flat.is_geographic:
        turn = math.degrees(flat.axis_info[0].unit_conversion_factor)
        lon, lat = x * turn, y * turn
    elif flat.geodetic_crs is not None:
        lon, lat = pyproj.Transformer.from_crs(flat, flat.geodetic_crs, always_xy=True).transform(x, y)
    else:
        return None
    return (lon, lat) if np.isfinite([lon, lat]).all() and abs(lat) <= 90 and abs(lon) <= 180 else None
