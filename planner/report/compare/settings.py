"""Which settings of some plans differ: what explains that the plans do."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePath, PureWindowsPath
from typing import Any, Final

from planner.config import Config

LISTED: Final = 10
"""Entries of a list that are told by name."""
_HIDDEN: Final = frozenset({"notes", "similarity", "towgs84", "host", "user", "password_env", "query"})
"""Settings that are told to differ and no more: remarks on people, secret coordinates, ways into databases."""
_NAMES: Final = ("id", "name")
_MISSING: Final = object()


@dataclass(frozen=True)
class Value:
    """A setting of one plan.

    Attributes
    ----------
    kind : {'absent', 'none', 'text', 'yes', 'no', 'list', 'section', 'hidden'}
        `absent`: there is no such setting in this plan; `section`: a whole section, with `count` values; `list`: a
        list of `count` entries.
    text : str
        The value; of a list, the entries that not every plan has (all of them where only their order differs).
    count, more : int
        Entries; those not told by name.
    """

    kind: str
    text: str = ""
    count: int = 0
    more: int = 0


@dataclass(frozen=True)
class Setting:
    """A setting that differs: its key (dotted), and the value in each plan."""

    key: str
    values: tuple[Value, ...]


def differing(configs: Sequence[Config]) -> tuple[Setting, ...]:
    """Settings that are not the same in all plans, in the order of the configuration.

    How results are shown is left aside, and the note of the project, which is no setting.
    """
    dumps = [
        config.model_dump(mode="json", by_alias=True, exclude={"report": True, "project": {"note": True}})
        for config in configs
    ]
    return tuple(_walk(dumps, ()))


def _walk(values: Sequence[Any], path: tuple[str, ...]) -> list[Setting]:
    if all(value == values[0] for value in values[1:]):
        return []
    if path and path[-1] in _HIDDEN:
        return [Setting(".".join(path), tuple(_kind_only(v) for v in values))]
    trees = [_tree(value) for value in values]
    if all(tree is not None for tree in trees):
        keys = list(dict.fromkeys(key for tree in trees for key in tree or ()))
        known = [tree or {} for tree in trees]
        inner = [s for key in keys for s in _walk([tree.get(key, _MISSING) for tree in known], (*path, key))]
        # the same entries in another order differ too
        return inner or [_leaf(values, path)]
    return [_leaf(values, path)]


def _tree(value: Any) -> dict[str, Any] | None:
    """A section by key; a list of named entries by name."""
    if isinstance(value, dict):
        return {str(key): item for key, item in value.items()}
    if isinstance(value, list) and value and all(isinstance(item, dict) for item in value):
        for name in _NAMES:
            names = [item.get(name) for item in value]
            if all(isinstance(n, str) for n in names) and len(set(names)) == len(names):
                return {f"[{n}]": item for n, item in zip(names, value, strict=True)}
    return None


def _leaf(values: Sequence[Any], path: tuple[str, ...]) -> Setting:
    key = ".".join(path)
    if path and path[-1] == "path" and all(isinstance(v, str) for v in values):
        return Setting(key, tuple(Value("text", text) for text in _short_paths(values)))
    entries = [{str(item) for item in v} if isinstance(v, list) else set() for v in values]
    common = set.intersection(*entries)
    known = set() if all(mine == common for mine in entries) else common
    return Setting(key, tuple(_value(v, known) for v in values))


def _value(value: Any, common: set[str]) -> Value:
    """A value; of a list, what is not in `common`."""
    if value is _MISSING:
        return Value("absent")
    if value is None:
        return Value("none")
    if isinstance(value, bool):
        return Value("yes" if value else "no")
    if isinstance(value, dict) or (isinstance(value, list) and any(isinstance(item, dict) for item in value)):
        return Value("section", count=_leaves(value))
    if isinstance(value, list):
        entries = [str(item) for item in value]
        told = [item for item in entries if item not in common]
        return Value("list", ", ".join(told[:LISTED]), len(entries), max(0, len(told) - LISTED))
    return Value("text", f"{value:,.15g}" if isinstance(value, float) else str(value))


def _kind_only(value: Any) -> Value:
    if value is _MISSING:
        return Value("absent")
    return Value("none") if value is None else Value("hidden", count=_leaves(value))


def _leaves(value: Any) -> int:
    if isinstance(value, dict):
        return sum(_leaves(item) for item in value.values())
    if isinstance(value, list):
        return sum(_leaves(item) for item in value)
    return 1


def _short_paths(paths: Sequence[str]) -> list[str]:
    """The ends of paths that tell them apart: folders of the machine are no setting."""
    parts = [(PureWindowsPath(p) if "\\" in p else PurePath(p)).parts for p in paths]
    for depth in range(1, max(map(len, parts))):
        ends = ["/".join(p[-depth:]) for p in parts]
        if len(set(ends)) == len(set(parts)):
            return ends
    return list(paths)
