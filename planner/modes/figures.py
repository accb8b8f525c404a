"""Figures beside the fields of the parcels, and the numbers that quantities stand for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from geodata.errors import Issue
from planner.errors import ConfigError
from planner.expressions import evaluate_number
from planner.problem import Floats
from planner.spec_modes import FigureSpec, Quantity


def figure_fields(fields: pd.DataFrame, figures: Mapping[str, FigureSpec]) -> pd.DataFrame:
    """The fields and one more column for each figure.

    Parameters
    ----------
    fields : pandas.DataFrame
        One row per parcel.
    figures : mapping of str to FigureSpec
        A plain figure is the same everywhere; one ``by`` a field is looked up by the field's text, NaN where the field
        is unknown or its text has no number.

    Returns
    -------
    pandas.DataFrame
        Same rows; figures are ``float64``.

    Raises
    ------
    ConfigError
        A figure has the name of a field, or its ``by`` is no text field.
    """
    issues = [issue for name, figure in figures.items() for issue in _misfits(name, figure, fields)]
    if issues:
        raise ConfigError(issues)
    columns = {name: _column(figure, fields) for name, figure in figures.items()}
    return pd.concat([fields, pd.DataFrame(columns, index=fields.index)], axis=1)


def _misfits(name: str, figure: FigureSpec, fields: pd.DataFrame) -> list[Issue]:
    where = f"modes.figures.{name}"
    if name in fields.columns:
        return [Issue(where, "the name of a parcel field", "a name that no field has", "Rename the figure.")]
    if figure.by is None:
        return []
    where = f"{where}.by"
    if figure.by not in fields.columns:
        known = ", ".join(sorted(str(c) for c in fields.columns if c != "geometry"))
        return [Issue(where, f"the field {figure.by!r}", f"one of: {known}", "Correct the name, or map the field.")]
    column = fields[figure.by]
    if not pd.api.types.is_string_dtype(column.dtype) and column.notna().any():
        fix = "Map the field with `type: text`, or choose another one."
        return [Issue(where, f"the field {figure.by!r}, which is no text", "a text field", fix)]
    return []


def _column(figure: FigureSpec, fields: pd.DataFrame) -> Floats:
    if figure.by is None or figure.values is None:
        return np.full(len(fields), np.nan if figure.value is None else figure.value)
    texts, names = pd.factorize(fields[figure.by])
    values = np.array([*(figure.values.get(str(n), np.nan) for n in names), np.nan])
    return values[texts]  # unknown has the code -1, which is the last


def quantity(value: Quantity, fields: pd.DataFrame) -> Floats:
    """A quantity by parcel.

    Parameters
    ----------
    value : float or str
        A number, or an expression over fields and figures.
    fields : pandas.DataFrame
        As `figure_fields` gives them.

    Returns
    -------
    float64[n]
        NaN where it cannot be decided.

    Raises
    ------
    ConfigError
        Unknown name, text in arithmetic, or a condition where a number is needed.
    """
    if isinstance(value, str):
        return np.asarray(evaluate_number(value, fields).to_numpy(dtype=float, na_value=np.nan), dtype=np.float64)
    return np.full(len(fields), float(value))


def constant(value: Quantity, figures: Mapping[str, FigureSpec]) -> float:
    """A quantity that is the same for all parcels.

    Parameters
    ----------
    value : float or str
        A number, or an expression over plain figures.
    figures : mapping of str to FigureSpec

    Raises
    ------
    ConfigError
        It uses a figure that differs by parcel, a field or an unknown name, or has no value (a division by zero).
    """
    plain = {name: [f.value] for name, f in figures.items() if f.value is not None}
    number = float(quantity(value, pd.DataFrame(plain, index=[0]))[0])
    if np.isnan(number):
        raise ConfigError(
            Issue(f"expression {value!r}", "no value", "a number", "Look for a division by zero among its figures.")
        )
    return number


def floats(values: pd.Series[Any]) -> Floats:
    """Numbers of a column or of an evaluated expression, ``float64[n]``, NaN where unknown."""
    return np.asarray(values.astype("Float64").to_numpy(dtype=np.float64, na_value=np.nan))
