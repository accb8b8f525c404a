"""Forms of the layer of parcels in QGIS: locks are chosen from a list, remarks typed, everything else only read."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final
from xml.etree import ElementTree as ET

from planner.labels import Labels
from planner.report.gis.qml import add_options

EDITABLE: Final = ("locked", "note")
"""Columns that a planner edits."""
NULL: Final = "{2839923C-8B7D-419E-B84B-CA2FE9B80EC7}"
"""How QGIS writes an empty value among those to choose from."""


def lock_choices(phases: Sequence[str], labels: Labels) -> list[tuple[str, str]]:
    """Words and value of every lock, in the order of the list; the first is none."""
    by = [(labels("gis_lock_by", phase), f"by {phase}") for phase in phases]
    at = [(labels("gis_lock_at", phase), f"at {phase}") for phase in phases]
    return [
        (labels("gis_lock_none"), NULL),
        (labels("gis_lock_in"), "in"),
        (labels("gis_lock_out"), "out"),
        *by,
        *at,
    ]


def add_form(
    style: ET.Element,
    columns: Iterable[str],
    aliases: Mapping[str, str],
    locks: Sequence[tuple[str, str]] = (),
) -> ET.Element:
    """Add widgets, aliases and what may be edited to a style.

    Parameters
    ----------
    style : xml.etree.ElementTree.Element
        Gets further children.
    columns : iterable of str
        Columns of the layer.
    aliases : mapping of str to str
        Column → what people call it.
    locks : sequence of tuple of str
        Words and values of the locks; without any nothing in the layer may be edited.
    """
    names = ["fid", *columns]
    fields = ET.SubElement(style, "fieldConfiguration")
    for name in names:
        field = ET.SubElement(fields, "field", name=name, configurationFlags="None")
        if locks and name == "locked":
            _value_map(field, locks)
        else:
            widget = ET.SubElement(field, "editWidget", type="TextEdit" if name != "fid" else "Hidden")
            multiline = "true" if name == "note" else "false"
            add_options(ET.SubElement(widget, "config"), {"IsMultiline": multiline, "UseHtml": "false"})
    known = ET.SubElement(style, "aliases")
    for place, name in enumerate(names):
        ET.SubElement(known, "alias", field=name, index=str(place), name=aliases.get(name, ""))
    editable = ET.SubElement(style, "editable")
    for name in names:
        ET.SubElement(editable, "field", name=name, editable="1" if locks and name in EDITABLE else "0")
    return style


def _value_map(field: ET.Element, choices: Sequence[tuple[str, str]]) -> None:
    config = ET.SubElement(ET.SubElement(field, "editWidget", type="ValueMap"), "config")
    listed = ET.SubElement(ET.SubElement(config, "Option", type="Map"), "Option", type="List", name="map")
    for words, value in choices:
        entry = ET.SubElement(listed, "Option", type="Map")
        ET.SubElement(entry, "Option", type="QString", name=words, value=value)
