"""Time and size of the review map by number of parcels: ``python -m benchmarks.map_page``.

Generated land with a made-up plan on a fifth of it is written as a page, opened in headless Chromium without a network,
and redrawn, coloured anew and stepped through its phases, all of the plan in view. Times of drawing hold the work of
the page's scripts and of the canvas, not the waiting for the next frame of the screen. Of several tries the shortest
counts: what the page needs, without what else the machine does.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from playwright.sync_api import sync_playwright

from geodata.spec import SyntheticSpec
from geodata.synthetic import PARCEL_ID, generate
from geodata.write import write_text
from planner.report.context import MapContext, PhaseFigures
from planner.report.map import render_map
from planner.tables import LINK_COLUMNS, PlanTables

SIZES: Final = (1_000, 10_000, 50_000)
PHASES: Final = 5
CELL_M: Final = 350.0
"""Side of the square of land that makes a block."""
TAKEN: Final = 5
"""One cell of so many is taken."""
NEAR_M: Final = 12.0
TRIES: Final = 3
BROWSERS: Final = ("chromium", "chromium-browser", "google-chrome", "chrome", "msedge")

TIMES: Final = """async () => {
  const { map, parcelLayers, data } = planMap.view;
  const first = parcelLayers.flatMap((group) => group.getLayers())[0];
  const renderer = map.getRenderer(first);
  const frame = () => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
  const least = async (values, change) => {
    const times = [];
    for (const value of values) {
      await frame();
      const start = performance.now();
      change(value);
      renderer._redraw();
      times.push(performance.now() - start);
    }
    return Math.min(...times);
  };
  const whole = () => { renderer._redrawBounds = null; };
  const steps = [...Array(data.phases.length).keys()];
  const paint = performance.getEntriesByName("first-contentful-paint")[0];
  const { loadEventEnd, navigationStart } = performance.timing;
  return {
    paint_ms: paint ? paint.startTime : null,
    load_ms: loadEventEnd - navigationStart,
    redraw_ms: await least([0, 1, 2, 3, 4, 5, 6], whole),
    recolour_ms: await least(["score", "status", "phase", "far"], (key) => planMap.colourBy(planMap.view, key)),
    step_ms: await least([...steps, ...steps.reverse()], (k) => planMap.showStep(planMap.view, k)),
    drawn: planMap.view.parcelLayer.filter(Boolean).length,
  };
}"""
"""Figures of an open page, in milliseconds; the tests of the page use it too."""


@dataclass(frozen=True)
class Row:
    """Figures of one size.

    Attributes
    ----------
    parcels, drawn : int
        Parcels of the plan, and those of them that the page holds.
    write_s, size_mb : float
        Time to make and write the page, and its size.
    paint_ms, load_ms, redraw_ms, recolour_ms, step_ms : float
        First paint, loaded and ready, and drawing the map; the shortest of some tries.
    """

    parcels: int
    drawn: int
    write_s: float
    size_mb: float
    paint_ms: float
    load_ms: float
    redraw_ms: float
    recolour_ms: float
    step_ms: float


def made_up_plan(n_parcels: int, seed: int = 3) -> tuple[PlanTables, MapContext]:
    """Generated land of which every fifth square is a block, in five phases."""
    land = generate(SyntheticSpec(case="fabric", n_parcels=n_parcels, seed=seed)).parcels
    parcels = _parcels(land)
    blocks = _blocks(parcels)
    nothing = gpd.GeoDataFrame({"name": pd.Series(dtype=object)}, geometry=[], crs=land.crs)
    zones = gpd.GeoDataFrame({"zone": pd.Series(dtype=object)}, geometry=[], crs=land.crs)
    tables = PlanTables(parcels, blocks, zones, _links(parcels), nothing, nothing.iloc[:0])
    return tables, _context(parcels, land)


def _parcels(land: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    centres = shapely.get_coordinates(shapely.centroid(land.geometry.to_numpy()))
    cell = np.floor((centres - centres.min(axis=0)) / CELL_M).astype(int)
    number = cell[:, 1] * (cell[:, 0].max() + 1) + cell[:, 0]
    taken = (cell[:, 0] + 2 * cell[:, 1]) % TAKEN == 0
    phase = number // TAKEN % PHASES + 1
    score = np.random.default_rng(1).beta(2, 2, len(land)).round(3)
    frame = pd.DataFrame(
        {
            "parcel_id": land[PARCEL_ID].astype(str),
            "area_mu": shapely.area(land.geometry.to_numpy()) * 15 / 10_000,
            "score": score,
            "status": np.where(taken, "selected", np.where(score > 0.4, "eligible", "ineligible")),
            "role": pd.Series("candidate", index=land.index).where(taken | (score > 0.4), None),
            "reason": np.where(taken, "in the plan", "not needed for the targets"),
            "locked": np.full(len(land), None, dtype=object),
            "block_id": [f"P{p}-{n:04d}" if t else None for t, p, n in zip(taken, phase, number, strict=True)],
            "phase": pd.array(np.where(taken, phase, 0), dtype="Int64"),
            "zone": land["村(社区)"].astype(object),
            "cost": np.round(land["拆迁补偿_万元"].astype(float) * 10_000),
        }
    )
    frame["phase"] = frame["phase"].where(taken)
    return gpd.GeoDataFrame(frame, geometry=land.geometry.to_numpy(), crs=land.crs)


def _blocks(parcels: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    chosen = parcels[parcels["block_id"].notna()]
    groups = chosen.groupby("block_id", sort=True)
    shapes = [shapely.union_all(group.to_numpy()) for _, group in groups.geometry]
    frame = groups.agg(
        phase=("phase", "first"),
        zone=("zone", "first"),
        area_mu=("area_mu", "sum"),
        n_parcels=("parcel_id", "size"),
        score_mean=("score", "mean"),
        cost=("cost", "sum"),
    ).reset_index()
    perimeter = shapely.length(shapes)
    frame = frame.assign(
        perimeter_m=perimeter, compactness=4 * np.pi * shapely.area(shapes) / perimeter**2, bridged_links=0
    )
    return gpd.GeoDataFrame(frame, geometry=shapes, crs=parcels.crs)


def _links(parcels: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Shortest lines over lanes between parcels of one block."""
    chosen = parcels[parcels["block_id"].notna()]
    shapes, ids, blocks = (chosen[c].to_numpy() for c in ("geometry", "parcel_id", "block_id"))
    a, b = shapely.STRtree(shapes).query(shapes, predicate="dwithin", distance=NEAR_M)
    gap = shapely.distance(shapes[a], shapes[b])
    kept = (a < b) & (blocks[a] == blocks[b]) & (gap > 1)
    a, b, gap = a[kept], b[kept], gap[kept]
    records = dict(zip(LINK_COLUMNS, (ids[a], ids[b], gap), strict=True)) | {"used": np.ones(len(a), dtype=bool)}
    return gpd.GeoDataFrame(records, geometry=shapely.shortest_line(shapes[a], shapes[b]), crs=parcels.crs)


def _context(parcels: gpd.GeoDataFrame, land: gpd.GeoDataFrame) -> MapContext:
    area = parcels.groupby("phase")["area_mu"].sum()
    sums = area.cumsum()
    figures = tuple(
        PhaseFigures(f"P{k}", int(k), 0.95 * float(sums[k]), None, float(area[k]), float(sums[k])) for k in area.index
    )
    facts = {
        "village": land["村(社区)"].astype(object),
        "land_use": land["用地现状"].astype(object),
        "lease_year": land["租约到期年"].astype("Float64"),
        "signed_share": land["签约率"].astype("Float64"),
        "far": land["容积率"].astype("Float64"),
        "floor_m2": land["建筑面积_m2"].astype("Float64"),
    }
    name = f"{len(parcels)} generated parcels"
    return MapContext(
        title=name,
        project=name,
        currency="CNY",
        phases=figures,
        status="feasible",
        version="0",
        config_hash="0",
        input_hash="0",
        synthetic=True,
        facts=pd.DataFrame(facts).set_axis(parcels["parcel_id"]),
    )


def measure(n_parcels: int, browser: Any, folder: Path) -> Row:
    """Write, open and draw the page of one size."""
    tables, context = made_up_plan(n_parcels)
    path = folder / f"map-{n_parcels}.html"
    start = time.perf_counter()
    write_text(render_map(tables, context), path)
    written = time.perf_counter() - start
    tries = [_open(browser, path) for _ in range(TRIES)]
    figures = {name: min(figures[name] for figures in tries) for name in tries[0]}
    return Row(parcels=len(tables.parcels), write_s=written, size_mb=path.stat().st_size / 1e6, **figures)


def _open(browser: Any, path: Path) -> dict[str, Any]:
    page = browser.new_page(viewport={"width": 1366, "height": 768}, offline=True)
    try:
        page.goto(path.as_uri())
        page.wait_for_selector("body[data-ready=true]", timeout=120_000)
        figures: dict[str, Any] = page.evaluate(TIMES)
        return figures
    finally:
        page.close()


def report(rows: list[Row]) -> Iterator[str]:
    """The figures as a table."""
    yield "| parcels | in the page | write s | MB | first paint ms | load ms | redraw ms | recolour ms | step ms |"
    yield "|--:|--:|--:|--:|--:|--:|--:|--:|--:|"
    for row in rows:
        times = (row.paint_ms, row.load_ms, row.redraw_ms, row.recolour_ms, row.step_ms)
        cells = (f"{row.parcels:,}", f"{row.drawn:,}", f"{row.write_s:.1f}", f"{row.size_mb:.1f}")
        yield f"| {' | '.join((*cells, *(f'{t:,.0f}' for t in times)))} |"


def main() -> None:
    """Measure every size and print the table."""
    parser = argparse.ArgumentParser(description="Time and size of the review map.")
    parser.add_argument("--sizes", type=int, nargs="*", default=list(SIZES), help="numbers of generated parcels")
    parser.add_argument("--keep", type=Path, help="folder that keeps the pages")
    options = parser.parse_args()
    program = next(filter(None, map(shutil.which, BROWSERS)), None)
    if program is None:
        sys.exit("no Chromium found (Debian: apt-get install chromium)")
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox", "--disable-gpu"])
        rows = [measure(size, browser, options.keep or Path(folder)) for size in options.sizes]
        browser.close()
    print("\n".join(report(rows)))


if __name__ == "__main__":
    main()
