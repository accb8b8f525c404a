"""The areas of a parcel, kept apart: net, boundary, ellipsoidal, and what the certificate says."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from geodata.between import Allotted, allot_between
from geodata.contract import GeometryArray, geometry_array, require_parcels, require_polygons, require_same_crs
from geodata.ellipsoid import ellipsoidal_area_m2
from geodata.errors import DataError, Issue
from geodata.notes import SourceNote
from geodata.spec_land import AreasSpec
from geodata.units import M2_PER_MU

AREA_COLUMNS: Final = ("area_m2", "area_mu", "between_mu", "boundary_mu", "ellipsoidal_mu")
"""Columns of `AreaResult.fields`, in this order."""
DIFFERENCE_COLUMNS: Final = (
    "parcel_id",
    "certificate_mu",
    "measured_mu",
    "ellipsoidal_mu",
    "difference_mu",
    "difference_share",
)
"""Columns of `area_differences`, in this order."""


@dataclass(frozen=True, eq=False)
class AreaResult:
    """Areas of parcels.

    Attributes
    ----------
    fields : pandas.DataFrame
        `AREA_COLUMNS`, indexed by ``parcel_id`` in the order of the parcels. ``area_m2`` and ``area_mu`` are net
        (measured in the metric CRS), ``between_mu`` is the land between parcels allotted to the parcel,
        ``boundary_mu`` their sum, ``ellipsoidal_mu`` the net area on the ellipsoid.
    between : geopandas.GeoDataFrame
        ``parcel_id``, ``area_m2`` and geometry of the allotted land, one row per parcel that is allotted any, sorted
        by id, in the CRS of the parcels.
    notes : tuple of SourceNote
        How much was allotted, and what went to no parcel.
    """

    fields: pd.DataFrame
    between: gpd.GeoDataFrame
    notes: tuple[SourceNote, ...]


def measure_areas(parcels: gpd.GeoDataFrame, spec: AreasSpec, barriers: gpd.GeoDataFrame) -> AreaResult:
    """Measure the parcels and allot the land between them (see `geodata.between` for the definitions).

    Parameters
    ----------
    parcels : geopandas.GeoDataFrame
        Repaired parcels, indexed by unique text ``parcel_id``, in a projected CRS in metres. Not changed.
    spec : AreasSpec
        ``between_max_m`` counts here; 0 allots nothing.
    barriers : geopandas.GeoDataFrame
        Lines or polygons in the same CRS; may be empty.

    Returns
    -------
    AreaResult
        The same whatever the order of the rows, apart from that order.

    Raises
    ------
    DataError
        Parcels without a valid polygon or a unique id.
    CrsError
        No metric CRS, or two of them.
    """
    require_parcels(parcels)
    require_polygons(parcels)
    require_same_crs(barriers, parcels, "barriers")
    between, notes = _between(parcels, spec, barriers)
    area_m2 = shapely.area(geometry_array(parcels))
    allotted = pd.Series(between["area_m2"].to_numpy(dtype=float), index=between["parcel_id"])
    between_m2 = allotted.reindex(parcels.index).fillna(0.0).to_numpy(dtype=float)
    figures = (
        area_m2,
        area_m2 / M2_PER_MU,
        between_m2 / M2_PER_MU,
        (area_m2 + between_m2) / M2_PER_MU,
        ellipsoidal_area_m2(parcels) / M2_PER_MU,
    )
    index = parcels.index.rename("parcel_id")
    return AreaResult(pd.DataFrame(dict(zip(AREA_COLUMNS, figures, strict=True)), index=index), between, notes)


def area_differences(fields: pd.DataFrame, spec: AreasSpec) -> pd.DataFrame:
    """Parcels whose certificate and measured area differ by more than ``tolerance_share`` of the certificate's.

    Parameters
    ----------
    fields : pandas.DataFrame
        Indexed by ``parcel_id``: ``area_mu``, ``ellipsoidal_mu`` and the column named by ``certificate``, mu.
    spec : AreasSpec
        ``certificate`` and ``tolerance_share``.

    Returns
    -------
    pandas.DataFrame
        `DIFFERENCE_COLUMNS`; ``difference_mu`` = measured − certificate, ``difference_share`` = that over the
        certificate's area (infinite where that is 0). Largest difference in mu first, equal ones by id. A parcel whose
        certificate is unknown is not compared. Empty where no certificate is configured.

    Raises
    ------
    DataError
        The column is missing, holds what is no number, or negative areas.
    """
    if spec.certificate is None:
        return pd.DataFrame(
            {name: pd.Series(dtype="str" if name == "parcel_id" else float) for name in DIFFERENCE_COLUMNS}
        )
    certificate = _certificate(fields, spec.certificate)
    measured = fields["area_mu"].to_numpy(dtype=float)
    difference = measured - certificate
    with np.errstate(divide="ignore", invalid="ignore"):
        share = difference / certificate
    # Just the tolerance passes, however the division is rounded.
    beyond = np.abs(difference) > spec.tolerance_share * certificate * (1 + 1e-12)
    table = pd.DataFrame(
        {
            "parcel_id": np.asarray(fields.index, dtype=object),
            "certificate_mu": certificate,
            "measured_mu": measured,
            "ellipsoidal_mu": fields["ellipsoidal_mu"].to_numpy(dtype=float),
            "difference_mu": difference,
            "difference_share": share,
        }
    )[beyond].astype({"parcel_id": "str"})
    order = np.lexsort((table["parcel_id"].to_numpy(dtype=object), -table["difference_mu"].abs().to_numpy()))
    return table.iloc[order].reset_index(drop=True)


def _certificate(fields: pd.DataFrame, name: str) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """The certificates' areas, NaN where unknown, or what is wrong with them."""
    where = f"areas, certificate, field {name}"
    if name not in fields.columns:
        raise DataError(Issue(where, "no such field", "a field of the parcels in mu", "Map it under parcels.fields."))
    value = pd.to_numeric(fields[name], errors="coerce")
    bad = fields.index[(value.isna() & fields[name].notna()) | (value < 0)]
    if len(bad):
        found = f"no area for {', '.join(map(str, bad[:20]))}" + (f" and {len(bad) - 20} more" if len(bad) > 20 else "")
        raise DataError(Issue(where, found, "numbers from 0, in mu", "Correct them, or list them under `missing`."))
    return np.asarray(value.to_numpy(dtype=float, na_value=np.nan))


def _between(
    parcels: gpd.GeoDataFrame, spec: AreasSpec, barriers: gpd.GeoDataFrame
) -> tuple[gpd.GeoDataFrame, tuple[SourceNote, ...]]:
    """Layer of the allotted land, and what is to be said of it."""
    ids = np.asarray(parcels.index, dtype=object)
    order = np.argsort(ids, kind="stable")
    if spec.between_max_m > 0 and len(parcels):
        geometry = shapely.force_2d(geometry_array(parcels)[order])
        allotted = allot_between(geometry, _usable(barriers), spec.between_max_m)
    else:
        allotted = Allotted(np.zeros(0, dtype=np.int64), np.zeros(0, dtype=object), 0.0)
    names = ids[order][allotted.parcel]
    layer = gpd.GeoDataFrame(
        {"parcel_id": pd.Series(names, dtype="str"), "area_m2": shapely.area(allotted.geometry)},
        geometry=list(allotted.geometry),
        crs=parcels.crs,
    )
    return layer, tuple(_notes(spec, layer, allotted))


def _usable(barriers: gpd.GeoDataFrame) -> GeometryArray:
    """Barriers that have geometry, made valid."""
    geometry = geometry_array(barriers)
    geometry = shapely.force_2d(geometry[~(shapely.is_missing(geometry) | shapely.is_empty(geometry))])
    broken = ~shapely.is_valid(geometry)
    geometry[broken] = shapely.make_valid(geometry[broken])
    return geometry


def _notes(spec: AreasSpec, layer: gpd.GeoDataFrame, allotted: Allotted) -> list[SourceNote]:
    if spec.between_max_m == 0:
        return []
    total = float(layer["area_m2"].sum()) / M2_PER_MU
    said = f"{total:.2f} mu of land between parcels up to {spec.between_max_m:g} m wide is allotted to them"
    notes = [SourceNote.of("areas", said, list(layer["parcel_id"]), are_parcels=True, warning=False)]
    if allotted.unallotted_m2 > 0:
        rest = f"{allotted.unallotted_m2:.1f} m² between parcels goes to none: cut off by barriers, or tiny fragments"
        notes.append(SourceNote("areas", rest, warning=False))
    return notes
