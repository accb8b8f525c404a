"""Reads a configuration: YAML, scenario and overrides merged, validated once, every error with file, line and key."""

from __future__ import annotations

import difflib
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
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.error import MarkedYAMLError, YAMLError

from geodata.errors import Issue
from planner.config import Config
from planner.errors import ConfigError
from planner.expressions import parse

Key = tuple[str | int, ...]

_PATH_KEYS: Final = (("parcels", "path"), ("zones", "path"), ("tables", None, "path"), ("barriers", None, "path"))
_MEASURED: Final = ("area_m2", "area_mu", "perimeter_m", "zone")
"""Fields that every parcel has besides the mapped ones."""


@dataclass(frozen=True)
class Origin:
    """Where a value was written."""

    source: str
    line: int | None
    base: Path

    def at(self, key: Key) -> str:
        """As a user looks for it."""
        line = f", line {self.line}" if self.line is not None else ""
        return f"{self.source}{line}, key {dotted(key)}"


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
        return _origin(self.origins, key, self.path).at(key)


def dotted(key: Sequence[str | int]) -> str:
    """``optimise.phases[0].target_mu``."""
    text = ""
    for part in key:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else part
    return text or "(top level)"


def load_config(path: str | Path, scenario: str | None = None, overrides: Sequence[str] = ()) -> LoadedConfig:
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

    Raises
    ------
    ConfigError
        Every problem found, each with file, line, key, what was found and what was expected.
    """
    main = Path(path)
    tree, origins = _read(main)
    if scenario is not None:
        other, other_origins = _read(_scenario_path(main, scenario))
        _merge(tree, other, origins, other_origins, ())
    for text in overrides:
        _override(tree, origins, text, main)
    _make_paths_absolute(tree, origins, main)
    config = _validate(tree, origins, main)
    loaded = LoadedConfig(config, origins, main)
    issues = list(_expression_issues(loaded))
    if issues:
        raise ConfigError(issues)
    return loaded


def _read(path: Path) -> tuple[dict[str, Any], dict[Key, Origin]]:
    if not path.is_file():
        raise ConfigError(
            Issue(str(path), "no such file", "a YAML configuration", "Check the path, or make one with `planner init`.")
        )
    try:
        data = YAML(typ="rt", pure=True).load(path.read_text(encoding="utf-8"))
    except UnicodeDecodeError as error:
        raise ConfigError(
            Issue(str(path), f"bytes that are not UTF-8 ({error.reason})", "UTF-8", "Save it so.")
        ) from error
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = f", line {mark.line + 1}" if mark is not None else ""
        raise ConfigError(
            Issue(f"{path}{line}", " ".join(str(error.problem or error.context).split()), "YAML", "Correct the line.")
        ) from error
    except YAMLError as error:
        raise ConfigError(Issue(str(path), " ".join(str(error).split()), "YAML", "Correct the file.")) from error
    if not isinstance(data, CommentedMap):
        found = "an empty file" if data is None else type(data).__name__
        raise ConfigError(Issue(str(path), found, "a map of sections", "See the sample configuration."))
    origins: dict[Key, Origin] = {}
    plain = _plain(data, (), path, origins, 1)
    assert isinstance(plain, dict)
    return plain, origins


def _plain(node: Any, key: Key, path: Path, origins: dict[Key, Origin], line: int) -> Any:
    """Ordinary containers, noting the line of every key."""
    origins[key] = Origin(str(path), line, path.parent)
    if isinstance(node, CommentedMap):
        result = {}
        for name, value in node.items():
            result[str(name)] = _plain(value, (*key, str(name)), path, origins, node.lc.key(name)[0] + 1)
        return result
    if isinstance(node, CommentedSeq):
        return [_plain(v, (*key, k), path, origins, node.lc.item(k)[0] + 1) for k, v in enumerate(node)]
    return _scalar(node)


def _scalar(node: Any) -> Any:
    if isinstance(node, bool) or node is None:
        return node
    for kind in (int, float, str):
        if isinstance(node, kind):
            return kind(node)
    return str(node)  # dates and the like: the text form, refused later where it does not fit


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


def _merge(into: dict[str, Any], other: Mapping[str, Any], origins: Any, other_origins: Any, key: Key) -> None:
    for name, value in other.items():
        here = (*key, name)
        if isinstance(value, dict) and isinstance(into.get(name), dict):
            _merge(into[name], value, origins, other_origins, here)
            continue
        into[name] = value
        for old in [k for k in origins if k[: len(here)] == here]:
            del origins[old]
        origins.update({k: o for k, o in other_origins.items() if k[: len(here)] == here})


def _override(tree: dict[str, Any], origins: dict[Key, Origin], text: str, main: Path) -> None:
    name, equals, value_text = text.partition("=")
    parts: list[str | int] = [int(p) if p.isdecimal() else p for p in name.strip().split(".")]
    if not equals or not all(p != "" for p in parts):
        raise ConfigError(Issue("--set", repr(text), "key=value, e.g. solve.gap=0.02", "Write it so."))
    try:
        value = YAML(typ="safe", pure=True).load(value_text)
    except YAMLError as error:
        raise ConfigError(Issue(f"--set {name}", repr(value_text), "a YAML value", "Quote it.")) from error
    node: Any = tree
    for depth, part in enumerate(parts):
        last = depth == len(parts) - 1
        if isinstance(node, list):
            if not isinstance(part, int) or part >= len(node):
                raise ConfigError(
                    Issue(f"--set {name}", repr(part), f"a number from 0 to {len(node) - 1}", "Count items from 0.")
                )
        elif isinstance(node, dict):
            parts[depth] = part = str(part)
        if not isinstance(node, dict | list):
            raise ConfigError(
                Issue(f"--set {name}", f"{dotted(parts[:depth])} is no map", "keys of a map or list", "Check the key.")
            )
        if last:
            node[part] = value
        elif isinstance(node, dict) and not isinstance(node.get(part), dict | list):
            node[part] = {}
            node = node[part]
        else:
            node = node[part]
    key = tuple(parts)
    for old in [k for k in origins if k[: len(key)] == key]:
        del origins[old]
    origins[key] = Origin(f"--set {name}", None, main.parent)


def _origin(origins: Mapping[Key, Origin], key: Key, main: Path) -> Origin:
    for length in range(len(key), -1, -1):
        if key[:length] in origins:
            return origins[key[:length]]
    return Origin(str(main), None, main.parent)


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


def _make_paths_absolute(tree: dict[str, Any], origins: Mapping[Key, Origin], main: Path) -> None:
    for pattern in _PATH_KEYS:
        for node, key in _walk(tree, pattern, ()):
            value = node[key[-1]]
            if isinstance(value, str) and "://" not in value and not value.startswith("/vsi"):
                base = _origin(origins, key, main).base
                node[key[-1]] = str(Path(os.path.abspath(base / value)))  # noqa: PTH100 - resolve() follows links


def _validate(tree: dict[str, Any], origins: Mapping[Key, Origin], main: Path) -> Config:
    try:
        # JSON, because strict mode then reads paths and tuples, and still refuses "12" for 12
        return Config.model_validate_json(json.dumps(tree), strict=True)
    except pydantic.ValidationError as error:
        raise ConfigError([_issue(fault, tree, origins, main) for fault in error.errors()]) from error


_UNION_TAGS: Final = frozenset({"minmax", "rank", "threshold", "str", "int", "float"})


def _issue(fault: Any, tree: dict[str, Any], origins: Mapping[Key, Origin], main: Path) -> Issue:
    key = _present(fault["loc"], tree)
    where = _origin(origins, key, main).at(key)
    kind, message = fault["type"], str(fault["msg"]).removeprefix("Value error, ")
    if kind == "extra_forbidden":
        known = _known_keys(key[:-1])
        near = difflib.get_close_matches(str(key[-1]), known, n=1)
        fix = f"Did you mean {near[0]!r}?" if near else "Remove it, or correct its name."
        expected = f"one of: {', '.join(known)}" if known else "no such key"
        return Issue(where, f"the unknown key {str(key[-1])!r}", expected, fix)
    if kind == "missing":
        return Issue(where, f"no key {str(key[-1])!r}", f"the key {str(key[-1])!r}", "Add it.")
    found = repr(fault["input"])
    found = found if len(found) <= 80 else found[:77] + "…"
    if isinstance(fault["input"], dict):
        found = "a section whose parts do not fit together" if kind == "value_error" else "a map"
    return Issue(where, found, message, "Correct the value.")


def _present(location: Sequence[str | int], tree: Any) -> Key:
    """The location without the names of union members, which are not keys."""
    key: list[str | int] = []
    node = tree
    for k, part in enumerate(location):
        inside = isinstance(node, dict) and part in node or isinstance(node, list) and isinstance(part, int)
        if not inside and part in _UNION_TAGS and k > 0:
            continue
        key.append(part)
        node = node[part] if inside else None
    return tuple(key)


def _known_keys(key: Key) -> list[str]:
    """Keys of the section at `key`, from the models."""
    model: Any = Config
    for part in key:
        if isinstance(part, int):
            continue
        fields = getattr(model, "model_fields", {})
        by_alias = {(f.alias or name): f for name, f in fields.items()}
        if part not in by_alias:
            return []
        model = _model_in(by_alias[part].annotation)
        if model is None:
            return []
    return [f.alias or name for name, f in getattr(model, "model_fields", {}).items()]


def _model_in(annotation: Any) -> Any:
    """The model inside an annotation such as ``tuple[Model, ...]`` or ``Model | None``."""
    if isinstance(annotation, type) and issubclass(annotation, pydantic.BaseModel):
        return annotation
    for part in getattr(annotation, "__args__", ()):
        found = _model_in(part)
        if found is not None:
            return found
    return None


def expressions_of(config: Config) -> Iterator[tuple[Key, str, bool]]:
    """Every expression with its key, and whether it may use ``score``."""
    scoring, optimise = config.scoring, config.optimise
    for name, text in scoring.derived.items():
        yield ("scoring", "derived", name), text, False
    for k, criterion in enumerate(scoring.criteria):
        yield ("scoring", "criteria", k, "value"), criterion.value, False
    for section in ("eligible", "exclude", "force_in"):
        for k, rule in enumerate(getattr(scoring, section)):
            yield ("scoring", section, k, "when"), rule.when, True
    if optimise.filler.where is not None:
        yield ("optimise", "filler", "where"), optimise.filler.where, True
    for k, gate in enumerate(optimise.earliest):
        yield ("optimise", "earliest", k, "year"), gate.year, True
    if optimise.cost is not None:
        yield ("optimise", "cost", "value"), optimise.cost.value, True


def known_fields(config: Config) -> set[str]:
    """Names that expressions may use, besides ``score``."""
    tables = {name for table in config.tables for name in table.fields}
    return {*config.parcels.fields, *tables, *config.scoring.derived, *_MEASURED}


def _expression_issues(loaded: LoadedConfig) -> Iterator[Issue]:
    known = known_fields(loaded.config)
    for key, text, with_score in expressions_of(loaded.config):
        where = loaded.where(*key)
        try:
            used = parse(text).names
        except ConfigError as error:
            for issue in error.issues:
                yield Issue(where, f"{text!r}: {issue.found}", issue.expected, issue.fix)
            continue
        for name in sorted(used - known - ({"score"} if with_score else set())):
            near = difflib.get_close_matches(name, sorted(known), n=1)
            fix = f"Did you mean {near[0]!r}?" if near else "Map it under `parcels.fields` or `tables`."
            yield Issue(where, f"the unknown field {name!r} in {text!r}", "one of: " + ", ".join(sorted(known)), fix)
    zone_field = loaded.config.zones.field if loaded.config.zones else None
    if zone_field is not None and zone_field not in known:
        yield Issue(
            loaded.where("zones", "field"), repr(zone_field), "one of: " + ", ".join(sorted(known)), "Map it first."
        )


def resolved_yaml(config: Config, beside: Path) -> str:
    """The configuration as YAML, complete, with paths relative to the folder `beside` where that is possible."""
    data = config.model_dump(mode="json", by_alias=True)
    for pattern in _PATH_KEYS:
        for node, key in _walk(data, pattern, ()):
            value = node[key[-1]]
            if value is not None:
                node[key[-1]] = _relative(Path(value), beside)
    text = io.StringIO()
    yaml = YAML(typ="safe", pure=True)
    yaml.default_flow_style = False
    yaml.allow_unicode = True
    yaml.sort_base_mapping_type_on_output = False  # type: ignore[assignment]
    yaml.dump(data, text)
    return "# The configuration of this run, complete. `planner run` on this file repeats it.\n" + text.getvalue()


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
