"""What every frame handed to the geometry stages must be: one place that says so, one message when it is not."""

from __future__ import annotations

from typing import TypeAlias

import geopandas as gpd
import numpy as np
import numpy.typing as npt

from geodata.errors import CrsError, DataError, Issue, list_ids

FloatArray: TypeAlias = npt.NDArray[np.float64]
IntArray: TypeAlias = npt.NDArray[np.int64]
BoolArray: TypeAlias = npt.NDArray[np.bool_]
GeometryArray: TypeAlias = npt.NDArray[np.object_]
"""Shapely geometries; None where there is none."""

_METRE_NAMES = {"metre", "meter"}


def geometry_array(frame: gpd.GeoDataFrame) -> GeometryArray:
    """Geometries of a frame as a numpy array of their own (changing the array leaves the frame as it is)."""
    return np.array(frame.geometry.array, dtype=object)


def require_metric(frame: gpd.GeoDataFrame, what: str) -> None:
    """Refuse a frame that is not in a projected CRS counted in metres.

    Parameters
    ----------
    frame : geopandas.GeoDataFrame
        Any layer.
    what : str
        Name of the layer for the message.

    Raises
    ------
    CrsError
        Without a CRS, in degrees, or in another unit than metres.
    """
    crs = frame.crs
    if crs is None:
        found = "no CRS"
    elif not crs.is_projected:
        found = f"{crs.name}, which counts in degrees"
    elif {axis.unit_name for axis in crs.axis_info[:2]} - _METRE_NAMES:
        found = f"{crs.name}, which counts in {crs.axis_info[0].unit_name}"
    else:
        return
    raise CrsError(Issue(f"{what}, CRS", found, "a projected CRS in metres", "Reproject the layer before measuring."))


def require_same_crs(frame: gpd.GeoDataFrame, parcels: gpd.GeoDataFrame, what: str) -> None:
    """Refuse a layer whose CRS differs from the parcels' (an empty layer passes whatever it says).

    Raises
    ------
    CrsError
        Where they differ.
    """
    if len(frame) == 0 or frame.crs == parcels.crs:
        return
    found = "no CRS" if frame.crs is None else frame.crs.name
    raise CrsError(Issue(f"{what}, CRS", found, f"{parcels.crs.name}, as the parcels", "Reproject the layer."))


def require_parcels(parcels: gpd.GeoDataFrame) -> None:
    """Refuse parcels whose index is not unique non-empty text, or that are not in metres.

    Raises
    ------
    DataError
        Ids that are not text, are empty, or occur twice.
    CrsError
        See `require_metric`.
    """
    require_metric(parcels, "parcels")
    ids = parcels.index
    issues = []
    bad = [i for i in ids if not isinstance(i, str) or not i]
    if bad:
        issues.append(Issue("parcels, index", f"{list_ids(bad)}", "ids as non-empty text", "Set the id column."))
    twice = ids[ids.duplicated()].unique()
    if len(twice):
        issues.append(Issue("parcels, index", f"{list_ids(twice)} more than once", "unique ids", "Make them unique."))
    if issues:
        raise DataError(issues)


def require_polygons(parcels: gpd.GeoDataFrame) -> None:
    """Refuse parcels that were not repaired: missing, empty, invalid or non-polygon geometry.

    Raises
    ------
    DataError
        Naming the parcels.
    """
    geometry = parcels.geometry
    good = geometry.geom_type.isin(["Polygon", "MultiPolygon"]) & geometry.is_valid & ~geometry.is_empty
    if not good.all():
        bad = list(parcels.index[~good])
        raise DataError(
            Issue("parcels, geometry", f"no valid polygon for {list_ids(bad)}", "valid polygons", "Repair them first.")
        )
