"""Reads the planner's decisions from a file: ``locks.json`` of the map, or a GeoPackage edited in a GIS."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

from geodata.errors import DataError, Issue
from planner.config import Config
from planner.config_file import LoadedConfig
from planner.config_yaml import Key, Origin, dotted
from planner.errors import ConfigError
from planner.lock_entries import KINDS, TIMED, Kind, LockEntry, phase_named, repeated, tidy_note, unfit
from planner.locks_layer import read_layer

FORMAT: Final = "land-consolidation-locks"
VERSION: Final = 1
_FILES: Final = "locks.json of the map, or a GeoPackage such as plan.gpkg"
_AGAIN: Final = "Download it again from the map."
_TOP: Final = frozenset({"format", "version", "project", "config_hash", "input_hash", "locks", "plan"})
_ENTRY: Final = frozenset({"parcel_id", "lock", "phase", "note"})
_LOCKS: Final[Key] = ("optimise", "locks")


@dataclass(frozen=True)
class LocksFile:
    """All decisions about single parcels: the complete state, parcels without an entry are free.

    Attributes
    ----------
    path : pathlib.Path
    entries : tuple of LockEntry
        Parcels with a lock or a remark, each once, by id.
    has_notes : bool
        False where the file does not speak of remarks; those of the configuration then stay.
    plan : mapping of str to str, or None
        Parcel → phase id of the plan that the planner looked at; None where the file has none.
    hashes : mapping of str to str
        ``config_hash`` and ``input_hash`` of that plan, where they are known.
    """

    path: Path
    entries: tuple[LockEntry, ...]
    has_notes: bool = True
    plan: Mapping[str, str] | None = None
    hashes: Mapping[str, str] = field(default_factory=dict)

    def of(self, kind: Kind) -> tuple[LockEntry, ...]:
        """Entries of a kind of lock."""
        return tuple(e for e in self.entries if e.kind == kind)

    @property
    def told(self) -> str:
        """One line for the console: ``'2 in, 1 out, 1 by a phase, 3 at a phase, 4 notes'``."""
        words = {"in": "in", "out": "out", "by": "by a phase", "at": "at a phase"}
        counts = [f"{len(self.of(kind))} {words[kind]}" for kind in KINDS]
        return ", ".join([*counts, f"{sum(e.note is not None for e in self.entries)} notes"])

    def other_land(self, input_hash: str) -> str | None:
        """A warning where the file was made for other land than that with the hash; None where not, or not known."""
        if self.hashes.get("input_hash") in (None, input_hash):
            return None
        return (
            f"{self.path}: made for other land data than these (input_hash differs); locks were applied by parcel id, "
            "check that the ids still mean the same parcels"
        )


def read_locks(path: Path, config: Config | None = None) -> LocksFile:
    """Read a file of locks.

    Parameters
    ----------
    path : pathlib.Path
        ``locks.json`` as the map writes it, or a GeoPackage with a layer ``parcels`` that has the columns
        ``parcel_id`` and ``locked``.
    config : Config, optional
        Its phases and standing blocks are then part of what is checked, so that all faults are told at once.

    Raises
    ------
    DataError
        It cannot be read, is of another format or version, names a parcel twice, holds a lock that is none, or
        contradicts `config`; everything wrong is listed.
    """
    kind = path.suffix.lower()
    if kind == ".gpkg":
        layer = read_layer(path)
        file = LocksFile(path, layer.entries, layer.has_notes, layer.plan, layer.hashes)
        issues: list[Issue] = []
    elif kind == ".json":
        file, issues = _from_json(path)
    else:
        raise DataError(Issue(f"--locks {path}", f"a file that ends in {kind or 'nothing'}", _FILES, "Name one."))
    issues += repeated(file.entries)
    if config is not None:
        issues += unfit(file.entries, config)
    if issues:
        raise DataError(issues)
    return replace(file, entries=tuple(sorted(file.entries, key=lambda e: e.parcel_id)))


def with_locks(config: Config, file: LocksFile) -> Config:
    """The configuration with the decisions of the file in the place of its own.

    `locks.in`, `.out`, `.by`, `.at` and `.notes` are replaced, `locks.blocks` stay.

    Raises
    ------
    ConfigError
        A phase that the configuration does not have, or a lock of a parcel of a standing block.
    """
    issues = list(unfit(file.entries, config))
    if issues:
        raise ConfigError(issues)
    phases = [p.id for p in config.optimise.phases]
    locks = config.optimise.locks.model_copy(
        update={
            "in_": tuple(e.parcel_id for e in file.of("in")),
            "out": tuple(e.parcel_id for e in file.of("out")),
            "by": {e.parcel_id: phase_named(e.phase or "", phases) for e in file.of("by")},
            "at": {e.parcel_id: phase_named(e.phase or "", phases) for e in file.of("at")},
            **({"notes": {e.parcel_id: e.note for e in file.entries if e.note}} if file.has_notes else {}),
        }
    )
    return config.model_copy(update={"optimise": config.optimise.model_copy(update={"locks": locks})})


def load_with_locks(loaded: LoadedConfig, file: LocksFile) -> LoadedConfig:
    """The same with the places of values: what turns out wrong later names the file instead of a key.

    Raises
    ------
    ConfigError
        See `with_locks`.
    """
    words = {"in": "locked in", "out": "locked out", "by": "locked by", "at": "locked at"}
    words |= {"notes": "notes"} if file.has_notes else {}
    replaced = {(*_LOCKS, name) for name in words}
    origins = {key: origin for key, origin in loaded.origins.items() if key[: len(_LOCKS) + 1] not in replaced}
    origins |= {
        (*_LOCKS, name): Origin(f"--locks {file.path}, {text}", None, file.path.parent) for name, text in words.items()
    }
    return replace(loaded, config=with_locks(loaded.config, file), origins=origins)


def refuse_both(overrides: Sequence[str]) -> None:
    """A file of locks replaces the keys that it stands for, so that none of them may be set beside it.

    Raises
    ------
    ConfigError
        An override ``a.b=value`` sets `optimise.locks` or a key of it other than `blocks`.
    """
    names = [text.partition("=")[0].strip() for text in overrides]
    section = dotted(_LOCKS)
    both = [n for n in names if f"{n}.".startswith(f"{section}.") and not n.startswith(f"{section}.blocks")]
    if both:
        expected = "locks from one place: the file replaces in, out, by, at and notes"
        fix = "Leave out --set, or --locks."
        raise ConfigError([Issue(f"--set {name}", "locks beside --locks", expected, fix) for name in both])


def _from_json(path: Path) -> tuple[LocksFile, list[Issue]]:
    """Content of ``locks.json``, and what is wrong with it."""
    data = _json(path)
    for key, wanted in (("format", FORMAT), ("version", VERSION)):
        if data.get(key) != wanted or isinstance(data.get(key), bool):
            found = repr(data[key]) if key in data else "no such key"
            raise DataError(Issue(f"{path}, {key}", found, repr(wanted), f"Give {_FILES}."))
    issues = [
        Issue(f"{path}, {key}", "an unknown key", f"one of: {', '.join(sorted(_TOP))}", _AGAIN)
        for key in sorted(set(data) - _TOP)
    ]
    issues += [
        Issue(f"{path}, {key}", repr(data[key]), "text", _AGAIN)
        for key in ("project", "config_hash", "input_hash")
        if not isinstance(data.get(key), str | None)
    ]
    rows, entries = data.get("locks"), []
    if not isinstance(rows, list):
        issues.append(Issue(f"{path}, locks", _kind_of(rows), "a list of entries", _AGAIN))
        rows = []
    for number, row in enumerate(rows, start=1):
        faults, entry = _entry(f"{path}, locks, entry {number}", row)
        issues += faults
        entries += [] if entry is None else [entry]
    plan = _plan(f"{path}, plan", data.get("plan"), issues)
    hashes = {k: data[k] for k in ("config_hash", "input_hash") if isinstance(data.get(k), str)}
    return LocksFile(path, tuple(entries), True, plan, hashes), issues


def _json(path: Path) -> dict[str, Any]:
    if not path.is_file():
        raise DataError(Issue(str(path), "no such file", _FILES, "Check the path."))
    try:
        data = json.loads(path.read_text(encoding="utf-8-sig"), object_pairs_hook=_once)
        json.dumps(data, ensure_ascii=False).encode("utf-8")  # halves of characters (\\ud83d) are JSON, but no text
    except UnicodeDecodeError as error:
        raise DataError(Issue(str(path), f"text that is not UTF-8 ({error.reason})", _FILES, _AGAIN)) from error
    except (ValueError, RecursionError) as error:
        raise DataError(Issue(str(path), f"no JSON ({error})", _FILES, _AGAIN)) from error
    if not isinstance(data, dict):
        raise DataError(Issue(str(path), _kind_of(data), _FILES, _AGAIN))
    return data


def _once(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    """A map whose keys stand there once: else one of two values would be lost."""
    data = dict(pairs)
    if len(data) < len(pairs):
        names = [name for name, _ in pairs]
        raise ValueError(f"the key {next(n for n in names if names.count(n) > 1)!r} twice in one map")
    return data


def _entry(where: str, row: Any) -> tuple[list[Issue], LockEntry | None]:
    if not isinstance(row, dict):
        return [Issue(where, _kind_of(row), "a map with parcel_id, lock, phase and note", _AGAIN)], None
    parcel, kind, phase, note = (row.get(key) for key in ("parcel_id", "lock", "phase", "note"))
    here = f"{where} (parcel {parcel})" if isinstance(parcel, str) and parcel else where
    issues = list(_entry_faults(here, row, kind, phase))
    if not isinstance(parcel, str) or not parcel:
        shown = repr(parcel) if "parcel_id" in row else "no such key"
        issues.append(Issue(f"{here}, parcel_id", shown, "the id of a parcel, as text", "Put it in quotes."))
    if not isinstance(note, str | None):
        issues.append(Issue(f"{here}, note", repr(note), "text or null", "Put it in quotes."))
    if issues:
        return issues, None
    return [], LockEntry(str(parcel).strip(), kind, phase, tidy_note(note), here)


def _entry_faults(here: str, row: Mapping[str, Any], kind: Any, phase: Any) -> Iterator[Issue]:
    """Faults of keys, lock and phase."""
    for key in sorted(set(row) - _ENTRY):
        expected = f"one of: {', '.join(sorted(_ENTRY))}"
        yield Issue(f"{here}, {key}", "an unknown key", expected, "Correct or remove it.")
    if kind is not None and kind not in KINDS:
        yield Issue(f"{here}, lock", repr(kind), f"one of: {', '.join(KINDS)}, or null", "Correct the lock.")
    elif kind in TIMED and not (isinstance(phase, str) and phase.strip()):
        yield Issue(f"{here}, phase", repr(phase), f"the id of a phase, as the lock is {kind!r}", "Name the phase.")
    elif kind not in TIMED and phase is not None:
        fix = "Remove the phase, or make the lock 'by' or 'at'."
        yield Issue(f"{here}, phase", repr(phase), f"null, as the lock is {kind!r}", fix)


def _plan(where: str, data: Any, issues: list[Issue]) -> Mapping[str, str] | None:
    """Parcel → phase of the plan that was looked at."""
    if data is None:
        return None
    if not isinstance(data, dict):
        issues.append(Issue(where, _kind_of(data), "a map of phases and lists of parcels", _AGAIN))
        return None
    plan: dict[str, str] = {}
    for phase, ids in data.items():
        if not isinstance(ids, list) or not all(isinstance(i, str) for i in ids):
            issues.append(Issue(f"{where}, {phase}", _kind_of(ids), "a list of parcel ids, as text", _AGAIN))
            continue
        for parcel in ids:
            if plan.setdefault(parcel, phase) != phase:
                found = f"the parcel {parcel}, which is in {plan[parcel]}, too"
                issues.append(Issue(f"{where}, {phase}", found, "each parcel in one phase", _AGAIN))
    return plan


def _kind_of(value: Any) -> str:
    names = {dict: "a map", list: "a list", str: "text", bool: "true or false", type(None): "nothing"}
    return names.get(type(value), "a number")
