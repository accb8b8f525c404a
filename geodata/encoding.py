"""Which encoding the text of a file is in: decided by its bytes, whatever the file says of itself.

Files written in China say nothing, say GBK, or say Western (the default of many exporters) and hold GBK; some say GBK
and hold UTF-8. The rule, for all names and values with a byte beyond ASCII at once:

1. what the user declared, if the text fits it;
2. UTF-8 if the text fits, since text of another encoding hardly ever does by chance; where it fits only with
   two-byte characters, an East Asian encoding that the file names and that fits comes first;
3. the encoding that the file names, if the text fits and it is not a Western one;
4. GB18030 (which contains GBK and GB2312) if the text fits and most of its characters end in a byte beyond ASCII: in
   Western text they would not;
5. the Western encoding that the file names.

A text that fills its field may end in the middle of a character: that does not count against an encoding. If none
fits, any text may (a table whose fields were widened after the cut), but not more than half of all.
"""

from __future__ import annotations

import codecs
import heapq
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

_WESTERN: Final = frozenset({"iso8859-1", "iso8859-15", "cp1252", "cp437", "cp850"})
_EAST_ASIAN: Final = frozenset({"gb18030", "big5", "cp950", "cp949", "euc_kr", "cp932", "shift_jis", "euc_jp"})
_SHOWN: Final = ("gb18030", "big5", "euc-kr", "latin-1")
_PREVIEWED: Final = 3
_LONGEST: Final = 20
_PAGE: Final = re.compile(r"(?:ansi|oem|cp|dos|ibm|windows|ms|x-windows)?[\s_-]*(\d{3,5})")
_CODE_PAGES: Final = {"65001": "utf-8", "936": "gb18030", "54936": "gb18030", "20936": "gb18030"}
_CONTAINED: Final = {"gbk": "gb18030", "gb2312": "gb18030", "euc_cn": "gb18030", "cp936": "gb18030"}


class RawText(NamedTuple):
    """Bytes of a name or a value as stored (`raw`, without padding) and whether they fill their field (`full`)."""

    raw: bytes
    full: bool = False


@dataclass(frozen=True)
class Decision:
    """The encoding of a file's text.

    Attributes
    ----------
    codec : str
        Python's name.
    declared : bool
        Whether it is the user's own.
    preview : tuple of str
        The first few texts beyond ASCII, decoded, in alphabetical order.
    cut_anywhere : bool
        Whether texts may end in the middle of a character although they do not fill their field.
    """

    codec: str
    declared: bool
    preview: tuple[str, ...]
    cut_anywhere: bool = False

    def contradicts(self, named: str | None) -> bool:
        """Whether it was found out although the file names another one that is known."""
        says = None if named is None else parse_encoding(named)
        return not self.declared and says is not None and says != self.codec

    def decode(self, raw: bytes, *, full: bool) -> tuple[str, bool]:
        """Text, and whether its last character was cut off (and is left out).

        Raises
        ------
        UnicodeDecodeError
            If the bytes do not fit.
        """
        return (raw.decode("ascii"), False) if raw.isascii() else _decode(raw, self.codec, full or self.cut_anywhere)

    def in_words(self, named: str | None, said_by: str) -> str:
        """For a note: ``'attribute text is GB18030, found out from its bytes …'``.

        Parameters
        ----------
        named : str or None
            What the file itself says.
        said_by : str
            Where it says so, e.g. ``'the .cpg'``.
        """
        if self.declared:
            why = "as declared"
        elif named is not None and parse_encoding(named) == self.codec:
            why = f"as {said_by} says"
        elif named is not None:
            why = f"found out from its bytes, although {said_by} says {named}"
        else:
            why = "found out from its bytes"
        shown = f": {', '.join(self.preview)}" if self.preview else ""
        return f"attribute text is {self.codec.upper()}, {why}{shown}"


def parse_encoding(text: str) -> str | None:
    """Python's name of an encoding as users and files write it: ``GBK``, ``936``, ``ANSI 936``, ``65001``, ``UTF-8``.

    GBK and GB2312 become GB18030, which contains both.

    Returns
    -------
    str or None
        None where it is not known.
    """
    stripped = text.strip().strip("\ufeff").lower()
    if re.fullmatch(r"(?:iso)?[\s_-]*8859-?\d{1,2}", stripped):
        part = re.sub(r".*8859-?", "", stripped)
        return _lookup(f"iso8859-{part}")
    page = _PAGE.fullmatch(stripped)
    if page:
        return _CODE_PAGES.get(page[1]) or _lookup(f"cp{page[1]}")
    return _lookup(stripped)


def decide(texts: Sequence[RawText], declared: str | None, named: str | None) -> Decision | None:
    """Encoding by the rule of this module.

    Parameters
    ----------
    texts : sequence of RawText
        Distinct names and values with a byte beyond ASCII; their order does not matter.
    declared, named : str or None
        What the user says, what the file says; as written.

    Returns
    -------
    Decision or None
        None where no encoding fits, or not the declared one.
    """
    if not texts and declared is None:
        return Decision("utf-8", False, ())
    file_says = None if named is None else parse_encoding(named)
    for anywhere in (False, True):
        candidates = [RawText(t.raw, True) for t in texts] if anywhere else texts
        codec = _declared(candidates, declared) if declared is not None else _found_out(candidates, file_says)
        if codec is not None:
            return Decision(codec, declared is not None, _preview(candidates, codec), anywhere)
    western = file_says if declared is None and file_says in _WESTERN else None
    return Decision(western, False, _preview(texts, western)) if western and _fits(texts, western) else None


def _declared(texts: Sequence[RawText], declared: str) -> str | None:
    codec = parse_encoding(declared)
    return codec if codec is not None and _fits(texts, codec) else None


def _decode(raw: bytes, codec: str, full: bool) -> tuple[str, bool]:
    if not full:
        return raw.decode(codec), False
    decoder = codecs.getincrementaldecoder(codec)()
    text = decoder.decode(raw)
    return text, bool(decoder.getstate()[0])


def _decode_all(texts: Sequence[RawText], codec: str) -> tuple[str, int]:
    """All texts, one a line, and how many are cut off; no character of any encoding here contains a line's end."""
    whole = b"\n".join(t.raw for t in texts if not t.full).decode(codec)
    full = [_decode(t.raw, codec, True) for t in texts if t.full]
    return "\n".join([whole, *(text for text, _ in full)]), sum(cut for _, cut in full)


def _fits(texts: Sequence[RawText], codec: str) -> bool:
    """Whether all texts can be decoded, and at least half of them to their ends."""
    try:
        _, n_cut = _decode_all(texts, codec)
    except UnicodeDecodeError:
        return False
    return 2 * n_cut <= len(texts)


def readings(raw: bytes) -> str:
    """One text in the likely encodings, for a message."""
    return "; ".join(f"in {code} it reads {raw.decode(code, errors='replace')}" for code in _SHOWN)


def _found_out(texts: Sequence[RawText], named: str | None) -> str | None:
    """By the bytes; but for a Western encoding, which any text fits."""
    named_fits = named is not None and named not in _WESTERN and _fits(texts, named)
    if _fits(texts, "utf-8"):
        only_short = max(_decode_all(texts, "utf-8")[0]) < "\u0800"
        return named if only_short and named_fits and named in _EAST_ASIAN else "utf-8"
    if named_fits:
        return named
    return "gb18030" if _fits(texts, "gb18030") and _looks_chinese(texts) else None


def _looks_chinese(texts: Sequence[RawText]) -> bool:
    """Whether most distinct characters beyond ASCII are of bytes beyond ASCII only, as common Chinese ones are."""
    chars = [c for c in set(_decode_all(texts, "gb18030")[0]) if not c.isascii()]
    high = sum(min(c.encode("gb18030")) >= 0x80 for c in chars)
    return 2 * high >= len(chars)


def _lookup(name: str) -> str | None:
    try:
        "".encode(name)  # refuses codecs that are none of text
        found = codecs.lookup(name).name
    except (LookupError, ValueError):  # a name with a zero byte
        return None
    canonical = "utf-8" if found in {"utf-8-sig", "ascii"} else found
    return _CONTAINED.get(canonical.replace("-", "_"), canonical)


def _preview(texts: Sequence[RawText], codec: str) -> tuple[str, ...]:
    shown = heapq.nsmallest(_PREVIEWED, {t for t in _decode_all(texts, codec)[0].split("\n") if t})
    return tuple(text if len(text) <= _LONGEST else text[:_LONGEST] + "…" for text in shown)
