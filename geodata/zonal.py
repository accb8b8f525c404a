"""Rasters turned into one value per parcel, in the raster's own CRS, each cell weighted by the part that is covered."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from exactextract import exact_extract
from exactextract.feature import Feature, FeatureSource

from geodata.attributes import as_float64
from geodata.contract import FloatArray, GeometryArray, geometry_array, require_parcels, require_polygons
from geodata.errors import DataError, Issue
from geodata.notes import SourceNote
from geodata.raster_cells import Band, Cells, opened_band
from geodata.spec_land import RasterSpec
from geodata.transformation import crs_name, transform

_OPERATIONS: Final = {"majority": "mode"}
"""Names of the library where they differ from ours."""
_CELLS_AT_ONCE: Final = 2_000_000
"""Cells in memory, whatever the size of the raster (some 100 MB with all that is made of them)."""


@dataclass(frozen=True)
class RasterResult:
    """What a raster says of the parcels.

    Attributes
    ----------
    fields : pandas.DataFrame
        Index and order of the parcels. ``<field>``: the statistic over the valid cells, each weighted by the part of it
        in the parcel (``Float64``; with `classes` the class's name as text); unknown where the coverage is too small.
        ``<field>_coverage``: share of the parcel with valid cells, 0 to 1, never unknown.
    notes : list of SourceNote
        CRS and grid; parcels with too little coverage; classes without a name; suspected nodata.
    """

    fields: pd.DataFrame
    notes: list[SourceNote]


def raster_field(parcels: gpd.GeoDataFrame, spec: RasterSpec) -> RasterResult:
    """One value per parcel from a raster.

    The parcels are brought into the CRS of the raster, whose cells stay as they are; what a parcel covers of each cell
    is exact. Slopes are those of Horn (1981) with the cells' size on the ground, see `geodata.slope`: percent or
    degrees in every cell first, then the statistic. Median and majority weigh by covered part, too; of classes that
    cover equally much the one with the larger number counts. `sum` adds values times covered part. Only cells near the
    land are read, piece by piece.

    Parameters
    ----------
    parcels : geopandas.GeoDataFrame
        Valid polygons in a metric CRS, index ``parcel_id``.
    spec : RasterSpec
        File, band, what to derive and how.

    Returns
    -------
    RasterResult

    Raises
    ------
    DataError, CrsError
        A raster that is unreadable, has no such band or no CRS, is turned, or lies elsewhere than the land; heights
        without a unit, or that no land has (an undeclared nodata value).
    """
    require_parcels(parcels)
    require_polygons(parcels)
    with opened_band(spec) as band:
        shapes = geometry_array(transform(parcels[[parcels.geometry.name]], band.crs))
        cells = Cells(band, spec.derive, _window_of(shapes, band))
        value, covered = _extract(shapes, cells, spec.statistic)
        _refuse_impossible_heights(cells)
        coverage = np.clip(covered * band.step_x * band.step_y / shapely.area(shapes), 0.0, 1.0)
        value[(coverage < spec.min_coverage) | (covered <= 0)] = np.nan
        notes = [_read_as(band), *_undeclared_nodata(cells)]
        source = f"{band.source} → {spec.field}"
    fields = pd.DataFrame(
        {spec.field: as_float64(value, parcels.index), f"{spec.field}_coverage": as_float64(coverage, parcels.index)},
        index=parcels.index,
    )
    notes += _too_little(parcels.index[np.isnan(value)], spec, source)
    if spec.classes:
        fields[spec.field], unnamed = _class_names(value, spec, parcels.index, source)
        notes += unnamed
    return RasterResult(fields, notes)


def _window_of(shapes: GeometryArray, band: Band) -> tuple[int, int, int, int]:
    """Columns and rows (from the north) that the land reaches."""
    west, south, east, north = shapely.total_bounds(shapes)
    left = max(math.floor((west - band.left) / band.step_x), 0)
    right = min(math.ceil((east - band.left) / band.step_x), band.data.width)
    top = max(math.floor((band.top - north) / band.step_y), 0)
    bottom = min(math.ceil((band.top - south) / band.step_y), band.data.height)
    if left >= right or top >= bottom:
        b = band.data.bounds
        x0, y0, x1, y1 = min(b.left, b.right), min(b.bottom, b.top), max(b.left, b.right), max(b.bottom, b.top)
        raise DataError(
            Issue(
                band.source,
                f"cells in x {x0:.6g} to {x1:.6g}, y {y0:.6g} to {y1:.6g} of {crs_name(band.crs)}, none on the land, "
                f"which lies in x {west:.6g} to {east:.6g}, y {south:.6g} to {north:.6g}",
                "a raster that covers the land",
                "Check the path; if the place is wrong, check the CRS of the raster and of the parcels.",
            )
        )
    return left, top, right - left, bottom - top


class _Shape(Feature):  # type: ignore[misc]  # the library is untyped
    """One polygon and its position."""

    def __init__(self, position: int, wkb: bytes) -> None:
        super().__init__()
        self.position, self.wkb = position, wkb

    def geometry(self) -> bytes:
        return self.wkb

    def fields(self) -> list[str]:
        return ["position"]

    def get(self, name: str) -> int:
        return self.position


class _Shapes(FeatureSource):  # type: ignore[misc]
    """Polygons without a CRS: they are in that of the raster."""

    def __init__(self, shapes: GeometryArray) -> None:
        super().__init__()
        self.wkb = shapely.to_wkb(shapes)

    def __iter__(self) -> Iterator[_Shape]:
        return (_Shape(k, wkb) for k, wkb in enumerate(self.wkb))

    def count(self) -> int:
        return len(self.wkb)

    def srs_wkt(self) -> None:
        return None


def _extract(shapes: GeometryArray, cells: Cells, statistic: str) -> tuple[FloatArray, FloatArray]:
    """Statistic and number of cells covered, by position."""
    table = exact_extract(
        cells,
        _Shapes(shapes),
        [f"value={_OPERATIONS.get(statistic, statistic)}", "covered=count"],
        include_cols=["position"],
        strategy="raster-sequential",
        max_cells_in_memory=_CELLS_AT_ONCE,
        output="pandas",
    )
    table = table.set_index("position").reindex(range(len(shapes)))
    value = table["value"].to_numpy(dtype=np.float64, na_value=np.nan).copy()
    return value, table["covered"].to_numpy(dtype=np.float64)


def _refuse_impossible_heights(cells: Cells) -> None:
    if cells.derive != "value" and cells.suspect:
        raise DataError(
            Issue(
                cells.band.source,
                f"heights of {', '.join(f'{h:g}' for h in sorted(cells.suspect)[:5])} m near the land",
                "heights between -500 and 9000 m",
                "Such cells stand for 'no data': declare their value in the file (gdal_edit -a_nodata), or correct "
                "`band` or `elevation_unit`.",
            )
        )


def _read_as(band: Band) -> SourceNote:
    scaled = f", value = {band.scale:g} · stored + {band.offset:g}" if (band.scale, band.offset) != (1.0, 0.0) else ""
    nodata = "" if band.says_nodata else "; it declares no nodata: every cell counts"
    what = f"cells of {band.step_x:.6g} by {band.step_y:.6g} in {crs_name(band.crs)}{scaled}{nodata}"
    return SourceNote(band.source, what, warning=False)


def _undeclared_nodata(cells: Cells) -> Iterator[SourceNote]:
    if cells.suspect:
        what = (
            "holds values that are usually marks of 'no data', but declares none: they count as values. If they are "
            "marks, declare them in the file (gdal_edit -a_nodata)"
        )
        yield SourceNote.of(cells.band.source, what, [f"{value:g}" for value in sorted(cells.suspect)])


def _too_little(parcels: pd.Index, spec: RasterSpec, source: str) -> Iterator[SourceNote]:
    if len(parcels):
        what = f"valid cells cover less than {spec.min_coverage:.0%} of the parcel, or none of it: value unknown"
        yield SourceNote.of(source, what, list(parcels), are_parcels=True)


def _class_names(
    value: FloatArray, spec: RasterSpec, index: pd.Index, source: str
) -> tuple[pd.Series, list[SourceNote]]:
    """Names of classes as text; a class without a name keeps its number."""
    known = ~np.isnan(value)
    numbers = np.unique(value[known])
    names = {float(number): spec.classes.get(int(number), f"{number:g}") for number in numbers}
    text = pd.Series(pd.Series(value, index=index).map(names), index=index, dtype="string")
    unnamed = [number for number in numbers if number not in spec.classes]
    if not unnamed:
        return text, []
    what = "class numbers without a name in `classes`: the number stands for it"
    notes = [SourceNote.of(source, what, [f"{number:g}" for number in unnamed])]
    parcels = list(index[np.isin(value, unnamed)])
    notes.append(SourceNote.of(source, "parcels of a class without a name", parcels, are_parcels=True))
    return text, notes
