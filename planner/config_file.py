"""Reads a configuration: YAML, scenario and overrides merged, validated once, every error with file, line and key."""

from __future__ import annotations

import dataclasses
import hashlib
import io
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pydantic
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from geodata.errors import Issue
from planner.config import Config
from planner.config_expressions import (
    expression_issues,
    expressions_of,
    known_fields,
    name_issues,
    without_idle_figures,
)
from planner.config_issues import issues_of
from planner.config_yaml import Key, Origin, Origins, Tree, dotted, origin_of, read_value, read_yaml
from planner.errors import ConfigError
from planner.mode_table import put_in_tables

__all__ = ["LoadedConfig", "config_hash", "expressions_of", "known_fields", "load_config", "resolved_yaml"]

_PATH_KEYS: Final = (
    ("parcels", "path"),
    ("zones", "path"),
    ("tables", None, "path"),
    ("barriers", None, "path"),
    ("overlays", None, "path"),
    ("rasters", None, "path"),
    ("buildings", "path"),
    ("firms", "path"),
    ("report", "base_map", "path"),
    ("demand", "path"),
    ("firms", "table"),
)


@dataclass(frozen=True)
class LoadedConfig:
    """A validated configuration and where its values come from.

    Attributes
    ----------
    config : Config
        Paths are absolute.
    origins : mapping of key to Origin
        For messages about values that only turn out wrong later.
    path : Path
        The main file.
    """

    config: Config
    origins: Mapping[Key, Origin]
    path: Path

    def where(self, *key: str | int) -> str:
        """File, line and key of a value, or of the nearest thing around it."""
        return origin_of(self.origins, key, self.path).at(key)

    def located(self, error: ConfigError) -> ConfigError:
        """The same error with file and line, where an issue names only a key or quotes an expression."""
        places = {dotted(key): self.where(*key) for key in self.origins if key}
        for key, text, _ in expressions_of(self.config):
            places.setdefault(f"expression {text!r}", f"{self.where(*key)}, {text!r}")
        return ConfigError([dataclasses.replace(i, where=places.get(i.where, i.where)) for i in error.issues])


def load_config(
    path: str | Path,
    scenario: str | None = None,
    overrides: Sequence[str] = (),
    labels: Mapping[str, str] | None = None,
) -> LoadedConfig:
    """Read, merge and validate.

    Precedence: config < scenario < overrides. Maps merge, lists replace. Relative paths are relative to the file they
    stand in; those of overrides to the config file.

    Parameters
    ----------
    path : str or Path
        Main YAML file.
    scenario : str, optional
        Path of a YAML file, or a name: then ``scenarios/NAME.yaml`` beside the config file.
    overrides : sequence of str
        ``a.b=value``; the value is read as YAML, list items are addressed by number (``optimise.phases.0.year=2``).
        A later one wins.
    labels : mapping of str to str, optional
        Key of an override → the option it came from, for messages, e.g. ``{'solve.seed': '--seed'}``.

    Raises
    ------
    ConfigError
        Every problem found, each with file, line, key, what was found and what was expected.
    """
    main = Path(path)
    tree, origins = read_yaml(main)
    if scenario is not None:
        other, other_origins = read_yaml(_scenario_path(main, scenario), "scenario")
        _merge(tree, other, origins, other_origins, ())
    for text in overrides:
        _override(tree, origins, text, main, labels or {})
    make_paths_absolute(tree, origins, main)
    spare_figures = put_in_tables(tree, origins, main)
    loaded = LoadedConfig(validated(tree, origins, main), origins, main)
    config, issues = without_idle_figures(loaded.config, spare_figures, loaded.where)
    issues += [*name_issues(config, loaded.where), *expression_issues(config, loaded.where)]
    if issues:
        raise ConfigError(issues)
    return dataclasses.replace(loaded, config=config)


def _scenario_path(main: Path, scenario: str) -> Path:
    as_path = Path(scenario)
    if as_path.suffix.lower() in {".yaml", ".yml"}:
        return as_path
    folder = main.parent / "scenarios"
    found = folder / f"{scenario}.yaml"
    if not found.is_file():
        known = ", ".join(sorted(p.stem for p in folder.glob("*.yaml"))) or "none"
        raise ConfigError(
            Issue(
                "--scenario", repr(scenario), f"a YAML file or one of the names in {folder}: {known}", "Check the name."
            )
        )
    return found


def _merge(into: Tree, other: Tree, origins: Origins, other_origins: Origins, key: Key) -> None:
    for name, value in other.items():
        here = (*key, name)
        if isinstance(value, dict) and isinstance(into.get(name), dict):
            _merge(into[name], value, origins, other_origins, here)
            continue
        into[name] = value
        _forget(origins, here)
        origins.update({k: o for k, o in other_origins.items() if k[: len(here)] == here})


def _override(tree: Tree, origins: Origins, text: str, main: Path, labels: Mapping[str, str]) -> None:
    name, equals, value_text = text.partition("=")
    name = name.strip()
    parts = name.split(".")
    if not equals or not all(parts):
        raise ConfigError(
            Issue("--set", repr(text), "key=value, e.g. solve.gap=0.02", "Write the key, an equals sign and the value.")
        )
    source = labels.get(name, f"--set {name}")
    try:
        value = read_value(value_text)
    except YAMLError as error:
        raise ConfigError(Issue(source, repr(value_text), "a YAML value", "Put it in quotes.")) from error
    node: Any = tree
    key: list[str | int] = []
    for part in parts:
        if isinstance(node, list):
            key.append(_item_number(node, part, source, key))
        else:
            key.append(part)
        if len(key) == len(parts):
            node[key[-1]] = value
        elif not isinstance(node.get(part) if isinstance(node, dict) else node[int(part)], dict | list):
            node[key[-1]] = {}  # a key that was not there, or a value: validation then objects to the map
        node = node[key[-1]]
    _forget(origins, tuple(key))
    origins[tuple(key)] = Origin(source, None, main.parent)


def _item_number(node: list[Any], part: str, source: str, key: Key | list[str | int]) -> int:
    number = int(part) if part.isdecimal() else -1
    if not 0 <= number < len(node):
        expected = f"0 to {len(node) - 1}" if node else "no number: the list is empty"
        found = f"item {part!r} of the list {dotted(key)}"
        raise ConfigError(Issue(source, found, expected, "Count items from 0, or give the whole list."))
    return number


def _forget(origins: Origins, key: Key) -> None:
    for old in [k for k in origins if k[: len(key)] == key]:
        del origins[old]


def _walk(tree: Any, pattern: Sequence[str | None], key: Key) -> Iterator[tuple[Any, Key]]:
    """Containers and keys that match a pattern in which None means every list item."""
    if not pattern:
        return
    head, rest = pattern[0], pattern[1:]
    keys: Sequence[str | int] = []
    if head is None and isinstance(tree, list):
        keys = range(len(tree))
    elif head is not None and isinstance(tree, dict) and head in tree:
        keys = [head]
    for k in keys:
        if rest:
            yield from _walk(tree[k], rest, (*key, k))
        else:
            yield tree, (*key, k)


def make_paths_absolute(tree: Tree, origins: Origins, main: Path) -> None:
    for pattern in _PATH_KEYS:
        for node, key in _walk(tree, pattern, ()):
            value = node[key[-1]]
            if isinstance(value, str) and "://" not in value and not value.startswith("/vsi"):
                base = origin_of(origins, key, main).base
                node[key[-1]] = str(Path(os.path.abspath(base / value)))  # noqa: PTH100 - resolve() follows links


def validated(tree: Tree, origins: Origins, main: Path) -> Config:
    try:
        # JSON, because strict mode then reads paths and tuples, and still refuses "12" for 12
        return Config.model_validate_json(json.dumps(tree), strict=True)
    except pydantic.ValidationError as error:
        raise ConfigError(issues_of(error, tree, lambda key: origin_of(origins, key, main).at(key))) from error


def resolved_yaml(config: Config, beside: Path) -> str:
    """The configuration as YAML, complete, with paths relative to the folder `beside` where that is possible."""
    data = config.model_dump(mode="json", by_alias=True)
    for pattern in _PATH_KEYS:
        for node, key in _walk(data, pattern, ()):
            value = node[key[-1]]
            if value is not None:
                node[key[-1]] = _relative(Path(value), beside)
    if data["modes"] is not None:
        data["modes"] = _without_nulls(data["modes"])  # of which its hundreds of figures and payments would be full
    text = io.StringIO()
    yaml = YAML(typ="safe", pure=True)
    yaml.default_flow_style = False
    yaml.allow_unicode = True
    yaml.sort_base_mapping_type_on_output = False  # type: ignore[assignment]
    yaml.dump(data, text)
    return "# The configuration of this run, complete. `planner run` on this file repeats it.\n" + text.getvalue()


def _without_nulls(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_nulls(inner) for key, inner in value.items() if inner is not None}
    return [_without_nulls(inner) for inner in value] if isinstance(value, list) else value


def _relative(path: Path, beside: Path) -> str:
    try:
        return Path(os.path.relpath(path, beside)).as_posix()
    except ValueError:  # another drive on Windows
        return path.as_posix()


def config_hash(config: Config) -> str:
    """SHA-256 of the configuration, the same wherever its files lie (only their names count)."""
    data = config.model_dump(mode="json", by_alias=True)
    for pattern in _PATH_KEYS:
        for node, key in _walk(data, pattern, ()):
            if node[key[-1]] is not None:
                node[key[-1]] = Path(node[key[-1]]).name
    return hashlib.sha256(json.dumps(data, sort_keys=True, ensure_ascii=False).encode("utf-8")).hexdigest()
