"""Pictures under the plan: tiles of a web map where the configuration asks for them, or a local raster; none else.

With tiles the page may ask the named hosts for pictures, and nobody for anything else; the plan never leaves it. Tiles
of Gaode are in GCJ-02: the plan is shifted for display, and the page gets what leads back to true coordinates.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyproj
import rasterio
from rasterio.enums import ColorInterp, Resampling
from rasterio.errors import RasterioError
from rasterio.io import MemoryFile
from rasterio.transform import Affine
from rasterio.vrt import WarpedVRT
from rasterio.windows import from_bounds

from geodata.errors import DataError, Issue
from geodata.web_maps import unshift
from planner.spec_report import BaseMapSpec

MOST_PIXELS: Final = 6_000_000
"""Size of a raster in the page at most; a larger one is put in coarser."""
MARGIN: Final = 0.25
"""Of a raster round the plan, as a share of the plan's width and height."""
GRID: Final = 25
"""Points a side of the grid that leads from shifted coordinates to true ones: good to centimetres between them."""
_GRID_MARGIN: Final = 1.0
_WEB_MERCATOR: Final = "EPSG:3857"
_STRETCH: Final = (2, 98)
_JPEG_QUALITY: Final = 80

Bounds = list[list[float]]


@dataclass(frozen=True)
class Tiles:
    """Tiles of one web map.

    Attributes
    ----------
    urls : tuple of str
        Addresses of the layers from bottom to top, with ``{s}``, ``{x}``, ``{y}``, ``{z}``; with a key, ``{key}``.
    subdomains : str
        What ``{s}`` stands for; empty without it.
    attribution : str
        What the provider wants to have said, as plain text.
    max_zoom : int
        Closest zoom that there are tiles of.
    shifted : bool
        Whether the tiles are in GCJ-02.
    """

    urls: tuple[str, ...]
    subdomains: str
    attribution: str
    max_zoom: int
    shifted: bool = False

    def hosts(self) -> tuple[str, ...]:
        """Scheme and host of every address."""
        bases = dict.fromkeys(url.split("/", 3)[2] for url in self.urls)
        letters = self.subdomains or ("",)
        return tuple(f"https://{base.replace('{s}', letter)}" for base in bases for letter in letters)


def _tianditu(layer: str) -> str:
    return (
        f"https://t{{s}}.tianditu.gov.cn/{layer}_w/wmts?SERVICE=WMTS&REQUEST=GetTile&VERSION=1.0.0&LAYER={layer}"
        "&STYLE=default&TILEMATRIXSET=w&FORMAT=tiles&TILEMATRIX={z}&TILEROW={y}&TILECOL={x}&tk={key}"
    )


_TIANDITU_SAYS: Final = "© 天地图 (Tianditu)"
_GAODE_SAYS: Final = "© 高德地图 (Gaode)"
_GAODE: Final = ".is.autonavi.com/appmaptile?lang=zh_cn&size=1&scale=1&style="

TILES: Final = {
    ("tianditu", False): Tiles((_tianditu("vec"), _tianditu("cva")), "01234567", _TIANDITU_SAYS, 18),
    ("tianditu", True): Tiles((_tianditu("img"), _tianditu("cia")), "01234567", _TIANDITU_SAYS, 18),
    ("gaode", False): Tiles((f"https://webrd0{{s}}{_GAODE}8&x={{x}}&y={{y}}&z={{z}}",), "1234", _GAODE_SAYS, 18, True),
    ("gaode", True): Tiles(
        tuple(f"https://webst0{{s}}{_GAODE}{style}&x={{x}}&y={{y}}&z={{z}}" for style in (6, 8)),
        "1234",
        _GAODE_SAYS,
        18,
        True,
    ),
    ("osm", False): Tiles(
        ("https://tile.openstreetmap.org/{z}/{x}/{y}.png",), "", "© OpenStreetMap contributors (ODbL)", 19
    ),
}
"""Web maps by kind and whether imagery is asked for."""


def tiles_of(spec: BaseMapSpec | None) -> Tiles | None:
    """The web map that the page asks for pictures, if any."""
    return None if spec is None else TILES.get((spec.kind, spec.imagery))


def is_shifted(spec: BaseMapSpec | None) -> bool:
    """Whether the plan is drawn in GCJ-02."""
    tiles = tiles_of(spec)
    return tiles is not None and tiles.shifted


def tile_hosts(spec: BaseMapSpec | None) -> tuple[str, ...]:
    """Hosts that the page may ask for pictures: empty but with tiles."""
    tiles = tiles_of(spec)
    return () if tiles is None else tiles.hosts()


def base_map_data(spec: BaseMapSpec | None, bounds: Bounds) -> dict[str, Any] | None:
    """The base map for the page.

    Parameters
    ----------
    spec : BaseMapSpec or None
    bounds : list
        [[south, west], [north, east]] of the plan as it is drawn, degrees.

    Returns
    -------
    dict or None
        With tiles ``urls``, ``subdomains``, ``max_zoom``, ``attribution``, ``shifted`` and, where shifted, ``true``:
        a grid of what to add to drawn degrees. With a raster ``image`` (a data URI) and ``bounds``. None without one.

    Raises
    ------
    DataError
        The raster cannot be read, has no CRS, or does not reach the plan.
    """
    if spec is None:
        return None
    tiles = tiles_of(spec)
    if tiles is None:
        assert spec.path is not None
        return _raster(spec.path, bounds)
    return {
        "urls": [url.replace("{key}", spec.key or "") for url in tiles.urls],
        "subdomains": tiles.subdomains,
        "max_zoom": tiles.max_zoom,
        "attribution": tiles.attribution,
        "shifted": tiles.shifted,
        "true": _way_back(bounds) if tiles.shifted else None,
    }


def _way_back(bounds: Bounds) -> dict[str, Any]:
    """Grid of offsets from GCJ-02 to WGS 84 round the plan, in units of 1e-8 degrees, row by row from the south."""
    (south, west), (north, east) = bounds
    tall, wide = (north - south) * _GRID_MARGIN, (east - west) * _GRID_MARGIN
    lats = np.linspace(south - tall, north + tall, GRID)
    lngs = np.linspace(west - wide, east + wide, GRID)
    lng, lat = (axis.ravel() for axis in np.meshgrid(lngs, lats))
    true_lng, true_lat = unshift(lng, lat, "GCJ-02")
    return {
        "bounds": [[float(lats[0]), float(lngs[0])], [float(lats[-1]), float(lngs[-1])]],
        "side": GRID,
        "lat": np.rint((true_lat - lat) * 1e8).astype(int).tolist(),
        "lng": np.rint((true_lng - lng) * 1e8).astype(int).tolist(),
    }


def _raster(path: Path, bounds: Bounds) -> dict[str, Any]:
    where = f"{path} (report.base_map.path)"
    try:
        with rasterio.open(path) as source:
            if source.crs is None:
                fix = "Assign the CRS, e.g. with gdal_edit.py -a_srs EPSG:4547."
                raise DataError(Issue(where, "a raster without a CRS", "a georeferenced raster", fix))
            with WarpedVRT(source, crs=_WEB_MERCATOR, resampling=Resampling.bilinear, add_alpha=True) as warped:
                return _window(warped, _mercator(bounds), where)
    except RasterioError as error:
        fix = "Name a raster that GDAL can read, such as a GeoTIFF."
        raise DataError(Issue(where, f"a file that cannot be read ({error})", "a raster", fix)) from error


def _mercator(bounds: Bounds) -> tuple[float, float, float, float]:
    """Left, bottom, right, top of the plan with its margin, metres of the web maps."""
    (south, west), (north, east) = bounds
    to_metres = pyproj.Transformer.from_crs("EPSG:4326", _WEB_MERCATOR, always_xy=True)
    left, bottom = to_metres.transform(west, south)
    right, top = to_metres.transform(east, north)
    x, y = MARGIN * (right - left), MARGIN * (top - bottom)
    return left - x, bottom - y, right + x, top + y


def _window(warped: WarpedVRT, wanted: tuple[float, float, float, float], where: str) -> dict[str, Any]:
    own = warped.bounds
    box = (*map(max, wanted[:2], own[:2]), *map(min, wanted[2:], own[2:]))
    if box[0] >= box[2] or box[1] >= box[3]:
        fix = "Name a raster of the place, or check its CRS."
        raise DataError(Issue(where, "a raster that does not reach the plan", "one round the plan", fix))
    window = from_bounds(*box, transform=warped.transform)
    finer = max(1.0, np.sqrt(window.width * window.height / MOST_PIXELS))
    shape = (max(1, round(window.height / finer)), max(1, round(window.width / finer)))
    bands, alpha = _picture(warped, window, shape)
    to_degrees = pyproj.Transformer.from_crs(_WEB_MERCATOR, "EPSG:4326", always_xy=True)
    west, south = to_degrees.transform(box[0], box[1])
    east, north = to_degrees.transform(box[2], box[3])
    place = Affine((box[2] - box[0]) / shape[1], 0, box[0], 0, (box[1] - box[3]) / shape[0], box[3])
    return {"image": _data_uri(bands, alpha, place), "bounds": [[south, west], [north, east]], "shifted": False}


def _picture(
    warped: WarpedVRT, window: Any, shape: tuple[int, int]
) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.uint8]]:
    """Red, green and blue, and alpha: of colour bands, of a colour table, or of one band as grey."""
    kinds = warped.colorinterp
    alpha_band = next((i for i, kind in enumerate(kinds, 1) if kind == ColorInterp.alpha), None)
    colours = [i for i, kind in enumerate(kinds, 1) if kind != ColorInterp.alpha][:3]
    by_table = kinds[0] == ColorInterp.palette
    chosen = colours if len(colours) == 3 else colours[:1]
    read = Resampling.nearest if by_table else Resampling.average
    values = warped.read(chosen, window=window, out_shape=(len(chosen), *shape), resampling=read)
    alpha = np.full(shape, 255, dtype=np.uint8)
    if alpha_band is not None:
        alpha = (warped.read(alpha_band, window=window, out_shape=shape, resampling=Resampling.nearest) > 0) * np.uint8(
            255
        )
    if by_table:
        table = np.zeros((256, 3), dtype=np.uint8)
        for value, colour in warped.colormap(1).items():
            table[value] = colour[:3]
        return np.moveaxis(table[values[0]], -1, 0), alpha
    if values.dtype != np.uint8:
        values = np.stack([_stretched(band, alpha > 0) for band in values])
    return np.broadcast_to(values, (3, *shape)).astype(np.uint8), alpha


def _stretched(band: npt.NDArray[Any], known: npt.NDArray[np.bool_]) -> npt.NDArray[np.uint8]:
    """Numbers of more than eight bits as shades: the middle nineteen twentieths over the whole range."""
    inside = band[known & np.isfinite(band)]
    low, high = np.percentile(inside, _STRETCH) if inside.size else (0.0, 1.0)
    shades = (np.nan_to_num(band.astype(float), nan=low) - low) / max(high - low, 1e-12)
    return np.asarray(np.clip(255 * shades, 0, 255), dtype=np.uint8)


def _data_uri(bands: npt.NDArray[np.uint8], alpha: npt.NDArray[np.uint8], place: Affine) -> str:
    """JPEG, or PNG where parts of the picture are transparent."""
    opaque = bool((alpha == 255).all())
    layers = bands if opaque else np.concatenate([bands, alpha[None]])
    driver, kind = ("JPEG", "jpeg") if opaque else ("PNG", "png")
    options = {"quality": _JPEG_QUALITY} if opaque else {"zlevel": 9}
    count, height, width = layers.shape
    profile = {"driver": driver, "count": count, "height": height, "width": width, "dtype": "uint8"}
    with MemoryFile() as file:
        with file.open(**profile, **options, transform=place) as target:
            target.write(layers)
        return f"data:image/{kind};base64,{base64.b64encode(file.read()).decode('ascii')}"
