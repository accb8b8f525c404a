"""Whether GDAL handed over every line and text that a DXF holds: over a damaged one it leaves out without a word."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Final

from geodata.errors import DataError, Issue, list_ids
from geodata.notes import SourceNote

_SECTION: Final = re.compile(rb"(?m)^[ \t]*2[ \t]*\r?\n[ \t]*ENTITIES[ \t]*\r?$")
_START: Final = re.compile(rb"(?m)^[ \t]*0[ \t]*\r?\n[ \t]*([A-Z][A-Z0-9_]*)[ \t]*\r?$")
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
        Lines without two corners, texts and points that were not read, by handle.

    Raises
    ------
    DataError
        If a line of two corners or more was not read.
    """
    known = {str(handle).lower() for handle in handles}
    lost = [(kind, handle) for kind, handle in _entities(raw) if handle.lower() not in known]
    lines = [handle for is_line, handle in lost if is_line]
    if lines:
        raise DataError(
            Issue(
                where=name,
                found=f"{len(lines)} lines that cannot be read, handle {list_ids(lines)}",
                expected="whole lines",
                fix="The drawing is damaged: copy or export it again.",
            )
        )
    others = [handle for _, handle in lost]
    return [SourceNote.of(name, "entity that cannot be read, left out", others)] if others else []


def _entities(raw: bytes) -> Iterator[tuple[bool, str]]:
    """Whether each is a line of two corners or more, and its handle; those without a handle cannot be compared."""
    section = _SECTION.search(raw)
    starts = [] if section is None else list(_START.finditer(raw, section.end()))
    kinds = [start[1] for start in starts]
    for i, start in enumerate(starts):
        if kinds[i] == b"ENDSEC":
            return
        body = raw[start.end() : starts[i + 1].start() if i + 1 < len(starts) else len(raw)]
        handle = _first_handle(body) if kinds[i] in _KINDS else None
        if handle is not None:
            is_drawn = (
                kinds[i + 1 : i + 3] == [b"VERTEX", b"VERTEX"]
                if kinds[i] == b"POLYLINE"
                else kinds[i] in {b"LWPOLYLINE", b"LINE"} and (kinds[i] == b"LINE" or len(_CORNER.findall(body)) > 1)
            )
            yield is_drawn, handle


def _first_handle(body: bytes) -> str | None:
    """Value of the first group of code 5; groups are pairs of lines."""
    lines = body.strip(b"\r\n").split(b"\n")
    values = (value.strip() for code, value in zip(lines[::2], lines[1::2], strict=False) if code.strip() == b"5")
    return next((value.decode("latin-1") for value in values), None)
