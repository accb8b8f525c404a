"""The page of a report on progress: one self-contained HTML file that needs no network and may ask for none."""

from __future__ import annotations

import html
from collections.abc import Mapping
from typing import Any, Final

import geopandas as gpd
import numpy as np
import shapely

from planner.contents import PlanContents
from planner.labels import Labels, label_table
from planner.monitoring.form import AREA
from planner.report.assets import leaflet_script, leaflet_style
from planner.report.bodies import block_outlines
from planner.report.encode import degrees, encode_lines, encode_polygons, to_inline_json
from planner.report.policy import POLICY_PLACE, with_policy
from planner.report.progress import assets
from planner.report.progress.colours import page_palette
from planner.report.progress.data import SOON_MONTHS, definitions
from planner.report.progress.text import milestones_of

MOST_DRAWN: Final = 12_000
"""With more parcels those outside the plan are not drawn."""


def progress_page(contents: PlanContents, data: Mapping[str, Any]) -> str:
    """The page, as text; the same report gives the same text.

    Parameters
    ----------
    contents : PlanContents
        Its ``report.language`` is the one that the page opens in.
    data : mapping
        See `planner.report.progress.data.progress_data`.

    Raises
    ------
    planner.report.assets.AssetError
        If Leaflet is not installed in the version the page needs.
    """
    language = contents.config.report.language
    shown = {
        "report": data,
        "language": language,
        "labels": label_table("map", AREA),
        "palette": page_palette(),
        "milestones": milestones_of(data),
        "definitions": definitions(data),
        "soon_months": SOON_MONTHS,
        "land": _land(contents),
    }
    title = html.escape(f"{Labels.of(language, AREA)('mon_title', data['at'])}: {contents.title}")
    codes = "\n".join(f"<script>{code}</script>" for code in (leaflet_script(), *assets.scripts()))
    start = 'planProgress.start(JSON.parse(document.getElementById("progress-data").textContent));'
    page = f"""<!DOCTYPE html>
<html lang="{"zh-CN" if language == "zh" else "en"}">
<head>
<meta charset="UTF-8">
<meta http-equiv="Content-Security-Policy" content="{POLICY_PLACE}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>{leaflet_style()}</style>
<style>{assets.style()}</style>
{codes}
</head>
<body>
<header id="progress-header"></header>
<main id="progress-main"></main>
<noscript>This page needs JavaScript; progress.md holds the same figures.</noscript>
<script type="application/json" id="progress-data">{to_inline_json(shown)}</script>
<script>{start}</script>
</body>
</html>
"""
    return with_policy(page)


def _land(contents: PlanContents) -> dict[str, Any]:
    """Blocks by id with the place of their label, parcels outside the plan, zones and barriers."""
    tables = contents.tables
    blocks = tables.blocks
    outlines = block_outlines(tables)
    whole = degrees(gpd.GeoDataFrame(geometry=gpd.GeoSeries(outlines, crs=blocks.crs), crs=blocks.crs))
    parcels = tables.parcels
    outside = parcels[parcels["block_id"].isna()] if len(parcels) <= MOST_DRAWN else parcels.iloc[:0]
    barriers = degrees(tables.barriers)
    areal = barriers.geom_type.isin(["Polygon", "MultiPolygon"]).to_numpy(dtype=bool)
    everything = degrees(blocks if len(blocks) else parcels)
    west, south, east, north = everything.total_bounds.tolist()
    return {
        "blocks": {
            "columns": {"block_id": [str(i) for i in blocks["block_id"]], "label_at": _label_places(whole)},
            "shapes": encode_polygons(whole.geometry.to_numpy()),
        },
        "outside": encode_polygons(degrees(outside).geometry.to_numpy()),
        "zones": encode_polygons(degrees(tables.zones).geometry.to_numpy()),
        "barrier_areas": encode_polygons(barriers.geometry.to_numpy()[areal]),
        "barrier_lines": encode_lines(barriers.geometry.to_numpy()[~areal]),
        "bounds": [[south, west], [north, east]],
    }


def _label_places(frame: gpd.GeoDataFrame) -> list[list[float]]:
    points = shapely.point_on_surface(np.array(frame.geometry.to_numpy(), dtype=object))
    return [[round(p.y, 6), round(p.x, 6)] for p in points]
