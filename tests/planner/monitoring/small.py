"""The plan of three projects of the workbook's tests, with codes, and entries that are worked out by hand.

Levelled counts; 50 mu by the end of 2026 and 100 by the end of 2027, at best 110. QX-2026-001 = P1-01 (30.007 mu),
-002 = P1-02 (30.004), -003 = P2-01 (45.006).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import geopandas as gpd
import shapely

from planner.contents import PlanContents
from planner.monitoring.entries import Entries, Entry
from planner.monitoring.months import Calendar
from planner.monitoring.standing import Progress, standing_of
from tests.planner.report.workbook.small_plan import contents_of

ONE, TWO, THREE = CODES = ("QX-2026-001", "QX-2026-002", "QX-2026-003")
AT = "2026-12"
"""The last month of the first phase."""

DONE = Entry(
    ONE,
    "done",
    {
        "launched": "2026-01",
        "signed": "2026-03",
        "demolished": "2026-06",
        "levelled": "2026-09",
        "accepted": "2026-12",
    },
    cleared_mu=28.5,
    accepted_mu=28.0,
)
"""In time, 28.5 of 30.007 mu cleared."""
LATE = Entry(
    TWO,
    "running",
    {"launched": "2026-02", "signed": "2026-05", "demolished": "2026-10"},
    cleared_mu=10.0,
)
"""Planned 2026-01, -03, -06: one, two and four months late."""


def coded(*changes: Mapping[str, Any], columns: Mapping[str, Any] | None = None, **more: Any) -> PlanContents:
    """The plan with codes; `columns` are added to the parcels (A1 … A5, X1)."""
    contents = contents_of(*(dict(c) for c in changes), **more)
    blocks = contents.tables.blocks.sort_values("block_id").reset_index(drop=True)
    blocks = blocks.assign(project_code=list(CODES)[: len(blocks)])
    parcels = contents.tables.parcels.assign(**dict(columns or {}))
    crs = parcels.crs
    links = gpd.GeoDataFrame({"parcel_a": [], "parcel_b": [], "gap_m": [], "used": []}, geometry=[], crs=crs)
    zones = gpd.GeoDataFrame({"zone": ["west"]}, geometry=[shapely.box(-1, -1, 8, 2)], crs=crs)
    barriers = gpd.GeoDataFrame({"name": ["river"]}, geometry=[shapely.box(0, -2, 6, -1)], crs=crs)
    layers = {"links": links, "zones": zones, "barriers": barriers}
    return replace(contents, tables=replace(contents.tables, blocks=blocks, parcels=parcels, **layers))


def entries_of(*entries: Entry) -> Entries:
    """Entries of a form."""
    return Entries({entry.code: entry for entry in entries}, "folder/progress.xlsx")


def standing(*entries: Entry, at: str = AT, contents: PlanContents | None = None) -> Progress:
    """Where the plan stands with these entries."""
    return standing_of(contents or coded(), entries_of(*entries), at, Calendar())


def csv_file(folder: Path, *lines: str, name: str = "entries.csv") -> Path:
    """A CSV of these lines."""
    path = folder / name
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path
