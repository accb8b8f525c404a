"""A made-up plan with everything that the review map can show."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from planner.report.context import MapContext
from planner.tables import PlanTables
from tests.planner.report.plan_builders import CRS, M2_PER_MU, context_of, grid_plan

MODE_NAMES = {
    "collective_led": {"en": "Led by the collective", "zh": "集体主导"},
    "deferred_payment": {"en": "Deferred payment", "zh": "延期付款"},
}


def rich_plan(columns: int = 12, rows: int = 9, **changes: Any) -> tuple[PlanTables, MapContext]:
    """Modes, facts, what changed, red lines, hold-outs, left-over land; `changes` are those of the context."""
    tables = grid_plan(columns=columns, rows=rows)
    parcels = tables.parcels.copy()
    blocks = tables.blocks.copy()
    count = len(parcels)
    number = np.arange(count)
    selected = parcels["block_id"].notna().to_numpy()
    modes = [list(MODE_NAMES)[k % 2] for k in range(len(blocks))]
    blocks["mode"] = modes
    parcels["mode"] = parcels["block_id"].map(dict(zip(blocks["block_id"], modes, strict=True))).astype(object)
    change = np.full(count, None, dtype=object)
    change[np.flatnonzero(selected)[:3]] = "entered"
    change[np.flatnonzero(selected)[3]] = "later"
    change[np.flatnonzero(~selected)[0]] = "left"
    parcels["change"] = change
    parcels["note"] = np.where(number == 4, "ask the owner", None)
    parcels["forced_loss"] = np.where(number % 3 == 0, 1000.0 * number, np.nan)
    tables = replace(
        tables,
        parcels=parcels,
        blocks=blocks,
        overlays=_overlays(parcels),
        overlaps=_overlaps(parcels),
        holdouts=_holdouts(parcels),
        leftovers=_leftovers(parcels),
    )
    facts = pd.DataFrame(
        {
            "village": parcels["village"].astype(object),
            "lease_year": pd.array(np.where(number % 4 == 0, np.nan, 1 + number % 12), dtype="Float64"),
            "signed_share": pd.array((number % 11) / 10, dtype="Float64"),
            "far": pd.array(parcels["far"], dtype="Float64"),
        }
    ).set_index(pd.Index(parcels["parcel_id"], name="parcel_id"))
    given: dict[str, Any] = {
        "facts": facts,
        "modes": _mode_tables(blocks),
        "mode_names": MODE_NAMES,
        "overlay_names": {"farmland": "永久基本农田", "growth": "Growth boundary"},
    }
    return tables, context_of(tables, **(given | changes))


def _overlays(parcels: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    x0, y0, x1, y1 = parcels.total_bounds
    shapes = [shapely.box(x0 - 20, y0 - 20, x0 + 0.3 * (x1 - x0), y1), shapely.box(x0 - 50, y0 - 50, x1, y1)]
    frame = {
        "overlay": ["farmland", "growth"],
        "effect": ["exclude", "require"],
        "tolerance_m2": [1.0, 1.0],
        "tolerance_share": [0.0, 0.0],
    }
    return gpd.GeoDataFrame(frame, geometry=shapes, crs=CRS)


def _overlaps(parcels: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    found = []
    for name, shape in zip(("farmland", "growth"), _overlays(parcels).geometry, strict=True):
        part = parcels.geometry.intersection(shape)
        area = part.area.to_numpy()
        kept = np.flatnonzero(area > 1)[:5]
        records = {
            "parcel_id": parcels["parcel_id"].to_numpy()[kept],
            "overlay": name,
            "overlap_m2": area[kept],
            "share": area[kept] / parcels.geometry.area.to_numpy()[kept],
            "attribute": None,
        }
        found.append(gpd.GeoDataFrame(records, geometry=part.to_numpy()[kept], crs=CRS))
    return gpd.GeoDataFrame(pd.concat(found, ignore_index=True), crs=CRS)


def _holdouts(parcels: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    chosen = parcels[parcels["block_id"].notna()].iloc[10:12]
    frame = chosen[["parcel_id", "block_id", "phase", "area_mu"]].reset_index(drop=True)
    frame["lost_mu"] = [40.5, 12.25]
    frame["worth_lost"] = [1.5e6, 0.0]
    frame["breaks"] = ["target of P2: 12 mu short", None]
    frame["kind"] = "free"
    return gpd.GeoDataFrame(frame, geometry=chosen.geometry.to_numpy(), crs=CRS)


def _leftovers(parcels: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    row = parcels[parcels["status"] == "eligible"].iloc[[0]]
    frame = {
        "leftover_id": ["L01"],
        "area_mu": [float(row.geometry.area.iloc[0] / M2_PER_MU)],
        "n_parcels": [1],
        "blocks": ["B00, B02"],
        "enclosed_share": [0.75],
        "parcels": row["parcel_id"].tolist(),
    }
    return gpd.GeoDataFrame(frame, geometry=row.geometry.to_numpy(), crs=CRS)


def _mode_tables(blocks: gpd.GeoDataFrame) -> dict[str, pd.DataFrame]:
    ids = blocks["block_id"].tolist()
    count = len(ids)
    space = pd.DataFrame(
        {
            "block_id": ids[::-1],  # rows in another order than the blocks
            "far_before": np.linspace(0.5, 1.0, count),
            "far_after": np.linspace(1.5, 2.5, count),
            "before_output_yuan_per_mu": [np.nan] + [5e5] * (count - 1),
            "after_output_yuan_per_mu": 9e6,
            "before_tax_yuan_per_mu": np.nan,
        }
    )
    consent = pd.DataFrame({"block_id": ids, "signed_holders_share": 0.25, "signed_area_share": 0.5})
    milestones = pd.DataFrame({"block_id": ids[1:], "phase": 1, "mode": "x", "launched": "0-07", "built": "3-12"})
    return {"space_blocks": space, "consent": consent, "milestones": milestones}
