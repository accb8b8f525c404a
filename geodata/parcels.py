"""The parcels as their owner describes them: geometry, ids, mapped fields, joined tables, and what was noticed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import geopandas as gpd
import pandas as pd

from geodata.attributes import RESERVED_FIELDS, FieldNote, get_column, map_fields, parcel_ids
from geodata.errors import CrsError, DataError, Issue
from geodata.join import JoinReport, join_table
from geodata.notes import SourceNote
from geodata.read import read_declared
from geodata.spec import ParcelsSpec, TableSpec
from geodata.tables import read_declared_table
from geodata.vector import VectorSource


@dataclass(frozen=True)
class RawParcels:
    """Parcels before repair.

    Attributes
    ----------
    gdf : geopandas.GeoDataFrame
        Index ``parcel_id`` (unique text); the fields of the parcel layer, then those of the tables, in the order of
        the configuration (dtypes: see `geodata.attributes`); ``geometry`` last, in the CRS of the source, neither
        repaired nor projected.
    source : str
        File and layer, or what generated them.
    notes : tuple of FieldNote
        One per field, in the order of the columns; those of tables count table rows.
    join_reports : tuple of JoinReport
        One per table.
    closed_rings : tuple of str
        Parcels with a ring that was not closed in the file; `notes_on_sources` lists them too.
    input_files : tuple of pathlib.Path
        Files that were read, for `geodata.hashing.hash_files`; empty for generated land or a database without tables.
    notes_on_sources : tuple of SourceNote
        What was done or noticed while the parcel layer and its tables were read; items are parcel ids where
        `are_parcels` is set.
    """

    gdf: gpd.GeoDataFrame
    source: str
    notes: tuple[FieldNote, ...]
    join_reports: tuple[JoinReport, ...]
    closed_rings: tuple[str, ...]
    input_files: tuple[Path, ...]
    notes_on_sources: tuple[SourceNote, ...] = ()


def read_parcels(spec: ParcelsSpec, tables: Sequence[TableSpec] = ()) -> RawParcels:
    """Read the parcel layer and its tables.

    Parameters
    ----------
    spec : ParcelsSpec
        With a `path` (absolute, or relative to the working directory) or a `database`.
    tables : sequence of TableSpec
        Joined in this order; paths likewise.

    Returns
    -------
    RawParcels

    Raises
    ------
    DataError
        Whatever is wrong with the layer, its ids, its columns and the tables; all issues of layer and tables at once.
    CrsError
        See `geodata.read.read_declared`.
    """
    if not spec.has_source:
        raise ValueError("read_parcels needs a path or a database; generated land goes through parcels_from_frame")
    files = () if spec.path is None else (spec.path,)
    return _build(read_declared(spec, "parcels"), spec, tables, files)


def parcels_from_frame(
    gdf: gpd.GeoDataFrame, spec: ParcelsSpec, tables: Sequence[TableSpec] = (), source: str = "generated parcels"
) -> RawParcels:
    """Parcels from a frame in memory (generated land), through the same mapping as a file.

    An index with a name counts as a column.

    Raises
    ------
    DataError, CrsError
        As `read_parcels`.
    """
    if gdf.crs is None:
        raise CrsError(Issue(source, "no CRS", "a coordinate reference system", "Set the CRS of the frame."))
    named = gdf.index.name is not None and gdf.index.name not in gdf.columns
    return _build(VectorSource(gdf.reset_index(drop=not named), source), spec, tables, ())


def _build(source: VectorSource, spec: ParcelsSpec, tables: Sequence[TableSpec], files: tuple[Path, ...]) -> RawParcels:
    layer = source.gdf
    issues = _name_issues(spec, tables)
    if not layer.geom_type.isin(["Polygon", "MultiPolygon", "GeometryCollection"]).any():
        kinds = ", ".join(sorted(set(layer.geom_type.dropna())))
        issues.append(Issue(source.name, f"no polygon, only {kinds}", "parcels as polygons", "Name another layer."))
    attributes = pd.DataFrame(layer.drop(columns=layer.geometry.name))
    ids = None
    try:
        ids = parcel_ids(attributes, spec.id, source.name)
        attributes = attributes.set_axis(ids, axis="index")
    except DataError as error:
        issues.extend(error.issues)

    mapped = pd.DataFrame(index=attributes.index)
    notes: list[FieldNote] = []
    try:
        mapped, notes = map_fields(attributes, spec.fields, source.name)
    except DataError as error:
        issues.extend(error.issues)
    joined, reports, table_notes = _join_all(attributes, tables, source.name, issues)
    if issues or ids is None:
        raise DataError(issues)

    fields = pd.concat([mapped, *joined], axis="columns")
    gdf = gpd.GeoDataFrame(fields, geometry=layer.geometry.set_axis(ids), crs=layer.crs)
    return RawParcels(
        gdf=gdf.rename_axis(index="parcel_id"),
        source=source.name,
        notes=(*notes, *(note for report in reports for note in report.notes)),
        join_reports=tuple(reports),
        closed_rings=tuple(str(ids[i]) for i in source.closed_rings),
        input_files=(*files, *(table.path for table in tables)),
        notes_on_sources=(*source.notes_by_parcel(ids.to_numpy()), *table_notes),
    )


def _join_all(
    attributes: pd.DataFrame, tables: Sequence[TableSpec], layer: str, issues: list[Issue]
) -> tuple[list[pd.DataFrame], list[JoinReport], list[SourceNote]]:
    joined: list[pd.DataFrame] = []
    reports: list[JoinReport] = []
    notes: list[SourceNote] = []
    for spec in tables:
        source = spec.path.name if spec.sheet is None else f"{spec.path.name}, sheet {spec.sheet}"
        try:
            keys = get_column(attributes, spec.key.parcels, layer)
            table, table_notes = read_declared_table(spec)
            fields, report = join_table(keys, table, spec, source)
            joined.append(fields)
            reports.append(report)
            notes += table_notes
        except DataError as error:
            issues.extend(error.issues)
    return joined, reports, notes


def _name_issues(spec: ParcelsSpec, tables: Sequence[TableSpec]) -> list[Issue]:
    """Fields that would overwrite each other, or a column of the plan."""
    names = [*spec.fields, *(name for table in tables for name in table.fields)]
    issues = [
        Issue(f"field {name}", "a name that the plan itself uses", "another name", "Rename the field, not the column.")
        for name in dict.fromkeys(names)
        if name in RESERVED_FIELDS
    ]
    issues += [
        Issue(f"field {name}", f"{n} fields of this name (parcels and tables)", "one", "Rename all but one of them.")
        for name, n in Counter(names).items()
        if n > 1
    ]
    return issues
