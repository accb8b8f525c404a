"""Whether GDAL handed over every line and text that a DXF holds: over a damaged one it leaves out without a word."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Final, NamedTuple

from geodata.errors import DataError, Issue, list_ids
from geodata.notes import SourceNote

_SECTION: Final = re.compile(rb"(?m)^[ \t]*2[ \t]*\r?\n[ \t]*ENTITIES[ \t]*\r?$")
_START: Final = re.compile(rb"(?m)^[ \t]*0[ \t]*\r?\n[ \t]*([A-Za-z_\x80-\xff][^\r\n]*?)[ \t]*\r?$")
_CORNER: Final = re.compile(rb"(?m)^[ \t]*10[ \t]*\r?$")
_KINDS: Final = frozenset({b"POLYLINE", b"LWPOLYLINE", b"LINE", b"TEXT", b"MTEXT", b"POINT"})


def account_for_entities(raw: bytes, handles: Sequence[object], name: str) -> list[SourceNote]:
    """Compare the entities that a drawing's text names with those that were read.

    Parameters
    ----------
    raw : bytes
        The drawing.
    handles : sequence
        Handles of the entities that were read.
    name : str
        File, for messages.

    Returns
    -------
    list of SourceNote
        Lines without two corners, texts and points that were not read, by handle. What has no handle is not compared.

    Raises
    ------
    DataError
        If a line of two corners or more was not read, or has something else among its corners.
    """
    known = {str(handle).lower() for handle in handles}
    entities = _entities(raw)
    lost = [(_is_drawn(entities, i), e.handle) for i, e in enumerate(entities) if e.handle and e.handle not in known]
    broken = [*_torn(entities), *(handle for is_line, handle in lost if is_line)]
    if broken:
        raise DataError(
            Issue(
                where=name,
                found=f"{len(broken)} lines that cannot be read in full, handle {list_ids(broken)}",
                expected="whole lines",
                fix="The drawing is damaged: copy or export it again.",
            )
        )
    others = [handle for _, handle in lost]
    return [SourceNote.of(name, "entity that cannot be read, left out", others)] if others else []


class _Entity(NamedTuple):
    """Kind, handle in lower case (empty where it has none or is not compared) and groups."""

    kind: bytes
    handle: str
    body: bytes


def _entities(raw: bytes) -> list[_Entity]:
    section = _SECTION.search(raw)
    starts = [] if section is None else list(_START.finditer(raw, section.end()))
    found: list[_Entity] = []
    for i, start in enumerate(starts):
        if start[1] == b"ENDSEC":
            break
        body = raw[start.end() : starts[i + 1].start() if i + 1 < len(starts) else len(raw)]
        found.append(_Entity(start[1], _first_handle(body) if start[1] in _KINDS else "", body))
    return found


def _is_drawn(entities: list[_Entity], i: int) -> bool:
    """Whether it is a line of two corners or more."""
    match entities[i].kind:
        case b"LINE":
            return True
        case b"LWPOLYLINE":
            return len(_CORNER.findall(entities[i].body)) > 1
        case b"POLYLINE":
            return [e.kind for e in entities[i + 1 : i + 3]] == [b"VERTEX", b"VERTEX"]
    return False


def _torn(entities: list[_Entity]) -> Iterator[str]:
    """Lines with something else among their corners: GDAL leaves it out, and the land gets another shape."""
    handle = ""
    for before, entity in pairwise(entities):
        handle = before.handle if before.kind == b"POLYLINE" else handle
        if entity.kind == b"VERTEX" and before.kind not in {b"POLYLINE", b"VERTEX"}:
            yield handle or "unknown"


def _first_handle(body: bytes) -> str:
    """Value of the first group of code 5; groups are pairs of lines."""
    lines = body.strip(b"\r\n").split(b"\n")
    values = (value.strip() for code, value in zip(lines[::2], lines[1::2], strict=False) if code.strip() == b"5")
    return next((value.decode("latin-1").lower() for value in values), "")
