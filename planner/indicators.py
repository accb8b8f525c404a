"""The plan as tables and figures: which parcel, which block, how much by phase and zone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from geodata.adjacency import Adjacency
from geodata.repair import RepairResult
from planner.assemble import Assembly
from planner.changes import Changes
from planner.config import Config, Counts
from planner.modes.timetable import milestones_used, problem_modes, timetable
from planner.problem import Block, Bools, Floats, Problem
from planner.scoring import Scores
from planner.spec_modes import Milestone
from planner.tables import BLOCK_COLUMNS, CUT_LINK_COLUMNS, PARCEL_COLUMNS, PlanTables

AREA_FIELDS: Final[dict[Counts, str]] = {
    "net": "area_mu",
    "boundary": "boundary_mu",
    "cleared": "cleared_mu",
    "accepted": "accepted_mu",
}
"""Column of the parcels that holds what a target counts."""
_AREAS: Final = ("between_mu", "boundary_mu", "ellipsoidal_mu", "cleared_mu", "accepted_mu")
WORTH_IT_NOT: Final = "low-efficient, but the plan is better without it"


def block_names(problem: Problem, blocks: Sequence[Block]) -> list[str]:
    """``P1-01``, ``P1-02`` … numbered within each phase in the order of the plan."""
    count = [0] * len(problem.phases)
    names = []
    for block in blocks:
        count[block.phase] += 1
        names.append(f"{problem.phases[block.phase].id}-{count[block.phase]:02d}")
    return names


def parcel_table(
    parcels: gpd.GeoDataFrame,
    scores: Scores,
    assembly: Assembly,
    blocks: Sequence[Block],
    reachable: Bools,
    forced_loss: Floats | None = None,
    notes: Mapping[str, str] | None = None,
) -> gpd.GeoDataFrame:
    """Every parcel with its status, the reason for it, and its block; see `PlanTables.parcels`.

    Parameters
    ----------
    parcels : GeoDataFrame
        Geometry, indexed by ``parcel_id``.
    scores, assembly
        Results of their stages.
    blocks : sequence of Block
        The plan; empty where there is none.
    reachable : bool[n, T]
        Which parcels can lie in some block of a phase.
    forced_loss : float64[n], optional
        See `planner.consequences`; absent = unknown.
    notes : mapping of str to str, optional
        Parcel id → remark of the planner.
    """
    problem = assembly.problem
    names = block_names(problem, blocks)
    block_id = np.full(problem.n, None, dtype=object)
    phase = np.zeros(problem.n, dtype=np.int64)
    for name, block in zip(names, blocks, strict=True):
        block_id[list(block.parcels)] = name
        phase[list(block.parcels)] = block.phase + 1
    chosen = phase > 0
    status = assembly.status.where(~chosen, "selected")
    fields = scores.fields
    own = {name: fields[name] for name in fields.columns if name not in {"area_mu", "zone", "geometry", "perimeter_m"}}
    never = assembly.gates >= len(problem.phases)
    values: dict[str, Any] = {
        "parcel_id": list(problem.parcel_ids),
        "area_mu": problem.area_mu,
        "score": scores.score.to_numpy(dtype=float, na_value=np.nan),
        "status": status.to_numpy(dtype=object),
        "role": assembly.role.to_numpy(dtype=object),
        "reason": _reasons(assembly, block_id, reachable),
        "locked": assembly.locked.to_numpy(dtype=object),
        "block_id": block_id,
        "phase": pd.array(np.where(chosen, phase, -1), dtype="Int64"),
        "zone": [None if pd.isna(z) else str(z) for z in fields["zone"]],
    }
    values["phase"][~chosen] = pd.NA
    if assembly.cost is not None:
        values["cost"] = assembly.cost.to_numpy()
    values["benefit"] = problem.benefit
    if assembly.terms is not None:
        values |= _by_mode(problem, blocks)
    values["perimeter_m"] = problem.perimeter_m
    earliest = pd.array(assembly.gates + 1, dtype="Int64")
    earliest[never] = pd.NA
    values["earliest_phase"] = earliest
    values["forced_loss"] = np.full(problem.n, np.nan) if forced_loss is None else forced_loss
    values["note"] = [(notes or {}).get(i) for i in problem.parcel_ids]
    values |= {name: fields[name].to_numpy(dtype=float, na_value=np.nan) for name in _AREAS if name in fields}
    values |= {
        name: column.astype(object).where(column.notna(), None) for name, column in own.items() if name not in values
    }
    values = {name: v.to_numpy() if isinstance(v, pd.Series) else v for name, v in values.items()}
    frame = pd.DataFrame(values)
    for name, column in own.items():
        if pd.api.types.is_float_dtype(column.dtype):
            frame[name] = column.to_numpy(dtype=float, na_value=np.nan)
        elif pd.api.types.is_bool_dtype(column.dtype):
            frame[name] = pd.array(column.tolist(), dtype="boolean")
    for name in {"status", "role", "reason", "locked", "block_id", "zone", "mode", "note"} & set(frame.columns):
        frame[name] = frame[name].astype(object).where(frame[name].notna(), None)
    assert tuple(frame.columns[: len(PARCEL_COLUMNS)]) == PARCEL_COLUMNS
    return gpd.GeoDataFrame(frame, geometry=parcels.geometry.to_numpy(), crs=parcels.crs)


def with_changes(tables: PlanTables, changed: Changes) -> PlanTables:
    """The tables with a column ``change`` of the parcels, before the geometry; as they are where nothing compares."""
    if changed.column is None:
        return tables
    parcels = tables.parcels.copy()
    parcels.insert(parcels.columns.get_loc("geometry"), "change", changed.column)
    return replace(tables, parcels=parcels)


def _by_mode(problem: Problem, blocks: Sequence[Block]) -> dict[str, Any]:
    """Mode of each parcel in a block, and its cost and benefit in that mode; nothing for the others."""
    mode = np.full(problem.n, -1, dtype=np.int64)
    for block in blocks:
        mode[list(block.parcels)] = block.mode
    taken, at = mode >= 0, np.arange(problem.n)
    names = np.array([*(m.id for m in problem.modes), None], dtype=object)
    assert problem.mode_cost is not None
    assert problem.mode_benefit is not None
    return {
        "mode": names[mode],
        "cost": np.where(taken, problem.mode_cost[at, mode], np.nan),
        "benefit": np.where(taken, problem.mode_benefit[at, mode], np.nan),
    }


def _reasons(assembly: Assembly, block_id: np.ndarray[Any, Any], reachable: Bools) -> list[str]:
    problem = assembly.problem
    reasons = []
    for i, why in enumerate(assembly.reason.tolist()):
        eligible = assembly.status.iloc[i] == "eligible"
        if block_id[i] is not None:
            text = f"in block {block_id[i]}: {'filler, ' if problem.filler[i] else ''}{why}"
        elif assembly.locked.iloc[i] == "out":
            text = f"locked out by the planner ({why})"
        elif not eligible:
            text = why
        elif problem.earliest[i] >= len(problem.phases):
            text = "low-efficient, but not available in any phase"
        elif not reachable[i].any():
            text = f"low-efficient, but less than {problem.block_min_mu:g} mu of connected land around it"
        else:
            text = WORTH_IT_NOT
        reasons.append(text)
    return reasons


def block_table(
    parcels: gpd.GeoDataFrame, problem: Problem, blocks: Sequence[Block], perimeters_m: Sequence[float], has_cost: bool
) -> gpd.GeoDataFrame:
    """One row per block; see `PlanTables.blocks`. With modes a last column ``mode``.

    ``compactness`` = 4πA/P² with A the area in m² and P the block perimeter (1 = a circle).
    """
    rows: list[dict[str, Any]] = []
    shapes = []
    geometry = parcels.geometry.to_numpy()
    area_m2 = shapely.area(geometry)
    score = parcels["score"].to_numpy(dtype=float)
    linked = {tuple(pair) for pair in problem.link_pairs.tolist()}
    for name, block, perimeter in zip(block_names(problem, blocks), blocks, perimeters_m, strict=True):
        index = np.array(block.parcels)
        inside = set(block.parcels)
        area = float(problem.area_mu[index].sum())
        zones, counts = np.unique(problem.zone[index], return_counts=True)
        zone = zones[counts.argmax()] if len(zones) == 1 else -1
        known = np.isfinite(score[index])
        weights = problem.area_mu[index][known]
        rows.append(
            {
                "block_id": name,
                "phase": block.phase + 1,
                "zone": problem.zones[zone] if zone >= 0 else None,
                "area_mu": area,
                "n_parcels": len(index),
                "score_mean": float((score[index][known] * weights).sum() / weights.sum()) if known.any() else np.nan,
                "cost": float(parcels["cost"].to_numpy(dtype=float)[index].sum()) if has_cost else np.nan,
                "perimeter_m": perimeter,
                "compactness": 4 * np.pi * float(area_m2[index].sum()) / perimeter**2 if perimeter > 0 else np.nan,
                "bridged_links": sum(1 for i, j in linked if i in inside and j in inside),
            }
        )
        shapes.append(shapely.union_all(geometry[index]))
    frame = pd.DataFrame(rows, columns=list(BLOCK_COLUMNS))
    if "mode" in parcels:
        frame["mode"] = [problem.modes[block.mode].id for block in blocks]
    for name in ("phase", "n_parcels", "bridged_links"):
        frame[name] = frame[name].astype("int64")
    frame["zone"] = frame["zone"].astype(object).where(frame["zone"].notna(), None)
    return gpd.GeoDataFrame(frame, geometry=gpd.GeoSeries(shapes, crs=parcels.crs), crs=parcels.crs)


def link_table(adjacency: Adjacency, blocks: Sequence[Block], crs: Any) -> gpd.GeoDataFrame:
    """Bridged links, with ``used`` where both ends lie in one block."""
    owner = np.full(len(adjacency.parcel_ids), -1)
    for k, block in enumerate(blocks):
        owner[list(block.parcels)] = k
    a, b = adjacency.link_pairs[:, 0], adjacency.link_pairs[:, 1]
    ids = np.array(adjacency.parcel_ids, dtype=object)
    return gpd.GeoDataFrame(
        {
            "parcel_a": ids[a],
            "parcel_b": ids[b],
            "gap_m": adjacency.gap_m,
            "used": (owner[a] >= 0) & (owner[a] == owner[b]),
        },
        geometry=list(adjacency.link_lines),
        crs=crs,
    )


def cut_link_table(adjacency: Adjacency, parcels: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Pairs that could be neighbours and are not, with the reason; see `PlanTables.cut_links`."""
    cut = adjacency.cut.rename(columns={"shared_after_m": "shared_m", "barrier": "by"})
    both = pd.concat([part.reindex(columns=list(CUT_LINK_COLUMNS)).astype(object) for part in (cut, adjacency.refused)])
    for name in ("shared_m", "gap_m", "facing_m"):
        both[name] = both[name].astype(float)
    inside = pd.Series(parcels.geometry.representative_point().to_numpy(), index=parcels.index)
    ends = [shapely.get_coordinates(inside.loc[both[name]].to_numpy()) for name in ("parcel_a", "parcel_b")]
    lines = np.atleast_1d(np.asarray(shapely.linestrings(np.stack(ends, axis=1)), dtype=object))
    frame = both.where(both.notna(), None).reset_index(drop=True)
    for name in ("shared_m", "gap_m", "facing_m"):
        frame[name] = frame[name].astype(float)
    return gpd.GeoDataFrame(frame, geometry=gpd.GeoSeries(lines, crs=parcels.crs), crs=parcels.crs)


def plan_tables(
    *,
    config: Config,
    repaired: RepairResult,
    parcels: gpd.GeoDataFrame,
    zones: gpd.GeoDataFrame,
    barriers: gpd.GeoDataFrame,
    adjacency: Adjacency,
    problem: Problem,
    blocks: Sequence[Block],
    perimeters_m: Sequence[float],
    further: Mapping[str, gpd.GeoDataFrame],
) -> PlanTables:
    """All layers of a plan; `parcels` is the result of `parcel_table`, `further` the layers that stay as they are."""
    return PlanTables(
        parcels=parcels,
        blocks=block_table(parcels, problem, blocks, perimeters_m, "cost" in parcels),
        zones=zones,
        links=link_table(adjacency, blocks, parcels.crs),
        barriers=barriers,
        repair_log=repaired.log,
        cut_links=cut_link_table(adjacency, repaired.parcels),
        **further,
    )


def phase_figures(config: Config, parcels: pd.DataFrame, zone: str | None = None) -> list[dict[str, Any]]:
    """Area and cost by phase, for the study area or one zone, as they stand in ``summary.json``.

    ``cumulative_mu`` is what the phase's target counts (``counts``) by its end: with modes, blocks that have reached
    ``milestone`` by then. ``area_mu`` what came to count in it; ``net_mu``, ``cost`` and ``blocks`` are
    of the blocks taken (launched) in the phase.
    """
    chosen = parcels[parcels["status"] == "selected"]
    if zone is not None:
        chosen = chosen[chosen["zone"] == zone]
    done = {step: _done(config, chosen, step) for step in set(milestones_used(config))}
    rows: list[dict[str, Any]] = []
    for k, phase in enumerate(config.optimise.phases, start=1):
        mine = chosen[chosen["phase"] == k]
        goal = phase if zone is None else phase.zones.get(zone)
        counts = (goal.counts if goal is not None else None) or config.optimise.counts
        step = (goal.milestone if goal is not None else None) or config.optimise.milestone
        counted = chosen[AREA_FIELDS[counts]]
        rows.append(
            {
                "phase": k,
                "id": phase.id,
                "year": phase.year,
                "target_mu": goal.target_mu if goal is not None else None,
                "stretch_mu": goal.stretch_mu if goal is not None else None,
                "counts": counts,
                "area_mu": float(counted[done[step] == k].sum()),
                "cumulative_mu": float(counted[done[step] <= k].sum()),
                "net_mu": float(mine["area_mu"].sum()),
                "cost": float(mine["cost"].sum()) if "cost" in mine else None,
                "blocks": int(mine["block_id"].nunique()),
                **({} if config.modes is None else {"milestone": step}),
            }
        )
    return rows


def _done(config: Config, chosen: pd.DataFrame, milestone: Milestone) -> pd.Series[Any]:
    """First phase, from 1, whose targets count each selected parcel; one more than there are = none."""
    if config.modes is None:
        return chosen["phase"].astype("int64")
    times = timetable(config)
    step = milestones_used(config).index(milestone)
    modes = dict(zip(times.modes, problem_modes(config, times), strict=True))
    done = [modes[m].done[step][p - 1] + 1 for p, m in zip(chosen["phase"], chosen["mode"], strict=True)]
    return pd.Series(done, index=chosen.index, dtype="int64")


def counts(tables: PlanTables, adjacency: Adjacency) -> dict[str, int]:
    """How many of everything."""
    status = tables.parcels["status"].value_counts()
    return {
        "parcels": len(tables.parcels),
        **{f"parcels_{name}": int(status.get(name, 0)) for name in ("selected", "eligible", "ineligible", "excluded")},
        "blocks": len(tables.blocks),
        "zones": len(tables.zones),
        "barriers": len(tables.barriers),
        "adjacent_pairs": len(adjacency.pairs),
        "bridged_links": len(adjacency.link_pairs),
        "repairs": int((tables.repair_log["action"] != "kept").sum()) if len(tables.repair_log) else 0,
    }
