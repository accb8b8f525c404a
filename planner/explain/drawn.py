"""Reads blocks that somebody drew: polygons, or a table of parcel ids."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import geopandas as gpd
import pandas as pd

from geodata.errors import DataError, Issue, list_ids
from geodata.read import read_layer
from geodata.tables import read_table
from geodata.zones import assign_zones
from planner.problem import Block, Problem

PHASE_COLUMNS: Final = ("phase", "phase_id", "期")
BLOCK_COLUMNS: Final = ("block_id", "block", "连片区")
MODE_COLUMNS: Final = ("mode", "改造模式")
PARCEL_COLUMNS: Final = ("parcel_id", "parcel", "id", "宗地编码", "code")
_TABLES: Final = frozenset({".csv", ".tsv", ".txt", ".xlsx", ".xlsm"})
_EQUAL: Final = 1e-6


@dataclass(frozen=True)
class Cut:
    """A parcel that a drawn line cuts.

    Attributes
    ----------
    parcel_id : str
    shares : mapping of str to float
        Block, or ``'outside'`` → share of the parcel's area.
    given_to : str or None
        The block that got it: the one with the largest share, if more of it lies there than outside.
    """

    parcel_id: str
    shares: Mapping[str, float]
    given_to: str | None


@dataclass(frozen=True)
class Drawn:
    """Blocks as read.

    Attributes
    ----------
    blocks : tuple of Block
        In the order drawn.
    labels : tuple of str
        What the drawer calls them.
    cut : tuple of Cut
        Empty for tables.
    notes : tuple of str
        What a reader should know: blocks without a parcel, fixed blocks that were added.
    """

    blocks: tuple[Block, ...]
    labels: tuple[str, ...]
    cut: tuple[Cut, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Columns:
    """Names of columns; None = the first of the usual names that is there."""

    phase: str | None = None
    block: str | None = None
    mode: str | None = None
    parcel: str | None = None


def read_drawn(
    path: str | Path,
    problem: Problem,
    parcels: gpd.GeoDataFrame,
    columns: Columns | None = None,
    *,
    layer: str | None = None,
    crs: str | None = None,
) -> Drawn:
    """Read drawn blocks, from a table (CSV, XLSX) or a vector file.

    Parameters
    ----------
    path : str or Path
        A table has a row per parcel: its id, block and phase. A vector file has polygons with a phase; polygons of one
        block id are one block, without such a column every polygon is a block.
    problem : Problem
        Phases and modes.
    parcels : geopandas.GeoDataFrame
        Repaired parcels, indexed by ``parcel_id``, in the order of the problem.
    columns : Columns, optional
    layer, crs : str, optional
        As in `geodata.read.read_layer`; sheet of a workbook.

    Raises
    ------
    DataError
        Unknown parcels, phases or modes, a parcel in two rows, missing columns: everything listed.
    """
    columns = columns or Columns()
    place = {name: i for i, name in enumerate(problem.parcel_ids)}
    if Path(path).suffix.lower() in _TABLES:
        drawn = _from_table(Path(path), problem, place, columns, layer)
    else:
        polygons = read_layer(path, metric_crs=parcels.crs, what="zones", layer=layer, crs=crs)
        drawn = _from_polygons(Path(path).name, polygons, problem, place, columns, parcels)
    return _with_fixed(drawn, problem)


def _with_fixed(drawn: Drawn, problem: Problem) -> Drawn:
    """Blocks that stand belong to every plan, drawn or not."""
    missing = [b for b in problem.fixed if b not in set(drawn.blocks)]
    if not missing:
        return drawn
    note = f"{len(missing)} fixed blocks were not drawn; they stand in every plan and were added"
    labels = (*drawn.labels, *(f"fixed {k + 1}" for k in range(len(missing))))
    return Drawn((*drawn.blocks, *missing), labels, drawn.cut, (*drawn.notes, note))


def _from_table(path: Path, problem: Problem, place: Mapping[str, int], columns: Columns, sheet: str | None) -> Drawn:
    table = read_table(path, sheet=sheet)
    where = path.name
    parcel = _column(table, columns.parcel, PARCEL_COLUMNS, where, "the parcel id")
    block = _column(table, columns.block, BLOCK_COLUMNS, where, "the block")
    phase = _column(table, columns.phase, PHASE_COLUMNS, where, "the phase")
    mode = _optional_column(table, columns.mode, MODE_COLUMNS, where)
    ids = table[parcel].str.strip()
    issues = []
    unknown = [f"{i} (row {row})" for row, i in ids.items() if i not in place]
    if unknown:
        fix = "Correct them; ids are those after the repair, see `planner validate`."
        issues.append(Issue(f"{where}, column {parcel}", f"unknown parcels: {list_ids(unknown)}", "parcel ids", fix))
    twice = sorted(set(ids[ids.duplicated()]))
    if twice:
        found = f"parcels in two rows: {list_ids(twice)}"
        issues.append(Issue(f"{where}, column {parcel}", found, "each parcel once", "Remove all rows but one."))
    members: dict[str, list[int]] = {}
    for label, i in zip(table[block].str.strip(), ids, strict=True):
        members.setdefault(str(label), []).append(place.get(i, -1))
    if "" in members:
        fix = "Fill the cells, or remove the rows."
        issues.append(Issue(f"{where}, column {block}", "empty cells", "a block in every row", fix))
    settings = _settings(table, block, phase, mode, problem, where, issues)
    if issues:
        raise DataError(issues)
    return Drawn(tuple(Block(tuple(sorted(m)), *settings[label]) for label, m in members.items()), tuple(members))


def _settings(
    table: pd.DataFrame,
    block: str,
    phase: str,
    mode: str | None,
    problem: Problem,
    where: str,
    issues: list[Issue],
) -> dict[str, tuple[int, int]]:
    """Block → phase and mode, the same in all its rows."""
    phases = {p.id: t for t, p in enumerate(problem.phases)}
    numbers = {str(t + 1): t for t in range(len(problem.phases)) if str(t + 1) not in phases}
    modes = {m.id: k for k, m in enumerate(problem.modes)}
    found: dict[str, tuple[int, int]] = {}
    for label, rows in table.groupby(block, sort=False):
        name = str(label).strip()
        texts = sorted({_text(v) for v in rows[phase]})
        t = (phases | numbers).get(texts[0]) if len(texts) == 1 else None
        if t is None:
            expected = f"one of the phases {', '.join(phases)} (or 1 to {len(phases)}), the same in the whole block"
            said = f"block {name}: {', '.join(repr(x) for x in texts)}"
            issues.append(Issue(f"{where}, column {phase}", said, expected, "Correct the phase."))
        ways = [problem.modes[0].id] if mode is None else sorted({_text(v) for v in rows[mode]})
        m = modes.get(ways[0]) if len(ways) == 1 else None
        if m is None:
            said = f"block {name}: {', '.join(repr(x) for x in ways)}"
            expected = f"one of the modes {', '.join(modes)}, the same in the whole block"
            issues.append(Issue(f"{where}, column {mode}", said, expected, "Correct the mode."))
        found[name] = (t or 0, m or 0)
    return found


def _text(value: Any) -> str:
    """A cell as text: 1.0 is 1."""
    if value is None or pd.isna(value):
        return ""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value).strip()


def _from_polygons(
    where: str,
    polygons: gpd.GeoDataFrame,
    problem: Problem,
    place: Mapping[str, int],
    columns: Columns,
    parcels: gpd.GeoDataFrame,
) -> Drawn:
    table = pd.DataFrame(polygons.drop(columns=polygons.geometry.name))
    phase = _column(table, columns.phase, PHASE_COLUMNS, where, "the phase")
    mode = _optional_column(table, columns.mode, MODE_COLUMNS, where)
    block = _optional_column(table, columns.block, BLOCK_COLUMNS, where)
    labels = [_text(v) for v in table[block]] if block is not None else [f"B{k + 1}" for k in range(len(table))]
    issues: list[Issue] = []
    if "" in labels:
        found = f"no block in row {list_ids([k + 1 for k, v in enumerate(labels) if not v])}"
        issues.append(Issue(f"{where}, column {block}", found, "a block for every polygon", "Fill the column."))
    settings = _settings(table.assign(_label=labels), "_label", phase, mode, problem, where, issues)
    if issues:
        raise DataError(issues)
    shapes = polygons.assign(_label=labels)[["_label", polygons.geometry.name]].dissolve(by="_label", as_index=False)
    assigned = assign_zones(parcels, shapes, "_label")
    zone: dict[str, str | None] = {str(i): z for i, z in assigned.zone.items()}
    cut = _cut(assigned.straddling, zone)
    for c in cut:
        zone[c.parcel_id] = c.given_to
    members: dict[str, list[int]] = {label: [] for label in dict.fromkeys(labels)}
    for parcel_id, label in zone.items():
        if label is not None and not pd.isna(label):
            members[str(label)].append(place[str(parcel_id)])
    empty = [label for label, m in members.items() if not m]
    notes = (f"drawn blocks that hold most of no parcel, left out: {list_ids(empty)}",) if empty else ()
    kept = {label: m for label, m in members.items() if m}
    blocks = tuple(Block(tuple(sorted(m)), *settings[label]) for label, m in kept.items())
    return Drawn(blocks, tuple(kept), cut, notes)


def _cut(straddling: pd.DataFrame, zone: Mapping[Any, Any]) -> tuple[Cut, ...]:
    """Parcels with parts in several blocks, or inside and outside."""
    found = []
    for parcel_id, rows in straddling.groupby("parcel_id", sort=True):
        names = ["outside" if pd.isna(z) else str(z) for z in rows["zone"]]
        parts = zip(names, rows["share"].astype(float), strict=True)
        shares = dict(sorted(parts, key=lambda item: (-item[1], item[0])))
        most = zone[parcel_id]
        outside = shares.get("outside", 0.0)
        given = str(most) if most is not None and shares.get(str(most), 0.0) >= outside - _EQUAL else None
        found.append(Cut(str(parcel_id), shares, given))
    return tuple(found)


def _column(table: pd.DataFrame, wanted: str | None, usual: Sequence[str], where: str, what: str) -> str:
    found = _optional_column(table, wanted, usual, where)
    if found is None:
        has = ", ".join(str(c) for c in table.columns) or "none"
        raise DataError(
            Issue(where, f"no column for {what}; columns: {has}", f"one of {', '.join(usual)}", "Name it by an option.")
        )
    return found


def _optional_column(table: pd.DataFrame, wanted: str | None, usual: Sequence[str], where: str) -> str | None:
    if wanted is not None and wanted not in table.columns:
        has = ", ".join(str(c) for c in table.columns) or "none"
        raise DataError(Issue(where, f"no column {wanted!r}", f"one of {has}", "Correct the name."))
    return wanted or next((name for name in usual if name in table.columns), None)
