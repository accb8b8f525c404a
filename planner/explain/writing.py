"""Files of the alternatives: a table, and with geometry a GeoPackage, of every parcel in every plan."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import Any

import geopandas as gpd
import pandas as pd

from geodata.write import write_gpkg, write_json, write_text
from planner.explain.alternatives import Alternatives
from planner.explain.data import as_data
from planner.explain.folder import RunFolder


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
