"""The page and the schema of the configuration are what the models give."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path
from types import ModuleType
from typing import Any

import jsonschema
import pytest
from ruamel.yaml import YAML

from planner.config_file import load_config
from planner.errors import ConfigError
from tests.docs.pages import DOCS, REPOSITORY, tables
from tests.docs.small_world import CONFIG


@pytest.fixture(scope="module")
def builder() -> ModuleType:
    spec = importlib.util.spec_from_file_location("build_configuration", DOCS / "build_configuration.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def schema() -> Any:
    return json.loads((DOCS / "schemas" / "config.schema.json").read_text(encoding="utf-8"))


def _is_valid(tree: Any, schema: Any) -> bool:
    return jsonschema.Draft202012Validator(schema).is_valid(tree)


def test_the_files_are_up_to_date(builder: ModuleType, schema: Any) -> None:
    page = (DOCS / "configuration.md").read_text(encoding="utf-8")
    assert page == builder.configuration_page(), "run: python docs/build_configuration.py"
    assert schema == builder.config_schema(), "run: python docs/build_configuration.py"


def test_every_key_has_a_meaning() -> None:
    page = (DOCS / "configuration.md").read_text(encoding="utf-8")
    rows = [(t.headings[-1], dict(zip(t.header, row, strict=True))) for t in tables(page) for row in t.rows]
    assert len(rows) > 100
    assert [f"{heading} {row['key']}" for heading, row in rows if not row["meaning"]] == []


def test_the_schema_is_a_schema(schema: Any) -> None:
    jsonschema.Draft202012Validator.check_schema(schema)


@pytest.mark.parametrize("name", ["config.yaml", "examples/cambridge.yaml"])
def test_the_schema_accepts_the_configurations_of_the_repository(schema: Any, name: str) -> None:
    tree = YAML(typ="safe", pure=True).load((REPOSITORY / name).read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator(schema).validate(tree)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("sovle", {"gap": 0.01}),
        ("solve", {"gap": -0.01}),
        ("solve", {"gap": "0.01"}),
        ("solve", {"time_limit": 60}),
        ("project", {"name": "A", "currency": "yuan"}),
        ("adjacency", {"touch_tolerance_m": 0.6}),
    ],
)
def test_schema_and_program_refuse_the_same(schema: Any, tmp_path: Path, key: str, value: Any) -> None:
    yaml = YAML(typ="safe", pure=True)
    tree = yaml.load(CONFIG)
    path = tmp_path / "config.yaml"
    path.write_text(json.dumps(tree), encoding="utf-8")  # JSON is YAML
    load_config(path)
    assert _is_valid(tree, schema)
    path.write_text(json.dumps(tree | {key: value}), encoding="utf-8")
    with pytest.raises(ConfigError):
        load_config(path)
    assert not _is_valid(tree | {key: value}, schema)
