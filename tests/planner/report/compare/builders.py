"""Plans to compare: made-up tables with a configuration and a summary that agree with them."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import geopandas as gpd
import pandas as pd

from planner.config import Config
from planner.contents import PlanContents
from planner.tables import PlanTables

SETTINGS: Mapping[str, Any] = {
    "project": {"name": "grid", "synthetic": True, "note": "All of it is made up."},
    "parcels": {"path": "land/parcels.gpkg", "id": "code", "fields": {"tax": {"column": "tax"}}},
    "scoring": {
        "criteria": [
            {
                "name": "tax",
                "value": "tax",
                "direction": "low",
                "normalise": {"method": "minmax", "lo": 0, "hi": 20},
            }
        ]
    },
    "optimise": {
        "phases": [{"id": "P1", "year": 1, "target_mu": 100}],
        "block": {"min_mu": 20, "max_mu": 500},
        "weights": {"value_per_mu": 1000},
        "cost": {"value": "tax"},
    },
}


def settings(**changes: Any) -> Config:
    """A configuration; a change is named by its dotted key with ``__`` for the dots."""
    values = copy.deepcopy(dict(SETTINGS))
    for key, value in changes.items():
        *sections, last = key.split("__")
        place = values
        for section in sections:
            place = place.setdefault(section, {})
        place[last] = value
    return Config.model_validate(values)


def plan_contents(tables: PlanTables, config: Config | None = None, **summary: Any) -> PlanContents:
    """A plan of these tables whose summary is summed up from them; `summary` replaces what it says."""
    parcels = tables.parcels
    chosen = parcels[parcels["status"] == "selected"]
    phases, reached = [], 0.0
    for k in range(1, int(chosen["phase"].max()) + 1 if len(chosen) else 2):
        mine = chosen[chosen["phase"] == k]
        reached += float(mine["area_mu"].sum())
        phases.append(
            {
                "phase": k,
                "id": f"P{k}",
                "year": 2 * k - 1,
                "target_mu": 10.0 * k,
                "stretch_mu": None,
                "counts": "net",
                "area_mu": float(mine["area_mu"].sum()),
                "cumulative_mu": reached,
                "net_mu": float(mine["area_mu"].sum()),
                "cost": float(mine["cost"].sum()) if "cost" in mine else None,
                "blocks": int(mine["block_id"].nunique()),
            }
        )
    found = {
        "status": "feasible",
        "stopped_by": "gap",
        "objective": 1_000_000.0,
        "bound": 1_010_000.0,
        "gap": 0.01,
        "seconds": {"solve": 2.5},
        "phases": phases,
        "counts": {"parcels_selected": len(chosen), "blocks": len(tables.blocks)},
        "version": "0.1.0",
        "config_hash": "c0ffee" * 10,
        "input_hash": "beef" * 16,
        "seed": 0,
    }
    return PlanContents(config or settings(), tables, found | summary, {})


def moved(tables: PlanTables, step: int) -> PlanTables:
    """Another plan of the same land: `step` blocks are left out, spread over the plan."""
    if step == 0:
        return tables
    every = max(len(tables.blocks) // step, 1)
    gone = set(tables.blocks["block_id"].iloc[step - 1 :: every])
    parcels, blocks = tables.parcels.copy(), tables.blocks
    out = parcels["block_id"].isin(gone).to_numpy()
    parcels.loc[out, "status"] = "eligible"
    parcels.loc[out, "block_id"] = None
    parcels.loc[out, "phase"] = pd.NA
    return replace(tables, parcels=parcels, blocks=blocks[~blocks["block_id"].isin(gone)].reset_index(drop=True))


def renamed(tables: PlanTables, names: Mapping[str, str]) -> PlanTables:
    """The same plan with other ids of some parcels."""
    parcels = tables.parcels.assign(parcel_id=tables.parcels["parcel_id"].replace(dict(names)))
    return replace(tables, parcels=gpd.GeoDataFrame(parcels, crs=tables.parcels.crs))
