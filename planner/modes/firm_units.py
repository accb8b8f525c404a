"""Firms as units: groups of firms of a parcel that are alike, or single firms of a table."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import pandas as pd

from geodata.errors import DataError, Issue, list_ids
from planner.expressions import evaluate_number
from planner.modes.decant import decant_floor, moves_once
from planner.problem import Floats
from planner.spec_modes import ModesSpec

UNIT_COLUMNS: Final = ("unit", "parcel_id", "firms", "floor_m2", "large", "once")
"""Columns of a table of units; see `firm_units`."""
_TINY_M2: Final = 1e-6


def firm_units(modes: ModesSpec, fields: pd.DataFrame, undecided: dict[str, list[str]]) -> pd.DataFrame:
    """Firms by parcel, its floor area divided over them evenly: large ones, and others.

    Parameters
    ----------
    modes : ModesSpec
        With a section `decant`.
    fields : pandas.DataFrame
        By parcel id, with `area_mu` and the figures.
    undecided : dict of str to list of str
        Gets the parcels of unknown figures.

    Returns
    -------
    pandas.DataFrame
        `UNIT_COLUMNS`, one row for firms that are alike: ``unit``, a name of its own; ``firms``, their number; NA where
        unknown and 0 for floor area in use without a known firm: both move as one; ``floor_m2`` of all of them, NaN
        where unknown; ``large``, NA where unknown; ``once``, they need a place where they can stay.

    Raises
    ------
    DataError
        Numbers that are negative or not whole, or more large firms than firms.
    """
    spec = modes.decant
    if spec is None:
        raise ValueError("there is no section `decant`")
    floor, once = decant_floor(spec, fields, undecided), moves_once(spec, fields, undecided)
    firms, large = _count(spec.firms, fields), _count(spec.large_firms, fields)
    _check_counts(fields, firms, large)
    for name, values in (("number of firms", firms), ("number of large firms", large)):
        if np.isnan(values).any():
            undecided[f"decanting, {name}"] = [str(i) for i in fields.index[np.flatnonzero(np.isnan(values))]]
    rows: list[tuple[Any, ...]] = []
    for i, parcel in enumerate(fields.index.astype(str)):
        if floor[i] == 0 and not firms[i] > 0:
            continue
        if np.isnan(firms[i]) or firms[i] == 0:
            some = pd.NA if np.isnan(large[i]) else bool(large[i] > 0)
            rows.append((parcel, parcel, pd.NA if np.isnan(firms[i]) else 0, floor[i], some, once[i]))
        elif np.isnan(large[i]):
            rows.append((parcel, parcel, int(firms[i]), floor[i], pd.NA, once[i]))
        else:
            for number, big in ((large[i], True), (firms[i] - large[i], False)):
                if number:
                    name = f"{parcel} {'large' if big else 'other'}"
                    rows.append((name, parcel, int(number), floor[i] * number / firms[i], big, once[i]))
    return typed_units(pd.DataFrame(rows, columns=list(UNIT_COLUMNS)))


def typed_units(units: pd.DataFrame) -> pd.DataFrame:
    """Units with the types of their columns, in an order that does not depend on that of the rows."""
    kinds = {"unit": "str", "parcel_id": "str", "firms": "Int64", "floor_m2": "float64", "large": "boolean"}
    typed = units[list(UNIT_COLUMNS)].astype(kinds | {"once": "bool"})
    return typed.sort_values(["parcel_id", "large", "once", "unit"], ignore_index=True, na_position="first")


def check_units(units: pd.DataFrame, fields: pd.DataFrame) -> None:
    """Raise a `DataError` for units that cannot be: unknown parcels, names not their own, negative numbers."""
    known = set(fields.index.astype(str))
    lost = [f"{u} ({p})" for u, p in zip(units["unit"], units["parcel_id"], strict=True) if p not in known]
    issues = []
    for names, found, expected in (
        (lost, "parcels that do not exist", "ids of parcels"),
        (list(units["unit"][units["unit"].duplicated()]), "names that stand twice", "a name of its own for each"),
        (
            list(units["unit"][(units["floor_m2"] < 0) | (units["firms"].fillna(0) < 0)]),
            "negative numbers",
            "0 or more",
        ),
    ):
        if names:
            issues.append(Issue("table of firms", f"{found}: {list_ids(names)}", expected, "Correct the table."))
    if issues:
        raise DataError(issues)


def split_parcel(units: pd.DataFrame, share: float) -> list[dict[str, Any]]:
    """Units of one parcel, of whose floor area a share must be left, as rows that share a fate.

    Parameters
    ----------
    units : pandas.DataFrame
        In the order in which they leave.
    share : float
        0 to 1, NaN where unknown.

    Returns
    -------
    list of dict
        Units with ``status`` 'kept', 'moved' or 'unknown'; their floor area and firms add up to those given.
    """
    rows = [{str(k): v for k, v in row.items()} for row in units.to_dict("records")]
    if share == 0:
        return [row | {"status": "kept"} for row in rows]
    if np.isnan(share) or units["floor_m2"].isna().any():
        return [row | {"status": "unknown"} for row in rows]
    parts, left = [], share * float(units["floor_m2"].sum())
    for row in rows:
        for status, firms, floor in _fates(row["firms"], float(row["floor_m2"]), left, all_leave=share == 1):
            parts.append(row | {"status": status, "firms": firms, "floor_m2": floor})
            left -= floor if status == "moved" else 0.0
    return parts


def _fates(firms: Any, floor_m2: float, left_m2: float, *, all_leave: bool) -> list[tuple[str, Any, float]]:
    """Status, firms and floor area of the parts of a unit of which `left_m2` at most must be left."""
    if all_leave or floor_m2 <= left_m2 + _TINY_M2:
        return [("moved", firms, floor_m2)]
    if left_m2 <= _TINY_M2:
        return [("kept", firms, floor_m2)]
    if pd.isna(firms) or firms == 0:  # one unit: it gives up a part of its floor area
        return [("moved", firms, left_m2), ("kept", 0, floor_m2 - left_m2)]
    each = floor_m2 / firms
    whole = int((left_m2 + _TINY_M2) // each)
    rest = left_m2 - whole * each
    parts: list[tuple[str, Any, float]] = [("moved", whole, whole * each)] if whole else []
    gone = whole
    if rest > _TINY_M2:  # the last one leaves with a part of its floor area
        parts.append(("moved", 1, rest))
        gone += 1
    return [*parts, ("kept", firms - gone, floor_m2 - sum(p[2] for p in parts))]


def _count(text: str | None, fields: pd.DataFrame) -> Floats:
    if text is None:
        return np.full(len(fields), np.nan)
    return np.asarray(evaluate_number(text, fields).to_numpy(dtype=np.float64, na_value=np.nan))


def _check_counts(fields: pd.DataFrame, firms: Floats, large: Floats) -> None:
    issues = []
    for key, values in (("firms", firms), ("large_firms", large)):
        bad = (values < 0) | (~np.isnan(values) & (values != np.rint(values)))
        if bad.any():
            found = f"numbers below 0 or not whole in parcels {list_ids(list(fields.index[np.flatnonzero(bad)]))}"
            issues.append(Issue(f"modes.decant.{key}", found, "whole numbers of 0 or more", "Correct the data."))
    more = large > firms
    if more.any():
        found = f"more large firms than firms in parcels {list_ids(list(fields.index[np.flatnonzero(more)]))}"
        issues.append(Issue("modes.decant.large_firms", found, "at most `firms`", "Correct the data."))
    if issues:
        raise DataError(issues)
