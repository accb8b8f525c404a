"""Coordinates of Chinese web maps: GCJ-02 (Gaode, Tencent) and BD-09 (Baidu), to and from true ones.

Both move true WGS 84 degrees by some hundreds of metres (GCJ-02: up to 0.7 km, BD-09: up to 1.5 km), by a smooth
function of the place. True → shifted is for drawing over such a base map only; no figure and no export may hold
shifted coordinates. Shifted → true opens data that were traced on such a map; neither the tracing nor these published
formulas are of survey grade: take the result to be good to some metres.

The formulas have no official publication. They are those on which the public libraries agree (googollee/eviltransform,
wandergis/coordtransform, hujiulong/gcoord), on the ellipsoid of Krasovsky; outside a box around China nothing is
shifted. The inverse solves them by fixed-point iteration instead of taking the shift at the shifted place, which would
leave errors of a metre or more.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, Literal

import numpy as np
import numpy.typing as npt

ShiftedSystem = Literal["GCJ-02", "BD-09"]

_Floats = npt.NDArray[np.float64]

_A: Final = 6_378_245.0  # Krasovsky 1940
_E2: Final = 0.00669342162296594323
_BOX: Final = (72.004, 0.8293, 137.8347, 55.8271)
_BD_TURN: Final = np.pi * 3000 / 180
_BD_EAST, _BD_NORTH = 0.0065, 0.006
_TOLERANCE: Final = 1e-12  # degrees: a tenth of a micrometre
_ROUNDS: Final = 60


def in_china_box(lon: npt.ArrayLike, lat: npt.ArrayLike) -> npt.NDArray[np.bool_]:
    """Where the web maps shift: a box around China (a box is not a border)."""
    west, south, east, north = _BOX
    lon, lat = np.asarray(lon, dtype=np.float64), np.asarray(lat, dtype=np.float64)
    return (lon >= west) & (lon <= east) & (lat >= south) & (lat <= north)


def shift(lon: npt.ArrayLike, lat: npt.ArrayLike, system: ShiftedSystem) -> tuple[_Floats, _Floats]:
    """True degrees → degrees of the web map. For display over such a map only.

    Parameters
    ----------
    lon, lat : array_like
        WGS 84 or CGCS2000 degrees, of one shape.
    system : {'GCJ-02', 'BD-09'}
        Whose.

    Returns
    -------
    lon, lat : numpy.ndarray
        Shifted degrees; outside China unchanged.
    """
    lon, lat = _as_floats(lon, lat)
    inside = in_china_box(lon, lat)
    moved_lon, moved_lat = lon.copy(), lat.copy()
    moved_lon[inside], moved_lat[inside] = _forward(system)(lon[inside], lat[inside])
    return moved_lon, moved_lat


def unshift(lon: npt.ArrayLike, lat: npt.ArrayLike, system: ShiftedSystem) -> tuple[_Floats, _Floats]:
    """Degrees of the web map → true degrees, the inverse of `shift` to less than a micrometre.

    Parameters
    ----------
    lon, lat : array_like
        Shifted degrees, of one shape.
    system : {'GCJ-02', 'BD-09'}
        Whose.

    Returns
    -------
    lon, lat : numpy.ndarray
        WGS 84 degrees; outside China unchanged.

    Raises
    ------
    ArithmeticError
        If the iteration does not converge, which finite coordinates do not cause.
    """
    lon, lat = _as_floats(lon, lat)
    inside = in_china_box(lon, lat)
    true_lon, true_lat = lon.copy(), lat.copy()
    true_lon[inside], true_lat[inside] = _solve(_forward(system), lon[inside], lat[inside])
    return true_lon, true_lat


def gcj02_to_bd09(lon: npt.ArrayLike, lat: npt.ArrayLike) -> tuple[_Floats, _Floats]:
    """Degrees of GCJ-02 → degrees of BD-09."""
    return _bd09_of_gcj02(*_as_floats(lon, lat))


def bd09_to_gcj02(lon: npt.ArrayLike, lat: npt.ArrayLike) -> tuple[_Floats, _Floats]:
    """Degrees of BD-09 → degrees of GCJ-02, the inverse of `gcj02_to_bd09`."""
    return _solve(_bd09_of_gcj02, *_as_floats(lon, lat))


def _as_floats(lon: npt.ArrayLike, lat: npt.ArrayLike) -> tuple[_Floats, _Floats]:
    return np.atleast_1d(np.asarray(lon, dtype=np.float64)), np.atleast_1d(np.asarray(lat, dtype=np.float64))


def _forward(system: ShiftedSystem) -> Callable[[_Floats, _Floats], tuple[_Floats, _Floats]]:
    return _gcj02_of_true if system == "GCJ-02" else _bd09_of_true


def _bd09_of_true(lon: _Floats, lat: _Floats) -> tuple[_Floats, _Floats]:
    return _bd09_of_gcj02(*_gcj02_of_true(lon, lat))


def _gcj02_of_true(lon: _Floats, lat: _Floats) -> tuple[_Floats, _Floats]:
    x, y = lon - 105, lat - 35
    root = 0.1 * np.sqrt(np.abs(x))
    wave = 20 * np.sin(6 * np.pi * x) + 20 * np.sin(2 * np.pi * x)
    by_x = 20 * np.sin(np.pi * x) + 40 * np.sin(np.pi / 3 * x) + 150 * np.sin(np.pi / 12 * x)
    by_x += 300 * np.sin(np.pi / 30 * x)
    by_y = 20 * np.sin(np.pi * y) + 40 * np.sin(np.pi / 3 * y) + 160 * np.sin(np.pi / 12 * y)
    by_y += 320 * np.sin(np.pi / 30 * y)
    east_m = 300 + x + 2 * y + 0.1 * x * x + 0.1 * x * y + root + (wave + by_x) * 2 / 3
    north_m = -100 + 2 * x + 3 * y + 0.2 * y * y + 0.1 * x * y + 2 * root + (wave + by_y) * 2 / 3
    phi = np.radians(lat)
    w2 = 1 - _E2 * np.sin(phi) ** 2
    prime_vertical = _A / np.sqrt(w2)
    meridian = _A * (1 - _E2) / (w2 * np.sqrt(w2))
    return lon + np.degrees(east_m / (prime_vertical * np.cos(phi))), lat + np.degrees(north_m / meridian)


def _bd09_of_gcj02(lon: _Floats, lat: _Floats) -> tuple[_Floats, _Floats]:
    radius = np.hypot(lon, lat) + 0.00002 * np.sin(lat * _BD_TURN)
    angle = np.arctan2(lat, lon) + 0.000003 * np.cos(lon * _BD_TURN)
    return radius * np.cos(angle) + _BD_EAST, radius * np.sin(angle) + _BD_NORTH


def _solve(
    forward: Callable[[_Floats, _Floats], tuple[_Floats, _Floats]], lon: _Floats, lat: _Floats
) -> tuple[_Floats, _Floats]:
    """Where `forward` leads to `lon`, `lat`: each round takes the shift at the best place known so far.

    The shift changes by less than 3 % of a step, so that every round gains more than a digit.
    """
    true_lon, true_lat = lon, lat
    for _ in range(_ROUNDS):
        there_lon, there_lat = forward(true_lon, true_lat)
        off_lon, off_lat = there_lon - lon, there_lat - lat
        true_lon, true_lat = true_lon - off_lon, true_lat - off_lat
        if max(np.abs(off_lon).max(initial=0), np.abs(off_lat).max(initial=0)) < _TOLERANCE:
            return true_lon, true_lat
    raise ArithmeticError("the inverse shift of a web map did not converge")
