"""What answers of `planner explain` add to a comparison: prices of rules, where a folder holds them."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from geodata.errors import DataError, Issue

PRICES: Final = "price.json"
"""Answer of ``planner explain price``, which leaves it in the folder of the run."""
NOT_ASKED: Final = "not_asked"
"""Verdict on a rule that the time did not suffice for."""
_EXPECTED: Final = "the answer of `planner explain price --json` about this plan"
_FIX: Final = "Ask again, or remove the file."


def read_prices(folder: Path, summary: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """Prices of rules that lie in the folder of a run.

    Parameters
    ----------
    folder : pathlib.Path
        Output folder of a run.
    summary : mapping
        Its ``summary.json``.

    Returns
    -------
    mapping or None
        ``rules`` with ``key``, ``title``, ``verdict``, ``loss`` and ``share`` (each ``low`` and ``high``, null =
        unknown); None where nobody has asked.

    Raises
    ------
    DataError
        The file is no such answer, or one about another plan.
    """
    path = folder / PRICES
    if not path.is_file():
        return None
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise DataError(Issue(str(path), f"no JSON ({error})", _EXPECTED, _FIX)) from error
    if not _is_answer(found):
        raise DataError(Issue(str(path), "something else", _EXPECTED, _FIX))
    objective = summary.get("objective")
    if objective is None or not math.isclose(found["objective"], objective, rel_tol=1e-6):
        told = f"prices of a plan worth {found['objective']:,.0f}, where this one is worth {objective or 0:,.0f}"
        raise DataError(Issue(str(path), told, _EXPECTED, _FIX))
    return {"rules": found["rules"]}


def _is_answer(found: Any) -> bool:
    if not isinstance(found, dict) or found.get("kind") != "price" or not isinstance(found.get("rules"), list):
        return False
    if not isinstance(found.get("objective"), int | float):
        return False
    return all(
        isinstance(rule, dict)
        and all(isinstance(rule.get(key), str) for key in ("key", "title", "verdict"))
        and all(_is_interval(rule.get(key)) for key in ("loss", "share"))
        for rule in found["rules"]
    )


def _is_interval(value: Any) -> bool:
    if not isinstance(value, dict) or not {"low", "high"} <= value.keys():
        return False
    return all(value[end] is None or isinstance(value[end], int | float) for end in ("low", "high"))
