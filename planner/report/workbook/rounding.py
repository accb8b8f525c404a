"""Figures as they are displayed: rounded so that the rows shown add up to the total shown."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import pandas as pd

from planner.modes.displayed import STEP_CENTS, apportion

DIGITS: Final = 2
STEPS: Final = 10**DIGITS
"""Steps of the last digit in a unit."""


def displayed(values: pd.Series[Any], parts: Sequence[Any] | None = None) -> pd.Series[Any]:
    """Values with two decimals, each rounded up or down by largest remainders.

    The sum of the known values is the rounded sum; with `parts` the same holds for the sums up to each part (phase
    after phase), so that cumulative figures are right too. Each value is less than 0.01 from the truth.

    Parameters
    ----------
    values : pandas.Series
        0 or more or NaN, in a fixed order: of equal remainders the first is rounded up.
    parts : sequence, optional
        Part of each value; parts are taken in ascending order.

    Returns
    -------
    pandas.Series
        Same index; NaN stays NaN.
    """
    numbers = values.to_numpy(dtype=float, na_value=np.nan)
    part = np.zeros(len(numbers), dtype=int) if parts is None else np.unique(np.asarray(parts), return_inverse=True)[1]
    shown = np.full(len(numbers), np.nan)
    reached, told = 0.0, 0
    for k in range(int(part.max(initial=-1)) + 1):
        mine = np.flatnonzero((part == k) & ~np.isnan(numbers))
        fine = np.rint(numbers[mine] * STEPS * STEP_CENTS).astype(np.int64)
        reached += float(numbers[mine].sum())
        whole = int(fine.sum()) // STEP_CENTS
        steps = min(max(round_steps(reached) - told, whole), -(-int(fine.sum()) // STEP_CENTS))
        shown[mine] = apportion(fine, steps) / STEPS
        told += steps
    return pd.Series(shown, index=values.index)


def round_steps(value: float) -> int:
    """A value in steps of 0.01; half a step is rounded up."""
    return int(np.floor(value * STEPS + 0.5 + 1e-9))


def split(whole: float, part: float) -> tuple[float, float]:
    """Two displayed figures that add up to a displayed whole, the first near `part`."""
    steps = min(max(round_steps(part), 0), round_steps(whole))
    return steps / STEPS, (round_steps(whole) - steps) / STEPS
