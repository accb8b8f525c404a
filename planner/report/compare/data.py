"""What the page of a comparison holds: rows of the tables in full, the land as columns and packed outlines."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any, Final

import geopandas as gpd
import numpy as np
import pandas as pd

from geodata.crs import WGS84, crs_name, transform
from planner.contents import PlanContents
from planner.labels import LANGUAGES, label_table
from planner.labels.reasons import translated
from planner.report.bodies import block_hatches, block_outlines
from planner.report.compare.colours import agreement_colours, page_palette
from planner.report.compare.extras import NOT_ASKED
from planner.report.compare.figures import indicators
from planner.report.compare.land import (
    Bools,
    CommonLand,
    Picked,
    common_land,
    not_held,
    only_sums,
    picked_sums,
    same_phase,
)
from planner.report.compare.rows import Row, rows_of
from planner.report.compare.settings import differing
from planner.report.encode import encode_lines, encode_polygons
from planner.report.palette import phase_colours
from planner.tables import PlanTables

MOST_DRAWN: Final = 12_000
"""Above so many parcels only those that some plan picks are drawn."""
MOST_NAMED: Final = 500
"""Ids of parcels that are listed."""
STATUSES: Final = ("selected", "eligible", "ineligible", "excluded")

Prices = Mapping[str, Mapping[str, Any] | None]


def comparison_data(plans: Sequence[tuple[str, PlanContents]], prices: Prices, language: str) -> dict[str, Any]:
    """Everything the page shows, ready for `planner.report.encode.to_inline_json`.

    Parameters
    ----------
    plans : sequence of (str, PlanContents)
        Plans that can be compared, by name.
    prices : mapping
        Prices of rules by name of the plan, see `planner.report.compare.extras.read_prices`.
    language : str
        The language that the page opens in.
    """
    contents = [c for _, c in plans]
    land = common_land([c.tables for c in contents])
    first = contents[0]
    drawn = np.asarray(land.picked.any(axis=1) | (len(land.parcels) <= MOST_DRAWN))
    return {
        "language": language,
        "labels": label_table("map", "compare"),
        "synthetic": first.synthetic,
        "currency": first.config.project.currency,
        "crs": crs_name(first.tables.parcels.crs),
        "palette": page_palette() | {"agreement": agreement_colours(len(plans))},
        "plans": [_plan(name, c) for name, c in plans],
        "rows": [_row(row) for row in rows_of([indicators(c) for c in contents])],
        "prices": _prices([name for name, _ in plans], prices),
        "settings": [asdict(s) for s in differing([c.config for c in contents])],
        "land": _land(land, contents, drawn),
        "parcels": _parcels(land, drawn),
        "in_plan": [_in_plan(row.iloc[np.flatnonzero(drawn)]) for row in land.rows],
        "context": _context(contents),
        "bounds": _bounds(contents),
    }


def _plan(name: str, contents: PlanContents) -> dict[str, Any]:
    phases = contents.summary["phases"]
    return {
        "name": name,
        "title": contents.title,
        "note": contents.config.project.note,
        "phases": [
            {
                "id": str(phase.get("id", phase["phase"])),
                "year": phase.get("year"),
                "colour": colour,
                "net_mu": float(phase.get("net_mu", phase["area_mu"])),
            }
            for phase, colour in zip(phases, phase_colours(len(phases)), strict=True)
        ],
        "blocks": _blocks(contents.tables),
    }


def _blocks(tables: PlanTables) -> dict[str, Any]:
    blocks = tables.blocks
    outlines = block_outlines(tables)
    degrees = _degrees(gpd.GeoDataFrame(geometry=gpd.GeoSeries(outlines, crs=blocks.crs), crs=blocks.crs))
    return {
        "block_id": [str(i) for i in blocks["block_id"]],
        "phase": [int(p) for p in blocks["phase"]],
        "area_mu": [round(float(a), 4) for a in blocks["area_mu"]],
        "hatch": block_hatches(blocks, outlines).tolist() if len(outlines) else [],
        "shapes": encode_polygons(degrees.geometry.to_numpy()),
    }


def _row(row: Row) -> dict[str, Any]:
    """A row without the bases, which may be long."""
    return {
        "section": row.section,
        "key": row.key,
        "unit": row.unit,
        "of": list(row.of),
        "cells": [None if c is None else {"value": c.value, "unknown": c.unknown} for c in row.cells],
        "unlike": list(row.unlike),
        "best": list(row.best),
        "differences": list(row.differences),
    }


def _prices(names: Sequence[str], prices: Prices) -> list[dict[str, Any]]:
    """A row per rule that was priced for some plan, a cell per plan; None where nobody asked, or got no answer."""
    found = [prices.get(name) or {"rules": []} for name in names]
    known: list[dict[str, Mapping[str, Any]]] = [{rule["key"]: rule for rule in answer["rules"]} for answer in found]
    rows = []
    for key in dict.fromkeys(key for rules in known for key in rules):
        cells = [rules.get(key) for rules in known]
        title = next(cell["title"] for cell in cells if cell is not None)
        rows.append({"key": key, "title": title, "cells": [_price(cell, title) for cell in cells]})
    return rows


def _price(rule: Mapping[str, Any] | None, title: str) -> dict[str, Any] | None:
    """One price, with the title of the rule where it is another one than that of the row: its figure differs."""
    if rule is None or rule["verdict"] == NOT_ASKED:
        return None
    own = rule["title"]
    return {"loss": rule["loss"], "share": rule["share"], "title": None if own == title else own}


def _land(land: CommonLand, contents: Sequence[PlanContents], drawn: Bools) -> dict[str, Any]:
    phase_names = [[str(p.get("id", p["phase"])) for p in c.summary["phases"]] for c in contents]
    other = land.parcels["parcel_id"].to_numpy(dtype=object)[land.other_area]
    area = land.parcels["area_mu"].to_numpy(dtype=float)
    missing = not_held(land)
    return {
        "parcels": len(area),
        "area_mu": float(area.sum()),
        "drawn": int(drawn.sum()),
        "picked": [_sum(p) for p in picked_sums(land)],
        "only": [_sum(p) for p in only_sums(land)],
        "same_phase": _sum(same_phase(land, phase_names)),
        "held": [int(n) for n in land.held.sum(axis=0)],
        "missing": [
            {**_named(ids), "area_mu": float(area[~mine].sum())} for ids, mine in zip(missing, land.held.T, strict=True)
        ],
        "other_area": _named([str(i) for i in other]),
    }


def _named(ids: Sequence[str]) -> dict[str, Any]:
    return {"count": len(ids), "ids": list(ids[:MOST_NAMED]), "more": max(0, len(ids) - MOST_NAMED)}


def _sum(picked: Picked) -> dict[str, Any]:
    return asdict(picked)


def _parcels(land: CommonLand, drawn: Bools) -> dict[str, Any]:
    parcels = _degrees(land.parcels[drawn])
    return {
        "columns": {
            "parcel_id": [str(i) for i in parcels["parcel_id"]],
            "area_mu": [round(float(a), 4) for a in parcels["area_mu"]],
            "times": land.picked[drawn].sum(axis=1).tolist(),
        },
        "shapes": encode_polygons(parcels.geometry.to_numpy()),
    }


def _in_plan(rows: pd.DataFrame) -> dict[str, Any]:
    """Status (−1: no such parcel), phase (0: none), block and reason of each parcel in one plan."""
    status = pd.Categorical(rows["status"].astype(object), categories=list(STATUSES)).codes
    codes, reasons = pd.factorize(rows["reason"].astype(object))
    blocks, names = pd.factorize(rows["block_id"].astype(object))
    return {
        "status": np.asarray(status).astype(int).tolist(),
        "phase": rows["phase"].to_numpy(dtype=float, na_value=0.0).astype(int).tolist(),
        "block": {"values": [str(n) for n in names], "codes": blocks.tolist()},
        "reason": {
            "values": {language: [translated(str(r), language) for r in reasons] for language in LANGUAGES},
            "codes": codes.tolist(),
        },
    }


def _context(contents: Sequence[PlanContents]) -> dict[str, Any]:
    """Zones and barriers that lie under the maps: of the first plan, for orientation."""
    tables = contents[0].tables
    zones, barriers = _degrees(tables.zones), _degrees(tables.barriers)
    areal = barriers.geom_type.isin(["Polygon", "MultiPolygon"]).to_numpy(dtype=bool)
    return {
        "zones": encode_polygons(zones.geometry.to_numpy()),
        "barrier_areas": encode_polygons(barriers.geometry.to_numpy()[areal]),
        "barrier_lines": encode_lines(barriers.geometry.to_numpy()[~areal]),
    }


def _bounds(contents: Sequence[PlanContents]) -> list[list[float]]:
    """Blocks of all plans; everything where there is none."""
    layers = [c.tables.blocks for c in contents if len(c.tables.blocks)] or [c.tables.parcels for c in contents]
    boxes = np.array([_degrees(layer).total_bounds for layer in layers])
    west, south = boxes[:, :2].min(axis=0).tolist()
    east, north = boxes[:, 2:].max(axis=0).tolist()
    return [[south, west], [north, east]]


def _degrees(frame: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """In WGS 84; a layer without features may have no CRS."""
    return frame if frame.crs is None and len(frame) == 0 else transform(frame, WGS84)
