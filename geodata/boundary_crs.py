"""The coordinate system of a coordinate TXT: from its description and the coordinates, and back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import pyproj

from geodata.crs import crs_name
from geodata.errors import CrsError, Issue, list_ids
from geodata.notes import SourceNote

_Points = Sequence[tuple[int, int, float, float]]

_SYSTEMS: Final = {
    "CGCS2000": ("2000国家大地坐标系", ("2000", "CGCS"), 4490),
    "Xi'an 80": ("1980西安坐标系", ("西安", "80"), 4610),
    "Beijing 54": ("1954年北京坐标系", ("北京", "54"), 4214),
}
"""System → how it is written, what it is known by, its code in degrees."""

_BASES: Final = {
    ("CGCS2000", 3): (4513, 4534),
    ("CGCS2000", 6): (4491, 4502),
    ("Xi'an 80", 3): (2349, 2370),
    ("Xi'an 80", 6): (2327, 2338),
    ("Beijing 54", 3): (2401, 2422),
    ("Beijing 54", 6): (21413, 21453),
}
"""System and width of its zones → EPSG code of the first zone with its number in the easting, and without."""

_ZONES: Final = {3: range(25, 46), 6: range(13, 24)}
_PREFIX_M: Final = 1e6  # an easting without the number of its zone is smaller


@dataclass(frozen=True)
class Plane:
    """CRS of the coordinates (None: not known), and whether the file holds east before north."""

    crs: pyproj.CRS | None
    swapped: bool = False


def crs_of_description(description: Mapping[str, str], points: _Points, source: str) -> tuple[Plane, list[SourceNote]]:
    """CRS of the points.

    Parameters
    ----------
    description : mapping of str to str
        Keys 坐标系, 几度分带, 带号, 计量单位, 转换参数.
    points : sequence of (line, ring, north, east)
        All of them.
    source : str
        For messages.

    Returns
    -------
    (Plane, list of SourceNote)
        No CRS where the description names no system or zone that is known here.

    Raises
    ------
    CrsError
        If the zone in the eastings is not the described one, there are several, or the unit is not the metre.
    """
    north, east = np.array([p[2] for p in points]), np.array([p[3] for p in points])
    swapped = _looks_swapped(north, east)
    notes = []
    if swapped:
        north, east = east, north
        what = "east stands before north (the format has north first): the columns were swapped"
        notes.append(SourceNote(source, what, len(points)))
    if any(_is_nonzero(part) for part in description.get("转换参数", "").split(",")):
        notes.append(SourceNote(source, "parameters of a transformation (转换参数) are given; they were not applied"))
    named = description.get("坐标系", "")
    system = next((s for s, (_, marks, _) in _SYSTEMS.items() if any(m in named.upper() for m in marks)), None)
    if system is None:
        notes.append(SourceNote(source, f"no coordinate system that is known: 坐标系={named}"))
        return Plane(None, swapped), notes
    if max(np.abs(north).max(), np.abs(east).max()) <= 180:
        return Plane(pyproj.CRS.from_epsg(_SYSTEMS[system][2]), swapped), notes
    unit = description.get("计量单位", "")
    if unit not in {"", "米", "m", "M"}:
        raise CrsError(Issue(source, f"计量单位={unit}", "metres (米)", "Correct the description, or convert."))
    code = _projected(system, description, points, east, source)
    if code is None:
        notes.append(SourceNote(source, "neither the description (带号) nor the eastings say the zone"))
        return Plane(None, swapped), notes
    return Plane(pyproj.CRS.from_epsg(code), swapped), notes


def description_of_crs(crs: pyproj.CRS | None, source: str) -> dict[str, str]:
    """Lines of the description for a CRS.

    Raises
    ------
    CrsError
        If it is none of those that a coordinate TXT can name.
    """
    code = crs.to_epsg() if crs is not None else None
    for (system, width), bases in _BASES.items():
        zones = _ZONES[width]
        for base in bases:
            if code is not None and base <= code < base + len(zones):
                return {
                    "坐标系": _SYSTEMS[system][0],
                    "几度分带": str(width),
                    "投影类型": "高斯克吕格",
                    "计量单位": "米",
                    "带号": str(zones[code - base]),
                }
    raise CrsError(
        Issue(
            where=source,
            found=crs_name(crs) if crs is not None else "no CRS",
            expected="a Gauss-Krüger zone of CGCS2000 (or Xi'an 80, Beijing 54)",
            fix="Transform the parcels to EPSG:4526, say, before they are written.",
        )
    )


def _projected(
    system: str, description: Mapping[str, str], points: _Points, east: npt.NDArray[np.float64], source: str
) -> int | None:
    """EPSG code, None where the zone is not known."""
    prefixes = (east // _PREFIX_M).astype(np.int64)
    prefix = int(prefixes[0])
    other = np.flatnonzero(prefixes != prefix)
    if other.size:
        raise CrsError(
            Issue(
                where=f"{source}, line {list_ids([points[int(i)][0] for i in other])}",
                found=f"eastings of zone {list_ids(sorted(set(prefixes.tolist())))} in one file",
                expected="one zone",
                fix="Correct these points, or split the file by zone.",
            )
        )
    said = description.get("带号", "").removesuffix("带")
    zone = int(said) if said.isdecimal() else prefix
    if prefix and zone != prefix:
        raise CrsError(
            Issue(
                where=source,
                found=f"带号={said}, but eastings of zone {prefix}",
                expected="one zone",
                fix="Correct the description, or the coordinates.",
            )
        )
    width = next((w for w, zones in _ZONES.items() if zone in zones), None)
    wanted = description.get("几度分带", "").strip("度带")
    if wanted and width is not None and wanted != str(width):
        raise CrsError(
            Issue(
                where=source,
                found=f"几度分带={wanted}, but zone {zone} is one of {width} degrees",
                expected="a width and a zone that agree",
                fix="Correct the description.",
            )
        )
    if width is None:
        return None
    with_prefix, without = _BASES[system, width]
    return (with_prefix if prefix else without) + zone - _ZONES[width][0]


def _looks_swapped(north: npt.NDArray[np.float64], east: npt.NDArray[np.float64]) -> bool:
    """Whether the first column can only be an easting: in China degrees of the two never overlap, nor do metres."""
    low, high = float(min(north.min(), east.min())), float(max(north.max(), east.max()))
    if low >= 0 and high <= 180:
        return bool(north.min() > 60 > east.max())
    zone = bool(north.min() >= 13e6 and east.max() < 1e7)
    return zone or bool(north.max() < _PREFIX_M <= east.min() and east.max() < 1e7)


def _is_nonzero(text: str) -> bool:
    try:
        return float(text) != 0
    except ValueError:
        return bool(text.strip())
