"""Tiny land on disk with its configuration: a grid of parcels of 10 mu each, and runs of the command line over it."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import geopandas as gpd
import pandas as pd
import shapely
from ruamel.yaml import YAML
from typer.testing import CliRunner, Result

from geodata.write import write_gpkg
from planner.cli import app

WIDTH_M, DEPTH_M = 100.0, 200.0 / 3.0
"""100 m × 66.67 m = 10 mu."""
MU = 10.0
EAST, NORTH = 500_000.0, 2_520_000.0
CRS = "EPSG:4547"

PLAN_FILES = {
    "plan.geojson",
    "blocks.geojson",
    "plan.gpkg",
    "plan.qgz",
    "plan.xlsx",
    "map.html",
    "summary.json",
    "summary.md",
    "problem.json",
    "solution.json",
    "config.resolved.yaml",
}
NO_PLAN_FILES = {"summary.json", "summary.md", "problem.json", "config.resolved.yaml"}

BASE: Mapping[str, Any] = {
    "project": {"name": "grid"},
    "parcels": {
        "path": "parcels.gpkg",
        "id": "code",
        "fields": {
            "tax_wan_yuan_per_mu": {"column": "tax"},
            "far": {"column": "far", "type": "number"},
            "land_use": {"column": "use", "type": "text"},
            "village": {"column": "village", "type": "text"},
        },
    },
    "zones": {"field": "village"},
    "scoring": {
        "criteria": [
            {
                "name": "tax",
                "value": "tax_wan_yuan_per_mu",
                "direction": "low",
                "normalise": {"method": "minmax", "lo": 0, "hi": 20},
            }
        ],
        "exclude": [{"name": "housing", "when": "land_use == 'housing'"}],
    },
    "optimise": {
        "phases": [{"id": "P1", "year": 1, "target_mu": 30}, {"id": "P2", "year": 3, "target_mu": 60}],
        "block": {"min_mu": 20, "max_mu": 60},
        "weights": {"value_per_mu": 100, "perimeter_per_m": 1},
        "discount_rate": 0.1,
    },
    "solve": {"gap": 0, "time_limit_s": 20, "seed": 1},
}


GENERATED: tuple[Mapping[str, Any], ...] = (
    {"parcels": ..., "zones": ..., "scoring": ..., "project": {"synthetic": True}},
    {
        "parcels": {"synthetic": {"case": "fabric", "n_parcels": 12}, "id": "宗地编码"},
        "scoring": {
            "criteria": [{"name": "size", "value": "area_mu", "direction": "low", "normalise": {"method": "rank"}}]
        },
    },
)
"""Changes of `BASE` that put generated land in the place of the file."""


def grid_land(n_rows: int = 3, n_columns: int = 4) -> gpd.GeoDataFrame:
    """Parcels ``P00``, ``P01`` …: villages west and east, two of them housing, tax rising with the number."""
    cells = [(r, c) for r in range(n_rows) for c in range(n_columns)]
    n = len(cells)
    return gpd.GeoDataFrame(
        {
            "code": [f"P{k:02d}" for k in range(n)],
            "tax": [float(k % 19) for k in range(n)],
            "far": [0.3 + 0.1 * (k % 7) for k in range(n)],
            "use": ["housing" if k in {1, n - 2} else "industry" for k in range(n)],
            "village": ["west" if c < n_columns / 2 else "east" for _, c in cells],
        },
        geometry=[
            shapely.box(EAST + c * WIDTH_M, NORTH - (r + 1) * DEPTH_M, EAST + (c + 1) * WIDTH_M, NORTH - r * DEPTH_M)
            for r, c in cells
        ],
        crs=CRS,
    )


def merged(base: Mapping[str, Any], *changes: Mapping[str, Any]) -> dict[str, Any]:
    """Maps merge, everything else replaces; a value of ``...`` takes the key away."""
    result = copy.deepcopy(dict(base))
    for change in changes:
        for key, value in change.items():
            if value is ...:
                result.pop(key, None)
            elif isinstance(value, Mapping) and isinstance(result.get(key), Mapping):
                result[key] = merged(result[key], value)
            else:
                result[key] = copy.deepcopy(value)
    return result


def write_config(folder: Path, *changes: Mapping[str, Any], name: str = "config.yaml") -> Path:
    """`BASE` with changes, as a file."""
    yaml = YAML(typ="safe", pure=True)
    yaml.default_flow_style = False
    yaml.allow_unicode = True
    path = folder / name
    with path.open("w", encoding="utf-8") as file:
        yaml.dump(merged(BASE, *changes), file)
    return path


def write_land(folder: Path, land: gpd.GeoDataFrame | None = None, name: str = "parcels.gpkg") -> Path:
    """A land as GeoPackage."""
    write_gpkg({"parcels": grid_land() if land is None else land}, folder / name)
    return folder / name


def case(folder: Path, *changes: Mapping[str, Any], land: gpd.GeoDataFrame | None = None) -> Path:
    """Land and configuration in one folder; the configuration's path."""
    write_land(folder, land)
    return write_config(folder, *changes)


def planner(*arguments: str | Path, catch: bool = True) -> Result:
    """Run a command in this process."""
    return CliRunner().invoke(app, [str(a) for a in arguments], catch_exceptions=catch)


def names(folder: Path) -> set[str]:
    """What lies in a folder, hidden things included."""
    return {p.name for p in folder.iterdir()} if folder.exists() else set()


def shuffled(land: gpd.GeoDataFrame, order: Iterable[int]) -> gpd.GeoDataFrame:
    """The same parcels in another order."""
    return land.iloc[list(order)].reset_index(drop=True)


def by_id(frame: pd.DataFrame) -> pd.DataFrame:
    """Rows in the order of their ids."""
    return frame.sort_values("parcel_id").reset_index(drop=True)
