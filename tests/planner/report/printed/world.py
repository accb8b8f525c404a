"""A small plan with its configuration and summary, for the tests of the printed map."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import geopandas as gpd
import matplotlib
import numpy as np
import pandas as pd
import shapely
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.text import Text

from planner.config import Config
from planner.contents import PlanContents
from planner.report.printed.page import FRAME, MM_PER_INCH, Box, Page
from planner.tables import PlanTables
from tests.planner.land_builders import BASE, merged
from tests.planner.report.plan_builders import CRS, grid_plan

_SLACK_MM = 0.5
"""What hinting may add to the width of a line."""


def small_tables() -> PlanTables:
    """108 parcels in three phases, with every kind of thing on the map."""
    tables = grid_plan(columns=12, rows=9)
    west, south, east, north = tables.parcels.total_bounds
    overlays = gpd.GeoDataFrame(
        {"overlay": ["red line", "farmland"], "effect": ["exclude", "tag"]},
        geometry=[
            shapely.box(west, south, west + 150, south + 150),
            shapely.LineString([(west, north), (east, south)]),
        ],
        crs=CRS,
    )
    first = tables.parcels[tables.parcels["block_id"].notna()].iloc[[0]]
    holdouts = first[["parcel_id", "block_id", "phase", "area_mu", "geometry"]]
    return replace(tables, overlays=overlays, holdouts=holdouts)


def contents(tables: PlanTables | None = None, modes: Mapping[str, pd.DataFrame] | None = None, **changes: Any) -> Any:
    """A plan to be printed; `changes` are sections of its configuration."""
    tables = small_tables() if tables is None else tables
    base = {"report": {"show": {"village": "village", "far": "far"}}, "project": {"name": "grid", "synthetic": True}}
    config = Config.model_validate(merged(BASE, base, changes))
    return PlanContents(config, tables, summary_of(tables), dict(modes or {}))


def summary_of(tables: PlanTables) -> dict[str, Any]:
    """Figures of the phases, taken from the blocks."""
    areas = tables.blocks.groupby(tables.blocks["phase"].astype(int))["area_mu"].sum().sort_index()
    phases = [
        {
            "phase": phase,
            "id": f"P{phase}",
            "year": 2 * phase - 1,
            "target_mu": 10.0,
            "area_mu": float(areas[phase]),
            "cumulative_mu": float(areas.loc[:phase].sum()),
        }
        for phase in areas.index
    ]
    return {
        "status": "feasible",
        "gap": 0.0123,
        "version": "1.2.3",
        "input_hash": "ab" * 32,
        "config_hash": "cd" * 32,
        "phases": phases,
    }


def extent_mm(item: Text, page: Page, renderer: Any) -> Box:
    """Where a text really stands, as it is drawn."""
    found = item.get_window_extent(renderer)
    mm = MM_PER_INCH / page.figure.dpi
    return Box(found.x0 * mm, found.y0 * mm, found.width * mm, found.height * mm)


def assert_tidy(page: Page) -> None:
    """Parts lie side by side inside the frame, every text inside its part, and nothing was taken for a formula."""
    boxes = list(page.boxes.values())
    for i, box in enumerate(boxes):
        assert inside(box, FRAME, 1e-6), page.boxes
        assert not any(overlap(box, other) for other in boxes[:i]), page.boxes
    page.figure.set_dpi(200)
    renderer = FigureCanvasAgg(page.figure).get_renderer()
    assert len({id(item) for item, _ in page.texts}) == len(page.texts) > 0
    for item, box in page.texts:
        assert not item.get_parse_math()
        assert inside(extent_mm(item, page, renderer), box, _SLACK_MM), (item.get_text(), box)


def inside(box: Box, other: Box, slack: float) -> bool:
    return (
        box.x >= other.x - slack
        and box.y >= other.y - slack
        and box.right <= other.right + slack
        and box.top <= other.top + slack
    )


def overlap(box: Box, other: Box) -> bool:
    across = min(box.right, other.right) - max(box.x, other.x)
    along = min(box.top, other.top) - max(box.y, other.y)
    return across > 1e-6 and along > 1e-6


def texts(page: Page) -> list[str]:
    return [item.get_text() for item, _ in page.texts]


def settings() -> dict[str, Any]:
    """Settings of matplotlib, to see that they are left alone."""
    return dict(matplotlib.rcParams)


def square(side_m: float, east: float, north: float) -> Any:
    return shapely.box(east, north, east + side_m, north + side_m)


def long_block(count: int) -> PlanTables:
    """One block of a row of `count` parcels."""
    side = 20.0
    geometry = np.array([square(side, 500_000 + side * i, 2_500_000) for i in range(count)], dtype=object)
    area = side * side * 15 / 10_000
    parcels = gpd.GeoDataFrame(
        {
            "parcel_id": [f"L{i:04d}" for i in range(count)],
            "area_mu": area,
            "score": 0.5,
            "status": "selected",
            "role": "candidate",
            "reason": "in block B1",
            "locked": None,
            "block_id": "B1",
            "phase": pd.array([1] * count, dtype="Int64"),
            "zone": None,
            "far": 0.5,
            "village": "west",
        },
        geometry=geometry,
        crs=CRS,
    )
    blocks = gpd.GeoDataFrame(
        {
            "block_id": ["B1"],
            "phase": pd.array([1], dtype="Int64"),
            "zone": [None],
            "area_mu": [area * count],
            "n_parcels": [count],
            "score_mean": [0.5],
        },
        geometry=[shapely.union_all(geometry)],
        crs=CRS,
    )
    nothing = gpd.GeoDataFrame(geometry=[], crs=CRS)
    return PlanTables(parcels, blocks, nothing, nothing, nothing, nothing)
