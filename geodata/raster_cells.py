"""One band of a raster, opened and checked, and its cells window by window: no raster is read whole."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pyproj
import rasterio
from exactextract.raster import RasterSource
from pyproj.exceptions import CRSError as ProjCrsError
from rasterio.enums import MaskFlags
from rasterio.errors import NotGeoreferencedWarning, RasterioError
from rasterio.windows import Window

from geodata.contract import FloatArray
from geodata.errors import DataError, Issue
from geodata.slope import METRES_PER, ground_steps_m, horn_slope
from geodata.sources import check_input_path
from geodata.spec_land import RasterSpec
from geodata.transformation import crs_name, horizontal

_UNITS: Final = {
    "m": {"m", "metre", "metres", "meter", "meters", "米"},
    "ft": {"ft", "foot", "feet", "us survey foot", "us-ft", "ftus", "international foot", "英尺"},
}
_UNIT_OF: Final = {spelling: unit for unit, spellings in _UNITS.items() for spelling in spellings}
_NODATA_MARKS: Final = (-32768.0, -32767.0, -9999.0, -99999.0)
_LEAST: Final = -1e30  # what floats hold for nodata: −3.4e38, −1e38, −1e32
_HEIGHTS_M: Final = (-500.0, 9000.0)  # the Dead Sea's shore and Everest: all land lies between


@dataclass(frozen=True)
class Band:
    """One band of an open raster whose rows and columns run along x and y.

    Attributes
    ----------
    data : rasterio.DatasetReader
        Open.
    number : int
        From 1.
    crs : pyproj.CRS
        Without heights.
    left, top : float
        Corner of the grid in the CRS.
    step_x, step_y : float
        Size of a cell in the CRS, positive.
    south_up : bool
        The first row of the file is the southernmost.
    scale, offset : float
        What the file says: value = scale · stored + offset.
    says_nodata : bool
        Whether the file says which cells are no data (a value, a mask or an alpha band).
    height_m : float or None
        Size of the unit of height, m; None where no slope is asked for.
    source : str
        File and band, for messages.
    """

    data: Any
    number: int
    crs: pyproj.CRS
    left: float
    top: float
    step_x: float
    step_y: float
    south_up: bool
    scale: float
    offset: float
    says_nodata: bool
    height_m: float | None
    source: str


@contextmanager
def opened_band(spec: RasterSpec) -> Iterator[Band]:
    """Open the band that a specification names.

    Raises
    ------
    DataError
        A file that is missing, unreadable or no raster; no such band; no CRS or one without a place on the globe; rows
        that do not run along x; an elevation model whose unit is not known.
    """
    path = check_input_path(spec.path, f"raster {spec.field}")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", NotGeoreferencedWarning)  # refused below, in words
            data = rasterio.open(path)
    except (RasterioError, OSError, ValueError) as error:
        raise DataError(
            Issue(path.name, f"a file that cannot be read ({error})", "a raster, such as GeoTIFF", "Check the file.")
        ) from error
    with data:
        yield _checked(data, spec, path.name)


def _checked(data: Any, spec: RasterSpec, name: str) -> Band:
    issues = [*_band_faults(data, spec, name), *_grid_faults(data, name)]
    crs = _crs(data, name, issues)
    if issues:
        raise DataError(issues)
    k = spec.band - 1
    flip = data.transform.e > 0
    unit = _height_unit(data, spec, name) if spec.derive != "value" else None
    return Band(
        data=data,
        number=spec.band,
        crs=horizontal(crs),
        left=data.transform.c,
        top=data.transform.f + (data.transform.e * data.height if flip else 0.0),
        step_x=data.transform.a,
        step_y=abs(data.transform.e),
        south_up=flip,
        scale=float(data.scales[k]),
        offset=float(data.offsets[k]),
        says_nodata=MaskFlags.all_valid not in data.mask_flag_enums[k],
        height_m=None if unit is None else METRES_PER[unit],
        source=f"{name}, band {spec.band}",
    )


def _band_faults(data: Any, spec: RasterSpec, name: str) -> Iterator[Issue]:
    if spec.band > data.count:
        yield Issue(name, f"no band {spec.band}", f"one of {data.count} bands, counted from 1", "Correct `band`.")
    elif np.dtype(data.dtypes[spec.band - 1]).kind == "c":
        yield Issue(f"{name}, band {spec.band}", "complex numbers", "a band of plain numbers", "Choose another band.")


def _grid_faults(data: Any, name: str) -> Iterator[Issue]:
    grid = data.transform
    if grid.is_identity:
        yield Issue(
            name,
            "no georeference (cells are only counted)",
            "the place and size of its cells",
            "Keep the world file or the .aux.xml beside it, or georeference it (gdal_translate -a_ullr).",
        )
    elif grid.b or grid.d or grid.a <= 0 or not grid.e:
        yield Issue(
            name,
            f"a grid that is turned or mirrored ({grid.a:g}, {grid.b:g}, {grid.d:g}, {grid.e:g})",
            "columns that run east and rows that run along y",
            "Straighten it first: gdalwarp writes an upright grid.",
        )


def _crs(data: Any, name: str, issues: list[Issue]) -> pyproj.CRS:
    fix = "Say it with gdal_edit -a_srs EPSG:..., or keep the .prj beside the file."
    if data.crs is None or not data.crs.to_wkt():
        issues.append(Issue(f"{name}, CRS", "none", "a coordinate reference system", fix))
        return pyproj.CRS.from_epsg(4326)
    try:
        crs = pyproj.CRS.from_wkt(data.crs.to_wkt())
    except ProjCrsError as error:
        issues.append(Issue(f"{name}, CRS", f"one that is not understood ({error})", "a known one", fix))
        return pyproj.CRS.from_epsg(4326)
    flat = horizontal(crs)
    if not (flat.is_geographic or flat.is_projected):
        issues.append(Issue(f"{name}, CRS", crs_name(flat), "a geographic or projected one", fix))
    return crs


def _height_unit(data: Any, spec: RasterSpec, name: str) -> str:
    said = data.units[spec.band - 1] or _vertical_unit(pyproj.CRS.from_wkt(data.crs.to_wkt()))
    own = _UNIT_OF.get(said.strip().lower()) if said else None
    if own is not None and spec.elevation_unit not in {None, own}:
        raise DataError(
            Issue(
                f"{name}, unit of heights",
                f"{said} in the file, {spec.elevation_unit} in `elevation_unit`",
                "one unit",
                "Leave `elevation_unit` out, or correct the unit in the file (gdal_edit -units).",
            )
        )
    unit = spec.elevation_unit or own
    if unit is None:
        raise DataError(
            Issue(
                f"{name}, unit of heights",
                f"{said!r}" if said else "nothing in the file",
                "m or ft",
                "Say it: `elevation_unit: m`.",
            )
        )
    return unit


def _vertical_unit(crs: pyproj.CRS) -> str | None:
    """Unit of the heights' part of a compound CRS."""
    parts = [part for part in crs.sub_crs_list if part.is_vertical]
    return parts[0].axis_info[0].unit_name if parts and parts[0].axis_info else None


class Cells(RasterSource):  # type: ignore[misc]  # the library is untyped
    """Cells of a band within a window, as values or as slopes, NaN where unknown; read piece by piece.

    Parameters
    ----------
    band : Band
        Open.
    derive : {'value', 'slope_percent', 'slope_degrees'}
        What a cell gives.
    window : (int, int, int, int)
        First column, first row (from the north), columns, rows.

    Attributes
    ----------
    suspect : set of float
        Values met that look like marks of nodata though the file says of none, or heights that no land has.
    """

    def __init__(self, band: Band, derive: str, window: tuple[int, int, int, int]) -> None:
        super().__init__()
        self.band, self.derive, self.window = band, derive, window
        self.suspect: set[float] = set()
        if derive != "value":
            column, row, width, height = window
            middle = band.left + (column + width / 2) * band.step_x
            rows = band.top - (row + np.arange(height, dtype=np.float64) + 0.5) * band.step_y
            self._east_m, self._south_m = ground_steps_m(band.crs, middle, rows, band.step_x, band.step_y)

    def res(self) -> tuple[float, float]:
        """Size of a cell."""
        return self.band.step_x, self.band.step_y

    def extent(self) -> tuple[float, float, float, float]:
        """West, south, east, north of the window."""
        column, row, width, height = self.window
        left = self.band.left + column * self.band.step_x
        top = self.band.top - row * self.band.step_y
        return left, top - height * self.band.step_y, left + width * self.band.step_x, top

    def srs_wkt(self) -> None:
        """None: whoever asks brings the polygons into the CRS of the band first."""

    def nodata_value(self) -> None:
        """None: unknown cells are NaN."""

    def read_window(self, x0: int, y0: int, nx: int, ny: int) -> FloatArray:
        """Cells of a part of the window, ``float64[ny, nx]``."""
        if nx == 0 or ny == 0:
            return np.empty((ny, nx))
        column, row = self.window[0] + x0, self.window[1] + y0
        if self.derive == "value":
            return self._read(column, row, nx, ny)
        heights = self._read(column - 1, row - 1, nx + 2, ny + 2) * (self.band.height_m or np.nan)
        low, high = _HEIGHTS_M
        self.suspect.update(np.unique(heights[(heights < low) | (heights > high)])[:5].tolist())
        rise = horn_slope(heights, self._east_m[y0 : y0 + ny], self._south_m[y0 : y0 + ny])
        return rise * 100 if self.derive == "slope_percent" else np.degrees(np.arctan(rise))

    def _read(self, column: int, row: int, width: int, height: int) -> FloatArray:
        """Cells by column and row from the north-west, NaN where unknown or beyond the raster."""
        band, data = self.band, self.band.data
        left, right = max(column, 0), min(column + width, data.width)
        top, bottom = max(row, 0), min(row + height, data.height)
        out = np.full((height, width), np.nan)
        if left >= right or top >= bottom:
            return out
        first = data.height - bottom if band.south_up else top
        try:
            read = data.read(band.number, window=Window(left, first, right - left, bottom - top), masked=True)
        except RasterioError as error:
            found = f"cells that cannot be read ({error})"
            raise DataError(
                Issue(band.source, found, "a whole raster", "The file is damaged: get it again.")
            ) from error
        stored = read.filled(0).astype(np.float64) if read.dtype.kind != "f" else read.filled(np.nan).astype(np.float64)
        stored[np.ma.getmaskarray(read) | ~np.isfinite(stored)] = np.nan
        if not band.says_nodata and self.derive == "value":
            marks = np.unique(stored[np.isin(stored, _NODATA_MARKS) | (stored < _LEAST)])
            self.suspect.update(marks[:5].tolist())
        values = stored * band.scale + band.offset
        out[top - row : bottom - row, left - column : right - column] = values[::-1] if band.south_up else values
        return out
