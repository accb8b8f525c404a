"""A small honest plan with modes, made by hand, every limit met exactly.

Cells are 100 m by 66.67 m, 10 mu each, with 1000 m² of floor. ``A`` and ``S`` (which stands) are cleared from phase P1,
``B`` from P2, ``C`` is kept and improved in P1; ``.`` is outside, ``x`` a good firm::

    row 2   C  C  x
    row 1   B  B  .      sheds
    row 0   A  A  S      brick

P1 ends with year 2, P2 with year 4; their blocks are launched at 1.0 and 2.0. In thousand yuan:

======================  =======  =======  =======  ===========================================
payment                 A        S        B        when
======================  =======  =======  =======  ===========================================
land, town to owner     40       20       40       signed: 1.5 → year 2; B 2.5 → year 3
demolition, by town     60       30       20       1.5 to 2.5: half in 2, half in 3; B a year later
fee, a tenth of it      6        3        2        levelled: 2.5 → year 3; B 3.5 → year 4
sale, developer pays    120      60       120      2.5 to 3.5: half in 3, half in 4; B a year later
======================  =======  =======  =======  ===========================================

C: a grant of 20 from the city to the owners at the launch, 1.0 → year 2; works of 200 by the owners, all in year 2.

The town pays 105 in year 2, 104 in 3, 12 in 4 and receives 90 in 3, 150 in 4, 60 in 5: it is short of 105, then 119.
"""

from __future__ import annotations

import copy
import functools
import math
from typing import Any, Self

import geopandas as gpd
import pandas as pd

from planner.check import CheckReport
from tests.planner.check.check_builders import CRS, HIGH, M2_PER_MU, WIDE, HandPlan, block_layer, cell

BLOCKS = {"A": ("r0c0", "r0c1"), "B": ("r1c0", "r1c1"), "C": ("r2c0", "r2c1"), "S": ("r0c2",)}
PHASE = {"A": 1, "B": 2, "C": 1, "S": 1}
MODE = {"A": "clear", "B": "clear", "C": "keep", "S": "clear"}
COST = {("clear", "brick"): -7000.0, ("clear", "shed"): -29000.0, ("keep", "brick"): 10000.0}
"""Net cost of a cell to town and city: land 20 000, demolition 30 000 or 10 000 and a tenth, less sales of 60 000."""
OBJECTIVE = (3 * (40_000 + 7_000) + 2 * (20_000 - 10_000)) / 1.1**2 + 2 * (40_000 + 29_000) / 1.1**4 - 100 * 5
"""A cell is worth 5000 · 0.8 · 10, half of it when kept; 5 mu of stretch are missed."""
PEAKS = {"town": (119_000.0, 3), "city": (20_000.0, 2), "owner": (120_000.0, 2), "developer": (300_000.0, 5)}
OUTLAYS = {
    "town": {"P1": 105_000.0, "P2": 116_000.0},
    "city": {"P1": 20_000.0, "P2": 0.0},
    "owner": {"P1": 200_000.0, "P2": 0.0},
    "developer": {"P1": 0.0, "P2": 240_000.0},
}


def _figure(value: float) -> dict[str, Any]:
    return {"value": value, "source": "made up", "date": "2026"}


def _line(name: str, pays: str, gets: str, rows: tuple[str | None, str | None], **more: Any) -> dict[str, Any]:
    return {"name": name, "payer": pays, "payee": gets, "outlay": rows[0], "income": rows[1], **more}


CLEAR: dict[str, Any] = {
    "id": "clear",
    "name_zh": "拆除",
    "name_en": "clear",
    "months": {"signed": 6, "demolished": "months_demolished", "levelled": "months_demolished + 6", "built": 30},
    "far": "far",
    "net_share": 0.75,
    "decant_share": 0.1,
    "consent": [{"of": "holders", "least": 0.8}, {"of": "area", "least": "least_area"}],
    "lines": [
        _line(
            "land", "town", "owner", ("land_compensation", "compensation"), amount="land_price * area_mu", at="signed"
        ),
        _line(
            "demolition",
            "town",
            "outside",
            ("demolition", None),
            amount="demolition_rate * floor",
            start="signed",
            end="levelled",
        ),
        _line("fee", "town", "outside", ("contingency", None), share=0.1, of=["demolition"], at="levelled"),
        _line(
            "sale",
            "developer",
            "town",
            ("land_price", "land_sale"),
            amount="sale_price * net_area_mu",
            start="levelled",
            months=12,
        ),
    ],
}
KEEP: dict[str, Any] = {
    "id": "keep",
    "name_zh": "整治",
    "name_en": "keep",
    "open": 'use == "factory"',
    "months": {"signed": 3, "built": 9},
    "far": 1,
    "displaces": 0,
    "decant_share": "kept_share",
    "benefit": 0.5,
    "lines": [
        _line("works", "owner", "outside", ("construction", None), amount="works * floor", start="signed", end="built"),
        _line("grant", "city", "owner", ("grant", "grant"), amount="grant * area_mu", at="launched"),
    ],
}
CONFIG: dict[str, Any] = {
    "project": {"name": "hand-made"},
    "parcels": {
        "path": "parcels.gpkg",
        "id": "id",
        "fields": {name: {"column": name, "type": "text"} for name in ("use", "building", "size")}
        | {name: {"column": name, "type": "number"} for name in ("tax", "floor", "holders", "signed", "expected")},
    },
    "modes": {
        "figures": {
            "land_price": _figure(2000),
            "demolition_rate": {
                "by": "building",
                "values": {"brick": 30, "shed": 10},
                "source": "made up",
                "date": "2026",
            },
            "sale_price": _figure(8000),
            "grant": _figure(1000),
            "works": _figure(100),
            "least_area": _figure(0.75),
            "kept_share": _figure(0.15),
            "far": _figure(2),
            "months_demolished": _figure(12),
        },
        "choices": [CLEAR, KEEP],
        "consent": {"holders": "holders", "signed": "signed", "expected": "expected"},
        "limits": [
            {"party": "town", "outlay": {"P1": 105_000, "P2": 116_000}, "peak_gap": 119_000},
            {"party": "city", "outlay": {"P1": 20_000}},
            {"party": "owner", "peak_gap": 120_000},
        ],
        "decant": {
            "floor_m2": "floor",
            "once": 'size == "large"',
            "own_lag_months": 6,
            "sites": [
                {"name": "park", "floor_m2": 2000, "from_year": 2},
                {"name": "barracks", "floor_m2": 1000, "from_year": 3, "permanent": False},
            ],
        },
    },
    "scoring": {
        "criteria": [
            {"name": "tax", "value": "tax", "direction": "low", "normalise": {"method": "minmax", "lo": 0, "hi": 10}}
        ],
        "eligible": [{"name": "low yield", "when": "score >= 0.5"}],
    },
    "optimise": {
        "phases": [
            {"id": "P1", "year": 2, "target_mu": 50, "milestone": "signed"},
            {
                "id": "P2",
                "year": 4,
                "target_mu": 50,
                "stretch_mu": 55,
                "target_max_mu": 50,
                "target_floor_m2": 50_000,
            },
        ],
        "groups": [{"name": "all", "where": "area_mu > 0", "phases": {"P2": {"target_mu": 50, "milestone": "built"}}}],
        "block": {"min_mu": 10, "max_mu": 20},
        "locks": {"blocks": [{"id": "old", "parcels": ["r0c2"], "phase": "P1", "mode": "clear"}]},
        "weights": {"value_per_mu": 5000, "stretch_per_mu": 100},
        "discount_rate": 0.1,
    },
}


class ModePlan(HandPlan):
    """A plan with modes that tests may change at will."""

    @property
    def modes(self) -> dict[str, Any]:
        found: dict[str, Any] = self.config["modes"]
        return found

    def mode(self, name: str) -> dict[str, Any]:
        return next(mode for mode in self.modes["choices"] if mode["id"] == name)

    def line(self, mode: str, name: str) -> dict[str, Any]:
        return next(line for line in self.mode(mode)["lines"] if line["name"] == name)

    def figure(self, name: str, value: float) -> None:
        self.modes["figures"][name] = _figure(value)

    def launch(self, block: str, phase: int) -> None:
        """Move a block to another phase."""
        for parcel in BLOCKS[block]:
            self.set(parcel, phase=phase)
        self.follow()

    def turn(self, block: str, mode: str) -> None:
        """Give a block another mode."""
        for parcel in BLOCKS[block]:
            self.set(parcel, mode=mode)
        self.follow()

    def follow(self) -> Self:
        """Write costs and the layer of blocks anew from the parcels, as an honest writer would."""
        keys = zip(self.parcels["mode"], self.parcels["building"], strict=True)
        self.parcels["cost"] = [COST.get(key, math.nan) for key in keys]
        self.blocks = mode_blocks(self.parcels, self.links)
        return self

    def broken(self) -> set[str]:
        """Rules that find something."""
        return {finding.rule for finding in self.judge().findings}

    def measure(self, name: str) -> float:
        report: CheckReport = self.judge()
        return report.measured[name]


def mode_blocks(parcels: gpd.GeoDataFrame, links: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    frame = block_layer(parcels, links)
    modes = dict(zip(parcels["block_id"], parcels["mode"], strict=True))
    frame["mode"] = [modes[block] for block in frame["block_id"]]
    return frame


def _parcels() -> gpd.GeoDataFrame:
    block_of = {parcel: block for block, parcels in BLOCKS.items() for parcel in parcels}
    rows = []
    for r in range(3):
        for c in range(3):
            parcel = f"r{r}c{c}"
            block = block_of.get(parcel)
            good = parcel == "r2c2"
            mode, building = MODE[block] if block else None, "shed" if r == 1 else "brick"
            rows.append(
                {
                    "parcel_id": parcel,
                    "area_mu": 10.0,
                    "score": 0.1 if good else 0.8,
                    "status": "selected" if block else "ineligible" if good else "eligible",
                    "role": "candidate" if block else None,
                    "reason": "",
                    "locked": None,
                    "block_id": block,
                    "phase": PHASE[block] if block else pd.NA,
                    "zone": None,
                    "mode": mode,
                    "cost": COST[mode, building] if mode else math.nan,
                    "perimeter_m": 2 * (WIDE + HIGH),
                    "tax": 9.0 if good else 2.0,
                    "use": "factory",
                    "building": building,
                    "floor": 1000.0,
                    "size": "large" if parcel in BLOCKS["A"] else "small",
                    "holders": 2.0 if c else 3.0,
                    "signed": 0.5 if c else 1.0,
                    "expected": 1.0,
                    "geometry": cell(r, c),
                }
            )
    frame = gpd.GeoDataFrame(rows, geometry="geometry", crs=CRS)
    frame["phase"] = frame["phase"].astype("Int64")
    frame.loc[frame["parcel_id"] == "r0c2", "signed"] = 0.0  # the block that stands asks nobody
    frame.loc[frame["block_id"] == "C", "holders"] = math.nan  # and the mode `keep` neither
    assert (frame.geometry.area / M2_PER_MU).round(9).eq(10).all()
    return frame


@functools.cache
def _layers() -> tuple[gpd.GeoDataFrame, ...]:
    def empty(**columns: Any) -> gpd.GeoDataFrame:
        return gpd.GeoDataFrame(pd.DataFrame(columns), geometry=gpd.GeoSeries([], crs=CRS), crs=CRS)

    text = pd.Series([], dtype=str)
    parcels, links = _parcels(), empty(parcel_a=text, parcel_b=text, gap_m=[], used=pd.Series([], dtype=bool))
    between = empty(parcel_id=text, area_m2=[])
    overlays = empty(overlay=text, effect=text, tolerance_m2=[], tolerance_share=[])
    return parcels, mode_blocks(parcels, links), empty(zone=text), links, empty(name=text), between, overlays


def _summary() -> dict[str, Any]:
    bound = OBJECTIVE * 1.02
    peaks = [{"party": party, "peak_gap_yuan": gap, "year": year} for party, (gap, year) in PEAKS.items()]
    return {
        "objective": OBJECTIVE,
        "bound": bound,
        "gap": (bound - OBJECTIVE) / OBJECTIVE,
        "phases": [
            {"area_mu": 50.0, "cumulative_mu": 50.0, "cost": -1000.0},
            {"area_mu": 50.0, "cumulative_mu": 50.0, "cost": -58_000.0},
        ],
        "zones": {},
        "money": {
            "peak_gaps": [{"party": "public", "peak_gap_yuan": 139_000.0, "year": 3}, *peaks],
            "outlays": copy.deepcopy(OUTLAYS),
        },
    }


def mode_plan() -> ModePlan:
    """The plan described at the top of this file."""
    return ModePlan(*(layer.copy() for layer in _layers()), copy.deepcopy(CONFIG), _summary())
