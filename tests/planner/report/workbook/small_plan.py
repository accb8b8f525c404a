"""A plan of three projects, worked out by hand: five parcels in two circles, one mode, two calendar years."""

from __future__ import annotations

from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any

import geopandas as gpd
import openpyxl
import pandas as pd
import shapely
from openpyxl import Workbook
from openpyxl.worksheet.worksheet import Worksheet

from planner.config import Config
from planner.contents import PlanContents
from planner.mode_report import records
from planner.modes.balance import funding_balance, net_present_value, peak_gaps
from planner.tables import PlanTables
from tests.planner.land_builders import BASE, CRS, merged

AREAS = {"A1": 10.004, "A2": 20.003, "A3": 30.004, "A4": 40.004, "A5": 5.002, "X1": 12.0}
"""P1-01 = A1 + A2 = 30.007, P1-02 = A3 = 30.004, P2-01 = A4 + A5 = 45.006; 60.011 in phase 1, 105.017 in all."""
BLOCK_OF = {"A1": "P1-01", "A2": "P1-01", "A3": "P1-02", "A4": "P2-01", "A5": "P2-01"}
ZONES = {"P1-01": "west", "P1-02": "east", "P2-01": "east"}

MODES: dict[str, Any] = {
    "figures": {
        "price": {"value": 150000, "unit": "yuan/mu", "source": "listings", "date": "2024-06", "note": "by hand"},
        "rent": {"by": "land_use", "values": {"industry": 12, "housing": 20}, "source": "judgement", "date": "2024"},
    },
    "choices": [
        {
            "id": "acquisition",
            "name_zh": "政府收储",
            "name_en": "Government acquisition",
            "months": {"signed": 3, "demolished": 6, "levelled": 9, "accepted": 12, "supplied": 15, "built": 30},
            "far": 2.0,
            "lines": [
                {
                    "name": "land",
                    "payer": "town",
                    "payee": "collective",
                    "outlay": "land_compensation",
                    "income": "compensation",
                    "at": "signed",
                    "amount": "price * area_mu",
                }
            ],
        }
    ],
}
MONTHS = {
    "P1-01": ("2026-01", "2026-03", "2026-06", "2026-09", "2026-12", "2027-03", None, "2028-06"),
    "P1-02": ("2026-01", "2026-03", "2026-06", "2026-11", "2026-12", "2027-03", None, "2028-06"),
    "P2-01": ("2026-07", "2026-10", "2027-02", "2027-05", "2027-08", "2027-11", None, "2029-01"),
}
STEPS = ("launched", "signed", "demolished", "levelled", "accepted", "supplied", "started", "built")


def config_of(*changes: dict[str, Any], modes: bool = True) -> Config:
    """The configuration: phases end in 2026 and 2027, with targets of 50 and 100 mu, 110 at best."""
    own: dict[str, Any] = {
        "project": {"name": "hand plan", "synthetic": True},
        "optimise": {
            "phases": [
                {"id": "P1", "year": 2026, "target_mu": 50},
                {"id": "P2", "year": 2027, "target_mu": 100, "stretch_mu": 110},
            ],
            "base_year": 2025,
        },
        "report": {
            "codes": {"prefix": "QX", "year": 2026},
            "show": {"village": "village", "floor_m2": "floor_m2", "tax_yuan": "tax_yuan", "state_mu": "state_mu"},
        },
        **({"modes": MODES} if modes else {}),
    }
    return Config.model_validate(merged(BASE, own, *changes))


def contents_of(*changes: dict[str, Any], modes: bool = True, blocks: dict[str, str] | None = None) -> PlanContents:
    """The plan; with other `blocks` (parcel → block) the same land is cut otherwise."""
    parcels = parcels_of(blocks or BLOCK_OF)
    config = config_of(*changes, modes=modes)
    tables = PlanTables(parcels, _blocks(parcels), *(gpd.GeoDataFrame(geometry=[]) for _ in range(4)))
    return PlanContents(config, tables, _summary(parcels, modes), _mode_tables(parcels) if modes else {})


def parcels_of(blocks: dict[str, str]) -> gpd.GeoDataFrame:
    """Five parcels of the plan and one outside it; the floor area of A2 is unknown."""
    ids = list(AREAS)
    block = [blocks.get(i) for i in ids]
    return gpd.GeoDataFrame(
        {
            "parcel_id": ids,
            "area_mu": list(AREAS.values()),
            "status": ["selected" if b else "ineligible" for b in block],
            "block_id": pd.Series(block, dtype=object),
            "phase": pd.array([int(b[1]) if b else None for b in block], dtype="Int64"),
            "zone": ["west", "west", "east", "east", "east", "east"],
            "village": ["长山头村", "长山头村", "罗马村", "罗马村", "大埔村", "大埔村"],
            "land_use": ["industry"] * 6,
            "floor_m2": [5000.0, None, 3000.5, 8000.0, 1000.0, 700.0],
            "tax_yuan": [100040.0, 200030.0, 300040.0, 0.0, 50020.0, 1.0],
            "state_mu": [10.004, 0.0, 30.004, 0.0, 5.002, 0.0],
        },
        geometry=[shapely.box(k, 0, k + 1, 1) for k in range(6)],
        crs=CRS,
    )


def _blocks(parcels: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    rows = []
    for block, mine in parcels.dropna(subset="block_id").groupby("block_id"):
        area = float(mine["area_mu"].sum())
        row = {"block_id": block, "phase": int(mine["phase"].iloc[0]), "zone": ZONES.get(str(block)), "area_mu": area}
        rows.append(row | {"n_parcels": len(mine), "cost": 100_000.0 * area, "mode": "acquisition"})
    shapes = [shapely.box(k, 0, k + 1, 1) for k in range(len(rows))]
    return gpd.GeoDataFrame(pd.DataFrame(rows), geometry=shapes, crs=CRS)


def _summary(parcels: gpd.GeoDataFrame, modes: bool) -> dict[str, Any]:
    chosen = parcels.dropna(subset="block_id")
    area = chosen.groupby("phase")["area_mu"].sum()
    step = {"milestone": "levelled"} if modes else {}
    sums = [(1, 50.0, None, float(area.get(1, 0.0))), (2, 100.0, 110.0, float(area.sum()))]
    ledger = [_areas(mine, int(mine["phase"].iloc[0]), str(b)) for b, mine in chosen.groupby("block_id")]
    ledger += [_areas(mine, int(p), None) for p, mine in chosen.groupby("phase")]  # type: ignore[call-overload]
    return {
        "version": "0.1.0",
        "input_hash": "0123456789abcdef",
        "config_hash": "fedcba",
        "status": "feasible",
        "gap": 0.0123,
        "bound": 1012.3,
        "objective": 1000.0,
        "phases": [
            {"phase": k, "id": f"P{k}", "target_mu": t, "stretch_mu": s, "counts": "net", "cumulative_mu": c, **step}
            for k, t, s, c in sums
        ],
        "area_ledger": [*ledger, _areas(chosen, None, None)],
        "data_quality": [
            {"what": "in no zone", "count": 7, "area_mu": 12.0, "parcel_ids": ["X1", "X2"], "to_fix": True},
            {"what": "field far unknown", "count": 1, "area_mu": None, "parcel_ids": [], "to_fix": False},
        ],
        "check": {"passed": True, "warnings": 2},
    }


def _areas(mine: pd.DataFrame, phase: int | None, block: str | None) -> dict[str, Any]:
    others = ("between", "boundary", "ellipsoidal", "footprint", "cleared", "accepted", "certificate")
    net = {"phase": phase, "block_id": block, "net_mu": float(mine["area_mu"].sum())}
    return {**net, **{f"{name}_mu": None for name in others}, "unknown": 0}


def payments_of() -> pd.DataFrame:
    """P1-01: 133.333333 万元 out in 2026, 200 in in 2027; P2-01: 66.666667 out in 2027."""
    rows = [
        ("P1-01", 1, "land", "town", "collective", "land_compensation", "compensation", 2026, 1_000_000.00),
        ("P1-01", 1, "clearing", "town", "outside", "demolition", None, 2026, 333_333.33),
        ("P1-01", 1, "sale", "developer", "town", "land_price", "land_sale", 2027, 2_000_000.00),
        ("P2-01", 2, "clearing", "town", "outside", "demolition", None, 2027, 666_666.67),
    ]
    columns = ["block_id", "phase", "line", "payer", "payee", "outlay", "income", "year", "amount_yuan"]
    return pd.DataFrame(rows, columns=columns).assign(mode="acquisition")


def _mode_tables(parcels: gpd.GeoDataFrame) -> dict[str, pd.DataFrame]:
    paid = payments_of()
    cents = paid.assign(amount_cents=(paid["amount_yuan"] * 100).round().astype("int64"))
    balance = funding_balance(cents)
    money = [c for c in balance.columns if c not in {"section", "item", "name_zh", "name_en", "unit"}]
    in_cents = balance["unit"] == "cents"
    values = balance[money].astype("Float64")
    values[in_cents] = values[in_cents] / 100
    yuan = pd.concat([balance.drop(columns=money), values], axis=1)
    yuan["unit"] = yuan["unit"].where(~in_cents, "yuan")
    names = sorted(parcels["block_id"].dropna().unique())
    months = [{"block_id": b, "phase": int(b[1]), "mode": "acquisition"} for b in names]
    rows = [row | dict(zip(STEPS, MONTHS[row["block_id"]], strict=True)) for row in months if row["block_id"] in MONTHS]
    parties = net_present_value(cents, 0.0, 2025).merge(peak_gaps(cents), on="party")
    moves = pd.DataFrame(
        {"block_id": ["P1-01", "P1-01"], "status": ["moved", "kept"], "leaves": [2025.5, 2026.0], "firms": [3, 1]}
    )
    return {
        "milestones": pd.DataFrame(rows),
        "payments": paid,
        "funding_balance": pd.DataFrame(records(yuan)),
        "parties": parties,
        "firm_moves": moves,
    }


def with_modes(contents: PlanContents, **tables: pd.DataFrame) -> PlanContents:
    """The plan with other tables about modes."""
    return replace(contents, modes={**contents.modes, **tables})


class Opened:
    """A workbook, with what its cells show and with their formulas."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._rows: dict[str, list[dict[str, Any]]] = {}

    @cached_property
    def shown(self) -> Workbook:
        """With the values that formulas had when they were written."""
        return openpyxl.load_workbook(self._path, data_only=True)

    @cached_property
    def formulas(self) -> Workbook:
        """With the formulas."""
        return openpyxl.load_workbook(self._path)

    def sheet(self, name: str) -> Worksheet:
        """What a sheet shows."""
        found = self.shown[name]
        assert isinstance(found, Worksheet)
        return found

    def header(self, name: str) -> dict[str, int]:
        """Header (of the lower row where there are two) → column, from 1; grouped ones as ``group/name``."""
        sheet = self.sheet(name)
        top = next(row for row in range(1, 20) if sheet.cell(row, 1).fill.fgColor.rgb == "FF1F3A5F")
        found: dict[str, int] = {}
        group = ""
        for k in range(1, sheet.max_column + 1):
            above, below = sheet.cell(top, k).value, sheet.cell(top + 1, k).value
            merged_down = any(r.min_row == top and r.max_row == top + 1 and r.min_col == k for r in sheet.merged_cells)
            grouped = any(r.min_row == top == r.max_row and r.min_col <= k <= r.max_col for r in sheet.merged_cells)
            group = str(above) if above is not None else group
            found[f"{group}/{below}" if grouped and not merged_down else str(above)] = k
        return found

    def rows(self, name: str) -> list[dict[str, Any]]:
        """All rows by header."""
        if name not in self._rows:
            header, sheet = self.header(name), self.sheet(name)
            values = sheet.iter_rows(values_only=True)
            self._rows[name] = [{h: row[k - 1] for h, k in header.items()} for row in values]
        return self._rows[name]

    def row(self, name: str, column: str, value: object) -> dict[str, Any]:
        """The first row with that value."""
        return next(row for row in self.rows(name) if row[column] == value)
