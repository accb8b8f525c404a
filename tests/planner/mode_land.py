"""The grid of `land_builders` with three phases of unequal length and two modes that can be worked out by hand.

Every parcel has 10 mu. Phases end with the years 1, 3 and 4 and begin at 0, 1 and 3. In mode *clear* a parcel costs
the town 10 000 yuan of land and 10 yuan for each m² of its floor, and a developer pays 3000 yuan for each of its 5 net
mu; in mode *keep*, which is open to parcels with papers, the city gives 1000 yuan and the owner pays 20 yuan for each
m² of its floor.
"""

from __future__ import annotations

from typing import Any, Final

import geopandas as gpd
import pandas as pd

from geodata.adjacency import Adjacency, build_adjacency
from geodata.spec import AdjacencySpec
from planner.assemble import Assembly, assemble
from planner.config import Config
from planner.scoring import Scores, score_parcels
from planner.spec_modes import ModesSpec
from tests.planner.land_builders import BASE, grid_land, merged


def figure(value: float) -> dict[str, Any]:
    """A figure with its source."""
    return {"value": value, "source": "made up", "date": "2026"}


def line(name: str, payer: str, payee: str, outlay: str | None, income: str | None, **more: Any) -> dict[str, Any]:
    """A payment."""
    return {"name": name, "payer": payer, "payee": payee, "outlay": outlay, "income": income, **more}


CLEAR: Final[dict[str, Any]] = {
    "id": "clear",
    "name_zh": "拆除",
    "name_en": "Clear",
    "months": {"signed": 6, "demolished": 9, "levelled": "months_levelled", "built": 24},
    "far": 2,
    "net_share": 0.5,
    "lines": [
        line(
            "land", "town", "owner", "land_compensation", "compensation", amount="land_price * area_mu", at="launched"
        ),
        line("demolition", "town", "outside", "demolition", None, amount="10 * floor", start="launched", end="built"),
        line("sale", "developer", "town", "land_price", "land_sale", amount="3000 * net_area_mu", at="built"),
    ],
}
KEEP: Final[dict[str, Any]] = {
    "id": "keep",
    "name_zh": "整治",
    "name_en": "Keep",
    "open": "papers == 1",
    "months": {"signed": 3, "built": 15},
    "far": 1,
    "displaces": 0,
    "benefit": 0.5,
    "lines": [
        line("grant", "city", "owner", "grant", "grant", amount="100 * area_mu", at="launched"),
        line("works", "owner", "outside", "construction", None, amount="20 * floor", start="signed", end="built"),
    ],
}
SECTION: Final[dict[str, Any]] = {
    "figures": {"land_price": figure(1000), "months_levelled": figure(12)},
    "choices": [CLEAR, KEEP],
}
PHASES: Final = [
    {"id": "P1", "year": 1, "target_mu": 30},
    {"id": "P2", "year": 3, "target_mu": 60},
    {"id": "P3", "year": 4, "target_mu": 60},
]
WITH_MODES: Final[dict[str, Any]] = {"modes": SECTION, "optimise": {"phases": PHASES}}
"""Changes of `BASE`."""


def changed(mode: dict[str, Any], **more: Any) -> dict[str, Any]:
    """A mode with other keys; a value of ``...`` takes one away."""
    return {key: value for key, value in {**mode, **more}.items() if value is not ...}


def config_of(*changes: dict[str, Any]) -> Config:
    """A configuration with modes."""
    return Config.model_validate(merged(BASE, WITH_MODES, *changes))


def modes_of(config: Config) -> ModesSpec:
    """The section `modes`, which must be there."""
    assert config.modes is not None
    return config.modes


def land_of(columns: dict[str, list[Any]] | None = None) -> gpd.GeoDataFrame:
    """The 12 parcels ``P00`` … by ``parcel_id``: 100 m² of floor, with papers, unless `columns` says other things.

    A column that is too short is filled up with its usual value.
    """
    land = grid_land().set_index("code").rename_axis("parcel_id")
    usual: dict[str, Any] = {"floor": 100.0, "papers": 1.0}
    for name in {**usual, **(columns or {})}:
        values = (columns or {}).get(name, [])
        rest = [usual.get(name)] * (len(land) - len(values))
        column = pd.Series([*values, *rest], index=land.index, dtype=object)
        text = any(isinstance(value, str) for value in values)
        land[name] = column.astype("string" if text else "Float64")
    return land


def fields_of(land: gpd.GeoDataFrame) -> pd.DataFrame:
    """Fields of parcels as the earlier stages give them."""
    extra = [name for name in land.columns if name not in {"tax", "far", "use", "village", "geometry"}]
    fields = pd.DataFrame(
        {
            "tax_wan_yuan_per_mu": land["tax"].astype("Float64"),
            "far": land["far"].astype("Float64"),
            "land_use": land["use"].astype("string"),
            "village": land["village"].astype("string"),
            "area_m2": land.geometry.area,
            "area_mu": land.geometry.area / (10_000 / 15),
            "perimeter_m": land.geometry.length,
            "zone": land["village"].astype(object),
        }
    )
    return pd.concat([fields, pd.DataFrame(land[extra])], axis=1)


def adjacency_of(land: gpd.GeoDataFrame) -> Adjacency:
    """Who touches whom."""
    none = gpd.GeoDataFrame({"name": []}, geometry=[], crs=land.crs)
    return build_adjacency(gpd.GeoDataFrame(land[[land.geometry.name]]), AdjacencySpec(), none)


def assembled(config: Config, land: gpd.GeoDataFrame | None = None, **columns: list[Any]) -> tuple[Assembly, Scores]:
    """The problem of a configuration on the grid, and the scores it was made from."""
    land = land_of(columns) if land is None else land
    scores = score_parcels(fields_of(land), config.scoring)
    return assemble(scores, adjacency_of(land), config), scores
