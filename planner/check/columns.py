"""Columns and geometries of the written layers, as the judge reads them."""

from __future__ import annotations

from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from planner.check import shapes


def texts(column: pd.Series[Any]) -> list[str | None]:
    """Values as text; missing and empty become None, whole numbers lose their ``.0``."""
    if isinstance(column.dtype, pd.StringDtype):
        return [value or None if isinstance(value, str) else None for value in column.array]

    def one(value: Any) -> str | None:
        if value is None or pd.isna(value):
            return None
        if isinstance(value, float) and value.is_integer():
            value = int(value)
        return str(value) or None

    return [one(v) for v in column.tolist()]


def numbers(column: pd.Series[Any]) -> shapes.Floats:
    """Values as float64; whatever is no number becomes NaN."""
    return np.asarray(pd.to_numeric(column, errors="coerce").to_numpy(dtype=float, na_value=np.nan))


def measurable(frame: gpd.GeoDataFrame) -> shapes.Geometries:
    """Geometries fit for measuring, so that one broken parcel does not hide the other findings.

    Null becomes empty and invalid polygons are rebuilt; the rule `geometry` reports both.
    """
    found = np.array(frame.geometry.to_numpy(), dtype=object)
    found[shapely.is_missing(found)] = shapely.Polygon()
    broken = ~shapely.is_valid(found)
    found[broken] = shapely.make_valid(found[broken], method="structure", keep_collapsed=False)
    return found
