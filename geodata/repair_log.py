"""The log of a repair, its balance of areas, and the table of it for reports."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import geopandas as gpd
import pandas as pd

from geodata.errors import list_ids
from geodata.units import M2_PER_MU

LOG_COLUMNS: Final = (
    "parcel_id",
    "issue",
    "action",
    "other_id",
    "area_before_m2",
    "area_after_m2",
    "note",
    "geometry",
)
"""Columns of the repair log, in this order."""

TABLE_COLUMNS: Final = (
    "issue",
    "action",
    "parcels",
    "area_change_m2",
    "area_change_mu",
    "largest_change_m2",
    "first_ids",
)
"""Columns of `repair_table`, in this order."""


@dataclass(frozen=True)
class AreaBalance:
    """Total area before and after the repair.

    Attributes
    ----------
    before_m2, after_m2 : float
        Sum over all parcels; of a broken polygon, what its rings as stored enclose; nothing where a coordinate is not
        a finite number.
    change_m2 : dict of str to float
        Sum of the logged changes by issue; ``before_m2 + sum(change_m2.values()) == after_m2`` up to rounding.
    """

    before_m2: float
    after_m2: float
    change_m2: dict[str, float]

    @property
    def unexplained_m2(self) -> float:
        """What the log does not account for: zero up to rounding."""
        return self.after_m2 - self.before_m2 - sum(self.change_m2.values())


@dataclass(frozen=True)
class RepairResult:
    """Parcels fit for measuring, and the log of what was done to them.

    Attributes
    ----------
    parcels : geopandas.GeoDataFrame
        The rows that could be kept, in the order given, all attributes as they were; valid two-dimensional polygons or
        multipolygons without mutual overlap.
    log : geopandas.GeoDataFrame
        `LOG_COLUMNS`. ``issue`` is one of invalid, empty, not_polygon, duplicate, sliver, overlap, gap, snap,
        multipart; ``action`` one of made_valid, dropped, cut, part_dropped, filled, moved, noded (it got the corners
        of its neighbours, nothing moved), split, kept (a notice: nothing was changed). ``other_id`` is the parcel
        that is duplicated, that kept the overlap, or that was split. ``geometry`` is what was removed or changed (of an
        invalid or multipart one, the parcel as it is now), or null. Sorted by parcel id, then by stage.
    balance : AreaBalance
        Area before and after.
    heights_left_out : int
        How many parcels had heights (Z); they are left out everywhere, and not a row of the log each.
    """

    parcels: gpd.GeoDataFrame
    log: gpd.GeoDataFrame
    balance: AreaBalance
    heights_left_out: int

    @property
    def changes(self) -> gpd.GeoDataFrame:
        """Rows of the log that are more than a notice."""
        return self.log[self.log["action"] != "kept"]


def log_frame(rows: list[dict[str, Any]], parcels: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Rows of the log as a frame: sorted by parcel id, within a parcel in the order of the stages."""
    frame = pd.DataFrame(rows, columns=list(LOG_COLUMNS))
    frame = frame.sort_values("parcel_id", kind="stable", ignore_index=True)
    numbers = {"area_before_m2": "float64", "area_after_m2": "float64"}
    return gpd.GeoDataFrame(frame.astype(numbers), geometry="geometry", crs=parcels.crs)


def repair_table(result: RepairResult) -> pd.DataFrame:
    """What was done, one row per issue and action: for reports.

    Parameters
    ----------
    result : RepairResult

    Returns
    -------
    pandas.DataFrame
        ``issue``, ``action``, ``parcels`` (how many different ones), ``area_change_m2``, ``area_change_mu`` (sums, less
        is negative), ``largest_change_m2`` (of one row of the log, without its sign), ``first_ids``. Those that changed
        most first, then by name.
    """
    log = pd.DataFrame(result.log.drop(columns="geometry"))
    log = log.assign(change=log["area_after_m2"] - log["area_before_m2"].fillna(0.0))
    rows = []
    for (issue, action), group in log.groupby(["issue", "action"], sort=True):
        ids = group["parcel_id"].drop_duplicates().tolist()
        change = float(group["change"].sum())
        largest = float(group["change"].abs().max())
        rows.append((issue, action, len(ids), change, change / M2_PER_MU, largest, list_ids(ids)))
    table = pd.DataFrame(rows, columns=list(TABLE_COLUMNS))
    size = table["area_change_m2"].astype("float64").abs()
    return table.iloc[size.sort_values(ascending=False, kind="stable").index].reset_index(drop=True)
