"""QGIS styles (QML, for QGIS 3.22 and later) as XML: symbols, categories, labels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal
from xml.etree import ElementTree as ET

from planner.report import palette

VERSION: Final = "3.22.0"
FONT: Final = "Noto Sans CJK SC"
"""Has Chinese glyphs; QGIS takes its default font where this one is not installed."""

Kind = Literal["fill", "line", "marker"]
_CLASSES: Final[Mapping[Kind, str]] = {"fill": "SimpleFill", "line": "SimpleLine", "marker": "SimpleMarker"}
_OVER_POINT: Final = "1"
_CENTRE: Final = "4"


@dataclass(frozen=True)
class Symbol:
    """One symbol: `colour` fills an area, draws a line or a marker; widths and sizes in millimetres."""

    kind: Kind
    colour: str
    alpha: int = 255
    outline: str = palette.PARCEL_OUTLINE
    width: float = 0.1
    style: str = "solid"
    outline_style: str = "solid"
    size: float = 2.0


@dataclass(frozen=True)
class Category:
    """A class of features; one that is not `drawn` starts switched off in the legend."""

    value: str
    label: str
    symbol: Symbol
    drawn: bool = True


@dataclass(frozen=True)
class Label:
    """Text at features: an expression of QGIS; `scale` = largest denominator at which it shows."""

    expression: str
    colour: str
    size: float = 8.0
    bold: bool = False
    scale: int | None = None


def categorized(expression: str, categories: Sequence[Category], label: Label | None = None) -> ET.Element:
    """A style of classes, each its symbol, by the value of an expression."""
    root = _root()
    renderer = ET.SubElement(root, "renderer-v2", type="categorizedSymbol", attr=expression, symbollevels="0")
    listed = ET.SubElement(renderer, "categories")
    symbols = ET.SubElement(renderer, "symbols")
    for i, category in enumerate(categories):
        ET.SubElement(
            listed,
            "category",
            symbol=str(i),
            value=category.value,
            label=category.label,
            render="true" if category.drawn else "false",
            type="string",
        )
        _add_symbol(symbols, str(i), category.symbol)
    return _labelled(root, label)


def single(symbol: Symbol, label: Label | None = None) -> ET.Element:
    """A style of one symbol."""
    root = _root()
    renderer = ET.SubElement(root, "renderer-v2", type="singleSymbol", symbollevels="0")
    _add_symbol(ET.SubElement(renderer, "symbols"), "0", symbol)
    return _labelled(root, label)


def _root() -> ET.Element:
    return ET.Element("qgis", version=VERSION, styleCategories="Symbology|Labeling|Fields|Forms")


def _add_symbol(parent: ET.Element, name: str, symbol: Symbol) -> None:
    holder = ET.SubElement(parent, "symbol", type=symbol.kind, name=name, alpha="1", clip_to_extent="1", force_rhr="0")
    kind = {"class": _CLASSES[symbol.kind], "enabled": "1", "locked": "0", "pass": "0"}
    add_options(ET.SubElement(holder, "layer", kind), _OPTIONS[symbol.kind](symbol))


def _fill_options(symbol: Symbol) -> dict[str, str]:
    return {
        "color": _rgba(symbol.colour, symbol.alpha),
        "style": symbol.style,
        "outline_color": _rgba(symbol.outline),
        "outline_style": symbol.outline_style,
        "outline_width": str(symbol.width),
        "outline_width_unit": "MM",
        "joinstyle": "miter",
    }


def _line_options(symbol: Symbol) -> dict[str, str]:
    return {
        "line_color": _rgba(symbol.colour, symbol.alpha),
        "line_style": symbol.style,
        "line_width": str(symbol.width),
        "line_width_unit": "MM",
        "capstyle": "round",
    }


def _marker_options(symbol: Symbol) -> dict[str, str]:
    return {
        "name": "circle",
        "color": _rgba(symbol.colour, symbol.alpha),
        "outline_color": _rgba(symbol.outline),
        "outline_style": "solid",
        "outline_width": str(symbol.width),
        "outline_width_unit": "MM",
        "size": str(symbol.size),
        "size_unit": "MM",
    }


_OPTIONS: Final = {"fill": _fill_options, "line": _line_options, "marker": _marker_options}


def add_options(parent: ET.Element, options: Mapping[str, str]) -> None:
    """Add texts by name in the form that QGIS keeps settings in."""
    holder = ET.SubElement(parent, "Option", type="Map")
    for name, value in options.items():
        ET.SubElement(holder, "Option", type="QString", name=name, value=value)


def _labelled(root: ET.Element, label: Label | None) -> ET.Element:
    if label is not None:
        _add_label(root, label)
    return root


def _add_label(root: ET.Element, label: Label) -> None:
    settings = ET.SubElement(ET.SubElement(root, "labeling", type="simple"), "settings", calloutType="simple")
    text = ET.SubElement(
        settings,
        "text-style",
        fieldName=label.expression,
        isExpression="1",
        fontFamily=FONT,
        fontSize=str(label.size),
        fontSizeUnit="Point",
        fontWeight="75" if label.bold else "50",
        namedStyle="Bold" if label.bold else "Regular",
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
    ET.SubElement(settings, "text-format", multilineAlign="1")
    ET.SubElement(
        settings,
        "placement",
        placement=_OVER_POINT,
        quadOffset=_CENTRE,
        centroidWhole="1",
        centroidInside="1",
        priority="8",
    )
    near = label.scale is not None
    ET.SubElement(
        settings,
        "rendering",
        drawLabels="1",
        obstacle="0",
        scaleVisibility="1" if near else "0",
        scaleMin="0",
        scaleMax=str(label.scale or 0),
        fontMaxPixelSize="10000",
        maxNumLabels="2000",
    )


def _rgba(colour: str, alpha: int = 255) -> str:
    return ",".join(str(part) for part in (*bytes.fromhex(colour[1:]), alpha))
