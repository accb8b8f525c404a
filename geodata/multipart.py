"""Parcels of several parts: split into parcels of their own, or refused."""

from __future__ import annotations

from typing import Any, Final, Literal

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from geodata.contract import GeometryArray, IntArray, geometry_array
from geodata.errors import DataError, Issue, list_ids

AMOUNT_SUFFIXES: Final = ("_m2", "_mu", "_ha", "_km2", "_ft2", "_yuan", "_wan_yuan")
"""Fields that end like this hold an amount of the whole parcel, unless they are a ratio (``_per_``)."""


def is_amount(field: str) -> bool:
    """Whether a field's name says that it holds an amount, to be divided with the parcel: ``tax_wan_yuan``."""
    return field.endswith(AMOUNT_SUFFIXES) and "_per_" not in field


def split_multipart(
    parcels: gpd.GeoDataFrame, policy: Literal["split", "refuse"]
) -> tuple[gpd.GeoDataFrame, list[dict[str, Any]]]:
    """Split parcels of several parts into ``id#1``, ``id#2`` …, largest first.

    Parameters
    ----------
    parcels : geopandas.GeoDataFrame
        Repaired, indexed by ``parcel_id``. Not changed.
    policy : {"split", "refuse"}
        What is done with them.

    Returns
    -------
    parcels : geopandas.GeoDataFrame
        Each part where its parcel was. Numbers in fields that hold an amount are divided by area, unknown ones stay
        unknown; all other fields are copied.
    rows : list of dict
        Rows of the repair log: the parcel goes with its whole area, each part comes with its own.

    Raises
    ------
    DataError
        Multipart parcels under ``refuse``; ids of parts that other parcels have already.
    """
    geometry = geometry_array(parcels)
    several = shapely.get_num_geometries(geometry) > 1
    if not several.any():
        return parcels.copy(), []
    if policy == "refuse":
        ids = sorted(parcels.index[several])
        found = f"{len(ids)} parcels of several parts: {list_ids(ids)}"
        fix = "Split them in the source, or set repair.multipart to keep or split."
        raise DataError(Issue("parcels, geometry", found, "parcels of one part each", fix))
    parts, owner, number = _parts(geometry)
    names = [
        f"{parcels.index[k]}#{n}" if several[k] else str(parcels.index[k])
        for k, n in zip(owner.tolist(), number.tolist(), strict=True)
    ]
    _refuse_collisions(names)
    out = parcels.iloc[owner].copy().set_axis(pd.Index(names, name=parcels.index.name, dtype=parcels.index.dtype))
    share = shapely.area(parts) / shapely.area(geometry)[owner]
    divided = several[owner]
    for field in parcels.columns:
        if is_amount(str(field)) and pd.api.types.is_numeric_dtype(parcels[field]):
            values = out[field].astype(
                "Float64" if isinstance(out[field].dtype, pd.api.extensions.ExtensionDtype) else "float64"
            )
            out[field] = values.where(~divided, values * share)
    out[parcels.geometry.name] = gpd.GeoSeries(parts, index=out.index, crs=parcels.crs)
    return out, _rows(parcels, geometry, parts, owner, names)


def _parts(geometry: GeometryArray) -> tuple[GeometryArray, IntArray, IntArray]:
    """Single polygons, whose they are, and their number: by area, then from west to east and south to north."""
    parts, owner = shapely.get_parts(geometry, return_index=True)
    bounds = shapely.bounds(parts)
    order = np.lexsort((bounds[:, 1], bounds[:, 0], -np.round(shapely.area(parts), 6), owner))
    parts, owner = parts[order], owner[order]
    number = np.arange(len(owner)) - np.searchsorted(owner, owner) + 1
    return parts, owner, number


def _refuse_collisions(names: list[str]) -> None:
    index = pd.Index(names)
    twice = sorted(index[index.duplicated()].unique())
    if twice:
        found = f"ids that its parts would have exist already: {list_ids(twice)}"
        fix = "Rename these parcels, or set repair.multipart to keep."
        raise DataError(Issue("parcels, index", found, "new ids for the parts of a parcel", fix))


def _rows(
    parcels: gpd.GeoDataFrame, geometry: GeometryArray, parts: GeometryArray, owner: IntArray, names: list[str]
) -> list[dict[str, Any]]:
    count = np.bincount(owner, minlength=len(geometry))
    rows = []
    for k in np.flatnonzero(count > 1).tolist():
        ids = [names[i] for i in np.flatnonzero(owner == k).tolist()]
        note = f"split into {len(ids)} parcels: {list_ids(ids)}"
        rows.append(_row(str(parcels.index[k]), None, float(shapely.area(geometry[k])), 0.0, note, geometry[k]))
    for part, k, name in zip(parts, owner.tolist(), names, strict=True):
        if count[k] > 1:
            m2 = float(shapely.area(part))
            rows.append(_row(name, str(parcels.index[k]), 0.0, m2, f"one of {count[k]} parts", part))
    return rows


def _row(name: str, other: str | None, before: float, after: float, note: str, geometry: object) -> dict[str, Any]:
    return {
        "parcel_id": name,
        "issue": "multipart",
        "action": "split",
        "other_id": other,
        "area_before_m2": before,
        "area_after_m2": after,
        "note": note,
        "geometry": geometry,
    }
