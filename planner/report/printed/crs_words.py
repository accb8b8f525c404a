"""How the coordinate system is named on a map, in the manner of Chinese map sheets where it is a Chinese one."""

from __future__ import annotations

import re
from typing import Any, Final

from pyproj import CRS

from planner.labels import Labels

_DATUMS: Final = {
    "China 2000": "cgcs2000",
    "China Geodetic Coordinate System 2000": "cgcs2000",
    "Xian 1980": "xian80",
    "Beijing 1954": "beijing54",
}
_ZONE: Final = re.compile(r"zone (\d+)", re.IGNORECASE)
_THREE_DEGREES: Final = "3-degree"
_UNNAMED: Final = frozenset({"unknown", "undefined", "unnamed"})


def crs_statement(crs: Any, labels: Labels) -> str:
    """Name of the coordinate system.

    Parameters
    ----------
    crs : pyproj.CRS or what makes one
    labels : Labels
        With the area ``print``.

    Returns
    -------
    str
        ``2000国家大地坐标系 3°带 中央经线114°`` for Gauss-Krüger zones on Chinese datums (with the zone's number where
        it stands before the eastings), the name of the system and its EPSG code for others; of a system without a name
        its projection and ellipsoid.
    """
    crs = CRS.from_user_input(crs)
    datum = _DATUMS.get(crs.datum.name if crs.datum is not None else "")
    meridian = _meridian(crs)
    if crs.name in _UNNAMED:
        return _described(crs, meridian, labels)
    if datum is None or meridian is None or "Gauss-Kruger" not in crs.name:
        code = crs.to_epsg()
        return crs.name if code is None else f"{crs.name} (EPSG:{code})"
    degrees = labels("print_crs_3" if _THREE_DEGREES in crs.name else "print_crs_6")
    parts = [labels(f"print_crs_{datum}"), degrees]
    zone = _ZONE.search(crs.name)
    if zone is not None:
        parts.append(labels("print_crs_zone", zone.group(1)))
    parts.append(labels("print_crs_meridian", f"{meridian:g}"))
    return labels("print_crs_join").join(parts)


def _described(crs: CRS, meridian: float | None, labels: Labels) -> str:
    """Projection and ellipsoid of a system without a name."""
    operation, ellipsoid = crs.coordinate_operation, crs.ellipsoid
    parts = [labels("print_crs_unnamed")]
    parts += [operation.method_name] if operation is not None else []
    parts += [labels("print_crs_meridian", f"{meridian:g}")] if meridian is not None else []
    parts += [ellipsoid.name] if ellipsoid is not None else []
    return labels("print_crs_join").join(parts)


def _meridian(crs: CRS) -> float | None:
    operation = crs.coordinate_operation
    if operation is None or "Transverse Mercator" not in operation.method_name:
        return None
    values = [p.value for p in operation.params if p.name == "Longitude of natural origin"]
    return float(values[0]) if values else None
