"""Files of answers that are about many parcels: the alternatives, and the hold-outs with the robust plan."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd

from geodata.write import write_geojson_rfc7946, write_gpkg, write_json, write_text
from planner.consequences.plan import PlanInHand
from planner.explain.alternatives import Alternatives
from planner.explain.consent import ConsentTest
from planner.explain.data import as_data
from planner.explain.folder import PROBLEM, SOLUTION, RunFolder
from planner.explain.holdouts import HoldOut, HoldOuts
from planner.explain.holdouts_text import shortfall_text
from planner.problem import Plan, Problem
from planner.problem_json import problem_to_dict, solution_to_dict


def write_alternatives(answer: Alternatives, run: RunFolder, folder: Path) -> tuple[Path, ...]:
    """Write ``alternatives.json``, ``importance.csv`` and, where the run has geometry, ``alternatives.gpkg``.

    Parcels have ``importance`` (share of the plans, the one in hand among them, that hold the parcel) and, for the plan
    and each alternative, the phase in which it takes them (1-based, empty = not at all).
    """
    folder.mkdir(parents=True, exist_ok=True)
    names = ["plan", *(a.name for a in answer.found)]
    table = _table(answer, names)
    written = [folder / "alternatives.json", folder / "importance.csv"]
    write_json(as_data("alternatives", answer), written[0])
    write_text(_csv(table), written[1])
    if run.parcels is not None:
        layer = gpd.GeoDataFrame(table, geometry=run.parcels.geometry.to_numpy(), crs=run.parcels.crs)
        written.append(folder / "alternatives.gpkg")
        write_gpkg({"parcels": layer}, written[2])
    return tuple(written)


def _table(answer: Alternatives, names: list[str]) -> pd.DataFrame:
    phases = answer.phases()
    columns: dict[str, Any] = {
        "parcel_id": list(answer.problem.parcel_ids),
        "area_mu": answer.problem.area_mu,
        "importance": answer.importance,
    }
    for k, name in enumerate(names):
        phase = pd.array(phases[:, k], dtype="Int64")
        phase[phases[:, k] == 0] = pd.NA
        columns[f"phase_{name}"] = phase
    return pd.DataFrame(columns)


def _csv(table: pd.DataFrame) -> str:
    """With a byte order mark, so that spreadsheets read Chinese ids."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(table.columns)
    for row in table.itertuples(index=False):
        writer.writerow(["" if pd.isna(v) else v for v in row])
    return "\ufeff" + text.getvalue()


def write_holdouts(answer: HoldOuts, run: RunFolder, folder: Path) -> tuple[Path, ...]:
    """Write the hold-outs, and the robust plan where there is one.

    ``holdouts.json`` is the answer, ``holdouts.csv`` a row per parcel, ``consent.csv`` a row per test and block. With
    geometry ``holdouts.geojson`` has the parcels in the form of the web, and ``holdouts.gpkg`` the layers ``holdouts``
    and, with a robust plan, ``robust``. The folder ``robust`` holds that plan as ``problem.json`` and
    ``solution.json``, so that every question can be asked about it in turn.
    """
    folder.mkdir(parents=True, exist_ok=True)
    table = _holdout_table(answer.holdouts)
    written = [folder / "holdouts.json", folder / "holdouts.csv"]
    write_json(as_data("holdouts", answer), written[0])
    write_text(_csv(table), written[1])
    if answer.consent:
        written.append(folder / "consent.csv")
        write_text(_csv(_consent_table(answer.consent)), written[-1])
    robust = None if answer.robust is None else answer.robust.plan
    if run.parcels is not None:
        place = {name: i for i, name in enumerate(answer.problem.parcel_ids)}
        layers = {"holdouts": _layer(table, run.parcels, [place[i] for i in table["parcel_id"]])}
        if robust is not None:
            rows = _plan_table(answer.problem, robust)
            layers["robust"] = _layer(rows, run.parcels, [place[i] for i in rows["parcel_id"]])
        written += [folder / "holdouts.geojson", folder / "holdouts.gpkg"]
        write_geojson_rfc7946(layers["holdouts"], written[-2])
        write_gpkg(layers, written[-1])
    if robust is not None:
        written += _write_plan(answer.problem, robust, answer.bound, folder / "robust")
    return tuple(written)


def _layer(table: pd.DataFrame, parcels: gpd.GeoDataFrame, rows: list[int]) -> gpd.GeoDataFrame:
    return gpd.GeoDataFrame(table, geometry=parcels.geometry.to_numpy()[rows], crs=parcels.crs)


def _holdout_table(rows: tuple[HoldOut, ...]) -> pd.DataFrame:
    def numbers(values: list[float | None]) -> Any:
        return np.array([np.nan if v is None else v for v in values], dtype=float)

    return pd.DataFrame(
        {
            "parcel_id": pd.array([r.parcel_id for r in rows], dtype="str"),
            "block_id": pd.array([r.block for r in rows], dtype="str"),
            "phase_id": pd.array([r.phase for r in rows], dtype="str"),
            "kind": pd.array([r.kind for r in rows], dtype="str"),
            "area_mu": numbers([r.area_mu for r in rows]),
            "stands": np.array([r.stands for r in rows], dtype=np.bool_),
            "reason": pd.array([r.reason for r in rows], dtype="str"),
            "part_mu": numbers([r.part_mu for r in rows]),
            "lost_mu": numbers([r.lost_mu for r in rows]),
            "harmless": np.array([r.harmless for r in rows], dtype=np.bool_),
            "shortfall": pd.array([shortfall_text(r) for r in rows], dtype="str"),
            "worth_lost": numbers([r.worth_lost for r in rows]),
            "price_low": numbers([r.price.low for r in rows]),
            "price_high": numbers([r.price.high for r in rows]),
            "verdict": pd.array([r.verdict for r in rows], dtype="str"),
        }
    )


def _consent_table(tests: tuple[ConsentTest, ...]) -> pd.DataFrame:
    rows = [vars(t) | {"critical": " ".join(t.critical)} for t in tests]
    return pd.DataFrame(rows).rename(columns={"block": "block_id", "phase": "phase_id"})


def _plan_table(problem: Problem, plan: PlanInHand) -> pd.DataFrame:
    """A row per parcel of a plan."""
    rows = [
        (problem.parcel_ids[i], name, b.phase + 1, problem.phases[b.phase].id, problem.modes[b.mode].id)
        for name, b in zip(plan.names, plan.blocks, strict=True)
        for i in b.parcels
    ]
    return pd.DataFrame(rows, columns=["parcel_id", "block_id", "phase", "phase_id", "mode"])


def _write_plan(problem: Problem, plan: PlanInHand, bound: float | None, folder: Path) -> list[Path]:
    """A plan as `planner solve` leaves it; the bound is that of plans in general, robust or not."""
    folder.mkdir(parents=True, exist_ok=True)
    most = plan.objective if bound is None else max(bound, plan.objective)
    made = Plan(plan.blocks, plan.objective, most, "the plan it was made from", "feasible", "robust", 0, False)
    solution = solution_to_dict(problem, made)
    if bound is None:
        solution |= {"bound": None, "bound_proof": "", "gap": None, "gap_abs": None}
    write_json(problem_to_dict(problem), folder / PROBLEM)
    write_json(solution, folder / SOLUTION)
    return [folder / PROBLEM, folder / SOLUTION]
