"""Yield grading 亩均效益评价 of the projects: marks, their sum, and grades A to D by rank."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import pandas as pd

from geodata.errors import Issue
from planner.errors import ConfigError
from planner.expressions import evaluate_number
from planner.spec_demand import GradingSpec

_BASE: Final = 20.0
_SPAN: Final = 80.0
_TIE: Final = 1e-9
"""Sums of marks that differ by less are equal."""


def grade_projects(spec: GradingSpec | None, projects: pd.DataFrame) -> pd.DataFrame:
    """Marks and grade of every project.

    An indicator x brings w · [20 + 80 (x − min) / (max − min)] / 100, with the least and the largest x that are known
    of any project; where all are equal it brings the middle, w · 60 / 100. A project with an unknown indicator has no
    grade. The others are ranked by their sum; rank r of n has grade A where r / n ≤ ``a_share``, and so on: equal sums
    share the last of their ranks, so that no share is passed.

    Returns
    -------
    pandas.DataFrame
        By ``project_id``: ``grade`` (A to D or None), ``grade_marks`` (``Float64``, of 100).

    Raises
    ------
    ConfigError
        A wrong expression.
    """
    if spec is None:
        nothing = pd.Series(np.nan, index=projects.index, dtype="Float64")
        return pd.DataFrame({"grade": _none(projects), "grade_marks": nothing})
    marks = sum((m.weight / 100 * _mark(k, m.value, projects) for k, m in enumerate(spec.marks)), 0.0 * _zero(projects))
    known = marks.notna().to_numpy(dtype=bool)
    ranks = (-marks[known].astype("float64") / _TIE).round().rank(method="max") / max(1, int(known.sum()))
    bounds = [spec.a_share, spec.b_share, spec.c_share]
    letters = np.array(["A", "B", "C", "D"], dtype=object)
    grade = _none(projects)
    grade[known] = letters[np.searchsorted(bounds, ranks.to_numpy() - _TIE, side="left")]
    return pd.DataFrame({"grade": grade, "grade_marks": marks})


def _none(projects: pd.DataFrame) -> pd.Series[Any]:
    return pd.Series([None] * len(projects), index=projects.index, dtype=object)


def _zero(projects: pd.DataFrame) -> pd.Series[Any]:
    return pd.Series(0.0, index=projects.index, dtype="Float64")


def _mark(k: int, text: str, projects: pd.DataFrame) -> pd.Series[Any]:
    """Of 100: 20 for the least, 100 for the largest; NA where unknown."""
    try:
        x = evaluate_number(text, projects)
    except ConfigError as error:
        where = f"demand.grading.marks[{k}].value"
        raise ConfigError([Issue(where, i.found, i.expected, i.fix) for i in error.issues]) from error
    least, most = (float(v) if pd.notna(v) else 0.0 for v in (x.min(), x.max()))
    if least == most:
        return x.where(x.isna(), _BASE + _SPAN / 2)
    marks: pd.Series[Any] = _BASE + _SPAN * (x - least) / (most - least)
    return marks
