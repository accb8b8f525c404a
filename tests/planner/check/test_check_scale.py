"""Three thousand parcels in twenty blocks are judged in well under five seconds."""

from __future__ import annotations

import time

import geopandas as gpd
import numpy as np
import pytest
import shapely

from planner.check import Claims, check_plan
from planner.config import Config
from tests.planner.check.check_builders import CRS, EAST, HIGH, M2_PER_MU, NORTH, WIDE, HandPlan, honest_plan

COLUMNS, ROWS = 60, 50
PER_BLOCK = 7  # blocks of 7 × 7 parcels, 490 mu


def wavy(row: int, column: int) -> shapely.Polygon:
    """A cell with some twenty vertices; neighbours have theirs in common."""
    x, x1 = (EAST + c * WIDE for c in (column, column + 1))
    y, y1 = (NORTH + r * HIGH for r in (row, row + 1))
    step = np.linspace(0, 1, 6)[:-1]

    def edge(xa: float, ya: float, xb: float, yb: float) -> list[tuple[float, float]]:
        bend = np.sin(2 * np.pi * step) * 3
        across, up = (0.0, 1.0) if ya == yb else (1.0, 0.0)
        return list(zip(xa + (xb - xa) * step + across * bend, ya + (yb - ya) * step + up * bend, strict=True))

    low, left = edge(x, y, x1, y), edge(x, y, x, y1)
    high, right = edge(x, y1, x1, y1), edge(x1, y, x1, y1)
    ring = [*low, *right, (x1, y1), *reversed(high[1:]), (x, y1), *reversed(left[1:])]
    return shapely.Polygon(ring)


def large_plan() -> HandPlan:
    plan = honest_plan()
    names = [(r, c) for r in range(ROWS) for c in range(COLUMNS)]
    block_of = [
        f"B{r // (PER_BLOCK + 1)}_{c // (PER_BLOCK + 1)}"
        if r % (PER_BLOCK + 1) < PER_BLOCK and c % (PER_BLOCK + 1) < PER_BLOCK and r < 32 and c < 40
        else None
        for r, c in names
    ]
    template = plan.parcels.iloc[[plan.row("r0c4")] * len(names)].reset_index(drop=True)
    template["parcel_id"] = [f"{r}_{c}" for r, c in names]
    template["block_id"] = block_of
    taken = template["block_id"].notna()
    template["status"] = np.where(taken, "selected", "eligible")
    template["role"] = ["candidate" if t else None for t in taken]
    template["phase"] = template["phase"].where(~taken, 1)
    plan.parcels = template.set_geometry([wavy(r, c) for r, c in names])
    plan.parcels["zone"] = "South"
    plan.zones = gpd.GeoDataFrame(
        {"zone": ["South"]}, geometry=[shapely.box(*plan.parcels.total_bounds).buffer(10)], crs=CRS
    )
    plan.links, plan.barriers = plan.links.iloc[:0], plan.barriers.iloc[:0]
    plan.optimise["phases"] = [{"id": "P1", "year": 1, "target_mu": 9000}]
    plan.optimise["block"] = {"min_mu": 400, "max_mu": 600}
    plan.optimise["locks"], plan.config["overlays"], plan.overlays = {}, [], plan.overlays.iloc[:0]
    plan.follow()
    outline = plan.blocks.geometry.length  # blocks are full squares: the length of their union is their perimeter
    plan.blocks["perimeter_m"] = outline
    plan.blocks["compactness"] = 4 * np.pi * plan.blocks["area_mu"] * M2_PER_MU / outline**2
    return plan


def test_three_thousand_parcels_are_judged_within_five_seconds() -> None:
    plan = large_plan()
    assert (len(plan.parcels), len(plan.blocks)) == (3000, 20)
    start = time.process_time()
    report = check_plan(plan.tables(), Config.model_validate(plan.config), Claims())
    assert time.process_time() - start < 5
    assert report.findings == ()
    assert report.measured["study_area_mu"] == pytest.approx(plan.parcels.geometry.area.sum() / M2_PER_MU)
