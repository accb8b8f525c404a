"""The attribute table of a shapefile as bytes: its header, its text, the records marked as deleted.

Layout: dBASE III, 32 bytes of header, 32 per field, a carriage return, then records of fixed width whose first byte is
``*`` where the record is deleted.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from geodata.encoding import RawText

_NAME: Final = 11
_LANGUAGES: Final = {
    0x01: "cp437",
    0x02: "cp850",
    0x03: "cp1252",
    0x13: "cp932",
    0x4D: "cp936",
    0x4E: "cp949",
    0x4F: "cp950",
    0x57: "cp1252",
    0x58: "cp1252",
    0x59: "cp1252",
    0x64: "cp852",
    0x65: "cp866",
    0x78: "cp950",
    0x79: "cp949",
    0x7A: "cp936",
    0x7B: "cp932",
    0x7D: "cp1255",
    0x7E: "cp1256",
    0xC8: "cp1250",
    0xC9: "cp1251",
    0xCA: "cp1254",
    0xCB: "cp1253",
    0xCC: "cp1257",
}
"""Language driver byte → code page; 0x57 is what exporters write without thinking."""


@dataclass(frozen=True)
class Dbf:
    """What its bytes say.

    Attributes
    ----------
    language : str or None
        Code page that the header names.
    widths : dict of str to int
        Width of each text field by name, the name read as Latin-1.
    texts : tuple of RawText
        Distinct names and values with a byte beyond ASCII.
    deleted : tuple of int
        Positions of the records marked as deleted.
    """

    language: str | None
    widths: dict[str, int]
    texts: tuple[RawText, ...]
    deleted: tuple[int, ...]


@dataclass(frozen=True)
class _Field:
    name: bytes
    kind: bytes
    start: int
    width: int


def parse_dbf(raw: bytes) -> Dbf | None:
    """Look through a table.

    Parameters
    ----------
    raw : bytes
        The whole file.

    Returns
    -------
    Dbf or None
        None where the header makes no sense: its reader will say more.
    """
    if len(raw) < 33:
        return None
    n, start, length = struct.unpack("<IHH", raw[4:12])
    fields = _fields(raw[32:start])
    if not fields or not 33 <= start <= len(raw) or length != 1 + sum(f.width for f in fields):
        return None
    n = min(n, (len(raw) - start) // length)
    records = np.frombuffer(raw, dtype=np.uint8, count=n * length, offset=start).reshape(n, length)
    text_fields = [f for f in fields if f.kind == b"C"]
    names = [RawText(f.name, len(f.name) >= _NAME - 1) for f in fields if not f.name.isascii()]
    values = [text for f in text_fields for text in _texts(records[:, f.start : f.start + f.width])]
    return Dbf(
        language=_LANGUAGES.get(raw[29]),
        widths={f.name.decode("latin-1"): f.width for f in text_fields},
        texts=(*names, *values),
        deleted=tuple(int(i) for i in np.flatnonzero(records[:, 0] == ord("*"))),
    )


def _fields(descriptors: bytes) -> list[_Field]:
    fields, position = [], 1
    for at in range(0, len(descriptors) - 31, 32):
        if descriptors[at] == 0x0D:
            break
        one = descriptors[at : at + 32]
        fields.append(_Field(one[:_NAME].split(b"\0")[0], one[11:12], position, one[16]))
        position += one[16]
    return fields


def _texts(column: npt.NDArray[np.uint8]) -> list[RawText]:
    beyond = column[(column >= 0x80).any(axis=1)]
    width = column.shape[1]
    if not beyond.size:
        return []
    distinct = np.unique(np.ascontiguousarray(beyond).view(f"S{width}"))
    values = {value.split(b"\0", 1)[0].rstrip(b" ") for value in distinct.tolist()}
    return [RawText(value, len(value) == width) for value in sorted(values) if not value.isascii()]
