"""Small sets of projects and blocks for the tests of demand."""

from __future__ import annotations

import math
from functools import partial
from typing import Any

import pandas as pd

from planner.demand.judge import Judged, judge_demand
from planner.demand.placing import Placed, place
from planner.optimise.match import match
from planner.spec_demand import DemandSpec

find = partial(match, time_limit_s=20.0)


def demand(*projects: dict[str, Any], **more: Any) -> DemandSpec:
    """The section with these projects."""
    return DemandSpec.model_validate({"projects": projects, **more})


def project(name: str, **more: Any) -> dict[str, Any]:
    """A project of 10 mu that is worth 1 million."""
    return {"id": name, "site_mu": 10.0, "investment_yuan": 1e6, **more}


def judged(*projects: dict[str, Any], **more: Any) -> Judged:
    return judge_demand(demand(*projects, **more))


def blocks(*rows: tuple[str, float, float], frontage: dict[str, float] | None = None) -> pd.DataFrame:
    """Blocks with land to let and the time of their supply, as `planner.demand.supply.block_supply` gives them."""
    front = frontage or {}
    return pd.DataFrame(
        {
            "block_id": [name for name, _, _ in rows],
            "phase": 1,
            "net_mu": [mu for _, mu, _ in rows],
            "net_unknown_parcels": 0,
            "site_mu": [mu for _, mu, _ in rows],
            "frontage_m": [front.get(name, math.nan) for name, _, _ in rows],
            "frontage_unknown_parcels": 0,
            "supplied": None,
            "supplied_year": pd.array([None if math.isnan(t) else math.ceil(t) for _, _, t in rows], dtype="Int64"),
            "supplied_at": [t for _, _, t in rows],
        }
    )


def placed(verdict: Judged, supply: pd.DataFrame) -> Placed:
    return place(verdict, supply, find)
