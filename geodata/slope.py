"""Slope of the ground from an elevation model, in the units of the ground."""

from __future__ import annotations

from typing import Final

import numpy as np
import pyproj

from geodata.contract import FloatArray

METRES_PER: Final = {"m": 1.0, "ft": 0.3048}
"""Unit of heights → metres; ft is the international foot (the US survey foot differs by 2 parts in a million)."""


def ground_steps_m(crs: pyproj.CRS, x: float, y: FloatArray, step_x: float, step_y: float) -> tuple[FloatArray, ...]:
    """How far apart neighbouring cells lie on the ground, row by row.

    Measured along geodesics on the ellipsoid of the CRS, so that degrees, feet and the scale of a projection (a web
    Mercator doubles lengths at 60° latitude) all come out as metres on the ground.

    Parameters
    ----------
    crs : pyproj.CRS
        Geographic or projected.
    x : float
        Where the steps are measured, in the CRS: the middle of the land.
    y : float64[rows]
        Centres of the rows.
    step_x, step_y : float
        Size of a cell in the CRS, positive.

    Returns
    -------
    (float64[rows], float64[rows])
        Steps to the next cell east and to the next cell south, m.
    """
    geod = crs.get_geod()
    geographic = crs.geodetic_crs
    assert geod is not None and geographic is not None  # every geographic or projected CRS has both
    to_degrees = pyproj.Transformer.from_crs(crs, geographic, always_xy=True)
    here = np.full(len(y), x)

    def between(x0: FloatArray, y0: FloatArray, x1: FloatArray, y1: FloatArray) -> FloatArray:
        _, _, metres = geod.inv(*to_degrees.transform(x0, y0), *to_degrees.transform(x1, y1))
        return np.asarray(metres)

    east = between(here - step_x / 2, y, here + step_x / 2, y)
    south = between(here, y - step_y / 2, here, y + step_y / 2)
    return east, south


def horn_slope(heights_m: FloatArray, east_m: FloatArray, south_m: FloatArray) -> FloatArray:
    """Rise over run of the steepest slope in every inner cell, after Horn.

    B. K. P. Horn, Hill shading and the reflectance map, Proceedings of the IEEE 69 (1981) 14-47: with the 3 by 3 cells
    ``a b c / d e f / g h i``, ``p = ((c + 2f + i) − (a + 2d + g)) / 8·east``,
    ``q = ((g + 2h + i) − (a + 2b + c)) / 8·south``, slope = √(p² + q²).

    Parameters
    ----------
    heights_m : float64[rows + 2, columns + 2]
        Heights with one cell more on every side, m, NaN where unknown.
    east_m, south_m : float64[rows]
        Steps between cells on the ground in the inner rows, m.

    Returns
    -------
    float64[rows, columns]
        Rise over run; NaN where one of the nine cells is unknown: nothing is made up at edges.
    """
    z = heights_m
    p = (z[:-2, 2:] + 2 * z[1:-1, 2:] + z[2:, 2:]) - (z[:-2, :-2] + 2 * z[1:-1, :-2] + z[2:, :-2])
    q = (z[2:, :-2] + 2 * z[2:, 1:-1] + z[2:, 2:]) - (z[:-2, :-2] + 2 * z[:-2, 1:-1] + z[:-2, 2:])
    slope = np.hypot(p / (8 * east_m[:, None]), q / (8 * south_m[:, None]))
    return np.where(np.isnan(z[1:-1, 1:-1]), np.nan, slope)
