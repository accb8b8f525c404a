"""Reads what a run left behind: problem, plan, summary, parcels."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import geopandas as gpd
import numpy as np
import pandas as pd

from geodata.errors import DataError, Issue, list_ids
from geodata.read import read_vector
from planner.consequences.plan import PlanInHand, plan_in_hand
from planner.optimise.evaluate import ordered
from planner.problem import Block, Problem
from planner.problem_json import problem_from_dict

PROBLEM: Final = "problem.json"
SOLUTION: Final = "solution.json"
SUMMARY: Final = "summary.json"
LAYERS: Final = "plan.gpkg"
CONFIG: Final = "config.resolved.yaml"
_AGAIN: Final = "Run `planner run` again."

SAME_JACCARD: Final = 0.9
"""A block survives where some block of the other plan shares at least this part of the land of both."""


def jaccard(problem: Problem, one: Sequence[int], other: Sequence[int]) -> float:
    """Shared land of two sets of parcels, as a share of the land of both."""
    a, b = set(one), set(other)
    return float(problem.area_mu[sorted(a & b)].sum() / problem.area_mu[sorted(a | b)].sum())


@dataclass(frozen=True, eq=False)
class RunFolder:
    """A folder of `planner run`, or of `planner solve`.

    Attributes
    ----------
    path : Path
    problem : Problem
    plan : PlanInHand or None
        None where the run found no plan.
    summary : mapping
        ``summary.json``; empty where there is none.
    parcels : geopandas.GeoDataFrame or None
        Layer of parcels, in the order of the problem; None without ``plan.gpkg``.
    """

    path: Path
    problem: Problem
    plan: PlanInHand | None
    summary: Mapping[str, Any] = field(default_factory=dict)
    parcels: gpd.GeoDataFrame | None = None

    def require_plan(self) -> PlanInHand:
        """The plan.

        Raises
        ------
        DataError
            There is none.
        """
        if self.plan is None:
            status = self.summary.get("status", "unknown")
            fix = f"Ask `planner explain infeasible --plan {self.path}` why, or name the folder of another run."
            raise DataError(Issue(str(self.path), f"no plan (status {status})", "a run with a plan", fix))
        return self.plan

    def column(self, name: str) -> list[Any] | None:
        """Values of a column of the parcels, missing ones as None; None without it."""
        if self.parcels is None or name not in self.parcels.columns:
            return None
        return [None if pd.isna(v) else v for v in self.parcels[name].tolist()]


def read_run(folder: str | Path) -> RunFolder:
    """Read a run: ``problem.json``; the plan from ``solution.json`` or ``plan.gpkg``; ``summary.json`` if there is one.

    Raises
    ------
    DataError
        A file is missing, damaged, or belongs to another run.
    """
    path = Path(folder)
    problem = problem_from_dict(_json(path / PROBLEM, required=True))
    summary = _json(path / SUMMARY) or {}
    solution = _json(path / SOLUTION)
    parcels = _parcels(path / LAYERS, problem) if (path / LAYERS).is_file() else None
    blocks, bound = None, summary.get("bound")
    if isinstance(solution, dict):
        blocks, bound = _solution_blocks(path / SOLUTION, solution, problem), solution.get("bound", bound)
    elif parcels is not None:
        blocks = _layer_blocks(path, parcels, problem)
    plan = None if blocks is None else plan_in_hand(problem, blocks, bound)
    return RunFolder(path, problem, plan, summary, parcels)


def _json(path: Path, *, required: bool = False) -> Any:
    if not path.is_file():
        if required:
            raise DataError(Issue(str(path), "no such file", "a file written by `planner run`", "Name its folder."))
        return None
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise DataError(Issue(str(path), f"no JSON ({error})", "a JSON file", _AGAIN)) from error


def _solution_blocks(path: Path, solution: Mapping[str, Any], problem: Problem) -> tuple[Block, ...]:
    place = {name: i for i, name in enumerate(problem.parcel_ids)}
    modes = {mode.id: m for m, mode in enumerate(problem.modes)}
    try:
        return ordered(
            Block(tuple(place[i] for i in b["parcel_ids"]), int(b["phase"]) - 1, modes[b["mode"]])
            for b in solution["blocks"]
        )
    except (KeyError, TypeError, ValueError) as error:
        found = f"{type(error).__name__}: {error}"
        raise DataError(Issue(f"{path}, blocks", found, f"blocks of the parcels in {PROBLEM}", _AGAIN)) from error


def _parcels(path: Path, problem: Problem) -> gpd.GeoDataFrame:
    """The layer of parcels, in the order of the problem."""
    frame = read_vector(path, layer="parcels")
    by_id = frame.set_index(frame["parcel_id"].astype(str), drop=False)
    strange = sorted(set(by_id.index) ^ set(problem.parcel_ids))
    if strange or not by_id.index.is_unique:
        found = f"parcels that differ from those of {PROBLEM}: {list_ids(strange)}"
        raise DataError(Issue(f"{path}, layer parcels", found, "the parcels of one run", _AGAIN))
    return by_id.loc[list(problem.parcel_ids)].reset_index(drop=True)


def _layer_blocks(path: Path, parcels: gpd.GeoDataFrame, problem: Problem) -> tuple[Block, ...]:
    """Blocks as the layer of parcels tells them."""
    names = parcels["block_id"]
    modes = {mode.id: m for m, mode in enumerate(problem.modes)}
    phase = pd.to_numeric(parcels["phase"], errors="coerce").to_numpy(dtype=float, na_value=np.nan)
    found = []
    for name in sorted(names.dropna().unique()):
        index = np.flatnonzero((names == name).to_numpy(dtype=bool, na_value=False))
        way = str(parcels["mode"].iloc[index[0]]) if "mode" in parcels else problem.modes[0].id
        if way not in modes:
            known = f"a mode of {PROBLEM}: {', '.join(modes)}"
            raise DataError(Issue(f"{path}, layer parcels, block {name}", f"the mode {way!r}", known, _AGAIN))
        found.append(Block(tuple(index.tolist()), int(phase[index[0]]) - 1, modes[way]))
    return ordered(found)
