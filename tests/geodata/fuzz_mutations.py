"""Ways to spoil the files of a dataset: bytes, headers, coordinates, attributes, tokens, lines, cells, parts.

Every mutation takes the files of a dataset (name → bytes) and a random generator, hands back new files and says what
must still be true of the rows:

* ``same``: no row was touched as a row, so what is read must have exactly as many;
* ``loss``: rows may be damaged, so each is read or listed, or the file is refused.
"""

from __future__ import annotations

import csv
import io
import json
import struct
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

Files = dict[str, bytes]
Rule = Literal["same", "loss"]
Mutation = Callable[[Files, np.random.Generator], tuple[Files, Rule]]

WILD = (float("nan"), float("inf"), float("-inf"), 0.0, -0.0, 1e300, -1e300, 1e-320, 180.0, 91.0, 4.2e7)
"""Numbers put in place of a coordinate."""
TOKENS: tuple[Any, ...] = (None, True, 0, -1, 1e308, 2**70, "", "Polygon", "类", [], {}, [[]], [None], {"type": 3})
LINE_TOKENS = [b"", b"@", b"NaN", b"1e999", b"-1", b"J1", "面".encode("gb18030"), b'"', b"0", b"[x]"]
CELLS = ("", "#N/A", "4.41900E+17", "=1+1", '"', 'a"b', "a,b", "a\nb", "  ", "-", "１２", "\ufeff", "x" * 5000)


@dataclass(frozen=True)
class InBytes:
    """Spoil bytes of one file with one of these endings (of any file without), within its first bytes if given."""

    suffixes: tuple[str, ...] = ()
    first: int | None = None

    def __call__(self, files: Files, rng: np.random.Generator) -> tuple[Files, Rule]:
        name = _one(sorted(n for n in files if not self.suffixes or n.lower().endswith(self.suffixes)), rng)
        raw = bytearray(files[name])
        way = _WAYS[int(rng.integers(0, len(_WAYS)))]
        way(raw, min(len(raw), self.first or len(raw)), rng)
        return files | {name: bytes(raw)}, "loss"


def _flip(raw: bytearray, end: int, rng: np.random.Generator) -> None:
    for at in rng.integers(0, max(end, 1), int(rng.integers(1, 6))):
        if at < len(raw):
            raw[at] = int(rng.integers(0, 256)) if rng.random() < 0.5 else raw[at] ^ (1 << int(rng.integers(0, 8)))


def _cut(raw: bytearray, end: int, rng: np.random.Generator) -> None:
    at = int(rng.integers(0, max(end, 1)))
    size = len(raw) if rng.random() < 0.5 else int(rng.integers(1, 200))
    del raw[at : at + size]


def _insert(raw: bytearray, end: int, rng: np.random.Generator) -> None:
    at = int(rng.integers(0, end + 1))
    raw[at:at] = rng.bytes(int(rng.integers(1, 40)))


def _duplicate(raw: bytearray, end: int, rng: np.random.Generator) -> None:
    at = int(rng.integers(0, end + 1))
    raw[at:at] = raw[at : at + int(rng.integers(1, 400))]


def _blank(raw: bytearray, end: int, rng: np.random.Generator) -> None:
    at, size = int(rng.integers(0, end + 1)), int(rng.integers(1, 64))
    size = min(size, len(raw) - at)
    raw[at : at + size] = bytes([int(rng.choice([0, 0xFF, 0x20]))]) * size


_WAYS = (_flip, _cut, _insert, _duplicate, _blank)


def without_part(files: Files, rng: np.random.Generator) -> tuple[Files, Rule]:
    """Leave out one of the files that lie beside a .shp."""
    name = _one(sorted(n for n in files if not n.endswith(".shp")), rng)
    return {n: raw for n, raw in files.items() if n != name}, "loss"


def in_pages(files: Files, rng: np.random.Generator) -> tuple[Files, Rule]:
    """Blank, exchange or repeat whole pages of a GeoPackage, or spoil a page's own header."""
    name = _one(sorted(files), rng)
    raw = bytearray(files[name])
    (size,) = struct.unpack(">H", raw[16:18])
    a, b = (size * int(k) for k in rng.integers(0, len(raw) // size, 2))
    match int(rng.integers(0, 4)):
        case 0:
            raw[a : a + size] = bytes(size)
        case 1:
            raw[a : a + size], raw[b : b + size] = raw[b : b + size], raw[a : a + size]
        case 2:
            raw[a : a + size] = raw[b : b + size]
        case _:
            raw[a + int(rng.integers(0, 12))] = int(rng.integers(0, 256))
    return files | {name: bytes(raw)}, "loss"


def in_shapes(files: Files, rng: np.random.Generator) -> tuple[Files, Rule]:
    """Coordinates of a .shp: other numbers, or two exchanged. Records stay what they are."""
    name = next(n for n in sorted(files) if n.lower().endswith(".shp"))
    raw = bytearray(files[name])
    spots: list[int] = []
    at = 100
    while at + 52 <= len(raw):
        words, kind = struct.unpack(">i", raw[at + 4 : at + 8])[0], struct.unpack("<i", raw[at + 8 : at + 12])[0]
        if kind in {3, 5, 13, 15, 23, 25}:
            parts, points = struct.unpack("<ii", raw[at + 44 : at + 52])
            begin = at + 52 + 4 * parts
            spots += range(begin, begin + 16 * points, 8)
        at += 8 + 2 * words
    _spoil_doubles(raw, spots, rng)
    return files | {name: bytes(raw)}, "same"


def in_well_known_binary(raw: bytes, rng: np.random.Generator) -> bytes:
    """Coordinates of the first ring of a (multi)polygon in little-endian WKB."""
    kind = struct.unpack("<I", raw[1:5])[0]
    begin = 13 if kind == 3 else 22
    (points,) = struct.unpack("<I", raw[begin - 4 : begin])
    spoilt = bytearray(raw)
    _spoil_doubles(spoilt, list(range(begin, begin + 16 * points, 8)), rng)
    return bytes(spoilt)


def _spoil_doubles(raw: bytearray, spots: list[int], rng: np.random.Generator) -> None:
    for _ in range(int(rng.integers(1, 5))):
        a, b = (spots[int(k)] for k in rng.integers(0, len(spots), 2))
        if rng.random() < 0.3:
            raw[a : a + 8], raw[b : b + 8] = raw[b : b + 8], raw[a : a + 8]
        else:
            raw[a : a + 8] = struct.pack("<d", WILD[int(rng.integers(0, len(WILD)))])


def in_attributes(files: Files, rng: np.random.Generator) -> tuple[Files, Rule]:
    """Bytes of the values in a .dbf, neither its header nor the marks of deletion."""
    name = next(n for n in sorted(files) if n.lower().endswith(".dbf"))
    raw = bytearray(files[name])
    count, head, width = struct.unpack("<IHH", raw[4:12])
    for _ in range(int(rng.integers(1, 20))):
        at = head + width * int(rng.integers(0, count)) + int(rng.integers(1, width))
        raw[at] = int(rng.integers(0, 256))
    return files | {name: bytes(raw)}, "same"


def deleted_records(files: Files, rng: np.random.Generator) -> tuple[Files, Rule]:
    """Marks of deletion in a .dbf: the records go, each listed."""
    name = next(n for n in sorted(files) if n.lower().endswith(".dbf"))
    raw = bytearray(files[name])
    count, head, width = struct.unpack("<IHH", raw[4:12])
    for k in rng.integers(0, count, 3):
        raw[head + width * int(k)] = ord("*")
    return files | {name: bytes(raw)}, "same"


@dataclass(frozen=True)
class InJson:
    """Put another token in the place of one, somewhere in the document or only below one of its keys."""

    below: str | None = None

    def __call__(self, files: Files, rng: np.random.Generator) -> tuple[Files, Rule]:
        name = _one(sorted(files), rng)
        document = json.loads(files[name])
        spots: list[tuple[Any, Any]] = []
        for part in [document] if self.below is None else document[self.below]:
            _spots(part, spots)
        for _ in range(int(rng.integers(1, 4))):
            holder, key = spots[int(rng.integers(0, len(spots)))]
            holder[key] = TOKENS[int(rng.integers(0, len(TOKENS)))]
        return files | {name: json.dumps(document, ensure_ascii=False).encode()}, "loss"


def _spots(node: Any, found: list[tuple[Any, Any]]) -> None:
    if isinstance(node, dict | list):
        # A long list of coordinates counts as much as a short one.
        keys = list(node) if isinstance(node, dict) else list(range(len(node)))[:30]
        for key in keys:
            found.append((node, key))
            _spots(node[key], found)


def in_lines(files: Files, rng: np.random.Generator) -> tuple[Files, Rule]:
    """Lines of a text: one taken out, repeated, exchanged with another, or a token of it changed."""
    name = _one(sorted(files), rng)
    lines = files[name].split(b"\n")
    a, b = (int(k) for k in rng.integers(0, len(lines), 2))
    match int(rng.integers(0, 4)):
        case 0:
            del lines[a]
        case 1:
            lines.insert(b, lines[a])
        case 2:
            lines[a], lines[b] = lines[b], lines[a]
        case _:
            tokens = lines[a].split(b",")
            tokens[int(rng.integers(0, len(tokens)))] = _one(LINE_TOKENS, rng)
            lines[a] = b",".join(tokens)
    return files | {name: b"\n".join(lines)}, "loss"


def in_group_codes(files: Files, rng: np.random.Generator) -> tuple[Files, Rule]:
    """A group code or a value among the entities of a DXF."""
    name = _one(sorted(files), rng)
    lines = files[name].split(b"\n")
    begin = next(i for i, line in enumerate(lines) if line.strip() == b"ENTITIES")
    at = int(rng.integers(begin + 1, len(lines) - 6))
    choices = [b"0", b"8", b"10", b"70", b"330", b"-5", b"abc", b"SEQEND", b"LWPOLYLINE", b"VERTEX", b"1e999", b"NaN"]
    lines[at] = _one([*choices, b"1PARCELLE", b""], rng)
    return files | {name: b"\n".join(lines)}, "loss"


def in_cells(files: Files, rng: np.random.Generator) -> tuple[Files, Rule]:
    """Cells of a CSV, written as the format wants it: every row stays a row."""
    name = _one(sorted(files), rng)
    encoding = "gb18030" if "gbk" in name else "utf-8"
    rows = list(csv.reader(io.StringIO(files[name].decode(encoding), newline="")))
    for _ in range(int(rng.integers(1, 4))):
        row = rows[int(rng.integers(1, len(rows)))]
        row[int(rng.integers(1, len(row)))] = CELLS[int(rng.integers(0, len(CELLS)))]
    text = io.StringIO(newline="")
    csv.writer(text, quoting=csv.QUOTE_ALL).writerows(rows)
    return files | {name: text.getvalue().encode(encoding)}, "same"


def in_quoting(files: Files, rng: np.random.Generator) -> tuple[Files, Rule]:
    """A quotation mark too many or too few."""
    name = _one(sorted(files), rng)
    raw = bytearray(files[name])
    quotes = [i for i, byte in enumerate(raw) if byte == ord('"')]
    if quotes and rng.random() < 0.5:
        del raw[_one(quotes, rng)]
    else:
        at = int(rng.integers(0, len(raw)))
        raw[at:at] = b'"'
    return files | {name: bytes(raw)}, "loss"


def in_members(files: Files, rng: np.random.Generator) -> tuple[Files, Rule]:
    """A part of a ZIP archive (XLSX): spoilt, left out or empty; packed again with right check sums."""
    name = _one(sorted(files), rng)
    with zipfile.ZipFile(io.BytesIO(files[name])) as archive:
        members = {n: archive.read(n) for n in archive.namelist()}
    part = _one(sorted(members), rng)
    match int(rng.integers(0, 4)):
        case 0:
            del members[part]
        case 1:
            members[part] = b""
        case _:
            raw = bytearray(members[part])
            _WAYS[int(rng.integers(0, len(_WAYS)))](raw, len(raw), rng)
            members[part] = bytes(raw)
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for n, content in members.items():
            archive.writestr(n, content)
    return files | {name: packed.getvalue()}, "loss"


def _one(items: list[Any], rng: np.random.Generator) -> Any:
    return items[int(rng.integers(0, len(items)))]


@dataclass(frozen=True)
class Named:
    """A mutation under a name for messages."""

    name: str
    mutate: Mutation
