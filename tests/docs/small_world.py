"""A village of thirteen parcels, as files: planned in a second, with a lane, a canal and a mistake in it."""

from __future__ import annotations

from pathlib import Path

import geopandas as gpd
import shapely

CRS = "EPSG:4547"
_EAST, _NORTH = 500_000.0, 2_530_000.0
_SIDE_M = 100.0
_LANE_M = 8.0

CONFIG = """\
project: {name: Twelve parcels, synthetic: false}
parcels:
  path: parcels.gpkg
  id: code
  fields:
    land_use: {column: use}
    tax_wan_yuan_per_mu: {column: tax, unit: wan_yuan/mu}
zones: {path: zones.gpkg}
barriers:
  - {name: canal, path: canal.gpkg}
scoring:
  criteria:
    - name: tax per mu
      value: tax_wan_yuan_per_mu
      direction: low
      normalise: {method: minmax, lo: 0, hi: 20}
  eligible:
    - {name: industrial, when: land_use == 'industry'}
  exclude:
    - {name: housing, when: land_use == 'housing'}
optimise:
  phases:
    - {id: P1, year: 1, target_mu: 30}
    - {id: P2, year: 3, target_mu: 90}
  block: {min_mu: 30, max_mu: 60}
  cost: {value: "100000", per: mu}
  weights: {value_per_mu: 1000000, perimeter_per_m: 100}
"""


def parcel_squares() -> gpd.GeoDataFrame:
    """Rows of four squares of 15 mu; a lane of 8 m after the second column; the first one is stored twice."""
    boxes, codes = [], []
    for row in range(3):
        for column in range(4):
            x = _EAST + column * _SIDE_M + (_LANE_M if column >= 2 else 0.0)
            y = _NORTH + row * _SIDE_M
            boxes.append(shapely.box(x, y, x + _SIDE_M, y + _SIDE_M))
            codes.append(f"A{row}{column}")
    use = ["industry"] * 12
    use[11] = "housing"
    use[8] = "shop"
    tax: list[float | None] = [2.0, 3.0, 1.0, 15.0, 4.0, None, 6.0, 2.0, 9.0, 1.0, 3.0, 0.0]
    return gpd.GeoDataFrame(
        {"code": [*codes, "A99"], "use": [*use, "industry"], "tax": [*tax, 1.0]},
        geometry=[*boxes, boxes[0]],
        crs=CRS,
    )


def write_world(folder: Path) -> Path:
    """Write parcels, zones, a canal and the configuration; path of the configuration."""
    width = 4 * _SIDE_M + _LANE_M
    parcel_squares().to_file(folder / "parcels.gpkg")
    gpd.GeoDataFrame(
        {"name": ["east village"]}, geometry=[shapely.box(_EAST, _NORTH, _EAST + width, _NORTH + 300)], crs=CRS
    ).to_file(folder / "zones.gpkg")
    canal = shapely.LineString([(_EAST, _NORTH + 200), (_EAST + 200, _NORTH + 200)])
    gpd.GeoDataFrame({"kind": ["canal"]}, geometry=[canal], crs=CRS).to_file(folder / "canal.gpkg")
    path = folder / "config.yaml"
    path.write_text(CONFIG, encoding="utf-8")
    return path
