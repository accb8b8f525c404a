"""The page on locks: its examples are read by the program, and accepted by the schema."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import jsonschema
from ruamel.yaml import YAML

from planner.changes import KINDS as CHANGES
from planner.config import LocksSpec
from planner.lock_entries import KINDS, parse_lock
from planner.locks_file import read_locks
from tests.docs.pages import DOCS, bare, table_under, text_of

PAGE = text_of("locks.md")


def _block(language: str) -> str:
    (found,) = re.findall(rf"^```{language}\n(.*?)^```", PAGE, flags=re.MULTILINE | re.DOTALL)
    return str(found)


def test_the_example_is_read_and_accepted_by_the_schema(tmp_path: Path) -> None:
    data = json.loads(_block("json"))
    schema: dict[str, Any] = json.loads((DOCS / "schemas" / "locks.schema.json").read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.validate(data, schema)
    path = tmp_path / "locks.json"
    path.write_text(_block("json"), encoding="utf-8")
    file = read_locks(path)
    assert [(e.text, e.note is not None) for e in file.entries] == [("in", False), ("at P2", True), ("", True)]
    told = {key for cell in table_under(PAGE, "`locks.json`").column("key") for key in bare(cell.split(", "))}
    assert told == set(schema["properties"])


def test_the_locks_of_the_example_are_those_of_the_configuration() -> None:
    locks = LocksSpec.model_validate(YAML(typ="safe", pure=True).load(_block("yaml"))["optimise"]["locks"])
    assert all((locks.in_, locks.out, locks.by, locks.at, locks.notes))


def test_every_kind_of_lock_and_change_is_told() -> None:
    cells = bare(table_under(PAGE, "Locks").column("in the column `locked`"))
    assert [parse_lock(cell)[0] for cell in cells] == list(KINDS)
    told = [kind for cell in table_under(PAGE, "What changed").column("change") for kind in bare(cell.split(", "))]
    assert [kind for kind in told if kind in CHANGES] == list(CHANGES)
