"""The examples on the page of errors are what the program prints, under the heading of their exit code."""

from __future__ import annotations

from pathlib import Path

import pytest

from planner.cli import Exit
from tests.docs.error_cases import CASES, matches, output_of
from tests.docs.pages import examples, tables, text_of

PAGE = text_of("errors.md")


def test_every_example_has_its_case() -> None:
    assert sorted(examples(PAGE)) == sorted(CASES)


@pytest.mark.parametrize("name", CASES)
def test_example_is_what_is_printed(name: str, tmp_path: Path) -> None:
    code, output = output_of(name, tmp_path)
    assert code == CASES[name].code
    assert matches(examples(PAGE)[name], output), "after a change of messages: python -m tests.docs.error_cases"


@pytest.mark.parametrize("name", CASES)
def test_example_stands_under_its_exit_code(name: str) -> None:
    before = PAGE[: PAGE.index(f"<!-- example: {name} -->")]
    assert before.rpartition("## Exit code ")[2].split(None, 1)[0] == str(int(CASES[name].code))


def test_the_table_lists_all_exit_codes() -> None:
    assert [int(code) for code in tables(PAGE)[0].column("exit code")] == sorted(int(code) for code in Exit)
