"""Expressions over parcel fields, with three-valued logic: unknown stays unknown.

Grammar: a whitelist of Python's expression syntax. Names are fields; numbers, texts and lists are literals;
``+ - * /``, comparisons (chained too), ``in [...]``, ``and``, ``or``, ``not`` and the functions ``min``, ``max``,
``abs``, ``known`` and ``coalesce``. Anything else is refused when the expression is parsed, before any data are read.
Logic follows Kleene: ``unknown and False`` is False, ``unknown or True`` is True, otherwise unknown wins.
"""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import reduce
from typing import Any, Final

import numpy as np
import pandas as pd

from geodata.errors import Issue
from planner.errors import ConfigError

MAX_LENGTH: Final = 2000
MAX_NODES: Final = 200
MAX_DEPTH: Final = 25

_ARITHMETIC: Final[Mapping[type[ast.operator], Callable[[Any, Any], Any]]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
}
_COMPARISONS: Final[Mapping[type[ast.cmpop], Callable[[Any, Any], Any]]] = {
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
}
_ORDERINGS: Final = (ast.Lt, ast.LtE, ast.Gt, ast.GtE)
_FUNCTIONS: Final = {"min": 2, "max": 2, "abs": 1, "known": 1, "coalesce": 2}
"""Allowed functions and the least number of their arguments."""
_UNARY: Final = frozenset({"abs", "known"})
_ALLOWED: Final = (
    ast.Expression,
    ast.BoolOp,
    ast.And,
    ast.Or,
    ast.UnaryOp,
    ast.Not,
    ast.USub,
    ast.UAdd,
    ast.BinOp,
    *_ARITHMETIC,
    ast.Compare,
    *_COMPARISONS,
    ast.In,
    ast.NotIn,
    ast.Name,
    ast.Load,
    ast.Constant,
    ast.List,
    ast.Tuple,
    ast.Call,
)


@dataclass(frozen=True)
class Expression:
    """A parsed, whitelisted expression.

    Attributes
    ----------
    text : str
        As the user wrote it.
    names : frozenset of str
        Fields it uses.
    tree : ast.Expression
        Its syntax tree.
    """

    text: str
    names: frozenset[str]
    tree: ast.Expression


def _refuse(text: str, found: str) -> ConfigError:
    return ConfigError(
        Issue(
            f"expression {text!r}",
            found,
            "fields, numbers, texts, lists, + - * /, comparisons, in, and, or, not, " + ", ".join(_FUNCTIONS),
            "Rewrite it with these; see the documentation of expressions.",
        )
    )


def _check_node(text: str, node: ast.AST) -> None:
    if not isinstance(node, _ALLOWED):
        raise _refuse(text, f"{type(node).__name__}, which is not allowed")
    if isinstance(node, ast.Constant) and not isinstance(node.value, str | int | float | bool):
        raise _refuse(text, f"the constant {node.value!r}")
    if isinstance(node, ast.Call):
        name = node.func.id if isinstance(node.func, ast.Name) else None
        if name not in _FUNCTIONS or node.keywords:
            raise _refuse(text, f"a call of {ast.unparse(node.func)}")
        least = _FUNCTIONS[name]
        if len(node.args) < least or (name in _UNARY and len(node.args) != 1):
            raise _refuse(text, f"{name}() with {len(node.args)} arguments")
    if isinstance(node, ast.Compare):
        for op, right in zip(node.ops, node.comparators, strict=True):
            is_list = isinstance(right, ast.List | ast.Tuple)
            if isinstance(op, ast.In | ast.NotIn) != is_list:
                raise _refuse(text, "`in` without a list, or a list without `in`")


def _depth(node: ast.AST) -> int:
    """Nesting depth, counted level by level so that a hostile text cannot exhaust the stack."""
    level, depth = [node], 0
    while level:
        depth += 1
        level = [child for parent in level for child in ast.iter_child_nodes(parent)]
    return depth


def parse(text: str) -> Expression:
    """Parse and whitelist an expression.

    Raises
    ------
    ConfigError
        On a syntax error, a construct outside the whitelist, or a text that is too long or too deep.
    """
    if len(text) > MAX_LENGTH:
        raise _refuse(text[:40] + "…", f"{len(text)} characters (at most {MAX_LENGTH})")
    try:
        tree = ast.parse(text.strip(), mode="eval")
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise _refuse(text, f"a syntax error ({type(error).__name__}: {error})") from error
    nodes = list(ast.walk(tree))
    if len(nodes) > MAX_NODES or _depth(tree) > MAX_DEPTH:
        raise _refuse(text, f"{len(nodes)} parts, {_depth(tree)} levels (at most {MAX_NODES} and {MAX_DEPTH})")
    functions = set()
    for node in nodes:
        _check_node(text, node)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            functions.add(id(node.func))
    names = {n.id for n in nodes if isinstance(n, ast.Name) and id(n) not in functions}
    return Expression(text, frozenset(names), tree)


def _is_text(value: Any) -> bool:
    if isinstance(value, pd.Series):
        return bool(pd.api.types.is_string_dtype(value.dtype))
    return isinstance(value, str)


class _Evaluator:
    """Walks a whitelisted tree over one frame; every value is a nullable Series or a Python scalar."""

    def __init__(self, expression: Expression, frame: pd.DataFrame) -> None:
        self.text = expression.text
        self.frame = frame

    def value(self, node: ast.AST) -> Any:
        method: Callable[[Any], Any] = getattr(self, f"_{type(node).__name__.lower()}")
        return method(node)

    def _number(self, node: ast.AST) -> Any:
        value = self.value(node)
        if _is_text(value) or self._is_logical(value):
            raise _refuse(self.text, f"{ast.unparse(node)!r}, which is not a number")
        return value

    def _logical(self, node: ast.AST) -> Any:
        value = self.value(node)
        if not self._is_logical(value):
            raise _refuse(self.text, f"{ast.unparse(node)!r}, which is not a condition")
        return self._as_boolean(value)

    @staticmethod
    def _is_logical(value: Any) -> bool:
        if isinstance(value, pd.Series):
            return bool(pd.api.types.is_bool_dtype(value.dtype))
        return isinstance(value, bool)

    def _as_boolean(self, value: Any) -> pd.Series[Any]:
        if isinstance(value, pd.Series):
            return value.astype("boolean")
        return pd.Series(bool(value), index=self.frame.index, dtype="boolean")

    def _expression(self, node: ast.Expression) -> Any:
        return self.value(node.body)

    def _constant(self, node: ast.Constant) -> Any:
        return node.value

    def _name(self, node: ast.Name) -> Any:
        if node.id not in self.frame.columns:
            raise ConfigError(
                Issue(
                    f"expression {self.text!r}",
                    f"the field {node.id!r}",
                    "one of: " + ", ".join(sorted(str(c) for c in self.frame.columns if c != "geometry")),
                    "Correct the name, or map the field under `parcels.fields` or `tables`.",
                )
            )
        return _nullable(self.frame[node.id])

    def _boolop(self, node: ast.BoolOp) -> Any:
        join = operator.and_ if isinstance(node.op, ast.And) else operator.or_
        return reduce(join, [self._logical(v) for v in node.values])

    def _unaryop(self, node: ast.UnaryOp) -> Any:
        if isinstance(node.op, ast.Not):
            return ~self._logical(node.operand)
        value = self._number(node.operand)
        return -value if isinstance(node.op, ast.USub) else value

    def _binop(self, node: ast.BinOp) -> Any:
        left, right = self._number(node.left), self._number(node.right)
        if isinstance(node.op, ast.Div):
            # x/0 has no value: unknown, not infinity, which a score would take for excellence
            right = right.where(right != 0) if isinstance(right, pd.Series) else (right or pd.NA)
        return _ARITHMETIC[type(node.op)](left, right)

    def _compare(self, node: ast.Compare) -> Any:
        results, left_node = [], node.left
        for op, right_node in zip(node.ops, node.comparators, strict=True):
            results.append(self._one_comparison(left_node, op, right_node))
            left_node = right_node
        return reduce(operator.and_, results)

    def _one_comparison(self, left_node: ast.AST, op: ast.cmpop, right_node: ast.AST) -> Any:
        left = self.value(left_node)
        if isinstance(op, ast.In | ast.NotIn):
            assert isinstance(right_node, ast.List | ast.Tuple)
            same = [self._same_kind(left, self.value(e), e) for e in right_node.elts]
            inside = self._as_boolean(False)
            for item in same:
                inside = inside | self._as_boolean(left == item)
            return ~inside if isinstance(op, ast.NotIn) else inside
        right = self._same_kind(left, self.value(right_node), right_node)
        if isinstance(op, _ORDERINGS) and _is_text(left):
            raise _refuse(self.text, f"an order comparison of the text {ast.unparse(left_node)!r}")
        return self._as_boolean(_COMPARISONS[type(op)](left, right))

    def _same_kind(self, left: Any, right: Any, node: ast.AST) -> Any:
        if _is_text(left) != _is_text(right):
            raise _refuse(self.text, f"a comparison of text with number at {ast.unparse(node)!r}")
        return right

    def _call(self, node: ast.Call) -> Any:
        assert isinstance(node.func, ast.Name)
        if node.func.id == "known":
            value = self.value(node.args[0])
            return value.notna().astype("boolean") if isinstance(value, pd.Series) else True
        if node.func.id == "coalesce":
            values = [self.value(a) for a in node.args]
            return reduce(lambda a, b: self._as_series(a).fillna(b) if not np.isscalar(a) else a, values)
        numbers = [self._number(a) for a in node.args]
        if node.func.id == "abs":
            return abs(numbers[0])
        pick = operator.lt if node.func.id == "min" else operator.gt
        return reduce(lambda a, b: self._pick(a, b, pick), numbers)

    def _as_series(self, value: Any) -> pd.Series[Any]:
        return value if isinstance(value, pd.Series) else pd.Series(value, index=self.frame.index, dtype="Float64")

    def _pick(self, a: Any, b: Any, better: Callable[[Any, Any], Any]) -> pd.Series[Any]:
        a, b = self._as_series(a), self._as_series(b)
        picked: pd.Series[Any] = a.where(better(a, b).fillna(False), b).where(a.notna() & b.notna())
        return picked


def _nullable(column: pd.Series[Any]) -> pd.Series[Any]:
    """A column in a nullable dtype, so that unknown takes part in logic and arithmetic."""
    if pd.api.types.is_bool_dtype(column.dtype):
        return column.astype("boolean")
    if pd.api.types.is_numeric_dtype(column.dtype):
        floats = column.astype("Float64")
        return floats.where(np.isfinite(floats.to_numpy(dtype=float, na_value=np.nan)))
    return column.astype("string")


def evaluate(expression: Expression | str, frame: pd.DataFrame) -> pd.Series[Any]:
    """Evaluate over all rows of `frame` at once.

    Parameters
    ----------
    expression : Expression or str
        Parsed, or a text to be parsed.
    frame : pandas.DataFrame
        One row per parcel; columns are the fields. NaN, None and ``pandas.NA`` all mean unknown.

    Returns
    -------
    pandas.Series
        Nullable (``Float64``, ``boolean`` or ``string``), indexed like `frame`; unknown is ``pandas.NA``.

    Raises
    ------
    ConfigError
        Unknown field, text in arithmetic, or a construct outside the whitelist.
    """
    expression = parse(expression) if isinstance(expression, str) else expression
    result = _Evaluator(expression, frame).value(expression.tree)
    if not isinstance(result, pd.Series):
        dtype = "boolean" if isinstance(result, bool) else "string" if isinstance(result, str) else "Float64"
        result = pd.Series(result, index=frame.index, dtype=dtype)
    return result.rename(expression.text)


def evaluate_condition(expression: Expression | str, frame: pd.DataFrame) -> pd.Series[Any]:
    """Evaluate and insist on a condition (``boolean``, unknown = ``pandas.NA``)."""
    result = evaluate(expression, frame)
    if not pd.api.types.is_bool_dtype(result.dtype):
        text = expression if isinstance(expression, str) else expression.text
        raise _refuse(text, "a number or text where a condition is needed")
    return result


def evaluate_number(expression: Expression | str, frame: pd.DataFrame) -> pd.Series[Any]:
    """Evaluate and insist on a number (``Float64``, unknown = ``pandas.NA``)."""
    result = evaluate(expression, frame)
    if not pd.api.types.is_float_dtype(result.dtype):
        text = expression if isinstance(expression, str) else expression.text
        raise _refuse(text, f"{'a condition' if pd.api.types.is_bool_dtype(result.dtype) else 'text'} for a number")
    return result
