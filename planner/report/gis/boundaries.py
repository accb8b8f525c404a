"""Coordinate TXT of the blocks 界址点坐标: in CGCS2000 zones of 3 degrees in China, else in the plan's own CRS."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import geopandas as gpd
import pyproj
import shapely

from geodata.boundary_txt import write_boundary_txt
from geodata.crs import WGS84, choose_metric_crs, crs_name, transform
from geodata.errors import CrsError
from geodata.map_sheets import map_sheets
from planner.codes import CODE_COLUMN

_MIDDLE: Final = range(4534, 4555)
"""EPSG codes of CGCS2000 / 3-degree zones without their number in the easting …"""
_PREFIXED: Final = 4513
"""… and of the first of those with it, which the land administration's software asks for."""
_SEPARATOR: Final = "/"


def write_boundaries(blocks: gpd.GeoDataFrame, path: Path, title: str, maker: str = "") -> tuple[str, bool]:
    """Write the boundary points of every block.

    Parameters
    ----------
    blocks : geopandas.GeoDataFrame
        Layer of blocks of a plan; a block is called by its permanent code where the layer has one, else by its id.
    path : pathlib.Path
        Replaced if it exists.
    title : str
        Name of the project.
    maker : str
        Who made the data (数据产生单位).

    Returns
    -------
    (str, bool)
        CRS of the coordinates, and whether it is one of CGCS2000.

    Raises
    ------
    DataError
        A block without an area, or an id that the format cannot hold.
    """
    placed, national = _placed(blocks)
    degrees = shapely.bounds(transform(placed, WGS84).geometry.to_numpy())
    named = placed.assign(
        code=placed[CODE_COLUMN if CODE_COLUMN in placed else "block_id"].astype(str),
        title=[f"{title} {i}" for i in placed["block_id"]],
        sheets=[_sheets(tuple(b)) if national else "" for b in degrees.tolist()],
    )
    write_boundary_txt(
        named, path, id_column="code", name_column="title", map_sheet_column="sheets", unit=maker, any_crs=True
    )
    return crs_name(placed.crs), national


def _sheets(bounds: tuple[float, float, float, float]) -> str:
    return _SEPARATOR.join(map_sheets(bounds))


def _placed(blocks: gpd.GeoDataFrame) -> tuple[gpd.GeoDataFrame, bool]:
    """Blocks in CGCS2000 with the zone's number in the easting, or as they are where it is not used."""
    code = _code(blocks.crs)
    if code in _MIDDLE or _PREFIXED <= code < _PREFIXED + len(_MIDDLE):
        wanted = code
    else:
        try:
            wanted = _code(choose_metric_crs(tuple(transform(blocks, WGS84).total_bounds)))
        except CrsError:
            wanted = 0
    if wanted in _MIDDLE:
        wanted += _PREFIXED - _MIDDLE.start
    if not _PREFIXED <= wanted < _PREFIXED + len(_MIDDLE):
        return blocks, False
    return transform(blocks, pyproj.CRS.from_epsg(wanted)), True


def _code(crs: pyproj.CRS) -> int:
    return crs.to_epsg() or 0
