"""Read vector files: any that GDAL reads, and GeoParquet; each read in full or refused with the reason."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Literal

import geopandas as gpd
import numpy as np
import pyproj

from geodata.crs import check_coordinates, crs_name, parse_crs, same_crs, to_metric
from geodata.errors import CrsError, DataError, Issue, list_ids
from geodata.sources import check_input_path, logged_warnings
from geodata.vector import VectorSource, open_layer

logger = logging.getLogger(__name__)


def read_vector(path: str | Path, *, layer: str | None = None, crs: str | None = None) -> gpd.GeoDataFrame:
    """Read one layer of a vector file.

    Parameters
    ----------
    path : str or pathlib.Path
        GeoJSON, TopoJSON, GeoPackage, Shapefile, FlatGeobuf, FileGDB folder, GeoParquet or whatever else GDAL reads;
        a ``.zip`` of one of them is read in place. No URL.
    layer : str, optional
        Needed where the file holds several.
    crs : str, optional
        CRS of the coordinates where the file does not say it. GeoJSON without a ``crs`` member says WGS 84
        (RFC 7946); TopoJSON says nothing.

    Returns
    -------
    geopandas.GeoDataFrame
        Attributes as stored (whole numbers and truth values in nullable dtypes), column ``geometry`` last, plane
        geometry; default index.

    Raises
    ------
    DataError
        If the file is missing, cannot be read in full, holds no geometry or no features, or if `layer` is needed
        or wrong.
    CrsError
        If there is no CRS, it contradicts the declared one, or the coordinates cannot be of it.
    """
    return read_source(path, layer=layer, crs=crs).gdf


def read_source(path: str | Path, *, layer: str | None = None, crs: str | None = None) -> VectorSource:
    """As `read_vector`, with what was noticed on the way."""
    path = check_input_path(path, "vector file")
    name = path.name if layer is None else f"{path.name}, layer {layer}"
    with logged_warnings(logger, name):
        source = open_layer(path, layer, name)
    gdf = source.gdf
    if gdf.empty:
        raise DataError(Issue(name, "no features", "at least one feature", "Check the layer."))
    if gdf.geometry.isna().all() or gdf.geometry.is_empty.all():
        raise DataError(Issue(name, "no geometry in any feature", "geometry", "Name a layer that has geometry."))
    gdf = gdf.set_crs(_settle_crs(gdf, crs, name), allow_override=True)
    if source.closed_rings:
        logger.warning("%s: %d features had a ring that is not closed; closed", name, len(source.closed_rings))
    return VectorSource(gdf, name, source.closed_rings)


def read_layer(
    path: str | Path,
    *,
    metric_crs: pyproj.CRS | str,
    what: Literal["zones", "barriers"],
    layer: str | None = None,
    crs: str | None = None,
) -> gpd.GeoDataFrame:
    """Read zones or barriers and bring them to the metric CRS.

    Parameters
    ----------
    path, layer, crs
        As for `read_vector`.
    metric_crs : pyproj.CRS or str
        The CRS that the parcels are measured in.
    what : {'zones', 'barriers'}
        Zones are polygons; barriers are lines or polygons.

    Returns
    -------
    geopandas.GeoDataFrame
        In `metric_crs`, plane geometry. Features without geometry are left out, and the log says which.

    Raises
    ------
    DataError
        As `read_vector`, and for geometry of another type.
    CrsError
        As `read_vector` and `geodata.crs.transform`.
    """
    source = read_source(path, layer=layer, crs=crs)
    gdf = source.gdf
    nothing = (gdf.geometry.isna() | gdf.geometry.is_empty).to_numpy()
    if nothing.any():
        rows = list_ids([str(i + 1) for i in np.flatnonzero(nothing)])
        logger.warning("%s: %s without geometry left out: row %s", source.name, what, rows)
        gdf = gdf[~nothing]
    allowed = {"Polygon", "MultiPolygon"} | ({"LineString", "MultiLineString"} if what == "barriers" else set())
    wrong = ~gdf.geom_type.isin(allowed).to_numpy()
    if wrong.any():
        rows = list_ids([str(i + 1) for i in gdf.index[wrong]])
        raise DataError(
            Issue(
                where=f"{source.name} ({what})",
                found=f"{', '.join(sorted(set(gdf.geom_type[wrong])))} in row {rows}",
                expected="polygons" if what == "zones" else "lines or polygons",
                fix="Remove these features, or name another layer.",
            )
        )
    return to_metric(gdf.reset_index(drop=True), metric_crs)


def _settle_crs(gdf: gpd.GeoDataFrame, declared: str | None, name: str) -> pyproj.CRS:
    """The CRS of the file, or the declared one where the file says none; checked against the coordinates."""
    wanted = parse_crs(declared, f"{name}, crs") if declared is not None else None
    own = gdf.crs
    if own is None and wanted is None:
        raise CrsError(
            Issue(
                where=name,
                found="no coordinate reference system",
                expected="one",
                fix="Find out which it is and declare it beside `path`: `crs: EPSG:4490`, say.",
            )
        )
    if own is not None and wanted is not None and not same_crs(own, wanted):
        raise CrsError(
            Issue(
                where=name,
                found=f"{crs_name(own)} in the file, {crs_name(wanted)} in the configuration",
                expected="one CRS",
                fix="Leave `crs` out if the file is right; else correct the CRS in the file (GeoJSON without a `crs` "
                "member is WGS 84 by RFC 7946).",
            )
        )
    settled = own if own is not None else wanted
    assert settled is not None
    check_coordinates(gdf, settled, name, declared=own is None)
    return settled
