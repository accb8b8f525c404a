"""QGIS styles of the plan's layers, in the colours of the map, with the forms in which locks are edited."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import Final
from xml.etree import ElementTree as ET

import geopandas as gpd

from planner.contents import PlanContents
from planner.labels import Labels
from planner.report import palette
from planner.report.context import PhaseFigures
from planner.report.gis.columns import column_aliases
from planner.report.gis.forms import add_form, lock_choices
from planner.report.gis.qml import Category, Kind, Label, Symbol, categorized, single
from planner.tables import PlanTables

KINDS: Final[Mapping[str, Kind]] = {"Polygon": "fill", "LineString": "line", "Point": "marker"}
"""Kinds of geometry, without Multi, and how they are drawn."""

_UNSELECTED: Final = ("eligible", "ineligible", "excluded")
_PARCEL_CLASS: Final = """CASE WHEN "status" = 'selected' THEN 'phase ' || "phase" ELSE "status" END"""
_LINK_CLASS: Final = """CASE WHEN "used" THEN 'used' ELSE 'possible' END"""
_QUALITY_CLASS: Final = """CASE WHEN "to_fix" THEN 'fix' ELSE 'know' END"""
_LOCK_SCALE: Final = 5000
_BETWEEN: Final = "#D8C9A3"
_FIX: Final = "#D7301F"
_KNOW: Final = "#FDCC8A"


def label_words(language: str) -> Labels:
    """All words that layers of the plan need."""
    return Labels.of(language, "gis", "map")


def plan_styles(contents: PlanContents, language: str | None = None) -> dict[str, str]:
    """QML by layer of ``plan.gpkg``, with names of phases, aliases and locks of this plan.

    Parameters
    ----------
    contents : PlanContents
    language : {'en', 'zh'}, optional
        That of the configuration when absent.
    """
    phases = [PhaseFigures.from_summary(entry) for entry in contents.summary["phases"]]
    labels = label_words(language or contents.config.report.language)
    return gpkg_styles(contents.tables, phases, labels, column_aliases(labels, contents.config))


def gpkg_styles(
    tables: PlanTables,
    phases: Sequence[PhaseFigures] = (),
    labels: Labels | None = None,
    aliases: Mapping[str, str] | None = None,
) -> dict[str, str]:
    """QML by layer of ``plan.gpkg``: parcels by phase and status, blocks by phase, links by use, and so on.

    Parameters
    ----------
    tables : PlanTables
        The plan; symbols follow the geometry of the layers.
    phases : sequence of PhaseFigures
        Phases in order, for number, names, locks and colours; when empty, as many as the plan uses.
    labels : Labels, optional
        Words; English when absent.
    aliases : mapping of str to str, optional
        Column → what people call it.

    Returns
    -------
    dict of str to str
        XML by layer. Layers without features, and those that mix kinds of geometry (QGIS opens them as several),
        have none.
    """
    words = labels or label_words("en")
    names = column_aliases(words) if aliases is None else aliases
    styles: dict[str, str] = {}
    for field in fields(tables):
        layer: gpd.GeoDataFrame = getattr(tables, field.name)
        kinds = layer_kinds(layer)
        style = layer_style(field.name, kinds[0], tables, phases, words) if len(kinds) == 1 else None
        if style is not None:
            locks = lock_choices([p.id for p in phases], words) if field.name == "parcels" else ()
            add_form(style, layer.columns.drop(layer.geometry.name), names, locks)
            styles[field.name] = ET.tostring(style, encoding="unicode")
    return styles


def layer_kinds(layer: gpd.GeoDataFrame) -> list[str]:
    """Kinds of geometry in a layer, areas before lines before points."""
    present = set(layer.geom_type.dropna().str.removeprefix("Multi"))
    return [kind for kind in KINDS if kind in present]


def layer_style(
    name: str, kind: str, tables: PlanTables, phases: Sequence[PhaseFigures], labels: Labels
) -> ET.Element | None:
    """Symbols and labels of one kind of geometry of a layer; None for a layer that is not known."""
    styled = _of_plan(name, tables, phases, labels)
    if styled is not None:
        return styled
    symbol = _SYMBOLS.get((name, KINDS[kind]))
    return None if symbol is None else single(symbol, _LABELS.get(name))


def phase_label(phase: PhaseFigures, labels: Labels) -> str:
    """Id of a phase with its year."""
    if phase.year is None:
        return phase.id
    return f"{phase.id} · {phase.year if abs(phase.year) >= 1000 else labels('year', phase.year)}"


def phase_names(tables: PlanTables, phases: Sequence[PhaseFigures], labels: Labels) -> list[str]:
    """Names of the phases, by number where nothing is known of them."""
    used = tables.parcels["phase"].dropna()
    count = int(used.max()) if len(used) else 0
    return [phase_label(p, labels) for p in phases] or [labels("gis_phase_number", i + 1) for i in range(count)]


def _of_plan(name: str, tables: PlanTables, phases: Sequence[PhaseFigures], labels: Labels) -> ET.Element | None:
    """Styles of layers whose features fall into classes."""
    names = phase_names(tables, phases, labels)
    colours = palette.phase_colours(len(names))
    if name == "parcels":
        lock = Label('"locked"', palette.LOCKED_IN, size=7.0, scale=_LOCK_SCALE)
        return categorized(_PARCEL_CLASS, _parcel_categories(names, colours, labels), lock)
    if name == "blocks":
        text = """"block_id" || '\n' || format_number("area_mu", 2) || '{}'"""
        mu = labels("gis_mu", "").replace("'", "''").rstrip()
        return categorized(
            '"phase"', _block_categories(names, colours), Label(text.format(mu), palette.BLOCK_OUTLINE, bold=True)
        )
    if name == "links":
        used = Category("used", labels("links_used"), Symbol("line", palette.LINK_USED, width=1.0))
        dashed = Symbol("line", palette.LINK_UNUSED, width=0.3, style="dash")
        return categorized(_LINK_CLASS, [used, Category("possible", labels("links_unused"), dashed, drawn=False)])
    if name == "data_quality":
        fix = Category("fix", labels("gis_to_fix"), Symbol("marker", _FIX, size=2.4))
        know = Category("know", labels("gis_worth_knowing"), Symbol("marker", _KNOW, size=1.6), drawn=False)
        return categorized(_QUALITY_CLASS, [fix, know])
    return None


def _parcel_categories(names: Sequence[str], colours: Sequence[str], labels: Labels) -> list[Category]:
    selected = [
        Category(f"phase {i}", label, Symbol("fill", colour))
        for i, (label, colour) in enumerate(zip(names, colours, strict=True), start=1)
    ]
    rest = [Category(status, labels(status), Symbol("fill", palette.MUTED[status])) for status in _UNSELECTED]
    return selected + rest


def _block_categories(names: Sequence[str], colours: Sequence[str]) -> list[Category]:
    """Half transparent, so that the blocks may lie above the parcels."""
    return [
        Category(str(i), label, Symbol("fill", colour, alpha=128, outline=palette.BLOCK_OUTLINE, width=0.6))
        for i, (label, colour) in enumerate(zip(names, colours, strict=True), start=1)
    ]


def _hollow(colour: str, width: float, outline_style: str = "solid") -> Symbol:
    return Symbol("fill", colour, outline=colour, width=width, style="no", outline_style=outline_style)


_SYMBOLS: Final[Mapping[tuple[str, Kind], Symbol]] = {
    ("zones", "fill"): _hollow(palette.ZONE, 0.6, "dash"),
    ("barriers", "fill"): Symbol("fill", palette.BARRIER, alpha=115, outline=palette.BARRIER, width=0.2),
    ("barriers", "line"): Symbol("line", palette.BARRIER, width=1.0),
    ("overlays", "fill"): _hollow(palette.OVERLAP, 0.5),
    ("overlays", "line"): Symbol("line", palette.OVERLAP, width=0.5),
    ("overlays", "marker"): Symbol("marker", palette.OVERLAP),
    ("overlaps", "fill"): Symbol("fill", palette.OVERLAP, alpha=140, outline=palette.OVERLAP, width=0.2),
    ("holdouts", "fill"): _hollow(palette.HOLDOUT, 0.9),
    ("leftovers", "fill"): Symbol(
        "fill", palette.LEFTOVER, outline=palette.LEFTOVER, width=0.5, style="b_diagonal", outline_style="dash"
    ),
    ("between", "fill"): Symbol("fill", _BETWEEN, alpha=200, outline=_BETWEEN),
    ("cut_links", "line"): Symbol("line", palette.OVERLAP, width=0.4, style="dot"),
    ("repair_log", "fill"): Symbol("fill", _FIX, alpha=90, outline=_FIX, width=0.4),
    ("repair_log", "line"): Symbol("line", _FIX, width=0.6),
    ("repair_log", "marker"): Symbol("marker", _FIX),
}
_LABELS: Final[Mapping[str, Label]] = {
    "zones": Label('"zone"', palette.ZONE, size=11.0, bold=True),
    "overlays": Label('"overlay"', palette.OVERLAP),
}
