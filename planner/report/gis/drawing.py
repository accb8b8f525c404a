"""The plan as a CAD drawing: blocks and parcels on a layer per phase, in the colours of the map."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from geodata.dxf_write import DrawingLayer, DrawingText, write_dxf
from planner.contents import PlanContents
from planner.labels import Labels
from planner.report import palette

_UNSELECTED: Final = ("excluded", "ineligible", "eligible")
_COLOURS: Final = {"excluded": "#7F7F7F", "ineligible": "#A6A6A6", "eligible": "#6F9BC4"}
"""Darker than the fills of the map: lines must be seen on white paper and on a black screen."""
_SHADE: Final = 0.75
_OFF: Final = ("holdouts",)  # they may be nearly everywhere
_ZONE_TEXT_M: Final = 24.0
_TEXT_M: Final = (4.0, 16.0)
"""Smallest and largest height of a block's label."""
_TEXT_SHARE: Final = 0.3
"""Height of a block's label as a share of the largest circle's radius in it."""


def write_drawing(contents: PlanContents, path: Path, labels: Labels, comments: Sequence[str]) -> None:
    """Write the drawing of a plan.

    Layers are called by the phase's id and what they hold: ``P1_blocks``, ``P1_parcels``, ``P1_fill``, ``P1_labels``.
    Outlines of blocks carry block, phase and area as extended data, those of parcels their id.

    Parameters
    ----------
    contents : PlanContents
    path : pathlib.Path
        Replaced if it exists.
    labels : Labels
        Words of the layers' names and the unit.
    comments : sequence of str
        What the file says of itself.
    """
    tables = contents.tables
    layers = [
        *_unselected(tables.parcels, labels),
        *_phases(contents, labels),
        *_surroundings(contents, labels),
    ]
    write_dxf(layers, path, comments)


def _unselected(parcels: gpd.GeoDataFrame, labels: Labels) -> Iterator[DrawingLayer]:
    for status in _UNSELECTED:
        chosen = parcels[(parcels["status"] == status).to_numpy()]
        if len(chosen):
            data = [(f"parcel_id={i}",) for i in chosen["parcel_id"]]
            yield DrawingLayer(labels(status), _COLOURS[status], chosen.geometry.to_numpy(), data)


def _phases(contents: PlanContents, labels: Labels) -> Iterator[DrawingLayer]:
    """Fills of all phases below all outlines, labels above."""
    phases = [str(entry.get("id", entry["phase"])) for entry in contents.summary["phases"]]
    colours = palette.phase_colours(len(phases))
    tables = contents.tables
    of_phase = [(n, p, c) for n, (p, c) in enumerate(zip(phases, colours, strict=True), start=1)]
    for number, phase, colour in of_phase:
        shapes = _in_phase(tables.blocks, number).geometry.to_numpy()
        yield DrawingLayer(f"{phase}_{labels('gis_cad_fill')}", colour, shapes, fill=True)
    for number, phase, colour in of_phase:
        chosen = _in_phase(tables.parcels, number)
        data = [
            (f"parcel_id={i}", f"block_id={b}") for i, b in zip(chosen["parcel_id"], chosen["block_id"], strict=True)
        ]
        yield DrawingLayer(f"{phase}_{labels('gis_cad_parcels')}", _darker(colour), chosen.geometry.to_numpy(), data)
    for number, phase, _ in of_phase:
        chosen = _in_phase(tables.blocks, number)
        yield DrawingLayer(
            f"{phase}_{labels('gis_cad_outline')}",
            None,
            chosen.geometry.to_numpy(),
            [
                (f"block_id={b}", f"phase={phase}", f"area_mu={a:.4f}")
                for b, a in zip(chosen["block_id"], chosen["area_mu"], strict=True)
            ],
            width_mm=0.5,
        )
    for number, phase, _ in of_phase:
        texts = _block_texts(_in_phase(tables.blocks, number), labels)
        yield DrawingLayer(f"{phase}_{labels('gis_cad_label')}", None, texts=texts)


def _darker(colour: str) -> str:
    """Colour of a phase as a thin line: the lightest must be seen on white paper too."""
    return "#" + "".join(f"{round(_SHADE * part):02X}" for part in bytes.fromhex(colour[1:]))


def _in_phase(layer: gpd.GeoDataFrame, number: int) -> gpd.GeoDataFrame:
    return layer[(layer["phase"] == number).fillna(False).to_numpy(dtype=bool)]


def _block_texts(blocks: gpd.GeoDataFrame, labels: Labels) -> list[DrawingText]:
    """Code over mu, in the middle of the largest part."""
    rows = zip(blocks["block_id"], blocks["area_mu"], _largest_parts(blocks), strict=True)
    return [_middle_text((str(code), labels("gis_mu", f"{area:.2f}")), part) for code, area, part in rows]


def _largest_parts(layer: gpd.GeoDataFrame) -> list[Any]:
    return [max(shapely.get_parts(shape), key=lambda part: float(part.area)) for shape in layer.geometry]


def _middle_text(lines: tuple[str, ...], part: Any) -> DrawingText:
    circle = shapely.maximum_inscribed_circle(part, tolerance=1.0)  # a line from its middle to its edge
    x, y = shapely.get_coordinates(circle)[0]
    return DrawingText(lines, float(x), float(y), float(np.clip(_TEXT_SHARE * circle.length, *_TEXT_M)))


def _surroundings(contents: PlanContents, labels: Labels) -> Iterator[DrawingLayer]:
    """Zones, barriers, control lines, links, hold-outs, leftover land: what of them there is."""
    tables = contents.tables
    used = tables.links[tables.links["used"].fillna(False).to_numpy(dtype=bool)]
    found: list[tuple[str, gpd.GeoDataFrame, str, str | None, bool]] = [
        ("zones", tables.zones, palette.ZONE, "zone", True),
        ("barriers", tables.barriers, palette.BARRIER, "name", False),
        ("overlays", tables.overlays, palette.OVERLAP, "overlay", False),
        ("links", used, palette.LINK_USED, None, False),
        ("holdouts", tables.holdouts, palette.HOLDOUT, "parcel_id", False),
        ("leftovers", tables.leftovers, palette.LEFTOVER, "leftover_id", True),
    ]
    for name, layer, colour, column, dashed in found:
        placed = layer[layer.geometry.notna().to_numpy() & (layer.geom_type != "Point").to_numpy()]
        if len(placed):
            data = [] if column is None else [(f"{column}={v}",) for v in placed[column]]
            texts = _zone_texts(placed) if name == "zones" else []
            title = labels(f"gis_layer_{name}")
            yield DrawingLayer(
                title,
                colour,
                placed.geometry.to_numpy(),
                data,
                texts,
                width_mm=0.35,
                dashed=dashed,
                shown=name not in _OFF,
            )


def _zone_texts(zones: gpd.GeoDataFrame) -> list[DrawingText]:
    names = pd.Series(zones["zone"]).astype(str)
    tops = [shapely.get_coordinates(part) for part in _largest_parts(zones)]
    above = [points[points[:, 1].argmax()] for points in tops]
    return [
        DrawingText((name,), float(x), float(y) + _ZONE_TEXT_M, _ZONE_TEXT_M)
        for name, (x, y) in zip(names, above, strict=True)
    ]
