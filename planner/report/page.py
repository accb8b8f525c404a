"""Everything that the review map shows, as one tree of plain data for the page."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any, Final

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import shapely

from geodata.crs import crs_name
from planner.codes import CODE_COLUMN
from planner.labels import label_table
from planner.labels.reasons import translated
from planner.report import page_facts, palette
from planner.report.base_map import base_map_data, is_shifted
from planner.report.bodies import block_hatches, block_outlines
from planner.report.context import MapContext, PhaseFigures
from planner.report.encode import column, degrees, encode_polygons, table
from planner.report.page_layers import page_layers
from planner.tables import BLOCK_COLUMNS, PARCEL_COLUMNS, PlanTables

FULL_FABRIC_PARCELS: Final = 12_000
"""With more parcels the page holds those of the plan and those that the planner decided on, and no others."""

_OPTIONAL: Final = ("cost", "earliest_phase", "mode", "note", "change", "forced_loss")
_DECIDED: Final = ("locked", "note", "change")


def page_data(tables: PlanTables, context: MapContext) -> dict[str, Any]:
    """Everything the page shows, ready for `planner.report.encode.to_inline_json`.

    Parameters
    ----------
    tables : PlanTables
        The plan, in a metric CRS.
    context : MapContext
        Title, figures and provenance.

    Returns
    -------
    dict
        ``labels`` and ``language``, ``meta``, ``phases``, ``zone_figures``, ``palette``, ``facts``,
        ``block_facts``, ``mode_names``, classes of the colourings (``scales``, ``groups``), ``left_out``, ``base``,
        ``bounds`` ([[south, west], [north, east]], degrees) and one table (``columns``, ``shapes``) per layer; blocks
        have ``outlines`` across lanes besides.

    Raises
    ------
    geodata.errors.DataError
        The raster of the base map cannot be used.
    """
    place = partial(degrees, shifted=is_shifted(context.base_map))
    shown = _shown(tables.parcels)
    kept = tables.parcels[shown]
    parcels, blocks, zones = place(kept), place(tables.blocks), place(tables.zones)
    of_blocks = page_facts.block_facts(context, tables.blocks)
    new_far = page_facts.new_far(kept, tables.blocks, of_blocks)
    everything = tables.parcels if len(tables.blocks) == 0 else tables.blocks
    bounds = _bounds(place(everything), zones, tables)
    zone_table = table(zones, ["zone"], encode_polygons(zones.geometry.values))
    zone_table["columns"]["label_at"] = _tops(zones.geometry.values)
    return {
        "language": context.language,
        "labels": label_table("map", "page"),
        "meta": _meta(tables, context),
        "phases": _phases(context.phases),
        "zone_figures": [{"name": name, "phases": _phases(phases)} for name, phases in context.zones.items()],
        "palette": _palette(),
        "facts": page_facts.facts(context),
        "block_facts": _block_facts(list(of_blocks.columns)),
        "mode_names": context.mode_names,
        "overlay_names": context.overlay_names,
        "scales": page_facts.scales(context, new_far),
        "groups": {
            name: group
            for name, group in (
                ("mode", page_facts.modes(context.mode_names, kept)),
                ("village", page_facts.villages(context, tables.parcels)),
            )
            if group is not None
        },
        "left_out": _left_out(tables.parcels[~shown]),
        "base": base_map_data(context.base_map, bounds),
        "bounds": bounds,
        "parcels": _parcels(parcels, context, _OPTIONAL, new_far),
        "blocks": _blocks(tables, blocks, of_blocks, place),
        "zones": zone_table,
        **page_layers(tables, shown, place),
    }


def _shown(parcels: gpd.GeoDataFrame) -> npt.NDArray[np.bool_]:
    """Parcels that the page holds: all, or of too many those in the plan or that somebody decided on."""
    if len(parcels) <= FULL_FABRIC_PARCELS:
        return np.ones(len(parcels), dtype=bool)
    decided = [name for name in _DECIDED if name in parcels]
    kept = (parcels["status"] == "selected") | parcels[decided].notna().any(axis="columns")
    return np.asarray(kept.to_numpy(dtype=bool))


def _left_out(parcels: gpd.GeoDataFrame) -> dict[str, Any]:
    return {
        "count": len(parcels),
        "area_mu": round(float(parcels["area_mu"].sum()), 4),
        "statuses": {str(k): int(n) for k, n in parcels["status"].value_counts().sort_index().items()},
    }


def _parcels(
    parcels: gpd.GeoDataFrame,
    context: MapContext,
    optional: Sequence[str],
    new_far: npt.NDArray[np.float64] | None,
) -> dict[str, Any]:
    names = list(dict.fromkeys([*PARCEL_COLUMNS, *(name for name in optional if name in parcels.columns)]))
    result = table(parcels, names, encode_polygons(parcels.geometry.values))
    result["columns"]["reason_zh"] = column(parcels["reason"].map(_in_chinese, na_action="ignore"))
    result["columns"] |= page_facts.fact_columns(context, parcels)
    if new_far is not None:
        result["columns"]["new_far"] = [None if np.isnan(v) else round(v, 4) for v in new_far.tolist()]
    return result


def _in_chinese(reason: str) -> str:
    return translated(reason, "zh")


def _blocks(tables: PlanTables, blocks: gpd.GeoDataFrame, of_blocks: Any, place: Any) -> dict[str, Any]:
    outlines = block_outlines(tables)
    names = [*BLOCK_COLUMNS, *(name for name in ("mode", CODE_COLUMN) if name in blocks.columns)]
    result = table(blocks, names, encode_polygons(blocks.geometry.values))
    result["columns"]["hatch"] = block_hatches(tables.blocks, outlines).tolist() if len(outlines) else []
    result["columns"]["label_at"] = _lat_lng(shapely.point_on_surface(blocks.geometry.values))
    decimals = {name: 4 if unit == "far" else places for name, (unit, places) in page_facts.BLOCK_FACTS.items()}
    result["columns"] |= {str(name): column(of_blocks[name], decimals.get(str(name))) for name in of_blocks.columns}
    result["outlines"] = _outlines(tables.blocks, outlines, place)
    return result


def _block_facts(names: Sequence[str]) -> list[dict[str, Any]]:
    """Columns of facts that blocks have: ``name``, ``unit``, ``decimals``; milestones are texts."""
    known = page_facts.BLOCK_FACTS
    return [
        {"name": str(name), "unit": known[name][0], "decimals": min(known[name][1], 2)}
        if name in known
        else {"name": str(name), "unit": "month", "decimals": None}
        for name in names
    ]


def _outlines(blocks: gpd.GeoDataFrame, outlines: npt.NDArray[np.object_], place: Any) -> list[Any]:
    """Outlines across lanes; empty for blocks whose outline is their own."""
    own = np.array(blocks.geometry.to_numpy(), dtype=object)
    drawn = np.array([None if a is b else b for a, b in zip(own, outlines, strict=True)], dtype=object)
    if not len(drawn):
        return []
    frame = gpd.GeoDataFrame(geometry=gpd.GeoSeries(drawn, crs=blocks.crs))
    return encode_polygons(place(frame).geometry.values)


def _lat_lng(points: npt.NDArray[np.object_]) -> list[list[float]]:
    return [[round(p.y, 6), round(p.x, 6)] for p in points]


def _tops(shapes: npt.ArrayLike) -> list[list[float]]:
    """Northernmost vertex of each shape: where a zone's name covers least of what lies inside."""
    tops = []
    for shape in np.asarray(shapes, dtype=object):
        coordinates = shapely.get_coordinates(shape)
        x, y = coordinates[np.argmax(coordinates[:, 1])]
        tops.append([round(float(y), 6), round(float(x), 6)])
    return tops


def _bounds(land: gpd.GeoDataFrame, zones: gpd.GeoDataFrame, tables: PlanTables) -> list[list[float]]:
    """What the map shows first: the blocks with the zones they lie in, or all parcels where there is no block."""
    within = zones[zones["zone"].isin(tables.blocks["zone"].dropna())] if len(tables.blocks) else zones.iloc[:0]
    boxes = np.array([frame.total_bounds for frame in (land, within) if len(frame)])
    west, south = boxes[:, :2].min(axis=0).tolist()
    east, north = boxes[:, 2:].max(axis=0).tolist()
    return [[south, west], [north, east]]


def _meta(tables: PlanTables, context: MapContext) -> dict[str, Any]:
    return {
        "title": context.title,
        "project": context.project,
        "synthetic": context.synthetic,
        "note": context.note,
        "stamp": context.stamp,
        "currency": context.currency,
        "status": context.status,
        "objective": context.objective,
        "bound": context.bound,
        "gap": context.gap,
        "version": context.version,
        "config_hash": context.config_hash,
        "input_hash": context.input_hash,
        "has_cost": "cost" in tables.parcels.columns,
        "crs": crs_name(tables.parcels.crs),
    }


def _phases(phases: Sequence[PhaseFigures]) -> list[dict[str, Any]]:
    colours = palette.phase_colours(len(phases))
    return [
        {
            "id": phase.id,
            "year": phase.year,
            "target_mu": phase.target_mu,
            "stretch_mu": phase.stretch_mu,
            "area_mu": phase.area_mu,
            "cumulative_mu": phase.cumulative_mu,
            "cost": phase.cost,
            "colour": colour,
        }
        for phase, colour in zip(phases, colours, strict=True)
    ]


def _palette() -> dict[str, Any]:
    return {
        "status": palette.STATUS,
        "muted": palette.MUTED,
        "score": palette.SCORE,
        "score_unknown": palette.SCORE_UNKNOWN,
        "parcel_outline": palette.PARCEL_OUTLINE,
        "filler_outline": palette.FILLER_OUTLINE,
        "block_outline": palette.BLOCK_OUTLINE,
        "locked_in": palette.LOCKED_IN,
        "locked_out": palette.LOCKED_OUT,
        "link_used": palette.LINK_USED,
        "link_unused": palette.LINK_UNUSED,
        "barrier": palette.BARRIER,
        "zone": palette.ZONE,
        "highlight": palette.HIGHLIGHT,
        "unknown": palette.UNKNOWN,
        "others": palette.OTHERS,
        "change": palette.CHANGE,
        "change_hatches": palette.CHANGE_HATCHES,
        "holdout": palette.HOLDOUT,
        "overlap": palette.OVERLAP,
        "leftover": palette.LEFTOVER,
    }
