"""The projects that look for land, as one table: from the configuration, or from a CSV or XLSX file."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import numpy as np
import pandas as pd

from geodata.columns import name_rows, read_codes, read_numbers, read_texts
from geodata.errors import DataError, Issue, list_ids
from geodata.tables import read_table
from planner.config_issues import nearest
from planner.spec_demand import RATIOS, REVIEWS, TEXT_COLUMNS, DemandSpec, EntrantSpec

COLUMNS: Final = tuple(name for name in EntrantSpec.model_fields if name != "id")
"""Columns of a project besides its id, in order."""
ID: Final = "project_id"
_YEARS: Final = ("from_year", "by_year")


def read_projects(spec: DemandSpec) -> pd.DataFrame:
    """All projects.

    Parameters
    ----------
    spec : DemandSpec

    Returns
    -------
    pandas.DataFrame
        Indexed by ``project_id``, sorted by it. `COLUMNS` and then the ratios of `planner.spec_demand.RATIOS`: numbers
        are ``Float64``, texts ``string``, NA where unknown. A ratio over nothing is unknown.

    Raises
    ------
    DataError
        A table that cannot be read, columns that no project has, cells that are no number or no such text, ids that
        are missing or occur twice; all of them at once.
    """
    frame = _listed(spec) if spec.path is None else _from_table(spec)
    typed = {n: frame[n].astype("string" if n in TEXT_COLUMNS else "Float64") for n in COLUMNS}
    table = pd.DataFrame(typed, index=frame.index).sort_index()
    late = table.index[(table["from_year"] > table["by_year"]).fillna(False).to_numpy(dtype=bool)]
    if len(late):
        where = "demand.projects" if spec.path is None else f"{spec.path.name}, column from_year"
        found = f"years after `by_year` in {list_ids(list(late))}"
        raise DataError(Issue(where, found, "a year up to `by_year`", "Correct one of the two."))
    for name, (above, below) in RATIOS.items():
        divisor = table[below].where(table[below] != 0)
        table[name] = table[above] / divisor
    return table


def _listed(spec: DemandSpec) -> pd.DataFrame:
    rows = [p.model_dump() for p in spec.projects]
    return pd.DataFrame(rows, columns=["id", *COLUMNS]).rename(columns={"id": ID}).set_index(ID)


def _from_table(spec: DemandSpec) -> pd.DataFrame:
    assert spec.path is not None
    source = spec.path.name if spec.sheet is None else f"{spec.path.name}, sheet {spec.sheet}"
    raw = read_table(spec.path, spec.sheet)
    issues = list(_header_issues(raw, source))
    if issues:
        raise DataError(issues)
    ids = read_codes(raw["id"])
    issues += _id_issues(ids.values, ids.lost, source)
    columns: dict[str, Any] = {}
    for name in COLUMNS:
        if name not in raw:
            columns[name] = pd.Series(pd.NA, index=raw.index, dtype="string" if name in TEXT_COLUMNS else "Float64")
        elif name in TEXT_COLUMNS:
            columns[name] = read_texts(raw[name]).values
            issues += _review_issues(columns[name], name, source)
        else:
            columns[name], found = _numbers(raw[name], name, source)
            issues += found
    if issues:
        raise DataError(issues)
    return pd.DataFrame(columns, index=raw.index).set_axis(pd.Index(ids.values.astype(object), name=ID), axis=0)


def _header_issues(raw: pd.DataFrame, source: str) -> Iterator[Issue]:
    known = {"id", *COLUMNS}
    names = [str(c) for c in raw.columns]
    if "id" not in names:
        expected = "a column `id`, each project's own name"
        yield Issue(source, f"the columns {', '.join(names)}", expected, "Name the columns as the keys of a project.")
    for name in dict.fromkeys(names):
        if names.count(name) > 1:
            yield Issue(f"{source}, column {name}", "the column twice", "each column once", "Rename or remove one.")
        if name not in known:
            near = nearest(name, known)
            fix = f"Did you mean {near!r}?" if near is not None else "Rename it, or remove it; remarks go to `note`."
            yield Issue(f"{source}, column {name}", "an unknown column", f"one of: {', '.join(sorted(known))}", fix)


def _id_issues(ids: pd.Series[Any], lost: Any, source: str) -> Iterator[Issue]:
    where, blank = f"{source}, column id", ids.isna().to_numpy()
    if blank.any():
        found = f"no id in {name_rows(ids.index, blank)}"
        yield Issue(where, found, "a name for every project", "Fill it in, or remove the row.")
    if lost.any():
        found = f"numbers that lost digits in {name_rows(ids.index, lost, ids)}"
        yield Issue(where, found, "ids in full", "Store the column as text.")
    twice = (ids.duplicated(keep=False) & ids.notna()).to_numpy()
    if twice.any():
        found = f"ids that occur twice: {name_rows(ids.index, twice, ids)}"
        yield Issue(where, found, "each project once", "Rename or remove the repeated rows.")


def _review_issues(values: pd.Series[Any], name: str, source: str) -> Iterator[Issue]:
    allowed = REVIEWS.get(name)
    if allowed is None:
        return
    bad = (values.notna() & ~values.isin(allowed)).to_numpy(dtype=bool)
    if bad.any():
        found = name_rows(values.index, bad, values)
        yield Issue(f"{source}, column {name}", found, " or ".join(allowed), "Correct the cells; empty is unknown.")


def _numbers(column: pd.Series[Any], name: str, source: str) -> tuple[pd.Series[Any], list[Issue]]:
    where, read = f"{source}, column {name}", read_numbers(column)
    issues = []
    if read.bad.any():
        found = f"no number in {name_rows(column.index, read.bad, column)}"
        fix = "Write plain numbers without units or separators; empty is unknown."
        issues.append(Issue(where, found, "numbers", fix))
    below = np.nan_to_num(read.values) < 0
    if below.any() and name not in _YEARS:
        found = f"numbers below 0 in {name_rows(column.index, below, column)}"
        issues.append(Issue(where, found, "0 or more", "Correct the cells; empty is unknown."))
    values = pd.Series(read.values, index=column.index).astype("Float64")
    return values.mask(np.isnan(read.values)), issues
