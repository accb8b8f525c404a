"""Made-up plans for the tests of what people see."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from planner.report.context import MapContext, PhaseFigures
from planner.tables import LINK_COLUMNS, PlanTables

CRS = "EPSG:4547"
ORIGIN = (514_000.0, 2_520_000.0)
M2_PER_MU = 10_000 / 15
VILLAGES = ("长山头", "罗马", "大埔")
REASONS = {
    "selected": "score {score:.2f}, in the plan",
    "eligible": "eligible, not needed for the targets",
    "ineligible": "plot ratio above 1.5: not low-efficient",
    "excluded": "housing: never taken",
}


def grid_plan(columns: int = 24, rows: int = 21, phases: int = 3, seed: int = 7, vertices: int = 4) -> PlanTables:
    """A fabric of `columns` × `rows` parcels with lanes, of which rectangles of parcels are blocks.

    Parcels of the right third are the second zone; a river cuts the fabric, a road borders it.
    """
    random = np.random.default_rng(seed)
    parcels = _parcels(columns, rows, phases, random, vertices)
    return PlanTables(
        parcels=parcels,
        blocks=_blocks(parcels),
        zones=_zones(parcels),
        links=_links(parcels),
        barriers=_barriers(parcels),
        repair_log=gpd.GeoDataFrame(
            {"parcel_id": ["QX-0003"], "what": ["sliver dropped"], "area_m2": [0.4]},
            geometry=[parcels.geometry.iloc[3]],
            crs=CRS,
        ),
    )


def _edges(count: int, step: float, random: np.random.Generator, lane_every: int) -> np.ndarray:
    widths = step * random.uniform(0.75, 1.35, count)
    lanes = np.where((np.arange(count) % lane_every == 0) & (np.arange(count) > 0), 8.0, 0.0)
    return np.cumsum(widths + lanes) - widths, widths


def _outline(x0: float, y0: float, x1: float, y1: float, vertices: int) -> shapely.Polygon:
    box = shapely.box(x0, y0, x1, y1)
    if vertices <= 4:
        return box
    return shapely.segmentize(box, box.length / vertices)


def _parcels(columns: int, rows: int, phases: int, random: np.random.Generator, vertices: int) -> gpd.GeoDataFrame:
    xs, widths = _edges(columns, 62.0, random, 6)
    ys, heights = _edges(rows, 48.0, random, 3)
    column, row = (a.ravel() for a in np.meshgrid(np.arange(columns), np.arange(rows)))
    count = columns * rows
    geometry = [
        _outline(xs[c], ys[r], xs[c] + widths[c], ys[r] + heights[r], vertices)
        for c, r in zip(column, row, strict=True)
    ]
    turned = shapely.affinity.rotate(shapely.MultiPolygon(geometry), 11, origin=(0, 0))
    geometry = [shapely.affinity.translate(g, *ORIGIN) for g in turned.geoms]
    score = np.round(random.beta(2.2, 1.9, count), 3)
    status = np.where(score > 0.45, "eligible", "ineligible").astype(object)
    status[random.random(count) < 0.07] = "excluded"
    block, phase = _assign(column, row, status, phases)
    selected = np.array([b is not None for b in block])
    filler = selected & (status == "ineligible")
    status[selected] = "selected"
    score[random.random(count) < 0.04] = np.nan
    zone = np.where(column < columns * 0.62, VILLAGES[0], VILLAGES[1])
    locked = np.full(count, None, dtype=object)
    locked[np.flatnonzero(selected)[5:7]] = "in"
    locked[np.flatnonzero(status == "eligible")[3:6]] = "out"
    frame = pd.DataFrame(
        {
            "parcel_id": [f"QX-{i:04d}" for i in range(count)],
            "area_mu": shapely.area(geometry) / M2_PER_MU,
            "score": score,
            "status": pd.Series(status, dtype="str"),
            "role": pd.Series(
                np.where(filler, "filler", np.where(status == "excluded", None, "candidate")), dtype="str"
            ),
            "reason": [REASONS[s].format(score=v) for s, v in zip(status, score, strict=True)],
            "locked": pd.Series(locked, dtype="str"),
            "block_id": pd.Series(block, dtype="str"),
            "phase": pd.array(phase, dtype="Int64"),
            "zone": pd.Series(zone, dtype="str"),
            "cost": np.round(random.uniform(2e5, 6e6, count), 2),
            "earliest_phase": pd.array(np.where(random.random(count) < 0.1, 2, 1), dtype="Int64"),
            "far": np.round(random.uniform(0.3, 2.4, count), 2),
            "village": pd.Series(np.array(VILLAGES)[random.integers(0, 3, count)], dtype="str"),
        }
    )
    return gpd.GeoDataFrame(frame, geometry=geometry, crs=CRS)


def _assign(column: np.ndarray, row: np.ndarray, status: np.ndarray, phases: int) -> tuple[list[Any], list[Any]]:
    """Blocks are 4 × 3 rectangles on a loose pattern, without the excluded parcels in them."""
    tile_x, tile_y = column // 4, row // 3
    taken = ((tile_x + 2 * tile_y) % 3 != 1) & (status != "excluded")
    number = tile_y * (column.max() // 4 + 1) + tile_x
    block = [f"B{n:02d}" if t else None for n, t in zip(number, taken, strict=True)]
    phase = [int(n) % phases + 1 if t else None for n, t in zip(number, taken, strict=True)]
    return block, phase


def _blocks(parcels: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    selected = parcels[parcels["block_id"].notna()]
    records = []
    for block_id, group in selected.groupby("block_id"):
        shape = shapely.union_all(group.geometry.to_numpy())
        scores = group["score"].fillna(0.5)
        records.append(
            {
                "block_id": block_id,
                "phase": group["phase"].iloc[0],
                "zone": group["zone"].iloc[0],
                "area_mu": group["area_mu"].sum(),
                "n_parcels": len(group),
                "score_mean": float(np.average(scores, weights=group["area_mu"])),
                "cost": group["cost"].sum(),
                "perimeter_m": shape.length,
                "compactness": 4 * np.pi * shape.area / shape.length**2,
                "bridged_links": 1 if shape.geom_type == "MultiPolygon" else 0,
                "geometry": shape,
            }
        )
    frame = pd.DataFrame(records)
    frame["phase"] = frame["phase"].astype("Int64")
    return gpd.GeoDataFrame(frame, geometry="geometry", crs=CRS)


def _zones(parcels: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    names = sorted(parcels["zone"].unique())
    shapes = [
        shapely.union_all(parcels.geometry[parcels["zone"] == name].to_numpy()).buffer(9).buffer(-4) for name in names
    ]
    return gpd.GeoDataFrame({"zone": names}, geometry=shapes, crs=CRS)


def _links(parcels: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Shortest lines over lanes between parcels next to each other in the list."""
    shapes, ids, blocks = (parcels[c].to_numpy() for c in ("geometry", "parcel_id", "block_id"))
    gaps = shapely.distance(shapes[:-1], shapes[1:])
    at = np.flatnonzero((gaps > 1) & (gaps < 12))
    used = [isinstance(blocks[i], str) and blocks[i] == blocks[i + 1] for i in at]
    used = [u or k % 5 == 0 for k, u in enumerate(used)]
    records = {"parcel_a": ids[at], "parcel_b": ids[at + 1], "gap_m": gaps[at], "used": used}
    lines = shapely.shortest_line(shapes[at], shapes[at + 1])
    return gpd.GeoDataFrame(pd.DataFrame(records)[[*LINK_COLUMNS, "used"]], geometry=list(lines), crs=CRS)


def _barriers(parcels: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    x0, y0, x1, y1 = parcels.total_bounds
    middle = x0 + 0.63 * (x1 - x0)
    river = shapely.LineString([(middle + 90, y0 - 60), (middle + 10, (y0 + y1) / 2), (middle - 160, y1 + 60)]).buffer(
        9
    )
    road = shapely.LineString([(x0 - 80, y0 + 0.02 * (y1 - y0)), (x1 + 40, y0 - 40 + 0.2 * (y1 - y0))])
    return gpd.GeoDataFrame({"name": ["石马河", "环城路"]}, geometry=[river, road], crs=CRS)


def facts_of(parcels: pd.DataFrame) -> pd.DataFrame:
    """The village and the plot ratio, as far as the layer has them."""
    known = [name for name in ("village", "far") if name in parcels]
    return pd.DataFrame({name: parcels[name].to_numpy() for name in known}, index=parcels["parcel_id"])


def context_of(tables: PlanTables, **changes: Any) -> MapContext:
    """A context whose figures are those of the tables."""
    taken = tables.parcels.dropna(subset=["phase"])
    count = int(taken["phase"].max()) if len(taken) else 1
    figures, zones = _figures(taken, count), {}
    for name, group in taken.groupby("zone"):
        zones[str(name)] = _figures(group, count)
    values: dict[str, Any] = {
        "title": "清溪 Qingxi: village industrial parks",
        "project": "Qingxi redevelopment 2023–2028",
        "currency": "CNY",
        "phases": figures,
        "status": "feasible",
        "version": "0.1.0",
        "config_hash": "5f2a" * 16,
        "input_hash": "09bc" * 16,
        "synthetic": True,
        "note": "The targets are assumed to lie inside the circles.\nCircle figures are sums of parcels.",
        "objective": 812_345_678.0,
        "bound": 820_123_456.0,
        "gap": 0.009575,
        "zones": zones,
        "facts": facts_of(tables.parcels),
    }
    return MapContext(**(values | changes))


def _figures(taken: pd.DataFrame, count: int) -> tuple[PhaseFigures, ...]:
    figures, cumulative = [], 0.0
    for number in range(1, count + 1):
        group = taken[taken["phase"] == number]
        area = float(group["area_mu"].sum())
        cumulative += area
        target = round(cumulative * 0.96, -1)
        figures.append(
            PhaseFigures(
                f"P{number}",
                2 * number - 1,
                target,
                target * 1.1 if number == count else None,
                area,
                cumulative,
                float(group["cost"].sum()),
            )
        )
    return tuple(figures)


def hostile_plan(text: str) -> tuple[PlanTables, MapContext]:
    """A small plan in which `text` is a parcel id, a block id, a zone, a reason, a barrier, a field, a title …"""
    tables = grid_plan(columns=6, rows=6)
    parcels = tables.parcels.copy()
    first_block = tables.blocks["block_id"].iloc[0]
    victim = parcels.index[parcels["block_id"] == first_block][0]
    parcels.loc[victim, ["parcel_id", "reason", "village"]] = text
    for frame in (parcels, blocks := tables.blocks.copy()):
        frame["block_id"] = frame["block_id"].replace(first_block, text)
        frame["zone"] = text
    zones = tables.zones.iloc[:1].assign(zone=text)
    links = tables.links.assign(parcel_a=text)
    barriers = tables.barriers.assign(name=text)
    first, *rest = context_of(tables).phases
    context = context_of(
        tables,
        title=text,
        project=text,
        note=text,
        currency=text,
        version=text,
        phases=(replace(first, id=text), *rest),
        zones={text: (first,)},
        facts=pd.DataFrame({"village": parcels["village"].astype(object).to_numpy()}, index=parcels["parcel_id"]),
    )
    return PlanTables(parcels, blocks, zones, links, barriers, tables.repair_log), context
