"""A QGIS project (``.qgz``, 3.22 and later) beside ``plan.gpkg``: its layers in groups, with styles and labels."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final
from xml.etree import ElementTree as ET

import geopandas as gpd
import numpy as np
import pyproj

from planner.contents import PlanContents
from planner.labels import Labels
from planner.report.context import PhaseFigures
from planner.report.gis.columns import column_aliases
from planner.report.gis.forms import add_form, lock_choices
from planner.report.gis.qml import VERSION
from planner.report.gis.styles import label_words, layer_kinds, layer_style

GROUPS: Final = {
    "findings": ("overlaps", "cut_links", "data_quality", "repair_log"),
    "land": ("zones", "overlays", "barriers", "between"),
    "plan": ("holdouts", "links", "blocks", "leftovers", "parcels"),
}
"""Groups of layers from the topmost to the lowest; findings start switched off, as do hold-outs and land between
parcels, which may be nearly everywhere."""
MARGIN: Final = 0.04
"""Land around the parcels in the first view, as a share of their extent."""

_OFF: Final = ("between", "holdouts")
_KIND_WORDS: Final = {"Polygon": "gis_kind_areas", "LineString": "gis_kind_lines", "Point": "gis_kind_points"}
_DOCTYPE: Final = "<!DOCTYPE qgis PUBLIC 'http://mrcc.com/qgis.dtd' 'SYSTEM'>\n"
_ZIP_DATE: Final = (2000, 1, 1, 0, 0, 0)


@dataclass(frozen=True)
class _Layer:
    """A layer of the project: one kind of geometry of a layer of the GeoPackage."""

    id: str
    title: str
    source: str
    kind: str
    group: str
    shown: bool
    style: ET.Element
    extent: tuple[float, float, float, float]


def qgis_project(
    contents: PlanContents, gpkg_name: str, *, language: str | None = None, stamp: str | None = None
) -> bytes:
    """Content of a ``.qgz`` file that opens the GeoPackage of a plan as on the map.

    Parameters
    ----------
    contents : PlanContents
    gpkg_name : str
        Name of the GeoPackage, in the folder in which the project will lie.
    language : {'en', 'zh'}, optional
        Of the names of layers and groups; that of the configuration when absent.
    stamp : str, optional
        Stands before the title.

    Returns
    -------
    bytes
        The same plan gives the same bytes.
    """
    labels = label_words(language or contents.config.report.language)
    layers = list(_layers(contents, gpkg_name, labels))
    parts = (stamp, labels("synthetic_label") if contents.synthetic else None, contents.title)
    root = _project(" · ".join(part for part in parts if part), contents.tables.parcels, layers, labels)
    ET.indent(root, " ")
    text = _DOCTYPE + ET.tostring(root, encoding="unicode") + "\n"
    return _zipped(text.encode("utf-8"))


def _zipped(content: bytes) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        entry = zipfile.ZipInfo("plan.qgs", _ZIP_DATE)
        entry.compress_type, entry.create_system, entry.external_attr = zipfile.ZIP_DEFLATED, 3, 0o644 << 16
        archive.writestr(entry, content)
    return packed.getvalue()


def _layers(contents: PlanContents, gpkg_name: str, labels: Labels) -> Iterator[_Layer]:
    """Layers that have features, the topmost first."""
    tables = contents.tables
    phases = [PhaseFigures.from_summary(entry) for entry in contents.summary["phases"]]
    aliases, locks = column_aliases(labels, contents.config), lock_choices([p.id for p in phases], labels)
    for group, names in GROUPS.items():
        for name in names:
            layer: gpd.GeoDataFrame = getattr(tables, name)
            kinds = layer_kinds(layer)
            for kind in kinds:
                style = layer_style(name, kind, tables, phases, labels)
                if style is None:
                    continue
                columns = layer.columns.drop(layer.geometry.name)
                add_form(style, columns, aliases, locks if name == "parcels" else ())
                title = labels(f"gis_layer_{name}")
                several = len(kinds) > 1
                x0, y0, x1, y1 = (float(v) for v in layer.total_bounds)
                yield _Layer(
                    id=f"plan_{name}_{kind.lower()}",  # QGIS makes up another id where there is no underscore
                    title=labels(_KIND_WORDS[kind], title) if several else title,
                    source=f"./{gpkg_name}|layername={name}" + (f"|geometrytype={kind}" if several else ""),
                    kind=kind,
                    group=group,
                    shown=group != "findings" and name not in _OFF,
                    style=style,
                    extent=(x0, y0, x1, y1),
                )


def _project(title: str, parcels: gpd.GeoDataFrame, layers: Sequence[_Layer], labels: Labels) -> ET.Element:
    crs = parcels.crs
    root = ET.Element("qgis", projectname=title, version=VERSION)
    ET.SubElement(root, "homePath", path="")
    ET.SubElement(root, "title").text = title
    _add_crs(ET.SubElement(root, "projectCrs"), crs)
    _add_tree(root, layers, labels)
    _add_view(root, parcels)
    listed = ET.SubElement(root, "projectlayers")
    for layer in layers:
        _add_layer(listed, layer, crs)
    order = ET.SubElement(root, "layerorder")
    for layer in layers:
        ET.SubElement(order, "layer", id=layer.id)
    _add_properties(ET.SubElement(root, "properties"), title)
    return root


def _add_crs(parent: ET.Element, crs: pyproj.CRS) -> None:
    reference = ET.SubElement(parent, "spatialrefsys")
    authority = crs.to_authority()
    ET.SubElement(reference, "wkt").text = crs.to_wkt()
    ET.SubElement(reference, "authid").text = ":".join(authority) if authority else ""
    ET.SubElement(reference, "description").text = crs.name
    ET.SubElement(reference, "geographicflag").text = "false"


def _add_tree(root: ET.Element, layers: Sequence[_Layer], labels: Labels) -> None:
    tree = ET.SubElement(root, "layer-tree-group")
    for group in GROUPS:
        members = [layer for layer in layers if layer.group == group]
        if not members:
            continue
        shown = any(layer.shown for layer in members)
        holder = ET.SubElement(
            tree,
            "layer-tree-group",
            name=labels(f"gis_group_{group}"),
            checked="Qt::Checked",
            expanded="1" if shown else "0",
        )
        for layer in members:
            ET.SubElement(
                holder,
                "layer-tree-layer",
                id=layer.id,
                name=layer.title,
                source=layer.source,
                providerKey="ogr",
                checked="Qt::Checked" if layer.shown else "Qt::Unchecked",
                expanded="1" if layer.shown else "0",
                legend_exp="",
            )


def _add_view(root: ET.Element, parcels: gpd.GeoDataFrame) -> None:
    """First view, for the window and for programs that ask the project."""
    x0, y0, x1, y1 = (float(v) for v in parcels.total_bounds)
    margin = MARGIN * float(np.hypot(x1 - x0, y1 - y0))
    view = {"xmin": x0 - margin, "ymin": y0 - margin, "xmax": x1 + margin, "ymax": y1 + margin}
    canvas = ET.SubElement(root, "mapcanvas", name="theMapCanvas", annotationsVisible="1")
    ET.SubElement(canvas, "units").text = "meters"
    _add_extent(canvas, tuple(view.values()))
    ET.SubElement(canvas, "rotation").text = "0"
    _add_crs(ET.SubElement(canvas, "destinationsrs"), parcels.crs)
    settings = ET.SubElement(root, "ProjectViewSettings", UseProjectScales="0", rotation="0")
    ET.SubElement(settings, "Scales")
    first = ET.SubElement(settings, "DefaultViewExtent", {side: f"{value:.3f}" for side, value in view.items()})
    _add_crs(first, parcels.crs)


def _add_extent(parent: ET.Element, bounds: Sequence[float]) -> None:
    extent = ET.SubElement(parent, "extent")
    for side, value in zip(("xmin", "ymin", "xmax", "ymax"), bounds, strict=True):
        ET.SubElement(extent, side).text = f"{value:.3f}"


def _add_layer(parent: ET.Element, layer: _Layer, crs: pyproj.CRS) -> None:
    kind = {"Polygon": "Polygon", "LineString": "Line", "Point": "Point"}[layer.kind]
    holder = ET.SubElement(
        parent,
        "maplayer",
        type="vector",
        geometry=kind,
        labelsEnabled="1" if layer.style.find("labeling") is not None else "0",
        styleCategories="AllStyleCategories",
        simplifyDrawingHints="1",
        hasScaleBasedVisibilityFlag="0",
        readOnly="0",
    )
    _add_extent(holder, layer.extent)
    ET.SubElement(holder, "id").text = layer.id
    ET.SubElement(holder, "datasource").text = layer.source
    ET.SubElement(holder, "layername").text = layer.title
    _add_crs(ET.SubElement(holder, "srs"), crs)
    ET.SubElement(holder, "provider", encoding="UTF-8").text = "ogr"
    flags = ET.SubElement(holder, "flags")
    for name, value in (("Identifiable", "1"), ("Removable", "1"), ("Searchable", "1"), ("Private", "0")):
        ET.SubElement(flags, name).text = value
    holder.extend(layer.style)
    ET.SubElement(holder, "blendMode").text = "0"
    ET.SubElement(holder, "layerOpacity").text = "1"
    ET.SubElement(holder, "legend", type="default-vector", showLabelLegend="0")


def _add_properties(parent: ET.Element, title: str) -> None:
    """White background, relative paths, the title over the map."""

    def put(group: str, name: str, kind: str, value: str) -> None:
        holder = parent.find(group)
        holder = ET.SubElement(parent, group) if holder is None else holder
        ET.SubElement(holder, name, type=kind).text = value

    for part in ("Red", "Green", "Blue"):
        put("Gui", f"CanvasColor{part}Part", "int", "255")
    put("Paths", "Absolute", "bool", "false")
    put("SpatialRefSys", "ProjectionsEnabled", "int", "1")
    put("Measurement", "AreaUnits", "QString", "m2")
    put("Measurement", "DistanceUnits", "QString", "meters")
    put("TitleLabel", "Enabled", "bool", "true")
    put("TitleLabel", "Label", "QString", title)
    put("TitleLabel", "Placement", "int", "5")
    put("ScaleBar", "Enabled", "bool", "true")
