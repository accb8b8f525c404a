"""What the generator hands over."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

import geopandas as gpd
import pandas as pd

CRS: Final = "EPSG:4547"
"""CGCS2000 / 3-degree Gauss-Kruger CM 114E: the metric system of Dongguan's survey files."""

LABEL: Final = "Synthetic land: generated parcels, not a survey; names of real places are used only as labels."
"""Goes with everything that is made from the generated land."""

PARCEL_ID: Final = "宗地编码"
"""Column of the generated parcels that holds their id."""


def no_overlays() -> gpd.GeoDataFrame:
    """Overlays of land that has none."""
    return gpd.GeoDataFrame({"name": pd.Series([], dtype="str")}, geometry=gpd.GeoSeries([], crs=CRS), crs=CRS)


@dataclass(frozen=True)
class SyntheticLand:
    """Generated village industrial land, as a planner's own files would have it.

    Attributes
    ----------
    parcels : geopandas.GeoDataFrame
        Raw parcels in EPSG:4547, default integer index, Chinese column names (`attributes.COLUMNS`);
        the id is in ``宗地编码``.
    zones : geopandas.GeoDataFrame
        ``name`` and one polygon per zone; the parcels of a zone lie inside it.
    barriers : geopandas.GeoDataFrame
        ``name`` (``river``, ``arterial``) and polygon: what cuts contiguity.
    roads : geopandas.GeoDataFrame
        ``kind`` (``lane``, ``village road``, ``avenue``), ``width_m`` and centre line of every road that is no barrier.
    label : str
        Says that the land is synthetic.
    flaws : pandas.Series
        Parcel id → which error was put into its geometry on purpose (``bow-tie``, ``duplicate``, ``overlap``).
    witness : pandas.DataFrame
        Index parcel id, columns ``block`` (str) and ``phase`` (int, 1-based): a partition into contiguous blocks
        that meets the case's targets and gates by construction. Empty where the case has no targets.
    overlays : geopandas.GeoDataFrame
        ``name`` and polygon: outlines that a configuration can lay over the parcels. Empty where the case has none.
    """

    parcels: gpd.GeoDataFrame
    zones: gpd.GeoDataFrame
    barriers: gpd.GeoDataFrame
    roads: gpd.GeoDataFrame
    label: str
    flaws: pd.Series
    witness: pd.DataFrame
    overlays: gpd.GeoDataFrame = field(default_factory=no_overlays)
