"""The land of several plans laid over each other by parcel id, and how much of it how many plans pick."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd

from planner.tables import PlanTables

AREA_TOLERANCE_MU: Final = 0.01
"""Areas of one parcel that differ by more are other land under the same id."""

Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class CommonLand:
    """Parcels of all plans, in the order of their ids.

    Attributes
    ----------
    parcels : geopandas.GeoDataFrame
        ``parcel_id``, ``area_mu`` and geometry, of the first plan that has the parcel.
    rows : tuple of pandas.DataFrame
        Per plan its own columns in the order of `parcels`; unknown where the plan has no such parcel.
    held, picked : bool[n, plans]
        Whether the plan has the parcel, and takes it.
    other_area : bool[n]
        Plans that have the parcel disagree on its area.
    """

    parcels: gpd.GeoDataFrame
    rows: tuple[pd.DataFrame, ...]
    held: Bools
    picked: Bools
    other_area: Bools


@dataclass(frozen=True)
class Picked:
    """Land that so many plans pick.

    Attributes
    ----------
    plans : int
    parcels : int
    area_mu : float
    """

    plans: int
    parcels: int
    area_mu: float


def common_land(plans: Sequence[PlanTables]) -> CommonLand:
    """Lay the land of plans over each other; all are in the CRS of the first."""
    order = sorted({str(i) for tables in plans for i in tables.parcels["parcel_id"]})
    first = pd.concat([tables.parcels[["parcel_id", "area_mu", "geometry"]] for tables in plans])
    first = first.drop_duplicates("parcel_id").set_index("parcel_id").loc[order].reset_index()
    parcels = gpd.GeoDataFrame(first, geometry="geometry", crs=plans[0].parcels.crs)
    rows = tuple(
        pd.DataFrame(tables.parcels.drop(columns="geometry")).set_index("parcel_id").reindex(order) for tables in plans
    )
    areas = np.stack([row["area_mu"].to_numpy(dtype=float) for row in rows], axis=1)
    held = np.isfinite(areas)
    low, high = np.where(held, areas, np.inf).min(axis=1), np.where(held, areas, -np.inf).max(axis=1)
    picked = np.stack([(row["status"] == "selected").to_numpy(dtype=bool) for row in rows], axis=1)
    return CommonLand(parcels, rows, held, picked, high - low > AREA_TOLERANCE_MU)


def picked_sums(land: CommonLand) -> tuple[Picked, ...]:
    """Land by the number of plans that pick it, from all plans down to none; each parcel is counted once."""
    times, area = land.picked.sum(axis=1), land.parcels["area_mu"].to_numpy(dtype=float)
    plans = land.picked.shape[1]
    return tuple(_sum(k, times == k, area) for k in range(plans, -1, -1))


def only_sums(land: CommonLand) -> tuple[Picked, ...]:
    """For each plan the land that it alone picks."""
    alone, area = land.picked.sum(axis=1) == 1, land.parcels["area_mu"].to_numpy(dtype=float)
    return tuple(_sum(1, alone & mine, area) for mine in land.picked.T)


def same_phase(land: CommonLand, phase_names: Sequence[Sequence[str]]) -> Picked:
    """Of the land that every plan picks, that which all take in the phase of the same name."""
    names = np.stack([named_phase(row, n) for row, n in zip(land.rows, phase_names, strict=True)], axis=1)
    same = land.picked.all(axis=1) & (names == names[:, :1]).all(axis=1)
    return _sum(land.picked.shape[1], same, land.parcels["area_mu"].to_numpy(dtype=float))


def named_phase(row: pd.DataFrame, names: Sequence[str]) -> npt.NDArray[np.object_]:
    """Name of each parcel's phase, '' where it has none."""
    number = row["phase"].to_numpy(dtype=float, na_value=np.nan)
    place = np.where(np.isfinite(number), number, 0).astype(int)
    return np.asarray(np.array(["", *names], dtype=object)[place])


def not_held(land: CommonLand) -> list[list[str]]:
    """For each plan the ids that other plans have and it does not."""
    ids = land.parcels["parcel_id"].to_numpy(dtype=object)
    return [[str(i) for i in ids[~mine]] for mine in land.held.T]


def _sum(plans: int, which: Bools, area: npt.NDArray[Any]) -> Picked:
    return Picked(plans, int(which.sum()), float(area[which].sum()))
