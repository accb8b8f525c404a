"""The GIS package: the plan in the formats that other offices ask for, each file explained."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import geopandas as gpd

from geodata.crs import crs_name
from geodata.errors import DataError
from geodata.notes import SourceNote
from geodata.write import write_gpkg, write_text
from geodata.write_exchange import Written, write_filegdb, write_geoparquet, write_shapefiles
from planner.contents import GPKG, PlanContents
from planner.labels import Labels
from planner.report.exports import gpkg_layers
from planner.report.gis.boundaries import write_boundaries
from planner.report.gis.columns import column_aliases, dictionary_rows
from planner.report.gis.drawing import write_drawing
from planner.report.gis.project import qgis_project
from planner.report.gis.readme import PackageFacts, readme_text
from planner.report.gis.styles import label_words, plan_styles

PROJECT: Final = "plan.qgz"
GEODATABASE: Final = "plan.gdb"
SHAPEFILES: Final = "shapefile"
DICTIONARY: Final = "fields.csv"
BOUNDARIES: Final = "blocks.txt"
DRAWING: Final = "plan.dxf"
NOTES: Final = "notes.csv"
README: Final = "README.txt"
PARQUET: Final = ("parcels", "blocks")

_BOM: Final = "\ufeff"


@dataclass(frozen=True)
class _Boundaries:
    """CRS of the coordinate TXT, or why there is none."""

    crs: str = ""
    national: bool = False
    why_not: str = ""


def write_gis(
    contents: PlanContents,
    folder: Path,
    *,
    language: str | None = None,
    stamp: str | None = None,
) -> list[Path]:
    """Write the whole GIS package.

    Parameters
    ----------
    contents : PlanContents
    folder : pathlib.Path
        An existing, empty folder.
    language : {'en', 'zh'}, optional
        Of layer names, aliases and labels; that of the configuration when absent. The README has both.
    stamp : str, optional
        Who may read it, e.g. 内部资料.

    Returns
    -------
    list of pathlib.Path
        All files, sorted; of the file geodatabase its folder.
    """
    labels = label_words(language or contents.config.report.language)
    layers = gpkg_layers(contents.tables)
    said = about(contents, labels, stamp)
    write_geopackage(contents, folder / GPKG, language=labels.language, stamp=stamp)
    (folder / PROJECT).write_bytes(qgis_project(contents, GPKG, language=labels.language, stamp=stamp))
    for name in PARQUET:
        write_geoparquet(layers[name], folder / f"{name}.parquet")
    geodatabase = write_filegdb(layers, folder / GEODATABASE, _titles(layers, contents, labels))
    (folder / SHAPEFILES).mkdir()
    shapefiles = write_shapefiles(layers, folder / SHAPEFILES)
    write_text(_dictionary(contents, layers, shapefiles, labels), folder / SHAPEFILES / DICTIONARY)
    write_drawing(contents, folder / DRAWING, labels, said)
    boundaries = _boundaries(contents, folder / BOUNDARIES, labels)
    notes = list(dict.fromkeys([*geodatabase.notes, *shapefiles.notes]))
    if notes:
        write_text(_listed(notes), folder / NOTES)
    facts = PackageFacts(contents, stamp, boundaries.crs, boundaries.national, boundaries.why_not, notes)
    write_text(readme_text(facts, folder, _files(folder)), folder / README)
    return _files(folder)


def write_geopackage(
    contents: PlanContents, path: Path, *, language: str | None = None, stamp: str | None = None
) -> None:
    """Write ``plan.gpkg``: all layers with their styles; the file says what it is, as `write_gis` has it."""
    labels = label_words(language or contents.config.report.language)
    said = " · ".join(about(contents, labels, stamp))
    write_gpkg(gpkg_layers(contents.tables), path, plan_styles(contents, labels.language), said)


def about(contents: PlanContents, labels: Labels, stamp: str | None) -> list[str]:
    """What a file says of itself: stamp, synthetic land, title, CRS, version and hashes."""
    summary = contents.summary
    first = [stamp] if stamp else []
    second = [labels("synthetic_label")] if contents.synthetic else []
    crs = crs_name(contents.tables.parcels.crs)
    hashes = (str(summary["version"]), str(summary["config_hash"])[:12], str(summary["input_hash"])[:12])
    return [*first, *second, contents.title, crs, labels("readme_version", *hashes)]


def _titles(layers: Iterable[str], contents: PlanContents, labels: Labels) -> dict[str, str]:
    """What ArcGIS calls the layers; generated land says so."""
    synthetic = f" · {labels('synthetic_label')}" if contents.synthetic else ""
    known = [name for name in layers if labels.has(f"gis_layer_{name}")]
    return {name: labels(f"gis_layer_{name}") + synthetic for name in known}


def _boundaries(contents: PlanContents, path: Path, labels: Labels) -> _Boundaries:
    """Write the coordinate TXT; ids that it cannot hold are no reason to go without the rest of the package."""
    organisation = contents.config.report.print.organisation
    maker = " ".join(part for part in (labels("synthetic_label") if contents.synthetic else "", organisation) if part)
    try:
        crs, national = write_boundaries(contents.tables.blocks, path, contents.title, maker)
    except DataError as error:
        return _Boundaries(why_not=" ".join(str(error).split()))
    return _Boundaries(crs, national)


def _dictionary(
    contents: PlanContents, layers: Mapping[str, gpd.GeoDataFrame], written: Written, labels: Labels
) -> str:
    """Field dictionary of the shapefiles, with a byte order mark, so that spreadsheets read Chinese."""
    aliases = column_aliases(labels, contents.config)
    currency = contents.config.project.currency
    rows = [tuple(labels(f"gis_dictionary_{key}") for key in ("layer", "short", "full", "alias", "unit", "type"))]
    for name, names in written.names.items():
        layer = layers.get(name)
        columns = layers[name.rsplit("_", 1)[0]] if layer is None else layer
        rows.extend(dictionary_rows(name, columns, names, aliases, labels, currency))
    return _BOM + _csv(rows)


def _listed(notes: Sequence[SourceNote]) -> str:
    rows = [(note.source, note.what, item) for note in notes for item in note.items]
    return _BOM + _csv([("source", "what", "row"), *rows])


def _csv(rows: Iterable[Sequence[str]]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue()


def _files(folder: Path) -> list[Path]:
    inside = (p for p in folder.rglob("*") if p.is_file() and GEODATABASE not in p.relative_to(folder).parts)
    return sorted([*inside, *folder.glob(GEODATABASE)])
