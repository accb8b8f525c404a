"""Expressions over parcel fields, with three-valued logic: unknown stays unknown.

Grammar: a whitelist of Python's expression syntax. Names are fields; numbers, texts and lists are literals;
``+ - * /``, comparisons (chained too), ``in [...]``, ``and``, ``or``, ``not`` and the functions ``min``, ``max``,
``abs``, ``known`` and ``coalesce``. Anything else is refused when the expression is parsed, before any data are read.
Logic follows Kleene: ``unknown and False`` is False, ``unknown or True`` is True, otherwise unknown wins.
"""

from __future__ import annotations

import ast
import operator
import unicodedata
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import reduce
from itertools import pairwise
from typing import Any, Final, Literal

import numpy as np
import pandas as pd

from geodata.errors import Issue
from planner.errors import ConfigError

MAX_LENGTH: Final = 2000
MAX_NODES: Final = 200
MAX_DEPTH: Final = 25
MAX_NUMBER: Final = 1e300

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


def _refuse(text: str, found: str, fix: str = "Rewrite it with these; see the documentation.") -> ConfigError:
    expected = "fields, numbers, texts, + - * /, comparisons, in [...], and, or, not, " + ", ".join(_FUNCTIONS)
    return ConfigError(Issue(f"expression {text!r}", found, expected, fix))


def _check_node(text: str, node: ast.AST, lists: set[int]) -> None:
    """Refuse a node outside the whitelist; `lists` holds the lists that follow an ``in``."""
    if not isinstance(node, _ALLOWED):
        raise _refuse(text, f"{type(node).__name__}, which is not allowed")
    if isinstance(node, ast.Constant):
        if not isinstance(node.value, str | int | float | bool):
            raise _refuse(text, f"the constant {node.value!r}")
        if isinstance(node.value, int | float) and not abs(node.value) <= MAX_NUMBER:
            raise _refuse(text, f"a number beyond {MAX_NUMBER:g}")
    if isinstance(node, ast.List | ast.Tuple) and (id(node) not in lists or not node.elts):
        raise _refuse(text, "an empty expression, or a list that does not follow `in`")
    if isinstance(node, ast.Call):
        name = node.func.id if isinstance(node.func, ast.Name) else None
        if name not in _FUNCTIONS or node.keywords:
            raise _refuse(text, f"a call of {ast.unparse(node.func)}")
        least = _FUNCTIONS[name]
        if len(node.args) < least or (name in _UNARY and len(node.args) != 1):
            raise _refuse(text, f"{name}() with {len(node.args)} arguments")
    if isinstance(node, ast.Compare):
        for op, right in zip(node.ops, node.comparators, strict=True):
            if isinstance(op, ast.In | ast.NotIn) != (id(right) in lists):
                raise _refuse(text, "`in` without a list")


def _lists_after_in(nodes: list[ast.AST]) -> set[int]:
    return {
        id(right)
        for node in nodes
        if isinstance(node, ast.Compare)
        for op, right in zip(node.ops, node.comparators, strict=True)
        if isinstance(op, ast.In | ast.NotIn) and isinstance(right, ast.List | ast.Tuple)
    }


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
        with warnings.catch_warnings():
            warnings.simplefilter("error")  # what Python only warns about (an unknown escape) is a mistake here
            tree = ast.parse(f"(\n{text}\n)", mode="eval")  # in brackets it may run over several lines
    except (SyntaxError, ValueError, RecursionError, MemoryError, Warning) as error:
        message = error.msg if isinstance(error, SyntaxError) else type(error).__name__
        wide = sorted({c for c in text if unicodedata.east_asian_width(c) == "F"})
        fix = f"Write {' '.join(wide)} in half width." if wide else "Correct it; see the documentation."
        raise _refuse(text, f"a syntax error ({message})", fix) from error
    nodes = list(ast.walk(tree))
    if len(nodes) > MAX_NODES or _depth(tree) > MAX_DEPTH:
        raise _refuse(
            text,
            f"{len(nodes)} parts in {_depth(tree)} levels (at most {MAX_NODES} and {MAX_DEPTH})",
            "Split it: `scoring.derived` names parts of it.",
        )
    lists = _lists_after_in(nodes)
    functions = set()
    for node in nodes:
        _check_node(text, node, lists)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            functions.add(id(node.func))
    names = {n.id for n in nodes if isinstance(n, ast.Name) and id(n) not in functions}
    return Expression(text, frozenset(names), tree)


Kind = Literal["number", "condition", "text"]
_DTYPES: Final[Mapping[Kind, str]] = {"number": "Float64", "condition": "boolean", "text": "string"}


def _kind(values: pd.Series[Any]) -> Kind:
    if pd.api.types.is_bool_dtype(values.dtype):
        return "condition"
    return "text" if pd.api.types.is_string_dtype(values.dtype) else "number"


class _Evaluator:
    """Walks a whitelisted tree over one frame; every value is a nullable Series of its length."""

    def __init__(self, expression: Expression, frame: pd.DataFrame) -> None:
        self.text = expression.text
        self.frame = frame
        self.columns = {unicodedata.normalize("NFKC", str(c)): c for c in frame.columns}  # as Python reads names

    def value(self, node: ast.AST) -> pd.Series[Any]:
        method: Callable[[Any], pd.Series[Any]] = getattr(self, f"_{type(node).__name__.lower()}")
        return method(node)

    def _of_kind(self, node: ast.AST, kind: Kind) -> pd.Series[Any]:
        value = self.value(node)
        if _kind(value) != kind:
            raise _refuse(self.text, f"{ast.unparse(node)!r}, which is a {_kind(value)} and not a {kind}")
        return value

    def _expression(self, node: ast.Expression) -> pd.Series[Any]:
        return self.value(node.body)

    def _constant(self, node: ast.Constant) -> pd.Series[Any]:
        kind: Kind
        kind = "condition" if isinstance(node.value, bool) else "text" if isinstance(node.value, str) else "number"
        return pd.Series(node.value, index=self.frame.index, dtype=_DTYPES[kind])

    def _name(self, node: ast.Name) -> pd.Series[Any]:
        if node.id not in self.columns:
            raise ConfigError(
                Issue(
                    f"expression {self.text!r}",
                    f"the field {node.id!r}",
                    "one of: " + ", ".join(sorted(str(c) for c in self.frame.columns if c != "geometry")),
                    "Correct the name, or map the field under `parcels.fields` or `tables`.",
                )
            )
        return _nullable(self.frame[self.columns[node.id]])

    def _boolop(self, node: ast.BoolOp) -> pd.Series[Any]:
        join = operator.and_ if isinstance(node.op, ast.And) else operator.or_
        return reduce(join, [self._of_kind(v, "condition") for v in node.values])

    def _unaryop(self, node: ast.UnaryOp) -> pd.Series[Any]:
        if isinstance(node.op, ast.Not):
            return ~self._of_kind(node.operand, "condition")
        value = self._of_kind(node.operand, "number")
        return -value if isinstance(node.op, ast.USub) else value

    def _binop(self, node: ast.BinOp) -> pd.Series[Any]:
        left, right = self._of_kind(node.left, "number"), self._of_kind(node.right, "number")
        # x/0 has no value: unknown, not infinity, which a score would take for excellence; nor has an overflow
        return _finite(_ARITHMETIC[type(node.op)](left, right))

    def _compare(self, node: ast.Compare) -> pd.Series[Any]:
        results, left_node = [], node.left
        for op, right_node in zip(node.ops, node.comparators, strict=True):
            results.append(self._one_comparison(left_node, op, right_node))
            left_node = right_node
        return reduce(operator.and_, results)

    def _one_comparison(self, left_node: ast.AST, op: ast.cmpop, right_node: ast.AST) -> pd.Series[Any]:
        left = self.value(left_node)
        if isinstance(right_node, ast.List | ast.Tuple):
            inside = reduce(operator.or_, [left == self._like(left, element) for element in right_node.elts])
            return (~inside if isinstance(op, ast.NotIn) else inside).astype("boolean")
        right = self._like(left, right_node)
        if isinstance(op, _ORDERINGS) and _kind(left) != "number":
            raise _refuse(self.text, f"an order comparison of the {_kind(left)} {ast.unparse(left_node)!r}")
        result: pd.Series[Any] = _COMPARISONS[type(op)](left, right)
        return result.astype("boolean")

    def _like(self, left: pd.Series[Any], node: ast.AST) -> pd.Series[Any]:
        right = self.value(node)
        if _kind(left) != _kind(right):
            raise _refuse(self.text, f"a {_kind(left)} beside the {_kind(right)} {ast.unparse(node)!r}")
        return right

    def _call(self, node: ast.Call) -> pd.Series[Any]:
        assert isinstance(node.func, ast.Name)
        if node.func.id == "known":
            return self.value(node.args[0]).notna().astype("boolean")
        if node.func.id == "coalesce":
            first = self.value(node.args[0])
            return reduce(lambda a, b: a.fillna(b), [self._like(first, n) for n in node.args[1:]], first)
        numbers = [self._of_kind(a, "number") for a in node.args]
        if node.func.id == "abs":
            return abs(numbers[0])
        better = operator.lt if node.func.id == "min" else operator.gt
        return reduce(lambda a, b: a.where(better(a, b).fillna(True), b).where(a.notna() & b.notna()), numbers)


def _finite(values: pd.Series[Any]) -> pd.Series[Any]:
    return values.where(np.isfinite(values.to_numpy(dtype=float, na_value=np.nan)))


def _nullable(column: pd.Series[Any]) -> pd.Series[Any]:
    """A column in a nullable dtype, so that unknown takes part in logic and arithmetic."""
    if pd.api.types.is_bool_dtype(column.dtype):
        return column.astype("boolean")
    if pd.api.types.is_numeric_dtype(column.dtype):
        return _finite(column.astype("Float64"))
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
    return _Evaluator(expression, frame).value(expression.tree).rename(expression.text)


def _insist(expression: Expression | str, frame: pd.DataFrame, kind: Kind) -> pd.Series[Any]:
    result = evaluate(expression, frame)
    if _kind(result) != kind:
        text = expression if isinstance(expression, str) else expression.text
        raise _refuse(text, f"a {_kind(result)} where a {kind} is needed")
    return result


def evaluate_condition(expression: Expression | str, frame: pd.DataFrame) -> pd.Series[Any]:
    """Evaluate and insist on a condition (``boolean``, unknown = ``pandas.NA``)."""
    return _insist(expression, frame, "condition")


def evaluate_number(expression: Expression | str, frame: pd.DataFrame) -> pd.Series[Any]:
    """Evaluate and insist on a number (``Float64``, unknown = ``pandas.NA``)."""
    return _insist(expression, frame, "number")


@dataclass(frozen=True)
class AbsentTexts:
    """Texts that an expression compares something with, and that do not occur in it.

    Attributes
    ----------
    compared : str
        What they are compared with, as written: a field or an expression.
    texts : tuple of str
        Those that occur nowhere, in the order of the expression.
    values : pandas.Series
        What it holds, ``string``, indexed like the frame.
    """

    compared: str
    texts: tuple[str, ...]
    values: pd.Series[Any]


def absent_texts(expression: Expression | str, frame: pd.DataFrame) -> list[AbsentTexts]:
    """Texts in comparisons and lists that no row of `frame` holds: misspelt, or of another edition of the data.

    Raises
    ------
    ConfigError
        As `evaluate` does.
    """
    expression = parse(expression) if isinstance(expression, str) else expression
    evaluator = _Evaluator(expression, frame)
    wanted: dict[str, tuple[ast.AST, list[str]]] = {}
    for node in ast.walk(expression.tree):
        if isinstance(node, ast.Compare):
            sides = [node.left, *node.comparators]
            for left, right in pairwise(sides):
                for compared, literal in ((left, right), (right, left)):
                    if not isinstance(compared, ast.Constant | ast.List | ast.Tuple):
                        wanted.setdefault(ast.unparse(compared), (compared, []))[1].extend(_texts_in(literal))
    found = []
    for name, (node, texts) in wanted.items():
        if texts:
            values = evaluator.value(node)
            # a text that stands inside, as in coalesce(use, 'none'), need not occur
            present = {*values.dropna().unique().tolist(), *(t for part in ast.walk(node) for t in _texts_in(part))}
            absent = tuple(dict.fromkeys(t for t in texts if t not in present))
            if absent:
                found.append(AbsentTexts(name, absent, values))
    return found


def _texts_in(node: ast.AST) -> list[str]:
    """The texts of a literal or of a list of them."""
    parts = node.elts if isinstance(node, ast.List | ast.Tuple) else [node]
    return [p.value for p in parts if isinstance(p, ast.Constant) and isinstance(p.value, str)]
