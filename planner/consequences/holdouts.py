"""Parcels of a plan whose refusal does more than take them away, as a layer."""

from __future__ import annotations

from collections.abc import Iterator

import geopandas as gpd
import pandas as pd

from planner.consequences.harm import Harm
from planner.consequences.plan import PlanInHand
from planner.consequences.told import Consequences
from planner.problem import Problem
from planner.tables import HOLDOUT_COLUMNS


def holdout_table(parcels: gpd.GeoDataFrame, told: Consequences | None) -> gpd.GeoDataFrame:
    """Parcels whose refusal takes down more than their own land, or after which what stands is no plan.

    It is none where a sum leaves its limits (targets, budgets, numbers of blocks, money or space of the modes), where
    another locked parcel is lost, or where the rolling rule is broken.

    Parameters
    ----------
    parcels : geopandas.GeoDataFrame
        Layer of parcels, in the order of the problem.
    told : Consequences or None
        None, a plan that breaks rules, gives no rows.

    Returns
    -------
    geopandas.GeoDataFrame
        `HOLDOUT_COLUMNS`, most land lost first, then most worth, the parcels' own geometry; see `PlanTables.holdouts`.
    """
    rows = [] if told is None else [_row(told.problem, told.plan, h) for h in told.holdouts]
    index = [] if told is None else [h.parcel for h in told.holdouts]
    texts = dict.fromkeys(("parcel_id", "block_id", "breaks", "kind"), object)
    types = dict.fromkeys(HOLDOUT_COLUMNS, "float64") | {"phase": "int64"} | texts
    frame = pd.DataFrame(rows, columns=list(HOLDOUT_COLUMNS)).astype(types)
    frame["breaks"] = frame["breaks"].where(frame["breaks"].notna(), None)
    return gpd.GeoDataFrame(frame, geometry=parcels.geometry.to_numpy()[index], crs=parcels.crs)


def _row(problem: Problem, plan: PlanInHand, harm: Harm) -> tuple[object, ...]:
    return (
        problem.parcel_ids[harm.parcel],
        plan.names[harm.block],
        plan.blocks[harm.block].phase + 1,
        float(problem.area_mu[harm.parcel]),
        harm.lost_mu,
        harm.worth_lost,
        "; ".join(_breaks(problem, plan, harm)) or None,
        harm.kind,
    )


def _breaks(problem: Problem, plan: PlanInHand, harm: Harm) -> Iterator[str]:
    """What a refusal breaks beyond its block, in words."""
    yield from (s.in_words for s in harm.shortfalls)
    if harm.locks_lost:
        gone = set(plan.blocks[harm.block].parcels) - set(harm.left.part) - {harm.parcel}
        locked = sorted(problem.parcel_ids[i] for i in gone if problem.lock_by[i] >= 0)
        yield f"locked parcels lost: {', '.join(locked)}"
    yield from harm.splits
