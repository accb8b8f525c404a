"""The truth tables and examples of the page on expressions, evaluated."""

from __future__ import annotations

import itertools
from typing import Any

import pandas as pd
import pytest

from planner import expressions
from planner.errors import ConfigError
from planner.expressions import evaluate, parse
from tests.docs.pages import Table, table_under, text_of

PAGE = text_of("expressions.md")
_TRUTH = {"true": True, "false": False, "unknown": None}


def _value(cell: str) -> Any:
    if cell in _TRUTH:
        return _TRUTH[cell]
    try:
        return float(cell)
    except ValueError:
        return cell


def _frame(table: Table) -> pd.DataFrame:
    columns = {name: [_value(cell) for cell in table.column(name)] for name in table.header[1:]}
    dtypes = {"use": "string", "tax": "Float64", "firms": "Float64", "veto": "boolean"}
    return pd.DataFrame(columns, index=table.column("id")).astype(dtypes)


def _plain(values: pd.Series) -> list[Any]:
    return [None if pd.isna(value) else value for value in values]


@pytest.mark.parametrize("operator", ["and", "or"])
def test_truth_tables(operator: str) -> None:
    table = table_under(PAGE, operator)
    assert table.header[1:] == tuple(_TRUTH)
    for row, column in itertools.product(table.rows, table.header[1:]):
        frame = pd.DataFrame({"a": [_TRUTH[row[0]]], "b": [_TRUTH[column]]}, dtype="boolean")
        assert _plain(evaluate(f"a {operator} b", frame)) == [_TRUTH[row[table.header.index(column)]]]


def test_truth_table_of_not() -> None:
    rows = table_under(PAGE, "not").rows
    assert {row[0] for row in rows} == set(_TRUTH)
    frame = pd.DataFrame({"a": [_TRUTH[row[0]] for row in rows]}, dtype="boolean")
    assert _plain(evaluate("not a", frame)) == [_TRUTH[row[1]] for row in rows]


@pytest.mark.parametrize("row", table_under(PAGE, "Results").rows, ids=lambda row: row[0])
def test_examples(row: tuple[str, ...]) -> None:
    frame = _frame(table_under(PAGE, "Parcels"))
    assert list(frame.index) == list(table_under(PAGE, "Results").header[1:])
    assert _plain(evaluate(row[0].strip("`"), frame)) == [_value(cell) for cell in row[1:]]


@pytest.mark.parametrize("row", table_under(PAGE, "Refused").rows, ids=lambda row: row[0])
def test_what_is_refused(row: tuple[str, ...]) -> None:
    with pytest.raises(ConfigError):
        evaluate(row[0].strip("`"), _frame(table_under(PAGE, "Parcels")))


def test_limits_are_those_of_the_code() -> None:
    assert f"At most {expressions.MAX_LENGTH:,} characters".replace(",", " ") in PAGE
    assert f"{expressions.MAX_NODES} parts and {expressions.MAX_DEPTH} levels" in PAGE
    assert f"no number above {expressions.MAX_NUMBER:g}".replace("+", "") in PAGE


def test_the_functions_are_those_of_the_code() -> None:
    listed = table_under(PAGE, "What may stand in an expression").column("construct")
    assert {name for cell in listed for name in expressions._FUNCTIONS if f"`{name}(" in cell} == set(
        expressions._FUNCTIONS
    )


def test_an_expression_may_run_over_several_lines() -> None:
    assert parse("firms > 3\nand tax < 5").names == {"firms", "tax"}
