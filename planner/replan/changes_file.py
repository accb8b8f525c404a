"""Reads a file of changes: YAML, validated once, every error with file, line and key."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pydantic

from geodata.errors import Issue
from planner.config_issues import issues_of, nearest
from planner.config_yaml import Key, Origin, Tree, file_text, origin_of, read_yaml
from planner.errors import ConfigError
from planner.replan.spec import ChangesSpec


@dataclass(frozen=True)
class Changes:
    """What happened, and where each of it is written.

    Attributes
    ----------
    spec : ChangesSpec
    path : pathlib.Path
        The file; relative paths in it are relative to its folder.
    origins : mapping of key to Origin
        For messages about values that only turn out wrong later.
    """

    spec: ChangesSpec
    path: Path
    origins: Mapping[Key, Origin] = field(default_factory=dict)

    def where(self, *key: str | int) -> str:
        """File, line and key of a value, or of the nearest thing around it."""
        return self.origin(key).at(key)

    def origin(self, key: Key) -> Origin:
        """The same as it is kept beside a configuration."""
        return origin_of(self.origins, key, self.path)


def read_changes(path: str | Path) -> Changes:
    """Read and validate a file of changes.

    Raises
    ------
    ConfigError
        Every problem found, each with file, line, key, what was found and what was expected.
    """
    source = Path(path)
    _require_map(source)
    tree, origins = read_yaml(source, "list of changes")

    def where(key: Key) -> str:
        return origin_of(origins, key, source).at(key)

    try:
        # JSON, because strict mode then reads dates and tuples, and still refuses "12" for 12
        spec = ChangesSpec.model_validate_json(json.dumps(tree), strict=True)
    except pydantic.ValidationError as error:
        raise ConfigError(_issues(error, tree, where)) from error
    return Changes(spec, source, origins)


def _require_map(path: Path) -> None:
    """Raise `ConfigError` for a file that says nothing, or is a bare list; all else is read as YAML later."""
    lines = file_text(path, "a YAML list of changes").splitlines()
    said = [line.strip() for line in lines if line.strip() not in {"", "---"} and not line.strip().startswith("#")]
    if said and not said[0].startswith("- "):
        return
    found = "a bare list" if said else "an empty file"
    fix = "Write what happened as the list under `changes:`, as in examples/changes.yaml; docs/replan.md has the keys."
    raise ConfigError(Issue(str(path), found, "a map with the keys changes, title, date, keep", fix))


def _issues(error: pydantic.ValidationError, tree: Tree, where: Any) -> list[Issue]:
    """As for a configuration; an unknown key is told with the keys that there are here."""
    strange = {where(key): _unknown_key(where(key), key) for key in _unknown(error)}
    return [strange.get(issue.where, issue) for issue in issues_of(error, tree, where)]


def _unknown(error: pydantic.ValidationError) -> list[Key]:
    return [tuple(fault["loc"]) for fault in error.errors() if fault["type"] == "extra_forbidden"]


def _unknown_key(place: str, key: Key) -> Issue:
    known = _known_keys(key[:-1])
    near = nearest(str(key[-1]), known)
    fix = f"Did you mean {near!r}?" if near is not None else "Remove it, or correct it."
    return Issue(place, f"the unknown key {str(key[-1])!r}", f"one of: {', '.join(known)}", fix)


def _known_keys(key: Key) -> list[str]:
    """Keys of the section at `key`, from the models."""
    annotation: Any = ChangesSpec
    for part in key:
        if isinstance(part, int):
            continue
        models = _models(annotation)
        fields = {f.alias or name: f.annotation for m in models for name, f in m.model_fields.items()}
        annotation = fields.get(part, annotation)  # a key of the user's (phase, zone) stands for what its map holds
    return [f.alias or name for m in _models(annotation) for name, f in m.model_fields.items()]


def _models(annotation: Any) -> list[type[pydantic.BaseModel]]:
    """Models in an annotation such as ``tuple[Model, ...] | None`` or ``dict[str, Model]``."""
    if isinstance(annotation, type) and issubclass(annotation, pydantic.BaseModel):
        return [annotation]
    return [m for part in getattr(annotation, "__args__", ()) for m in _models(part)]
