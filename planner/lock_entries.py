"""One decision of the planner about one parcel, as files tell it: its wording, and whether it fits a configuration."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final, Literal, cast

from geodata.errors import Issue
from planner.config import Config

Kind = Literal["in", "out", "by", "at"]
KINDS: Final[tuple[Kind, ...]] = ("in", "out", "by", "at")
TIMED: Final[frozenset[Kind | None]] = frozenset({"by", "at"})
"""Kinds of locks that name a phase."""
WORDING: Final = "in, out, by PHASE, at PHASE, or nothing"
_TIMED_TEXT: Final = re.compile(r"(by|at)\s*(\S.*)", re.IGNORECASE | re.DOTALL)


@dataclass(frozen=True)
class LockEntry:
    """What a file says of a parcel.

    Attributes
    ----------
    parcel_id : str
    kind : {'in', 'out', 'by', 'at'} or None
        None = not locked.
    phase : str or None
        Phase as written; with 'by' and 'at' only.
    note : str or None
        Remark of the planner.
    place : str
        File and entry, or file, layer and row, for messages.
    """

    parcel_id: str
    kind: Kind | None
    phase: str | None
    note: str | None
    place: str

    @property
    def text(self) -> str:
        """The lock as the column ``locked`` has it; empty without one."""
        return " ".join(part for part in (self.kind, self.phase) if part)


def parse_lock(text: str) -> tuple[Kind | None, str | None]:
    """Kind and phase of a lock written by hand: ``'in'``, ``' By P1'``, ``'ａｔ　P2'``, ``''``.

    Spaces, case and full-width characters do not matter; the phase is returned as written, but for those.

    Raises
    ------
    ValueError
        The text is no lock.
    """
    plain = unicodedata.normalize("NFKC", text).strip()
    word = plain.casefold()
    if word in {"", "in", "out"}:
        return cast("Kind | None", word or None), None
    timed = _TIMED_TEXT.fullmatch(plain)
    if timed is None:
        raise ValueError(f"{text!r} is no lock")
    return cast("Kind", timed.group(1).lower()), timed.group(2)


def tidy_note(text: str | None) -> str | None:
    """A remark as it is kept: plain line ends, no invisible control characters, none where nothing is left."""
    lines = (
        "".join(c for c in line if unicodedata.category(c) != "Cc" or c == "\t") for line in (text or "").splitlines()
    )
    return "\n".join(lines).strip() or None


def phase_named(text: str, phases: Sequence[str]) -> str | None:
    """The phase that is meant: the one written just so, else the only one that differs by spaces, case and width."""
    if text in phases:
        return text
    alike = [p for p in phases if _folded(p) == _folded(text)]
    return alike[0] if len(alike) == 1 else None


def _folded(text: str) -> str:
    return "".join(unicodedata.normalize("NFKC", text).split()).casefold()


def repeated(entries: Iterable[LockEntry]) -> Iterator[Issue]:
    """A parcel has one entry."""
    first: dict[str, LockEntry] = {}
    for entry in entries:
        before = first.setdefault(entry.parcel_id, entry)
        if before is not entry:
            found = f"the parcel {entry.parcel_id} a second time; first: {before.place}"
            yield Issue(entry.place, found, "one entry for a parcel", "Remove one of the two.")


def unfit(entries: Iterable[LockEntry], config: Config) -> Iterator[Issue]:
    """What contradicts a configuration: phases that it does not have, parcels of blocks that stand."""
    phases = [p.id for p in config.optimise.phases]
    standing = {i: b.id for b in config.optimise.locks.blocks for i in b.parcels}
    strange: dict[str, list[LockEntry]] = {}
    for entry in entries:
        if entry.phase is not None and phase_named(entry.phase, phases) is None:
            strange.setdefault(entry.text, []).append(entry)
        if entry.kind is not None and entry.parcel_id in standing:
            found = f"a lock ({entry.text}) of the parcel {entry.parcel_id}, which belongs to a block that stands"
            expected = f"no lock: block {standing[entry.parcel_id]!r} is in every plan (`optimise.locks.blocks`)"
            yield Issue(entry.place, found, expected, "Remove the lock, or the parcel from that block.")
    for text, alike in strange.items():  # a phase that was renamed would else fill pages
        more = f", and {len(alike) - 1} more like it" if len(alike) > 1 else ""
        expected = f"a phase of the configuration: {', '.join(phases)}"
        fix = "Correct the phase, or remove the lock."
        yield Issue(alike[0].place, f"the lock {text!r} with an unknown phase{more}", expected, fix)
