"""Eight parcels of 10 mu in a row, of which two pairs are taken: everything can be worked out by hand.

Scores 1, 1, 0.8, 0.8, 0.5, 0.5, 0.6, 0.6; a mu of score 1 is worth 100, so a parcel 1000 · score. A block is a pair of
neighbours, its perimeter 2 · (200 + 66.67) m at 1 a metre. Phase P1 (year 1) takes one pair, P2 (year 3) a second;
10 % discount a year. Best: {P00, P01} in P1, {P02, P03} in P2.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import geopandas as gpd
from ruamel.yaml import YAML

from tests.planner.land_builders import case, grid_land, planner

TAX = [0.0, 0.0, 4.0, 4.0, 10.0, 10.0, 8.0, 8.0]
PERIMETER = 2 * (200.0 + 200.0 / 3.0)
D1, D3 = 1.1**-1, 1.1**-3

ROW: Mapping[str, Any] = {
    "parcels": {"fields": {"owner": {"column": "owner", "type": "text"}}},
    "optimise": {
        "phases": [
            {"id": "P1", "year": 1, "target_mu": 20, "max_blocks": 1},
            {"id": "P2", "year": 3, "target_mu": 40, "target_max_mu": 40, "max_blocks": 1},
        ],
        "block": {"min_mu": 20, "max_mu": 20},
    },
    "report": {"codes": {"prefix": "R-X", "year": 2026}, "show": {"owner": "owner"}},
}
WORTH = 2000 * D1 + 1600 * D3 - 2 * PERIMETER
"""Of the best plan."""


def row_land() -> gpd.GeoDataFrame:
    """The parcels; Li owns P01 and P05, Chen P02, who owns the others is not known."""
    land = grid_land(1, 8).assign(tax=TAX, use="industry")
    return land.assign(owner=[None, "Li 李", "Chen 陈", None, None, "Li 李", None, None])


def row_run(folder: Path, *changes: Mapping[str, Any]) -> Path:
    """Folder of a run."""
    config = case(folder, ROW, *changes, land=row_land())
    result = planner("run", config, "--out", folder / "out", "--quiet", catch=False)
    assert result.exit_code == 0, result.output
    return folder / "out"


def write_changes(path: Path, *events: Mapping[str, Any], **keys: Any) -> Path:
    """A file of changes."""
    yaml = YAML(typ="safe", pure=True)
    yaml.default_flow_style = False
    yaml.allow_unicode = True
    with path.open("w", encoding="utf-8") as file:
        yaml.dump({"changes": [dict(e) for e in events], **keys}, file)
    return path
