"""Figures and comparisons in words, for the reasons that stand beside a project."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from typing import Any, Final

import pandas as pd

from planner.expressions import evaluate_number, parse

_MIRRORED: Final = {ast.Lt: ast.Gt, ast.LtE: ast.GtE, ast.Gt: ast.Lt, ast.GtE: ast.LtE, ast.Eq: ast.Eq}
_WORDS: Final = {
    ast.Lt: "less than",
    ast.LtE: "at most",
    ast.Gt: "more than",
    ast.GtE: "at least",
    ast.Eq: "exactly",
}


@dataclass(frozen=True)
class Comparison:
    """One value held against a number: ``tax_yuan_per_mu >= 200000``.

    Attributes
    ----------
    value : str
        Expression of what is measured.
    words : str
        ``at least`` and the like.
    limit : float
    """

    value: str
    words: str
    limit: float


def comparison(text: str) -> Comparison | None:
    """The one comparison with a number that an expression is; None for all others."""
    body = parse(text).tree.body
    if not isinstance(body, ast.Compare) or len(body.ops) != 1:
        return None
    left, kind, right = body.left, type(body.ops[0]), body.comparators[0]
    if _number(left) is not None and kind in _MIRRORED:
        left, kind, right = right, _MIRRORED[kind], left
    limit = _number(right)
    if limit is None or kind not in _WORDS or _number(left) is not None:
        return None
    return Comparison(ast.unparse(left), _WORDS[kind], limit)


def _number(node: ast.AST) -> float | None:
    """Value of what holds numbers only, such as ``300 * 10000``; None for all else."""
    parts = list(ast.walk(node))
    if any(isinstance(n, ast.Name | ast.List | ast.Tuple | ast.Compare | ast.BoolOp | ast.Not) for n in parts):
        return None
    if any(isinstance(n, ast.Constant) and isinstance(n.value, str | bool) for n in parts):
        return None
    value = evaluate_number(ast.unparse(node), pd.DataFrame(index=[0])).iloc[0]
    return None if pd.isna(value) else float(value)


def shown(value: Any) -> str:
    """A figure or text, ``unknown`` where there is none: 1,234.5; at most two decimals."""
    if value is None or pd.isna(value):
        return "unknown"
    if isinstance(value, str):
        return value
    text = f"{float(value):,.2f}"
    return text.rstrip("0").rstrip(".")


def facts(text: str, row: pd.Series[Any]) -> str:
    """What an expression looks at in one project: ``tax_yuan 5,000,000, site_mu unknown``."""
    return ", ".join(f"{name} {shown(row[name])}" for name in sorted(parse(text).names))
