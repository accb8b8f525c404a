"""The planner's locks and remarks: configuration → contradictions, phases and the column ``locked``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

import numpy as np
import pandas as pd

from geodata.errors import Issue, list_ids
from planner.config import Config, LocksSpec
from planner.problem import Ints

LOCK_KEYS: Final = ("in", "out", "by", "at")
"""Keys of `optimise.locks` that decide about single parcels."""


def locked_ids(locks: LocksSpec) -> dict[str, tuple[str, ...]]:
    """Parcels by the key of `optimise.locks` that decides about them, blocks that stand among them."""
    fixed = tuple(i for b in locks.blocks for i in b.parcels)
    return {"in": locks.in_, "out": locks.out, "by": tuple(locks.by), "at": tuple(locks.at), "blocks": fixed}


def lock_issues(config: Config, index: pd.Index) -> Iterator[Issue]:
    """Locks and remarks must name parcels, and none may be decided about twice; places are keys.

    Parameters
    ----------
    config : Config
    index : pandas.Index
        Ids of the parcels.
    """
    locks = config.optimise.locks
    known = {str(i) for i in index}
    decided = locked_ids(locks)
    told: set[str] = set()
    for key, ids in (*decided.items(), ("notes", tuple(locks.notes))):
        strange = [i for i in dict.fromkeys(ids) if i not in known and not (key == "notes" and i in told)]
        told |= set(strange)
        if strange:
            found = f"parcels that are not in the layer, or were dropped by the repair: {list_ids(strange)}"
            fix = "Correct or remove them; `planner validate` lists dropped parcels."
            yield Issue(f"optimise.locks.{key}", found, "ids of the parcel layer", fix)
    keys: dict[str, list[str]] = {}
    for key, ids in decided.items():
        for i in dict.fromkeys(ids):
            keys.setdefault(i, []).append(key)
    twice = [f"{i} ({' and '.join(several)})" for i, several in sorted(keys.items()) if len(several) > 1]
    if twice:
        found = f"parcels locked in two ways: {list_ids(twice)}"
        yield Issue("optimise.locks", found, "one or the other", "Remove one of the two.")


def gate_issues(config: Config, index: pd.Index, gates: Ints) -> Iterator[Issue]:
    """A parcel that must be taken in a phase must be open by then.

    Parameters
    ----------
    config : Config
    index : pandas.Index
        Ids of the parcels.
    gates : int64[n]
        First phase, 0-based, in which all gates of a parcel are open; number of phases = never.
    """
    phases = [p.id for p in config.optimise.phases]
    closed = [
        f"{i} (at {phases[at]}, {f'open from {phases[gate]}' if gate < len(phases) else 'never open'})"
        for i, at, gate in zip(index, lock_at(config, index).tolist(), gates.tolist(), strict=True)
        if 0 <= at < gate
    ]
    if closed:
        found = f"parcels locked at a phase in which they are not open yet: {list_ids(sorted(closed))}"
        fix = "Lock them at a later phase, or correct the gates (`optimise.earliest`)."
        yield Issue("optimise.locks.at", found, "phases in which all gates of the parcel are open", fix)


def lock_at(config: Config, index: pd.Index) -> Ints:
    """Phase, 0-based, in which a parcel must be taken, neither before nor after; −1 = none is prescribed."""
    return _phases(config, config.optimise.locks.at, index)


def lock_by(config: Config, index: pd.Index) -> Ints:
    """Phase, 0-based, by which a parcel must be taken; −1 = it is free. `in` stands for the last phase."""
    locks = config.optimise.locks
    last = config.optimise.phases[-1].id
    return _phases(config, dict.fromkeys(locks.in_, last) | locks.by | locks.at, index)


def _phases(config: Config, phase_of: Mapping[str, str], index: pd.Index) -> Ints:
    number = {p.id: k for k, p in enumerate(config.optimise.phases)}
    at = {i: number[p] for i, p in phase_of.items()}
    return np.array([at.get(str(i), -1) for i in index], dtype=np.int64)


def locked_column(config: Config, index: pd.Index) -> pd.Series[Any]:
    """Column ``locked``: 'in', 'out', 'by <phase>', 'at <phase>' or None."""
    locks = config.optimise.locks
    marks = dict.fromkeys(locks.in_, "in")
    marks |= {i: f"by {p}" for i, p in locks.by.items()} | {i: f"at {p}" for i, p in locks.at.items()}
    marks |= dict.fromkeys(locks.out, "out")
    return pd.Series([marks.get(str(i)) for i in index], index=index, dtype="object")
