"""Locks, remarks and the plan before as the layer ``parcels`` of a GeoPackage holds them, edited in a GIS or not."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pandas as pd
import pyogrio
from pyogrio.errors import DataSourceError

from geodata.attributes import parcel_ids
from geodata.errors import DataError, Issue, list_ids
from planner.lock_entries import WORDING, LockEntry, parse_lock, tidy_note

LAYER: Final = "parcels"
_COLUMNS: Final = ("parcel_id", "locked", "note", "status", "block_id")
_EXPECTED: Final = "a GeoPackage with the layer parcels, as plan.gpkg of a run"
_FIX: Final = "Give plan.gpkg of a run, or a copy of it."
_BLOCK: Final = re.compile(r"(.+)-\d+", re.DOTALL)
"""Name of a block: its phase and a number."""


@dataclass(frozen=True)
class LocksLayer:
    """What a layer of parcels says.

    Attributes
    ----------
    entries : tuple of LockEntry
        Parcels with a lock or a remark.
    has_notes : bool
        Whether there is a column ``note``.
    plan : mapping of str to str, or None
        Parcel → phase of the plan that the layer shows; None where its columns are not there.
    hashes : mapping of str to str
        ``config_hash`` and ``input_hash`` of the run, where its summary lies beside the file.
    """

    entries: tuple[LockEntry, ...]
    has_notes: bool
    plan: Mapping[str, str] | None
    hashes: Mapping[str, str]


def read_layer(path: Path) -> LocksLayer:
    """Locks and remarks of every parcel, and the plan.

    Parameters
    ----------
    path : pathlib.Path
        A GeoPackage.

    Raises
    ------
    DataError
        It cannot be read; a column is missing; an id is missing or occurs twice; a cell is no lock. All are listed.
    """
    frame = _frame(path)
    where = f"{path}, layer {LAYER}"
    if "locked" not in frame.columns:
        found = f"the columns {', '.join(map(str, frame.columns)) or 'of none'}"
        raise DataError(Issue(where, found, "a column locked", _FIX))
    ids = parcel_ids(frame, "parcel_id", where).tolist()
    rows = [f"row {k} (parcel {i})" for k, i in enumerate(ids, start=1)]
    notes = _texts(frame, "note")
    strange: dict[str, list[str]] = {}
    entries = []
    for parcel, row, text, note in zip(ids, rows, _texts(frame, "locked"), notes, strict=True):
        try:
            kind, phase = parse_lock(text)
        except ValueError:
            strange.setdefault(text, []).append(row)
            continue
        remark = tidy_note(note)
        if kind is not None or remark is not None:
            entries.append(LockEntry(parcel, kind, phase, remark, f"{where}, {row}"))
    issues = [
        Issue(f"{where}, column locked", f"{text!r} in {list_ids(cells)}", WORDING, "Correct these cells.")
        for text, cells in strange.items()
    ]
    plan = _plan(frame, ids, where, issues)
    if issues:
        raise DataError(issues)
    return LocksLayer(tuple(entries), "note" in frame.columns, plan, _hashes(path))


def read_plan_layer(path: Path) -> tuple[Mapping[str, str] | None, Mapping[str, str]]:
    """The plan alone (parcel → phase) and the hashes of its run; see `LocksLayer`.

    Raises
    ------
    DataError
        The file cannot be read, or names no blocks as a run does.
    """
    frame = _frame(path)
    where = f"{path}, layer {LAYER}"
    ids = parcel_ids(frame, "parcel_id", where).tolist()
    issues: list[Issue] = []
    plan = _plan(frame, ids, where, issues)
    if issues:
        raise DataError(issues)
    return plan, _hashes(path)


def _frame(path: Path) -> pd.DataFrame:
    """The columns that matter, as many as there are."""
    if not path.is_file():
        raise DataError(Issue(str(path), "no such file", _EXPECTED, "Check the path."))
    try:
        layers = [str(name) for name, _ in pyogrio.list_layers(path)]
        if LAYER not in layers:
            raise DataError(Issue(str(path), f"the layers {', '.join(layers) or 'of none'}", _EXPECTED, _FIX))
        present = [str(name) for name in pyogrio.read_info(path, layer=LAYER)["fields"]]
        wanted = [name for name in _COLUMNS if name in present]
        frame: pd.DataFrame = pyogrio.read_dataframe(path, layer=LAYER, columns=wanted, read_geometry=False)
    except (DataSourceError, RuntimeError) as error:  # damage inside a file is a RuntimeError of GDAL
        raise DataError(Issue(str(path), f"a file that cannot be read ({error})", _EXPECTED, _FIX)) from error
    return frame


def _texts(frame: pd.DataFrame, column: str) -> list[str]:
    """Cells as text, unknown ones empty."""
    if column not in frame.columns:
        return [""] * len(frame)
    return ["" if pd.isna(value) else str(value) for value in frame[column].tolist()]


def _plan(frame: pd.DataFrame, ids: Sequence[str], where: str, issues: list[Issue]) -> Mapping[str, str] | None:
    """Selected parcels and the phases that the names of their blocks begin with."""
    if not {"status", "block_id"} <= set(frame.columns):
        return None
    plan, strange = {}, []
    for parcel, state, block in zip(ids, _texts(frame, "status"), _texts(frame, "block_id"), strict=True):
        if state != "selected":
            continue
        named = _BLOCK.fullmatch(block)
        if named is None:
            strange.append(f"{block!r} (parcel {parcel})")
        else:
            plan[parcel] = named.group(1)
    if strange:
        expected = "blocks of the plan, such as P1-01, where the status is selected"
        fix = "Take these cells from the plan."
        issues.append(Issue(f"{where}, column block_id", list_ids(strange), expected, fix))
    return plan


def _hashes(path: Path) -> Mapping[str, str]:
    """Hashes in the summary beside the file; none where that is not the summary of a run."""
    try:
        summary: Any = json.loads(path.with_name("summary.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    if not isinstance(summary, dict):
        return {}
    return {key: summary[key] for key in ("config_hash", "input_hash") if isinstance(summary.get(key), str)}
