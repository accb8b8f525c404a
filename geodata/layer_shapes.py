"""Geometries of a layer laid over the parcels, made fit for measuring; whatever is done to them is noted."""

from __future__ import annotations

from typing import Final

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from geodata.contract import BoolArray, GeometryArray, IntArray, geometry_array
from geodata.errors import DataError, Issue, list_ids
from geodata.notes import SourceNote

_POLYGONAL: Final = (3, 6)
_SPLIT_ABOVE: Final = 256
"""Corners above which a polygon is cut into tiles before it is laid over many parcels."""


def row_names(index: pd.Index) -> list[str]:
    """Rows as their owner would look for them: by a named index, else counted from 1."""
    if index.name is None:
        return [f"row {k + 1}" for k in range(len(index))]
    return [f"{index.name} {label}" for label in index]


def source_of(path: object, layer: str | None, fallback: str) -> str:
    """Name of a source for messages: file and layer."""
    name = getattr(path, "name", None) or fallback
    return f"{name}, layer {layer}" if layer else str(name)


def fit_shapes(layer: gpd.GeoDataFrame, source: str) -> tuple[GeometryArray, list[SourceNote]]:
    """Geometries in two dimensions, valid; those without one become empty polygons.

    Parameters
    ----------
    layer : geopandas.GeoDataFrame
        Any layer.
    source : str
        File and layer, for the notes.

    Returns
    -------
    (geometry[n], list of SourceNote)
        In the order of the layer; notes about features without geometry and about those that had to be made valid
        (`shapely.make_valid`, by structure: rings that overlap or touch themselves keep the ground they enclose).
    """
    shapes = shapely.force_2d(geometry_array(layer))
    names = np.array(row_names(layer.index), dtype=object)
    notes: list[SourceNote] = []
    empty = shapely.is_missing(shapes) | shapely.is_empty(shapes)
    shapes[empty] = shapely.Polygon()
    if empty.any():
        notes.append(SourceNote.of(source, "features without geometry: they take part in nothing", list(names[empty])))
    broken = ~shapely.is_valid(shapes)
    if broken.any():
        before = shapely.area(shapes[broken])
        shapes[broken] = shapely.make_valid(shapes[broken], method="structure", keep_collapsed=False)
        change = float(np.abs(shapely.area(shapes[broken]) - before).sum())
        what = f"invalid geometries made valid before measuring (their areas change by {change:.1f} m² in all)"
        notes.append(SourceNote.of(source, what, list(names[broken])))
    return shapes, notes


def refuse_other_than_polygons(shapes: GeometryArray, layer: gpd.GeoDataFrame, source: str, fix: str) -> None:
    """Raise where a feature is no polygon.

    Raises
    ------
    DataError
        Naming the rows and what they are.
    """
    parts, row = shapely.get_parts(shapes, return_index=True)
    odd = np.zeros(len(shapes), dtype=bool)
    odd[row[~np.isin(shapely.get_type_id(parts), _POLYGONAL)]] = True
    if odd.any():
        kinds = sorted({str(shapes[k].geom_type) for k in np.flatnonzero(odd)})
        rows = [name for name, bad in zip(row_names(layer.index), odd, strict=True) if bad]
        raise DataError(Issue(source, f"{', '.join(kinds)} in {list_ids(rows)}", "polygons", fix))


def dissolved(shapes: GeometryArray) -> GeometryArray:
    """Ground covered by any of the polygons, as polygons that share no ground, none with many corners.

    Cutting large outlines into tiles keeps the work for each parcel small, whatever the size of a red line.
    """
    covered = shapely.get_parts(shapely.union_all(shapes)) if len(shapes) else shapes
    done: list[GeometryArray] = []
    todo = covered[np.isin(shapely.get_type_id(covered), _POLYGONAL)]
    while len(todo):
        large = shapely.get_num_coordinates(todo) > _SPLIT_ABOVE
        done.append(todo[~large])
        todo = _halved(todo[large])
    return np.concatenate(done) if done else np.empty(0, dtype=object)


def _halved(shapes: GeometryArray) -> GeometryArray:
    """Each polygon cut in two across the longer side of its box."""
    if not len(shapes):
        return shapes
    west, south, east, north = shapely.bounds(shapes).T
    wide = east - west >= north - south
    x, y = (west + east) / 2, (south + north) / 2
    first = shapely.box(west, south, np.where(wide, x, east), np.where(wide, north, y))
    second = shapely.box(np.where(wide, x, west), np.where(wide, south, y), east, north)
    parts = shapely.get_parts(np.concatenate([shapely.intersection(shapes, box) for box in (first, second)]))
    return parts[np.isin(shapely.get_type_id(parts), _POLYGONAL)]


def pieces(polygons: GeometryArray, cover: GeometryArray) -> tuple[IntArray, IntArray, GeometryArray]:
    """What polygons have in common with others.

    Parameters
    ----------
    polygons, cover : geometry[n], geometry[m]
        Valid.

    Returns
    -------
    (int64[k], int64[k], geometry[k])
        Position in `polygons`, position in `cover`, common ground (may be of no area), sorted by position. A polygon
        that lies wholly inside is given back as it is: no overlay is computed for it.
    """
    if not len(polygons) or not len(cover):
        return np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0, dtype=object)
    shapely.prepare(cover)
    theirs, mine = shapely.STRtree(polygons).query(cover, predicate="intersects")
    order = np.lexsort((theirs, mine))
    mine, theirs = mine[order], theirs[order]
    whole: BoolArray = shapely.covers(cover[theirs], polygons[mine])
    shapely.destroy_prepared(cover)
    common = polygons[mine]
    common[~whole] = shapely.intersection(common[~whole], cover[theirs[~whole]])
    return mine, theirs, common


def united(group: IntArray, shapes: GeometryArray) -> tuple[IntArray, GeometryArray]:
    """Union of the shapes of each group.

    Parameters
    ----------
    group : int64[k]
        Sorted.
    shapes : geometry[k]
        Polygons.

    Returns
    -------
    (int64[g], geometry[g])
        Groups in order, and their ground.
    """
    groups, start, count = np.unique(group, return_index=True, return_counts=True)
    out = shapes[start]
    for k in np.flatnonzero(count > 1):
        out[k] = shapely.union_all(shapes[start[k] : start[k] + count[k]])
    return groups, out
