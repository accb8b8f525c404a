"""A layer as GDAL hands it over, its text decoded by what its bytes say."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyogrio

from geodata.dataset import Dataset
from geodata.dbf import Dbf, parse_dbf
from geodata.encoding import Decision, RawText, decide, parse_encoding, readings
from geodata.errors import DataError, Issue
from geodata.notes import SourceNote

_BYTES: Final = "latin-1"
"""Encoding in which every byte is the character of its number: GDAL then passes text on unharmed."""
_NAME: Final = 10
"""Characters of a DBF column's name."""
_DXF_DEFAULT: Final = "cp1252"
_UTF8_DXF: Final = 1021
"""Version (AutoCAD 2007) from which a DXF is UTF-8, whatever code page it names."""


@dataclass(frozen=True)
class StoredLayer:
    """A layer.

    Attributes
    ----------
    meta : dict
        What pyogrio says of it.
    table : pyarrow.Table
        Attributes and WKB.
    notes : tuple of SourceNote
        About its text.
    cut : dict of str to numpy.ndarray of int
        Column → positions of values that ended in the middle of a character.
    deleted : tuple of int
        Records that the file marks as deleted; they are not in the table.
    """

    meta: dict[str, Any]
    table: pa.Table
    notes: tuple[SourceNote, ...] = ()
    cut: Mapping[str, npt.NDArray[np.intp]] | None = None
    deleted: tuple[int, ...] = ()


def read_shapefile(dataset: Dataset, layer: str | None, name: str, declared: str | None) -> StoredLayer:
    """The text of its .dbf in the encoding that fits, whatever .cpg and header say.

    Raises
    ------
    DataError
        If no encoding fits, or not the declared one.
    """
    raw, cpg = dataset.part(".dbf"), dataset.part(".cpg")
    dbf = None if raw is None else parse_dbf(raw)
    if dbf is None:
        return read_plain(dataset, layer, name, declared)
    written = "" if cpg is None else cpg.decode("ascii", errors="replace").strip()
    named, said_by = (written, "the .cpg") if written else (dbf.language, "the header of the .dbf")
    decision = _decide(dbf.texts, declared, named, name)
    notes = _notes(decision, dbf.texts, named, said_by, name)
    if decision.codec == "utf-8" and not _any_cut(decision, dbf):
        meta, table = pyogrio.read_arrow(dataset.address, layer=layer, return_fids=True, encoding="UTF-8")
        table.validate(full=True)
        return StoredLayer(meta, table, notes, deleted=dbf.deleted)
    meta, table = pyogrio.read_arrow(dataset.address, layer=layer, return_fids=True, encoding="ISO-8859-1")
    table, cut = _decoded(table, decision, dbf.widths)
    return StoredLayer(meta, table, notes, cut, dbf.deleted)


def read_mapinfo(
    dataset: Dataset, layer: str | None, name: str, declared: str | None, named: str | None, widths: dict[str, int]
) -> StoredLayer:
    """As `read_shapefile`, for a table whose text GDAL passes on byte by byte."""
    meta, table = pyogrio.read_arrow(dataset.address, layer=layer, return_fids=True)
    table.validate(full=True)
    texts = [RawText(title.encode(_BYTES)) for title in table.column_names if not title.isascii()]
    for title in _text_columns(table):
        values = (v.encode(_BYTES) for v in pc.unique(table.column(title)).to_pylist() if v and not v.isascii())
        texts += [RawText(value, len(value) == widths.get(title)) for value in values]
    decision = _decide(texts, declared, named, name)
    table, cut = _decoded(table, decision, widths)
    return StoredLayer(meta, table, _notes(decision, texts, named, "the table's header", name), cut)


def read_plain(dataset: Dataset, layer: str | None, name: str, declared: str | None) -> StoredLayer:
    """A format whose text is UTF-8 by its standard; text that is not is taken for another encoding only as a whole.

    Raises
    ------
    DataError
        If text is neither UTF-8 nor, throughout, of another encoding.
    """
    meta, table = pyogrio.read_arrow(dataset.address, layer=layer, return_fids=True)
    try:
        table.validate(full=True)  # text is not looked at otherwise
    except pa.ArrowInvalid as error:
        if "utf" not in str(error).lower():
            raise
    else:
        return StoredLayer(meta, table)
    columns = {title: table.column(title).cast(pa.binary()) for title in _text_columns(table)}
    raw = {v for column in columns.values() for v in pc.unique(column).to_pylist() if v and not v.isascii()}
    texts = [RawText(value) for value in sorted(raw)]
    if declared is None and any(_is_utf8(value) for value in raw):
        raise DataError(_no_encoding(texts, None, name))
    decision = _decide(texts, declared, None, name)
    for title, column in columns.items():
        text, _ = _decoded_column(column, decision, None)
        table = table.set_column(table.column_names.index(title), title, text)
    return StoredLayer(meta, table, _notes(decision, texts, None, "the file", name))


@contextmanager
def drawing_encoding(dataset: Dataset, name: str, declared: str | None) -> Iterator[tuple[SourceNote, ...]]:
    """Have GDAL read the text of a DXF in the encoding that fits its bytes.

    GDAL trusts the code page in the header, which is wrong in every UTF-8 drawing written on Chinese Windows.
    """
    raw = dataset.read()
    header = {key: raw[m.end() :].split(b"\n", 2)[1].strip() for key, m in _header_variables(raw)}
    version = header.get(b"$ACADVER", b"").removeprefix(b"AC")
    page = header.get(b"$DWGCODEPAGE", b"").decode("ascii", errors="replace").replace("_", " ").strip()
    named, said_by = page or _DXF_DEFAULT, "the drawing's header" if page else "the rule for drawings of no code page"
    if version.isdigit() and int(version) >= _UTF8_DXF:
        named, said_by = "utf-8", "the drawing's version"
    lines = {line.strip() for line in re.findall(rb"[^\r\n]*[\x80-\xff][^\r\n]*", raw)}
    texts = [RawText(line) for line in sorted(lines)]
    decision = _decide(texts, declared, named, name)
    pyogrio.set_gdal_config_options({"DXF_ENCODING": decision.codec.upper()})
    try:
        yield _notes(decision, texts, named, said_by, name)
    finally:
        pyogrio.set_gdal_config_options({"DXF_ENCODING": None})


def _header_variables(raw: bytes) -> Iterator[tuple[bytes, re.Match[bytes]]]:
    for match in re.finditer(rb"(?m)^[ \t]*(\$ACADVER|\$DWGCODEPAGE)[ \t]*\r?\n", raw[: 1 << 16]):
        yield match[1], match


def _decide(texts: Sequence[RawText], declared: str | None, named: str | None, name: str) -> Decision:
    if declared is not None and parse_encoding(declared) is None:
        raise DataError(
            Issue(name, f"encoding {declared!r}", "the name of an encoding", "Write gb18030, utf-8 or big5, say.")
        )
    decision = decide(texts, declared, named)
    if decision is None:
        raise DataError(_no_encoding(texts, declared, name))
    return decision


def _no_encoding(texts: Sequence[RawText], declared: str | None, name: str) -> Issue:
    shown = min(texts, key=lambda t: (len(t.raw), t.raw)) if texts else RawText(b"")
    what = f"is not {declared}" if declared else "fits neither UTF-8 nor GB18030 nor what the file names"
    return Issue(
        where=name,
        found=f"text that {what}: {readings(shown.raw)}",
        expected="text in one encoding",
        fix="Declare the one that reads right beside `path` (`encoding: cp949`, say); if none does, it is damaged.",
    )


def _notes(
    decision: Decision, texts: Sequence[RawText], named: str | None, said_by: str, name: str
) -> tuple[SourceNote, ...]:
    if not texts or (decision.codec == "utf-8" and not decision.declared and not decision.contradicts(named)):
        return ()
    told = decision.declared or (named is not None and parse_encoding(named) == decision.codec)
    return (SourceNote(name, decision.in_words(named, said_by), warning=not told),)


def _any_cut(decision: Decision, dbf: Dbf) -> bool:
    return any(decision.decode(t.raw, full=t.full)[1] for t in dbf.texts if t.full or decision.cut_anywhere)


def _text_columns(table: pa.Table) -> list[str]:
    return [f.name for f in table.schema if pa.types.is_string(f.type) or pa.types.is_large_string(f.type)]


def _decoded(
    table: pa.Table, decision: Decision, widths: Mapping[str, int]
) -> tuple[pa.Table, dict[str, npt.NDArray[np.intp]]]:
    """The table with names and values decoded, from bytes that stand there as Latin-1."""
    cut: dict[str, npt.NDArray[np.intp]] = {}
    names = [_name(title, decision) for title in table.column_names]
    text_columns = set(_text_columns(table))
    for at, (title, name) in enumerate(zip(table.column_names, names, strict=True)):
        if title in text_columns:
            values, positions = _decoded_column(table.column(at), decision, widths.get(title))
            table = table.set_column(at, title, values)
            if positions.size:
                cut[name] = positions
    return table.rename_columns(names), cut


def _name(title: str, decision: Decision) -> str:
    raw = title.encode(_BYTES)
    return decision.decode(raw, full=len(raw) >= _NAME)[0]


def _decoded_column(
    column: pa.ChunkedArray, decision: Decision, width: int | None
) -> tuple[pa.Array, npt.NDArray[np.intp]]:
    coded = column.combine_chunks().dictionary_encode()
    raw = [v if isinstance(v, bytes) else v.encode(_BYTES) for v in coded.dictionary.to_pylist()]
    pairs = [decision.decode(value, full=len(value) == width) for value in raw]
    texts = pa.array([text for text, _ in pairs], pa.string())
    is_cut = np.array([cut for _, cut in pairs], dtype=bool)
    indices = coded.indices
    where = np.zeros(len(coded), dtype=bool)
    if is_cut.any():
        where = is_cut[indices.fill_null(0).to_numpy(zero_copy_only=False)] & indices.is_valid().to_numpy(
            zero_copy_only=False
        )
    return texts.take(indices), np.flatnonzero(where)


def _is_utf8(raw: bytes) -> bool:
    try:
        raw.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True
