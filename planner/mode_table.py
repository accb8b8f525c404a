"""Puts the tables of modes and figures into a configuration before it is validated.

In the section ``modes``, ``table`` names a YAML file of modes and ``figures_table`` a CSV or YAML file of figures; the
bundled tables stand in for those that are not named. What is written in the section itself goes over the tables:
``figures`` figure by figure, ``choices`` mode by mode. ``use`` picks modes by id, in order; without it they are those
of ``choices``, or if there are none those of the table. A section that holds `choices` and complete `figures`, and none
of the three keys, is complete: no table is read. So is every resolved configuration.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any, Final

from pydantic import Field

from geodata.errors import Issue
from geodata.spec_base import Spec
from planner.config_issues import nearest
from planner.config_yaml import Key, Origin, Origins, Tree, origin_of
from planner.errors import ConfigError
from planner.figure_table import FigureTable, read_figures, section_of, with_text_date
from planner.spec_modes import ModesSpec

BUNDLED: Final = ("modes.yaml", "figures.csv")
"""The bundled tables, of modes and of figures, in `planner/samples`."""

_WORDS: Final = re.compile(r"[^\W\d]\w*")


class TablesSpec(Spec):
    """Keys of the section ``modes`` that a configuration has only before its tables are put in."""

    table: str | None = Field(default=None, description="YAML table of modes; the bundled one when absent.")
    figures_table: str | None = Field(
        default=None, description="CSV or YAML table of figures, instead of the bundled one."
    )
    use: tuple[str, ...] | None = Field(
        default=None, description="Ids of the modes, in order; all of `choices` when absent, or all of the table."
    )


@dataclass(frozen=True)
class _Candidate:
    """A mode that could be used, with its origins by key within it."""

    mode: Any
    origins: Origins


def bundled(name: str) -> Path:
    """Path of a bundled table."""
    return Path(str(resources.files("planner") / "samples" / name))


def write_tables(directory: Path) -> tuple[Path, ...]:
    """Write the bundled tables into a folder, for editing.

    Returns
    -------
    tuple of Path
        The tables of modes and of figures.

    Raises
    ------
    ConfigError
        A file is in the way.
    """
    targets = tuple(directory / name for name in BUNDLED)
    in_the_way = [p for p in (directory, *targets) if p.exists() and (p is not directory or not p.is_dir())]
    if in_the_way:
        fix = "Name another folder, or move it away."
        raise ConfigError([Issue(str(p), "a file that exists", "no file of this name", fix) for p in in_the_way])
    directory.mkdir(parents=True, exist_ok=True)
    for name, target in zip(BUNDLED, targets, strict=True):
        target.write_bytes(bundled(name).read_bytes())
    return targets


def put_in_tables(tree: Tree, origins: Origins, main: Path) -> frozenset[str]:
    """Turn the section ``modes`` of a configuration into a complete one, in place.

    Parameters
    ----------
    tree, origins : dict
        The merged configuration, and where its values stand; both are changed.
    main : Path
        The configuration file.

    Returns
    -------
    frozenset of str
        Names of figures that may be there without use: those of the tables, and those of modes not in use.

    Raises
    ------
    ConfigError
        A table that cannot be read, an unknown mode in ``use``, a new number for a figure without source or date, and
        whatever else is wrong with the tables; all at once.
    """
    modes = tree.get("modes")
    if not isinstance(modes, dict):
        return frozenset()
    issues = list(_key_issues(modes, origins, main))
    if issues:
        raise ConfigError(issues)
    figures = modes.get("figures")
    if isinstance(figures, dict):
        modes["figures"] = {name: with_text_date(figure) for name, figure in figures.items()}
    if _complete(modes):
        return frozenset()
    paths = {key: _path(modes, origins, main, key) for key in ("table", "figures_table")}
    spare: set[str] = set()
    for step in (_put_in_choices, _put_in_figures):
        try:
            spare |= step(modes, origins, main, paths)
        except ConfigError as error:
            issues += error.issues
    if issues:
        raise ConfigError(issues)
    for key in TablesSpec.model_fields:
        modes.pop(key, None)
    return frozenset(spare)


def _key_issues(modes: Mapping[str, Any], origins: Origins, main: Path) -> Iterator[Issue]:
    """Unknown keys of the section, and those of the tables that are no texts."""
    known = [*TablesSpec.model_fields, *ModesSpec.model_fields]
    for key, value in modes.items():
        where = origin_of(origins, ("modes", key), main).at(("modes", key))
        if key not in known:
            near = nearest(key, known)
            fix = f"Did you mean {near!r}?" if near is not None else "Remove it, or correct it."
            yield Issue(where, f"the unknown key {key!r}", f"one of: {', '.join(known)}", fix)
        elif key == "use" and value is not None:
            if not isinstance(value, list) or not all(isinstance(item, str) for item in value) or not value:
                yield Issue(where, repr(value), "a list of ids of modes", "Name at least one, as in [owner_led].")
            elif len(set(value)) < len(value):
                yield Issue(where, "a mode a second time", "each mode once", "Remove one of them.")
        elif key in TablesSpec.model_fields and value is not None and not isinstance(value, str):
            yield Issue(where, repr(value), "a path", "Name the file of the table.")


def _complete(modes: Mapping[str, Any]) -> bool:
    """Whether the section holds everything itself."""
    if any(modes.get(key) is not None for key in TablesSpec.model_fields) or not isinstance(modes.get("choices"), list):
        return False
    figures = modes.get("figures")
    return isinstance(figures, dict) and all(isinstance(f, dict) and _is_whole(f) for f in figures.values())


def _is_whole(figure: Mapping[str, Any]) -> bool:
    numbers = figure.get("value") is not None or (bool(figure.get("by")) and isinstance(figure.get("values"), dict))
    return numbers and bool(figure.get("source")) and bool(figure.get("date"))


def _path(modes: Mapping[str, Any], origins: Origins, main: Path, key: str) -> Path | None:
    if modes.get(key) is None:
        return None
    return Path(origin_of(origins, ("modes", key), main).base / modes[key]).absolute()


def _put_in_choices(modes: Tree, origins: Origins, main: Path, paths: Mapping[str, Path | None]) -> set[str]:
    """Choose the modes; names that the others use are returned."""
    written = modes.get("choices")
    if written is not None and not isinstance(written, list):
        return set()  # validation objects
    own = _candidates(written or [], _below(origins, ("modes", "choices")), main)
    table = _table_of_modes(paths["table"])
    wanted = modes.get("use")
    if wanted is None:
        used = own or table
    else:
        offered = {**_by_id(table), **_by_id(own)}
        issues = list(_use_issues(wanted, offered, origins, main))
        if issues:
            raise ConfigError(issues)
        used = [offered[name] for name in wanted]
        used += [c for c in own if _id(c) is None]  # validation objects
    modes["choices"] = copy.deepcopy([c.mode for c in used])
    for key in [key for key in origins if key[:2] == ("modes", "choices") and len(key) > 2]:
        del origins[key]
    for k, candidate in enumerate(used):
        origins.update({("modes", "choices", k, *key): origin for key, origin in candidate.origins.items()})
    idle = [c.mode for c in (*own, *table) if not any(c is u for u in used)]
    return {word for text in _texts(idle) for word in _WORDS.findall(text)}


def _candidates(choices: list[Any], origins: Origins, main: Path) -> list[_Candidate]:
    """Modes of a list; two of one id are refused."""
    candidates = [_Candidate(mode, _below(origins, (k,))) for k, mode in enumerate(choices)]
    issues = []
    for k, candidate in enumerate(candidates):
        name = _id(candidate)
        if name is not None and name in map(_id, candidates[:k]):
            where = origin_of(candidate.origins, ("id",), main).at(("modes", "choices", k, "id"))
            issues.append(Issue(where, f"the mode {name!r} a second time", "each mode once", "Rename one of the two."))
    if issues:
        raise ConfigError(issues)
    return candidates


def _id(candidate: _Candidate) -> str | None:
    name = candidate.mode.get("id") if isinstance(candidate.mode, dict) else None
    return name if isinstance(name, str) else None


def _by_id(candidates: list[_Candidate]) -> dict[str, _Candidate]:
    return {name: c for c in candidates if (name := _id(c)) is not None}


def _table_of_modes(path: Path | None) -> list[_Candidate]:
    if path is None:
        choices, origins = _bundled_modes()
        path = bundled(BUNDLED[0])
    else:
        choices, origins = section_of(path, "choices", "table of modes")
    if not isinstance(choices, list) or not choices:
        raise ConfigError(
            Issue(origins[()].at(("choices",)), "no list of modes", "a list", "Write - {id: …} below it.")
        )
    return _candidates(choices, origins, path)


@cache  # shared by all configurations: what is taken from it is not changed
def _bundled_modes() -> tuple[Any, Origins]:
    return section_of(bundled(BUNDLED[0]), "choices", "table of modes")


@cache  # likewise
def _bundled_figures() -> FigureTable:
    return read_figures(bundled(BUNDLED[1]))


def _use_issues(wanted: list[str], offered: Mapping[str, Any], origins: Origins, main: Path) -> Iterator[Issue]:
    for k, name in enumerate(wanted):
        if name not in offered:
            key = ("modes", "use", k)
            near = nearest(name, offered)
            fix = f"Did you mean {near!r}?" if near is not None else "Name one of them, or add it under `choices`."
            where = origin_of(origins, key, main).at(key)
            yield Issue(where, f"the unknown mode {name!r}", f"one of: {', '.join(offered)}", fix)


def _put_in_figures(modes: Tree, origins: Origins, main: Path, paths: Mapping[str, Path | None]) -> set[str]:
    """Lay the figures of the section over those of the table; the names of the latter are returned."""
    path = paths["figures_table"]
    table = _bundled_figures() if path is None else read_figures(path)
    own = modes.get("figures")
    if own is not None and not isinstance(own, dict):
        return set()  # validation objects
    issues: list[Issue] = []
    figures = dict(table.figures)
    for name, figure in (own or {}).items():
        key = ("modes", "figures", name)
        where = origin_of(origins, key, main).at(key)
        if not isinstance(figure, dict) or not isinstance(figures.get(name), dict):
            figures[name] = figure  # of its own, or validation objects
            continue
        issues += _source_issues(where, figure)
        figures[name] = _over(figures[name], figure)
    if issues:
        raise ConfigError(issues)
    modes["figures"] = copy.deepcopy(figures)
    for place, origin in table.origins.items():
        if place:
            origins.setdefault(("modes", "figures", *place), origin)
    return set(table.figures)


def _source_issues(where: str, figure: Mapping[str, Any]) -> Iterator[Issue]:
    if all(figure.get(key) is None for key in ("value", "by", "values")):
        return
    for key in ("source", "date"):
        if not figure.get(key):
            fix = f"Add `{key}`: that of the table belongs to the table's number."
            yield Issue(where, f"a new number without `{key}`", "its source and its date", fix)


def _over(table: Mapping[str, Any], own: Mapping[str, Any]) -> dict[str, Any]:
    """A figure of the table with what the configuration says of it; the unit stays unless it is given."""
    if own.get("value") is not None or own.get("by") is not None:
        return {"unit": table.get("unit", ""), **own}
    if isinstance(own.get("values"), dict) and isinstance(table.get("values"), dict):
        kept = {key: table[key] for key in ("by", "unit") if key in table}
        return {
            **kept,
            **{k: v for k, v in own.items() if v is not None},
            "values": {**table["values"], **own["values"]},
        }
    return {**table, **own}


def _below(origins: Mapping[Key, Origin], prefix: Key) -> Origins:
    """Origins below a key, by the rest of their keys."""
    return {key[len(prefix) :]: origin for key, origin in origins.items() if key[: len(prefix)] == prefix}


def _texts(value: Any) -> Iterator[str]:
    """All texts in a tree."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from _texts(inner)
