"""Read vector sources as declared (files, drawings, databases), each in full or refused with the reason."""

from __future__ import annotations

import logging
from dataclasses import replace
from pathlib import Path
from typing import Final, Literal

import geopandas as gpd
import numpy as np
import pyproj
import shapely

from geodata.crs import to_metric
from geodata.errors import DataError, Issue, list_ids
from geodata.place import place
from geodata.sources import check_input_path, logged_warnings
from geodata.spec_source import DatabaseSpec, SourceSpec
from geodata.vector import FeatureNote, VectorSource, open_layer

logger = logging.getLogger(__name__)

Shapes = Literal["polygons", "lines or polygons", "points", "any"]
_POLYGONS: Final = frozenset({"Polygon", "MultiPolygon"})
_KINDS: Final[dict[Shapes, frozenset[str]]] = {
    "polygons": _POLYGONS,
    "lines or polygons": _POLYGONS | {"LineString", "MultiLineString"},
    "points": frozenset({"Point"}),
    "any": _POLYGONS | {"LineString", "MultiLineString", "Point", "MultiPoint"},
}


def read_declared(spec: SourceSpec, what: str) -> VectorSource:
    """Read a source as its user declared it.

    Parameters
    ----------
    spec : SourceSpec
        With a `path` or a `database`. Of a path: GeoJSON, TopoJSON, GeoPackage, Shapefile, FlatGeobuf, FileGDB folder,
        MapInfo table, GeoParquet, DXF (with `cad`), coordinate TXT or whatever else GDAL reads; a ``.zip`` of one is
        read in place. No URL.
    what : str
        What it is for, e.g. ``'parcels'``; for messages.

    Returns
    -------
    VectorSource
        In a known CRS, x before y, with notes of everything done or noticed. Features without geometry are in it.

    Raises
    ------
    DataError
        If it is missing, cannot be read in full, holds no geometry or no features; if a key of `spec` is needed or
        wrong.
    CrsError
        If there is no CRS, it contradicts the declared one, or the coordinates cannot be of it.
    """
    source = _stored(spec, what)
    gdf = source.gdf
    if gdf.empty:
        raise DataError(Issue(source.name, "no features", "at least one feature", "Check the layer."))
    nothing = (gdf.geometry.isna() | gdf.geometry.is_empty).to_numpy()
    if nothing.all():
        raise DataError(Issue(source.name, "no geometry in any feature", "geometry", "Name a layer that has geometry."))
    placed, notes = place(gdf, spec, source.name)
    about = source.feature_notes
    if nothing.any():
        about = (*about, FeatureNote("no geometry", tuple(int(i) for i in np.flatnonzero(nothing))))
    read = replace(source, gdf=placed, source_notes=(*source.source_notes, *notes), feature_notes=about)
    for note in read.notes:
        logger.log(
            logging.WARNING if note.warning else logging.INFO,
            "%s: %s%s",
            note.source,
            note.what,
            f" ({note.count}): {list_ids(note.items)}" if note.items else "",
        )
    return read


def read_vector(path: str | Path, *, layer: str | None = None, crs: str | None = None) -> gpd.GeoDataFrame:
    """Read one layer of a vector file.

    Parameters
    ----------
    path : str or pathlib.Path
        As `SourceSpec.path`.
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
    DataError, CrsError
        As `read_declared`.
    """
    return read_source(path, layer=layer, crs=crs).gdf


def read_source(path: str | Path, *, layer: str | None = None, crs: str | None = None) -> VectorSource:
    """As `read_vector`, with what was noticed on the way."""
    path = check_input_path(path, "vector file")
    return read_declared(SourceSpec(path=path, layer=layer, crs=crs), "vector file")


def read_layer(
    path: str | Path,
    *,
    metric_crs: pyproj.CRS | str,
    what: Literal["zones", "barriers"],
    layer: str | None = None,
    crs: str | None = None,
) -> gpd.GeoDataFrame:
    """Read zones (polygons) or barriers (lines or polygons) of a file and bring them to the metric CRS.

    Parameters
    ----------
    path, layer, crs
        As for `read_vector`.
    metric_crs, what
        As for `read_declared_layer`.

    Returns
    -------
    geopandas.GeoDataFrame
        In `metric_crs`, plane geometry. Features without geometry are left out, and the log says which.

    Raises
    ------
    DataError, CrsError
        As `read_declared_layer`.
    """
    path = check_input_path(path, what)
    shapes: Shapes = "polygons" if what == "zones" else "lines or polygons"
    return read_declared_layer(SourceSpec(path=path, layer=layer, crs=crs), metric_crs, what, shapes).gdf


def read_declared_layer(
    spec: SourceSpec, metric_crs: pyproj.CRS | str, what: str, shapes: Shapes = "polygons"
) -> VectorSource:
    """Read a layer beside the parcels (zones, barriers, overlays …) and bring it to the metric CRS.

    Parameters
    ----------
    spec : SourceSpec
        As for `read_declared`.
    metric_crs : pyproj.CRS or str
        The CRS that the parcels are measured in.
    what : str
        What it is, in the plural: ``'zones'``; for messages.
    shapes : {'polygons', 'lines or polygons', 'points', 'any'}
        What its features must be; multiple ones too, but for points (multipoints of one point count as points).

    Returns
    -------
    VectorSource
        In `metric_crs`, plane geometry, default index. Features without geometry are left out; its notes name them, and
        all others, by their row in the source.

    Raises
    ------
    DataError
        As `read_declared`, and for geometry of another type.
    CrsError
        As `read_declared` and `geodata.crs.transform`.
    """
    source = read_declared(spec, what)
    gdf = source.gdf
    nothing = (gdf.geometry.isna() | gdf.geometry.is_empty).to_numpy()
    if nothing.any():
        rows = list_ids([str(i + 1) for i in np.flatnonzero(nothing)])
        logger.warning("%s: %s without geometry left out: row %s", source.name, what, rows)
        gdf = gdf[~nothing]
    if shapes == "points":
        gdf = gdf.set_geometry(_single_points(gdf.geometry))
    wrong = ~gdf.geom_type.isin(_KINDS[shapes]).to_numpy()
    if wrong.any():
        rows = list_ids([str(i + 1) for i in gdf.index[wrong]])
        raise DataError(
            Issue(
                where=f"{source.name} ({what})",
                found=f"{', '.join(sorted(set(gdf.geom_type[wrong])))} in row {rows}",
                expected="points, lines or polygons" if shapes == "any" else shapes,
                fix="Remove these features, or name another layer.",
            )
        )
    # The rows that its feature notes count are those of the source, so they are put into words before any is left out.
    return VectorSource(to_metric(gdf.reset_index(drop=True), metric_crs), source.name, source_notes=source.notes)


def _single_points(geometry: gpd.GeoSeries) -> gpd.GeoSeries:
    """Multipoints of one point as that point: many formats know only one kind for a layer."""
    one = (geometry.geom_type == "MultiPoint") & (shapely.get_num_geometries(geometry.to_numpy()) == 1)
    return geometry.where(
        ~one, gpd.GeoSeries(shapely.get_geometry(geometry.to_numpy(), 0), geometry.index, geometry.crs)
    )


def _stored(spec: SourceSpec, what: str) -> VectorSource:
    """The source before its place is settled."""
    if spec.database is not None:
        return _from_database(spec, spec.database)
    if spec.path is None:
        raise ValueError(f"{what}: neither a path nor a database")
    path = check_input_path(spec.path, what)
    name = path.name if spec.layer is None else f"{path.name}, layer {spec.layer}"
    with logged_warnings(logger, name):
        if path.suffix.lower() == ".txt":
            return _from_text(path, spec, name)
        return open_layer(path, spec.layer, name, encoding=spec.encoding, cad_layers=spec.cad)


def _from_database(spec: SourceSpec, database: DatabaseSpec) -> VectorSource:
    from geodata.postgis import read_postgis  # noqa: PLC0415 - needs packages that are not always installed

    name = f"{database.database}, {database.table or 'query'}"
    wrong = [key for key in ("layer", "encoding", "cad") if getattr(spec, key) is not None]
    if wrong:
        raise DataError(
            Issue(name, f"`{wrong[0]}` is given", "a file", f"A database has none: leave `{wrong[0]}` out.")
        )
    declared = spec.crs is not None or spec.similarity is not None
    return VectorSource(read_postgis(database, name, needs_crs=not declared), name)


def _from_text(path: Path, spec: SourceSpec, name: str) -> VectorSource:
    from geodata.boundary_txt import read_boundary_txt  # noqa: PLC0415

    if spec.layer is not None or spec.cad is not None:
        key = "layer" if spec.layer is not None else "cad"
        raise DataError(Issue(name, f"`{key}` is given", "none", f"A coordinate text has none: leave `{key}` out."))
    gdf, notes = read_boundary_txt(path, spec.encoding)
    return VectorSource(gdf, name, source_notes=tuple(notes))
