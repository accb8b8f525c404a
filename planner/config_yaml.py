"""YAML as plain containers, with the line of every key."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.scalarbool import ScalarBoolean

from geodata.errors import Issue
from planner.errors import ConfigError

Key = tuple[str | int, ...]
Tree = dict[str, Any]

_MAX_VALUES: Final = 100_000
_DUPLICATE: Final = re.compile(r'found duplicate key "(.*?)" with')


@dataclass(frozen=True)
class Origin:
    """Where a value was written.

    Attributes
    ----------
    source : str
        File, or option of the command line.
    line : int or None
        1-based; None for an option.
    base : Path
        Folder to which a path given there is relative.
    """

    source: str
    line: int | None
    base: Path

    def at(self, key: Key) -> str:
        """As a user looks for it."""
        if self.line is None:
            return self.source if self.source.startswith("--") else f"{self.source}, key {dotted(key)}"
        return f"{self.source}, line {self.line}, key {dotted(key)}"


Origins = dict[Key, Origin]


def dotted(key: Sequence[str | int]) -> str:
    """``optimise.phases[0].target_mu``."""
    text = ""
    for part in key:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else part
    return text or "(top level)"


def origin_of(origins: Mapping[Key, Origin], key: Key, main: Path) -> Origin:
    """Origin of a value, or of the nearest thing around it."""
    for length in range(len(key), -1, -1):
        if key[:length] in origins:
            return origins[key[:length]]
    return Origin(str(main), None, main.parent)


def read_yaml(path: Path, what: str = "configuration") -> tuple[Tree, Origins]:
    """Read a YAML file of sections.

    Raises
    ------
    ConfigError
        No file, no UTF-8, no YAML, no map; tags, or more values than any configuration has.
    """
    fix = "Check the path, or make one with `planner init`." if what == "configuration" else "Check the path."
    text = file_text(path, f"a YAML {what}", fix)
    try:
        data = YAML(typ="rt", pure=True).load(text)
        if not isinstance(data, CommentedMap):
            found = (
                "an empty file" if data is None else "a list" if isinstance(data, CommentedSeq) else "a single value"
            )
            raise ConfigError(Issue(str(path), found, "a map of sections", "Compare it with the sample configuration."))
        origins: Origins = {}
        tree = _plain(data, (), path, origins, 1)
    except MarkedYAMLError as error:
        raise ConfigError(_syntax_issue(path, error)) from error
    except YAMLError as error:
        raise ConfigError(Issue(str(path), " ".join(str(error).split()), "YAML", "Correct the file.")) from error
    except RecursionError as error:
        raise ConfigError(
            Issue(str(path), "values nested without end", "a few levels", "Remove the nesting, or the alias to itself.")
        ) from error
    assert isinstance(tree, dict)
    return tree, origins


def read_value(text: str) -> Any:
    """One value, as written after ``--set key=``.

    Raises
    ------
    YAMLError
        It is no YAML.
    """
    return _tidy(YAML(typ="safe", pure=True).load(text))


def _tidy(value: Any) -> Any:
    """The value with text keys, and with dates and the like as text."""
    if isinstance(value, dict):
        return {str(k): _tidy(v) for k, v in value.items()}
    return [_tidy(v) for v in value] if isinstance(value, list) else _scalar(value)


def file_text(path: Path, what: str, fix: str = "Check the path.") -> str:
    """Text of a UTF-8 file, with or without a byte order mark; `what` and `fix` are for the message.

    Raises
    ------
    ConfigError
        No such file, or no UTF-8.
    """
    if not path.is_file():
        found = "a folder" if path.is_dir() else "no such file"
        raise ConfigError(Issue(str(path), found, what, fix))
    try:
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise ConfigError(
            Issue(str(path), f"text that is not UTF-8 ({error.reason})", "UTF-8", "Save the file again in UTF-8.")
        ) from error


def _syntax_issue(path: Path, error: MarkedYAMLError) -> Issue:
    mark = error.problem_mark or error.context_mark
    where = f"{path}, line {mark.line + 1}" if mark is not None else str(path)
    problem = " ".join(str(error.problem or error.context).split())
    twice = _DUPLICATE.match(problem)
    if twice:
        return Issue(
            where, f"the key {twice.group(1)!r} a second time", "each key once", "Merge or remove one of them."
        )
    if "\\t" in problem:
        return Issue(where, "a tab", "YAML, which is indented with spaces", "Replace the tab by spaces.")
    fix = "Look at brackets, quotes, colons and indentation of this line and the one before."
    return Issue(where, f"a syntax error ({problem})", "YAML", fix)


def _plain(node: Any, key: Key, path: Path, origins: Origins, line: int) -> Any:
    """Ordinary containers and values, noting the line of every key."""
    origins[key] = Origin(str(path), line, path.parent)
    if len(origins) > _MAX_VALUES:
        raise ConfigError(
            Issue(str(path), f"more than {_MAX_VALUES} values", "a configuration", "Remove aliases that multiply.")
        )
    tag = getattr(getattr(node, "tag", None), "value", None)
    if tag is not None:
        raise ConfigError(Issue(origins[key].at(key), f"the tag {tag}", "a plain value", "Remove the tag."))
    if isinstance(node, CommentedMap):
        lines = node.lc.data or {}
        return {
            str(name): _plain(value, (*key, str(name)), path, origins, lines[name][0] + 1 if name in lines else line)
            for name, value in node.items()  # merged (<<) keys have no line of their own
        }
    if isinstance(node, CommentedSeq):
        return [_plain(v, (*key, k), path, origins, node.lc.item(k)[0] + 1) for k, v in enumerate(node)]
    return _scalar(node)


def _scalar(node: Any) -> Any:
    if isinstance(node, ScalarBoolean):
        return bool(node)
    if isinstance(node, bool) or node is None:
        return node
    for kind in (int, float, str):
        if isinstance(node, kind):
            return kind(node)
    return str(node)  # dates and the like: the text form, refused later where it does not fit
