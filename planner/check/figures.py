"""Figures of the configuration as columns beside the fields, and quantities evaluated over them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import numpy as np
import pandas as pd

from geodata.errors import Issue
from planner.check import shapes
from planner.check.columns import numbers, texts
from planner.errors import ConfigError
from planner.expressions import evaluate_number
from planner.spec_modes import FigureSpec, Quantity

ONE_ROW: Final = [0]


def product(share: shapes.Floats, amount: shapes.Floats) -> shapes.Floats:
    """Product in which none of something unknown is none."""
    return np.where((share == 0) | (amount == 0), 0.0, share * amount)


class Figures:
    """Numbers for expressions: those that stand alone, and those that a parcel's field chooses.

    Parameters
    ----------
    fields : pandas.DataFrame
        Fields by position; not changed.
    specs : mapping of str to FigureSpec
        Name → figure.

    Attributes
    ----------
    frame : pandas.DataFrame
        Fields and figures by position; a figure chosen by a text that it does not list is NaN.
    alone : pandas.DataFrame
        One row: the figures that depend on no field.

    Raises
    ------
    planner.errors.ConfigError
        A figure is chosen by a field that does not exist.
    """

    def __init__(self, fields: pd.DataFrame, specs: Mapping[str, FigureSpec]) -> None:
        columns = {name: _column(name, spec, fields) for name, spec in specs.items()}
        single = {name: [spec.value] for name, spec in specs.items() if spec.value is not None}
        self.frame = fields.assign(**columns)
        self.alone = pd.DataFrame(single, index=ONE_ROW, dtype=float)

    def by_parcel(self, quantity: Quantity, **more: shapes.Floats) -> shapes.Floats:
        """Value for every parcel, ``float64[n]``, NaN where unknown; `more` are further columns."""
        if not isinstance(quantity, str):
            return np.full(len(self.frame), float(quantity))
        return numbers(evaluate_number(quantity, self.frame.assign(**more) if more else self.frame))

    def number(self, quantity: Quantity) -> float:
        """Value that is the same for all parcels, NaN where it has none; over figures without a field only."""
        if not isinstance(quantity, str):
            return float(quantity)
        return float(numbers(evaluate_number(quantity, self.alone))[0])


def _column(name: str, spec: FigureSpec, fields: pd.DataFrame) -> shapes.Floats:
    if spec.value is not None:
        return np.full(len(fields), spec.value)
    if spec.by not in fields.columns:
        raise ConfigError(
            Issue(
                f"modes.figures.{name}",
                f"the field {spec.by!r}",
                "one of: " + ", ".join(sorted(str(c) for c in fields.columns)),
                "Correct the name in `by`.",
            )
        )
    given = spec.values or {}
    return np.array([given.get(text, np.nan) if text is not None else np.nan for text in texts(fields[spec.by])])
