"""Tables of figures, CSV or YAML, as plain containers with the line of every value."""

from __future__ import annotations

import csv
import io
import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from geodata.errors import Issue
from planner.config_issues import nearest
from planner.config_yaml import Key, Origin, Origins, file_text, read_yaml
from planner.errors import ConfigError

COLUMNS: Final = ("figure", "value", "by", "key", "unit", "source", "date", "note")
"""Columns of a CSV table; several rows of one figure with different `key` are its numbers by the field `by`."""
_NEEDED: Final = ("figure", "value", "source", "date")
_SHARED: Final = ("by", "unit", "source", "date", "note")
"""Said in the first row of a figure; its other rows repeat it or leave it empty (`by` they repeat)."""

_DATE: Final = re.compile(r"\d{4}(-\d{2}(-\d{2})?)?")  # told here, as spreadsheets rewrite what looks like a date


@dataclass
class FigureTable:
    """Figures as they stand in a file, not yet validated.

    Attributes
    ----------
    figures : dict of str to dict
        Name → keys of `planner.spec_modes.FigureSpec`.
    origins : dict
        Where each stands, by (name, key, …).
    """

    figures: dict[str, Any] = field(default_factory=dict)
    origins: Origins = field(default_factory=dict)


def read_figures(path: Path) -> FigureTable:
    """Read a table of figures: CSV with the columns `COLUMNS`, or YAML with the key ``figures``.

    Raises
    ------
    ConfigError
        Unreadable file, unknown or missing column, a row without number, source or date, a figure twice; all at once.
    """
    if path.suffix.lower() in {".yaml", ".yml"}:
        return _from_yaml(path)
    if path.suffix.lower() != ".csv":
        found = f"a file ending in {path.suffix!r}"
        raise ConfigError(Issue(str(path), found, "a table of figures, .csv, .yaml or .yml", "Name another file."))
    return _from_csv(path)


def section_of(path: Path, name: str, what: str) -> tuple[Any, Origins]:
    """One of the two sections, ``choices`` and ``figures``, that a YAML table may hold, and origins within it.

    Raises
    ------
    ConfigError
        Unreadable file, an unknown section, or no such section.
    """
    tree, origins = read_yaml(path, what)
    issues = [
        Issue(origins[(key,)].at((key,)), f"the unknown key {key!r}", "one of: choices, figures", "Remove it.")
        for key in tree
        if key not in {"choices", "figures"}
    ]
    if name not in tree:
        issues.append(Issue(str(path), f"no key {name!r}", f"a {what}", f"Put it under the key {name!r}."))
    if issues:
        raise ConfigError(issues)
    return tree[name], {key[1:]: origin for key, origin in origins.items() if key[:1] == (name,)}


def _from_yaml(path: Path) -> FigureTable:
    figures, origins = section_of(path, "figures", "table of figures")
    if not isinstance(figures, dict):
        found = "a list" if isinstance(figures, list) else repr(figures)
        raise ConfigError(Issue(origins[()].at(("figures",)), found, "a map of figures", "Write name: {value: …}."))
    return FigureTable({name: with_text_date(figure) for name, figure in figures.items()}, origins)


def with_text_date(figure: Any) -> Any:
    """The figure with its date as text: YAML reads 2023 as a number."""
    year = figure.get("date") if isinstance(figure, dict) else None
    return {**figure, "date": str(year)} if isinstance(year, int) and not isinstance(year, bool) else figure


def _from_csv(path: Path) -> FigureTable:
    text = file_text(path, "a table of figures")
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    table = FigureTable()
    try:
        columns = next(reader, [])
        issues = list(_column_issues(path, [c.strip() for c in columns]))
        if issues:
            raise ConfigError(issues)
        line = reader.line_num + 1
        for cells in reader:
            row = {name.strip(): cell.strip() for name, cell in zip(columns, cells, strict=False)}
            where = f"{path}, line {line}"
            if len(cells) > len(columns):
                found = f"{len(cells)} cells, but {len(columns)} columns"
                issues.append(Issue(where, found, "a cell per column", "Put texts with commas in quotes."))
            elif any(row.values()):
                issues += _row_issues(where, row, table.figures)
                _add(table, row, Origin(str(path), line, path.parent))
            line = reader.line_num + 1
    except csv.Error as error:
        fix = "Look at the quotes of this line and the one before."
        raise ConfigError(Issue(f"{path}, line {reader.line_num}", f"no CSV ({error})", "CSV", fix)) from error
    if issues:
        raise ConfigError(issues)
    return table


def _column_issues(path: Path, columns: list[str]) -> Iterator[Issue]:
    where, known = f"{path}, line 1", ", ".join(COLUMNS)
    for name in dict.fromkeys(columns):
        if name not in COLUMNS:
            near = nearest(name, COLUMNS)
            fix = f"Did you mean {near!r}?" if near else "Remove it; the separator is the comma."
            yield Issue(where, f"the unknown column {name!r}", f"columns {known}", fix)
        elif columns.count(name) > 1:
            yield Issue(where, f"the column {name!r} a second time", "each column once", "Remove one of them.")
    for name in _NEEDED:
        if name not in columns:
            yield Issue(where, f"no column {name!r}", f"columns {known}", "Add it.")


def _row_issues(where: str, row: Mapping[str, str], before: Mapping[str, Any]) -> Iterator[Issue]:
    """What is wrong with a row, by itself and beside the earlier rows of its figure."""
    name, by, key = row.get("figure", ""), row.get("by", ""), row.get("key", "")
    if not name:
        yield Issue(where, "a row without a figure", "the figure's name", "Write it, or remove the row.")
        return
    where = f"{where}, figure {name}"
    if _number(row.get("value", "")) is None:
        shown = repr(row["value"]) if row.get("value") else "no number"
        fix = "Write digits, with a point for decimals and nothing for thousands."
        yield Issue(f"{where}, column value", shown, "a number", fix)
    if bool(by) != bool(key):
        found, lost = ("`by`", "key") if by else ("`key`", "by")
        fix = "`by` is the field, `key` the text in it that this row's number is for."
        yield Issue(f"{where}, column {lost}", f"nothing, beside {found}", "both or neither", fix)
    if name not in before:
        for column in ("source", "date"):
            if not row.get(column):
                fix = "Say where the number comes from, `judgement` for an estimate, and of when it is."
                yield Issue(f"{where}, column {column}", "nothing", f"the figure's {column}", fix)
        if row.get("date") and not _DATE.fullmatch(row["date"]):
            fix = "Write the year first; in a spreadsheet format the column as text."
            yield Issue(f"{where}, column date", repr(row["date"]), "YYYY, YYYY-MM or YYYY-MM-DD", fix)
        return
    first = before[name]
    if not key or key in (first.get("values") or {}) or first.get("by") is None:
        found = f"the figure a second time{f' for {key}' if key else ''}"
        yield Issue(where, found, "each figure once, or once per `key`", "Merge or remove one of the rows.")
    for column in _SHARED:
        said = first.get(column) or ""
        if row.get(column) and row[column] != said:
            fix = "Leave it empty, or make two figures of it."
            yield Issue(f"{where}, column {column}", repr(row[column]), f"{said!r}, as in its first row", fix)


def _number(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return value if math.isfinite(value) and "_" not in text else None


def _add(table: FigureTable, row: Mapping[str, str], origin: Origin) -> None:
    """Put a row in; of what is wrong the first stands, as it is told and the table is not used."""
    name, value = row.get("figure", ""), _number(row.get("value", ""))
    if name not in table.figures:
        said: dict[str, Any] = {column: row[column] for column in _SHARED if row.get(column)}
        table.figures[name] = {**said, "values": {}} if row.get("by") else {**said, "value": value}
        keys: list[Key] = [(), *((column,) for column in (*said, "values" if row.get("by") else "value"))]
        table.origins.update({(name, *key): origin for key in keys})
    values = table.figures[name].get("values")
    if values is not None:
        values.setdefault(row.get("key", ""), value)
        table.origins.setdefault((name, "values", row.get("key", "")), origin)
