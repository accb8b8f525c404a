"""Errors of real parcel files, put in on purpose and listed."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from shapely.geometry import Polygon
from shapely.geometry.base import BaseGeometry

from geodata.synthetic.land import PARCEL_ID

OVERLAP_M = 0.8
COUNT = 4
"""Parcels that get a flaw: two bow-ties, one duplicate, one overlap."""


def with_flaws(
    parcels: gpd.GeoDataFrame, candidates: np.ndarray, rng: np.random.Generator
) -> tuple[gpd.GeoDataFrame, pd.Series]:
    """Put in two bow-ties, a parcel stored twice and a parcel that reaches 0.8 m into its neighbour.

    Parameters
    ----------
    parcels : geopandas.GeoDataFrame
        Valid parcels; not changed.
    candidates : array of int
        Positions of the parcels that may be spoilt, at least `COUNT`.
    rng : numpy.random.Generator

    Returns
    -------
    parcels, flaws : geopandas.GeoDataFrame, pandas.Series
        One row more than before (the duplicate, last, under a code of its own); parcel id → flaw.
    """
    chosen = rng.choice(candidates, size=COUNT, replace=False)
    shapes = parcels.geometry.to_numpy().copy()
    ids = parcels[PARCEL_ID].to_numpy()
    flaws: dict[str, str] = {}
    for position in chosen[:2]:
        shapes[position] = bow_tie(shapes[position])
        flaws[ids[position]] = "bow-tie"
    shapes[chosen[2]] = swollen(shapes[chosen[2]])
    flaws[ids[chosen[2]]] = "overlap"
    copy = parcels.iloc[[chosen[3]]].copy()
    code = str(ids[chosen[3]])
    copy[PARCEL_ID] = f"{code[:-5]}{int(code[-5:]) + 90_000:05d}"
    flaws[copy[PARCEL_ID].iloc[0]] = "duplicate"
    spoilt = gpd.GeoDataFrame(parcels.drop(columns="geometry"), geometry=shapes, crs=parcels.crs)
    both = pd.concat([spoilt, copy], ignore_index=True)
    return gpd.GeoDataFrame(both, crs=parcels.crs), pd.Series(flaws, name="flaw", dtype="str")


def bow_tie(polygon: BaseGeometry) -> Polygon:
    """Exchange the ends of the longest side for which the ring then crosses itself."""
    ring = shapely.get_coordinates(polygon)[:-1]
    length = np.hypot(*(np.roll(ring, -1, axis=0) - ring).T)
    for i in np.argsort(-length, kind="stable"):
        j = (i + 1) % len(ring)
        crossed = ring.copy()
        crossed[[i, j]] = crossed[[j, i]]
        if not Polygon(crossed).is_valid:
            return Polygon(crossed)
    raise ValueError("no exchange of corners makes this ring cross itself")


def swollen(polygon: BaseGeometry) -> BaseGeometry:
    """The parcel as drawn by somebody who traced its boundary 0.8 m too far out."""
    wide: BaseGeometry = shapely.set_precision(
        shapely.buffer(polygon, OVERLAP_M, join_style="mitre", mitre_limit=2.0), 0.001
    )
    return wide
