"""QGIS styles (QML, for QGIS 3.22 and later) of the plan's layers, in the colours of the map."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal
from xml.etree import ElementTree as ET

import numpy as np
import shapely

from planner.report import palette
from planner.report.context import PhaseFigures
from planner.tables import PlanTables

FONT = "Noto Sans CJK SC"
"""Has Chinese glyphs; QGIS takes its default font where this one is not installed."""

_UNSELECTED = {
    "eligible": "Eligible, not selected",
    "ineligible": "Not eligible",
    "excluded": "Excluded",
}


@dataclass(frozen=True)
class _Symbol:
    """One symbol: `colour` fills an area or draws a line; widths in millimetres."""

    kind: Literal["fill", "line"]
    colour: str
    alpha: int = 255
    outline: str = palette.PARCEL_OUTLINE
    width: float = 0.1
    style: str = "solid"


@dataclass(frozen=True)
class _Category:
    value: str
    label: str
    symbol: _Symbol


@dataclass(frozen=True)
class _Label:
    expression: str
    colour: str
    size: float = 8.0


def gpkg_styles(tables: PlanTables, phases: Sequence[PhaseFigures] = ()) -> dict[str, str]:
    """QML by layer of ``plan.gpkg``: parcels by phase and status, blocks by phase, links by use, zones, barriers.

    Parameters
    ----------
    tables : PlanTables
        The plan; the barriers' symbol follows their geometry.
    phases : sequence of PhaseFigures
        Phases in order, for number, names and colours; when empty, as many as the plan uses.

    Returns
    -------
    dict of str to str
        XML by layer. ``repair_log`` has none, nor have barriers that mix lines and areas (QGIS opens them as two).
    """
    labels = [_phase_label(p) for p in phases] or [f"Phase {i + 1}" for i in range(_phases_used(tables))]
    colours = palette.phase_colours(len(labels))
    styles = {
        "parcels": _categorized(_PARCEL_CLASS, _parcel_categories(labels, colours)),
        "blocks": _categorized('"phase"', _block_categories(labels, colours), _BLOCK_LABEL),
        "zones": _single(_Symbol("fill", palette.ZONE, outline=palette.ZONE, width=0.6, style="no"), _ZONE_LABEL),
        "links": _categorized(_LINK_CLASS, _LINK_CATEGORIES),
    }
    barrier = _barrier_symbol(tables)
    if barrier is not None:
        styles["barriers"] = _single(barrier)
    return styles


_PARCEL_CLASS = """CASE WHEN "status" = 'selected' THEN 'phase ' || "phase" ELSE "status" END"""
_LINK_CLASS = """CASE WHEN "used" THEN 'used' ELSE 'possible' END"""
_LINK_CATEGORIES = (
    _Category("used", "Bridged link in a block", _Symbol("line", palette.LINK_USED, width=1.0)),
    _Category("possible", "Other possible link", _Symbol("line", palette.LINK_UNUSED, width=0.3, style="dash")),
)
_BLOCK_LABEL = _Label("""\"block_id" || '\n' || format_number("area_mu", 2) || ' mu'""", palette.BLOCK_OUTLINE)
_ZONE_LABEL = _Label('"zone"', palette.ZONE, size=10.0)


def _phase_label(phase: PhaseFigures) -> str:
    if phase.year is None:
        return phase.id
    return f"{phase.id} · year {phase.year}" if abs(phase.year) < 1000 else f"{phase.id} · {phase.year}"


def _phases_used(tables: PlanTables) -> int:
    phases = tables.parcels["phase"].dropna()
    return int(phases.max()) if len(phases) else 0


def _parcel_categories(labels: Sequence[str], colours: Sequence[str]) -> list[_Category]:
    selected = [
        _Category(f"phase {i}", label, _Symbol("fill", colour))
        for i, (label, colour) in enumerate(zip(labels, colours, strict=True), start=1)
    ]
    rest = [_Category(status, label, _Symbol("fill", palette.MUTED[status])) for status, label in _UNSELECTED.items()]
    return selected + rest


def _block_categories(labels: Sequence[str], colours: Sequence[str]) -> list[_Category]:
    """Half transparent, so that the blocks may lie above the parcels."""
    return [
        _Category(str(i), label, _Symbol("fill", colour, alpha=128, outline=palette.BLOCK_OUTLINE, width=0.6))
        for i, (label, colour) in enumerate(zip(labels, colours, strict=True), start=1)
    ]


def _barrier_symbol(tables: PlanTables) -> _Symbol | None:
    dimensions = np.unique(shapely.get_dimensions(tables.barriers.geometry.to_numpy()))
    if dimensions.tolist() == [2]:
        return _Symbol("fill", palette.BARRIER, alpha=115, outline=palette.BARRIER, width=0.2)
    if dimensions.tolist() == [1]:
        return _Symbol("line", palette.BARRIER, width=1.0)
    return None


def _categorized(expression: str, categories: Sequence[_Category], label: _Label | None = None) -> str:
    root = _root()
    renderer = ET.SubElement(root, "renderer-v2", type="categorizedSymbol", attr=expression, symbollevels="0")
    listed = ET.SubElement(renderer, "categories")
    symbols = ET.SubElement(renderer, "symbols")
    for i, category in enumerate(categories):
        ET.SubElement(
            listed, "category", symbol=str(i), value=category.value, label=category.label, render="true", type="string"
        )
        _add_symbol(symbols, str(i), category.symbol)
    return _finish(root, label)


def _single(symbol: _Symbol, label: _Label | None = None) -> str:
    root = _root()
    renderer = ET.SubElement(root, "renderer-v2", type="singleSymbol", symbollevels="0")
    _add_symbol(ET.SubElement(renderer, "symbols"), "0", symbol)
    return _finish(root, label)


def _root() -> ET.Element:
    return ET.Element("qgis", version="3.22.0", styleCategories="Symbology|Labeling")


def _add_symbol(parent: ET.Element, name: str, symbol: _Symbol) -> None:
    holder = ET.SubElement(parent, "symbol", type=symbol.kind, name=name, alpha="1", clip_to_extent="1", force_rhr="0")
    layer_class = "SimpleFill" if symbol.kind == "fill" else "SimpleLine"
    layer = ET.SubElement(holder, "layer", {"class": layer_class, "enabled": "1", "locked": "0", "pass": "0"})
    _add_options(layer, _fill_options(symbol) if symbol.kind == "fill" else _line_options(symbol))


def _fill_options(symbol: _Symbol) -> dict[str, str]:
    return {
        "color": _rgba(symbol.colour, symbol.alpha),
        "style": symbol.style,
        "outline_color": _rgba(symbol.outline),
        "outline_style": "dash" if symbol.style == "no" else "solid",
        "outline_width": str(symbol.width),
        "outline_width_unit": "MM",
        "joinstyle": "miter",
    }


def _line_options(symbol: _Symbol) -> dict[str, str]:
    return {
        "line_color": _rgba(symbol.colour, symbol.alpha),
        "line_style": symbol.style,
        "line_width": str(symbol.width),
        "line_width_unit": "MM",
        "capstyle": "round",
    }


def _add_options(parent: ET.Element, options: Mapping[str, str]) -> None:
    holder = ET.SubElement(parent, "Option", type="Map")
    for name, value in options.items():
        ET.SubElement(holder, "Option", type="QString", name=name, value=value)


def _finish(root: ET.Element, label: _Label | None) -> str:
    if label is not None:
        _add_label(root, label)
    return ET.tostring(root, encoding="unicode")


def _add_label(root: ET.Element, label: _Label) -> None:
    settings = ET.SubElement(ET.SubElement(root, "labeling", type="simple"), "settings", calloutType="simple")
    text = ET.SubElement(
        settings,
        "text-style",
        fieldName=label.expression,
        isExpression="1",
        fontFamily=FONT,
        fontSize=str(label.size),
        fontSizeUnit="Point",
        textColor=_rgba(label.colour),
        textOpacity="1",
        multilineHeight="1",
    )
    ET.SubElement(
        text,
        "text-buffer",
        bufferDraw="1",
        bufferSize="0.8",
        bufferSizeUnits="MM",
        bufferColor="255,255,255,255",
        bufferOpacity="1",
    )


def _rgba(colour: str, alpha: int = 255) -> str:
    return ",".join(str(part) for part in (*bytes.fromhex(colour[1:]), alpha))
