"""Four parcels of 10, 20, 30 and 40 mu in two blocks, with figures that can be worked out by hand."""

from __future__ import annotations

from typing import Any

import geopandas as gpd
import pandas as pd
import shapely

from planner.contents import PlanContents
from planner.tables import LINK_COLUMNS, PlanTables
from tests.planner.report.compare.builders import plan_contents, settings

CRS = "EPSG:4547"
SHOW = {
    "village": "village",
    "floor_m2": "floor",
    "signed_share": "signed",
    "right_holders": "holders",
}


def small_tables(**columns: list[Any]) -> PlanTables:
    """Blocks A (10 and 30 mu, phase 1) and B (20 mu, phase 2); the fourth parcel is left out."""
    boxes = [shapely.box(500_000 + 100 * k, 2_520_000, 500_100 + 100 * k, 2_520_100) for k in range(4)]
    parcels = gpd.GeoDataFrame(
        {
            "parcel_id": ["a", "b", "c", "d"],
            "area_mu": [10.0, 20.0, 30.0, 40.0],
            "score": [0.5] * 4,
            "status": ["selected", "selected", "selected", "eligible"],
            "role": ["candidate"] * 4,
            "reason": ["in block A: low-efficient"] * 3 + ["not worth it"],
            "locked": [None] * 4,
            "block_id": ["A", "B", "A", None],
            "phase": pd.array([1, 2, 1, None], dtype="Int64"),
            "zone": [None] * 4,
            "cost": [100.0, 200.0, 300.0, 400.0],
            "village": ["west", "west", "east", "far"],
            "floor": [1000.0, 2000.0, 3000.0, 9000.0],
            "signed": [1.0, 0.5, 0.0, 1.0],
            "holders": [2.0, 4.0, 2.0, 1.0],
            "tax": [1.0] * 4,
        }
        | columns,
        geometry=boxes,
        crs=CRS,
    )
    blocks = gpd.GeoDataFrame(
        {
            "block_id": ["A", "B"],
            "phase": [1, 2],
            "zone": [None, None],
            "area_mu": [40.0, 20.0],
            "n_parcels": [2, 1],
            "score_mean": [0.5, 0.5],
            "cost": [400.0, 200.0],
            "perimeter_m": [800.0, 400.0],
            "compactness": [0.25, 0.7],
            "bridged_links": [3, 0],
        },
        geometry=[shapely.MultiPolygon([boxes[0], boxes[2]]), boxes[1]],
        crs=CRS,
    )
    nothing = gpd.GeoDataFrame(geometry=[], crs=CRS)
    links = gpd.GeoDataFrame(pd.DataFrame(columns=[*LINK_COLUMNS, "used"]), geometry=[], crs=CRS)
    return PlanTables(parcels, blocks, nothing.assign(zone=[]), links, nothing.assign(name=[]), nothing)


def small_plan(tables: PlanTables | None = None, config: Any = None, **summary: Any) -> PlanContents:
    """The small plan with facts of its parcels."""
    fields = {name: {"column": name} for name in ("floor", "signed", "holders", "tax")}
    fields["village"] = {"column": "village", "type": "text"}
    given = config or settings(report__show=SHOW, parcels__fields=fields)
    return plan_contents(tables or small_tables(), given, **summary)
