"""A small honest plan made by hand, every limit met exactly, and the means to write, change and judge it.

Cells are 100 m by 66.67 m, 10 mu each; a lane of 10 m runs between columns 2 and 3; a canal cuts the top row between
columns 1 and 2. ``1 2 3`` are blocks, ``f`` filler of block 3, ``h`` housing, ``x`` a good firm::

    row 3   h  .  |  .    .  3  f      North
    row 2   x  .     .    3  3  .
    row 1   1  1     .    2  .  .      South
    row 0   1  1     2    2  .  .
"""

from __future__ import annotations

import copy
import functools
import json
import math
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import geopandas as gpd
import pandas as pd
import shapely
from ruamel.yaml import YAML

from planner.check import (
    AreaClaim,
    ChangeClaim,
    CheckInput,
    CheckReport,
    Claims,
    Finding,
    OutlayClaim,
    PeakClaim,
    check_plan,
)
from planner.check.facts import Facts
from planner.check.judge import apply_rules
from planner.check.model import LAYERS
from planner.check.rules import RULES
from planner.check.shape import require_shape
from planner.config import Config

CRS = 4547
WIDE, HIGH, LANE = 100.0, 200.0 / 3.0, 10.0
EAST, NORTH = 500_000.0, 2_500_000.0
M2_PER_MU = 10_000 / 15
CELL_MU = 10.0

BLOCKS = {
    "B1": ("r0c0", "r0c1", "r1c0", "r1c1"),
    "B2": ("r0c2", "r0c3", "r1c3"),
    "B3": ("r2c3", "r2c4", "r3c4", "r3c5"),
}
PHASE = {"B1": 1, "B2": 2, "B3": 2}
PERIMETER = {"B1": 2000.0 / 3.0, "B2": 800.0, "B3": 2600.0 / 3.0}
"""Worked out by hand: a cell has 333.33 m; neighbours share 66.67 m (side by side) or 100 m (one above the other)."""
OBJECTIVE = (
    4 * (80 - 30) / 1.1**1
    + (3 * (80 - 30) + 3 * (80 - 30) - 30) / 1.1**3
    - 0.01 * (2000 / 3 + 800 + 2600 / 3)
    - 1.0 * (50 - 40)
)
"""Cells of score 0.8 are worth 10 · 0.8 · 10 = 80 and cost 30; the filler only costs; 10 mu of stretch are missed."""

CONFIG: dict[str, Any] = {
    "project": {"name": "hand-made"},
    "parcels": {
        "path": "parcels.gpkg",
        "id": "id",
        "fields": {
            "tax": {"column": "tax", "type": "number"},
            "use": {"column": "use", "type": "text"},
            "papers_year": {"column": "papers", "type": "number"},
            "price": {"column": "price", "type": "number"},
        },
    },
    "zones": {"path": "zones.gpkg"},
    "barriers": [{"name": "canal", "path": "canal.gpkg"}],
    "overlays": [{"name": "farmland", "path": "farmland.gpkg", "effect": "exclude"}],
    "scoring": {
        "criteria": [
            {
                "name": "tax",
                "value": "tax",
                "direction": "low",
                "normalise": {"method": "minmax", "lo": 0, "hi": 10},
            }
        ],
        "eligible": [{"name": "low yield", "when": "score >= 0.5"}],
        "exclude": [{"name": "housing", "when": 'use == "housing"'}],
    },
    "optimise": {
        "phases": [
            {"id": "P1", "year": 1, "target_mu": 40, "stretch_mu": 50, "budget": 120, "max_blocks": 1},
            {
                "id": "P2",
                "year": 3,
                "target_mu": 110,
                "stretch_mu": 110,
                "budget": 210,
                "max_blocks": 2,
                "zones": {"South": {"target_mu": 70}, "North": {"target_mu": 40, "stretch_mu": 40}},
            },
        ],
        "block": {"min_mu": 30, "max_mu": 40, "within_zone": True},
        "filler": {"where": 'use == "verge"', "max_share": 0.25},
        "locks": {"in": ["r0c0"], "out": ["r1c5"], "by": {"r0c3": "P2"}},
        "earliest": [{"name": "papers", "year": "papers_year"}],
        "cost": {"value": "price", "per": "mu"},
        "weights": {"value_per_mu": 10, "perimeter_per_m": 0.01, "stretch_per_mu": 1},
        "discount_rate": 0.1,
    },
}


@dataclass
class HandPlan:
    """A plan that tests may change at will; nothing follows by itself, see `follow`."""

    parcels: gpd.GeoDataFrame
    blocks: gpd.GeoDataFrame
    zones: gpd.GeoDataFrame
    links: gpd.GeoDataFrame
    barriers: gpd.GeoDataFrame
    between: gpd.GeoDataFrame
    overlays: gpd.GeoDataFrame
    config: dict[str, Any]
    summary: dict[str, Any] = field(default_factory=dict)

    def row(self, parcel: str) -> int:
        return self.parcels.index[self.parcels["parcel_id"] == parcel][0]

    def set(self, parcel: str, **values: Any) -> None:
        for column, value in values.items():
            if column == "geometry":
                self.parcels.geometry = [
                    value if p == parcel else g
                    for p, g in zip(self.parcels["parcel_id"], self.parcels.geometry, strict=True)
                ]
            else:
                self.parcels.loc[self.row(parcel), column] = value

    def get(self, parcel: str, column: str) -> Any:
        return self.parcels.loc[self.row(parcel), column]

    def set_block(self, block: str, **values: Any) -> None:
        for column, value in values.items():
            self.blocks.loc[self.blocks["block_id"] == block, column] = value

    @property
    def optimise(self) -> dict[str, Any]:
        return self.config["optimise"]

    def take(self, parcel: str, block: str, role: str = "candidate") -> None:
        phase = self.parcels.loc[self.parcels["block_id"] == block, "phase"].iloc[0]
        self.set(parcel, block_id=block, phase=phase, status="selected", role=role)

    def leave(self, parcel: str) -> None:
        self.set(parcel, block_id=None, phase=pd.NA, status="eligible", role=None)

    def follow(self) -> Self:
        """Write area, perimeter and the layer of blocks anew from the parcels, as an honest writer would."""
        self.parcels["area_mu"] = self.parcels.geometry.area / M2_PER_MU
        self.parcels["perimeter_m"] = self.parcels.geometry.length
        self.parcels["cost"] = self.parcels["price"] * self.parcels["area_mu"]
        inside = dict(zip(self.parcels["parcel_id"], self.parcels["block_id"], strict=True))
        self.links["used"] = [
            isinstance(inside.get(a), str) and inside.get(a) == inside.get(b)
            for a, b in zip(self.links["parcel_a"], self.links["parcel_b"], strict=True)
        ]
        self.blocks = block_layer(self.parcels, self.links)
        return self

    def claims(self) -> Claims:
        areas = [AreaClaim(k, None, r["area_mu"], r["cumulative_mu"], r["cost"]) for k, r in _phases(self.summary)]
        for zone, figures in self.summary["zones"].items():
            areas += [AreaClaim(k, zone, r["area_mu"], r["cumulative_mu"], r.get("cost")) for k, r in _phases(figures)]
        money = self.summary.get("money", {"peak_gaps": [], "outlays": {}})
        peaks = tuple(PeakClaim(row["party"], row["peak_gap_yuan"], row["year"]) for row in money["peak_gaps"])
        paid = tuple(OutlayClaim(p, phase, y) for p, row in money["outlays"].items() for phase, y in row.items())
        keep = self.summary.get("keep")
        names = ("changed_parcels", "changed_mu", "kept_parcels", "kept_mu", "change_price")
        changes = None if keep is None else ChangeClaim(*(keep[name] for name in names))
        told = (self.summary["objective"], self.summary["bound"], self.summary["gap"])
        return Claims(*told, tuple(areas), peaks, paid, changes)

    def tables(self) -> CheckInput:
        return CheckInput(**{layer: getattr(self, layer) for layer in LAYERS})

    def judge(self) -> CheckReport:
        return check_plan(self.tables(), Config.model_validate(self.config), self.claims())

    def findings(self, rule: str) -> list[Finding]:
        """What one rule finds; the others are not even asked."""
        config = Config.model_validate(self.config)
        require_shape(self.tables(), config)
        only = [r for r in RULES if r.name == rule]
        return [f for f in apply_rules(Facts(self.tables(), config, self.claims()), only).findings if f.rule == rule]

    def write(self, folder: Path) -> Path:
        folder.mkdir(parents=True, exist_ok=True)
        for layer in LAYERS:
            getattr(self, layer).to_file(folder / "plan.gpkg", layer=layer, driver="GPKG")
        with (folder / "config.resolved.yaml").open("w", encoding="utf-8") as file:
            YAML(typ="safe", pure=True).dump(self.config, file)
        (folder / "summary.json").write_text(json.dumps(self.summary), encoding="utf-8")
        return folder


def _phases(figures: dict[str, Any]) -> list[tuple[int, dict[str, Any]]]:
    return list(enumerate(figures["phases"], start=1))


def cell(row: int, column: int) -> shapely.Polygon:
    x = EAST + column * WIDE + (LANE if column >= 3 else 0.0)
    y = NORTH + row * HIGH
    return shapely.box(x, y, x + WIDE, y + HIGH)


def _parcels() -> gpd.GeoDataFrame:
    block_of = {parcel: block for block, parcels in BLOCKS.items() for parcel in parcels}
    special = {
        "r3c5": {"tax": 9.0, "use": "verge"},
        "r3c0": {"use": "housing"},
        "r2c0": {"tax": 9.0},
        "r2c3": {"papers_year": 3.0},
    }
    locked = {"r0c0": "in", "r1c5": "out", "r0c3": "by P2"}
    rows = []
    for r in range(4):
        for c in range(6):
            parcel = f"r{r}c{c}"
            fields = {"tax": 2.0, "use": "factory", "papers_year": 0.0, "price": 3.0} | special.get(parcel, {})
            block = block_of.get(parcel)
            status = (
                "selected"
                if block
                else "excluded"
                if fields["use"] == "housing"
                else "ineligible"
                if fields["tax"] > 5
                else "eligible"
            )
            rows.append(
                {
                    "parcel_id": parcel,
                    "area_mu": CELL_MU,
                    "score": 1 - fields["tax"] / 10,
                    "status": status,
                    "role": None if not block else "filler" if fields["use"] == "verge" else "candidate",
                    "reason": "",
                    "locked": locked.get(parcel),
                    "block_id": block,
                    "phase": PHASE[block] if block else pd.NA,
                    "zone": "South" if r < 2 else "North",
                    "cost": 30.0,
                    "perimeter_m": 2 * (WIDE + HIGH),
                    **fields,
                    "geometry": cell(r, c),
                }
            )
    frame = gpd.GeoDataFrame(rows, geometry="geometry", crs=CRS)
    frame["phase"] = frame["phase"].astype("Int64")
    return frame


def block_layer(parcels: gpd.GeoDataFrame, links: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """One row per block; shared boundaries by plain intersection, which is exact on these grids."""
    rows = []
    for block, group in parcels[parcels["block_id"].notna()].groupby("block_id"):
        ids, shapes = list(group["parcel_id"]), list(group.geometry)
        shared = [
            shapely.intersection(a.boundary, b.boundary).length for k, a in enumerate(shapes) for b in shapes[k + 1 :]
        ]
        perimeter = sum(s.length for s in shapes) - 2 * sum(s for s in shared if s >= 3.0)
        area = float(group["area_mu"].sum())
        rows.append(
            {
                "block_id": block,
                "phase": int(group["phase"].iloc[0]),
                "zone": group["zone"].iloc[0],
                "area_mu": area,
                "n_parcels": len(ids),
                "score_mean": float((group["score"] * group["area_mu"]).sum() / area),
                "cost": float(group["cost"].sum()),
                "perimeter_m": perimeter,
                "compactness": 4 * math.pi * area * M2_PER_MU / perimeter**2,
                "bridged_links": sum(a in ids and b in ids for a, b in zip(*_ends(links), strict=True)),
                "geometry": shapely.union_all(shapes),
            }
        )
    return gpd.GeoDataFrame(rows, geometry="geometry", crs=CRS)


def _ends(links: gpd.GeoDataFrame) -> tuple[list[str], list[str]]:
    return list(links["parcel_a"]), list(links["parcel_b"])


def link(a: str, b: str, line: shapely.LineString, used: bool = False) -> dict[str, Any]:
    return {"parcel_a": a, "parcel_b": b, "gap_m": line.length, "used": used, "geometry": line}


def _links() -> gpd.GeoDataFrame:
    rows = []
    for r in range(4):
        y = NORTH + (r + 0.5) * HIGH
        x = EAST + 3 * WIDE
        rows.append(link(f"r{r}c2", f"r{r}c3", shapely.LineString([(x, y), (x + LANE, y)]), used=r == 0))
    return gpd.GeoDataFrame(rows, geometry="geometry", crs=CRS)


def _summary() -> dict[str, Any]:
    bound = OBJECTIVE * 1.02
    return {
        "objective": OBJECTIVE,
        "bound": bound,
        "gap": (bound - OBJECTIVE) / OBJECTIVE,
        "phases": [
            {"phase": 1, "area_mu": 40.0, "cumulative_mu": 40.0, "cost": 120.0},
            {"phase": 2, "area_mu": 70.0, "cumulative_mu": 110.0, "cost": 210.0},
        ],
        "zones": {
            "South": {"phases": [{"area_mu": 40.0, "cumulative_mu": 40.0}, {"area_mu": 30.0, "cumulative_mu": 70.0}]},
            "North": {"phases": [{"area_mu": 0.0, "cumulative_mu": 0.0}, {"area_mu": 40.0, "cumulative_mu": 40.0}]},
        },
    }


def canal(x: float = EAST + 2 * WIDE, bottom: float = NORTH + 3 * HIGH, top: float = NORTH + 4 * HIGH) -> Any:
    return shapely.LineString([(x, bottom), (x, top)])


@functools.cache
def _honest_layers() -> tuple[gpd.GeoDataFrame, ...]:
    middle, right, top = NORTH + 2 * HIGH, EAST + 6 * WIDE + LANE, NORTH + 4 * HIGH
    zones = gpd.GeoDataFrame(
        {"zone": ["South", "North"]},
        geometry=[shapely.box(EAST, NORTH, right, middle), shapely.box(EAST, middle, right, top)],
        crs=CRS,
    )
    barriers = gpd.GeoDataFrame({"name": ["canal"]}, geometry=[canal()], crs=CRS)
    between = gpd.GeoDataFrame(
        {"parcel_id": pd.Series([], dtype=str), "area_m2": []}, geometry=gpd.GeoSeries([], crs=CRS), crs=CRS
    )
    farmland = {"overlay": ["farmland"], "effect": ["exclude"], "tolerance_m2": [1.0], "tolerance_share": [0.0]}
    overlays = gpd.GeoDataFrame(farmland, geometry=[cell(3, 0)], crs=CRS)
    parcels, links = _parcels(), _links()
    parcels["farmland_m2"] = [WIDE * HIGH if p == "r3c0" else 0.0 for p in parcels["parcel_id"]]
    parcels["farmland_share"] = [float(p == "r3c0") for p in parcels["parcel_id"]]
    return parcels, block_layer(parcels, links), zones, links, barriers, between, overlays


def honest_plan() -> HandPlan:
    """The plan drawn at the top of this file."""
    return HandPlan(*(layer.copy() for layer in _honest_layers()), copy.deepcopy(CONFIG), _summary())


KEEPING_OBJECTIVE = OBJECTIVE - 9 * (2.0 + 0.5 * 10)
"""Nine cells are changed: seven added, one moved, one left."""


def keeping_plan() -> HandPlan:
    """The same plan, held against one before: three cells of B1 as now, one of B2 in P1, good land, land split since.

    A change costs 2 and 0.5 a mu.
    """
    plan = honest_plan()
    plan.optimise["keep"] = {
        "blocks": [
            {"id": "old", "parcels": ["r0c0", "r0c1", "r1c0", "r1c3"], "phase": "P1"},
            {"id": "older", "parcels": ["r2c0", "split"], "phase": "P2"},
        ],
        "price_per_parcel": 2,
        "price_per_mu": 0.5,
    }
    bound = KEEPING_OBJECTIVE * 1.02
    gap = (bound - KEEPING_OBJECTIVE) / KEEPING_OBJECTIVE
    plan.summary |= {"objective": KEEPING_OBJECTIVE, "bound": bound, "gap": gap}
    plan.summary["keep"] = {
        "changed_parcels": 9,
        "changed_mu": 90.0,
        "kept_parcels": 3,
        "kept_mu": 30.0,
        "change_price": 63.0,
    }
    return plan


STANDING = "r3c1"
FURTHER_OBJECTIVE = OBJECTIVE + (80 - 30) / 1.1**1 - 0.01 * (1000 / 3) + 1.0 * 10 - 1.0 * 3
"""One more parcel in phase 1 fills its stretch target; the group misses 3 mu of its own."""


def further_plan() -> HandPlan:
    """The same plan with a standing block B4 of one parcel in phase 1, and every further rule, met exactly.

    Villages S1 (columns 0 and 1) and S2 in the south, N in the north; signed on 80 % of the land; frontage of 2 m a
    parcel, unknown for r1c1; r2c2 is cleared already, so that B3 grows from it across the lane.
    """
    plan = honest_plan()
    parcels = plan.parcels
    south, west = parcels["zone"] == "South", parcels["parcel_id"].str[3].astype(int) <= 1
    parcels["village"] = ["N" if not s else "S1" if w else "S2" for s, w in zip(south, west, strict=True)]
    parcels["signed"], parcels["frontage"], parcels["cleared"] = 0.8, 2.0, 0.0
    plan.set("r1c1", frontage=math.nan)
    plan.set("r2c2", cleared=1.0)
    plan.set(STANDING, village=None, signed=0.0, block_id="B4", phase=1, status="selected", role="candidate")
    plan.config["parcels"]["fields"] |= {
        "village": {"column": "village", "type": "text"},
        **{name: {"column": name, "type": "number"} for name in ("signed", "frontage", "cleared")},
    }
    first, second = plan.optimise["phases"]
    first |= {"target_max_mu": 50, "budget": 150, "max_blocks": 2}
    second["zones"]["South"]["target_max_mu"] = 70
    plan.optimise["contiguity"], plan.optimise["existing"], plan.optimise["village"] = (
        "rolling",
        "cleared > 0",
        "village",
    )
    plan.optimise["block"] |= {
        "max_villages": 1,
        "rules": [
            {"name": "signed", "amount": "signed * area_mu", "unit": "mu", "least": 0.8, "share_of": "area_mu"},
            {"name": "access", "amount": "frontage", "unit": "m", "least": 6, "unknown": "zero"},
        ],
    }
    plan.optimise["groups"] = [
        {
            "name": "works",
            "where": 'use == "factory"',
            "phases": {"P2": {"target_mu": 110, "stretch_mu": 113, "target_max_mu": 110}},
        }
    ]
    plan.optimise["locks"]["blocks"] = [{"id": "done", "parcels": [STANDING], "phase": "P1"}]
    lane = shapely.box(EAST + 3 * WIDE, NORTH, EAST + 3 * WIDE + LANE / 2, NORTH + HIGH)
    plan.config["areas"] = {"between_max_m": LANE}
    plan.between = gpd.GeoDataFrame({"parcel_id": ["r0c2"], "area_m2": [lane.area]}, geometry=[lane], crs=CRS)
    parcels["between_mu"] = [lane.area / M2_PER_MU if p == "r0c2" else 0.0 for p in parcels["parcel_id"]]
    parcels["boundary_mu"] = parcels["area_mu"] + parcels["between_mu"]
    bound = FURTHER_OBJECTIVE * 1.02
    gap = (bound - FURTHER_OBJECTIVE) / FURTHER_OBJECTIVE
    plan.summary |= {"objective": FURTHER_OBJECTIVE, "bound": bound, "gap": gap}
    phases = plan.summary["phases"]
    phases[0] |= {"area_mu": 50.0, "cumulative_mu": 50.0, "cost": 150.0}
    phases[1] |= {"cumulative_mu": 120.0}
    plan.summary["zones"]["North"]["phases"] = [
        {"area_mu": 10.0, "cumulative_mu": 10.0},
        {"area_mu": 40.0, "cumulative_mu": 50.0},
    ]
    return plan.follow()
