"""MapInfo tables (TAB, MIF): the character set that the header names is often `Neutral`, or wrong."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Final

from geodata.dataset import Dataset

SUFFIXES: Final = frozenset({".tab", ".mif"})
_PARTS: Final = {".tab": (".dat", ".map", ".id", ".ind"), ".mif": (".mid",)}
_CHARSET: Final = re.compile(rb"(?im)^([ \t]*(?:!charset|charset|type[ \t].*?charset)[ \t]+\"?)([\w.-]+)")
_VERSION: Final = re.compile(rb"(?im)^[ \t]*!?version[^\r\n]*\r?\n")
_TEXT_FIELD: Final = re.compile(rb"(?im)^[ \t]*(\S+)[ \t]+char[ \t]*\([ \t]*(\d+)[ \t]*\)")
_BYTES: Final = b"ISO8859_1"
"""A character set in which every byte is the character of its number."""
_CHARSETS: Final = {
    "utf-8": "utf-8",
    "windowssimpchinese": "gb18030",
    "windowstradchinese": "big5",
    "windowskorean": "cp949",
    "windowsjapanese": "cp932",
    "windowscyrillic": "cp1251",
    "windowslatin1": "cp1252",
    "windowslatin2": "cp1250",
}


@dataclass(frozen=True)
class MapInfo:
    """A table whose text GDAL passes on byte by byte.

    Attributes
    ----------
    dataset : Dataset
        A copy that lives as long as it is read.
    named : str or None
        The encoding that its header names; None for `Neutral` and for what is not known here.
    widths : dict of str to int
        Width of each text field by name, the name read as Latin-1.
    """

    dataset: Dataset
    named: str | None
    widths: dict[str, int]


@contextmanager
def as_bytes(dataset: Dataset) -> Iterator[MapInfo]:
    """Copy a table to a temporary folder under a header that leaves its text as it is."""
    head, end, rest = _split(dataset.read(), dataset.suffix)
    found = _CHARSET.search(head)
    named = None if found is None else _CHARSETS.get(found[2].decode("latin-1").lower())
    if found is not None:
        patched = _CHARSET.sub(rb"\1" + _BYTES, head)
    else:
        line = b"!charset " + _BYTES if dataset.suffix == ".tab" else b'Charset "' + _BYTES + b'"'
        patched = _VERSION.sub(lambda version: version[0] + line + b"\n", head, count=1)
    widths = {field[1].decode("latin-1"): int(field[2]) for field in _TEXT_FIELD.finditer(head)}
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / PurePosixPath(dataset.file).name
        copy.write_bytes(patched + end + rest)
        for suffix in _PARTS[dataset.suffix]:
            part = dataset.part(suffix)
            if part is not None:
                copy.with_suffix(suffix).write_bytes(part)
        yield MapInfo(Dataset(str(copy), copy), named, widths)


def _split(raw: bytes, suffix: str) -> tuple[bytes, bytes, bytes]:
    """Header and the rest: a MIF file goes on with its geometry after the line `Data`."""
    if suffix == ".tab":
        return raw, b"", b""
    end = re.search(rb"(?im)^[ \t]*data[ \t]*\r?$", raw)
    return (raw, b"", b"") if end is None else (raw[: end.start()], end[0], raw[end.end() :])
